"""`sitepick pareto` on the small example of dated power."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Cli

EXAMPLE = Path(__file__).parents[2] / "scenarios" / "time_to_power" / "sitepick.yaml"


def test_cost_against_work(cli: Cli) -> None:
    told = cli("pareto", EXAMPLE, "--points", "2", "--out", "work")
    assert told.code == 0, told.err
    assert "Every point checked" in told.out
    with Path("work/pareto.csv").open(encoding="utf-8", newline="") as file:
        half, whole = csv.DictReader(file)
    # 1,170 and 2,340 ref_mw-years within the horizon; MUSD without any price of work
    done = [float(point["served_ref_mw_years"]) for point in (half, whole)]
    assert done == pytest.approx([1170, 2340], rel=3e-5)
    assert abs(float(half["cost_musd"]) - 1441.0) < 8
    assert abs(float(whole["cost_musd"]) - 2894.4) < 8
    step = (float(whole["cost_musd"]) - float(half["cost_musd"])) / (done[1] - done[0])
    assert abs(float(whole["step_musd"]) - step) < 1e-6
    assert float(whole["cost_least_musd"]) <= float(whole["cost_musd"])
    chart = ElementTree.parse("work/pareto.svg").getroot()
    assert len(chart.findall("{http://www.w3.org/2000/svg}circle")) == 2
    assert json.loads(Path("work/manifest.json").read_text())["against"] == "mw"
    # the limit of a point is part of its scenario: the check of the run knows it
    assert "served_ref_mw_min" in Path("work/01/scenario.resolved.yaml").read_text()
    assert cli("check", "work/01").code == 0


def test_what_is_refused(cli: Cli) -> None:
    assert "write one of mw, date" in cli("pareto", EXAMPLE, "--against", "noise").err
    assert "--mw goes with --against date" in cli("pareto", EXAMPLE, "--mw", "9").err
    told = cli("pareto", EXAMPLE, "--against", "date", "--mw", "9000", "--points", "2")
    assert told.code == 4
    assert "no plan at any level (proven)" in told.err
    assert not list(Path().iterdir())
