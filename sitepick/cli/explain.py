"""`sitepick explain`: what binds in a run, why a site is in or not, what one step would change."""

from __future__ import annotations

import dataclasses
import threading
import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sitepick.cli import talk
from sitepick.cli.find import run_folder
from sitepick.cli.options import Json, Quiet, RunArgument, Verbose
from sitepick.cli.progress import Progress, run_with_progress
from sitepick.errors import ScenarioError
from sitepick.words import objective_words

if TYPE_CHECKING:
    from sitepick.cli.talk import Talk
    from sitepick.exports.explain import Stored
    from sitepick.exports.folder import RunFolder
    from sitepick.run import Run

_TINY_MW = 0.05


def explain(
    run: RunArgument,
    site: Annotated[
        str | None,
        typer.Option("--site", metavar="ID", help="Everything on one place.", show_default=False),
    ] = None,
    step: Annotated[
        list[str] | None,
        typer.Option(
            "--step",
            metavar="KEY=+N",
            help="Solve again with a limit moved, e.g. `budget_musd.2029=+100`; repeatable.",
            show_default=False,
        ),
    ] = None,
    overrides: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help="Solve again with one value of the run's scenario set; repeatable.",
            show_default=False,
        ),
    ] = None,
    time_limit: Annotated[
        float | None,
        typer.Option("--time-limit", min=0, metavar="S", help="Seconds of solving again."),
    ] = None,
    json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = 0,
) -> None:
    """Say what binds in a run and at what price, why a site is in or not, what a step changes."""
    speaker = talk.begin(json, quiet, verbose)
    folder = run_folder(run)
    if site is not None and (step or overrides):
        raise ScenarioError("--site explains what was solved; it does not go with --step or --set")
    from sitepick.exports.explain import read_stored
    from sitepick.exports.folder import read_run

    solved = read_run(folder)
    if step or overrides:
        _resolve(solved, step or [], overrides or [], time_limit, speaker)
        return
    from sitepick.report.explain import explain_report, site_report
    from sitepick.report.terminal import print_tables
    from sitepick.scenario.read import read_scenario

    stored, scenario = read_stored(folder), read_scenario(solved.scenario_path).scenario
    if site is None:
        if json:
            speaker.answer_json({"run": str(folder), **_everything(stored)})
            return
        print_tables(explain_report(stored, scenario), speaker.console())
        return
    known = _known(stored, site)
    if json:
        speaker.answer_json({"run": str(folder), **_one(stored, known)})
        return
    print_tables(site_report(stored, scenario, known), speaker.console())


def _everything(stored: Stored) -> dict[str, Any]:
    return {
        "limits": [{**dataclasses.asdict(x), "slack": x.slack} for x in stored.limits],
        "capital": stored.capital,
        "verdicts": [dataclasses.asdict(v) for v in stored.verdicts],
    }


def _one(stored: Stored, site: str) -> dict[str, Any]:
    ties = stored.ties.get(site, [])
    pois = list(dict.fromkeys(t["poi_id"] for t in ties))
    verdict = next((dataclasses.asdict(v) for v in stored.verdicts if v.site_id == site), None)
    return {
        "site_id": site,
        "verdict": verdict,
        "place": stored.places[site],
        "regions": stored.regions.get(site, {}),
        "periods": stored.periods,
        "ties": ties,
        "pois": {poi: stored.pois[poi] for poi in pois},
        "letters": {poi: stored.letters.get(poi, []) for poi in pois},
        "unit_costs": stored.unit_costs,
    }


def _known(stored: Stored, site: str) -> str:
    """Return the site_id meant: by id, or by a name that only one place has."""
    if site in stored.places:
        return site
    named = [s for s, place in stored.places.items() if place["name"] == site]
    if len(named) == 1:
        return named[0]
    from sitepick.scenario.messages import did_you_mean

    names = {str(p["name"]): s for s, p in stored.places.items() if p["name"]}
    hint = did_you_mean(site, [*stored.places, *names])
    if named:
        hint = f"; {len(named)} places have that name: {', '.join(sorted(named)[:6])}"
    raise ScenarioError(f"--site: no place has the id or name {site!r}{hint}")


# --- solving again ---------------------------------------------------------------------------


def _resolve(
    solved: RunFolder,
    steps: list[str],
    overrides: list[str],
    time_limit: float | None,
    speaker: Talk,
) -> None:
    """Solve the run's scenario again with a change, from its plan, and tell what it changed."""
    from sitepick import pipeline
    from sitepick.cli.solve import UNIT, exit_code
    from sitepick.scenario.steps import stepped

    scenario = pipeline.load(solved.scenario_path).scenario
    changes = [*stepped(scenario, steps), *overrides]
    loaded = dataclasses.replace(pipeline.load(solved.scenario_path, changes), base=solved.base)
    began = time.perf_counter()
    prepared = pipeline.prepare(loaded, on_stage=speaker.detail)

    def work(progress: Progress, stop: threading.Event) -> Run:
        return pipeline.solve(
            prepared, time_limit_s=time_limit, start=solved.path, on_progress=progress, stop=stop
        )

    again = run_with_progress(work, speaker, UNIT[loaded.scenario.objective])
    seconds = time.perf_counter() - began
    record = _difference(solved, again, changes, seconds)
    code = exit_code(again)
    if speaker.json:
        speaker.answer_json(record)
    elif again.solution is None:
        speaker.complain([f"with {', '.join(changes)}: no plan ({again.outcome.status})"])
    else:
        for line in _lines(record):
            speaker.answer(line)
    raise typer.Exit(code)


def _difference(
    solved: RunFolder, again: Run, changes: list[str], seconds: float
) -> dict[str, Any]:
    """Return what a change did. Both plans are within a gap: the truth lies between two bounds."""
    from sitepick.exports.changes import changes_sheet
    from sitepick.exports.compare import compared, side_of, side_of_run

    before, after = solved.solution, again.solution
    record: dict[str, Any] = {
        "run": str(solved.path),
        "changes": changes,
        "status": again.outcome.status,
        "seconds": round(seconds, 2),
        "objective_name": before.objective_name,
        "before": before.objective,
        "after": None if after is None else after.objective,
        "difference": None,
    }
    if after is None:
        return record
    ends = sorted((after.objective - before.bound, after.bound - before.objective))
    record |= {
        "difference": after.objective - before.objective,
        "true_difference_from": ends[0],
        "true_difference_to": ends[1],
        "net_present_cost_musd": [before.net_present_cost_musd, after.net_present_cost_musd],
        "penalty_musd": [before.penalty_musd, after.penalty_musd],
        "sites": _moved(_it_mw(solved.solution), _it_mw(after)),
        "moves": changes_sheet(compared(side_of(solved), side_of_run(again))).rows,
    }
    return record


def _it_mw(plan: Any) -> dict[str, float]:
    last: dict[str, float] = {}
    for row in plan.it:
        if row.period == plan.periods[-1]:
            last[row.site_id] = last.get(row.site_id, 0.0) + row.it_mw
    return last


def _moved(before: dict[str, float], after: dict[str, float]) -> list[dict[str, Any]]:
    sites = sorted({*before, *after}, key=lambda s: (-abs(after.get(s, 0) - before.get(s, 0)), s))
    return [
        {"site_id": s, "it_mw_before": before.get(s, 0.0), "it_mw_after": after.get(s, 0.0)}
        for s in sites
        if abs(after.get(s, 0.0) - before.get(s, 0.0)) > _TINY_MW
    ]


def _lines(record: dict[str, Any]) -> list[str]:
    low, high = record["true_difference_from"], record["true_difference_to"]
    said = "MUSD" if "cost" in record["objective_name"] else "MW-years"
    lines = [
        f"with {', '.join(record['changes'])}: {objective_words(record['objective_name'])} "
        f"{record['before']:,.2f} -> {record['after']:,.2f} {said}, "
        f"{record['difference']:+,.2f} (solved again in {record['seconds']:,.1f} s)",
        f"the true change lies between {low:+,.2f} and {high:+,.2f} {said}"
        + ("; it may be nothing: within the gaps of both plans" if low <= 0 <= high else ""),
    ]
    for row in record["sites"]:
        lines.append(
            f"  {row['site_id']}: {row['it_mw_before']:,.1f} -> {row['it_mw_after']:,.1f} IT MW"
        )
    for row in record["moves"]:
        if row["what"] in ("opened", "poi"):
            told = [row[side] or "not in the plan" for side in ("before", "after")]
            lines.append(f"  {row['site_id']} {row['what']}: {told[0]} -> {told[1]}")
    if not record["sites"]:
        lines.append("  the same IT MW at every site at the end")
    return lines
