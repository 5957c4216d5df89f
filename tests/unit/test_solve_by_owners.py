"""Owners that are knapsacks: prices in closed form, and plans proven by branching on who opens."""

from __future__ import annotations

import math

import numpy as np
import pytest

from sitepick.matrix import SHARED, FloatArray
from sitepick.program import Program
from sitepick.solve import owner_lp
from sitepick.solve.by_owners import better_proof, solve_by_owners
from sitepick.solve.certificate import certified_bound, safe_bound
from sitepick.solve.choose import solve_with
from sitepick.solve.highs import solve_matrix
from sitepick.solve.knapsack import knapsacks
from sitepick.solve.lagrangian import Dual
from sitepick.solve.outcome import Limits, is_plan
from sitepick.solve.owners import numbered

SEEDS = range(12)


def facility(seed: int, *, whole: bool = False) -> Program:
    """Return a random location problem; what it has besides sites and customers varies."""
    dice = np.random.default_rng(seed)
    m, n = int(dice.integers(3, 9)), int(dice.integers(2, 12))
    asked = dice.uniform(1, 20, n)
    program = Program()
    opened = program.add_columns(
        "open", keys={"site": np.arange(m)}, owner=np.arange(m), upper=1, integer=True,
        lower=(np.arange(m) == 0) * (seed % 3 == 0), cost=dice.uniform(0, 60, m),
    )  # fmt: skip
    capacity = dice.uniform(0.3, 1.2, m) * asked.sum()
    site, place = (k.ravel() for k in np.meshgrid(np.arange(m), np.arange(n), indexing="ij"))
    near = dice.random(m * n) < 0.8
    site, place = site[near], place[near]
    flow = program.add_columns(
        "flow", keys={"site": site, "place": place}, owner=site, upper=asked[place],
        cost=dice.uniform(0, 10, len(site)),
    )  # fmt: skip
    short = program.add_columns(
        "short", keys={"place": np.arange(n)}, owner=SHARED, upper=asked, cost=25
    )
    use = dice.uniform(0.5, 1.5, len(site)) if seed % 2 else np.ones(len(site))
    kind = seed % 4  # capacity by way of a column, at once, none, or for some sites only
    limited = np.arange(m) if kind < 2 else np.arange(0 if kind == 2 else m // 2)
    cap = program.add_rows("cap", keys={"site": limited}, upper=0)
    at = np.full(m, -1)
    at[limited] = cap
    counted = at[site] >= 0
    program.add_entries(at[site[counted]], flow[counted], use[counted])
    if kind == 1:
        program.add_entries(cap, opened[limited], -capacity[limited])
    elif len(limited):
        mw = program.add_columns(
            "mw", keys={"site": limited}, owner=limited, upper=capacity[limited],
            cost=dice.uniform(-0.5, 2, len(limited)),
        )  # fmt: skip
        program.add_entries(cap, mw, -1)
        row = program.add_rows("most", keys={"site": limited}, upper=0)
        program.add_entries(row, mw, 2)
        program.add_entries(row, opened[limited], -2 * capacity[limited])
    balance = program.add_rows("balance", keys={"place": np.arange(n)}, lower=asked, upper=asked)
    program.add_entries(balance[place], flow, 1)
    program.add_entries(balance, short, 1)
    link = program.add_rows("link", keys={"site": site, "place": place}, upper=0)
    program.add_entries(link, flow, 1)
    program.add_entries(link, opened[site], -asked[place])
    if seed % 3 == 1:
        program.add_entries(
            program.add_rows("count", keys={"one": [0]}, lower=1, upper=max(1, m // 2)), opened, 1
        )
    if whole:
        program.add_columns("odd", keys={"one": [0]}, owner=0, upper=3, integer=True)
    return program


def test_the_draw_holds_every_kind():
    found = [facility(seed) for seed in SEEDS]
    assert {"mw" in p.column_families for p in found} == {True, False}
    assert {"count" in p.row_families for p in found} == {True, False}
    assert {bool(p.matrix.lower.any()) for p in found} == {True, False}
    assert len({len(p.row_families["cap"].indices) == 0 for p in found}) == 2


@pytest.mark.parametrize("seed", SEEDS)
def test_answers_are_the_best_of_each_owner(seed):
    matrix = numbered(facility(seed).matrix)
    blocks = knapsacks(matrix)
    assert blocks is not None
    dual, dice = Dual(blocks), np.random.default_rng(seed)
    k = len(blocks.yes)
    must = matrix.lower[blocks.yes] > 0
    for _ in range(5):
        prices = dual.usable(dice.uniform(-3, 25, len(blocks.linking)))
        bound, answer, opened = dual.at(prices, must, np.zeros(k, dtype=bool))
        # by a solver: the linking rows priced, the rest whole
        priced = _priced(matrix, blocks.linking, prices)
        truth = solve_matrix(priced, Limits(gap=0))
        extra = float(prices @ _side(blocks.row_lower, blocks.row_upper, prices))
        assert bound == pytest.approx(truth.objective + extra, rel=1e-7, abs=1e-7)
        assert safe_bound(matrix, blocks.duals(prices, answer)) == pytest.approx(bound, abs=1e-6)
        point = blocks.point(answer, opened.astype(float))
        assert is_plan(priced, point)
        assert priced.objective(point) == pytest.approx(truth.objective, abs=1e-6)
        few = np.arange(0, k, 2)
        part = blocks.only(few).answer(prices)
        assert part.worth == pytest.approx(answer.worth[few])


def _side(low: FloatArray, high: FloatArray, prices: FloatArray) -> FloatArray:
    return np.where(prices > 0, low, np.where(prices < 0, high, 0.0))


def _priced(matrix, linking, prices):
    from dataclasses import replace

    kept = np.setdiff1d(np.arange(matrix.A.shape[0]), linking)
    return replace(
        matrix, cost=matrix.cost - matrix.A[linking].T @ prices, A=matrix.A[kept],
        row_lower=matrix.row_lower[kept], row_upper=matrix.row_upper[kept],
    )  # fmt: skip


@pytest.mark.parametrize("steps", [0, 10_000])
@pytest.mark.parametrize("seed", [*SEEDS, 20])
def test_plans_are_optimal_and_their_proof_holds(seed, steps, monkeypatch):
    monkeypatch.setattr(owner_lp, "_MOST_STEPS", steps)  # by prices alone; by linear programs
    program = facility(seed)
    truth = solve_matrix(program.matrix, Limits(gap=0))
    out = solve_by_owners(program, Limits(gap=1e-7))
    assert out is not None
    assert out.status == "optimal"
    assert is_plan(program.matrix, out.values)
    assert out.objective == pytest.approx(truth.objective, rel=1e-6)
    assert out.bound_certified
    proof = certified_bound(numbered(program.matrix), out.certificate)
    assert proof <= truth.objective + 1e-6 * abs(truth.objective)
    assert proof >= out.objective - 2e-7 * abs(out.objective)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_proof_cut_short_never_claims_too_much(seed):
    program = facility(seed)
    truth = solve_matrix(program.matrix, Limits(gap=0)).objective
    out = solve_by_owners(program, Limits(gap=0, time_s=0))
    assert out is not None
    for bound in (out.bound, out.certified_bound):
        assert bound <= truth + 1e-6 * abs(truth)


def test_other_programs_are_left_to_others():
    assert solve_by_owners(facility(1, whole=True), Limits()) is None
    program = facility(2)
    row = program.add_rows("least", keys={"one": [0]}, lower=0)
    flow = program.column_families["flow"]
    mine = flow.indices[flow.keys["site"] == flow.keys["site"][0]]
    program.add_entries(row[0], mine, 1)
    program.add_entries(row[0], program.column_families["open"].indices[flow.keys["site"][0]], -1)
    assert solve_by_owners(program, Limits()) is None


def test_no_plan_is_found_by_nobody():
    program = facility(4)
    program.set_row_bounds("balance", lower=1e4, upper=1e4)
    first = solve_by_owners(program, Limits())
    assert first is not None
    assert first.status == "no_plan"
    assert solve_with("highs", program, Limits()).status == "infeasible"


def test_a_better_bound_of_an_unfinished_search_is_kept():
    program = facility(20)  # its relaxation opens parts of sites
    rough = solve_by_owners(program, Limits(gap=0.5))
    fine = solve_by_owners(program, Limits(gap=1e-7))
    assert rough is not None
    assert fine is not None
    assert rough.bound < fine.bound
    joined = better_proof(rough, fine)
    assert (joined.bound, joined.certified_bound) == (fine.bound, fine.certified_bound)
    assert joined.gap < rough.gap
    assert math.isclose(joined.seconds["total"], rough.seconds["total"] + fine.seconds["total"])
    assert better_proof(fine, rough).bound == fine.bound
    assert better_proof(fine, None) is fine


@pytest.mark.parametrize("seed", range(6))
def test_sites_with_little_room_are_proven_too(seed):
    """Most sets of sites cannot serve all: each of them is ruled out by prices, not by hope."""
    dice = np.random.default_rng(seed)
    m, n = 14, 20
    demand = dice.integers(5, 36, n).astype(float)
    capacity = dice.uniform(10, 160, m)
    capacity *= 1.6 * demand.sum() / capacity.sum()
    program = Program()
    opened = program.add_columns(
        "open", keys={"site": np.arange(m)}, owner=np.arange(m), upper=1, integer=True,
        cost=100 * np.sqrt(capacity),
    )  # fmt: skip
    site, place = (k.ravel() for k in np.meshgrid(np.arange(m), np.arange(n), indexing="ij"))
    flow = program.add_columns(
        "flow", keys={"site": site, "place": place}, owner=site, upper=demand[place],
        cost=dice.uniform(1, 9, m * n),
    )  # fmt: skip
    cap = program.add_rows("cap", keys={"site": np.arange(m)}, upper=0)
    program.add_entries(cap[site], flow, 1)
    program.add_entries(cap, opened, -capacity)
    met = program.add_rows("met", keys={"place": np.arange(n)}, lower=demand, upper=demand)
    program.add_entries(met[place], flow, 1)
    link = program.add_rows("link", keys={"site": site, "place": place}, upper=0)
    program.add_entries(link, flow, 1)
    program.add_entries(link, opened[site], -demand[place])
    truth = solve_matrix(program.matrix, Limits(gap=0)).objective
    out = solve_by_owners(program, Limits(gap=1e-7))
    assert out is not None
    assert out.status == "optimal"
    assert out.bound_certified
    assert out.objective == pytest.approx(truth, rel=1e-6)
