"""`sitepick compare`: which input changed which MW of which site."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from sitepick.cli import talk
from sitepick.cli.find import run_folder
from sitepick.cli.options import Force, Json, Quiet, Verbose
from sitepick.errors import ScenarioError


def compare(
    runs: Annotated[
        list[Path], typer.Argument(metavar="RUN RUN...", help="Run folders; the first is the base.")
    ],
    csv: Annotated[
        Path | None,
        typer.Option("--csv", metavar="FILE", help="Write all differences as CSV."),
    ] = None,
    force: Force = False,
    json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = 0,
) -> None:
    """Say what differs between runs: inputs, sites, dates, money; or that it is within the gap."""
    speaker = talk.begin(json, quiet, verbose)
    if len(runs) < 2:
        raise ScenarioError("compare needs two run folders or more")
    if csv is not None and csv.exists() and not force:
        raise ScenarioError(f"{csv}: exists; name another file or add --force")
    folders = [run_folder(run) for run in runs]
    from sitepick.exports.compare import compare as compared
    from sitepick.exports.compare import comparison_sheet
    from sitepick.exports.csv_out import write_csv
    from sitepick.exports.folder import read_run

    first, *others = (read_run(folder) for folder in folders)
    found = [compared(first, other) for other in others]
    if csv is not None:
        write_csv(comparison_sheet(found), csv)
        speaker.say(f"written: {csv}")
    if json:
        record: dict[str, Any] = {"status": "compared", "comparisons": [asdict(c) for c in found]}
        for one in record["comparisons"]:
            for change in one["inputs"]:
                change["names"] = sorted(change["names"])
        speaker.answer_json(record)
        return
    from sitepick.report.compare import comparison_headline, comparison_tables
    from sitepick.report.tables import Report
    from sitepick.report.terminal import print_tables

    for one in found:
        report = Report(comparison_headline(one), comparison_tables(one), {})
        print_tables(report, speaker.console())
