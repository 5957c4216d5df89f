"""Random worlds a month later: the plan that changes least is a plan, and within the gap."""

from __future__ import annotations

import dataclasses
from datetime import date

import numpy as np
import pytest
from helpers import worlds

from sitepick.blocks.change import POI_MW, SITE_MW
from sitepick.checks import judge
from sitepick.earlier import earlier_table
from sitepick.errors import LayerError
from sitepick.planner import Planner
from sitepick.run import Prepared
from sitepick.scenario.schema import period_starts
from sitepick.solution import Solution
from sitepick.solve.outcome import Limits
from sitepick.steady import steadied

LIMITS = Limits(gap=2e-3, threads=1)
SEEDS = (3, 5, 9, 10, 22, 24)
ON_GRID = (3, 9, 22)


def made(seed: int, *, grid: bool) -> Prepared:
    scenario, tables = worlds.world(seed, 4)
    if not grid:
        return worlds.prepared(scenario, tables)
    try:
        scenario, network = worlds.on_grid(seed, scenario, tables)
        return worlds.prepared(scenario, tables, network)
    except LayerError as error:
        pytest.skip(str(error))


def later(world: Prepared, plan: Solution, *, smaller: str | None) -> Prepared:
    """Return the world with ``plan`` as the earlier one, and site ``smaller`` cut to 3 IT MW."""
    tables = world.candidates
    if smaller is not None:
        sites = tables.sites.copy()
        sites["max_it_mw"] = np.where(sites["site_id"] == smaller, 3.0, sites["max_it_mw"])
        tables = dataclasses.replace(tables, sites=sites)
    earlier = earlier_table(plan, period_starts(world.scenario.periods))
    return dataclasses.replace(world, candidates=dataclasses.replace(tables, earlier=earlier))


def change_of(world: Prepared, before: Solution, plan: Solution) -> float:
    """Return the change in MW-years by plain loops over both plans; same periods, no gone site."""
    days = period_starts(world.scenario.periods)
    first: date = days[0]
    months = (days[1].year - first.year) * 12 + days[1].month - first.month
    mw: dict[tuple[str, str], float] = {}
    for sign, rows in ((1, plan.it), (-1, before.it)):
        for row in rows:
            key = row.site_id, row.period
            mw[key] = mw.get(key, 0.0) + sign * row.it_mw
    years = months / 12
    starts = [day.isoformat() for day in days[:-1]]
    stand = [
        {(s.site_id, p) for s in plan.sites for p in starts if (s.opened or "") <= p}
        for plan in (before, plan)
    ]
    had = {(t.site_id, t.poi_id) for t in before.ties}
    old = {s.site_id for s in before.sites}
    other = sum(
        (t.since or "") <= p
        for t in plan.ties
        for p in starts
        if t.site_id in old and (t.site_id, t.poi_id) not in had
    )
    alone = len(stand[0] ^ stand[1])
    return years * (sum(map(abs, mw.values())) + SITE_MW * alone + POI_MW * other)


def first_plan(seed: int, *, grid: bool) -> tuple[Prepared, Solution]:
    world = made(seed, grid=grid)
    _, plan = Planner(world, LIMITS).solve(None)
    if plan is None or not plan.sites:
        pytest.skip("a world without a plan, or without a site")
    return world, plan


@pytest.mark.parametrize(
    ("seed", "grid"), [*((s, False) for s in SEEDS), *((s, True) for s in ON_GRID)]
)
def test_less_changes_and_all_of_it_is_right(seed: int, *, grid: bool) -> None:
    world, before = first_plan(seed, grid=grid)
    leased = set(world.candidates.leases["site_id"])  # as large as their contract says
    opened = [s.site_id for s in before.sites if s.opened and s.site_id not in leased]
    for smaller in (None, opened[-1] if opened else None):
        month = later(world, before, smaller=smaller)
        planner = Planner(month, LIMITS)
        free, loose = planner.solve(planner.started_from(before))
        if loose is None:
            continue
        out, plan, told = steadied(planner, free, before)
        assert plan is not None
        assert judge(month.scenario, month.layers, month.candidates, plan, grid=None if
                     month.study is None else month.study.grid) == []  # fmt: skip
        assert out.bound == free.bound
        assert out.status == free.status
        change = change_of(world, before, plan)
        assert told.change_mw_years == pytest.approx(change, abs=1e-3)
        assert told.least_mw_years <= change + 1e-6
        assert change <= change_of(world, before, loose) + 1e-3
        if smaller is None:
            assert told.kept
            assert plan.moved == ()
            assert plan.sites == before.sites
            assert plan.ties == before.ties
