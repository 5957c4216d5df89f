"""A fiber network out of the layers: ends joined to nodes, links cut where others end on them.

What the files state counts first: an end that names its node goes there, wherever it is drawn. Ends
without a name go by place: those within `fiber.snap_km` of a node, of each other, or of the course
of a link that names no nodes, are joined. Links that merely cross are not.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import shapely

from sitepick.candidates.fiber_columns import ATTRIBUTES, attribute, links, unstated
from sitepick.candidates.fiber_lines import Lines, along_all, cut
from sitepick.candidates.geo import GEOD, Floats, Ints, as_geoms, earth_centred_km, straight_km
from sitepick.candidates.text import some
from sitepick.layers.types import Layers, Note
from sitepick.network.fiber import FiberNetwork
from sitepick.scenario.schema import Scenario

STRAIGHT_KM = 10.0
"""A link of two corners that is longer is a straight line on a map, not a route."""
_MOST_TIMES = 3.0
"""Stated km above this many times the line's are no route km."""


@dataclass
class _Drawn:
    """Links as drawn, one per part of a line: row of the layer, id, corners, named ends."""

    row: list[int] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    line: list[Floats] = field(default_factory=list)
    ends: list[tuple[str | None, str | None]] = field(default_factory=list)
    straight: list[bool] = field(default_factory=list)

    def add(self, row: int, ident: str, line: Floats, ends: tuple[str | None, str | None]) -> None:
        self.straight.append(len(line) == 2 and _km(line[0], line[1]) > STRAIGHT_KM)
        self.row.append(row)
        self.ids.append(ident)
        self.line.append(line)
        self.ends.append(ends)


def network_of(scenario: Scenario, layers: Layers) -> tuple[FiberNetwork | None, list[Note]]:
    """Return the network of the fiber layers, None without links, and notes."""
    if layers.fiber_links is None or not len(layers.fiber_links):
        return None, []
    notes: list[Note] = []
    drawn = _parts(layers, notes)
    points = _Points(layers, drawn, notes)
    snap = scenario.fiber.snap_km
    _orient(drawn, points, snap, notes)
    cuts = _junctions(drawn, points, snap)
    node, at = points.joined(snap, notes)
    network = _edges(scenario, layers, drawn, points, node, at, cuts, notes)
    return network, notes


def _parts(layers: Layers, notes: list[Note]) -> _Drawn:
    """Return the single lines of the layer; what touches within one feature is one line."""
    frame, out = layers.fiber_links, _Drawn()
    assert frame is not None
    geoms = as_geoms(frame.geometry)
    ids = frame["link_id"].to_numpy(object)
    ends = [frame[c].to_numpy(object) for c in ("from_node", "to_node")]
    broken = []
    for row in np.argsort(ids.astype(str), kind="stable").tolist():  # whatever the order of rows
        geom = geoms[row]
        if geom is None:
            continue
        whole = shapely.line_merge(geom) if geom.geom_type == "MultiLineString" else geom
        pieces = shapely.get_parts(whole)
        named = tuple(None if e[row] is None else str(e[row]) for e in ends)
        if len(pieces) > 1:
            broken.append(str(ids[row]))
        for k, piece in enumerate(pieces):
            xy = shapely.get_coordinates(piece)
            xy = xy[np.concatenate([[True], (np.diff(xy, axis=0) != 0).any(axis=1)])]
            ident = str(ids[row]) if len(pieces) == 1 else f"{ids[row]}.{k + 1}"
            stated = (named[0], named[1]) if len(pieces) == 1 else (None, None)
            if len(xy) > 1:
                out.add(row, ident, xy, stated)
    if broken:
        text = f"{len(broken)} links are drawn in parts that do not touch; each part is a link of "
        notes.append(
            Note("fiber_links", "fiber_in_parts", f"{text}its own: {some(broken)}", len(broken))
        )
    return out


class _Points:
    """Everything that may become a node: those of the layer, then the ends of links."""

    def __init__(self, layers: Layers, drawn: _Drawn, notes: list[Note]) -> None:
        self.ids: list[str] = []
        self.names: list[str] = []
        xy: list[tuple[float, float]] = []
        if layers.fiber_nodes is not None:
            frame = layers.fiber_nodes.sort_values("node_id")
            for ident, name, geom in zip(
                frame["node_id"], frame["name"], as_geoms(frame.geometry), strict=True
            ):
                if geom is not None:
                    self.ids.append(str(ident))
                    self.names.append(str(name))
                    xy.append((geom.x, geom.y))
        self.of = {ident: k for k, ident in enumerate(self.ids)}
        missing: dict[str, list[str]] = {}
        for ident, line, ends in zip(drawn.ids, drawn.line, drawn.ends, strict=True):
            for end, corner in zip(ends, (line[0], line[-1]), strict=True):
                if end is None:
                    continue
                if end in missing:
                    missing[end].append(ident)
                if end not in self.of:
                    missing[end] = [ident]
                    self.of[end] = len(self.ids)
                    self.ids.append(end)
                    self.names.append(end)
                    xy.append((float(corner[0]), float(corner[1])))
        if missing and layers.fiber_nodes is not None:
            links = [f"'{n}' (of {some(of)})" for n, of in sorted(missing.items())]
            text = (
                f"{len(missing)} nodes that links name are not in the layer of nodes; one was made "
                f"where the first link of each ends: {some(links)}"
            )
            notes.append(Note("fiber_links", "fiber_missing_node", text, len(links)))
        self.n_named = len(self.ids)
        # an end is a point of its own if it names no node
        self.end = np.full((len(drawn.ids), 2), -1, dtype=np.int64)
        for k, (line, ends) in enumerate(zip(drawn.line, drawn.ends, strict=True)):
            for side, corner in enumerate((line[0], line[-1])):
                named = ends[side]
                if named is not None:
                    self.end[k, side] = self.of[named]
                else:
                    self.end[k, side] = len(xy)
                    xy.append((float(corner[0]), float(corner[1])))
        self.xy = np.array(xy, dtype=float).reshape(-1, 2)

    def _one(self, pairs: Ints) -> Ints:
        """Return the pairs of near points (K, 2) that are one node.

        Nodes with ids that links of the files lead between, in one step or many, are told apart by
        the files and stay apart; those of separate networks meet. An end that names no node goes
        to the nearest node only.
        """
        from scipy.sparse import coo_array
        from scipy.sparse.csgraph import connected_components

        n, named = len(self.xy), self.n_named
        own = self.end[(self.end < named).all(axis=1)]
        graph = coo_array((np.ones(len(own)), (own[:, 0], own[:, 1])), shape=(n, n))
        part = connected_components(graph, directed=False)[1]
        low, high = pairs.min(axis=1), pairs.max(axis=1)
        nodes = (high < named) & (part[low] != part[high])
        to_node = np.flatnonzero((low < named) & (high >= named))
        km = straight_km(*self.xy[low[to_node]].T, *self.xy[high[to_node]].T)
        order = to_node[np.lexsort((low[to_node], km, high[to_node]))]
        first = order[np.unique(high[order], return_index=True)[1]]
        goal = np.full(n, -1, dtype=np.int64)
        goal[high[first]] = low[first]
        ends = (low >= named) & (goal[low] == goal[high])
        return np.concatenate([pairs[nodes], pairs[first], pairs[ends]])

    def joined(self, snap_km: float, notes: list[Note]) -> tuple[Ints, Ints]:
        """Return the node of each point, and the point at whose place each node is."""
        from scipy.sparse import coo_array
        from scipy.sparse.csgraph import connected_components
        from scipy.spatial import cKDTree

        n = len(self.xy)
        tree = cKDTree(earth_centred_km(self.xy[:, 0], self.xy[:, 1]))
        pairs = tree.query_pairs(snap_km, output_type="ndarray").reshape(-1, 2)
        pairs = self._one(pairs)
        graph = coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(n, n))
        label = connected_components(graph, directed=False)[1]
        # a node is where the layer has it; its first point decides, and nodes keep that order
        first = np.sort(np.unique(label, return_index=True)[1])
        rank = np.empty(len(first), dtype=np.int64)
        rank[label[first]] = np.arange(len(first))
        node = rank[label]
        one = np.bincount(node[: self.n_named], minlength=len(first)) > 1
        if one.any():
            ids = [
                "+".join(self.ids[k] for k in np.flatnonzero(node[: self.n_named] == j))
                for j in np.flatnonzero(one)
            ]
            text = f"{len(ids)} groups of nodes within {snap_km:g} km (fiber.snap_km) are one each"
            notes.append(
                Note("fiber_links", "fiber_nodes_joined", f"{text}: {some(ids)}", len(ids))
            )
        return node, first


def _orient(drawn: _Drawn, points: _Points, snap_km: float, notes: list[Note]) -> None:
    """Draw each link from the node that it says it begins at, and up to its nodes."""
    far: list[tuple[float, str]] = []
    for k, line in enumerate(drawn.line):
        named = [e is not None for e in drawn.ends[k]]
        if not any(named):
            continue
        goal = [points.xy[p] for p in points.end[k]]
        there, back = (
            sum(_km(goal[s], corner) for s, corner in enumerate(ends) if named[s])
            for ends in ((line[0], line[-1]), (line[-1], line[0]))
        )
        if back < there:
            line = line[::-1]
            for s in (0, 1):
                if not named[s]:
                    points.xy[points.end[k, s]] = line[-s]
        for s in (0, 1):
            if not named[s]:
                continue
            gap, end = _km(goal[s], line[-s]), goal[s].reshape(1, 2)
            inner = line[1:] if s == 0 else line[:-1]
            kept = inner if gap <= snap_km else line
            line = np.concatenate([end, kept] if s == 0 else [kept, end])
            if gap > snap_km:
                far.append((gap, f"{drawn.ids[k]} ({gap:,.1f} km from {drawn.ends[k][s]})"))
        drawn.line[k] = line
    if far:
        far.sort(key=lambda f: (-f[0], f[1]))
        text = (
            f"{len(far)} ends of links are drawn more than {snap_km:g} km (fiber.snap_km) from the "
            f"node they name; each was drawn on to it: {some(t for _, t in far)}"
        )
        notes.append(Note("fiber_links", "fiber_end_far", text, len(far)))


def _junctions(
    drawn: _Drawn, points: _Points, snap_km: float
) -> dict[int, list[tuple[float, int]]]:
    """Return where (km along, point) links that name no nodes are cut: ends and nodes on them."""
    bare = [k for k, ends in enumerate(drawn.ends) if ends == (None, None)]
    if not bare:
        return {}
    lines = Lines([drawn.line[k] for k in bare])
    feet = lines.within(points.xy[:, 0], points.xy[:, 1], snap_km)
    # an end of the link itself is no junction, and what lies at its end joins it there
    inside = (feet.along_km > snap_km) & (feet.along_km < lines.km[feet.line] - snap_km)
    out: dict[int, list[tuple[float, int]]] = {}
    for point, which, along in zip(
        feet.point[inside], feet.line[inside], feet.along_km[inside], strict=True
    ):
        k = bare[which]
        if point not in points.end[k]:
            out.setdefault(k, []).append((float(along), int(point)))
    return {k: sorted(found) for k, found in out.items()}


def _edges(
    scenario: Scenario,
    layers: Layers,
    drawn: _Drawn,
    points: _Points,
    node: Ints,
    at: Ints,
    cuts: dict[int, list[tuple[float, int]]],
    notes: list[Note],
) -> FiberNetwork:
    """Cut the links and put the arrays together."""
    along = along_all(drawn.line)
    ids: list[str] = []
    ends: list[tuple[int, int]] = []
    line: list[Floats] = []
    km: list[float] = []
    of: list[int] = []
    loops: list[str] = []
    factor, straight = _factors(scenario, layers, drawn, along, notes)
    for k, ident in enumerate(drawn.ids):
        start, begin = int(node[points.end[k, 0]]), 0.0
        whole = (float(along[k][-1]), int(node[points.end[k, 1]]))
        stops = _stops(start, whole, [(km_at, int(node[p])) for km_at, p in cuts.get(k, [])])
        if not stops:
            loops.append(ident)
            continue
        pieces = cut(drawn.line[k], along[k], [s[0] for s in stops[:-1]])
        for number, ((stop, end), piece) in enumerate(zip(stops, pieces, strict=True)):
            piece[0], piece[-1] = points.xy[at[start]], points.xy[at[end]]
            ids.append(ident if len(pieces) == 1 else f"{ident}/{number + 1}")
            ends.append((start, end))
            line.append(piece)
            km.append((stop - begin) * factor[k])
            of.append(drawn.row[k])
            start, begin = end, stop
    if loops:
        text = f"{len(loops)} links begin and end at one node and are left out"
        notes.append(Note("fiber_links", "fiber_ring", f"{text}: {some(loops)}", len(loops)))
    if straight:
        text = (
            f"{len(straight)} links are straight lines, not routes: "
            f"{scenario.fiber.straight_factor:g} times as long was taken (fiber.straight_factor)"
        )
        notes.append(
            Note("fiber_links", "fiber_straight", f"{text}: {some(straight)}", len(straight))
        )
    pair = np.array(ends, dtype=np.int64).reshape(-1, 2)
    own = {c: attribute(layers, c, of) for c in ATTRIBUTES}
    unstated({c: v for c, v in own.items() if v is not None}, len(ids), notes)
    return FiberNetwork(
        node_id=_node_ids(points, at),
        name=_node_names(points, at),
        lon=points.xy[at, 0],
        lat=points.xy[at, 1],
        edge_id=np.array(ids, dtype=object),
        from_node=pair[:, 0],
        to_node=pair[:, 1],
        km=np.array(km, dtype=float),
        line=tuple(line),
        link_id=links(layers, of),
        **{c: v for c, v in own.items() if v is not None},
    )


def _stops(
    start: int, whole: tuple[float, int], cuts: list[tuple[float, int]]
) -> list[tuple[float, int]]:
    """Return (km along, node) at which the pieces of a link end; empty: it goes nowhere."""
    out: list[tuple[float, int]] = []
    for stop in cuts:
        if stop[1] != (out[-1][1] if out else start):
            out.append(stop)
    while out and out[-1][1] == whole[1]:
        out.pop()
    return [*out, whole] if whole[1] != (out[-1][1] if out else start) else []


def _factors(
    scenario: Scenario, layers: Layers, drawn: _Drawn, along: list[Floats], notes: list[Note]
) -> tuple[list[float], list[str]]:
    """Return route km per km drawn of each link, and the ids of straight ones taken as longer."""
    frame = layers.fiber_links
    assert frame is not None
    stated = frame["km"].to_numpy(float) if "km" in frame else np.full(len(frame), np.nan)
    total = np.zeros(len(frame))
    for row, km in zip(drawn.row, along, strict=True):
        total[row] += km[-1]
    out, straight, short = [], [], []
    for k, row in enumerate(drawn.row):
        if np.isfinite(stated[row]):
            factor = stated[row] / total[row]
            odd = factor < 0.99 or factor > _MOST_TIMES
            if odd:  # no cable is shorter than its own course; km of fiber are not of route
                short.append(f"{drawn.ids[k]} ({stated[row]:,.1f} of {total[row]:,.1f} km)")
            out.append(1.0 if odd else max(factor, 1.0))
        elif drawn.straight[k]:
            straight.append(drawn.ids[k])
            out.append(scenario.fiber.straight_factor)
        else:
            out.append(1.0)
    if short:
        text = (
            f"{len(short)} links state fewer km than they are drawn, or more than {_MOST_TIMES:g} "
            "times as many; the line was taken"
        )
        notes.append(Note("fiber_links", "fiber_km_odd", f"{text}: {some(short)}", len(short)))
    return out, straight


def _node_ids(points: _Points, at: Ints) -> Any:
    out, seen = np.empty(len(at), dtype=object), set(points.ids)
    for k, point in enumerate(at):
        if point < points.n_named:
            out[k] = points.ids[point]
            continue
        lon, lat = points.xy[point]
        made = ident = f"{lon:.4f}_{lat:.4f}"
        number = 1
        while ident in seen:
            number += 1
            ident = f"{made}_{number}"
        seen.add(ident)
        out[k] = ident
    return out


def _node_names(points: _Points, at: Ints) -> Any:
    ids = _node_ids(points, at)
    named = [points.names[p] if p < points.n_named else ids[k] for k, p in enumerate(at)]
    return np.array(named, dtype=object)


def _km(a: Floats, b: Floats) -> float:
    return float(GEOD.inv(a[0], a[1], b[0], b[1])[2]) / 1000  # one pair: arrays take far longer
