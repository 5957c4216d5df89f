"""Withdrawal headroom against bisection with every outage solved again."""

from __future__ import annotations

import json
import time
from dataclasses import replace

import numpy as np
import pytest
from test_grid import dense_flows, random_grid

from sitepick.bundled import data_dir
from sitepick.errors import LayerError
from sitepick.network.grid import DcFlow, Grid
from sitepick.network.headroom import BASE_CASE, NO_GENERATION, NO_LIMIT, withdrawal_headroom

EMERGENCY = 1.15
FACTORS = (EMERGENCY, 1.8)  # with 1.8 the base case binds more often
CUTOFF = 0.05
TOP_MW = 4000.0


def injection(grid: Grid, bus: int, extra_mw: float) -> np.ndarray:
    """Dispatch scaled to the load, written out again for one island."""
    load = grid.load_mw.copy()
    load[bus] += extra_mw
    return grid.gen_mw * load.sum() / grid.gen_mw.sum() - load


def bisected(grid: Grid, bus: int, outages: list[int], emergency: float) -> float:
    """Largest load at ``bus`` by bisection; flows are affine, so two solves per outage suffice."""
    cases = []
    for out in [None, *outages]:
        before = dense_flows(grid, injection(grid, bus, 0.0), out)
        slope = (dense_flows(grid, injection(grid, bus, 100.0), out) - before) / 100.0
        limit = grid.rating_mw * (1.0 if out is None else emergency)
        seen = (np.abs(slope) >= CUTOFF) & np.isfinite(limit)
        if out is not None:
            seen[out] = False
        cases.append((before[seen], slope[seen], limit[seen]))

    def fits(extra_mw: float) -> bool:
        # Only the direction that the load pushes counts: relieving an overload is no fault.
        return all(
            (np.sign(slope) * (before + slope * extra_mw) <= limit + 1e-9).all()
            for before, slope, limit in cases
        )

    low, high = 0.0, TOP_MW
    if not fits(low):
        return 0.0
    if fits(high):
        return TOP_MW
    while high - low > 1e-5:
        middle = (low + high) / 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return low


@pytest.mark.parametrize("emergency", FACTORS)
@pytest.mark.parametrize("seed", range(12))
def test_headroom_equals_bisection_on_small_grids(seed: int, emergency: float) -> None:
    grid = random_grid(seed, spur=seed % 2 == 0)
    rating = grid.rating_mw.copy()
    rating[seed % 5] = np.inf
    grid = replace(grid, rating_mw=rating)
    found = withdrawal_headroom(grid, emergency_factor=emergency, cap_mw=TOP_MW)
    spur = [grid.n_branch - 1] if seed % 2 == 0 else []
    outages = [k for k in range(grid.n_branch) if k not in spur]
    wanted = [bisected(grid, bus, outages, emergency) for bus in range(grid.n_bus)]
    np.testing.assert_allclose(found.headroom_mw, wanted, atol=1e-3)
    assert found.radial_ids == tuple(grid.branch_ids[k] for k in spur)


def test_small_grids_cover_base_outage_zero_and_overload_cases() -> None:
    """The comparison above would prove little if every case were alike."""
    all_found = [
        withdrawal_headroom(random_grid(seed), emergency_factor=factor, cap_mw=TOP_MW)
        for seed in range(12)
        for factor in FACTORS
    ]
    outages = [outage for found in all_found for outage in found.outage_id]
    values = np.concatenate([found.headroom_mw for found in all_found])
    assert outages.count(BASE_CASE) > 20
    assert len(outages) - outages.count(BASE_CASE) > 20
    assert (values == 0).any()
    assert (values > 0).sum() > 30
    assert any(found.overloaded for found in all_found)


@pytest.fixture(scope="module")
def texas() -> Grid:
    return Grid.from_tables(data_dir() / "texas_grid")


def test_texas_headroom_equals_bisection_at_a_few_points(texas: Grid) -> None:
    rng = np.random.default_rng(4)
    lines = rng.choice(np.flatnonzero(texas.is_line), 40, replace=False)
    pois = [texas.poi_ids[k] for k in rng.choice(len(texas.poi_ids), 3, replace=False)]
    found = withdrawal_headroom(texas, pois, outages=lines, cap_mw=TOP_MW)
    for poi, headroom in zip(pois, found.headroom_mw, strict=True):
        bus = int(texas.poi_bus[texas.poi_index[poi]])
        assert headroom == pytest.approx(sparse_bisected(texas, bus, list(lines)), abs=1e-2)


def sparse_bisected(grid: Grid, bus: int, outages: list[int]) -> float:
    """`bisected` with the branch truly taken out of a sparse grid and everything solved again."""
    best = TOP_MW
    for out in [None, *outages]:
        keep = np.arange(grid.n_branch) != (-1 if out is None else out)
        left = grid.take_branches(keep)
        dc = DcFlow(left)
        before = dc.flows(injection(grid, bus, 0.0))
        slope = (dc.flows(injection(grid, bus, 100.0)) - before) / 100.0
        limit = left.rating_mw * (1.0 if out is None else EMERGENCY)
        seen = np.abs(slope) >= CUTOFF
        room = limit[seen] - np.sign(slope[seen]) * before[seen]
        best = min(best, float((np.maximum(room, 0) / np.abs(slope[seen])).min(initial=TOP_MW)))
    return best


def test_the_bundled_headroom_is_what_the_grid_gives(texas: Grid) -> None:
    layer = json.loads((data_dir() / "texas_substations.geojson").read_text(encoding="utf-8"))
    rows = [feature["properties"] for feature in layer["features"]]
    start = time.process_time()
    found = withdrawal_headroom(texas, [row["poi_id"] for row in rows], cap_mw=5000.0)
    assert time.process_time() - start < 10  # about half a second
    stored = np.array([row["headroom_mw"] for row in rows])
    np.testing.assert_allclose(stored, found.headroom_mw, atol=0.051)
    assert 150 < np.median(found.headroom_mw) < 220
    assert 450e3 < found.headroom_mw.sum() < 600e3
    limits = {row["headroom_limit"] for row in rows}
    assert limits <= {*texas.branch_ids, NO_LIMIT}
    assert all(row["headroom_estimated"] and row["synthetic"] for row in rows)


def test_of_equal_circuits_the_first_is_named(texas: Grid) -> None:
    """Rounding must not choose between pairs that are the same by symmetry."""
    at = {branch: k for k, branch in enumerate(texas.branch_ids)}
    layer = json.loads((data_dir() / "texas_substations.geojson").read_text(encoding="utf-8"))
    twins = []
    for feature in layer["features"]:
        limit = feature["properties"]["headroom_limit"]
        outage = feature["properties"]["headroom_outage"]
        if limit in at and outage in at:
            one, two = at[limit], at[outage]
            ends = {texas.from_bus[one], texas.to_bus[one], texas.from_bus[two], texas.to_bus[two]}
            alike = texas.x_pu[one] == texas.x_pu[two]
            if len(ends) == 2 and alike and texas.rating_mw[one] == texas.rating_mw[two]:
                twins.append((limit, outage))
    assert len(twins) > 10
    assert all(limit < outage for limit, outage in twins)


def test_looser_rules_never_leave_less() -> None:
    grid = random_grid(7)
    strict = withdrawal_headroom(grid, cap_mw=TOP_MW).headroom_mw
    wider = replace(grid, rating_mw=1.2 * grid.rating_mw)
    looser = [
        withdrawal_headroom(grid, emergency_factor=1.3, cap_mw=TOP_MW),
        withdrawal_headroom(grid, cutoff=0.2, cap_mw=TOP_MW),
        withdrawal_headroom(wider, cap_mw=TOP_MW),
    ]
    for found in looser:
        assert (found.headroom_mw >= strict).all()
        assert (found.headroom_mw > strict).any()


def test_without_ratings_only_the_cap_limits() -> None:
    grid = random_grid(1)
    free = replace(grid, rating_mw=np.full(grid.n_branch, np.inf))
    found = withdrawal_headroom(free, cap_mw=777.0)
    assert set(found.headroom_mw) == {777.0}
    assert set(found.limit_id) == {NO_LIMIT}
    assert not np.isfinite(withdrawal_headroom(free).headroom_mw).any()


def test_an_island_without_generation_has_no_headroom() -> None:
    grid = random_grid(1)
    dark = replace(grid, gen_mw=np.zeros(grid.n_bus))
    found = withdrawal_headroom(dark, cap_mw=777.0)
    assert not found.headroom_mw.any()
    assert set(found.limit_id) == {NO_GENERATION}


def test_an_unknown_poi_is_refused_by_name() -> None:
    with pytest.raises(LayerError, match="POI 'nowhere' has no bus"):
        withdrawal_headroom(random_grid(1), ["p1", "nowhere"])
