"""The independent check finds nothing in a right plan, and exactly the fault of a wrong one.

The amounts follow by hand from the tiny world of helpers/tiny.py.
"""

from __future__ import annotations

import dataclasses
from datetime import date
from typing import Any

import pytest
from helpers import tiny
from helpers.tiny import P0, P1, P2, added, changed, dropped

from sitepick.checks import budget
from sitepick.checks.case import Case
from sitepick.solution import EnterRow, HallRow, OfferRow, SiteRow, TieRow, UpgradeRow

PLAN = tiny.plan()
SITES = tiny.TABLES["sites"]
POIS = tiny.TABLES["pois"]
REACH = tiny.TABLES["reach"]


def patched(table: str, key: str, name: str, **cells: Any) -> dict[str, list[dict[str, Any]]]:
    """Return a table of the candidates with cells set in the rows where ``key`` is ``name``."""
    rows = tiny.TABLES[table]
    assert any(row[key] == name for row in rows)
    return {table: [{**row, **cells} if row[key] == name else row for row in rows]}


def rule(**cells: Any) -> dict[str, Any]:
    """Return a scenario section with one region rule on states."""
    return {"regions": {"rules": [{"level": "state", **cells}]}}


def halls(name: str, **cells: Any) -> dict[str, Any]:
    return {"halls": [{**row, **cells} if row["id"] == name else row for row in tiny.HALLS]}


def hardware(name: str, **cells: Any) -> dict[str, Any]:
    return {"hardware": [{**row, **cells} if row["id"] == name else row for row in tiny.HARDWARE]}


def workload(name: str, **cells: Any) -> dict[str, Any]:
    asked = tiny.SCENARIO["demand"]["workloads"]
    return {"demand": {"workloads": {**asked, name: {**asked[name], **cells}}}}


def supply(**cells: Any) -> dict[str, Any]:
    return {"procurement": {"item": cells}}


def limit(*rows: tuple[Any, ...]) -> dict[str, list[dict[str, Any]]]:
    return {"shared_limits": tiny.rows(*rows, of="shared_limits")}


def committed(*row: Any) -> dict[str, list[dict[str, Any]]]:
    return {"commitments": tiny.rows((*row, 0.0), of="commitments")}


def offers(name: str, **cells: Any) -> dict[str, list[dict[str, Any]]]:
    return patched("offers", "offer_id", name, **cells)


STEP = {"upgrade_step": {"mw": 10, "musd": 20, "lead_months": 36, "max_steps": 1}}
CONVERTED = added(
    changed(
        changed(PLAN, "halls", {"site_id": "A", "period": P0}, halls=3, built=3),
        "halls", {"site_id": "A", "period": P1}, converted_out=1,
    ),
    "halls",
    HallRow("A", "retro", P1, 1, 0, 1, 0),
    HallRow("A", "retro", P2, 1, 0, 0, 0),
)  # fmt: skip
ENTERED = added(PLAN, "entered", EnterRow("state", "S1", P0), EnterRow("state", "S2", None))
EMPTY_D = {"sites": [*SITES, tiny.site("D")], "site_regions": [
    *tiny.TABLES["site_regions"], {"site_id": "D", "level": "state", "region_id": "S1"},
]}  # fmt: skip

RIGHT: dict[str, tuple[Any, dict[str, Any], dict[str, Any]]] = {
    "as it is": (PLAN, {}, {}),
    "a hall converted": (CONVERTED, {}, {}),
    "regions entered": (ENTERED, rule(entry_musd=5), {}),
    "non-firm MW count": (PLAN, {"power": {"nonfirm": "count"}}, offers("O1", firm=False)),
    "an offer until the last day": (PLAN, {}, offers("O1", to_date=date(2030, 12, 31))),
    "a step in time": (
        added(PLAN, "upgrades", UpgradeRow("P", P1, 1)), {"power": STEP}, {},
    ),
    "cap later than the horizon": (PLAN, rule(ids="S2", max_grid_mw={"2031": 1}), {}),
    "moratorium over": (PLAN, rule(closed_from="2026", closed_to="2027"), {}),
    "budget to the cent": (
        PLAN, {"budget_musd": {2026: 12.3, 2027: 630.2, 2028: 854.7, 2029: 160}}, {},
    ),
    "budget carried over": (
        PLAN, {"budget_musd": {2027: 1500, 2028: 157.2}, "budget_carry_over": True}, {},
    ),
    "an early limit replaced": (
        PLAN, {}, limit(("L", "P", 1, 1, date(2020, 1, 1)), ("L", "P", 1, 28, date(2027, 1, 1))),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", RIGHT)
def test_a_right_plan_has_no_finding(name: str) -> None:
    plan, asked, places = RIGHT[name]
    assert tiny.judged(plan, tiny.scenario(**asked), tiny.candidates(**places)) == []


# name: (plan, parts of the scenario, tables of the candidates, {check: amounts in order})
Wrong = dict[str, tuple[Any, dict[str, Any], dict[str, Any], dict[str, list[float]]]]

SITING: Wrong = {
    "existing opened again": (
        changed(PLAN, "sites", {"site_id": "C"}, opened=P0), {}, {}, {"siting.existing": [1]},
    ),
    "new site said to stand": (
        changed(PLAN, "sites", {"site_id": "A"}, opened=None), {}, {}, {"siting.existing": [1]},
    ),
    "rejected": (
        PLAN, {}, patched("sites", "site_id", "A", status="rejected"), {"siting.rejected": [1]},
    ),
    "required left out": (
        PLAN, {}, {"sites": [*SITES, tiny.site("D", decision="require")]},
        {"siting.required": [1]},
    ),
    "forbidden": (
        PLAN, {}, patched("sites", "site_id", "A", decision="forbid"), {"siting.forbidden": [1]},
    ),
    "forbidden region": (PLAN, rule(ids="S1", forbid=True), {}, {"siting.forbidden": [1, 1]}),
    "opened too early": (
        PLAN, {"power": {"tie_months": 30}}, {},
        {"siting.early": [182], "ties.early": [182]},  # 2028-07-01
    ),
    "opened in a moratorium": (
        added(PLAN, "sites", SiteRow("D", P2)), rule(ids="S1", closed_from="2029-02"), EMPTY_D,
        {"siting.closed": [1]},
    ),
    "IT before opening": (
        changed(PLAN, "sites", {"site_id": "A"}, opened=P1), {}, {},
        {"siting.max": [20], "ties.most": [1], "halls.open": [2], "demand.link": [19]},
    ),
    "campus above its own limit": (
        PLAN, {}, patched("sites", "site_id", "A", max_it_mw=15.0), {"siting.max": [5, 5, 5]},
    ),
    "campus above the rule": (
        PLAN, {"candidates": {"max_it_mw_per_site": 18}}, {}, {"siting.max": [2, 2, 2]},
    ),
    "campus too small": (
        PLAN, {"candidates": {"min_it_mw_per_site": 16}}, {}, {"siting.min": [1]},
    ),
    "too many sites": (PLAN, {"limits": {"sites_max": 2}}, {}, {"siting.count": [1]}),
    "land": (
        PLAN, {}, patched("sites", "site_id", "A", usable_ha=3.5), {"siting.land": [0.5] * 3},
    ),
}  # fmt: skip
TIES: Wrong = {
    "above the voltage": (
        PLAN, {}, patched("ties", "site_id", "A", cap_mw=25.0), {"ties.cap": [3, 3, 3]},
    ),
    "no tie at all": (
        dropped(PLAN, "ties", site_id="A"), {}, {},
        {"ties.only": [1, 1, 1], "ties.cap": [28, 28, 28]},
    ),
    "tie said to stand": (
        changed(PLAN, "ties", {"site_id": "A"}, since=None), {}, {},
        {"ties.standing": [1]},
    ),
    "own tie bought": (
        changed(PLAN, "ties", {"site_id": "C"}, since=P0), {}, {}, {"ties.standing": [1]},
    ),
    "one tie too many": (
        added(PLAN, "ties", TieRow("B", "P", P1)), {"power": {"max_ties": 1}}, {},
        {"ties.most": [1, 1]},
    ),
}  # fmt: skip
POWER: Wrong = {
    "design day above the contract": (
        changed(PLAN, "grid", {"site_id": "A"}, grid_mw=27.0), {}, {},
        {"power.balance": [1, 1, 1]},
    ),
    "mean draw above the contract": (  # 15 MW x 1.2 = 18, x 1.1 = 16.5; load factor 0.8
        changed(PLAN, "grid", {"site_id": "B"}, grid_mw=16.0), {}, {},
        {"power.balance": [2, 2], "power.draw": [0.4, 0.4]},
    ),
}  # fmt: skip
QUEUE = {
    **patched("pois", "poi_id", "P", from_date=None),
    "queue": tiny.rows(("P", 0.0, 1.0, "state S1"), ("P", 10.0, 3.5, "state S1"), of="queue"),
}
LATER = added(PLAN, "offers", OfferRow("O2", "Q", 35.0))
HEADROOM: Wrong = {
    "above the layer": (
        PLAN, {}, patched("pois", "poi_id", "P", headroom_mw=20.0), {"headroom.limit": [8, 8, 8]},
    ),
    "before the layer's date": (
        PLAN, {}, patched("pois", "poi_id", "P", from_date=date(2028, 1, 2)),
        {"headroom.limit": [28]},
    ),
    "unknown headroom": (
        PLAN, {}, patched("pois", "poi_id", "P", headroom_mw=tiny.NAN),
        {"headroom.limit": [28, 28, 28]},
    ),
    "share of the layer": (
        PLAN, {"power": {"headroom_pct": 40}}, {}, {"headroom.limit": [4, 4, 4]},
    ),
    "stage of the layer": (
        PLAN, {"power": {"count_stages": ["signed"]}}, {}, {"headroom.limit": [28, 28, 28]},
    ),
    "slip of the layer": (
        PLAN, {"power": {"slip_years": {"published": 0.5}}}, {}, {"headroom.limit": [28]},
    ),
    "wait for a layer without dates": (
        PLAN, {"power": {"wait_years": 3.5}}, patched("pois", "poi_id", "P", from_date=None),
        {"headroom.limit": [28, 28]},
    ),
    "before the wait for its size": (  # 10 MW from 2027-01, the rest from 2029-07
        PLAN, {}, QUEUE, {"headroom.limit": [18, 18]},
    ),
    "slip of a wait": (
        PLAN, {"power": {"slip_years": {"published": 1.5}}}, QUEUE,
        {"headroom.limit": [28, 18, 18]},
    ),
    "ramp of the layer": (  # 60 MW in steps of 12 from 2028-01
        PLAN, {"power": {"ramp_years": 4.5}}, {}, {"headroom.limit": [16, 4]},
    ),
    "ramp of an offer": (  # 30 MW taken, in steps of 7.5 from 2028-01
        PLAN, {}, offers("O1", ramp_years=4.0), {"headroom.limit": [3]},
    ),
    "growth of a POI": (
        PLAN, {"power": {"max_ramp_mw_per_year": 17}}, {}, {"headroom.ramp": [11, 1]},
    ),
    "more than the offer": (
        changed(PLAN, "offers", {"offer_id": "O1"}, grid_mw=60.0), {}, {},
        {"headroom.accepted": [10]},
    ),
    "more than the increment": (LATER, {}, {}, {"headroom.accepted": [5]}),
    "offer of a stage that does not count": (
        PLAN, {"power": {"count_stages": ["published"]}}, {}, {"headroom.accepted": [30]},
    ),
    "non-firm offer": (PLAN, {}, offers("O1", firm=False), {"headroom.accepted": [30]}),
    "offer ends within a period": (
        PLAN, {}, offers("O1", to_date=date(2030, 12, 30)), {"headroom.limit": [18]},
    ),
    "slip of an offer": (
        PLAN, {"power": {"slip_years": {"signed": 1.01}}}, {}, {"headroom.limit": [18]},
    ),
    "never active": (
        PLAN, {"power": {"slip_years": {"signed": 5}}}, {},
        {"headroom.accepted": [30], "headroom.limit": [18, 18]},
    ),
    "step too early": (
        added(PLAN, "upgrades", UpgradeRow("P", P0, 1)), {"power": STEP}, {},
        {"headroom.early": [366]},
    ),
    "too many steps": (
        added(PLAN, "upgrades", UpgradeRow("P", P1, 1), UpgradeRow("P", P2, 2)),
        {"power": STEP}, {}, {"headroom.steps": [2]},
    ),
    "step where a letter rules": (
        added(PLAN, "upgrades", UpgradeRow("Q", P1, 1)), {"power": STEP}, {},
        {"headroom.steps": [1]},
    ),
    "step that does not suffice": (
        added(PLAN, "upgrades", UpgradeRow("P", P1, 1)), {"power": STEP},
        patched("pois", "poi_id", "P", headroom_mw=15.0), {"headroom.limit": [13, 3, 3]},
    ),
    "too much at one POI": (
        PLAN, {"power": {"max_mw_per_poi": 25}}, {}, {"headroom.most": [3, 3, 3]},
    ),
    "shared limit": (  # 28 + 0.5 x 18 = 37
        PLAN, {},
        limit(
            ("L", "P", 1.0, 30.0, date(2029, 1, 1)), ("L", "Q", 0.5, 30.0, date(2029, 1, 1)),
            ("L", "P", 1.0, 40.0, date(2030, 1, 1)), ("L", "Q", 0.5, 40.0, date(2030, 1, 1)),
        ),
        {"headroom.shared": [7]},
    ),
}  # fmt: skip
THIRD = changed(changed(PLAN, "halls", {"site_id": "A"}, halls=2.5),
                "halls", {"site_id": "A", "period": P0}, built=2.5)  # fmt: skip
GREEN = added(PLAN, "halls", HallRow("B", "retro", P1, 1, 1, 0, 0),
              HallRow("B", "retro", P2, 1, 0, 0, 0))  # fmt: skip
FULL = changed(changed(changed(PLAN, "it", {"site_id": "A"}, it_mw=25.0),
                       "it", {"site_id": "A", "period": P0}, bought_mw=25.0),
               "grid", {"site_id": "A"}, grid_mw=35.0)  # fmt: skip
HALLS: Wrong = {
    "half a hall": (THIRD, {}, {}, {"halls.whole": [0.5] * 4}),
    "retrofit on green field": (GREEN, {}, {}, {"halls.retrofit": [1]}),
    "a hall from nowhere": (
        changed(PLAN, "halls", {"site_id": "A", "period": P2}, halls=3), {}, {},
        {"halls.level": [1]},
    ),
    "a hall converted twice": (
        changed(changed(CONVERTED, "halls", {"hall": "retro"}, halls=2),
                "halls", {"hall": "retro", "period": P1}, converted_in=2), {}, {},
        {"halls.convert": [1]},
    ),
    "an existing hall vanishes": (
        changed(PLAN, "halls", {"site_id": "C"}, halls=2), {}, {}, {"halls.level": [1]},
    ),
    "built too early": (PLAN, halls("liq", build_months=40), {}, {"halls.early": [120]}),
    "built in a moratorium": (
        changed(PLAN, "sites", {"site_id": "B"}, opened=P0),
        rule(ids="S1", closed_from="2029", closed_to="2029-01"), {}, {"halls.closed": [2]},
    ),
    "more IT than halls": (FULL, {}, {}, {"halls.fit": [5, 5, 5]}),
}  # fmt: skip
GROWN = changed(changed(PLAN, "it", {"site_id": "B", "period": P2}, it_mw=16.0),
                "grid", {"site_id": "B", "period": P2}, grid_mw=19.2)  # fmt: skip
HARDWARE: Wrong = {
    "IT from nowhere": (GROWN, {}, {}, {"hardware.level": [1]}),
    "IT past its life": (
        PLAN, hardware("old", life_years=1.5), {}, {"hardware.level": [20, 8, 8]},
    ),
    "before it exists": (
        PLAN, hardware("new", available_from="2029-06-01"), {}, {"hardware.early": [151]},
    ),
    "before its licence": (  # 6 + 27 months: 2028-10-01; 9 + 27 months are in time
        PLAN, rule(ids="S1", hardware_delay_months=27), {}, {"hardware.early": [274]},
    ),
    "export rule": (
        PLAN, rule(ids="S1", allowed_hardware=["old"]), {}, {"hardware.allowed": [15]},
    ),
    "rack power": (PLAN, hardware("new", kw_per_rack=160), {}, {"hardware.fit": [10]}),
    "no liquid": (PLAN, halls("liq", liquid_share=0), {}, {"hardware.fit": [15]}),
    "used twice": (
        changed(PLAN, "use", {"site_id": "C"}, it_mw=9.0), {}, {}, {"hardware.use": [1, 1, 1]},
    ),
}  # fmt: skip
DEMAND: Wrong = {
    "demand forgotten": (
        dropped(PLAN, "turned_away", workload="train"), {}, {}, {"demand.balance": [1]},
    ),
    "demand of the table forgotten": (
        PLAN, {},
        {"demand_mw": tiny.rows(("X", "serve", date(2029, 1, 1), 1.0), of="demand_mw")},
        {"demand.balance": [1, 1]},
    ),
    "must be served": (PLAN, workload("train", must_serve=True), {}, {"demand.must_serve": [1]}),
    "too far": (PLAN, workload("serve", rtt_ms_max=11), {}, {"demand.reach": [1, 1, 1]}),
    "distance unknown": (
        PLAN, {}, {"reach": [r for r in REACH if (r["site_id"], r["place_id"]) != ("C", "Y")]},
        {"demand.reach": [5.6] * 3},
    ),
    "more work than the hardware can": (
        changed(changed(PLAN, "serve", {"site_id": "A", "period": P0}, ref_mw=19.5),
                "turned_away", {"workload": "train"}, ref_mw=0.5),
        {}, {}, {"demand.yield": [0.5]},
    ),
    "network share": (PLAN, {"network_share_pct": 10}, {}, {
        "demand.yield": [1.0, 1.0, 1.0, 0.4 / 19, 21 / 19, 0.4 / 19, 21 / 19, 0.4, 0.4, 0.4]}),
    "yield by the reference": (  # as if `old` were half as good at decode
        PLAN, hardware("old", decode=0.5) | {"reference_hardware": "h100"}, {},
        {"demand.yield": [3.8, 3.8, 3.8]},
    ),
}  # fmt: skip
REGIONS: Wrong = {
    "entered without saying so": (
        PLAN, rule(entry_musd=5), {}, {"regions.entered": [1], "regions.stay": [1]},
    ),
    "entered too late": (
        changed(ENTERED, "entered", {"region_id": "S1"}, entered=P1), rule(entry_musd=5), {},
        {"regions.entered": [1]},
    ),
    "entered by nobody": (
        changed(ENTERED, "entered", {"region_id": "S1"}, entered=None), rule(entry_musd=5), {},
        {"regions.stay": [1]},
    ),
    "too many entered": (
        ENTERED, {"regions": {"max_entered": {"state": 1}}}, {}, {"regions.count": [1]},
    ),
    "too small once entered": (
        dropped(ENTERED, "entered", region_id="S2"),
        rule(ids="S1", min_it_mw_once_entered=50), {}, {"regions.min_once": [15]},
    ),
    "grid cap, existing included": (
        PLAN, rule(ids="S2", max_grid_mw={"2029": 10}), {}, {"regions.max_grid": [5, 5]},
    ),
    "IT cap": (PLAN, rule(ids="S1", max_it_mw=30), {}, {"regions.max_it": [5, 5]}),
    "IT floor": (PLAN, rule(ids="S2", min_it_mw={"2029": 9}), {}, {"regions.min_it": [1, 1]}),
    "regions together": (
        PLAN, rule(ids=["S1", "S2"], together=True, max_it_mw=40), {},
        {"regions.max_it": [3, 3]},
    ),
    "share": (PLAN, rule(ids="S1", max_share_pct=80), {}, {"regions.share": [0.6, 0.6]}),
    "carbon": (  # C: 0.8 x 1.2 x 8 = 7.68 MW, x 8760 h x 400 kg/MWh = 26.91072 kt
        PLAN, rule(ids="S2", max_co2_kt_per_year=26), {}, {"regions.co2": [0.91072] * 3},
    ),
    "water": (  # C: 0.8 x 8 MW x 8760 h x 0.5 l/kWh = 28.032 million litres
        PLAN, rule(ids="S2", max_water_ml_per_year=28), {}, {"regions.water": [0.032] * 3},
    ),
}  # fmt: skip
PROCUREMENT: Wrong = {
    "transformers": (  # A: 20 x 1.4 = 28 ordered 2027; B: 20 x 1.2 = 24 ordered 2028
        PLAN, supply(per="grid_mw", lead_months=12, cap={2027: 20, 2028: 24}), {},
        {"procurement.cap": [8]},
    ),
    "ordered too late": (
        PLAN, supply(per="it_mw", lead_months=30, cap={2030: 0}), {}, {"procurement.early": [182]},
    ),
    "halls, two units per MW": (
        PLAN, supply(per="it_mw", amount=2, cap={2028: 35, 2029: 40}), {}, {"procurement.cap": [5]},
    ),
    "liquid cooling": (
        PLAN, supply(per="liquid_it_mw", cap={2029: 10}), {}, {"procurement.cap": [6]},
    ),
    "labor": (  # B: 20 IT MW built from January to December 2028
        PLAN, supply(per="construction_it_mw", cap={2028: 15, 2029: 0}), {},
        {"procurement.cap": [5]},
    ),
    "chips": (
        PLAN, supply(per="hardware_it_mw", hardware="old", lead_months=6, cap={2027: 15}), {},
        {"procurement.cap": [5]},
    ),
    "chips of one region": (
        PLAN,
        supply(per="hardware_it_mw", hardware="old", level="state", ids="S2",
               cap={2028: 1, 2030: 1}), {}, {"procurement.cap": [7]},
    ),
}  # fmt: skip
LIMITS: Wrong = {
    "a year overspent": (
        PLAN, {"budget_musd": {2026: 12.3, 2027: 640, 2028: 850, 2029: 160}}, {},
        {"budget.year": [4.7]},
    ),
    "a year without budget": (PLAN, {"budget_musd": {2027: 642.5, 2028: 854.7}}, {},
                              {"budget.year": [160]}),
    "carry-over spent twice": (
        PLAN,
        {"budget_musd": {2026: 22.3, 2027: 630.2, 2028: 844.7, 2029: 150},
         "budget_carry_over": True}, {}, {"budget.year": [10]},
    ),
    "carbon of the plan": (  # A 19.2 MW and C 7.68 MW at 400, B 13.2 MW: 500 kg/MWh
        PLAN, {"limits": {"co2_kt_per_year_max": 100}}, {},
        {"limits.co2": [52.00352, 52.00352]},
    ),
    "water of the plan": (  # 28 MW of `std`, 22.4 MW mean, 98.112 million litres
        PLAN, {"limits": {"water_ml_per_year_max": 98}}, {}, {"limits.water": [0.112] * 3},
    ),
    "IT of the plan": (  # 28 IT MW in 2028, 43 from 2029 on
        PLAN, {"limits": {"it_mw_min": {"2028": 28, "2029": 45}}}, {}, {"limits.it": [2, 2]},
    ),
    "work of the plan": (  # 19 + 7.6 ref_mw in 2028, 40 + 8 from 2029 on
        PLAN, {"limits": {"served_ref_mw_min": {"2028": 27, "2029": 48}}}, {},
        {"limits.served": [0.4]},
    ),
    "committed site opens late": (
        PLAN, {}, committed("B", "site", tiny.NAN, date(2028, 1, 1)), {"commitments.site": [1]},
    ),
    "committed site unknown": (
        PLAN, {}, committed("Z", "site", tiny.NAN, date(2030, 1, 1)), {"commitments.site": [1]},
    ),
    "committed IT": (
        PLAN, {}, committed("B", "it_mw", 16.0, date(2028, 2, 1)), {"commitments.it_mw": [1, 1]},
    ),
    "committed grid MW, existing included": (
        PLAN, {}, committed("C", "grid_mw", 16.0, date(2029, 6, 1)), {"commitments.grid_mw": [1]},
    ),
}  # fmt: skip
WRONG: Wrong = {
    f"{block}: {name}": case
    for block, cases in {
        "siting": SITING, "ties": TIES, "power": POWER, "headroom": HEADROOM, "halls": HALLS,
        "hardware": HARDWARE, "demand": DEMAND, "regions": REGIONS, "procurement": PROCUREMENT,
        "limits": LIMITS,
    }.items()
    for name, case in cases.items()
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_plan_is_found_wrong_by_the_right_check(name: str) -> None:
    plan, asked, places, expected = WRONG[name]
    found = tiny.judged(plan, tiny.scenario(**asked), tiny.candidates(**places))
    amounts: dict[str, list[float]] = {}
    for finding in found:
        amounts.setdefault(finding.check, []).append(finding.amount)
        assert finding.unit
        assert finding.where
        assert finding.message
    assert amounts.keys() == expected.keys(), "\n".join(map(str, found))
    for check, wanted in expected.items():
        assert amounts[check] == pytest.approx(wanted, abs=1e-9, rel=1e-9), check


def test_the_cost_limit_is_without_penalty() -> None:
    free = tiny.settled(tiny.scenario(), tiny.candidates(), PLAN)
    assert free.penalty_musd > 0
    asked = {"limits": {"net_present_cost_musd_max": free.net_present_cost_musd}}
    assert tiny.judged(PLAN, tiny.scenario(**asked)) == []
    asked["limits"]["net_present_cost_musd_max"] -= 10
    (finding,) = tiny.judged(PLAN, tiny.scenario(**asked))
    assert (finding.check, finding.unit) == ("limits.cost", "MUSD")
    assert finding.amount == pytest.approx(10)


def test_tolerance_lets_a_kilowatt_pass_and_no_more() -> None:
    near = changed(PLAN, "grid", {"site_id": "A"}, grid_mw=28 - 0.9e-3)
    assert tiny.judged(near) == []
    far = changed(PLAN, "grid", {"site_id": "A"}, grid_mw=28 - 1.1e-3)
    assert {f.check for f in tiny.judged(far)} == {"power.balance"}


def test_order_of_rows_does_not_matter() -> None:
    plan = tiny.settled(tiny.scenario(), tiny.candidates(), GROWN)
    turned = dataclasses.replace(plan, it=plan.it[::-1], grid=plan.grid[::-1])
    places = {name: rows[::-1] for name, rows in tiny.TABLES.items()}
    assert tiny.judged(turned, places=tiny.candidates(**places)) == tiny.judged(plan)


def test_a_budget_of_one_year_of_which_nothing_is_spent():
    nothing = dataclasses.replace(PLAN, sites=(), ties=(), grid=(), halls=(), it=(), offers=())
    asked = tiny.scenario(budget_musd={2026: 5}, budget_carry_over=True)
    assert list(budget.check(Case(asked, tiny.candidates(), nothing))) == []
