"""`sitepick candidates`: what was looked at, what fell where, and what remains."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sitepick.cli import talk
from sitepick.cli.find import scenario_path
from sitepick.cli.options import Force, Json, NoCache, Overrides, Quiet, ScenarioArgument, Verbose
from sitepick.errors import ScenarioError

if TYPE_CHECKING:
    from sitepick.run import Prepared

WRITTEN = (".geojson", ".csv")
_OF_A_PLAN = ("it_mw", "verdict", "forced_cost_estimate_musd", "forced_cost_proven_musd")
"""Columns of the sheet that only a plan can fill."""
"""What ``--out`` writes, by the file's ending."""


def candidates(
    scenario: ScenarioArgument = None,
    overrides: Overrides = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            metavar="FILE",
            help="Write every candidate with its status and reasons: .geojson or .csv.",
        ),
    ] = None,
    force: Force = False,
    no_cache: NoCache = False,
    json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = 0,
) -> None:
    """Show how many places were looked at, how many fell at each test, and what remains."""
    speaker = talk.begin(json, quiet, verbose)
    path = scenario_path(scenario)
    if out is not None and out.suffix.lower() not in WRITTEN:
        raise ScenarioError(f"{out}: the name must end in {' or '.join(WRITTEN)}")
    if out is not None and out.exists() and not force:
        raise ScenarioError(f"{out}: exists; name another file or add --force")
    from sitepick import pipeline

    prepared = pipeline.prepare(pipeline.load(path, overrides or ()), on_stage=speaker.detail)
    places = prepared.candidates
    if out is not None:
        _write(prepared, out)
        speaker.say(f"written to {out}")
    if json:
        speaker.answer_json(
            {
                "status": "ok",
                "waterfall": [{"step": step, "places": n} for step, n in places.waterfall],
                "pois": len(places.pois),
                "ties": len(places.ties),
                "synthetic": places.synthetic,
                "notes": [n.message for n in places.notes],
                "file": None if out is None else str(out),
            }
        )
        return
    width = max(len(step) for step, _ in places.waterfall)
    for step, count in places.waterfall:
        speaker.answer(f"{step:<{width}}  {count:>8,}")
    speaker.answer(f"with {len(places.ties):,} possible ties to {len(places.pois):,} POIs")
    if places.synthetic:
        speaker.answer("some input is synthetic: this is no statement about a real place")
    from sitepick.layers.reading import in_few_lines

    for line in in_few_lines(note.message for note in places.notes):
        speaker.say(f"note: {line}")


def _write(prepared: Prepared, out: Path) -> None:
    """Write every place looked at with its status and every failed test."""
    from sitepick.exports.csv_out import write_csv
    from sitepick.exports.geojson_out import write_geojson
    from sitepick.exports.places import candidates_sheet
    from sitepick.exports.rows import SiteRows
    from sitepick.instance.timeline import Timeline
    from sitepick.solution import Solution

    scenario = prepared.scenario
    nothing = Solution(
        scenario=scenario.name,
        periods=Timeline.of(scenario).names,
        status="no_plan",
        objective_name="",
        objective=0,
        bound=0,
        gap=0,
        gap_without_penalty=0,
        bound_certified=False,
    )
    sheet = candidates_sheet(SiteRows(scenario, prepared.candidates, nothing))
    # the sheet is one of a plan: before there is any, a place is a candidate or it is rejected
    for row in sheet.rows:
        for name in _OF_A_PLAN:
            del row[name]
        if row["status"] != "rejected":
            row["status"], row["why"] = "candidate", "passed every test"
    fields = tuple(field for field in sheet.fields if field.name not in _OF_A_PLAN)
    sheet = dataclasses.replace(sheet, fields=fields)
    write = write_csv if out.suffix.lower() == ".csv" else write_geojson
    write(sheet, out)
