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

_LEADING_GAP = 0.6  # of the asked gap, for the leading decisions
_FOLLOWING_GAP = 0.1  # for the others


def plan_narrowed(
    matrix: Matrix,
    owners: IntArray,
    upper: FloatArray,
    leading: IntArray,
    limits: Limits,
    stop: threading.Event | None = None,
) -> FloatArray | None:
    """Return a plan (n,) over ``owners`` below ``upper`` (n,), or None where none is found.

    The columns ``leading`` are decided with all other integers relaxed, then held while those are
    decided. ``limits.gap`` is the gap asked of the whole; ``limits.work`` is for each step.
    """
    part = replace(matrix, upper=upper).take(owners)
    first = np.zeros(len(matrix.cost), dtype=bool)
    first[leading] = True
    led = first[part.columns] & part.matrix.integer
    room = replace(limits, gap=_LEADING_GAP * limits.gap)
    out = solve_matrix(replace(part.matrix, integer=led), room, stop=stop, stage="leading")
    if out.values is None:
        return None
    low, high = part.matrix.lower.copy(), part.matrix.upper.copy()
    low[led] = high[led] = np.round(out.values[led])
    room = replace(limits, gap=_FOLLOWING_GAP * limits.gap)
    rest = replace(part.matrix, lower=low, upper=high)
    out = solve_matrix(rest, room, stop=stop, stage="following")
    return None if out.values is None else part.lift(out.values, len(matrix.cost))
