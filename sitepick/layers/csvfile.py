"""CSV files: every cell stays text, so leading zeros live; delimiter and quote are found out."""

from __future__ import annotations

import csv
import io
from itertools import islice

import numpy as np
import pandas as pd

from sitepick.layers import limits
from sitepick.layers.jsonfile import decode
from sitepick.layers.reading import count_of
from sitepick.layers.table import Refused, Table, no_collecting, unique_names


def read_csv(data: bytes, name: str) -> Table:
    """Return the rows of a CSV file; ``number`` is the row as a spreadsheet counts it.

    Raises:
        Refused: not UTF-8, no header, or rows with more cells than the header, with the line.
    """
    with no_collecting():
        return _read(decode(data, name))


def _read(text: str) -> Table:
    if "\0" in text:
        raise Refused("holds NUL bytes, so it is not a CSV file")
    delimiter, quote = _dialect(text)
    csv.field_size_limit(2**31 - 1)  # a WKT cell may be long
    stream = io.StringIO(text, newline="")
    reader = csv.reader(stream, delimiter=delimiter, quotechar=quote, strict=True)
    rows: list[list[str]] = []
    lines: list[int] = []
    try:
        for row in reader:
            if any(row) and any(map(str.strip, row)):
                rows.append(row)
                lines.append(reader.line_num)
    except csv.Error as error:
        raise Refused(f"line {reader.line_num}: {error}; is a quote left open?") from None
    if not rows:
        raise Refused("holds no rows, only blanks and delimiters")
    if (problem := limits.too_many(len(rows))) is not None:
        raise Refused(problem)
    top = next((i for i, r in enumerate(rows[:10]) if sum(map(bool, map(str.strip, r))) > 1), 0)
    rows, lines = rows[top:], lines[top:]
    header = [cell.strip() for cell in rows[0]]
    while header and not header[-1]:
        header.pop()
    if len(header) < 2 and len(rows) < 2:
        raise Refused("is neither GeoJSON nor a table: one line with one word was found")
    header = [h or f"column {i + 1}" for i, h in enumerate(header)]
    width = len(header)
    long = [
        (line, len(row))
        for row, line in zip(islice(rows, 1, None), lines[1:], strict=True)
        if len(row) > width and any(map(str.strip, row[width:]))
    ]
    if long:
        line, cells = long[0]
        raise Refused(
            f"line {line} has {cells} cells, the header {width} ({len(long)} such lines); "
            'put text that holds the delimiter into quotes, e.g. "Smith, Inc."'
        )
    body = [r if len(r) == width else (r + [""] * width)[:width] for r in rows[1:]]
    header, repeated = unique_names(header)
    columns = zip(*body, strict=True) if body else ([] for _ in header)
    frame = pd.DataFrame(
        {
            h: pd.Series(list(column), dtype=object)
            for h, column in zip(header, columns, strict=True)
        }
    )
    table = Table(
        frame=frame,
        geometry=None,
        number=np.array(lines[1:], dtype=np.int64),
        tabular=True,
        comma_decimal=delimiter == ";",
    )
    if top:
        note = f"{count_of(top, 'line')} above the header in line {lines[0]} skipped"
        table.remarks.append(("title_rows", note, top))
    if repeated:
        note = f"column names given twice: {', '.join(repeated)}; later ones are called NAME.2"
        table.remarks.append(("repeated_column", note, len(repeated)))
    return table


def _dialect(text: str) -> tuple[str, str]:
    """Return delimiter and quote character, judged by the header and the next lines."""
    lines = [line for line in islice(text.splitlines(), 50) if line.strip()] or [""]
    head = next((line for line in lines[:10] if any(d in line for d in ",;\t|")), lines[0])
    counts = {d: head.count(d) for d in (",", ";", "\t", "|")}
    delimiter = max(counts, key=lambda d: counts[d])
    if not counts[delimiter]:
        delimiter = ","
    # PyPSA-Eur's grid tables quote with ' and hold " inside
    single = sum(line.count(delimiter + "'") for line in lines[1:])
    double = sum(line.count(delimiter + '"') for line in lines[1:])
    return delimiter, "'" if single > double else '"'
