"""Secure dispatch against hand-solved grids, published optima, brute force and its own cuts."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from helpers.cases import read_case
from helpers.grids import made, random_grid
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from sitepick.dispatch.secure import SecureDispatch
from sitepick.dispatch.types import BASE, Case
from sitepick.network.conditions import dispatch_range, drawn_mw, groups_of
from sitepick.network.contingency import Contingencies
from sitepick.network.grid import DcFlow
from sitepick.network.types import Grid
from sitepick.scenario.grid import StudyCondition

PLAIN = StudyCondition(id="plain")


def secure(
    grid: Grid,
    *,
    outages: np.ndarray | None = None,
    condition: StudyCondition = PLAIN,
    factor: float = 1.2,
    by_pair: bool = False,
    rating: np.ndarray | None = None,
) -> SecureDispatch:
    groups = groups_of(grid)
    low, high, units = dispatch_range(grid, groups, condition, date(2030, 1, 1))
    limit = grid.rating_mw if rating is None else rating
    lost = np.arange(grid.n_branch) if outages is None else outages
    case = Case(groups, low, high, units, drawn_mw(grid, condition, 0, 0), limit, factor)
    return SecureDispatch(Contingencies(DcFlow(grid), lost, limit, factor), case, by_pair=by_pair)


def triangle(limit: float = 60.0) -> Grid:
    """A cheap plant at a, a dear one at b, load 90 MW at c; equal lines: c takes 2/3 and 1/3."""
    return made(
        [("a", 0, ""), ("b", 0, ""), ("c", 90, "C")],
        [("ab", "a", "b", 0.1, 200), ("ac", "a", "c", 0.1, limit), ("bc", "b", "c", 0.1, 200)],
        [("cheap", "a", "ng", 200, 10), ("dear", "b", "ng", 200, 50)],
    )


def test_a_triangle_by_hand() -> None:
    none = np.zeros(0, dtype=np.int64)
    # all from a puts 60 MW on ac: just within; for 45 MW, 2/3 x + 1/3 (90 - x) <= 45
    free = secure(triangle(), outages=none).cheapest()
    assert free is not None
    assert free.cost_usd_h == pytest.approx(900)
    held = secure(triangle(45), outages=none).cheapest()
    assert held is not None
    assert held.mw == pytest.approx([45, 45])
    assert held.cost_usd_h == pytest.approx(45 * 10 + 45 * 50)
    assert held.flow_mw == pytest.approx([0, 45, 45])


def test_an_outage_by_hand() -> None:
    # losing bc sends all over ac: 90 MW against 1.2 x 60 = 72; losing ac all over bc
    found = secure(triangle()).least_over()
    assert {branch for branch, _ in found.over_mw} == {1}
    assert list(found.over_mw.values()) == pytest.approx([18.0])
    assert found.unserved_mw == pytest.approx(0)
    assert found.cut is not None
    # what the cut allows: load at c of at most 72 in all, so 18 less than there is
    per_mw = found.cut.by_bus[2]
    assert found.cut.limit / per_mw == pytest.approx(-18)


def test_load_without_generation_is_unserved() -> None:
    grid = triangle(1000)
    found = secure(grid).least_over(np.array([0, 0, 400.0]))
    assert found.unserved_mw == pytest.approx(90)
    assert not found.secure


@pytest.mark.parametrize(
    ("name", "usd_h"),
    [("case5", 17_479.90), ("case9", 5_216.03), ("case14", 7_642.59), ("case39", 41_263.94),
     ("case118", 125_947.88)],
)  # fmt: skip
def test_dc_opf_equals_published_optima(name: str, usd_h: float) -> None:
    grid = read_case(name)
    found = secure(grid, outages=np.zeros(0, dtype=np.int64)).cheapest()
    assert found is not None
    running = grid.plants.in_service
    # no-load cost is no decision here: added for the comparison
    fixed = float(grid.plants.cost_usd_h[running].sum())
    assert found.cost_usd_h + fixed == pytest.approx(usd_h, rel=2e-5)


def every_row(problem: SecureDispatch) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows of all pairs, none left out: matrix on groups, limit, and the flow of loads alone."""
    dc, case = problem.dc, problem.case
    grid, groups = dc.grid, case.groups
    rows, limits, fixed, names = [], [], [], []
    by_group = dc.ptdf_rows(np.arange(grid.n_branch))[:, groups.bus]
    alone = dc.transfer_flows(-case.load_mw)
    lost = np.arange(grid.n_branch)
    lodf, bridge = dc.lodf(lost)
    for branch in range(grid.n_branch):
        for outage in (BASE, *lost[~bridge]):
            if outage == branch or not np.isfinite(case.rating_mw[branch]):
                continue
            factor = 0.0 if outage == BASE else lodf[branch, outage]
            other = 0 if outage == BASE else outage
            limit = (1 if outage == BASE else case.emergency_factor) * case.rating_mw[branch]
            for sign in (1, -1):
                rows.append(sign * (by_group[branch] + factor * by_group[other]))
                fixed.append(sign * (alone[branch] + factor * alone[other]))
                limits.append(limit)
                names.append((branch, outage))
    return np.array(rows), np.array(limits) - np.array(fixed), np.array(names)


def least_total(problem: SecureDispatch) -> float:
    """The least MW over all pairs, by one linear program with every row in it."""
    case = problem.case
    rows, room, names = every_row(problem)
    n, m = len(case.high_mw), len(rows)
    pairs, which = np.unique(names, axis=0, return_inverse=True)
    over = np.zeros((m, len(pairs)))
    over[np.arange(m), which] = -1
    out = linprog(
        np.concatenate([np.zeros(n), np.ones(len(pairs))]),
        A_ub=np.hstack([rows, over]),
        b_ub=room,
        A_eq=np.concatenate([np.ones(n), np.zeros(len(pairs))])[None, :],
        b_eq=[case.load_mw.sum()],
        bounds=[*zip(case.low_mw, case.high_mw, strict=True), *[(0, None)] * len(pairs)],
    )
    assert out.status == 0
    return float(out.fun)


@pytest.mark.parametrize("seed", range(25))
def test_lazy_rows_find_what_all_rows_find(seed: int) -> None:
    grid = random_grid(seed, ("P", "Q", "R"))
    problem = secure(grid, by_pair=True, factor=1.1)
    total = least_total(problem)
    found = problem.least_over()
    assert sum(found.over_mw.values()) == pytest.approx(total, abs=1e-4)
    # and again from the kept rows, after other loads
    problem.least_over(np.full(grid.n_bus, 20.0))
    assert sum(problem.least_over().over_mw.values()) == pytest.approx(total, abs=1e-4)


def test_lazy_rows_find_what_all_rows_find_on_a_published_case() -> None:
    grid = read_case("case39")
    problem = secure(grid, by_pair=True, factor=1.05)
    total = least_total(problem)
    assert sum(problem.least_over().over_mw.values()) == pytest.approx(total, rel=1e-6, abs=1e-3)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), data=st.data())
def test_a_cut_never_excludes_loads_that_can_be_carried(seed: int, data: st.DataObject) -> None:
    grid = random_grid(seed, ("P", "Q", "R"))
    problem = secure(grid, factor=1.15, by_pair=True)
    bare = problem.least_over()
    problem = SecureDispatch(
        problem.contingencies, replace(problem.case, excuses=dict(bare.over_mw))
    )
    mw = st.floats(0, 150, allow_nan=False)
    cuts, carried = [], [np.zeros(grid.n_bus)]
    for _ in range(6):
        load = np.zeros(grid.n_bus)
        load[grid.poi_bus] = data.draw(st.lists(mw, min_size=3, max_size=3))
        found = problem.least_over(load, cut_only=True)
        if found.cut is None:
            carried.append(load)
        else:
            assert found.cut.by_bus @ load > found.cut.limit, "a cut must cut"
            cuts.append(found.cut)
    for cut in cuts:
        for load in carried:
            assert cut.by_bus @ load <= cut.limit + 1e-6


@pytest.mark.parametrize("seed", range(10))
def test_an_upgrade_counts_in_a_cut_as_in_the_dispatch(seed: int) -> None:
    grid = random_grid(seed, ("P", "Q"))
    load = np.zeros(grid.n_bus)
    load[grid.poi_bus] = 200.0
    more = np.full(grid.n_branch, 7.0)
    raised = secure(grid, rating=grid.rating_mw + 7.0)
    cut = secure(grid).least_over(load, cut_only=True).cut
    assert cut is not None
    for scale in (0.1, 0.3, 0.6):
        if raised.least_over(load * scale).secure:
            assert cut.by_bus @ (load * scale) <= cut.limit + cut.by_branch @ more + 1e-6


def test_dropped_pairs_never_bind() -> None:
    grid = read_case("case118")
    rating = np.where(np.isfinite(grid.rating_mw), grid.rating_mw, 150.0)
    dc, lost = DcFlow(grid), np.arange(grid.n_branch)
    kept = Contingencies(dc, lost, rating, 1.15)
    lodf, bridge = dc.lodf(lost)
    assert set(kept.radial) == set(lost[bridge])
    known = set(zip(kept.branch.tolist(), kept.outage.tolist(), strict=True))
    assert 0 < len(known) < grid.n_branch * (~bridge).sum()
    dice = np.random.default_rng(4)
    raised = rating * dice.choice([1.0, 1.8], grid.n_branch)
    upgraded = Contingencies(dc, lost, rating, 1.15, raised)
    more = set(zip(upgraded.branch.tolist(), upgraded.outage.tolist(), strict=True))
    assert known < more
    for carried, pairs in ((rating, known), (raised, more)) * 50:
        # any flows within the ratings, not only those that a dispatch can make
        limit = np.where(dice.random(grid.n_branch) < 0.5, rating, carried)
        flow = dice.uniform(-1, 1, grid.n_branch) * limit
        after = flow[:, None] + np.where(bridge, 0, lodf) * flow
        over = np.abs(after) > 1.15 * limit[:, None] + 1e-9
        np.fill_diagonal(over, False)
        assert {(int(b), int(c)) for b, c in zip(*np.nonzero(over), strict=True)} <= pairs


def test_groups_hold_equal_units_and_conditions_their_credits() -> None:
    grid = made(
        [("a", 50, ""), ("b", 0, "")],
        [("ab", "a", "b", 0.1, 0)],
        [("w1", "a", "wind", 40, 0), ("w2", "a", "wind", 40, 0), ("g", "b", "ng", 100, 30)],
        ties=[("dc", "b", -20, 30)],
    )
    groups = groups_of(grid)
    assert groups.ids == ("w1", "g", "dc")
    condition = StudyCondition(
        id="x", credit_pct={"Wind": 25}, other_credit_pct=90, dc_tie_pct=50, load_pct=80
    )
    low, high, units = dispatch_range(grid, groups, condition, date(2030, 1, 1))
    assert high.tolist() == [20, 90, 15]
    assert low.tolist() == [0, 0, -10]
    assert units.tolist() == [2, 1, 1]
    assert drawn_mw(grid, condition, 10, 2)[0] == pytest.approx(50 * 0.8 * 1.21)
