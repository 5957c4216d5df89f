"""Where the decisions of a plan are in a program: their columns, and what these come to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from sitepick.actions import Decision
from sitepick.actions.groups import Stretch, stretches
from sitepick.blocks.columns import halls_at, it_at, open_at, tie_at
from sitepick.blocks.deliverability import upgrades_at
from sitepick.blocks.group_units import Unit, units
from sitepick.blocks.onsite import stays
from sitepick.instance.types import Instance
from sitepick.matrix import FloatArray, IntArray
from sitepick.program import Program
from sitepick.readout import tie_kv
from sitepick.solution import Solution


@dataclass(frozen=True)
class Term:
    """``sum of sign * column = value``. ``counts``: it is part of the decision's amount."""

    columns: IntArray  # (n,)
    signs: FloatArray  # (n,)
    value: float
    counts: bool = True

    @property
    def alone(self) -> bool:
        """Whether it is the value of one column."""
        return len(self.columns) == 1 and self.signs[0] == 1


class Gone(Exception):
    """A decision for which the program has no column, with the reason in planner's words."""


class Finder:
    """Finds the columns of decisions of ``plan`` in a program."""

    def __init__(self, program: Program, inst: Instance, plan: Solution) -> None:
        self.program, self.inst, self.plan = program, inst, plan
        self.site = {s: i for i, s in enumerate(inst.sites.ids)}
        self.period = {p: t for t, p in enumerate(inst.time.names)}
        self.poi = {b: i for i, b in enumerate(inst.headroom.poi_ids)}
        self._of: dict[str, Callable[..., Iterator[Term]]] = {
            "site": self._site, "tie": self._tie, "halls": self._halls, "retrofit": self._retrofit,
            "hardware": self._hardware, "onsite": self._onsite, "battery": self._battery,
            "lease": self._lease, "offer": self._offer, "step": self._step, "line": self._line,
            "region": self._region, "pairs": self._pairs, "light": self._light,
            "route": self._route, "member": self._member, "link": self._link,
        }  # fmt: skip

    def terms(self, decision: Decision, amount: float) -> list[Term]:
        """Return what a decision of that amount fixes. Raises Gone where it cannot be at all."""
        return list(self._of[decision.what](amount, *decision.ids))

    def _at(self, names: dict[str, int], name: str, what: str) -> int:
        if name not in names:
            raise Gone(f"there is no {what} {name} to choose")
        return names[name]

    def _when(self, period: str) -> int:
        return self._at(self.period, period, "period")

    def _place(self, site: str) -> int:
        return self._at(self.site, site, "candidate")

    def _level(self, columns: IntArray, since: str | None) -> Iterator[Term]:
        """A level (T,) that rises at ``since`` and stays; only its rise counts."""
        first = 0 if since is None else self._when(since)
        for t, column in enumerate(columns):
            if column >= 0:
                one = np.array([column])
                yield Term(one, np.ones(1), float(t >= first), counts=t == first)
            elif t == first:
                raise Gone("it cannot stand by then")

    def _site(self, amount: float, site: str) -> Iterator[Term]:
        i = self._place(site)
        if self.inst.sites.existing[i]:
            return
        opened = {row.site_id: row.opened for row in self.plan.sites}
        yield from self._level(open_at(self.program, self.inst)[i], opened[site])

    def _tie(self, amount: float, site: str, poi: str, kv: str) -> Iterator[Term]:
        i = self._place(site)
        b = self._at(self.poi, poi, "POI")
        near = np.flatnonzero((self.inst.ties.site == i) & (self.inst.ties.poi == b))
        volts = {e: tie_kv(self.inst, int(e)) for e in near}
        same = [e for e, v in volts.items() if ("" if v is None else f"{v:g}") == kv]
        if not same and not kv and len(near) == 1:
            same = [near[0]]  # a plan that does not say its voltage means the only one
        if not same:
            raise Gone("no such tie is possible")
        if self.inst.ties.owned[same[0]] or self.inst.ties.only[same[0]]:
            return  # it stands, or it is the opening itself
        since = {
            ("" if tie.kv is None else f"{tie.kv:g}"): tie.since
            for tie in self.plan.ties
            if (tie.site_id, tie.poi_id) == (site, poi)
        }
        yield from self._level(tie_at(self.program, self.inst)[same[0]], since[kv])

    def _halls(self, amount: float, site: str, hall: str, period: str) -> Iterator[Term]:
        return self._of_class("halls.build", amount, site, hall, period)

    def _retrofit(self, amount: float, site: str, hall: str, period: str) -> Iterator[Term]:
        return self._of_class("halls.convert", amount, site, hall, period)

    def _of_class(
        self, family: str, amount: float, site: str, hall: str, period: str
    ) -> Iterator[Term]:
        classes = {name: k for k, name in enumerate(self.inst.halls.ids)}
        i, k = self._place(site), self._at(classes, hall, "hall class")
        column = halls_at(self.program, self.inst, family)[i, k, self._when(period)]
        yield self._sum(np.array([column]), amount)

    def _sum(self, columns: IntArray, amount: float) -> Term:
        found = columns[columns >= 0]
        if not len(found):
            raise Gone("it is not possible there by then")
        return Term(found, np.ones(len(found)), amount)

    def _hardware(self, amount: float, site: str, item: str, period: str) -> Iterator[Term]:
        items = {name: h for h, name in enumerate(self.inst.hardware.ids)}
        i, h = self._place(site), self._at(items, item, "hardware")
        bought = it_at(self.program, self.inst, "hardware.buy")
        yield self._sum(bought[i, :, h, self._when(period)], amount)

    def _onsite(self, amount: float, site: str, option: str, since: str) -> Iterator[Term]:
        on, stay = self.inst.onsite, stays(self.program, self.inst)
        kinds = {name: p for p, name in enumerate(on.ids)}
        i, p = self._place(site), self._at(kinds, option, "on-site option")
        mine = (on.site[stay.pair] == i) & (on.option[stay.pair] == p)
        yield self._sum(stay.column[mine & (stay.start == self._when(since))], amount)

    def _battery(self, amount: float, site: str, period: str) -> Iterator[Term]:
        shape = len(self.inst.sites.ids), self.inst.time.n
        at = self._place(site), self._when(period)
        families = ("flexible.battery", "swing.battery")
        yield self._sum(np.array([self.program.index(f, shape)[at] for f in families]), amount)

    def _lease(self, amount: float, site: str) -> Iterator[Term]:
        leases = self.inst.leases
        found = np.flatnonzero(leases.site == self._place(site))
        if not len(found):
            raise Gone(f"{site} is no offer of leased halls")
        since = next(row.since for row in self.plan.leases if row.site_id == site)
        columns = self.program.index("leases.mw", (len(leases.site), self.inst.time.n))
        yield self._sum(columns[found[:1], self._when(since)], amount)

    def _offer(self, amount: float, offer: str) -> Iterator[Term]:
        room = self.inst.headroom
        o = self._at({name: j for j, name in enumerate(room.offer_ids)}, offer, "letter")
        shape = (len(room.offer_ids),)
        yield self._sum(self.program.index("headroom.take", shape)[[o]], amount)
        accept = self.program.index("headroom.accept", shape)[o]
        if accept >= 0:
            yield Term(np.array([accept]), np.ones(1), 1.0, counts=False)

    def _step(self, amount: float, poi: str, period: str) -> Iterator[Term]:
        b, t = self._at(self.poi, poi, "POI"), self._when(period)
        steps = self.program.index("headroom.steps", (len(self.poi), self.inst.time.n))[b]
        if steps[t] < 0:
            raise Gone("no upgrade step can be bought there")
        columns = steps[max(0, t - 1) : t + 1]
        yield Term(columns, np.array([-1.0, 1.0])[-len(columns) :], amount)

    def _line(self, amount: float, branch: str) -> Iterator[Term]:
        joint = self.inst.joint
        names = {} if joint is None else {b: u for u, b in enumerate(joint.upgrade_ids)}
        u = self._at(names, branch, "line upgrade")
        bought = {row.branch_id: row.period for row in self.plan.line_upgrades}
        yield from self._level(upgrades_at(self.program, self.inst)[u], bought[branch])

    def _edge(self, edge: str) -> int:
        fiber = self.inst.fiber
        names = {} if fiber is None else {e: k for k, e in enumerate(fiber.edges.ids)}
        return self._at(names, edge, "fiber edge")

    def _on_edge(self, family: str) -> IntArray:
        """Return (E, T) the columns of a family of fiber edges."""
        fiber = self.inst.fiber
        n_edge = 0 if fiber is None else len(fiber.edges.ids)
        return self.program.index(family, (n_edge, self.inst.time.n))

    def _pairs(self, amount: float, edge: str, period: str) -> Iterator[Term]:
        columns = self._on_edge("fiber.pairs")[self._edge(edge), self._when(period)]
        yield self._sum(np.array([columns]), amount)

    def _light(self, amount: float, edge: str, period: str) -> Iterator[Term]:
        columns = self._on_edge("fiber.light")[self._edge(edge), self._when(period)]
        yield self._sum(np.array([columns]), amount)

    def _route(self, amount: float, edge: str) -> Iterator[Term]:
        since = {row.edge: row.period for row in self.plan.builds}
        yield from self._level(self._on_edge("fiber.route")[self._edge(edge)], since[edge])

    def _eras(self, group: str, since: str) -> tuple[Stretch, list[Unit]]:
        """Return the stretch of the plan's group that begins then, and the eras that it meets."""
        mine = [u for u in units(self.inst) if u.group.name == group]
        if not mine:
            raise Gone(f"there is no campus group {group}")
        part = next(s for s in stretches(self.plan) if (s.group, s.since) == (group, since))
        found = {self._when(p) for p in part.periods}
        return part, [u for u in mine if found & set(u.periods.tolist())]

    def _member(self, amount: float, group: str, site: str, since: str) -> Iterator[Term]:
        i = self._place(site)
        for k, unit in enumerate(self._eras(group, since)[1]):
            at = np.flatnonzero(unit.group.site == i)
            if not len(at):
                raise Gone(f"{site} meets no fiber and cannot be a member")
            column = unit.columns(self.program, "groups.member")[at]
            yield Term(column, np.ones(1), 1.0, counts=not k)

    def _link(self, amount: float, group: str, a: str, b: str, since: str) -> Iterator[Term]:
        """No other route of these nodes; that they stay members is their own decision."""
        part, eras = self._eras(group, since)
        routes, names = part.links[a, b][0], self.inst.groups.edges
        nodes = {name: n for n, name in enumerate(self.inst.groups.nodes)}
        ends = {self._at(nodes, name, "fiber node") for name in (a, b)}
        for unit in eras:
            if unit.group.ways is None:
                raise Gone("there is no fiber network")
            ways, at = unit.ways, unit.group.node_at
            mine = [
                r for r in range(len(ways.a))
                if {int(at[ways.a[r]]), int(at[ways.b[r]])} == ends
            ]  # fmt: skip
            told = {
                r: tuple(sorted(tuple(names[e] for e in way) for way in ways.routes[r]))
                for r in mine
            }
            if routes not in told.values():
                raise Gone("its route is not possible")
            other = np.array([r for r in mine if told[r] != routes], dtype=np.int64)
            if len(other):
                columns = unit.columns(self.program, "groups.way")[other]
                yield Term(columns, np.ones(len(other)), 0.0, counts=False)

    def _region(self, amount: float, level: str, region: str) -> Iterator[Term]:
        entered = {(row.level, row.region_id): row.entered for row in self.plan.entered}
        names = [(e.level, e.region_id) for e in self.inst.entries]
        if (level, region) not in names:
            return  # entering costs nothing and is not counted
        shape = len(names), self.inst.time.n
        columns = self.program.index("regions.enter", shape)[names.index((level, region))]
        yield from self._level(columns, entered[level, region])
