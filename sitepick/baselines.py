"""The weighted-score greedy: today's practice, as a start for the solver and a row to compare with.

Every candidate gets a score from 0 to 1 for five figures with equal weights (dated grid MW, tie
length, distance to fiber, energy price, land price); sites are then filled from the best score down
until the demand of each period is met. Nothing is shared, traded off or looked ahead.
"""

from __future__ import annotations

import numpy as np

from sitepick.blocks.columns import halls_at, open_at, tie_at
from sitepick.blocks.group_units import units
from sitepick.instance.types import Instance
from sitepick.matrix import FloatArray, IntArray
from sitepick.program import Program


def scores(inst: Instance) -> FloatArray:
    """Return (S,) the mean of the 0-1 scaled figures, higher is better."""
    s = len(inst.sites.ids)
    figures = [-inst.sites.fiber_musd, -inst.sites.land_musd - inst.sites.land_musd_per_ha]
    if inst.grid and len(inst.ties.site):
        first = np.maximum(inst.ties.first, 0)
        poi = inst.ties.poi[first]
        figures += [
            inst.headroom.most_mw[poi],
            -inst.ties.musd[first],
            -inst.ties.energy_usd_per_mwh[first],
        ]
    total = np.zeros(s)
    for figure in figures:
        low, high = float(figure.min(initial=np.inf)), float(figure.max(initial=-np.inf))
        total += (figure - low) / (high - low) if high > low else 1.0
    return total / len(figures)


def greedy(program: Program, inst: Instance, share: float = 1.0) -> FloatArray:
    """Return (n,) integer decisions of the greedy for a ``share`` of the demand.

    Continuous columns are zero, to be polished.
    """
    x = np.where(program.matrix.lower > 0, program.matrix.lower, 0.0)
    opens = open_at(program, inst)
    order = np.lexsort((np.arange(len(inst.sites.ids)), -scores(inst), ~inst.sites.existing))
    room = _room(inst)
    need = inst.demand.mw.sum(axis=(0, 1)) / max(1e-9, float(inst.hardware.gain.max(initial=1.0)))
    left = need * share
    kind = _class(inst)
    standing, built = halls_at(program, inst), halls_at(program, inst, "halls.build")
    for i in order:
        if (left <= 1e-9).all():
            break
        it = _fill(inst, int(i), room, left, kind[i])
        if inst.halls.whole:
            it = _whole(inst, int(i), kind[i], it, built[i], standing[i], x)
        if not it.any():
            continue
        start = int(np.flatnonzero(it > 0)[0])
        x[opens[i, start:]] = 1
        if inst.grid:
            at = int(inst.ties.first[i])
            columns = tie_at(program, inst)[at, start:]
            x[columns[columns >= 0]] = 1
            room[inst.ties.poi[at]] -= it * inst.halls.pue_peak[i, kind[i]]
        left = np.maximum(0, left - it)
    _accept_everything(program, inst, x)
    return np.clip(x, program.matrix.lower, program.matrix.upper)


def _room(inst: Instance) -> FloatArray:
    """Return (B, T) firm grid MW that letters and layers promise, each POI taken by itself."""
    room = inst.headroom.dated_mw.copy()
    for o, poi in enumerate(inst.headroom.offer_poi):
        if inst.headroom.offer_firm[o]:
            room[poi] += inst.headroom.offer_share[o] * inst.headroom.offer_mw[o]
    return np.minimum(room, inst.headroom.most_mw[:, None])


def _class(inst: Instance) -> IntArray:
    """Return (S,) the cheapest new-built class of a site that takes some hardware."""
    cost = np.where((inst.halls.base < 0) & inst.hardware.fits.any(axis=1), 1.0, np.inf)
    cost = cost * (1 + inst.halls.capex_musd / inst.halls.mw)
    per_site = np.where(inst.halls.most > 0, cost[None, :], np.inf) if inst.halls.whole else None
    if per_site is None:
        return np.zeros(len(inst.sites.ids), dtype=np.int64)
    return per_site.argmin(axis=1)


def _fill(inst: Instance, i: int, room: FloatArray, left: FloatArray, k: int) -> FloatArray:
    """Return (T,) IT MW that the site could take, never falling over time."""
    most = np.full(inst.time.n, inst.sites.max_it_mw[i])
    if inst.grid:
        at = int(inst.ties.first[i])
        if at < 0:
            return np.zeros(inst.time.n)
        grid = np.minimum(room[inst.ties.poi[at]], inst.ties.tight_mw[at])
        most = np.minimum(most, (grid + inst.headroom.existing_mw[i]) / inst.halls.pue_peak[i, k])
    most[: inst.sites.open_from[i]] = 0
    most = np.where(inst.sites.closed[i], 0, most)
    return np.maximum(0, np.minimum(np.minimum.accumulate(most[::-1])[::-1], left))


def _whole(
    inst: Instance,
    i: int,
    k: int,
    it: FloatArray,
    built: IntArray,
    standing: IntArray,
    x: FloatArray,
) -> FloatArray:
    """Order whole halls for (T,) IT MW in ``x`` and return what they can hold."""
    count = float(inst.halls.existing[i, k])
    out = np.zeros(inst.time.n)
    for t in range(inst.time.n):
        wanted = min(np.ceil(it[t] / inst.halls.mw[k] - 1e-9), inst.halls.most[i, k])
        if wanted > count and built[k, t] >= 0:
            x[built[k, t]] = wanted - count
            count = wanted
        if standing[k, t] >= 0:
            x[standing[k, t]] = count
        out[t] = min(it[t], count * inst.halls.mw[k])
    return out


def _accept_everything(program: Program, inst: Instance, x: FloatArray) -> None:
    """Take every letter's upgrade at POIs in use, and enter the regions of open sites."""
    opened = x[open_at(program, inst)] > 0.5
    if inst.grid:
        used = np.unique(inst.ties.poi[opened[inst.ties.site].any(axis=1)])
        accept = program.index("headroom.accept", (len(inst.headroom.offer_ids),))
        mine = accept[np.isin(inst.headroom.offer_poi, used)]
        x[mine[mine >= 0]] = 1
    enter = program.index("regions.enter", (len(inst.entries), inst.time.n))
    for e, entry in enumerate(inst.entries):
        here = opened[entry.sites].any(axis=0)
        x[enter[e][here]] = 1
    for unit in units(inst):  # campus groups are beyond it: their work is turned away
        x[unit.columns(program, "groups.count")[0]] = 1
