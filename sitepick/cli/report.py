"""`sitepick report`: the report of an earlier run again, in the terminal and as `report.html`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sitepick.cli import talk
from sitepick.cli.find import run_folder
from sitepick.cli.options import Force, Json, Quiet, RunArgument, Verbose


def report(
    run: RunArgument,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", "-o", metavar="FILE", help="HTML file to write (default: RUN/report.html)."
        ),
    ] = None,
    force: Force = False,
    json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = 0,
) -> None:
    """Show the report of a run again, and write report.html: one file that needs no server."""
    speaker = talk.begin(json, quiet, verbose)
    folder = run_folder(run)
    from sitepick.exports.folder import HTML, read_run
    from sitepick.report.stored import page_text, write_page
    from sitepick.report.terminal import print_report, stored_report

    solved = read_run(folder)
    shown = stored_report(solved)
    page = out or folder / HTML
    write_page(page_text(solved), page, force=force or out is None)
    if json:
        from json import loads

        tables = loads(shown.to_json())
        speaker.answer_json(
            {**solved.manifest["result"], "run": str(folder), "html": str(page), "report": tables}
        )
        return
    print_report(solved, speaker.console())
    speaker.say(f"written: {page}")
