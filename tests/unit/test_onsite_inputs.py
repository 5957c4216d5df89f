"""On-site options, permits, gas and solar days: what is understood, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from make_layers import parcels, pois, regions, scenario, square

from sitepick import pipeline
from sitepick.candidates import onsite
from sitepick.candidates.regions import locate
from sitepick.cli.describe import describe
from sitepick.errors import LayerError, ScenarioError
from sitepick.layers.types import Layers
from sitepick.run import Prepared
from sitepick.scenario.catalog import table
from sitepick.scenario.power_options import PowerOption, plain, power_options
from sitepick.scenario.read import read_scenario

HEAD = """\
version: 1
as_of: 2027-01-01
periods: {from: 2028, to: 2030}
layers: {parcels: {file: p.csv}}
demand: {it_mw: 10}
"""
ROWS = {row["id"]: row for row in table("power_options")}


def option(**keys: Any) -> PowerOption:
    return PowerOption.model_validate(keys)


def test_every_row_of_the_catalog_is_an_option() -> None:
    for row in ROWS.values():
        kept = PowerOption.model_validate(plain(row))
        assert kept.confidence in "ABC"
        assert kept.price_year == 2026
        for name in ("heat_rate_mmbtu_per_mwh", "lead_months", "block_mw", "capex_usd_per_kw"):
            low, value, high = row.get(f"{name}_low"), row.get(name), row.get(f"{name}_high")
            if None not in (low, value, high):
                assert low <= value <= high, (row["id"], name)


@pytest.mark.parametrize(
    "name", ["ccgt", "gt_frame", "gt_aero", "recip", "sofc", "smr", "geothermal"]
)
def test_cost_of_energy_of_a_row_is_near_what_is_quoted(name: str) -> None:
    row = option(base=name)
    # 9 % real, 85 % of the year, spare blocks left out, gas at 4 USD/MMBtu
    recovery = 0.09 / (1 - 1.09**-row.life_years)
    per_kw = (row.capex_usd_per_kw or 0) * recovery + row.fixed_om_usd_per_kw_year
    fuel = 4 * (row.heat_rate_mmbtu_per_mwh or 0)
    usd = per_kw / 8.76 / 0.85 + fuel + row.variable_om_usd_per_mwh + row.energy_usd_per_mwh
    low, high = ROWS[name]["energy_usd_per_mwh_low"], ROWS[name]["energy_usd_per_mwh_high"]
    assert 0.75 * low <= usd <= 1.25 * high


def test_carbon_is_heat_rate_times_the_factor_of_gas() -> None:
    assert option(base="recip").direct_co2_kg_per_mwh == pytest.approx(8.5 * 53.06)
    for name in ("ccgt", "gt_frame", "gt_aero", "recip", "sofc"):
        row = ROWS[name]
        kg = option(base=name).direct_co2_kg_per_mwh
        assert row["co2_kg_per_mwh_low"] - 1 <= kg <= row["co2_kg_per_mwh_high"] + 1
    assert option(base="smr").direct_co2_kg_per_mwh == 0
    assert option(base="recip", co2_kg_per_mwh=300).direct_co2_kg_per_mwh == 300


def test_a_row_laid_over_the_catalog_keeps_what_it_does_not_change() -> None:
    hired = option(base="recip", id="hired", rent_usd_per_kw_month=30, firm_credit=0.8)
    assert (hired.id, hired.capex_usd_per_kw, hired.spare_blocks) == ("hired", None, None)
    assert hired.heat_rate_mmbtu_per_mwh == 8.5
    assert hired.leaves
    assert not option(base="sofc").whole
    bridge = option(base="recip", role="bridge")
    assert not bridge.islanded  # an island is for good


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"base": "recipe"}, "did you mean 'recip'"),
        ({"capex_usd_per_kw": 1}, "needs an id of its own, or a base"),
        ({"id": "x", "block_mw": 5}, "exactly one of capex_usd_per_kw"),
        ({"base": "recip", "spare_blocks": 1, "firm_credit": 0.9}, "both count outages"),
        ({"base": "sofc", "spare_blocks": 1}, "needs whole blocks"),
        ({"base": "recip", "islanded": True, "spare_blocks": 1}, "N+2"),
        ({"base": "sofc", "islanded": True}, "30 % overbuild"),
        ({"base": "sofc", "islanded": True, "firm_credit": 0.8}, "30 % overbuild"),
        ({"base": "solar_bess", "islanded": True}, "can follow load"),
        ({"base": "recip", "after": "salvage"}, "go with 'role: bridge'"),
        ({"base": "solar_bess", "spare_blocks": 1}, "neither spare_blocks"),
        ({"base": "recip", "worst_day_firm": True}, "goes with a profile"),
    ],
)  # fmt: skip
def test_rows_that_contradict_themselves(keys: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words.replace("+", r"\+")):
        option(**keys)


def test_an_overbuilt_island_is_allowed() -> None:
    assert option(base="sofc", islanded=True, firm_credit=0.75).islanded


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("onsite: {options: [recp]}", "6:20", "did you mean 'recip'"),
        ("onsite: {options: [bess_4h]}", "6:20", "shown only"),
        ("onsite: {options: [recip, recip]}", "6:27", "listed twice"),
        ("onsite: {options: [recip]}\npower: {model: none}", "6:10", "needs 'model: grid'"),
        ("onsite: {options: [{base: solar_bess, profile: dry}]}", "6:20", "layers.solar_days"),
        ("onsite: {permits: [{level: state, max_mw: 3}]}", "6:10", "permits without options"),
        ("onsite: {options: [recip], permits: [{level: state, max_mw: 3}]}", "6:46", "'state'"),
        ("onsite: {options: [recip], permits: [{max_mw: 3, options: [sofc]}]}", "6:60", "none of"),
        ("onsite: {options: [recip], permits: [{level: state}]}", "6:38", "says nothing"),
        ("onsite: {options: [{id: a, capex_usd_per_kw: x}]}", "6:46", "must be a number"),
        (
            "onsite: {options: [solar_bess, {base: solar_bess, id: b}]}", "6:32",
            "made for the same load",
        ),
    ],
)  # fmt: skip
def test_what_a_scenario_gets_wrong(tmp_path: Path, text: str, place: str, words: str) -> None:
    path = tmp_path / "s.yaml"
    path.write_text(HEAD + text + "\n", encoding="utf-8")
    with pytest.raises(ScenarioError) as refused:
        read_scenario(path)
    problems = [p for p in refused.value.problems if words in p]
    assert problems, refused.value.problems
    assert f":{place}" in problems[0]


# --- access: gas, permits, prices

HERE = parcels(
    *({"parcel_id": p, "at": (-97 + 2 * k, 32), "usable_ha": 50.0} for k, p in enumerate("ABCD"))
)
STATES = regions(
    {"region_id": "TX", "geometry": square(-97, 32, 0.5)},
    {"region_id": "LA", "geometry": square(-95, 32, 0.5)},
)


def access(gas: list[str], states: Any = STATES, **section: Any) -> tuple[list[Any], list[str]]:
    asked = scenario(onsite={"options": ["recip", "smr"], **section})
    layers = Layers(parcels=HERE.assign(gas=gas), regions=states, pois=pois())
    places = layers.parcels.rename(columns={"parcel_id": "site_id"})
    lon, lat = places.geometry.x.to_numpy(), places.geometry.y.to_numpy()
    inside, _ = locate(places["site_id"], lon, lat, states, "site_id")
    found, notes = onsite.access(asked, layers, places, inside)
    pairs = [(r.site_id, r.option_id) for r in found.itertuples()]
    return [pairs, found], [n.code for n in notes]


def test_unknown_gas_is_no_gas_unless_allowed() -> None:
    (pairs, _), codes = access(["yes", "no", "unknown", "yes"])
    assert [s for s, o in pairs if o == "recip"] == ["A", "D"]
    assert [s for s, o in pairs if o == "smr"] == ["A", "B", "C", "D"]
    assert codes == ["gas_unknown"]
    (pairs, _), _ = access(["yes", "no", "unknown", "yes"], gas_unknown="allow")
    assert [s for s, o in pairs if o == "recip"] == ["A", "C", "D"]


def test_permits_forbid_and_date_and_the_region_has_its_gas_price() -> None:
    states = STATES.assign(gas_usd_per_mmbtu=[2.5, float("nan")])
    (pairs, found), _ = access(
        ["yes"] * 4,
        states,
        permits=[
            {"level": "state", "ids": "LA", "options": "recip", "forbidden": True},
            {"level": "state", "from_date": "2030"},
        ],
    )
    assert ("B", "recip") not in pairs
    assert ("B", "smr") in pairs
    dates = dict(zip(pairs, found["from_date"], strict=True))
    assert str(dates["A", "smr"]) == "2030-01-01"
    assert dates["C", "smr"] is None  # in no region
    gas = dict(zip(pairs, found["gas_usd_per_mmbtu"], strict=True))
    assert gas["A", "recip"] == 2.5
    assert gas["C", "recip"] == 4
    assert gas["A", "smr"] != gas["A", "smr"]  # burns none


# --- solar days from a file


def days(tmp_path: Path, lines: list[str], profile: str = "user") -> Prepared:
    (tmp_path / "d.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (tmp_path / "p.csv").write_text("parcel_id,lat,lon,usable_ha\nA,32,-97,50\n", encoding="utf-8")
    text = HEAD.replace("p.csv}", "p.csv}, solar_days: {file: d.csv}")
    text += f"onsite: {{options: [{{base: solar_bess, profile: {profile}}}, {{base: smr, id: r,"
    text += " spare_blocks: 2, islanded: true, lead_months: 6}]}\n"
    (tmp_path / "s.yaml").write_text(text, encoding="utf-8")
    return pipeline.prepare(pipeline.load(tmp_path / "s.yaml"))


def flat(day: str, value: float, weight: str = "1", hours: range = range(24)) -> list[str]:
    return [f"{day},{h},{value if 6 <= h < 18 else 0},{weight}" for h in hours]


def test_days_of_a_file_are_read_and_used(tmp_path: Path) -> None:
    made = days(
        tmp_path, ["day_id,hour,mw_per_mw,days_per_year", *flat("x", 0.8), *flat("y", 0.4, "3")]
    )
    assert made.layers.solar_days is not None
    assert list(made.layers.solar_days["days_per_year"]) == [1, 3]
    assert made.candidates.onsite_sized["energy_share"].to_list() == [0.6]
    # a place without any substation: an island of reactors may stand there
    assert made.candidates.sites["status"].to_list() == ["candidate"]
    assert not len(made.candidates.ties)


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (flat("x", 0.5, hours=range(23)), "hours 0 to 23 once each; missing: 23"),
        ([*flat("x", 0.5), "x,3,0,1"], "twice: 3"),
        (flat("x", 1.5), "out of range"),
        ([*flat("x", 0.5)[:-1], "x,23,0,2"], "needs one days_per_year above 0"),
        ([*flat("x", 0.5)[:-1], "x,23,,1"], "without mw_per_mw"),
    ],
)
def test_days_that_are_no_days(tmp_path: Path, lines: list[str], words: str) -> None:
    with pytest.raises(LayerError, match=words):
        days(tmp_path, ["day_id,hour,mw_per_mw,days_per_year", *lines])


def test_a_profile_that_no_file_has(tmp_path: Path) -> None:
    lines = ["day_id,hour,mw_per_mw,days_per_year", *flat("x", 0.5)]
    with pytest.raises(ScenarioError, match="there are default, user"):
        days(tmp_path, lines, profile="desert")
    night = ["day_id,hour,mw_per_mw,days_per_year", *flat("x", 0.5), *flat("dark", 0.0, "2")]
    with pytest.raises(ScenarioError, match="at most 33%"):
        days(tmp_path, night)


def test_validate_says_which_options_there_are() -> None:
    asked = scenario(onsite={"options": ["sofc", {"base": "recip", "role": "bridge"}]})
    assert "on site sofc (prime), recip (bridge)" in dict(describe(asked))["power"]


def test_options_come_in_the_order_asked() -> None:
    asked = scenario(onsite={"options": ["sofc", {"base": "recip", "id": "sofc"}]})
    assert [o.base for o in power_options(asked)] == ["recip"]
