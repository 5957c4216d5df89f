"""Hardware: what is alive follows from what was bought; fit, dates, export rules, use."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from math import ceil

from sitepick.checks import leases
from sitepick.checks.case import Case
from sitepick.checks.tolerance import more, off
from sitepick.finding import Finding


def check(case: Case) -> Iterator[Finding]:
    """Yield the breaches of the `hardware.*` rows."""
    pairs = {(site, hall, kind) for site, hall, kind, _ in case.it_rows}
    for site in case.active_sites:
        if site in case.existing:
            for hall in case.halls:
                pairs |= {(site, hall, kind) for kind in case.hardware}
    if case.scenario.hardware == "none":
        yield from _nothing_bought(case)
        return
    for site, hall, kind in sorted(pairs):
        yield from _alive(case, site, hall, kind)
    for (site, hall, kind, t), row in sorted(case.it_rows.items()):
        if more(row.bought_mw, 0.0):
            yield from _bought(case, site, hall, kind, t)
    yield from _used(case)


def earliest_purchase(case: Case, site: str, kind: str) -> date:
    """Return the day from which hardware can be energised at a site."""
    row = case.hardware[kind]
    delay = max((rule.hardware_delay_months for rule in case.rules_on(site)), default=0.0)
    ordered = case.calendar.earliest(row.lead_months + delay)
    return ordered if row.available_from is None else max(ordered, row.available_from)


def life_periods(case: Case, kind: str) -> int:
    """Return for how many periods a purchase lives."""
    return ceil(case.hardware[kind].life_years / case.calendar.years_each - 1e-9)


def _alive(case: Case, site: str, hall: str, kind: str) -> Iterator[Finding]:
    life = life_periods(case, kind)
    for t in case.times:
        expected = case.existing_it(site, hall, kind, t)
        for bought in range(max(0, t - life + 1), t + 1):
            row = case.it_rows.get((site, hall, kind, bought))
            expected += row.bought_mw if row else 0.0
        if site in case.leases and not leases.stands(case, site, t):
            expected = 0.0  # it left when the term ended
        stated = case.it_at(site, t).get((hall, kind), 0.0)
        apart = off(stated, expected)
        if apart:
            message = (
                f"{stated:,.6g} IT MW are said to be alive, purchases and installed vintages "
                f"within their life make {expected:,.6g}"
            )
            where = f"{kind} in {hall} at site {site}, {case.when(t)}"
            yield Finding("hardware.level", where, apart, "IT MW", message)


def _bought(case: Case, site: str, hall: str, kind: str, t: int) -> Iterator[Finding]:
    where = f"{kind} in {hall} at site {site}, {case.when(t)}"
    mw = case.it_rows[site, hall, kind, t].bought_mw
    start, earliest = case.calendar.starts[t], earliest_purchase(case, site, kind)
    if start < earliest:
        message = f"{mw:,.6g} IT MW are energised before {earliest}, the earliest delivery"
        yield Finding("hardware.early", where, (earliest - start).days, "days", message)
    for rule in case.rules_on(site):
        if rule.allowed_hardware is not None and kind not in rule.allowed_hardware:
            message = f"{mw:,.6g} IT MW are bought of hardware that {rule.level} rules do not allow"
            yield Finding("hardware.allowed", where, mw, "IT MW", message)
    yield from leases.density(case, site, kind, where, mw)
    if case.scenario.halls == "none":
        return
    row, room = case.hardware[kind], case.halls[hall]
    if row.kw_per_rack > room.kw_per_rack:
        message = f"a rack of {row.kw_per_rack:g} kW is put into halls for {room.kw_per_rack:g} kW"
        excess = row.kw_per_rack - room.kw_per_rack
        yield Finding("hardware.fit", where, excess, "kW per rack", message)
    if row.liquid_required and room.liquid_share <= 0:
        message = f"{mw:,.6g} IT MW need liquid cooling, the halls have none"
        yield Finding("hardware.fit", where, mw, "IT MW", message)


def _nothing_bought(case: Case) -> Iterator[Finding]:
    """Yield a finding for what no plan without hardware can say: IT follows the demand."""
    for (site, hall, kind, t), row in sorted(case.it_rows.items()):
        if more(row.bought_mw, 0.0):
            where = f"{kind} in {hall} at site {site}, {case.when(t)}"
            message = "without hardware nothing is bought"
            yield Finding("hardware.level", where, row.bought_mw, "IT MW", message)
    for (site, kind, workload, t), mw in sorted(case.used.items()):
        where = f"{kind} at site {site} on {workload}, {case.when(t)}"
        message = "without hardware nothing is assigned to workloads"
        yield Finding("hardware.use", where, mw, "IT MW", message)


def _used(case: Case) -> Iterator[Finding]:
    busy: dict[tuple[str, str, int], float] = {}
    for (site, kind, _, t), mw in case.used.items():
        busy[site, kind, t] = busy.get((site, kind, t), 0.0) + mw
    for (site, kind, t), mw in sorted(busy.items()):
        alive = sum(it for (_, h), it in case.it_at(site, t).items() if h == kind)
        over = more(mw, alive)
        if over:
            message = f"{mw:,.6g} IT MW work, {alive:,.6g} are alive"
            where = f"{kind} at site {site}, {case.when(t)}"
            yield Finding("hardware.use", where, over, "IT MW", message)
