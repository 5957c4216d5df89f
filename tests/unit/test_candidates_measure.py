"""Ties, regions, prices, fiber, reach, plain facility location: what is measured and carried."""

from __future__ import annotations

import math
from datetime import date

import make_layers as make
import numpy as np
import pandas as pd
import pytest

from sitepick.candidates import propose
from sitepick.candidates.geo import straight_km
from sitepick.candidates.power import later
from sitepick.candidates.ties import cap_mw
from sitepick.errors import LayerError, ScenarioError
from sitepick.layers.types import Layers, Source

HOME = (-97.0, 31.0)
ASHBURN, ATLANTA = (-77.4874, 39.0438), (-84.3880, 33.7490)


def codes(found):
    return {n.code for n in found.notes}


def ladder(count: int = 6) -> dict:
    """POIs going north of HOME every 0.02 degrees (2.2 km), 100 MW each; the third has none."""
    rows = [
        {"poi_id": f"S{k}", "at": (-97.0, 31.0 + 0.02 * k), "headroom_mw": 100.0}
        for k in range(count)
    ]
    rows[2]["headroom_mw"] = math.nan
    return {"pois": make.pois(*rows)}


def at(lon, lat, **row):
    return {"parcel_id": "P", "at": (lon, lat), "usable_ha": 50.0, **row}


def test_ties_are_the_nearest_usable_ones_in_order():
    layers = Layers(parcels=make.parcels(at(-97.0, 31.005)), **ladder())
    found = propose(make.scenario(power={"candidate_pois": 3}), layers)
    assert list(found.ties["poi_id"]) == ["S0", "S1", "S3"]
    expected = straight_km(-97.0, 31.005, -97.0, [31.0, 31.02, 31.06]) * 1.3
    np.testing.assert_allclose(found.ties["km"], expected, rtol=1e-12)
    assert list(found.pois["poi_id"]) == ["S0", "S1", "S3"]


def test_pois_at_one_point_are_ranked_by_id():
    rows = [{"poi_id": i, "at": (-97.0, 31.1), "headroom_mw": 9.0} for i in ("c", "a", "b")]
    layers = Layers(parcels=make.parcels(at(*HOME)), pois=make.pois(*rows))
    found = propose(make.scenario(power={"candidate_pois": 2}), layers)
    assert list(found.ties["poi_id"]) == ["a", "b"]


def test_named_pois_are_used_exactly_and_too_long_ones_noted():
    layers = Layers(parcels=make.parcels(at(*HOME, poi_ids=("S5", "S2"))), **ladder())
    found = propose(make.scenario(power={"tie_km_max": 5}), layers)
    assert list(found.ties["poi_id"]) == ["S5"]
    expected = 1.3 * float(straight_km(*HOME, -97.0, 31.1))
    assert found.ties["km"].iloc[0] == pytest.approx(expected, rel=1e-12)
    assert {"tie_long", "tie_without_mw"} <= codes(found)


def test_at_pois_ties_cost_no_km():
    found = propose(make.scenario(), Layers(**ladder(3)))
    assert list(found.ties["km"]) == [0, 0]
    assert list(found.ties["site_id"]) == list(found.ties["poi_id"]) == ["S0", "S1"]
    assert list(found.failed["site_id"]) == ["S2"]
    assert list(found.sites["usable_ha"]) == [100] * 3


def test_parcels_and_letters_alone_are_enough():
    offers = make.offers({"offer_id": "L", "poi_id": "WEST", "mw_total": 300.0})
    layers = Layers(parcels=make.parcels(at(*HOME, poi_ids=("WEST",))), power_offers=offers)
    found = propose(make.scenario(), layers)
    tie = found.ties.iloc[0]
    assert (tie["poi_id"], tie["km"]) == ("WEST", 0)
    assert math.isnan(tie["kv"])
    assert math.isnan(tie["cap_mw"])
    assert {"tie_length_unknown", "tie_kv_unknown"} <= codes(found)
    assert found.pois["lon"].isna().all()
    assert len(found.offers) == 1


def test_letters_that_nobody_can_use_are_told_with_their_mw():
    offers = make.offers(
        {"offer_id": "L", "poi_id": "S0", "mw_total": 300.0},
        {"offer_id": "M", "poi_id": "S00", "mw_total": 700.0},
    )
    found = propose(make.scenario(), Layers(power_offers=offers, **ladder(3)))
    note = next(n for n in found.notes if n.code == "offer_unused")
    assert "700 grid MW" in note.message
    assert "S00" in note.message
    assert list(found.offers["poi_id"]) == ["S0"]


def test_tie_cap_is_the_class_at_or_below():
    power = make.scenario().power
    caps = cap_mw(np.array([12.0, 34.5, 138.0, 161.0, 800.0, np.nan]), power)
    assert list(caps[:5]) == [20, 20, 200, 200, 3500]
    assert math.isnan(caps[5])


def test_dates_move_by_whole_months():
    assert later(date(2026, 11, 30), 0.25) == date(2027, 2, 28)
    assert later(date(2026, 12, 31), 1) == date(2027, 12, 31)
    assert later(date(2026, 1, 15), 0.01) == date(2026, 2, 15)
    assert later(date(2026, 1, 15), 0) == date(2026, 1, 15)


def nested():
    return make.regions(
        {"level": "state", "region_id": "TX", "geometry": make.square(*HOME, 3),
         "energy_usd_per_mwh": 40.0, "co2_kg_per_mwh": 380.0, "climate": "hot_humid"},
        {"level": "county", "region_id": "C1", "geometry": make.square(*HOME, 0.5),
         "energy_usd_per_mwh": 44.0},
        {"level": "county", "region_id": "C0", "geometry": make.square(-96.4, 31, 0.5)},
    )  # fmt: skip


def test_regions_nest_and_overlaps_take_the_first_id():
    parcels = make.parcels(
        at(*HOME),
        {"parcel_id": "Q", "at": (-96.7, 31), "usable_ha": 5.0},
        {"parcel_id": "R", "at": (-99, 31), "usable_ha": 5.0, "climate": "cold"},
    )
    layers = Layers(parcels=parcels, regions=nested())
    found = propose(make.scenario(power={"model": "none"}), layers)
    got = [tuple(r) for r in found.site_regions.itertuples(index=False)]
    assert got == [
        ("P", "county", "C1"), ("P", "state", "TX"), ("Q", "county", "C0"), ("Q", "state", "TX"),
        ("R", "state", "TX"),
    ]  # fmt: skip
    assert {"region_overlap", "region_none"} <= codes(found)
    assert list(found.sites["climate"]) == ["hot_humid", "hot_humid", "cold"]
    assert "climate_assumed" not in codes(found)
    assert list(found.regions["region_id"]) == ["C0", "C1", "TX"]


def test_prices_come_from_the_tariff_then_the_smallest_region_then_the_scenario():
    tariffs = make.table(
        {"poi_id": "S1", "level": None, "region_id": None, "energy_usd_per_mwh": 31.0,
         "demand_usd_per_kw_month": math.nan, "co2_kg_per_mwh": math.nan},
        {"poi_id": None, "level": "state", "region_id": "TX", "energy_usd_per_mwh": math.nan,
         "demand_usd_per_kw_month": 9.0, "co2_kg_per_mwh": math.nan},
        {"poi_id": "S77", "level": None, "region_id": None, "energy_usd_per_mwh": 1.0,
         "demand_usd_per_kw_month": 1.0, "co2_kg_per_mwh": 1.0},
    )  # fmt: skip
    pois = make.pois(
        {"poi_id": "S0", "at": HOME, "headroom_mw": 10.0},
        {"poi_id": "S1", "at": HOME, "headroom_mw": 10.0},
        {"poi_id": "S8", "at": (-90, 31), "headroom_mw": 10.0},
    )
    found = propose(make.scenario(), Layers(pois=pois, regions=nested(), tariffs=tariffs))
    columns = ["energy_usd_per_mwh", "demand_usd_per_kw_month", "co2_kg_per_mwh"]
    prices = found.pois.set_index("poi_id")[columns]
    assert list(prices.loc["S0"]) == [44, 9, 380]  # county, state's tariff row, state's column
    assert list(prices.loc["S1"]) == [31, 9, 380]
    assert list(prices.loc["S8"]) == [55, 6, 370]
    assert "tariff_unmatched" in codes(found)


def test_a_poi_known_by_letter_only_has_the_prices_of_its_first_site():
    offers = make.offers({"offer_id": "L", "poi_id": "W", "mw_total": 300.0})
    parcels = make.parcels(at(*HOME, poi_ids=("W",)))
    found = propose(make.scenario(), Layers(parcels=parcels, power_offers=offers, regions=nested()))
    assert found.pois["energy_usd_per_mwh"].iloc[0] == 44


def test_fiber_distance_is_routed_from_link_or_node():
    links = make.fiber_links([(-98, 30), (-98, 32)])
    layers = Layers(parcels=make.parcels(at(*HOME)), fiber_links=links)
    found = propose(make.scenario(power={"model": "none"}, fiber={"route_factor": 2}), layers)
    north = np.linspace(30.9, 31.1, 2001)
    expected = 2 * straight_km(*HOME, -98, north).min()
    assert found.sites["fiber_km"].iloc[0] == pytest.approx(expected, abs=2e-3)
    far = make.scenario(power={"model": "none"}, candidates={"fiber_km_max": 100})
    failed = propose(far, layers).failed
    assert list(failed["test"]) == ["fiber_km_max"]


def ashburn(**demand):
    layers = {
        "sites": make.sites({"site_id": "ASH", "at": ASHBURN}),
        "demand": make.demand({"place_id": "ATL", "at": ATLANTA, "weight": 2.0}),
    }
    asked = {"it_mw": 10, "spread": "by_weight", "route_factor": 1.5, "hop_ms": 0, **demand}
    return make.scenario(power={"model": "none"}, demand=asked), layers


def test_reach_of_ashburn_to_atlanta():
    scenario, layers = ashburn()
    row = propose(scenario, Layers(**layers)).reach.iloc[0]
    assert (row["site_id"], row["place_id"]) == ("ASH", "ATL")
    assert row["km"] == pytest.approx(852.8 * 1.5, abs=3)
    assert row["rtt_ms"] == pytest.approx(12.54, abs=0.03)
    assert math.isnan(row["musd_per_mw_year"])
    anywhere, _ = ashburn(spread="anywhere")
    found = propose(anywhere, Layers(**layers))
    assert found.reach.empty
    assert found.places.empty
    assert "demand_unused" in codes(found)


@pytest.mark.parametrize(
    ("meaning", "value", "expected"),
    [
        ("rtt_ms", 20.0, (1277.0, 20.0, math.nan)),
        ("km", 1000.0, (1000.0, 10.3, math.nan)),
        ("musd_per_mw_year", 3.0, (1277.0, 13.01, 3.0)),
    ],
)
def test_measured_values_replace_computed_ones(meaning, value, expected):
    scenario, layers = ashburn(hop_ms=0.5)
    matrix = make.table(
        {"site_id": "ASH", "place_id": "ATL", "meaning": meaning, "value": value},
        {"site_id": "ASH", "place_id": "nowhere", "meaning": meaning, "value": 1.0},
    )
    found = propose(scenario, Layers(matrix=matrix, **layers))
    got = found.reach[["km", "rtt_ms", "musd_per_mw_year"]].iloc[0].to_list()
    assert got[0] == pytest.approx(expected[0], abs=3)
    assert got[1] == pytest.approx(expected[1], abs=0.03)
    assert got[2] == pytest.approx(expected[2], nan_ok=True)
    assert "matrix_unmatched" in codes(found)


def test_plain_facility_location_needs_no_geometry():
    rows = [{"site_id": f"f{k}", "fixed_musd": 7.5 + k, "capacity_mw": 50.0} for k in range(3)]
    pairs = [(f"f{k}", f"c{d}") for k in range(3) for d in range(2)]
    matrix = make.table(
        *(
            {"site_id": s, "place_id": p, "meaning": "musd_per_mw_year", "value": float(k)}
            for k, (s, p) in enumerate(pairs[:-1])
        )
    )
    demand_mw = make.table(
        *(
            {"place_id": f"c{d}", "workload": "it", "from_date": date(2027, 1, 1), "mw": 9.0}
            for d in range(2)
        )
    )
    scenario = make.scenario(power={"model": "none"}, halls="none", demand={"must_serve": True})
    found = propose(scenario, Layers(sites=make.sites(*rows), matrix=matrix, demand_mw=demand_mw))
    assert found.failed.empty
    assert found.pois.empty
    assert found.ties.empty
    assert list(found.sites["fixed_musd"]) == [7.5, 8.5, 9.5]
    assert list(found.sites["max_it_mw"]) == [50] * 3
    assert list(found.sites["land_musd"]) == [0] * 3
    assert found.sites["usable_ha"].isna().all()
    assert list(found.places["place_id"]) == ["c0", "c1"]
    # the sixth pair is not measured and has no coordinates: no service
    assert list(found.reach["musd_per_mw_year"]) == [0, 1, 2, 3, 4]
    assert "reach_unknown" in codes(found)


def test_places_and_tables_must_agree():
    scenario, layers = ashburn()
    with pytest.raises(ScenarioError, match="by_weight"):
        propose(scenario, Layers(sites=layers["sites"]))
    wrong = make.table(
        {"place_id": "ATX", "workload": "itt", "from_date": date(2027, 1, 1), "mw": 1.0}
    )
    with pytest.raises(LayerError) as error:
        propose(scenario, Layers(demand_mw=wrong, **layers))
    assert len(error.value.problems) == 2
    other = make.table({"site_id": "X", "place_id": "ATL", "meaning": "km", "value": 1.0})
    with pytest.raises(LayerError, match="none of its site_id"):
        propose(scenario, Layers(matrix=other, **layers))


def test_own_columns_limits_and_flags_travel():
    pois = make.pois(
        {"poi_id": "S", "at": HOME, "headroom_mw": 10.0, "synthetic": True, "keep:owner": "Oncor"}
    )
    parcels = make.parcels(at(*HOME, **{"keep:broker": "Ann", "max_it_mw": 80.0, "ask_musd": 4.0}))
    source = Source("substations", "s.geojson", "", 0, 1, 1, synthetic=True)
    layers = Layers(pois=pois, parcels=parcels, sources=(source,))
    found = propose(make.scenario(candidates={"max_it_mw_per_site": 60}), layers)
    site = found.sites.iloc[0]
    assert site["keep:broker"] == "Ann"
    assert (site["max_it_mw"], site["land_musd"]) == (60, 4)
    assert site["synthetic"]  # its only POI is
    assert found.pois["keep:owner"].iloc[0] == "Oncor"
    assert found.synthetic
    alone = propose(make.scenario(), Layers(pois=pois))
    assert alone.sites["keep:owner"].iloc[0] == "Oncor"


def test_shared_limits_keep_the_pois_in_use():
    limits = make.table(
        *(
            {"limit_id": "bank", "poi_id": p, "factor": 1.0, "mw": 120.0, "from_date": None,
             "source": "utility"}
            for p in ("S0", "S1", "S2")
        )
    )  # fmt: skip
    found = propose(make.scenario(), Layers(shared_limits=limits, **ladder(4)))
    assert list(found.shared_limits["poi_id"]) == ["S0", "S1"]


def test_an_expired_option_is_noted():
    parcels = make.parcels(at(*HOME, option_expires=date(2026, 1, 1)))
    found = propose(make.scenario(power={"model": "none"}), Layers(parcels=parcels))
    assert "option_expired" in codes(found)
    assert found.sites["option_expires"].iloc[0] == date(2026, 1, 1)


@pytest.mark.parametrize("must_serve", [True, False])
def test_pairs_too_far_apart_for_all_work_are_left_out(monkeypatch, must_serve):
    """Unless it must be served: a diagnosis asks what longer round trips would give."""
    monkeypatch.setattr("sitepick.candidates.measure._CHUNK", 100)
    rng = np.random.default_rng(2)
    ids = [f"s{k:02d}" for k in range(40)]
    rows = [{"site_id": i, "at": tuple(rng.uniform([-120, 28], [-70, 48]))} for i in ids]
    places = [{"place_id": f"p{k}", "at": tuple(rng.uniform([-120, 28], [-70, 48]))} for k in "abc"]
    price = {} if must_serve else {"shortfall_musd_per_mw_year": 9}
    limit, _ = ashburn(rtt_ms_max=12, must_serve=must_serve, **price)
    free, _ = ashburn(must_serve=must_serve, **price)
    layers = {"sites": make.sites(*rows), "demand": make.demand(*places)}
    whole = propose(free, Layers(**layers)).reach
    found = propose(limit, Layers(**layers))
    kept = whole["rtt_ms"] <= (12 if not must_serve else np.inf)
    assert 10 < (whole["rtt_ms"] <= 12).sum() < len(whole) - 10
    assert "reach_unknown" not in codes(found)
    pairs = set(zip(found.reach["site_id"], found.reach["place_id"], strict=True))
    expected = set(zip(whole["site_id"][kept], whole["place_id"][kept], strict=True))
    assert pairs == expected
    both = found.reach.merge(whole, on=["site_id", "place_id"], suffixes=("", "_all"))
    assert (both["km"] == both["km_all"]).all()


def test_reach_of_many_pairs_is_in_chunks_and_whole(monkeypatch):
    monkeypatch.setattr("sitepick.candidates.measure._CHUNK", 7)
    rng = np.random.default_rng(1)
    rows = [{"site_id": f"s{k:02d}", "at": tuple(rng.uniform(20, 40, 2))} for k in range(11)]
    places = [{"place_id": f"p{k}", "at": tuple(rng.uniform(20, 40, 2))} for k in range(3)]
    scenario, _ = ashburn()
    found = propose(scenario, Layers(sites=make.sites(*rows), demand=make.demand(*places)))
    assert len(found.reach) == 33
    for row in found.reach.itertuples():
        start = next(r["at"] for r in rows if r["site_id"] == row.site_id)
        end = next(p["at"] for p in places if p["place_id"] == row.place_id)
        assert row.km == pytest.approx(float(straight_km(*start, *end)) * 1.5, rel=1e-12)
    assert isinstance(found.reach["site_id"].dtype, pd.CategoricalDtype)
