"""Synthetic grids of Texas and the contiguous US: electrical tables, substations and lines.

Source: the ``usa_tamu`` network of powersimdata (Breakthrough Energy Sciences, built on the Texas
A&M University synthetic cases), CC BY 4.0. The grid is synthetic: real place names, invented
topology.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from rebuild_parts.archives import read_csv, wheel
from rebuild_parts.regions import county_of_points
from rebuild_parts.write import (
    DATA,
    feature,
    point,
    rounded,
    text_or_null,
    write_csv,
    write_geojson,
)
from sitepick.network.grid import Grid
from sitepick.network.headroom import withdrawal_headroom

FOLDER = "powersimdata/network/usa_tamu/data/"
PREFIX = {"Eastern": "EI", "Western": "WI", "Texas": "TX"}
NOTICE = {
    "notice": "SYNTHETIC grid: place names are real, topology and ratings are not. "
    "Never present these figures as real grid capacity.",
    "attribution": "Breakthrough Energy Sciences (Xu et al., U.S. Test System with High Spatial "
    "and Temporal Resolution) on Texas A&M University synthetic cases, CC BY 4.0, modified",
}
DEVICES = {"Line": "line", "Transformer": "transformer", "TransformerWinding": "winding"}
LEVELS_MIN_KV = 60.0  # below are generator terminals, tertiaries and star points
LINES_MIN_KV = 230.0  # of the national line layer; the tables hold every branch
HEADROOM_CAP_MW = 5000.0  # stands for "no limit found" in the layer


def build(folder: Path, scope: str) -> None:
    """Write the tables and layers of ``scope``, ``texas`` or ``us``."""
    tables = _tables(wheel("powersimdata", folder), scope)
    short = "texas" if scope == "texas" else "us"
    suffix = ".csv" if scope == "texas" else ".csv.gz"
    _write_tables(f"{short}_grid", suffix, tables)
    stations = _stations(tables)
    if scope == "texas":
        stations = _with_headroom(stations)
    else:
        stations["headroom_mw"] = np.nan
        stations["headroom_limit"] = stations["headroom_outage"] = np.nan
        stations["headroom_estimated"] = False
    packed = "" if scope == "texas" else ".gz"
    write_geojson(f"{short}_substations.geojson{packed}", _station_features(stations), **NOTICE)
    lines = _lines(tables)
    if scope == "texas":
        write_geojson("texas_lines.geojson", _line_features(lines), **NOTICE)
    else:
        high = lines[lines["kv"] >= LINES_MIN_KV]
        write_geojson("us_lines_230kv.geojson.gz", _line_features(high), **NOTICE)


def _tables(archive: Path, scope: str) -> dict[str, pd.DataFrame]:
    names = ("sub", "bus", "bus2sub", "branch", "plant", "gencost", "dcline", "zone")
    raw = {name: read_csv(archive, f"{FOLDER}{name}.csv") for name in names}
    if scope == "texas":
        for name in ("sub", "bus", "bus2sub", "branch", "plant", "gencost"):
            raw[name] = raw[name][raw[name]["interconnect"] == "Texas"]
        ends = raw["dcline"][["from_interconnect", "to_interconnect"]]
        raw["dcline"] = raw["dcline"][(ends == "Texas").any(axis=1)]
    sub = raw["sub"].sort_values("sub_id")
    sub["poi_id"] = [
        f"{PREFIX[region]}{number:05d}"
        for region, number in zip(sub["interconnect"], sub["sub_id"], strict=True)
    ]
    poi = sub.set_index("sub_id")["poi_id"]
    return {
        "sub": sub,
        "zone": raw["zone"],
        "bus": _buses(raw, poi),
        "branch": _branches(raw["branch"]),
        "plant": _plants(raw["plant"], raw["gencost"]),
        "dcline": _dclines(raw["dcline"]),
    }


def _buses(raw: dict[str, pd.DataFrame], poi: pd.Series) -> pd.DataFrame:
    bus = raw["bus"].merge(raw["bus2sub"][["bus_id", "sub_id"]], on="bus_id", validate="1:1")
    bus = bus.merge(raw["zone"][["zone_id", "zone_name", "state"]], on="zone_id", validate="m:1")
    bus = bus.sort_values("bus_id")
    return pd.DataFrame(
        {
            "bus_id": bus["bus_id"],
            "poi_id": bus["sub_id"].map(poi),
            "base_kv": bus["baseKV"],
            "load_mw": bus["Pd"],
            "va_deg": bus["Va"],
            "lam_usd_mwh": bus["lam_P"],
            "zone": bus["zone_name"],
            "state": bus["state"],
            "interconnect": bus["interconnect"],
        }
    )


def _branches(branch: pd.DataFrame) -> pd.DataFrame:
    branch = branch[branch["status"] != 0].sort_values("branch_id")
    device = branch["branch_device_type"].map(DEVICES)
    return pd.DataFrame(
        {
            "branch_id": [
                f"{kind[0].upper()}{number:06d}"
                for kind, number in zip(device, branch["branch_id"], strict=True)
            ],
            "from_bus": branch["from_bus_id"],
            "to_bus": branch["to_bus_id"],
            "device": device,
            "r_pu": branch["r"],
            "x_pu": branch["x"],
            "rating_mva": branch["rateA"],
            "tap": branch["ratio"].replace(0, 1.0),
            "shift_deg": branch["angle"],
            "pf_mw": branch["Pf"],
        }
    )


def _plants(plant: pd.DataFrame, cost: pd.DataFrame) -> pd.DataFrame:
    columns = ["plant_id", "c2", "c1", "c0"]
    plant = plant.merge(cost[columns], on="plant_id", validate="1:1").sort_values("plant_id")
    return pd.DataFrame(
        {
            "plant_id": [f"G{number:05d}" for number in plant["plant_id"]],
            "bus_id": plant["bus_id"],
            "fuel": plant["type"],
            "pmax_mw": plant["Pmax"],
            "pmin_mw": plant["Pmin"],
            "pg_mw": plant["Pg"],
            "status": plant["status"],
            "cost_usd_h": plant["c0"],
            "cost_usd_mwh": plant["c1"],
            "cost_usd_mw2h": plant["c2"],
        }
    )


def _dclines(dcline: pd.DataFrame) -> pd.DataFrame:
    dcline = dcline.sort_values("dcline_id")
    return pd.DataFrame(
        {
            "dcline_id": [f"D{number:02d}" for number in dcline["dcline_id"]],
            "from_bus": dcline["from_bus_id"],
            "to_bus": dcline["to_bus_id"],
            "from_interconnect": dcline["from_interconnect"],
            "to_interconnect": dcline["to_interconnect"],
            "pmin_mw": dcline["Pmin"],
            "pmax_mw": dcline["Pmax"],
            "scheduled_mw": dcline["Pf"],
            "status": dcline["status"],
        }
    )


def _write_tables(folder: str, suffix: str, tables: dict[str, pd.DataFrame]) -> None:
    bus = {"base_kv": 2, "load_mw": 3, "va_deg": 3, "lam_usd_mwh": 3}
    write_csv(f"{folder}/buses{suffix}", tables["bus"], bus)
    write_csv(f"{folder}/bus2poi{suffix}", tables["bus"][["bus_id", "poi_id"]])
    # Shift factors hang on the reactances, so these keep every digit of the source.
    branch = {"r_pu": 9, "x_pu": 9, "rating_mva": 3, "tap": 5, "shift_deg": 4, "pf_mw": 2}
    write_csv(f"{folder}/branches{suffix}", tables["branch"], branch)
    plant = {"pmax_mw": 3, "pmin_mw": 3, "pg_mw": 3}
    plant |= {"cost_usd_h": 3, "cost_usd_mwh": 4, "cost_usd_mw2h": 7}
    write_csv(f"{folder}/plants{suffix}", tables["plant"], plant)
    dcline = {"pmin_mw": 1, "pmax_mw": 1, "scheduled_mw": 1}
    write_csv(f"{folder}/dclines{suffix}", tables["dcline"], dcline)


def _levels(kv: pd.Series) -> str | None:
    """Return the transmission voltages of a substation as ``345;138``; None for fewer than two."""
    high = sorted({float(v) for v in kv if v >= LEVELS_MIN_KV}, reverse=True)
    return ";".join(f"{v:g}" for v in high) if len(high) > 1 else None


def _stations(tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    bus = tables["bus"]
    plant = tables["plant"][tables["plant"]["status"] != 0]
    capacity = plant.groupby("bus_id")["pmax_mw"].sum()
    bus = bus.assign(gen_mw=bus["bus_id"].map(capacity).fillna(0.0))
    by_poi = bus.groupby("poi_id")
    facts = by_poi.agg(
        kv_max=("base_kv", "max"),
        kv_levels=("base_kv", _levels),
        load_mw=("load_mw", "sum"),
        gen_mw=("gen_mw", "sum"),
        n_bus=("bus_id", "size"),
        zone=("zone", "first"),
        state=("state", "first"),
    )
    stations = tables["sub"].set_index("poi_id")[["name", "lon", "lat"]].join(facts)
    stations = stations.reset_index().sort_values("poi_id")
    stations["county"], stations["county_id"] = county_of_points(stations["lon"], stations["lat"])
    return stations


def _with_headroom(stations: pd.DataFrame) -> pd.DataFrame:
    grid = Grid.from_tables(DATA / "texas_grid")
    found = withdrawal_headroom(grid, tuple(stations["poi_id"]), cap_mw=HEADROOM_CAP_MW)
    return stations.assign(
        headroom_mw=found.headroom_mw,
        headroom_limit=list(found.limit_id),
        headroom_outage=list(found.outage_id),
        headroom_estimated=True,
    )


def _station_features(stations: pd.DataFrame) -> list[dict[str, Any]]:
    features = []
    for row in stations.itertuples(index=False):
        properties = {
            "poi_id": row.poi_id,
            "name": row.name,
            "kv_max": rounded(row.kv_max, 2),
            "kv_levels": text_or_null(row.kv_levels),
            "load_mw": rounded(row.load_mw, 2),
            "gen_mw": rounded(row.gen_mw, 2),
            "n_bus": int(row.n_bus),
            "zone": row.zone,
            "state": row.state,
            "county": text_or_null(row.county),
            "county_id": text_or_null(row.county_id),
            "headroom_mw": rounded(row.headroom_mw, 1),
            "headroom_limit": text_or_null(row.headroom_limit),
            "headroom_outage": text_or_null(row.headroom_outage),
            "headroom_estimated": bool(row.headroom_estimated),
            "synthetic": True,
        }
        features.append(feature(properties, point(row.lon, row.lat)))
    return features


def _lines(tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Line branches between two substations, with the coordinates of both."""
    branch = tables["branch"]
    bus = tables["bus"].set_index("bus_id")
    sub = tables["sub"].set_index("poi_id")
    lines = branch[branch["device"] == "line"].copy()
    lines["from_poi"] = lines["from_bus"].map(bus["poi_id"])
    lines["to_poi"] = lines["to_bus"].map(bus["poi_id"])
    lines["kv"] = lines["from_bus"].map(bus["base_kv"])
    lines = lines[lines["from_poi"] != lines["to_poi"]]
    pair = lines[["from_poi", "to_poi"]].apply(lambda ends: "|".join(sorted(ends)), axis=1)
    lines["circuits"] = pair.groupby([pair, lines["kv"]]).transform("size")
    for end in ("from", "to"):
        for axis in ("lon", "lat"):
            lines[f"{end}_{axis}"] = lines[f"{end}_poi"].map(sub[axis])
    return lines


def _line_features(lines: pd.DataFrame) -> list[dict[str, Any]]:
    features = []
    for row in lines.itertuples(index=False):
        properties = {
            "line_id": row.branch_id,
            "from_poi": row.from_poi,
            "to_poi": row.to_poi,
            "kv": rounded(row.kv, 2),
            "x_pu": rounded(row.x_pu, 6),
            "r_pu": rounded(row.r_pu, 6),
            "rating_mva": rounded(row.rating_mva, 2),
            "circuits": int(row.circuits),
            "synthetic": True,
        }
        path = [
            [round(row.from_lon, 4), round(row.from_lat, 4)],
            [round(row.to_lon, 4), round(row.to_lat, 4)],
        ]
        features.append(feature(properties, {"type": "LineString", "coordinates": path}))
    return features
