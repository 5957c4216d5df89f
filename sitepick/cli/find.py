"""Find the file or folder a user means, or say what lies nearby."""

from __future__ import annotations

import difflib
from pathlib import Path

from sitepick.errors import ScenarioError

SUFFIXES = (".yaml", ".yml")


def scenario_path(given: Path | None) -> Path:
    """Return the scenario to read. Raises ScenarioError when there is none or more than one."""
    if given is not None:
        if given.is_dir():
            inside = given / "sitepick.yaml"
            hint = f"; did you mean {inside}?" if inside.is_file() else ""
            raise ScenarioError(f"{given}: is a folder; a YAML scenario is expected{hint}")
        if not given.exists():
            raise ScenarioError(f"{given}: no such file.{nearby(given, SUFFIXES)}")
        return given
    if Path("sitepick.yaml").is_file():
        return Path("sitepick.yaml")
    here = sorted(p for p in Path().iterdir() if p.suffix in SUFFIXES and p.is_file())
    if len(here) == 1:
        return here[0]
    if not here:
        raise ScenarioError(
            "no scenario given and no *.yaml here; name one, or start with `sitepick init`"
        )
    names = ", ".join(p.name for p in here[:6]) + (", ..." if len(here) > 6 else "")
    raise ScenarioError(f"{len(here)} scenarios here: name one of {names}")


def run_folder(given: Path) -> Path:
    """Return a run folder. Raises ScenarioError when ``given`` is none."""
    if not given.exists():
        hint = nearby(given, ()) or _runs_below(Path("runs"))
        raise ScenarioError(f"{given}: no such run folder.{hint}")
    if given.is_file():
        if given.name in ("solution.json", "manifest.json"):
            return given.parent
        if given.name in ("diagnosis.json", "diagnosis.txt"):
            refuse_diagnosis(given.parent)
        raise ScenarioError(f"{given}: is a file; the run folder is expected")
    refuse_diagnosis(given)
    if not (given / "manifest.json").is_file():
        raise ScenarioError(
            f"{given}: is no run folder (no manifest.json); `sitepick solve` makes one."
            f"{_runs_below(given)}"
        )
    return given


def refuse_diagnosis(folder: Path) -> None:
    """Raise ScenarioError where a folder holds why there is no plan, and so no plan."""
    if (folder / "diagnosis.json").is_file() and not (folder / "manifest.json").exists():
        raise ScenarioError(
            f"{folder}: holds the diagnosis of a scenario without a plan, not a plan; read "
            f"{folder / 'diagnosis.txt'}"
        )


def nearby(missing: Path, suffixes: tuple[str, ...]) -> str:
    """Return ' Nearby: ...' for files beside ``missing`` that look alike, else ''."""
    folder = missing.parent
    if not folder.is_dir():
        return f" The folder {folder} does not exist."
    names = [p.name for p in folder.iterdir() if not p.name.startswith(".")]
    close = difflib.get_close_matches(missing.name, names, n=3, cutoff=0.6)
    same_stem = [n for n in names if Path(n).stem == missing.stem and n not in close]
    others = [n for n in sorted(names) if Path(n).suffix in suffixes]
    found = list(dict.fromkeys([*close, *same_stem, *others]))[:3]
    return f" Nearby: {', '.join(str(folder / n) for n in found)}" if found else ""


def _runs_below(folder: Path) -> str:
    if not folder.is_dir():
        return ""
    runs = sorted(p.parent.name for p in folder.glob("*/manifest.json"))[-3:]
    return f" Nearby: {', '.join(str(folder / n) for n in runs)}" if runs else ""
