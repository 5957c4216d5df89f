"""A sheet: rows with described columns. Every export writes sheets, so all files say the same.

Units and meanings live in `Field`; the data dictionary is made from the same objects, so no column
can miss there.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Literal

from sitepick.exports.text import clean

if TYPE_CHECKING:
    import pandas as pd

Kind = Literal["text", "number", "integer", "boolean", "date", "json"]
Shape = Literal["Point", "MultiLineString", "MultiPolygon"]
Value = str | float | int | bool | list[Any] | None
Row = dict[str, Any]

_DECIMALS = 9  # a milliwatt; sums stay exact for every purpose while 0.1 + 0.2 reads as 0.3


_PYTHON: dict[Kind, type] = {
    "text": str, "number": float, "integer": int, "boolean": bool, "date": str, "json": list,
}  # fmt: skip


@dataclass(frozen=True)
class Field:
    """A column: its name (which ends in its unit), unit, type and meaning."""

    name: str
    unit: str
    kind: Kind
    meaning: str


@dataclass(frozen=True)
class Sheet:
    """Rows of one kind. ``geometry``, parallel to ``rows``, holds GeoJSON geometries or None.

    Every row has every field, of one type in all rows (or None). Dates are ISO text; values of
    kind ``json`` are plain lists.
    """

    name: str
    meaning: str
    fields: tuple[Field, ...]
    rows: list[Row]
    geometry: list[Row | None] | None = None
    shape: Shape | None = None

    def __post_init__(self) -> None:
        names = [f.name for f in self.fields]
        if len({n.lower() for n in names}) != len(names):
            raise ValueError(f"sheet {self.name}: columns differ by case only: {names}")
        expected = set(names)
        for row in self.rows:
            if row.keys() != expected:
                raise ValueError(f"sheet {self.name}: {sorted(row.keys() ^ expected)}")
            for f in self.fields:
                value = row[f.name]
                if value is not None and type(value) is not _PYTHON[f.kind]:
                    raise ValueError(f"sheet {self.name}, {f.name}: {value!r} is no {f.kind}")


def plain(value: Any) -> Any:
    """Return ``value`` as str, int, float, bool, list or None: no nan, no numpy, no dates."""
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, float):
        return round(value, _DECIMALS) + 0.0 if math.isfinite(value) else None
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items()}
    if value != value or type(value).__name__ == "NAType":  # nan, NaT, NA
        return None
    if isinstance(value, datetime):  # after NaT, which is a datetime too
        midnight = value.time() == datetime.min.time()
        return value.date().isoformat() if midnight else value.isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if hasattr(value, "item"):
        return plain(value.item())
    return clean(str(value))


def records(frame: pd.DataFrame) -> list[Row]:
    """Return the rows of a table as dicts of plain values, in the table's order."""
    columns = [str(c) for c in frame.columns]
    return [
        {c: plain(v) for c, v in zip(columns, row, strict=True)}
        for row in frame.itertuples(index=False, name=None)
    ]


def kind_of(values: Iterable[Any]) -> Kind:
    """Return the narrowest kind that holds all the plain ``values``; text if there are none."""
    seen = {type(v) for v in values if v is not None}
    if seen == {bool}:
        return "boolean"
    if seen == {int}:
        return "integer"
    if seen and seen <= {int, float}:
        return "number"
    return "text"


def as_kind(value: Any, kind: Kind) -> Any:
    """Return a plain ``value`` as the type of ``kind``, so that a column has one type."""
    if value is None:
        return None
    if kind == "number":
        return float(value)
    if kind == "text" and not isinstance(value, str):
        return json.dumps(value, ensure_ascii=False, allow_nan=False)
    return value


def unused(name: str, taken: Iterable[str]) -> str:
    """Return ``name``, with ``_`` added until it differs from all ``taken`` by more than case."""
    used = {t.lower() for t in taken}
    while name.lower() in used:
        name += "_"
    return name


def keep_names(columns: Iterable[str], taken: Iterable[str]) -> dict[str, str]:
    """Return ``keep:NAME`` -> NAME as the user wrote it.

    A name that is a column of ours already (``taken``) becomes ``keep_NAME``.
    """
    used = list(taken)
    out: dict[str, str] = {}
    for column in columns:
        if not column.startswith("keep:"):
            continue
        name = clean(column.removeprefix("keep:")) or "column"
        if name.lower() in {u.lower() for u in used}:
            name = unused(f"keep_{name}", used)
        used.append(name)
        out[column] = name
    return out


def with_keep(
    fields: list[Field], rows: list[Row], source: dict[str, Row], columns: Iterable[str], key: str
) -> tuple[tuple[Field, ...], list[Row]]:
    """Return ``fields`` and ``rows`` with the user's own columns of ``source`` (by id) added.

    Rows come back in the order of the fields, without anything that is no field.
    """
    names = keep_names(columns, [*(f.name for f in fields), "fid", "geom"])
    added: list[Field] = []
    for column, name in names.items():
        kind = kind_of(r[column] for r in source.values())
        added.append(Field(name, "", kind, "your own column, as given"))
        for row in rows:
            row[name] = as_kind(source.get(row[key], {}).get(column), kind)
    done = (*fields, *added)
    return done, [{f.name: as_kind(row[f.name], f.kind) for f in done} for row in rows]


def dump_json(value: Any) -> str:
    """Return JSON text: UTF-8 kept readable, finite numbers only."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def point(row: Row) -> Row | None:
    """Return the GeoJSON point of a row, None where it has no place."""
    if row["lon"] is None or row["lat"] is None:
        return None
    return {"type": "Point", "coordinates": [row["lon"], row["lat"]]}
