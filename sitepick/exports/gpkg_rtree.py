"""The spatial index of a GeoPackage layer: extension `gpkg_rtree_index`, as annex F.3 of GeoPackage
1.3 states it and GDAL writes it. Viewers read what is in sight, and no more.

The triggers keep the index up to date in programs that have the functions they call (QGIS, GDAL);
here the tree is filled first and they are added last, so none of them runs.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from sitepick.exports.geometry import bounds
from sitepick.exports.sheet import Row

EXTENSIONS = """
CREATE TABLE gpkg_extensions (
  table_name TEXT, column_name TEXT, extension_name TEXT NOT NULL, definition TEXT NOT NULL,
  scope TEXT NOT NULL, CONSTRAINT ge_tce UNIQUE (table_name, column_name, extension_name))"""
_DEFINITION = "http://www.geopackage.org/spec120/#extension_rtree"
_HERE = '(NEW."geom" NOTNULL AND NOT ST_IsEmpty(NEW."geom"))'
_GONE = '(NEW."geom" ISNULL OR ST_IsEmpty(NEW."geom"))'
_BOX = ", ".join(f'ST_{side}(NEW."geom")' for side in ("MinX", "MaxX", "MinY", "MaxY"))


def has_rtree(db: sqlite3.Connection) -> bool:
    """Return whether this SQLite can make spatial indexes; nearly all builds of it can."""
    return bool(db.execute("SELECT sqlite_compileoption_used('ENABLE_RTREE')").fetchone()[0])


def add_index(db: sqlite3.Connection, table: str, shapes: Sequence[Row | None]) -> None:
    """Index the column ``geom`` of a filled layer, whose rows have the ``fid`` 1, 2, ...

    ``table`` is a name without quotation marks in it; ``gpkg_extensions`` exists.
    """
    tree = f"rtree_{table}_geom"
    db.execute(f'CREATE VIRTUAL TABLE "{tree}" USING rtree(id, minx, maxx, miny, maxy)')
    boxes = ((fid, bounds((shape,))) for fid, shape in enumerate(shapes, 1))
    db.executemany(
        f'INSERT INTO "{tree}" VALUES (?, ?, ?, ?, ?)',
        ((fid, b[0], b[2], b[1], b[3]) for fid, b in boxes if b is not None),
    )
    drop = f'DELETE FROM "{tree}" WHERE id'
    put = f'INSERT OR REPLACE INTO "{tree}" VALUES (NEW."fid", {_BOX})'
    same, other = 'OLD."fid" = NEW."fid"', 'OLD."fid" != NEW."fid"'
    moved = f'UPDATE OF "geom" ON "{table}"'
    for name, event, when, does in (
        ("insert", f'INSERT ON "{table}"', _HERE, put),
        ("update1", moved, f"{same} AND {_HERE}", put),
        ("update2", moved, f"{same} AND {_GONE}", f'{drop} = OLD."fid"'),
        ("update3", f'UPDATE ON "{table}"', f"{other} AND {_HERE}",
         f'{drop} = OLD."fid"; {put}'),
        ("update4", f'UPDATE ON "{table}"', f"{other} AND {_GONE}",
         f'{drop} IN (OLD."fid", NEW."fid")'),
        ("delete", f'DELETE ON "{table}"', 'OLD."geom" NOT NULL', f'{drop} = OLD."fid"'),
    ):  # fmt: skip
        db.execute(f'CREATE TRIGGER "{tree}_{name}" AFTER {event} WHEN {when} BEGIN {does}; END')
    db.execute(
        "INSERT INTO gpkg_extensions VALUES (?, 'geom', 'gpkg_rtree_index', ?, 'write-only')",
        (table, _DEFINITION),
    )
