"""`sitepick stress` on an example worked out on paper, killed and resumed, and without a plan."""

from __future__ import annotations

import csv
import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import sitepick

if TYPE_CHECKING:
    from tests.cli.conftest import Cli

EXAMPLE = Path(__file__).parents[2] / "scenarios" / "stress" / "sitepick.yaml"
TABLES = ("stress.csv", "stress_sites.csv", "stress_stranded.csv", "stress_lost.csv", "stress.json")
COMMAND = """\
import sys
from sitepick.cli.app import main
if __name__ == "__main__":
    sys.exit(main())
"""


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def solved(cli: Cli, *more: str) -> None:
    assert cli("solve", EXAMPLE, "--out", "run", "--no-report", "-q", *more).code == 0


def test_futures_of_the_example(cli: Cli) -> None:
    solved(cli)
    told = cli("stress", "run", "--regret", "--processes", 1)
    assert told.code == 0, told.err
    assert "chips_late (hardware is outside this plan)" in told.out
    out = Path("run-stress")
    rows = {(r["future"], r["hold"]): r for r in rows_of(out / "stress.csv")}
    it = {
        key: [float(r[f"it_mw_{year}"]) for year in (2028, 2029, 2030)] for key, r in rows.items()
    }
    assert it["plan", ""] == [100, 150, 150]
    assert it["late_signed", "due"] == it["late_signed", "none"] == [0, 150, 150]
    assert it["late_studied", "due"] == it["late_studied", "all"] == [100, 100, 150]
    assert it["poi_lost", "due"] == [0, 50, 50]
    assert it["mw_less", "due"] == [80, 120, 120]  # 96 and 48 grid MW, 12 for a hall
    assert it["demand_less", "due"] == pytest.approx([70, 105, 105])
    assert it["small_land", "due"] == [100, 100, 100]
    assert it["dear_power", "due"] == it["capex_more", "all"] == [100, 150, 150]
    assert {r["verified"] for r in rows.values()} == {"true"}
    assert float(rows["demand_more", "due"]["turned_away_ref_mw"]) == pytest.approx(195 - 150)
    assert [f for (f, hold), r in rows.items() if r["worst"] == "true" and hold == "due"] == [
        "poi_lost"
    ]

    idle = {
        (r["future"], r["hold"], r["kind"], r["period"][:4]): (float(r["mw"]), float(r["musd"]))
        for r in rows_of(out / "stress_stranded.csv")
    }
    works = 4 + 8 + 36  # land, switching station, and 0.3 MUSD for each of 120 grid MW
    assert idle["late_signed", "due", "halls", "2028"] == pytest.approx((100, 1000 + works))
    assert idle["poi_lost", "due", "power", "2030"] == pytest.approx((120, 6))
    assert ("late_studied", "due", "halls", "2029") not in idle
    assert idle["late_studied", "all", "halls", "2029"][0] == 50
    # two of ten halls cannot be powered; their station of 0.3 MUSD per grid MW with them
    assert idle["mw_less", "due", "halls", "2030"] == pytest.approx((20, 200 + 7.2))

    for (future, hold), row in rows.items():
        if hold in ("due", "all"):
            free = float(rows[future, "none"]["cost_musd"])
            assert float(row["regret"]) == pytest.approx(float(row["cost_musd"]) - free, abs=1e-3)
            assert -1e-6 <= float(row["regret"]) <= float(row["regret_most"]) + 1e-6
    assert float(rows["late_signed", "due"]["regret"]) == pytest.approx(114.5, abs=0.5)
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "<script" not in page
    for text in ("What strands", "poi_lost, letters' MW: 6.0 MUSD", "Decisions not held"):
        assert text in page
    sites = {r["site_id"]: r for r in rows_of(out / "stress_sites.csv")}
    assert (sites["A"]["futures"], sites["B"]["futures"]) == ("8", "8")
    assert sites["A"]["no_regret"] == "false"
    for folder in ("poi_lost", "mw_less-free", "dear_power"):
        assert cli("check", out / folder).code == 0
    assert "assume:" in (out / "poi_lost" / "scenario.resolved.yaml").read_text()
    assert not list(Path().glob(".run-stress*"))
    assert cli("stress", "run").code == 2


def test_a_killed_run_continues_with_the_same_table(cli: Cli) -> None:
    solved(cli)
    assert cli("stress", "run", "--processes", 1, "--out", "whole", "-q").code == 0
    env = {**os.environ, "PYTHONPATH": str(Path(sitepick.__file__).parents[1])}
    Path("main.py").write_text(COMMAND)
    asked = ["stress", "run", "--processes", "2", "--out", "killed"]
    parts, draw = Path(".killed.parts"), random.Random(5)
    finished = set()
    for _ in range(2):
        known = set(parts.glob("*.json"))
        work = subprocess.Popen(
            [sys.executable, "main.py", *asked], env=env, stderr=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )  # fmt: skip
        deadline = time.monotonic() + 120
        while work.poll() is None and time.monotonic() < deadline:
            if set(parts.glob("*.json")) - known:
                time.sleep(draw.uniform(0, 0.5))
                work.kill()
                break
            time.sleep(0.02)
        work.wait()
        finished |= set(parts.glob("*.json"))
        assert not Path("killed").exists()
    assert finished
    times = {path: path.stat().st_mtime_ns for path in finished}
    assert all(json.loads(path.read_text())["plans"] for path in finished)
    told = cli("stress", "run", "--processes", 1, "--out", "killed")
    assert told.code == 0, told.err
    assert f"{len(times) + 1} of 9 futures done" in told.err or len(times) == 9
    assert not parts.exists()
    for name in TABLES:
        assert Path("killed", name).read_bytes() == Path("whole", name).read_bytes(), name


def test_a_future_without_a_plan_is_told(cli: Cli) -> None:
    solved(cli, "--set", "demand.must_serve=true")
    told = cli("stress", "run", "--futures", "poi_lost,capex_more", "--processes", 1, "--json")
    assert told.code == 0, told.err
    lost = told.record["futures"][0]["plans"]
    assert [plan["status"] for plan in lost] == ["infeasible", "infeasible"]
    lacking = {r["period"]: r["missing_ref_mw"] for r in lost[0]["lacking"]}
    assert lacking == pytest.approx({"2028-01-01": 100, "2029-01-01": 100, "2030-01-01": 100})
    assert told.record["futures"][1]["plans"][0]["status"] == "optimal"
    assert rows_of(Path("run-stress", "stress.csv"))[1]["lacking_ref_mw"] == "100"


def test_futures_are_checked_with_the_scenario(cli: Cli) -> None:
    path = Path("bad.yaml")
    path.write_text(
        f"extends: {EXAMPLE}\nfutures:\n  slow: {{power.tie_monthz: 3}}\n"
        "  other: {as_of: 2028}\n  odd: {demand: {it_mw: -1}}\n"
    )
    told = cli("validate", path)
    assert told.code == 2
    assert "bad.yaml:3" in told.err
    assert "did you mean 'tie_months'?" in told.err
    assert "bad.yaml:4" in told.err
    assert "no future changes as_of" in told.err
    assert "bad.yaml:5" in told.err
    solved(cli)
    assert (
        "there is no 'poi_lots'; did you mean 'poi_lost'?"
        in cli("stress", "run", "--futures", "poi_lots").err
    )
    assert "--hold" in cli("stress", "run", "--hold", "soon").err
