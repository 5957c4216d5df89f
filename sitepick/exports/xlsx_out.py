"""One XLSX workbook: summary, sites, cash, candidates with reasons, letters, notes, dictionary.

Text is stored as text, never as a formula. The file holds no clock: equal plans give equal bytes.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any

from sitepick.exports.sheet import Field, Sheet, dump_json

_MOST_ROWS = 1_048_575  # below the header
_MOST_CHARACTERS = 32_767
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the oldest date that a zip archive can hold
_CLOCK = re.compile(rb"(<dcterms:(created|modified)[^>]*>)[^<]*(</dcterms:(?:created|modified)>)")
_WIDTH = {"text": 18, "json": 30, "number": 13, "integer": 10, "boolean": 10, "date": 12}
_FORMAT = {"number": "#,##0.0##", "integer": "0", "date": "yyyy-mm-dd"}


def write_xlsx(sheets: Iterable[Sheet], path: Path) -> None:
    """Write sheets to one workbook. Raises ValueError if a sheet exceeds what XLSX can hold."""
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    for sheet in sheets:
        if len(sheet.rows) > _MOST_ROWS:
            raise ValueError(f"sheet {sheet.name}: {len(sheet.rows):,} rows do not fit into XLSX")
        _write_sheet(book, sheet)
    raw = io.BytesIO()
    book.save(raw)
    path.write_bytes(_without_clock(raw.getvalue()))


def _write_sheet(book: Any, sheet: Sheet) -> None:
    from openpyxl.styles import Font
    from openpyxl.utils import get_column_letter

    page = book.create_sheet(title=sheet.name.replace("_", " ")[:31])
    page.freeze_panes = "A2"
    for i, field in enumerate(sheet.fields, start=1):
        wide = 60 if field.name in ("why", "message", "meaning", "value") else _WIDTH[field.kind]
        page.column_dimensions[get_column_letter(i)].width = max(wide, len(field.name) + 2)
    bold = Font(bold=True)
    header = [_text_cell(page, f.name) for f in sheet.fields]
    for cell in header:
        cell.font = bold
    page.append(header)
    for row in sheet.rows:
        page.append([_cell(page, row[f.name], f) for f in sheet.fields])
    if sheet.rows:
        last = get_column_letter(len(sheet.fields))
        page.auto_filter.ref = f"A1:{last}{len(sheet.rows) + 1}"


def _cell(page: Any, value: Any, field: Field) -> Any:
    from openpyxl.cell import WriteOnlyCell

    if value is None:
        return None
    if isinstance(value, list):
        return _text_cell(page, dump_json(value) if value else "")
    if field.kind == "date":
        value = date.fromisoformat(value)
    elif isinstance(value, str):
        return _text_cell(page, value)
    cell = WriteOnlyCell(page, value=value)
    if field.kind in _FORMAT:
        cell.number_format = _FORMAT[field.kind]
    return cell


def _text_cell(page: Any, text: str) -> Any:
    from openpyxl.cell import WriteOnlyCell

    if len(text) > _MOST_CHARACTERS:
        text = text[: _MOST_CHARACTERS - 1] + "…"
    cell = WriteOnlyCell(page, value=text)
    cell.data_type = "s"  # openpyxl takes text after = for a formula, and #N/A for an error
    return cell


def _without_clock(data: bytes) -> bytes:
    """Return the workbook with all its times set to 1980-01-01."""
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(data)) as old,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for name in old.namelist():
            content = old.read(name)
            if name == "docProps/core.xml":
                content = _CLOCK.sub(rb"\g<1>1980-01-01T00:00:00Z\g<3>", content)
            new.writestr(zipfile.ZipInfo(name, _EPOCH), content, zipfile.ZIP_DEFLATED)
    return out.getvalue()
