"""What the grid is asked to carry: loads, what its plants can give, limits and outages.

A state is a study condition in a period. Everything comes from the scenario and the grid's tables.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date

import numpy as np

from sitepick.checks.case import Case
from sitepick.network.types import FloatArray, Grid, IntArray
from sitepick.scenario.grid import GridStudy, LineUpgrade, StudyCondition, study_conditions


@dataclass(frozen=True)
class State:
    """A condition in a period: N buses; G generating units, then D DC ties, all by ``supply``."""

    condition: StudyCondition
    t: int
    load_mw: FloatArray  # (N,) of the tables, grown
    low_mw: FloatArray  # (G + D,)
    high_mw: FloatArray  # (G + D,)


@dataclass(frozen=True)
class Supply:
    """Where generating units and DC ties feed in: ``other`` is where a tie within the grid takes
    its MW from, -1 where there is no such bus."""

    at: dict[str, int]  # id -> place
    ids: tuple[str, ...]
    bus: IntArray
    other: IntArray

    @classmethod
    def of(cls, grid: Grid) -> Supply:
        """Return the supply of a grid."""
        plants, ties = grid.plants, grid.dc_ties
        ids = (*plants.ids, *ties.ids)
        outside = np.full(len(plants.ids), -1, dtype=np.int64)
        return cls(
            at={name: k for k, name in reversed(list(enumerate(ids)))},
            ids=ids,
            bus=np.concatenate([plants.bus, ties.bus]).astype(np.int64),
            other=np.concatenate([outside, ties.other_bus]).astype(np.int64),
        )

    def injected(self, mw: FloatArray, n_bus: int) -> FloatArray:
        """Return (N,) MW fed in by a dispatch (G + D,)."""
        out = np.bincount(self.bus, weights=mw, minlength=n_bus).astype(float)
        inside = self.other >= 0
        np.subtract.at(out, self.other[inside], mw[inside])
        return out


def study(case: Case) -> GridStudy | None:
    """Return the section `grid` where it counts: None where power is not modelled."""
    return case.scenario.grid if case.has_grid else None


def conditions_of(case: Case) -> dict[str, StudyCondition]:
    """Return the study conditions by id."""
    asked = study(case)
    return {} if asked is None else {c.id: c for c in study_conditions(asked)}


def dispatched(case: Case) -> dict[tuple[str, int], dict[str, float]]:
    """Return MW by unit of the plan's dispatch, by condition and period."""
    found: dict[tuple[str, int], dict[str, float]] = defaultdict(dict)
    for row in case.solution.dispatch:
        found[row.condition, case.calendar.periods.index(row.period)][row.unit_id] = row.mw
    return dict(found)


def excused(case: Case) -> dict[tuple[str, int], dict[tuple[str, str], float]]:
    """Return MW excused by branch and outage, by condition and period."""
    found: dict[tuple[str, int], dict[tuple[str, str], float]] = defaultdict(dict)
    for row in case.solution.excused:
        at = row.condition, case.calendar.periods.index(row.period)
        found[at][row.branch_id, row.outage_id] = row.mw
    return dict(found)


def state_of(case: Case, grid: Grid, condition: StudyCondition, t: int) -> State:
    """Return what the grid has and must serve in a condition at the start of period ``t``."""
    asked = study(case)
    assert asked is not None
    start = case.calendar.starts[t]
    years = (start - case.scenario.as_of).days / 365.25
    growth = (1 + asked.load_growth_pct_per_year / 100) ** years
    ties = grid.dc_ties
    share = condition.dc_tie_pct / 100
    most = [credited_mw(grid, condition, g, start) for g in range(len(grid.plants.ids))]
    nothing = np.zeros(len(most))
    return State(
        condition=condition,
        t=t,
        load_mw=grid.load_mw * (condition.load_pct / 100 * growth),
        low_mw=np.concatenate([nothing, share * np.minimum(ties.pmin_mw, 0.0)]),
        high_mw=np.concatenate([np.array(most), share * np.maximum(ties.pmax_mw, 0.0)]),
    )


def credited_mw(grid: Grid, condition: StudyCondition, unit: int, when: date) -> float:
    """Return the MW of a unit that count at ``when``: none before its first or after its last."""
    plants = grid.plants
    begins, ends = plants.from_date[unit], plants.to_date[unit]
    if not plants.in_service[unit]:
        return 0.0
    if (begins is not None and when < begins) or (ends is not None and when >= ends):
        return 0.0
    fuel = plants.fuel[unit]
    credit = condition.other_credit_pct
    for name, pct in condition.credit_pct.items():
        if name.lower() == fuel:
            credit = pct
    return max(0.0, float(plants.pmax_mw[unit])) * credit / 100


def new_load(case: Case, grid: Grid, condition: StudyCondition, t: int) -> FloatArray:
    """Return (N,) firm MW that the plan draws at the buses of its POIs.

    What may be curtailed is not drawn when the grid is at its limits; POIs without a bus draw none.
    """
    out = np.zeros(grid.n_bus)
    for poi in sorted({poi for (_, poi, _), at in case.grid if at == t}):
        if poi in grid.poi_index:
            bus = grid.poi_bus[grid.poi_index[poi]]
            firm = case.poi_mw(poi, t) - case.nonfirm_of_poi.get((poi, t), 0.0)
            out[bus] += max(0.0, firm) * condition.new_load_pct / 100
    return out


def added_mw(case: Case, grid: Grid, t: int) -> FloatArray:
    """Return (M,) MW that the line upgrades in service in period ``t`` add to normal ratings."""
    out = np.zeros(grid.n_branch)
    at = {b: k for k, b in enumerate(grid.branch_ids)}
    for branch, since in case.line_upgrades.items():
        offered = upgrades_on_offer(case).get(branch)
        if since <= t and offered is not None and branch in at:
            out[at[branch]] += offered.mw
    return out


def upgrades_on_offer(case: Case) -> dict[str, LineUpgrade]:
    """Return the line upgrades of the scenario by branch."""
    asked = study(case)
    return {} if asked is None else {u.branch_id: u for u in asked.upgrades}


def outages_of(asked: GridStudy, grid: Grid, bridges: IntArray) -> IntArray:
    """Return the branches that may be lost; those whose loss cuts the grid in two are left out."""
    rule = asked.outages
    cut, named, never = set(bridges.tolist()), set(rule.ids), set(rule.exclude_ids)
    kept = []
    for k, name in enumerate(grid.branch_ids):
        listed = name in named
        if rule.min_kv is not None and (bool(grid.is_line[k]) or rule.transformers):
            ends = grid.bus_kv[grid.from_bus[k]], grid.bus_kv[grid.to_bus[k]]
            listed = listed or min(ends) >= rule.min_kv
        if listed and name not in never and k not in cut:
            kept.append(k)
    return np.array(kept, dtype=np.int64)
