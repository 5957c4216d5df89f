"""A plan in another future: what is decided by then is held, the rest is decided anew, and judged.

docs/stress.md says what each figure is. Futures are of `sitepick.studies.futures`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date
from typing import Any

from sitepick.actions import UNITS, Decision, actions_of, decisions_due, decisions_of
from sitepick.checks import judge
from sitepick.held import Held, HeldRow, hold_plan
from sitepick.instance.timeline import Timeline, add_months, whole_months
from sitepick.planner import Planner
from sitepick.program import FloatArray
from sitepick.run import Prepared, Run, Shortfall
from sitepick.scenario.assume import STEPS, Assume
from sitepick.scenario.schema import period_starts
from sitepick.shortfall import shortfall_of
from sitepick.solution import Solution
from sitepick.solution_fiber import GroupRow
from sitepick.solve.outcome import Limits
from sitepick.studies.stranded import Idle, paid_by, stranded

HOLDS = ("due", "all", "none")
"""What is held: decisions due within the months asked, all of them, or nothing (for regret)."""
_AFTER = 12 * 100


@dataclass(frozen=True)
class Stressed:
    """A plan's fate in one future, for one of `HOLDS`. ``run`` is None where there is no plan.

    ``lost``: decisions that are held less than asked; ``lacking``: what must be served and is not.
    """

    hold: str
    status: str  # optimal | feasible | infeasible | no_plan
    run: Run | None
    held: int
    lost: tuple[HeldRow, ...] = ()
    idle: tuple[Idle, ...] = ()
    lacking: tuple[Shortfall, ...] = ()


@dataclass(frozen=True)
class Decided:
    """The plan that is held: its decisions, what is due by ``until``, and what they cost."""

    plan: Solution
    every: Mapping[Decision, float]
    due: tuple[Decision, ...]
    until: date
    money: Mapping[Decision, float]

    @classmethod
    def of(cls, prepared: Prepared, plan: Solution, months: int | None) -> Decided:
        """Return the decisions of a plan in the scenario that it was made for."""
        actions = actions_of(prepared.scenario, prepared.candidates, plan)
        as_of = prepared.scenario.as_of
        due = decisions_due(plan, actions, as_of, months)
        until = add_months(as_of, _AFTER if months is None else months)
        return cls(plan, decisions_of(plan), due, until, paid_by(actions))

    def asked(self, hold: str) -> dict[Decision, float]:
        """Return the decisions that are held, with their amounts."""
        return dict(self.every) if hold == "all" else {d: self.every[d] for d in self.due}


def stress(
    prepared: Prepared,
    decided: Decided,
    hold: str,
    limits: Limits,
    *,
    late: Assume | None = None,
    solver: str = "highs",
    start: Solution | None = None,
) -> Stressed:
    """Hold decisions of a plan in another future and decide the rest anew.

    ``prepared`` is that future; ``late`` what it assumes beyond the scenario of the plan (orders
    that come late are held for the day on which they then come). ``start``: another plan of this
    future to begin from.
    """
    planner = Planner(prepared, limits, solver)
    if hold == "none":
        plans = [p for p in (decided.plan, start) if p is not None]
        begin = [*(planner.started_from(p) for p in plans), planner.greedy()[0]]
        return _solved(planner, hold, begin, None, decided.money)
    asked, plan = decided.asked(hold), decided.plan
    gone: list[HeldRow] = []
    money = dict(decided.money)
    if late is not None:
        time = Timeline.of(prepared.scenario)
        asked, plan, money, gone = _delayed(asked, plan, money, late, time)
    until = decided.until
    if hold == "all":
        until = add_months(period_starts(prepared.scenario.periods)[-1], _AFTER)
    weights = {d: 1.0 + x for d, x in money.items()}

    def held_in(one: Planner) -> Held:
        return hold_plan(one, plan, asked, weights=weights, nothing_else_until=until)

    held = held_in(planner)
    held = replace(held, rows=(*held.rows, *gone))
    if held.start is None:
        lacking = shortfall_of(planner, lambda relaxed: held_in(relaxed).start)
        status = "infeasible" if lacking else "no_plan"
        return Stressed(hold, status, None, len(held.rows), held.lost, (), lacking)
    # what holds most says nothing of the rest, which may cost more than it needs to
    begin = [planner.complete(held.start), held.start]
    begin += [planner.started_from(p) for p in (plan, start) if p is not None]
    return _solved(planner, hold, begin, held, money)


def _solved(
    planner: Planner,
    hold: str,
    starts: list[FloatArray | None],
    held: Held | None,
    money: Mapping[Decision, float],
) -> Stressed:
    known = [x for x in starts if x is not None]
    begin = min(known, key=planner.program.matrix.objective, default=None)
    out, plan = planner.solve(begin)
    prepared, rows = planner.prepared, () if held is None else held.rows
    lost = () if held is None else held.lost
    if plan is None:
        lacking = shortfall_of(planner) if out.status == "infeasible" else ()
        status = "infeasible" if out.status == "infeasible" else "no_plan"
        return Stressed(hold, status, None, len(rows), lost, (), lacking)
    grid = None if prepared.study is None else prepared.study.grid
    found = judge(prepared.scenario, prepared.layers, prepared.candidates, plan, grid)
    idle = stranded(prepared, planner.instance, plan, lost, lambda d: money.get(d, 0.0))
    run = Run(prepared, out, plan, tuple(found))
    return Stressed(hold, plan.status, run, len(rows), lost, idle)


def _delayed(
    asked: dict[Decision, float],
    plan: Solution,
    money: dict[Decision, float],
    late: Assume,
    time: Timeline,
) -> tuple[dict[Decision, float], Solution, dict[Decision, float], list[HeldRow]]:
    """Return decisions, plan and money with late orders on the day on which they come.

    Last: what comes after the horizon.
    """

    def moved(period: str, months: float) -> str | None:
        if not months or period not in time.names:
            return period
        day = add_months(date.fromisoformat(period), whole_months(months))
        return next(
            (n for n, s in zip(time.names, time.starts[:-1], strict=True) if s >= day), None
        )

    by_what = {
        "hardware": late.hardware_late_months, "step": late.upgrades_late_months.get(STEPS, 0.0)
    }  # fmt: skip
    lines = tuple(
        replace(row, period=when)
        for row in plan.line_upgrades
        if (when := moved(row.period, late.upgrades_late_months.get(row.branch_id, 0.0)))
    )
    standing = {row.branch_id for row in lines}
    out: dict[Decision, float] = defaultdict(float)
    paid: dict[Decision, float] = defaultdict(float)
    gone = []
    for decision, amount in asked.items():
        to: Decision | None = decision
        if decision.what in by_what:
            when = moved(decision.ids[-1], by_what[decision.what])
            to = None if when is None else Decision(decision.what, (*decision.ids[:-1], when))
        elif decision.what == "line" and decision.ids[0] not in standing:
            to = None
        if to is None:
            unit = UNITS[decision.what]
            gone.append(HeldRow(decision, amount, 0.0, unit, "it comes after the horizon"))
            continue
        out[to] += amount
        paid[to] += money.get(decision, 0.0)
    paid |= {row.decision: money.get(row.decision, 0.0) for row in gone}
    return dict(out), replace(plan, line_upgrades=lines), {**money, **paid}, gone


def record_of(made: Stressed) -> dict[str, Any]:
    """Return what is told of a plan in a future, as plain values: numbers, texts, lists, maps."""
    out: dict[str, Any] = {
        "hold": made.hold,
        "status": made.status,
        "verified": None,
        "held": made.held,
        "lost": [_lost(row) for row in made.lost],
        "lacking": [asdict(row) for row in made.lacking],
        "stranded": [asdict(row) for row in made.idle],
    }
    if made.run is None or made.run.solution is None:
        return out
    return out | plan_record(made.run.solution) | {
        "verified": not made.run.findings,
        "findings": [str(finding) for finding in made.run.findings],
    }  # fmt: skip


def plan_record(plan: Solution) -> dict[str, Any]:
    """Return the figures of a plan that futures are compared by."""
    it = dict.fromkeys(plan.periods, 0.0)
    away = dict.fromkeys(plan.periods, 0.0)
    sites = {row.site_id: 0.0 for row in plan.sites if row.opened is not None}
    for row in plan.it:
        it[row.period] += row.it_mw
        if row.period == plan.periods[-1] and row.site_id in sites:
            sites[row.site_id] += row.it_mw
    for short in plan.turned_away:
        away[short.period] += short.ref_mw
    return {
        "objective": plan.objective,
        "bound": plan.bound,
        "gap": plan.gap,
        "gap_without_penalty": plan.gap_without_penalty,
        "bound_certified": plan.bound_certified,
        "net_present_cost_musd": plan.net_present_cost_musd,
        "penalty_musd": plan.penalty_musd,
        "it_mw": it,
        "turned_away_ref_mw": away,
        "sites": sites,
        "groups": [_group(plan, row) for row in plan.groups],
    }


def _group(plan: Solution, row: GroupRow) -> dict[str, Any]:
    """Return a campus group in a period: what is asked and delivered, by whom, over which links."""
    at = row.group, row.period
    links = [r for r in plan.links if (r.service, r.period) == at and r.route == 1]
    return {
        "group": row.group,
        "period": row.period,
        "demand_ref_mw": row.demand_ref_mw,
        "delivered_ref_mw": row.delivered_ref_mw,
        "turned_away_ref_mw": row.turned_away_ref_mw,
        "members": {r.site_id: r.it_mw for r in plan.members if (r.group, r.period) == at},
        "links": {f"{r.from_node} - {r.to_node}": r.tbps for r in links},
    }


def _lost(row: HeldRow) -> dict[str, Any]:
    return {
        "decision": str(row.decision), "asked": row.asked, "held": row.held, "unit": row.unit,
        "why": row.why,
    }  # fmt: skip
