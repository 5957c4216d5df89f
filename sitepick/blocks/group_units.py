"""A campus group in one of its eras (periods with the same members), and where its columns are."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from sitepick.instance.group_types import Group, Ways
from sitepick.instance.types import Instance
from sitepick.matrix import BoolArray, FloatArray, IntArray
from sitepick.program import Program


@dataclass(eq=False)
class Unit:
    """Group ``index`` in the era ``era``: its columns are keyed by the era's first period."""

    index: int
    group: Group
    era: int

    @property
    def periods(self) -> IntArray:
        """Periods of the era."""
        return self.group.eras[self.era]

    @property
    def start(self) -> int:
        """First period of the era."""
        return int(self.periods[0])

    @property
    def peak(self) -> int:
        """Period of the era's largest demand."""
        return self.group.peaks[self.era]

    @cached_property
    def apart(self) -> BoolArray:
        """(N, N) nodes that cannot both hold a member; of a mesh also those without a way."""
        out = self.group.apart
        ways = self.group.ways
        if ways is not None and self.group.shape == "mesh":
            joined = np.eye(len(out), dtype=bool)
            joined[ways.a, ways.b] = joined[ways.b, ways.a] = True
            out = out | ~joined
        return out

    @cached_property
    def tight_pairs(self) -> tuple[IntArray, IntArray]:
        """Nodes a < b whose longest laterals are too long for one another."""
        far, km = self.group.far_km, self.group.km
        over = far[:, None] + km + far[None, :] > self.group.limit_km * (1 + 1e-12)
        a, b = np.nonzero(np.triu(over & ~self.apart, 1))
        return a, b

    @cached_property
    def lateral_nodes(self) -> IntArray:
        """Nodes, rising, at which the longest lateral in use matters."""
        out = set(np.concatenate(self.tight_pairs).tolist())
        if self.group.ways is not None:
            out |= set(self.ways.a[self.long_ways].tolist())
            out |= set(self.ways.b[self.long_ways].tolist())
        return np.array(sorted(out), dtype=np.int64)

    @cached_property
    def long_laterals(self) -> BoolArray:
        """(M,) laterals above half the limit, at nodes where a second member could be too far."""
        long = self.group.lateral_km * 2 > self.group.limit_km
        crowded = np.bincount(self.group.node, minlength=len(self.group.node_at)) > 1
        out: BoolArray = long & crowded[self.group.node]
        return out

    @cached_property
    def long_nodes(self) -> IntArray:
        """Nodes, rising, of `long_laterals`."""
        return np.unique(self.group.node[self.long_laterals])

    @property
    def ways(self) -> Ways:
        """Ways between nodes; only groups on a fiber network have any."""
        assert self.group.ways is not None
        return self.group.ways

    @cached_property
    def long_ways(self) -> IntArray:
        """Ways that are too long between the longest laterals at their ends."""
        far, ways = self.group.far_km, self.ways
        over = far[ways.a] + ways.km + far[ways.b] > self.group.limit_km * (1 + 1e-12)
        return np.flatnonzero(over)

    @cached_property
    def pairs(self) -> tuple[IntArray, IntArray]:
        """Nodes a < b that some way joins, in order."""
        n = len(self.group.node_at)
        code = np.unique(self.ways.a * n + self.ways.b)
        return code // n, code % n

    @cached_property
    def pair_of(self) -> IntArray:
        """(R,) place in `pairs` of every way."""
        n = len(self.group.node_at)
        a, b = self.pairs
        return np.searchsorted(a * n + b, self.ways.a * n + self.ways.b)

    @cached_property
    def edges(self) -> IntArray:
        """Fiber edges that any way uses, rising."""
        return np.unique(self.ways.use_edge)

    def counts_nodes(self, inst: Instance) -> bool:
        """Return whether the number of nodes matters: for traffic, or for what is lost."""
        return inst.groups.routed or self.group.by_nodes

    def columns(self, program: Program, name: str) -> IntArray:
        """Return the unit's columns of a family, in the order in which they were made."""
        family = program.column_families[name]
        ours = (family.keys["group"] == self.index) & (family.keys["period"] == self.start)
        return family.indices[ours]

    def choice(self, program: Program) -> IntArray:
        """Return (C,) the columns that choose the number that efficiency goes by, from 1."""
        if self.group.by_nodes:
            return self.columns(program, "groups.nodes")
        return self.columns(program, "groups.count")[1:]


def units(inst: Instance) -> list[Unit]:
    """Return every group in every era of it, in order."""
    return [Unit(g, row, e) for g, row in enumerate(inst.groups.rows) for e in range(len(row.eras))]


def flag(some: list[Unit], values: list[IntArray]) -> tuple[IntArray, IntArray, IntArray]:
    """Return group, first period and value of ``values`` (one array for each unit), joined."""
    none = np.zeros(0, dtype=np.int64)
    sizes = [len(v) for v in values]
    group = np.repeat(np.array([u.index for u in some], dtype=np.int64), sizes)
    period = np.repeat(np.array([u.start for u in some], dtype=np.int64), sizes)
    return group, period, np.concatenate([none, *values]).astype(np.int64)


def parted(joined: IntArray, sizes: list[int]) -> list[IntArray]:
    """Return ``joined`` cut into parts of these sizes; none for no sizes."""
    return np.split(joined, np.cumsum(sizes)[:-1]) if sizes else []


def add_rows(
    program: Program, some: list[Unit], name: str, key: str, values: list[IntArray], **bounds: Any
) -> list[IntArray]:
    """Add one family of rows by group, era and ``key``; return the rows of each unit.

    ``values`` holds the keys of each unit, ``bounds`` what `Program.add_rows` takes.
    """
    group, period, index = flag(some, values)
    made = program.add_rows(name, keys={"group": group, "period": period, key: index}, **bounds)
    return parted(made, [len(v) for v in values])


def one_each(some: list[Unit]) -> list[IntArray]:
    """Return the keys of one row for each unit."""
    return [np.zeros(1, dtype=np.int64)] * len(some)


def joined_floats(parts: list[FloatArray]) -> FloatArray:
    """Return arrays of the units one after the other, empty without units."""
    return np.concatenate([np.zeros(0), *parts])
