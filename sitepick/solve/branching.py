"""Best-bound branching on whole-numbered sums, each node solved by pricing.

Where the LP bound is weak, a count often makes it so: 6.4 openings in all, 0.3 of a region entered.
A node adds rows ``sum <= k`` or ``sum >= k + 1``; the two sides cover every plan, so the least bound
of the leaves holds for the whole, and each leaf proves its own by duals.
"""

from __future__ import annotations

import heapq
import math
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import scipy.sparse as sp

from sitepick.program import SHARED, FloatArray, IntArray, Matrix, Program
from sitepick.solve.certificate import safe_bound, with_cuts
from sitepick.solve.outcome import Cut, Limits
from sitepick.solve.owners import Owners
from sitepick.solve.sifting import relax_by_pricing

_NODES = 400
_KEY_VALUES = 12  # a family is also summed by a key that takes at most so many values
_FRACTION = 1e-3  # closer to a whole number than this is whole


@dataclass(frozen=True)
class Node:
    """A part of the problem: extra rows, duals (m + cuts,), the bound they prove, LP values."""

    cuts: tuple[Cut, ...]
    duals: FloatArray
    bound: float
    values: FloatArray | None


def quantities(
    program: Program, matrix: Matrix, families: Sequence[str | IntArray]
) -> list[IntArray]:
    """Return sets of whole-numbered columns whose sums may be branched on, coarse ones first.

    ``families`` are names or column indices; without any, every family of yes-or-no columns is
    taken. Single shared columns come last.
    """
    sets: list[IntArray] = []
    binary = matrix.integer & (matrix.lower >= 0) & (matrix.upper <= 1)
    named: Sequence[str | IntArray] = families or [
        name
        for name, family in program.column_families.items()
        if family.size and binary[family.start : family.start + family.size].all()
    ]
    for item in named:
        if not isinstance(item, str):
            sets.append(np.asarray(item, dtype=np.int64))
            continue
        family = program.columns_of(item)
        if family is None or not matrix.integer[family.indices].all():
            continue
        sets.append(family.indices)
        for key in family.keys.values():
            values = np.unique(key)
            if 1 < len(values) <= _KEY_VALUES:
                sets += [family.indices[key == value] for value in values]
    shared = np.flatnonzero(matrix.integer & (matrix.owner == SHARED))
    sets += [np.array([column]) for column in shared]
    return [columns for columns in sets if len(columns)]


def branch(
    matrix: Matrix,
    root: Node,
    present: IntArray,
    sums: Sequence[IntArray],
    limits: Limits,
    *,
    target: Callable[[], float],
    visit: Callable[[Node], None],
    over: Callable[[], bool],
    nodes: int = _NODES,
    deadline: float = math.inf,
    stop: threading.Event | None = None,
    tell: Callable[[float], None] | None = None,
) -> list[Node]:
    """Split ``root`` until every leaf's bound reaches ``target()``; return the covering leaves.

    ``visit`` sees each node about to be split (a chance to find plans there). Ends early, with
    leaves that still cover everything, on ``over()`` or after ``nodes`` splits.
    """
    open_nodes: list[tuple[float, int, Node]] = [(root.bound, 0, root)]
    stuck: list[Node] = []
    number = 0
    while open_nodes and not over() and number < 2 * nodes:
        bound, _, node = open_nodes[0]
        if bound >= target():
            break
        visit(node)
        if bound >= target() or over():
            break
        pair = _split(matrix, node, sums)
        heapq.heappop(open_nodes)
        if pair is None:
            # no sum is fractional: this leaf limits the bound
            stuck.append(node)
            break
        for cut in pair:
            number += 1
            child, present = _solve(
                matrix, node, cut, present, limits, target(), deadline=deadline, stop=stop
            )
            heapq.heappush(open_nodes, (child.bound, number, child))
        if tell is not None:
            tell(min([entry[0] for entry in open_nodes] + [leaf.bound for leaf in stuck]))
    return [entry[2] for entry in sorted(open_nodes, key=lambda e: e[1])] + stuck


def _split(matrix: Matrix, node: Node, sums: Sequence[IntArray]) -> tuple[Cut, Cut] | None:
    """Return the two sides of the most promising sum, or None when all are whole."""
    if node.values is None:
        return None
    best: tuple[float, IntArray, float] | None = None
    for columns in sums:
        total = float(node.values[columns].sum())
        distance = abs(total - round(total))
        # a later (finer) sum must be clearly more fractional than an earlier one
        if distance > _FRACTION and (best is None or distance > best[0] + 0.2):
            best = (distance, columns, total)
    if best is None:
        single = np.flatnonzero(matrix.integer)
        values = node.values[single]
        distance_of = np.abs(values - np.round(values))
        if not len(single) or distance_of.max() <= _FRACTION:
            return None
        at = int(np.argmax(distance_of))
        best = (float(distance_of[at]), single[at : at + 1], float(values[at]))
    _, columns, total = best
    ones = np.ones(len(columns))
    low = math.floor(total)
    return Cut(columns, ones, -math.inf, float(low)), Cut(columns, ones, low + 1.0, math.inf)


def _solve(
    matrix: Matrix,
    parent: Node,
    cut: Cut,
    present: IntArray,
    limits: Limits,
    cutoff: float,
    *,
    deadline: float,
    stop: threading.Event | None,
) -> tuple[Node, IntArray]:
    cuts = (*parent.cuts, cut)
    part = with_cuts(matrix, cuts)
    inherited = np.append(parent.duals, 0.0)
    penalty = max(1.0, abs(parent.bound))
    relaxed = relax_by_pricing(
        Owners(_elastic(part, len(cuts), penalty)),
        limits,
        present=present,
        duals=inherited,
        cutoff=cutoff,
        deadline=deadline,
        stop=stop,
    )
    # the slacks are absent from the node itself, which can only raise its bound
    bound = safe_bound(part, relaxed.duals)
    values = None if relaxed.values is None else relaxed.values[: len(matrix.cost)]
    if bound >= parent.bound:
        return Node(cuts, relaxed.duals, bound, values), relaxed.present
    return Node(cuts, inherited, parent.bound, values), relaxed.present


def _elastic(matrix: Matrix, cuts: int, penalty: float) -> Matrix:
    """Return ``matrix`` whose last ``cuts`` rows may be missed at a ``penalty`` per unit.

    So a node is never infeasible by its cuts alone, and its bound needs no dual ray.
    """
    m = matrix.A.shape[0]
    rows = np.arange(m - cuts, m)
    signs = np.where(np.isfinite(matrix.row_lower[rows]), 1.0, -1.0)
    slack = sp.csr_array(sp.coo_array((signs, (rows, np.arange(cuts))), shape=(m, cuts)))
    reach = abs(matrix.A[rows]) @ np.maximum(np.abs(matrix.lower), np.abs(matrix.upper))
    side = np.where(signs > 0, matrix.row_lower[rows], matrix.row_upper[rows])
    return replace(
        matrix,
        cost=np.concatenate([matrix.cost, np.full(cuts, penalty)]),
        lower=np.concatenate([matrix.lower, np.zeros(cuts)]),
        upper=np.concatenate([matrix.upper, reach + np.abs(side) + 1.0]),
        integer=np.concatenate([matrix.integer, np.zeros(cuts, dtype=bool)]),
        owner=np.concatenate([matrix.owner, np.full(cuts, SHARED)]),
        A=sp.csr_array(sp.hstack([matrix.A, slack], format="csr")),
    )
