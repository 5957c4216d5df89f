"""Power swings by hand: contracted MW above nameplate, or batteries that flatten them."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from helpers import tiny
from helpers.worlds import prepared

from sitepick.checks import judge
from sitepick.finding import Finding
from sitepick.layers.types import Layers
from sitepick.planner import Planner
from sitepick.scenario.schema import Scenario
from sitepick.solution import Solution
from sitepick.solve.outcome import Limits

PLACES = tiny.candidates(
    **{
        **{key: [] for key in tiny.COLUMNS},
        "sites": [tiny.site("A", max_it_mw=100.0, land_musd=0.0)],
        "pois": [tiny.poi("P", headroom_mw=60.0, demand_usd_per_kw_month=5.0)],
        "ties": tiny.rows(("A", "P", 138.0, 0.0, 200.0), of="ties"),
    }
)


def scenario(swing_pct: float, usd_per_kwh: float | None) -> Scenario:
    """Return 50 MW of training at PUE 1 and a demand charge of 0.06 MUSD per MW and year."""
    battery = None if usd_per_kwh is None else {
        "usd_per_kwh": usd_per_kwh, "hours": 1, "life_years": 10, "lead_months": 0,
    }  # fmt: skip
    return Scenario.model_validate({
        "version": 1,
        "as_of": "2026-01-01",
        "periods": {"from": "2028", "to": "2028"},
        "money": {"price_year": 2026, "discount_rate_pct": 0},
        "candidates": {"source": "parcels"},
        "power": {"tie_months": 0, "tie_fixed_musd": 0, "energy_usd_per_mwh": 0, "wait_years": 0},
        "halls": "none",
        "hardware": "none",
        "flexible": {"battery": battery},
        "demand": {"workloads": {"train": {"ref_mw": 50, "power_swing_pct": swing_pct,
                                           "shortfall_musd_per_mw_year": 9}}},
    })  # fmt: skip


def solved(asked: Scenario) -> tuple[Solution, list[Finding]]:
    _, plan = Planner(prepared(asked, PLACES), Limits(gap=1e-9)).solve(None)
    assert plan is not None
    return plan, judge(asked, Layers(), PLACES, plan)


def grid_mw(plan: Solution) -> float:
    return sum(row.grid_mw for row in plan.grid)


# without batteries 60 grid MW carry 60 / 1.25 = 48 MW of work that swings by a quarter
@pytest.mark.parametrize(("swing_pct", "served", "contracted"),
                         [(0, 50, 50), (10, 50, 55), (25, 48, 60)])  # fmt: skip
def test_swings_ask_for_contracted_mw(swing_pct: float, served: float, contracted: float) -> None:
    plan, wrong = solved(scenario(swing_pct, None))
    assert wrong == []
    assert sum(row.ref_mw for row in plan.serve) == pytest.approx(served)
    assert grid_mw(plan) == pytest.approx(contracted)


# a battery MW costs a tenth of its USD per kW a year: 0.05 MUSD at 500, 0.07 at 700; a grid MW
# costs 0.06. As the POI has no more than 60 MW, 2.5 MW are flattened at either price
@pytest.mark.parametrize(("usd_per_kwh", "flat"), [(500, 12.5), (700, 2.5)])
def test_batteries_flatten_what_they_do_cheaper_than_the_contract(
    usd_per_kwh: float, flat: float
) -> None:
    plan, wrong = solved(scenario(25, usd_per_kwh))
    assert wrong == []
    assert sum(row.mw for row in plan.smoothed) == pytest.approx(flat)
    assert sum(row.bought_mw for row in plan.batteries) == pytest.approx(flat)
    assert grid_mw(plan) == pytest.approx(62.5 - flat)
    assert plan.npc_musd["battery"] == pytest.approx(flat * usd_per_kwh / 1000 / 10)


def test_a_plan_made_wrong_is_caught_with_its_amount() -> None:
    asked = scenario(25, 500)
    plan, _ = solved(asked)

    def found(**tables: Any) -> dict[str, float]:
        made = dataclasses.replace(plan, **tables)
        return {f.check: round(f.amount, 6) for f in judge(asked, Layers(), PLACES, made)}

    assert found(smoothed=())["power.balance"] == pytest.approx(12.5)
    (row,) = plan.smoothed
    much = found(smoothed=(dataclasses.replace(row, mw=20.0),))
    assert much["swing.most"] == pytest.approx(7.5)
    assert much["swing.battery"] == pytest.approx(7.5)
    assert found(batteries=())["swing.battery"] == pytest.approx(12.5)
