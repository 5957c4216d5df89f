"""DC power flow, shift and outage factors, against dense re-solves and the stored AC solution."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from sitepick.bundled import data_dir
from sitepick.errors import LayerError
from sitepick.network.grid import BASE_MVA, DcFlow, Grid


def random_grid(seed: int, n: int = 10, spur: bool = False) -> Grid:
    """A ring with chords, a parallel circuit, taps, a shifter, a negative leg and random duty."""
    rng = np.random.default_rng(seed)
    pairs = [(k, (k + 1) % n) for k in range(n)]
    pairs += [tuple(rng.choice(n, 2, replace=False)) for _ in range(n // 2)]
    pairs.append(pairs[0])
    if spur:
        pairs.append((0, n))
        n += 1
    m = len(pairs)
    x = rng.uniform(0.01, 0.2, m)
    x[n // 2] = -0.004
    shift = np.zeros(m)
    shift[2] = 0.05
    gen = np.where(rng.random(n) < 0.5, rng.uniform(50, 300, n), 0.0)
    gen[0] = 200.0
    return Grid(
        bus_ids=tuple(f"b{k}" for k in range(n)),
        bus_kv=np.full(n, 138.0),
        load_mw=rng.uniform(10, 120, n),
        gen_mw=gen,
        pmax_mw=1.5 * gen,
        branch_ids=tuple(f"l{k}" for k in range(m)),
        from_bus=np.array([a for a, _ in pairs], dtype=np.int64),
        to_bus=np.array([b for _, b in pairs], dtype=np.int64),
        x_pu=x,
        tap=np.where(rng.random(m) < 0.2, 1.05, 1.0),
        shift_rad=shift,
        rating_mw=rng.uniform(40, 400, m),
        is_line=np.ones(m, dtype=bool),
        stored_mw=np.full(m, np.nan),
        poi_ids=tuple(f"p{k}" for k in range(n)),
        poi_bus=np.arange(n),
    )


def dense_flows(grid: Grid, injection: np.ndarray, out: int | None = None) -> np.ndarray:
    """Flows from a dense pseudo-inverse of the Laplacian; shares no code with the package."""
    b = BASE_MVA / (grid.x_pu * grid.tap)
    if out is not None:
        b = b.copy()
        b[out] = 0.0
    incidence = np.zeros((grid.n_branch, grid.n_bus))
    incidence[np.arange(grid.n_branch), grid.from_bus] = 1.0
    incidence[np.arange(grid.n_branch), grid.to_bus] = -1.0
    laplacian = incidence.T @ np.diag(b) @ incidence
    shift = b * grid.shift_rad
    theta = np.linalg.pinv(laplacian, rcond=1e-12) @ (injection + incidence.T @ shift)
    return b * (incidence @ theta) - shift


@pytest.fixture(scope="module")
def texas() -> Grid:
    return Grid.from_tables(data_dir() / "texas_grid")


@pytest.mark.parametrize("seed", range(5))
def test_flows_equal_a_dense_solve(seed: int) -> None:
    grid = random_grid(seed)
    dc = DcFlow(grid)
    injection = dc.balanced_injection()
    assert injection.sum() == pytest.approx(0, abs=1e-9)
    np.testing.assert_allclose(dc.flows(injection), dense_flows(grid, injection), atol=1e-6)


@pytest.mark.parametrize("seed", range(3))
def test_ptdf_columns_equal_the_change_of_flow(seed: int) -> None:
    grid = random_grid(seed)
    dc = DcFlow(grid)
    buses = np.array([3, 7, 1])
    factors = dc.ptdf(buses)
    base = dc.flows(dc.balanced_injection())
    for column, bus in enumerate(buses):
        extra = np.zeros(grid.n_bus)
        extra[bus] = -10.0  # less load is an injection
        moved = dense_flows(grid, dc.balanced_injection(extra)) - base
        np.testing.assert_allclose(10 * factors[:, column], moved, atol=1e-6)
    np.testing.assert_allclose(dc.withdrawal_factors(buses), -factors)


@pytest.mark.parametrize("seed", range(3))
def test_outage_factors_equal_solving_without_the_branch(seed: int) -> None:
    grid = random_grid(seed, spur=True)
    dc = DcFlow(grid)
    injection = dc.balanced_injection()
    base = dc.flows(injection)
    lodf, islanding = dc.lodf(np.arange(grid.n_branch))
    spur = grid.n_branch - 1
    assert list(np.flatnonzero(islanding)) == [spur]
    assert np.isnan(lodf[:, spur]).all()
    for out in range(grid.n_branch - 1):
        after = dense_flows(grid, injection, out)
        # The dense solve keeps the shift term of a lost branch out, as the factors do.
        np.testing.assert_allclose(base + lodf[:, out] * base[out], after, atol=1e-5)


def test_islands_are_balanced_one_by_one_and_dead_ones_carry_nothing() -> None:
    first, second = random_grid(1), random_grid(2)
    n = first.n_bus
    both = replace(
        first,
        bus_ids=tuple(f"b{k}" for k in range(2 * n)),
        bus_kv=np.concatenate([first.bus_kv, second.bus_kv]),
        load_mw=np.concatenate([first.load_mw, second.load_mw]),
        gen_mw=np.concatenate([first.gen_mw, np.zeros(n)]),
        pmax_mw=np.concatenate([first.pmax_mw, np.zeros(n)]),
        branch_ids=tuple(f"l{k}" for k in range(first.n_branch + second.n_branch)),
        from_bus=np.concatenate([first.from_bus, second.from_bus + n]),
        to_bus=np.concatenate([first.to_bus, second.to_bus + n]),
        x_pu=np.concatenate([first.x_pu, second.x_pu]),
        tap=np.concatenate([first.tap, second.tap]),
        shift_rad=np.concatenate([first.shift_rad, 0 * second.shift_rad]),
        rating_mw=np.concatenate([first.rating_mw, second.rating_mw]),
        is_line=np.concatenate([first.is_line, second.is_line]),
        stored_mw=np.concatenate([first.stored_mw, second.stored_mw]),
        zone=("",) * (2 * n),
        bus_lon=np.full(2 * n, np.nan),
        bus_lat=np.full(2 * n, np.nan),
        poi_of_bus=np.arange(2 * n) % n,
        x_estimated=np.zeros(first.n_branch + second.n_branch, dtype=bool),
        rating_estimated=np.zeros(first.n_branch + second.n_branch, dtype=bool),
    )
    dc = DcFlow(both)
    assert dc.n_islands == 2
    flows = dc.flows(dc.balanced_injection())
    alone = DcFlow(first)
    own = alone.flows(alone.balanced_injection())
    np.testing.assert_allclose(flows[: first.n_branch], own, atol=1e-9)
    assert not flows[first.n_branch :].any()


def test_a_branch_without_impedance_carries_its_share() -> None:
    grid = random_grid(3)
    x = grid.x_pu.copy()
    x[4] = 0.0
    closed = DcFlow(replace(grid, x_pu=x))
    x = x.copy()
    x[4] = 1e-6
    nearly = DcFlow(replace(grid, x_pu=x))
    injection = closed.balanced_injection()
    np.testing.assert_allclose(closed.flows(injection), nearly.flows(injection), atol=0.1)


def test_texas_flows_follow_the_stored_ac_solution(texas: Grid) -> None:
    dc = DcFlow(texas)
    flows = dc.flows(dc.balanced_injection())
    assert dc.n_islands == 1
    assert np.corrcoef(flows, texas.stored_mw)[0, 1] > 0.999
    assert (np.abs(flows) / texas.rating_mw).max() == pytest.approx(0.911, abs=0.005)


def test_texas_outage_factors_equal_solving_again(texas: Grid) -> None:
    dc = DcFlow(texas)
    injection = dc.balanced_injection()
    base = dc.flows(injection)
    outages = np.random.default_rng(0).choice(np.flatnonzero(texas.is_line), 6, replace=False)
    lodf, islanding = dc.lodf(outages)
    assert not islanding.any()
    for column, out in enumerate(outages):
        keep = np.arange(texas.n_branch) != out
        without = DcFlow(texas.take_branches(keep))
        after = without.flows(injection)
        np.testing.assert_allclose((base + lodf[:, column] * base[out])[keep], after, atol=1e-6)


def test_a_poi_stands_at_its_bus_of_highest_voltage(texas: Grid) -> None:
    assert len(texas.poi_ids) == 1250
    assert texas.bus_kv[texas.poi_bus].min() >= 100.0
    assert list(texas.poi_ids) == sorted(texas.poi_ids)


def test_every_fault_of_the_tables_is_named_in_one_pass(tmp_path) -> None:
    (tmp_path / "buses.csv").write_text("bus_id,poi_id,base_kv,load_mw\n1,A,138,10\n1,A,138,5\n")
    (tmp_path / "branches.csv").write_text(
        "branch_id,from_bus,to_bus,device,x_pu,rating_mva,tap,shift_deg,pf_mw\n"
        "L1,1,9,line,0.1,-5,0,0,\n"
    )
    (tmp_path / "plants.csv").write_text("plant_id,bus_id,pmax_mw,pg_mw,status\nG1,7,100,50,1\n")
    with pytest.raises(LayerError) as caught:
        Grid.from_tables(tmp_path)
    text = str(caught.value)
    assert "buses.csv:3: bus_id '1' appears more than once" in text
    assert "branches.csv:2: to_bus '9' of L1 is no bus_id of buses" in text
    assert "branches.csv:2: branch_id 'L1' has a negative rating" in text
    assert "plants.csv:2: bus_id '7' of G1 is no bus_id of buses" in text
    assert len(caught.value.problems) == 4


def test_text_in_a_number_column_and_missing_tables_are_named(tmp_path) -> None:
    (tmp_path / "buses.csv").write_text("bus_id,poi_id,base_kv,load_mw\n1,A,high,10\n")
    (tmp_path / "plants.csv").write_text("plant_id,bus_id,pg_mw,status\n")
    with pytest.raises(LayerError) as caught:
        Grid.from_tables(tmp_path)
    text = str(caught.value)
    assert "buses.csv:2: base_kv is 'high'; give a number" in text
    assert "branches.csv or branches.csv.gz is missing" in text
    assert "plants.csv:1: missing column pmax_mw" in text


def test_texas_plants_ties_and_zones_are_read(texas: Grid) -> None:
    plants, ties = texas.plants, texas.dc_ties
    assert texas.synthetic
    assert len(plants.ids) == 598
    running = plants.in_service
    at_bus = np.bincount(plants.bus[running], plants.pmax_mw[running], minlength=texas.n_bus)
    np.testing.assert_allclose(at_bus, texas.pmax_mw)
    assert {"coal", "ng", "nuclear", "solar", "wind"} <= set(plants.fuel)
    assert plants.cost_usd_mwh[plants.ids.index("G12875")] == 0.0
    assert (plants.pmin_mw <= plants.pmax_mw).all()
    assert plants.from_date == plants.to_date == (None,) * 598
    assert ties.ids == ("D07", "D08")
    assert [texas.bus_ids[k] for k in ties.bus] == ["3002054", "3008126"]
    assert ties.other_bus.tolist() == [-1, -1]
    assert ties.pmax_mw.tolist() == [200.0, 600.0]
    assert ties.pmin_mw.tolist() == [-200.0, -600.0]
    assert texas.zone[0] == "Far West"
    assert texas.poi_ids[texas.poi_of_bus[0]] == "TX39762"
    np.testing.assert_array_equal(texas.poi_of_bus[texas.poi_bus], np.arange(1250))
    assert not texas.x_estimated.any()


SMALL = {
    "buses": "bus_id,base_kv,load_mw\n1,138,10\n2,138,5\n",
    "branches": "branch_id,from_bus,to_bus,device,x_pu,rating_mva\nL1,1,2,line,0.1,0\n",
    "plants": "plant_id,bus_id,pmax_mw,pg_mw,fuel,from_date\nG1,1,9,5,Gas ,2028-06-01\n",
}


def write_tables(folder: Path, **tables: str) -> Path:
    for name, text in (SMALL | tables).items():
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    return folder


def test_columns_that_are_not_there_have_defaults(tmp_path) -> None:
    grid = Grid.from_tables(write_tables(tmp_path))
    assert grid.rating_mw.tolist() == [np.inf]
    assert grid.tap.tolist() == [1.0]
    assert grid.zone == ("", "")
    assert grid.poi_ids == ("1", "2")
    assert grid.plants.fuel == ("gas",)
    assert grid.plants.from_date == (date(2028, 6, 1),)
    assert grid.plants.in_service.all()
    assert grid.dc_ties.ids == ()
    assert not grid.synthetic


def test_a_tie_counts_imports_at_the_end_that_is_in_the_grid(tmp_path) -> None:
    head = "dcline_id,from_bus,to_bus,pmin_mw,pmax_mw,scheduled_mw,status\n"
    rows = "in,9,1,-10,50,40,1\nout,2,9,-10,50,40,1\nboth,1,2,-10,50,40,1\noff,1,2,0,1,1,0\n"
    ties = Grid.from_tables(write_tables(tmp_path, dclines=head + rows)).dc_ties
    assert ties.ids == ("in", "out", "both")
    assert ties.bus.tolist() == [0, 1, 1]
    assert ties.other_bus.tolist() == [-1, -1, 0]
    assert ties.scheduled_mw.tolist() == [40.0, -40.0, 40.0]
    assert ties.pmin_mw.tolist() == [-10.0, -50.0, -10.0]
    assert ties.pmax_mw.tolist() == [50.0, 10.0, 50.0]


def test_arrays_of_another_length_are_refused() -> None:
    grid = random_grid(0)
    with pytest.raises(ValueError, match="zone has 1 entries"):
        replace(grid, zone=("a",))
    fewer = grid.take_branches(np.array([2, 0]))
    assert fewer.branch_ids == ("l2", "l0")
    assert fewer.x_estimated.size == 2
