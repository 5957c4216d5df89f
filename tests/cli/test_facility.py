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


GRAPH = """
6 8 2
1 2 4
2 3 7
3 4 2
4 5 6
5 6 3
6 1 9
2 5 8
1 2 5
"""
LARGE = ("capa", "pmed6", "pmed11", "pmed16", "pmed21", "pmed31")


def published(*, large: bool) -> list[tuple[str, str, float]]:
    """Return instances of the real data as file, parameter and published optimum."""
    given = os.environ.get("SITEPICK_REALDATA")
    folder = Path(given or "/nowhere") / "orlib"
    if not (folder / "optima.csv").is_file():
        return []
    return [row for row in orlib.published(folder) if row[0].startswith(LARGE) == large]


def least_cost(cli: Cli, case: orlib.Location, folder: Path) -> float:
    path = orlib.write(case, folder, "orlib", gap_pct=1e-4)
    answer = cli("solve", path, "--json", "--quiet", "--no-report", "--out", folder / "run")
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


def test_a_tiny_p_median_meets_its_brute_force_optimum(cli: Cli, tmp_path: Path) -> None:
    case = orlib.parse_pmedian(GRAPH)
    assert case.cost[0] == [0, 5, 12, 14, 12, 9]  # the last line overwrites the first
    best = orlib.optimum(case)
    assert best == 5 + 7 + 6 + 3  # from nodes 2 and 5
    assert least_cost(cli, case, tmp_path / "tiny") == pytest.approx(best, rel=2e-6)


def test_no_more_sites_than_the_work_needs_are_asked_for(tmp_path: Path) -> None:
    from sitepick import pipeline
    from sitepick.planner import Planner
    from sitepick.solve.highs import solve_matrix
    from sitepick.solve.outcome import Limits

    case = orlib.parse(TINY)
    tight = orlib.Location([100.0] * 5, case.fixed, [100.0, 90.0, 80.0, 14.0], case.cost[:4])
    prepared = pipeline.prepare(pipeline.load(orlib.write(tight, tmp_path, "t", gap_pct=1e-4)))
    program = Planner(prepared, Limits()).program
    row = program.row_families["siting.enough"].indices
    assert program.matrix.row_lower[row].tolist() == [3]  # 284 MW by 100 MW each
    with_row = solve_matrix(program.matrix, Limits(), relax=True).objective
    whole = solve_matrix(program.matrix, Limits(gap=0)).objective
    program.set_row_bounds("siting.enough")
    assert solve_matrix(program.matrix, Limits(), relax=True).objective < with_row - 1e-3
    assert solve_matrix(program.matrix, Limits(gap=0)).objective == pytest.approx(whole)


@pytest.mark.parametrize(
    ("file", "parameter", "optimum"), published(large=False) or [("", "", 0.0)]
)
def test_published_optima(
    cli: Cli, tmp_path: Path, file: str, parameter: str, optimum: float
) -> None:
    if not file:
        pytest.skip("SITEPICK_REALDATA with orlib/optima.csv is not set")
    case = orlib.read(Path(os.environ["SITEPICK_REALDATA"]) / "orlib" / file, parameter)
    found = least_cost(cli, case, tmp_path / "case")
    assert found == pytest.approx(optimum, rel=2e-6)


@pytest.mark.parametrize(("file", "parameter", "optimum"), published(large=True) or [("", "", 0.0)])
def test_published_optima_of_large_instances(
    tmp_path: Path, file: str, parameter: str, optimum: float
) -> None:
    if not file or "SITEPICK_BENCH" not in os.environ:
        pytest.skip("SITEPICK_REALDATA with orlib/optima.csv, or SITEPICK_BENCH, is not set")
    case = orlib.read(Path(os.environ["SITEPICK_REALDATA"]) / "orlib" / file, parameter)
    found = orlib.solve(orlib.write(case, tmp_path, "large", gap_pct=1e-4), seconds=300)
    assert found.objective == pytest.approx(optimum, rel=2e-6)
    assert (found.status, found.verified) == ("optimal", True)
    assert found.cpu_seconds < 300
