"""Alternatives against full enumeration of the sets of sites, on random small worlds."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from helpers import worlds

from sitepick.blocks import GOALS
from sitepick.blocks.columns import it_at, open_at
from sitepick.errors import ScenarioError
from sitepick.planner import Planner
from sitepick.run import Prepared
from sitepick.solution import Solution
from sitepick.solve.highs import solve_matrix
from sitepick.solve.outcome import Limits
from sitepick.studies import differences as study
from sitepick.studies.alternatives import Alternatives, alternatives

LIMITS = Limits(gap=1e-6, threads=1)
CLOSE = 2e-5
SEEDS = (0, 4, 7, 11, 19, 31)
WITHIN = 0.15


def planned(seed: int) -> tuple[Prepared, Solution]:
    world = worlds.prepared(*worlds.world(seed, 3 + seed % 4))
    _, plan = Planner(world, LIMITS).solve(None)
    if plan is None or sum(plan.npc_musd.values()) <= 0:
        pytest.skip("a world without a plan, or without a cost")
    return world, plan


def costs_of_all_sets(world: Prepared, found: Alternatives) -> dict[frozenset[str], float]:
    """Return the least cost of every set of sites that has a plan, each solved by itself."""
    planner = Planner(world, LIMITS)
    inst = planner.instance
    ids, last = inst.sites.ids, open_at(planner.program, inst)[:, -1]
    free = [i for i in range(len(ids)) if ids[i] not in found.facts]
    it = it_at(planner.program, inst)[..., -1]
    matrix, goal = planner.program.matrix, GOALS.get(world.scenario.objective)
    out = {}
    for chosen in itertools.chain.from_iterable(
        itertools.combinations(free, k) for k in range(len(free) + 1)
    ):
        program = Planner(world, LIMITS).program
        row = program.add_rows(
            "all.site",
            keys={"site": np.arange(max(1, len(chosen)))},
            lower=found.least_it_mw if chosen else 0.0,
        )
        for r, i in zip(row, chosen, strict=False):
            here = it[i][it[i] >= 0]
            program.add_entries(r, here, 1)
        if goal:
            cost = program.term_cost(goal)
            most = -found.best.objective
            kept = program.add_rows("all.goal", keys={"one": [0]},
                                    upper=most + 1e-5 * max(1.0, abs(most)))  # fmt: skip
            program.add_entries(kept[0], np.flatnonzero(cost), cost[cost != 0])
        lower, upper = matrix.lower.copy(), matrix.upper.copy()
        for i in free:
            lower[last[i]] = float(i in chosen)
            upper[last[i]] = min(upper[last[i]], float(i in chosen))
        if (lower > upper).any():
            continue
        made = solve_matrix(replace(program.matrix, lower=lower, upper=upper), LIMITS)
        if made.values is not None:
            out[frozenset(ids[i] for i in chosen)] = made.objective
    return out


def differing(chosen: frozenset[str], earlier: list[frozenset[str]]) -> int:
    return sum(len(chosen ^ other) for other in earlier)


@pytest.mark.parametrize("seed", SEEDS)
def test_each_is_the_most_different_that_the_cost_allows(seed: int) -> None:
    world, plan = planned(seed)
    found = alternatives(world, plan, within=WITHIN, count=4, limits=LIMITS)
    truth = costs_of_all_sets(world, found)
    slack = CLOSE * max(1.0, abs(found.cap_musd))
    cheap = {s: c for s, c in truth.items() if c <= found.cap_musd + slack}
    earlier = [found.best_sites]
    for made in found.found:
        assert made.run.findings == ()
        left = {s: c for s, c in cheap.items() if s not in earlier}
        most = max(differing(s, earlier) for s in left)
        assert made.differences == most == made.most == differing(made.sites, earlier)
        least = min(c for s, c in left.items() if differing(s, earlier) == most)
        assert made.cost_musd == pytest.approx(least, rel=CLOSE, abs=1e-4)
        assert made.cost_musd <= found.cap_musd + slack
        earlier.append(made.sites)
    if len(found.found) < 4:
        assert "proven" in found.stopped
        assert set(cheap) - set(earlier) == set()
    else:
        assert found.stopped == ""


def test_these_worlds_have_alternatives_and_run_out_of_them() -> None:
    counts = []
    for seed in SEEDS:
        world, plan = planned(seed)
        counts.append(len(alternatives(world, plan, within=WITHIN, count=2, limits=LIMITS).found))
    assert max(counts) == 2
    assert min(counts) < 2


@pytest.mark.parametrize("seed", SEEDS[:4])
def test_paying_for_differences_keeps_its_promises(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, plan = planned(seed)
    exact = alternatives(world, plan, within=WITHIN, count=1, limits=LIMITS)
    monkeypatch.setattr(study, "DIRECT", 0)
    found = alternatives(world, plan, within=WITHIN, count=1, limits=LIMITS)
    for made, best in zip(found.found, exact.found, strict=False):
        assert made.run.findings == ()
        assert made.differences <= best.differences <= made.most
        assert made.cost_musd <= found.cap_musd * (1 + CLOSE)
    if not exact.found:
        assert not found.found


def test_nearer_than_the_gap_is_refused() -> None:
    world, plan = planned(0)
    wide = replace(plan, gap=0.02)
    with pytest.raises(ScenarioError, match="below the gap of the plan, 2 %"):
        alternatives(world, wide, within=0.01, count=1, limits=LIMITS)
