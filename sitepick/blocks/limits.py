"""Bounds on what is not the objective: cost, carbon and water of the whole plan."""

from __future__ import annotations

import numpy as np

from sitepick.blocks.ledger import NPC_TERMS, PENALTY, Ledger
from sitepick.blocks.regions import co2_rate, water_rate
from sitepick.instance.types import Instance
from sitepick.program import Program

NAME = "limits"


def applies(inst: Instance) -> bool:
    """Where the scenario sets such a bound."""
    bounds = (inst.max_cost_musd, inst.max_co2_kt, inst.max_water_ml)
    return any(b is not None for b in bounds)


def columns(program: Program, inst: Instance, ledger: Ledger) -> None:
    """No columns of its own."""


def rows(program: Program, inst: Instance, ledger: Ledger) -> None:
    """Add the rows `limits.*`."""
    every, n = np.arange(len(inst.sites.ids)), inst.time.n
    for family, unit, most, rate in (
        ("limits.co2", "kt/a", inst.max_co2_kt, co2_rate),
        ("limits.water", "ML/a", inst.max_water_ml, water_rate),
    ):
        if most is not None:
            row = program.add_rows(
                family, keys={"period": np.arange(n)}, upper=most, unit=unit, relaxable=True
            )
            for t in range(n):
                program.add_entries(row[t], *rate(program, inst, every, t))
    if inst.max_cost_musd is not None:
        cost = sum(program.term_cost(term) for term in NPC_TERMS if term != PENALTY)
        row = program.add_rows(
            "limits.cost", keys={"one": [0]}, upper=inst.max_cost_musd, unit="MUSD", relaxable=True
        )
        paid = np.flatnonzero(cost)
        program.add_entries(row[0], paid, np.asarray(cost)[paid])
