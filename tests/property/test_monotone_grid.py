"""A stronger grid never makes the least cost dearer, one more thing to withstand never cheaper.

With overloads excused this need not hold: what is excused is the least, and where another branch is
at its limit then, a rating more can move the least overloads. Such worlds keep their ratings here.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
from helpers import worlds
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from sitepick.candidates.types import Candidates
from sitepick.errors import LayerError
from sitepick.network.types import Grid
from sitepick.planner import Planner
from sitepick.scenario.grid import study_conditions
from sitepick.scenario.schema import Scenario
from sitepick.solve import solve_with
from sitepick.solve.outcome import Limits

LIMITS = Limits(gap=1e-7, threads=1)
CLOSE = 2e-5
SEEDS = st.integers(0, 400)
SETTINGS = settings(
    max_examples=6, deadline=None, derandomize=True, database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)  # fmt: skip

World = tuple[Scenario, Candidates, Grid]


def made(seed: int) -> World:
    """Return a world of 3 sites on a grid that asks for least cost."""
    scenario, tables = worlds.world(seed, 3)
    assume(scenario.power.model == "grid")
    scenario, grid = worlds.on_grid(seed, scenario, tables)
    return scenario.model_copy(update={"objective": "min_cost"}), tables, grid


@cache
def base(seed: int, *, excuses: bool = True) -> float:
    """Return the cost of a world as it is: what is changed is held against it again."""
    return cost(made(seed), excuses=excuses)


def cost(world: World, *, excuses: bool = True) -> float:
    """Return the least net present cost (inf without a plan).

    Without ``excuses`` a world with overloads that are excused is set aside.
    """
    try:
        prepared = worlds.prepared(*world)
    except LayerError:  # load above generation
        assume(False)
    assert prepared.study is not None
    assume(excuses or not any(case.excuses for case in prepared.study.cases))
    planner = Planner(prepared, LIMITS)
    out = solve_with("highs", planner.program, LIMITS, exact=True, separators=planner.separators)
    return out.objective if out.values is not None else float("inf")


def no_dearer(one: float, other: float) -> bool:
    """Return whether ``one`` costs at most what ``other`` does; inf is no plan at all."""
    return one == other or one <= other + CLOSE * max(1.0, abs(other))


def with_grid(world: World, **values: Any) -> World:
    scenario, tables, grid = world
    assert scenario.grid is not None
    asked = scenario.grid.model_copy(update=values)
    return scenario.model_copy(update={"grid": asked}), tables, grid


def more_rating(world: World) -> World:
    scenario, tables, grid = world
    return scenario, tables, dataclasses.replace(grid, rating_mw=grid.rating_mw * 1.3)


def more_generation(world: World) -> World:
    scenario, tables, grid = world
    plants = dataclasses.replace(grid.plants, pmax_mw=grid.plants.pmax_mw * 1.5)
    return scenario, tables, dataclasses.replace(grid, plants=plants)


def more_credit(world: World) -> World:
    asked = world[0].grid
    assert asked is not None
    rows = [c.model_copy(update={"credit_pct": {}}) for c in study_conditions(asked)]
    return with_grid(world, conditions=rows)


def more_after_an_outage(world: World) -> World:
    assert world[0].grid is not None
    return with_grid(world, emergency_pct=world[0].grid.emergency_pct + 20)


def less_drawn(world: World) -> World:
    asked = world[0].grid
    assert asked is not None
    rows = [
        c.model_copy(update={"new_load_pct": c.new_load_pct / 2}) for c in study_conditions(asked)
    ]
    return with_grid(world, conditions=rows)


def cheaper_upgrades(world: World) -> World:
    asked = world[0].grid
    assert asked is not None
    rows = [u.model_copy(update={"musd": u.musd / 2, "lead_months": 0}) for u in asked.upgrades]
    free = world[0].model_copy(update={"budget_musd": None}), *world[1:]
    return with_grid(free, upgrades=rows)


def no_reserve(world: World) -> World:
    return with_grid(world, adequacy=[])


def no_outages(world: World) -> World:
    assert world[0].grid is not None
    rule = world[0].grid.outages.model_copy(update={"min_kv": None, "ids": []})
    return with_grid(world, outages=rule)


EASIER = (
    more_rating, more_generation, more_credit, more_after_an_outage, less_drawn, cheaper_upgrades,
    no_reserve, no_outages,
)  # fmt: skip


@pytest.mark.parametrize("easier", EASIER, ids=lambda f: f.__name__)
@SETTINGS
@given(seed=SEEDS)
def test_a_stronger_grid_never_costs_more(easier: Callable[[World], World], seed: int) -> None:
    world = made(seed)
    before, after = base(seed, excuses=False), cost(easier(world), excuses=False)
    assert no_dearer(after, before)


@SETTINGS
@given(seed=SEEDS)
def test_one_more_condition_never_costs_less(seed: int) -> None:
    world = made(seed)
    assert world[0].grid is not None
    rows = list(study_conditions(world[0].grid))
    still = rows[0].model_copy(update={"id": "still", "credit_pct": {"wind": 0, "solar": 0}})
    before, after = base(seed), cost(with_grid(world, conditions=[*rows, still]))
    assert no_dearer(before, after)


@SETTINGS
@given(seed=SEEDS)
def test_a_margin_on_what_is_excused_never_costs_more(seed: int) -> None:
    world = made(seed)
    assert world[0].grid is not None
    before = cost(with_grid(world, excuse_margin_mw=0))
    after = cost(with_grid(world, excuse_margin_mw=2))
    assert no_dearer(after, before)
