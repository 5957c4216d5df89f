"""Which regions a point lies in, and which of them knows a value (the smallest that states it)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely

from sitepick.candidates.geo import Floats, as_geoms, as_points
from sitepick.layers.types import Note

if TYPE_CHECKING:
    import geopandas as gpd

COLUMNS = ["level", "region_id"]


def locate(
    ids: pd.Series, lon: Floats, lat: Floats, regions: gpd.GeoDataFrame | None, id_name: str
) -> tuple[pd.DataFrame, list[Note]]:
    """Return ``id_name, level, region_id`` for points, and notes on doubtful ones.

    A point in several regions of one level (an overlap or a common border) is in the first by id.
    Frames are sorted by id and level. Points without coordinates are in no region.
    """
    if regions is None or not len(regions):
        return pd.DataFrame({c: pd.Series(dtype=object) for c in (id_name, *COLUMNS)}), []
    known = np.flatnonzero(np.isfinite(lon) & np.isfinite(lat))
    # the tree holds the points: a query then prepares each polygon once, however detailed
    tree = shapely.STRtree(as_points(lon[known], lat[known]))
    polygon, point = tree.query(as_geoms(regions.geometry), predicate="intersects")
    hits = pd.DataFrame(
        {
            id_name: ids.to_numpy(dtype=object)[known[point]],
            "level": regions["level"].to_numpy(dtype=object)[polygon],
            "region_id": regions["region_id"].to_numpy(dtype=object)[polygon],
        }
    ).sort_values([id_name, *COLUMNS], ignore_index=True)
    first = ~hits.duplicated([id_name, "level"])
    notes = []
    for level, rows in hits[~first].groupby("level", sort=True):
        shown = sorted(set(rows[id_name]))
        notes.append(
            Note(
                "regions",
                "region_overlap",
                f"{len(shown)} places lie in several regions of level {level} (overlap or common "
                f"border); the first region by id was taken: {_some(shown)}",
                len(shown),
            )
        )
    inside = hits[first].reset_index(drop=True)
    for level in sorted(set(regions["level"])):
        missing = sorted(
            set(ids.to_numpy(dtype=object)[known]) - set(inside[id_name][inside["level"] == level])
        )
        if missing:
            notes.append(
                Note(
                    "regions",
                    "region_none",
                    f"{len(missing)} places lie in no region of level {level}: {_some(missing)}",
                    len(missing),
                )
            )
    return inside, notes


def most_specific(
    located: pd.DataFrame, id_name: str, values: pd.DataFrame, column: str, areas: pd.DataFrame
) -> dict[str, object]:
    """Return id -> the value of ``column`` in the smallest region around it that states one.

    ``values`` has level, region_id and ``column``; ``areas`` (of `region_areas`) ranks regions.
    """
    stated = values[[*COLUMNS, column]].dropna(subset=[column])
    if located.empty or stated.empty:
        return {}
    joined = located.merge(stated, on=COLUMNS).merge(areas, on=COLUMNS)
    joined = joined.sort_values([id_name, "area", *COLUMNS]).drop_duplicates(id_name)
    return dict(zip(joined[id_name], joined[column], strict=True))


def region_areas(regions: gpd.GeoDataFrame) -> pd.DataFrame:
    """Return level, region_id, area (km2, equal-area): smaller regions are more specific."""
    area = regions.geometry.to_crs(6933).area.to_numpy() / 1e6
    return pd.DataFrame(
        {
            "level": regions["level"].to_numpy(dtype=object),
            "region_id": regions["region_id"].to_numpy(dtype=object),
            "area": np.round(area, 3),
        }
    )


def table(regions: gpd.GeoDataFrame | None) -> pd.DataFrame:
    """Return the regions without geometry: level, region_id, name, capex_factor, attr:*."""
    columns = [*COLUMNS, "name", "capex_factor"]
    if regions is None:
        return pd.DataFrame({c: pd.Series(dtype=object) for c in columns})
    attributes = sorted(c for c in regions.columns if str(c).startswith("attr:"))
    plain = pd.DataFrame(regions[[*columns, *attributes]])
    return plain.sort_values(COLUMNS, ignore_index=True)


def _some(ids: list[str], most: int = 5) -> str:
    return ", ".join(ids[:most]) + (f" and {len(ids) - most} more" if len(ids) > most else "")
