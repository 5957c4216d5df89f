"""`sitepick export`: a run, or a run folder, as files of one format."""

from __future__ import annotations

import csv
import importlib.util
import json
import sqlite3
import struct
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, get_args

from sitepick.errors import ScenarioError
from sitepick.exports.csv_out import write_csv
from sitepick.exports.dictionary import dictionary_sheet
from sitepick.exports.folder import (
    TEMPORARY,
    RunFolder,
    changed_outputs,
    put_in_place,
    read_run,
    to_disk,
    whole_workbook,
)
from sitepick.exports.geojson_out import write_geojson
from sitepick.exports.gpkg_out import (
    Stored,
    from_cell,
    read_rows,
    stored_tables,
    tables_sha256,
    write_gpkg,
)
from sitepick.exports.kml_out import write_kml
from sitepick.exports.parquet_out import write_parquet
from sitepick.exports.qgis_out import DATA, PROJECT, write_project
from sitepick.exports.sheet import Field, Row, Sheet
from sitepick.exports.text import as_written
from sitepick.exports.xlsx_out import write_xlsx
from sitepick.run import Run

Format = Literal["geojson", "gpkg", "csv", "parquet", "kml", "xlsx", "qgis"]
FORMATS: tuple[Format, ...] = get_args(Format)
ONE_FILE: tuple[Format, ...] = ("gpkg", "kml", "xlsx")
DICTIONARY = "data_dictionary.csv"
"""Formats that hold all sheets in one file; of the others ``out`` is a folder, a file per sheet."""


def export(source: Path | Run, to: str, out: Path, *, force: bool = False) -> list[Path]:
    """Write a run (or the run in a folder) as ``to`` and return the files written, sorted.

    ``gpkg``, ``kml`` and ``xlsx``: ``out`` is the file. ``geojson``, ``csv`` and ``parquet``:
    ``out`` is a folder that gets one file per sheet; ``qgis``: one with a project and its
    GeoPackage. All appears at once or not at all; ``force`` replaces an earlier export.

    Raises ScenarioError for an unknown format, an existing target without ``force``, one that is no
    earlier export, a run folder whose tables were changed after the run, or a missing package.
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
    if out.is_dir():
        _check_earlier(out, to)
    sheets = _sheets_of(source)
    try:
        return _write(sheets, to, out)
    except OSError as error:
        raise ScenarioError(f"{out}: cannot be written: {error.strerror or error}") from error


def _sheets_of(source: Path | Run) -> list[Sheet]:
    if isinstance(source, Run):
        from sitepick.exports.sheets import run_sheets  # imports the whole model

        return run_sheets(source)
    return folder_sheets(source)


def folder_sheets(folder: Path) -> list[Sheet]:
    """Return all sheets of a run folder, units and meanings included.

    A GeoPackage that another program opened is as good as before while its rows are the same.
    Raises ScenarioError if it is no run folder, or its plan was changed afterwards.
    """
    found = read_run(folder)
    changed = sorted({DATA, DICTIONARY} & set(changed_outputs(found)))
    if DATA in changed and _same_tables(found):
        changed.remove(DATA)
    if changed:
        raise ScenarioError(
            f"{folder}: {', '.join(changed)} was changed after the run; solve again"
        )
    path = found.path / DATA
    tables = stored_tables(path)
    fields: dict[str, list[Field]] = {table.name: [] for table in tables}
    with (found.path / DICTIONARY).open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            file_name, _, layer = row["file"].partition(":")
            if file_name == DATA:
                kind: Any = row["type"]
                fields[layer].append(
                    Field(as_written(row["name"]), row["unit"], kind, row["meaning"])
                )
    return [_sheet_of(path, table, fields[table.name]) for table in tables]


def _same_tables(found: RunFolder) -> bool:
    """Whether the GeoPackage holds what it held, though its bytes differ: QGIS has opened it."""
    stated = found.manifest["outputs"][DATA].get("tables_sha256")
    try:
        return bool(stated == tables_sha256(found.path / DATA))
    except sqlite3.Error:
        return False


def _sheet_of(path: Path, table: Stored, fields: list[Field]) -> Sheet:
    stored = read_rows(path, table.name)
    rows: list[Row] = [{f.name: from_cell(r[f.name], f.kind) for f in fields} for r in stored]
    geometry = [_geometry(r["geom"]) for r in stored] if table.shape else None
    return Sheet(table.name, table.meaning, tuple(fields), rows, geometry, table.shape)


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
        here = Path(temporary) / "export"
        if to in ONE_FILE:
            _ALL[to](sheets, here)
            to_disk(here)
            here.replace(out)
            return [out]
        here.mkdir()
        if to == "qgis":
            write_gpkg(sheets, here / DATA)
            write_project(sheets, here / PROJECT)
        for sheet in _of_folder(sheets, to):
            _EACH[to](sheet, here / f"{sheet.name}.{to}")
        write_csv(dictionary_sheet(_fields_by_file(sheets, to)), here / DICTIONARY)
        names = sorted(p.name for p in here.iterdir())
        for name in names:
            to_disk(here / name)
        put_in_place(here, out)
        return [out / n for n in names]


def _of_folder(sheets: list[Sheet], to: str) -> list[Sheet]:
    """Return the sheets that get a file each."""
    if to == "geojson":
        return [s for s in sheets if s.geometry is not None]
    return sheets if to in _EACH else []


def _fields_by_file(sheets: list[Sheet], to: str) -> dict[str, tuple[Field, ...]]:
    if to == "qgis":
        return {f"{DATA}:{s.name}": s.fields for s in sheets}
    return {f"{s.name}.{to}": s.fields for s in _of_folder(sheets, to)}


def _check_earlier(out: Path, to: str) -> None:
    """Refuse to replace a folder that holds anything but an earlier export."""
    names = sorted(p.name for p in out.iterdir())
    ours = {DICTIONARY, DATA, PROJECT, *_TOUCHED} if to == "qgis" else {DICTIONARY}
    strange = [n for n in names if n not in ours and not (to in _EACH and n.endswith(f".{to}"))]
    if strange or (names and DICTIONARY not in names):
        what = f"holds {strange[0]}" if strange else f"has no {DICTIONARY}"
        raise ScenarioError(
            f"{out}: {what}, so it is no earlier export to {to}; --force replaces only those"
        )


def _write_workbook(sheets: list[Sheet], path: Path) -> None:
    write_xlsx(whole_workbook(sheets), path)


_ALL: dict[str, Callable[[list[Sheet], Path], None]] = {
    "gpkg": write_gpkg, "xlsx": _write_workbook, "kml": write_kml,
}  # fmt: skip
_EACH: dict[str, Callable[[Sheet, Path], None]] = {
    "csv": write_csv, "geojson": write_geojson, "parquet": write_parquet,
}  # fmt: skip
_TOUCHED = ("plan.gpkg-wal", "plan.gpkg-shm", "plan.qgs~", "plan_attachments.zip")
"""What QGIS leaves beside a project that it opened."""
