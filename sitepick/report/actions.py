"""The table on what must be done within the next months, late things first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sitepick.instance.timeline import add_months
from sitepick.report.tables import Cell, Column, Table

if TYPE_CHECKING:
    from sitepick.actions import Action
    from sitepick.exports.rows import SiteRows
    from sitepick.run import Run

MOST = 4
_LETTERS = ("accept_letter", "post_security", "pay_letter_upgrade")


def actions_table(run: Run, made: SiteRows) -> Table:
    """Return what is due within `actions.report_months` of as_of, by date; all else is in the CSV.

    Days that lie before as_of come first and say by how much.
    """
    scenario = run.prepared.scenario
    months = scenario.actions.report_months
    until = add_months(scenario.as_of, months)
    due = [action for action in made.actions if action.do_by <= until]
    columns = (
        Column(f"Next {months} month{'s' if months > 1 else ''}", align="left"),
        Column("to do", align="left"),
        Column("site or POI", align="left"),
        Column("MW", decimals=0),
        Column("MW are", align="left"),
        Column("MUSD", f"MUSD (real, {scenario.money.price_year})", decimals=1),
        Column("late by, days", "days", decimals=0),
    )
    rows: list[tuple[Cell, ...]] = [
        (
            action.do_by.isoformat(), words_of(action), _where(action), action.mw, action.mw_kind,
            action.musd, action.late_by_days or None,
        )
        for action in due
    ]  # fmt: skip
    return Table(
        f"To do within {months} months, by {until}", columns, tuple(rows),
        _note(due, len(made.actions)), most=MOST, rest="... {} more of these",
        places=tuple(_place(action) for action in due),
    )  # fmt: skip


def words_of(action: Action) -> str:
    """Return what is done, with its hall class, hardware, letter or whatever it is about."""
    words = action.action.replace("_", " ")
    if action.action == "start_tie" or not action.item:
        return words
    if action.action in _LETTERS:
        return f"{words} {action.item}"
    verb, _, _ = words.partition(" ")
    return f"{verb} {action.item.replace('_', ' ')}"


def _where(action: Action) -> str:
    if action.action in _LETTERS or not action.site_id:
        return action.poi_id
    return action.site_id


def _place(action: Action) -> str:
    one = action.site_id and "+" not in action.site_id
    return f"site:{action.site_id}" if one else f"poi:{action.poi_id}" if action.poi_id else ""


def _note(due: list[Action], every: int) -> str:
    late = sum(action.late_by_days > 0 for action in due)
    musd = sum(action.musd or 0.0 for action in due)
    note = f"{len(due)} of {every} actions (actions.csv), {musd:,.0f} MUSD"
    if late:
        note += f"; {late} LATE: before as_of"
    return note + "."
