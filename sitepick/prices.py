"""What binds, and what one more unit of each limit is worth: duals with the integers held."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from sitepick.program import Family, FloatArray, Program
from sitepick.run import Binding
from sitepick.solve.highs import solve_matrix
from sitepick.solve.outcome import Limits

LEAST_MUSD = 1e-3
"""Prices below 1,000 USD per unit are noise of the solver."""


def binding(program: Program, values: FloatArray) -> tuple[Binding, ...]:
    """Return the relaxable limits with a price in the plan ``values`` (n,), dearest first.

    The price is the dual of the LP in which every integer decision of the plan is held: what one
    more unit would save without opening or building anything else.
    """
    matrix = program.matrix
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
    held = replace(
        part.matrix,
        lower=np.where(whole, np.round(here), part.matrix.lower),
        upper=np.where(whole, np.round(here), part.matrix.upper),
    )
    out = solve_matrix(held, Limits(), relax=True, method="simplex")
    if out.certificate is None or not isinstance(out.certificate, np.ndarray):
        return ()
    price = np.zeros(matrix.A.shape[0])
    price[part.rows] = out.certificate
    rows: list[Binding] = []
    for family in program.row_families.values():
        if family.relaxable and not family.name.startswith("demand."):
            rows += _of_family(program, family, price, matrix.row_lower, matrix.row_upper)
    return tuple(sorted(rows, key=lambda b: (-b.price_musd, b.limit, b.where, b.when)))


def _of_family(
    program: Program, family: Family, price: FloatArray, low: FloatArray, high: FloatArray
) -> list[Binding]:
    out = []
    for j in np.flatnonzero(np.abs(price[family.indices]) > LEAST_MUSD):
        row = family.start + int(j)
        names = {
            dim: program.dims[dim][int(key[j])] if dim in program.dims else ""
            for dim, key in family.keys.items()
        }
        when = names.pop("period", names.pop("year", ""))
        amount = high[row] if np.isfinite(high[row]) else low[row]
        where = " ".join(n for n in names.values() if n)
        unit = family.unit
        out.append(Binding(family.name, where, when, float(amount), unit, float(abs(price[row]))))
    return out
