"""Rows that enter only when violated: on a linear master, and around the integers of a plan."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from sitepick.program import FloatArray, IntArray, Matrix
from sitepick.solve.growing import GrowingLp
from sitepick.solve.highs import load, polish
from sitepick.solve.outcome import Limits, Separator

CUT_ROUNDS = 80
"""Rounds after which the search for missing rows is given up."""
_SLIGHT = 0.05
_PATIENCE = 3


def settle(
    matrix: Callable[[], Matrix],
    owners: IntArray,
    separate: Separator,
    limits: Callable[[], Limits],
    over: Callable[[], bool],
) -> None:
    """Add rows until the relaxation over ``owners`` violates none.

    ``matrix`` returns the program as it is now. Pricing every owner each time would be dearer.
    Begins with interior point and goes on by simplex from its basis. Ends early where rounds no
    longer raise the value by `_SLIGHT` of the asked gap: rows that are still missing leave every
    bound valid, and plans find theirs.
    """
    now = matrix()
    part = now.take(owners)
    lp = GrowingLp(load(part.matrix, relax=True, threads=limits().threads, seed=limits().seed))
    slight, value = 0, -math.inf
    for number in range(CUT_ROUNDS):
        if not lp.minimise(interior=number == 0) or over():
            return
        gained = lp.objective - value
        value = lp.objective
        slight = slight + 1 if gained < _SLIGHT * limits().gap * abs(value) else 0
        if not separate(part.lift(lp.values, len(now.cost))) or slight >= _PATIENCE:
            return
        grown = matrix()
        fresh = grown.A[now.A.shape[0] :][:, part.columns]
        lower, upper = grown.row_lower[now.A.shape[0] :], grown.row_upper[now.A.shape[0] :]
        starts, columns = fresh.indptr[:-1].astype(np.int64), fresh.indices.astype(np.int64)
        lp.add_rows(lower, upper, starts, columns, fresh.data)
        now = grown


def repaired(
    matrix: Callable[[], Matrix],
    owners: IntArray,
    values: FloatArray,
    separate: Separator,
    limits: Limits,
    over: Callable[[], bool],
) -> FloatArray | None:
    """Return the best plan (n,) with the integers of ``values`` (n,) that misses no row, or None.

    Only ``owners`` take part. Missing rows are added on the way.
    """
    for _ in range(CUT_ROUNDS):
        now = matrix()
        part = now.take(owners)
        found = polish(part.matrix, values[part.columns], limits)
        if found is None:
            return None
        plan = part.lift(found, len(now.cost))
        if not separate(plan):
            return plan
        if over():
            return None
    return None
