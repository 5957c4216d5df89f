"""Capacity of fiber edges: whole leased pairs, new routes, optics, and waves for ever or for peaks.

The rows take traffic from any block (`sitepick.blocks.traffic`): ordinary hours must fit on lit
pairs and leased waves, peaks may use waves that are leased for them alone.
"""

from __future__ import annotations

import numpy as np

from sitepick.blocks import services, split
from sitepick.blocks.ledger import Ledger
from sitepick.blocks.traffic import Traffic, joined, labelled
from sitepick.instance.fiber_types import Edges
from sitepick.instance.types import Instance
from sitepick.matrix import SHARED, BoolArray, FloatArray, IntArray
from sitepick.program import Program

NAME = "fiber"
SOURCES = (services, split)
"""Blocks that say by a function ``traffic(program, inst)`` which edges their columns go over."""


def applies(inst: Instance) -> bool:
    """Where there is a network; without traffic it stays empty."""
    return inst.fiber is not None


def _edges(inst: Instance) -> Edges:
    assert inst.fiber is not None
    return inst.fiber.edges


def peak_hours(inst: Instance) -> FloatArray:
    """Return (K,) hours a year of peaks, ascending: see `Fiber.peak_hours`."""
    assert inst.fiber is not None
    return inst.fiber.peak_hours


def traffic_of(program: Program, inst: Instance) -> Traffic:
    """Return all traffic on edges, of whatever block."""
    named = [block.traffic(program, inst) for block in SOURCES if block.applies(inst)]
    return joined([*named, labelled(program)])


def columns(program: Program, inst: Instance, ledger: Ledger) -> None:
    """Add `fiber.pairs`, `.route`, `.light`, `.waves`, `.bursts` of edges that traffic may use."""
    traffic = traffic_of(program, inst)
    used = np.zeros(len(_edges(inst).ids), dtype=bool)
    used[traffic.edge] = True
    if used.any():
        _pairs(program, inst, ledger, used)
        _light(program, inst, ledger, used)
        _waves(program, inst, ledger, used)


def _from(inst: Instance, chosen: BoolArray, first: IntArray) -> tuple[IntArray, IntArray]:
    """Return (edge, period) of the ``chosen`` edges (E,) in all periods from ``first`` (E,)."""
    later = np.arange(inst.time.n)[None, :] >= first[:, None]
    edge, period = np.nonzero(chosen[:, None] & later)
    return edge, period


def _pairs(program: Program, inst: Instance, ledger: Ledger, used: BoolArray) -> None:
    edges = _edges(inst)
    edge, period = _from(inst, used & (edges.pairs_most > 0), edges.pair_from)
    pairs = program.add_columns(
        "fiber.pairs",
        keys={"edge": edge, "period": period},
        owner=SHARED,
        upper=edges.pairs_most[edge],
        integer=True,
        unit="pairs",
    )
    for new, lead in ((False, edges.pair_lead_months), (True, 0.0)):  # with a route come its pairs
        mine = edges.new[edge] == new
        ledger.purchase(
            "fiber", pairs[mine], period[mine], edges.pair_musd[edge[mine]],
            life_years=edges.term_years, lead_months=lead,
        )  # fmt: skip
    column, of, when = standing(program, inst)
    ledger.yearly("transport", column, when, edges.pair_yearly_musd[of])
    route = program.add_columns(
        "fiber.route",
        keys={"edge": edge, "period": period},
        owner=SHARED,
        upper=1,
        integer=True,
    )
    ledger.yearly("om", route, period, edges.route_yearly_musd[edge])
    built = np.flatnonzero(used & edges.new)
    ledger.level_purchase(
        "fiber", route_at(program, inst)[built], edges.build_musd[built],
        life_years=edges.build_life_years, lead_months=edges.build_lead_months,
    )  # fmt: skip


def _at(program: Program, inst: Instance, family: str) -> IntArray:
    """Return (E, T) the columns of a family."""
    return program.index(family, (len(_edges(inst).ids), inst.time.n))


def route_at(program: Program, inst: Instance) -> IntArray:
    """Return (E, T) the columns that say a route is there, and its maintenance paid."""
    return _at(program, inst, "fiber.route")


def standing(program: Program, inst: Instance) -> tuple[IntArray, IntArray, IntArray]:
    """Return (column of `fiber.pairs`, edge, period) of the periods of its term."""
    family = program.column_families["fiber.pairs"]
    last = family.keys["period"] + _edges(inst).term_periods
    return _lasting(inst, family.indices, family.keys["edge"], family.keys["period"], last)


def alive(program: Program, inst: Instance) -> tuple[IntArray, IntArray, IntArray]:
    """Return (column of `fiber.light`, edge, period) of the periods of its life."""
    family = program.column_families["fiber.light"]
    edge, begun = family.keys["edge"], family.keys["period"]
    life = np.array([inst.time.life_periods(y) for y in _edges(inst).light_life_years])
    return _lasting(inst, family.indices, edge, begun, begun + life[edge])


def _lasting(
    inst: Instance, column: IntArray, edge: IntArray, begun: IntArray, end: IntArray
) -> tuple[IntArray, IntArray, IntArray]:
    t = np.arange(inst.time.n)[None, :]
    entry, period = np.nonzero((t >= begun[:, None]) & (t < end[:, None]))
    return column[entry], edge[entry], period


def _light(program: Program, inst: Instance, ledger: Ledger, used: BoolArray) -> None:
    edges = _edges(inst)
    first = np.maximum(edges.pair_from, edges.light_from)
    edge, period = _from(inst, used & (edges.pairs_most > 0), first)
    light = program.add_columns(
        "fiber.light",
        keys={"edge": edge, "period": period},
        owner=SHARED,
        upper=edges.pairs_most[edge] * edges.tbps_per_pair[edge],
        unit="lit Tb/s",
    )
    terms = np.stack([edges.light_life_years, edges.light_lead_months], axis=1)[edge]
    for life, lead in np.unique(terms, axis=0):
        mine = (terms == (life, lead)).all(axis=1)
        ledger.purchase(
            "fiber", light[mine], period[mine], edges.light_musd[edge[mine]],
            life_years=float(life), lead_months=float(lead),
        )  # fmt: skip


def _waves(program: Program, inst: Instance, ledger: Ledger, used: BoolArray) -> None:
    edges, hours = _edges(inst), peak_hours(inst)
    edge, period = _from(inst, used & (edges.wave_most > 0), edges.wave_from)
    waves = program.add_columns(
        "fiber.waves",
        keys={"edge": edge, "period": period},
        owner=SHARED,
        upper=edges.wave_most[edge],
        integer=True,
        unit="waves",
    )
    ledger.yearly("transport", waves, period, edges.wave_musd[edge])
    count = len(edge)
    edge, period = np.tile(edge, len(hours)), np.tile(period, len(hours))
    band = np.repeat(np.arange(len(hours)), count)
    bursts = program.add_columns(
        "fiber.bursts",
        keys={"edge": edge, "period": period, "band": band},
        owner=SHARED,
        upper=edges.wave_most[edge],
        integer=True,
        unit="waves",
    )
    long = np.diff(hours, prepend=0.0)
    ledger.yearly("transport", bursts, period, long[band] * edges.burst_musd_per_hour[edge])


def rows(program: Program, inst: Instance, ledger: Ledger) -> None:
    """Add the rows `fiber.*`."""
    if program.columns_of("fiber.pairs") is None:
        return
    _routes(program, inst)
    edges, n = _edges(inst), inst.time.n
    traffic = traffic_of(program, inst)
    hours = peak_hours(inst)
    lit = alive(program, inst)
    waves = program.column_families["fiber.waves"]
    bursts = program.column_families["fiber.bursts"]
    busy = np.unique(traffic.edge * n + traffic.period)
    edge, period = busy // n, busy % n
    for k in range(len(hours) + 1):
        # the last band of the year is that without any peak
        high = traffic.peak_hours >= hours[k] if k < len(hours) else np.zeros(1, dtype=bool)
        keys = {"edge": edge, "period": period}
        if k < len(hours):
            keys["band"] = np.full(len(edge), k)
        row = np.full((len(edges.ids), n), -1)
        row[edge, period] = program.add_rows(
            "fiber.capacity" if k == len(hours) else f"fiber.peak#{k}",
            keys=keys,
            upper=0,
            unit="Tb/s",
        )
        tbps = np.where(high, traffic.peak_tbps, traffic.tbps)
        program.add_entries(row[traffic.edge, traffic.period], traffic.column, tbps)
        mine = (bursts.keys["band"] == k) if k < len(hours) else np.zeros(bursts.size, dtype=bool)
        for column, e, t, each in (
            (*lit, 1.0),
            (waves.indices, waves.keys["edge"], waves.keys["period"], edges.wave_tbps),
            (bursts.indices[mine], bursts.keys["edge"][mine], bursts.keys["period"][mine],
             edges.wave_tbps),
        ):  # fmt: skip
            here = row[e, t] >= 0
            program.add_entries(row[e, t][here], column[here], -each)
    if bursts.size:
        most = program.add_rows(
            "fiber.waves", keys=dict(bursts.keys), upper=edges.wave_most[bursts.keys["edge"]],
            unit="waves", relaxable=True,
        )  # fmt: skip
        program.add_entries(most, bursts.indices, 1)
        at = _at(program, inst, "fiber.waves")[bursts.keys["edge"], bursts.keys["period"]]
        program.add_entries(most, at, 1)


def _routes(program: Program, inst: Instance) -> None:
    """Add `fiber.there`, `.route_stays` and `.lit`: pairs need a route, and light needs pairs."""
    edges, n = _edges(inst), inst.time.n
    route = program.column_families["fiber.route"]
    edge, period = route.keys["edge"], route.keys["period"]
    there = np.full((len(edges.ids), n), -1)
    there[edge, period] = program.add_rows(
        "fiber.there", keys=dict(route.keys), upper=0, unit="pairs", relaxable=True
    )
    column, of, when = standing(program, inst)
    program.add_entries(there[of, when], column, 1)
    program.add_entries(there[edge, period], route.indices, -edges.pairs_most[edge])
    at = route_at(program, inst)
    e, t = np.nonzero((at[:, 1:] >= 0) & (at[:, :-1] >= 0) & edges.new[:, None])
    stay = program.add_rows("fiber.route_stays", keys={"edge": e, "period": t + 1}, lower=0)
    program.add_entries(stay, at[e, t + 1], 1)
    program.add_entries(stay, at[e, t], -1)
    light = program.column_families["fiber.light"]
    lit_from = np.unique(light.keys["edge"] * n + light.keys["period"])
    lit = np.full((len(edges.ids), n), -1)
    lit[lit_from // n, lit_from % n] = program.add_rows(
        "fiber.lit", keys={"edge": lit_from // n, "period": lit_from % n}, upper=0, unit="Tb/s"
    )
    bought, e, t = alive(program, inst)
    program.add_entries(lit[e, t], bought, 1)
    here = lit[of, when] >= 0
    program.add_entries(lit[of, when][here], column[here], -edges.tbps_per_pair[of[here]])


def unused_routes(program: Program, inst: Instance, values: FloatArray) -> IntArray:
    """Return the columns of routes that a plan (n,) pays for, but on which no pair stands.

    Those of new routes are left: what is built stays.
    """
    if inst.fiber is None or program.columns_of("fiber.pairs") is None:
        return np.zeros(0, dtype=np.int64)
    at = route_at(program, inst)
    pairs = np.zeros(at.shape)
    column, edge, period = standing(program, inst)
    np.add.at(pairs, (edge, period), values[column])
    columns = at[(at >= 0) & (pairs < 0.5) & ~_edges(inst).new[:, None]]
    return columns[values[columns] > 0.5]
