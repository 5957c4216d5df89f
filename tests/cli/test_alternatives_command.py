"""`sitepick alternatives` on the small example of dated power."""

from __future__ import annotations

import csv
import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Cli

EXAMPLE = Path(__file__).parents[2] / "scenarios" / "time_to_power" / "sitepick.yaml"


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_alternatives_of_the_example(cli: Cli) -> None:
    assert cli("solve", EXAMPLE, "--out", "run", "--no-report", "-q").code == 0
    assert "no share" in cli("alternatives", "run", "--within", "little").err
    told = cli("alternatives", "run", "--within", "5%", "--n", "3")
    assert told.code == 0, told.err
    assert "no other set of sites stays within the cost (proven)" in told.out

    out = Path("run-alternatives")
    plans, sites = rows_of(out / "alternatives.csv"), rows_of(out / "site_frequency.csv")
    best, other = plans
    assert (best["plan"], other["plan"], other["verified"]) == ("best", "01", "true")
    assert float(best["cost_musd"]) == pytest.approx(5357.4, abs=15)
    assert 0 < float(other["over_best_pct"]) <= 5
    assert (other["differences"], other["differences_most"]) == ("1", "1")
    assert other["sites_in"] == '["P-S"]'
    assert sum(int(s["plans"]) for s in sites) == sum(int(p["sites"]) for p in plans) == 5
    assert {s["site_id"]: s["plans"] for s in sites} == {"P-N": "2", "P-L": "2", "P-S": "1"}
    shapes = json.loads((out / "site_frequency.geojson").read_text())["features"]
    assert [f["properties"]["site_id"] for f in shapes] == [s["site_id"] for s in sites]
    with closing(sqlite3.connect(out / "alternatives.gpkg")) as db:
        stored = db.execute("SELECT site_id, plans FROM site_frequency ORDER BY fid").fetchall()
        styled = db.execute("SELECT f_table_name FROM layer_styles").fetchall()
    assert [(s, str(n)) for s, n in stored] == [(s["site_id"], s["plans"]) for s in sites]
    assert styled == [("site_frequency",)]
    assert cli("check", out / "01").code == 0
    assert "P-S" in cli("compare", "run", out / "01").out

    assert cli("alternatives", "run", "--within", "5%").code == 2
    (out / "mine.txt").write_text("kept")
    Path("other").mkdir()
    Path("other/mine.txt").write_text("kept")
    assert "no earlier alternatives" in cli("alternatives", "run", "-o", "other", "--force").err
    assert Path("other/mine.txt").read_text() == "kept"
