"""Graph files that are no JSON: GraphML and GML, as the Internet Topology Zoo publishes them.

Both are untrusted. GraphML is XML: a document type or an entity is refused, for no graph needs one
and they are how XML reads other files or fills the memory.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from sitepick.layers.dialects import nodelink_table
from sitepick.layers.jsonfile import decode
from sitepick.layers.table import Refused, Table

_LON, _LAT = ("longitude", "lon", "lng", "long"), ("latitude", "lat")
_SPEED = "linkspeedraw"  # bits per second, in the Topology Zoo
_GML_WORD = re.compile(r'"([^"]*)"|(\[)|(\])|([^\s\[\]"]+)')
_DEEPEST = 50


def graph_table(data: bytes, kind: str, path: Path, role: str) -> Table:
    """Return nodes, or for role `fiber_links` links, of a file of kind graphml or gml.

    Raises:
        Refused: it cannot be read; the message says why.
    """
    text = decode(data, path.name)
    nodes, edges = _graphml(text) if kind == "graphml" else _gml(text)
    if not nodes:
        raise Refused("is a graph without nodes")
    value = {"nodes": [_placed(n) for n in nodes], "edges": [_rated(e) for e in edges]}
    return nodelink_table(value, links=role == "fiber_links", dialect="graph")


def _placed(node: dict[str, Any]) -> dict[str, Any]:
    """Return a node with id, name and pos (lon, lat), None where it has no place."""
    by_name = {k.casefold(): v for k, v in node.items()}
    lon, lat = (_first(by_name, names) for names in (_LON, _LAT))
    name = by_name.get("label") or by_name.get("name")
    pos = None if lon is None or lat is None else [lon, lat]
    return {**node, "pos": pos, **({} if name is None else {"name": str(name)})}


def _rated(edge: dict[str, Any]) -> dict[str, Any]:
    """Return an edge with its capacity in Tb/s, where its speed is stated."""
    speed = next((v for k, v in edge.items() if k.casefold() == _SPEED), None)
    try:
        tbps = float(speed) / 1e12 if speed is not None else 0.0
    except (TypeError, ValueError):
        tbps = 0.0
    return {**edge, "lit_tbps": tbps} if tbps > 0 else edge


def _first(by_name: dict[str, Any], names: tuple[str, ...]) -> float | None:
    for name in names:
        try:
            return float(by_name[name])
        except (KeyError, TypeError, ValueError):
            continue
    return None


def _graphml(text: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    for mark in ("<!DOCTYPE", "<!ENTITY"):
        if mark in text:
            raise Refused(f"holds {mark}, which a graph does not need and which is not read")
    try:
        root = ElementTree.fromstring(text)
    except (ElementTree.ParseError, ValueError) as error:
        raise Refused(f"is not valid XML: {error}") from None
    names = {}
    for key in _all(root, "key"):
        if (ident := key.get("id")) is not None:
            names[ident] = key.get("attr.name") or ident
    nodes, edges = [], []
    for node in _all(root, "node"):
        nodes.append({**_data(node, names), "id": node.get("id")})
    for edge in _all(root, "edge"):
        own = _data(edge, names)
        ends = {"source": edge.get("source"), "target": edge.get("target")}
        edges.append({**own, **ends, **({"id": i} if (i := edge.get("id")) else {})})
    return nodes, edges


def _all(root: ElementTree.Element, name: str) -> list[ElementTree.Element]:
    return [e for e in root.iter() if isinstance(e.tag, str) and e.tag.rpartition("}")[2] == name]


def _data(element: ElementTree.Element, names: dict[str, str]) -> dict[str, Any]:
    return {
        names.get(child.get("key") or "", child.get("key") or ""): (child.text or "").strip()
        for child in element
        if isinstance(child.tag, str) and child.tag.rpartition("}")[2] == "data"
    }


def _gml(text: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    words = list(_GML_WORD.finditer("\n".join(lines)))
    stack: list[list[tuple[str, Any]]] = [[]]
    key: str | None = None
    for word in words:
        quoted, opens, closes, bare = word.groups()
        if opens:
            if key is None or len(stack) > _DEEPEST:
                raise Refused("is not valid GML: a list without a name, or nested too deep")
            inner: list[tuple[str, Any]] = []
            stack[-1].append((key, inner))
            stack.append(inner)
            key = None
        elif closes:
            if len(stack) == 1 or key is not None:
                raise Refused("is not valid GML: a ']' too many, or a key without a value")
            stack.pop()
        elif key is None:
            if bare is None:
                raise Refused(f"is not valid GML: {quoted!r:.40} stands where a key should")
            key = bare
        else:
            stack[-1].append((key, quoted if bare is None else bare))
            key = None
    if len(stack) > 1:
        raise Refused("the GML ends in the middle; download incomplete? Download it again")
    graph = next((v for k, v in stack[0] if k == "graph" and isinstance(v, list)), None)
    if graph is None:
        raise Refused("is GML without a graph")
    made = {
        kind: [
            {k: v for k, v in item if not isinstance(v, list)}
            for name, item in graph
            if name == kind and isinstance(item, list)
        ]
        for kind in ("node", "edge")
    }
    return made["node"], made["edge"]
