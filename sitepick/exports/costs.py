"""What each site costs: overnight capital by period, yearly costs, and its part of the net cost.

Formulas are those of docs/model.md, "Money" and "Cost terms"; everything is worked out from the
scenario, the candidates and the decisions. Costs that belong to a POI or a region go to sites:
letters' upgrades, securities, upgrade steps and minimum takes by the grid MW contracted at the POI
at the horizon's end, line upgrades by the grid MW contracted anywhere, entry costs by IT MW in the
region at the horizon's end. What no site can carry (a POI or region without any) stays with ``""``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING, Any

from sitepick.exports import fiber_costs, leases, onsite
from sitepick.exports.flexible import FlexibleUse
from sitepick.exports.lookup import Lookup
from sitepick.exports.sheet import Row, records
from sitepick.exports.stages import offer_active, offer_share
from sitepick.instance.timeline import FOREVER, Timeline

if TYPE_CHECKING:
    from sitepick.candidates.types import Candidates
    from sitepick.scenario.grid import LineUpgrade
    from sitepick.scenario.schema import Scenario
    from sitepick.solution import Solution

HOURS = 8760.0


@dataclass
class SiteCosts:
    """Keys are (site_id, period index, term). ``""`` as site: what no site carries."""

    overnight_musd: dict[tuple[str, int, str], float] = field(
        default_factory=lambda: defaultdict(float)
    )
    yearly_musd: dict[tuple[str, int, str], float] = field(
        default_factory=lambda: defaultdict(float)
    )
    present_musd: dict[tuple[str, str], float] = field(default_factory=lambda: defaultdict(float))
    drawn_mw: dict[tuple[str, int], float] = field(default_factory=lambda: defaultdict(float))
    co2_kt: dict[tuple[str, int], float] = field(default_factory=lambda: defaultdict(float))
    water_ml: dict[tuple[str, int], float] = field(default_factory=lambda: defaultdict(float))

    def present_of(self, site: str) -> float:
        """Return the net present cost of a site, MUSD."""
        return sum(v for (s, _), v in self.present_musd.items() if s == site)


def site_costs(
    scenario: Scenario, candidates: Candidates, solution: Solution, look: Lookup | None = None
) -> SiteCosts:
    """Return what each site of the plan costs, MUSD (real, of the scenario's price year).

    ``look``: the `Lookup` of the same scenario and candidates, where it is known already.
    """
    return _Coster(scenario, candidates, solution, look).run()


class _Coster(Lookup):
    def __init__(
        self,
        scenario: Scenario,
        candidates: Candidates,
        solution: Solution,
        look: Lookup | None = None,
    ) -> None:
        super().__init__(scenario, candidates, look)
        self.candidates, self.solution = candidates, solution
        self.time = Timeline.of(scenario)
        self.at = {name: t for t, name in enumerate(solution.periods)}
        self.out = SiteCosts()
        self.flexible = FlexibleUse(scenario, candidates, solution)
        self.existing = {e.site_id: e for e in scenario.existing}

    def run(self) -> SiteCosts:
        """Return the costs of every site, term by term."""
        self._halls()
        self._hardware()
        self._openings()
        self._shared_capital()
        onsite.charge(self, self.candidates, self.solution, self._spend, self._pay, self.out)
        self._energy()
        leases.charge(
            leases.LeaseTerms(self, self.candidates),
            self.solution,
            self._spend,
            self._pay,
            self.out,
        )
        self._demand_charges()
        self._operations()
        self._transport()
        self._flexible()
        fiber_costs.charge(self.scenario, self.candidates, self.solution, self._spend, self._pay)
        return self.out

    def _flexible(self) -> None:
        """Batteries, and the price of work lost."""
        battery = self.scenario.flexible.battery
        for site, period, musd in self.flexible.bought():
            assert battery is not None
            life, lead = battery.life_years, battery.lead_months
            self._spend(site, self.at[period], "battery", musd, life, lead)
        for (site, period), musd in self.flexible.lost_musd().items():
            self._pay(site, self.at[period], "curtailed", musd)

    def _spend(
        self, site: str, t: int, term: str, musd: float, life: float, lead_months: float
    ) -> None:
        if musd == 0:
            return
        self.out.overnight_musd[site, t, term] += musd
        worth = self.time.purchase(life, lead_months)[t]
        self.out.present_musd[site, term] += musd * float(worth)

    def _pay(self, site: str, t: int, term: str, musd_per_year: float) -> None:
        if musd_per_year == 0:
            return
        self.out.yearly_musd[site, t, term] += musd_per_year
        self.out.present_musd[site, term] += musd_per_year * float(self.time.yearly[t])

    @property
    def _lead(self) -> float:
        power = self.scenario.power
        return power.tie_months if power.model == "grid" else 0.0

    def _halls(self) -> None:
        power, rules = self.scenario.power, self.scenario.candidates
        for row in self.solution.halls:
            hall = self.halls.get(row.hall)
            if hall is None or not (row.built or row.converted_in):
                continue
            site, t = row.site_id, self.at[row.period]
            per_hall = hall.hall_it_mw * hall.capex_musd_per_mw * self.price(hall)
            musd = (row.built + row.converted_in) * per_hall * self.capex_factor(site)
            self._spend(site, t, "facility", musd, hall.life_years, hall.build_months)
            built_mw = row.built * hall.hall_it_mw
            grid_mw = built_mw * self.pue(row.hall, site, peak=True)
            if power.model == "grid":
                musd = grid_mw * power.substation_musd_per_mw
                self._spend(site, t, "ties", musd, power.tie_life_years, hall.build_months)
            if self.sites[site]["land_musd"] is None:
                musd = built_mw * hall.ha_per_mw * rules.land_musd_per_ha
                self._spend(site, t, "land", musd, FOREVER, hall.build_months)

    def _hardware(self) -> None:
        for row in self.solution.it:
            item = self.hardware.get(row.hardware)
            if item is not None and row.bought_mw:
                musd = row.bought_mw * item.capex_musd_per_mw * self.price(item)
                t = self.at[row.period]
                self._spend(row.site_id, t, "it", musd, item.life_years, item.lead_months)

    def _openings(self) -> None:
        rules, fiber, power = self.scenario.candidates, self.scenario.fiber, self.scenario.power
        for site in self.solution.sites:
            if site.opened is None or site.site_id in self.leases:
                continue
            row, t = self.sites[site.site_id], self.at[site.opened]
            self._spend(site.site_id, t, "land", row["land_musd"] or 0.0, FOREVER, self._lead)
            fixed = rules.site_fixed_musd + (row["fixed_musd"] or 0.0)
            self._spend(site.site_id, t, "site", fixed, rules.site_life_years, self._lead)
            km = row["fiber_km"] or 0.0
            other = row.get("fiber_second_km")
            second = 0.0 if not fiber.diverse else km if other is None else other
            musd = (km + second) * fiber.musd_per_km
            self._spend(site.site_id, t, "fiber", musd, fiber.life_years, self._lead)
        for tie in self.solution.ties:
            if tie.since is not None:
                musd = self.tie_musd(tie)
                t = self.at[tie.since]
                self._spend(tie.site_id, t, "ties", musd, power.tie_life_years, power.tie_months)

    @cached_property
    def _poi_share(self) -> dict[str, list[tuple[str, float]]]:
        """Shares of a POI's costs by site: by MW in the last period with any, else by ties."""
        mw: dict[str, dict[int, dict[str, float]]] = defaultdict(lambda: defaultdict(dict))
        for row in self.solution.grid:  # a site may use several voltages of the POI
            here = mw[row.poi_id][self.at[row.period]]
            here[row.site_id] = here.get(row.site_id, 0.0) + row.grid_mw
        out = {poi: _shares(by_period[max(by_period)].items()) for poi, by_period in mw.items()}
        for tie in self.solution.ties:
            out.setdefault(tie.poi_id, [(tie.site_id, 1.0)])
        return out

    @cached_property
    def _grid_share(self) -> list[tuple[str, float]]:
        """Shares of all sites in what the grid carries: by MW in the last period with any."""
        last = max((row.period for row in self.solution.grid), default="")
        mw: dict[str, float] = defaultdict(float)
        for row in self.solution.grid:
            if row.period == last:
                mw[row.site_id] += row.grid_mw
        return _shares(mw.items()) if mw else [("", 1.0)]

    @cached_property
    def _line_offers(self) -> dict[str, LineUpgrade]:
        grid = self.scenario.grid
        return {} if grid is None else {u.branch_id: u for u in grid.upgrades}

    def _shared_capital(self) -> None:
        power, sol = self.scenario.power, self.solution
        horizon = float(self.time.yearly.sum())
        for take in sol.offers:
            offer = self.offers[take.offer_id]
            active = (t for t in range(self.time.n) if self._active(offer, t))
            first = next(active, 0)
            security = offer["security_kusd_per_mw"] * take.grid_mw / 1000
            for site, share in self._poi_share.get(take.poi_id, [("", 1.0)]):
                upgrade = share * offer["upgrade_musd"] if take.grid_mw > 0 else 0.0
                self._spend(site, first, "upgrades", upgrade, power.tie_life_years, 0)
                if security:
                    self.out.overnight_musd[site, first, "security"] += share * security
                    carried = share * security * self.time.rate * horizon
                    self.out.present_musd[site, "security"] += carried
        step = power.upgrade_step
        for row in sol.upgrades:
            assert step is not None, "upgrade steps were bought, but the scenario has none"
            for site, share in self._poi_share.get(row.poi_id, [("", 1.0)]):
                musd = share * row.steps * step.musd
                t = self.at[row.period]
                self._spend(site, t, "upgrades", musd, power.tie_life_years, step.lead_months)
        for bought in sol.line_upgrades:
            offered = self._line_offers[bought.branch_id]
            t, lead = self.at[bought.period], offered.lead_months
            for site, share in self._grid_share:
                self._spend(site, t, "upgrades", share * offered.musd, power.tie_life_years, lead)
        for site, t, musd in self._entries():
            self._spend(site, t, "entry", musd, self.scenario.candidates.site_life_years, 0)

    def _entries(self) -> Iterable[tuple[str, int, float]]:
        """Yield (site, period, MUSD): the entry cost of each rule, by IT MW in its region."""
        last = self.solution.periods[-1]
        it_mw: dict[str, float] = defaultdict(float)
        for row in self.solution.it:
            if row.period == last:
                it_mw[row.site_id] += row.it_mw
        entered = {(e.level, e.region_id): e.entered for e in self.solution.entered}
        opened = [s.site_id for s in self.solution.sites]
        for rule in self.scenario.regions.rules:
            if not rule.entry_musd:
                continue
            groups: dict[str, list[str]] = defaultdict(list)
            every = sorted(r for level, r in self.regions if level == rule.level)
            joined = "+".join(every if rule.ids is None else rule.ids)
            for site in opened:
                region = self.regions_of[site].get(rule.level)
                if region is not None and (rule.ids is None or region in rule.ids):
                    groups[joined if rule.together else region].append(site)
            for region, sites in groups.items():
                when = entered.get((rule.level, region))
                if when is not None:
                    for site, share in _shares((s, it_mw[s]) for s in sites):
                        yield site, self.at[when], share * rule.entry_musd

    def _active(self, offer: Row, t: int) -> bool:
        return offer_active(offer, self.scenario, self.time, t)

    def _energy(self) -> None:
        """Energy, carbon and water; MW are drawn at the cheapest POI first, within its contract."""
        factor = self.scenario.power.load_factor_pct / 100
        for row in self.solution.it:
            key = row.site_id, self.at[row.period]
            mean = factor * row.it_mw
            self.out.drawn_mw[key] += mean * self.pue(row.hall, row.site_id, peak=False)
            if row.hall in self.halls:
                self.out.water_ml[key] += mean * HOURS * self.halls[row.hall].wue_l_per_kwh / 1000
        if self.scenario.power.model == "none":
            return
        for (site, period), mw in self.flexible.mean_change_mw().items():
            self.out.drawn_mw[site, self.at[period]] += mw
        room: dict[tuple[str, int], dict[str, float]] = defaultdict(lambda: defaultdict(float))
        for grid in self.solution.grid:
            room[grid.site_id, self.at[grid.period]][grid.poi_id] += factor * grid.grid_mw
        for (site, t), drawn in self.out.drawn_mw.items():
            self.out.drawn_mw[site, t] = drawn = max(0.0, drawn)  # less by what is served on site
            pois = room[site, t]
            first = self.first_tie.get(site)
            if site in self.existing and first is not None:
                pois[first] += factor * self.existing[site].grid_mw
            order = sorted(pois, key=lambda p: (self._energy_price(p), p))
            for i, poi in enumerate(order):
                mw = drawn if i == len(order) - 1 else min(drawn, pois[poi])
                drawn -= mw
                mwh = mw * HOURS
                self._pay(site, t, "energy", mwh * self._energy_price(poi) / 1e6)
                self.out.co2_kt[site, t] += mwh * (self.pois[poi]["co2_kg_per_mwh"] or 0.0) / 1e6

    def _energy_price(self, poi: str) -> float:
        return self.pois[poi]["energy_usd_per_mwh"] or 0.0

    def _demand_charges(self) -> None:
        at_poi: dict[tuple[str, int], list[tuple[str, float]]] = defaultdict(list)
        for row in self.solution.grid:
            at_poi[row.poi_id, self.at[row.period]].append((row.site_id, row.grid_mw))
        least: dict[tuple[str, int], float] = defaultdict(float)
        for take in self.solution.offers:
            offer = self.offers[take.offer_id]
            for t in range(self.time.n):
                if offer["min_take_pct"]:
                    there = take.grid_mw * offer_share(offer, self.scenario, self.time, t)
                    least[take.poi_id, t] += offer["min_take_pct"] / 100 * there
        for poi, t in sorted({*at_poi, *least}):
            price = (self.pois[poi]["demand_usd_per_kw_month"] or 0.0) * 12 / 1000
            mw = sum(m for _, m in at_poi[poi, t])
            beyond = max(0.0, least.get((poi, t), 0.0) - mw)
            for site, m in at_poi[poi, t]:
                self._pay(site, t, "demand_charge", m * price)
            for site, share in self._poi_share.get(poi, [("", 1.0)]):
                self._pay(site, t, "demand_charge", beyond * share * price)

    def _operations(self) -> None:
        for hall_row in self.solution.halls:
            hall = self.halls.get(hall_row.hall)
            if hall is not None and hall_row.halls:
                per_hall = hall.hall_it_mw * hall.om_musd_per_mw_year * self.price(hall)
                self._pay(
                    hall_row.site_id, self.at[hall_row.period], "om", hall_row.halls * per_hall
                )
        for row in self.solution.it:
            item = self.hardware.get(row.hardware)
            if item is not None:
                share = item.maintenance_pct / 100
                musd = row.it_mw * item.capex_musd_per_mw * share * self.price(item)
                self._pay(row.site_id, self.at[row.period], "om", musd)
        yearly = self.scenario.candidates.site_om_musd_per_year
        for site in self.solution.sites:
            if site.site_id in self.leases:
                continue
            first = 0 if site.opened is None else self.at[site.opened]
            for t in range(first, self.time.n):
                self._pay(site.site_id, t, "om", yearly)

    def _transport(self) -> None:
        served = [r for r in self.solution.serve if r.place_id != "anywhere"]
        if not served:
            return
        pairs = {(r.site_id, r.place_id) for r in served}
        frame = self.candidates.reach
        mine = frame[frame["site_id"].isin({site for site, _ in pairs})]
        rate = self.scenario.demand.transport_usd_per_mw_km_year / 1e6
        cost: dict[tuple[str, str], float] = {}
        for r in records(mine):
            measured = r["musd_per_mw_year"]
            musd = (r["km"] or 0.0) * rate if measured is None else measured
            cost[r["site_id"], r["place_id"]] = musd
        for row in served:
            musd = row.ref_mw * cost.get((row.site_id, row.place_id), 0.0)
            self._pay(row.site_id, self.at[row.period], "transport", musd)


def _shares(weights: Iterable[tuple[str, float]]) -> list[tuple[str, float]]:
    """Return (name, share), shares adding to 1; equal shares where all weights are zero."""
    found = sorted(weights)
    total = sum(w for _, w in found)
    return [(name, w / total if total > 0 else 1 / len(found)) for name, w in found]


def served_ref_mw_years(scenario: Scenario, solution: Solution) -> float:
    """Return the discounted work served, ref_mw-years."""
    yearly = Timeline.of(scenario).yearly
    at: dict[str, Any] = {name: t for t, name in enumerate(solution.periods)}
    return float(sum(r.ref_mw * yearly[at[r.period]] for r in solution.serve))


def usd_per_kw_month(musd_per_mw_year: float) -> float:
    """Return USD per kW and month for MUSD per MW and year."""
    return musd_per_mw_year * 1e6 / 1000 / 12


def period_label(day: str, all_january: bool) -> str:
    """Return a period's name for columns: ``2027``, or ``2027_04`` where periods are shorter."""
    when = date.fromisoformat(day)
    return f"{when.year}" if all_january else f"{when.year}_{when.month:02d}"
