"""`sitepick check`: judge a run folder again, from its scenario and layers alone."""

from __future__ import annotations

import dataclasses
from typing import Any

import typer

from sitepick.cli import talk
from sitepick.cli.find import run_folder
from sitepick.cli.options import Json, Quiet, RunArgument, Verbose
from sitepick.cli.reread import changes, prepare_again


def check(run: RunArgument, json: Json = False, quiet: Quiet = False, verbose: Verbose = 0) -> None:
    """Judge the plan of a run again, sharing no code with the model; exit 7 if it is wrong."""
    speaker = talk.begin(json, quiet, verbose)
    folder = run_folder(run)
    from sitepick import pipeline
    from sitepick.exports.folder import read_run

    solved = read_run(folder)
    prepared = prepare_again(solved, speaker)
    findings = changes(solved, prepared, speaker)
    findings += pipeline.check(prepared, solved.solution)
    if json:
        record: dict[str, Any] = {
            "status": "check_failed" if findings else "verified",
            "verified": not findings,
            "findings": [dataclasses.asdict(finding) for finding in findings],
            "run": str(folder),
        }
        speaker.answer_json(record)
    elif findings:
        for finding in findings:
            speaker.answer(str(finding))
        speaker.answer(f"check failed: {len(findings)} findings")
    else:
        speaker.answer(f"{folder}: checked (arithmetic, not utility approval), nothing wrong")
    raise typer.Exit(7 if findings else 0)
