"""Tables on the plan itself: what was asked and placed, the sites, the money."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from sitepick import __version__
from sitepick.exports.places import sites_sheet
from sitepick.exports.rows import SiteRows
from sitepick.exports.sheets import OBJECTIVE_UNIT, SYNTHETIC
from sitepick.exports.stages import DC_STUDY
from sitepick.exports.terms import capital_terms
from sitepick.report.changes import baseline_line
from sitepick.report.priced import priced
from sitepick.report.tables import Cell, Column, Table
from sitepick.report.years import YearEnd, spread, year_ends
from sitepick.words import FLOORS, LINES, limit_words

if TYPE_CHECKING:
    from sitepick.run import Run
    from sitepick.solution import Solution

MOST_SITES = 12
_MOST_WORKLOADS = 3


def stage_words(stage: str) -> str:
    """Return a stage as it is shown in tables."""
    return "DC study" if stage == DC_STUDY else stage


def headline(run: Run) -> tuple[str, ...]:
    """Return what stands above all tables: which plan, how good, how far to be believed."""
    scenario, solution = run.prepared.scenario, run.solution
    cand = run.prepared.candidates
    counts = [f"{len(cand.sites):,} place{'s' if len(cand.sites) > 1 else ''} looked at"]
    stated = run.prepared.layers.power_offers
    letters = len(cand.offers) if stated is None else len(stated)
    if letters:
        near = f", {len(cand.offers):,} at POIs in reach" if len(cand.offers) < letters else ""
        counts.append(f"{letters:,} letter row{'s' if letters > 1 else ''}{near}")
    notes = len(dict.fromkeys((*run.prepared.layers.notes, *cand.notes)))
    if notes:
        counts.append(f"{notes} note{'s' if notes > 1 else ''} on the inputs (plan.xlsx, notes)")
    lines = [
        f"{scenario.name}   as of {scenario.as_of}   real USD {scenario.money.price_year}   "
        f"objective {scenario.objective}   sitepick {__version__}",
        "; ".join(counts),
    ]
    if cand.synthetic:
        lines.append(SYNTHETIC)
    if solution is None:
        return (*lines, f"No plan: {run.outcome.status}")
    value = f"{solution.objective:,.6g} {OBJECTIVE_UNIT[scenario.objective]}"
    proof = "bound certified" if solution.bound_certified else "bound not certified"
    lines.append(
        f"{solution.status.capitalize()}: {value}, gap {percent(solution.gap)} "
        f"({percent(solution.gap_without_penalty)} without the shortfall penalty), {proof}"
    )
    if run.findings:
        faults = f"{len(run.findings)} finding{'s' if len(run.findings) > 1 else ''}"
        lines.append(f"CHECK FAILED: {faults}; do not use this plan")
    else:
        lines.append("Plan checked for these inputs (arithmetic, not utility approval)")
    against = baseline_line(run)
    return (*lines, *([against] if against else []), _target(run, solution))


def percent(fraction: float) -> str:
    """Return a fraction as percent, ``unknown`` if there is no bound."""
    return f"{100 * fraction:.2f} %" if fraction < 1e6 else "unknown"


def _target(run: Run, solution: Solution) -> str:
    """Say what was asked and placed at the end, and what stops the rest."""
    end = year_ends(run)[-1]
    unit = work_unit(run)
    served = sum(r.ref_mw for r in solution.serve if r.period == end.period)
    short = sum(r.ref_mw for r in solution.turned_away if r.period == end.period)
    text = (
        f"TARGET {served + short:,.0f} {unit} by {end.day:%Y-%m}: {served:,.0f} placed, "
        f"{short:,.0f} short."
    )
    if short < 1e-6 * max(1.0, served):
        return f"TARGET {served + short:,.0f} {unit} by {end.day:%Y-%m}: all placed."
    caps = [name for name, _ in _priced(run) if name not in FLOORS]
    stops = list(dict.fromkeys(limit_words(name, run.prepared.scenario) for name in caps))
    if stops:
        text += f" What binds: {', '.join(stops[:3])}."
    return text


def _priced(run: Run) -> list[tuple[str, str]]:
    """Return (limit, when) of all that binds, dearest first, lines of the grid among the others."""
    found = [(b.price_musd, b.limit, b.when) for b in priced(run)[0]]
    if run.grid is not None:
        found += [(r.price_musd_per_mw, LINES, r.period) for r in run.grid.limiting]
    return [(name, when) for _, name, when in sorted(found, key=lambda f: -f[0])]


def work_unit(run: Run) -> str:
    """Return the unit of demand: IT MW without hardware, else ref MW."""
    return "IT MW" if run.prepared.scenario.hardware == "none" else "ref MW"


def demand_table(run: Run, made: SiteRows) -> Table:
    """Return demand, what is placed and short, grid MW by stage and on-site MW, at year ends."""
    solution, ends, unit = made.solution, year_ends(run), work_unit(run)
    served = _sum((r.workload, r.period, r.ref_mw) for r in solution.serve)
    short = _sum((r.workload, r.period, r.ref_mw) for r in solution.turned_away)
    it = _sum(("it", r.period, r.it_mw) for r in solution.it)
    rows: list[tuple[Cell, ...]] = []

    def add(name: str, measure: str, values: list[float]) -> None:
        rows.append((name, measure, *values))

    names = list(run.prepared.scenario.demand.named())
    for name in names[:_MOST_WORKLOADS]:
        mark = "" if len(names) == 1 else f" {name}"
        asked = [served[name, e.period] + short[name, e.period] for e in ends]
        add(f"Demand{mark}", unit, asked)
        add(f"Short{mark}", unit, [short[name, e.period] for e in ends])
    add("Placed", "IT MW", [it["it", e.period] for e in ends])
    if made.leases.rows:
        leased = _sum(
            ("it", r.period, r.it_mw) for r in solution.it if r.site_id in made.leases.rows
        )
        add("  leased", "IT MW", [leased["it", e.period] for e in ends])
        own = [it["it", e.period] - leased["it", e.period] for e in ends]
        add("  own", "IT MW", own)
    if run.prepared.scenario.power.model == "grid":
        grid = _grid_by_stage(made)
        totals = [sum(grid[s, e.period] for s in made.grid.stages) for e in ends]
        add("Grid, design day", "grid MW", totals)
        for stage in made.grid.stages:
            values = [grid[stage, e.period] for e in ends]
            if any(values):
                add(f"  {stage_words(stage)}", "grid MW", values)
    firm = _sum((r.option, r.period, r.firm_mw) for r in solution.onsite)
    used = list(dict.fromkeys(r.option for r in solution.onsite))
    if used:
        add("On site, firm", "MW", [sum(firm[o, e.period] for o in used) for e in ends])
        for option in used:
            add(f"  {option}", "MW", [firm[option, e.period] for e in ends])
    columns = (
        Column("At 31 December", align="left"),
        Column("", align="left"),
        *(Column(e.label) for e in ends),
    )
    note = ""
    if len(names) > _MOST_WORKLOADS:
        note = f"... {len(names) - _MOST_WORKLOADS} more workloads in solution.json"
    return Table("Asked and placed", columns, tuple(rows), note)


def _grid_by_stage(made: SiteRows) -> defaultdict[tuple[str, str], float]:
    out: defaultdict[tuple[str, str], float] = defaultdict(float)
    for (_, t), split in made.grid.by_site.items():
        for stage, mw in split.items():
            out[stage, made.solution.periods[t]] += mw
    return out


def _sum(rows: object) -> defaultdict[tuple[str, str], float]:
    out: defaultdict[tuple[str, str], float] = defaultdict(float)
    for name, period, value in rows:  # type: ignore[attr-defined]
        out[name, period] += value
    return out


def sites_table(run: Run, made: SiteRows) -> Table:
    """Return the sites by size: POI, stage, IT MW at year ends, cost. The rest is in sites.csv."""
    ends = year_ends(run)
    by_period = made.sheet()
    it = {(r["site_id"], r["period"]): r["it_mw"] for r in by_period.rows}
    sites = sorted(sites_sheet(made, by_period).rows, key=lambda r: (-r["it_mw"], r["site_id"]))
    rows: list[tuple[Cell, ...]] = []
    for site in sites:
        stages = [s for s in made.grid.stages if (site[f"grid_mw_{s}"] or 0) > 1e-6]
        name = site["site_id"]
        if site["name"] and site["name"] != name:
            name = f"{name} {site['name']}"
        values = [it[site["site_id"], e.period] for e in ends]
        poi = site["poi_id"] and site["poi_id"] + (f" {kv} kV" if (kv := site["tie_kv"]) else "")
        rows.append(
            (name, poi, "+".join(map(stage_words, stages)), *values, site["usd_per_kw_month"])
        )
    columns = (
        Column(f"{len(sites)} sites, IT MW", align="left"),
        Column("POI", align="left"),
        Column("MW are", align="left"),
        *(Column(e.label, "IT MW") for e in ends),
        Column("USD/kW-mo", "USD per IT kW and month", decimals=0),
    )
    return Table(
        f"{len(sites)} sites, IT MW at 31 December", columns, tuple(rows),
        most=MOST_SITES, rest="... {} more in sites.csv",
        places=tuple(f"site:{s['site_id']}" for s in sites),
    )  # fmt: skip


def capital_table(run: Run) -> Table:
    """Return capital available and spent by calendar year, and what stops the rest."""
    assert run.solution is not None
    budget = run.prepared.scenario.budget_musd
    spent: dict[int, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for cash in run.solution.cash:
        spent[cash.year][cash.category] += cash.musd
    years = spread(sorted({*spent, *(budget or {})}))
    if not years:
        return Table("Capital", (Column("MUSD", align="left"),), ())
    rows: list[tuple[Cell, ...]] = []
    if budget is not None:
        rows.append(("Available", *(budget.get(y, 0.0) for y in years)))
    rows.append(("Spendable", *(sum(spent[y].values()) for y in years)))
    groups: dict[str, tuple[str, ...]] = {
        "facility": ("facility",), "IT": ("it",), "batteries": ("battery",),
    }  # fmt: skip
    named = {c for of in groups.values() for c in of}
    groups["ties, land, other"] = tuple(
        c for c in capital_terms(run.prepared.scenario) if c not in named
    )
    for label, of in groups.items():
        values = [sum(spent[y][c] for c in of) for y in years]
        if any(values):
            rows.append((f"  {label}", *values))
    if budget is not None:
        spends = [y for y in years if any(spent[y].values())]
        stops = [_stop(run, y, late=y > max(spends, default=y)) for y in years]
        rows.append(("Stopped by", *stops))
    price_year = run.prepared.scenario.money.price_year
    first = Column(f"Capital, MUSD (real, {price_year})", "MUSD", "left")
    columns = (first, *(Column(str(y)) for y in years))
    return Table("Capital by calendar year", columns, tuple(rows))


_HORIZON = "horizon"
"""What is paid in such a year serves no period of the plan."""
_FREE = "no price"
"""No limit has a price in such a year: whole halls, lead times or the gap leave the rest."""
_SHORT = {
    "headroom.limit": "dated MW", "headroom.shared": "shared MW", "headroom.ramp": "MW ramps",
    "budget.year": "budget",
    "procurement.cap": "supply", "siting.land": "land", "siting.closed": "moratoria",
    "regions.water": "water", "regions.co2": "carbon", "regions.max_it": "region caps",
    "regions.max_grid": "region caps", "siting.count": "site count", "ties.cap": "tie size",
    "limits.cost": "cost limit", LINES: "lines", "deliverability.adequacy": "reserve",
}  # fmt: skip


def _stop(run: Run, year: int, *, late: bool) -> str:
    """Name what stops more spending in a year: its budget, else its dearest limit.

    ``late``: nothing is spent in it, nor in any later one.
    """
    assert run.solution is not None
    held = priced(run)[1]
    names = [n for n, when in _priced(run) if when[:4] == str(year) and n not in FLOORS]
    # what is built in a year serves the next one too
    here = {e.period for y in (year, year + 1) for e in _ends_in(run, y)[-1:]}
    placed = bool(here) and not any(r.period in here for r in run.solution.turned_away)
    if "budget.year" in names:
        return "budget"
    if names and (held or not placed):
        return _short(names[0])
    energised = min((row.period for row in run.solution.it), default="9999")
    early = [r.period for r in run.solution.turned_away if r.period < energised]
    if str(year) < energised[:4] and any(period[:4] >= str(year) for period in early):
        return "lead times"
    if placed:
        return "all placed"
    # what is built in a year stands for years: a limit that stops it may be priced later
    found = () if held else _priced(run)
    later = [n for n, when in found if when[:4] > str(year) and n not in FLOORS]
    if here and later:
        return _short(later[0])
    return _HORIZON if late else _FREE


def _short(limit: str) -> str:
    return _SHORT.get(limit, limit.split(".")[0])


def _ends_in(run: Run, year: int) -> list[YearEnd]:
    return [e for e in year_ends(run) if e.day.year == year]
