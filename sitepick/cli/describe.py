"""What was understood of a scenario: one line per section, every figure with its unit."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sitepick.scenario.inputs import LayerFile
    from sitepick.scenario.rules import RegionRule
    from sitepick.scenario.schema import Scenario

_STEP = {"year": "years", "half_year": "half-years", "quarter": "quarters"}


def describe(scenario: Scenario) -> list[tuple[str, str]]:
    """Return (section, what was understood); sections that say nothing are left out."""
    s = scenario
    lines = [
        ("name", f"{s.name}, as of {s.as_of}"),
        ("periods", _periods(s)),
        ("money", f"real MUSD of {s.money.price_year}, {s.money.discount_rate_pct:g} % per year"),
        ("objective", s.objective),
        ("layers", _layers(s)),
        ("candidates", _candidates(s)),
        ("power", _power(s)),
        ("grid", _grid(s)),
        *_demand(s),
        ("halls", _names(s.halls, "none: capacity is continuous")),
        ("hardware", _names(s.hardware, "none: IT is outside the plan, demand is IT MW")),
        ("existing", ", ".join(site.site_id for site in s.existing)),
        ("regions", _regions(s)),
        ("procurement", ", ".join(s.procurement)),
        ("budget", _budget(s)),
        ("limits", _limits(s)),
        ("solver", _solver(s)),
    ]
    return [(name, text) for name, text in lines if text]


def _periods(s: Scenario) -> str:
    from sitepick.scenario.schema import period_starts

    count = len(period_starts(s.periods)) - 1
    return f"{count} {_STEP[s.periods.step]}, {s.periods.from_} to {s.periods.to}"


def _layers(s: Scenario) -> str:
    parts = []
    for role in type(s.layers).model_fields:
        files: list[LayerFile] = getattr(s.layers, role)
        parts += [f"{role} {file.file}{_how(file)}" for file in files]
    return "; ".join(parts)


def _how(file: LayerFile) -> str:
    said = [
        f"preset {file.preset}" if file.preset else "",
        f"layer {file.layer}" if file.layer else "",
        f"sheet {file.sheet}" if file.sheet else "",
        f"where {file.where}" if file.where else "",
        f"keep {', '.join(file.keep)}" if file.keep else "",
    ]
    return f" ({'; '.join(t for t in said if t)})" if any(said) else ""


def _candidates(s: Scenario) -> str:
    rules, layers = s.candidates, s.layers
    source = rules.source
    if source == "auto":
        source = "parcels" if layers.parcels else "table" if layers.sites else "at_pois"
    parts = [f"from {source}"]
    if source == "at_pois":
        parts.append(f"{rules.area_ha:g} ha assumed at each POI")
    parts += [f"at least {rules.min_ha:g} ha"] if rules.min_ha else []
    parts += [f"POIs of {rules.min_kv:g} kV and up"] if rules.min_kv else []
    if rules.min_headroom_mw:
        parts.append(f"{rules.min_headroom_mw:g} grid MW dated at the POI")
    if rules.max_it_mw_per_site:
        parts.append(f"at most {rules.max_it_mw_per_site:g} IT MW per site")
    return ", ".join(parts)


def _power(s: Scenario) -> str:
    from sitepick.scenario.power_options import power_options

    p = s.power
    if p.model == "none":
        return "no limit (plain facility location)"
    slips = ", ".join(f"{stage} slips {years:g} years" for stage, years in p.slip_years.items())
    unknown = {"exclude": "unknown headroom excluded", "zero": "unknown headroom is 0 MW"}
    parts = [f"counts {', '.join(p.count_stages)}", slips, unknown[p.unknown_headroom]]
    if s.layers.queue or p.queue:
        files = ", ".join(file.file for file in s.layers.queue)
        own = f"{len(p.queue)} own rule{'s' if len(p.queue) != 1 else ''}" if p.queue else ""
        parts.append(f"queue waits from {' and '.join(t for t in (files, own) if t)}")
    if p.ramp_years:
        parts.append(f"MW without a letter ramp over {p.ramp_years:g} years")
    if p.nonfirm == "count":
        parts.append("non-firm MW count as if they were firm")
    if p.nonfirm == "flexible":
        areas = ", ".join(area.name for area in s.flexible.areas)
        also = f", and of areas {areas}" if areas else ""
        stand = "or batteries stand in" if s.flexible.battery else "(no batteries)"
        parts.append(f"non-firm MW of letters{also} as far as work can be shed {stand}")
    if p.max_ramp_mw_per_year is not None:
        parts.append(f"a POI grows by at most {p.max_ramp_mw_per_year:g} grid MW a year")
    options = [f"{o.id} ({o.role})" for o in power_options(s)]
    if options:
        parts.append(f"on site {', '.join(options)}")
    if s.layers.parcels or s.layers.sites:
        parts.append(f"ties to {p.tie_km_max:g} km")
    return "; ".join(t for t in parts if t)


def _grid(s: Scenario) -> str:
    from sitepick.scenario.grid import study_conditions

    g = s.grid
    if g is None:
        return ""
    rule = g.outages
    lost = [f"lines of {rule.min_kv:g} kV and up"] if rule.min_kv is not None else []
    lost += ["transformers"] if rule.transformers else []
    lost += [", ".join(rule.ids)] if rule.ids else []
    without = f" without {', '.join(rule.exclude_ids)}" if lost and rule.exclude_ids else ""
    parts = [
        g.file + (f" ({g.part})" if g.part else ""),
        f"units of {g.units.file}" if g.units else "",
        f"carries the plan in {', '.join(c.id for c in study_conditions(g))}",
        f"after the loss of one of {', '.join(lost)}{without}" if lost else "no outages",
        f"load grows {g.load_growth_pct_per_year:g} % a year" if g.load_growth_pct_per_year else "",
        f"can be bought: {', '.join(u.branch_id for u in g.upgrades)}" if g.upgrades else "",
        *(f"reserve {a.reserve_margin_pct:g} % in zone {a.zone}" for a in g.adequacy),
    ]
    return "; ".join(part for part in parts if part)


def _demand(s: Scenario) -> list[tuple[str, str]]:
    unit = "IT MW" if s.hardware == "none" else "ref_mw"
    lines = []
    for name, work in s.demand.named().items():
        asked = f"{_series(work.ref_mw)} {unit}" if work.ref_mw else "from the demand files"
        hard = (
            "must be served"
            if work.must_serve
            else f"turned away at {work.shortfall_musd_per_mw_year:g} MUSD per {unit} and year"
        )
        near = f"; within {work.rtt_ms_max:g} ms" if work.rtt_ms_max else ""
        label = "demand" if name == "it" and not s.demand.workloads else f"demand {name}"
        where = "split over places by weight" if work.spread == "by_weight" else "anywhere"
        lines.append((label, f"{asked}, {where}; {hard}{near}"))
    return lines


def _series(series: Mapping[date, float]) -> str:
    if list(series) == [date(1900, 1, 1)]:  # a single number stands for all time
        return f"{next(iter(series.values())):,g}"
    return ", ".join(f"{_when(day)} {value:,g}" for day, value in sorted(series.items()))


def _when(day: date) -> str:
    return f"{day.year}:" if (day.month, day.day) == (1, 1) else f"{day}:"


def _names(rows: object, none: str) -> str:
    if not isinstance(rows, list):
        return none
    return ", ".join(row if isinstance(row, str) else f"{row.id} (own row)" for row in rows)


def _regions(s: Scenario) -> str:
    parts = [_rule(rule) for rule in s.regions.rules]
    parts += [f"at most {n} of level {level}" for level, n in s.regions.max_entered.items()]
    return "; ".join(parts)


def _rule(rule: RegionRule) -> str:
    who = f"{rule.level} {', '.join(rule.ids) if rule.ids else '(each)'}"
    if rule.together:
        who += " together"
    asked = rule.model_fields_set - {"level", "ids", "together"}
    said = rule.model_dump(mode="json", include=asked)
    return f"{who}: {', '.join(f'{key} {_value(v)}' for key, v in said.items()) or 'no rule'}"


def _value(value: Any) -> str:
    """Return the value of a rule as text, a series by date."""
    if isinstance(value, dict):
        return _series({date.fromisoformat(day): v for day, v in value.items()})
    if isinstance(value, list):
        return " and ".join(map(str, value))
    return f"{value:,g}" if isinstance(value, float) else str(value)


def _budget(s: Scenario) -> str:
    if s.budget_musd is None:
        return ""
    years = ", ".join(f"{year}: {amount:,g}" for year, amount in sorted(s.budget_musd.items()))
    return f"{years} MUSD{', carried over' if s.budget_carry_over else ''}"


def _limits(s: Scenario) -> str:
    given = s.limits.model_dump(exclude_none=True)
    return ", ".join(f"{name} {value:,g}" for name, value in given.items())


def _solver(s: Scenario) -> str:
    w = s.solver
    work = f", work limit {w.work_limit:g}" if w.work_limit else ""
    return (
        f"{w.name}, to a gap of {w.gap_pct:g} % or {w.time_limit_s:g} s{work},"
        f" {w.threads} threads, seed {w.seed}"
    )
