"""The examples with on-site power, their dates, MW and money worked out by hand."""

from __future__ import annotations

import csv
import math
from datetime import date
from pathlib import Path

import pytest

from sitepick import pipeline
from sitepick.exports.folder import write_run
from sitepick.exports.rows import SiteRows
from sitepick.report.build import report_of
from sitepick.run import Run

SCENARIOS = Path(__file__).parents[2] / "scenarios"
YEARS = [f"{y}-01-01" for y in range(2028, 2033)]


def solved(name: str, *changes: str) -> Run:
    loaded = pipeline.load(SCENARIOS / name / "sitepick.yaml", changes)
    run = pipeline.solve(pipeline.prepare(loaded), gap=1e-6)
    assert run.solution is not None
    assert run.findings == ()
    return run


@pytest.fixture(scope="module")
def bridge() -> Run:
    return solved("bridge")


# --- scenarios/bridge: 8 % real, as_of 2027; engines 1,900 USD/kW, 20 years, 12 months
RATE = 0.08
CRF = RATE / (1 - 1.08**-20)
LEAD = RATE / math.log(1.08)  # a year of building, paid evenly: (1.08^1 - 1) / ln 1.08


def worth(first: int, last: int) -> float:
    """Return the discounted years from the start of ``first`` to the end of ``last``."""
    days = ((date(y, 1, 1) - date(2027, 1, 1)).days for y in range(first, last + 1))
    return sum(1.08 ** -(d / 365.25 + 0.5) for d in days)


def test_engines_serve_until_the_grid_arrives_and_are_sold(bridge: Run) -> None:
    plan = bridge.solution
    assert plan is not None
    # 40 IT MW x 1.25 = 50 MW firm: 5 engines of 10 MW and the spare one; 80 % x 1.1 x 40 = 35.2
    rows = {r.period: r for r in plan.onsite}
    assert list(rows) == YEARS[:3]
    for year in YEARS[:2]:
        row = rows[year]
        assert (row.blocks, row.mw) == (6, 60)
        assert row.firm_mw == pytest.approx(50, abs=1e-6)
        assert row.mean_mw == pytest.approx(35.2, abs=1e-6)
    gone = rows[YEARS[2]]
    assert (gone.blocks, gone.retired, gone.firm_mw, gone.mean_mw) == (0, 6, 0, 0)
    (stay,) = plan.stays
    assert (stay.since, stay.until, stay.blocks) == (YEARS[0], YEARS[2], 6)
    assert {g.period: round(g.grid_mw, 6) for g in plan.grid} == dict.fromkeys(YEARS[2:], 100)
    # open two years before its tie can stand (36 months)
    assert [s.opened for s in plan.sites] == [YEARS[0]]
    assert [(t.poi_id, t.since) for t in plan.ties] == [("Alpha", YEARS[2])]


def test_money_of_the_bridge(bridge: Run) -> None:
    plan = bridge.solution
    assert plan is not None
    overnight = 60 * 1.9
    full, left = worth(2028, 2032), worth(2030, 2032)
    assert plan.npc_musd["onsite"] == pytest.approx(
        overnight * LEAD * CRF * (full - 0.6 * left), rel=1e-9
    )
    # per MWh 8.5 x 4 gas + 5.7; 35 USD per kW and year on 60 MW
    per_year = 35.2 * 8760 * (8.5 * 4 + 5.7) / 1e6 + 60 * 35 / 1000
    assert plan.npc_musd["onsite_running"] == pytest.approx(per_year * worth(2028, 2029), rel=1e-9)
    # energy of the grid from 2030 on: 80 % x 1.1 x 80 IT MW
    assert plan.npc_musd["energy"] == pytest.approx(70.4 * 8760 * 50 / 1e6 * left, rel=1e-9)
    cash = {(c.year, c.category): c.musd for c in plan.cash}
    assert cash[2027, "onsite"] == pytest.approx(overnight)
    assert {year for year, category in cash if category == "onsite"} == {2027}


def test_outputs_tell_grid_and_on_site_apart(bridge: Run, tmp_path: Path) -> None:
    assert bridge.solution is not None
    scenario, candidates = bridge.prepared.scenario, bridge.prepared.candidates
    made = SiteRows(scenario, candidates, bridge.solution)
    rows = {r["period"]: r for r in made.sheet().rows}
    shown = [(r["grid_mw_peak"], r["onsite_firm_mw"], r["drawn_mw"]) for r in rows.values()]
    assert shown == [(0, 50, 0), (0, 50, 0), *[(100, 0, 70.4)] * 3]
    # 35.2 mean MW x 8.5 MMBtu/MWh x 53.06 kg/MMBtu
    assert rows[YEARS[0]]["co2_kt_per_year"] == pytest.approx(35.2 * 8760 * 8.5 * 53.06 / 1e6)
    total = sum(made.costs.present_musd.values())
    assert total == pytest.approx(bridge.solution.net_present_cost_musd, rel=1e-9)
    demand = report_of(bridge).tables[0]
    mix = {row[0]: row[2:] for row in demand.rows}
    assert [round(float(v), 6) for v in mix["On site, firm"]] == [50, 50, 0, 0, 0]
    assert [round(float(v), 6) for v in mix["Grid, design day"]] == [0, 0, 100, 100, 100]
    folder = write_run(bridge, tmp_path / "run")
    with (folder / "onsite.csv").open(encoding="utf-8", newline="") as file:
        found = list(csv.DictReader(file))
    assert [(r["period"], r["onsite_mw"], r["role"]) for r in found] == [
        (YEARS[0], "60", "bridge"), (YEARS[1], "60", "bridge"), (YEARS[2], "0", "bridge")
    ]  # fmt: skip


def test_gas_that_nobody_knows_of_is_no_gas(bridge: Run) -> None:
    notes = {n.code: n for n in bridge.prepared.candidates.notes}
    assert notes["gas_unknown"].count == 1
    assert "P2" in notes["gas_unknown"].message
    access = bridge.prepared.candidates.onsite
    assert list(access["site_id"]) == ["P1"]
    both = pipeline.prepare(
        pipeline.load(SCENARIOS / "bridge" / "sitepick.yaml", ["onsite.gas_unknown=allow"])
    )
    assert list(both.candidates.onsite["site_id"]) == ["P1", "P2"]


def test_a_bridge_that_is_not_sold_stays_as_backup_and_serves_nothing() -> None:
    plan = solved("bridge", "onsite.options.0.after=backup").solution
    assert plan is not None
    assert [r.blocks for r in plan.onsite] == [6] * 5
    assert [round(r.firm_mw, 6) for r in plan.onsite] == [50, 50, 0, 0, 0]
    assert [round(r.mean_mw, 6) for r in plan.onsite] == [35.2, 35.2, 0, 0, 0]
    full = worth(2028, 2032)
    assert plan.npc_musd["onsite"] == pytest.approx(60 * 1.9 * LEAD * CRF * full, rel=1e-9)
    fuel = 35.2 * 8760 * (8.5 * 4 + 5.7) / 1e6 * worth(2028, 2029)
    held = 60 * 35 / 1000 * full
    assert plan.npc_musd["onsite_running"] == pytest.approx(fuel + held, rel=1e-9)


def test_a_permit_that_ends_the_service_of_a_block_asks_for_new_ones() -> None:
    plan = solved("bridge", "onsite.options.0.bridge_years_max=1").solution
    assert plan is not None
    assert [(r.blocks, r.built, r.retired) for r in plan.onsite] == [
        (6, 6, 0),
        (6, 6, 6),
        (0, 0, 6),
    ]
    assert sum(r.ref_mw for r in plan.turned_away) == 0


def test_without_letters_for_later_there_is_nothing_to_bridge() -> None:
    # the letter's MW come after the horizon: engines that are a bridge may not serve at all
    plan = solved("bridge", "periods.to=2029", "demand.it_mw={2028: 40}").solution
    assert plan is not None
    assert plan.onsite == ()
    assert sum(r.ref_mw for r in plan.turned_away) == pytest.approx(80)


def test_an_island_of_engines_needs_no_substation() -> None:
    island = "onsite.options=[{base: recip, lead_months: 12}]"
    plan = solved("bridge", island, "layers.power_offers=[]").solution
    assert plan is not None
    assert plan.ties == ()
    assert plan.grid == ()
    # 50 MW: 5 engines and two spare ones; 100 MW from 2030: 10 and 2
    assert [r.blocks for r in plan.onsite] == [7, 7, 12, 12, 12]
    assert "energy" not in plan.npc_musd


# --- scenarios/solar_storage


def test_solar_and_storage_beside_a_tie() -> None:
    run = solved("solar_storage")
    plan, sized = run.solution, run.prepared.candidates.onsite_sized
    assert plan is not None
    (made,) = sized.to_dict("records")
    assert made["energy_share"] == 0.7
    assert made["firm_credit"] == 0
    assert made["ha_per_mw"] == pytest.approx(made["solar_mw_per_mw"] * 2.43)
    cost = made["solar_mw_per_mw"] * 900 + made["storage_mwh_per_mw"] * 180
    assert made["capex_usd_per_kw"] == pytest.approx(cost)
    assert all(round(g.grid_mw, 6) == 50 for g in plan.grid)  # 40 IT MW x 1.25, no MW of sun
    first = plan.onsite[0]
    assert first.firm_mw == 0
    assert first.blocks == round(first.blocks)
    # what this plant gives to the mean load of 90 % x 1.1 x 40 MW, between two points of its curve
    size, load = first.mw / 39.6, 39.6
    below = max(p for p in made["curve"] if p[0] <= size)
    above = min(p for p in made["curve"] if p[0] >= size)
    part = 0 if above == below else (size - below[0]) / (above[0] - below[0])
    assert first.mean_mw == pytest.approx(load * (below[1] + part * (above[1] - below[1])))
    # the tie gives the rest
    yearly = (load - first.mean_mw) * 8760 * 120 / 1e6
    years = [1.06 ** -(((y - 2026) * 365.25) // 1 / 365.25 + 0.5) for y in range(2028, 2048)]
    assert plan.npc_musd["energy"] == pytest.approx(yearly * sum(years), rel=1e-3)
