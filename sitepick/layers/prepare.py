"""One table made ready for its role: columns mapped, rows filtered, geometry placed and sound."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np

from sitepick.layers import common, crs, fiber, geometry, presets, values
from sitepick.layers.columns import Columns
from sitepick.layers.guess import guess_columns
from sitepick.layers.mapping import resolve
from sitepick.layers.reading import Reading, count_of
from sitepick.layers.roles import GEOMETRY, MAY_BE_NOWHERE
from sitepick.layers.table import Table
from sitepick.layers.where import rows_where
from sitepick.scenario.inputs import RegionLayer


def prepare(raw: Table, reading: Reading, path: Path) -> Columns | None:
    """Return the rows of ``raw`` that are used, with clean geometry; None after faults.

    ``raw`` is left as it is (it may serve another role).
    """
    table = replace(raw, frame=raw.frame.copy(deep=False), remarks=list(raw.remarks))
    try:
        chosen = presets.preset(reading.spec.preset or "sitepick", reading.role)
    except ValueError as error:
        reading.fault(f"preset: {error}")
        return None
    if chosen.join == "breakthrough":
        from sitepick.layers import breakthrough

        breakthrough.complete(table, path, reading.role)
    for code, text, count in table.remarks:
        reading.note(code, text, count)
    if not len(table):
        reading.fault("has no features" if not table.tabular else "has a header but no rows")
        return None
    columns = resolve(table, reading, chosen)
    if reading.problems:
        return None
    table.licence = table.licence or chosen.licence
    columns = _filtered(columns)
    if not len(columns):
        return None
    _mention(columns, chosen)
    # the attribute table of a region layer is joined by id and needs no place
    want = GEOMETRY.get(reading.role)
    if reading.role == "regions" and not isinstance(reading.spec, RegionLayer):
        want = None
    if want is not None:
        columns = _placed(columns, want)
    table = columns.table
    table.synthetic = table.synthetic or chosen.synthetic or _says_synthetic(table)
    return columns


def _mention(columns: Columns, chosen: presets.Preset) -> None:
    """Note how many rows carry a flag that the preset names."""
    for name, text in chosen.mention.items():
        if name in columns.table.frame.columns:
            cells = columns.table.frame[name].to_numpy(object)
            rows = [i for i, c in enumerate(cells) if str(c).strip().lower() in values.YES]
            if rows:
                what = f"{count_of(len(rows), 'row')} {'is' if len(rows) == 1 else 'are'} {text}"
                columns.reading.note("flagged", what, len(rows))


def _says_synthetic(table: Table) -> bool:
    if "synthetic" not in table.frame.columns:
        return False
    cells = table.frame["synthetic"].to_numpy(object)
    return any(c is True or str(c).strip().lower() == "true" for c in cells)


def _filtered(columns: Columns) -> Columns:
    reading, table = columns.reading, columns.table
    if reading.spec.where is None:
        return columns

    def ours(name: str) -> np.ndarray | None:
        if not columns.has(name):
            return None
        if columns.mapped[name].unit is not None or name == "kv":
            return columns.number(name).astype(object)
        return columns.raw(name)

    try:
        used = rows_where(reading.spec.where, table.frame, ours)
    except ValueError as error:
        reading.fault(f"where: {error}")
        return columns.on(table.take(np.zeros(len(table), dtype=bool)))
    kept = int(used.sum())
    if not kept:
        reading.fault(
            f"none of its {len(table):,} rows fulfils `where: {reading.spec.where}`; "
            "`sitepick layers FILE` shows the values"
        )
    else:
        text = f"`where: {reading.spec.where}` keeps {kept:,} of {len(table):,} rows"
        reading.note("filtered", text, len(table) - kept)
    return columns.on(table.take(used))


def _placed(columns: Columns, want: str) -> Columns:
    """Return the rows with sound geometry in lon/lat WGS84."""
    reading = columns.reading
    geometry.from_table(columns)
    table = columns.table
    if table.geometry is None:
        if reading.role not in (*MAY_BE_NOWHERE, "parcels"):
            names = [str(c) for c in table.frame.columns]
            found, _ = guess_columns(reading.role, names)
            lon, lat = (json.dumps(found.get(o, "..."), ensure_ascii=False) for o in ("lon", "lat"))
            reading.fault(
                "has no geometry: add columns lon and lat (or wkt), or name them by "
                f"`fields: {{lon: {lon}, lat: {lat}}}`; columns are "
                f"{', '.join(map(repr, names[:20]))}"
            )
        return columns
    if not crs.to_wgs84(columns):
        return columns
    geometry.clean(columns, want)
    if reading.role == "parcels" or reading.problems:
        return columns
    columns = columns.on(geometry.drop_nowhere(columns))
    if reading.role == "fiber_links":
        columns = fiber.drop_loops(columns)
    return common.drop_zero_length(columns) if want == "line" else columns
