"""Flat load that fits under a peak if curtailed: by hand, by bisection, and invariants."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sitepick.layers.types import LoadCurve
from sitepick.network.margin import firm_mw, margin


def _hourly(*mw: float) -> LoadCurve:
    return LoadCurve("a", np.array(mw, dtype=float), np.ones(len(mw)), hourly=True)


def _year(seed: int = 3) -> LoadCurve:
    """A year with summer afternoons and winter mornings, and noise."""
    rng, t = np.random.default_rng(seed), np.arange(8760)
    season = 9 * np.cos(4 * np.pi * (t / 8760 - 0.55))
    load = 60 + season + 12 * np.sin(2 * np.pi * (t / 24 - 0.35)) + rng.normal(0, 2, 8760)
    return LoadCurve("year", 1000 * load, np.ones(8760), hourly=True)


def _by_bisection(mw: np.ndarray, hours: np.ndarray, share: float, peak: float) -> float:
    """The equation as it is written, solved without sorting anything."""

    def excess(h: float) -> float:
        cut = np.minimum(h, np.maximum(0.0, mw + h - peak))
        return float(cut @ hours) - share * h * float(hours.sum())

    low, high = 0.0, float(peak) + 10 * float(mw.max())
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if excess(middle) <= 0 else (low, middle)
    return low


def test_by_hand():
    # rooms below the peak of 100: 0, 10, 20, 60. With the two highest hours curtailed:
    # (H - 0) + (H - 10) = 0.25 * 4 H, so H = 10; the second hour is then just not curtailed
    found = margin(_hourly(100, 40, 80, 90), 25)
    assert found.mw == pytest.approx(10)
    assert (found.hours, found.events, found.deepest) == (1, 1, 1)
    # 0.375: (H - 0) + (H - 10) = 1.5 H, so H = 20: hours of 100 and 90 MW
    found = margin(_hourly(100, 40, 80, 90), 37.5)
    assert found.mw == pytest.approx(20)
    assert (found.hours, found.curtailed_mwh) == (2, pytest.approx(30))
    assert found.mean_depth == pytest.approx(0.75)
    assert (found.events, found.mean_event_hours, found.longest_event_hours) == (2, 1, 1)
    assert found.hardest_event_hours == pytest.approx(1)
    # 0.5: (H) + (H - 10) + (H - 20) = 2 H, so H = 30
    found = margin(_hourly(100, 40, 80, 90), 50)
    assert found.mw == pytest.approx(30)
    assert (found.events, found.longest_event_hours) == (2, 2)
    assert found.hardest_event_hours == pytest.approx(1)


def test_a_higher_threshold_is_room_without_curtailment():
    assert margin(_hourly(100, 40, 80, 90), 0, peak_mw=115).mw == pytest.approx(15)
    assert margin(_hourly(100, 40, 80, 90), 0).mw == 0
    assert firm_mw(_hourly(100, 40, 80, 90), 0, peak_mw=115) == 15


def test_above_the_threshold_the_new_load_is_off_and_no_more():
    # 95 MW: two hours at or above; 2 H + (H - 15) = 0.75 * 4 H is true of no H above 15, and
    # 2 H = 3 H of none below but 0: the largest load is where the fourth hour pays for it
    found = margin(_hourly(100, 40, 80, 95), 75, peak_mw=95)
    assert found.mw == pytest.approx(
        _by_bisection(np.array([100.0, 40, 80, 95]), np.ones(4), 0.75, 95)
    )
    assert found.curtailed_mwh <= 4 * found.mw
    assert found.deepest == 1


def test_a_share_too_small_for_one_hour_is_no_load():
    found = margin(_year(), 0.01)  # 0.876 h of the load, but the peak hour needs a whole one
    assert (found.mw, found.hours, found.mean_depth, found.deepest) == (0, 0, 0, 0)
    assert (found.events, found.mean_event_hours, found.hardest_event_hours) == (0, 0, 0)


@pytest.mark.parametrize("pct", [0.05, 0.25, 0.5, 1, 5, 30])
@pytest.mark.parametrize("peak", [None, 95_000.0, 70_000.0])
def test_a_year_against_bisection(pct, peak):
    curve = _year()
    threshold = curve.peak_mw if peak is None else peak
    wanted = _by_bisection(curve.mw, curve.hours, pct / 100, threshold)
    found = margin(curve, pct, peak)
    assert found.mw == pytest.approx(wanted, rel=1e-9, abs=1e-6)
    assert found.curtailed_mwh == pytest.approx(pct / 100 * found.mw * 8760, rel=1e-9)


def test_the_order_of_magnitude_of_the_study():
    """22 areas of the United States: 0.25 % is about 85 hours in events of 1.7 h (Duke, 2025)."""
    found = margin(_year(), 0.25)
    assert 50 < found.hours < 150
    assert 1 <= found.mean_event_hours < 4
    assert 0.02 < found.mw / _year().peak_mw < 0.15


def test_a_load_duration_curve_says_the_same_but_for_events():
    curve = _year()
    values, counts = np.unique(curve.mw.round(-2), return_counts=True)
    rounded = LoadCurve("a", curve.mw.round(-2), curve.hours, hourly=True)
    duration = LoadCurve("a", values, counts.astype(float), hourly=False)
    one, other = margin(rounded, 0.5), margin(duration, 0.5)
    assert other.mw == pytest.approx(one.mw)
    assert (other.hours, other.mean_depth) == (one.hours, pytest.approx(one.mean_depth))
    assert other.events is other.mean_event_hours is other.hardest_event_hours is None


def test_hours_by_number():
    curve = _hourly(100, 40, 80, 90)
    assert [firm_mw(curve, n) for n in (0, 1, 2, 2.5, 3)] == [0, 10, 20, 20, 60]
    for n in (0, 10, 200):
        found = firm_mw(_year(), n)
        assert (_year().mw + found > _year().peak_mw + 1e-6).sum() <= n


def test_out_of_range():
    for pct in (-1, 100):
        with pytest.raises(ValueError, match="outside 0 to 100"):
            margin(_year(), pct)
    for hours in (-1, 8760):
        with pytest.raises(ValueError, match="not within the year"):
            firm_mw(_year(), hours)
    with pytest.raises(ValueError, match="no hours"):
        margin(LoadCurve("a", np.zeros(0), np.zeros(0), hourly=True), 1)


loads = st.lists(st.integers(1, 500), min_size=2, max_size=40)
spans = st.integers(1, 9)


@settings(max_examples=150, deadline=None)
@given(loads, st.floats(0, 60), st.floats(0, 39), st.floats(0.6, 1.5), st.integers(0, 2**31))
def test_what_always_holds(mw, low, more, of_peak, seed):
    lasts = np.random.default_rng(seed).integers(1, 9, len(mw)).astype(float)
    curve = LoadCurve("a", np.array(mw, dtype=float), lasts, hourly=False)
    peak = of_peak * curve.peak_mw
    few, many = margin(curve, low, peak), margin(curve, low + more, peak)
    assert many.mw >= few.mw - 1e-7 * peak  # more leave, more load
    assert margin(curve, low, 1.1 * peak).mw >= few.mw - 1e-7 * peak
    wanted = _by_bisection(curve.mw, lasts, low / 100, peak)
    assert few.mw == pytest.approx(wanted, rel=1e-6, abs=1e-6 * peak)
    thrice = LoadCurve("a", 3 * curve.mw, lasts, hourly=False)
    assert margin(thrice, low, 3 * peak).mw == pytest.approx(3 * few.mw, rel=1e-6, abs=1e-6)
    twice = LoadCurve("a", curve.mw, 2 * lasts, hourly=False)
    assert margin(twice, low, peak).mw == pytest.approx(few.mw, rel=1e-6, abs=1e-6)
    assert 0 <= few.mean_depth <= few.deepest + 1e-9 <= 1 + 2e-9
