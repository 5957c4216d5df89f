"""What the page charts: plain numbers by period, year or limit, whoever draws them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from sitepick.exports.costs import period_label
from sitepick.exports.terms import capital_terms
from sitepick.report.plan import stage_words, work_unit
from sitepick.report.priced import FREE, HELD, priced
from sitepick.words import limit_words

if TYPE_CHECKING:
    from sitepick.exports.rows import SiteRows
    from sitepick.run import Run

_MOST_PRICES = 10
_MOST_LAYERS = 8
_NOTHING = 1e-6
_CAPITAL = {
    "facility": "data halls", "it": "IT hardware", "onsite": "on-site power", "site": "site works",
    "battery": "batteries", "security": "securities", "entry": "entry of regions",
}  # fmt: skip


@dataclass(frozen=True)
class Series:
    """One name with a value per tick; ``line``: drawn as a line over the bars."""

    name: str
    values: tuple[float, ...]
    line: bool = False


@dataclass(frozen=True)
class Chart:
    """A chart. ``kind``: ``stack`` of bars over ``ticks``, or ``rank``, bars side by side."""

    title: str
    unit: str
    kind: Literal["stack", "rank"]
    ticks: tuple[str, ...]
    series: tuple[Series, ...]
    note: str = ""


def charts_of(run: Run, made: SiteRows) -> tuple[Chart, ...]:
    """Return the charts of a run with a plan; those without a bar or a line are left out."""
    made_charts = (
        _megawatts(made),
        _stages(made),
        _power_mix(made),
        _onsite(made),
        _money(run),
        _by_column(made, "Density: IT MW by hall class", made.by_hall),
        _by_column(made, "IT MW by hardware", made.by_hardware),
        _turned_away(run, made),
        _prices(run),
    )
    return tuple(c for c in made_charts if any(any(s.values) for s in c.series))


def period_ticks(periods: tuple[str, ...]) -> tuple[str, ...]:
    """Return the periods as they are written under a chart: years where they are years."""
    january = all(p[5:] == "01-01" for p in periods)
    return tuple(period_label(p, january).replace("_", "-") for p in periods)


def _megawatts(made: SiteRows) -> Chart:
    total: dict[tuple[str, str], float] = defaultdict(float)
    for row in made.sheet().rows:
        total["it", row["period"]] += row["it_mw"]
        total["facility", row["period"]] += row["facility_mw"] or 0.0
        total["grid", row["period"]] += row["grid_mw_peak"] or 0.0
    series = [
        _levels(made, "IT MW (servers)", total, "it", line=True),
        _levels(made, "facility MW (with cooling)", total, "facility", line=True),
    ]
    if made.scenario.power.model == "grid":
        series.append(_levels(made, "grid MW (contracted)", total, "grid", line=True))
    note = "Levels that stand from the start of each period. Facility and grid MW: design day."
    return Chart("MW by date", "MW", "stack", _ticks(made), tuple(series), note)


def _stages(made: SiteRows) -> Chart:
    total: dict[tuple[str, str], float] = defaultdict(float)
    for (_, t), split in made.grid.by_site.items():
        for stage, mw in split.items():
            total[stage, made.solution.periods[t]] += mw
    series = (_levels(made, stage_words(s), total, s) for s in made.grid.stages)
    note = "How firm the grid MW are: stage of the letter they rest on, firmest at the bottom."
    return Chart("Grid MW by letter stage", "grid MW", "stack", _ticks(made), _kept(series), note)


def _power_mix(made: SiteRows) -> Chart:
    """Return grid MW (firm, non-firm) and firm on-site MW; without the last two, no series."""
    total: dict[tuple[str, str], float] = defaultdict(float)
    for row in made.sheet().rows:
        soft = row.get("nonfirm_grid_mw") or 0.0
        total["grid, non-firm", row["period"]] += soft
        total["grid, firm", row["period"]] += (row["grid_mw_peak"] or 0.0) - soft
    options = sorted({r.option for r in made.solution.onsite})
    for site in made.solution.onsite:
        total[f"on site: {site.option}", site.period] += site.firm_mw
    names = ["grid, firm", "grid, non-firm", *(f"on site: {o}" for o in options)]
    series = _kept(_levels(made, name, total, name) for name in names)
    mixed = any(s.name != "grid, firm" for s in series)
    note = "On-site MW as counted on the design day."
    return Chart("Power mix", "MW", "stack", _ticks(made), series if mixed else (), note)


def _onsite(made: SiteRows) -> Chart:
    total: dict[tuple[str, str], float] = defaultdict(float)
    for row in made.solution.onsite:
        total[row.option, row.period] += row.mean_mw
    series = (_levels(made, o, total, o) for o in sorted({o for o, _ in total}))
    note = "Energy served on site, as a mean over the year."
    return Chart("On-site power", "mean MW", "stack", _ticks(made), _kept(series), note)


def _money(run: Run) -> Chart:
    assert run.solution is not None
    spent: dict[tuple[str, int], float] = defaultdict(float)
    for cash in run.solution.cash:
        spent[cash.category, cash.year] += cash.musd
    budget: Mapping[int, float] = run.prepared.scenario.budget_musd or {}
    years = sorted({*(y for _, y in spent), *budget})
    series = [
        Series(_CAPITAL.get(c, c), tuple(spent[c, y] for y in years))
        for c in capital_terms(run.prepared.scenario)
    ]
    line = Series("budget", tuple(float(budget.get(y, 0.0)) for y in years), line=True)
    price_year = run.prepared.scenario.money.price_year
    return Chart(
        "Capital by calendar year", f"MUSD (real, {price_year})", "stack",
        tuple(map(str, years)), _kept([*series, line]), "Cash, not discounted, by what it buys.",
    )  # fmt: skip


def _by_column(made: SiteRows, title: str, columns: Mapping[str, str]) -> Chart:
    """Return IT MW by class or by hardware; ``columns``: id -> column of ``sites_by_period``."""
    total: dict[tuple[str, str], float] = defaultdict(float)
    for row in made.sheet().rows:
        for name, column in columns.items():
            total[name, row["period"]] += row[column] or 0.0
    kw = {**_density(made.look.halls), **_density(made.look.hardware)}
    series = [
        Series(f"{name} ({kw[name]:,.0f} kW per rack)" if name in kw else name, of.values)
        for name in columns
        if any((of := _levels(made, name, total, name)).values)
    ]
    return Chart(title, "IT MW", "stack", _ticks(made), _merged(series))


def _density(items: Mapping[str, object]) -> dict[str, float]:
    found = {name: getattr(item, "kw_per_rack", None) for name, item in items.items()}
    return {name: float(kw) for name, kw in found.items() if kw}


def _turned_away(run: Run, made: SiteRows) -> Chart:
    total: dict[tuple[str, str], float] = defaultdict(float)
    for row in made.solution.turned_away:
        total[row.workload, row.period] += row.ref_mw
    names = run.prepared.scenario.demand.named()
    series = (_levels(made, name, total, name) for name in names)
    unit, note = work_unit(run), "Demand that the plan does not serve."
    return Chart("Turned-away work", unit, "stack", _ticks(made), _kept(series), note)


def _prices(run: Run) -> Chart:
    """Return what one more unit of the dearest limits would save, MUSD; dearest first."""
    assert run.solution is not None
    scenario = run.prepared.scenario
    found: dict[str, float] = {}
    limits, held = priced(run)
    for limit in limits:
        words = limit_words(limit.limit, scenario)
        name = f"{words} {limit.where} {limit.when[:7]}, per {limit.unit}"
        found.setdefault(" ".join(name.split()), limit.price_musd)
    if run.grid is not None:
        for row in run.grid.limiting:
            name = f"line {row.branch_id}, {row.condition} {row.period[:7]}, per MW"
            found.setdefault(name, row.price_musd_per_mw)
    dear = sorted(found.items(), key=lambda item: (-item[1], item[0]))[:_MOST_PRICES]
    ticks, values = tuple(n for n, _ in dear), tuple(float(v) for _, v in dear)
    note = f"Saved by one more unit of the limit: LP prices, {HELD if held else FREE}."
    unit = "MUSD per unit, net present"
    return Chart("What binds, dearest first", unit, "rank", ticks, (Series("price", values),), note)


def _ticks(made: SiteRows) -> tuple[str, ...]:
    return period_ticks(made.solution.periods)


def _levels(
    made: SiteRows, name: str, total: Mapping[tuple[str, str], float], key: str, line: bool = False
) -> Series:
    values = tuple(float(total.get((key, p), 0.0)) for p in made.solution.periods)
    return Series(name, tuple(v if v > _NOTHING else 0.0 for v in values), line)


def _kept(series: Iterable[Series]) -> tuple[Series, ...]:
    return _merged([s for s in series if any(v > _NOTHING for v in s.values)])


def _merged(series: list[Series]) -> tuple[Series, ...]:
    """Return at most eight layers, as many as colours can be told apart: the least are one."""
    bars = [s for s in series if not s.line]
    if len(bars) <= _MOST_LAYERS:
        return tuple(series)
    kept = {id(s) for s in sorted(bars, key=lambda s: -sum(s.values))[: _MOST_LAYERS - 1]}
    other = [s.values for s in bars if id(s) not in kept]
    rest = Series(f"{len(other)} others", tuple(sum(v) for v in zip(*other, strict=True)))
    return (
        *(s for s in bars if id(s) in kept), rest, *(s for s in series if s.line),
    )  # fmt: skip
