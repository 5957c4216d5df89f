"""Time and money against numbers worked out by hand."""

from __future__ import annotations

import math
from datetime import date

import numpy as np
import pytest

from sitepick.instance.timeline import FOREVER, Timeline, add_months, whole_months

YEARS = tuple(date(y, 1, 1) for y in range(2028, 2033))  # four periods of a year


def line(rate: float = 0.08, as_of: date = date(2026, 1, 1), starts: tuple = YEARS) -> Timeline:
    return Timeline(as_of, starts, rate)


@pytest.mark.parametrize(("life", "factor"), [(5, 0.2505), (15, 0.1168), (20, 0.1019), (1, 1.08)])
def test_capital_recovery_at_8_pct(life: float, factor: float) -> None:
    assert line().crf(life) == pytest.approx(factor, abs=5e-5)


def test_capital_recovery_without_interest_and_without_end() -> None:
    assert line(rate=0).crf(5) == 0.2
    assert line().crf(FOREVER) == 0.08
    assert line(rate=0).crf(FOREVER) == 0


def test_months_are_clipped_to_the_month_and_leads_rounded_up() -> None:
    assert add_months(date(2027, 1, 31), 1) == date(2027, 2, 28)
    assert add_months(date(2027, 11, 15), 14) == date(2029, 1, 15)
    assert add_months(date(2028, 1, 1), -1) == date(2027, 12, 1)
    assert [whole_months(m) for m in (0, 0.1, 6, 6.5, 12.0000000001)] == [0, 1, 6, 7, 12]


@pytest.mark.parametrize(
    ("lead", "period"), [(0, 0), (24, 0), (24.5, 1), (36, 1), (37, 2), (60, 3), (61, 4)]
)
def test_a_lead_time_ends_at_the_next_period(lead: float, period: int) -> None:
    assert line().after(lead) == period  # from 2026-01-01; period 0 is 2028, period 4 is too late


def test_a_date_counts_from_the_next_period() -> None:
    days = (None, date(2028, 1, 1), date(2028, 1, 2), date(2031, 6, 1))
    assert [line().first_from(d) for d in days] == [0, 0, 1, 4]


def test_discount_is_mid_period() -> None:
    # 2028-01-01 is 730 days after as_of: 730 / 365.25 + 0.5 years
    assert line().discount[0] == pytest.approx(1.08 ** -(730 / 365.25 + 0.5))
    halves = line(starts=(date(2028, 1, 1), date(2028, 7, 1), date(2029, 1, 1)))
    assert halves.dt.tolist() == [0.5, 0.5]
    assert halves.discount[1] == pytest.approx(1.08 ** -(912 / 365.25 + 0.25))


def test_compounding_of_even_spending() -> None:
    # two years at 8 %: (1.1664 - 1) / (2 ln 1.08) = 0.1664 / 0.153922
    assert line().compounding(24) == pytest.approx(1.08107, abs=1e-5)
    assert line().compounding(0) == 1
    assert line(rate=0).compounding(24) == 1


def test_a_purchase_is_charged_while_it_lives_within_the_horizon() -> None:
    plain = line(rate=0)
    assert plain.purchase(2, 0).tolist() == pytest.approx([1, 1, 1, 0.5])
    assert plain.purchase(20, 0).tolist() == pytest.approx([0.2, 0.15, 0.1, 0.05])
    assert plain.purchase(1.5, 0).tolist() == pytest.approx([1, 1, 1, 1 / 1.5])
    disc = [1.08 ** -((d - date(2026, 1, 1)).days / 365.25 + 0.5) for d in YEARS[:-1]]
    # 5 years, lead 12 months: F = 0.08 / ln 1.08
    by_hand = 0.08 / math.log(1.08) * 0.2504565 * (disc[2] + disc[3])
    assert line().purchase(5, 12)[2] == pytest.approx(by_hand, rel=1e-6)
    land = line().purchase(FOREVER, 0)
    assert land[3] == pytest.approx(0.08 * disc[3])


@pytest.mark.parametrize(("life", "periods"), [(1, 1), (1.5, 2), (3, 3), (9, 4), (FOREVER, 4)])
def test_a_life_is_rounded_up_to_whole_periods(life: float, periods: int) -> None:
    assert line().life_periods(life) == periods


def test_cash_by_calendar_year() -> None:
    time = line()
    assert time.years == (2026, 2027, 2028, 2029, 2030, 2031)
    # 18 months before 2028-01-01: 6 months of 2026 and 12 of 2027
    assert time.cash(18)[0].tolist() == pytest.approx([6 / 18, 12 / 18, 0, 0, 0, 0])
    assert time.cash(17.2)[0].tolist() == pytest.approx([6 / 18, 12 / 18, 0, 0, 0, 0])
    assert time.cash(0)[1].tolist() == [0, 0, 0, 1, 0, 0]
    assert np.allclose(time.cash(30).sum(axis=1), 1)
    assert time.months_in_year(18)[0].tolist() == pytest.approx([6, 12, 0, 0, 0, 0])


def test_cash_before_the_first_year_counts_with_it() -> None:
    assert line().cash(36)[0].tolist() == pytest.approx([2 / 3, 1 / 3, 0, 0, 0, 0])


def test_an_order_is_charged_in_its_year() -> None:
    assert [line().order_year(t, 14) for t in range(4)] == [0, 1, 2, 3]
    assert line().order_year(0, 0) == 2
