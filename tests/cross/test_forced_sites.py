"""Verdicts against the truth: each site that is not in a plan is forced in and solved again.

`SITEPICK_TEXAS=1` does the same for 20 random sites of both Texas scenarios (some minutes) and
prints how far the estimates were off.
"""

from __future__ import annotations

import dataclasses
import math
import os
from pathlib import Path

import numpy as np
import pytest
from helpers import worlds
from helpers.seeds import seeds

from sitepick import pipeline
from sitepick.blocks.columns import open_at
from sitepick.errors import LayerError
from sitepick.planner import Planner
from sitepick.run import Prepared, Verdict
from sitepick.solve import pricing
from sitepick.solve.highs import solve_matrix
from sitepick.solve.outcome import Limits, Outcome
from sitepick.verdicts import explained

LIMITS = Limits(gap=1e-6, threads=1)
CLOSE = 2e-5
SCENARIOS = Path(__file__).parents[2] / "scenarios"


def with_required(world: Prepared, site_id: str) -> Prepared:
    """Return a world in which the decision on a candidate is ``require``."""
    sites = world.candidates.sites.copy()
    sites.loc[sites["site_id"] == site_id, "decision"] = "require"
    return dataclasses.replace(world, candidates=dataclasses.replace(world.candidates, sites=sites))


def judged(world: Prepared, solver: str = "highs") -> tuple[Planner, Outcome, dict[str, Verdict]]:
    """Return the planner of a world, its solve by cost, and the verdicts by site."""
    planner = Planner(world, LIMITS, solver)
    planner.solve(None)
    out = planner.by_cost
    if out is None or out.values is None:
        pytest.skip("a world without a plan")
    told = explained(planner, out, planner.held_prices(out.values))
    return planner, out, {v.site_id: v for v in told.verdicts}


def keeps(verdict: Verdict, plan: Outcome, forced: float) -> None:
    """Hold a verdict against a plan with the site forced in; ``forced`` is inf without any."""
    slack = CLOSE * max(1.0, abs(plan.objective))
    if verdict.proven_musd is None:
        assert math.isinf(forced), verdict
        return
    assert verdict.estimate_musd is not None
    assert verdict.estimate_musd >= verdict.proven_musd - slack >= -slack
    if verdict.proven_musd > 0:
        assert forced - plan.objective >= verdict.proven_musd - slack, (verdict, forced)
    # the estimate stands on the bound: with nothing proven there is still something to break
    assert forced >= plan.certified_bound + verdict.estimate_musd - slack, (verdict, forced)


@pytest.mark.parametrize("seed", seeds(range(24), long=[20]))
def test_no_plan_with_the_site_is_cheaper_than_proven(seed: int) -> None:
    planner, out, verdicts = judged(worlds.prepared(*worlds.world(seed, 3 + seed % 3)))
    matrix = planner.program.matrix
    level = open_at(planner.program, planner.instance)
    ids = planner.instance.sites.ids
    assert set(verdicts) == set(planner.prepared.candidates.sites["site_id"])
    for i, site in enumerate(ids):
        verdict = verdicts[site]
        assert verdict.why
        opened = out.values is not None and out.values[level[i, -1]] > 0.5
        assert opened == (verdict.verdict in ("chosen", "existing"))
        if opened:
            continue
        lower = matrix.lower.copy()
        lower[level[i, -1]] = 1.0
        if matrix.upper[level[i, -1]] < 1:
            assert verdict.proven_musd is None
            continue
        forced = solve_matrix(dataclasses.replace(matrix, lower=lower), LIMITS)
        keeps(verdict, out, forced.objective)


def test_these_worlds_have_verdicts_of_every_kind() -> None:
    found: set[str] = set()
    proven = 0
    for seed in (7, 8, 13, 16):
        planner = Planner(worlds.prepared(*worlds.world(seed, 3 + seed % 5)), LIMITS)
        planner.solve(None)
        if planner.by_cost is None:
            continue
        for v in explained(planner, planner.by_cost, None).verdicts:
            found.add(v.verdict)
            proven += bool(v.proven_musd)
    assert found == {"chosen", "existing", "not_chosen", "blocked", "rejected"}
    assert proven >= 5


@pytest.mark.parametrize("seed", range(0, 24, 2))
def test_the_decision_to_require_it_agrees(seed: int) -> None:
    world = worlds.prepared(*worlds.world(seed, 3 + seed % 5))
    if world.scenario.objective != "min_cost":
        pytest.skip("forced at the value of another objective")
    _, out, verdicts = judged(world)
    for verdict in verdicts.values():
        if verdict.verdict in ("not_chosen", "blocked"):
            forced, _ = Planner(with_required(world, verdict.site_id), LIMITS).solve(None)
            keeps(verdict, out, forced.objective)


@pytest.mark.parametrize("seed", range(200, 216))
def test_with_a_grid_too(seed: int) -> None:
    scenario, tables = worlds.world(seed, 3 + seed % 3)
    if scenario.power.model != "grid" or scenario.objective != "min_cost":
        pytest.skip("a world without power, or of another objective")
    try:
        scenario, grid = worlds.on_grid(seed, scenario, tables)
        world = worlds.prepared(scenario, tables, grid)
    except LayerError as error:
        pytest.skip(str(error))
    _, out, verdicts = judged(world)
    for verdict in verdicts.values():
        if verdict.verdict in ("not_chosen", "blocked"):
            forced, _ = Planner(with_required(world, verdict.site_id), LIMITS).solve(None)
            keeps(verdict, out, forced.objective)


@pytest.mark.parametrize("seed", range(0, 40, 3))
def test_bounds_by_branching_prove_no_more_than_is_true(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pricing, "_SMALL_COLUMNS", 0)
    monkeypatch.setattr(pricing, "_SMALL_OWNERS", 0)
    planner, out, verdicts = judged(worlds.prepared(*worlds.world(seed, 3 + seed % 3)))
    matrix = planner.program.matrix
    level = open_at(planner.program, planner.instance)
    for i, site in enumerate(planner.instance.sites.ids):
        if verdicts[site].verdict not in ("not_chosen", "blocked"):
            continue
        lower = matrix.lower.copy()
        lower[level[i, -1]] = min(1.0, matrix.upper[level[i, -1]])
        if lower[level[i, -1]] < 1:
            continue
        forced = solve_matrix(dataclasses.replace(matrix, lower=lower), LIMITS)
        keeps(verdicts[site], out, forced.objective)


@pytest.mark.skipif(
    "SITEPICK_TEXAS" not in os.environ, reason="takes minutes; set SITEPICK_TEXAS=1 to run it"
)
@pytest.mark.parametrize("name", ["texas", "texas_grid"])
def test_twenty_sites_of_texas(name: str) -> None:
    prepared = pipeline.prepare(pipeline.load(SCENARIOS / f"{name}.yaml"))
    run = pipeline.solve(prepared)
    assert run.solution is not None
    assert len(run.verdicts) == len(prepared.candidates.sites)
    others = [v for v in run.verdicts if v.verdict in ("not_chosen", "blocked")]
    picked = np.random.default_rng(4).choice(len(others), 20, replace=False)
    errors = []
    for k in sorted(picked.tolist()):
        verdict = others[k]
        world = with_required(prepared, verdict.site_id)
        planner = Planner(world, Limits(gap=prepared.scenario.solver.gap_pct / 100))
        forced, _ = planner.solve(planner.started_from(run.solution))
        keeps(verdict, run.outcome, forced.objective)
        # what the truth is lies between the bound and the plan of the second solve
        low, high = forced.bound - run.outcome.objective, forced.objective - run.outcome.objective
        errors.append((verdict.estimate_musd or 0.0) - high)
        print(f"{name} {verdict.site_id}: estimate {verdict.estimate_musd:.2f} MUSD, proven "
              f"{verdict.proven_musd:.2f}, again {high:.2f} (at least {low:.2f})")  # fmt: skip
    size = np.abs(errors)
    print(f"{name}: the estimate is off by {size.mean():.2f} MUSD in the mean, {size.max():.2f} "
          "at most; both plans are within the asked gap")  # fmt: skip
