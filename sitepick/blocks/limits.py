"""Bounds on what is not the objective: cost, carbon, water, IT MW and work of the whole plan."""

from __future__ import annotations

import numpy as np

from sitepick.blocks.columns import it_at
from sitepick.blocks.groups import lost_work
from sitepick.blocks.ledger import NPC_TERMS, PENALTY, Ledger
from sitepick.blocks.regions import co2_rate, water_rate
from sitepick.instance.types import Instance
from sitepick.matrix import FloatArray, IntArray
from sitepick.program import Program

NAME = "limits"


def applies(inst: Instance) -> bool:
    """Where the scenario sets such a bound."""
    bounds = (inst.max_cost_musd, inst.max_co2_kt, inst.max_water_ml)
    floors = (inst.min_it_mw, inst.min_served)
    return any(b is not None for b in bounds) or any(bool(f.any()) for f in floors)


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
    it, serve = it_at(program, inst), program.column_families["demand.serve"]
    *_, period = np.nonzero(it >= 0)
    _floor(program, "limits.it", "IT MW", inst.min_it_mw, it[it >= 0], period)
    row_at = _floor(program, "limits.served", "ref_mw", inst.min_served, serve.indices,
                    serve.keys["period"])  # fmt: skip
    works, _, lost = lost_work(program, inst)
    if works is not None and row_at is not None:  # what a campus group loses is not served
        row = row_at[works.keys["period"]]
        program.add_entries(row[row >= 0], works.indices[row >= 0], -lost[row >= 0])


def _floor(
    program: Program, name: str, unit: str, least: FloatArray, columns: IntArray, period: IntArray
) -> IntArray | None:
    """Add a row for each period with something asked: its ``columns`` sum to ``least`` (T,).

    Returns (T,) the rows, -1 where nothing is asked; None where it never is.
    """
    asked = np.flatnonzero(least)
    if not len(asked):
        return None
    at = np.full(len(least), -1)
    at[asked] = program.add_rows(
        name, keys={"period": asked}, lower=least[asked], unit=unit, relaxable=True
    )
    counted = at[period] >= 0
    program.add_entries(at[period][counted], columns[counted], 1)
    return at
