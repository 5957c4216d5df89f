"""A safe bound is never above the optimum: random scenarios, badly scaled, solvers stopped early.

Scales are powers of two, so a scaled program has the same optimum to the last bit. CI takes 40
scenarios; `SITEPICK_BENCH=1` all 200.
"""

from __future__ import annotations

import math
import os
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import scipy.sparse as sp
from helpers import worlds

from sitepick.matrix import FloatArray, Matrix
from sitepick.planner import Planner
from sitepick.solve.certificate import safe_bound
from sitepick.solve.highs import load, lp_duals, run, solve_matrix
from sitepick.solve.outcome import Limits

SEEDS = range(200 if "SITEPICK_BENCH" in os.environ else 40)
LIMITS = Limits(gap=1e-7, threads=1)
STEPS = (1, 4, 9)
"""Iterations after which interior point is stopped: far from its optimum, nearer, near."""
WITHIN = 1e-6
"""Relative: a solver's plan keeps rows to its own tolerance, so it may cost a little too little."""


def made(seed: int) -> Matrix:
    prepared = worlds.prepared(*worlds.world(seed, 2 + seed % 4))
    return Planner(prepared, LIMITS).program.matrix


@cache
def optimum(seed: int) -> float:
    """Return the least objective of a plan, inf where there is none."""
    out = solve_matrix(made(seed), LIMITS)
    assert out.status in ("optimal", "infeasible")
    return out.objective


def scaled(matrix: Matrix, seed: int) -> Matrix:
    """Return ``matrix`` in other units: each row and column times a power of two, up to 2^20."""
    dice = np.random.default_rng(seed)
    m, n = matrix.A.shape
    row, column = (np.exp2(dice.integers(-20, 21, k)) for k in (m, n))
    return replace(
        matrix,
        cost=matrix.cost * column,
        lower=matrix.lower / column,
        upper=matrix.upper / column,
        integer=np.zeros(n, dtype=bool),
        A=sp.csr_array(sp.diags_array(row) @ matrix.A @ sp.diags_array(column)),
        row_lower=matrix.row_lower * row,
        row_upper=matrix.row_upper * row,
    )


def duals(matrix: Matrix, steps: int | None) -> FloatArray:
    """Return (m,) duals of interior point stopped after ``steps``, of simplex where that is None;
    zeros where a solver gives none."""
    h = load(matrix, relax=True, threads=1)
    h.setOptionValue("presolve", "off")
    h.setOptionValue("solver", "simplex" if steps is None else "ipm")
    h.setOptionValue("run_crossover", "off")
    if steps is not None:
        h.setOptionValue("ipm_iteration_limit", steps)
    run(h, 1)
    found = lp_duals(h, matrix.A.shape[0])
    return np.zeros(matrix.A.shape[0]) if found is None else found


@pytest.mark.parametrize("seed", SEEDS)
def test_no_safe_bound_is_above_the_optimum(seed: int) -> None:
    matrix, best = made(seed), optimum(seed)
    allowed = best if math.isinf(best) else best + WITHIN * max(1.0, abs(best))
    for form in (matrix, scaled(matrix, seed)):
        for steps in (*STEPS, None):
            y = duals(form, steps)
            assert safe_bound(form, y) <= allowed
            # far too large, and of the wrong sign
            for factor in (1.5, 1e6, -1.0):
                assert safe_bound(form, factor * y) <= allowed


def test_bounds_of_solvers_that_finish_are_worth_something() -> None:
    """Else the test above would pass with bounds of minus infinity."""
    plans = [s for s in SEEDS if math.isfinite(optimum(s))]
    assert len(plans) > len(SEEDS) // 2
    near, early = [], []
    for seed in plans[:20]:
        matrix, best = made(seed), optimum(seed)
        size = max(1.0, abs(best))
        near.append((best - safe_bound(matrix, duals(matrix, None))) / size)
        early.append((best - safe_bound(matrix, duals(matrix, STEPS[0]))) / size)
    assert float(np.median(near)) < 0.2
    assert float(np.median(early)) > float(np.median(near))
