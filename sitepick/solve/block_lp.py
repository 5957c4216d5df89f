"""A small LP that is solved more than once: each run begins where the last one ended.

Blocks of owners differ from run to run in costs and bounds only. A vertex of one run is feasible
in the next, or nearly so, and primal simplex goes on from there: on blocks of sites three runs take
about half the time of three LPs from scratch.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from sitepick.matrix import FloatArray, Matrix
from sitepick.solve.certificate import clip_duals
from sitepick.solve.highs import is_infeasible, load, lp_duals, lp_point, run

_PRIMAL = 4  # HiGHS's number for the primal simplex method


class BlockLp:
    """The relaxation of a small matrix, loaded once; ``basis`` is one of a matrix of its shape."""

    def __init__(self, part: Matrix, basis: Any | None = None) -> None:
        self.part = part
        self._every = np.arange(part.A.shape[1], dtype=np.int32)
        self._highs: Any = load(part, relax=True, threads=1)
        for name, value in (("solver", "simplex"), ("presolve", "off")):
            self._highs.setOptionValue(name, value)
        self._highs.setOptionValue("simplex_strategy", _PRIMAL)
        if basis is not None:
            self._highs.setBasis(basis)

    def solve(self) -> bool:
        """Solve as it stands. Returns False if it is infeasible."""
        return not is_infeasible(run(self._highs))

    def change(self, costs: FloatArray, lower: FloatArray) -> None:
        """Give all columns other costs (n,) and lower bounds (n,)."""
        n, upper = len(self._every), self.part.upper
        self._highs.changeColsCost(n, self._every, costs)
        self._highs.changeColsBounds(n, self._every, lower, upper)

    def basis(self) -> Any:
        """Return the basis of the last run."""
        return self._highs.getBasis()

    def duals(self) -> FloatArray:
        """Return usable duals (m,) of the last run; zeros where there are none."""
        m = self.part.A.shape[0]
        found = lp_duals(self._highs, m) if m else None
        return clip_duals(self.part, np.zeros(m) if found is None else found)

    def values(self) -> FloatArray | None:
        """Return the vertex (n,) of the last run, None without one."""
        return lp_point(self._highs, len(self._every))
