"""Large real layers, found by the folder SITEPICK_REALDATA: counts that were checked by hand."""

from __future__ import annotations

import os
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from sitepick.errors import LayerError
from sitepick.layers import Layers, load
from sitepick.scenario.flexible import Flexible
from sitepick.scenario.inputs import LayerList

REAL = Path(os.environ.get("SITEPICK_REALDATA", ""))
pytestmark = [
    pytest.mark.realdata,
    pytest.mark.skipif(
        not os.environ.get("SITEPICK_REALDATA"),
        reason="set SITEPICK_REALDATA to the folder of the large real layers",
    ),
]
COUNTY = {"layer": "counties", "level": "county"}
FACTS = {"file": "hazard/fema_nri/NRI_Table_Counties.csv.gz", "id": "STCOFIPS"}
NATURAL = "regions/natural_earth"
LONLAT = {"lon": "longitude", "lat": "latitude"}


def read(**roles: Any) -> Layers:
    return load(SimpleNamespace(layers=LayerList(**roles), flexible=Flexible()), REAL)  # type: ignore[arg-type]


READ: list[tuple[str, str, dict[str, Any], int, dict[str, int]]] = [
    ("substations", "power/derived/texas_substations.geojson", {"id": "sub_id"}, 1250, {}),
    (
        "substations",
        "power/derived/usa_substations.geojson.gz",
        {"id": "sub_id"},
        41083,
        {"same_place": 23},
    ),
    ("lines", "power/derived/texas_lines.geojson", {"id": "branch_id"}, 2346, {}),
    ("lines", "power/derived/usa_lines_230kv_up.geojson.gz", {"id": "branch_id"}, 6023, {}),
    (
        "substations",
        "power/hifld/substations_partial.geojson.gz",
        {"preset": "hifld"},
        6477,
        {"kv_unknown": 1783, "ids_made": 6477},
    ),
    (
        "lines",
        "power/hifld/transmission_lines_partial.geojson.gz",
        {"preset": "hifld_lines"},
        1194,
        {"kv_unknown": 193, "null_word": 193},
    ),
    (
        "lines",
        "power/hifld/transmission_lines_va_from_tiles.geojson.gz",
        {"preset": "hifld"},
        2075,
        {},
    ),
    (
        "lines",
        "power/hifld/transmission_lines_tx_from_tiles.geojson.gz",
        {"preset": "hifld"},
        7734,
        {},
    ),
    (
        "substations",
        "power/entsoe_gridkit/buses.csv.gz",
        {"preset": "pypsa"},
        8807,
        {"kv_unknown": 82},
    ),
    ("lines", "power/entsoe_gridkit/lines.csv.gz", {"preset": "pypsa"}, 11151, {}),
    ("lines", "power/entsoe_gridkit/links.csv", {"preset": "pypsa"}, 62, {}),
    (
        "substations",
        "power/breakthrough_usa_tamu/sub.csv.gz",
        {"preset": "breakthrough"},
        41083,
        {"joined": 0},
    ),
    (
        "lines",
        "power/breakthrough_usa_tamu/branch.csv.gz",
        {"preset": "breakthrough"},
        61440,
        {"zero_length": 10, "rating_unlimited": 1, "joined": 42742},
    ),
    ("fiber_nodes", "fiber/derived/us_backbone_union_nodes.geojson", {}, 213, {}),
    ("fiber_links", "fiber/derived/us_backbone_union_links.geojson", {}, 469, {}),
    ("fiber_nodes", "fiber/topohub/backbone__europe_nosc.json", {}, 554, {}),
    ("fiber_links", "fiber/topohub/backbone__europe_nosc.json", {}, 846, {"straight_links": 846}),
    ("fiber_links", "fiber/topohub/sndlib__janos-us-ca.json", {}, 61, {}),
    (
        "fiber_links",
        "fiber/natural_earth_row/ne_10m_railroads_north_america.geojson.gz",
        {},
        1127,
        {},
    ),
    ("demand", "datacenters/osm_overpass/osm_us_va.json", {"id": "osm_id"}, 389, {}),
    ("demand", "datacenters/osm_overpass/osm_us_tx.json", {"id": "osm_id"}, 133, {}),
    ("demand", "datacenters/im3/im3_datacenter_centroids.geojson", {}, 1165, {}),
    ("exclusions", "datacenters/im3/im3_datacenter_footprints.geojson", {}, 1233, {}),
    (
        "demand",
        "regions/geonames/cities15000_us_ca_mx.csv",
        {"fields": {"place_id": "geonameid", **LONLAT}, "where": "countrycode = 'US'"},
        3407,
        {"filtered": 1150},
    ),
    (
        "demand",
        "power/wri_gppd/database_USA.csv.gz",
        {"fields": {"place_id": "gppd_idnr", **LONLAT}},
        11846,
        {"out_of_range": 1, "null_geometry": 33},
    ),
    (
        "demand",
        "markets/commongrid/pricing-nodes.json.gz",
        {"fields": LONLAT},
        4065,
        {},
    ),
    ("demand", "power/eia860_plants/power_plants_partial.geojson.gz", {}, 3145, {}),
    (
        "demand",
        f"{NATURAL}/ne_10m_populated_places_simple.geojson.gz",
        {"fields": {"weight": "pop_max"}, "where": "iso_a2 = 'US' AND pop_max > 0"},
        769,
        {},
    ),
    (
        "exclusions",
        "exclusion/natural_earth/ne_10m_parks_and_protected_lands_area.geojson",
        {},
        61,
        {},
    ),
    ("exclusions", "exclusion/natural_earth/ne_50m_urban_areas.geojson.gz", {}, 2143, {}),
    (
        "exclusions",
        "exclusion/natural_earth/ne_10m_parks_and_protected_lands_point.geojson",
        {"buffer_km": 1},
        315,
        {},
    ),
    (
        "regions",
        f"{NATURAL}/ne_110m_admin_0_countries.geojson",
        {"id": "ADM0_A3"},
        177,
        {"polygon_repaired": 1},
    ),
    (
        "regions",
        f"{NATURAL}/ne_50m_admin_1_states_provinces.geojson.gz",
        {"id": "iso_3166_2"},
        100,
        {},
    ),
    ("regions", "regions/commongrid/ba-ercot.geojson.gz", {}, 1, {"polygon_repaired": 1}),
    (
        "regions",
        "regions/census_cb_2016/cb_2016_us_state_500k_no_prj.zip",
        {"id": "STUSPS", "level": "state"},
        56,
        {"no_prj": 0, "crs_assumed": 56},
    ),
    (
        "regions",
        "regions/us_atlas/counties-10m.json",
        {**COUNTY, "attributes": FACTS},
        3230,
        {"polygon_repaired": 22, "zeros_restored": 316, "join_missing": 89},
    ),
]


@pytest.mark.parametrize(
    ("role", "file", "spec", "rows", "notes"), READ, ids=[f"{r[0]}-{Path(r[1]).name}" for r in READ]
)
def test_real_layer(
    role: str, file: str, spec: dict[str, Any], rows: int, notes: dict[str, int]
) -> None:
    layers = read(**{role: {"file": file, **spec}})
    frame = getattr(layers, "pois" if role == "substations" else role)
    assert len(frame) == rows == layers.sources[0].rows_used
    found = {n.code: n.count for n in layers.notes}
    assert notes.items() <= found.items()
    assert frame.geometry.notna().all()
    box = frame.total_bounds
    assert box[0] >= -180
    assert box[1] >= -90
    assert box[2] <= 180
    assert box[3] <= 90


def test_all_topohub_graphs() -> None:
    for path in sorted((REAL / "fiber/topohub").glob("*.json")):
        spec = {"file": str(path)}
        layers = read(fiber_nodes=spec, fiber_links=spec)
        assert layers.fiber_nodes is not None
        assert layers.fiber_links is not None
        known = set(layers.fiber_nodes["node_id"])
        assert set(layers.fiber_links["from_node"]) | set(layers.fiber_links["to_node"]) <= known


@pytest.mark.parametrize(
    ("role", "file", "spec", "message"),
    [
        (
            "substations",
            "power/hifld/substations_truncated_download.geojson",
            {"preset": "hifld"},
            "ends in the middle at byte 19,991 of 20,000",
        ),
        (
            "regions",
            f"{NATURAL}/ne_110m_admin_0_countries.geojson",
            {"id": "ISO_A2"},
            "'-99' for N. Cyprus, France, Norway",
        ),
        ("regions", "regions/us_atlas/counties-10m.json", {}, "add `layer:`, one of"),
        ("demand", "carbon/codecarbon/global_energy_mix.json", {}, "is JSON but not GeoJSON"),
        ("demand", "carbon/codecarbon/cloud_impact.csv", {}, "no column for place_id"),
        ("sites", "orlib/cap41.txt", {}, "no column for site_id"),
        (
            "substations",
            "power/wri_gppd/database_USA.csv.gz",
            {"fields": {"headroom_mw": "capacity_mw", "poi_id": "gppd_idnr", **LONLAT}},
            "hosting capacity can mean load or generation",
        ),
        (
            "demand",
            "datacenters/im3/im3_datacenter_centroids.geojson",
            {"fields": {"weight": "sqft"}},
            "84 rows without weight",
        ),
        (
            "demand",
            f"{NATURAL}/ne_10m_populated_places_simple.geojson.gz",
            {"fields": {"place_id": "geonameid"}},
            "('-1' at #7, #12, #15, ...",
        ),
    ],
)
def test_real_layer_refused(role: str, file: str, spec: dict[str, Any], message: str) -> None:
    with pytest.raises(LayerError) as caught:
        read(**{role: {"file": file, **spec}})
    assert message in "\n".join(caught.value.problems)


def test_hundred_thousand_lines_are_read_about_as_fast_as_by_gdal(tmp_path: Path) -> None:
    import gzip

    import pyogrio

    packed = REAL / "power/hifld/transmission_lines_conus_from_tiles.geojson.gz"
    plain = tmp_path / "lines.geojson"
    plain.write_bytes(gzip.decompress(packed.read_bytes()))
    bare, ours = [], []
    for _ in range(2):  # the better of two: the machine may be busy
        start = time.perf_counter()
        pyogrio.read_dataframe(f"GeoJSON:{plain}")
        bare.append(time.perf_counter() - start)
        start = time.perf_counter()
        layers = read(lines={"file": str(plain), "preset": "hifld"})
        ours.append(time.perf_counter() - start)
    assert layers.lines is not None
    assert len(layers.lines) == 100892
    print(f"pyogrio {min(bare):.2f} s, load {min(ours):.2f} s")
    assert min(ours) < 3 * min(bare)
