"""One fiber graph of the contiguous US, merged from published provider maps."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rebuild_parts.archives import members, read_json, wheel
from rebuild_parts.write import feature, point, write_geojson

# Maps of the Internet Topology Zoo that lie in the US, and one optical network of SNDlib.
ZOO = (
    "Abilene",
    "Agis",
    "AttMpls",
    "Bbnplanet",
    "Bellsouth",
    "BtNorthAmerica",
    "Darkstrand",
    "EliBackbone",
    "HiberniaUs",
    "Integra",
    "Iris",
    "NetworkUsa",
    "Palmetto",
    "Savvis",
    "Sprint",
    "Xspedius",
)
SNDLIB = ("janos-us-ca",)
WEST, EAST, SOUTH, NORTH = -125.0, -66.0, 24.0, 50.0
SAME_PLACE_KM = 25.0
EARTH_RADIUS_KM = 6371.0088
NOTICE = {
    "notice": "Logical links of maps from about 1995-2012 drawn straight: presence only, "
    "no capacity, no owner's promise, no real route.",
    "attribution": "topohub (MIT), from the Internet Topology Zoo and SNDlib",
}


def build(folder: Path) -> None:
    """Write ``fiber_nodes.geojson`` and ``fiber_links.geojson``."""
    nodes: list[dict[str, Any]] = []
    links: dict[tuple[int, int], set[str]] = {}
    for name, network in _networks(wheel("topohub", folder)):
        place: dict[str, int] = {}
        for node in network["nodes"]:
            lon, lat = node["pos"]
            if WEST <= lon <= EAST and SOUTH <= lat <= NORTH:
                place[str(node["id"])] = _merge(nodes, lon, lat, str(node.get("name", "")), name)
        for edge in network.get("edges", network.get("links", [])):
            ends = sorted({place.get(str(edge[end]), -1) for end in ("source", "target")})
            if len(ends) == 2 and ends[0] >= 0:
                links.setdefault((ends[0], ends[1]), set()).add(name)
    used = sorted({end for pair in links for end in pair})
    number = {old: new for new, old in enumerate(used)}
    write_geojson(
        "fiber_nodes.geojson",
        [
            feature(
                {
                    "node_id": _node_id(number[old]),
                    "name": _best_name(nodes[old]["names"]),
                    "aliases": "; ".join(sorted(nodes[old]["names"])),
                    "networks": "; ".join(sorted(nodes[old]["networks"])),
                },
                point(nodes[old]["lon"], nodes[old]["lat"], 2),
            )
            for old in used
        ],
        **NOTICE,
    )
    features = []
    for k, (first, second) in enumerate(sorted(links)):
        a, b = nodes[first], nodes[second]
        maps = sorted(links[first, second])
        km = great_circle_km(a["lon"], a["lat"], b["lon"], b["lat"])
        properties = {
            "link_id": f"F{k:04d}",
            "from_node": _node_id(number[first]),
            "to_node": _node_id(number[second]),
            "great_circle_km": round(km, 1),
            "n_networks": len(maps),
            "networks": "; ".join(maps),
        }
        path = [[a["lon"], a["lat"]], [b["lon"], b["lat"]]]
        features.append(feature(properties, {"type": "LineString", "coordinates": path}))
    write_geojson("fiber_links.geojson", features, **NOTICE)


def great_circle_km(lon1: float, lat1: float, lon2: float, lat2: float) -> float:
    """Haversine distance in km of two points in degrees, on the mean sphere."""
    phi1, phi2 = math.radians(lat1), math.radians(lat2)
    half = math.sin((phi2 - phi1) / 2) ** 2
    half += math.cos(phi1) * math.cos(phi2) * math.sin(math.radians(lon2 - lon1) / 2) ** 2
    return 2 * EARTH_RADIUS_KM * math.asin(math.sqrt(half))


def _networks(archive: Path) -> Iterator[tuple[str, Any]]:
    wanted = [f"topohub/data/topozoo/{name}.json" for name in ZOO]
    wanted += [f"topohub/data/sndlib/{name}.json" for name in SNDLIB]
    present = set(members(archive, "topohub/data/"))
    absent = [name for name in wanted if name not in present]
    if absent:
        raise SystemExit(f"topohub: the wheel lacks {', '.join(absent)}")
    for member in wanted:
        yield Path(member).stem, read_json(archive, member)


def _merge(nodes: list[dict[str, Any]], lon: float, lat: float, name: str, network: str) -> int:
    """Index of the first earlier node within `SAME_PLACE_KM`, or of a new node."""
    near = (
        k
        for k, node in enumerate(nodes)
        if great_circle_km(lon, lat, node["lon"], node["lat"]) <= SAME_PLACE_KM
    )
    k = next(near, len(nodes))
    if k == len(nodes):
        nodes.append({"lon": lon, "lat": lat, "names": set(), "networks": set()})
    nodes[k]["names"] |= {name} - {""}
    nodes[k]["networks"].add(network)
    return k


def _best_name(names: set[str]) -> str:
    """A plain place name before an equipment code such as NY54."""
    plain = [name for name in names if not name.isupper() and not any(map(str.isdigit, name))]
    return min(plain or names or {"unnamed"}, key=lambda name: (len(name), name))


def _node_id(number: int) -> str:
    return f"N{number:03d}"
