"""The base of a screening: balanced, within what counts, secure where it is economic."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from test_grid import dense_flows, random_grid

from sitepick.dispatch.screening import base_of
from sitepick.errors import LayerError
from sitepick.network.conditions import credits_of
from sitepick.network.types import DcTies, Grid, Plants
from sitepick.scenario.grid import StudyCondition

DAY = date(2027, 1, 1)
CONDITION = StudyCondition(id="test", load_pct=70, credit_pct={"wind": 20}, dc_tie_pct=100)


def with_plants(seed: int) -> Grid:
    """A random grid with two plants at each bus that generates, wind at every other one."""
    grid = random_grid(seed)
    at = np.flatnonzero(grid.gen_mw > 0)
    bus = np.repeat(at, 2)
    g = bus.size
    plants = Plants(
        ids=tuple(f"g{k}" for k in range(g)),
        bus=bus,
        fuel=tuple(("wind", "gas")[k % 2] for k in range(g)),
        pmax_mw=grid.gen_mw[bus],
        pmin_mw=np.zeros(g),
        pg_mw=grid.gen_mw[bus] / 2,
        cost_usd_h=np.zeros(g),
        cost_usd_mwh=10.0 + np.arange(g),
        cost_usd_mw2h=np.zeros(g),
        in_service=np.ones(g, dtype=bool),
        from_date=(None,) * g,
        to_date=(None,) * g,
    )
    return replace(grid, plants=plants, rating_mw=(3 if seed % 2 else 0.7) * grid.rating_mw)


def counted(grid: Grid) -> np.ndarray:
    """(N,) MW that can be counted on."""
    most = grid.plants.pmax_mw * credits_of(grid, CONDITION)
    return np.bincount(grid.plants.bus, weights=most, minlength=grid.n_bus)


@pytest.mark.parametrize("rule", ["economic", "stored"])
@pytest.mark.parametrize("seed", range(6))
def test_a_base_is_balanced_and_within_what_counts(seed: int, rule: str) -> None:
    grid = with_plants(seed)
    outages = np.arange(grid.n_branch)
    base = base_of(grid, CONDITION, DAY, rule=rule, outages=outages, emergency_factor=1.15)
    np.testing.assert_allclose(base.load_mw, 0.7 * grid.load_mw)
    assert base.gen_mw.sum() == pytest.approx(base.load_mw.sum())
    assert (base.gen_mw >= -1e-6).all()
    assert (base.gen_mw <= counted(grid) + 1e-6).all()
    np.testing.assert_allclose(base.sink, counted(grid) - base.gen_mw, atol=1e-6)


def test_economic_dispatch_keeps_every_rating_but_for_what_is_excused() -> None:
    excused = 0
    for seed in range(6):
        grid = with_plants(seed)
        outages = np.arange(grid.n_branch)
        base = base_of(
            grid, CONDITION, DAY, rule="economic", outages=outages, emergency_factor=1.15
        )
        for out in [-1, *outages]:
            flow = dense_flows(grid, base.gen_mw - base.load_mw, None if out < 0 else int(out))
            limit = grid.rating_mw * (1.0 if out < 0 else 1.15)
            more = np.array([base.excused_mw.get((k, int(out)), 0.0) for k in range(flow.size)])
            keeps = np.abs(flow) <= limit + more + 1e-3
            keeps[out] |= out >= 0
            assert keeps.all()
        excused += len(base.excused_mw)
    assert excused > 0


def test_stored_dispatch_is_scaled_down_or_filled_up() -> None:
    grid = with_plants(1)
    low = StudyCondition(id="low", load_pct=10)
    base = base_of(
        grid, low, DAY, rule="stored", outages=np.zeros(0, dtype=np.int64), emergency_factor=1.15
    )
    share = base.gen_mw[grid.gen_mw > 0] / grid.gen_mw[grid.gen_mw > 0]
    assert np.ptp(share) < 1e-9  # all units run at the same part of their stored MW


def test_a_tie_counts_in_the_base_but_serves_no_new_load() -> None:
    grid = with_plants(2)
    tie = DcTies(
        ids=("D1",),
        bus=np.array([3]),
        other_bus=np.array([-1]),
        pmin_mw=np.array([-50.0]),
        pmax_mw=np.array([50.0]),
        scheduled_mw=np.array([0.0]),
    )
    grid = replace(grid, dc_ties=tie, gen_mw=np.where(np.arange(grid.n_bus) == 3, 0, grid.gen_mw))
    nothing = np.zeros(0, dtype=np.int64)
    base = base_of(grid, CONDITION, DAY, rule="economic", outages=nothing, emergency_factor=1.15)
    own = np.bincount(grid.plants.bus, minlength=grid.n_bus)[3]
    assert base.gen_mw.sum() == pytest.approx(base.load_mw.sum())
    if not own:
        assert base.gen_mw[3] == pytest.approx(50)  # it costs nothing
        assert base.sink[3] == 0


def test_too_much_load_is_refused_by_island() -> None:
    grid = with_plants(3)
    heavy = StudyCondition(id="heavy", load_pct=100_000)
    for rule in ("economic", "stored"):
        with pytest.raises(LayerError, match="of the island of bus b0 can be counted on"):
            base_of(
                grid,
                heavy,
                DAY,
                rule=rule,
                outages=np.zeros(0, dtype=np.int64),
                emergency_factor=1.15,
            )
