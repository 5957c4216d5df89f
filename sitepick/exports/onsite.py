"""On-site power in the outputs: the sheet ``onsite``, and what each site pays for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from sitepick.exports.sheet import Field, Row, Sheet, plain, point, records
from sitepick.instance.timeline import FOREVER, Timeline
from sitepick.scenario.power_options import power_options

if TYPE_CHECKING:
    from sitepick.candidates.types import Candidates
    from sitepick.exports.costs import SiteCosts
    from sitepick.exports.lookup import Lookup
    from sitepick.scenario.schema import Scenario
    from sitepick.solution import Solution

HOURS = 8760.0


def onsite_sheet(scenario: Scenario, solution: Solution, sites: Mapping[str, Row]) -> Sheet:
    """Return the sheet ``onsite``: on-site power by site, option and period."""
    fields = (
        Field("site_id", "", "text", "id of the site"),
        Field("option", "", "text", "on-site power option"),
        Field("role", "", "text", "prime: for good; bridge: until grid MW come, then backup"),
        Field("period", "date", "date", "first day of the period"),
        Field("blocks", "blocks", "number", "standing (not whole where blocks are 1 MW or less)"),
        Field("onsite_mw", "MW", "number", "MW of these blocks"),
        Field("onsite_firm_mw", "MW", "number", "counted on the design day"),
        Field("onsite_mean_mw", "mean MW", "number", "annual mean power served on site"),
        Field("built_blocks", "blocks", "number", "energised at the period's start"),
        Field("retired_blocks", "blocks", "number", "gone at the period's start: sold, given back "
              "or at the end of their life"),
        Field("co2_kt_per_year", "kt CO2 per year", "number", "direct, of what is served on site"),
    )  # fmt: skip
    kinds = {option.id: option for option in power_options(scenario)}
    rows: list[Row] = []
    for r in sorted(solution.onsite, key=lambda r: (r.site_id, r.option, r.period)):
        kt = r.mean_mw * 8760 * kinds[r.option].direct_co2_kg_per_mwh / 1e6
        cells = (
            r.site_id, r.option, kinds[r.option].role, r.period, r.blocks, r.mw, r.firm_mw,
            r.mean_mw, r.built, r.retired, kt,
        )  # fmt: skip
        rows.append({f.name: plain(cell) for f, cell in zip(fields, cells, strict=True)})
    return Sheet(
        "onsite", "on-site power by site, option and period", fields, rows,
        [point(sites[r["site_id"]]) for r in rows], "Point",
    )  # fmt: skip


def charge(
    look: Lookup,
    candidates: Candidates,
    solution: Solution,
    spend: Callable[[str, int, str, float, float, float], None],
    pay: Callable[[str, int, str, float], None],
    out: SiteCosts,
) -> None:
    """Charge blocks less what they give back, fuel, O&M and rent; count carbon and energy.

    ``spend(site, period, term, musd, life, lead)`` and ``pay(site, period, term, musd_per_year)``.
    What is served on site is taken off ``out.drawn_mw``.
    """
    time = Timeline.of(look.scenario)
    at = {name: t for t, name in enumerate(solution.periods)}
    kinds = {o.id: o for o in power_options(look.scenario)}
    sized = {r["option_id"]: r for r in records(candidates.onsite_sized)}
    gas = {
        (r["site_id"], r["option_id"]): r["gas_usd_per_mmbtu"] for r in records(candidates.onsite)
    }
    for stay in solution.stays:
        kind, site, t = kinds[stay.option], stay.site_id, at[stay.since]
        of, mw = sized.get(stay.option, {}), stay.blocks * kind.block_mw
        usd_per_kw = of.get("capex_usd_per_kw", kind.capex_usd_per_kw) or 0.0
        musd = mw * usd_per_kw / 1000 * look.price(kind)
        spend(site, t, "onsite", musd, kind.life_years, kind.lead_months)
        if stay.until is not None:
            left = time.remaining(kind.life_years, kind.lead_months)
            back = musd * kind.salvage_pct / 100 * float(left[t, at[stay.until]])
            out.present_musd[site, "onsite"] -= back
        if look.sites[site]["land_musd"] is None:
            ha = mw * of.get("ha_per_mw", kind.ha_per_mw)
            land = ha * look.scenario.candidates.land_musd_per_ha
            spend(site, t, "land", land, FOREVER, kind.lead_months)
    for row in solution.onsite:
        kind, t = kinds[row.option], at[row.period]
        price, mwh = look.price(kind), row.mean_mw * HOURS
        usd = mwh * price * (kind.energy_usd_per_mwh + kind.variable_om_usd_per_mwh)
        burnt = mwh * (kind.heat_rate_mmbtu_per_mwh or 0.0)
        usd += burnt * (gas.get((row.site_id, row.option)) or 0.0)
        held = kind.fixed_om_usd_per_kw_year + 12 * kind.rent_usd_per_kw_month
        usd += row.mw * 1000 * price * held
        pay(row.site_id, t, "onsite_running", usd / 1e6)
        out.co2_kt[row.site_id, t] += mwh * kind.direct_co2_kg_per_mwh / 1e6
        out.drawn_mw[row.site_id, t] -= row.mean_mw
