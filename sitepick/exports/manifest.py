"""`manifest.json`: what made this run. The only file, but the log, with times and paths."""

from __future__ import annotations

import hashlib
import math
import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sitepick import __version__
from sitepick.exports.gpkg_out import tables_sha256
from sitepick.exports.sheet import plain
from sitepick.profiling import records

if TYPE_CHECKING:
    from sitepick.run import Run

SCHEMA = 1
NAME = "manifest.json"
_PACKAGES = (
    "geopandas", "highspy", "numpy", "openpyxl", "ortools", "pandas", "pulp", "pydantic", "pyogrio",
    "pyproj", "ruamel.yaml", "scipy", "shapely",
)  # fmt: skip


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def manifest(run: Run, folder: Path, argv: Sequence[str]) -> dict[str, Any]:
    """Return the manifest of a run whose other files are in ``folder`` already."""
    from sitepick.exports.sheets import NOT_CHECKED, OBJECTIVE_UNIT, SYNTHETIC

    solution, outcome, scenario = run.solution, run.outcome, run.prepared.scenario
    assert solution is not None
    loaded = run.prepared.loaded
    files = sorted(p for p in folder.iterdir() if p.name != NAME)
    sources = (*run.prepared.layers.sources, *run.prepared.candidates.sources)
    synthetic = run.prepared.candidates.synthetic
    return {
        "schema": SCHEMA,
        "what": "sitepick run",
        "written_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": {
            "sitepick": __version__,
            "python": platform.python_version(),
            "solver": f"{outcome.solver} {outcome.version}".strip(),
            **_package_versions(),
        },
        "argv": [plain(a) for a in argv],
        "scenario": {
            "name": plain(scenario.name),
            "path": None if loaded.path is None else str(loaded.path),
            "base": str(loaded.base.resolve()),  # what the layers' paths are relative to
            "sha256": loaded.sha256,
        },
        "inputs": [
            {
                "role": s.role, "path": s.path, "sha256": s.sha256, "size_bytes": s.size_bytes,
                "rows_read": s.rows_read, "rows_used": s.rows_used, "licence": s.licence,
                "synthetic": s.synthetic,
            }
            for s in dict.fromkeys(sources)
        ],
        "solver": {
            "asked": scenario.solver.name,
            "seed": scenario.solver.seed,
            "threads": scenario.solver.threads,
            "gap_pct": scenario.solver.gap_pct,
            "time_limit_s": scenario.solver.time_limit_s,
            "work_limit": scenario.solver.work_limit,
            "work": outcome.work,
            "interrupted": outcome.interrupted,
        },
        "result": {
            "status": solution.status,
            "objective_name": solution.objective_name,
            "objective": solution.objective,
            "bound": finite(solution.bound),
            "unit": OBJECTIVE_UNIT[scenario.objective],
            "gap": finite(solution.gap),
            "gap_without_penalty": finite(solution.gap_without_penalty),
            "bound_certified": solution.bound_certified,
            "verified": not run.findings,
            "findings": [str(f) for f in run.findings],
        },
        "not_checked": NOT_CHECKED,
        "synthetic": SYNTHETIC if synthetic else None,
        "seconds": all_seconds(run),
        **({} if (profile := records()) is None else {"profile": profile}),
        "outputs": {p.name: _described(p) for p in files},
    }  # fmt: skip


def _described(path: Path) -> dict[str, Any]:
    told: dict[str, Any] = {"sha256": sha256_of(path), "size_bytes": path.stat().st_size}
    return told | ({"tables_sha256": tables_sha256(path)} if path.suffix == ".gpkg" else {})


def finite(value: float) -> float | None:
    """Return ``value``, or None for nan and infinities, which JSON cannot hold."""
    return float(value) if math.isfinite(value) else None


def all_seconds(run: Run) -> dict[str, float]:
    """Return wall-clock seconds by stage, in the order they were spent."""
    spent = {**run.prepared.seconds, **run.outcome.seconds, **run.seconds}
    return {stage: round(float(s), 3) for stage, s in spent.items()}


def _package_versions() -> dict[str, str]:
    found = {}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:  # pragma: no cover (an optional solver)
            continue
    return found
