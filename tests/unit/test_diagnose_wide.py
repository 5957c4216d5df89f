"""The search of large scenarios, on worlds small enough to be judged whole."""

from __future__ import annotations

import pytest
from helpers.stuck import CASES, PAIRS, Case, Pair

from sitepick.diagnose import diagnose, world
from tests.unit.test_diagnose import has_plan, named, planner

NAMES = (
    "layer headroom", "share of the headroom", "budget", "chips", "cap on a region's IT", "carbon",
    "wait in the queue", "commitment",
)  # fmt: skip


@pytest.fixture(autouse=True)
def all_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(world, "LARGE_COLUMNS", 0)


@pytest.mark.parametrize("case", [c for c in CASES if c.name in NAMES], ids=lambda c: c.name)
def test_one_cause(case: Case) -> None:
    found = diagnose(planner(case.made(case.now)), 60.0)
    told = [r[0] for r in found.remedies if named(r, case.key)]
    assert len(told) == 1, [[c.key for c in r] for r in found.remedies]
    change = told[0]
    assert change.family == case.family
    assert has_plan(case.made(change.value))
    assert not has_plan(case.made(case.short_of(change.value))) or not change.proven


@pytest.mark.parametrize("pair", PAIRS[3:], ids=lambda p: p.name)
def test_two_causes(pair: Pair) -> None:
    found = diagnose(planner(pair.made()), 60.0)
    assert pair.families in [frozenset(c.family for c in remedy) for remedy in found.remedies]
