"""`propose`: generate places, measure them, screen them, and keep what the model needs."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import pandas as pd

from sitepick.candidates import (
    exclusions,
    fiber,
    flexible,
    generate,
    groups,
    leases,
    measure,
    network,
    onsite,
    power,
    queue,
    references,
    regions,
    ties,
)
from sitepick.candidates.screen import COLUMNS as FAILED
from sitepick.candidates.screen import Measured, screen
from sitepick.candidates.text import empty, keep_columns, some, where
from sitepick.candidates.types import LEASES, MARGINS, Candidates
from sitepick.errors import LayerError
from sitepick.layers.types import Layers, Note
from sitepick.scenario.schema import Scenario

_SITES = [
    "site_id", "name", "lon", "lat", "decision", "status", "usable_ha", "land_musd", "fixed_musd",
    "max_it_mw", "climate", "fiber_km", "option_expires", "synthetic",
]  # fmt: skip
_POIS = [
    "poi_id", "name", "lon", "lat", "kv", "kv_levels", "headroom_mw", "single_mw", "from_date",
    "estimated", "synthetic", *power.PRICES,
]  # fmt: skip
_TIES = ["site_id", "poi_id", "kv", "km", "cap_mw"]
_OFFERS = [
    "offer_id", "poi_id", "mw_total", "from_date", "to_date", "stage", "firm",
    "curtail_hours_per_year", "min_take_pct", "security_kusd_per_mw", "upgrade_musd", "reply_by",
    "letter_date", "source", "ramp_years",
]  # fmt: skip


def propose(
    scenario: Scenario, layers: Layers, on_grid: Collection[str] | None = None
) -> Candidates:
    """Return the places that may be built, what they can reach, and why the others may not.

    ``on_grid`` are the POIs that the scenario's grid has buses of; None without a grid.

    Places that are facts (decision existing or require, or committed) stay candidates whatever
    test they fail; that is noted, and the failures are in ``Candidates.overridden``.

    Raises `ScenarioError` or `LayerError` with every fault found: missing layers, dangling ids,
    facts without a POI, substations of which none has known MW.
    """
    source = generate.source_of(scenario, layers)
    places, geoms, notes = generate.places(scenario, layers, source)
    at_pois = source == "at_pois"
    committed = set() if layers.commitments is None else set(layers.commitments["site_id"])
    places["fact"] = places["decision"].isin(["existing", "require"]) | places["site_id"].isin(
        committed
    )
    with_grid = scenario.power.model == "grid"
    pois = network.stated(scenario, power.all_pois(layers))
    offered, more = leases.places(scenario, layers)
    notes += more
    references.check(scenario, layers, places, pois, offered)
    lon, lat = places["lon"].to_numpy(float), places["lat"].to_numpy(float)

    site_regions, more = regions.locate(places["site_id"], lon, lat, layers.regions, "site_id")
    notes += more
    excluded, left = exclusions.apply(layers.exclusions, geoms, lon, lat)
    places["usable_ha"], more = measure.usable_ha(scenario, places, left, table=source == "table")
    notes += more
    places["fiber_km"] = measure.fiber_km(scenario, layers, places)
    notes += _climate(scenario, layers, places, site_regions)
    notes += _doubts(scenario, layers, places)

    access, more = onsite.access(scenario, layers, places, site_regions)
    notes += more
    off_grid = places["site_id"].isin(onsite.off_grid_sites(scenario, access)).to_numpy()

    found, waits = None, empty(queue.COLUMNS)
    if with_grid:
        notes += _bare_pois(layers)
        waits, more = queue.tiers(scenario, layers, pois[power.in_queue(layers, pois)])
        notes += more
        margins, more = flexible.margins(scenario, layers, pois)
        notes += more
        of_areas = flexible.at_pois(margins, pois["poi_id"].to_numpy(dtype=object))
        pois = pois.join(power.dated_mw(scenario, layers, pois, waits, of_areas))
        pois = network.judged(scenario, pois, on_grid)
        if source != "leases" and not off_grid.any():
            _refuse_unknown_mw(scenario, layers, pois)
        found = ties.search(scenario, places, pois, at_pois)
    measured = Measured(
        places, site_regions, excluded, left, pois if with_grid else None, found, at_pois, off_grid
    )
    failed = screen(scenario, layers, measured)
    fact = places["fact"].to_numpy(dtype=bool)
    failing = np.zeros(len(places), dtype=bool)
    failing[failed["place"].to_numpy(dtype=int)] = True
    places["status"] = np.where(failing & ~fact, "rejected", "candidate")
    overridden = failed[fact[failed["place"].to_numpy(dtype=int)]]
    notes += _overridden(overridden)
    rejections = failed[~fact[failed["place"].to_numpy(dtype=int)]]

    tied, used, shared = empty(_TIES), empty(_POIS), empty(list(MARGINS))
    if found is not None:
        _refuse_facts_without_poi(places[~off_grid], found)
        tied, used, more = _tied(scenario, layers, places, pois, site_regions, found)
        notes += more
        places["synthetic"] |= _tied_to_synthetic(places, tied, used)
        shared = flexible.of_pois(margins, set(used["poi_id"]))
    of_pois = set(used["poi_id"])

    demand, more = measure.demand_places(scenario, layers)
    notes += more
    let, more = _leased(scenario, layers, offered, committed)
    notes += more
    places = _both(places[[*_SITES, *keep_columns(places)]], let.places)
    site_regions = _both(site_regions, let.regions, ["site_id", "level"])
    rejections = _both(rejections[FAILED], let.failed)
    overridden = _both(overridden[FAILED], let.overridden)
    chosen = places[places["status"] == "candidate"]
    met, more = fiber.access(scenario, layers, places, demand)
    notes += [*more, *groups.notes(scenario, met, places)]
    places["fiber_second_km"] = np.nan if met is None else met.sites.second_km
    reach, more = measure.reach(scenario, layers, places, demand, met)
    notes += more
    return Candidates(
        sites=places,
        failed=rejections,
        overridden=overridden,
        pois=used,
        ties=tied,
        site_regions=site_regions,
        regions=regions.table(layers.regions),
        places=demand,
        reach=reach,
        offers=_rows(layers.power_offers, _OFFERS, ["poi_id", "offer_id"], of_pois),
        demand_mw=_rows(
            layers.demand_mw,
            ["place_id", "workload", "from_date", "mw"],
            ["place_id", "workload", "from_date"],
        ),
        shared_limits=_rows(
            layers.shared_limits,
            ["limit_id", "poi_id", "factor", "mw", "from_date", "source"],
            ["limit_id", "poi_id"],
            of_pois,
        ),
        queue=waits[waits["poi_id"].isin(of_pois)].reset_index(drop=True),
        commitments=_rows(
            layers.commitments,
            ["site_id", "what", "group", "mw", "date", "musd"],
            ["site_id", "date", "what", "group"],
        ),
        margins=shared,
        leases=let.terms,
        sources=layers.sources,
        notes=(*layers.notes, *notes),
        onsite=access[access["site_id"].isin(chosen["site_id"])].reset_index(drop=True),
        onsite_sized=onsite.sized(scenario, layers),
        fiber=met,
    )


@dataclass(frozen=True)
class _Leased:
    """Offers of leased halls: their places, regions, terms and failed tests."""

    places: pd.DataFrame
    regions: pd.DataFrame
    terms: pd.DataFrame
    failed: pd.DataFrame
    overridden: pd.DataFrame


def _leased(
    scenario: Scenario, layers: Layers, places: pd.DataFrame, committed: set[str]
) -> tuple[_Leased, list[Note]]:
    """Return the offers measured and screened by their own tests, and notes."""
    if not len(places):
        bare = empty(FAILED)
        return _Leased(places, empty(["site_id"]), empty(LEASES), bare, bare), []
    lon, lat = places["lon"].to_numpy(float), places["lat"].to_numpy(float)
    inside, notes = regions.locate(places["site_id"], lon, lat, layers.regions, "site_id")
    notes += _climate(scenario, layers, places, inside)
    terms, more = leases.table(scenario, layers, places, inside)
    failed = leases.screen(scenario, layers, places, inside, terms)
    fact = failed["site_id"].isin(committed)
    out = places["site_id"].isin(failed["site_id"][~fact])
    places["status"] = np.where(out, "rejected", "candidate")
    overridden = failed[fact]
    notes += [*more, *_overridden(overridden)]
    frame = places[[*_SITES, *keep_columns(places)]]
    return _Leased(frame, inside, terms, failed[~fact], overridden), notes


def _both(own: pd.DataFrame, more: pd.DataFrame, by: list[str] | None = None) -> pd.DataFrame:
    """Return the rows of both tables, sorted by site_id (and what ``by`` says) where both have."""
    if not len(more):
        return own.reset_index(drop=True)
    whole = pd.concat([own, more], ignore_index=True) if len(own) else more
    return whole.sort_values(by or ["site_id"], kind="stable", ignore_index=True)


def _rows(
    table: pd.DataFrame | None, columns: list[str], order: list[str], pois: set[str] | None = None
) -> pd.DataFrame:
    """Return a table of the layers sorted, with the rows of ``pois`` only."""
    if table is None:
        return empty(columns)
    if pois is not None:
        table = table[table["poi_id"].isin(pois)]
    # ties in `order` are broken by the whole row: the order of a file must not matter
    text = ["|".join(map(str, row)) for row in table[columns].itertuples(index=False)]
    ordered = table.assign(_all=text).sort_values([*order, "_all"], ignore_index=True)
    return ordered[[*columns, *keep_columns(table)]]


def _tied(
    scenario: Scenario,
    layers: Layers,
    places: pd.DataFrame,
    pois: pd.DataFrame,
    site_regions: pd.DataFrame,
    found: ties.TieSearch,
) -> tuple[pd.DataFrame, pd.DataFrame, list[Note]]:
    """Return the ties of the candidates, their POIs with prices, and notes."""
    tied, notes = ties.table(found, scenario, places, pois)
    used = pois[pois["poi_id"].isin(tied["poi_id"])].reset_index(drop=True)
    used, more = power.resolve_prices(used, scenario, layers, site_regions, tied)
    used = used[[*_POIS, *keep_columns(used)]]
    return tied, used, [*notes, *more, *_unused_offers(layers, set(used["poi_id"]))]


def _tied_to_synthetic(places: pd.DataFrame, tied: pd.DataFrame, used: pd.DataFrame) -> pd.Series:
    synthetic = used["poi_id"][used["synthetic"]]
    return places["site_id"].isin(tied["site_id"][tied["poi_id"].isin(synthetic)])


def _climate(
    scenario: Scenario, layers: Layers, places: pd.DataFrame, site_regions: pd.DataFrame
) -> list[Note]:
    """Fill the climate: the place's own, its smallest region's, the scenario's, else mild."""
    if layers.regions is not None and "climate" in layers.regions and len(layers.regions):
        areas = regions.region_areas(layers.regions)
        found = regions.most_specific(site_regions, "site_id", layers.regions, "climate", areas)
        of_region = places["site_id"].map(found)
        places["climate"] = places["climate"].where(places["climate"].notna(), of_region)
    unknown = places["climate"].isna()
    places["climate"] = places["climate"].where(~unknown, scenario.candidates.climate or "mild")
    if scenario.candidates.climate is not None or scenario.halls == "none" or not unknown.any():
        return []
    count = int(unknown.sum())
    message = (
        f"{count} places have no climate, and neither have their regions nor the scenario "
        f"(candidates.climate): mild was taken for PUE: {some(places['site_id'][unknown])}"
    )
    return [Note("candidates", "climate_assumed", message, count)]


def _doubts(scenario: Scenario, layers: Layers, places: pd.DataFrame) -> list[Note]:
    notes = []
    nowhere = places["lon"].isna()
    if nowhere.any() and layers.exclusions is not None:
        count = int(nowhere.sum())
        message = f"{count} places without coordinates were not tested against exclusions: "
        notes.append(
            Note(
                "exclusions",
                "exclusion_untested",
                message + some(places["site_id"][nowhere]),
                count,
            )
        )
    unknown = places["fiber_km"].isna()
    if scenario.candidates.fiber_km_max is not None and unknown.any():
        count = int(unknown.sum())
        message = f"{count} places have no known distance to fiber and pass fiber_km_max"
        notes.append(Note("candidates", "fiber_unknown", message, count))
    expired = [
        site
        for site, day in zip(places["site_id"], places["option_expires"], strict=True)
        if day is not None and day < scenario.as_of
    ]
    if expired:
        message = f"{len(expired)} parcel options expired before as_of: {some(expired)}"
        notes.append(Note("parcels", "option_expired", message, len(expired)))
    return notes


def _overridden(failed: pd.DataFrame) -> list[Note]:
    """Say loudly, place by place, which fact was kept in spite of what."""
    return [
        Note(
            "candidates",
            "kept_fact",
            f"'{site}' is existing, required or committed and stays a candidate, although: "
            + "; ".join(f"{t}: {m}" for t, m in zip(rows["test"], rows["message"], strict=True)),
            len(rows),
        )
        for site, rows in failed.groupby("site_id", sort=True)
    ]


def _refuse_unknown_mw(scenario: Scenario, layers: Layers, pois: pd.DataFrame) -> None:
    contracted = any(e.grid_mw > 0 for e in scenario.existing)
    if scenario.power.unknown_headroom == "zero" or contracted:
        return
    if pois["headroom_mw"].notna().any() or pois["has_letter"].any():
        return
    role = where(layers, "substations")
    stated = f"none of its {len(pois):,} POIs states headroom_mw" if len(pois) else "no POI"
    raise LayerError(
        f"{role}: {stated}, and there is no letter (layers.power_offers): no MW are known, and "
        "none are invented. Add letters or a column headroom_mw; or plan with bought upgrades: "
        "power.unknown_headroom: zero and power.upgrade_step; or without power: power.model: none"
    )


def _refuse_facts_without_poi(places: pd.DataFrame, found: ties.TieSearch) -> None:
    tied = places.index.isin(found.pairs["place"].to_numpy(dtype=int))
    alone = places[places["fact"].to_numpy(dtype=bool) & ~tied]
    if len(alone):
        raise LayerError(
            [
                f"'{site}' is existing, required or committed, but has no POI: give it poi_ids, "
                "or raise power.tie_km_max, or lower candidates.min_kv"
                for site in alone["site_id"]
            ]
        )


def _bare_pois(layers: Layers) -> list[Note]:
    """Note POIs that only places name: no letter, and no substations layer to know them."""
    if layers.pois is not None:
        return []
    offers = layers.power_offers
    lettered = set() if offers is None else set(offers["poi_id"])
    bare = power.named_pois(layers) - lettered
    if not bare:
        return []
    role = "parcels" if layers.parcels is not None else "sites"
    message = f"{len(bare)} POIs named by {role} have no letter: no MW are known: {some(bare)}"
    return [Note(role, "poi_without_letter", message, len(bare))]


def _unused_offers(layers: Layers, of_pois: set[str]) -> list[Note]:
    offers = layers.power_offers
    if offers is None:
        return []
    notes = []
    lost = offers[~offers["poi_id"].isin(of_pois)]
    if len(lost):
        most = lost.groupby("poi_id")["mw_total"].max().sum()
        message = (
            f"{len(lost)} letters (up to {most:,.0f} grid MW) are at POIs that no candidate ties "
            f"to: {some(lost['poi_id'])}"
        )
        notes.append(Note("power_offers", "offer_unused", message, len(lost)))
    if layers.pois is not None:
        strange = sorted(set(offers["poi_id"]) - set(layers.pois["poi_id"]))
        if strange:
            message = (
                f"{len(strange)} POIs are known from letters only, not from the substations "
                f"layer: {some(strange)}"
            )
            notes.append(Note("power_offers", "offer_poi_unknown", message, len(strange)))
    return notes
