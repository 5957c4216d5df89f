"""Power swings of work: contracted MW above nameplate, or batteries that flatten them."""

from __future__ import annotations

import numpy as np

from sitepick.blocks.columns import site_period
from sitepick.blocks.ledger import Ledger
from sitepick.instance.types import Instance
from sitepick.matrix import BoolArray, FloatArray, IntArray
from sitepick.program import Program

NAME = "swing"


def applies(inst: Instance) -> bool:
    """Where power is modelled and some work swings."""
    return inst.grid and inst.swing is not None and bool(inst.swing.any())


def _share(inst: Instance) -> FloatArray:
    assert inst.swing is not None
    return inst.swing


def _able(inst: Instance) -> BoolArray:
    """Return (S,) the sites whose power is the plan's, not that of an owner of leased halls."""
    return ~inst.leased & (inst.sites.max_it_mw > 0)


def _swings(program: Program, inst: Instance) -> tuple[IntArray, IntArray, IntArray, FloatArray]:
    """Return (column, site, period, MW of swing per unit) of work that swings."""
    family = program.column_families["hardware.use" if inst.hardware.bought else "demand.serve"]
    site, work, period = (family.keys[k] for k in ("site", "workload", "period"))
    mw = _share(inst)[work] * inst.halls.pue_peak.max(axis=1)[site]
    mine = (mw > 0) & _able(inst)[site]
    return family.indices[mine], site[mine], period[mine], mw[mine]


def columns(program: Program, inst: Instance, ledger: Ledger) -> None:
    """Add `swing.smoothed` and `swing.battery` where batteries can be had."""
    flex, n = inst.flexible, inst.time.n
    if not flex.batteries:
        return
    most = _share(inst).max() * inst.halls.pue_peak.max(axis=1) * inst.sites.max_it_mw
    site, period = site_period(inst, min(n, inst.time.after(flex.battery_lead_months)))
    kept = _able(inst)[site]
    keys = {"site": site[kept], "period": period[kept]}
    for name, unit in (("swing.smoothed", "facility MW"), ("swing.battery", "battery MW")):
        program.add_columns(
            name, keys=keys, owner=keys["site"], upper=most[keys["site"]], unit=unit
        )
    ledger.purchase(
        "battery", program.column_families["swing.battery"].indices, keys["period"],
        flex.battery_musd, life_years=flex.battery_life_years,
        lead_months=flex.battery_lead_months,
    )  # fmt: skip


def rows(program: Program, inst: Instance, ledger: Ledger) -> None:
    """Add `swing.most` and `swing.battery`, and the swing to `power.balance`."""
    column, site, period, mw = _swings(program, inst)
    shape = len(inst.sites.ids), inst.time.n
    balance = _row_at(program, "power.balance", shape)
    program.add_entries(balance[site, period], column, mw)
    drawn = _row_at(program, "deliverability.drawn", shape)
    here = drawn[site, period] >= 0
    program.add_entries(drawn[site, period][here], column[here], -mw[here])
    smoothed = program.columns_of("swing.smoothed")
    if smoothed is None or not smoothed.size:
        return
    i, t = smoothed.keys["site"], smoothed.keys["period"]
    program.add_entries(balance[i, t], smoothed.indices, -1)
    most = np.full(shape, -1)
    most[i, t] = program.add_rows(
        "swing.most", keys=dict(smoothed.keys), upper=0, unit="facility MW"
    )
    program.add_entries(most[i, t], smoothed.indices, 1)
    here = most[site, period] >= 0
    program.add_entries(most[site, period][here], column[here], -mw[here])
    battery = program.add_rows(
        "swing.battery", keys=dict(smoothed.keys), upper=0, unit="battery MW"
    )
    program.add_entries(battery, smoothed.indices, 1)
    bought = program.index("swing.battery", shape)[i]  # (R, T)
    age = t[:, None] - np.arange(inst.time.n)[None, :]
    alive = (age >= 0) & (age < inst.time.life_periods(inst.flexible.battery_life_years))
    r, s = np.nonzero(alive & (bought >= 0))
    program.add_entries(battery[r], bought[r, s], -1)


def _row_at(program: Program, name: str, shape: tuple[int, int]) -> IntArray:
    """Return (S, T) the rows of a family by site and period, -1 where there is none."""
    out = np.full(shape, -1)
    family = program.row_families.get(name)
    if family is not None:
        out[family.keys["site"], family.keys["period"]] = family.indices
    return out
