"""The tests a place must pass. Every test is put to every place; every failure has a reason."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from sitepick.candidates.ties import TieSearch
from sitepick.layers.types import Layers
from sitepick.scenario.schema import Scenario

TESTS = (
    "forbidden", "unlocated", "excluded", "region_forbidden", "min_ha", "no_poi", "no_mw",
    "no_dated_mw", "no_bus", "min_headroom_mw", "fiber_km_max",
)  # fmt: skip
"""Names of the tests in the order of the waterfall; `excluded` is written `excluded:<name>`."""
COLUMNS = ["site_id", "test", "value", "threshold", "unit", "message"]
_MAX_NAMED = 3


@dataclass(frozen=True)
class Measured:
    """What the tests look at; tables by position in ``places``."""

    places: pd.DataFrame  # with usable_ha and fiber_km
    site_regions: pd.DataFrame
    excluded: pd.DataFrame
    left: np.ndarray
    pois: pd.DataFrame | None  # None: power is no limit
    ties: TieSearch | None
    at_pois: bool
    off_grid: np.ndarray  # (places,) on-site power may serve it alone: it needs no POI


@dataclass
class _Failures:
    rows: list[tuple[int, int, str, float, float, str, str]] = field(default_factory=list)

    def add(
        self, test: str, place: Any, value: float, threshold: float, unit: str, message: str
    ) -> None:
        order = TESTS.index(test.split(":")[0])
        self.rows.append((int(place), order, test, float(value), float(threshold), unit, message))


def screen(scenario: Scenario, layers: Layers, measured: Measured) -> pd.DataFrame:
    """Return every failed test of every place: place (position), then `COLUMNS`.

    Sorted by site_id, then in the order of `TESTS`.
    """
    failures = _Failures()
    for test in (_forbidden, _unlocated, _excluded, _region_forbidden, _min_ha, _fiber):
        test(scenario, layers, measured, failures)
    if measured.ties is not None:
        _no_poi(scenario, measured, failures)
        _mw(scenario, measured, failures)
    names = ["place", "order", "test", "value", "threshold", "unit", "message"]
    table = pd.DataFrame(failures.rows, columns=names)
    table = table.sort_values(["place", "order", "test"], ignore_index=True, kind="stable")
    ids = measured.places["site_id"].to_numpy(dtype=object)
    table["site_id"] = ids[table["place"].to_numpy(dtype=int)]
    return table[["place", *COLUMNS]]


def _forbidden(scenario: Scenario, layers: Layers, at: Measured, failures: _Failures) -> None:
    for k in np.flatnonzero(at.places["decision"] == "forbid"):
        failures.add("forbidden", k, 1, 0, "", "its decision is forbid")


def _unlocated(scenario: Scenario, layers: Layers, at: Measured, failures: _Failures) -> None:
    nowhere = at.places["lon"].isna()
    by_distance = nowhere & at.places["poi_ids"].isna() & (at.ties is not None)
    everywhere = all(w.spread == "by_weight" for w in scenario.demand.named().values())
    measured = set() if layers.matrix is None else set(layers.matrix["site_id"])
    by_demand = nowhere & everywhere & ~at.places["site_id"].isin(measured)
    for k in np.flatnonzero(by_distance | by_demand):
        need = "its POI" if by_distance[k] else "the distance to demand"
        message = f"no coordinates, so that {need} is unknown"
        failures.add("unlocated", k, np.nan, np.nan, "", message)


def _excluded(scenario: Scenario, layers: Layers, at: Measured, failures: _Failures) -> None:
    gone = at.excluded[at.left[at.excluded["place"].to_numpy(dtype=int)] == 0]
    for row in gone.to_dict("records"):
        around = f" or within {row['buffer_km']:g} km of it" if row["buffer_km"] else ""
        test = f"excluded:{row['name']}"
        if np.isnan(row["km"]):
            message = f"{row['share']:.0%} of its area lies in {row['name']}{around}"
            failures.add(test, row["place"], 100 * row["share"], 0, "% of area", message)
        else:
            message = f"lies in {row['name']}{around} ({row['km']:.2f} km)"
            failures.add(test, row["place"], row["km"], row["buffer_km"], "km", message)


def _region_forbidden(
    scenario: Scenario, layers: Layers, at: Measured, failures: _Failures
) -> None:
    existing = set(at.places["site_id"][at.places["decision"] == "existing"])
    position = {s: k for k, s in enumerate(at.places["site_id"])}
    told = set()
    for rule in scenario.regions.rules:
        if not rule.forbid:
            continue
        hit = at.site_regions[at.site_regions["level"] == rule.level]
        if rule.ids is not None:
            hit = hit[hit["region_id"].isin(rule.ids)]
        for site, region in zip(hit["site_id"], hit["region_id"], strict=True):
            if (site, rule.level) in told or site in existing:
                continue
            told.add((site, rule.level))
            message = f"{rule.level} {region} is forbidden by a region rule"
            failures.add("region_forbidden", position[site], 1, 0, "", message)


def _min_ha(scenario: Scenario, layers: Layers, at: Measured, failures: _Failures) -> None:
    least = scenario.candidates.min_ha
    area = at.places["usable_ha"].to_numpy(float)
    for k in np.flatnonzero(area < least - 1e-9):
        message = f"{area[k]:,.1f} ha usable, below {least:g} ha (candidates.min_ha)"
        failures.add("min_ha", k, area[k], least, "ha", message)


def _fiber(scenario: Scenario, layers: Layers, at: Measured, failures: _Failures) -> None:
    most = scenario.candidates.fiber_km_max
    if most is None:
        return
    km = at.places["fiber_km"].to_numpy(float)
    for k in np.flatnonzero(km > most):
        message = f"{km[k]:,.1f} route km to fiber, above {most:g} km (candidates.fiber_km_max)"
        failures.add("fiber_km_max", k, km[k], most, "km", message)


def _no_poi(scenario: Scenario, at: Measured, failures: _Failures) -> None:
    assert at.ties is not None
    assert at.pois is not None
    least_kv, most_km = scenario.candidates.min_kv, scenario.power.tie_km_max
    if at.at_pois:
        if not least_kv or at.off_grid.all():
            return
        kv = dict(zip(at.pois["poi_id"], at.pois["kv"].to_numpy(float), strict=True))
        for place, site in enumerate(at.places["site_id"]):
            if not (kv[site] >= least_kv or at.off_grid[place]):
                has = "kV unknown" if np.isnan(kv[site]) else f"{kv[site]:g} kV"
                message = f"{has}; at least {least_kv:g} kV asked (candidates.min_kv)"
                failures.add("no_poi", place, kv[site], least_kv, "kV", message)
        return
    alone = ~at.off_grid
    alone[at.ties.pairs["place"].to_numpy(dtype=int)] = False
    of_kv = f" of at least {least_kv:g} kV" if least_kv else ""
    for k in np.flatnonzero(alone):
        km = at.ties.nearest_km[k]
        nearest = "none has a known distance" if np.isnan(km) else f"the nearest is {km:,.1f} km"
        message = f"no substation{of_kv} within {most_km:g} route km (power.tie_km_max); {nearest}"
        failures.add("no_poi", k, km, most_km, "km", message)


def _mw(scenario: Scenario, at: Measured, failures: _Failures) -> None:
    assert at.ties is not None
    assert at.pois is not None
    pairs = at.ties.pairs
    served = at.off_grid.copy()
    served[pairs["place"].to_numpy(dtype=int)[(pairs["test"] == "").to_numpy()]] = True
    dry = pairs[~served[pairs["place"].to_numpy(dtype=int)]]
    dry = dry.sort_values(["place", "test"], kind="stable")
    dry_place, dry_poi = (dry[c].to_numpy(dtype=int) for c in ("place", "poi"))
    dry_test = dry["test"].to_numpy(dtype=object)
    new = (dry_place[1:] != dry_place[:-1]) | (dry_test[1:] != dry_test[:-1])
    ends = [0, *(np.flatnonzero(new) + 1), len(dry)] if len(dry) else []
    mw, why = at.pois["mw"].to_numpy(float), at.pois["why"].to_numpy(dtype=object)
    ids = at.pois["poi_id"].to_numpy(dtype=object)
    least = scenario.candidates.min_headroom_mw
    says: dict[str, Callable[[str], str]] = {
        "no_mw": lambda told: f"no MW known: {told}",
        "no_bus": lambda told: f"not on the grid: {told}",
        "no_dated_mw": lambda told: f"no MW that count within the horizon: {told}",
        "min_headroom_mw": lambda told: f"below {least:g} MW (candidates.min_headroom_mw): {told}",
    }
    for first, end in pairwise(ends):
        place, test, poi = dry_place[first], dry_test[first], dry_poi[first:end]
        told = "; ".join(f"POI {ids[p]}: {why[p]}" for p in poi[:_MAX_NAMED])
        more = f"; and {len(poi) - _MAX_NAMED} more POIs" if len(poi) > _MAX_NAMED else ""
        stated = mw[poi][~np.isnan(mw[poi])]
        value = stated.max() if len(stated) else np.nan
        threshold = least if test == "min_headroom_mw" else 0.0
        failures.add(test, place, value, threshold, "MW", says[test](told) + more)
