"""Random worlds on random grids: lazy rows against the extensive form with every dispatch in it."""

from __future__ import annotations

import dataclasses
from functools import cache

import numpy as np
import pytest
from helpers import listed, tiny, worlds
from helpers.grids import made as made_grid
from helpers.seeds import BENCH, seeds

from sitepick.actions import decisions_of
from sitepick.blocks.columns import poi_at
from sitepick.blocks.deliverability import upgrades_at
from sitepick.checks import judge
from sitepick.dispatch.types import BASE
from sitepick.errors import LayerError
from sitepick.held import hold_plan
from sitepick.matrix import SHARED
from sitepick.network.grid import DcFlow
from sitepick.network.types import Grid
from sitepick.planner import Planner
from sitepick.run import Prepared
from sitepick.scenario.schema import period_starts
from sitepick.solution import DispatchRow, Solution
from sitepick.solve import pricing, solve_with
from sitepick.solve.certificate import certified_bound
from sitepick.solve.outcome import Limits, Outcome

LONG = (224,)
SEEDS = range(200, 232)
LIMITS = Limits(gap=1e-6, threads=1)
CLOSE = 2e-5


def made(seed: int) -> Prepared:
    scenario, tables = worlds.world(seed, 3 + seed % 3)
    if scenario.power.model != "grid":
        pytest.skip("a world without power")
    try:
        scenario, grid = worlds.on_grid(seed, scenario, tables)
        return worlds.prepared(scenario, tables, grid)
    except LayerError as error:
        if "is above the" not in str(error):
            raise
        pytest.skip("a grid that cannot serve its own load")


@cache
def planned(seed: int) -> tuple[Planner, Outcome, Solution | None]:
    """Return the plan of a world, solved once for all that look at it; skips without a world."""
    planner = Planner(made(seed), LIMITS)
    return planner, *planner.solve(None)


def extensive(world: Prepared) -> Planner:
    """Return a planner whose program holds a dispatch for every state, and every outage row."""
    planner = Planner(world, LIMITS)
    program, inst, study = planner.program, planner.instance, world.study
    assert study is not None
    assert inst.joint is not None
    grid, groups, dc = study.grid, study.groups, study.contingencies.dc
    every = dc.ptdf_rows(np.arange(grid.n_branch))
    lodf, _ = dc.lodf(study.contingencies.outages)
    poi, level = poi_at(program, inst), upgrades_at(program, inst)
    for c, t in np.ndindex(study.case_at.shape):
        case = study.cases[study.case_at[c, t]]
        gen = program.add_columns(
            f"gen.{c}.{t}", keys={"k": np.arange(len(groups.ids))}, owner=SHARED,
            lower=case.low_mw, upper=case.high_mw,
        )  # fmt: skip
        share = inst.joint.new_load[c]
        balance = program.add_rows(
            f"balance.{c}.{t}", keys={"one": [0]}, lower=case.load_mw.sum(),
            upper=case.load_mw.sum(),
        )  # fmt: skip
        program.add_entries(balance[0], gen, 1)
        program.add_entries(balance[0], poi[:, t], -share)
        soft, at_poi = nonfirm(planner, t)
        program.add_entries(balance[0], soft, share)
        fixed = -every @ case.load_mw
        pairs = [(b, BASE, 0.0) for b in range(grid.n_branch)]
        pairs += [
            (b, int(o), float(lodf[b, k]))
            for k, o in enumerate(study.contingencies.outages)
            for b in range(grid.n_branch)
            if b != o
        ]
        for number, (b, o, factor) in enumerate(pairs):
            if not np.isfinite(case.rating_mw[b]):
                continue
            flow = every[b] + (factor * every[o] if o != BASE else 0.0)
            alone = fixed[b] + (factor * fixed[o] if o != BASE else 0.0)
            scale = 1.0 if o == BASE else case.emergency_factor
            excuse = case.excuses.get((b, o))
            extra = 0.0 if excuse is None else excuse + study.margin_mw
            limit = scale * case.rating_mw[b] + extra
            for sign in (1.0, -1.0):
                row = program.add_rows(
                    f"pair.{c}.{t}.{number}.{sign}", keys={"one": [0]},
                    upper=limit - sign * alone,
                )  # fmt: skip
                program.add_entries(row[0], gen, sign * flow[groups.bus])
                drawn = -sign * share * flow[inst.joint.bus]
                program.add_entries(row[0], poi[:, t], drawn)
                program.add_entries(row[0], soft, -drawn[at_poi])
                for u, branch in enumerate(study.upgrade_branch):
                    if branch == b:
                        mw = scale * inst.joint.upgrade_mw[u]
                        program.add_entries(row[0], level[u, t], -mw)
    return planner


def nonfirm(planner: Planner, t: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the columns of non-firm MW in a period, and their POIs."""
    family = planner.program.columns_of("flexible.nonfirm")
    if family is None:
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    here = family.keys["period"] == t
    return family.indices[here], planner.instance.ties.poi[family.keys["tie"][here]]


@pytest.mark.parametrize("seed", seeds(SEEDS, LONG))
def test_lazy_rows_reach_the_optimum_of_the_extensive_form(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = made(seed)
    whole = extensive(world)
    best = solve_with("highs", whole.program, LIMITS, exact=True)
    lazy = Planner(world, LIMITS)
    found = solve_with("highs", lazy.program, LIMITS, exact=True, separators=lazy.separators)
    monkeypatch.setattr(pricing, "_SMALL_COLUMNS", 0)
    monkeypatch.setattr(pricing, "_SMALL_OWNERS", 0)
    again = Planner(world, LIMITS)
    limits = Limits(gap=1e-4, threads=1)
    priced = solve_with("highs", again.program, limits, separators=again.separators)
    assert (best.values is None) == (found.values is None) == (priced.values is None)
    if best.values is None:
        return
    scale = max(1.0, abs(best.objective))
    assert found.objective == pytest.approx(best.objective, abs=CLOSE * scale)
    assert -CLOSE * scale <= priced.objective - best.objective <= 1.1e-4 * scale
    for planner, out in ((lazy, found), (again, priced)):
        assert out.bound <= best.objective + CLOSE * scale
        if out.certificate is not None:
            proven = certified_bound(planner.program.matrix, out.certificate)
            assert proven <= best.objective + CLOSE * scale


@pytest.mark.parametrize("seed", seeds(SEEDS, LONG))
def test_the_independent_check_finds_nothing(seed: int) -> None:
    planner, outcome, plan = planned(seed)
    world = planner.prepared
    if plan is None:
        assert outcome.status == "infeasible"
        return
    assert world.study is not None
    grid = world.study.grid
    assert judge(world.scenario, world.layers, world.candidates, plan, grid) == []
    assert listed.wrong(world, plan, listed.table(world, plan), grid) == []
    assert listed.money_apart(world, plan) < 1e-4


@pytest.mark.parametrize("seed", seeds(SEEDS[::4], LONG))
def test_a_plan_that_the_grid_carries_is_held_whole(seed: int) -> None:
    first, outcome, plan = planned(seed)
    world = first.prepared
    if plan is None:
        pytest.skip("a world without a plan")
    planner, asked = Planner(world, LIMITS), decisions_of(plan)
    kept = hold_plan(planner, plan, asked)
    assert kept.start is not None
    assert not kept.lost
    again, new = planner.solve(planner.complete(kept.start))
    assert new is not None
    assert again.objective == pytest.approx(outcome.objective, rel=CLOSE, abs=1e-4)
    now = decisions_of(new)
    assert {d: now.get(d, 0.0) for d in asked} == {
        d: pytest.approx(v, abs=1e-4) for d, v in asked.items()
    }


def test_the_grids_bind_and_upgrades_are_bought() -> None:
    rows, bought = 0, 0.0
    for seed in SEEDS:
        if seed in LONG and not BENCH:
            continue
        try:
            planner, _, plan = planned(seed)
        except pytest.skip.Exception:
            continue
        rows += sum(f.startswith("deliverability.joint#") for f in planner.program.row_families)
        bought += 0 if plan is None else len(plan.line_upgrades)
    assert rows > 20
    assert bought > 0


@pytest.mark.parametrize("seed", seeds(SEEDS[::6], LONG))
def test_another_solver_reaches_the_same_plan_by_lazy_rows(seed: int) -> None:
    pytest.importorskip("pulp")
    world = made(seed)
    one, other = Planner(world, LIMITS), Planner(world, LIMITS)
    a = solve_with("highs", one.program, LIMITS, exact=True, separators=one.separators)
    b = solve_with("cbc", other.program, LIMITS, separators=other.separators)
    assert (a.values is None) == (b.values is None)
    if a.values is not None:
        assert b.objective == pytest.approx(a.objective, rel=CLOSE, abs=1e-4)


@pytest.mark.parametrize("seed", seeds(SEEDS[::2], LONG))
def test_a_plan_made_wrong_is_caught_with_its_amount(seed: int) -> None:
    """Dispatch left out, a unit off by 1 MW, a rating lowered below the flow that is there."""
    planner, _, plan = planned(seed)
    world = planner.prepared
    if plan is None or not plan.dispatch:
        return
    assert world.study is not None
    grid = world.study.grid

    def found(solution: Solution, on: Grid = grid) -> dict[tuple[str, str], float]:
        rows = judge(world.scenario, world.layers, world.candidates, solution, on)
        return {(f.check, f.where): f.amount for f in rows}

    last = plan.dispatch[-1]
    state = f"condition {last.condition}, {last.period}"
    more = dataclasses.replace(last, mw=last.mw + 1)
    off = dataclasses.replace(plan, dispatch=(*plan.dispatch[:-1], more))
    assert found(off)["deliverability.balance", state] == pytest.approx(1, abs=2e-3)
    here = [r for r in plan.dispatch if (r.condition, r.period) == (last.condition, last.period)]
    others = tuple(r for r in plan.dispatch if r not in here)
    missing = found(dataclasses.replace(plan, dispatch=others))
    case = world.study.cases[world.study.case_at[_at(world, last)]]
    drawn = sum(r.mw for r in here) - float(case.load_mw.sum())
    told = missing.get(("deliverability.dispatch", state), 0.0)
    assert told == pytest.approx(drawn if drawn > 1e-3 else 0.0, abs=2e-3)
    # without excuses and upgrades the flow of the most loaded branch is what its rating lacks
    units = {name: k for k, name in enumerate(grid.plants.ids)}
    given = np.zeros(grid.n_bus)
    for row in here:
        given[grid.plants.bus[units[row.unit_id]]] += row.mw
    load = case.load_mw + _new_load(world, plan, last)
    flow = np.abs(DcFlow(grid).flows(given - load))
    branch = int(flow.argmax())
    if flow[branch] < 1.5:
        return
    name = grid.branch_ids[branch]
    rating = grid.rating_mw.copy()
    rating[branch] = flow[branch] - 1
    bare = dataclasses.replace(plan, excused=(), line_upgrades=())
    lower = found(bare, dataclasses.replace(grid, rating_mw=rating))
    where = f"branch {name}, {state}"
    assert lower["deliverability.normal", where] == pytest.approx(1, abs=5e-3)


def _at(world: Prepared, row: DispatchRow) -> tuple[int, int]:
    assert world.study is not None
    names = [c.id for c in world.study.conditions]
    starts = [day.isoformat() for day in period_starts(world.scenario.periods)]
    return names.index(row.condition), starts.index(row.period)


def _new_load(world: Prepared, plan: Solution, at: DispatchRow) -> np.ndarray:
    """Return (N,) firm MW of the plan in the state of a row."""
    assert world.study is not None
    grid = world.study.grid
    share = next(c for c in world.study.conditions if c.id == at.condition).new_load_pct / 100
    mw = dict.fromkeys(grid.poi_ids, 0.0)
    for row in plan.grid:
        mw[row.poi_id] += row.grid_mw * (row.period == at.period)
    for part in plan.nonfirm:
        mw[part.poi_id] -= part.grid_mw * (part.period == at.period)
    out = np.zeros(grid.n_bus)
    for k, poi in enumerate(grid.poi_ids):
        out[grid.poi_bus[k]] += mw[poi] * share
    return out


def test_load_that_nobody_draws_relieves_no_branch() -> None:
    # b's load would relieve b-c for c, but b has no room for a hall: nothing can be placed at c
    grid = made_grid(
        [("a", 0, ""), ("b", 0, "P"), ("c", 90, "Q")],
        [("ab", "a", "b", 0.1, 1000), ("bc", "b", "c", 0.1, 30), ("ac", "a", "c", 0.1, 1000)],
        [("g", "a", "ng", 500, 40)],
    )
    section = {"file": "triangle", "conditions": [{"id": "peak"}], "outages": {"min_kv": None}}
    scenario = tiny.scenario(grid=section, existing=[])
    sites = [{**s, "decision": "consider"} for s in tiny.TABLES["sites"] if s["site_id"] != "C"]
    for row in sites:
        row["usable_ha"] = 0.1 if row["site_id"] == "A" else 50.0
    ties = [t for t in tiny.TABLES["ties"]
            if (t["site_id"], t["poi_id"]) in (("A", "P"), ("B", "Q"))]  # fmt: skip
    pois = [p for p in tiny.TABLES["pois"] if p["poi_id"] != "R"]
    tables = tiny.candidates(sites=sites, ties=ties, pois=pois)
    _, plan = Planner(worlds.prepared(scenario, tables, grid), LIMITS).solve(None)
    assert plan is not None
    assert plan.grid == ()
    wide = tiny.candidates(sites=[{**s, "usable_ha": 50.0} for s in sites], ties=ties, pois=pois)
    _, plan = Planner(worlds.prepared(scenario, wide, grid), LIMITS).solve(None)
    assert plan is not None
    drawn = {row.poi_id for row in plan.grid}
    assert drawn in ({"P"}, {"P", "Q"}), "with halls at b, c may follow"
