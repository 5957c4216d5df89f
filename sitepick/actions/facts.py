"""What the list of actions looks up: rows of the plan's places, prices, and lead times."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from sitepick.instance.timeline import Timeline, add_months, whole_months
from sitepick.scenario.catalog import Evidence, hall_classes, hardware, table
from sitepick.scenario.power_options import PowerOption, power_options

if TYPE_CHECKING:
    import pandas as pd

    from sitepick.candidates.types import Candidates
    from sitepick.scenario.schema import Scenario
    from sitepick.solution import Solution, TieRow

Row = dict[str, Any]
EQUIPMENT = ("power_transformer", "hv_switchgear")
"""Equipment of a customer substation that is ordered unless the scenario says otherwise."""
LEADS = "lead_times"


@dataclass(frozen=True)
class Lead:
    """A lead time: months as stated, the key it comes from, whether it is a general figure."""

    months: float
    key: str
    soft: bool = False


def number(value: Any) -> float | None:
    """Return a cell as a number, None where it is blank."""
    return None if value is None or value != value else float(value)


def day(value: Any) -> date | None:
    """Return a cell as a day, None where it is blank."""
    if value is None or value != value:
        return None
    return value.date() if isinstance(value, datetime) else value


def _rows(frame: pd.DataFrame, column: str, ids: set[str]) -> Iterator[Row]:
    names = [str(c) for c in frame.columns]
    kept = frame[frame[column].isin(ids)]
    for cells in kept.itertuples(index=False, name=None):
        yield dict(zip(names, cells, strict=True))


class Facts:
    """Scenario and candidates by id, of the plan's sites and POIs only."""

    def __init__(self, scenario: Scenario, candidates: Candidates, plan: Solution) -> None:
        self.scenario, self.plan = scenario, plan
        self.time = Timeline.of(scenario)
        self.has_grid = scenario.power.model == "grid"
        self.halls = {row.id: row for row in hall_classes(scenario)}
        self.hardware = {row.id: row for row in hardware(scenario)}
        self.options = {row.id: row for row in power_options(scenario)}
        named = {row.site_id for row in plan.sites}
        at = {row.poi_id for part in (plan.ties, plan.grid, plan.upgrades) for row in part}
        self.sites = {r["site_id"]: r for r in _rows(candidates.sites, "site_id", named)}
        self.pois = {r["poi_id"]: r for r in _rows(candidates.pois, "poi_id", at)}
        self.ties = {
            (r["site_id"], r["poi_id"], number(r["kv"])): r
            for r in _rows(candidates.ties, "site_id", named)
        }
        self.leases = {r["site_id"]: r for r in _rows(candidates.leases, "site_id", named)}
        taken = {row.offer_id for row in plan.offers}
        self.offers = {r["offer_id"]: r for r in _rows(candidates.offers, "offer_id", taken)}
        self.lettered = set(candidates.offers["poi_id"])
        self.sized = {r["option_id"]: r for r in _rows(
            candidates.onsite_sized, "option_id", set(self.options))}  # fmt: skip
        self.waits: dict[str, list[Row]] = defaultdict(list)
        for row in _rows(candidates.queue, "poi_id", at):
            self.waits[row["poi_id"]].append(row)
        self.regions_of: dict[str, dict[str, str]] = defaultdict(dict)
        for row in _rows(candidates.site_regions, "site_id", named):
            self.regions_of[row["site_id"]][row["level"]] = row["region_id"]
        self.region_factor = {
            (r["level"], r["region_id"]): number(r["capex_factor"])
            for r in _rows(candidates.regions, "level", set(candidates.regions["level"]))
        }

    # --- lead times ---------------------------------------------------------------------------

    @property
    def tie(self) -> Lead:
        """Lead time of land, works, laterals and ties; none without a grid."""
        return Lead(self.scenario.power.tie_months if self.has_grid else 0, "power.tie_months")

    @cached_property
    def equipment(self) -> dict[str, Lead]:
        """Lead times of what is ordered for a customer substation, by name.

        An item of `procurement` per grid MW with a lead time of its own stands for transformers.
        """
        stated = self.scenario.actions.equipment_months
        supplied = any(
            item.per == "grid_mw" and item.lead_months > 0
            for item in self.scenario.procurement.values()
        )
        catalog = {row["id"]: row for row in table(LEADS)}
        out: dict[str, Lead] = {}
        for name in dict.fromkeys((*EQUIPMENT, *stated)):
            if name in stated:
                months = stated[name]
                if months is not None:
                    out[name] = Lead(months, f"actions.equipment_months.{name}")
            elif not (supplied and name == EQUIPMENT[0]):
                out[name] = Lead(catalog[name]["lead_months"], f"catalog {LEADS}.{name}", soft=True)
        return out

    def hardware_lead(self, site: str, item: str) -> Lead:
        """Lead time of hardware at a site, the longest licensing delay of its regions included."""
        row, delay = self.hardware[item], 0.0
        for rule in self.scenario.regions.rules:
            if self.is_inside(site, rule.level, rule.ids):
                delay = max(delay, rule.hardware_delay_months)
        key = f"hardware.{item}.lead_months"
        more = " + regions.rules.hardware_delay_months" if delay else ""
        return Lead(row.lead_months + delay, key + more)

    def request_lead(self, poi: str, mw: float) -> Lead:
        """Lead time of a request for ``mw`` grid MW in all at a POI without a letter.

        The wait in the queue of its last MW, slip included; ties take ``tie_months`` in any case.
        """
        power, row = self.scenario.power, self.pois.get(poi, {})
        if day(row.get("from_date")) is not None:
            return self.tie
        usual = {"over_mw": 0.0, "years": power.wait_years, "rule": "power.wait_years"}
        usable = min(mw, (number(row.get("headroom_mw")) or 0.0) * self.scenario.layer_share)
        tiers = self.waits.get(poi) or [usual]
        reached = [tier for tier in tiers if float(tier["over_mw"]) < usable - 1e-6]
        if not reached:
            return self.tie
        last = max(reached, key=lambda tier: float(tier["over_mw"]))
        slip = power.slip_years.get(power.headroom_stage, 0.0)
        months = whole_months(12 * float(last["years"])) + whole_months(12 * slip)
        if months <= self.tie.months:
            return self.tie
        rule = str(last["rule"])
        key = rule if rule == "power.wait_years" else f"queue: {rule}"
        return Lead(months, key + (" + power.slip_years" if slip else ""))

    # --- prices and places --------------------------------------------------------------------

    def is_inside(self, site: str, level: str, ids: list[str] | None) -> bool:
        """Return whether a rule of that level, for these ids or all, concerns a site."""
        region = self.regions_of[site].get(level)
        return region is not None and (ids is None or region in ids)

    def price(self, row: Evidence) -> float:
        """Return what money of a catalog row is multiplied by."""
        money = self.scenario.money
        years = money.price_year - (row.price_year or money.price_year)
        return float((1 + money.inflation_pct / 100) ** years)

    def facility_musd_per_mw(self, site: str, hall: str) -> float:
        """Return the overnight cost of a hall class at a site, MUSD per IT MW."""
        row, factor = self.halls[hall], 1.0
        for region in self.regions_of[site].items():
            factor *= self.region_factor.get(region) or 1.0
        for rule in self.scenario.regions.rules:
            if self.is_inside(site, rule.level, rule.ids):
                factor *= rule.capex_factor
        return row.capex_musd_per_mw * self.price(row) * factor

    def pue_peak(self, site: str, hall: str) -> float:
        """Return the design-day PUE of a hall class at a site."""
        return self.halls[hall].pue_peak[self.sites[site]["climate"]]

    def option_musd_per_mw(self, option: PowerOption) -> float:
        """Return the overnight cost of on-site power, MUSD per MW; 0 where it is rented."""
        of = self.sized.get(option.id, {})
        usd_per_kw = of.get("capex_usd_per_kw", option.capex_usd_per_kw) or 0.0
        return float(usd_per_kw) / 1000 * self.price(option)

    def option_ha_per_mw(self, option: PowerOption) -> float:
        """Return the land of on-site power, ha per MW."""
        return float(self.sized.get(option.id, {}).get("ha_per_mw", option.ha_per_mw))

    def tie_row(self, tie: TieRow) -> Row:
        """Return the possible tie that a row of the plan means, {} if there is none."""
        known = self.ties.get((tie.site_id, tie.poi_id, tie.kv))
        if known is not None:
            return known
        pair = tie.site_id, tie.poi_id
        return next((row for key, row in self.ties.items() if key[:2] == pair), {})

    def tie_musd(self, row: Row) -> float:
        """Return the overnight cost of a tie: route km by nearest kV class, and the station."""
        power, km = self.scenario.power, number(row.get("km")) or 0.0
        by_kv, kv = power.tie_musd_per_km, number(row.get("kv")) or 0.0
        if not by_kv or not km:
            return power.tie_fixed_musd
        return km * by_kv[min(by_kv, key=lambda c: (abs(c - kv), c))] + power.tie_fixed_musd

    @cached_property
    def pois_of(self) -> dict[str, str]:
        """POIs of each site of the plan, joined by +."""
        near: dict[str, set[str]] = defaultdict(set)
        for tie in self.plan.ties:
            near[tie.site_id].add(tie.poi_id)
        return {site: "+".join(sorted(pois)) for site, pois in near.items()}

    @cached_property
    def sites_at(self) -> dict[str, str]:
        """Sites of the plan at each POI, joined by +."""
        near: dict[str, set[str]] = defaultdict(set)
        for tie in self.plan.ties:
            near[tie.poi_id].add(tie.site_id)
        return {poi: "+".join(sorted(sites)) for poi, sites in near.items()}

    @cached_property
    def it_mw(self) -> dict[str, float]:
        """Largest IT MW of each site of the plan in any period."""
        by_period: dict[tuple[str, str], float] = defaultdict(float)
        for row in self.plan.it:
            by_period[row.site_id, row.period] += row.it_mw
        most: dict[str, float] = defaultdict(float)
        for (site, _), mw in by_period.items():
            most[site] = max(most[site], mw)
        return most

    def first_active(self, offer: Row) -> date | None:
        """Return the first day of the first period in which an offer's MW are there."""
        slip = self.scenario.power.slip_years.get(offer["stage"], 0.0)
        begins, ends = day(offer["from_date"]), day(offer["to_date"])
        if begins is not None:
            begins = add_months(begins, whole_months(12 * slip))
        for t in range(self.time.n):
            start, following = self.time.starts[t], self.time.starts[t + 1]
            lasts = ends is None or (following - ends).days <= 1
            if lasts and (begins is None or start >= begins):
                return start
        return None
