"""Flows of the check: DC power flow written a second time, every outage solved and proven.

No factor of the model is used: the susceptance matrix is built here, and what flows after an outage
counts only where Kirchhoff's law holds at every bus of the grid that is left. A branch from i to j
of reactance x (per unit), ratio t and phase shift s carries ``100 / (x t) (angle_i - angle_j - s)``
MW, positive from i to j.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import splu

from sitepick.network.types import BASE_MVA, FloatArray, Grid, IntArray

CLOSED_PU = 1e-7
"""Reactance of a closed coupler: what stands for 0 (docs/grid.md)."""
KIRCHHOFF_MW = 1e-6
"""What may be missing at a bus where Kirchhoff's law holds."""
_COLUMNS = 8  # right-hand sides of one triangular solve; wider ones wake threads for nothing
_SYMMETRIC = {"SymmetricMode": True}
_PIVOT = 0.1  # negative reactances make the matrix indefinite


class Flows:
    """A grid of N buses and M branches, ready to be solved with and without any branch.

    Raises RuntimeError where reactances cancel so that there is no solution.
    """

    def __init__(self, grid: Grid) -> None:
        self.grid = grid
        n, m = grid.n_bus, grid.n_branch
        x = np.where(np.abs(grid.x_pu) < CLOSED_PU, CLOSED_PU, grid.x_pu)
        self.pull = BASE_MVA / (x * grid.tap)  # (M,) MW per radian
        each = np.arange(m)
        ends = np.concatenate([grid.from_bus, grid.to_bus])
        sign = np.concatenate([np.ones(m), -np.ones(m)])
        meets = sparse.csc_matrix((sign, (ends, np.concatenate([each, each]))), shape=(n, m))
        self.meets: Any = meets  # (N, M) 1 where a branch leaves its bus, -1 where it arrives
        self.shift_mw = self.pull * grid.shift_rad
        self.island, self.n_islands, self.bridges = _walk(grid)
        first = np.unique(self.island, return_index=True)[1]  # the reference bus of each island
        free = np.setdiff1d(np.arange(n), first)
        whole = (meets @ sparse.diags(self.pull) @ meets.T).tocsc()
        self._free = self._ordered(whole, free)
        self._place = np.full(n, -1, dtype=np.int64)
        self._place[self._free] = np.arange(len(free))
        self._matrix: Any = whole[self._free][:, self._free].tocsc()
        self._matrix.sort_indices()
        self._intact = self._factor(self._matrix)

    def _ordered(self, whole: Any, free: IntArray) -> IntArray:
        """Return the free buses in an order that keeps factors sparse, found once."""
        if not len(free):
            return free
        factor = splu(
            whole[free][:, free].tocsc(),
            permc_spec="MMD_AT_PLUS_A",
            diag_pivot_thresh=_PIVOT,
            options=_SYMMETRIC,
        )
        return free[np.argsort(factor.perm_c)]

    def _factor(self, matrix: Any) -> Any:
        if not matrix.shape[0]:
            return None
        return splu(
            matrix, permc_spec="NATURAL", diag_pivot_thresh=_PIVOT, options=_SYMMETRIC, panel_size=1
        )

    def _angles(self, factor: Any, right: FloatArray) -> FloatArray:
        """Return (N, S) radians for (N, S) MW injected; each reference bus takes the rest."""
        theta = np.zeros_like(right)
        if factor is None:
            return theta
        for start in range(0, right.shape[1], _COLUMNS):
            some = slice(start, start + _COLUMNS)
            theta[self._free, some] = factor.solve(np.asfortranarray(right[self._free, some]))
        return theta

    def _carried(self, theta: FloatArray, shift_mw: FloatArray) -> FloatArray:
        grid = self.grid
        apart = theta[grid.from_bus] - theta[grid.to_bus]
        return np.asarray(self.pull[:, None] * apart - shift_mw[:, None])

    def intact(self, injection_mw: FloatArray) -> FloatArray:
        """Return (M, S) MW with every branch in service, for (N, S) MW injected."""
        right = injection_mw + (self.meets @ self.shift_mw)[:, None]
        return self._carried(self._angles(self._intact, right), self.shift_mw)

    def outages(self, lost: IntArray, injection_mw: FloatArray) -> Iterator[tuple[int, FloatArray]]:
        """Yield each branch of ``lost`` and (M, S) MW once it is lost, for (N, S) MW injected.

        Angles are sought from those of the whole grid, along the one direction in which the loss of
        a branch can move them. They are taken only where Kirchhoff's law holds at every bus of the
        grid that is left; else that grid is factorised anew. None may be a bridge: nothing says how
        a part cut off is balanced.
        """
        whole = self._angles(self._intact, injection_mw + (self.meets @ self.shift_mw)[:, None])
        for start in range(0, len(lost), _COLUMNS):
            some = lost[start : start + _COLUMNS]
            right = np.asarray(self.meets[:, some].todense(), dtype=float)
            ways = self._angles(self._intact, right)
            for k, branch in enumerate(some.tolist()):
                yield branch, self._moved_along(branch, ways[:, [k]], whole, injection_mw)

    def _moved_along(
        self, branch: int, way: FloatArray, whole: FloatArray, injection_mw: FloatArray
    ) -> FloatArray:
        i, j = self.grid.from_bus[branch], self.grid.to_bus[branch]
        pull, shift = self.pull[branch], self.shift_mw.copy()
        carried = pull * (whole[i] - whole[j]) - shift[branch]  # (S,) what both ends miss
        shift[branch] = 0.0
        with np.errstate(divide="ignore", invalid="ignore"):  # not a number is no solution
            theta = whole + way * (carried / (1.0 - pull * (way[i] - way[j])))
            flow = self._carried(theta, shift)
            flow[branch] = 0.0
            missing = (injection_mw - self.meets @ flow)[self._free]
        if np.abs(missing).max(initial=0.0) <= KIRCHHOFF_MW:
            return flow
        return self.without(branch, injection_mw)

    def without(self, branch: int, injection_mw: FloatArray) -> FloatArray:
        """Return (M, S) MW once ``branch`` is lost, by factorising the grid that is left."""
        matrix = self._matrix.copy()
        i, j = (self._place[b] for b in (self.grid.from_bus[branch], self.grid.to_bus[branch]))
        for row, column, sign in ((i, i, -1), (j, j, -1), (i, j, 1), (j, i, 1)):
            if row >= 0 and column >= 0:
                begin, end = matrix.indptr[column], matrix.indptr[column + 1]
                at = begin + int(np.searchsorted(matrix.indices[begin:end], row))
                matrix.data[at] += sign * self.pull[branch]
        shift = self.shift_mw.copy()
        shift[branch] = 0.0
        right = injection_mw + (self.meets @ shift)[:, None]
        flow = self._carried(self._angles(self._factor(matrix), right), shift)
        flow[branch] = 0.0
        return flow

    def by_bus(self, branches: IntArray, buses: IntArray) -> FloatArray:
        """Return (L, K) MW on some branches per MW injected at some buses, taken at references."""
        out = np.empty((len(branches), len(buses)))
        for start in range(0, len(branches), _COLUMNS):
            some = branches[start : start + _COLUMNS]
            right = np.asarray((self.meets[:, some] @ sparse.diags(self.pull[some])).todense())
            out[start : start + len(some)] = self._angles(self._intact, right)[buses].T
        return out

    def moved(self, outages: IntArray) -> Iterator[tuple[IntArray, FloatArray]]:
        """Yield some outages (K,) and (M, K) MW that each MW lost there puts on every branch.

        -1 on the lost branch itself: what is moved circulates, no bus gains or loses any.
        """
        for start in range(0, len(outages), _COLUMNS):
            lost = outages[start : start + _COLUMNS]
            at = np.arange(len(lost))
            right = np.asarray(self.meets[:, lost].todense(), dtype=float)
            sent = self._carried(self._angles(self._intact, right), np.zeros(self.grid.n_branch))
            # one MW sent around the lost branch: what of it went through the branch comes on top
            around = 1.0 - sent[lost, at]
            sent[lost, at] = -around
            yield lost, sent / around


def _walk(grid: Grid) -> tuple[IntArray, int, IntArray]:
    """Return the island of each bus (N,), how many there are, and the bridges.

    A depth-first walk: a branch is a bridge if nothing beyond it leads back before it.
    """
    near: list[list[tuple[int, int]]] = [[] for _ in range(grid.n_bus)]
    for k, (i, j) in enumerate(zip(grid.from_bus.tolist(), grid.to_bus.tolist(), strict=True)):
        near[i].append((j, k))
        near[j].append((i, k))
    island = np.full(grid.n_bus, -1, dtype=np.int64)
    found = [-1] * grid.n_bus  # when a bus was first seen
    back = [0] * grid.n_bus  # the earliest bus that it or what is beyond it leads to
    bridges: list[int] = []
    count = clock = 0
    for root in range(grid.n_bus):
        if found[root] >= 0:
            continue
        found[root] = back[root] = clock
        clock += 1
        island[root] = count
        path = [(root, -1, iter(near[root]))]
        while path:
            bus, came_by, rest = path[-1]
            for other, branch in rest:
                if branch == came_by:
                    continue
                if found[other] >= 0:
                    back[bus] = min(back[bus], found[other])
                    continue
                found[other] = back[other] = clock
                clock += 1
                island[other] = count
                path.append((other, branch, iter(near[other])))
                break
            else:
                path.pop()
                if path:
                    before = path[-1][0]
                    back[before] = min(back[before], back[bus])
                    if back[bus] > found[before]:
                        bridges.append(came_by)
        count += 1
    return island, count, np.array(sorted(bridges), dtype=np.int64)
