"""What forcing one column up costs at least: a proven bound for each, without solving again.

At given duals `safe_bound` is a sum of parts, one for each owner and one that is shared. Forcing a
column changes the part of its owner alone, so

    bound with column j >= v  =  bound - part of its owner + part of its owner with x_j >= v,

which is valid for any duals, and best with the owner's best local duals under the forced bound:
one small LP per owner, many of them side by side. A branching tree gives the least over its leaves.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from sitepick.matrix import FloatArray, IntArray, Matrix
from sitepick.solve.certificate import Parts, owner_parts, padded_leaves, with_cuts
from sitepick.solve.outcome import Certificate
from sitepick.solve.owners import Owners

_MOST_LPS = 6000
"""LPs of owners over all leaves, or one each if there are more owners. A leaf that is not reached
counts with its own bound, which is valid too."""


@dataclass(frozen=True)
class Forced:
    """``at_least`` (k,): bounds with each column forced, inf where its owner's own rows refuse it.

    ``parts`` is the bound as it is, by owner, and ``duals`` (m,) its duals: those of the leaf with
    the lowest bound. ``answers`` are values (n,), one for each of the costs that were asked about:
    what the owners of the columns do at these, each alone, with nothing forced.
    """

    parts: Parts
    at_least: FloatArray
    duals: FloatArray
    answers: tuple[FloatArray, ...] = ()

    @property
    def bound(self) -> float:
        """The bound with nothing forced."""
        return self.parts.bound


def forced_bounds(
    matrix: Matrix,
    certificate: Certificate,
    columns: IntArray,
    value: float = 1.0,
    also: Callable[[FloatArray], Sequence[FloatArray]] = lambda _: (),
    slight: float = 0.0,
    threads: int | None = None,
) -> Forced:
    """Return bounds of ``matrix`` with each of ``columns`` (k,), one at a time, at least ``value``.

    Owners of ``matrix`` are numbered 0, 1, ...; ``columns`` have an owner each, all different.
    ``also`` is given the duals (m,) of `Forced` and returns costs (n,) at
    which the owners answer besides: their LPs are loaded once for everything. Owners that save at
    most ``slight`` there may answer with zeros.
    """
    owner = matrix.owner[columns]
    if (owner < 0).any() or len(np.unique(owner)) != len(owner):
        raise ValueError("each forced column needs an owner of its own")
    count = int(matrix.owner.max(initial=-1)) + 1
    leaves = []
    for leaf in padded_leaves(matrix, certificate):
        part = with_cuts(matrix, leaf.cuts)
        leaves.append((owner_parts(part, leaf.duals, count), part, leaf.duals))
    leaves.sort(key=lambda item: item[0].bound)
    lowest, whole, duals = leaves[0][0], leaves[0][1], leaves[0][2][: matrix.A.shape[0]]
    costs = also(duals)
    answers: Sequence[FloatArray] = ()
    if costs and whole is not matrix:  # cuts may be an owner's own rows: asked without them
        _, _, answers = Owners(matrix, threads).best(duals, np.sort(owner), costs, slight=slight)
        costs = ()
    at_least = np.full(len(columns), math.inf)
    able = matrix.upper[columns] >= value
    left = max(_MOST_LPS, len(columns))
    for parts, part, y in leaves:
        mine = np.flatnonzero(able & (at_least > parts.bound))
        if left < len(mine):
            at_least[mine] = parts.bound
            break
        left -= len(mine)
        lower = part.lower.copy()
        lower[columns[mine]] = np.maximum(lower[columns[mine]], value)
        forced = replace(part, lower=lower)
        better, refused, found = Owners(forced, threads).best(
            y, owner[mine], costs, part.lower, slight
        )
        answers, costs = (found, ()) if costs else (answers, costs)
        now = parts.replaced(owner_parts(forced, better, count))[owner[mine]]
        # the forced problem is a part of the leaf: its bound is never below the leaf's
        now = np.where(np.isin(owner[mine], refused), math.inf, np.maximum(now, parts.bound))
        at_least[mine] = np.minimum(at_least[mine], now)
    return Forced(lowest, at_least, duals, tuple(answers))
