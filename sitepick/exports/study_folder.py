"""Folders of studies: run folders and tables side by side, whole or absent like a run folder."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sitepick import __version__
from sitepick.errors import ScenarioError
from sitepick.exports.csv_out import write_csv
from sitepick.exports.dictionary import dictionary_sheet
from sitepick.exports.folder import TEMPORARY, holds_something, put_in_place, to_disk, umask
from sitepick.exports.geojson_out import write_geojson
from sitepick.exports.gpkg_out import write_gpkg
from sitepick.exports.manifest import NAME as MANIFEST
from sitepick.exports.manifest import sha256_of
from sitepick.exports.sheet import Sheet, plain
from sitepick.exports.text import clean


def check_target(folder: Path, what: str, *, force: bool) -> None:
    """Refuse, before any work, a target that cannot be used: ScenarioError.

    ``force`` replaces a folder that holds the same kind of study (``what``), and nothing else.
    """
    if not holds_something(folder, force=force):
        return
    try:
        found = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))["what"]
    except (OSError, ValueError, KeyError, TypeError):
        found = None
    if found != f"sitepick {what}":
        raise ScenarioError(
            f"{folder}: is not empty and no earlier {what}; --force replaces only those"
        )


def write_study(
    folder: Path,
    what: str,
    sheets: Sequence[Sheet],
    *,
    force: bool,
    argv: Sequence[str],
    record: dict[str, Any],
    fill: Callable[[Path], None],
) -> Path:
    """Write ``sheets`` as CSV, those with places as GeoJSON too, and all as ``WHAT.gpkg``.

    ``fill`` writes what else belongs there into the folder that it is given. ``record`` goes into
    the manifest. The folder appears whole or not at all; see `check_target` for what is refused.
    """
    check_target(folder, what, force=force)
    here: Path | None = None
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        here = Path(tempfile.mkdtemp(prefix=f"{TEMPORARY}{folder.name}-", dir=folder.parent))
        here.chmod(0o777 & ~umask())
        fill(here)
        for sheet in sheets:
            write_csv(sheet, here / f"{sheet.name}.csv")
            if sheet.geometry is not None:
                write_geojson(sheet, here / f"{sheet.name}.geojson")
        write_gpkg(sheets, here / f"{what}.gpkg")
        write_csv(dictionary_sheet(_files(sheets, what)), here / "data_dictionary.csv")
        names = sorted(p.name for p in here.iterdir() if p.is_file())
        told = {
            "what": f"sitepick {what}",
            "written_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "version": __version__,
            "argv": [clean(a) for a in argv],
            **{key: plain(value) for key, value in record.items()},
            "outputs": {name: sha256_of(here / name) for name in names},
        }
        text = json.dumps(told, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
        (here / MANIFEST).write_text(text, encoding="utf-8", newline="")
        for name in (*names, MANIFEST):
            to_disk(here / name)
        put_in_place(here, folder)
    except OSError as error:
        _remove(here)
        raise ScenarioError(
            f"{folder}: cannot be written: {error.strerror or error}; nothing was written there"
        ) from error
    except BaseException:
        _remove(here)
        raise
    return folder


def _files(sheets: Sequence[Sheet], what: str) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for sheet in sheets:
        out[f"{sheet.name}.csv"] = out[f"{what}.gpkg:{sheet.name}"] = sheet.fields
        if sheet.geometry is not None:
            out[f"{sheet.name}.geojson"] = sheet.fields
    return out


def _remove(here: Path | None) -> None:
    if here is not None:
        shutil.rmtree(here, ignore_errors=True)
