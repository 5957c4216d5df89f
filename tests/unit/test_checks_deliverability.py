"""The grid's own check: a right plan passes, every wrong one is caught with its amount.

Flows and amounts follow by hand from the five buses of helpers/small_grid.py.
"""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from datetime import date

import numpy as np
import pytest
from helpers import tiny
from helpers.small_grid import EXCUSED, grid, judged, plan, scenario, tie
from helpers.tiny import P0, P1, P2, added, changed, dropped

from sitepick.checks import judge
from sitepick.checks.case import Case as Judged
from sitepick.checks.states import conditions_of, new_load
from sitepick.instance import assemble
from sitepick.layers.types import Layers
from sitepick.network.types import Grid
from sitepick.scenario.schema import Scenario
from sitepick.solution import DispatchRow, ExcusedRow, LineUpgradeRow, NonfirmRow, Solution

PLAN = plan()
UPGRADE = {"branch_id": "RQ", "mw": 5, "musd": 10, "lead_months": 24}
BOUGHT = added(PLAN, "line_upgrades", LineUpgradeRow("RQ", P0))
SLIGHTLY = {"id": "peak", "credit_pct": {"wind": 20}, "new_load_pct": 100 / 45}
Q_AT_T = np.array([0, 4, 2])
SLIGHT = plan(G=(18 + 28 / 45, 18 + 46 / 45, 18 + 46 / 45))
"""A 45th of the new load: 0.4 MW at T, which worsens its excuses by 0.2 MW, 0.4 after an outage."""
ADEQUATE = {"reserve_margin_pct": 10, "import_mw": 0.8}
"""72 MW drawn from 2029 on and 10 % ask for 79.2; 80 MW gas and 8 of wind are there."""

Case = tuple[Solution, Scenario, Grid]
RIGHT: dict[str, Case] = {
    "as it is": (PLAN, scenario(), grid()),
    "to the last MW": (PLAN, scenario(), grid(plants={"pmax_mw": np.array([64.0, 40.0])})),
    "a tie imports": (
        plan(G=(45.0, 63.0, 63.0), D=(1.0, 1.0, 1.0)),
        scenario(conditions=[{"id": "peak", "credit_pct": {"wind": 20}, "dc_tie_pct": 50}]),
        grid(dc_ties=tie(-2.0, 2.0)),
    ),
    "a tie within the grid": (
        plan(D=(4.0, 4.0, 4.0)),
        scenario(conditions=[{"id": "peak", "credit_pct": {"wind": 20}, "dc_tie_pct": 100}]),
        grid(dc_ties=tie(0.0, 4.0, "Q", "R")),
    ),
    "an upgrade": (
        BOUGHT, scenario(upgrades=[UPGRADE]), grid(ratings={"RQ": 20.0, "QP": 14.0}),
    ),
    "half of the new load": (
        plan(G=(32.0, 41.0, 41.0)),
        scenario(conditions=[{"id": "peak", "credit_pct": {"wind": 20}, "new_load_pct": 50}]),
        grid(ratings={"RP": 14.0, "RQ": 13.5, "QP": 7.0}),
    ),
    "no outages": (
        plan(excused={("ST1", "base"): 0.5, ("ST2", "base"): 0.5}),
        scenario(outages={"min_kv": None}),
        grid(ratings={"RQ": 24.0, "QP": 8.0}),
    ),
    "an excuse worsened within the margin": (
        SLIGHT, scenario(conditions=[SLIGHTLY], excuse_margin_mw=0.4), grid(poi_bus=Q_AT_T),
    ),
    "a zone that lacks its margin without the plan": (
        PLAN, scenario(adequacy={"zone": "east", "reserve_margin_pct": 900}),
        grid(zone=("west", "west", "east", "east", "east")),
    ),
    "adequate": (PLAN, scenario(adequacy={**ADEQUATE}), grid()),
}  # fmt: skip


@pytest.mark.parametrize("name", RIGHT)
def test_a_right_plan_passes(name: str) -> None:
    made, asked, on = RIGHT[name]
    assert judged(made, asked, on) == []


# name: (plan, scenario, grid, {check: amounts in order})
Wrong = tuple[Solution, Scenario, Grid, dict[str, list[float]]]
FIVE_MORE = {**EXCUSED, ("RQ", "RP"): 5.0}
WRONG: dict[str, Wrong] = {
    "no dispatch in a period": (
        dropped(PLAN, "dispatch", period=P1), scenario(), grid(), {"deliverability.dispatch": [46]},
    ),
    "a unit above its credit": (
        plan(G=(46.0, 63.0, 64.0), W=(8.0, 9.0, 8.0)), scenario(), grid(),
        {"deliverability.unit": [1]},
    ),
    "a unit draws": (
        plan(G=(46.0, 64.0, 64.0), X=(8.5, 0, 0), W=(-0.5, 8.0, 8.0)), scenario(),
        grid(plants={
            "ids": ("G", "W", "X"), "bus": np.array([2, 1, 1]), "fuel": ("gas", "wind", "gas"),
            "pmax_mw": np.array([80.0, 40, 9]), "in_service": np.array([True] * 3),
            "from_date": (None,) * 3, "to_date": (None,) * 3,
            **dict.fromkeys(("pmin_mw", "pg_mw", "cost_usd_h", "cost_usd_mwh", "cost_usd_mw2h"),
                            np.zeros(3)),
        }),
        {"deliverability.unit": [0.5]},
    ),
    "a unit out of service": (
        PLAN, scenario(), grid(plants={"in_service": np.array([True, False])}),
        {"deliverability.unit": [8, 8, 8]},
    ),
    "a unit not yet there": (
        PLAN, scenario(), grid(plants={"from_date": (None, date(2029, 6, 1))}),
        {"deliverability.unit": [8, 8]},
    ),
    "a retired unit": (
        PLAN, scenario(), grid(plants={"to_date": (None, date(2030, 1, 1))}),
        {"deliverability.unit": [8]},
    ),
    "a tie beyond its share": (
        plan(G=(45.0, 63.0, 63.0), D=(1.0, 1.0, 1.0)),
        scenario(conditions=[{"id": "peak", "credit_pct": {"wind": 20}, "dc_tie_pct": 40}]),
        grid(dc_ties=tie(-2.0, 2.0)), {"deliverability.unit": [0.2, 0.2, 0.2]},
    ),
    "too little dispatched": (
        plan(G=(46.0, 63.5, 64.0)), scenario(), grid(), {"deliverability.balance": [0.5]},
    ),
    "load that grows": (
        PLAN, scenario(load_growth_pct_per_year=2, outages={"min_kv": None}),
        grid(ratings=dict.fromkeys(("ST1", "ST2", "RP", "RQ", "QP"), np.inf)),
        {
            "deliverability.balance": [26 * (1.02 ** (d / 365.25) - 1) for d in (730, 1096, 1461)],
            "deliverability.excused": [3, 3, 3],
        },
    ),
    "over a rating": (
        PLAN, scenario(), grid(ratings={"RP": 25.0}), {"deliverability.normal": [1, 1]},
    ),
    "over after an outage": (
        PLAN, scenario(), grid(ratings={"RQ": 24.0}), {"deliverability.emergency": [2, 2]},
    ),
    "an outage of a transformer": (
        PLAN, scenario(outages={"transformers": True}),
        grid(ratings={"RQ": 24.0}, is_line=np.array([False, True, True, True, True, True])),
        {"deliverability.emergency": [2, 2]},
    ),
    "an outage by its id": (
        PLAN, scenario(outages={"min_kv": None, "ids": ["RP", "ST1", "ST2"]}),
        grid(ratings={"RQ": 24.0}), {"deliverability.emergency": [2, 2]},
    ),
    "an excuse left out": (
        dropped(PLAN, "excused", branch_id="ST1", outage_id="ST2", period=P2), scenario(), grid(),
        {"deliverability.emergency": [1], "deliverability.excused": [1]},
    ),
    "an excuse too small": (
        changed(PLAN, "excused", {"branch_id": "ST2", "outage_id": "base"}, mw=0.2),
        scenario(), grid(),
        {"deliverability.normal": [0.3] * 3, "deliverability.excused": [0.3]},
    ),
    "an excuse too many": (
        plan(excused=FIVE_MORE), scenario(), grid(ratings={"RQ": 22.5}),
        {"deliverability.normal": [1.5, 1.5], "deliverability.excused": [5]},
    ),
    "an excuse worsened beyond the margin": (
        SLIGHT, scenario(conditions=[SLIGHTLY], excuse_margin_mw=0.3), grid(poi_bus=Q_AT_T),
        {"deliverability.emergency": [0.1] * 4},
    ),
    "excuses where none are": (
        PLAN, scenario(excuse="none"), grid(), {"deliverability.excused": [1, 0.5] * 6},
    ),
    "an upgrade not on offer": (
        BOUGHT, scenario(), grid(), {"deliverability.upgrade": [1]},
    ),
    "an upgrade too early": (
        BOUGHT, scenario(upgrades=[{**UPGRADE, "lead_months": 36}]), grid(),
        {"deliverability.early": [366]},
    ),
    "an upgrade too small": (
        BOUGHT, scenario(upgrades=[UPGRADE]), grid(ratings={"RQ": 18.0}),
        {"deliverability.normal": [1, 1], "deliverability.emergency": [4, 4]},
    ),
    "an upgrade after it is needed": (
        added(PLAN, "line_upgrades", LineUpgradeRow("RQ", P2)), scenario(upgrades=[UPGRADE]),
        grid(ratings={"RQ": 20.0}),
        {"deliverability.normal": [4], "deliverability.emergency": [10]},
    ),
    "a reserve that is not there": (
        PLAN, scenario(adequacy={"reserve_margin_pct": 25}), grid(),
        {"deliverability.adequacy": [2, 2]},
    ),
    "a reserve that lacks before any new load": (
        PLAN, scenario(adequacy={"reserve_margin_pct": 300}), grid(),
        {"deliverability.adequacy": [4 * 28, 4 * 46, 4 * 46]},
    ),
    "a zone that imports too little": (
        PLAN, scenario(adequacy={"zone": "west", "reserve_margin_pct": 10, "import_mw": 20}),
        grid(zone=("west", "west", "east", "east", "east")),
        {"deliverability.adequacy": [1.1 * 40 - 28, 1.1 * 58 - 28, 1.1 * 58 - 28]},
    ),
    "a POI that is at no bus": (
        PLAN, scenario(), grid(poi_ids=("P", "R"), poi_bus=np.array([0, 2])),
        {"deliverability.poi": [18], "deliverability.balance": [18, 18]},
    ),
    "a unit that nobody knows": (
        added(PLAN, "dispatch", DispatchRow("peak", P0, "Z", 1.0)), scenario(), grid(),
        {"rows.unknown": [1]},
    ),
    "a condition that nobody knows": (
        added(PLAN, "excused", ExcusedRow("night", P0, "RP", "base", 1.0)), scenario(), grid(),
        {"rows.unknown": [1]},
    ),
    "a unit twice": (
        added(PLAN, "dispatch", DispatchRow("peak", P0, "G", 46.0)), scenario(), grid(),
        {"rows.duplicate": [1]},
    ),
    "an upgrade bought twice": (
        added(BOUGHT, "line_upgrades", LineUpgradeRow("RQ", P0)), scenario(upgrades=[UPGRADE]),
        grid(), {"rows.duplicate": [1]},
    ),
    "a negative excuse": (
        added(PLAN, "excused", ExcusedRow("peak", P0, "RP", "base", -2.0)), scenario(), grid(),
        {"rows.negative": [2]},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_plan_is_caught_with_its_amount(name: str) -> None:
    made, asked, on, expected = WRONG[name]
    found: dict[str, list[float]] = defaultdict(list)
    for finding in judged(made, asked, on):
        found[finding.check].append(finding.amount)
    assert {k: pytest.approx(v, abs=1e-6) for k, v in expected.items()} == found


def test_the_scenario_has_a_grid_and_the_check_has_none() -> None:
    asked, places = scenario(), tiny.candidates()
    found = judge(asked, Layers(), places, tiny.settled(asked, places, PLAN))
    assert [f.check for f in found] == ["deliverability.grid"]


def test_a_dispatch_where_there_is_no_grid_is_unknown() -> None:
    found = tiny.judged(dropped(PLAN, "excused", period=P0))
    assert [f.check for f in found] == ["rows.unknown"] * (6 + 8)


def test_without_a_plan_on_the_grid_nothing_is_asked_of_it() -> None:
    empty = dataclasses.replace(PLAN, dispatch=(), excused=(), grid=())
    found = judged(empty)
    assert found
    assert not [f for f in found if f.check.startswith("deliverability")]


def test_an_upgrade_is_paid() -> None:
    asked, places = scenario(upgrades=[UPGRADE]), tiny.candidates()
    free = tiny.settled(asked, places, PLAN)
    paid = tiny.settled(asked, places, BOUGHT)
    per_year = {r.year: r.musd for r in paid.cash if r.category == "upgrades"}
    assert per_year == {2026: pytest.approx(5), 2027: pytest.approx(5)}
    assert not [r for r in free.cash if r.category == "upgrades"]
    unpaid = dataclasses.replace(free, line_upgrades=BOUGHT.line_upgrades)
    found = {f.check: f.amount for f in judge(asked, Layers(), places, unpaid, grid())}
    assert found["cash"] == pytest.approx(5)
    assert found["costs.upgrades"] == pytest.approx(paid.npc_musd["upgrades"])


def test_messages_name_the_branch_the_outage_and_the_state() -> None:
    found = judged(PLAN, on=grid(ratings={"RQ": 24.0}))
    assert str(found[0]) == (
        "deliverability.emergency: it carries 50 MW of 48 "
        "(branch RQ after losing RP, condition peak, 2029-01-01, 2 MW)"
    )
    found = judged(PLAN, on=grid(ratings={"RQ": 10.5, "RP": 40.0, "QP": 40.0}))
    worst = [f for f in found if "branch RQ after losing RP, condition peak, 2029" in f.where]
    assert "4 outages overload it" in worst[0].message


def test_what_may_be_curtailed_is_not_drawn() -> None:
    part = NonfirmRow("A", "P", "area:north", P0, 8.0)
    case = Judged(scenario(), tiny.candidates(), added(PLAN, "nonfirm", part), network=grid())
    peak = conditions_of(case)["peak"]
    assert new_load(case, grid(), peak, 0).tolist() == [20, 0, 0, 0, 0]
    assert new_load(case, grid(), peak, 1).tolist() == [28, 18, 0, 0, 0]


def test_one_line_for_many_branches() -> None:
    """25 circuits to T over their rating: the 20 worst by name, the others as one sum."""
    small = grid()
    more = [*range(small.n_branch), *[small.branch_ids.index("ST1")] * 25]
    many = dataclasses.replace(
        small.take_branches(np.array(more)),
        branch_ids=(*small.branch_ids, *(f"X{k:02}" for k in range(25))),
        rating_mw=np.concatenate([small.rating_mw[:4], [9, 9], 0.25 - 0.01 * np.arange(25)]),
    )
    found = judged(plan(excused={}), scenario(outages={"min_kv": None}), many)
    each = 14 / 27
    assert len(found) == 3 * 21
    assert found[0].where == "branch X24, condition peak, 2028-01-01"
    assert found[0].amount == pytest.approx(each - 0.01)
    assert found[20].message == "5 more branches are over their limits, all at their worst"
    assert found[20].amount == pytest.approx(sum(each - 0.25 + 0.01 * k for k in range(5)))


def test_model_and_check_count_plants_for_a_reserve_and_ties_as_import_mw() -> None:
    """A tie of 50 MW helps dispatch, not the margin: 88 + 0 - 1.1 x 26 MW are left to the plan."""
    condition = {"id": "peak", "credit_pct": {"wind": 20}, "dc_tie_pct": 100}
    asked = scenario(conditions=[condition], adequacy={"reserve_margin_pct": 10})
    on = grid(dc_ties=tie(0.0, 50.0))
    places = tiny.candidates()
    joint = assemble(asked, places, on).joint
    assert joint is not None
    assert joint.adequacy[0].room_mw == pytest.approx([88 - 1.1 * 26] * 3)
    much = scenario(conditions=[condition], adequacy={"reserve_margin_pct": 30})
    found = [f.amount for f in judged(PLAN, much, on)]
    assert found == pytest.approx([1.3 * 72 - 88] * 2)


def test_contracted_mw_that_no_it_draws_are_caught() -> None:
    more = changed(PLAN, "grid", {"site_id": "A", "period": P1}, grid_mw=33.0)
    found = {f.check: f for f in judged(more, scenario(), grid())}
    assert found["deliverability.drawn"].amount == pytest.approx(5)  # 20 IT MW x 1.4 draw 28
    assert found["deliverability.drawn"].where.startswith("site A")
