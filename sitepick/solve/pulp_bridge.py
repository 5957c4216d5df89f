"""Any solver that PuLP finds (CBC comes with it), on the same matrix.

PuLP's ``status`` says "Optimal" at a time limit, so only ``sol_status`` is read, and the point is
judged afresh. PuLP hands back no bound: certified is that of the relaxation, and a search that
ended by itself is believed to have met the asked gap.
"""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np

from sitepick.errors import ScenarioError
from sitepick.program import FloatArray, Matrix, Program
from sitepick.solve.highs import polish, solve_matrix
from sitepick.solve.outcome import Limits, Outcome, Status, gap_between, is_plan

_ALIASES = {"cbc": "PULP_CBC_CMD"}
_TAKES_THREADS = ("PULP_CBC_CMD", "COIN_CMD", "GUROBI", "GUROBI_CMD", "CPLEX_CMD", "CPLEX_PY")


@contextmanager
def _quietly() -> Iterator[None]:
    """Silence PuLP 3's notes on what PuLP 4 will want and PuLP 2 does not know yet."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        yield


@_quietly()
def available() -> list[str]:
    """Return the names of the solvers that PuLP can run here, ``cbc`` for its own."""
    import pulp

    own = {full: short for short, full in _ALIASES.items()}
    return [own.get(name, name) for name in pulp.listSolvers(onlyAvailable=True)]


@_quietly()
def to_pulp(matrix: Matrix) -> tuple[Any, list[Any]]:
    """Return a PuLP problem holding ``matrix`` and its variables in order of columns."""
    import pulp

    problem = pulp.LpProblem("sitepick", pulp.LpMinimize)
    variables = [
        pulp.LpVariable(f"x{j}", low, high, pulp.LpInteger if whole else pulp.LpContinuous)
        for j, (low, high, whole) in enumerate(
            zip(matrix.lower.tolist(), matrix.upper.tolist(), matrix.integer.tolist(), strict=True)
        )
    ]
    priced = np.flatnonzero(matrix.cost)
    costs = zip((variables[j] for j in priced), matrix.cost[priced].tolist(), strict=True)
    problem.setObjective(pulp.LpAffineExpression(list(costs), constant=float(matrix.offset)))
    if len(variables) and not len(priced):
        # a problem without an objective loses its variables in some writers
        problem.setObjective(pulp.LpAffineExpression([(variables[0], 0.0)]))
    A = matrix.A
    for i, (low, high) in enumerate(
        zip(matrix.row_lower.tolist(), matrix.row_upper.tolist(), strict=True)
    ):
        at = slice(A.indptr[i], A.indptr[i + 1])
        row = list(zip((variables[j] for j in A.indices[at]), A.data[at].tolist(), strict=True))
        sides: list[tuple[int, float]] = []
        if low == high:
            sides = [(pulp.LpConstraintEQ, low)]
        else:
            sides += [(pulp.LpConstraintGE, low)] if math.isfinite(low) else []
            sides += [(pulp.LpConstraintLE, high)] if math.isfinite(high) else []
        for number, (sense, side) in enumerate(sides):
            expression = pulp.LpAffineExpression(row)
            problem.addConstraint(
                pulp.LpConstraint(expression, sense, f"r{i}_{number}", side), f"r{i}_{number}"
            )
    return problem, variables


@_quietly()
def solve_pulp(
    name: str, program: Program, limits: Limits, *, start: FloatArray | None = None
) -> Outcome:
    """Minimise ``program`` with a solver of PuLP: ``cbc`` or PuLP's own name for it.

    Raises ScenarioError naming the available solvers where this one is missing.
    """
    import pulp

    matrix = program.matrix
    began = time.perf_counter()
    full = _ALIASES.get(name.strip().lower(), name.strip())
    known = {solver.lower(): solver for solver in pulp.listSolvers(onlyAvailable=False)}
    here = {solver.lower() for solver in pulp.listSolvers(onlyAvailable=True)}
    if full.lower() not in here:
        why = "is not installed" if full.lower() in known else "is not a solver known to PuLP"
        names = ", ".join(["highs", "scip", "cp-sat", *available()])
        raise ScenarioError(f"solver {name!r} {why}; available here: {names}")
    full = known[full.lower()]
    options: dict[str, Any] = {"msg": False}
    if limits.time_s is not None:
        options["timeLimit"] = max(1, math.ceil(limits.time_s))
    if limits.threads is not None and full in _TAKES_THREADS:
        options["threads"] = limits.threads
    solver = pulp.getSolver(full, **options, gapRel=limits.gap)
    empty = _without_entries(matrix)
    if empty is not None:
        return replace(empty, solver=f"PuLP {full}", version=str(pulp.__version__))
    problem, variables = to_pulp(matrix)
    built = time.perf_counter()
    try:
        problem.solve(solver)
    except pulp.PulpSolverError as error:
        raise ScenarioError(f"solver {name!r} failed: {error}") from error
    solved = time.perf_counter()
    refused = problem.sol_status == pulp.LpSolutionInfeasible
    found = problem.sol_status in (pulp.LpSolutionOptimal, pulp.LpSolutionIntegerFeasible)
    x = None
    if found:
        x = np.array([variable.value() or 0.0 for variable in variables])
    seconds = {"model": built - began, "mip": solved - built}
    bound = -math.inf
    if x is not None and problem.sol_status == pulp.LpSolutionOptimal:
        value = matrix.objective(x)
        bound = value - (1 - 1e-6) * limits.gap * abs(value)
    outcome = judged(matrix, x, limits, refused=refused, start=start, seconds=seconds, bound=bound)
    log = (f"PuLP {full}: {pulp.LpSolution[problem.sol_status]}, {solved - built:.1f} s",)
    return replace(outcome, solver=f"PuLP {full}", version=str(pulp.__version__), log=log)


def judged(
    matrix: Matrix,
    x: FloatArray | None,
    limits: Limits,
    *,
    refused: bool,
    start: FloatArray | None,
    seconds: dict[str, float],
    bound: float = -math.inf,
) -> Outcome:
    """Return the outcome of a foreign solver's point ``x`` (n,), judged and bounded afresh.

    ``bound`` is what the solver claims (-inf when it says nothing); the certificate is that of the
    linear relaxation. Of ``x`` and ``start``, the better plan is kept.
    """
    began = time.perf_counter()
    relaxed = solve_matrix(matrix, replace(limits, work=None), relax=True, stage="bound")
    seconds = seconds | {"bound": time.perf_counter() - began}
    values: FloatArray | None = None
    objective = math.inf
    for point in (x, start):
        if point is None:
            continue
        exact = polish(matrix, point, limits)
        point = point if exact is None else exact
        if is_plan(matrix, point) and matrix.objective(point) < objective:
            values, objective = point, matrix.objective(point)
    bound = min(max(bound, relaxed.certified_bound), objective)
    gap = gap_between(objective, bound)
    status: Status = "no_plan"
    if values is not None:
        status = "optimal" if gap <= max(limits.gap, 1e-9) else "feasible"
    elif refused:
        status = "infeasible"
    return Outcome(
        status=status,
        values=values,
        objective=objective,
        bound=bound,
        gap=gap,
        bound_certified=gap_between(objective, relaxed.certified_bound) <= max(limits.gap, 1e-9),
        certificate=relaxed.certificate,
        certified_bound=relaxed.certified_bound,
        seconds=seconds,
    )


def _without_entries(matrix: Matrix) -> Outcome | None:
    """Solve a problem without columns here; most writers cannot hold one."""
    if matrix.A.shape[1]:
        return None
    return solve_matrix(matrix, Limits())
