"""`sitepick breakeven`: what a plan costs by unit, and at which prices it would be another."""

from __future__ import annotations

import threading
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sitepick.cli import talk
from sitepick.cli.find import run_folder
from sitepick.cli.options import Force, Json, Quiet, RunArgument, Verbose
from sitepick.cli.progress import Progress, run_with_progress
from sitepick.errors import ScenarioError

if TYPE_CHECKING:
    from sitepick.studies.breakeven import Figure


def breakeven(
    run: RunArgument,
    units_only: Annotated[
        bool, typer.Option("--units-only", help="Unit costs alone: nothing is solved.")
    ] = False,
    steps: Annotated[
        int,
        typer.Option("--steps", min=1, max=20, metavar="N", help="Halvings of a price's interval."),
    ] = 4,
    time_limit: Annotated[
        float, typer.Option("--time-limit", min=1, metavar="S", help="Seconds for each solve.")
    ] = 30.0,
    csv: Annotated[
        Path | None, typer.Option("--csv", metavar="FILE", help="Write the figures as CSV.")
    ] = None,
    force: Force = False,
    json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = 0,
) -> None:
    """Say what a plan costs per MW-year, kW-month and reference-hour, at which price of turned-away
    work it would be another plan, and what power one year earlier is worth per MWh."""
    speaker = talk.begin(json, quiet, verbose)
    folder = run_folder(run)
    if csv is not None and csv.exists() and not force:
        raise ScenarioError(f"{csv}: exists; name another file or add --force")
    from sitepick.cli.reread import prepare_again
    from sitepick.exports.csv_out import write_csv
    from sitepick.exports.folder import read_run
    from sitepick.report.breakeven import breakeven_report, breakeven_sheet
    from sitepick.scenario.read import read_scenario
    from sitepick.solve.outcome import Limits
    from sitepick.studies.breakeven import BreakEvens, unit_costs

    solved = read_run(folder)
    figures = unit_costs(read_scenario(solved.scenario_path).scenario, solved.solution)
    if not units_only:
        prepared = prepare_again(solved, speaker)
        asked = prepared.scenario.solver
        limits = Limits(asked.gap_pct / 100, time_limit, None, asked.threads, asked.seed)

        def work(progress: Progress, stop: threading.Event) -> tuple[Figure, ...]:
            study = BreakEvens(prepared, solved.solution, limits, progress, stop)
            return (*study.earlier(), *study.prices(steps))

        figures += run_with_progress(work, speaker, "MUSD")
    if csv is not None:
        write_csv(breakeven_sheet(figures), csv)
        speaker.say(f"written: {csv}")
    if json:
        record = [asdict(f) for f in figures]
        speaker.answer_json({"status": "found", "run": str(folder), "figures": record})
        return
    from sitepick.report.terminal import print_tables

    print_tables(breakeven_report(figures, str(folder)), speaker.console())
