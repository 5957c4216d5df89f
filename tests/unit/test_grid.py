"""DC power flow, shift and outage factors, against dense re-solves and the stored AC solution."""

from __future__ import annotations

from dataclasses import replace

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


def without_branches(grid: Grid, keep: np.ndarray) -> Grid:
    """The grid with only the branches where ``keep`` (M,) is True."""
    return replace(
        grid,
        branch_ids=tuple(np.array(grid.branch_ids)[keep]),
        from_bus=grid.from_bus[keep],
        to_bus=grid.to_bus[keep],
        x_pu=grid.x_pu[keep],
        tap=grid.tap[keep],
        shift_rad=grid.shift_rad[keep],
        rating_mw=grid.rating_mw[keep],
        is_line=grid.is_line[keep],
        stored_mw=grid.stored_mw[keep],
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
        without = DcFlow(without_branches(texas, keep))
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
    assert "branches.csv:2: to_bus '9' is no bus_id of buses" in text
    assert "branches.csv:2: rating_mva -5" in text
    assert "plants.csv:2: bus_id '7' is no bus_id of buses" in text
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
