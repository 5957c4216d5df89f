"""A second objective under a cap on cost: right by brute force, and nothing is left behind."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from helpers import tiny, worlds

from sitepick.blocks import GOALS
from sitepick.blocks.columns import open_at
from sitepick.blocks.ledger import NPC_TERMS
from sitepick.planner import Planner
from sitepick.refine import COST_CAP, npc_cost
from sitepick.solve import solve_with
from sitepick.solve.outcome import Limits, is_plan

LIMITS = Limits(gap=1e-6, threads=1)
SEEDS = (3, 6, 21, 24, 30)


def planner_of(seed: int) -> Planner:
    """Return a planner with a term to refine: sites weigh 1, 2, 4, ... by their place."""
    planner = Planner(worlds.prepared(*worlds.world(seed, 4)), LIMITS)
    last = open_at(planner.program, planner.instance)[:, -1]
    planner.program.add_cost(last, 2.0 ** np.arange(len(last)), "weight")
    return planner


@pytest.mark.parametrize("seed", SEEDS)
def test_the_least_term_under_the_cap_is_that_of_the_whole_program_at_once(seed: int) -> None:
    planner = planner_of(seed)
    first, plan = planner.solve(None)
    if first.values is None or plan is None or planner.by_cost is None:
        pytest.skip("a world without a plan")
    cost = npc_cost(planner.program)
    cap = float(cost @ first.values) * 1.03 + 0.5
    out = planner.refine("weight", cap, first.values)
    assert out.values is not None
    assert cost @ out.values <= cap * (1 + 1e-6)
    assert is_plan(planner.program.matrix, out.values)
    weights = planner.program.term_cost("weight")
    assert out.objective == pytest.approx(weights @ out.values)

    again = planner_of(seed)
    again.solve(None)
    row = again.program.add_rows("cap", keys={"n": [0]}, upper=cap)
    at = np.flatnonzero(cost)
    again.program.add_entries(row[0], at, cost[at])
    again.program.minimise(("weight",))
    whole = solve_with("highs", again.program, LIMITS, exact=True)
    assert out.objective == pytest.approx(whole.objective, abs=1e-5)


@pytest.mark.parametrize("objective", ["min_cost", "max_compute", "earliest_mw"])
def test_afterwards_the_program_is_as_before(objective: str) -> None:
    planner = Planner(
        worlds.prepared(tiny.scenario(objective=objective), tiny.candidates()), LIMITS
    )
    planner.program.add_cost(open_at(planner.program, planner.instance)[:, -1], 1.0, "count")
    first, _ = planner.solve(None)
    assert first.values is not None
    before = planner.program.matrix
    npc = float(npc_cost(planner.program) @ first.values)
    goal = GOALS.get(objective)
    of = npc_cost(planner.program) if goal is None else planner.program.term_cost(goal)
    loose = [] if goal is None else [(f"goal.{goal}", of, 0.5 * float(of @ first.values))]
    fewer = planner.refine("count", npc * 1.2, first.values, caps=loose)
    dear = planner.refine("count", npc, first.values)
    assert fewer.objective <= dear.objective
    after = planner.program.matrix
    n = before.A.shape[0]
    assert (after.cost == before.cost).all()
    assert (after.A[:n] != before.A).nnz == 0
    assert (after.row_upper[:n] == before.row_upper).all()
    assert np.isinf(after.row_upper[n:]).all()
    assert np.isinf(after.row_lower[n:]).all()
    assert {"refine.count", COST_CAP} <= set(planner.program.row_families)
    again = solve_with("highs", planner.program, LIMITS, exact=True)
    assert again.objective == pytest.approx(
        sum(float(planner.program.term_cost(t) @ first.values) for t in NPC_TERMS), rel=1e-4
    )


def test_no_plan_under_a_cap_that_is_too_small() -> None:
    planner = planner_of(SEEDS[0])
    first, _ = planner.solve(None)
    assert first.values is not None
    assert planner.by_cost is not None
    out = planner.refine("weight", planner.by_cost.bound * 0.5, None)
    assert (out.status, out.values) == ("infeasible", None)


def test_what_the_term_does_not_count_is_not_wasted() -> None:
    """Under a loose cap every site may stand; only the term's and then money's choice is left."""
    planner = Planner(worlds.prepared(tiny.scenario(), tiny.candidates()), LIMITS)
    last = open_at(planner.program, planner.instance)[:, -1]
    planner.program.add_cost(last[0], 1.0, "first")  # leave A out; say nothing of the others
    out, plan = planner.solve(None)
    assert out.values is not None
    assert plan is not None
    without = planner.refine("first", 10 * abs(out.objective), out.values)
    assert without.values is not None
    assert without.values[last[0]] == 0
    cheapest = Planner(
        worlds.prepared(
            tiny.scenario(),
            tiny.candidates(
                sites=[s for s in tiny.TABLES["sites"] if s["site_id"] != "A"],
                ties=[t for t in tiny.TABLES["ties"] if t["site_id"] != "A"],
                reach=[r for r in tiny.TABLES["reach"] if r["site_id"] != "A"],
                site_regions=[r for r in tiny.TABLES["site_regions"] if r["site_id"] != "A"],
            ),
        ),
        replace(LIMITS),
    ).solve(None)[0]
    assert npc_cost(planner.program) @ without.values == pytest.approx(cheapest.objective, rel=2e-4)
