"""Decisions of an earlier plan survive other prices, and what cannot be kept is told."""

from __future__ import annotations

import dataclasses
from datetime import date
from typing import Any

import pytest
from helpers import tiny, worlds

from sitepick.actions import Decision, actions_of, decisions_due, decisions_of
from sitepick.checks import judge
from sitepick.held import Held, hold_plan, weights_of
from sitepick.planner import Planner
from sitepick.run import Prepared
from sitepick.scenario.schema import Scenario
from sitepick.solution import Solution
from sitepick.solve.outcome import Limits

LIMITS = Limits(gap=1e-6, threads=1)


def solved(world: Prepared, start: Any = None) -> Solution:
    _, plan = Planner(world, LIMITS).solve(start)
    assert plan is not None
    return plan


def held(
    world: Prepared, plan: Solution, asked: dict[Decision, float], **how: Any
) -> tuple[Held, Solution]:
    """Return what is held in another world, and its plan, which the check must pass."""
    planner = Planner(world, LIMITS)
    kept = hold_plan(planner, plan, asked, **how)
    assert kept.start is not None
    assert planner.program.matrix.violation(kept.start) < 1e-4
    _, new = planner.solve(planner.complete(kept.start))
    assert new is not None
    assert judge(world.scenario, world.layers, world.candidates, new) == []
    return kept, new


def made(**parts: Any) -> Prepared:
    tables = parts.pop("tables", {})
    return worlds.prepared(tiny.scenario(**parts), tiny.candidates(**tables))


@pytest.fixture
def plan() -> Solution:
    """The plan made by hand, whole: two sites, a letter, hardware of three vintages."""
    plan = tiny.plan()
    for poi, kv in (("P", 138.0), ("Q", 230.0), ("R", 138.0)):
        plan = tiny.changed(plan, "ties", {"poi_id": poi}, kv=kv)
    return tiny.settled(tiny.scenario(), tiny.candidates(), plan)


def test_decisions_of_the_tiny_plan_and_when_they_are_due():
    plan, asked = tiny.plan(), tiny.scenario()
    every = decisions_of(plan)
    assert every == {
        Decision("site", ("A",)): 1, Decision("site", ("B",)): 1,
        Decision("tie", ("A", "P", "")): 1, Decision("tie", ("B", "Q", "")): 1,
        Decision("halls", ("A", "std", tiny.P0)): 2, Decision("halls", ("B", "liq", tiny.P1)): 2,
        Decision("hardware", ("A", "old", tiny.P0)): 20,
        Decision("hardware", ("B", "new", tiny.P1)): 15,
        Decision("hardware", ("C", "old", tiny.P2)): 8,
        Decision("offer", ("O1",)): 30,
    }  # fmt: skip
    actions = actions_of(asked, tiny.candidates(), plan)

    def due(months: int | None) -> list[str]:
        return [str(d) for d in decisions_due(plan, actions, asked.as_of, months)]

    assert due(0) == ["site A", "tie A, P"]
    # halls of A start on 2027-01-01, B's land is bought then; letter O1 is answered on 2027-03-01
    assert due(12) == ["halls A, std, 2028-01-01", "site A", "site B", "tie A, P", "tie B, Q"]
    assert set(due(14)) - set(due(12)) == {"offer O1"}
    assert due(None) == due(600) == [str(d) for d in sorted(every)]


def test_a_letter_that_asks_for_no_action_is_decided_already():
    tables = {"offers": [{**tiny.OFFERS[0], "reply_by": None, "security_kusd_per_mw": 0.0}]}
    actions = actions_of(tiny.scenario(), tiny.candidates(**tables), tiny.plan())
    due = decisions_due(tiny.plan(), actions, date(2026, 1, 1), 0)
    assert Decision("offer", ("O1",)) in due


def test_all_decisions_survive_prices_that_would_change_them(plan):
    dear = [{**h, "capex_musd_per_mw": 90} for h in tiny.HALLS]
    cheap = {"workloads": {
        name: {**work, "shortfall_musd_per_mw_year": 1}
        for name, work in tiny.SCENARIO["demand"]["workloads"].items()
    }}  # fmt: skip
    other = made(halls=dear, demand=cheap)
    free = decisions_of(solved(other))
    asked = decisions_of(plan)
    assert free != asked
    assert not free
    kept, new = held(other, plan, asked)
    assert not kept.lost
    assert decisions_of(new) == {d: pytest.approx(v, abs=1e-5) for d, v in asked.items()}


def test_only_what_is_due_is_held_and_the_rest_is_decided_anew(plan):
    asked = decisions_of(plan)
    early = {d: v for d, v in asked.items() if d.what in ("site", "tie")}
    other = made(hardware=[{**h, "capex_musd_per_mw": 400} for h in tiny.HARDWARE])
    kept, new = held(other, plan, early)
    assert not kept.lost
    assert early.items() <= decisions_of(new).items()
    assert {d for d in decisions_of(new) if d.what == "hardware"} < {
        d for d in asked if d.what == "hardware"
    }


def test_nothing_else_is_begun_by_the_day(plan):
    """Twice the work would open more; by the day given only what is held is begun."""
    more = {"workloads": {
        name: {**work, "ref_mw": 300, "shortfall_musd_per_mw_year": 90}
        for name, work in tiny.SCENARIO["demand"]["workloads"].items()
    }}  # fmt: skip
    other = made(demand=more)
    some = {d: v for d, v in decisions_of(plan).items() if d.ids[0] == "B" and d.what == "site"}
    _, free = held(other, plan, some)
    assert {d.ids[0] for d in decisions_of(free) if d.what == "halls" and tiny.P1 in d.ids} >= {"B"}
    # halls take 12 months: by 2028-01-01 those of January 2029 are started
    kept, new = held(other, plan, some, nothing_else_until=date(2028, 1, 1))
    assert not kept.lost
    begun = [d for d in decisions_of(new) if d.what == "halls"]
    assert begun
    assert all(tiny.P2 in d.ids for d in begun)


def leased(usd_per_kw_month: float, **terms: Any) -> Prepared:
    """The tiny world with a hall for rent; work that is turned away is dear."""
    offer = tiny.lease("V", 12.0, usd_per_kw_month=usd_per_kw_month, **terms)
    site = tiny.site("V", max_it_mw=12.0, land_musd=0.0)
    work = {
        name: {**asked, "ref_mw": 300, "shortfall_musd_per_mw_year": 90}
        for name, asked in tiny.SCENARIO["demand"]["workloads"].items()
    }
    tables = {"sites": [*tiny.TABLES["sites"], site], "leases": [offer]}
    return made(tables=tables, demand={"workloads": work})


def test_a_lease_is_held_with_its_mw():
    before = solved(leased(20.0))
    (lease,) = before.leases
    assert lease.it_mw == pytest.approx(12)
    assert lease.since == tiny.P0
    half = tiny.changed(before, "leases", {"site_id": "V"}, it_mw=7.0)
    asked = {
        d: v for d, v in decisions_of(half).items() if d.ids[0] == "V" and d.what != "hardware"
    }
    assert asked == {Decision("site", ("V",)): 1.0, Decision("lease", ("V",)): 7.0}
    dear = leased(90_000.0)
    assert not solved(dear).leases
    kept, new = held(dear, half, asked)
    assert not kept.lost
    assert [(row.since, row.it_mw) for row in new.leases] == [(tiny.P0, pytest.approx(7))]
    kept, _ = held(made(), half, {Decision("lease", ("V",)): 7.0})
    assert [row.why for row in kept.lost] == ["there is no candidate V to choose"]


@pytest.mark.parametrize(
    ("terms", "since"),
    [
        ({}, tiny.P1),  # it begins in January 2028, which is decided by then; January 2029 is not
        ({"kind": "powered_shell", "ready_date": date(2026, 1, 1)}, tiny.P2),  # a year of fit-out
        ({"reply_by": date(2028, 2, 1)}, tiny.P1),
        ({"reply_by": date(2027, 12, 1)}, None),  # not answered means no
    ],
)
def test_no_other_lease_is_signed_by_the_day(terms, since):
    world = leased(20.0, **terms)
    record = world.scenario.model_dump(by_alias=True) | {"leases": {"fit_out_months": 12}}
    world = worlds.prepared(Scenario.model_validate(record), world.candidates)
    _, new = held(world, tiny.plan(), {}, nothing_else_until=date(2028, 1, 1))
    assert [row.since for row in new.leases] == ([] if since is None else [since])


def test_what_no_longer_exists_is_told(plan):
    asked = decisions_of(plan)
    gone = {**tiny.TABLES, "sites": [s for s in tiny.TABLES["sites"] if s["site_id"] != "B"]}
    for table in ("ties", "site_regions", "reach"):
        gone[table] = [r for r in gone[table] if r["site_id"] != "B"]
    other = made(tables={k: gone[k] for k in ("sites", "ties", "site_regions", "reach")})
    kept, new = held(other, plan, asked)
    lost = {row.decision for row in kept.lost}
    assert lost >= {d for d in asked if d.ids[0] == "B"}
    assert all("B" in row.why for row in kept.lost if row.decision.ids[0] == "B")
    now = decisions_of(new)
    for decision, amount in asked.items():
        if decision not in lost:
            assert now[decision] == pytest.approx(amount, abs=1e-5)
    assert {d.ids[0] for d in asked if d not in lost} == {"A", "C", "O1"}


def test_a_letter_of_fewer_mw_cuts_what_hangs_on_it(plan):
    asked = decisions_of(plan)
    offers = [{**tiny.OFFERS[0], "mw_total": 6.0}]
    kept, new = held(made(tables={"offers": offers}), plan, asked, weights=weights_of(
        actions_of(tiny.scenario(), tiny.candidates(), plan)))  # fmt: skip
    cut = {row.decision: row for row in kept.lost}
    assert Decision("offer", ("O1",)) in cut
    row = cut[Decision("offer", ("O1",))]
    assert row.held == pytest.approx(6.0, abs=1e-4)
    assert row.unit == "grid MW"
    assert row.lost == pytest.approx(asked[row.decision] - 6.0, abs=1e-4)
    # halls of B stand all the same: they are fed by another tie, or by nothing
    halls = {d: v for d, v in asked.items() if d.what == "halls"}
    assert halls.items() <= decisions_of(new).items()
    assert max(r.grid_mw for r in new.grid if r.poi_id == "Q") <= 6.0 + 1e-3


def test_held_decisions_that_money_cannot_pay_are_reduced(plan):
    asked = decisions_of(plan)
    spent = sum(row.musd for row in plan.cash)
    other = made(budget_musd={2026: 0.6 * spent}, budget_carry_over=True)
    kept, new = held(other, plan, asked)
    assert kept.lost
    assert all(row.why == "limits leave no room for all of it" for row in kept.lost)
    assert sum(row.musd for row in new.cash) <= 0.6 * spent * (1 + 1e-6)
    told = {row.decision: row.held for row in kept.rows}
    now = decisions_of(new)
    for decision, amount in told.items():
        assert now.get(decision, 0.0) == pytest.approx(amount, abs=1e-4)


@pytest.mark.parametrize("seed", range(0, 64, 4))
def test_plans_of_random_worlds_are_held_whole_where_nothing_changed(seed):
    world = worlds.prepared(*worlds.world(seed, 3 + seed % 5))
    outcome, plan = Planner(world, LIMITS).solve(None)
    if plan is None:
        pytest.skip("a world without a plan")
    asked = decisions_of(plan)
    planner = Planner(world, LIMITS)
    kept = hold_plan(planner, plan, asked)
    assert kept.start is not None
    assert not kept.lost
    again, new = planner.solve(planner.complete(kept.start))
    assert new is not None
    assert again.objective == pytest.approx(outcome.objective, rel=2e-5, abs=1e-4)
    now = decisions_of(new)
    assert {d: now.get(d, 0.0) for d in asked} == {
        d: pytest.approx(v, abs=1e-4) for d, v in asked.items()
    }


@pytest.mark.parametrize("seed", range(1, 64, 4))
def test_plans_of_random_worlds_are_held_as_far_as_less_mw_and_dearer_halls_allow(seed):
    asked, places = worlds.world(seed, 3 + seed % 5)
    _, plan = Planner(worlds.prepared(asked, places), LIMITS).solve(None)
    if plan is None:
        pytest.skip("a world without a plan")
    record = asked.model_dump(by_alias=True)
    for hall in () if record["halls"] == "none" else record["halls"]:
        hall["capex_musd_per_mw"] *= 1.2
    record["power"]["headroom_pct"] *= 0.8
    offers = places.offers.assign(mw_total=places.offers["mw_total"] * 0.8)
    places = dataclasses.replace(places, offers=offers)
    world = worlds.prepared(Scenario.model_validate(record), places)
    planner = Planner(world, LIMITS)
    kept = hold_plan(planner, plan, decisions_of(plan))
    out, new = planner.solve(None if kept.start is None else planner.complete(kept.start))
    if kept.start is None:
        assert out.status == "infeasible"
        return
    assert new is not None
    assert judge(world.scenario, world.layers, world.candidates, new) == []
    now = decisions_of(new)
    for row in kept.rows:
        assert row.held <= row.asked + 1e-5
        assert bool(row.why) == (row.held < row.asked - 1e-5)
        assert now.get(row.decision, 0.0) == pytest.approx(row.held, abs=1e-4)


def test_what_the_plan_has_in_no_period_of_today_is_told(plan):
    moved = tiny.changed(plan, "sites", {"site_id": "A"}, opened="2031-01-01")
    kept, _ = held(made(), moved, decisions_of(moved))
    assert "there is no period 2031-01-01" in " ".join(row.why for row in kept.lost)


def test_a_plan_that_does_not_say_its_kv_means_the_only_tie(plan):
    bare = tiny.changed(plan, "ties", {"site_id": "B"}, kv=None)
    kept, new = held(made(), bare, {d: 1.0 for d in decisions_of(bare) if d.what == "tie"})
    assert not kept.lost
    assert ("B", "Q", tiny.P1, 230.0) in {(t.site_id, t.poi_id, t.since, t.kv) for t in new.ties}
