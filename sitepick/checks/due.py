"""What must be in a list of actions, worked out from the plan a second time.

Written from docs/actions.md: for each thing the day it is needed, and how many months before that.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import date

from sitepick.checks import due_fiber, headroom, onsite
from sitepick.checks.calendar import move, whole_months
from sitepick.checks.case import STANDING, Case, day, number, rows_of
from sitepick.checks.due_row import Due
from sitepick.checks.purchases import fit_out_musd, tie_musd
from sitepick.checks.states import upgrades_on_offer
from sitepick.scenario.catalog import table


def expected(case: Case) -> Iterator[Due]:
    """Yield every action that the plan needs."""
    first_asked: dict[str, date] = {}
    for due in _requests(case):
        first_asked[due.site] = min(due.do_by, first_asked.get(due.site, due.do_by))
        yield due
    for due in _land(case):
        yield due
        has_option = day(case.sites[due.site]["option_expires"]) is not None
        asked = first_asked.get(due.site)
        if asked is not None and asked < due.do_by and not has_option:
            yield Due("option_land", due.site, due.poi, "", asked, 0, due.mw)
    yield from _openings(case)
    yield from _leases(case)
    yield from _ties(case)
    yield from _letters(case)
    yield from _upgrades(case)
    yield from _halls(case)
    yield from _equipment(case)
    yield from _hardware(case)
    yield from _plants(case)
    yield from _supplies(case)
    yield from due_fiber.expected(case)


def _start(case: Case, t: int) -> date:
    return case.calendar.starts[t]


def _pois(case: Case, site: str) -> str:
    return "+".join(sorted({poi for (s, poi, _) in case.tied if s == site}))


def _sites(case: Case, poi: str) -> str:
    return "+".join(sorted({s for (s, p, _) in case.tied if p == poi}))


def _most_it_mw(case: Case, site: str) -> float:
    return max(case.it_mw([site], t) for t in case.times)


def _land(case: Case) -> Iterator[Due]:
    per_ha = case.scenario.candidates.land_musd_per_ha
    for site, opened in case.opened.items():
        if site in case.leases:
            continue
        row = case.sites[site]
        asked = number(row["land_musd"])
        area = 0.0
        works: list[tuple[date, date, float]] = []  # start, in service, months
        plants: list[tuple[date, date, float]] = []
        for (where, hall, t), halls in case.hall_rows.items():
            if where == site and halls.built:
                kind = case.halls[hall]
                area += halls.built * kind.hall_it_mw * kind.ha_per_mw
                works.append(_begun(_start(case, t), kind.build_months))
        for (where, option, t, _), blocks in case.stays.items():
            if where == site:
                plant = case.options[option]
                area += blocks * plant.block_mw * onsite.ha_per_mw(case, option)
                plants.append(_begun(_start(case, t), plant.lead_months))
        if opened == STANDING and (asked is not None or not area):
            continue
        reasons = sorted(works or plants)[:1]
        if opened != STANDING:
            reasons = [_begun(_start(case, opened), case.tie_months), *sorted(works)[:1]]
        expires = day(row["option_expires"])
        if expires is not None:
            reasons.append((expires, expires, 0.0))
        best = reasons[0]
        for reason in reasons:
            if reason[0] < best[0]:
                best = reason
        _, needed, months = best
        musd = area * per_ha if asked is None else asked
        yield Due(
            "secure_land", site, _pois(case, site), "", needed, months, _most_it_mw(case, site),
            musd,
        )  # fmt: skip


def _begun(service: date, months: float) -> tuple[date, date, float]:
    return move(service, -whole_months(months)), service, months


def _openings(case: Case) -> Iterator[Due]:
    rules, fiber = case.scenario.candidates, case.scenario.fiber
    for site, t in case.opened.items():
        if t == STANDING or site in case.leases:
            continue
        row, when, mw = case.sites[site], _start(case, t), _most_it_mw(case, site)
        works = rules.site_fixed_musd + (number(row["fixed_musd"]) or 0.0)
        if works:
            poi = _pois(case, site)
            yield Due("start_site_works", site, poi, "", when, case.tie_months, mw, works)
        km = number(row["fiber_km"]) or 0.0
        other = number(row.get("fiber_second_km")) if fiber.diverse else 0.0
        km += km if other is None else other
        if km:
            musd = km * fiber.musd_per_km
            yield Due("start_fiber", site, _pois(case, site), "", when, case.tie_months, mw, musd)
    for (level, region), t in case.entered.items():
        if t != STANDING:
            musd = sum(
                area.rule.entry_musd
                for area in case.areas
                if (area.rule.level, area.region_id) == (level, region)
            )
            item = f"{level} {region}"
            yield Due("enter_region", "", "", item, _start(case, t), case.tie_months, None, musd)


def _leases(case: Case) -> Iterator[Due]:
    for site, lease in case.leased.items():
        terms, begins = case.leases[site], date.fromisoformat(lease.since)
        months = 0.0
        if terms["kind"] == "powered_shell":
            months = case.scenario.leases.fit_out_months
            if case.scenario.halls != "none":
                musd = fit_out_musd(case, site)
                yield Due("start_fit_out", site, "", lease.hall, begins, months, lease.it_mw, musd)
        signed = Due("sign_lease", site, "", lease.hall, begins, months, lease.it_mw)
        reply = day(terms["reply_by"])
        if reply is not None and reply < signed.do_by:
            signed = Due("sign_lease", site, "", lease.hall, reply, 0, lease.it_mw)
        yield signed


def _ties(case: Case) -> Iterator[Due]:
    for tie, t in case.tied.items():
        if t == STANDING:
            continue
        site, poi, kv = tie
        mw = max(case.grid.get((tie, at), 0.0) for at in case.times)
        voltage = "" if kv is None else f"{kv:g} kV"
        when, months = _start(case, t), case.scenario.power.tie_months
        yield Due("start_tie", site, poi, voltage, when, months, mw, tie_musd(case, tie))


def _letters(case: Case) -> Iterator[Due]:
    for offer_id, mw in case.taken.items():
        offer = case.offers[offer_id]
        poi = offer["poi_id"]
        site, reply = _sites(case, poi), day(offer["reply_by"])
        active = headroom.first_active(case, offer)
        if reply is not None:
            yield Due("accept_letter", site, poi, offer_id, reply, 0, mw)
        elif offer["stage"] not in ("energised", "signed") and active is not None:
            when = _start(case, active)
            yield Due("accept_letter", site, poi, offer_id, when, case.tie_months, mw)
        security = (number(offer["security_kusd_per_mw"]) or 0.0) * mw / 1000
        if security:
            when = reply or case.scenario.as_of
            yield Due("post_security", site, poi, offer_id, when, 0, mw, security)
        upgrade = number(offer["upgrade_musd"]) or 0.0
        if upgrade and active is not None:
            when = _start(case, active)
            yield Due("pay_letter_upgrade", site, poi, offer_id, when, 0, mw, upgrade)


def _requests(case: Case) -> Iterator[Due]:
    lettered = {offer["poi_id"] for offer in case.offers.values()}
    pairs = sorted({(site, poi) for (site, poi, _), _ in case.grid if poi not in lettered})
    for site, poi in pairs:
        before = 0.0
        for t in case.times:
            mine = sum(
                mw for ((s, p, _), at), mw in case.grid.items() if (s, p, at) == (site, poi, t)
            )
            if mine - before > 1e-6:
                months = _wait_months(case, poi, case.poi_mw(poi, t))
                when = _start(case, t)
                yield Due("request_interconnection", site, poi, "", when, months, mine - before)
                before = mine


def _wait_months(case: Case, poi: str, mw: float) -> float:
    """Return the wait of the last of ``mw`` at a POI, never less than its tie takes."""
    power, row = case.scenario.power, case.pois[poi]
    if day(row["from_date"]) is not None:
        return case.tie_months
    share = 1 if case.scenario.connection_only else power.headroom_pct / 100
    mw = min(mw, (number(row["headroom_mw"]) or 0.0) * share)
    tiers = case.queue.get(poi) or [{"over_mw": 0.0, "years": power.wait_years}]
    wait = None
    for tier in tiers:  # smallest first
        if tier["over_mw"] < mw - 1e-6:
            wait = whole_months(12 * tier["years"])
    if wait is None:
        return case.tie_months
    slip = whole_months(12 * power.slip_years.get(power.headroom_stage, 0.0))
    return max(wait + slip, case.tie_months)


def _upgrades(case: Case) -> Iterator[Due]:
    step = case.scenario.power.upgrade_step
    for (poi, t), steps in case.steps.items():
        if step is not None and steps:
            mw, musd, when = steps * step.mw, steps * step.musd, _start(case, t)
            site = _sites(case, poi)
            yield Due("order_upgrade_step", site, poi, "", when, step.lead_months, mw, musd)
    for branch, t in case.line_upgrades.items():
        row = upgrades_on_offer(case)[branch]
        when = _start(case, t)
        yield Due("order_line_upgrade", "", "", branch, when, row.lead_months, row.mw, row.musd)


def _halls(case: Case) -> Iterator[Due]:
    if case.scenario.halls == "none":
        return
    for (site, hall, t), row in case.hall_rows.items():
        kind, when, poi = case.halls[hall], _start(case, t), _pois(case, site)
        each = kind.hall_it_mw
        musd = kind.capex_musd_per_mw * case.price(kind.price_year) * case.capex_factor(site)
        for action, count in (("start_halls", row.built), ("start_retrofit", row.converted_in)):
            if count:
                mw = count * each
                yield Due(action, site, poi, hall, when, kind.build_months, mw, mw * musd)


def _equipment(case: Case) -> Iterator[Due]:
    if not case.has_grid:
        return
    needs: dict[tuple[str, int], float] = defaultdict(float)
    works: dict[tuple[str, int], float] = {}
    if case.scenario.halls == "none":
        for site in case.active_sites:
            had = 0.0
            for t in case.times:
                mw = case.site_grid_mw(site, t) - case.existing_grid_mw(site)
                if mw - had > 1e-6:
                    needs[site, t] = mw - had
                    had = mw
    else:
        for (site, hall, t), row in case.hall_rows.items():
            if row.built:
                kind = case.halls[hall]
                needs[site, t] += row.built * kind.hall_it_mw * case.pue(site, hall, "peak")
                works[site, t] = max(works.get((site, t), 0.0), kind.build_months)
    leads = _equipment_months(case)
    for (site, t), mw in needs.items():
        poi, when = _pois(case, site), _start(case, t)
        if (site, t) in works:
            musd = mw * case.scenario.power.substation_musd_per_mw
            yield Due("start_substation", site, poi, "", when, works[site, t], mw, musd)
        for name, months in leads.items():
            yield Due("order_equipment", site, poi, name, when, months, mw)


def _equipment_months(case: Case) -> dict[str, float]:
    own = case.scenario.actions.equipment_months
    items = case.scenario.procurement.values()
    by_supply = [item for item in items if item.per == "grid_mw" and item.lead_months > 0]
    leads: dict[str, float] = {}
    for row in table("lead_times"):
        if row["id"] == "power_transformer" and not by_supply:
            leads[row["id"]] = row["lead_months"]
        if row["id"] == "hv_switchgear":
            leads[row["id"]] = row["lead_months"]
    for name, months in own.items():
        leads.pop(name, None)
        if months is not None:
            leads[name] = months
    return leads


def _bought(case: Case) -> dict[tuple[str, str, int], float]:
    bought: dict[tuple[str, str, int], float] = defaultdict(float)
    if case.scenario.hardware != "none":
        for (site, _, item, t), row in case.it_rows.items():
            if row.bought_mw > 0:
                bought[site, item, t] += row.bought_mw
    return bought


def _hardware(case: Case) -> Iterator[Due]:
    for (site, item, t), mw in _bought(case).items():
        kind = case.hardware[item]
        delay = max((rule.hardware_delay_months for rule in case.rules_on(site)), default=0.0)
        musd = mw * kind.capex_musd_per_mw * case.price(kind.price_year)
        months = kind.lead_months + delay
        yield Due("order_hardware", site, "", item, _start(case, t), months, mw, musd)
    battery = case.scenario.flexible.battery
    for (site, t), mw in case.batteries.items():
        if battery is not None and mw > 0:
            usd = battery.usd_per_kwh * battery.hours + battery.usd_per_kw
            musd = mw * usd / 1000 * case.price(battery.price_year)
            when, poi = _start(case, t), _pois(case, site)
            yield Due("order_battery", site, poi, "", when, battery.lead_months, mw, musd)


def _plants(case: Case) -> Iterator[Due]:
    blocks: dict[tuple[str, str, int], float] = defaultdict(float)
    for (site, option, t, _), count in case.stays.items():
        blocks[site, option, t] += count
    for (site, option, t), count in blocks.items():
        kind = case.options[option]
        mw = count * kind.block_mw
        musd = mw * onsite.capex_musd_per_mw(case, option)
        yield Due("order_onsite", site, "", option, _start(case, t), kind.lead_months, mw, musd)


def _supplies(case: Case) -> Iterator[Due]:
    regions: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for row in rows_of(case.candidates.site_regions):
        regions[row["site_id"]].add((row["level"], row["region_id"]))
    for name, item in case.scenario.procurement.items():
        if item.lead_months == 0 or item.per == "construction_it_mw":
            continue
        used: dict[tuple[str, int], float] = defaultdict(float)
        if item.per == "hardware_it_mw":
            for (site, hardware, t), mw in _bought(case).items():
                used[site, t] += mw if hardware == item.hardware else 0.0
        elif case.scenario.halls != "none":
            for (site, hall, t), row_of in case.hall_rows.items():
                kind = case.halls[hall]
                mw = (row_of.built + row_of.converted_in) * kind.hall_it_mw
                if item.per == "grid_mw":
                    mw = row_of.built * kind.hall_it_mw * case.pue(site, hall, "peak")
                if item.per == "liquid_it_mw":
                    mw *= kind.liquid_share
                used[site, t] += mw
        for (site, t), mw in used.items():
            inside = item.ids is None or any((item.level, i) in regions[site] for i in item.ids)
            if mw > 0 and inside:
                poi = _pois(case, site)
                when = _start(case, t)
                yield Due("order_supply", site, poi, name, when, item.lead_months, mw)
