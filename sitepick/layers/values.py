"""Cells to numbers, dates, yes and no: as people write them, never by guessing."""

from __future__ import annotations

import math
import re
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np

from sitepick.layers.units import known_unit
from sitepick.scenario.fields import first_day, last_day

NULL_WORDS = frozenset(
    {"", "-", "--", "–", "—", ".", "?", "n/a", "na", "n.a.", "n.a", "#n/a", "nan", "nil", "none"}
    | {"null", "<null>", "unknown", "not available", "not applicable", "not known"}
    | {"tbd", "tba", "tbc", "t.b.d."}
)
NULL_IDS = frozenset({"", "null", "<null>", "nan", "n/a", "#n/a", "not available"})
"""Words that mean nothing in ids and names, where NA is Namibia and None a village."""
NULL_NUMBERS = frozenset((-99.0, -999.0, -9999.0, -99999.0, -999999.0, -9999999.0))
YES = frozenset(("yes", "y", "true", "t", "1", "x", "firm"))
NO = frozenset(("no", "n", "false", "f", "0", "non-firm", "nonfirm", "non firm", "interruptible"))
_PLAIN = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_GROUPED = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d*)?|[+-]?\d{1,3}( \d{3})+(\.\d*)?")
_COMMA = re.compile(r"[+-]?\d+,\d+")
_COMMA_GROUPED = re.compile(r"[+-]?\d{1,3}(\.\d{3})+,\d+")
_WITH_UNIT = re.compile(r"(?P<number>[+-]?[\d., ]*\d\.?)\s*(?P<unit>[^\d\s.,].*)")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_MONTH_NAMES = (
    *("january", "february", "march", "april", "may", "june", "july"),
    *("august", "september", "october", "november", "december"),
)
_MONTHS = {
    word: i + 1 for i, name in enumerate(_MONTH_NAMES) for word in (name, name[:3], name[:4])
}
_QUARTER = (
    re.compile(r"(?P<y>\d{4})[ -]?Q(?P<q>[1-4])", re.I),
    re.compile(r"Q(?P<q>[1-4])[ /-]?(?P<y>\d{4})", re.I),
)
_HALF = (
    re.compile(r"(?P<y>\d{4})[ -]?H(?P<h>[12])", re.I),
    re.compile(r"H(?P<h>[12])[ /-]?(?P<y>\d{4})", re.I),
)
_ISO = re.compile(r"(\d{4}-\d{1,2}-\d{1,2})([T ]\d.*)?")
_SHORT = re.compile(r"\d{4}(-\d{1,2})?")
SLASHED = re.compile(r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})")
EXCEL_DAYS = (20_000, 80_000)  # 1954 to 2119 as Excel serial numbers
EPOCH_MS = 1e11  # larger: milliseconds since 1970, as ArcGIS writes


def is_null(value: Any, words: frozenset[str] = NULL_WORDS) -> bool:
    """Return whether a cell says that nothing is known."""
    if isinstance(value, str):
        return value.strip().lower() in words
    # lists and arrays hold something; of the rest only nan and NaT differ from themselves
    return value is None or (not isinstance(value, (list, dict)) and bool(np.any(value != value)))


def clean_text(value: Any) -> str:
    """Return a cell as text: whole floats without ``.0``, control characters dropped."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    text = str(value)
    return _CONTROL.sub("", text).strip()


def printable(text: str) -> str:
    """Return text that cannot command a terminal."""
    return _CONTROL.sub("", text)


def has_control(value: Any) -> bool:
    """Return whether a text holds control characters."""
    return isinstance(value, str) and _CONTROL.search(value) is not None


def number(value: Any, *, comma_decimal: bool = False) -> tuple[float, str | None]:
    """Return the number in a cell, and the unit if one is written behind it (``350 MW``).

    Raises:
        ValueError: it is not one number, or can be read two ways; the message says what to write.
    """
    if isinstance(value, bool):
        raise ValueError("yes/no where a number is needed")
    if isinstance(value, (int, float)) or hasattr(value, "__float__"):
        result = float(value)
        if math.isinf(result):
            raise ValueError("not a finite number")
        return result, None
    if type(value) is str and _PLAIN.fullmatch(value):  # nearly all of them
        return _digits(value, comma_decimal), None
    text = str(value).strip().replace("\u00a0", " ").replace("\u202f", " ").replace("−", "-")
    unit = None
    if text[:1] in "$€£":
        text, unit = text[1:].strip(), "usd" if text[0] == "$" else None
    if (found := _WITH_UNIT.fullmatch(text)) is not None:
        if known_unit(found["unit"]) is None and _PLAIN.fullmatch(text) is None:
            raise ValueError(f"unknown unit '{found['unit']}'")
        if _PLAIN.fullmatch(text) is None:
            text, unit = found["number"].strip(), known_unit(found["unit"])
    return _digits(text, comma_decimal), unit


def _digits(text: str, comma_decimal: bool) -> float:
    if _PLAIN.fullmatch(text):
        result = float(text)
        if math.isinf(result):
            raise ValueError("not a finite number")
        return result
    if comma_decimal:
        if _COMMA_GROUPED.fullmatch(text):
            return float(text.replace(".", "").replace(",", "."))
        if _COMMA.fullmatch(text):
            if len(text.split(",")[1]) == 3 and len(text.split(",")[0].lstrip("+-")) <= 3:
                raise ValueError("can be thousands or decimals; write a decimal point")
            return float(text.replace(",", "."))
    if _GROUPED.fullmatch(text):
        return float(text.replace(",", "").replace(" ", ""))
    raise ValueError("not a number")


def yes_no(value: Any) -> bool:
    """Return the truth in a cell.

    Raises:
        ValueError: it says neither yes nor no.
    """
    if isinstance(value, (bool, int, float)) and value in (0, 1):
        return bool(value)
    text = clean_text(value).lower()
    if text in YES:
        return True
    if text in NO:
        return False
    raise ValueError("write yes or no")


def slashed_order(values: list[Any]) -> str | None:
    """Return ``mdy`` or ``dmy`` for dates like 3/14/2027, judged over a whole column.

    None: no such date, or none that tells (all could be read both ways).

    Raises:
        ValueError: some can only be month first, others only day first.
    """
    orders = set()
    for value in values:
        found = SLASHED.fullmatch(value.strip()) if isinstance(value, str) else None
        if found and int(found[1]) > 12:
            orders.add("dmy")
        if found and int(found[2]) > 12:
            orders.add("mdy")
    if len(orders) > 1:
        raise ValueError("mixes month/day/year and day/month/year; write dates as 2027-03-14")
    return orders.pop() if orders else None


def day(value: Any, *, end: bool = False, order: str | None = None) -> tuple[date, str]:
    """Return the date in a cell and how it was written: day, span, serial or epoch_ms.

    A year, month, quarter or half-year (a span) means its first day, with ``end`` its last.

    Raises:
        ValueError: it is not a date, or can be read two ways.
    """
    if isinstance(value, datetime):
        return value.date(), "day"
    if isinstance(value, date):
        return value, "day"
    if isinstance(value, (int, float)) or hasattr(value, "__float__"):
        return _from_number(float(value), end)
    text = str(value).strip()
    if re.fullmatch(r"\d{5,}(\.\d+)?", text):
        return _from_number(float(text), end)
    pick = last_day if end else first_day
    if (found := _ISO.fullmatch(text)) is not None:
        return pick(found[1]), "day"
    if _SHORT.fullmatch(text):
        return pick(text), "span"
    for pattern in _QUARTER:
        if (found := pattern.fullmatch(text)) is not None:
            month = 3 * int(found["q"]) - (0 if end else 2)
            return pick(f"{found['y']}-{month}"), "span"
    for pattern in _HALF:
        if (found := pattern.fullmatch(text)) is not None:
            month = 6 * int(found["h"]) - (0 if end else 5)
            return pick(f"{found['y']}-{month}"), "span"
    if (found := SLASHED.fullmatch(text)) is not None:
        a, b, year = (int(g) for g in found.groups())
        if order is None and a != b:
            raise ValueError("can be month/day or day/month; write dates as 2027-03-14")
        month, day_ = (b, a) if order == "dmy" else (a, b)
        return date(year, month, day_), "day"
    return _worded(text, pick)


def _from_number(value: float, end: bool) -> tuple[date, str]:
    if value.is_integer() and 1900 <= value <= 2200:
        return (last_day if end else first_day)(int(value)), "span"
    if EXCEL_DAYS[0] <= value <= EXCEL_DAYS[1]:
        return date(1899, 12, 30) + timedelta(days=int(value)), "serial"
    if abs(value) > EPOCH_MS and abs(value) < 1e13:
        return datetime.fromtimestamp(value / 1e3, tz=UTC).date(), "epoch_ms"
    raise ValueError("not a date")


def _worded(text: str, pick: Any) -> tuple[date, str]:
    words = re.findall(r"[A-Za-z]+|\d+", text)
    months = [_MONTHS[w.lower()] for w in words if w.lower() in _MONTHS]
    numbers = [int(w) for w in words if w.isdigit()]
    years = [n for n in numbers if 1900 <= n <= 2200]
    if len(months) == 1 and len(years) == 1 and len(words) == len(numbers) + 1:
        if len(numbers) == 1:
            return pick(f"{years[0]}-{months[0]}"), "span"
        days = [n for n in numbers if n <= 31]
        if len(numbers) == 2 and len(days) == 1:
            return date(years[0], months[0], days[0]), "day"
    raise ValueError("not a date; write 2027-03-14, 2027-03, 2027-Q1 or 2027")


def listed(value: Any) -> list[Any]:
    """Return the parts of a cell that lists several values; of ``345;138 kV`` each with unit."""
    if value is None:
        return []
    if not isinstance(value, str):
        return [value]
    parts = [p.strip() for p in re.split(r"[;/|]", value) if p.strip()]
    unit = re.search(r"\s*(kv|v)$", parts[-1], re.I) if parts else None
    if unit is None:
        return parts
    return [p if p.upper().endswith("V") else f"{p} {unit[1]}" for p in parts]


def kilovolts(value: Any) -> tuple[float, str | None]:
    """Return the highest voltage in a cell, and the unit if one is written.

    Reads ``345``, ``380000;220000``, ``110/20 kV`` and text classes: ``100-161`` counts as its
    lower end, ``735 AND ABOVE`` as 735; of ``UNDER 100`` and ``DC`` no voltage is known (nan).
    """
    if not isinstance(value, str):
        return number(value)
    text = value.strip().upper()
    if text.startswith(("UNDER", "SUB ", "<", "BELOW")) or text in ("DC", "AC"):
        return math.nan, None
    unit = None
    for name in ("KV", "V"):
        if text.endswith(name):
            text, unit = text.removesuffix(name).strip(), name.lower()
            break
    text = text.replace("AND ABOVE", "").replace("+", "").strip()
    if (found := re.fullmatch(r"(\d+(?:\.\d+)?)\s*-\s*(\d+(?:\.\d+)?)", text)) is not None:
        return float(found[1]), unit
    parts = [p.strip() for p in re.split(r"[;/|]", text) if p.strip()]
    got = []
    for part in parts:
        value, other = number(part.removesuffix("KV").strip())
        if other is not None:
            raise ValueError("not a voltage")
        got.append(value)
    if not got:
        raise ValueError("not a voltage")
    return max(got), unit
