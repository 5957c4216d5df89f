"""What flexible connections come to, by site: non-firm MW, what covers them, what they cost.

Formulas are those of docs/model.md, "Sources of non-firm MW" to "Mean MW drawn"; everything is
worked out from the scenario, the candidates and the decisions.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sitepick.exports.sheet import Field, Row, Sheet, plain, records
from sitepick.scenario.catalog import hall_classes, hardware, reference

if TYPE_CHECKING:
    from sitepick.candidates.types import Candidates
    from sitepick.scenario.schema import Scenario
    from sitepick.solution import Solution

YEAR_HOURS = 8760.0


@dataclass(frozen=True)
class Cut:
    """How a source of non-firm MW is curtailed: hours a year, and mean share of it in them."""

    hours: float
    depth: float

    @property
    def off(self) -> float:
        """Part of the year for which a MW is as good as off, 0..1."""
        return self.hours * self.depth / YEAR_HOURS


class FlexibleUse:
    """The plan's use of non-firm MW. Keys are (site_id, period name)."""

    def __init__(self, scenario: Scenario, candidates: Candidates, solution: Solution) -> None:
        self.scenario, self.solution = scenario, solution
        self.applies = scenario.power.nonfirm == "flexible" and scenario.power.model == "grid"
        self.climate = {r["site_id"]: r["climate"] for r in records(candidates.sites)}
        self.cuts: dict[str, Cut] = {}
        for offer in records(candidates.offers):
            hours = offer["curtail_hours_per_year"] or 0.0
            self.cuts[f"offer:{offer['offer_id']}"] = Cut(hours, 1.0)
        for area in records(candidates.margins):
            self.cuts[f"area:{area['area']}"] = Cut(area["hours"], area["mean_depth"])
        self.works = scenario.demand.named()
        self.items = {h.id: h for h in hardware(scenario)}
        self.nonfirm_mw: dict[tuple[str, str], float] = defaultdict(float)
        for row in solution.nonfirm:
            self.nonfirm_mw[row.site_id, row.period] += row.grid_mw

    def _pue(self, site: str, peak: bool) -> float:
        """Return the least PUE of the scenario's classes in the site's climate."""
        rows = hall_classes(self.scenario)
        climate = self.climate[site]
        return min(((r.pue_peak if peak else r.pue_avg)[climate] for r in rows), default=1.0)

    def mean_change_mw(self) -> dict[tuple[str, str], float]:
        """Return by how much curtailment and batteries change the mean MW drawn."""
        out: dict[tuple[str, str], float] = defaultdict(float)
        factor = self.scenario.power.load_factor_pct / 100
        for row in self.solution.shed:
            part = factor * self._pue(row.site_id, False) / self._pue(row.site_id, True)
            kept = 1 - self.works[row.workload].moved_pct / 100
            out[row.site_id, row.period] -= row.grid_mw * self.cuts[row.source].off * part * kept
        battery = self.scenario.flexible.battery
        for backed in self.solution.backed:
            assert battery is not None, "batteries are in the plan, but the scenario has none"
            part = factor * self._pue(backed.site_id, False) / self._pue(backed.site_id, True)
            loss = 100 / battery.efficiency_pct - 1
            mean = backed.grid_mw * self.cuts[backed.source].off * part * loss
            out[backed.site_id, backed.period] += mean
        return out

    def lost_ref_mw(self) -> dict[tuple[str, str, str], float]:
        """Return the mean work lost by (site, workload, period), ref_mw."""
        out: dict[tuple[str, str, str], float] = defaultdict(float)
        for row in self.solution.shed:
            it_mw = row.grid_mw * self.cuts[row.source].off / self._pue(row.site_id, True)
            lost = it_mw * self._gain(row.hardware, row.workload)
            kept = 1 - self.works[row.workload].moved_pct / 100
            out[row.site_id, row.workload, row.period] += lost * kept
        return out

    def _gain(self, kind: str, workload: str) -> float:
        """Return ref_mw per IT MW at work."""
        if not self.items:
            return 1.0
        uses, free = self.works[workload].uses, 1 - self.scenario.network_share_pct / 100
        if uses == "it":
            return free
        base = float(getattr(reference(self.scenario), uses))
        return free * float(getattr(self.items[kind], uses)) / base if base else 0.0

    def lost_musd(self) -> dict[tuple[str, str], float]:
        """Return the price of lost work a year by (site, period), MUSD."""
        out: dict[tuple[str, str], float] = defaultdict(float)
        for (site, workload, period), lost in self.lost_ref_mw().items():
            out[site, period] += lost * self.works[workload].shortfall_musd_per_mw_year
        return out

    def bought(self) -> Iterator[tuple[str, str, float]]:
        """Yield (site, period, MUSD overnight) of batteries."""
        battery, money = self.scenario.flexible.battery, self.scenario.money
        if battery is None:
            return
        years = 0 if battery.price_year is None else money.price_year - battery.price_year
        price = battery.musd_per_mw * (1 + money.inflation_pct / 100) ** years
        for row in self.solution.batteries:
            yield row.site_id, row.period, row.bought_mw * price

    def battery_mw(self, site: str, period: str) -> float:
        """Return the battery MW of a site alive in a period."""
        battery = self.scenario.flexible.battery
        if battery is None:
            return 0.0
        names = self.solution.periods
        months = {"year": 12, "half_year": 6, "quarter": 3}[self.scenario.periods.step]
        now = names.index(period)
        ages = {row: now - names.index(row.period) for row in self.solution.batteries}
        return sum(
            row.bought_mw
            for row, age in ages.items()
            if row.site_id == site and 0 <= age * months < 12 * battery.life_years - 1e-6
        )

    def sheet(self) -> Sheet:
        """Return the sheet ``nonfirm``: MW that may be curtailed, by site, POI, source, period."""
        fields = (
            Field("site_id", "", "text", "id of the site"),
            Field("poi_id", "", "text", "POI (substation)"),
            Field("source", "", "text", "offer:ID of a letter, or area:NAME"),
            Field("period", "date", "date", "first day of the period"),
            Field("nonfirm_grid_mw", "grid MW", "number", "part of the contract that may be cut"),
            Field("curtail_hours_per_year", "hours per year", "number", "hours with any cut"),
            Field("mean_depth_pct", "%", "number", "mean cut in those hours"),
            Field("curtailed_mwh_per_year", "MWh per year", "number",
                  "of contracted MW, if all of them were drawn"),
            Field("by_work_pct", "%", "number",
                  "covered by shedding work, of the site's MW of this source"),
            Field("by_battery_pct", "%", "number", "covered by batteries, likewise"),
        )  # fmt: skip
        whole: dict[tuple[str, str, str], float] = defaultdict(float)
        for row in self.solution.nonfirm:
            whole[row.site_id, row.source, row.period] += row.grid_mw
        batteries = {
            (r.site_id, r.source, r.period): r.grid_mw / whole[r.site_id, r.source, r.period]
            for r in self.solution.backed
            if whole[r.site_id, r.source, r.period] > 0
        }
        rows: list[Row] = []
        for row in sorted(self.solution.nonfirm, key=lambda r: (r.site_id, r.period, r.source)):
            cut = self.cuts[row.source]
            by_battery = batteries.get((row.site_id, row.source, row.period), 0.0)
            rows.append(
                {
                    "site_id": plain(row.site_id), "poi_id": plain(row.poi_id),
                    "source": plain(row.source), "period": row.period,
                    "nonfirm_grid_mw": plain(row.grid_mw),
                    "curtail_hours_per_year": plain(float(cut.hours)),
                    "mean_depth_pct": plain(100 * cut.depth),
                    "curtailed_mwh_per_year": plain(row.grid_mw * cut.off * YEAR_HOURS),
                    "by_work_pct": plain(100 * (1 - by_battery)),
                    "by_battery_pct": plain(100 * by_battery),
                }
            )  # fmt: skip
        return Sheet("nonfirm", "contracted MW that may be curtailed", fields, rows)
