"""Any vector file or table to a `Table`: content decides who reads it."""

from __future__ import annotations

import hashlib
from pathlib import Path

import shapely

from sitepick.layers import archive
from sitepick.layers.sniff import sniff, sniff_bytes
from sitepick.layers.table import Refused, Table

_TEXTS = ("json", "csv", "graphml", "gml")


def locate(file: str, base: Path) -> Path:
    """Return the path that a scenario's ``file`` names, relative to the folder ``base``.

    Raises:
        Refused: it is a URL or a GDAL virtual path, or an unknown bundled name.
    """
    if file.startswith("bundled:"):
        from sitepick.bundled import resolve
        from sitepick.errors import SitepickError

        try:
            return resolve(file.removeprefix("bundled:"))
        except SitepickError as error:
            raise Refused("; ".join(error.problems)) from None
    if "://" in file or file.startswith("/vsi"):
        raise Refused("only files are read, never a URL or GDAL path: download it first")
    path = Path(file).expanduser()
    return path if path.is_absolute() else base / path


def sha256_of(path: Path) -> tuple[str, int]:
    """Return hash and size in bytes of a file; of a folder, over its files in order of name."""
    files = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
    digest, size = hashlib.sha256(), 0
    for one in files:
        with one.open("rb") as stream:
            while block := stream.read(1 << 20):
                digest.update(block)
                size += len(block)
    return digest.hexdigest(), size


def read(
    path: Path, *, layer: str | None = None, sheet: str | None = None, role: str = ""
) -> Table:
    """Read a file of any known kind.

    ``role`` matters only for graphs, which hold nodes and links.

    Raises:
        Refused: it cannot be read; the message says why and what to do.
    """
    kind = sniff(path)
    if kind in _TEXTS:
        return _text(path.read_bytes(), kind, path, layer, role)
    if kind == "gzip":
        data = archive.gunzip(path)
        inner = sniff_bytes(data[:4096], path.with_suffix(""))
        if inner not in _TEXTS:
            raise Refused(
                f"is a gzip of {inner}; only JSON, CSV and graphs are read packed: unpack it"
            )
        return _text(data, inner, path.with_suffix(""), layer, role)
    if kind == "xlsx":
        from sitepick.layers.xlsxfile import read_xlsx

        return read_xlsx(path, sheet)
    if kind == "zip":
        with archive.unzipped(path) as inside:
            if sniff(inside) in ("zip", "gzip"):
                raise Refused("is an archive within an archive; unpack it first")
            return read(inside, layer=layer, sheet=sheet, role=role)
    from sitepick.layers import ogrfile

    if kind == "parquet":
        return ogrfile.read_parquet(path)
    return ogrfile.read_ogr(path, kind, layer)


def _text(data: bytes, kind: str, path: Path, layer: str | None, role: str) -> Table:
    if kind == "csv":
        from sitepick.layers.csvfile import read_csv

        return read_csv(data, path.name)
    if kind in ("graphml", "gml"):
        from sitepick.layers.graphs import graph_table

        return graph_table(data, kind, path, role)
    from sitepick.layers.jsonfile import read_json

    return read_json(data, path, layer, role)


def force_2d(table: Table) -> None:
    """Drop heights in place; `Table.has_z` keeps that there were some."""
    if table.has_z and table.geometry is not None:
        table.geometry = shapely.force_2d(table.geometry)
