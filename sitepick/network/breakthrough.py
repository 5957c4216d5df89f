"""Reads a grid as Breakthrough Energy and Texas A&M publish it: bus, branch, plant, sub, bus2sub.

Their grids are synthetic by making, and marked so. Columns are MATPOWER's, on 100 MVA.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from sitepick.network.grid_tables import open_table
from sitepick.network.raw import BRANCHES, BUSES, DCLINES, PLANTS, RawGrid, table
from sitepick.network.sheet import Sheet, TextArray, find
from sitepick.network.types import BoolArray

_ISOLATED = 4.0
_LINE = "Line"


def read_breakthrough(folder: Path, interconnect: str | None) -> RawGrid:
    """Read the folder, or the part of it whose column ``interconnect`` says so.

    ``plant``, ``gencost``, ``dcline``, ``sub``, ``bus2sub`` and ``zone`` may be missing: no plants,
    costs, ties; each bus its own point of interconnection; zones by number.
    """
    raw = RawGrid(source=str(folder), synthetic=True)
    bus, branch = open_table(folder, "bus", raw), open_table(folder, "branch", raw)
    plant, dcline = (_open(folder, name, raw) for name in ("plant", "dcline"))
    if bus is None or branch is None:
        return raw
    region = bus.text("interconnect", default="")
    if interconnect is not None and interconnect not in region:
        known = ", ".join(sorted({name for name in region if name})) or "none"
        raw.problems.append(f"{bus.path}: no interconnect {interconnect!r}; there are: {known}")
        return raw
    ids = bus.text("bus_id")
    chosen = np.ones(len(bus), dtype=bool) if interconnect is None else region == interconnect
    raw.outside = frozenset(ids[~chosen].tolist())
    raw.buses = _buses(folder, raw, bus, ids)[chosen].reset_index(drop=True)
    raw.branches = _own(_branches(branch), "from_bus", "to_bus", raw)
    if plant is not None:
        raw.plants = _own(_plants(folder, raw, plant), "bus_id", "bus_id", raw)
    if dcline is not None:
        raw.dclines = _own(_dclines(dcline), "from_bus", "to_bus", raw)
    return raw


def _open(folder: Path, name: str, raw: RawGrid) -> Sheet | None:
    return None if find(folder, name) is None else open_table(folder, name, raw)


def _own(frame: pd.DataFrame, first: str, last: str, raw: RawGrid) -> pd.DataFrame:
    """The rows with an end in the chosen interconnect, or at a bus that no table has."""
    away = frame[first].isin(raw.outside) & frame[last].isin(raw.outside)
    return frame[~away].reset_index(drop=True)


def _buses(folder: Path, raw: RawGrid, bus: Sheet, ids: TextArray) -> pd.DataFrame:
    zone = bus.text("zone_id", default="")
    if (names := _open(folder, "zone", raw)) is not None:
        called = dict(zip(names.text("zone_id"), names.text("zone_name"), strict=True))
        zone = np.array([called.get(number, number) for number in zone], dtype=object)
    poi = ids
    lon = lat = np.full(len(bus), np.nan)
    if (link := _open(folder, "bus2sub", raw)) is not None:
        at = dict(zip(link.text("bus_id"), link.text("sub_id"), strict=True))
        poi = np.array([at.get(one, "") for one in ids], dtype=object)
        if (sub := _open(folder, "sub", raw)) is not None:
            subs = sub.text("sub_id")
            places = zip(sub.number("lon"), sub.number("lat"), strict=True)
            place = dict(zip(subs, places, strict=True))
            found = np.array([place.get(one, (np.nan, np.nan)) for one in poi], dtype=float)
            lon, lat = found.reshape(-1, 2).T
    return table(
        BUSES,
        bus.places,
        bus_id=ids,
        poi_id=poi,
        base_kv=bus.number("baseKV"),
        load_mw=bus.number("Pd", empty=0.0) + bus.number("Gs", default=0.0, empty=0.0),
        zone=zone,
        lon=lon,
        lat=lat,
        in_service=bus.number("type", default=1.0, empty=1.0) != _ISOLATED,
    )


def _on(sheet: Sheet) -> BoolArray:
    return sheet.number("status", default=1.0, empty=1.0) > 0


def _branches(branch: Sheet) -> pd.DataFrame:
    rating = branch.number("rateA", default=np.nan, empty=np.nan, infinite=True)
    return table(
        BRANCHES,
        branch.places,
        branch_id=branch.text("branch_id"),
        from_bus=branch.text("from_bus_id"),
        to_bus=branch.text("to_bus_id"),
        is_line=branch.text("branch_device_type", default=_LINE) == _LINE,
        x_pu=branch.number("x", empty=np.nan),
        rating_mva=np.where(rating == 0, np.inf, rating),
        tap=branch.number("ratio", default=1.0, empty=1.0),
        shift_deg=branch.number("angle", default=0.0, empty=0.0),
        pf_mw=branch.number("Pf", default=np.nan, empty=np.nan),
        in_service=_on(branch),
    )


def _plants(folder: Path, raw: RawGrid, plant: Sheet) -> pd.DataFrame:
    ids = plant.text("plant_id")
    frame = table(
        PLANTS,
        plant.places,
        plant_id=ids,
        bus_id=plant.text("bus_id"),
        fuel=plant.text("type", default=""),
        pmax_mw=plant.number("Pmax"),
        pmin_mw=plant.number("Pmin", default=0.0, empty=0.0),
        pg_mw=plant.number("Pg", default=np.nan, empty=np.nan),
        in_service=_on(plant),
    )
    if (cost := _open(folder, "gencost", raw)) is not None:
        row = dict(zip(cost.text("plant_id"), range(len(cost)), strict=True))
        at = np.array([row.get(one, -1) for one in ids], dtype=np.int64)
        for ours, theirs in (("cost_usd_mw2h", "c2"), ("cost_usd_mwh", "c1"), ("cost_usd_h", "c0")):
            values = np.append(cost.number(theirs), 0.0)
            frame[ours] = values[at]
    return frame


def _dclines(dcline: Sheet) -> pd.DataFrame:
    return table(
        DCLINES,
        dcline.places,
        dcline_id=dcline.text("dcline_id"),
        from_bus=dcline.text("from_bus_id"),
        to_bus=dcline.text("to_bus_id"),
        pmin_mw=dcline.number("Pmin"),
        pmax_mw=dcline.number("Pmax"),
        scheduled_mw=dcline.number("Pf", default=0.0, empty=0.0),
        in_service=_on(dcline),
    )
