"""Plain facility location is just a scenario: published and brute-force optima are met."""

from __future__ import annotations

import csv
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.helpers import orlib

if TYPE_CHECKING:
    from tests.cli.conftest import Cli

ROOT = Path(__file__).resolve().parents[2]
TINY = """
5 4
 40 70
 55 95
 30 40
 60 120
 45 60
20
 100 160 90 200 140
35
 210 120 260 150 300
15
 45 80 120 30 75
25
 150 175 60 125 110
"""


def published() -> list[tuple[str, float]]:
    """Return the small capacitated instances of the real data with their published optima."""
    given = os.environ.get("SITEPICK_REALDATA")
    table = Path(given or "/nowhere") / "orlib" / "optima.csv"
    if not given or not table.is_file():
        return []
    with table.open(encoding="utf-8") as stream:
        return [(row["file"], float(row["published_optimum"])) for row in csv.DictReader(stream)
                if row["file"].startswith("cap") and row["file"].endswith(".txt")]  # fmt: skip


def least_cost(cli: Cli, case: orlib.Location, folder: Path) -> float:
    path = orlib.write(case, folder, "orlib", gap_pct=1e-4)
    answer = cli("solve", path, "--json", "--quiet", "--out", folder / "run")
    assert answer.code == 0, answer.err
    said = answer.record
    assert said["status"] == "optimal"
    assert said["verified"] is True
    assert said["objective"]["unit"] == "MUSD"
    assert said["objective"]["bound"] <= said["objective"]["value"] * (1 + 1e-9)
    return float(said["objective"]["value"])


def test_a_tiny_instance_meets_its_brute_force_optimum(cli: Cli, tmp_path: Path) -> None:
    case = orlib.parse(TINY)
    best = orlib.optimum(case)
    assert 0 < best < sum(case.fixed) + sum(max(row) for row in case.cost)
    assert least_cost(cli, case, tmp_path / "tiny") == pytest.approx(best, rel=2e-6)


def test_less_capacity_never_costs_less(cli: Cli, tmp_path: Path) -> None:
    case = orlib.parse(TINY)
    tight = orlib.Location([0.8 * c for c in case.capacity], case.fixed, case.demand, case.cost)
    best = orlib.optimum(tight)
    assert best > orlib.optimum(case)
    assert least_cost(cli, tight, tmp_path / "tight") == pytest.approx(best, rel=2e-6)


def test_the_shipped_example_meets_its_brute_force_optimum(cli: Cli, tmp_path: Path) -> None:
    folder = ROOT / "scenarios" / "facility"
    tables = {}
    for name in ("sites", "customers", "costs"):
        with (folder / f"{name}.csv").open(encoding="utf-8", newline="") as stream:
            tables[name] = list(csv.DictReader(stream))
    demand = {r["place_id"]: float(r["weight"]) for r in tables["customers"]}
    value = {(r["site_id"], r["place_id"]): float(r["value"]) for r in tables["costs"]}
    sites = [r["site_id"] for r in tables["sites"]]
    case = orlib.Location(
        [float(r["capacity_mw"]) for r in tables["sites"]],
        [float(r["fixed_musd"]) for r in tables["sites"]],
        list(demand.values()),
        [[value[s, p] * mw for s in sites] for p, mw in demand.items()],
    )
    answer = cli("solve", folder / "sitepick.yaml", "--json", "--quiet", "--out", tmp_path / "run")
    assert answer.code == 0
    assert answer.record["objective"]["value"] == pytest.approx(orlib.optimum(case), rel=2e-6)


@pytest.mark.parametrize(("file", "optimum"), published() or [("", 0.0)])
def test_published_optima(cli: Cli, tmp_path: Path, file: str, optimum: float) -> None:
    if not file:
        pytest.skip("SITEPICK_REALDATA with orlib/optima.csv is not set")
    text = (Path(os.environ["SITEPICK_REALDATA"]) / "orlib" / file).read_text(encoding="utf-8")
    found = least_cost(cli, orlib.parse(text), tmp_path / "case")
    assert found == pytest.approx(optimum, rel=2e-6)
