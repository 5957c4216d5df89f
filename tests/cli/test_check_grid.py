"""A plan made with single headrooms is judged by the grid; a plan made with the grid passes.

Three substations hang on a plant by two circuits of 60 MW each. After the loss of one, 69 MW
(115 %) are left: what a substation draws above that is over the limit of either circuit at its
worst.
"""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Cli

SCENARIO = """\
version: 1
as_of: 2026-01-01
periods: {from: 2028, to: 2030}
money: {price_year: 2026}
layers:
  parcels: {file: parcels.csv}
  power_offers: {file: letters.csv}
demand:
  it_mw: {2028: 100, 2029: 200, 2030: 250}
power: {tie_months: 12}
halls: none
hardware: none
"""
GRID = """\
extends: plain.yaml
grid:
  file: grid
  conditions:
    - {id: peak, name: peak}
"""


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """Scenarios with and without the grid, its tables, three parcels, a letter for each."""
    pois = ("S1", "S2", "S3")
    (tmp_path / "plain.yaml").write_text(SCENARIO)
    (tmp_path / "grid.yaml").write_text(GRID)
    parcels = [f"{p}-site,{p},{-97.5 + 0.1 * k},31.5,200" for k, p in enumerate(pois)]
    (tmp_path / "parcels.csv").write_text(
        "\n".join(["parcel_id,poi_ids,lon,lat,usable_ha", *parcels]) + "\n"
    )
    letters = [f"L-{p},{p},150,2028-01-01,signed,yes" for p in pois]
    columns = "offer_id,poi_id,mw_total,from_date,stage,firm"
    (tmp_path / "letters.csv").write_text("\n".join([columns, *letters]) + "\n")
    grid = tmp_path / "grid"
    grid.mkdir()
    buses = ["hub,345,50,", *(f"{p},345,0,{p}" for p in pois)]
    (grid / "buses.csv").write_text("\n".join(["bus_id,base_kv,load_mw,poi_id", *buses]) + "\n")
    lines = [f"{p}-{c},hub,{p},0.05,60" for p in pois for c in "ab"]
    head = "branch_id,from_bus,to_bus,x_pu,rating_mva"
    (grid / "branches.csv").write_text("\n".join([head, *lines]) + "\n")
    (grid / "plants.csv").write_text("plant_id,bus_id,pmax_mw,fuel\nG,hub,1000,ng\n")
    return tmp_path


def drawn(run: Path) -> dict[str, dict[str, float]]:
    """Return grid MW by period and POI."""
    out: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for row in json.loads((run / "solution.json").read_text())["grid"]:
        out[row["period"]][row["poi_id"]] += row["grid_mw"]
    return out


def test_a_plan_of_single_headrooms_judged_by_the_grid(cli: Cli, files: Path) -> None:
    plain = cli("solve", "plain.yaml", "--out", "runs/plain", "--json", "--no-report")
    assert plain.code == 0
    answer = cli("check", "runs/plain", "--against", "grid.yaml", "--json")
    assert answer.code == 7
    by_poi = drawn(files / "runs/plain")
    over = {row["period"]: row for row in answer.record["over"]}
    assert over.keys() == {"2028-01-01", "2029-01-01", "2030-01-01"}
    for period, row in over.items():
        too_much = [mw - 69 for mw in by_poi[period].values() if mw > 69]
        assert row["condition"] == "peak"
        assert row["new_load_mw"] == pytest.approx(sum(by_poi[period].values()))
        assert row["over_mw"] == pytest.approx(2 * sum(too_much), abs=1e-3)
        assert row["branches"] == 2 * len(too_much)
        assert row["over_before_mw"] == row["branches_before"] == 0
    assert over["2030-01-01"]["over_mw"] > 50
    amounts = {f["where"]: f["amount"] for f in answer.record["findings"]}
    assert {f["check"] for f in answer.record["findings"]} == {"deliverability.over"}
    assert amounts["condition peak, 2030-01-01"] == pytest.approx(over["2030-01-01"]["over_mw"])
    words = cli("check", "runs/plain", "--against", "grid.yaml")
    assert words.code == 7
    assert "peak, 2030-01-01: " in words.out
    assert "(without the plan 0.0 MW of 0)" in words.out


def test_a_plan_made_with_the_grid_passes_until_the_grid_changes(cli: Cli, files: Path) -> None:
    solved = cli("solve", "grid.yaml", "--out", "runs/grid", "--json", "--no-report")
    assert solved.code == 0
    assert solved.record["verified"] is True
    run = files / "runs/grid"
    assert max(mw for at in drawn(run).values() for mw in at.values()) <= 69 + 1e-3
    assert cli("check", run).code == 0
    assert cli("check", run, "--against", "plain.yaml").code == 0
    own = cli("check", run, "--against", "grid.yaml", "--json")
    assert own.code == 0
    assert own.record["over"] == []
    branches = files / "grid" / "branches.csv"
    branches.write_text(branches.read_text().replace(",60", ",50"))
    answer = cli("check", run, "--json")
    assert answer.code == 7
    found = {f["check"]: f["where"] for f in answer.record["findings"]}
    assert found["run.input"] == "grid: grid"
    assert "deliverability.emergency" in found
