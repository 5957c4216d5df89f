"""Planned units and retirements: a table of plants with dates, added to a grid."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

from sitepick.errors import LayerError
from sitepick.network.sheet import Sheet, TextArray
from sitepick.network.types import Grid, IntArray, Plants

_COSTS = ("cost_usd_h", "cost_usd_mwh", "cost_usd_mw2h")


def with_units(grid: Grid, table_path: str | Path) -> Grid:
    """The grid with the units of a CSV table: plant_id, bus_id or poi_id, fuel, pmax_mw, dates.

    A ``plant_id`` that the grid has gets the ``from_date`` and ``to_date`` of its row, and nothing
    else of it changes. Any other is a new unit at its bus, or at the highest voltage of its POI,
    with ``pmax_mw``, and if given ``fuel``, ``pmin_mw``, ``cost_usd_h``, ``cost_usd_mwh`` and
    ``cost_usd_mw2h``. A new unit has no stored dispatch; without a ``from_date`` it counts into
    ``Grid.pmax_mw`` at once.
    Raises `LayerError` with every fault: unknown bus or POI, an id given twice, dates that end
    before they begin, another capacity for a plant that exists.
    """
    problems: list[str] = []
    sheet = Sheet(Path(table_path), problems)
    if problems:
        raise LayerError(problems)
    ids = sheet.text("plant_id")
    starts, ends = sheet.dates("from_date"), sheet.dates("to_date")
    sizes = sheet.number("pmax_mw", default=np.nan, empty=np.nan)
    if problems:
        raise LayerError(problems)
    index = {plant: k for k, plant in enumerate(grid.plants.ids)}
    known = np.array([index.get(one, -1) for one in ids], dtype=np.int64)
    repeated = np.flatnonzero(pd.Series(ids).duplicated())
    sheet.refuse(
        repeated.tolist(), lambda row: f"plant_id {ids[row]!r} appears more than once; keep one"
    )
    blank = [row for row, one in enumerate(ids) if not one]
    sheet.refuse(blank, lambda row: "plant_id is empty; give each unit an id")
    _refuse_dates(sheet, ids, starts, ends)
    stated = grid.plants.pmax_mw
    old, new = np.flatnonzero(known >= 0), np.flatnonzero(known < 0)
    other = np.abs(sizes[old] - stated[known[old]]) > 1e-6  # False where no size is given
    sheet.refuse(
        old[other].tolist(),
        lambda row: (
            f"plant {ids[row]!r} exists with {stated[known[row]]:g} MW, not {sizes[row]:g}: only "
            "its dates are taken; write an uprate as a unit of its own"
        ),
    )
    bus = _buses(grid, sheet, new)
    nothing = new[~((sizes[new] > 0) & np.isfinite(sizes[new]))]
    sheet.refuse(nothing.tolist(), lambda row: f"new unit {ids[row]!r} has no pmax_mw; give its MW")
    added = _added(sheet, ids, bus, sizes, starts, ends, new)
    bad = np.flatnonzero(added.pmin_mw > added.pmax_mw)
    sheet.refuse(new[bad].tolist(), lambda row: f"pmin_mw of {ids[row]!r} is above its pmax_mw")
    if problems:
        raise LayerError(problems)
    plants = _joined(_dated(grid.plants, known[old], starts[old], ends[old]), added)
    now = np.array([day is None for day in added.from_date], dtype=bool)
    pmax = grid.pmax_mw.copy()
    np.add.at(pmax, added.bus[now], added.pmax_mw[now])
    return replace(grid, plants=plants, pmax_mw=pmax)


def _refuse_dates(sheet: Sheet, ids: TextArray, starts: TextArray, ends: TextArray) -> None:
    wrong = [
        row
        for row, (start, end) in enumerate(zip(starts, ends, strict=True))
        if start is not None and end is not None and start >= end
    ]
    sheet.refuse(
        wrong, lambda row: f"{ids[row]!r} ends on {ends[row]}, not after {starts[row]}; swap them"
    )


def _buses(grid: Grid, sheet: Sheet, new: IntArray) -> IntArray:
    """(rows,) index of the bus of each row; a new unit at none is a fault."""
    bus_at = {bus: k for k, bus in enumerate(grid.bus_ids)}
    bus_id, poi_id = sheet.text("bus_id", default=""), sheet.text("poi_id", default="")
    found = np.full(len(sheet), -1, dtype=np.int64)
    for row in new.tolist():
        if bus_id[row]:
            found[row] = bus_at.get(bus_id[row], -1)
        elif poi_id[row] in grid.poi_index:
            found[row] = grid.poi_bus[grid.poi_index[poi_id[row]]]
    lost = new[found[new] < 0].tolist()

    def say(row: int) -> str:
        if bus_id[row]:
            return f"bus_id {bus_id[row]!r} is no bus of the grid; correct it"
        if poi_id[row]:
            return f"poi_id {poi_id[row]!r} is no POI of the grid; correct it, or give a bus_id"
        return "a new unit needs a bus_id or a poi_id; for one that exists, check its plant_id"

    sheet.refuse(lost, say)
    return found


def _added(
    sheet: Sheet,
    ids: TextArray,
    bus: IntArray,
    sizes: np.ndarray,
    starts: TextArray,
    ends: TextArray,
    new: IntArray,
) -> Plants:
    cost = {name: sheet.number(name, default=0.0, empty=0.0)[new] for name in _COSTS}
    return Plants(
        ids=tuple(ids[new]),
        bus=bus[new],
        fuel=tuple(fuel.lower() for fuel in sheet.text("fuel", default="")[new]),
        pmax_mw=sizes[new],
        pmin_mw=sheet.number("pmin_mw", default=0.0, empty=0.0)[new],
        pg_mw=np.zeros(new.size),
        in_service=np.ones(new.size, dtype=bool),
        from_date=tuple(starts[new]),
        to_date=tuple(ends[new]),
        **cost,
    )


def _dated(plants: Plants, at: IntArray, starts: TextArray, ends: TextArray) -> Plants:
    """The plants with the dates of those at positions ``at``."""
    first: list[date | None] = list(plants.from_date)
    last: list[date | None] = list(plants.to_date)
    for k, start, end in zip(at.tolist(), starts, ends, strict=True):
        first[k], last[k] = start, end
    return replace(plants, from_date=tuple(first), to_date=tuple(last))


def _joined(one: Plants, two: Plants) -> Plants:
    return Plants(
        ids=one.ids + two.ids,
        bus=np.concatenate([one.bus, two.bus]),
        fuel=one.fuel + two.fuel,
        pmax_mw=np.concatenate([one.pmax_mw, two.pmax_mw]),
        pmin_mw=np.concatenate([one.pmin_mw, two.pmin_mw]),
        pg_mw=np.concatenate([one.pg_mw, two.pg_mw]),
        cost_usd_h=np.concatenate([one.cost_usd_h, two.cost_usd_h]),
        cost_usd_mwh=np.concatenate([one.cost_usd_mwh, two.cost_usd_mwh]),
        cost_usd_mw2h=np.concatenate([one.cost_usd_mw2h, two.cost_usd_mw2h]),
        in_service=np.concatenate([one.in_service, two.in_service]),
        from_date=one.from_date + two.from_date,
        to_date=one.to_date + two.to_date,
    )
