"""`sitepick alternatives`: plans at nearly the cost of a run that differ as much as possible."""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sitepick.cli import talk
from sitepick.cli.find import run_folder
from sitepick.cli.options import Force, Json, Quiet, RunArgument, Verbose
from sitepick.cli.progress import Progress, run_with_progress
from sitepick.errors import ScenarioError

if TYPE_CHECKING:
    from sitepick.studies.alternatives import Alternatives

WHAT = "alternatives"


def alternatives(
    run: RunArgument,
    within: Annotated[
        str, typer.Option("--within", metavar="PCT", help="Cost above that of the run, e.g. 1%.")
    ] = "1%",
    count: Annotated[
        int, typer.Option("--n", min=1, max=99, metavar="N", help="Plans to look for.")
    ] = 5,
    least: Annotated[
        float | None,
        typer.Option(
            "--min-site-mw",
            min=0,
            metavar="MW",
            help="IT MW from which a site counts (default: the run's smallest site).",
        ),
    ] = None,
    time_limit: Annotated[
        float,
        typer.Option("--time-limit", min=1, metavar="S", help="Seconds for each plan."),
    ] = 90.0,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", "-o", metavar="DIR", help="Folder to write (default: RUN-alternatives)."
        ),
    ] = None,
    force: Force = False,
    json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = 0,
) -> None:
    """Find plans at nearly the cost of a run that differ from it, and from each other, as much as
    possible; say how often each site appears."""
    speaker = talk.begin(json, quiet, verbose)
    folder = run_folder(run)
    share = percent(within, "--within")
    target = out or Path(f"{folder.resolve().name}-{WHAT}")
    from sitepick.exports.study_folder import check_target

    check_target(target, WHAT, force=force)
    from sitepick.cli.reread import prepare_again
    from sitepick.exports.alternatives import alternatives_sheet, frequency_sheet, plan_name
    from sitepick.exports.folder import read_run, write_run
    from sitepick.exports.study_folder import write_study
    from sitepick.solve.outcome import Limits
    from sitepick.studies.alternatives import INTERRUPTED
    from sitepick.studies.alternatives import alternatives as find

    solved = read_run(folder)
    prepared = prepare_again(solved, speaker)
    asked = prepared.scenario.solver
    limits = Limits(asked.gap_pct / 100, time_limit, None, asked.threads, asked.seed)

    def work(progress: Progress, stop: threading.Event) -> Alternatives:
        return find(
            prepared, solved.solution, within=share, count=count, limits=limits,
            least_it_mw=least, solver=asked.name, on_progress=progress, stop=stop,
            on_plan=lambda number: speaker.detail(f"alternative {number} of {count}"),
        )  # fmt: skip

    found = run_with_progress(work, speaker, "MUSD")
    if found.stopped == INTERRUPTED and not found.found:
        speaker.complain(["interrupted before any plan was found; nothing was written"])
        raise typer.Exit(130)
    plans, sites = alternatives_sheet(prepared, found), frequency_sheet(prepared, found)

    def fill(here: Path) -> None:
        for number, made in enumerate(found.found, start=1):
            write_run(made.run, here / plan_name(number), argv=sys.argv[1:], html=False)

    write_study(
        target, WHAT, [sites, plans], force=force, argv=sys.argv[1:], fill=fill,
        record={
            "run": str(folder.resolve()), "within_pct": 100 * found.within,
            "cap_musd": found.cap_musd, "least_it_mw": found.least_it_mw,
            "facts": sorted(found.facts), "stopped": found.stopped,
        },
    )  # fmt: skip
    if json:
        speaker.answer_json(
            {
                "status": "found", "folder": str(target), "within_pct": 100 * found.within,
                "cap_musd": found.cap_musd, "least_it_mw": found.least_it_mw,
                "facts": sorted(found.facts), "stopped": found.stopped,
                "alternatives": plans.rows, "site_frequency": sites.rows,
            }
        )  # fmt: skip
    else:
        from sitepick.report.alternatives import alternatives_report
        from sitepick.report.terminal import print_tables

        print_tables(alternatives_report(found, plans, sites), speaker.console())
    speaker.say(f"written to {target}")
    failed = any(made.run.findings for made in found.found)
    raise typer.Exit(7 if failed else 0)


def percent(text: str, option: str) -> float:
    """Return ``1%`` or ``1`` as 0.01; ScenarioError unless it lies above 0 and up to 1000 %."""
    try:
        value = float(text.strip().removesuffix("%"))
    except ValueError:
        value = float("nan")
    if not 0 < value <= 1000:
        raise ScenarioError(f"{option}: {text!r} is no share: write e.g. 1% or 0.5%")
    return value / 100
