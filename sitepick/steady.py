"""Re-planning without reshuffling: of the plans within the gap, the one closest to an earlier one.

The first solve proves a bound. If the earlier plan, with its own decisions, stays within the asked
gap of it, it is kept. Otherwise a second solve minimises change (`sitepick.blocks.change`) among
the plans that are no worse than the best one found, or than the asked gap allows, and that turn no
more work away than the best one found.
"""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np

from sitepick.blocks import GOALS
from sitepick.blocks.change import CHANGE, settled_mw_years
from sitepick.blocks.ledger import NPC_TERMS
from sitepick.matrix import FloatArray
from sitepick.planner import Planner
from sitepick.refine import COST_CAP, Cap, capped, npc_cost
from sitepick.run import Steady
from sitepick.solution import Solution
from sitepick.solve.highs import target_for
from sitepick.solve.outcome import Outcome, gap_between
from sitepick.starts import start_values

KEPT_MW_YEARS = 0.05
"""A plan that moves no more than this is the earlier one."""
GAP = 5e-4
"""Asked gap of the second solve, relative to the earlier plan's MW-years."""
PAID_CAP = "refine.paid"
WORK_CAP = "refine.work"
INNER = 0.98
"""Share of the asked gap that the second solve may use: rows are kept to a tolerance only."""


def steadied(
    planner: Planner, first: Outcome, earlier: Solution
) -> tuple[Outcome, Solution | None, Steady]:
    """Return the plan within the gap that changes least of ``earlier``, after `Planner.solve`.

    ``first`` is what that returned; bound and certificate stay, what the plan comes to is restated.
    """
    assert planner.by_cost is not None
    assert planner.by_cost.values is not None
    began = time.perf_counter()
    program, best = planner.program, planner.by_cost.values
    weights, settled = program.term_cost(CHANGE), settled_mw_years(planner.instance)
    caps = _caps(planner, first)
    with capped(program, caps):
        old = _closest(planner, start_values(program, planner.instance, earlier))
    kept = old is not None and float(weights @ old) + settled <= KEPT_MW_YEARS
    bound = 0.0
    values = old
    (_, _, cap_musd), *others = caps
    if not kept:
        # moving less is no reason to turn work away
        most = float(planner.penalty @ best)
        others.append((WORK_CAP, planner.penalty, most))
        plans = [best]
        if old is not None and float(planner.penalty @ old) <= most:
            plans.append(old)
        start = min(plans, key=lambda x: float(weights @ x))
        values = start
    stopped = planner.stop is not None and planner.stop.is_set()
    if not kept and not stopped:
        room = replace(planner.room_for_more(), gap=GAP)
        out = planner.refine(CHANGE, cap_musd, start, caps=others, limits=room)
        values = start if out.values is None else out.values
        bound = out.bound + settled
    assert values is not None
    outcome, plan = _restated(planner, first, values)
    seconds = time.perf_counter() - began
    change = max(0.0, float(weights @ values) + settled)
    return outcome, plan, Steady(kept, change, min(change, max(0.0, bound)), seconds)


def _restated(
    planner: Planner, first: Outcome, values: FloatArray
) -> tuple[Outcome, Solution | None]:
    """Return another plan (n,) under what was proven: what it comes to, and its gaps."""
    last = planner.by_cost
    assert last is not None
    cost = float(npc_cost(planner.program) @ values)
    goal = GOALS.get(planner.prepared.scenario.objective)
    value = cost if goal is None else float(planner.program.term_cost(goal) @ values)
    asked = planner.limits.gap
    if goal is None:  # it holds without the price of turned-away work too
        asked *= min(1.0, abs(cost - float(planner.penalty @ values)) / max(abs(cost), 1e-9))
    asked = max(asked, 1e-9)
    gap = gap_between(value, first.bound)
    first = replace(
        first,
        status="optimal" if gap <= asked else "feasible",
        values=values,
        objective=value,
        gap=gap,
        bound_certified=gap_between(value, first.certified_bound) <= asked,
    )
    last = replace(last, values=values, objective=cost, gap=gap_between(cost, last.bound))
    return first, planner.solution_of(first, last)


def _closest(planner: Planner, decisions: FloatArray) -> FloatArray | None:
    """Return the plan of these decisions that changes least and then costs least, if any."""
    program = planner.program
    weights = program.term_cost(CHANGE)
    program.minimise((CHANGE,))
    try:
        near = planner.complete(decisions)
        if near is None:
            return None
        with capped(program, [(f"refine.{CHANGE}", weights, float(weights @ near))]):
            program.minimise(NPC_TERMS)
            cheap = planner.complete(near)
        return near if cheap is None else cheap
    finally:
        program.minimise(NPC_TERMS)


def _caps(planner: Planner, first: Outcome) -> list[Cap]:
    """Return what the plan may come to: cost, cost without penalty, and the goal before cost."""
    last, gap = planner.by_cost, INNER * planner.limits.gap
    assert last is not None
    assert last.values is not None
    cost = npc_cost(planner.program)
    caps = [(COST_CAP, cost, max(float(cost @ last.values), target_for(last.bound, gap)))]
    if planner.penalty.any():
        # cost - bound <= gap * (cost - penalty)
        paid = (1 - gap) * cost + gap * planner.penalty
        caps.append((PAID_CAP, paid, max(float(paid @ last.values), last.bound)))
    goal = GOALS.get(planner.prepared.scenario.objective)
    if goal is not None:
        of = planner.program.term_cost(goal)
        most = max(float(of @ last.values), target_for(first.bound, gap))
        caps.append((f"goal.{goal}", of, most))
    return [(name, np.asarray(row, dtype=float), upper) for name, row, upper in caps]
