"""The table of the README: single headrooms judged by the grid, beside plans that know it."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path

import pytest

from sitepick import pipeline

ROOT = Path(__file__).resolve().parents[2]
SCENARIO = ROOT / "scenarios" / "texas_grid.yaml"
SLACK = 3.0  # machines that run tests do other things as well
ROWS = {
    "single headrooms at 100 %": ("grid=null", "power.headroom_pct=100"),
    "jointly, nothing may worsen": (),
    "jointly, 1 MW on each line that is over already": ("grid.excuse_margin_mw=1",),
}


def told() -> dict[str, list[str]]:
    """Return the cells of the README's table by plan."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    rows = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| ")]
    return {row[0]: row[1:] for row in rows if row[0] in ROWS}


def test_the_table_is_there() -> None:
    assert set(told()) == set(ROWS)


@pytest.mark.slow
@pytest.mark.skipif(
    "SITEPICK_BENCH" not in os.environ, reason="takes two minutes; set SITEPICK_BENCH=1 to run it"
)
def test_what_being_right_costs() -> None:
    table = told()
    judge = pipeline.prepare(pipeline.load(SCENARIO))
    for name, changes in ROWS.items():
        began = time.perf_counter()
        run = pipeline.solve(pipeline.prepare(pipeline.load(SCENARIO, changes)))
        assert time.perf_counter() - began < 120 * SLACK
        assert run.solution is not None
        assert run.findings == ()
        assert run.solution.gap < 0.005
        assert run.solution.gap_without_penalty < 0.005
        stated = float(re.sub(r".*= ", "", table[name][2]).replace(",", ""))
        assert run.solution.objective == pytest.approx(stated, rel=0.005)
        if not run.solution.dispatch:
            found, over = pipeline.check_against(judge, run.solution)
            assert {f.check for f in found} == {"deliverability.over"}
            assert over[-1].over_mw - over[-1].over_before_mw > 50
            assert over[-1].branches > over[-1].branches_before
