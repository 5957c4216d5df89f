"""The independent check: a plan judged again from scenario and candidates alone.

Plain loops over rows, sharing no code with the model. Each module judges the rows of the block of
the same name in docs/model.md; `costs`, `cash` and `claims` judge what the plan says of itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sitepick.candidates.types import Candidates
    from sitepick.checks.against import Overload
    from sitepick.checks.case import Case
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
    from sitepick.checks import cash, change, claims, costs

    found, case = _sound(scenario, layers, candidates, solution, grid)
    for room in () if case is None else (*_limits(), costs, cash, claims, change):
        found.extend(room.check(case))
    return found


def judge_against(
    scenario: Scenario,
    layers: Layers,
    candidates: Candidates,
    solution: Solution,
    grid: Grid | None = None,
) -> tuple[list[Finding], list[Overload]]:
    """Return every breach of the limits of a scenario that the plan was not made for.

    What the plan says of its own costs is left alone. A plan without dispatch, or with one for
    other conditions, is given the best there is: what stays over limits is returned for each
    condition and period, and found wrong where it is more than without the plan.
    """
    import dataclasses

    from sitepick.checks import against

    if against.is_foreign(scenario, solution):
        solution = dataclasses.replace(solution, dispatch=(), excused=())
    found, case = _sound(scenario, layers, candidates, solution, grid)
    if case is None:
        return found, []
    over = against.overloads(case)
    for room in _limits():
        found.extend(f for f in room.check(case) if not over or f.check != against.MISSING)
    found.extend(against.check(case, over))
    return found, over


def judge_actions(
    scenario: Scenario,
    layers: Layers,
    candidates: Candidates,
    solution: Solution,
    grid: Grid | None,
    rows: Sequence[Mapping[str, str]],
) -> list[Finding]:
    """Return what is wrong with a list of actions of a plan: dates by days, MW, money, rows.

    ``rows`` are cells of text by column, as in `actions.csv`. Rows of the plan that cannot be
    judged are left out; `judge` names them.
    """
    from sitepick.checks import actions

    _, case = _sound(scenario, layers, candidates, solution, grid)
    return [] if case is None else list(actions.check(case, rows))


def _sound(
    scenario: Scenario,
    layers: Layers,
    candidates: Candidates,
    solution: Solution,
    grid: Grid | None,
) -> tuple[list[Finding], Case | None]:
    """Return faults of single rows, and the case with the plan's other rows, None without any."""
    import dataclasses

    from sitepick.checks import rows
    from sitepick.checks.case import Case

    found = rows.wrong_periods(scenario, solution)
    if found:
        return found, None
    no_rows: dict[str, Any] = dict.fromkeys(rows.KEYS, ())
    inputs_only = dataclasses.replace(solution, **no_rows)
    case = Case(scenario, candidates, inputs_only, layers.curves, grid)
    found, sound = rows.sound(case, solution)
    case.read_plan(sound)
    return found, case


def _limits() -> tuple[Any, ...]:
    from sitepick.checks import (
        budget,
        commitments,
        deliverability,
        demand,
        fiber,
        flexible,
        group_laterals,
        group_links,
        groups,
        halls,
        hardware,
        headroom,
        leases,
        limits,
        onsite,
        power,
        procurement,
        regions,
        routes,
        services,
        siting,
        split,
        swing,
        ties,
    )

    return (
        siting, ties, power, onsite, headroom, halls, hardware, leases, demand, routes, groups,
        group_links, group_laterals, services, split, fiber, flexible, swing, regions, procurement,
        budget, limits, commitments, deliverability,
    )  # fmt: skip
