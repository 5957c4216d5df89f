"""Rows that enter only when violated: on a linear master, and around the integers of a plan."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import scipy.sparse as sp

from sitepick.matrix import FloatArray, IntArray, Matrix, Part
from sitepick.solve.growing import GrowingLp
from sitepick.solve.highs import load, polish
from sitepick.solve.outcome import Limits, Separator
from sitepick.solve.sifting import Settled

Extend = Callable[[Part], Part]
CUT_ROUNDS = 80
"""Rounds after which the search for missing rows is given up."""
_SLIGHT = 0.05
_PATIENCE = 3


@dataclass(frozen=True)
class Trial:
    """Rows that a program does not hold yet: ``A`` (k, n) and their bounds."""

    A: sp.csr_array
    lower: FloatArray
    upper: FloatArray
    of: Any = None  # what the separator knows them by


def settle(
    matrix: Callable[[], Matrix],
    owners: IntArray,
    separators: Sequence[Separator],
    limits: Callable[[], Limits],
    over: Callable[[], bool],
) -> Settled | None:
    """Add rows until the relaxation over ``owners`` violates none.

    ``matrix`` returns the program as it is now. Pricing every owner each time would be dearer.
    Begins with interior point and goes on by simplex from its basis. Ends early where rounds no
    longer raise the value by `_SLIGHT` of the asked gap: rows that are still missing leave every
    bound valid, and plans find theirs.

    Of a separator with a method ``tried(values)`` only rows that bind in the end come into the
    program (``keep(trial, rows)``): long rows, of which a search meets many. Returns the relaxation
    as it was last solved, None if it has no solution.
    """
    now = matrix()
    part = now.take(owners)
    lp = GrowingLp(load(part.matrix, relax=True, threads=limits().threads, seed=limits().seed))
    trying = [s for s in separators if hasattr(s, "tried")]
    others = [s for s in separators if not hasattr(s, "tried")]
    trials: list[tuple[Any, Trial, IntArray]] = []
    own: list[IntArray] = []  # rows that entered the program, as numbered in `lp` ...
    entered: list[IntArray] = []  # ... and in the program
    slight, value = 0, -math.inf
    for number in range(CUT_ROUNDS):
        if not lp.minimise(interior=number == 0) or over():
            break
        gained = lp.objective - value
        value = lp.objective
        slight = slight + 1 if gained < _SLIGHT * limits().gap * abs(value) else 0
        if slight >= _PATIENCE:
            break
        point = part.lift(lp.values, len(now.cost))
        fresh = [(s, trial) for s in trying if (trial := s.tried(point)) is not None]
        trials += [(s, trial, _append(lp, trial, part)) for s, trial in fresh]
        if sum(separate(point) for separate in others):
            grown = matrix()
            own.append(_append(lp, Trial(*grown.tail(now.A.shape[0])), part))
            entered.append(np.arange(now.A.shape[0], grown.A.shape[0]))
            now = grown
        elif not fresh:
            break
    if not len(lp.duals):
        return None
    before, first = now.A.shape[0], len(part.rows)
    duals = np.concatenate([lp.duals, np.zeros(lp.n_rows - len(lp.duals))])
    held = np.concatenate([part.rows, *entered]) if entered else part.rows
    kept: list[FloatArray] = []
    for separator, trial, rows in trials:
        binds = (np.abs(duals[rows]) > 0) | (rows >= len(lp.duals))
        if binds.any():
            separator.keep(trial, binds)
            kept.append(duals[rows[binds]])
    y = np.zeros(before)
    y[held] = np.concatenate([duals[:first], *(duals[rows] for rows in own)])
    known = matrix().row_owner < 0
    known[held] = True
    return Settled(
        lp.objective, part.lift(lp.values, len(now.cost)), np.concatenate([y, *kept]), known, True
    )


def misses(separator: Separator, values: FloatArray) -> bool:
    """Return whether ``values`` (n,) miss rows, which enter unless the separator tries them."""
    tried = getattr(separator, "tried", None)
    return separator(values) > 0 if tried is None else tried(values) is not None


def _append(lp: GrowingLp, trial: Trial, part: Part) -> IntArray:
    """Append the rows of a trial to the linear program of ``part``; return their numbers."""
    A = sp.csr_array(trial.A[:, part.columns])
    starts, columns = A.indptr[:-1].astype(np.int64), A.indices.astype(np.int64)
    return lp.add_rows(trial.lower, trial.upper, starts, columns, A.data)


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
