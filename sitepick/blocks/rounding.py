"""Whole halls and what limits them: rows that follow from the others, for a stronger relaxation.

Where at most C MW can be used and halls hold g MW each, ``used <= C`` and ``used <= g * halls``
give, for whole halls, ``used <= C - f * (ceil(C / g) - halls)`` with ``f = C - g * floor(C / g)``
(mixed-integer rounding). The relaxation otherwise builds part of a hall where a whole one is owed.
"""

from __future__ import annotations

import numpy as np

from sitepick.blocks import leases
from sitepick.blocks.columns import halls_at, it_at, open_at
from sitepick.blocks.headroom import possible_mw
from sitepick.instance.types import Instance
from sitepick.matrix import BoolArray, FloatArray, IntArray
from sitepick.program import Program

_LEAST = 1e-3  # MW: a remainder below this rounds nothing


def add(program: Program, inst: Instance) -> None:
    """Add the rows `halls.round_*` by site, by shared POI and for the demand."""
    if inst.grid:
        _by_site(program, inst)
        _by_poi(program, inst)
    if not inst.hardware.bought:
        _by_demand(program, inst)


def _remainder(most: FloatArray, each: FloatArray) -> tuple[FloatArray, FloatArray, BoolArray]:
    """Return f, ceil(C / g), and where rounding says something."""
    halls = np.ceil(most / each - 1e-9)
    rest = most - each * (halls - 1)
    return rest, halls, (most > _LEAST) & (rest > _LEAST) & (rest < each - _LEAST)


def _by_site(program: Program, inst: Instance) -> None:
    ties, n = inst.ties, inst.time.n
    reach = np.minimum(possible_mw(inst)[ties.poi], ties.cap_mw[:, None])  # (E, T)
    most = np.zeros((len(inst.sites.ids), n))
    if ties.most == 1:
        np.maximum.at(most, ties.site, reach)
    else:
        np.add.at(most, ties.site, reach)
    most += inst.headroom.existing_mw[:, None]
    site, hall, period = np.nonzero(halls_at(program, inst) >= 0)
    each = inst.halls.mw[hall] * inst.halls.pue_peak[site, hall]
    rest, whole, useful = _remainder(most[site, period], each)
    useful &= (inst.halls.existing[site, hall] == 0) & ~np.isin(site, inst.onsite.sites)
    site, hall, period = site[useful], hall[useful], period[useful]
    rest, whole = rest[useful], whole[useful]
    top = most[site, period]
    row = program.add_rows(
        "halls.round_site",
        keys={"site": site, "hall": hall, "period": period},
        upper=0,
        unit="grid MW",
        redundant=True,
    )
    _used(program, inst, row, site, hall, period)
    program.add_entries(row, halls_at(program, inst)[site, hall, period], -rest)
    program.add_entries(row, open_at(program, inst)[site, period], rest * whole - top)


def _used(
    program: Program,
    inst: Instance,
    row: IntArray,
    site: IntArray,
    hall: IntArray,
    period: IntArray,
) -> None:
    it = it_at(program, inst)
    for h in range(it.shape[2]):
        here = it[site, hall, h, period]
        known = here >= 0
        pue = inst.halls.pue_peak[site, hall][known]
        program.add_entries(row[known], here[known], pue)


def _by_poi(program: Program, inst: Instance) -> None:
    """Add the same for all sites together that can only use one POI."""
    ties, halls, n = inst.ties, inst.halls, inst.time.n
    possible, standing = possible_mw(inst), halls_at(program, inst)
    alone = ties.only & (inst.headroom.existing_mw[ties.site] == 0)
    count = np.bincount(ties.poi[alone], minlength=len(inst.headroom.poi_ids))
    groups = []
    for poi in np.flatnonzero(count > 1):
        sites = ties.site[alone & (ties.poi == poi)]
        for k in range(len(halls.ids)):
            here = sites[(halls.most[sites, k] > 0) & (halls.existing[sites, k] == 0)]
            each = halls.mw[k] * halls.pue_peak[here, k]
            if len(here) > 1 and np.ptp(each) <= _LEAST:
                rest, whole, useful = _remainder(possible[poi], np.full(n, each[0]))
                groups += [(poi, k, t, here, rest[t], whole[t]) for t in np.flatnonzero(useful)]
    row = program.add_rows(
        "halls.round_poi",
        keys={
            "poi": [poi for poi, *_ in groups],
            "hall": [k for _, k, *_ in groups],
            "period": [t for _, _, t, *_ in groups],
        },
        upper=np.array([possible[b, t] - r * w for b, _, t, _, r, w in groups], dtype=float),
        unit="grid MW",
        redundant=True,
    )
    for j, (_, k, t, here, rest, _) in zip(row, groups, strict=True):
        kind, when = np.full(len(here), k), np.full(len(here), t)
        _used(program, inst, np.full(len(here), j), here, kind, when)
        program.add_entries(j, standing[here, k, t], -rest)


def _by_demand(program: Program, inst: Instance) -> None:
    """Without hardware: halls of one size serve all demand but what is turned away."""
    halls, demand = inst.halls, inst.demand
    size = halls.mw[halls.most.any(axis=0)]
    if not len(size) or np.ptp(size) > _LEAST:
        return
    total = demand.mw.sum(axis=(0, 1))
    rest, whole, useful = _remainder(total, np.full(inst.time.n, size[0]))
    period = np.flatnonzero(useful)
    row = program.add_rows(
        "halls.round_demand",
        keys={"period": period},
        lower=(rest * whole)[period],
        unit="IT MW",
        redundant=True,
    )
    row_at = np.full(inst.time.n, -1)
    row_at[period] = row
    standing = halls_at(program, inst)
    i, k, t = np.nonzero((standing >= 0) & useful[None, None, :])
    program.add_entries(row_at[t], standing[i, k, t], rest[t])
    short = program.column_families["demand.turned_away"]
    when = short.keys["period"]
    known = useful[when]
    program.add_entries(row_at[when[known]], short.indices[known], 1)
    column, _, t = leases.standing(program, inst)  # work in leased halls needs none of these
    program.add_entries(row_at[t[useful[t]]], column[useful[t]], 1)
