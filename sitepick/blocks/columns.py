"""Where the shared column families are: dense index arrays, -1 where a column does not exist."""

from __future__ import annotations

import numpy as np

from sitepick.instance.types import Instance
from sitepick.matrix import FloatArray, IntArray
from sitepick.program import Program


def site_period(inst: Instance, first: int = 0) -> tuple[IntArray, IntArray]:
    """Return (S * (T - first),) site and period of every pair, periods from ``first``."""
    n, t = len(inst.sites.ids), inst.time.n - first
    return np.repeat(np.arange(n), t), np.tile(np.arange(first, inst.time.n), n)


def periods(inst: Instance, count: int) -> IntArray:
    """Return 0..T-1 repeated ``count`` times."""
    return np.tile(np.arange(inst.time.n), count)


def open_at(program: Program, inst: Instance) -> IntArray:
    """Return (S, T) columns of `siting.open`."""
    return program.index("siting.open", (len(inst.sites.ids), inst.time.n))


def halls_at(program: Program, inst: Instance, family: str = "halls.halls") -> IntArray:
    """Return (S, K, T) columns of `halls.halls`, `halls.build` or `halls.convert`."""
    return program.index(family, (len(inst.sites.ids), len(inst.halls.ids), inst.time.n))


def it_at(program: Program, inst: Instance, family: str = "hardware.it") -> IntArray:
    """Return (S, K, H, T) columns of `hardware.it` or `hardware.buy`."""
    s, k, h = len(inst.sites.ids), len(inst.halls.ids), len(inst.hardware.ids)
    return program.index(family, (s, k, h, inst.time.n))


def grid_at(program: Program, inst: Instance) -> IntArray:
    """Return (E, T) columns of `ties.grid`."""
    return program.index("ties.grid", (len(inst.ties.site), inst.time.n))


def draw_at(program: Program, inst: Instance) -> IntArray:
    """Return (E, T) columns of `power.draw`: only of sites with several possible ties."""
    return program.index("power.draw", (len(inst.ties.site), inst.time.n))


def poi_at(program: Program, inst: Instance) -> IntArray:
    """Return (B, T) columns of `headroom.poi_mw`."""
    return program.index("headroom.poi_mw", (len(inst.headroom.poi_ids), inst.time.n))


def tie_at(program: Program, inst: Instance) -> IntArray:
    """Return (E, T) columns that say a tie stands: `ties.tie`, or the opening of its only site."""
    own = program.index("ties.tie", (len(inst.ties.site), inst.time.n))
    return np.where(own >= 0, own, open_at(program, inst)[inst.ties.site])


def room_mw(inst: Instance) -> FloatArray:
    """Return (S, K) the most IT MW that halls of a class, or a leased one, can ever hold."""
    if inst.halls.whole:
        out = inst.halls.most * inst.halls.mw
    else:
        out = np.repeat(inst.sites.max_it_mw[:, None], len(inst.halls.ids), axis=1)
    out[inst.leases.site, inst.leases.hall] = inst.leases.it_mw_max
    return out


def gross(inst: Instance) -> FloatArray:
    """Return (W,) the most work at sites per ref_mw delivered: campus groups lose some."""
    return inst.groups.gross(len(inst.demand.workloads))
