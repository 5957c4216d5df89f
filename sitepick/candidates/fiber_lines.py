"""Lines measured in km: places along them, pieces of them, and the nearest of them to points."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from sitepick.candidates.geo import Floats, Ints, earth_centred_km, straight_km

_PIECE_KM = 5.0  # searched as chords: one this long lies half a metre below its arc


def km_along(line: Floats) -> Floats:
    """Return the geodesic km (k,) from the start of a line (k, 2) to each of its corners."""
    return along_all([line])[0]


def along_all(lines: Sequence[Floats]) -> list[Floats]:
    """Return `km_along` of several lines."""
    if not lines:
        return []
    sizes = np.array([len(line) for line in lines])
    xy = np.concatenate(lines)
    km = np.zeros(len(xy))
    km[1:] = straight_km(xy[:-1, 0], xy[:-1, 1], xy[1:, 0], xy[1:, 1])
    first = np.cumsum(sizes) - sizes
    km[first] = 0.0  # no step from one line to the next
    return [np.cumsum(km[a : a + n]) for a, n in zip(first, sizes, strict=True)]


def cut(line: Floats, along: Floats, km: Sequence[float]) -> list[Floats]:
    """Return the pieces of a line (k, 2), cut at ascending ``km`` that lie within it."""
    pieces, start = [], line[:1]
    begin = 0
    for at in km:
        end = int(np.searchsorted(along, at, side="left"))
        point = np.array([[np.interp(at, along, line[:, c]) for c in (0, 1)]])
        pieces.append(np.concatenate([start, line[begin + 1 : end], point]))
        start, begin = point, end - 1 if along[min(end, len(along) - 1)] > at else end
    pieces.append(np.concatenate([start, line[begin + 1 :]]))
    return pieces


@dataclass(frozen=True)
class Feet:
    """Points and lines that come near: which point, which line, where on it, how far away."""

    point: Ints
    line: Ints
    along_km: Floats  # from the start of the line
    km: Floats  # geodesic, from the point to its foot
    lon: Floats  # of the foot
    lat: Floats


class Lines:
    """Lines (lon/lat, straight between corners in degrees as maps draw them), ready to be asked."""

    def __init__(self, lines: Sequence[Floats]) -> None:
        self.lines = list(lines)
        self.along = along_all(self.lines)
        self.km = np.array([a[-1] for a in self.along])
        dense = [_dense(line, a) for line, a in zip(self.lines, self.along, strict=True)]
        sizes = np.array([len(d) for d in dense], dtype=np.int64)
        every = np.concatenate(dense) if dense else np.zeros((0, 3))
        owner = np.repeat(np.arange(len(dense)), sizes)
        within = np.flatnonzero(owner[1:] == owner[:-1])
        self._owner = owner[within]
        self._from, self._to = every[within], every[within + 1]
        self._a = earth_centred_km(self._from[:, 0], self._from[:, 1])
        self._b = earth_centred_km(self._to[:, 0], self._to[:, 1])
        self._half = float(np.linalg.norm(self._b - self._a, axis=1).max(initial=0.0)) / 2

    @cached_property
    def _tree(self) -> Any:
        from scipy.spatial import cKDTree

        return cKDTree((self._a + self._b) / 2)

    def nearest(self, lon: Floats, lat: Floats) -> Feet:
        """Return the foot of each point on the line nearest to it, by point."""
        known = np.flatnonzero(np.isfinite(lon) & np.isfinite(lat))
        if not len(known) or not len(self._owner):
            return self._feet(known[:0], known[:0], lon, lat)
        at = earth_centred_km(lon[known], lat[known])
        middle, _ = self._tree.query(at)
        # no piece whose middle is further off than this can be nearer than the one found
        feet = self._around(known, at, middle + self._half + 1e-6, lon, lat)
        order = np.lexsort((feet.line, np.round(feet.km, 6), feet.point))
        first = np.unique(feet.point[order], return_index=True)[1]
        return _taken(feet, order[first])

    def within(self, lon: Floats, lat: Floats, km: float) -> Feet:
        """Return the nearest foot of each point on each line within ``km``, by point and line."""
        known = np.flatnonzero(np.isfinite(lon) & np.isfinite(lat))
        if not len(known) or not len(self._owner):
            return self._feet(known[:0], known[:0], lon, lat)
        at = earth_centred_km(lon[known], lat[known])
        feet = self._around(known, at, np.full(len(at), km + self._half + 1e-6), lon, lat)
        feet = _taken(feet, np.flatnonzero(feet.km <= km))
        order = np.lexsort((feet.km, feet.line, feet.point))
        pair = np.column_stack([feet.point, feet.line])[order]
        first = np.unique(pair, axis=0, return_index=True)[1] if len(pair) else order
        return _taken(feet, order[first])

    def _around(self, known: Ints, at: Floats, radius: Floats, lon: Floats, lat: Floats) -> Feet:
        near = self._tree.query_ball_point(at, radius, return_sorted=True)
        counts = np.array([len(n) for n in near])
        pieces = np.concatenate([np.asarray(n, dtype=np.int64) for n in near])
        return self._feet(np.repeat(known, counts), pieces, lon, lat)

    def _feet(self, point: Ints, piece: Ints, lon: Floats, lat: Floats) -> Feet:
        at = earth_centred_km(lon[point], lat[point])
        a, way = self._a[piece], self._b[piece] - self._a[piece]
        length = np.maximum((way**2).sum(axis=1), 1e-18)
        t = np.clip(((at - a) * way).sum(axis=1) / length, 0.0, 1.0)
        foot = self._from[piece] + t[:, None] * (self._to[piece] - self._from[piece])
        km = straight_km(lon[point], lat[point], foot[:, 0], foot[:, 1])
        return Feet(point, self._owner[piece], foot[:, 2], km, foot[:, 0], foot[:, 1])


def _dense(line: Floats, along: Floats) -> Floats:
    """Return lon, lat and km along (n, 3) of a line, at most some km apart."""
    steps = np.maximum(np.ceil(np.diff(along) / _PIECE_KM), 1).astype(np.int64)
    at = np.concatenate(
        [np.arange(n) / n + k for k, n in enumerate(steps)] + [np.array([float(len(steps))])]
    )
    corner = np.arange(len(along))
    return np.column_stack(
        [np.interp(at, corner, line[:, 0]), np.interp(at, corner, line[:, 1]),
         np.interp(at, corner, along)]
    )  # fmt: skip


def _taken(feet: Feet, rows: Ints) -> Feet:
    return Feet(
        feet.point[rows], feet.line[rows], feet.along_km[rows], feet.km[rows], feet.lon[rows],
        feet.lat[rows],
    )  # fmt: skip
