"""Budget: capital by calendar year; what is not spent lapses unless it is carried over."""

from __future__ import annotations

import numpy as np

from sitepick.blocks.ledger import Ledger
from sitepick.instance.types import Instance
from sitepick.matrix import SHARED
from sitepick.program import Program

NAME = "budget"


def applies(inst: Instance) -> bool:
    """Where capital is limited."""
    return inst.budget_musd is not None


def columns(program: Program, inst: Instance, ledger: Ledger) -> None:
    """Add `budget.unspent` where it may be carried over."""
    assert inst.budget_musd is not None
    if inst.carry_over:
        year = np.arange(inst.budget_from, len(inst.time.years) - 1)
        so_far = np.cumsum(inst.budget_musd)
        program.add_columns(
            "budget.unspent", keys={"year": year}, owner=SHARED, upper=so_far[year], unit="MUSD"
        )


def rows(program: Program, inst: Instance, ledger: Ledger) -> None:
    """Add `budget.year`; cash before the first budget year counts with it."""
    assert inst.budget_musd is not None
    first = inst.budget_from
    year = np.arange(first, len(inst.time.years))
    row = program.add_rows(
        "budget.year",
        keys={"year": year},
        upper=inst.budget_musd[year],
        unit="MUSD",
        relaxable=True,
    )
    for cash in ledger.cash:
        program.add_entries(row[np.maximum(cash.years, first) - first], cash.columns, cash.musd)
    unspent = program.columns_of("budget.unspent")
    if unspent is not None:
        at = unspent.keys["year"] - first
        program.add_entries(row[at], unspent.indices, 1)
        program.add_entries(row[at + 1], unspent.indices, -1)
