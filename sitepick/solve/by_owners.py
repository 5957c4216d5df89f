"""Programs whose owners are all knapsacks, such as plain facility location."""

from __future__ import annotations

import math
import threading
import time
from dataclasses import dataclass, field, replace

from sitepick.matrix import FloatArray, Matrix
from sitepick.program import Program
from sitepick.solve.certificate import certified_bound
from sitepick.solve.highs import version
from sitepick.solve.knapsack import knapsacks
from sitepick.solve.outcome import Limits, Outcome, Progress, Status, gap_between, is_plan
from sitepick.solve.owner_tree import OwnerTree
from sitepick.solve.owners import numbered


def solve_by_owners(
    program: Program,
    limits: Limits,
    *,
    start: FloatArray | None = None,
    on_progress: Progress | None = None,
    stop: threading.Event | None = None,
    aside: FloatArray | None = None,
) -> Outcome | None:
    """Minimise ``program`` where all its owners are knapsacks; None where they are not.

    The arguments are those of `sitepick.solve.pricing.solve`. A limit of work bounds that method
    alone: this one is as reproducible without. Without a plan the outcome says nothing.
    """
    matrix = numbered(program.matrix)
    blocks = knapsacks(matrix)
    if blocks is None or not len(blocks.linking):
        return None
    best = _Best(matrix, limits, on_progress, stop, aside)
    if start is not None:
        best.offer(start)
    proof = OwnerTree(
        matrix, blocks, best.room, best.offer, best.missing, best.over, best.tell
    ).search()
    certified = certified_bound(matrix, proof.certificate)
    bound = max(proof.bound, certified)
    gap = gap_between(best.objective, bound)
    asked = max(best.missing(), 1e-9)
    status: Status = "no_plan" if best.plan is None else "optimal" if gap <= asked else "feasible"
    seconds = time.perf_counter() - best.began
    return Outcome(
        status=status,
        values=best.plan,
        objective=best.objective,
        bound=min(bound, best.objective),
        gap=gap,
        bound_certified=gap_between(best.objective, certified) <= asked,
        certificate=proof.certificate,
        certified_bound=certified,
        seconds={"owners": seconds, "total": seconds},
        log=(proof.note,),
        solver="branching on owners",
        version=version(),
        interrupted=bool(stop is not None and stop.is_set()),
    )


def better_proof(out: Outcome, other: Outcome | None) -> Outcome:
    """Return ``out`` with the bound of ``other``, seconds and log of both, where that helps."""
    if other is None:
        return out
    names = {**other.seconds, **out.seconds}
    seconds = {k: other.seconds.get(k, 0.0) + out.seconds.get(k, 0.0) for k in names}
    out = replace(out, seconds=seconds, log=(*other.log, *out.log))
    if other.bound <= out.bound:
        return out
    bound = min(other.bound, out.objective)
    out = replace(out, bound=bound, gap=gap_between(out.objective, bound))
    if other.certified_bound <= out.certified_bound:
        return out
    return replace(out, certificate=other.certificate, certified_bound=other.certified_bound)


@dataclass
class _Best:
    """The best plan so far, and when to stop looking for a better one."""

    matrix: Matrix
    limits: Limits
    on_progress: Progress | None
    stop: threading.Event | None
    aside: FloatArray | None
    began: float = field(default_factory=time.perf_counter)
    plan: FloatArray | None = None
    objective: float = math.inf

    def offer(self, values: FloatArray | None) -> float:
        """Keep ``values`` (n,) if they are the best plan so far; return what that comes to."""
        if values is not None and is_plan(self.matrix, values):
            value = self.matrix.objective(values)
            if value < self.objective:
                self.plan, self.objective = values, value
                self.tell(-math.inf)
        return self.objective

    def missing(self) -> float:
        """Return the asked gap of the whole objective: it is met without `aside` too."""
        if self.aside is None or self.plan is None:
            return self.limits.gap
        rest = abs(self.objective - float(self.aside @ self.plan))
        return self.limits.gap * min(1.0, rest / max(abs(self.objective), 1e-9))

    def over(self) -> bool:
        """Return whether time is up."""
        if self.stop is not None and self.stop.is_set():
            return True
        left = self.limits.time_s
        return left is not None and time.perf_counter() - self.began >= left

    @property
    def room(self) -> Limits:
        """Limits of the small programs on the way."""
        return replace(self.limits, work=None)

    def tell(self, bound: float) -> None:
        """Report ``bound`` and the best plan."""
        if self.on_progress is not None:
            seconds = time.perf_counter() - self.began
            gap = gap_between(self.objective, bound)
            self.on_progress("owners", seconds, self.objective, bound, gap)
