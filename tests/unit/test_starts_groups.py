"""First plans of campus groups, made from a relaxation."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from helpers.campuses import world

from sitepick import starts_groups
from sitepick.planner import Planner
from sitepick.solve.highs import solve_matrix
from sitepick.solve.narrowed import plan_narrowed
from sitepick.solve.outcome import Limits, is_plan
from tests.unit.test_groups import GROUP, SITES, SQUARE, WHERE, WORK


@pytest.mark.parametrize("seed", range(8))
def test_nodes_within_reach_are_never_apart(seed):
    rng = np.random.default_rng(seed)
    apart = np.triu(rng.random((9, 9)) < 0.4, 1)
    apart |= apart.T
    weight = rng.random(9)
    kept = starts_groups.within_reach(apart, weight)
    assert not apart[np.ix_(kept, kept)].any()
    assert all(apart[n, kept].any() for n in np.flatnonzero(~kept)), "nothing more fits"
    sets = itertools.product((False, True), repeat=9)
    best = max(weight[list(s)].sum() for s in sets if not apart[np.ix_(s, s)].any())
    assert weight[kept].sum() >= 0.75 * best


def test_a_group_keeps_to_what_its_nodes_reach(tmp_path, monkeypatch):
    """Within 120 km, laterals included, only neighbours on the square are: two nodes at most."""
    monkeypatch.setattr(starts_groups, "MANY", 1)
    group = GROUP | {"route_km_max": 120, "sites_max": 2}
    work = {"big": WORK["big"] | {"must_serve": False, "ref_mw": {"2028": 50, "2029": 100}}}
    planner = Planner(world(tmp_path, SITES, [group], work, SQUARE, WHERE), Limits(gap=0))
    program, inst = planner.program, planner.instance
    values = solve_matrix(program.matrix, Limits(), relax=True).values
    upper = starts_groups.kept_together(program, inst, values)
    at = program.column_families["groups.at"]
    assert 0 < upper[at.indices].sum() <= 2
    (rounder,) = starts_groups.group_rounders(program, inst, planner.complete, None)
    plan = rounder(values, np.arange(4), Limits(gap=1e-4))
    assert is_plan(program.matrix, plan)
    best, _ = planner.solve(None)
    assert plan[program.column_families["groups.member"].indices].sum() >= 1
    assert program.matrix.objective(plan) == pytest.approx(best.objective, rel=0.02)
    assert rounder(values, np.arange(4), Limits(gap=1e-4)) is None, "once"


def test_no_plan_where_the_leading_decisions_are_forbidden(tmp_path):
    planner = Planner(world(tmp_path, SITES, [GROUP], WORK, SQUARE, WHERE), Limits(gap=0))
    matrix = planner.program.matrix
    upper = matrix.upper.copy()
    member = planner.program.column_families["groups.member"].indices
    upper[member] = 0  # the work must be served
    assert plan_narrowed(matrix, np.arange(4), upper, member, Limits(gap=1e-4)) is None
    plan = plan_narrowed(matrix, np.arange(4), matrix.upper, member, Limits(gap=1e-4))
    assert is_plan(matrix, plan)
