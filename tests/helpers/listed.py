"""The list of actions of a plan, as a table of text and as money, for tests."""

from __future__ import annotations

from collections import defaultdict

from sitepick.actions import KINDS, actions_of
from sitepick.checks import judge_actions
from sitepick.exports.actions import action_row
from sitepick.exports.csv_out import cell_text
from sitepick.finding import Finding
from sitepick.network.types import Grid
from sitepick.run import Prepared
from sitepick.solution import Solution

Rows = list[dict[str, str]]


def table(world: Prepared, plan: Solution) -> Rows:
    """Return the actions of a plan as cells of text, as a file has them."""
    rows = map(action_row, actions_of(world.scenario, world.candidates, plan))
    return [{name: cell_text(value) for name, value in row.items()} for row in rows]


def wrong(world: Prepared, plan: Solution, rows: Rows, grid: Grid | None = None) -> list[Finding]:
    """Return what the check says of a table of actions."""
    return judge_actions(world.scenario, world.layers, world.candidates, plan, grid, rows)


def money_apart(world: Prepared, plan: Solution) -> float:
    """Return the largest difference, MUSD, of actions and cash over all years, by category."""
    apart: dict[str, float] = defaultdict(float)
    for action in actions_of(world.scenario, world.candidates, plan):
        apart[KINDS[action.action].cash] += action.musd or 0.0
    for paid in plan.cash:
        apart[paid.category] -= paid.musd
    return max(map(abs, apart.values()), default=0.0)
