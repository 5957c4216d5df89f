"""JSON that is map data but not GeoJSON: Overpass API answers and node-link graphs (topohub)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

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


def nodelink_table(value: dict[str, Any], *, links: bool) -> Table:
    """Return the nodes, or with ``links`` the edges, of a node-link graph (`pos` = lon, lat).

    Edges are straight lines between their nodes: the file holds no routes.
    """
    nodes = value["nodes"]
    where: dict[str, Any] = {}
    for i, node in enumerate(nodes):
        if not isinstance(node, dict) or "id" not in node:
            raise Refused(f"node {i} (from 0) of the node-link graph has no id")
        if str(node["id"]) in where:
            raise Refused(f"node id {node['id']!r} is given twice in the node-link graph")
        where[str(node["id"])] = node.get("pos")
    if not links:
        return _made([n | {"node_id": str(n["id"])} for n in nodes], list(where.values()), "Point")
    edges = value["edges"] if "edges" in value else value["links"]
    rows, coords = [], []
    for i, edge in enumerate(edges):
        if not isinstance(edge, dict) or "source" not in edge or "target" not in edge:
            raise Refused(f"edge {i} (from 0) of the node-link graph has no source or target")
        ends = [str(edge["source"]), str(edge["target"])]
        unknown = [e for e in ends if e not in where]
        if unknown:
            raise Refused(f"edge {i} (from 0) joins node {unknown[0]!r}, which is not in the file")
        rows.append(edge | {"link_id": str(i), "from_node": ends[0], "to_node": ends[1]})
        both = [where[e] for e in ends]
        coords.append(both if None not in both else None)
    table = _made(rows, coords, "LineString")
    text = f"{len(rows):,} links are drawn straight between their nodes: the file has no routes"
    table.remarks.append(("straight_links", text, len(rows)))
    return table


def _made(rows: list[dict[str, Any]], coords: list[Any], kind: str) -> Table:
    shapes = Shapes(len(rows))
    shapes.add_all([None if c is None else {"type": kind, "coordinates": c} for c in coords])
    simple = [
        {str(k): v for k, v in row.items() if not isinstance(v, (dict, list))} for row in rows
    ]
    return Table(
        frame=pd.DataFrame(simple).astype(object),
        geometry=object_array(list(shapes.geometry)),
        number=np.arange(len(rows)),
        degrees=True,
        dialect="nodelink",
        faults=shapes.faults,
    )
