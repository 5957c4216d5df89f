"""HiGHS, CBC, SCIP and CP-SAT on the same programs; the default path against the whole."""

from __future__ import annotations

import numpy as np
import pytest
from programs import random_program

from sitepick.solve import pricing, solve_with
from sitepick.solve.certificate import certified_bound, safe_bound
from sitepick.solve.highs import solve_matrix
from sitepick.solve.outcome import Limits, Outcome, is_plan

GAP = 1e-6


@pytest.fixture
def by_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make small programs take the path of large ones."""
    monkeypatch.setattr(pricing, "_SMALL_COLUMNS", 0)
    monkeypatch.setattr(pricing, "_SMALL_OWNERS", 1)


def check(program, out: Outcome, limits: Limits) -> None:
    """What every outcome must keep, judged from the program alone."""
    matrix = program.matrix
    assert is_plan(matrix, out.values)
    assert out.objective == pytest.approx(matrix.objective(out.values))
    assert out.bound <= out.objective + 1e-6
    assert certified_bound(matrix, out.certificate) == pytest.approx(out.certified_bound)
    assert out.certified_bound <= out.bound + 1e-9
    if out.status == "optimal":
        assert out.gap <= limits.gap + 1e-9
    if out.bound_certified:
        assert out.objective - out.certified_bound <= limits.gap * abs(out.objective) + 1e-9


@pytest.mark.parametrize("seed", range(8))
def test_solvers_agree(seed: int) -> None:
    program = random_program(seed)
    limits = Limits(gap=GAP)
    found = {name: solve_with(name, program, limits) for name in ("highs", "cbc", "scip")}
    exact = solve_matrix(program.matrix, Limits(gap=0.0))
    for name, out in found.items():
        check(program, out, limits)
        assert out.gap <= 2 * GAP, name
        assert out.objective == pytest.approx(exact.objective, rel=1e-5), name
    assert found["highs"].status == "optimal"


@pytest.mark.parametrize("seed", range(3))
def test_cp_sat_where_all_is_whole(seed: int) -> None:
    program = random_program(seed, owners=4, periods=2, whole=True)
    for column in program.matrix.A[:, program.column_families["headroom.poi_mw"].indices].data:
        assert column == -1.0
    # POI amounts are the only ones left: a whole number of MW serves as well
    whole = program._column_parts["integer"]
    whole[:] = [np.ones_like(part) for part in whole]
    program._forget()
    limits = Limits(gap=GAP)
    cp, highs = solve_with("cp-sat", program, limits), solve_with("highs", program, limits)
    check(program, cp, limits)
    assert cp.objective == pytest.approx(highs.objective, rel=1e-6)


@pytest.mark.parametrize("seed", range(10))
def test_default_path_agrees_with_the_whole(seed: int, by_parts: None) -> None:
    program = random_program(100 + seed, owners=16)
    limits = Limits(gap=0.005)
    exact = solve_matrix(program.matrix, Limits(gap=0.0))
    out = pricing.solve(program, limits)
    check(program, out, limits)
    assert out.status == "optimal"
    assert out.bound <= exact.objective + 1e-6
    assert out.objective <= exact.objective * (1 + 0.0051) + 1e-6


@pytest.mark.parametrize("seed", range(10))
def test_safe_bound_never_exceeds_the_optimum(seed: int) -> None:
    program = random_program(200 + seed)
    matrix = program.matrix
    exact = solve_matrix(matrix, Limits(gap=0.0))
    relaxed = solve_matrix(matrix, Limits(), relax=True)
    assert not isinstance(relaxed.certificate, tuple)
    rng = np.random.default_rng(seed)
    for spread in (0.0, 0.1, 10.0):
        y = relaxed.certificate + spread * rng.standard_normal(len(matrix.row_lower))
        assert safe_bound(matrix, y) <= exact.objective + 1e-7
    assert safe_bound(matrix, relaxed.certificate) == pytest.approx(relaxed.objective, rel=1e-7)


def test_same_input_same_answer(by_parts: None) -> None:
    a, b = (pricing.solve(random_program(7, owners=16), Limits(gap=0.01)) for _ in range(2))
    assert (a.values == b.values).all()
    assert (a.objective, a.bound, a.work) == (b.objective, b.bound, b.work)
