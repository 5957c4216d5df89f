"""Services: the traffic of served work has routes from the node of its site to that of its end."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from heapq import heappop, heappush

from sitepick.checks.case import Case, number
from sitepick.checks.fiber_prices import Edge, edges_of
from sitepick.checks.tolerance import more, off
from sitepick.finding import Finding
from sitepick.scenario.fiber_capacity import Service
from sitepick.solution_fiber import LinkRow

Ends = tuple[str, str]
TBPS = 1e-5
MS_PER_KM = 2 * 4.9e-3
"""Round trip over a route km."""


def check(case: Case) -> Iterator[Finding]:
    """Yield the breaches of the `services.*` rows."""
    edges, names = edges_of(case), {s.name for s in case.scenario.fiber.services}
    if case.candidates.fiber is None:
        return
    for service in case.scenario.fiber.services:
        wanted = asked(case, service)
        given: dict[tuple[Ends, int], float] = defaultdict(float)
        for row in case.solution.links:
            if row.service == service.name:
                t = case.calendar.periods.index(row.period)
                given[(row.from_node, row.to_node), t] += row.tbps
        for key in sorted({*wanted, *given}):
            (ends, t), tbps = key, wanted.get(key, 0.0)
            apart = off(given.get(key, 0.0), tbps, TBPS)
            if apart:
                where = f"{service.name} {ends[0]} to {ends[1]}, {case.when(t)}"
                message = f"{given.get(key, 0.0):,.6g} Tb/s have a route, work makes {tbps:,.6g}"
                yield Finding("services.flow", where, apart, "Tb/s", message)
        yield from _too_long(case, service, edges)
    for row in case.solution.links:
        if row.service in names:
            yield from wrong_route(case, row, edges)


def asked(case: Case, service: Service) -> dict[tuple[Ends, int], float]:
    """Return the Tb/s that served work makes between two nodes, by period."""
    out: dict[tuple[Ends, int], float] = defaultdict(float)
    at, places = nodes_of_sites(case), _nodes_of_places(case)
    far: dict[str, str | None] = {}
    for (site, workload, place, t), ref_mw in case.served.items():
        start = at.get(site)
        if workload != service.workload or start is None:
            continue
        if service.to_nodes is None:
            end = places.get(place)
        else:
            if start not in far:
                far[start] = nearest(case, start, service.to_nodes)
            end = far[start]
        if end is not None and end != start:
            out[(start, end), t] += ref_mw * service.gbps_per_ref_mw / 1000
    return out


def nodes_of_sites(case: Case) -> dict[str, str]:
    """Return the node that each site meets; sites that meet none are left out."""
    fiber = case.candidates.fiber
    if fiber is None:
        return {}
    pairs = zip(case.candidates.sites["site_id"], fiber.sites.node, strict=True)
    return {str(site): str(fiber.network.node_id[n]) for site, n in pairs if n >= 0}


def _nodes_of_places(case: Case) -> dict[str, str]:
    fiber = case.candidates.fiber
    assert fiber is not None
    pairs = zip(case.candidates.places["place_id"], fiber.places.node, strict=True)
    return {str(place): str(fiber.network.node_id[n]) for place, n in pairs if n >= 0}


def kms_from(edges: dict[str, Edge], start: str) -> dict[str, float]:
    """Return the km of the shortest routes from a node to all that it reaches (Dijkstra)."""
    near: dict[str, list[tuple[str, float]]] = defaultdict(list)
    for edge in edges.values():
        for a, b in (edge.ends, edge.ends[::-1]):
            near[a].append((b, edge.km))
    done: dict[str, float] = {}
    heap = [(0.0, start)]
    while heap:
        km, node = heappop(heap)
        if node not in done:
            done[node] = km
            for other, more_km in near[node]:
                heappush(heap, (km + more_km, other))
    return done


def nearest(case: Case, start: str, nodes: list[str]) -> str | None:
    """Return the nearest of some nodes, the first of those equally near."""
    km = kms_from(edges_of(case), start)
    return min(nodes, key=lambda node: km.get(node, float("inf")))


def wrong_route(case: Case, row: LinkRow, edges: dict[str, Edge]) -> Iterator[Finding]:
    """Yield what is wrong with the route of a link: its edges in order, its km and its time."""
    where = f"{row.service} {row.from_node} to {row.to_node} #{row.route}, {row.period}"
    at, km = row.from_node, 0.0
    for name in row.edges:
        ends = edges[name].ends
        if at not in ends:
            message = f"edge {name} does not begin at {at}"
            yield Finding("services.route", where, 1, "edges", message)
            return
        at, km = ends[1] if at == ends[0] else ends[0], km + edges[name].km
    if at != row.to_node:
        message = f"the route ends at {at}"
        yield Finding("services.route", where, 1, "edges", message)
    rtt_ms = km * MS_PER_KM + case.scenario.demand.hop_ms
    for what, stated, found in (("km", row.km, km), ("rtt_ms", row.rtt_ms, rtt_ms)):
        apart = off(stated, found)
        if apart:
            message = f"{what} is {stated:,.6g}, along its edges it is {found:,.6g}"
            yield Finding("services.route", where, apart, what, message)


def _too_long(case: Case, service: Service, edges: dict[str, Edge]) -> Iterator[Finding]:
    """A longer route than the shortest must still leave the work within its round-trip limit."""
    limit, fiber = case.workloads[service.workload].rtt_ms_max, case.candidates.fiber
    if limit is None or service.to_nodes is not None or fiber is None:
        return
    laterals = _longest_laterals(case, service)
    for row in case.solution.links:
        if row.service != service.name or not row.tbps:
            continue
        lateral = laterals.get((row.from_node, row.to_node), 0.0)
        shortest = kms_from(edges, row.from_node).get(row.to_node, 0.0)
        rtt_ms = (row.km + lateral) * MS_PER_KM + case.scenario.demand.hop_ms
        over = more(rtt_ms, limit)
        if over and row.km > shortest + 1e-6:
            where = f"{row.service} {row.from_node} to {row.to_node} #{row.route}, {row.period}"
            message = f"the round trip takes {rtt_ms:,.6g} ms, {limit:g} ms is the limit"
            yield Finding("services.route", where, over, "ms", message)


def _longest_laterals(case: Case, service: Service) -> dict[Ends, float]:
    """Return the km of laterals at both ends, the longest of those that serve, by nodes."""
    fiber = case.candidates.fiber
    assert fiber is not None
    tables = case.candidates
    at, places = nodes_of_sites(case), _nodes_of_places(case)
    of_site, of_place = (
        dict(zip(ids, met.lateral_km + met.along_km, strict=True))
        for ids, met in (
            (tables.sites["site_id"], fiber.sites),
            (tables.places["place_id"], fiber.places),
        )
    )
    out: dict[Ends, float] = defaultdict(float)
    for site, workload, place, _ in case.served:
        if workload == service.workload and site in at and place in places:
            km = (number(of_site[site]) or 0.0) + (number(of_place[place]) or 0.0)
            ends = at[site], places[place]
            out[ends] = max(out[ends], km)
    return out
