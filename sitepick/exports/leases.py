"""Leased halls in the outputs: the sheet ``leases``, what each costs, and its break-even rent.

At that rent building would cost as much (docs/report.md, "Lease against build").
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sitepick.exports.sheet import Field, Row, Sheet, plain, point, records, with_keep
from sitepick.instance.leases import first_day, periods_of_term
from sitepick.instance.timeline import FOREVER, Timeline

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sitepick.candidates.types import Candidates
    from sitepick.exports.costs import SiteCosts
    from sitepick.exports.lookup import Lookup
    from sitepick.exports.rows import SiteRows
    from sitepick.run import Verdict
    from sitepick.solution import Solution

HOURS = 8760.0
OWN_BUILD = ("facility", "ties", "onsite", "land", "site", "fiber", "upgrades", "security", "entry",
             "battery", "energy", "demand_charge", "onsite_running", "om")  # fmt: skip
"""Cost terms of a place to put hardware; the hardware itself is the same in a leased hall."""


class LeaseTerms:
    """The offers of leased halls: rent and other costs per leased IT MW, by date."""

    def __init__(self, look: Lookup, candidates: Candidates) -> None:
        self.look, self.scenario = look, look.scenario
        self.time = Timeline.of(look.scenario)
        self.rows = {r["site_id"]: r for r in records(candidates.leases)}
        ready = zip(candidates.leases["site_id"], candidates.leases["ready_date"], strict=True)
        self.ready = {str(site): day for site, day in ready}

    def term_years(self, site: str) -> float:
        """Return the years of the term; inf where the offer may be kept."""
        row = self.rows[site]
        return FOREVER if row["renews"] else float(row["term_years"])

    def earliest(self, site: str) -> int:
        """Return the first period in which the lease can begin; T: never."""
        terms = {"ready_date": self.ready[site], "kind": self.rows[site]["kind"]}
        return self.time.first_from(first_day(self.scenario, terms))

    def covered(self, site: str, start: int) -> range:
        """Return the periods that a lease from ``start`` covers whole."""
        return range(
            start, min(self.time.n, start + periods_of_term(self.time, self.term_years(site)))
        )

    def years_paid(self, site: str, start: int, t: int) -> float:
        """Return the years of period ``t`` for which rent is paid."""
        age = (self.time.months[t] - self.time.months[start]) / 12
        left = min(float(self.time.dt[t]), self.term_years(site) - age)
        return max(0.0, left) if t >= start else 0.0

    def first_rent(self, site: str) -> float:
        """Return the rent of the first year, USD per kW and month of the scenario's price year."""
        row, money = self.rows[site], self.scenario.money
        years = money.price_year - row["price_year"]
        return float(row["usd_per_kw_month"] * (1 + money.inflation_pct / 100) ** years)

    def step(self, site: str, start: int, t: int) -> float:
        """Return the real rent of period ``t`` over that of the first year."""
        rise = self.rows[site]["escalation_pct"]
        if rise is None:
            return 1.0
        gone = math.floor((self.time.months[t] - self.time.months[start]) / 12 + 1e-9)
        yearly = (1 + rise / 100) / (1 + self.scenario.money.inflation_pct / 100)
        return float(yearly**gone)

    def rent_musd(self, site: str, start: int, t: int) -> float:
        """Return the rent of period ``t``, MUSD a year per leased IT MW."""
        share = self.years_paid(site, start, t) / float(self.time.dt[t])
        return share * self.first_rent(site) * self.step(site, start, t) * 12 / 1000

    def shell(self, site: str) -> bool:
        """Return whether the tenant fits the hall out and operates it."""
        return bool(self.rows[site]["kind"] == "powered_shell")

    def fit_out_musd(self, site: str) -> float:
        """Return the overnight cost of the tenant's fit-out, MUSD per leased IT MW."""
        hall = self.look.halls.get(self.rows[site]["hall"])
        if hall is None or not self.shell(site):
            return 0.0
        per_mw = hall.capex_musd_per_mw * self.look.price(hall) * self.look.capex_factor(site)
        return per_mw * self.scenario.leases.fit_out_pct / 100

    def fit_out_life(self, site: str) -> float:
        """Return the years over which the fit-out is written off: at most the term."""
        hall = self.look.halls.get(self.rows[site]["hall"])
        return min(self.term_years(site), hall.life_years if hall else 1.0)

    def om_musd(self, site: str, start: int, t: int) -> float:
        """Return the tenant's own operation in period ``t``, MUSD a year per leased IT MW."""
        hall = self.look.halls.get(self.rows[site]["hall"])
        if hall is None or not self.shell(site):
            return 0.0
        share = self.years_paid(site, start, t) / float(self.time.dt[t])
        return share * hall.om_musd_per_mw_year * self.look.price(hall)

    def energy_musd(self, site: str) -> float:
        """Return the energy that the rent leaves out, MUSD a year per IT MW in use."""
        row, power = self.rows[site], self.scenario.power
        if row["power_included"] or power.model == "none":
            return 0.0
        mwh = power.load_factor_pct / 100 * self.look.pue(row["hall"], site, peak=False) * HOURS
        return float(mwh * row["energy_usd_per_mwh"] / 1e6)


def charge(
    terms: LeaseTerms,
    solution: Solution,
    spend: Callable[[str, int, str, float, float, float], None],
    pay: Callable[[str, int, str, float], None],
    out: SiteCosts,
) -> None:
    """Charge rent, fit-out, operation and energy of leased halls, and count their carbon.

    ``spend(site, period, term, musd, life, lead)`` and ``pay(site, period, term, musd_per_year)``.
    """
    at = {name: t for t, name in enumerate(solution.periods)}
    for row in solution.leases:
        site, start = row.site_id, at[row.since]
        musd = row.it_mw * terms.fit_out_musd(site)
        lead = terms.scenario.leases.fit_out_months
        spend(site, start, "facility", musd, terms.fit_out_life(site), lead)
        for t in range(start, terms.time.n):
            pay(site, t, "rent", row.it_mw * terms.rent_musd(site, start, t))
            pay(site, t, "om", row.it_mw * terms.om_musd(site, start, t))
    if terms.scenario.power.model == "none":
        return
    for it in solution.it:
        if it.site_id in terms.rows:
            t = at[it.period]
            pay(it.site_id, t, "energy", it.it_mw * terms.energy_musd(it.site_id))
            share = terms.scenario.power.load_factor_pct / 100
            mean = share * it.it_mw * terms.look.pue(it.hall, it.site_id, peak=False)
            co2 = terms.rows[it.site_id]["co2_kg_per_mwh"]
            out.co2_kt[it.site_id, t] += mean * HOURS * co2 / 1e6


@dataclass(frozen=True)
class AgainstBuild:
    """An offer and the cheapest site that the plan builds; USD per IT kW and month, fully used.

    ``own_*`` and ``break_even`` are None where the plan builds nothing to compare with.
    """

    site_id: str
    taken: bool
    since: str  # begins then, in the plan or at the earliest
    rent: float  # of the first year, real
    lease: float  # rent, fit-out, operation and energy over the covered periods
    own_site: str | None
    own: float | None
    own_from: str | None
    break_even: float | None  # the rent at which the lease costs as much as `own`


def own_builds(made: SiteRows) -> list[tuple[float, str, str]]:
    """Return (MUSD per IT MW and year, site, first period with IT) of the sites that the plan
    builds, cheapest first: net present cost of the place over its discounted IT MW-years."""
    time, solution = Timeline.of(made.scenario), made.solution
    at = {name: t for t, name in enumerate(solution.periods)}
    years: dict[str, float] = {}
    first: dict[str, str] = {}
    upkeep: dict[str, float] = {}
    for row in solution.it:
        yearly = float(time.yearly[at[row.period]])
        years[row.site_id] = years.get(row.site_id, 0.0) + row.it_mw * yearly
        if row.it_mw > 0:
            first[row.site_id] = min(first.get(row.site_id, row.period), row.period)
        item = made.look.hardware.get(row.hardware)
        if item is not None:
            per_mw = item.capex_musd_per_mw * made.look.price(item) * item.maintenance_pct / 100
            cost = row.it_mw * per_mw * yearly
            upkeep[row.site_id] = upkeep.get(row.site_id, 0.0) + cost
    found = []
    for site, opened in made.opened.items():
        if opened is None or site in made.leases.rows or years.get(site, 0.0) <= 1e-9:
            continue
        cost = sum(made.costs.present_musd.get((site, term), 0.0) for term in OWN_BUILD)
        found.append(((cost - upkeep.get(site, 0.0)) / years[site], site, first[site]))
    return sorted(found)


def against_build(made: SiteRows) -> list[AgainstBuild]:
    """Return every offer that can begin within the horizon beside the cheapest own build."""
    from sitepick.exports.costs import usd_per_kw_month

    terms, time = made.leases, made.leases.time
    own = next(iter(own_builds(made)), None)
    taken = {row.site_id: row for row in made.solution.leases}
    at = {name: t for t, name in enumerate(made.solution.periods)}
    out = []
    for site in terms.rows:
        start = at[taken[site].since] if site in taken else terms.earliest(site)
        if start >= time.n or not terms.covered(site, start):
            continue
        years = sum(float(time.yearly[t]) for t in terms.covered(site, start))
        rest = terms.fit_out_musd(site) * float(
            time.purchase(terms.fit_out_life(site), terms.scenario.leases.fit_out_months)[start]
        )
        rest += years * terms.energy_musd(site)
        rent = unit = 0.0
        for t in range(start, time.n):
            yearly = float(time.yearly[t])
            rent += yearly * terms.rent_musd(site, start, t)
            rest += yearly * terms.om_musd(site, start, t)
            paid = terms.years_paid(site, start, t) / float(time.dt[t])
            unit += yearly * paid * terms.step(site, start, t)
        out.append(
            AgainstBuild(
                site, site in taken, made.solution.periods[start], terms.first_rent(site),
                usd_per_kw_month((rent + rest) / years),
                None if own is None else own[1],
                None if own is None else usd_per_kw_month(own[0]),
                None if own is None else own[2],
                None if own is None else usd_per_kw_month((own[0] * years - rest) / unit),
            )
        )  # fmt: skip
    return out


def leases_sheet(made: SiteRows, verdicts: Sequence[Verdict] = ()) -> Sheet:
    """Return the sheet ``leases``: every offer, what the plan takes, and its rent by period."""
    from sitepick.exports.costs import period_label

    money, solution = made.scenario.money.price_year, made.solution
    per_kw = f"USD (real, {money}) per IT kW and month"
    january = all(p[5:] == "01-01" for p in solution.periods)
    labels = {p: period_label(p, january) for p in solution.periods}
    fields = [
        Field("offer_id", "", "text", "id of the offer, which is its site_id too"),
        Field("name", "", "text", "name of the place"),
        Field("operator", "", "text", "who lets it"),
        Field("kind", "", "text", "powered_shell or colocation"),
        Field("lon", "degrees", "number", "longitude, WGS84"),
        Field("lat", "degrees", "number", "latitude, WGS84"),
        Field("status", "", "text", "taken, not taken or rejected"),
        Field("why", "", "text", "the verdict on it, or the tests it failed"),
        Field("leased_it_mw", "IT MW", "number", "leased by the plan; 0 if not taken"),
        Field("since", "date", "date", "first period of the lease; empty: not taken"),
        Field("until", "date", "date", "first period after its term; empty: past the horizon"),
        Field("it_mw_min", "IT MW", "number", "least that can be leased"),
        Field("it_mw_max", "IT MW", "number", "most that can be leased"),
        Field("ready_date", "date", "date", "when the hall is handed over"),
        Field("reply_by", "date", "date", "last day to answer"),
        Field("usd_per_kw_month", "USD per leased IT kW and month", "number",
              "rent asked, money of price_year"),
        Field("price_year", "year", "integer", "what the rent is money of"),
        Field("escalation_pct", "% per year", "number",
              "nominal rise a year; empty: the rent follows inflation"),
        Field("term_years", "years", "number", "term of the lease"),
        Field("renews", "", "boolean", "true: it may be kept on the same terms"),
        Field("power_included", "", "boolean", "true: energy is in the rent"),
        Field("energy_usd_per_mwh", "USD per MWh", "number", "energy price where it is not"),
        Field("hall", "", "text", "hall class that it counts as"),
        Field("kw_per_rack", "kW", "number", "most kW per rack; empty: no limit"),
        Field("liquid", "", "boolean", "true: hardware with liquid cooling fits"),
        *(Field(f"rent_musd_per_year_{n}", f"MUSD (real, {money}) per year", "number",
                f"rent in the period from {p}") for p, n in labels.items()),
        Field("real_rent_usd_per_kw_month", per_kw, "number", "rent of the first year"),
        Field("lease_usd_per_kw_month", per_kw, "number",
              "all costs of the place when fully used, hardware left out"),
        Field("own_site_id", "", "text", "cheapest site that the plan builds"),
        Field("own_usd_per_kw_month", per_kw, "number",
              "all costs of that place over its IT, hardware left out"),
        Field("own_from", "date", "date", "first period in which it has IT"),
        Field("break_even_usd_per_kw_month", per_kw, "number",
              "rent of the first year at which the lease costs as much as that site; an estimate"),
        Field("forced_cost_estimate_musd", "MUSD, net present", "number",
              "LP estimate of what forcing the offer in would cost"),
    ]  # fmt: skip
    taken = {row.site_id: row for row in solution.leases}
    at = {name: t for t, name in enumerate(solution.periods)}
    beside = {row.site_id: row for row in against_build(made)}
    of = {v.site_id: v for v in verdicts}
    rows: list[Row] = []
    for site, terms in made.leases.rows.items():
        place, lease, verdict = made.look.sites[site], taken.get(site), of.get(site)
        row: Row = {f.name: terms.get(f.name) for f in fields} | {"offer_id": site}
        row |= {k: place[k] for k in ("name", "lon", "lat")}
        rejected = place["status"] == "rejected"
        row["status"] = "taken" if lease else "rejected" if rejected else "not taken"
        row["why"] = None if verdict is None else verdict.why
        row["leased_it_mw"] = 0.0 if lease is None else plain(lease.it_mw)
        row["since"] = None if lease is None else lease.since
        row["until"] = None if lease is None else lease.until
        for p, n in labels.items():
            musd = 0.0
            if lease is not None and at[p] >= at[lease.since]:
                musd = lease.it_mw * made.leases.rent_musd(site, at[lease.since], at[p])
            row[f"rent_musd_per_year_{n}"] = plain(musd)
        row["real_rent_usd_per_kw_month"] = plain(made.leases.first_rent(site))
        near = beside.get(site)
        row["lease_usd_per_kw_month"] = None if near is None else plain(near.lease)
        row["own_site_id"] = None if near is None else near.own_site
        row["own_usd_per_kw_month"] = None if near is None else plain(near.own)
        row["own_from"] = None if near is None else near.own_from
        row["break_even_usd_per_kw_month"] = None if near is None else plain(near.break_even)
        row["forced_cost_estimate_musd"] = None if verdict is None else plain(verdict.estimate_musd)
        rows.append(row)
    source = {s: made.look.sites[s] for s in made.leases.rows}
    done, rows = with_keep(fields, rows, source, made.candidates.sites.columns, "offer_id")
    meaning = "offers of leased halls: terms, what the plan takes, rent by period"
    return Sheet("leases", meaning, done, rows, [point(r) for r in rows], "Point")
