"""Texas made infeasible on purpose: the cause is named, and its amount applied gives a plan.

`SITEPICK_TEXAS=1` runs it (minutes); the same search on small worlds is in
`tests/unit/test_diagnose_wide.py`.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sitepick import pipeline
from sitepick.diagnose import diagnose
from sitepick.planner import Planner
from sitepick.solve import solve_with
from sitepick.solve.outcome import Limits

TEXAS = Path(__file__).parents[2] / "scenarios" / "texas.yaml"
TRAINING = (
    "demand.workloads.training.must_serve=true",
    "demand.workloads.training.ref_mw={2030: 1000, 2031: 1500, 2032: 1800}",
)
TIGHT = (
    "budget_musd={{2026: {0}, 2027: {1}, 2028: {2}, 2029: {3}, 2030: {4}, 2031: {5}, 2032: {6}}}"
)
YEARS = (300, 900, 1000, 1300, 1400, 1000, 1500)
SECONDS = 300.0

pytestmark = pytest.mark.skipif(
    "SITEPICK_TEXAS" not in os.environ, reason="takes minutes; set SITEPICK_TEXAS=1 to run it"
)


def _budget(percent: float) -> str:
    return TIGHT.format(*(percent / 100 * musd for musd in YEARS))


@pytest.mark.parametrize(
    ("key", "now", "made"),
    [
        ("budget_musd, all years", 100.0, _budget),
        ("candidates.area_ha", 0.3, lambda x: f"candidates.area_ha={x}"),
    ],
)
def test_the_cause_is_named_with_an_amount_that_is_enough(key, now, made) -> None:
    asked = Planner(pipeline.prepare(pipeline.load(TEXAS, (*TRAINING, made(now)))), Limits())
    found = diagnose(asked, SECONDS)
    told = [r[0] for r in found.remedies if len(r) == 1 and r[0].key == key]
    assert len(told) == 1, [[c.key for c in r] for r in found.remedies]
    prepared = pipeline.prepare(pipeline.load(TEXAS, (*TRAINING, made(told[0].value))))
    again = Planner(prepared, Limits())
    out = solve_with("highs", again.program, Limits(gap=0.9, time_s=SECONDS))
    assert out.values is not None
