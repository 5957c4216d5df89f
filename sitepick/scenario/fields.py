"""Field types shared by the sections of a scenario: dates, time series, frozen strict models."""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Annotated, Any, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    ValidationInfo,
)

from sitepick.units import parse_quantity

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
    if not 1900 <= int(year or 0) <= 2200:
        raise ValueError(f"year {year} is outside 1900-2200")
    if month is not None and not 1 <= month <= 12:
        raise ValueError(f"there is no month {month}")
    if day is not None and not 1 <= day <= calendar.monthrange(int(year or 0), month or 1)[1]:
        raise ValueError(f"{year}-{month:02d} has no day {day}")
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


def _number(value: Any, info: ValidationInfo) -> Any:
    if isinstance(value, bool):
        raise ValueError("must be a number, not true or false")
    if isinstance(value, str):
        return parse_quantity(value, info.field_name or "")
    return value


def whole(value: Any) -> Any:
    """Return ``value``, refusing true and false, which Python would count as 1 and 0."""
    if isinstance(value, bool):
        raise ValueError("must be a whole number, not true or false")
    return value


def _series(value: Any) -> Any:
    if isinstance(value, dict):
        seen: dict[date, Any] = {}
        for key in value:
            try:
                day = first_day(key)
            except ValueError:
                continue  # the key's own check reports it
            if day in seen:
                raise ValueError(f"'{seen[day]}' and '{key}' are the same day")
            seen[day] = key
        return value
    if isinstance(value, (int, float, str)) and not isinstance(value, bool):
        return {ALL_TIME: value}
    return value


def _year(value: Any) -> int:
    text = str(value).strip()
    if not re.fullmatch(r"(19|20|21)\d\d", text):
        raise ValueError("write a calendar year, such as 2027")
    return int(text)


def as_list(value: Any) -> Any:
    """Return ``value`` as a list: one thing where several are allowed needs no brackets."""
    return value if isinstance(value, (list, tuple)) or value is None else [value]


@dataclass(frozen=True, eq=False)
class Shown:
    """How a field whose input is freer than its type appears in the JSON Schema."""

    schema: dict[str, Any] = field(default_factory=dict)
    one_or_many: bool = False

    def __get_pydantic_json_schema__(self, core: Any, handler: GetJsonSchemaHandler) -> Any:
        if not self.one_or_many:
            return dict(self.schema)
        shown = handler(core)
        forms = shown.get("anyOf", [shown])
        items = [f["items"] for f in forms if f.get("type") == "array"]
        return {"anyOf": [*items, *forms]}


ALL_TIME = date(1900, 1, 1)
"""Date of the single value of a series that was given as one number."""
_NUMBER: dict[str, Any] = {"type": ["number", "string"]}
_DAY = r"^[12]\d{3}(-\d{1,2}(-\d{1,2})?)?$"
_DATE_SHOWN = Shown(
    {"anyOf": [{"type": "integer", "minimum": 1900, "maximum": 2200},
               {"type": "string", "pattern": _DAY}]}
)  # fmt: skip
_SERIES_SHOWN = Shown(
    {"anyOf": [_NUMBER, {"type": "object", "patternProperties": {_DAY: _NUMBER},
                         "additionalProperties": False}]}
)  # fmt: skip
_YEARS_SHOWN = Shown(
    {"type": "object", "patternProperties": {r"^[12]\d{3}$": _NUMBER},
     "additionalProperties": False}
)  # fmt: skip

T = TypeVar("T")
OneOrMany = Annotated[list[T], BeforeValidator(as_list), Shown(one_or_many=True)]
"""A list; one thing needs no brackets."""
FirstDay = Annotated[date, BeforeValidator(first_day), _DATE_SHOWN]
"""A date; a year or a month means its first day."""
LastDay = Annotated[date, BeforeValidator(last_day), _DATE_SHOWN]
"""A date; a year or a month means its last day."""
Number = Annotated[float, Field(allow_inf_nan=False), BeforeValidator(_number)]
"""A finite number; a text with the unit that the key names is understood."""
NonNegative = Annotated[float, Field(ge=0, allow_inf_nan=False), BeforeValidator(_number)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False), BeforeValidator(_number)]
Percent = Annotated[float, Field(ge=0, le=100, allow_inf_nan=False), BeforeValidator(_number)]
Whole = Annotated[int, BeforeValidator(whole)]
Series = Annotated[dict[FirstDay, NonNegative], BeforeValidator(_series), _SERIES_SHOWN]
"""Values by date, each standing from its date until the next; zero before the first.

A single number stands for all time."""
YearSeries = Annotated[dict[Annotated[int, BeforeValidator(_year)], NonNegative], _YEARS_SHOWN]
"""Values by calendar year."""


def value_at(series: dict[date, float], when: date) -> float | None:
    """Return the value of ``series`` standing at ``when``, None before its first date."""
    past = [d for d in series if d <= when]
    return series[max(past)] if past else None
