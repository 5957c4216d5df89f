"""A list of actions, such as `actions.csv` of a run folder, against what the plan needs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date

from sitepick.checks.calendar import whole_months
from sitepick.checks.case import Case
from sitepick.checks.due import expected
from sitepick.checks.due_row import Due, Key
from sitepick.checks.tolerance import MW, RELATIVE, off
from sitepick.finding import Finding


def check(case: Case, rows: Sequence[Mapping[str, str]]) -> Iterator[Finding]:
    """Yield what is wrong with a list of actions; ``rows`` are cells of text by column."""
    wanted: dict[Key, Due] = {}
    for due in expected(case):
        named = due.action, due.site, due.poi, due.item
        wanted[*_shown(named), due.needed] = due  # type: ignore[index]
    given: dict[Key, Mapping[str, str]] = {}
    astray: list[Mapping[str, str]] = []
    for row in rows:
        needed = _day(row.get("needed"))
        key = (*_named(row), needed)
        if needed is None or key not in wanted or key in given:
            astray.append(row)
        else:
            given[key] = row
    lost = [due for key, due in wanted.items() if key not in given]
    for due in lost:
        other = next((r for r in astray if _same(due, r)), None)
        if other is None:
            message = f"{due.action} by {due.do_by} is not in the list"
            yield Finding("actions.missing", _where(due), 1, "rows", message)
            continue
        astray.remove(other)
        yield from _compare(case, due, other)
    for row in astray:
        where = ", ".join(row[c] for c in ("action", "site_id", "item", "needed") if row.get(c))
        yield Finding("actions.unknown", where, 1, "rows", "the plan has no such action")
    for key, row in given.items():
        yield from _compare(case, wanted[key], row)


def _same(due: Due, row: Mapping[str, str]) -> bool:
    return _shown((due.action, due.site, due.poi, due.item)) == _named(row)


def _named(row: Mapping[str, str]) -> tuple[str, ...]:
    return _shown(row.get(column) or "" for column in ("action", "site_id", "poi_id", "item"))


def _shown(texts: Iterable[str]) -> tuple[str, ...]:
    """Return texts without what is not printed: files leave out control characters of ids."""
    return tuple("".join(c for c in text if c.isprintable()) for text in texts)


def _where(due: Due) -> str:
    named = (due.site or due.poi, due.item, f"needed {due.needed}")
    return ", ".join(part for part in (due.action, *named) if part)


def _day(cell: str | None) -> date | None:
    try:
        return date.fromisoformat(cell or "")
    except ValueError:
        return None


def _amount(cell: str | None) -> float | None:
    try:
        return None if cell in (None, "") else float(str(cell))
    except ValueError:
        return float("inf")


def _compare(case: Case, due: Due, row: Mapping[str, str]) -> Iterator[Finding]:
    where = _where(due)
    for column, wanted in (("needed", due.needed), ("do_by", due.do_by)):
        stated = _day(row.get(column))
        if stated is None:
            message = f"{column} {row.get(column)!r} is no date"
            yield Finding(f"actions.{column}", where, 1, "rows", message)
        elif stated != wanted:
            message = f"{column} is {stated}, it must be {wanted}"
            if column == "do_by":
                message += f": {due.needed} less {whole_months(due.months)} months"
            apart = abs((stated - wanted).days)
            yield Finding(f"actions.{column}", where, apart, "days", message)
    late = max(0, (case.scenario.as_of - due.do_by).days)
    for column, right, unit, slack in (
        ("lead_months", whole_months(due.months), "months", 0.0),
        ("late_by_days", late, "days", 0.0),
        ("mw", due.mw, "MW", MW),
        ("musd", due.musd, "MUSD", RELATIVE * max(1.0, abs(due.musd or 0.0))),
    ):
        stated_amount = _amount(row.get(column))
        if (stated_amount is None) != (right is None):
            message = f"{column} is {row.get(column) or 'empty'}, it must be {right}"
            yield Finding(f"actions.{column}", where, abs(right or 0.0), unit, message)
        elif stated_amount is not None and right is not None:
            apart_by = off(stated_amount, right, slack)
            if apart_by:
                message = f"{column} is {stated_amount:,.9g}, it must be {right:,.9g}"
                yield Finding(f"actions.{column}", where, apart_by, unit, message)
