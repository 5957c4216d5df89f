"""Why a plan turns work away: which limits stop it, and what of each would serve the next MW.

One linear program for each workload and date at the sites of the plan, whole numbers free to be
fractions: no more of any other work is turned away, and as little of this as possible. Where
nothing more can be served, its duals say what one more unit of each limit would serve. Where more
can, the work is dearer than its penalty, and the next MW's cost says by how much.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import scipy.sparse as sp

from sitepick.blocks.deliverability import JOINT
from sitepick.blocks.ledger import NPC_TERMS
from sitepick.dispatch.result import limiting
from sitepick.matrix import BoolArray, FloatArray, IntArray, Matrix, Part
from sitepick.planner import Planner
from sitepick.prices import without_spare_rows
from sitepick.program import Program
from sitepick.run import NextMw, TurnedAway
from sitepick.solve.chains import in_chains
from sitepick.solve.highs import solve_matrix
from sitepick.solve.outcome import Limits
from sitepick.words import LETTER, LINES, REACH

SHARE = 0.1
"""Of the time that finding the plan took: what its reasons may take; left work has none stated."""
LEAST_SECONDS, MOST_SECONDS = 2.0, 10.0
"""Bounds of that time, in seconds of work: a busy machine tells as much as an idle one."""
_LEAST_MW = 0.05
_STEP = 1.0
"""Ref MW by which the cost of serving more is taken."""
_SLIGHT = 1e-6
_MOST_UNITS = 1e5
"""A limit of which this many units serve one MW does not stop it."""
_TOLD = ("demand.",)
_LOOSE = 1e-5
"""Columns are bounded by what their limits allow anyway; a little more, and the limit binds."""


def why_turned_away(planner: Planner, values: FloatArray) -> tuple[TurnedAway, ...]:
    """Return what a plan ``values`` (n,) turns away, by date and workload, and why."""
    found = planner.by_cost
    solving = 0.0 if found is None else found.seconds.get("total", 0.0)
    room = min(MOST_SECONDS, max(LEAST_SECONDS, SHARE * solving))
    program, inst = planner.program, planner.instance
    short = program.column_families["demand.turned_away"]
    began = time.process_time()
    groups = sorted({
        (int(t), int(w)) for t, w in zip(short.keys["period"], short.keys["workload"], strict=True)
    })  # fmt: skip
    part, switched = _fractional(program, values), _switched(program.matrix)

    def looked_at(one: Sequence[tuple[int, int]]) -> TurnedAway | None:
        ((t, w),) = one
        mine = short.indices[(short.keys["period"] == t) & (short.keys["workload"] == w)]
        missing = float(values[mine].sum())
        if missing < _LEAST_MW:
            return None
        row = TurnedAway(inst.time.names[t], inst.demand.workloads[w], missing)
        left = room - (time.process_time() - began)
        told = None if left <= 0 else _explained(planner, part, switched, values, mine, row)
        return row if told is None else replace(told, looked=True)

    rows = in_chains(looked_at, groups, planner.limits.threads, length=1)
    return tuple(row for row in rows if row is not None)


def _fractional(program: Program, values: FloatArray) -> Part:
    """Return the program at the sites of a plan, without rows that whole numbers alone imply."""
    matrix = without_spare_rows(program, program.matrix)
    matrix = replace(matrix, integer=np.zeros(len(matrix.cost), dtype=bool))
    used = np.unique(matrix.owner[(np.abs(values) > 1e-9) & (matrix.owner >= 0)])
    return matrix.take(used)


def _explained(
    planner: Planner,
    part: Part,
    switched: BoolArray,
    values: FloatArray,
    mine: IntArray,
    row: TurnedAway,
) -> TurnedAway | None:
    """Return ``row`` with its reasons, None where no program was solved in time."""
    program = planner.program
    short = program.column_families["demand.turned_away"]
    upper, cost = program.matrix.upper.copy(), np.zeros(program.n_columns)
    others = np.setdiff1d(short.indices, mine)
    loose = np.ones(program.n_columns, dtype=bool)
    letters = program.columns_of("headroom.take")
    if letters is not None:
        loose[letters.indices] = False  # these bounds are limits of their own
    upper[loose] *= 1 + _LOOSE
    upper[others] = np.minimum(upper[others], values[others] + _SLIGHT)
    cost[mine] = 1.0
    lp = replace(part.matrix, upper=upper[part.columns], cost=cost[part.columns])
    limits = Limits(time_s=MOST_SECONDS, threads=1)
    least = solve_matrix(lp, limits, relax=True, method="simplex")
    if least.status != "optimal" or not isinstance(least.certificate, np.ndarray):
        return None
    more = row.short_ref_mw - least.objective
    if more < min(_STEP, 0.5 * row.short_ref_mw):
        y = np.zeros(program.n_rows)
        y[part.rows] = least.certificate
        return replace(row, limits=_limits(planner, switched, values, y, mine))
    step = min(_STEP, more)
    dear = np.zeros(len(part.columns))
    for term in NPC_TERMS:  # one at a time: each is as long as the whole program
        dear += program.term_cost(term)[part.columns]
    spent = []
    for most in (row.short_ref_mw, row.short_ref_mw - step):
        asked = _at_most(lp, np.isin(part.columns, mine), most)
        found = solve_matrix(replace(asked, cost=dear), limits, relax=True)
        if found.status != "optimal":
            return None
        spent.append(found.objective)
    return replace(
        row, could_ref_mw=more, dearer_musd_per_ref_mw=max(0.0, (spent[1] - spent[0]) / step)
    )


def _at_most(matrix: Matrix, columns: BoolArray, most: float) -> Matrix:
    """Return the program with a row more: the sum of some columns (n,) is at most ``most``."""
    row = sp.csr_array(columns.astype(float)[None, :])
    return replace(
        matrix,
        A=sp.csr_array(sp.vstack([matrix.A, row])),
        row_lower=np.append(matrix.row_lower, -np.inf),
        row_upper=np.append(matrix.row_upper, most),
    )


def _switched(matrix: Matrix) -> BoolArray:
    """Return (m,) rows MW <= size x built: more of it where nothing is built is power without a
    tie."""
    stated = np.where(np.isfinite(matrix.row_upper), matrix.row_upper, matrix.row_lower)
    whole = np.zeros(len(stated), dtype=bool)
    whole[matrix.A[:, np.flatnonzero(matrix.integer)].nonzero()[0]] = True
    return (stated == 0) & whole


def _limits(
    planner: Planner, switched: BoolArray, values: FloatArray, y: FloatArray, mine: IntArray
) -> tuple[NextMw, ...]:
    """Return what of each limit serves the next ref_mw, by duals (m,): least of it first."""
    program, joint = planner.program, planner.joint
    found: list[tuple[float, NextMw]] = []
    matrix = program.matrix
    letters = _letters(program, y)
    for family in program.row_families.values():
        if not family.relaxable or family.name.startswith((*_TOLD, f"{JOINT}#")):
            continue
        for j in np.flatnonzero(np.abs(y[family.indices]) > 1 / _MOST_UNITS):
            i = int(family.indices[j])
            if switched[i]:
                continue
            names = {
                dim: program.dims[dim][int(key[j])]
                for dim, key in family.keys.items() if dim in program.dims
            }  # fmt: skip
            when = names.pop("period", names.pop("year", ""))
            limit = NextMw(
                family.name, " ".join(names.values()), when, 1 / abs(float(y[i])), family.unit
            )
            size = max(abs(x) for x in (matrix.row_lower[i], matrix.row_upper[i]) if np.isfinite(x))
            found.append((limit.amount / max(size, 1.0), limit))
    found += [(limit.amount / 100.0, limit) for limit in letters]
    for line in () if joint is None else limiting(joint, program, values, y):
        after = "" if line.outage_id == "base" else f" after losing {line.outage_id}"
        mw = 1 / line.price_musd_per_mw
        if mw < _MOST_UNITS:
            where = f"{line.branch_id}{after} ({line.condition})"
            found.append((mw / line.limit_mw, NextMw(LINES, where, line.period, mw, "MW")))
    if not found and _alone(program, mine):
        return (NextMw(REACH, "", "", 0.0, ""),)
    ranked = sorted(found, key=lambda f: (f[0], f[1].limit, f[1].where, f[1].when))
    return tuple(limit for _, limit in ranked)


def _letters(program: Program, y: FloatArray) -> list[NextMw]:
    """Return letters of which more MW would serve more: bounds of columns, not rows."""
    family, matrix = program.columns_of("headroom.take"), program.matrix
    if family is None:
        return []
    worth = -(matrix.A[:, family.indices].T @ y)
    return [
        NextMw(
            LETTER, str(program.dims["offer"][int(family.keys["offer"][j])]), "",
            1 / abs(float(worth[j])), "grid MW",
        )
        for j in np.flatnonzero(worth < -1 / _MOST_UNITS)
    ]  # fmt: skip


def _alone(program: Program, mine: IntArray) -> bool:
    """Return whether nothing but turning away occurs in the balance of some work."""
    rows = program.matrix.A[:, mine].nonzero()[0]
    return bool((np.diff(program.matrix.A.indptr)[rows] == 1).any())
