"""`scenarios/scale_across_texas.yaml`: two machines over several sites each."""

from __future__ import annotations

from pathlib import Path

import pytest

from sitepick import pipeline

SCENARIO = Path(__file__).parents[2] / "scenarios" / "scale_across_texas.yaml"
SHORT = (
    # only large POIs, and no inference: the same groups in seconds
    "candidates.min_headroom_mw=250",
    "periods.to=2031",
    "demand.workloads.prefill.ref_mw=0",
    "demand.workloads.decode.ref_mw=0",
    "fiber.entry_km=400",
    "solver.gap_pct=2",
)


@pytest.fixture(scope="module")
def run():
    return pipeline.solve(pipeline.prepare(pipeline.load(SCENARIO, list(SHORT))))


def test_it_is_verified(run):
    assert run.outcome.status == "optimal"
    assert run.findings == ()
    assert run.outcome.gap <= 0.02


def test_two_groups_of_three_sites_or_more(run):
    last = [r for r in run.solution.groups if r.period == "2031-01-01"]
    assert [r.group for r in last] == ["frontier", "refine"]
    assert all(r.sites >= 3 for r in last)
    assert all(r.delivered_ref_mw == pytest.approx(r.worked_ref_mw * r.efficiency) for r in last)


def test_what_links_carry_follows_from_parameters_and_nodes(run):
    """10 T parameters of 2 bytes, compressed 2 to 1, in 30 s; 1 T in 200 s."""
    full = {"frontier": 10 * 2 * 8 / 2 / 30, "refine": 1 * 2 * 8 / 200}
    nodes = {r.group: r.nodes for r in run.solution.groups if r.period == "2031-01-01"}
    n = nodes["frontier"]
    share = {"frontier": 2 * (n - 1) / n, "refine": 1.0}
    for row in run.solution.links:
        if row.period == "2031-01-01":
            assert row.tbps == pytest.approx(share[row.service] * full[row.service])
            assert row.rtt_ms <= 12 if row.service == "frontier" else row.km <= 1500
