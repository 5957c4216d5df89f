"""Levers that move many inputs at once, for scenarios with too many to move one by one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from functools import partial
from typing import Any

import pandas as pd

from sitepick.diagnose.lever import Lever, amount, dated
from sitepick.diagnose.levers import workload_path
from sitepick.diagnose.world import World
from sitepick.instance.timeline import Timeline, add_months

FAR_PCT = 10_000.0
"""A hundred times what is stated."""
EARLIER = (3.0, 6.0, 9.0, 12.0, 18.0, 24.0, 36.0, 48.0, 60.0, 84.0, 120.0)
"""Months by which all dates are tried earlier."""


def overall_levers(world: World, time: Timeline) -> list[Lever]:
    """Return the levers that scale or move all inputs of one kind together."""
    found = [
        *_headroom(world), *_budget(world), *_supply(world), *_land(world), *_ties(world),
        *_demand(world, time),
    ]  # fmt: skip
    return [lever for lever in found if lever is not None]


def _percent(family: str, key: str, lift: Any, far: float = FAR_PCT) -> Lever:
    return amount(family, key, "%", 100.0, far, lift)


def _scaled(world: World, table: str, column: str, x: float) -> World:
    values = getattr(world.candidates, table)[column]
    return world.column(table, column, [v if pd.isna(v) else v * x / 100 for v in values])


def _headroom(world: World) -> Iterator[Lever]:
    if world.scenario.power.model != "grid":
        return
    tables = world.candidates

    def more(w: World, x: float) -> World:
        return _scaled(_scaled(w, "offers", "mw_total", x), "pois", "headroom_mw", x)

    if len(tables.pois):
        yield _percent("headroom", "MW of all letters and substations", more)
    if not tables.offers["from_date"].notna().any() and not tables.pois["from_date"].notna().any():
        return
    as_of = world.scenario.as_of

    def sooner(w: World, x: float) -> World:
        for table in ("offers", "pois"):
            days = getattr(w.candidates, table)["from_date"]
            moved = [_earlier(d, int(x), as_of) for d in days]
            w = w.column(table, "from_date", moved)
        return w

    yield Lever(
        "dates", "from_date of all letters and substations, earlier by", "months", 0.0,
        EARLIER[-1], sooner, 12.0, EARLIER,
    )  # fmt: skip


def _earlier(day: date | None, months: int, as_of: date) -> date | None:
    if pd.isna(day):
        return None
    return max(add_months(day, -months), min(as_of, day))


def _budget(world: World) -> Iterator[Lever]:
    stated = world.scenario.budget_musd
    if stated is not None and len(stated) > 1 and any(stated.values()):
        yield _percent(
            "budget", "budget_musd, all years",
            lambda w, x: w.put(("budget_musd",), {y: v * x / 100 for y, v in stated.items()}),
        )  # fmt: skip


def _supply(world: World) -> Iterator[Lever]:
    for name, item in world.scenario.procurement.items():
        if len(item.cap) < 2 or not any(item.cap.values()):
            continue
        path = ("procurement", name, "cap")

        def lift(w: World, x: float, path: Any = path, cap: Any = item.cap) -> World:
            return w.put(path, {y: v * x / 100 for y, v in cap.items()})

        yield _percent("supply", f"{'.'.join(path)}, all years", lift)


def _land(world: World) -> Iterator[Lever]:
    sites = world.candidates.sites
    ours = sites["status"] == "candidate"
    area = world.scenario.candidates.area_ha
    areas = sites.loc[ours, "usable_ha"]
    if not areas.notna().any():
        return
    layers = world.scenario.layers
    rule = not layers.parcels and not layers.sites and area > 0

    def lift(w: World, x: float) -> World:
        share = x / area if rule else x / 100
        values = w.candidates.sites["usable_ha"]
        return w.column(
            "sites", "usable_ha",
            [v if pd.isna(v) or not mine else v * share
             for v, mine in zip(values, ours, strict=True)],
        )  # fmt: skip

    if rule:
        yield amount("land", "candidates.area_ha", "ha", area, 100 * area, lift)
    else:
        yield _percent("land", "usable area of all candidates", lift)


def _ties(world: World) -> Iterator[Lever]:
    if world.scenario.power.model == "grid" and world.candidates.ties["cap_mw"].notna().any():
        yield _percent(
            "ties", "size of all ties (power.tie_mw_by_kv)",
            lambda w, x: _scaled(w, "ties", "cap_mw", x),
        )  # fmt: skip


def _demand(world: World, time: Timeline) -> Iterator[Lever | None]:
    asked = {
        name: dict(workload.ref_mw)
        for name, workload in world.scenario.demand.named().items()
        if workload.must_serve and workload.ref_mw is not None
    }

    def less(w: World, x: float, names: tuple[str, ...]) -> World:
        for name in names:
            path = (*workload_path(w, name), _key(w, name))
            w = w.put(path, {d: mw * x / 100 for d, mw in asked[name].items()})
        return w

    def later(w: World, day: date, names: tuple[str, ...]) -> World:
        for name in names:
            path = (*workload_path(w, name), _key(w, name))
            w = w.put(path, _since(asked[name], day))
        return w

    groups = [(name,) for name in asked] + ([tuple(asked)] if len(asked) > 1 else [])
    for names in groups:
        first = min(
            (d for name in names for d, mw in asked[name].items() if mw > 0), default=None
        )  # fmt: skip
        if first is None:
            continue
        who = "all must-serve demand" if len(names) > 1 else ".".join(
            (*workload_path(world, names[0]), _key(world, names[0]))
        )  # fmt: skip
        yield amount(
            "demand", f"{who}, all dates", "%", 100.0, 0.0,
            partial(less, names=names), *names,
        )  # fmt: skip
        yield dated(
            "demand", f"{who}, begins", max(first, time.starts[0]),
            [d for d in time.starts[:-1] if d > first],
            partial(later, names=names), world.scenario.as_of, *names,
        )  # fmt: skip


def _key(world: World, name: str) -> str:
    return "ref_mw" if world.scenario.demand.workloads else "it_mw"


def _since(series: dict[date, float], day: date) -> dict[date, float]:
    """Return the series with nothing before ``day`` and what stands then from it on."""
    before = [mw for d, mw in sorted(series.items()) if d <= day]
    kept = {d: mw for d, mw in series.items() if d > day}
    return {min(series): 0.0, day: before[-1] if before else 0.0, **kept}
