"""Load curves of areas: hourly values of one year, or a load-duration curve.

A file holds one area or several, by a column of names or by one column each. Which column is what
is found by its name unless it is said.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sitepick.layers import values
from sitepick.layers.columns import plain
from sitepick.layers.reading import count_of, some
from sitepick.layers.table import Refused, Table
from sitepick.layers.types import LoadCurve, Source
from sitepick.layers.units import factor, known_unit, split_unit

if TYPE_CHECKING:
    from sitepick.scenario.flexible import Area

YEARS = (8760, 8784)
"""Hours of a year and of a leap year: what a curve must cover."""
_MW = ("mw", "load", "demand", "systemload", "actualload", "totalload", "netload")
_HOURS = ("hours", "duration", "durationhours", "hoursperyear", "nhours")
_AREA = ("area", "region", "zone", "ba", "balancingauthority", "balancingarea", "respondent", "iso")
_TIME = (
    *("time", "date", "hour", "hours", "day", "month", "year", "week", "index", "utc", "local"),
    *("period", "interval", "snapshot", "unnamed", "ending", "dst", "he"),
)


def read_curves(
    path: Path, *, mw: Sequence[str] = (), area: str | None = None, hours: str | None = None
) -> tuple[tuple[LoadCurve, ...], Table]:
    """Return every curve of a file in order of appearance, and the file as it was read.

    ``mw``, ``area``, ``hours`` name columns (any case); what is not named is looked for. With
    several columns of MW each is an area.

    Raises:
        Refused: unreadable, no such column, cells that are no load, or not a year; all at once.
    """
    from sitepick.layers.read import read

    table = read(path)
    names = [str(c) for c in table.frame.columns]
    if not len(table):
        raise Refused("has a header but no rows")
    area_column = _one(names, area, _AREA)
    hours_column = _hours_column(table, names, hours)
    taken = {area_column, hours_column}
    chosen = [_one(names, m, ()) for m in mw] or _load_columns(table, names, taken)
    problems: list[str] = []
    curves: list[LoadCurve] = []
    lasts = None if hours_column is None else _cells(table, hours_column, "h", problems)
    for column in chosen:
        assert column is not None
        load = _cells(table, column, "mw", problems)
        for name, rows in _areas(table, area_column, column, len(chosen) > 1):
            label = name or path.name.split(".")[0]
            span = np.ones(int(rows.sum())) if lasts is None else lasts[rows]
            if not problems:
                problems += _not_a_year(label, span, lasts is None)
            curves.append(LoadCurve(label, load[rows], span, hourly=lasts is None))
    if problems:
        raise Refused("; ".join(dict.fromkeys(problems)))
    dead = [c.name for c in curves if not c.mw.any()]
    if dead:
        raise Refused(f"no load at all in {some(dead)}; is it the right column?")
    return tuple(curves), table


def curve_of(area: Area, base: Path) -> tuple[LoadCurve, Source]:
    """Return the one curve that an area of the scenario names, and its source.

    Raises Refused as `read_curves`, or if the file holds several areas and none or no such is
    named; OSError if it cannot be opened.
    """
    from sitepick.layers.read import locate, sha256_of

    assert area.curve is not None, "an area without a curve has none to read"
    path = locate(area.curve, base)
    found, table = read_curves(path)
    names = [c.name for c in found]
    wanted = area.curve_area
    if wanted is None and len(found) > 1:
        raise Refused(f"holds {len(found)} areas; name one by 'curve_area': {some(names)}")
    same = [c for c in found if wanted is None or plain(c.name) == plain(wanted)]
    if not same:
        raise Refused(f"has no area '{wanted}'; it has {some(names)}")
    digest, size = sha256_of(path)
    rows = int(sum(len(c.mw) for c in found))
    source = Source("curve", area.curve, digest, size, len(table), rows, synthetic=table.synthetic)
    return same[0], source


def _bare(name: str) -> str:
    """Return a column name without unit: ``Load (MW)``, ``load_mw`` and ``Load [GW]`` alike."""
    stem = split_unit(name)[0].replace("(", " ").replace(")", " ").replace("_", " ")
    words = [w for w in stem.split() if known_unit(w) is None] or [stem]
    return plain("".join(words))


def _one(names: list[str], asked: str | None, known: tuple[str, ...]) -> str | None:
    if asked is None:
        return next((n for n in names if _bare(n) in known), None)
    for same in (str, plain, _bare):
        found = [n for n in names if same(n) == same(asked)]
        if found:
            return found[0]
    raise Refused(f"no column '{asked}'; columns are {', '.join(map(repr, names[:20]))}")


def _hours_column(table: Table, names: list[str], asked: str | None) -> str | None:
    found = _one(names, asked, _HOURS)
    if asked is not None or found is None:
        return found
    # in an hourly file such a column counts the hours of the day or of the year
    return None if len(table) >= min(YEARS) else found


def _load_columns(table: Table, names: list[str], taken: set[str | None]) -> list[str | None]:
    free = [n for n in names if n not in taken]
    named = [n for n in free if _bare(n) in _MW or known_unit(n.strip()) == "mw"]
    if len(named) == 1:
        return list(named)
    wide = [n for n in free if not _is_time(n) and _is_number(table, n)]
    if not wide:
        raise Refused(f"no column of MW was found; columns are {', '.join(map(repr, names[:20]))}")
    return list(wide)


def _is_time(name: str) -> bool:
    words = name.casefold().replace("_", " ").replace("(", " ").replace(".", " ").split()
    return any(plain(w).startswith(_TIME) for w in words)


def _is_number(table: Table, name: str) -> bool:
    """Return whether the first filled cells of a column are numbers."""
    filled = [c for c in table.frame[name].to_numpy(object)[:48] if not values.is_null(c)]
    try:
        for cell in filled:
            values.number(cell, comma_decimal=table.comma_decimal)
    except ValueError:
        return False
    return bool(filled)


def _cells(table: Table, name: str, unit: str, problems: list[str]) -> np.ndarray:
    """Return (n,) numbers in ``unit``; blank, wrong and negative cells become problems."""
    out = np.zeros(len(table))
    stated = split_unit(name)[1]
    try:
        scale = factor(stated, unit) if stated is not None else _scale_of(name, unit)
    except ValueError as error:
        problems.append(f"column '{name}': {error}")
        return out
    bad: list[str] = []
    for i, cell in enumerate(table.frame[name].to_numpy(object)):
        where = f"row {table.number[i]}" if table.tabular else f"#{table.number[i]}"
        if values.is_null(cell):
            bad.append(f"blank at {where}")
            continue
        try:
            number, written = values.number(cell, comma_decimal=table.comma_decimal)
            out[i] = number * (factor(written, unit) if written else scale)
        except ValueError as error:
            bad.append(f"{cell!r:.40} at {where}: {error}")
            continue
        if out[i] < 0 or out[i] != out[i]:
            bad.append(f"{number:g} at {where} is below 0")
    if bad:
        problems.append(
            f"column '{name}': {count_of(len(bad), 'cell')} that cannot be ({some(bad)})"
        )
    return out


def _scale_of(name: str, unit: str) -> float:
    """Return the factor of a unit that stands as a word in the name (``load_gw``), else 1."""
    words = name.replace("(", " ").replace(")", " ").replace("_", " ").split()
    known = [known for w in words[1:] if (known := known_unit(w)) in ("kw", "mw", "gw", "h")]
    return factor(known[-1], unit) if known else 1.0


def _areas(table: Table, area: str | None, column: str, wide: bool) -> list[tuple[str, np.ndarray]]:
    """Return (name, rows (n,) bool) of the areas in one column of MW; '' for the only one."""
    every = np.ones(len(table), dtype=bool)
    own = values.clean_text(column) if wide else ""
    if area is None:
        return [(own, every)]
    texts = [values.clean_text(c) for c in table.frame[area].to_numpy(object)]
    cells = np.array(texts, dtype=object)
    joined = f" {own}" if own else ""
    return [(f"{name}{joined}", cells == name) for name in dict.fromkeys(texts)]


def _not_a_year(name: str, span: np.ndarray, hourly: bool) -> list[str]:
    total = float(span.sum())
    if (hourly and total in YEARS) or (not hourly and YEARS[0] - 1 <= total <= YEARS[1] + 1):
        return []
    if hourly:
        return [
            f"'{name}' has {total:,.0f} hourly values, a year has {YEARS[0]:,} or {YEARS[1]:,} "
            "(an hour lost or doubled when clocks change? fill it in); "
            "a load-duration curve needs a column hours"
        ]
    return [f"the hours of '{name}' sum to {total:,.6g}, a year has {YEARS[0]:,} or {YEARS[1]:,}"]
