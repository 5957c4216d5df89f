"""Campus groups: sites far apart that do the work of one workload as one machine.

Members are chosen once per era (all periods, or each where they may move). How many sites, or
nodes, a group has is a choice of its own, so that what is lost by that number is exact. How far
apart members may be is in `group_reach`, the links between them in `group_links`.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np

from sitepick.blocks import group_links, group_reach
from sitepick.blocks.demand import most_served
from sitepick.blocks.group_units import (
    Unit,
    add_rows,
    flag,
    joined_floats,
    one_each,
    units,
)
from sitepick.blocks.ledger import Ledger
from sitepick.instance.group_types import Group
from sitepick.instance.types import Instance
from sitepick.matrix import SHARED, FloatArray, IntArray
from sitepick.program import Family, Program

NAME = "groups"


def applies(inst: Instance) -> bool:
    """Where the scenario asks for campus groups."""
    return bool(inst.groups.rows)


def columns(program: Program, inst: Instance, ledger: Ledger) -> None:
    """Add `groups.*`: members, nodes in use, how many, the work by that number, links."""
    some = units(inst)
    _choices(program, "groups.member", some, "site", [u.group.site for u in some], own=True)
    nodes = [u.group.node_at for u in some]
    _choices(program, "groups.at", some, "node", nodes)
    _choices(program, "groups.anchor", some, "node", nodes)
    _choices(program, "groups.count", some, "sites", [np.arange(u.group.most + 1) for u in some])
    counted = [u for u in some if u.counts_nodes(inst)]
    numbers = [np.arange(1, u.group.most + 1) for u in counted]
    _choices(program, "groups.nodes", counted, "nodes", numbers)
    worked = np.array(
        [key for u in some for key in _work_keys(u)], dtype=np.int64
    ).reshape(-1, 3)  # fmt: skip
    program.add_columns(
        "groups.work",
        keys={"group": worked[:, 0], "period": worked[:, 1], "number": worked[:, 2]},
        owner=SHARED,
        upper=joined_floats([_most_work(inst, u).ravel() for u in some]),
        unit="ref_mw",
    )
    group_reach.columns(program, some)
    if inst.groups.routed:
        group_links.columns(program, inst)


def _choices(
    program: Program,
    name: str,
    some: list[Unit],
    key: str,
    values: list[IntArray],
    *,
    own: bool = False,
) -> None:
    """Add yes-or-no columns by group, era and ``key``; ``own``: the key is the owner."""
    group, period, index = flag(some, values)
    program.add_columns(
        name,
        keys={"group": group, "period": period, key: index},
        owner=index if own else SHARED,
        upper=1,
        integer=True,
    )


def _work_keys(unit: Unit) -> Iterator[tuple[int, int, int]]:
    for t in unit.periods.tolist():
        for k in range(1, unit.group.most + 1):
            yield unit.index, t, k


def _best_work(inst: Instance, workload: int, site: IntArray) -> FloatArray:
    """Return the most work that sites could do, ref_mw, whatever is asked."""
    best: FloatArray = inst.sites.max_it_mw[site]
    if inst.hardware.bought:
        best = best * inst.hardware.gain[:, workload].max(initial=0.0)
    return best


def _most_work(inst: Instance, unit: Unit) -> FloatArray:
    """Return (era, C) the most work that so many sites (or nodes) can do, or are asked for."""
    group = unit.group
    asked = inst.demand.mw[group.workload].sum(axis=0)[unit.periods]
    best = _best_work(inst, group.workload, group.site)
    if group.by_nodes:
        # of a node as many sites count as the group may have
        order = np.lexsort((-best, group.node))
        rank = np.arange(len(order)) - np.searchsorted(group.node[order], group.node[order])
        counted = np.where(rank < group.most, best[order], 0.0)
        by_node = np.zeros(len(group.node_at))
        np.add.at(by_node, group.node[order], counted)
        best = by_node
    top = np.concatenate([np.sort(best)[::-1], np.zeros(group.most)])[: group.most]
    return np.minimum(asked[:, None] / group.efficiency[None, 1:], np.cumsum(top)[None, :])


def rows(program: Program, inst: Instance, ledger: Ledger) -> None:
    """Add the rows `groups.*`."""
    some = units(inst)
    _members(program, some)
    _load(program, inst, some)
    _least(program, inst, some)
    _counted(program, inst, some)
    group_reach.rows(program, some)
    _works(program, inst, some)
    _ordered(program, inst, some)
    if inst.groups.routed:
        group_links.rows(program, inst)


def _members(program: Program, some: list[Unit]) -> None:
    """A member is at its node, and a node in use has a member."""
    placed = add_rows(program, some, "groups.placed", "site", [u.group.site for u in some], upper=0)
    used = add_rows(program, some, "groups.used", "node", [u.group.node_at for u in some], upper=0)
    for u, of_site, of_node in zip(some, placed, used, strict=True):
        member, at = u.columns(program, "groups.member"), u.columns(program, "groups.at")
        program.add_entries(of_site, member, 1)
        program.add_entries(of_site, at[u.group.node], -1)
        program.add_entries(of_node, at, 1)
        program.add_entries(of_node[u.group.node], member, -1)


def _load(program: Program, inst: Instance, some: list[Unit]) -> None:
    """Only members work for the group: rows of one site, linked to the rest by its node alone."""
    serve = program.column_families["demand.serve"]
    member_at = np.full((len(inst.demand.workloads), len(inst.sites.ids), inst.time.n), -1)
    for u in some:
        member = u.columns(program, "groups.member")
        member_at[u.group.workload, u.group.site[:, None], u.periods] = member[:, None]
    ours = np.isin(serve.keys["workload"], [u.group.workload for u in some])
    w, i, t = (serve.keys[name][ours] for name in ("workload", "site", "period"))
    most = inst.sites.max_it_mw[i]
    if inst.hardware.bought:
        most = most * inst.hardware.gain[:, w].max(axis=0, initial=0.0)
    most = np.minimum(most, most_served(inst)[ours])
    row = program.add_rows(
        "groups.load", keys={"workload": w, "site": i, "period": t}, upper=0, unit="ref_mw"
    )
    program.add_entries(row, serve.indices[ours], 1)
    known = member_at[w, i, t] >= 0  # a site that meets no fiber serves no group
    program.add_entries(row[known], member_at[w, i, t][known], -most[known])


def _least(program: Program, inst: Instance, some: list[Unit]) -> None:
    """A member gives the group enough IT MW when most is asked."""
    family = program.column_families["hardware.use" if inst.hardware.bought else "demand.serve"]
    sites = [u.group.site for u in some]
    made = add_rows(program, some, "groups.least", "site", sites, lower=0, unit="IT MW")
    for u, row in zip(some, made, strict=True):
        program.add_entries(row, u.columns(program, "groups.member"), -u.group.min_it_mw)
        ours = family.keys["workload"] == u.group.workload
        ours &= family.keys["period"] == u.peak
        place = np.full(len(inst.sites.ids), -1)
        place[u.group.site] = np.arange(len(u.group.site))
        at = place[family.keys["site"][ours]]
        program.add_entries(row[at[at >= 0]], family.indices[ours][at >= 0], 1)


def _counted(program: Program, inst: Instance, some: list[Unit]) -> None:
    """So many sites, at so many nodes, or none at all; and no fewer than asked."""
    one = add_rows(program, some, "groups.one", "one", one_each(some), lower=1, upper=1)
    sites = add_rows(program, some, "groups.sites", "one", one_each(some), lower=0, upper=0)
    for u, single, counting in zip(some, one, sites, strict=True):
        count = u.columns(program, "groups.count")
        program.add_entries(single, count, 1)
        program.add_entries(counting, u.columns(program, "groups.member"), 1)
        program.add_entries(counting, count, -np.arange(len(count)))
        program.set_column_bounds(count[1 : u.group.least], lower=0, upper=0)
    by_nodes = [u for u in some if u.counts_nodes(inst)]
    each = one_each(by_nodes)
    one = add_rows(program, by_nodes, "groups.one_node", "one", each, lower=0, upper=0)
    in_use = add_rows(program, by_nodes, "groups.in_use", "one", each, lower=0, upper=0)
    for u, single, counting in zip(by_nodes, one, in_use, strict=True):
        nodes, count = (u.columns(program, f"groups.{name}") for name in ("nodes", "count"))
        program.add_entries(single, nodes, 1)
        program.add_entries(single, count[1:], -1)
        program.add_entries(counting, u.columns(program, "groups.at"), 1)
        program.add_entries(counting, nodes, -np.arange(1, len(nodes) + 1))


def lost_work(program: Program, inst: Instance) -> tuple[Family | None, IntArray, FloatArray]:
    """Return the family `groups.work`, its workloads and what each loses per ref_mw worked."""
    works = program.columns_of("groups.work")
    if works is None:
        return None, np.zeros(0, dtype=np.int64), np.zeros(0)
    group, number = works.keys["group"], works.keys["number"]
    lost = np.zeros(works.size)
    for g, row in enumerate(inst.groups.rows):
        lost[group == g] = 1 - row.efficiency[number[group == g]]
    return works, np.array([g.workload for g in inst.groups.rows], dtype=np.int64)[group], lost


def _works(program: Program, inst: Instance, some: list[Unit]) -> None:
    """Work at sites is delivered but for what so many sites, or nodes, lose."""
    works, workload, lost = lost_work(program, inst)
    assert works is not None
    serve = program.column_families["demand.serve"]
    group, period = works.keys["group"], works.keys["period"]
    code, place = np.unique(group * inst.time.n + period, return_inverse=True)
    total = program.add_rows(
        "groups.total",
        keys={"group": code // inst.time.n, "period": code % inst.time.n},
        lower=0,
        upper=0,
        unit="ref_mw",
    )
    at = np.full((len(inst.demand.workloads), inst.time.n), -1)
    at[workload, period] = total[place]
    row = at[serve.keys["workload"], serve.keys["period"]]
    program.add_entries(row[row >= 0], serve.indices[row >= 0], 1)
    program.add_entries(total[place], works.indices, -1)
    most = program.add_rows("groups.work", keys=dict(works.keys), upper=0, unit="ref_mw")
    program.add_entries(most, works.indices, 1)
    for u in some:
        mine = (group == u.index) & np.isin(period, u.periods)
        choice = np.tile(u.choice(program), len(u.periods))
        program.add_entries(most[mine], choice, -_most_work(inst, u).ravel())
    # the work that is lost is not served: rows of the demand that the workload has anyway
    family = program.row_families["demand.total" if inst.demand.pooled else "demand.balance"]
    balance = np.full(at.shape, -1)
    balance[family.keys["workload"], family.keys["period"]] = family.indices
    program.add_entries(balance[workload, period], works.indices, -lost)


def _ordered(program: Program, inst: Instance, some: list[Unit]) -> None:
    """Of groups that are alike in everything the earlier has the earlier anchor."""
    first = {u.index: u for u in some if len(u.group.eras) == 1}
    order = sorted(first)
    pairs = [
        (first[a], first[b])
        for a, b in itertools.pairwise(order)
        if _alike(inst, first[a].group, first[b].group)
    ]
    made = program.add_rows(
        "groups.ordered", keys={"group": [a.index for a, _ in pairs]}, upper=0, redundant=True
    )
    for row, pair in zip(made, pairs, strict=True):
        for u, sign in zip(pair, (1, -1), strict=True):
            anchor = u.columns(program, "groups.anchor")
            program.add_entries(row, anchor, sign * np.arange(1, len(anchor) + 1))


def _alike(inst: Instance, a: Group, b: Group) -> bool:
    demand, v, w = inst.demand, a.workload, b.workload
    plain = ("shape", "limit_km", "least", "most", "min_it_mw", "by_nodes")
    arrays = ("site", "node", "lateral_km", "efficiency", "share", "tbps")
    soft = inst.flexible
    by_work = (demand.must, demand.penalty_musd, demand.weight, soft.tolerance, soft.moved)
    return (
        all(getattr(a, name) == getattr(b, name) for name in plain)
        and all(np.array_equal(getattr(a, name), getattr(b, name)) for name in arrays)
        and (a.ways is None or b.ways is None or a.ways.routes == b.ways.routes)
        and np.array_equal(demand.mw[v], demand.mw[w])
        and np.array_equal(inst.hardware.gain[:, v], inst.hardware.gain[:, w])
        and all(bool(of[v] == of[w]) for of in by_work)
    )
