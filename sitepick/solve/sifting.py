"""The linear relaxation of a large matrix by pricing: few owners in a master, all in the bound.

Each round solves the LP over the owners in the master (interior point without crossover: central
duals oscillate less than those of a vertex), finds the best local duals of all other owners, and
thereby a `safe_bound` of the whole. The loop ends when that bound meets the master's value: at
reduced costs nothing is taken on trust. Otherwise the owners with the most to gain come in.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from sitepick.matrix import FloatArray, IntArray, Matrix
from sitepick.solve.certificate import safe_bound
from sitepick.solve.highs import Method, solve_matrix
from sitepick.solve.outcome import Limits, Outcome
from sitepick.solve.owners import Owners

_FIRST_OWNERS = 40
_SIMPLEX_BELOW = 1500  # columns; a small master is quicker by simplex
_EXACT_BELOW = 30_000  # columns; of larger masters imprecise duals are taken as they are
_ROUNDS = 60
_MANY = 2000  # owners from which on rounds that look at some of them come before all are asked
_LOOK = 400
_ROUGH = 1e-3  # what all others are expected to be able to save, relative, when all are asked


@dataclass
class Relaxation:
    """The LP relaxation as far as it was solved. ``values`` (n,) may lack precision; None when
    the master was never feasible. ``near`` (owners,) is how attractive an owner last looked (<= 0).
    """

    duals: FloatArray
    bound: float
    objective: float
    values: FloatArray | None
    present: IntArray
    near: FloatArray
    infeasible: bool = False
    rounds: int = 0
    seconds: dict[str, float] = field(default_factory=dict)
    log: list[str] = field(default_factory=list)


def relax_by_pricing(
    owners: Owners,
    limits: Limits,
    *,
    present: IntArray | None = None,
    duals: FloatArray | None = None,
    tolerance: float = 1e-4,
    cutoff: float = math.inf,
    stop: threading.Event | None = None,
    deadline: float = math.inf,
    tell: Callable[[float], None] | None = None,
) -> Relaxation:
    """Solve the LP relaxation of ``owners.matrix`` to ``tolerance`` (relative).

    ``present`` are owners to begin with, ``duals`` (m,) local duals to try first. Ends early when
    the bound passes ``cutoff``, at the ``deadline`` (`time.perf_counter`) or on ``stop``.
    """
    matrix = owners.matrix
    m, n = matrix.A.shape
    y_local = np.zeros(m) if duals is None else duals.copy()
    here = first_owners(owners) if present is None or not len(present) else present
    here = np.union1d(here, matrix.always)
    out = Relaxation(y_local, -math.inf, math.inf, None, here, np.zeros(owners.count))
    spent = {"master": 0.0, "pricing": 0.0}
    many = owners.count > _MANY
    idle = np.full(owners.count, duals is not None or many)
    # at first a few of many owners are looked at: early prices are too poor to ask everybody
    looked_at = _spread(np.arange(owners.count), _LOOK) if many and duals is None else None
    while out.rounds < _ROUNDS:
        out.rounds += 1
        clock = time.perf_counter()
        part = matrix.take(here)
        method: Method = "simplex" if len(part.columns) < _SIMPLEX_BELOW else "ipm"
        room = Limits(
            time_s=None if deadline == math.inf else max(0.1, deadline - clock),
            threads=limits.threads,
            seed=limits.seed,
        )
        master = solve_matrix(
            part.matrix, room, relax=True, method=method, crossover=False, stop=stop
        )
        unusable = master.values is None and master.status != "infeasible"
        if (unusable or vague(part.matrix, master, tolerance)) and not _over(deadline, stop):
            # interior point may end without a usable point, or with duals that prove far less
            master = solve_matrix(part.matrix, room, relax=True, method="simplex", stop=stop)
        spent["master"] += time.perf_counter() - clock
        absent = np.setdiff1d(np.arange(owners.count), here)
        if master.certificate is None or master.values is None:
            # an infeasible master says nothing about the whole unless nobody is absent
            if not len(absent):
                out.infeasible = master.status == "infeasible"
                break
            if _over(deadline, stop):
                break
            here = np.union1d(here, _spread(absent, max(_FIRST_OWNERS, len(here))))
            continue
        clock = time.perf_counter()
        assert not isinstance(master.certificate, tuple)
        y = y_local.copy()
        y[owners.linking] = 0.0
        y[part.rows] = master.certificate
        scale = max(abs(master.objective), 1e-9)
        enough = 1e-3 * tolerance * scale
        slack = max(0.1 * tolerance * scale, 0.9 * (master.objective - cutoff))
        if looked_at is not None:
            some = np.setdiff1d(looked_at, here)
            _, worth = owners.price(y.copy(), some, slack * len(some) / owners.count, idle)
            gain = np.minimum(worth[some], 0.0)
            spent["pricing"] += time.perf_counter() - clock
            if gain.sum() * len(absent) < -_ROUGH * scale * max(1, len(some)):
                here = np.union1d(here, _best(some, gain, len(here)))
                out.log.append(
                    f"pricing round {out.rounds}: {len(here):,} of {owners.count:,} owners, master "
                    f"{master.objective:.9g}, {int((gain < -enough).sum()):,} of {len(some):,} "
                    "owners looked at would help"
                )
                continue
            looked_at, clock = None, time.perf_counter()
        y, worth = owners.price(y, absent, slack, idle)
        idle = worth > -enough
        y_local = y.copy()
        bound = safe_bound(matrix, y)
        spent["pricing"] += time.perf_counter() - clock
        if bound > out.bound:
            out.bound, out.duals = bound, y
        out.objective = master.objective
        out.values = part.lift(master.values, n)
        gain = np.minimum(worth[absent], 0.0)
        out.near *= 0.5
        out.near[absent] = np.minimum(out.near[absent], gain)
        missing = (master.objective - out.bound) / scale
        out.log.append(
            f"pricing round {out.rounds}: {len(here):,} of {owners.count:,} owners, "
            f"master {master.objective:.9g}, bound {out.bound:.9g}, "
            f"{int((gain < -enough).sum()):,} owners would help"
        )
        if tell is not None:
            tell(out.bound)
        if missing <= tolerance or out.bound >= cutoff or _over(deadline, stop):
            break
        if not (gain < 0).any():
            break
        here = np.union1d(here, _best(absent, gain, len(here)))
        out.present = here
        if many:
            looked_at = absent[gain < -enough]
            looked_at = looked_at[np.argsort(worth[looked_at], kind="stable")][:_LOOK]
    out.present = here
    out.seconds = spent
    return out


def vague(matrix: Matrix, master: Outcome, tolerance: float) -> bool:
    """Return whether the duals of a solved master of moderate size prove less than they should.

    Without crossover, what presolve took out of the problem may come back with wrong duals.
    """
    y = master.certificate
    if not isinstance(y, np.ndarray) or matrix.A.shape[1] >= _EXACT_BELOW:
        return False
    return master.objective - safe_bound(matrix, y) > 0.5 * tolerance * abs(master.objective)


def enough_owners(
    matrix: Matrix,
    chosen: IntArray,
    value: float,
    limits: Limits,
    over: Callable[[], bool],
) -> int:
    """Return how many of ``chosen``, in order, keep the relaxation's minimum at most ``value``.

    A relaxation spreads thinly over like owners; a plan does not need them all, and branch and
    bound is far quicker without.
    """
    low, high = 0, len(chosen)
    while high - low > 1 and not over():
        count = (low + high) // 2
        part = matrix.take(chosen[:count]).matrix
        out = solve_matrix(part, replace(limits, work=None), relax=True, stage="thinning")
        low, high = (low, count) if out.objective <= value else (count, high)
    return high


def _over(deadline: float, stop: threading.Event | None) -> bool:
    return time.perf_counter() >= deadline or (stop is not None and stop.is_set())


def first_owners(owners: Owners) -> IntArray:
    """Return a spread of owners to begin a master with."""
    return _spread(np.arange(owners.count), _FIRST_OWNERS)


def _spread(which: IntArray, count: int) -> IntArray:
    """Return about ``count`` of ``which``, evenly over their order."""
    if len(which) <= count:
        return which
    return which[np.unique(np.linspace(0, len(which) - 1, count).astype(int))]


def _best(absent: IntArray, gain: FloatArray, present: int) -> IntArray:
    """Return the owners with the most to gain: at most as many as are present already."""
    order = np.argsort(gain, kind="stable")
    order = order[gain[order] < 0]
    return absent[order[: max(_FIRST_OWNERS // 2, present // 2)]]
