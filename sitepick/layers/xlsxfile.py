"""XLSX sheets, read as values."""

from __future__ import annotations

import re
import warnings
import zipfile
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from sitepick.layers import limits
from sitepick.layers.archive import check_zip
from sitepick.layers.reading import count_of
from sitepick.layers.table import Refused, Table, object_array, unique_names

MAX_CELLS = 20_000_000
"""Largest span of a sheet, rows x columns."""
NO_VALUE = ("#N/A", "#N/A N/A", "#NULL!")


def read_xlsx(path: Path, sheet: str | None) -> Table:
    """Return the rows of one sheet below its header; ``number`` is the sheet row.

    The header is the first row with at least two texts and no number; what stands above (titles)
    is skipped with a remark. Formulas are read as the values that were stored with them.

    Raises:
        Refused: no such sheet, no header, formulas without stored values, cells in error.
    """
    import openpyxl

    try:
        with zipfile.ZipFile(path) as archive:
            check_zip(archive)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            book = openpyxl.load_workbook(path, read_only=False, data_only=True)
            plain = openpyxl.load_workbook(path, read_only=False) if _formulas(path) else None
    except Refused:
        raise
    except Exception as error:  # openpyxl raises whatever its XML parts raise
        raise Refused(f"is an XLSX file that does not open ({error}); save it again") from None
    names = book.sheetnames
    if not names:
        raise Refused("is a workbook without sheets; save it again")
    if sheet is not None and sheet not in names:
        raise Refused(f"has no sheet {sheet!r}; its sheets are {', '.join(map(repr, names))}")
    page = book[sheet] if sheet else book[names[0]]
    if not hasattr(page, "iter_rows"):
        raise Refused(f"sheet {page.title!r} is a chart, not a table; name one by `sheet:`")
    # a stray format can make a sheet a million rows long, so only cells with values count
    used = [at for at, cell in page._cells.items() if cell.value is not None]
    height, width = (max((at[k] for at in used), default=0) for k in (0, 1))
    if height * width > MAX_CELLS:
        raise Refused(
            f"sheet {page.title!r} spans {height:,} rows by {width:,} columns, more than "
            f"{MAX_CELLS:,} cells (sitepick.layers.xlsxfile.MAX_CELLS); delete the stray cells"
        )
    rows = (
        [list(row) for row in page.iter_rows(max_row=height, max_col=width, values_only=True)]
        if used
        else []
    )
    if (problem := limits.too_many(len(rows))) is not None:
        raise Refused(problem)
    top = _header_row(rows)
    if top is None:
        raise Refused(f"sheet {page.title!r} has no header row (a row of column names)")
    if plain is not None:
        _refuse_unsaved_formulas(plain[page.title], rows, top)
    table = _table(rows, top)
    if len(names) > 1 and sheet is None:
        others = ", ".join(map(repr, names[1:]))
        text = f"read sheet {page.title!r}; `sheet:` names another ({others})"
        table.remarks.append(("first_sheet", text, 0))
    skipped = sum(any(c is not None for c in row) for row in rows[:top])
    if skipped:
        text = f"{count_of(skipped, 'line')} above the header in row {top + 1} skipped"
        table.remarks.append(("title_rows", text, skipped))
    return table


def _formulas(path: Path) -> bool:
    with zipfile.ZipFile(path) as archive:
        sheets = [n for n in archive.namelist() if n.startswith("xl/worksheets/")]
        return any(re.search(rb"<f[ >/]", archive.read(n)) for n in sheets)


def _refuse_unsaved_formulas(page: Any, rows: list[list[Any]], top: int) -> None:
    empty = [
        cell.coordinate
        for row in page.iter_rows(min_row=top + 2)
        for cell in row
        if cell.data_type == "f" and rows[cell.row - 1][cell.column - 1] is None
    ]
    if empty:
        raise Refused(
            f"{len(empty)} formulas have no stored value (first: {', '.join(empty[:3])}); "
            "open the file in Excel or LibreOffice, save it, or paste values"
        )


def _header_row(rows: list[list[Any]]) -> int | None:
    for i, row in enumerate(rows[:50]):
        cells = [c for c in row if c is not None and str(c).strip()]
        if len(cells) >= 2 and all(isinstance(c, str) for c in cells):
            return i
    return None


def _table(rows: list[list[Any]], top: int) -> Table:
    body = rows[top + 1 :]
    used = [
        j
        for j, name in enumerate(rows[top])
        if (name is not None and str(name).strip()) or any(r[j] is not None for r in body)
    ]
    header = [" ".join(str(rows[top][j] or f"column {j + 1}").split()) for j in used]
    header, repeated = unique_names(header)
    kept = [(i, r) for i, r in enumerate(body) if any(r[j] is not None for j in used)]
    broken = [
        f"{r[j]} in row {top + 2 + i}"
        for i, r in kept
        for j in used
        if isinstance(r[j], str) and r[j].startswith("#") and r[j].rstrip("!?").isupper()
        if r[j] not in NO_VALUE and r[j].endswith(("!", "?"))
    ]
    if broken:
        raise Refused(f"{len(broken)} cells hold errors ({', '.join(broken[:3])}); mend them")
    data = {
        h: pd.Series(object_array([_value(r[j]) for _, r in kept]), dtype=object)
        for h, j in zip(header, used, strict=True)
    }
    number = np.array([top + 2 + i for i, _ in kept], dtype=np.int64)
    table = Table(frame=pd.DataFrame(data), geometry=None, number=number, tabular=True)
    if repeated:
        text = f"column names given twice: {', '.join(repeated)}; later ones are called NAME.2"
        table.remarks.append(("repeated_column", text, len(repeated)))
    return table


def _value(cell: Any) -> Any:
    if isinstance(cell, datetime):
        return cell.date() if cell.time() == datetime.min.time() else cell
    if isinstance(cell, (bool, int, float, date)) or cell is None:
        return cell
    text = str(cell)
    return None if text.strip() in NO_VALUE or not text.strip() else text
