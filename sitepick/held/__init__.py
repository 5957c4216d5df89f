"""Decisions of an earlier plan that a new program must keep, as far as it can."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from functools import partial
from typing import TYPE_CHECKING

from sitepick.actions import Action, Decision
from sitepick.actions.facts import day
from sitepick.held.early import early_columns
from sitepick.held.hold import Held as Held
from sitepick.held.hold import HeldRow as HeldRow
from sitepick.held.hold import hold

if TYPE_CHECKING:
    import pandas as pd

    from sitepick.planner import Planner
    from sitepick.solution import Solution


def weights_of(actions: Iterable[Action]) -> dict[Decision, float]:
    """Return the money that each decision's actions commit, MUSD, and 1 for being one at all."""
    out: dict[Decision, float] = {}
    for action in actions:
        for decision in action.decisions:
            share = (action.musd or 0.0) / len(action.decisions)
            out[decision] = out.get(decision, 1.0) + share
    return out


def hold_plan(
    planner: Planner,
    plan: Solution,
    decisions: Mapping[Decision, float],
    *,
    weights: Mapping[Decision, float] | None = None,
    nothing_else_until: date | None = None,
) -> Held:
    """Hold decisions of an earlier plan, with their amounts, in a planner's program.

    ``decisions`` are some of `sitepick.actions.decisions_of(plan)`. What cannot be kept, or not
    whole, is told in the result; least by ``weights`` is given up (default: all alike).
    ``nothing_else_until``: whatever else has to be decided by that day is not done. Solve from
    `Held.start` then, by `Planner.solve`.
    """
    early = None
    if nothing_else_until is not None:
        until, tables = nothing_else_until, planner.prepared.candidates
        over = until >= planner.instance.time.starts[-1]  # whatever has no date is decided too
        letters = _answered(tables.offers, "offer_id", until, over)
        replied = _answered(tables.leases, "site_id", until, over)
        months = planner.prepared.scenario.leases.fit_out_months
        shell = tables.leases["kind"] == "powered_shell"
        fit_out = dict(zip(tables.leases["site_id"], months * shell, strict=True))
        early = partial(
            early_columns, planner.program, planner.instance, until, letters, replied, fit_out
        )
    return hold(
        planner.program, planner.instance, plan, decisions, weights or {}, planner.separate,
        planner.limits, early=early,
    )  # fmt: skip


def _answered(table: pd.DataFrame, ids: str, until: date, every: bool) -> set[str]:
    """Return the ids of offers whose answer is due by a day, or of ``every`` one."""
    replies = zip(table[ids], map(day, table["reply_by"]), strict=True)
    return {str(name) for name, reply in replies if every or (reply and reply <= until)}
