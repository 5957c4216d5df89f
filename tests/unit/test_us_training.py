"""`scenarios/us_training.yaml`: 10 GW of training over many sites and states."""

from __future__ import annotations

import os
from collections import defaultdict
from pathlib import Path

import pytest

from sitepick import pipeline

SCENARIO = Path(__file__).parents[2] / "scenarios" / "us_training.yaml"


@pytest.fixture(scope="module")
def loaded():
    return pipeline.load(SCENARIO)


def test_it_asks_for_ten_gw_that_no_state_can_hold(loaded):
    s = loaded.scenario
    works = s.demand.named()
    asked = {g.name: max(works[g.workload].ref_mw.values()) for g in s.campus_groups}
    assert sum(asked.values()) == 10_000
    (state,) = [r for r in s.regions.rules if r.level == "state"]
    most = max(state.max_it_mw.values())
    site = s.candidates.max_it_mw_per_site
    for group in s.campus_groups:
        assert asked[group.name] > most, "one state is not enough"
        kept = 1 - (group.loss_pct_per_extra_site or 0) / 100 * (group.sites_max - 1)
        assert group.sites_max * site * kept >= asked[group.name], "and the sites are"


def test_its_files_are_read(loaded):
    read, network = pipeline.read_files(loaded)
    assert network is None
    assert {"substations", "fiber_links", "fiber_nodes"} <= {s.role for s in read.sources}
    assert all(s.rows_used > 0 for s in read.sources)


@pytest.mark.skipif(
    "SITEPICK_BENCH" not in os.environ, reason="takes minutes; set SITEPICK_BENCH=1 to run it"
)
def test_every_group_spans_states(loaded):
    prepared = pipeline.prepare(loaded)
    run = pipeline.solve(prepared, time_limit_s=480)
    assert run.findings == ()
    assert run.outcome.bound_certified
    assert max(run.solution.gap, run.solution.gap_without_penalty) <= 0.01
    last = run.solution.periods[-1]
    regions = prepared.candidates.site_regions
    states = regions[regions["level"] == "state"]
    state = dict(zip(states["site_id"], states["region_id"], strict=True))
    spans = defaultdict(list)
    for row in run.solution.members:
        if row.period == last:
            assert row.it_mw > 0
            spans[row.group].append(state[row.site_id])
    asked = {g.name: g for g in loaded.scenario.campus_groups}
    assert set(spans) == set(asked)
    for row in run.solution.groups:
        if row.period == last:
            members = spans[row.group]
            assert len(members) == row.sites >= asked[row.group].sites_min
            assert len(set(members)) >= 2
            assert row.delivered_ref_mw >= 0.95 * row.demand_ref_mw
