"""Work within reach without flows: the rows that enter say the same as the flows do."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import scipy.sparse as sp
from helpers import worlds
from helpers.seeds import seeds
from hypothesis import given, settings
from hypothesis import strategies as st

from sitepick.checks import judge
from sitepick.instance import demand as instance_demand
from sitepick.matrix import FloatArray
from sitepick.planner import Planner
from sitepick.run import Prepared
from sitepick.serving import ReachLimits, failing_sets, flows, in_common
from sitepick.solution import Solution
from sitepick.solve import pricing
from sitepick.solve.lazy import Trial
from sitepick.solve.outcome import Limits, Outcome

LIMITS = Limits(gap=1e-6, threads=1)
SEEDS = (0, 2, 4, 6, 9, 10, 11, 14, 17, 20, 22, 32)  # worlds with places


def spread_out(seed: int) -> Prepared:
    """Return a random world in which carrying work costs nothing and reach decides."""
    scenario, candidates = worlds.world(seed, 4 + seed % 5)
    # traffic is told by place: with services or pools every program holds the flows
    free = {"transport_usd_per_mw_km_year": 0.0, "splits": []}
    scenario = scenario.model_copy(
        update={
            "demand": scenario.demand.model_copy(update=free),
            "fiber": scenario.fiber.model_copy(update={"services": []}),
        }
    )
    reach = candidates.reach.copy()
    reach["musd_per_mw_year"] = 0.0
    rng = np.random.default_rng(seed)
    reach = reach[rng.random(len(reach)) < 0.7].reset_index(drop=True)
    return worlds.prepared(scenario, replace(candidates, reach=reach))


@cache
def with_flows(seed: int) -> tuple[Prepared, Outcome, Solution | None]:
    """Return a world and its plan by a program that holds the flows."""
    world = spread_out(seed)
    assert len(world.candidates.reach)
    whole = Planner(world, LIMITS)
    assert not whole.instance.demand.pooled
    return world, *whole.solve(None)


@pytest.mark.parametrize("parts", [False, True])
@pytest.mark.parametrize("seed", seeds((*SEEDS, 3), long=[3]))
def test_both_programs_have_one_optimum(
    seed: int, parts: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, first, plan = with_flows(seed)
    monkeypatch.setattr(instance_demand, "POOLED_ABOVE", -1)
    if not parts:  # every row is one that was missed
        monkeypatch.setattr(ReachLimits, "begin", lambda self: None)
    else:
        monkeypatch.setattr(pricing, "_SMALL_COLUMNS", 0)
        monkeypatch.setattr(pricing, "_SMALL_OWNERS", 0)
    pooled = Planner(world, LIMITS if not parts else replace(LIMITS, gap=1e-4))
    assert pooled.instance.demand.pooled
    assert "place" not in pooled.program.column_families["demand.serve"].keys
    second, other = pooled.solve(None)
    assert (plan is None) == (other is None), (first.status, second.status)
    if plan is None or other is None:
        return
    scale = max(1.0, abs(first.objective))
    assert second.objective == pytest.approx(
        first.objective, abs=(1.1e-4 if parts else 2e-5) * scale
    )
    assert second.bound <= first.objective + 2e-5 * scale
    assert judge(world.scenario, world.layers, world.candidates, other) == []


def test_some_worlds_need_the_rows() -> None:
    """The comparison is worth something: without rows that enter, plans serve out of reach."""
    missed: set[int] = set()

    def tried(self: ReachLimits, values: FloatArray) -> Trial | None:
        found = looked(self, values)
        if found is not None:
            missed.add(seed)
        return found

    looked = ReachLimits.tried
    for seed in SEEDS:
        world = spread_out(seed)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(instance_demand, "POOLED_ABOVE", -1)
            patch.setattr(ReachLimits, "begin", lambda self: None)
            patch.setattr(ReachLimits, "tried", tried)
            Planner(world, LIMITS).solve(None)
    assert len(missed) >= 3


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_sets_are_found_exactly_where_no_flow_serves_all(data: st.DataObject) -> None:
    """Gale and Hoffman by enumeration of all sets of places."""
    n, m = data.draw(st.integers(1, 5)), data.draw(st.integers(1, 5))
    near = np.array([[data.draw(st.booleans()) for _ in range(m)] for _ in range(n)], dtype=float)
    amount = st.integers(0, 40).map(lambda k: k / 4)
    work = np.array([data.draw(amount) for _ in range(n)])
    need = np.array([data.draw(amount) for _ in range(m)])

    def failure(places: list[int]) -> float:
        return float(need[places].sum() - work[near[:, places].any(axis=1)].sum())

    every = [[d for d in range(m) if k >> d & 1] for k in range(1, 2**m)]
    worst = max(failure(places) for places in every)
    reach = sp.csr_array(near)
    found = failing_sets(reach, work, need, in_common(reach))
    assert bool(found) == (worst > 1e-3)
    for places in found:
        assert failure(list(places)) > 0
    if found:
        union = sorted({int(d) for places in found for d in places})
        assert failure(union) == pytest.approx(worst, abs=1e-3)


def test_flows_hand_out_all_work() -> None:
    seed = next(s for s in SEEDS if len(spread_out(s).candidates.reach) > 4)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(instance_demand, "POOLED_ABOVE", -1)
        planner = Planner(spread_out(seed), LIMITS)
        outcome, plan = planner.solve(None)
    assert outcome.values is not None
    assert plan is not None
    handed = flows(planner.program, planner.instance, outcome.values)
    serve = planner.program.column_families["demand.serve"]
    assert handed.mw.sum() == pytest.approx(outcome.values[serve.indices].sum(), abs=1e-3)
    assert ReachLimits(planner.instance, planner.program)(outcome.values) == 0
    assert sum(row.ref_mw for row in plan.serve) == pytest.approx(handed.mw.sum())
