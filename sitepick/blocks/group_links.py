"""Links of campus groups: which nodes are joined, and over which ways.

A ring joins every node in use to two others in one cycle, a hub each to one of them, a mesh each to
each; two nodes have one link in any case. A link takes one way: a route, or two that share no edge.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from sitepick.blocks import group_traffic
from sitepick.blocks.group_units import (
    Unit,
    add_rows,
    flag,
    joined_floats,
    one_each,
    parted,
    units,
)
from sitepick.instance.types import Instance
from sitepick.matrix import SHARED, IntArray
from sitepick.network.sync import links
from sitepick.program import Program

SUBTOURS_FROM = 6
"""Nodes from which on two cycles could pass for one ring: each needs three."""


def columns(program: Program, inst: Instance) -> None:
    """Add ways taken, hubs, what shows that a ring is one cycle, and traffic."""
    some = units(inst)
    group, period, number = flag(some, [np.arange(len(u.ways.a)) for u in some])
    keys = {"group": group, "period": period}
    keys["from"] = flag(some, [u.group.node_at[u.ways.a] for u in some])[2]
    keys["to"] = flag(some, [u.group.node_at[u.ways.b] for u in some])[2]
    keys["choice"] = number
    program.add_columns("groups.way", keys=keys, owner=SHARED, upper=1, integer=True)
    hubs = [u for u in some if u.group.shape == "hub"]
    group, period, node = flag(hubs, [u.group.node_at for u in hubs])
    program.add_columns(
        "groups.hub",
        keys={"group": group, "period": period, "node": node},
        owner=SHARED,
        upper=1,
        integer=True,
    )
    _tour_columns(program, [u for u in some if _may_split(u)])
    group_traffic.columns(program, inst, some, keys)


def _may_split(unit: Unit) -> bool:
    nodes = min(unit.group.most, len(unit.group.node_at))
    return unit.group.shape == "ring" and nodes >= SUBTOURS_FROM


def _tour_columns(program: Program, some: list[Unit]) -> None:
    """Add a flow between nodes that every node in use takes one unit of, and its source."""
    ends = [(np.concatenate([a, b]), np.concatenate([b, a])) for a, b in (u.pairs for u in some)]
    from_, to = ([u.group.node_at[e[k]] for u, e in zip(some, ends, strict=True)] for k in (0, 1))
    group, period, start = flag(some, from_)
    program.add_columns(
        "groups.tour",
        keys={"group": group, "period": period, "from": start, "to": flag(some, to)[2]},
        owner=SHARED,
        upper=joined_floats(
            [np.full(len(x), float(u.group.most)) for u, x in zip(some, from_, strict=True)]
        ),
        unit="nodes",
    )
    group, period, node = flag(some, [u.group.node_at for u in some])
    program.add_columns(
        "groups.source",
        keys={"group": group, "period": period, "node": node},
        owner=SHARED,
        upper=joined_floats([np.full(len(u.group.node_at), float(u.group.most)) for u in some]),
        unit="nodes",
    )


def rows(program: Program, inst: Instance) -> None:
    """Add the rows of links."""
    some = units(inst)
    made = _Links(program, some)
    made.ends()
    made.rings([u for u in some if u.group.shape == "ring"])
    made.hubs([u for u in some if u.group.shape == "hub"])
    made.meshes([u for u in some if u.group.shape == "mesh"])
    made.tours([u for u in some if _may_split(u)])
    made.within()
    group_traffic.rows(program, inst, some)


@dataclass
class _Links:
    """Rows of all groups' links; each family is written once."""

    program: Program
    units: list[Unit]

    def _of(self, unit: Unit, name: str) -> IntArray:
        return unit.columns(self.program, f"groups.{name}")

    def _by_pair(self, name: str, some: list[Unit], **bounds: Any) -> list[IntArray]:
        """Add a row for each pair of nodes that ways join."""
        group, period, a = flag(some, [u.group.node_at[u.pairs[0]] for u in some])
        b = flag(some, [u.group.node_at[u.pairs[1]] for u in some])[2]
        keys = {"group": group, "period": period, "from": a, "to": b}
        made = self.program.add_rows(name, keys=keys, **bounds)
        return parted(made, [len(u.pairs[0]) for u in some])

    def _by_node(self, name: str, some: list[Unit], **bounds: Any) -> list[IntArray]:
        nodes = [u.group.node_at for u in some]
        return add_rows(self.program, some, name, "node", nodes, **bounds)

    def _degree(self, unit: Unit, row: IntArray) -> None:
        """Put the number of links at each node into rows (N,)."""
        way = self._of(unit, "way")
        self.program.add_entries(row[unit.ways.a], way, 1)
        self.program.add_entries(row[unit.ways.b], way, 1)

    def ends(self) -> None:
        """A link joins two nodes in use, by one way; and there are as many as the shape needs."""
        add = self.program.add_entries
        for side, name in enumerate(("groups.from", "groups.to")):
            for u, row in zip(self.units, self._by_pair(name, self.units, upper=0), strict=True):
                add(row[u.pair_of], self._of(u, "way"), 1)
                add(row, self._of(u, "at")[u.pairs[side]], -1)
        one = one_each(self.units)
        made = add_rows(self.program, self.units, "groups.links", "one", one, lower=0, upper=0)
        for u, row in zip(self.units, made, strict=True):
            count = [links(u.group.shape, n) for n in range(1, u.group.most + 1)]
            add(row, self._of(u, "way"), 1)
            add(row, self._of(u, "nodes"), -np.array(count))

    def rings(self, some: list[Unit]) -> None:
        """Two links at each node, one of two nodes in all, none of one."""
        add = self.program.add_entries
        for u, row in zip(some, self._by_node("groups.most_links", some, upper=0), strict=True):
            self._degree(u, row)
            add(row, self._of(u, "at"), -2)
        for u, row in zip(some, self._by_node("groups.two_links", some, lower=0), strict=True):
            self._degree(u, row)
            add(row, self._of(u, "at"), -2)
            for nodes, fewer in zip(self._of(u, "nodes")[:2], (2, 1), strict=False):
                add(row, nodes, fewer)

    def hubs(self, some: list[Unit]) -> None:
        """One node in use is the hub; each link has it at one end, each other node has a link."""
        add = self.program.add_entries
        for u, row in zip(some, self._by_node("groups.hub", some, upper=0), strict=True):
            add(row, self._of(u, "hub"), 1)
            add(row, self._of(u, "at"), -1)
        one = one_each(some)
        made = add_rows(self.program, some, "groups.one_hub", "one", one, lower=0, upper=0)
        for u, row in zip(some, made, strict=True):
            add(row, self._of(u, "hub"), 1)
            add(row, self._of(u, "nodes"), -1)
        for u, row in zip(some, self._by_pair("groups.spoke", some, upper=0), strict=True):
            add(row[u.pair_of], self._of(u, "way"), 1)
            for end in u.pairs:
                add(row, self._of(u, "hub")[end], -1)
        for u, row in zip(some, self._by_node("groups.to_hub", some, lower=0), strict=True):
            self._degree(u, row)
            add(row, self._of(u, "at"), -1)
            add(row, self._of(u, "hub"), 1)

    def meshes(self, some: list[Unit]) -> None:
        """Every two nodes in use have a link."""
        add = self.program.add_entries
        for u, row in zip(some, self._by_pair("groups.each", some, lower=-1), strict=True):
            add(row[u.pair_of], self._of(u, "way"), 1)
            for end in u.pairs:
                add(row, self._of(u, "at")[end], -1)
        # the same by node, for a stronger relaxation: as many links as there are other nodes
        most = [u.group.most for u in some]
        lower = [np.full(len(u.group.node_at), 1.0 - m) for u, m in zip(some, most, strict=True)]
        made = self._by_node("groups.all_links", some, lower=joined_floats(lower), redundant=True)
        for u, row, m in zip(some, made, most, strict=True):
            self._degree(u, row)
            add(row, self._of(u, "at"), 1 - m)
            others = np.arange(m)
            add(
                np.repeat(row, m),
                np.tile(self._of(u, "nodes"), len(row)),
                -np.tile(others, len(row)),
            )

    def tours(self, some: list[Unit]) -> None:
        """A ring of six nodes or more is one cycle: what leaves the anchor reaches every node."""
        add = self.program.add_entries
        taken = self._by_node("groups.toured", some, lower=0, upper=0)
        begun = self._by_node("groups.source", some, upper=0)
        there, back = (
            self._by_pair(name, some, upper=0) for name in ("groups.there", "groups.back")
        )
        for k, u in enumerate(some):
            (a, b), flow, source = u.pairs, self._of(u, "tour"), self._of(u, "source")
            add(taken[k][np.concatenate([a, b])], flow, 1)
            add(taken[k][np.concatenate([b, a])], flow, -1)
            add(taken[k], source, -1)
            add(taken[k], self._of(u, "at"), 1)
            add(begun[k], source, 1)
            add(begun[k], self._of(u, "anchor"), -u.group.most)
            for row, half in zip((there[k], back[k]), np.split(flow, 2), strict=True):
                add(row, half, 1)
                add(row[u.pair_of], self._of(u, "way"), -u.group.most)

    def within(self) -> None:
        """A link's way is within the limit with the longest laterals in use at both ends."""
        tight = [u.long_ways for u in self.units]
        group, period, number = flag(self.units, tight)
        both = [
            u.group.far_km[u.ways.a[w]] + u.group.far_km[u.ways.b[w]]
            for u, w in zip(self.units, tight, strict=True)
        ]
        made = self.program.add_rows(
            "groups.way_km",
            keys={"group": group, "period": period, "choice": number},
            upper=joined_floats(
                [np.maximum(x, u.group.limit_km) for u, x in zip(self.units, both, strict=True)]
            ),
            unit="km",
            relaxable=True,
        )
        rows = parted(made, [len(w) for w in tight])
        for u, row, ways, far_km in zip(self.units, rows, tight, both, strict=True):
            if not len(ways):
                continue
            # without the link the longest laterals at both ends are no matter of this row
            room = np.maximum(far_km, u.group.limit_km) - u.group.limit_km
            self.program.add_entries(row, self._of(u, "way")[ways], u.ways.km[ways] + room)
            far = self._of(u, "far")
            for end in (u.ways.a[ways], u.ways.b[ways]):
                self.program.add_entries(row, far[np.searchsorted(u.lateral_nodes, end)], 1)
