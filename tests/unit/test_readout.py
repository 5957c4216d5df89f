"""A plan read out of values, and put back as a start, is the same plan."""

from __future__ import annotations

import numpy as np
import pytest
from helpers import worlds

from sitepick.planner import Planner
from sitepick.solution import Solution
from sitepick.solve.outcome import Limits
from sitepick.starts import start_values

LIMITS = Limits(gap=1e-6, threads=1)
SEEDS = (0, 2, 3, 9, 13, 21, 30, 42)


def planned(seed: int) -> tuple[Planner, Solution | None]:
    planner = Planner(worlds.prepared(*worlds.world(seed, 4)), LIMITS)
    return planner, planner.solve(None)[1]


@pytest.mark.parametrize("seed", SEEDS)
def test_a_plan_put_back_as_a_start_costs_the_same(seed: int) -> None:
    planner, plan = planned(seed)
    if plan is None or plan.objective_name != "net_present_cost_musd":
        assert plan is None or planner.started_from(plan) is not None
        return
    again = planner.started_from(plan)
    assert again is not None
    assert planner.program.matrix.cost @ again <= plan.objective + 1e-4 * abs(plan.objective)
    x = start_values(planner.program, planner.instance, plan)
    whole = planner.program.matrix.integer
    assert (x[whole] == np.round(x[whole])).all()


def test_some_of_these_worlds_have_a_plan() -> None:
    assert sum(planned(seed)[1] is not None for seed in SEEDS) >= len(SEEDS) // 2


@pytest.mark.parametrize("seed", SEEDS)
def test_costs_and_rows_of_a_plan_are_told_once(seed: int) -> None:
    _, plan = planned(seed)
    if plan is None:
        return
    for rows, keys in (
        (plan.sites, ("site_id",)),
        (plan.ties, ("site_id", "poi_id")),
        (plan.grid, ("site_id", "poi_id", "period")),
        (plan.it, ("site_id", "hall", "hardware", "period")),
        (plan.serve, ("site_id", "workload", "place_id", "period")),
        (plan.cash, ("year", "category")),
    ):
        told = [tuple(getattr(row, key) for key in keys) for row in rows]
        assert len(told) == len(set(told))
    if plan.objective_name == "net_present_cost_musd":
        assert sum(plan.npc_musd.values()) == pytest.approx(plan.objective, rel=1e-6, abs=1e-4)


def test_what_the_program_does_not_know_is_left_out_of_a_start() -> None:
    other = next(plan for s in SEEDS if (plan := planned(s)[1]) is not None)
    planner = Planner(worlds.prepared(*worlds.world(SEEDS[-1], 3)), LIMITS)
    x = start_values(planner.program, planner.instance, other)
    matrix = planner.program.matrix
    assert ((x >= matrix.lower) & (x <= matrix.upper)).all()
