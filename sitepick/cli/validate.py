"""`sitepick validate`: is the scenario right, and what was understood of it?"""

from __future__ import annotations

from typing import Annotated, Any

import typer

from sitepick.cli import talk
from sitepick.cli.describe import describe
from sitepick.cli.find import scenario_path
from sitepick.cli.options import Json, Overrides, Quiet, ScenarioArgument, Verbose


def validate(
    scenario: ScenarioArgument = None,
    overrides: Overrides = None,
    layers: Annotated[bool, typer.Option("--layers", help="Also read the input files.")] = False,
    json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = 0,
) -> None:
    """Check a scenario and say what was understood; with --layers also its input files."""
    speaker = talk.begin(json, quiet, verbose)
    path = scenario_path(scenario)
    from sitepick import pipeline

    loaded = pipeline.load(path, overrides or ())
    understood = describe(loaded.scenario)
    record: dict[str, Any] = {"status": "valid", "understood": dict(understood)}
    if layers:
        read = pipeline.read_layers(loaded)
        record["files"] = [
            {"role": s.role, "file": s.path, "rows_read": s.rows_read, "rows_used": s.rows_used}
            for s in read.sources
        ]
        record["notes"] = [
            {"role": n.role, "code": n.code, "message": n.message} for n in read.notes
        ]
    if json:
        speaker.answer_json(record)
        return
    width = max(len(name) for name, _ in understood)
    for name, text in understood:
        speaker.answer(f"{name:<{width}}  {text}")
