"""What a file is, by its content. Its name never decides: a name can lie, GDAL would believe it."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

from sitepick.layers import limits
from sitepick.layers.table import Refused

RASTERS = {
    b"II*\0": "a TIFF image",
    b"MM\0*": "a TIFF image",
    b"II+\0": "a TIFF image",
    b"MM\0+": "a TIFF image",
    b"\x89PNG": "a PNG image",
    b"\xff\xd8\xff": "a JPEG image",
    b"CDF\x01": "a NetCDF raster",
    b"CDF\x02": "a NetCDF raster",
    b"\x89HDF": "an HDF5 or NetCDF raster",
    b"ncols": "an ASCII grid",
    b"NCOLS": "an ASCII grid",
}
NAMED = {
    b"%PDF": "is a PDF document; export its table to CSV or XLSX",
    b"\xd0\xcf\x11\xe0": "is an old Excel file (.xls); save it as .xlsx",
    b"version https://git-lfs": "is a Git LFS pointer, not the data; run `git lfs pull`",
    b"7z\xbc\xaf": "is a 7-Zip archive; unpack it first",
    b"BZh": "is a bzip2 archive; unpack it first",
    b"\xfd7zXZ": "is an xz archive; unpack it first",
    b"Rar!": "is a RAR archive; unpack it first",
}
_GML = re.compile(rb'(?:#[^\n]*\n|[A-Za-z]\w*[ \t]+(?:"[^"\n]*"|[\w.+-]+)\s+|\s+)*graph\s*\[')
"""How GML begins: a few keys with their value, then the graph."""


def sniff(path: Path) -> str:
    """Return json, graphml, gml, csv, gzip, xlsx, zip, gpkg, fgb, shp, gdb or parquet.

    Raises:
        Refused: the file is missing, too big, or of a kind that is not read; the message says
            what to do.
    """
    if path.is_dir():
        if path.suffix.lower() == ".gdb" and any(path.glob("*.gdbtable")):
            return "gdb"
        raise Refused("is a folder, not a file (only a file geodatabase, *.gdb, is a folder)")
    if not path.is_file():
        raise Refused(f"no such file ({path}){nearby(path)}")
    size = path.stat().st_size
    if size == 0:
        raise Refused("is empty (0 bytes); was the download or export complete?")
    if (problem := limits.too_big(size)) is not None:
        raise Refused(problem)
    with path.open("rb") as stream:
        head = stream.read(4096)
    return sniff_bytes(head, path)


def sniff_bytes(head: bytes, path: Path) -> str:
    """Return the kind of a file that starts with ``head``; see `sniff`."""
    for magic, what in RASTERS.items():
        if head.startswith(magic):
            raise Refused(
                f"is {what}; a raster is not read. Make polygons of it: "
                f"`gdal_polygonize.py {path.name} -f GPKG out.gpkg` (then filter with `where:`)"
            )
    for magic, what in NAMED.items():
        if head.startswith(magic):
            raise Refused(what)
    binary = {
        b"\x1f\x8b": "gzip",
        b"SQLite format 3\0": "gpkg",
        b"fgb\x03fgb": "fgb",
        b"\x00\x00\x27\x0a": "shp",
        b"PAR1": "parquet",
    }
    for magic, kind in binary.items():
        if head.startswith(magic):
            return kind
    if head.startswith(b"PK\x03\x04"):
        return _zip_kind(path)
    return _text_kind(head, path)


def _zip_kind(path: Path) -> str:
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, NotImplementedError, OSError, ValueError):
        raise Refused("is a damaged zip or XLSX file; download incomplete?") from None
    if "xl/workbook.xml" in names:
        return "xlsx"
    if "content.xml" in names and "mimetype" in names:
        raise Refused("is an OpenDocument file; save it as .xlsx or CSV")
    if "word/document.xml" in names:
        raise Refused("is a Word document; export its table to CSV or XLSX")
    if "doc.kml" in names or any(n.endswith(".kml") for n in names):
        raise Refused(f"is KMZ; convert it: `ogr2ogr out.gpkg {path.name}`")
    return "zip"


def _text_kind(head: bytes, path: Path) -> str:
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise Refused(
            f"is UTF-16 text; convert it: `iconv -f UTF-16 -t UTF-8 {path.name} > utf8_{path.name}`"
        )
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if not text:
        raise Refused("holds only blanks; was the download or export complete?")
    if text.startswith(b"<"):
        low = text[:600].lower()
        if b"<html" in low or b"<!doctype html" in low:
            raise Refused(
                "looks like a web page, not data (a login or error page saved by a download?); "
                "open it in a text editor and download the data again"
            )
        if b"<ogrvrt" in low or b"<vrtdataset" in low:
            raise Refused(
                "is a GDAL virtual file (VRT), which can read other files; it is not opened. "
                f"Convert it yourself: `ogr2ogr out.gpkg {path.name}`"
            )
        for mark, what in ((b"<kml", "KML"), (b"<gpx", "GPX"), (b"<osm", "OpenStreetMap XML")):
            if mark in low:
                raise Refused(f"is {what}; convert it: `ogr2ogr out.gpkg {path.name}`")
        if b"<graphml" in text:
            return "graphml"
        raise Refused(
            "starts with '<', so it is XML, which is not read; "
            f"convert it: `ogr2ogr out.gpkg {path.name}`"
        )
    if text[:1] in (b"{", b"[", b"\x1e"):
        return "json"
    if _GML.match(text):
        return "gml"
    if b"\0" in head:
        raise Refused(
            "is a binary file of unknown kind; read are GeoJSON, GeoPackage, FlatGeobuf, "
            "shapefile, file geodatabase, CSV and XLSX"
        )
    return "csv"


def nearby(path: Path) -> str:
    import difflib

    if not path.parent.is_dir():
        return f"; the folder {path.parent} does not exist either"
    names = sorted(p.name for p in path.parent.iterdir())[:2000]
    close = difflib.get_close_matches(path.name, names, 3, 0.6)
    return f"; nearby: {', '.join(close)}" if close else ""
