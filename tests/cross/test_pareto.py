"""Frontiers of random small worlds: each point against a solve of its own, without a start."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from helpers import tiny, worlds

from sitepick.candidates.types import Candidates
from sitepick.errors import ScenarioError
from sitepick.planner import Planner
from sitepick.scenario.read import Loaded
from sitepick.scenario.schema import Scenario
from sitepick.solve.highs import solve_matrix
from sitepick.solve.outcome import Limits
from sitepick.studies.pareto import Against, Frontier, pareto

LIMITS = Limits(gap=1e-6, threads=1)
CLOSE = 3e-5


def changed(record: dict[str, Any], override: str) -> None:
    """Set one value of a scenario's record as ``key.key=value`` says."""
    path, _, value = override.partition("=")
    *keys, last = [key.strip('"') for key in path.split(".")]
    at = record
    for key in keys:
        at = at[key]
    at[last] = json.loads(value) if value[0] in "{0123456789" else value


def traded(
    scenario: Scenario, candidates: Candidates, against: Against, points: int = 3
) -> Frontier:
    """Return the frontier of a world without files."""

    def reload(overrides: Sequence[str]) -> Loaded:
        record = scenario.model_dump(mode="json", by_alias=True)
        for override in ("objective=min_cost", *overrides):
            changed(record, override)
        return Loaded(Scenario.model_validate(record), None, Path(), "", "", {})

    world = replace(worlds.prepared(scenario, candidates), loaded=reload(()))
    return pareto(world, reload, against, points=points, limits=LIMITS)


def kept(found: Frontier) -> None:
    """Hold each point against a solve of its scenario from nothing, and the order of costs."""
    sign = 1 if found.against == "mw" else -1
    costs = [(sign * p.value, p.cost_musd) for p in found.points]
    for point in found.points:
        assert point.run.findings == ()
        alone = solve_matrix(Planner(point.run.prepared, LIMITS).program.matrix, LIMITS)
        assert alone.values is not None
        assert point.cost_musd == pytest.approx(alone.objective, rel=CLOSE, abs=1e-3)
        assert point.bound_musd <= point.cost_musd * (1 + CLOSE) + 1e-3
        slack = CLOSE * max(1.0, abs(point.cost_musd))
        beaten = [
            c for v, c in costs if v >= sign * point.value - CLOSE and c < point.cost_musd - slack
        ]
        assert bool(point.dominated) >= bool(beaten)
    for level in found.impossible:
        assert level not in [p.level for p in found.points]


@pytest.mark.parametrize("against", ["mw", "date", "carbon", "water"])
def test_points_of_the_tiny_world(against: Against) -> None:
    found = traded(tiny.scenario(), tiny.candidates(), against)
    kept(found)
    assert not found.missing
    front = [p for p in found.points if not p.dominated]
    assert len(front) >= (1 if against == "date" else 2)
    values = [p.value for p in front]
    rising = against == "mw"
    assert values == sorted(values, reverse=not rising)
    assert [p.cost_musd for p in front] == sorted(p.cost_musd for p in front)


@pytest.mark.parametrize("seed", [3, 5])
def test_points_of_random_worlds(seed: int) -> None:
    scenario, candidates = worlds.world(seed, 4)
    found = traded(scenario, candidates, "mw", points=3)
    kept(found)
    assert found.points or found.impossible


def test_what_cannot_be_traded_is_said() -> None:
    works = tiny.SCENARIO["demand"]["workloads"]
    must = {"workloads": {name: {**work, "must_serve": True} for name, work in works.items()}}
    with pytest.raises(ScenarioError, match="all work must be served"):
        traded(tiny.scenario(demand=must), tiny.candidates(), "mw")
    dry = [{**h, "wue_l_per_kwh": 0} for h in tiny.HALLS]
    with pytest.raises(ScenarioError, match="none of it"):
        traded(tiny.scenario(halls=dry), tiny.candidates(), "water")
