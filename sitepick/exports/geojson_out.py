"""GeoJSON by RFC 7946: no crs member, six decimals, one geometry type, all columns everywhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sitepick.exports.geometry import rounded
from sitepick.exports.sheet import Row, Sheet, dump_json


def geojson_text(sheet: Sheet) -> str:
    """Return a sheet with geometry as a FeatureCollection, one feature a line.

    The first column is the id, as member and as property. Raises ValueError without geometry.
    """
    if sheet.geometry is None:
        raise ValueError(f"sheet {sheet.name} has no geometry")
    id_column = sheet.fields[0].name
    features = [
        dump_json(_feature(row, shape, sheet, id_column))
        for row, shape in zip(sheet.rows, sheet.geometry, strict=True)
    ]
    head = f'{{"type": "FeatureCollection", "name": {dump_json(sheet.name)}, "features": [\n'
    return head + ",\n".join(features) + "\n]}\n"


def write_geojson(sheet: Sheet, path: Path) -> None:
    """Write a sheet with geometry as GeoJSON."""
    path.write_text(geojson_text(sheet), encoding="utf-8", newline="")


def _feature(row: Row, shape: Row | None, sheet: Sheet, id_column: str) -> dict[str, Any]:
    geometry = None
    if shape is not None:
        geometry = {"type": shape["type"], "coordinates": rounded(shape["coordinates"])}
    return {
        "type": "Feature",
        "id": row[id_column],
        "properties": {f.name: row[f.name] for f in sheet.fields},
        "geometry": geometry,
    }
