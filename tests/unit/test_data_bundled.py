"""The bundled data: what its README says is true, and its files fit together."""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from sitepick import bundled
from sitepick.errors import LayerError, ScenarioError

DATA = bundled.data_dir()
SUFFIXES = (".csv", ".csv.gz", ".geojson", ".geojson.gz")
FILES = sorted(
    str(path.relative_to(DATA)) for path in DATA.rglob("*") if path.name.endswith(SUFFIXES)
)
SIZE_LIMIT_BYTES = 25_000_000


@cache
def content(name: str) -> str:
    raw = (DATA / name).read_bytes()
    return (gzip.decompress(raw) if name.endswith(".gz") else raw).decode()


def table(name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content(name))))


def features(name: str) -> list[dict[str, Any]]:
    return json.loads(content(name))["features"]


def stated_rows() -> dict[str, int]:
    text = (DATA / "README.md").read_text(encoding="utf-8")
    return {name: int(rows) for name, rows in re.findall(r"^\| `([^`]+)` \| (\d+) \|", text, re.M)}


def test_the_readme_lists_every_file_with_its_rows() -> None:
    rows = {name: len(features(name) if "geojson" in name else table(name)) for name in FILES}
    assert stated_rows() == rows


def test_the_data_stay_small() -> None:
    total = sum(path.stat().st_size for path in DATA.rglob("*") if path.is_file())
    assert total < SIZE_LIMIT_BYTES


@pytest.mark.parametrize("name", [name for name in FILES if "geojson" in name])
def test_layers_are_plain_wgs84_with_one_geometry_type_and_text_ids(name: str) -> None:
    layer = json.loads(content(name))
    assert "crs" not in layer
    assert len({item["geometry"]["type"] for item in layer["features"]}) == 1
    key = next(iter(layer["features"][0]["properties"]))
    ids = [item["properties"][key] for item in layer["features"]]
    assert key.endswith("_id")
    assert all(isinstance(value, str) for value in ids)
    assert len(set(ids)) == len(ids)
    columns = {tuple(item["properties"]) for item in layer["features"]}
    assert len(columns) == 1


@pytest.mark.parametrize(
    ("layer", "grid", "lines"),
    [
        ("texas_substations.geojson", "texas_grid", "texas_lines.geojson"),
        ("us_substations.geojson.gz", "us_grid", "us_lines_230kv.geojson.gz"),
    ],
)
def test_layers_and_grid_tables_agree(layer: str, grid: str, lines: str) -> None:
    packed = "" if grid == "texas_grid" else ".gz"
    tables = {
        name: table(f"{grid}/{name}.csv{packed}")
        for name in ("buses", "branches", "plants", "dclines", "bus2poi")
    }
    poi_of = {row["bus_id"]: row["poi_id"] for row in tables["buses"]}
    assert {row["bus_id"]: row["poi_id"] for row in tables["bus2poi"]} == poi_of
    stations = {item["properties"]["poi_id"]: item["properties"] for item in features(layer)}
    assert set(poi_of.values()) == set(stations)
    assert all(item["synthetic"] is True for item in stations.values())
    load = dict.fromkeys(stations, 0.0)
    for row in tables["buses"]:
        load[row["poi_id"]] += float(row["load_mw"])
    assert all(abs(load[poi] - stations[poi]["load_mw"]) < 0.02 for poi in stations)
    branches = {row["branch_id"]: row for row in tables["branches"]}
    for item in features(lines):
        line = item["properties"]
        branch = branches[line["line_id"]]
        ends = [poi_of[branch["from_bus"]], poi_of[branch["to_bus"]]]
        assert ends == [line["from_poi"], line["to_poi"]]
        assert float(branch["rating_mva"]) == pytest.approx(line["rating_mva"], abs=0.01)
        assert line["synthetic"] is True
    assert {row["bus_id"] for row in tables["plants"]} <= set(poi_of)


def test_national_headroom_is_unknown_and_not_zero() -> None:
    rows = [item["properties"] for item in features("us_substations.geojson.gz")]
    assert {row["headroom_mw"] for row in rows} == {None}
    assert {row["headroom_estimated"] for row in rows} == {False}


def test_texas_substations_have_their_county_and_only_texas_lines_join_them() -> None:
    counties = {
        item["properties"]["region_id"]: item["properties"]
        for item in features("us_counties.geojson.gz")
    }
    rows = [item["properties"] for item in features("texas_substations.geojson")]
    assert all(counties[row["county_id"]]["name"] == row["county"] for row in rows)
    assert sum(counties[row["county_id"]]["state"] == "Texas" for row in rows) > 1240


def test_the_fiber_graph_is_one_component_of_known_nodes() -> None:
    nodes = {item["properties"]["node_id"]: item for item in features("fiber_nodes.geojson")}
    neighbours: dict[str, set[str]] = {node: set() for node in nodes}
    for item in features("fiber_links.geojson"):
        link = item["properties"]
        neighbours[link["from_node"]].add(link["to_node"])
        neighbours[link["to_node"]].add(link["from_node"])
        ends = [nodes[link[end]]["geometry"]["coordinates"] for end in ("from_node", "to_node")]
        assert item["geometry"]["coordinates"] == ends
    reached = {"N000"}
    frontier = ["N000"]
    while frontier:
        fresh = neighbours[frontier.pop()] - reached
        reached |= fresh
        frontier += fresh
    assert reached == set(nodes)


@pytest.mark.parametrize("name", ["us_states.geojson", "us_counties.geojson.gz"])
def test_region_polygons_are_valid_wound_and_do_not_overlap(name: str) -> None:
    import shapely
    from shapely.geometry import shape

    shapes = [shape(item["geometry"]) for item in features(name)]
    assert all(item.is_valid and not item.is_empty for item in shapes)
    rings = [part.exterior for item in shapes for part in item.geoms]
    assert all(shapely.is_ccw(ring) for ring in rings)
    total = sum(item.area for item in shapes)
    assert shapely.union_all(shapes).area == pytest.approx(total, rel=1e-6)


def test_region_ids_are_fips_text_and_counties_lie_in_known_states() -> None:
    states = {item["properties"]["region_id"]: item for item in features("us_states.geojson")}
    assert "06" in states
    for item in features("us_counties.geojson.gz"):
        county = item["properties"]
        assert re.fullmatch(r"\d{5}", county["region_id"])
        assert county["region_id"][:2] == county["state_id"]
        assert county["state"] == states[county["state_id"]]["properties"]["name"]


def test_climate_is_of_the_four_classes_and_splits_texas() -> None:
    counties = [item["properties"] for item in features("us_counties.geojson.gz")]
    climates = {row["name"]: row["climate"] for row in counties if row["state"] == "Texas"}
    assert climates["El Paso"] == "hot_dry"
    assert climates["Harris"] == "hot_humid"
    classes = {row["climate"] for row in counties}
    assert classes == {"cold", "mild", "hot_dry", "hot_humid"}
    states = {
        item["properties"]["postal"]: item["properties"] for item in features("us_states.geojson")
    }
    for row in table("tables/climate_by_state.csv"):
        assert states[row["postal"]]["climate"] == row["climate"]
        assert states[row["postal"]]["region_id"] == row["state_id"]


def test_metros_weigh_one_hundred_and_keep_their_distance() -> None:
    rows = table("us_metros.csv")
    assert sum(float(row["population_share_pct"]) for row in rows) == pytest.approx(100, abs=0.05)
    assert [row["name"] for row in rows[:2]] == ["New York City", "Los Angeles"]
    assert "Brooklyn" not in {row["name"] for row in rows}
    assert len({row["metro_id"] for row in rows}) == len(rows)


@pytest.mark.parametrize("name", [name for name in FILES if name.startswith("tables/")])
def test_every_table_row_says_where_it_comes_from(name: str) -> None:
    for row in table(name):
        assert row["source"]
        assert row["confidence"] in {"A", "B", "C"}
        assert re.fullmatch(r"20\d\d(-\d\d)?", row["as_of"])
        money = "price" in name or row.get("kind") == "cost"
        assert bool(row.get("price_year")) == money


def test_tables_joined_to_states_equal_their_parents() -> None:
    markets = {row["market_id"]: row for row in table("tables/prices_by_market.csv")}
    areas = {row["power_area_id"]: row for row in table("tables/time_to_power.csv")}
    states = {row["state_id"]: row for row in table("tables/market_by_state.csv")}
    for row in table("tables/prices_by_state.csv"):
        assert row["market_id"] == states[row["region_id"]]["market_id"]
        assert markets[row["market_id"]].items() <= row.items()
    for row in table("tables/time_to_power_by_state.csv"):
        assert row["power_area_id"] == states[row["region_id"]]["power_area_id"]
        area = areas[row["power_area_id"]]
        assert area["p50_years"] == row["p50_years"]
        assert float(area["p10_years"]) <= float(row["p50_years"]) <= float(area["p90_years"])
    for row in markets.values():
        low, high = float(row["energy_low_usd_mwh"]), float(row["energy_high_usd_mwh"])
        assert low <= float(row["energy_usd_mwh"]) <= high
        assert float(row["co2_avg_kg_mwh"]) <= float(row["co2_marginal_kg_mwh"])


def test_bundled_names_resolve_inside_the_folder() -> None:
    assert bundled.is_bundled("bundled:us_states.geojson")
    assert not bundled.is_bundled("us_states.geojson")
    assert bundled.resolve("bundled:us_states.geojson") == DATA / "us_states.geojson"
    assert bundled.resolve("bundled:texas_grid/buses.csv").is_file()
    assert (bundled.scenarios_dir()).is_dir()


@pytest.mark.parametrize("name", ["bundled:../pyproject.toml", "bundled:/etc/hosts", "bundled:"])
def test_a_bundled_name_cannot_leave_the_folder(name: str) -> None:
    with pytest.raises(ScenarioError, match="does not name a file of the bundled data"):
        bundled.resolve(name)


def test_a_link_cannot_leave_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tmp_path / "data"
    root.mkdir()
    (tmp_path / "secret.csv").write_text("x\n")
    (root / "link.csv").symlink_to(tmp_path / "secret.csv")
    monkeypatch.setattr(bundled, "data_dir", lambda: root)
    with pytest.raises(ScenarioError):
        bundled.resolve("bundled:link.csv")


def test_an_absent_bundled_file_is_named_with_what_there_is() -> None:
    with pytest.raises(LayerError, match=r"'bundled:texas\.geojson' is not among .*us_states"):
        bundled.resolve("bundled:texas.geojson")


@pytest.mark.parametrize(
    ("layer", "folder", "suffix"),
    [
        ("texas_substations.geojson", "texas_grid", ""),
        ("us_substations.geojson.gz", "us_grid", ".gz"),
    ],
)
def test_voltages_of_substations_are_those_of_their_buses(
    layer: str, folder: str, suffix: str
) -> None:
    of_bus: dict[str, set[float]] = {}
    for bus in table(f"{folder}/buses.csv{suffix}"):
        if float(bus["base_kv"]) >= 60:
            of_bus.setdefault(bus["poi_id"], set()).add(float(bus["base_kv"]))
    several = 0
    for item in features(layer):
        station = item["properties"]
        stated = station["kv_levels"]
        known = of_bus.get(station["poi_id"], set())
        if stated is None:
            assert len(known) < 2, station
            continue
        levels = [float(kv) for kv in stated.split(";")]
        assert levels == sorted(known, reverse=True), station
        assert levels[0] == station["kv_max"]
        several += 1
    assert several > 200
