"""Packed files, unpacked under limits: nothing leaves the folder, nothing swells."""

from __future__ import annotations

import gzip
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from sitepick.layers import limits
from sitepick.layers.table import Refused

SINGLE = (".gpkg", ".geojson", ".json", ".csv", ".fgb", ".xlsx")


def _ratio_problem(packed: int, unpacked: float) -> str | None:
    if unpacked > limits.RATIO_FREE_MB * 1e6 and unpacked > limits.MAX_UNPACK_RATIO * packed:
        return (
            f"unpacks to more than {limits.MAX_UNPACK_RATIO:.0f} times its size, as a zip bomb "
            "does (sitepick.layers.limits.MAX_UNPACK_RATIO); unpack it yourself if you trust it"
        )
    return None


def gunzip(path: Path) -> bytes:
    """Return the content of a gzip file, stopping at the size and ratio limits."""
    packed = path.stat().st_size
    out = bytearray()
    try:
        with gzip.open(path) as stream:
            while block := stream.read(1 << 22):
                out += block
                problem = limits.too_big(len(out)) or _ratio_problem(packed, len(out))
                if problem:
                    raise Refused(problem)
    except (EOFError, zlib.error, gzip.BadGzipFile):
        raise Refused(
            f"the gzip file is damaged after {len(out):,} unpacked bytes; download incomplete?"
        ) from None
    return bytes(out)


def check_zip(archive: zipfile.ZipFile) -> None:
    """Raise `Refused` unless the archive's directory promises a sane size and plain names."""
    infos = archive.infolist()
    if len(infos) > limits.MAX_ZIP_MEMBERS:
        raise Refused(
            f"has {len(infos):,} members; the limit is {limits.MAX_ZIP_MEMBERS:,} "
            "(sitepick.layers.limits.MAX_ZIP_MEMBERS)"
        )
    for info in infos:
        if not info.filename:
            raise Refused("holds a member without a name, so it is damaged")
        parts = PurePosixPath(info.filename.replace("\\", "/")).parts
        if ".." in parts or info.filename.startswith(("/", "\\")) or ":" in info.filename:
            raise Refused(f"holds the path {info.filename!r}, which leads out of the archive")
        if info.flag_bits & 1:
            raise Refused("is locked by a password; unpack it first")
    total = sum(info.file_size for info in infos)
    problem = limits.too_big(total) or _ratio_problem(
        sum(info.compress_size for info in infos), total
    )
    if problem:
        raise Refused(problem)


ZIP_ERRORS = (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, OSError, ValueError)
"""What `zipfile` raises on damaged archives and unknown compression."""


@contextmanager
def unzipped(path: Path) -> Iterator[Path]:
    """Unpack the one data set of a zip (shapefile, file geodatabase or a single file) for a while.

    Yields:
        The path of the .shp file, .gdb folder or single file inside a temporary folder.
    """
    with zipfile.ZipFile(path) as archive, TemporaryDirectory(prefix="sitepick-") as folder:
        check_zip(archive)
        names = [
            i.filename
            for i in archive.infolist()
            if not i.is_dir() and "__MACOSX" not in i.filename
        ]
        inner = _choose(names)
        stem = inner.rsplit(".", 1)[0] + "."
        wanted = [
            n for n in names if n == inner or n.startswith((inner + "/", stem)) or n == stem[:-1]
        ]
        room = int(limits.MAX_FILE_MB * 1e6)
        for name in wanted:
            target = Path(folder) / name
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                with archive.open(name) as source, target.open("wb") as out:
                    # sizes in the directory can lie, so bytes are counted while they come
                    while block := source.read(1 << 20):
                        room -= len(block)
                        if room < 0:
                            raise Refused(str(limits.too_big(int(limits.MAX_FILE_MB * 1e6) + 1)))
                        out.write(block)
            except ZIP_ERRORS:
                raise Refused(f"member {name!r} is damaged; download incomplete?") from None
        yield Path(folder) / inner


def _choose(names: list[str]) -> str:
    shapes = sorted(n for n in names if n.lower().endswith(".shp"))
    folders = sorted({n[: n.lower().index(".gdb/") + 4] for n in names if ".gdb/" in n.lower()})
    found = shapes or folders or sorted(n for n in names if n.lower().endswith(SINGLE))
    if not found:
        raise Refused(f"is a zip without map data or table; it holds {', '.join(names[:5])}")
    if len(found) > 1:
        raise Refused(
            f"is a zip with {len(found)} data sets ({', '.join(found[:4])}); "
            "unpack it and name one file"
        )
    return found[0]
