"""Distances, areas and nearest features against known values, at awkward places of the globe."""

from __future__ import annotations

import make_layers as make
import numpy as np
import pytest
import shapely

from sitepick.candidates.exclusions import apply
from sitepick.candidates.geo import GEOD, Features, area_ha, as_geoms, nearest_km, straight_km
from sitepick.candidates.measure import rtt_ms

ASHBURN, ATLANTA = (-77.4874, 39.0438), (-84.3880, 33.7490)


def _nearest(lon, lat, *geoms, within=None):
    features = Features(as_geoms(geoms))
    return nearest_km(np.atleast_1d(float(lon)), np.atleast_1d(float(lat)), features, within)[0]


def test_straight_km_known_distances():
    # a degree of the equator: 2 pi a / 360; a meridian quarter: 10,001.966 km
    assert straight_km(0, 0, 1, 0) == pytest.approx(111.319491, abs=1e-6)
    assert straight_km(0, 0, 0, 90) == pytest.approx(10001.965729, abs=1e-5)
    assert straight_km(*ASHBURN, *ATLANTA) == pytest.approx(852.8, abs=2)
    assert np.isnan(straight_km(np.nan, 0, 1, 0))


def test_rtt_of_ashburn_atlanta():
    assert rtt_ms(np.array([852.8 * 1.5]), 0.0)[0] == pytest.approx(12.54, abs=0.005)
    assert rtt_ms(np.array([0.0]), 0.5)[0] == 0.5


@pytest.mark.parametrize(("lon", "lat"), [(-97, 31), (25, 69.9), (179.99, -17), (10, 89.3)])
@pytest.mark.parametrize("azimuth", [0, 77, 180, 271])
def test_nearest_point_is_geodesic_anywhere(lon, lat, azimuth):
    for km in (0.4, 33.0, 180.0, 900.0):
        to_lon, to_lat, _ = GEOD.fwd(lon, lat, azimuth, km * 1000)
        found = _nearest(lon, lat, shapely.Point(to_lon, to_lat))
        assert found == pytest.approx(km, rel=1e-9)


def test_nearest_on_a_line_at_high_latitude():
    # a meridian 2 degrees of longitude away at 68 N: the foot point lies off the parallel
    line = shapely.LineString([(22, 60), (22, 75)])
    fine = np.linspace(67, 69, 20001)
    best = straight_km(20.0, 68.0, 22.0, fine).min()
    assert _nearest(20, 68, line) == pytest.approx(best, abs=1e-3)


def test_nearest_on_a_long_parallel_follows_lonlat_not_the_great_circle():
    # 40 degrees of longitude along 45 N; straight in lon/lat, so its middle stays on the parallel
    line = shapely.LineString([(-120, 45), (-80, 45)])
    expected = straight_km(-100, 44.5, -100, 45)
    assert _nearest(-100, 44.5, line) == pytest.approx(float(expected), abs=0.01)


def test_nearest_across_the_antimeridian():
    assert _nearest(179.9, 0, shapely.Point(-179.9, 0)) == pytest.approx(22.2639, abs=1e-3)


def test_what_is_just_outside_the_search_box_may_be_nearer():
    # the first search looks 50 km around the cell: it meets the far corner of the box at 90 km
    # (north-east) before the point 60 km due south
    lon, lat = -97.99, 30.01
    diagonal = GEOD.fwd(-97.05, 30.95, 45, 60_000)[:2]
    south = GEOD.fwd(lon, lat, 180, 75_000)[:2]
    found = _nearest(lon, lat, shapely.Point(diagonal), shapely.Point(south))
    assert found == pytest.approx(75.0, abs=1e-6)


def test_inside_is_zero_and_beyond_is_infinite():
    park = make.square(-97, 31, 0.1)
    assert _nearest(-97, 31, park) == 0
    assert _nearest(-97, 32, park, within=50) == np.inf
    assert _nearest(-97, 31.5, park, within=50) == pytest.approx(
        float(straight_km(-97, 31.5, -97, 31.1)), abs=1e-3
    )
    assert np.isnan(_nearest(np.nan, 31, park))


def test_nearest_does_not_depend_on_the_other_points():
    rng = np.random.default_rng(4)
    lon, lat = rng.uniform(-100, -95, 60), rng.uniform(29, 34, 60)
    links = Features(as_geoms([shapely.LineString([(-101, 30), (-94, 33)])]))
    together = nearest_km(lon, lat, links)
    alone = [nearest_km(lon[k : k + 1], lat[k : k + 1], links)[0] for k in range(60)]
    np.testing.assert_array_equal(together, alone)


def test_polygons_of_very_many_vertices_are_cut_without_loss():
    angle = np.linspace(0, 2 * np.pi, 50_001)
    ring = np.column_stack([-97 + 2 * np.cos(angle), 31 + 2 * np.sin(angle)])
    disc = shapely.Polygon(ring)
    features = Features(as_geoms([disc]))
    assert len(features) > 10
    lon, lat = np.array([-97.0, -95.5, -94.9]), np.array([31.0, 31.5, 31.0])
    km = nearest_km(lon, lat, features, 20)
    assert km[0] == km[1] == 0
    assert km[2] == pytest.approx(float(straight_km(-94.9, 31, -95, 31)), rel=1e-3)


@pytest.mark.parametrize(("lon", "lat"), [(-97, 31), (10, 50), (20, -30), (139, 36)])
def test_area_matches_the_ellipsoid(lon, lat):
    shape = make.square(lon, lat, 0.05)
    exact = abs(GEOD.geometry_area_perimeter(shapely.segmentize(shape, 0.001))[0]) / 1e4
    found = area_ha(as_geoms([shape]), np.array([float(lon)]), np.array([float(lat)]))[0]
    assert found == pytest.approx(exact, rel=2e-4)


def _left(geom, *rules):
    geoms = as_geoms([geom])
    inner = shapely.point_on_surface(geoms)
    hits, left = apply(make.exclusions(*rules), geoms, shapely.get_x(inner), shapely.get_y(inner))
    return hits, left[0]


@pytest.mark.parametrize(
    ("lon", "lat"),
    [(25, 69.9), (-96.0, 31), (-95.9999, 45), (179.9999, 52), (-102, 60)],
    ids=["far north", "UTM seam", "beside a UTM seam", "antimeridian", "seam of zones 13 and 14"],
)
def test_buffers_are_geodesic(lon, lat):
    # -96 and -102 are borders of UTM zones; the buffer must be a circle of 10 km all the same
    for azimuth in range(0, 360, 45):
        inner = shapely.Point(GEOD.fwd(lon, lat, azimuth, 9_990)[:2])
        outer = shapely.Point(GEOD.fwd(lon, lat, azimuth, 10_010)[:2])
        rule = {"geometry": shapely.Point(lon, lat), "buffer_km": 10}
        assert _left(inner, rule)[1] == 0
        assert _left(outer, rule)[1] == 1


def test_buffer_takes_its_share_of_a_parcel_at_high_latitude():
    # a circle of 10 km inside a square of about 40 km: the share is pi r2 / area
    square = make.square(25, 69, 0.0)
    corners = [GEOD.fwd(25, 69, a, 28_284)[:2] for a in (45, 135, 225, 315)]
    square = shapely.Polygon(corners)
    area = abs(GEOD.geometry_area_perimeter(shapely.segmentize(square, 0.001))[0]) / 1e6
    _, left = _left(square, {"geometry": shapely.Point(25, 69), "buffer_km": 10})
    assert 1 - left == pytest.approx(np.pi * 100 / area, rel=2e-3)


def test_overlapping_exclusions_count_once_and_inclusions_lift():
    parcel = shapely.box(-97.0, 31.0, -96.9, 31.1)
    west = {"name": "west", "geometry": shapely.box(-97.1, 30.9, -96.95, 31.2)}
    most = {"name": "most", "geometry": shapely.box(-97.1, 30.9, -96.925, 31.2)}
    hits, left = _left(parcel, west, most)
    assert left == pytest.approx(0.25, abs=1e-4)
    assert dict(zip(hits["name"], hits["share"], strict=True)) == {
        "west": pytest.approx(0.5, abs=1e-4), "most": pytest.approx(0.75, abs=1e-4),
    }  # fmt: skip
    lift = {"name": "corridor", "include": True, "geometry": shapely.box(-97.1, 30.9, -96.95, 31.2)}
    _, left = _left(parcel, west, most, lift)
    assert left == pytest.approx(0.75, abs=1e-4)
