"""How far a large program is from a plan: phase one by pricing, then a plan over few owners.

Rows that cannot be kept by doing nothing carry slack columns, so that the linear relaxation always
has a point and its duals say which owners help. Its bound needs no convergence to be a proof: as
soon as it is above what slacks may cost, there is no plan, and the duals that say so can be tried
on other right-hand sides without solving anything.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import scipy.sparse as sp

from sitepick.matrix import FloatArray, IntArray, Matrix
from sitepick.program import Program
from sitepick.solve.highs import polish, solve_matrix, target_for
from sitepick.solve.lazy import CUT_ROUNDS, repaired, settle
from sitepick.solve.outcome import Limits, Separator, is_plan
from sitepick.solve.owners import Owners, movers, numbered
from sitepick.solve.sifting import Relaxation, relax_by_pricing

_ROOM = 1.01
"""What the relaxation's aim may worsen by while it looks for the owners of a cheap plan."""
_FIRST = 20.0
"""Weight of the aim against the guide where both are minimised."""
_PLAN_SECONDS = 10.0
"""Most time to look for a plan: one with a little more room is found sooner than the last unit."""


@dataclass(frozen=True)
class Reached:
    """``values`` (n,) are a plan without slack, if one was found, of ``value`` by the aim.

    ``bound`` is below the aim of every point, slack or not; ``duals`` (m,) prove it.
    ``point`` (n,) solves the relaxation, as far as it was solved.
    """

    values: FloatArray | None
    value: float
    bound: float
    duals: FloatArray
    point: FloatArray | None


def reach(
    program: Program,
    slack: IntArray,
    guide: FloatArray,
    limits: Limits,
    *,
    cutoff: float,
    tolerance: float,
    separators: Sequence[Separator] = (),
    stop: threading.Event | None = None,
) -> Reached:
    """Minimise ``program`` (its aim), then look for a plan in which ``slack`` columns are zero.

    ``guide`` (n,) is a cost that picks owners (and the plan, where the aim is on slacks alone).
    Ends when the bound passes ``cutoff``. A plan within ``limits.gap`` of the bound is good enough.
    """
    search = _Reach(program, slack, guide, limits, tuple(separators), stop)
    return search.run(cutoff, tolerance)


def completed(
    program: Program, slack: IntArray, values: FloatArray, limits: Limits,
    separators: Sequence[Separator] = (),
) -> FloatArray | None:  # fmt: skip
    """Return a plan (n,) without slack that has the whole decisions of ``values`` (n,), or None."""
    search = _Reach(program, slack, np.zeros(program.n_columns), limits, tuple(separators), None)
    matrix = search.matrix
    owned = matrix.owner >= 0
    used = np.unique(matrix.owner[owned & (values != 0)])
    return repaired(search.bare, used, values, search.separate, search.room(), search.over)


@dataclass
class _Reach:
    program: Program
    slack: IntArray
    guide: FloatArray
    limits: Limits
    separators: tuple[Separator, ...]
    stop: threading.Event | None

    def __post_init__(self) -> None:
        self.deadline = time.perf_counter() + (self.limits.time_s or math.inf)
        self._known: Matrix | None = None

    @property
    def matrix(self) -> Matrix:
        if self._known is None or self._known.A.shape[0] != self.program.n_rows:
            self._known = numbered(self.program.matrix)
        return self._known

    def run(self, cutoff: float, tolerance: float) -> Reached:
        relaxed = self._relax(cutoff, tolerance)
        plan = None
        if relaxed.bound < cutoff and relaxed.values is not None and not self.over():
            plan = self._plan(relaxed)
        value = math.inf if plan is None else self.matrix.objective(plan)
        return Reached(plan, value, relaxed.bound, self._padded(relaxed.duals), relaxed.values)

    def _relax(self, cutoff: float, tolerance: float) -> Relaxation:
        present: IntArray | None = None
        duals: FloatArray | None = None
        kept: Relaxation | None = None
        for _ in range(CUT_ROUNDS):
            relaxed = relax_by_pricing(
                Owners(self.matrix, self.limits.threads), self.limits, present=present,
                duals=None if duals is None else self._padded(duals), tolerance=tolerance,
                cutoff=cutoff, stop=self.stop, deadline=self.deadline,
            )  # fmt: skip
            if kept is None or relaxed.values is not None:
                kept = relaxed
            present, duals = relaxed.present, relaxed.duals
            if relaxed.bound >= cutoff or relaxed.values is None or self.over():
                break
            if not self.separate(relaxed.values):
                break
            cheap = self._steady(relaxed)
            settle(cheap, present, self.separators, self.room, self.over)
        assert kept is not None
        return kept

    def _steady(self, relaxed: Relaxation) -> Callable[[], Matrix]:
        """Return the program without slack, cheap where the aim leaves a choice.

        An aim alone leaves most of a plan open: each round of rows would meet another plan.
        """
        assert relaxed.values is not None
        money = abs(float(self.guide @ relaxed.values[: len(self.guide)]))
        weight = _FIRST * max(money, 1.0) / max(relaxed.objective, 1e-9)

        def cheap() -> Matrix:
            now = self.bare()
            return replace(now, cost=self.guide + weight * now.cost)

        return cheap

    def _plan(self, relaxed: Relaxation) -> FloatArray | None:
        """Return a plan over the owners of a cheap relaxation, else over all that were priced."""
        self.deadline = min(self.deadline, time.perf_counter() + _PLAN_SECONDS)
        for few in (True, False):
            for _ in range(CUT_ROUNDS):
                matrix = self.bare()
                owners = self._owners(matrix, relaxed) if few else relaxed.present
                part = matrix.take(owners)
                left = self.deadline - time.perf_counter()
                room = replace(self.limits, time_s=max(0.1, left))
                free = not part.matrix.cost.any()
                costs = self.guide[part.columns] if free else part.matrix.cost
                near = -math.inf if free else target_for(relaxed.bound, self.limits.gap)
                out = solve_matrix(
                    replace(part.matrix, cost=costs),
                    replace(room, gap=0.9) if free else room, stop=self.stop, target=near,
                )  # fmt: skip
                if out.values is None:
                    break
                better = polish(part.matrix, out.values, room)
                point = part.lift(out.values if better is None else better, len(matrix.cost))
                if not is_plan(matrix, point):
                    break
                if not self.separate(point):
                    return point
                mended = repaired(self.bare, owners, point, self.separate, room, self.over)
                if mended is not None:
                    return mended
                if self.over():
                    return None
            if self.over():
                return None
        return None

    def _owners(self, matrix: Matrix, relaxed: Relaxation) -> IntArray:
        """Return the owners that a cheap point of the relaxation uses."""
        part = matrix.take(relaxed.present)
        aim = part.matrix.cost
        cheap = replace(part.matrix, cost=self.guide[part.columns])
        if aim.any():
            most = _ROOM * max(relaxed.objective, 0.0) + 1e-9
            A = _with_row(cheap, aim)
            cheap = replace(
                cheap, A=A, row_lower=np.append(cheap.row_lower, -np.inf),
                row_upper=np.append(cheap.row_upper, most),
            )  # fmt: skip
        out = solve_matrix(cheap, self.room(), relax=True, stop=self.stop)
        if out.values is None:
            return relaxed.present
        whole = replace(matrix, cost=self.guide)
        found = movers(whole, part.lift(out.values, len(matrix.cost)))
        return np.union1d(found, matrix.always)

    def bare(self) -> Matrix:
        upper = self.matrix.upper.copy()
        upper[self.slack] = 0.0
        cost = self.matrix.cost.copy()
        cost[self.slack] = 0.0
        return replace(self.matrix, upper=upper, cost=cost)

    def separate(self, values: FloatArray) -> int:
        return sum(separate(values) for separate in self.separators)

    def over(self) -> bool:
        asked = self.stop is not None and self.stop.is_set()
        return asked or time.perf_counter() >= self.deadline

    def room(self) -> Limits:
        return replace(self.limits, time_s=max(0.05, self.deadline - time.perf_counter()))

    def _padded(self, duals: FloatArray) -> FloatArray:
        return np.concatenate([duals, np.zeros(self.program.n_rows - len(duals))])


def _with_row(matrix: Matrix, row: FloatArray) -> sp.csr_array:
    return sp.csr_array(sp.vstack([matrix.A, sp.csr_array(row[None, :])]))
