"""Hardware: vintages bought, alive for their life, used by workloads."""

from __future__ import annotations

import numpy as np

from sitepick.blocks.columns import it_at, room_mw
from sitepick.blocks.energised import holds_it, serves
from sitepick.blocks.ledger import Ledger
from sitepick.instance.types import Instance
from sitepick.matrix import BoolArray
from sitepick.program import Program

NAME = "hardware"


def applies(inst: Instance) -> bool:
    """Always: even `hardware: none` has plain IT MW."""
    return True


def _possible(inst: Instance) -> BoolArray:
    """Return (S, K, H) where hardware can ever stand."""
    hardware = inst.hardware
    roomy = room_mw(inst) > 0 if inst.halls.whole else np.ones_like(inst.halls.most, dtype=bool)
    bought = roomy[:, :, None] & hardware.fits[None] & (hardware.buy_from < inst.time.n)[:, None]
    return bought | (hardware.existing_mw.max(axis=3, initial=0.0) > 0)


def columns(program: Program, inst: Instance, ledger: Ledger) -> None:
    """Add `hardware.it`, `hardware.buy`, `hardware.use` and what they cost."""
    hardware = inst.hardware
    possible = _possible(inst)[..., None] & holds_it(inst)[:, None, None, :]
    site, hall, item, period = np.nonzero(possible)
    room = room_mw(inst)[site, hall]
    room = np.maximum(room, hardware.existing_mw[site, hall, item, period])
    keys = {"site": site, "hall": hall, "hardware": item, "period": period}
    it = program.add_columns("hardware.it", keys=keys, owner=site, upper=room, unit="IT MW")
    if not hardware.bought:
        return
    ledger.yearly("om", it, period, hardware.maintenance_musd[item])
    buyable = (
        (period >= hardware.buy_from[site, item])
        & hardware.fits[hall, item]
        & (room_mw(inst)[site, hall] > 0 if inst.halls.whole else True)
    )
    program.add_columns(
        "hardware.buy",
        keys={name: key[buyable] for name, key in keys.items()},
        owner=site[buyable],
        upper=room[buyable],
        unit="IT MW",
    )
    bought = it_at(program, inst, "hardware.buy")
    for h in range(len(hardware.ids)):
        s, k, t = np.nonzero(bought[:, :, h] >= 0)
        ledger.purchase(
            "it",
            bought[s, k, h, t],
            t,
            hardware.capex_musd[h],
            life_years=float(hardware.life_years[h]),
            lead_months=float(hardware.lead_months[h]),
        )
    _use_columns(program, inst)


def _use_columns(program: Program, inst: Instance) -> None:
    hardware = inst.hardware
    here = np.asarray(_possible(inst).any(axis=1))  # (S, H)
    useful = here[:, :, None, None] & serves(inst)[:, None] & (hardware.gain > 0)[None, :, :, None]
    site, item, workload, period = np.nonzero(useful)
    room = it_at(program, inst).max(axis=1, initial=-1)[site, item, period]
    upper = inst.sites.max_it_mw[site]
    keys = {"site": site, "hardware": item, "workload": workload, "period": period}
    program.add_columns(
        "hardware.use",
        keys=keys,
        owner=site,
        upper=np.where(room >= 0, upper, 0.0),
        unit="IT MW",
    )


def rows(program: Program, inst: Instance, ledger: Ledger) -> None:
    """Add the rows `hardware.*`."""
    hardware, n = inst.hardware, inst.time.n
    if not hardware.bought:
        return
    it, bought = it_at(program, inst), it_at(program, inst, "hardware.buy")
    site, hall, item, period = np.nonzero(it >= 0)
    alive = hardware.existing_mw
    before = np.concatenate([np.zeros_like(alive[..., :1]), alive[..., :-1]], axis=3)
    change = (alive - before)[site, hall, item, period]
    level = program.add_rows(
        "hardware.level",
        keys={"site": site, "hall": hall, "hardware": item, "period": period},
        lower=change,
        upper=change,
        unit="IT MW",
    )
    program.add_entries(level, it[site, hall, item, period], 1)
    before = np.where(period > 0, it[site, hall, item, period - 1], -1)
    program.add_entries(level[before >= 0], before[before >= 0], -1)
    buy = bought[site, hall, item, period]
    program.add_entries(level[buy >= 0], buy[buy >= 0], -1)
    for kind in range(len(hardware.ids)):
        life = inst.time.life_periods(float(hardware.life_years[kind]))
        gone = (item == kind) & (period >= life)
        dead = bought[site[gone], hall[gone], kind, period[gone] - life]
        program.add_entries(level[gone][dead >= 0], dead[dead >= 0], 1)
    use = program.columns_of("hardware.use")
    if use is None or not use.size:
        return
    s, h, t = (use.keys[name] for name in ("site", "hardware", "period"))
    code, place = np.unique((s * len(hardware.ids) + h) * n + t, return_inverse=True)
    us, uh, ut = code // n // len(hardware.ids), code // n % len(hardware.ids), code % n
    row = program.add_rows(
        "hardware.use", keys={"site": us, "hardware": uh, "period": ut}, upper=0, unit="IT MW"
    )
    program.add_entries(row[place], use.indices, 1)
    for k in range(it.shape[1]):
        here = it[us, k, uh, ut]
        program.add_entries(row[here >= 0], here[here >= 0], -1)
