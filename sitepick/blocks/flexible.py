"""Flexible connections: non-firm MW, as far as a site sheds work or batteries stand in for them.

A MW of `flexible.shed` or `flexible.backed` covers a MW of `flexible.nonfirm` of the same source.
"""

from __future__ import annotations

import numpy as np

from sitepick.blocks.columns import grid_at
from sitepick.blocks.ledger import Ledger
from sitepick.instance.power import HOURS
from sitepick.instance.types import Instance
from sitepick.matrix import FloatArray, IntArray
from sitepick.program import Family, Program

NAME = "flexible"


def applies(inst: Instance) -> bool:
    """Where some tie may use non-firm MW."""
    return inst.grid and bool(len(inst.flexible.pair_tie))


def _reached(inst: Instance) -> tuple[IntArray, IntArray, IntArray]:
    """Return (site, source, period) of the MW that a site may have."""
    flex = inst.flexible
    reach = np.zeros((len(inst.sites.ids), len(flex.sources)), dtype=bool)
    reach[inst.ties.site[flex.pair_tie], flex.pair_source] = True
    site, source, period = np.nonzero(reach[:, :, None] & (flex.share > 0)[None])
    return site, source, period


def columns(program: Program, inst: Instance, ledger: Ledger) -> None:
    """Add `flexible.nonfirm`, `.shed`, `.backed`, `.battery`, and what they cost."""
    flex, n = inst.flexible, inst.time.n
    pair, period = np.nonzero(flex.share[flex.pair_source])
    tie, source = flex.pair_tie[pair], flex.pair_source[pair]
    program.add_columns(
        "flexible.nonfirm",
        keys={"tie": tie, "source": source, "period": period},
        owner=inst.ties.site[tie],
        upper=np.minimum(flex.mw[source], inst.ties.tight_mw[tie]),
        unit="grid MW",
    )
    _shed_columns(program, inst, ledger)
    if not flex.batteries:
        return
    first = inst.time.after(flex.battery_lead_months)
    site, source, period = (key[_reached(inst)[2] >= first] for key in _reached(inst))
    backed = program.add_columns(
        "flexible.backed",
        keys={"site": site, "source": source, "period": period},
        owner=site,
        upper=flex.mw[source],
        unit="grid MW",
    )
    lost = flex.off[source] * _mean_share(inst)[site] * flex.battery_loss
    _charge_energy(program, inst, ledger, backed, site, period, lost)
    most = np.zeros((len(inst.sites.ids), n))
    np.add.at(most, (site, period), flex.mw[source] * flex.battery_mw[source])
    # bought for the most that it may have to stand in for, in any period to come
    most = np.maximum.accumulate(most[:, ::-1], axis=1)[:, ::-1]
    most[:, :first] = 0.0
    site, period = np.nonzero(most)
    bought = program.add_columns(
        "flexible.battery",
        keys={"site": site, "period": period},
        owner=site,
        upper=most[site, period],
        unit="battery MW",
    )
    ledger.purchase(
        "battery", bought, period, flex.battery_musd,
        life_years=flex.battery_life_years, lead_months=flex.battery_lead_months,
    )  # fmt: skip


def _mean_share(inst: Instance) -> FloatArray:
    """Return (S,) mean MW drawn per contracted MW: load factor, annual over design-day PUE."""
    return inst.load_factor * inst.flexible.pue_avg / inst.flexible.pue_peak


def _worked(program: Program, inst: Instance) -> Family:
    """Return the columns of work that can be shed: IT MW in use, or served without hardware."""
    name = "hardware.use" if inst.hardware.bought else "demand.serve"
    return program.column_families[name]


def _work_keys(inst: Instance, work: Family) -> tuple[IntArray, IntArray, IntArray, IntArray]:
    """Return site, hardware, workload, period of the columns of work."""
    site, workload, period = (work.keys[name] for name in ("site", "workload", "period"))
    item = work.keys["hardware"] if inst.hardware.bought else np.zeros_like(site)
    return site, item, workload, period


def _shed_columns(program: Program, inst: Instance, ledger: Ledger) -> None:
    flex = inst.flexible
    site, source, period = _reached(inst)
    s, h, w, _ = _work_keys(inst, _worked(program, inst))
    able = np.zeros((len(inst.sites.ids), len(inst.hardware.ids), len(flex.tolerance)), dtype=bool)
    able[s, h, w] = flex.tolerance[w] > 0
    at, item, workload = np.nonzero(able[site])
    site, source, period = site[at], source[at], period[at]
    most = flex.tolerance[workload] * flex.pue_peak[site] * inst.sites.max_it_mw[site]
    covered = most / np.maximum(flex.deepest[source], 1e-9)
    shed = program.add_columns(
        "flexible.shed",
        keys={"site": site, "hardware": item, "workload": workload, "source": source,
              "period": period},
        owner=site,
        upper=np.minimum(flex.mw[source], covered),
        unit="grid MW",
    )  # fmt: skip
    gain = inst.hardware.gain[item, workload] if inst.hardware.bought else 1.0
    kept = 1 - flex.moved[workload]
    it_off = flex.off[source] / flex.pue_peak[site] * kept  # mean IT MW per MW covered
    ledger.yearly("curtailed", shed, period, it_off * gain * inst.demand.penalty_musd[workload])
    saved = flex.off[source] * _mean_share(inst)[site] * kept
    _charge_energy(program, inst, ledger, shed, site, period, -saved)


def _charge_energy(
    program: Program,
    inst: Instance,
    ledger: Ledger,
    columns: IntArray,
    site: IntArray,
    period: IntArray,
    mean_mw: FloatArray,
) -> None:
    """Charge mean MW per unit of ``columns`` at the price of the site's tie, where it has one.

    Sites with a choice of ties draw them through `power.draw`, see `rows`.
    """
    ties = inst.ties
    price = np.zeros(len(inst.sites.ids))
    price[ties.site[ties.only]] = ties.energy_usd_per_mwh[ties.only]
    ledger.yearly("energy", columns, period, mean_mw * price[site] * HOURS / 1e6)


def mean_mw_columns(
    program: Program, inst: Instance
) -> list[tuple[IntArray, IntArray, IntArray, FloatArray]]:
    """Return (columns, sites, periods, mean MW drawn per unit): less for work shed, more for
    what batteries lose."""
    flex, share, out = inst.flexible, _mean_share(inst), []
    shed, backed = program.columns_of("flexible.shed"), program.columns_of("flexible.backed")
    if shed is not None:
        site, source, t = (shed.keys[k] for k in ("site", "source", "period"))
        kept = 1 - flex.moved[shed.keys["workload"]]
        out.append((shed.indices, site, t, -flex.off[source] * share[site] * kept))
    if backed is not None:
        site, source, t = (backed.keys[k] for k in ("site", "source", "period"))
        out.append((backed.indices, site, t, flex.off[source] * share[site] * flex.battery_loss))
    return out


def rows(program: Program, inst: Instance, ledger: Ledger) -> None:
    """Add the rows `flexible.*`, and non-firm MW to `headroom.limit` and `power.energy`."""
    _sources(program, inst)
    _contracts(program, inst)
    _tolerances(program, inst)
    _batteries(program, inst)
    _covers(program, inst)
    _in_other_rows(program, inst)


def _sources(program: Program, inst: Instance) -> None:
    """Add `flexible.offer` and `flexible.area`: all sites together within a source."""
    flex, n = inst.flexible, inst.time.n
    at = np.full((len(flex.sources), n), -1)
    for name, mine in (("flexible.offer", flex.offer >= 0), ("flexible.area", flex.offer < 0)):
        source, period = np.nonzero(flex.share * mine[:, None])
        if not len(source):
            continue
        area = name == "flexible.area"
        row = program.add_rows(
            name,
            keys={"source": source, "period": period},
            upper=flex.mw[source] if area else 0.0,
            unit="grid MW",
            relaxable=area,
        )
        at[source, period] = row
        if not area:
            take = program.index("headroom.take", (len(inst.headroom.offer_ids),))
            program.add_entries(row, take[flex.offer[source]], -flex.share[source, period])
    family = program.column_families["flexible.nonfirm"]
    _, source, period = family.keys.values()
    program.add_entries(at[source, period], family.indices, 1)


def _contracts(program: Program, inst: Instance) -> None:
    """Add `flexible.contract`: non-firm MW are part of the contracted MW of a tie."""
    n = inst.time.n
    family = program.column_families["flexible.nonfirm"]
    tie, _, period = family.keys.values()
    code, place = np.unique(tie * n + period, return_inverse=True)
    row = program.add_rows(
        "flexible.contract", keys={"tie": code // n, "period": code % n}, upper=0, unit="grid MW"
    )
    program.add_entries(row[place], family.indices, 1)
    program.add_entries(row, grid_at(program, inst)[code // n, code % n], -1)


def _tolerances(program: Program, inst: Instance) -> None:
    """Add `flexible.tolerance`: work shed at the deepest, within what the workload bears."""
    flex, n = inst.flexible, inst.time.n
    shed, work = program.column_families["flexible.shed"], _worked(program, inst)
    if not shed.size:
        return
    s, h, w, source, t = shed.keys.values()
    shape = (len(inst.sites.ids), len(inst.hardware.ids), len(flex.tolerance), n)
    code, place = np.unique(np.ravel_multi_index((s, h, w, t), shape), return_inverse=True)
    site, item, workload, period = np.unravel_index(code, shape)
    row = program.add_rows(
        "flexible.tolerance",
        keys={"site": site, "hardware": item, "workload": workload, "period": period},
        upper=0,
        unit="grid MW",
    )
    program.add_entries(row[place], shed.indices, flex.deepest[source])
    at = np.full(shape, -1)
    at[site, item, workload, period] = row
    s, h, w, t = _work_keys(inst, work)
    here = at[s, h, w, t] >= 0
    bears = -flex.tolerance[w] * flex.pue_peak[s]
    program.add_entries(at[s, h, w, t][here], work.indices[here], bears[here])


def _batteries(program: Program, inst: Instance) -> None:
    """Add `flexible.battery`: MW of batteries alive for all that they stand in for at once."""
    flex, n = inst.flexible, inst.time.n
    backed = program.columns_of("flexible.backed")
    if backed is None or not backed.size:
        return
    site, source, period = backed.keys.values()
    code, place = np.unique(site * n + period, return_inverse=True)
    row = program.add_rows(
        "flexible.battery", keys={"site": code // n, "period": code % n}, upper=0, unit="battery MW"
    )
    program.add_entries(row[place], backed.indices, flex.battery_mw[source])
    bought = program.index("flexible.battery", (len(inst.sites.ids), n))[code // n]  # (R, T)
    age = code[:, None] % n - np.arange(n)[None, :]
    alive = (age >= 0) & (age < inst.time.life_periods(flex.battery_life_years)) & (bought >= 0)
    r, s = np.nonzero(alive)
    program.add_entries(row[r], bought[r, s], -1)


def cover_at(program: Program, inst: Instance) -> IntArray:
    """Return (S, F, T) rows of `flexible.cover`, -1 where there is none.

    What else can stand in for non-firm MW (another block's columns) is added to these rows with 1.
    """
    out = np.full((len(inst.sites.ids), len(inst.flexible.sources), inst.time.n), -1)
    family = program.row_families["flexible.cover"]
    out[tuple(family.keys.values())] = family.indices
    return out


def _covers(program: Program, inst: Instance) -> None:
    """Add `flexible.cover`: every non-firm MW has something that stands in for it."""
    site, source, period = _reached(inst)
    program.add_rows(
        "flexible.cover",
        keys={"site": site, "source": source, "period": period},
        lower=0,
        upper=0,
        unit="grid MW",
    )
    at = cover_at(program, inst)
    for name in ("flexible.shed", "flexible.backed"):
        family = program.columns_of(name)
        if family is not None:
            i, f, t = (family.keys[k] for k in ("site", "source", "period"))
            program.add_entries(at[i, f, t], family.indices, 1)
    family = program.column_families["flexible.nonfirm"]
    tie, f, t = family.keys.values()
    program.add_entries(at[inst.ties.site[tie], f, t], family.indices, -1)


def _in_other_rows(program: Program, inst: Instance) -> None:
    n = inst.time.n
    family = program.column_families["flexible.nonfirm"]
    tie, _, period = family.keys.values()
    limit = program.row_families["headroom.limit"]
    at = limit.start + inst.ties.poi[tie] * n + period
    program.add_entries(at, family.indices, -1)
    energy = program.row_families.get("power.energy")
    if energy is None:
        return
    place = np.full((len(inst.sites.ids), n), -1)
    place[tuple(energy.keys.values())] = energy.indices
    for columns, site, t, mean_mw in mean_mw_columns(program, inst):
        here = place[site, t] >= 0
        program.add_entries(place[site, t][here], columns[here], -mean_mw[here])
