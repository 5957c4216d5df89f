"""Decisions of an earlier plan held in a program; what it cannot keep is reduced and told.

Inputs have changed since the plan was made: a letter carries fewer MW, money is short, a site is
gone. So the decisions are first taken as upper limits, and as much of them as possible is kept, by
weight; then that is held exactly. What is held is a plan's own decision, never an invented one.
One column is held by its bounds, a sum by a row.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from sitepick.actions import UNITS, Decision
from sitepick.held.columns import Finder, Gone, Term
from sitepick.instance.types import Instance
from sitepick.matrix import BoolArray, FloatArray, IntArray
from sitepick.program import Program
from sitepick.solution import Solution
from sitepick.solve.highs import solve_matrix
from sitepick.solve.outcome import Limits, Separator

ROWS = "held.decision"
"""Row family: one row for each part of a held decision that is a sum of columns."""
_ROUNDS = 40
_SLACK = 1e-6  # of amounts that need not be whole: what counts as equal elsewhere
_SECONDS = 60.0


@dataclass(frozen=True)
class HeldRow:
    """A decision of the earlier plan, and how much of it is held; ``why`` not all of it."""

    decision: Decision
    asked: float
    held: float
    unit: str
    why: str = ""

    @property
    def lost(self) -> float:
        """What is not held, in ``unit``."""
        return max(0.0, self.asked - self.held)


@dataclass(frozen=True)
class Held:
    """What a program holds. ``start`` (n,) keeps it and all rows.

    None: no plan was found that does no more than the decisions where they were to be held.
    """

    rows: tuple[HeldRow, ...]
    start: FloatArray | None

    @property
    def lost(self) -> tuple[HeldRow, ...]:
        """Decisions that are not held, or not whole."""
        return tuple(row for row in self.rows if row.why)


@dataclass(frozen=True)
class _Rows:
    """The rows of `ROWS` and the decisions, by index, that they are parts of."""

    terms: list[Term]
    of: IntArray  # (m,)

    @property
    def value(self) -> FloatArray:
        return np.array([term.value for term in self.terms])

    def activity(self, x: FloatArray) -> FloatArray:
        return np.array([float(t.signs @ x[t.columns]) for t in self.terms])


def hold(
    program: Program,
    inst: Instance,
    plan: Solution,
    asked: Mapping[Decision, float],
    weights: Mapping[Decision, float],
    separate: Separator,
    limits: Limits,
    *,
    early: Callable[[], IntArray] | None = None,
) -> Held:
    """Add rows that hold the decisions ``asked`` (with their amounts) of ``plan``.

    ``weights`` says what to keep first where not all can be (a decision without one weighs 1).
    ``early`` returns columns that are to stay at zero but for what is held. A decision for which
    there is no column, or that limits cut down, is in the result with the amount that is held and
    why. Solves a program of the sites concerned, and of all sites where that has no plan.
    """
    finder, why = Finder(program, inst, plan), {}
    decisions = sorted(asked)
    terms: list[Term] = []
    of: list[int] = []
    for number, decision in enumerate(decisions):
        try:
            mine = finder.terms(decision, asked[decision])
        except Gone as gone:
            why[decision] = str(gone)
            continue
        terms += mine
        of += [number] * len(mine)
    rows = _Rows(terms, np.array(of, dtype=np.int64))
    if early is not None:
        _nothing_else(program, rows, early())
    whole = program.matrix.integer
    slack = np.array([0.0 if whole[t.columns].all() else _SLACK for t in terms])
    sums = [j for j, term in enumerate(terms) if not term.alone]
    if sums:
        added = program.add_rows(
            ROWS, keys={"number": np.array(sums)}, upper=(rows.value + slack)[sums]
        )
        for row, j in zip(added, sums, strict=True):
            program.add_entries(row, terms[j].columns, terms[j].signs)
    _bound(program, rows, sums, -np.inf, rows.value + slack)
    wanted = np.array([_worth(t, weights.get(decisions[k], 1.0), asked[decisions[k]])
                       for t, k in zip(terms, rows.of, strict=True)])  # fmt: skip
    # a member needs others to make a group: those of the plan, or in the end any
    together = np.array([decisions[k].what == "member" for k in rows.of], dtype=bool)
    joined = {row.site_id for row in plan.members} if together.any() else set()
    beside = np.array([i for i, s in enumerate(inst.sites.ids) if s in joined], dtype=np.int64)
    start = _most(program, rows, wanted, together, beside, separate, limits)
    kept = rows.value if start is None else rows.activity(start)
    near = np.abs(kept - rows.value) <= 10 * slack + 1e-6
    kept = np.where(near, rows.value, np.where(slack == 0, np.round(kept), kept))
    if start is not None:
        _bound(program, rows, sums, kept - slack, kept + slack)
        if sums:
            program.set_row_bounds(ROWS, lower=(kept - slack)[sums], upper=(kept + slack)[sums])
    out = []
    for number, decision in enumerate(decisions):
        parts = [j for j in np.flatnonzero(rows.of == number) if rows.terms[j].counts]
        amount = asked[decision]
        held = sum(float(kept[j]) for j in parts) if parts else amount
        reason = why.get(decision, "")
        if reason or start is None:
            held = 0.0
            reason = reason or "no plan keeps the limits"
        elif held < amount - 1e-5:
            reason = "limits leave no room for all of it"
        out.append(HeldRow(decision, amount, held, UNITS[decision.what], reason))
    return Held(tuple(out), start)


def _worth(term: Term, weight: float, amount: float) -> float:
    """Return what a unit of a row is worth: of levels every period, or they would come late."""
    return weight / max(amount, 1e-9) if term.value > 0 else 0.0


def _bound(
    program: Program, rows: _Rows, sums: list[int], lower: FloatArray | float, upper: FloatArray
) -> None:
    """Keep columns that are a part of a decision each within ``lower`` and ``upper`` (m,)."""
    alone = np.setdiff1d(np.arange(len(rows.terms)), sums)
    if not len(alone):
        return
    at = np.array([rows.terms[j].columns[0] for j in alone])
    matrix = program.matrix
    least = np.broadcast_to(lower, len(rows.terms))[alone]
    program.set_column_bounds(
        at,
        lower=np.clip(least, matrix.lower[at], matrix.upper[at]),
        upper=np.clip(upper[alone], matrix.lower[at], matrix.upper[at]),
    )


def _nothing_else(program: Program, rows: _Rows, columns: IntArray) -> None:
    """Keep early columns at zero that no held decision is about."""
    held = {int(c) for term in rows.terms for c in term.columns}
    matrix = program.matrix
    free = np.array([c for c in columns if int(c) not in held and matrix.upper[c] > 0
                     and matrix.lower[c] <= 0], dtype=np.int64)  # fmt: skip
    if len(free):
        program.set_column_bounds(free, lower=matrix.lower[free], upper=0.0)


def _most(
    program: Program,
    rows: _Rows,
    wanted: FloatArray,
    together: BoolArray,
    beside: IntArray,
    separate: Separator,
    limits: Limits,
) -> FloatArray | None:
    """Return the plan (n,) that keeps most of the decisions; None if there is no plan at all.

    Sites that are not concerned stay out, but for those ``beside``, unless there is no plan without
    them or a row (m,) that asks for others ``together`` is not kept.
    """
    named = [int(c) for term in rows.terms for c in term.columns]
    owner = program.matrix.owner
    concerned = np.unique(owner[named][owner[named] >= 0]) if named else np.zeros(0, np.int64)
    best: FloatArray | None = None
    for owners in (np.union1d(concerned, beside), np.unique(owner[owner >= 0])):
        found = _settled(program, rows, wanted, owners, separate, limits)
        if found is None:
            continue
        kept = rows.activity(found)
        if best is None or wanted @ kept > wanted @ rows.activity(best) + _SLACK:
            best = found
        if (kept >= rows.value - 0.5)[together].all():
            break
    return best


def _settled(
    program: Program,
    rows: _Rows,
    wanted: FloatArray,
    owners: IntArray,
    separate: Separator,
    limits: Limits,
) -> FloatArray | None:
    cost = np.zeros(program.n_columns)
    for term, worth in zip(rows.terms, wanted, strict=True):
        np.add.at(cost, term.columns, -worth * term.signs)
    seconds = _SECONDS if limits.time_s is None else min(_SECONDS, limits.time_s)
    room = replace(limits, gap=1e-7, time_s=None if limits.work is not None else seconds)
    for _ in range(_ROUNDS):
        matrix = program.matrix
        part = matrix.take(owners)
        asked = replace(part.matrix, cost=cost[part.columns], offset=0.0)
        found = solve_matrix(asked, room)
        if found.values is None:
            return None
        plan = part.lift(found.values, len(matrix.cost))
        if not separate(plan):
            return plan
    return None
