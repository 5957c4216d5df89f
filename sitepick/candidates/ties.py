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
from sitepick.scenario.line_types import loadability_mw
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
    """Return site_id, poi_id, kv, km, cap_mw of the candidates' ties, one per voltage, and notes.

    A tie whose POI has no usable MW is left out, unless the place is a fact or has no other.
    """
    rows = found.pairs
    place = rows["place"].to_numpy(dtype=int)
    fact = places["fact"].to_numpy(dtype=bool)
    keep = (places["status"] == "candidate").to_numpy()[place]
    keep &= (rows["test"] == "").to_numpy() | fact[place]
    named = places["poi_ids"].notna().to_numpy()
    dropped = rows[~keep & named[place] & (places["status"] == "candidate").to_numpy()[place]]
    rows = _at_each_kv(rows[keep], pois, scenario)
    place, poi = rows["place"].to_numpy(dtype=int), rows["poi"].to_numpy(dtype=int)
    kv, km = rows["kv"].to_numpy(float), rows["km"].to_numpy(float)
    cap = cap_mw(kv, scenario.power)
    carries = loadability_mw(kv, km) if scenario.power.tie_loadability else np.full(len(kv), np.inf)
    short = carries < np.nan_to_num(cap, nan=np.inf)
    rows = rows.assign(cap_mw=np.where(short, carries, cap), short=short)
    rows = rows[~_dominated(rows, scenario, places, pois)].reset_index(drop=True)
    place, poi = rows["place"].to_numpy(dtype=int), rows["poi"].to_numpy(dtype=int)
    kv, km = rows["kv"].to_numpy(float), rows["km"].to_numpy(float)
    ties = pd.DataFrame(
        {
            "site_id": places["site_id"].to_numpy(dtype=object)[place],
            "poi_id": pois["poi_id"].to_numpy(dtype=object)[poi],
            "kv": kv,
            "km": np.nan_to_num(km, nan=0.0),
            "cap_mw": rows["cap_mw"].to_numpy(float),
        }
    )
    notes = []

    def note(code: str, hit: np.ndarray, ids: pd.Series, words: str) -> None:
        if hit.any():
            count = int(ids[hit].nunique())
            notes.append(Note("candidates", code, f"{count} {words}: {some(ids[hit])}", count))

    note(
        "tie_length_unknown", np.isnan(km), ties["site_id"],
        "places have no location, or the POI they tie to has none (a substations layer with lon "
        "and lat gives it): tie length unknown, charged 0 km",
    )  # fmt: skip
    note(
        "tie_kv_unknown", np.isnan(kv), ties["poi_id"],
        "POIs have no known kV: their ties are limited by headroom only",
    )  # fmt: skip
    note(
        "tie_long", named[place] & (km > scenario.power.tie_km_max), ties["site_id"],
        f"places name a POI farther than power.tie_km_max = {scenario.power.tie_km_max:g} km; "
        "kept, as named",
    )  # fmt: skip
    note(
        "tie_loadability", rows["short"].to_numpy(dtype=bool), ties["site_id"],
        "places have a tie so long for its kV that one line carries less than power.tie_mw_by_kv",
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
    order = ["site_id", "km", "poi_id", "kv"]
    ties = ties.sort_values(order, ascending=[True, True, True, False], ignore_index=True)
    return ties, notes


def tie_musd(kv: np.ndarray, km: np.ndarray, power: Power) -> np.ndarray:
    """Return the overnight cost of ties (E,): km at the nearest kV class, and the fixed part.

    An unknown kV costs as the lowest class, an unknown km as 0.
    """
    known = np.nan_to_num(km, nan=0.0)
    classes = np.array(sorted(power.tie_musd_per_km))
    if not len(classes):
        return np.zeros(len(kv)) + power.tie_fixed_musd
    price = np.array([power.tie_musd_per_km[c] for c in sorted(power.tie_musd_per_km)])
    asked = np.where(np.isnan(kv), classes[0], kv)
    nearest = np.abs(asked[:, None] - classes[None, :]).argmin(axis=1)
    return known * price[nearest] + power.tie_fixed_musd


def _at_each_kv(rows: pd.DataFrame, pois: pd.DataFrame, scenario: Scenario) -> pd.DataFrame:
    """Return ``rows`` (place, poi, km) with ``kv``: one for each voltage of the POI.

    Voltages below ``candidates.min_kv`` are left out, the highest never.
    """
    least = scenario.candidates.min_kv
    levels: list[tuple[float, ...]] = [(kv,) for kv in pois["kv"].to_numpy(float)]
    for b, text in enumerate(pois["kv_levels"]):
        if isinstance(text, str):
            several = sorted({float(v) for v in text.split(";")}, reverse=True)
            levels[b] = (several[0], *(v for v in several[1:] if v >= least))
    poi = rows["poi"].to_numpy(dtype=int)
    count = np.array([len(levels[b]) for b in poi], dtype=int)
    out = rows.iloc[np.repeat(np.arange(len(rows)), count)].reset_index(drop=True)
    return out.assign(kv=np.array([kv for b in poi for kv in levels[b]], dtype=float))


def _dominated(
    rows: pd.DataFrame, scenario: Scenario, places: pd.DataFrame, pois: pd.DataFrame
) -> np.ndarray:
    """Return (E,) the ties that cost as much as another to the same POI and carry no more.

    What a tie carries is at most what its POI can ever give. With several ties per site, one is
    only dropped for another that carries all of that: else both together may be of use. The tie
    that an existing site owns costs nothing.
    """
    twice = rows.duplicated(["place", "poi"], keep=False).to_numpy()
    if not twice.any():
        return np.zeros(len(rows), dtype=bool)
    power, some_rows = scenario.power, rows[twice]
    place = some_rows["place"].to_numpy(dtype=int)
    kv, km = some_rows["kv"].to_numpy(float), some_rows["km"].to_numpy(float)
    first = ~rows.sort_values(
        ["place", "km", "poi", "kv"], ascending=[True, True, True, False], kind="stable"
    ).duplicated("place")
    stands = (places["decision"] == "existing").to_numpy()[place]
    owned = first.reindex(some_rows.index).to_numpy(dtype=bool) & stands
    most = _most_mw(scenario, pois)[some_rows["poi"].to_numpy(dtype=int)]
    table = some_rows.assign(
        musd=np.where(owned, 0.0, tie_musd(kv, km, power)),
        carries=np.fmin(some_rows["cap_mw"], most),
        most=most,
    ).sort_values(["place", "poi", "musd", "carries"], ascending=[True, True, True, False])
    best = table.groupby(["place", "poi"])["carries"].cummax()
    best = best.groupby([table["place"], table["poi"]]).shift(1)  # of those that cost no more
    worse = (table["carries"] <= best) & ((power.max_ties == 1) | (best >= table["most"]))
    out = np.zeros(len(rows), dtype=bool)
    out[table.index[worse.to_numpy(dtype=bool)]] = True
    return out


def _most_mw(scenario: Scenario, pois: pd.DataFrame) -> np.ndarray:
    """Return (B,) the most grid MW a POI can ever give, upgrade steps included."""
    power = scenario.power
    most = pois["mw"].fillna(0.0).to_numpy(float)
    if power.upgrade_step is not None:
        bought = power.upgrade_step.mw * power.upgrade_step.max_steps
        most = most + np.where(pois["has_letter"].to_numpy(dtype=bool), 0.0, bought)
    return most if power.max_mw_per_poi is None else np.minimum(most, power.max_mw_per_poi)
