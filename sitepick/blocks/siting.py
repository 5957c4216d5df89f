"""Siting: sites open and stay open; land, campus size, required and existing sites, moratoria."""

from __future__ import annotations

import numpy as np

from sitepick.blocks.columns import halls_at, it_at, open_at, periods, site_period
from sitepick.blocks.ledger import Ledger
from sitepick.blocks.onsite import land_terms
from sitepick.instance.types import Instance
from sitepick.program import Program

NAME = "siting"
_SAME = 1e-9  # MW, absolute and relative: work that differs by less is the same


def applies(inst: Instance) -> bool:
    """Always: every plan opens sites."""
    return True


def columns(program: Program, inst: Instance, ledger: Ledger) -> None:
    """Add `siting.open` and what opening costs (land asked as a whole, works, laterals)."""
    sites = inst.sites
    site, period = site_period(inst)
    program.add_columns(
        "siting.open",
        keys={"site": site, "period": period},
        owner=site,
        lower=sites.existing[site].astype(float),
        upper=(period >= sites.open_from[site]).astype(float),
        integer=True,
        unit="1",
    )
    level = open_at(program, inst)
    lead = sites.lead_months
    ledger.level_purchase("land", level, sites.land_musd, lead_months=lead)
    ledger.level_purchase(
        "site", level, sites.fixed_musd, life_years=sites.site_life_years, lead_months=lead
    )
    ledger.level_purchase(
        "fiber", level, sites.fiber_musd, life_years=sites.fiber_life_years, lead_months=lead
    )
    ledger.yearly("om", level.ravel(), period, sites.om_musd_per_year[site])


def rows(program: Program, inst: Instance, ledger: Ledger) -> None:
    """Add the rows `siting.*`."""
    sites, n = inst.sites, inst.time.n
    level = open_at(program, inst)
    if n > 1:
        site, period = site_period(inst, 1)
        stay = program.add_rows("siting.stay", keys={"site": site, "period": period}, lower=0)
        program.add_entries(stay, level[site, period], 1)
        program.add_entries(stay, level[site, period - 1], -1)
    _closed(program, inst)
    required = np.flatnonzero(sites.required)
    if len(required):
        must = program.add_rows("siting.required", keys={"site": required}, lower=1, relaxable=True)
        program.add_entries(must, level[required, -1], 1)
    _land(program, inst)
    _campus(program, inst)
    if sites.count_max is not None:
        count = program.add_rows(
            "siting.count", keys={"one": [0]}, upper=sites.count_max, unit="sites", relaxable=True
        )
        program.add_entries(count[0], level[:, -1], 1)
    if not (inst.halls.whole or inst.hardware.bought or len(inst.leases.site)):
        _enough(program, inst)


def _enough(program: Program, inst: Instance) -> None:
    """So many sites are open as the work that must be served needs, were they the largest.

    Without halls and hardware a site serves at most its largest IT MW. The relaxation otherwise
    opens parts of sites, and only two and a half of them where three are needed.
    """
    sites, demand = inst.sites, inst.demand
    asked = demand.mw[demand.must].sum(axis=(0, 1))  # (T,)
    may_stand = np.arange(inst.time.n)[None, :] >= sites.open_from[:, None]
    largest = np.sort(np.where(may_stand, sites.max_it_mw[:, None], 0.0), axis=0)[::-1]
    short = np.cumsum(largest, axis=0) < asked * (1 - _SAME) - _SAME  # (S, T) after so many
    least = np.minimum(short.sum(axis=0) + 1, len(sites.ids))
    period = np.flatnonzero((least > 1) & (asked > 0))
    if not len(period) or not sites.limited.all():
        return
    row = program.add_rows(
        "siting.enough",
        keys={"period": period},
        lower=least[period],
        unit="sites",
        redundant=True,
    )
    level = open_at(program, inst)
    program.add_entries(row, level[:, period], 1)


def _closed(program: Program, inst: Instance) -> None:
    level = open_at(program, inst)
    if not inst.sites.closed.any():
        return
    site, period = np.nonzero(inst.sites.closed & ~inst.sites.existing[:, None])
    row = program.add_rows(
        "siting.closed", keys={"site": site, "period": period}, upper=0, relaxable=True
    )
    program.add_entries(row, level[site, period], 1)
    later = period > 0
    program.add_entries(row[later], level[site[later], period[later] - 1], -1)
    if not inst.halls.whole:
        _no_growth(program, inst)


def _no_growth(program: Program, inst: Instance) -> None:
    """Without halls to build, IT MW itself must not grow in a closed period."""
    it = it_at(program, inst)
    site, _, item, period = np.nonzero((it >= 0) & inst.sites.closed[:, None, None, :])
    keys = {"site": site, "hardware": item, "period": period}
    row = program.add_rows("siting.no_growth", keys=keys, upper=0, unit="IT MW", relaxable=True)
    program.add_entries(row, it[site, 0, item, period], 1)
    later = period > 0
    before = it[site[later], 0, item[later], period[later] - 1]
    program.add_entries(row[later], before, -1)


def _land(program: Program, inst: Instance) -> None:
    finite = np.isfinite(inst.sites.usable_ha)
    column, at, when, ha = land_terms(program, inst)
    if not (inst.halls.whole and inst.halls.ha.any()):
        finite &= np.isin(np.arange(len(finite)), at)
    limited = np.flatnonzero(finite)
    if not len(limited):
        return
    site = np.repeat(limited, inst.time.n)
    period = periods(inst, len(limited))
    row = program.add_rows(
        "siting.land",
        keys={"site": site, "period": period},
        upper=inst.sites.usable_ha[site],
        unit="ha",
        relaxable=True,
    )
    halls = halls_at(program, inst)
    for k, of_hall in enumerate(inst.halls.ha):
        here = halls[site, k, period]
        program.add_entries(row[here >= 0], here[here >= 0], of_hall)
    place = np.full(len(finite), -1)
    place[limited] = np.arange(len(limited))
    known = place[at] >= 0
    place, when = place[at[known]], when[known]
    program.add_entries(row[place * inst.time.n + when], column[known], ha[known])


def _campus(program: Program, inst: Instance) -> None:
    sites = inst.sites
    level, it = open_at(program, inst), it_at(program, inst)
    limited = np.flatnonzero(sites.limited)
    site, period = np.repeat(limited, inst.time.n), periods(inst, len(limited))
    most = program.add_rows(
        "siting.max", keys={"site": site, "period": period}, upper=0, unit="IT MW", relaxable=True
    )
    program.add_entries(most, level[site, period], -sites.max_it_mw[site])
    small = np.flatnonzero((sites.min_it_mw > 0) & ~sites.existing)
    least = np.full(len(sites.ids), -1)
    if len(small):
        least[small] = program.add_rows(
            "siting.min", keys={"site": small}, lower=0, unit="IT MW", relaxable=True
        )
        program.add_entries(least[small], level[small, -1], -sites.min_it_mw[small])
    for a in range(it.shape[1]):
        for b in range(it.shape[2]):
            here = it[site, a, b, period]
            known = here >= 0
            program.add_entries(most[known], here[known], 1)
            last = it[small, a, b, -1]
            program.add_entries(least[small][last >= 0], last[last >= 0], 1)
