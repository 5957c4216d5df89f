"""Change: how far a plan is from an earlier one; nothing that costs money."""

from __future__ import annotations

import numpy as np

from sitepick.blocks.columns import it_at, open_at, tie_at
from sitepick.blocks.ledger import Ledger
from sitepick.instance.types import Earlier, Instance
from sitepick.program import Program

NAME = "change"
CHANGE = "change"
"""Objective term: change in MW-years, less `settled_mw_years`."""
SITE_MW = 10.0
"""A site that stands when it did not, or the reverse, weighs like so many IT MW."""
POI_MW = 5.0
"""So does a tie of an earlier site to a POI that it did not have."""


def applies(inst: Instance) -> bool:
    """Where there is an earlier plan."""
    return inst.earlier is not None


def columns(program: Program, inst: Instance, ledger: Ledger) -> None:
    """Add `change.kept`: earlier IT MW that stand in the plan too, owned by their site."""
    earlier = _of(inst)
    site, period = np.nonzero(earlier.it_mw > 0)
    kept = program.add_columns(
        "change.kept",
        keys={"site": site, "period": period},
        owner=site,
        upper=earlier.it_mw[site, period],
        unit="IT MW",
    )
    # |a - b| = a + b - 2 min(a, b)
    dt = inst.time.dt
    program.add_cost(kept, -2 * dt[period], CHANGE)


def rows(program: Program, inst: Instance, ledger: Ledger) -> None:
    """Add `change.kept` and the weights of IT MW, of sites and of ties."""
    earlier, it = _of(inst), it_at(program, inst)
    dt = np.where(earlier.compared, inst.time.dt, 0.0)
    i, k, h, t = np.nonzero(it >= 0)
    program.add_cost(it[i, k, h, t], dt[t], CHANGE)
    family = program.column_families["change.kept"]
    if family.size:
        row = np.full(earlier.it_mw.shape, -1)
        at = family.keys["site"], family.keys["period"]
        row[at] = program.add_rows("change.kept", keys=family.keys, upper=0, unit="IT MW")
        program.add_entries(row[at], family.indices, 1)
        mine = row[i, t] >= 0
        program.add_entries(row[i, t][mine], it[i, k, h, t][mine], -1)
    level = open_at(program, inst)
    program.add_cost(level, np.where(earlier.stands, -1, 1) * SITE_MW * dt, CHANGE)
    if inst.grid:
        other = np.flatnonzero(earlier.planned[inst.ties.site] & ~earlier.tied)
        tie, years = tie_at(program, inst)[other], np.broadcast_to(dt, (len(other), len(dt)))
        program.add_cost(tie[tie >= 0], POI_MW * years[tie >= 0], CHANGE)


def settled_mw_years(inst: Instance) -> float:
    """Return what the term leaves out: what the earlier plan has of sites that are candidates."""
    earlier = _of(inst)
    return float(((earlier.it_mw + SITE_MW * earlier.stands) @ inst.time.dt).sum())


def _of(inst: Instance) -> Earlier:
    assert inst.earlier is not None
    return inst.earlier
