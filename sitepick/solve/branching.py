"""Branching for a better certified bound, where the linear relaxation is too weak.

Two levels. A tree is grown over few owners with warm-started simplex, which takes milliseconds a
node; it branches on sums of whole-numbered columns (openings in all, halls of a class in a year) as
well as on single ones, whichever lifts both sides most. Then each leaf is priced over all owners,
and the duals found there prove its bound for the whole problem. The leaves cover every plan, as
each split is ``sum <= k`` or ``sum >= k + 1``; so the least of their bounds holds.
"""

from __future__ import annotations

import heapq
import math
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np
import scipy.sparse as sp

from sitepick.matrix import SHARED, FloatArray, IntArray, Matrix
from sitepick.program import Program
from sitepick.solve.certificate import safe_bound, with_cuts
from sitepick.solve.highs import load, run
from sitepick.solve.outcome import Cut, Leaf, Limits
from sitepick.solve.owners import Owners, movers
from sitepick.solve.sifting import Relaxation, relax_by_pricing

_KEY_VALUES = 12  # a family is also summed by a key that takes at most so many values
_FRACTION = 1e-4  # closer to a whole number than this is whole
_LOOK_AT_ROOT = 40  # candidates tried on both sides before the first split, and before later ones
_LOOK = 8
_RESTARTS = 8  # of the tree, with more owners each time
_RELIABLE = 2  # trials after which a candidate's past gains are believed


def quantities(
    program: Program, matrix: Matrix, families: Sequence[str | IntArray]
) -> list[IntArray]:
    """Return sets of whole-numbered columns whose sums may be branched on, coarse ones first.

    ``families`` are names or column indices; without any, every whole-numbered family is taken: in
    all, by each key of few values, and by pairs of them.
    """
    sets: list[IntArray] = []
    named: Sequence[str | IntArray] = families or [
        name
        for name, family in program.column_families.items()
        if family.size and matrix.integer[family.indices].all()
    ]
    for item in named:
        if not isinstance(item, str):
            sets.append(np.asarray(item, dtype=np.int64))
            continue
        family = program.columns_of(item)
        if family is None or not matrix.integer[family.indices].all():
            continue
        sets.append(family.indices)
        short = [key for key in family.keys.values() if 1 < len(np.unique(key)) <= _KEY_VALUES]
        for key in short:
            sets += [family.indices[key == value] for value in np.unique(key)]
        for a, b in combinations(short, 2):
            both = np.unique(np.stack([a, b]), axis=1).T
            sets += [family.indices[(a == one) & (b == two)] for one, two in both]
    return [columns for columns in sets if len(columns) > 1]


@dataclass(frozen=True)
class _Node:
    """Bounds on every quantity (k,), the LP value, the quantities' values, and the LP's basis."""

    lower: FloatArray
    upper: FloatArray
    value: float
    amounts: FloatArray | None
    basis: Any


class Tree:
    """A branch-and-bound tree over the owners ``chosen``, whose leaves `prove` prices over all."""

    def __init__(
        self,
        matrix: Matrix,
        chosen: IntArray,
        sums: Sequence[IntArray],
        limits: Limits,
    ) -> None:
        part = matrix.take(chosen)
        self._limits = limits
        self._columns = part.columns
        place = np.full(len(matrix.cost), -1, dtype=np.int64)
        place[part.columns] = np.arange(len(part.columns))
        inside = [place[columns][place[columns] >= 0] for columns in sums]
        kept = [number for number, columns in enumerate(inside) if len(columns)]
        self._sets = [sums[number] for number in kept]
        free = [
            Cut(inside[number], np.ones(len(inside[number])), -math.inf, math.inf)
            for number in kept
        ]
        self._single = np.flatnonzero(part.matrix.integer)
        self._sets += [part.columns[column : column + 1] for column in self._single]
        self._rows = part.matrix.A.shape[0] + np.arange(len(free))
        self._lp = load(with_cuts(part.matrix, free), relax=True, threads=limits.threads)
        self._lp.setOptionValue("solver", "simplex")
        count = len(self._sets)
        self._gain = np.zeros((2, count))  # value per unit of fraction, summed over trials
        self._tried = np.zeros((2, count))
        lower = np.full(count, -math.inf)
        upper = np.full(count, math.inf)
        lower[len(free) :] = part.matrix.lower[self._single]
        upper[len(free) :] = part.matrix.upper[self._single]
        self._root = (lower, upper)
        root = self._solve(lower, upper, None)
        self._number = 0
        self.splits = 0
        self._open: list[tuple[float, int, _Node]] = [(root.value, 0, root)]
        self._stuck: list[_Node] = []

    @property
    def bound(self) -> float:
        """The least LP value of a leaf: a bound for plans on the chosen owners only."""
        values = [self._open[0][0]] if self._open else []
        return min(values + [node.value for node in self._stuck], default=math.inf)

    @property
    def size(self) -> int:
        """Number of leaves."""
        return len(self._open) + len(self._stuck)

    def grow(self, goal: float, leaves: int, over: Callable[[], bool]) -> bool:
        """Split the leaf of least value until all reach ``goal``; return whether they do."""
        while self._open and self.size < leaves and not over():
            value, _, node = self._open[0]
            if value >= goal:
                break
            heapq.heappop(self._open)
            sides = self._split(node, goal)
            if sides is None:
                self._stuck.append(node)
                break
            self.splits += 1
            for side in sides:
                self._number += 1
                heapq.heappush(self._open, (side.value, self._number, side))
        return self.bound >= goal

    def leaves(self) -> list[tuple[Cut, ...]]:
        """Return the rows that make up each leaf, in the columns of the whole matrix."""
        nodes = [entry[2] for entry in sorted(self._open, key=lambda e: e[1])] + self._stuck
        return [self._cuts(node) for node in nodes]

    def _cuts(self, node: _Node) -> tuple[Cut, ...]:
        low, high = node.lower > self._root[0], node.upper < self._root[1]
        return tuple(
            Cut(
                self._sets[k],
                np.ones(len(self._sets[k])),
                float(node.lower[k]) if low[k] else -math.inf,
                float(node.upper[k]) if high[k] else math.inf,
            )
            for k in np.flatnonzero(low | high)
        )

    def _solve(self, lower: FloatArray, upper: FloatArray, basis: Any) -> _Node:
        import highspy

        h = self._lp
        rows, single = self._rows.astype(np.int32), self._single.astype(np.int32)
        count = len(rows)
        if count:
            h.changeRowsBounds(count, rows, lower[:count], upper[:count])
        h.changeColsBounds(len(single), single, lower[count:], upper[count:])
        if basis is not None:
            h.setBasis(basis)
        status = run(h, self._limits.threads)
        if status == highspy.HighsModelStatus.kInfeasible:
            return _Node(lower, upper, math.inf, None, None)
        if status != highspy.HighsModelStatus.kOptimal:
            return _Node(lower, upper, -math.inf, None, None)
        solution = h.getSolution()
        x = np.asarray(solution.col_value)
        sums = np.asarray(solution.row_value)[self._rows]
        amounts = np.concatenate([sums, x[self._single]])
        value = float(h.getInfo().objective_function_value)
        return _Node(lower, upper, value, amounts, h.getBasis())

    def _split(self, node: _Node, goal: float) -> tuple[_Node, _Node] | None:
        """Return the two sides of the split that promises to lift the least value most."""
        if node.amounts is None:
            return None
        fraction = node.amounts - np.floor(node.amounts)
        loose = np.flatnonzero(np.minimum(fraction, 1 - fraction) > _FRACTION)
        if not len(loose):
            return None
        guess = self._gain / np.maximum(1, self._tried)
        usual = self._gain.sum() / max(1.0, self._tried.sum())
        guess = np.where(self._tried > 0, guess, max(usual, 1e-9))
        tiny = 1e-9 * max(1.0, abs(goal))
        down = np.maximum(guess[0] * fraction, tiny)
        up = np.maximum(guess[1] * (1 - fraction), tiny)
        score = down * up
        best: tuple[float, int, tuple[_Node, _Node] | None] | None = None
        looks = _LOOK if self.splits else _LOOK_AT_ROOT
        for k in loose[np.argsort(-score[loose], kind="stable")]:
            if self._tried[:, k].min() >= _RELIABLE:
                if best is None or score[k] > best[0]:
                    best = (float(score[k]), int(k), None)
                break
            sides = self._sides(node, int(k), goal)
            lifts = [max(tiny, min(side.value, goal) - node.value) for side in sides]
            if best is None or lifts[0] * lifts[1] > best[0]:
                best = (lifts[0] * lifts[1], int(k), sides)
            looks -= 1
            if looks <= 0:
                break
        assert best is not None
        return best[2] if best[2] is not None else self._sides(node, best[1], goal)

    def _sides(self, node: _Node, k: int, goal: float) -> tuple[_Node, _Node]:
        assert node.amounts is not None
        amount = float(node.amounts[k])
        low = math.floor(amount)
        lower, upper = node.lower.copy(), node.upper.copy()
        upper[k], lower[k] = low, low + 1.0
        pair = (
            self._solve(node.lower, upper, node.basis),
            self._solve(lower, node.upper, node.basis),
        )
        out = []
        for side, distance, solved in zip(
            (0, 1), (amount - low, low + 1 - amount), pair, strict=True
        ):
            # a failed LP proves nothing beyond its parent
            value = max(solved.value, node.value)
            gain = min(value, node.value + abs(goal - node.value) * 2) - node.value
            self._gain[side, k] += gain / distance
            self._tried[side, k] += 1
            out.append(replace(solved, value=value))
        return out[0], out[1]


@dataclass(frozen=True)
class Proof:
    """What `prove` came to: leaves that cover everything (empty when it failed) and their bound.

    ``owners`` are those that the tree turned out to need.
    """

    leaves: tuple[Leaf, ...]
    bound: float
    owners: IntArray
    note: str


def prove(
    matrix: Matrix,
    owners: IntArray,
    relaxed: Relaxation,
    sums: Sequence[IntArray],
    limits: Limits,
    *,
    target: float,
    most_leaves: int,
    over: Callable[[], bool],
    deadline: float = math.inf,
    stop: threading.Event | None = None,
    tell: Callable[[], None] = lambda: None,
) -> Proof:
    """Prove by branching that no plan is better than ``target``, or say how far it came.

    A tree is grown over ``owners`` and each leaf priced over all, those with the fewest rows first:
    they are most likely to be worse than they look, other owners stepping in. Then the tree is
    grown anew with those owners. ``relaxed`` is the relaxation without branching.
    """
    # the tree aims higher, for pricing to be satisfied early
    goal = target + min(
        max(2e-4 * abs(target), 0.15 * (target - relaxed.bound)), 0.5 * limits.gap * abs(target)
    )
    present = np.union1d(relaxed.present, owners)
    known: dict[tuple[Any, ...], tuple[Leaf, float]] = {}
    note = "branching: not begun"
    for _ in range(_RESTARTS):
        tree = Tree(matrix, owners, sums, limits)
        reached = tree.grow(goal, most_leaves, over)
        note = (
            f"branching: {tree.size:,} leaves on {len(owners):,} owners, "
            f"least value {tree.bound:.9g}, asked {goal:.9g}"
        )
        if not reached:
            break
        least = math.inf
        leaves = sorted(tree.leaves(), key=len)
        for cuts in leaves:
            key = tuple((int(c.columns[0]), len(c.columns), c.lower, c.upper) for c in cuts)
            if key not in known:
                leaf, bound, solved = _certify(
                    matrix, cuts, present, relaxed.duals, limits, target, deadline, stop
                )
                present = np.union1d(present, solved.present)
                if bound < target:
                    break
                known[key] = leaf, bound
            least = min(least, known[key][1])
            tell()
            if over():
                return Proof((), -math.inf, owners, f"{note}; stopped by a limit")
        else:
            proven = tuple(
                known[tuple((int(c.columns[0]), len(c.columns), c.lower, c.upper) for c in cuts)][0]
                for cuts in leaves
            )
            return Proof(proven, least, owners, f"{note}; proven {least:.9g} for all owners")
        more = np.union1d(owners, movers(matrix, solved.values))
        if len(more) == len(owners) or over():
            break
        owners = more
    return Proof((), -math.inf, owners, f"{note}; not proven")


def _certify(
    matrix: Matrix,
    cuts: tuple[Cut, ...],
    present: IntArray,
    duals: FloatArray,
    limits: Limits,
    target: float,
    deadline: float,
    stop: threading.Event | None,
) -> tuple[Leaf, float, Relaxation]:
    """Price a leaf over all owners; return it with its duals, its bound, and its relaxation."""
    part = with_cuts(matrix, cuts)
    inherited = np.concatenate([duals, np.zeros(matrix.A.shape[0] - len(duals) + len(cuts))])
    floor = safe_bound(part, inherited)
    relaxed = relax_by_pricing(
        Owners(_elastic(part, len(cuts), max(1.0, abs(floor))), limits.threads),
        limits,
        present=present,
        duals=inherited,
        cutoff=target,
        deadline=deadline,
        stop=stop,
    )
    # the slacks are no part of the leaf itself: without them its bound can only be higher
    bound = safe_bound(part, relaxed.duals)
    if bound >= floor:
        return Leaf(cuts, relaxed.duals), bound, relaxed
    return Leaf(cuts, inherited), floor, relaxed


def _elastic(matrix: Matrix, cuts: int, penalty: float) -> Matrix:
    """Return ``matrix`` whose last ``cuts`` rows may be missed at a ``penalty`` per unit.

    So a leaf is never infeasible by its cuts, and its bound needs no dual ray.
    """
    m = matrix.A.shape[0]
    rows = np.arange(m - cuts, m)
    reach = abs(matrix.A[rows]) @ np.maximum(np.abs(matrix.lower), np.abs(matrix.upper))
    parts, sizes = [], []
    for sign, side in ((1.0, matrix.row_lower[rows]), (-1.0, matrix.row_upper[rows])):
        finite = np.flatnonzero(np.isfinite(side))
        at = (np.full(len(finite), sign), (rows[finite], np.arange(len(finite))))
        parts.append(sp.coo_array(at, shape=(m, len(finite))))
        sizes.append(reach[finite] + np.abs(side[finite]) + 1.0)
    upper = np.concatenate(sizes)
    count = len(upper)
    return replace(
        matrix,
        cost=np.concatenate([matrix.cost, np.full(count, penalty)]),
        lower=np.concatenate([matrix.lower, np.zeros(count)]),
        upper=np.concatenate([matrix.upper, upper]),
        integer=np.concatenate([matrix.integer, np.zeros(count, dtype=bool)]),
        owner=np.concatenate([matrix.owner, np.full(count, SHARED)]),
        A=sp.csr_array(sp.hstack([matrix.A, *parts], format="csr")),
    )
