"""HiGHS, handed arrays and trusted with nothing: status, point and bound are judged afresh.

Known traps, each met while measuring, and handled here:

* a change of ``threads`` after another HiGHS ran in the process makes the next run return "not set"
  at once: the scheduler is reset whenever the number changes, and after any such answer;
* a run that ends early may report objective 0 or infinity: the point is looked at, not the status;
* arrays go in by `passModel` in one call (row-wise, 32-bit indices); attribute by attribute is 5x
  slower;
* interior point without crossover may call its answer "unknown": its duals are still duals.
"""

from __future__ import annotations

import math
import threading
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from sitepick.errors import SitepickError
from sitepick.matrix import FloatArray, Matrix
from sitepick.solve.certificate import safe_bound
from sitepick.solve.outcome import (
    Limits,
    Outcome,
    Progress,
    Status,
    breach,
    gap_between,
    is_plan,
)

if TYPE_CHECKING:
    import highspy

Method = Literal["choose", "simplex", "ipm", "pdlp"]

_MAX_INDEX = 2**31 - 1
_scheduler = threading.local()  # HiGHS keeps a number of threads for each thread that calls it


def version() -> str:
    """Return the version of HiGHS, e.g. ``1.13.1``."""
    import highspy

    return str(highspy.Highs().version())


def load(matrix: Matrix, *, relax: bool, threads: int | None, seed: int = 0) -> highspy.Highs:
    """Return a HiGHS object holding ``matrix``; ``relax`` drops integrality."""
    import highspy

    m, n = matrix.A.shape
    if matrix.A.nnz > _MAX_INDEX:
        raise SitepickError(f"the model has {matrix.A.nnz:,} non-zeros; HiGHS takes 2^31 - 1")
    h = highspy.Highs()
    h.setOptionValue("output_flag", False)
    h.setOptionValue("random_seed", int(seed))
    _set_threads(h, threads)
    whole = np.zeros(n, dtype=np.int32) if relax else matrix.integer.astype(np.int32)
    status = h.passModel(
        n,
        m,
        int(matrix.A.nnz),
        2,  # row-wise
        1,  # minimise
        float(matrix.offset),
        matrix.cost,
        matrix.lower,
        matrix.upper,
        matrix.row_lower,
        matrix.row_upper,
        matrix.A.indptr.astype(np.int32, copy=False),
        matrix.A.indices.astype(np.int32, copy=False),
        matrix.A.data.astype(float, copy=False),
        whole,
    )
    if status == highspy.HighsStatus.kError:
        raise SitepickError("HiGHS refused the model: a number in it is not usable (NaN or 1e20?)")
    return h


def run(h: highspy.Highs, threads: int | None = None) -> Any:
    """Run ``h`` and return its model status, once more after a reset when it says "not set"."""
    import highspy

    h.run()
    if h.getModelStatus() == highspy.HighsModelStatus.kNotset:
        _reset_scheduler(threads)
        h.run()
    return h.getModelStatus()


@dataclass
class _Watch:
    """What the callbacks of one run see and decide."""

    limits: Limits
    stage: str
    began: float
    stop: threading.Event | None
    on_progress: Progress | None
    known_bound: float
    polls: int = 0
    worked_out: bool = False
    last: tuple[float, float] = (math.inf, -math.inf)

    def poll(self, event: Any) -> None:
        self.polls += 1
        self._tell(event.data_out)
        if self.limits.work is not None and self.polls >= self.limits.work:
            self.worked_out = True
            event.interrupt()
        if self.stop is not None and self.stop.is_set():
            event.interrupt()

    def poll_lp(self, event: Any) -> None:
        if self.stop is not None and self.stop.is_set():
            event.interrupt()

    def _tell(self, data: Any) -> None:
        if self.on_progress is None:
            return
        incumbent = float(data.mip_primal_bound)
        bound = max(float(data.mip_dual_bound), self.known_bound)
        if (incumbent, bound) == self.last:
            return
        self.last = (incumbent, bound)
        gap = gap_between(incumbent, bound)
        self.on_progress(self.stage, time.perf_counter() - self.began, incumbent, bound, gap)


def solve_matrix(
    matrix: Matrix,
    limits: Limits,
    *,
    start: FloatArray | None = None,
    on_progress: Progress | None = None,
    stop: threading.Event | None = None,
    relax: bool = False,
    method: Method = "choose",
    crossover: bool = True,
    known_bound: float = -math.inf,
    target: float = -math.inf,
    effort: float | None = None,
    stage: str = "",
    began: float | None = None,
) -> Outcome:
    """Minimise ``matrix`` and return what was found and proven.

    ``start`` (n,) is a plan to begin from (used if HiGHS can complete it). ``relax`` drops
    integrality; the outcome of an LP carries row duals as its certificate. ``method`` picks the LP
    algorithm; without ``crossover`` interior point and PDLP return no vertex. ``known_bound`` is a
    bound from elsewhere: the run ends when the incumbent meets ``limits.gap`` against it.
    A plan as good as ``target`` ends it too. ``effort`` is HiGHS's share of time for heuristics
    (its default is 0.05).

    ``work`` counts how often HiGHS asked whether to stop: reproducible, unlike seconds.
    """
    began = time.perf_counter() if began is None else began
    entered = time.perf_counter()
    stage = stage or ("lp" if relax else "mip")
    is_lp = relax or not matrix.integer.any()
    if matrix.A.shape[1] == 0:
        return _without_columns(matrix, stage)
    h = load(matrix, relax=relax, threads=limits.threads, seed=limits.seed)
    if limits.time_s is not None:
        h.setOptionValue("time_limit", max(0.01, float(limits.time_s)))
    if is_lp:
        h.setOptionValue("solver", method)
        h.setOptionValue("run_crossover", "on" if crossover else "off")
    else:
        h.setOptionValue("mip_rel_gap", float(limits.gap))
        h.setOptionValue("mip_abs_gap", 1e-9)
        if effort is not None:
            h.setOptionValue("mip_heuristic_effort", float(effort))
        if math.isfinite(known_bound):
            target = max(target, target_for(known_bound, limits.gap))
        if math.isfinite(target):
            h.setOptionValue("objective_target", target)
    if start is not None:
        _give_start(h, start)
    watch = _Watch(limits, stage, began, stop, on_progress, known_bound)
    if is_lp:
        if stop is not None:
            h.cbSimplexInterrupt.subscribe(watch.poll_lp)
            h.cbIpmInterrupt.subscribe(watch.poll_lp)
    else:
        h.cbMipInterrupt.subscribe(watch.poll)
    model_status = run(h, limits.threads)
    seconds = {stage: time.perf_counter() - entered}
    out = _read_lp(h, matrix, relax) if is_lp else _read_mip(h, matrix, known_bound)
    if start is not None and is_plan(matrix, start, relax):
        # never lose what was brought
        value = matrix.objective(start)
        if out.values is None or value < out.objective:
            out = replace(out, values=start, objective=value, gap=gap_between(value, out.bound))
    out = replace(out, status=_judge(h, out, limits, model_status))
    return replace(
        out,
        seconds=seconds,
        solver="HiGHS",
        version=str(h.version()),
        work=float(watch.polls),
        bound_certified=gap_between(out.objective, out.certified_bound) <= limits.gap,
        interrupted=bool(stop is not None and stop.is_set()),
        log=(_log_line(stage, matrix, h, model_status, out, seconds[stage]),),
    )


def polish(matrix: Matrix, x: FloatArray, limits: Limits | None = None) -> FloatArray | None:
    """Round the integer columns of ``x``, hold them, solve the rest again; None if impossible.

    The result (n,) is a vertex of the continuous part with exact whole numbers.
    """
    whole = matrix.integer
    fixed = np.clip(np.round(x), matrix.lower, matrix.upper)
    held = replace(
        matrix,
        lower=np.where(whole, fixed, matrix.lower),
        upper=np.where(whole, fixed, matrix.upper),
    )
    limits = limits or Limits()
    out = solve_matrix(held, replace(limits, work=None), relax=True, method="simplex")
    if out.values is None:
        return None
    values = np.clip(out.values, matrix.lower, matrix.upper)
    values[whole] = fixed[whole]
    return values if is_plan(matrix, values) else None


def lp_duals(h: highspy.Highs, m: int) -> FloatArray | None:
    """Return the row duals (m,) of the last LP run, or None when there are none."""
    solution = h.getSolution()
    duals = np.asarray(solution.row_dual, dtype=float)
    return duals if duals.shape == (m,) and np.isfinite(duals).all() else None


def is_infeasible(model_status: Any) -> bool:
    """Return whether the status that `run` returned says that there is no solution."""
    import highspy

    return bool(model_status == highspy.HighsModelStatus.kInfeasible)


def dual_ray(matrix: Matrix) -> FloatArray | None:
    """Return a ray (m,) of duals along which an infeasible LP's bound grows, None without one."""
    h = load(matrix, relax=True, threads=None)
    h.setOptionValue("solver", "simplex")
    h.setOptionValue("presolve", "off")
    if not is_infeasible(run(h)):
        return None
    _, found, ray = h.getDualRay()
    values = np.asarray(ray, dtype=float)
    usable = found and values.shape == (matrix.A.shape[0],) and np.isfinite(values).all()
    return values if usable else None


def _read_lp(h: highspy.Highs, matrix: Matrix, relax: bool) -> Outcome:
    m, n = matrix.A.shape
    x = lp_point(h, n)
    y = lp_duals(h, m)
    # any duals give a bound, those of an unfinished run too
    bound = -math.inf if y is None else safe_bound(matrix, y)
    if x is not None:
        x = np.clip(x, matrix.lower, matrix.upper)
    values = x if x is not None and breach(matrix, x) <= 1e-5 else None
    objective = math.inf if values is None else matrix.objective(values)
    return Outcome(
        status="no_plan",
        values=values,
        objective=objective,
        bound=bound,
        gap=gap_between(objective, bound),
        certificate=y,
        certified_bound=bound,
    )


def _read_mip(h: highspy.Highs, matrix: Matrix, known_bound: float) -> Outcome:
    x = lp_point(h, matrix.A.shape[1])
    values = x if is_plan(matrix, x) else None
    objective = math.inf if values is None else matrix.objective(values)
    bound = float(h.getInfo().mip_dual_bound)
    bound = max(bound if math.isfinite(bound) else -math.inf, known_bound)
    if values is not None:
        # HiGHS's bound and our objective differ by its tolerances
        bound = min(bound, objective)
    return Outcome(
        status="no_plan",
        values=values,
        objective=objective,
        bound=bound,
        gap=gap_between(objective, bound),
    )


def _judge(h: highspy.Highs, out: Outcome, limits: Limits, model_status: Any) -> Status:
    import highspy

    if out.values is not None:
        return "optimal" if out.gap <= max(limits.gap, 1e-9) else "feasible"
    refused = (
        highspy.HighsModelStatus.kInfeasible,
        # with finite column bounds nothing is unbounded
        highspy.HighsModelStatus.kUnboundedOrInfeasible,
    )
    return "infeasible" if model_status in refused else "no_plan"


def _without_columns(matrix: Matrix, stage: str) -> Outcome:
    feasible = not ((matrix.row_lower > 0) | (matrix.row_upper < 0)).any()
    value = float(matrix.offset) if feasible else math.inf
    duals = np.zeros(matrix.A.shape[0])
    return Outcome(
        status="optimal" if feasible else "infeasible",
        values=np.zeros(0) if feasible else None,
        objective=value,
        bound=value if feasible else -math.inf,
        gap=0.0 if feasible else math.inf,
        bound_certified=feasible,
        certificate=duals,
        certified_bound=value if feasible else -math.inf,
        seconds={stage: 0.0},
        solver="HiGHS",
        version=version(),
    )


def lp_point(h: highspy.Highs, n: int) -> FloatArray | None:
    """Return the point (n,) of the last run, None when there is none."""
    solution = h.getSolution()
    x = np.asarray(solution.col_value, dtype=float)
    if not solution.value_valid or x.shape != (n,) or not np.isfinite(x).all():
        return None
    return x


def _give_start(h: highspy.Highs, start: FloatArray) -> None:
    import highspy

    solution = highspy.HighsSolution()
    solution.col_value = start.tolist()
    h.setSolution(solution)


def target_for(bound: float, gap: float) -> float:
    """Return the largest objective whose gap to ``bound`` is at most ``gap``."""
    if bound > 0:
        return bound / (1 - gap) if gap < 1 else math.inf
    return bound / (1 + gap)


def _set_threads(h: highspy.Highs, threads: int | None) -> None:
    count = 0 if threads is None else int(threads)
    if getattr(_scheduler, "threads", None) != count:
        _reset_scheduler(threads)
        _scheduler.threads = count
    h.setOptionValue("threads", count)


def _reset_scheduler(threads: int | None) -> None:
    import highspy

    highspy.Highs.resetGlobalScheduler(True)


def _log_line(
    stage: str, matrix: Matrix, h: highspy.Highs, status: Any, out: Outcome, seconds: float
) -> str:
    m, n = matrix.A.shape
    info = h.getInfo()
    effort = max(info.simplex_iteration_count, info.ipm_iteration_count, 0)
    return (
        f"{stage}: {m:,} rows, {n:,} columns, {int(matrix.integer.sum()):,} whole: "
        f"{h.modelStatusToString(status)}, objective {out.objective:.9g}, bound {out.bound:.9g}, "
        f"gap {100 * out.gap:.3g} %, {effort:,} iterations, {seconds:.1f} s"
    )
