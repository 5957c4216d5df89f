"""Binary vector formats through GDAL (pyogrio), which never sees a file that was not sniffed."""

from __future__ import annotations

import sqlite3
import warnings
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import shapely

from sitepick.layers import limits
from sitepick.layers.table import Refused, Table

DRIVERS = {"gpkg": "GPKG", "fgb": "FlatGeobuf", "shp": "ESRI Shapefile", "gdb": "OpenFileGDB"}


_STYLES = "layer_styles"
"""QGIS keeps how layers look in this table of a GeoPackage; GDAL may list it as a layer."""


def read_ogr(path: Path, kind: str, layer: str | None) -> Table:
    """Return one layer of a GeoPackage, FlatGeobuf, shapefile or file geodatabase.

    Raises:
        Refused: several layers and none named, a layer that does not exist, a damaged file.
    """
    import pyogrio

    path = path.resolve()  # an absolute path is never taken for a connection string
    remarks: list[tuple[str, str, int]] = []
    if kind == "shp":
        _check_shapefile(path)
    if kind == "gpkg":
        _check_geopackage(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            layers = [str(name) for name, _ in pyogrio.list_layers(path) if name != _STYLES]
            chosen = _layer(layers, layer) if kind in ("gpkg", "gdb") else None
            info = pyogrio.read_info(path, layer=chosen, force_feature_count=True)
            if info["driver"] != DRIVERS[kind]:
                raise Refused(f"GDAL takes it for {info['driver']}, not {DRIVERS[kind]}; refused")
            if (problem := limits.too_many(int(info["features"]))) is not None:
                raise Refused(problem)
            frame = pyogrio.read_dataframe(path, layer=chosen, fid_as_index=False)
    except Refused:
        raise
    except Exception as error:  # a damaged file can make GDAL and pyogrio raise anything
        raise Refused(f"GDAL cannot read it: {_first_line(error)}; is it complete?") from None
    geometry = None
    if "geometry" in frame.columns and hasattr(frame, "geometry"):
        geometry = np.asarray(frame.geometry.values, dtype=object)
        plain = pd.DataFrame(frame.drop(columns="geometry"))
    else:
        plain = pd.DataFrame(frame)
    crs = frame.crs.to_wkt() if geometry is not None and frame.crs is not None else None
    if kind == "shp" and crs is None:
        remarks.append(("no_prj", "the shapefile comes without .prj, so it states no CRS", 0))
    return Table(
        frame=plain,
        geometry=geometry,
        number=np.arange(len(plain)),
        crs=crs,
        has_z=geometry is not None and bool(shapely.has_z(geometry).any()),
        remarks=remarks,
    )


def read_parquet(path: Path) -> Table:
    """Return a GeoParquet file, if pyarrow is there."""
    try:
        import pyarrow  # noqa: F401
    except ImportError:
        raise Refused(
            "is Parquet, which needs pyarrow: `pip install 'sitepick[parquet]'`, or convert it "
            "to GeoPackage"
        ) from None
    import geopandas as gpd

    try:
        frame = gpd.read_parquet(path)
    except Exception as error:  # a table without geo metadata, a damaged footer, ...
        raise Refused(
            f"is Parquet that does not read as GeoParquet: {_first_line(error)}"
        ) from None
    if (problem := limits.too_many(len(frame))) is not None:
        raise Refused(problem)
    return Table(
        frame=pd.DataFrame(frame.drop(columns=frame.geometry.name)).reset_index(drop=True),
        geometry=np.asarray(frame.geometry.values, dtype=object),
        number=np.arange(len(frame)),
        crs=None if frame.crs is None else frame.crs.to_wkt(),
        has_z=bool(frame.geometry.has_z.any()),
    )


def _first_line(error: Any) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]


def _layer(layers: list[str], wanted: str | None) -> str:
    if not layers:
        raise Refused("holds no layer")
    if wanted is None:
        if len(layers) > 1:
            raise Refused(f"holds {len(layers)} layers; add `layer:`, one of {', '.join(layers)}")
        return layers[0]
    if wanted not in layers:
        raise Refused(f"has no layer {wanted!r}; it has {', '.join(layers)}")
    return wanted


def _check_geopackage(path: Path) -> None:
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as base:
            tables = [row[0] for row in base.execute("select name from sqlite_master")]
    except (sqlite3.Error, UnicodeDecodeError) as error:
        raise Refused(f"is a damaged SQLite file ({error}); download incomplete?") from None
    if "gpkg_contents" not in tables:
        raise Refused("is an SQLite file but no GeoPackage; export it as GeoPackage or CSV")


def _check_shapefile(path: Path) -> None:
    missing = [
        end
        for end in (".shx", ".dbf")
        if not any(path.with_suffix(e).is_file() for e in (end, end.upper()))
    ]
    if missing:
        raise Refused(
            f"the shapefile lacks {' and '.join(path.stem + m for m in missing)} beside it; "
            "a shapefile is several files of one name"
        )
    size = sum(p.stat().st_size for p in path.parent.glob(f"{path.stem}.*"))
    if (problem := limits.too_big(size)) is not None:
        raise Refused(problem)
