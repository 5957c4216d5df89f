"""Reads a grid from our own tables: buses, branches, plants and dclines (`docs/grid.md`)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from sitepick import bundled
from sitepick.network.raw import BRANCHES, BUSES, DCLINES, PLANTS, RawGrid, table
from sitepick.network.sheet import Sheet, TextArray, find


def read_tables(folder: Path) -> RawGrid:
    """Read ``buses``, ``branches``, ``plants`` and, if there, ``dclines`` of a folder."""
    raw = RawGrid(source=str(folder), synthetic=_is_bundled(folder))
    buses = open_table(folder, "buses", raw)
    branches = open_table(folder, "branches", raw)
    plants = open_table(folder, "plants", raw)
    if buses is not None:
        raw.buses = _buses(buses)
    if branches is not None:
        raw.branches = _branches(branches)
    if plants is not None:
        raw.plants = plants_table(plants, plants.text("bus_id"))
    if find(folder, "dclines") is not None:
        dclines = open_table(folder, "dclines", raw)
        if dclines is not None:
            raw.dclines = dclines_table(dclines)
    return raw


def open_table(folder: Path, name: str, raw: RawGrid) -> Sheet | None:
    """A table that has to be there; None, and a fault, if it is not or cannot be read."""
    path = find(folder, name)
    if path is None:
        raw.problems.append(f"{folder}: {name}.csv or {name}.csv.gz is missing; add the table")
        return None
    sheet = Sheet(path, raw.problems)
    return sheet if sheet.readable else None


def _is_bundled(folder: Path) -> bool:
    return folder.resolve().is_relative_to(bundled.data_dir().resolve())


def _buses(sheet: Sheet) -> pd.DataFrame:
    ids = sheet.text("bus_id")
    return table(
        BUSES,
        sheet.places,
        bus_id=ids,
        poi_id=sheet.text("poi_id", default="") if sheet.has("poi_id") else ids,
        base_kv=sheet.number("base_kv", "kv"),
        load_mw=sheet.number("load_mw", default=0.0, empty=0.0),
        zone=sheet.text("zone", default=""),
        lon=sheet.number("lon", "longitude", default=np.nan, empty=np.nan),
        lat=sheet.number("lat", "latitude", default=np.nan, empty=np.nan),
    )


def _branches(sheet: Sheet) -> pd.DataFrame:
    rating = sheet.number("rating_mva", default=np.nan, empty=np.nan, infinite=True)
    return table(
        BRANCHES,
        sheet.places,
        branch_id=sheet.text("branch_id"),
        from_bus=sheet.text("from_bus"),
        to_bus=sheet.text("to_bus"),
        is_line=sheet.text("device", default="line") == "line",
        x_pu=sheet.number("x_pu", default=np.nan, empty=np.nan),
        rating_mva=np.where(rating == 0, np.inf, rating),
        tap=sheet.number("tap", default=1.0, empty=1.0),
        shift_deg=sheet.number("shift_deg", default=0.0, empty=0.0),
        pf_mw=sheet.number("pf_mw", default=np.nan, empty=np.nan),
        in_service=sheet.number("status", default=1.0, empty=1.0) > 0,
        km=sheet.number("km", default=np.nan, empty=np.nan),
    )


def plants_table(sheet: Sheet, bus_id: TextArray) -> pd.DataFrame:
    """The generating units of a table with our columns, each at the bus given for it."""
    return table(
        PLANTS,
        sheet.places,
        plant_id=sheet.text("plant_id"),
        bus_id=bus_id,
        fuel=sheet.text("fuel", default=""),
        pmax_mw=sheet.number("pmax_mw"),
        pmin_mw=sheet.number("pmin_mw", default=0.0, empty=0.0),
        pg_mw=sheet.number("pg_mw", default=np.nan, empty=np.nan),
        in_service=sheet.number("status", default=1.0, empty=1.0) > 0,
        cost_usd_h=sheet.number("cost_usd_h", default=0.0, empty=0.0),
        cost_usd_mwh=sheet.number("cost_usd_mwh", default=0.0, empty=0.0),
        cost_usd_mw2h=sheet.number("cost_usd_mw2h", default=0.0, empty=0.0),
        from_date=sheet.dates("from_date"),
        to_date=sheet.dates("to_date"),
    )


def dclines_table(sheet: Sheet) -> pd.DataFrame:
    """The direct-current lines of a table with our columns."""
    return table(
        DCLINES,
        sheet.places,
        dcline_id=sheet.text("dcline_id"),
        from_bus=sheet.text("from_bus"),
        to_bus=sheet.text("to_bus"),
        pmin_mw=sheet.number("pmin_mw"),
        pmax_mw=sheet.number("pmax_mw"),
        scheduled_mw=sheet.number("scheduled_mw", default=0.0, empty=0.0),
        in_service=sheet.number("status", default=1.0, empty=1.0) > 0,
    )
