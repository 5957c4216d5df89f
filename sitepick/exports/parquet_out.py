"""GeoParquet 1.1 by pyarrow: one file a sheet, plain Parquet where it has no geometry."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sitepick.exports.geometry import wkb
from sitepick.exports.sheet import Kind, Sheet

if TYPE_CHECKING:
    import pyarrow as pa


def write_parquet(sheet: Sheet, path: Path) -> None:
    """Write a sheet as GeoParquet 1.1 (plain Parquet if it has no geometry)."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns: dict[str, Any] = {
        f.name: pa.array([_cell(r[f.name], f.kind) for r in sheet.rows], _arrow(f.kind))
        for f in sheet.fields
    }
    if sheet.geometry is not None:
        shapes = [None if g is None else wkb(g) for g in sheet.geometry]
        columns["geometry"] = pa.array(shapes, pa.binary())
    table = pa.table(columns)
    if sheet.geometry is not None:
        described = {"encoding": "WKB", "geometry_types": [sheet.shape]}  # CRS84 by default
        geo = {"version": "1.1.0", "primary_column": "geometry",
               "columns": {"geometry": described}}  # fmt: skip
        table = table.replace_schema_metadata({"geo": json.dumps(geo)})
    pq.write_table(table, path, compression="zstd")


def _arrow(kind: Kind) -> pa.DataType:
    import pyarrow as pa

    types = {"number": pa.float64(), "integer": pa.int64(), "boolean": pa.bool_(),
             "date": pa.date32()}  # fmt: skip
    return types.get(kind, pa.string())


def _cell(value: Any, kind: Kind) -> Any:
    if value is None:
        return None
    if kind == "date":
        return date.fromisoformat(value)
    return json.dumps(value, ensure_ascii=False) if kind == "json" else value
