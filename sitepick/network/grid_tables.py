"""Reads a grid from its tables (see ``data/README.md`` for the columns) and reports every fault."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from sitepick.errors import LayerError
from sitepick.network.grid import FloatArray, Grid, IntArray

_TEXT = {
    "buses": ("bus_id", "poi_id"),
    "branches": ("branch_id", "from_bus", "to_bus", "device"),
    "plants": ("plant_id", "bus_id"),
}
_NUMBERS = {
    "buses": ("base_kv", "load_mw"),
    "branches": ("x_pu", "rating_mva", "tap", "shift_deg", "pf_mw"),
    "plants": ("pmax_mw", "pg_mw", "status"),
}
_MAY_BE_EMPTY = {"pf_mw"}
_MAX_SHOWN = 5


def read_grid(folder: Path) -> Grid:
    """Read ``buses``, ``branches`` and ``plants`` of a folder into a `Grid`.

    Raises `LayerError` listing every fault: missing files and columns, text in number columns,
    repeated ids, branches and plants at unknown buses.
    """
    problems: list[str] = []
    tables = {name: _read_table(folder, name, problems) for name in _TEXT}
    if problems:
        raise LayerError(problems)
    buses, branches, plants = tables["buses"], tables["branches"], tables["plants"]
    for name, key in (("buses", "bus_id"), ("branches", "branch_id"), ("plants", "plant_id")):
        repeated = tables[name][key][tables[name][key].duplicated()]
        _report(problems, folder, name, key, "appears more than once", repeated)
    bus_at = {bus: k for k, bus in enumerate(buses["bus_id"])}
    ends = {}
    for column in ("from_bus", "to_bus"):
        ends[column] = _positions(branches[column], bus_at)
        unknown = branches[column][ends[column] < 0]
        _report(problems, folder, "branches", column, "is no bus_id of buses", unknown)
    plant_bus = _positions(plants["bus_id"], bus_at)
    unknown = plants["bus_id"][plant_bus < 0]
    _report(problems, folder, "plants", "bus_id", "is no bus_id of buses", unknown)
    negative = branches["rating_mva"][branches["rating_mva"] < 0]
    _report(problems, folder, "branches", "rating_mva", "is negative", negative)
    loops = branches["branch_id"][ends["from_bus"] == ends["to_bus"]]
    _report(problems, folder, "branches", "branch_id", "joins a bus to itself", loops)
    if problems:
        raise LayerError(problems)

    running = (plants["status"] != 0).to_numpy()
    n = len(buses)

    def at_buses(column: str) -> FloatArray:
        weights = plants[column].to_numpy(dtype=float)[running]
        return np.bincount(plant_bus[running], weights=weights, minlength=n).astype(float)

    rating = branches["rating_mva"].to_numpy(dtype=float)
    tap = branches["tap"].to_numpy(dtype=float)
    poi_ids, poi_bus = _poi_buses(buses)
    return Grid(
        bus_ids=tuple(buses["bus_id"]),
        bus_kv=buses["base_kv"].to_numpy(dtype=float),
        load_mw=buses["load_mw"].to_numpy(dtype=float),
        gen_mw=at_buses("pg_mw"),
        pmax_mw=at_buses("pmax_mw"),
        branch_ids=tuple(branches["branch_id"]),
        from_bus=ends["from_bus"],
        to_bus=ends["to_bus"],
        x_pu=branches["x_pu"].to_numpy(dtype=float),
        tap=np.where(tap == 0, 1.0, tap),
        shift_rad=np.deg2rad(branches["shift_deg"].to_numpy(dtype=float)),
        rating_mw=np.where(rating == 0, np.inf, rating),
        is_line=(branches["device"] == "line").to_numpy(dtype=bool),
        stored_mw=branches["pf_mw"].to_numpy(dtype=float),
        poi_ids=poi_ids,
        poi_bus=poi_bus,
    )


def _read_table(folder: Path, name: str, problems: list[str]) -> pd.DataFrame:
    for suffix in (".csv", ".csv.gz"):
        path = folder / f"{name}{suffix}"
        if path.is_file():
            break
    else:
        problems.append(f"{folder}: {name}.csv or {name}.csv.gz is missing; add the table")
        return pd.DataFrame()
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
    except (OSError, EOFError, ValueError) as fault:
        problems.append(f"{path}: cannot be read as CSV ({fault}); export it again")
        return pd.DataFrame()
    wanted = _TEXT[name] + _NUMBERS[name]
    missing = [column for column in wanted if column not in table.columns]
    if missing:
        problems.append(f"{path}:1: missing column {', '.join(missing)}; add it")
        return pd.DataFrame()
    for column in _NUMBERS[name]:
        numbers = pd.to_numeric(table[column], errors="coerce")
        bad = ~np.isfinite(numbers.to_numpy(dtype=float))
        if column in _MAY_BE_EMPTY:
            bad &= (table[column] != "").to_numpy()
        for row in np.flatnonzero(bad)[:_MAX_SHOWN]:
            problems.append(f"{path}:{row + 2}: {column} is {table[column][row]!r}; give a number")
        table[column] = numbers
    return table


def _positions(ids: pd.Series, known: dict[str, int]) -> IntArray:
    return np.array([known.get(item, -1) for item in ids], dtype=np.int64)


def _report(
    problems: list[str], folder: Path, table: str, column: str, what: str, values: pd.Series
) -> None:
    for row, value in list(values.items())[:_MAX_SHOWN]:
        line = int(str(row)) + 2
        problems.append(f"{folder / table}.csv:{line}: {column} {value!r} {what}; correct the row")
    if len(values) > _MAX_SHOWN:
        problems.append(f"{folder / table}.csv: {column} {what} in {len(values)} rows in all")


def _poi_buses(buses: pd.DataFrame) -> tuple[tuple[str, ...], IntArray]:
    """The bus that stands for each substation: highest kV, then first in the table."""
    at_poi = buses[buses["poi_id"] != ""]
    best = at_poi.sort_values(["poi_id", "base_kv"], ascending=[True, False], kind="stable")
    first = best.drop_duplicates("poi_id")
    return tuple(first["poi_id"]), first.index.to_numpy(dtype=np.int64)
