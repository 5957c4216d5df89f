"""Routes on a fiber network: worked by hand, and against networkx and all routes there are."""

from __future__ import annotations

from datetime import date
from itertools import combinations

import networkx as nx
import numpy as np
import pytest

from sitepick.network import fiber_routes as routes
from sitepick.network.fiber import FiberNetwork


def network(n, ends, km, **more):
    lon, lat = np.arange(n, dtype=float), np.zeros(n)
    start, end = (np.array([e[k] for e in ends], dtype=np.int64) for k in (0, 1))
    line = tuple(np.array([[a, 0.0], [b, 0.0]]) for a, b in ends)
    return FiberNetwork(
        node_id=np.array([f"n{k}" for k in range(n)], dtype=object),
        lon=lon,
        lat=lat,
        edge_id=np.array([f"e{k}" for k in range(len(ends))], dtype=object),
        from_node=start,
        to_node=end,
        km=np.array(km, dtype=float),
        line=line,
        **more,
    )


@pytest.fixture
def square():
    """Two ways round from 0 to 3, a direct one, and a spur to 4; node 5 is alone.

    e0 0-1 100, e1 1-3 150, e2 0-2 200, e3 2-3 120, e4 0-3 400, e5 3-4 80, e6 0-1 130 (parallel)
    """
    ends = [(0, 1), (1, 3), (0, 2), (2, 3), (0, 3), (3, 4), (0, 1)]
    return network(6, ends, [100, 150, 200, 120, 400, 80, 130])


def test_round_trips_by_hand():
    # 2 x 100 km x 4.9 us = 0.98 ms; Wisconsin to Atlanta, about 1,100 km: 10.78 ms
    assert routes.rtt_ms(100, 0) == pytest.approx(0.98)
    assert routes.rtt_ms(1100, 0.5) == pytest.approx(11.28)
    # 1,000 km of line of sight over routes half as long again
    assert routes.rtt_ms(1.5 * 1000, 0) == pytest.approx(14.7)


def test_shortest_by_hand(square):
    found = routes.shortest(square, 0, 4)
    assert (found.nodes, found.edges, found.km) == ((0, 1, 3, 4), (0, 1, 5), 330)
    assert found.rtt_ms == pytest.approx(2 * 330 * 0.0049 + 0.5)
    assert routes.shortest(square, 0, 5) is None
    here = routes.shortest(square, 2, 2)
    assert (here.nodes, here.edges, here.km, here.rtt_ms) == ((2,), (), 0, 0.5)


def test_distances_by_hand(square):
    km, before = routes.distances(square, np.array([0, 5]))
    assert km[0].tolist() == [0, 100, 200, 250, 330, np.inf]
    assert km[1].tolist() == [np.inf] * 5 + [0]
    assert routes.along(square, before[0], 4).edges == (0, 1, 5)
    without = np.ones(7, dtype=bool)
    without[0] = False
    km, before = routes.distances(square, np.array([0]), without)
    assert km[0, 1] == 130
    assert routes.along(square, before[0], 3, without).edges == (6, 1)


def test_k_shortest_by_hand(square):
    found = routes.k_shortest(square, 0, 3, 10)
    assert [(r.edges, r.km) for r in found] == [
        ((0, 1), 250),
        ((6, 1), 280),
        ((2, 3), 320),
        ((4,), 400),
    ]
    assert [r.km for r in routes.k_shortest(square, 0, 3, 10, km_max=320)] == [250, 280, 320]
    assert [r.km for r in routes.k_shortest(square, 0, 3, 2)] == [250, 280]


def test_disjoint_pair_by_hand(square):
    first, second = routes.disjoint_pair(square, 0, 3)
    assert (first.edges, second.edges) == ((0, 1), (2, 3))
    assert routes.disjoint_pair(square, 0, 4) is None  # 3-4 is a bridge
    assert routes.disjoint_pair(square, 0, 3, km_max=300) is None
    assert routes.disjoint_pair(square, 0, 0) is None
    one, other = routes.disjoint_pair(square, 0, 1)
    assert (one.edges, other.edges) == ((0,), (6,))


def test_a_pair_may_have_to_leave_the_shortest_route():
    # the shortest route 0-1-2-3 (3 km) uses 1-2, which both of the pair's routes must leave
    ends = [(0, 1), (1, 2), (2, 3), (0, 2), (1, 3)]
    pair = routes.disjoint_pair(network(4, ends, [1, 1, 1, 3, 3]), 0, 3)
    assert sorted(r.edges for r in pair) == [(0, 4), (3, 2)]
    assert sum(r.km for r in pair) == 8


def test_a_limit_may_ask_for_another_pair_than_the_shortest():
    # least total: 0-3 in 2 and in 11 (13 km); within 8 km each: 7 and 8
    ends = [(0, 3), (0, 1), (1, 3), (0, 2), (2, 3), (0, 3)]
    found = network(4, ends, [2, 3.5, 3.5, 4, 4, 2.5])
    pair = routes.disjoint_pair(found, 0, 3)
    assert [r.km for r in pair] == [2, 2.5]
    # diamond whose cheapest pair is 4 + 14, and whose pair within 12 km is 10 + 11
    ends = [(0, 1), (1, 3), (0, 2), (2, 3), (1, 2)]
    found = network(4, ends, [2, 8, 9, 2, 0.5])
    assert [r.km for r in routes.disjoint_pair(found, 0, 3)] == [10, 11]
    assert routes.disjoint_pair(found, 0, 3, km_max=10.5) is None


def test_bridges_and_single_points_by_hand(square):
    edges, nodes = routes.single_points(square)
    assert edges.tolist() == [5]
    assert nodes.tolist() == [3]
    assert routes.components(square).tolist() == [0, 0, 0, 0, 0, 1]


def test_what_is_there_and_what_is_assumed():
    found = network(
        3,
        [(0, 1), (1, 2)],
        [10, 20],
        pairs=np.array([8, np.nan]),
        new=np.array([False, True]),
        in_service=np.array([date(2028, 1, 1), None], dtype=object),
    )
    assert found.there().tolist() == [True, False]
    assert found.there(date(2027, 1, 1)).tolist() == [False, False]
    values, assumed = found.filled("pairs", 4)
    assert (values.tolist(), assumed.tolist()) == ([8, 4], [False, True])
    assert found.owner.tolist() == [None, None]


@pytest.mark.parametrize(
    ("ends", "km", "said"),
    [([(0, 0)], [1], "no length"), ([(0, 1)], [0], "no length"), ([(0, 7)], [1], "not there")],
)
def test_a_broken_network_is_not_made(ends, km, said):
    with pytest.raises(ValueError, match=said):
        network(2, ends, km)


def _random(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 8))
    ends = []
    while len(ends) < rng.integers(n, 2 * n + 2):
        a, b = rng.integers(0, n, 2)
        if a != b:
            ends.append((int(a), int(b)))
    km = rng.integers(1, 12, len(ends)).astype(float)
    graph = nx.MultiGraph()
    graph.add_nodes_from(range(n))
    for k, (a, b) in enumerate(ends):
        graph.add_edge(a, b, key=k, km=km[k])
    return network(n, ends, km), graph


def _all_routes(graph, a, b, km):
    """Return (km, edges) of every route without loops, shortest first."""
    found = nx.all_simple_edge_paths(graph, a, b)
    return sorted((km[[k for *_, k in r]].sum(), tuple(k for *_, k in r)) for r in found)


@pytest.mark.parametrize("seed", range(60))
def test_all_against_networkx_and_every_route(seed):
    found, graph = _random(seed)
    km, before = routes.distances(found, np.arange(found.n_node))
    for a in range(found.n_node):
        want = nx.single_source_dijkstra_path_length(graph, a, weight="km")
        assert {b: km[a, b] for b in range(found.n_node) if np.isfinite(km[a, b])} == want
    parts = {frozenset(np.flatnonzero(routes.components(found) == p)) for p in range(found.n_node)}
    assert parts - {frozenset()} == {frozenset(c) for c in nx.connected_components(graph)}
    simple = nx.Graph(graph)
    edges, nodes = routes.single_points(found)
    assert nodes.tolist() == sorted(nx.articulation_points(simple))
    apart = nx.number_connected_components(graph)
    for e in range(found.n_edge):
        cut = graph.copy()
        cut.remove_edge(int(found.from_node[e]), int(found.to_node[e]), key=e)
        assert (nx.number_connected_components(cut) > apart) == (e in edges)
    a, b = 0, found.n_node - 1
    every = _all_routes(graph, a, b, found.km)
    mine = routes.k_shortest(found, a, b, 10_000)
    assert sorted((r.km, r.edges) for r in mine) == every
    assert [r.km for r in mine] == [length for length, _ in every]
    for r in mine:
        assert all({found.from_node[e], found.to_node[e]} == {u, v}
                   for e, u, v in zip(r.edges, r.nodes, r.nodes[1:], strict=False))  # fmt: skip
    if every:
        assert routes.along(found, before[a], b).km == every[0][0]
    for limit in (np.inf, 1.5 * every[0][0] if every else 1.0):
        apart = [
            (p + q, max(p, q))
            for (p, x), (q, y) in combinations(every, 2)
            if not set(x) & set(y) and max(p, q) <= limit
        ]
        pair = routes.disjoint_pair(found, a, b, limit)
        assert (pair is None) == (not apart)
        if pair is not None:
            assert not set(pair[0].edges) & set(pair[1].edges)
            assert pair[0].km + pair[1].km == min(apart)[0]
            assert pair[0].km <= pair[1].km <= limit
