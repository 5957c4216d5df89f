"""The next month: what was planned stays, what changed is explained by the row that caused it."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.helpers import month

if TYPE_CHECKING:
    from tests.cli.conftest import Cli

QUICK = ("--no-report", "--quiet", "--json")
ROW = "letters_next.csv row 5 (letter V-4)"
CAUSE = f"{ROW}: In service 2029-01-01 -> 2030-01-01, grid_mw 300 -> 180"


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def placed(run: Path) -> dict[tuple[str, str], float]:
    return {(r["site_id"], r["period"]): float(r["it_mw"]) for r in rows(run / "sites.csv")}


def test_a_letter_slips_and_only_what_depends_on_it_moves(cli: Cli, tmp_path: Path) -> None:
    folder = month.write(tmp_path)
    first = cli("solve", folder / "valley.yaml", *QUICK)
    assert first.code == 0, first.err
    assert first.record["baseline"] is None
    assert not Path("runs/valley-1/changes.csv").exists()
    then = cli("solve", folder / "next_month.yaml", *QUICK)
    assert then.code == 0, then.err
    assert then.record["verified"] is True
    assert then.record["status"] == "optimal"
    told = then.record["baseline"]
    assert told["kept"] is False
    assert 0 < told["least_mw_years"] <= told["change_mw_years"] * (1 + 1e-9)

    before, after = Path("runs/valley-1"), Path("runs/valley-next-month-1")
    west = {f"{poi[0]}{n}" for poi in month.WEST for n in (1, 2, 3)}
    old, new = placed(before), placed(after)
    assert {k: v for k, v in old.items() if k[0] not in west} == pytest.approx(
        {k: v for k, v in new.items() if k[0] not in west}
    )
    changes = rows(after / "changes.csv")
    assert [{**r, "change_mw": float(r["change_mw"] or 0)} for r in changes] == [
        {**{k: v or "" for k, v in r.items()}, "change_mw": r["change_mw"] or 0.0}
        for r in told["changes"]
    ]
    changed = {r["site_id"] for r in changes}
    assert changed
    assert changed <= west
    moved = {k[0] for k in old.keys() | new.keys() if abs(old.get(k, 0) - new.get(k, 0)) > 0.05}
    assert moved <= changed
    for row in changes:
        wanted = CAUSE if row["site_id"].startswith("D") else f"follows from {ROW}"
        assert row["cause"] == wanted
    served = [sum(r["turned_away"][p]["it"] for p in r["turned_away"])
              for r in (first.record, then.record)]  # fmt: skip
    assert served == pytest.approx([0, 0], abs=1e-3)

    # everywhere the same: report, workbook, dictionary, GeoPackage; and compare names the row
    shown = json.loads((after / "report.json").read_text(encoding="utf-8"))
    table = next(t for t in shown["tables"] if t["title"] == "Changed sites")
    assert {r[0] for r in table["rows"]} == changed
    assert table["note"] == CAUSE
    assert any(line.startswith("Against ../../runs/valley-1: ") for line in shown["headline"])
    from openpyxl import load_workbook

    assert "changes" in load_workbook(after / "plan.xlsx", read_only=True).sheetnames
    dictionary = rows(after / "data_dictionary.csv")
    columns = [r["name"] for r in dictionary if r["file"] == "changes.csv"]
    assert columns == list(changes[0])
    said = cli("compare", before, after)
    assert ROW.split(" (")[0] in said.out
    record = cli("compare", before, after, "--json").record["comparisons"][0]
    assert [(c["row"], c["column"], c["before"], c["after"]) for c in record["inputs"]
            if c["kind"] == "row"] == [
        (ROW, "In service", "2029-01-01", "2030-01-01"), (ROW, "grid_mw", "300", "180"),
    ]  # fmt: skip
    assert {tuple(s["causes"]) for s in record["sites"] if s["site_id"][0] == "D"} == {(CAUSE,)}
    # the run can be judged again while its baseline is there, and says what it misses when not
    assert cli("check", after).code == 0
    shutil.move("runs/valley-1", "elsewhere")
    lost = cli("check", after)
    assert lost.code == 2
    assert "baseline: " in lost.err
    assert "is no run folder" in lost.err
    shutil.move("elsewhere", "runs/valley-1")
    # a plan that hides a move is found out, with its amount
    path = after / "solution.json"
    plan = json.loads(path.read_text(encoding="utf-8"))
    hidden = plan["moved"].pop()
    path.write_text(json.dumps(plan), encoding="utf-8")
    found = cli("check", after, "--json").record["findings"]
    amounts = [f["amount"] for f in found if f["check"] == "change.moved"]
    assert amounts == pytest.approx([abs(hidden["it_mw"] - hidden["earlier_it_mw"])])


def test_the_same_inputs_in_another_order_with_another_seed(cli: Cli, tmp_path: Path) -> None:
    folder = month.write(tmp_path)
    assert cli("solve", folder / "valley.yaml", *QUICK, "--out", "first").code == 0
    mixed = month.write(tmp_path / "mixed", shuffle=4) / "valley.yaml"
    again = cli("solve", mixed, *QUICK, "--seed", "11", "--out", "again")
    kept = cli("solve", mixed, *QUICK, "--seed", "5", "--baseline", "first", "--out", "kept")
    assert kept.record["baseline"]["kept"] is True
    assert kept.record["baseline"]["changes"] == []
    shown = json.loads(Path("kept/report.json").read_text(encoding="utf-8"))
    assert any("kept, it is still within the gap" in line for line in shown["headline"])
    assert again.code == kept.code == 0
    for run in ("again", "kept"):
        assert placed(Path(run)) == pytest.approx(placed(Path("first")), abs=1e-5)
        said = cli("compare", "first", run).out
        assert "the same sites, MW and dates" in said
    resolved = Path("kept/scenario.resolved.yaml").read_text(encoding="utf-8")
    assert "baseline: ../../../first" in resolved


def broken(run: Path, what: str) -> None:
    if what == "none":
        shutil.rmtree(run)
    elif what == "text":
        (run / "solution.json").write_text("{", encoding="utf-8")
    elif what == "other":
        (run / "manifest.json").write_text("{}", encoding="utf-8")
    elif what == "inputs":
        (run / "inputs.json.gz").unlink()
    else:
        path = run / "scenario.resolved.yaml"
        text = path.read_text(encoding="utf-8")
        path.write_text(text.replace("to: 2031", "to: 2030"), encoding="utf-8")


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("none", "is no run folder"), ("text", "is damaged"),
        ("other", "is not that of a sitepick run"), ("inputs", "solve again to compare this run"),
        ("periods", "other periods than its scenario"),
    ],
)  # fmt: skip
def test_a_baseline_that_cannot_be_read(cli: Cli, tmp_path: Path, what: str, said: str) -> None:
    from unit.test_compare import made

    from sitepick.exports.folder import write_run

    folder = month.write(tmp_path)
    run = write_run(made(), tmp_path / "runs" / "valley-1", html=False)
    if what == "periods":
        text = (folder / "valley.yaml").read_text(encoding="utf-8")
        (run / "scenario.resolved.yaml").write_text(text, encoding="utf-8")
    broken(run, what)
    answer: Any = cli("candidates", folder / "next_month.yaml")
    assert answer.code == 2
    assert said in answer.err
    assert "next_month.yaml:9:11: error: baseline: " in answer.err
    assert len(answer.err.strip().splitlines()) == 1
    assert cli("solve", folder / "valley.yaml", "--baseline", "nowhere").code == 2
