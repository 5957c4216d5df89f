"""How much flat load a system of known hourly load could take if it were curtailed a little.

With loads d and a threshold P the new flat load H may be cut by its owner's leave to share alpha
of its yearly energy: ``sum_t max(0, d_t + H - P) = alpha * H * hours`` (Norris et al., "Rethinking
Load Growth", Duke University, 2025). This is adequacy of an area's generation at its peak. It says
nothing of the wires: the headroom of a bus, a line or a transformer is another matter.

The left side is convex and piecewise linear in H, so the root is exact: one sort, then a closed
form on the segment where it changes sign.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from sitepick.layers.types import LoadCurve

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Margin:
    """A flat load that fits if it is curtailed. Shares are of that load, 0..1.

    What needs the order of hours is None for a load-duration curve.
    """

    curtail_pct: float  # energy not served, % of the new load's year
    mw: float  # the new flat load H, MW
    curtailed_mwh: float  # per year
    hours: float  # hours a year with any curtailment
    mean_depth: float  # mean cut over those hours
    deepest: float  # largest cut
    events: int | None  # runs of curtailed hours
    mean_event_hours: float | None
    longest_event_hours: float | None
    hardest_event_hours: float | None  # MWh cut in the worst event per MW of the load


def margin(curve: LoadCurve, curtail_pct: float, peak_mw: float | None = None) -> Margin:
    """Return the largest flat load of which ``curtail_pct`` % of the energy is curtailed.

    ``peak_mw`` is the threshold (default: the curve's maximum). In hours in which the load is
    above it the whole of the new load is off, and never more than that.

    Raises:
        ValueError: a share outside 0..100 (100 excluded), or a curve without hours.
    """
    if not 0 <= curtail_pct < 100:
        raise ValueError(f"a curtailed share of {curtail_pct:g} % is outside 0 to 100")
    if not len(curve.mw):
        raise ValueError("the curve has no hours")
    room = _room(curve, peak_mw)
    total = float(curve.hours.sum())
    order = np.argsort(room, kind="stable")
    r, h = room[order], curve.hours[order]
    passed, weighed = np.cumsum(h), np.cumsum(h * r)  # hours, and MWh of room, up to each value
    allowed = curtail_pct / 100 * total
    # curtailed less allowed MWh of a load as large as each room; convex in it and 0 at 0
    excess = (passed - allowed) * r - weighed
    last = int(np.flatnonzero(excess <= 0)[-1]) if (excess <= 0).any() else -1
    mw = weighed[last] / (passed[last] - allowed) if last >= 0 and passed[last] > allowed else 0.0
    return _described(curve, room, curtail_pct, float(mw))


def margin_at(curve: LoadCurve, mw: float, peak_mw: float | None = None) -> Margin:
    """Return how a flat load of ``mw`` would be curtailed; its share of energy follows.

    Raises ValueError for a load that is not above 0.
    """
    if not mw > 0:
        raise ValueError(f"a load of {mw:g} MW is not above 0")
    found = _described(curve, _room(curve, peak_mw), 0.0, mw)
    share = found.curtailed_mwh / (mw * float(curve.hours.sum()))
    return replace(found, curtail_pct=100 * share)


def firm_mw(curve: LoadCurve, hours: float, peak_mw: float | None = None) -> float:
    """Return the flat load that is curtailed in at most ``hours`` hours of the year, MW.

    Raises ValueError for a number of hours that the curve does not have.
    """
    if not 0 <= hours < curve.hours.sum():
        raise ValueError(f"{hours:g} hours are not within the year of {curve.hours.sum():g}")
    room = _room(curve, peak_mw)
    order = np.argsort(room, kind="stable")
    passed = np.cumsum(curve.hours[order])
    return float(room[order][int(np.searchsorted(passed, hours, side="right"))])


def _room(curve: LoadCurve, peak_mw: float | None) -> FloatArray:
    peak = curve.peak_mw if peak_mw is None else peak_mw
    return np.maximum(0.0, peak - curve.mw)


def _described(curve: LoadCurve, room: FloatArray, curtail_pct: float, mw: float) -> Margin:
    # a room equal to the load is not curtailed; rounding of the root must not make it so
    cut = np.where(room < mw * (1 - 1e-12), mw - room, 0.0)
    on = cut > 0
    hours, mwh = float(curve.hours[on].sum()), float(cut @ curve.hours)
    count = mean = longest = hardest = None
    if curve.hourly:
        edge = np.flatnonzero(np.diff(np.concatenate([[False], on, [False]]).astype(int)))
        starts, ends = edge[::2], edge[1::2]
        count = len(starts)
        lengths, energy = (ends - starts).astype(float), np.concatenate([[0.0], np.cumsum(cut)])
        mean = float(lengths.mean()) if count else 0.0
        longest = float(lengths.max(initial=0.0))
        worst = float((energy[ends] - energy[starts]).max(initial=0.0))
        hardest = worst / mw if mw else 0.0
    return Margin(
        curtail_pct=curtail_pct,
        mw=mw,
        curtailed_mwh=mwh,
        hours=hours,
        mean_depth=mwh / (hours * mw) if hours else 0.0,
        deepest=float(cut.max(initial=0.0)) / mw if mw else 0.0,
        events=count,
        mean_event_hours=mean,
        longest_event_hours=longest,
        hardest_event_hours=hardest,
    )
