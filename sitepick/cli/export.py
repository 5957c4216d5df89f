"""`sitepick export`: one file out of a run folder, for QGIS, Excel or a notebook."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from sitepick.cli import talk
from sitepick.cli.find import run_folder
from sitepick.cli.options import Force, Json, Quiet, RunArgument, Verbose
from sitepick.errors import ScenarioError


class Format(StrEnum):
    """What `export` writes."""

    geojson = "geojson"
    gpkg = "gpkg"
    csv = "csv"
    xlsx = "xlsx"
    parquet = "parquet"


def export(
    run: RunArgument,
    to: Annotated[
        Format, typer.Option("--to", metavar="FORMAT", help="geojson, gpkg, csv, xlsx or parquet.")
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", "-o", metavar="FILE", help="File to write (default: RUN-name.FORMAT)."
        ),
    ] = None,
    force: Force = False,
    json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = 0,
) -> None:
    """Write the plan of a run to one file."""
    speaker = talk.begin(json, quiet, verbose)
    folder = run_folder(run)
    target = out or Path(f"{folder.resolve().name}.{to.value}")
    if target.exists() and not force:
        raise ScenarioError(f"{target}: exists; name another file with -o or add --force")
    from sitepick.exports.folder import export as write
    from sitepick.exports.folder import read_run

    write(read_run(folder), to.value, target)
    if json:
        speaker.answer_json({"status": "written", "file": str(target), "format": to.value})
    else:
        speaker.answer(str(target))
