"""The base of a headroom screening: load, dispatch and sink of one study condition."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import Literal

import numpy as np

from sitepick.dispatch.secure import SecureDispatch
from sitepick.dispatch.types import TOLERANCE_MW, Case, Pair
from sitepick.errors import LayerError
from sitepick.network.conditions import (
    credits_of,
    dispatch_range,
    drawn_mw,
    groups_of,
    standing,
)
from sitepick.network.contingency import Contingencies
from sitepick.network.grid import DcFlow
from sitepick.network.types import FloatArray, Grid, IntArray
from sitepick.scenario.grid import StudyCondition

Rule = Literal["economic", "stored"]


@dataclass(frozen=True)
class Base:
    """What `withdrawal_headroom` needs of a condition; each array is (N,) MW."""

    load_mw: FloatArray
    gen_mw: FloatArray
    sink: FloatArray  # capacity that counts and is not dispatched: it serves new load
    excused_mw: dict[Pair, float]  # over the limit whatever the dispatch


def base_of(
    grid: Grid,
    condition: StudyCondition,
    when: date,
    *,
    rule: Rule,
    outages: IntArray,
    emergency_factor: float,
    growth_pct_per_year: float = 0.0,
    years: float = 0.0,
) -> Base:
    """Return the base of ``condition`` at ``when``, ``years`` after the load of the tables.

    ``economic``: least cost with every rating kept, normal in the base and emergency after each of
    ``outages``; what no dispatch keeps is excused, least MW. ``stored``: the dispatch of the
    tables up to the capacity that counts; what lacks comes from spare capacity pro rata, what is
    too much is scaled down. Raises `LayerError` for load that no generation can serve.
    """
    load = drawn_mw(grid, condition, growth_pct_per_year, years)
    dc = DcFlow(grid)
    if rule == "stored":
        return _stored(grid, dc, condition, when, load)
    groups = groups_of(grid)
    low, high, units = dispatch_range(grid, groups, condition, when)
    most = np.bincount(groups.bus, weights=high, minlength=grid.n_bus).astype(float)
    far = groups.other_bus >= 0
    np.subtract.at(most, groups.other_bus[far], low[far])
    _check(grid, dc, condition, load, most)
    case = Case(groups, low, high, units, load, grid.rating_mw, emergency_factor)
    contingencies = Contingencies(dc, outages, grid.rating_mw, emergency_factor)
    over = SecureDispatch(contingencies, case, by_pair=True).least_over()
    if over.unserved_mw > TOLERANCE_MW:
        raise LayerError(
            f"grid: {over.unserved_mw:,.0f} MW of load cannot be served in condition "
            f"{condition.id!r}; check credit_pct, load_pct and the plants' status"
        )
    found = SecureDispatch(contingencies, replace(case, excuses=over.over_mw)).cheapest()
    mw = (over if found is None else found).mw
    gen = np.bincount(groups.bus, weights=mw, minlength=grid.n_bus).astype(float)
    np.subtract.at(gen, groups.other_bus[far], mw[far])
    # a tie is a schedule agreed with another grid: it does not follow load here
    plants = np.arange(mw.size) < mw.size - len(grid.dc_ties.ids)
    spare = np.where(plants, np.maximum(high - mw, 0.0), 0.0)
    sink = np.bincount(groups.bus, weights=spare, minlength=grid.n_bus).astype(float)
    return Base(load, gen, sink, over.over_mw)


def _stored(
    grid: Grid, dc: DcFlow, condition: StudyCondition, when: date, load: FloatArray
) -> Base:
    plants = grid.plants
    most = np.maximum(plants.pmax_mw, 0.0) * credits_of(grid, condition) * standing(grid, when)
    run = np.minimum(np.maximum(plants.pg_mw, 0.0), most)
    at_bus = [np.bincount(plants.bus, weights=mw, minlength=grid.n_bus) for mw in (run, most)]
    gen, can = (mw.astype(float) for mw in at_bus)
    _check(grid, dc, condition, load, can)

    def island(mw: FloatArray) -> FloatArray:
        total = np.bincount(dc.island, weights=mw, minlength=dc.n_islands).astype(float)
        return np.asarray(total[dc.island], dtype=float)

    spare = can - gen
    lacks = np.maximum(island(load - gen), 0.0)
    more = np.divide(lacks, island(spare), out=np.zeros_like(lacks), where=island(spare) > 0)
    less = np.divide(island(load), island(gen), out=np.ones_like(lacks), where=island(gen) > 0)
    gen = np.where(lacks > 0, gen + more * spare, np.clip(less, 0.0, 1.0) * gen)
    return Base(load, gen, np.maximum(can - gen, 0.0), {})


def _check(
    grid: Grid, dc: DcFlow, condition: StudyCondition, load: FloatArray, can: FloatArray
) -> None:
    """Refuse load above what can be generated, island by island."""
    drawn = np.bincount(dc.island, weights=load, minlength=dc.n_islands)
    most = np.bincount(dc.island, weights=can, minlength=dc.n_islands)
    problems = []
    for k in np.flatnonzero(drawn > most + 1e-6):
        first = grid.bus_ids[int(np.flatnonzero(dc.island == k)[0])]
        problems.append(
            f"grid: load {drawn[k]:,.0f} MW is above the {most[k]:,.0f} MW that the plants of the "
            f"island of bus {first} can be counted on for in condition {condition.id!r}; check "
            "credit_pct, load_pct and the plants' status"
        )
    if problems:
        raise LayerError(problems)
