"""Our own GeoJSON reader builds what shapely builds from the same text."""

from __future__ import annotations

import json
from typing import Any

import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from sitepick.layers.jsonfile import geojson_table
from sitepick.layers.shapes import Shapes

ORDINATE = st.floats(-180, 180, allow_nan=False).map(lambda v: round(v, 6))
POSITION = st.lists(ORDINATE, min_size=2, max_size=3)
LINE = st.lists(POSITION, min_size=2, max_size=5)
RING = st.lists(POSITION, min_size=3, max_size=5).map(lambda r: [*r, r[0]])
POLYGON = st.lists(RING, min_size=1, max_size=3)
GEOMETRY = st.one_of(
    st.none(),
    st.builds(lambda c: {"type": "Point", "coordinates": c}, POSITION),
    st.builds(lambda c: {"type": "LineString", "coordinates": c}, LINE),
    st.builds(lambda c: {"type": "Polygon", "coordinates": c}, POLYGON),
    st.builds(
        lambda c: {"type": "MultiPoint", "coordinates": c},
        st.lists(POSITION, min_size=1, max_size=3),
    ),
    st.builds(
        lambda c: {"type": "MultiLineString", "coordinates": c},
        st.lists(LINE, min_size=1, max_size=3),
    ),
    st.builds(
        lambda c: {"type": "MultiPolygon", "coordinates": c},
        st.lists(POLYGON, min_size=1, max_size=3),
    ),
)


def flat(item: Any) -> Any:
    """Cut positions to two numbers: shapely refuses mixed dimensions."""
    if isinstance(item, dict):
        return {k: flat(v) for k, v in item.items()}
    if isinstance(item, list) and item and isinstance(item[0], float):
        return item[:2]
    return [flat(i) for i in item] if isinstance(item, list) else item


@settings(max_examples=150, deadline=None)
@given(st.lists(GEOMETRY, max_size=8))
def test_same_as_shapely(items: list[Any]) -> None:
    features = [{"type": "Feature", "properties": {}, "geometry": g} for g in items]
    table = geojson_table({"type": "FeatureCollection", "features": features})
    assert table.faults == []
    assert table.geometry is not None
    for item, made in zip(items, table.geometry, strict=True):
        if item is None:
            assert made is None
            continue
        want = shapely.from_geojson(json.dumps(flat(item)))
        assert shapely.equals_exact(shapely.force_2d(made), want, 0.0)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(GEOMETRY, min_size=1, max_size=5),
    st.sampled_from(["x", None, [], {}, True, [[]], [["1", "2"]], [1], 7, [[[[[1.0]]]]]]),
)
def test_broken_coordinates_never_spoil_the_others(items: list[Any], junk: Any) -> None:
    broken = [{"type": "Polygon", "coordinates": junk}, *items]
    shapes = Shapes(len(broken))
    shapes.add_all(broken)
    assert {row for row, _ in shapes.faults} <= {0}
    assert shapes.geometry[0] is None
    for item, made in zip(items, shapes.geometry[1:], strict=True):
        assert (item is None) == (made is None)


@pytest.mark.parametrize("dims", [2, 3, 4])
def test_heights_are_seen(dims: int) -> None:
    shapes = Shapes(1)
    shapes.add_all([{"type": "Point", "coordinates": [1.0, 2.0, 3.0, 4.0][:dims]}])
    assert shapes.has_z == (dims > 2)
    assert shapes.geometry[0].coords[0] == (1.0, 2.0)


def test_geometry_collection() -> None:
    point = {"type": "Point", "coordinates": [1.0, 2.0]}
    shapes = Shapes(2)
    nested = {"type": "GeometryCollection", "geometries": []}
    shapes.add_all(
        [
            {"type": "GeometryCollection", "geometries": [point]},
            {"type": "GeometryCollection", "geometries": [nested]},
        ]
    )
    assert shapes.geometry[0].geoms[0].coords[0] == (1.0, 2.0)
    assert shapes.faults == [(1, "nested GeometryCollections are not read")]
