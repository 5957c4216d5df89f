"""The two months of scenarios/month in a folder of a test's own, as typed or with rows mixed."""

from __future__ import annotations

import csv
import random
import shutil
from pathlib import Path

SOURCE = Path(__file__).parents[2] / "scenarios" / "month"
WEST = ("Alder", "Birch", "Cedar", "Dogwood")
"""POIs of the town whose letter slips; Elm and Fir are out of its reach."""


def write(root: Path, *, shuffle: int | None = None) -> Path:
    """Copy the scenarios to ``root``/scenarios/month and return that folder.

    ``shuffle`` mixes the rows of every table.
    """
    folder = root / "scenarios" / "month"
    shutil.copytree(SOURCE, folder)
    if shuffle is not None:
        dice = random.Random(shuffle)
        for path in sorted(folder.glob("*.csv")):
            with path.open(encoding="utf-8", newline="") as stream:
                header, *rows = csv.reader(stream)
            dice.shuffle(rows)
            with path.open("w", encoding="utf-8", newline="") as stream:
                csv.writer(stream, lineterminator="\n").writerows([header, *rows])
    return folder
