"""The run folder: whole or absent, the same bytes each time, readable by other programs."""

from __future__ import annotations

import csv
import json
import shutil
import signal
import sqlite3
import subprocess
import sys
import textwrap
import time
from contextlib import closing
from pathlib import Path

import geopandas as gpd
import pytest
from openpyxl import load_workbook
from plan_by_hand import NASTY, run, solution

from sitepick.errors import ScenarioError
from sitepick.exports import folder as room
from sitepick.exports.folder import changed_outputs, read_run, stale_folders, write_run
from sitepick.finding import Finding

FILES = {
    "manifest.json", "scenario.resolved.yaml", "solution.json", "report.json", "page.json",
    "report.html", "sites.csv", "actions.csv",
    "cash.csv", "sites.geojson", "candidates.geojson", "plan.gpkg", "plan.xlsx",
    "data_dictionary.csv", "solver.log", "explain.json",
    "inputs.json.gz",
}  # fmt: skip
NAMES = dict(zip(("C1", "N1", "N2", "R1", "X1"), NASTY, strict=False))


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return write_run(run(names=NAMES), tmp_path_factory.mktemp("runs") / "a", argv=["solve", "x"])


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_all_files_are_there_and_nothing_else_beside(made):
    assert {p.name for p in made.iterdir()} == FILES
    assert [p.name for p in made.parent.iterdir()] == ["a"]


def test_a_run_reads_back(made):
    back = read_run(made)
    assert back.solution == solution()
    assert back.base == Path("/nowhere")
    assert back.scenario_path.read_text() == run().prepared.loaded.resolved_yaml
    assert changed_outputs(back) == []
    assert back.manifest["argv"] == ["solve", "x"]
    assert back.manifest["result"]["verified"] is True
    assert "not real headroom" in back.manifest["synthetic"]
    assert back.manifest["inputs"][0]["sha256"] == "ab" * 32
    assert set(back.manifest["outputs"]) == FILES - {"manifest.json"}


def test_a_failed_check_is_in_the_manifest(tmp_path):
    fault = Finding("headroom.poi", "B1", 3.0, "grid MW", "too much")
    record = read_run(write_run(run(findings=(fault,)), tmp_path / "r")).manifest["result"]
    assert record["verified"] is False
    assert record["findings"] == [str(fault)]


def test_the_same_run_gives_the_same_bytes(made, tmp_path, monkeypatch):
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + 86_400 * 400)
    again = write_run(run(names=NAMES), tmp_path / "b")
    differing = {p.name for p in made.iterdir() if p.read_bytes() != (again / p.name).read_bytes()}
    assert differing == {"manifest.json"}


@pytest.mark.skipif(shutil.which("ogrinfo") is None, reason="ogrinfo is not installed")
@pytest.mark.parametrize(
    "name",
    ["plan.gpkg", "sites.geojson", "candidates.geojson", "sites.csv", "cash.csv",
     "data_dictionary.csv"],
)  # fmt: skip
def test_gdal_opens_it_without_a_warning(made, name):
    done = subprocess.run(
        ["ogrinfo", "-al", "-ro", made / name], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "Warning" not in done.stdout
    assert "Feature Count" in done.stdout


LAYERS = ("sites", "sites_by_period", "candidates", "substations", "links", "regions")


@pytest.mark.parametrize("layer", LAYERS)
def test_geopackage_layers_are_indexed(made, tmp_path, layer):
    """The index has every box (links without length have none), and GDAL knows and keeps it."""
    file = tmp_path / "plan.gpkg"
    shutil.copy(made / "plan.gpkg", file)
    asked = f"SELECT id, minx, maxx, miny, maxy FROM rtree_{layer}_geom ORDER BY id"
    with closing(sqlite3.connect(file)) as db:
        boxes = db.execute(asked).fetchall()
        extension = db.execute(
            "SELECT column_name, extension_name, scope FROM gpkg_extensions WHERE table_name = ?",
            (layer,),
        ).fetchall()
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert extension == [("geom", "gpkg_rtree_index", "write-only")]
    shapes = gpd.read_file(file, layer=layer)
    there = shapes[shapes.geometry.notna()]
    assert len(boxes) == len(there) > 0
    for (_, x0, x1, y0, y1), box in zip(boxes, there.geometry.bounds.to_numpy(), strict=True):
        assert (x0 <= box[0], y0 <= box[1], x1 >= box[2], y1 >= box[3]) == (True,) * 4
        assert (x0, y0, x1, y1) == pytest.approx(tuple(box), abs=1e-4)
    found = gpd.read_file(file, sql=f"SELECT HasSpatialIndex('{layer}', 'geom')")
    assert found["HasSpatialIndex"].tolist() == [1]
    west, south, east, north = there.geometry.iloc[0].buffer(0.01).bounds
    near = gpd.read_file(file, layer=layer, bbox=(west, south, east, north))
    assert set(near.index) < set(shapes.index) or len(near) == len(there)
    there.iloc[:1].to_file(file, layer=layer, mode="a")  # an edit runs the triggers
    with closing(sqlite3.connect(file)) as db:
        assert len(db.execute(asked).fetchall()) == len(boxes) + 1


def test_geopackage_types_and_layers(made):
    with sqlite3.connect(made / "plan.gpkg") as db:
        layers = [r[0] for r in db.execute("SELECT table_name FROM gpkg_contents ORDER BY rowid")]
        assert layers == [
            "sites", "sites_by_period", "candidates", "substations", "links", "regions", "cash",
            "actions", "letters", "notes", "run_info", "layer_styles",
        ]  # fmt: skip
        types = {r[1]: r[2] for r in db.execute("PRAGMA table_info(sites_by_period)")}
        assert (types["period"], types["it_mw"], types["halls_h"], types["synthetic"]) == (
            "DATE", "DOUBLE", "INTEGER", "BOOLEAN",
        )  # fmt: skip
        assert db.execute("PRAGMA application_id").fetchone() == (0x47504B47,)
        info = dict(db.execute("SELECT item, value FROM run_info"))
        assert "not real headroom" in info["synthetic"]
        # a tie of no length (N1 at B2, X1 at B3) is no line
        assert db.execute("SELECT geom IS NULL FROM links ORDER BY fid").fetchall() == [
            (0,), (1,), (0,), (1,)
        ]  # fmt: skip
    db.close()


def test_geopandas_reads_what_was_written(made):
    gpd = pytest.importorskip("geopandas")
    links = gpd.read_file(made / "plan.gpkg", layer="links")
    assert links.crs.to_epsg() == 4326
    first = links.iloc[0].geometry
    assert (first.geom_type, first.bounds) == ("MultiLineString", (-97.15, 31.1, -97.1, 31.1))
    regions = gpd.read_file(made / "plan.gpkg", layer="regions")
    assert regions.set_index("region_id").loc["TX", "it_mw"] == 40
    assert regions.set_index("region_id").loc["OK", "grid_mw"] == 15
    assert regions.geometry.is_valid.all()


def test_sums_are_equal_over_the_formats(made):
    by_csv = sum(float(r["grid_mw_peak"]) for r in table(made / "sites.csv"))
    with sqlite3.connect(made / "plan.gpkg") as db:
        by_gpkg = db.execute("SELECT sum(grid_mw_peak) FROM sites_by_period").fetchone()[0]
    db.close()
    book = load_workbook(made / "plan.xlsx")
    page = book["sites by period"]
    column = [c.value for c in page[1]].index("grid_mw_peak")
    by_xlsx = sum(r[column] for r in page.iter_rows(min_row=2, values_only=True))
    plain = sum(r.grid_mw for r in solution().grid) + 2 * 15
    assert by_csv == by_gpkg == by_xlsx == plain
    features = json.loads((made / "sites.geojson").read_text())["features"]
    years = [sum(f["properties"][f"grid_mw_{y}"] for f in features) for y in (2027, 2028)]
    assert sum(years) == plain


def test_geojson_keeps_to_rfc_7946(made):
    for name in ("sites.geojson", "candidates.geojson"):
        text = (made / name).read_text(encoding="utf-8")
        assert "NaN" not in text
        record = json.loads(text)
        assert "crs" not in record
        columns = {tuple(f["properties"]) for f in record["features"]}
        assert len(columns) == 1
        for f in record["features"]:
            assert f["id"] == f["properties"]["site_id"]
            assert f["geometry"]["type"] == "Point"


def test_places_without_coordinates_have_null_geometry(tmp_path):
    bare = run()
    bare.prepared.candidates.sites.loc[:, ["lon", "lat"]] = float("nan")
    out = write_run(bare, tmp_path / "r")
    features = json.loads((out / "sites.geojson").read_text())["features"]
    assert [f["geometry"] for f in features] == [None] * 3


def test_names_are_inert_everywhere(made):
    cells = {r["site_id"]: r for r in table(made / "sites.csv")}
    assert cells["N1"]["name"] == "<script>alert(1)</script>"
    assert cells["N1"]["broker"] == "'=Bob()"
    assert cells["X1"]["broker"] == "'+1-555"
    page = load_workbook(made / "plan.xlsx")["candidates"]
    head = [c.value for c in page[1]]
    rows = [dict(zip(head, r, strict=True)) for r in page.iter_rows(min_row=2)]
    names = {r["site_id"].value: r["name"] for r in rows}
    assert {c.data_type for c in names.values()} == {"s"}
    assert names["C1"].value == "=1+1"
    assert names["R1"].value == "a[31mb"
    assert names["X1"].value == "null"
    assert {r["broker"].data_type for r in rows if r["broker"].value} == {"s"}
    for path in made.iterdir():
        if path.suffix in (".csv", ".json", ".geojson"):
            assert not set(path.read_bytes()) & {0, 0x1B}, path.name


def test_every_column_of_every_file_is_in_the_dictionary(made):
    known = {(r["file"], r["name"]) for r in table(made / "data_dictionary.csv")}
    found = set()
    for name in ("sites.csv", "cash.csv", "actions.csv", "data_dictionary.csv"):
        with (made / name).open(encoding="utf-8", newline="") as file:
            found |= {(name, c) for c in next(csv.reader(file))}
    for name in ("sites.geojson", "candidates.geojson"):
        first = json.loads((made / name).read_text())["features"][0]
        found |= {(name, c) for c in first["properties"]}
    with sqlite3.connect(made / "plan.gpkg") as db:
        layers = [r[0] for r in db.execute("SELECT table_name FROM gpkg_contents")]
        layers.remove("layer_styles")  # QGIS's own
        for layer in layers:
            columns = [r[1] for r in db.execute(f"PRAGMA table_info({layer})")]
            found |= {(f"plan.gpkg:{layer}", c) for c in columns if c not in ("fid", "geom")}
    db.close()
    for page in load_workbook(made / "plan.xlsx"):
        found |= {(f"plan.xlsx:{page.title}", c.value) for c in page[1]}
    assert found <= known
    assert {k for k in known if not k[0].startswith("sitepick ")} == found
    for row in table(made / "data_dictionary.csv"):
        assert row["meaning"], row
        if row["name"].endswith(("_mw", "_musd", "_km", "_ha", "_kv")):
            assert row["unit"], row


def test_workbook_has_its_sheets_in_order(made):
    assert load_workbook(made / "plan.xlsx").sheetnames == [
        "summary", "sites", "sites by period", "cash", "actions", "candidates", "letters",
        "notes", "dictionary",
    ]  # fmt: skip


def test_a_target_in_use_is_refused(made, tmp_path):
    with pytest.raises(ScenarioError, match="--force"):
        write_run(run(), made)
    other = tmp_path / "mine"
    other.mkdir()
    (other / "thesis.txt").write_text("years of work")
    with pytest.raises(ScenarioError, match="no run folder"):
        write_run(run(), other, force=True)
    assert (other / "thesis.txt").read_text() == "years of work"
    (tmp_path / "file").write_text("")
    with pytest.raises(ScenarioError, match="is a file"):
        write_run(run(), tmp_path / "file", force=True)
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ScenarioError, match="symbolic link"):
        write_run(run(), tmp_path / "link")
    (tmp_path / "empty").mkdir()
    assert write_run(run(), tmp_path / "empty").is_dir()


def test_force_replaces_an_earlier_run(tmp_path):
    target = write_run(run(), tmp_path / "r")
    (target / "left_over").write_text("")
    write_run(run(names={"N1": "new"}), target, force=True)
    assert {p.name for p in target.iterdir()} == FILES
    assert "new" in (target / "sites.csv").read_text()
    assert [p.name for p in tmp_path.iterdir()] == ["r"]


def test_a_failure_leaves_nothing_behind(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(room, "write_xlsx", full)
    with pytest.raises(ScenarioError, match="No space left"):
        write_run(run(), tmp_path / "r")
    assert list(tmp_path.iterdir()) == []


def test_a_failure_keeps_the_earlier_run(tmp_path, monkeypatch):
    target = write_run(run(), tmp_path / "r")
    before = (target / "sites.csv").read_bytes()

    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(room, "write_gpkg", stop)
    with pytest.raises(KeyboardInterrupt):
        write_run(run(names={"N1": "new"}), target, force=True)
    assert (target / "sites.csv").read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["r"]


def test_a_run_without_a_plan_is_not_written(tmp_path):
    from dataclasses import replace

    with pytest.raises(ValueError, match="without a plan"):
        write_run(replace(run(), solution=None), tmp_path / "r")


@pytest.mark.parametrize("step", ["write_gpkg", "write_xlsx", "manifest"])
def test_kill_9_while_writing_leaves_no_half_folder(tmp_path, step):
    script = textwrap.dedent(f"""
        import sys, time
        from pathlib import Path
        sys.path.insert(0, {str(Path(__file__).parent)!r})
        from plan_by_hand import run
        from sitepick.exports import folder
        def hang(*_):
            print("here", flush=True)
            time.sleep(60)
        folder.{step} = hang
        folder.write_run(run(), Path({str(tmp_path / "r")!r}))
    """)
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "here\n"
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    assert not (tmp_path / "r").exists()
    left = stale_folders(tmp_path)
    assert [p.name.startswith(".tmp-r-") for p in left] == [True]
    assert {p.name for p in write_run(run(), tmp_path / "r").iterdir()} == FILES
    assert stale_folders(tmp_path) == left  # named, never touched


def test_folders_that_are_no_runs_are_refused(tmp_path, made):
    with pytest.raises(ScenarioError, match=r"manifest\.json: No such file"):
        read_run(tmp_path)
    copy = tmp_path / "copy"
    shutil.copytree(made, copy)
    (copy / "solution.json").write_text("{")
    with pytest.raises(ScenarioError, match="damaged"):
        read_run(copy)
    (copy / "manifest.json").write_text("[]")
    with pytest.raises(ScenarioError, match="not that of a sitepick run"):
        read_run(copy)
    record = {"what": "sitepick run", "schema": 99}
    (copy / "manifest.json").write_text(json.dumps(record))
    with pytest.raises(ScenarioError, match="another version"):
        read_run(copy)


def test_changed_files_are_named(made, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(made, copy)
    (copy / "cash.csv").write_text("edited")
    (copy / "solver.log").unlink()
    assert changed_outputs(read_run(copy)) == ["cash.csv", "solver.log"]
