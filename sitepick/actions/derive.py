"""From a plan to its list of actions: when each thing is needed, less its lead time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

from sitepick.actions import fiber, groups, leases, places, power
from sitepick.actions.entry import Draft
from sitepick.actions.facts import Facts, Lead
from sitepick.actions.types import KINDS, Action, Decision
from sitepick.instance.timeline import add_months, whole_months

if TYPE_CHECKING:
    from sitepick.candidates.types import Candidates
    from sitepick.scenario.schema import Scenario
    from sitepick.solution import Solution


def actions_of(scenario: Scenario, candidates: Candidates, solution: Solution) -> list[Action]:
    """Return what must be done for a plan, by date; what stands already needs nothing.

    Money is overnight cost, MUSD (real, of the scenario's price year): over all actions of a
    category it is the plan's cash of that category over all years (the land of on-site power and
    halls at a site of the plan is all in its `secure_land`).
    """
    facts = Facts(scenario, candidates, solution)
    drafts = [
        *places.drafts(facts), *leases.drafts(facts), *power.drafts(facts), *_buildings(facts),
        *_orders(facts), *fiber.drafts(facts, candidates.fiber),
        *groups.drafts(facts, candidates.fiber),
    ]  # fmt: skip
    order = {kind: i for i, kind in enumerate(KINDS)}
    rows = [_action(draft, scenario.as_of) for draft in drafts]
    rows += [_action(draft, scenario.as_of) for draft in places.options(facts, rows)]
    return sorted(
        rows, key=lambda a: (a.do_by, order[a.action], a.site_id, a.poi_id, a.item, a.needed)
    )


def _action(draft: Draft, as_of: date) -> Action:
    months = whole_months(draft.lead.months)
    do_by = add_months(draft.needed, -months)
    return Action(
        do_by=do_by, action=draft.action, site_id=draft.site, poi_id=draft.poi, item=draft.item,
        mw=draft.mw, mw_kind=draft.mw_kind if draft.mw is not None else "", musd=draft.musd,
        needed=draft.needed, lead_months=months, lead_from=draft.lead.key, soft=draft.lead.soft,
        why=draft.why, late_by_days=max(0, (as_of - do_by).days), decisions=draft.decisions,
    )  # fmt: skip


def _buildings(facts: Facts) -> Iterator[Draft]:
    """Halls, retrofits, and the customer substation with its equipment."""
    new_mw: dict[tuple[str, str], float] = defaultdict(float)
    of: dict[tuple[str, str], list[Decision]] = defaultdict(list)
    longest: dict[tuple[str, str], Lead] = {}
    for row in facts.plan.halls:
        kind = facts.halls.get(row.hall)
        if kind is None:
            continue
        lead = Lead(kind.build_months, f"halls.{row.hall}.build_months")
        per_mw = facts.facility_musd_per_mw(row.site_id, row.hall)
        for action, what, count in (
            ("start_halls", "halls", row.built),
            ("start_retrofit", "retrofit", row.converted_in),
        ):
            if not count:
                continue
            mw = count * kind.hall_it_mw
            made = Decision(what, (row.site_id, row.hall, row.period))
            halls = f"{count} hall{'s' if count > 1 else ''} of class {row.hall}"
            yield Draft(
                action, date.fromisoformat(row.period), lead, site=row.site_id,
                poi=facts.pois_of.get(row.site_id, ""), item=row.hall, mw=mw, mw_kind="IT MW",
                musd=mw * per_mw, why=f"{halls}: {mw:,.6g} IT MW in service {row.period}",
                decisions=(made,),
            )  # fmt: skip
            if what == "halls":
                key = row.site_id, row.period
                new_mw[key] += mw * facts.pue_peak(row.site_id, row.hall)
                of[key].append(made)
                if key not in longest or lead.months > longest[key].months:
                    longest[key] = lead
    if facts.has_grid:
        yield from _substations(facts, new_mw, of, longest)


def _substations(
    facts: Facts,
    new_mw: dict[tuple[str, str], float],
    of: dict[tuple[str, str], list[Decision]],
    longest: dict[tuple[str, str], Lead],
) -> Iterator[Draft]:
    per_mw = facts.scenario.power.substation_musd_per_mw
    if facts.scenario.halls == "none":
        new_mw = _contract_growth(facts)
    for (site, period), mw in new_mw.items():
        draft = Draft(
            "start_substation", date.fromisoformat(period), facts.tie, site=site,
            poi=facts.pois_of.get(site, ""), mw=mw, mw_kind="grid MW",
            why=f"customer substation of {mw:,.6g} grid MW in service {period}",
            decisions=tuple(of[site, period]),
        )  # fmt: skip
        if (site, period) in longest:
            yield replace(draft, lead=longest[site, period], musd=mw * per_mw)
        for name, lead in facts.equipment.items():
            why = f"{name.replace('_', ' ')} for {mw:,.6g} grid MW in service {period}"
            # a transformer can go to another site: ordering it does not build these halls
            yield replace(
                draft, action="order_equipment", item=name, lead=lead, why=why, decisions=()
            )


def _contract_growth(facts: Facts) -> dict[tuple[str, str], float]:
    """Return grid MW that sites contract beyond what they had, by (site_id, period).

    What stands for new substations where the plan has no halls.
    """
    mw: dict[tuple[str, str], float] = defaultdict(float)
    for row in facts.plan.grid:
        mw[row.site_id, row.period] += row.grid_mw
    had: dict[str, float] = defaultdict(float)
    grown = {}
    for site, period in sorted(mw):
        more = mw[site, period] - had[site]
        if more > 1e-6:
            grown[site, period] = more
            had[site] += more
    return grown


def _orders(facts: Facts) -> Iterator[Draft]:
    """Hardware by vintage, batteries, and limited supplies."""
    bought: dict[tuple[str, str, str], float] = defaultdict(float)
    for row in facts.plan.it:
        if row.bought_mw > 0 and row.hardware in facts.hardware:
            bought[row.site_id, row.hardware, row.period] += row.bought_mw
    for (site, item, period), mw in bought.items():
        kind = facts.hardware[item]
        yield Draft(
            "order_hardware", date.fromisoformat(period), facts.hardware_lead(site, item),
            site=site, item=item, mw=mw, mw_kind="IT MW",
            musd=mw * kind.capex_musd_per_mw * facts.price(kind),
            why=f"{mw:,.4g} IT MW of {item} in service {period}",
            decisions=(Decision("hardware", (site, item, period)),),
        )  # fmt: skip
    battery = facts.scenario.flexible.battery
    for charge in facts.plan.batteries:
        if battery is None or charge.bought_mw <= 0:
            continue
        year = facts.scenario.money.price_year if battery.price_year is None else battery.price_year
        years = facts.scenario.money.price_year - year
        price = (1 + facts.scenario.money.inflation_pct / 100) ** years
        yield Draft(
            "order_battery", date.fromisoformat(charge.period),
            Lead(battery.lead_months, "flexible.battery.lead_months"), site=charge.site_id,
            poi=facts.pois_of.get(charge.site_id, ""), mw=charge.bought_mw, mw_kind="battery MW",
            musd=charge.bought_mw * battery.musd_per_mw * price,
            why=f"batteries of {battery.hours:g} h in service {charge.period}",
            decisions=(Decision("battery", (charge.site_id, charge.period)),),
        )  # fmt: skip
    yield from _supplies(facts, bought)


def _supplies(facts: Facts, bought: dict[tuple[str, str, str], float]) -> Iterator[Draft]:
    """Items of `procurement` that have a lead time, by site and period."""
    for name, item in facts.scenario.procurement.items():
        if not item.lead_months or item.per == "construction_it_mw":
            continue
        used: dict[tuple[str, str], float] = defaultdict(float)
        if item.per == "hardware_it_mw":
            for (site, hardware, period), mw in bought.items():
                if hardware == item.hardware:
                    used[site, period] += mw
        for row in facts.plan.halls:
            kind = facts.halls.get(row.hall)
            if kind is None or item.per == "hardware_it_mw":
                continue
            key, new = (row.site_id, row.period), row.built + row.converted_in
            mw = new * kind.hall_it_mw
            if item.per == "grid_mw":
                mw = row.built * kind.hall_it_mw * facts.pue_peak(row.site_id, row.hall)
            elif item.per == "liquid_it_mw":
                mw *= kind.liquid_share
            if mw > 0:
                used[key] += mw
        lead = Lead(item.lead_months, f"procurement.{name}.lead_months")
        mw_kind = "grid MW" if item.per == "grid_mw" else "IT MW"
        for (site, period), mw in used.items():
            if item.level is not None and not facts.is_inside(site, item.level, item.ids):
                continue
            yield Draft(
                "order_supply", date.fromisoformat(period), lead, site=site,
                poi=facts.pois_of.get(site, ""), item=name, mw=mw, mw_kind=mw_kind,
                why=f"{mw * item.amount:,.4g} {item.unit} of {name} for {mw:,.6g} {mw_kind} in "
                f"service {period}",
            )  # fmt: skip
