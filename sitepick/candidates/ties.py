"""Possible ties from places to POIs: which, how long, how many MW one of them can carry."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.spatial import cKDTree

from sitepick.candidates.geo import earth_centred_km, straight_km
from sitepick.candidates.text import some
from sitepick.layers.types import Note
from sitepick.scenario.power import Power
from sitepick.scenario.schema import Scenario

_SHOWN_IF_NONE_USABLE = 20
"""How many POIs in reach are named as reasons when none of them is usable."""


@dataclass(frozen=True)
class TieSearch:
    """What was found around the places (positions in the tables of places and POIs)."""

    pairs: pd.DataFrame
    """place, poi (positions), km (route), test ('' usable, else why not); place order, then km."""
    nearest_km: np.ndarray
    """Route km to the nearest POI of at least min_kv, nan where there is none or no location."""


def cap_mw(kv: np.ndarray, power: Power) -> np.ndarray:
    """Return the largest single-customer connection by kV, grid MW: the class at or below.

    Below the smallest class the smallest stands; an unknown kV has no cap of its own (nan).
    """
    classes = sorted(power.tie_mw_by_kv)
    if not classes:
        return np.full(len(kv), np.nan)
    at = [0 if np.isnan(v) else max(bisect_right(classes, v + 1e-6) - 1, 0) for v in kv]
    cap = np.array([power.tie_mw_by_kv[classes[k]] for k in at], dtype=float)
    return np.where(np.isnan(kv), np.nan, cap)


def search(
    scenario: Scenario, places: pd.DataFrame, pois: pd.DataFrame, at_pois: bool
) -> TieSearch:
    """Return the POIs that each place may tie to, usable or, if none is, with the reason.

    Places with ``poi_ids`` use exactly these. Others use the POIs of at least ``min_kv`` within
    ``tie_km_max`` route km: the nearest ``candidate_pois`` that have usable MW. Places that are
    facts (existing, required) also keep their nearest POI, whatever its MW.
    ``pois`` is the table of `power.all_pois` beside the columns of `power.dated_mw`.
    """
    power = scenario.power
    stated = places["poi_ids"].notna().to_numpy()
    named = _named(places, pois, stated, 1.0 if at_pois else power.route_factor)
    if at_pois:
        named["km"] = 0.0
    around, nearest = _around(scenario, places, pois, ~stated)
    pairs = pd.concat([named, around], ignore_index=True)
    pairs["test"] = pois["test"].to_numpy(dtype=object)[pairs["poi"].to_numpy(dtype=int)]
    # at a POI the kV rule is the place's own; a user who names POIs has chosen their kV
    if at_pois:
        low = ~(pois["kv"].to_numpy(float) >= scenario.candidates.min_kv)
        low &= scenario.candidates.min_kv > 0
        fact = places["fact"].to_numpy(dtype=bool)[pairs["place"].to_numpy(dtype=int)]
        pairs = pairs[~low[pairs["poi"].to_numpy(dtype=int)] | fact]
    pairs = pairs.sort_values(["place", "km", "poi"], ignore_index=True, na_position="last")
    first = pairs[stated[pairs["place"].to_numpy(dtype=int)]].drop_duplicates("place")
    nearest[first["place"].to_numpy(dtype=int)] = first["km"].to_numpy()
    return TieSearch(pairs, nearest)


def _named(
    places: pd.DataFrame, pois: pd.DataFrame, stated: np.ndarray, route_factor: float
) -> pd.DataFrame:
    position = {p: k for k, p in enumerate(pois["poi_id"])}
    rows = [
        (place, position[poi])
        for place, named in enumerate(places["poi_ids"])
        if stated[place]
        for poi in dict.fromkeys(named)
    ]
    place, poi = np.array(rows, dtype=int).reshape(-1, 2).T
    km = straight_km(
        places["lon"].to_numpy(float)[place], places["lat"].to_numpy(float)[place],
        pois["lon"].to_numpy(float)[poi], pois["lat"].to_numpy(float)[poi],
    )  # fmt: skip
    return pd.DataFrame({"place": place, "poi": poi, "km": km * route_factor})


def _around(
    scenario: Scenario, places: pd.DataFrame, pois: pd.DataFrame, wanted: np.ndarray
) -> tuple[pd.DataFrame, np.ndarray]:
    power = scenario.power
    nearest = np.full(len(places), np.nan)
    kv = pois["kv"].to_numpy(float)
    located = pois["lon"].notna().to_numpy()
    high = located & ((kv >= scenario.candidates.min_kv) | (scenario.candidates.min_kv == 0))
    usable = high & (pois["test"].to_numpy(dtype=object) == "")
    rows = np.flatnonzero(wanted & places["lon"].notna().to_numpy())
    none = pd.DataFrame({"place": rows[:0], "poi": rows[:0], "km": np.empty(0)})
    if not len(rows):
        return none, nearest
    closest = _nearest(places, pois, rows, np.flatnonzero(high), 1, power)
    nearest[closest["place"]] = closest["km"]
    good = _nearest(places, pois, rows, np.flatnonzero(usable), power.candidate_pois, power)
    good = good[good["km"] <= power.tie_km_max]
    dry = np.setdiff1d(rows, good["place"])
    shown = max(_SHOWN_IF_NONE_USABLE, power.candidate_pois)
    bad = _nearest(places, pois, dry, np.flatnonzero(high), shown, power)
    fact = places["fact"].to_numpy(dtype=bool)
    own = closest[fact[closest["place"].to_numpy(dtype=int)]]
    found = pd.concat([good, bad, own], ignore_index=True)
    found = found[found["km"] <= power.tie_km_max]
    return found.drop_duplicates(["place", "poi"]), nearest


def _nearest(
    places: pd.DataFrame,
    pois: pd.DataFrame,
    rows: np.ndarray,
    choice: np.ndarray,
    count: int,
    power: Power,
) -> pd.DataFrame:
    """Return the ``count`` nearest of the POIs ``choice`` for each place of ``rows``."""
    if not len(choice) or not len(rows):
        return pd.DataFrame({"place": rows[:0], "poi": rows[:0], "km": np.empty(0)})
    lon, lat = places["lon"].to_numpy(float)[rows], places["lat"].to_numpy(float)[rows]
    to_lon, to_lat = pois["lon"].to_numpy(float)[choice], pois["lat"].to_numpy(float)[choice]
    tree = cKDTree(earth_centred_km(to_lon, to_lat))
    # a few more than asked: the order of chords and of geodesics may differ by a hair, and POIs
    # at one point must be ranked by id
    asked = min(count + 8, len(choice))
    chosen = tree.query(earth_centred_km(lon, lat), k=asked)[1].reshape(len(rows), asked)
    place, at = np.repeat(np.arange(len(rows)), asked), chosen.ravel()
    km = straight_km(lon[place], lat[place], to_lon[at], to_lat[at]) * power.route_factor
    pairs = pd.DataFrame({"place": rows[place], "poi": choice[at], "km": km})
    pairs = pairs.sort_values(["place", "km", "poi"], ignore_index=True)
    return pairs[pairs.groupby("place").cumcount() < count].reset_index(drop=True)


def table(
    found: TieSearch, scenario: Scenario, places: pd.DataFrame, pois: pd.DataFrame
) -> tuple[pd.DataFrame, list[Note]]:
    """Return site_id, poi_id, kv, km, cap_mw of the candidates' ties, and notes.

    A tie whose POI has no usable MW is left out, unless the place is a fact or has no other.
    """
    rows = found.pairs
    place = rows["place"].to_numpy(dtype=int)
    fact = places["fact"].to_numpy(dtype=bool)
    keep = (places["status"] == "candidate").to_numpy()[place]
    keep &= (rows["test"] == "").to_numpy() | fact[place]
    named = places["poi_ids"].notna().to_numpy()[place]
    dropped = rows[~keep & named & (places["status"] == "candidate").to_numpy()[place]]
    rows, place = rows[keep], place[keep]
    poi = rows["poi"].to_numpy(dtype=int)
    kv = pois["kv"].to_numpy(float)[poi]
    km = rows["km"].to_numpy(float)
    ties = pd.DataFrame(
        {
            "site_id": places["site_id"].to_numpy(dtype=object)[place],
            "poi_id": pois["poi_id"].to_numpy(dtype=object)[poi],
            "kv": kv,
            "km": np.nan_to_num(km, nan=0.0),
            "cap_mw": cap_mw(kv, scenario.power),
        }
    )
    notes = []

    def note(code: str, hit: np.ndarray, ids: pd.Series, words: str) -> None:
        if hit.any():
            count = int(ids[hit].nunique())
            notes.append(Note("candidates", code, f"{count} {words}: {some(ids[hit])}", count))

    note(
        "tie_length_unknown", np.isnan(km), ties["site_id"],
        "places or their POIs have no location: tie length unknown, charged 0 km",
    )  # fmt: skip
    note(
        "tie_kv_unknown", np.isnan(kv), ties["poi_id"],
        "POIs have no known kV: their ties are limited by headroom only",
    )  # fmt: skip
    note(
        "tie_long", named[keep] & (km > scenario.power.tie_km_max), ties["site_id"],
        f"places name a POI farther than power.tie_km_max = {scenario.power.tie_km_max:g} km; "
        "kept, as named",
    )  # fmt: skip
    if len(dropped):
        ids = pois["poi_id"].iloc[dropped["poi"]]
        notes.append(
            Note(
                "candidates",
                "tie_without_mw",
                f"{len(dropped)} named ties were left out, because their POI has no MW that "
                f"count: {some(ids)}",
                len(dropped),
            )
        )
    order = ["site_id", "km", "poi_id"]
    return ties.sort_values(order, ignore_index=True), notes
