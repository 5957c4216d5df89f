"""Styles, the QGIS project, KML: what opens on a map, and that it says what the data says."""

from __future__ import annotations

import csv
import dataclasses
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from xml.etree import ElementTree

import geopandas as gpd
import pyogrio
import pytest
from openpyxl import load_workbook
from plan_by_hand import NASTY, run
from shapely.geometry import LineString

from sitepick.errors import ScenarioError
from sitepick.exports.folder import write_run
from sitepick.exports.formats import FORMATS, ONE_FILE, export, folder_sheets
from sitepick.exports.kml_out import kml_text
from sitepick.exports.qgis_out import project_text
from sitepick.exports.qml import expression, qml_text
from sitepick.exports.sheets import run_sheets
from sitepick.exports.sld import sld_text
from sitepick.exports.styles import style_of
from sitepick.layers.types import Source

NAMES = dict(zip(("C1", "N1", "N2", "R1", "X1"), NASTY, strict=False))
KML = "{http://www.opengis.net/kml/2.2}"
SE, OGC = "{http://www.opengis.net/se}", "{http://www.opengis.net/ogc}"
PLACES = ["sites", "sites_by_period", "candidates", "substations", "lines", "fiber", "links",
          "regions", "actions"]  # fmt: skip
BOX = (-97.4, 31.0, -97.0, 31.4)  # of the places of the plan made by hand


def mapped(**changes):
    """Return the plan made by hand with lines (one of unknown kV) and fiber across 180 degrees."""
    made = run(names=NAMES, **changes)
    lines = gpd.GeoDataFrame(
        {"line_id": ["L1", "L2"], "kv": [345.0, float("nan")], "rating_mva": [900.0, float("nan")],
         "keep:owner": ["=A&B", "<c>"]},
        geometry=[LineString([(-97.1, 31.1), (-97.4, 31.4)]), LineString([(-97, 31), (-96, 32)])],
        crs="EPSG:4326",
    )  # fmt: skip
    fiber = gpd.GeoDataFrame(
        {"link_id": ["F1"], "from_node": ["a"], "to_node": [None]},
        geometry=[LineString([(170, 30), (-170, 32)])],
        crs="EPSG:4326",
    )
    sources = (
        *made.prepared.layers.sources,
        Source("lines", "maps/lines.gpkg", "ef" * 32, 9, 2, 2, "ODbL <OpenStreetMap>"),
        Source("fiber_links", "bundled:fiber.geojson", "ef" * 32, 9, 1, 1, "", synthetic=True),
    )
    layers = dataclasses.replace(
        made.prepared.layers, lines=lines, fiber_links=fiber, sources=sources
    )
    return dataclasses.replace(made, prepared=dataclasses.replace(made.prepared, layers=layers))


@pytest.fixture(scope="module")
def sheets():
    return {s.name: s for s in run_sheets(mapped())}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_run(mapped(), tmp_path_factory.mktemp("runs") / "a")


@pytest.fixture(scope="module")
def qgis(folder, tmp_path_factory):
    out = tmp_path_factory.mktemp("qgis") / "project"
    export(folder, "qgis", out)
    return out


def project(qgis: Path) -> ElementTree.Element:
    return ElementTree.parse(qgis / "plan.qgs").getroot()


def layers_of(root: ElementTree.Element) -> dict[str, ElementTree.Element]:
    return {
        layer.findtext("datasource", "").rpartition("=")[2]: layer
        for layer in root.iter("maplayer")
    }


# --- layers ---------------------------------------------------------------------------------


def test_lines_and_fiber_are_layers(sheets):
    lines, fiber = sheets["lines"], sheets["fiber"]
    assert [f.name for f in lines.fields] == ["line_id", "kv", "rating_mva", "synthetic", "owner"]
    assert lines.rows[1] == {
        "line_id": "L2", "kv": None, "rating_mva": None, "synthetic": False, "owner": "<c>",
    }  # fmt: skip
    assert fiber.rows == [
        {"link_id": "F1", "from_node": "a", "to_node": None, "synthetic": True}
    ]  # fmt: skip
    assert fiber.geometry[0]["coordinates"] == [
        [[170, 30], [180, 31]], [[-180, 31], [-170, 32]],
    ]  # fmt: skip
    assert [s.name for s in run_sheets(mapped()) if s.shape] == PLACES


def test_run_info_names_those_who_made_the_data(sheets):
    info = {r["item"]: r["value"] for r in sheets["run_info"].rows}
    assert info["licence_substations"] == "subs.geojson: CC BY 4.0"
    assert info["licence_lines"] == "lines.gpkg: ODbL <OpenStreetMap>"
    assert info["licence_fiber_links"] == "fiber.geojson: not stated"
    assert {"sitepick", "scenario", "objective", "gap_pct", "synthetic", "money"} <= info.keys()


# --- styles ---------------------------------------------------------------------------------


def with_verdicts(sheet, words):
    rows = [r | {"verdict": w} for r, w in zip(sheet.rows, words, strict=True)]
    return dataclasses.replace(sheet, rows=rows)


def test_candidates_are_styled_by_verdict_where_there_is_one(sheets):
    old = sheets["candidates"]
    style = style_of(old)
    assert (style.how, style.column) == ("category", "verdict")
    assert {c.value for c in style.classes} == {r["verdict"] for r in old.rows}
    words = ["blocked", "not_chosen", "chosen", "rejected", "a new word"]
    style = style_of(with_verdicts(old, words))
    assert {c.value for c in style.classes} == set(words)
    assert len({c.symbol for c in style.classes}) == 5
    none = style_of(with_verdicts(old, [None] * 5))
    assert none.column == "status"
    assert {c.value for c in none.classes} == {r["status"] for r in old.rows}


def test_every_row_has_exactly_one_class(sheets):
    for name in ("sites", "substations", "lines", "regions"):
        style = style_of(sheets[name])
        for row in sheets[name].rows:
            value = row[style.column]
            mine = [
                c for c in style.classes
                if (value is None and c.low is None)
                or (value is not None and c.low is not None and c.low <= value < c.high)
            ]  # fmt: skip
            assert len(mine) == 1, (name, value)


def test_sites_grow_with_mw_and_ranges_meet(sheets):
    classes = style_of(sheets["sites"]).classes
    assert [a.high for a in classes[:-1]] == [b.low for b in classes[1:]]
    sizes = [c.symbol.size_mm for c in classes]
    assert sizes == sorted(set(sizes))


def test_rules_read_as_sql(sheets, folder):
    """The filters of rules are SQL too: SQLite counts with them what Python counts."""
    style = style_of(sheets["lines"])
    with closing(sqlite3.connect(folder / "plan.gpkg")) as db:
        found = {
            one.label: db.execute(
                f"SELECT count(*) FROM lines WHERE {expression(style, one)}"
            ).fetchone()[0]
            for one in style.classes
        }
    assert {k: n for k, n in found.items() if n} == {"unknown kV": 1, "300 to below 450 kV": 1}


def test_styles_are_in_the_geopackage(folder, sheets):
    with closing(sqlite3.connect(folder / "plan.gpkg")) as db:
        rows = db.execute(
            "SELECT f_table_name, f_geometry_column, useAsDefault, styleQML, styleSLD"
            " FROM layer_styles ORDER BY id"
        ).fetchall()
    assert [r[:3] for r in rows] == [(name, "geom", 1) for name in PLACES]
    for name, _, _, qml, sld in rows:
        style = style_of(sheets[name])
        drawn = ElementTree.fromstring(qml).find("renderer-v2")
        assert len(drawn.findall("symbols/symbol")) == len(style.classes)
        rules = list(ElementTree.fromstring(sld).iter(f"{SE}Rule"))
        assert [r.findtext(f"{SE}Name") for r in rules] == [c.label for c in style.classes]
    assert "layer_styles" not in [s.name for s in folder_sheets(folder)]


def test_styles_escape_what_data_says(sheets):
    style = style_of(with_verdicts(sheets["candidates"], ["<&'\">"] * 5))
    qml = ElementTree.fromstring(qml_text(style, "Point"))
    assert [c.get("value") for c in qml.iter("category")] == ["<&'\">"]
    sld = ElementTree.fromstring(sld_text("candidates", style, "Point"))
    assert [x.text for x in sld.iter(f"{OGC}Literal")] == ["<&'\">"]


# --- the project ----------------------------------------------------------------------------


def test_every_layer_of_the_project_is_in_the_geopackage(qgis):
    assert sorted(p.name for p in qgis.iterdir()) == [
        "data_dictionary.csv", "plan.gpkg", "plan.qgs",
    ]  # fmt: skip
    root = project(qgis)
    text = (qgis / "plan.qgs").read_text(encoding="utf-8")
    assert str(qgis.parent) not in text
    assert root.findtext("properties/Paths/Absolute") == "false"
    found = layers_of(root)
    stored = dict(pyogrio.list_layers(qgis / "plan.gpkg"))
    assert found.keys() == stored.keys() - {"layer_styles"}
    for name, layer in found.items():
        assert layer.findtext("datasource") == f"./plan.gpkg|layername={name}"
        assert layer.findtext("provider") == "ogr"
        kind = {None: "No geometry", "Point": "Point", "MultiLineString": "Line",
                "MultiPolygon": "Polygon"}[stored[name]]  # fmt: skip
        assert layer.get("geometry") == kind
        assert (layer.find("renderer-v2") is None) == (stored[name] is None)
        columns = set(pyogrio.read_info(qgis / "plan.gpkg", layer=name)["fields"])
        assert {a.get("field") for a in layer.iter("alias")} == columns
        drawn = layer.find("renderer-v2")
        if drawn is not None:
            symbols = {s.get("name") for s in drawn.findall("symbols/symbol")}
            used = {
                e.get("symbol")
                for tag in ("category", "range", "rule")
                for e in drawn.iter(tag)
                if e.get("symbol")
            }
            assert used in (symbols, set())
            if drawn.get("attr"):
                assert drawn.get("attr") in columns
    ids = [layer.findtext("id") for layer in found.values()]
    tree = [x.get("id") for x in root.iter("layer-tree-layer")]
    assert len(set(ids)) == len(ids)
    assert sorted(tree) == sorted(ids)


def test_the_project_opens_on_the_sites_with_sites_on_top(qgis):
    root = project(qgis)
    groups = root.findall("layer-tree-group/layer-tree-group")
    assert [g.get("name") for g in groups] == [
        "Plan: by hand (SYNTHETIC input: MW are not real headroom)", "Tables",
    ]  # fmt: skip
    order = [x.get("source").rpartition("=")[2] for x in groups[0]]
    assert order == ["sites", "links", "candidates", "actions", "sites_by_period",
                     "substations", "fiber", "lines", "regions"]  # fmt: skip
    off = [x.get("source") for x in groups[0] if x.get("checked") != "Qt::Checked"]
    assert off == ["./plan.gpkg|layername=actions", "./plan.gpkg|layername=sites_by_period"]
    extent = root.find("mapcanvas/extent")
    west, south, east, north = (
        float(extent.findtext(k)) for k in ("xmin", "ymin", "xmax", "ymax")
    )  # fmt: skip
    assert west < BOX[0] < BOX[2] < east
    assert south < BOX[1] < BOX[3] < north
    assert east - west < 1  # fiber and lines reach much farther
    assert root.findtext("projectCrs/spatialrefsys/authid") == "EPSG:4326"
    assert root.findtext("mapcanvas/destinationsrs/spatialrefsys/authid") == "EPSG:4326"


def test_categories_are_the_values_of_the_data(qgis):
    drawn = layers_of(project(qgis))["candidates"].find("renderer-v2")
    assert (drawn.get("type"), drawn.get("attr")) == ("categorizedSymbol", "verdict")
    found = gpd.read_file(qgis / "plan.gpkg", layer="candidates")
    assert {c.get("value") for c in drawn.iter("category")} == set(found["verdict"])


def test_real_input_is_not_called_synthetic():
    text = project_text(run_sheets(run(synthetic=False)))
    assert "SYNTHETIC" not in text
    assert ElementTree.fromstring(text).findtext("title") == "by hand"


def test_a_plan_without_places_opens_on_the_world():
    bare = [dataclasses.replace(s, geometry=s.geometry and [None] * len(s.rows))
            for s in run_sheets(run())]  # fmt: skip
    extent = ElementTree.fromstring(project_text(bare)).find("mapcanvas/extent")
    assert [float(x.text) for x in extent] == [-180, -90, 180, 90]


RENDER = """
import sys
from qgis.core import (QgsApplication, QgsMapRendererParallelJob, QgsMapSettings, QgsProject,
                       QgsRectangle, QgsVectorLayer)
from qgis.PyQt.QtCore import QSize
app = QgsApplication([], False)
app.initQgis()
project = QgsProject.instance()
assert project.read(sys.argv[1] + "/plan.qgs"), project.error()
assert project.crs().authid() == "EPSG:4326"
layers = project.mapLayers().values()
assert len(layers) == int(sys.argv[2]) and all(x.isValid() for x in layers)
styled = QgsVectorLayer(sys.argv[1] + "/plan.gpkg|layername=candidates", "c", "ogr")
assert styled.renderer().type() == "categorizedSymbol"
settings = QgsMapSettings()
settings.setLayers(project.layerTreeRoot().checkedLayers())
settings.setDestinationCrs(project.crs())
settings.setOutputSize(QSize(600, 600))
settings.setExtent(QgsRectangle(*map(float, sys.argv[3].split(","))))
job = QgsMapRendererParallelJob(settings)
job.start()
job.waitForFinished()
assert not job.errors(), job.errors()
image = job.renderedImage()
colours = {image.pixelColor(x, y).name() for x in range(600) for y in range(600)}
print(" ".join(sorted(colours)))
"""


def test_qgis_renders_the_project(qgis, tmp_path):
    """With QGIS: SITEPICK_QGIS_PYTHON names the Python that has it, if not the system's."""
    python = os.environ.get("SITEPICK_QGIS_PYTHON", "/usr/bin/python3")
    test = [python, "-c", "import qgis.core"]
    if (
        not shutil.which(python)
        or subprocess.run(test, capture_output=True, check=False).returncode
    ):
        pytest.skip("QGIS is not installed")
    moved = tmp_path / "moved elsewhere"
    shutil.copytree(qgis, moved)
    done = subprocess.run(
        [python, "-c", RENDER, moved, str(len(folder_layers(moved))), ",".join(map(str, BOX))],
        capture_output=True, text=True, check=False, timeout=120,
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    drawn = set(done.stdout.split())
    assert {"#56b4e9", "#0072b2", "#e69f00"} <= drawn  # not chosen, chosen, existing


def folder_layers(folder: Path) -> list[str]:
    names = [name for name, _ in pyogrio.list_layers(folder / "plan.gpkg")]
    return [name for name in names if name != "layer_styles"]


# --- KML ------------------------------------------------------------------------------------


def test_kml_has_a_folder_a_layer_and_escapes_names(sheets):
    text = kml_text(list(sheets.values()))
    assert "<script>" not in text
    root = ElementTree.fromstring(text)
    folders = {f.findtext(f"{KML}name"): f for f in root.iter(f"{KML}Folder")}
    assert sorted(folders) == sorted(PLACES)
    styles = {f"#{s.get('id')}" for s in root.iter(f"{KML}Style")}
    schemas = {f"#{s.get('id')}" for s in root.iter(f"{KML}Schema")}
    for name, found in folders.items():
        places = found.findall(f"{KML}Placemark")
        assert len(places) == len(sheets[name].rows)
        for place in places:
            assert place.findtext(f"{KML}styleUrl") in styles
            assert place.find(f"{KML}ExtendedData/{KML}SchemaData").get("schemaUrl") in schemas
    names = [p.findtext(f"{KML}name") for p in folders["sites"].findall(f"{KML}Placemark")]
    assert names == [r["name"] for r in sheets["sites"].rows]
    line = folders["fiber"].find(f"{KML}Placemark/{KML}MultiGeometry")
    assert [c.text for c in line.iter(f"{KML}coordinates")] == [
        "170.0,30.0 180.0,31.0", "-180.0,31.0 -170.0,32.0",
    ]  # fmt: skip
    rings = folders["regions"].findall(f".//{KML}outerBoundaryIs/{KML}LinearRing/{KML}coordinates")
    assert len(rings) == 2
    assert "not real headroom" in root.findtext(f"{KML}Document/{KML}description")


# --- all formats ----------------------------------------------------------------------------


def _format(to: str) -> str:
    if to == "parquet":
        pytest.importorskip("pyarrow")
    return to


@pytest.mark.parametrize("to", FORMATS)
def test_a_second_export_has_the_same_bytes(folder, tmp_path, to):
    first = export(folder, _format(to), tmp_path / "a")
    again = export(folder, to, tmp_path / "b")
    assert [p.read_bytes() for p in first] == [p.read_bytes() for p in again]
    export(folder, to, tmp_path / "b", force=True)
    assert [p.read_bytes() for p in first] == [p.read_bytes() for p in again]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a", "b"]


@pytest.mark.parametrize("to", [f for f in FORMATS if f != "parquet"])
def test_gdal_opens_every_file_without_a_warning(folder, tmp_path, to):
    name = f"out.{to}" if to in ONE_FILE else "out"
    files = [p for p in export(folder, to, tmp_path / name) if p.suffix != ".qgs"]
    assert files
    for file in files:
        if shutil.which("ogrinfo"):
            done = subprocess.run(
                ["ogrinfo", "-al", "-ro", file], capture_output=True, text=True, check=False
            )
            assert (done.returncode, done.stderr) == (0, ""), file.name
            assert "Warning" not in done.stdout, file.name
            assert "Layer name" in done.stdout, file.name
    script = (
        "import sys, warnings; warnings.simplefilter('error')\n"
        "import pyogrio\n"
        "for path in sys.argv[1:]:\n"
        "    for name, _ in pyogrio.list_layers(path):\n"
        "        pyogrio.read_info(path, layer=name, force_feature_count=True)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, *files], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_kml_and_geopackage_have_the_same_features(folder, tmp_path, sheets):
    (kml,) = export(folder, "kml", tmp_path / "plan.kml")
    for name in PLACES:
        assert pyogrio.read_info(kml, layer=name, force_feature_count=True)["features"] == len(
            sheets[name].rows
        )


def test_only_an_earlier_export_is_replaced(folder, tmp_path):
    out = tmp_path / "tables"
    export(folder, "csv", out)
    (out / "left_over.csv").write_text("of an older version")
    with pytest.raises(ScenarioError, match="exists"):
        export(folder, "csv", out)
    export(folder, "csv", out, force=True)
    assert not (out / "left_over.csv").exists()
    (out / "thesis.txt").write_text("years of work")
    with pytest.raises(ScenarioError, match=r"holds thesis\.txt"):
        export(folder, "csv", out, force=True)
    assert (out / "thesis.txt").read_text() == "years of work"
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "a.csv").write_text("1")
    with pytest.raises(ScenarioError, match="no earlier export"):
        export(folder, "csv", mine, force=True)
    with pytest.raises(ScenarioError, match="holds"):
        export(folder, "qgis", out, force=True)


@pytest.mark.parametrize("to", ["qgis", "csv", "kml"])
def test_a_failed_export_leaves_what_was_there(folder, tmp_path, monkeypatch, to):
    out = tmp_path / "out"
    before = [p.read_bytes() for p in export(folder, to, out)]

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("sitepick.exports.formats.to_disk", full)
    with pytest.raises(ScenarioError, match="No space left"):
        export(folder, to, out, force=True)
    files = sorted(out.iterdir()) if out.is_dir() else [out]
    assert [p.read_bytes() for p in files] == before
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_a_geopackage_that_was_only_opened_is_still_exported(folder, tmp_path):
    """QGIS switches the journal on opening, and may save a style; neither changes a row."""
    copy = tmp_path / "run"
    shutil.copytree(folder, copy)
    with closing(sqlite3.connect(copy / "plan.gpkg")) as db, db:
        db.execute("PRAGMA user_version = 10301")
        db.execute("UPDATE layer_styles SET styleName = 'mine'")
    assert (copy / "plan.gpkg").read_bytes() != (folder / "plan.gpkg").read_bytes()
    (again,) = export(copy, "gpkg", tmp_path / "a.gpkg")
    assert again.read_bytes() == (folder / "plan.gpkg").read_bytes()
    for change in ("UPDATE sites SET it_mw = it_mw + 1", "DROP TABLE cash"):
        shutil.copy(folder / "plan.gpkg", copy / "plan.gpkg")
        with closing(sqlite3.connect(copy / "plan.gpkg")) as db, db:
            for name in ("ST_IsEmpty", "ST_MinX", "ST_MaxX", "ST_MinY", "ST_MaxY"):
                db.create_function(name, 1, lambda _: 0.0)  # that programs for maps have
            db.execute(change)
        with pytest.raises(ScenarioError, match=r"plan\.gpkg was changed after the run"):
            export(copy, "csv", tmp_path / "b")
    (copy / "plan.gpkg").write_text("no database")
    with pytest.raises(ScenarioError, match=r"plan\.gpkg was changed after the run"):
        export(copy, "csv", tmp_path / "b")


FORMULAS = ("=1+1", "+1+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1")


@pytest.mark.parametrize("text", FORMULAS)
def test_no_name_and_no_own_column_becomes_a_formula(tmp_path, text):
    made = run(names={"N1": text, "C1": text})
    sites = made.prepared.candidates.sites
    sites["keep:broker"] = text
    sites[f"keep:{text}column"] = "x"
    folder = write_run(made, tmp_path / "r")
    tables = [*export(folder, "csv", tmp_path / "csv"), *folder.glob("*.csv")]
    for file in tables:
        with file.open(encoding="utf-8", newline="") as opened:
            cells = [cell for row in csv.reader(opened) for cell in row]
        risky = [c for c in cells if c.startswith(("=", "+", "-", "@", "\t", "\r"))]
        assert [c for c in risky if not c.lstrip("-").replace(".", "").isdigit()] == [], file.name
    (book,) = export(folder, "xlsx", tmp_path / "plan.xlsx")
    held = 0
    for page in load_workbook(book):
        for row in page.iter_rows():
            for cell in row:
                assert cell.data_type != "f", (page.title, cell.coordinate)
                held += isinstance(cell.value, str) and cell.value.strip() == text.strip()
    assert held >= 4


@pytest.mark.parametrize("to", FORMATS)
def test_every_column_of_an_export_is_in_its_dictionary(folder, tmp_path, to, sheets):
    if _format(to) in ("gpkg", "kml"):
        pytest.skip("one file without a dictionary; the run folder has it")
    out = tmp_path / (f"plan.{to}" if to in ONE_FILE else "out")
    export(folder, to, out)
    if to == "xlsx":
        book = load_workbook(out)
        rows = list(book["dictionary"].iter_rows(min_row=2, values_only=True))
        known = {(r[0], r[1]) for r in rows}
        found = {(f"plan.xlsx:{p.title}", c.value) for p in book for c in p[1]}
        assert {k for k in known if k[0] != "data_dictionary.csv"} == found
        assert len(book.sheetnames) == len(sheets) + 1
        assert (book.sheetnames[0], book.sheetnames[-1]) == ("summary", "dictionary")
        return
    table = gpd.read_file(out / "data_dictionary.csv")
    known = set(zip(table["file"], table["name"], strict=True))
    for name, sheet in sheets.items():
        if to == "geojson" and sheet.shape is None:
            continue
        file = f"plan.gpkg:{name}" if to == "qgis" else f"{name}.{to}"
        for field in sheet.fields:
            assert any(f == file and n.endswith(field.name) for f, n in known), (file, field.name)
    assert (table["meaning"] != "").all()


def test_columns_with_a_unit_say_it_in_their_name(sheets):
    tokens = {"mw", "mva", "kv", "km", "ha", "musd", "kusd", "usd", "years", "hours", "pct", "lon",
              "lat", "year", "rows", "sites", "halls", "date", "from", "kg", "mwh", "since",
              "opened", "period", "racks", "periods",
              "months", "days"}  # fmt: skip
    silent = [
        (sheet.name, f.name, f.unit)
        for sheet in sheets.values()
        for f in sheet.fields
        if f.unit
        and f.kind in ("number", "integer")
        and not tokens & set(f.name.lower().split("_"))
    ]
    assert silent == []


def test_geojson_is_read_back_by_others(folder, tmp_path):
    files = {p.stem: p for p in export(folder, "geojson", tmp_path / "out")}
    assert set(files) == {*PLACES, "data_dictionary"}
    for name in PLACES:
        record = json.loads(files[name].read_text(encoding="utf-8"))
        assert record["type"] == "FeatureCollection"
        assert "crs" not in record
