"""Two runs side by side, as lines and tables."""

from __future__ import annotations

from sitepick.exports.compare import LEAST_MW, Comparison, SiteChange
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
    inputs: list[tuple[Cell, ...]] = [(c.where, c.before, c.after) for c in found.inputs]
    changed = [
        c
        for c, last in zip(found.sites, (None, *found.sites), strict=False)
        if not _as_before(c, last)
    ]
    sites: list[tuple[Cell, ...]] = [
        (c.site_id, c.what, c.period, _cell(c.before), _cell(c.after), "; ".join(c.causes[:2])
         + (f" and {len(c.causes) - 2} more" if len(c.causes) > 2 else ""))
        for c in changed
    ]  # fmt: skip
    money: list[tuple[Cell, ...]] = [
        (c.what, c.before_musd, c.after_musd, c.after_musd - c.before_musd) for c in found.money
    ]
    tables = (
        _table("Inputs that differ", ("Input", "Before", "After"), inputs, left=3),
        _table("Sites", ("Site", "What", "From", "Before", "After", "Because of"), sites, left=6),
        _table("MUSD", ("Money, MUSD", "Before", "After", "Change"), money, left=1),
    )
    return tuple(t for t in tables if t.rows)


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
