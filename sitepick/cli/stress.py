"""`sitepick stress`: the plan of a run held in other futures, and what it costs and strands."""

from __future__ import annotations

import json as json_module
import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sitepick.cli import talk
from sitepick.cli.find import run_folder
from sitepick.cli.options import Force, Json, Quiet, RunArgument, Verbose
from sitepick.errors import ScenarioError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sitepick.exports.sheet import Sheet
    from sitepick.report.tables import Report
    from sitepick.stress_runs import Asked, Study, Task

WHAT = "stress"


def stress(
    run: RunArgument,
    hold: Annotated[
        str,
        typer.Option(
            "--hold",
            metavar="MONTHS",
            help="Decisions due within so many months hold (and all, beside); all: only these.",
        ),
    ] = "12",
    futures: Annotated[
        str | None,
        typer.Option("--futures", metavar="A,B", help="Only these (default: all that apply)."),
    ] = None,
    regret: Annotated[
        bool,
        typer.Option("--regret", help="Solve each future with nothing held too; takes longer."),
    ] = False,
    gap: Annotated[
        float | None,
        typer.Option(
            "--gap", min=0, max=100, metavar="PCT", help="Asked gap, % (default: the scenario's)."
        ),
    ] = None,
    time_limit: Annotated[
        float,
        typer.Option("--time-limit", min=1, metavar="S", help="Seconds for each solve."),
    ] = 120.0,
    processes: Annotated[
        int | None,
        typer.Option("--processes", min=1, max=256, metavar="N", help="Default: one per core."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="DIR", help="Folder to write (default: RUN-stress)."),
    ] = None,
    force: Force = False,
    json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = 0,
) -> None:
    """Hold a plan in other futures: late letters, a lost POI, other demand, late chips, dearer
    works, your own. A run that was stopped continues where it was; --force begins again."""
    speaker = talk.begin(json, quiet, verbose)
    months = _months(hold)
    folder = run_folder(run)
    target = out or Path(f"{folder.resolve().name}-{WHAT}")
    from sitepick.exports.study_folder import check_target

    check_target(target, WHAT, force=force)
    from sitepick.exports.stress import stress_sheets
    from sitepick.stress_runs import Asked, Study, forget, parts_of, solve_all

    only = tuple(name.strip() for name in (futures or "").split(",") if name.strip())
    share = _gap(folder) if gap is None else gap / 100
    asked = Asked(folder.resolve(), months, share, time_limit, _seed(folder), regret, only)
    study = Study(asked, speaker.detail)
    tasks = [study.task(future) for future in study.futures.solved]
    if not tasks:
        raise ScenarioError("no future applies to this plan")
    if force:
        forget(target)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        records = solve_all(
            asked, tasks, parts_of(target), processes=processes or os.cpu_count() or 1,
            told=lambda done: speaker.say(f"{done} of {len(tasks)} futures done"),
        )  # fmt: skip
    except KeyboardInterrupt:
        speaker.complain(["interrupted: finished futures are kept, the same command continues"])
        raise typer.Exit(130) from None
    except OSError as error:
        raise ScenarioError(f"{target}: cannot be written: {error.strerror or error}") from error
    plan = study.unstressed()
    sheets = stress_sheets(study.prepared, plan, records)
    answer = _answer(study, plan, records)
    report = _report(sheets, study, records)
    page = _page(study, sheets, report)
    _write(target, sheets, answer, asked, tasks, force, page)
    forget(target)
    if json:
        speaker.answer_json({"status": "found", "folder": str(target), **answer})
    else:
        from sitepick.report.terminal import print_tables

        print_tables(report, speaker.console())
    speaker.say(f"written to {target}")
    failed = any(p["verified"] is False for record in records for p in record["plans"])
    raise typer.Exit(7 if failed else 0)


def _months(text: str) -> int | None:
    """Return the months of ``--hold``; None for all. Raises ScenarioError."""
    if text.strip() == "all":
        return None
    if not text.strip().isdigit() or int(text) > 600:
        raise ScenarioError(f"--hold: {text!r} is no number of months from 0 to 600, nor 'all'")
    return int(text)


def _gap(folder: Path) -> float:
    from sitepick.exports.folder import read_run

    return float(read_run(folder).manifest["solver"]["gap_pct"]) / 100


def _seed(folder: Path) -> int:
    from sitepick.exports.folder import read_run

    return int(read_run(folder).manifest["solver"]["seed"])


def _answer(study: Study, plan: dict[str, Any], records: list[dict[str, Any]]) -> dict[str, Any]:
    """Return what `stress.json` and ``--json`` say: no times, no paths."""
    return {
        "schema": 1,
        "hold_months": study.asked.months,
        "gap_pct": 100 * study.asked.gap,
        "regret": study.asked.regret,
        "synthetic": study.prepared.candidates.synthetic,
        "left_out": [{"future": name, "why": why} for name, why in study.futures.left_out],
        "plan": plan,
        "futures": [{k: v for k, v in record.items() if k != "key"} for record in records],
    }


def _write(
    target: Path, sheets: Sequence[Sheet], answer: dict[str, Any], asked: Asked,
    tasks: Sequence[Task], force: bool, page: str,
) -> None:  # fmt: skip
    from sitepick.exports.study_folder import write_study
    from sitepick.stress_runs import parts_of, run_folder

    def fill(here: Path) -> None:
        text = json_module.dumps(talk.plain(answer), indent=1, ensure_ascii=False, allow_nan=False)
        (here / "stress.json").write_text(text + "\n", encoding="utf-8", newline="")
        (here / "report.html").write_text(page, encoding="utf-8", newline="")
        for task in tasks:
            for hold in asked.written:
                name = task.future.name + ("-free" if hold == "none" else "")
                made = run_folder(parts_of(target), task, hold)
                if made.is_dir():
                    shutil.copytree(made, here / name)

    write_study(
        target, WHAT, sheets, force=force, argv=sys.argv[1:], fill=fill,
        record={
            "run": str(asked.run), "hold_months": asked.months, "gap_pct": 100 * asked.gap,
            "time_limit_s": asked.time_limit_s, "seed": asked.seed, "regret": asked.regret,
        },
    )  # fmt: skip


def _report(
    sheets: Sequence[Sheet], study: Study, records: list[dict[str, Any]]
) -> Report:  # fmt: skip
    from sitepick.report.stress import stress_report

    lacking = {
        f"{record['future']} ({plan['hold']})": plan["lacking"]
        for record in records
        for plan in record["plans"]
        if "objective" not in plan
    }
    return stress_report(sheets, study.asked.months, study.futures.left_out, lacking)


def _page(study: Study, sheets: Sequence[Sheet], report: Report) -> str:
    from sitepick.exports.sheets import NOT_CHECKED, SYNTHETIC
    from sitepick.report.stress_html import stress_html

    synthetic = study.prepared.candidates.synthetic
    warnings = [*([SYNTHETIC] if synthetic else []), NOT_CHECKED]
    return stress_html(study.loaded.scenario.name, report, sheets, warnings)
