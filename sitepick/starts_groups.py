"""A plan to begin from where many sites could join campus groups, made from a relaxation.

A relaxation spreads each group over fiber nodes that are out of reach of one another; a search over
all of them finds no group at all for long. Here every group keeps to the nodes that carry most of
its members there and are all within reach; members are chosen among these.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np

from sitepick.blocks.group_units import units
from sitepick.instance.types import Instance
from sitepick.matrix import BoolArray, FloatArray, IntArray
from sitepick.program import Program
from sitepick.solve.narrowed import plan_narrowed
from sitepick.solve.outcome import Limits, Rounder

LEADING = ("member", "at", "anchor", "count", "nodes", "hub")
MANY = 500
"""Sites from which on a group is sought this way; among fewer a plain search finds one sooner."""


def within_reach(apart: BoolArray, weight: FloatArray) -> BoolArray:
    """Return (N,) nodes of which none is ``apart`` (N, N) from another, of large ``weight`` (N,).

    From each node as the first the heaviest that fits is taken, again and again; the best of these
    sets is returned.
    """
    best = np.zeros(len(weight), dtype=bool)
    order = np.argsort(-weight, kind="stable")
    for first in order.tolist():
        free, taken = ~apart[first], np.zeros(len(weight), dtype=bool)
        taken[first] = True
        for node in order.tolist():
            if free[node] and not taken[node]:
                taken[node] = True
                free &= ~apart[node]
        if weight[taken].sum() > weight[best].sum():
            best = taken
    return best


def kept_together(program: Program, inst: Instance, values: FloatArray) -> FloatArray:
    """Return (n,) upper bounds of columns that keep each group to nodes within its reach."""
    upper = program.matrix.upper.copy()
    for unit in units(inst):
        at = unit.columns(program, "groups.at")
        member = unit.columns(program, "groups.member")
        node = unit.group.node
        weight = np.zeros(len(at))
        np.add.at(weight, node, values[member])
        kept = within_reach(unit.apart, weight)
        upper[at[~kept]] = 0
        upper[member[~kept[node]]] = 0
    return upper


def group_rounders(
    program: Program,
    inst: Instance,
    complete: Callable[[FloatArray], FloatArray | None],
    stop: threading.Event | None,
) -> tuple[Rounder, ...]:
    """Return what makes a first plan of the groups, once; nothing among few sites.

    ``complete`` returns the best plan with the integers of the one it is given.
    """
    if not inst.groups.rows or len(inst.sites.ids) < MANY:
        return ()
    asked: list[bool] = []

    def rounder(values: FloatArray, owners: IntArray, limits: Limits) -> FloatArray | None:
        if asked:
            return None
        asked.append(True)
        families = [program.columns_of(f"groups.{name}") for name in LEADING]
        leading = np.concatenate([f.indices for f in families if f is not None])
        upper = kept_together(program, inst, values)
        plan = plan_narrowed(program.matrix, owners, upper, leading, limits, stop)
        return None if plan is None else complete(plan)

    return (rounder,)
