"""Programs without the columns that no plan can use have the optimum of the whole ones."""

from __future__ import annotations

import numpy as np
import pytest
from helpers import worlds
from helpers.seeds import seeds

import sitepick.instance as instances
from sitepick.blocks.energised import holds_it
from sitepick.checks import judge
from sitepick.planner import Planner
from sitepick.solve.outcome import Limits

LIMITS = Limits(gap=1e-6, threads=1)
SEEDS = range(0, 40, 2)


def _both(seed: int) -> tuple[Planner, Planner]:
    world = worlds.prepared(*worlds.world(seed, 4 + seed % 4))
    whole = Planner(world, LIMITS, exact=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(instances, "TRIMMED_ABOVE", -1)
        return whole, Planner(world, LIMITS, exact=True)


@pytest.mark.parametrize("seed", seeds(SEEDS, long=[2]))
def test_both_programs_have_one_optimum(seed: int) -> None:
    whole, less = _both(seed)
    assert not whole.instance.trimmed
    assert less.instance.trimmed
    first, plan = whole.solve(None)
    second, other = less.solve(None)
    assert (plan is None) == (other is None), (first.status, second.status)
    if other is None:
        return
    scale = max(1.0, abs(first.objective))
    assert second.objective == pytest.approx(first.objective, abs=2e-5 * scale)
    world = less.prepared
    assert judge(world.scenario, world.layers, world.candidates, other) == []


def test_some_worlds_lose_columns_and_none_loses_power() -> None:
    fewer = 0
    for seed in SEEDS:
        whole, less = _both(seed)
        fewer += less.program.n_columns < whole.program.n_columns
        later = holds_it(less.instance)
        assert (np.diff(later.astype(int), axis=1) >= 0).all()
    assert fewer >= 3
