"""Campus groups: members, how far apart they are, what they lose, and the figures of their rows.

Distances are found by a search of this module's own over the fiber network, or on the ellipsoid
where there is none. `group_links` judges the links.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from itertools import combinations
from math import inf, isfinite

from sitepick.checks.asked import Asked, asked
from sitepick.checks.case import ANYWHERE, Case, Row, number
from sitepick.checks.geodesic import geodesic_km
from sitepick.checks.tolerance import MW, more, off
from sitepick.finding import Finding
from sitepick.scenario.groups import CampusGroup
from sitepick.solution_fiber import MemberRow

KM = 1e-3
"""Largest breach of a distance that counts as none, km."""
_ROUND_TRIP_MS = 0.0098  # of one route km: light goes at 4.9 us/km, to and fro


def check(case: Case) -> Iterator[Finding]:
    """Yield the breaches of the `groups.*` rows that concern members and work."""
    wanted = asked(case)
    for group in case.scenario.campus_groups:
        yield from _members_fixed(case, group)
        for t in case.times:
            if wanted.get((group.workload, ANYWHERE, t)):
                yield from _one_period(case, group, t, wanted)
            else:
                yield from _nothing(case, group, t)
        yield from _least(case, group, wanted)
    yield from _apart(case)


def members(case: Case, group: str, t: int) -> list[MemberRow]:
    """Return the rows of a group's sites in a period, by site."""
    rows = [r for r in case.solution.members if r.group == group and r.period == case.when(t)]
    return sorted(rows, key=lambda r: r.site_id)


def delivered_share(case: Case, workload: str, t: int) -> float:
    """Return what is delivered of work at sites, 0..1: below 1 for campus groups."""
    for group in case.scenario.campus_groups:
        if group.workload == workload:
            here = members(case, group.name, t)
            return efficiency(case, group, len(here), len({r.node for r in here}))
    return 1.0


def most_work(case: Case, workload: str) -> float:
    """Return the most work at sites for 1 ref_mw delivered."""
    for group in case.scenario.campus_groups:
        if group.workload == workload:
            numbers = range(1, group.sites_max + 1)
            return max(1 / efficiency(case, group, n, n) for n in numbers)
    return 1.0


def efficiency(case: Case, group: CampusGroup, sites: int, nodes: int) -> float:
    """Return the share of the work that so many sites at so many nodes deliver."""
    if group.loss_pct_per_extra_site is not None:
        return 1 - group.loss_pct_per_extra_site / 100 * max(0, sites - 1)
    if nodes < 2:
        return 1.0
    computing = group.sync.step_s * group.sync.every_steps
    window = computing if group.sync.window_s is None else group.sync.window_s
    overlap = window if group.sync.overlap_s is None else group.sync.overlap_s
    one_way_s = (case.scenario.demand.hop_ms + _ROUND_TRIP_MS * limit_km(case, group)) / 2 / 1000
    hops = 2 * (nodes - 1) if group.shape == "ring" else 2
    waiting = window + hops * one_way_s - overlap
    return computing / (computing + max(0.0, waiting))


def limit_km(case: Case, group: CampusGroup) -> float:
    """Return how far two members may be apart, route km."""
    limits = [inf if group.route_km_max is None else group.route_km_max]
    if group.rtt_ms_max is not None:
        limits.append((group.rtt_ms_max - case.scenario.demand.hop_ms) / _ROUND_TRIP_MS)
    return min(limits)


def _work(case: Case, group: CampusGroup, t: int) -> dict[str, float]:
    """Return what sites deliver of a group's workload, ref_mw."""
    out: dict[str, float] = defaultdict(float)
    for (site, workload, _, at), mw in case.served.items():
        if workload == group.workload and at == t:
            out[site] += mw
    return out


def _it(case: Case, group: CampusGroup, t: int) -> dict[str, float]:
    """Return the IT MW that sites give a group."""
    out: dict[str, float] = defaultdict(float)
    if case.scenario.hardware == "none":
        share = delivered_share(case, group.workload, t)
        return {site: mw / share for site, mw in _work(case, group, t).items()}
    for (site, _, workload, at), mw in case.used.items():
        if workload == group.workload and at == t:
            out[site] += mw
    return out


def _members_fixed(case: Case, group: CampusGroup) -> Iterator[Finding]:
    if group.migrate:
        return
    seen: dict[frozenset[tuple[str, str]], str] = {}
    for t in case.times:
        here = frozenset((r.site_id, r.node) for r in members(case, group.name, t))
        if _row(case, group, t) is not None:
            seen.setdefault(here, case.when(t))
    if len(seen) > 1:
        first, second, *_ = seen
        moved = len({s for s, _ in first} ^ {s for s, _ in second}) or 1
        message = f"the members of {seen[first]} are others than those of {seen[second]}"
        yield Finding("groups.fixed", f"group {group.name}", moved, "sites", message)


def _row(case: Case, group: CampusGroup, t: int) -> Row | None:
    for r in case.solution.groups:
        if r.group == group.name and r.period == case.when(t):
            return vars(r)
    return None


def _nothing(case: Case, group: CampusGroup, t: int) -> Iterator[Finding]:
    if _row(case, group, t) is not None or members(case, group.name, t):
        message = "rows of a period in which nothing is asked of the group"
        where = f"group {group.name}, {case.when(t)}"
        yield Finding("groups.figures", where, 1, "rows", message)


def _one_period(case: Case, group: CampusGroup, t: int, wanted: Asked) -> Iterator[Finding]:
    where = f"group {group.name}, {case.when(t)}"
    here, row = members(case, group.name, t), _row(case, group, t)
    if row is None:
        message = "the plan says nothing of the group in this period"
        yield Finding("groups.figures", where, 1, "rows", message)
        return
    work, it = _work(case, group, t), _it(case, group, t)
    sites = {r.site_id for r in here}
    for site in sorted(set(work) - sites):
        if more(work[site], 0.0):
            message = (
                f"{work[site]:,.6g} ref_mw of the group are served from site {site}, no member"
            )
            yield Finding("groups.load", where, work[site], "ref_mw", message)
    if here and not group.sites_min <= len(here) <= group.sites_max:
        most = max(group.sites_min - len(here), len(here) - group.sites_max)
        message = f"{len(here)} sites, {group.sites_min} to {group.sites_max} are asked"
        yield Finding("groups.sites", where, most, "sites", message)
    share = delivered_share(case, group.workload, t)
    short = case.short.get((group.workload, ANYWHERE, t), 0.0)
    delivered = sum(work.values())
    expected = {
        "sites": len(here),
        "nodes": len({r.node for r in here}),
        "efficiency": share,
        "it_mw": sum(it.values()),
        "worked_ref_mw": delivered / share,
        "delivered_ref_mw": delivered,
        "turned_away_ref_mw": short,
        "demand_ref_mw": wanted[group.workload, ANYWHERE, t],
    }
    for name, value in expected.items():
        apart = off(row[name], value, 1e-9 if name == "efficiency" else MW)
        if apart:
            unit = "share" if name == "efficiency" else name.removeprefix("it_")
            message = f"{name} is stated as {row[name]:,.9g}, the plan's rows make {value:,.9g}"
            yield Finding("groups.figures", where, apart, unit, message)
    for r in here:
        for name, value in (
            ("it_mw", it.get(r.site_id, 0.0)),
            ("worked_ref_mw", work.get(r.site_id, 0.0) / share),
        ):
            stated = getattr(r, name)
            if off(stated, value):
                message = f"{name} of site {r.site_id} is stated as {stated:,.9g}, not {value:,.9g}"
                yield Finding("groups.figures", where, off(stated, value), "MW", message)


def _least(case: Case, group: CampusGroup, wanted: Asked) -> Iterator[Finding]:
    """Yield members that give the group too little when most is asked."""
    asked_mw = {t: wanted.get((group.workload, ANYWHERE, t), 0.0) for t in case.times}
    if not any(asked_mw.values()):
        return
    peak = max(asked_mw.values())
    when = [t for t in case.times if asked_mw[t] and (group.migrate or asked_mw[t] == peak)]
    for t in when if group.migrate else when[:1]:
        it = _it(case, group, t)
        for r in members(case, group.name, t):
            under = more(group.min_site_it_mw, it.get(r.site_id, 0.0))
            if under:
                where = f"group {group.name}, site {r.site_id}, {case.when(t)}"
                message = (
                    f"{it.get(r.site_id, 0.0):,.6g} IT MW, {group.min_site_it_mw:,.6g} at least"
                )
                yield Finding("groups.least", where, under, "IT MW", message)


class Distances:
    """Route km between sites: over the fiber network by Dijkstra's search, else straight lines."""

    def __init__(self, case: Case) -> None:
        self.case, self.fiber = case, case.candidates.fiber
        self._from: dict[tuple[int, date], dict[int, float]] = {}
        if self.fiber is not None:
            names = [str(s) for s in case.candidates.sites["site_id"]]
            self.at = {name: k for k, name in enumerate(names)}
            net = self.fiber.network
            self.node_of = {str(n): k for k, n in enumerate(net.node_id)}
            self.steps: dict[int, list[tuple[int, int]]] = defaultdict(list)
            for e in range(len(net.edge_id)):
                a, b = int(net.from_node[e]), int(net.to_node[e])
                self.steps[a].append((b, e))
                self.steps[b].append((a, e))

    def there(self, edge: int, when: date) -> bool:
        """Return whether a fiber edge is in service."""
        assert self.fiber is not None
        net = self.fiber.network
        since = net.in_service[edge]
        return not net.new[edge] and (since is None or since <= when)

    def attached(self, site: str) -> tuple[int, float]:
        """Return the node where a site enters the network (-1: nowhere), and the km to it."""
        assert self.fiber is not None
        at, k = self.fiber.sites, self.at[site]
        if int(at.node[k]) < 0 or not isfinite(at.lateral_km[k]):
            return -1, inf
        along = number(at.along_km[k]) or 0.0
        return int(at.node[k]), float(at.lateral_km[k]) + along

    def from_node(self, start: int, when: date) -> dict[int, float]:
        """Return route km from a node to all that it reaches."""
        assert self.fiber is not None
        if (start, when) not in self._from:
            km: dict[int, float] = {}
            heap = [(0.0, start)]
            while heap:
                far, node = heapq.heappop(heap)
                if node in km:
                    continue
                km[node] = far
                for other, edge in self.steps[node]:
                    if other not in km and self.there(edge, when):
                        heapq.heappush(heap, (far + float(self.fiber.network.km[edge]), other))
            self._from[start, when] = km
        return self._from[start, when]

    def between(self, a: str, b: str, when: date) -> float:
        """Return route km between two sites, laterals included."""
        if self.fiber is None:
            ends = [(number(self.case.sites[s]["lon"]), number(self.case.sites[s]["lat"]))
                    for s in (a, b)]  # fmt: skip
            (lon1, lat1), (lon2, lat2) = ends
            if lon1 is None or lat1 is None or lon2 is None or lat2 is None:
                return inf
            return self.case.scenario.demand.route_factor * geodesic_km(lon1, lat1, lon2, lat2)
        (node, near), (other, far) = self.attached(a), self.attached(b)
        if node < 0 or other < 0:
            return inf
        return near + self.from_node(node, when).get(other, inf) + far


def _apart(case: Case) -> Iterator[Finding]:
    """Yield members too far apart, and laterals that are stated too short."""
    distances = Distances(case)
    for group in case.scenario.campus_groups:
        limit = limit_km(case, group)
        first: dict[frozenset[str], int] = {}
        for t in case.times:
            here = members(case, group.name, t)
            if here:
                first.setdefault(frozenset(r.site_id for r in here), t)
        for t in first.values():
            here, when = members(case, group.name, t), case.calendar.starts[t]
            for a, b in combinations([r.site_id for r in here], 2):
                km = distances.between(a, b, when)
                if more(km, limit, KM):
                    where = f"group {group.name}, sites {a} and {b}"
                    shown = "no route at all" if km == inf else f"{km:,.6g} route km"
                    message = f"{shown} between two members, {limit:,.6g} km is the limit"
                    amount = km - limit if isfinite(km) else limit
                    yield Finding("groups.apart", where, amount, "km", message)
            yield from _laterals(case, group, distances, here, when)


def _laterals(
    case: Case, group: CampusGroup, distances: Distances, here: list[MemberRow], when: date
) -> Iterator[Finding]:
    for r in here:
        where = f"group {group.name}, site {r.site_id}"
        if distances.fiber is None:
            known, own = r.node in case.sites, r.node == r.site_id
            km = distances.between(r.site_id, r.node, when) if known and not own else 0.0
        else:
            node, km = distances.attached(r.site_id)
            known = r.node in distances.node_of and node >= 0
            if known:
                km += distances.from_node(node, when).get(distances.node_of[r.node], inf)
        if not known:
            message = f"the site does not meet the network at a node {r.node}"
            yield Finding("groups.lateral", where, 1, "nodes", message)
        elif off(r.lateral_km, km, KM):
            message = f"{r.lateral_km:,.6g} km to node {r.node} are stated, it is {km:,.6g} km"
            yield Finding("groups.lateral", where, off(r.lateral_km, km, KM), "km", message)
