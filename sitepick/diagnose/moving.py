"""One program in which the changes of several inputs are columns themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sitepick.diagnose.aim import TERM, Wanted, columns_at, rows_at, want
from sitepick.matrix import SHARED, FloatArray, IntArray
from sitepick.program import Program

COLUMNS = "diagnose.change"


@dataclass(frozen=True)
class Bounds:
    """Row and column bounds of one program at the places of another; infinite where it has none."""

    row_lower: FloatArray
    row_upper: FloatArray
    lower: FloatArray
    upper: FloatArray


def bounds_at(of: Program, to: Program) -> Bounds:
    """Return the bounds of ``of`` at the rows and columns of ``to``. Columns it lacks are zero."""
    rows, columns = rows_at(of, to), columns_at(of, to)
    m, n = to.n_rows, to.n_columns
    made = Bounds(np.full(m, -np.inf), np.full(m, np.inf), np.zeros(n), np.zeros(n))
    a, here = of.matrix, rows >= 0
    made.row_lower[rows[here]], made.row_upper[rows[here]] = a.row_lower[here], a.row_upper[here]
    here = columns >= 0
    made.lower[columns[here]], made.upper[columns[here]] = a.lower[here], a.upper[here]
    return made


def moving(
    lifted: Program,
    stated: Bounds,
    each: Sequence[Bounds],
    width: Sequence[float],
    price: Sequence[float],
    weight: float,
) -> tuple[IntArray, Wanted]:
    """Turn ``lifted`` (all inputs at their far ends) into a program with a column for each change.

    ``stated`` and ``each`` (one input alone at its far end) are bounds at the places of
    ``lifted``. Rows and bounds that an input moves are moved in proportion to its column, of which
    0 is as stated and ``width`` all the way; ``price`` is the cost of all the way. Coefficients
    stay those of ``lifted``. Returns the columns, and what may go short at ``weight``.
    """
    matrix = lifted.matrix
    ends = Bounds(matrix.row_lower, matrix.row_upper, matrix.lower, matrix.upper)
    moved = lifted.add_columns(
        COLUMNS, keys={"number": np.arange(len(width))}, owner=SHARED, upper=np.asarray(width)
    )
    wanted = want(lifted, weight)
    lifted.offset = 0.0
    lifted.add_cost(moved, np.asarray(price) / np.asarray(width), TERM)
    for side, sign in (("upper", 1.0), ("lower", -1.0)):
        name = f"row_{side}"
        before, after = getattr(stated, name), getattr(ends, name)
        with np.errstate(invalid="ignore"):
            rows = np.flatnonzero(np.isfinite(before) & np.isfinite(after) & (before != after))
        if len(rows):
            made = lifted.add_rows(
                f"diagnose.row_{side}", keys={"number": rows}, upper=sign * before[rows]
            )
            part = matrix.A[rows].tocoo()
            lifted.add_entries(made[part.row], part.col, sign * part.data)
            short = np.flatnonzero(np.isin(wanted.row, rows))
            at = np.searchsorted(rows, wanted.row[short])
            lifted.add_entries(made[at], wanted.slack[short], sign)
            for j, alone in enumerate(each):
                change = getattr(alone, name)[rows] - before[rows]
                _move(lifted, made, moved[j], sign * change / width[j])
        before, after = getattr(stated, side), getattr(ends, side)
        columns = np.flatnonzero(before != after)
        if len(columns):
            made = lifted.add_rows(
                f"diagnose.bound_{side}", keys={"number": columns}, upper=sign * before[columns]
            )
            lifted.add_entries(made, columns, sign)
            for j, alone in enumerate(each):
                change = getattr(alone, side)[columns] - before[columns]
                _move(lifted, made, moved[j], sign * change / width[j])
    return moved, wanted


def _move(program: Program, rows: IntArray, column: int, change: FloatArray) -> None:
    kept = np.isfinite(change) & (change != 0)
    program.add_entries(rows[kept], column, -change[kept])


def wanting_less(
    stated: Program, far: Bounds, width: float, weight: float
) -> tuple[IntArray, Wanted]:
    """Give ``stated`` a column for how much less an input asks, ``width`` for all of it.

    ``far`` are the bounds where it asks least, at the places of ``stated``.
    """
    asked = stated.matrix.row_lower
    with np.errstate(invalid="ignore"):
        less = asked - np.where(np.isfinite(far.row_lower), far.row_lower, 0.0)
    rows = np.flatnonzero(np.isfinite(asked) & (asked > 0) & (less > 0))
    moved = stated.add_columns(COLUMNS, keys={"number": [0]}, owner=SHARED, upper=width)
    stated.add_entries(rows, moved[0], less[rows] / width)
    wanted = want(stated, weight)
    stated.offset = 0.0
    stated.add_cost(moved, 1.0 / width, TERM)
    return moved, wanted


def short_of(program: Program, wanted: Wanted, point: FloatArray) -> float:
    """Return the largest share of what a row asks that a point (n,) leaves out."""
    asked = np.maximum(program.matrix.row_lower[wanted.row], 1e-9)
    return float((point[wanted.slack] / asked).max(initial=0.0))


def moves_owners(program: Program, stated: Bounds) -> bool:
    """Return whether other bounds stand at rows or columns that belong to one owner."""
    matrix = program.matrix
    rows = (matrix.row_upper != stated.row_upper) | (matrix.row_lower != stated.row_lower)
    columns = (matrix.upper != stated.upper) | (matrix.lower != stated.lower)
    return bool((matrix.row_owner[rows] >= 0).any() or (matrix.owner[columns] >= 0).any())


def same_coefficients(stated: Program, moved: Program) -> bool:
    """Return whether a program that `moving` made differs from ``stated`` in bounds alone."""
    A, rows, columns = stated.matrix.A, rows_at(stated, moved), columns_at(stated, moved)
    if (rows < 0).any() or (columns < 0).any():
        return False
    B = moved.matrix.A[rows][:, columns]
    return abs(A - B).max() < 1e-9 if A.nnz else True
