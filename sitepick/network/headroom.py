"""Withdrawal headroom: how much load one point of interconnection could add, taken alone.

Screening method of the heat maps that grid operators publish: DC power flow on one dispatch, a
fixed sink, normal ratings with everything in service and emergency ratings after each single line
outage. Headroom of POI b is the smallest of ``(limit_l - flow_l|c) / dfax_l|c,b`` over monitored
branches l and outages c, where ``dfax_l|c,b = dfax_l,b + lodf_l,c * dfax_c,b`` is the MW that one
MW of load at b adds to l while c is out; pairs below a shift-factor cutoff are not monitored.
Headrooms of several POIs do not add up. Voltage, short circuit and stability are not modelled.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from sitepick.errors import LayerError
from sitepick.network.grid import DcFlow, FloatArray, Grid, IntArray

BASE_CASE = "base"
NO_LIMIT = "none"
NO_GENERATION = "no generation"
_OUTAGE_CHUNK = 1024
_PAIR_CHUNK = 512
_DECIMALS = 6  # of MW, in comparing pairs


@dataclass(frozen=True)
class Headroom:
    """Withdrawal headroom of K points, each alone."""

    ids: tuple[str, ...]  # (K,) POI or bus
    headroom_mw: FloatArray  # (K,) grid MW, >= 0, at most ``cap_mw``
    limit_id: tuple[str, ...]  # (K,) branch that binds; NO_LIMIT if only the cap does
    outage_id: tuple[str, ...]  # (K,) lost branch, or BASE_CASE
    radial_ids: tuple[str, ...]  # branches not taken out because that would cut the grid in two
    overloaded: tuple[tuple[str, str], ...]  # (branch, outage) above its limit before any new load


@dataclass(frozen=True)
class _Case:
    """What the search reads: flows and factors with everything in service."""

    flow_mw: FloatArray  # (M,)
    rating_mw: FloatArray  # (M,)
    dfax: FloatArray  # (M, K) MW per MW of load at each point
    reach: FloatArray  # (M,) largest |dfax| of the branch
    emergency_factor: float
    cutoff: float


@dataclass(frozen=True)
class _Pairs:
    """Monitored branch and outage pairs that may bind."""

    branch: IntArray  # (Q,)
    outage: IntArray  # (Q,)
    lodf: FloatArray  # (Q,)

    def take(self, order: IntArray) -> _Pairs:
        return _Pairs(self.branch[order], self.outage[order], self.lodf[order])


class _Tightest:
    """The least headroom found so far at each of K points, and the pair that leaves it.

    Parallel circuits give pairs that differ by rounding alone. Of pairs equal to `_DECIMALS` the
    one of lowest branch, then outage, is kept, so that every machine names the same one.
    """

    def __init__(self, size: int, n_branch: int, cap_mw: float) -> None:
        self.mw = np.full(size, cap_mw)
        self._width = n_branch + 1
        self._pair = np.full(size, -1, dtype=np.int64)  # branch * width + outage + 1, -1 = none

    def offer(self, points: IntArray, mw: FloatArray, branch: IntArray, outage: IntArray) -> None:
        """Take what is less than known; all arrays (Q,), ``outage`` -1 for the base case."""
        mw = np.round(mw, _DECIMALS)
        pair = branch * self._width + outage + 1
        known = self.mw[points]
        less = (mw < known) | ((mw == known) & (pair < self._pair[points]))
        taken = np.flatnonzero(less)
        taken = taken[np.lexsort((-pair[taken], -mw[taken]))]  # the least is written last
        self.mw[points[taken]] = mw[taken]
        self._pair[points[taken]] = pair[taken]

    def limit_and_outage(self) -> tuple[IntArray, IntArray]:
        """(K,) branch that binds, -1 if none, and (K,) lost branch, -1 if none."""
        bound = self._pair >= 0
        return (
            np.where(bound, self._pair // self._width, -1),
            np.where(bound, self._pair % self._width - 1, -1),
        )


def withdrawal_headroom(
    grid: Grid,
    pois: Sequence[str] | None = None,
    *,
    emergency_factor: float = 1.15,
    cutoff: float = 0.05,
    outage_min_kv: float = 100.0,
    outages: IntArray | None = None,
    cap_mw: float = np.inf,
) -> Headroom:
    """Headroom of each POI (all if ``pois`` is None) at its bus of highest kV.

    ``emergency_factor`` times the normal rating holds after an outage; a pair counts where one MW
    of load puts at least ``cutoff`` MW on the branch; lines of ``outage_min_kv`` and more are taken
    out one at a time unless ``outages`` (branch indices) names others. ``cap_mw`` is returned
    where nothing binds below it. A pair over its limit before any new load leaves 0.
    Raises `LayerError` for an unknown POI.
    """
    wanted = grid.poi_ids if pois is None else tuple(pois)
    unknown = [poi for poi in wanted if poi not in grid.poi_index]
    if unknown:
        raise LayerError(
            [f"grid: POI {poi!r} has no bus; use a poi_id of buses" for poi in unknown]
        )
    buses = grid.poi_bus[np.array([grid.poi_index[poi] for poi in wanted], dtype=np.int64)]
    return bus_headroom(
        grid,
        buses,
        wanted,
        emergency_factor=emergency_factor,
        cutoff=cutoff,
        outages=default_outages(grid, outage_min_kv) if outages is None else outages,
        cap_mw=cap_mw,
    )


def default_outages(grid: Grid, min_kv: float) -> IntArray:
    """Indices of the lines (not transformers) whose two ends are at ``min_kv`` or more."""
    return np.flatnonzero(grid.is_line & (grid.bus_kv_of_branch >= min_kv))


def bus_headroom(
    grid: Grid,
    buses: IntArray,
    ids: Sequence[str],
    *,
    emergency_factor: float,
    cutoff: float,
    outages: IntArray,
    cap_mw: float,
) -> Headroom:
    """As `withdrawal_headroom`, for bus indices (K,) named by ``ids``."""
    dc = DcFlow(grid)
    dfax = dc.withdrawal_factors(buses)
    case = _Case(
        flow_mw=dc.flows(dc.balanced_injection()),
        rating_mw=grid.rating_mw,
        dfax=dfax,
        reach=np.abs(dfax).max(axis=1, initial=0.0),
        emergency_factor=emergency_factor,
        cutoff=cutoff,
    )
    tightest = _Tightest(buses.size, grid.n_branch, cap_mw)
    monitored = np.flatnonzero(np.isfinite(case.rating_mw))
    nothing = np.zeros(monitored.size)
    _tighten(case, _Pairs(monitored, np.full(monitored.size, -1), nothing), tightest)
    # (M,) MW: most that a load within its base-case headroom moves the flow of each branch.
    moved = np.multiply(np.abs(dfax), tightest.mw, out=np.zeros_like(dfax), where=dfax != 0)
    swing = moved.max(axis=1, initial=0.0)
    overloaded = [
        (grid.branch_ids[line], BASE_CASE)
        for line in monitored
        if abs(case.flow_mw[line]) > case.rating_mw[line]
    ]

    radial: list[str] = []
    found: list[_Pairs] = []
    for start in range(0, outages.size, _OUTAGE_CHUNK):
        lost = outages[start : start + _OUTAGE_CHUNK]
        lodf, islanding = dc.lodf(lost)
        radial += [grid.branch_ids[line] for line in lost[islanding]]
        lost, lodf = lost[~islanding], lodf[:, ~islanding]
        _tighten_lifted(case, monitored, lost, lodf, tightest)
        found.append(_may_bind(case, monitored, lost, lodf, swing))
        after = np.abs(case.flow_mw[:, None] + lodf * case.flow_mw[lost])
        over = after > emergency_factor * case.rating_mw[:, None] + 1e-6
        overloaded += [
            (grid.branch_ids[line], grid.branch_ids[lost[k]])
            for line, k in zip(*np.nonzero(over), strict=True)
        ]
    if found:
        pairs = _Pairs(
            np.concatenate([part.branch for part in found]),
            np.concatenate([part.outage for part in found]),
            np.concatenate([part.lodf for part in found]),
        )
        pairs = pairs.take(np.lexsort((pairs.outage, pairs.branch)))
        for chunk in _most_binding_first(case, pairs, tightest):
            _tighten(case, chunk, tightest)

    dead = dc.sink_total()[dc.island[buses]] == 0
    best = np.where(dead, 0.0, tightest.mw)
    limit, outage = tightest.limit_and_outage()
    names = np.array([*grid.branch_ids, NO_LIMIT], dtype=object)
    limit_id = np.where(dead, NO_GENERATION, names[limit])
    outage_id = np.where(outage >= 0, names[outage], BASE_CASE)
    return Headroom(
        ids=tuple(ids),
        headroom_mw=best,
        limit_id=tuple(limit_id),
        outage_id=tuple(np.where(dead, BASE_CASE, outage_id)),
        radial_ids=tuple(radial),
        overloaded=tuple(overloaded),
    )


def _may_bind(
    case: _Case, monitored: IntArray, lost: IntArray, lodf: FloatArray, swing_mw: FloatArray
) -> _Pairs:
    """The pairs that can bind below the base case for points that the base case monitors.

    With at most the base-case headroom added, a branch carries at most ``max(rating, |flow|)``
    before the outage, and the outage adds at most ``|lodf| (|flow_c| + swing_c)``: pairs for which
    that stays within the emergency rating change nothing. The points that the base case does not
    monitor on a branch are the business of `_tighten_lifted`.
    """
    rating = case.rating_mw[monitored, None]
    added = np.abs(lodf[monitored]) * (np.abs(case.flow_mw[lost]) + swing_mw[lost])
    before = np.maximum(rating, np.abs(case.flow_mw[monitored, None]))
    keep = before + added > case.emergency_factor * rating
    keep &= monitored[:, None] != lost[None, :]
    rows, columns = np.nonzero(keep)
    return _Pairs(monitored[rows], lost[columns], lodf[monitored[rows], columns])


def _flow_and_limit(case: _Case, pairs: _Pairs) -> tuple[FloatArray, FloatArray]:
    """(Q,) MW on the branch and MW allowed, with the pair's line out."""
    in_base = pairs.outage < 0
    flow = case.flow_mw[pairs.branch] + pairs.lodf * case.flow_mw[pairs.outage]
    factor = np.where(in_base, 1.0, case.emergency_factor)
    return flow, factor * case.rating_mw[pairs.branch]


def _most_binding_first(case: _Case, pairs: _Pairs, tightest: _Tightest) -> Iterator[_Pairs]:
    """Chunks of pairs by a lower bound of the headroom they leave; ends when none can bind."""
    flow, limit = _flow_and_limit(case, pairs)
    steepest = case.reach[pairs.branch] + np.abs(pairs.lodf) * case.reach[pairs.outage]
    at_least = np.full(flow.shape, np.inf)
    np.divide(np.maximum(limit - np.abs(flow), 0.0), steepest, out=at_least, where=steepest > 0)
    order = np.argsort(at_least, kind="stable")
    for start in range(0, order.size, _PAIR_CHUNK):
        chunk = order[start : start + _PAIR_CHUNK]
        if at_least[chunk[0]] > tightest.mw.max(initial=0.0) + 10.0**-_DECIMALS:
            return
        yield pairs.take(np.sort(chunk))


def _tighten_lifted(
    case: _Case,
    monitored: IntArray,
    lost: IntArray,
    lodf: FloatArray,
    tightest: _Tightest,
) -> None:
    """`_tighten` for points whose factor only an outage may lift from below the cutoff."""
    reach = case.reach[lost]
    for line in monitored:
        lift = np.abs(lodf[line]) * reach
        lift[lost == line] = 0.0
        own = np.abs(case.dfax[line])
        order = np.argsort(own)
        end = np.searchsorted(own[order], case.cutoff)
        counts = end - np.searchsorted(own[order], case.cutoff - lift)
        total = int(counts.sum())
        if not total:
            continue
        # One entry per (outage, point) with own + lift at or above the cutoff.
        column = np.repeat(np.arange(lost.size), counts)
        first = np.repeat(np.cumsum(counts) - counts, counts)
        point = order[end - 1 - (np.arange(total) - first)]
        dfax = case.dfax[line, point] + lodf[line, column] * case.dfax[lost[column], point]
        seen = np.abs(dfax) >= case.cutoff
        column, point, dfax = column[seen], point[seen], dfax[seen]
        flow = case.flow_mw[line] + lodf[line, column] * case.flow_mw[lost[column]]
        allowed = case.emergency_factor * case.rating_mw[line]
        left = np.maximum(allowed - np.sign(dfax) * flow, 0.0) / np.abs(dfax)
        tightest.offer(point, left, np.full(point.size, line), lost[column])


def _tighten(case: _Case, pairs: _Pairs, tightest: _Tightest) -> None:
    """Offer every pair, sorted by branch and outage, to every point."""
    points = np.arange(tightest.mw.size)
    if not pairs.branch.size or not points.size:
        return
    flow, allowed = _flow_and_limit(case, pairs)
    dfax = case.dfax[pairs.branch] + pairs.lodf[:, None] * case.dfax[pairs.outage]
    size = np.abs(dfax)
    room = np.where(dfax > 0, (allowed - flow)[:, None], (allowed + flow)[:, None])
    left = np.full(dfax.shape, np.inf)
    np.divide(np.maximum(room, 0.0), size, out=left, where=size >= case.cutoff)
    row = np.round(left, _DECIMALS).argmin(axis=0)  # the first of equal ones
    tightest.offer(points, left[row, points], pairs.branch[row], pairs.outage[row])
