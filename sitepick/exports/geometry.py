"""GeoJSON geometries by RFC 7946: right-hand rule, cut at the antimeridian, six decimals."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import Any

from sitepick.exports.antimeridian import cut_line, cut_polygon

Position = list[float]
Geometry = dict[str, Any]

_WKB = {"Point": 1, "LineString": 2, "Polygon": 3, "MultiLineString": 5, "MultiPolygon": 6}


def straight(a: Position, b: Position) -> Geometry | None:
    """Return the line from ``a`` to ``b`` as MultiLineString, cut where it passes 180 degrees.

    None if the ends are the same place: such a line has no length and is not valid.
    """
    return None if a == b else {"type": "MultiLineString", "coordinates": cut_line([a, b])}


def multiline(shape: Any) -> Geometry | None:
    """Return a (multi)line with a ``__geo_interface__`` as MultiLineString; None without one."""
    found = getattr(shape, "__geo_interface__", None)
    if found is None:
        return None
    lines = [found["coordinates"]] if found["type"] == "LineString" else found["coordinates"]
    flat = [[[float(x) for x in list(p)[:2]] for p in line] for line in lines if len(line)]
    parts = [part for line in flat for part in cut_line(line)]
    return {"type": "MultiLineString", "coordinates": rounded(parts)} if parts else None


def multipolygon(shape: Any) -> Geometry | None:
    """Return a (multi)polygon as MultiPolygon: outer rings counter-clockwise, holes clockwise.

    ``shape`` has a ``__geo_interface__``; a missing or an empty one gives None. Z is dropped.
    What passes 180 degrees is cut there.
    """
    found = getattr(shape, "__geo_interface__", None)
    if found is None:
        return None
    polygons = [found["coordinates"]] if found["type"] == "Polygon" else found["coordinates"]
    flat = [
        [[[float(x) for x in list(p)[:2]] for p in ring] for ring in polygon]
        for polygon in polygons
        if len(polygon)
    ]
    turned = [
        [_turned(ring, counter_clockwise=i == 0) for i, ring in enumerate(part)]
        for polygon in flat
        for part in cut_polygon(polygon)
    ]
    return {"type": "MultiPolygon", "coordinates": turned} if turned else None


def _turned(points: list[Position], *, counter_clockwise: bool) -> list[Position]:
    area = sum(
        p[0] * q[1] - q[0] * p[1] for p, q in zip(points, [*points[1:], *points[:1]], strict=True)
    )
    return points if (area > 0) == counter_clockwise else points[::-1]


def rounded(coordinates: Any) -> Any:
    """Return coordinates with 6 decimals (0.1 m), never ``-0.0``."""
    if isinstance(coordinates, (int, float)):
        return round(float(coordinates), 6) + 0.0
    return [rounded(c) for c in coordinates]


def bounds(geometries: Iterable[Geometry | None]) -> tuple[float, float, float, float] | None:
    """Return (min lon, min lat, max lon, max lat), None if there is no place at all."""
    positions = [p for g in geometries if g for p in _positions(g["coordinates"])]
    if not positions:
        return None
    lon, lat = [p[0] for p in positions], [p[1] for p in positions]
    return min(lon), min(lat), max(lon), max(lat)


def _positions(coordinates: Any) -> Iterable[Position]:
    if isinstance(coordinates[0], (int, float)):
        yield coordinates
        return
    for part in coordinates:
        yield from _positions(part)


def wkb(geometry: Geometry) -> bytes:
    """Return a GeoJSON geometry as little-endian WKB."""
    kind, c = geometry["type"], geometry["coordinates"]
    head = struct.pack("<BI", 1, _WKB[kind])
    if kind == "Point":
        return head + struct.pack("<2d", *c)
    if kind == "LineString":
        return head + _line(c)
    if kind == "Polygon":
        return head + struct.pack("<I", len(c)) + b"".join(_line(ring) for ring in c)
    part = kind.removeprefix("Multi")
    parts = [wkb({"type": part, "coordinates": p}) for p in c]
    return head + struct.pack("<I", len(parts)) + b"".join(parts)


def _line(points: list[Position]) -> bytes:
    return struct.pack("<I", len(points)) + b"".join(struct.pack("<2d", *p) for p in points)
