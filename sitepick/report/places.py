"""What the page maps: places and lines as plain, rounded values, whoever draws them."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sitepick.bundled import data_dir
from sitepick.errors import LayerError
from sitepick.exports.fiber import period_names
from sitepick.exports.sheet import dump_json
from sitepick.exports.simplify import Box, Part, lines_by_kv, parts_of, shapes_from, within
from sitepick.report.charts import period_ticks

if TYPE_CHECKING:
    from sitepick.exports.rows import SiteRows
    from sitepick.exports.sheet import Row, Sheet
    from sitepick.run import Run

MOST_POINTS = 50_000
_MOST_LINE_POINTS = 60_000
_MOST_EXCLUDED_POINTS = 20_000
_WORDS_FOR = 15_000  # so many candidates keep their verdict in full
_LONGEST = 240  # characters of a verdict
_MARGIN = 0.08  # of the extent, on each side
_LEAST = 0.1  # degrees, of an extent
_PIXELS = 1600  # across which a view is sharp
_MOST_CITIES = 14
_APART = 0.09  # of the extent, between names of cities

Columns = dict[str, list[Any]]
_OF_LINK = (
    "service", "name", "ends", "route", "partner", "km", "rtt_ms", "tbps", "by_period", "part",
)  # fmt: skip


@dataclass(frozen=True)
class PlanMap:
    """Places as columns of equal length, lines as parts (see `sitepick.exports.simplify`).

    ``sites`` has it_mw, grid_mw and hall (index into ``halls``, -1: nothing stands) as one list per
    site, a value per period. ``said`` tells what is not drawn.
    """

    extent: Box
    periods: tuple[str, ...]
    ticks: tuple[str, ...]
    halls: tuple[str, ...]
    sites: Columns
    candidates: Columns
    substations: Columns
    lines: tuple[tuple[str, list[Part]], ...]
    fiber: list[Part]
    ties: list[Part]
    limiting: list[Part]
    outlines: list[Part]
    cities: Columns  # name, lon, lat: for orientation only
    exclusions: list[Part]
    said: tuple[str, ...] = ()
    links: Columns = field(default_factory=dict)
    """Links over fiber, a row per piece of line: service, name, ends, route, partner (bool),
    km, rtt_ms, tbps (most), by_period (Tb/s, a value per period), part."""

    def hall_indices(self) -> list[list[int]]:
        """Return the classes of each site, one per period, as indices into ``halls``."""
        return self.sites["hall"]


def map_of(run: Run, made: SiteRows, sheets: Mapping[str, Sheet]) -> PlanMap | None:
    """Return the map of a run with a plan; None where no candidate has a place."""
    sites = _sites(made, sheets["sites"])
    candidates = _candidates(sheets["candidates"])
    extent = _extent(candidates)
    if extent is None:
        return None
    said: list[str] = []
    west, south, east, north = extent
    tolerance = max(east - west, north - south) / _PIXELS
    wide = (west - (east - west), max(-85.0, south - (north - south)),
            east + (east - west), min(85.0, north + (north - south)))  # fmt: skip
    layers = run.prepared.layers
    classes = [] if layers.lines is None else lines_by_kv(layers.lines, wide, tolerance)
    kept, _ = within(classes, _MOST_LINE_POINTS)
    if len(kept) < len(classes):
        said.append(f"lines {', '.join(c for c, _ in classes[len(kept) :])}")
    fiber = [] if layers.fiber_links is None else layers.fiber_links.geometry
    excluded: list[Part] = []
    if layers.exclusions is not None:
        rules = layers.exclusions
        excluded = parts_of(rules.geometry[~rules["include"].astype(bool)], wide, tolerance)
        if sum(map(len, excluded)) // 2 > _MOST_EXCLUDED_POINTS:
            excluded = []
            said.append("exclusions")
    substations = _substations(sheets["substations"])
    for name, of in (("candidates", candidates), ("substations", substations)):
        if len(of["id"]) > MOST_POINTS:
            said.append(f"{len(of['id']) - MOST_POINTS:,} {name}")
            _cut(of, MOST_POINTS)
    return PlanMap(
        extent, made.solution.periods, period_ticks(made.solution.periods),
        tuple(made.by_hall) or ("IT MW",), sites, candidates, substations,
        tuple(classes[i] for i in kept), parts_of(fiber, wide, tolerance),
        _flat(sheets["links"]), _limiting(run), _outlines(run, wide, tolerance),
        _cities(extent), excluded, tuple(said),
        _links(made, sheets.get("fiber_links"), wide, tolerance),
    )  # fmt: skip


def _sites(made: SiteRows, sheet: Sheet) -> Columns:
    at = {name: t for t, name in enumerate(made.solution.periods)}
    it: dict[str, list[float]] = defaultdict(lambda: [0.0] * len(at))
    grid: dict[str, list[float]] = defaultdict(lambda: [0.0] * len(at))
    hall: dict[str, list[int]] = defaultdict(lambda: [-1] * len(at))
    for row in made.sheet().rows:
        site, t = row["site_id"], at[row["period"]]
        it[site][t] = round(row["it_mw"], 2)
        grid[site][t] = round(row["grid_mw_peak"] or 0.0, 2)
        by_class = [row[c] or 0.0 for c in made.by_hall.values()] or [row["it_mw"]]
        if max(by_class) > 0:
            hall[site][t] = by_class.index(max(by_class))
    rows = sorted(sheet.rows, key=lambda r: (-r["it_mw"], r["site_id"]))  # as in the table of sites
    out = _columns(rows, {"id": "site_id", "name": "name", "lon": "lon", "lat": "lat",
                          "poi": "poi_id", "opened": "opened", "status": "status"})  # fmt: skip
    out["it_mw"] = [it[r["site_id"]] for r in rows]
    out["grid_mw"] = [grid[r["site_id"]] for r in rows]
    out["hall"] = [hall[r["site_id"]] for r in rows]
    out["cost"] = [_rounded(r["usd_per_kw_month"], 0) for r in rows]
    return out


def _candidates(sheet: Sheet) -> Columns:
    rows = sorted(sheet.rows, key=lambda r: (r["status"] == "rejected", r["site_id"]))
    out = _columns(rows, {"id": "site_id", "name": "name", "lon": "lon", "lat": "lat",
                          "status": "status", "poi": "poi_id"})  # fmt: skip
    out["test"] = [r["failed"][0]["test"] if r["failed"] else "" for r in rows]
    out["verdict"] = [r["verdict"] for r in rows]
    brief = len(rows) > _WORDS_FOR
    out["why"] = [_why(r, brief) for r in rows]
    for name in ("estimate", "proven"):
        out[f"{name}_musd"] = [_rounded(r[f"forced_cost_{name}_musd"], 1) for r in rows]
    out["tie_km"] = [_rounded(r["tie_km"], 1) for r in rows]
    out["usable_ha"] = [_rounded(r["usable_ha"], 1) for r in rows]
    return out


def _why(row: Row, brief: bool) -> str:
    if brief and row["status"] == "rejected":
        return ", ".join(t["test"] for t in row["failed"])[:_LONGEST]
    text = str(row["why"] or "")
    if brief:  # its cost if forced in stands beside it, as numbers
        text = text.partition("; forced in ")[0]
    return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."


def _substations(sheet: Sheet) -> Columns:
    rows = sorted(sheet.rows, key=lambda r: (-(r["headroom_mw"] or 0.0), r["poi_id"]))
    out = _columns(rows, {"id": "poi_id", "name": "name", "lon": "lon", "lat": "lat"})
    for name, decimals in (("kv", 1), ("headroom_mw", 1), ("letters_mw", 1), ("grid_mw", 1)):
        out[name] = [_rounded(r[name], decimals) for r in rows]
    out["estimated"] = [bool(r["estimated"]) for r in rows]
    return out


def _columns(rows: list[Row], names: dict[str, str]) -> Columns:
    out: Columns = {ours: [r[theirs] for r in rows] for ours, theirs in names.items()}
    for axis in ("lon", "lat"):
        out[axis] = [_rounded(v, 5) for v in out[axis]]
    return out


def _rounded(value: float | None, decimals: int) -> float | None:
    return None if value is None else round(value, decimals) + 0.0


def _cut(columns: Columns, most: int) -> None:
    for values in columns.values():
        del values[most:]


def _extent(candidates: Columns) -> Box | None:
    """Return the box of the candidates with a margin; None where none has a place."""
    at = [
        (lon, lat, status == "rejected")
        for lon, lat, status in zip(
            candidates["lon"], candidates["lat"], candidates["status"], strict=True
        )
        if lon is not None and lat is not None
    ]
    first = [p[:2] for p in at if not p[2]] or [p[:2] for p in at]
    if not first:
        return None
    box = _box(first)
    # the rejected nearby too, but not one whose coordinates are what is wrong with it
    wide, high = (box[2] - box[0]) / 2, (box[3] - box[1]) / 2
    near = [
        (lon, lat)
        for lon, lat, _ in at
        if box[0] - wide <= lon <= box[2] + wide and box[1] - high <= lat <= box[3] + high
    ]
    west, south, east, north = _box(near)
    across = max(_LEAST, (east - west) * _MARGIN)
    up = max(_LEAST, (north - south) * _MARGIN)
    return west - across, max(-85.0, south - up), east + across, min(85.0, north + up)


def _box(points: list[tuple[float, float]]) -> Box:
    lon, lat = [p[0] for p in points], [p[1] for p in points]
    return min(lon), min(lat), max(lon), max(lat)


def _flat(links: Sheet) -> list[Part]:
    return [
        [round(float(x), 5) for position in line for x in position]
        for geometry in links.geometry or ()
        if geometry is not None
        for line in geometry["coordinates"]
    ]


def _links(made: SiteRows, sheet: Sheet | None, wide: Box, tolerance: float) -> Columns:
    out: Columns = {name: [] for name in _OF_LINK}
    if sheet is None:
        return out
    names = period_names(made)
    for row, shape in zip(sheet.rows, sheet.geometry or (), strict=True):
        if shape is None:
            continue
        told = {
            "service": row["service"], "name": row["link_id"],
            "ends": f"{row['from_name']} - {row['to_name']}", "route": row["route"],
            "partner": row["disjoint_link_id"] is not None and row["route"] > 1,
            "km": _rounded(row["route_km"], 1), "rtt_ms": _rounded(row["rtt_ms"], 3),
            "tbps": _rounded(row["tbps"], 4),
            "by_period": [_rounded(row[f"tbps_{name}"], 4) for name in names],
        }  # fmt: skip
        for part in parts_of(shapes_from(dump_json(shape)), wide, tolerance):
            for name, value in {**told, "part": part}.items():
                out[name].append(value)
    return out


def _limiting(run: Run) -> list[Part]:
    """Return the branches that limit the plan, straight between buses that have places.

    A bus without coordinates of its own stands where its substation does.
    """
    study, pois = run.prepared.study, run.prepared.layers.pois
    if run.grid is None or study is None:
        return []
    grid = study.grid
    stands: dict[str, tuple[float, float]] = {}
    if pois is not None:
        stands = {
            poi: (p.x, p.y) for poi, p in zip(pois["poi_id"], pois.geometry, strict=True) if p
        }

    def place(bus: int) -> tuple[float, float]:
        if len(grid.bus_lon) and grid.bus_lon[bus] == grid.bus_lon[bus]:
            return float(grid.bus_lon[bus]), float(grid.bus_lat[bus])
        poi = int(grid.poi_of_bus[bus]) if len(grid.poi_of_bus) else -1
        nowhere = (float("nan"), float("nan"))
        return stands.get(grid.poi_ids[poi], nowhere) if poi >= 0 else nowhere

    at = {name: i for i, name in enumerate(grid.branch_ids)}
    out = []
    for name in dict.fromkeys(limit.branch_id for limit in run.grid.limiting):
        if name not in at:  # an interface or a corridor
            continue
        ends = (int(grid.from_bus[at[name]]), int(grid.to_bus[at[name]]))
        part = [round(x, 5) for bus in ends for x in place(bus)]
        if all(x == x for x in part):
            out.append(part)
    return out


def _cities(extent: Box) -> Columns:
    """Return the largest cities of the bundled list within the map, so far apart as names need."""
    out: Columns = {"name": [], "lon": [], "lat": []}
    west, south, east, north = extent
    try:
        text = (data_dir() / "us_cities.csv").read_text(encoding="utf-8")
    except LayerError:
        return out
    rows = sorted(csv.DictReader(text.splitlines()), key=lambda r: -float(r["population"]))
    for row in rows:
        lon, lat = float(row["lon"]), float(row["lat"])
        free = all(
            abs(lon - x) > _APART * (east - west) or abs(lat - y) > _APART / 2 * (north - south)
            for x, y in zip(out["lon"], out["lat"], strict=True)
        )
        if free and west < lon < east and south < lat < north:
            for key, value in (("name", row["name"]), ("lon", lon), ("lat", lat)):
                out[key].append(value)
        if len(out["name"]) == _MOST_CITIES:
            break
    return out


def _outlines(run: Run, box: Box, tolerance: float) -> list[Part]:
    """Return the outlines of US states; elsewhere those of the coarsest level of the regions."""
    try:
        text = (data_dir() / "us_states.geojson").read_text(encoding="utf-8")
    except LayerError:  # an installation without the bundled data: a map without outlines
        return []
    found = parts_of(shapes_from(text), box, tolerance)
    regions = run.prepared.layers.regions
    if found or regions is None or not len(regions):
        return found
    level = regions["level"].value_counts().sort_index().idxmin()
    return parts_of(regions.geometry[regions["level"] == level], box, tolerance)
