"""Solar with storage by representative days: by hand, and against a simulation hour by hour."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import linprog

from sitepick.candidates.solar import SIZES, simulate, size
from sitepick.scenario.catalog import table

ROWS = table("solar_days")
DAYS = np.array([row["mw_per_mw"] for row in ROWS])
WEIGHT = np.array([row["days_per_year"] for row in ROWS], dtype=float)
HALF = np.array([[0.0] * 12 + [1.0] * 12])  # dark for 12 hours, full sun for 12


def run(
    output: np.ndarray, solar: float, storage: float, efficiency: float, load: float = 1.0
) -> float:
    """Return MWh served on one day by playing it 100 times, hour by hour."""
    level = served = 0.0
    for _ in range(100):
        served = 0.0
        for value in output:
            made = solar * value
            if made >= load:
                level = min(storage, level + efficiency * (made - load))
                served += load
            else:
                given = min(level, load - made)
                level -= given
                served += made + given
    return served


def test_a_day_of_two_blocks_by_hand() -> None:
    # 12 h of sun, 12 h of night: a MW of load by night needs 12 MWh, charged from 12 / 0.8 / 12
    # = 1.25 MW beyond the load's own MW, so 2.25 MW of solar serve everything
    assert simulate(HALF, 2.25, 12.0, 0.8, 1.0) == pytest.approx([24.0])
    # with 6 MWh of storage half the night is served; with 1.5 MW of solar 0.5 x 12 x 0.8 = 4.8 MWh
    assert simulate(HALF, 2.25, 6.0, 0.8, 1.0) == pytest.approx([18.0])
    assert simulate(HALF, 1.5, 6.0, 0.8, 1.0) == pytest.approx([16.8])
    # 75 % of the energy: 6 MWh by night, 6 / 0.8 / 12 = 0.625 MW more, whatever things cost
    plant = size(HALF, np.ones(1), share=0.75, efficiency=0.8, usd_per_kw=1000, usd_per_kwh=200)
    assert plant.solar_mw == pytest.approx(1.625, abs=1e-6)
    assert plant.storage_mwh == pytest.approx(6.0, abs=1e-5)
    assert plant.usd_per_kw == pytest.approx(1625 + 1200, abs=1e-2)
    # what it carries through the night as well: L x 12 = min(6, 0.8 x 12 x (1.625 - L))
    assert plant.worst_day == pytest.approx(0.5, abs=1e-6)
    # twice the plant for the same load: 12 MWh of night, all of it
    assert dict(plant.curve)[2.0] == pytest.approx(1.0)
    assert dict(plant.curve)[0.5] == pytest.approx(0.8125 * 12 / 24)


@pytest.mark.parametrize("seed", range(12))
def test_settled_days_equal_a_hundred_played_ones(seed: int) -> None:
    dice = np.random.default_rng(seed)
    days = np.clip(dice.uniform(-0.6, 1, (4, 24)), 0, 1)  # clouds that come and go
    solar, storage = dice.uniform(0.5, 6), dice.uniform(0, 12)
    efficiency, load = dice.uniform(0.6, 1), dice.uniform(0.3, 1)
    played = [run(day, solar, storage, efficiency, load) for day in days]
    assert simulate(days, solar, storage, efficiency, load) == pytest.approx(played, abs=1e-7)


def cheapest(share: float, efficiency: float, usd_per_kw: float, usd_per_kwh: float) -> float:
    """Return the least cost by a linear program over solar, storage and every hour's dispatch."""
    d, hours = DAYS.shape
    n = 2 + 3 * d * hours  # solar, storage, then charge, discharge, level by day and hour
    cost = np.zeros(n)
    cost[:2] = usd_per_kw, usd_per_kwh
    above, limit, equal = [], [], []
    energy = np.zeros(n)
    for i in range(d):
        for h in range(hours):
            charge, given, level = 2 + 3 * (i * hours + h) + np.arange(3)
            after = 2 + 3 * (i * hours + (h + 1) % hours) + 2
            row = np.zeros(n)
            row[[after, level, charge, given]] = 1, -1, -efficiency, 1
            equal.append(row)
            for parts, most in (
                ({level: 1, 1: -1}, 0.0),  # level <= storage
                ({charge: 1, 0: -DAYS[i, h]}, 0.0),  # charged from the sun of the hour
                ({given: 1, level: -1}, 0.0),
            ):
                row = np.zeros(n)
                row[list(parts)] = list(parts.values())
                above.append(row)
                limit.append(most)
    # served in an hour: min(1, sun - charge + discharge); a slack per hour for what is spilt
    spilt = np.zeros((d * hours, n + d * hours))
    for i in range(d):
        for h in range(hours):
            at = i * hours + h
            charge, given = 2 + 3 * at, 3 + 3 * at
            spilt[at, [0, charge, given, n + at]] = DAYS[i, h], -1, 1, -1
    w = np.repeat(WEIGHT / WEIGHT.sum(), hours) / hours
    energy = (w[:, None] * spilt).sum(axis=0)
    pad = np.zeros((len(above), d * hours))
    a_ub = np.vstack([np.hstack([np.array(above), pad]), spilt, -energy[None]])
    b_ub = np.concatenate([limit, np.ones(d * hours), [-share]])
    a_eq = np.hstack([np.array(equal), np.zeros((len(equal), d * hours))])
    found = linprog(
        np.append(cost, np.zeros(d * hours)),
        a_ub,
        b_ub,
        a_eq,
        np.zeros(len(equal)),
        bounds=(0, None),
    )
    assert found.status == 0
    return float(found.fun)


@pytest.mark.parametrize(
    ("share", "kw", "kwh"), [(0.4, 1150, 275), (0.7, 900, 180), (0.9, 600, 400)]
)
def test_no_plant_is_cheaper(share: float, kw: float, kwh: float) -> None:
    plant = size(DAYS, WEIGHT, share=share, efficiency=0.86, usd_per_kw=kw, usd_per_kwh=kwh)
    assert plant.usd_per_kw == pytest.approx(cheapest(share, 0.86, kw, kwh), rel=1e-6)
    served = [run(day, plant.solar_mw, plant.storage_mwh, 0.86) for day in DAYS]
    assert WEIGHT @ served / WEIGHT.sum() / 24 == pytest.approx(share, abs=1e-6)


def test_the_curve_is_what_larger_and_smaller_plants_give_and_concave() -> None:
    plant = size(DAYS, WEIGHT, share=0.6, efficiency=0.86, usd_per_kw=1150, usd_per_kwh=275)
    assert [x for x, _ in plant.curve] == list(SIZES)
    for x, share in plant.curve:
        served = [run(day, x * plant.solar_mw, x * plant.storage_mwh, 0.86) for day in DAYS]
        assert WEIGHT @ served / WEIGHT.sum() / 24 == pytest.approx(share, abs=1e-9)
    slopes = np.diff([s for _, s in plant.curve]) / np.diff(SIZES)
    assert (np.diff(slopes) < 1e-9).all()
    for load, carried in ((plant.worst_day - 1e-4, True), (plant.worst_day + 1e-4, False)):
        served = [run(day, plant.solar_mw, plant.storage_mwh, 0.86, load) for day in DAYS]
        assert bool(min(served) >= 24 * load - 1e-6) is carried


def test_a_share_that_no_sun_can_give_is_refused() -> None:
    dark = np.vstack([DAYS, np.zeros(24)])
    with pytest.raises(ValueError, match="at most 50%"):
        size(dark, np.array([1, 1, 0, 2]), share=0.6, efficiency=0.9, usd_per_kw=1, usd_per_kwh=1)
