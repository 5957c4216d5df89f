"""Capacity of fiber edges: prices by hand, what carries peaks, terms, new routes, wrong plans."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Mapping
from datetime import date
from math import ceil
from typing import Any

import numpy as np
import pytest
from helpers import fibers, listed, tiny
from helpers.worlds import Dice, prepared

from sitepick.blocks.columns import open_at
from sitepick.candidates.types import Candidates
from sitepick.checks import judge
from sitepick.errors import ScenarioError
from sitepick.exports.costs import site_costs
from sitepick.finding import Finding
from sitepick.instance import services
from sitepick.instance.fiber import edges_of
from sitepick.instance.timeline import Timeline
from sitepick.layers.types import Layers
from sitepick.network.fiber import FiberNetwork
from sitepick.planner import Planner
from sitepick.scenario.catalog import table
from sitepick.scenario.fiber_capacity import Build, Pair, Wave
from sitepick.scenario.schema import Scenario
from sitepick.solution import Solution
from sitepick.solution_fiber import EdgeRow, LightRow, PairRow, WaveRow
from sitepick.solve.outcome import Limits
from sitepick.starts import start_values
from sitepick.studies.stress import Decided, stress

FREE = {"id": "free", "reach_km": 9000, "tbps_per_pair": 32, "usd_per_gbps_end": 0}
RENTED = {"iru_usd_per_km": 0, "lease_usd_per_km_year": 1000, "maintenance_usd_per_km_year": 0,
          "term_years": 1}  # fmt: skip
WAVE = {"tbps": 0.4, "usd_per_km_month": 14, "burst_factor": 3}
ONE = fibers.network(("we", "W", "E", 100.0))


def scenario(years: int = 1, demand: Any = 4.0, **fiber: Any) -> Scenario:
    """Return 4 MW of work that any site does, without power, halls, hardware or interest."""
    return Scenario.model_validate({
        "version": 1,
        "as_of": "2026-01-01",
        "periods": {"from": "2027", "to": str(2026 + years)},
        "money": {"price_year": 2026, "discount_rate_pct": 0},
        "candidates": {"source": "table"},
        "power": {"model": "none"},
        "halls": "none",
        "hardware": "none",
        "demand": {"it_mw": demand, "shortfall_musd_per_mw_year": 9},
        "fiber": fiber,
    })  # fmt: skip


def service(**parts: Any) -> dict[str, Any]:
    return {"name": "v", "workload": "it", "to_nodes": ["E"], "gbps_per_ref_mw": 100, **parts}


def candidates(net: FiberNetwork, sites: Mapping[str, str]) -> Candidates:
    named = [tiny.site(name, max_it_mw=99.0, land_musd=0.0) for name in sites]
    empty: dict[str, Any] = {key: [] for key in tiny.COLUMNS}
    return fibers.on_fiber(tiny.candidates(**{**empty, "sites": named}), net, sites)


def solved(
    asked: Scenario, net: FiberNetwork = ONE, sites: Mapping[str, str] | None = None
) -> tuple[Solution, list[Finding]]:
    """Return the plan and what the check says of it."""
    places = candidates(net, sites or {"w": "W"})
    _, plan = Planner(prepared(asked, places), Limits(gap=1e-9)).solve(None)
    assert plan is not None
    return plan, judge(asked, Layers(), places, plan)


def test_the_defaults_are_those_of_the_catalog() -> None:
    rows = {row["id"]: row for row in table("optics")}
    for name, part in (("pair_iru", Pair()), ("build_long_haul", Build()), ("wave_400g", Wave())):
        shared = set(type(part).model_fields) & set(rows[name]) - {"price_year"}
        assert len(shared) >= 3
        assert {k: getattr(part, k) for k in shared} == {k: rows[name][k] for k in shared}


def test_prices_of_edges_by_hand() -> None:
    net = fibers.network(
        ("near", "A", "B", 100.0), ("far", "B", "C", 400.0), ("sea", "A", "C", 4500.0),
        ("cut/1", "A", "X", 100.0), ("cut/2", "X", "C", 300.0), ("row", "A", "D", 50.0),
        link_id={"cut/1": "cut", "cut/2": "cut"}, new={"row": True}, pairs={"far": 2.0},
        lease_usd_per_km_year={"near": 300.0}, lit_tbps={"near": 1.0},
        in_service={"far": date(2029, 6, 1)},
    )  # fmt: skip
    asked = scenario(4)
    edges = edges_of(asked, net, Timeline.of(asked))
    assert edges.tbps_per_pair.tolist() == [32, 60, 45, 60, 60, 32]
    # IRU 2,000 USD per km; amplifiers every 90 km: 4 on 400 km, 3 x 16 in 3 sections of 1,500 km
    assert edges.pair_musd == pytest.approx([0, 0.8 + 1, 9 + 12, 0.2 + 0.25, 0.6 + 0.75, 0])
    assert edges.pair_yearly_musd == pytest.approx([0.03, 0, 0, 0, 0, 0])
    # 10 USD per Gb/s and end, 50 over the sea with 6 ends; the pieces of a link share its two ends
    assert edges.light_musd == pytest.approx([0.02, 0.02, 0.3, 0.005, 0.015, 0.02])
    assert edges.build_musd == pytest.approx([0, 0, 0, 0, 0, 4])
    assert edges.pairs_most.tolist() == [4, 2, 4, 4, 4, 24]
    assert edges.wave_most.tolist() == [2, 20, 20, 20, 20, 0]
    # 2027 to 2030: pairs after 6 months, the far edge in 2030, the new route after 30 months
    assert edges.pair_from.tolist() == [0, 3, 0, 0, 0, 2]
    assert edges.wave_musd[0] == pytest.approx(12 * 14 * 100 / 1e6)


# a wave all year is 0.0168 MUSD, five burst waves 28.77 USD an hour, a pair 0.1 MUSD a year
@pytest.mark.parametrize(("hours", "musd"), [(1, 0.0168288), (2892, 0.0999945), (2893, 0.1)])
def test_bursts_win_at_few_hours_and_a_pair_at_many(hours: int, musd: float) -> None:
    capacity = {"optics": [FREE], "pair": RENTED, "wave": WAVE}
    busy = service(peak_gbps_per_ref_mw=600, peak_hours_per_year=hours)
    plan, wrong = solved(scenario(capacity=capacity, services=[busy]))
    assert wrong == []
    assert plan.npc_musd["transport"] == pytest.approx(musd, abs=5e-7)
    assert [row.pairs for row in plan.pairs] == ([1] if hours > 2892.2 else [])
    assert [row.waves for row in plan.waves] == ([] if hours > 2892.2 else [1, 5])


def test_pairs_stay_for_their_term_and_strand_when_load_moves() -> None:
    capacity = {
        "optics": [{**FREE, "usd_per_gbps_end": 10, "life_years": 3, "lead_months": 0}],
        "pair": {**RENTED, "term_years": 2, "lead_months": 0}, "wave": None,
    }  # fmt: skip
    series = {"2027": 4.0, "2028": 1.0, "2029": 1.0}
    plan, wrong = solved(scenario(3, series, capacity=capacity, services=[service()]))
    assert wrong == []
    assert plan.pairs == (PairRow("we", "2027-01-01", 1), PairRow("we", "2029-01-01", 1))
    assert plan.light == (LightRow("we", "2027-01-01", pytest.approx(0.4)),)
    first, second, third = plan.edges
    assert first.stranded_tbps == 0
    # optics: 0.02 MUSD per Tb/s over 3 years; three quarters of 0.4 Tb/s are dark from 2028 on
    assert second.stranded_tbps == pytest.approx(0.3)
    assert second.stranded_musd_per_year == pytest.approx(0.3 * 0.02 / 3)
    # what carries nothing: nearly all of a pair of 32 Tb/s at 0.1 MUSD, and those optics
    assert second.idle_musd_per_year == pytest.approx(0.1 * (1 - 0.1 / 32) + 0.3 * 0.02 / 3)
    assert third.pairs_leased == 1


def test_what_is_held_strands_where_a_future_asks_less() -> None:
    capacity = {
        "optics": [{**FREE, "tbps_per_pair": 0.25, "usd_per_gbps_end": 10}],
        "pair": {"iru_usd_per_km": 1000}, "wave": None,
    }  # fmt: skip
    asked = scenario(2, 4.0, capacity=capacity, services=[service()])
    less = scenario(2, 1.0, capacity=capacity, services=[service()])
    places = candidates(ONE, {"w": "W"})
    _, plan = Planner(prepared(asked, places), Limits(gap=1e-9)).solve(None)
    assert plan is not None
    decided = Decided.of(prepared(asked, places), plan, None)
    made = stress(prepared(less, places), decided, "all", Limits(gap=1e-9))
    assert made.run is not None
    assert made.run.findings == ()
    # 0.4 Tb/s are lit on 2 pairs of 0.1 MUSD each, 0.1 Tb/s on one of them is used
    assert [(row.kind, row.where) for row in made.idle] == [("fiber", "we")] * 2
    for row in made.idle:
        assert row.tbps == pytest.approx(0.3, abs=1e-4)
        assert row.musd == pytest.approx(0.1 + 0.3 * 0.02, abs=1e-3)
    assert made.lost == ()


def test_a_new_route_carries_from_the_day_it_is_built() -> None:
    net = fibers.network(("row", "W", "E", 100.0), new={"row": True})
    capacity = {"build": {"lead_months": 24, "usd_per_km": 1000, "life_years": 10}}
    plan, wrong = solved(scenario(3, capacity=capacity, services=[service()]), net)
    assert wrong == []
    assert [row.period for row in plan.turned_away] == ["2027-01-01"]
    assert [(row.edge, row.period) for row in plan.builds] == [("row", "2028-01-01")]
    assert {row.pairs_built for row in plan.edges} == {1}
    # 0.1 MUSD over 10 years, 0.02 MUSD per Tb/s over 7, 0.015 MUSD a year of maintenance
    assert plan.npc_musd["fiber"] == pytest.approx(2 * (0.1 / 10 + 0.4 * 0.02 / 7))
    assert plan.npc_musd["om"] == pytest.approx(2 * 0.015)


def test_work_beyond_what_pairs_carry_is_turned_away() -> None:
    net = fibers.network(("we", "W", "E", 100.0), pairs={"we": 1.0})
    busy = service(gbps_per_ref_mw=10_000)
    plan, wrong = solved(scenario(capacity={"wave": None}, services=[busy]), net)
    assert wrong == []
    assert sum(row.ref_mw for row in plan.turned_away) == pytest.approx(4 - 3.2)


def test_traffic_takes_a_second_route_when_the_first_is_full() -> None:
    net = fibers.network(
        ("we", "W", "E", 100.0), ("wx", "W", "X", 90.0), ("xe", "X", "E", 90.0),
        pairs={"we": 1.0},
    )  # fmt: skip
    busy = service(gbps_per_ref_mw=10_000)
    plan, wrong = solved(scenario(capacity={"wave": None}, services=[busy]), net)
    assert wrong == []
    assert {row.route: round(row.tbps, 6) for row in plan.links} == {1: 32.0, 2: 8.0}
    alone, _ = solved(scenario(capacity={"wave": None, "routes": 1}, services=[busy]), net)
    assert sum(row.ref_mw for row in alone.turned_away) == pytest.approx(0.8)


def test_what_is_on_no_network_makes_no_traffic_and_no_route_means_no_work() -> None:
    asked = scenario(capacity={}, services=[service()])
    plan, wrong = solved(asked, sites={"w": "nowhere"})
    assert wrong == []
    assert (plan.links, plan.edges, plan.turned_away) == ((), (), ())
    apart = fibers.network(("we", "W", "X", 100.0), ("fe", "F", "E", 9.0))
    plan, wrong = solved(asked, apart)
    assert wrong == []
    assert sum(row.ref_mw for row in plan.turned_away) == pytest.approx(4)


def test_nodes_that_are_not_there_are_all_named() -> None:
    asked = scenario(services=[service(to_nodes=["E", "Q", "R"])])
    with pytest.raises(ScenarioError) as refused:
        solved(asked)
    assert refused.value.problems == [
        "fiber.services: 'v': no fiber node 'Q'", "fiber.services: 'v': no fiber node 'R'",
    ]  # fmt: skip


def test_traffic_between_too_many_nodes_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "MOST_FLOWS", 0)
    with pytest.raises(ScenarioError, match="name to_nodes, or limit rtt_ms_max"):
        solved(scenario(services=[service()]))


def test_an_earlier_plan_begins_the_next_solve() -> None:
    net = fibers.network(("we", "W", "X", 100.0), ("row", "X", "E", 90.0), new={"row": True})
    busy = service(peak_gbps_per_ref_mw=600, peak_hours_per_year=300)
    build = {"usd_per_km": 50, "lead_months": 9}
    asked = scenario(2, 4.0, capacity={"wave": WAVE, "build": build}, services=[busy])
    planner = Planner(prepared(asked, candidates(net, {"w": "W"})), Limits(gap=1e-9))
    out, plan = planner.solve(None)
    assert plan is not None
    assert out.values is not None
    assert plan.builds
    assert plan.waves
    whole = planner.program.matrix.integer
    begun = start_values(planner.program, planner.instance, plan)
    families = [f for f in planner.program.column_families if f.startswith("fiber.")]
    for name in families:
        at = planner.program.column_families[name].indices
        assert begun[at][whole[at]] == pytest.approx(out.values[at][whole[at]])


@pytest.mark.parametrize("new", [False, True])
def test_costs_and_actions_by_place_add_up_to_those_of_the_plan(new: bool) -> None:
    net = fibers.network(("we", "W", "E", 400.0), new={"we": new})
    busy = service(gbps_per_ref_mw=900, peak_gbps_per_ref_mw=2000, peak_hours_per_year=90)
    capacity = {"pair": {"iru_usd_per_km": 50}, "build": {"usd_per_km": 500, "lead_months": 9}}
    asked = scenario(2, 4.0, capacity=capacity, services=[busy])
    places = candidates(net, {"w": "W"})
    world = prepared(asked, places)
    _, plan = Planner(world, Limits(gap=1e-9)).solve(None)
    assert plan is not None
    assert plan.npc_musd["fiber"] > 0
    made: dict[str, float] = {}
    for (_, term), musd in site_costs(asked, places, plan).present_musd.items():
        made[term] = made.get(term, 0.0) + musd
    assert {k: v for k, v in made.items() if v} == pytest.approx(
        {k: v for k, v in plan.npc_musd.items() if v}
    )
    assert listed.wrong(world, plan, listed.table(world, plan)) == []
    assert listed.money_apart(world, plan) < 1e-6
    listed_kinds = {row["action"] for row in listed.table(world, plan)}
    assert listed_kinds >= {"order_optics", "lease_pairs"}
    assert ("build_route" in listed_kinds) == new


@pytest.mark.parametrize("seed", range(8))
def test_no_choice_of_pairs_and_waves_is_cheaper(seed: int) -> None:
    """Two services with peaks of their own on one edge: every whole number is tried."""
    dice = Dice(seed)
    low, hours = [dice.number(20, 200), dice.number(20, 200)], [dice.one((50, 400)), 900]
    ratio = dice.number(1.5, 4)
    wave = {**WAVE, "usd_per_km_month": dice.number(3, 30)}
    optics = {**FREE, "tbps_per_pair": 2.0, "usd_per_gbps_end": dice.number(0, 20)}
    busy = [
        service(name=f"v{k}", gbps_per_ref_mw=low[k], peak_gbps_per_ref_mw=low[k] * ratio,
                peak_hours_per_year=hours[k])
        for k in range(2)
    ]  # fmt: skip
    capacity = {"optics": [optics], "pair": {**RENTED, "per_edge": 3}, "wave": wave}
    plan, wrong = solved(scenario(capacity=capacity, services=busy))
    assert wrong == []
    base = 4 * np.array(low) / 1000
    needs = [base.sum(), base[0] + ratio * base[1], ratio * base.sum()]  # by ever fewer hours
    spans = [hours[1] - hours[0], hours[0]]
    monthly = wave["usd_per_km_month"] * 100 / 1e6
    best = np.inf
    for pairs, waves in itertools.product(range(4), range(21)):
        # light to just what whole numbers of burst waves leave open
        steps = {needs[0] - 0.4 * waves, *(n - 0.4 * (waves + k) for n in needs for k in range(21))}
        for lit in {0.0, *(s for s in steps if 0 < s <= 2 * pairs)}:
            if lit + 0.4 * waves < needs[0] - 1e-9:
                continue
            bursts = [max(0, ceil((n - lit) / 0.4 - waves - 1e-9)) for n in needs[1:]]
            if max(bursts) + waves > 20:
                continue
            cost = 0.1 * pairs + 12 * monthly * waves
            cost += lit * optics["usd_per_gbps_end"] * 2 / 1000 / 7
            cost += sum(3 * monthly / 730 * span * b for span, b in zip(spans, bursts, strict=True))
            best = min(best, cost)
    found = sum(v for k, v in plan.npc_musd.items() if k != "penalty")
    assert found == pytest.approx(best, rel=1e-6)


RIGHT = scenario(
    capacity={"optics": [FREE], "pair": RENTED, "wave": WAVE},
    services=[service(peak_gbps_per_ref_mw=600, peak_hours_per_year=300)],
)


def wrong_in(plan: Solution) -> dict[str, float]:
    found = judge(RIGHT, Layers(), candidates(ONE, {"w": "W"}), plan)
    return {f.check: round(f.amount, 6) for f in found if not f.check.startswith(("costs", "cash"))}


@pytest.mark.parametrize(
    ("table_name", "rows", "expected"),
    [
        # five burst waves of 0.4 Tb/s carry the peak: with four 0.4 Tb/s have no capacity
        ("waves", (WaveRow("we", "2027-01-01", 0.0, 1), WaveRow("we", "2027-01-01", 300.0, 4)),
         {"fiber.peak": 0.4, "fiber.edges": 1}),
        ("waves", (WaveRow("we", "2027-01-01", 0.0, 30),),
         {"fiber.waves": 10, "fiber.edges": 29}),
        ("waves", (WaveRow("we", "2027-01-01", 0.0, 6), WaveRow("we", "2027-01-01", 7.0, 2)),
         {"fiber.waves": 2, "fiber.edges": 5}),
        ("pairs", (PairRow("we", "2027-01-01", 9),), {"fiber.there": 5, "fiber.edges": 9}),
        ("light", (LightRow("we", "2027-01-01", 3.0),), {"fiber.lit": 3, "fiber.edges": 3}),
        ("pairs", (PairRow("xy", "2027-01-01", 1),), {"rows.unknown": 1}),
    ],
)  # fmt: skip
def test_a_plan_made_wrong_is_caught_with_its_amount(
    table_name: str, rows: tuple[Any, ...], expected: dict[str, float]
) -> None:
    plan, wrong = solved(RIGHT)
    assert wrong == []
    found = wrong_in(dataclasses.replace(plan, **{table_name: rows}))
    assert set(found) == set(expected)
    for name, amount in expected.items():
        assert name == "fiber.edges" or found[name] == pytest.approx(amount)


def test_traffic_without_a_route_and_edges_said_wrong_are_caught() -> None:
    plan, _ = solved(RIGHT)
    (link,) = plan.links
    assert wrong_in(dataclasses.replace(plan, links=()))["services.flow"] == pytest.approx(0.4)
    lost = dataclasses.replace(link, tbps=0.1)
    assert wrong_in(dataclasses.replace(plan, links=(lost,)))["services.flow"] == pytest.approx(0.3)
    far = dataclasses.replace(link, km=120.0)
    assert wrong_in(dataclasses.replace(plan, links=(far,)))["services.route"] == pytest.approx(20)
    back = dataclasses.replace(link, edges=("we", "we"))
    assert "services.route" in wrong_in(dataclasses.replace(plan, links=(back,)))
    (edge,) = plan.edges
    assert isinstance(edge, EdgeRow)
    said = dataclasses.replace(edge, used_tbps=0.5)
    assert wrong_in(dataclasses.replace(plan, edges=(said,))) == {"fiber.edges": 0.1}


def test_pairs_and_waves_stand_only_after_their_lead_time() -> None:
    late = {"optics": [{**FREE, "lead_months": 15}], "pair": {**RENTED, "lead_months": 13},
            "wave": {**WAVE, "lead_months": 24}}  # fmt: skip
    plan, wrong = solved(scenario(3, capacity=late, services=[service()]))
    assert wrong == []
    assert [row.period for row in plan.turned_away] == ["2027-01-01"]
    early, _ = solved(scenario(3, capacity={"optics": [FREE], "wave": WAVE}, services=[service()]))
    found = judge(scenario(3, capacity=late, services=[service()]), Layers(),
                  candidates(ONE, {"w": "W"}), early)  # fmt: skip
    assert max(f.amount for f in found if f.check == "fiber.waves") == 365


def test_no_plan_pays_for_a_route_on_which_no_pair_stands() -> None:
    """Within the gap a solver may keep a route up for nothing; new routes stay as they are."""
    upkeep = {**RENTED, "maintenance_usd_per_km_year": 150}
    asked = scenario(capacity={"optics": [FREE], "pair": upkeep}, services=[service()])
    net = fibers.network(("we", "W", "E", 100.0), ("wx", "W", "X", 30.0), ("xe", "X", "E", 300.0))
    planner = Planner(prepared(asked, candidates(net, {"w": "W"})), Limits(gap=1e-9))
    outcome, plan = planner.solve(None)
    assert plan is not None
    assert outcome.values is not None
    family = planner.program.column_families["fiber.route"]
    used = outcome.values[family.indices] > 0.5
    assert not used.all()
    paid = outcome.values.copy()
    paid[family.indices] = 1.0
    kept = planner.without_idle(paid)
    assert ((kept[family.indices] > 0.5) == used).all()
    cost = planner.program.matrix.objective
    assert cost(kept) == pytest.approx(cost(outcome.values))
    assert cost(paid) > cost(kept) + 1e-3


def test_routes_go_also_where_an_idle_site_must_stay() -> None:
    """A site without IT that is held open by a row cannot go; the unused route beside it can."""
    upkeep = {**RENTED, "maintenance_usd_per_km_year": 150}
    asked = scenario(capacity={"optics": [FREE], "pair": upkeep}, services=[service()])
    net = fibers.network(("we", "W", "E", 100.0), ("wx", "W", "X", 30.0), ("xe", "X", "E", 300.0))
    places = candidates(net, {"w": "W", "z": "X"})
    planner = Planner(prepared(asked, places), Limits(gap=1e-9))
    outcome, _ = planner.solve(None)
    assert outcome.values is not None
    z = open_at(planner.program, planner.instance)[planner.instance.sites.ids.index("z")]
    row = planner.program.add_rows("held.decision", keys={"number": [0]}, lower=len(z))
    planner.program.add_entries(np.repeat(row, len(z)), z, 1)
    family = planner.program.column_families["fiber.route"]
    paid = outcome.values.copy()
    paid[z] = 1.0
    paid[family.indices] = 1.0
    kept = planner.without_idle(paid)
    assert (kept[z] > 0.5).all()
    used = outcome.values[family.indices] > 0.5
    assert not used.all()
    assert ((kept[family.indices] > 0.5) == used).all()
