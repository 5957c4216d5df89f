"""What a solver leaves bought within the gap, a plan does not buy."""

from __future__ import annotations

from helpers.worlds import prepared, world

from sitepick.planner import Planner
from sitepick.solve.outcome import Limits


def test_no_plan_pays_for_a_letter_that_it_leaves():
    """Within the gap a solver may accept a letter's upgrade for nothing."""
    tried = 0
    for seed in range(6):
        planner = Planner(prepared(*world(seed, 4)), Limits(gap=1e-6))
        letters = planner.program.columns_of("headroom.accept")
        outcome, _ = planner.solve(None)
        if letters is None or not letters.size or outcome.values is None:
            continue
        take = planner.program.index("headroom.take", (len(planner.instance.headroom.offer_ids),))
        left = letters.indices[outcome.values[take[letters.keys["offer"]]] < 1e-6]
        if not len(left):
            continue
        tried += 1
        paid = outcome.values.copy()
        paid[left] = 1.0
        kept = planner.without_idle(paid)
        assert (kept[left] < 0.5).all()
        cost = planner.program.matrix.objective
        assert cost(kept) <= cost(paid)
    assert tried
