"""A second objective under a cap on what the first one may come to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

import numpy as np

from sitepick.blocks.ledger import NPC_TERMS
from sitepick.matrix import FloatArray
from sitepick.program import Program
from sitepick.solve.highs import solve_matrix
from sitepick.solve.outcome import Limits, Outcome

COST_CAP = "refine.cost"
"""Row family of the cap on net present cost; lifted when nothing is refined."""
Cap = tuple[str, FloatArray, float]
"""Row family, cost of each column (n,), and the most that they may come to."""
_POLLS = 60  # of branch and bound: some six seconds
_GAP = 1e-4
_SLACK = 1e-7
"""Relative slack of a cap that a plan meets exactly: a tenth of what counts as feasible."""


def npc_cost(program: Program) -> FloatArray:
    """Return (n,) the net present cost of each column, price of turned-away work included."""
    return np.asarray(sum(program.term_cost(term) for term in NPC_TERMS), dtype=float)


@contextmanager
def capped(program: Program, caps: Sequence[Cap]) -> Iterator[None]:
    """Hold ``caps``, each as one row; afterwards they are as they were, new ones lifted."""
    before = {
        name: program.matrix.row_upper[program.row_families[name].indices]
        for name, _, _ in caps
        if name in program.row_families
    }
    for name, cost, upper in caps:
        upper += _SLACK * max(1.0, abs(upper))
        if name in before:
            program.set_row_bounds(name, upper=upper)
            continue
        columns = np.flatnonzero(cost)
        row = program.add_rows(name, keys={"one": [0]}, upper=upper)
        program.add_entries(row[0], columns, cost[columns])
    try:
        yield
    finally:
        for name, _, _ in caps:
            program.set_row_bounds(name, upper=before.get(name, np.inf))


def cheapest(
    program: Program,
    term: str,
    out: Outcome,
    complete: Callable[[FloatArray], FloatArray | None],
    limits: Limits,
) -> Outcome:
    """Return ``out`` with a cheaper plan that is as good by ``term``, if its owners have one.

    An objective that does not count money does nothing for it: it leaves an unused letter or an
    idle hall. ``complete`` makes a whole plan of decisions. The program is by cost afterwards.
    """
    if out.values is None:
        return out
    weights = program.term_cost(term)
    with capped(program, [(f"refine.{term}", weights, float(weights @ out.values))]):
        program.minimise(NPC_TERMS)
        matrix = program.matrix
        used = np.unique(matrix.owner[(out.values != 0) & (matrix.owner >= 0)])
        part = matrix.take(used)
        room = replace(limits, gap=_GAP, work=min(_POLLS, limits.work or _POLLS))
        found = solve_matrix(part.matrix, room, start=out.values[part.columns])
        points = [] if found.values is None else [part.lift(found.values, len(matrix.cost))]
        for decisions in (*points, out.values):
            kept = complete(decisions)
            if kept is not None:
                return replace(out, values=kept, objective=float(weights @ kept))
    return out
