"""A run with a grid from the command line: told, checked again, started from, exported."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Cli

EXAMPLE = Path(__file__).resolve().parents[2] / "scenarios" / "grid" / "sitepick.yaml"


def test_solve_report_check_and_start_again(cli: Cli) -> None:
    solved = cli("solve", EXAMPLE, "--out", "run")
    assert solved.code == 0, solved.err
    for words in ("9 outages taken one at a time", "Limiting line", "Line upgrade bought",
                  "planned jointly: 361"):  # fmt: skip
        assert words in " ".join(solved.out.split())
    stored = json.loads(Path("run/report.json").read_text(encoding="utf-8"))
    titles = {table["title"] for table in stored["tables"]}
    assert {"The grid at 31 December", "Lines that limit the plan", "Line upgrades"} <= titles
    shown = cli("report", "run")
    assert shown.code == 0
    assert "Limiting line" in shown.out
    checked = cli("check", "run")
    assert checked.code == 0, checked.out
    again = cli("solve", EXAMPLE, "--from", "run", "--out", "again", "--json")
    assert again.code == 0, again.err
    record = again.record["grid"]
    assert record["upgrades"] == [{"branch_id": "WH", "period": "2030-01-01"}]
    assert record["conditions"] == ["summer", "winter"]
    assert record["limiting"][0]["branch_id"] == "WH"
    before = json.loads(Path("run/solution.json").read_text(encoding="utf-8"))
    assert again.record["objective"]["value"] == pytest.approx(before["objective"], rel=1e-5)
    exported = cli("export", "run", "--to", "csv", "--out", "tables")
    assert exported.code == 0, exported.err
    assert Path("tables/grid_pois.csv").read_text(encoding="utf-8").count("\n") == 5


def test_a_branch_changed_in_the_saved_plan_is_caught(cli: Cli) -> None:
    assert cli("solve", EXAMPLE, "--out", "run").code == 0
    path = Path("run/solution.json")
    record = json.loads(path.read_text(encoding="utf-8"))
    record["line_upgrades"] = []
    path.write_text(json.dumps(record), encoding="utf-8")
    checked = cli("check", "run", "--json")
    assert checked.code == 7
    families = {f["check"] for f in checked.record["findings"]}
    assert {"deliverability.emergency", "run.output"} <= families


def test_single_headrooms_do_not_add_up(cli: Cli) -> None:
    # all published MW are taken: North 100, South 100, West 140, East 150
    single = ("--set", "grid=null", "--set", "demand.it_mw=400")
    assert cli("solve", EXAMPLE, *single, "--out", "single").code == 0
    answer = cli("check", "single", "--against", EXAMPLE, "--json")
    assert answer.code == 7
    # after the loss of PH what North and South draw, less what Hub generates (20 MW, none in 2030,
    # 40 from 2031 on), comes over WH, which carries 100
    summer = {r["period"][:4]: r for r in answer.record["over"] if r["condition"] == "summer"}
    over = {"2028": 80, "2029": 80, "2030": 100, "2031": 60, "2032": 60}
    assert {year: row["over_mw"] for year, row in summer.items()} == pytest.approx(over, abs=1e-3)
    assert {row["branches"] for row in summer.values()} == {1}
    assert {row["over_before_mw"] for row in summer.values()} == {0}
    found = {f["check"] for f in answer.record["findings"]}
    assert {"deliverability.over", "deliverability.adequacy"} <= found
