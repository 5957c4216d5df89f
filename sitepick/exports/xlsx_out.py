"""One XLSX workbook: summary, sites, cash, candidates with reasons, letters, notes, dictionary.

Text is stored as text, never as a formula. The file holds no clock: equal plans give equal bytes.
It is the least that ECMA-376 (Office Open XML, part 1, SpreadsheetML) asks for, written as text at
a tenth of the time of a tree of cells: sheets with a frozen header, widths, a filter and formats.
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterable
from datetime import date
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from sitepick.exports.sheet import Field, Sheet, dump_json

_MOST_ROWS = 1_048_575  # below the header
_MOST_CHARACTERS = 32_767
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the oldest date that a zip archive can hold
_DAY_0 = date(1899, 12, 30).toordinal()  # dates are days since then
_WIDTH = {"text": 18, "json": 30, "number": 13, "integer": 10, "boolean": 10, "date": 12}
_WIDE = ("why", "message", "meaning", "value")
_STYLE = {"header": 1, "number": 2, "integer": 3, "date": 4}  # positions in cellXfs below

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_STYLES = (
    f'<styleSheet xmlns="{_MAIN}">'
    '<numFmts count="2"><numFmt numFmtId="164" formatCode="#,##0.0##"/>'
    '<numFmt numFmtId="165" formatCode="yyyy-mm-dd"/></numFmts>'
    '<fonts count="2"><font><sz val="11"/><name val="Calibri"/><family val="2"/></font>'
    '<font><b/><sz val="11"/><name val="Calibri"/><family val="2"/></font></fonts>'
    '<fills count="2"><fill><patternFill patternType="none"/></fill>'
    '<fill><patternFill patternType="gray125"/></fill></fills>'
    '<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
    '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
    '<cellXfs count="5"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>'
    '<xf numFmtId="0" fontId="1" fillId="0" borderId="0" xfId="0" applyFont="1"/>'
    + "".join(
        f'<xf numFmtId="{n}" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>'
        for n in (164, 1, 165)
    )
    + '</cellXfs><cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/>'
    "</cellStyles></styleSheet>"
)


def write_xlsx(sheets: Iterable[Sheet], path: Path) -> None:
    """Write sheets to one workbook. Raises ValueError if a sheet exceeds what XLSX can hold."""
    titles: list[str] = []
    pages: list[str] = []
    for sheet in sheets:
        if len(sheet.rows) > _MOST_ROWS:
            raise ValueError(f"sheet {sheet.name}: {len(sheet.rows):,} rows do not fit into XLSX")
        titles.append(sheet.name.replace("_", " ")[:31])
        pages.append(_page(sheet, first=not pages))
    parts = _frame(titles)
    parts |= {f"xl/worksheets/sheet{n}.xml": page for n, page in enumerate(pages, start=1)}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as book:
        for name, text in parts.items():
            book.writestr(
                zipfile.ZipInfo(name, _EPOCH), (_XML + text).encode(), zipfile.ZIP_DEFLATED
            )


def _frame(titles: list[str]) -> dict[str, str]:
    """Return what a workbook is besides its sheets, as text by name."""
    numbers = range(1, len(titles) + 1)
    links = [(f"worksheets/sheet{n}.xml", "worksheet") for n in numbers] + [
        ("styles.xml", "styles")
    ]
    types = [(f"/xl/worksheets/sheet{n}.xml", "worksheet") for n in numbers]
    types += [("/xl/workbook.xml", "sheet.main"), ("/xl/styles.xml", "styles")]
    return {
        "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package'
        '.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/>'
        + "".join(
            f'<Override PartName="{part}" ContentType="{_TYPE}.{kind}+xml"/>'
            for part, kind in types
        )
        + "</Types>",
        "_rels/.rels": _links([("xl/workbook.xml", "officeDocument")]),
        "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>'
        + "".join(
            f'<sheet name={quoteattr(title)} sheetId="{n}" r:id="rId{n}"/>'
            for n, title in zip(numbers, titles, strict=True)
        )
        + "</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": _links(links),
        "xl/styles.xml": _STYLES,
    }


def _links(targets: list[tuple[str, str]]) -> str:
    inner = "".join(
        f'<Relationship Id="rId{n}" Type="{_OFFICE}/{kind}" Target="{target}"/>'
        for n, (target, kind) in enumerate(targets, start=1)
    )
    return f'<Relationships xmlns="{_PACKAGE}/relationships">{inner}</Relationships>'


def _page(sheet: Sheet, *, first: bool) -> str:
    """Return the XML of one sheet."""
    letters = [_letters(n) for n in range(len(sheet.fields))]
    last = f"A1:{letters[-1]}{len(sheet.rows) + 1}"
    cells = [(at, f.name, _cell_of(f)) for at, f in zip(letters, sheet.fields, strict=True)]
    wide = "".join(
        f'<col min="{n}" max="{n}" width="{_width(f)}" customWidth="1"/>'
        for n, f in enumerate(sheet.fields, start=1)
    )
    chosen = ' tabSelected="1"' if first else ""
    out = [
        f'<worksheet xmlns="{_MAIN}"><dimension ref="{last}"/><sheetViews>'
        f'<sheetView{chosen} workbookViewId="0">'
        '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/>'
        f'</sheetView></sheetViews><cols>{wide}</cols><sheetData><row r="1">',
        *(_text(f"{at}1", name, _STYLE["header"]) for at, name, _ in cells),
        "</row>",
    ]
    for number, row in enumerate(sheet.rows, start=2):
        out.append(f'<row r="{number}">')
        for at, name, written in cells:
            value = row[name]
            if value is not None:
                out.append(written(f"{at}{number}", value))
        out.append("</row>")
    out.append("</sheetData>")
    if sheet.rows:
        out.append(f'<autoFilter ref="{last}"/>')
    out.append("</worksheet>")
    return "".join(out)


def _width(field: Field) -> int:
    return max(60 if field.name in _WIDE else _WIDTH[field.kind], len(field.name) + 2)


def _cell_of(field: Field) -> Callable[[str, Any], str]:
    """Return how a value of ``field`` is written at a place such as ``B7``."""
    style = _STYLE.get(field.kind, 0)
    if field.kind in ("number", "integer"):
        return lambda at, value: f'<c r="{at}" s="{style}"><v>{value!r}</v></c>'
    if field.kind == "boolean":
        return lambda at, value: f'<c r="{at}" t="b"><v>{value:d}</v></c>'
    if field.kind == "date":
        return lambda at, value: f'<c r="{at}" s="{style}"><v>{_days(value)}</v></c>'
    if field.kind == "json":
        return lambda at, value: _text(at, dump_json(value) if value else "", 0)
    return lambda at, value: _text(at, value, 0)


def _days(day: str) -> int:
    return date.fromisoformat(day).toordinal() - _DAY_0


def _text(at: str, text: str, style: int) -> str:
    if not text:
        return ""  # an empty cell
    if len(text) > _MOST_CHARACTERS:
        text = text[: _MOST_CHARACTERS - 1] + "…"
    shown = escape(text, {"\r": "&#13;"})
    kept = "" if text.strip() == text else ' xml:space="preserve"'
    form = f' s="{style}"' if style else ""
    return f'<c r="{at}"{form} t="inlineStr"><is><t{kept}>{shown}</t></is></c>'


def _letters(column: int) -> str:
    """Return the name of column 0, 1, ...: A, B, ..., Z, AA, ..."""
    name = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        name = chr(65 + rest) + name
    return name
