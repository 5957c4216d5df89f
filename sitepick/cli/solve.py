"""`sitepick solve`: from a scenario to a checked plan in a run folder."""

from __future__ import annotations

import os
import re
import sys
import threading
from importlib import import_module
from json import dumps as json_text
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sitepick import profiling
from sitepick.cli import talk
from sitepick.cli.find import run_folder, scenario_path
from sitepick.cli.options import Force, Json, NoCache, Overrides, Quiet, ScenarioArgument, Verbose
from sitepick.cli.progress import Progress, run_with_progress
from sitepick.errors import ScenarioError

if TYPE_CHECKING:
    from sitepick.cli.talk import Talk
    from sitepick.run import Prepared, Run

UNIT = {"min_cost": "MUSD", "max_compute": "ref_mw-years", "earliest_mw": "MW-years"}
"""Unit of the objective while it is sought, by ``objective:``."""
MOST_FINDINGS = 8
"""How many findings are printed after a solve; `sitepick check` prints all."""
_CAUSES = 5
_WRITERS = (
    "sitepick.exports.sheets",
    "sitepick.exports.explain",
    "sitepick.report.build",
    "pyogrio",
)
_DRAWERS = ("sitepick.report.bokeh_json", "sitepick.report.draw_charts", "sitepick.report.draw_map")


def solve(
    scenario: ScenarioArgument = None,
    overrides: Overrides = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            metavar="DIR",
            help="Run folder (default: runs/NAME-1, -2, ...); without a plan, why there is none.",
        ),
    ] = None,
    force: Force = False,
    gap: Annotated[
        float | None,
        typer.Option("--gap", min=0, max=100, metavar="PCT", help="Asked gap, %."),
    ] = None,
    time_limit: Annotated[
        float | None,
        typer.Option("--time-limit", min=0, metavar="S", help="Seconds of solving."),
    ] = None,
    work_limit: Annotated[
        float | None,
        typer.Option("--work-limit", min=0, metavar="N", help="Reproducible limit of work."),
    ] = None,
    threads: Annotated[
        int | None, typer.Option("--threads", min=1, max=256, metavar="N", help="Threads.")
    ] = None,
    seed: Annotated[
        int | None, typer.Option("--seed", min=0, metavar="N", help="Random seed.")
    ] = None,
    solver: Annotated[
        str | None,
        typer.Option("--solver", metavar="NAME", help="highs, cbc, scip, cp-sat, or PuLP's name."),
    ] = None,
    exact: Annotated[
        bool, typer.Option("--exact", help="Hand the whole problem to the solver at once.")
    ] = False,
    start: Annotated[
        Path | None, typer.Option("--from", metavar="RUN", help="Start from an earlier run.")
    ] = None,
    baseline: Annotated[
        Path | None,
        typer.Option(
            "--baseline", metavar="RUN", help="Keep what the gap allows of this run's plan."
        ),
    ] = None,
    fix: Annotated[
        Path | None,
        typer.Option(
            "--fix", metavar="FILE", help="Table of my plan: price it, or fix part of it."
        ),
    ] = None,
    only: Annotated[
        bool, typer.Option("--only", help="With --fix: nothing but what the file names.")
    ] = False,
    write_lp: Annotated[
        Path | None,
        typer.Option("--write-lp", metavar="FILE", help="Write the model as LP and do not solve."),
    ] = None,
    write_mps: Annotated[
        Path | None,
        typer.Option(
            "--write-mps", metavar="FILE", help="Write the model as MPS and do not solve."
        ),
    ] = None,
    no_report: Annotated[
        bool, typer.Option("--no-report", help="Leave out report.html; `report` writes it later.")
    ] = False,
    no_cache: NoCache = False,
    profile: Annotated[
        bool, typer.Option("--profile", help="Show seconds and memory by stage.")
    ] = False,
    json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = 0,
) -> None:
    """Find a plan, check it, and write it with a proven gap to a run folder."""
    speaker = talk.begin(json, quiet, verbose)
    if only and fix is None:
        raise ScenarioError("--only goes with --fix FILE")
    if fix is not None and not fix.is_file():
        raise ScenarioError(f"{fix}: no such file")
    if out is not None and out.exists() and not force and not _empty_folder(out):
        raise ScenarioError(f"{out}: exists; name another folder or add --force")
    earlier = run_folder(start) if start is not None else None
    path = scenario_path(scenario)
    models = _model_files(write_lp, write_mps, force)
    from sitepick import pipeline

    changed = list(overrides or ())
    if baseline is not None:
        changed.append(_named(run_folder(baseline), path))
    profiling.end()  # of an earlier command in this process
    if profile:
        profiling.begin()
    loaded = pipeline.load(path, changed)
    prepared = pipeline.prepare(loaded, on_stage=speaker.detail)
    if models:
        _write_models(prepared, models, speaker)
        return

    ahead = threading.Thread(target=_load_ahead, args=(not no_report,), daemon=True)

    def work(progress: Progress, stop: threading.Event) -> Run:
        def tell(stage: str, *figures: float) -> None:
            if stage == "mip" and ahead.ident is None:
                ahead.start()
            progress(stage, *figures)

        return pipeline.solve(
            prepared, gap=None if gap is None else gap / 100, time_limit_s=time_limit,
            work_limit=work_limit, threads=threads, seed=seed, solver=solver, exact=exact,
            start=earlier, fix=fix, fix_only=only, on_progress=tell, stop=stop,
        )  # fmt: skip

    run = run_with_progress(work, speaker, UNIT[loaded.scenario.objective])
    folder = None
    if run.solution is not None:
        from sitepick.exports.folder import write_run

        folder = out or next_folder(loaded.scenario.name)
        write_run(run, folder, force=force, argv=sys.argv[1:], html=not no_report)
    _answer(run, folder, speaker, no_report)
    for line in profile_lines(run) if profile else ():
        speaker.say(line)
    if out is not None and exit_code(run) == 4:
        from sitepick.exports.diagnosis import write_diagnosis

        write_diagnosis(run, out, infeasible_lines(run), force=force, argv=sys.argv[1:])
        speaker.say(f"no plan, so no run folder; why is written to {out}")
    raise typer.Exit(exit_code(run))


def _load_ahead(html: bool) -> None:
    """Load what writes the run while the solver, which does not need Python, is at work."""
    for name in (*_WRITERS, *(_DRAWERS if html else ())):
        import_module(name)


def profile_lines(run: Run) -> list[str]:
    """Return what was measured as a table; parts of solving are told by the solver, in seconds."""
    lines = [f"{'stage':<14}{'seconds':>10}{'CPU s':>10}{'peak MB':>10}"]
    for s in profiling.stages() or ():
        lines.append(f"{s.name:<14}{s.seconds:>10.2f}{s.cpu_s:>10.2f}{s.peak_mb:>10,.0f}")
        if s.name == "solving":
            parts = ((k, v) for k, v in run.outcome.seconds.items() if k != "total")
            lines += [f"  {name:<12}{seconds:>10.2f}" for name, seconds in parts]
    return lines


def _named(earlier: Path, scenario: Path) -> str:
    """Return the override that names a run folder as the baseline of a scenario file."""
    try:
        path = os.path.relpath(earlier.resolve(), scenario.resolve().parent)
    except ValueError:  # on another drive
        path = str(earlier.resolve())
    return f"baseline={json_text(Path(path).as_posix())}"


def exit_code(run: Run) -> int:
    """Return the exit code that a run deserves."""
    if run.solution is not None:
        return 7 if run.findings else 0
    if run.outcome.status == "infeasible":
        return 4
    return 130 if run.outcome.interrupted else 5


def next_folder(name: str) -> Path:
    """Return the first free runs/NAME-n; a name never leaves the folder ``runs``."""
    slug = re.sub(r"[^\w-]+", "-", name).strip("-_")[:60] or "plan"
    number = 1
    while (Path("runs") / f"{slug}-{number}").exists():
        number += 1
    return Path("runs") / f"{slug}-{number}"


def infeasible_lines(run: Run) -> list[str]:
    """Say what is missing, what limits it, and what would give a plan."""
    lines = ["infeasible: no plan satisfies the scenario", *shortfall_lines(run)]
    causes = list(dict.fromkeys(text for s in run.shortfall for text in s.limited_by))
    if causes:
        more = f" and {len(causes) - _CAUSES} more" if len(causes) > _CAUSES else ""
        lines.append(f"  what limits it: {', '.join(causes[:_CAUSES])}{more}")
    on_grid = any(text.startswith("grid: ") for text in causes)
    if on_grid:
        lines.append(
            "  the grid does not carry it: more POIs elsewhere, `grid.upgrades`, a later date, or"
            " `must_serve: false` would make it feasible"
        )
    if run.diagnosis is not None:
        from sitepick.report.diagnosis import diagnosis_lines

        return lines + diagnosis_lines(run.diagnosis)
    if on_grid:
        return lines
    if run.shortfall:
        lines.append("  more dated MW, a later date, or `must_serve: false` would make it feasible")
    else:
        lines.append(
            "  the demand is not what fails: look at required sites, commitments, minimum sizes,"
            " region minima, `limits`, and what `--fix` holds"
        )
    return lines


def shortfall_lines(run: Run) -> list[str]:
    """Say what is missing, in IT and grid MW, and from when."""
    lines = []
    unit = "IT MW" if run.prepared.scenario.hardware == "none" else "ref_mw"
    before: dict[tuple[str, str], tuple[float, float]] = {}
    for s in run.shortfall:
        key, amounts = (s.workload, s.place_id), (s.asked_ref_mw, s.missing_ref_mw)
        if before.get(key) == amounts:  # as in the period before
            continue
        before[key] = amounts
        who = "demand" if s.workload == "it" else s.workload
        place = "" if s.place_id == "anywhere" else f" at {s.place_id}"
        lines.append(
            f"  from {s.period}: {who}{place} is {s.asked_ref_mw:,.1f} {unit}, short by "
            f"{s.missing_ref_mw:,.1f} {unit} = {s.missing_grid_mw:,.1f} grid MW (design day)"
        )
    return lines


def _answer(run: Run, folder: Path | None, speaker: Talk, no_report: bool) -> None:
    code = exit_code(run)
    if speaker.json:
        from sitepick.exports.summary import summary

        speaker.answer_json(summary(run, folder))
    elif run.solution is not None:
        from sitepick.report.terminal import print_report

        print_report(run, speaker.console(), folder)
    if code == 4:
        speaker.complain(infeasible_lines(run))
    elif code in (5, 130):
        said = "interrupted" if code == 130 else "the limit of time or work ended the search"
        told = [f"no plan: {said} before any plan was found; nothing was written"]
        if run.shortfall:
            told.append("nearest to a plan that was found, with work turned away:")
        speaker.complain([*told, *shortfall_lines(run)])
    elif code == 7:
        told = [str(finding) for finding in run.findings[:MOST_FINDINGS]]
        more = len(run.findings) - len(told)
        told += [f"... and {more} more: `sitepick check {folder}`"] if more else []
        speaker.complain(["check failed: the plan breaks its own scenario", *told])
    if folder is not None:
        page = "" if no_report else "; its report.html opens in any browser"
        speaker.say(f"written to {folder}{page}")


def _model_files(lp: Path | None, mps: Path | None, force: bool) -> list[Path]:
    """Return the model files to write; refuse, before any work, what cannot be."""
    asked = [(lp, ".lp"), (mps, ".mps")]
    for path, suffix in asked:
        if path is not None and path.suffix.lower() != suffix:
            raise ScenarioError(f"{path}: the name must end in {suffix}")
        if path is not None and path.exists() and not force:
            raise ScenarioError(f"{path}: exists; name another file or add --force")
    return [path for path, _ in asked if path is not None]


def _empty_folder(path: Path) -> bool:
    return path.is_dir() and not any(path.iterdir())


def _write_models(prepared: Prepared, paths: list[Path], speaker: Talk) -> None:
    from sitepick.blocks import GOALS, build
    from sitepick.blocks.ledger import NPC_TERMS
    from sitepick.instance import assemble
    from sitepick.solve.write import write_model

    scenario = prepared.scenario
    program, _ = build(assemble(scenario, prepared.candidates))
    program.minimise((GOALS[scenario.objective],) if scenario.objective in GOALS else NPC_TERMS)
    for path in paths:
        write_model(program, path)
        speaker.say(f"written: {path}")
    if speaker.json:
        speaker.answer_json({"status": "written", "files": [str(path) for path in paths]})
