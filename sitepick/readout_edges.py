"""Values of the columns on fiber as rows of a plan: routes of traffic, capacity, use of edges."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from sitepick.blocks import fiber as block
from sitepick.blocks.traffic import YEAR_HOURS
from sitepick.instance.fiber_types import Edges, Fiber, Ways
from sitepick.instance.timeline import Timeline
from sitepick.instance.types import Instance
from sitepick.matrix import FloatArray, IntArray
from sitepick.network.fiber import ONE_WAY_MS_PER_KM
from sitepick.program import Program
from sitepick.solution_fiber import (
    BuildRow,
    EdgeRow,
    HandoverRow,
    LightRow,
    LinkRow,
    PairRow,
    WaveRow,
)

TINY = 1e-6


def edge_rows(program: Program, inst: Instance, x: FloatArray) -> dict[str, Any]:
    """Return the rows on fiber, by table of `Solution`; ``x`` are rounded values (n,)."""
    handed = {"handovers": tuple(_handovers(program, inst, x))} if inst.splits else {}
    if inst.fiber is None or program.columns_of("fiber.pairs") is None:
        return handed
    ids, when = inst.fiber.edges.ids, inst.time.names

    def found(name: str) -> Iterator[tuple[str, str, tuple[int, ...], float]]:
        family = program.column_families[name]
        keys = list(family.keys.values())
        for j in np.flatnonzero(x[family.indices] > TINY):
            at = tuple(int(k[j]) for k in keys)
            yield ids[at[0]], when[at[1]], at, float(x[family.indices[j]])

    route = block.route_at(program, inst)
    built = np.where(route >= 0, x[np.maximum(route, 0)], 0.0) > 0.5
    hours = inst.fiber.peak_hours
    waves = [WaveRow(e, p, 0.0, round(v)) for e, p, _, v in found("fiber.waves")]
    waves += [WaveRow(e, p, float(hours[at[2]]), round(v)) for e, p, at, v in found("fiber.bursts")]
    return {
        "pairs": tuple(PairRow(e, p, round(v)) for e, p, _, v in found("fiber.pairs")),
        "builds": tuple(
            BuildRow(ids[e], when[int(np.argmax(built[e]))])
            for e in np.flatnonzero(built.any(axis=1) & inst.fiber.edges.new)
        ),
        "light": tuple(LightRow(e, p, v) for e, p, _, v in found("fiber.light")),
        "waves": tuple(waves),
        "edges": tuple(_edge_rows(program, inst, inst.fiber.edges, x)),
        "links": (
            *_service_links(program, inst, inst.fiber, x),
            *_split_links(program, inst, inst.fiber, x),
        ),
        **handed,
    }


def _handovers(program: Program, inst: Instance, x: FloatArray) -> Iterator[HandoverRow]:
    """Yield what is handed over between points, whichever way it takes."""
    splits, total = inst.splits, defaultdict[tuple[int, ...], float](float)
    assert splits is not None
    family = program.column_families["split.handed"]
    for j in np.flatnonzero(x[family.indices] > TINY):
        a, t = int(family.keys["handover"][j]), int(family.keys["period"][j])
        ends = int(splits.from_point[a]), int(splits.to_point[a])
        total[int(splits.split[a]), int(splits.place[a]), *ends, t] += float(x[family.indices[j]])
    for (s, d, a, b, t), mw in total.items():
        yield HandoverRow(
            splits.names[s], inst.demand.places[d], splits.points[a], splits.points[b],
            inst.time.names[t], mw * float(splits.ratio[s, d, t]), mw,
        )  # fmt: skip


def _split_links(
    program: Program, inst: Instance, fiber: Fiber, x: FloatArray
) -> Iterator[LinkRow]:
    splits, total = inst.splits, defaultdict[tuple[int, int, int], float](float)
    if splits is None:
        return
    family = program.column_families["split.handed"]
    for j in np.flatnonzero(x[family.indices] > TINY):
        a, t = int(family.keys["handover"][j]), int(family.keys["period"][j])
        if splits.way[a] >= 0:
            s = int(splits.split[a])
            total[s, int(splits.way[a]), t] += float(x[family.indices[j]] * splits.tbps[s])
    for (s, way, t), tbps in total.items():
        flow = int(splits.ways.flow[way])
        ends = int(splits.flow_from[flow]), int(splits.flow_to[flow])
        yield _link(inst, fiber, splits.ways, splits.names[s], ends, way, t, tbps)


def _service_links(
    program: Program, inst: Instance, fiber: Fiber, x: FloatArray
) -> Iterator[LinkRow]:
    family = program.columns_of("services.sent")
    if family is None:
        return
    services, ways = fiber.services, fiber.services.ways
    for j in np.flatnonzero(x[family.indices] > TINY):
        way, t = int(family.keys["way"][j]), int(family.keys["period"][j])
        flow = int(ways.flow[way])
        ends = int(services.from_node[flow]), int(services.to_node[flow])
        name = services.names[services.service[flow]]
        yield _link(inst, fiber, ways, name, ends, way, t, float(x[family.indices[j]]))


def _link(
    inst: Instance,
    fiber: Fiber,
    ways: Ways,
    service: str,
    ends: tuple[int, int],
    way: int,
    t: int,
    tbps: float,
) -> LinkRow:
    km = float(ways.km[way])
    return LinkRow(
        service=service,
        from_node=fiber.node_ids[ends[0]],
        to_node=fiber.node_ids[ends[1]],
        route=int(ways.number[way]),
        period=inst.time.names[t],
        edges=tuple(fiber.edges.ids[e] for e in ways.edge[ways.at == way]),
        km=km,
        rtt_ms=2 * km * ONE_WAY_MS_PER_KM + fiber.equipment_ms,
        tbps=tbps,
    )


@dataclass(frozen=True)
class _Use:
    """What edges carry, (bands + 1, E, T) Tb/s: ordinary hours last; and hours of each band."""

    tbps: FloatArray
    hours: FloatArray  # (bands + 1,)


def _use(program: Program, inst: Instance, x: FloatArray) -> _Use:
    traffic = block.traffic_of(program, inst)
    hours = block.peak_hours(inst)
    n_edge = 0 if inst.fiber is None else len(inst.fiber.edges.ids)
    tbps = np.zeros((len(hours) + 1, n_edge, inst.time.n))
    for k in range(len(tbps)):
        high = traffic.peak_hours >= hours[k] if k < len(hours) else np.zeros(1, dtype=bool)
        each = np.where(high, traffic.peak_tbps, traffic.tbps) * x[traffic.column]
        np.add.at(tbps[k], (traffic.edge, traffic.period), each)
    long = np.diff(hours, prepend=0.0)
    return _Use(tbps, np.append(long, max(0.0, YEAR_HOURS - long.sum())))


def _per_year(time: Timeline, life_years: float, lead_months: float) -> float:
    """Return the yearly cost of 1 MUSD spent."""
    return time.crf(life_years) * time.compounding(lead_months)


def _edge_rows(program: Program, inst: Instance, edges: Edges, x: FloatArray) -> Iterator[EdgeRow]:
    use, time = _use(program, inst, x), inst.time
    shape = (len(edges.ids), time.n)
    pairs, lit = np.zeros(shape), np.zeros(shape)
    column, e, t = block.standing(program, inst)
    np.add.at(pairs, (e, t), x[column])
    column, e, t = block.alive(program, inst)
    np.add.at(lit, (e, t), x[column])
    waves, bursts = _waves(program, shape, x)
    new = edges.new[:, None]
    lead = np.where(edges.new, 0.0, edges.pair_lead_months)
    once = [_per_year(time, edges.term_years, float(months)) for months in lead]
    built = _per_year(time, edges.build_life_years, edges.build_lead_months) * edges.build_musd
    route = block.route_at(program, inst)
    there = np.where(route >= 0, x[np.maximum(route, 0)], 0.0) > 0.5
    pair_cost = pairs * (edges.pair_musd * once + edges.pair_yearly_musd)[:, None]
    pair_cost += there * (edges.route_yearly_musd + built)[:, None]
    of_light = np.array(
        [
            _per_year(time, float(y), float(m))
            for y, m in zip(edges.light_life_years, edges.light_lead_months, strict=True)
        ]
    )
    light_cost = lit * (edges.light_musd * of_light)[:, None]
    wave_cost = waves * edges.wave_musd[:, None]
    own = np.minimum(use.tbps, lit)
    rest = np.minimum(use.tbps - own, waves * edges.wave_tbps)
    mean_own, mean_wave = (np.tensordot(use.hours, v, 1) / YEAR_HOURS for v in (own, rest))
    dark = pairs * edges.tbps_per_pair[:, None]
    idle = (
        pair_cost * _left(mean_own, dark)
        + light_cost * _left(mean_own, lit)
        + wave_cost * _left(mean_wave, waves * edges.wave_tbps)
    )
    top = own.max(axis=0)
    stranded = np.maximum(0.0, lit - top)
    stranded[stranded < TINY] = 0.0
    needed = np.ceil(top / edges.tbps_per_pair[:, None] - TINY)
    money = light_cost * _left(top, lit) + pair_cost * _left(needed, pairs)
    peak = use.tbps.max(axis=0)
    some = (pairs > 0.5) | (lit > TINY) | (waves > 0.5) | (bursts > 0.5) | (peak > TINY) | (
        there & new
    )  # fmt: skip
    for e, t in zip(*np.nonzero(some), strict=True):
        count = round(float(pairs[e, t]))
        yield EdgeRow(
            edge=edges.ids[e],
            period=time.names[t],
            pairs_leased=0 if edges.new[e] else count,
            pairs_built=count if edges.new[e] else 0,
            waves=round(float(waves[e, t])),
            capacity_tbps=float(dark[e, t] + waves[e, t] * edges.wave_tbps),
            used_tbps=float(use.tbps[-1, e, t]),
            peak_tbps=float(peak[e, t]),
            idle_musd_per_year=float(idle[e, t]),
            lit_tbps=float(lit[e, t]),
            bursts=round(float(bursts[e, t])),
            stranded_tbps=float(stranded[e, t]),
            stranded_musd_per_year=float(money[e, t]),
        )


def _waves(
    program: Program, shape: tuple[int, int], x: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return (E, T) waves leased all year, and the most that are leased for peaks alone."""
    out = np.zeros(shape), np.zeros(shape)
    for name, add, level in (("fiber.waves", np.add, out[0]), ("fiber.bursts", np.maximum, out[1])):
        family = program.column_families[name]
        at: tuple[IntArray, IntArray] = family.keys["edge"], family.keys["period"]
        add.at(level, at, x[family.indices])
    return out


def _left(used: FloatArray, of: FloatArray) -> FloatArray:
    """Return the part of something that is not used, 0 where there is none of it."""
    share = np.divide(used, of, out=np.ones_like(of), where=of > TINY)
    return np.clip(1 - share, 0.0, 1.0)
