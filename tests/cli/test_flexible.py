"""Flexible connections: the example against figures by hand, and plans made wrong are caught."""

from __future__ import annotations

import csv
import dataclasses
import shutil
from collections.abc import Callable
from datetime import date
from functools import cache
from math import log1p
from pathlib import Path
from typing import Any

import pytest

from sitepick import pipeline
from sitepick.exports.rows import SiteRows
from sitepick.run import Prepared
from sitepick.solution import BatteryRow, NonfirmRow, Solution

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "scenarios" / "flexible"
P0, P1, P2 = "2029-01-01", "2030-01-01", "2031-01-01"
H = 6000 / (80 - 43.8)
"""20 (H - 0) + 60 (H - 100) = 0.005 * 8760 H: MW of the zone, in hours of 10,000 and 9,900 MW."""
OFF_ZONE = 0.005  # of the year, by its definition
OFF_LETTER = 90 / 8760


@cache
def solved(*overrides: str) -> tuple[Prepared, Solution]:
    prepared = pipeline.prepare(pipeline.load(EXAMPLE / "sitepick.yaml", overrides))
    run = pipeline.solve(prepared, gap=1e-6)
    assert run.solution is not None
    assert run.findings == ()
    return prepared, run.solution


def _mw(rows: Any, **match: str) -> float:
    names = ("grid_mw", "it_mw", "bought_mw", "ref_mw")
    return sum(
        next(getattr(r, n) for n in names if hasattr(r, n))
        for r in rows
        if all(getattr(r, k) == v for k, v in match.items())
    )


def test_the_margin_of_the_zone():
    prepared, _ = solved()
    (row,) = prepared.candidates.margins.to_dict("records")
    assert row["mw"] == pytest.approx(H)
    assert (row["hours"], row["deepest"]) == (80, 1)
    assert row["mean_depth"] == pytest.approx(43.8 / 80)
    (note,) = [n for n in prepared.candidates.notes if n.code == "area_margin"]
    assert "166 non-firm MW" in note.message
    assert "not of wires" in note.message


def test_the_plan_by_hand():
    """240 IT MW are 300 grid MW: 62.5 firm, 237.5 not. Shedding a MW costs 30 / 1.25 MUSD a year of
    it: 0.12 MUSD in the zone (44 h as good as off), 0.25 at the letter (90 h); a MW of battery
    0.14. So as much training as whole halls allow is in the zone, (22.5 + H) / 1.25 = 150.6 IT MW
    or 15 halls; a quarter of it is shed there, and batteries stand in for all other MW."""
    _, plan = solved()
    for p in (P0, P1, P2):
        assert _mw(plan.serve, period=p) == pytest.approx(240)
        assert _mw(plan.grid, site_id="mill", period=p) == pytest.approx(187.5)
        assert _mw(plan.grid, site_id="barn", period=p) == pytest.approx(112.5)
        assert _mw(plan.nonfirm, source="area:zone", period=p) == pytest.approx(165)
        assert _mw(plan.nonfirm, source="offer:N-2", period=p) == pytest.approx(72.5)
        assert _mw(plan.shed, site_id="mill", period=p) == pytest.approx(0.25 * 150 * 1.25)
        assert _mw(plan.shed, site_id="barn", period=p) == 0
        assert {r.workload for r in plan.shed} == {"training"}
        assert _mw(plan.backed, site_id="mill", period=p) == pytest.approx(165 - 46.875)
        assert _mw(plan.backed, site_id="barn", period=p) == pytest.approx(72.5)
    assert _mw(plan.batteries, period=P0) == pytest.approx(190.625)
    assert len(plan.batteries) == 2


def test_its_costs_by_hand():
    prepared, plan = solved()
    r, years = 0.09, (2029, 2030, 2031)
    start = prepared.scenario.as_of
    held = [(1 + r) ** -((date(y, 1, 1) - start).days / 365.25 + 0.5) for y in years]
    # IT MW that are off in the mean: MW / 1.25; at 30 MUSD a ref_mw-year
    lost = 46.875 * OFF_ZONE / 1.25 * 30
    assert plan.npc_musd["curtailed"] == pytest.approx(lost * sum(held))
    # 4 h of 275 USD/kWh are 1.1 MUSD/MW; 15 years, 14 months of lead
    lead = 14 / 12
    spread = ((1 + r) ** lead - 1) / (lead * log1p(r))
    annuity = r / (1 - (1 + r) ** -15)
    assert plan.npc_musd["battery"] == pytest.approx(190.625 * 1.1 * spread * annuity * sum(held))
    # 0.8 * 240 * 1.2 mean MW, less what is shed, and more for 15 % lost in batteries
    part = 0.8 * 1.2 / 1.25
    shed = 46.875 * OFF_ZONE * part
    losses = (118.125 * OFF_ZONE + 72.5 * OFF_LETTER) * part * (1 / 0.85 - 1)
    mean = 0.8 * 240 * 1.2 - shed + losses
    assert plan.npc_musd["energy"] == pytest.approx(mean * 8760 * 55 / 1e6 * sum(held))
    paid = sum(c.musd for c in plan.cash if c.category == "battery")
    assert paid == pytest.approx(190.625 * 1.1)


def test_without_batteries_training_is_held_by_what_it_can_shed():
    """A MW of training needs 1.25 grid MW, of which 0.3125 may be cut: 0.9375 firm ones. 62.5 firm
    MW carry 66.7 IT MW of it; answers, which need 1.25, are worth no more and are turned away."""
    _, plan = solved("flexible.battery=null")
    for p in (P0, P1, P2):
        assert _mw(plan.serve, workload="training", period=p) == pytest.approx(62.5 / 0.9375)
        assert _mw(plan.serve, workload="answers", period=p) == pytest.approx(0, abs=1e-5)
        assert _mw(plan.nonfirm, period=p) == pytest.approx(62.5 / 3)
    assert plan.batteries == plan.backed == ()


def test_work_done_elsewhere_is_not_lost_but_draws_its_energy():
    _, plan = solved("demand.workloads.training.moved_pct=100")
    assert "curtailed" not in plan.npc_musd
    _, lost = solved()
    assert plan.npc_musd["energy"] > lost.npc_musd["energy"]


def test_firm_only_flexible_and_counted_whole_are_in_that_order():
    costs = {}
    for how in ("exclude", "flexible", "count"):
        given = () if how == "flexible" else ("flexible.areas=[]", "flexible.battery=null")
        _, plan = solved(f"power.nonfirm={how}", *given)
        costs[how] = plan.objective
    assert costs["flexible"] < costs["exclude"]
    _, letters = solved("flexible.areas=[]")
    _, counted = solved("power.nonfirm=count", "flexible.areas=[]", "flexible.battery=null")
    assert counted.objective < letters.objective < costs["exclude"]


def _row(plan: Solution, table: str, place: int, **cells: Any) -> Solution:
    rows = list(getattr(plan, table))
    rows[place] = dataclasses.replace(rows[place], **cells)
    return dataclasses.replace(plan, **{table: tuple(rows)})


def _where(plan: Solution, table: str, **match: str) -> int:
    rows = getattr(plan, table)
    return next(i for i, r in enumerate(rows) if all(getattr(r, k) == v for k, v in match.items()))


def _more(table: str, by: float, column: str = "grid_mw", **match: str) -> Callable[..., Solution]:
    def change(plan: Solution) -> Solution:
        at = _where(plan, table, **match)
        return _row(plan, table, at, **{column: getattr(getattr(plan, table)[at], column) + by})

    return change


def _added(table: str, row: Any) -> Callable[..., Solution]:
    return lambda plan: dataclasses.replace(plan, **{table: (*getattr(plan, table), row)})


LETTER = {"source": "offer:N-2", "period": P1}
ZONE = {"source": "area:zone", "period": P1}
WRONG: dict[str, tuple[Callable[[Solution], Solution], dict[str, float]]] = {
    "more of the letter than was taken": (
        lambda plan: _more("nonfirm", 3, **LETTER)(
            _row(plan, "offers", _where(plan, "offers", offer_id="N-2"), grid_mw=72.5)
        ),
        {"flexible.offer": 3, "flexible.cover": 3}),
    "more than the area has": (
        _more("nonfirm", 20, **ZONE),
        {"flexible.area": 185 - H, "flexible.cover": 20}),
    "less than is needed": (
        _more("nonfirm", -5, **LETTER), {"headroom.limit": 5, "flexible.cover": 5}),
    "at a POI outside the area": (
        lambda plan: _row(plan, "nonfirm", _where(plan, "nonfirm", **LETTER), source="area:zone"),
        {"flexible.reach": 72.5, "flexible.area": 237.5 - H}),
    "work shed beyond what it bears": (
        _more("shed", 2, **ZONE), {"flexible.tolerance": 2, "flexible.cover": 2}),
    "work shed that bears nothing": (
        lambda plan: _row(plan, "shed", _where(plan, "shed", **ZONE), workload="answers"),
        {"flexible.tolerance": 46.875}),
    "fewer batteries": (
        _more("batteries", -10, "bought_mw", site_id="mill"), {"flexible.battery": 10}),
    "batteries cover more": (
        _more("backed", 4, **ZONE), {"flexible.battery": 4, "flexible.cover": 4}),
    "more than the contract": (
        _added("nonfirm", NonfirmRow("barn", "North", "area:zone", P1, 126)),
        {"flexible.contract": 126 + 72.5 - 112.5, "flexible.reach": 126}),
    "a source that is not": (
        _added("nonfirm", NonfirmRow("barn", "North", "offer:N-1", P1, 1)), {"rows.unknown": 1}),
    "a tie that is not": (
        _added("nonfirm", NonfirmRow("barn", "South", "area:zone", P1, 1)), {"rows.unknown": 1}),
    "twice": (
        _added("batteries", BatteryRow("mill", P0, 1)), {"rows.duplicate": 1}),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_a_plan_made_wrong_is_caught_with_its_amount(name: str) -> None:
    prepared, plan = solved()
    change, wanted = WRONG[name]
    found: dict[str, float] = {}
    for one in pipeline.check(prepared, change(plan)):
        found[one.check] = max(found.get(one.check, 0.0), one.amount)
    for check, amount in wanted.items():
        assert found.get(check) == pytest.approx(amount, rel=1e-5), found


def test_batteries_before_their_lead_time_are_caught() -> None:
    _, plan = solved()
    late = pipeline.prepare(
        pipeline.load(EXAMPLE / "sitepick.yaml", ("flexible.battery.lead_months=36",))
    )
    early = [f for f in pipeline.check(late, plan) if f.check == "flexible.early"]
    assert {f.amount for f in early} == {304 + 22}  # 2029-01-01 to 2029-11-23


def test_a_margin_that_the_curve_does_not_give_is_caught() -> None:
    prepared, plan = solved()
    table = prepared.candidates.margins.assign(mw=200.0, hours=60.0)
    wrong = dataclasses.replace(
        prepared, candidates=dataclasses.replace(prepared.candidates, margins=table)
    )
    found = {f.message.split()[1]: f.amount for f in pipeline.check(wrong, plan)
             if f.check == "flexible.margin"}  # fmt: skip
    assert found == {"MW": pytest.approx(200 - H, rel=1e-5), "curtailed": pytest.approx(20)}


def test_costs_said_wrong_are_caught() -> None:
    prepared, plan = solved()
    for term in ("curtailed", "battery", "energy"):
        npc = {**plan.npc_musd, term: plan.npc_musd[term] + 1}
        found = pipeline.check(prepared, dataclasses.replace(plan, npc_musd=npc))
        assert [f.amount for f in found if f.check == f"costs.{term}"] == [pytest.approx(1)]


def test_exports_come_to_the_same_money():
    prepared, plan = solved()
    made = SiteRows(prepared.scenario, prepared.candidates, plan)
    for term, musd in plan.npc_musd.items():
        of_sites = sum(v for (_, t), v in made.costs.present_musd.items() if t == term)
        assert of_sites == pytest.approx(musd, rel=1e-9), term
    rows = {(r["site_id"], r["period"]): r for r in made.sheet().rows}
    mill = rows["mill", P1]
    assert mill["firm_grid_mw"] == pytest.approx(22.5)
    assert mill["nonfirm_grid_mw"] == pytest.approx(165)
    assert mill["battery_mw"] == pytest.approx(118.125)
    assert mill["curtailed_musd_per_year"] == pytest.approx(46.875 * OFF_ZONE / 1.25 * 30)


def test_the_commands(cli) -> None:
    shutil.copytree(EXAMPLE, "flexible")
    record = cli("solve", "flexible/sitepick.yaml", "--out", "json", "--json").record
    assert record["nonfirm_grid_mw"] == dict.fromkeys((P0, P1, P2), pytest.approx(237.5))
    answer = cli("solve", "flexible/sitepick.yaml", "--out", "run")
    assert answer.code == 0
    said = " ".join(answer.out.split())
    assert "non-firm 237.5 237.5 237.5" in said
    assert "covered by batteries 190.6 190.6 190.6" in said
    assert "GWh a year the grid may cut 13.8 13.8 13.8" in said
    assert "not room on the wires" in said
    rows = list(csv.DictReader(Path("run/nonfirm.csv").read_text().splitlines()))
    found = {r["source"]: float(r["curtailed_mwh_per_year"]) for r in rows if r["period"] == P1}
    assert found == {"area:zone": pytest.approx(165 * 43.8), "offer:N-2": pytest.approx(72.5 * 90)}
    assert cli("check", "run").code == 0
    curve = Path("flexible/zone.csv")
    curve.write_text(curve.read_text().replace("9900,60", "9950,60"))
    again = cli("check", "run")
    assert again.code == 7
    assert "changed since the plan was made (layers.curve: zone.csv" in again.out


@pytest.mark.parametrize(
    ("overrides", "code", "said"),
    [
        (["power.nonfirm=count"], 2, "counts only with 'power.nonfirm: flexible'"),
        (["flexible.areas.0.curve=gone.csv"], 3, "gone.csv"),
        (["flexible.areas.0.curve=letters.csv"], 3, "(flexible area 'zone')"),
        (["flexible.areas.0.curve_area=west"], 3, "has no area 'west'"),
        (["flexible.areas.0.poi_ids=[Sauth]"], 2, "has the POI Sauth"),
        (["flexible.areas.0.level=state"], 2, "'level' and 'region_id' go together"),
        (["flexible.areas.0.curtail_pct=0"], 2, "curtail_pct"),
        (["flexible.battery.efficiency_pct=0"], 2, "efficiency_pct"),
    ],
)
def test_what_is_refused(cli, overrides: list[str], code: int, said: str) -> None:
    asked = [part for one in overrides for part in ("--set", one)]
    answer = cli("solve", EXAMPLE / "sitepick.yaml", *asked)
    assert answer.code == code, answer.err
    assert said in answer.err


def test_validate_says_how_non_firm_mw_are_used(cli):
    said = " ".join(cli("validate", EXAMPLE / "sitepick.yaml").out.split())
    assert (
        "non-firm MW of letters, and of areas zone as far as work can be shed or batteries" in said
    )


def test_non_firm_until_the_upgrade_makes_it_firm(tmp_path):
    """120 MW stated as non-firm until the letter's 160 MW are firm in 2031."""
    letters = (EXAMPLE / "letters.csv").read_text()
    upgraded = letters.replace("160,2028-06-01,signed,no,90", "160,2031-01-01,signed,yes,0")
    assert upgraded != letters
    (tmp_path / "upgraded.csv").write_text(upgraded)
    _, plan = solved(
        f"layers.power_offers.file={tmp_path / 'upgraded.csv'}",
        "flexible.areas=[{name: bridge, poi_ids: [North], mw_max: 120,"
        " curtail_hours_per_year: 90, to_date: 2030}]",
        "demand.workloads.training.ref_mw=100",
    )
    # 140 IT MW are 175 grid MW: 40 + 22.5 firm ones, and 112.5 of the bridge's 120
    for p in (P0, P1):
        assert _mw(plan.nonfirm, source="area:bridge", period=p) == pytest.approx(112.5)
    assert _mw(plan.nonfirm, period=P2) == 0
    assert _mw(plan.grid, poi_id="North", period=P2) == pytest.approx(152.5)
