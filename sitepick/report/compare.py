"""Two runs side by side, as lines and tables."""

from __future__ import annotations

from pathlib import PurePath

from sitepick.comparison import Comparison, SiteChange
from sitepick.exports.compare import FOLLOWS, LEAST_MW
from sitepick.report.tables import Cell, Column, Table
from sitepick.words import objective_words

MOST = 40
"""Rows of a table on a screen; the CSV and JSON hold all."""


def comparison_headline(found: Comparison) -> tuple[str, ...]:
    """Return which runs, and whether their objectives are proven to differ."""
    first = f"{found.after} against {found.before}"
    a, b = found.objective_before, found.objective_after
    unit = "MUSD" if "cost" in found.objective_name else "MW-years"
    text = f"{objective_words(found.objective_name)}: {a:,.6g} -> {b:,.6g} {unit} ({b - a:+,.4g})"
    if found.proven is None:
        return first, f"objectives differ in kind: {text}"
    proof = "proven to differ" if found.proven else "within the gap: not proven to differ"
    lines = [first, f"{text}, {proof}"]
    if not found.inputs:
        lines.append("no input differs")
    if not found.sites:
        lines.append("the same sites, MW and dates")
    return tuple(lines)


def comparison_tables(found: Comparison) -> tuple[Table, ...]:
    """Return changed inputs, sites and money, those that have rows."""
    inputs: list[tuple[Cell, ...]] = [
        (c.row or c.where, c.column, c.before, c.after) for c in found.inputs
    ]
    sites = site_rows(found.sites)
    money: list[tuple[Cell, ...]] = [
        (c.what, c.before_musd, c.after_musd, c.after_musd - c.before_musd) for c in found.money
    ]
    tables = (
        _table("Inputs that differ", ("Input", "What", "Before", "After"), inputs, left=4),
        _table("Sites", ("Site", "What", "From", "Before", "After", "Because of"), sites, left=6),
        _table("MUSD", ("Money, MUSD", "Before", "After", "Change"), money, left=1),
    )
    return tuple(t for t in tables if t.rows)


def site_rows(changes: tuple[SiteChange, ...]) -> list[tuple[Cell, ...]]:
    """Return changes of sites as cells; a figure that goes on as in the period above is left out.

    Columns: site, what, from, before, after, because of.
    """
    changed = [
        c for c, last in zip(changes, (None, *changes), strict=False) if not _as_before(c, last)
    ]
    return [
        (c.site_id, c.what, c.period, _cell(c.before), _cell(c.after), short_cause(c.causes))
        for c in changed
    ]


def short_cause(causes: tuple[str, ...]) -> str:
    """Return causes as a table has room for them: the row or key, without what changed in it."""
    brief = [PurePath(cause.split(": ")[0].split(" (")[0]).name for cause in causes[:1]]
    if causes and causes[0].startswith(FOLLOWS):
        others = " and others" if ") and " in causes[0] else ""
        brief = [f"{FOLLOWS}{brief[0].removeprefix(FOLLOWS)}{others}"]
    return "".join(brief) + (f" and {len(causes) - 1} more" if len(causes) > 1 else "")


def _as_before(change: SiteChange, last: SiteChange | None) -> bool:
    """Return whether a figure goes on as in the period above it."""
    if last is None or (change.site_id, change.what) != (last.site_id, last.what):
        return False
    pairs = ((change.before, last.before), (change.after, last.after))
    return all(
        isinstance(x, float) and isinstance(y, float) and abs(x - y) < LEAST_MW for x, y in pairs
    )


def _cell(value: float | str | None) -> str:
    if value is None:
        return "not in the plan"
    return value if isinstance(value, str) else f"{value:,.1f}"


def _table(title: str, names: tuple[str, ...], rows: list[tuple[Cell, ...]], left: int) -> Table:
    columns = tuple(
        Column(name, align="left" if i < left else "right") for i, name in enumerate(names)
    )
    note = f"... {len(rows) - MOST} more (--json, --csv)" if len(rows) > MOST else ""
    return Table(title, columns, tuple(rows[:MOST]), note)
