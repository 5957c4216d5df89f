"""A run folder back to what the verbs work on: its own scenario, its layers, its plan."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from sitepick.finding import Finding

if TYPE_CHECKING:
    from sitepick.cli.talk import Talk
    from sitepick.exports.folder import RunFolder
    from sitepick.run import Prepared

JUDGED = ("scenario.resolved.yaml", "solution.json")
"""Files of a run that say what the plan is; the others are made from them."""


def prepare_again(run: RunFolder, talk: Talk) -> Prepared:
    """Read the scenario of a run and its layers again, from where they were."""
    from sitepick import pipeline

    loaded = replace(pipeline.load(run.scenario_path), base=run.base)
    return pipeline.prepare(loaded, on_stage=talk.detail)


def changed_plan(run: RunFolder, talk: Talk) -> list[Finding]:
    """Return which of the files that hold the plan are no longer as the manifest says.

    Files made from the plan may change (QGIS touches a GeoPackage it opens): that is only said.
    """
    from sitepick.exports.folder import changed_outputs

    found = []
    for name in changed_outputs(run):
        if name in JUDGED:
            found.append(Finding("run.output", name, 1, "file", "changed since sitepick wrote it"))
        else:
            talk.say(f"note: {Path(run.path) / name} changed since sitepick wrote it")
    return found


def changes(run: RunFolder, prepared: Prepared, talk: Talk) -> list[Finding]:
    """Return what is no longer as the manifest says: inputs, and the files that hold the plan."""
    found = changed_plan(run, talk)
    stated = {(i["role"], i["path"]): i["sha256"] for i in run.manifest["inputs"]}
    sources = (*prepared.layers.sources, *prepared.candidates.sources)  # as the manifest has them
    now = {(s.role, s.path): s.sha256 for s in sources}
    for role, path in sorted(stated.keys() | now.keys()):
        before, after = stated.get((role, path)), now.get((role, path))
        if before == after:
            continue
        what = "changed since the plan was made" if before and after else "was not the same list"
        key = "grid" if role == "grid" else f"layers.{role}"
        found.append(Finding("run.input", f"{key}: {path}", 1, "file", what))
    return found
