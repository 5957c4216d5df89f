"""Ids that one input uses and another must hold: every dangling one is reported, at once."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from sitepick.candidates import power
from sitepick.candidates.measure import needs_places
from sitepick.candidates.text import did_you_mean, some, where
from sitepick.errors import LayerError, ScenarioError
from sitepick.layers.types import Layers
from sitepick.scenario.schema import Scenario

_MOST_SHOWN = 20
"""Unknown ids of one kind that are listed (each costs a search for the nearest known one)."""


def check(
    scenario: Scenario,
    layers: Layers,
    places: pd.DataFrame,
    pois: pd.DataFrame,
    leased: pd.DataFrame,
) -> None:
    """Raise ScenarioError or LayerError with every id that nothing else knows.

    ``leased`` are the offers of leased halls: sites as well, but never existing ones.
    """
    of_scenario = [
        *_regions(scenario, layers),
        *_sites(scenario, places),
        *_demand(scenario, layers),
    ]
    of_layers = [
        *(_pois(layers, places, pois) if scenario.power.model == "grid" else ()),
        *_tables(scenario, layers, places, leased),
        *_leases(layers, places, leased),
    ]
    if of_scenario:
        raise ScenarioError([*of_scenario, *of_layers])
    if of_layers:
        raise LayerError(of_layers)


def _unknown(asked: Iterable[str], known: list[str], said: str) -> list[str]:
    """Return ``said`` with ``{id}`` filled for the first unknown ids, and a line for the rest."""
    wrong = sorted(set(asked) - set(known))
    problems = [said.replace("{id}", i) + did_you_mean(i, known) for i in wrong[:_MOST_SHOWN]]
    if len(wrong) > _MOST_SHOWN:
        more = said.replace("{id}", wrong[_MOST_SHOWN])
        problems.append(f"{more}, and {len(wrong) - _MOST_SHOWN - 1} more such ids")
    return problems


def _regions(scenario: Scenario, layers: Layers) -> list[str]:
    by_level: dict[str, list[str]] = {}
    if layers.regions is not None:
        for level, rows in layers.regions.groupby("level", sort=True):
            by_level[str(level)] = sorted(rows["region_id"])
    uses = [
        (f"regions.rules[{k}]", rule.level, rule.ids or [])
        for k, rule in enumerate(scenario.regions.rules)
    ]
    uses += [("regions.max_entered", level, []) for level in scenario.regions.max_entered]
    uses += [
        (f"procurement.{name}", item.level, item.ids or [])
        for name, item in scenario.procurement.items()
        if item.level is not None
    ]
    if scenario.power.model == "grid":
        uses += [
            (f"power.queue[{k}]", wait.level, [wait.region_id])
            for k, wait in enumerate(scenario.power.queue)
            if wait.level is not None and wait.region_id is not None
        ]
    problems = []
    for path, level, ids in uses:
        if level not in by_level:
            have = f"layers.regions has {some(by_level)}" if by_level else "layers.regions is empty"
            problems.append(f"{path}: no regions of level '{level}' ({have})")
            continue
        problems += _unknown(ids, by_level[level], f"{path}: no region '{{id}}' at level '{level}'")
    return problems


def _sites(scenario: Scenario, places: pd.DataFrame) -> list[str]:
    known = places["site_id"].tolist()
    return _unknown(
        [e.site_id for e in scenario.existing], known, "existing: no candidate place '{id}'"
    )


def _demand(scenario: Scenario, layers: Layers) -> list[str]:
    spread = [n for n, w in scenario.demand.named().items() if w.spread == "by_weight"]
    have = [layers.demand, layers.demand_mw, layers.matrix]
    if spread and needs_places(scenario, layers) and all(t is None or not len(t) for t in have):
        return [f"demand: workload {some(spread)} is spread by_weight, but layers.demand is empty"]
    return []


def _pois(layers: Layers, places: pd.DataFrame, pois: pd.DataFrame) -> list[str]:
    known = pois["poi_id"].tolist()
    pool = set(known) - _misspelt(layers)
    known = sorted(pool)
    role = where(layers, "parcels" if layers.parcels is not None else "sites")
    wrong = [
        (site, poi)
        for site, named in zip(places["site_id"], places["poi_ids"], strict=True)
        for poi in named or ()
        if poi not in pool
    ]
    problems = [
        f"{role}: '{site}' names POI '{poi}', which no substation and no letter has"
        f"{did_you_mean(poi, known)}"
        for site, poi in wrong[:_MOST_SHOWN]
    ]
    if len(wrong) > _MOST_SHOWN:
        problems.append(f"{role}: and {len(wrong) - _MOST_SHOWN} more poi_ids that nothing has")
    if layers.shared_limits is not None:
        asked = layers.shared_limits["poi_id"]
        said = f"{where(layers, 'shared_limits')}: no substation and no letter has POI '{{id}}'"
        problems += _unknown(asked, known, said)
    return problems


def _misspelt(layers: Layers) -> set[str]:
    """Return POIs that only places name, and that a letter has in other case or spacing.

    Without a substations layer a name alone makes a POI (`power.all_pois`); not so if it is
    plainly another's.
    """
    if layers.pois is not None or layers.power_offers is None:
        return set()
    lettered = set(layers.power_offers["poi_id"])
    same = {"".join(poi.casefold().split()) for poi in lettered}
    bare = power.named_pois(layers) - lettered
    return {poi for poi in bare if "".join(poi.casefold().split()) in same}


def _leases(layers: Layers, places: pd.DataFrame, leased: pd.DataFrame) -> list[str]:
    """Offers share the ids of sites; what is committed of them are IT MW, never grid MW."""
    ids = set(leased["site_id"])
    problems = [
        f"{where(layers, 'leases')}: '{i}' is the id of another place too; an offer is a site of "
        "its own: give it another offer_id"
        for i in sorted(ids & set(places["site_id"]))
    ]
    table = layers.commitments
    if table is not None:
        grid = table["site_id"].isin(ids) & (table["what"] == "grid_mw")
        problems += [
            f"{where(layers, 'commitments')}: '{i}' is a lease offer, which has no grid MW of "
            "one's own: commit what: site or it_mw"
            for i in sorted(set(table["site_id"][grid]))
        ]
    return problems


def _tables(
    scenario: Scenario, layers: Layers, places: pd.DataFrame, leased: pd.DataFrame
) -> list[str]:
    problems = []
    sites = [*places["site_id"], *leased["site_id"]]
    if layers.commitments is not None:
        said = f"{where(layers, 'commitments')}: no candidate place '{{id}}'"
        problems += _unknown(layers.commitments["site_id"], sites, said)
        known = {group.name for group in scenario.campus_groups}
        said = f"{where(layers, 'commitments')}: there is no campus group '{{id}}'"
        named = layers.commitments["group"].dropna()
        problems += _unknown(named, sorted(known), said)
        committed = set(layers.commitments["site_id"])
        forbidden = places["site_id"][places["decision"] == "forbid"]
        problems += [
            f"{where(layers, 'commitments')}: '{i}' is committed, but its decision is forbid"
            for i in sorted(committed & set(forbidden))
        ]
    if layers.matrix is not None and not set(layers.matrix["site_id"]) & set(sites):
        problems.append(
            f"{where(layers, 'matrix')}: none of its site_id is a candidate place "
            f"(it has {some(layers.matrix['site_id'], 3)}; the places are {some(sites, 3)})"
        )
    if layers.demand_mw is not None:
        role = where(layers, "demand_mw")
        names = list(scenario.demand.named())
        problems += _unknown(layers.demand_mw["workload"], names, f"{role}: no workload '{{id}}'")
        if layers.demand is not None:
            known = layers.demand["place_id"].tolist()
            asked = layers.demand_mw["place_id"]
            problems += _unknown(asked, known, f"{role}: no demand place '{{id}}'")
    return problems
