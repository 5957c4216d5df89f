"""A plan that knows nothing of the grid, judged by it: the best dispatch is looked for.

For each condition and period the least MW over the limits that any dispatch leaves, every branch
counted once at its worst, with the plan's load and without it. Nothing is excused.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sitepick.checks.case import Case
from sitepick.checks.deliverability import MISSING as MISSING
from sitepick.checks.flows import Flows
from sitepick.checks.least import Least, LeastOver
from sitepick.checks.states import (
    State,
    Supply,
    added_mw,
    conditions_of,
    new_load,
    outages_of,
    state_of,
    study,
)
from sitepick.checks.tolerance import EXCUSED_MW, MW, more
from sitepick.errors import LayerError
from sitepick.finding import Finding
from sitepick.network.types import FloatArray, Grid
from sitepick.scenario.grid import GridStudy, study_conditions
from sitepick.scenario.schema import Scenario
from sitepick.solution import Solution


@dataclass(frozen=True)
class Overload:
    """What the best dispatch leaves over limits in a condition and period."""

    condition: str
    period: str
    new_load_mw: float  # firm MW that the plan draws
    over_mw: float
    branches: int  # over their limits
    unserved_mw: float  # load for which there is no generation
    over_before_mw: float  # the same three without the plan
    branches_before: int
    unserved_before_mw: float


def is_foreign(scenario: Scenario, solution: Solution) -> bool:
    """Return whether the plan's dispatch is one for conditions that the scenario does not have."""
    grid = scenario.grid
    known = set() if grid is None else {c.id for c in study_conditions(grid)}
    given = {row.condition for row in solution.dispatch} | {r.condition for r in solution.excused}
    return bool(given - known)


def overloads(case: Case) -> list[Overload]:
    """Return what is over limits at best; none without a grid, or where the plan has a dispatch.

    Raises LayerError if the grid cannot be solved.
    """
    asked, grid = study(case), case.network
    if asked is None or grid is None or case.solution.dispatch:
        return []
    try:
        return _overloads(case, asked, grid)
    except RuntimeError as fault:
        raise LayerError(f"grid: not solved: {fault}") from None


def _overloads(case: Case, asked: GridStudy, grid: Grid) -> list[Overload]:
    flows, supply = Flows(grid), Supply.of(grid)
    outages = outages_of(asked, grid, flows.bridges)
    least = LeastOver(flows, supply, outages, asked.emergency_pct / 100)
    solved: dict[tuple[bytes, ...], Least] = {}

    def best(state: State, load_mw: FloatArray, rating_mw: FloatArray) -> Least:
        same = load_mw, state.low_mw, state.high_mw, rating_mw
        key = tuple(part.tobytes() for part in same)
        if key not in solved:
            solved[key] = least.solve(*same, {}, by_pair=False)
        return solved[key]

    found = []
    for condition in conditions_of(case).values():
        for t in case.times:
            state = state_of(case, grid, condition, t)
            before = best(state, state.load_mw, grid.rating_mw)
            new = new_load(case, grid, condition, t)
            after = best(state, state.load_mw + new, grid.rating_mw + added_mw(case, grid, t))
            row = Overload(
                condition.id, case.when(t), float(new.sum()),
                after.total_mw, _count(after), after.unserved_mw,
                before.total_mw, _count(before), before.unserved_mw,
            )  # fmt: skip
            found.append(row)
    return found


def _count(found: Least) -> int:
    return sum(mw > MW for mw in found.over_mw.values())


def check(case: Case, found: Sequence[Overload]) -> Iterator[Finding]:
    """Yield a finding where the plan adds to what is over limits, or to load without generation."""
    asked = study(case)
    for row in found:
        assert asked is not None
        where = f"condition {row.condition}, {row.period}"
        # what may worsen, as the scenario lets it: so many MW on each branch that is over already
        slack = EXCUSED_MW + asked.excuse_margin_mw * row.branches_before
        over = more(row.over_mw, row.over_before_mw, slack)
        if over:
            message = (
                f"with the {row.new_load_mw:,.6g} MW of the plan the best dispatch leaves "
                f"{row.over_mw:,.6g} MW over the limits of {row.branches:,} branches, without them "
                f"{row.over_before_mw:,.6g} MW of {row.branches_before:,}"
            )
            yield Finding("deliverability.over", where, over, "MW", message)
        short = more(row.unserved_mw, row.unserved_before_mw)
        if short:
            message = f"there is no generation for {row.unserved_mw:,.6g} MW of load"
            yield Finding("deliverability.unserved", where, short, "MW", message)
