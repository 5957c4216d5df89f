"""A first week: bring files, look, solve, judge, hand on. Files are made here, small and plain."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Cli

PARCELS = ["Parcel No", "Site Name", "Usable Acres", "Option Expiry", "Nearest Substation",
           "Longitude", "Latitude", "Broker"]  # fmt: skip
LETTERS = ["Letter ref", "Substation", "MW", "Energization date", "Status", "Firm", "Contact"]


def table(path: Path, header: list[str], rows: list[list[object]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows([header, *rows])


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A folder with six parcels at three substations, and a letter for each substation."""
    table(
        tmp_path / "parcels.csv", PARCELS,
        [[f"P{i:02d}", f"Ranch {i}", 200 + 10 * i, "2027-06-30", f"SUB-{(i + 1) // 2}",
          -97.5 + 0.1 * i, 31.5, "J. Smith"] for i in range(1, 7)],
    )  # fmt: skip
    table(
        tmp_path / "letters.csv", LETTERS,
        [[f"L{i}", f"SUB-{i}", 100 * i, f"{2027 + i}-06-01", stage, "yes", "Bob"]
         for i, stage in enumerate(["signed", "studied", "signed"], start=1)],
    )  # fmt: skip
    return tmp_path


def test_init_recognises_roles_columns_and_keeps_own_ones(cli: Cli, files: Path) -> None:
    answer = cli("init", "letters.csv", "parcels.csv")
    assert answer.code == 0
    assert "letters.csv: power_offers" in answer.out
    assert "parcels.csv: parcels" in answer.out
    assert "doubt: demand is a guess" in answer.out
    text = (files / "sitepick.yaml").read_text()
    assert "Usable Acres [acre]" in text
    assert "keep: [Broker]" in text
    assert "keep: [Contact]" in text
    assert cli("init", "letters.csv", "parcels.csv").code == 2
    assert (files / "sitepick.yaml").read_text() == text


def test_init_reads_every_sheet_of_a_workbook(cli: Cli, files: Path) -> None:
    from openpyxl import Workbook

    book = Workbook()
    book.remove(book.worksheets[0])
    for name in ("parcels", "letters"):
        sheet = book.create_sheet(name)
        with (files / f"{name}.csv").open() as stream:
            for row in csv.reader(stream):
                sheet.append(row)
    book.save(files / "all.xlsx")
    answer = cli("init", "all.xlsx", "--json")
    assert answer.code == 0
    text = (files / "sitepick.yaml").read_text()
    assert "parcels: {file: all.xlsx, sheet: parcels" in text
    assert "power_offers: {file: all.xlsx, sheet: letters" in text
    assert cli("validate", "--layers").code == 0


def test_init_says_what_is_missing(cli: Cli, files: Path) -> None:
    answer = cli("init", "parcels.csv", "--json")
    assert answer.code == 0
    assert any("no letters and no load headroom" in d for d in answer.record["doubts"])


def test_init_refuses_what_cannot_be_read(cli: Cli, files: Path) -> None:
    (files / "page.geojson").write_text("<!doctype html><html>404</html>")
    answer = cli("init", "parcels.csv", "page.geojson", "none.csv")
    assert answer.code == 3
    assert "looks like a web page" in answer.err
    assert "none.csv" in answer.err
    assert not (files / "sitepick.yaml").exists()


def test_validate_says_what_was_understood(cli: Cli, files: Path) -> None:
    cli("init", "parcels.csv", "letters.csv")
    answer = cli("validate", "--set", "power.tie_km_max=20", "--json")
    assert answer.code == 0
    assert "ties to 20 km" in answer.record["understood"]["power"]
    told = cli("validate", "--layers")
    assert "parcels.csv: 6 of 6 rows used" in told.out
    assert told.err == ""


def test_all_faults_of_a_scenario_at_once(cli: Cli, files: Path) -> None:
    cli("init", "parcels.csv", "letters.csv")
    answer = cli("validate", "--set", "power.tie_km_mx=1", "--set", "objective=cheap", "--json")
    assert answer.code == 2
    assert len(answer.record["problems"]) == 2
    assert "did you mean 'tie_km_max'" in "".join(answer.record["problems"])
    assert "min_cost" in "".join(answer.record["problems"])


def test_faults_of_a_file_end_with_exit_3(cli: Cli, files: Path) -> None:
    cli("init", "parcels.csv", "letters.csv")
    (files / "letters.csv").unlink()
    for command in (("validate", "--layers"), ("candidates",), ("solve",)):
        answer = cli(*command)
        assert answer.code == 3
        assert "letters.csv" in answer.err
    assert not (files / "runs").exists()


def test_candidates_tell_every_place(cli: Cli, files: Path) -> None:
    cli("init", "parcels.csv", "letters.csv")
    answer = cli("candidates", "--set", "candidates.min_ha=90", "--json", "--out", "all.geojson")
    assert answer.code == 0
    steps = {row["step"]: row["places"] for row in answer.record["waterfall"]}
    # 210 and 220 acres are 85 and 89 ha
    assert steps == {"looked at": 6, "min_ha": 2, "candidates": 4}
    features = json.loads((files / "all.geojson").read_text())["features"]
    told = {f["id"]: f["properties"] for f in features}
    assert told["P01"]["status"] == "rejected"
    assert told["P01"]["failed"][0]["threshold"] == 90
    assert told["P06"]["status"] == "candidate"
    assert told["P06"]["why"] == "passed every test"
    assert "verdict" not in told["P06"]  # there is no plan yet
    assert told["P06"]["Broker"] == "J. Smith"
    assert cli("candidates", "--out", "all.geojson").code == 2
    assert cli("candidates", "--out", "all.txt").code == 2


def test_layers_shows_a_file_and_lists_presets(cli: Cli, files: Path) -> None:
    answer = cli("layers", "letters.csv", "parcels.csv", "--json")
    assert answer.code == 0
    assert [f["role"] for f in answer.record["files"]] == ["power_offers", "parcels"]
    assert "power_offers:" in cli("layers", "letters.csv").out
    presets = cli("layers", "--presets", "--json").record["presets"]
    assert "hifld" in [p["preset"] for p in presets]
    assert cli("layers", "letter.csv").err == "letter.csv: no such file. Nearby: letters.csv\n"
    assert cli("layers", "letter.csv").code == 3
    assert cli("layers", "letters.csv", "--preset", "nope").code == 2
    assert cli("layers").code == 2


def test_solve_check_report_export(cli: Cli, files: Path) -> None:
    cli("init", "parcels.csv", "letters.csv")
    solved = cli("solve", "--json")
    assert solved.code == 0
    assert solved.record["verified"] is True
    run = Path(solved.record["run"])
    assert run.parent == Path("runs")
    assert (run / "manifest.json").is_file()
    assert cli("check", run).code == 0
    assert "IT MW" in cli("report", run).out
    assert cli("export", run, "--to", "gpkg", "-o", "plan.gpkg").out == "plan.gpkg\n"
    assert (files / "plan.gpkg").is_file()
    assert cli("export", run, "--to", "pdf").code == 2
    assert cli("export", run, "--to", "kml").out == f"{run.name}.kml\n"
    project = cli("export", run, "--to", "qgis").out.splitlines()
    assert project == [
        f"{run.name}-qgis/{name}" for name in ("data_dictionary.csv", "plan.gpkg", "plan.qgs")
    ]
    again = cli("export", run, "--to", "qgis")
    assert (again.code, "--force" in again.err) == (2, True)
    answer = cli("export", run, "--to", "qgis", "--force", "--json").record
    assert (answer["format"], answer["files"]) == ("qgis", project)


def test_check_catches_a_changed_plan_and_a_changed_input(cli: Cli, files: Path) -> None:
    cli("init", "parcels.csv", "letters.csv")
    run = Path(cli("solve", "--json", "--no-report").record["run"])
    letters = files / "letters.csv"
    text = letters.read_text()
    letters.write_text(text.replace("L3,SUB-3,300", "L3,SUB-3,310"))
    answer = cli("check", run, "--json")
    assert answer.code == 7
    assert [f["check"] for f in answer.record["findings"]] == ["run.input"]
    letters.write_text(text)
    plan = json.loads((run / "solution.json").read_text())
    plan["grid"][0]["grid_mw"] += 1000
    (run / "solution.json").write_text(json.dumps(plan))
    answer = cli("check", run, "--json")
    assert answer.code == 7
    families = {f["check"].split(".")[0] for f in answer.record["findings"]}
    assert {"run", "headroom"} <= families


def test_check_against_another_scenario(cli: Cli, files: Path) -> None:
    cli("init", "parcels.csv", "letters.csv")
    run = Path(cli("solve", "--json", "--no-report").record["run"])
    own = next(files.glob("*.yaml"))
    assert cli("check", run, "--against", own).code == 0
    tight = files / "tight.yaml"
    tight.write_text(f"extends: {own.name}\npower:\n  max_mw_per_poi: 1\n")
    answer = cli("check", run, "--against", tight, "--json")
    assert answer.code == 7
    assert {f["check"] for f in answer.record["findings"]} == {"headroom.most"}
    assert answer.record["against"] == str(tight)
    assert answer.record["over"] == []
    longer = files / "longer.yaml"
    longer.write_text(f"extends: {own.name}\nperiods: {{to: 2040}}\n")
    refused = cli("check", run, "--against", longer)
    assert refused.code == 2
    assert "a plan is judged by a scenario of the same periods" in refused.err
    assert cli("check", run, "--against", "nowhere.yaml").code == 2
    plan = (run / "solution.json").read_text()
    (run / "solution.json").write_text(plan + "\n")
    answer = cli("check", run, "--against", own)
    assert answer.code == 7
    assert "run.output" in answer.out


def test_too_much_must_serve_is_infeasible(cli: Cli, files: Path) -> None:
    cli("init", "parcels.csv", "letters.csv")
    more = ("--set", "demand.must_serve=true", "--set", "demand.it_mw={2031: 2000}")
    answer = cli("solve", *more, "--json")
    assert answer.code == 4
    assert "from 2031-01-01: demand is 2,000.0 IT MW, short by" in answer.err
    assert "grid MW (design day)" in answer.err
    assert answer.record["status"] == "infeasible"
    assert not (files / "runs").exists()


def test_why_there_is_no_plan_is_kept_and_never_taken_for_one(cli: Cli, files: Path) -> None:
    cli("init", "parcels.csv", "letters.csv")
    more = ("--set", "demand.must_serve=true", "--set", "demand.it_mw={2031: 2000}")
    answer = cli("solve", *more, "--out", "why", "--time-limit", "5")
    assert answer.code == 4
    assert "why is written to why" in answer.err
    folder = files / "why"
    assert sorted(p.name for p in folder.iterdir()) == [
        "diagnosis.json", "diagnosis.txt", "scenario.resolved.yaml",
    ]  # fmt: skip
    record = json.loads((folder / "diagnosis.json").read_text())
    assert (record["what"], record["status"]) == ("sitepick diagnosis", "infeasible")
    assert record["shortfall"]
    assert record["diagnosis"]["remedies"]
    assert "short by" in (folder / "diagnosis.txt").read_text()
    assert not [p for p in files.iterdir() if p.name.startswith(".tmp-")]
    for command in ("check", "explain", "report", "compare", "export"):
        extra = {"compare": ("why",), "export": ("--to", "csv")}.get(command, ())
        said = cli(command, "why", *extra)
        assert said.code == 2, command
        assert "holds the diagnosis of a scenario without a plan" in said.err
    assert "holds the diagnosis" in cli("solve", "--from", "why").err
    assert cli("solve", *more, "--out", "why").code == 2  # not without --force
    # a plan may take its place, it may not take the place of a plan
    assert cli("solve", "--out", "why", "--force", "--gap", "20", "--no-report").code == 0
    assert not (folder / "diagnosis.json").exists()
    said = cli("solve", *more, "--out", "why", "--force", "--time-limit", "5")
    assert said.code == 2
    assert "a diagnosis replaces no plan" in said.err
    assert (folder / "solution.json").is_file()


def test_models_are_written_for_other_solvers(cli: Cli, files: Path) -> None:
    import highspy

    cli("init", "parcels.csv", "letters.csv")
    answer = cli("solve", "--write-lp", "m.lp", "--write-mps", "m.mps")
    assert answer.code == 0
    values = []
    for name in ("m.lp", "m.mps"):
        solver = highspy.Highs()
        solver.setOptionValue("output_flag", False)
        assert solver.readModel(str(files / name)) == highspy.HighsStatus.kOk
        assert "siting.open_P01" in solver.getColName(0)[1]
        solver.run()
        values.append(solver.getInfo().objective_function_value)
    assert values[0] == pytest.approx(values[1])
    assert values[0] > 0
    assert not (files / "runs").exists()
    assert cli("solve", "--write-lp", "m.lp").code == 2
    assert cli("solve", "--write-lp", "m.txt").code == 2
