"""Cells as people write them: numbers, units, dates, voltages."""

from __future__ import annotations

import math
from datetime import date, datetime
from typing import Any

import pytest

from sitepick.layers import units, values


@pytest.mark.parametrize(
    ("cell", "number", "unit"),
    [
        ("12", 12.0, None),
        (" 1e3 ", 1000.0, None),
        ("1,234,567.5", 1234567.5, None),
        ("$4,500,000", 4.5e6, "usd"),
        ("350 MW", 350.0, "mw"),
        ("0.5GW", 0.5, "gw"),
        ("20%", 20.0, "pct"),
        ("−3", -3.0, None),
        ("1 200", 1200.0, None),
        (7, 7.0, None),
    ],
)
def test_numbers(cell: Any, number: float, unit: str | None) -> None:
    assert values.number(cell) == (number, unit)


@pytest.mark.parametrize(
    "cell", ["abc", "1,23", "12,34,5", "350 mW", "~300", "1-2", True, "1e999", "inf", "100 or 200"]
)
def test_numbers_refused(cell: Any) -> None:
    with pytest.raises(ValueError):
        values.number(cell)


@pytest.mark.parametrize(
    ("cell", "first", "last"),
    [
        ("2027", date(2027, 1, 1), date(2027, 12, 31)),
        (2027.0, date(2027, 1, 1), date(2027, 12, 31)),
        ("2027-Q3", date(2027, 7, 1), date(2027, 9, 30)),
        ("Q3 2027", date(2027, 7, 1), date(2027, 9, 30)),
        ("2H", None, None),
        ("H2 2027", date(2027, 7, 1), date(2027, 12, 31)),
        ("2028-02", date(2028, 2, 1), date(2028, 2, 29)),
        ("Jun 2028", date(2028, 6, 1), date(2028, 6, 30)),
        ("1 June 2028", date(2028, 6, 1), date(2028, 6, 1)),
        ("June 1, 2028", date(2028, 6, 1), date(2028, 6, 1)),
        ("Jun-28", None, None),
        ("2027-03-14T00:00:00", date(2027, 3, 14), date(2027, 3, 14)),
        (datetime(2027, 3, 14, 5), date(2027, 3, 14), date(2027, 3, 14)),
        (46569, date(2027, 7, 1), date(2027, 7, 1)),
        ("46569", date(2027, 7, 1), date(2027, 7, 1)),
        (1436227200000, date(2015, 7, 7), date(2015, 7, 7)),
        ("5/5/2027", date(2027, 5, 5), date(2027, 5, 5)),
        ("3/4/2027", None, None),
        ("soon", None, None),
        (3.5, None, None),
    ],
)
def test_dates(cell: Any, first: date | None, last: date | None) -> None:
    if first is None:
        with pytest.raises(ValueError):
            values.day(cell)
        return
    assert values.day(cell)[0] == first
    assert values.day(cell, end=True)[0] == last


def test_slashed_dates_are_judged_over_the_column() -> None:
    assert values.slashed_order(["3/4/2027", "3/14/2027"]) == "mdy"
    assert values.slashed_order(["3/4/2027", "14/3/2027", None]) == "dmy"
    assert values.slashed_order(["3/4/2027", 5]) is None
    assert values.day("3/4/2027", order="dmy")[0] == date(2027, 4, 3)
    assert values.day("3/4/2027", order="mdy")[0] == date(2027, 3, 4)


@pytest.mark.parametrize(
    ("cell", "kv"),
    [
        ("345", 345),
        ("380000;220000", 380000),
        ("110/20 kV", 110),
        ("100-161", 100),
        ("735 AND ABOVE", 735),
        (138.5, 138.5),
    ],
)
def test_voltages(cell: Any, kv: float) -> None:
    assert values.kilovolts(cell)[0] == kv


@pytest.mark.parametrize("cell", ["UNDER 100", "SUB 100", "DC"])
def test_voltages_that_tell_nothing(cell: str) -> None:
    assert math.isnan(values.kilovolts(cell)[0])


def test_units_convert_and_refuse() -> None:
    assert units.factor("acres", "ha") == pytest.approx(0.40468564224)
    assert units.factor("$M", "musd") == 1.0
    assert units.factor("usd", "musd") == 1e-6
    assert units.factor("GW", "mw") == 1000.0
    assert units.factor("sqft", "ha") == pytest.approx(0.09290304e-4)
    assert units.factor("lb/MWh", "kg_per_mwh") == 0.45359237
    assert units.known_unit("mW") is None
    with pytest.raises(ValueError, match="did you mean 'acre'"):
        units.factor("acer", "ha")
    with pytest.raises(ValueError, match="is power, area is needed"):
        units.factor("MW", "ha")


def test_null_words() -> None:
    for word in ("", "  ", "N/A", "TBD", "Not Available", None, float("nan"), "-"):
        assert values.is_null(word)
    assert not values.is_null("NA", values.NULL_IDS)
    assert values.is_null("", values.NULL_IDS)
    assert not values.is_null(0)
    assert not values.is_null([None])


def test_yes_no() -> None:
    assert [values.yes_no(c) for c in ("Yes", "firm", 1, "T", True)] == [True] * 5
    assert [values.yes_no(c) for c in ("no", "Non-firm", 0.0, "f")] == [False] * 4
    with pytest.raises(ValueError):
        values.yes_no("partly")
