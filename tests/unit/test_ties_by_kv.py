"""Ties by site and voltage: levels of files, MW by kV and length, the choice, the check."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers import tiny
from helpers.worlds import prepared
from make_layers import parcels, pois, scenario

from sitepick.candidates import propose
from sitepick.checks import judge
from sitepick.layers.load import load_one
from sitepick.layers.types import Layers
from sitepick.planner import Planner
from sitepick.scenario.inputs import LayerFile
from sitepick.solution import GridRow, Solution, TieRow
from sitepick.solve.outcome import Limits

PLACE = "poi_id,lon,lat,"


def read(tmp_path: Path, text: str, **spec: Any) -> tuple[Any, str]:
    (tmp_path / "s.csv").write_text(text, encoding="utf-8")
    frame, problems, _ = load_one("substations", LayerFile(file="s.csv", **spec), tmp_path)
    return frame, "\n".join(problems)


@pytest.mark.parametrize(
    ("text", "fields", "levels"),
    [
        ("kv\nA,1,2,345\n", {}, (345, None)),
        ("kv\nA,1,2,345;138\n", {}, (345, "345;138")),
        ("kv\nA,1,2,110/20 kV\n", {}, (110, "110;20")),
        ("kv\nA,1,2,100-161\n", {}, (100, None)),
        ("v\nA,1,2,380000;220000\n", {"kv": "v [v]"}, (380, "380;220")),
        ("kv,kv_levels\nA,1,2,345,138; 69\n", {}, (345, "345;138;69")),
        ("kv_levels\nA,1,2,138/345 kV\n", {}, (345, "345;138")),
        ("hi,lo\nA,1,2,230,115\n", {"kv": "hi", "kv_min": "lo"}, (230, "230;115")),
        ("hi,lo\nA,1,2,230,-999999\n", {"kv": "hi", "kv_min": "lo"}, (230, None)),
    ],
)
def test_levels_are_read(tmp_path: Path, text: str, fields: dict[str, str], levels: Any) -> None:
    frame, problems = read(tmp_path, PLACE + text, fields=fields)
    assert not problems
    assert (frame["kv"][0], frame["kv_levels"][0]) == levels


def test_levels_that_are_none_are_faults(tmp_path: Path) -> None:
    frame, problems = read(tmp_path, PLACE + "kv,kv_levels\nA,1,2,345,345;high\n")
    assert frame is None
    assert "1 value that is no list of voltages ('345;high' at" in problems
    frame, problems = read(tmp_path, PLACE + "kv_levels\nA,1,2,345000;138000\n")
    assert frame is None
    assert "kV" in problems


STATION = {"poi_id": "P", "at": (-97.0, 32.0), "kv": 345.0, "headroom_mw": 900.0}
FIELD = {"parcel_id": "F", "at": (-97.1, 32.0), "usable_ha": 500.0}


def tied(levels: str | None, *, parcel: dict[str, Any] | None = None, **power: Any) -> list[tuple]:
    station = pois({**STATION, "kv_levels": levels})
    asked = scenario(power=power)
    found = propose(asked, Layers(pois=station, parcels=parcels(parcel or FIELD)))
    table = found.ties
    return list(zip(table["kv"], table["cap_mw"].round(3), strict=True))


def test_a_substation_offers_a_tie_at_each_voltage() -> None:
    assert tied(None) == [(345, 900 + 100)]
    # 12.3 route km: 69 kV costs least and carries 60 MW, 138 kV 200, 345 kV 1,000
    assert tied("345;138;69") == [(345, 1000), (138, 200), (69, 60)]


def test_ties_that_cost_more_and_carry_no_more_are_left_out() -> None:
    # 150 MW are all there is: 138 kV carries them for less than 345 kV
    assert tied("345;138;69", headroom_pct=100 / 6) == [(138, 200), (69, 60)]
    assert tied("345;138;69", max_mw_per_poi=50) == [(69, 60)]
    # at the station itself kilometres cost nothing: the largest is the best
    at = {**FIELD, "at": (-97.0, 32.0)}
    assert tied("345;138;69", parcel=at) == [(345, 1000)]
    # two of 115 and 110 kV together carry more than one, so both stay where a site may have two
    same_price = {"tie_musd_per_km": {115: 1.2, 345: 2.2}, "tie_mw_by_kv": {69: 60, 115: 120}}
    assert tied("115;112", **same_price) == [(115, 120)]
    assert tied("115;112", max_ties=2, **same_price) == [(115, 120), (112, 60)]


def test_an_upgrade_that_can_be_bought_counts_for_what_a_tie_may_carry() -> None:
    step = {"mw": 300, "musd": 10, "lead_months": 24}
    kept = tied("345;138", headroom_pct=100 / 6, upgrade_step=step)
    assert kept == [(345, 1000), (138, 200)]


def test_the_lowest_voltage_considered_holds_for_levels_too() -> None:
    station = pois({**STATION, "kv_levels": "345;138;69"})
    asked = scenario(candidates={"min_kv": 100})
    found = propose(asked, Layers(pois=station, parcels=parcels(FIELD)))
    assert found.ties["kv"].tolist() == [345, 138]


def test_an_existing_site_keeps_its_tie_at_the_highest_voltage() -> None:
    parcel = {**FIELD, "decision": "existing"}
    assert tied("345;138", parcel=parcel, headroom_pct=1) == [(345, 1000)]


def test_long_ties_carry_less() -> None:
    # 0.9 degrees of longitude are 85 km, 110.5 by route: k = 2.56 by the curve, 50 MW SIL x 2.56
    far = {**FIELD, "at": (-97.9, 32.0)}
    long = {"tie_km_max": 200, "route_factor": 1.3}
    k = 3.1 * (110.5 / 80) ** (np.log(2.0 / 3.1) / np.log(2))
    assert tied("345;138", parcel=far, **long) == [
        (345, 1000), (138, pytest.approx(k * 50, rel=2e-3)),
    ]  # fmt: skip
    station = pois({**STATION, "kv": 138.0})
    found = propose(scenario(power=long), Layers(pois=station, parcels=parcels(far)))
    assert [n.count for n in found.notes if n.code == "tie_loadability"] == [1]
    assert tied("345;138", parcel=far, tie_loadability=False, **long) == [(345, 1000), (138, 200)]


PLAIN: dict[str, Any] = {
    "as_of": "2026-01-01", "periods": {"from": "2028", "to": "2029"}, "halls": "none",
    "hardware": "none", "reference_hardware": "h100", "network_share_pct": 0, "existing": [],
    "money": {"discount_rate_pct": 0},
    "candidates": {"site_fixed_musd": 0, "site_om_musd_per_year": 0, "land_musd_per_ha": 0},
}  # fmt: skip
TWO = tiny.rows(
    ("S", "P", 345.0, 10.0, 1000.0), ("S", "P", 138.0, 10.0, 200.0), ("S", "Q", 138.0, 4.0, 200.0),
    of="ties",
)  # fmt: skip


def solved(mw: float, cap_345: float = 1000.0, **power: Any) -> tuple[Any, Any, Solution]:
    asked = tiny.scenario(
        **PLAIN, power={"max_ties": 1, "load_factor_pct": 100, "tie_fixed_musd": 8, **power},
        demand={"it_mw": mw, "shortfall_musd_per_mw_year": 20, "workloads": {}},
    )  # fmt: skip
    tables = tiny.candidates(
        sites=[tiny.site("S")],
        pois=[tiny.poi("P", headroom_mw=500.0), tiny.poi("Q", headroom_mw=60.0)],
        ties=[{**TWO[0], "cap_mw": cap_345}, *TWO[1:]],
        offers=[], site_regions=[], regions=[], places=[], reach=[],
    )  # fmt: skip
    planner = Planner(prepared(asked, tables), Limits(gap=1e-7, threads=1))
    _, found = planner.solve(None)
    assert found is not None
    assert judge(asked, Layers(), tables, found) == []
    again = planner.started_from(found)
    assert again is not None
    assert planner.program.matrix.objective(again) == pytest.approx(found.objective)
    return asked, tables, found


@pytest.mark.parametrize(
    ("mw", "poi", "kv", "musd"),
    [
        (50, "Q", 138.0, 8 + 4 * 1.4),  # the nearest POI has 60 MW
        (150, "P", 138.0, 8 + 10 * 1.4),  # too few there: the other one, at the lower voltage
        (300, "P", 345.0, 8 + 10 * 2.2),  # more than 138 kV carries
    ],
)
def test_the_plan_chooses_poi_and_voltage_by_cost_and_mw(
    mw: float, poi: str, kv: float, musd: float
) -> None:
    _, _, found = solved(mw)
    assert [(t.poi_id, t.kv) for t in found.ties] == [(poi, kv)]
    assert {(g.kv, g.grid_mw) for g in found.grid} == {(kv, mw)}
    # at 0 %, two of the thirty years of the tie's life are paid within the horizon
    assert found.npc_musd["ties"] == pytest.approx(musd * 2 / 30)


def test_both_voltages_of_a_poi_may_be_used_where_two_ties_are_allowed() -> None:
    _, _, found = solved(450, cap_345=300.0, max_ties=2)
    assert {(t.poi_id, t.kv) for t in found.ties} == {("P", 345.0), ("P", 138.0)}
    assert found.npc_musd["ties"] == pytest.approx((8 + 22 + 8 + 14) * 2 / 30)
    assert {g.kv: g.grid_mw for g in found.grid}[345.0] <= 300
    text = found.to_json()
    assert Solution.from_json(text) == found
    assert json.loads(text)["ties"][0]["kv"] in (345.0, 138.0)
    # a plan written before ties had a voltage can still be read
    record = json.loads(text)
    for row in (*record["ties"], *record["grid"]):
        del row["kv"]
    old = Solution.from_json(json.dumps(record))
    assert {t.kv for t in old.ties} == {None}


def found_by_check(tables: Any, asked: Any, plan: Solution) -> dict[str, list[float]]:
    out: dict[str, list[float]] = {}
    for finding in tiny.judged(plan, asked, tables):
        out.setdefault(finding.check, []).append(round(finding.amount, 6))
    return out


def test_plans_made_wrong_by_hand_are_caught_with_their_amounts() -> None:
    asked, tables, plan = solved(150)
    moved = tiny.changed(plan, "ties", {"poi_id": "P"}, kv=345.0)
    assert found_by_check(tables, asked, moved) == {"ties.cap": [150, 150]}  # at 138 kV: no tie
    small = tables.ties.assign(cap_mw=[1000.0, 120.0, 200.0])
    weak = type(tables)(**{**vars(tables), "ties": small})
    assert found_by_check(weak, asked, plan) == {"ties.cap": [30, 30]}
    wrong = tiny.added(plan, "ties", TieRow("S", "P", "2028-01-01", 230.0))
    assert found_by_check(tables, asked, wrong)["rows.unknown"] == [1]
    vague = tiny.added(plan, "ties", TieRow("S", "P", "2028-01-01"))
    assert found_by_check(tables, asked, vague)["rows.unknown"] == [1]
    # the only tie to Q needs no voltage, and said twice it is a duplicate
    named = tiny.added(plan, "ties", TieRow("S", "Q", "2028-01-01"))
    assert found_by_check(tables, asked, named) == {"ties.most": [1, 1]}
    twice = tiny.added(named, "ties", TieRow("S", "Q", "2028-01-01", 138.0))
    assert found_by_check(tables, asked, twice)["rows.duplicate"] == [1]
    both = tiny.added(plan, "grid", GridRow("S", "P", "2028-01-01", 5.0, 345.0))
    assert found_by_check(tables, asked, both) == {"ties.cap": [5]}
