"""Bounds on what is not the objective: cost, carbon, water, IT MW and work of the whole plan."""

from __future__ import annotations

import numpy as np

from sitepick.blocks.columns import it_at
from sitepick.blocks.ledger import NPC_TERMS, PENALTY, Ledger
from sitepick.blocks.regions import co2_rate, water_rate
from sitepick.instance.types import Instance
from sitepick.program import Program

NAME = "limits"


def applies(inst: Instance) -> bool:
    """Where the scenario sets such a bound."""
    bounds = (inst.max_cost_musd, inst.max_co2_kt, inst.max_water_ml, inst.min_served)
    return any(b is not None for b in bounds) or bool(inst.min_it_mw.any())


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
    asked = np.flatnonzero(inst.min_it_mw)
    if len(asked):
        least = program.add_rows(
            "limits.it", keys={"period": asked}, lower=inst.min_it_mw[asked], unit="IT MW",
            relaxable=True,
        )  # fmt: skip
        at = np.full(n, -1)
        at[asked] = least
        it = it_at(program, inst)
        *_, period = np.nonzero(it >= 0)
        counted = at[period] >= 0
        program.add_entries(at[period][counted], it[it >= 0][counted], 1)
    if inst.min_served is not None:
        served = program.add_rows(
            "limits.served", keys={"one": [0]}, lower=inst.min_served, unit="ref_mw-years",
            relaxable=True,
        )  # fmt: skip
        serve = program.column_families["demand.serve"]
        program.add_entries(served[0], serve.indices, inst.time.dt[serve.keys["period"]])
