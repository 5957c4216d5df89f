"""The default way to solve: price owners in, prove a bound for all of them, plan on a few.

1. The LP relaxation by pricing (`sitepick.solve.sifting`): a certified bound of the whole problem.
2. A MIP over the owners that the LP uses plus about a fifth more, begun from the best known plan.
   Measured: more owners make it worse, not better; so it grows only while the gap is too wide.
3. Branching (`sitepick.solve.branching`) where the LP bound itself is too weak.

Small problems, and those solved with ``exact``, are handed to HiGHS whole. The same input gives the
same answer unless a time limit or a stop cuts in.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from sitepick.program import FloatArray, IntArray, Matrix, Program
from sitepick.solve.branching import Node, branch, quantities
from sitepick.solve.certificate import certified_bound
from sitepick.solve.highs import polish, solve_matrix, target_for, version
from sitepick.solve.outcome import (
    Certificate,
    Leaf,
    Limits,
    Outcome,
    Progress,
    Status,
    gap_between,
    is_plan,
)
from sitepick.solve.owners import Owners, grouped
from sitepick.solve.sifting import Relaxation, relax_by_pricing

Separator = Callable[[FloatArray], int]
"""Takes values (n,), appends the violated rows to the program, returns how many it added."""
Rounder = Callable[[FloatArray], FloatArray | None]
"""Takes values (n,) of a relaxation, returns a plan (n,) made from them, or None."""

_SMALL_COLUMNS = 4000
_SMALL_OWNERS = 12
_WHOLE_COLUMNS = 60_000  # still worth a try as a whole when everything else fell short
_CUT_ROUNDS = 40
_LP_TOLERANCE = 1e-4
_FIRST_POLLS = 300  # of branch and bound in the first MIP; each later one gets twice as many
_MIP_ROUNDS = 3


def solve(
    program: Program,
    limits: Limits | None = None,
    *,
    separators: Sequence[Separator] = (),
    start: FloatArray | None = None,
    on_progress: Progress | None = None,
    stop: threading.Event | None = None,
    rounders: Sequence[Rounder] = (),
    branch_families: Sequence[str | IntArray] = (),
    exact: bool = False,
) -> Outcome:
    """Minimise ``program`` and return the best plan with a bound that holds for all owners.

    ``separators`` add rows lazily: a plan counts only when none of them finds anything. ``start``
    (n,) is a plan to begin from, never lost if it is one. ``branch_families`` names column families
    (or gives column indices) whose sums may be branched on when the LP bound is weak; families of
    yes-or-no columns are taken otherwise. ``exact`` hands the whole to HiGHS.
    """
    search = _Search(
        program, limits or Limits(), tuple(separators), tuple(rounders), on_progress, stop
    )
    return search.run(start, tuple(branch_families), exact)


@dataclass
class _Search:
    """The state of one solve: the best plan so far, the best bound, and what was spent."""

    program: Program
    limits: Limits
    separators: tuple[Separator, ...]
    rounders: tuple[Rounder, ...]
    on_progress: Progress | None
    stop: threading.Event | None
    began: float = field(default_factory=time.perf_counter)
    plan: FloatArray | None = None
    objective: float = math.inf
    bound: float = -math.inf
    proof: float = -math.inf
    certificate: Certificate | None = None
    infeasible: bool = False
    work: float = 0.0
    seconds: dict[str, float] = field(default_factory=dict)
    log: list[str] = field(default_factory=list)
    _grouped: Matrix | None = None

    @property
    def matrix(self) -> Matrix:
        """The program as it is now; owners tied by small rows are one (grouped once)."""
        if self._grouped is None:
            self._grouped = grouped(self.program.matrix)
        elif self._grouped.A.shape[0] != self.program.n_rows:
            self._grouped = replace(self.program.matrix, owner=self._grouped.owner)
        return self._grouped

    def run(
        self, start: FloatArray | None, families: tuple[str | IntArray, ...], exact: bool
    ) -> Outcome:
        owners = Owners(self.matrix)
        small = len(self.matrix.cost) <= _SMALL_COLUMNS or owners.count <= _SMALL_OWNERS
        if start is not None:
            self._offer(start)
        present = np.arange(owners.count) if small else self._used(self.plan)
        relaxed = self._relax(present)
        if relaxed.infeasible:
            self.infeasible = self.plan is None
        elif small or exact:
            self._plan_whole()
        else:
            relaxed = self._plan_by_parts(relaxed)
            self._branch(relaxed, families)
            if len(self.matrix.cost) <= _WHOLE_COLUMNS:
                self._plan_whole()
        return self._outcome()

    # --- bounds -----------------------------------------------------------------------------

    def _relax(self, present: IntArray, duals: FloatArray | None = None) -> Relaxation:
        """Solve the relaxation, adding rows until the separators find none."""
        for _ in range(_CUT_ROUNDS):
            relaxed = relax_by_pricing(
                Owners(self.matrix),
                self.limits,
                present=present,
                duals=None if duals is None else self._padded(duals),
                tolerance=min(_LP_TOLERANCE, max(1e-7, self.limits.gap / 20)),
                stop=self.stop,
                deadline=self._deadline(),
                tell=lambda bound: self._tell("pricing", bound),
            )
            for stage, spent in relaxed.seconds.items():
                self._spend(stage, spent)
            self.log += relaxed.log
            if relaxed.bound > self.proof:
                self._proven(relaxed.bound, relaxed.duals)
            present, duals = relaxed.present, relaxed.duals
            if relaxed.values is None or self._over() or not self._separate(relaxed.values):
                break
        if relaxed.values is not None:
            for rounder in self.rounders:
                made = rounder(relaxed.values)
                if made is not None:
                    self._offer(made)
        return relaxed

    def _branch(self, relaxed: Relaxation, families: tuple[str | IntArray, ...]) -> None:
        if self._done() or relaxed.values is None:
            return
        matrix = self.matrix
        clock = time.perf_counter()
        spent_in_mip = self.seconds.get("mip", 0.0)
        leaves = branch(
            matrix,
            Node((), self._padded(relaxed.duals), relaxed.bound, relaxed.values),
            relaxed.present,
            quantities(self.program, matrix, families),
            self.limits,
            target=lambda: self.objective - self.limits.gap * abs(self.objective),
            visit=self._visit,
            over=self._over,
            deadline=self._deadline(),
            stop=self.stop,
            tell=lambda bound: self._tell("branching", bound),
        )
        spent_in_mip = self.seconds.get("mip", 0.0) - spent_in_mip
        self._spend("branching", time.perf_counter() - clock - spent_in_mip)
        proof = min((leaf.bound for leaf in leaves), default=-math.inf)
        self.log.append(f"branching: {len(leaves):,} leaves, bound {proof:.9g}")
        if proof > self.proof:
            self._proven(proof, tuple(Leaf(leaf.cuts, leaf.duals) for leaf in leaves))

    def _visit(self, node: Node) -> None:
        """Look for a plan among the owners that a node's relaxation uses."""
        if node.cuts and node.values is not None and len(node.cuts) <= 3:
            self._plan_on(self._used(node.values), _FIRST_POLLS // 3)

    def _proven(self, bound: float, certificate: Certificate) -> None:
        self.proof, self.certificate = bound, certificate
        self.bound = max(self.bound, bound)

    # --- plans ------------------------------------------------------------------------------

    def _plan_whole(self) -> None:
        if self._done():
            return
        count = int(self.matrix.owner.max(initial=-1)) + 1
        self._plan_on(np.arange(count), None)

    def _plan_by_parts(self, relaxed: Relaxation) -> Relaxation:
        """Solve MIPs on more and more owners while the gap is too wide."""
        extra: int | None = None
        for number in range(_MIP_ROUNDS):
            if self._done() or relaxed.values is None:
                break
            chosen = self._used(relaxed.values)
            if extra is None:
                extra = max(6, math.ceil(0.2 * len(chosen)))
            rest = np.setdiff1d(np.arange(len(relaxed.near)), chosen)
            # those that looked attractive last, then those that the master tried
            tried = np.isin(rest, relaxed.present)
            rest = rest[np.lexsort((rest, ~tried, relaxed.near[rest]))]
            rows = self.program.n_rows
            self._plan_on(np.union1d(chosen, rest[:extra]), _FIRST_POLLS * 2**number)
            if len(rest) <= extra:
                break
            extra *= 2
            if self.program.n_rows > rows and not self._done():
                relaxed = self._relax(relaxed.present, relaxed.duals)
        return relaxed

    def _plan_on(self, owners: IntArray, polls: int | None) -> None:
        """Solve the MIP restricted to ``owners`` and to those of the best plan."""
        clock = time.perf_counter()
        for _ in range(_CUT_ROUNDS):
            matrix = self.matrix
            part = matrix.take(np.union1d(owners, self._used(self.plan)))
            whole = len(part.columns) == len(matrix.cost)
            room = replace(
                self.limits,
                gap=self.limits.gap if whole else 0.3 * self.limits.gap,
                time_s=self._time_left(),
                work=self._polls(polls),
            )
            out = solve_matrix(
                part.matrix,
                room,
                start=None if self.plan is None else self.plan[part.columns],
                stop=self.stop,
                known_bound=self.bound if whole else -math.inf,
                target=target_for(self.bound, self.limits.gap),
                on_progress=self._relay(whole),
                stage="mip",
            )
            self.work += out.work
            self.log += [f"{line} ({len(owners):,} owners)" for line in out.log]
            if whole:
                self.infeasible = out.status == "infeasible" and self.plan is None
                # rows still missing can only raise the optimum
                self.bound = max(self.bound, out.bound)
            if out.values is None:
                break
            better = polish(part.matrix, out.values, self.limits)
            point = out.values if better is None else better
            rows = self.program.n_rows
            self._offer(part.lift(point, len(matrix.cost)))
            if self.program.n_rows == rows or self._over():
                break
        self._spend("mip", time.perf_counter() - clock)

    def _offer(self, values: FloatArray) -> None:
        """Keep ``values`` (n,) if they are the best plan so far."""
        if not is_plan(self.matrix, values) or self._separate(values):
            return
        value = self.matrix.objective(values)
        if value < self.objective:
            self.plan, self.objective = values, value
            self._tell("plan", self.bound)

    def _separate(self, values: FloatArray) -> int:
        return sum(separate(values) for separate in self.separators)

    def _used(self, values: FloatArray | None) -> IntArray:
        """Return the owners that ``values`` (n,) make real use of."""
        if values is None:
            return np.zeros(0, dtype=np.int64)
        matrix = self.matrix
        money = np.abs(values * matrix.cost)
        reach = np.maximum(np.maximum(np.abs(matrix.lower), np.abs(matrix.upper)), 1e-9)
        real = (money > 1e-7 * max(1e-9, float(money.sum()))) | (np.abs(values) > 1e-3 * reach)
        # in a plan everything counts
        if values is self.plan:
            real = values != 0
        return np.unique(matrix.owner[real & (matrix.owner >= 0)])

    # --- limits and talk --------------------------------------------------------------------

    def _gap(self) -> float:
        return gap_between(self.objective, self.bound)

    def _done(self) -> bool:
        return self._gap() <= self.limits.gap or self._over()

    def _over(self) -> bool:
        if self.stop is not None and self.stop.is_set():
            return True
        if self.limits.work is not None and self.work >= self.limits.work:
            return True
        return time.perf_counter() >= self._deadline()

    def _deadline(self) -> float:
        return math.inf if self.limits.time_s is None else self.began + self.limits.time_s

    def _time_left(self) -> float | None:
        if self.limits.time_s is None:
            return None
        return max(0.05, self._deadline() - time.perf_counter())

    def _polls(self, polls: int | None) -> int | None:
        if self.limits.work is None:
            return polls
        left = max(1, int(self.limits.work - self.work))
        return left if polls is None else min(polls, left)

    def _padded(self, duals: FloatArray) -> FloatArray:
        return np.concatenate([duals, np.zeros(self.program.n_rows - len(duals))])

    def _spend(self, stage: str, seconds: float) -> None:
        self.seconds[stage] = self.seconds.get(stage, 0.0) + seconds

    def _tell(self, stage: str, bound: float) -> None:
        if self.on_progress is not None:
            bound = max(bound, self.bound)
            seconds = time.perf_counter() - self.began
            gap = gap_between(self.objective, bound)
            self.on_progress(stage, seconds, self.objective, bound, gap)

    def _relay(self, whole: bool) -> Progress | None:
        """Pass on HiGHS's progress; its bound counts only when it holds for the whole."""
        tell = self.on_progress
        if tell is None:
            return None

        def relay(stage: str, _: float, incumbent: float, bound: float, __: float) -> None:
            best = min(incumbent, self.objective)
            known = max(self.bound, bound) if whole else self.bound
            seconds = time.perf_counter() - self.began
            tell(stage, seconds, best, known, gap_between(best, known))

        return relay

    def _outcome(self) -> Outcome:
        certificate = self.certificate
        proof = certified_bound(self.matrix, certificate)
        status: Status = "no_plan"
        bound = max(self.bound, proof)
        gap = gap_between(self.objective, bound)
        if self.plan is not None:
            status = "optimal" if gap <= max(self.limits.gap, 1e-9) else "feasible"
        elif self.infeasible:
            status = "infeasible"
        return Outcome(
            status=status,
            values=self.plan,
            objective=self.objective,
            bound=bound,
            gap=gap,
            bound_certified=gap_between(self.objective, proof) <= self.limits.gap,
            certificate=certificate,
            certified_bound=proof,
            seconds=dict(self.seconds) | {"total": time.perf_counter() - self.began},
            log=tuple(self.log),
            solver="HiGHS with pricing",
            version=version(),
            work=self.work,
            interrupted=bool(self.stop is not None and self.stop.is_set()),
        )
