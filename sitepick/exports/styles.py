"""How each layer looks on a map: one description, written as QML, SLD, KML and in QGIS projects.

Colours are those of Okabe and Ito, which colour-blind readers tell apart; what differs in kind
differs in shape or width too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sitepick.exports.sheet import Sheet

Mark = Literal["circle", "square", "diamond", "triangle", "star", "cross"]
How = Literal["single", "category", "range", "rule"]


@dataclass(frozen=True)
class Symbol:
    """Look of one feature. What it is drawn as (mark, line, area) follows from the sheet's shape.

    ``size_mm`` is the diameter of a mark, the width of a line, the width of an outline.
    """

    colour: str  # #rrggbb
    size_mm: float
    mark: Mark = "circle"
    outline: str = "#ffffff"
    opacity: float = 1.0  # of the fill of an area or a mark
    dashed: bool = False


@dataclass(frozen=True)
class Class:
    """Features drawn alike: those of a value, or from ``low`` up to below ``high``.

    Of a style by rule, a class without ``low`` and ``high`` is that of unknown values.
    """

    label: str
    symbol: Symbol
    value: str | None = None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Style:
    """How a layer looks. ``column`` is what its classes are of; labels come from ``label``."""

    title: str
    how: How
    classes: tuple[Class, ...]
    column: str = ""
    label: str = ""  # column; empty: no labels
    shown: bool = True  # when a project opens


_STATUS = {
    "chosen": Symbol("#0072b2", 3.4, "circle"),
    "existing": Symbol("#e69f00", 3.4, "square"),
    "blocked": Symbol("#d55e00", 2.4, "triangle"),
    "not chosen": Symbol("#56b4e9", 2.0, "circle"),
    "not_chosen": Symbol("#56b4e9", 2.0, "circle"),
    "rejected": Symbol("#8a8f98", 1.8, "cross"),
}
_OTHER = tuple(Symbol(c, 2.4, "diamond") for c in ("#cc79a7", "#009e73", "#f0e442", "#000000"))
_MOST = 12
"""Values that a legend can hold; a column with more of them is free text."""

_IT_MW = (0.0, 50.0, 100.0, 200.0, 400.0, 800.0, 1e6)
_SIZES_MM = (2.6, 3.6, 4.8, 6.2, 7.8, 9.6)
_HEADROOM = (
    Class("unknown", Symbol("#ffffff", 1.2, outline="#7a6a86")),
    Class("none", Symbol("#e3d9ee", 1.2), low=-1e9, high=1e-9),
    Class("up to 100 grid MW", Symbol("#c2a5cf", 1.6), low=1e-9, high=100.0),
    Class("100 to 300 grid MW", Symbol("#9970ab", 2.0), low=100.0, high=300.0),
    Class("300 grid MW and more", Symbol("#5a2a77", 2.4), low=300.0, high=1e9),
)
_KV = (
    Class("unknown kV", Symbol("#b3bac4", 0.2, dashed=True)),
    Class("below 100 kV", Symbol("#b3bac4", 0.2), low=-1.0, high=100.0),
    Class("100 to below 200 kV", Symbol("#9aa2ae", 0.26), low=100.0, high=200.0),
    Class("200 to below 300 kV", Symbol("#7b8391", 0.4), low=200.0, high=300.0),
    Class("300 to below 450 kV", Symbol("#565e6b", 0.5), low=300.0, high=450.0),
    Class("450 kV and more", Symbol("#2b313b", 0.66), low=450.0, high=1e4),
)
_REGION_MW = (
    Class("unknown", Symbol("#ffffff", 0.2, outline="#9aa2ae", opacity=0.0)),
    Class("no IT MW of the plan", Symbol("#ffffff", 0.2, outline="#9aa2ae", opacity=0.0),
          low=-1.0, high=1e-9),
    Class("up to 250 IT MW", Symbol("#f0e442", 0.3, outline="#6b7380", opacity=0.1),
          low=1e-9, high=250.0),
    Class("250 IT MW and more", Symbol("#e69f00", 0.3, outline="#6b7380", opacity=0.14),
          low=250.0, high=1e9),
)  # fmt: skip

_OFTEN = (
    Class("in fewer than a third of the plans", Symbol("#b9d7ea", 2.4, outline="#1b1f24"),
          low=0.0, high=33.4),
    Class("in a third to two thirds", Symbol("#56b4e9", 3.4, outline="#1b1f24"),
          low=33.4, high=66.7),
    Class("in most plans", Symbol("#0072b2", 4.4, outline="#1b1f24"), low=66.7, high=99.99),
    Class("in every plan", Symbol("#d55e00", 5.4, "diamond", outline="#1b1f24"),
          low=99.99, high=101.0),
)  # fmt: skip
_SERVICE = ("#0072b2", "#d55e00", "#cc79a7", "#009e73", "#56b4e9", "#e69f00", "#000000")
_USE = (
    Class("no capacity at the horizon's end", Symbol("#b3bac4", 1.2, dashed=True)),
    Class("used below a third", Symbol("#cfe3c8", 2.0), low=-1.0, high=100 / 3),
    Class("a third to two thirds", Symbol("#9fcf92", 2.4), low=100 / 3, high=200 / 3),
    Class("two thirds to 95 %", Symbol("#f0c75e", 2.8), low=200 / 3, high=95.0),
    Class("95 % and more", Symbol("#e69f00", 3.2), low=95.0, high=1e9),
)
_LATE = (
    Class("in time", Symbol("#009e73", 2.2, "square"), low=0.0, high=1.0),
    Class("late", Symbol("#d55e00", 3.0, "triangle"), low=1.0, high=1e9),
)

LAYERS = {
    "sites": "Sites of the plan (IT MW at the horizon's end)",
    "grid_limits": "Lines that limit the plan",
    "links": "Ties from site to POI",
    "fiber_links": "Links of campus groups and services",
    "fiber_edges": "Fiber edges in use, by use at peaks",
    "grid_pois": "POIs of the plan (grid study)",
    "candidates": "Candidates by verdict",
    "site_frequency": "Sites by how many plans open them",
    "stress_sites": "Sites by how many futures use them",
    "actions": "To do, at the site or POI",
    "sites_by_period": "Sites by period (IT MW)",
    "substations": "Substations (POIs) by headroom",
    "fiber": "Fiber routes",
    "lines": "Transmission lines by kV",
    "regions": "Regions by IT MW",
}
"""Layers from top to bottom of a map, with their names for people."""
TABLES = {
    "alternatives": "Plans at nearly the cost of the best",
    "stress": "The plan in each future",
    "stress_stranded": "What is paid for and idle, by future",
    "stress_lost": "Decisions that a future does not allow",
    "stress_groups": "Campus groups in each future",
    "pareto": "Cost against what is traded for it",
    "run_info": "About this plan",
    "cash": "Capital by year",
    "verdicts": "Verdict on every place",
    "limits": "Limits: what binds, and its price",
    "letters": "Utility letters",
    "onsite": "On-site power",
    "nonfirm": "Flexible connections",
    "campus_groups": "Campus groups",
    "campus_members": "Sites of campus groups",
    "fiber_edges_by_period": "Fiber edges by period",
    "handovers": "Handovers of prefill to decode",
    "notes": "Notes on the inputs",
    "grid_states": "Grid: conditions and periods",
    "grid_upgrades": "Grid: line upgrades",
    "grid_excused": "Grid: excused overloads",
    "grid_dispatch": "Grid: dispatch",
}


def title_of(name: str) -> str:
    """Return the name of a layer or table for people."""
    return {**LAYERS, **TABLES}.get(name) or name.replace("_", " ").capitalize()


def style_of(sheet: Sheet) -> Style | None:
    """Return how a sheet looks on a map; None for one without geometry."""
    if sheet.shape is None:
        return None
    title, columns = title_of(sheet.name), {f.name for f in sheet.fields}
    if sheet.name == "candidates":
        return _candidates(sheet, title, columns)
    if sheet.name == "fiber_links" and _few(sheet, "service"):
        return _by_service(sheet, title)
    by = _CLASSED.get(sheet.name)
    if by is not None and by.column in columns:
        label = by.label if by.label in columns else ""
        return Style(title, by.how, by.classes, by.column, label, by.shown)
    return Style(title, "single", (Class(title, _SINGLE.get(sheet.name, _PLAIN)),))


def _candidates(sheet: Sheet, title: str, columns: set[str]) -> Style:
    """Return the style by verdict, or by status where no verdict was made."""
    column = "verdict" if "verdict" in columns and _few(sheet, "verdict") else "status"
    found = {row[column] for row in sheet.rows} - {None}
    known = [value for value in _STATUS if value in found]
    others = sorted(found - _STATUS.keys())
    symbols = [_STATUS[value] for value in known]
    symbols += [_OTHER[i % len(_OTHER)] for i in range(len(others))]
    classes = tuple(
        Class(value.replace("_", " "), symbol, value)
        for value, symbol in zip([*known, *others], symbols, strict=True)
    )
    return Style(title, "category", classes, column)


def _by_service(sheet: Sheet, title: str) -> Style:
    """Return the style of links: a colour for each group, service or split."""
    found = sorted({row["service"] for row in sheet.rows})
    classes = tuple(
        Class(value, Symbol(_SERVICE[i % len(_SERVICE)], 0.9), value)
        for i, value in enumerate(found)
    )
    return Style(title, "category", classes, "service")


def _few(sheet: Sheet, column: str) -> bool:
    return 0 < len({row[column] for row in sheet.rows} - {None}) <= _MOST


def _by_mw() -> tuple[Class, ...]:
    steps = zip(_IT_MW[:-1], _IT_MW[1:], _SIZES_MM, strict=True)
    return tuple(
        Class(
            f"{low:,.0f} to {high:,.0f} IT MW"
            if high < _IT_MW[-1]
            else f"{low:,.0f} IT MW and more",
            Symbol("#0072b2", size, outline="#1b1f24", opacity=0.85),
            low=low,
            high=high,
        )
        for low, high, size in steps
    )


_PLAIN = Symbol("#0072b2", 2.0)
_SINGLE = {
    "links": Symbol("#1b1f24", 0.5),
    "fiber_links": Symbol("#0072b2", 0.9),
    "fiber": Symbol("#009e73", 0.3, dashed=True),
    "grid_limits": Symbol("#d55e00", 1.1),
    "grid_pois": Symbol("#cc79a7", 3.0, "diamond"),
}
_CLASSED = {
    "sites": Style("", "range", _by_mw(), "it_mw", "name"),
    "sites_by_period": Style("", "range", _by_mw(), "it_mw", shown=False),
    "site_frequency": Style("", "range", _OFTEN, "plans_pct", "name"),
    "actions": Style("", "rule", _LATE, "late_by_days", shown=False),
    "fiber_edges": Style("", "rule", _USE, "peak_use_pct"),
    "substations": Style("", "rule", _HEADROOM, "headroom_mw"),
    "headroom": Style("", "rule", _HEADROOM, "headroom_mw"),
    "lines": Style("", "rule", _KV, "kv"),
    "regions": Style("", "rule", _REGION_MW, "it_mw"),
}
