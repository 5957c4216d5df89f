"""Which columns a report has: 31 December of the years of a plan, whatever its periods are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, TypeVar

from sitepick.scenario.schema import period_starts

if TYPE_CHECKING:
    from sitepick.run import Run
    from sitepick.scenario.schema import Periods

T = TypeVar("T")
MOST = 8
"""Most years side by side on one screen."""


@dataclass(frozen=True)
class YearEnd:
    """A column: the period that stands at ``day``, and what the column is called."""

    label: str
    period: str
    day: date


def year_ends(run: Run) -> list[YearEnd]:
    """Return the year ends within the horizon, and its last day if that is another; at most 8."""
    return ends_within(run.prepared.scenario.periods)


def ends_within(periods: Periods) -> list[YearEnd]:
    """Return the same of the periods of a scenario."""
    starts = period_starts(periods)
    last_day = starts[-1] - timedelta(days=1)
    out = []
    for year in range(starts[0].year, last_day.year + 1):
        day = min(date(year, 12, 31), last_day)
        label = str(year) if (day.month, day.day) == (12, 31) else f"{day:%Y-%m}"
        standing = max(p for p in starts[:-1] if p <= day)
        out.append(YearEnd(label, standing.isoformat(), day))
    return spread(out)


def spread(items: list[T]) -> list[T]:
    """Return at most 8 of ``items``, the first and the last among them, evenly spread."""
    if len(items) <= MOST:
        return items
    step = (len(items) - 1) / (MOST - 1)
    return [items[round(i * step)] for i in range(MOST)]
