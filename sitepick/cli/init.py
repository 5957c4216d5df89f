"""`sitepick init`: a scenario to start from."""

from __future__ import annotations

from sitepick.cli import talk
from sitepick.cli.options import Force, Json, Quiet, Verbose


def init(
    force: Force = False, json: Json = False, quiet: Quiet = False, verbose: Verbose = 0
) -> None:
    """Write a commented starter scenario."""
    talk.begin(json, quiet, verbose)
