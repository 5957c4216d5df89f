"""`sitepick export`: a run, or a run folder, as files of one format."""

from __future__ import annotations

import csv
import importlib.util
import json
import os
import struct
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from sitepick.errors import ScenarioError
from sitepick.exports.csv_out import write_csv
from sitepick.exports.dictionary import dictionary_sheet
from sitepick.exports.folder import TEMPORARY, changed_outputs, file_fields, read_run, workbook
from sitepick.exports.geojson_out import write_geojson
from sitepick.exports.geometry import wkb
from sitepick.exports.gpkg_out import from_cell, read_rows, sheet_names, write_gpkg
from sitepick.exports.sheet import Field, Kind, Row, Sheet
from sitepick.exports.sheets import run_sheets
from sitepick.exports.xlsx_out import write_xlsx
from sitepick.run import Run

if TYPE_CHECKING:
    import pyarrow as pa

Format = Literal["geojson", "gpkg", "csv", "xlsx", "parquet"]
FORMATS: tuple[Format, ...] = get_args(Format)
ONE_FILE: tuple[Format, ...] = ("gpkg", "xlsx")
"""Formats that hold all sheets in one file; of the others ``out`` is a folder, a file per sheet."""


def export(source: Path | Run, to: str, out: Path, *, force: bool = False) -> list[Path]:
    """Write a run (or the run in a folder) as ``to`` and return the files written, sorted.

    ``gpkg`` and ``xlsx``: ``out`` is the file. ``geojson``, ``csv`` and ``parquet``: ``out`` is a
    folder that gets one file per sheet. Raises ScenarioError for an unknown format, an existing
    target without ``force``, a folder that was changed after the run, or a missing package.
    """
    if to not in FORMATS:
        raise ScenarioError(f"unknown format '{to}'; write one of {', '.join(FORMATS)}")
    if to == "parquet" and importlib.util.find_spec("pyarrow") is None:
        raise ScenarioError("parquet needs the package pyarrow: pip install 'sitepick[parquet]'")
    out = Path(out)
    if out.is_symlink():
        raise ScenarioError(f"{out}: is a symbolic link; name another target")
    if out.exists() and not force:
        raise ScenarioError(f"{out}: exists; name another target or add --force")
    if out.exists() and (out.is_dir() == (to in ONE_FILE)):
        raise ScenarioError(f"{out}: is a {'folder' if out.is_dir() else 'file'}; name another")
    sheets = run_sheets(source) if isinstance(source, Run) else folder_sheets(source)
    try:
        return _write(sheets, to, out)
    except OSError as error:
        raise ScenarioError(f"{out}: cannot be written: {error.strerror or error}") from error


def folder_sheets(folder: Path) -> list[Sheet]:
    """Return all sheets of a run folder, units and meanings included.

    Raises ScenarioError if it is no run folder, or its plan was changed afterwards.
    """
    found = read_run(folder)
    used = {"plan.gpkg", "data_dictionary.csv"}
    changed = sorted(used & set(changed_outputs(found)))
    if changed:
        raise ScenarioError(
            f"{folder}: {', '.join(changed)} was changed after the run; solve again"
        )
    path = found.path / "plan.gpkg"
    fields: dict[str, list[Field]] = {name: [] for name in sheet_names(path)}
    with (found.path / "data_dictionary.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            file_name, _, layer = row["file"].partition(":")
            if file_name == "plan.gpkg":
                kind: Any = row["type"]
                fields[layer].append(
                    Field(_as_written(row["name"]), row["unit"], kind, row["meaning"])
                )
    return [_sheet_of(path, name, of) for name, of in fields.items()]


def _as_written(name: str) -> str:
    """Undo what keeps a spreadsheet from running a column's name."""
    from sitepick.exports.text import inert

    return name[1:] if name.startswith("'") and inert(name[1:]) == name else name


def _sheet_of(path: Path, name: str, fields: list[Field]) -> Sheet:
    stored = read_rows(path, name)
    rows: list[Row] = [{f.name: from_cell(r[f.name], f.kind) for f in fields} for r in stored]
    shape: Any = _SHAPES.get(name)
    geometry = [_geometry(r["geom"]) for r in stored] if shape else None
    return Sheet(name, name.replace("_", " "), tuple(fields), rows, geometry, shape)


_SHAPES = {
    "sites": "Point", "sites_by_period": "Point", "candidates": "Point", "substations": "Point",
    "links": "MultiLineString", "regions": "MultiPolygon",
    "grid_pois": "Point", "grid_limits": "MultiLineString",
}  # fmt: skip


def _geometry(data: bytes | None) -> Row | None:
    if data is None:
        return None
    if struct.unpack_from("<I", data, 1)[0] == 1:
        return {"type": "Point", "coordinates": list(struct.unpack_from("<2d", data, 5))}
    from shapely import from_wkb
    from shapely.geometry import mapping

    return json.loads(json.dumps(mapping(from_wkb(data))))


def _write(sheets: list[Sheet], to: str, out: Path) -> list[Path]:
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f"{TEMPORARY}{out.name}-", dir=out.parent) as temporary:
        here = Path(temporary)
        if to in ONE_FILE:
            file = here / "file"
            if to == "gpkg":
                write_gpkg(sheets, file)
            else:
                write_xlsx(workbook(sheets, dictionary_sheet(file_fields(sheets))), file)
            file.replace(out)
            return [out]
        write = _WRITERS[to]
        for sheet in sheets:
            if to != "geojson" or sheet.geometry is not None:
                write(sheet, here / f"{sheet.name}.{to}")
        write_csv(dictionary_sheet(_fields_by_file(sheets, to)), here / "data_dictionary.csv")
        out.mkdir(exist_ok=True)
        names = sorted(p.name for p in here.iterdir())
        for name in names:
            os.replace(here / name, out / name)  # noqa: PTH105 (a plain move, file by file)
        return [out / n for n in names]


def _fields_by_file(sheets: list[Sheet], to: str) -> dict[str, tuple[Field, ...]]:
    return {f"{s.name}.{to}": s.fields for s in sheets if to != "geojson" or s.geometry is not None}


def _write_parquet(sheet: Sheet, path: Path) -> None:
    """Write a sheet as GeoParquet 1.1 (plain Parquet if it has no geometry)."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns: dict[str, Any] = {
        f.name: pa.array([_parquet_cell(r[f.name], f.kind) for r in sheet.rows], _arrow(f.kind))
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


def _parquet_cell(value: Any, kind: Kind) -> Any:
    from datetime import date

    if value is None:
        return None
    if kind == "date":
        return date.fromisoformat(value)
    return json.dumps(value, ensure_ascii=False) if kind == "json" else value


_WRITERS: dict[str, Callable[[Sheet, Path], None]] = {
    "csv": write_csv, "geojson": write_geojson, "parquet": _write_parquet,
}  # fmt: skip
