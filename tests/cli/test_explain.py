"""`sitepick explain` on runs of the examples: limits, sites, a step solved again."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Cli

SCENARIOS = Path(__file__).resolve().parents[2] / "scenarios"
VALLEY = SCENARIOS / "grid" / "sitepick.yaml"


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a run of the valley: four parcels on a grid that limits them."""
    from sitepick.cli.app import main

    folder = tmp_path_factory.mktemp("runs")
    assert main(["solve", str(VALLEY), "--out", str(folder / "valley"), "--quiet"]) == 0
    return folder


def test_what_binds_in_the_valley(cli: Cli, runs: Path) -> None:
    answer = cli("explain", runs / "valley")
    assert answer.code == 0, answer.err
    assert "lines of the grid" in answer.out
    assert "WH after losing PH" in answer.out
    assert "reserve margins" in answer.out
    assert "Spendable" in answer.out
    record = cli("explain", runs / "valley", "--json").record
    lines = [x for x in record["limits"] if x["limit"] == "deliverability.lines"]
    assert lines
    assert max(x["held_price_musd"] for x in lines) > 1
    assert {v["verdict"] for v in record["verdicts"]} == {"chosen"}
    with (runs / "valley" / "limits.csv").open(encoding="utf-8-sig", newline="") as file:
        assert len(list(csv.DictReader(file))) == len(record["limits"])


def test_a_site_by_id_by_name_and_by_mistake(cli: Cli, runs: Path) -> None:
    answer = cli("explain", runs / "valley", "--site", "P-W")
    assert answer.code == 0, answer.err
    assert "in the plan from" in answer.out
    assert "the plan's sites cost" in answer.out
    assert "West" in answer.out
    record = cli("explain", runs / "valley", "--site", "P-W", "--json").record
    assert record["verdict"]["verdict"] == "chosen"
    assert record["ties"][0]["poi_id"] == "West"
    assert len(record["pois"]["West"]["mw"]) == len(record["periods"])
    wrong = cli("explain", runs / "valley", "--site", "P-V")
    assert wrong.code == 2
    assert "did you mean" in wrong.err


def test_a_step_is_solved_again_and_told_with_its_bounds(cli: Cli, runs: Path) -> None:
    answer = cli("explain", runs / "valley", "--step", "demand.it_mw=-150", "--json", "--quiet")
    assert answer.code == 0, answer.err
    record = answer.record
    assert record["changes"] == ["demand.it_mw=150"]
    assert record["difference"] < 0
    low, high = record["true_difference_from"], record["true_difference_to"]
    assert low - 1e-6 <= record["difference"] <= high + 1e-6
    assert record["seconds"] > 0
    assert record["sites"]
    assert {row["cause"] for row in record["moves"]} == {"demand.it_mw: 300 -> 150"}
    assert {row["site_id"] for row in record["sites"]} <= {r["site_id"] for r in record["moves"]}
    said = cli("explain", runs / "valley", "--set", "demand.it_mw=300", "--quiet")
    assert said.code == 0
    assert "it may be nothing" in said.out
    bad = cli("explain", runs / "valley", "--step", "demand.it_m=+1")
    assert bad.code == 2
    assert "did you mean 'it_mw'" in bad.err


def test_what_does_not_go_together_or_is_missing(cli: Cli, runs: Path) -> None:
    both = cli("explain", runs / "valley", "--site", "P-W", "--set", "demand.it_mw=1")
    assert both.code == 2
    assert "does not go with" in both.err
    shutil.copytree(runs / "valley", "old")
    Path("old/explain.json").unlink()
    missing = cli("explain", "old")
    assert missing.code == 2
    assert "solve again" in missing.err


def test_every_parcel_of_the_example_has_a_verdict(cli: Cli) -> None:
    assert cli("solve", SCENARIOS / "parcels" / "sitepick.yaml", "--out", "run").code == 0
    rows = json.loads(Path("run/candidates.geojson").read_text(encoding="utf-8"))["features"]
    with (SCENARIOS / "parcels" / "parcels.csv").open(encoding="utf-8") as file:
        assert len(rows) == len(list(csv.DictReader(file)))
    kinds = {"chosen", "not_chosen", "blocked", "rejected", "existing"}
    for row in (r["properties"] for r in rows):
        assert row["verdict"] in kinds
        assert row["why"]
        priced = row["verdict"] in ("not_chosen", "blocked")
        assert priced or row["forced_cost_estimate_musd"] is None
        if row["forced_cost_proven_musd"] is not None:
            assert row["forced_cost_estimate_musd"] >= row["forced_cost_proven_musd"] >= 0
