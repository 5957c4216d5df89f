"""Lines and polygons cut where they pass 180 degrees, as RFC 7946 (3.1.9) asks.

A step of more than 180 degrees of longitude between neighbours is the short way round; longitudes
beyond 180 degrees are brought back. What needs no cut comes back as it is.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

Position = list[float]

_TURN = 360.0
_EDGE = 180.0


def cut_line(points: list[Position]) -> list[list[Position]]:
    """Return a line as one or more lines within -180 to 180 degrees; parts of no length go."""
    if not _crosses(points):
        return [points]
    whole = _unwrapped(points)
    parts: list[list[Position]] = []
    part = [whole[0]]
    for a, b in pairwise(whole):
        for lon in _edges_between(a[0], b[0]):
            cut = [lon, a[1] + (b[1] - a[1]) * (lon - a[0]) / (b[0] - a[0])]
            parts.append([*part, cut])
            part = [cut]
        part.append(b)
    parts.append(part)
    return [_home(p) for p in parts if any(q != p[0] for q in p)]


def cut_polygon(rings: list[list[Position]]) -> list[list[list[Position]]]:
    """Return a polygon (outer ring, holes) as one or more within -180 to 180 degrees.

    A ring around a pole cannot be cut into rings that close; it comes back as it is.
    """
    if not any(_crosses(ring) for ring in rings):
        return [rings]
    outer, *holes = [_unwrapped(ring) for ring in rings]
    if any(abs(ring[0][0] - ring[-1][0]) > _EDGE for ring in (outer, *holes)):
        return [rings]
    from shapely import make_valid
    from shapely.affinity import translate
    from shapely.geometry import Polygon, box, mapping

    low, high = min(p[0] for p in outer), max(p[0] for p in outer)
    shape = make_valid(Polygon(outer, [_beside(hole, low, high) for hole in holes]))
    found: list[list[list[Position]]] = []
    for turn in range(math.floor((low + _EDGE) / _TURN), math.ceil((high - _EDGE) / _TURN) + 1):
        middle = turn * _TURN
        piece = shape.intersection(box(middle - _EDGE, -90.0, middle + _EDGE, 90.0))
        for part in getattr(piece, "geoms", [piece]):
            if part.geom_type == "Polygon" and part.area > 0:
                moved = mapping(translate(part, -middle))["coordinates"]
                found.append([[[float(x), float(y)] for x, y, *_ in ring] for ring in moved])
    return sorted(found)


def _crosses(points: Sequence[Position]) -> bool:
    if any(abs(p[0]) > _EDGE for p in points):
        return True
    return any(_jumps(a, b) for a, b in pairwise(points))


def _jumps(a: Position, b: Position) -> bool:
    """Whether the short way from ``a`` to ``b`` passes 180 degrees.

    From edge to edge of the map (as maps close at a pole) is no such step.
    """
    return abs(a[0] - b[0]) > _EDGE and not (abs(a[0]) == _EDGE == abs(b[0]))


def _unwrapped(points: Sequence[Position]) -> list[Position]:
    out = [list(points[0][:2])]
    shift = 0.0
    for a, b in pairwise(points):
        if _jumps(a, b):
            shift += math.copysign(_TURN, a[0] - b[0])
        out.append([b[0] + shift, b[1]])
    return out


def _edges_between(a: float, b: float) -> list[float]:
    """Return the longitudes 180 + 360 k strictly between ``a`` and ``b``, from ``a`` to ``b``."""
    low, high = min(a, b), max(a, b)
    first = math.floor((low - _EDGE) / _TURN) + 1
    last = math.ceil((high - _EDGE) / _TURN) - 1
    found = [_EDGE + _TURN * k for k in range(first, last + 1)]
    return found if a < b else found[::-1]


def _home(points: list[Position]) -> list[Position]:
    """Return a part that crosses no edge, moved to -180 to 180 degrees."""
    low, high = min(p[0] for p in points), max(p[0] for p in points)
    turn = round((low + high) / 2 / _TURN) * _TURN
    return [[p[0] - turn, p[1]] for p in points]


def _beside(hole: list[Position], low: float, high: float) -> list[Position]:
    """Return a hole moved by whole turns to where its polygon is."""
    middle = (min(p[0] for p in hole) + max(p[0] for p in hole)) / 2
    turn = next((t for t in (0.0, _TURN, -_TURN) if low <= middle + t <= high), 0.0)
    return [[p[0] + turn, p[1]] for p in hole]
