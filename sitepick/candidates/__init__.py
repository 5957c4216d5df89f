"""Candidates: from clean layers to places that may be built, measured, and reasons for the rest."""

from sitepick.candidates.funnel import propose
from sitepick.candidates.types import Candidates

__all__ = ["Candidates", "propose"]
