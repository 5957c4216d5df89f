"""Done-when of the screening: seconds, memory, and the national grid against full flows."""

from __future__ import annotations

import os

import numpy as np
import pytest
from bench.bench_headroom import CAP_MW, measure

from sitepick.network.grid import DcFlow

SLACK = 3.0  # machines that run tests do other things as well


def test_all_texas_pois_with_outages_take_seconds() -> None:
    out = measure("texas", processes=1, outages=True)
    assert len(out.found.ids) == 1250
    assert out.seconds < 10  # about 1 s
    assert out.mb < 1000


@pytest.mark.slow
@pytest.mark.skipif(
    "SITEPICK_BENCH" not in os.environ, reason="takes two minutes; set SITEPICK_BENCH=1 to run it"
)
def test_all_us_substations_of_100_kv_take_minutes() -> None:
    out = measure("us", processes=2, outages=False)
    assert len(out.found.ids) == 35_611
    assert out.seconds < 360 * SLACK
    assert out.mb < 4000
    grid, found = out.grid, out.found
    dc = DcFlow(grid)
    before = dc.flows(dc.balanced_injection())
    for k in np.random.default_rng(5).choice(len(found.ids), 12, replace=False):
        extra = np.zeros(grid.n_bus)
        extra[grid.poi_bus[grid.poi_index[found.ids[k]]]] = 100.0
        slope = (dc.flows(dc.balanced_injection(extra)) - before) / 100.0
        pushed = np.abs(slope) >= 0.05

        def fits(mw: float, slope: np.ndarray = slope, pushed: np.ndarray = pushed) -> bool:
            flow = np.sign(slope[pushed]) * (before + mw * slope)[pushed]
            return bool((flow <= grid.rating_mw[pushed] + 1e-9).all())

        low, high = 0.0, CAP_MW
        while high - low > 1e-7:
            middle = (low + high) / 2
            low, high = (middle, high) if fits(middle) else (low, middle)
        assert found.headroom_mw[k] == pytest.approx(low, abs=1e-5)
