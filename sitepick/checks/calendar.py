"""Time and money of the check: periods, lead times, discounting, annuities, monthly cash.

Written from docs/model.md ("Time", "Money", "Cash") a second time, on purpose.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from math import ceil, log

from sitepick.scenario.schema import Scenario

MONTHS = {"year": 12, "half_year": 6, "quarter": 3}


def whole_months(months: float) -> int:
    """Return ``months`` rounded up; a hair of floating point does not make a month."""
    return ceil(months - 1e-9)


def move(day: date, months: int) -> date:
    """Return ``day`` moved by whole months; the 31st becomes the last day of a shorter month."""
    year, month = day.year, day.month + months
    while month > 12:
        year, month = year + 1, month - 12
    while month < 1:
        year, month = year - 1, month + 12
    first = date(year, month, 1)
    next_first = date(year + month // 12, month % 12 + 1, 1)
    return first + timedelta(days=min(day.day, (next_first - first).days) - 1)


def months_between(first: date, second: date) -> int:
    """Return the whole months from one first of a month to another."""
    return (second.year - first.year) * 12 + second.month - first.month


@dataclass(frozen=True)
class Calendar:
    """``starts``: first day of every period and, last, the day after the horizon."""

    as_of: date
    starts: tuple[date, ...]
    years_each: float  # length of a period, years
    rate: float  # real discount rate, 0.09 for 9 %

    @classmethod
    def of(cls, scenario: Scenario) -> Calendar:
        """Return the calendar of a scenario."""
        step = MONTHS[scenario.periods.step]
        starts = [scenario.periods.from_]
        while starts[-1] <= scenario.periods.to:
            starts.append(move(starts[-1], step))
        rate = scenario.money.discount_rate_pct / 100
        return cls(scenario.as_of, tuple(starts), step / 12, rate)

    @property
    def periods(self) -> tuple[str, ...]:
        """Names of the periods: their first days."""
        return tuple(day.isoformat() for day in self.starts[:-1])

    @property
    def count(self) -> int:
        """Number of periods."""
        return len(self.starts) - 1

    @property
    def last(self) -> int:
        """Index of the last period."""
        return self.count - 1

    def first_from(self, day: date) -> int:
        """Return the first period that starts on or after ``day``; ``count`` if none does."""
        for t in range(self.count):
            if self.starts[t] >= day:
                return t
        return self.count

    def earliest(self, lead_months: float) -> date:
        """Return the day from which something ordered at ``as_of`` can be energised."""
        return move(self.as_of, whole_months(lead_months))

    def discount(self, t: int) -> float:
        """Return the discount factor of period ``t``, taken at its middle."""
        years = (self.starts[t] - self.as_of).days / 365.25 + self.years_each / 2
        return float((1 + self.rate) ** -years)

    def yearly(self, t: int, musd_per_year: float) -> float:
        """Return the present cost of a yearly cost paid during period ``t``, MUSD."""
        return musd_per_year * self.discount(t) * self.years_each

    def annuity(self, life_years: float | None) -> float:
        """Return the capital recovery factor per year; the rate itself for what never wears out."""
        r = self.rate
        if life_years is None:
            return r
        if r == 0:
            return 1 / life_years
        growth = (1 + r) ** life_years
        return float(r * growth / (growth - 1))

    def at_energisation(self, lead_months: float) -> float:
        """Return 1 MUSD paid evenly over the lead time, compounded to its end."""
        lead = whole_months(lead_months) / 12
        if lead == 0 or self.rate == 0:
            return 1.0
        return float(((1 + self.rate) ** lead - 1) / (lead * log(1 + self.rate)))

    def present_cost(
        self, musd: float, start: int, life_years: float | None, lead_months: float
    ) -> float:
        """Return the present cost of a purchase energised at period ``start``, MUSD.

        Annuities over the years of life that fall into the horizon (``life_years`` None: for ever).
        """
        total = 0.0
        for t in range(start, self.count):
            alive = self.years_each
            if life_years is not None:
                age = months_between(self.starts[start], self.starts[t]) / 12
                alive = min(alive, max(0.0, life_years - age))
            total += self.discount(t) * alive
        return musd * self.at_energisation(lead_months) * self.annuity(life_years) * total

    def still_to_come(
        self, musd: float, start: int, gone: int, life_years: float, lead_months: float
    ) -> float:
        """Return the present value, at period ``gone``, of annuities still to come, MUSD."""
        years = 0.0
        for t in range(gone, self.count):
            age = months_between(self.starts[start], self.starts[t]) / 12
            years += self.discount(t) * min(self.years_each, max(0.0, life_years - age))
        return musd * self.at_energisation(lead_months) * self.annuity(life_years) * years

    def periods_of(self, years: float) -> int:
        """Return how many periods something stands that lives ``years``: begun ones count whole."""
        return ceil(years / self.years_each - 1e-9)

    def payments(self, musd: float, start: int, lead_months: float) -> dict[int, float]:
        """Return the cash of a purchase by calendar year, MUSD: even over the months before."""
        months = whole_months(lead_months)
        if months == 0:
            return {self.pay_year(self.starts[start].year): musd}
        paid: dict[int, float] = {}
        for before in range(1, months + 1):
            year = self.pay_year(move(self.starts[start], -before).year)
            paid[year] = paid.get(year, 0.0) + musd / months
        return paid

    def pay_year(self, year: int) -> int:
        """Return the calendar year in which cash counts: never before the year of ``as_of``."""
        return max(year, self.as_of.year)
