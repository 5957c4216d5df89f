"""What another solver says, judged by the same rules as HiGHS: its point, its bound, its status.

Nothing that such a solver reports is taken over unseen. Its point is rounded, solved again with
the whole numbers held, and measured here; its bound counts, but is never called certified; the
certified bound comes from the duals of the relaxation.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, replace

import numpy as np

from sitepick.errors import ScenarioError
from sitepick.matrix import FloatArray, Matrix
from sitepick.solve.highs import polish, solve_matrix
from sitepick.solve.outcome import Limits, Outcome, Status, gap_between, is_plan

_LEAST_S = 1.0  # left to the solver, however long the relaxation took


@dataclass(frozen=True)
class Claim:
    """What a solver says: its point (n,), its bound (-inf: none), whether nothing is feasible."""

    values: FloatArray | None
    bound: float
    infeasible: bool
    said: str


def refuse_work_limit(solver: str, limits: Limits) -> None:
    """Raise ScenarioError when ``limits`` asks for what only HiGHS can count."""
    if limits.work is not None:
        raise ScenarioError(
            f"solver {solver}: a work limit is counted by highs only; use a time limit, or highs"
        )


def relaxation(matrix: Matrix, limits: Limits) -> Outcome:
    """Return the relaxation by HiGHS, whose duals certify a bound for any solver's plan."""
    return solve_matrix(matrix, limits, relax=True)


def time_left(limits: Limits, began: float) -> float | None:
    """Return the seconds left since ``began`` (of `time.perf_counter`), None without a limit."""
    if limits.time_s is None:
        return None
    return max(_LEAST_S, limits.time_s - (time.perf_counter() - began))


def judge(
    matrix: Matrix,
    limits: Limits,
    relaxed: Outcome,
    claim: Claim | None,
    *,
    start: FloatArray | None,
    began: float,
    solver: str,
    version: str,
) -> Outcome:
    """Return the outcome of a solver's ``claim`` (None: the relaxation was infeasible already).

    ``optimal`` means that the asked gap is met by the objective that is measured here against the
    higher of the certified bound and the claimed one. A ``start`` that is a plan is never lost.
    """
    log = list(relaxed.log)
    plans = [start] if start is not None and is_plan(matrix, start) else []
    if claim is not None:
        log.append(f"{solver}: {claim.said}")
        found = _as_plan(matrix, claim.values, limits)
        if found is not None:
            plans.append(found)
        elif claim.values is not None:
            log.append(f"{solver}: its point breaks the model's bounds and was put aside")
    best = min(plans, key=matrix.objective, default=None)
    objective = math.inf if best is None else matrix.objective(best)
    proof = relaxed.certified_bound
    bound = proof if claim is None or math.isnan(claim.bound) else max(proof, claim.bound)
    # a claimed bound and our objective differ by the solver's tolerances
    bound = min(bound, objective)
    gap = gap_between(objective, bound)
    status: Status = "no_plan"
    if best is not None:
        status = "optimal" if gap <= max(limits.gap, 1e-9) else "feasible"
    elif relaxed.status == "infeasible" or (claim is not None and claim.infeasible):
        status = "infeasible"
    total = time.perf_counter() - began
    return Outcome(
        status=status,
        values=best,
        objective=objective,
        bound=bound,
        gap=gap,
        bound_certified=gap_between(objective, proof) <= max(limits.gap, 1e-9),
        certificate=relaxed.certificate,
        certified_bound=proof,
        seconds=relaxed.seconds | {"total": total},
        log=tuple(log),
        solver=solver,
        version=version,
    )


def _as_plan(matrix: Matrix, x: FloatArray | None, limits: Limits) -> FloatArray | None:
    """Return ``x`` (n,) with exact whole numbers and the rest solved again; None if no plan."""
    if x is None or x.shape != matrix.cost.shape or not np.isfinite(x).all():
        return None
    better = polish(matrix, x, replace(limits, time_s=None))
    if better is not None:
        return better
    x = np.clip(x, matrix.lower, matrix.upper)
    return x if is_plan(matrix, x) else None
