"""`sitepick report`: the terminal report of an earlier run again."""

from __future__ import annotations

from pathlib import Path

from sitepick.cli import talk
from sitepick.cli.find import run_folder
from sitepick.cli.options import Json, Quiet, RunArgument, Verbose


def report(
    run: RunArgument, json: Json = False, quiet: Quiet = False, verbose: Verbose = 0
) -> None:
    """Show the report of a run again."""
    speaker = talk.begin(json, quiet, verbose)
    folder: Path = run_folder(run)
    from sitepick.exports.folder import read_run

    solved = read_run(folder)
    if json:
        from sitepick.exports.summary import summary

        speaker.answer_json({**summary(solved), "run": str(folder)})
        return
    from sitepick.report.terminal import print_report

    print_report(solved, speaker.console())
