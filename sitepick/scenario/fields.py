"""Field types shared by the sections of a scenario: dates, time series, frozen strict models."""

from __future__ import annotations

import calendar
import re
from datetime import date, datetime
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

_DATE = re.compile(r"^(\d{4})(?:-(\d{1,2}))?(?:-(\d{1,2}))?$")


class Section(BaseModel):
    """Base of every scenario section: unknown keys are errors, values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


def _parts(value: Any) -> tuple[int, int | None, int | None]:
    if isinstance(value, datetime):
        return value.year, value.month, value.day
    if isinstance(value, date):
        return value.year, value.month, value.day
    found = _DATE.match(str(value).strip()) if not isinstance(value, bool) else None
    if found is None:
        raise ValueError("write a date as 2027, 2027-01 or 2027-01-31")
    year, month, day = (int(g) if g else None for g in found.groups())
    return int(year or 0), month, day


def first_day(value: Any) -> date:
    """Return the first day of what ``value`` names: 2027 -> 2027-01-01, 2027-03 -> 2027-03-01."""
    year, month, day = _parts(value)
    return date(year, month or 1, day or 1)


def last_day(value: Any) -> date:
    """Return the last day of what ``value`` names: 2027 -> 2027-12-31, 2027-02 -> 2027-02-28."""
    year, month, day = _parts(value)
    month = month or 12
    return date(year, month, day or calendar.monthrange(year, month)[1])


def _series(value: Any) -> Any:
    if isinstance(value, dict):
        return {first_day(k): v for k, v in value.items()}
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return {date(1900, 1, 1): value}
    return value


def _year_series(value: Any) -> Any:
    if isinstance(value, dict):
        return {int(str(k)): v for k, v in value.items()}
    return value


FirstDay = Annotated[date, BeforeValidator(first_day)]
"""A date; a year or a month means its first day."""
LastDay = Annotated[date, BeforeValidator(last_day)]
"""A date; a year or a month means its last day."""
NonNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Percent = Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)]
Series = Annotated[dict[date, NonNegative], BeforeValidator(_series)]
"""Values by date, each standing from its date until the next; zero before the first.

A single number stands for all time."""
YearSeries = Annotated[dict[int, NonNegative], BeforeValidator(_year_series)]
"""Values by calendar year."""


def as_list(value: Any) -> Any:
    """Return ``value`` as a list: one thing where several are allowed needs no brackets."""
    return value if isinstance(value, (list, tuple)) or value is None else [value]


def value_at(series: dict[date, float], when: date) -> float | None:
    """Return the value of ``series`` standing at ``when``, None before its first date."""
    past = [d for d in series if d <= when]
    return series[max(past)] if past else None
