"""The default way to solve: price owners in, prove a bound for all of them, plan on a few.

1. The LP relaxation by pricing (`sitepick.solve.sifting`): a certified bound of the whole problem.
2. A MIP over the owners that the LP uses plus about a fifth more, begun from the best known plan.
   Measured: more owners make it worse, not better; so it grows only while the gap is too wide.
3. Branching (`sitepick.solve.branching`) where the LP bound itself is too weak.

Small problems, and those solved with ``exact``, are handed to HiGHS whole.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from sitepick.matrix import FloatArray, IntArray, Matrix, Part
from sitepick.program import Program
from sitepick.solve.branching import prove, quantities
from sitepick.solve.certificate import certified_bound
from sitepick.solve.clock import Clock
from sitepick.solve.highs import polish, solve_matrix, target_for, version
from sitepick.solve.lazy import CUT_ROUNDS, extension, misses, repaired, settle
from sitepick.solve.outcome import (
    Certificate,
    Limits,
    Outcome,
    Progress,
    Separator,
    Status,
    gap_between,
    is_plan,
)
from sitepick.solve.owners import movers
from sitepick.solve.sifting import (
    MANY,
    Relaxation,
    Rounder,
    Settled,
    best_owners,
    enough_owners,
    first_owners,
    relax_by_pricing,
    tolerance_for,
)
from sitepick.solve.whole import Whole

_SMALL_COLUMNS, _SMALL_OWNERS = 4000, 12
_WHOLE_COLUMNS = 60_000  # still worth a try as a whole when everything else fell short
_SLIGHT = 0.1  # of the asked gap: rows that raise the bound by less are not waited for
_FIRST_POLLS = 300  # of branch and bound in the first MIP; each later one gets twice as many
_FIRST_LEAVES = 50  # of a proof by branching after it; likewise
_NEAR_BOUND = 0.2  # of the asked gap, lost by planning on few owners
_POOR = 0.1  # gap of a plan, among many owners, that no search begins from
_ROUNDS = 4
_ROUNDED_GAP, _ROUNDED_POLLS = 0.9, 150  # of the asked gap; in each step of a plan made of the LP


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
    aside: FloatArray | None = None,
    exact: bool = False,
) -> Outcome:
    """Minimise ``program`` and return the best plan with a bound that holds for all owners.

    ``separators`` add rows lazily: a plan counts only when none finds anything. ``start`` (n,) is a
    plan to begin from. ``branch_families`` (names or column indices) may be branched on when the LP
    bound is weak; else yes-or-no columns. ``aside`` (n,) is a part of cost (a penalty) that must
    not make the gap look small: the asked gap holds without it too. ``exact``: HiGHS at once.
    """
    limits = limits or Limits()
    search = _Search(
        program, Whole(program, limits.threads), Clock(limits, stop), limits, tuple(separators),
        tuple(rounders), on_progress, stop, aside,
    )  # fmt: skip
    return search.run(start, tuple(branch_families), exact)


@dataclass
class _Search:
    """The state of one solve: the best plan so far, the best bound, and what was spent."""

    program: Program
    whole: Whole
    clock: Clock
    limits: Limits
    separators: tuple[Separator, ...]
    rounders: tuple[Rounder, ...]
    on_progress: Progress | None
    stop: threading.Event | None
    aside: FloatArray | None = None
    plan: FloatArray | None = None
    guess: FloatArray | None = None  # values of the relaxation, where there is no plan yet
    objective: float = math.inf
    bound: float = -math.inf
    proof: float = -math.inf
    certificate: Certificate | None = None
    infeasible: bool = False
    log: list[str] = field(default_factory=list)

    @property
    def matrix(self) -> Matrix:
        """The program as it is now, owners 0, 1, ..."""
        return self.whole.matrix

    def run(
        self, start: FloatArray | None, families: tuple[str | IntArray, ...], exact: bool
    ) -> Outcome:
        """Search until the asked gap is met or the time is over; see `solve`."""
        owners = self.whole.owners
        small = len(self.matrix.cost) <= _SMALL_COLUMNS or owners.count <= _SMALL_OWNERS
        if start is not None:
            self._offer(start)
        first = np.arange(owners.count) if small else first_owners(owners)
        present = first if owners.count > MANY else np.union1d(first, self._used())
        relaxed = self._relax(present)
        if relaxed.infeasible:
            self.infeasible = self.plan is None
        elif small or exact:
            self._plan_whole()
        else:
            self._plan_by_parts(relaxed, families)
            if len(self.matrix.cost) <= _WHOLE_COLUMNS:
                self._plan_whole()
        if not self.clock.over() and self._gap() <= self._asked() < gap_between(
            self.objective, self.proof
        ):
            # HiGHS says that the gap is met; try to show it
            self._branch(movers(self.matrix, self.plan), relaxed, families, _FIRST_LEAVES)
        return self._outcome()

    def _relax(self, present: IntArray, duals: FloatArray | None = None) -> Relaxation:
        """Solve the relaxation, adding rows until the separators find none that matter."""
        opening: Settled | None = None
        # while rows are missing prices are too poor to ask all of many owners
        rough = self.whole.owners.count > MANY and duals is None
        for _ in range(CUT_ROUNDS):
            relaxed = relax_by_pricing(
                self.whole.owners,
                self.limits,
                present=present,
                duals=None if duals is None else self._padded(duals),
                opening=opening,
                rough=rough,
                tolerance=tolerance_for(self.limits.gap, self.whole.owners.count),
                stop=self.stop,
                deadline=self.clock.deadline(),
                tell=lambda bound: self._tell("pricing", bound),
            )
            for stage, spent in relaxed.seconds.items():
                self.clock.spend(stage, spent)
            self.log += relaxed.log
            if relaxed.bound > self.proof:
                self._proven(relaxed.bound, relaxed.duals)
            present, duals = relaxed.present, relaxed.duals
            self.guess = relaxed.values
            if relaxed.values is None or self.clock.over():
                break
            opening, gained = None, 0.0
            if self._misses(relaxed.values):
                clock = time.perf_counter()
                now, left = lambda: self.matrix, self.clock.room
                opening = settle(now, present, self.separators, left, self.clock.over)
                self.clock.spend("rows", time.perf_counter() - clock)
                gained = math.inf if opening is None else opening.objective - relaxed.objective
            if gained < _SLIGHT * self.limits.gap * abs(relaxed.objective):
                if not rough:
                    break  # plans that miss rows will find them
                rough = False
        if relaxed.values is not None and self.rounders:
            clock = time.perf_counter()
            gap, polls = _ROUNDED_GAP * self._asked(self.guess), self.clock.polls(_ROUNDED_POLLS)
            room = replace(self.clock.room(), gap=gap, work=polls)
            whole = replace(relaxed, duals=self._padded(relaxed.duals))
            for rounder in self.rounders:
                if (made := rounder(self.matrix, whole, room)) is not None:
                    self._offer(made)
            self.clock.spend("rounding", time.perf_counter() - clock)
        return relaxed

    def _branch(
        self,
        owners: IntArray,
        relaxed: Relaxation,
        families: tuple[str | IntArray, ...],
        most_leaves: int,
    ) -> IntArray:
        """Try to raise the proven bound to where the gap is met; return the owners of interest."""
        clock = time.perf_counter()
        proof = prove(
            self.matrix,
            owners,
            replace(relaxed, duals=self._padded(relaxed.duals)),
            quantities(self.program, self.matrix, families),
            self.limits,
            target=self.objective - self._asked() * abs(self.objective),
            most_leaves=most_leaves,
            over=self.clock.over,
            deadline=self.clock.deadline(),
            stop=self.stop,
            tell=lambda: self._tell("branching", self.bound),
        )
        self.log.append(proof.note)
        if proof.leaves:
            self._proven(proof.bound, proof.leaves)
        self.clock.spend("branching", time.perf_counter() - clock)
        return proof.owners

    def _proven(self, bound: float, certificate: Certificate) -> None:
        self.proof, self.certificate, self.bound = bound, certificate, max(self.bound, bound)

    def _plan_whole(self) -> None:
        if self._done():
            return
        count = int(self.matrix.owner.max(initial=-1)) + 1
        self._plan_on(np.arange(count), None)

    def _plan_by_parts(self, relaxed: Relaxation, families: tuple[str | IntArray, ...]) -> None:
        """Solve MIPs on more and more owners, and branch, while the gap is too wide."""
        few: int | None = None
        needed = np.zeros(0, dtype=np.int64)
        for number in range(_ROUNDS):
            if self._done() or relaxed.values is None:
                return
            chosen = movers(self.matrix, relaxed.values)
            if few is None:
                # owners of the relaxation that lose little of what the gap allows
                near = self.bound + _NEAR_BOUND * self._asked() * abs(self.bound)
                few = enough_owners(self.matrix, chosen, near, self.limits, self.clock.over)
            most = math.ceil(few * 1.2 * 2**number)
            owners = np.union1d(best_owners(relaxed, chosen, most), needed)
            rows = self.program.n_rows
            self._plan_on(owners, _FIRST_POLLS * 2**number)
            if self.program.n_rows > rows and not self._done():
                relaxed = self._relax(relaxed.present, relaxed.duals)
            if self._done() or not math.isfinite(self.objective):
                continue
            needed = self._branch(owners, relaxed, families, _FIRST_LEAVES * 2**number)

    def _plan_on(self, owners: IntArray, polls: int | None) -> None:
        """Solve the MIP restricted to ``owners`` and to those of the best plan."""
        clock = time.perf_counter()
        for _ in range(CUT_ROUNDS):
            matrix = self.matrix
            part = self.extend(matrix.take(np.union1d(owners, self._used())))
            whole = len(part.columns) == len(matrix.cost)
            # what a good plan pays is better judged by the relaxation than by a poor plan
            asked = self._asked(self.guess)
            gap, left = asked if whole else 0.3 * asked, self.clock.time_left()
            room = replace(self.limits, gap=gap, time_s=left, work=self.clock.polls(polls))
            out = solve_matrix(
                part.matrix,
                room,
                start=self._start_in(part),
                stop=self.stop,
                known_bound=self.bound if whole else -math.inf,
                target=target_for(self.bound, 0.95 * asked),
                on_progress=self._relay(whole),
                stage="mip",
            )
            self.clock.work += out.work
            self.log += [f"{line} ({len(owners):,} owners)" for line in out.log]
            if whole:
                self.infeasible = out.status == "infeasible" and self.plan is None
                # rows still missing can only raise the optimum
                self.bound = max(self.bound, out.bound)
            if out.values is None:
                break
            better = polish(part.matrix, out.values, self.limits)
            point = part.lift(out.values if better is None else better, len(matrix.cost))
            rows = self.program.n_rows
            self._offer(point)
            if self.program.n_rows == rows or self.clock.over():
                break
            # rows were missing: often the same decisions with other MW will do
            chosen = np.union1d(owners, self._used())
            now, over = lambda: self.matrix, self.clock.over
            mended = repaired(now, chosen, point, self._separate, self.limits, over, self.extend)
            if mended is not None:
                self._offer(mended)
            if self._done():
                break
        self.clock.spend("mip", time.perf_counter() - clock)

    def _start_in(self, part: Part) -> FloatArray | None:
        """Return the best plan as values of ``part``, None without one."""
        if self.plan is None or len(part.columns) == len(part.matrix.cost):
            return None if self.plan is None else self.plan[part.columns]
        return polish(part.matrix, part.restrict(self.plan), self.limits)

    def _offer(self, values: FloatArray) -> None:
        """Keep ``values`` (n,) if they are the best plan so far."""
        if not is_plan(self.matrix, values) or self._separate(values):
            return
        value = self.matrix.objective(values)
        if value < self.objective:
            self.plan, self.objective = values, value
            self._tell("plan", self.bound)

    def extend(self, part: Part) -> Part:
        """Return ``part`` with what its separators can say at once."""
        return extension(self.separators)(part)

    def _misses(self, values: FloatArray) -> bool:
        """Return whether ``values`` miss rows; those that are long are only looked for."""
        return any(misses(separate, values) for separate in self.separators)

    def _separate(self, values: FloatArray) -> int:
        return sum(separate(values) for separate in self.separators)

    def _used(self) -> IntArray:
        """Return the owners of the best plan; all of them, however little they do.

        None of a plan that is far from any good one: its many owners make every problem larger.
        """
        poor = self._gap() > _POOR and self.whole.owners.count > MANY
        if self.plan is None or poor:
            return np.zeros(0, dtype=np.int64)
        owned = self.matrix.owner >= 0
        return np.unique(self.matrix.owner[owned & (self.plan != 0)])

    def _gap(self) -> float:
        return gap_between(self.objective, self.bound)

    def _asked(self, values: FloatArray | None = None) -> float:
        """Return the gap of the whole objective at which the gap without `aside` is met too.

        It depends on what is paid: by ``values`` (n,), else by the best plan.
        """
        values = self.plan if values is None else values
        if self.aside is None or values is None:
            return self.limits.gap
        total = self.matrix.objective(values)
        rest = total - float(self.aside @ values)
        return self.limits.gap * min(1.0, abs(rest) / max(abs(total), 1e-9))

    def _done(self) -> bool:
        return self._gap() <= self._asked() or self.clock.over()

    def _padded(self, duals: FloatArray) -> FloatArray:
        return np.concatenate([duals, np.zeros(self.program.n_rows - len(duals))])

    def _tell(self, stage: str, bound: float) -> None:
        if self.on_progress is not None:
            bound = max(bound, self.bound)
            seconds = time.perf_counter() - self.clock.began
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
            seconds = time.perf_counter() - self.clock.began
            tell(stage, seconds, best, known, gap_between(best, known))

        return relay

    def _outcome(self) -> Outcome:
        proof = certified_bound(self.matrix, self.certificate)
        status: Status = "no_plan"
        bound = max(self.bound, proof)
        gap = gap_between(self.objective, bound)
        if self.plan is not None:
            status = "optimal" if gap <= max(self._asked(), 1e-9) else "feasible"
        elif self.infeasible:
            status = "infeasible"
        return Outcome(
            status=status,
            values=self.plan,
            objective=self.objective,
            bound=bound,
            gap=gap,
            bound_certified=gap_between(self.objective, proof) <= max(self._asked(), 1e-9),
            certificate=self.certificate,
            certified_bound=proof,
            seconds=dict(self.clock.seconds) | {"total": time.perf_counter() - self.clock.began},
            log=tuple(self.log),
            solver="HiGHS with pricing",
            version=version(),
            work=self.clock.work,
            interrupted=bool(self.stop is not None and self.stop.is_set()),
        )
