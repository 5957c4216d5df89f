"""Geometry made light enough for a page: clipped, simplified, rounded, of a limited size."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

Box = tuple[float, float, float, float]
"""West, south, east, north, degrees."""
Part = list[float]
"""lon, lat, lon, lat, ... of one line or ring: half the brackets of GeoJSON."""

_DECIMALS = 4
"""Eleven metres: less than a pixel of any view that a page opens with."""


def shapes_from(text: str) -> list[Any]:
    """Return the shapes of the features of a GeoJSON text."""
    import shapely

    return list(shapely.get_parts(shapely.from_geojson(text)))


def parts_of(shapes: Iterable[Any], box: Box, tolerance: float) -> list[Part]:
    """Return lines and rings within ``box``, simplified to ``tolerance`` degrees.

    Points and empty shapes give nothing. Polygons give all their rings, holes too.
    """
    import numpy as np
    import shapely

    found = np.array([s for s in shapes if s is not None], dtype=object)
    if not len(found):
        return []
    found = shapely.make_valid(found)
    found = shapely.clip_by_rect(shapely.simplify(found, tolerance), *box)
    single = shapely.get_parts(found)
    single = shapely.get_parts(single)  # a collection holds multi-parts
    dimension = shapely.get_dimensions(single)
    single = single[(dimension > 0) & ~shapely.is_empty(single)]
    rings = shapely.get_rings(single[shapely.get_type_id(single) == 3])
    lines = single[np.isin(shapely.get_type_id(single), (1, 2))]
    return [
        [round(float(x), _DECIMALS) + 0.0 for x in shapely.get_coordinates(part).ravel()]
        for part in (*lines, *rings)
    ]


def within(classes: Sequence[tuple[str, list[Part]]], most: int) -> tuple[list[int], int]:
    """Return which of ``classes``, most important first, fit into ``most`` points, and the sum."""
    kept: list[int] = []
    total = 0
    for i, (_, parts) in enumerate(classes):
        points = sum(len(p) for p in parts) // 2
        if total + points > most:
            break
        kept.append(i)
        total += points
    return kept, total


def lines_by_kv(lines: Any, box: Box, tolerance: float) -> list[tuple[str, list[Part]]]:
    """Return (class, parts) of `Layers.lines` by voltage, highest first."""
    kv = lines["kv"].to_numpy(dtype=float)
    out = []
    for low, high, label in _CLASSES:
        here = (kv >= low) & (kv < high) if low == low else kv != kv
        parts = parts_of(lines.geometry[here], box, tolerance) if here.any() else []
        if parts:
            out.append((label, parts))
    return out


_CLASSES = (
    (450.0, float("inf"), "500 kV and more"),
    (300.0, 450.0, "345 kV"),
    (200.0, 300.0, "230 kV"),
    (100.0, 200.0, "115 to 161 kV"),
    (-1.0, 100.0, "below 100 kV"),
    (float("nan"), float("nan"), "of unknown kV"),
)
