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

from sitepick.matrix import BoolArray, FloatArray, IntArray, Matrix
from sitepick.solve.certificate import safe_bound
from sitepick.solve.highs import Method, solve_matrix
from sitepick.solve.outcome import Limits, Outcome
from sitepick.solve.owners import Owners, movers

_FIRST_OWNERS = 40
_SIMPLEX_BELOW = 1500  # columns; a small master is quicker by simplex
_EXACT_BELOW = 30_000  # columns; of larger masters imprecise duals are taken as they are
_LOOSE = 1.0  # relative loss by duals of large masters above which they are of no use
_ROUNDS = 60
_SOME = 300  # owners from which on rounds that look at some of them come before all are asked
MANY = 2000  # owners from which on some are looked at again whenever all were asked
_LOOK = 400
_SHARE = 12  # a rough relaxation looks at one of so many owners: it is all that chooses sites
_STILL = 1e-5  # relative: a master that falls by less has not moved
_PATIENCE = 3
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


Rounder = Callable[[Matrix, Relaxation, Limits], FloatArray | None]
"""Takes a matrix, its relaxation and what it may spend (``gap`` is what a plan may lack against the
relaxation's bound, ``work`` is for each step); returns a plan (n,) made from them, or None."""


def relax_by_pricing(
    owners: Owners,
    limits: Limits,
    *,
    present: IntArray | None = None,
    duals: FloatArray | None = None,
    opening: Settled | None = None,
    rough: bool = False,
    tolerance: float = 1e-4,
    cutoff: float = math.inf,
    rounds: int = _ROUNDS,
    stop: threading.Event | None = None,
    deadline: float = math.inf,
    tell: Callable[[float], None] | None = None,
) -> Relaxation:
    """Solve the LP relaxation of ``owners.matrix`` to ``tolerance`` (relative).

    ``present`` are owners to begin with, ``duals`` (m,) local duals to try first; ``opening`` is
    the first master, solved. ``rough``: look at some of many owners, and prove nothing. Ends early
    when the bound passes ``cutoff``, after ``rounds``, at the ``deadline`` (`time.perf_counter`) or
    on ``stop``.
    """
    matrix = owners.matrix
    m = matrix.A.shape[0]
    y_local = np.zeros(m) if duals is None else duals.copy()
    here = first_owners(owners) if present is None or not len(present) else present
    here = np.union1d(here, matrix.always)
    out = Relaxation(y_local, -math.inf, math.inf, None, here, np.zeros(owners.count))
    spent = {"master": 0.0, "pricing": 0.0}
    many = owners.count > MANY
    # duals that outlast other prices pay where there will be many rounds
    lasting = many or duals is not None
    idle = np.full(owners.count, lasting)
    # at first some owners are looked at: early prices are too poor to ask everybody
    early = owners.count > _SOME and (rough or duals is None)
    looks = max(_LOOK if many else 0, owners.count // _SHARE if rough or not many else 0)
    looked_at = _spread(np.arange(owners.count), looks) if early else None
    still, last = 0, math.inf  # rounds in which what came in changed nothing
    while out.rounds < rounds:
        out.rounds += 1
        clock = time.perf_counter()
        room = Limits(
            time_s=None if deadline == math.inf else max(0.1, deadline - clock),
            threads=limits.threads,
            seed=limits.seed,
        )
        master = opening or _solved(matrix, here, room, tolerance, stop)
        opening = None
        spent["master"] += time.perf_counter() - clock
        absent = np.setdiff1d(np.arange(owners.count), here)
        if master.values is None:
            # an infeasible master says nothing about the whole unless nobody is absent
            if not len(absent):
                out.infeasible = master.infeasible
                break
            if _over(deadline, stop):
                break
            here = np.union1d(here, _spread(absent, max(_FIRST_OWNERS, len(here))))
            continue
        clock = time.perf_counter()
        y = np.where(master.known, master.duals, y_local)
        scale = max(abs(master.objective), 1e-9)
        enough = 1e-3 * tolerance * scale
        slack = max(0.1 * tolerance * scale, 0.9 * (master.objective - cutoff))
        if looked_at is not None:
            some = np.setdiff1d(looked_at, here)
            share = slack * len(some) / owners.count
            y_local, worth = owners.price(y, np.union1d(some, here), share, idle)
            gain = np.minimum(worth[some], 0.0)
            spent["pricing"] += time.perf_counter() - clock
            still = still + 1 if last - master.objective < _STILL * scale else 0
            last = master.objective
            saving = gain.sum() * len(absent) < -_ROUGH * scale * max(1, len(some))
            if saving and still < _PATIENCE:
                kept = _needed(here, worth, enough, matrix, master.values)
                here = np.union1d(kept, _best(some, gain, len(here)))
                out.log.append(
                    f"pricing round {out.rounds}: {len(here):,} of {owners.count:,} owners, master "
                    f"{master.objective:.9g}, {int((gain < -enough).sum()):,} of {len(some):,} "
                    "owners looked at would help"
                )
                continue
            if rough:
                here = _needed(here, worth, enough, matrix, master.values)
                out.objective, out.values, out.present = master.objective, master.values, here
                out.duals = y_local
                break
            y, looked_at, still, clock = y_local, None, 0, time.perf_counter()
        # without crossover what presolve took out of a large master comes back with poor duals
        wanted = np.arange(owners.count) if master.large or many else absent
        y, worth = owners.price(y, wanted, slack, idle)
        idle = (worth > -enough) & lasting
        y_local = y.copy()
        bound = safe_bound(matrix, y)
        spent["pricing"] += time.perf_counter() - clock
        better = bound > out.bound
        if better:
            out.bound, out.duals = bound, y
        out.objective = master.objective
        out.values = master.values
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
        if many and better:
            here = _needed(here, worth, enough, matrix, master.values)
        here = np.union1d(here, _best(absent, gain, len(here)))
        out.present = here
        if many:
            looked_at = absent[gain < -enough]
            looked_at = looked_at[np.argsort(worth[looked_at], kind="stable")][:_LOOK]
    out.present = here
    out.seconds = spent
    return out


def _needed(
    here: IntArray, worth: FloatArray, enough: float, matrix: Matrix, values: FloatArray
) -> IntArray:
    """Return the owners of a master but for those that do nothing and would gain nothing.

    A small master is quick, and they may come back.
    """
    used = np.isin(here, movers(matrix, values)) | (worth[here] < -enough)
    return np.union1d(here[used], matrix.always)


@dataclass(frozen=True)
class Settled:
    """A master as solved: ``values`` (n,) of the whole, None where there are none; ``duals`` (m,),
    of which ``known`` (m,) are those of rows in the master and of all linking rows."""

    objective: float
    values: FloatArray | None
    duals: FloatArray
    known: BoolArray
    large: bool = False
    infeasible: bool = False


def _solved(
    matrix: Matrix,
    here: IntArray,
    room: Limits,
    tolerance: float,
    stop: threading.Event | None,
) -> Settled:
    """Return the relaxation over the owners ``here``."""
    m, n = matrix.A.shape
    part = matrix.take(here)
    large = len(part.columns) >= _EXACT_BELOW
    method: Method = "simplex" if len(part.columns) < _SIMPLEX_BELOW else "ipm"
    master = solve_matrix(part.matrix, room, relax=True, method=method, crossover=False, stop=stop)
    unusable = master.values is None and master.status != "infeasible"
    over = stop is not None and stop.is_set()
    if (unusable or vague(part.matrix, master, tolerance)) and not over:
        # interior point may end without a usable point, or with duals that prove far less
        method = "ipm" if large else "simplex"
        master = solve_matrix(part.matrix, room, relax=True, method=method, stop=stop)
    y, known = np.zeros(m), matrix.row_owner < 0
    if master.certificate is None or master.values is None:
        return Settled(math.inf, None, y, known, infeasible=master.status == "infeasible")
    assert not isinstance(master.certificate, tuple)
    y[part.rows] = master.certificate
    known[part.rows] = True
    return Settled(master.objective, part.lift(master.values, n), y, known, large)


def vague(matrix: Matrix, master: Outcome, tolerance: float) -> bool:
    """Return whether the duals of a solved master prove less than they should.

    Without crossover, what presolve took out of the problem may come back with wrong duals, which
    is put right by pricing where the master is large. Prices that a problem leaves open upwards
    (of work that nobody in reach can do) may come back as anything.
    """
    y = master.certificate
    if not isinstance(y, np.ndarray):
        return False
    accepted = _LOOSE if matrix.A.shape[1] >= _EXACT_BELOW else 0.5 * tolerance
    return master.objective - safe_bound(matrix, y) > accepted * abs(master.objective)


def tolerance_for(gap: float, owners: int) -> float:
    """Return what a relaxation may lack, relative, where a plan within ``gap`` is asked."""
    return 0.2 * gap if owners > MANY else min(1e-4, max(1e-7, gap / 20))


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


def best_owners(relaxed: Relaxation, chosen: IntArray, most: int) -> IntArray:
    """Return the first ``most`` of ``chosen``; where they are fewer, with others that were near."""
    rest = np.setdiff1d(np.arange(len(relaxed.near)), chosen)
    # those that looked attractive last, then those that the master tried
    tried = np.isin(rest, relaxed.present)
    rest = rest[np.lexsort((rest, ~tried, relaxed.near[rest]))]
    return np.union1d(chosen[:most], rest[: max(0, most - len(chosen))])


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
