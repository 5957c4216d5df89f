"""`sitepick layers`: what is in this file, what is wrong with it, and the YAML to paste."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sitepick.cli import talk
from sitepick.cli.options import Json, Quiet, Verbose


def layers(
    files: Annotated[
        list[Path] | None,
        typer.Argument(metavar="FILE", help="Input files.", show_default=False),
    ] = None,
    preset: Annotated[
        str | None, typer.Option("--preset", metavar="NAME", help="Read with this preset.")
    ] = None,
    presets: Annotated[bool, typer.Option("--presets", help="List the presets.")] = False,
    json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = 0,
) -> None:
    """Show types, ranges, CRS, nulls and doubts of input files, and YAML to paste."""
    talk.begin(json, quiet, verbose)
