"""Every MW has a date: waits by region and size, ramps, growth, by hand-computed figures."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest
from helpers import tiny
from helpers.worlds import prepared
from make_layers import pois, regions, scenario, square

from sitepick.candidates import power, queue
from sitepick.candidates.types import Candidates
from sitepick.checks import judge
from sitepick.checks.case import Case
from sitepick.checks.headroom import grown, layer_mw, offer_share
from sitepick.exports.stages import layer_mw as shown_mw
from sitepick.exports.stages import layer_tiers, waits_of
from sitepick.instance import assemble
from sitepick.instance.timeline import Timeline
from sitepick.layers.types import Layers
from sitepick.planner import Planner
from sitepick.solution import Solution
from sitepick.solve.outcome import Limits

STATES = regions(
    {"region_id": "TX", "geometry": square(-97, 32, 3)},
    {"region_id": "LA", "geometry": square(-91, 32, 3)},
    {"level": "county", "region_id": "Dallas", "geometry": square(-96.8, 32.8, 0.3)},
)
WAITING = pois(
    {"poi_id": "A", "at": (-98, 31), "headroom_mw": 200},
    {"poi_id": "B", "at": (-96.8, 32.8), "headroom_mw": 200},
    {"poi_id": "C", "at": (-91, 32), "headroom_mw": 200},
    {"poi_id": "D", "at": (-80, 40), "headroom_mw": 200},
)
RULES: list[dict[str, Any]] = [
    {"level": "state", "region_id": "TX", "years": 2},
    {"level": "state", "region_id": "TX", "over_mw": 75, "years": 3},
    {"level": "county", "region_id": "Dallas", "over_mw": 150, "years": 6},
    {"over_mw": 100, "years": 5},
]


def tiers(rules: list[dict[str, Any]], layers: Layers, **power_keys: Any) -> dict[str, list]:
    asked = scenario(power={"queue": rules, "wait_years": 1, **power_keys})
    found, _ = queue.tiers(asked, layers, power.all_pois(layers))
    rows = zip(found["poi_id"], found["over_mw"], found["years"], found["rule"], strict=True)
    out: dict[str, list] = {}
    for poi, over, years, rule in rows:
        out.setdefault(poi, []).append((over, years, rule))
    return out


def test_for_each_size_the_smallest_region_that_states_a_rule_stands():
    found = tiers(RULES, Layers(pois=WAITING, regions=STATES))
    assert found == {
        "A": [(0, 2, "state TX"), (75, 3, "state TX")],
        "B": [(0, 2, "state TX"), (75, 3, "state TX"), (150, 6, "county Dallas")],
        "C": [(0, 1, "power.wait_years"), (100, 5, "everywhere")],
        "D": [(0, 1, "power.wait_years"), (100, 5, "everywhere")],
    }


def test_larger_sizes_never_come_before_smaller_ones():
    rules = [{"years": 4}, {"over_mw": 50, "years": 2}, {"over_mw": 90, "years": 7}]
    found = tiers(rules, Layers(pois=WAITING))
    assert found["A"] == [(0, 4, "everywhere"), (90, 7, "everywhere")]


def test_a_table_gives_its_percentile_and_rules_of_the_scenario_replace_its_rows():
    nan = float("nan")
    table = pd.DataFrame(
        {
            "level": ["state", "state", "state"], "region_id": ["TX", "TX", "LA"],
            "over_mw": [0.0, 75.0, 0.0], "years": [nan, nan, 2.5], "p10_years": [1.5, 2.0, nan],
            "p50_years": [3.0, 4.0, nan], "p90_years": [5.0, nan, nan], "source": [None] * 3,
        }
    )  # fmt: skip
    layers = Layers(pois=WAITING, regions=STATES, queue=table)
    assert tiers([], layers)["A"] == [(0, 3, "state TX"), (75, 4, "state TX")]
    assert tiers([], layers, queue_percentile="p10")["A"][1] == (75, 2, "state TX")
    assert tiers([], layers, queue_percentile="p90") == {
        "A": [(0, 5, "state TX")], "B": [(0, 5, "state TX")], "C": [(0, 2.5, "state LA")],
    }  # fmt: skip
    own = tiers([{"level": "state", "region_id": "TX", "years": 1}], layers)
    assert own["A"] == [(0, 1, "state TX"), (75, 4, "state TX")]
    asked = scenario(power={"queue_percentile": "p90"})
    _, notes = queue.tiers(asked, layers, power.all_pois(layers))
    assert [(n.code, n.count) for n in notes] == [("queue_blank", 1)]
    far = table.assign(region_id=["48", "48", "22"])
    _, notes = queue.tiers(asked, Layers(pois=WAITING, regions=STATES, queue=far), WAITING[:0])
    assert [n.code for n in notes] == ["queue_blank", "queue_unmatched"]


def test_screening_counts_what_is_there_within_the_horizon():
    # as_of 2026-11-01, periods 2027-2031: 2 and 3 years are in time, 6 are not
    asked = scenario(power={"queue": RULES, "wait_years": 6})
    layers = Layers(pois=WAITING, regions=STATES)
    table = power.all_pois(layers)
    waits, _ = queue.tiers(asked, layers, table[power.in_queue(layers, table)])
    found = power.dated_mw(asked, layers, table, waits)
    assert found["mw"].tolist() == [200, 150, 0, 0]
    assert found["test"].tolist() == ["", "", "no_dated_mw", "no_dated_mw"]
    assert "dated 2032-11-01" in found["why"][2]


def test_a_ramp_is_the_same_in_every_room():
    asked = scenario(periods={"from": "2027", "to": "2028", "step": "quarter"})
    time = Timeline.of(asked)
    case = Case(asked, tiny.candidates(), Solution("", time.names, "", "", 0, 0, 0, 0, False))
    for day in (date(2024, 5, 5), date(2027, 1, 1), date(2027, 1, 2), date(2027, 8, 15)):
        for years in (0, 0.25, 0.6, 1, 4):
            got = time.ramp(day, years)
            assert got == pytest.approx([grown(case, day, years, t) for t in case.times])
            said = [power.ramped(day, years, start, 3) for start in time.starts[:-1]]
            assert got == pytest.approx(said)
    # by hand: 4 years are 16 quarters; from 2027-08-15 on the first step counts in 2027-10
    assert time.ramp(date(2027, 8, 15), 4) == pytest.approx(np.array([0, 0, 0, 1, 2, 3, 4, 5]) / 16)
    assert time.ramp(date(2027, 1, 1), 0.6) == pytest.approx([1 / 3, 2 / 3, 1, 1, 1, 1, 1, 1])
    assert time.ramp(date(2024, 5, 5), 4)[0] == pytest.approx(11 / 16)  # steps before the horizon


QUEUED: dict[str, Any] = {
    "pois": [tiny.poi("P", headroom_mw=60.0), tiny.poi("Q"), tiny.poi("R", headroom_mw=20.0)],
    "queue": tiny.rows(("P", 0.0, 2.0, "s"), ("P", 20.0, 3.5, "s"), of="queue"),
    "offers": [tiny.offer("O1", "Q", 40.0, ramp_years=2.0, min_take_pct=60.0)],
}


def test_dated_mw_of_the_model_the_check_and_the_report_are_the_hand_computed_ones():
    # as_of 2026-01-01, periods 2028-2030: P has 20 MW from 2028-01, 40 more from 2029-07, each in
    # two steps; R waits for nothing
    asked = tiny.scenario(power={"ramp_years": 2})
    tables = tiny.candidates(**QUEUED)
    room = assemble(asked, tables).headroom
    at = {poi: b for b, poi in enumerate(room.poi_ids)}
    assert room.dated_mw[at["P"]] == pytest.approx([10, 20, 40])
    assert room.dated_mw[at["R"]] == pytest.approx([20, 20, 20])  # 2026 and 2027 were the ramp
    assert room.offer_share == pytest.approx(np.array([[0.5, 1, 1]]))
    time = Timeline.of(asked)
    case = Case(asked, tables, Solution("", time.names, "", "", 0, 0, 0, 0, False))
    assert [layer_mw(case, "P", t) for t in case.times] == pytest.approx([10, 20, 40])
    assert [offer_share(case, case.offers["O1"], t) for t in case.times] == [0.5, 1, 1]
    told = layer_tiers({"headroom_mw": 60.0, "from_date": None}, waits_of(tables)["P"], asked)
    assert [(t.mw, str(t.begins)) for t in told] == [(20, "2028-01-01"), (40, "2029-07-01")]
    assert [shown_mw(told, asked, time, t) for t in range(3)] == pytest.approx([10, 20, 40])


def plan(asked: Any, tables: Candidates) -> Solution:
    """Return the optimal plan, judged."""
    outcome, found = Planner(prepared(asked, tables), Limits(gap=1e-6, threads=1)).solve(None)
    assert found is not None, outcome.status
    assert judge(asked, Layers(), tables, found) == []
    return found


PLAIN: dict[str, Any] = {
    "version": 1, "as_of": "2027-01-01", "periods": {"from": "2027", "to": "2046"},
    "money": {"discount_rate_pct": 0}, "halls": "none", "existing": [],
    "hardware": "none", "reference_hardware": "h100", "network_share_pct": 0,
}  # fmt: skip


def grid_mw(found: Solution, site: str) -> dict[str, float]:
    return {row.period[:4]: row.grid_mw for row in found.grid if row.site_id == site}


def two_sites(extra_usd_per_mwh: float, margin_musd: float) -> Solution:
    """100 MW for 20 years: a site after 7 years, another after 2 years with dearer energy.

    ``margin_musd`` per MW and year is net of energy at 40 USD/MWh and of a demand charge of 5
    USD/kW-month, which the plan charges itself.
    """
    value = margin_musd + 40 * 8760 / 1e6 + 5 * 12 / 1000
    asked = tiny.scenario(
        **PLAIN,
        candidates={"site_fixed_musd": 0, "site_om_musd_per_year": 0, "land_musd_per_ha": 0},
        power={"tie_months": 0, "load_factor_pct": 100, "tie_fixed_musd": 0},
        demand={"it_mw": 100, "shortfall_musd_per_mw_year": value, "workloads": {}},
        limits={"sites_max": 1},
    )
    tables = tiny.candidates(
        sites=[tiny.site("early"), tiny.site("late")],
        pois=[
            tiny.poi("E", headroom_mw=100.0, energy_usd_per_mwh=40.0 + extra_usd_per_mwh),
            tiny.poi("L", headroom_mw=100.0, energy_usd_per_mwh=40.0),
        ],
        ties=tiny.rows(("early", "E", 138.0, 0.0, 200.0), ("late", "L", 138.0, 0.0, 200.0),
                       of="ties"),
        queue=tiny.rows(("E", 0.0, 2.0, "here"), ("L", 0.0, 7.0, "there"), of="queue"),
        offers=[], site_regions=[], regions=[], places=[], reach=[],
    )  # fmt: skip
    return plan(asked, tables)


@pytest.mark.parametrize("margin_musd", [1, 2.5, 5])
def test_the_early_site_wins_at_twenty_dollars_more(margin_musd: float):
    # five years of net margin, 5 to 25 MUSD/MW, against 20 USD/MWh x 8760 h x 18 years = 3.2
    found = two_sites(20, margin_musd)
    assert [s.site_id for s in found.sites] == ["early"]
    assert grid_mw(found, "early") == pytest.approx({str(y): 100 for y in range(2029, 2047)})
    assert found.penalty_musd == pytest.approx(2 * 100 * (margin_musd + 0.4104))


@pytest.mark.parametrize(("extra", "chosen"), [(37.5, "early"), (38.5, "late")])
def test_where_it_turns(extra: float, chosen: str):
    # five years at 1.2 MUSD are 6 MUSD/MW; over 18 years of 8760 h that is 38.05 USD/MWh
    assert [s.site_id for s in two_sites(extra, 1.2).sites] == [chosen]


def test_minimum_take_follows_the_ramp_and_growth_is_limited():
    asked = tiny.scenario(
        **{**PLAIN, "as_of": "2026-01-01", "periods": {"from": "2028", "to": "2031"}},
        candidates={"site_fixed_musd": 0, "site_om_musd_per_year": 0, "land_musd_per_ha": 0},
        power={"tie_months": 0, "load_factor_pct": 100, "tie_fixed_musd": 0},
        demand={"it_mw": {"2028": 80, "2031": 10}, "shortfall_musd_per_mw_year": 9,
                "workloads": {}},
    )  # fmt: skip
    tables = tiny.candidates(
        sites=[tiny.site("S")],
        pois=[tiny.poi("Q", demand_usd_per_kw_month=5.0, energy_usd_per_mwh=0.0)],
        ties=tiny.rows(("S", "Q", 138.0, 0.0, 200.0), of="ties"),
        offers=[tiny.offer("O", "Q", 80.0, ramp_years=4.0, min_take_pct=50.0)],
        site_regions=[], regions=[], places=[], reach=[],
    )  # fmt: skip
    found = plan(asked, tables)
    # 20, 40, 60 MW are there; in 2031 10 MW are used and half of the contracted 80 billed
    assert grid_mw(found, "S") == pytest.approx({"2028": 20, "2029": 40, "2030": 60, "2031": 10})
    assert found.npc_musd["demand_charge"] == pytest.approx((20 + 40 + 60 + 40) * 0.06)
    slow = tiny.scenario(
        **{**asked.model_dump(by_alias=True, exclude={"power", "demand", "layers"}),
           "existing": []},
        power={"tie_months": 0, "load_factor_pct": 100, "tie_fixed_musd": 0,
               "max_ramp_mw_per_year": 15},
        demand={"it_mw": {"2028": 80}, "shortfall_musd_per_mw_year": 9, "workloads": {}},
    )  # fmt: skip
    assert grid_mw(plan(slow, tables), "S") == pytest.approx(
        {"2028": 15, "2029": 30, "2030": 45, "2031": 60}
    )


UPGRADED: dict[str, Any] = {
    **PLAIN, "as_of": "2026-01-01", "periods": {"from": "2028", "to": "2031"},
    "candidates": {"site_fixed_musd": 0, "site_om_musd_per_year": 0, "land_musd_per_ha": 0},
}  # fmt: skip


@pytest.mark.parametrize(("value_musd", "steps"), [(1.0, 0), (1.1, 1), (20, 1), (20.1, 2)])
def test_upgrade_steps_come_after_their_lead_and_if_they_are_worth_it(
    value_musd: float, steps: int
) -> None:
    # ordered in 2026-01 with 30 months: from 2029 on. A step of 20 MW for 600 MUSD pays 3 of its 30
    # annuities: 1 MUSD per MW and year beside 0.06 of demand charge; of the second 1 MW is used
    asked = tiny.scenario(
        **UPGRADED,
        power={"tie_months": 0, "load_factor_pct": 100, "tie_fixed_musd": 0,
               "upgrade_step": {"mw": 20, "musd": 600, "lead_months": 30, "max_steps": 2}},
        demand={"it_mw": 41, "shortfall_musd_per_mw_year": value_musd, "workloads": {}},
    )  # fmt: skip
    tables = tiny.candidates(
        sites=[tiny.site("S")], pois=[tiny.poi("Q", headroom_mw=20.0, energy_usd_per_mwh=0.0)],
        ties=tiny.rows(("S", "Q", 138.0, 0.0, 200.0), of="ties"),
        offers=[], site_regions=[], regions=[], places=[], reach=[],
    )  # fmt: skip
    found = plan(asked, tables)
    assert sum(u.steps for u in found.upgrades) == steps
    assert {u.period for u in found.upgrades} <= {"2029-01-01"}


@pytest.mark.parametrize(("value_musd", "taken"), [(0.5, 30), (5, 50)])
def test_an_offer_with_an_upgrade_is_accepted_if_it_is_worth_it(value_musd: float, taken: float):
    # the second letter adds 20 MW from 2030 on for an upgrade of 450 MUSD: 15 MUSD in each of two
    # years, 0.75 MUSD per MW and year
    asked = tiny.scenario(
        **UPGRADED, power={"tie_months": 0, "load_factor_pct": 100, "tie_fixed_musd": 0},
        demand={"it_mw": 60, "shortfall_musd_per_mw_year": value_musd, "workloads": {}},
    )  # fmt: skip
    tables = tiny.candidates(
        sites=[tiny.site("S")], pois=[tiny.poi("Q", energy_usd_per_mwh=0.0)],
        ties=tiny.rows(("S", "Q", 138.0, 0.0, 200.0), of="ties"),
        offers=[
            tiny.offer("O1", "Q", 30.0),
            tiny.offer("O2", "Q", 50.0, from_date=date(2029, 2, 1), upgrade_musd=450.0),
        ],
        site_regions=[], regions=[], places=[], reach=[],
    )  # fmt: skip
    found = plan(asked, tables)
    assert sum(o.grid_mw for o in found.offers) == pytest.approx(taken)
    assert found.npc_musd.get("upgrades", 0.0) == pytest.approx(30 if taken == 50 else 0)
    assert grid_mw(found, "S") == pytest.approx({"2028": 30, "2029": 30, "2030": taken,
                                                 "2031": taken})  # fmt: skip
