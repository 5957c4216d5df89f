"""Links of campus groups: their shape, routes edge by edge, Tb/s, what a cut leaves, edge use."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from sitepick.checks.case import Case, standing
from sitepick.checks.groups import KM, Distances, limit_km, members
from sitepick.checks.tolerance import more, off, share_of
from sitepick.finding import Finding
from sitepick.scenario.groups import CampusGroup
from sitepick.solution_fiber import LinkRow

Ends = tuple[str, str]


def check(case: Case) -> Iterator[Finding]:
    """Yield the breaches of the `groups.*` rows that concern links. None without a network."""
    distances = Distances(case)
    for group in case.scenario.campus_groups if distances.fiber is not None else []:
        for t in case.times:
            rows = [r for r in case.solution.links
                    if r.service == group.name and r.period == case.when(t)]  # fmt: skip
            if _works(case, group, t) or rows:
                yield from _shape(case, group, t, rows)
                yield from _routes(case, group, t, rows, distances)
                yield from _cut(case, group, t, rows)


def _works(case: Case, group: CampusGroup, t: int) -> bool:
    done = sum(
        mw for (_, workload, _, at), mw in case.served.items()
        if workload == group.workload and at == t
    )  # fmt: skip
    return bool(more(done, 0.0))


def _where(case: Case, group: CampusGroup, t: int) -> str:
    return f"group {group.name}, {case.when(t)}"


def _ends(row: LinkRow) -> Ends:
    return (
        (row.from_node, row.to_node)
        if row.from_node < row.to_node
        else (row.to_node, row.from_node)
    )


def _shape(case: Case, group: CampusGroup, t: int, rows: list[LinkRow]) -> Iterator[Finding]:
    """Yield links that are missing or too many for the shape, and Tb/s that are not those asked."""
    nodes = {r.node for r in members(case, group.name, t)}
    links = {_ends(r) for r in rows if r.route == 1}
    where, n = _where(case, group, t), len(nodes)
    strange = {node for pair in links for node in pair} - nodes
    if strange:
        message = f"links end at {', '.join(sorted(strange))}, where no member is"
        yield Finding("groups.links", where, len(strange), "nodes", message)
    degree = {node: sum(node in pair for pair in links) for node in nodes}
    wanted = {"mesh": n * (n - 1) // 2, "hub": n - 1, "ring": n if n > 2 else n - 1}[group.shape]
    wrong = abs(len(links) - max(0, wanted))
    if group.shape == "ring" and n > 2:
        wrong += sum(d != 2 for d in degree.values())
    elif group.shape == "hub" and n > 2:
        wrong += max(degree.values(), default=0) != n - 1
    reached, open_nodes = set[str](), sorted(nodes)[:1]
    while open_nodes:
        node = open_nodes.pop()
        reached.add(node)
        for pair in links:
            if node in pair:
                open_nodes += [end for end in pair if end not in reached]
    wrong += n - len(reached & nodes)
    if wrong:
        message = f"{len(links)} links do not make a {group.shape} of {n} nodes"
        yield Finding("groups.links", where, wrong, "links", message)
    tbps = _asked_tbps(case, group, t, n)
    for r in rows:
        if off(r.tbps, tbps, share_of(tbps)):
            message = (
                f"the link to {r.to_node} carries {r.tbps:,.6g} Tb/s, {tbps:,.6g} are exchanged"
            )
            yield Finding(
                "groups.tbps", f"{where}, {r.from_node}", abs(r.tbps - tbps), "Tb/s", message
            )


def _asked_tbps(case: Case, group: CampusGroup, t: int, n: int) -> float:
    """Return what each link carries per direction, from parameters, bytes, time and shape."""
    sync = group.sync
    billion = standing(dict(sync.params_billion), case.calendar.starts[t]) or 0.0
    seconds = sync.step_s * sync.every_steps if sync.window_s is None else sync.window_s
    full = billion * 1e9 * sync.bytes_per_param * 8 / sync.compression / seconds / 1e12
    if n < 2:
        return 0.0
    return full * {"ring": 2 * (n - 1) / n, "hub": 1.0, "mesh": 2 / n}[group.shape]


def _routes(
    case: Case, group: CampusGroup, t: int, rows: list[LinkRow], distances: Distances
) -> Iterator[Finding]:
    assert distances.fiber is not None
    net, limit = distances.fiber.network, limit_km(case, group)
    edge_of = {str(e): k for k, e in enumerate(net.edge_id)}
    far: dict[str, float] = defaultdict(float)
    for m in members(case, group.name, t):
        far[m.node] = max(far[m.node], m.lateral_km)
    built = {r.edge for r in case.solution.builds if r.period <= case.when(t)}
    for r in rows:
        where = f"{_where(case, group, t)}, {r.from_node} to {r.to_node}, route {r.route}"
        node, km, broken = distances.node_of.get(r.from_node, -1), 0.0, 0
        for name in r.edges:
            edge = edge_of.get(name, -1)
            ends = (int(net.from_node[edge]), int(net.to_node[edge]))
            if edge < 0 or node not in ends:
                broken += 1
                continue
            node = ends[1] if node == ends[0] else ends[0]
            km += float(net.km[edge])
            if name not in built and not distances.there(edge, case.calendar.starts[t]):
                message = f"edge {name} is not in service"
                yield Finding("groups.route", where, 1, "edges", message)
        if broken or node != distances.node_of.get(r.to_node, -2):
            message = "the edges are no way from one end to the other"
            yield Finding("groups.route", where, max(1, broken), "edges", message)
            continue
        if off(r.km, km, KM):
            message = f"{r.km:,.6g} km are stated, the edges make {km:,.6g} km"
            yield Finding("groups.route", where, abs(r.km - km), "km", message)
        whole = far[r.from_node] + km + far[r.to_node]
        if more(whole, limit, KM):
            message = f"{whole:,.6g} km with laterals, {limit:,.6g} km is the limit"
            yield Finding("groups.way_km", where, whole - limit, "km", message)
        rtt = case.scenario.demand.hop_ms + 2 * 4.9e-3 * whole
        if off(r.rtt_ms, rtt, 1e-4):
            message = f"a round trip is stated as {r.rtt_ms:,.6g} ms, it takes {rtt:,.6g} ms"
            yield Finding("groups.route", where, abs(r.rtt_ms - rtt), "ms", message)


def _cut(case: Case, group: CampusGroup, t: int, rows: list[LinkRow]) -> Iterator[Finding]:
    """Yield links that some single cut leaves without a route, where that must not be."""
    if not group.survive_cut:
        return
    routes: dict[Ends, list[frozenset[str]]] = defaultdict(list)
    for r in rows:
        routes[_ends(r)].append(frozenset(r.edges))
    for (a, b), ways in sorted(routes.items()):
        fatal = sorted(e for e in set().union(*ways) if all(e in way for way in ways))
        if fatal:
            where = f"{_where(case, group, t)}, {a} to {b}"
            message = f"no route is left when {', '.join(fatal[:3])} is cut"
            yield Finding("groups.cut", where, len(fatal), "edges", message)
