"""The sheet of a frontier: its points, each a plan in a run folder of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sitepick.exports.costs import period_label
from sitepick.exports.sheet import Field, Row, Sheet, plain

if TYPE_CHECKING:
    from sitepick.run import Prepared
    from sitepick.studies.pareto import Frontier, Point

VALUE: dict[str, tuple[str, str, str]] = {
    "mw": ("served_ref_mw_years", "ref MW-years", "work served within the horizon"),
    "date": ("date", "date", "first period in which the asked IT MW stand"),
    "carbon": ("co2_kt_per_year", "kt CO2 a year", "largest rate of any period"),
    "water": ("water_ml_per_year", "million litres a year", "largest rate of any period"),
}
"""Column, unit and meaning of what cost is held against."""


def frontier_points(found: Frontier) -> list[Point]:
    """Return the points that no other one beats, the loosest first."""
    return [p for p in found.points if not p.dominated]


def point_name(number: int) -> str:
    """Return the name, and folder, of the point of that number (1, 2, ...)."""
    return f"{number:02d}"


def pareto_sheet(prepared: Prepared, found: Frontier) -> Sheet:
    """Return the sheet ``pareto``: the points of the frontier, the loosest first."""
    money = f"MUSD (real, {prepared.scenario.money.price_year})"
    column, unit, meaning = VALUE[found.against]
    dated = found.against == "date"
    kept = frontier_points(found)
    periods = kept[0].run.solution.periods if kept and kept[0].run.solution else ()
    january = all(p[5:] == "01-01" for p in periods)
    labels = {p: period_label(p, january) for p in periods}
    step = "period" if dated else unit
    asked = (
        Field("asked_share_pct", "%", "number", "of the most work in every period, at least")
        if found.against == "mw"
        else Field(f"asked_{column}", unit, "date" if dated else "number", "the level it keeps")
    )
    fields = (
        Field("point", "", "text", "run folder of the plan"),
        Field(column, unit, "date" if dated else "number", meaning),
        asked,
        Field("cost_musd", money, "number",
              "net present cost" if found.against == "mw"
              else "net present cost, price of turned-away work included"),
        Field("cost_least_musd", money, "number", "proven: no plan at this level costs less"),
        Field("gap_pct", "%", "number", "cost above that, of the cost"),
        Field("step_musd", f"{money} per {step}", "number",
              "cost from the point above to this one, over the difference of their values"),
        Field("penalty_musd", money, "number", "price of turned-away work, within the cost"),
        Field("sites", "sites", "integer", "open at the horizon's end, facts included"),
        *(Field(f"it_mw_{n}", "IT MW", "number", f"IT power in the period from {p}")
          for p, n in labels.items()),
        Field("verified", "", "boolean", "true: the independent check found nothing"),
    )  # fmt: skip
    rows: list[Row] = []
    for number, one in enumerate(kept, start=1):
        plan = one.run.solution
        assert plan is not None
        before = kept[number - 2] if number > 1 else None
        apart = 0.0 if before is None else abs(one.value - before.value)
        row: Row = {
            "point": point_name(number),
            column: _value(one.value, periods) if dated else plain(one.value),
            asked.name: _value(one.level, periods)
            if dated
            else plain(one.level * (100 if found.against == "mw" else 1)),
            "cost_musd": plain(one.cost_musd),
            "cost_least_musd": plain(min(one.bound_musd, one.cost_musd)),
            "gap_pct": plain(100.0 * plan.gap),
            "step_musd": plain((one.cost_musd - before.cost_musd) / apart)
            if before is not None and apart > 0
            else None,
            "penalty_musd": plain(one.penalty_musd),
            "sites": len(plan.sites),
            "verified": not one.run.findings,
        }
        for period, label in labels.items():
            standing = sum(r.it_mw for r in plan.it if r.period == period)
            row[f"it_mw_{label}"] = plain(float(standing))
        rows.append({f.name: row[f.name] for f in fields})
    return Sheet("pareto", f"net present cost against {found.against}", fields, rows)


def level_text(found: Frontier, level: float) -> str:
    """Return a level as a planner would write it."""
    if found.against == "date":
        plan = next((p.run.solution for p in found.points if p.run.solution), None)
        return _value(level, plan.periods if plan else ()) or f"period {int(level) + 1}"
    if found.against == "mw":
        return f"{100 * level:.3g} % of the most work"
    return f"{level:,.6g} {VALUE[found.against][1]}"


def _value(number: float, periods: tuple[str, ...]) -> str | None:
    return periods[int(number)] if int(number) < len(periods) else None
