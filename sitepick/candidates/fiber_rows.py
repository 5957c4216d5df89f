"""New fiber along rights of way: what may be built between the nodes of a fiber network."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import shapely

from sitepick.candidates.fiber_lines import Lines, along_all, cut
from sitepick.candidates.fiber_noding import network_of
from sitepick.candidates.geo import Floats, as_geoms
from sitepick.layers.types import Layers, Note
from sitepick.network.fiber import FiberNetwork
from sitepick.scenario.schema import Scenario

_COPIED = ("owner", "pairs", "lit", "lit_tbps", "lease_usd_per_km_year", "in_service")


@dataclass
class _Way:
    """A stretch that may be built, from node ``a`` to node ``b``."""

    a: int
    b: int
    km: float
    line: Floats

    def turned(self) -> _Way:
        return _Way(self.b, self.a, self.km, self.line[::-1])


def with_rights_of_way(
    scenario: Scenario, layers: Layers, network: FiberNetwork
) -> tuple[FiberNetwork, list[Note]]:
    """Return the network with edges that may be built (``new``), and notes.

    Rights of way are joined where they meet or cross. Each fiber node within
    ``fiber.right_of_way_km`` of one is tied to its nearest point by new fiber of geodesic km x
    ``fiber.route_factor``. What leads to no fiber node is left out, and stretches without a
    junction are one edge.
    """
    rows = layers.rights_of_way
    if rows is None or not len(rows):
        return network, []
    along = _noded(scenario, layers)
    lines = Lines(along.line)
    met = np.unique(np.concatenate([network.from_node, network.to_node]))
    feet = lines.nearest(network.lon[met], network.lat[met])
    near = feet.km <= scenario.fiber.right_of_way_km
    ways, n = _ways(scenario, network, along, feet.line[near], feet.along_km[near],
                    met[feet.point[near]], feet.km[near])  # fmt: skip
    ways = _merged(_pruned(ways, network.n_node), network.n_node)
    if not ways:
        text = (
            "the rights of way join no two fiber nodes: none has two within "
            f"{scenario.fiber.right_of_way_km:g} km (fiber.right_of_way_km) along its course"
        )
        return network, [Note("rights_of_way", "fiber_row_unused", text, len(rows))]
    return _joined(network, ways, n), []


def _noded(scenario: Scenario, layers: Layers) -> FiberNetwork:
    """Return the rights of way as a network of their own, cut where they cross."""
    import geopandas as gpd

    assert layers.rights_of_way is not None
    geoms = as_geoms(layers.rights_of_way.geometry)
    whole = shapely.line_merge(shapely.union_all(geoms[~shapely.is_missing(geoms)]))
    parts = shapely.get_parts(whole)
    # pieces in an order that no order of rows changes
    parts = parts[np.argsort(shapely.to_wkb(shapely.normalize(parts), hex=True))]
    drawn = [a[-1] for a in along_all([shapely.get_coordinates(p) for p in parts])]
    frame = gpd.GeoDataFrame(
        {
            "link_id": [f"{k:06d}" for k in range(len(parts))],
            "from_node": np.full(len(parts), None, dtype=object),
            "to_node": np.full(len(parts), None, dtype=object),
            "km": drawn,  # a straight stretch of a railway is one
        },
        geometry=parts,
        crs="EPSG:4326",
    )
    network, _ = network_of(scenario, Layers(fiber_links=frame))
    assert network is not None
    return network


def _ways(
    scenario: Scenario,
    network: FiberNetwork,
    along: FiberNetwork,
    line: np.ndarray,
    at_km: Floats,
    node: np.ndarray,
    km: Floats,
) -> tuple[list[_Way], int]:
    """Return the rights of way, cut where fiber nodes tie to them, the ties, and the node count.

    Nodes are those of the fiber network, then those along rights of way, then the feet of ties.
    """
    first = network.n_node
    ways: list[_Way] = []
    stops: dict[int, list[tuple[float, int]]] = {}
    count = first + along.n_node
    corners = along_all(along.line)
    for k in np.lexsort((node, at_km, line)):
        e = int(line[k])
        share = float(at_km[k])
        whole = float(corners[e][-1])
        own = stops.setdefault(e, [])
        if share <= 0 or share >= whole:
            foot = first + int(along.from_node[e] if share <= 0 else along.to_node[e])
        elif own and own[-1][0] == share:
            foot = own[-1][1]
        else:
            foot, count = count, count + 1
            own.append((share, foot))
        place = [np.interp(share, corners[e], along.line[e][:, c]) for c in (0, 1)]
        start = [float(network.lon[node[k]]), float(network.lat[node[k]])]
        tie = np.array([start, place])
        ways.append(_Way(int(node[k]), foot, float(km[k]) * scenario.fiber.route_factor, tie))
    for e in range(along.n_edge):
        own = stops.get(e, [])
        pieces = cut(along.line[e], corners[e], [s for s, _ in own])
        ends = [int(along.from_node[e]) + first, *(p for _, p in own)]
        ends.append(int(along.to_node[e]) + first)
        marks = [0.0, *(s for s, _ in own), float(corners[e][-1])]
        for j, piece in enumerate(pieces):
            ways.append(_Way(ends[j], ends[j + 1], marks[j + 1] - marks[j], piece))
    return ways, count


def _pruned(ways: list[_Way], fixed: int) -> list[_Way]:
    """Return the ways without those that lead nowhere: to a node that is no fiber node, once."""
    degree: dict[int, int] = {}
    at: dict[int, set[int]] = {}
    for k, way in enumerate(ways):
        for node in (way.a, way.b):
            degree[node] = degree.get(node, 0) + 1
            at.setdefault(node, set()).add(k)
    gone: set[int] = set()
    ends = [node for node, d in degree.items() if d == 1 and node >= fixed]
    while ends:
        node = ends.pop()
        for k in at[node] - gone:
            gone.add(k)
            other = ways[k].b if ways[k].a == node else ways[k].a
            degree[other] -= 1
            if degree[other] == 1 and other >= fixed:
                ends.append(other)
    return [w for k, w in enumerate(ways) if k not in gone]


def _merged(ways: list[_Way], fixed: int) -> list[_Way]:
    """Return stretches from junction to junction, without those that come back to their start.

    A node that is a fiber node or where three ways meet is a junction. Rings that no junction is on
    lead nowhere and go.
    """
    at: dict[int, list[int]] = {}
    for k, way in enumerate(ways):
        at.setdefault(way.a, []).append(k)
        at.setdefault(way.b, []).append(k)
    junction = {node for node, own in at.items() if node < fixed or len(own) != 2}
    used: set[int] = set()
    out = []
    for node in sorted(junction):
        for k in at[node]:
            if k in used:
                continue
            used.add(k)
            whole = ways[k] if ways[k].a == node else ways[k].turned()
            while whole.b not in junction:
                k = next(j for j in at[whole.b] if j not in used)
                used.add(k)
                more = ways[k] if ways[k].a == whole.b else ways[k].turned()
                line = np.concatenate([whole.line, more.line[1:]])
                whole = _Way(whole.a, more.b, whole.km + more.km, line)
            if whole.a != whole.b and whole.km > 0:
                out.append(whole)
    return out


def _joined(network: FiberNetwork, ways: list[_Way], count: int) -> FiberNetwork:
    """Add the ways to the network: their nodes by place, their edges by the nodes they join."""
    n = network.n_node
    places = np.full((count, 2), np.nan)
    for way in ways:
        places[way.a], places[way.b] = way.line[0], way.line[-1]
    used = sorted({node for way in ways for node in (way.a, way.b) if node >= n})
    index = {node: n + k for k, node in enumerate(used)}
    taken = set(network.node_id)
    made = []
    for node in used:
        lon, lat = places[node]
        ident, number = f"{lon:.4f}_{lat:.4f}", 1
        while ident in taken:
            number += 1
            ident = f"{lon:.4f}_{lat:.4f}_{number}"
        taken.add(ident)
        made.append(ident)
    ids = np.concatenate([network.node_id, np.array(made, dtype=object)])
    ends = np.array([[index.get(w.a, w.a), index.get(w.b, w.b)] for w in ways], dtype=np.int64)
    names: list[str] = []
    known = set(network.edge_id)
    for a, b in ends:
        name, number = f"new:{ids[a]}-{ids[b]}", 1
        while name in known:
            number += 1
            name = f"new:{ids[a]}-{ids[b]}#{number}"
        known.add(name)
        names.append(name)
    new_id = np.array(names, dtype=object)
    nothing = {
        name: np.full(len(ways), None if getattr(network, name).dtype == object else np.nan)
        for name in _COPIED
    }
    return replace(
        network,
        node_id=ids,
        name=np.concatenate([network.name, np.array(made, dtype=object)]),
        lon=np.concatenate([network.lon, places[used, 0]]),
        lat=np.concatenate([network.lat, places[used, 1]]),
        edge_id=np.concatenate([network.edge_id, new_id]),
        link_id=np.concatenate([network.link_id, new_id]),
        from_node=np.concatenate([network.from_node, ends[:, 0]]),
        to_node=np.concatenate([network.to_node, ends[:, 1]]),
        km=np.concatenate([network.km, np.array([w.km for w in ways])]),
        line=(*network.line, *(w.line for w in ways)),
        new=np.concatenate([network.new, np.ones(len(ways), dtype=bool)]),
        **{name: np.concatenate([getattr(network, name), nothing[name]]) for name in _COPIED},
    )
