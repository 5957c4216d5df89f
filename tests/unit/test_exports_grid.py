"""What a run tells of its grid: the valley of scenarios/grid, whose figures are known by hand."""

from __future__ import annotations

import csv
import dataclasses
import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
from openpyxl import load_workbook
from shapely.geometry import LineString, MultiLineString

from sitepick import pipeline
from sitepick.blocks.deliverability import upgrades_at
from sitepick.exports.folder import read_run, write_run
from sitepick.exports.formats import folder_sheets
from sitepick.exports.grid import grid_sheets
from sitepick.exports.rows import SiteRows
from sitepick.exports.sheet import Sheet
from sitepick.exports.sheets import run_sheets
from sitepick.exports.summary import summary
from sitepick.planner import Planner
from sitepick.report.build import report_of
from sitepick.report.tables import Table
from sitepick.run import Run
from sitepick.solution import ExcusedRow, LineUpgradeRow
from sitepick.solve.outcome import Limits
from sitepick.starts import start_values

EXAMPLE = Path(__file__).resolve().parents[2] / "scenarios" / "grid" / "sitepick.yaml"
SHEETS = ("grid_states", "grid_pois", "grid_limits", "grid_upgrades", "grid_excused",
          "grid_dispatch")  # fmt: skip
LAST = "2032-01-01"


@pytest.fixture(scope="module")
def run() -> Run:
    return pipeline.solve(pipeline.prepare(pipeline.load(EXAMPLE)))


@pytest.fixture(scope="module")
def folder(run: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_run(run, tmp_path_factory.mktemp("runs") / "valley")


def made_of(run: Run) -> SiteRows:
    assert run.solution is not None
    return SiteRows(run.prepared.scenario, run.prepared.candidates, run.solution)


def sheets_of(run: Run) -> dict[str, Sheet]:
    return {s.name: s for s in grid_sheets(run, made_of(run))}


def tables_of(run: Run) -> dict[str, Table]:
    return {t.title: t for t in report_of(run).tables}


def told(run: Run, **changes: Any) -> Run:
    """Return the run with other words of its grid."""
    assert run.grid is not None
    return dataclasses.replace(run, grid=dataclasses.replace(run.grid, **changes))


def test_files_and_sheets_are_there(run: Run, folder: Path) -> None:
    for name in SHEETS:
        with (folder / f"{name}.csv").open(encoding="utf-8", newline="") as file:
            assert next(csv.reader(file))
    pages = load_workbook(folder / "plan.xlsx").sheetnames
    assert [p.replace(" ", "_") for p in pages if p.startswith("grid")] == list(SHEETS)
    with closing(sqlite3.connect(folder / "plan.gpkg")) as db:
        kinds = dict(db.execute("SELECT table_name, data_type FROM gpkg_contents").fetchall())
    assert {name: kinds[name] for name in SHEETS} == {
        name: "features" if name in ("grid_pois", "grid_limits") else "attributes"
        for name in SHEETS
    }
    with (folder / "data_dictionary.csv").open(encoding="utf-8", newline="") as file:
        known = {(r["file"], r["name"]): r for r in csv.DictReader(file)}
    for sheet in sheets_of(run).values():
        for field in sheet.fields:
            assert known[f"{sheet.name}.csv", field.name]["meaning"]
            if field.name.endswith(("_mw", "_kv", "_musd")) or field.name in ("mw", "kv"):
                assert field.unit, (sheet.name, field.name)


def test_a_run_without_a_grid_has_none_of_them(tmp_path: Path) -> None:
    from plan_by_hand import run as plain

    assert not [p for p in write_run(plain(), tmp_path / "plain").iterdir() if "grid" in p.name]
    assert summary(plain())["grid"] is None


def test_the_same_run_gives_the_same_bytes(run: Run, folder: Path, tmp_path: Path) -> None:
    again = pipeline.solve(pipeline.prepare(pipeline.load(EXAMPLE)))
    other = write_run(again, tmp_path / "again")
    for path in folder.iterdir():
        if path.name not in ("manifest.json", "solver.log"):
            assert path.read_bytes() == (other / path.name).read_bytes(), path.name


def test_a_folder_gives_back_its_sheets(run: Run, folder: Path) -> None:
    back = {s.name: s for s in folder_sheets(folder)}
    for sheet in run_sheets(run):
        assert back[sheet.name].rows == sheet.rows, sheet.name
        assert back[sheet.name].shape == sheet.shape, sheet.name


def test_inputs_of_the_grid_are_in_the_manifest(folder: Path) -> None:
    inputs = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["inputs"]
    found = {Path(i["path"]).name: i["sha256"] for i in inputs if i["role"] == "grid"}
    assert set(found) == {"network", "units.csv"}
    assert all(len(digest) == 64 for digest in found.values())


def test_states_add_up(run: Run) -> None:
    assert run.solution is not None
    states = sheets_of(run)["grid_states"].rows
    assert len(states) == 2 * 5
    grid: dict[str, float] = dict.fromkeys(run.solution.periods, 0.0)
    for row in run.solution.grid:
        grid[row.period] += row.grid_mw
    dispatch = sheets_of(run)["grid_dispatch"].rows
    for state in states:
        here = (state["condition"], state["period"])
        given = sum(r["mw"] for r in dispatch if (r["condition"], r["period"]) == here)
        assert state["new_load_mw"] == pytest.approx(grid[state["period"]], abs=1e-6)
        assert given == pytest.approx(state["load_mw"] + state["new_load_mw"], abs=1e-5)
        assert state["capacity_mw"] >= given - 1e-6
    # 235 MW in the tables, 2 % more each year; summer counts on 700 + 20 % of 200 + 60 + 20 MW
    first = states[0]
    assert (first["condition"], first["period"]) == ("summer", "2028-01-01")
    assert first["load_mw"] == pytest.approx(230 * 1.02 ** (365 / 365.25))
    assert first["capacity_mw"] == pytest.approx(820)
    # from 2031 on the dear gas unit at Hub must run for the lines: 40 MW at 45 instead of 40 USD
    last = states[4]
    assert last["redispatch_usd_per_h"] == pytest.approx(200, abs=0.1)
    assert last["redispatch_before_usd_per_h"] == 0
    assert last["redispatch_usd_per_mwh"] == pytest.approx(200 / last["new_load_mw"], abs=0.01)


def test_pois_singly_alone_and_jointly(run: Run) -> None:
    sheet = sheets_of(run)["grid_pois"]
    rows = {r["poi_id"]: r for r in sheet.rows}
    assert {p: r["single_mw"] for p, r in rows.items()} == {
        "East": 150, "North": 100, "South": 100, "West": 140
    }  # fmt: skip
    assert {r["connects_mw"] for r in rows.values()} == {200}  # 138 kV
    assert rows["North"]["alone_mw"] == pytest.approx(100, abs=1e-3)
    assert (rows["North"]["limit_id"], rows["North"]["outage_id"]) == ("HN1", "HN2")
    # together they carry 180: 140 over WH after the loss of PH, 40 of the unit at Hub
    both = rows["North"]["joint_mw"] + rows["South"]["joint_mw"]
    assert both == pytest.approx(180, abs=1e-3)
    assert sheet.geometry is not None
    assert sheet.geometry[0] == {"type": "Point", "coordinates": [-97.4, 32.0]}
    record = summary(run)["grid"]
    assert record["single_mw"] == record["usable_mw"] == 490
    assert record["joint_mw"] == pytest.approx(sum(r["joint_mw"] for r in rows.values()))


def test_headroom_pct_and_connection_bound_single_headrooms(run: Run) -> None:
    loaded = run.prepared.loaded
    power = loaded.scenario.power.model_copy(update={"headroom_pct": 50.0})
    scenario = loaded.scenario.model_copy(update={"power": power})
    prepared = dataclasses.replace(
        run.prepared, loaded=dataclasses.replace(loaded, scenario=scenario)
    )
    pois = prepared.candidates.pois.assign(
        single_mw=[900.0, 100.0, np.nan, 140.0], headroom_mw=200.0
    )
    candidates = dataclasses.replace(prepared.candidates, pois=pois)
    half = dataclasses.replace(run, prepared=dataclasses.replace(prepared, candidates=candidates))
    record = summary(half)["grid"]
    assert (record["pois"], record["single_known"]) == (4, 3)
    assert record["single_mw"] == 450 + 50 + 70
    assert record["usable_mw"] == 200 + 50 + 70
    note = tables_of(half)["Headroom singly and jointly, last period"].note
    assert "sum to 320 MW (3 known)" in note


def test_limits_have_the_shape_of_their_line(run: Run) -> None:
    # WH joins West, which the substations layer knows, and Hub, which no layer does: it is put
    # amid the buses it is joined to
    shapes = sheets_of(run)["grid_limits"].geometry
    assert shapes
    ((west, hub),) = {tuple(map(tuple, s["coordinates"][0])) for s in shapes if s}
    assert west == (-98.3, 32.0)
    spots = run.prepared.layers.pois.geometry
    assert (spots.x.min() < hub[0] < spots.x.max(), spots.y.min() <= hub[1]) == (True, True)
    assert {r["drawn"] for r in sheets_of(run)["grid_limits"].rows} == {"about"}
    grid = run.prepared.study.grid if run.prepared.study is not None else None
    assert grid is not None
    at = dict(zip(grid.bus_ids, range(grid.n_bus), strict=True))
    lon, lat = np.full(grid.n_bus, np.nan), np.full(grid.n_bus, np.nan)
    lon[at["HUB"]], lat[at["HUB"]] = -98.0, 32.0
    study = dataclasses.replace(
        run.prepared.study, grid=dataclasses.replace(grid, bus_lon=lon, bus_lat=lat)
    )
    placed = dataclasses.replace(run, prepared=dataclasses.replace(run.prepared, study=study))
    straight = {"type": "MultiLineString", "coordinates": [[[-98.3, 32.0], [-98.0, 32.0]]]}
    assert sheets_of(placed)["grid_limits"].geometry == [straight] * len(shapes)
    assert {r["drawn"] for r in sheets_of(placed)["grid_limits"].rows} == {"straight"}
    for shape in (
        LineString([(-98.3, 32, 7), (-98.1, 32.05, 7), (-98, 32, 7)]),
        MultiLineString([[(-98.3, 32), (-98.1, 32.05), (-98, 32)]]),
    ):
        lines = gpd.GeoDataFrame({"line_id": ["WH"]}, geometry=[shape], crs=4326)
        layers = dataclasses.replace(run.prepared.layers, lines=lines)
        drawn = dataclasses.replace(run, prepared=dataclasses.replace(run.prepared, layers=layers))
        (found, *_) = sheets_of(drawn)["grid_limits"].geometry or []
        assert found is not None
        assert found["coordinates"] == [[[-98.3, 32.0], [-98.1, 32.05], [-98.0, 32.0]]]
        assert sheets_of(drawn)["grid_limits"].rows[0]["drawn"] == "layer"
    # with no place for any bus nothing is drawn
    nowhere = dataclasses.replace(run.prepared.layers, pois=None)
    lost = dataclasses.replace(run, prepared=dataclasses.replace(run.prepared, layers=nowhere))
    assert set(map(str, sheets_of(lost)["grid_limits"].geometry or [])) == {"None"}
    assert {r["drawn"] for r in sheets_of(lost)["grid_limits"].rows} == {None}


def test_what_is_excused_has_its_limit(run: Run) -> None:
    rows = (
        ExcusedRow("summer", "2028-01-01", "WH", "base", 3.0),
        ExcusedRow("summer", "2028-01-01", "WH", "PH", 4.5),
        ExcusedRow("winter", "2028-01-01", "WH", "PW", 1.0),
    )
    with_excuses = told(run, excused=rows)
    found = sheets_of(with_excuses)["grid_excused"].rows
    assert [(r["outage_id"], r["kv"], r["limit_mw"], r["excused_mw"]) for r in found] == [
        ("base", 138, 80, 3), ("PH", 138, 100, 4.5), ("PW", 138, 100, 1)
    ]  # fmt: skip
    state = sheets_of(with_excuses)["grid_states"].rows[0]
    assert (state["excused"], state["excused_mw"]) == (2, 7.5)
    record = summary(with_excuses)["grid"]
    assert (record["excused"], record["excused_mw"]) == (2, 7.5)
    note = tables_of(with_excuses)["The grid at 31 December"].note
    assert "new load: 2 overloads of 7.5 MW (summer), 1 of 1.0 MW (winter)." in note
    assert "The plan may not worsen them by anything" in note


def test_the_report_says_what_limits_and_what_is_bought(run: Run) -> None:
    tables = tables_of(run)
    limits = {(r[0], r[2], r[3]): r[4:] for r in tables["Lines that limit the plan"].rows}
    assert set(limits) == {("WH", "PH", "summer"), ("WH", "PW", "winter")}
    count, when, limit, price = limits["WH", "PH", "summer"]
    assert (when, limit) == ("2028-01-01", pytest.approx(100))
    assert 2 <= count <= 5  # from 2030 on winter may bind instead
    assert price > 0
    assert tables["Line upgrades"].rows == (("WH", "2030-01-01", 32.0, 30.0),)
    pois = tables["Headroom singly and jointly, last period"]
    assert pois.rows[0][:2] == ("all 4", 490)
    assert pois.rows[1][0] == "West"
    assert pois.rows[1][4] == "WH after PW"
    assert "sum to 490 MW, alone with redispatch to 517; planned jointly: 361." in pois.note
    # lines are among what binds, by price, and among what stops spending
    target = report_of(run).headline[-1]
    assert "lines of the grid" in target
    assert "reserve margins" in target


def test_origins_are_said(run: Run) -> None:
    plain = tables_of(run)["The grid at 31 December"].note
    assert plain.startswith("9 outages taken one at a time.")
    made_up = told(run, synthetic=True, estimated=True, radial=("PH", "PW"))
    note = tables_of(made_up)["The grid at 31 December"].note
    assert note.startswith("SYNTHETIC grid. Some reactances or ratings are ESTIMATED. 9 outages")
    assert "2 radial ones not" in note
    assert all(r["synthetic"] for r in sheets_of(made_up)["grid_dispatch"].rows)
    estimated = told(
        run, limiting=tuple(dataclasses.replace(r, estimated=True) for r in run.grid.limiting)
    )  # fmt: skip
    assert tables_of(estimated)["Lines that limit the plan"].rows[0][0] == "WH (estimated)"


def test_a_dispatch_that_was_not_found_has_no_cost(run: Run) -> None:
    assert run.grid is not None
    nan = float("nan")
    states = tuple(
        dataclasses.replace(s, cost_usd_h=nan, redispatch_usd_h=nan) for s in run.grid.states
    )
    lost = told(run, states=states)
    row = sheets_of(lost)["grid_states"].rows[-1]
    assert row["cost_usd_per_h"] is None
    assert row["redispatch_usd_per_mwh"] is None
    table = tables_of(lost)["The grid at 31 December"]
    assert table.rows[4][2:] == (None,) * 5
    assert table.rows[5][2:] == ("",) * 5


def test_mw_without_a_letter_are_not_called_published(run: Run, folder: Path) -> None:
    with (folder / "sites.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        assert float(row["grid_mw_dc_study"]) == pytest.approx(float(row["grid_mw_peak"]))
        assert float(row["grid_mw_published"]) == 0
    shown = {str(r[2]) for r in tables_of(run)["4 sites, IT MW at 31 December"].rows}
    assert shown == {"DC study"}


def test_published_headrooms_as_limits_stay_published() -> None:
    held = pipeline.load(EXAMPLE, ["grid.poi_limit=headroom"])
    found = pipeline.solve(pipeline.prepare(held))
    assert made_of(found).grid.stages == ("energised", "signed", "studied", "published")
    assert {r["connects_mw"] for r in sheets_of(found)["grid_pois"].rows} == {None}


def test_line_upgrades_are_paid_by_all_sites(run: Run) -> None:
    assert run.solution is not None
    made = made_of(run)
    paid = {
        site: musd for (site, _, term), musd in made.costs.overnight_musd.items()
        if term == "upgrades"
    }  # fmt: skip
    last = {r.site_id: r.grid_mw for r in run.solution.grid if r.period == LAST}
    assert paid == {s: pytest.approx(30 * mw / sum(last.values())) for s, mw in last.items()}
    cash = sum(r.musd for r in run.solution.cash if r.category == "upgrades")
    assert sum(paid.values()) == pytest.approx(cash)


def test_a_saved_run_is_checked_and_started_from(run: Run, folder: Path) -> None:
    back = read_run(folder).solution
    assert back == run.solution
    assert pipeline.check(run.prepared, back) == []
    planner = Planner(run.prepared, Limits())
    level = upgrades_at(planner.program, planner.instance)
    start = start_values(planner.program, planner.instance, back)
    assert start[level[0]].tolist() == [0, 0, 1, 1, 1]  # bought from 2030 on
    values = planner.started_from(back)
    assert values is not None
    assert planner.program.matrix.objective(values) == pytest.approx(back.objective, rel=1e-6)
    # a line that is no longer on offer, or a period that is no longer there, is left out
    gone = (LineUpgradeRow("PH", "2030-01-01"), LineUpgradeRow("WH", "2055-01-01"))
    other = dataclasses.replace(back, line_upgrades=gone)
    assert not start_values(planner.program, planner.instance, other)[level].any()


def test_a_wrong_line_upgrade_is_caught_in_a_saved_run(run: Run, folder: Path) -> None:
    back = read_run(folder).solution
    early = dataclasses.replace(back, line_upgrades=(LineUpgradeRow("WH", "2029-01-01"),))
    found = pipeline.check(run.prepared, early)
    assert "deliverability.early" in {f.check for f in found}
