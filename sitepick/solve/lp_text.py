"""A program as text: an LP file made for reading and for comparing, one line per row.

Rows and columns come family by family in the order in which they were added, under their labels,
so two texts differ only where the programs do. Brackets mean products in LP files: a label's become
round.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from sitepick.matrix import FloatArray
from sitepick.program import Program

_FOREIGN = re.compile(r"[^A-Za-z0-9_.(),]+")


def lp_text(program: Program, rows: Iterable[str] | None = None) -> str:
    """Return ``program`` in LP format; ``rows`` keeps only the row families so named.

    A row with two finite sides appears once for each, ``.low`` and ``.high``. Units are comments.
    Raises KeyError for an unknown row family.
    """
    matrix = program.matrix
    wanted = list(program.row_families) if rows is None else list(rows)
    lines = ["\\ minimise; units are those of each family", "minimize"]
    priced = np.flatnonzero(matrix.cost)
    objective = _sum(program, priced, matrix.cost[priced])
    constant = f" {matrix.offset:+.9g}" if matrix.offset else ""
    lines += [f"  cost: {objective}{constant}", "subject to"]
    for name in wanted:
        family = program.row_families[name]
        if not family.size:
            continue
        lines.append(f"\\ {name} ({family.unit})")
        for i in family.indices:
            at = slice(matrix.A.indptr[i], matrix.A.indptr[i + 1])
            order = np.argsort(matrix.A.indices[at], kind="stable")
            text = _sum(program, matrix.A.indices[at][order], matrix.A.data[at][order])
            label = _plain(program.row_label(int(i)))
            low, high = float(matrix.row_lower[i]), float(matrix.row_upper[i])
            if low == high:
                lines.append(f"  {label}: {text} = {low:.9g}")
                continue
            both = math.isfinite(low) and math.isfinite(high)
            if math.isfinite(low):
                lines.append(f"  {label}{'.low' if both else ''}: {text} >= {low:.9g}")
            if math.isfinite(high):
                lines.append(f"  {label}{'.high' if both else ''}: {text} <= {high:.9g}")
    lines.append("bounds")
    for name, family in program.column_families.items():
        if not family.size:
            continue
        lines.append(f"\\ {name} ({family.unit})")
        for j in family.indices:
            label = _plain(program.column_label(int(j)))
            lines.append(f"  {matrix.lower[j]:.9g} <= {label} <= {matrix.upper[j]:.9g}")
    whole = np.flatnonzero(matrix.integer)
    if len(whole):
        lines.append("general")
        lines += [f"  {_plain(program.column_label(int(j)))}" for j in whole]
    return "\n".join([*lines, "end", ""])


def _sum(program: Program, columns: npt.NDArray[np.signedinteger], values: FloatArray) -> str:
    terms = [
        f"{value:+.9g} {_plain(program.column_label(int(j)))}"
        for j, value in zip(columns, values, strict=True)
    ]
    return " ".join(terms) if terms else "0"


def _plain(label: str) -> str:
    return _FOREIGN.sub("_", label.replace("[", "(").replace("]", ")"))
