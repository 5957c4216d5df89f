"""Everything the page shows, as plain values: it is stored beside the plan and drawn from that.

So `sitepick report` draws the page of an earlier run without its layers, and the same bytes.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sitepick.exports.sheet import plain
from sitepick.exports.sheets import NOT_CHECKED, SYNTHETIC
from sitepick.records import as_record
from sitepick.report.charts import Chart, Series, charts_of
from sitepick.report.explain import priced_limits, what_binds
from sitepick.report.places import PlanMap, map_of
from sitepick.report.plan import work_unit
from sitepick.report.tables import Cell, Column, Report, Table, table_from

if TYPE_CHECKING:
    from sitepick.exports.rows import SiteRows
    from sitepick.exports.sheet import Sheet
    from sitepick.run import Run

SCHEMA = 1


@dataclass(frozen=True)
class Page:
    """A page: key figures, warnings, the report's tables and more of them, charts, the map."""

    name: str
    headline: tuple[str, ...]
    figures: tuple[tuple[str, str], ...]  # (value with unit, what it is)
    warnings: tuple[str, ...]
    tables: tuple[Table, ...]
    inputs: Table
    notes: Table
    charts: tuple[Chart, ...]
    plan_map: PlanMap | None

    def to_json(self) -> str:
        """Return the page as JSON text: finite numbers only, no times, no paths of a machine."""
        record = {"schema": SCHEMA, **as_record(self)}
        return json.dumps(record, ensure_ascii=False, allow_nan=False, separators=(",", ":")) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Page:
        """Read what `to_json` wrote. Raises ValueError for another schema version."""
        record: dict[str, Any] = json.loads(text)
        if record.pop("schema", None) != SCHEMA:
            raise ValueError("page.json was made by another version of sitepick")
        drawn = record["plan_map"]
        if drawn is not None:
            drawn = PlanMap(**{k: _frozen(k, v) for k, v in drawn.items()})
        return cls(
            name=record["name"],
            headline=tuple(record["headline"]),
            figures=tuple((value, what) for value, what in record["figures"]),
            warnings=tuple(record["warnings"]),
            tables=tuple(map(table_from, record["tables"])),
            inputs=table_from(record["inputs"]),
            notes=table_from(record["notes"]),
            charts=tuple(map(_chart, record["charts"])),
            plan_map=drawn,
        )


def _frozen(key: str, value: Any) -> Any:
    if key in ("extent", "periods", "ticks", "halls", "said"):
        return tuple(value)
    return tuple((label, parts) for label, parts in value) if key == "lines" else value


def _chart(record: dict[str, Any]) -> Chart:
    series = tuple(Series(s["name"], tuple(s["values"]), s["line"]) for s in record["series"])
    return Chart(**{**record, "ticks": tuple(record["ticks"]), "series": series})


def page_of(run: Run, report: Report, sheets: Sequence[Sheet], made: SiteRows) -> Page:
    """Return the page of a run with a plan, from its report, its sheets and its `SiteRows`."""
    by_name = {sheet.name: sheet for sheet in sheets}
    scenario = run.prepared.scenario
    limits = (what_binds(run.limits, scenario), priced_limits(run.limits, scenario))
    return Page(
        name=plain(run.prepared.scenario.name),
        headline=tuple(map(plain, report.headline)),
        figures=_figures(run, made),
        warnings=_warnings(run),
        tables=(*report.tables, *(t for t in limits if t.rows)),
        inputs=_inputs(run),
        notes=_notes(by_name["notes"]),
        charts=charts_of(run, made),
        plan_map=map_of(run, made, by_name),
    )


def _figures(run: Run, made: SiteRows) -> tuple[tuple[str, str], ...]:
    """Return what stands large above all: sites, MW, work and money at the horizon's end."""
    plan, unit = made.solution, work_unit(run)
    last = plan.periods[-1]
    rows = [r for r in made.sheet().rows if r["period"] == last]
    served = sum(r.ref_mw for r in plan.serve if r.period == last)
    short = sum(r.ref_mw for r in plan.turned_away if r.period == last)
    out = [
        (f"{len(plan.sites):,}", "sites"),
        (f"{sum(r['it_mw'] for r in rows):,.0f} MW", "IT power"),
    ]
    if made.scenario.power.model == "grid":
        out.append((f"{sum(r['grid_mw_peak'] or 0.0 for r in rows):,.0f} MW", "grid contracts"))
    firm = sum(r.firm_mw for r in plan.onsite if r.period == last)
    if firm > 0:
        out.append((f"{firm:,.0f} MW", "on-site power, firm"))
    if served + short > 0:
        share = 100 * served / (served + short)
        out.append((f"{share:.0f} %", f"of {served + short:,.0f} {unit} served"))
    musd = sum(c.musd for c in plan.cash)
    out.append((f"{musd:,.0f} MUSD", "capital, all years"))
    out.append((f"{plan.net_present_cost_musd:,.0f} MUSD", "net present cost"))
    return tuple(out)


def _warnings(run: Run) -> tuple[str, ...]:
    """Return what a reader must know before believing a figure."""
    candidates, out = run.prepared.candidates, []
    if run.findings:
        out.append(f"The check found {len(run.findings)} faults. Do not use this plan.")
        out += [str(finding) for finding in run.findings[:5]]
    if candidates.synthetic:
        out.append(SYNTHETIC)
    if run.grid is not None and run.grid.estimated:
        out.append("Some reactances or ratings of the grid are estimates, not published values.")
    guessed = candidates.pois["estimated"].astype(bool)
    if guessed.any():
        out.append(
            f"Headrooms of {int(guessed.sum()):,} of {len(guessed):,} substations are estimates, "
            "not a utility's word."
        )
    soft = set(run.prepared.scenario.power.count_stages) & {"published", "requested", "assumed"}
    if soft and run.prepared.scenario.power.model == "grid":
        out.append(f"Grid MW count that no agreement secures: {', '.join(sorted(soft))}.")
    out.append(NOT_CHECKED)
    return tuple(map(plain, out))


def _inputs(run: Run) -> Table:
    sources = (*run.prepared.layers.sources, *run.prepared.candidates.sources)
    rows: list[tuple[Cell, ...]] = [
        (
            plain(s.role), plain(s.path), s.rows_used, s.rows_read,
            "synthetic" if s.synthetic else "", plain(s.licence), s.sha256,
        )
        for s in dict.fromkeys(sources)
    ]  # fmt: skip
    rows.append(("scenario", plain(run.prepared.scenario.name), None, None, "", "",
                 run.prepared.loaded.sha256))  # fmt: skip
    columns = (
        Column("input", align="left"), Column("file", align="left"),
        Column("rows used", decimals=0), Column("rows read", decimals=0),
        Column("", align="left"), Column("licence", align="left"),
        Column("SHA-256", align="left"),
    )  # fmt: skip
    return Table("Inputs", columns, tuple(rows))


def _notes(sheet: Sheet) -> Table:
    rows = tuple((r["role"], r["code"], r["rows"], r["message"]) for r in sheet.rows)
    columns = (
        Column("input", align="left"), Column("code", align="left"),
        Column("rows", decimals=0), Column("note", align="left"),
    )  # fmt: skip
    return Table("Notes on the inputs", columns, rows)
