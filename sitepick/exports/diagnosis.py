"""The folder of a scenario without a plan: why, in a record and in words. It is never a run.

It has no manifest and no solution, so nothing that wants a plan takes it for one; it appears whole
or not at all, and never in the place of a plan.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from sitepick import __version__
from sitepick.errors import ScenarioError
from sitepick.exports.folder import DIAGNOSIS as NAME
from sitepick.exports.folder import RESOLVED, TEMPORARY, put_in_place, to_disk, umask
from sitepick.exports.manifest import NAME as MANIFEST
from sitepick.exports.sheet import plain
from sitepick.exports.summary import summary
from sitepick.exports.text import clean

if TYPE_CHECKING:
    from sitepick.run import Run

TEXT = "diagnosis.txt"
WHAT = "sitepick diagnosis"


def is_diagnosis(folder: Path) -> bool:
    """Return whether a folder holds why there is no plan, and no plan."""
    return (folder / NAME).is_file() and not (folder / MANIFEST).exists()


def write_diagnosis(
    run: Run, folder: Path, lines: Sequence[str], *, force: bool = False, argv: Sequence[str] = ()
) -> Path:
    """Write why a run has no plan to ``folder`` and return it; ``lines`` are its words.

    An existing folder is refused unless it is empty, or holds an earlier diagnosis and ``force`` is
    given: a plan is never replaced by the lack of one. Raises ScenarioError for a folder that
    cannot be used, ValueError for a run with a plan.
    """
    if run.solution is not None:
        raise ValueError("a run with a plan has no diagnosis to write")
    folder = Path(folder)
    _check_target(folder, force)
    loaded = run.prepared.loaded
    sources = (*run.prepared.layers.sources, *run.prepared.candidates.sources)
    record = {
        "what": WHAT,
        "written_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "sitepick": __version__,
        "argv": [plain(a) for a in argv],
        "scenario": {
            "name": plain(run.prepared.scenario.name),
            "path": None if loaded.path is None else str(loaded.path),
            "base": str(loaded.base.resolve()),
            "sha256": loaded.sha256,
        },
        "inputs": [
            {"role": s.role, "path": plain(s.path), "sha256": s.sha256}
            for s in dict.fromkeys(sources)
        ],
        **{k: v for k, v in summary(run, None).items() if k in _KEPT},
    }
    text = json.dumps(record, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    here: Path | None = None
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        here = Path(tempfile.mkdtemp(prefix=f"{TEMPORARY}{folder.name}-", dir=folder.parent))
        here.chmod(0o777 & ~umask())
        (here / NAME).write_text(text, encoding="utf-8", newline="")
        words = "".join(clean(line) + "\n" for line in lines)
        (here / TEXT).write_text(words, encoding="utf-8", newline="")
        (here / RESOLVED).write_text(loaded.resolved_yaml, encoding="utf-8", newline="")
        for path in here.iterdir():
            to_disk(path)
        put_in_place(here, folder)
    except OSError as error:
        if here is not None:
            shutil.rmtree(here, ignore_errors=True)
        raise ScenarioError(
            f"{folder}: cannot write the diagnosis: {error.strerror or error}; "
            "nothing was written there"
        ) from error
    except BaseException:
        if here is not None:
            shutil.rmtree(here, ignore_errors=True)
        raise
    return folder


_KEPT = ("status", "objective", "seconds", "synthetic", "notes", "shortfall", "diagnosis")


def _check_target(folder: Path, force: bool) -> None:
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise ScenarioError(f"{folder}: is no folder of its own; the diagnosis was not written")
    if not folder.is_dir() or not any(folder.iterdir()):
        return
    if not is_diagnosis(folder):
        raise ScenarioError(
            f"{folder}: is left as it is; a diagnosis replaces no plan and no other files"
        )
    if not force:
        raise ScenarioError(f"{folder}: is not empty; name another folder or add --force")
