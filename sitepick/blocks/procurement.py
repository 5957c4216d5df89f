"""Procurement: transformers, liquid cooling, labor and chips, limited by calendar year."""

from __future__ import annotations

import numpy as np

from sitepick.blocks.columns import halls_at, it_at
from sitepick.blocks.ledger import Ledger
from sitepick.instance.types import Instance, Supply
from sitepick.matrix import FloatArray, IntArray
from sitepick.program import Program

NAME = "procurement"


def applies(inst: Instance) -> bool:
    """Where a supply is limited."""
    return bool(inst.supplies)


def columns(program: Program, inst: Instance, ledger: Ledger) -> None:
    """No columns of its own."""


def rows(program: Program, inst: Instance, ledger: Ledger) -> None:
    """Add `procurement.cap`. What cannot be delivered in time has no column to begin with."""
    index, entries = [], []
    for p, supply in enumerate(inst.supplies):
        cols, period, amount = _uses(program, inst, supply)
        if supply.per == "construction_it_mw":
            at, year, value = _under_construction(inst, cols, period, amount, program)
        else:
            years = [inst.time.order_year(t, supply.lead_months) for t in range(inst.time.n)]
            at, year, value = cols, np.array(years)[period], amount
        for y in range(len(inst.time.years)):
            if np.isfinite(supply.cap[y]) and (year == y).any():
                index.append((p, y))
                entries.append((at[year == y], value[year == y]))
    if not index:
        return
    row = program.add_rows(
        "procurement.cap",
        keys={"supply": [p for p, _ in index], "year": [y for _, y in index]},
        upper=[inst.supplies[p].cap[y] for p, y in index],
        unit="units",
        relaxable=True,
    )
    for r, (cols, value) in zip(row, entries, strict=True):
        program.add_entries(r, cols, value)


def _uses(
    program: Program, inst: Instance, supply: Supply
) -> tuple[IntArray, IntArray, FloatArray]:
    """Return columns, their period, and units of the item per unit of column."""
    inside = np.ones(len(inst.sites.ids), dtype=bool)
    if supply.sites is not None:
        inside[:] = False
        inside[supply.sites] = True
    if supply.per == "hardware_it_mw":
        bought = it_at(program, inst, "hardware.buy")[:, :, supply.hardware]
        i, k, t = np.nonzero((bought >= 0) & inside[:, None, None])
        return bought[i, k, t], t, np.full(len(i), supply.amount)
    families = ("halls.build",) if supply.per == "grid_mw" else ("halls.build", "halls.convert")
    cols, periods, amounts = [], [], []
    for family in families:
        made = halls_at(program, inst, family)
        i, k, t = np.nonzero((made >= 0) & inside[:, None, None])
        mw = inst.halls.mw[k] * supply.amount
        if supply.per == "grid_mw":
            mw = mw * inst.halls.pue_peak[i, k]
        elif supply.per == "liquid_it_mw":
            mw = mw * inst.halls.liquid[k]
        cols.append(made[i, k, t])
        periods.append(t)
        amounts.append(mw)
    return np.concatenate(cols), np.concatenate(periods), np.concatenate(amounts)


def _under_construction(
    inst: Instance, cols: IntArray, period: IntArray, amount: FloatArray, program: Program
) -> tuple[IntArray, IntArray, FloatArray]:
    """Spread each use over the years in which its hall is being built, in MW-years."""
    hall = np.zeros(program.n_columns, dtype=np.int64)
    for family in ("halls.build", "halls.convert"):
        made = program.columns_of(family)
        if made is not None:
            hall[made.indices] = made.keys["hall"]
    months = np.stack([inst.time.months_in_year(m) for m in inst.halls.lead_months])  # (K, T, Y)
    share = months[hall[cols], period] / 12
    at, year = np.nonzero(share)
    return cols[at], year, amount[at] * share[at, year]
