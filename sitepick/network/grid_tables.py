"""Reads a grid from its tables (see ``data/README.md`` for the columns) and reports every fault."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

from sitepick import bundled
from sitepick.errors import LayerError
from sitepick.network.types import DcTies, FloatArray, Grid, IntArray, Plants

# Columns of each table with what stands for a missing column; None = the column is needed.
_TEXT: dict[str, dict[str, str | None]] = {
    "buses": {"bus_id": None, "poi_id": "", "zone": ""},
    "branches": {"branch_id": None, "from_bus": None, "to_bus": None, "device": None},
    "plants": {"plant_id": None, "bus_id": None, "fuel": "", "from_date": "", "to_date": ""},
    "dclines": {"dcline_id": None, "from_bus": None, "to_bus": None},
}
_NUMBERS: dict[str, dict[str, float | None]] = {
    "buses": {"base_kv": None, "load_mw": None},
    "branches": {"x_pu": None, "rating_mva": None, "tap": 1.0, "shift_deg": 0.0, "pf_mw": np.nan},
    "plants": {
        **{"pmax_mw": None, "pg_mw": None, "pmin_mw": 0.0, "status": 1.0},
        **{"cost_usd_h": 0.0, "cost_usd_mwh": 0.0, "cost_usd_mw2h": 0.0},
    },
    "dclines": {"pmin_mw": None, "pmax_mw": None, "scheduled_mw": 0.0, "status": 1.0},
}
_PLANT_NUMBERS = ("pmax_mw", "pmin_mw", "pg_mw", "cost_usd_h", "cost_usd_mwh", "cost_usd_mw2h")
_KEYS = {
    "buses": "bus_id",
    "branches": "branch_id",
    "plants": "plant_id",
    "dclines": "dcline_id",
}
_OPTIONAL_TABLES = {"dclines"}
_MAY_BE_EMPTY = {"pf_mw"}
_MAX_SHOWN = 5


def read_grid(folder: Path) -> Grid:
    """Read the tables of a folder into a `Grid`.

    Raises `LayerError` listing every fault: missing files and columns, text in number columns,
    repeated ids, branches, plants and ties at unknown buses.
    """
    problems: list[str] = []
    tables = {name: _read_table(folder, name, problems) for name in _TEXT}
    if problems:
        raise LayerError(problems)
    buses, branches, plants = tables["buses"], tables["branches"], tables["plants"]
    dclines = tables["dclines"]
    for name, key in _KEYS.items():
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
    dates = {name: _dates(folder, plants[name], problems) for name in ("from_date", "to_date")}
    ties = _ties(folder, dclines, bus_at, problems)
    if problems:
        raise LayerError(problems)

    running = (plants["status"] > 0).to_numpy()
    n = len(buses)

    def at_buses(column: str) -> FloatArray:
        weights = plants[column].to_numpy(dtype=float)[running]
        return np.bincount(plant_bus[running], weights=weights, minlength=n).astype(float)

    rating = branches["rating_mva"].to_numpy(dtype=float)
    tap = branches["tap"].to_numpy(dtype=float)
    poi_ids, poi_bus = _poi_buses(buses)
    poi_at = {poi: k for k, poi in enumerate(poi_ids)}
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
        plants=Plants(
            ids=tuple(plants["plant_id"]),
            bus=plant_bus,
            fuel=tuple(fuel.strip().lower() for fuel in plants["fuel"]),
            **{name: plants[name].to_numpy(dtype=float) for name in _PLANT_NUMBERS},
            in_service=running,
            from_date=dates["from_date"],
            to_date=dates["to_date"],
        ),
        dc_ties=ties,
        zone=tuple(buses["zone"]),
        poi_of_bus=_positions(buses["poi_id"], poi_at),
        synthetic=folder.resolve().is_relative_to(bundled.data_dir().resolve()),
    )


def _ties(
    folder: Path, dclines: pd.DataFrame, bus_at: dict[str, int], problems: list[str]
) -> DcTies:
    """The lines in service that touch the grid, seen from the end that is in it."""
    start = _positions(dclines["from_bus"], bus_at)
    end = _positions(dclines["to_bus"], bus_at)
    lost = dclines["dcline_id"][(start < 0) & (end < 0)]
    _report(problems, folder, "dclines", "dcline_id", "has neither end at a bus of buses", lost)
    running = (dclines["status"] > 0).to_numpy()
    pmin, pmax, scheduled = (
        dclines[name].to_numpy(dtype=float)[running]
        for name in ("pmin_mw", "pmax_mw", "scheduled_mw")
    )
    start, end = start[running], end[running]
    # The table counts MW from its from_bus to its to_bus, which is an import at the latter.
    arrives = end >= 0
    return DcTies(
        ids=tuple(dclines["dcline_id"].to_numpy()[running]),
        bus=np.where(arrives, end, start),
        other_bus=np.where(arrives, start, end),
        pmin_mw=np.where(arrives, pmin, -pmax),
        pmax_mw=np.where(arrives, pmax, -pmin),
        scheduled_mw=np.where(arrives, scheduled, -scheduled),
    )


def _dates(folder: Path, texts: pd.Series, problems: list[str]) -> tuple[date | None, ...]:
    found: list[date | None] = []
    wrong: list[int] = []
    for row, text in enumerate(texts):
        try:
            found.append(date.fromisoformat(text.strip()) if text.strip() else None)
        except ValueError:
            found.append(None)
            wrong.append(row)
    what = "is no date; write it as 2028-06-01"
    _report(problems, folder, "plants", str(texts.name), what, texts.iloc[wrong])
    return tuple(found)


def _read_table(folder: Path, name: str, problems: list[str]) -> pd.DataFrame:
    for suffix in (".csv", ".csv.gz"):
        path = folder / f"{name}{suffix}"
        if path.is_file():
            break
    else:
        if name not in _OPTIONAL_TABLES:
            problems.append(f"{folder}: {name}.csv or {name}.csv.gz is missing; add the table")
            return pd.DataFrame()
        empty = pd.DataFrame(columns=[*_TEXT[name], *_NUMBERS[name]])
        return empty.astype(dict.fromkeys(_NUMBERS[name], float))
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
    except (OSError, EOFError, ValueError) as fault:
        problems.append(f"{path}: cannot be read as CSV ({fault}); export it again")
        return pd.DataFrame()
    defaults = {**_TEXT[name], **_NUMBERS[name]}
    missing = [column for column in defaults if column not in table.columns]
    needed = [column for column in missing if defaults[column] is None]
    if needed:
        problems.append(f"{path}:1: missing column {', '.join(needed)}; add it")
        return pd.DataFrame()
    for column in missing:
        table[column] = defaults[column]
    for column in _NUMBERS[name]:
        if column in missing:
            continue
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
