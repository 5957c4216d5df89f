"""Published cases: flows and factors equal PYPOWER's, outages equal solving again."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from helpers.cases import case_path, pypower_case, read_case, reference_bus
from scipy.optimize import linprog

from sitepick.network.grid import BASE_MVA, DcFlow, Grid

CASES = ("case9", "case14", "case30", "case39", "case118")

# F. Li and R. Bo, "Small Test Systems for Power System Economic Studies", IEEE PES General Meeting
# 2010: generation shift factors of the PJM five-bus system, reference bus D.
PJM_FACTORS = {
    "1-2": (0.1939, -0.4759, -0.3490, 0.0, 0.1595),
    "1-4": (0.4376, 0.2583, 0.1895, 0.0, 0.3600),
    "1-5": (0.3685, 0.2176, 0.1595, 0.0, -0.5195),
    "2-3": (0.1939, 0.5241, -0.3490, 0.0, 0.1595),
    "3-4": (0.1939, 0.5241, 0.6510, 0.0, 0.1595),
    "4-5": (-0.3685, -0.2176, -0.1595, 0.0, -0.4805),
}


def _factors(grid: Grid, reference: int) -> np.ndarray:
    sink = np.zeros(grid.n_bus)
    sink[reference] = 1.0
    return DcFlow(grid).ptdf(np.arange(grid.n_bus), sink)


def test_shift_factors_of_the_five_bus_system_are_the_published_ones() -> None:
    grid = read_case("case5")
    factors = _factors(grid, 3)
    for branch, published in PJM_FACTORS.items():
        np.testing.assert_allclose(factors[grid.branch_ids.index(branch)], published, atol=1e-4)


@pytest.mark.parametrize("name", CASES)
def test_shift_factors_equal_pypower_s(name: str) -> None:
    from pypower.makePTDF import makePTDF

    case, grid, slack = pypower_case(name), read_case(name), reference_bus(name)
    theirs = makePTDF(case["baseMVA"], case["bus"], case["branch"], slack)
    np.testing.assert_allclose(_factors(grid, slack), theirs, atol=1e-8)


@pytest.mark.parametrize("name", CASES)
def test_shift_factors_to_a_spread_sink_equal_pypower_s(name: str) -> None:
    from pypower.makePTDF import makePTDF

    case, grid = pypower_case(name), read_case(name)
    dc = DcFlow(grid)
    theirs = makePTDF(case["baseMVA"], case["bus"], case["branch"], dc.sink())
    np.testing.assert_allclose(dc.ptdf(np.arange(grid.n_bus)), theirs, atol=1e-8)


@pytest.mark.parametrize("name", CASES)
def test_outage_factors_equal_pypower_s(name: str) -> None:
    from pypower.makeLODF import makeLODF
    from pypower.makePTDF import makePTDF

    case, grid = pypower_case(name), read_case(name)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # PYPOWER divides by 0 at bridges
        theirs = makeLODF(case["branch"], makePTDF(case["baseMVA"], case["bus"], case["branch"], 0))
    ours, radial = DcFlow(grid).lodf(np.arange(grid.n_branch))
    assert radial.sum() < grid.n_branch / 2
    np.testing.assert_allclose(ours[:, ~radial], theirs[:, ~radial], atol=1e-8)
    for out in np.flatnonzero(radial):
        without = grid.take_branches(np.arange(grid.n_branch) != out)
        assert DcFlow(without).n_islands == DcFlow(grid).n_islands + 1


@pytest.mark.parametrize("name", CASES)
def test_flows_equal_pypower_s(name: str) -> None:
    from pypower import api

    grid = read_case(name)
    solved, converged = api.rundcpf(getattr(api, name)(), api.ppoption(VERBOSE=0, OUT_ALL=0))
    assert converged
    injection = -grid.load_mw
    buses = [grid.bus_ids.index(f"{bus:.0f}") for bus in solved["gen"][:, 0]]
    np.add.at(injection, buses, solved["gen"][:, 1])
    flows = DcFlow(grid).flows(injection)
    np.testing.assert_allclose(flows, solved["branch"][:, 13], atol=1e-8)


@pytest.mark.parametrize("name", [*CASES, "case5"])
def test_outages_by_factor_equal_solving_without_the_branch(name: str) -> None:
    grid = read_case(name)
    dc = DcFlow(grid)
    injection = dc.balanced_injection()
    base = dc.flows(injection)
    factors, radial = dc.lodf(np.arange(grid.n_branch))
    for out in np.flatnonzero(~radial):
        keep = np.arange(grid.n_branch) != out
        after = DcFlow(grid.take_branches(keep)).flows(injection)
        np.testing.assert_allclose(base[keep] + factors[keep, out] * base[out], after, atol=1e-7)


def _least_cost(grid: Grid) -> float:
    """USD per hour of the dispatch of least cost within ratings, by scipy: linear costs only."""
    plants = grid.plants
    on = plants.in_service
    assert not plants.cost_usd_mw2h[on].any()
    dc = DcFlow(grid)
    factors = _factors(grid, 0)
    fixed = dc.flows(np.zeros(grid.n_bus)) - factors @ grid.load_mw
    rated = np.isfinite(grid.rating_mw)
    by_plant = factors[:, plants.bus[on]][rated]
    rating, fixed = grid.rating_mw[rated], fixed[rated]
    solved = linprog(
        plants.cost_usd_mwh[on],
        A_ub=np.vstack([by_plant, -by_plant]),
        b_ub=np.concatenate([rating - fixed, rating + fixed]),
        A_eq=np.ones((1, on.sum())),
        b_eq=[grid.load_mw.sum()],
        bounds=np.column_stack([plants.pmin_mw[on], plants.pmax_mw[on]]),
    )
    assert solved.status == 0, solved.message
    return float(solved.fun + plants.cost_usd_h[on].sum())


def test_least_cost_of_the_five_bus_system_is_the_published_one() -> None:
    # 17,479.90 USD/h: MATPOWER manual and the cost of case5 in its own tests (rundcopf)
    assert _least_cost(read_case("case5")) == pytest.approx(17479.8969, abs=0.01)


def test_split_units_cost_what_pypower_finds_for_the_piecewise_case() -> None:
    from pypower.api import case30pwl, ppoption, rundcopf

    solved = rundcopf(case30pwl(), ppoption(VERBOSE=0, OUT_ALL=0, PDIPM_FEASTOL=1e-9))
    assert solved["success"]
    assert _least_cost(read_case("case30pwl")) == pytest.approx(solved["f"], rel=1e-6)


def test_reactance_is_on_our_base_whatever_the_case_s(tmp_path) -> None:
    text = case_path("case9").read_text(encoding="utf-8")
    assert "mpc.baseMVA = 100;" in text
    (tmp_path / "half.m").write_text(text.replace("baseMVA = 100", "baseMVA = 50"))
    half, whole = Grid.read(tmp_path / "half.m"), read_case("case9")
    np.testing.assert_allclose(half.x_pu, 2 * whole.x_pu)
    assert BASE_MVA == 100.0


@pytest.mark.parametrize(
    ("name", "buses", "branches", "load_mw"),
    [
        ("case300", 300, 411, 23525.85),
        ("case2383wp", 2383, 2896, 24558.38),
        ("case_ACTIVSg2000", 2000, 3206, 67109.21),
    ],
)
def test_larger_cases_are_read_whole(name: str, buses: int, branches: int, load_mw: float) -> None:
    grid = read_case(name)
    assert (grid.n_bus, grid.n_branch) == (buses, branches)
    assert grid.load_mw.sum() == pytest.approx(load_mw, abs=2.0)
    dc = DcFlow(grid)
    assert np.isfinite(dc.flows(dc.balanced_injection())).all()


def test_the_2000_bus_case_flows_as_the_stored_solution() -> None:
    grid = read_case("case_ACTIVSg2000")
    known = np.isfinite(grid.stored_mw)
    assert known.all()
    dc = DcFlow(grid)
    flows = dc.flows(dc.balanced_injection())
    assert np.corrcoef(flows, grid.stored_mw)[0, 1] > 0.999


def test_cases_that_are_programs_are_refused_by_line() -> None:
    from sitepick.errors import LayerError

    with pytest.raises(LayerError, match=r"case33bw\.m:\d+: holds code that is not run"):
        read_case("case33bw")
