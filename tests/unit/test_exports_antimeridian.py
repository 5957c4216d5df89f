"""Lines and polygons at 180 degrees, and rings wound the wrong way: RFC 7946, by hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from shapely.geometry import LineString, Polygon, box, shape

from sitepick.exports.antimeridian import cut_line, cut_polygon
from sitepick.exports.geojson_out import write_geojson
from sitepick.exports.geometry import multiline, multipolygon
from sitepick.exports.sheet import Field, Sheet

CLOCKWISE = [(170, -20), (170, -10), (-170, -10), (-170, -20)]
HOLE = [(175, -18), (175, -12), (178, -12), (178, -18)]


def ring(points):
    return [[float(x), float(y)] for x, y in [*points, points[0]]]


@pytest.mark.parametrize(
    "points",
    [
        CLOCKWISE,
        CLOCKWISE[::-1],
        [(170, -20), (170, -10), (190, -10), (190, -20)],  # beyond the edge
        [(-190, -20), (-190, -10), (-170, -10), (-170, -20)],
    ],
)
def test_a_polygon_across_the_edge_becomes_two(points):
    made = multipolygon(Polygon(points))
    east, west = (Polygon(p[0]) for p in made["coordinates"])
    assert east.equals(box(-180, -20, -170, -10))
    assert west.equals(box(170, -20, 180, -10))
    assert all(p.exterior.is_ccw for p in shape(made).geoms)


def test_holes_stay_in_their_half_or_are_cut_with_it():
    made = shape(multipolygon(Polygon(CLOCKWISE, [HOLE])))
    assert made.is_valid
    assert made.area == pytest.approx(2 * 100 - 18)
    assert [len(p.interiors) for p in made.geoms] == [0, 1]
    across = shape(multipolygon(Polygon(CLOCKWISE, [[(175, -18), (-175, -18), (-175, -12),
                                                     (175, -12)]])))  # fmt: skip
    assert across.is_valid
    assert across.area == pytest.approx(200 - 60)
    for polygon in (*made.geoms, *across.geoms):
        assert polygon.exterior.is_ccw
        assert not any(hole.is_ccw for hole in polygon.interiors)


def test_what_needs_no_cut_stays_as_it_is():
    for points in (
        [(-180, -90), (180, -90), (180, 90), (-180, 90)],  # the world
        [(-180, -90), (180, -90), (180, -70), (0, -65), (-180, -70)],  # as maps close at a pole
        [(180, 0), (180, 1), (179, 1)],
    ):
        assert cut_polygon([ring(points)]) == [[ring(points)]]
    around = ring([(0, 80), (120, 80), (-120, 80)])  # around the pole: cannot be cut into rings
    assert cut_polygon([around]) == [[around]]
    assert cut_line([[1.0, 2.0], [3.0, 4.0]]) == [[[1.0, 2.0], [3.0, 4.0]]]


def test_lines_are_cut_each_time_they_cross():
    made = multiline(LineString([(170, 0), (-170, 0), (170, 2)]))
    assert made["coordinates"] == [
        [[170, 0], [180, 0]],
        [[-180, 0], [-170, 0], [-180, 1]],
        [[180, 1], [170, 2]],
    ]
    assert cut_line([[-179.0, 0.0], [-181.0, 2.0]]) == [
        [[-179.0, 0.0], [-180.0, 1.0]],
        [[180.0, 1.0], [179.0, 2.0]],
    ]
    assert cut_line([[180.0, 0.0], [-179.0, 0.0]]) == [[[-180.0, 0.0], [-179.0, 0.0]]]
    assert cut_line([[500.0, 0.0], [501.0, 0.0]]) == [[[140.0, 0.0], [141.0, 0.0]]]


def test_the_file_keeps_to_the_rfc(tmp_path: Path):
    fields = (Field("region_id", "", "text", "id"),)
    rows = [{"region_id": "Fiji"}, {"region_id": "Clockwise"}]
    shapes = [multipolygon(Polygon(CLOCKWISE)), multipolygon(box(0, 0, 1 / 3, 1).reverse())]
    write_geojson(
        Sheet("regions", "m", fields, rows, shapes, "MultiPolygon"), tmp_path / "r.geojson"
    )
    record = json.loads((tmp_path / "r.geojson").read_text())
    assert "crs" not in record
    numbers = []
    for feature in record["features"]:
        for polygon in feature["geometry"]["coordinates"]:
            assert polygon[0][0] == polygon[0][-1]
            assert Polygon(polygon[0]).exterior.is_ccw
            numbers += [x for ring in polygon for position in ring for x in position]
    assert max(map(abs, numbers)) == 180
    assert all(round(x, 6) == x for x in numbers)
    assert 0.333333 in numbers
