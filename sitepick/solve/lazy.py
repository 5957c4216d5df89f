"""Rows that enter only when violated: on a linear master, and around the integers of a plan."""

from __future__ import annotations

from collections.abc import Callable

from sitepick.program import FloatArray, IntArray, Matrix
from sitepick.solve.highs import polish, solve_matrix
from sitepick.solve.outcome import Limits, Separator

CUT_ROUNDS = 80
"""Rounds after which the search for missing rows is given up."""


def settle(
    matrix: Callable[[], Matrix],
    owners: IntArray,
    separate: Separator,
    limits: Callable[[], Limits],
    over: Callable[[], bool],
) -> None:
    """Add rows until the relaxation over ``owners`` violates none.

    ``matrix`` returns the program as it is now. Pricing every owner each time would be dearer.
    """
    for _ in range(CUT_ROUNDS):
        now = matrix()
        part = now.take(owners)
        out = solve_matrix(part.matrix, limits(), relax=True, method="ipm", crossover=False)
        if out.values is None or over():
            return
        if not separate(part.lift(out.values, len(now.cost))):
            return


def repaired(
    matrix: Callable[[], Matrix],
    owners: IntArray,
    values: FloatArray,
    separate: Separator,
    limits: Limits,
    over: Callable[[], bool],
) -> FloatArray | None:
    """Return the best plan (n,) with the integers of ``values`` (n,) that misses no row, or None.

    Only ``owners`` take part. Missing rows are added on the way.
    """
    for _ in range(CUT_ROUNDS):
        now = matrix()
        part = now.take(owners)
        found = polish(part.matrix, values[part.columns], limits)
        if found is None:
            return None
        plan = part.lift(found, len(now.cost))
        if not separate(plan):
            return plan
        if over():
            return None
    return None
