"""Why a scenario has no plan, as sentences and as a table."""

from __future__ import annotations

from sitepick.report.tables import Cell, Column, Table
from sitepick.run import Change, Diagnosis
from sitepick.words import plain_words

MOST = 8
"""Remedies that are shown; the JSON record holds all."""


def change_text(change: Change) -> str:
    """Return e.g. ``budget_musd.2028: 900 -> 1,140 MUSD (+240, +27 %)``."""
    unit = f" {change.unit}" if change.unit else ""
    text = f"{change.key}: {change.now} -> {change.needed}{unit}"
    if change.unit and change.change:
        before = change.value - change.change
        percent = f", {_percent(change.change / before)}" if abs(before) > 1e-9 else ""
        text += f" ({change.change:+,.4g}{percent})"
    elif change.change:
        text += f" ({change.change / 30.44:+,.0f} months)"
    return text if change.proven else f"{text}, not proven least"


def _percent(share: float) -> str:
    return f"{100 * share:+,.{0 if abs(share) >= 0.1 else 1}f} %"


def diagnosis_lines(found: Diagnosis) -> list[str]:
    """Return what a terminal says below what is short: contradictions, then remedies."""
    lines = [f"  cannot hold together: {text}" for text in found.contradictions]
    single = [r[0] for r in found.remedies if len(r) == 1]
    several = [r for r in found.remedies if len(r) > 1]
    if single:
        lines.append("  any one of these changes gives a plan, the smallest first:")
        lines += [f"    {change_text(c)}" for c in single[:MOST]]
        if len(single) > MOST:
            lines.append(f"    and {len(single) - MOST} more (--json)")
    elif several:
        lines.append("  no single limit is to blame; these changes together give a plan:")
    for number, remedy in enumerate(several[: MOST // 2]):
        lines += ["  or, together:"] if number or single else []
        lines += [f"    {change_text(c)}" for c in remedy]
    if not found.remedies:
        lines += _without_remedy(found)
    if not found.complete:
        but = "smaller changes may do" if found.remedies else "no remedy was found"
        lines.append(f"  the search ended after {found.seconds:,.0f} s: {but}")
    return lines


def _without_remedy(found: Diagnosis) -> list[str]:
    lines = ["  no change of an input that was tried gives a plan"] if found.complete else []
    if found.relaxed:
        lines.append("  the least that limits would have to give, relative to their size:")
    for row in found.relaxed[:MOST]:
        where = " ".join(x for x in (row.where, row.when) if x)
        lines.append(f"    {plain_words(row.limit)} {where}: {row.amount:,.4g} {row.unit}")
    return lines


def remedy_table(found: Diagnosis) -> Table:
    """Return the remedies as a table: the changes of one number belong together."""
    rows: list[tuple[Cell, ...]] = [
        (str(number), c.family, c.key, c.now, c.needed, c.unit)
        for number, remedy in enumerate(found.remedies, 1)
        for c in remedy
    ]
    names = ("Enough", "Limit", "Input", "Now", "Needed", "Unit")
    columns = tuple(Column(name, align="left") for name in names)
    note = "" if found.complete else "The search ran out of time: there may be smaller changes."
    return Table("What would give a plan", columns, tuple(rows), note)
