"""Bad grids end with exit code 3 and words that place and cure need, in `solve` and `validate`."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Answer, Cli

BAD = Path(__file__).resolve().parents[1] / "data" / "bad" / "grid"
# each folder has the tables that differ from those in `good`
TABLES: dict[str, tuple[str, ...]] = {
    "duplicate_ids": (
        "buses.csv:4: bus_id '2' appears more than once",
        "branches.csv:3: branch_id 'L1' appears more than once",
        "plants.csv:3: plant_id 'G1' appears more than once",
    ),
    "empty": ("branches.csv: is empty (0 bytes)",),
    "kw_for_mw": ("buses.csv:3: the load is 90,000 MW in all", "it looks like kW"),
    "missing_buses": (
        "branches.csv:3: to_bus '33' of L2 is no bus_id of buses",
        "plants.csv:2: bus_id '11' of G1 is no bus_id of buses",
    ),
    "missing_rating": (
        "branches.csv:3: branch 'L2' has no rating; give the voltage of its buses",
        "branches.csv:4: branch 'L3' has no x; give the voltage of its buses",
    ),
    "negative_rating": ("branches.csv:2: branch_id 'L1' has a negative rating",),
    "no_columns": (
        "branches.csv:1: missing column branch_id",
        "branches.csv:1: missing column from_bus",
        "branches.csv:1: missing column to_bus",
    ),
    # these are read, and refused when a condition is studied
    "island_without_plants": (
        "load 12 MW is above the 0 MW", "in the island of bus 4 (1 bus)", "'peak' at 2028-01-01",
    ),
    "load_above_generation": ("load 90 MW is above the 80 MW that the plants can be counted on",),
}  # fmt: skip
STUDIED = {"island_without_plants", "load_above_generation"}
TWO = "grid.upgrades=[{branch_id: L9, mw: 5, musd: 1}, {branch_id: L2x, mw: 5, musd: 1}]"
CHANGES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "no_folder": (("grid.file=god",), ("god: no such file or folder; nearby: good",)),
    "no_grid": (("grid.file=no_grid",), ("no_grid: is no grid (points); wanted are buses,",)),
    "a_table": (("grid.file=substations.csv",), ("substations.csv: is no grid; name a folder",)),
    "a_program": (("grid.file=program.m",), ("program.m:3: holds code that is not run",)),
    "bundled": (("grid.file=bundled:texas",), ("'texas' is not among", "texas_grid, texas_lines")),
    "url": (("grid.file=https://grid.example/tables",), ("never a URL",)),
    "part": (("grid.part=Texas",), ("leave it out",)),
    "units_date": (("grid.units={file: units_date.csv}",), ("units_date.csv:2: to_date is",)),
    "units_unknown": (
        ("grid.units={file: units_unknown.csv}",),
        ("units_unknown.csv:2: ", "'9'", "units_unknown.csv:3: ", "'N2'"),
    ),
    "units_missing": (("grid.units={file: unit.csv}",), ("unit.csv: no such file",)),
    "names": (  # with a fault of another file: all are told at once
        (TWO, "grid.outages={ids: [L8], exclude_ids: [L7]}",
         "grid.adequacy={zone: wets, reserve_margin_pct: 5}", "layers.parcels.file=parcel.csv"),
        ("parcel.csv: no such file", "; nearby: parcels.csv", "no branch 'L9' in good",
         "no branch 'L2x' in good; did you mean 'L2'?", "grid.outages: no branch 'L8'",
         "grid.outages: no branch 'L7'", "no bus of good is in zone 'wets'; did you mean 'west'?"),
    ),
    "upgrade_of_nothing": (
        ("grid.file=unlimited.m", "grid.upgrades=[{branch_id: 1-2, mw: 5, musd: 1}]"),
        ("branch '1-2' has no rating (0 means unlimited); nothing to upgrade",),
    ),
}  # fmt: skip
STUDIES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "credits": (
        ("grid.conditions=[{id: peak, credit_pct: {gas: 50}}]",),
        ("load 90 MW is above the 75 MW", "check credit_pct"),
    ),
    "growth": (
        ("grid.load_growth_pct_per_year=45",),
        ("load 189 MW", "at 2029-01-01", "load 274 MW", "at 2030-01-01"),
    ),
    "retired": (
        ("grid.units={file: units_retired.csv}",),
        ("is above the 0 MW", "'peak' at 2030-01-01"),
    ),
    "overloaded": (
        ("grid.excuse=none", "grid.conditions=[{id: hot, load_pct: 150}]"),
        ("L1 is 15.0 MW over its limit after losing L3 in condition 'hot'",
         "L3 is 15.0 MW over its limit after losing L1", "`excuse: least` would excuse it"),
    ),
    "other_ids": (
        ("layers.substations.file=substations_named.csv",),
        ("none of the 2 POIs has a bus of that poi_id: POIs are Three, Two",
         "the grid has 1, 2, 3"),
    ),
    "existing_elsewhere": (
        ("layers.substations.file=substations_half.csv",
         "existing=[{site_id: P3, halls: {dlc: 1}, grid_mw: 12}]"),
        ("POI 'Three' has no bus in good, but P3 stands there or must",),
    ),
}  # fmt: skip


def asked(cli: Cli, command: str, changes: tuple[str, ...], *more: str) -> Answer:
    options = [word for change in changes for word in ("--set", change)]
    return cli(command, BAD / "base.yaml", *more, *options)


def refused(answer: Answer, words: tuple[str, ...]) -> None:
    assert answer.code == 3, answer.err
    assert "Traceback" not in answer.err
    assert "bug in sitepick" not in answer.err
    for word in words:
        assert word in answer.err
    assert not Path("runs").exists()


def test_the_good_one_is_good(cli: Cli) -> None:
    assert asked(cli, "solve", (), "--out", "run").code == 0
    told = asked(cli, "validate", (), "--layers")
    assert told.code == 0
    assert "good: 3 of 3 rows used" in told.out
    assert "good; carries the plan in peak; after the loss of one of lines of 100 kV" in told.out


def test_every_case_has_its_files() -> None:
    folders = {p.name for p in BAD.iterdir() if p.is_dir()}
    assert folders == {*TABLES, "good", "no_grid"}


@pytest.mark.parametrize("name", sorted(TABLES))
def test_bad_tables(cli: Cli, tmp_path: Path, name: str) -> None:
    folder = tmp_path / "grid"
    shutil.copytree(BAD / "good", folder)
    shutil.copytree(BAD / name, folder, dirs_exist_ok=True)
    changes = (f"grid.file={folder}",)
    refused(asked(cli, "solve", changes), TABLES[name])
    if name not in STUDIED:
        refused(asked(cli, "validate", changes, "--layers"), TABLES[name])


@pytest.mark.parametrize("name", sorted(CHANGES))
def test_what_the_scenario_names_is_not_there(cli: Cli, name: str) -> None:
    changes, words = CHANGES[name]
    refused(asked(cli, "solve", changes), words)
    refused(asked(cli, "validate", changes, "--layers"), words)


@pytest.mark.parametrize("name", sorted(STUDIES))
def test_what_only_a_study_shows(cli: Cli, name: str) -> None:
    changes, words = STUDIES[name]
    refused(asked(cli, "solve", changes), words)
    assert asked(cli, "solve", changes, "--json").record["status"] == "error"


def test_a_poi_without_a_bus_is_no_candidate_and_counted(cli: Cli) -> None:
    changes = ("layers.substations.file=substations_half.csv",)
    answer = asked(cli, "solve", changes, "--out", "run")
    assert answer.code == 0, answer.err
    assert "2 looked at, 1 no bus, 1 passed every test" in answer.out


def test_a_credit_of_no_fuel_is_noted(cli: Cli) -> None:
    changes = ("grid.conditions=[{id: peak, credit_pct: {Gas: 90, wnd: 20}}]",)
    answer = asked(cli, "candidates", changes)
    assert answer.code == 0
    assert "condition peak: no unit has the fuel wnd of credit_pct; fuels there: gas" in answer.err


def test_demand_that_the_grid_cannot_carry_says_so(cli: Cli) -> None:
    # 150 MW of gas less 90 MW of load are 60 MW; the loss of L1 or L3 leaves 120 - 90 = 30 MW
    changes = ("demand={it_mw: 40, must_serve: true}", "halls=[{id: h, kw_per_rack: 90, "
               "hall_it_mw: 1, capex_musd_per_mw: 1, pue_avg: 1, pue_peak: 1}]")  # fmt: skip
    answer = asked(cli, "solve", changes)
    assert answer.code == 4
    assert "demand is 40.0 IT MW, short by 10.0 IT MW = 10.0 grid MW" in answer.err
    assert "what limits it: grid: L" in answer.err
    assert "after losing L" in answer.err
    assert "the grid does not carry it" in answer.err


def test_paths_of_an_extended_scenario_stay_where_they_were_written(
    cli: Cli, tmp_path: Path
) -> None:
    parent = BAD / "base.yaml"
    (tmp_path / "child.yaml").write_text(
        f"extends: {parent}\ngrid: {{load_growth_pct_per_year: 1}}\n", encoding="utf-8"
    )
    assert cli("validate", "child.yaml", "--layers").code == 0


def test_the_shortfall_is_the_least_also_where_the_program_is_not_small(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sitepick.solve import pricing

    monkeypatch.setattr(pricing, "_SMALL_COLUMNS", 0)
    monkeypatch.setattr(pricing, "_SMALL_OWNERS", 0)
    monkeypatch.setattr(pricing, "_WHOLE_COLUMNS", 0)
    answer = asked(cli, "solve", ("demand={it_mw: 300, must_serve: true}",), "--json")
    assert answer.code == 4
    last = answer.record["shortfall"][-1]
    # 30 MW after the loss of L1 or L3, at the PUE of the design day
    least = 300 * last["missing_grid_mw"] / last["missing_ref_mw"] - 30
    assert last["missing_grid_mw"] == pytest.approx(least, rel=1e-2)
    assert any(text.startswith("grid: L") for text in last["limited_by"])
