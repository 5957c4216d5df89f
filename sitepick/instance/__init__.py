"""Scenario and candidates as arrays: `assemble`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd

from sitepick.candidates.types import Candidates
from sitepick.errors import ScenarioError
from sitepick.instance.demand import demand_of
from sitepick.instance.earlier import earlier_of
from sitepick.instance.equipment import halls_of, hardware_of
from sitepick.instance.fiber import fiber_of
from sitepick.instance.flexible import flexible_of
from sitepick.instance.group_types import Groups
from sitepick.instance.groups import groups_of
from sitepick.instance.joint import joint_of
from sitepick.instance.leases import leased_sites, leases_of, on_lease
from sitepick.instance.onsite import onsite_of, opening_from, sites_with_options
from sitepick.instance.power import headroom_of, ties_of
from sitepick.instance.regions import RegionSets, regions_of
from sitepick.instance.splits import splits_of
from sitepick.instance.tables import positions, records
from sitepick.instance.timeline import Timeline
from sitepick.instance.types import (
    Commitment,
    DemandData,
    Halls,
    HardwareData,
    Headroom,
    Instance,
    Sites,
    Supply,
    Ties,
)
from sitepick.matrix import BoolArray, FloatArray
from sitepick.network.types import Grid
from sitepick.scenario.catalog import hall_classes
from sitepick.scenario.fields import value_at
from sitepick.scenario.schema import Scenario

__all__ = ["Instance", "Timeline", "assemble"]

TRIMMED_ABOVE = 200_000
"""Columns by site, class, hardware and period above which a program leaves out those that no plan
can use. A smaller one keeps them: their prices say what MW would be worth where there are none."""


def assemble(scenario: Scenario, candidates: Candidates, network: Grid | None = None) -> Instance:
    """Return the instance of a scenario; ``network`` is the grid that must carry the plan.

    Raises ScenarioError for ids that no candidate has.
    """
    time = Timeline.of(scenario)
    frame = candidates.sites[candidates.sites["status"] == "candidate"]
    site_at = {str(s): i for i, s in enumerate(frame["site_id"])}
    _known_sites(scenario, candidates, site_at)
    grid = scenario.power.model == "grid"
    regions = regions_of(scenario, candidates, time, site_at)
    headroom = headroom_of(scenario, candidates, time, site_at)
    existing = (frame["decision"] == "existing").to_numpy(dtype=bool)
    poi_at = {b: i for i, b in enumerate(headroom.poi_ids)}
    powered = sites_with_options(candidates, site_at)
    ties = ties_of(scenario, candidates, site_at, poi_at, existing, headroom.most_mw, powered)
    demand = demand_of(scenario, candidates, time, site_at)
    groups = groups_of(scenario, candidates, time, demand)
    commitments = _commitments(candidates, time, site_at, groups)
    leased = leased_sites(candidates, site_at)
    bound = _max_it(
        scenario, frame, ties, headroom, demand, groups, commitments, powered | leased, grid=grid
    )
    limited = np.isfinite(_stated_max(scenario, frame)) | powered | (not grid)
    halls = halls_of(scenario, candidates, time, site_at, bound)
    hardware = hardware_of(scenario, time, site_at, halls, regions)
    supplies = _supplies(scenario, candidates, time, site_at, hardware)
    halls, hardware = _ordered_in_time(time, supplies, halls, hardware)
    bound = np.maximum(bound, hardware.existing_mw.sum(axis=(1, 2)).max(axis=1, initial=0.0))
    budget, budget_from = _budget(scenario, time)
    swing = np.array([w.power_swing_pct for w in scenario.demand.named().values()]) / 100
    most_mw = bound * halls.pue_peak.max(axis=1, initial=1.0) * (1 + swing.max())
    onsite = onsite_of(scenario, candidates, time, site_at, most_mw)
    sites = _sites(scenario, frame, time, regions, bound, limited, existing, grid=grid)
    early = opening_from(onsite, len(site_at), time.n)
    sites = replace(sites, open_from=np.minimum(sites.open_from, early))
    leases = leases_of(scenario, candidates, time, site_at)
    sites, halls, hardware = on_lease(scenario, candidates, leases, sites, halls, hardware, time)
    fiber = fiber_of(scenario, candidates, time, site_at, demand)
    return Instance(
        time=time,
        sites=sites,
        ties=ties,
        headroom=headroom,
        onsite=onsite,
        halls=halls,
        hardware=hardware,
        demand=demand,
        flexible=flexible_of(scenario, candidates, time, headroom, ties, halls),
        leases=leases,
        regions=regions.rows,
        entries=regions.entries,
        max_entered=tuple(sorted(scenario.regions.max_entered.items())),
        supplies=supplies,
        commitments=commitments,
        budget_musd=budget,
        budget_from=budget_from,
        carry_over=scenario.budget_carry_over,
        load_factor=scenario.power.load_factor_pct / 100,
        grid=grid,
        max_cost_musd=scenario.limits.net_present_cost_musd_max,
        max_co2_kt=scenario.limits.co2_kt_per_year_max,
        max_water_ml=scenario.limits.water_ml_per_year_max,
        min_it_mw=_floor(scenario.limits.it_mw_min, time),
        min_served=_floor(scenario.limits.served_ref_mw_min, time),
        objective=scenario.objective,
        joint=None if network is None else joint_of(scenario, candidates, time, network),
        earlier=earlier_of(candidates, time, site_at, ties, headroom.poi_ids),
        fiber=fiber,
        splits=splits_of(scenario, candidates, site_at, demand, fiber),
        swing=swing,
        groups=groups,
        trimmed=len(site_at) * int(hardware.fits.sum()) * time.n > TRIMMED_ABOVE,
    )


def _known_sites(scenario: Scenario, candidates: Candidates, site_at: Mapping[str, int]) -> None:
    problems = [
        f"existing: no candidate has site_id {site.site_id!r}; a site that stands must be in the "
        "parcels or sites layer with decision 'existing'"
        for site in scenario.existing
        if site.site_id not in site_at
    ]
    problems += [
        f"commitments: no candidate has site_id {str(site)!r}"
        for site in candidates.commitments["site_id"]
        if str(site) not in site_at
    ]
    if problems:
        raise ScenarioError(problems)


def _sites(
    scenario: Scenario,
    frame: pd.DataFrame,
    time: Timeline,
    regions: RegionSets,
    bound: FloatArray,
    limited: BoolArray,
    existing: BoolArray,
    *,
    grid: bool,
) -> Sites:
    rules, n = scenario.candidates, len(frame)
    lead = scenario.power.tie_months if grid else 0.0
    asked = frame["land_musd"].to_numpy(dtype=float)
    usable = frame["usable_ha"].to_numpy(dtype=float)
    fiber_km = np.nan_to_num(frame["fiber_km"].to_numpy(dtype=float))
    if scenario.fiber.diverse:
        second = frame.get("fiber_second_km", pd.Series(np.nan, index=frame.index))
        fiber_km = fiber_km + second.fillna(frame["fiber_km"]).fillna(0.0).to_numpy(dtype=float)
    return Sites(
        ids=tuple(str(s) for s in frame["site_id"]),
        existing=existing,
        required=(frame["decision"] == "require").to_numpy(dtype=bool),
        open_from=np.where(existing, 0, time.after(lead)),
        closed=regions.closed,
        max_it_mw=bound,
        limited=limited,
        min_it_mw=np.where(existing, 0.0, rules.min_it_mw_per_site),
        usable_ha=np.where(np.isnan(usable), np.inf, usable),
        land_musd=np.where(existing, 0.0, np.nan_to_num(asked)),
        land_musd_per_ha=np.where(np.isnan(asked), rules.land_musd_per_ha, 0.0) + np.zeros(n),
        fixed_musd=np.where(existing, 0.0, rules.site_fixed_musd + frame["fixed_musd"].fillna(0)),
        fiber_musd=np.where(existing, 0.0, fiber_km * scenario.fiber.musd_per_km),
        capex_factor=regions.capex_factor,
        om_musd_per_year=np.full(n, float(rules.site_om_musd_per_year)),
        site_life_years=rules.site_life_years,
        fiber_life_years=scenario.fiber.life_years,
        lead_months=lead,
        count_max=scenario.limits.sites_max,
    )


def _max_it(
    scenario: Scenario,
    frame: pd.DataFrame,
    ties: Ties,
    headroom: Headroom,
    demand: DemandData,
    groups: Groups,
    commitments: tuple[Commitment, ...],
    powered: BoolArray,
    *,
    grid: bool,
) -> FloatArray:
    """Return (S,) finite bounds of IT MW: the candidate's own, its POIs', and all that is asked.

    POIs do not bound sites with on-site power (``powered``).

    More IT than the largest total demand is never of use, unless a limit asks for it; what such
    limits can ask is added. Hardware with less yield than the reference needs more IT MW.
    """
    bound = _stated_max(scenario, frame)
    if grid:
        best = np.zeros(len(frame))
        # of ties of which a site may have one, only the largest counts
        (np.maximum if ties.most == 1 else np.add).at(best, ties.site, ties.tight_mw)
        least = _least_pue(scenario)
        by_grid = (best + headroom.existing_mw) / least
        bound = np.minimum(bound, np.where(powered, np.inf, by_grid))
    if not np.isfinite(bound).all():
        bound = np.minimum(bound, _most_asked(scenario, demand, groups, commitments))
    return bound


def _floor(series: Mapping[date, float] | None, time: Timeline) -> FloatArray:
    """Return (T,) what is asked at least by date, 0 where nothing is."""
    return np.array([value_at(dict(series or {}), p) or 0.0 for p in time.starts[:-1]])


def _stated_max(scenario: Scenario, frame: pd.DataFrame) -> FloatArray:
    """Return (S,) the campus limit of the candidate or the scenario, IT MW; inf without one."""
    stated = frame["max_it_mw"].to_numpy(dtype=float)
    rule = scenario.candidates.max_it_mw_per_site
    return np.fmin(np.where(np.isnan(stated), np.inf, stated), np.inf if rule is None else rule)


def _ordered_in_time(
    time: Timeline, supplies: tuple[Supply, ...], halls: Halls, hardware: HardwareData
) -> tuple[Halls, HardwareData]:
    """Delay what needs a limited supply until that can be delivered."""
    build_from, buy_from = halls.build_from.copy(), hardware.buy_from.copy()
    for supply in supplies:
        first = time.after(supply.lead_months)
        sites = slice(None) if supply.sites is None else supply.sites
        if supply.per == "hardware_it_mw":
            here = buy_from[sites, supply.hardware]
            buy_from[sites, supply.hardware] = np.maximum(here, first)
            continue
        needs = np.ones(len(halls.ids), dtype=bool)
        if supply.per == "grid_mw":
            needs = halls.base < 0  # a retrofit keeps its transformer
        elif supply.per == "liquid_it_mw":
            needs = halls.liquid > 0
        elif supply.per == "construction_it_mw":
            continue
        for k in np.flatnonzero(needs):
            build_from[sites, k] = np.maximum(build_from[sites, k], first)
    return replace(halls, build_from=build_from), replace(hardware, buy_from=buy_from)


def _least_pue(scenario: Scenario) -> float:
    rows = hall_classes(scenario)
    return min((min(row.pue_peak.values()) for row in rows), default=1.0)


def _most_asked(
    scenario: Scenario,
    demand: DemandData,
    groups: Groups,
    commitments: tuple[Commitment, ...],
) -> float:
    from sitepick.instance.equipment import hardware_rows

    gross = groups.gross(len(demand.workloads))  # campus groups lose some of what they work
    asked = (demand.mw.sum(axis=1).T @ gross).max(initial=0.0)
    yields = [
        getattr(row, use) for row in hardware_rows(scenario)
        for use in ("training", "prefill", "decode") if getattr(row, use) > 0
    ]  # fmt: skip
    asked /= min([1.0, *yields]) * (1 - scenario.network_share_pct / 100)
    floors = [max(r.min_it_mw.values(), default=0.0) for r in scenario.regions.rules if r.min_it_mw]
    floors += [r.min_it_mw_once_entered for r in scenario.regions.rules]
    floors += [max((scenario.limits.it_mw_min or {}).values(), default=0.0)]
    floors += [c.mw for c in commitments] + [scenario.candidates.min_it_mw_per_site]
    floors += [g.min_site_it_mw for g in scenario.campus_groups]
    return float(asked + sum(floors) + sum(s.grid_mw for s in scenario.existing))


def _commitments(
    candidates: Candidates, time: Timeline, site_at: Mapping[str, int], groups: Groups
) -> tuple[Commitment, ...]:
    """Raises ScenarioError for members out of reach of their group's nodes."""
    names = [group.name for group in groups.rows]
    made = tuple(
        Commitment(
            site=site_at[str(row["site_id"])],
            what=str(row["what"]),
            mw=0.0 if pd.isna(row["mw"]) else float(row["mw"]),
            start=0 if pd.isna(row["date"]) else time.first_from(row["date"]),
            group=names.index(str(row["group"])) if row["what"] == "member" else -1,
        )
        for row in records(candidates.commitments)
    )
    problems = [
        f"commitments: {row['site_id']} meets no fiber that group '{row['group']}' may use, and "
        "cannot be a member (give it a place on the network, or raise nodes_max)"
        for c, row in zip(made, records(candidates.commitments), strict=True)
        if c.group >= 0 and c.site not in groups.rows[c.group].site
    ]
    if problems:
        raise ScenarioError(problems)
    return made


def _supplies(
    scenario: Scenario,
    candidates: Candidates,
    time: Timeline,
    site_at: Mapping[str, int],
    hardware: HardwareData,
) -> tuple[Supply, ...]:
    out = []
    for name, item in scenario.procurement.items():
        sites = None
        if item.level is not None:
            table = candidates.site_regions
            inside = table[(table["level"] == item.level) & table["region_id"].isin(item.ids or [])]
            inside = inside[inside["site_id"].isin(list(site_at))]
            sites = np.sort(positions(inside["site_id"], site_at))
        out.append(
            Supply(
                name=name,
                per=item.per,
                amount=item.amount,
                hardware=hardware.ids.index(item.hardware) if item.hardware else -1,
                cap=np.array([item.cap.get(y, np.inf) for y in time.years]),
                lead_months=item.lead_months,
                sites=sites,
                unit=item.unit,
            )
        )
    return tuple(out)


def _budget(scenario: Scenario, time: Timeline) -> tuple[FloatArray | None, int]:
    """Return (Y,) MUSD by calendar year, and the index of the first year that has a budget."""
    if scenario.budget_musd is None:
        return None, 0
    out = np.zeros(len(time.years))
    for year, musd in scenario.budget_musd.items():
        if year <= time.years[-1]:
            out[max(0, year - time.years[0])] += musd
    first = min(scenario.budget_musd, default=time.years[0])
    return out, min(max(0, first - time.years[0]), len(time.years) - 1)
