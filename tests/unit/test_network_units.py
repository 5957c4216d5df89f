"""Planned units and retirements added to a grid."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from sitepick.errors import LayerError
from sitepick.network.grid import Grid
from sitepick.network.units import with_units

SAMPLES = Path(__file__).parents[1] / "data" / "grid" / "tables"


def test_new_units_come_and_old_ones_get_their_dates() -> None:
    before = Grid.read(SAMPLES)
    grid = with_units(before, SAMPLES / "units.csv")
    plants = grid.plants
    assert plants.ids == ("G1", "G2", "G3", "N1", "N2")
    assert plants.to_date == (date(2030, 1, 1), date(2035, 12, 31), None, None, None)
    assert plants.from_date == (None, None, None, date(2028, 6, 1), None)
    assert plants.fuel == ("coal", "solar", "ng", "ng", "battery")
    # N1 stands at the highest voltage of POI Q, which is bus 2
    assert [grid.bus_ids[k] for k in plants.bus] == ["1", "4", "3", "2", "4"]
    assert plants.cost_usd_mwh.tolist() == [25, 0, 45, 38, 0]
    assert plants.pg_mw.tolist() == [420, 60, 0, 0, 0]
    assert plants.in_service.tolist() == [True, True, False, True, True]
    assert grid.pmax_mw.tolist() == [600, 0, 0, 250]  # N1 is still to come
    assert grid.gen_mw.tolist() == before.gen_mw.tolist()
    assert before.plants.ids == ("G1", "G2", "G3")


def test_every_fault_has_its_line(tmp_path: Path) -> None:
    path = tmp_path / "units.csv"
    path.write_text(
        "plant_id,bus_id,poi_id,pmax_mw,pmin_mw,from_date,to_date\n"
        "G1,,,650,,,\n"
        "N1,9,,100,,,\n"
        "N2,,Z,100,,,\n"
        "N3,,,100,,,\n"
        "N4,1,,,,,\n"
        "N4,1,,5,6,,\n"
        ",1,,5,,,\n"
        "N6,1,,5,,2030-01-01,2029-01-01\n",
        encoding="utf-8",
    )
    with pytest.raises(LayerError) as caught:
        with_units(Grid.read(SAMPLES), path)
    text = str(caught.value)
    for expected in (
        "units.csv:2: plant 'G1' exists with 600 MW, not 650",
        "units.csv:3: bus_id '9' is no bus of the grid",
        "units.csv:4: poi_id 'Z' is no POI of the grid",
        "units.csv:5: a new unit needs a bus_id or a poi_id",
        "units.csv:6: new unit 'N4' has no pmax_mw",
        "units.csv:7: plant_id 'N4' appears more than once",
        "units.csv:7: pmin_mw of 'N4' is above its pmax_mw",
        "units.csv:8: plant_id is empty",
        "units.csv:9: 'N6' ends on 2029-01-01, not after 2030-01-01",
    ):
        assert expected in text, expected


def test_a_table_that_is_not_there_or_no_table(tmp_path: Path) -> None:
    grid = Grid.read(SAMPLES)
    with pytest.raises(LayerError, match=r"nothing\.csv"):
        with_units(grid, tmp_path / "nothing.csv")
    (tmp_path / "soon.csv").write_text("plant_id,bus_id,from_date\nN1,1,soon\n", encoding="utf-8")
    with pytest.raises(LayerError, match=r"soon\.csv:2: from_date is 'soon'"):
        with_units(grid, tmp_path / "soon.csv")
