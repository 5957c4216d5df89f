"""Net present cost, term by term, from the decisions alone."""

from __future__ import annotations

from collections.abc import Iterator

from sitepick.checks import fiber_prices, flexible, headroom, leases, onsite
from sitepick.checks.case import ANYWHERE, Case, Row, is_number, number
from sitepick.checks.power import draws, energy_mwh
from sitepick.checks.purchases import purchases, securities
from sitepick.checks.tolerance import RELATIVE, more
from sitepick.finding import Finding

TERMS = (
    "facility", "it", "ties", "onsite", "land", "site", "fiber", "upgrades", "security", "entry",
    "energy", "demand_charge", "onsite_running", "rent", "om", "transport", "battery", "curtailed",
    "penalty",
)  # fmt: skip


def check(case: Case) -> Iterator[Finding]:
    """Yield a finding for each term of the net present cost that the decisions do not give."""
    given = case.solution.npc_musd
    for name in sorted(set(given) - set(TERMS)):
        yield Finding("costs.unknown", name, abs(given[name]), "MUSD", "there is no such cost term")
    found = terms(case)
    slack = RELATIVE * max(1e-3, abs(sum(found.values())))
    for name in TERMS:
        low = high = found[name]
        if name == "energy" and _carbon_is_limited(case):
            # the model may split energy less cheaply to keep a carbon limit
            high = max(low, energy(case, by="co2_kg_per_mwh"))
        stated = given.get(name, 0.0)
        if not is_number(stated):
            message = f"the plan states {stated} MUSD, which is not a finite number"
            yield Finding(f"costs.{name}", "the plan", abs(low), "MUSD", message)
            continue
        apart = more(low, stated, slack) or more(stated, high, slack)
        if apart:
            message = f"the plan states {stated:,.9g} MUSD, its decisions cost {low:,.9g}"
            yield Finding(f"costs.{name}", "the plan", apart, "MUSD", message)


def terms(case: Case) -> dict[str, float]:
    """Return every term of the net present cost, MUSD."""
    found = dict.fromkeys(TERMS, 0.0)
    calendar = case.calendar
    for bought in purchases(case):
        found[bought.category] += calendar.present_cost(
            bought.musd, bought.start, bought.life_years, bought.lead_months
        )
    for musd, _ in securities(case):
        found["security"] += calendar.present_cost(musd, 0, None, 0)
    found["onsite"] -= onsite.salvaged(case)
    found["energy"] = energy(case)
    for t in case.times:
        found["demand_charge"] += calendar.yearly(t, demand_charge(case, t))
        found["onsite_running"] += calendar.yearly(t, onsite.running(case, t))
        found["rent"] += calendar.yearly(t, leases.rent(case, t))
        found["om"] += calendar.yearly(t, operations(case, t) + leases.operations(case, t))
        found["om"] += calendar.yearly(t, fiber_prices.maintenance(case, t))
        found["transport"] += calendar.yearly(t, transport(case, t) + fiber_prices.rents(case, t))
        found["curtailed"] += calendar.yearly(t, flexible.lost_musd(case, t))
        found["penalty"] += calendar.yearly(t, penalty(case, t))
    return found


def energy(case: Case, by: str = "energy_usd_per_mwh") -> float:
    """Return the present cost of energy, MUSD, drawn through the ties in the order of ``by``."""
    total = 0.0
    for t in case.times:
        usd = 0.0
        for site in case.active_sites:
            for draw in draws(case, site, t, by):
                usd += energy_mwh(draw) * float(case.pois[draw.poi]["energy_usd_per_mwh"])
        usd += leases.energy_usd(case, t)
        total += case.calendar.yearly(t, usd / 1e6)
    return total


def _carbon_is_limited(case: Case) -> bool:
    by_region = (rule.max_co2_kt_per_year for rule in case.scenario.regions.rules)
    return any(cap is not None for cap in (case.scenario.limits.co2_kt_per_year_max, *by_region))


def demand_charge(case: Case, t: int) -> float:
    """Return the demand charges of a period, MUSD a year: 12 months of contracted or minimum MW."""
    if not case.has_grid:
        return 0.0
    least: dict[str, float] = {}
    for offer_id, mw in case.taken.items():
        offer: Row = case.offers[offer_id]
        there = headroom.offer_share(case, offer, t)
        if there:
            share = (number(offer["min_take_pct"]) or 0.0) / 100
            least[offer["poi_id"]] = least.get(offer["poi_id"], 0.0) + share * mw * there
    total = 0.0
    for poi in {*least, *(poi for (_, poi, _), at in case.grid if at == t)}:
        billed_mw = max(case.poi_mw(poi, t), least.get(poi, 0.0))
        usd_per_mw_month = float(case.pois[poi]["demand_usd_per_kw_month"]) * 1000
        total += billed_mw * usd_per_mw_month * 12 / 1e6
    return total


def operations(case: Case, t: int) -> float:
    """Return operation and maintenance of a period, MUSD a year."""
    total = 0.0
    for (_, hall, at), row in case.hall_rows.items():
        if at == t:
            kind = case.halls[hall]
            per_mw = kind.om_musd_per_mw_year * case.price(kind.price_year)
            total += row.halls * kind.hall_it_mw * per_mw
    for (_, _, name, at), it_row in case.it_rows.items():
        if at == t:
            item = case.hardware[name]
            capex = item.capex_musd_per_mw * case.price(item.price_year)
            total += it_row.it_mw * capex * item.maintenance_pct / 100
    for site in case.opened:
        if case.is_open(site, t) and site not in case.leases:
            total += case.scenario.candidates.site_om_musd_per_year
    return total


def transport(case: Case, t: int) -> float:
    """Return the cost of carrying work to its places, MUSD a year: measured, else by distance."""
    per_km = case.scenario.demand.transport_usd_per_mw_km_year
    total = 0.0
    for (site, _, place, at), mw in case.served.items():
        if at != t or place == ANYWHERE:
            continue
        row = case.reach.get((site, place), {})
        measured = number(row.get("musd_per_mw_year"))
        if measured is None:
            measured = (number(row.get("km")) or 0.0) * per_km / 1e6
        total += mw * measured
    return total


def penalty(case: Case, t: int) -> float:
    """Return the price of work turned away in a period, MUSD a year."""
    return sum(
        mw * case.workloads[workload].shortfall_musd_per_mw_year
        for (workload, _, at), mw in case.short.items()
        if at == t
    )
