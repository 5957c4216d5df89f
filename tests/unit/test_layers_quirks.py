"""Quirks of real files, each in a small file: read right, counted in a note, never silent."""

from __future__ import annotations

import gzip
import json
import math
import random
import shutil
import sqlite3
from contextlib import closing
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import shapely

from sitepick.errors import LayerError
from sitepick.layers import Layers, load
from sitepick.scenario.flexible import Flexible
from sitepick.scenario.inputs import LayerList

DATA = Path(__file__).parents[1] / "data" / "layers"


def read(base: Path = DATA, **roles: Any) -> Layers:
    return load(SimpleNamespace(layers=LayerList(**roles), flexible=Flexible()), base)  # type: ignore[arg-type]


def write(folder: Path, name: str, text: str) -> dict[str, Any]:
    (folder / name).write_text(text, encoding="utf-8")
    return {"file": name}


def codes(layers: Layers) -> dict[str, int]:
    return {note.code: note.count for note in layers.notes}


def said(layers: Layers, code: str) -> str:
    return " | ".join(note.message for note in layers.notes if note.code == code)


STATION = {"id": "SUB_ID", "fields": {"name": "STATION", "kv": "KV"}}


@pytest.mark.parametrize(
    ("file", "extra", "note"),
    [
        ("state_plane_feet.gpkg", {}, "reprojected"),
        ("subs.fgb", {}, None),
        ("no_prj.zip", {}, "crs_assumed"),
        ("feet_no_prj.zip", {"crs": "EPSG:2276"}, "reprojected"),
    ],
)
def test_one_layer_in_many_formats(file: str, extra: dict[str, Any], note: str | None) -> None:
    layers = read(substations={"file": file, **STATION, **extra})
    pois = layers.pois
    assert pois is not None
    assert list(pois["poi_id"]) == ["101", "102", "103"]
    assert list(pois["name"]) == ["Alpha", "Beta", "Gamma"]
    assert list(pois["kv"][:2]) == [345.0, 138.0]
    assert math.isnan(pois["kv"][2])
    assert pois["headroom_mw"].isna().all()
    want = shapely.points([[-97.0, 32.0], [-97.5, 32.5], [-98.0, 31.5]])
    assert max(shapely.distance(pois.geometry.to_numpy(), want)) < 2e-5
    assert note is None or note in codes(layers)
    assert pois.crs.to_epsg() == 4326


def test_feet_without_prj_are_refused_naming_crs() -> None:
    with pytest.raises(LayerError, match="say which CRS they are in"):
        read(substations={"file": "feet_no_prj.zip", **STATION})


def test_legacy_crs_member_is_honoured() -> None:
    layers = read(substations={"file": "mercator.geojson"})
    assert layers.pois is not None
    point = layers.pois.geometry[0]
    assert (point.x, point.y) == pytest.approx((-97.0, 32.0), abs=1e-4)
    assert "Pseudo-Mercator" in said(layers, "reprojected")


def test_nad83_is_taken_as_it_is() -> None:
    layers = read(substations={"file": "nad83.geojson"})
    assert layers.pois is not None
    assert layers.pois.geometry[0].coords[0] == (-97.0, 32.0)
    assert codes(layers) == {}


def test_hifld_substations() -> None:
    layers = read(substations={"file": "hifld_substations.geojson", "preset": "hifld"})
    pois = layers.pois
    assert pois is not None
    assert list(pois["poi_id"]) == ["301", "302", "303"]
    assert list(pois["name"]) == ["UNKNOWN107655", "BIG[31m RED", "303"]
    assert pois["kv"].isna().tolist() == [True, False, True]
    assert pois["headroom_mw"].isna().all()  # a map of wires has no MW, and none is made up
    found = codes(layers)
    assert found["placeholder_names"] == 1
    assert found["control_characters"] == 1
    assert found["kv_unknown"] == 2
    assert "z_dropped" in found
    assert "'-999999.0' x 1" in said(layers, "null_word")
    assert not shapely.has_z(pois.geometry.to_numpy()).any()


def test_hifld_voltage_classes() -> None:
    layers = read(lines={"file": "hifld_lines.geojson", "preset": "hifld_lines"})
    lines = layers.lines
    assert lines is not None
    assert [None if math.isnan(v) else v for v in lines["kv"]] == [
        *(None, 100.0, None, None, 735.0, None, 345.0, None),
        500.0,
    ]
    assert codes(layers)["zero_length"] == 1
    assert codes(layers)["ids_made"] == 10 - 1
    assert layers.sources[0].rows_read == 10
    assert layers.sources[0].rows_used == 9


def test_osm_power_volts_and_lists() -> None:
    layers = read(
        substations={
            "file": "osm_power.json",
            "preset": "osm_power",
            "where": "power = 'substation'",
            "keep": ["power"],
        },
        lines={"file": "osm_power.json", "preset": "osm_power", "where": "power = 'line'"},
    )
    assert layers.pois is not None
    assert layers.lines is not None
    assert list(layers.pois["poi_id"]) == ["node/1", "way/2", "way/3"]
    assert list(layers.pois["kv"][:2]) == [380.0, 110.0]
    assert math.isnan(layers.pois["kv"][2])
    assert layers.pois.geom_type.unique().tolist() == ["Point"]
    assert layers.lines["kv"].tolist()[0] == 380.0
    assert math.isnan(layers.lines["kv"][1])  # "low": free text, noted
    assert codes(layers)["free_text"] == 1
    assert codes(layers)["point_inside"] == 1
    assert codes(layers)["osm_untagged"] == 1
    assert "ODbL" in layers.sources[0].licence
    assert list(layers.pois["keep:power"]) == ["substation"] * 3


def test_pypsa_tables() -> None:
    layers = read(
        substations={"file": "buses.csv", "preset": "pypsa"},
        lines={"file": "lines.csv", "preset": "pypsa", "where": "NOT under_construction = TRUE"},
    )
    assert layers.pois is not None
    assert layers.lines is not None
    assert list(layers.pois["poi_id"]) == ["1", "2", "3"]
    assert layers.pois["kv"].isna().tolist() == [False, True, False]
    assert "1 row is under construction" in said(layers, "flagged")
    assert "1 row is direct current" in said(layers, "flagged")
    assert list(layers.lines["line_id"]) == ["11"]


def test_breakthrough_tables_are_joined_and_synthetic() -> None:
    layers = read(
        substations={"file": "grid/sub.csv", "preset": "breakthrough"},
        lines={"file": "grid/branch.csv", "preset": "breakthrough"},
    )
    assert layers.pois is not None
    assert layers.lines is not None
    assert dict(zip(layers.pois["poi_id"], layers.pois["kv"], strict=True)) == {"7": 115, "8": 230}
    assert layers.pois["synthetic"].all()
    assert layers.synthetic
    assert list(layers.lines["line_id"]) == ["1", "2"]
    assert list(layers.lines["rating_mva"][:1]) == [221.0]
    assert math.isnan(layers.lines["rating_mva"][1])
    assert codes(layers)["rating_unlimited"] == 1


def test_node_link_graph_gives_nodes_and_links() -> None:
    layers = read(fiber_nodes={"file": "graph.json"}, fiber_links={"file": "graph.json"})
    assert layers.fiber_nodes is not None
    assert layers.fiber_links is not None
    assert list(layers.fiber_nodes["name"]) == ["Dallas", "Houston", "2"]
    ends = layers.fiber_links[["from_node", "to_node"]].to_numpy().tolist()
    assert ends == [["0", "1"], ["1", "2"]]
    assert codes(layers)["fiber_loop"] == 1
    assert codes(layers)["straight_links"] == 3


def test_topojson_with_facts_joined_by_padded_fips() -> None:
    layers = read(
        regions={
            "file": "topo.json",
            "level": "county",
            "attributes": {
                "file": "county_facts.csv",
                "fields": {"region_id": "STCOFIPS", "co2_kg_per_mwh": "CO2 lb [lb_per_mwh]"},
            },
        }
    )
    regions = layers.regions
    assert regions is not None
    assert list(regions["region_id"]) == ["01001", "01003"]
    assert list(shapely.area(regions.geometry.to_numpy())) == pytest.approx([1.0, 1.0])
    assert regions["co2_kg_per_mwh"][0] == pytest.approx(453.59237)
    assert math.isnan(regions["co2_kg_per_mwh"][1])
    assert regions["attr:RISK"].tolist()[0] == 12.5
    assert regions["attr:note"].tolist() == ["a", None]
    found = codes(layers)
    assert found["zeros_restored"] == 1
    assert found["join_missing"] == 1
    assert found["join_unused"] == 1
    assert [s.path for s in layers.sources] == ["topo.json", "county_facts.csv"]


def test_region_polygons_are_made_sound() -> None:
    layers = read(regions={"file": "regions.geojson", "level": "country"})
    regions = layers.regions
    assert regions is not None
    assert regions.geometry.is_valid.all()
    by = regions.set_index("region_id").geometry
    assert sorted(by.index) == ["AQ", "BT", "FJ", "NA", "NO", "RU", "UC", "W"]  # NA is no null
    assert by["BT"].area == pytest.approx(0.5)
    assert by["NO"].area == pytest.approx(2.0)  # two features of one region
    assert by["FJ"].area == pytest.approx(2.0)
    assert by["RU"].area == pytest.approx(40.0)
    assert by["W"].bounds == pytest.approx((-170, 10, -169, 11))
    assert by["AQ"].area == pytest.approx(3600.0)  # reaches from -180 to 180, crosses nothing
    box = by["FJ"].bounds
    assert box[0] >= -180
    assert box[2] <= 180
    found = codes(layers)
    assert found["antimeridian"] == 3
    assert found["polygon_repaired"] == 1
    assert found["ring_closed"] == 1
    assert found["region_merged"] == 1


PARCELS = {
    "file": "pipeline.xlsx",
    "fields": {
        "parcel_id": "Parcel ID",
        "name": "Site Name",
        "usable_ha": "Acres [acre]",
        "ask_musd": "Asking price ($) [usd]",
        "option_expires": "Option expiry",
        "poi_ids": "Substation",
        "decision": "Status",
        "lon": "Longitude",
        "lat": "Latitude",
    },
    "keep": ["Broker notes"],
}
LETTERS = {
    "file": "pipeline.xlsx",
    "sheet": "Letters",
    "fields": {
        "offer_id": "Letter",
        "poi_id": "Substation",
        "mw_total": "MW",
        "from_date": "In-service date",
        "stage": "Status",
        "firm": "Firm?",
        "security_kusd_per_mw": "Security ($/MW) [usd_per_mw]",
        "upgrade_musd": "Upgrade cost ($M)",
    },
}


def test_workbook_of_a_site_acquisition_manager() -> None:
    layers = read(
        substations={"file": "subs.fgb", **STATION}, parcels=PARCELS, power_offers=LETTERS
    )
    parcels, offers = layers.parcels, layers.power_offers
    assert parcels is not None
    assert offers is not None
    assert list(parcels["parcel_id"]) == ["0042", "1001", "B-3"]
    rows = parcels.set_index("parcel_id")
    assert rows.loc["1001", "usable_ha"] == pytest.approx(100.0, rel=1e-4)
    assert rows.loc["1001", "ask_musd"] == 4.5
    assert rows.loc["0042", "ask_musd"] == 1.25
    assert math.isnan(rows.loc["B-3", "ask_musd"])
    assert list(rows["decision"]) == ["require", "consider", "forbid"]
    assert list(rows["poi_ids"]) == [("102",), ("101", "102"), None]  # names, found among the POIs
    assert list(rows["option_expires"]) == [date(2028, 1, 31), date(2027, 6, 30), date(2027, 6, 30)]
    assert rows.loc["1001", "keep:Broker notes"] == "=1+1 <b>Jo</b>"
    assert list(offers["poi_id"]) == ["101", "101", "102"]
    assert list(offers["mw_total"]) == [150.0, 300.0, 0.2]
    assert list(offers["from_date"]) == [date(2027, 7, 1), date(2029, 1, 1), date(2027, 7, 1)]
    assert list(offers["stage"]) == ["signed", "studied", "requested"]
    assert list(offers["firm"]) == [True, False, True]
    assert list(offers["security_kusd_per_mw"]) == [75.0, 75.0, 0.0]
    assert list(offers["upgrade_musd"]) == [12.5, 40.0, 0.0]
    found = codes(layers)
    assert found["title_rows"] == 1
    assert found["poi_by_name"] == 2
    assert found["date_serial"] == 1
    assert "'In queue' read as requested" in said(layers, "value_meant")


def test_headroom_negative_counts_as_zero_and_blank_stays_unknown(tmp_path: Path) -> None:
    spec = write(
        tmp_path,
        "poi.csv",
        "\ufeffpoi_id,Load headroom MW,lon,lat\n007,-5,-97,32\nB,-9999,-98,32\n"
        'C,n/a,-99,32\nD,"1,200.5",-100,32\nE,0.5 GW,-101,32\n',
    )
    layers = read(tmp_path, substations=spec | {"fields": {"headroom_mw": "Load headroom MW"}})
    assert layers.pois is not None
    assert list(layers.pois["poi_id"]) == ["007", "B", "C", "D", "E"]
    got = [None if math.isnan(v) else v for v in layers.pois["headroom_mw"]]
    assert got == [0.0, None, None, 1200.5, 500.0]
    assert codes(layers)["headroom_negative"] == 1
    assert codes(layers)["sentinel_null"] == 1
    assert codes(layers)["null_word"] == 1


def test_semicolons_and_decimal_commas(tmp_path: Path) -> None:
    spec = write(tmp_path, "a.csv", "poi_id;headroom_mw;lon;lat\nA;12,5;-97,25;32,5\n")
    layers = read(tmp_path, substations=spec)
    assert layers.pois is not None
    assert layers.pois["headroom_mw"][0] == 12.5
    assert layers.pois.geometry[0].coords[0] == (-97.25, 32.5)


def test_wkt_wkb_and_srid(tmp_path: Path) -> None:
    wkb = shapely.to_wkb(shapely.Point(-97, 32), hex=True)
    text = "poi_id,wkt\nA,SRID=3857;POINT(-10797990.6 3763310.6)\n"
    a = write(tmp_path, "a.csv", text)
    b = write(tmp_path, "b.csv", f"poi_id,wkt\nB,{wkb}\n")
    layers = read(tmp_path, substations=[a, b])
    assert layers.pois is not None
    for point in layers.pois.geometry:
        assert (point.x, point.y) == pytest.approx((-97, 32), abs=1e-4)


def test_null_island_and_rows_without_place(tmp_path: Path) -> None:
    rows = "".join(f"P{i},{-97 - i / 100},32\n" for i in range(60))
    spec = write(tmp_path, "a.csv", f"poi_id,lon,lat\n{rows}Z,0,0\nN,,\n")
    layers = read(tmp_path, substations=spec)
    assert layers.pois is not None
    assert len(layers.pois) == 60
    assert codes(layers)["null_island"] == 1
    assert codes(layers)["null_geometry"] == 2
    assert "row 62 (Z)" in said(layers, "null_island")


def test_plants_far_off_the_map_are_named(tmp_path: Path) -> None:
    rows = "".join(f"P{i},{-97 - i / 100},32\n" for i in range(60))
    spec = write(tmp_path, "a.csv", f"place_id,lon,lat\n{rows}Rolling,-75.3,425.2\n")
    layers = read(tmp_path, demand=spec)
    assert layers.demand is not None
    assert len(layers.demand) == 60
    assert "(-75.3, 425.2) at row 62 (Rolling)" in said(layers, "out_of_range")


def test_falling_totals_are_noted(tmp_path: Path) -> None:
    text = "poi_id,mw_total,from_date,stage\nP,100,2027,signed\nP,50,2028-Q2,studied\n"
    layers = read(tmp_path, power_offers=write(tmp_path, "a.csv", text))
    assert layers.power_offers is not None
    assert "100 MW from 2027-01-01, then only 50 MW from 2028-04-01" in said(layers, "offer_falls")
    assert codes(layers)["firm_assumed"] == 2
    assert list(layers.power_offers["firm"]) == [True, True]


def test_offers_for_unknown_pois_are_noted(tmp_path: Path) -> None:
    text = "poi_id,mw_total,from_date,stage\nDelta,100,2027,signed\n"
    layers = read(
        tmp_path,
        substations={"file": str(DATA / "subs.fgb"), **STATION},
        power_offers=write(tmp_path, "a.csv", text),
    )
    assert "not among the substations (Delta)" in said(layers, "poi_unknown")


def test_swapped_against_the_substations_is_found(tmp_path: Path) -> None:
    pois = write(tmp_path, "p.csv", "poi_id,lon,lat\nA,8,50\nB,9,51\n")
    places = write(tmp_path, "d.csv", "place_id,lon,lat\nX,50.1,8.5\n")
    with pytest.raises(LayerError, match=r"layers\.demand: lies nowhere near.*swapped"):
        read(tmp_path, substations=pois, demand=places)


def test_same_id_in_two_files_is_refused(tmp_path: Path) -> None:
    a = write(tmp_path, "a.csv", "poi_id,lon,lat\nA,8,50\n")
    b = write(tmp_path, "b.csv", "poi_id,lon,lat\nA,9,50\n")
    with pytest.raises(LayerError, match=r"1 ids stand in more than one file \(A\)"):
        read(tmp_path, substations=[a, b])


def test_row_order_and_file_order_change_nothing(tmp_path: Path) -> None:
    rows = ["A,8,50,", "B,9,51,n", "C,9,52,m"]
    a = write(tmp_path, "a.csv", "kv,lon,lat,name\n" + "\n".join(r[1:] for r in rows))
    for i, order in enumerate(([0, 1, 2], [2, 0, 1])):
        text = "lon,lat,name\n" + "\n".join(rows[k][2:] for k in order)
        write(tmp_path, f"o{i}.csv", text)
    one = read(tmp_path, substations={"file": "o0.csv"}).pois
    two = read(tmp_path, substations={"file": "o1.csv"}).pois
    assert one is not None
    assert two is not None
    assert one.equals(two)
    assert list(one["poi_id"]) == ["8.00000_50.00000", "9.00000_51.00000", "9.00000_52.00000"]
    assert a["file"] == "a.csv"


def test_plain_facility_location_needs_no_place(tmp_path: Path) -> None:
    sites = write(tmp_path, "s.csv", "site_id,fixed_musd,capacity_mw\n1,7.5,5000\n2,0,\n")
    places = write(tmp_path, "p.csv", "place_id,mw\n1,146\n")
    cost = write(tmp_path, "m.csv", "site_id,place_id,value\n1,1,3\n2,1,4\n")
    layers = read(
        tmp_path, sites=sites, demand=places, matrix=cost | {"meaning": "musd_per_mw_year"}
    )
    assert layers.sites is not None
    assert layers.demand is not None
    assert layers.matrix is not None
    assert layers.sites.geometry.isna().all()
    assert layers.sites["capacity_mw"].isna().tolist() == [False, True]
    assert layers.demand["mw"].tolist() == [146.0]
    assert layers.matrix["meaning"].unique().tolist() == ["musd_per_mw_year"]


def test_json_lines_records_and_gz(tmp_path: Path) -> None:
    point = {"type": "Point", "coordinates": [-97, 32]}
    one = {"type": "Feature", "properties": {"poi_id": "A"}, "geometry": point}
    two = {"type": "Feature", "id": 7, "properties": None, "geometry": {**point}}
    two["geometry"]["coordinates"] = [-98, 32]  # type: ignore[index]
    (tmp_path / "seq.json").write_text(f"{json.dumps(one)}\n{json.dumps(one)}\n")
    with pytest.raises(LayerError, match="given more than once"):
        read(tmp_path, substations={"file": "seq.json"})
    packed = gzip.compress(json.dumps({"type": "FeatureCollection", "features": [two]}).encode())
    (tmp_path / "wrong_name.txt").write_bytes(packed)
    (tmp_path / "rows.json").write_text('[{"poi_id": 1.0, "lon": 8, "lat": 50}]')
    layers = read(tmp_path, substations=[{"file": "wrong_name.txt"}, {"file": "rows.json"}])
    assert layers.pois is not None
    assert list(layers.pois["poi_id"]) == ["1", "7"]


def test_limits_are_named_and_can_be_moved(monkeypatch: pytest.MonkeyPatch) -> None:
    from sitepick.layers import limits

    monkeypatch.setattr(limits, "MAX_FEATURES", 2)
    with pytest.raises(LayerError, match=r"has 3 features; the limit is 2 \(sitepick\.layers"):
        read(substations={"file": "subs.fgb", **STATION})
    monkeypatch.setattr(limits, "MAX_FILE_MB", 0.0001)
    with pytest.raises(LayerError, match="MAX_FILE_MB"):
        read(substations={"file": "subs.fgb", **STATION})


def test_notes_are_told_as_they_come() -> None:
    heard: list[Any] = []
    scenario = SimpleNamespace(
        layers=LayerList(regions={"file": "regions.geojson"}), flexible=Flexible()
    )  # type: ignore[arg-type]
    layers = load(scenario, DATA, heard.append)  # type: ignore[arg-type]
    assert [n.code for n in heard] == [n.code for n in layers.notes]


def test_exclusions_carry_their_rule() -> None:
    layers = read(
        exclusions=[
            {"file": "regions.geojson", "buffer_km": 2},
            {"file": "regions.geojson", "name": "zone", "include": True, "where": "name = 'Fiji'"},
        ]
    )
    assert layers.exclusions is not None
    assert layers.exclusions.groupby("name").size().to_dict() == {"regions": 9, "zone": 1}
    assert layers.exclusions["include"].sum() == 1
    assert set(layers.exclusions["buffer_km"]) == {2.0, 0.0}


def test_sources_are_hashed() -> None:
    import hashlib

    source = read(substations={"file": "subs.fgb", **STATION}).sources[0]
    content = (DATA / "subs.fgb").read_bytes()
    assert source.sha256 == hashlib.sha256(content).hexdigest()
    assert source.size_bytes == len(content)
    assert (source.role, source.rows_read, source.rows_used) == ("substations", 3, 3)
    assert not source.synthetic


def test_a_file_geodatabase_also_zipped(tmp_path: Path) -> None:
    import geopandas as gpd

    frame = gpd.GeoDataFrame({"poi_id": ["A"]}, geometry=[shapely.Point(-97, 32)], crs=4269)
    frame.to_file(tmp_path / "utility.gdb", driver="OpenFileGDB", layer="subs")
    shutil.make_archive(str(tmp_path / "packed"), "zip", tmp_path, "utility.gdb")
    for name in ("utility.gdb", "packed.zip"):
        layers = read(tmp_path, substations={"file": name})
        assert layers.pois is not None
        assert layers.pois["poi_id"].tolist() == ["A"]
        assert layers.sources[0].size_bytes > 0


def test_geoparquet(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    import geopandas as gpd

    frame = gpd.GeoDataFrame({"poi_id": [5]}, geometry=[shapely.Point(-97, 32)], crs=4326)
    frame.to_parquet(tmp_path / "a.parquet")
    layers = read(tmp_path, substations={"file": "a.parquet"})
    assert layers.pois is not None
    assert layers.pois["poi_id"].tolist() == ["5"]
    (tmp_path / "b.parquet").write_bytes(b"PAR1nonsense")
    with pytest.raises(LayerError, match="does not read as GeoParquet"):
        read(tmp_path, substations={"file": "b.parquet"})


def test_points_and_lines_beyond_the_antimeridian(tmp_path: Path) -> None:
    rows = "place_id,lon,lat\nA,190,10\nB,-190,10\n"
    layers = read(tmp_path, demand=write(tmp_path, "p.csv", rows))
    assert layers.demand is not None
    assert [p.x for p in layers.demand.geometry] == pytest.approx([-170, 170])
    line = "line_id;wkt\nL;LINESTRING(170 0,-170 0)\n"
    layers = read(tmp_path, lines=write(tmp_path, "l.csv", line))
    assert layers.lines is not None
    assert layers.lines.geometry[0].geom_type == "MultiLineString"
    assert layers.lines.geometry[0].length == pytest.approx(20)
    assert codes(layers)["antimeridian"] == 1


def test_leading_zeros_lost_in_the_regions(tmp_path: Path) -> None:
    square = "POLYGON((0 0,1 0,1 1,0 1,0 0))"
    text = f"GEOID;wkt\n1001;{square}\n48001;{square}\n"
    facts = write(tmp_path, "f.csv", "fips,risk\n01001,3\n48001,4\n")
    spec = write(tmp_path, "r.csv", text) | {"id": "GEOID"}
    layers = read(tmp_path, regions=spec | {"attributes": facts | {"id": "fips"}})
    assert layers.regions is not None
    assert layers.regions["attr:risk"].tolist() == [3.0, 4.0]
    assert codes(layers)["zeros_lost"] == 1


def test_title_lines_of_an_exported_csv(tmp_path: Path) -> None:
    text = "Load map of the utility\n\npoi_id;kv;lon;lat\nA;345;8;50\n"
    layers = read(tmp_path, substations=write(tmp_path, "a.csv", text))
    assert layers.pois is not None
    assert layers.pois["kv"].tolist() == [345.0]
    assert codes(layers)["title_rows"] == 1


def test_a_map_server_that_cut_its_answer_is_noted(tmp_path: Path) -> None:
    feature = {
        "type": "Feature",
        "properties": {"poi_id": "A"},
        "geometry": {"type": "Point", "coordinates": [8, 50]},
    }
    value = {"type": "FeatureCollection", "exceededTransferLimit": True, "features": [feature]}
    layers = read(tmp_path, substations=write(tmp_path, "a.json", json.dumps(value)))
    assert "transfer_limit" in codes(layers)


def test_points_without_buffer_exclude_nothing_and_say_so() -> None:
    layers = read(exclusions={"file": "hifld_substations.geojson"})
    assert codes(layers)["covers_nothing"] == 3


def test_null_in_kept_columns_is_none() -> None:
    spec = {"file": "hifld_substations.geojson", "preset": "hifld", "keep": ["MAX_VOLT", "NAME"]}
    pois = read(substations=spec).pois
    assert pois is not None
    assert pois["keep:MAX_VOLT"].tolist() == [-999999.0, 345.0, None]
    assert pois["keep:NAME"].tolist()[2] == "NOT AVAILABLE"  # the user's own words stay


def test_stray_cells_of_a_workbook_do_not_hang(tmp_path: Path) -> None:
    import openpyxl

    book = openpyxl.Workbook()
    page = book.active
    page.append(["poi_id", "lon", "lat"])
    page.append(["A", 8, 50])
    page["XFD1048576"].number_format = "0.00"  # formatted, but empty
    book.save(tmp_path / "a.xlsx")
    layers = read(tmp_path, substations={"file": "a.xlsx"})
    assert layers.pois is not None
    assert layers.pois["poi_id"].tolist() == ["A"]
    page["XFD1048576"] = 1
    book.save(tmp_path / "b.xlsx")
    with pytest.raises(LayerError, match="delete the stray cells"):
        read(tmp_path, substations={"file": "b.xlsx"})


def test_damaged_files_are_never_a_bug_of_ours(tmp_path: Path) -> None:
    """Bytes changed at random: the answer is layers or a LayerError, nothing else."""
    chance = random.Random(7)
    files = sorted(p for p in DATA.rglob("*") if p.is_file() and p.stat().st_size < 20_000)
    junk = [b"null", b"[", b"]", b"{", b",", b'"', b"\0", b"\xff", b"-1e308", b"\n", b";", b""]
    outcomes = {"read": 0, "refused": 0}
    for i in range(400):
        source = files[i % len(files)]
        data = bytearray(source.read_bytes())
        for _ in range(chance.randrange(3)):
            at = chance.randrange(len(data))
            data[at : at + chance.randrange(6)] = chance.choice(junk)
        (tmp_path / f"x{source.suffix}").write_bytes(data)
        role = chance.choice(["substations", "lines", "regions", "parcels", "power_offers"])
        try:
            read(tmp_path, **{role: {"file": f"x{source.suffix}"}})
            outcomes["read"] += 1
        except LayerError:
            outcomes["refused"] += 1
    assert min(outcomes.values()) > 20


def test_infinite_coordinates_in_wkt_are_refused(tmp_path: Path) -> None:
    spec = write(tmp_path, "a.csv", "line_id;wkt\nL;LINESTRING(8 50,1e999 50)\n")
    with pytest.raises(LayerError, match=r"no finite numbers \(row 2 \(L\)\)"):
        read(tmp_path, lines=spec)


def test_a_geopackage_that_qgis_has_styled_still_holds_one_layer(tmp_path: Path) -> None:
    shutil.copy(DATA / "state_plane_feet.gpkg", tmp_path / "styled.gpkg")
    with closing(sqlite3.connect(tmp_path / "styled.gpkg")) as base:
        base.execute("CREATE TABLE layer_styles (id INTEGER PRIMARY KEY, f_table_name TEXT)")
        base.execute(
            "INSERT INTO gpkg_contents (table_name, data_type, identifier)"
            " VALUES ('layer_styles', 'attributes', 'layer_styles')"
        )
        base.commit()
    pois = read(tmp_path, substations={"file": "styled.gpkg", **STATION}).pois
    assert pois is not None
    assert list(pois["poi_id"]) == ["101", "102", "103"]
