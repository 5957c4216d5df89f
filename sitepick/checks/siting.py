"""Sites: existing, required and forbidden ones, moratoria, land, campus sizes, how many."""

from __future__ import annotations

from collections.abc import Iterator

from sitepick.checks import leases, onsite
from sitepick.checks.case import STANDING, Case, number
from sitepick.checks.tolerance import more, share_of
from sitepick.finding import Finding


def check(case: Case) -> Iterator[Finding]:
    """Yield the breaches of the `siting.*` rows."""
    yield from _decisions(case)
    yield from _openings(case)
    yield from _forbidden_regions(case)
    for site in case.active_sites:
        yield from _size(case, site)
        yield from _land(case, site)
    most = case.scenario.limits.sites_max
    extra = 0 if most is None else len(case.opened) - most
    if extra > 0:
        message = f"{len(case.opened)} sites are open at the end, at most {most} may be"
        yield Finding("siting.count", "the plan", extra, "sites", message)


def _decisions(case: Case) -> Iterator[Finding]:
    for site, row in sorted(case.sites.items()):
        decision, opened = row["decision"], site in case.opened
        if case.stands(site):
            if case.opened.get(site) != STANDING:
                message = "a site that stands already is not listed as standing"
                yield Finding("siting.existing", f"site {site}", 1, "sites", message)
        elif opened and row["status"] != "candidate":
            message = "a rejected place is opened"
            yield Finding("siting.rejected", f"site {site}", 1, "sites", message)
        elif decision == "require" and not opened:
            message = "a required site is not open at the end"
            yield Finding("siting.required", f"site {site}", 1, "sites", message)
        elif decision == "forbid" and opened:
            message = "a forbidden site is opened"
            yield Finding("siting.forbidden", f"site {site}", 1, "sites", message)


def _openings(case: Case) -> Iterator[Finding]:
    for site, t in sorted(case.opened.items()):
        if site in case.leases:
            earliest = leases.first_day(case, site)
        else:
            earliest = min(
                case.calendar.earliest(case.tie_months), onsite.serves_alone_from(case, site)
            )
        if case.stands(site):
            continue
        if t == STANDING:
            message = "a site is listed as standing, but it does not exist yet"
            yield Finding("siting.existing", f"site {site}", 1, "sites", message)
            continue
        start = case.calendar.starts[t]
        where = f"site {site}, {case.when(t)}"
        if start < earliest:
            of = "its lease" if site in case.leases else "its tie or own power"
            message = f"the site opens before {earliest}, the first date of {of}"
            yield Finding("siting.early", where, (earliest - start).days, "days", message)
        if case.closed(site, t):
            message = "the site opens during a moratorium of its region"
            yield Finding("siting.closed", where, 1, "sites", message)


def _forbidden_regions(case: Case) -> Iterator[Finding]:
    for area in case.areas:
        for site in sorted(area.inside):
            if area.rule.forbid and site in case.opened and not case.stands(site):
                message = f"a site is opened in {area.where}, where none may be"
                yield Finding("siting.forbidden", f"site {site}", 1, "sites", message)


def _size(case: Case, site: str) -> Iterator[Finding]:
    limits = [
        number(case.sites[site]["max_it_mw"]),
        case.scenario.candidates.max_it_mw_per_site,
    ]
    most = min((mw for mw in limits if mw is not None), default=float("inf"))
    for t in case.times:
        it_mw = case.it_mw([site], t)
        allowed = most if case.is_open(site, t) else 0.0
        over = more(it_mw, allowed)
        if over:
            said = f"the largest allowed is {most:,.6g}" if allowed else "the site is not open"
            message = f"{it_mw:,.6g} IT MW stand at the site, but {said}"
            yield Finding("siting.max", f"site {site}, {case.when(t)}", over, "IT MW", message)
    least = case.scenario.candidates.min_it_mw_per_site
    if site in case.opened and not case.stands(site) and site not in case.leases:
        end_mw = case.it_mw([site], case.calendar.last)
        under = more(least, end_mw)
        if under:
            message = f"a campus ends at {end_mw:,.6g} IT MW, the smallest allowed is {least:,.6g}"
            where = f"site {site}, {case.when(case.calendar.last)}"
            yield Finding("siting.min", where, under, "IT MW", message)


def _land(case: Case, site: str) -> Iterator[Finding]:
    usable = number(case.sites[site]["usable_ha"])
    if usable is None:
        return
    for t in case.times:
        used = 0.0
        for hall, row in case.halls.items():
            used += case.halls_at(site, hall, t) * row.hall_it_mw * row.ha_per_mw
        used += onsite.land_ha(case, site, t)
        over = more(used, usable, share_of(usable))
        if over:
            message = f"halls and on-site power need {used:,.6g} ha, {usable:,.6g} ha are usable"
            yield Finding("siting.land", f"site {site}, {case.when(t)}", over, "ha", message)
