"""Budget: cash of each calendar year against what that year may spend."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from sitepick.checks.case import Case
from sitepick.checks.cash import payments
from sitepick.checks.tolerance import more, share_of
from sitepick.finding import Finding


def check(case: Case) -> Iterator[Finding]:
    """Yield the breaches of `budget.year`.

    Years not named have no budget; cash of years before the first counts with the first. With
    carry-over, what is left of a year may be spent in later ones.
    """
    budget = case.scenario.budget_musd
    if not budget:
        return
    first = min(budget)
    spent: dict[int, float] = defaultdict(float)
    for (year, _), musd in payments(case).items():
        spent[max(year, first)] += musd
    left = 0.0
    for year in range(first, max([*budget, *spent]) + 1):
        may = budget.get(year, 0.0) + left
        over = more(spent[year], may, share_of(may))
        if over:
            message = f"{spent[year]:,.6g} MUSD are spent, {may:,.6g} may be"
            yield Finding("budget.year", str(year), over, "MUSD", message)
        left = max(0.0, may - spent[year]) if case.scenario.budget_carry_over else 0.0
