"""A plan in two steps: leading decisions first, with all others relaxed, then what follows of them.

Branch and bound on everything at once hardly finds a first plan where few decisions (who is in a
group, and where) say what all others are for.
"""

from __future__ import annotations

import threading
from dataclasses import replace

import numpy as np

from sitepick.matrix import FloatArray, IntArray, Matrix
from sitepick.solve.highs import solve_matrix
from sitepick.solve.outcome import Limits

_FOLLOWING_GAP = 0.1  # of the asked gap


def lead(
    matrix: Matrix,
    owners: IntArray,
    leading: IntArray,
    limits: Limits,
    *,
    target: float,
    stop: threading.Event | None = None,
) -> FloatArray | None:
    """Return values (n,) with ``leading`` columns decided and all other integers relaxed, or None.

    Only ``owners`` take part. Values as good as ``target`` are good enough.
    """
    part = matrix.take(owners)
    first = np.zeros(len(matrix.cost), dtype=bool)
    first[leading] = True
    led = replace(part.matrix, integer=first[part.columns] & part.matrix.integer)
    out = solve_matrix(led, limits, target=target, stop=stop, stage="leading")
    return None if out.values is None else part.lift(out.values, len(matrix.cost))


def held(matrix: Matrix, columns: IntArray, values: FloatArray) -> Matrix:
    """Return ``matrix`` with ``columns`` held at their (rounded) ``values`` (n,)."""
    lower, upper = matrix.lower.copy(), matrix.upper.copy()
    lower[columns] = upper[columns] = np.round(values[columns])
    return replace(matrix, lower=lower, upper=upper)


def follow(
    matrix: Matrix, owners: IntArray, limits: Limits, stop: threading.Event | None = None
) -> FloatArray | None:
    """Return a plan (n,) of ``matrix``, whose leading decisions are held, over ``owners``, or None.

    ``limits.gap`` is the gap asked of the whole.
    """
    part = matrix.take(owners)
    room = replace(limits, gap=_FOLLOWING_GAP * limits.gap)
    out = solve_matrix(part.matrix, room, stop=stop, stage="following")
    return None if out.values is None else part.lift(out.values, len(matrix.cost))
