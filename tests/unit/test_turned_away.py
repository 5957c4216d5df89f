"""Why work is turned away, by hand: one site, one POI, one year, PUE 1, no discount.

40 IT MW are asked for. Energy is 50 USD/MWh at a load factor of 100 %, the demand charge 5 USD per
kW and month: 0.438 + 0.06 = 0.498 MUSD per IT MW and year.
"""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from helpers import tiny, worlds

from sitepick import turned_away
from sitepick.planner import Planner
from sitepick.run import NextMw, TurnedAway
from sitepick.scenario.schema import Scenario
from sitepick.solve.outcome import Limits
from sitepick.words import LETTER, REACH

P0, NAN = "2028-01-01", float("nan")


def why(
    *, headroom_mw: float = 26.0, site: dict[str, Any] | None = None, tables: Any = None,
    demand: dict[str, Any] | None = None, **parts: Any,
) -> tuple[TurnedAway, ...]:  # fmt: skip
    record = {
        "version": 1, "as_of": "2026-01-01", "periods": {"from": "2028", "to": "2028"},
        "money": {"price_year": 2026, "discount_rate_pct": 0}, "halls": "none", "hardware": "none",
        "power": {"load_factor_pct": 100},
        "demand": {"it_mw": 40, "shortfall_musd_per_mw_year": 400} | (demand or {}), **parts,
    }  # fmt: skip
    filled: dict[str, Any] = {name: [] for name in tiny.TABLES} | {
        "sites": [tiny.site("A", land_musd=6.0, **(site or {}))],
        "pois": [tiny.poi("P", headroom_mw=headroom_mw, energy_usd_per_mwh=50.0,
                          demand_usd_per_kw_month=5.0)],
        "ties": tiny.rows(("A", "P", 138.0, 5.0, NAN), of="ties"),
    }  # fmt: skip
    world = worlds.prepared(
        Scenario.model_validate(record), tiny.candidates(**(filled | (tables or {})))
    )
    planner = Planner(world, Limits(gap=1e-6, threads=1))
    outcome, _ = planner.solve(None)
    assert outcome.values is not None
    return turned_away.why_turned_away(planner, outcome.values)


def test_the_headroom_of_a_poi_serves_mw_for_mw():
    (row,) = why()
    assert row.short_ref_mw == pytest.approx(14)
    assert (row.period, row.workload, row.looked) == (P0, "it", True)
    assert row.limits == (NextMw("headroom.limit", "P", P0, pytest.approx(1.0), "grid MW"),)


def test_a_letter_is_named_where_it_is_what_ends():
    (row,) = why(tables={"offers": [tiny.offer("L", "P", 26.0)]})
    assert row.short_ref_mw == pytest.approx(14)
    assert [(m.limit, m.where, m.unit) for m in row.limits] == [
        (LETTER, "L", "grid MW"), ("headroom.limit", "P", "grid MW"),
    ]  # fmt: skip
    assert [m.amount for m in row.limits] == pytest.approx([1, 1])


def test_a_shared_limit_of_which_a_poi_takes_a_part():
    shared = tiny.rows(("BANK", "P", 0.8, 16.0, date(2026, 1, 1)), of="shared_limits")
    (row,) = why(tables={"shared_limits": shared})
    assert row.short_ref_mw == pytest.approx(20)
    assert row.limits == (NextMw("headroom.shared", "BANK", P0, pytest.approx(0.8), "grid MW"),)


def test_work_dearer_than_its_penalty_says_by_how_much():
    (row,) = why(site={"decision": "require"}, demand={"shortfall_musd_per_mw_year": 0.1})
    assert row.short_ref_mw == pytest.approx(40)
    assert row.could_ref_mw == pytest.approx(26, rel=1e-4)
    assert row.dearer_musd_per_ref_mw == pytest.approx(0.498 - 0.1, rel=1e-4)
    assert row.limits == ()


def test_a_place_that_no_site_reaches():
    far = {
        "places": tiny.rows(("X", "", 0.0, 0.0, 1.0, NAN), of="places"),
        "reach": tiny.rows(("A", "X", 2000.0, 30.0, NAN), of="reach"),
    }
    asked = {"spread": "by_weight", "rtt_ms_max": 10}
    (row,) = why(site={"decision": "require"}, demand=asked, tables=far)
    assert row.limits == (NextMw(REACH, "", "", 0.0, ""),)


def test_without_time_the_amount_alone_is_told(monkeypatch):
    monkeypatch.setattr(turned_away, "LEAST_SECONDS", 0.0)
    monkeypatch.setattr(turned_away, "SHARE", 0.0)
    (row,) = why()
    assert row == TurnedAway(P0, "it", pytest.approx(14))
    assert not row.looked
