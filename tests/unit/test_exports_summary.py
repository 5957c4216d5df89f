"""`solve --json`: its keys, its sums, and that it is JSON whatever the outcome."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import pytest
from plan_by_hand import CAPEX, P, run, solution

from sitepick.exports.dictionary import SUMMARY_KEYS
from sitepick.exports.summary import summary
from sitepick.finding import Finding
from sitepick.instance.timeline import Timeline
from sitepick.run import Shortfall
from sitepick.solve.outcome import Outcome


@pytest.fixture
def failed():
    nothing = Outcome("infeasible", None, math.inf, -math.inf, math.inf)
    missing = Shortfall(P[0], "train", "anywhere", 60.0, 40.0, 48.0)
    return replace(run(), outcome=nothing, solution=None, shortfall=(missing,))


def test_keys_are_those_of_the_dictionary(failed):
    keys = {f.name for f in SUMMARY_KEYS}
    assert set(summary(run())) == keys
    assert set(summary(failed)) == keys


def test_a_plan(tmp_path):
    got = summary(run(), tmp_path)
    assert json.loads(json.dumps(got, allow_nan=False)) == got
    assert got["status"] == "optimal"
    assert got["objective"] == {
        "name": "min_cost", "sense": "minimise", "value": 1000.0, "bound": 998.0, "unit": "MUSD",
    }  # fmt: skip
    assert (got["gap"], got["gap_without_penalty"], got["bound_certified"]) == (0.002, 0.0023, True)
    assert (got["net_present_cost_musd"], got["penalty_musd"]) == (850.0, 150.0)
    assert got["it_mw"] == {P[0]: 20.0, P[1]: 50.0}
    assert got["grid_mw"] == {P[0]: 27.0, P[1]: 63.0}
    assert got["served"] == {P[0]: {"train": 20.0}, P[1]: {"train": 50.0}}
    assert got["turned_away"] == {P[0]: {"train": 40.0}, P[1]: {"train": 10.0}}
    assert sum(y["total"] for y in got["capex_musd"].values()) == pytest.approx(sum(CAPEX.values()))
    assert got["capex_musd"]["2027"]["facility"] == 330.0
    assert got["run"] == str(tmp_path)
    assert (got["verified"], got["synthetic"], got["shortfall"]) == (True, True, [])
    assert got["seconds"] == {"layers": 0.5, "candidates": 0.25, "solve": 2.0, "check": 0.1}
    assert [s["id"] for s in got["sites"]] == ["N1", "N2", "X1"]
    assert got["sites"][0] == {
        "id": "N1", "name": "place N1", "opened": P[0], "poi_ids": ["B1", "B2"], "it_mw": 20.0,
        "grid_mw": 24.0, "lon": -97.1, "lat": 31.1,
    }  # fmt: skip
    assert got["sites"][2]["opened"] is None


def test_unit_cost_is_cost_over_discounted_work():
    made = run(money={"price_year": 2026, "discount_rate_pct": 9})
    yearly = Timeline.of(made.prepared.scenario).yearly
    expected = 850 / (20 * yearly[0] + 50 * yearly[1])
    got = summary(made)["unit_cost"]
    assert got["musd_per_ref_mw_year"] == pytest.approx(expected)
    assert got["usd_per_kw_month"] == pytest.approx(expected * 1e6 / 1000 / 12)
    idle = summary(run(plan=replace(solution(), serve=())))
    assert idle["unit_cost"] is None


def test_no_plan(failed):
    got = summary(failed)
    json.dumps(got, allow_nan=False)
    assert got["status"] == "infeasible"
    assert got["objective"]["value"] is got["objective"]["bound"] is got["gap"] is None
    assert got["sites"] == []
    assert got["verified"] is False
    assert got["shortfall"] == [
        {"period": P[0], "workload": "train", "place_id": "anywhere", "asked_ref_mw": 60.0,
         "missing_ref_mw": 40.0, "missing_grid_mw": 48.0, "limited_by": [],}
    ]  # fmt: skip


def test_a_fault_found_by_the_check_is_not_verified():
    assert summary(run(findings=(Finding("a.b", "x", 1, "MW", "m"),)))["verified"] is False


def test_sense_and_unit_of_other_objectives():
    got = summary(run(objective="max_compute"))["objective"]
    assert (got["sense"], got["unit"]) == ("maximise", "ref_mw-years")
