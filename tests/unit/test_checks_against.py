"""A plan judged by another scenario's limits, on the five buses of helpers/small_grid.py."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers import small_grid, tiny
from helpers.small_grid import grid, plan, scenario
from helpers.tiny import P0, P1, P2

from sitepick.checks import judge_against
from sitepick.checks.against import Overload
from sitepick.errors import LayerError, ScenarioError
from sitepick.finding import Finding
from sitepick.layers.types import Layers
from sitepick.network.types import Grid
from sitepick.pipeline import check_against
from sitepick.run import Prepared
from sitepick.scenario.read import Loaded
from sitepick.scenario.schema import Scenario
from sitepick.solution import LineUpgradeRow, SiteRow, Solution

PLAIN = tiny.plan()


def against(
    made: Solution, asked: Scenario, on: Grid | None = None
) -> tuple[list[Finding], list[Overload]]:
    return judge_against(asked, Layers(), tiny.candidates(), made, on or grid())


def test_what_the_best_dispatch_leaves_with_and_without_the_plan() -> None:
    """RQ of 20 MW may carry 40 after the loss of RP: 50 MW go that way from 2029 on, 32 before.

    With everything in service RQ carries 24 MW then. The circuits to T are 1 MW over, each at its
    worst, with the plan and without.
    """
    found, over = against(PLAIN, scenario(), grid(ratings={"RQ": 20.0}))
    assert [dataclasses.astuple(row) for row in over] == [
        ("peak", P0, 28, pytest.approx(2), 2, 0, pytest.approx(2), 2, 0),
        ("peak", P1, 46, pytest.approx(12), 3, 0, pytest.approx(2), 2, 0),
        ("peak", P2, 46, pytest.approx(12), 3, 0, pytest.approx(2), 2, 0),
    ]
    assert [(f.check, f.where, f.unit) for f in found] == [
        ("deliverability.over", f"condition peak, {p}", "MW") for p in (P1, P2)
    ]
    assert [f.amount for f in found] == pytest.approx([10, 10])
    assert found[0].message == (
        "with the 46 MW of the plan the best dispatch leaves 12 MW over the limits of 3 branches, "
        "without them 2 MW of 2"
    )


def test_the_best_dispatch_is_better_than_any_given_one() -> None:
    """A second plant at Q: nothing needs to go by RQ."""
    plants: dict[str, Any] = {"fuel": ("gas", "gas")}
    found, over = against(PLAIN, scenario(), grid(ratings={"RQ": 20.0}, plants=plants))
    assert found == []
    assert [row.over_mw for row in over] == pytest.approx([2, 2, 2])


def test_load_without_generation() -> None:
    found, over = against(PLAIN, scenario(load_growth_pct_per_year=20), grid())
    assert over[2].unserved_mw == pytest.approx(26 * 1.2 ** (1461 / 365.25) + 46 - 88)
    assert over[2].unserved_before_mw == 0
    short = [f.amount for f in found if f.check == "deliverability.unserved"]
    assert short == pytest.approx([over[1].unserved_mw, over[2].unserved_mw])


def test_what_the_scenario_lets_worsen_is_no_fault() -> None:
    """1 % of the plan at T: 0.18 MW more after the loss of a circuit, on each of the two."""
    slight = {"id": "peak", "credit_pct": {"wind": 20}, "new_load_pct": 1}
    on = grid(poi_bus=np.array([0, 4, 2]))
    found, _ = against(PLAIN, scenario(conditions=[slight]), on)
    assert [f.amount for f in found] == pytest.approx([0.36, 0.36])
    lenient = scenario(conditions=[slight], excuse_margin_mw=0.2)
    assert against(PLAIN, lenient, on)[0] == []


def test_a_plan_with_a_dispatch_is_judged_by_it() -> None:
    found, over = against(plan(), scenario(), grid(ratings={"RQ": 24.0}))
    assert over == []
    assert [(f.check, f.amount) for f in found] == [
        ("deliverability.emergency", pytest.approx(2)),
        ("deliverability.emergency", pytest.approx(2)),
    ]


def test_a_dispatch_for_other_conditions_is_left_out() -> None:
    night = scenario(conditions=[{"id": "night", "load_pct": 50, "credit_pct": {"wind": 20}}])
    found, over = against(plan(), night)
    assert found == []
    assert [row.condition for row in over] == ["night"] * 3
    assert against(plan(), tiny.scenario())[0] == []


def test_an_upgrade_counts_with_the_plan_only() -> None:
    upgrade = {"branch_id": "RQ", "mw": 5, "musd": 10, "lead_months": 24}
    bought = tiny.added(PLAIN, "line_upgrades", LineUpgradeRow("RQ", P0))
    found, over = against(bought, scenario(upgrades=[upgrade]), grid(ratings={"RQ": 20.0}))
    assert found == []
    assert [row.over_mw for row in over] == pytest.approx([2, 2, 2])


def test_other_limits_are_judged_and_costs_are_not() -> None:
    """The plan was never settled: it states no costs, which is nobody's limit."""
    tight = tiny.scenario(power={"max_mw_per_poi": 20})
    found, over = against(PLAIN, tight)
    assert over == []
    assert [(f.check, f.amount) for f in found] == [("headroom.most", 8)] * 3


def _prepared(asked: Scenario) -> Prepared:
    return Prepared(Loaded(asked, None, Path(), "", "", {}), Layers(), tiny.candidates())


def test_other_periods_and_sites_are_refused_both_at_once() -> None:
    other = dataclasses.replace(PLAIN, sites=(*PLAIN.sites, SiteRow("Z", P0)))
    longer = tiny.scenario(periods={"from": "2028", "to": "2031"})
    with pytest.raises(ScenarioError) as refused:
        check_against(_prepared(longer), other)
    assert refused.value.problems == [
        "periods: the plan has 3 from 2028-01-01 to 2030-01-01, the scenario 4 from 2028-01-01 to "
        "2031-01-01; a plan is judged by a scenario of the same periods",
        "sites: the scenario does not propose Z, which the plan has; a plan is judged by a "
        "scenario with the same sites",
    ]


def test_a_grid_that_has_no_solution_is_refused() -> None:
    """Two circuits whose reactances cancel: no flow follows from any load."""
    small = small_grid.grid()
    x = small.x_pu.copy()
    x[small.branch_ids.index("ST2")] = -x[small.branch_ids.index("ST1")]
    with pytest.raises(LayerError, match="grid: not solved"):
        against(PLAIN, scenario(), dataclasses.replace(small, x_pu=x))
