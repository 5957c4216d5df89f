"""A lever: one input that could be other than it is, from its value to as far as makes sense."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sitepick.diagnose.world import World

Lift = Callable[[World, float], World]

FAMILIES: dict[str, str] = {
    "headroom": "grid MW at POIs",
    "shared": "limits that POIs share",
    "dates": "dates of MW",
    "ties": "size of ties",
    "grid": "lines of the grid",
    "adequacy": "reserve margins",
    "lead": "lead times",
    "budget": "money by year",
    "supply": "supplies: chips, transformers, labor",
    "campus": "size of campuses",
    "land": "land",
    "sites": "number of sites",
    "required": "required sites",
    "commitments": "commitments",
    "latency": "round-trip times",
    "caps": "caps of regions",
    "presence": "least MW of regions",
    "share": "largest share of a region",
    "entered": "number of regions",
    "moratoria": "moratoria",
    "hardware": "which hardware is allowed",
    "co2": "carbon limits",
    "water": "water limits",
    "cost": "cost limit",
    "permits": "permits of on-site power",
    "fiber": "fiber pairs and waves",
    "swings": "power swings",
    "fix": "what --fix holds",
    "floors": "least IT MW or work of the plan",
    "demand": "must-serve demand",
}
"""Families of levers in planner's words; demand last: asking for less is no answer to many."""


@dataclass(frozen=True)
class Lever:
    """``lift(world, x)`` sets the input to x, between ``now`` and ``far``.

    ``steps``: the only values it can have, nearest first, the last one ``far``; () for any.
    ``scale``: a change of this much counts as 100 %. ``about``: ids that the input names.
    """

    family: str
    key: str
    unit: str
    now: float
    far: float
    lift: Lift
    scale: float
    steps: tuple[float, ...] = ()
    about: tuple[str, ...] = ()
    shown: Callable[[float], str] | None = None

    def text(self, value: float) -> str:
        """Return a value as a planner would write it."""
        if self.shown is not None:
            return self.shown(value)
        return f"{value:,.10g}"


def at(path: Sequence[Any]) -> Lift:
    """Return the lift that sets one value of the scenario."""
    return lambda world, x: world.put(path, x)


def whole(path: Sequence[Any]) -> Lift:
    """Return the lift that sets one whole number of the scenario."""
    return lambda world, x: world.put(path, int(x))


def chosen(path: Sequence[Any], value: Any) -> Lift:
    """Return the lift of a switch: the value where it is lifted, else what is there."""
    return lambda world, x: world.put(path, value) if x else world


def cell(table: str, row: int, column: str) -> Lift:
    """Return the lift that sets one number of a table."""
    return lambda world, x: world.cell(table, row, column, x)


def day_cell(table: str, row: int, column: str) -> Callable[[World, date], World]:
    """Return the lift that sets one date of a table."""
    return lambda world, day: world.cell(table, row, column, day)


def chosen_cell(table: str, row: int, column: str, value: Any) -> Lift:
    """Return the lift of a switch on one cell of a table."""
    return lambda world, x: world.cell(table, row, column, value) if x else world


def amount(
    family: str, key: str, unit: str, now: float, far: float, lift: Lift, *about: str
) -> Lever:
    """Return a lever for a number; a change by its own size counts as 100 %."""
    scale = abs(now) if now else max(1.0, 0.01 * abs(far))
    return Lever(family, key, unit, now, far, lift, scale, about=about)


def switch(family: str, key: str, now: str, then: str, lift: Lift, *about: str) -> Lever:
    """Return a lever that is as it is (0) or lifted (1)."""
    return Lever(
        family, key, "", 0.0, 1.0, lift, 1.0, (1.0,), about, lambda x: then if x >= 1 else now
    )


def dated(
    family: str, key: str, now: date, steps: list[date], lift: Callable[[World, date], World],
    as_of: date, *about: str, never: str = "",
) -> Lever | None:  # fmt: skip
    """Return a lever for a date; None without another date to try. ``never``: text of the last."""
    if not steps:
        return None
    days = tuple(float(d.toordinal()) for d in steps)

    def shown(value: float) -> str:
        return never if never and value == days[-1] else str(date.fromordinal(int(value)))

    return Lever(
        family, key, "", float(now.toordinal()), days[-1],
        lambda world, x: lift(world, date.fromordinal(int(x))),
        max(365.25, float((now - as_of).days)), days, about, shown,
    )  # fmt: skip


def months(
    family: str, key: str, now: float, lift: Lift, *about: str, unit: str = "months"
) -> Lever | None:
    """Return a lever for a lead time in whole months (or years), down to none."""
    first = int(-(-now // 1)) - 1
    steps = tuple(float(m) for m in range(first, -1, -1))
    if not steps:
        return None
    return Lever(family, key, unit, now, 0.0, lift, now, steps, about)
