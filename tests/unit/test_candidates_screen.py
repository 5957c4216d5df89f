"""Every test of the screen, each on the smallest case that fails it, and what facts survive."""

from __future__ import annotations

import math
from datetime import date
from typing import Any

import make_layers as make
import pytest

from sitepick.candidates import propose
from sitepick.errors import LayerError, ScenarioError
from sitepick.layers.types import Layers

HOME = (-97.0, 31.0)
NEAR = (-97.0, 31.05)  # 5.5 km north
PARK = make.square(*HOME, 0.02)


def failures(found, site_id):
    rows = found.failed[found.failed["site_id"] == site_id]
    return {r.test: (r.value, r.threshold, r.unit) for r in rows.itertuples()}


def codes(found):
    return {n.code for n in found.notes}


def one_parcel(scenario: dict[str, Any] | None = None, layers: dict[str, Any] | None = None, **row):
    given = {
        "pois": make.pois({"poi_id": "S", "at": NEAR, "headroom_mw": 200.0}),
        "parcels": make.parcels({"parcel_id": "P", "at": HOME, "usable_ha": 50.0, **row}),
        **(layers or {}),
    }
    return propose(make.scenario(**(scenario or {})), Layers(**given))


def test_a_good_parcel_passes():
    found = one_parcel()
    assert found.failed.empty
    assert found.waterfall == [("looked at", 1), ("candidates", 1)]
    site = found.sites.iloc[0]
    assert (site["status"], site["usable_ha"], site["decision"]) == ("candidate", 50.0, "consider")
    assert site["climate"] == "mild"
    assert "climate_assumed" in codes(found)


def test_forbidden():
    assert failures(one_parcel(decision="forbid"), "P") == {"forbidden": (1, 0, "")}


def test_every_failed_test_is_recorded_not_only_the_first():
    found = one_parcel(
        {"candidates": {"min_ha": 80, "min_kv": 300, "fiber_km_max": 5},
         "regions": {"rules": [{"level": "state", "ids": "TX", "forbid": True}]}},
        {"exclusions": make.exclusions({"geometry": PARK}),
         "regions": make.regions({"region_id": "TX", "geometry": make.square(*HOME, 2)}),
         "fiber_links": make.fiber_links([(-98, 30), (-98, 32)])},
        decision="forbid",
    )  # fmt: skip
    assert list(found.failed["test"]) == [
        "forbidden", "excluded:parks", "region_forbidden", "min_ha", "no_poi", "fiber_km_max",
    ]  # fmt: skip
    assert found.waterfall == [("looked at", 1), ("forbidden", 1), ("candidates", 0)]
    assert found.failed["message"].str.len().min() > 10


def test_min_ha_states_value_threshold_and_unit():
    found = one_parcel({"candidates": {"min_ha": 80}})
    assert failures(found, "P") == {"min_ha": (50.0, 80.0, "ha")}


def test_no_poi_within_the_longest_tie():
    found = one_parcel({"power": {"tie_km_max": 7}})
    value, threshold, unit = failures(found, "P")["no_poi"]
    assert value == pytest.approx(5.545 * 1.3, abs=0.01)
    assert (threshold, unit) == (7, "km")
    assert one_parcel({"power": {"tie_km_max": 7.3}}).failed.empty


def test_no_poi_of_the_voltage_asked():
    found = one_parcel({"candidates": {"min_kv": 345}})
    assert math.isnan(failures(found, "P")["no_poi"][0])
    at_pois = propose(
        make.scenario(candidates={"min_kv": 230}),
        Layers(
            pois=make.pois(
                {"poi_id": "A", "at": HOME, "kv": 138.0, "headroom_mw": 90.0},
                {"poi_id": "B", "at": HOME, "kv": 230.0, "headroom_mw": 90.0},
                {"poi_id": "C", "at": HOME, "kv": math.nan, "headroom_mw": 90.0},
            )
        ),
    )
    assert failures(at_pois, "A") == {"no_poi": (138.0, 230.0, "kV")}
    assert list(failures(at_pois, "C")) == ["no_poi"]
    assert list(at_pois.ties["site_id"]) == ["B"]


def test_unknown_headroom_is_no_mw_and_never_zero():
    pois = make.pois(
        {"poi_id": "S", "at": NEAR},
        {"poi_id": "FAR", "at": (-90.0, 31.0), "headroom_mw": 10.0},
    )
    found = one_parcel(layers={"pois": pois})
    value, threshold, unit = failures(found, "P")["no_mw"]
    assert math.isnan(value)
    assert (threshold, unit) == (0, "MW")
    asked = one_parcel({"power": {"unknown_headroom": "zero"}}, {"pois": pois})
    assert asked.failed.empty
    assert list(asked.ties["poi_id"]) == ["S"]


def test_zero_headroom_without_upgrade_is_no_mw_of_value_zero():
    pois = make.pois({"poi_id": "S", "at": NEAR, "headroom_mw": 0.0})
    assert failures(one_parcel(layers={"pois": pois}), "P") == {"no_mw": (0, 0, "MW")}
    step = {"mw": 100, "musd": 20, "lead_months": 36}
    assert one_parcel({"power": {"upgrade_step": step}}, {"pois": pois}).failed.empty
    late = {**step, "lead_months": 80}  # after the last period starts
    found = one_parcel({"power": {"upgrade_step": late}}, {"pois": pois})
    assert list(failures(found, "P")) == ["no_mw"]


def test_layer_headroom_must_be_dated_within_the_horizon():
    late = make.pois(
        {"poi_id": "S", "at": NEAR, "headroom_mw": 90.0, "from_date": date(2031, 1, 2)}
    )
    found = one_parcel(layers={"pois": late})
    assert failures(found, "P") == {"no_dated_mw": (0, 0, "MW")}
    assert "2031-01-02" in found.failed["message"].iloc[0]
    on_time = late.assign(from_date=[date(2031, 1, 1)])
    assert one_parcel(layers={"pois": on_time}).failed.empty
    slipped = one_parcel({"power": {"slip_years": {"published": 0.5}}}, {"pois": on_time})
    assert list(failures(slipped, "P")) == ["no_dated_mw"]
    waits = one_parcel({"power": {"wait_years": 5}})
    assert list(failures(waits, "P")) == ["no_dated_mw"]
    uncounted = one_parcel({"power": {"count_stages": ["signed"]}})
    assert list(failures(uncounted, "P")) == ["no_dated_mw"]


@pytest.mark.parametrize(
    ("letter", "power", "said"),
    [
        ({"stage": "requested"}, {}, "stage requested is not counted"),
        ({"firm": False}, {}, "non-firm MW are excluded"),
        ({"from_date": date(2033, 1, 1)}, {}, "dated 2033-01-01"),
        ({"from_date": date(2030, 6, 1)}, {"slip_years": {"signed": 1}}, "dated 2031-06-01"),
        ({"to_date": date(2028, 6, 30)}, {}, "to 2028-06-30"),
    ],
)
def test_letters_that_do_not_count(letter, power, said):
    offers = make.offers({"offer_id": "L1", "poi_id": "S", "mw_total": 300.0, **letter})
    found = one_parcel({"power": power}, {"power_offers": offers})
    # the letter replaces the layer's 200 MW, so nothing is left
    assert failures(found, "P") == {"no_dated_mw": (0, 0, "MW")}
    assert said in found.failed["message"].iloc[0]
    assert "L1" in found.failed["message"].iloc[0]


def test_letters_that_count_pass():
    for letter in ({}, {"firm": False}, {"to_date": date(2028, 12, 31)}):
        offers = make.offers({"offer_id": "L1", "poi_id": "S", "mw_total": 300.0, **letter})
        found = one_parcel({"power": {"nonfirm": "count"}}, {"power_offers": offers})
        assert found.failed.empty


def test_min_headroom_counts_what_counted_letters_add():
    # 100 MW requested (not counted) below 250 MW signed: 150 MW are really counted
    offers = make.offers(
        {"offer_id": "a", "poi_id": "S", "mw_total": 100.0, "stage": "requested"},
        {"offer_id": "b", "poi_id": "S", "mw_total": 250.0, "stage": "signed"},
    )
    assert one_parcel(
        {"candidates": {"min_headroom_mw": 150}}, {"power_offers": offers}
    ).failed.empty
    found = one_parcel({"candidates": {"min_headroom_mw": 151}}, {"power_offers": offers})
    assert failures(found, "P") == {"min_headroom_mw": (150.0, 151.0, "MW")}


def test_headroom_share_counts_in_min_headroom():
    found = one_parcel({"candidates": {"min_headroom_mw": 150}, "power": {"headroom_pct": 70}})
    assert failures(found, "P")["min_headroom_mw"][0] == pytest.approx(140)


def test_fiber_unknown_passes_and_is_counted():
    found = one_parcel({"candidates": {"fiber_km_max": 5}})
    assert found.failed.empty
    assert "fiber_unknown" in codes(found)


def test_excluded_point_and_inclusion():
    hit = {"exclusions": make.exclusions({"geometry": make.square(-97, 31.05, 0.03)})}
    assert one_parcel(layers=hit).failed.empty
    near = make.exclusions({"geometry": make.square(-97, 31.05, 0.03), "buffer_km": 3.0})
    found = one_parcel(layers={"exclusions": near})
    value, threshold, unit = failures(found, "P")["excluded:parks"]
    assert value == pytest.approx(2.218, abs=0.005)
    assert (threshold, unit) == (3.0, "km")
    lifted = make.exclusions(
        {"geometry": PARK}, {"name": "allowed", "include": True, "geometry": PARK}
    )
    assert one_parcel(layers={"exclusions": lifted}).failed.empty


def test_polygon_parcel_loses_area_then_everything():
    parcel = {"geometry": make.square(*HOME, 0.01), "usable_ha": math.nan}
    whole = one_parcel(**parcel).sites["usable_ha"].iloc[0]
    assert whole == pytest.approx(423.5, abs=0.5)  # 1.909 km x 2.218 km
    west = make.exclusions({"geometry": make.square(-97.1, 31, 0.1)})
    half = one_parcel(layers={"exclusions": west}, **parcel)
    assert half.failed.empty
    assert half.sites["usable_ha"].iloc[0] == pytest.approx(whole / 2, rel=1e-4)
    stated = one_parcel(layers={"exclusions": west}, geometry=parcel["geometry"], usable_ha=40.0)
    assert stated.sites["usable_ha"].iloc[0] == 40
    gone = one_parcel(layers={"exclusions": make.exclusions({"geometry": PARK})}, **parcel)
    value, _, unit = failures(gone, "P")["excluded:parks"]
    assert (value, unit) == (pytest.approx(100), "% of area")


def test_a_point_parcel_without_area_gets_the_assumed_one_and_a_note():
    found = one_parcel({"candidates": {"area_ha": 77}}, usable_ha=math.nan)
    assert found.sites["usable_ha"].iloc[0] == 77
    assert "area_assumed" in codes(found)


def test_region_rule_without_ids_forbids_the_level_but_not_existing_sites():
    regions = make.regions({"region_id": "TX", "geometry": make.square(*HOME, 2)})
    rules = {"regions": {"rules": [{"level": "state", "forbid": True}]}}
    found = one_parcel(rules, {"regions": regions})
    assert list(failures(found, "P")) == ["region_forbidden"]
    stands = one_parcel(rules, {"regions": regions}, decision="existing")
    assert stands.failed.empty
    assert stands.overridden.empty


def test_unlocated():
    found = one_parcel(at=None, geometry=None)
    assert list(failures(found, "P")) == ["unlocated", "no_poi"]
    named = one_parcel(geometry=None, poi_ids=("S",))
    assert named.failed.empty
    assert named.ties["km"].iloc[0] == 0
    assert "tie_length_unknown" in codes(named)


@pytest.mark.parametrize("decision", ["existing", "require"])
def test_facts_stay_with_a_loud_note(decision):
    found = one_parcel(
        {"candidates": {"min_ha": 80}},
        {"exclusions": make.exclusions({"geometry": PARK})},
        decision=decision,
    )
    assert found.failed.empty
    assert list(found.overridden["test"]) == ["excluded:parks", "min_ha"]
    assert found.sites["status"].iloc[0] == "candidate"
    note = next(n for n in found.notes if n.code == "kept_fact")
    assert "min_ha" in note.message
    assert "'P'" in note.message


def test_committed_and_existing_sites_are_facts():
    committed = make.table(
        {
            "site_id": "P",
            "what": "site",
            "group": None,
            "mw": 0.0,
            "date": date(2028, 1, 1),
            "musd": 0.0,
        }
    )
    rule = {"candidates": {"min_ha": 80}}
    assert one_parcel(rule, {"commitments": committed}).failed.empty
    existing = {**rule, "existing": [{"site_id": "P", "halls": {"dlc": 1}}]}
    found = one_parcel(existing)
    assert found.failed.empty
    assert found.sites["decision"].iloc[0] == "existing"


def test_facts_keep_a_poi_without_mw_and_need_one():
    empty = make.pois(
        {"poi_id": "S", "at": NEAR},
        {"poi_id": "T", "at": (-97.0, 31.1), "headroom_mw": 50.0},
    )
    found = one_parcel(layers={"pois": empty}, decision="existing")
    assert list(found.ties["poi_id"]) == ["S", "T"]
    with pytest.raises(LayerError, match="'P' is existing, required or committed, but has no POI"):
        one_parcel({"power": {"tie_km_max": 2}}, decision="require")


def test_a_forbidden_place_cannot_exist():
    with pytest.raises(LayerError, match="'P' has decision forbid"):
        one_parcel({"existing": [{"site_id": "P"}]}, decision="forbid")


def test_no_mw_is_ever_invented():
    bare = make.pois({"poi_id": "S", "at": NEAR})
    with pytest.raises(LayerError, match="no MW are known") as error:
        propose(make.scenario(), Layers(pois=bare))
    assert error.value.exit_code == 3
    assert propose(make.scenario(power={"model": "none"}), Layers(pois=bare)).failed.empty


def test_dangling_ids_are_all_reported_at_once():
    layers = Layers(
        pois=make.pois({"poi_id": "ALPHA", "at": NEAR, "headroom_mw": 10.0}),
        parcels=make.parcels(
            {"parcel_id": "P1", "at": HOME, "poi_ids": ("ALPA", "zz")},
            {"parcel_id": "P2", "at": HOME, "poi_ids": ("ALPHA",)},
        ),
        shared_limits=make.table(
            {"limit_id": "B", "poi_id": "ALPHX", "factor": 1.0, "mw": 5.0, "from_date": None,
             "source": ""}
        ),
        commitments=make.table(
            {"site_id": "P9", "what": "site", "group": None, "mw": 0.0,
             "date": date(2028, 1, 1), "musd": 0.0}
        ),
    )  # fmt: skip
    with pytest.raises(LayerError) as error:
        propose(make.scenario(), layers)
    text = "\n".join(error.value.problems)
    assert len(error.value.problems) == 4
    assert (
        "'P1' names POI 'ALPA', which no substation and no letter has; did you mean 'ALPHA'?"
        in text
    )
    assert "'zz'" in text
    assert "POI 'ALPHX'" in text
    assert "no candidate place 'P9'" in text


def test_scenario_ids_must_be_known():
    regions = make.regions({"region_id": "TX", "geometry": make.square(*HOME, 2)})
    wrong = {
        "existing": [{"site_id": "Q"}],
        "regions": {"rules": [{"level": "state", "ids": ["TZ"]}, {"level": "stat"}]},
    }
    with pytest.raises(ScenarioError) as error:
        one_parcel(wrong, {"regions": regions})
    assert len(error.value.problems) == 3
    with pytest.raises(ScenarioError, match="parcels names no file"):
        propose(
            make.scenario(candidates={"source": "parcels"}),
            Layers(pois=make.pois({"poi_id": "S", "at": NEAR, "headroom_mw": 9.0})),
        )
    with pytest.raises(LayerError, match="no places to choose from"):
        propose(make.scenario(), Layers())


def test_very_many_dangling_ids_are_counted_not_all_listed():
    parcels = make.parcels(
        *({"parcel_id": f"P{k}", "at": HOME, "poi_ids": (f"no{k}",)} for k in range(500))
    )
    pois = make.pois({"poi_id": "S", "at": NEAR, "headroom_mw": 10.0})
    with pytest.raises(LayerError) as error:
        propose(make.scenario(), Layers(pois=pois, parcels=parcels))
    assert len(error.value.problems) == 21
    assert "and 480 more" in error.value.problems[-1]
