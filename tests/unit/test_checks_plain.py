"""Plain facility location: no grid, no hall classes, no hardware; the same check judges it."""

from __future__ import annotations

from typing import Any

import pytest
from helpers import tiny
from helpers.tiny import P0, P1, P2, PERIODS, added, changed, dropped

from sitepick.checks import costs
from sitepick.checks.case import Case
from sitepick.solution import GridRow, ItRow, ServeRow, SiteRow, Solution, UseRow

SCENARIO: dict[str, Any] = {
    "as_of": "2028-01-01",
    "candidates": {"site_fixed_musd": 0, "site_om_musd_per_year": 0, "site_life_years": 30},
    "power": {"model": "none", "max_ties": 1},
    "demand": {"workloads": {"it": {"must_serve": True}}},
    "halls": "none",
    "hardware": "none",
    "existing": [],
}
TABLES: dict[str, Any] = {
    "sites": [
        tiny.site("A", fixed_musd=10.0, max_it_mw=6.0),
        tiny.site("B", fixed_musd=20.0, max_it_mw=9.0),
    ],
    "pois": [],
    "ties": [],
    "offers": [],
    "places": tiny.rows(
        ("X", "X", tiny.NAN, tiny.NAN, 1.0, 2.0), ("Y", "Y", tiny.NAN, tiny.NAN, 1.0, 4.0),
        of="places",
    ),
    "reach": tiny.rows(
        ("A", "X", tiny.NAN, tiny.NAN, 1.5), ("A", "Y", tiny.NAN, tiny.NAN, 0.5),
        ("B", "X", tiny.NAN, tiny.NAN, 3.0), ("B", "Y", tiny.NAN, tiny.NAN, 2.0),
        of="reach",
    ),
    "site_regions": tiny.rows(("A", "state", "S1"), of="site_regions"),
    "regions": [],
}  # fmt: skip


def base() -> Solution:
    """Return a right plan: A serves 2 for X and 4 for Y from the start."""
    return Solution(
        scenario="plain", periods=PERIODS, status="optimal", objective_name="net_present_cost",
        objective=0.0, bound=0.0, gap=0.0, gap_without_penalty=0.0, bound_certified=True,
        sites=(SiteRow("A", P0),),
        it=tuple(ItRow("A", "none", "it", p, 6.0, 0.0) for p in PERIODS),
        serve=tuple(
            ServeRow("A", "it", place, p, mw) for place, mw in (("X", 2.0), ("Y", 4.0))
            for p in PERIODS
        ),
    )  # fmt: skip


PLAN = base()


def judged(plan: Solution, **asked: Any) -> list[tuple[str, float]]:
    found = tiny.judged(plan, tiny.scenario(**{**SCENARIO, **asked}), tiny.candidates(**TABLES))
    return [(f.check, pytest.approx(f.amount)) for f in found]


def test_a_right_plan_costs_its_fixed_works_and_its_transport() -> None:
    assert judged(PLAN) == []
    case = Case(tiny.scenario(**SCENARIO), tiny.candidates(**TABLES), PLAN)
    found = {name: musd for name, musd in costs.terms(case).items() if musd}
    d = [1.08 ** -(days / 365.25 + 0.5) for days in (0, 366, 731)]
    # no lead time without a grid; 30 years: 0.0888274334 of 10 MUSD a year
    assert found == pytest.approx(
        {"site": 0.08882743338727227 * 10 * sum(d), "transport": (2 * 1.5 + 4 * 0.5) * sum(d)}
    )


def test_capacity() -> None:
    plan = changed(PLAN, "it", {"period": P2}, it_mw=7.0)
    assert judged(plan) == [("siting.max", 1)]


def test_unserved() -> None:
    plan = dropped(PLAN, "serve", place_id="X", period=P1)
    assert judged(plan) == [("demand.balance", 2)]


def test_served_from_a_closed_site() -> None:
    plan = changed(PLAN, "serve", {"place_id": "X", "period": P1}, site_id="B")
    assert judged(plan) == [("demand.link", 2), ("demand.yield", 2)]


def test_more_work_than_it_mw() -> None:
    plan = changed(PLAN, "it", {}, it_mw=5.0)
    assert judged(plan) == [("demand.yield", 1)] * 3


def test_it_mw_cannot_grow_in_a_moratorium() -> None:
    plan = changed(PLAN, "it", {"period": P0}, it_mw=6.0 - 0.5)
    plan = changed(plan, "serve", {"period": P0, "place_id": "Y"}, ref_mw=3.5)
    closed = {"regions": {"rules": [{"level": "state", "ids": "S1", "closed_from": "2029"}]}}
    assert judged(plan, **closed) == [("halls.closed", 0.5), ("demand.balance", 0.5)]


def test_a_grid_where_there_is_none() -> None:
    assert judged(added(PLAN, "grid", GridRow("A", "P", P0, 1.0))) == [("rows.unknown", 1)]


def test_without_hardware_nothing_is_bought_or_assigned() -> None:
    plan = changed(PLAN, "it", {"period": P1}, bought_mw=2.0)
    assert judged(plan) == [("hardware.level", 2)]
    assert judged(added(PLAN, "use", UseRow("A", "it", "it", P0, 3.0))) == [("hardware.use", 3)]


def test_it_mw_come_and_go_with_the_demand() -> None:
    asked = {"demand": {"workloads": {"it": {"ref_mw": {"2028": 6, "2029": 4, "2030": 5}}}}}
    plan = dropped(PLAN, "serve", place_id="X")
    for period, mw in ((P0, 6.0), (P1, 4.0), (P2, 5.0)):
        plan = changed(plan, "it", {"period": period}, it_mw=mw)
        plan = changed(plan, "serve", {"period": period}, place_id="anywhere", ref_mw=mw)
    assert judged(plan, **asked) == []


def test_earliest_mw_holds_no_more_than_is_ever_asked() -> None:
    extra = added(PLAN, "sites", SiteRow("B", P1))
    extra = added(
        extra, "it", ItRow("B", "none", "it", P1, 3.0, 0.0), ItRow("B", "none", "it", P2, 3.0, 0.0)
    )
    assert judged(extra, objective="earliest_mw") == [("demand.most", 3)] * 2
    assert judged(extra) == []


def test_nothing_before_as_of() -> None:
    # 2028-01-01 is past on the 15th
    assert judged(PLAN, as_of="2028-01-15") == [("siting.early", 14)]
