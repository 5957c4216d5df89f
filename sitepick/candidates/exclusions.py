"""Excluded areas: which points they hit, and which share of a polygon they take."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely

from sitepick.candidates.geo import (
    Features,
    Floats,
    Geoms,
    LocalFrame,
    as_geoms,
    as_points,
    cells,
    nearest_km,
)

if TYPE_CHECKING:
    import geopandas as gpd

_NOTHING_LEFT = 1e-6
"""A parcel of which less than this share remains is excluded as a whole."""


@dataclass(frozen=True)
class _Rule:
    name: str
    buffer_km: float
    include: bool
    features: Features


def apply(
    exclusions: gpd.GeoDataFrame | None, geoms: Geoms, lon: Floats, lat: Floats
) -> tuple[pd.DataFrame, Floats]:
    """Return what each exclusion takes from each place, and the share left of each place.

    The table has place (position), name, km (to the feature, points only), buffer_km and share
    (taken from the place: 1 for a hit point); the sum of shares may exceed what is taken in
    all, because exclusions overlap. Forced inclusions are taken out of the exclusions first.
    """
    left = np.ones(len(geoms))
    columns = ["place", "name", "km", "buffer_km", "share"]
    if exclusions is None or not len(exclusions):
        return pd.DataFrame(columns=columns), left
    rules = [
        _Rule(str(name), float(buffer), bool(include), Features(as_geoms(rows.geometry)))
        for (name, buffer, include), rows in exclusions.groupby(
            ["name", "buffer_km", "include"], sort=True
        )
    ]
    flat = np.array([g is not None and shapely.get_dimensions(g) == 2 for g in geoms], dtype=bool)
    hits = _points(rules, np.where(flat, np.nan, lon), lat, left)
    hits += _polygons(rules, geoms, np.where(flat, lon, np.nan), lat, left)
    table = pd.DataFrame(hits, columns=columns)
    if len(table):  # one row for a name whose features carry different buffers
        table = table.sort_values(
            ["place", "name", "share", "km"], ascending=[True, True, False, True]
        )
        table = table.drop_duplicates(["place", "name"])
    return table.reset_index(drop=True), left


def _points(rules: list[_Rule], lon: Floats, lat: Floats, left: Floats) -> list[tuple]:
    lifted = np.zeros(len(lon), dtype=bool)
    for rule in (r for r in rules if r.include):
        lifted |= _distance(rule, lon, lat) <= rule.buffer_km
    hits = []
    for rule in (r for r in rules if not r.include):
        km = _distance(rule, lon, lat)
        hit = np.flatnonzero((km <= rule.buffer_km) & ~lifted)
        left[hit] = 0.0
        hits += [(int(k), rule.name, float(km[k]), rule.buffer_km, 1.0) for k in hit]
    return hits


def _distance(rule: _Rule, lon: Floats, lat: Floats) -> Floats:
    """Return km to the rule's features, inf beyond its buffer."""
    if rule.buffer_km > 0:
        return nearest_km(lon, lat, rule.features, rule.buffer_km)
    km = np.full(len(lon), np.inf)
    known = np.flatnonzero(np.isfinite(lon))
    km[known[rule.features.touching(as_points(lon[known], lat[known]))]] = 0.0
    return km


def _polygons(
    rules: list[_Rule], geoms: Geoms, lon: Floats, lat: Floats, left: Floats
) -> list[tuple]:
    hits = []
    for members, frame in cells(lon, lat):
        around = shapely.total_bounds(geoms[members])
        bounds = np.r_[np.minimum(around, frame.bounds)[:2], np.maximum(around, frame.bounds)[2:]]
        parcels = shapely.make_valid(frame.into(shapely.segmentize(geoms[members], 0.1)))
        lifted = shapely.union_all([_area(r, bounds, frame) for r in rules if r.include], axis=None)
        areas = {}
        for rule in (r for r in rules if not r.include):
            area = shapely.difference(_area(rule, bounds, frame), lifted)
            if area.is_empty:
                continue
            shapely.prepare(area)
            areas[rule] = area
            touched = np.flatnonzero(shapely.intersects(area, parcels))
            share = _share(parcels[touched], area)
            hits += [
                (int(members[k]), rule.name, np.nan, rule.buffer_km, float(s))
                for k, s in zip(touched, share, strict=True)
                if s > 0
            ]
        if areas:
            left[members] = 1 - _share(parcels, shapely.union_all(list(areas.values())))
    left[np.isfinite(lon) & (left < _NOTHING_LEFT)] = 0.0
    return hits


def _area(rule: _Rule, bounds: Floats, frame: LocalFrame) -> shapely.Geometry:
    near = rule.features.around(bounds, rule.buffer_km)
    if not len(near):
        return shapely.Polygon()
    local = shapely.make_valid(frame.into(near))
    if rule.buffer_km > 0:
        # 32 segments per quarter circle: the buffer is short of its radius by at most 0.03 %
        local = shapely.buffer(local, rule.buffer_km, quad_segs=32)
    return shapely.union_all(local)


def _share(parcels: Geoms, area: shapely.Geometry) -> Floats:
    """Return the share of each parcel that ``area`` covers (a ratio: the frame's scale cancels)."""
    taken = shapely.area(shapely.intersection(parcels, area)) / shapely.area(parcels)
    return np.asarray(np.round(taken, 9))
