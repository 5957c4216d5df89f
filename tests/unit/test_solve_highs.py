"""HiGHS behind `solve_matrix`: statuses, starts, limits, interrupts, threads."""

from __future__ import annotations

import os
import signal
import threading

import numpy as np
import pytest
import scipy.sparse as sp

from sitepick.matrix import SHARED, Matrix
from sitepick.solve import highs
from sitepick.solve.outcome import Limits, gap_between, is_plan, keep_best_on_interrupt


def make(A, cost, upper, row_lower, row_upper, integer, offset=0.0) -> Matrix:
    A = sp.csr_array(np.asarray(A, dtype=float))
    n = A.shape[1]
    return Matrix(
        cost=np.asarray(cost, dtype=float),
        offset=offset,
        lower=np.zeros(n),
        upper=np.broadcast_to(np.asarray(upper, dtype=float), n).copy(),
        integer=np.broadcast_to(np.asarray(integer, dtype=bool), n).copy(),
        owner=np.full(n, SHARED),
        A=A,
        row_lower=np.asarray(row_lower, dtype=float),
        row_upper=np.asarray(row_upper, dtype=float),
    )


def cover(rows: int = 150, columns: int = 400, seed: int = 0) -> Matrix:
    """A covering problem that keeps HiGHS busy for a while."""
    rng = np.random.default_rng(seed)
    A = (rng.random((rows, columns)) < 0.05) * rng.integers(1, 50, (rows, columns))
    need = A.sum(axis=1) * 0.3
    return make(A, rng.integers(20, 120, columns), 1, need, np.full(rows, np.inf), True)


TINY = make([[1.0, 1.0]], [2.0, 3.0], 10, [4.5], [np.inf], [False, True])


def test_solves_and_recomputes() -> None:
    out = highs.solve_matrix(TINY, Limits(gap=0.0))
    assert (out.status, out.objective, out.gap) == ("optimal", 9.0, 0.0)
    assert out.bound == pytest.approx(9.0)
    assert out.solver == "HiGHS"
    assert out.version == highs.version()
    shifted = make([[1.0, 1.0]], [2.0, 3.0], 10, [4.5], [np.inf], [False, True], offset=-20.0)
    assert highs.solve_matrix(shifted, Limits(gap=0.0)).objective == pytest.approx(-11.0)


@pytest.mark.parametrize(
    ("method", "crossover"), [("simplex", True), ("ipm", False), ("ipm", True), ("pdlp", False)]
)
def test_relaxation_by_every_method(method: highs.Method, crossover: bool) -> None:
    model = cover(20, 40)
    exact = highs.solve_matrix(model, Limits(), relax=True, method="simplex")
    out = highs.solve_matrix(model, Limits(), relax=True, method=method, crossover=crossover)
    assert out.bound == pytest.approx(exact.objective, rel=1e-4)
    assert out.bound <= exact.objective * (1 + 1e-9)
    assert out.certified_bound == out.bound


def test_infeasible_and_empty() -> None:
    impossible = make([[1.0]], [1.0], 1, [2.0], [np.inf], [True])
    assert highs.solve_matrix(impossible, Limits()).status == "infeasible"
    assert highs.solve_matrix(impossible, Limits(), relax=True).status == "infeasible"
    empty = make(np.zeros((1, 0)), [], 1, [1.0], [np.inf], [])
    assert highs.solve_matrix(empty, Limits()).status == "infeasible"
    fine = make(np.zeros((1, 0)), [], 1, [-1.0], [1.0], [], offset=3.0)
    out = highs.solve_matrix(fine, Limits())
    assert (out.status, out.objective) == ("optimal", 3.0)


def test_changing_the_number_of_threads_keeps_working() -> None:
    import highspy

    for threads in (1, 2, None, 2, 1):
        out = highs.solve_matrix(TINY, Limits(threads=threads))
        assert out.objective == 9.0, threads
    other = highspy.Highs()  # somebody else starts the scheduler with another number
    other.setOptionValue("output_flag", False)
    highspy.Highs.resetGlobalScheduler(True)
    other.setOptionValue("threads", 2)
    other.run()
    assert highs.solve_matrix(TINY, Limits(threads=1)).objective == 9.0


def test_a_limit_never_loses_the_start() -> None:
    model = cover()
    start = np.ones(400)
    out = highs.solve_matrix(model, Limits(gap=0.0, work=1), start=start)
    assert out.status == "feasible"
    assert out.objective <= model.objective(start)
    assert is_plan(model, out.values)
    assert out.bound <= out.objective


def test_work_limit_is_reproducible() -> None:
    model = cover()
    a, b = (highs.solve_matrix(model, Limits(gap=0.0, work=25)) for _ in range(2))
    assert a.status == b.status == "feasible"
    assert a.objective == b.objective
    assert a.bound == b.bound
    assert (a.values == b.values).all()
    assert a.work == b.work >= 25


def test_time_limit_without_incumbent_is_not_called_optimal() -> None:
    out = highs.solve_matrix(cover(400, 3000), Limits(gap=0.0, time_s=0.01))
    assert out.status in {"no_plan", "feasible"}
    assert out.values is None or is_plan(cover(400, 3000), out.values)


def test_known_bound_ends_the_search_early() -> None:
    model = cover(60, 150)
    best = highs.solve_matrix(model, Limits(gap=0.02))
    out = highs.solve_matrix(model, Limits(gap=0.2), known_bound=best.bound)
    assert out.status == "optimal"
    assert gap_between(out.objective, best.bound) <= 0.2
    assert out.bound >= best.bound


def test_stop_event_and_ctrl_c_keep_the_best() -> None:
    model = cover()
    stop = threading.Event()
    seen: list[tuple] = []

    def press(*event: object) -> None:
        seen.append(event)
        if np.isfinite(event[2]):
            os.kill(os.getpid(), signal.SIGINT)

    with keep_best_on_interrupt(stop):
        out = highs.solve_matrix(model, Limits(gap=0.0, time_s=60), stop=stop, on_progress=press)
    assert out.interrupted
    assert out.status == "feasible"
    assert is_plan(model, out.values)
    assert seen
    assert seen[-1][0] == "mip"
    assert out.seconds["mip"] < 30
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_polish_gives_whole_numbers_or_none() -> None:
    out = highs.solve_matrix(TINY, Limits())
    assert out.values is not None
    fuzzy = out.values + np.array([0.3, 3e-6])
    values = highs.polish(TINY, fuzzy)
    assert values is not None
    assert TINY.objective(values) == 9.0
    assert values[1] == round(values[1])
    pinned = make([[1.0]], [1.0], 5, [2.0], [2.0], [True])
    assert highs.polish(pinned, np.array([0.0])) is None


def test_any_plan_meets_a_gap_of_everything() -> None:
    assert highs.target_for(10.0, 1.0) == np.inf
    assert highs.target_for(10.0, 0.5) == 20.0
    assert highs.target_for(-10.0, 1.0) == -5.0
