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
from sitepick.solve.branching import Tree, certify, quantities
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
_FIRST_LEAVES = 60  # of the tree grown after it; likewise
_ROUNDS = 4


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
    _extra_owners: IntArray = field(default_factory=lambda: np.zeros(0, dtype=np.int64))

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
            self._plan_by_parts(relaxed, families)
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

    def _branch(self, tree: Tree, relaxed: Relaxation, leaves: int) -> None:
        """Grow ``tree`` until it would close the gap, then prove its leaves for all owners."""
        if self._done() or not math.isfinite(self.objective):
            return
        clock = time.perf_counter()
        target = self.objective - self.limits.gap * abs(self.objective)
        # what pricing may lose on the way
        margin = 5e-5 * abs(target)
        reached = tree.grow(target + margin, leaves, self._over)
        self.log.append(
            f"branching: {tree.splits:,} splits, {tree.size:,} leaves, "
            f"least value {tree.bound:.9g} on {len(tree.chosen):,} owners, asked {target:.9g}"
        )
        if reached:
            self._certify(tree, relaxed, target)
        self._spend("branching", time.perf_counter() - clock)

    def _certify(self, tree: Tree, relaxed: Relaxation, target: float) -> None:
        proven: list[Leaf] = []
        least = math.inf
        present = tree.chosen
        duals = self._padded(relaxed.duals)
        for cuts in tree.leaves():
            leaf, bound, took = certify(
                self.matrix,
                cuts,
                present,
                duals,
                self.limits,
                cutoff=target,
                deadline=self._deadline(),
            )
            proven.append(leaf)
            least = min(least, bound)
            present = np.union1d(present, took)
            if least < self.proof or self._over():
                break
            self._tell("branching", self.bound)
        else:
            self.log.append(f"branching: {len(proven):,} leaves prove {least:.9g} for all owners")
            if least > self.proof:
                self._proven(least, tuple(proven))
        self._extra_owners = np.setdiff1d(present, tree.chosen)

    def _proven(self, bound: float, certificate: Certificate) -> None:
        self.proof, self.certificate = bound, certificate
        self.bound = max(self.bound, bound)

    # --- plans ------------------------------------------------------------------------------

    def _plan_whole(self) -> None:
        if self._done():
            return
        count = int(self.matrix.owner.max(initial=-1)) + 1
        self._plan_on(np.arange(count), None)

    def _plan_by_parts(self, relaxed: Relaxation, families: tuple[str | IntArray, ...]) -> None:
        """Solve MIPs on more and more owners, and branch, while the gap is too wide."""
        extra: int | None = None
        tree: Tree | None = None
        for number in range(_ROUNDS):
            if self._done() or relaxed.values is None:
                return
            chosen = self._used(relaxed.values)
            if extra is None:
                extra = max(6, math.ceil(0.2 * len(chosen)))
            rest = np.setdiff1d(np.arange(len(relaxed.near)), chosen)
            # those that looked attractive last, then those that the master tried
            tried = np.isin(rest, relaxed.present)
            rest = rest[np.lexsort((rest, ~tried, relaxed.near[rest]))]
            owners = np.union1d(np.union1d(chosen, rest[:extra]), self._extra_owners)
            rows = self.program.n_rows
            self._plan_on(owners, _FIRST_POLLS * 2**number)
            if self.program.n_rows > rows and not self._done():
                relaxed = self._relax(relaxed.present, relaxed.duals)
                tree = None
            if tree is None or len(self._extra_owners):
                sums = quantities(self.program, self.matrix, families)
                tree = Tree(self.matrix, owners, sums, self.limits)
            self._branch(tree, relaxed, _FIRST_LEAVES * 2**number)
            extra *= 2

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
