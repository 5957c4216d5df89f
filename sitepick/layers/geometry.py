"""Geometry made sound: repaired, flattened, wrapped and of the type that the role needs."""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely
from shapely.geometry import box

from sitepick.layers.columns import Columns
from sitepick.layers.limits import MAX_NULL_GEOMETRY_PCT
from sitepick.layers.read import force_2d
from sitepick.layers.reading import count_of, some
from sitepick.layers.table import Table

POINTS, LINES, AREAS = (0, 4), (1, 5, 2), (3, 6)
NAMES = {0: "point", 1: "line", 2: "ring", 3: "polygon", 4: "multipoint", 5: "multiline",
         6: "multipolygon", 7: "collection"}  # fmt: skip


def from_table(columns: Columns) -> None:
    """Give a table its geometry from WKT (or WKB) or lon/lat columns, in place, if it has any."""
    table, reading = columns.table, columns.reading
    if table.geometry is not None:
        return
    if columns.has("wkt"):
        table.geometry = _from_wkt(columns)
    elif columns.has("lon") and columns.has("lat"):
        lon, lat = (_ordinate(columns, name) for name in ("lon", "lat"))
        there = np.isfinite(lon) & np.isfinite(lat)
        # nobody has a substation in the Gulf of Guinea: 0, 0 is a blank that was exported
        blank = there & (lon == 0) & (lat == 0)
        if blank.any():
            rows = columns.ats(np.flatnonzero(blank))
            reading.soft("null_island", f"{count_of(len(rows), 'row')} at 0, 0 left out", rows)
            there &= ~blank
        geometry = np.full(len(table), None, dtype=object)
        geometry[there] = shapely.points(lon[there], lat[there])
        table.geometry = geometry


def _ordinate(columns: Columns, name: str) -> np.ndarray:
    """Return lon or lat [n]; unlike other numbers it has no unit and any sign."""
    cells = columns.raw(name)
    out, bad = columns._convert(cells, columns._number, 1.0, None)
    columns._report(columns.mapped[name].name, bad, "coordinate")
    return out


def _from_wkt(columns: Columns) -> np.ndarray:
    table, reading = columns.table, columns.reading
    cells = columns.raw("wkt")
    text = [None if c is None else str(c).strip() for c in cells]
    srid = {t.split(";", 1)[0].upper() for t in text if t and t[:5].upper() == "SRID="}
    if len(srid) > 1:
        reading.fault(f"geometry with different SRIDs: {some(sorted(srid))}")
    elif srid and table.crs is None:
        table.crs = "EPSG:" + srid.pop().removeprefix("SRID=")
    plain = [t.split(";", 1)[1] if t and t[:5].upper() == "SRID=" else t for t in text]
    binary = all(t is None or (t[:2] in ("00", "01") and " " not in t) for t in plain)
    read = shapely.from_wkb if binary else shapely.from_wkt
    with np.errstate(all="ignore"):
        found = read(np.array(plain, dtype=object), on_invalid="ignore")
    geometry = np.asarray(found, dtype=object)
    bad = [i for i, t in enumerate(plain) if t and geometry[i] is None]
    if bad:
        at = some(f"{plain[i]!r:.40} at {columns.ats([i])[0]}" for i in bad)
        reading.fault(f"column '{columns.mapped['wkt'].name}': {len(bad)} not WKT ({at})")
    table.has_z = bool(shapely.has_z(geometry).any())
    return geometry


def clean(columns: Columns, want: str) -> None:
    """Make the (WGS84) geometry of the table sound and of the type ``want``, in place.

    ``want`` is point, line, polygon, point_or_polygon or any. Rows that end without location
    have geometry None.
    """
    table, reading = columns.table, columns.reading
    assert table.geometry is not None
    for row, text in table.faults:
        reading.fault(text, columns.at(row))
    geometry = table.geometry.copy()
    geometry[shapely.is_empty(geometry)] = None
    table.geometry = geometry
    if table.has_z:
        force_2d(table)
        reading.note("z_dropped", "heights (Z) are not used and dropped")
    if table.unclosed:
        rows = columns.ats(table.unclosed)
        text = f"{count_of(len(rows), 'feature')} with an unclosed ring, closed"
        if reading.spec.strict:
            reading.fault(f"{text} ({some(rows)}); refused because of `strict: true`")
        else:
            reading.note("ring_closed", f"{text} ({some(rows)})", len(rows))
    _wrap(columns)
    _repair(columns)
    _convert(columns, want)


def drop_nowhere(columns: Columns) -> Table:
    """Return the rows that have a location; the others are counted, too many are a fault."""
    table, reading = columns.table, columns.reading
    assert table.geometry is not None
    gone = shapely.is_missing(table.geometry)
    n, total = int(gone.sum()), len(table)
    if not n:
        return table
    rows = columns.ats(np.flatnonzero(gone))
    if n > max(1.0, total * MAX_NULL_GEOMETRY_PCT / 100) or n == total:
        reading.fault(
            f"{n:,} of {total:,} rows have no usable location ({some(rows)}), more than "
            f"{MAX_NULL_GEOMETRY_PCT:g} % (sitepick.layers.limits.MAX_NULL_GEOMETRY_PCT); "
            "give them one or drop them with `where:`"
        )
    else:
        reading.soft("null_geometry", f"{count_of(n, 'row')} without location left out", rows)
    return table.take(~gone)


def _repair(columns: Columns) -> None:
    table, reading = columns.table, columns.reading
    geometry = table.geometry
    assert geometry is not None
    areal = np.isin(shapely.get_type_id(geometry), AREAS)
    bad = np.flatnonzero(areal & ~shapely.is_valid(geometry))
    if not len(bad):
        return
    reasons = [str(r).split("[")[0].lower() for r in shapely.is_valid_reason(geometry[bad])]
    listed = some(f"{a}: {r}" for a, r in zip(columns.ats(bad), reasons, strict=True))
    text = f"{count_of(len(bad), 'invalid polygon')} repaired ({listed})"
    if reading.spec.strict:
        reading.fault(text.replace("repaired", "refused because of `strict: true`"))
    geometry[bad] = [_areas_of(g) for g in shapely.make_valid(geometry[bad])]
    reading.note("polygon_repaired", text, len(bad))
    lost = [i for i in bad if geometry[i] is None]
    if lost:
        at = some(columns.ats(lost))
        reading.fault(f"{count_of(len(lost), 'polygon')} without any area ({at})")


def _areas_of(geometry: Any) -> Any:
    parts = shapely.get_parts(shapely.get_parts(geometry))
    areas = parts[np.isin(shapely.get_type_id(parts), AREAS)]
    areas = shapely.get_parts(areas)
    if not len(areas):
        return None
    return areas[0] if len(areas) == 1 else shapely.multipolygons(areas)


def _wrap(columns: Columns) -> None:
    """Bring lon beyond ±180 back, and cut what crosses the antimeridian in two."""
    table, reading = columns.table, columns.reading
    geometry = table.geometry
    assert geometry is not None
    span = shapely.bounds(geometry)
    out = (span[:, 0] < -180 - 1e-9) | (span[:, 2] > 180 + 1e-9)
    wide = np.flatnonzero((span[:, 2] - span[:, 0] > 180) & ~out)
    crossing = [int(i) for i in wide if _jumps(geometry[i])]
    rows = sorted({*np.flatnonzero(out).tolist(), *crossing})
    if not rows:
        return
    for i in rows:
        geometry[i] = _halves(geometry[i], shift=i in set(crossing))
    text = f"{count_of(len(rows), 'feature')} beyond or across ±180° brought back"
    reading.note("antimeridian", f"{text} ({some(columns.ats(rows))})", len(rows))


def _jumps(geometry: Any) -> bool:
    """Whether two neighbouring corners are more than half the world apart."""
    if shapely.get_dimensions(geometry) < 1:
        return False
    lines = shapely.get_parts(shapely.boundary(geometry)) if geometry.area else [geometry]
    for part in shapely.get_parts(lines):
        lon = shapely.get_coordinates(part)[:, 0]
        # an edge from -180 to 180 is how a pole is closed, not a crossing
        edge = (abs(lon[1:]) == 180) & (abs(lon[:-1]) == 180)
        if ((abs(np.diff(lon)) > 180) & ~edge).any():
            return True
    return False


def _halves(geometry: Any, *, shift: bool) -> Any:
    if shift:
        geometry = shapely.transform(
            geometry, lambda xy: np.column_stack([xy[:, 0] % 360.0, xy[:, 1]])
        )
    if not shapely.is_valid(geometry):
        geometry = shapely.make_valid(geometry)
    size = shapely.get_dimensions(geometry)
    parts = []
    for turn in (-360, 0, 360):
        part = shapely.intersection(geometry, box(turn - 180, -90, turn + 180, 90))
        if not shapely.is_empty(part) and shapely.get_dimensions(part) == size:
            parts.append(_moved(part, -turn))
    whole = shapely.union_all(parts)
    return _areas_of(whole) if size == 2 else whole


def _moved(geometry: Any, degrees: float) -> Any:
    return shapely.transform(geometry, lambda xy: xy + np.array([degrees, 0.0]))


def _convert(columns: Columns, want: str) -> None:
    table, reading = columns.table, columns.reading
    geometry = table.geometry
    assert geometry is not None
    kind = shapely.get_type_id(geometry)
    if want == "any":
        return
    wrong = np.zeros(len(table), dtype=bool)
    if want == "point":
        single = np.isin(kind, (4, 7)) & (shapely.get_num_geometries(geometry) == 1)
        geometry[single] = shapely.get_geometry(geometry[single], 0)
        kind = shapely.get_type_id(geometry)
        other = np.flatnonzero(kind > 0)
        if len(other):
            shapes = sorted({NAMES[int(k)] for k in kind[other]})
            geometry[other] = shapely.point_on_surface(geometry[other])
            text = f"{len(other):,} features are {' or '.join(shapes)}: a point inside is used"
            reading.note("point_inside", f"{text} ({some(columns.ats(other))})", len(other))
    elif want == "line":
        wrong = ~np.isin(kind, (-1, *LINES))
    elif want == "polygon":
        wrong = ~np.isin(kind, (-1, *AREAS))
    else:
        single = (kind == 4) & (shapely.get_num_geometries(geometry) == 1)
        geometry[single] = shapely.get_geometry(geometry[single], 0)
        wrong = ~np.isin(shapely.get_type_id(geometry), (-1, 0, *AREAS))
    if wrong.any():
        rows = np.flatnonzero(wrong)
        shapes = sorted({NAMES[int(k)] for k in kind[rows]})
        reading.fault(
            f"{count_of(len(rows), 'feature')} {'is' if len(rows) == 1 else 'are'} "
            f"{' or '.join(shapes)} ({some(columns.ats(rows))}); "
            f"{reading.role} needs {want.replace('_', ' ')}s"
        )
        geometry[rows] = None
