"""Open Fibre Data Standard: networks of nodes and spans, as JSON or as GeoJSON features."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from sitepick.layers.shapes import Shapes
from sitepick.layers.table import Refused, Table, object_array

_OWNERS = ("transmissionMediumOwner", "physicalInfrastructureProvider")
_NOT_THERE = ("proposed", "planned", "decommissioned", "inactive")
"""Words of `status` that keep a span out, unless a date says from when it is ready."""


def is_ofds(value: Any) -> bool:
    """Return whether JSON is OFDS: a package, one network, or features that belong to one."""
    if not isinstance(value, dict):
        return False
    networks = value.get("networks")
    if isinstance(networks, list) and networks and all(isinstance(n, dict) for n in networks):
        return any("nodes" in n or "spans" in n for n in networks)
    if isinstance(value.get("spans"), list):
        return True
    features = value.get("features")
    if not isinstance(features, list) or not features or not isinstance(features[0], dict):
        return False
    own = features[0].get("properties")
    return (
        isinstance(own, dict)
        and isinstance(own.get("network"), dict)
        and "id" in own["network"]
        and ("featureType" in own or "start" in own or "accessPoint" in own or "phase" in own)
    )


def ofds_table(value: dict[str, Any], role: str) -> Table:
    """Return the spans (role `fiber_links`) or nodes of OFDS JSON or GeoJSON.

    Without a role it is the nodes, or the spans of a file that holds no nodes.

    Ids are unique within their network: where a file holds several networks, an id is preceded by
    that of its network.

    Raises:
        Refused: it holds none, or something that is no node or span.
    """
    networks = _of_features(value) if "features" in value else _networks(value)
    several = len(networks) > 1
    links = role == "fiber_links" or not (role or any(_items(n, "nodes") for n in networks))
    rows: list[dict[str, Any]] = []
    shapes: list[Any] = []
    left: list[str] = []
    straight = 0
    for network in networks:
        label = str(network.get("id") or network.get("name") or "")
        before = f"{label[:8]}-" if several else ""
        where = {
            str(node["id"]): node.get("location")
            for node in _items(network, "nodes")
            if node.get("id") is not None
        }
        for item in _items(network, "spans" if links else "nodes"):
            if not links:
                rows.append({"node_id": _id(item, before), "name": item.get("name")})
                shapes.append(item.get("location"))
                continue
            row = _span(item, before) | {"network": network.get("name")}
            status = str(item.get("status") or "").strip()
            if status in _NOT_THERE and (row["in_service"] is None or status == "decommissioned"):
                left.append(f"{row['link_id']} ({status})")
                continue
            route = item.get("route")
            if not isinstance(route, dict):
                ends = [where.get(str(_end(item.get(side)))) for side in ("start", "end")]
                places = [e.get("coordinates") for e in ends if isinstance(e, dict)]
                route = {"type": "LineString", "coordinates": places} if len(places) == 2 else None
                straight += route is not None
            rows.append(row)
            shapes.append(route)
    if not rows:
        what = "spans" if links else "nodes"
        raise Refused(f"is OFDS without {what} that can be used ({len(left)} left out by status)")
    made = Shapes(len(rows))
    made.add_all(shapes)
    table = Table(
        frame=pd.DataFrame(rows).astype(object),
        geometry=object_array(list(made.geometry)),
        number=np.arange(len(rows)),
        degrees=True,
        dialect="ofds spans" if links else "ofds",
        faults=made.faults,
    )
    if left:
        text = f"{len(left):,} spans left out by their status: {', '.join(left[:5])}"
        table.remarks.append(("ofds_status", text, len(left)))
    if straight:
        text = f"{straight:,} links are drawn straight between their nodes: the file has no routes"
        table.remarks.append(("straight_links", text, straight))
    return table


def _networks(value: dict[str, Any]) -> list[dict[str, Any]]:
    networks = value.get("networks")
    return networks if isinstance(networks, list) else [value]


def _of_features(value: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the networks of GeoJSON features, whose geometry is a node's place or a span's way."""
    out: dict[str, dict[str, Any]] = {}
    for i, feature in enumerate(value["features"]):
        own = feature.get("properties") if isinstance(feature, dict) else None
        if not isinstance(own, dict) or not isinstance(own.get("network"), dict):
            raise Refused(f"feature {i} (from 0) is OFDS without its network")
        about = own["network"]
        network = out.setdefault(str(about.get("id")), {**about, "nodes": [], "spans": []})
        geometry = feature.get("geometry")
        if own.get("featureType") == "span" or "start" in own or "end" in own:
            network["spans"].append({**own, "route": geometry})
        else:
            network["nodes"].append({**own, "location": geometry})
    return list(out.values())


def _items(network: dict[str, Any], name: str) -> list[dict[str, Any]]:
    found = network.get(name) or []
    if not isinstance(found, list) or not all(isinstance(f, dict) for f in found):
        raise Refused(f"is OFDS whose '{name}' is no list of objects")
    return found


def _id(item: dict[str, Any], before: str) -> str | None:
    ident = item.get("id")
    return None if ident is None else f"{before}{ident}"


def _end(found: Any) -> Any:
    return found.get("id") if isinstance(found, dict) else found


def _span(item: dict[str, Any], before: str) -> dict[str, Any]:
    """Return the columns of `fiber_links` that a span states, None where it does not."""
    ends = {}
    for ours, theirs in (("from_node", "start"), ("to_node", "end")):
        ident = _end(item.get(theirs))
        ends[ours] = None if ident is None else f"{before}{ident}"
    owner = None
    providers = item.get("networkProviders")
    first = providers[0] if isinstance(providers, list) and providers else None
    for found in (*(item.get(name) for name in _OWNERS), first):
        if owner is None and isinstance(found, dict):
            owner = found.get("name") or found.get("id")
    dark = item.get("darkFibre")
    count, gbps, metres = (_number(item.get(k)) for k in ("fibreCount", "capacity", "fibreLength"))
    return {
        "link_id": _id(item, before),
        "name": item.get("name"),
        **ends,
        "owner": owner,
        "pairs": None if count is None else count // 2,
        "lit": None if not isinstance(dark, bool) else not dark,
        "lit_tbps": None if gbps is None else gbps / 1000,
        "km": None if metres is None else metres / 1000,
        "in_service": item.get("readyForServiceDate"),
        "status": item.get("status"),
    }


def _number(cell: Any) -> float | None:
    good = isinstance(cell, (int, float)) and not isinstance(cell, bool)
    return float(cell) if good and cell > 0 else None
