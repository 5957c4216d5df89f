"""`sitepick schema`: the JSON Schema that editors complete and check scenarios with."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sitepick.cli import talk
from sitepick.cli.options import Json, Quiet, Verbose


def schema(
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FILE", help="Write it there instead.")
    ] = None,
    json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = 0,
) -> None:
    """Print the JSON Schema (draft-07) of a scenario, for editors."""
    speaker = talk.begin(json, quiet, verbose)
    from json import dumps

    from sitepick.scenario.json_schema import json_schema

    text = dumps(json_schema(), indent=1, ensure_ascii=False)
    if out is None:
        speaker.answer(text)
        return
    out.write_text(text + "\n", encoding="utf-8")
    if json:
        speaker.answer_json({"status": "written", "file": str(out)})
    speaker.say(f"written to {out}; first line of a scenario:")
    speaker.say(f"# yaml-language-server: $schema={out.name}")
