"""Prefill and decode: both pools near to one another, against pairs of sites and by hand."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from helpers import fibers, tiny
from helpers.worlds import Dice, prepared
from scipy.optimize import linprog

from sitepick.candidates.types import Candidates
from sitepick.checks import judge
from sitepick.exports.handovers import handovers_sheet
from sitepick.exports.rows import SiteRows
from sitepick.finding import Finding
from sitepick.layers.types import Layers
from sitepick.planner import Planner
from sitepick.scenario.schema import Scenario
from sitepick.solution import Solution
from sitepick.solve.outcome import Limits

NET = fibers.network(("ab", "A", "B", 40.0), ("bc", "B", "C", 500.0))
AT = {"a": "A", "b": "B", "c": "C"}


def scenario(rtt_ms: float = 1.0, **parts: Any) -> Scenario:
    """Return 6 MW of prefill and 8 of decode for the place X, and nothing that costs."""
    return Scenario.model_validate({
        "version": 1,
        "as_of": "2026-01-01",
        "periods": {"from": "2027", "to": "2027"},
        "money": {"price_year": 2026, "discount_rate_pct": 0},
        "candidates": {"source": "table"},
        "power": {"model": "none"},
        "halls": "none",
        "hardware": "none",
        "fiber": {"capacity": {"wave": None}},
        "demand": {
            "workloads": {
                "pre": {"ref_mw": 6, "spread": "by_weight", "rtt_ms_max": 50},
                "dec": {"ref_mw": 8, "spread": "by_weight", "rtt_ms_max": 10},
            },
            "splits": [{"name": "kv", "prefill": "pre", "decode": "dec", "rtt_ms_max": rtt_ms,
                        "gbps_per_ref_mw": 50}],
        },
        **parts,
    })  # fmt: skip


def candidates(
    reach: list[tuple[str, float]], most: dict[str, float] | None = None, km: float = 0.0,
    place: str = "X", on: dict[str, str] | None = None,
) -> Candidates:  # fmt: skip
    """Return sites with their round trip to the place."""
    sites = [
        tiny.site(name, max_it_mw=(most or {}).get(name, 99.0), land_musd=0.0) for name, _ in reach
    ]
    tables = {
        **{key: [] for key in tiny.COLUMNS},
        "sites": sites,
        "places": tiny.rows((place, place, tiny.NAN, tiny.NAN, 1.0, tiny.NAN), of="places"),
        "reach": tiny.rows(*((s, place, 100.0, rtt, tiny.NAN) for s, rtt in reach), of="reach"),
    }
    return fibers.on_fiber(tiny.candidates(**tables), NET, AT if on is None else on, km=km)


def solved(asked: Scenario, places: Candidates) -> tuple[Solution, list[Finding]]:
    _, plan = Planner(prepared(asked, places), Limits(gap=1e-9)).solve(None)
    assert plan is not None
    return plan, judge(asked, Layers(), places, plan)


# decode is near enough to X from b only (5 of 10 ms), prefill from both (40 of 50)
APART = [("a", 40.0), ("b", 5.0)]


def test_pools_apart_hand_over_their_cache() -> None:
    asked = scenario(1.0)
    # b has room for decode alone
    places = candidates(APART, {"b": 8.0})
    plan, wrong = solved(asked, places)
    assert wrong == []
    assert plan.penalty_musd == 0
    (row,) = [r for r in plan.handovers if r.from_node != r.to_node]
    assert (row.from_node, row.to_node, row.prefill_ref_mw, row.ref_mw) == ("A", "B", 6, 8)
    (link,) = plan.links
    assert link.edges == ("ab",)
    assert link.tbps == pytest.approx(8 * 50 / 1000)
    assert {(e.edge, round(e.lit_tbps, 9)) for e in plan.edges} == {("ab", 0.4)}


# 40 km and 0.5 ms of equipment: 0.892 ms; with laterals of 6 km at both ends 1.0096 ms
@pytest.mark.parametrize(("rtt_ms", "lateral_km", "near"), [
    (0.9, 0.0, True), (0.89, 0.0, False), (1.0, 5.5, True), (1.0, 6.0, False),
])  # fmt: skip
def test_the_round_trip_counts_laterals(rtt_ms: float, lateral_km: float, near: bool) -> None:
    plan, wrong = solved(scenario(rtt_ms), candidates(APART, {"b": 8.0}, lateral_km))
    assert wrong == []
    # alone, b serves 8 of the 14 MW in the ratio of what is asked
    share = 1.0 if near else 8 / 14
    assert sum(r.ref_mw for r in plan.serve) == pytest.approx(14 * share)
    assert bool(plan.links) == near


def test_without_a_network_both_pools_are_at_one_site() -> None:
    places = dataclasses.replace(candidates(APART, {"b": 8.0}), fiber=None)
    plan, wrong = solved(scenario(), places)
    assert wrong == []
    assert [(r.from_node, r.to_node) for r in plan.handovers] == [("b", "b")]
    assert sum(r.ref_mw for r in plan.serve) == pytest.approx(8)


def test_a_pool_that_nobody_asks_stops_the_other() -> None:
    demand = {
        "workloads": {"pre": {"ref_mw": 6}, "dec": {"ref_mw": {"2028": 8}}},
        "splits": [{"name": "kv", "prefill": "pre", "decode": "dec", "gbps_per_ref_mw": 50}],
    }
    periods = {"from": "2027", "to": "2028"}
    plan, wrong = solved(scenario(demand=demand, periods=periods), candidates(APART))
    assert wrong == []
    assert {(r.workload, r.period) for r in plan.serve} == {
        ("pre", "2028-01-01"), ("dec", "2028-01-01"),
    }  # fmt: skip


@pytest.mark.parametrize("seed", range(12))
def test_as_much_is_served_as_pairs_of_sites_allow(seed: int) -> None:
    dice = Dice(seed)
    names = ["a", "b", "c"]
    reach = [(s, dice.one((5.0, 40.0))) for s in names]
    most = {s: dice.number(1, 9) for s in names}
    rtt_ms = dice.one((0.6, 1.0, 6.0))
    plan, wrong = solved(scenario(rtt_ms), candidates(reach, most))
    assert wrong == []
    # columns: share of requests with prefill at i and decode at j, all pairs of sites
    place = dict(zip("abc", (0.0, 40.0, 540.0), strict=True))
    near = [
        (i, j) for i in names for j in names
        if dict(reach)[j] <= 10 and 2 * abs(place[i] - place[j]) * 4.9e-3 + 0.5 * (i != j) <= rtt_ms
    ]  # fmt: skip
    if not near:
        assert not plan.serve
        return
    room = np.array([[6.0 * (i == s) + 8.0 * (j == s) for i, j in near] for s in names])
    best = linprog(-np.ones(len(near)), A_ub=np.vstack([room, np.ones(len(near))]),
                   b_ub=[*(most[s] for s in names), 1.0])  # fmt: skip
    assert sum(r.ref_mw for r in plan.serve) == pytest.approx(-14 * best.fun, abs=1e-6)


def test_a_plan_made_wrong_is_caught_with_its_amount() -> None:
    asked, places = scenario(1.0), candidates(APART, {"b": 8.0})
    plan, _ = solved(asked, places)

    def found(**tables: Any) -> dict[str, float]:
        made = dataclasses.replace(plan, **tables)
        return {f.check: round(f.amount, 6) for f in judge(asked, Layers(), places, made)}

    (row,) = plan.handovers
    assert found(handovers=())["split.pools"] in (6, 8)
    assert found(handovers=(dataclasses.replace(row, prefill_ref_mw=5.0),))["split.share"] == 1
    assert found(links=())["split.traffic"] == pytest.approx(0.4)
    far = dataclasses.replace(row, from_node="C")
    assert found(handovers=(far,))["split.near"] == pytest.approx(500 * 9.8e-3 + 0.5 - 1)
    lost = dataclasses.replace(row, ref_mw=7.0)
    assert found(handovers=(lost,))["split.pools"] == 1


def test_handovers_have_a_table() -> None:
    asked = scenario(1.0)
    places = candidates(APART, {"b": 8.0})
    plan, _ = solved(asked, places)
    sheet = handovers_sheet(SiteRows(asked, places, plan))
    told = [
        {k: r[k] for k in ("from_node", "from_sites", "to_node", "to_sites")} for r in sheet.rows
    ]
    assert told == [{"from_node": "A", "from_sites": "a", "to_node": "B", "to_sites": "b"}]
    (row,) = sheet.rows
    assert (row["prefill_ref_mw"], row["decode_ref_mw"]) == (pytest.approx(6), pytest.approx(8))
    assert row["kv_tbps"] == pytest.approx(8 * 50 / 1000)
    assert row["rtt_ms"] == pytest.approx(2 * 40 * 4.9e-3 + 0.5)
    # at one site nothing goes over fiber
    alone = dataclasses.replace(places, fiber=None)
    plan, _ = solved(asked, alone)
    (row,) = handovers_sheet(SiteRows(asked, alone, plan)).rows
    assert (row["from_node"], row["kv_tbps"], row["rtt_ms"]) == ("b", 0.0, None)
