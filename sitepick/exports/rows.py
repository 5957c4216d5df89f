"""`sites.csv`: one row per site of the plan and period. All figures on sites come from here."""

from __future__ import annotations

from collections import defaultdict
from functools import cached_property
from typing import TYPE_CHECKING

from sitepick.actions import Action, actions_of
from sitepick.exports.costs import SiteCosts, site_costs
from sitepick.exports.flexible import FlexibleUse
from sitepick.exports.leases import LeaseTerms
from sitepick.exports.lookup import Lookup
from sitepick.exports.sheet import Field, Row, Sheet, plain, point, unused, with_keep
from sitepick.exports.stages import StagedGrid, staged_grid
from sitepick.exports.terms import capital_terms, yearly_terms
from sitepick.exports.text import clean

if TYPE_CHECKING:
    from sitepick.candidates.types import Candidates
    from sitepick.scenario.schema import Scenario
    from sitepick.solution import Solution

ID = Field("site_id", "", "text", "id of the site (candidate, parcel or row of the sites table)")
NAME = Field("name", "", "text", "name of the site")
LON = Field("lon", "degrees", "number", "longitude, WGS84; empty where the place has none")
LAT = Field("lat", "degrees", "number", "latitude, WGS84; empty where the place has none")
SYNTHETIC = Field(
    "synthetic", "", "boolean", "true: some input is synthetic, MW are not real headroom"
)
STAGE_MEANING = {
    "energised": "stands already or is energised",
    "signed": "of signed agreements",
    "studied": "of completed studies",
    "requested": "asked for, no answer yet",
    "published": "of a published headroom layer",
    "dc_study": "without a letter: what the kV connects and the grid carries in this DC study",
    "assumed": "assumed, among them bought upgrade steps and margins of areas",
}
_CAPITAL_MEANING = {
    "facility": "data halls, and fit-out of leased shells", "it": "IT hardware",
    "ties": "ties and customer substations",
    "land": "land", "site": "fixed works", "fiber": "fiber laterals",
    "upgrades": "network upgrades (at the POI: by the site's share of its MW; of lines: of all MW)",
    "security": "securities of letters (by the site's share of the POI's MW)",
    "entry": "entry of regions (by the site's share of the region's IT MW)",
    "battery": "batteries that stand in for curtailed MW",
    "onsite": "on-site power",
}  # fmt: skip
_YEARLY_MEANING = {
    "energy": "energy bought", "demand_charge": "demand charges, minimum takes included",
    "om": "operation and maintenance", "transport": "carrying the traffic served",
    "curtailed": "price of work lost to curtailment (no money paid)",
    "onsite_running": "fuel, O&M and rent of on-site power", "rent": "rent of leased halls",
}  # fmt: skip


def levels(candidates: Candidates) -> list[str]:
    """Return the region levels in use, sorted."""
    return sorted(map(str, candidates.site_regions["level"].unique()))


def region_fields(candidates: Candidates) -> list[Field]:
    """Return one column per region level: ``region`` for the level of that name, else the level."""
    return [
        Field(name, "", "text", f"id of the {level} the place lies in; empty outside all")
        for level, name in level_columns(candidates).items()
    ]


_OURS = {
    "site_id", "name", "lon", "lat", "poi_id", "period", "status", "synthetic", "fid", "geom",
    "decision", "opened", "verdict", "why", "forced_cost_estimate_musd",
    "forced_cost_proven_musd", "failed", "climate", "drawn_mw", "usd_per_kw_month",
}  # fmt: skip
_OUR_ENDS = ("_mw", "_musd", "_km", "_ha", "_year", "_peak")
_OUR_STARTS = ("it_mw", "grid_mw", "halls_", "capex_", "keep_")


def level_columns(candidates: Candidates) -> dict[str, str]:
    """Return level -> column. A level named like a column of ours gets ``region_`` before it."""
    out: dict[str, str] = {}
    for level in levels(candidates):
        name = clean(level) or "region"
        low = name.lower()
        if low in _OURS or low.endswith(_OUR_ENDS) or low.startswith(_OUR_STARTS):
            name = f"region_{name}"
        out[level] = unused(name, out.values())
    return out


def stage_fields(grid: StagedGrid) -> list[Field]:
    """Return one grid MW column per stage that counts."""
    return [
        Field(f"grid_mw_{s}", "grid MW", "number", f"part of grid_mw_peak: {STAGE_MEANING[s]}")
        for s in grid.stages
    ]


FLEXIBLE_FIELDS = (
    Field("firm_grid_mw", "grid MW", "number", "part of grid_mw_peak that is firm"),
    Field("nonfirm_grid_mw", "grid MW", "number", "part of grid_mw_peak that may be curtailed"),
    Field("battery_mw", "battery MW", "number", "batteries that stand in for curtailed MW"),
)
"""Columns of scenarios with non-firm MW."""
ONSITE = (
    Field("onsite_mw", "MW", "number", "on-site power standing (solar: MW of load it is made for)"),
    Field("onsite_firm_mw", "MW", "number", "on-site power counted on the design day"),
    Field("onsite_mean_mw", "mean MW", "number", "annual mean power served on site"),
)
"""Columns of scenarios with on-site options."""
LEASED = Field("leased_it_mw", "IT MW", "number", "IT power leased, used or not; 0: own halls")
"""Column of scenarios with offers of leased halls."""


class SiteRows:
    """The rows of `sites.csv`, with the costs and stages they were made from."""

    def __init__(self, scenario: Scenario, candidates: Candidates, solution: Solution) -> None:
        self.scenario, self.candidates, self.solution = scenario, candidates, solution
        self.look = Lookup(scenario, candidates)
        self.costs: SiteCosts = site_costs(scenario, candidates, solution, self.look)
        self.grid: StagedGrid = staged_grid(scenario, candidates, solution)
        self.flexible = FlexibleUse(scenario, candidates, solution)
        self.leases = LeaseTerms(self.look, candidates)
        self.capital = capital_terms(scenario)
        self.yearly = yearly_terms(scenario, leased=bool(self.leases.rows))
        self.let = {row.site_id: row for row in solution.leases}
        self.opened = {s.site_id: s.opened for s in solution.sites}
        self.level_columns = level_columns(candidates)
        # a class and a hardware may share an id, and SQLite takes A and a for one name
        self.by_hall: dict[str, str] = {}
        for hall in self.look.halls:
            self.by_hall[hall] = unused(f"it_mw_{clean(hall)}", self.by_hall.values())
        self.by_hardware: dict[str, str] = {}
        for item in self.look.hardware:
            taken = [*self.by_hall.values(), *self.by_hardware.values()]
            self.by_hardware[item] = unused(f"it_mw_{clean(item)}", taken)

    def sheet(self) -> Sheet:
        """Return the sheet ``sites_by_period``."""
        fields, rows = with_keep(
            self._fields(), self._rows(), self.look.sites, self.candidates.sites.columns, "site_id"
        )
        return Sheet(
            "sites_by_period",
            "one row per site of the plan and period; levels stand until the next period",
            fields, rows, [point(r) for r in rows], "Point",
        )  # fmt: skip

    @cached_property
    def actions(self) -> list[Action]:
        """What must be done by when for the plan."""
        return actions_of(self.scenario, self.candidates, self.solution)

    def ties_of(self, site: str, period: str) -> list[tuple[str, float | None]]:
        """Return POI and kV of the ties that feed a site in a period, sorted."""
        ties = {
            (t.poi_id, self.look.tie(t).get("kv"))
            for t in self.solution.ties
            if t.site_id == site and (t.since is None or t.since <= period)
        }
        return sorted(ties, key=lambda tie: (tie[0], tie[1] or 0.0))

    def pois_of(self, site: str, period: str) -> list[str]:
        """Return the POIs that feed a site in a period, sorted."""
        return list(dict.fromkeys(poi for poi, _ in self.ties_of(site, period)))

    def _fields(self) -> list[Field]:
        money = f"MUSD (real, {self.scenario.money.price_year})"
        fields = [
            ID, NAME, *region_fields(self.candidates), LON, LAT,
            Field("poi_id", "", "text", "POIs that feed the site in the period, joined by +"),
            Field("tie_kv", "kV", "text",
                  "voltages of its ties, in the order of the POIs, joined by +; empty: unknown"),
            Field("period", "date", "date", "first day of the period"),
            Field("status", "", "text", "existing, open, leased, lease over, or not yet open in "
                  "the period"),
            Field("it_mw", "IT MW", "number", "IT power installed at the racks"),
            Field("facility_mw", "facility MW", "number", "design day: IT MW x pue_peak"),
            Field("grid_mw_peak", "grid MW", "number",
                  "contracted at the POIs, existing contracts included; empty without a grid"),
            *stage_fields(self.grid),
            *(FLEXIBLE_FIELDS if self.flexible.applies else ()),
            *(ONSITE if self.scenario.onsite.options else ()),
            *((LEASED,) if self.leases.rows else ()),
        ]  # fmt: skip
        for hall, name in self.by_hall.items():
            fields += [
                Field(name, "IT MW", "number", f"IT power in halls of class {hall}"),
                Field(_halls(name), "halls", "integer", f"halls of class {hall} standing"),
            ]
        fields += [
            Field(name, "IT MW", "number", f"IT power of hardware {item}")
            for item, name in self.by_hardware.items()
        ]
        fields.append(
            Field("capex_musd", money, "number",
                  "cash, in all its years, of what is energised at the period's start")
        )  # fmt: skip
        fields += [
            Field(f"capex_{c}_musd", money, "number", f"part of capex_musd: {_CAPITAL_MEANING[c]}")
            for c in self.capital
        ]
        fields += [
            Field(f"{c}_musd_per_year", f"{money} per year", "number", _YEARLY_MEANING[c])
            for c in self.yearly
        ]
        return [
            *fields,
            Field("drawn_mw", "mean grid MW", "number",
                  "annual mean power drawn: IT MW x load factor x pue_avg"),
            Field("co2_kt_per_year", "kt CO2 per year", "number",
                  "of the energy bought, and of what is burnt on site"),
            Field("water_ml_per_year", "million litres per year", "number", "on-site water"),
            SYNTHETIC,
        ]  # fmt: skip

    def _rows(self) -> list[Row]:
        it: dict[tuple[str, int], dict[str, float]] = defaultdict(lambda: defaultdict(float))
        at = {name: t for t, name in enumerate(self.solution.periods)}
        for row in self.solution.it:
            mine = it[row.site_id, at[row.period]]
            mine["it_mw"] += row.it_mw
            mine["facility_mw"] += row.it_mw * self.look.pue(row.hall, row.site_id, peak=True)
            for name in (self.by_hall.get(row.hall), self.by_hardware.get(row.hardware)):
                if name is not None:
                    mine[name] += row.it_mw
        halls = {(r.site_id, at[r.period], r.hall): r.halls for r in self.solution.halls}
        onsite: dict[tuple[str, str], dict[str, float]] = defaultdict(lambda: defaultdict(float))
        for made in self.solution.onsite:
            here = onsite[made.site_id, made.period]
            here["onsite_mw"] += made.mw
            here["onsite_firm_mw"] += made.firm_mw
            here["onsite_mean_mw"] += made.mean_mw
        power = ("it_mw", "facility_mw", *self.by_hall.values(), *self.by_hardware.values())
        rows = []
        for site in sorted(self.opened):
            for t, period in enumerate(self.solution.periods):
                shown = self._place(site, period) | self._grid(site, t) | self._money(site, t)
                if self.flexible.applies:
                    shown |= self._nonfirm(site, period, shown["grid_mw_peak"])
                shown |= {name: plain(it[site, t][name]) for name in power}
                if self.scenario.onsite.options:
                    shown |= {f.name: plain(onsite[site, period][f.name]) for f in ONSITE}
                if self.leases.rows:
                    shown |= self._leased(site, t, shown["status"])
                for hall, name in self.by_hall.items():
                    shown[_halls(name)] = halls.get((site, t, hall), 0)
                rows.append(shown)
        return rows

    def _leased(self, site: str, t: int, status: str) -> Row:
        row = self.let.get(site)
        if row is None or status == "not yet open":
            return {"leased_it_mw": 0.0}
        over = row.until is not None and self.solution.periods[t] >= row.until
        mw = 0.0 if over else plain(row.it_mw)
        return {"leased_it_mw": mw, "status": "lease over" if over else "leased"}

    def _place(self, site: str, period: str) -> Row:
        info, opened = self.look.sites[site], self.opened[site]
        row = {k: info[k] for k in ("site_id", "name", "lon", "lat")}
        regions = self.look.regions_of[site]
        row |= {c: regions.get(lv) for lv, c in self.level_columns.items()}
        row["poi_id"] = "+".join(self.pois_of(site, period)) or None
        kvs = [f"{kv:g}" if kv else "?" for _, kv in self.ties_of(site, period)]
        row["tie_kv"] = "+".join(kvs) if set(kvs) - {"?"} else None
        row["period"] = period
        now = "open" if opened is not None and opened <= period else "not yet open"
        row["status"] = "existing" if opened is None else now
        row["synthetic"] = self.candidates.synthetic
        return row

    def _grid(self, site: str, t: int) -> Row:
        split = self.grid.by_site.get((site, t), {})
        has_grid = self.scenario.power.model == "grid"
        row: Row = {"grid_mw_peak": plain(sum(split.values())) if has_grid else None}
        for stage in self.grid.stages:
            row[f"grid_mw_{stage}"] = plain(split.get(stage, 0.0)) if has_grid else None
        return row

    def _nonfirm(self, site: str, period: str, whole: float) -> Row:
        soft = self.flexible.nonfirm_mw.get((site, period), 0.0)
        return {
            "firm_grid_mw": plain(max(0.0, whole - soft)),
            "nonfirm_grid_mw": plain(soft),
            "battery_mw": plain(float(self.flexible.battery_mw(site, period))),
        }

    def _money(self, site: str, t: int) -> Row:
        paid = {c: self.costs.overnight_musd.get((site, t, c), 0.0) for c in self.capital}
        row: Row = {"capex_musd": plain(sum(paid.values()))}
        row |= {f"capex_{c}_musd": plain(v) for c, v in paid.items()}
        for c in self.yearly:
            value = self.costs.yearly_musd.get((site, t, c), 0.0)
            row[f"{c}_musd_per_year"] = plain(value)
        row["drawn_mw"] = plain(self.costs.drawn_mw.get((site, t), 0.0))
        row["co2_kt_per_year"] = plain(self.costs.co2_kt.get((site, t), 0.0))
        row["water_ml_per_year"] = plain(self.costs.water_ml.get((site, t), 0.0))
        return row


def _halls(it_column: str) -> str:
    return "halls_" + it_column.removeprefix("it_mw_")


def site_rows(scenario: Scenario, candidates: Candidates, solution: Solution) -> list[Row]:
    """Return the rows of `sites.csv`: one per site of the plan and period, sorted by both.

    MW are sums of the solution's rows: IT MW over `Solution.it`, grid MW over `Solution.grid` and
    the existing contracts. Capital is what `Solution.cash` pays over all years, except what no
    site can carry (see `sitepick.exports.costs`).
    """
    return SiteRows(scenario, candidates, solution).sheet().rows
