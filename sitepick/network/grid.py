"""DC power flow on a transmission grid: flows, shift factors (PTDF) and outage factors (LODF).

Linearised ("DC") power flow: no losses, flat voltage, small angles. A branch from bus i to bus j of
reactance x (per unit) and tap ratio t carries ``base_mva / (x t) * (theta_i - theta_j - shift)``
MW.
Voltage, short circuit strength and stability are not modelled.

Signs: a branch flow is positive from its ``from`` bus to its ``to`` bus; an injection is positive
when it feeds the grid, so load is a negative injection.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import splu

from sitepick.errors import LayerError
from sitepick.network.quirks import ZERO_X_PU
from sitepick.network.types import BASE_MVA, BoolArray, DcTies, FloatArray, Grid, IntArray, Plants

__all__ = ["BASE_MVA", "BoolArray", "DcFlow", "DcTies", "FloatArray", "Grid", "IntArray", "Plants"]

# An outage whose own transfer factor is within this of 1 cuts the grid in two: it is a bridge.
ISLANDING_TOLERANCE = 1e-6
# Right-hand sides per triangular solve. Wider blocks wake the threads of BLAS inside SuperLU, which
# on a busy machine made 2,346 solves take 4 s instead of 0.2 s.
_SOLVE_COLUMNS = 8
_OWN_CHUNK = 256


class DcFlow:
    """A grid factorised once; every further flow or factor is a pair of triangular solves.

    Raises `LayerError` if the grid's susceptance matrix is singular.
    """

    def __init__(self, grid: Grid) -> None:
        self.grid = grid
        n, m = grid.n_bus, grid.n_branch
        x = np.where(np.abs(grid.x_pu) < ZERO_X_PU, ZERO_X_PU, grid.x_pu)
        self.susceptance_mw = BASE_MVA / (x * grid.tap)  # (M,) MW per radian
        rows = np.arange(m)
        ones = np.ones(m)
        incidence = sparse.csr_matrix((ones, (rows, grid.from_bus)), shape=(m, n)) - (
            sparse.csr_matrix((ones, (rows, grid.to_bus)), shape=(m, n))
        )
        self._branch_flow: Any = sparse.diags_array(self.susceptance_mw) @ incidence  # (M, N)
        laplacian = (incidence.T @ self._branch_flow).tocsc()
        adjacency = sparse.coo_matrix((ones, (grid.from_bus, grid.to_bus)), shape=(n, n))
        count, self.island = connected_components(adjacency, directed=False)
        self.n_islands = int(count)
        # One reference bus per island: the first of it.
        _, reference = np.unique(self.island, return_index=True)
        self._free = np.setdiff1d(np.arange(n), reference)
        reduced = laplacian[self._free][:, self._free].tocsc()
        try:
            # Negative reactances make the matrix indefinite: LU with pivoting, not Cholesky, but
            # off the diagonal only where needed, which keeps a quarter of the fill away.
            self._factor: Any = (
                splu(
                    reduced,
                    permc_spec="MMD_AT_PLUS_A",
                    diag_pivot_thresh=0.1,
                    options={"SymmetricMode": True},
                )
                if self._free.size
                else None
            )
        except RuntimeError as fault:
            raise LayerError(
                f"grid: the susceptance matrix is singular ({fault}); "
                "look for parallel branches whose reactances cancel"
            ) from None

    def angles(self, injection_mw: FloatArray) -> FloatArray:
        """Bus angles in radians for injections of shape (N,) or (N, K) that sum to 0 per island."""
        theta = np.zeros_like(injection_mw, dtype=float)
        if self._factor is None:
            return theta
        right = injection_mw[self._free]
        if right.ndim == 1:
            theta[self._free] = self._factor.solve(right)
            return theta
        for start in range(0, right.shape[1], _SOLVE_COLUMNS):
            block = slice(start, start + _SOLVE_COLUMNS)
            theta[self._free, block] = self._factor.solve(np.asfortranarray(right[:, block]))
        return theta

    def transfer_flows(self, injection_mw: FloatArray) -> FloatArray:
        """Branch flows (M,) or (M, K) in MW for balanced injections, phase shifts left out."""
        return np.asarray(self._branch_flow @ self.angles(injection_mw))

    def flows(self, injection_mw: FloatArray) -> FloatArray:
        """Branch flows (M,) in MW for balanced injections (N,), with phase shifters."""
        shift_mw = self.susceptance_mw * self.grid.shift_rad
        if not shift_mw.any():
            return self.transfer_flows(injection_mw)
        forced = np.zeros(self.grid.n_bus)
        np.add.at(forced, self.grid.from_bus, shift_mw)
        np.add.at(forced, self.grid.to_bus, -shift_mw)
        return self.transfer_flows(injection_mw + forced) - shift_mw

    def sink_total(self) -> FloatArray:
        """(islands,) MW of stored dispatch; 0 where nothing can serve load."""
        gen = np.maximum(self.grid.gen_mw, 0.0)
        return np.bincount(self.island, weights=gen, minlength=self.n_islands).astype(float)

    def sink(self) -> FloatArray:
        """(N,) share of each bus in serving one more MW of load in its own island.

        In-service generation, pro rata to the stored dispatch; sums to 1 per island, to 0 in an
        island without dispatch.
        """
        gen = np.maximum(self.grid.gen_mw, 0.0)
        total = self.sink_total()[self.island]
        return np.divide(gen, total, out=np.zeros_like(gen), where=total > 0)

    def balanced_injection(self, extra_load_mw: FloatArray | None = None) -> FloatArray:
        """(N,) MW: dispatch scaled so that each island's generation equals its load.

        ``extra_load_mw`` (N,) is added to the load and served through `sink`. Load in an island
        without dispatch cannot be served and is left out.
        """
        load = self.grid.load_mw if extra_load_mw is None else self.grid.load_mw + extra_load_mw
        sink = self.sink()
        demand = np.bincount(self.island, weights=load, minlength=self.n_islands)
        alive = (self.sink_total() > 0)[self.island]
        return np.where(alive, sink * demand[self.island] - load, 0.0)

    def ptdf(self, buses: IntArray, sink: FloatArray | None = None) -> FloatArray:
        """(M, K) MW on each branch per MW injected at each of K buses and taken out by ``sink``.

        ``sink`` (N,) sums to 1 in the island of every bus asked for; default `sink()`.
        """
        share = self.sink() if sink is None else sink
        injection = np.where(
            self.island[:, None] == self.island[buses][None, :], -share[:, None], 0.0
        )
        injection[buses, np.arange(buses.size)] += 1.0
        return self.transfer_flows(injection)

    def ptdf_rows(self, branches: IntArray) -> FloatArray:
        """(L, N) MW on each of L branches per MW injected at each bus, taken out at its reference.

        One solve for each branch: the susceptance matrix is symmetric. For balanced injections it
        does not matter which bus is the reference.
        """
        right = np.asarray(self._branch_flow[branches].toarray()).T
        return self.angles(np.ascontiguousarray(right)).T

    def push(self, by_flow: FloatArray) -> FloatArray:
        """(N,) change of ``by_flow @ flows`` per MW injected at each bus, ``by_flow`` (M,)."""
        return self.angles(np.asarray(self._branch_flow.T @ by_flow))

    def own_transfer(self, branches: IntArray) -> FloatArray:
        """(L,) MW on each branch per MW sent from its one end to its other; 1: a bridge."""
        out = np.empty(branches.size)
        for start in range(0, branches.size, _OWN_CHUNK):
            some = branches[start : start + _OWN_CHUNK]
            rows, at = self.ptdf_rows(some), np.arange(some.size)
            out[start : start + _OWN_CHUNK] = (
                rows[at, self.grid.from_bus[some]] - rows[at, self.grid.to_bus[some]]
            )
        return out

    def withdrawal_factors(self, buses: IntArray) -> FloatArray:
        """(M, K) MW on each branch per MW of load added at each of K buses, served by `sink`."""
        return -self.ptdf(buses)

    def lodf(self, outages: IntArray) -> tuple[FloatArray, BoolArray]:
        """Line outage distribution factors for the branches ``outages`` (K,).

        Returns (M, K) MW that appear on each branch per MW that the lost branch carried (-1 on the
        lost branch itself), and (K,) True where losing the branch cuts the grid in two: those
        columns are NaN.
        """
        injection = np.zeros((self.grid.n_bus, outages.size))
        columns = np.arange(outages.size)
        injection[self.grid.from_bus[outages], columns] += 1.0
        injection[self.grid.to_bus[outages], columns] -= 1.0
        factors = self.transfer_flows(injection)
        remaining = 1.0 - factors[outages, columns]
        islanding = np.abs(remaining) < ISLANDING_TOLERANCE
        factors /= np.where(islanding, np.nan, remaining)
        factors[outages, columns] = np.where(islanding, np.nan, -1.0)
        return factors, islanding
