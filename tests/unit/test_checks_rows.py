"""Rows that cannot be judged are reported and left out; the plan's own claims are checked."""

from __future__ import annotations

import dataclasses
import math
from datetime import date
from types import SimpleNamespace
from typing import Any

import pytest
from helpers import tiny
from helpers.tiny import P0, P1, added, changed

from sitepick.checks import claims, judge
from sitepick.checks.calendar import Calendar, move
from sitepick.finding import Finding
from sitepick.layers.types import Layers
from sitepick.scenario.schema import Scenario
from sitepick.solution import (
    EnterRow,
    GridRow,
    HallRow,
    ItRow,
    OfferRow,
    ServeRow,
    ShortRow,
    SiteRow,
    Solution,
    TieRow,
    UpgradeRow,
    UseRow,
)
from sitepick.solve.outcome import gap_without

RIGHT = tiny.settled(tiny.scenario(), tiny.candidates(), tiny.plan())


def verdict(plan: Solution, asked: Scenario | None = None) -> list[Finding]:
    return judge(asked or tiny.scenario(), Layers(), tiny.candidates(), plan)


UNKNOWN: dict[str, tuple[str, Any]] = {
    "site": ("sites", SiteRow("Z", P0)),
    "opening": ("sites", SiteRow("B", "2028-07-01")),
    "tie": ("ties", TieRow("A", "Q", P0)),
    "poi": ("grid", GridRow("A", "Z", P0, 1.0)),
    "period": ("grid", GridRow("A", "P", "2031-01-01", 1.0)),
    "hall": ("halls", HallRow("A", "igloo", P0, 1, 1, 0, 0)),
    "hardware": ("it", ItRow("A", "std", "abacus", P0, 1.0, 1.0)),
    "workload": ("use", UseRow("A", "old", "chess", P0, 1.0)),
    "place": ("serve", ServeRow("A", "serve", "Z", P0, 1.0)),
    "place of turned away": ("turned_away", ShortRow("serve", "Z", P0, 1.0)),
    "offer": ("offers", OfferRow("O9", "Q", 1.0)),
    "offer of another POI": ("offers", OfferRow("O2", "P", 1.0)),
    "steps not sold": ("upgrades", UpgradeRow("P", P1, 1)),
    "region without rule": ("entered", EnterRow("state", "S1", P0)),
}


@pytest.mark.parametrize("name", UNKNOWN)
def test_unknown_things_are_found(name: str) -> None:
    table, row = UNKNOWN[name]
    found = verdict(added(RIGHT, table, row))
    assert [f.check for f in found] == ["rows.unknown"]
    assert found[0].where.startswith(f"{table}: ")


@pytest.mark.parametrize(
    "table",
    ["sites", "ties", "grid", "halls", "it", "use", "serve", "turned_away", "offers", "cash"],
)
def test_duplicates_are_found(table: str) -> None:
    found = verdict(added(RIGHT, table, getattr(RIGHT, table)[0]))
    assert [f.check for f in found] == ["rows.duplicate"]


@pytest.mark.parametrize("value", [math.nan, math.inf, True])
def test_numbers_must_be_finite(value: Any) -> None:
    found = verdict(added(RIGHT, "offers", OfferRow("O2", "Q", value)))
    assert [f.check for f in found] == ["rows.number"]


def test_negative_numbers_are_measured() -> None:
    found = verdict(added(RIGHT, "turned_away", ShortRow("serve", "X", P0, -2.0)))
    assert [(f.check, f.amount) for f in found] == [("rows.negative", 2.0)]


def test_a_negative_hall_is_no_way_to_save_land() -> None:
    found = verdict(added(RIGHT, "halls", HallRow("A", "liq", P0, -1, 0, 0, 0)))
    assert [(f.check, f.amount) for f in found] == [("rows.negative", 1)]


def test_other_periods_are_found_and_nothing_else_is_judged() -> None:
    found = verdict(dataclasses.replace(RIGHT, periods=(*tiny.PERIODS, "2031-01-01")))
    assert [(f.check, f.amount) for f in found] == [("rows.periods", 1)]


CLAIMS: dict[str, tuple[dict[str, Any], dict[str, float]]] = {
    "objective": (
        {"objective": RIGHT.objective + 1},
        {"claims.objective": 1, "claims.gap": 1.0, "claims.gap_without_penalty": 1.0},
    ),
    "better than the bound": (
        {"bound": RIGHT.objective + 2, "gap": 0.0, "gap_without_penalty": 0.0},
        {"claims.bound": 2},
    ),
    "gap": ({"gap": 0.0}, {"claims.gap": 0.001}),
    "gap without penalty": (
        {"gap_without_penalty": 0.001},
        {"claims.gap_without_penalty": RIGHT.gap_without_penalty - 0.001},
    ),
    "status": ({"status": "infeasible"}, {"claims.status": 1}),
    "no number": ({"objective": math.nan}, {"claims.number": 1}),
}


@pytest.mark.parametrize("name", CLAIMS)
def test_wrong_claims_are_found(name: str) -> None:
    cells, expected = CLAIMS[name]
    found = {f.check: f.amount for f in verdict(dataclasses.replace(RIGHT, **cells))}
    assert found.keys() == expected.keys()
    for check, amount in expected.items():
        if name != "objective" or check == "claims.objective":
            assert found[check] == pytest.approx(amount, rel=1e-6)


def test_gaps_are_of_the_objective_and_of_the_cost_without_penalty() -> None:
    assert RIGHT.gap == pytest.approx(0.001)
    without = RIGHT.objective - RIGHT.penalty_musd
    assert RIGHT.gap_without_penalty == pytest.approx(0.001 * RIGHT.objective / without)


def test_a_plan_that_pays_nothing_but_the_penalty_has_one_gap() -> None:
    assert gap_without(40.0, 100.0, 97.0) == pytest.approx(0.05)
    paid = 100.0 - 1e-7  # what is left of all cost is rounding
    assert gap_without(paid, 100.0, 97.0) == pytest.approx(0.03)
    asked = SimpleNamespace(objective="min_cost")
    for stated, expected in ((0.03, []), (0.5, ["claims.gap_without_penalty"])):
        plan = SimpleNamespace(
            objective=100.0, penalty_musd=paid, bound=97.0, gap=0.03, gap_without_penalty=stated
        )
        found = claims._gaps(SimpleNamespace(solution=plan, scenario=asked))
        assert [f.check for f in found] == expected


@pytest.mark.parametrize(
    ("aim", "value"),
    [
        # work served: 19 + 7.6 in 2028, 40 + 8 later; training counts twice
        ("max_compute", 2 * (19 + 40 + 40) + 7.6 + 8 + 8),
        ("earliest_mw", 28 + 43 + 43),
    ],
)
def test_other_objectives_are_recomputed(aim: str, value: float) -> None:
    works = tiny.SCENARIO["demand"]["workloads"]
    demand = {"workloads": {**works, "train": {**works["train"], "weight": 2}}}
    asked = tiny.scenario(objective=aim, demand=demand)
    plan = tiny.settled(asked, tiny.candidates(), tiny.plan())
    assert plan.objective == pytest.approx(value)
    assert verdict(plan, asked) == []
    low = dataclasses.replace(plan, bound=value - 1, gap=0.0)
    assert [(f.check, f.amount) for f in verdict(low, asked)] == [
        ("claims.bound", pytest.approx(1))
    ]


def test_json_and_back_is_judged_alike() -> None:
    wrong = changed(RIGHT, "it", {"site_id": "A", "period": P1}, it_mw=19.5)
    assert verdict(Solution.from_json(wrong.to_json())) == verdict(wrong) != []


def test_months_move_to_the_end_of_shorter_months() -> None:
    assert move(date(2027, 12, 31), 2) == date(2028, 2, 29)
    assert move(date(2028, 3, 31), -1) == date(2028, 2, 29)
    assert move(date(2026, 1, 1), -1) == date(2025, 12, 1)
    assert move(date(2026, 11, 15), 26) == date(2029, 1, 15)


def test_calendar_of_quarters_and_lives_that_end_within_a_period() -> None:
    asked = tiny.scenario(periods={"from": "2028", "to": "2028-12", "step": "quarter"})
    calendar = Calendar.of(asked)
    assert calendar.periods == ("2028-01-01", "2028-04-01", "2028-07-01", "2028-10-01")
    assert calendar.first_from(date(2028, 4, 2)) == 2
    assert calendar.first_from(date(2029, 1, 1)) == 4
    # a life of 0.4 years from April: one quarter, and 0.15 years of the next
    crf = 0.08 * 1.08**0.4 / (1.08**0.4 - 1)
    wanted = 10 * crf * (0.25 * calendar.discount(1) + 0.15 * calendar.discount(2))
    assert calendar.present_cost(10, 1, 0.4, 0) == pytest.approx(wanted)
    assert calendar.discount(0) == pytest.approx(1.08 ** -(730 / 365.25 + 0.125))


def test_without_discounting_cost_is_straight_line() -> None:
    calendar = Calendar.of(tiny.scenario(money={"discount_rate_pct": 0}))
    assert calendar.annuity(5) == pytest.approx(0.2)
    assert calendar.annuity(None) == 0
    assert calendar.present_cost(100, 1, 5, 24) == pytest.approx(40)
    assert Calendar.of(tiny.scenario()).annuity(5) == pytest.approx(0.2504564546)
