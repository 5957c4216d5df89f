"""A mixed-integer program as arrays, and its exact restriction to some owners.

Every column has an ``owner`` (an integer >= 0, or `SHARED`), and finite bounds. A row whose columns
all have one owner is *local* to it, any other row is *linking*.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

SHARED = -1
"""Owner of a column that belongs to no single owner."""
LINKING = -2
"""`Matrix.row_owner` of a row whose columns have more than one owner."""


@dataclass(frozen=True)
class Matrix:
    """Minimise ``cost @ x + offset``, ``row_lower <= A x <= row_upper``, ``lower <= x <= upper``.

    Shapes: n columns, m rows. Infinite row bounds are allowed, infinite column bounds are not.
    """

    cost: FloatArray  # (n,)
    offset: float
    lower: FloatArray  # (n,) finite
    upper: FloatArray  # (n,) finite
    integer: BoolArray  # (n,)
    owner: IntArray  # (n,) >= 0 or SHARED
    A: sp.csr_array  # (m, n)
    row_lower: FloatArray  # (m,)
    row_upper: FloatArray  # (m,)

    @cached_property
    def row_owner(self) -> IntArray:
        """(m,) the owner of a local row, SHARED where all columns are shared, LINKING otherwise."""
        m = self.A.shape[0]
        out = np.full(m, SHARED, dtype=np.int64)
        filled = np.diff(self.A.indptr) > 0
        starts = self.A.indptr[:-1][filled]
        if len(starts):
            owners = self.owner[self.A.indices]
            low = np.minimum.reduceat(owners, starts)
            high = np.maximum.reduceat(owners, starts)
            out[filled] = np.where(low == high, low, LINKING)
        return out

    @cached_property
    def always(self) -> IntArray:
        """Owners that cannot be held at zero: a bound or a local row of theirs excludes it."""
        bad_column = ((self.lower > 0) | (self.upper < 0)) & (self.owner != SHARED)
        bad_row = ((self.row_lower > 0) | (self.row_upper < 0)) & (self.row_owner >= 0)
        return np.unique(np.concatenate([self.owner[bad_column], self.row_owner[bad_row]]))

    def take(self, owners: npt.ArrayLike) -> Part:
        """Return the restriction to ``owners`` (and the `always` and shared ones), others at zero.

        Rows without a taken column are dropped when zero satisfies them, kept (empty) when not,
        so that infeasibility is never hidden.
        """
        wanted = np.union1d(np.asarray(owners, dtype=np.int64), self.always)
        columns = np.flatnonzero((self.owner == SHARED) | np.isin(self.owner, wanted))
        sub = self.A[:, columns]
        filled = np.diff(sub.indptr) > 0
        refused = (self.row_lower > 0) | (self.row_upper < 0)
        rows = np.flatnonzero(filled | refused)
        matrix = Matrix(
            cost=self.cost[columns],
            offset=self.offset,
            lower=self.lower[columns],
            upper=self.upper[columns],
            integer=self.integer[columns],
            owner=self.owner[columns],
            A=sp.csr_array(sub[rows]),
            row_lower=self.row_lower[rows],
            row_upper=self.row_upper[rows],
        )
        return Part(matrix=matrix, columns=columns, rows=rows)

    def with_rows(self, A: sp.csr_array, lower: FloatArray, upper: FloatArray) -> Matrix:
        """Return this with the rows ``A`` (k, n) appended; what is known of the others is kept."""
        return self.grown(
            replace(
                self,
                A=sp.csr_array(sp.vstack([self.A, A], format="csr")),
                row_lower=np.concatenate([self.row_lower, lower]),
                row_upper=np.concatenate([self.row_upper, upper]),
            )
        )

    def grown(self, longer: Matrix) -> Matrix:
        """Return this with the rows of ``longer``, which begin with its own.

        The arrays of rows are shared with ``longer``; what is known of the others is kept.
        """
        out = replace(self, A=longer.A, row_lower=longer.row_lower, row_upper=longer.row_upper)
        known = {k for k in ("row_owner", "always") if k in self.__dict__}
        if known:  # where a cached property keeps its value
            A, lower, upper = longer.tail(self.A.shape[0])
            more = replace(self, A=A, row_lower=lower, row_upper=upper)
            if "row_owner" in known:
                out.__dict__["row_owner"] = np.concatenate([self.row_owner, more.row_owner])
            if "always" in known:
                out.__dict__["always"] = np.union1d(self.always, more.always)
        return out

    def tail(self, first: int) -> tuple[sp.csr_array, FloatArray, FloatArray]:
        """Return the rows from ``first`` on, and their bounds."""
        return sp.csr_array(self.A[first:]), self.row_lower[first:], self.row_upper[first:]

    def objective(self, x: FloatArray) -> float:
        """Return the objective value of ``x`` (n,)."""
        return float(self.cost @ x + self.offset)

    def violation(self, x: FloatArray) -> float:
        """Return the largest breach of a row or column bound by ``x``, in the row's own unit."""
        activity = self.A @ x
        worst = [
            self.row_lower - activity,
            activity - self.row_upper,
            self.lower - x,
            x - self.upper,
        ]
        return float(max((w.max(initial=0.0) for w in worst), default=0.0))


@dataclass(frozen=True)
class Part:
    """A restriction of a `Matrix`: ``matrix.cost[j]`` is column ``columns[j]`` of the whole.

    The matrix may have further columns, which the whole does not know, and rows for them.
    """

    matrix: Matrix
    columns: IntArray
    rows: IntArray

    def lift(self, x: FloatArray, n: int) -> FloatArray:
        """Return the (n,) vector of the whole problem: ``x`` on the part, zero elsewhere."""
        whole = np.zeros(n)
        whole[self.columns] = x[: len(self.columns)]
        return whole

    def restrict(self, x: FloatArray) -> FloatArray:
        """Return the vector of the part of ``x`` (n,) of the whole; zero in further columns."""
        mine = np.zeros(len(self.matrix.cost))
        mine[: len(self.columns)] = x[self.columns]
        return mine
