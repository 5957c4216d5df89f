"""Routes of work over the fiber network, found a second time by plain loops (Dijkstra)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from heapq import heappop, heappush

from sitepick.checks.case import ANYWHERE, Case, number
from sitepick.finding import Finding

MS_PER_KM = 2 * 4.9e-3
"""Round trip of light over a km of fiber, ms."""
_HAIR_KM = 1e-6


def check(case: Case) -> Iterator[Finding]:
    """Yield pairs that serve whose km or round-trip time is not that of the shortest route.

    Nothing is said of pairs whose distance or time was measured, nor of those without a route.
    """
    if case.candidates.fiber is None:
        return
    served = sorted({(s, p) for (s, _, p, _), mw in case.served.items() if p != ANYWHERE and mw})
    found = route_km(case, served)
    for site, place in served:
        row = case.reach.get((site, place), {})
        km, rtt = number(row.get("km")), number(row.get("rtt_ms"))
        if row.get("source") not in ("route", "straight") or km is None or rtt is None:
            continue
        where, own = f"{place} from site {site}", found.get((site, place))
        if own is None:
            if row.get("source") == "route":
                message = "no route over the fiber network joins them"
                yield Finding("demand.route", where, km, "km", message)
            continue
        if abs(km - own) > _HAIR_KM * max(1.0, own):
            message = f"the route has {km:,.6g} km, the shortest has {own:,.6g} km"
            yield Finding("demand.route", where, abs(km - own), "km", message)
        time = own * MS_PER_KM + case.scenario.demand.hop_ms
        if abs(rtt - time) > _HAIR_KM * max(1.0, time):
            message = f"the round trip takes {rtt:,.6g} ms, over the shortest route {time:,.6g} ms"
            yield Finding("demand.route", where, abs(rtt - time), "ms", message)


def route_km(case: Case, pairs: list[tuple[str, str]]) -> dict[tuple[str, str], float]:
    """Return the route km of pairs of site and place, laterals included; none where unknown."""
    fiber = case.candidates.fiber
    assert fiber is not None
    near = _links(case)
    ends: dict[str, dict[str, tuple[int, float]]] = {"site": {}, "place": {}}
    for kind, ids, at in (
        ("site", case.candidates.sites["site_id"], fiber.sites),
        ("place", case.candidates.places["place_id"], fiber.places),
    ):
        for k, ident in enumerate(ids):
            if at.node[k] >= 0:
                lateral = float(at.lateral_km[k]) + float(at.along_km[k])
                ends[kind][str(ident)] = int(at.node[k]), lateral
    known = [(s, p) for s, p in pairs if s in ends["site"] and p in ends["place"]]
    goals: dict[int, set[int]] = defaultdict(set)
    for site, place in known:
        goals[ends["site"][site][0]].add(ends["place"][place][0])
    reached = {start: _shortest(near, start, wanted) for start, wanted in goals.items()}
    out = {}
    for site, place in known:
        (start, first), (goal, last) = ends["site"][site], ends["place"][place]
        if goal in reached[start]:
            out[site, place] = first + reached[start][goal] + last
    return out


def _links(case: Case) -> dict[int, list[tuple[int, float]]]:
    """Return what is joined to each node by edges that are there when the plan begins."""
    assert case.candidates.fiber is not None
    net, day = case.candidates.fiber.network, case.calendar.starts[0]
    near: dict[int, list[tuple[int, float]]] = defaultdict(list)
    for e in range(len(net.edge_id)):
        late = net.in_service[e] is not None and net.in_service[e] > day
        if not net.new[e] and not late:
            a, b, km = int(net.from_node[e]), int(net.to_node[e]), float(net.km[e])
            near[a].append((b, km))
            near[b].append((a, km))
    return near


def _shortest(
    near: dict[int, list[tuple[int, float]]], start: int, wanted: set[int]
) -> dict[int, float]:
    """Return the km from ``start`` to the wanted nodes that it reaches."""
    done: dict[int, float] = {}
    left = set(wanted)
    heap = [(0.0, start)]
    while heap and left:
        km, node = heappop(heap)
        if node in done:
            continue
        done[node] = km
        left.discard(node)
        for other, more in near[node]:
            if other not in done:
                heappush(heap, (km + more, other))
    return {node: done[node] for node in wanted if node in done}
