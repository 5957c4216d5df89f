"""Every format of a grid, from small folders as the tools write them: values worked out by hand."""

from __future__ import annotations

import json
import os
import shutil
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sitepick.bundled import data_dir
from sitepick.errors import LayerError
from sitepick.network.grid import DcFlow, Grid
from sitepick.scenario.line_types import loadability_mw

SAMPLES = Path(__file__).parents[1] / "data" / "grid"
REAL = os.environ.get("SITEPICK_REALDATA", "")


def codes(grid: Grid) -> set[str]:
    return {note.code for note in grid.notes}


def branch(grid: Grid, name: str) -> int:
    return grid.branch_ids.index(name)


def test_our_tables_with_gaps() -> None:
    grid = Grid.read(SAMPLES / "tables")
    assert grid.branch_ids == ("L1", "L2", "T1", "L3", "L4")  # L5 is out of service
    l2, l3, t1 = (branch(grid, name) for name in ("L2", "L3", "T1"))
    # 345 kV standard line: 0.37 ohm/km, and 1 per unit is 345^2 / 100 ohm
    assert grid.x_pu[l2] == pytest.approx(0.37 * 100 / (345**2 / 100))
    # 100 km at 345 kV: k = 2.69 x 418 MW SIL, under 0.95 x 1,500 MW
    assert grid.rating_mw[l2] == pytest.approx(float(loadability_mw(345, 100)))
    assert 418 * 2.0 < grid.rating_mw[l2] < 418 * 3.1
    # Q (-99.0, 32.0) to R (-98.5, 32.3): 57.7 km straight, 1.3 times that along the line
    assert grid.x_pu[l3] == pytest.approx(0.48 * 1.3 * 57.72 / (138**2 / 100), rel=2e-3)
    assert grid.rating_mw[l3] == np.inf
    assert grid.tap[t1] == 0.98
    assert grid.x_estimated.tolist() == [False, True, False, True, False]
    assert grid.rating_estimated.tolist() == [False, True, False, False, False]
    assert grid.poi_ids == ("P", "Q", "R")
    assert [grid.bus_ids[k] for k in grid.poi_bus] == ["1", "2", "4"]
    assert grid.poi_of_bus.tolist() == [0, 1, 1, 2]
    plants = grid.plants
    assert plants.fuel == ("coal", "solar", "ng")
    assert plants.to_date == (date(2030, 1, 1), None, None)
    assert plants.in_service.tolist() == [True, True, False]
    assert grid.gen_mw.tolist() == [420, 0, 0, 60]
    assert grid.pmax_mw.tolist() == [600, 0, 0, 150]
    assert grid.dc_ties.scheduled_mw.tolist() == [20]
    assert codes(grid) == {
        *("grid_out_of_service", "grid_x_estimated", "grid_rating_estimated", "grid_unlimited"),
        "grid_tie_outside",
    }


def test_a_map_of_substations_becomes_buses_by_voltage() -> None:
    grid = Grid.read(SAMPLES / "stations")
    assert grid.bus_ids == ("A@345", "A@138", "B@345", "B@138", "C@138", "D@0")
    assert grid.load_mw.tolist() == [0, 0, 0, 250, 100, 0]
    assert [grid.bus_ids[k] for k in grid.poi_bus] == ["A@345", "B@345", "C@138", "D@0"]
    assert grid.branch_ids == ("L1", "L1#2", "L2", "L3", "T:A@345-138", "T:B@345-138")
    assert grid.plants.bus.tolist() == [0]
    # A to B: one degree of longitude at 31 degrees north, 95.31 km, 1.3 times that along the line
    km = 1.3 * 95.31
    assert grid.x_pu[0] == pytest.approx(0.37 * km / (345**2 / 100), rel=1e-3)
    assert grid.rating_mw[0] == pytest.approx(float(loadability_mw(345, km)), rel=1e-3)
    assert grid.rating_mw[branch(grid, "L2")] == pytest.approx(float(loadability_mw(138, 120)))
    l3 = branch(grid, "L3")
    assert (grid.x_pu[l3], grid.rating_mw[l3]) == (0.3, 200.0)
    assert (grid.x_estimated[l3], grid.rating_estimated[l3]) == (False, False)
    # The bank of A is as large as its one 138 kV line: 12 % of 290 MVA on 100 MVA
    bank = branch(grid, "T:A@345-138")
    assert grid.x_pu[bank] == pytest.approx(0.12 * 100 / 290)
    assert grid.x_estimated[bank]
    assert not grid.is_line[bank]
    assert np.isinf(grid.rating_mw[bank])
    assert {"grid_transformers_assumed", "grid_no_dispatch", "grid_islands"} <= codes(grid)
    assert grid.gen_mw.tolist() == [350, 0, 0, 0, 0, 0]  # the load, by capacity


def test_a_matpower_case_with_all_its_ways_of_writing() -> None:
    grid = Grid.read(SAMPLES / "matpower")
    assert grid.bus_ids == ("10", "20", "30")  # 40 is isolated
    assert grid.load_mw.tolist() == [0, 92, 100]  # Gs counts
    assert grid.zone == ("1", "1", "2")
    assert grid.branch_ids == ("10-20", "10-20#2", "20-30", "10-30")
    assert np.isinf(grid.rating_mw[1])
    assert grid.tap.tolist() == [1, 1, 0.98, 1]
    assert grid.shift_rad[2] == pytest.approx(np.deg2rad(-2))
    assert grid.is_line.tolist() == [True, True, False, False]
    plants = grid.plants
    assert plants.ids == ("G1", "G2", "G2/2", "G3")
    assert plants.fuel == ("coal", "ng", "ng", "wind")
    # 12 USD/MWh to 100 MW, 20 USD/MWh on
    assert plants.pmax_mw.tolist() == [250, 100, 170, 270]
    assert plants.cost_usd_mwh.tolist() == [5, 12, 20, 1]
    assert plants.cost_usd_mw2h.tolist() == [0.11, 0, 0, 0]
    assert plants.pg_mw.tolist() == [150, 42, 0, 0]
    assert plants.in_service.tolist() == [True, True, True, False]
    ties = grid.dc_ties
    assert ties.ids == ("D1",)
    assert (ties.bus.tolist(), ties.other_bus.tolist()) == ([0], [2])
    assert (ties.pmin_mw.tolist(), ties.pmax_mw.tolist()) == ([5], [40])
    assert codes(grid) == {
        *("grid_isolated_buses", "grid_out_of_service", "grid_units_split", "grid_dc_losses"),
        "grid_unlimited",
    }
    isolated = next(note for note in grid.notes if note.code == "grid_isolated_buses")
    assert "50 MW" in isolated.message


def test_a_breakthrough_folder_and_one_interconnect_of_it() -> None:
    grid = Grid.read(SAMPLES / "breakthrough", interconnect="Eastern")
    assert grid.synthetic
    assert grid.bus_ids == ("1", "2", "3", "4")
    assert grid.load_mw.tolist() == [0, 150, 0, 61.5]
    assert grid.zone == ("East Penn", "East Penn", "East Penn", "Jersey")
    assert grid.poi_ids == ("5", "6", "7")
    assert [grid.bus_ids[k] for k in grid.poi_bus] == ["1", "2", "4"]
    assert grid.branch_ids == ("0", "1", "2", "3", "4")
    assert grid.x_pu[3] == -0.002
    assert grid.is_line.tolist() == [True, True, False, False, False]
    assert grid.plants.cost_usd_mwh.tolist() == [22, 0, 30]
    assert grid.plants.cost_usd_mw2h.tolist() == [0.01, 0, 0.02]
    ties = grid.dc_ties
    assert (ties.bus.tolist(), ties.other_bus.tolist()) == ([1], [-1])
    assert ties.scheduled_mw.tolist() == [-15]  # an export, seen from the east
    assert codes(grid) == {
        *("grid_negative_x", "grid_star_points", "grid_unlimited", "grid_tie_outside"),
    }

    whole = Grid.read(SAMPLES / "breakthrough")
    assert whole.n_bus == 6
    assert whole.dc_ties.bus.tolist() == [5]
    assert whole.dc_ties.other_bus.tolist() == [1]
    assert "grid_islands" in codes(whole)
    with pytest.raises(LayerError, match="no interconnect 'Western'; there are: Eastern, Texas"):
        Grid.read(SAMPLES / "breakthrough", interconnect="Western")


def test_a_pypsa_folder_flows_as_pypsa_says() -> None:
    grid = Grid.read(SAMPLES / "pypsa")
    assert grid.bus_ids == ("A", "B", "C", "D", "E")  # the hydrogen bus is left out
    assert grid.load_mw.tolist() == [0, 0, 350, 100, 100]
    ac = branch(grid, "AC")  # two circuits of a type of 0.246 ohm/km and 2.58 kA over 70 km
    assert grid.x_pu[ac] == pytest.approx(0.246 * 70 / 2 / (380**2 / 100))
    assert grid.rating_mw[ac] == pytest.approx(2 * 3**0.5 * 380 * 2.58)
    assert grid.rating_mw[branch(grid, "BC")] == 1000
    assert grid.plants.ids == ("g1", "g2", "s1")
    assert grid.plants.cost_usd_mwh.tolist() == [60, 10, 0]
    assert grid.plants.fuel == ("gas", "nuclear", "battery")
    ties = grid.dc_ties
    assert ties.ids == ("HVDC",)
    assert (ties.pmin_mw.tolist(), ties.pmax_mw.tolist()) == ([-60], [60])
    assert codes(grid) == {"grid_other_carriers", "grid_snapshot", "grid_s_max_pu"}

    injection = -grid.load_mw
    np.add.at(injection, grid.plants.bus, grid.plants.pg_mw)
    np.add.at(injection, ties.bus, ties.scheduled_mw)
    np.add.at(injection, ties.other_bus, -ties.scheduled_mw)
    flows = dict(zip(grid.branch_ids, DcFlow(grid).flows(injection), strict=True))
    # Network.lpf() of PyPSA 1.4.0 on this folder, at its second snapshot
    assert flows == pytest.approx(
        {
            **{"AB": -65.344152, "BC": 174.655848, "AC": 355.344152, "DE": 43.076923},
            **{"DE2": 36.923077, "T1": 134.559652, "T2": 45.440348},
        },
        abs=1e-6,
    )


def test_a_pypsa_snapshot_can_be_chosen() -> None:
    first = Grid.read(SAMPLES / "pypsa", snapshot="2030-01-15 17:00:00")
    assert first.load_mw.tolist() == [0, 0, 300, 80, 100]
    with pytest.raises(LayerError, match=r"no snapshot 'noon'.*from 2030-01-15 17:00:00 to"):
        Grid.read(SAMPLES / "pypsa", snapshot="noon")


def test_options_belong_to_their_format(tmp_path: Path) -> None:
    with pytest.raises(LayerError, match="snapshot is for pypsa folders"):
        Grid.read(SAMPLES / "tables", snapshot="noon")
    with pytest.raises(LayerError, match="interconnect is for breakthrough folders"):
        Grid.read(SAMPLES / "pypsa", interconnect="Texas")
    assert Grid.read(SAMPLES / "pypsa", synthetic=True).synthetic
    with pytest.raises(LayerError, match="no such file or folder"):
        Grid.read(tmp_path / "nothing")
    with pytest.raises(LayerError, match="is no grid"):
        Grid.read(tmp_path)
    with pytest.raises(LayerError, match="is no grid; name a folder"):
        Grid.read(SAMPLES / "tables" / "buses.csv")


def test_the_bundled_grid_reads_the_same_by_either_door() -> None:
    one, two = Grid.read(data_dir() / "texas_grid"), Grid.from_tables(data_dir() / "texas_grid")
    np.testing.assert_array_equal(one.x_pu, two.x_pu)
    assert one.synthetic
    assert {note.code for note in one.notes} == {"grid_tie_outside"}


@pytest.mark.realdata
@pytest.mark.skipif(not REAL, reason="set SITEPICK_REALDATA to the folder of the real layers")
def test_the_published_texas_folder_is_the_bundled_grid() -> None:
    published = Grid.read(Path(REAL) / "power" / "breakthrough_usa_tamu", interconnect="Texas")
    bundled = Grid.read(data_dir() / "texas_grid")
    assert published.bus_ids == bundled.bus_ids
    for name in ("x_pu", "rating_mw", "load_mw", "gen_mw", "pmax_mw", "tap", "shift_rad"):
        np.testing.assert_allclose(getattr(published, name), getattr(bundled, name), atol=1e-9)
    np.testing.assert_allclose(published.plants.cost_usd_mwh, bundled.plants.cost_usd_mwh)
    np.testing.assert_allclose(published.dc_ties.pmax_mw, bundled.dc_ties.pmax_mw)


@pytest.mark.slow
@pytest.mark.realdata
@pytest.mark.skipif(not REAL, reason="set SITEPICK_REALDATA to the folder of the real layers")
def test_the_published_us_folder_follows_its_stored_flows() -> None:
    for region, least in (("Western", 0.99), ("Eastern", 0.99)):
        grid = Grid.read(Path(REAL) / "power" / "breakthrough_usa_tamu", interconnect=region)
        dc = DcFlow(grid)
        flows = dc.flows(dc.balanced_injection())
        assert dc.n_islands == 1
        assert np.corrcoef(flows, grid.stored_mw)[0, 1] > least


def test_estimates_of_the_texas_lines_are_near_the_true_ones(tmp_path: Path) -> None:
    """x and rating of all lines taken out and estimated from kV and the places of substations.

    The figures are those of docs/grid.md: drawn straight, the lines of the synthetic grid are
    shorter than the route factor assumes, so that x comes out high.
    """
    folder = data_dir() / "texas_grid"
    true = Grid.read(folder)
    stations = json.loads((data_dir() / "texas_substations.geojson").read_text(encoding="utf-8"))
    at = {f["properties"]["poi_id"]: f["geometry"]["coordinates"] for f in stations["features"]}
    buses = pd.read_csv(folder / "buses.csv", dtype=str)
    buses["lon"] = [at[poi][0] for poi in buses["poi_id"]]
    buses["lat"] = [at[poi][1] for poi in buses["poi_id"]]
    buses.to_csv(tmp_path / "buses.csv", index=False)
    branches = pd.read_csv(folder / "branches.csv", dtype=str)
    branches.loc[branches["device"] == "line", ["x_pu", "rating_mva"]] = ""
    branches.to_csv(tmp_path / "branches.csv", index=False)
    shutil.copy(folder / "plants.csv", tmp_path)
    grid = Grid.read(tmp_path)
    lines = grid.is_line
    assert grid.x_estimated.tolist() == lines.tolist() == grid.rating_estimated.tolist()
    x = grid.x_pu[lines] / true.x_pu[lines]
    assert np.percentile(x, [5, 50, 95]) == pytest.approx([1.16, 1.41, 1.61], abs=0.02)
    rating = grid.rating_mw[lines] / true.rating_mw[lines]
    assert np.percentile(rating, [5, 50, 95]) == pytest.approx([0.68, 1.04, 1.74], abs=0.02)
    flows = [dc.flows(dc.balanced_injection()) for dc in (DcFlow(grid), DcFlow(true))]
    assert np.corrcoef(*flows)[0, 1] > 0.99
