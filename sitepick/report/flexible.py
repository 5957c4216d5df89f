"""The table on flexible connections: firm and non-firm MW, what covers them, what it loses."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from sitepick.exports.flexible import YEAR_HOURS
from sitepick.report.plan import work_unit
from sitepick.report.tables import Cell, Column, Table
from sitepick.report.years import year_ends

if TYPE_CHECKING:
    from sitepick.exports.rows import SiteRows
    from sitepick.run import Run


def flexible_table(run: Run, made: SiteRows) -> Table:
    """Return firm and non-firm grid MW at year ends, and what curtailment comes to; or no rows."""
    ends, use, plan = year_ends(run), made.flexible, made.solution
    first = Column("Grid MW", align="left")
    columns = (first, *(Column(e.label, "grid MW", decimals=1) for e in ends))
    if not use.applies or not plan.nonfirm:
        return Table("Flexible connections", columns, ())
    whole: dict[str, float] = defaultdict(float)
    soft: dict[str, float] = defaultdict(float)
    backed: dict[str, float] = defaultdict(float)
    cut_gwh: dict[str, float] = defaultdict(float)
    lost: dict[str, float] = defaultdict(float)
    for site_row in made.sheet().rows:
        whole[site_row["period"]] += site_row["grid_mw_peak"]
    for row in plan.nonfirm:
        soft[row.period] += row.grid_mw
        cut_gwh[row.period] += row.grid_mw * use.cuts[row.source].off * YEAR_HOURS / 1000
    for covered in plan.backed:
        backed[covered.period] += covered.grid_mw
    for (_, _, period), ref_mw in use.lost_ref_mw().items():
        lost[period] += ref_mw * YEAR_HOURS

    def line(name: str, of: dict[str, float]) -> tuple[Cell, ...]:
        return (name, *(of[e.period] for e in ends))

    firm = {p: whole[p] - soft[p] for p in plan.periods}
    by_work = {p: soft[p] - backed[p] for p in plan.periods}
    rows = [line("firm", firm), line("non-firm", soft), line("  covered by shed work", by_work)]
    if plan.backed:
        rows.append(line("  covered by batteries", backed))
    rows.append(line("GWh a year the grid may cut", cut_gwh))
    rows.append(line(f"work lost, {work_unit(run)}h a year", lost))
    depth = sorted({(c.hours, c.depth) for c in (use.cuts[r.source] for r in plan.nonfirm)})
    said = "; ".join(f"{hours:,.0f} h a year by {100 * share:.0f} %" for hours, share in depth[:3])
    more = f"; {len(depth) - 3} more" if len(depth) > 3 else ""
    note = f"Non-firm MW are cut {said}{more} in the mean. By site: nonfirm.csv."
    if any(row.source.startswith("area:") for row in plan.nonfirm):
        note += " Margins of areas are adequacy of generation, not room on the wires."
    return Table("Flexible connections, at 31 December", columns, tuple(rows), note)
