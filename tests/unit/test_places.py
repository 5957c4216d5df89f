"""Where a row stands in its file, and how a changed row is named: by file, row and own columns."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest
from helpers.shortlist import write_workbook

from sitepick.comparison import InputChange
from sitepick.exports.compare import FOLLOWS, Side, _causes, _rows
from sitepick.exports.inputs import KEYS, Inputs, keyed
from sitepick.layers.load import load
from sitepick.layers.types import row_key
from sitepick.scenario.schema import Scenario


def scenario(**layers: Any) -> Scenario:
    return Scenario.model_validate(
        {
            "version": 1, "as_of": "2026-01-01", "periods": {"from": "2028", "to": "2029"},
            "demand": {"it_mw": 10}, "layers": layers,
        }
    )  # fmt: skip


FIELDS = {"offer_id": "Letter", "poi_id": "POI", "mw_total": "MW", "from_date": "In service",
          "stage": "Status"}  # fmt: skip
HEADER = list(FIELDS.values())
LETTERS = [["B2", "East", 80, "2028-01-01", "signed"], ["A1", "West", 50, "2028-01-01", "signed"]]


def test_rows_of_tables_sheets_and_features(tmp_path: Path) -> None:
    with (tmp_path / "letters.csv").open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows([HEADER, *LETTERS])
    more = [["C3", "East", 95, "2029-01-01", "signed"], ["D4", "West", 60, "2029-01-01", "signed"]]
    write_workbook(tmp_path / "more.xlsx", "new", HEADER, more)
    (tmp_path / "parcels.geojson").write_text(
        '{"type": "FeatureCollection", "features": [{"type": "Feature", "properties": '
        '{"parcel_id": "P"}, "geometry": {"type": "Point", "coordinates": [-97, 31]}}]}'
    )
    renamed = {**FIELDS, "mw_total": "MW [kw]"}
    layers = load(
        scenario(
            power_offers=[
                {"file": "letters.csv", "fields": FIELDS},
                {"file": "more.xlsx", "sheet": "new", "fields": renamed},
            ],
            parcels={"file": "parcels.geojson"},
        ),
        tmp_path,
    )
    offers = layers.places["power_offers"]
    assert offers.rows == {
        "B2": ("letters.csv", " row 2"), "A1": ("letters.csv", " row 3"),
        "C3": ("more.xlsx[new]", " row 2"), "D4": ("more.xlsx[new]", " row 4"),
    }  # fmt: skip
    assert offers.columns["letters.csv"] == FIELDS
    # kW in the file, MW here: the file's own name would mislead
    assert "mw_total" not in offers.columns["more.xlsx[new]"]
    assert layers.places["parcels"].rows == {"P": ("parcels.geojson", " #0")}


def side(offers: list[dict[str, Any]], why: str = "") -> Side:
    tables: dict[str, Any] = {name: {} for name in KEYS}
    tables["offers"] = keyed(offers, KEYS["offers"])
    rows = {"offers": {key: ("l.csv", f" row {n + 2}") for n, key in enumerate(tables["offers"])}}
    inputs = Inputs(tables, rows, {"offers": {"l.csv": {"from_date": "In service"}}})
    return Side("run", None, {}, {}, inputs, lambda site: why)  # type: ignore[arg-type]


def offer(ident: str, poi: str, mw: float, day: str, **more: Any) -> dict[str, Any]:
    return {"offer_id": ident, "poi_id": poi, "mw_total": mw, "from_date": day, **more}


def told(before: Side, after: Side) -> list[tuple[str, str, str]]:
    return [(c.where, c.before, c.after) for c in _rows("offers", before, after)]


def test_letters_without_ids_are_the_same_letter_when_only_their_date_moves() -> None:
    old = side(
        [offer("West 2028-01-01", "West", 300, "2028-01-01"), offer("E1", "East", 9, "2028")]
    )
    new = side(
        [offer("West 2029-01-01", "West", 180, "2029-01-01"), offer("E2", "East", 9, "2028")]
    )
    assert told(old, new) == [
        ("l.csv row 3 (letter E1)", "a row", "none"),
        ("l.csv row 3 (letter E2)", "none", "a row"),
        ("l.csv row 2 (letter West 2029-01-01): In service", "2028-01-01", "2029-01-01"),
        ("l.csv row 2 (letter West 2029-01-01): mw_total", "300", "180"),
        ("l.csv row 2 (letter West 2029-01-01): offer_id", "West 2028-01-01", "West 2029-01-01"),
    ]


def test_own_columns_and_sources_are_no_cause() -> None:
    old = side([offer("A", "West", 300, "2028", source="mail", **{"keep:Contact": "Ann"})])
    new = side([offer("A", "West", 300, "2028", source="letter", **{"keep:Contact": "Bob"})])
    assert told(old, new) == []


def test_a_site_that_is_screened_out_says_why() -> None:
    old, new = side([]), side([], why="screened out: min_ha: 20 against 50 ha")
    old.inputs.tables["sites"]["P1"] = {"site_id": "P1"}
    (change,) = _rows("sites", old, new)
    assert (change.before, change.after) == ("a row", "screened out: min_ha: 20 against 50 ha")
    assert change.names == {"P1"}


def change(row: str, names: tuple[str, ...] = (), column: str = "") -> InputChange:
    return InputChange("row" if names else "key", row, "1", "2", frozenset(names), row, column)


@pytest.mark.parametrize(
    ("changed", "wanted"),
    [
        ([change("l.csv row 2 (letter A)", ("West",), "MW"), change("as_of")],
         ("l.csv row 2 (letter A): MW 1 -> 2",)),
        ([change("l.csv row 3 (letter B)", ("East",), "MW"), change("as_of")],
         (f"{FOLLOWS}l.csv row 3 (letter B)",)),
        ([change("l.csv row 3 (letter B)", ("East",)), change("budget_musd.2028")],
         ("budget_musd.2028: 1 -> 2", f"{FOLLOWS}l.csv row 3 (letter B)")),
        ([change(f"row {n}", ("East",)) for n in range(4)], (f"{FOLLOWS}the others",)),
        ([change("as_of")], ("as_of: 1 -> 2",)),
        ([], ("lines: a.csv is another file",)),
    ],
)  # fmt: skip
def test_what_a_site_is_put_down_to(changed: list[InputChange], wanted: tuple[str, ...]) -> None:
    assert _causes({"P1", "West"}, tuple(changed), (change("lines: a.csv"),)) == wanted


def test_a_key_leaves_blanks_out() -> None:
    assert row_key(["corridor", None, float("nan"), "P"]) == "corridor P"
