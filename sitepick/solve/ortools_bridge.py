"""SCIP and CP-SAT (plans), PDLP and GLOP (relaxations) of OR-Tools, on the same matrix.

The matrix goes in whole by `fill_model_from_sparse_data`; expression by expression is about
twenty times slower. Points and bounds are judged afresh as everywhere.
"""

from __future__ import annotations

import math
import time
from dataclasses import replace
from typing import Any

import numpy as np

from sitepick.errors import ScenarioError
from sitepick.program import FloatArray, Program
from sitepick.solve.certificate import safe_bound
from sitepick.solve.highs import solve_matrix
from sitepick.solve.outcome import Limits, Outcome, breach, gap_between
from sitepick.solve.pulp_bridge import judged

_MIP = {"scip": "scip", "cp-sat": "sat"}
_LP = ("glop", "pdlp")


def available() -> list[str]:
    """Return the names that `solve_ortools` takes here."""
    helper = _helper()
    pairs = [*_MIP.items(), *((name, name) for name in _LP)]
    return [name for name, inner in pairs if helper.ModelSolverHelper(inner).solver_is_supported()]


def solve_ortools(
    name: str,
    program: Program,
    limits: Limits,
    *,
    start: FloatArray | None = None,
) -> Outcome:
    """Minimise ``program`` by ``scip`` or ``cp-sat``; ``glop`` and ``pdlp`` solve its relaxation.

    CP-SAT takes only programs whose columns are all whole. Raises ScenarioError otherwise, and
    where the solver is missing.
    """
    helper = _helper()
    matrix = program.matrix
    began = time.perf_counter()
    key = name.strip().lower()
    inner = _MIP.get(key, key)
    if key not in _MIP and key not in _LP:
        raise ScenarioError(f"solver {name!r} is not one of OR-Tools: {', '.join([*_MIP, *_LP])}")
    if key == "cp-sat" and not matrix.integer.all():
        count = int((~matrix.integer).sum())
        raise ScenarioError(
            f"solver 'cp-sat' needs whole numbers throughout, {count:,} columns of this scenario "
            "are amounts (MW, MUSD); use highs, scip or cbc"
        )
    solver = helper.ModelSolverHelper(inner)
    if not solver.solver_is_supported():
        raise ScenarioError(
            f"solver {name!r} is not in this OR-Tools; available: {', '.join(available())}"
        )
    if matrix.A.shape[1] == 0:
        return solve_matrix(matrix, limits)
    model = helper.ModelBuilderHelper()
    model.fill_model_from_sparse_data(
        matrix.lower, matrix.upper, matrix.cost, matrix.row_lower, matrix.row_upper, matrix.A
    )
    model.set_objective_offset(float(matrix.offset))
    if key in _MIP:
        for j in np.flatnonzero(matrix.integer):
            model.set_var_integrality(int(j), True)
    if limits.time_s is not None:
        solver.set_time_limit_in_seconds(float(limits.time_s))
    options = _options(key, limits)
    if options:
        solver.set_solver_specific_parameters(options)
    built = time.perf_counter()
    solver.solve(model)
    solved = time.perf_counter()
    seconds = {"model": built - began, key: solved - built}
    status = solver.status()
    statuses = helper.SolveStatus
    x = None
    if status in (statuses.OPTIMAL, statuses.FEASIBLE):
        x = np.asarray(solver.variable_values(), dtype=float)
    log = (f"OR-Tools {key}: {status.name}, {solved - built:.1f} s",)
    if key in _LP:
        out = _relaxation(program, x, solver)
    else:
        bound = float(solver.best_objective_bound()) if x is not None else -math.inf
        out = judged(
            matrix,
            x,
            limits,
            refused=status == statuses.INFEASIBLE,
            start=start,
            seconds=seconds,
            bound=bound if math.isfinite(bound) else -math.inf,
        )
    return replace(
        out,
        seconds=out.seconds or seconds,
        solver=f"OR-Tools {key}",
        version=_version(),
        log=log,
    )


def _relaxation(program: Program, x: FloatArray | None, solver: Any) -> Outcome:
    matrix = program.matrix
    if x is None:
        return Outcome("no_plan", None, math.inf, -math.inf, math.inf)
    duals = np.asarray(solver.dual_values(), dtype=float)
    bound = safe_bound(matrix, duals)
    values = np.clip(x, matrix.lower, matrix.upper)
    near = values if breach(matrix, values) <= 1e-3 else None
    objective = math.inf if near is None else matrix.objective(near)
    return Outcome(
        status="no_plan" if near is None else "feasible",
        values=near,
        objective=objective,
        bound=bound,
        gap=gap_between(objective, bound),
        certificate=duals,
        certified_bound=bound,
    )


def _options(key: str, limits: Limits) -> str:
    threads = limits.threads or 1
    if key == "scip":
        return f"limits/gap = {limits.gap}\nrandomization/randomseedshift = {limits.seed}"
    if key == "cp-sat":
        return f"num_workers:{threads} random_seed:{limits.seed} relative_gap_limit:{limits.gap}"
    return f"num_threads:{threads}" if key == "pdlp" else ""


def _version() -> str:
    from importlib.metadata import version

    return version("ortools")


def _helper() -> Any:
    # its type hints want one kind of array and of sparse matrix; it takes ours as well
    from ortools.linear_solver.python import model_builder_helper

    return model_builder_helper
