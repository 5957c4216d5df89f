"""What binds, and what one more unit of each limit is worth: duals with the integers held."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from sitepick.blocks.deliverability import JOINT
from sitepick.program import Family, FloatArray, Matrix, Program
from sitepick.run import Binding
from sitepick.solve.highs import solve_matrix
from sitepick.solve.outcome import Limits

_TOLD_ELSEWHERE = ("demand.", f"{JOINT}#")
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
    spare = np.zeros(matrix.A.shape[0], dtype=bool)
    for family in program.row_families.values():
        spare[family.indices] = family.redundant
    matrix = replace(
        matrix,
        row_lower=np.where(spare, -np.inf, matrix.row_lower),
        row_upper=np.where(spare, np.inf, matrix.row_upper),
    )
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


def _of_family(
    program: Program, family: Family, price: FloatArray, limit: FloatArray
) -> list[Binding]:
    out = []
    for j in np.flatnonzero(np.abs(price[family.indices]) > LEAST_MUSD):
        row = family.start + int(j)
        names = {
            dim: program.dims[dim][int(key[j])] if dim in program.dims else ""
            for dim, key in family.keys.items()
        }
        when = names.pop("period", names.pop("year", ""))
        where = " ".join(n for n in names.values() if n)
        unit = family.unit
        out.append(
            Binding(family.name, where, when, float(limit[row]), unit, float(abs(price[row])))
        )
    return out
