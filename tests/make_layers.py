"""Builds clean `Layers` frames and scenarios by hand, one short call per role."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from sitepick.scenario.schema import Scenario

Rows = Sequence[Mapping[str, Any]]


def _frame(rows: Rows, defaults: Mapping[str, Any]) -> pd.DataFrame:
    columns = [*defaults, *sorted({k for r in rows for k in r} - set(defaults))]
    return pd.DataFrame(
        {c: pd.Series([r.get(c, defaults.get(c)) for r in rows], dtype=_dtype(c)) for c in columns}
    )


def _dtype(column: str) -> Any:
    return float if column.endswith(_NUMBERS) or column in ("kv", "weight", "value") else object


_NUMBERS = ("_mw", "_ha", "_musd", "_km", "_mwh", "_month", "_factor", "_mva", "_pct", "_total")


def _geo(rows: Rows, defaults: Mapping[str, Any]) -> gpd.GeoDataFrame:
    shapes = [
        r["geometry"] if "geometry" in r else shapely.Point(r["at"]) if "at" in r else None
        for r in rows
    ]
    plain = [{k: v for k, v in r.items() if k not in ("geometry", "at")} for r in rows]
    return gpd.GeoDataFrame(_frame(plain, defaults), geometry=shapes, crs=4326)


def pois(*rows: Mapping[str, Any]) -> gpd.GeoDataFrame:
    frame = _geo(
        rows,
        {"poi_id": None, "name": "", "kv": 138.0, "kv_levels": None, "headroom_mw": np.nan,
         "from_date": None, "estimated": False, "synthetic": False},
    )  # fmt: skip
    return frame.astype({"estimated": bool, "synthetic": bool})


def parcels(*rows: Mapping[str, Any]) -> gpd.GeoDataFrame:
    return _geo(
        rows,
        {"parcel_id": None, "name": "", "decision": "consider", "usable_ha": np.nan,
         "ask_musd": np.nan, "option_expires": None, "poi_ids": None, "climate": None,
         "max_it_mw": np.nan},
    )  # fmt: skip


def sites(*rows: Mapping[str, Any]) -> gpd.GeoDataFrame:
    return _geo(
        rows,
        {"site_id": None, "name": "", "fixed_musd": 0.0, "capacity_mw": np.nan,
         "usable_ha": np.nan, "poi_ids": None, "climate": None},
    )  # fmt: skip


def regions(*rows: Mapping[str, Any]) -> gpd.GeoDataFrame:
    return _geo(
        rows,
        {"level": "state", "region_id": None, "name": "", "climate": None,
         "co2_kg_per_mwh": np.nan, "energy_usd_per_mwh": np.nan, "capex_factor": np.nan},
    )  # fmt: skip


def exclusions(*rows: Mapping[str, Any]) -> gpd.GeoDataFrame:
    frame = _geo(rows, {"name": "parks", "buffer_km": 0.0, "include": False})
    return frame.astype({"include": bool})


def demand(*rows: Mapping[str, Any]) -> gpd.GeoDataFrame:
    frame = _geo(rows, {"place_id": None, "name": "", "weight": 1.0, "mw": np.nan})
    return frame.astype({"mw": float})


def fiber_links(*lines: Sequence[tuple[float, float]]) -> gpd.GeoDataFrame:
    rows = [{"link_id": f"L{k}", "geometry": shapely.LineString(c)} for k, c in enumerate(lines)]
    return _geo(rows, {"link_id": None, "from_node": None, "to_node": None})


def offers(*rows: Mapping[str, Any]) -> pd.DataFrame:
    frame = _frame(
        rows,
        {"offer_id": None, "poi_id": None, "mw_total": np.nan, "from_date": date(2028, 1, 1),
         "to_date": None, "stage": "signed", "firm": True, "curtail_hours_per_year": 0.0,
         "min_take_pct": 0.0, "security_kusd_per_mw": 0.0, "upgrade_musd": 0.0, "reply_by": None,
         "letter_date": None, "source": "letter", "ramp_years": 0.0},
    )  # fmt: skip
    return frame.astype({"firm": bool})


def table(*rows: Mapping[str, Any]) -> pd.DataFrame:
    return _frame(rows, dict.fromkeys(rows[0]))


def square(lon: float, lat: float, half_deg: float) -> shapely.Polygon:
    return shapely.box(lon - half_deg, lat - half_deg, lon + half_deg, lat + half_deg)


def scenario(**sections: Any) -> Scenario:
    """Return a scenario of 2027-2031 with 100 IT MW anywhere, changed by ``sections``."""
    base: dict[str, Any] = {
        "version": 1,
        "as_of": "2026-11-01",
        "periods": {"from": "2027", "to": "2031"},
        "demand": {"it_mw": 100},
    }
    return Scenario.model_validate({**base, **sections})
