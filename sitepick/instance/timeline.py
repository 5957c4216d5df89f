"""Periods, lead times, discounting and the price of a purchase: all conventions of time and money.

The formulas are those of docs/model.md, "Time", "Money" and "Cash".
"""

from __future__ import annotations

import calendar
import math
from dataclasses import dataclass
from datetime import date
from functools import cached_property

import numpy as np

from sitepick.matrix import FloatArray
from sitepick.scenario.schema import Scenario, period_starts

FOREVER = math.inf
"""Life of what never wears out (land, securities)."""


def add_months(day: date, months: int) -> date:
    """Return ``day`` moved by whole months, clipped to the month's last day."""
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def whole_months(months: float) -> int:
    """Return ``months`` rounded up: lead times are whole months."""
    return math.ceil(months - 1e-9)


@dataclass(frozen=True)
class Timeline:
    """The periods of a plan. T periods; ``starts`` has T + 1 entries, the last ends the horizon."""

    as_of: date
    starts: tuple[date, ...]
    rate: float  # real discount rate per year, 0.09 for 9 %

    @classmethod
    def of(cls, scenario: Scenario) -> Timeline:
        """Return the timeline of a scenario."""
        starts = tuple(period_starts(scenario.periods))
        return cls(scenario.as_of, starts, scenario.money.discount_rate_pct / 100)

    @property
    def n(self) -> int:
        """Number of periods, T."""
        return len(self.starts) - 1

    @property
    def names(self) -> tuple[str, ...]:
        """(T,) period names: the first day."""
        return tuple(d.isoformat() for d in self.starts[:-1])

    @cached_property
    def months(self) -> FloatArray:
        """(T + 1,) whole months from the first period's start."""
        index = [d.year * 12 + d.month for d in self.starts]
        return np.array(index, dtype=float) - index[0]

    @cached_property
    def dt(self) -> FloatArray:
        """(T,) length of each period, years."""
        return np.diff(self.months) / 12

    @cached_property
    def discount(self) -> FloatArray:
        """(T,) mid-period discount factor."""
        days = np.array([(d - self.as_of).days for d in self.starts[:-1]], dtype=float)
        return (1 + self.rate) ** -(days / 365.25 + self.dt / 2)

    @property
    def yearly(self) -> FloatArray:
        """(T,) present cost of 1 MUSD a year during each period."""
        return self.discount * self.dt

    @cached_property
    def years(self) -> tuple[int, ...]:
        """Calendar years from as_of to the last period."""
        last = add_months(self.starts[-1], -1).year
        return tuple(range(self.as_of.year, last + 1))

    def first_from(self, when: date | None) -> int:
        """Return the first period starting on or after ``when``; T if there is none."""
        if when is None:
            return 0
        return next((t for t in range(self.n) if self.starts[t] >= when), self.n)

    def after(self, lead_months: float) -> int:
        """Return the first period that something ordered at as_of with that lead time can start."""
        return self.first_from(add_months(self.as_of, whole_months(lead_months)))

    def ramp(self, day: date, ramp_years: float) -> FloatArray:
        """Return (T,) the share of MW dated ``day`` that are there in each period.

        They grow in equal steps, one per period, and are whole after ``ramp_years`` (rounded up to
        whole periods); without a ramp at once. Steps before the first period count.
        """
        begun = (day.year - self.starts[0].year) * 12 + day.month - self.starts[0].month
        gone = self.months[:-1] - begun - (day.day > 1)  # periods start on the first of a month
        each = self.months[1]
        steps = math.ceil(round(ramp_years * 12 / each, 6))
        share = np.minimum(1.0, (gone // each + 1) / steps) if steps else np.ones(self.n)
        return np.where(gone >= 0, share, 0.0)

    def crf(self, life_years: float) -> float:
        """Return the capital recovery factor per year; the rate itself for a life without end."""
        r = self.rate
        if math.isinf(life_years):
            return r
        if r == 0:
            return 1 / life_years
        return r / (1 - (1 + r) ** -life_years)

    def compounding(self, lead_months: float) -> float:
        """Return capital at energisation per MUSD paid evenly over the lead time."""
        years = whole_months(lead_months) / 12
        if years == 0 or self.rate == 0:
            return 1.0
        return ((1 + self.rate) ** years - 1) / (years * math.log1p(self.rate))

    def purchase(self, life_years: float, lead_months: float) -> FloatArray:
        """Return (T,) the present cost of 1 MUSD overnight cost energised at each period."""
        return self._annuities(life_years, lead_months).sum(axis=1)

    def remaining(self, life_years: float, lead_months: float) -> FloatArray:
        """Return (T, T + 1) the part of `purchase` that falls into periods from the second on.

        Entry [s, e]: present value of the annuities of a purchase at s still to come at e.
        """
        whole = self._annuities(life_years, lead_months)
        to_come = np.cumsum(whole[:, ::-1], axis=1)[:, ::-1]
        return np.hstack([to_come, np.zeros((self.n, 1))])

    def _annuities(self, life_years: float, lead_months: float) -> FloatArray:
        """Return (T, T) the present value of each period's annuity of a purchase at each period."""
        start = self.months[:-1]
        age = (start[None, :] - start[:, None]) / 12  # [s, t] years from p[s] to p[t]
        alive = np.minimum(self.dt[None, :], np.maximum(0, life_years - age))
        alive = np.where(age >= 0, alive, 0.0)
        return self.compounding(lead_months) * self.crf(life_years) * alive * self.discount[None, :]

    def life_periods(self, life_years: float) -> int:
        """Return for how many periods a purchase lives: ceil(life / dt)."""
        if math.isinf(life_years):
            return self.n
        return min(self.n, math.ceil(life_years / self.dt[0] - 1e-9))

    def cash(self, lead_months: float) -> FloatArray:
        """Return (T, Y) the share of a purchase paid in each calendar year of `years`.

        Months before as_of's year (only of existing things) count with the first year.
        """
        months = whole_months(lead_months)
        out = np.zeros((self.n, len(self.years)))
        paid = range(-months, 0) if months else range(1)
        for t, start in enumerate(self.starts[:-1]):
            now = start.year * 12 + start.month - 1
            for offset in paid:
                out[t, max(0, (now + offset) // 12 - self.years[0])] += 1 / max(1, months)
        return out

    def months_in_year(self, lead_months: float) -> FloatArray:
        """Return (T, Y) months of each calendar year within the lead time before each period."""
        return self.cash(lead_months) * whole_months(lead_months)

    def order_year(self, period: int, lead_months: float) -> int:
        """Return the index in `years` of the year in which something must be ordered."""
        year = add_months(self.starts[period], -whole_months(lead_months)).year
        return min(max(0, year - self.years[0]), len(self.years) - 1)
