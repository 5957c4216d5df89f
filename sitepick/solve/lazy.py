"""Rows that enter only when violated: on a linear master, and around the integers of a plan."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import scipy.sparse as sp

from sitepick.matrix import FloatArray, IntArray, Matrix, Part
from sitepick.solve.growing import GrowingLp
from sitepick.solve.highs import load, polish
from sitepick.solve.outcome import Limits, Separator

Extend = Callable[[Part], Part]
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
        A, lower, upper = grown.tail(now.A.shape[0])
        fresh = sp.csr_array(A[:, part.columns])
        starts, columns = fresh.indptr[:-1].astype(np.int64), fresh.indices.astype(np.int64)
        lp.add_rows(lower, upper, starts, columns, fresh.data)
        now = grown


def extension(separators: Sequence[Separator]) -> Extend:
    """Return what makes a restriction to few owners exact before any row is missed.

    A separator with a method ``extended(part)`` says all its rows at once with further columns:
    too many for the whole, few for few owners.
    """
    able = [more for s in separators if (more := getattr(s, "extended", None)) is not None]

    def extend(part: Part) -> Part:
        for more in able:
            part = more(part)
        return part

    return extend


def repaired(
    matrix: Callable[[], Matrix],
    owners: IntArray,
    values: FloatArray,
    separate: Separator,
    limits: Limits,
    over: Callable[[], bool],
    extend: Extend = lambda part: part,
) -> FloatArray | None:
    """Return the best plan (n,) with the integers of ``values`` (n,) that misses no row, or None.

    Only ``owners`` take part. Missing rows are added on the way.
    """
    now = matrix()
    part = extend(now.take(owners))
    for _ in range(CUT_ROUNDS):
        found = polish(part.matrix, part.restrict(values), limits)
        if found is None:
            return None
        plan = part.lift(found, len(now.cost))
        if not separate(plan):
            return plan
        if over():
            return None
        A, lower, upper = matrix().tail(now.A.shape[0])
        now = matrix()
        extra = len(part.matrix.cost) - len(part.columns)
        inside = sp.hstack([A[:, part.columns], sp.csr_array((A.shape[0], extra))], format="csr")
        fresh = part.matrix.with_rows(sp.csr_array(inside), lower, upper)
        part = replace(part, matrix=fresh)
    return None
