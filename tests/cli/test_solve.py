"""Which exit code a run deserves, where it is written, and what is refused before any work."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from sitepick.cli.solve import exit_code, infeasible_lines, next_folder
from sitepick.finding import Finding
from sitepick.run import Run, Shortfall
from sitepick.solution import Solution
from sitepick.solve.outcome import Outcome

if TYPE_CHECKING:
    from tests.cli.conftest import Cli

PLAN = Solution(
    scenario="p", periods=("2027-01-01",), status="optimal", objective_name="min_cost",
    objective=1.0, bound=1.0, gap=0.0, gap_without_penalty=0.0, bound_certified=True,
)  # fmt: skip
NONE = Outcome("no_plan", None, math.inf, -math.inf, math.inf)
FOUND = Finding("headroom.poi", "POI 4411, 2028", 3.0, "MW", "more than the letter")


def run(outcome: Outcome, solution: Solution | None = None, **more: Any) -> Run:
    prepared: Any = SimpleNamespace(scenario=SimpleNamespace(hardware="none"))
    return Run(prepared, outcome, solution, **more)


@pytest.mark.parametrize(
    ("made", "code"),
    [
        (run(replace(NONE, status="optimal"), PLAN), 0),
        (run(replace(NONE, status="feasible"), PLAN), 0),
        (run(replace(NONE, status="feasible", interrupted=True), PLAN), 0),
        (run(replace(NONE, status="optimal"), PLAN, findings=(FOUND,)), 7),
        (run(replace(NONE, status="infeasible")), 4),
        (run(NONE), 5),
        (run(replace(NONE, interrupted=True)), 130),
    ],
)
def test_exit_codes(made: Run, code: int) -> None:
    assert exit_code(made) == code


def test_infeasible_names_it_and_grid_mw_and_the_date() -> None:
    missing = Shortfall("2030-01-01", "it", "anywhere", 2000.0, 300.0, 390.0)
    same = replace(missing, period="2030-07-01")
    more = replace(missing, period="2031-01-01", missing_ref_mw=400.0, missing_grid_mw=520.0)
    made = run(replace(NONE, status="infeasible"), shortfall=(missing, same, more))
    assert [line.strip() for line in infeasible_lines(made)[1:-1]] == [
        "from 2030-01-01: demand is 2,000.0 IT MW, short by 300.0 IT MW = 390.0 grid MW"
        " (design day)",
        "from 2031-01-01: demand is 2,000.0 IT MW, short by 400.0 IT MW = 520.0 grid MW"
        " (design day)",
    ]


def test_infeasible_for_another_reason_points_elsewhere() -> None:
    assert "required sites" in infeasible_lines(run(replace(NONE, status="infeasible")))[-1]


def test_run_folders_count_up_and_stay_below_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert next_folder("texas") == Path("runs/texas-1")
    (tmp_path / "runs" / "texas-1").mkdir(parents=True)
    assert next_folder("texas") == Path("runs/texas-2")
    assert next_folder("../../etc/x") == Path("runs/etc-x-1")
    assert next_folder("..") == Path("runs/plan-1")


def test_only_needs_fix(cli: Cli) -> None:
    answer = cli("solve", "--only")
    assert answer.code == 2
    assert "--fix" in answer.err


def test_an_existing_folder_is_refused_before_any_work(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("keep me")
    answer = cli("solve", "--out", "mine")
    assert answer.code == 2
    assert "--force" in answer.err
