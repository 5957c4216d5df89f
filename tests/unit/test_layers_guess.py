"""Roles and columns recognised from headers as people write them."""

from __future__ import annotations

from pathlib import Path

import pytest

from sitepick.layers import presets
from sitepick.layers.columns import plain
from sitepick.layers.guess import guess, guess_columns, guess_role, header_parts
from sitepick.layers.inspect import inspect
from sitepick.layers.load import load_one
from sitepick.layers.read import read
from sitepick.layers.reading import in_few_lines
from sitepick.layers.roles import PLACE, ROLES
from sitepick.layers.units import factor, split_unit
from sitepick.scenario.inputs import LayerFile

DATA = Path(__file__).parents[1] / "data" / "layers"


def csv(folder: Path, name: str, *lines: str) -> Path:
    path = folder / name
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_parcels_as_people_write_them(tmp_path: Path) -> None:
    path = csv(
        tmp_path,
        "land.csv",
        "APN,Property,Gross Acres,Ask ($M),Nearest Substation,Option Expiration,Lat,Long,Status",
        "12-001,North,250,4.5,Alpha,6/30/2027,32,-97,Under option",
        "12-002,South,120,1.2,Beta,1/15/2028,32.1,-97,Rejected",
    )
    role, fields, doubts = guess_role(path)
    assert role == "parcels"
    assert fields == {
        "parcel_id": "APN",
        "name": "Property",
        "usable_ha": "Gross Acres [acre]",
        "ask_musd": "Ask ($M)",
        "option_expires": "Option Expiration",
        "poi_ids": "Nearest Substation",
        "lon": "Long",
        "lat": "Lat",
        "decision": "Status",
    }
    assert doubts == ["column 'Status' read as the decision: check require and forbid"]


def test_status_that_is_no_decision_is_a_doubt(tmp_path: Path) -> None:
    head = "Parcel ID,Acres,Lat,Lon,Status"
    path = csv(tmp_path, "parcels.csv", head, "1,250,32,-97,Zoning filed")
    role, fields, doubts = guess_role(path)
    assert role == "parcels"
    assert "decision" not in fields
    assert any("'Zoning filed' is no decision" in d or "'zoning filed'" in d for d in doubts)


def test_letters_as_people_write_them(tmp_path: Path) -> None:
    path = csv(
        tmp_path,
        "utility letters.csv",
        "Letter #,Substation,Total MW,In Service Date,Study Status,Firm / Non-firm,Upgrades ($)",
        "L1,Alpha,150,2027-06-01,Signed,firm,12500000",
    )
    found = guess(read(path), path)
    assert found.role == "power_offers"
    assert found.fields == {
        "offer_id": "Letter #",
        "poi_id": "Substation",
        "mw_total": "Total MW",
        "from_date": "In Service Date",
        "stage": "Study Status",
        "firm": "Firm / Non-firm",
        "upgrade_musd": "Upgrades ($) [usd]",
    }
    assert found.score > 0.8


def test_price_in_unclear_money_is_a_doubt(tmp_path: Path) -> None:
    head = "Parcel ID,Acres,Lat,Lon,Asking price ($)"
    path = csv(tmp_path, "parcels.csv", head, "1,250,32,-97,4.5", "2,250,32,-97,3")
    assert any("million or thousand USD" in d for d in guess_role(path)[2])


@pytest.mark.parametrize(
    ("file", "role", "preset"),
    [
        ("buses.csv", "substations", "pypsa"),
        ("lines.csv", "lines", "pypsa"),
        ("hifld_substations.geojson", "substations", "hifld_substations"),
        ("hifld_lines.geojson", "lines", "hifld_lines"),
        ("osm_power.json", "substations", "osm_power"),
        ("graph.json", "fiber_nodes", "topohub"),
        ("grid/sub.csv", "substations", "breakthrough"),
        ("grid/branch.csv", "lines", "breakthrough"),
        ("regions.geojson", "regions", None),
        ("subs.fgb", "substations", None),
        ("pipeline.xlsx", "parcels", None),
    ],
)
def test_known_files(file: str, role: str, preset: str | None) -> None:
    report = inspect(DATA / file)
    assert (report.role, report.preset) == (role, preset)
    assert report.problems == []
    assert report.yaml.startswith(f"layers:\n  {role}:\n    - file: ")


def test_report_tells_types_ranges_and_crs() -> None:
    report = inspect(DATA / "state_plane_feet.gpkg")
    assert report.kind == "gpkg"
    assert report.rows == 3
    assert report.geometry == {"point": 3}
    assert "Texas North Central" in report.crs
    assert report.bounds is not None
    assert report.bounds[0] > 1e6
    columns = {c.name: c for c in report.columns}
    assert (columns["KV"].type, columns["KV"].nulls) == ("whole number", 1)
    assert (columns["KV"].low, columns["KV"].high) == ("138", "345")
    assert columns["STATION"].examples == ("Alpha", "Beta", "Gamma")
    assert report.to_dict()["role"] == "substations"


def test_report_of_letters_sheet() -> None:
    report = inspect(DATA / "pipeline.xlsx", sheet="Letters")
    assert report.role == "power_offers"
    assert report.problems == []
    assert 'mw_total: "MW"' in report.yaml
    assert 'sheet: "Letters"' in report.yaml
    assert any("Excel day numbers" in note for note in report.notes)


def test_report_as_text() -> None:
    text = "\n".join(inspect(DATA / "hifld_substations.geojson").lines())
    assert "geometry  3 point" in text
    assert "  MAX_VOLT    whole number: -999999 to 345; 1 empty" in text
    assert "role      substations (score 0.95), preset hifld_substations" in text
    assert "note: hifld_substations.geojson: heights (Z) are not used" in text
    assert "\x1b" not in text
    assert text.endswith('preset: "hifld_substations"')


def test_units_in_headers() -> None:
    assert header_parts("Asking price ($)") == ("asking price", "usd")
    assert header_parts("Ask ($M)") == ("ask", "musd")
    assert header_parts("Area [km2]") == ("area", "km2")
    assert header_parts("usable_ha") == ("usable ha", "ha")
    assert header_parts("APN") == ("apn", None)


def test_a_header_in_another_dimension_is_not_taken() -> None:
    fields, _ = guess_columns("power_offers", ["poi_id", "Capacity (kV)", "stage"])
    assert "mw_total" not in fields


def test_header_words_are_of_our_columns_and_units() -> None:
    for role, columns in presets.raw("headers")["roles"].items():
        for ours, entries in columns.items():
            assert ours in ROLES[role] or ours in PLACE
            for entry in entries:
                unit = split_unit(str(entry))[1]
                if unit is not None:
                    canonical = ROLES[role][ours].unit
                    assert canonical is not None
                    assert factor(unit, canonical) > 0


def test_presets_name_our_columns() -> None:
    for name in presets.names():
        for role, part in presets.raw(name)["roles"].items():
            assert role in ROLES
            chosen = presets.preset(name, role)
            assert set(chosen.fields) <= {*ROLES[role], *PLACE}
            assert set(chosen.unlimited) <= set(ROLES[role])
            assert chosen.title
            for theirs in (t for list_ in chosen.fields.values() for t in list_):
                unit = split_unit(theirs)[1]
                assert unit is None or factor(unit, "kv") > 0
            assert part is not None


def test_words_for_choices_do_not_clash() -> None:
    for words in presets.raw("headers")["values"].values():
        seen = [plain(str(word)) for list_ in words.values() for word in list_]
        assert len(seen) == len(set(seen))


def test_names_that_tell_each_row_apart_serve_as_the_id(tmp_path: Path) -> None:
    head = "Substation,kV,Lat,Long"
    path = csv(tmp_path, "subs.csv", head, "Alder,345,31,-97", "Birch,138,31.1,-97")
    role, fields, doubts = guess_role(path)
    assert (role, fields) == (
        "substations",
        {"poi_id": "Substation", "kv": "kV", "lon": "Long", "lat": "Lat"},
    )
    assert doubts == ["column 'Substation' read as the id: it names each row apart"]
    twice = csv(tmp_path, "subs2.csv", head, "Alder,345,31,-97", "ALDER,138,31.1,-97")
    assert guess_role(twice)[1]["name"] == "Substation"


def test_yaml_to_paste_has_level_and_own_columns(tmp_path: Path) -> None:
    path = csv(tmp_path, "parcels.csv", "Parcel ID,Acres,Lat,Lon,Broker", "1,250,32,-97,Ann")
    assert 'keep: ["Broker"]' in inspect(path).yaml
    counties = tmp_path / "counties.geojson"
    ring = "[[[0,0],[1,0],[1,1],[0,1],[0,0]]]"
    counties.write_text(
        '{"type": "FeatureCollection", "features": [{"type": "Feature", "properties": '
        '{"County": "A", "FIPS": "901"}, "geometry": {"type": "Polygon", "coordinates": '
        f"{ring}}}}}]}}",
        encoding="utf-8",
    )
    assert 'level: "county"' in inspect(counties).yaml


def test_columns_that_look_like_coordinates_are_named_in_the_fault(tmp_path: Path) -> None:
    csv(tmp_path, "subs.csv", "Substation,kV,Lat,Long", "Alder,345,31,-97")
    spec = LayerFile(file="subs.csv", id="Substation")
    _, problems, _ = load_one("substations", spec, tmp_path)
    assert problems[0].startswith("subs.csv: has no geometry")
    assert '`fields: {lon: "Long", lat: "Lat"}`' in problems[0]


def test_notes_of_one_column_share_a_line() -> None:
    notes = ["f: column 'S': 'a' read as consider (1 x)", "3 POIs given by name",
             "f: column 'S': 'b' read as forbid (2 x)", "3 POIs given by name"]  # fmt: skip
    assert in_few_lines(notes) == [
        "f: column 'S': 'a' read as consider (1 x), 'b' read as forbid (2 x)",
        "3 POIs given by name",
    ]
