"""Layers: every input file read, cleaned and checked. Nothing is placed here."""

from sitepick.layers.load import load
from sitepick.layers.types import Layers, Note, Source

__all__ = ["Layers", "Note", "Source", "load"]
