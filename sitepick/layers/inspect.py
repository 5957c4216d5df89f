"""What is in a file, what is wrong with it, and the YAML that reads it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import shapely

from sitepick.layers import values
from sitepick.layers.columns import Columns, Found
from sitepick.layers.geometry import NAMES
from sitepick.layers.guess import guess, guess_columns, header_parts, level_of, own_columns
from sitepick.layers.load import load_one
from sitepick.layers.read import read
from sitepick.layers.reading import in_few_lines
from sitepick.layers.sniff import sniff
from sitepick.layers.table import Table
from sitepick.scenario.inputs import Exclusion, LayerFile, MatrixFile, RegionLayer

CATEGORIES = 6  # a text column with at most so many different values has them listed


@dataclass(frozen=True)
class ColumnReport:
    """One column of a file: ``low`` and ``high`` for numbers and dates, ``examples`` for text."""

    name: str
    type: str  # number, whole number, date, yes/no, text, mixed, empty
    nulls: int
    distinct: int
    low: str = ""
    high: str = ""
    examples: tuple[str, ...] = ()
    unit: str = ""  # as the header tells

    def summary(self) -> str:
        """Return type, range or examples, and nulls, on one line."""
        span = f"{self.low} to {self.high}" if self.low else ", ".join(self.examples)
        if not self.low and self.distinct > len(self.examples) > 0:
            span += f", ... ({self.distinct:,} different)"
        nulls = f"; {self.nulls:,} empty" if self.nulls else ""
        unit = f" [{self.unit}]" if self.unit else ""
        return f"{self.type}{unit}" + (f": {span}" if span else "") + nulls


@dataclass
class Report:
    """What `inspect` found; ``bounds`` is west, south, east, north in the file's own CRS."""

    path: str
    kind: str
    size_bytes: int
    rows: int
    geometry: dict[str, int]
    no_geometry: int
    crs: str
    bounds: tuple[float, float, float, float] | None
    columns: list[ColumnReport]
    role: str | None = None
    score: float = 0.0
    other_roles: dict[str, float] = field(default_factory=dict)
    preset: str | None = None
    fields: dict[str, str] = field(default_factory=dict)
    doubts: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    yaml: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain JSON values."""
        return asdict(self)

    def lines(self) -> list[str]:
        """Return the report as plain text, the YAML last."""
        shapes = ", ".join(f"{n:,} {kind}" for kind, n in self.geometry.items()) or "no geometry"
        if self.geometry and self.no_geometry:
            shapes += f", {self.no_geometry:,} without"
        out = [f"{self.path}: {self.kind}, {self.size_bytes / 1e6:,.2f} MB, {self.rows:,} rows"]
        out.append(f"  geometry  {shapes}")
        if self.geometry:
            out.append(f"  CRS       {self.crs}")
        if self.bounds is not None:
            west, south, east, north = (f"{v:,.6g}" for v in self.bounds)
            out.append(f"  extent    {west} to {east}, {south} to {north}")
        wide = min(30, max((len(c.name) for c in self.columns), default=0))
        out += [f"  {c.name:<{wide}}  {c.summary()}" for c in self.columns]
        role = "not recognised" if self.role is None else f"{self.role} (score {self.score:.2f})"
        out.append(f"  role      {role}" + (f", preset {self.preset}" if self.preset else ""))
        for title, list_ in (
            ("doubt", self.doubts),
            ("note", self.notes),
            ("problem", self.problems),
        ):
            out += [f"  {title}: {text}" for text in list_]
        return [values.printable(line) for line in out] + self.yaml.splitlines()


def inspect(
    path: Path,
    *,
    layer: str | None = None,
    sheet: str | None = None,
    preset: str | None = None,
    role: str | None = None,
) -> Report:
    """Look into a file and try to read it in the role that it seems to have (or in ``role``).

    Raises:
        Refused: the file cannot be read at all.
    """
    kind = sniff(path)
    table = read(path, layer=layer, sheet=sheet, role=role or "")
    shapes: dict[str, int] = {}
    bounds = None
    placed = _placed(table, path)
    if placed is not None and len(placed):
        ids, counts = np.unique(shapely.get_type_id(placed), return_counts=True)
        shapes = {NAMES[int(i)]: int(n) for i, n in zip(ids, counts, strict=True) if i >= 0}
        box = shapely.total_bounds(placed)
        if np.isfinite(box).all():
            bounds = (float(box[0]), float(box[1]), float(box[2]), float(box[3]))
    report = Report(
        path=str(path),
        kind=kind,
        size_bytes=path.stat().st_size if path.is_file() else 0,
        rows=len(table),
        geometry=shapes,
        no_geometry=len(table) - sum(shapes.values()),
        crs=_crs_name(table, bounds),
        bounds=bounds,
        columns=[_column(str(c), table.frame[c]) for c in table.frame.columns],
    )
    _judge(report, table, path, layer=layer, sheet=sheet, preset=preset, role=role)
    return report


def _placed(table: Table, path: Path) -> np.ndarray | None:
    """Return the geometry, of a plain table from columns that are called lon and lat or WKT."""
    from sitepick.layers import geometry
    from sitepick.layers.reading import Reading

    if table.geometry is not None:
        return table.geometry
    found, _ = guess_columns("parcels", list(map(str, table.frame.columns)))
    mapped = {str(k): Found(found[k], None) for k in ("lon", "lat", "wkt") if k in found}
    copy = replace(table)
    geometry.from_table(Columns(copy, Reading("parcels", LayerFile(file=str(path))), mapped))
    return copy.geometry


def _crs_name(table: Table, bounds: tuple[float, ...] | None) -> str:
    from sitepick.layers import crs

    if table.crs is None:
        if table.degrees:
            return "WGS84 lon/lat (GeoJSON)"
        in_degrees = bounds is not None and max(map(abs, bounds[::2])) <= 180
        return f"not stated{'; degrees are read as WGS84 lon/lat' if in_degrees else ''}"
    try:
        return str(crs.parse(table.crs).name)
    except ValueError:
        return table.crs[:60]


def _judge(
    report: Report,
    table: Table,
    path: Path,
    *,
    layer: str | None,
    sheet: str | None,
    preset: str | None,
    role: str | None,
) -> None:
    seen = guess(table, path)
    report.other_roles = {r: s for r, s in seen.scores.items() if s >= 0.3 and r != seen.role}
    report.role, report.score = role or seen.role, seen.score if role in (None, seen.role) else 0.0
    report.preset = preset or (seen.preset if report.role == seen.role else None)
    report.doubts = list(seen.doubts)
    if report.role is None:
        return
    names = list(map(str, table.frame.columns))
    mapping = seen.fields if report.role == seen.role else guess_columns(report.role, names)[0]
    fields = {o: t for o, t in mapping.items() if o != t} if report.preset is None else {}
    said: dict[str, Any] = {"file": path.name}
    said |= {"layer": layer} if layer else {}
    said |= {"sheet": sheet} if sheet else {}
    said |= {"preset": report.preset} if report.preset else {}
    kinds: dict[str, type[LayerFile]] = {"regions": RegionLayer, "exclusions": Exclusion}
    if report.role == "regions":
        said["level"] = level_of(path.stem)
    if report.role == "matrix":
        said["meaning"] = "rtt_ms"
        kinds["matrix"] = MatrixFile
    if fields:
        said["fields"] = fields
    own = own_columns(table, replace(seen, role=report.role, fields=mapping, preset=report.preset))
    if own:
        said["keep"] = list(own)
    report.fields = fields
    spec = kinds.get(report.role, LayerFile).model_validate(said)
    _, report.problems, notes = load_one(report.role, spec, path.parent)
    report.notes = in_few_lines(note.message for note in notes)
    report.yaml = as_yaml(report.role, said)
    report.doubts = list(dict.fromkeys(report.doubts))


def as_yaml(role: str, said: dict[str, Any]) -> str:
    """Return the lines of a scenario that read a file so."""
    lines = ["layers:", f"  {role}:"]
    for i, (key, value) in enumerate(said.items()):
        head = "    - " if i == 0 else "      "
        lines.append(f"{head}{key}: {_flow(value)}")
    return "\n".join(lines) + "\n"


def _flow(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{k}: {_flow(v)}" for k, v in value.items()) + "}"
    return json.dumps(value, ensure_ascii=False)


def _column(name: str, cells: pd.Series) -> ColumnReport:
    known = [c for c in cells.to_numpy(object) if not values.is_null(c)]
    nulls = len(cells) - len(known)
    unit = header_parts(name)[1] or ""
    if not known:
        return ColumnReport(name, "empty", nulls, 0, unit=unit)
    distinct = len({str(c) for c in known})
    numbers = _numbers(known)
    if numbers is not None:
        whole = bool((numbers == np.round(numbers)).all())
        low, high = f"{numbers.min():.6g}", f"{numbers.max():.6g}"
        kind = "whole number" if whole else "number"
        if all(isinstance(c, bool) for c in known):
            kind, low, high = "yes/no", "", ""
        return ColumnReport(name, kind, nulls, distinct, low, high, unit=unit)
    dates = _dates(known)
    if dates is not None:
        return ColumnReport(name, "date", nulls, distinct, min(dates), max(dates), unit=unit)
    kind = "text" if all(isinstance(c, str) for c in known) else "mixed"
    counted = pd.Series([str(c) for c in known]).value_counts()
    most = CATEGORIES if len(counted) <= CATEGORIES else 3
    examples = tuple(values.clean_text(e)[:40] for e in counted.index[:most])
    return ColumnReport(name, kind, nulls, distinct, examples=examples, unit=unit)


def _numbers(cells: Sequence[Any]) -> np.ndarray | None:
    out = []
    for cell in cells:
        if isinstance(cell, bool):
            out.append(float(cell))
            continue
        try:
            out.append(values.number(cell)[0])
        except (ValueError, TypeError):
            return None
    return np.array(out)


def _dates(cells: Sequence[Any]) -> list[str] | None:
    try:
        order = values.slashed_order(list(cells))
        return [values.day(c, order=order)[0].isoformat() for c in cells]
    except (ValueError, TypeError, OverflowError):
        return None
