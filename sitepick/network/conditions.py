"""Study conditions on a grid: how much load is drawn, and what its plants can be dispatched to.

Units of the same bus, fuel, size and cost are one group: a dispatch has one number for each group.
Minimum outputs are left out: which units run is not decided here (no unit commitment).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np

from sitepick.network.types import FloatArray, Grid, IntArray
from sitepick.scenario.grid import StudyCondition

DC_TIE = "dc_tie"
"""Fuel of the groups that stand for DC ties."""


@dataclass(frozen=True)
class Groups:
    """What can be dispatched: K groups of equal units, and DC ties."""

    ids: tuple[str, ...]  # (K,) the first unit of the group, or the tie
    bus: IntArray  # (K,)
    other_bus: IntArray  # (K,) where a DC tie within the grid takes its MW from, -1: outside
    fuel: tuple[str, ...]  # (K,)
    cost_usd_mwh: FloatArray  # (K,) of the first MW
    cost_usd_mw2h: FloatArray  # (K,) of one unit: USD/h = ... + this x MW^2
    members: tuple[IntArray, ...]  # (K,) units of the group; of a tie, its own index


def groups_of(grid: Grid) -> Groups:
    """Return the groups of all units of a grid (planned ones too) and its DC ties."""
    plants, ties = grid.plants, grid.dc_ties
    keys = list(
        zip(
            plants.bus.tolist(), plants.fuel, plants.pmax_mw.tolist(),
            plants.cost_usd_mwh.tolist(), plants.cost_usd_mw2h.tolist(), strict=True,
        )
    )  # fmt: skip
    first: dict[tuple[object, ...], list[int]] = {}
    for g, key in enumerate(keys):
        first.setdefault(key, []).append(g)
    members = [np.array(units, dtype=np.int64) for units in first.values()]
    head = np.array([m[0] for m in members], dtype=np.int64)
    n_ties = len(ties.ids)
    nothing = np.zeros(n_ties)
    return Groups(
        ids=(*(plants.ids[g] for g in head), *ties.ids),
        bus=np.concatenate([plants.bus[head], ties.bus]).astype(np.int64),
        other_bus=np.concatenate([np.full(len(head), -1), ties.other_bus]).astype(np.int64),
        fuel=(*(plants.fuel[g] for g in head), *(DC_TIE for _ in range(n_ties))),
        cost_usd_mwh=np.concatenate([plants.cost_usd_mwh[head], nothing]),
        cost_usd_mw2h=np.concatenate([plants.cost_usd_mw2h[head], nothing]),
        members=(*members, *(np.array([d]) for d in range(n_ties))),
    )


def credits_of(grid: Grid, condition: StudyCondition) -> FloatArray:
    """Return (G,) the share of each unit's capacity that counts under a condition, 0..1."""
    named = {fuel.lower(): pct / 100 for fuel, pct in condition.credit_pct.items()}
    other = condition.other_credit_pct / 100
    return np.array([named.get(fuel, other) for fuel in grid.plants.fuel], dtype=float)


def standing(grid: Grid, when: date) -> np.ndarray:
    """Return (G,) whether each unit is in service at ``when``."""
    plants = grid.plants
    begun = np.array([d is None or d <= when for d in plants.from_date], dtype=bool)
    lasts = np.array([d is None or when < d for d in plants.to_date], dtype=bool)
    return plants.in_service & begun & lasts


def dispatch_range(
    grid: Grid, groups: Groups, condition: StudyCondition, when: date
) -> tuple[FloatArray, FloatArray, IntArray]:
    """Return (K,) least and most MW of each group under a condition, and its units in service."""
    alive = standing(grid, when)
    most = np.where(alive, np.maximum(grid.plants.pmax_mw, 0.0), 0.0) * credits_of(grid, condition)
    n_units = len(groups.ids) - len(grid.dc_ties.ids)
    high = np.array([most[m].sum() for m in groups.members[:n_units]])
    count = np.array([alive[m].sum() for m in groups.members[:n_units]], dtype=np.int64)
    share = condition.dc_tie_pct / 100
    ties = grid.dc_ties
    return (
        np.concatenate([np.zeros(n_units), share * np.minimum(ties.pmin_mw, 0.0)]),
        np.concatenate([high, share * np.maximum(ties.pmax_mw, 0.0)]),
        np.concatenate([count, np.ones(len(ties.ids), dtype=np.int64)]),
    )


def drawn_mw(
    grid: Grid, condition: StudyCondition, growth_pct_per_year: float, years: float
) -> FloatArray:
    """Return (N,) MW of the tables' load drawn under a condition, ``years`` after today."""
    growth = (1 + growth_pct_per_year / 100) ** years
    return np.asarray(grid.load_mw * condition.load_pct / 100 * growth, dtype=float)
