"""Limits of the whole plan: net present cost, carbon, water, least IT MW and least work."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sitepick.checks import costs, leases
from sitepick.checks.case import Case, standing
from sitepick.checks.power import draws, energy_mwh
from sitepick.checks.tolerance import more, share_of
from sitepick.finding import Finding


def check(case: Case) -> Iterator[Finding]:
    """Yield the breaches of the `limits.*` rows."""
    limits = case.scenario.limits
    most = limits.net_present_cost_musd_max
    if most is not None:
        cost = sum(musd for term, musd in costs.terms(case).items() if term != "penalty")
        over = more(cost, most, share_of(most))
        if over:
            message = f"the net present cost is {cost:,.6g} MUSD, {most:,.6g} is the most"
            yield Finding("limits.cost", "the plan", over, "MUSD", message)
    for t in case.times:
        cap = limits.co2_kt_per_year_max
        if cap is not None:
            kt = co2_kt_per_year(case, case.active_sites, t)
            over = more(kt, cap, share_of(cap))
            if over:
                message = f"the plan causes {kt:,.6g} kt CO2 a year, {cap:,.6g} is the most"
                yield Finding("limits.co2", case.when(t), over, "kt/year", message)
        cap = limits.water_ml_per_year_max
        if cap is not None:
            ml = water_ml_per_year(case, case.active_sites, t)
            over = more(ml, cap, share_of(cap))
            if over:
                message = f"the plan uses {ml:,.6g} million litres a year, {cap:,.6g} is the most"
                yield Finding("limits.water", case.when(t), over, "Ml/year", message)
        least = standing(limits.it_mw_min or {}, case.calendar.starts[t]) or 0.0
        it_mw = case.it_mw(case.active_sites, t)
        under = more(least, it_mw, share_of(least))
        if under:
            message = f"the plan has {it_mw:,.6g} IT MW, {least:,.6g} is the least"
            yield Finding("limits.it", case.when(t), under, "IT MW", message)
        least = standing(limits.served_ref_mw_min or {}, case.calendar.starts[t]) or 0.0
        done = sum(mw for (*_, at), mw in case.served.items() if at == t)
        under = more(least, done, share_of(least))
        if under:
            message = f"the plan serves {done:,.6g} ref_mw, {least:,.6g} is the least"
            yield Finding("limits.served", case.when(t), under, "ref_mw", message)


def co2_kt_per_year(case: Case, sites: Iterable[str], t: int) -> float:
    """Return the carbon of the sites' energy, kt a year; grid energy is drawn as cleanly as can be.

    MWh times kg per MWh are kg; a million kg are a kt.
    """
    kg, sites = 0.0, set(sites)
    for site in sites:
        for draw in draws(case, site, t, by="co2_kg_per_mwh"):
            kg += energy_mwh(draw) * float(case.pois[draw.poi]["co2_kg_per_mwh"])
        kg += leases.co2_kg(case, site, t)
    for (site, option, at), made in case.onsite.items():
        if at == t and site in sites:
            kg += made.mean_mw * 8760 * case.options[option].direct_co2_kg_per_mwh
    return kg / 1e6


def water_ml_per_year(case: Case, sites: Iterable[str], t: int) -> float:
    """Return on-site water of the sites, million litres a year: litres per IT kWh of mean IT MW."""
    litres = 0.0
    for site in sites:
        for (hall, _), mw in case.it_at(site, t).items():
            kwh = case.load_factor * mw * 8760 * 1000
            litres += kwh * case.halls[hall].wue_l_per_kwh
    return litres / 1e6
