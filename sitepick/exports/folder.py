"""The run folder: written beside its place and moved there at once, so it is whole or absent."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sitepick.errors import ScenarioError
from sitepick.exports.actions import CSV as ACTIONS
from sitepick.exports.csv_out import write_csv
from sitepick.exports.dictionary import SUMMARY_KEYS, dictionary_sheet
from sitepick.exports.fiber import NAMES as FIBER
from sitepick.exports.geojson_out import write_geojson
from sitepick.exports.gpkg_out import write_gpkg
from sitepick.exports.inputs import NAME as INPUTS
from sitepick.exports.inputs import write_inputs
from sitepick.exports.manifest import NAME as MANIFEST
from sitepick.exports.manifest import SCHEMA, manifest, sha256_of
from sitepick.exports.sheet import Field, Sheet
from sitepick.exports.text import clean
from sitepick.exports.xlsx_out import write_xlsx
from sitepick.profiling import stage
from sitepick.solution import Solution

if TYPE_CHECKING:
    from sitepick.run import Run

TEMPORARY = ".tmp-"
RESOLVED = "scenario.resolved.yaml"
REPORT = "report.json"
PAGE = "page.json"
HTML = "report.html"
DIAGNOSIS = "diagnosis.json"
"""What a folder without a plan has in place of a manifest."""
_GRID = (
    "grid_states", "grid_pois", "grid_limits", "grid_upgrades", "grid_excused", "grid_dispatch",
)  # fmt: skip
_CSV = {
    "sites_by_period": "sites.csv", "cash": "cash.csv", "actions": ACTIONS,
    "onsite": "onsite.csv", "leases": "leases.csv", "changes": "changes.csv",
    "nonfirm": "nonfirm.csv", "verdicts": "verdicts.csv", "limits": "limits.csv",
    **{name: f"{name}.csv" for name in (*_GRID, *FIBER)},
}  # fmt: skip
_GEOJSON = {
    name: f"{name}.geojson" for name in ("sites", "candidates", "fiber_links", "fiber_edges")
}
_XLSX = (
    "run_info", "sites", "sites_by_period", "onsite", "leases", "cash", "actions", "candidates",
    "verdicts", "limits", "letters", "changes", "nonfirm", *FIBER, *_GRID, "notes",
)  # fmt: skip
"""Sheets of the workbook, where the plan has them."""


@dataclass(frozen=True)
class RunFolder:
    """A run read back from its folder."""

    path: Path
    manifest: dict[str, Any]
    solution: Solution
    scenario_path: Path  # the resolved scenario
    base: Path  # what its layer paths are relative to


def write_run(
    run: Run, folder: Path, *, force: bool = False, argv: Sequence[str] = (), html: bool = True
) -> Path:
    """Write a run with a plan to ``folder`` and return it. The folder appears whole or not at all.

    ``html``: `report.html` too; what it is drawn from (`page.json`) is written in any case. An
    existing folder is refused unless it is empty, or ``force`` is given and it is a run folder.
    Raises ScenarioError for a target that cannot be used, ValueError for a run without a plan.
    """
    if run.solution is None:
        raise ValueError("a run without a plan is not written")
    folder = Path(folder)
    _check_target(folder, force)
    here: Path | None = None
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        here = Path(tempfile.mkdtemp(prefix=f"{TEMPORARY}{folder.name}-", dir=folder.parent))
        here.chmod(0o777 & ~umask())
        _write_files(run, here, argv, html)
        put_in_place(here, folder)
    except OSError as error:
        _remove(here)
        raise ScenarioError(
            f"{folder}: cannot write the run: {error.strerror or error}; nothing was written there"
        ) from error
    except BaseException:
        _remove(here)
        raise
    return folder


def stale_folders(parent: Path) -> list[Path]:
    """Return what killed runs left behind in ``parent``: never read, safe to delete."""
    if not parent.is_dir():
        return []
    return sorted(p for p in parent.iterdir() if p.name.startswith(TEMPORARY) and p.is_dir())


def read_run(folder: Path) -> RunFolder:
    """Read a run folder. Raises ScenarioError if it is none, damaged, or of another version."""
    folder = Path(folder)
    refuse_diagnosis(folder)
    try:
        record = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        if not isinstance(record, dict) or record.get("what") != "sitepick run":
            raise ScenarioError(f"{folder}: {MANIFEST} is not that of a sitepick run")
        if record.get("schema") != SCHEMA:
            raise ScenarioError(f"{folder}: made by another version of sitepick; solve again")
        solution = Solution.from_json((folder / "solution.json").read_text(encoding="utf-8"))
        base = Path(record["scenario"]["base"])
    except OSError as error:
        raise ScenarioError(
            f"{folder}: is no run folder ({Path(str(error.filename)).name}: {error.strerror})"
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise ScenarioError(f"{folder}: is damaged: {error}") from error
    return RunFolder(folder, record, solution, folder / RESOLVED, base)


def refuse_diagnosis(folder: Path) -> None:
    """Raise ScenarioError where a folder holds why there is no plan (`exports.diagnosis`)."""
    if (folder / DIAGNOSIS).is_file() and not (folder / MANIFEST).exists():
        raise ScenarioError(
            f"{folder}: holds the diagnosis of a scenario without a plan, not a plan; read "
            f"{folder / 'diagnosis.txt'}"
        )


def changed_outputs(run: RunFolder) -> list[str]:
    """Return the names of files that are missing or no longer as the manifest says, sorted."""
    out = []
    for name, stated in run.manifest["outputs"].items():
        path = run.path / Path(name).name
        if not path.is_file() or sha256_of(path) != stated["sha256"]:
            out.append(name)
    return sorted(out)


def file_fields(sheets: Iterable[Sheet]) -> dict[str, Sequence[Field]]:
    """Return file, or file:layer, -> its columns, for the dictionary."""
    out: dict[str, Sequence[Field]] = {"sitepick solve --json": SUMMARY_KEYS}
    for sheet in sheets:
        out[f"plan.gpkg:{sheet.name}"] = sheet.fields
        for names in (_CSV, _GEOJSON):
            if sheet.name in names:
                out[names[sheet.name]] = sheet.fields
        if sheet.name in _XLSX:
            out[f"plan.xlsx:{_page(sheet.name)}"] = sheet.fields
    return out


def _page(sheet: str) -> str:
    return "summary" if sheet == "run_info" else sheet.replace("_", " ")


def workbook(sheets: Sequence[Sheet], dictionary: Sheet) -> list[Sheet]:
    """Return the sheets of the run folder's workbook, in its order."""
    by_name = {s.name: s for s in sheets}
    return [*(page(by_name[n]) for n in _XLSX if n in by_name), dictionary]


def whole_workbook(sheets: Sequence[Sheet]) -> list[Sheet]:
    """Return all sheets as one workbook: those of the run folder's first, its own dictionary last.

    The run folder leaves out what is for maps (lines alone can be tens of thousands of rows).
    """
    order = {name: i for i, name in enumerate(_XLSX[:-1])}
    ranked = sorted(sheets, key=lambda s: (s.name == "notes", order.get(s.name, len(order))))
    fields = {f"plan.xlsx:{_page(s.name)}": s.fields for s in ranked}
    return [*(page(s) for s in ranked), dictionary_sheet(fields)]


def page(sheet: Sheet) -> Sheet:
    """Return a sheet under the name that it has in a workbook."""
    return replace(sheet, name=_page(sheet.name))


def _write_files(run: Run, here: Path, argv: Sequence[str], html: bool) -> None:
    # here: who reads a run back needs none of it, and it takes seconds to import
    from sitepick.exports.explain import NAME as EXPLAIN
    from sitepick.exports.explain import explain_text
    from sitepick.exports.rows import SiteRows
    from sitepick.exports.sheets import run_sheets
    from sitepick.report.build import report_of
    from sitepick.report.html import html_of
    from sitepick.report.page import page_of

    assert run.solution is not None
    with stage("exports"):
        made = SiteRows(run.prepared.scenario, run.prepared.candidates, run.solution)
        sheets = run_sheets(run, made)
        dictionary = dictionary_sheet(file_fields(sheets))
        _write_text(here / RESOLVED, run.prepared.loaded.resolved_yaml)
        _write_text(here / "solution.json", run.solution.to_json())
        _write_text(here / EXPLAIN, explain_text(run, made, sheets))
    with stage("html"):
        report = report_of(run, made)
        shown = page_of(run, report, sheets, made)
        _write_text(here / REPORT, report.to_json())
        _write_text(here / PAGE, shown.to_json())
        if html:
            _write_text(here / HTML, html_of(shown))
    with stage("exports"):
        write_inputs(run.prepared.candidates, run.prepared.layers, here / INPUTS)
        _write_text(here / "solver.log", "".join(clean(line) + "\n" for line in run.outcome.log))
        for sheet in sheets:
            if sheet.name in _CSV:
                write_csv(sheet, here / _CSV[sheet.name])
            if sheet.name in _GEOJSON:
                write_geojson(sheet, here / _GEOJSON[sheet.name])
        write_gpkg(sheets, here / "plan.gpkg")
        write_xlsx(workbook(sheets, dictionary), here / "plan.xlsx")
        write_csv(dictionary, here / "data_dictionary.csv")
        for path in here.iterdir():
            to_disk(path)
    record = json.dumps(manifest(run, here, argv), indent=1, ensure_ascii=False, allow_nan=False)
    _write_text(here / MANIFEST, record + "\n")
    to_disk(here / MANIFEST)  # last: a folder with a manifest is complete


def _write_text(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="")


def to_disk(path: Path) -> None:
    """Make sure that a file is on the disk before it is moved."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def holds_something(folder: Path, *, force: bool) -> bool:
    """Return whether a target folder holds anything that ``force`` would replace.

    Raises ScenarioError where it is no folder of its own, or holds something without ``force``.
    """
    if folder.is_symlink():
        raise ScenarioError(f"{folder}: is a symbolic link; name a folder of its own")
    if not folder.exists():
        return False
    if not folder.is_dir():
        raise ScenarioError(f"{folder}: is a file; name a folder")
    if not any(folder.iterdir()):
        return False
    if not force:
        raise ScenarioError(f"{folder}: is not empty; name another folder or add --force")
    return True


def _check_target(folder: Path, force: bool) -> None:
    if not holds_something(folder, force=force):
        return
    if (folder / DIAGNOSIS).is_file() and not (folder / MANIFEST).exists():
        return
    if not (folder / MANIFEST).is_file() or not (folder / "solution.json").is_file():
        raise ScenarioError(
            f"{folder}: is not empty and no run folder; --force replaces only earlier runs"
        )


def put_in_place(here: Path, folder: Path) -> None:
    """Move the folder ``here`` to ``folder``; what stood there goes when the new one stands."""
    if not folder.exists() or not any(folder.iterdir()):
        here.replace(folder)
        return
    aside = Path(tempfile.mkdtemp(prefix=f"{TEMPORARY}{folder.name}-earlier-", dir=folder.parent))
    folder.replace(aside)
    try:
        here.replace(folder)
    except BaseException:
        aside.replace(folder)
        raise
    shutil.rmtree(aside, ignore_errors=True)


def _remove(here: Path | None) -> None:
    if here is not None:
        shutil.rmtree(here, ignore_errors=True)


def umask() -> int:
    """Return which permissions new files do not get."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
