"""The relaxation of owners that are knapsacks as a linear program, solved again from where it was.

Prices climb slowly towards the last millionth (`sitepick.solve.lagrangian`), and that is what a
proof is made of. Simplex is there at once where the program is small. It is small where few owners
are left, or where only those of their columns are in it that some prices make worth a look: what
is missing then shows in the reduced costs, and enters. From node to node only bounds change, and
simplex goes on from the basis that it has. Any bound is the dual function's at the prices found.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp

from sitepick.matrix import SHARED, BoolArray, FloatArray, IntArray, Matrix
from sitepick.solve.highs import load, lp_duals, lp_point, run
from sitepick.solve.knapsack import Answer
from sitepick.solve.lagrangian import Climb, Dual

FEW = 1500  # columns of what is carried that are in the program at first
_MOST = 60_000  # columns beyond which the program is left alone
_MOST_STEPS = 8000  # of simplex at one node: what takes longer is climbed faster
_ROUNDS = 30
_DEAR, _DEARER, _DEAREST = 3.0, 100.0, 1e6
"""Times its price that a lack costs at first, by how much more while some is left, and at most."""
_LACK = 1e-7  # of the largest bound of a linking row: less is none
_REAL = 1e-9  # of the objective: what a missing column must promise


@dataclass(frozen=True)
class Summit:
    """The best ``prices`` (r,) of the linking rows, their ``bound`` and the owners' answer.

    ``values`` (n,) of the whole matrix solve the relaxation, ``opened`` (k,) is how far each owner
    opens in them; None where there is no solution.
    """

    prices: FloatArray
    bound: float
    answer: Answer
    values: FloatArray | None
    opened: FloatArray | None
    basis: Any = None


class OwnerLp:
    """The relaxation of ``matrix`` with ``owners`` (k, sorted) alone.

    ``dual`` is the dual function of just these owners; ``linking`` (r,) and ``flow`` (f,) are
    its rows and the columns that its owners carry, in the numbers of ``matrix``.
    """

    def __init__(
        self, matrix: Matrix, dual: Dual, owners: IntArray, linking: IntArray, flow: IntArray,
        yes: IntArray, threads: int | None,
    ) -> None:  # fmt: skip
        self._dual, self._threads = dual, threads
        self._shape = (matrix.A.shape[0], len(matrix.cost))
        part = matrix.take(owners)
        link = np.zeros(matrix.A.shape[0], dtype=bool)
        link[dual.blocks.link] = True
        links = link[part.rows]
        free = ~np.isin(part.columns, flow)
        base = np.flatnonzero(free)
        self._columns: IntArray = part.columns[base]  # of the program, in the whole
        self._rows: IntArray = part.rows[~links]
        self._linking = np.searchsorted(self._rows, linking)
        self._yes: IntArray = np.searchsorted(self._columns, yes[owners]).astype(np.int32)
        self._flow, self._matrix = flow, matrix
        A = sp.csc_array(part.matrix.A[~links])
        self._carried = sp.csc_array(A[:, np.searchsorted(part.columns, flow)])
        small = part.matrix
        # what linking rows lack or have too much costs: there is a solution before all is there
        r = len(linking)
        at = np.concatenate([self._linking, self._linking])
        slack = sp.csc_array(
            (np.repeat([1.0, -1.0], r), (at, np.arange(2 * r))), shape=(A.shape[0], 2 * r)
        )
        bounded = np.isfinite(np.concatenate([dual.blocks.row_lower, dual.blocks.row_upper]))
        self._lacks = len(base) + np.arange(2 * r, dtype=np.int32)
        self._columns = np.concatenate([self._columns, np.full(2 * r, -1)])
        whole = Matrix(
            cost=np.concatenate([small.cost[base], np.zeros(2 * r)]), offset=small.offset,
            lower=np.concatenate([small.lower[base], np.zeros(2 * r)]),
            upper=np.concatenate([small.upper[base], np.where(bounded, np.inf, 0.0)]),
            integer=np.zeros(len(base) + 2 * r, dtype=bool),
            owner=np.full(len(base) + 2 * r, SHARED),
            A=sp.csr_array(sp.hstack([A[:, base], slack])),
            row_lower=small.row_lower[~links], row_upper=small.row_upper[~links],
        )  # fmt: skip
        self._lower, self._upper = whole.lower[self._yes], whole.upper[self._yes]
        self._highs: Any = load(whole, relax=True, threads=threads)
        for name, value in (("solver", "simplex"), ("presolve", "off")):
            self._highs.setOptionValue(name, value)
        self._highs.setOptionValue("simplex_iteration_limit", _MOST_STEPS)
        self._there = np.zeros(len(flow), dtype=bool)
        self._unit = dual.money / np.maximum(dual.size, 1e-12) / max(1, r)
        self._price = np.zeros(r)
        self._value = 0.0
        self._short = self._hopeless = False

    def solve(
        self, near: Climb | None, opened: BoolArray, closed: BoolArray, goal: float
    ) -> Summit | None:
        """Solve with some owners (k,) held open and some closed; None where that takes too long.

        Prices and basis of ``near`` are where it begins (as before, if not given). A bound of
        ``goal`` is enough.
        """
        lower = np.where(opened, 1.0, self._lower)
        upper = np.where(closed, 0.0, self._upper)
        if self._hopeless or (lower > upper).any():
            return None
        h = self._highs
        h.changeColsBounds(len(self._yes), self._yes, lower, upper)
        if near is not None:
            self._price = np.abs(near.prices)
            if not self._there.any():
                few = len(self._flow) <= 2 * FEW
                self._enter(self._cheapest(near.answer, len(self._flow) if few else FEW))
            elif near.basis is not None and len(near.basis.col_status) == len(self._columns):
                h.setBasis(near.basis)
        best: Summit | None = None
        dear, steps = _DEAR, 0
        self._charge(dear)
        for _ in range(_ROUNDS):
            found = self._read(run(h, self._threads), opened, closed)
            if found is None:
                break
            if best is None or found.bound > best.bound:
                best = found
            missing, promise = self._missing(found)
            if found.bound >= goal or not (len(missing) or self._short):
                return found
            if len(missing):
                most = max(FEW, int(self._there.sum()) // 2)
                self._enter(missing[np.argsort(promise, kind="stable")[:most]])
            elif dear > _DEAREST:
                return found  # there is no solution, and no goal to show it by
            if self._short:
                dear *= _DEARER
                self._charge(dear)
            steps += int(h.getInfo().simplex_iteration_count)
            if int(self._there.sum()) > _MOST or steps > _MOST_STEPS:
                break
        self._hopeless = True
        return best

    def _missing(self, found: Summit) -> tuple[IntArray, FloatArray]:
        """Return positions of columns that could improve the program, and by how much (<= 0).

        The owners' answer at its prices is better than the program says just where it uses one.
        """
        if found.bound >= self._value - _REAL * max(1.0, abs(self._value)):
            return np.zeros(0, dtype=np.int64), np.zeros(0)
        blocks = self._dual.blocks
        spare = np.minimum(blocks.spare(found.answer) * blocks.most, 0.0)
        used = np.zeros(len(spare), dtype=bool)
        used[found.answer.flow] = True
        missing = np.flatnonzero((used | (spare < 0)) & ~self._there)
        return missing, spare[missing]

    def _charge(self, times: float) -> None:
        """Let what linking rows lack cost ``times`` their prices."""
        each = times * (self._price + self._unit)
        self._highs.changeColsCost(len(self._lacks), self._lacks, np.concatenate([each, each]))

    def _cheapest(self, answer: Answer, count: int) -> IntArray:
        """Return positions of the ``count`` missing columns with least reduced cost."""
        missing = np.flatnonzero(~self._there)
        if len(missing) <= count:
            return missing
        spare = self._dual.blocks.spare(answer)[missing] * self._dual.blocks.most[missing]
        return np.sort(missing[np.argpartition(spare, count)[:count]])

    def _enter(self, which: IntArray) -> None:
        """Put the columns at positions ``which`` of ``flow``, and their links, into the program."""
        blocks, h, count = self._dual.blocks, self._highs, len(which)
        entries = self._carried[:, which]
        at = self._flow[which]
        h.addCols(
            count, self._matrix.cost[at], self._matrix.lower[at], self._matrix.upper[at],
            entries.nnz, entries.indptr[:-1].astype(np.int32), entries.indices.astype(np.int32),
            entries.data,
        )  # fmt: skip
        new = len(self._columns) + np.arange(count)
        self._columns = np.concatenate([self._columns, at])
        pairs = np.column_stack([new, self._yes[blocks.owner[which]]]).ravel()
        sides = np.column_stack([np.ones(count), -blocks.most[which]]).ravel()
        h.addRows(
            count, np.full(count, -np.inf), np.zeros(count), 2 * count,
            2 * np.arange(count, dtype=np.int32), pairs.astype(np.int32), sides,
        )  # fmt: skip
        self._there[which] = True

    def _read(self, status: Any, opened: BoolArray, closed: BoolArray) -> Summit | None:
        import highspy

        h = self._highs
        x, y = lp_point(h, len(self._columns)), lp_duals(h, h.getNumRow())
        if y is None or status != highspy.HighsModelStatus.kOptimal or x is None:
            return None
        self._short = bool(x[self._lacks].max(initial=0.0) > _LACK * float(self._dual.size.max()))
        self._value = float(h.getInfo().objective_function_value)
        prices = self._dual.usable(y[self._linking])
        bound, answer, _ = self._dual.at(prices, opened, closed)
        open_at = np.where(opened, 1.0, np.where(closed, 0.0, np.clip(x[self._yes], 0.0, 1.0)))
        if self._short:
            return Summit(prices, bound, answer, None, None, h.getBasis())
        values, mine = np.zeros(self._shape[1]), self._columns >= 0
        values[self._columns[mine]] = x[mine]
        values = np.clip(values, self._matrix.lower, self._matrix.upper)
        values[self._columns[self._yes]] = open_at
        return Summit(prices, bound, answer, values, open_at, h.getBasis())
