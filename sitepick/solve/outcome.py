"""What a solver returns, whatever the solver: a status that was checked, a point, and a bound.

Nothing here imports a solver, so an `Outcome` can be stored, compared and re-judged anywhere.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType
from typing import Literal

import numpy as np

from sitepick.matrix import FloatArray, IntArray, Matrix

Status = Literal["optimal", "feasible", "infeasible", "no_plan"]

Progress = Callable[[str, float, float, float, float], None]
"""Called with (stage, seconds since the start, incumbent, bound, gap); inf or nan when unknown."""
Separator = Callable[[FloatArray], int]
"""Takes values (n,), appends the violated rows to the program, returns how many it added."""
FEASIBLE_WITHIN = 1e-6
"""Largest breach of a bound that still counts as feasible, relative to max(1, |bound|)."""
INTEGER_WITHIN = 1e-5
"""Largest distance of an integer column from a whole number that counts as whole."""
_NOTHING = 1e-6  # share of the objective below which what else is paid is rounding


@dataclass(frozen=True)
class Limits:
    """When to stop. ``optimal`` means that ``gap`` is met.

    ``gap``: relative. ``time_s``: wall-clock seconds (a time limit makes runs irreproducible).
    ``work``: a reproducible limit, the number of times that branch and bound asks whether to go on
    (some ten times a second), summed over all stages. ``threads``: None leaves it to the solver.
    """

    gap: float = 0.0025
    time_s: float | None = None
    work: int | None = None
    threads: int | None = None
    seed: int = 0


@dataclass(frozen=True)
class Cut:
    """A row that branching added: ``lower <= coefficients @ x[columns] <= upper``."""

    columns: IntArray
    coefficients: FloatArray
    lower: float
    upper: float


@dataclass(frozen=True)
class Leaf:
    """One part of a branching tree: extra rows, and duals (m + number of cuts,) that bound it."""

    cuts: tuple[Cut, ...]
    duals: FloatArray


Certificate = FloatArray | tuple[Leaf, ...]
"""Duals (m,) of the whole problem, or leaves of a tree that together cover all its points."""


@dataclass(frozen=True)
class Outcome:
    """The result of a solve.

    ``objective`` and feasibility are recomputed from ``values`` here, never taken from a solver.
    ``bound`` holds for the whole problem; ``certified_bound`` is the part of it that
    `sitepick.solve.certificate` re-derives from ``certificate`` without a solver, and
    ``bound_certified`` says that it alone meets the asked gap. ``interrupted`` is set when a stop
    was asked for from outside. ``work`` is in the unit of `Limits.work`.
    """

    status: Status
    values: FloatArray | None
    objective: float
    bound: float
    gap: float
    bound_certified: bool = False
    certificate: Certificate | None = None
    certified_bound: float = -math.inf
    seconds: dict[str, float] = field(default_factory=dict)
    log: tuple[str, ...] = ()
    solver: str = ""
    version: str = ""
    work: float = 0.0
    interrupted: bool = False


def gap_between(objective: float, bound: float) -> float:
    """Return (objective - bound) / |objective|, at least 0; inf when either is unknown."""
    if not (math.isfinite(objective) and math.isfinite(bound)):
        return math.inf
    return max(0.0, objective - bound) / max(abs(objective), 1e-9)


def gap_without(part: float, objective: float, bound: float) -> float:
    """Return (objective - bound) / |objective - part|: the gap of what is paid besides ``part``.

    Where that is nothing but rounding (a plan that builds nothing) it is the gap of all.
    """
    other = abs(objective - part)
    if other <= _NOTHING * abs(objective):
        other = abs(objective)
    return max(0.0, objective - bound) / max(other, 1e-9)


def breach(matrix: Matrix, x: FloatArray) -> float:
    """Return the largest breach of a bound by ``x`` (n,), relative to max(1, |bound|)."""
    if not np.isfinite(x).all():
        return math.inf
    activity = matrix.A @ x
    worst = 0.0
    for value, low, high in (
        (activity, matrix.row_lower, matrix.row_upper),
        (x, matrix.lower, matrix.upper),
    ):
        with np.errstate(invalid="ignore"):
            under = np.where(np.isfinite(low), (low - value) / np.maximum(1.0, np.abs(low)), 0.0)
            over = np.where(np.isfinite(high), (value - high) / np.maximum(1.0, np.abs(high)), 0.0)
        worst = max(worst, float(under.max(initial=0.0)), float(over.max(initial=0.0)))
        # a lower bound of +inf or an upper bound of -inf cannot be met
        if np.isposinf(low).any() or np.isneginf(high).any():
            return math.inf
    return worst


def is_plan(matrix: Matrix, x: FloatArray | None, relaxed: bool = False) -> bool:
    """Return whether ``x`` (n,) keeps every bound and, unless ``relaxed``, is whole where asked."""
    if x is None or breach(matrix, x) > FEASIBLE_WITHIN:
        return False
    if relaxed or not matrix.integer.any():
        return True
    part = x[matrix.integer]
    return float(np.abs(part - np.round(part)).max()) <= INTEGER_WITHIN


@contextmanager
def keep_best_on_interrupt(stop: threading.Event) -> Iterator[None]:
    """Turn the first Ctrl-C into ``stop.set()``, so that solvers return their best point.

    A second Ctrl-C raises KeyboardInterrupt. Does nothing outside the main thread.
    """
    import signal

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGINT)

    def note(number: int, frame: FrameType | None) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()

    signal.signal(signal.SIGINT, note)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
