"""Unit costs and break-evens of a world that is solved by hand: one site, 10 IT MW, three years."""

from __future__ import annotations

from datetime import date

import pytest
from helpers import tiny, worlds

from sitepick.errors import ScenarioError
from sitepick.planner import Planner
from sitepick.run import Prepared
from sitepick.scenario.schema import Scenario
from sitepick.solution import Solution
from sitepick.solve.outcome import Limits
from sitepick.studies.breakeven import BreakEvens, Figure, earlier, unit_costs

LIMITS = Limits(gap=1e-6, threads=1)
DISCOUNT = [1.08 ** -((day - date(2026, 1, 1)).days / 365.25 + 0.5)
            for day in (date(2028, 1, 1), date(2029, 1, 1), date(2030, 1, 1))]  # fmt: skip


def world(price: float = 4.0, power: date = date(2028, 1, 1)) -> Prepared:
    """Return a world in which 10 IT MW at PUE 1 pay a yearly cost, a tie, and nothing else."""
    record = {
        **{k: tiny.SCENARIO[k] for k in ("version", "as_of", "periods", "money")},
        "candidates": {"site_fixed_musd": 0, "land_musd_per_ha": 0},
        "power": {"load_factor_pct": 100, "tie_fixed_musd": 8, "tie_months": 12,
                  "substation_musd_per_mw": 0},
        "halls": "none",
        "hardware": "none",
        "demand": {"it_mw": 10, "shortfall_musd_per_mw_year": price},
    }  # fmt: skip
    tables = tiny.candidates(
        sites=[tiny.site("A")],
        pois=[tiny.poi("P", headroom_mw=10.0, from_date=power, demand_usd_per_kw_month=5.0)],
        ties=tiny.rows(("A", "P", 138.0, 0.0, 200.0), of="ties"),
        site_regions=[], regions=[], places=[], reach=[], offers=[],
    )  # fmt: skip
    return worlds.prepared(Scenario.model_validate(record), tables)


def solved(prepared: Prepared) -> Solution:
    _, plan = Planner(prepared, LIMITS).solve(None)
    assert plan is not None
    return plan


def by_name(figures: tuple[Figure, ...]) -> dict[str, Figure]:
    return {f.name: f for f in figures}


def test_unit_costs_by_hand() -> None:
    prepared = world()
    plan = solved(prepared)
    years = 10 * sum(DISCOUNT)  # IT MW-years, and ref_mw-years as nothing else is bought
    # energy 50 USD/MWh, 5 USD/kW-month of 10 grid MW, and the tie
    yearly = 10 * 8760 * 50 / 1e6 + 10 * 5 * 12 / 1000
    assert plan.npc_musd["energy"] + plan.npc_musd["demand_charge"] == pytest.approx(
        yearly * sum(DISCOUNT), rel=1e-6
    )
    found = by_name(unit_costs(prepared.scenario, plan))
    cost = plan.net_present_cost_musd
    assert found["npc_per_it_mw_year"].value == pytest.approx(cost / years, rel=1e-6)
    assert found["npc_per_it_kw_month"].value == pytest.approx(cost / years * 1e3 / 12, rel=1e-6)
    assert found["npc_per_ref_kw_hour"].value == pytest.approx(cost / years * 1e3 / 8760, rel=1e-6)


def test_the_price_below_which_work_is_turned_away() -> None:
    prepared = world()
    plan = solved(prepared)
    assert plan.penalty_musd == 0
    found = by_name(BreakEvens(prepared, plan, LIMITS).prices(8))
    # all or nothing: the tie is the fixed part, so the plan falls where its cost per MW-year is
    truth = plan.net_present_cost_musd / (10 * 4.0 * sum(DISCOUNT))
    below = found["price_below"]
    assert below.low is not None
    assert below.high is not None
    assert below.low <= truth <= below.high
    assert below.high - below.low == pytest.approx(2**-8)
    assert found["price_above"].value is None
    assert "no work is turned away" in found["price_above"].meaning
    # a scenario without hardware asks for IT MW, and its one workload has no name of its own
    assert "(the scenario: 4 MUSD (real, 2026) per IT MW and year)" in below.meaning


def test_the_price_above_which_work_is_served() -> None:
    worth = solved(world())
    truth = worth.net_present_cost_musd / (10 * sum(DISCOUNT))  # MUSD per MW-year
    prepared = world(price=truth / 1.7)
    plan = solved(prepared)
    assert plan.sites == ()
    above = by_name(BreakEvens(prepared, plan, LIMITS).prices(7))["price_above"]
    assert above.low is not None
    assert above.high is not None
    assert above.low <= 1.7 <= above.high
    assert above.high - above.low <= 2**-6


def test_power_a_year_earlier() -> None:
    late, early = world(power=date(2029, 1, 1)), world()
    plan, other = solved(late), solved(early)
    found = by_name(BreakEvens(late, plan, LIMITS).earlier())
    saved = sum(plan.npc_musd.values()) - sum(other.npc_musd.values())
    assert saved > 0
    saves, per = found["year_earlier_saves"], found["year_earlier_per_mwh"]
    assert saves.value == pytest.approx(saved, rel=1e-4)
    assert saves.low is not None
    assert saves.high is not None
    assert saves.low - 1e-6 <= saved <= saves.high + 1e-6
    mwh = 10 * 8760 * sum(DISCOUNT)
    assert per.value == pytest.approx(saved * 1e6 / mwh, rel=1e-4)


def test_only_cost_breaks_even() -> None:
    prepared = worlds.prepared(tiny.scenario(objective="max_compute"), tiny.candidates())
    with pytest.raises(ScenarioError, match="break-evens are of cost"):
        BreakEvens(prepared, tiny.plan(), LIMITS)


def test_what_comes_earlier() -> None:
    tables = tiny.candidates(queue=tiny.rows(("P", 0.0, 2.5, "r"), ("P", 50.0, 0.5, "r"),
                                             of="queue"))  # fmt: skip
    prepared = worlds.prepared(tiny.scenario(power={"wait_years": 3}), tables)
    made = earlier(prepared, 12)
    assert made.scenario.power.wait_years == 2
    assert list(made.candidates.queue["years"]) == [1.5, 0.0]
    assert list(made.candidates.offers["from_date"]) == [date(2027, 1, 1), date(2028, 6, 1)]
    pois = made.candidates.pois.set_index("poi_id")["from_date"]
    assert pois["P"] == date(2027, 1, 1)
    assert pois["Q"] is None
    assert pois["R"] == prepared.scenario.as_of  # of 2027-01-01: not before the plan is made
    assert prepared.candidates.offers["from_date"][0] == date(2028, 1, 1)
