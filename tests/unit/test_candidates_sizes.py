"""Time and memory at the sizes the design names. Limits are loose: they catch a wrong order."""

from __future__ import annotations

import os
import time
from pathlib import Path

import geopandas as gpd
import make_layers as make
import numpy as np
import pytest
import shapely

from sitepick.candidates import propose
from sitepick.layers.types import Layers


def grid_of(lon: np.ndarray, lat: np.ndarray, kv: np.ndarray, seed: int = 0) -> gpd.GeoDataFrame:
    rng = np.random.default_rng(seed)
    ids = [f"{k:05d}" for k in range(len(lon))]
    return gpd.GeoDataFrame(
        {
            "poi_id": ids, "name": ids, "kv": kv, "kv_levels": None,
            "headroom_mw": rng.uniform(0, 400, len(lon)),
            "from_date": None, "estimated": True, "synthetic": True,
        },
        geometry=shapely.points(lon, lat), crs=4326,
    )  # fmt: skip


@pytest.mark.slow
def test_reach_of_20000_sites_and_300_places_in_seconds():
    rng = np.random.default_rng(0)
    lon, lat = rng.uniform(-124, -67, (2, 20_000)) * [[1], [0]] + [[0], [38]]
    pois = grid_of(lon, lat + rng.uniform(-8, 8, 20_000), np.full(20_000, 138.0))
    cities = [
        {"place_id": f"c{k}", "at": (rng.uniform(-120, -70), rng.uniform(28, 47))}
        for k in range(300)
    ]
    # without a limit of latency every pair is kept
    scenario = make.scenario(demand={"it_mw": 1, "spread": "by_weight"})
    began = time.process_time()
    found = propose(scenario, Layers(pois=pois, demand=make.demand(*cities)))
    assert time.process_time() - began < 40
    assert len(found.reach) == 6_000_000
    assert found.reach.memory_usage(deep=True).sum() < 300e6


@pytest.mark.slow
def test_20000_parcel_polygons_against_exclusions_and_pois():
    rng = np.random.default_rng(0)
    lon, lat = rng.uniform(-106, -94, 20_000), rng.uniform(26, 36, 20_000)
    pois = grid_of(rng.uniform(-106, -94, 1250), rng.uniform(26, 36, 1250), np.full(1250, 138.0))
    ids = [f"P{k:05d}" for k in range(20_000)]
    half = 0.005
    parcels = gpd.GeoDataFrame(
        {
            "parcel_id": ids, "name": ids, "decision": "consider", "usable_ha": np.nan,
            "ask_musd": np.nan, "option_expires": None, "poi_ids": None, "climate": None,
            "max_it_mw": np.nan,
        },
        geometry=shapely.box(lon - half, lat - half, lon + half, lat + half), crs=4326,
    )  # fmt: skip
    parks = make.exclusions(
        *(
            {"geometry": make.square(rng.uniform(-106, -94), rng.uniform(26, 36), 0.1),
             "buffer_km": 5.0}
            for _ in range(200)
        )
    )  # fmt: skip
    began = time.process_time()
    found = propose(make.scenario(), Layers(pois=pois, parcels=parcels, exclusions=parks))
    assert time.process_time() - began < 40
    excluded = found.failed["test"] == "excluded:parks"
    assert 500 < excluded.sum() < 10_000
    # a whole parcel has 100 ha or more here: some lose a part of it
    assert found.sites["usable_ha"].between(1, 90).sum() > 20


@pytest.mark.realdata
@pytest.mark.parametrize(
    ("name", "rows", "limit_s"),
    [
        ("texas_substations.geojson", 1_250, 2),
        pytest.param("usa_substations.geojson.gz", 41_083, 30, marks=pytest.mark.slow),
    ],
)
def test_real_substations(name: str, rows: int, limit_s: float):
    root = os.environ.get("SITEPICK_REALDATA")
    if not root:
        pytest.skip("SITEPICK_REALDATA names no folder of real layers")
    path = Path(root) / "power" / "derived" / name
    read = gpd.read_file(f"/vsigzip/{path}" if path.suffix == ".gz" else path)
    pois = grid_of(
        read.geometry.x.to_numpy(), read.geometry.y.to_numpy(), read["max_kv"].to_numpy(float)
    )
    links = gpd.read_file(Path(root) / "fiber" / "derived" / "us_backbone_union_links.geojson")
    parks = gpd.read_file(
        Path(root) / "exclusion" / "natural_earth" / "ne_10m_parks_and_protected_lands_area.geojson"
    )
    layers = Layers(
        pois=pois,
        fiber_links=gpd.GeoDataFrame(
            {"link_id": links.index.astype(str), "from_node": None, "to_node": None},
            geometry=links.geometry,
        ),
        exclusions=gpd.GeoDataFrame(
            {"name": ["parks"] * len(parks), "buffer_km": 5.0, "include": False},
            geometry=parks.geometry,
        ),
    )
    rules = {"min_kv": 100, "min_headroom_mw": 50, "fiber_km_max": 80}
    began = time.process_time()
    found = propose(make.scenario(candidates=rules), layers)
    assert time.process_time() - began < limit_s
    assert found.waterfall[0] == ("looked at", rows)
    assert 0.3 * rows < found.waterfall[-1][1] < 0.9 * rows
    assert found.sites["fiber_km"].notna().all()
