"""Units in key names, and numbers written with their unit."""

from __future__ import annotations

import pytest

from sitepick.units import parse_quantity, plain_unit, shown_unit


@pytest.mark.parametrize(
    ("text", "key", "number"),
    [
        ("1200", "it_mw", 1200), ("1.2 GW", "it_mw", 1200), ("500MW", "max_it_mw_per_site", 500),
        ("250 kW", "mw", 0.25), ("10 mi", "tie_km_max", 16.09344), ("800 m", "buffer_km", 0.8),
        ("2 s", "rtt_ms_max", 2000), ("500000 V", "min_kv", 500), ("9 ha", "min_ha", 9),
        ("750000 USD", "entry_musd", 0.75), ("9 %", "discount_rate_pct", 9),
        ("18 months", "wait_years", 1.5), ("2 years", "lead_months", 24),
        ("10 min", "time_limit_s", 600), ("-1.5e2", "x", -150), (" 7 ", "it_mw", 7),
        ("20 MW", "tie_mw_by_kv", 20),
    ],
)  # fmt: skip
def test_understood(text: str, key: str, number: float) -> None:
    assert parse_quantity(text, key) == pytest.approx(number)


@pytest.mark.parametrize(
    ("text", "key", "message"),
    [
        ("1,200", "it_mw", "write 1200"),
        ("1 200", "it_mw", "write 1200"),
        ("1_200.5", "it_mw", "write 1200.5"),
        ("1,200 MW", "it_mw", "write 1200 MW"),
        ("12,5", "it_mw", "must be a number, not '12,5'"),
        ("1.200,5", "it_mw", "must be a number"),
        ("1,200.000,5", "it_mw", "must be a number"),
        ("", "it_mw", "must be a number"),
        ("MW", "it_mw", "must be a number"),
        ("5 MVA", "it_mw", "unknown power unit 'MVA'; write one of MW, GW, kW"),
        ("5 gw", "it_mw", "did you mean 'GW'?"),
        ("5 kWh", "it_mw", "kWh is energy, power is needed"),
        ("5 mW", "it_mw", "mW is a milliwatt; write MW"),
        ("5 MUSD", "shortfall_musd_per_mw_year", "the key says MUSD per MW and year"),
        ("5 MW", "amount", "write 5"),
        ("5 M$", "entry_musd", "unknown money unit"),
    ],
)
def test_refused_with_what_to_write(text: str, key: str, message: str) -> None:
    with pytest.raises(ValueError) as refused:
        parse_quantity(text, key)
    assert message in str(refused.value)


@pytest.mark.parametrize(
    ("key", "shown", "plain"),
    [
        ("it_mw", "IT MW", "mw"), ("grid_mw", "grid MW", "mw"), ("tie_km_max", "km", "km"),
        ("max_it_mw_per_site", "IT MW", "mw"), ("kw_per_rack", "kW per rack", None),
        ("demand_usd_per_kw_month", "USD per kW and month", None), ("name", "", None),
        ("route_factor", "", None), ("lead_months", "months", "months"), ("x_per_y", "", None),
    ],
)  # fmt: skip
def test_names_end_in_their_unit(key: str, shown: str, plain: str | None) -> None:
    assert (shown_unit(key), plain_unit(key)) == (shown, plain)
