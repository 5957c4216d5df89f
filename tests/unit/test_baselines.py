"""The greedy's plan is a plan of the same program, and never better than the optimum."""

from __future__ import annotations

import numpy as np
import pytest
from helpers import worlds

from sitepick.baselines import greedy
from sitepick.planner import Planner
from sitepick.solve import solve_with
from sitepick.solve.outcome import Limits, is_plan

LIMITS = Limits(gap=1e-6, threads=1)
SEEDS = range(200, 216)


def planner_of(seed: int) -> Planner:
    scenario, tables = worlds.world(seed, 5)
    asked = scenario.model_copy(update={"objective": "min_cost"})
    return Planner(worlds.prepared(asked, tables), LIMITS)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_greedy_is_a_plan_and_not_better_than_the_optimum(seed: int) -> None:
    planner = planner_of(seed)
    values, row = planner.greedy()
    assert (values is None) == (row is None)
    if values is None or row is None:
        return
    assert is_plan(planner.program.matrix, values)
    best = solve_with("highs", planner.program, LIMITS, exact=True)
    cost = planner.program.matrix.cost @ values
    assert cost >= best.objective - 1e-4 * max(1.0, abs(best.objective))
    assert row.net_present_cost_musd + row.penalty_musd == pytest.approx(cost, rel=1e-9, abs=1e-6)


def test_the_greedy_finds_plans_in_some_worlds() -> None:
    assert sum(planner_of(s).greedy()[0] is not None for s in SEEDS) >= 3


def test_asked_for_less_it_opens_no_more() -> None:
    planner = planner_of(SEEDS[0])
    level = planner.program.column_families["siting.open"].indices
    many, few = (greedy(planner.program, planner.instance, share)[level] for share in (1.0, 0.05))
    assert few.sum() <= many.sum()
    assert np.isin(many, (0, 1)).all()
