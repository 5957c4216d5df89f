"""The search behind `sitepick.network.headroom`: what binds first, in blocks of points.

No array has both all branches and all points. Factors of a few points (or outages) are solved at a
time, from one sparse factorisation, and only what binds or may bind is kept. The blocks do not
depend on each other, so that any process can take any of them:

1. `Screening.base_case`: headroom with everything in service, and how far loads within it can move
   each branch;
2. `Screening.outages`: the pairs of monitored branch and outage that can bind below that;
3. `Screening.after_outages`: headroom with those pairs.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from sitepick.network.grid import ISLANDING_TOLERANCE, DcFlow, FloatArray, Grid, IntArray

_COLUMNS = 8  # solved at a time
_POINTS = 64  # of one block against the pairs
_PAIRS = 1024  # offered to a block at a time
_DECIMALS = 6  # of MW, in comparing pairs
OVER_MW = 1e-4  # above a limit by less is full, not overloaded: a dispatch is no more exact
_HUGE_MW = 1e12  # stands for "nothing binds" where infinity would give 0 * inf


@dataclass(frozen=True)
class Case:
    """What is screened: K points on a grid with a base flow and a sink."""

    grid: Grid
    flow_mw: FloatArray  # (M,) before any new load
    sink: FloatArray  # (N,) share in serving new load; sums to 1, or to 0, per island
    buses: IntArray  # (K,) bus of each point
    dead: IntArray  # points whose island has no sink
    emergency_factor: float
    cutoff: float
    cap_mw: float


@dataclass(frozen=True)
class Pairs:
    """Monitored branch and outage pairs that may bind."""

    branch: IntArray  # (Q,)
    outage: IntArray  # (Q,)
    lodf: FloatArray  # (Q,)

    def take(self, order: IntArray) -> Pairs:
        return Pairs(self.branch[order], self.outage[order], self.lodf[order])

    @classmethod
    def joined(cls, parts: list[Pairs]) -> Pairs:
        """All pairs, by branch and then outage."""
        pairs = cls(
            np.concatenate([part.branch for part in parts]),
            np.concatenate([part.outage for part in parts]),
            np.concatenate([part.lodf for part in parts]),
        )
        return pairs.take(np.lexsort((pairs.outage, pairs.branch)))


@dataclass(frozen=True)
class Movement:
    """How loads within their base-case headroom move branches; each array is (M,).

    ``gap`` tells when a point that the base case does not monitor on a branch matters after an
    outage: only if the outage lifts its factor by this much or more.
    """

    swing_mw: FloatArray  # most that one load moves the flow
    reach: FloatArray  # largest factor of a point
    gap: FloatArray

    @classmethod
    def none(cls, n_branch: int) -> Movement:
        return cls(np.zeros(n_branch), np.zeros(n_branch), np.full(n_branch, np.inf))

    def join(self, other: Movement) -> None:
        """Take in what other points do."""
        np.maximum(self.swing_mw, other.swing_mw, out=self.swing_mw)
        np.maximum(self.reach, other.reach, out=self.reach)
        np.minimum(self.gap, other.gap, out=self.gap)


@dataclass(frozen=True)
class Found:
    """The least headroom known of some points, and the pair that leaves it (-1: none)."""

    points: IntArray
    mw: FloatArray
    branch: IntArray
    outage: IntArray


@dataclass(frozen=True)
class Lost:
    """What a block of outages does."""

    pairs: Pairs
    radial: IntArray  # outages that would cut the grid in two
    over_branch: IntArray  # above the emergency limit before any new load, though not in the base
    over_outage: IntArray


class Tightest:
    """The least headroom found so far at each of K points, from base-case headroom ``known``.

    Parallel circuits give pairs that differ by rounding alone. Of pairs equal to `_DECIMALS` the
    base case goes first, then the lowest branch, then the lowest outage, so that every machine
    names the same one.
    """

    def __init__(self, known: Found, n_branch: int) -> None:
        self.mw = known.mw.copy()
        self._width = n_branch
        # The number of a pair is its place in that order: branch, or (branch + 1) * M + outage.
        self._pair = known.branch.copy()  # -1 = none

    def offer(self, points: IntArray, mw: FloatArray, branch: IntArray, outage: IntArray) -> None:
        """Take what is less than known at ``points``, each named once; all arrays are as long."""
        mw = np.round(mw, _DECIMALS)
        pair = (branch + 1) * self._width + outage
        known = self.mw[points]
        less = (mw < known) | ((mw == known) & (pair < self._pair[points]))
        self.mw[points[less]] = mw[less]
        self._pair[points[less]] = pair[less]

    def found(self, points: IntArray) -> Found:
        """What is known now, for ``points`` (K,)."""
        lost = self._pair >= self._width
        branch = np.where(lost, self._pair // self._width - 1, self._pair)
        return Found(points, self.mw, branch, np.where(lost, self._pair % self._width, -1))


class Screening:
    """One case with its grid factorised: what a process needs for its share of the work."""

    def __init__(self, case: Case, pairs: Pairs | None = None) -> None:
        self._case = case
        self._dc = DcFlow(case.grid)
        rating = case.grid.rating_mw
        self._monitored = np.isfinite(rating)
        self._dead = np.zeros(case.buses.size, dtype=bool)
        self._dead[case.dead] = True
        if pairs is not None:
            self._pairs = pairs
            self._after_mw = case.flow_mw[pairs.branch] + pairs.lodf * case.flow_mw[pairs.outage]
            self._allowed_mw = case.emergency_factor * rating[pairs.branch]
            self._room_mw = np.maximum(self._allowed_mw - np.abs(self._after_mw), 0.0)

    def _transfers(self, injection_mw: FloatArray) -> Iterator[FloatArray]:
        """Branch flows (M,) of each column of (N, K), one after the other."""
        start, end = self._case.grid.from_bus, self._case.grid.to_bus
        for theta in np.ascontiguousarray(self._dc.angles(injection_mw).T):
            flow = theta[start]
            flow -= theta[end]
            flow *= self._dc.susceptance_mw
            yield flow

    def _factors(self, points: IntArray) -> Iterator[FloatArray]:
        """(M,) MW on each branch per MW of load at each of ``points``."""
        island = self._dc.island
        for first in range(0, points.size, _COLUMNS):
            buses = self._case.buses[points[first : first + _COLUMNS]]
            served = island[:, None] == island[buses][None, :]
            injection = np.where(served, self._case.sink[:, None], 0.0)
            injection[buses, np.arange(buses.size)] -= 1.0
            yield from self._transfers(injection)

    def base_case(self, points: IntArray, outages_follow: bool) -> tuple[Found, Movement | None]:
        """Headroom of ``points`` with everything in service; movement if it will be needed."""
        case, rating = self._case, self._case.grid.rating_mw
        cutoff = case.cutoff
        mw = np.full(points.size, case.cap_mw)
        branch = np.full(points.size, -1, dtype=np.int64)
        movement = Movement.none(rating.size) if outages_follow else None
        spare = rating - np.abs(case.flow_mw)
        for k, factor in enumerate(self._factors(points)):
            if self._dead[points[k]]:
                mw[k] = 0.0
                continue
            size = np.abs(factor)
            seen = np.flatnonzero((size >= cutoff) & self._monitored)
            room = rating[seen] - np.sign(factor[seen]) * case.flow_mw[seen]
            left = np.round(np.maximum(room, 0.0) / size[seen], _DECIMALS)
            if left.size:
                least = int(left.argmin())  # the first of equal ones
                if left[least] < mw[k]:
                    mw[k], branch[k] = left[least], seen[least]
            if movement is None or mw[k] <= 0:
                continue
            moved = size * min(mw[k], _HUGE_MW)
            np.maximum(movement.swing_mw, moved, out=movement.swing_mw)
            np.maximum(movement.reach, size, out=movement.reach)
            # Unmonitored, and able to bring the branch to its normal rating all by itself.
            heavy = np.flatnonzero((moved > spare) & (size < cutoff))
            movement.gap[heavy] = np.minimum(movement.gap[heavy], cutoff - size[heavy])
        return Found(points, mw, branch, np.full(points.size, -1, dtype=np.int64)), movement

    def outages(self, lost: IntArray, movement: Movement) -> Lost:
        """The pairs of the outages ``lost`` that can leave less than the base case.

        A load within its base-case headroom burdens a monitored branch up to
        ``max(rating, |flow|)``, and the outage adds at most ``|lodf| (|flow_c| + swing_c)``: pairs
        for which that stays within the emergency rating change nothing. Points that the base case
        does not monitor on the branch matter where `Movement.gap` says so; so do, on a branch over
        its rating, points that an outage turns from relief into burden, by twice the cutoff.
        """
        case, grid = self._case, self._case.grid
        limit = case.emergency_factor * grid.rating_mw
        flow = np.abs(case.flow_mw)
        hot = (flow > grid.rating_mw) & self._monitored
        in_base = np.where(flow > limit, grid.rating_mw, np.maximum(grid.rating_mw, flow))
        slack = np.full(flow.size, np.inf)
        np.subtract(limit, in_base, out=slack, where=self._monitored)
        gap = np.where(hot, np.minimum(movement.gap, 2 * case.cutoff), movement.gap) - 1e-9
        gap[~self._monitored] = np.inf
        # A pair that nothing reaches with the cutoff is not seen at all.
        unreached = case.cutoff - movement.reach - 1e-9
        found: list[Pairs] = []
        radial: list[int] = []
        over: list[tuple[IntArray, int]] = []
        for first in range(0, lost.size, _COLUMNS):
            block = lost[first : first + _COLUMNS]
            injection = np.zeros((grid.n_bus, block.size))
            injection[grid.from_bus[block], np.arange(block.size)] += 1.0
            injection[grid.to_bus[block], np.arange(block.size)] -= 1.0
            for line, factor in zip(block, self._transfers(injection), strict=True):
                remaining = 1.0 - factor[line]
                if abs(remaining) < ISLANDING_TOLERANCE:
                    radial.append(int(line))
                    continue
                factor /= remaining
                factor[line] = 0.0
                size = np.abs(factor)
                adds = size * (flow[line] + movement.swing_mw[line])
                lift = size * movement.reach[line]
                near = np.flatnonzero((adds > slack) | (lift >= gap))
                after = np.abs(case.flow_mw[near] + factor[near] * case.flow_mw[line])
                above = near[(after > limit[near] + OVER_MW) & (flow[near] <= limit[near])]
                if above.size:
                    over.append((above, int(line)))
                most = after + movement.swing_mw[near] + size[near] * movement.swing_mw[line]
                near = near[(most > limit[near]) & (lift[near] >= unreached[near])]
                found.append(Pairs(near, np.full(near.size, line), factor[near]))
        nobody = np.zeros(0, dtype=np.int64)
        return Lost(
            pairs=Pairs.joined([Pairs(nobody, nobody, np.zeros(0)), *found]),
            radial=np.array(radial, dtype=np.int64),
            over_branch=np.concatenate([nobody, *(branches for branches, _ in over)]),
            over_outage=np.repeat(
                np.array([line for _, line in over], dtype=np.int64),
                [branches.size for branches, _ in over],
            ),
        )

    def after_outages(self, known: Found) -> Found:
        """``known`` base-case headroom, lowered by the pairs."""
        parts = []
        for first in range(0, known.points.size, _POINTS):
            block = slice(first, first + _POINTS)
            points = known.points[block]
            part = Found(points, known.mw[block], known.branch[block], known.outage[block])
            tightest = Tightest(part, self._case.grid.n_branch)
            self._tighten(np.array(list(self._factors(points))), tightest)
            parts.append(tightest.found(points))
        return Found(
            known.points,
            np.concatenate([part.mw for part in parts]),
            np.concatenate([part.branch for part in parts]),
            np.concatenate([part.outage for part in parts]),
        )

    def _tighten(self, factors: FloatArray, tightest: Tightest) -> None:
        """Offer the pairs to points of ``factors`` (K, M), by a lower bound of what they leave.

        A point is done when no other pair can leave it less.
        """
        reach = np.abs(factors).max(axis=0)
        steepest = reach[self._pairs.branch] + np.abs(self._pairs.lodf) * reach[self._pairs.outage]
        at_least = np.full(steepest.size, np.inf)
        seen = steepest >= self._case.cutoff
        np.divide(self._room_mw, steepest, out=at_least, where=seen)
        here = np.flatnonzero(seen & (at_least <= tightest.mw.max() + 10.0**-_DECIMALS))
        here = here[np.argsort(at_least[here], kind="stable")]
        for start in range(0, here.size, _PAIRS):
            points = np.flatnonzero(tightest.mw + 10.0**-_DECIMALS >= at_least[here[start]])
            if not points.size:
                return
            self._offer(factors, points, np.sort(here[start : start + _PAIRS]), tightest)

    def _offer(
        self, factors: FloatArray, points: IntArray, chosen: IntArray, tightest: Tightest
    ) -> None:
        pairs = self._pairs.take(chosen)
        mine = factors if points.size == len(factors) else factors[points]
        factor = mine[:, pairs.branch] + pairs.lodf * mine[:, pairs.outage]
        size = np.abs(factor)
        after, allowed = self._after_mw[chosen], self._allowed_mw[chosen]
        room = np.where(factor > 0, allowed - after, allowed + after)
        left = np.full(factor.shape, np.inf)
        np.divide(np.maximum(room, 0.0), size, out=left, where=size >= self._case.cutoff)
        least = np.round(left, _DECIMALS).argmin(axis=1)  # the first of equal ones
        mw = left[np.arange(points.size), least]
        tightest.offer(points, mw, pairs.branch[least], pairs.outage[least])
