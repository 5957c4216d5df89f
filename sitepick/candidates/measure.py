"""Measures of places: usable land, fiber distance, round-trip time and cost to demand places."""

from __future__ import annotations

import numpy as np
import pandas as pd

from sitepick.candidates.fiber_reach import fallen_back, route_km
from sitepick.candidates.geo import (
    Bools,
    Features,
    Floats,
    Ints,
    as_geoms,
    earth_centred_km,
    nearest_km,
    straight_km,
)
from sitepick.candidates.text import empty, some
from sitepick.candidates.types import FiberAccess
from sitepick.layers.types import Layers, Note
from sitepick.scenario.schema import Scenario

MS_PER_KM = 4.9e-3
"""One-way delay of light in fiber, ms per route km."""
_CHUNK = 1_000_000  # pairs measured at once: about 50 MB
_REACH = ["site_id", "place_id", "km", "rtt_ms", "musd_per_mw_year", "source"]
SOURCES = ("straight", "route", "measured")
"""How the km and time of a pair are known (`Candidates.reach`)."""


def rtt_ms(km: Floats, hop_ms: float) -> Floats:
    """Return the round-trip time over ``km`` route km, ms."""
    return 2 * km * MS_PER_KM + hop_ms


def usable_ha(
    scenario: Scenario, places: pd.DataFrame, left: Floats, table: bool
) -> tuple[Floats, list[Note]]:
    """Return the usable ha of each place (nan: no land limit, table of sites only), and notes.

    What the user states stands. A polygon counts by its area outside the exclusions. A parcel that
    is a mere point has the assumed area ``candidates.area_ha``.
    """
    stated = places["stated_ha"].to_numpy(float)
    polygon = places["polygon_ha"].to_numpy(float)
    measured = polygon * np.where(places["fact"] & (left == 0), 1.0, left)
    area = np.where(np.isnan(stated), measured, stated)
    notes = []
    assumed = np.isnan(area) & (not table)
    if assumed.any():
        area[assumed] = scenario.candidates.area_ha
        ids = places["site_id"][assumed]
        notes.append(
            Note(
                "candidates",
                "area_assumed",
                f"{len(ids)} parcels are points without usable_ha: "
                f"{scenario.candidates.area_ha:g} ha assumed (candidates.area_ha): {some(ids)}",
                len(ids),
            )
        )
    larger = stated > polygon * 1.02
    if larger.any():
        ids = places["site_id"][larger]
        notes.append(
            Note(
                "candidates",
                "area_above_polygon",
                f"{len(ids)} places state more usable_ha than their polygon has; the stated "
                f"figure was used: {some(ids)}",
                len(ids),
            )
        )
    return area, notes


def fiber_km(scenario: Scenario, layers: Layers, places: pd.DataFrame) -> Floats:
    """Return route km to the nearest fiber link or node, nan without fiber layers or location."""
    geoms = [
        g
        for layer in (layers.fiber_links, layers.fiber_nodes)
        if layer is not None
        for g in as_geoms(layer.geometry)
    ]
    if not any(g is not None for g in geoms):
        return np.full(len(places), np.nan)
    lon, lat = places["lon"].to_numpy(float), places["lat"].to_numpy(float)
    return nearest_km(lon, lat, Features(as_geoms(geoms))) * scenario.fiber.route_factor


def needs_places(scenario: Scenario, layers: Layers) -> bool:
    """Whether demand has places at all; else everything is served from anywhere."""
    spread = any(w.spread == "by_weight" for w in scenario.demand.named().values())
    stated = layers.demand is not None and bool(layers.demand["mw"].notna().any())
    return spread or stated or layers.demand_mw is not None or layers.matrix is not None


def demand_places(scenario: Scenario, layers: Layers) -> tuple[pd.DataFrame, list[Note]]:
    """Return place_id, name, lon, lat, weight, mw, sorted; empty when nothing asks for places.

    Without a demand layer the places are those of the demand table and the matrix, of weight 1.
    """
    columns = ["place_id", "name", "lon", "lat", "weight", "mw"]
    if not needs_places(scenario, layers):
        unused = layers.demand is not None and len(layers.demand) > 0
        note = Note(
            "demand",
            "demand_unused",
            "the demand places are not used: no workload has 'spread: by_weight' and no MW are "
            "stated by place",
            0 if layers.demand is None else len(layers.demand),
        )
        return empty(columns), [note] if unused else []
    if layers.demand is not None and len(layers.demand):
        frame = pd.DataFrame(layers.demand.drop(columns=layers.demand.geometry.name))
        points = as_geoms(layers.demand.geometry)
        frame["lon"] = [np.nan if p is None else p.x for p in points]
        frame["lat"] = [np.nan if p is None else p.y for p in points]
    else:
        tables = [t for t in (layers.demand_mw, layers.matrix) if t is not None]
        ids = sorted({i for t in tables for i in t["place_id"]})
        frame = pd.DataFrame({"place_id": ids, "name": ids})
        frame = frame.assign(lon=np.nan, lat=np.nan, weight=1.0, mw=np.nan)
    return frame[columns].sort_values("place_id", ignore_index=True), []


def reach(
    scenario: Scenario,
    layers: Layers,
    sites: pd.DataFrame,
    places: pd.DataFrame,
    fiber: FiberAccess | None = None,
) -> tuple[pd.DataFrame, list[Note]]:
    """Return km (route), rtt_ms and musd_per_mw_year of each candidate and place, and notes.

    ``sites`` are all places looked at, of which the candidates count. km is that of the fiber
    route where one is known (`fiber_reach.route_km`), else geodesic km x ``demand.route_factor``;
    rtt_ms = 2 x km x 4.9e-3 + ``demand.hop_ms``. Measured values of the matrix replace these: `km`
    also gives its own rtt_ms, `rtt_ms` and `musd_per_mw_year` stand as they are. nan is unknown. A
    pair that is neither measured nor has coordinates at both ends is left out, and so is one too
    far apart for all work (`_far_km`). site_id, place_id and source are categories, for memory.
    """
    kept = (sites["status"] == "candidate").to_numpy(dtype=bool)
    sites = sites[kept]
    n, m = len(sites), len(places)
    if not n or not m:
        return empty(_REACH), []
    route = np.full(n * m, np.nan)
    if fiber is not None:
        route = route_km(fiber, kept, scenario.periods.from_).ravel()
    by_route = np.isfinite(route)
    most = _far_km(scenario, layers)
    km, far = _straight(sites, places, most, by_route)
    km *= scenario.demand.route_factor
    notes: list[Note] = []
    if fiber is not None:
        lost = (np.isfinite(km) | far).reshape(n, m)
        notes += fallen_back(fiber, kept, places, lost, scenario.demand.route_factor)
    km[by_route] = route[by_route]
    if most is not None:
        beyond = by_route & (km > most * scenario.demand.route_factor)
        km[beyond], far[beyond] = np.nan, True
    del route
    rtt = rtt_ms(km, scenario.demand.hop_ms)
    cost = np.full(n * m, np.nan)
    source = by_route.astype(np.int8)
    if layers.matrix is not None:
        before = km.copy(), rtt.copy()
        notes += _measured(layers.matrix, sites, places, km, rtt, cost, scenario.demand.hop_ms)
        for old, now in zip(before, (km, rtt), strict=True):
            source[np.isfinite(now) & (old != now)] = 2
    unknown = np.isnan(km) & np.isnan(rtt) & np.isnan(cost)
    kept_pairs = np.flatnonzero(~unknown)
    table = pd.DataFrame(
        {
            "site_id": _repeated(sites["site_id"], kept_pairs // m),
            "place_id": _repeated(places["place_id"], kept_pairs % m),
            "km": km[kept_pairs],
            "rtt_ms": rtt[kept_pairs],
            "musd_per_mw_year": cost[kept_pairs],
            "source": pd.Categorical.from_codes(
                source[kept_pairs], categories=pd.Index(SOURCES, dtype=object)
            ),
        }
    )
    unknown &= ~far
    if unknown.any():
        count = int(unknown.sum())
        notes.append(
            Note(
                "demand",
                "reach_unknown",
                f"{count} pairs of candidate and demand place have neither coordinates nor a "
                "measured value: no service between them",
                count,
            )
        )
    return table, notes


def _far_km(scenario: Scenario, layers: Layers) -> float | None:
    """Return the geodesic km beyond which no work can be served, None where there is no such limit.

    All pairs are kept where something is measured, which may be faster than the distance says, and
    where work with a limit must be served: without a plan, the diagnosis asks what longer round
    trips would give.
    """
    if layers.matrix is not None:
        return None
    table = layers.demand_mw
    named = set() if table is None else set(table["workload"])
    longest = 0.0
    for name, work in scenario.demand.named().items():
        if work.spread == "anywhere" and work.ref_mw is not None and name not in named:
            continue
        if work.rtt_ms_max is None or work.must_serve:
            return None
        longest = max(longest, work.rtt_ms_max)
    route = (longest - scenario.demand.hop_ms) / (2 * MS_PER_KM) * (1 + 1e-6) + 1e-3
    return max(route, 0.0) / scenario.demand.route_factor


def _straight(
    sites: pd.DataFrame, places: pd.DataFrame, most_km: float | None, known: Bools
) -> tuple[Floats, Bools]:
    """Return (n m,) geodesic km by site and place, nan unknown, and which are beyond ``most_km``.

    Those beyond it are nan too: the chord through the earth, which is never longer, tells most of
    them without a geodesic. Pairs that are ``known`` otherwise (n m,) are nan and not beyond.
    """
    n, m = len(sites), len(places)
    km, far = np.full(n * m, np.nan), np.zeros(n * m, dtype=bool)
    lon, lat = (sites[c].to_numpy(float) for c in ("lon", "lat"))
    to_lon, to_lat = (places[c].to_numpy(float) for c in ("lon", "lat"))
    ends = earth_centred_km(to_lon, to_lat)
    for start in range(0, n, max(_CHUNK // m, 1)):
        part = slice(start, min(start + max(_CHUNK // m, 1), n))
        flat = slice(part.start * m, part.stop * m)
        if most_km is not None:
            far[flat] = _chord_km(earth_centred_km(lon[part], lat[part]), ends).ravel() > most_km
            far[flat] &= ~known[flat]
        near = np.flatnonzero(~far[flat] & ~known[flat]) + flat.start
        i, d = np.divmod(near, m)
        km[near] = straight_km(lon[i], lat[i], to_lon[d], to_lat[d])
        if most_km is not None:
            beyond = near[km[near] > most_km]
            km[beyond], far[beyond] = np.nan, True
    return km, far


def _chord_km(a: Floats, b: Floats) -> Floats:
    """Return (n, m) km between n x 3 and m x 3 earth-centred coordinates, never too long."""
    squared = (a**2).sum(axis=1)[:, None] + (b**2).sum(axis=1) - 2 * (a @ b.T)
    return np.sqrt(np.maximum(squared, 0.0)) - 1e-3


def _repeated(ids: pd.Series, codes: Ints) -> pd.Categorical:
    return pd.Categorical.from_codes(codes, categories=pd.Index(ids, dtype=object))


def _measured(
    matrix: pd.DataFrame,
    sites: pd.DataFrame,
    places: pd.DataFrame,
    km: Floats,
    rtt: Floats,
    cost: Floats,
    hop_ms: float,
) -> list[Note]:
    site = matrix["site_id"].map({s: k for k, s in enumerate(sites["site_id"])}).to_numpy(float)
    place = matrix["place_id"].map({p: k for k, p in enumerate(places["place_id"])}).to_numpy(float)
    known = np.isfinite(site) & np.isfinite(place)
    at = (site * len(places) + place)[known].astype(np.int64)
    value = matrix["value"].to_numpy(float)[known]
    meaning = matrix["meaning"].to_numpy(dtype=object)[known]
    # a measured time beats the time that follows from a measured distance: hence this order
    for name, target in (("km", km), ("rtt_ms", rtt), ("musd_per_mw_year", cost)):
        rows = meaning == name
        target[at[rows]] = value[rows]
        if name == "km":
            rtt[at[rows]] = rtt_ms(value[rows], hop_ms)
    lost = sorted(set(matrix["place_id"][np.isnan(place)]))
    if not lost:
        return []
    return [
        Note(
            "matrix",
            "matrix_unmatched",
            f"{len(lost)} places of the matrix are no demand places: {some(lost)}",
            len(lost),
        )
    ]
