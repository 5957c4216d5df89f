"""Prices and properties by id, looked up by everything that tells costs and MW of a plan."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from sitepick.exports.sheet import Row, records
from sitepick.scenario.catalog import Evidence, hall_classes, hardware

if TYPE_CHECKING:
    from sitepick.candidates.types import Candidates
    from sitepick.scenario.schema import Scenario
    from sitepick.solution import GridRow, TieRow


class Lookup:
    """Prices and properties of a scenario and its candidates, by id."""

    def __init__(
        self, scenario: Scenario, candidates: Candidates, like: Lookup | None = None
    ) -> None:
        """``like``: one made of the same scenario and candidates, whose tables are shared."""
        if like is not None:
            self.__dict__.update(like.__dict__)
            return
        self.scenario = scenario
        self.halls = {h.id: h for h in hall_classes(scenario)}
        self.hardware = {h.id: h for h in hardware(scenario)}
        self.sites = {r["site_id"]: r for r in records(candidates.sites)}
        self.pois = {r["poi_id"]: r for r in records(candidates.pois)}
        self.ties = {(r["site_id"], r["poi_id"], r["kv"]): r for r in records(candidates.ties)}
        self.first_tie: dict[str, str] = {}
        for site, poi, _ in self.ties:
            self.first_tie.setdefault(site, poi)  # ties are sorted by site_id, km, poi_id
        self.offers = {r["offer_id"]: r for r in records(candidates.offers)}
        self.leases = {r["site_id"]: r for r in records(candidates.leases)}
        self.regions = {(r["level"], r["region_id"]): r for r in records(candidates.regions)}
        self.regions_of: dict[str, dict[str, str]] = defaultdict(dict)
        for r in records(candidates.site_regions):
            self.regions_of[r["site_id"]][r["level"]] = r["region_id"]

    def price(self, row: Evidence) -> float:
        """Return the factor that brings a catalog row's money to the scenario's price year."""
        money = self.scenario.money
        years = money.price_year - (row.price_year or money.price_year)
        return float((1 + money.inflation_pct / 100) ** years)

    def pue(self, hall: str, site: str, peak: bool) -> float:
        """Return the design-day or the annual mean PUE; 1 without hall classes."""
        if hall not in self.halls:
            found = 1.0
        else:
            row = self.halls[hall]
            found = float((row.pue_peak if peak else row.pue_avg)[self.sites[site]["climate"]])
        let = self.leases.get(site)
        if let is None or let["hall"] != hall:
            return found
        avg, most = let["pue_avg"], let["pue_peak"]
        if not peak:
            return found if avg is None else float(avg)
        return max(found, avg or 0.0) if most is None else float(most)

    def capex_factor(self, site: str) -> float:
        """Return the product of the facility capex factors of the site's regions and rules."""
        factor = 1.0
        mine = self.regions_of[site]
        for level, region in mine.items():
            factor *= self.regions.get((level, region), {}).get("capex_factor") or 1.0
        for rule in self.scenario.regions.rules:
            region_id = mine.get(rule.level)
            if region_id is not None and (rule.ids is None or region_id in rule.ids):
                factor *= rule.capex_factor
        return factor

    def tie(self, row: TieRow | GridRow) -> Row:
        """Return the tie that a row of the plan means; without kV the only one between the two."""
        known = self.ties.get((row.site_id, row.poi_id, row.kv))
        if known is not None:
            return known
        pair = (row.site_id, row.poi_id)
        return next((tie for key, tie in self.ties.items() if key[:2] == pair), {})

    def tie_musd(self, row: TieRow) -> float:
        """Return the overnight cost of a tie, MUSD."""
        power, tie = self.scenario.power, self.tie(row)
        table, kv = power.tie_musd_per_km, tie["kv"]
        if not table or not tie["km"]:
            return power.tie_fixed_musd
        nearest = min(table, key=lambda k: (abs(k - (kv or 0.0)), k))
        return float(tie["km"] * table[nearest] + power.tie_fixed_musd)
