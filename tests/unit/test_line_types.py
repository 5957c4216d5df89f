"""Standard lines and loadability against published figures."""

from __future__ import annotations

import numpy as np
import pytest

from sitepick.scenario.catalog import table
from sitepick.scenario.line_types import line_types, loadability_mw, st_clair


def test_st_clair_meets_the_published_points_and_its_power_law():
    km = np.array([40, 80, 160, 320, 480, 640, 965])
    assert st_clair(km) == pytest.approx([5.0, 3.1, 2.0, 1.3, 1.0, 0.8, 0.6])
    long = np.linspace(10, 1200, 60)
    fit = 43.26 * (long / 1.609344) ** -0.6678
    assert st_clair(long) == pytest.approx(fit, rel=0.06)
    assert (np.diff(st_clair(long)) < 0).all()


def test_heat_limits_short_lines_and_length_long_ones():
    # 345 kV: 1,500 MW thermal, SIL 418 MW; the two meet where k = 0.95 x 1500 / 418 = 3.41
    got = loadability_mw(345, [0, 10, 160, 480])
    assert got == pytest.approx([1425, 1425, 836, 418])
    assert loadability_mw(138, [5, 320]) == pytest.approx([275.5, 65])
    assert loadability_mw(345, np.nan) == pytest.approx(1425)


def test_voltages_between_the_rows_keep_current_and_surge_impedance():
    got = line_types([161.0, 400.0, np.nan, 0.0])
    assert got.thermal_mw[:2] == pytest.approx([290 * 161 / 138, 1700 * 400 / 380])
    assert got.sil_mw[:2] == pytest.approx([50 * (161 / 138) ** 2, 606 * (400 / 380) ** 2])
    assert got.x_ohm_per_km[:2] == pytest.approx([0.48, 0.246])
    assert np.isnan(got.thermal_mw[2:]).all()
    assert np.isnan(got.x_ohm_per_km[2:]).all()
    assert np.isnan(loadability_mw([np.nan, 0.0], 10)).all()


def test_the_four_bundle_of_380_kv_is_the_published_one():
    # sqrt(3) x 380 kV x 2.58 kA = 1,698 MVA; V^2 / 238 ohm = 606.7 MW
    (row,) = [row for row in table("line_types") if row["kv"] == 380]
    assert row["thermal_mw"] == pytest.approx(3**0.5 * 380 * 2.58, rel=0.002)
    assert row["sil_mw"] == pytest.approx(380**2 / 238, rel=0.002)


def test_rows_are_in_order_and_higher_voltage_carries_more_at_any_length():
    rows = table("line_types")
    kv = [row["kv"] for row in rows]
    assert kv == sorted(kv)
    assert len(set(kv)) == len(kv)
    for km in (5, 50, 200, 600):
        american = loadability_mw([34.5, 69, 115, 138, 230, 345, 500, 765], km)
        assert (np.diff(american) > 0).all()
