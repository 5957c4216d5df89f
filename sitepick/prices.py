"""What binds, and what one more unit of each limit is worth: duals with the integers held."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from sitepick.blocks.deliverability import JOINT
from sitepick.matrix import BoolArray, FloatArray, Matrix
from sitepick.program import Family, Program
from sitepick.run import Binding, LimitUse
from sitepick.solve.highs import solve_matrix
from sitepick.solve.outcome import Limits
from sitepick.words import LETTER, REACH

_TOLD_ELSEWHERE = ("demand.", f"{JOINT}#")
_TINY = 1e-6
LEAST_MUSD = 1e-3
"""Prices below 1,000 USD per unit are noise of the solver."""


def row_prices(
    program: Program,
    values: FloatArray,
    row_upper: FloatArray | None = None,
    *,
    held: bool = True,
) -> FloatArray | None:
    """Return (m,) the dual of each row with every integer of the plan ``values`` (n,) held.

    ``row_upper`` (m,) replaces the program's. With ``held`` false integers are free to be
    fractions at the owners of the plan: what limits, whatever is built there. None when that linear
    program gives none.
    """
    matrix = program.matrix
    if row_upper is not None:
        matrix = replace(matrix, row_upper=row_upper)
    used = np.unique(matrix.owner[(np.abs(values) > 1e-9) & (matrix.owner >= 0)])
    matrix = without_spare_rows(program, matrix)
    part = matrix.take(used)
    here = values[part.columns]
    whole = part.matrix.integer
    fixed = part.matrix
    if held:
        fixed = replace(
            fixed,
            lower=np.where(whole, np.round(here), fixed.lower),
            upper=np.where(whole, np.round(here), fixed.upper),
        )
    out = solve_matrix(fixed, Limits(), relax=True, method="simplex")
    if out.certificate is None or not isinstance(out.certificate, np.ndarray):
        return None
    price = np.zeros(matrix.A.shape[0])
    price[part.rows] = out.certificate
    return price


def without_spare_rows(program: Program, matrix: Matrix) -> Matrix:
    """Return ``matrix`` without limits on rows that whole numbers alone imply: their prices would
    be of no limit that a planner can move."""
    spare = np.zeros(matrix.A.shape[0], dtype=bool)
    for family in program.row_families.values():
        spare[family.indices] = family.redundant
    return replace(
        matrix,
        row_lower=np.where(spare, -np.inf, matrix.row_lower),
        row_upper=np.where(spare, np.inf, matrix.row_upper),
    )


def binding(program: Program, values: FloatArray, price: FloatArray) -> tuple[Binding, ...]:
    """Return the relaxable limits with a price in the plan ``values`` (n,), dearest first.

    The price is `row_prices` (m,): what one more unit would save without opening or building
    anything else. Lazy rows of the grid are told line by line elsewhere (`dispatch.result`).
    """
    limit = _limits(program.matrix, values)
    price = np.where(np.isnan(limit), 0.0, price)
    rows: list[Binding] = []
    for family in program.row_families.values():
        if family.relaxable and not family.name.startswith(_TOLD_ELSEWHERE):
            rows += _of_family(program, family, price, limit)
    return tuple(sorted(rows, key=lambda b: (-b.price_musd, b.limit, b.where, b.when)))


def _limits(matrix: Matrix, values: FloatArray) -> FloatArray:
    """Return (m,) each row's limit in its unit; nan where the thing it limits is not there.

    A row such as ``MW <= cap * tie`` has its limit in a held integer: cap where the tie stands,
    nothing to price where it does not.
    """
    stated = np.where(np.isfinite(matrix.row_upper), matrix.row_upper, matrix.row_lower)
    whole = matrix.integer
    held = -(matrix.A @ np.where(whole, np.round(values), 0.0))
    switched = (abs(matrix.A) @ whole.astype(float) > 0) & (stated == 0)
    return np.where(switched, np.where(np.abs(held) > 1e-9, held, np.nan), stated)


def limit_uses(
    program: Program,
    values: FloatArray,
    held: FloatArray | None,
    lp: FloatArray,
    reached: BoolArray,
) -> tuple[LimitUse, ...]:
    """Return every limit that the plan ``values`` (n,) uses or that has a price, by family and key.

    ``held`` and ``lp`` (m,) are the duals of the two kinds of price. Lazy rows of the grid and
    demand are told elsewhere; letters and places out of reach, which have no row, are added.
    ``reached`` (workloads, places): whether some candidate could serve the work there.
    """
    matrix = program.matrix
    amount, used = _limits(matrix, values), _used(program, values)
    room = program.row_families.get("headroom.limit")
    if room is not None:  # what letters and steps can bring is part of the limit
        here = matrix.A[room.indices].tocsr()
        most = np.where(matrix.integer, values, _takeable(program, values))
        supply = here.copy()
        supply.data = np.minimum(supply.data, 0.0)
        amount[room.indices] = matrix.row_upper[room.indices] - supply @ most
        used[room.indices] = (here - supply) @ values
    out: list[LimitUse] = []
    for family in program.row_families.values():
        told = family.name.startswith(_TOLD_ELSEWHERE)
        if not family.relaxable or family.redundant or told:
            continue
        at = family.indices
        prices = [None if y is None else np.abs(y[at]) for y in (lp, held)]
        least = ~np.isfinite(matrix.row_upper[at])
        some = np.abs(used[at]) > _TINY
        for p in prices:
            some = some if p is None else some | (p > LEAST_MUSD)
        for j in np.flatnonzero(some & np.isfinite(amount[at])):
            out.append(
                _use(program, family, int(j), amount[at[j]], used[at[j]], prices, bool(least[j]))
            )
    return (*out, *_letters(program, values, held, lp), *_out_of_reach(program, values, reached))


def _takeable(program: Program, values: FloatArray) -> FloatArray:
    """Return (n,) the most of each column: nothing of letters whose upgrade is not accepted."""
    most = program.matrix.upper.copy()
    take, accept = program.columns_of("headroom.take"), program.columns_of("headroom.accept")
    if take is not None and accept is not None:
        refused = accept.keys["offer"][values[accept.indices] < 0.5]
        most[take.indices[np.isin(take.keys["offer"], refused)]] = 0.0
    return most


def _used(program: Program, values: FloatArray) -> FloatArray:
    """Return (m,) what is used of each row's limit; money carried over is not spent."""
    matrix = program.matrix
    kept = program.columns_of("budget.unspent")
    spent = values.copy()
    if kept is not None:
        spent[kept.indices] = 0.0
    whole = np.where(matrix.integer, np.round(values), 0.0)
    stated = np.where(np.isfinite(matrix.row_upper), matrix.row_upper, matrix.row_lower)
    switched = (abs(matrix.A) @ matrix.integer.astype(float) > 0) & (stated == 0)
    return np.asarray(matrix.A @ spent - np.where(switched, matrix.A @ whole, 0.0))


def _letters(
    program: Program, values: FloatArray, held: FloatArray | None, lp: FloatArray
) -> list[LimitUse]:
    family, matrix = program.columns_of("headroom.take"), program.matrix
    if family is None:
        return []
    at, most = family.indices, _takeable(program, values)
    prices = [
        None if y is None else np.maximum(0.0, matrix.A[:, at].T @ y - matrix.cost[at])
        for y in (lp, held)
    ]
    some = values[at] > _TINY
    for p in prices:
        some = some if p is None else some | (p > LEAST_MUSD)
    return [
        replace(
            _use(program, family, int(j), most[at[j]], values[at[j]], prices, False),
            limit=LETTER,
        )
        for j in np.flatnonzero(some)
    ]


def _out_of_reach(program: Program, values: FloatArray, reached: BoolArray) -> list[LimitUse]:
    """Return the work turned away that no candidate could serve."""
    short = program.column_families["demand.turned_away"]
    balance = program.row_families.get("demand.balance")
    if balance is None:  # work is for all places in reach at once: no row of theirs to look at
        alone = ~reached[short.keys["workload"], short.keys["place"]]
    else:
        alone = np.diff(program.matrix.A[balance.indices].indptr) == 1
    away = values[short.indices]
    return [
        replace(
            _use(program, short, int(j), 0.0, away[j], [None, None], False),
            limit=REACH,
        )
        for j in np.flatnonzero(alone & (away > _TINY))
    ]


def _use(
    program: Program,
    family: Family,
    j: int,
    amount: float,
    used: float,
    prices: list[FloatArray | None],
    least: bool,
) -> LimitUse:
    where, when = _names(program, family, j)
    lp, held = (None if p is None else float(p[j]) for p in prices)
    return LimitUse(
        family.name, where, when, float(amount), float(used), family.unit, least, lp, held
    )


def _names(program: Program, family: Family, j: int) -> tuple[str, str]:
    """Return what entry ``j`` of a family is a limit of, and its date."""
    names = {
        dim: program.dims[dim][int(key[j])] if dim in program.dims else ""
        for dim, key in family.keys.items()
    }
    when = names.pop("period", names.pop("year", ""))
    return " ".join(n for n in names.values() if n), when


def _of_family(
    program: Program, family: Family, price: FloatArray, limit: FloatArray
) -> list[Binding]:
    out = []
    for j in np.flatnonzero(np.abs(price[family.indices]) > LEAST_MUSD):
        row = family.start + int(j)
        where, when = _names(program, family, int(j))
        unit = family.unit
        out.append(
            Binding(family.name, where, when, float(limit[row]), unit, float(abs(price[row])))
        )
    return out
