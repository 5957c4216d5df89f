"""Fiber edges: pairs, routes, light and waves that can be had, and carry what goes over them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from math import ceil

from sitepick.checks import fiber_prices as fiber
from sitepick.checks.case import Case
from sitepick.checks.tolerance import more, off, share_of
from sitepick.finding import Finding
from sitepick.solution_fiber import EdgeRow

TBPS = 1e-5
"""Largest breach that counts as none, Tb/s."""


def check(case: Case) -> Iterator[Finding]:
    """Yield the breaches of the `fiber.*` rows, and what edges are said to carry and do not."""
    if case.candidates.fiber is None:
        return
    yield from _dates(case)
    yield from _pairs(case)
    yield from _waves(case)
    yield from _capacity(case)
    yield from _stated(case)


def _dates(case: Case) -> Iterator[Finding]:
    edges = fiber.edges_of(case)
    plan = case.solution
    for row in plan.light:
        rules, _ = fiber.optics(case, edges[row.edge])
        first = max(case.calendar.earliest(rules.lead_months),
                    fiber.pairs_from(case, edges[row.edge]))  # fmt: skip
        yield from _early(case, "light", row.edge, row.period, first)
    for pair in plan.pairs:
        first = fiber.pairs_from(case, edges[pair.edge])
        yield from _early(case, "pairs", pair.edge, pair.period, first)
    for build in plan.builds:
        if not edges[build.edge].new:
            message = "a route is built where there is one"
            yield Finding("fiber.route", build.edge, 1, "routes", message)
        first = fiber.pairs_from(case, edges[build.edge])
        yield from _early(case, "route", build.edge, build.period, first)
    for wave in plan.waves:
        first = fiber.waves_from(case, edges[wave.edge])
        yield from _early(case, "waves", wave.edge, wave.period, first)


def _early(case: Case, what: str, edge: str, period: str, first: object) -> Iterator[Finding]:
    start = case.calendar.starts[case.calendar.periods.index(period)]
    days = (start - first).days  # type: ignore[operator]
    if days < 0:
        message = f"{what} stand from {start}, they can from {first}"
        yield Finding(f"fiber.{what}", f"{edge}, {period}", -days, "days", message)


def _pairs(case: Case) -> Iterator[Finding]:
    edges = fiber.edges_of(case)
    built = {row.edge: case.calendar.periods.index(row.period) for row in case.solution.builds}
    standing, lit = fiber.standing_pairs(case), fiber.lit(case)
    for (edge, t), pairs in sorted(standing.items()):
        where, most = f"{edge}, {case.when(t)}", fiber.most_pairs(case, edges[edge])
        if edges[edge].new and built.get(edge, case.calendar.count) > t:
            message = f"{pairs} pairs on a route that is not built"
            yield Finding("fiber.there", where, pairs, "pairs", message)
        elif pairs > most:
            message = f"{pairs} pairs stand, {most} can be had"
            yield Finding("fiber.there", where, pairs - most, "pairs", message)
    for (edge, t), tbps in sorted(lit.items()):
        can = standing.get((edge, t), 0) * fiber.tbps_per_pair(case, edges[edge])
        over = more(tbps, can, TBPS)
        if over:
            message = f"{tbps:,.6g} Tb/s are lit, the pairs carry {can:,.6g}"
            yield Finding("fiber.lit", f"{edge}, {case.when(t)}", over, "Tb/s", message)


def _waves(case: Case) -> Iterator[Finding]:
    edges, bands = fiber.edges_of(case), fiber.hours_of_peaks(case)
    by_hours = {hours: fiber.waves(case, hours) for hours in (0.0, *bands)}
    for row in case.solution.waves:
        if row.peak_hours not in by_hours:
            where = f"{row.edge}, {row.period}"
            message = f"no traffic has peaks of {row.peak_hours:g} hours a year"
            yield Finding("fiber.waves", where, row.waves, "waves", message)
    for hours, here in by_hours.items():
        for (edge, t), count in sorted(here.items()):
            always = by_hours[0.0].get((edge, t), 0) if hours else 0
            most = fiber.most_waves(case, edges[edge])
            if count + always > most:
                message = f"{count + always} waves are leased, {most} can be had"
                where = f"{edge}, {case.when(t)}"
                yield Finding("fiber.waves", where, count + always - most, "waves", message)


def _capacity(case: Case) -> Iterator[Finding]:
    rules = case.scenario.fiber.capacity.wave
    each = 0.0 if rules is None else rules.tbps
    lit = fiber.lit(case)
    for (edge, t), by_hours in sorted(fiber.traffic(case).items()):
        for hours, tbps in by_hours.items():
            waves = fiber.waves(case, 0.0).get((edge, t), 0)
            if hours:
                waves += fiber.waves(case, hours).get((edge, t), 0)
            can = lit.get((edge, t), 0.0) + each * waves
            over = more(tbps, can, TBPS)
            if over:
                when = f"at peaks of {hours:g} hours a year" if hours else "in ordinary hours"
                message = f"{tbps:,.6g} Tb/s {when}, light and waves carry {can:,.6g}"
                name = "fiber.peak" if hours else "fiber.capacity"
                yield Finding(name, f"{edge}, {case.when(t)}", over, "Tb/s", message)


def _stated(case: Case) -> Iterator[Finding]:
    """Judge the rows that sum up each edge."""
    given = {(row.edge, row.period): row for row in case.solution.edges}
    wanted = {(row.edge, row.period): row for row in _summary(case)}
    for key in sorted({*given, *wanted}):
        blank = EdgeRow(*key, 0, 0, 0, 0.0, 0.0, 0.0, 0.0)
        says, is_so = given.get(key, blank), wanted.get(key, blank)
        for column in fields(EdgeRow)[2:]:
            stated, found = getattr(says, column.name), getattr(is_so, column.name)
            apart = off(stated, found, max(TBPS, share_of(found)))
            if apart:
                message = f"{column.name} is {stated:,.9g}, it must be {found:,.9g}"
                unit = column.name.rpartition("_")[2]
                yield Finding("fiber.edges", ", ".join(key), apart, unit, message)


def _summary(case: Case) -> Iterator[EdgeRow]:
    edges, use = fiber.edges_of(case), fiber.traffic(case)
    standing, lit = fiber.standing_pairs(case), fiber.lit(case)
    routes, bands = set(fiber.needed_routes(case)), fiber.hours_of_peaks(case)
    by_hours = {hours: fiber.waves(case, hours) for hours in (0.0, *bands)}
    keys = {*use, *standing, *lit, *routes, *(key for here in by_hours.values() for key in here)}
    wave_tbps = 0.0 if (wave := case.scenario.fiber.capacity.wave) is None else wave.tbps
    for edge, t in sorted(keys):
        kind, key = edges[edge], (edge, t)
        pairs, light, waves = standing.get(key, 0), lit.get(key, 0.0), by_hours[0.0].get(key, 0)
        carried = use.get(key, dict.fromkeys((0.0, *bands), 0.0))
        own = {hours: min(tbps, light) for hours, tbps in carried.items()}
        rest = {hours: min(carried[hours] - own[hours], waves * wave_tbps) for hours in carried}
        per_pair = fiber.tbps_per_pair(case, kind)
        top = max(own.values())
        pair_cost = pairs * _pair_cost(case, kind) + (key in routes) * _route_cost(case, kind)
        light_cost = light * _light_cost(case, kind)
        yield EdgeRow(
            edge=edge,
            period=case.when(t),
            pairs_leased=0 if kind.new else pairs,
            pairs_built=pairs if kind.new else 0,
            waves=waves,
            capacity_tbps=pairs * per_pair + waves * wave_tbps,
            used_tbps=carried[0.0],
            peak_tbps=max(carried.values()),
            idle_musd_per_year=pair_cost * _idle(_mean(bands, own), pairs * per_pair)
            + light_cost * _idle(_mean(bands, own), light)
            + waves * fiber.wave_musd_per_year(case, kind)
            * _idle(_mean(bands, rest), waves * wave_tbps),
            lit_tbps=light,
            bursts=max((by_hours[h].get(key, 0) for h in bands), default=0),
            stranded_tbps=light - top,
            stranded_musd_per_year=light_cost * _idle(top, light)
            + pair_cost * _idle(ceil(top / per_pair - 1e-6), pairs),
        )  # fmt: skip


def _mean(bands: list[float], tbps: dict[float, float]) -> float:
    """Return the mean over the year of what is carried by hours of peaks."""
    total, before = 0.0, 0.0
    for hours in bands:
        total += (hours - before) * tbps[hours]
        before = hours
    return (total + max(0.0, fiber.HOURS - before) * tbps[0.0]) / fiber.HOURS


def _idle(used: float, of: float) -> float:
    return min(1.0, max(0.0, 1 - used / of)) if of > 1e-6 else 0.0


def _pair_cost(case: Case, edge: fiber.Edge) -> float:
    """Return what a pair comes to a year, MUSD."""
    pair = case.scenario.fiber.capacity.pair
    lead = 0.0 if edge.new or pair is None else pair.lead_months
    once = fiber.pair_musd(case, edge) * case.calendar.at_energisation(lead)
    return once * case.calendar.annuity(fiber.term_years(case)) + fiber.pair_rent_musd(case, edge)


def _route_cost(case: Case, edge: fiber.Edge) -> float:
    """Return what a route comes to a year, MUSD."""
    build = case.scenario.fiber.capacity.build
    musd = fiber.route_musd_per_year(case, edge)
    if edge.new and build is not None:
        once = fiber.build_musd(case, edge) * case.calendar.at_energisation(build.lead_months)
        musd += once * case.calendar.annuity(build.life_years)
    return musd


def _light_cost(case: Case, edge: fiber.Edge) -> float:
    """Return what optics for a Tb/s come to a year, MUSD."""
    row, _ = fiber.optics(case, edge)
    once = fiber.light_musd(case, edge) * case.calendar.at_energisation(row.lead_months)
    return once * case.calendar.annuity(row.life_years)
