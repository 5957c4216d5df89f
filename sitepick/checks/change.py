"""Change: what the plan says it moves of the earlier plan, against both plans."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from sitepick.checks.case import Case, is_number, rows_of
from sitepick.checks.tolerance import MW, more, off
from sitepick.finding import Finding

UNTOLD_MW = 0.01
"""Moves up to this need not be told, IT MW."""


def check(case: Case) -> Iterator[Finding]:
    """Yield a finding for each move that is told wrongly, or not told."""
    told: dict[tuple[str, str], tuple[float, float]] = {}
    for row in case.solution.moved:
        key, where = (row.site_id, row.period), f"site {row.site_id}, {row.period}"
        if key in told or not (is_number(row.earlier_it_mw) and is_number(row.it_mw)):
            yield Finding("change.row", where, 1, "rows", "told twice, or not in numbers")
            continue
        told[key] = row.earlier_it_mw, row.it_mw
    earlier, compared = _earlier(case)
    sites = {site for site, _ in earlier} | set(case.sites)
    known = set()
    for site in sorted(sites):
        for t in case.times:
            period = case.calendar.periods[t]
            if period not in compared:
                continue
            key, where = (site, period), f"site {site}, {period}"
            known.add(key)
            before, after = earlier.get(key, 0.0), case.it_mw([site], t)
            if key not in told:
                untold = more(abs(after - before), UNTOLD_MW, MW)
                if untold:
                    message = f"{before:,.6g} IT MW became {after:,.6g}, which is not told"
                    yield Finding("change.moved", where, abs(after - before), "IT MW", message)
                continue
            for plan, said, found in zip(
                ("the earlier plan", "this plan"), told[key], (before, after), strict=True
            ):
                apart = off(said, found)
                if apart:
                    message = f"{said:,.6g} IT MW are told of {plan}, it has {found:,.6g}"
                    yield Finding("change.moved", where, apart, "IT MW", message)
    for site, period in sorted(told.keys() - known):
        message = "a move is told where nothing is compared"
        yield Finding("change.row", f"site {site}, {period}", 1, "rows", message)


def _earlier(case: Case) -> tuple[dict[tuple[str, str], float], set[str]]:
    """Return earlier IT MW by site and period of today, and the periods that are compared."""
    mw: dict[tuple[str, str], float] = {}
    compared: set[str] = set()
    for row in rows_of(case.candidates.earlier):
        after_end = row["to_date"] + timedelta(days=1)
        for t in case.times:
            if row["from_date"] <= case.calendar.starts[t] < after_end:
                period = case.calendar.periods[t]
                mw[row["site_id"], period] = row["it_mw"]
                compared.add(period)
    return mw, compared
