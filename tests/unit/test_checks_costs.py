"""Net present cost and cash against figures worked out by hand for the tiny world.

Rate 8 %, as_of 2026-01-01, periods 2028, 2029, 2030 (730, 1096 and 1461 days later):
discount 1.08^-(730/365.25 + 0.5) = 0.82506158, and so on; the other constants below by
their textbook formulas.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import pandas as pd
import pytest
from helpers import tiny
from helpers.tiny import P1, P2, added, changed

from sitepick.checks import cash, costs, judge
from sitepick.checks.case import Case
from sitepick.layers.types import Layers
from sitepick.solution import CashRow, EnterRow, GridRow, HallRow, OfferRow, TieRow, UpgradeRow

D0, D1, D2 = 0.8250615833761737, 0.7638251930237377, 0.7072828056240721
FROM_0, FROM_1 = D0 + D1 + D2, D1 + D2
CRF_3, CRF_5 = 0.388033514046328, 0.2504564545668364
CRF_20, CRF_30 = 0.10185220882315059, 0.08882743338727227
F_6, F_9, F_12, F_24 = (  # months of lead time
    1.0194894445862748, 1.0294237780675883, 1.0394869770342163, 1.0810664561155847
)  # fmt: skip
PLAN = tiny.plan()


def case(plan: Any = PLAN, places: dict[str, Any] | None = None, **asked: Any) -> Case:
    return Case(tiny.scenario(**asked), tiny.candidates(**(places or {})), plan)


def test_every_term_by_hand() -> None:
    found = costs.terms(case())
    wanted = {
        # 20 MW x 10 MUSD/MW in 2028, 20 x 12 in 2029; 20 years, 12 months
        "facility": F_12 * CRF_20 * (200 * FROM_0 + 240 * FROM_1),
        # A 20 x 20 in 2028 and C 8 x 20 in 2030 (5 years, 6 months); B 15 x 40 (3 years, 9 months)
        "it": F_6 * CRF_5 * (400 * FROM_0 + 160 * D2) + F_9 * CRF_3 * 600 * FROM_1,
        # A 5 km x 1.4 + 8, B 0 km + 8 (24 months); substations 20 x 1.4 x 0.3 and 20 x 1.2 x 0.3
        "ties": F_24 * CRF_30 * (15 * FROM_0 + 8 * FROM_1)
        + F_12 * CRF_30 * (8.4 * FROM_0 + 7.2 * FROM_1),
        # A asks 6 MUSD; B 20 MW x 0.1 ha x 0.5 MUSD when it builds
        "land": 0.08 * (F_24 * 6 * FROM_0 + F_12 * 1 * FROM_1),
        "site": F_24 * CRF_30 * (3 * FROM_0 + (3 + 2) * FROM_1),
        "fiber": F_24 * CRF_20 * 10 * 0.06 * FROM_0,
        "onsite": 0.0,
        "onsite_running": 0.0,
        "rent": 0.0,
        "upgrades": 0.0,
        "security": 0.08 * 0.1 * 30 * FROM_0,
        "entry": 0.0,
        # mean MW: A 0.8 x 1.2 x 20, C 0.8 x 1.2 x 8, B 0.8 x 1.1 x 15
        "energy": ((19.2 + 7.68) * 50 * FROM_0 + 13.2 * 40 * FROM_1) * 8760 / 1e6,
        # A 28 MW, and 60 % of O1's 30 MW from 2028 on, which is what B takes later
        "demand_charge": (28 + 18) * 5 * 12 / 1000 * FROM_0,
        # halls 20 x 0.2 + 10 x 0.2, chips 2 % of 560, 2 sites; then 20 x 0.3, 3 % of 600, 1 site
        "om": (4 + 2 + 11.2 + 2) * FROM_0 + (6 + 18 + 1) * FROM_1,
        "transport": 0.4 * 0.2 * FROM_1,
        "battery": 0,
        "curtailed": 0,
        "penalty": (1 + 0.4) * 10 * D0,
    }
    assert found == pytest.approx(wanted, rel=1e-12)
    assert sum(found.values()) == pytest.approx(845.28672, abs=1e-4)


def test_cash_by_hand() -> None:
    paid = cash.payments(case())
    assert paid == pytest.approx(
        {
            (2026, "land"): 3, (2027, "land"): 3, (2028, "land"): 1,
            (2026, "site"): 1.5, (2027, "site"): 1.5 + 2.5, (2028, "site"): 2.5,
            (2026, "fiber"): 0.3, (2027, "fiber"): 0.3,
            (2026, "ties"): 7.5, (2027, "ties"): 7.5 + 8.4 + 4, (2028, "ties"): 4 + 7.2,
            (2027, "facility"): 200, (2028, "facility"): 240,
            (2027, "it"): 400, (2028, "it"): 600, (2029, "it"): 160,
            (2027, "security"): 3,
        }
    )  # fmt: skip


def test_security_without_reply_date_is_paid_now() -> None:
    rows = [{**row, "reply_by": None} for row in tiny.OFFERS]
    paid = cash.payments(case(places={"offers": rows}))
    assert paid[2026, "security"] == pytest.approx(3)


def test_cash_of_several_calendar_years_is_even_by_month() -> None:
    late = [{**row, "build_months": 17.5} if row["id"] == "std" else row for row in tiny.HALLS]
    paid = cash.payments(case(halls=late))
    # 18 months before 2028-01-01: six of 2026, twelve of 2027
    assert paid[2026, "facility"] == pytest.approx(200 * 6 / 18)
    assert paid[2027, "facility"] == pytest.approx(200 * 12 / 18)


def test_upgrades_by_hand() -> None:
    plan = added(PLAN, "offers", OfferRow("O2", "Q", 5.0))
    plan = added(plan, "upgrades", UpgradeRow("P", P1, 2))
    power = {"upgrade_step": {"mw": 10, "musd": 20, "lead_months": 24, "max_steps": 2}}
    found = costs.terms(case(plan, power=power))["upgrades"]
    # O2 (5 MUSD) is active from 2030 and has no lead time; two steps stand from 2029
    assert found == pytest.approx(CRF_30 * (5 * D2 + F_24 * 40 * FROM_1))
    assert cash.payments(case(plan, power=power))[2030, "upgrades"] == pytest.approx(5)


def test_entry_by_hand() -> None:
    plan = added(PLAN, "entered", EnterRow("state", "S1", P1), EnterRow("state", "S2", None))
    asked = {"regions": {"rules": [{"level": "state", "entry_musd": 5}]}}
    assert costs.terms(case(plan, **asked))["entry"] == pytest.approx(CRF_30 * 5 * FROM_1)
    assert cash.payments(case(plan, **asked))[2029, "entry"] == pytest.approx(5)


def test_capex_factors_and_price_years_multiply() -> None:
    plan = changed(PLAN, "halls", {"site_id": "C", "period": P2}, halls=2, built=1)
    before = costs.terms(case())["facility"]
    rule = {"regions": {"rules": [{"level": "state", "ids": "S2", "capex_factor": 1.2}]}}
    found = costs.terms(case(plan, **rule))
    # S2 has 1.1 in its own table; 10 MW x 10 MUSD
    more = F_12 * CRF_20 * 100 * 1.1 * 1.2 * D2
    assert found["facility"] - before == pytest.approx(more)
    dated = [{**row, "price_year": 2024} for row in tiny.HALLS]
    assert costs.terms(case(halls=dated))["facility"] == pytest.approx(before * 1.025**2)
    items = [{**row, "price_year": 2024} for row in tiny.HARDWARE]
    assert costs.terms(case(hardware=items))["it"] == pytest.approx(
        costs.terms(case())["it"] * 1.025**2
    )


def test_a_retrofit_pays_no_land_and_no_substation() -> None:
    plan = changed(PLAN, "halls", {"site_id": "B", "period": P2}, halls=1, converted_out=1)
    plan = added(plan, "halls", HallRow("B", "retro", P2, 1, 0, 1, 0))
    before, found = costs.terms(case()), costs.terms(case(plan))
    assert found["facility"] - before["facility"] == pytest.approx(F_6 * CRF_20 * 48 * D2)
    assert found["om"] - before["om"] == pytest.approx((12 * 0.25 - 10 * 0.3) * D2)
    assert (found["land"], found["ties"]) == pytest.approx((before["land"], before["ties"]))


def test_diverse_laterals_cost_double() -> None:
    once, twice = costs.terms(case())["fiber"], costs.terms(case(fiber={"diverse": True}))["fiber"]
    assert twice == pytest.approx(2 * once)


def test_transport_by_distance_where_none_was_measured() -> None:
    asked = {
        "demand": {**tiny.SCENARIO["demand"], "transport_usd_per_mw_km_year": 1000},
    }
    # C serves 2 at 400 km and 5.6 at 600 km; B's cost to Y is measured
    wanted = (2 * 400 + 5.6 * 600) * 1000 / 1e6 * FROM_0 + 0.4 * 0.2 * FROM_1
    assert costs.terms(case(**asked))["transport"] == pytest.approx(wanted)


def split() -> Any:
    """Return the plan with B on two ties, 10 grid MW at Q (40 USD) and 8 at P (50 USD, cleaner)."""
    plan = added(PLAN, "ties", TieRow("B", "P", P1))
    plan = changed(plan, "grid", {"site_id": "B"}, grid_mw=10.0)
    return added(plan, "grid", *(GridRow("B", "P", p, 8.0) for p in (P1, P2)))


def test_energy_goes_through_the_cheapest_tie_first() -> None:
    found = costs.terms(case(split()))["energy"]
    # of 13.2 mean MW, 0.8 x 10 at Q
    by_b = (8.0 * 40 + 5.2 * 50) * FROM_1
    assert found == pytest.approx(((19.2 + 7.68) * 50 * FROM_0 + by_b) * 8760 / 1e6)


def test_a_dearer_split_passes_only_under_a_carbon_limit() -> None:
    for asked, verdict in (({}, ["costs.energy"]), ({"limits": {"co2_kt_per_year_max": 1e4}}, [])):
        plan = tiny.settled(tiny.scenario(**asked), tiny.candidates(), split())
        extra = (1.0 * 50 - 1.0 * 40) * 8760 / 1e6 * FROM_1  # 1 MW moved from Q to P
        dear = {**plan.npc_musd, "energy": plan.npc_musd["energy"] + extra}
        plan = dataclasses.replace(plan, npc_musd=dear, objective=sum(dear.values()))
        found = judge(tiny.scenario(**asked), Layers(), tiny.candidates(), plan)
        assert [f.check for f in found if not f.check.startswith("claims.gap")] == verdict


def test_carbon_is_judged_by_the_cleanest_split() -> None:
    # A 19.2 and C 7.68 MW at 400; B 6.4 MW at P at 400 and 6.8 MW at Q at 500 kg/MWh
    kt = (33.28 * 400 + 6.8 * 500) * 8760 / 1e6
    asked = {"limits": {"co2_kt_per_year_max": kt}}
    assert tiny.judged(split(), tiny.scenario(**asked)) == []
    asked = {"limits": {"co2_kt_per_year_max": kt - 1}}
    found = tiny.judged(split(), tiny.scenario(**asked))
    assert [(f.check, round(f.amount, 9)) for f in found] == [("limits.co2", 1.0)] * 2


@pytest.mark.parametrize("term", costs.TERMS)
def test_a_wrong_term_is_found(term: str) -> None:
    plan = tiny.settled(tiny.scenario(), tiny.candidates(), PLAN)
    wrong = {**plan.npc_musd, term: plan.npc_musd.get(term, 0.0) + 0.01}
    plan = dataclasses.replace(plan, npc_musd=wrong, objective=sum(wrong.values()))
    found = judge(tiny.scenario(), Layers(), tiny.candidates(), plan)
    found = [f for f in found if not f.check.startswith("claims.gap")]
    assert [(f.check, f.unit) for f in found] == [(f"costs.{term}", "MUSD")]
    assert found[0].amount == pytest.approx(0.01, rel=1e-6)


def test_an_unknown_term_and_a_term_that_is_no_number_are_found() -> None:
    plan = tiny.settled(tiny.scenario(), tiny.candidates(), PLAN)
    for extra, check in (({"coffee": 2.0}, "costs.unknown"), ({"om": float("nan")}, "costs.om")):
        wrong = dataclasses.replace(plan, npc_musd={**plan.npc_musd, **extra})
        found = judge(tiny.scenario(), Layers(), tiny.candidates(), wrong)
        assert check in {f.check for f in found}


def test_wrong_cash_is_found() -> None:
    plan = tiny.settled(tiny.scenario(), tiny.candidates(), PLAN)
    wrong = changed(plan, "cash", {"year": 2027, "category": "it"}, musd=399.0)
    wrong = added(wrong, "cash", CashRow(2031, "land", 2.0))
    found = judge(tiny.scenario(), Layers(), tiny.candidates(), wrong)
    assert [(f.check, f.where) for f in found] == [("cash", "it, 2027"), ("cash", "land, 2031")]
    assert [f.amount for f in found] == pytest.approx([1, 2])


def test_min_take_is_billed_where_it_is_more_than_contracted() -> None:
    rows = [{**r, "min_take_pct": 90.0} if r["offer_id"] == "O1" else r for r in tiny.OFFERS]
    found = costs.terms(case(places={"offers": rows}))["demand_charge"]
    assert found == pytest.approx((28 + 27) * 5 * 12 / 1000 * FROM_0)


def test_tie_km_cost_takes_the_nearest_voltage() -> None:
    rows = [{**r, "kv": 300.0} if r["site_id"] == "A" else r for r in tiny.TABLES["ties"]]
    # 300 kV: 345 (2.2 MUSD/km) is nearer than 230
    more = costs.terms(case(places={"ties": rows}))["ties"] - costs.terms(case())["ties"]
    assert more == pytest.approx(F_24 * CRF_30 * 5 * (2.2 - 1.4) * FROM_0)


def test_dates_may_be_timestamps() -> None:
    rows = [
        {**r, "from_date": pd.Timestamp(r["from_date"]), "reply_by": pd.NaT} for r in tiny.OFFERS
    ]
    assert cash.payments(case(places={"offers": rows}))[2026, "security"] == pytest.approx(3)
