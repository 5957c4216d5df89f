"""The plan with the most differences from the plans so far: exactly, or by prices."""

from __future__ import annotations

import copy
import math
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from sitepick.blocks import GOALS
from sitepick.blocks.columns import it_at, open_at
from sitepick.blocks.ledger import NPC_TERMS
from sitepick.checks import judge
from sitepick.finding import Finding
from sitepick.matrix import BoolArray, FloatArray, IntArray
from sitepick.planner import HOLD, Planner
from sitepick.refine import npc_cost
from sitepick.run import Prepared, Run
from sitepick.solution import Solution
from sitepick.solve.highs import solve_matrix
from sitepick.solve.outcome import Outcome, gap_between
from sitepick.solve.owners import Owners, movers, numbered
from sitepick.solve.sifting import relax_by_pricing

TERM = "difference"
SEARCH = 0.7
"""Share of a plan's seconds that goes to its differences; the rest makes it cheap."""
GAP = 0.02
"""Asked of the number of differences; below 1 / that number the number is exact."""
WHOLE = 1e-6
TINY_MW = 1e-3
"""A site without this much IT is no site."""
DIRECT = 20_000
"""Columns up to which differences are maximised as such."""
FIRST, PRICES = 5.0, (1.0, 4.0, 2.0)
"""The first price pays that many differences with what the cap leaves; multiples that are tried."""
PLANNING = 0.6
"""Share of a price's seconds that goes to plans; the rest goes to its bound."""
OWNERS = 45
CAP = "difference.cap"


@dataclass(frozen=True)
class Alternative:
    """One plan. ``differences`` are summed over all plans before it; no plan has more than
    ``most``. ``cost_bound_musd``: no plan with as many differences costs less."""

    run: Run
    sites: frozenset[str]  # opened, facts left out
    cost_musd: float  # net present cost, penalty included
    differences: int
    most: int
    cost_bound_musd: float
    seconds: float


@dataclass(frozen=True)
class _Different:
    """A plan with many differences, more than ``most`` of which there cannot be."""

    values: FloatArray | None
    most: float
    none_left: bool


class Search:
    """The plans so far, as sets of sites (S,), and a program that none of them solves."""

    def __init__(
        self,
        planner: Planner,
        best: Solution,
        within: float,
        least_it_mw: float | None,
    ) -> None:
        inst = planner.instance
        self.planner, self.best = planner, best
        self.goal = GOALS.get(planner.prepared.scenario.objective, "")
        self.cost = sum(best.npc_musd.values())
        self.cap = self.cost + within * abs(self.cost)
        self.last: IntArray = open_at(planner.program, inst)[:, -1]
        self.facts: BoolArray = inst.sites.existing | inst.sites.required
        self.facts[[c.site for c in inst.commitments]] = True
        self.free = np.flatnonzero(~self.facts)
        self.it: IntArray = it_at(planner.program, inst)[..., -1]  # (S, K, H)
        chosen = np.isin(inst.sites.ids, [s.site_id for s in best.sites]) & ~self.facts
        self.sets: list[BoolArray] = [chosen]
        self.plans: list[FloatArray] = []  # whatever was met on the way, by values
        self.least = max(TINY_MW, self._least() if least_it_mw is None else least_it_mw)
        self.present: IntArray | None = None  # owners and duals of the last price
        self.duals: FloatArray | None = None
        self._least_rows()
        self._cap_row()
        if planner.prepared.scenario.objective != "min_cost":
            self._hold_goal()

    def named(self, chosen: BoolArray) -> frozenset[str]:
        """Return the ids of a set of sites."""
        return frozenset(self.planner.instance.sites.ids[i] for i in np.flatnonzero(chosen))

    def next(self) -> tuple[Alternative | None, str]:
        """Return the next plan, or None and why there is none."""
        began = time.perf_counter()
        whole = self.planner.limits
        weight, constant = self._weights()
        room = None if whole.time_s is None else SEARCH * whole.time_s
        direct = self.planner.program.n_columns <= DIRECT
        made = (self._directly if direct else self._by_prices)(weight, constant, room)
        if made.values is None:
            return None, (
                "no other set of sites stays within the cost (proven)"
                if made.none_left
                else "no other set of sites was found within the limit of time or work"
            )
        differences = self._count(made.values, weight, constant)
        most = max(differences, math.floor(made.most + WHOLE))
        here = self._others_only()
        program = here.program
        row = program.add_rows("difference.least", keys={"one": [0]}, lower=differences - constant)
        program.add_entries(row[0], self.last[self.free], weight)
        program.minimise(NPC_TERMS)
        spent = time.perf_counter() - began
        left = None if whole.time_s is None else max(1.0, whole.time_s - spent)
        here.limits = replace(whole, time_s=left)
        second = here.cheapest(made.values)
        values = made.values if second.values is None else second.values
        cost = program.matrix.objective(values)
        self.sets.append(self._opened(values))
        return Alternative(
            run=self._run(here, values, cost),
            sites=self.named(self.sets[-1]),
            cost_musd=cost,
            differences=differences,
            most=most,
            cost_bound_musd=min(second.bound, cost),
            seconds=time.perf_counter() - began,
        ), ""

    def _directly(self, weight: FloatArray, constant: int, seconds: float | None) -> _Different:
        """Maximise the differences under the cap on cost: exact, for programs that are small."""
        here = self._others_only()
        here.program.add_cost(self.last[self.free], -weight, TERM)
        here.program.offset -= constant
        room = replace(here.limits, gap=GAP, time_s=seconds)
        out = here.refine(TERM, self.cap, None, limits=room)
        return _Different(out.values, -out.bound, out.status == "infeasible")

    def _by_prices(self, weight: FloatArray, constant: int, seconds: float | None) -> _Different:
        """Pay for differences: priced by their owners, then planned on few owners within the cap.

        A bound of "cost less price times differences" bounds the differences that the cap allows:
        at most (cap - bound) / price, for any price.
        """
        began = time.perf_counter()
        room = self.cap - (self.best.bound if self._by_cost else self.cost)
        first = max(room, 1e-6 * abs(self.cap)) / FIRST
        kept, reached, most = None, 0, math.inf
        for number, factor in enumerate(PRICES, start=1):
            part = None if seconds is None else seconds * number / len(PRICES)
            ends = math.inf if part is None else began + part
            values, bound = self._priced(first * factor, weight, constant, ends)
            most = min(most, (self.cap - bound) / (first * factor))
            if values is not None:
                self.plans.append(values)
                count = self._count(values, weight, constant)
                if count > reached and not self._known(values):
                    kept, reached = values, count
            if math.floor(most + WHOLE) <= reached or self._stopped():
                break
        return _Different(kept, most, most < 1)

    def _priced(
        self, price: float, weight: FloatArray, constant: int, ends: float
    ) -> tuple[FloatArray | None, float]:
        """Return a plan within the cap, and a bound of cost less ``price`` times differences."""
        here = _fork(self.planner)
        here.program.add_cost(self.last[self.free], -price * weight, TERM)
        here.program.offset -= price * constant
        begin = self._start(here, TERM)
        matrix = numbered(here.program.matrix)
        left = ends - time.perf_counter()
        relaxed = relax_by_pricing(
            Owners(matrix, here.limits.threads),
            here.limits,
            present=self.present,
            duals=self.duals,
            tolerance=0.1 * price / max(abs(self.cap), 1e-9),  # a tenth of a difference
            stop=here.stop,
            deadline=math.inf if math.isinf(ends) else ends - PLANNING * left,
            tell=self._tell("differences"),
        )
        self.present, self.duals = relaxed.present, relaxed.duals
        chosen = np.zeros(0, dtype=np.int64)
        if relaxed.values is not None:
            chosen = movers(matrix, relaxed.values)[:OWNERS]
        for plan in [begin] if begin is not None else []:
            chosen = np.union1d(chosen, matrix.owner[(plan != 0) & (matrix.owner >= 0)])
        part = matrix.take(chosen)
        upper = part.matrix.row_upper.copy()
        upper[part.rows == here.program.row_families[CAP].start] = self.cap
        left = ends - time.perf_counter()
        found = solve_matrix(
            replace(part.matrix, row_upper=upper),
            replace(here.limits, gap=1e-4, time_s=None if math.isinf(left) else max(1.0, left)),
            start=None if begin is None else begin[part.columns],
            stop=here.stop,
            on_progress=here.on_progress,
            stage="differences",
        )
        if found.values is None:
            return None, relaxed.bound
        values = here.complete(part.lift(found.values, len(matrix.cost)))
        if values is None or self._cost(here, values) > self.cap + WHOLE * abs(self.cap):
            return None, relaxed.bound
        return values, relaxed.bound

    def _cost(self, here: Planner, values: FloatArray) -> float:
        return float(npc_cost(here.program) @ values)

    def _tell(self, stage: str) -> Callable[[float], None] | None:
        told, began = self.planner.on_progress, time.perf_counter()
        if told is None:
            return None
        return lambda bound: told(stage, time.perf_counter() - began, math.inf, bound, math.inf)

    def _start(self, here: Planner, *more: str) -> FloatArray | None:
        """Return the plan known so far that is best by cost and ``more`` terms, None without."""
        if not self.plans:
            begin = here.started_from(self.best)
            self.plans += [begin] if begin is not None else []
        here.program.minimise((*NPC_TERMS, *more))
        return min(self.plans, key=here.program.matrix.objective, default=None)

    def _known(self, values: FloatArray) -> bool:
        return any((self._opened(values) == chosen).all() for chosen in self.sets)

    def _count(self, values: FloatArray, weight: FloatArray, constant: int) -> int:
        return round(float(weight @ np.round(values[self.last[self.free]]))) + constant

    def _stopped(self) -> bool:
        return self.planner.stop is not None and self.planner.stop.is_set()

    @property
    def _by_cost(self) -> bool:
        return self.planner.prepared.scenario.objective == "min_cost"

    def _run(self, here: Planner, values: FloatArray, cost: float) -> Run:
        """Return the plan read out and checked; its bound is that of the best plan."""
        by_cost = self._by_cost
        value = cost if by_cost else float(here.program.term_cost(self.goal) @ values)
        bound = self.best.bound if by_cost else -self.best.bound
        gap = gap_between(value, bound)
        first = Outcome(
            status="optimal" if gap <= here.limits.gap else "feasible",
            values=values,
            objective=value,
            bound=bound,
            gap=gap,
            bound_certified=self.best.bound_certified,
        )
        last = first if by_cost else replace(first, objective=cost, bound=cost)
        plan = here.solution_of(first, last)
        assert plan is not None
        return Run(here.prepared, first, plan, tuple(judged(here.prepared, plan)))

    def _least(self) -> float:
        """Return the IT MW of the smallest site that the best plan opens, 0 without."""
        mw: dict[str, float] = defaultdict(float)
        for row in self.best.it:
            if row.period == self.best.periods[-1]:
                mw[row.site_id] += row.it_mw
        mine = [mw[s] for s in self.named(self.sets[0]) if mw[s] > WHOLE]
        return min(mine, default=0.0)

    def _least_rows(self) -> None:
        """Add rows: a site that is opened holds `least` IT MW at the horizon's end."""
        program = self.planner.program
        row = program.add_rows("difference.site", keys={"site": self.free}, lower=0.0, unit="IT MW")
        program.add_entries(row, self.last[self.free], -self.least)
        place, hall, item = np.nonzero(self.it[self.free] >= 0)
        program.add_entries(row[place], self.it[self.free][place, hall, item], 1)

    def _cap_row(self) -> None:
        """Add the row of what a plan costs, lifted: plans are held to it, prices are not."""
        program = self.planner.program
        cost = npc_cost(program)
        row = program.add_rows(CAP, keys={"one": [0]}, upper=np.inf, unit="MUSD")
        paid = np.flatnonzero(cost)
        program.add_entries(row[0], paid, cost[paid])

    def _hold_goal(self) -> None:
        """Add a row: the objective that comes before cost stays as it is in the best plan."""
        program, goal = self.planner.program, self.goal
        cost = program.term_cost(goal)
        columns = np.flatnonzero(cost)
        reached = -self.best.objective
        slack = HOLD * max(1.0, abs(reached))
        row = program.add_rows(f"goal.{goal}", keys={"one": [0]}, upper=reached + slack)
        program.add_entries(row[0], columns, cost[columns])

    def _opened(self, values: FloatArray) -> BoolArray:
        return np.asarray((values[self.last] > 0.5) & ~self.facts)

    def _others_only(self) -> Planner:
        """Return a planner of all plans with a set of sites that no plan so far has."""
        here = _fork(self.planner)
        row = here.program.add_rows(
            "difference.distinct",
            keys={"plan": np.arange(len(self.sets))},
            lower=[1.0 - float(chosen.sum()) for chosen in self.sets],
            unit="sites",
        )
        for r, chosen in zip(row, self.sets, strict=True):
            sign = np.where(chosen[self.free], -1.0, 1.0)
            here.program.add_entries(r, self.last[self.free], sign)
        return here

    def _weights(self) -> tuple[FloatArray, int]:
        """Return (F,) weights and a constant: differences are weights @ opened + constant."""
        times = np.sum([chosen[self.free] for chosen in self.sets], axis=0)
        return len(self.sets) - 2.0 * times, int(times.sum())


def _fork(planner: Planner) -> Planner:
    """Return a planner to whose program rows may be added without the other knowing."""
    other = copy.copy(planner)
    other.program = copy.deepcopy(planner.program)
    if planner.joint is not None:
        other.joint = replace(planner.joint, program=other.program, made=dict(planner.joint.made))
    return other


def judged(prepared: Prepared, plan: Solution) -> list[Finding]:
    grid = None if prepared.study is None else prepared.study.grid
    return judge(prepared.scenario, prepared.layers, prepared.candidates, plan, grid)
