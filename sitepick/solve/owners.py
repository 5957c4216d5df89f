"""The parts of a matrix that belong to one owner each, and what they are worth at given prices.

Once the duals of the linking rows are fixed, the rest of the problem falls apart into one small LP
per owner. Owners are sorted once, so that any set of their blocks is gathered by slices, and solved
in batches: a few thousand columns at a time is where simplex is fastest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any

import numpy as np
import scipy.sparse as sp

from sitepick.matrix import SHARED, BoolArray, FloatArray, IntArray, Matrix
from sitepick.solve.certificate import clip_duals, owner_bounds, safe_bound
from sitepick.solve.chains import in_chains

Block = tuple[IntArray, IntArray, sp.csr_array]
"""Rows, columns and matrix of some owners' local parts, side by side."""

_BATCH_COLUMNS = 2500
_REAL = 1e-5  # share of all money moved above which an owner is really used by a relaxation
_ROBUST = 0.01  # how much better than real, relative to what makes up a reduced cost


def numbered(matrix: Matrix) -> Matrix:
    """Return ``matrix`` with its owners renumbered 0, 1, ... in the same order."""
    owned = matrix.owner >= 0
    number = np.full(len(matrix.owner), SHARED, dtype=np.int64)
    number[owned] = np.unique(matrix.owner[owned], return_inverse=True)[1]
    return replace(matrix, owner=number)


def movers(matrix: Matrix, values: FloatArray | None) -> IntArray:
    """Return the owners whose columns move money in ``values``, the one that moves most first.

    ``values`` may be longer than the columns of ``matrix``; None moves nothing.
    """
    if values is None:
        return np.zeros(0, dtype=np.int64)
    money = np.abs(values[: len(matrix.cost)] * matrix.cost)
    owned = matrix.owner >= 0
    by_owner = np.bincount(matrix.owner[owned], weights=money[owned])
    real = np.flatnonzero(by_owner > _REAL * max(1e-9, float(money.sum())))
    return np.asarray(real[np.argsort(-by_owner[real], kind="stable")], dtype=np.int64)


@dataclass(frozen=True)
class Owners:
    """The local blocks of ``matrix``, whose owners are numbered 0 .. count - 1.

    Their LPs are solved on ``threads`` threads.
    """

    matrix: Matrix
    threads: int | None = None

    @cached_property
    def count(self) -> int:
        return int(self.matrix.owner.max(initial=-1)) + 1

    def grown(self, matrix: Matrix) -> Owners:
        """Return the owners of ``matrix``, which is this one's with rows appended.

        Rows that enter while solving link owners, so what belongs to one owner stays as it was.
        """
        out, before = Owners(matrix, self.threads), self.matrix.A.shape[0]
        if len(matrix.cost) == len(self.matrix.cost) and (matrix.row_owner[before:] < 0).all():
            kept = ("count", "_columns", "_rows", "_local")
            out.__dict__.update({k: self.__dict__[k] for k in kept if k in self.__dict__})
        return out

    @cached_property
    def linking(self) -> IntArray:
        """Rows that belong to no single owner."""
        return np.flatnonzero(self.matrix.row_owner < 0)

    @cached_property
    def _columns(self) -> tuple[IntArray, IntArray]:
        return _by_owner(self.matrix.owner, self.count)

    @cached_property
    def _rows(self) -> tuple[IntArray, IntArray]:
        return _by_owner(self.matrix.row_owner, self.count)

    @cached_property
    def _local(self) -> sp.csr_array:
        """Local rows in order of owner; column numbers count within the owner's block."""
        columns, column_start = self._columns
        place = np.zeros(len(self.matrix.cost), dtype=np.int64)
        place[columns] = np.arange(len(columns)) - np.repeat(
            column_start[:-1], np.diff(column_start)
        )
        local = sp.csr_array(self.matrix.A[self._rows[0]])
        return sp.csr_array(
            (local.data, place[local.indices], local.indptr),
            shape=(local.shape[0], int(np.diff(column_start).max(initial=0))),
        )

    @cached_property
    def _linking_transposed(self) -> sp.csr_array:
        return sp.csr_array(self.matrix.A[self.linking].T)

    def price(
        self, y: FloatArray, wanted: IntArray, slack: float, idle: BoolArray
    ) -> tuple[FloatArray, FloatArray]:
        """Return ``y`` with good local duals of the ``wanted`` owners, and what owners add.

        The second array (count,) is each owner's share of the safe bound (at most 0 for an owner
        that may be absent). The local duals in ``y`` are tried first: owners with the smallest
        shares, up to a sum of ``slack``, are not solved again. ``idle`` (count,) marks owners
        expected to add nothing; they are solved at prices a little better than real, which gives
        duals that stay good when prices move, and exactly only where that is not enough.
        """
        y = clip_duals(self.matrix, y)
        worth = owner_bounds(self.matrix, y, self.count) + self._row_share(y)
        prices = y[self.linking]
        reduced = self.reduced(y)
        size = np.abs(self.matrix.cost) + abs(self._linking_transposed) @ np.abs(prices)
        better = reduced - np.where(self.matrix.lower >= 0, _ROBUST * size, 0.0)
        for costs, only in ((better, idle), (reduced, None)):
            todo = _largest_losses(worth, wanted, slack)
            if only is not None:
                todo = todo[only[todo]]
            improve = partial(self._improve, costs=costs, reduced=reduced, y=y, worth=worth)
            for _ in in_chains(improve, self._like_batches(todo), self.threads):
                pass
        return y, worth

    def best(
        self,
        y: FloatArray,
        wanted: IntArray,
        also: Sequence[FloatArray] = (),
        lower: FloatArray | None = None,
        slight: float = 0.0,
    ) -> tuple[FloatArray, IntArray, list[FloatArray]]:
        """Return ``y`` with the best local duals of the ``wanted`` owners, those without a way, and
        what they do at other costs.

        The second (sorted) have local rows that no point within their bounds keeps, which is proven
        by a ray of their duals. The last are values (n,), one for each of the costs ``also`` (n,):
        each wanted owner does its best at these, alone, its columns at least ``lower`` (n,; as they
        are, if not given); all others are zero, and so are owners whose LP has no solution, and
        some of those that are sure to save at most ``slight`` there.
        """
        from sitepick.solve.block_lp import BlockLp

        y = clip_duals(self.matrix, y)
        worth = owner_bounds(self.matrix, y, self.count) + self._row_share(y)
        reduced = self.reduced(y)
        least = self.matrix.lower if lower is None else lower
        answers = [np.zeros(len(self.matrix.cost)) for _ in also]
        saving = [self._bounds_at(costs, least, y) < -slight for costs in also]

        def ask(chain: Sequence[IntArray]) -> list[IntArray]:
            known: dict[tuple[int, ...], Any] = {}
            without = []
            for owners in chain:
                block = self.block(owners)
                columns, part = block[1], self._part(block, reduced)
                lp = BlockLp(part, known.get(part.A.shape))
                if lp.solve():
                    self._keep_better(owners, block, lp.duals(), reduced, y, worth)
                    known[part.A.shape] = lp.basis()
                else:
                    without.append(owners)
                for answer, costs, some in zip(answers, also, saving, strict=True):
                    if not some[owners].any():
                        continue
                    lp.change(costs[columns], least[columns])
                    found = lp.values() if lp.solve() else None
                    if found is not None:
                        answer[columns] = np.clip(found, least[columns], part.upper)
            return without

        failed = [
            x for out in in_chains(ask, self._like_batches(wanted), self.threads) for x in out
        ]
        refused: list[int] = []
        while failed:
            owners = failed.pop()
            if len(owners) > 1:
                for half in (owners[: len(owners) // 2], owners[len(owners) // 2 :]):
                    block = self.block(half)
                    lp = BlockLp(self._part(block, reduced))
                    if lp.solve():
                        self._keep_better(half, block, lp.duals(), reduced, y, worth)
                    else:
                        failed.append(half)
            elif self._has_no_way(owners):
                refused.append(int(owners[0]))
        return y, np.array(sorted(refused), dtype=np.int64), answers

    def reduced(self, y: FloatArray) -> FloatArray:
        """Return (n,) costs less what the linking rows pay at their duals in ``y`` (m,)."""
        return np.asarray(self.matrix.cost - self._linking_transposed @ y[self.linking])

    def _bounds_at(self, costs: FloatArray, lower: FloatArray, y: FloatArray) -> FloatArray:
        """Return (count,) what owners cost at least at ``costs`` (n,), by local duals in ``y``."""
        local = np.where(self.matrix.row_owner >= 0, y, 0.0)
        at = replace(self.matrix, cost=costs, lower=lower)
        return owner_bounds(at, local, self.count) + self._row_share(y)

    def _like_batches(self, wanted: IntArray) -> list[IntArray]:
        """Return ``wanted`` in batches of owners of one shape, whose LPs can share a basis."""
        height, width = np.diff(self._rows[1])[wanted], np.diff(self._columns[1])[wanted]
        kinds, kind = np.unique(np.stack([height, width]), axis=1, return_inverse=True)
        out = []
        for k, w in enumerate(kinds[1]):
            alike, size = wanted[kind == k], max(1, _BATCH_COLUMNS // max(1, int(w)))
            out += [alike[at : at + size] for at in range(0, len(alike), size)]
        return out

    def _has_no_way(self, owner: IntArray) -> bool:
        """Return whether a ray of duals proves that one owner's rows cannot be kept."""
        from sitepick.solve.highs import dual_ray

        part = self._part(self.block(owner), np.zeros(len(self.matrix.cost)))
        ray = dual_ray(part)
        return ray is not None and max(safe_bound(part, ray), safe_bound(part, -ray)) > 0

    def _improve(
        self,
        chain: Sequence[IntArray],
        costs: FloatArray,
        reduced: FloatArray,
        y: FloatArray,
        worth: FloatArray,
    ) -> None:
        """Put duals of batches of owners at ``costs`` into ``y`` where they beat those there."""
        from sitepick.solve.block_lp import BlockLp

        known: dict[tuple[int, ...], Any] = {}
        for owners in chain:
            block = self.block(owners)
            if not len(block[0]):
                continue
            part = self._part(block, costs)
            lp = BlockLp(part, known.get(part.A.shape))
            lp.solve()
            known[part.A.shape] = lp.basis()
            self._keep_better(owners, block, lp.duals(), reduced, y, worth)

    def _keep_better(
        self,
        owners: IntArray,
        block: Block,
        duals: FloatArray,
        reduced: FloatArray,
        y: FloatArray,
        worth: FloatArray,
    ) -> None:
        rows = block[0]
        old = y[rows]
        y[rows] = duals
        now = owner_bounds_of(self, owners, reduced, y, block)
        worse = now < worth[owners]
        if worse.any():
            back = np.isin(self.matrix.row_owner[rows], owners[worse])
            y[rows[back]] = old[back]
        worth[owners] = np.maximum(now, worth[owners])

    def _row_share(self, y: FloatArray) -> FloatArray:
        """(count,) what the local rows add to the bound."""
        rows, start = self._rows
        part = y[rows]
        side = np.where(part > 0, self.matrix.row_lower[rows], self.matrix.row_upper[rows])
        value = np.where(part == 0, 0.0, part * np.where(part == 0, 0.0, side))
        owner = np.repeat(np.arange(self.count), np.diff(start))
        return np.asarray(np.bincount(owner, weights=value, minlength=self.count), dtype=float)

    def block(self, owners: IntArray) -> Block:
        """Return rows, columns and the matrix of the blocks of ``owners``, side by side."""
        columns, column_start = self._columns
        rows, row_start = self._rows
        column_at = _ranges(column_start[owners], column_start[owners + 1])
        row_at = _ranges(row_start[owners], row_start[owners + 1])
        part = self._local[row_at]
        width = np.diff(column_start)[owners]
        height = np.diff(row_start)[owners]
        shift = np.repeat(np.cumsum(width) - width, height)
        indices = part.indices + np.repeat(shift, np.diff(part.indptr))
        A = sp.csr_array((part.data, indices, part.indptr), shape=(len(row_at), len(column_at)))
        return rows[row_at], columns[column_at], A

    def _part(self, block: Block, costs: FloatArray) -> Matrix:
        """Return the LP of a block at ``costs`` (n,)."""
        rows, columns, A = block
        return Matrix(
            cost=costs[columns],
            offset=0.0,
            lower=self.matrix.lower[columns],
            upper=self.matrix.upper[columns],
            integer=np.zeros(len(columns), dtype=bool),
            owner=self.matrix.owner[columns],
            A=A,
            row_lower=self.matrix.row_lower[rows],
            row_upper=self.matrix.row_upper[rows],
        )


def _largest_losses(worth: FloatArray, wanted: IntArray, slack: float) -> IntArray:
    """Return the ``wanted`` owners but for those that lose least, up to a sum of ``slack``."""
    order = wanted[np.argsort(-worth[wanted], kind="stable")]
    lost = np.cumsum(np.minimum(worth[order], 0.0))
    return np.sort(order[lost < -slack])


def owner_bounds_of(
    owners: Owners, which: IntArray, reduced: FloatArray, y: FloatArray, block: Block
) -> FloatArray:
    """Return (len(which),) what ``which``, whose ``block`` this is, add to the bound.

    ``reduced`` (n,) prices the linking rows.
    """
    rows, columns, A = block
    matrix = owners.matrix
    z = reduced[columns] - A.T @ y[rows]
    share = np.minimum(z * matrix.lower[columns], z * matrix.upper[columns])
    side = np.where(y[rows] > 0, matrix.row_lower[rows], matrix.row_upper[rows])
    value = np.where(y[rows] == 0, 0.0, y[rows] * np.where(y[rows] == 0, 0.0, side))
    place = np.zeros(owners.count, dtype=np.int64)
    place[which] = np.arange(len(which))
    by_column = np.bincount(place[matrix.owner[columns]], share, minlength=len(which))
    by_row = np.bincount(place[matrix.row_owner[rows]], value, minlength=len(which))
    return np.asarray(by_column + by_row, dtype=float)


def _by_owner(owner: IntArray, count: int) -> tuple[IntArray, IntArray]:
    """Return the positions with an owner, sorted by it, and (count + 1,) where each begins."""
    at = np.flatnonzero(owner >= 0)
    at = at[np.argsort(owner[at], kind="stable")]
    return at, np.searchsorted(owner[at], np.arange(count + 1))


def _ranges(starts: IntArray, stops: IntArray) -> IntArray:
    """Return the concatenation of arange(start, stop)."""
    length = stops - starts
    total = int(length.sum())
    jump = np.repeat(starts - (np.cumsum(length) - length), length)
    return jump + np.arange(total)
