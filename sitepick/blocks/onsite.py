"""On-site power: blocks that stand from one period to another, firm MW, energy, bridges, permits.

A column says how many blocks of an option are energised at period ``start`` and gone at ``end``, so
that an annuity, its salvage and the fixed costs are exact for every block.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sitepick.blocks.columns import grid_at, it_at, open_at, periods, tie_at
from sitepick.blocks.headroom import possible_mw
from sitepick.blocks.ledger import Ledger
from sitepick.instance.types import Instance
from sitepick.matrix import FloatArray, IntArray
from sitepick.program import Program

NAME = "onsite"
CAPITAL, RUNNING = "onsite", "onsite_running"


def applies(inst: Instance) -> bool:
    """Where some site may have on-site power."""
    return bool(len(inst.onsite.site))


@dataclass(frozen=True)
class Stays:
    """Every stay of blocks: column, pair of site and option, first period, first period gone."""

    column: IntArray
    pair: IntArray
    start: IntArray
    end: IntArray


def stays(program: Program, inst: Instance) -> Stays:
    """Return the columns of `onsite.blocks` and `onsite.modules`, empty without on-site power."""
    at = np.full((len(inst.sites.ids), len(inst.onsite.ids)), -1, dtype=np.int64)
    at[inst.onsite.site, inst.onsite.option] = np.arange(len(inst.onsite.site))
    parts: list[list[IntArray]] = [[], [], [], []]
    for name in ("onsite.blocks", "onsite.modules"):
        family = program.columns_of(name)
        if family is not None:
            keys = family.keys
            found = (family.indices, at[keys["site"], keys["option"]], keys["period"], keys["end"])
            for part, piece in zip(parts, found, strict=True):
                part.append(piece)
    none = np.zeros(0, dtype=np.int64)
    return Stays(*(np.concatenate([none, *part]) for part in parts))


def standing(
    program: Program, inst: Instance, *, serving: bool = False
) -> tuple[IntArray, IntArray, IntArray]:
    """Return (column, pair, period) of every period in which the blocks of a column stand.

    ``serving``: only the periods in which they may serve (bridges have a longest service).
    """
    stay = stays(program, inst)
    last = stay.end
    if serving:
        longest = inst.onsite.serve_periods[inst.onsite.option[stay.pair]]
        last = np.minimum(last, stay.start + longest)
    length = last - stay.start
    which = np.repeat(np.arange(len(length)), length)
    offset = np.arange(len(which)) - np.repeat(np.cumsum(length) - length, length)
    return stay.column[which], stay.pair[which], stay.start[which] + offset


def firm_at(program: Program, inst: Instance, family: str = "onsite.firm") -> IntArray:
    """Return (Q, T) columns of `onsite.firm`, `onsite.mean` or `onsite.plant`; -1: none."""
    whole = program.index(family, (len(inst.sites.ids), len(inst.onsite.ids), inst.time.n))
    return whole[inst.onsite.site, inst.onsite.option]


def columns(program: Program, inst: Instance, ledger: Ledger) -> None:
    """Add `onsite.blocks`, `.modules`, `.plant`, `.firm`, `.mean`, `.bridge` and their costs."""
    on, n = inst.onsite, inst.time.n
    pair, start, end = _possible(inst)
    whole = on.whole[on.option[pair]]
    for family, mine in (("onsite.blocks", whole), ("onsite.modules", ~whole)):
        q, s, e = pair[mine], start[mine], end[mine]
        column = program.add_columns(
            family,
            keys={"site": on.site[q], "option": on.option[q], "period": s, "end": e},
            owner=on.site[q],
            upper=on.most[q].astype(float),
            integer=family == "onsite.blocks",
            unit="blocks",
        )
        _costs(program, inst, ledger, column, q, s, e)
    every, period = np.repeat(np.arange(len(on.site)), n), periods(inst, len(on.site))
    can = period >= on.build_from[every]
    every, period = every[can], period[can]
    option = on.option[every]
    keys = {"site": on.site[every], "option": option, "period": period}
    most_mw = on.most[every] * on.block_mw[option]
    spared = on.spare[option] > 0
    program.add_columns(
        "onsite.plant",
        keys={name: key[spared] for name, key in keys.items()},
        owner=on.site[every[spared]],
        upper=1,
        integer=True,
    )
    program.add_columns(
        "onsite.firm",
        keys=keys,
        owner=on.site[every],
        upper=most_mw * on.credit[option],
        unit="MW",
    )
    mean = program.add_columns(
        "onsite.mean",
        keys=keys,
        owner=on.site[every],
        upper=most_mw * on.energy_share[option],
        unit="mean MW",
    )
    ledger.yearly(RUNNING, mean, period, on.energy_musd[every])
    sites = np.unique(on.site[on.bridge[on.option]])
    program.add_columns("onsite.bridge", keys={"site": sites}, owner=sites, upper=1, integer=True)


def _possible(inst: Instance) -> tuple[IntArray, IntArray, IntArray]:
    """Return (pair, start, end) of every stay: to the end of life, and any shorter if it leaves."""
    on, n = inst.onsite, inst.time.n
    found: list[tuple[IntArray, IntArray, IntArray]] = []
    for p in range(len(on.ids)):
        life = inst.time.life_periods(float(on.life_years[p]))
        start, end = np.nonzero(np.ones((n, n + 1), dtype=bool))
        natural = np.minimum(start + life, n)
        fits = (end == natural) if not on.leaves[p] else (end > start) & (end <= natural)
        start, end = start[fits], end[fits]
        mine = np.flatnonzero(on.option == p)
        pair = np.repeat(mine, len(start))
        start, end = np.tile(start, len(mine)), np.tile(end, len(mine))
        open_to = start >= on.build_from[pair]
        open_to &= ~inst.sites.closed[on.site[pair], start]
        found.append((pair[open_to], start[open_to], end[open_to]))
    none = np.zeros(0, dtype=np.int64)
    parts = [np.concatenate([none, *(f[k] for f in found)]) for k in range(3)]
    order = np.lexsort((parts[2], parts[1], parts[0]))
    return parts[0][order], parts[1][order], parts[2][order]


def _costs(
    program: Program,
    inst: Instance,
    ledger: Ledger,
    column: IntArray,
    pair: IntArray,
    start: IntArray,
    end: IntArray,
) -> None:
    on, time = inst.onsite, inst.time
    worth = np.concatenate([[0.0], np.cumsum(time.yearly)])
    option = on.option[pair]
    program.add_cost(column, on.fixed_musd[option] * (worth[end] - worth[start]), RUNNING)
    for p in range(len(on.ids)):
        mine = option == p
        here, s, e = column[mine], start[mine], end[mine]
        life, lead = float(on.life_years[p]), float(on.lead_months[p])
        capex = float(on.capex_musd[p])
        ledger.purchase(CAPITAL, here, s, capex, life_years=life, lead_months=lead)
        if on.leaves[p]:
            back = capex * on.salvage[p] * time.remaining(life, lead)[s, e]
            program.add_cost(here, -back, CAPITAL)
        ledger.purchase(
            "land",
            here,
            s,
            on.ha[p] * inst.sites.land_musd_per_ha[on.site[pair[mine]]],
            life_years=np.inf,
            lead_months=lead,
        )


def rows(program: Program, inst: Instance, ledger: Ledger) -> None:
    """Add the rows `onsite.*`."""
    on = inst.onsite
    firm, mean = firm_at(program, inst), firm_at(program, inst, "onsite.mean")
    pair, period = np.nonzero(firm >= 0)
    option, site = on.option[pair], on.site[pair]
    keys = {"site": site, "option": option, "period": period}
    column, of, when = standing(program, inst)
    block = on.block_mw[option]

    count = program.add_rows("onsite.firm", keys=keys, upper=0, unit="MW")
    at = _placed(firm.shape, pair, period, count)
    program.add_entries(count, firm[pair, period], 1)
    serving, its_pair, its_period = standing(program, inst, serving=True)
    its = on.option[its_pair]
    program.add_entries(at[its_pair, its_period], serving, -on.block_mw[its] * on.credit[its])
    plant = firm_at(program, inst, "onsite.plant")[pair, period]
    spared = plant >= 0
    program.add_entries(count[spared], plant[spared], (block * on.spare[option])[spared])
    with_spares = program.add_rows(
        "onsite.plant", keys={k: v[spared] for k, v in keys.items()}, upper=0, unit="blocks"
    )
    program.add_entries(with_spares, plant[spared], -on.most[pair[spared]].astype(float))
    at = _placed(firm.shape, pair[spared], period[spared], with_spares)
    known = at[of, when] >= 0
    program.add_entries(at[of, when][known], column[known], 1)

    energy = program.add_rows("onsite.energy", keys=keys, upper=0, unit="mean MW")
    at = _placed(firm.shape, pair, period, energy)
    program.add_entries(energy, mean[pair, period], 1)
    mw = on.block_mw * on.energy_share
    program.add_entries(at[of, when], column, -mw[on.option[of]])

    _solar(program, inst, mean)

    opened = program.add_rows("onsite.open", keys=keys, upper=0, unit="blocks")
    at = _placed(firm.shape, pair, period, opened)
    program.add_entries(at[of, when], column, 1)
    level = open_at(program, inst)
    program.add_entries(opened, level[site, period], -on.most[pair].astype(float))

    _tied(program, inst, firm)
    _bridges(program, inst, firm, mean)
    _permits(program, inst)


def _placed(shape: tuple[int, ...], pair: IntArray, period: IntArray, row: IntArray) -> IntArray:
    out = np.full(shape, -1, dtype=np.int64)
    out[pair, period] = row
    return out


def _most_firm(inst: Instance) -> FloatArray:
    on = inst.onsite
    return on.most * (on.block_mw * on.credit)[on.option]


def _solar(program: Program, inst: Instance, mean: IntArray) -> None:
    """Solar gives a site less per MW the larger it is beside the site's mean load."""
    on = inst.onsite
    it = it_at(program, inst)
    found = []
    for k, (p, load, size) in enumerate(on.solar):
        pair, period = np.nonzero((mean >= 0) & (on.option == p)[:, None])
        found.append((np.full(len(pair), k), pair, period, load, size))
    if not found:
        return
    number, pair, period = (np.concatenate([f[j] for f in found]) for j in range(3))
    row = program.add_rows(
        "onsite.solar",
        keys={"site": on.site[pair], "chord": number, "period": period},
        upper=0,
        unit="mean MW",
    )
    program.add_entries(row, mean[pair, period], 1)
    loads, sizes = np.array([f[3] for f in found]), np.array([f[4] for f in found])
    column, of, when = standing(program, inst)
    for k, (p, _, _) in enumerate(on.solar):
        mine = number == k
        at = _placed(mean.shape, pair[mine], period[mine], row[mine])
        known = on.option[of] == p
        its = at[of[known], when[known]]
        program.add_entries(its, column[known], -sizes[k] * on.block_mw[p])
        here, i, t = row[mine], on.site[pair[mine]], period[mine]
        for hall in range(it.shape[1]):
            for h in range(it.shape[2]):
                cell = it[i, hall, h, t]
                load = loads[k] * inst.load_factor * inst.halls.pue_avg[i, hall]
                some = cell >= 0
                program.add_entries(here[some], cell[some], -load[some])


def _tied(program: Program, inst: Instance, firm: IntArray) -> None:
    """Prime power that is not made for an island counts only while a tie stands."""
    on = inst.onsite
    beside = ~(on.bridge | on.islanded)[on.option]
    pair, period = np.nonzero((firm >= 0) & beside[:, None])
    keys = {"site": on.site[pair], "option": on.option[pair], "period": period}
    row = program.add_rows("onsite.tied", keys=keys, upper=0, unit="MW")
    program.add_entries(row, firm[pair, period], 1)
    stands = tie_at(program, inst)
    for e in range(len(inst.ties.site)):
        here = on.site[pair] == inst.ties.site[e]
        program.add_entries(row[here], stands[e, period[here]], -_most_firm(inst)[pair[here]])


def _bridges(program: Program, inst: Instance, firm: IntArray, mean: IntArray) -> None:
    """A bridge stands in, MW for MW, for grid MW that its site gets and that are dated later."""
    on, n, ties = inst.onsite, inst.time.n, inst.ties
    bridges = on.bridge[on.option]
    pair, period = np.nonzero((firm >= 0) & bridges[:, None])
    keys = {"site": on.site[pair], "option": on.option[pair], "period": period}
    backup = program.add_rows("onsite.backup", keys=keys, upper=0, unit="mean MW")
    program.add_entries(backup, mean[pair, period], 1)
    program.add_entries(backup, firm[pair, period], -1)
    sites = np.unique(on.site[bridges])
    if not len(sites):
        return
    place = np.full(len(inst.sites.ids), -1)
    place[sites] = np.arange(len(sites))
    used = program.index("onsite.bridge", (len(inst.sites.ids),))[sites]
    every, when = np.repeat(sites, n), periods(inst, len(sites))
    most_grid, most_firm = np.zeros(len(inst.sites.ids)), np.zeros(len(inst.sites.ids))
    np.add.at(most_grid, ties.site, ties.tight_mw)
    np.add.at(most_firm, on.site[bridges], _most_firm(inst)[bridges])
    until = program.add_rows(
        "onsite.until",
        keys={"site": every, "period": when},
        upper=most_grid[every],
        unit="grid MW",
    ).reshape(len(sites), n)
    counted = program.add_rows(
        "onsite.bridged", keys={"site": every, "period": when}, upper=0, unit="MW"
    ).reshape(len(sites), n)
    for row in (until, counted):
        program.add_entries(row[place[on.site[pair]], period], firm[pair, period], 1)
    program.add_entries(until, used[:, None], most_grid[sites][:, None])
    program.add_entries(counted, used[:, None], -most_firm[sites][:, None])
    dated = program.add_rows(
        "onsite.dated", keys={"site": every, "period": when}, upper=0, unit="MW"
    ).reshape(len(sites), n)
    program.add_entries(dated[place[on.site[pair]], period], firm[pair, period], 1)
    tie = np.flatnonzero(place[ties.site] >= 0)
    at_end = tie_at(program, inst)[tie, -1]
    program.add_entries(dated[place[ties.site[tie]]], at_end[:, None], -_still_late(inst)[tie])
    grid, row = grid_at(program, inst)[tie], until[place[ties.site[tie]]]
    program.add_entries(row, grid, 1)
    program.add_entries(row, grid[:, -1:], -1)


def _still_late(inst: Instance) -> FloatArray:
    """Return (E, T) MW that a tie can carry in some later period and not yet in this one."""
    ties, n = inst.ties, inst.time.n
    mw = np.minimum(possible_mw(inst)[ties.poi], ties.cap_mw[:, None])
    begins = np.where(ties.owned, 0, inst.time.after(inst.sites.lead_months))
    mw[np.arange(n)[None, :] < begins[:, None]] = 0.0
    later = np.maximum.accumulate(mw[:, ::-1], axis=1)[:, ::-1]
    return later - mw


def _permits(program: Program, inst: Instance) -> None:
    on, n = inst.onsite, inst.time.n
    if not on.permits:
        return
    column, pair, period = standing(program, inst)
    limit, when = np.repeat(np.arange(len(on.permits)), n), periods(inst, len(on.permits))
    row = program.add_rows(
        "onsite.permit",
        keys={"permit": limit, "period": when},
        upper=np.array([p.max_mw for p in on.permits])[limit],
        unit="MW",
        relaxable=True,
    ).reshape(len(on.permits), n)
    for j, permit in enumerate(on.permits):
        mine = np.isin(pair, permit.pairs)
        program.add_entries(row[j, period[mine]], column[mine], on.block_mw[on.option[pair[mine]]])


def land_terms(program: Program, inst: Instance) -> tuple[IntArray, IntArray, IntArray, FloatArray]:
    """Return (column, site, period, ha) of the land under blocks that stand."""
    column, pair, period = standing(program, inst)
    ha = inst.onsite.ha[inst.onsite.option[pair]]
    known = ha > 0
    return column[known], inst.onsite.site[pair[known]], period[known], ha[known]
