"""What a report is made of: lines and tables of plain values, shared by terminal and HTML.

Nothing here knows how it is shown; a report goes through JSON, so an earlier run shows the same.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any, Literal

from sitepick.records import as_record

Cell = str | float | int | None
SCHEMA = 1


@dataclass(frozen=True)
class Column:
    """A column. ``decimals`` is used for its numbers; None: as many as the table needs."""

    name: str
    unit: str = ""
    align: Literal["left", "right"] = "right"
    decimals: int | None = None


@dataclass(frozen=True)
class Table:
    """A table. ``rows`` are as long as ``columns``; ``note`` stands below it.

    ``inline``: short enough to be read as one sentence of "name value" pairs. ``most``: how many
    rows one screen has room for (None: all); ``rest`` then says where the others are, with ``{}``
    for their number. ``places``: what each row is about on a map, ``site:ID``, ``poi:ID`` or empty.
    """

    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""
    inline: bool = False
    most: int | None = None
    rest: str = ""
    places: tuple[str, ...] = ()

    def brief(self) -> Table:
        """Return the table as one screen has room for it; its note counts what is left out."""
        if self.most is None or len(self.rows) <= self.most:
            return self
        left = self.rest.format(len(self.rows) - self.most)
        note = f"{left}. {self.note}" if self.note else left
        rows, places = self.rows[: self.most], self.places[: self.most]
        return replace(self, rows=rows, places=places, note=note, most=None, rest="")

    def shown(self) -> list[list[str]]:
        """Return the cells as text: numbers grouped by thousands, decimals alike in the table."""
        common = self._decimals()
        return [
            [
                _number(v, common if c.decimals is None else c.decimals)
                if isinstance(v, (int, float))
                else (v or "")
                for c, v in zip(self.columns, row, strict=True)
            ]
            for row in self.rows
        ]

    def _decimals(self) -> int:
        free = [i for i, c in enumerate(self.columns) if c.decimals is None]
        numbers = [abs(r[i]) for r in self.rows for i in free if isinstance(r[i], (int, float))]  # type: ignore[arg-type]
        largest = max(numbers, default=0.0)
        if all(float(n).is_integer() for n in numbers) or largest >= 100:
            return 0
        return 1 if largest >= 1 else 3


@dataclass(frozen=True)
class Report:
    """A whole report: ``headline`` lines, then tables. ``seconds`` by stage are not stored."""

    headline: tuple[str, ...]
    tables: tuple[Table, ...]
    seconds: dict[str, float]

    def to_json(self) -> str:
        """Return the report without its times as JSON text."""
        record = {"schema": SCHEMA, "headline": self.headline}
        record["tables"] = tuple(as_record(t) for t in self.tables)
        return json.dumps(record, indent=1, ensure_ascii=False, allow_nan=False) + "\n"

    @classmethod
    def from_json(cls, text: str, seconds: dict[str, float]) -> Report:
        """Read what `to_json` wrote. Raises ValueError for another schema version."""
        record: dict[str, Any] = json.loads(text)
        if record.get("schema") != SCHEMA:
            raise ValueError("report.json was made by another version of sitepick")
        return cls(tuple(record["headline"]), tuple(map(table_from, record["tables"])), seconds)


def table_from(record: dict[str, Any]) -> Table:
    """Return a table from what `dataclasses.asdict` made of it, by way of JSON."""
    known = {f: record[f] for f in ("title", "note", "inline", "most", "rest") if f in record}
    return Table(
        columns=tuple(Column(**c) for c in record["columns"]),
        rows=tuple(tuple(r) for r in record["rows"]),
        places=tuple(record.get("places", ())),
        **known,
    )


def _number(value: float, decimals: int) -> str:
    text = f"{value:,.{decimals}f}"
    return text.removeprefix("-") if float(text.replace(",", "")) == 0 else text
