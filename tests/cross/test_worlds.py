"""Random worlds: two readings of docs/model.md agree, and so do all ways to solve.

The model writes rows, the check re-judges the plan with code that shares nothing with it. Further:
whole against priced in, HiGHS against CBC and SCIP, and full enumeration of openings.
"""

from __future__ import annotations

import importlib.util
import itertools
from functools import cache

import numpy as np
import pytest
from helpers import listed, worlds
from helpers.seeds import seeds

from sitepick.blocks import build
from sitepick.checks import judge
from sitepick.errors import ScenarioError
from sitepick.planner import Planner
from sitepick.program import Program
from sitepick.run import Prepared
from sitepick.solve import pricing, solve_with
from sitepick.solve.certificate import certified_bound
from sitepick.solve.outcome import Limits, Outcome

SEEDS = range(64)
GAP = 1e-6
LIMITS = Limits(gap=GAP, threads=1)
CLOSE = 2e-5
"""Largest relative distance of two optima that each solver states within its own tolerances."""


def made(seed: int) -> Prepared:
    return worlds.prepared(*worlds.world(seed, 3 + seed % 5))


@cache
def program_of(seed: int) -> Program:
    return Planner(made(seed), LIMITS).program


@cache
def whole(seed: int) -> Outcome:
    """Return the optimum of a world handed to HiGHS at once: what other ways are held against."""
    return solve_with("highs", program_of(seed), LIMITS, exact=True)


def same(a: Outcome, b: Outcome) -> None:
    assert (a.values is None) == (b.values is None), (a.status, b.status)
    if a.values is not None:
        assert a.objective == pytest.approx(b.objective, rel=CLOSE, abs=1e-4)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_independent_check_finds_nothing(seed: int) -> None:
    world = made(seed)
    outcome, plan = Planner(world, LIMITS).solve(None)
    if plan is None:
        assert outcome.status == "infeasible"
        return
    assert judge(world.scenario, world.layers, world.candidates, plan) == []
    assert listed.wrong(world, plan, listed.table(world, plan)) == []
    assert listed.money_apart(world, plan) < 1e-4


def test_the_worlds_are_not_all_without_a_plan_and_reach_every_block() -> None:
    families: set[str] = set()
    for seed in SEEDS:
        program = program_of(seed)
        families |= {f for f, x in program.row_families.items() if x.size}
    rooms = {f.split(".")[0] for f in families}
    from sitepick.blocks import BLOCKS

    # the grid has worlds of its own: test_grid_worlds.py
    assert {b.NAME for b in BLOCKS} - {"deliverability"} <= rooms
    assert {"headroom.shared", "headroom.billed", "headroom.accepted", "headroom.steps_stay",
            "headroom.ramp",
            "regions.share", "regions.min_once", "regions.co2", "regions.water", "siting.closed",
            "siting.land", "power.energy", "limits.cost", "limits.it",
            "limits.served"} <= families  # fmt: skip


@pytest.mark.parametrize("seed", seeds(SEEDS, long=(9, 36, 39, 59, 62)))
def test_pricing_in_reaches_the_optimum(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    program, best = program_of(seed), whole(seed)
    monkeypatch.setattr(pricing, "_SMALL_COLUMNS", 0)
    monkeypatch.setattr(pricing, "_SMALL_OWNERS", 0)
    limits = Limits(gap=1e-4, threads=1)
    priced = solve_with("highs", program, limits, branch_families=("siting.open",))
    assert (best.values is None) == (priced.values is None), (best.status, priced.status)
    if best.values is None or priced.values is None:
        assert best.status == priced.status == "infeasible"
        return
    scale = max(1.0, abs(best.objective))
    assert priced.objective - best.objective <= 1.1e-4 * scale
    assert best.objective - priced.objective <= CLOSE * scale
    for out in (best, priced):
        assert out.bound <= best.objective + CLOSE * scale
        if out.certificate is not None:
            proven = certified_bound(program.matrix, out.certificate)
            assert proven <= best.objective + CLOSE * scale


@pytest.mark.parametrize(("name", "package"), [("cbc", "pulp"), ("scip", "ortools")])
@pytest.mark.parametrize("seed", SEEDS[::4])
def test_other_solvers_agree(seed: int, name: str, package: str) -> None:
    if importlib.util.find_spec(package) is None:
        pytest.skip(f"{package} is not installed")
    program = program_of(seed)
    try:
        other = solve_with(name, program, LIMITS)
    except ScenarioError as error:
        pytest.skip(str(error))
    same(whole(seed), other)


def openings(world: Prepared) -> float:
    """Return the least cost over every combination of opening periods, each solved by itself."""
    planner = Planner(world, LIMITS)
    inst, best = planner.instance, np.inf
    n = inst.time.n
    choices = []
    for i in range(len(inst.sites.ids)):
        first = 0 if inst.sites.existing[i] else int(inst.sites.open_from[i])
        last = 0 if inst.sites.existing[i] else n
        choices.append(range(first, last + 1))
    for starts in itertools.product(*choices):
        program, _ = build(inst)
        level = program.index("siting.open", (len(starts), n))
        for i, start in enumerate(starts):
            value = [float(t >= start) for t in range(n)]
            row = program.add_rows(f"fixed.{i}", keys={"period": np.arange(n)}, lower=value,
                                   upper=value)  # fmt: skip
            program.add_entries(row, level[i], 1)
        found = solve_with("highs", program, LIMITS, exact=True)
        best = min(best, found.objective if found.values is not None else np.inf)
    return best


# worlds of 9 to 125 combinations, three of them with leased halls: 340 programs in all
@pytest.mark.parametrize("seed", seeds([102, 103, 104, 105, 107, 113, 125], long=[125]))
def test_no_combination_of_openings_is_cheaper(seed: int) -> None:
    world = worlds.prepared(*worlds.world(seed, 3))
    plan = solve_with("highs", Planner(world, LIMITS).program, LIMITS)
    best = openings(world)
    if plan.values is None:
        assert np.isinf(best)
    else:
        assert plan.objective == pytest.approx(best, rel=CLOSE, abs=1e-4)
