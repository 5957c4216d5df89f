"""CSV by RFC 4180, UTF-8, LF; text cells that a spreadsheet would run are made inert."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from sitepick.exports.sheet import Sheet, dump_json
from sitepick.exports.text import inert

_NEEDS_QUOTES = re.compile('[",\r\n]')


def csv_text(sheet: Sheet) -> str:
    """Return a sheet as CSV text with a header line. Empty cells mean unknown or none."""
    lines = [[inert(f.name) for f in sheet.fields]]
    lines += [[_cell(row[f.name]) for f in sheet.fields] for row in sheet.rows]
    return "".join(",".join(map(_quoted, line)) + "\n" for line in lines)


def _quoted(cell: str) -> str:
    """Return a cell in quotes where it needs them.

    Also for a lone CR, which `csv` of Python 3.11 leaves bare: what follows it would be a cell of
    its own in the next line, and so a formula.
    """
    return '"' + cell.replace('"', '""') + '"' if _NEEDS_QUOTES.search(cell) else cell


def write_csv(sheet: Sheet, path: Path) -> None:
    """Write a sheet as CSV."""
    path.write_text(csv_text(sheet), encoding="utf-8", newline="")


def cell_text(value: Any) -> str:
    """Return a value as text, not yet made inert. Nothing is an empty text."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    return dump_json(value) if isinstance(value, list) else str(value)


def _cell(value: Any) -> str:
    return inert(value) if isinstance(value, str) else cell_text(value)
