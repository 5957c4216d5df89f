"""From a prepared scenario to a plan: build, start, solve by the scenario's objective, read out."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from sitepick.baselines import greedy
from sitepick.blocks import GOALS, build, fiber
from sitepick.blocks.columns import it_at, open_at
from sitepick.blocks.headroom import unused_letters
from sitepick.blocks.ledger import NPC_TERMS, PENALTY
from sitepick.dispatch.joint import JointLimits
from sitepick.dispatch.result import GridResult, grid_result, limiting, plan_rows
from sitepick.earlier import moved
from sitepick.errors import ScenarioError
from sitepick.instance import assemble
from sitepick.instance.types import Instance
from sitepick.matrix import FloatArray
from sitepick.prices import binding, limit_uses, row_prices
from sitepick.profiling import stage
from sitepick.program import Program
from sitepick.readout import read_out
from sitepick.refine import COST_CAP, Cap, capped, cheapest, npc_cost
from sitepick.run import Binding, GreedyRow, LimitUse, Prepared
from sitepick.serving import ReachLimits
from sitepick.solution import Solution
from sitepick.solve import solve_with
from sitepick.solve.certificate import safe_bound
from sitepick.solve.lazy import extension, repaired
from sitepick.solve.outcome import Limits, Outcome, Progress, Separator, gap_between, gap_without
from sitepick.starts import start_values
from sitepick.starts_groups import group_rounders
from sitepick.words import LINES

OBJECTIVE_NAMES = {
    "min_cost": "net_present_cost_musd",
    "max_compute": "served_ref_mw_years",
    "earliest_mw": "installed_it_mw_years",
}
GREEDY_SHARES = (1.0, 0.85, 0.7, 0.55, 0.4, 0.3, 0.2, 0.1, 0.05)
"""The greedy looks at no shared limit; it is asked for less until its plan keeps them all."""
LEAST_COST_S = 20.0
"""Seconds that the least-cost step after another objective gets at least."""
HOLD = 1e-5
"""Relative slack with which the first objective is held while cost is minimised."""


@dataclass
class Planner:
    """A scenario's program, and how it is solved. One planner plans once."""

    prepared: Prepared
    limits: Limits
    solver: str = "highs"
    exact: bool = False
    on_progress: Progress | None = None
    stop: threading.Event | None = None
    seconds: dict[str, float] = field(default_factory=dict)
    by_cost: Outcome | None = None  # of the last solve by cost that has a plan
    held: tuple[tuple[tuple[str, str, float], ...], bool] = ((), False)  # rows of `hold`, only

    def __post_init__(self) -> None:
        began = time.perf_counter()
        study = self.prepared.study
        grid = None if study is None else study.grid
        with stage("instance"):
            self.instance: Instance = assemble(
                self.prepared.scenario, self.prepared.candidates, grid
            )
        with stage("program"):
            self.program, self.ledger = build(self.instance)
            self.joint = None if study is None else JointLimits(study, self.instance, self.program)
            self.reach = ReachLimits.of(self.instance, self.program)
            for within in self.reach:
                within.begin()
        self.seconds["model"] = time.perf_counter() - began

    def without_idle(self, values: FloatArray) -> FloatArray:
        """Return the plan without sites that hold no IT, letters without MW and unused routes.

        Inside the asked gap a solver may pay for them. They stay where less would cost more.
        """
        inst, level = self.instance, open_at(self.program, self.instance)
        it = it_at(self.program, inst)
        mw = np.where(it >= 0, values[np.maximum(it, 0)], 0.0).sum(axis=(1, 2, 3))
        fact = inst.sites.existing | inst.sites.required
        idle = np.flatnonzero((values[level[:, -1]] > 0.5) & (mw < 1e-6) & ~fact)
        matrix = self.program.matrix
        theirs = np.isin(matrix.owner, idle) & matrix.integer
        alone = np.zeros_like(theirs)  # sites may have to stay, as what is held stands at them
        alone[unused_letters(self.program, inst, values)] = True
        alone[fiber.unused_routes(self.program, inst, values)] = True
        for less in (theirs | alone, alone) if theirs.any() else (alone,):
            found = self.complete(np.where(less, matrix.lower, values)) if less.any() else None
            if found is not None and matrix.objective(found) <= matrix.objective(values):
                return found
        return values

    @cached_property
    def penalty(self) -> FloatArray:
        """(n,) discounted price of turned-away work by column."""
        return self.program.term_cost(PENALTY)

    # --- starts ----------------------------------------------------------------------------

    def hold(self, rows: list[tuple[str, str, float]], *, only: bool) -> None:
        """Hold IT MW by (site_id, period, it_mw); ``only`` closes every other site."""
        hold_it_mw(self.program, self.instance, rows, only=only)
        self.held = tuple(rows), only

    @property
    def separators(self) -> tuple[Separator, ...]:
        """What adds rows while solving."""
        return (*self.reach, *(() if self.joint is None else (self.joint,)))

    def complete(self, decisions: FloatArray) -> FloatArray | None:
        """Return the best plan (n,) with these integer ``decisions``; None if there is none."""
        matrix = self.program.matrix
        used = np.unique(matrix.owner[(decisions != 0) & (matrix.owner >= 0)])
        return repaired(
            lambda: self.program.matrix, used, decisions, self.separate, self.limits,
            self._stopped, extension(self.separators),
        )  # fmt: skip

    def separate(self, values: FloatArray) -> int:
        """Add rows that ``values`` (n,) violate; return how many."""
        return sum(separator(values) for separator in self.separators)

    def _stopped(self) -> bool:
        return self.stop is not None and self.stop.is_set()

    def greedy(self) -> tuple[FloatArray | None, GreedyRow | None]:
        """Return the weighted-score greedy's plan and what it comes to."""
        began = time.perf_counter()
        plan = None
        for share in GREEDY_SHARES:
            plan = self.complete(greedy(self.program, self.instance, share))
            if plan is not None:
                break
        self.seconds["greedy"] = time.perf_counter() - began
        if plan is None:
            return None, None
        it = it_at(self.program, self.instance)
        last = it[..., -1]
        serve = self.program.column_families["demand.serve"]
        opened = self.program.index(
            "siting.open", (len(self.instance.sites.ids), self.instance.time.n)
        )
        dt = self.instance.time.dt[serve.keys["period"]]
        penalty = float(self.penalty @ plan)
        return plan, GreedyRow(
            sites=int((plan[opened[:, -1]] > 0.5).sum()),
            it_mw_end=float(plan[last[last >= 0]].sum()),
            served_ref_mw_years=float(plan[serve.indices] @ dt),
            net_present_cost_musd=self._npc(plan) - penalty,
            penalty_musd=penalty,
        )

    def started_from(self, plan: Solution) -> FloatArray | None:
        """Return an earlier plan as a start, None if it is no plan here."""
        return self.complete(start_values(self.program, self.instance, plan))

    # --- solving ---------------------------------------------------------------------------

    def solve(self, start: FloatArray | None) -> tuple[Outcome, Solution | None]:
        """Solve by the scenario's objective, cost last, and read the plan out."""
        objective = self.prepared.scenario.objective
        if objective == "min_cost":
            out = self._run(start, aside=self.penalty)
            return out, self.solution_of(out, out)
        goal = GOALS[objective]
        self.program.minimise((goal,))
        first = self._run(start, aside=None)
        if first.values is None:
            self.program.minimise(NPC_TERMS)
            return first, None
        self._hold_goal(goal, first)
        self.program.minimise(NPC_TERMS)
        # the goal is proven; cost at that value gets a share of the time, whatever its gap then
        spent = first.seconds.get("total", 0.0)
        whole, room = self.limits, max(LEAST_COST_S, 2 * spent)
        left = room if whole.time_s is None else min(room, max(1.0, whole.time_s - spent))
        self.limits = replace(whole, time_s=None if whole.work is not None else left)
        second = self._run(first.values, aside=self.penalty)
        self.limits = whole
        if second.values is None:
            cost = self.program.matrix.objective(first.values)
            second = replace(second, values=first.values, objective=cost)
        assert second.values is not None
        value = float(self.program.term_cost(goal) @ second.values)
        seconds = _added(first.seconds, second.seconds)
        first = replace(
            first,
            values=second.values,
            objective=value,
            gap=gap_between(value, first.bound),
            seconds=seconds,
        )
        return first, self.solution_of(first, second)

    def cheapest(self, start: FloatArray | None, *more: str) -> Outcome:
        """Minimise net present cost, and ``more`` objective terms, of the program as it is."""
        self.program.minimise((*NPC_TERMS, *more))
        return self._run(start, aside=self.penalty)

    def refine(
        self,
        term: str,
        cap_musd: float,
        start: FloatArray | None,
        *,
        caps: Sequence[Cap] = (),
        limits: Limits | None = None,
    ) -> Outcome:
        """Minimise the objective term ``term`` among plans of at most ``cap_musd``, after `solve`.

        The cap is on net present cost with the price of turned-away work; among plans that are
        equal by the term a cheaper one is sought. ``start`` (n,) is a plan to begin from; one that
        keeps the caps is never lost. ``caps`` are further ones: `goal.TERM` moves what the goal
        that came before cost is held at. ``limits`` default to the planner's, within twice the
        time of the first solve where no limit of work is asked. Objective, bound and gap of the
        outcome are the term's. Afterwards the program is by cost again, its new rows lifted.
        """
        program, whole = self.program, self.limits
        self.limits = limits or self.room_for_more()
        try:
            with capped(program, [(COST_CAP, npc_cost(program), cap_musd), *caps]):
                program.minimise((term,))
                out = self._run(start, aside=None)
                return cheapest(program, term, out, self.complete, self.limits)
        finally:
            self.limits = whole
            program.minimise(NPC_TERMS)

    def room_for_more(self) -> Limits:
        """Return limits of a second solve: the same work, or a share of time."""
        if self.limits.work is not None:
            return replace(self.limits, time_s=None)
        spent = 0.0 if self.by_cost is None else self.by_cost.seconds.get("total", 0.0)
        room = max(LEAST_COST_S, 2 * spent)
        return replace(self.limits, time_s=min(room, self.limits.time_s or room))

    def held_prices(self, values: FloatArray) -> FloatArray | None:
        """Return (m,) the prices of rows with the whole decisions of a plan held, if there are."""
        joint, upper = self.joint, self.program.matrix.row_upper
        return row_prices(self.program, values, upper if joint is None else joint.eased(upper))

    def binding(
        self, values: FloatArray, price: FloatArray | None
    ) -> tuple[tuple[Binding, ...], GridResult | None]:
        """Return what binds in a plan at `held_prices`, and what the grid says of it."""
        bound = () if price is None else binding(self.program, values, price)
        if self.joint is None:
            return bound, None
        none = np.zeros(self.program.n_rows)
        return bound, grid_result(
            self.joint, self.program, values, none if price is None else price
        )

    def limit_uses(
        self, values: FloatArray, held: FloatArray | None, lp: FloatArray
    ) -> tuple[LimitUse, ...]:
        """Return how far limits are used, priced by ``held`` and ``lp`` (m,); lines included."""
        demand = self.instance.demand
        reached = np.zeros(demand.mw.shape[:2], dtype=bool)
        reached[demand.serve_workload, demand.serve_place] = True
        found = limit_uses(self.program, values, held, lp, reached)
        if self.joint is None:
            return found
        none = np.zeros(self.program.n_rows)
        by_lp, by_held = (
            {(r.branch_id, r.outage_id, r.condition, r.period): r
             for r in limiting(self.joint, self.program, values, none if y is None else y)}
            for y in (lp, held)
        )  # fmt: skip
        lines = []
        for key, row in {**by_lp, **by_held}.items():
            branch, lost, condition, period = key
            after = "" if lost == "base" else f" after losing {lost}"
            prices = (by[key].price_musd_per_mw if key in by else 0.0 for by in (by_lp, by_held))
            lines.append(
                LimitUse(
                    LINES, f"{branch}{after} ({condition})", period, row.limit_mw, row.limit_mw,
                    "MW", False, *prices,
                )
            )  # fmt: skip
        return (*found, *sorted(lines, key=lambda r: (r.where, r.when)))

    def _run(self, start: FloatArray | None, aside: FloatArray | None) -> Outcome:
        out = solve_with(
            self.solver,
            self.program,
            self.limits,
            start=start, on_progress=self.on_progress, stop=self.stop, aside=aside,
            exact=self.exact, branch_families=("siting.open",), separators=self.separators,
            rounders=group_rounders(self.program, self.instance, self.complete, self.stop),
        )  # fmt: skip
        if out.values is not None:
            kept = self.without_idle(out.values)
            value = self.program.matrix.objective(kept)
            out = replace(out, values=kept, objective=value, gap=gap_between(value, out.bound))
        if math.isfinite(out.bound):
            return out
        # stopped before anything was proven: what the bounds of the columns alone allow
        matrix = self.program.matrix
        bound = safe_bound(matrix, np.zeros(matrix.A.shape[0]))
        return replace(out, bound=bound, gap=gap_between(out.objective, bound))

    def _hold_goal(self, goal: str, out: Outcome) -> None:
        cost = self.program.term_cost(goal)
        columns = np.flatnonzero(cost)
        row = self.program.add_rows(
            f"goal.{goal}",
            keys={"one": [0]},
            upper=out.objective + HOLD * max(1.0, abs(out.objective)),
        )
        self.program.add_entries(row[0], columns, cost[columns])

    def _npc(self, values: FloatArray) -> float:
        return float(sum(self.program.term_cost(term) @ values for term in NPC_TERMS))

    def solution_of(self, first: Outcome, last: Outcome) -> Solution | None:
        """Return the plan of the last solve by cost; ``first`` is by the scenario's objective."""
        if last.values is None:
            return None
        self.by_cost = last
        objective = self.prepared.scenario.objective
        sign = 1.0 if objective == "min_cost" else -1.0
        penalty = float(self.penalty @ last.values)
        plan = read_out(
            self.program,
            self.ledger,
            self.instance,
            last.values,
            name=self.prepared.scenario.name,
            status=first.status,
            objective_name=OBJECTIVE_NAMES[objective],
            objective=sign * first.objective,
            bound=sign * first.bound,
            gap=gap_between(first.objective, first.bound),
            gap_without_penalty=gap_without(penalty, last.objective, last.bound),
            bound_certified=first.bound_certified,
        )
        plan = replace(plan, moved=moved(self.prepared.candidates.earlier, plan))
        if self.joint is None:
            return plan
        dispatch, excused, upgrades = plan_rows(self.joint, last.values)
        return replace(plan, dispatch=dispatch, excused=excused, line_upgrades=upgrades)


def _added(a: dict[str, float], b: dict[str, float]) -> dict[str, float]:
    return {k: a.get(k, 0.0) + b.get(k, 0.0) for k in {**a, **b}}


def hold_it_mw(
    program: Program, inst: Instance, rows: list[tuple[str, str, float]], *, only: bool
) -> None:
    """Add rows that hold the IT MW of (site_id, period, it_mw); ScenarioError for unknown ids."""
    site = {s: i for i, s in enumerate(inst.sites.ids)}
    period = {p: t for t, p in enumerate(inst.time.names)}
    problems = [
        f"--fix: no candidate has site_id {s!r}"
        for s in sorted({s for s, _, _ in rows} - set(site))
    ]
    problems += [
        f"--fix: {p!r} is not the first day of a period of this scenario"
        for p in sorted({p for _, p, _ in rows} - set(period))
    ]
    if problems:
        raise ScenarioError(problems)
    it = it_at(program, inst)
    asked: dict[tuple[int, int], float] = {(site[s], period[p]): mw for s, p, mw in rows}
    if only:
        named = {i for i, _ in asked}
        every = range(len(inst.sites.ids))
        asked |= {(i, t): 0.0 for i in every if i not in named for t in range(inst.time.n)}
    keys = sorted(asked)
    value = np.array([asked[k] for k in keys])
    row = program.add_rows(
        "fix.it_mw",
        keys={"site": [i for i, _ in keys], "period": [t for _, t in keys]},
        lower=value,
        upper=value,
        unit="IT MW",
        relaxable=True,
    )
    for r, (i, t) in zip(row, keys, strict=True):
        here = it[i, :, :, t]
        program.add_entries(r, here[here >= 0], 1)
