"""Halls: whole, built or converted, standing; they hold IT MW and stand on open sites."""

from __future__ import annotations

import numpy as np

from sitepick.blocks import rounding
from sitepick.blocks.columns import halls_at, it_at, open_at
from sitepick.blocks.ledger import Ledger
from sitepick.instance.types import Instance
from sitepick.matrix import IntArray
from sitepick.program import Program

NAME = "halls"


def applies(inst: Instance) -> bool:
    """Where halls are whole, that is unless `halls: none`."""
    return inst.halls.whole


def _pairs(inst: Instance) -> tuple[IntArray, IntArray, IntArray]:
    """Return (site, class, period) of every class that is possible at a site."""
    site, hall = np.nonzero(inst.halls.most > 0)
    n = inst.time.n
    return np.repeat(site, n), np.repeat(hall, n), np.tile(np.arange(n), len(site))


def columns(program: Program, inst: Instance, ledger: Ledger) -> None:
    """Add `halls.halls`, `halls.build`, `halls.convert` and what they cost."""
    halls, sites = inst.halls, inst.sites
    site, hall, period = _pairs(inst)
    keys = {"site": site, "hall": hall, "period": period}
    most = halls.most[site, hall].astype(float)
    standing = program.add_columns(
        "halls.halls", keys=keys, owner=site, upper=most, integer=True, unit="halls"
    )
    ledger.yearly("om", standing, period, halls.om_musd[hall])
    possible = (period >= halls.build_from[site, hall]) & ~sites.closed[site, period]
    for family, of_kind in (("halls.build", halls.base < 0), ("halls.convert", halls.base >= 0)):
        made = possible & of_kind[hall]
        program.add_columns(
            family,
            keys={name: key[made] for name, key in keys.items()},
            owner=site[made],
            upper=most[made],
            integer=True,
            unit="halls",
        )
    for k in range(len(halls.ids)):
        _costs(program, inst, ledger, k)


def _costs(program: Program, inst: Instance, ledger: Ledger, k: int) -> None:
    halls, sites = inst.halls, inst.sites
    retrofit = halls.base[k] >= 0
    made = halls_at(program, inst, "halls.convert" if retrofit else "halls.build")[:, k]
    site, period = np.nonzero(made >= 0)
    lead = float(halls.lead_months[k])
    ledger.purchase(
        "facility",
        made[site, period],
        period,
        halls.capex_musd[k] * sites.capex_factor[site],
        life_years=float(halls.life_years[k]),
        lead_months=lead,
    )
    if retrofit:
        return  # it keeps the land and the substation of the hall it replaces
    grid_mw = halls.mw[k] * halls.pue_peak[site, k]
    ledger.purchase(
        "ties",
        made[site, period],
        period,
        grid_mw * halls.substation_musd_per_mw,
        life_years=inst.ties.life_years,
        lead_months=lead,
    )
    ledger.purchase(
        "land",
        made[site, period],
        period,
        halls.ha[k] * sites.land_musd_per_ha[site],
        life_years=np.inf,
        lead_months=lead,
    )


def rows(program: Program, inst: Instance, ledger: Ledger) -> None:
    """Add the rows `halls.*`."""
    halls = inst.halls
    site, hall, period = _pairs(inst)
    keys = {"site": site, "hall": hall, "period": period}
    standing = halls_at(program, inst)
    start = np.where(period == 0, halls.existing[site, hall], 0).astype(float)
    level = program.add_rows("halls.level", keys=keys, lower=start, upper=start, unit="halls")
    program.add_entries(level, standing[site, hall, period], 1)
    later = period > 0
    program.add_entries(level[later], standing[site, hall, period - 1][later], -1)
    row_at = np.full(standing.shape, -1)
    row_at[site, hall, period] = level
    for family in ("halls.build", "halls.convert"):
        made = program.columns_of(family)
        if made is None or not made.size:
            continue
        s, k, t = (made.keys[name] for name in ("site", "hall", "period"))
        program.add_entries(row_at[s, k, t], made.indices, -1)
        if family == "halls.convert":
            program.add_entries(row_at[s, halls.base[k], t], made.indices, 1)
    opened = program.add_rows("halls.open", keys=keys, upper=0, unit="halls")
    program.add_entries(opened, standing[site, hall, period], 1)
    program.add_entries(
        opened, open_at(program, inst)[site, period], -halls.most[site, hall].astype(float)
    )
    it = it_at(program, inst)
    if inst.trimmed:
        holds = (it[site, hall, :, period] >= 0).any(axis=1)
        site, hall, period = site[holds], hall[holds], period[holds]
        keys = {"site": site, "hall": hall, "period": period}
    fit = program.add_rows("halls.fit", keys=keys, upper=0, unit="IT MW")
    program.add_entries(fit, standing[site, hall, period], -halls.mw[hall])
    for h in range(it.shape[2]):
        here = it[site, hall, h, period]
        program.add_entries(fit[here >= 0], here[here >= 0], 1)
    rounding.add(program, inst)
