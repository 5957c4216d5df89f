"""The part of a program that one block wrote, as LP text that stays the same on every machine."""

from __future__ import annotations

import math

from sitepick.program import Program


def block_text(program: Program, name: str) -> str:
    """Return columns (cost, bounds) and rows of the families called ``name.*``, by label."""
    matrix = program.matrix
    mine = f"{name}."
    columns = [j for f, x in program.column_families.items() if f.startswith(mine)
               for j in x.indices.ravel()]  # fmt: skip
    rows = [r for f, x in program.row_families.items() if f.startswith(mine)
            for r in x.indices.ravel()]  # fmt: skip
    lines = ["columns"]
    for j in sorted(columns, key=lambda j: program.column_label(int(j))):
        kind = "integer" if matrix.integer[j] else "continuous"
        lines.append(
            f"  {program.column_label(int(j))}: {kind} in "
            f"[{_number(matrix.lower[j])}, {_number(matrix.upper[j])}] "
            f"cost {_number(matrix.cost[j])}"
        )
    lines.append("rows")
    table = matrix.A.tocsr()
    for r in sorted(rows, key=lambda r: program.row_label(int(r))):
        part = table[[r]]
        terms = sorted(
            f"{value:+.7g} {program.column_label(int(j))}"
            for j, value in zip(part.indices, part.data, strict=True)
            if value
        )
        low, high = _number(matrix.row_lower[r]), _number(matrix.row_upper[r])
        lines.append(f"  {program.row_label(int(r))}: {low} <= {' '.join(terms)} <= {high}")
    return "\n".join(lines) + "\n"


def _number(value: float) -> str:
    return ("-inf" if value < 0 else "inf") if math.isinf(value) else f"{value + 0.0:.7g}"
