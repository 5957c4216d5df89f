"""Second laterals of members of campus groups: those of the candidates, and of use in every cut."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from datetime import date
from itertools import combinations

from sitepick.checks.case import Case
from sitepick.checks.groups import KM, Distances
from sitepick.checks.tolerance import off
from sitepick.finding import Finding
from sitepick.solution_fiber import MemberRow


def check(case: Case) -> Iterator[Finding]:
    """Yield second laterals that are stated wrong, and cuts that part two members all the same."""
    distances = Distances(case)
    if distances.fiber is None:
        return
    day = case.calendar.starts[0]
    for group in case.scenario.campus_groups:
        seen: dict[str, MemberRow] = {}
        for row in case.solution.members:
            if row.group == group.name:
                if row.site_id not in seen or _told(row) != _told(seen[row.site_id]):
                    yield from _stated(case, distances, row)
                seen.setdefault(row.site_id, row)
        both = [row for row in seen.values() if row.second_node is not None]
        for a, b in combinations(both, 2):
            cut = _parted(distances, _entries(distances, a), _entries(distances, b), day)
            if cut is not None:
                message = f"a cut of fiber edge {cut} parts them, by both laterals of each"
                where = f"group {group.name}, sites {a.site_id} and {b.site_id}"
                yield Finding("groups.second", where, 1, "edges", message)


def _told(row: MemberRow) -> tuple[str | None, float | None]:
    return row.second_node, row.second_km


def _stated(case: Case, distances: Distances, row: MemberRow) -> Iterator[Finding]:
    assert distances.fiber is not None
    at, k = distances.fiber.sites, distances.at[row.site_id]
    where = f"group {row.group}, site {row.site_id}"
    node, km = int(at.second_node[k]), float(at.second_km[k])
    wanted = None
    if case.scenario.fiber.diverse and node >= 0:
        wanted = str(distances.fiber.network.node_id[node])
    if row.second_node != wanted:
        message = f"the second lateral ends at {row.second_node}, it must be {wanted}"
        yield Finding("groups.second", where, 1, "nodes", message)
    elif wanted is not None and (row.second_km is None or off(row.second_km, km, KM)):
        message = f"the second lateral is stated as {row.second_km} km, it is {km:,.6g} km"
        yield Finding("groups.second", where, abs((row.second_km or 0.0) - km), "km", message)


def _entries(distances: Distances, row: MemberRow) -> list[int]:
    first = distances.attached(row.site_id)[0]
    second = distances.node_of.get(str(row.second_node), first)
    return [first, second]


def _parted(distances: Distances, a: list[int], b: list[int], day: date) -> str | None:
    """Return a fiber edge without which no entry of ``a`` reaches one of ``b``, None without one.

    Such an edge lies on every way between them, so on the first that is found.
    """
    assert distances.fiber is not None
    way = _way(distances, a, b, day, None)
    if way is None:
        return "(none is needed)"
    for edge in way:
        if _way(distances, a, b, day, edge) is None:
            return str(distances.fiber.network.edge_id[edge])
    return None


def _way(
    distances: Distances, a: Iterable[int], b: Iterable[int], day: date, without: int | None
) -> list[int] | None:
    """Return the edges of a way of fewest edges from a node of ``a`` to one of ``b``."""
    came: dict[int, tuple[int, int] | None] = dict.fromkeys(a)
    goals, todo = set(b), deque(came)
    while todo:
        node = todo.popleft()
        if node in goals:
            edges = []
            step = came[node]
            while step is not None:
                edges.append(step[1])
                step = came[step[0]]
            return edges
        for other, edge in distances.steps[node]:
            if other not in came and edge != without and distances.there(edge, day):
                came[other] = node, edge
                todo.append(other)
    return None
