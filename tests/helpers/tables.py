"""The tables of a run read back from every format with other people's readers, as plain cells."""

from __future__ import annotations

import csv
import datetime
import json
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

Rows = list[dict[str, Any]]
PAGES = {"summary": "run_info"}
"""Sheets of a workbook that have another name than their table."""
TABLES = {"sites": "sites_by_period"}
"""Files of a run folder that have another name than their table."""


_EMPTY = (None, "", "[]", [])
"""An empty list is an empty cell of a workbook."""


@dataclass(frozen=True)
class Column:
    """What is compared of a column: rows, filled cells, and the sum of its numbers."""

    rows: int
    filled: int
    total: float

    def near(self, other: Column) -> bool:
        """Return whether both are alike; sums to a part in 1e12, for the order of adding."""
        size = max(1.0, abs(self.total), abs(other.total))
        same = (self.rows, self.filled) == (other.rows, other.filled)
        return same and abs(self.total - other.total) <= 1e-12 * size * max(1, self.rows)


def columns(rows: Rows, kinds: dict[str, str]) -> dict[str, Column]:
    """Return every column of a table by name. ``kinds``: its type in the data dictionary."""
    return {
        name: Column(
            len(rows),
            sum(row[name] not in _EMPTY for row in rows),
            sum(_number(row[name], kind) for row in rows),
        )
        for name, kind in kinds.items()
    }


def _number(cell: Any, kind: str) -> float:
    if cell in _EMPTY:
        return 0.0
    if kind == "boolean":
        return float({"true": 1, "false": 0}.get(str(cell).lower(), cell))
    if kind == "date":  # days, so that a date moved in one format shows
        day = cell.date() if isinstance(cell, datetime.datetime) else cell
        return float(datetime.date.fromisoformat(str(day)).toordinal())
    if kind in ("number", "integer"):
        return float(cell)
    # text: its length, without the apostrophe that keeps a spreadsheet from running it
    text = str(cell) if isinstance(cell, str) else json.dumps(cell, ensure_ascii=False)
    return float(len(text.removeprefix("'")))


def of_gpkg(path: Path) -> dict[str, Rows]:
    """Return the tables of a GeoPackage."""
    out: dict[str, Rows] = {}
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
        db.row_factory = sqlite3.Row
        names = [r[0] for r in db.execute("SELECT table_name FROM gpkg_contents ORDER BY rowid")]
        for name in names:
            if name != "layer_styles":
                found = db.execute(f'SELECT * FROM "{name}" ORDER BY fid').fetchall()
                out[name] = [{k: row[k] for k in row.keys()} for row in found]  # noqa: SIM118
    return out


def of_xlsx(path: Path) -> dict[str, Rows]:
    """Return the sheets of a workbook under the names of their tables."""
    from openpyxl import load_workbook

    out: dict[str, Rows] = {}
    for page in load_workbook(path, read_only=True):
        header, *cells = page.iter_rows(values_only=True)
        names = [str(name) for name in header]
        # a row ends with its last filled cell
        rows = [dict(zip_longest(names, row)) for row in cells]
        out[PAGES.get(page.title, page.title.replace(" ", "_"))] = rows
    return out


def of_csv(path: Path) -> Rows:
    """Return the rows of a CSV file as text."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, strict=True))


def of_csv_folder(folder: Path) -> dict[str, Rows]:
    """Return all tables of an export to CSV."""
    return {path.stem: of_csv(path) for path in sorted(folder.glob("*.csv"))}


def of_geojson_folder(folder: Path) -> dict[str, Rows]:
    """Return the properties of the features of an export to GeoJSON."""
    out: dict[str, Rows] = {}
    for path in sorted(folder.glob("*.geojson")):
        record = json.loads(path.read_text(encoding="utf-8"))
        out[path.stem] = [feature["properties"] for feature in record["features"]]
    return out


def kinds_of(run: Path) -> dict[str, dict[str, str]]:
    """Return, of every table of a run folder, its columns and their types by the dictionary."""
    out: dict[str, dict[str, str]] = {}
    for row in of_csv(run / "data_dictionary.csv"):
        file, _, table = row["file"].partition(":")
        if file == "plan.gpkg":
            out.setdefault(table, {})[row["name"]] = row["type"]
    return out


def assert_same(mine: Rows, other: Rows, kinds: dict[str, str], where: str) -> None:
    """Assert that two tables have the same columns, rows, filled cells and sums."""
    assert kinds, f"{where}: not in the data dictionary"
    for rows in (mine, other):
        named = [name for name in rows[0] if name not in ("fid", "geom")] if rows else list(kinds)
        assert named == list(kinds), where
    a, b = columns(mine, kinds), columns(other, kinds)
    differ = {name: (a[name], b[name]) for name in kinds if not a[name].near(b[name])}
    assert not differ, f"{where}: {differ}"


def assert_exports_equal(run: Path, folder: Path) -> None:
    """Assert that a run folder and its exports (all.csv, all.xlsx, ...) hold the same tables."""
    book, kinds = of_gpkg(run / "plan.gpkg"), kinds_of(run)
    assert set(book) == set(kinds)
    whole = {
        "CSV": of_csv_folder(folder / "all.csv"),
        "XLSX": of_xlsx(folder / "all.xlsx"),
        "GeoPackage": of_gpkg(folder / "all.gpkg"),
    }
    for name, found in whole.items():
        assert set(found) - {"data_dictionary", "dictionary"} == set(book), name
    parts = {
        "GeoJSON": of_geojson_folder(folder / "all.geojson"),
        "plan.xlsx": of_xlsx(run / "plan.xlsx"),
        "CSV of the run": {TABLES.get(p.stem, p.stem): of_csv(p) for p in run.glob("*.csv")},
        "GeoJSON of the run": of_geojson_folder(run),
    }
    some = {"sites_by_period", "cash", "actions"}
    assert some <= set(parts["CSV of the run"])
    assert {*some, "sites", "candidates", "letters", "run_info"} <= set(parts["plan.xlsx"])
    assert {"sites", "candidates", "substations", "actions"} <= set(parts["GeoJSON"])
    lines = {"fiber_links", "fiber_edges"} & set(book)
    assert set(parts["GeoJSON of the run"]) == {"sites", "candidates", *lines}
    for name, found in (whole | parts).items():
        for table in set(found) - {"data_dictionary", "dictionary"}:
            assert_same(book[table], found[table], kinds[table], f"{name}, {table}")
