"""Distances and local map frames on the ellipsoid. Nothing here knows of sites or scenarios.

Every distance that leaves this module is geodesic (WGS84, Karney). Searches work in small
azimuthal equidistant frames, one per cell of a degree or so, never in one projection of a
continent, and never mind the antimeridian or the poles.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import Geod, Proj

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Geoms = NDArray[Any]
"""One-dimensional object array of shapely geometries, lon/lat degrees."""

GEOD = Geod(ellps="WGS84")
_KM_PER_DEGREE = 110.5  # a degree of latitude is never shorter
_CELL_DEG = 1.0
_SEGMENT_DEG = 0.05  # a straight lon/lat segment this short bends less than a metre
_SPARE_DEG = 0.06  # so that a segment cut at the edge of a box lies beyond the distance asked
_MANY_VERTICES = 4_000


def as_geoms(values: Any) -> Geoms:
    """Return geometries as an object array; missing and empty ones become None."""
    out = np.empty(len(values), dtype=object)
    out[:] = list(values)
    out[~shapely.is_geometry(out) | shapely.is_empty(out)] = None
    return out


def straight_km(lon1: Any, lat1: Any, lon2: Any, lat2: Any) -> Floats:
    """Return the geodesic km between pairs of points; nan where a coordinate is nan."""
    ends = np.broadcast_arrays(*(np.asarray(v, dtype=float) for v in (lon1, lat1, lon2, lat2)))
    known = np.isfinite(ends).all(axis=0)
    out = np.full(ends[0].shape, np.nan)
    from_lon, from_lat, to_lon, to_lat = (end[known] for end in ends)
    out[known] = GEOD.inv(from_lon, from_lat, to_lon, to_lat)[2] / 1000
    return out


def as_points(lon: Floats, lat: Floats) -> Geoms:
    """Return points at finite coordinates."""
    return np.asarray(shapely.points(lon, lat), dtype=object)


def earth_centred_km(lon: Floats, lat: Floats) -> Floats:
    """Return n x 3 coordinates in km, in which the chord is never longer than the geodesic."""
    lam, phi = np.radians(lon), np.radians(lat)
    a_km, e2 = GEOD.a / 1000, GEOD.es
    radius = a_km / np.sqrt(1 - e2 * np.sin(phi) ** 2)
    return np.column_stack(
        [
            radius * np.cos(phi) * np.cos(lam),
            radius * np.cos(phi) * np.sin(lam),
            radius * (1 - e2) * np.sin(phi),
        ]
    )


@dataclass(frozen=True)
class LocalFrame:
    """Azimuthal equidistant frame around the middle of a cell, in km."""

    lon: float
    lat: float

    @property
    def bounds(self) -> Floats:
        """West, south, east and north of the cell, degrees."""
        half = _CELL_DEG / 2
        return np.array([self.lon - half, self.lat - half, self.lon + half, self.lat + half])

    @cached_property
    def _proj(self) -> Proj:
        return Proj(proj="aeqd", lon_0=self.lon, lat_0=self.lat, ellps="WGS84", units="km")

    def into(self, geoms: Geoms) -> Geoms:
        """Return ``geoms`` (lon/lat) in this frame's km."""
        return np.asarray(
            shapely.transform(geoms, lambda xy: np.column_stack(self._proj(xy[:, 0], xy[:, 1])))
        )

    def lonlat(self, xy: Floats) -> tuple[Floats, Floats]:
        """Return lon and lat of n x 2 coordinates of this frame."""
        lon, lat = self._proj(xy[:, 0], xy[:, 1], inverse=True)
        return np.asarray(lon), np.asarray(lat)


def cells(lon: Floats, lat: Floats) -> Iterator[tuple[Ints, LocalFrame]]:
    """Yield groups of points (their positions) that share a local frame; nan points are left out.

    Cells are fixed on the globe, so that a point's frame does not depend on the other points.
    """
    known = np.flatnonzero(np.isfinite(lon) & np.isfinite(lat))
    x = np.floor(lon[known] / _CELL_DEG).astype(np.int64)
    y = np.floor(lat[known] / _CELL_DEG).astype(np.int64)
    order = np.lexsort((x, y))
    breaks = np.flatnonzero(np.diff(x[order]) | np.diff(y[order])) + 1
    for group in np.split(order, breaks) if len(order) else ():
        frame = LocalFrame((x[group[0]] + 0.5) * _CELL_DEG, (y[group[0]] + 0.5) * _CELL_DEG)
        yield known[np.sort(group)], frame


class Features:
    """Geometries that can be asked what lies near a box."""

    def __init__(self, geoms: Geoms) -> None:
        known = geoms[~shapely.is_missing(geoms)]
        parts = [p for g in shapely.segmentize(known, _SEGMENT_DEG) for p in _cut(g)]
        self._parts = np.empty(len(parts), dtype=object)
        self._parts[:] = parts
        self._tree = shapely.STRtree(self._parts)

    def __len__(self) -> int:
        return len(self._parts)

    def touching(self, points: Geoms) -> Ints:
        """Return the positions of the points that lie on or in some feature."""
        # the tree holds the points: a query then prepares each polygon once, however detailed
        _, hit = shapely.STRtree(points).query(self._parts, predicate="intersects")
        return np.unique(hit)

    def around(self, bounds: Floats, margin_km: float) -> Geoms:
        """Return what lies within ``margin_km`` of a lon/lat box, cut to a somewhat larger box."""
        west, south, east, north = bounds
        dlat = margin_km / _KM_PER_DEGREE + _SPARE_DEG
        south, north = south - dlat, north + dlat
        widest = max(abs(south), abs(north))
        if widest >= 89:
            west, east = -180.0, 180.0
        else:
            dlon = dlat / np.cos(np.radians(widest)) * 1.01
            west, east = west - dlon, east + dlon
        if east - west >= 360:
            west, east = -180.0, 180.0
        found = []
        for turn in (-360, 0, 360):  # a box over the antimeridian meets both of its sides
            if west + turn > 180 or east + turn < -180:
                continue
            box = shapely.box(west + turn, max(south, -90), east + turn, min(north, 90))
            hits = self._parts[np.sort(self._tree.query(box))]
            if len(hits):
                found.append(shapely.clip_by_rect(hits, *box.bounds))
        if not found:
            return np.empty(0, dtype=object)
        near = np.concatenate(found)
        return np.asarray(near[~shapely.is_empty(near)])


def _cut(geom: Any) -> list[Any]:
    """Cut a geometry of very many vertices into quarters until each piece has few."""
    if shapely.get_num_coordinates(geom) <= _MANY_VERTICES:
        return [geom]
    west, south, east, north = geom.bounds
    mid_x, mid_y = (west + east) / 2, (south + north) / 2
    if max(east - west, north - south) < 1e-3:
        return [geom]
    boxes = [
        (west, south, mid_x, mid_y), (mid_x, south, east, mid_y),
        (west, mid_y, mid_x, north), (mid_x, mid_y, east, north),
    ]  # fmt: skip
    quarters = (shapely.clip_by_rect(geom, *b) for b in boxes)
    return [piece for q in quarters if not q.is_empty for piece in _cut(q)]


def nearest_km(
    lon: Floats, lat: Floats, features: Features, within_km: float | None = None
) -> Floats:
    """Return the geodesic km from each point to the nearest feature, 0 inside a polygon.

    nan for points without coordinates; inf where nothing lies within ``within_km`` (None: search
    the whole globe) or there is no feature at all.
    """
    out = np.where(np.isfinite(lon) & np.isfinite(lat), np.inf, np.nan)
    if not len(features):
        return out
    radii = [within_km] if within_km is not None else [50.0, 250.0, 1250.0, 20_100.0]
    for members, frame in cells(lon, lat):
        left = members
        for radius in radii:
            km = _nearest_in_frame(lon[left], lat[left], frame, features, radius)
            # what is found beyond the radius may not be the nearest: look further out
            sure = (km <= radius) | (radius >= 20_000)
            out[left[sure]] = km[sure]
            left = left[~sure]
            if not len(left):
                break
    return out


def _nearest_in_frame(
    lon: Floats, lat: Floats, frame: LocalFrame, features: Features, radius_km: float
) -> Floats:
    # the whole cell, not the box of its points: the answer must not depend on the other points
    near = features.around(frame.bounds, radius_km)
    if not len(near):
        return np.full(len(lon), np.inf)
    local = frame.into(near)
    points = frame.into(as_points(lon, lat))
    chosen = shapely.STRtree(local).nearest(points)
    line = shapely.shortest_line(points, local[chosen])
    # the frame only finds the foot point; the length is measured on the ellipsoid
    foot = shapely.get_coordinates(shapely.get_point(line, 1))
    foot_lon, foot_lat = frame.lonlat(foot)
    km = straight_km(lon, lat, foot_lon, foot_lat)
    return np.where(shapely.length(line) == 0, 0.0, np.round(km, 6))


def area_ha(geoms: Geoms, lon: Floats, lat: Floats) -> Floats:
    """Return polygon areas in ha, in an equal-area projection chosen by location; nan otherwise.

    EPSG:5070 in the lower 48 states, EPSG:3035 in Europe, EPSG:6933 elsewhere.
    """
    import geopandas as gpd

    out = np.full(len(geoms), np.nan)
    flat = np.array([g is not None and shapely.get_dimensions(g) == 2 for g in geoms], dtype=bool)
    lower48 = (lon > -125) & (lon < -66.5) & (lat > 24) & (lat < 49.6)
    europe = (lon > -25) & (lon < 45) & (lat > 34) & (lat < 72)
    for crs, here in ((5070, lower48), (3035, europe), (6933, ~lower48 & ~europe)):
        rows = np.flatnonzero(flat & here)
        if len(rows):
            projected = gpd.GeoSeries(geoms[rows], crs=4326).to_crs(crs)
            out[rows] = projected.area.to_numpy() / 1e4
    return out
