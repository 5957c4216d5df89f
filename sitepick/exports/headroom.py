"""Screened headroom as a layer: a file that a scenario can read as `substations`."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sitepick.errors import ScenarioError
from sitepick.exports.csv_out import write_csv
from sitepick.exports.folder import TEMPORARY
from sitepick.exports.geojson_out import write_geojson
from sitepick.exports.gpkg_out import write_gpkg
from sitepick.exports.sheet import Field, Row, Sheet, plain

if TYPE_CHECKING:
    from sitepick.network.headroom import Headroom
    from sitepick.network.types import Grid

ENDINGS = (".csv", ".geojson", ".gpkg")
_FIELDS = (
    Field("poi_id", "", "text", "substation (POI)"),
    Field("name", "", "text", "its name, where a substations layer gives one"),
    Field("lon", "degrees", "number", "longitude, WGS84"),
    Field("lat", "degrees", "number", "latitude, WGS84"),
    Field("kv", "kV", "number", "highest voltage of its buses, where the load is added"),
    Field(
        "headroom_mw",
        "grid MW",
        "number",
        "withdrawal headroom of this POI alone: an indicator, not additive, no utility's word",
    ),
    Field("headroom_limit", "", "text", "branch that binds; none: nothing below the cap"),
    Field("headroom_limit_kv", "kV", "number", "lower voltage of that branch's two ends"),
    Field("headroom_outage", "", "text", "line lost at that moment; base: everything in service"),
    Field("condition", "", "text", "study condition; stored: load and dispatch of the tables"),
    Field("headroom_estimated", "", "boolean", "true: screened by DC power flow"),
    Field("limit_estimated", "", "boolean", "rating or reactance of the branch is estimated"),
    Field("synthetic", "", "boolean", "the grid is not a real one"),
)


@dataclass(frozen=True)
class Place:
    """Name and place of a POI."""

    name: str | None  # None = unknown
    lon: float
    lat: float


def headroom_sheet(
    grid: Grid, found: Headroom, places: dict[str, Place], condition: str, min_kv: float
) -> Sheet:
    """Return the POIs of a screening, with name and place where ``places`` knows them."""
    at = {branch: k for k, branch in enumerate(grid.branch_ids)}
    guessed = grid.rating_estimated | grid.x_estimated
    rows: list[Row] = []
    for poi, mw, limit, outage in zip(
        found.ids, found.headroom_mw, found.limit_id, found.outage_id, strict=True
    ):
        place, line = places.get(poi), at.get(limit)
        rows.append(
            {
                "poi_id": plain(poi),
                "name": None if place is None else plain(place.name),
                "lon": None if place is None else plain(place.lon),
                "lat": None if place is None else plain(place.lat),
                "kv": plain(float(grid.bus_kv[grid.poi_bus[grid.poi_index[poi]]])),
                "headroom_mw": round(float(mw), 3) if np.isfinite(mw) else None,
                "headroom_limit": plain(limit),
                "headroom_limit_kv": None
                if line is None
                else plain(float(grid.bus_kv_of_branch[line])),
                "headroom_outage": plain(outage),
                "condition": plain(condition),
                "headroom_estimated": True,
                "limit_estimated": line is not None and bool(guessed[line]),
                "synthetic": grid.synthetic,
            }
        )
    shapes: list[Row | None] = [
        None
        if row["lon"] is None or row["lat"] is None
        else {"type": "Point", "coordinates": [row["lon"], row["lat"]]}
        for row in rows
    ]
    meaning = f"withdrawal headroom of POIs of {min_kv:g} kV and more, each alone, {condition}"
    return Sheet("headroom", meaning, _FIELDS, rows, shapes, "Point")


def check_target(path: Path, force: bool) -> None:
    """Refuse a file that cannot be written. Raises ScenarioError."""
    if path.suffix.lower() not in ENDINGS:
        raise ScenarioError(f"{path}: the name must end in {', '.join(ENDINGS)}")
    if path.is_symlink() or path.is_dir():
        raise ScenarioError(f"{path}: is a folder or a symbolic link; name a file")
    if path.exists() and not force:
        raise ScenarioError(f"{path}: exists; name another file or add --force")
    if not path.parent.is_dir():
        raise ScenarioError(f"{path}: the folder {path.parent} does not exist; make it first")


def write_headroom(sheet: Sheet, path: Path) -> None:
    """Write the sheet by the file's ending. The file appears whole or not at all.

    Raises ScenarioError if it cannot be written.
    """
    try:
        with tempfile.TemporaryDirectory(
            prefix=f"{TEMPORARY}{path.name}-", dir=path.parent
        ) as folder:
            file = Path(folder) / "file"
            _WRITERS[path.suffix.lower()](sheet, file)
            file.replace(path)
    except OSError as error:
        raise ScenarioError(
            f"{path}: cannot be written: {error.strerror or error}; nothing was written"
        ) from error


def _write_gpkg(sheet: Sheet, path: Path) -> None:
    write_gpkg([sheet], path)


_WRITERS: dict[str, Callable[[Sheet, Path], None]] = {
    ".csv": write_csv, ".geojson": write_geojson, ".gpkg": _write_gpkg,
}  # fmt: skip
