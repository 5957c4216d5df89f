"""An action before its date is worked out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sitepick.actions.facts import Lead
from sitepick.actions.types import Decision


@dataclass(frozen=True)
class Draft:
    """What is done, when it is needed and how long it takes; see `Action`."""

    action: str
    needed: date
    lead: Lead
    site: str = ""
    poi: str = ""
    item: str = ""
    mw: float | None = None
    mw_kind: str = ""
    musd: float | None = None
    why: str = ""
    decisions: tuple[Decision, ...] = ()
