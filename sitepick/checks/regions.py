"""Regions: entered or not, minima once entered, dated caps, shares, carbon and water by region."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from sitepick.checks.case import STANDING, Area, Case, standing
from sitepick.checks.limits import co2_kt_per_year, water_ml_per_year
from sitepick.checks.tolerance import more, share_of
from sitepick.finding import Finding

RegionId = tuple[str, str]
"""Level and region id (ids joined by + where a rule takes several together)."""


def check(case: Case) -> Iterator[Finding]:
    """Yield the breaches of the `regions.*` rows."""
    yield from _entered(case)
    yield from _count(case)
    for area in case.areas:
        yield from _once_entered(case, area)
        for t in case.times:
            yield from _caps(case, area, t)
            yield from _share(case, area, t)
            yield from _footprint(case, area, t)


def counted_regions(case: Case) -> dict[RegionId, frozenset[str]]:
    """Return the regions whose entry is decided, with the sites inside."""
    found: dict[RegionId, frozenset[str]] = {}
    for area in case.areas:
        if area.rule.entry_musd or area.rule.min_it_mw_once_entered:
            found[area.rule.level, area.region_id] = area.inside
    for level in case.scenario.regions.max_entered:
        inside: dict[str, set[str]] = defaultdict(set)
        for known_level, region_id in case.region_rows:
            if known_level == level:
                inside[region_id] = set()
        for site, of in case.regions_of.items():
            if level in of:
                inside[of[level]].add(site)
        for region_id, sites in inside.items():
            found[level, region_id] = frozenset(sites)
    return found


def _entered(case: Case) -> Iterator[Finding]:
    for (level, region_id), inside in sorted(counted_regions(case).items()):
        where = f"{level} {region_id}"
        entered = case.entered.get((level, region_id))
        stands = any(case.stands(site) for site in inside)
        if stands and entered != STANDING:
            message = "a region with an existing site is not listed as entered from the start"
            yield Finding("regions.stay", where, 1, "regions", message)
            continue
        if entered == STANDING and not stands:
            message = "a region without an existing site is listed as entered from the start"
            yield Finding("regions.stay", where, 1, "regions", message)
        starts = [case.opened[site] for site in inside if site in case.opened]
        if starts and (entered is None or entered > min(starts)):
            message = "a site opens in a region that is not entered by then"
            when = case.when(max(0, min(starts)))
            yield Finding("regions.entered", f"{where}, {when}", 1, "regions", message)


def _count(case: Case) -> Iterator[Finding]:
    single = {(level, region) for of in case.regions_of.values() for level, region in of.items()}
    single |= set(case.region_rows)
    for level, most in sorted(case.scenario.regions.max_entered.items()):
        count = sum(1 for at, region in case.entered if at == level and (at, region) in single)
        if count > most:
            message = f"{count} regions are entered, at most {most} may be"
            yield Finding("regions.count", f"level {level}", count - most, "regions", message)


def _once_entered(case: Case, area: Area) -> Iterator[Finding]:
    least = area.rule.min_it_mw_once_entered
    if (area.rule.level, area.region_id) not in case.entered:
        return
    it_mw = case.it_mw(area.inside, case.calendar.last)
    under = more(least, it_mw)
    if under:
        message = f"the region ends at {it_mw:,.6g} IT MW, {least:,.6g} is the least once entered"
        yield Finding("regions.min_once", area.where, under, "IT MW", message)


def _caps(case: Case, area: Area, t: int) -> Iterator[Finding]:
    start, where = case.calendar.starts[t], f"{area.where}, {case.when(t)}"
    it_mw = case.it_mw(area.inside, t)
    grid_mw = sum(case.site_grid_mw(site, t) for site in area.inside)
    for name, series, value, unit in (
        ("regions.max_grid", area.rule.max_grid_mw, grid_mw, "grid MW"),
        ("regions.max_it", area.rule.max_it_mw, it_mw, "IT MW"),
    ):
        cap = standing(series or {}, start)
        over = 0.0 if cap is None else more(value, cap)
        if over:
            message = f"the region's sites have {value:,.6g} {unit}, {cap:,.6g} is the most"
            yield Finding(name, where, over, unit, message)
    least = standing(area.rule.min_it_mw or {}, start) or 0.0
    under = more(least, it_mw)
    if under:
        message = f"the region's sites have {it_mw:,.6g} IT MW, {least:,.6g} is the least"
        yield Finding("regions.min_it", where, under, "IT MW", message)


def _share(case: Case, area: Area, t: int) -> Iterator[Finding]:
    if area.rule.max_share_pct is None:
        return
    it_mw, total = case.it_mw(area.inside, t), case.it_mw(case.active_sites, t)
    over = more(it_mw, area.rule.max_share_pct / 100 * total)
    if over:
        message = (
            f"{it_mw:,.6g} of {total:,.6g} IT MW are in the region, "
            f"{area.rule.max_share_pct:g} % is the most"
        )
        yield Finding("regions.share", f"{area.where}, {case.when(t)}", over, "IT MW", message)


def _footprint(case: Case, area: Area, t: int) -> Iterator[Finding]:
    where = f"{area.where}, {case.when(t)}"
    sites = [site for site in case.active_sites if site in area.inside]
    cap = area.rule.max_co2_kt_per_year
    if cap is not None:
        kt = co2_kt_per_year(case, sites, t)
        over = more(kt, cap, share_of(cap))
        if over:
            message = f"the region's sites cause {kt:,.6g} kt CO2 a year, {cap:,.6g} is the most"
            yield Finding("regions.co2", where, over, "kt/year", message)
    cap = area.rule.max_water_ml_per_year
    if cap is not None:
        ml = water_ml_per_year(case, sites, t)
        over = more(ml, cap, share_of(cap))
        if over:
            message = f"the region's sites use {ml:,.6g} Ml a year, {cap:,.6g} is the most"
            yield Finding("regions.water", where, over, "Ml/year", message)
