"""Texas in every format: fast, the same features everywhere, styled by what the data says."""

from __future__ import annotations

import csv
import datetime
import json
import resource
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import pyogrio
import pytest

from sitepick.exports.formats import FORMATS
from tests.helpers import tables

if TYPE_CHECKING:
    from conftest import Cli

SCENARIO = Path(__file__).resolve().parents[2] / "scenarios" / "texas.yaml"
MOST_SECONDS = 5.0
"""Of this process's CPU: what a planner waits for on a machine that does nothing else."""


def _actions(run: Path) -> list[dict[str, str]]:
    with (run / "actions.csv").open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def _dates_are_need_less_lead_time(cli: Cli, run: Path) -> None:
    """Every date of the list, by plain arithmetic; and the check finds one that is moved."""
    plan = json.loads((run / "solution.json").read_text(encoding="utf-8"))
    rows = _actions(run)
    for row in rows:
        year, month, day = map(int, row["needed"].split("-"))
        months = 12 * year + month - 1 - int(row["lead_months"])
        assert row["do_by"] == f"{months // 12:04d}-{months % 12 + 1:02d}-{day:02d}"
        early = datetime.date(2026, 11, 23) - datetime.date.fromisoformat(row["do_by"])
        assert int(row["late_by_days"]) == max(0, early.days)
    by = {kind: [r for r in rows if r["action"] == kind] for kind in {r["action"] for r in rows}}
    built = {(h["site_id"], h["period"], h["hall"]) for h in plan["halls"] if h["built"]}
    assert {(r["site_id"], r["needed"], r["item"]) for r in by["start_halls"]} == built
    assert {r["lead_months"] for r in by["start_halls"]} == {"21"}
    bought = {(i["site_id"], i["period"], i["hardware"]) for i in plan["it"] if i["bought_mw"] > 0}
    assert {(r["site_id"], r["needed"], r["item"]) for r in by["order_hardware"]} == bought
    opened = {(s["site_id"], s["opened"]) for s in plan["sites"]}
    assert {(r["site_id"], r["needed"]) for r in by["secure_land"]} == opened
    assert {r["lead_months"] for r in by["start_tie"]} == {"24"}
    assert {r["lead_months"] for r in by["order_supply"]} == {"24"}
    assert {r["lead_months"] for r in by["request_interconnection"]} == {"36"}
    assert {r["item"] for r in by["post_security"]} <= {o["offer_id"] for o in plan["offers"]}

    file = run / "actions.csv"
    text = file.read_text(encoding="utf-8")
    first = by["start_tie"][0]["do_by"]
    file.write_text(text.replace(f"\n{first},start_tie", "\n2027-02-02,start_tie", 1), "utf-8")
    answer = cli("check", run, "--json")
    moved = abs((datetime.date(2027, 2, 2) - datetime.date.fromisoformat(first)).days)
    assert answer.code == 7
    found = [(f["check"], f["amount"]) for f in answer.record["findings"]]
    assert found == [("actions.do_by", moved)]
    file.write_text(text, encoding="utf-8", newline="")


def _shuffled_letters_and_another_seed_move_nothing(cli: Cli, run: Path, folder: Path) -> None:
    """The earlier plan is kept, and the month's other run is compared as equal."""
    folder.mkdir()
    header, *letters = (SCENARIO.parent / "texas_letters.csv").read_text("utf-8").splitlines()
    mixed = [header, *sorted(letters, key=lambda row: row[::-1])]
    assert mixed[1:] != letters
    (folder / "texas_letters.csv").write_text("\n".join(mixed) + "\n", encoding="utf-8")
    scenario = folder / "texas.yaml"
    scenario.write_text(SCENARIO.read_text(encoding="utf-8"), encoding="utf-8")
    told = cli("solve", scenario, "--baseline", run, "--seed", "7", "--out", folder / "run",
               "--no-report", "--quiet", "--json")  # fmt: skip
    assert told.code == 0, told.err
    assert told.record["baseline"]["kept"] is True
    assert told.record["baseline"]["changes"] == []


def _answers_come_at_once(run: Path) -> None:
    """`explain` and `report` from the start of the process on, by its own seconds of work."""
    site = json.loads((run / "explain.json").read_text(encoding="utf-8"))["verdicts"][0]["site_id"]
    for command in (["explain", run], ["explain", run, "--site", site], ["report", run, "--quiet"]):
        code = "import sys; from sitepick.cli.app import main; sys.exit(main(sys.argv[1:]))"
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run([sys.executable, "-c", code, *command], capture_output=True,
                              text=True, check=False, timeout=60)  # fmt: skip
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert (done.returncode, done.stderr) == (0, "")
        spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        assert 0 < spent < MOST_SECONDS, command


@pytest.mark.slow
def test_texas_in_every_format(cli: Cli, tmp_path: Path) -> None:
    run = tmp_path / "run"
    assert cli("solve", SCENARIO, "--out", run, "--json").code == 0
    _answers_come_at_once(run)
    _dates_are_need_less_lead_time(cli, run)
    _shuffled_letters_and_another_seed_move_nothing(cli, run, tmp_path / "mixed")
    for to in FORMATS:
        if to == "parquet":
            continue  # an extra; as fast as the others
        begun = time.process_time()
        answer = cli("export", run, "--to", to, "--out", tmp_path / f"all.{to}")
        assert answer.code == 0, answer.err
        assert time.process_time() - begun < MOST_SECONDS, to
    project = ElementTree.parse(tmp_path / "all.qgis" / "plan.qgs").getroot()
    by_name = {
        layer.findtext("datasource", "").rpartition("=")[2]: layer
        for layer in project.iter("maplayer")
    }
    drawn = {c.get("value") for c in by_name["candidates"].iter("category")}
    with closing(sqlite3.connect(tmp_path / "all.gpkg")) as db:
        assert drawn == {r[0] for r in db.execute("SELECT DISTINCT verdict FROM candidates")}
        counts = {
            name: db.execute(f"SELECT count(*) FROM {name}").fetchone()[0]
            for (name,) in db.execute("SELECT table_name FROM gpkg_geometry_columns").fetchall()
        }
        info = dict(db.execute("SELECT item, value FROM run_info").fetchall())
    assert counts["lines"] == 2346
    assert counts["candidates"] == 1250
    for name, count in counts.items():
        for file, layer in ((tmp_path / "all.kml", name),
                            (tmp_path / "all.geojson" / f"{name}.geojson", None)):  # fmt: skip
            found = pyogrio.read_info(file, layer=layer, force_feature_count=True)
            assert found["features"] == count, (file.name, name)
    tables.assert_exports_equal(run, tmp_path)
    assert counts["actions"] == len(_actions(run))
    assert "not real headroom" in info["synthetic"]
    assert {k for k in info if k.startswith("licence_")} >= {"licence_lines", "licence_regions"}
