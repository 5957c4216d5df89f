"""Coordinate reference systems: everything becomes lon/lat WGS84, or is refused by name."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import shapely

from sitepick.layers.columns import Columns
from sitepick.layers.limits import MAX_NULL_GEOMETRY_PCT
from sitepick.layers.reading import count_of, some

# NAD83 and ETRS89 differ from WGS84 by about 1-2 m, less than any coordinate here is good for
AS_WGS84 = ("OGC:CRS84", "EPSG:4326", "EPSG:4979", "EPSG:4269", "EPSG:4258")
_NAME = re.compile(r"(?:urn:ogc:def:crs:)?(EPSG|OGC|ESRI):(?:[\d.]*:)?([A-Za-z0-9]+)", re.I)


def parse(name: str) -> Any:
    """Return the pyproj CRS that ``name`` (``EPSG:2276``, an OGC URN, WKT) stands for.

    Raises:
        ValueError: it stands for none. Paths and PROJ strings are not tried.
    """
    import pyproj
    from pyproj.exceptions import CRSError

    short = _NAME.fullmatch(name.strip())
    if short is None and not re.match(r"[A-Z]+CRS\[|[A-Z]+CS\[", name.strip()):
        raise ValueError(f"'{name:.60}' is no CRS; write e.g. EPSG:2276")
    try:
        return pyproj.CRS.from_user_input(f"{short[1]}:{short[2]}".upper() if short else name)
    except CRSError:
        raise ValueError(f"CRS '{name:.60}' is unknown to PROJ; write e.g. EPSG:2276") from None


def to_wgs84(columns: Columns) -> bool:
    """Turn the table's geometry into lon/lat WGS84 in place; return whether that worked.

    The scenario's `crs:` counts before what the file states; a file that states none and holds
    values that are no degrees is a fault.
    """
    table, reading = columns.table, columns.reading
    assert table.geometry is not None
    xy, owner = shapely.get_coordinates(table.geometry, return_index=True)
    wild = np.unique(owner[~np.isfinite(xy).all(axis=1)])
    if len(wild):
        text = f"{count_of(len(wild), 'feature')} with coordinates that are no finite numbers"
        reading.fault(f"{text} ({some(columns.ats(wild))})")
        return False
    stated = table.crs
    name = reading.spec.crs or stated
    if name is None:
        return _assume_degrees(columns)
    try:
        crs = parse(name)
    except ValueError as error:
        reading.fault(f"{'crs' if reading.spec.crs else 'its CRS'}: {error}")
        return False
    if reading.spec.crs and stated is not None:
        try:
            if not parse(stated).equals(crs, ignore_axis_order=True):
                text = f"`crs: {name}` is used, though the file states another CRS"
                reading.note("crs_overruled", text)
        except ValueError:
            pass  # the file's own statement is unreadable; the scenario's counts
    if any(crs.equals(parse(same), ignore_axis_order=True) for same in AS_WGS84[1:]):
        return check_degrees(columns)
    return _transform(columns, crs)


def _transform(columns: Columns, crs: Any) -> bool:
    import pyproj

    table, reading = columns.table, columns.reading
    move = pyproj.Transformer.from_crs(crs, "EPSG:4326", always_xy=True)

    def change(xy: np.ndarray) -> np.ndarray:
        return np.column_stack(move.transform(xy[:, 0], xy[:, 1]))

    table.geometry = shapely.transform(table.geometry, change)
    lost = np.flatnonzero(~np.isfinite(shapely.bounds(table.geometry)).all(axis=1) & _there(table))
    if len(lost):
        reading.fault(
            f"{count_of(len(lost), 'feature')} lie outside what {crs.name} covers "
            f"({some(columns.ats(lost))}); is `crs:` right?"
        )
        return False
    unit = crs.axis_info[0].unit_name if crs.axis_info else ""
    reading.note("reprojected", f"reprojected from {crs.name} ({unit}) to WGS84", len(table))
    return check_degrees(columns)


def _there(table: Any) -> np.ndarray:
    return ~(shapely.is_missing(table.geometry) | shapely.is_empty(table.geometry))


def _assume_degrees(columns: Columns) -> bool:
    table, reading = columns.table, columns.reading
    fine = check_degrees(columns)
    if fine and not table.degrees and not table.tabular and len(table):
        text = "states no CRS; its values are degrees and read as WGS84 lon/lat"
        reading.note("crs_assumed", text, len(table))
    return fine


def check_degrees(columns: Columns) -> bool:
    """Judge whether the geometry is lon/lat; rows far out are dropped, whole layers refused."""
    table, reading = columns.table, columns.reading
    assert table.geometry is not None
    box = shapely.bounds(table.geometry)
    known = np.isfinite(box).all(axis=1)
    total = int(known.sum())
    if not total:
        return True
    lon = np.maximum(abs(box[:, 0]), abs(box[:, 2]))
    lat = np.maximum(abs(box[:, 1]), abs(box[:, 3]))
    far = known & ((lat > 90 + 1e-9) | (lon > 360 + 1e-9))
    n = int(far.sum())
    swapped = known & (lat > 90) & (lat <= 180) & (lon <= 90)
    if swapped.sum() > max(1, total * MAX_NULL_GEOMETRY_PCT / 100):
        first = columns.ats(np.flatnonzero(swapped))
        reading.fault(
            f"{int(swapped.sum()):,} of {total:,} features have |lat| > 90 ({some(first)}); "
            "are lon and lat swapped? GeoJSON and WKT want lon first"
        )
        return False
    if n > max(1, total * MAX_NULL_GEOMETRY_PCT / 100) or (n and n == total):
        i = int(np.flatnonzero(far)[0])
        reading.fault(
            f"coordinates such as ({box[i, 0]:,.1f}, {box[i, 1]:,.1f}) are outside "
            "±180/±90; they look like metres or feet: say which CRS they are in, "
            "e.g. `crs: EPSG:2276`"
        )
        return False
    if n:
        rows = np.flatnonzero(far)
        at = some(f"({box[i, 0]:g}, {box[i, 1]:g}) at {columns.ats([i])[0]}" for i in rows)
        text = f"{count_of(n, 'feature')} outside ±180/±90 left out: {at}"
        if reading.spec.strict:
            reading.fault(f"{text}; refused because of `strict: true`")
        else:
            reading.note("out_of_range", text, n)
        geometry = table.geometry.copy()
        geometry[rows] = None
        table.geometry = geometry
    south = known & ~far & (box[:, 3] < -60)
    if total >= 3 and south.sum() > 0.5 * total:
        reading.fault(
            f"{int(south.sum()):,} of {total:,} features lie in the Antarctic; "
            "are lon and lat swapped? GeoJSON and WKT want lon first"
        )
        return False
    return True
