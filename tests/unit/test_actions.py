"""Dated actions of a plan small enough to work out on paper, and lists made wrong by hand."""

from __future__ import annotations

import dataclasses
from datetime import date
from typing import Any

import pytest
from helpers import listed, tiny, worlds

from sitepick.actions import KINDS, Action, actions_of
from sitepick.run import Prepared
from sitepick.solution import EnterRow, Solution, StayRow, UpgradeRow

AS_OF = date(2026, 1, 1)


def made(**tables: list[dict[str, Any]]) -> Prepared:
    return worlds.prepared(tiny.scenario(), tiny.candidates(**tables))


def due(world: Prepared | None = None, plan: Solution | None = None, **match: str) -> list[Action]:
    world = world or made()
    rows = actions_of(world.scenario, world.candidates, plan or tiny.plan())
    return [row for row in rows if all(getattr(row, k) == v for k, v in match.items())]


def one(world: Prepared | None = None, plan: Solution | None = None, **match: str) -> Action:
    rows = due(world, plan, **match)
    assert len(rows) == 1, rows
    return rows[0]


def test_the_whole_list_of_the_tiny_plan():
    """A opens 2028, B 2029, C stands: ties 24 months, halls 12, `old` 6, `new` 9."""
    told = [
        (str(a.do_by), a.action, a.site_id, a.poi_id, a.item, a.mw and round(a.mw, 3),
         None if a.musd is None else round(a.musd, 6), a.lead_months, a.late_by_days)
        for a in due()
    ]  # fmt: skip
    assert told == [
        # transformers take 29 months: for 28 and 24 grid MW of 2028 and 2029
        ("2025-08-01", "order_equipment", "A", "P", "power_transformer", 28, None, 29, 153),
        ("2026-01-01", "secure_land", "A", "P", "", 20, 6, 24, 0),
        ("2026-01-01", "request_interconnection", "A", "P", "", 28, None, 24, 0),
        ("2026-01-01", "start_tie", "A", "P", "138 kV", 28, 5 * 1.4 + 8, 24, 0),
        ("2026-01-01", "start_site_works", "A", "P", "", 20, 3, 24, 0),
        ("2026-01-01", "start_fiber", "A", "P", "", 20, 0.6, 24, 0),
        ("2026-08-01", "order_equipment", "B", "Q", "power_transformer", 24, None, 29, 0),
        ("2026-11-01", "order_equipment", "A", "P", "hv_switchgear", 28, None, 14, 0),
        ("2027-01-01", "secure_land", "B", "Q", "", 15, 0.5 * 2, 24, 0),
        ("2027-01-01", "start_tie", "B", "Q", "230 kV", 18, 8, 24, 0),
        ("2027-01-01", "start_site_works", "B", "Q", "", 15, 5, 24, 0),
        ("2027-01-01", "start_substation", "A", "P", "", 28, 8.4, 12, 0),
        ("2027-01-01", "start_halls", "A", "P", "std", 20, 200, 12, 0),
        ("2027-03-01", "accept_letter", "B", "Q", "O1", 30, None, 0, 0),
        ("2027-03-01", "post_security", "B", "Q", "O1", 30, 3, 0, 0),
        ("2027-07-01", "order_hardware", "A", "", "old", 20, 400, 6, 0),
        ("2027-11-01", "order_equipment", "B", "Q", "hv_switchgear", 24, None, 14, 0),
        ("2028-01-01", "start_substation", "B", "Q", "", 24, 7.2, 12, 0),
        ("2028-01-01", "start_halls", "B", "Q", "liq", 20, 240, 12, 0),
        ("2028-04-01", "order_hardware", "B", "", "new", 15, 600, 9, 0),
        ("2029-07-01", "order_hardware", "C", "", "old", 8, 160, 6, 0),
    ]


def test_every_kind_says_what_its_mw_are_and_where_its_lead_time_comes_from():
    for action in due():
        assert action.action in KINDS
        assert action.lead_from
        assert action.why
        assert bool(action.mw_kind) == (action.mw is not None)
        assert action.soft == action.lead_from.startswith("catalog ")
    kinds = {a.action: a.mw_kind for a in due()}
    assert kinds["start_halls"] == kinds["order_hardware"] == "IT MW"
    assert kinds["start_tie"] == kinds["order_equipment"] == kinds["accept_letter"] == "grid MW"


@pytest.mark.parametrize(
    ("expires", "do_by", "lead", "late"),
    [
        (date(2025, 12, 12), date(2025, 12, 12), 0, 20),  # the option has gone
        (date(2026, 1, 1), date(2026, 1, 1), 24, 0),  # the same day: it is the opening
        (date(2027, 5, 31), date(2026, 1, 1), 24, 0),
    ],
)
def test_an_option_on_land_ends_before_it_is_needed(expires, do_by, lead, late):
    sites = [
        tiny.site("A", usable_ha=40.0, land_musd=6.0, fiber_km=10.0, option_expires=expires),
        *tiny.TABLES["sites"][1:],
    ]
    land = one(made(sites=sites), action="secure_land", site_id="A")
    assert (land.do_by, land.lead_months, land.late_by_days) == (do_by, lead, late)
    assert land.needed == (expires if lead == 0 else date(2028, 1, 1))


def test_land_is_ours_before_the_first_hall_is_started():
    halls = [{**tiny.HALLS[0], "build_months": 30}, *tiny.HALLS[1:]]
    world = worlds.prepared(tiny.scenario(halls=halls), tiny.candidates())
    land = one(world, action="secure_land", site_id="A")
    assert (land.do_by, land.lead_months) == (date(2025, 7, 1), 30)
    assert land.lead_from == "halls.std.build_months"
    assert land.late_by_days == (AS_OF - land.do_by).days == 184


def test_a_request_waits_in_the_queue_and_rests_on_an_option():
    pois = [tiny.poi("P", headroom_mw=60.0), *tiny.TABLES["pois"][1:]]
    queue = tiny.rows(("P", 0.0, 1.0, "state S1"), ("P", 25.0, 2.5, "state S1"), of="queue")
    power = {"wait_years": 1, "slip_years": {"published": 0.25}, "max_ties": 2}
    world = worlds.prepared(tiny.scenario(power=power), tiny.candidates(pois=pois, queue=queue))
    asked = one(world, action="request_interconnection", site_id="A")
    assert asked.lead_months == 33  # 28 MW reach beyond 25: 30 months and the slip of 3
    assert asked.do_by == date(2025, 4, 1)
    assert asked.lead_from == "queue: state S1 + power.slip_years"
    option = one(world, action="option_land", site_id="A")
    assert option.do_by == asked.do_by < one(world, action="secure_land", site_id="A").do_by
    small = tiny.changed(tiny.plan(), "grid", {"site_id": "A"}, grid_mw=20.0)
    assert one(world, small, action="request_interconnection").lead_months == 24  # the tie


def test_each_growth_of_a_contract_is_asked_for_once():
    plan = tiny.changed(tiny.plan(), "grid", {"site_id": "A", "period": tiny.P1}, grid_mw=40.0)
    rows = due(plan=plan, action="request_interconnection")
    assert [(a.needed.year, a.mw) for a in rows] == [(2028, 28), (2029, 12)]


def test_a_letter_without_a_day_is_answered_before_the_tie_is_started():
    plan = dataclasses.replace(
        tiny.plan(), offers=(dataclasses.replace(tiny.plan().offers[0], offer_id="O2"),)
    )
    answer = one(plan=plan, action="accept_letter")
    assert (answer.needed, answer.do_by) == (date(2030, 1, 1), date(2028, 1, 1))
    paid = one(plan=plan, action="pay_letter_upgrade")
    assert (paid.do_by, paid.musd) == (date(2030, 1, 1), 5)
    assert not due(plan=plan, action="post_security")


def test_a_signed_letter_needs_no_answer_and_its_security_is_due_now():
    offers = [{**tiny.OFFERS[0], "reply_by": None}, tiny.OFFERS[1]]
    world = made(offers=offers)
    assert not due(world, action="accept_letter")
    security = one(world, action="post_security")
    assert (security.do_by, security.musd, security.lead_from) == (AS_OF, 3, "as_of")


def test_equipment_of_the_scenario_replaces_that_of_the_catalog():
    asked = tiny.scenario(
        actions={"equipment_months": {"power_transformer": 40, "hv_switchgear": None, "busway": 5}}
    )
    world = worlds.prepared(asked, tiny.candidates())
    rows = due(world, action="order_equipment", site_id="A")
    assert [(a.item, a.lead_months, a.soft) for a in rows] == [
        ("power_transformer", 40, False), ("busway", 5, False),
    ]  # fmt: skip
    supply = {"xfmr": {"per": "grid_mw", "amount": 0.5, "lead_months": 20, "cap": {2026: 99}}}
    world = worlds.prepared(tiny.scenario(procurement=supply), tiny.candidates())
    items = {a.item for a in due(world, action="order_equipment")}
    assert items == {"hv_switchgear"}
    ordered = one(world, action="order_supply", site_id="A")
    assert (ordered.do_by, ordered.mw, ordered.item) == (date(2026, 5, 1), 28, "xfmr")
    assert "14 units of xfmr" in ordered.why


def test_licences_delay_hardware_and_regions_are_entered_before_their_land():
    rules = [
        {"level": "state", "ids": ["S1"], "hardware_delay_months": 4, "entry_musd": 2},
        {"level": "state", "hardware_delay_months": 3, "entry_musd": 1},
    ]
    world = worlds.prepared(tiny.scenario(regions={"rules": rules}), tiny.candidates())
    plan = tiny.added(tiny.plan(), "entered", EnterRow("state", "S1", tiny.P0))
    bought = one(world, plan, action="order_hardware", site_id="A")
    assert (bought.lead_months, bought.do_by) == (10, date(2027, 3, 1))  # the longest counts
    entered = one(world, plan, action="enter_region")
    assert (entered.do_by, entered.musd, entered.item) == (AS_OF, 3, "state S1")


def test_plants_steps_and_batteries_are_ordered_by_their_own_lead_times():
    from sitepick.solution import BatteryRow

    asked = tiny.scenario(
        onsite={"options": [{"base": "recip", "lead_months": 15, "block_mw": 5}]},
        power={"upgrade_step": {"mw": 50, "musd": 9, "lead_months": 36}, "nonfirm": "flexible"},
        flexible={"battery": {"lead_months": 14, "usd_per_kwh": 200, "hours": 2}},
    )
    world = worlds.prepared(asked, tiny.candidates())
    plan = tiny.added(tiny.plan(), "stays", StayRow("A", "recip", tiny.P1, None, 3.0),
                      StayRow("A", "recip", tiny.P1, tiny.P2, 1.0))  # fmt: skip
    plan = tiny.added(plan, "upgrades", UpgradeRow("P", tiny.P1, 2))
    plan = tiny.added(plan, "batteries", BatteryRow("A", tiny.P2, 10.0))
    plant = one(world, plan, action="order_onsite")
    assert (plant.do_by, plant.mw, plant.mw_kind) == (date(2027, 10, 1), 20, "on-site MW")
    step = one(world, plan, action="order_upgrade_step")
    assert (step.do_by, step.mw, step.musd, step.site_id) == (AS_OF, 100, 18, "A")
    battery = one(world, plan, action="order_battery")
    assert (battery.do_by, battery.musd) == (date(2028, 11, 1), pytest.approx(4))
    assert listed.wrong(world, plan, listed.table(world, plan)) == []


# --- the list against the check -----------------------------------------------------------------


def changed(column: str, value: str, **match: str) -> listed.Rows:
    rows = listed.table(made(), tiny.plan())
    hit = [row for row in rows if all(row[k] == v for k, v in match.items())]
    assert len(hit) == 1
    hit[0][column] = value
    return rows


def test_the_right_list_passes():
    assert listed.wrong(made(), tiny.plan(), listed.table(made(), tiny.plan())) == []


@pytest.mark.parametrize(
    ("column", "value", "check", "amount", "unit"),
    [
        ("do_by", "2027-02-02", "actions.do_by", 32, "days"),
        ("do_by", "soon", "actions.do_by", 1, "rows"),
        ("needed", "2028-01-31", "actions.needed", 30, "days"),
        ("lead_months", "11", "actions.lead_months", 1, "months"),
        ("late_by_days", "7", "actions.late_by_days", 7, "days"),
        ("mw", "20.5", "actions.mw", 0.5, "MW"),
        ("musd", "", "actions.musd", 200, "MUSD"),
        ("musd", "201", "actions.musd", 1, "MUSD"),
    ],
)
def test_a_cell_changed_by_hand_is_found_with_its_amount(column, value, check, amount, unit):
    rows = changed(column, value, action="start_halls", site_id="A")
    (found,) = listed.wrong(made(), tiny.plan(), rows)
    assert (found.check, found.unit) == (check, unit)
    assert found.amount == pytest.approx(amount)
    assert "start_halls, A, std" in found.where


def test_rows_that_are_lost_invented_or_twice_are_found():
    rows = listed.table(made(), tiny.plan())
    (lost,) = listed.wrong(made(), tiny.plan(), rows[1:])
    assert (lost.check, lost.amount) == ("actions.missing", 1)
    (twice,) = listed.wrong(made(), tiny.plan(), [*rows, rows[3]])
    assert twice.check == "actions.unknown"
    invented = {**rows[0], "site_id": "Z"}
    (unknown,) = listed.wrong(made(), tiny.plan(), [*rows, invented])
    assert unknown.check == "actions.unknown"
    assert "Z" in unknown.where


def test_money_of_the_list_is_the_cash_of_the_plan():
    world = made()
    plan = tiny.settled(world.scenario, world.candidates, tiny.plan())
    assert listed.money_apart(world, plan) < 1e-6


def test_ids_that_a_file_cannot_hold_are_no_difference():
    odd = "A\x1b[31m"
    plan = tiny.plan()
    for name in ("sites", "ties", "grid", "halls", "it", "use", "serve"):
        plan = tiny.changed(plan, name, {"site_id": "A"}, site_id=odd)
    tables = {
        name: [{**row, "site_id": odd if row["site_id"] == "A" else row["site_id"]}
               for row in tiny.TABLES[name]]
        for name in ("sites", "ties", "site_regions", "reach")
    }  # fmt: skip
    world = made(**tables)
    rows = listed.table(world, plan)
    assert "A[31m" in {row["site_id"] for row in rows}
    assert listed.wrong(world, plan, rows) == []
