"""What a plan changes of the earlier one (`scenario.baseline`), and the inputs that caused it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sitepick.exports.compare import compared, side_of, side_of_run
from sitepick.exports.sheet import Field, Row, Sheet, plain

if TYPE_CHECKING:
    from sitepick.comparison import Comparison
    from sitepick.run import Run

FIELDS = (
    Field("site_id", "", "text", "id of the site"),
    Field("what", "", "text", "it_mw, grid_mw, opened (first day, or stands) or poi"),
    Field("period", "", "text", "first day of the period; empty for opened and poi"),
    Field("before", "", "text", "in the earlier plan (`baseline`); empty: not in the plan"),
    Field("after", "", "text", "in this plan; empty: not in the plan"),
    Field("change_mw", "MW", "number", "after less before, of it_mw and grid_mw"),
    Field("unit", "", "text", "of before and after: IT MW or grid MW"),
    Field("cause", "", "text",
          "changed inputs that name the site, its POIs or its regions, with file and row; else "
          "those for all sites, or what it follows from: by rule, not by proof"),
)  # fmt: skip


def against_baseline(run: Run) -> Comparison | None:
    """Return a run with a plan against the earlier plan, None without one.

    Raises ScenarioError where the earlier run's folder has gone meanwhile.
    """
    from sitepick.exports.folder import read_run

    earlier = run.prepared.earlier
    if earlier is None or run.solution is None:
        return None
    found = compared(side_of(read_run(earlier.path)), side_of_run(run))
    return replace(found, before=str(run.prepared.scenario.baseline))


def changes_sheet(found: Comparison) -> Sheet:
    """Return the sheet ``changes``: every figure of a site that is not that of the earlier plan."""
    rows: list[Row] = [
        {
            "site_id": plain(c.site_id),
            "what": c.what,
            "period": c.period,
            "before": _text(c.before),
            "after": _text(c.after),
            "change_mw": _difference(c.before, c.after),
            "unit": c.unit,
            "cause": plain("; ".join(c.causes)),
        }
        for c in found.sites
    ]
    return Sheet("changes", "what differs from the earlier plan, and why", FIELDS, rows)


def changes_record(run: Run) -> dict[str, Any] | None:
    """Return the record of `solve --json` on the earlier plan, None without one."""
    if run.compared is None:
        return None
    steady = run.steady
    return {
        "run": run.compared.before,
        "kept": steady is not None and steady.kept,
        "change_mw_years": None if steady is None else plain(steady.change_mw_years),
        "least_mw_years": None if steady is None else plain(steady.least_mw_years),
        "changes": changes_sheet(run.compared).rows,
    }


def _text(value: float | str | None) -> str | None:
    if value is None or isinstance(value, str):
        return plain(value)
    return f"{value:.10g}"


def _difference(before: float | str | None, after: float | str | None) -> float | None:
    if isinstance(before, float) and isinstance(after, float):
        return float(plain(after - before))
    return None
