"""`sitepick report`: the terminal report of an earlier run again."""

from __future__ import annotations

from sitepick.cli import talk
from sitepick.cli.find import run_folder
from sitepick.cli.options import Json, Quiet, RunArgument, Verbose


def report(
    run: RunArgument, json: Json = False, quiet: Quiet = False, verbose: Verbose = 0
) -> None:
    """Show the report of a run again, as it was made."""
    speaker = talk.begin(json, quiet, verbose)
    folder = run_folder(run)
    from sitepick.exports.folder import read_run
    from sitepick.report.terminal import print_report, stored_report

    solved = read_run(folder)
    if json:
        from json import loads

        tables = loads(stored_report(solved).to_json())
        speaker.answer_json({**solved.manifest["result"], "run": str(folder), "report": tables})
        return
    print_report(solved, speaker.console())
