"""Leased halls: taken once and whole, in time, within the offer's MW, and gone after the term."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from math import floor

from sitepick.checks.calendar import months_between, move, whole_months
from sitepick.checks.case import Case, day, number
from sitepick.checks.tolerance import more
from sitepick.finding import Finding

HOURS = 8760


def check(case: Case) -> Iterator[Finding]:
    """Yield the breaches of the `leases.*` rows."""
    for site in sorted(case.leases):
        row = case.leased.get(site)
        if row is None:
            if site in case.opened:
                message = "an offer is open in the plan, but no lease says its IT MW and dates"
                yield Finding("leases.terms", f"site {site}", 1, "leases", message)
        else:
            yield from _terms(case, site)
        for t in case.times:
            it_mw, let = case.it_mw([site], t), leased_mw(case, site, t)
            over = more(it_mw, let)
            if over:
                message = f"{it_mw:,.6g} IT MW stand where {let:,.6g} are leased"
                where = f"site {site}, {case.when(t)}"
                yield Finding("leases.fit", where, over, "IT MW", message)
        for (at, hall, _, t), it_row in sorted(case.it_rows.items()):
            if at == site and hall != case.leases[site]["hall"] and more(it_row.it_mw, 0.0):
                message = f"IT stands in class {hall}, the offer is one of another"
                where = f"site {site}, {case.when(t)}"
                yield Finding("leases.hall", where, it_row.it_mw, "IT MW", message)


def _terms(case: Case, site: str) -> Iterator[Finding]:
    terms, row = case.leases[site], case.leased[site]
    where, t = f"site {site}", begins(case, site)
    if case.opened.get(site) != t:
        message = f"the lease begins in {row.since}, which is not when its site opens"
        yield Finding("leases.begin", where, 1, "leases", message)
    start, earliest = case.calendar.starts[t], first_day(case, site)
    if start < earliest:
        message = f"the lease begins before {earliest}, when its IT MW can first be used"
        yield Finding("leases.early", where, (earliest - start).days, "days", message)
    rule = case.scenario.candidates.max_it_mw_per_site
    most = float(terms["it_mw_max"]) if rule is None else min(float(terms["it_mw_max"]), rule)
    over = more(row.it_mw, most)
    if over:
        message = f"{row.it_mw:,.6g} IT MW are leased, at most {most:,.6g} can be"
        yield Finding("leases.most", where, over, "IT MW", message)
    under = more(float(terms["it_mw_min"]), row.it_mw)
    if under:
        message = f"{row.it_mw:,.6g} IT MW are leased, at least {terms['it_mw_min']:,.6g} must be"
        yield Finding("leases.least", where, under, "IT MW", message)
    end = ends(case, site)
    wanted = case.when(end) if end < case.calendar.count else None
    if row.until != wanted:
        message = f"the plan has the lease until {row.until}, its term makes it {wanted}"
        yield Finding("leases.term", where, 1, "leases", message)
    if row.hall != terms["hall"]:
        message = f"the lease is said to be of class {row.hall}, the offer is of {terms['hall']}"
        yield Finding("leases.hall", where, row.it_mw, "IT MW", message)


def first_day(case: Case, site: str) -> date:
    """Return the day from which an offer's IT MW can be used; a shell must be fitted out first."""
    terms = case.leases[site]
    ready = day(terms["ready_date"])
    assert ready is not None
    can = max(ready, case.scenario.as_of)
    if terms["kind"] == "powered_shell":
        can = move(can, whole_months(case.scenario.leases.fit_out_months))
    return can


def begins(case: Case, site: str) -> int:
    """Return the period in which the plan begins a lease."""
    return case.calendar.periods.index(case.leased[site].since)


def ends(case: Case, site: str) -> int:
    """Return the first period that the term does not cover whole; at most the number of periods."""
    if case.leases[site]["renews"]:
        return case.calendar.count
    covered = floor(case.leases[site]["term_years"] / case.calendar.years_each + 1e-9)
    return min(case.calendar.count, begins(case, site) + covered)


def stands(case: Case, site: str, t: int) -> bool:
    """Return whether the IT MW of an offer stand in a period."""
    return site in case.leased and begins(case, site) <= t < ends(case, site)


def leased_mw(case: Case, site: str, t: int) -> float:
    """Return the IT MW leased at a site in a period."""
    return case.leased[site].it_mw if stands(case, site, t) else 0.0


def _years_paid(case: Case, site: str, t: int) -> float:
    """Return the years of a period for which rent is paid: also those after the last whole one."""
    start = begins(case, site)
    if t < start:
        return 0.0
    each = case.calendar.years_each
    if case.leases[site]["renews"]:
        return each
    age = months_between(case.calendar.starts[start], case.calendar.starts[t]) / 12
    return min(each, max(0.0, case.leases[site]["term_years"] - age))


def rent_usd_per_kw_month(case: Case, site: str, t: int) -> float:
    """Return the rent in a period, real USD of the scenario's price year.

    A stated escalation is nominal and counts on each anniversary; else the rent follows inflation.
    """
    terms = case.leases[site]
    usd = float(terms["usd_per_kw_month"]) * case.price(int(terms["price_year"]))
    rise = number(terms["escalation_pct"])
    if rise is None:
        return usd
    start = case.calendar.starts[begins(case, site)]
    anniversaries = months_between(start, case.calendar.starts[t]) // 12
    nominal = (1 + rise / 100) ** anniversaries
    return float(usd * nominal / (1 + case.scenario.money.inflation_pct / 100) ** anniversaries)


def rent(case: Case, t: int) -> float:
    """Return the rent of a period, MUSD a year: of leased IT MW, used or not."""
    total = 0.0
    for site, row in case.leased.items():
        share = _years_paid(case, site, t) / case.calendar.years_each
        if share:
            kw = row.it_mw * 1000
            total += share * kw * rent_usd_per_kw_month(case, site, t) * 12 / 1e6
    return total


def operations(case: Case, t: int) -> float:
    """Return what tenants of powered shells pay for operation in a period, MUSD a year."""
    total = 0.0
    for site, row in case.leased.items():
        if case.leases[site]["kind"] != "powered_shell":
            continue
        kind = case.halls[case.leases[site]["hall"]]
        per_mw = kind.om_musd_per_mw_year * case.price(kind.price_year)
        share = _years_paid(case, site, t) / case.calendar.years_each
        total += share * row.it_mw * per_mw
    return total


def energy_usd(case: Case, t: int) -> float:
    """Return the energy of leased halls in a period that no rent includes, USD a year."""
    if not case.has_grid:
        return 0.0
    return sum(
        case.facility_mean_mw(site, t) * HOURS * float(terms["energy_usd_per_mwh"])
        for site, terms in case.leases.items()
        if not terms["power_included"]
    )


def co2_kg(case: Case, site: str, t: int) -> float:
    """Return the carbon of a leased hall's energy in a year, whoever pays it; 0 for other sites."""
    if site not in case.leases or not case.has_grid:
        return 0.0
    factor = float(case.leases[site]["co2_kg_per_mwh"])
    return case.facility_mean_mw(site, t) * HOURS * factor


def density(case: Case, site: str, kind: str, where: str, mw: float) -> Iterator[Finding]:
    """Yield a finding for hardware that the racks or the cooling of an offer do not hold."""
    terms = case.leases.get(site)
    if terms is None:
        return
    item, most = case.hardware[kind], number(terms["kw_per_rack"])
    if most is not None and item.kw_per_rack > most:
        message = f"a rack of {item.kw_per_rack:g} kW is put into a leased hall for {most:g} kW"
        yield Finding("leases.density", where, item.kw_per_rack - most, "kW per rack", message)
    if item.liquid_required and not terms["liquid"]:
        message = f"{mw:,.6g} IT MW need liquid cooling, the leased hall has none"
        yield Finding("leases.density", where, mw, "IT MW", message)
