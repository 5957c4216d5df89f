"""Layers of unchanged files come from the cache: the same, never stale, never trusted."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from sitepick.layers import cache
from sitepick.layers.load import _Loader, load
from sitepick.layers.types import Note, Source
from sitepick.scenario.inputs import LayerFile
from sitepick.scenario.read import read_scenario

ROOT = Path(__file__).parents[2]


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setenv("SITEPICK_CACHE", str(folder))
    monkeypatch.setattr(cache, "SMALL_MB", 0.0)
    return folder


def _same(a: pd.DataFrame, b: pd.DataFrame) -> None:
    assert type(a) is type(b)
    assert list(a.columns) == list(b.columns)
    assert a.dtypes.astype(str).to_dict() == b.dtypes.astype(str).to_dict()
    for name in a.columns:
        if str(a[name].dtype) == "geometry":
            assert a.crs == b.crs
            assert (shapely.to_wkb(a[name].array) == shapely.to_wkb(b[name].array)).all()
            continue
        for x, y in zip(a[name], b[name], strict=True):
            assert type(x) is type(y), name
            assert x == y or (x != x and y != y), name


@pytest.mark.parametrize("name", ["texas.yaml", "parcels/sitepick.yaml", "facility/sitepick.yaml"])
def test_layers_from_the_cache_are_those_that_were_read(kept: Path, name: str) -> None:
    loaded = read_scenario(ROOT / "scenarios" / name, ())
    first = load(loaded.scenario, loaded.base)
    entries = sorted(kept.glob("*.npz"))
    assert entries
    before = {p: p.stat().st_ino for p in entries}
    heard: list[Note] = []
    again = load(loaded.scenario, loaded.base, heard.append)
    assert {p: p.stat().st_ino for p in kept.glob("*.npz")} == before  # none was written anew
    assert again.notes == first.notes
    assert again.sources == first.sources
    assert again.places == first.places
    assert set(heard) >= {n for n in first.notes if n.role in ("substations", "lines")}
    for role in first.__dataclass_fields__:
        a, b = getattr(first, role), getattr(again, role)
        if isinstance(a, pd.DataFrame):
            _same(a, b)


def _lines(path: Path, kv: float, n: int = 5) -> None:
    lines = shapely.linestrings([[(k, 30.0), (k, 30.5)] for k in range(-100, -100 + n)])
    frame = gpd.GeoDataFrame({"ID": range(n), "kv": [kv] * n}, geometry=lines, crs=4326)
    frame.to_file(path)


def _read(path: Path, **options: object) -> pd.DataFrame | None:
    spec = LayerFile.model_validate({"file": path.name, **options})
    return _Loader(path.parent, None)._one("lines", spec)


@pytest.mark.parametrize("name", ["lines.gpkg", "lines.geojson", "lines.shp"])
def test_another_content_or_option_is_read_anew(kept: Path, tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    _lines(path, 115.0)
    assert (_read(path)["kv"] == 115).all()
    stamp = path.stat()
    for one in tmp_path.glob("lines.*"):
        one.unlink()
    _lines(path, 345.0)  # of a shapefile only the table changes
    os.utime(path, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))  # the date tells nothing
    assert (_read(path)["kv"] == 345).all()
    assert len(_read(path, where="ID < 2")) == 2
    assert len(_read(path)) == 5
    assert len(list(kept.glob("*.npz"))) == 3


def test_damaged_or_hostile_entries_count_as_none(kept: Path, tmp_path: Path) -> None:
    path = tmp_path / "lines.gpkg"
    _lines(path, 115.0)
    first = _read(path)
    (entry,) = kept.glob("*.npz")
    whole = entry.read_bytes()
    objects = {"record": np.array([{"a": 1}], dtype=object)}
    for damage in (whole[:100], b"", b"PK\x03\x04" + whole[4:900], None):
        if damage is None:
            with entry.open("wb") as stream:
                np.savez(stream, **objects)  # a pickle inside is never opened
        else:
            entry.write_bytes(damage)
        assert cache.get(entry.stem) is None
        _same(_read(path), first)
        assert cache.get(entry.stem) is not None


def test_a_file_with_faults_is_not_kept(kept: Path, tmp_path: Path) -> None:
    path = tmp_path / "lines.csv"
    path.write_text("line_id,kv,wkt\n1,abc,not geometry\n")
    loader = _Loader(tmp_path, None)
    for _ in range(2):
        loader = _Loader(tmp_path, None)
        assert loader._one("lines", LayerFile(file="lines.csv")) is None
        assert loader.problems
    assert not list(kept.glob("*"))


def test_the_oldest_entries_go_first(
    kept: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes = []
    for k in range(4):
        path = tmp_path / f"lines{k}.gpkg"
        _lines(path, 115.0, 100 + k)
        _read(path)
        newest = max(kept.glob("*.npz"), key=lambda p: p.stat().st_mtime_ns)
        sizes.append(newest)
        os.utime(newest, (1e9 + k, 1e9 + k))
    assert cache.get(sizes[0].stem) is not None  # used: no longer the oldest
    monkeypatch.setattr(cache, "MOST_MB", 3.2 * sizes[0].stat().st_size / 1e6)
    path = tmp_path / "more.gpkg"
    _lines(path, 115.0, 100)
    _read(path)
    left = set(kept.glob("*.npz"))
    assert sizes[0] in left
    assert sizes[1] not in left
    assert len(left) == 3


def test_off_and_unwritable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "lines.gpkg"
    _lines(path, 115.0)
    monkeypatch.setattr(cache, "SMALL_MB", 0.0)
    monkeypatch.setenv("SITEPICK_CACHE", "off")
    assert cache.folder() is None
    assert len(_read(path)) == 5
    blocked = tmp_path / "file"
    blocked.write_text("")
    monkeypatch.setenv("SITEPICK_CACHE", str(blocked / "sub"))
    assert len(_read(path)) == 5


def test_what_cannot_be_written_plainly_is_not_kept(kept: Path) -> None:
    source = Source("lines", "a", "b", 1, 1, 1)
    plain = pd.DataFrame({"day": pd.Series([date(2027, 1, 1), None], dtype=object),
                          "ids": pd.Series([("a", "b"), None], dtype=object)})  # fmt: skip
    cache.put("plain", cache.Entry(plain, (), (source,)))
    found = cache.get("plain")
    assert found is not None
    _same(found.frame, plain)
    assert found.sources == (source,)
    cache.put("odd", cache.Entry(pd.DataFrame({"x": [{"a": 1}]}), (), ()))
    assert cache.get("odd") is None
