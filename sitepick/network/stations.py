"""Reads a grid off a map: substations and lines with voltages, most often without x and rating.

A map has one point per substation, whatever its voltages. Each voltage that a line brings becomes a
bus, and a transformer joins it to the next higher one: unlimited, for a map says nothing of it, of
the reactance of a bank as large as the lines of its lower side. Load stands at the lowest voltage
of a substation, plants at the highest.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from sitepick.network.estimate import TRANSFORMER_X
from sitepick.network.grid_tables import dclines_table, open_table, plants_table
from sitepick.network.raw import BRANCHES, BUSES, PLANTS, RawGrid, table
from sitepick.network.sheet import Sheet, TextArray, find
from sitepick.network.types import BASE_MVA, MAX_KV, FloatArray, IntArray

MAX_CIRCUITS = 20
_POI = ("poi_id", "substation_id", "sub_id", "bus_id", "id")


def read_stations(folder: Path) -> RawGrid:
    """Read ``substations``, ``lines`` and, if there, ``plants`` and ``dclines`` of a folder.

    ``circuits`` parallel circuits of a line become so many branches; its figures are per circuit.
    """
    raw = RawGrid(source=str(folder))
    stations, lines = open_table(folder, "substations", raw), open_table(folder, "lines", raw)
    if stations is None or lines is None:
        return raw
    poi = stations.text(*_POI)
    own_kv = stations.number("kv", "kv_max", "base_kv", default=0.0, empty=0.0)
    line_kv = lines.number("kv", "base_kv", "voltage_kv")
    ends = (
        lines.text("from_poi", "from_bus", "from_sub"),
        lines.text("to_poi", "to_bus", "to_sub"),
    )
    known = {one: k for k, one in enumerate(poi)}
    lost: list[tuple[int, str]] = [
        (row, end)
        for row, pair in enumerate(zip(*ends, strict=True))
        for end in pair
        if end not in known
    ]
    cure = "is no substation; correct it or add the substation"
    names = dict(lost)
    lines.refuse(names, lambda row: f"line end {names[row]!r} {cure}")
    odd = np.flatnonzero(~((line_kv >= 1) & (line_kv <= MAX_KV)))
    lines.refuse(odd.tolist(), lambda row: f"a line needs its voltage, 1 to {MAX_KV:g} kV")
    circuits = _circuits(lines)
    if raw.problems:
        return raw
    start, end = (np.array([known[one] for one in side], dtype=np.int64) for side in ends)
    levels = _levels(len(poi), start, end, line_kv, own_kv)
    raw.buses = _buses(stations, poi, levels)
    names_of_bus = raw.buses["bus_id"].to_numpy(dtype=object)
    bus_at = {
        (int(station), float(kv)): name
        for station, kv, name in zip(levels["poi"], levels["kv"], names_of_bus, strict=True)
    }
    raw.branches = pd.concat(
        [
            _lines(lines, start, end, line_kv, circuits, bus_at),
            _transformers(stations, levels, names_of_bus, start, end, line_kv, circuits),
        ],
        ignore_index=True,
    )
    added = len(raw.branches) - int(raw.branches["is_line"].sum())
    if added:
        text = f"{added} transformers were assumed between the voltages of one substation"
        raw.remarks.append(("grid_transformers_assumed", text, added))
    top = ~levels["poi"].duplicated().to_numpy()
    highest = dict(zip(poi[levels["poi"].to_numpy()[top]], names_of_bus[top], strict=True))
    if find(folder, "plants") is not None:
        plants = open_table(folder, "plants", raw)
        if plants is not None:
            at = plants.text(*_POI)
            bus = np.array([highest.get(one, one) for one in at], dtype=object)
            raw.plants = plants_table(plants, bus)
    else:
        raw.plants = table(PLANTS)
    if find(folder, "dclines") is not None:
        dclines = open_table(folder, "dclines", raw)
        if dclines is not None:
            frame = dclines_table(dclines)
            for column in ("from_bus", "to_bus"):
                frame[column] = [highest.get(one, one) for one in frame[column]]
            raw.dclines = frame
    return raw


def _levels(
    count: int, start: IntArray, end: IntArray, line_kv: FloatArray, own_kv: FloatArray
) -> pd.DataFrame:
    """One row per substation and voltage, by substation, the highest voltage first.

    A substation without lines has the voltage it states, or 0.
    """
    served = np.union1d(start, end)
    alone = np.setdiff1d(np.arange(count), served)
    pairs = pd.DataFrame(
        {
            "poi": np.concatenate([start, end, alone]),
            "kv": np.concatenate([line_kv, line_kv, own_kv[alone]]),
        }
    ).drop_duplicates()
    return pairs.sort_values(["poi", "kv"], ascending=[True, False]).reset_index(drop=True)


def _buses(stations: Sheet, poi: TextArray, levels: pd.DataFrame) -> pd.DataFrame:
    at = levels["poi"].to_numpy()
    lowest = ~levels["poi"].duplicated(keep="last").to_numpy()
    load = stations.number("load_mw", default=0.0, empty=0.0)
    places = np.array(stations.places, dtype=object)
    lon = stations.number("lon", "longitude", "x", default=np.nan, empty=np.nan)
    lat = stations.number("lat", "latitude", "y", default=np.nan, empty=np.nan)
    return table(
        BUSES,
        places[at].tolist(),
        bus_id=[f"{poi[k]}@{kv:g}" for k, kv in zip(at, levels["kv"], strict=True)],
        poi_id=poi[at],
        base_kv=levels["kv"],
        load_mw=np.where(lowest, load[at], 0.0),
        zone=stations.text("zone", default="")[at],
        lon=lon[at],
        lat=lat[at],
    )


def _circuits(lines: Sheet) -> IntArray:
    """(rows,) number of parallel circuits, 1 where the cell is a fault."""
    stated = lines.number("circuits", default=1.0, empty=1.0)
    whole = (stated >= 1) & (stated <= MAX_CIRCUITS) & (stated == np.round(stated))
    odd = np.flatnonzero(~whole & ~np.isnan(stated))
    lines.refuse(odd.tolist(), lambda row: f"circuits is {stated[row]:g}; give 1, 2, 3 ...")
    return np.where(whole, stated, 1.0).astype(np.int64)


def _lines(
    lines: Sheet,
    start: IntArray,
    end: IntArray,
    kv: FloatArray,
    circuits: IntArray,
    bus_at: dict[tuple[int, float], str],
) -> pd.DataFrame:
    rating = lines.number("rating_mva", default=np.nan, empty=np.nan, infinite=True)
    ids = lines.text("line_id", "branch_id", "id")
    frame = table(
        BRANCHES,
        lines.places,
        branch_id=ids,
        from_bus=[bus_at[int(k), float(v)] for k, v in zip(start, kv, strict=True)],
        to_bus=[bus_at[int(k), float(v)] for k, v in zip(end, kv, strict=True)],
        x_pu=lines.number("x_pu", default=np.nan, empty=np.nan),
        rating_mva=np.where(rating == 0, np.inf, rating),
        in_service=lines.number("status", default=1.0, empty=1.0) > 0,
        kv=kv,
        km=lines.number("km", "length_km", default=np.nan, empty=np.nan),
    )
    rows = np.repeat(np.arange(circuits.size), circuits)
    number = np.arange(rows.size) - np.repeat(np.cumsum(circuits) - circuits, circuits)
    several = frame.iloc[rows].reset_index(drop=True)
    several["branch_id"] = [
        f"{ids[row]}#{k + 1}" if k else ids[row] for row, k in zip(rows, number, strict=True)
    ]
    return several


def _transformers(
    stations: Sheet,
    levels: pd.DataFrame,
    names: TextArray,
    start: IntArray,
    end: IntArray,
    line_kv: FloatArray,
    circuits: IntArray,
) -> pd.DataFrame:
    """A transformer between each voltage of a substation and the next lower one."""
    from sitepick.scenario.line_types import line_types

    poi, kv = levels["poi"].to_numpy(), levels["kv"].to_numpy()
    upper = np.flatnonzero(poi[:-1] == poi[1:])
    lower = upper + 1
    thermal = line_types(line_kv).thermal_mw * circuits
    sides = pd.DataFrame(
        {
            "poi": np.concatenate([start, end]),
            "kv": np.concatenate([line_kv, line_kv]),
            "mva": np.concatenate([thermal, thermal]),
        }
    )
    mva = sides.groupby(["poi", "kv"])["mva"].sum()
    below = mva.reindex(pd.MultiIndex.from_arrays([poi[lower], kv[lower]])).to_numpy(dtype=float)
    places = stations.places
    return table(
        BRANCHES,
        [places[k] for k in poi[upper]],
        branch_id=[f"T:{names[a]}-{kv[b]:g}" for a, b in zip(upper, lower, strict=True)],
        from_bus=names[upper],
        to_bus=names[lower],
        is_line=np.zeros(upper.size, dtype=bool),
        x_pu=TRANSFORMER_X * BASE_MVA / below,
        rating_mva=np.full(upper.size, np.inf),
        assumed=np.ones(upper.size, dtype=bool),
    )
