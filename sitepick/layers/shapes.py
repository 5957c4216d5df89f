"""Nested coordinate lists to shapely geometries, vectorised, with every fault named by row."""

from __future__ import annotations

import math
from itertools import chain
from typing import Any

import numpy as np
import shapely

DEPTH = {
    "Point": 0,
    "MultiPoint": 1,
    "LineString": 1,
    "MultiLineString": 2,
    "Polygon": 2,
    "MultiPolygon": 3,
}


class _Irregular(Exception):
    """Coordinates that need a look one by one."""


class Shapes:
    """Collects geometries of a file: ``geometry`` [n], and what was wrong on the way."""

    def __init__(self, size: int) -> None:
        self.geometry = np.full(size, None, dtype=object)
        self.faults: list[tuple[int, str]] = []
        self.unclosed: list[int] = []
        self.has_z = False

    def add_all(self, items: list[Any]) -> None:
        """Read GeoJSON geometry objects; ``items[i]`` (or None) belongs to row i."""
        groups: dict[str, tuple[list[int], list[Any]]] = {}
        for i, item in enumerate(items):
            if item is None:
                continue
            kind = item.get("type") if isinstance(item, dict) else None
            if isinstance(kind, str) and kind in DEPTH:
                coords = item.get("coordinates")
                if coords == []:
                    continue  # RFC 7946: as good as null
                rows, list_ = groups.setdefault(kind, ([], []))
                rows.append(i)
                list_.append(coords)
            elif kind == "GeometryCollection":
                self._collection(i, item.get("geometries"))
            else:
                self.faults.append((i, f"geometry type {kind!r} is not one of GeoJSON's"))
        for kind, (rows, coords) in groups.items():
            self.add(kind, rows, coords)

    def add(self, kind: str, rows: list[int], coords: list[Any]) -> None:
        """Read ``coords`` of one geometry type for ``rows``."""
        try:
            made = self._assemble(kind, rows, coords)
        except _Irregular:
            rows, coords = self._one_by_one(kind, rows, coords)
            if not rows:
                return
            made = self._assemble(kind, rows, coords)
        self.geometry[rows] = made

    def _collection(self, row: int, parts: Any) -> None:
        inner = Shapes(len(parts) if isinstance(parts, list) else 0)
        if not isinstance(parts, list):
            self.faults.append((row, "a GeometryCollection needs a list 'geometries'"))
            return
        if any(isinstance(p, dict) and p.get("type") == "GeometryCollection" for p in parts):
            self.faults.append((row, "nested GeometryCollections are not read"))
            return
        inner.add_all(parts)
        self.faults.extend((row, text) for _, text in inner.faults)
        self.has_z |= inner.has_z
        if inner.unclosed:
            self.unclosed.append(row)
        found = [g for g in inner.geometry if g is not None]
        if found:
            self.geometry[row] = shapely.GeometryCollection(found)

    def _one_by_one(
        self, kind: str, rows: list[int], coords: list[Any]
    ) -> tuple[list[int], list[Any]]:
        """Return the rows that are sound, with coordinates cut to two finite numbers."""
        good_rows, good = [], []
        for row, item in zip(rows, coords, strict=True):
            try:
                good.append(self._flat(item, DEPTH[kind], kind))
                good_rows.append(row)
            except ValueError as fault:
                self.faults.append((row, str(fault)))
        return good_rows, good

    def _flat(self, item: Any, depth: int, kind: str) -> Any:
        if not isinstance(item, list):
            raise ValueError(f"{kind} coordinates are not nested as GeoJSON asks")
        if depth:
            parts = [self._flat(part, depth - 1, kind) for part in item]
            if depth == 1 and kind != "MultiPoint":
                need = 2 if "Line" in kind else 3
                if len(parts) < need or (need == 3 and parts[0] == parts[-1] and len(parts) < 4):
                    what = "a line needs 2" if need == 2 else "a closed ring needs 4"
                    raise ValueError(f"{kind} has a part of {len(parts)} points; {what}")
            return parts
        if len(item) < 2:
            raise ValueError(f"a position needs lon and lat, got {item!r:.60}")
        for value in item[:2]:
            if isinstance(value, str):
                raise ValueError(f"coordinates are text {item!r:.60}; write numbers, not strings")
            if not isinstance(value, (int, float)) or isinstance(value, bool):
                raise ValueError(f"a position must hold numbers, got {item!r:.60}")
            if not math.isfinite(value):
                raise ValueError(f"a coordinate is not a finite number: {item!r:.60}")
        self.has_z |= len(item) > 2
        return [float(item[0]), float(item[1])]

    def _assemble(self, kind: str, rows: list[int], coords: list[Any]) -> np.ndarray:
        counts: list[np.ndarray] = []
        level: list[Any] = coords
        try:
            for _ in range(DEPTH[kind]):
                counts.append(np.fromiter(map(len, level), dtype=np.int64, count=len(level)))
                level = list(chain.from_iterable(level))
            xy = np.array(level)
        except (TypeError, ValueError):
            raise _Irregular from None
        if xy.ndim != 2 or xy.dtype.kind not in "iuf" or not 2 <= xy.shape[1] <= 4:
            raise _Irregular
        if any((count == 0).any() for count in counts) or not np.isfinite(xy[:, :2]).all():
            raise _Irregular
        self.has_z |= xy.shape[1] > 2
        xy = np.ascontiguousarray(xy[:, :2], dtype=float)
        if kind == "Point":
            return np.asarray(shapely.points(xy))
        owners = [np.repeat(np.arange(len(count)), count) for count in counts]
        if kind == "MultiPoint":
            points = np.asarray(shapely.points(xy))
            return np.asarray(shapely.multipoints(points, indices=owners[0]))
        if kind in ("LineString", "MultiLineString"):
            if (counts[-1] < 2).any():
                raise _Irregular
            lines = np.asarray(shapely.linestrings(xy, indices=owners[-1]))
            if kind == "LineString":
                return lines
            return np.asarray(shapely.multilinestrings(lines, indices=owners[0]))
        last = np.cumsum(counts[-1]) - 1
        first = last - counts[-1] + 1
        open_ = (xy[first] != xy[last]).any(axis=1)
        if (counts[-1] + open_ < 4).any():
            raise _Irregular
        if open_.any():
            owner = np.flatnonzero(open_)
            for of_level in reversed(owners[:-1]):
                owner = of_level[owner]
            self.unclosed.extend(rows[i] for i in sorted(set(owner.tolist())))
        rings = np.asarray(shapely.linearrings(xy, indices=owners[-1]))
        polygons = np.asarray(shapely.polygons(rings, indices=owners[-2]))
        if kind == "Polygon":
            return polygons
        return np.asarray(shapely.multipolygons(polygons, indices=owners[0]))
