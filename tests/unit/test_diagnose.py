"""What the diagnosis says of scenarios made infeasible on purpose, applied and taken back."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers import worlds
from helpers.stuck import CASES, PAIRS, Case, Made, Pair, world

from sitepick.blocks import build
from sitepick.diagnose import diagnose
from sitepick.diagnose.diagnose import enough_mw, world_of
from sitepick.diagnose.levers import scenario_levers
from sitepick.diagnose.prechecks import contradictions
from sitepick.diagnose.search import Search, smallest
from sitepick.diagnose.table_levers import table_levers
from sitepick.diagnose.world import Oracle
from sitepick.dispatch.joint import JointLimits
from sitepick.dispatch.study import study_of
from sitepick.instance import assemble
from sitepick.layers.types import Layers
from sitepick.planner import Planner
from sitepick.report.diagnosis import diagnosis_lines, remedy_table
from sitepick.run import Change, Prepared
from sitepick.scenario.read import Loaded
from sitepick.solve import solve_with
from sitepick.solve.highs import solve_matrix
from sitepick.solve.outcome import Limits

MOST_S = 60.0


def planner(made: Made) -> Planner:
    scenario, candidates, grid = made
    study = None if grid is None else study_of(scenario, grid)
    loaded = Loaded(scenario, None, Path(), "", "", {})
    return Planner(Prepared(loaded, Layers(), candidates, {}, study), Limits(threads=1))


def has_plan(made: Made) -> bool:
    """Return whether the whole problem, at no cost, has a point."""
    scenario, candidates, grid = made
    inst = assemble(scenario, candidates, grid)
    program, _ = build(inst)
    program.minimise(())
    joint = () if grid is None else (JointLimits(study_of(scenario, grid), inst, program),)
    limits = Limits(gap=1.0, time_s=MOST_S, threads=1)
    if grid is None:
        out = solve_matrix(program.matrix, limits)
    else:
        out = solve_with("highs", program, limits, exact=True, separators=joint)
    assert out.status in ("infeasible", "optimal")
    return out.values is not None


def named(changes: tuple[Change, ...], key: str) -> bool:
    return len(changes) == 1 and changes[0].key.startswith(key)


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)
def test_one_cause(case: Case) -> None:
    assert not has_plan(case.made(case.now))
    found = diagnose(planner(case.made(case.now)), MOST_S)
    assert found.complete
    told = [r[0] for r in found.remedies if named(r, case.key)]
    assert len(told) == 1, [[c.key for c in r] for r in found.remedies]
    change = told[0]
    assert (change.family, change.proven) == (case.family, True)
    assert has_plan(case.made(change.value))
    assert not has_plan(case.made(case.short_of(change.value)))


@pytest.mark.parametrize("pair", PAIRS, ids=lambda p: p.name)
def test_two_causes(pair: Pair) -> None:
    made = pair.made()
    assert not has_plan(made)
    asked = planner(made)
    found = diagnose(asked, MOST_S)
    assert found.complete
    assert found.remedies
    world, inst = world_of(asked), asked.instance
    much = enough_mw(inst)
    levers = [*scenario_levers(world, inst.time, much), *table_levers(world, inst.time, much)]
    by_key = {lever.key: lever for lever in levers}
    blamed = [frozenset(c.family for c in remedy) for remedy in found.remedies]
    assert pair.families in blamed
    assert not any(families < pair.families for families in blamed)
    for remedy in found.remedies:
        assert all(c.proven for c in remedy)
        for without in (None, *remedy):
            then = world
            for c in remedy:
                lever = by_key[c.key]
                less = lever.now if lever.steps else lever.now + 0.98 * (c.value - lever.now)
                then = lever.lift(then, less if c is without else c.value)
            assert has_plan((then.scenario, then.candidates, then.grid)) == (without is None)


def test_said_to_a_planner() -> None:
    found = diagnose(planner(CASES[0].made(CASES[0].now)), MOST_S)
    lines = [line.strip() for line in diagnosis_lines(found)]
    assert lines[0] == (
        "cannot hold together: must-serve train demand is 900.0 ref MW from 2029-01-01, all places"
        " (3) have at most 145.0 grid MW; they hold 120.8 IT MW = 459.2 ref MW"
    )
    assert lines[1] == "any one of these changes gives a plan, the smallest first:"
    assert lines[2] == "demand.workloads.train.ref_mw: 900 -> 393.7 ref_mw (-506.3, -56 %)"
    assert lines[-1] == "demand.workloads.train.must_serve: true -> false"
    table = remedy_table(found)
    assert len(table.rows) == len(found.remedies)
    assert table.rows[0][1:] == (
        "demand",
        "demand.workloads.train.ref_mw",
        "900",
        "393.7",
        "ref_mw",
    )


def test_time_that_ends_is_said() -> None:
    found = diagnose(planner(CASES[0].made(CASES[0].now)), 0.0)
    assert not found.complete
    assert found.contradictions  # arithmetic needs no time
    assert "search ended after" in diagnosis_lines(found)[-1]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        (
            "commitment",
            "A is committed to 70.0 IT MW from 2028-01-01; in 2028-01-01 its POIs, size",
        ),
        ("smallest campus", "required site A must have 60.0 IT MW at the end"),
        ("minimum presence", "state S2 must have 60.0 IT MW from 2028-01-01; its 1 sites can hold"),
        ("required site", "2 sites stand, are required or committed; limits.sites_max is 1"),
        ("budget", "what is committed costs at least 600 MUSD in halls and hardware"),
        (
            "latency",
            "must-serve serve demand at Y is 6.0 ref MW from 2028-01-01, the places within",
        ),
    ],
)
def test_arithmetic_is_said_first(name: str, words: str) -> None:
    case = next(c for c in CASES if c.name == name)
    asked = planner(case.made(case.now))
    assert any(words in said for said in contradictions(asked.prepared.scenario, asked.instance))


@pytest.mark.parametrize("seed", range(40))
def test_arithmetic_never_speaks_of_a_world_with_a_plan(seed: int) -> None:
    scenario, candidates = worlds.world(seed, 4)
    inst = assemble(scenario, candidates)
    if contradictions(scenario, inst):
        assert not has_plan((scenario, candidates, None))


def test_the_smallest_part_is_found() -> None:
    asked: list[list[int]] = []

    def enough(some: list[int]) -> bool:
        asked.append(some)
        return {3, 11, 12} <= set(some)

    assert smallest(list(range(40)), enough) == [3, 11, 12]
    assert len(asked) < 40


def test_held_plans_are_levers() -> None:
    asked = planner(world())
    asked.hold([("A", "2028-01-01", 90.0)], only=False)
    found = diagnose(asked, MOST_S)
    assert ["--fix"] in [[c.key for c in r] for r in found.remedies]


def test_nothing_is_applied_once_time_is_up(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = planner(PAIRS[0].made())
    world = world_of(asked)
    inst = asked.instance
    levers = scenario_levers(world, inst.time, enough_mw(inst))
    search = Search(world, levers, Oracle("highs", 1, None, deadline=0.0))
    monkeypatch.setattr(search, "applied", lambda setting: pytest.fail("applied"))
    assert search.remedies() == []
    assert search.oracle.unsure
