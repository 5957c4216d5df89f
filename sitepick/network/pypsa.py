"""Reads a PyPSA network as exported to a folder of CSV files (``export_to_csv_folder``).

Lines are in ohm and MVA, transformers in per unit of their own rating. One moment is read: time
series of loads count at the snapshot that is chosen, which by default is the peak of all loads.
Buses of other carriers (gas, heat, hydrogen) are left out with all that is at them.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from sitepick.network.grid_tables import open_table
from sitepick.network.raw import BRANCHES, BUSES, DCLINES, PLANTS, RawGrid, table
from sitepick.network.sheet import Sheet, TextArray, find
from sitepick.network.types import BASE_MVA, MIN_KV, BoolArray, FloatArray

_ELECTRIC = {"", "ac", "dc"}
_ID = ("name", "Unnamed: 0", "column 1", "Bus", "Line", "Generator", "Load", "Link", "id")


def read_pypsa(folder: Path, snapshot: str | None) -> RawGrid:
    """Read buses, lines, transformers, generators, storage_units, loads, links, line_types."""
    raw = RawGrid(source=str(folder))
    buses = open_table(folder, "buses", raw)
    if buses is None:
        return raw
    ids = buses.text(*_ID)
    carrier = np.array([one.lower() for one in buses.text("carrier", default="")], dtype=object)
    kept = np.array([one in _ELECTRIC for one in carrier], dtype=bool)
    if not kept.all():
        others = ", ".join(sorted(set(carrier[~kept]))[:5])
        text = f"{int((~kept).sum())} buses of other carriers were left out ({others})"
        raw.remarks.append(("grid_other_carriers", text, int((~kept).sum())))
    away = set(ids[~kept])
    kv = dict(zip(ids, buses.number("v_nom", default=0.0, empty=0.0), strict=True))
    load, at = _loads(folder, raw, set(ids), snapshot)
    raw.buses = table(
        BUSES,
        buses.places,
        bus_id=ids,
        poi_id=ids,
        base_kv=[kv[one] for one in ids],
        load_mw=[load.get(one, 0.0) for one in ids],
        zone=buses.text("country", "sub_network", default=""),
        lon=buses.number("x", default=np.nan, empty=np.nan),
        lat=buses.number("y", default=np.nan, empty=np.nan),
    )[kept].reset_index(drop=True)
    dc = set(ids[carrier == "dc"])
    parts = []
    if (lines := _open(folder, "lines", raw)) is not None:
        parts.append(_lines(folder, raw, lines, kv, dc))
    if (transformers := _open(folder, "transformers", raw)) is not None:
        parts.append(_transformers(transformers))
    if parts:
        raw.branches = _without(pd.concat(parts, ignore_index=True), away, "from_bus", "to_bus")
    parts = []
    for name in ("generators", "storage_units"):
        if (units := _open(folder, name, raw)) is not None:
            parts.append(_plants(folder, raw, units, name, at))
    if parts:
        raw.plants = _without(pd.concat(parts, ignore_index=True), away, "bus_id")
    if (links := _open(folder, "links", raw)) is not None:
        raw.dclines = _links(raw, links, away)
    return raw


def _open(folder: Path, name: str, raw: RawGrid) -> Sheet | None:
    return None if find(folder, name) is None else open_table(folder, name, raw)


def _without(frame: pd.DataFrame, away: set[str], *columns: str) -> pd.DataFrame:
    gone = frame[list(columns)].isin(away).any(axis=1)
    return frame[~gone].reset_index(drop=True)


def _active(sheet: Sheet) -> BoolArray:
    return sheet.flag("active", default=True)


def _loads(
    folder: Path, raw: RawGrid, known: set[str], snapshot: str | None
) -> tuple[dict[str, float], int | None]:
    """MW of load by bus, and the row of the snapshot in the series, None without series."""
    loads = _open(folder, "loads", raw)
    if loads is None:
        raw.remarks.append(("grid_no_load", "the folder has no loads.csv: no load at all", 0))
        return {}, None
    ids, bus = loads.text(*_ID), loads.text("bus")
    strangers = [k for k, one in enumerate(bus) if one not in known]
    loads.refuse(
        strangers, lambda row: f"bus {bus[row]!r} of {ids[row]} is no bus of buses; correct it"
    )
    mw = loads.number("p_set", default=0.0, empty=0.0)
    series = _series(folder, raw, "loads-p_set", ids)
    at: int | None = None
    if series is not None and len(series):
        moving = np.array([one in series.columns for one in ids], dtype=bool)
        at = _snapshot(folder, raw, series, snapshot)
        mw[moving] = series[ids[moving].tolist()].to_numpy()[at]
        chosen = "as asked" if snapshot else "the peak"
        text = f"loads are those of {series.index[at]}, {chosen} of {len(series)} snapshots"
        raw.remarks.append(("grid_snapshot", text, len(series)))
    elif snapshot is not None:
        raw.problems.append(f"{folder}: no loads-p_set.csv, so no snapshot {snapshot!r}; leave it")
    # PyPSA counts loads with sign -1: what they take counts as load here.
    mw = -loads.number("sign", default=-1.0, empty=-1.0) * mw * _active(loads)
    totals = pd.Series(mw).groupby(bus).sum()
    return {str(one): float(much) for one, much in totals.items()}, at


def _series(folder: Path, raw: RawGrid, name: str, ids: TextArray) -> pd.DataFrame | None:
    """A table of snapshots by element: columns of ``ids`` only, the moments as index.

    Newer exports number the rows and keep the moments in ``snapshots``.
    """
    sheet = _open(folder, name, raw)
    if sheet is None:
        return None
    stamps = sheet.text("snapshot", "name", *sheet.frame.columns[:1])
    moments = _open(folder, "snapshots", raw)
    if moments is not None and len(moments) == len(sheet):
        stamps = moments.text("snapshot", "name", *moments.frame.columns[:1])
    data = {one: sheet.number(one) for one in ids if sheet.has(one)}
    return pd.DataFrame(data, index=pd.Index(stamps, dtype=object))


def _snapshot(folder: Path, raw: RawGrid, series: pd.DataFrame, asked: str | None) -> int:
    """Row of the snapshot asked for, else of the highest total."""
    if asked is None:
        return int(series.sum(axis=1).to_numpy().argmax())
    found = np.flatnonzero(series.index == asked)
    if not found.size:
        raw.problems.append(
            f"{folder}: no snapshot {asked!r} in loads-p_set.csv; they run from "
            f"{series.index[0]} to {series.index[-1]}"
        )
        return 0
    return int(found[0])


def _lines(
    folder: Path, raw: RawGrid, lines: Sheet, kv: dict[str, float], dc: set[str]
) -> pd.DataFrame:
    start, end = lines.text("bus0"), lines.text("bus1")
    ids = lines.text(*_ID)
    level = np.array([kv.get(one, 0.0) for one in start], dtype=float)
    ohm = lines.number("x", default=0.0, empty=0.0)
    direct = np.array([one in dc for one in start], dtype=bool)
    ohm = np.where(direct, lines.number("r", default=0.0, empty=0.0), ohm)
    rating = lines.number("s_nom", default=0.0, empty=0.0, infinite=True)
    length = lines.number("length", default=0.0, empty=0.0)
    circuits = lines.number("num_parallel", default=1.0, empty=1.0)
    kind = lines.text("type", default="")
    x_type, i_type = _line_types(folder, raw, kind)
    circuits = np.where(circuits > 0, circuits, 1.0)
    ohm = np.where(np.isfinite(x_type), x_type * length / circuits, ohm)
    by_type = np.sqrt(3.0) * level * i_type * circuits
    rating = np.where((rating == 0) & np.isfinite(by_type), by_type, rating)
    share = lines.number("s_max_pu", default=1.0, empty=1.0)
    if (share != 1).any():
        count = int((share != 1).sum())
        text = f"s_max_pu of {count} lines is a margin for outages; here s_nom is the rating"
        raw.remarks.append(("grid_s_max_pu", text, count))
    known = (ohm != 0) & (level >= MIN_KV)
    return table(
        BRANCHES,
        lines.places,
        branch_id=ids,
        from_bus=start,
        to_bus=end,
        x_pu=np.where(known, ohm * BASE_MVA / np.where(known, level, 1.0) ** 2, np.nan),
        rating_mva=np.where(rating == 0, np.nan, rating),
        in_service=_active(lines),
        km=np.where(length > 0, length, np.nan),
    )


def _line_types(folder: Path, raw: RawGrid, kind: TextArray) -> tuple[FloatArray, FloatArray]:
    """(lines,) ohm per km and kA of the type of each line, NaN where it has none that is known."""
    x = dict.fromkeys(kind.tolist(), np.nan)
    amperes = dict(x)
    types = _open(folder, "line_types", raw) if any(kind) else None
    if types is not None:
        names = types.text(*_ID)
        x.update(zip(names, types.number("x_per_length"), strict=True))
        amperes.update(zip(names, types.number("i_nom"), strict=True))
    return (
        np.array([x[one] for one in kind], dtype=float),
        np.array([amperes[one] for one in kind], dtype=float),
    )


def _transformers(sheet: Sheet) -> pd.DataFrame:
    rating = sheet.number("s_nom", default=0.0, empty=0.0, infinite=True)
    x = sheet.number("x", default=0.0, empty=0.0)
    per_unit = x * BASE_MVA / np.where(rating > 0, rating, np.nan)
    return table(
        BRANCHES,
        sheet.places,
        branch_id=sheet.text(*_ID),
        from_bus=sheet.text("bus0"),
        to_bus=sheet.text("bus1"),
        is_line=np.zeros(len(sheet), dtype=bool),
        x_pu=np.where(x == 0, np.nan, per_unit),
        rating_mva=np.where(rating == 0, np.nan, rating),
        tap=sheet.number("tap_ratio", default=1.0, empty=1.0),
        shift_deg=sheet.number("phase_shift", default=0.0, empty=0.0),
        in_service=_active(sheet),
    )


def _plants(folder: Path, raw: RawGrid, sheet: Sheet, name: str, at: int | None) -> pd.DataFrame:
    """Generators as they are, storage at what it can feed in; ``at`` is the row of the snapshot."""
    ids = sheet.text(*_ID)
    storage = name == "storage_units"
    nominal = sheet.number("p_nom", default=0.0, empty=0.0)
    low = np.zeros(len(sheet)) if storage else sheet.number("p_min_pu", default=0.0, empty=0.0)
    pg = sheet.number("p_set", default=np.nan, empty=np.nan)
    for file in (f"{name}-p_set", f"{name}-p"):  # what was solved for counts most
        series = None if at is None else _series(folder, raw, file, ids)
        if series is not None and at is not None and at < len(series):
            moving = np.array([one in series.columns for one in ids], dtype=bool)
            pg[moving] = series[ids[moving].tolist()].to_numpy()[at]
    return table(
        PLANTS,
        sheet.places,
        plant_id=ids,
        bus_id=sheet.text("bus"),
        fuel=sheet.text("carrier", default=""),
        pmax_mw=nominal * sheet.number("p_max_pu", default=1.0, empty=1.0),
        pmin_mw=nominal * low,
        pg_mw=pg,
        in_service=_active(sheet),
        cost_usd_mwh=sheet.number("marginal_cost", default=0.0, empty=0.0),
        cost_usd_mw2h=sheet.number("marginal_cost_quadratic", default=0.0, empty=0.0),
    )


def _links(raw: RawGrid, sheet: Sheet, away: set[str]) -> pd.DataFrame:
    start, end = sheet.text("bus0"), sheet.text("bus1")
    kept = np.array([{a, b}.isdisjoint(away) for a, b in zip(start, end, strict=True)], dtype=bool)
    lossy = (sheet.number("efficiency", default=1.0, empty=1.0) != 1) & kept
    if lossy.any():
        text = f"{lossy.sum()} direct-current lines state losses, which are not modelled"
        raw.remarks.append(("grid_dc_losses", text, int(lossy.sum())))
    nominal = sheet.number("p_nom", default=0.0, empty=0.0)
    return table(
        DCLINES,
        sheet.places,
        dcline_id=sheet.text(*_ID),
        from_bus=start,
        to_bus=end,
        pmin_mw=nominal * sheet.number("p_min_pu", default=0.0, empty=0.0),
        pmax_mw=nominal * sheet.number("p_max_pu", default=1.0, empty=1.0),
        scheduled_mw=sheet.number("p_set", default=0.0, empty=0.0),
        in_service=_active(sheet),
    )[kept].reset_index(drop=True)
