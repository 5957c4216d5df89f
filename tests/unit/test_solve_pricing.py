"""The default path on its own: starts, lazy rows, rounding, limits, penalties, infeasible cases."""

from __future__ import annotations

import sys
import threading
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from sitepick.matrix import SHARED, Matrix
from sitepick.program import Program
from sitepick.solve import pricing
from sitepick.solve.certificate import certified_bound
from sitepick.solve.highs import solve_matrix
from sitepick.solve.outcome import Limits, gap_between, is_plan
from sitepick.solve.sifting import Relaxation

sys.path.append(str(Path(__file__).parents[1] / "cross"))
from programs import random_program


@pytest.fixture(autouse=True)
def by_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make small programs take the path of large ones."""
    monkeypatch.setattr(pricing, "_SMALL_COLUMNS", 0)
    monkeypatch.setattr(pricing, "_SMALL_OWNERS", 1)


def cover(owners: int, need: float, upper: int = 1) -> Program:
    """Open owners of size 1..3 and cost about their size, until ``need`` is met."""
    program = Program()
    i = np.arange(owners)
    x = program.add_columns(
        "siting.open", keys={"site": i}, owner=i, upper=upper, cost=5 + 3.0 * (i % 3), integer=True
    )
    y = program.add_columns("siting.mw", keys={"site": i}, owner=i, upper=9, cost=0.1)
    cap = program.add_rows("siting.cap", keys={"site": i}, upper=0)
    program.add_entries(cap, y, 1.0)
    program.add_entries(cap, x, -(1.0 + i % 3))
    met = program.add_rows("demand.met", keys={"t": [0]}, lower=need)
    program.add_entries(met[0], y, 1.0)
    return program


def test_prices_in_owners_that_the_first_master_lacks() -> None:
    program = cover(400, 101.0)
    out = pricing.solve(program, Limits(gap=0.02))
    exact = solve_matrix(program.matrix, Limits(gap=0.0))
    assert out.status == "optimal"
    assert out.bound <= exact.objective + 1e-6
    assert out.objective <= exact.objective * 1.021
    assert any("pricing round 2" in line for line in out.log)
    assert {"master", "pricing", "mip", "total"} <= set(out.seconds)


def test_infeasible_only_when_everyone_is_in() -> None:
    # all 300 owners are needed, the first master has far fewer
    assert pricing.solve(cover(300, 600.0), Limits()).status == "optimal"
    out = pricing.solve(cover(300, 600.5), Limits())
    assert (out.status, out.values) == ("infeasible", None)
    whole = cover(60, 1.0)
    row = whole.add_rows("odd", keys={"n": [0]}, lower=0.5, upper=0.5)
    whole.add_entries(row[0], whole.column_families["siting.open"].indices, 1.0)
    assert pricing.solve(whole, Limits()).status == "infeasible"


def test_rows_added_lazily_are_kept() -> None:
    program = cover(60, 20.0)
    full = cover(60, 20.0)
    x = program.column_families["siting.open"].indices
    limits = [(a, a + 3) for a in range(57)]

    def add(target: Program, pair: tuple[int, int]) -> None:
        row = target.add_rows(f"apart.{pair[0]}", keys={"n": [0]}, upper=1)
        target.add_entries(row[0], x[list(pair)], 1.0)

    for pair in limits:
        add(full, pair)

    def separate(values: np.ndarray) -> int:
        new = [p for p in limits if values[x[list(p)]].sum() > 1 + 1e-6]
        new = [p for p in new if f"apart.{p[0]}" not in program.row_families]
        for pair in new:
            add(program, pair)
        return len(new)

    out = pricing.solve(program, Limits(gap=1e-6), separators=(separate,))
    exact = solve_matrix(full.matrix, Limits(gap=0.0))
    assert out.objective == pytest.approx(exact.objective, rel=1e-5)
    assert out.bound <= exact.objective + 1e-6
    assert is_plan(full.matrix, out.values)
    assert 0 < program.n_rows - 61 <= 57
    assert certified_bound(program.matrix, out.certificate) <= exact.objective + 1e-6


def test_start_is_never_lost_and_rounders_are_heard() -> None:
    program = cover(60, 20.0)
    everything = np.concatenate([np.ones(60), 1.0 + np.arange(60) % 3])
    seen: list[np.ndarray] = []

    def rounder(matrix: Matrix, relaxed: Relaxation, limits: Limits) -> np.ndarray:
        assert len(relaxed.duals) == matrix.A.shape[0]
        assert limits.work
        assert 0 < limits.gap < 0.5
        values = relaxed.values
        seen.append(values)
        x = np.ceil(values[:60] - 1e-6)
        return np.concatenate([x, np.minimum(9, x * (1.0 + np.arange(60) % 3))])

    stop = threading.Event()
    stop.set()
    out = pricing.solve(program, Limits(), start=everything, stop=stop)
    assert out.interrupted
    assert out.status == "feasible"
    assert out.objective == pytest.approx(program.matrix.objective(everything))
    out = pricing.solve(program, Limits(gap=0.5), rounders=(rounder,))
    assert seen
    assert out.status == "optimal"
    bad = np.zeros(120)
    assert pricing.solve(program, Limits(), start=bad, stop=stop).values is None


def test_progress_tells_seconds_and_bounds_in_order() -> None:
    told: list[tuple] = []
    out = pricing.solve(
        random_program(3, owners=30), Limits(gap=1e-4), on_progress=lambda *a: told.append(a)
    )
    assert out.status == "optimal"
    stages = {stage for stage, *_ in told}
    assert {"pricing", "mip", "plan"} <= stages
    seconds = [second for _, second, *_ in told]
    assert seconds == sorted(seconds)
    incumbents = [incumbent for _, _, incumbent, *_ in told]
    assert all(b <= a + 1e-6 for a, b in pairwise(incumbents))
    for _, _, incumbent, bound, gap in told:
        assert bound <= out.objective + 1e-6
        assert gap == gap_between(incumbent, bound)


def test_gap_must_hold_without_the_penalty() -> None:
    program = random_program(11, owners=30)
    away = program.column_families["demand.away"].indices
    unmet = program.add_columns(
        "demand.lost", keys={"n": [0]}, owner=SHARED, lower=1, upper=1, cost=1e5
    )
    aside = np.zeros(program.n_columns)
    aside[away] = program.matrix.cost[away]
    aside[unmet] = 1e5
    loose = pricing.solve(program, Limits(gap=0.01))
    out = pricing.solve(program, Limits(gap=0.01), aside=aside)
    paid = abs(out.objective - aside @ out.values)
    assert out.status == "optimal"
    assert out.objective - out.bound <= 0.01 * paid + 1e-9
    assert out.objective <= loose.objective + 1e-6


def test_work_limit_ends_the_search_with_a_plan() -> None:
    out = pricing.solve(random_program(5, owners=60, periods=5), Limits(gap=1e-9, work=3))
    again = pricing.solve(random_program(5, owners=60, periods=5), Limits(gap=1e-9, work=3))
    assert out.work >= 3 or out.status == "optimal"
    assert out.objective == again.objective
    assert out.bound == again.bound


def test_branching_proves_what_the_relaxation_cannot() -> None:
    # 40 like owners of 3 MW at cost 11 each, 50 MW: the relaxation opens 16.67 of them
    program = Program()
    i = np.arange(40)
    x = program.add_columns(
        "siting.open", keys={"site": i}, owner=i, upper=1, cost=11.0, integer=True
    )
    met = program.add_rows("demand.met", keys={"t": [0]}, lower=50.0)
    program.add_entries(met[0], x, 3.0)
    out = pricing.solve(program, Limits(gap=1e-4))
    assert out.objective == pytest.approx(17 * 11)
    assert out.status == "optimal"
    assert isinstance(out.certificate, tuple)
    assert out.bound_certified
    assert certified_bound(program.matrix, out.certificate) >= 17 * 11 * (1 - 1e-4)
