"""`safe_bound` never exceeds the optimum, whatever the duals, judged in exact fractions."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from sitepick.matrix import SHARED, Matrix
from sitepick.solve.certificate import certified_bound, safe_bound, tree_bound, with_cuts
from sitepick.solve.highs import solve_matrix
from sitepick.solve.outcome import Cut, Leaf, Limits


def make(A, cost, lower, upper, row_lower, row_upper, integer=False, offset=0.0) -> Matrix:
    A = sp.csr_array(np.asarray(A, dtype=float))
    n = A.shape[1]
    return Matrix(
        cost=np.asarray(cost, dtype=float),
        offset=offset,
        lower=np.broadcast_to(np.asarray(lower, dtype=float), n),
        upper=np.broadcast_to(np.asarray(upper, dtype=float), n),
        integer=np.broadcast_to(np.asarray(integer, dtype=bool), n),
        owner=np.full(n, SHARED),
        A=A,
        row_lower=np.asarray(row_lower, dtype=float),
        row_upper=np.asarray(row_upper, dtype=float),
    )


def exact_bound(matrix: Matrix, y: np.ndarray) -> Fraction:
    """The formula in exact arithmetic."""
    dense = matrix.A.toarray()
    total = Fraction(matrix.offset)
    for i, value in enumerate(y):
        side = matrix.row_lower[i] if value > 0 else matrix.row_upper[i]
        if value != 0 and np.isfinite(side):
            total += Fraction(value) * Fraction(side)
    clipped = [
        0.0 if not np.isfinite(matrix.row_lower[i] if v > 0 else matrix.row_upper[i]) else v
        for i, v in enumerate(y)
    ]
    for j in range(dense.shape[1]):
        z = Fraction(matrix.cost[j]) - sum(
            (Fraction(a) * Fraction(v) for a, v in zip(dense[:, j], clipped, strict=True)),
            Fraction(0),
        )
        total += min(z * Fraction(matrix.lower[j]), z * Fraction(matrix.upper[j]))
    return total


@st.composite
def problem(draw: st.DrawFn) -> tuple[Matrix, np.ndarray]:
    rng = np.random.default_rng(draw(st.integers(0, 2**31)))
    m, n = draw(st.integers(1, 6)), draw(st.integers(1, 8))
    spread = draw(st.sampled_from([0, 3, 9]))

    def numbers(*shape: int) -> np.ndarray:
        return rng.standard_normal(shape) * 10.0 ** rng.integers(-spread, spread + 1, shape)

    A = numbers(m, n) * (rng.random((m, n)) < 0.6)
    lower = numbers(n)
    upper = lower + np.abs(numbers(n))
    inside = lower + rng.random(n) * (upper - lower)
    activity = A @ inside
    row_lower = np.where(rng.random(m) < 0.3, -np.inf, activity - np.abs(numbers(m)))
    row_upper = np.where(rng.random(m) < 0.3, np.inf, activity + np.abs(numbers(m)))
    matrix = make(A, numbers(n), lower, upper, row_lower, row_upper, offset=float(numbers(1)[0]))
    return matrix, numbers(m)


@settings(max_examples=150, deadline=None)
@given(problem())
def test_is_below_the_exact_formula_and_close_to_it(case: tuple[Matrix, np.ndarray]) -> None:
    matrix, y = case
    found, true = safe_bound(matrix, y), exact_bound(matrix, y)
    assert Fraction(found) <= true
    reach = np.maximum(np.abs(matrix.lower), np.abs(matrix.upper))
    sides = np.where(np.isfinite(matrix.row_lower), np.abs(matrix.row_lower), 0) + np.where(
        np.isfinite(matrix.row_upper), np.abs(matrix.row_upper), 0
    )
    size = (np.abs(matrix.cost) + abs(matrix.A).T @ np.abs(y)) @ reach + np.abs(y) @ sides
    assert float(true) - found <= 1e-13 * (size + abs(matrix.offset)) + 1e-280


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**31))
def test_never_exceeds_the_optimum(seed: int) -> None:
    rng = np.random.default_rng(seed)
    m, n = 4, 6
    A = rng.integers(-3, 6, (m, n))
    inside = rng.integers(0, 4, n)
    matrix = make(
        A, rng.integers(-5, 9, n), 0, 3, A @ inside - rng.integers(0, 3, m), A @ inside + 2.0
    )
    found = solve_matrix(matrix, Limits(gap=0.0), relax=True)
    assert found.values is not None
    assert found.bound <= found.objective + 1e-6
    assert found.bound == pytest.approx(found.objective, abs=1e-5)
    for scale in (1.0, 100.0):
        y = rng.standard_normal(m) * scale
        assert safe_bound(matrix, y) <= found.objective + 1e-7


def test_ignores_duals_that_lean_on_infinite_bounds_or_are_not_numbers() -> None:
    matrix = make([[1.0, 1.0]], [2.0, 3.0], 0, 10, [4.5], [np.inf])
    assert safe_bound(matrix, np.array([2.0])) == pytest.approx(9.0)
    for useless in (-5.0, np.nan, np.inf):
        assert safe_bound(matrix, np.array([useless])) == pytest.approx(0.0)


def test_refuses_what_would_make_it_meaningless() -> None:
    matrix = make([[1.0]], [1.0], 0, np.inf, [1.0], [1.0])
    with pytest.raises(ValueError, match="finite"):
        safe_bound(matrix, np.zeros(1))
    with pytest.raises(ValueError, match="1 rows"):
        safe_bound(make([[1.0]], [1.0], 0, 1, [1.0], [1.0]), np.zeros(2))


def test_a_tree_is_as_good_as_its_worst_leaf_and_survives_later_rows() -> None:
    # min x, x >= 0.4, x whole: the relaxation says 0.4, the tree x <= 0 | x >= 1 says 1
    matrix = make([[1.0]], [1.0], 0, 5, [0.4], [np.inf], integer=True)
    down = Cut(np.array([0]), np.ones(1), -np.inf, 0.0)
    up = Cut(np.array([0]), np.ones(1), 1.0, np.inf)
    leaves = (Leaf((down,), np.array([100.0, -100.0])), Leaf((up,), np.array([0.0, 1.0])))
    assert tree_bound(matrix, leaves) == pytest.approx(1.0)
    assert safe_bound(matrix, np.array([1.0])) == pytest.approx(0.4)
    longer = with_cuts(matrix, [Cut(np.array([0]), np.ones(1), -np.inf, 4.0)])
    assert certified_bound(longer, leaves) == pytest.approx(1.0)
    assert certified_bound(longer, np.array([1.0])) == pytest.approx(0.4)
    assert certified_bound(longer, None) == -np.inf
