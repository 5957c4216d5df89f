"""Cash: capital paid in each calendar year, by category, from the decisions alone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from sitepick.checks.case import Case
from sitepick.checks.purchases import purchases, securities
from sitepick.checks.tolerance import RELATIVE, off
from sitepick.finding import Finding

Cash = dict[tuple[int, str], float]


def check(case: Case) -> Iterator[Finding]:
    """Yield a finding for each year and category whose stated cash the decisions do not give."""
    paid = payments(case)
    stated = {(row.year, row.category): row.musd for row in case.solution.cash}
    slack = RELATIVE * max(1e-3, sum(paid.values()))
    for key in sorted({*paid, *stated}):
        year, category = key
        apart = off(stated.get(key, 0.0), paid.get(key, 0.0), slack)
        if apart:
            message = (
                f"the plan states {stated.get(key, 0.0):,.9g} MUSD of cash, "
                f"its purchases need {paid.get(key, 0.0):,.9g}"
            )
            yield Finding("cash", f"{category}, {year}", apart, "MUSD", message)


def payments(case: Case) -> Cash:
    """Return the cash of every purchase by calendar year and category, MUSD."""
    paid: Cash = defaultdict(float)
    for bought in purchases(case):
        by_year = case.calendar.payments(bought.musd, bought.start, bought.lead_months)
        for year, musd in by_year.items():
            paid[year, bought.category] += musd
    for musd, year in securities(case):
        paid[year, "security"] += musd
    return dict(paid)
