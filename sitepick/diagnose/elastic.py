"""The least relative relaxation of a program's relaxable rows that leaves it a point.

Each relaxable row gets a slack that costs its breach over the row's own size, so that MW, MUSD and
sites compare; logic stays hard, whole numbers stay whole. It speaks of rows only: what bounds a
column (a date, a campus limit) it cannot see, and then finds nothing.
"""

from __future__ import annotations

import numpy as np

from sitepick.matrix import SHARED, FloatArray, IntArray
from sitepick.program import Program
from sitepick.run import Relaxed

TERM = "relaxed"
_LEAST = 1e-6
"""Relative breach that counts."""


def relax(program: Program) -> tuple[IntArray, IntArray, FloatArray]:
    """Add a slack to every finite side of every relaxable row and make their cost the objective.

    Returns (n,) the slack columns, their rows, and the size by which each is measured.
    """
    for name, family in program.row_families.items():
        if family.redundant:  # what follows from other rows must not hold when these give way
            program.set_row_bounds(name)
    matrix = program.matrix
    size = np.maximum(
        np.abs(np.where(np.isfinite(matrix.row_upper), matrix.row_upper, 0.0)),
        np.abs(np.where(np.isfinite(matrix.row_lower), matrix.row_lower, 0.0)),
    )
    reach = abs(matrix.A) @ np.maximum(np.abs(matrix.lower), np.abs(matrix.upper))
    largest = np.zeros(len(size))
    filled = np.diff(matrix.A.indptr) > 0
    starts = matrix.A.indptr[:-1][filled]
    if len(starts):
        largest[filled] = np.maximum.reduceat(np.abs(matrix.A.data), starts)
    size = np.where(size > 0, size, np.maximum(largest, 1.0))
    rows, signs = [], []
    for family in program.row_families.values():
        if family.relaxable:
            for bound, way in ((matrix.row_upper, -1.0), (matrix.row_lower, 1.0)):
                finite = family.indices[np.isfinite(bound[family.indices])]
                rows.append(finite)
                signs.append(np.full(len(finite), way))
    row = np.concatenate([np.zeros(0, dtype=np.int64), *rows])
    sign = np.concatenate([np.zeros(0), *signs])
    slack = program.add_columns(
        "diagnose.slack",
        keys={"number": np.arange(len(row))},
        owner=SHARED,
        upper=reach[row] + size[row],
    )
    program.add_entries(row, slack, sign)
    program.add_cost(slack, 1 / size[row], TERM)
    program.minimise((TERM,))
    return slack, row, size[row]


def relaxed_rows(
    program: Program, values: FloatArray, slack: IntArray, row: IntArray, size: FloatArray
) -> tuple[Relaxed, ...]:
    """Return the rows that a relaxed point breaks, largest relative breach first."""
    breach = values[slack]
    broken = np.flatnonzero(breach > _LEAST * size)
    out = []
    for j in sorted(broken.tolist(), key=lambda j: (-breach[j] / size[j], row[j])):
        family = next(
            f for f in program.row_families.values() if f.start <= row[j] < f.start + f.size
        )
        at = int(row[j]) - family.start
        names = {
            dim: program.dims[dim][int(key[at])]
            for dim, key in family.keys.items()
            if dim in program.dims
        }
        when = names.pop("period", names.pop("year", ""))
        where = " ".join(names.values())
        out.append(Relaxed(family.name, where, when, float(breach[j]), family.unit))
    return tuple(out)
