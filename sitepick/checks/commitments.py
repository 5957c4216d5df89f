"""Commitments: what is already decided and must be in the plan from its date on."""

from __future__ import annotations

from collections.abc import Iterator

from sitepick.checks.asked import asked
from sitepick.checks.case import ANYWHERE, Case, day, number, rows_of
from sitepick.checks.groups import members
from sitepick.checks.tolerance import more
from sitepick.finding import Finding


def check(case: Case) -> Iterator[Finding]:
    """Yield the breaches of `commitments.*`."""
    for row in rows_of(case.candidates.commitments):
        site, what = row["site_id"], row["what"]
        begins = day(row["date"])
        first = 0 if begins is None else case.calendar.first_from(begins)
        if what == "member":
            yield from _member(case, site, str(row["group"]), first)
            continue
        for t in case.times[first:]:
            where = f"site {site}, {case.when(t)}"
            if not case.is_open(site, t):
                message = "a committed site is not open"
                yield Finding("commitments.site", where, 1, "sites", message)
                continue
            least = number(row["mw"]) or 0.0
            if what == "it_mw":
                have, unit = case.it_mw([site], t), "IT MW"
            elif what == "grid_mw":
                have, unit = case.site_grid_mw(site, t), "grid MW"
            else:
                continue
            under = more(least, have)
            if under:
                message = f"{have:,.6g} {unit} are planned, {least:,.6g} are committed"
                yield Finding(f"commitments.{what}", where, under, unit, message)


def _member(case: Case, site: str, name: str, first: int) -> Iterator[Finding]:
    """Yield periods from ``first`` on in which a group has work to do without a committed site.

    Members that are chosen once are so from the beginning.
    """
    wanted = asked(case)
    for group in case.scenario.campus_groups:
        for t in case.times[first:] if group.name == name else ():
            here = {row.site_id for row in members(case, name, t)}
            if wanted.get((group.workload, ANYWHERE, t)) and site not in here:
                where = f"site {site}, {case.when(t)}"
                message = f"a committed member of group {name} is none"
                yield Finding("commitments.member", where, 1, "sites", message)
