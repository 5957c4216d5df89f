"""Flexible connections piece by piece: areas by region, hourly curves, defaults, exports."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from helpers import worlds

from sitepick import pipeline
from sitepick.candidates.flexible import margins
from sitepick.candidates.power import all_pois
from sitepick.checks import flexible as check_room
from sitepick.checks.case import Case
from sitepick.errors import ScenarioError
from sitepick.exports.rows import SiteRows
from sitepick.layers import load
from sitepick.layers.types import LoadCurve
from sitepick.network.margin import margin, margin_at
from sitepick.planner import Planner
from sitepick.scenario.catalog import table
from sitepick.scenario.flexible import CURTAILABLE_PCT, Battery, curtailable_share
from sitepick.scenario.read import read_scenario
from sitepick.scenario.rules import Workload
from sitepick.solve.outcome import Limits

HOURS = np.arange(8760)
LOAD = 1000 + 200 * np.sin(2 * np.pi * HOURS / 24) + 150 * np.sin(2 * np.pi * HOURS / 8760)


def _folder(here: Path, areas: str) -> Path:
    """Write a scenario with two substations in two states."""
    squares = [
        {"type": "Feature", "properties": {"id": name},
         "geometry": {"type": "Polygon", "coordinates": [
             [[x, 30], [x + 1, 30], [x + 1, 31], [x, 31], [x, 30]]]}}
        for name, x in (("W", -100), ("E", -99))
    ]  # fmt: skip
    text = json.dumps({"type": "FeatureCollection", "features": squares})
    (here / "states.geojson").write_text(text)
    (here / "subs.csv").write_text(
        "poi_id,lon,lat,kv,headroom_mw\nP,-99.5,30.5,138,0\nQ,-98.5,30.5,138,30\n"
    )
    (here / "west.csv").write_text("mw\n" + "\n".join(f"{x:.6f}" for x in LOAD) + "\n")
    path = here / "plan.yaml"
    path.write_text(
        "version: 1\nas_of: 2026-01-01\nperiods: {from: 2028, to: 2029}\nlayers:\n"
        "  substations: {file: subs.csv}\n"
        "  regions: {file: states.geojson, level: state, fields: {region_id: id}}\n"
        "demand: {it_mw: 40, curtailable_pct: 50}\nhalls: none\n"
        f"power: {{nonfirm: flexible, tie_months: 12}}\nflexible:\n  areas: [{areas}]\n"
    )
    return path


WEST = "{name: west, level: state, region_id: W, curve: west.csv, curtail_pct: 1}"


def test_an_area_is_the_pois_in_its_region_and_makes_them_usable(tmp_path):
    prepared = pipeline.prepare(pipeline.load(_folder(tmp_path, WEST)))
    (row,) = prepared.candidates.margins.to_dict("records")
    wanted = margin(LoadCurve("west", LOAD, np.ones(8760), True), 1)
    assert row["poi_ids"] == ("P",)
    assert row["mw"] == pytest.approx(wanted.mw, rel=1e-6)
    assert row["hardest_event_hours"] == pytest.approx(wanted.hardest_event_hours, rel=1e-4)
    # P has no headroom of its own
    assert list(prepared.candidates.sites.query("status == 'candidate'")["site_id"]) == ["P", "Q"]
    run = pipeline.solve(prepared, gap=1e-6)
    assert run.solution is not None
    assert run.findings == ()
    # half of the work may be shed, so each non-firm MW at P would need a firm one, and it has none
    soft = sum(r.grid_mw for r in run.solution.nonfirm if r.period == "2028-01-01")
    assert soft == 0
    assert sum(r.ref_mw for r in run.solution.serve if r.period == "2028-01-01") == 30


def test_all_work_that_can_be_shed_needs_no_firm_mw(tmp_path):
    path = _folder(tmp_path, WEST)
    prepared = pipeline.prepare(pipeline.load(path, ("demand.curtailable_pct=100",)))
    run = pipeline.solve(prepared, gap=1e-6)
    assert run.solution is not None
    assert run.findings == ()
    assert sum(r.grid_mw for r in run.solution.nonfirm if r.period == "2028-01-01") > 9.99
    assert sum(r.ref_mw for r in run.solution.serve if r.period == "2028-01-01") == pytest.approx(
        40
    )


def test_a_curve_is_found_from_the_file_that_names_it(tmp_path):
    below = tmp_path / "below"
    below.mkdir()
    _folder(tmp_path, WEST)
    (below / "child.yaml").write_text("extends: ../plan.yaml\nname: child\n")
    loaded = read_scenario(below / "child.yaml")
    assert loaded.scenario.flexible.areas[0].curve == "../west.csv"
    assert len(load(loaded.scenario, loaded.base).curves) == 1


def test_regions_and_pois_that_are_not_are_told_at_once(tmp_path):
    areas = (
        "{name: a, level: state, region_id: X, curve: west.csv}, "
        "{name: b, poi_ids: [P, Z], curve: west.csv}"
    )
    loaded = read_scenario(_folder(tmp_path, areas))
    layers = load(loaded.scenario, loaded.base)
    with pytest.raises(ScenarioError) as caught:
        margins(loaded.scenario, layers, all_pois(layers))
    assert [p.split(":")[0] for p in caught.value.problems] == [
        "flexible.areas.0.region_id", "flexible.areas.1.poi_ids",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("area", "said"),
    [
        ("{name: a, poi_ids: [P]}", "give either 'curve', or 'mw_max'"),
        ("{name: a, poi_ids: [P], curtail_hours_per_year: 5}", "give either 'curve', or 'mw_max'"),
        ("{name: a, poi_ids: [P], curve: c.csv, mw_max: 5, curtail_hours_per_year: 5}",
         "give either 'curve', or 'mw_max'"),
        ("{name: a, curve: c.csv}", "give either 'level' and 'region_id', or 'poi_ids'"),
        ("{name: a, poi_ids: [P], curve: c.csv, from_date: 2029, to_date: 2028}", "is before"),
        (f"{WEST}, {WEST}", "'west' is listed twice"),
        (WEST.replace("state", "county"), "no file in layers.regions is of level 'county'"),
    ],
)  # fmt: skip
def test_areas_that_contradict_themselves(tmp_path, area, said):
    with pytest.raises(ScenarioError, match=said.replace("(", r"\(")):
        read_scenario(_folder(tmp_path, area))


def test_less_than_the_margin_is_cut_less_often(tmp_path):
    loaded = read_scenario(_folder(tmp_path, WEST.replace("}", ", mw_max: 20}")))
    layers = load(loaded.scenario, loaded.base)
    table_, _ = margins(loaded.scenario, layers, all_pois(layers))
    (row,) = table_.to_dict("records")
    curve = layers.curves[0]
    assert curve is not None
    assert row["mw"] == 20
    assert row["hours"] == margin_at(curve, 20).hours < margin(curve, 1).hours


def test_the_check_finds_the_margin_by_itself(tmp_path):
    prepared = pipeline.prepare(pipeline.load(_folder(tmp_path, WEST)))
    run = pipeline.solve(prepared, gap=1e-6)
    assert run.solution is not None

    def found(**cells: Any) -> dict[str, float]:
        wrong = prepared.candidates.margins.assign(**cells)
        cand = dataclasses.replace(prepared.candidates, margins=wrong)
        case = Case(prepared.scenario, cand, run.solution, prepared.layers.curves)
        return {f.unit: f.amount for f in check_room.check(case)}

    assert found() == {}
    row = prepared.candidates.margins.iloc[0]
    assert found(mw=row["mw"] + 1) == {"grid MW": pytest.approx(1, rel=1e-4)}
    assert found(mean_depth=row["mean_depth"] - 0.1) == {"share": pytest.approx(0.1)}
    worst = row["hardest_event_hours"]
    assert found(hardest_event_hours=0.0) == {"hours": pytest.approx(worst)}


def test_defaults_are_those_of_the_catalog_and_the_facts():
    (row,) = [r for r in table("power_options") if r["id"] == "bess_4h"]
    battery = Battery()
    assert battery.hours == 4
    assert battery.musd_per_mw == pytest.approx(row["capex_usd_per_kw"] / 1000)
    assert row["lead_months_low"] <= battery.lead_months <= row["lead_months_high"]
    for uses, pct in CURTAILABLE_PCT.items():
        assert curtailable_share(Workload(uses=uses, ref_mw={"2028": 1})) == pct / 100
    assert curtailable_share(Workload(uses="decode", ref_mw={"2028": 1}, curtailable_pct=7)) == 0.07


@pytest.mark.parametrize("seed", [5, 13, 18, 36, 57, 59, 84])
def test_exports_of_random_worlds_come_to_the_plan_s_money(seed):
    world = worlds.prepared(*worlds.world(seed, 3 + seed % 5))
    _, plan = Planner(world, Limits(gap=1e-6, threads=1)).solve(None)
    assert plan is not None
    assert plan.nonfirm
    made = SiteRows(world.scenario, world.candidates, plan)
    for term, musd in plan.npc_musd.items():
        of_sites = sum(v for (_, t), v in made.costs.present_musd.items() if t == term)
        if term != "penalty":
            assert of_sites == pytest.approx(musd, rel=1e-6, abs=1e-6), term
    rows = pd.DataFrame(made.sheet().rows)
    split = rows["firm_grid_mw"] + rows["nonfirm_grid_mw"]
    assert np.allclose(split, rows["grid_mw_peak"])
    assert rows["nonfirm_grid_mw"].sum() == pytest.approx(sum(r.grid_mw for r in plan.nonfirm))
