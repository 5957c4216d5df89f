"""Reactance and rating of branches that state none, from standard lines by voltage and length.

The standard lines and the St Clair curve are `sitepick.scenario.line_types`. What is estimated is
flagged on the grid, and every output that rests on it says so.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from sitepick.network.raw import RawGrid
from sitepick.network.sheet import report
from sitepick.network.types import BASE_MVA, BoolArray, FloatArray, IntArray

EARTH_RADIUS_KM = 6371.0088
ROUTE_FACTOR = 1.3
"""Length of a line over the straight distance: the allowance of MISO's cost estimation guide."""
TRANSFORMER_X = 0.12
"""Reactance of a transformer in per unit of its own rating: usual short-circuit voltage, 12 %."""


@dataclass(frozen=True)
class Estimate:
    """x and rating of M branches, and which of them are estimated."""

    x_pu: FloatArray  # (M,)
    rating_mw: FloatArray  # (M,) inf = unlimited
    x_estimated: BoolArray  # (M,)
    rating_estimated: BoolArray  # (M,)


def straight_km(lon: FloatArray, lat: FloatArray, start: IntArray, end: IntArray) -> FloatArray:
    """(M,) great-circle distance between two buses; NaN where a place is unknown."""
    a, b = np.deg2rad(lat[start]), np.deg2rad(lat[end])
    turn = np.deg2rad(lon[end] - lon[start])
    h = np.sin((b - a) / 2) ** 2 + np.cos(a) * np.cos(b) * np.sin(turn / 2) ** 2
    return 2 * EARTH_RADIUS_KM * np.arcsin(np.sqrt(np.clip(h, 0.0, 1.0)))


def line_length_km(raw: RawGrid, start: IntArray, end: IntArray) -> FloatArray:
    """(M,) stated length, else `ROUTE_FACTOR` times the straight one, NaN if unknown."""
    lon, lat = raw.buses["lon"].to_numpy(), raw.buses["lat"].to_numpy()
    stated = raw.branches["km"].to_numpy()
    return np.where(np.isnan(stated), ROUTE_FACTOR * straight_km(lon, lat, start, end), stated)


def estimate(raw: RawGrid, start: IntArray, end: IntArray) -> Estimate:
    """Fill in what the branches of ``raw`` between buses ``start`` and ``end`` (M,) do not state.

    A line has the reactance of the standard line of its voltage and length, and the rating
    min(0.95 x thermal, k(km) x SIL). Where the length is unknown it is the one that the stated
    reactance would take, or short. A transformer has 12 % of its rating; without a rating it is
    unlimited. What cannot be estimated is added to the faults.
    """
    from sitepick.scenario.line_types import line_types, loadability_mw

    branches = raw.branches
    x = branches["x_pu"].to_numpy(copy=True)
    rating = branches["rating_mva"].to_numpy(copy=True)
    is_line = branches["is_line"].to_numpy()
    assumed = branches["assumed"].to_numpy(dtype=bool)
    no_x, no_rating = np.isnan(x), np.isnan(rating)
    if not (no_x | no_rating).any():
        return Estimate(x, rating, no_x | assumed, no_rating | assumed)
    kv = _kv(raw, start, end)
    km = line_length_km(raw, start, end)
    ohm_per_pu = np.where(kv > 0, kv, np.nan) ** 2 / BASE_MVA
    x_ohm_per_km = line_types(kv).x_ohm_per_km

    lines = no_x & is_line
    x[lines] = (km * x_ohm_per_km / ohm_per_pu)[lines]
    implied_km = np.where(np.isnan(km), np.abs(x) * ohm_per_pu / x_ohm_per_km, km)
    lines = no_rating & is_line
    rating[lines] = loadability_mw(kv, implied_km)[lines]
    transformers = no_x & ~is_line
    known = np.where(np.isfinite(rating), rating, np.nan)
    x[transformers] = (TRANSFORMER_X * BASE_MVA / known)[transformers]
    rating[no_rating & ~is_line] = np.inf
    _refuse(raw, branches, np.isnan(x), np.isnan(rating), kv)
    return Estimate(x, rating, no_x | assumed, no_rating | assumed)


def _kv(raw: RawGrid, start: IntArray, end: IntArray) -> FloatArray:
    """(M,) voltage of each line, of its lower end where it states none; 0 = unknown."""
    at_bus = raw.buses["base_kv"].to_numpy()
    stated = raw.branches["kv"].to_numpy()
    return np.where(stated > 0, stated, np.minimum(at_bus[start], at_bus[end]))


def _refuse(
    raw: RawGrid, branches: pd.DataFrame, no_x: BoolArray, no_rating: BoolArray, kv: FloatArray
) -> None:
    faults = []
    for row in np.flatnonzero(no_x | no_rating).tolist():
        what = " and ".join(
            name for name, lacks in (("x", no_x[row]), ("rating", no_rating[row])) if lacks
        )
        if not branches["is_line"].iloc[row]:
            cure = "state one of them: a transformer's x is estimated from its rating"
        elif kv[row] > 0:
            cure = "give km, or the places of its two buses, and a standard line is assumed"
        else:
            cure = "give the voltage of its buses (kV), and a standard line is assumed"
        name, place = branches["branch_id"].iloc[row], branches["place"].iloc[row]
        faults.append(f"{place}: branch {name!r} has no {what}; {cure}")
    report(raw.problems, faults)
