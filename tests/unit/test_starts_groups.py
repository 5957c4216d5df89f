"""First plans of campus groups, made from a relaxation."""

from __future__ import annotations

import dataclasses
from dataclasses import replace

import numpy as np
import pytest
from helpers.campuses import world

from sitepick import starts_groups
from sitepick.blocks.group_units import units
from sitepick.planner import Planner
from sitepick.solve.narrowed import follow, held, lead
from sitepick.solve.outcome import Limits, is_plan
from sitepick.solve.owners import Owners, numbered
from sitepick.solve.sifting import relax_by_pricing
from sitepick.starts_reach import around, keep, link_km
from tests.unit.test_groups import GROUP, SITES, SQUARE, WHERE, WORK

SOFT = {"big": WORK["big"] | {"must_serve": False, "ref_mw": {"2028": 50, "2029": 100}}}
NEAR = GROUP | {"route_km_max": 120, "sites_max": 2}  # of the square only neighbours
SHARED = ("groups.member", "groups.at", "groups.count")


def planned(folder, groups, works=SOFT):
    planner = Planner(world(folder, SITES, groups, works, SQUARE, WHERE), Limits(gap=0))
    matrix = numbered(planner.program.matrix)
    return planner, matrix, relax_by_pricing(Owners(matrix), Limits())


@pytest.fixture(scope="module")
def unit(tmp_path_factory):
    """The group of the square."""
    (of_square,) = units(planned(tmp_path_factory.mktemp("unit"), [GROUP])[0].instance)
    return of_square


@pytest.mark.parametrize("seed", range(8))
def test_any_two_sites_kept_are_within_reach(unit, seed):
    """Some links take a longer way than the shortest, or have none."""
    rng = np.random.default_rng(seed)
    n, sites = 7, 40
    at = rng.random((n, 2))
    km = np.hypot(*(at[:, None] - at[None, :]).T) * 1000
    link = km * rng.choice([1.0, 1.5, 9.0], (n, n), p=[0.8, 0.1, 0.1])
    link = np.maximum(link, link.T)
    link[link > 2500] = np.inf
    group = dataclasses.replace(
        unit.group, node=rng.integers(0, n, sites), node_at=np.arange(n), limit_km=800.0,
        lateral_km=rng.random(sites) * 500, site=np.arange(sites), km=km,
    )  # fmt: skip
    some = dataclasses.replace(unit, group=group)
    weight, grown = rng.random(sites), False
    for node in range(n):
        kept = around(some, link, node, weight)
        lateral = group.lateral_km[kept]
        apart = lateral[:, None] + km[np.ix_(group.node[kept], group.node[kept])] + lateral[None, :]
        np.fill_diagonal(apart, 0.0)
        assert (apart <= 800 + 1e-9).all()
        about = group.lateral_km + link[node, group.node] <= 400
        assert kept[about].all()
        grown |= kept.sum() > about.sum()
    assert grown, "more fits than what is about a node"


def test_links_have_a_length_where_there_is_a_way(tmp_path, unit):
    """By the shortest way, by the longer of two where a cut is survived; never without a way."""
    # a, b, c, d in a square of 100 km, a and c joined by 130 km
    assert link_km(unit)[0].tolist() == [0, 100, 130, 100]
    cut = GROUP | {"survive_cut": True, "shape": "hub"}
    (hub,) = units(planned(tmp_path / "cut", [cut])[0].instance)
    assert link_km(hub)[0].tolist() == [0, 230, 200, 230]
    (near,) = units(planned(tmp_path / "near", [NEAR])[0].instance)
    assert link_km(near)[0].tolist() == [0, 100, np.inf, 100]


def test_bounds_keep_a_group_to_its_sites(tmp_path):
    planner, matrix, _ = planned(tmp_path, [NEAR])
    (unit,) = units(planner.instance)
    upper = matrix.upper.copy()
    keep(planner.program, unit, np.array([True, True, False, False]), upper)
    for name in ("groups.member", "groups.at"):
        assert upper[unit.columns(planner.program, name)].tolist() == [1, 1, 0, 0]


@pytest.mark.parametrize("groups", [[NEAR], [GROUP | {"shape": "hub"}]], ids=["ring", "hub"])
def test_a_plan_is_made_once_from_a_relaxation(tmp_path, monkeypatch, groups):
    monkeypatch.setattr(starts_groups, "MANY", 1)
    planner, matrix, relaxed = planned(tmp_path, groups)
    program, inst = planner.program, planner.instance
    (rounder,) = starts_groups.group_rounders(program, inst, planner.complete, None)
    plan = rounder(matrix, relaxed, Limits(gap=1e-4))
    assert is_plan(matrix, plan)
    best, _ = planner.solve(None)
    assert plan[program.column_families["groups.member"].indices].sum() >= 2
    assert matrix.objective(plan) == pytest.approx(best.objective, rel=1e-3)
    assert rounder(matrix, relaxed, Limits(gap=1e-4)) is None, "once"


def two(**more):
    """Return two groups of one site or two that each could do all by the cheapest sites."""
    works = {w: SOFT["big"] | {"ref_mw": {"2028": 30, "2029": 60}} for w in ("big", "more")}
    groups = [
        GROUP | {"sites_max": 2, "name": n, "workload": w} | (more if w == "more" else {})
        for n, w in (("g", "big"), ("h", "more"))
    ]
    return groups, works


def test_groups_that_are_alike_are_decided_together(tmp_path):
    """The earlier has the earlier anchor: decided alone it could leave the other no place."""
    groups, works = two()
    planner, matrix, relaxed = planned(tmp_path / "alike", groups, works)
    program, inst = planner.program, planner.instance
    assert starts_groups.in_turn(program, matrix, inst) == [[0, 1]]
    search = starts_groups._InTurn(program, inst, matrix, relaxed, Limits(gap=1e-3), None)
    assert is_plan(matrix, search.plan())
    groups, works = two(sites_max=3)
    planner, matrix, _ = planned(tmp_path / "apart", groups, works)
    assert starts_groups.in_turn(planner.program, matrix, planner.instance) == [[1], [0]]


def test_rows_on_links_are_those_of_one_group(tmp_path):
    groups, works = two(shape="hub")
    planner, matrix, _ = planned(tmp_path, groups, works)
    program = planner.program
    of_g, of_h = starts_groups.link_rows(program, matrix, 2)
    assert not (of_g & of_h).any()
    for name in ("groups.from", "groups.links", "groups.carried", "groups.tbps", "groups.runs"):
        rows = program.row_families[name]
        for group, mine in enumerate((of_g, of_h)):
            assert mine[rows.indices].tolist() == (rows.keys["group"] == group).tolist()
    spokes = program.row_families["groups.spoke"].indices
    assert of_h[spokes].all()
    assert not of_g[spokes].any()
    others = [program.row_families[n].indices for n in ("groups.placed", "fiber.capacity")]
    assert not (of_g | of_h)[np.concatenate(others)].any()


def test_what_was_decided_badly_is_decided_again(tmp_path, monkeypatch):
    """The first group is left out in its turn: all others held, it is found a place after all."""
    groups, works = two(sites_max=3)
    planner, matrix, relaxed = planned(tmp_path, groups, works)
    program, inst = planner.program, planner.instance
    member = program.column_families["groups.member"]
    turns: list[int] = []

    def poorly(trial, *args, **more):
        turns.append(len(turns))
        if len(turns) == 1:
            upper = trial.upper.copy()
            upper[member.indices[member.keys["group"] == 1]] = 0
            trial = replace(trial, upper=upper)
        return lead(trial, *args, **more)

    monkeypatch.setattr(starts_groups, "lead", poorly)
    search = starts_groups._InTurn(program, inst, matrix, relaxed, Limits(gap=1e-4), None)
    plan = search.plan()
    assert len(turns) > 2
    assert is_plan(matrix, plan)
    best, _ = planner.solve(None)
    assert matrix.objective(plan) == pytest.approx(best.objective, rel=1e-3)


def test_a_group_without_a_place_begins_another_try(tmp_path, monkeypatch):
    groups, works = two(sites_max=3)
    planner, matrix, relaxed = planned(tmp_path, groups, works)
    program, inst = planner.program, planner.instance
    tries: list[int] = []

    def once(*args, **more):
        tries.append(len(tries))
        return None if len(tries) == 2 else lead(*args, **more)

    monkeypatch.setattr(starts_groups, "lead", once)
    search = starts_groups._InTurn(program, inst, matrix, relaxed, Limits(gap=1e-4), None)
    assert search.turns == [[1], [0]]
    plan = search.plan()
    assert search.turns == [[0], [1]]
    member = program.column_families["groups.member"]
    assert all(plan[member.indices[member.keys["group"] == g]].any() for g in (0, 1))


def test_without_time_a_group_stays_out(tmp_path):
    groups, works = two(sites_max=3)
    planner, matrix, relaxed = planned(tmp_path, groups, works)
    program, inst = planner.program, planner.instance
    search = starts_groups._InTurn(program, inst, matrix, relaxed, Limits(time_s=9), None)
    search.deadline = 0.0
    plan = search.plan()
    assert is_plan(matrix, plan)
    assert not plan[program.column_families["groups.member"].indices].any()


def test_no_plan_where_the_leading_decisions_are_forbidden(tmp_path):
    planner, matrix, _ = planned(tmp_path, [GROUP], WORK)
    leading = np.concatenate([planner.program.column_families[n].indices for n in SHARED])
    every, limits = np.arange(4), Limits(gap=1e-4)
    upper = matrix.upper.copy()
    upper[leading[:4]] = 0  # no members, but the work must be served
    none = replace(matrix, upper=upper)
    assert lead(none, every, leading, limits, target=-np.inf) is None
    values = lead(matrix, every, leading, limits, target=-np.inf)
    assert np.abs(values[leading] - np.round(values[leading])).max() < 1e-6
    assert not is_plan(matrix, values), "what follows is relaxed"
    plan = follow(held(matrix, leading, values), every, limits)
    assert is_plan(matrix, plan)
    assert (plan[leading] == np.round(values[leading])).all()
