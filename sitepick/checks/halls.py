"""Halls: whole, built and converted in time, never appearing or vanishing, large enough for IT."""

from __future__ import annotations

from collections.abc import Iterator

from sitepick.checks.case import Case
from sitepick.checks.tolerance import more
from sitepick.finding import Finding


def check(case: Case) -> Iterator[Finding]:
    """Yield the breaches of the `halls.*` rows."""
    if case.scenario.halls == "none":
        yield from _growth_in_moratorium(case)
        return
    for (site, hall, t), row in sorted(case.hall_rows.items()):
        where = f"{hall} at site {site}, {case.when(t)}"
        for count in (row.halls, row.built, row.converted_in, row.converted_out):
            apart = abs(count - round(count))
            if apart:
                message = f"halls must be whole, {count:g} are not"
                yield Finding("halls.whole", where, apart, "halls", message)
        if site in case.leases:
            message = "halls are built at a leased site, which has those that it rents alone"
            yield Finding("halls.leased", where, max(1.0, row.halls), "halls", message)
        if row.halls and not case.is_open(site, t):
            message = f"{row.halls} halls stand at a site that is not open"
            yield Finding("halls.open", where, row.halls, "halls", message)
        yield from _start(case, site, hall, t)
    for site in case.active_sites:
        for t in case.times:
            for hall in case.halls:
                yield from _level(case, site, hall, t)
                if site not in case.leases:
                    yield from _fit(case, site, hall, t)


def _start(case: Case, site: str, hall: str, t: int) -> Iterator[Finding]:
    row, kind = case.hall_rows[site, hall, t], case.halls[hall]
    where = f"{hall} at site {site}, {case.when(t)}"
    if row.built and kind.retrofit_of is not None:
        message = f"{row.built} halls of a retrofit class are built on green field"
        yield Finding("halls.retrofit", where, row.built, "halls", message)
    if row.converted_in and kind.retrofit_of is None:
        message = f"{row.converted_in} halls are converted into a class that is no retrofit"
        yield Finding("halls.retrofit", where, row.converted_in, "halls", message)
    new = row.built + row.converted_in
    if not new:
        return
    start, earliest = case.calendar.starts[t], case.calendar.earliest(kind.build_months)
    if start < earliest:
        message = f"{new} halls are energised before {earliest}, their time to build from the start"
        yield Finding("halls.early", where, (earliest - start).days, "days", message)
    if case.closed(site, t):
        message = f"{new} halls are energised during a moratorium"
        yield Finding("halls.closed", where, new, "halls", message)


def _level(case: Case, site: str, hall: str, t: int) -> Iterator[Finding]:
    """Yield a finding if halls appear or vanish, or if conversions in and out do not match."""
    row = case.hall_rows.get((site, hall, t))
    where = f"{hall} at site {site}, {case.when(t)}"
    out = row.converted_out if row else 0
    change = (row.built + row.converted_in if row else 0) - out
    expected = case.halls_at(site, hall, t - 1) + change
    stands = case.halls_at(site, hall, t)
    if stands != expected:
        message = f"{stands:g} halls stand, but what stood before and the changes make {expected:g}"
        yield Finding("halls.level", where, abs(stands - expected), "halls", message)
    into = 0
    for other, kind in case.halls.items():
        if kind.retrofit_of == hall and (site, other, t) in case.hall_rows:
            into += case.hall_rows[site, other, t].converted_in
    if out != into:
        message = f"{out:g} halls are given to conversion, {into:g} are converted"
        yield Finding("halls.convert", where, abs(out - into), "halls", message)


def _fit(case: Case, site: str, hall: str, t: int) -> Iterator[Finding]:
    it_mw = sum(mw for (k, _), mw in case.it_at(site, t).items() if k == hall)
    room = case.halls[hall].hall_it_mw * case.halls_at(site, hall, t)
    over = more(it_mw, room)
    if over:
        message = f"{it_mw:,.6g} IT MW stand in halls for {room:,.6g}"
        where = f"{hall} at site {site}, {case.when(t)}"
        yield Finding("halls.fit", where, over, "IT MW", message)


def _growth_in_moratorium(case: Case) -> Iterator[Finding]:
    for site in case.active_sites:
        for t in case.times:
            if not case.closed(site, t):
                continue
            if t == 0:
                kinds = case.hardware
                before = sum(case.existing_it(site, "none", kind, 0) for kind in kinds)
            else:
                before = case.it_mw([site], t - 1)
            grown = more(case.it_mw([site], t), before)
            if grown:
                message = "IT MW grow during a moratorium"
                where = f"site {site}, {case.when(t)}"
                yield Finding("halls.closed", where, grown, "IT MW", message)
