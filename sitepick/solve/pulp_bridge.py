"""The same program by any solver that PuLP reaches; CBC comes with it.

PuLP maps a run that a time limit ended to "optimal" in ``status``; ``sol_status`` tells the two
apart, and ``status`` is read for "infeasible" only. It hands on no bound of a MIP, so that of
an optimal run is what its gap implies.
"""

from __future__ import annotations

import inspect
import math
import time
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from sitepick.errors import ScenarioError, SitepickError
from sitepick.matrix import FloatArray, Matrix
from sitepick.program import Program
from sitepick.solve.foreign import Claim, judge, refuse_work_limit, relaxation, time_left
from sitepick.solve.outcome import Limits, Outcome, is_plan
from sitepick.solve.write import plain_names

if TYPE_CHECKING:
    import pulp

_OWN_GAP = 1e-4  # of solvers whose gap cannot be set


def solve_pulp(
    name: str, program: Program, limits: Limits, *, start: FloatArray | None = None
) -> Outcome:
    """Minimise ``program`` with ``cbc`` or another solver of PuLP; see `foreign.judge`.

    ``start`` (n,) is given to CBC and never lost. Raises ScenarioError for a name that PuLP does
    not know or cannot run here, naming those it can, and for a work limit; SitepickError when the
    solver breaks off without an answer.
    """
    import pulp

    began = time.perf_counter()
    known = _known_name(name)
    refuse_work_limit(name, limits)
    matrix = program.matrix
    if start is not None and not is_plan(matrix, start):
        start = None
    relaxed = relaxation(matrix, limits)
    claim = None
    if relaxed.status != "infeasible":
        claim = _run(name, known, program, matrix, limits, time_left(limits, began), start)
    return judge(
        matrix,
        limits,
        relaxed,
        claim,
        start=start,
        began=began,
        solver=f"{known} by PuLP",
        version=str(pulp.__version__),
    )


def _run(
    name: str,
    known: str,
    program: Program,
    matrix: Matrix,
    limits: Limits,
    seconds: float | None,
    start: FloatArray | None,
) -> Claim:
    import pulp

    with warnings.catch_warnings():
        # PuLP 3 announces version 4 with every object that is made
        warnings.simplefilter("ignore", DeprecationWarning)
        problem, columns = _problem(program, matrix)
        solver, gap = _solver(known, limits, seconds, start is not None)
        if start is not None:
            for column, value in zip(columns, start.tolist(), strict=True):
                column.setInitialValue(round(value) if column.cat == "Integer" else value)
        try:
            problem.solve(solver)
        except pulp.PulpSolverError as error:
            raise SitepickError(f"solver {name}: ended without an answer: {error}") from error
        return _claim(problem, columns, matrix, gap)


def _known_name(name: str) -> str:
    """Return PuLP's spelling of ``name``; raise ScenarioError when it cannot be run here."""
    import pulp

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        able = pulp.listSolvers(onlyAvailable=True)
        every = pulp.listSolvers()
    wanted = name.strip().lower()
    if wanted == "cbc":
        found = [n for n in ("PULP_CBC_CMD", "COIN_CMD") if n in able]
        known = True
    else:
        found = [n for n in able if n.lower() == wanted]
        known = wanted in {n.lower() for n in every}
    if found:
        return str(found[0])
    names = ["highs", "scip", "cp-sat"]
    names += ["cbc"] if {"PULP_CBC_CMD", "COIN_CMD"} & set(able) else []
    names += sorted(n for n in able if n.lower() != "highs")
    fault = "is not installed here" if known else "is not known"
    raise ScenarioError(f"solver {name}: {fault}; available: {', '.join(names)}")


def _solver(
    known: str, limits: Limits, seconds: float | None, warm: bool
) -> tuple[pulp.LpSolver, float]:
    """Return PuLP's solver and the largest relative gap of an answer it calls optimal."""
    import pulp

    takes = inspect.signature(getattr(pulp, known).__init__).parameters
    # solvers divide by the larger of objective and bound, we by the objective
    asked = (1 - 1e-6) * limits.gap / (1 + limits.gap)
    options: dict[str, Any] = {"msg": False, "gapRel": asked}
    options["timeLimit"] = seconds
    options["threads"] = limits.threads
    if known in ("PULP_CBC_CMD", "COIN_CMD"):
        options["options"] = [f"randomCbcSeed {1 + limits.seed}"]
        options["warmStart"] = warm
    given = {k: v for k, v in options.items() if k in takes and v is not None}
    gap = limits.gap if "gapRel" in takes else max(limits.gap, _OWN_GAP)
    return pulp.getSolver(known, **given), gap


def _problem(program: Program, matrix: Matrix) -> tuple[pulp.LpProblem, list[pulp.LpVariable]]:
    import pulp

    m, n = matrix.A.shape
    problem = pulp.LpProblem("sitepick", pulp.LpMinimize)
    columns = [
        pulp.LpVariable(name, low, high, pulp.LpInteger if whole else pulp.LpContinuous)
        for name, low, high, whole in zip(
            plain_names(n, program.column_label),
            matrix.lower.tolist(),
            matrix.upper.tolist(),
            matrix.integer.tolist(),
            strict=True,
        )
    ]
    problem.addVariables(columns)
    cost = matrix.cost.tolist()
    goal = {columns[j]: cost[j] for j in np.flatnonzero(matrix.cost)}
    problem.setObjective(pulp.LpAffineExpression(goal, constant=float(matrix.offset)))
    for i, name in enumerate(plain_names(m, program.row_label)):
        part = slice(matrix.A.indptr[i], matrix.A.indptr[i + 1])
        entries = matrix.A.indices[part].tolist(), matrix.A.data[part].tolist()
        if not entries[0]:
            continue  # the relaxation was feasible, so zero satisfies it
        terms = {columns[j]: v for j, v in zip(*entries, strict=True)}
        low, high = float(matrix.row_lower[i]), float(matrix.row_upper[i])
        sides = [(pulp.LpConstraintGE, low, "_low"), (pulp.LpConstraintLE, high, "_high")]
        if low == high:
            sides = [(pulp.LpConstraintEQ, low, "")]
        for sense, side, suffix in sides:
            if math.isfinite(side):
                row = pulp.LpConstraint(pulp.LpAffineExpression(terms), sense, None, side)
                problem.addConstraint(row, name + suffix)
    return problem, columns


def _claim(
    problem: pulp.LpProblem, columns: list[pulp.LpVariable], matrix: Matrix, gap: float
) -> Claim:
    import pulp

    said = pulp.LpSolution.get(problem.sol_status, str(problem.sol_status))
    done = problem.sol_status == pulp.LpSolutionOptimal
    # a run that a limit ended without a point may be called infeasible in ``sol_status``, never in
    # ``status``; CBC's "integer infeasible" is so in ``status`` alone
    refused = problem.status == pulp.LpStatusInfeasible and problem.sol_status in (
        pulp.LpSolutionInfeasible,
        pulp.LpSolutionNoSolutionFound,
    )
    values = None
    if done or problem.sol_status == pulp.LpSolutionIntegerFeasible:
        idle = np.clip(0.0, matrix.lower, matrix.upper)
        seen = [column.varValue for column in columns]
        values = np.array([z if v is None else v for v, z in zip(seen, idle, strict=True)], float)
    bound = -math.inf
    if done and values is not None:
        objective = matrix.objective(values)
        # the solver's gap may be relative to the objective without its constant; its stopping rule
        # is met with room for rounding
        bound = objective - (1 - 1e-6) * gap * max(abs(objective), abs(objective - matrix.offset))
    return Claim(values=values, bound=bound, infeasible=refused, said=said.lower())
