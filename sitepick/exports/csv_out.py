"""CSV by RFC 4180, UTF-8, LF; text cells that a spreadsheet would run are made inert."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

from sitepick.exports.sheet import Sheet, dump_json
from sitepick.exports.text import inert


def csv_text(sheet: Sheet) -> str:
    """Return a sheet as CSV text with a header line. Empty cells mean unknown or none."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([inert(f.name) for f in sheet.fields])
    for row in sheet.rows:
        writer.writerow([_cell(row[f.name]) for f in sheet.fields])
    return out.getvalue()


def write_csv(sheet: Sheet, path: Path) -> None:
    """Write a sheet as CSV."""
    path.write_text(csv_text(sheet), encoding="utf-8", newline="")


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, list):
        return dump_json(value)
    return inert(value) if isinstance(value, str) else str(value)
