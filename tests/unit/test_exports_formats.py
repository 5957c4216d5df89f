"""Export of a run, and of a run folder, in each format; text and geometry at the edges."""

from __future__ import annotations

import json
import shutil

import pytest
from plan_by_hand import NASTY, run
from shapely import from_wkb
from shapely.geometry import MultiPolygon, Polygon, box, mapping, shape

from sitepick.errors import ScenarioError
from sitepick.exports.folder import write_run
from sitepick.exports.formats import FORMATS, export, folder_sheets
from sitepick.exports.geometry import bounds, multipolygon, rounded, straight, wkb
from sitepick.exports.sheets import run_sheets
from sitepick.exports.text import clean, inert

NAMES = dict(zip(("C1", "N1", "N2", "R1", "X1"), NASTY, strict=False))


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return write_run(run(names=NAMES), tmp_path_factory.mktemp("runs") / "a")


def test_a_folder_gives_back_its_sheets(made):
    for mine, back in zip(run_sheets(run(names=NAMES)), folder_sheets(made), strict=True):
        assert (back.name, back.fields, back.rows) == (mine.name, mine.fields, mine.rows)
        assert back.shape == mine.shape
        shapes = [[g and shape(g) for g in s.geometry or ()] for s in (mine, back)]
        assert shapes[0] == shapes[1]


@pytest.mark.parametrize("to", FORMATS)
def test_run_and_folder_give_the_same_bytes(made, tmp_path, to):
    if to == "parquet":
        pytest.importorskip("pyarrow")
    of_run = export(run(names=NAMES), to, tmp_path / "r")
    of_folder = export(made, to, tmp_path / "f")
    assert [p.name for p in of_run][1:] == [p.name for p in of_folder][1:]
    for a, b in zip(of_run, of_folder, strict=True):
        assert a.read_bytes() == b.read_bytes(), a.name
    assert [p for p in tmp_path.iterdir() if p.name.startswith(".tmp")] == []


def test_parquet_is_geoparquet(tmp_path):
    pytest.importorskip("pyarrow")
    import geopandas as gpd

    export(run(), "parquet", tmp_path / "p")
    sites = gpd.read_parquet(tmp_path / "p" / "sites.parquet")
    assert sites.crs.equals("OGC:CRS84")
    assert list(sites.geometry.x) == [-97.1, -97.2, -97.4]
    assert str(sites["opened"].iloc[0]) == "2027-01-01"


def test_targets_are_guarded(made, tmp_path):
    with pytest.raises(ScenarioError, match="unknown format 'shp'"):
        export(made, "shp", tmp_path / "x")
    (tmp_path / "there.gpkg").write_text("old")
    with pytest.raises(ScenarioError, match="--force"):
        export(made, "gpkg", tmp_path / "there.gpkg")
    export(made, "gpkg", tmp_path / "there.gpkg", force=True)
    assert (tmp_path / "there.gpkg").read_bytes().startswith(b"SQLite format 3")
    with pytest.raises(ScenarioError, match="is a file"):
        export(made, "csv", tmp_path / "there.gpkg", force=True)
    copy = tmp_path / "copy"
    shutil.copytree(made, copy)
    (copy / "data_dictionary.csv").write_text("edited")
    with pytest.raises(ScenarioError, match="changed after the run"):
        export(copy, "csv", tmp_path / "y")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("=1+1", "'=1+1"), ("  =1+1", "'  =1+1"), ("+1-555", "'+1-555"), ("@x", "'@x"),
        ("-5", "-5"), ("-97.5e3", "-97.5e3"), ("+.5", "+.5"), ("-5+3", "'-5+3"), ("\tx", "'\tx"),
        ("\rx", "'\rx"), ("a=b", "a=b"), ("", ""), ("-", "'-"),
        ("\n=1", "'\n=1"), ("\u200b=1", "'\u200b=1"), ("\u202e@x", "'\u202e@x"),
        ("＝1+1", "'＝1+1"),
        ("\ttab", "'\ttab"), ("\xa0=1", "'\xa0=1"), ("two\nlines", "two\nlines"),
    ],
)  # fmt: skip
def test_inert(text, shown):
    assert inert(text) == shown


def test_clean_drops_what_files_cannot_hold():
    assert clean("a\x00\x1b[31m\x85\ud800b\tc\nd") == "a[31m\ufffdb\tc\nd"
    assert clean("\u202eabc") == "\u202eabc"  # bidi marks are data; the terminal spells them out


def test_ties_are_cut_at_the_antimeridian():
    line = straight([179.0, 10.0], [-179.0, 12.0])
    assert line == {
        "type": "MultiLineString",
        "coordinates": [[[179.0, 10.0], [180.0, 11.0]], [[-180.0, 11.0], [-179.0, 12.0]]],
    }
    back = straight([-179.0, 12.0], [179.0, 10.0])
    assert back["coordinates"] == [[[-179.0, 12.0], [-180.0, 11.0]], [[180.0, 11.0], [179.0, 10.0]]]
    assert straight([180.0, 0.0], [-179.0, 0.0])["coordinates"] == [[[-180.0, 0.0], [-179.0, 0.0]]]
    assert straight([1.0, 2.0], [1.0, 2.0]) is None


def test_polygons_follow_the_right_hand_rule():
    hole = [(1, 1), (2, 1), (2, 2), (1, 2)]
    clockwise = Polygon([(0, 0), (0, 4), (4, 4), (4, 0)], [hole])
    turned = shape(multipolygon(clockwise))
    assert turned.geoms[0].exterior.is_ccw
    assert not turned.geoms[0].interiors[0].is_ccw
    assert turned.equals(clockwise)
    assert multipolygon(None) is None
    assert multipolygon(Polygon()) is None
    high = multipolygon(Polygon([(0, 0, 5), (1, 0, 5), (1, 1, 5)]))
    assert high["coordinates"][0][0][0] == [0, 0]


@pytest.mark.parametrize(
    "geometry",
    [box(0, 0, 1, 1), MultiPolygon([box(0, 0, 1, 1), box(2, 2, 3, 3)]), box(0, 0, 1, 1).boundary],
)
def test_wkb_is_what_shapely_reads(geometry):
    assert from_wkb(wkb(json.loads(json.dumps(mapping(geometry))))).equals(geometry)


def test_coordinates_have_six_decimals():
    assert rounded([[1.23456789, -0.0000001]]) == [[1.234568, 0.0]]
    assert bounds([None]) is None
    assert bounds([{"type": "Point", "coordinates": [1.0, 2.0]}, None]) == (1.0, 2.0, 1.0, 2.0)
