"""The same program by the solvers that OR-Tools brings: SCIP and CP-SAT, and GLOP and PDLP for LPs.

The model is handed over as one sparse matrix, which is as fast as HiGHS's own way in.
"""

from __future__ import annotations

import math
import time
from dataclasses import replace
from importlib.metadata import version
from typing import Any

import numpy as np

from sitepick.errors import ScenarioError, SitepickError
from sitepick.matrix import FloatArray, Matrix
from sitepick.program import Program
from sitepick.solve.foreign import Claim, judge, refuse_work_limit, relaxation, time_left
from sitepick.solve.outcome import Limits, Outcome, is_plan

_SCALES = 10.0 ** np.arange(7)
_LARGEST = 2.0**50  # CP-SAT counts in 64 bits, sums included
_ENGINE = {"scip": "scip", "cp-sat": "sat", "glop": "glop", "pdlp": "pdlp"}


def solve_ortools(
    name: str, program: Program, limits: Limits, *, start: FloatArray | None = None
) -> Outcome:
    """Minimise ``program`` with ``scip`` or ``cp-sat``; see `foreign.judge`.

    ``start`` (n,) is given as a hint and never lost. Raises ScenarioError for another name, for a
    work limit, and when CP-SAT, which knows whole numbers only, cannot take the program.
    """
    began = time.perf_counter()
    if name not in ("scip", "cp-sat"):
        raise ScenarioError(f"solver {name}: OR-Tools is asked for scip or cp-sat only")
    refuse_work_limit(name, limits)
    matrix = program.matrix
    scale, given = _in_whole_numbers(matrix) if name == "cp-sat" else (1.0, matrix)
    if start is not None and not is_plan(matrix, start):
        start = None
    relaxed = relaxation(matrix, limits)
    claim = None
    if relaxed.status != "infeasible" and len(matrix.cost):
        claim = _run(name, given, scale, limits, time_left(limits, began), start)
    return judge(
        matrix,
        limits,
        relaxed,
        claim,
        start=start,
        began=began,
        solver=f"{name} by OR-Tools",
        version=version("ortools"),
    )


def relax_ortools(
    matrix: Matrix, method: str = "glop", time_s: float | None = None
) -> tuple[float, FloatArray]:
    """Return objective and row duals (m,) of the relaxation by ``glop`` or ``pdlp``.

    `certificate.safe_bound` makes a bound of the duals. PDLP is precise to some 1e-6 only. Raises
    SitepickError when there is no solution.
    """
    if method not in ("glop", "pdlp"):
        raise ScenarioError(f"solver {method}: a relaxation is solved by glop or pdlp")
    answer = _solved(method, _model(matrix, relax=True), "", time_s)
    if not answer.has_solution():
        raise SitepickError(f"{method}: no solution: {_status_name(answer)}")
    return float(answer.objective_value()), np.asarray(answer.dual_values(), dtype=float)


def _run(
    name: str,
    matrix: Matrix,
    scale: float,
    limits: Limits,
    seconds: float | None,
    start: FloatArray | None,
) -> Claim:
    statuses = _helper().SolveStatus
    model = _model(matrix, relax=False)
    if start is not None:
        for j, value in enumerate(np.where(matrix.integer, np.round(start), start).tolist()):
            model.add_hint(j, value)
    if name == "scip":
        parameters = f"limits/gap = {limits.gap!r}\nrandomization/randomseedshift = {limits.seed}\n"
    else:
        parameters = f"relative_gap_limit: {limits.gap!r} random_seed: {limits.seed} "
        if limits.threads is not None:
            parameters += f"num_workers: {limits.threads}"
    answer = _solved(name, model, parameters, seconds)
    status = answer.status()
    if status in (
        statuses.MODEL_INVALID,
        statuses.INVALID_SOLVER_PARAMETERS,
        statuses.SOLVER_TYPE_UNAVAILABLE,
        statuses.INCOMPATIBLE_OPTIONS,
    ):
        raise SitepickError(f"{name}: {_status_name(answer)}: {answer.status_string()}")
    values, bound = None, -math.inf
    if answer.has_solution():
        values = np.asarray(answer.variable_values(), dtype=float)
        bound = float(answer.best_objective_bound()) / scale
    infeasible = status == statuses.INFEASIBLE
    return Claim(values, bound, infeasible, _status_name(answer))


def _helper() -> Any:
    # its type hints want one kind of array and of sparse matrix; it takes ours as well
    from ortools.linear_solver.python import model_builder_helper

    return model_builder_helper


def _model(matrix: Matrix, relax: bool) -> Any:
    model = _helper().ModelBuilderHelper()
    model.fill_model_from_sparse_data(
        matrix.lower,
        matrix.upper,
        matrix.cost,
        matrix.row_lower,
        matrix.row_upper,
        matrix.A,
    )
    model.set_objective_offset(float(matrix.offset))
    if not relax:
        for j in np.flatnonzero(matrix.integer):
            model.set_var_integrality(int(j), True)
    return model


def _solved(name: str, model: Any, parameters: str, seconds: float | None) -> Any:
    solver = _helper().ModelSolverHelper(_ENGINE[name])
    if not solver.solver_is_supported():
        raise ScenarioError(f"solver {name}: this build of OR-Tools does not have it; use highs")
    if seconds is not None:
        solver.set_time_limit_in_seconds(seconds)
    if parameters:
        solver.set_solver_specific_parameters(parameters)
    solver.solve(model)
    return solver


def _status_name(answer: Any) -> str:
    return str(answer.status()).rpartition(".")[2].replace("_", " ").lower()


def _in_whole_numbers(matrix: Matrix) -> tuple[float, Matrix]:
    """Return the scale of the objective and ``matrix`` with whole coefficients only.

    Rows and costs are multiplied by powers of ten up to a million. Raises ScenarioError naming what
    is not whole even then.
    """
    problems = []
    continuous = int((~matrix.integer).sum())
    if continuous:
        problems.append(f"{continuous:,} of {len(matrix.cost):,} columns are not whole numbers")
    rows = np.repeat(np.arange(matrix.A.shape[0]), np.diff(matrix.A.indptr))
    row_scale = _scales(matrix.A.data, rows, matrix.A.shape[0])
    fractional = int(np.isnan(row_scale).sum())
    if fractional:
        problems.append(f"{fractional:,} rows have coefficients with more than six decimals")
    cost_scale = _scales(matrix.cost, np.zeros(len(matrix.cost), dtype=np.int64), 1)[0]
    if np.isnan(cost_scale):
        problems.append("the costs have more than six decimals")
    if problems:
        raise ScenarioError(
            f"solver cp-sat: takes whole numbers only, but {'; '.join(problems)}; use highs or scip"
        )
    A = matrix.A.copy()
    A.data = np.round(A.data * row_scale[rows])
    whole = replace(
        matrix,
        cost=np.round(matrix.cost * cost_scale),
        offset=matrix.offset * cost_scale,
        lower=np.ceil(matrix.lower - 1e-9),
        upper=np.floor(matrix.upper + 1e-9),
        A=A,
        # a sum of whole numbers lies between whole numbers
        row_lower=np.ceil(matrix.row_lower * row_scale - 1e-6),
        row_upper=np.floor(matrix.row_upper * row_scale + 1e-6),
    )
    return float(cost_scale), whole


def _scales(values: FloatArray, group: Any, size: int) -> FloatArray:
    """Return (size,) the least power of ten that makes each group's values whole; nan if none."""
    out = np.full(size, np.nan)
    for scale in _SCALES[::-1]:
        scaled = values * scale
        off = np.abs(scaled - np.round(scaled)) > 1e-9 * np.maximum(1.0, np.abs(scaled))
        bad = off | (np.abs(scaled) > _LARGEST)
        out[np.bincount(group[bad], minlength=size) == 0] = scale
    return out
