"""Offers of leased halls as arrays: terms in periods, rent in MUSD, what the tenant adds."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np

from sitepick.candidates.leases import fits
from sitepick.candidates.types import Candidates
from sitepick.instance.equipment import price_factor
from sitepick.instance.lease_terms import Leases
from sitepick.instance.tables import records
from sitepick.instance.timeline import FOREVER, Timeline, add_months, whole_months
from sitepick.instance.types import Halls, HardwareData, Sites
from sitepick.matrix import BoolArray, FloatArray
from sitepick.scenario.catalog import hall_classes
from sitepick.scenario.catalog import hardware as hardware_rows
from sitepick.scenario.schema import Scenario


def leases_of(
    scenario: Scenario, candidates: Candidates, time: Timeline, site_at: Mapping[str, int]
) -> Leases:
    """Return the offers that are candidates, in order of site."""
    rows = [r for r in records(candidates.leases) if str(r["site_id"]) in site_at]
    rows.sort(key=lambda r: site_at[str(r["site_id"])])
    classes = hall_classes(scenario)
    at = {row.id: k for k, row in enumerate(classes)}
    factors = dict(zip(at, (price_factor(scenario, row) for row in classes), strict=True))
    term = np.array([FOREVER if r["renews"] else float(r["term_years"]) for r in rows], dtype=float)
    shell = np.array([r["kind"] == "powered_shell" for r in rows], dtype=bool)
    inflation = scenario.money.inflation_pct / 100
    share = scenario.leases.fit_out_pct / 100

    def of_class(name: str) -> FloatArray:
        """Return (L,) a figure of each offer's class in the scenario's price year, 0 without."""
        found = [
            getattr(classes[at[r["hall"]]], name) * factors[r["hall"]] if r["hall"] in at else 0.0
            for r in rows
        ]
        return np.array(found, dtype=float)

    life = np.array(
        [classes[at[r["hall"]]].life_years if r["hall"] in at else 1.0 for r in rows], dtype=float
    )
    rent = [
        float(r["usd_per_kw_month"])
        * (1 + inflation) ** (scenario.money.price_year - int(r["price_year"]))
        for r in rows
    ]
    grows = [
        1.0 if np.isnan(r["escalation_pct"]) else (1 + r["escalation_pct"] / 100) / (1 + inflation)
        for r in rows
    ]
    energy = [0.0 if r["power_included"] else float(r["energy_usd_per_mwh"]) for r in rows]
    return Leases(
        site=np.array([site_at[str(r["site_id"])] for r in rows], dtype=np.int64),
        hall=np.array([at.get(r["hall"], 0) for r in rows], dtype=np.int64),
        it_mw_min=np.array([r["it_mw_min"] for r in rows], dtype=float),
        it_mw_max=np.array([r["it_mw_max"] for r in rows], dtype=float),
        first=np.array([time.first_from(first_day(scenario, r)) for r in rows], dtype=np.int64),
        term_years=term,
        rent_musd=np.array(rent, dtype=float) * 12 / 1000,
        grows=np.array(grows, dtype=float),
        energy_usd_per_mwh=np.array(energy, dtype=float),
        co2_kg_per_mwh=np.array([r["co2_kg_per_mwh"] for r in rows], dtype=float),
        fit_out_musd=np.where(shell, share * of_class("capex_musd_per_mw"), 0.0),
        fit_out_months=scenario.leases.fit_out_months,
        fit_out_life=np.minimum(life, term),
        om_musd=np.where(shell, of_class("om_musd_per_mw_year"), 0.0),
    )


def first_day(scenario: Scenario, row: Mapping[str, Any]) -> date:
    """Return the day from which an offer's IT MW can be used: a shell is fitted out first."""
    day = max(row["ready_date"], scenario.as_of)
    months = whole_months(scenario.leases.fit_out_months)
    return add_months(day, months) if row["kind"] == "powered_shell" else day


def periods_of_term(time: Timeline, term_years: float) -> int:
    """Return how many whole periods a term covers; T where it ends after the horizon."""
    if math.isinf(term_years):
        return time.n
    return min(time.n, math.floor(term_years / time.dt[0] + 1e-9))


def leased_sites(candidates: Candidates, site_at: Mapping[str, int]) -> BoolArray:
    """Return (S,) which sites are offers of leased halls."""
    out = np.zeros(len(site_at), dtype=bool)
    out[[site_at[str(s)] for s in candidates.leases["site_id"] if str(s) in site_at]] = True
    return out


def on_lease(
    scenario: Scenario,
    candidates: Candidates,
    leases: Leases,
    sites: Sites,
    halls: Halls,
    hardware: HardwareData,
    time: Timeline,
) -> tuple[Sites, Halls, HardwareData]:
    """Return sites, halls and hardware with what a leased site is: no land, works, halls of its
    own; the offer's PUE; hardware that its density and cooling hold."""
    if not len(leases.site):
        return sites, halls, hardware
    at = leases.site
    whole = np.zeros(len(sites.ids), dtype=bool)
    whole[at] = True
    open_from = sites.open_from.copy()
    open_from[at] = leases.first
    own = (~whole).astype(float)
    sites = replace(
        sites,
        open_from=open_from,
        limited=sites.limited & ~whole,
        min_it_mw=sites.min_it_mw * own,
        land_musd=sites.land_musd * own,
        land_musd_per_ha=sites.land_musd_per_ha * own,
        fixed_musd=sites.fixed_musd * own,
        fiber_musd=sites.fiber_musd * own,
        om_musd_per_year=sites.om_musd_per_year * own,
    )
    peak, avg = halls.pue_peak.copy(), halls.pue_avg.copy()
    terms = {str(r["site_id"]): r for r in records(candidates.leases)}
    buy_from = hardware.buy_from.copy()
    rows = hardware_rows(scenario)
    for i, k in zip(at, leases.hall, strict=True):
        row = terms[sites.ids[i]]
        if not np.isnan(row["pue_avg"]):
            avg[i, k] = row["pue_avg"]
        stated = row["pue_peak"]
        peak[i, k] = max(peak[i, k], avg[i, k]) if np.isnan(stated) else stated
        for h, item in enumerate(rows):
            if not fits(row, item.kw_per_rack, item.liquid_required):
                buy_from[i, h] = time.n
    most = np.where(whole[:, None], 0, halls.most)
    halls = replace(halls, pue_peak=peak, pue_avg=avg, most=most)
    return sites, halls, replace(hardware, buy_from=buy_from)
