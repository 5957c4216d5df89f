"""Screening in blocks: any size of block and number of processes gives the same; explicit bases."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from test_grid import dense_flows, random_grid

from sitepick.bundled import data_dir
from sitepick.errors import LayerError
from sitepick.network import headroom as room
from sitepick.network import screening
from sitepick.network.grid import DcFlow, Grid
from sitepick.network.headroom import BASE_CASE, NO_GENERATION, Headroom, withdrawal_headroom
from sitepick.network.processes import spread

TOP_MW = 5000.0
NO_OUTAGES = np.zeros(0, dtype=np.int64)


@pytest.fixture(scope="module")
def texas() -> Grid:
    return Grid.from_tables(data_dir() / "texas_grid")


@pytest.fixture(scope="module")
def texas_found(texas: Grid) -> Headroom:
    return withdrawal_headroom(texas, cap_mw=TOP_MW)


def same(one: Headroom, two: Headroom) -> None:
    np.testing.assert_allclose(one.headroom_mw, two.headroom_mw, atol=1e-6)
    assert one.ids == two.ids
    assert one.limit_id == two.limit_id
    assert one.outage_id == two.outage_id
    assert one.radial_ids == two.radial_ids
    assert sorted(one.overloaded) == sorted(two.overloaded)


def test_blocks_of_odd_sizes_give_the_same(
    texas: Grid, texas_found: Headroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(screening, "_COLUMNS", 5)
    monkeypatch.setattr(screening, "_POINTS", 37)
    monkeypatch.setattr(screening, "_PAIRS", 101)
    monkeypatch.setattr(room, "_PART", 211)
    same(withdrawal_headroom(texas, cap_mw=TOP_MW), texas_found)


def test_a_block_of_one_and_points_in_another_order_give_the_same(
    texas: Grid, texas_found: Headroom
) -> None:
    """What may bind is judged for all points of a call: fewer points must not lose a pair."""
    order = np.random.default_rng(3).permutation(len(texas.poi_ids))[:40]
    pois = [texas.poi_ids[k] for k in order]
    found = withdrawal_headroom(texas, pois, cap_mw=TOP_MW)
    np.testing.assert_allclose(found.headroom_mw, texas_found.headroom_mw[order], atol=1e-6)
    assert found.limit_id == tuple(texas_found.limit_id[k] for k in order)
    alone = withdrawal_headroom(texas, pois[:1], cap_mw=TOP_MW)
    assert alone.headroom_mw[0] == pytest.approx(found.headroom_mw[0], abs=1e-6)


def test_two_processes_give_the_same_and_tell_how_far_they_are() -> None:
    grid = random_grid(7, n=300)
    heard: list[tuple[str, int, int]] = []
    alone = withdrawal_headroom(grid, cap_mw=TOP_MW)
    found = withdrawal_headroom(
        grid, cap_mw=TOP_MW, processes=2, progress=lambda *news: heard.append(news)
    )
    same(found, alone)
    assert {stage for stage, _, _ in heard} == {"base case", "outages", "after outages"}
    assert all(done <= total for _, done, total in heard)
    assert heard[-1] == ("after outages", 3, 3)


def _length(prepared: str, part: int) -> str:
    if part < 0:
        raise LayerError(f"part {part}")
    return prepared * part


@pytest.mark.parametrize("processes", [1, 2])
def test_parts_come_back_in_order_and_faults_come_up(processes: int) -> None:
    prepare = partial(str, "ab")
    assert list(spread(prepare, _length, [3, 1, 2], processes=processes)) == [
        "ababab",
        "ab",
        "abab",
    ]
    with pytest.raises(LayerError, match="part -1"):
        list(spread(prepare, _length, [1, -1, 2], processes=processes))


def every_pair(
    grid: Grid, emergency: float, cutoff: float, injection: np.ndarray, sink: np.ndarray
) -> np.ndarray:
    """(P,) MW by trying every branch, outage and point with dense solves."""
    best = np.full(len(grid.poi_ids), TOP_MW)
    for out in [None, *range(grid.n_branch)]:
        before = dense_flows(grid, injection, out)
        zero = dense_flows(grid, np.zeros(grid.n_bus), out)
        limit = grid.rating_mw * (1.0 if out is None else emergency)
        for k, bus in enumerate(grid.poi_bus):
            extra = sink - np.eye(grid.n_bus)[bus]
            slope = dense_flows(grid, extra, out) - zero
            seen = (np.abs(slope) >= cutoff) & np.isfinite(limit)
            if out is not None:
                seen[out] = False
            left = limit[seen] - np.sign(slope[seen]) * before[seen]
            left = np.maximum(left, 0) / np.abs(slope[seen])
            best[k] = min(best[k], left.min(initial=TOP_MW))
    return best


@pytest.mark.parametrize("seed", range(8))
def test_any_base_and_sink_equals_trying_every_pair(seed: int) -> None:
    rng = np.random.default_rng(100 + seed)
    grid = random_grid(seed)
    grid = replace(grid, rating_mw=grid.rating_mw * rng.choice([0.6, 1.5, 4.0], grid.n_branch))
    emergency, cutoff = (1.0, 1.15, 1.6)[seed % 3], (0.01, 0.05, 0.3)[seed // 3]
    load = rng.uniform(0, 100, grid.n_bus)
    gen = rng.uniform(-20, 120, grid.n_bus)  # a charging store is a negative plant
    gen *= load.sum() / gen.sum()
    sink = rng.uniform(0, 3, grid.n_bus) * (rng.random(grid.n_bus) < 0.4)
    sink[0] = 1.0
    found = withdrawal_headroom(
        grid,
        emergency_factor=emergency,
        cutoff=cutoff,
        cap_mw=TOP_MW,
        load_mw=load,
        gen_mw=gen,
        sink=sink,
    )
    wanted = every_pair(grid, emergency, cutoff, gen - load, sink / sink.sum())
    np.testing.assert_allclose(found.headroom_mw, wanted, atol=1e-4)


def test_outages_lift_points_that_the_base_case_does_not_monitor() -> None:
    """The comparison above must have cases where a factor is below the cutoff before an outage."""
    lifted = 0
    for seed in range(12):
        grid = random_grid(seed)
        dc = DcFlow(grid)
        factor = np.abs(dc.withdrawal_factors(grid.poi_bus))
        found = withdrawal_headroom(grid, emergency_factor=1.8, cutoff=0.3, cap_mw=TOP_MW)
        at = {branch: k for k, branch in enumerate(grid.branch_ids)}
        for k, (limit, outage) in enumerate(zip(found.limit_id, found.outage_id, strict=True)):
            lifted += outage != BASE_CASE and factor[at[limit], k] < 0.3
    assert lifted > 5


def test_load_of_a_condition_without_its_dispatch_scales_the_stored_one() -> None:
    grid = random_grid(3)
    half = withdrawal_headroom(grid, cap_mw=TOP_MW, load_mw=grid.load_mw / 2)
    again = replace(grid, load_mw=grid.load_mw / 2)
    np.testing.assert_allclose(
        half.headroom_mw, withdrawal_headroom(again, cap_mw=TOP_MW).headroom_mw, atol=1e-6
    )
    full = withdrawal_headroom(grid, cap_mw=TOP_MW)
    assert (half.headroom_mw - full.headroom_mw).max() > 1


def test_without_a_sink_nothing_can_be_added() -> None:
    grid = random_grid(3)
    found = withdrawal_headroom(grid, sink=np.zeros(grid.n_bus))
    assert set(found.limit_id) == {NO_GENERATION}
    assert not found.headroom_mw.any()


@pytest.mark.parametrize("name", ["load_mw", "gen_mw", "sink"])
def test_a_base_that_is_no_number_for_each_bus_is_refused(name: str) -> None:
    grid = random_grid(3)
    wrong = np.full(grid.n_bus, np.nan)
    with pytest.raises(LayerError, match=f"{name} must be one finite number"):
        withdrawal_headroom(grid, **{name: wrong})
    with pytest.raises(LayerError, match=f"{name} must be one finite number"):
        withdrawal_headroom(grid, **{name: np.ones(3)})


def test_a_branch_over_its_emergency_rating_is_listed_once() -> None:
    grid = random_grid(1)
    rating = np.full(grid.n_branch, 1e4)
    rating[3] = 1.0
    found = withdrawal_headroom(replace(grid, rating_mw=rating), outage_min_kv=1.0)
    assert [pair for pair in found.overloaded if pair[0] == "l3"] == [("l3", BASE_CASE)]


def test_more_pairs_than_fit_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "_MOST_PAIRS", 3)
    with pytest.raises(LayerError, match="may bind; screen fewer outages"):
        withdrawal_headroom(random_grid(1), emergency_factor=1.0)


def test_texas_without_outages_is_the_base_case_alone(texas: Grid, texas_found: Headroom) -> None:
    found = withdrawal_headroom(texas, cap_mw=TOP_MW, outages=NO_OUTAGES)
    assert (found.headroom_mw >= texas_found.headroom_mw - 1e-6).all()
    assert set(found.outage_id) == {BASE_CASE}
    assert not found.radial_ids


def parallel_paths(shares: list[float], rating_mw: list[float]) -> Grid:
    """Two buses, generation at the first, and circuits that share what flows as ``shares`` says."""
    m = len(shares)
    return Grid(
        bus_ids=("g", "d"),
        bus_kv=np.full(2, 138.0),
        load_mw=np.zeros(2),
        gen_mw=np.array([1.0, 0.0]),
        pmax_mw=np.array([1.0, 0.0]),
        branch_ids=tuple(f"l{k}" for k in range(m)),
        from_bus=np.zeros(m, dtype=np.int64),
        to_bus=np.ones(m, dtype=np.int64),
        x_pu=0.01 / np.array(shares),
        tap=np.ones(m),
        shift_rad=np.zeros(m),
        rating_mw=np.array(rating_mw),
        is_line=np.ones(m, dtype=bool),
        stored_mw=np.full(m, np.nan),
        poi_ids=("POI",),
        poi_bus=np.array([1]),
    )


def test_a_branch_that_only_an_outage_brings_above_the_cutoff_binds() -> None:
    """By hand: l0 takes 29 %, unmonitored at a cutoff of 30 %, though it is over its rating first.

    l2 leaves 283.2 / 0.59 = 480 MW in the base case. Losing l1 lifts l0 to 0.29 / 0.88, which
    leaves 1.5 * 100 * 0.88 / 0.29 MW.
    """
    grid = parallel_paths([0.29, 0.12, 0.59], [100.0, 3000.0, 283.2])
    rules = {"emergency_factor": 1.5, "cutoff": 0.3, "cap_mw": TOP_MW}
    base = withdrawal_headroom(grid, outages=NO_OUTAGES, **rules)
    assert base.headroom_mw[0] == pytest.approx(480.0)
    found = withdrawal_headroom(grid, outages=np.array([1]), **rules)
    assert found.headroom_mw[0] == pytest.approx(150 * 0.88 / 0.29)
    assert (found.limit_id, found.outage_id) == (("l0",), ("l1",))


@pytest.mark.parametrize("seed", [11, 157, 571])
def test_an_outage_that_turns_relief_of_an_overload_into_burden_binds(seed: int) -> None:
    """A few branches are far over their normal rating, and high emergency ratings let that stand:
    some points relieve such a branch in the base, and burden it once another is lost."""
    rng = np.random.default_rng(seed)
    grid = random_grid(seed, n=8)
    low = rng.random(grid.n_branch) < 0.25
    rating = np.where(low, rng.uniform(1, 20, low.size), rng.uniform(300, 3000, low.size))
    grid = replace(grid, rating_mw=rating)
    found = withdrawal_headroom(grid, emergency_factor=5.0, cutoff=0.05, cap_mw=TOP_MW)
    sink = grid.gen_mw / grid.gen_mw.sum()
    injection = sink * grid.load_mw.sum() - grid.load_mw
    wanted = every_pair(grid, 5.0, 0.05, injection, sink)
    np.testing.assert_allclose(found.headroom_mw, wanted, atol=1e-4)


@pytest.mark.parametrize("seed", range(6))
def test_overloads_before_any_new_load_are_all_listed(seed: int) -> None:
    grid = random_grid(seed)
    grid = replace(grid, rating_mw=0.5 * grid.rating_mw)
    found = withdrawal_headroom(grid, emergency_factor=1.5, cap_mw=TOP_MW)
    sink = grid.gen_mw / grid.gen_mw.sum()
    injection = sink * grid.load_mw.sum() - grid.load_mw
    flow = np.abs(dense_flows(grid, injection))
    limit = 1.5 * grid.rating_mw
    wanted = {(grid.branch_ids[k], BASE_CASE) for k in np.flatnonzero(flow > grid.rating_mw)}
    for out in range(grid.n_branch):
        after = np.abs(dense_flows(grid, injection, out))
        over = np.flatnonzero((after > limit) & (flow <= limit))
        wanted |= {(grid.branch_ids[k], grid.branch_ids[out]) for k in over if k != out}
    assert set(found.overloaded) == wanted
    assert len(found.overloaded) == len(wanted)
