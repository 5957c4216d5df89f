"""`sitepick validate`: is the scenario right, and what was understood of it?"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any

import typer

from sitepick.cli import talk
from sitepick.cli.describe import describe
from sitepick.cli.find import scenario_path
from sitepick.cli.options import Json, Overrides, Quiet, ScenarioArgument, Verbose


def validate(
    scenario: ScenarioArgument = None,
    overrides: Overrides = None,
    layers: Annotated[bool, typer.Option("--layers", help="Also read the input files.")] = False,
    json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = 0,
) -> None:
    """Check a scenario and say what was understood; with --layers also its input files."""
    speaker = talk.begin(json, quiet, verbose)
    path = scenario_path(scenario)
    from sitepick import pipeline

    loaded = pipeline.load(path, overrides or ())
    understood = describe(loaded.scenario)
    record: dict[str, Any] = {"status": "valid", "understood": dict(understood)}
    told = _told(understood)
    if layers:
        read, network = pipeline.read_files(loaded)
        sources = [*read.sources, *(() if network is None else network.sources)]
        notes = [*read.notes, *(() if network is None else network.grid.notes)]
        record["files"] = [
            {
                "role": s.role,
                "file": s.path,
                "rows_read": s.rows_read,
                "rows_used": s.rows_used,
                "synthetic": s.synthetic,
            }
            for s in sources
        ]
        record["notes"] = [
            {"role": n.role, "code": n.code, "rows": n.count, "message": n.message} for n in notes
        ]
        told += _told(
            (s.role, f"{s.path}: {s.rows_used:,} of {s.rows_read:,} rows used") for s in sources
        )
        from sitepick.layers.reading import in_few_lines

        for code in dict.fromkeys(n.code for n in notes):
            lines = in_few_lines(n.message for n in notes if n.code == code)
            told += [f"note [{code}] {line}" for line in lines]
    if json:
        speaker.answer_json(record)
    else:
        speaker.answer("\n".join(told))


def _told(lines: Iterable[tuple[str, str]]) -> list[str]:
    listed = list(lines)
    width = max((len(name) for name, _ in listed), default=0)
    return [f"{name:<{width}}  {text}" for name, text in listed]
