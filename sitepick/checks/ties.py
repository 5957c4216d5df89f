"""Ties: which POIs a site uses, since when, how many, and the largest connection by voltage."""

from __future__ import annotations

from collections.abc import Iterator

from sitepick.checks import onsite
from sitepick.checks.case import STANDING, Case, key_of, number, tie_words
from sitepick.checks.tolerance import more
from sitepick.finding import Finding


def check(case: Case) -> Iterator[Finding]:
    """Yield the breaches of the `ties.*` rows. Without a grid there is nothing to judge."""
    if not case.has_grid:
        return
    yield from _starts(case)
    for site in case.active_sites:
        yield from _count(case, site)
    for (tie, t), mw in sorted(case.grid.items(), key=lambda item: (str(item[0][0]), item[0][1])):
        where = f"{tie_words(tie)}, {case.when(t)}"
        if not case.is_tied(tie, t):
            if more(mw, 0.0):
                message = f"{mw:,.6g} grid MW are contracted, but the tie does not exist"
                yield Finding("ties.cap", where, mw, "grid MW", message)
            continue
        cap = number(case.ties[tie]["cap_mw"])
        over = 0.0 if cap is None else more(mw, cap)
        if over:
            message = f"{mw:,.6g} grid MW are contracted, its voltage and length allow {cap:,.6g}"
            yield Finding("ties.cap", where, over, "grid MW", message)


def _starts(case: Case) -> Iterator[Finding]:
    earliest = case.calendar.earliest(case.tie_months)
    for tie, t in sorted(case.tied.items(), key=lambda item: str(item[0])):
        where = tie_words(tie)
        owned = case.own_tie(tie[0]) == tie
        if t == STANDING:
            if not owned:
                message = "a tie is listed as standing, but only an existing site's nearest does"
                yield Finding("ties.standing", where, 1, "ties", message)
            continue
        if owned:
            message = "the tie that an existing site owns is bought again"
            yield Finding("ties.standing", where, 1, "ties", message)
        start = case.calendar.starts[t]
        if start < earliest:
            message = f"the tie is energised before {earliest}, its lead time from the start"
            yield Finding("ties.early", where, (earliest - start).days, "days", message)


def _count(case: Case, site: str) -> Iterator[Finding]:
    most = case.scenario.power.max_ties
    possible = [key_of(row) for row in case.ties_of.get(site, [])]
    for t in case.times:
        count = sum(case.is_tied(tie, t) for tie in possible)
        is_open = case.is_open(site, t)
        allowed = most if is_open else 0
        where = f"site {site}, {case.when(t)}"
        if count > allowed:
            message = f"{count} ties stand, at most {allowed} may"
            yield Finding("ties.most", where, count - allowed, "ties", message)
        if is_open and len(possible) == 1 and count == 0 and not onsite.has_options(case, site):
            message = "an open site with one possible tie does not have it"
            yield Finding("ties.only", where, 1, "ties", message)
