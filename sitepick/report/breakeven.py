"""Unit costs and break-evens as a table, and as a sheet."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from sitepick.exports.sheet import Field, Sheet, plain
from sitepick.report.tables import Cell, Column, Report, Table

if TYPE_CHECKING:
    from sitepick.studies.breakeven import Figure

_YEAR = re.compile(r" \(real, (\d+)\)")
_FIELDS = (
    Field("figure", "", "text", "name of the figure"),
    Field("value", "see unit", "number", "the figure; of an interval its middle or best estimate"),
    Field("from", "see unit", "number", "low end of what is known; equal to value where exact"),
    Field("to", "see unit", "number", "high end of what is known"),
    Field("unit", "", "text", "unit of the three"),
    Field("meaning", "", "text", "definition, or why there is no figure"),
)
_NAMES = {
    "npc_per_it_mw_year": "NPC per IT MW-year",
    "npc_per_it_kw_month": "NPC per IT kW-month",
    "npc_per_ref_mw_year": "NPC per ref_mw-year",
    "npc_per_ref_kw_hour": "NPC per reference-hour",
    "price_below": "Less work is served below",
    "price_above": "More work is served above",
    "year_earlier_saves": "A year earlier saves",
    "year_earlier_per_mwh": "A year earlier is worth",
}


def breakeven_sheet(figures: Sequence[Figure]) -> Sheet:
    """Return the figures as a sheet."""
    rows = [
        {"figure": f.name, "value": plain(f.value), "from": plain(f.low), "to": plain(f.high),
         "unit": f.unit, "meaning": f.meaning}
        for f in figures
    ]  # fmt: skip
    return Sheet("breakeven", "unit costs and break-evens of a plan", _FIELDS, rows)


def breakeven_report(figures: Sequence[Figure], run: str) -> Report:
    """Return the figures as a table, their definitions below it."""
    rows: list[tuple[Cell, ...]] = [
        (_NAMES[f.name], _text(f.value), _range(f), _YEAR.sub("", f.unit)) for f in figures
    ]
    columns = (
        Column("Figure", align="left"), Column("value"), Column("known to lie in"),
        Column("unit", align="left"),
    )  # fmt: skip
    notes = [f"{_NAMES[f.name]}: {_YEAR.sub('', f.meaning)}" for f in figures]
    table = Table("Unit costs and break-evens", columns, tuple(rows), "\n".join(notes))
    years = [found[1] for f in figures if (found := _YEAR.search(f.unit))]
    money = f"; money is real, of {years[0]}" if years else ""
    return Report((f"{run}: unit costs and break-evens{money}",), (table,), {})


def _text(value: float | None) -> str:
    return "none" if value is None else f"{value:,.4g}" if abs(value) < 1e4 else f"{value:,.0f}"


def _range(figure: Figure) -> str:
    if figure.low == figure.high == figure.value:
        return ""
    low, high = figure.low, figure.high
    if high is None:
        return f"above {_text(low)}"
    return f"{_text(low)} to {_text(high)}"
