"""Bad grids: hard faults are refused with ids and lines, all at once; the rest is told as notes."""

from __future__ import annotations

import random
import shutil
import warnings
from pathlib import Path

import numpy as np
import pytest

from sitepick.errors import LayerError
from sitepick.network.grid import DcFlow, Grid

SAMPLES = Path(__file__).parents[1] / "data" / "grid"
GOOD = {
    "buses": "bus_id,base_kv,load_mw\n1,138,10\n2,138,50\n3,138,30\n",
    "branches": (
        "branch_id,from_bus,to_bus,device,x_pu,rating_mva\nL1,1,2,line,0.1,99\nL2,2,3,line,0.2,99\n"
    ),
    "plants": "plant_id,bus_id,pmax_mw,pg_mw\nG1,1,120,90\n",
}


def folder(tmp_path: Path, **tables: str) -> Path:
    for name, text in (GOOD | tables).items():
        (tmp_path / f"{name}.csv").write_text(text, encoding="utf-8")
    return tmp_path


def faults(path: Path) -> str:
    with pytest.raises(LayerError) as caught:
        Grid.read(path)
    assert caught.value.exit_code == 3
    return str(caught.value)


def notes(path: Path) -> dict[str, str]:
    return {note.code: note.message for note in Grid.read(path).notes}


def test_the_good_tables_are_good(tmp_path: Path) -> None:
    assert notes(folder(tmp_path)) == {}


def test_every_kind_of_fault_is_told_at_once(tmp_path: Path) -> None:
    text = faults(
        folder(
            tmp_path,
            buses="bus_id,base_kv,load_mw\n1,138,10\n1,138,5\n2,-5,1\n,138,1\n3,138000,1\n",
            branches=(
                "branch_id,from_bus,to_bus,device,x_pu,rating_mva,tap\n"
                "L1,1,2,line,0.1,-99,1\nL1,1,9,line,0.1,99,1\nL3,2,2,line,0.1,99,1\n"
                "L4,1,2,line,0.1,99,-1\nL5,1,2,line,0.1,99,1e9\n"
            ),
            plants=(
                "plant_id,bus_id,pmax_mw,pmin_mw,from_date,to_date\nG1,7,100,150,,\n"
                "G2,1,9,0,2031-01-01,2030-01-01\n"
            ),
            dclines="dcline_id,from_bus,to_bus,pmin_mw,pmax_mw\nD1,8,9,0,10\nD2,8,1,20,10\n",
        )
    )
    for expected in (
        "buses.csv:3: bus_id '1' appears more than once",
        "buses.csv:4: bus_id '2' has a negative voltage",
        "buses.csv:5: bus_id '' is empty",
        "buses.csv:6: bus_id '3' has a voltage of no grid; write it in kV, not V",
        "branches.csv:2: branch_id 'L1' has a negative rating",
        "branches.csv:3: branch_id 'L1' appears more than once",
        "branches.csv:3: to_bus '9' of L1 is no bus_id of buses",
        "branches.csv:4: branch_id 'L3' joins a bus to itself",
        "branches.csv:5: branch_id 'L4' has a negative tap",
        "branches.csv:6: branch_id 'L5' has a tap ratio of no transformer",
        "plants.csv:2: bus_id '7' of G1 is no bus_id of buses",
        "plants.csv:2: plant_id 'G1' has a minimum above its maximum",
        "plants.csv:3: plant_id 'G2' ends before it begins",
        "dclines.csv:2: from_bus '8' of D1 is no bus_id of buses",
        "dclines.csv:3: dcline_id 'D2' has a minimum above its maximum",
    ):
        assert expected in text, expected


def test_cells_that_are_no_numbers_or_dates_have_their_line(tmp_path: Path) -> None:
    text = faults(
        folder(
            tmp_path,
            buses="bus_id,base_kv,load_mw\n1,138,ten\n2,,5\n3,138,inf\n",
            plants="plant_id,bus_id,pmax_mw,status,from_date\nG1,1,1e2,1,06/2028\nG2,1,many,on,\n",
        )
    )
    assert "buses.csv:2: load_mw is 'ten'; give a number" in text
    assert "buses.csv:3: base_kv is ''; give a number" in text
    assert "buses.csv:4: load_mw is 'inf'; give a number" in text
    assert "plants.csv:2: from_date is '06/2028'; write a date as 2028-06-01" in text
    assert "plants.csv:3: pmax_mw is 'many'" in text
    assert "plants.csv:3: status is 'on'" in text


def test_many_faults_of_one_kind_are_counted(tmp_path: Path) -> None:
    rows = "".join(f"L{k},1,X{k},line,0.1,9\n" for k in range(30))
    text = faults(
        folder(tmp_path, branches="branch_id,from_bus,to_bus,device,x_pu,rating_mva\n" + rows)
    )
    assert text.count("is no bus_id of buses") == 5
    assert "25 more rows like these" in text


@pytest.mark.parametrize(
    ("tables", "said"),
    [
        (
            {"buses": "bus_id,base_kv,load_mw\n1,138,10000\n2,138,50000\n3,138,30000\n"},
            "buses.csv:3: the load is 90,000 MW in all, 750 times the capacity, the most at 2: it "
            "looks like kW; convert load_mw to MW",
        ),
        (
            {"plants": "plant_id,bus_id,pmax_mw,pg_mw\nG1,1,120000,90\n"},
            "plants.csv:2: the capacity is 120,000 MW in all, 1,333 times the load, the most at "
            "G1: it looks like kW; convert pmax_mw to MW",
        ),
    ],
)
def test_kw_for_mw(tmp_path: Path, tables: dict[str, str], said: str) -> None:
    assert said in faults(folder(tmp_path, **tables))


def test_what_cannot_be_estimated_is_named(tmp_path: Path) -> None:
    text = faults(
        folder(
            tmp_path,
            buses="bus_id,base_kv,load_mw\n1,138,10\n2,138,50\n3,0,30\n",
            branches=(
                "branch_id,from_bus,to_bus,device,x_pu,rating_mva,km\nL1,1,2,line,,99,\n"
                "L2,2,3,line,0.1,,9\nT1,1,3,transformer,,,\n"
            ),
        )
    )
    assert "branches.csv:2: branch 'L1' has no x; give km, or the places of its two buses" in text
    assert "branches.csv:3: branch 'L2' has no rating; give the voltage of its buses" in text
    assert "branches.csv:4: branch 'T1' has no x; state one of them: a transformer's" in text


def test_a_rating_is_estimated_from_the_length_that_x_implies(tmp_path: Path) -> None:
    # 0.48 ohm/km at 138 kV: x of 0.4 per unit is 158.7 km, of k = 2.01 and a SIL of 50 MW
    rows = "L1,1,2,line,0.4,\nL2,2,3,line,0.2,99\n"
    grid = Grid.read(
        folder(tmp_path, branches="branch_id,from_bus,to_bus,device,x_pu,rating_mva\n" + rows)
    )
    assert grid.rating_mw[0] == pytest.approx(100.5, abs=0.5)
    assert grid.rating_estimated.tolist() == [True, False]


def test_islands_dead_parts_and_want_of_capacity_are_notes(tmp_path: Path) -> None:
    said = notes(
        folder(
            tmp_path,
            buses="bus_id,base_kv,load_mw\n1,138,10\n2,138,500\n3,138,30\n4,138,7\n5,138,0\n",
            branches="branch_id,from_bus,to_bus,device,x_pu,rating_mva\nL1,1,2,line,0.1,99\n"
            "L2,3,4,line,0.1,99\n",
        )
    )
    assert said.keys() == {"grid_islands", "grid_no_generation", "grid_load_above_capacity"}
    assert said["grid_islands"].startswith("3 islands that no line joins, the largest of 2 buses")
    assert "(2 buses with 3); 37 MW cannot be served" in said["grid_no_generation"]
    assert "510 MW against 120 MW" in said["grid_load_above_capacity"]
    assert "2 buses with 1" in said["grid_load_above_capacity"]


def test_an_import_counts_against_the_want_of_capacity(tmp_path: Path) -> None:
    path = folder(
        tmp_path,
        plants="plant_id,bus_id,pmax_mw,pg_mw\nG1,1,60,60\n",
        dclines="dcline_id,from_bus,to_bus,pmin_mw,pmax_mw\nD1,far,2,-50,50\n",
    )
    assert notes(path).keys() == {"grid_tie_outside"}


def test_odd_impedances_are_kept_and_told(tmp_path: Path) -> None:
    path = folder(
        tmp_path,
        branches="branch_id,from_bus,to_bus,device,x_pu,rating_mva\nL1,1,2,line,0,0\n"
        "W1,2,3,winding,-0.01,\nW2,2,3,winding,0.05,70\n",
        buses="bus_id,base_kv,load_mw\n1,138,10\n2,1,-5\n3,0,30\n",
    )
    assert notes(path).keys() == {
        *("grid_zero_x", "grid_negative_x", "grid_unlimited", "grid_star_points"),
        *("grid_negative_load", "grid_kv_unknown", "grid_transformer_unlimited"),
    }
    grid = Grid.read(path)
    dc = DcFlow(grid)
    assert np.isfinite(dc.flows(dc.balanced_injection())).all()


def test_tables_that_cannot_be_read_say_why(tmp_path: Path) -> None:
    text = faults(folder(tmp_path, buses="", plants="plant_id,bus_id\nG1,1\n"))
    assert "buses.csv: " in text
    assert "plants.csv:1: missing column pmax_mw; add it" in text
    (tmp_path / "branches.csv").unlink()
    (tmp_path / "branches.csv.gz").write_bytes(b"\x1f\x8b broken")
    assert "branches.csv.gz: " in faults(tmp_path)


CASE = (SAMPLES / "matpower" / "case4small.m").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "mpc.baseMVA = 100;",
            "mpc.baseMVA = 10 * 10;",
            "baseMVA is a formula",
        ),
        ("mpc.baseMVA = 100;", "", "no baseMVA"),
        ("20\t0.017\t0.092", "20\t0.017\tInf", ":20: branch_id '10-20' has an infinite x"),
        ("2\t1500\t0\t3\t0.11", "2\t1500\t0\t3\tInf", "plant_id 'G1' has no finite cost"),
        ("mpc.genfuel", "system('rm -rf /');\nmpc.genfuel", ":36: holds code that is not run"),
        ("mpc.branch = [", "mpc.branch = [ 1/3 ", ":19: branch holds '1/3', which is no number"),
        ("\n];\nmpc.gen = ", "\n]/2;\nmpc.gen = ", ":12: bus is changed by code: '/2;'"),
        ("mpc.bus = [", "mpc.buses = [", "no matrix mpc.bus; is this a MATPOWER case?"),
        ("\t1\t0\t0\t3\t0\t0\t100\t1200\t270\t4600;\n", "", "gencost has 2 rows for 3 generators"),
        ("270\t4600", "270\t2000", ":29: gencost of G2 has a falling marginal cost"),
        ("2\t1500\t0\t3\t0.11", "2\t1500\t0\t4\t0.1\t0.11", "G1 is of degree 3; at most quadratic"),
        ("2\t1500\t0\t3\t0.11", "3\t1500\t0\t3\t0.11", ":28: gencost of G1 has model 3"),
        ("\t10\t40\t0.01\t0.085\t0.176\t250", "\t10\t40", ":24: a row of branch has 9 columns"),
        ("function mpc = case4small", "function [b, bus] = c", ":1: is case format version 1"),
        ("'forty';\n};", "'forty';\n", "bus_name has no closing brace; the file is cut off"),
        ("\t20\t1\t90", "\t10\t1\t90", ":9: bus_id '10' appears more than once"),
        ("\t10\t30\t0.032", "\t10\t77\t0.032", ":23: to_bus '77' of 10-77 is no bus_id of buses"),
    ],
)
def test_bad_case_files_are_refused_by_line(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert old in CASE
    path = tmp_path / "case.m"
    path.write_text(CASE.replace(old, new, 1), encoding="utf-8")
    assert said in faults(path)


def test_a_case_file_cut_off_anywhere_is_an_error_of_the_data_or_a_grid(tmp_path: Path) -> None:
    path = tmp_path / "case.m"
    for end in range(0, len(CASE), 37):
        path.write_text(CASE[:end], encoding="utf-8")
        try:
            Grid.read(path)
        except LayerError:
            continue


def test_bad_pypsa_and_breakthrough_folders_name_their_rows(tmp_path: Path) -> None:
    pypsa, tamu = tmp_path / "pypsa", tmp_path / "tamu"
    shutil.copytree(SAMPLES / "pypsa", pypsa)
    shutil.copytree(SAMPLES / "breakthrough", tamu)
    loads = (pypsa / "loads.csv").read_text(encoding="utf-8").replace("l3,E", "l3,Z")
    (pypsa / "loads.csv").write_text(loads, encoding="utf-8")
    assert "loads.csv:4: bus 'Z' of l3 is no bus of buses" in faults(pypsa)
    plant = (tamu / "plant.csv").read_text(encoding="utf-8").replace("12,4,", "12,44,")
    (tamu / "plant.csv").write_text(plant, encoding="utf-8")
    assert "plant.csv:3: bus_id '44' of 12 is no bus_id of buses" in faults(tamu)


def test_bad_maps_name_their_rows(tmp_path: Path) -> None:
    shutil.copytree(SAMPLES / "stations", tmp_path / "map")
    lines = tmp_path / "map" / "lines.csv"
    lines.write_text(
        "line_id,from_poi,to_poi,kv,circuits\nL1,A,Z,345,1\nL2,A,B,,1\n", encoding="utf-8"
    )
    text = faults(tmp_path / "map")
    assert "lines.csv:2: line end 'Z' is no substation" in text
    assert "lines.csv:3: kv is ''; give a number" in text
    lines.write_text("line_id,from_poi,to_poi,kv,circuits\nL1,A,B,345,1.5\n", encoding="utf-8")
    assert "lines.csv:2: circuits is 1.5; give 1, 2, 3" in faults(tmp_path / "map")


def test_what_is_not_read_of_a_case_file_may_be_anything(tmp_path: Path) -> None:
    path = tmp_path / "case.m"
    extra = "%{\nmpc.bus(1, 3) = 99;\n%}\nVbase = mpc.bus(1, 10) * 1e3;\nmpc.user.a = [1/3 x]';\n"
    path.write_text(CASE + extra, encoding="utf-8")
    assert Grid.read(path).load_mw.tolist() == [0, 92, 100]
    path.write_text(CASE + extra + "mpc.bus(1, 3) = 99;\n", encoding="utf-8")
    assert "case.m:48: holds code that is not run: 'mpc.bus(1, 3) = 99;'" in faults(path)


def test_parallel_reactances_that_cancel_are_told(tmp_path: Path) -> None:
    rows = "L1,1,2,line,0.1,99\nW1,2,3,winding,0.1,99\nW2,2,3,winding,-0.1,99\n"
    grid = Grid.read(
        folder(tmp_path, branches="branch_id,from_bus,to_bus,device,x_pu,rating_mva\n" + rows)
    )
    with pytest.raises(LayerError, match="parallel branches whose reactances cancel"):
        DcFlow(grid)


CELLS = ("", "x", "-1", "0", "1e400", "nan", "-inf", "999999999999", "1e-320", '"', "é", "A")


@pytest.mark.parametrize("sample", ["tables", "stations", "pypsa", "breakthrough"])
def test_any_cell_may_be_wrong(tmp_path: Path, sample: str) -> None:
    """A grid or an error of the data, whatever stands in a cell; never a bug, never a warning."""
    rng = random.Random(sample)
    for _ in range(60):
        shutil.rmtree(tmp_path / "grid", ignore_errors=True)
        shutil.copytree(SAMPLES / sample, tmp_path / "grid")
        path = rng.choice(sorted((tmp_path / "grid").glob("*.csv")))
        rows = [row.split(",") for row in path.read_text(encoding="utf-8").splitlines()]
        for _ in range(rng.randint(1, 3)):
            row = rng.choice(rows)
            row[rng.randrange(len(row))] = rng.choice(CELLS)
        path.write_text("\n".join(map(",".join, rows)), encoding="utf-8")
        with warnings.catch_warnings():
            warnings.simplefilter("error", RuntimeWarning)
            try:
                dc = DcFlow(Grid.read(tmp_path / "grid"))
                dc.flows(dc.balanced_injection())
            except LayerError:
                continue
