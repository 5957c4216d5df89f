"""Texas in every format: fast, the same features everywhere, styled by what the data says."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import pyogrio
import pytest

from sitepick.exports.formats import FORMATS

if TYPE_CHECKING:
    from conftest import Cli

SCENARIO = Path(__file__).resolve().parents[2] / "scenarios" / "texas.yaml"
MOST_SECONDS = 5.0


@pytest.mark.slow
def test_texas_in_every_format(cli: Cli, tmp_path: Path) -> None:
    run = tmp_path / "run"
    assert cli("solve", SCENARIO, "--out", run, "--json").code == 0
    for to in FORMATS:
        if to == "parquet":
            continue  # an extra; as fast as the others
        begun = time.perf_counter()
        answer = cli("export", run, "--to", to, "--out", tmp_path / f"out.{to}")
        assert answer.code == 0, answer.err
        assert time.perf_counter() - begun < MOST_SECONDS, to
    project = ElementTree.parse(tmp_path / "out.qgis" / "plan.qgs").getroot()
    by_name = {
        layer.findtext("datasource", "").rpartition("=")[2]: layer
        for layer in project.iter("maplayer")
    }
    drawn = {c.get("value") for c in by_name["candidates"].iter("category")}
    with closing(sqlite3.connect(tmp_path / "out.gpkg")) as db:
        assert drawn == {r[0] for r in db.execute("SELECT DISTINCT verdict FROM candidates")}
        counts = {
            name: db.execute(f"SELECT count(*) FROM {name}").fetchone()[0]
            for (name,) in db.execute("SELECT table_name FROM gpkg_geometry_columns").fetchall()
        }
        info = dict(db.execute("SELECT item, value FROM run_info").fetchall())
    assert counts["lines"] == 2346
    assert counts["candidates"] == 1250
    for name, count in counts.items():
        for file, layer in ((tmp_path / "out.kml", name),
                            (tmp_path / "out.geojson" / f"{name}.geojson", None)):  # fmt: skip
            found = pyogrio.read_info(file, layer=layer, force_feature_count=True)
            assert found["features"] == count, (file.name, name)
    assert "not real headroom" in info["synthetic"]
    assert {k for k in info if k.startswith("licence_")} >= {"licence_lines", "licence_regions"}
