"""Clean layers of unchanged files, kept between runs: safe to delete at any time, never stale.

An entry is named by everything it comes from: the bytes of the file and of what lies beside it,
role and reading options, and the versions of sitepick and of what reads. Entries are arrays and
JSON in an `.npz`, never code; one that does not read is as good as none. Files appear whole or not
at all, and the oldest go when the folder grows beyond `MOST_MB`.

``SITEPICK_CACHE`` names the folder, or is ``off``; otherwise it is where the system keeps caches.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import tempfile
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import date, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from sitepick import __version__
from sitepick.layers.types import Note, Source
from sitepick.scenario.inputs import LayerFile, RegionLayer

SMALL_MB = 0.2
"""Smaller files are read again as fast."""
MOST_MB = 1000.0
"""Largest size of the folder, MB."""
_JOINED = ("breakthrough",)  # presets that read other files of the folder
_READERS = ("numpy", "pandas", "shapely", "pyogrio", "pyproj")
_FORMAT = 1


@dataclass(frozen=True)
class Entry:
    """What reading one file for one role gave.

    ``rows``: sign and number of each row in the file, where rows can be told; ``columns``: ours to
    the file's own.
    """

    frame: pd.DataFrame
    notes: tuple[Note, ...]
    sources: tuple[Source, ...]
    sign: str = ""
    rows: np.ndarray | None = None
    columns: dict[str, str] | None = None


def folder() -> Path | None:
    """Return where entries are kept, None where nothing is."""
    asked = os.environ.get("SITEPICK_CACHE", "")
    if asked.lower() in ("off", "0", "no"):
        return None
    if asked:
        return Path(asked).expanduser()
    try:
        home = Path.home()
    except RuntimeError:
        return None
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", home / "AppData" / "Local")) / "sitepick/Cache"
    if sys.platform == "darwin":
        return home / "Library" / "Caches" / "sitepick"
    return Path(os.environ.get("XDG_CACHE_HOME") or home / ".cache") / "sitepick"


def key_of(role: str, spec: LayerFile, files: list[Path]) -> str | None:
    """Return the name of an entry; None where nothing is kept, or it is not worth it.

    ``files`` are the layer's own and the table joined to it. Raises OSError as reading them would.
    """
    attributes = spec.attributes if isinstance(spec, RegionLayer) else None
    joined = [s.preset for s in (spec, attributes) if s is not None]
    if folder() is None or any(name in _JOINED for name in joined):
        return None
    if any(path.is_dir() for path in files):
        return None
    if sum(path.stat().st_size for path in files) < SMALL_MB * 1e6:
        return None
    digest = hashlib.sha256()
    parts = [_FORMAT, __version__, [_version(name) for name in _READERS], role,
             type(spec).__name__, spec.model_dump(mode="json")]  # fmt: skip
    digest.update(json.dumps(parts, sort_keys=True).encode())
    for path in files:
        for one in (path, *_beside(path)):
            with one.open("rb") as stream:
                content = hashlib.file_digest(stream, "sha256").hexdigest()
            digest.update(f"\n{one.name} {content}".encode())
    return digest.hexdigest()


def get(key: str) -> Entry | None:
    """Return an entry; None where there is none that reads."""
    where = folder()
    if where is None:
        return None
    path = where / f"{key}.npz"
    try:
        with np.load(path, allow_pickle=False) as stored:
            entry = _unpacked(stored)
        os.utime(path)  # the last one used is the last to go
    except Exception:  # absent, cut off, or anything else than what `put` wrote
        return None
    return entry


def put(key: str, entry: Entry) -> None:
    """Keep an entry, if it can be kept; a full or read-only disk is no fault."""
    where, arrays = folder(), _packed(entry)
    if where is None or arrays is None:
        return
    temporary = None
    try:
        where.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, temporary = tempfile.mkstemp(dir=where, suffix=".part")
        with os.fdopen(handle, "wb") as stream:
            np.savez(stream, **arrays)
        Path(temporary).replace(where / f"{key}.npz")
        _trim(where)
    except OSError:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)


def _trim(where: Path) -> None:
    found = []
    for path in (*where.glob("*.npz"), *where.glob("*.part")):
        with suppress(OSError):
            found.append((path.stat().st_mtime, path.stat().st_size, path))
    total = sum(size for _, size, _ in found)
    for _, size, path in sorted(found):
        if total <= MOST_MB * 1e6:
            return
        with suppress(OSError):
            path.unlink()
            total -= size


def _beside(path: Path) -> list[Path]:
    """Return the files that belong to a shapefile or an open GeoPackage."""
    if path.suffix.lower() == ".shp":
        near = path.parent.glob(f"{path.stem}.*")
        return sorted(p for p in near if p != path and p.is_file())
    wal = path.with_name(path.name + "-wal")
    return [wal] if wal.is_file() else []


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:  # pragma: no cover
        return ""


# --- entries as arrays -------------------------------------------------------------------------


def _packed(entry: Entry) -> dict[str, Any] | None:
    """Return an entry as arrays without objects; None where a column holds something else."""
    import shapely

    out: dict[str, Any] = {}
    columns = []
    for k, name in enumerate(entry.frame.columns):
        cells = entry.frame[name]
        if str(cells.dtype) == "geometry":
            wkb = shapely.to_wkb(np.asarray(cells.array, dtype=object))
            parts = [b"" if g is None else g for g in wkb]
            out[f"c{k}"] = np.frombuffer(b"".join(parts), dtype=np.uint8)
            out[f"n{k}"] = np.array([len(g) for g in parts], dtype=np.int64)
            kind = "wkb"
        elif cells.dtype.kind in "fiub" and isinstance(cells.dtype, np.dtype):
            out[f"c{k}"], kind = cells.to_numpy(), "array"
        elif cells.dtype == object:
            found = _kind(cells.to_numpy())
            if found is None:
                return None
            out[f"c{k}"], kind = _text_array(cells.tolist()), found
        else:
            return None
        columns.append([str(name), kind])
    record = {
        "columns": columns,
        "notes": [asdict(n) for n in entry.notes],
        "sources": [asdict(s) for s in entry.sources],
        "sign": entry.sign,
        "mapped": entry.columns,
    }
    out["record"] = _text_array(record)
    if entry.rows is not None:
        out["rows"] = entry.rows
    return out


def _kind(cells: np.ndarray) -> str | None:
    kinds = {type(cell) for cell in cells} - {type(None)}
    if kinds <= {str, bool, int, float}:
        return "plain"
    if kinds == {date}:
        return "date"
    if kinds == {tuple} and all(type(x) is str for cell in cells if cell for x in cell):
        return "tuple"
    return None


def _text_array(value: Any) -> np.ndarray:
    def other(found: Any) -> str:
        if isinstance(found, date) and not isinstance(found, datetime):
            return found.isoformat()
        raise TypeError(type(found).__name__)

    return np.frombuffer(json.dumps(value, default=other).encode(), dtype=np.uint8)


def _unpacked(stored: Any) -> Entry:
    import geopandas as gpd
    import shapely

    record = json.loads(stored["record"].tobytes())
    found: dict[str, Any] = {}
    geometry = None
    for k, (name, kind) in enumerate(record["columns"]):
        cells = stored[f"c{k}"]
        if kind == "array":
            found[name] = cells
        elif kind == "wkb":
            ends, data = np.cumsum(stored[f"n{k}"]).tolist(), cells.tobytes()
            wkb = np.empty(len(ends), dtype=object)
            wkb[:] = [data[a:b] or None for a, b in zip([0, *ends], ends, strict=False)]
            found[name], geometry = shapely.from_wkb(wkb), name
        else:
            listed = json.loads(cells.tobytes())
            if kind == "date":
                listed = [None if x is None else date.fromisoformat(x) for x in listed]
            elif kind == "tuple":
                listed = [None if x is None else tuple(x) for x in listed]
            column = np.empty(len(listed), dtype=object)
            column[:] = listed
            found[name] = pd.Series(column, dtype=object)
    frame = pd.DataFrame({name: cells for name, cells in found.items() if name != geometry})
    if geometry is not None:
        frame = gpd.GeoDataFrame(frame, geometry=found[geometry], crs="EPSG:4326")
        frame = frame[list(found)]  # in its order
    return Entry(
        frame=frame,
        notes=tuple(Note(**n) for n in record["notes"]),
        sources=tuple(Source(**s) for s in record["sources"]),
        sign=record["sign"],
        rows=stored["rows"] if "rows" in stored.files else None,
        columns=record["mapped"],
    )
