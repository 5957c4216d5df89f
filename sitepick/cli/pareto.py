"""`sitepick pareto`: what more work, an earlier date, less carbon or less water costs."""

from __future__ import annotations

import sys
import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from sitepick.cli import talk
from sitepick.cli.find import run_folder, scenario_path
from sitepick.cli.options import Force, Json, Overrides, Quiet, Verbose
from sitepick.cli.progress import Progress, run_with_progress
from sitepick.errors import ScenarioError

if TYPE_CHECKING:
    from sitepick.scenario.read import Loaded
    from sitepick.studies.pareto import Frontier

WHAT = "pareto"
AGAINST: tuple[Literal["mw", "date", "carbon", "water"], ...] = ("mw", "date", "carbon", "water")


def pareto(
    source: Annotated[
        Path, typer.Argument(metavar="SCENARIO|RUN", help="Scenario file or run folder.")
    ],
    against: Annotated[
        str, typer.Option("--against", metavar="WHAT", help="mw, date, carbon or water.")
    ] = "mw",
    points: Annotated[
        int, typer.Option("--points", min=2, max=50, metavar="N", help="Levels to solve.")
    ] = 5,
    it_mw: Annotated[
        float | None,
        typer.Option(
            "--mw",
            min=0,
            metavar="MW",
            help="With date: IT MW that stand by then (default: half of the plan's last).",
        ),
    ] = None,
    gap: Annotated[
        float | None,
        typer.Option("--gap", min=0, max=100, metavar="PCT", help="Asked gap of each point, %."),
    ] = None,
    time_limit: Annotated[
        float, typer.Option("--time-limit", min=1, metavar="S", help="Seconds for each point.")
    ] = 60.0,
    overrides: Overrides = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", "-o", metavar="DIR", help="Folder to write (default: NAME-pareto-WHAT)."
        ),
    ] = None,
    force: Force = False,
    json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = 0,
) -> None:
    """Hold cost against work served, the date of so many IT MW, carbon or water: a checked plan of
    least cost at each level, as table, chart and run folders."""
    speaker = talk.begin(json, quiet, verbose)
    what = next((name for name in AGAINST if name == against), None)
    if what is None:
        raise ScenarioError(f"--against: write one of {', '.join(AGAINST)}, not {against!r}")
    if it_mw is not None and against != "date":
        raise ScenarioError("--mw goes with --against date")
    folder = run_folder(source) if source.is_dir() else None
    path = None if folder else scenario_path(source)
    from sitepick.exports.study_folder import check_target

    name = folder.resolve().name if folder else Path(path or source).stem
    target = out or Path(f"{name}-{WHAT}-{against}")
    check_target(target, WHAT, force=force)
    from sitepick import pipeline
    from sitepick.exports.folder import read_run, write_run
    from sitepick.exports.pareto import frontier_points, pareto_sheet, point_name
    from sitepick.exports.study_folder import write_study
    from sitepick.report.pareto import pareto_report, pareto_svg
    from sitepick.solve.outcome import Limits
    from sitepick.studies.pareto import pareto as trade

    solved = read_run(folder) if folder else None
    given = tuple(overrides or ())
    file = path if solved is None else solved.scenario_path

    def reload(more: Sequence[str]) -> Loaded:
        return pipeline.load(file, [*given, *more])

    loaded = reload(())
    if solved is not None:
        loaded = replace(loaded, base=solved.base)
    prepared = pipeline.prepare(loaded, on_stage=speaker.detail)
    asked = prepared.scenario.solver
    share = asked.gap_pct / 100 if gap is None else gap / 100
    limits = Limits(share, time_limit, None, asked.threads, asked.seed)
    # with anything set, the run's plan is none of the scenario that is solved
    best = None if solved is None or given else solved.solution

    def work(progress: Progress, stop: threading.Event) -> Frontier:
        return trade(
            prepared, reload, what, points=points, limits=limits, best=best, it_mw=it_mw,
            on_progress=progress, stop=stop,
        )  # fmt: skip

    found = run_with_progress(work, speaker, "MUSD")
    if not found.points:
        speaker.complain(["no plan at any level" + (" (proven)" if not found.missing else "")])
        raise typer.Exit(4 if not found.missing else 5)
    sheet, kept = pareto_sheet(prepared, found), frontier_points(found)
    shown = pareto_report(found, sheet)

    def fill(here: Path) -> None:
        for number, point in enumerate(kept, start=1):
            write_run(point.run, here / point_name(number), argv=sys.argv[1:], html=False)
        svg = pareto_svg(found, sheet, prepared.scenario.name)
        (here / "pareto.svg").write_text(svg, encoding="utf-8", newline="")

    record = {
        "against": against,
        "it_mw": found.it_mw,
        "removed": [{"level": p.level, "why": p.dominated} for p in found.points if p.dominated],
        "impossible": list(found.impossible),
        "missing": list(found.missing),
    }
    write_study(target, WHAT, [sheet], force=force, argv=sys.argv[1:], record=record, fill=fill)
    if json:
        speaker.answer_json(
            {"status": "found", "folder": str(target), **record, "points": sheet.rows}
        )
    else:
        from sitepick.report.terminal import print_tables

        print_tables(shown, speaker.console())
    speaker.say(f"written to {target}")
    raise typer.Exit(7 if any(p.run.findings for p in kept) else 0)
