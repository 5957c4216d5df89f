"""Campus groups against every choice of members, links and routes, on worlds of a few sites."""

from __future__ import annotations

from itertools import combinations, permutations, product

import numpy as np
import pytest
from helpers.campuses import SYNC, world
from helpers.seeds import seeds

from sitepick import pipeline
from sitepick.planner import Planner
from sitepick.solve.outcome import Limits

NODES = "abcdef"
PENALTY = 12.0


def draw(seed):
    """Return sites, where they are, and edges of a random world."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(4, 7))
    order = rng.permutation(6)
    sites = [(f"S{i}", float(rng.integers(10, 40)), float(rng.integers(20, 120))) for i in range(n)]
    edges = [
        (f"e{k}", NODES[k], NODES[(k + 1) % 6], float(rng.integers(20, 120))) for k in range(6)
    ]
    for k in range(int(rng.integers(1, 4))):
        a, b = rng.choice(6, 2, replace=False)
        edges.append((f"x{k}", NODES[a], NODES[b], float(rng.integers(40, 160))))
    where = [(NODES[order[k]], float(rng.integers(0, 30))) for k in range(n)]
    if rng.random() < 0.4:  # two at one node
        where[1] = (where[0][0], where[1][1])
    if rng.random() < 0.3:
        where[0] = (None, 0.0)
    group = {
        "name": "g",
        "workload": "w",
        "sites_max": int(rng.integers(3, 7)),
        "sites_min": int(rng.integers(1, 4)),
        "min_site_it_mw": float(rng.integers(3, 12)),
        "route_km_max": float(rng.integers(80, 400)),
        "shape": str(rng.choice(["ring", "hub", "mesh"])),
        "survive_cut": bool(rng.random() < 0.4),
        "sync": SYNC,
    }
    if rng.random() < 0.6:
        group["loss_pct_per_extra_site"] = float(rng.integers(1, 9))
    else:
        group["sync"] = {**SYNC, "step_s": 0.05}  # so that hops cost percents
    asked = {"w": float(rng.integers(40, 130)), "c": float(rng.integers(0, 40))}
    capacity = None if rng.random() < 0.4 else float(rng.choice([1.1, 2.1, 3.6]))
    # of two routes the model knows the shortest pair alone, so room on edges is for single ones
    return sites, edges, where, group, asked, None if group["survive_cut"] else capacity


def paths(edges, a, b, most):
    """Return every route without a loop of at most ``most`` km, as (set of edges, km)."""
    out = []

    def walk(node, seen, used, km):
        if km > most + 1e-9:
            return
        if node == b:
            out.append((frozenset(used), km))
            return
        for name, u, v, length in edges:
            if node in (u, v):
                other = v if node == u else u
                if other not in seen:
                    walk(other, {*seen, other}, [*used, name], km + length)

    walk(a, {a}, [], 0.0)
    return sorted(out, key=lambda p: p[1])


def link_sets(shape, nodes):
    """Return every set of links that makes the shape of ``nodes``."""
    if len(nodes) < 2:
        return [()]
    pair = lambda a, b: (min(a, b), max(a, b))  # noqa: E731
    if len(nodes) == 2:
        return [(pair(*nodes),)]
    if shape == "mesh":
        return [tuple(combinations(sorted(nodes), 2))]
    if shape == "hub":
        return [tuple(pair(h, n) for n in nodes if n != h) for h in nodes]
    first, *rest = nodes
    rings = {
        frozenset(pair(a, b) for a, b in zip((first, *p), (*p, first), strict=True))
        for p in permutations(rest)
    }
    return [tuple(ring) for ring in rings]


def joined(edges, group, where, members, capacity):
    """Return whether some links over some routes join the members within all limits."""
    limit = group["route_km_max"]
    far = {}
    for i in members:
        node, km = where[i]
        far[node] = max(far.get(node, 0.0), km)
    nodes = sorted(far)
    n = len(nodes)
    share = {"ring": 2 * (n - 1) / n, "hub": 1.0, "mesh": 2 / n}[group["shape"]] if n > 1 else 0
    window = group["sync"].get("step_s", 30)
    tbps = share * 1e12 * 2 * 8 / window / 1e12
    most_uses = (
        np.inf
        if capacity is None
        else np.floor(capacity * full(group) / tbps + 1e-9)
        if tbps
        else 0
    )
    for links in link_sets(group["shape"], nodes):
        options = []
        for a, b in links:
            single = paths(edges, a, b, limit - far[a] - far[b])
            if group["survive_cut"]:
                options.append([p | q for (p, _), (q, _) in combinations(single, 2) if not p & q])
            else:
                options.append([p for p, _ in single])
        for choice in product(*options):
            uses = {}
            for used in choice:
                for e in used:
                    uses[e] = uses.get(e, 0) + 1
            if max(uses.values(), default=0) <= most_uses:
                return True
    return False


def full(group):
    """Return Tb/s of a full update within a step."""
    return 16 / group["sync"].get("step_s", 30)


def efficiency(group, sites, nodes):
    if "loss_pct_per_extra_site" in group:
        return 1 - group["loss_pct_per_extra_site"] / 100 * (sites - 1)
    if nodes < 2:
        return 1.0
    hops = 2 * (nodes - 1) if group["shape"] == "ring" else 2
    rtt = 0.5 + 2 * 4.9e-3 * group["route_km_max"]
    step = group["sync"]["step_s"]
    return step / (step + hops * rtt / 2000)


def cheapest(prepared, sites, edges, where, group, asked, capacity):
    """Return the least cost over all members and all other sites."""
    planner = Planner(prepared, Limits(gap=0))
    time = planner.instance.time
    open_musd = [
        sum(
            planner.program.term_cost(term)[
                planner.program.index("siting.open", (len(sites), 2))[i, 0]
            ]
            + planner.program.term_cost(term)[
                planner.program.index("siting.open", (len(sites), 2))[i, 1]
            ]
            for term in ("site", "land", "fiber")
        )
        for i in range(len(sites))
    ]
    yearly = float(time.yearly.sum())
    everyone = range(len(sites))
    best = np.inf
    distance = {}
    for a, b in combinations(everyone, 2):
        (u, x), (v, y) = where[a], where[b]
        km = np.inf
        if u is not None and v is not None:
            found = [(frozenset(), 0.0)] if u == v else paths(edges, u, v, 1e6)
            km = x + y + (found[0][1] if found else np.inf)
        distance[a, b] = km
    for size in range(group["sites_max"] + 1):
        if 0 < size < group["sites_min"]:
            continue
        for members in combinations(everyone, size):
            if any(where[i][0] is None for i in members):
                continue
            if any(distance[p] > group["route_km_max"] + 1e-9 for p in combinations(members, 2)):
                continue
            if members and not joined(edges, group, where, members, capacity):
                continue
            share = efficiency(group, size, len({where[i][0] for i in members})) if size else 1.0
            others = [i for i in everyone if i not in members]
            for more in range(len(others) + 1):
                for extra in combinations(others, more):
                    mine = sum(sites[i][1] for i in members)
                    total = mine + sum(sites[i][1] for i in extra)
                    if any(sites[i][1] < group["min_site_it_mw"] for i in members):
                        continue
                    least = group["min_site_it_mw"] * size
                    most = min(mine, asked["w"] / share) if size else 0.0
                    if least > most + 1e-9:
                        continue
                    away = np.inf
                    for work in {least, most, min(most, max(least, total - asked["c"]))}:
                        other = min(asked["c"], total - work)
                        short = asked["w"] - share * work + asked["c"] - other
                        away = min(away, short)
                    cost = sum(open_musd[i] for i in (*members, *extra)) + PENALTY * yearly * away
                    best = min(best, cost)
    return best


def free_fiber(tbps):
    """Return fiber of one pair on each edge, at no cost, that carries ``tbps``."""
    optics = {
        "id": "any", "reach_km": 1e5, "tbps_per_pair": tbps, "usd_per_gbps_end": 0,
        "lead_months": 0,
    }  # fmt: skip
    pair = {"iru_usd_per_km": 0, "maintenance_usd_per_km_year": 0, "lead_months": 0, "per_edge": 1}
    return {"capacity": {"optics": [optics], "pair": pair, "build": None, "wave": None}}


@pytest.mark.parametrize("seed", seeds(range(40), long=range(24, 40)))
def test_no_choice_is_cheaper(tmp_path, seed):
    sites, edges, where, group, asked, capacity = draw(seed)
    works = {
        name: {"uses": "it", "ref_mw": mw, "shortfall_musd_per_mw_year": PENALTY}
        for name, mw in asked.items()
    }
    room = 1e3 if capacity is None else capacity * full(group)
    prepared = world(
        tmp_path, sites, [{**group, "routes": 10}], works, edges, where, fiber=free_fiber(room)
    )
    planner = Planner(prepared, Limits(gap=0))
    out, plan = planner.solve(None)
    assert out.status == "optimal"
    assert pipeline.check(prepared, plan) == []
    expected = cheapest(prepared, sites, edges, where, group, asked, capacity)
    assert out.objective == pytest.approx(expected, rel=1e-6, abs=1e-6)
