"""Verdicts on cases that can be solved by hand, and bounds with a column forced up."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
import scipy.sparse as sp
from helpers import tiny, worlds

from sitepick.matrix import SHARED, Matrix
from sitepick.planner import Planner
from sitepick.run import Verdict
from sitepick.scenario.schema import Scenario
from sitepick.solve import forcing
from sitepick.solve.certificate import owner_parts, safe_bound
from sitepick.solve.forcing import forced_bounds
from sitepick.solve.outcome import Cut, Leaf, Limits
from sitepick.verdicts import _why, explained

NO_DISCOUNT = {
    "version": 1, "name": "by hand", "as_of": "2026-01-01",
    "periods": {"from": "2027", "to": "2027"},
    "money": {"price_year": 2026, "discount_rate_pct": 0, "inflation_pct": 0},
    "candidates": {"site_life_years": 1, "land_musd_per_ha": 0},
    "power": {"model": "none", "energy_usd_per_mwh": 0, "demand_usd_per_kw_month": 0,
              "substation_musd_per_mw": 0},
    "halls": "none", "hardware": "none", "solver": {"threads": 1},
    "demand": {"workloads": {"it": {"uses": "it", "ref_mw": 10, "must_serve": True}}},
}  # fmt: skip


def verdicts(sites: list[dict], **more: object) -> dict[str, Verdict]:
    """Return the verdicts on a year of 10 IT MW that must be served; cost is what sites cost."""
    tables = {t: [] for t in ("pois", "ties", "offers", "places", "reach")}
    tables["site_regions"] = tiny.rows(("B", "state", "S1"), of="site_regions")
    tables["regions"] = tiny.rows(("state", "S1", "One", math.nan), of="regions")
    tables |= more.pop("tables", {})  # type: ignore[arg-type]
    scenario = Scenario.model_validate({**NO_DISCOUNT, **more})
    world = worlds.prepared(scenario, tiny.candidates(sites=sites, **tables))
    planner = Planner(world, Limits(gap=1e-6, threads=1))
    planner.solve(None)
    assert planner.by_cost is not None
    told = explained(planner, planner.by_cost, None)
    return {v.site_id: v for v in told.verdicts}


def test_a_dearer_site_costs_its_fixed_works_more_exactly():
    # all from A: 10 MUSD; with B open too, whoever serves, its 15 MUSD come on top or in its place
    found = verdicts([tiny.site("A", fixed_musd=10, max_it_mw=10),
                      tiny.site("B", fixed_musd=15, max_it_mw=10)])  # fmt: skip
    assert found["A"].verdict == "chosen"
    assert found["A"].it_mw == pytest.approx(10)
    dear = found["B"]
    assert dear.verdict == "not_chosen"
    assert dear.estimate_musd == pytest.approx(5, abs=1e-6)
    assert dear.proven_musd == pytest.approx(5, abs=1e-6)
    assert dear.instead == "A"
    assert "at least 5.00 MUSD (proven)" in dear.why
    # alone: 15 MUSD a year for 10 MW are 125 USD per kW and month
    assert dear.alone_it_mw == pytest.approx(10)
    assert dear.alone_usd_per_kw_month == pytest.approx(125)


def test_a_site_as_good_as_the_chosen_one_is_not_proven_dearer():
    # B in place of A costs the same: 10 MUSD
    found = verdicts([tiny.site("A", fixed_musd=10, max_it_mw=10),
                      tiny.site("B", fixed_musd=10, max_it_mw=10)])  # fmt: skip
    other = next(v for v in found.values() if v.verdict == "not_chosen")
    assert other.proven_musd == pytest.approx(0, abs=1e-6)
    assert other.estimate_musd == pytest.approx(0, abs=1e-6)
    assert "not proven dearer" in other.why


def test_the_words_say_how_far_the_plan_itself_is_proven():
    said = Verdict("B", "not_chosen", estimate_musd=4.87, proven_musd=0.0)
    far = "; not proven dearer: this plan may be up to 55.57 MUSD above the best"
    assert _why(said, "", 0.0, 55.57).endswith(far)
    # a plan proven to less than the estimate needs no such word
    assert _why(said, "", 0.0, 4.0).endswith("; not proven dearer")
    proven = dataclasses.replace(said, proven_musd=2.0)
    assert _why(proven, "", 0.0, 2.87).endswith("at least 2.00 MUSD (proven)")


def test_a_cap_that_keeps_a_cheap_site_out_is_named():
    # two cheap sites share a state with room for one of them
    both = tiny.rows(("B", "state", "S1"), ("C", "state", "S1"), of="site_regions")
    found = verdicts(
        [tiny.site("A", fixed_musd=30, max_it_mw=5), tiny.site("B", fixed_musd=1, max_it_mw=5),
         tiny.site("C", fixed_musd=2, max_it_mw=5)],
        tables={"site_regions": both},
        regions={"rules": [{"level": "state", "ids": ["S1"], "max_it_mw": 5}]},
    )  # fmt: skip
    assert (found["A"].verdict, found["B"].verdict) == ("chosen", "chosen")
    shut = found["C"]
    assert shut.verdict == "blocked"
    assert shut.charges[0].names == ("regions.max_it", "state S1")
    assert (shut.instead, shut.instead_shares) == ("B", "the limit")
    assert "blocked by IT MW caps of regions at state S1" in shut.why
    # C beside A and B costs its works, 2 MUSD
    assert 0 <= (shut.proven_musd or 0) <= 2 + 1e-6


def test_a_moratorium_over_the_whole_horizon_leaves_no_way():
    found = verdicts(
        [tiny.site("A", fixed_musd=10, max_it_mw=10), tiny.site("B", fixed_musd=1, max_it_mw=10)],
        regions={"rules": [{"level": "state", "ids": ["S1"], "closed_from": "2026-06-01",
                            "closed_to": "2030-01-01"}]},
    )  # fmt: skip
    shut = found["B"]
    assert (shut.verdict, shut.estimate_musd, shut.proven_musd) == ("blocked", None, None)
    assert "moratorium" in shut.why


def test_a_smallest_size_that_the_site_cannot_reach_leaves_no_way():
    found = verdicts(
        [tiny.site("A", fixed_musd=10, max_it_mw=10), tiny.site("B", fixed_musd=1, max_it_mw=3)],
        candidates={**NO_DISCOUNT["candidates"], "min_it_mw_per_site": 4},
    )
    assert found["B"].proven_musd is None
    assert "its own limits" in found["B"].why


def test_a_failed_test_says_how_far_it_is_from_passing():
    failed = tiny.rows(
        ("C", "fiber_km_max", 72.5, 60.0, "km", "72.5 km to fiber"),
        ("C", "forbidden", 1.0, 0.0, "", "its decision is forbid"), of="failed",
    )  # fmt: skip
    found = verdicts([tiny.site("A", fixed_musd=10, max_it_mw=10),
                      tiny.site("C", status="rejected")], tables={"failed": failed})  # fmt: skip
    assert found["C"].verdict == "rejected"
    assert "12.5 km from passing" in found["C"].why
    assert "forbidden: its decision is forbid" in found["C"].why
    assert found["C"].proven_musd is None


# --- bounds -------------------------------------------------------------------------------------


def two_owners() -> Matrix:
    """Serve 10 from two owners, x_i <= 10 open_i; opening costs 10 and 15. The optimum is 10."""
    A = [[1, 0, 1, 0], [1, -10, 0, 0], [0, 0, 1, -10]]
    return Matrix(
        cost=np.array([0.0, 10, 0, 15]), offset=0.0,
        lower=np.zeros(4), upper=np.array([10.0, 1, 10, 1]),
        integer=np.array([False, True, False, True]), owner=np.array([0, 0, 1, 1]),
        A=sp.csr_array(np.array(A, dtype=float)),
        row_lower=np.array([10, -np.inf, -np.inf]), row_upper=np.array([10.0, 0, 0]),
    )  # fmt: skip


DUALS = np.array(
    [1.0, -1.0, -1.0]
)  # a MW is worth 1: owner 0 breaks even, owner 1 loses 5 at full size


def test_parts_add_up_to_the_safe_bound_and_are_replaced_one_at_a_time():
    matrix = two_owners()
    parts = owner_parts(matrix, DUALS, 2)
    assert parts.bound == safe_bound(matrix, DUALS) == pytest.approx(10)
    forced = dataclasses.replace(matrix, lower=np.array([0, 0, 0, 1.0]))
    now = parts.replaced(owner_parts(forced, DUALS, 2))
    assert now == pytest.approx([10, 15])
    # never above the bound of the forced problem at the same duals in exact arithmetic
    assert now[1] <= 15
    assert now[0] <= parts.bound


@pytest.mark.parametrize(("slight", "answer"), [(0.0, [10, 1, 0, 0]), (10.5, [0, 0, 0, 0])])
def test_owners_answer_at_other_costs_unless_they_are_sure_to_save_little(slight, answer):
    # serving earns 2 and 1: owner 0 saves 10 at full size, owner 1 would lose 5
    costs = np.array([-2.0, 10, -1, 15])
    asked = {"also": lambda _: [costs], "slight": slight}
    found = forced_bounds(two_owners(), DUALS, np.array([1, 3]), **asked)
    assert found.answers[0] == pytest.approx(answer)


def test_forced_bounds_by_hand():
    found = forced_bounds(two_owners(), DUALS, np.array([3]))
    assert found.bound == pytest.approx(10)
    assert found.at_least == pytest.approx([15])
    # poor duals: only the owner's own part gets better
    poor = forced_bounds(two_owners(), np.zeros(3), np.array([1, 3]))
    assert poor.bound == pytest.approx(0, abs=1e-9)
    assert poor.at_least == pytest.approx([10, 15])


def test_an_owner_that_refuses_is_told_by_a_ray():
    matrix = two_owners()
    # owner 1 must carry 12 if it is open at all, and can carry 10
    A = sp.csr_array(sp.vstack([matrix.A, sp.csr_array([[0, 0, 1.0, -12]])]))
    shut = dataclasses.replace(
        matrix, A=A,
        row_lower=np.append(matrix.row_lower, 0.0), row_upper=np.append(matrix.row_upper, np.inf),
    )  # fmt: skip
    found = forced_bounds(shut, np.append(DUALS, 0.0), np.array([1, 3]))
    assert found.at_least[0] == pytest.approx(10)
    assert math.isinf(found.at_least[1])
    closed = dataclasses.replace(matrix, upper=np.array([10.0, 1, 10, 0]))
    assert math.isinf(forced_bounds(closed, DUALS, np.array([3])).at_least[0])


def test_leaves_give_the_least_of_them(monkeypatch: pytest.MonkeyPatch):
    matrix = two_owners()
    column = np.array([1])
    shut = Leaf((Cut(column, np.ones(1), -np.inf, 0.0),), np.array([1.5, -1.5, -1.5, -5.0]))
    opened = Leaf((Cut(column, np.ones(1), 1.0, np.inf),), np.append(DUALS, 0.0))
    found = forced_bounds(matrix, (shut, opened), np.array([1, 3]))
    assert found.bound == pytest.approx(10)
    # owner 1 forced: 15 where owner 0 is shut, 10 + 5 where it is open too
    assert found.at_least == pytest.approx([10, 15])
    monkeypatch.setattr(forcing, "_MOST_LPS", 0)
    fewer = forced_bounds(matrix, (shut, opened), np.array([1, 3]))
    assert (fewer.at_least <= found.at_least + 1e-9).all()
    assert (fewer.at_least >= fewer.bound - 1e-9).all()


def test_a_shared_column_cannot_be_forced():
    matrix = dataclasses.replace(two_owners(), owner=np.array([0, 0, SHARED, SHARED]))
    with pytest.raises(ValueError, match="owner of its own"):
        forced_bounds(matrix, DUALS, np.array([3]))
