"""What a plan changes of the earlier one, as a line and a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sitepick.exports.compare import FOLLOWS
from sitepick.report.compare import site_rows
from sitepick.report.tables import Column, Table

if TYPE_CHECKING:
    from sitepick.run import Run

_MOST = 12
_MOST_CAUSES = 4


def baseline_line(run: Run) -> str:
    """Return how far the plan is from the earlier one, "" without one."""
    found, steady = run.compared, run.steady
    if found is None:
        return ""
    first = f"Against {found.before}:"
    if steady is None:
        return f"{first} it opens no site, nothing to keep"
    if steady.kept:
        return f"{first} kept, it is still within the gap"
    moved = {row.site_id for row in found.sites}
    return (
        f"{first} {len(moved):,} site{'' if len(moved) == 1 else 's'} changed, "
        f"{steady.change_mw_years:,.0f} MW-years of change; within the gap no plan has less than "
        f"{steady.least_mw_years:,.0f}"
    )


def changes_table(run: Run) -> Table:
    """Return sites that differ from the earlier plan; grid MW are in `changes.csv`."""
    shown = () if run.compared is None else tuple(
        c for c in run.compared.sites if c.what != "grid_mw"
    )  # fmt: skip
    rows = site_rows(shown)
    causes = dict.fromkeys(
        cause for c in shown for cause in c.causes if not cause.startswith(FOLLOWS)
    )
    told = list(causes)[:_MOST_CAUSES]
    told += [f"and {len(causes) - len(told)} more causes (changes.csv)"] * (len(causes) > len(told))
    names = ("Changed sites", "What", "From", "Before", "After", "Because of")
    return Table(
        "Changed sites",
        tuple(Column(name, align="left") for name in names),
        tuple(rows),
        note="\n".join(told),
        most=_MOST,
        rest="{} more rows (changes.csv)",
        places=tuple(f"site:{row[0]}" for row in rows),
    )
