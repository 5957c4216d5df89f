"""A row that must be in a list of actions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sitepick.checks.calendar import move, whole_months

Key = tuple[str, str, str, str, date]
"""Action, site, POI, item, and the day by which it is needed."""


@dataclass(frozen=True)
class Due:
    """One action: what it is, the day it is needed, months before that, its size and money."""

    action: str
    site: str
    poi: str
    item: str
    needed: date
    months: float
    mw: float | None = None
    musd: float | None = None

    @property
    def key(self) -> Key:
        """What tells it from all others."""
        return self.action, self.site, self.poi, self.item, self.needed

    @property
    def do_by(self) -> date:
        """The last day to do it."""
        return move(self.needed, -whole_months(self.months))
