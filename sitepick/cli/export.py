"""`sitepick export`: a run folder in one format, for QGIS, Excel or a notebook."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sitepick.cli import talk
from sitepick.cli.find import run_folder
from sitepick.cli.options import Force, Json, Quiet, RunArgument, Verbose


def export(
    run: RunArgument,
    to: Annotated[
        str,
        typer.Option(
            "--to", metavar="FORMAT", help="geojson, gpkg, csv, parquet, kml, xlsx or qgis."
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            metavar="PATH",
            help="File (gpkg, kml, xlsx) or folder to write (default: named after the run).",
        ),
    ] = None,
    force: Force = False,
    json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = 0,
) -> None:
    """Write the plan of a run as one file (gpkg, kml, xlsx), as a folder with a file per table
    (geojson, csv, parquet), or as a QGIS project with its GeoPackage (qgis)."""
    speaker = talk.begin(json, quiet, verbose)
    folder = run_folder(run)
    from sitepick.exports.formats import ONE_FILE
    from sitepick.exports.formats import export as write

    name = folder.resolve().name
    target = out or Path(f"{name}.{to}" if to in ONE_FILE else f"{name}-{to}")
    files = write(folder, to, target, force=force)
    if json:
        speaker.answer_json({"status": "written", "format": to, "files": [str(f) for f in files]})
        return
    for file in files:
        speaker.answer(str(file))
