"""A linear program that grows: rows and columns are appended and bounds moved between solves.

Each solve begins from the basis of the last one (dual simplex), which makes a sequence of nearly
equal problems far cheaper than so many fresh ones.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from sitepick.matrix import FloatArray, IntArray

INFINITY = float("inf")


class GrowingLp:
    """Minimise a linear cost; columns are numbered in the order in which they are added."""

    def __init__(self, solver: Any = None) -> None:
        """Begin with nothing, or with the linear program that a HiGHS object holds."""
        import highspy

        self._solver: Any = highspy.Highs() if solver is None else solver
        self._solver.setOptionValue("output_flag", False)
        self._status: Any = highspy.HighsModelStatus
        self.values: FloatArray = np.zeros(0)
        self.duals: FloatArray = np.zeros(0)
        self._activity: FloatArray = np.zeros(0)
        self.objective = 0.0

    @property
    def n_columns(self) -> int:
        """Number of columns so far."""
        return int(self._solver.getNumCol())

    @property
    def n_rows(self) -> int:
        """Number of rows so far."""
        return int(self._solver.getNumRow())

    def add_columns(self, lower: FloatArray, upper: FloatArray, cost: npt.ArrayLike) -> IntArray:
        """Append empty columns and return their numbers; all arrays (n,)."""
        n, first = len(lower), self.n_columns
        none = np.zeros(0, dtype=np.int32)
        costs = np.ascontiguousarray(np.broadcast_to(np.asarray(cost, dtype=float), n))
        self._solver.addCols(n, costs, lower, upper, 0, none, none, np.zeros(0))
        return np.arange(first, first + n, dtype=np.int64)

    def add_rows(
        self,
        lower: FloatArray,
        upper: FloatArray,
        starts: IntArray,
        columns: IntArray,
        values: FloatArray,
    ) -> IntArray:
        """Append rows in compressed form, ``starts`` (n,), and return their numbers."""
        n, first = len(lower), self.n_rows
        self._solver.addRows(
            n, lower, upper, len(columns),
            starts.astype(np.int32), columns.astype(np.int32), values,
        )  # fmt: skip
        return np.arange(first, first + n, dtype=np.int64)

    def set_rows(self, rows: IntArray, lower: FloatArray, upper: FloatArray) -> None:
        """Move the bounds of ``rows`` (n,)."""
        self._solver.changeRowsBounds(len(rows), rows.astype(np.int32), lower, upper)

    def set_columns(self, columns: IntArray, lower: FloatArray, upper: FloatArray) -> None:
        """Move the bounds of ``columns`` (n,)."""
        self._solver.changeColsBounds(len(columns), columns.astype(np.int32), lower, upper)

    def set_cost(self, columns: IntArray, cost: npt.ArrayLike) -> None:
        """Replace the cost of ``columns`` (n,)."""
        costs = np.ascontiguousarray(np.broadcast_to(np.asarray(cost, dtype=float), len(columns)))
        self._solver.changeColsCost(len(columns), columns.astype(np.int32), costs)

    def minimise(self, *, interior: bool = False) -> bool:
        """Solve; return whether there is an optimum, left in `values`, `duals` and `objective`.

        ``interior``: by interior point with crossover, quicker where there is no basis to go on.
        """
        self._solver.setOptionValue("solver", "ipm" if interior else "choose")
        self._solver.run()
        if self._solver.getModelStatus() != self._status.kOptimal:
            # a basis may have gone stale beyond repair: once more from nothing
            self._solver.clearSolver()
            self._solver.run()
        if self._solver.getModelStatus() != self._status.kOptimal:
            return False
        solution = self._solver.getSolution()
        self.values = np.array(solution.col_value)
        self.duals = np.array(solution.row_dual)
        self._activity = np.array(solution.row_value)
        self.objective = float(self._solver.getInfo().objective_function_value)
        return True

    def slack(self, rows: IntArray) -> FloatArray:
        """Return how far each of ``rows`` (n,) is below its upper bound in the last solution."""
        upper = np.array(self._solver.getLp().row_upper_)[rows]
        return np.asarray(upper - self._activity[rows])


def compressed(
    row: IntArray, column: IntArray, value: FloatArray, n: int
) -> tuple[IntArray, IntArray, FloatArray]:
    """Return starts (n,), columns and values of entries in the order of their rows."""
    order = np.argsort(row, kind="stable")
    count = np.bincount(row, minlength=n)
    starts = np.concatenate([[0], np.cumsum(count)[:-1]])
    return starts.astype(np.int64), column[order].astype(np.int64), value[order].astype(float)
