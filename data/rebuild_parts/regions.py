"""States and counties (US Census 2016 boundaries, by plotly-geo) as clean, simplified polygons."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import shapely

from rebuild_parts.archives import wheel
from rebuild_parts.write import DATA, feature, write_geojson

FOLDER = "_plotly_geo/package_data/"
DIGITS = 4
GRID_DEG = 10.0**-DIGITS
# Corners of a smaller area than this squared go: about 1 km and 400 m.
STATE_TOLERANCE_DEG = 0.01
COUNTY_TOLERANCE_DEG = 0.004
TEXAS_SPLIT_LON = -100.0  # Texas counties with their middle east of it are hot and humid
EQUAL_AREA = 5070  # metres, contiguous US
SHORE_M = 10_000.0
NOTICE = {"attribution": "US Census Bureau cartographic boundaries 2016, simplified"}


def build(folder: Path) -> None:
    """Write ``us_states.geojson`` and ``us_counties.geojson.gz``."""
    archive = wheel("plotly-geo", folder)
    states = _read(archive, "cb_2016_us_state_500k.shp")
    counties = _read(archive, "cb_2016_us_county_500k.shp")
    climate = pd.read_csv(DATA / "tables" / "climate_by_state.csv", dtype=str)
    climate_of = climate.set_index("state_id")["climate"].to_dict()
    wanted = states["STATEFP"].isin(set(climate_of))
    states = states[wanted].sort_values("GEOID").reset_index(drop=True)
    state_name = states.set_index("STATEFP")["NAME"]
    counties = counties[counties["STATEFP"].isin(set(climate_of))]
    counties = counties.sort_values("GEOID").reset_index(drop=True)
    state_shapes = _clean(states.geometry, STATE_TOLERANCE_DEG)
    write_geojson(
        "us_states.geojson",
        [
            feature(
                {
                    "region_id": row.GEOID,
                    "name": row.NAME,
                    "state": row.NAME,
                    "postal": row.STUSPS,
                    "climate": climate_of[row.STATEFP],
                },
                _geometry(shape),
            )
            for row, shape in zip(states.itertuples(index=False), state_shapes, strict=True)
        ],
        **NOTICE,
    )
    county_shapes = _clean(counties.geometry, COUNTY_TOLERANCE_DEG)
    write_geojson(
        "us_counties.geojson.gz",
        [
            feature(
                {
                    "region_id": row.GEOID,
                    "name": row.NAME,
                    "state": state_name[row.STATEFP],
                    "state_id": row.STATEFP,
                    "climate": county_climate(climate_of[row.STATEFP], row.STATEFP, shape),
                },
                _geometry(shape),
            )
            for row, shape in zip(counties.itertuples(index=False), county_shapes, strict=True)
        ],
        **NOTICE,
    )


def county_climate(state_climate: str, state_id: str, shape: Any) -> str:
    """Climate of a county: its state's, with Texas split by longitude."""
    if state_id != "48":
        return state_climate
    return "hot_humid" if shape.representative_point().x > TEXAS_SPLIT_LON else "hot_dry"


def county_of_points(lons: Iterable[float], lats: Iterable[float]) -> tuple[list[Any], list[Any]]:
    """Name and id of the county of each point, None more than `SHORE_M` outside every county.

    Simplified shores leave a few harbour substations just outside their county.
    """
    counties = _counties().to_crs(EQUAL_AREA)
    points = gpd.GeoDataFrame(geometry=gpd.points_from_xy(list(lons), list(lats)), crs=4326)
    near = gpd.sjoin_nearest(points.to_crs(EQUAL_AREA), counties, how="left", max_distance=SHORE_M)
    # A point on a border meets two counties; the lower id wins.
    near = near.sort_values("region_id").groupby(level=0).first().reindex(points.index)
    names = [None if pd.isna(item) else str(item) for item in near["name"]]
    ids = [None if pd.isna(item) else str(item) for item in near["region_id"]]
    return names, ids


@cache
def _counties() -> gpd.GeoDataFrame:
    path = DATA / "us_counties.geojson.gz"
    return gpd.read_file(f"/vsigzip/{path}")[["region_id", "name", "geometry"]]


def _read(archive: Path, member: str) -> gpd.GeoDataFrame:
    # The shapefiles come without a .prj; the Census publishes them in NAD83, within 2 m of WGS84.
    return gpd.read_file(f"/vsizip/{{{archive}}}/{FOLDER}{member}")


def _clean(shapes: gpd.GeoSeries, tolerance: float) -> list[Any]:
    """Round to the output grid, drop vertices that neighbours agree on, repair what broke."""
    gridded = shapely.set_precision(shapes.to_numpy(), GRID_DEG)
    simple = shapely.coverage_simplify(gridded, tolerance)
    result = []
    for shape in simple:
        valid = shape if shape.is_valid else shapely.make_valid(shape, method="structure")
        result.append(shapely.orient_polygons(shapely.set_precision(valid, GRID_DEG)))
    return result


def _geometry(shape: Any) -> dict[str, Any]:
    """MultiPolygon (always, for one geometry type per layer), largest part first."""
    parts = [part for part in getattr(shape, "geoms", [shape]) if part.geom_type == "Polygon"]
    parts.sort(key=lambda part: -part.area)
    rings = [[_ring(part.exterior), *map(_ring, part.interiors)] for part in parts]
    return {"type": "MultiPolygon", "coordinates": rings}


def _ring(ring: Any) -> list[list[float]]:
    return [[round(x, DIGITS), round(y, DIGITS)] for x, y in ring.coords]
