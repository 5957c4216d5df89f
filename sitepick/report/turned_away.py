"""Why work is turned away, as a table for the terminal and the page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sitepick.report.plan import work_unit
from sitepick.report.tables import Cell, Column, Table
from sitepick.words import REACH, limit_words

if TYPE_CHECKING:
    from sitepick.run import NextMw, Run, TurnedAway

_MOST = 6
_LIMITS = 3
_CHEAP_MUSD = 0.01
"""Less than this a ref MW is noise."""


def turned_away_table(run: Run) -> Table:
    """Return per date and workload what is turned away, and what would serve the next MW."""
    unit = work_unit(run)
    rows: list[tuple[Cell, ...]] = []
    for row in run.turned_away:
        who = "demand" if row.workload == "it" else row.workload
        told: list[tuple[Cell, ...]] = [
            _limit(limit, run) for limit in row.limits[:_LIMITS]
        ] or [(None, "", _why(row), "")]  # fmt: skip
        rows.append((row.period, who, row.short_ref_mw, *told[0]))
        rows += [("", "", None, *more) for more in told[1:]]
    columns = (
        Column("turned away", align="left"), Column("work", align="left"),
        Column("short", unit, decimals=1), Column(f"next {unit} needs", decimals=3),
        Column("unit", align="left"), Column("more of", align="left"),
        Column("at", align="left"),
    )  # fmt: skip
    note = (
        f"Each line alone would serve one more {unit} at the plan's sites (linear program). Sites "
        "that are not in the plan: their verdicts."
    )
    return Table(
        "Why work is turned away", columns, tuple(rows), note if rows else "", most=_MOST,
        rest="... {} more lines in report.html",
    )  # fmt: skip


def _why(row: TurnedAway) -> str:
    if not row.looked:
        return "not looked into"
    if row.dearer_musd_per_ref_mw is None:
        return "no limit alone"
    if row.dearer_musd_per_ref_mw < _CHEAP_MUSD:
        return "whole halls, or the gap"
    return f"it costs {row.dearer_musd_per_ref_mw:,.2f} MUSD too much"


def _limit(limit: NextMw, run: Run) -> tuple[Cell, ...]:
    words = limit_words(limit.limit, run.prepared.scenario)
    if limit.limit == REACH:
        return (None, "", words, "")
    where = " ".join(x for x in (limit.where, limit.when) if x)
    return (limit.amount, limit.unit, words, where)
