"""Leased halls: an offer is a site that is taken or not, with IT MW for a term at a rent.

A lease begins when its site opens: `siting.open` is never taken back, so that its step from one
period to the next is the beginning itself. The MW stand for the whole periods of the term.
"""

from __future__ import annotations

import numpy as np

from sitepick.blocks.columns import it_at, open_at, room_mw
from sitepick.blocks.ledger import Ledger
from sitepick.instance.leases import periods_of_term
from sitepick.instance.power import HOURS
from sitepick.instance.types import Instance
from sitepick.matrix import FloatArray, IntArray
from sitepick.program import Program

NAME = "leases"


def applies(inst: Instance) -> bool:
    """Where halls are offered for rent."""
    return bool(len(inst.leases.site))


def whole_periods(inst: Instance) -> IntArray:
    """Return (L,) how many whole periods the term of each offer covers."""
    found = [periods_of_term(inst.time, float(years)) for years in inst.leases.term_years]
    return np.array(found, dtype=np.int64)


def columns(program: Program, inst: Instance, ledger: Ledger) -> None:
    """Add `leases.mw` and `leases.left`; rent, fit-out and operation of what is leased."""
    leases, n = inst.leases, inst.time.n
    lease, start = np.nonzero(np.arange(n)[None, :] >= leases.first[:, None])
    mw = program.add_columns(
        "leases.mw",
        keys={"lease": lease, "period": start},
        owner=leases.site[lease],
        upper=leases.it_mw_max[lease],
        unit="IT MW",
    )
    pair, when, years, rent = paid(inst, lease, start)
    share = years / inst.time.dt[when]
    ledger.yearly("rent", mw[pair], when, rent * share)
    ledger.yearly("om", mw[pair], when, leases.om_musd[lease[pair]] * share)
    for j in np.flatnonzero(leases.fit_out_musd > 0):
        mine = lease == j
        ledger.purchase(
            "facility",
            mw[mine],
            start[mine],
            leases.fit_out_musd[j] * inst.sites.capex_factor[leases.site[j]],
            life_years=float(leases.fit_out_life[j]),
            lead_months=leases.fit_out_months,
        )
    if inst.hardware.bought:
        _left_columns(program, inst)


def paid(
    inst: Instance, lease: IntArray, start: IntArray
) -> tuple[IntArray, IntArray, FloatArray, FloatArray]:
    """Return (pair, period, years of it within the term, MUSD a year per IT MW) of leases that
    begin at ``start``; the rent steps on each anniversary."""
    months = inst.time.months[:-1]
    age = (months[None, :] - months[start][:, None]) / 12
    term = inst.leases.term_years[lease][:, None]
    years = np.where(age >= 0, np.clip(term - age, 0, inst.time.dt[None, :]), 0.0)
    pair, when = np.nonzero(years)
    whole = np.floor(age[pair, when] + 1e-9)
    rent = inst.leases.rent_musd[lease[pair]] * inst.leases.grows[lease[pair]] ** whole
    return pair, when, years[pair, when], rent


def _left_columns(program: Program, inst: Instance) -> None:
    """Add `leases.left`: hardware that has not died and whose lease is over."""
    leases, n = inst.leases, inst.time.n
    ends = leases.first + whole_periods(inst)
    it = it_at(program, inst)
    here = it[leases.site, leases.hall]  # (L, H, T)
    lease, item, period = np.nonzero((here >= 0) & (np.arange(n) >= ends[:, None])[:, None, :])
    site, hall = leases.site[lease], leases.hall[lease]
    program.add_columns(
        "leases.left",
        keys={"lease": lease, "hardware": item, "period": period},
        owner=site,
        upper=room_mw(inst)[site, hall],
        unit="IT MW",
    )


def standing(program: Program, inst: Instance) -> tuple[IntArray, IntArray, IntArray]:
    """Return (column of `leases.mw`, lease, period) of the periods in which its MW stand."""
    family = program.columns_of("leases.mw")
    none = np.zeros(0, dtype=np.int64)
    if family is None:
        return none, none, none
    lease, start = family.keys["lease"], family.keys["period"]
    t = np.arange(inst.time.n)[None, :]
    there = (t >= start[:, None]) & (t < (start + whole_periods(inst)[lease])[:, None])
    pair, period = np.nonzero(there)
    return family.indices[pair], lease[pair], period


def rows(program: Program, inst: Instance, ledger: Ledger) -> None:
    """Add the rows `leases.*`, and the energy that the rent does not include."""
    _size(program, inst)
    leases, n = inst.leases, inst.time.n
    count = len(leases.site)
    lease, period = np.repeat(np.arange(count), n), np.tile(np.arange(n), count)
    fit = program.add_rows(
        "leases.fit", keys={"lease": lease, "period": period}, upper=0, unit="IT MW"
    ).reshape(count, n)
    column, of, when = standing(program, inst)
    program.add_entries(fit[of, when], column, -1)
    col, of, when = _it_columns(program, inst)
    program.add_entries(fit[of, when], col, 1)
    _left(program, inst)
    if inst.grid:
        price = leases.energy_usd_per_mwh[of] * HOURS / 1e6
        ledger.yearly("energy", col, when, _mean_share(inst)[of] * price)


def _size(program: Program, inst: Instance) -> None:
    """Add `leases.most` and `leases.least`: the MW that a lease begins with."""
    leases, level = inst.leases, open_at(program, inst)
    family = program.column_families["leases.mw"]
    lease, start = family.keys["lease"], family.keys["period"]
    site, later = leases.site[lease], start > 0
    most = program.add_rows("leases.most", keys=dict(family.keys), upper=0, unit="IT MW")
    least = program.add_rows("leases.least", keys=dict(family.keys), lower=0, unit="IT MW")
    for row, mw in ((most, leases.it_mw_max), (least, leases.it_mw_min)):
        program.add_entries(row, family.indices, 1)
        program.add_entries(row, level[site, start], -mw[lease])
        before = level[site[later], start[later] - 1]
        program.add_entries(row[later], before, mw[lease[later]])


def _left(program: Program, inst: Instance) -> None:
    """Add `leases.left`, and take what left out of `hardware.level`."""
    family = program.columns_of("leases.left")
    if family is None or not family.size:
        return
    leases, n = inst.leases, inst.time.n
    lease, item, period = (family.keys[k] for k in ("lease", "hardware", "period"))
    code, place = np.unique(lease * n + period, return_inverse=True)
    over, when = code // n, code % n
    row = program.add_rows(
        "leases.left", keys={"lease": over, "period": when}, upper=0, unit="IT MW"
    )
    program.add_entries(row[place], family.indices, 1)
    begun = open_at(program, inst)[leases.site[over], when - whole_periods(inst)[over]]
    program.add_entries(row, begun, -leases.it_mw_max[over])
    level = program.row_families["hardware.level"]
    row_at = np.full((*it_at(program, inst).shape,), -1)
    row_at[tuple(level.keys.values())] = level.indices
    site, hall = leases.site[lease], leases.hall[lease]
    program.add_entries(row_at[site, hall, item, period], family.indices, 1)
    last = period < n - 1
    after = row_at[site[last], hall[last], item[last], period[last] + 1]
    program.add_entries(after, family.indices[last], -1)


def _it_columns(program: Program, inst: Instance) -> tuple[IntArray, IntArray, IntArray]:
    """Return (columns, lease, period) of `hardware.it` in leased halls."""
    here = it_at(program, inst)[inst.leases.site, inst.leases.hall]  # (L, H, T)
    lease, item, period = np.nonzero(here >= 0)
    return here[lease, item, period], lease, period


def _mean_share(inst: Instance) -> FloatArray:
    """Return (L,) mean MW drawn per IT MW: load factor and annual PUE."""
    return inst.load_factor * inst.halls.pue_avg[inst.leases.site, inst.leases.hall]


def mean_mw_terms(
    program: Program, inst: Instance, sites: IntArray, period: int
) -> tuple[IntArray, FloatArray]:
    """Return columns and coefficients of kt CO2 a year of the leased halls among ``sites``."""
    col, lease, when = _it_columns(program, inst)
    mine = (when == period) & np.isin(inst.leases.site[lease], sites)
    per_mw = _mean_share(inst) * inst.leases.co2_kg_per_mwh * HOURS / 1e6
    return col[mine], per_mw[lease[mine]]
