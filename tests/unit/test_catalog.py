"""Catalog rows against the figures and rules they come from."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from sitepick.scenario.catalog import (
    CLIMATES,
    TABLES,
    HallClass,
    Hardware,
    catalog_ids,
    catalog_tables,
    fits,
    hall_classes,
    hardware,
    reference,
)
from sitepick.scenario.schema import Scenario

BASE: dict[str, Any] = {
    "version": 1,
    "as_of": "2026-11-23",
    "periods": {"from": "2027", "to": "2030"},
    "layers": {"substations": {"file": "s.csv"}},
    "demand": {"it_mw": 100},
}
OWN_HALL = {
    "id": "dlc", "kw_per_rack": 99, "hall_it_mw": 5, "capex_musd_per_mw": 10,
    "pue_avg": 1.1, "pue_peak": {"cold": 1.2, "mild": 1.2, "hot_dry": 1.3, "hot_humid": 1.4},
}  # fmt: skip


def scenario(**changes: Any) -> Scenario:
    return Scenario.model_validate({**BASE, **changes})


def every_hall() -> dict[str, HallClass]:
    return {h.id: h for h in hall_classes(scenario(halls=catalog_ids("halls")))}


def every_hardware() -> dict[str, Hardware]:
    return {h.id: h for h in hardware(scenario(hardware=catalog_ids("hardware")))}


@pytest.mark.parametrize("name", TABLES)
def test_every_row_says_where_it_comes_from(name: str) -> None:
    rows = catalog_tables()[name]
    assert len({row["id"] for row in rows}) == len(rows)
    for row in rows:
        assert len(row["source"]) > 10, row["id"]
        assert row["confidence"] in {"A", "B", "C"}, row["id"]
        date.fromisoformat(row["as_of"])
        money = [key for key in row if "usd" in key]
        assert not money or 2020 <= row["price_year"] <= 2026, row["id"]


def test_tables_are_copies() -> None:
    catalog_tables()["halls"][0]["pue_avg"]["cold"] = 9
    assert catalog_tables()["halls"][0]["pue_avg"]["cold"] == 1.12


def test_low_and_high_are_in_order() -> None:
    for rows in catalog_tables().values():
        for row in rows:
            for key in row:
                high = row.get(key.replace("_low", "_high"))
                if key.endswith("_low") and None not in (row[key], high):
                    assert row[key] <= high, (row["id"], key)


def test_design_day_is_above_the_mean_and_heat_costs() -> None:
    for hall in every_hall().values():
        for climate in CLIMATES:
            assert hall.pue_peak[climate] > hall.pue_avg[climate] >= 1
        means = [hall.pue_avg[c] for c in CLIMATES]
        assert means == sorted(means)


def test_capex_is_the_base_times_the_class_factor() -> None:
    halls = every_hall()
    factors = {
        "air_std": 1, "air_dense": 1, "rdhx": 1.04, "dlc": 1.08, "dlc_full": 1.08,
        "dlc_800v": 1.085, "imm1": 1.10,
    }  # fmt: skip
    for name, factor in factors.items():
        assert halls[name].capex_musd_per_mw == pytest.approx(11.7 * factor, abs=0.01)
        assert halls[name].price_year == 2025


def test_retrofits_are_cheaper_faster_and_name_a_real_hall() -> None:
    halls = every_hall()
    retrofits = [h for h in halls.values() if h.retrofit_of]
    assert len(retrofits) >= 3
    for hall in retrofits:
        old = halls[hall.retrofit_of or ""]
        assert hall.capex_musd_per_mw < 0.6 * 12.7
        assert hall.build_months < old.build_months
        assert hall.hall_it_mw <= old.hall_it_mw
        assert hall.kw_per_rack > old.kw_per_rack


def test_nvl72_never_stands_in_air() -> None:
    halls, items = every_hall(), every_hardware()
    for name in ("gb200_nvl72", "gb300_nvl72", "vr200_nvl72"):
        where = {h.id for h in halls.values() if fits(items[name], h)}
        assert not where & {"air_std", "air_dense", "rdhx", "rdhx_retrofit", "imm1"}
        assert "dlc_full" in where
    assert fits(items["gb300_nvl72"], halls["dlc"])
    assert not fits(items["vr200_nvl72"], halls["dlc"])
    assert [h.id for h in halls.values() if fits(items["vr300_kyber"], h)] == ["dlc_800v"]
    assert fits(items["h100"], halls["air_dense"])
    assert not fits(items["h100"], halls["air_std"])
    assert fits(items["cpu"], halls["air_std"])


def test_every_hardware_has_a_hall() -> None:
    for item in every_hardware().values():
        assert any(fits(item, hall) for hall in every_hall().values()), item.id


# dense BF16 TF, FP8 TF, TB/s and system W per accelerator, and training utilisation
PEAKS = {
    "h200": (989, 1979, 4.8, 1400, 0.40),
    "b200_hgx": (2250, 4500, 7.7, 1970, 0.40),
    "gb200_nvl72": (2500, 5000, 8.0, 1900, 0.40),
    "gb300_nvl72": (2500, 5000, 8.0, 2150, 0.40),
    "vr200_nvl72": (4000, 17000, 22, 3350, 0.40),
    "mi355x": (2500, 5000, 8.0, 2200, 0.40),
    "tpu_v7": (2307, 4614, 7.4, 1500, 0.45),
    "trn2": (667, 1300, 2.9, 800, 0.40),
    "trn3": (671, 2517, 4.9, 1400, 0.40),
}


@pytest.mark.parametrize("name", sorted(PEAKS))
def test_yields_follow_from_dense_peaks_per_watt(name: str) -> None:
    bf16, fp8, tbs, watt, used = PEAKS[name]
    row = every_hardware()[name]
    assert row.training == pytest.approx(bf16 * used / watt / (989 * 0.40 / 1400), rel=0.05)
    assert row.prefill == pytest.approx(fp8 / watt / (1979 / 1400), rel=0.05)
    assert row.decode == pytest.approx(tbs / watt / (3.35 / 1400), rel=0.05)


def test_the_reference_is_one() -> None:
    row = reference(scenario())
    assert (row.id, row.training, row.prefill, row.decode) == ("h100", 1, 1, 1)
    assert reference(scenario(reference_hardware="gb200_nvl72")).decode == 1.8


def test_none_means_no_rows() -> None:
    assert hall_classes(scenario(halls="none")) == ()
    assert hardware(scenario(hardware="none")) == ()


def test_rows_come_in_the_order_asked() -> None:
    s = scenario(halls=["dlc_full", "air_std"], hardware=["trn2", "cpu"])
    assert [h.id for h in hall_classes(s)] == ["dlc_full", "air_std"]
    assert [h.id for h in hardware(s)] == ["trn2", "cpu"]


def test_own_rows_replace_the_catalog() -> None:
    (row,) = hall_classes(scenario(halls=[OWN_HALL]))
    assert (row.hall_it_mw, row.source) == (5, "user")
    assert row.pue_avg == dict.fromkeys(CLIMATES, 1.1)
    assert row.pue_peak["hot_humid"] == 1.4
    both = hall_classes(scenario(halls=["dlc", "air_std", OWN_HALL]))
    assert [(h.id, h.hall_it_mw) for h in both] == [("dlc", 5), ("air_std", 20)]
    own = {
        "id": "h100", "kw_per_rack": 30, "training": 2, "prefill": 2, "decode": 2,
        "capex_musd_per_mw": 1,
    }  # fmt: skip
    s = scenario(hardware=[own])
    assert reference(s).training == 2
