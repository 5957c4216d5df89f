"""Values of a program's columns as rows on campus groups and their links."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from sitepick.blocks.group_units import Unit, units
from sitepick.instance.types import Instance
from sitepick.matrix import FloatArray, IntArray
from sitepick.network.fiber_routes import rtt_ms
from sitepick.program import Program
from sitepick.solution_fiber import GroupRow, LinkRow, MemberRow

TINY = 1e-6
"""Smaller values (MW) are zero: the solver's own tolerance."""


def delivered_share(program: Program, inst: Instance, x: FloatArray) -> FloatArray:
    """Return (W, T) the share of the work at sites that is delivered: below 1 in campus groups."""
    out = np.ones((len(inst.demand.workloads), inst.time.n))
    for unit in units(inst):
        out[unit.group.workload, unit.periods] = _efficiency(program, unit, x)
    return out


def group_rows(program: Program, inst: Instance, x: FloatArray) -> dict[str, Any]:
    """Return the rows on campus groups, by table; none without groups."""
    if not inst.groups.rows:
        return {}
    all_units = units(inst)
    return {
        "groups": tuple(r for u in all_units for r in _groups(program, inst, u, x)),
        "members": tuple(r for u in all_units for r in _members(program, inst, u, x)),
        "links": tuple(r for u in all_units for r in _links(program, inst, u, x))
        if inst.groups.routed
        else (),
    }


def with_traffic(program: Program, inst: Instance, x: FloatArray) -> FloatArray:
    """Return ``x`` (n,) with what groups put on edges as it is: their rows ask for it at least."""
    if not inst.groups.routed:
        return x
    x, shape = x.copy(), (len(inst.groups.rows), len(inst.groups.edges), inst.time.n)
    x[program.column_families["groups.tbps"].indices] = 0
    column = program.index("groups.tbps", shape)
    for unit in units(inst):
        way = x[unit.columns(program, "groups.way")] > 0.5
        updates = _share(program, unit, x) * way[unit.ways.use_way]
        for t in unit.periods:
            if _works_in(program, inst, unit, t, x):
                at = column[unit.index, unit.ways.use_edge, t]
                np.add.at(x, at, updates * unit.group.tbps[t])
    return x


def _works_in(program: Program, inst: Instance, unit: Unit, t: int, x: FloatArray) -> bool:
    work = _by_site(program, inst, "demand.serve", unit.group.workload, x)
    return bool(work[:, t].sum() > TINY)


def _share(program: Program, unit: Unit, x: FloatArray) -> float:
    """Return the full updates that each link carries."""
    members = _chosen(program, unit, x)
    return float(unit.group.share[len(np.unique(unit.group.node[members]))])


def _chosen(program: Program, unit: Unit, x: FloatArray) -> IntArray:
    """Return the members, as places in the group's arrays."""
    return np.flatnonzero(x[unit.columns(program, "groups.member")] > 0.5)


def _efficiency(program: Program, unit: Unit, x: FloatArray) -> float:
    members = _chosen(program, unit, x)
    nodes = len(np.unique(unit.group.node[members]))
    return float(unit.group.efficiency[nodes if unit.group.by_nodes else len(members)])


def _by_site(
    program: Program, inst: Instance, name: str, workload: int, x: FloatArray
) -> FloatArray:
    """Return (S, T) sums of the values of a family on one workload."""
    out = np.zeros((len(inst.sites.ids), inst.time.n))
    family = program.columns_of(name)
    if family is not None:
        mine = family.keys["workload"] == workload
        at = family.keys["site"][mine], family.keys["period"][mine]
        np.add.at(out, at, x[family.indices[mine]])
    return out


def _work(
    program: Program, inst: Instance, unit: Unit, x: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return (S, T) work, ref_mw, and the IT MW that do it."""
    work = _by_site(program, inst, "demand.serve", unit.group.workload, x)
    if not inst.hardware.bought:
        return work, work
    return work, _by_site(program, inst, "hardware.use", unit.group.workload, x)


def _groups(program: Program, inst: Instance, unit: Unit, x: FloatArray) -> Iterator[GroupRow]:
    work, it = _work(program, inst, unit, x)
    members, group = _chosen(program, unit, x), unit.group
    short = program.index("demand.turned_away", inst.demand.mw.shape)[group.workload]
    away = np.where(short >= 0, x[np.maximum(short, 0)], 0.0).sum(axis=0)
    efficiency = _efficiency(program, unit, x)
    for t in unit.periods:
        worked = float(work[:, t].sum())
        yield GroupRow(
            group=group.name,
            period=inst.time.names[t],
            sites=len(members),
            nodes=len(np.unique(group.node[members])),
            efficiency=efficiency,
            it_mw=float(it[:, t].sum()),
            worked_ref_mw=worked,
            delivered_ref_mw=worked * efficiency,
            turned_away_ref_mw=float(away[t]),
            demand_ref_mw=float(inst.demand.mw[group.workload, :, t].sum()),
        )


def _members(program: Program, inst: Instance, unit: Unit, x: FloatArray) -> Iterator[MemberRow]:
    work, it = _work(program, inst, unit, x)
    group = unit.group
    for t in unit.periods:
        for m in _chosen(program, unit, x):
            i = group.site[m]
            other, km = inst.groups.second.get(int(i), (None, None))
            yield MemberRow(
                group=group.name,
                period=inst.time.names[t],
                site_id=inst.sites.ids[i],
                node=inst.groups.nodes[group.node_at[group.node[m]]],
                lateral_km=float(group.lateral_km[m]),
                it_mw=float(it[i, t]),
                worked_ref_mw=float(work[i, t]),
                second_node=other,
                second_km=km,
            )


def _links(program: Program, inst: Instance, unit: Unit, x: FloatArray) -> Iterator[LinkRow]:
    group, ways = unit.group, unit.group.ways
    assert ways is not None
    members = _chosen(program, unit, x)
    far = np.zeros(len(group.node_at))
    np.maximum.at(far, group.node[members], group.lateral_km[members])
    share = _share(program, unit, x)
    taken = np.flatnonzero(x[unit.columns(program, "groups.way")] > 0.5)
    for t in unit.periods:
        if not _works_in(program, inst, unit, t, x):
            continue
        for r in taken:
            a, b = ways.a[r], ways.b[r]
            for number, (edges, km) in enumerate(
                zip(ways.routes[r], ways.route_km[r], strict=True), start=1
            ):
                yield LinkRow(
                    service=group.name,
                    from_node=inst.groups.nodes[group.node_at[a]],
                    to_node=inst.groups.nodes[group.node_at[b]],
                    route=number,
                    period=inst.time.names[t],
                    edges=tuple(inst.groups.edges[e] for e in edges),
                    km=km,
                    rtt_ms=float(rtt_ms(km + far[a] + far[b], inst.groups.hop_ms)),
                    tbps=float(share * group.tbps[t]),
                )
