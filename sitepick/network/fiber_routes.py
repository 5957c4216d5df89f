"""Routes on a fiber network: shortest, k shortest, two that share no edge, single points."""

from __future__ import annotations

import heapq
import itertools
import math
from collections.abc import Iterator

import numpy as np

from sitepick.network.fiber import (
    ONE_WAY_MS_PER_KM,
    BoolArray,
    FiberNetwork,
    FloatArray,
    IntArray,
    Route,
)

EQUIPMENT_MS = 0.5
"""Delay of the equipment at both ends on one round trip, ms, where nothing else is said."""
_MOST_FIRSTS = 200
"""First routes tried for a pair within a limit that the pair of least total km breaks."""
_Steps = list[list[tuple[int, int, float]]]  # by node: (other node, edge, km)


def rtt_ms(km: float, equipment_ms: float = EQUIPMENT_MS) -> float:
    """Return the round-trip time over ``km`` route km: 2 x km x 4.9 us + equipment, ms."""
    return 2 * km * ONE_WAY_MS_PER_KM + equipment_ms


def distances(
    network: FiberNetwork, from_nodes: IntArray, edges: BoolArray | None = None
) -> tuple[FloatArray, IntArray]:
    """Return km (F, N) of the shortest routes from F nodes, inf without one, and predecessors.

    ``edges`` (E,) are those that may be used (default: all). A predecessor (F, N) is the node
    before on the route, negative at its start and where there is none; `along` makes a route of it.
    """
    from scipy.sparse.csgraph import dijkstra

    graph = network.adjacency if edges is None else network.adjacency_of(edges)
    at = np.asarray(from_nodes, dtype=np.int64)
    if not len(at):
        return np.zeros((0, network.n_node)), np.zeros((0, network.n_node), dtype=np.int64)
    km, before = dijkstra(graph, directed=True, indices=at, return_predecessors=True)
    return km, before.astype(np.int64)


def along(
    network: FiberNetwork,
    predecessors: IntArray,
    to: int,
    edges: BoolArray | None = None,
    equipment_ms: float = EQUIPMENT_MS,
) -> Route:
    """Return the route to node ``to`` of one row of predecessors (N,) that `distances` gave."""
    nodes = [int(to)]
    while predecessors[nodes[-1]] >= 0:
        nodes.append(int(predecessors[nodes[-1]]))
    nodes.reverse()
    steps = _steps(network, edges)
    used = []
    for a, b in itertools.pairwise(nodes):
        used.append(min((km, e) for other, e, km in steps[a] if other == b)[1])
    return _route(network, nodes, used, equipment_ms)


def shortest(
    network: FiberNetwork,
    a: int,
    b: int,
    edges: BoolArray | None = None,
    equipment_ms: float = EQUIPMENT_MS,
) -> Route | None:
    """Return the shortest route from node ``a`` to node ``b``, None without one."""
    return next(iter(k_shortest(network, a, b, 1, edges=edges, equipment_ms=equipment_ms)), None)


def k_shortest(
    network: FiberNetwork,
    a: int,
    b: int,
    k: int,
    km_max: float = math.inf,
    edges: BoolArray | None = None,
    equipment_ms: float = EQUIPMENT_MS,
) -> list[Route]:
    """Return the up to ``k`` shortest routes without loops of at most ``km_max``, shortest first.

    Two routes differ in an edge at least: parallel edges make different routes.
    """
    found: list[Route] = []
    for nodes, used in _ascending(_steps(network, edges), _left(network, b, edges), a, b, km_max):
        found.append(_route(network, nodes, used, equipment_ms))
        if len(found) == k:
            break
    return found


def disjoint_pair(
    network: FiberNetwork,
    a: int,
    b: int,
    km_max: float = math.inf,
    edges: BoolArray | None = None,
    equipment_ms: float = EQUIPMENT_MS,
) -> tuple[Route, Route] | None:
    """Return two routes of at most ``km_max`` each that share no edge, of least total km, or None.

    Without a limit this is Suurballe's method, exact. Where the longer of the two is above
    ``km_max``, the shortest 200 routes within the limit are tried as the first of the pair, each
    with its shortest partner: exact when they end before, as they do on networks of some hundred
    edges; the problem is NP-hard in general.
    """
    if a == b:
        return None
    steps, left = _steps(network, edges), _left(network, b, edges)
    pair = _suurballe(network, steps, left, a, b)
    if pair is None:
        return None
    routes = [_route(network, nodes, used, equipment_ms) for nodes, used in pair]
    routes.sort(key=lambda r: r.km)
    if routes[1].km <= km_max:
        return routes[0], routes[1]
    best: tuple[Route, Route] | None = None
    for tried, (nodes, used) in enumerate(_ascending(steps, left, a, b, km_max)):
        first = _route(network, nodes, used, equipment_ms)
        if tried >= _MOST_FIRSTS or (best and 2 * first.km >= best[0].km + best[1].km):
            break
        other = _search(steps, left, a, b, km_max, set(used), set())
        if other is not None:
            second = _route(network, *other, equipment_ms)
            if best is None or first.km + second.km < best[0].km + best[1].km:
                best = (first, second) if first.km <= second.km else (second, first)
    return best


def components(network: FiberNetwork, edges: BoolArray | None = None) -> IntArray:
    """Return the part (N,) of the network that each node is in, 0 the one of most nodes."""
    from scipy.sparse.csgraph import connected_components

    graph = network.adjacency if edges is None else network.adjacency_of(edges)
    n, part = connected_components(graph, directed=False)
    if not n:
        return np.zeros(0, dtype=np.int64)
    first = np.unique(part, return_index=True)[1]
    order = np.lexsort((first, -np.bincount(part, minlength=n)))
    rank = np.empty(n, dtype=np.int64)
    rank[order] = np.arange(n)
    return rank[part]


def bridges(network: FiberNetwork, edges: BoolArray | None = None) -> IntArray:
    """Return the edges, ascending, without which some node no longer reaches some other."""
    return single_points(network, edges)[0]


def single_points(
    network: FiberNetwork, edges: BoolArray | None = None
) -> tuple[IntArray, IntArray]:
    """Return the bridges, and the nodes without which the others come apart, both ascending.

    One search in depth (Tarjan): an edge of the tree is a bridge if nothing below it reaches above
    it by another edge.
    """
    steps = _steps(network, edges)
    n = network.n_node
    order, low = [-1] * n, [0] * n
    found: list[int] = []
    cuts: set[int] = set()
    count = 0
    for root in range(n):
        if order[root] >= 0:
            continue
        order[root] = low[root] = count
        count += 1
        stack = [(root, -1, iter(steps[root]))]
        below_root = 0
        while stack:
            node, came, rest = stack[-1]
            step = next(rest, None)
            if step is not None:
                other, edge, _ = step
                if edge == came:
                    continue
                if order[other] >= 0:
                    low[node] = min(low[node], order[other])
                    continue
                order[other] = low[other] = count
                count += 1
                stack.append((other, edge, iter(steps[other])))
                continue
            stack.pop()
            if not stack:
                continue
            above = stack[-1][0]
            low[above] = min(low[above], low[node])
            if low[node] > order[above]:
                found.append(came)
            if above == root:
                below_root += 1
            elif low[node] >= order[above]:
                cuts.add(above)
        if below_root > 1:
            cuts.add(root)
    return np.array(sorted(found), dtype=np.int64), np.array(sorted(cuts), dtype=np.int64)


def _steps(network: FiberNetwork, edges: BoolArray | None) -> _Steps:
    """Return what leaves each node, in the order of edges."""
    if edges is None:
        return network.steps
    out: _Steps = [[] for _ in range(network.n_node)]
    for node, steps in enumerate(network.steps):
        out[node] = [s for s in steps if edges[s[1]]]
    return out


def _left(network: FiberNetwork, b: int, edges: BoolArray | None) -> FloatArray:
    """Return the km (N,) still to go to ``b`` over the shortest route."""
    return distances(network, np.array([b]), edges)[0][0]


def _route(network: FiberNetwork, nodes: list[int], used: list[int], equipment_ms: float) -> Route:
    km = float(network.km[used].sum()) if used else 0.0
    return Route(tuple(nodes), tuple(used), km, rtt_ms(km, equipment_ms))


def _search(
    steps: _Steps,
    left: FloatArray,
    start: int,
    goal: int,
    km_max: float,
    no_edges: set[int],
    no_nodes: set[int],
) -> tuple[list[int], list[int]] | None:
    """Return nodes and edges of the shortest route, led by the km left without anything forbidden.

    These never exceed what is left with something forbidden, so the first arrival is the shortest.
    """
    if not math.isfinite(left[start]):
        return None
    best = {start: 0.0}
    came: dict[int, tuple[int, int]] = {}
    heap = [(float(left[start]), 0.0, start)]
    while heap:
        _, km, node = heapq.heappop(heap)
        if node == goal:
            nodes, used = [node], []
            while node in came:
                node, edge = came[node]
                nodes.append(node)
                used.append(edge)
            return nodes[::-1], used[::-1]
        if km > best[node]:
            continue
        for other, edge, length in steps[node]:
            if edge in no_edges or other in no_nodes:
                continue
            so_far = km + length
            whole = so_far + float(left[other])
            # the slack lets a route of exactly km_max pass whatever the order of adding
            if so_far < best.get(other, math.inf) and whole <= km_max + 1e-9:
                best[other] = so_far
                came[other] = (node, edge)
                heapq.heappush(heap, (whole, so_far, other))
    return None


def _ascending(
    steps: _Steps, left: FloatArray, a: int, b: int, km_max: float
) -> Iterator[tuple[list[int], list[int]]]:
    """Yield nodes and edges of all routes without loops, shortest first (Yen's method)."""
    length = {edge: km for row in steps for _, edge, km in row}
    first = _search(steps, left, a, b, km_max, set(), set())
    if first is None:
        return
    done: list[tuple[list[int], list[int]]] = []
    waiting: list[tuple[float, tuple[int, ...], list[int]]] = []
    seen = {tuple(first[1])}
    heapq.heappush(waiting, (sum(length[e] for e in first[1]), tuple(first[1]), first[0]))
    while waiting:
        _, edges, nodes = heapq.heappop(waiting)
        used = list(edges)
        yield nodes, used
        done.append((nodes, used))
        km = 0.0
        for i, node in enumerate(nodes[:-1]):
            root = used[:i]
            taken = {other[i] for _, other in done if len(other) > i and other[:i] == root}
            rest = _search(steps, left, node, b, km_max - km, taken, set(nodes[:i]))
            if rest is not None:
                whole = (*root, *rest[1])
                if whole not in seen:
                    seen.add(whole)
                    found = (sum(length[e] for e in whole), whole, [*nodes[:i], *rest[0]])
                    heapq.heappush(waiting, found)
            km += length[used[i]]


def _suurballe(
    network: FiberNetwork, steps: _Steps, left: FloatArray, a: int, b: int
) -> list[tuple[list[int], list[int]]] | None:
    """Return two routes of least total km that share no edge, None without."""
    first = _search(steps, left, a, b, math.inf, set(), set())
    if first is None:
        return None
    ahead = {edge: (u, v) for edge, u, v in zip(first[1], first[0], first[0][1:], strict=False)}
    # with the km left as prices every length is 0 or more, also that of going back on the first
    best, came = {a: 0.0}, {}
    heap, settled = [(0.0, a)], set()
    while heap:
        price, node = heapq.heappop(heap)
        if node in settled:
            continue
        settled.add(node)
        if node == b:
            break
        for other, edge, km in steps[node]:
            if edge in ahead:
                if ahead[edge] == (node, other):
                    continue
                km = -km  # back over the first: it is then in neither
            more = price + max(km - float(left[node]) + float(left[other]), 0.0)
            if more < best.get(other, math.inf):
                best[other], came[other] = more, (node, edge)
                heapq.heappush(heap, (more, other))
    if b not in settled:
        return None
    second, node = set(), b
    while node != a:
        node, edge = came[node]
        second.add(edge)
    both = second ^ set(first[1])
    return [_take(network, both, a, b) for _ in range(2)]


def _take(network: FiberNetwork, edges: set[int], a: int, b: int) -> tuple[list[int], list[int]]:
    """Return a shortest route over some edges, and take these out of ``edges``."""
    mask = np.zeros(network.n_edge, dtype=bool)
    mask[list(edges)] = True
    found = _search(_steps(network, mask), _left(network, b, mask), a, b, math.inf, set(), set())
    assert found is not None
    edges.difference_update(found[1])
    return found
