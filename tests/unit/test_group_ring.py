"""Rings of six nodes: two triangles would be cheaper, and are no ring."""

from __future__ import annotations

from itertools import pairwise, permutations
from math import ceil

import numpy as np
import pytest
from helpers.campuses import SYNC, world

from sitepick import pipeline
from sitepick.network.fiber_routes import distances
from sitepick.planner import Planner
from sitepick.run import Prepared
from sitepick.solution import Solution
from sitepick.solve.outcome import Limits

NEAR = [("a1", "a2", 10.0), ("a2", "a3", 11.0), ("a1", "a3", 12.0), ("b1", "b2", 13.0),
        ("b2", "b3", 14.0), ("b1", "b3", 15.0)]  # fmt: skip
FAR = [("a1", "b1", 100.0), ("a2", "b2", 104.0)]
EDGES = [(f"{a}{b}", a, b, km) for a, b, km in (*NEAR, *FAR)]
NODES = ("a1", "a2", "a3", "b1", "b2", "b3")
TBPS = 2 * 5 / 6 * 16 / 30  # of a link: 2(u-1)/u full updates of 1e12 BF16 parameters in 30 s


def made(folder, tbps_per_pair: float) -> Prepared:
    """Return six sites at six nodes, all of which a group needs; pairs cost 1 MUSD per 1,000 km."""
    group = {"name": "g", "workload": "big", "sites_min": 6, "sites_max": 6, "min_site_it_mw": 5,
             "route_km_max": 400, "shape": "ring", "routes": 1, "sync": SYNC}  # fmt: skip
    work = {"big": {"uses": "it", "ref_mw": 60, "must_serve": True}}
    optics = [{"id": "o", "reach_km": 9000, "tbps_per_pair": tbps_per_pair, "usd_per_gbps_end": 0}]
    pair = {"iru_usd_per_km": 1000, "maintenance_usd_per_km_year": 0, "term_years": 2}
    return world(
        folder, [(n.upper(), 20.0, 0.0) for n in NODES], [group], work, EDGES,
        [(n, 0.0) for n in NODES], fiber={"capacity": {"optics": optics, "pair": pair,
                                                        "wave": None}},
    )  # fmt: skip


def pair_km(plan: Solution) -> float:
    """Return pairs x route km that the plan leases in its first period."""
    km = {name: length for name, _, _, length in EDGES}
    return sum(row.pairs * km[row.edge] for row in plan.pairs if row.period == plan.periods[0])


def cheapest_ring(prepared: Prepared, tbps_per_pair: float) -> float:
    """Return the least pairs x route km of all 60 rings, each link on its shortest route."""
    access = prepared.candidates.fiber
    assert access is not None
    net = access.network
    _, before = distances(net, np.arange(net.n_node))
    edge = {frozenset((a, b)): (name, km) for name, a, b, km in EDGES}

    def route(a: str, b: str) -> list[tuple[str, float]]:
        start, here, out = net.node_of[a], net.node_of[b], []
        while here != start:
            back = int(before[start, here])
            ends = frozenset((str(net.node_id[back]), str(net.node_id[here])))
            out.append(edge[ends])
            here = back
        return out

    best = float("inf")
    for rest in permutations(NODES[1:]):
        if rest[0] > rest[-1]:
            continue  # the same the other way round
        load: dict[tuple[str, float], float] = {}
        for a, b in pairwise((NODES[0], *rest, NODES[0])):
            for used in route(a, b):
                load[used] = load.get(used, 0.0) + TBPS
        best = min(best, sum(km * ceil(x / tbps_per_pair - 1e-9) for (_, km), x in load.items()))
    return best


# a pair carries any number of links, all over one way between the threes, or just one link
@pytest.mark.parametrize(("tbps_per_pair", "km"), [(100.0, 161.0), (1.0, 256.0)])
def test_a_ring_of_six_is_one_cycle(tmp_path, tbps_per_pair, km):
    prepared = made(tmp_path, tbps_per_pair)
    _, plan = Planner(prepared, Limits(gap=0)).solve(None)
    assert plan is not None
    assert pipeline.check(prepared, plan) == []
    first = [r for r in plan.links if r.period == plan.periods[0]]
    around = {n: {r.from_node if r.to_node == n else r.to_node for r in first
                  if n in (r.from_node, r.to_node)} for n in NODES}  # fmt: skip
    way, seen = "a1", ["a1"]
    while len(seen) < 6:
        way = min(around[way] - set(seen[-2:-1]))
        seen.append(way)
    assert sorted(seen) == list(NODES)
    assert [r.tbps for r in first] == [pytest.approx(TBPS)] * 6
    assert cheapest_ring(prepared, tbps_per_pair) == pytest.approx(km)
    assert pair_km(plan) == pytest.approx(km)


def test_without_its_rows_it_would_be_two_triangles(tmp_path):
    """What the rows on tours are for; the check would not take such a plan."""
    prepared = made(tmp_path, 100.0)
    planner = Planner(prepared, Limits(gap=0))
    for name in ("groups.there", "groups.back"):
        planner.program.set_row_bounds(name, upper=np.inf)
    _, plan = planner.solve(None)
    assert plan is not None
    assert pair_km(plan) == pytest.approx(75)
    links = {f.message for f in pipeline.check(prepared, plan) if f.check == "groups.links"}
    assert links == {"6 links do not make a ring of 6 nodes"}
