"""How long the screening of the bundled grids takes, and how much memory.

``python tests/bench/bench_headroom.py [texas|us] [processes] [outages]`` prints seconds and MB.
POIs are those with a bus of 100 kV or more; the fourth word ``outages`` adds single line outages.
"""

from __future__ import annotations

import resource
import sys
import time
from dataclasses import dataclass

import numpy as np

from sitepick.bundled import data_dir
from sitepick.network.grid import Grid
from sitepick.network.headroom import Headroom, withdrawal_headroom

MIN_KV = 100.0
CAP_MW = 5000.0


@dataclass(frozen=True)
class Measured:
    """One screening: ``mb`` is the largest memory of this process and of all others together."""

    grid: Grid
    found: Headroom
    seconds: float
    mb: float


def measure(name: str, *, processes: int, outages: bool) -> Measured:
    """Read and screen a bundled grid."""
    start = time.perf_counter()
    grid = Grid.from_tables(data_dir() / f"{name}_grid")
    high = grid.bus_kv[grid.poi_bus] >= MIN_KV
    found = withdrawal_headroom(
        grid,
        [poi for poi, fits in zip(grid.poi_ids, high, strict=True) if fits],
        outages=None if outages else np.zeros(0, dtype=np.int64),
        cap_mw=CAP_MW,
        processes=processes,
    )
    seconds = time.perf_counter() - start
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    each = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss if processes > 1 else 0
    return Measured(grid, found, seconds, (own + processes * each) / 1024)


def main(arguments: list[str]) -> None:
    """Print one line for the grid, processes and outages of the command line."""
    name = arguments[0] if arguments else "texas"
    processes = int(arguments[1]) if len(arguments) > 1 else 1
    outages = "outages" in arguments
    out = measure(name, processes=processes, outages=outages)
    median = float(np.median(out.found.headroom_mw))
    print(
        f"{name}: {len(out.found.ids):,} POIs, outages {'yes' if outages else 'no'}, "
        f"{processes} processes: {out.seconds:.1f} s, {out.mb:,.0f} MB, median {median:.1f} MW"
    )


if __name__ == "__main__":
    main(sys.argv[1:])
