"""`sitepick check`: judge a run folder again, from its scenario and layers alone."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Annotated, Any

import typer

from sitepick.cli import talk
from sitepick.cli.find import run_folder
from sitepick.cli.options import Json, Quiet, RunArgument, Verbose
from sitepick.cli.reread import changed_plan, changes, prepare_again

Against = Annotated[
    Path | None,
    typer.Option(
        "--against",
        metavar="SCENARIO",
        help="Judge by the limits of this scenario instead, of the same periods and sites.",
        show_default=False,
    ),
]


def check(
    run: RunArgument,
    against: Against = None,
    json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = 0,
) -> None:
    """Judge the plan of a run again, sharing no code with the model; exit 7 if it is wrong."""
    speaker = talk.begin(json, quiet, verbose)
    folder = run_folder(run)
    from sitepick import pipeline
    from sitepick.exports.folder import read_run

    solved = read_run(folder)
    record: dict[str, Any] = {"run": str(folder)}
    if against is None:
        prepared = prepare_again(solved, speaker)
        findings = changes(solved, prepared, speaker)
        findings += pipeline.check(prepared, solved.solution)
        findings += pipeline.check_actions(prepared, solved.solution, solved.path)
        lines = []
    else:
        other = pipeline.prepare(pipeline.load(against), on_stage=speaker.detail)
        wrong, over = pipeline.check_against(other, solved.solution)
        findings = changed_plan(solved, speaker) + wrong
        record |= {"against": str(against), "over": [dataclasses.asdict(row) for row in over]}
        lines = [
            f"{row.condition}, {row.period}: {row.new_load_mw:,.1f} MW drawn, "
            f"{row.over_mw:,.1f} MW over the limits of {row.branches:,} branches (without the plan "
            f"{row.over_before_mw:,.1f} MW of {row.branches_before:,})"
            for row in over
        ]
    if json:
        record |= {
            "status": "check_failed" if findings else "verified",
            "verified": not findings,
            "findings": [dataclasses.asdict(finding) for finding in findings],
        }
        speaker.answer_json(record)
        raise typer.Exit(7 if findings else 0)
    for line in lines:
        speaker.answer(line)
    for finding in findings:
        speaker.answer(str(finding))
    if findings:
        speaker.answer(f"check failed: {len(findings)} findings")
    else:
        by = "" if against is None else f" by {against}"
        speaker.answer(f"{folder}: checked{by} (arithmetic, not utility approval), nothing wrong")
    raise typer.Exit(7 if findings else 0)
