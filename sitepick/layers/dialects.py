"""JSON that is map data but not GeoJSON: Overpass API answers and node-link graphs (topohub)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from sitepick.layers.reading import some
from sitepick.layers.shapes import Shapes
from sitepick.layers.table import Refused, Table, object_array


def overpass_table(value: dict[str, Any]) -> Table:
    """Return the tagged elements of an Overpass API answer; tags become columns.

    A node is a point; a way with `out geom` is a line, or a polygon if closed; with `out center`
    only the centre is known and used. Untagged nodes are corners of ways and left out.
    """
    items, rows = [], []
    bare = 0
    for number, element in enumerate(value["elements"]):
        if not isinstance(element, dict) or "type" not in element or "id" not in element:
            raise Refused(f"element {number} (from 0) is not an OpenStreetMap element")
        tags = element.get("tags") or {}
        if not tags:
            bare += 1
            continue
        items.append(_element_geometry(element))
        row = {str(k): v for k, v in tags.items()}
        rows.append(row | {"osm_id": f"{element['type']}/{element['id']}"})
    if not items:
        raise Refused("is an Overpass answer without tagged elements (use `out center;` or `geom`)")
    shapes = Shapes(len(items))
    shapes.add_all(items)
    meta = value.get("osm3s") if isinstance(value.get("osm3s"), dict) else {}
    table = Table(
        frame=pd.DataFrame(rows),
        geometry=shapes.geometry,
        number=np.arange(len(items)),
        degrees=True,
        dialect="overpass",
        licence=str((meta or {}).get("copyright") or "OpenStreetMap contributors, ODbL"),
        faults=shapes.faults,
    )
    if bare:
        text = f"{bare:,} elements without tags (corners of ways) left out"
        table.remarks.append(("osm_untagged", text, bare))
    return table


def _element_geometry(element: dict[str, Any]) -> dict[str, Any] | None:
    if "lat" in element and "lon" in element:
        return {"type": "Point", "coordinates": [element["lon"], element["lat"]]}
    path = element.get("geometry")
    if isinstance(path, list) and len(path) >= 2:
        at = [
            [p["lon"], p["lat"]] for p in path if isinstance(p, dict) and {"lon", "lat"} <= set(p)
        ]
        if len(at) >= 4 and at[0] == at[-1]:
            return {"type": "Polygon", "coordinates": [at]}
        return {"type": "LineString", "coordinates": at}
    centre = element.get("center")
    if isinstance(centre, dict) and "lat" in centre:
        return {"type": "Point", "coordinates": [centre["lon"], centre["lat"]]}
    return None


def nodelink_table(value: dict[str, Any], *, links: bool, dialect: str = "nodelink") -> Table:
    """Return the nodes, or with ``links`` the edges, of a node-link graph (`pos` = lon, lat).

    Edges are straight lines between their nodes: the file holds no routes. What is broken is left
    out and remarked by id: a node given again, one without a place, an edge to either or to none.
    """
    where: dict[str, Any] = {}
    nodes, again, nowhere = [], [], []
    for i, node in enumerate(value["nodes"]):
        if not isinstance(node, dict) or node.get("id") is None:
            raise Refused(f"node {i} (from 0) of the node-link graph has no id")
        ident = str(node["id"])
        if ident in where:
            again.append(ident)
            continue
        where[ident] = node.get("pos")
        if where[ident] is None:
            nowhere.append(ident)
        else:
            nodes.append(node)
    if not nodes:
        raise Refused("is a node-link graph in which no node has a place (`pos`: lon, lat)")
    if links:
        table = _edges(value, where, dialect)
    else:
        rows = [n | {"node_id": str(n["id"])} for n in nodes]
        table = _made(rows, [n["pos"] for n in nodes], "Point", dialect)
    if again:
        text = f"{len(again):,} nodes are given more than once: the first of each was taken"
        table.remarks.append(("fiber_repeat", f"{text} ({some(again)})", len(again)))
    if nowhere:
        text = f"{len(nowhere):,} nodes have no place and are left out, with their links"
        table.remarks.append(("fiber_no_place", f"{text} ({some(nowhere)})", len(nowhere)))
    return table


def _edges(value: dict[str, Any], where: dict[str, Any], dialect: str) -> Table:
    edges = value["edges"] if "edges" in value else value["links"]
    if not isinstance(edges, list):
        raise Refused("is a node-link graph whose edges are no list")
    rows, coords, lost, faults = [], [], [], []
    for i, edge in enumerate(edges):
        if not isinstance(edge, dict) or edge.get("source") is None or edge.get("target") is None:
            raise Refused(f"edge {i} (from 0) of the node-link graph has no source or target")
        ends = [str(edge["source"]), str(edge["target"])]
        unknown = [e for e in ends if e not in where]
        if unknown:
            lost.append(f"{i}: {' - '.join(ends)}")
            faults.append(f"edge {i} (from 0) joins node {unknown[0]!r}, which is not in the file")
            continue
        both = [where[e] for e in ends]
        if None not in both:
            own = {("own_id" if k == "id" else k): v for k, v in edge.items()}
            rows.append(own | {"link_id": str(i), "from_node": ends[0], "to_node": ends[1]})
            coords.append(both)
    if not rows:
        raise Refused(faults[0] if faults else "is a node-link graph without usable edges")
    table = _made(rows, coords, "LineString", dialect)
    text = f"{len(rows):,} links are drawn straight between their nodes: the file has no routes"
    table.remarks.append(("straight_links", text, len(rows)))
    if lost:
        text = f"{len(lost):,} links to nodes that are not in the file are left out ({some(lost)})"
        table.remarks.append(("fiber_missing_end", text, len(lost)))
    return table


def _made(rows: list[dict[str, Any]], coords: list[Any], kind: str, dialect: str) -> Table:
    shapes = Shapes(len(rows))
    shapes.add_all([{"type": kind, "coordinates": c} for c in coords])
    simple = [
        {str(k): v for k, v in row.items() if not isinstance(v, (dict, list))} for row in rows
    ]
    return Table(
        frame=pd.DataFrame(simple).astype(object),
        geometry=object_array(list(shapes.geometry)),
        number=np.arange(len(rows)),
        degrees=True,
        dialect=dialect,
        faults=shapes.faults,
    )
