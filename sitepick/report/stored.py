"""The page of an earlier run: read back from its folder, drawn, and written whole or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from sitepick.errors import ScenarioError
from sitepick.report.html import html_of
from sitepick.report.page import Page

if TYPE_CHECKING:
    from sitepick.exports.folder import RunFolder


def page_text(folder: RunFolder) -> str:
    """Return `report.html` of a run folder, drawn from its `page.json`.

    Raises ScenarioError if that file is missing, changed so that it cannot be drawn, or of another
    version.
    """
    from sitepick.exports.folder import PAGE, changed_outputs

    try:
        return html_of(Page.from_json((folder.path / PAGE).read_text(encoding="utf-8")))
    except OSError as error:
        raise ScenarioError(
            f"{folder.path}: has no {PAGE}, from which report.html is drawn; solve again"
        ) from error
    except Exception as error:
        # a file as sitepick wrote it is drawn by the version that wrote it
        if isinstance(error, ValueError) or PAGE in changed_outputs(folder):
            raise ScenarioError(f"{folder.path / PAGE}: cannot be drawn: {error}") from error
        raise


def write_page(text: str, path: Path, *, force: bool = False) -> None:
    """Write a page to a file; an existing one needs ``force``. Raises ScenarioError."""
    if path.exists() and not force:
        raise ScenarioError(f"{path}: exists; name another file or add --force")
    if path.is_dir():
        raise ScenarioError(f"{path}: is a folder; name a file")
    from sitepick.exports.folder import umask

    here: str | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, here = tempfile.mkstemp(prefix=f".tmp-{path.name}-", dir=path.parent)
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            file.write(text)
        Path(here).chmod(0o666 & ~umask())
        Path(here).replace(path)
    except OSError as error:
        if here is not None:
            Path(here).unlink(missing_ok=True)
        raise ScenarioError(f"{path}: cannot be written: {error.strerror or error}") from error
