"""More of what is scarce never costs more; order and price year change nothing."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from functools import cache
from typing import Any

import pandas as pd
import pytest
from helpers import worlds
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sitepick.candidates.types import Candidates
from sitepick.planner import Planner
from sitepick.scenario.schema import Scenario
from sitepick.solve.highs import solve_matrix
from sitepick.solve.outcome import Limits

LIMITS = Limits(gap=1e-7, threads=1)
CLOSE = 2e-5
SEEDS = st.integers(0, 400)
SETTINGS = settings(
    max_examples=10, deadline=None, derandomize=True, database=None,
    suppress_health_check=[HealthCheck.too_slow],
)  # fmt: skip

World = tuple[Scenario, Candidates]


def cheap(seed: int) -> World:
    """Return a world of 3 sites that asks for least cost."""
    scenario, tables = worlds.world(seed, 3)
    return scenario.model_copy(update={"objective": "min_cost"}), tables


@cache
def base(seed: int) -> float:
    """Return the least cost of a world as it is: what is changed is held against it again."""
    return cost(cheap(seed))


def cost(world: World) -> float:
    """Return the least net present cost, MUSD; inf without a plan."""
    program = Planner(worlds.prepared(*world), LIMITS).program
    out = solve_matrix(program.matrix, LIMITS)
    return out.objective if out.values is not None else float("inf")


def with_part(world: World, section: str, **values: Any) -> World:
    scenario, tables = world
    part = getattr(scenario, section).model_copy(update=values)
    return scenario.model_copy(update={section: part}), tables


def with_table(world: World, name: str, **columns: Callable[[Any], Any]) -> World:
    scenario, tables = world
    table = getattr(tables, name).copy()
    for column, change in columns.items():
        if len(table):
            table[column] = table[column].map(change)
    return scenario, dataclasses.replace(tables, **{name: table})


def more_headroom(world: World) -> World:
    world = with_table(world, "pois", headroom_mw=lambda mw: mw + 7)
    return with_table(world, "shared_limits", mw=lambda mw: mw + 7)


def more_ties(world: World) -> World:
    world = with_part(world, "power", max_ties=world[0].power.max_ties + 1)
    return with_table(world, "ties", cap_mw=lambda mw: mw + 10)


def more_budget(world: World) -> World:
    budget = world[0].budget_musd
    more = None if budget is None else {y: musd + 20 for y, musd in budget.items()}
    return world[0].model_copy(update={"budget_musd": more}), world[1]


def carried_over(world: World) -> World:
    return world[0].model_copy(update={"budget_carry_over": True}), world[1]


def more_land(world: World) -> World:
    world = with_table(world, "sites", usable_ha=lambda ha: ha + 3, max_it_mw=lambda mw: mw + 5)
    return with_part(world, "candidates", max_it_mw_per_site=None)


def more_supply(world: World) -> World:
    items = {
        name: item.model_copy(update={"cap": {y: units + 9 for y, units in item.cap.items()}})
        for name, item in world[0].procurement.items()
    }
    return world[0].model_copy(update={"procurement": items}), world[1]


def sooner_headroom(world: World) -> World:
    world = with_part(world, "power", wait_years=0, slip_years={}, ramp_years=0)
    world = with_table(world, "queue", years=lambda years: 0.0)
    return with_table(world, "pois", from_date=lambda day: None)


def shorter_queue(world: World) -> World:
    return with_table(world, "queue", years=lambda years: years / 2, over_mw=lambda mw: mw * 2)


def faster_growth(world: World) -> World:
    return with_part(world, "power", ramp_years=0, max_ramp_mw_per_year=None)


def sooner_supply(world: World) -> World:
    """Supplies without lead and without a cap: the year of the order no longer matters."""
    items = {
        name: item.model_copy(update={"lead_months": 0, "cap": {}})
        for name, item in world[0].procurement.items()
    }
    return world[0].model_copy(update={"procurement": items}), world[1]


def without_budget(world: World) -> World:
    """Return the world without a budget: shorter leads also move cash to later years."""
    return world[0].model_copy(update={"budget_musd": None}), world[1]


def sooner_build(world: World) -> World:
    """Half the months to build ties and halls, and to deliver hardware."""
    world = with_part(world, "power", tie_months=world[0].power.tie_months / 2)
    parts: dict[str, Any] = {}
    for name, months in (("halls", "build_months"), ("hardware", "lead_months")):
        listed = getattr(world[0], name)
        if listed != "none":
            parts[name] = [r.model_copy(update={months: getattr(r, months) / 2}) for r in listed]
    return world[0].model_copy(update=parts), world[1]


def fewer_rules(world: World) -> World:
    rules = [
        rule.model_copy(update={"closed_from": None, "closed_to": None, "max_share_pct": None,
                                "min_it_mw": None, "max_grid_mw": None, "entry_musd": 0,
                                "hardware_delay_months": 0, "allowed_hardware": None})
        for rule in world[0].regions.rules
    ]  # fmt: skip
    return with_part(world, "regions", rules=rules, max_entered={})


EASIER = (
    more_headroom, more_ties, more_budget, carried_over, more_land, more_supply, sooner_headroom,
    sooner_supply, shorter_queue, faster_growth, fewer_rules,
)  # fmt: skip


@pytest.mark.parametrize("easier", EASIER, ids=lambda f: f.__name__)
@SETTINGS
@given(seed=SEEDS)
def test_more_never_costs_more(easier: Callable[[World], World], seed: int) -> None:
    before, after = base(seed), cost(easier(cheap(seed)))
    assert after <= before + CLOSE * max(1.0, abs(before))


@SETTINGS
@given(seed=SEEDS)
def test_shorter_leads_never_cost_more(seed: int) -> None:
    world = without_budget(cheap(seed))
    before, after = cost(world), cost(sooner_build(world))
    assert after <= before + CLOSE * max(1.0, abs(before))


@SETTINGS
@given(seed=SEEDS, shuffle=st.integers(0, 9))
def test_the_order_of_rows_changes_nothing(seed: int, shuffle: int) -> None:
    scenario, tables = cheap(seed)
    # sites and POIs are sorted by id, and fiber has a node for each place in their order
    by_contract = {"sites", "pois"} if tables.fiber is None else {"sites", "pois", "places"}
    mixed = {
        field.name: part.sample(frac=1, random_state=shuffle).reset_index(drop=True)
        for field in dataclasses.fields(tables)
        if isinstance(part := getattr(tables, field.name), pd.DataFrame)
        and field.name not in by_contract
    }
    again = dataclasses.replace(tables, **mixed)
    assert cost((scenario, again)) == pytest.approx(base(seed), rel=CLOSE, abs=1e-4)


@SETTINGS
@given(seed=SEEDS)
def test_the_price_year_of_rows_is_only_a_unit(seed: int) -> None:
    """Rows restated in money of 2020 say the same."""
    scenario, tables = cheap(seed)
    again = scenario
    for name in ("halls", "hardware"):
        listed = getattr(scenario, name)
        if listed == "none":
            continue
        restated = []
        for row in listed:
            now = row.price_year or scenario.money.price_year
            by = (1 + scenario.money.inflation_pct / 100) ** (2020 - now)
            money = {key: getattr(row, key) * by for key in ("capex_musd_per_mw",
                     "om_musd_per_mw_year") if hasattr(row, key)}  # fmt: skip
            restated.append(row.model_copy(update={"price_year": 2020, **money}))
        again = again.model_copy(update={name: restated})
    assert cost((again, tables)) == pytest.approx(cost((scenario, tables)), rel=CLOSE, abs=1e-4)
