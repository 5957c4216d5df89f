"""Deliverability: what the POIs draw together must be carried by the grid, also after an outage.

The rows of the network itself are lazy (`sitepick.dispatch.joint`); here are the line upgrades that
can be bought, reserve margins by zone, and the form of a lazy row.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np

from sitepick.blocks.columns import grid_at, it_at, periods, poi_at
from sitepick.blocks.ledger import Ledger
from sitepick.instance.types import Instance
from sitepick.matrix import SHARED, FloatArray, IntArray
from sitepick.program import Program

NAME = "deliverability"
JOINT = "deliverability.joint"
"""Families of lazy rows are called this, #, and a number."""
_LEAST = 1e-9


class JointRow(Protocol):
    """``by_bus @ new_load <= limit + by_branch @ added rating``, MW."""

    @property
    def by_bus(self) -> FloatArray: ...  # (N,)
    @property
    def by_branch(self) -> FloatArray: ...  # (M,)
    @property
    def limit(self) -> float: ...


def applies(inst: Instance) -> bool:
    """Where the scenario has a grid."""
    return inst.joint is not None


def upgrades_at(program: Program, inst: Instance) -> IntArray:
    """Return (U, T) columns of `deliverability.upgrade`."""
    count = 0 if inst.joint is None else len(inst.joint.upgrade_ids)
    return program.index("deliverability.upgrade", (count, inst.time.n))


def columns(program: Program, inst: Instance, ledger: Ledger) -> None:
    """Add `deliverability.upgrade`: a rating is bought or not."""
    joint, n = inst.joint, inst.time.n
    assert joint is not None
    count = len(joint.upgrade_ids)
    if not count:
        return
    upgrade, period = np.repeat(np.arange(count), n), periods(inst, count)
    first = np.array([inst.time.after(m) for m in joint.upgrade_lead_months])
    program.add_columns(
        "deliverability.upgrade",
        keys={"upgrade": upgrade, "period": period},
        owner=SHARED,
        upper=(period >= first[upgrade]).astype(float),
        integer=True,
    )
    level = upgrades_at(program, inst)
    for u in range(count):
        ledger.level_purchase(
            "upgrades",
            level[u : u + 1],
            joint.upgrade_musd[u],
            life_years=inst.ties.life_years,
            lead_months=joint.upgrade_lead_months[u],
        )


def rows(program: Program, inst: Instance, ledger: Ledger) -> None:
    """Add the rows `deliverability.upgrade_stays`, `.drawn` and `.adequacy`."""
    joint, n = inst.joint, inst.time.n
    assert joint is not None
    level = upgrades_at(program, inst)
    count = len(level)
    if count and n > 1:
        upgrade, later = np.repeat(np.arange(count), n - 1), np.tile(np.arange(1, n), count)
        stay = program.add_rows(
            "deliverability.upgrade_stays", keys={"upgrade": upgrade, "period": later}, lower=0
        )
        program.add_entries(stay, level[upgrade, later], 1)
        program.add_entries(stay, level[upgrade, later - 1], -1)
    _drawn(program, inst)
    zones = len(joint.adequacy)
    if not zones:
        return
    zone, period = np.repeat(np.arange(zones), n), periods(inst, zones)
    row = program.add_rows(
        "deliverability.adequacy",
        keys={"zone": zone, "period": period},
        upper=np.concatenate([z.room_mw for z in joint.adequacy]),
        unit="grid MW",
        relaxable=True,
    ).reshape(zones, n)
    for z, limit in enumerate(joint.adequacy):
        per_mw = np.zeros(len(inst.headroom.poi_ids))
        per_mw[limit.pois] = limit.factor
        _add_firm(program, inst, row[z], np.arange(n), per_mw)


def _drawn(program: Program, inst: Instance) -> None:
    """Add `deliverability.drawn`: what is contracted can be drawn by IT that is there.

    Load at one bus may relieve a branch to another. Without this row a plan could contract MW that
    nobody draws and count on their relief.
    """
    n, s = inst.time.n, len(inst.sites.ids)
    committed = np.zeros((s, n))
    for c in inst.commitments:
        if c.what == "grid_mw":
            committed[c.site, c.start :] = np.maximum(committed[c.site, c.start :], c.mw)
    site, period = np.repeat(np.arange(s), n), periods(inst, s)
    row = program.add_rows(
        "deliverability.drawn",
        keys={"site": site, "period": period},
        upper=committed.ravel(),
        unit="grid MW",
    ).reshape(s, n)
    program.add_entries(row[inst.ties.site], grid_at(program, inst), 1)
    it = it_at(program, inst)
    i, k, h, t = np.nonzero(it >= 0)
    program.add_entries(row[i, t], it[i, k, h, t], -inst.halls.pue_peak[i, k])


def firm_mw(program: Program, inst: Instance, values: FloatArray) -> FloatArray:
    """Return (B, T) the firm grid MW of a plan at each POI: non-firm MW are curtailed first."""
    mw = values[poi_at(program, inst)]
    family = program.columns_of("flexible.nonfirm")
    if family is not None:
        poi = inst.ties.poi[family.keys["tie"]]
        np.subtract.at(mw, (poi, family.keys["period"]), values[family.indices])
    return np.maximum(mw, 0.0)


def _add_firm(
    program: Program, inst: Instance, row: IntArray, when: IntArray, per_mw: FloatArray
) -> None:
    """Add ``per_mw`` (B,) of firm grid MW to each row (one for each period of ``when``)."""
    mw = poi_at(program, inst)
    kept = np.flatnonzero(per_mw)
    program.add_entries(row[:, None], mw[kept][:, when].T, per_mw[kept])
    family = program.columns_of("flexible.nonfirm")
    if family is None:
        return
    row_of = np.full(inst.time.n, -1)
    row_of[when] = row
    at = row_of[family.keys["period"]]
    value = per_mw[inst.ties.poi[family.keys["tie"]]]
    used = (at >= 0) & (value != 0)
    program.add_entries(at[used], family.indices[used], -value[used])


def add_joint(
    program: Program,
    inst: Instance,
    upgrade_branch: IntArray,
    condition: int,
    when: IntArray,
    cut: JointRow,
) -> tuple[IntArray, float]:
    """Append the rows `deliverability.joint#k` of one cut, one for each period of ``when``.

    Returns them and the number they were divided by. They touch `headroom.poi_mw` (less
    `flexible.nonfirm`) and `deliverability.upgrade` only. Entries too small for a solver are left
    out so that the row stays valid: their largest effect is added to its limit.
    """
    joint = inst.joint
    assert joint is not None
    per_mw = cut.by_bus[joint.bus] * joint.new_load[condition]
    # the weights are MW over a limit; a row of ones keeps its scale
    scale = max(1.0, float(np.abs(per_mw).max(initial=0.0)))
    small = np.abs(per_mw) / scale < _LEAST
    loss = float((np.abs(per_mw) * inst.headroom.most_mw)[small].sum())
    number = sum(name.startswith(f"{JOINT}#") for name in program.row_families) + 1
    row = program.add_rows(
        f"deliverability.joint#{number}",
        keys={"condition": np.full(len(when), condition), "period": when},
        upper=(cut.limit + loss) / scale,
        unit="grid MW",
        relaxable=True,
    )
    _add_firm(program, inst, row, when, np.where(small, 0.0, per_mw / scale))
    level = upgrades_at(program, inst)
    if level.size:
        helps = cut.by_branch[upgrade_branch] * joint.upgrade_mw
        some = np.flatnonzero(helps)
        program.add_entries(row[:, None], level[some][:, when].T, -helps[some] / scale)
    return row, scale
