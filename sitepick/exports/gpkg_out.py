"""GeoPackage 1.3 by the standard library's SQLite: one table per sheet, the same bytes each time.

No GDAL and no clock: `last_change` is a constant, so equal plans give equal files.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import struct
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from sitepick.exports.geometry import bounds, wkb
from sitepick.exports.gpkg_rtree import EXTENSIONS, add_index, has_rtree
from sitepick.exports.qml import qml_text
from sitepick.exports.sheet import Kind, Row, Shape, Sheet, dump_json
from sitepick.exports.sld import sld_text
from sitepick.exports.styles import style_of

_APPLICATION_ID = 0x47504B47  # "GPKG"
_VERSION = 10300  # 1.3: what readers of today's long-term distributions know
STYLES = "layer_styles"
"""The table in which QGIS and GeoServer look for a layer's look."""
_LAST_CHANGE = "2000-01-01T00:00:00.000Z"
SQL_TYPE: dict[Kind, str] = {
    "text": "TEXT", "json": "TEXT", "number": "DOUBLE", "integer": "INTEGER",
    "boolean": "BOOLEAN", "date": "DATE",
}  # fmt: skip
_WGS84 = (
    'GEOGCS["WGS 84",DATUM["WGS_1984",SPHEROID["WGS 84",6378137,298.257223563,'
    'AUTHORITY["EPSG","7030"]],AUTHORITY["EPSG","6326"]],PRIMEM["Greenwich",0,'
    'AUTHORITY["EPSG","8901"]],UNIT["degree",0.0174532925199433,AUTHORITY["EPSG","9122"]],'
    'AXIS["Latitude",NORTH],AXIS["Longitude",EAST],AUTHORITY["EPSG","4326"]]'
)
_TABLES = """
CREATE TABLE gpkg_spatial_ref_sys (
  srs_name TEXT NOT NULL, srs_id INTEGER NOT NULL PRIMARY KEY, organization TEXT NOT NULL,
  organization_coordsys_id INTEGER NOT NULL, definition TEXT NOT NULL, description TEXT);
CREATE TABLE gpkg_contents (
  table_name TEXT NOT NULL PRIMARY KEY, data_type TEXT NOT NULL, identifier TEXT UNIQUE,
  description TEXT DEFAULT '', last_change DATETIME NOT NULL
    DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')),
  min_x DOUBLE, min_y DOUBLE, max_x DOUBLE, max_y DOUBLE, srs_id INTEGER,
  CONSTRAINT fk_gc_r_srs_id FOREIGN KEY (srs_id) REFERENCES gpkg_spatial_ref_sys(srs_id));
CREATE TABLE gpkg_geometry_columns (
  table_name TEXT NOT NULL, column_name TEXT NOT NULL, geometry_type_name TEXT NOT NULL,
  srs_id INTEGER NOT NULL, z TINYINT NOT NULL, m TINYINT NOT NULL,
  CONSTRAINT pk_geom_cols PRIMARY KEY (table_name, column_name),
  CONSTRAINT uk_gc_table_name UNIQUE (table_name),
  CONSTRAINT fk_gc_tn FOREIGN KEY (table_name) REFERENCES gpkg_contents(table_name),
  CONSTRAINT fk_gc_srs FOREIGN KEY (srs_id) REFERENCES gpkg_spatial_ref_sys (srs_id));
"""
_STYLE_TABLE = f"""
CREATE TABLE {STYLES} (
  id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, f_table_catalog TEXT(256),
  f_table_schema TEXT(256), f_table_name TEXT(256), f_geometry_column TEXT(256),
  styleName TEXT(30), styleQML TEXT, styleSLD TEXT, useAsDefault BOOLEAN, description TEXT,
  owner TEXT(30), ui TEXT(30),
  update_time DATETIME DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')))"""
_SYSTEMS = [
    ("Undefined cartesian SRS", -1, "NONE", -1, "undefined", "undefined cartesian"),
    ("Undefined geographic SRS", 0, "NONE", 0, "undefined", "undefined geographic"),
    ("WGS 84 geodetic", 4326, "EPSG", 4326, _WGS84, "longitude, latitude in degrees"),
]


def write_gpkg(sheets: Iterable[Sheet], path: Path) -> None:
    """Write sheets as tables and indexed layers of a new GeoPackage. ``path`` must not exist."""
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("PRAGMA journal_mode = OFF")
        db.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
        db.execute(f"PRAGMA user_version = {_VERSION}")
        for statement in _TABLES.split(";"):
            if statement.strip():
                db.execute(statement)
        db.executemany("INSERT INTO gpkg_spatial_ref_sys VALUES (?,?,?,?,?,?)", _SYSTEMS)
        indexed = has_rtree(db)
        if indexed:
            db.execute(EXTENSIONS)
        styled: list[tuple[str, str, str]] = []
        for sheet in sheets:
            _write_sheet(db, sheet)
            if indexed and sheet.geometry is not None:
                add_index(db, sheet.name, sheet.geometry)
            style = style_of(sheet)
            if style is not None and sheet.shape is not None:
                qml, sld = qml_text(style, sheet.shape), sld_text(sheet.name, style, sheet.shape)
                styled.append((sheet.name, qml, sld))
        if styled:
            _write_styles(db, styled)


def _write_styles(db: sqlite3.Connection, styled: list[tuple[str, str, str]]) -> None:
    """Write the table of styles as QGIS makes it; each is the default of its layer."""
    db.execute(_STYLE_TABLE)
    db.execute(
        "INSERT INTO gpkg_contents (table_name, data_type, identifier, last_change, srs_id)"
        " VALUES (?, 'attributes', ?, ?, 0)",
        (STYLES, STYLES, _LAST_CHANGE),
    )
    db.executemany(
        f"INSERT INTO {STYLES} (f_table_catalog, f_table_schema, f_table_name, f_geometry_column,"
        " styleName, styleQML, styleSLD, useAsDefault, description, owner, ui, update_time)"
        " VALUES ('', '', ?, 'geom', 'sitepick', ?, ?, 1, 'by sitepick', '', NULL, ?)",
        [(*row, _LAST_CHANGE) for row in styled],
    )


def _write_sheet(db: sqlite3.Connection, sheet: Sheet) -> None:
    spatial = sheet.geometry is not None
    columns = ["fid INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL"]
    columns += [f"geom {str(sheet.shape).upper()}"] if spatial else []
    columns += [f"{_quoted(f.name)} {SQL_TYPE[f.kind]}" for f in sheet.fields]
    db.execute(f"CREATE TABLE {_quoted(sheet.name)} ({', '.join(columns)})")
    box = bounds(sheet.geometry or ()) or (None, None, None, None)
    kind, srs = ("features", 4326) if spatial else ("attributes", 0)
    db.execute(
        "INSERT INTO gpkg_contents VALUES (?,?,?,?,?,?,?,?,?,?)",
        (sheet.name, kind, sheet.name, sheet.meaning, _LAST_CHANGE, *box, srs),
    )
    if spatial:
        db.execute(
            "INSERT INTO gpkg_geometry_columns VALUES (?,?,?,?,?,?)",
            (sheet.name, "geom", str(sheet.shape).upper(), 4326, 0, 0),
        )
    names = (["geom"] if spatial else []) + [f.name for f in sheet.fields]
    into = ", ".join(_quoted(n) for n in names)
    marks = ", ".join("?" * len(names))
    values = (
        ([_blob(shape)] if spatial else []) + [_cell(row[f.name]) for f in sheet.fields]
        for row, shape in zip(sheet.rows, sheet.geometry or [None] * len(sheet.rows), strict=True)
    )
    db.executemany(f"INSERT INTO {_quoted(sheet.name)} ({into}) VALUES ({marks})", values)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return int(value)
    return dump_json(value) if isinstance(value, list) else value


def _blob(shape: Row | None) -> bytes | None:
    """Return the GeoPackage binary: magic, version 0, flags (little-endian, no envelope), SRS."""
    if shape is None:
        return None
    return b"GP" + struct.pack("<BBi", 0, 1, 4326) + wkb(shape)


def read_rows(path: Path, table: str) -> list[dict[str, Any]]:
    """Return the rows of a table of a GeoPackage that `write_gpkg` wrote, geometry as bytes (WKB).

    The WKB is under ``geom``, absent where the table has no geometry.
    """
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
        db.row_factory = sqlite3.Row
        found = [dict(r) for r in db.execute(f"SELECT * FROM {_quoted(table)} ORDER BY fid")]
    for row in found:
        row.pop("fid")
        if row.get("geom") is not None:
            row["geom"] = row["geom"][8:]
    return found


@dataclass(frozen=True)
class Stored:
    """A sheet in a GeoPackage: its name, meaning and shape (None: no geometry)."""

    name: str
    meaning: str
    shape: Shape | None


def stored_tables(path: Path) -> list[Stored]:
    """Return the sheets of a GeoPackage in the order they were written."""
    shapes: dict[str, Shape] = {s.upper(): s for s in get_args(Shape)}
    asked = """
        SELECT c.table_name, c.description, g.geometry_type_name FROM gpkg_contents c
        LEFT JOIN gpkg_geometry_columns g USING (table_name)
        WHERE c.table_name <> ? ORDER BY c.rowid"""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
        found = db.execute(asked, (STYLES,)).fetchall()
    return [Stored(name, meaning, shapes.get(kind)) for name, meaning, kind in found]


def tables_sha256(path: Path) -> str:
    """Return the SHA-256, in hex, of what the sheets of a GeoPackage hold.

    Programs that open one rewrite its file and its styles without touching a row.
    """
    found = hashlib.sha256()
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
        for table in stored_tables(path):
            found.update(repr((table.name, table.meaning, table.shape)).encode())
            for row in db.execute(f"SELECT * FROM {_quoted(table.name)} ORDER BY fid"):
                found.update(repr(row).encode())
    return found.hexdigest()


def from_cell(value: Any, kind: Kind) -> Any:
    """Return a stored value as the sheet's: the inverse of what `write_gpkg` stores."""
    if value is None:
        return None
    if kind == "boolean":
        return bool(value)
    return json.loads(value) if kind == "json" else value
