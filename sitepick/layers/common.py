"""What several layers share: ids made up or checked, names, points at one place."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import shapely

from sitepick.layers.columns import Columns
from sitepick.layers.reading import count_of, some


def names(columns: Columns, ids: np.ndarray) -> np.ndarray:
    """Return names [n]: as given, else the id."""
    given = columns.text("name")
    return np.where(missing(given), ids, given)


def missing(cells: np.ndarray) -> np.ndarray:
    """Return which cells [n] are None."""
    return np.array([c is None for c in cells], dtype=bool)


def repeated(ids: np.ndarray) -> list[str]:
    """Return the ids that occur more than once, sorted."""
    found = pd.Series(ids)
    return sorted(found[found.duplicated(keep=False) & found.notna()].unique())


def refuse_repeats(columns: Columns, ids: np.ndarray, ours: str, advice: str = "") -> None:
    """Make a fault of ids that occur more than once."""
    twice = repeated(ids)
    if not twice:
        return
    first = []
    for ident in twice:
        rows = np.flatnonzero(ids == ident)
        sign = "row " if columns.table.tabular else "#"
        first.append(f"'{ident}' at {some(f'{sign}{columns.table.number[i]}' for i in rows)}")
    text = f"{count_of(len(twice), ours)} given more than once ({some(first)})"
    columns.reading.fault(f"{text}; {advice or 'ids must be unique: keep one row of each'}")


def ids_by_place(columns: Columns, ours: str) -> np.ndarray:
    """Return ids [n] of the file, or made of the coordinates where it has no id column.

    Made-up ids do not depend on the order of rows: ``-97.12345_31.54321``.
    """
    if columns.has(ours):
        return columns.ids(ours)
    geometry = columns.table.geometry
    assert geometry is not None
    x, y = shapely.get_x(geometry), shapely.get_y(geometry)
    made = [f"{a:.5f}_{b:.5f}" for a, b in zip(x, y, strict=True)]
    tie = columns.text("name") if columns.has("name") else np.full(len(made), "", dtype=object)
    seen: dict[str, int] = {}
    out = np.empty(len(made), dtype=object)
    for i in sorted(range(len(made)), key=lambda i: (made[i], str(tie[i]), i)):
        seen[made[i]] = seen.get(made[i], 0) + 1
        out[i] = made[i] if seen[made[i]] == 1 else f"{made[i]}_{seen[made[i]]}"
    columns.reading.note(
        "ids_made",
        f"no id column: {ours} made of the coordinates (e.g. {out[0]}); `id: COLUMN` names one",
        len(out),
    )
    return out


def ids_by_number(columns: Columns, ours: str, prefix: str) -> np.ndarray:
    """Return ids [n] of the file, or its row numbers where it has no id column."""
    if columns.has(ours):
        return columns.ids(ours)
    made = np.array([f"{prefix}{n}" for n in columns.table.number], dtype=object)
    text = f"no id column: {ours} is the position in the file (e.g. {made[0]})"
    columns.reading.note("ids_made", text, len(made))
    return made


def note_same_place(columns: Columns) -> None:
    """Note points at exactly the same coordinates: one thing recorded twice, or its parts."""
    geometry = columns.table.geometry
    if geometry is None:
        return
    at = pd.Series(shapely.to_wkb(geometry)).duplicated(keep=False)
    if at.any():
        rows = columns.ats(np.flatnonzero(at))
        text = f"{count_of(len(rows), 'point')} share their exact coordinates with another"
        columns.reading.note("same_place", f"{text} ({some(rows)})", len(rows))


def drop_zero_length(columns: Columns) -> Columns:
    """Return the columns without lines of zero length, which are noted."""
    geometry = columns.table.geometry
    assert geometry is not None
    zero = shapely.length(geometry) == 0
    if not zero.any():
        return columns
    rows = columns.ats(np.flatnonzero(zero))
    text = f"{count_of(len(rows), 'line')} of zero length left out"
    columns.reading.note("zero_length", f"{text} ({some(rows)})", len(rows))
    return columns.on(columns.table.take(~zero))


def check_scale(
    columns: Columns, ours: str, found: np.ndarray, unit: str, steps: tuple[tuple[float, str], ...]
) -> None:
    """Make a fault of values whose median is so large that they must be in another unit.

    ``steps`` are (median above which it must be, that unit), the largest first.
    """
    known = found[np.isfinite(found) & (found > 0)]
    if not len(known):
        return
    middle = float(np.median(known))
    for limit, other in steps:
        if middle > limit:
            name = columns.mapped[ours].name
            columns.reading.fault(
                f"column '{name}': median {middle:,.4g} {unit}; values look like {other.upper()}: "
                f'write `fields: {{{ours}: "{name} [{other}]"}}`'
            )
            return


def need_filled(columns: Columns, ours: str, empty: np.ndarray) -> None:
    """Make a fault of rows in which a needed column is empty."""
    if not columns.has(ours):
        return
    name = columns.mapped[ours].name
    refused = columns.unread.get(name, set())
    rows = columns.ats([i for i in np.flatnonzero(empty) if int(i) not in refused])
    if rows:
        columns.reading.fault(
            f"{count_of(len(rows), 'row')} without {ours} ({some(rows)}); fill in '{name}', "
            f"or drop them with `where: '\"{name}\" IS NOT NULL'`"
        )


def cells(found: Any) -> pd.Series:
    """Return a column; texts, dates and tuples stay objects, so that an empty cell stays None."""
    array = np.asarray(found) if not isinstance(found, np.ndarray) else found
    return pd.Series(array, dtype=object if array.dtype.kind in "OUS" else array.dtype)


def kept(column: pd.Series) -> pd.Series:
    """Return a user's own column as it is, with None for every kind of null."""
    out = column.to_numpy(object, copy=True)
    out[column.isna().to_numpy()] = None
    return pd.Series(out, dtype=object)


def plain_frame(columns: dict[str, Any]) -> pd.DataFrame:
    """Return a table of ``columns`` [n]."""
    return pd.DataFrame({name: cells(found) for name, found in columns.items()})


def geo_frame(columns: dict[str, Any], geometry: Any) -> pd.DataFrame:
    """Return a GeoDataFrame in WGS84 of ``columns`` [n] and ``geometry`` [n]."""
    import geopandas as gpd

    table = plain_frame(columns)
    return gpd.GeoDataFrame(table, geometry=np.asarray(geometry, dtype=object), crs="EPSG:4326")
