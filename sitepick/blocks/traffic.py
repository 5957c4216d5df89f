"""Traffic on the edges of the fiber network, whichever block makes it.

A block that makes traffic either offers a function that returns `Traffic` (see `SOURCES` in
`sitepick.blocks.fiber`), or has columns in Tb/s with keys ``edge`` and ``period``, which are found.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields

import numpy as np

from sitepick.instance.fiber_types import Ways
from sitepick.matrix import FloatArray, IntArray
from sitepick.program import Program

YEAR_HOURS = 8760.0


@dataclass(frozen=True)
class Traffic:
    """What columns carry over edges: n entries, several for a column that goes over several."""

    column: IntArray  # (n,)
    edge: IntArray  # (n,)
    period: IntArray  # (n,)
    tbps: FloatArray  # (n,) per unit of the column, in ordinary hours
    peak_tbps: FloatArray  # (n,) in peak hours
    peak_hours: FloatArray  # (n,) a year; 0: no peaks


def joined(parts: Iterable[Traffic]) -> Traffic:
    """Return all entries of several sources."""
    found = list(parts)
    ints, floats = np.zeros(0, dtype=np.int64), np.zeros(0)
    return Traffic(
        *(
            np.concatenate([ints if i < 3 else floats, *(getattr(part, f.name) for part in found)])
            for i, f in enumerate(fields(Traffic))
        )
    )


def over_ways(
    ways: Ways,
    column: IntArray,
    way: IntArray,
    period: IntArray,
    tbps: FloatArray,
    peak_tbps: FloatArray,
    peak_hours: FloatArray,
) -> Traffic:
    """Return the traffic of columns (n,) that each go over all edges of a ``way``."""
    order = np.argsort(ways.at, kind="stable")
    start = np.searchsorted(ways.at[order], np.arange(ways.count + 1))
    length = np.diff(start)[way]
    entry = np.repeat(np.arange(len(way)), length)
    within = np.arange(len(entry)) - np.repeat(np.cumsum(length) - length, length)
    edge = ways.edge[order][start[way[entry]] + within]
    return Traffic(
        column[entry], edge, period[entry], tbps[entry], peak_tbps[entry], peak_hours[entry]
    )


def labelled(program: Program) -> Traffic:
    """Return the traffic of all columns in Tb/s that name their edge and period; without peaks."""
    parts = []
    for family in program.column_families.values():
        if family.unit == "Tb/s" and {"edge", "period"} <= set(family.keys):
            one, zero = np.ones(family.size), np.zeros(family.size)
            keys = family.keys
            parts.append(Traffic(family.indices, keys["edge"], keys["period"], one, one, zero))
    return joined(parts)
