"""Headroom: MW at each POI by date, letters, upgrade steps, minimum take, shared limits."""

from __future__ import annotations

import numpy as np

from sitepick.blocks.columns import grid_at, periods, poi_at
from sitepick.blocks.ledger import Ledger
from sitepick.instance.types import Instance
from sitepick.matrix import SHARED, FloatArray, IntArray
from sitepick.program import Program

NAME = "headroom"


def applies(inst: Instance) -> bool:
    """Where power is modelled."""
    return inst.grid


def poi_owner(inst: Instance) -> IntArray:
    """Return (B,) the only site that can tie to a POI, or SHARED: its rows are then local."""
    b = len(inst.headroom.poi_ids)
    low = np.full(b, len(inst.sites.ids))
    high = np.full(b, -1)
    np.minimum.at(low, inst.ties.poi, inst.ties.site)
    np.maximum.at(high, inst.ties.poi, inst.ties.site)
    return np.where(low == high, low, SHARED)


def possible_mw(inst: Instance) -> FloatArray:
    """Return (B, T) the most grid MW that a POI can carry in each period."""
    room = inst.headroom
    out = room.dated_mw.copy()
    np.add.at(out, room.offer_poi, room.offer_mw[:, None] * room.offer_share)
    out += room.area_mw
    first = inst.time.after(room.step_lead_months)
    out[room.step_pois, first:] += room.step_mw * room.step_most
    out = np.minimum(out, room.most_mw[:, None])
    if room.ramp_mw_per_year is not None:
        grown = room.ramp_mw_per_year * inst.time.dt
        before = np.zeros(len(out))
        for t in range(inst.time.n):
            before = out[:, t] = np.minimum(out[:, t], before + grown[t])
    return out


def columns(program: Program, inst: Instance, ledger: Ledger) -> None:
    """Add `headroom.poi_mw`, `.take`, `.accept`, `.billed`, `.steps` and their costs."""
    room, n, owner = inst.headroom, inst.time.n, poi_owner(inst)
    b = len(room.poi_ids)
    poi, period = np.repeat(np.arange(b), n), periods(inst, b)
    mw = program.add_columns(
        "headroom.poi_mw",
        keys={"poi": poi, "period": period},
        owner=owner[poi],
        upper=room.most_mw[poi],
        unit="grid MW",
    )
    offers = np.arange(len(room.offer_ids))
    take = program.add_columns(
        "headroom.take",
        keys={"offer": offers},
        owner=owner[room.offer_poi],
        upper=room.offer_mw,
        unit="grid MW",
    )
    ledger.deposit("security", take, room.offer_security_year, room.offer_security_musd)
    lumpy = np.flatnonzero(room.offer_upgrade_musd > 0)
    accept = program.add_columns(
        "headroom.accept",
        keys={"offer": lumpy},
        owner=owner[room.offer_poi[lumpy]],
        upper=1,
        integer=True,
    )
    ledger.purchase(
        "upgrades",
        accept,
        (room.offer_share[lumpy] > 0).argmax(axis=1),
        room.offer_upgrade_musd[lumpy],
        life_years=inst.ties.life_years,
        lead_months=0,
    )
    billed_pois = _with_minimum(inst)
    bp, bt = np.repeat(billed_pois, n), periods(inst, len(billed_pois))
    billed = program.add_columns(
        "headroom.billed",
        keys={"poi": bp, "period": bt},
        owner=owner[bp],
        upper=room.most_mw[bp] + _taken(inst)[bp],
        unit="grid MW",
    )
    plain = ~np.isin(poi, billed_pois)
    ledger.yearly("demand_charge", mw[plain], period[plain], room.demand_charge_musd[poi[plain]])
    ledger.yearly("demand_charge", billed, bt, room.demand_charge_musd[bp])
    _step_columns(program, inst, ledger, owner)


def _step_columns(program: Program, inst: Instance, ledger: Ledger, owner: IntArray) -> None:
    room, n = inst.headroom, inst.time.n
    first = inst.time.after(room.step_lead_months)
    poi, period = np.repeat(room.step_pois, n), periods(inst, len(room.step_pois))
    program.add_columns(
        "headroom.steps",
        keys={"poi": poi, "period": period},
        owner=owner[poi],
        upper=np.where(period >= first, room.step_most, 0),
        integer=True,
        unit="steps",
    )
    ledger.level_purchase(
        "upgrades",
        _steps_at(program, inst),
        np.full(len(room.poi_ids), room.step_musd),
        life_years=inst.ties.life_years,
        lead_months=room.step_lead_months,
    )


def rows(program: Program, inst: Instance, ledger: Ledger) -> None:
    """Add the rows `headroom.*`."""
    room, n = inst.headroom, inst.time.n
    b = len(room.poi_ids)
    poi, period = np.repeat(np.arange(b), n), periods(inst, b)
    mw, grid = poi_at(program, inst), grid_at(program, inst)
    total = program.add_rows(
        "headroom.poi", keys={"poi": poi, "period": period}, lower=0, upper=0, unit="grid MW"
    ).reshape(b, n)
    program.add_entries(total, mw, 1)
    program.add_entries(total[inst.ties.poi], grid, -1)
    limit = program.add_rows(
        "headroom.limit",
        keys={"poi": poi, "period": period},
        upper=room.dated_mw.ravel(),
        unit="grid MW",
        relaxable=True,
    ).reshape(b, n)
    program.add_entries(limit, mw, 1)
    # MW of offers that are not firm come in by `flexible.nonfirm`
    offer, t = np.nonzero(room.offer_share * room.offer_firm[:, None])
    take = program.index("headroom.take", (len(room.offer_ids),))
    share = room.offer_share[offer, t]
    program.add_entries(limit[room.offer_poi[offer], t], take[offer], -share)
    _ramp(program, inst)
    _accepted(program, inst)
    _billed(program, inst)
    _steps(program, inst, limit)
    _shared(program, inst)


def _with_minimum(inst: Instance) -> IntArray:
    room = inst.headroom
    return np.unique(room.offer_poi[room.offer_min_take > 0])


def _taken(inst: Instance) -> np.ndarray:
    room = inst.headroom
    out = np.zeros(len(room.poi_ids))
    np.add.at(out, room.offer_poi, room.offer_mw)
    return out


def _accepted(program: Program, inst: Instance) -> None:
    room = inst.headroom
    family = program.columns_of("headroom.accept")
    if family is None or not family.size:
        return
    offer = family.keys["offer"]
    take = program.index("headroom.take", (len(room.offer_ids),))
    row = program.add_rows("headroom.accepted", keys={"offer": offer}, upper=0, unit="grid MW")
    program.add_entries(row, take[offer], 1)
    program.add_entries(row, family.indices, -room.offer_mw[offer])


def unused_letters(program: Program, inst: Instance, values: FloatArray) -> IntArray:
    """Return the columns of letters whose upgrade a plan (n,) pays for, but whose MW it leaves."""
    family = program.columns_of("headroom.accept")
    if family is None or not family.size:
        return np.zeros(0, dtype=np.int64)
    take = program.index("headroom.take", (len(inst.headroom.offer_ids),))
    mw = values[take[family.keys["offer"]]]
    return family.indices[(values[family.indices] > 0.5) & (mw < 1e-6)]


def _billed(program: Program, inst: Instance) -> None:
    room, n = inst.headroom, inst.time.n
    pois = _with_minimum(inst)
    if not len(pois):
        return
    billed = program.index("headroom.billed", (len(room.poi_ids), n))
    mw = poi_at(program, inst)
    poi, period = np.repeat(pois, n), periods(inst, len(pois))
    keys = {"poi": poi, "period": period}
    used = program.add_rows("headroom.billed", keys=keys, lower=0, unit="grid MW")
    program.add_entries(used, billed[poi, period], 1)
    program.add_entries(used, mw[poi, period], -1)
    least = program.add_rows("headroom.min_take", keys=keys, lower=0, unit="grid MW")
    program.add_entries(least, billed[poi, period], 1)
    at = np.full(len(room.poi_ids), -1)
    at[pois] = np.arange(len(pois)) * n
    take = program.index("headroom.take", (len(room.offer_ids),))
    asked = room.offer_min_take[:, None] * room.offer_share  # of the MW that are there by then
    offer, t = np.nonzero(asked)
    program.add_entries(least[at[room.offer_poi[offer]] + t], take[offer], -asked[offer, t])


def _ramp(program: Program, inst: Instance) -> None:
    """Limit how fast a POI's contracted MW grow, from nothing before the first period."""
    room, n = inst.headroom, inst.time.n
    if room.ramp_mw_per_year is None:
        return
    b = len(room.poi_ids)
    mw = poi_at(program, inst)
    row = program.add_rows(
        "headroom.ramp",
        keys={"poi": np.repeat(np.arange(b), n), "period": periods(inst, b)},
        upper=np.tile(room.ramp_mw_per_year * inst.time.dt, b),
        unit="grid MW",
        relaxable=True,
    ).reshape(b, n)
    program.add_entries(row, mw, 1)
    program.add_entries(row[:, 1:], mw[:, :-1], -1)


def _steps_at(program: Program, inst: Instance) -> IntArray:
    return program.index("headroom.steps", (len(inst.headroom.poi_ids), inst.time.n))


def _steps(program: Program, inst: Instance, limit: IntArray) -> None:
    room, n = inst.headroom, inst.time.n
    if not len(room.step_pois):
        return
    level = _steps_at(program, inst)
    program.add_entries(limit[room.step_pois], level[room.step_pois], -room.step_mw)
    if n > 1:
        poi = np.repeat(room.step_pois, n - 1)
        later = np.tile(np.arange(1, n), len(room.step_pois))
        stay = program.add_rows(
            "headroom.steps_stay", keys={"poi": poi, "period": later}, lower=0, unit="steps"
        )
        program.add_entries(stay, level[poi, later], 1)
        program.add_entries(stay, level[poi, later - 1], -1)


def _shared(program: Program, inst: Instance) -> None:
    mw = poi_at(program, inst)
    index = [(limit, t) for limit, _, _, most in inst.headroom.shared
             for t in np.flatnonzero(np.isfinite(most))]  # fmt: skip
    if not index:
        return
    limits = {limit: (pois, factor, most) for limit, pois, factor, most in inst.headroom.shared}
    row = program.add_rows(
        "headroom.shared",
        keys={"limit": [i for i, _ in index], "period": [t for _, t in index]},
        upper=[limits[i][2][t] for i, t in index],
        unit="grid MW",
        relaxable=True,
    )
    for r, (i, t) in zip(row, index, strict=True):
        pois, factor, _ = limits[i]
        program.add_entries(r, mw[pois, t], factor[:, t])
