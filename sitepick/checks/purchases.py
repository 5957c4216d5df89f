"""Everything the plan buys: overnight cost, when energised, life and lead time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sitepick.checks import fiber_prices, headroom, onsite
from sitepick.checks.case import STANDING, Case, TieKey, day, number
from sitepick.checks.states import upgrades_on_offer


@dataclass(frozen=True)
class Purchase:
    """One purchase. ``life_years`` None: it never wears out."""

    category: str
    musd: float
    start: int  # period in which it is energised
    life_years: float | None
    lead_months: float


def purchases(case: Case) -> Iterator[Purchase]:
    """Yield every purchase of the plan but securities, which are carried and not bought."""
    for bought in (
        _sites,
        _ties,
        _onsite,
        _halls,
        _fit_outs,
        _hardware,
        _upgrades,
        _line_upgrades,
        _entries,
        _batteries,
        _fiber,
    ):
        yield from (purchase for purchase in bought(case) if purchase.musd)


def securities(case: Case) -> Iterator[tuple[float, int]]:
    """Yield (MUSD, calendar year of payment) of securities for MW taken from offers."""
    for offer_id, mw in case.taken.items():
        offer = case.offers[offer_id]
        musd = (number(offer["security_kusd_per_mw"]) or 0.0) * mw / 1000
        paid = day(offer["reply_by"]) or case.scenario.as_of
        yield musd, case.calendar.pay_year(paid.year)


def _sites(case: Case) -> Iterator[Purchase]:
    rules, fiber, lead = case.scenario.candidates, case.scenario.fiber, case.tie_months
    for site, t in case.opened.items():
        if t == STANDING or site in case.leases:
            continue
        row = case.sites[site]
        asked = number(row["land_musd"])
        if asked:
            yield Purchase("land", asked, t, None, lead)
        works = rules.site_fixed_musd + (number(row["fixed_musd"]) or 0.0)
        yield Purchase("site", works, t, rules.site_life_years, lead)
        route = number(row["fiber_km"]) or 0.0
        if fiber.diverse:  # a second lateral of its own length, where one is known
            second = number(row.get("fiber_second_km"))
            route += route if second is None else second
        yield Purchase("fiber", route * fiber.musd_per_km, t, fiber.life_years, lead)


def _ties(case: Case) -> Iterator[Purchase]:
    power = case.scenario.power
    for tie, t in case.tied.items():
        if t != STANDING:
            musd = tie_musd(case, tie)
            yield Purchase("ties", musd, t, power.tie_life_years, power.tie_months)


def tie_musd(case: Case, tie: TieKey) -> float:
    """Return the cost of a tie: km at the nearest kV class, and the switching station."""
    row, power = case.ties[tie], case.scenario.power
    by_kv = power.tie_musd_per_km
    kv = number(row["kv"])
    nearest = min(by_kv) if kv is None else min(by_kv, key=lambda c: (abs(c - kv), c))
    return (number(row["km"]) or 0.0) * by_kv[nearest] + power.tie_fixed_musd


def _onsite(case: Case) -> Iterator[Purchase]:
    for (site, option, t, _), blocks in case.stays.items():
        kind = case.options[option]
        mw = blocks * kind.block_mw
        musd = mw * onsite.capex_musd_per_mw(case, option)
        yield Purchase("onsite", musd, t, kind.life_years, kind.lead_months)
        if number(case.sites[site]["land_musd"]) is None:
            ha = mw * onsite.ha_per_mw(case, option)
            price = case.scenario.candidates.land_musd_per_ha
            yield Purchase("land", ha * price, t, None, kind.lead_months)


def _halls(case: Case) -> Iterator[Purchase]:
    power = case.scenario.power
    for (site, hall, t), row in case.hall_rows.items():
        kind = case.halls[hall]
        lead = kind.build_months
        built_mw = row.built * kind.hall_it_mw
        new_mw = built_mw + row.converted_in * kind.hall_it_mw
        per_mw = kind.capex_musd_per_mw * case.price(kind.price_year) * case.capex_factor(site)
        yield Purchase("facility", new_mw * per_mw, t, kind.life_years, lead)
        if case.has_grid:
            station = built_mw * case.pue(site, hall, "peak") * power.substation_musd_per_mw
            yield Purchase("ties", station, t, power.tie_life_years, lead)
        if number(case.sites[site]["land_musd"]) is None:
            used_ha = built_mw * kind.ha_per_mw
            price = case.scenario.candidates.land_musd_per_ha
            yield Purchase("land", used_ha * price, t, None, lead)


def _fit_outs(case: Case) -> Iterator[Purchase]:
    rules = case.scenario.leases
    for site, row in case.leased.items():
        terms = case.leases[site]
        life = case.halls[terms["hall"]].life_years
        if not terms["renews"]:  # it is worth nothing after the term
            life = min(life, terms["term_years"])
        start = case.calendar.periods.index(row.since)
        yield Purchase("facility", fit_out_musd(case, site), start, life, rules.fit_out_months)


def fit_out_musd(case: Case, site: str) -> float:
    """Return what the tenant of a leased shell builds, MUSD; nothing in colocation."""
    terms = case.leases[site]
    if terms["kind"] != "powered_shell":
        return 0.0
    kind = case.halls[terms["hall"]]
    per_mw = kind.capex_musd_per_mw * case.price(kind.price_year) * case.capex_factor(site)
    return case.leased[site].it_mw * per_mw * case.scenario.leases.fit_out_pct / 100


def _hardware(case: Case) -> Iterator[Purchase]:
    for (_, _, kind, t), row in case.it_rows.items():
        item = case.hardware[kind]
        musd = row.bought_mw * item.capex_musd_per_mw * case.price(item.price_year)
        yield Purchase("it", musd, t, item.life_years, item.lead_months)


def _upgrades(case: Case) -> Iterator[Purchase]:
    life = case.scenario.power.tie_life_years
    for offer_id in case.taken:
        offer = case.offers[offer_id]
        start = headroom.first_active(case, offer)
        if start is not None:
            yield Purchase("upgrades", number(offer["upgrade_musd"]) or 0.0, start, life, 0)
    step = case.scenario.power.upgrade_step
    if step is not None:
        for (_, t), steps in case.steps.items():
            yield Purchase("upgrades", steps * step.musd, t, life, step.lead_months)


def _batteries(case: Case) -> Iterator[Purchase]:
    battery = case.scenario.flexible.battery
    if battery is None:
        return
    usd_per_kw = battery.usd_per_kwh * battery.hours + battery.usd_per_kw
    musd_per_mw = usd_per_kw * 1000 / 1e6 * case.price(battery.price_year)
    for (_, t), mw in case.batteries.items():
        yield Purchase("battery", mw * musd_per_mw, t, battery.life_years, battery.lead_months)


def _fiber(case: Case) -> Iterator[Purchase]:
    edges, rules = fiber_prices.edges_of(case), case.scenario.fiber.capacity
    at = {p: t for t, p in enumerate(case.calendar.periods)}
    for row in case.solution.pairs:
        edge = edges[row.edge]
        lead = 0.0 if edge.new or rules.pair is None else rules.pair.lead_months
        musd = row.pairs * fiber_prices.pair_musd(case, edge)
        yield Purchase("fiber", musd, at[row.period], fiber_prices.term_years(case), lead)
    for light in case.solution.light:
        kind, _ = fiber_prices.optics(case, edges[light.edge])
        musd = light.tbps * fiber_prices.light_musd(case, edges[light.edge])
        yield Purchase("fiber", musd, at[light.period], kind.life_years, kind.lead_months)
    for build in case.solution.builds if rules.build else ():
        assert rules.build is not None
        musd = fiber_prices.build_musd(case, edges[build.edge])
        lead = rules.build.lead_months
        yield Purchase("fiber", musd, at[build.period], rules.build.life_years, lead)


def _line_upgrades(case: Case) -> Iterator[Purchase]:
    life = case.scenario.power.tie_life_years
    on_offer = upgrades_on_offer(case)
    for branch, t in case.line_upgrades.items():
        if branch in on_offer:
            offered = on_offer[branch]
            yield Purchase("upgrades", offered.musd, t, life, offered.lead_months)


def _entries(case: Case) -> Iterator[Purchase]:
    life = case.scenario.candidates.site_life_years
    for area in case.areas:
        start = case.entered.get((area.rule.level, area.region_id), STANDING)
        if start != STANDING:
            yield Purchase("entry", area.rule.entry_musd, start, life, 0)
