"""The independent check: a plan judged again from scenario and candidates alone.

Plain loops over rows, sharing no code with the model. Each module judges the rows of the block of
the same name in docs/model.md; `costs`, `cash` and `claims` judge what the plan says of itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sitepick.candidates.types import Candidates
    from sitepick.finding import Finding
    from sitepick.layers.types import Layers
    from sitepick.network.types import Grid
    from sitepick.scenario.schema import Scenario
    from sitepick.solution import Solution


def judge(
    scenario: Scenario,
    layers: Layers,
    candidates: Candidates,
    solution: Solution,
    grid: Grid | None = None,
) -> list[Finding]:
    """Return every breach of the plan, measured; an empty list means verified.

    Rows with unknown ids, duplicates and bad numbers come first and are then left out. Tolerances
    are those of `sitepick.checks.tolerance`. ``grid`` is what `scenario.grid` names, plain tables.
    """
    import dataclasses

    from sitepick.checks import (
        budget,
        cash,
        claims,
        commitments,
        costs,
        deliverability,
        demand,
        flexible,
        halls,
        hardware,
        headroom,
        limits,
        onsite,
        power,
        procurement,
        regions,
        rows,
        siting,
        ties,
    )
    from sitepick.checks.case import Case

    found = rows.wrong_periods(scenario, solution)
    if found:
        return found
    no_rows: dict[str, Any] = dict.fromkeys(rows.KEYS, ())
    inputs_only = dataclasses.replace(solution, **no_rows)
    case = Case(scenario, candidates, inputs_only, layers.curves, grid)
    found, sound = rows.sound(case, solution)
    case.read_plan(sound)
    for room in (
        siting, ties, power, onsite, headroom, halls, hardware, demand, flexible, regions,
        procurement, budget, limits, commitments, deliverability, costs, cash, claims,
    ):  # fmt: skip
        found.extend(room.check(case))
    return found
