"""Plans at nearly the cost of the best that differ as much as possible.

Modelling to generate alternatives (Brill 1979): a model leaves things out, so a planner should see
how different a plan may be at nearly the same cost. One plan after another is found, each with the
most differences from all plans before it, within a cap on cost; docs/alternatives.md defines it.
"""

from __future__ import annotations

import copy
import math
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from sitepick.blocks.columns import it_at, open_at
from sitepick.blocks.ledger import NPC_TERMS
from sitepick.checks import judge
from sitepick.errors import ScenarioError
from sitepick.finding import Finding
from sitepick.planner import HOLD, Planner
from sitepick.program import BoolArray, FloatArray, IntArray
from sitepick.run import Prepared, Run
from sitepick.solution import Solution
from sitepick.solve.outcome import Limits, Outcome, Progress, gap_between

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
FIRST, PRICES = 5.0, 4
"""The first price pays this many differences with what the cap leaves; how many are tried."""


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
class Alternatives:
    """What was found. ``stopped``: why there are fewer than asked, empty if there are not."""

    best: Solution
    best_sites: frozenset[str]
    best_cost_musd: float
    cap_musd: float
    within: float
    least_it_mw: float
    facts: tuple[str, ...]  # sites that every plan has, never counted
    found: tuple[Alternative, ...]
    stopped: str


def alternatives(
    prepared: Prepared,
    best: Solution,
    *,
    within: float,
    count: int,
    limits: Limits,
    least_it_mw: float | None = None,
    solver: str = "highs",
    exact: bool = False,
    on_progress: Progress | None = None,
    on_plan: Callable[[int], None] | None = None,
    stop: threading.Event | None = None,
) -> Alternatives:
    """Return up to ``count`` plans that cost at most ``1 + within`` times ``best``.

    ``limits.time_s`` is for each plan. A site counts as opened only with ``least_it_mw`` IT MW at
    the horizon's end (None: the smallest site that ``best`` opens). ``on_plan`` is told the number
    of each plan that is begun. Raises ScenarioError where ``within`` is below the gap of ``best``,
    or ``best`` is no plan of this scenario.
    """
    if prepared.scenario.objective == "min_cost" and within < best.gap:
        raise ScenarioError(
            f"--within {100 * within:.3g}% is below the gap of the plan, {100 * best.gap:.3g} %: a"
            " plan so near to it may be no alternative but the better plan; solve again with a"
            " smaller --gap, or allow more"
        )
    if wrong := _judged(prepared, best):
        raise ScenarioError(
            ["the plan of the run breaks its scenario and layers as they are now", *map(str, wrong)]
        )
    planner = Planner(prepared, limits, solver, exact, on_progress, stop)
    search = _Search(planner, best, within, least_it_mw)
    found: list[Alternative] = []
    stopped = ""
    while len(found) < count and not stopped:
        if stop is not None and stop.is_set():
            stopped = "interrupted"
            break
        if on_plan is not None:
            on_plan(len(found) + 1)
        made, stopped = search.next()
        found += [made] if made is not None else []
    return Alternatives(
        best=best,
        best_sites=search.named(search.sets[0]),
        best_cost_musd=search.cost,
        cap_musd=search.cap,
        within=within,
        least_it_mw=search.least,
        facts=tuple(planner.instance.sites.ids[i] for i in np.flatnonzero(search.facts)),
        found=tuple(found),
        stopped=stopped,
    )


@dataclass(frozen=True)
class _Different:
    """A plan with many differences, more than ``most`` of which there cannot be."""

    values: FloatArray | None
    most: float
    none_left: bool


class _Search:
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
        self._least_rows()
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
        here.limits = replace(here.limits, gap=GAP, time_s=seconds)
        out = here.refine(TERM, self.cap, None)
        return _Different(out.values, -out.bound, out.status == "infeasible")

    def _by_prices(self, weight: FloatArray, constant: int, seconds: float | None) -> _Different:
        """Pay for differences, at a price that rises while plans stay within the cap.

        A bound of "cost less price times differences" bounds the differences that the cap allows:
        at most (cap - bound) / price. That is how large programs are solved best: by cost.
        """
        began = time.perf_counter()
        room = self.cap - (self.best.bound if self._by_cost else self.cost)
        price = max(room, 1e-6 * abs(self.cap)) / FIRST
        kept, reached, most, low, high = None, 0, math.inf, 0.0, math.inf
        for left in range(PRICES, 0, -1):
            spent = time.perf_counter() - began
            here = _fork(self.planner)
            here.program.add_cost(self.last[self.free], -price * weight, TERM)
            here.program.offset -= price * constant
            # a quarter of a difference is near enough
            gap = min(GAP, 0.25 * price / max(abs(self.cap), 1e-9))
            part = None if seconds is None else max(1.0, (seconds - spent) / left)
            here.limits = replace(here.limits, gap=gap, time_s=part)
            out = here.cheapest(self._start(here, TERM), TERM)
            most = min(most, (self.cap - out.bound) / price)
            if out.values is None:
                break
            self.plans.append(out.values)
            number = self._count(out.values, weight, constant)
            within = out.objective + price * number <= self.cap + WHOLE * abs(self.cap)
            if within and number >= reached and not self._known(out.values):
                kept, reached = out.values, number
            low, high = (price, high) if within else (low, price)
            if math.floor(most + WHOLE) <= reached:
                break
            price = _between(low, high)
        return _Different(kept, most, most < 1)

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

    @property
    def _by_cost(self) -> bool:
        return self.planner.prepared.scenario.objective == "min_cost"

    def _run(self, here: Planner, values: FloatArray, cost: float) -> Run:
        """Return the plan read out and checked; its bound is that of the best plan."""
        by_cost = self._by_cost
        value = cost if by_cost else float(here.program.term_cost(here.goal) @ values)
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
        plan = here.plan_of(first, last)
        assert plan is not None
        return Run(here.prepared, first, plan, tuple(_judged(here.prepared, plan)))

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

    def _hold_goal(self) -> None:
        """Add a row: the objective that comes before cost stays as it is in the best plan."""
        program, goal = self.planner.program, self.planner.goal
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


def _between(low: float, high: float) -> float:
    """Return a price to try next: between the highest within the cap and the lowest beyond it."""
    if low > 0 and math.isfinite(high):
        return math.sqrt(low * high)
    return 4 * low if low > 0 else high / 4


def _fork(planner: Planner) -> Planner:
    """Return a planner to whose program rows may be added without the other knowing."""
    other = copy.copy(planner)
    other.program = copy.deepcopy(planner.program)
    if planner.joint is not None:
        other.joint = replace(planner.joint, program=other.program, made=dict(planner.joint.made))
    return other


def _judged(prepared: Prepared, plan: Solution) -> list[Finding]:
    grid = None if prepared.study is None else prepared.study.grid
    return judge(prepared.scenario, prepared.layers, prepared.candidates, plan, grid)
