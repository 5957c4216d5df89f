"""Leased halls by hand: what they cost, and plans made wrong that the check must find.

V is colocation of class `std` (PUE 1.2) for two years from 2028: 10 IT MW `old`, gone in 2030.
W is a shell of class `liq` from 2029, kept: 8 IT MW `new`. Both idle: they serve nothing.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from helpers import tiny
from helpers.tiny import P0, P1, P2, added, changed, dropped

from sitepick.checks import costs, judge
from sitepick.checks.case import Case
from sitepick.checks.limits import co2_kt_per_year
from sitepick.exports.costs import site_costs
from sitepick.finding import Finding
from sitepick.layers.types import Layers
from sitepick.solution import HallRow, ItRow, LeaseRow, SiteRow, Solution

D0, D1, D2 = 0.8250615833761737, 0.7638251930237377, 0.7072828056240721  # as in test_checks_costs
CRF_20 = 0.10185220882315059
F_9 = 1.0294237780675883
V = tiny.lease("V", 12.0, it_mw_min=4.0)
W = tiny.lease(
    "W", 8.0, kind="powered_shell", ready_date=date(2028, 4, 1), renews=True, hall="liq",
    kw_per_rack=150.0, liquid=True, power_included=True, usd_per_kw_month=30.0, term_years=5.0,
)  # fmt: skip


def places(*offers: dict[str, Any]) -> Any:
    sites = [tiny.site(o["site_id"], max_it_mw=o["it_mw_max"], land_musd=0.0) for o in offers]
    return tiny.candidates(sites=[*tiny.TABLES["sites"], *sites], leases=list(offers))


def plan() -> Solution:
    made = added(tiny.plan(), "sites", SiteRow("V", P0), SiteRow("W", P1))
    made = added(
        made, "leases", LeaseRow("V", "std", P0, P2, 10.0), LeaseRow("W", "liq", P1, None, 8.0)
    )
    return added(
        made, "it",
        ItRow("V", "std", "old", P0, 10.0, 10.0), ItRow("V", "std", "old", P1, 10.0, 0.0),
        ItRow("W", "liq", "new", P1, 8.0, 8.0), ItRow("W", "liq", "new", P2, 8.0, 0.0),
    )  # fmt: skip


def found(made: Solution, offers: tuple[dict[str, Any], ...] = (V, W), **asked: Any) -> Any:
    return tiny.judged(made, tiny.scenario(**asked), places(*offers))


def one(findings: list[Finding], check: str) -> Finding:
    mine = [f for f in findings if f.check == check]
    assert len(mine) == 1, [str(f) for f in findings]
    return mine[0]


def extra(offers: tuple[dict[str, Any], ...] = (V, W), **asked: Any) -> dict[str, float]:
    """Return what the leased halls add to each cost term."""
    with_them = costs.terms(Case(tiny.scenario(**asked), places(*offers), plan()))
    without = costs.terms(Case(tiny.scenario(**asked), tiny.candidates(), tiny.plan()))
    return {k: v - without[k] for k, v in with_them.items() if abs(v - without[k]) > 1e-12}


def test_the_plan_is_right() -> None:
    assert found(plan()) == []


def test_every_cost_by_hand() -> None:
    wanted = {
        # 10 MW x 150 USD x 12 in 2028 and 2029; 8 MW x 30 x 12 from 2029 on
        "rent": 18 * (D0 + D1) + 2.88 * (D1 + D2),
        # 70 % of 12 MUSD/MW over 20 years, 9 months before
        "facility": F_9 * CRF_20 * 0.7 * 12 * 8 * (D1 + D2),
        # 0.8 x 1.2 x 10 mean MW at 60 USD; W's energy is in its rent
        "energy": 9.6 * 8760 * 60 / 1e6 * (D0 + D1),
        # the shell's own 0.3 per MW, chips 2 % of 200 and 3 % of 320; no site cost of 1 a year
        "om": 2.4 * (D1 + D2) + 4 * (D0 + D1) + 9.6 * (D1 + D2),
        "it": 1.0194894445862748 * 0.2504564545668364 * 200 * (D0 + D1 + D2)
        + F_9 * 0.388033514046328 * 320 * (D1 + D2),
    }
    assert extra() == pytest.approx(wanted, rel=1e-9)


def test_outputs_charge_leases_like_the_check() -> None:
    asked, where = tiny.scenario(), places(V, W)
    terms = costs.terms(Case(asked, where, plan()))
    by_site = site_costs(asked, where, plan()).present_musd
    for term in ("rent", "facility", "energy", "om"):
        total = sum(musd for (_, name), musd in by_site.items() if name == term)
        assert total == pytest.approx(terms[term], rel=1e-9), term
    assert by_site["V", "rent"] == pytest.approx(18 * (D0 + D1))


def test_rent_of_another_year_escalates_on_each_anniversary() -> None:
    # 3 % inflation twice, then 5 % a year against it; paid for a year and a half
    steep = {**V, "price_year": 2024, "escalation_pct": 5.0, "term_years": 1.5}
    asked: dict[str, Any] = {"money": {"inflation_pct": 3}}
    short = Case(tiny.scenario(**asked), places(steep, W), plan())
    first = 18 * 1.03**2
    w = 2.88 * (D1 + D2)
    wanted = first * D0 + 0.5 * first * 1.05 / 1.03 * D1 + w
    assert costs.terms(short)["rent"] == pytest.approx(wanted, rel=1e-12)
    # a year and a half covers one whole period: the MW are gone in 2029
    findings = found(plan(), (steep, W), **asked)
    assert one(findings, "leases.term").where == "site V"
    assert one(findings, "leases.fit").amount == pytest.approx(10)


def test_own_pue_and_carbon() -> None:
    cold = {**V, "pue_avg": 1.1}
    case = Case(tiny.scenario(), places(cold, W), plan())
    kt = 0.8 * 1.1 * 10 * 8760 * 300 / 1e6
    assert co2_kt_per_year(case, ["V"], 0) == pytest.approx(kt)
    assert case.pue("V", "std", "peak") == pytest.approx(1.4)
    assert Case(tiny.scenario(), places({**V, "pue_avg": 1.5}, W), plan()).pue(
        "V", "std", "peak"
    ) == pytest.approx(1.5)


def test_without_a_grid_energy_and_carbon_are_not_modelled() -> None:
    case = Case(tiny.scenario(power={"model": "none"}), places(V, W), plan())
    assert costs.terms(case)["energy"] == 0
    assert co2_kt_per_year(case, ["V"], 0) == 0


WRONG: dict[str, tuple[Any, str, float]] = {
    "more IT than leased": (
        lambda p: changed(p, "leases", {"site_id": "V"}, it_mw=7.0), "leases.fit", 3.0),
    "more than is offered": (
        lambda p: changed(p, "leases", {"site_id": "W"}, it_mw=9.5), "leases.most", 1.5),
    "less than must be taken": (
        lambda p: changed(dropped(p, "it", site_id="V"), "leases", {"site_id": "V"}, it_mw=1.0),
        "leases.least", 3.0),
    "before the shell is fitted out": (
        lambda p: changed(
            changed(p, "leases", {"site_id": "W"}, since=P0), "sites", {"site_id": "W"}, opened=P0
        ), "leases.early", 366.0),
    "not when the site opens": (
        lambda p: changed(p, "sites", {"site_id": "V"}, opened=P1), "leases.begin", 1.0),
    "longer than its term": (
        lambda p: changed(p, "leases", {"site_id": "V"}, until=None), "leases.term", 1.0),
    "no lease at all": (lambda p: dropped(p, "leases", site_id="W"), "leases.terms", 1.0),
    "another class": (
        lambda p: changed(p, "leases", {"site_id": "V"}, hall="liq"), "leases.hall", 10.0),
    "hardware that outlives the lease": (
        lambda p: added(p, "it", ItRow("V", "std", "old", P2, 10.0, 0.0)), "leases.fit", 10.0),
    "halls of one's own": (
        lambda p: added(p, "halls", HallRow("V", "std", P0, 1, 1, 0, 0)), "halls.leased", 1.0),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_a_plan_made_wrong_is_found_with_its_amount(name: str) -> None:
    make, check, amount = WRONG[name]
    findings = [f for f in found(make(plan())) if f.check == check]
    assert findings, [str(f) for f in found(make(plan()))]
    assert max(f.amount for f in findings) == pytest.approx(amount, abs=1e-6)


def test_hardware_must_fit_the_racks_and_the_cooling() -> None:
    thin = {**W, "kw_per_rack": 50.0}
    assert one(found(plan(), (V, thin)), "leases.density").amount == pytest.approx(120 - 50)
    dry = {**W, "liquid": False}
    assert one(found(plan(), (V, dry)), "leases.density").amount == pytest.approx(8)


def test_a_cost_that_is_not_stated_is_found() -> None:
    asked, where = tiny.scenario(), places(V, W)
    right = tiny.settled(asked, where, plan())
    cheap = replace(right, npc_musd={k: v for k, v in right.npc_musd.items() if k != "rent"})
    rent = right.npc_musd["rent"]
    lies = one(judge(asked, Layers(), where, cheap), "costs.rent")
    assert lies.amount == pytest.approx(rent)


def test_a_lease_that_nobody_offers_is_a_row_that_cannot_be_judged() -> None:
    asked, where = tiny.scenario(), places(V, W)
    right = tiny.settled(asked, where, plan())
    made = added(right, "leases", LeaseRow("A", "std", P0, None, 4.0))
    unknown = one(judge(asked, Layers(), where, made), "rows.unknown")
    assert unknown.where == "leases: A"
