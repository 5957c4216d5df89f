"""The case before the judge: the inputs and the plan as plain dicts, looked up by id and period.

Nothing is decided here. Sites, POIs, ties and offers are rows (dicts) of the candidates' tables;
levels of the plan that have no row are zero. Periods are indices 0..T-1.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from math import isfinite
from typing import TYPE_CHECKING, Any

from sitepick.checks.calendar import Calendar, move, whole_months
from sitepick.checks.named import pue_of, sites_named, stays_of
from sitepick.scenario.catalog import HallClass, Hardware, hall_classes, hardware
from sitepick.scenario.power_options import power_options
from sitepick.scenario.rules import ExistingSite, RegionRule, Workload
from sitepick.scenario.schema import Scenario
from sitepick.solution import Solution

if TYPE_CHECKING:
    import pandas as pd

    from sitepick.candidates.types import Candidates
    from sitepick.layers.types import LoadCurve
    from sitepick.network.types import Grid

Row = dict[str, Any]
TieKey = tuple[str, str, float | None]
"""Site, POI and kV (None where it is unknown)."""
ANYWHERE = "anywhere"
STANDING = -1
"""Start of what stands already, before the first period."""
CLIMATES = ("cold", "mild", "hot_dry", "hot_humid")


def number(value: Any) -> float | None:
    """Return a cell as a number, None where it is blank."""
    if value is None or value != value:
        return None
    return float(value)


def day(value: Any) -> date | None:
    """Return a cell as a date, None where it is blank."""
    if value is None or value != value:
        return None
    return value.date() if isinstance(value, datetime) else value


def rows_of(frame: pd.DataFrame) -> list[Row]:
    """Return a table as a list of dicts."""
    return [{str(k): v for k, v in row.items()} for row in frame.to_dict("records")]


def key_of(row: Row) -> TieKey:
    """Return the key of a row of the candidates' ties."""
    return row["site_id"], row["poi_id"], number(row["kv"])


def tie_words(tie: TieKey) -> str:
    """Return a tie in words."""
    site, poi, kv = tie
    return f"site {site} at POI {poi}" + ("" if kv is None else f" ({kv:g} kV)")


def standing(series: dict[date, float], when: date) -> float | None:
    """Return the value of a dated series at ``when``, None before its first date."""
    latest: date | None = None
    for start in series:
        if start <= when and (latest is None or start > latest):
            latest = start
    return None if latest is None else series[latest]


def plain_hall() -> HallClass:
    """Return the one class of a scenario without hall classes: PUE 1, no cost, no land."""
    flat = dict.fromkeys(CLIMATES, 1.0)
    return HallClass.model_validate(
        {
            "id": "none", "kw_per_rack": 1e9, "hall_it_mw": 1, "capex_musd_per_mw": 0,
            "build_months": 0, "om_musd_per_mw_year": 0, "pue_avg": flat, "pue_peak": flat,
            "liquid_share": 1, "ha_per_mw": 0,
        }
    )  # fmt: skip


def plain_hardware() -> Hardware:
    """Return the one hardware of a scenario without hardware: yield 1, no cost, a life for ever."""
    return Hardware.model_validate(
        {
            "id": "it", "kw_per_rack": 1e-9, "training": 1, "prefill": 1, "decode": 1,
            "capex_musd_per_mw": 0, "life_years": 1000, "maintenance_pct": 0, "lead_months": 0,
        }
    )  # fmt: skip


@dataclass(frozen=True)
class Area:
    """One rule for one region (or for several that count as one)."""

    rule: RegionRule
    region_id: str
    inside: frozenset[str]  # site ids

    @property
    def where(self) -> str:
        """Level and id, for messages."""
        return f"{self.rule.level} {self.region_id}"


@dataclass
class Case:
    """Inputs by id, and the plan by (id, ..., period)."""

    scenario: Scenario
    candidates: Candidates
    solution: Solution
    curves: tuple[LoadCurve | None, ...] = ()
    network: Grid | None = None
    calendar: Calendar = field(init=False)
    sites: dict[str, Row] = field(init=False)
    pois: dict[str, Row] = field(init=False)
    ties: dict[TieKey, Row] = field(init=False)
    ties_of: dict[str, list[Row]] = field(init=False)  # nearest first
    offers: dict[str, Row] = field(init=False)
    queue: dict[str, list[Row]] = field(init=False)  # tiers of a POI that waits, smallest first
    leases: dict[str, Row] = field(init=False)  # offers of leased halls
    reach: dict[tuple[str, str], Row] = field(init=False)  # of sites that serve
    regions_of: dict[str, dict[str, str]] = field(init=False)  # site -> level -> region_id
    region_rows: dict[tuple[str, str], Row] = field(init=False)
    existing: dict[str, ExistingSite] = field(init=False)
    halls: dict[str, HallClass] = field(init=False)
    hardware: dict[str, Hardware] = field(init=False)
    workloads: dict[str, Workload] = field(init=False)
    areas: list[Area] = field(init=False)

    def __post_init__(self) -> None:
        """Index the inputs; the plan is indexed by `read_plan`, once its rows are sound."""
        table = self.candidates
        self.calendar = Calendar.of(self.scenario)
        self.sites = {row["site_id"]: row for row in rows_of(table.sites)}
        self.pois = {row["poi_id"]: row for row in rows_of(table.pois)}
        self.offers = {row["offer_id"]: row for row in rows_of(table.offers)}
        self.queue = defaultdict(list)
        for row in rows_of(table.queue):
            self.queue[row["poi_id"]].append(row)
        for tiers in self.queue.values():
            tiers.sort(key=lambda row: float(row["over_mw"]))
        self.ties, self.ties_of = {}, defaultdict(list)
        self.options = {row.id: row for row in power_options(self.scenario)}
        self.access = {(r["site_id"], r["option_id"]): r for r in rows_of(table.onsite)}
        self.sized = {r["option_id"]: r for r in rows_of(table.onsite_sized)}
        self.existing = {e.site_id: e for e in self.scenario.existing}
        if self.has_grid:
            for row in rows_of(table.ties):
                self.ties[key_of(row)] = row
                self.ties_of[row["site_id"]].append(row)
        for near in self.ties_of.values():
            near.sort(
                key=lambda row: (number(row["km"]) or 0.0, row["poi_id"], -(number(row["kv"]) or 0))
            )
        self.leases = {r["site_id"]: r for r in rows_of(table.leases)}
        self.regions_of = defaultdict(dict)
        for row in rows_of(table.site_regions):
            self.regions_of[row["site_id"]][row["level"]] = row["region_id"]
        self.region_rows = {(r["level"], r["region_id"]): r for r in rows_of(table.regions)}
        self.workloads = self.scenario.demand.named()
        halls, plain = hall_classes(self.scenario), self.scenario.halls == "none"
        self.halls = {"none": plain_hall()} if plain else {row.id: row for row in halls}
        chips, plain = hardware(self.scenario), self.scenario.hardware == "none"
        self.hardware = {"it": plain_hardware()} if plain else {row.id: row for row in chips}
        self.areas = [area for rule in self.scenario.regions.rules for area in self._areas(rule)]
        self._rules_on: dict[str, list[RegionRule]] = defaultdict(list)
        for area in self.areas:
            for site in area.inside:
                self._rules_on[site].append(area.rule)
        self.read_plan(self.solution)

    def _areas(self, rule: RegionRule) -> Iterator[Area]:
        ids = rule.ids
        if ids is None:
            known = {r for level, r in self.region_rows if level == rule.level}
            known |= {of[rule.level] for of in self.regions_of.values() if rule.level in of}
            ids = sorted(known)
        groups = [ids] if rule.together and ids else [[one] for one in ids]
        sites_of: dict[str | None, list[str]] = defaultdict(list)
        for site in self.sites:
            sites_of[self.regions_of[site].get(rule.level)].append(site)
        for group in groups:
            yield Area(rule, "+".join(group), frozenset(s for r in group for s in sites_of[r]))

    # --- the scenario, in short ---------------------------------------------------------------

    @property
    def has_grid(self) -> bool:
        """Whether power is modelled at all."""
        return self.scenario.power.model == "grid"

    @property
    def load_factor(self) -> float:
        """Mean over nameplate IT power."""
        return self.scenario.power.load_factor_pct / 100

    @property
    def tie_months(self) -> float:
        """Lead time of ties, land, works and laterals; none without a grid."""
        return self.scenario.power.tie_months if self.has_grid else 0.0

    def price(self, price_year: int | None) -> float:
        """Return what a catalog price of that year is multiplied by."""
        money = self.scenario.money
        if price_year is None:
            return 1.0
        return float((1 + money.inflation_pct / 100) ** (money.price_year - price_year))

    def stands(self, site: str) -> bool:
        """Return whether the site stands already."""
        row = self.sites.get(site)
        return site in self.existing or (row is not None and row["decision"] == "existing")

    def rules_on(self, site: str) -> list[RegionRule]:
        """Return the region rules that concern a site, each once."""
        return self._rules_on.get(site, [])

    def closed(self, site: str, t: int) -> bool:
        """Return whether a moratorium closes the site's region at the start of period ``t``."""
        start = self.calendar.starts[t]
        for rule in self.rules_on(site):
            if rule.closed_from is None or start < rule.closed_from:
                continue
            if rule.closed_to is None or start <= rule.closed_to:
                return True
        return False

    def capex_factor(self, site: str) -> float:
        """Return the facility capex multiplier of the site's regions and rules."""
        factor = 1.0
        for level, region_id in self.regions_of[site].items():
            own = number(self.region_rows.get((level, region_id), {}).get("capex_factor"))
            factor *= 1.0 if own is None else own
        for rule in self.rules_on(site):
            factor *= rule.capex_factor
        return factor

    def pue(self, site: str, hall: str, kind: str) -> float:
        """Return the class's PUE in the site's climate: ``kind`` is peak (MW) or avg (MWh)."""
        climate, row = str(self.sites[site]["climate"]), self.halls[hall]
        avg, peak = pue_of(self.leases.get(site), row, climate)
        return peak if kind == "peak" else avg

    def existing_grid_mw(self, site: str) -> float:
        """Return the MW contracted at an existing site outside any offer."""
        return self.existing[site].grid_mw if site in self.existing and self.has_grid else 0.0

    def existing_it(self, site: str, hall: str, kind: str, t: int) -> float:
        """Return IT MW of installed vintages of a hardware in a class alive in period ``t``."""
        if site not in self.existing:
            return 0.0
        start, total = self.calendar.starts[t], 0.0
        for row in self.existing[site].hardware:
            in_hall = "none" if self.scenario.halls == "none" else row.hall
            is_kind = "it" if self.scenario.hardware == "none" else row.hardware
            if (in_hall, is_kind) != (hall, kind) or start < row.since:
                continue
            life = whole_months(12 * self.hardware[kind].life_years)
            if start < move(row.since, life):
                total += row.it_mw
        return total

    # --- the plan ------------------------------------------------------------------------------

    def read_plan(self, plan: Solution) -> None:
        """Index the plan's rows. Every id and period in them must be known."""
        at = {name: t for t, name in enumerate(self.calendar.periods)}

        def start(name: str | None) -> int:
            return STANDING if name is None else at[name]

        self.solution = plan
        reach = self.candidates.reach
        reach = reach[reach["site_id"].isin({r.site_id for r in plan.serve})]
        self.reach = {(r["site_id"], r["place_id"]): r for r in rows_of(reach)}
        self.opened = {row.site_id: start(row.opened) for row in plan.sites}
        # rows of ties that do not exist are named in `rows` and left out before they are judged
        ties = ((self.tie_key(r.site_id, r.poi_id, r.kv), r) for r in plan.ties)
        self.tied = {key: start(row.since) for key, row in ties if key is not None}
        grid = ((self.tie_key(r.site_id, r.poi_id, r.kv), r) for r in plan.grid)
        self.grid = {(key, at[r.period]): r.grid_mw for key, r in grid if key is not None}
        self._grid_of_site: dict[tuple[str, int], float] = defaultdict(float)
        self._grid_of_poi: dict[tuple[str, int], float] = defaultdict(float)
        for ((site, poi, _), t), mw in self.grid.items():
            self._grid_of_site[site, t] += mw
            self._grid_of_poi[poi, t] += mw
        self.onsite = {(r.site_id, r.option, at[r.period]): r for r in plan.onsite}
        self.stays = stays_of(plan, at)
        self.leased = {r.site_id: r for r in plan.leases}
        self.hall_rows = {(r.site_id, r.hall, at[r.period]): r for r in plan.halls}
        self.it_rows = {(r.site_id, r.hall, r.hardware, at[r.period]): r for r in plan.it}
        self._it_of_site: dict[tuple[str, int], dict[tuple[str, str], float]] = defaultdict(dict)
        for (site, hall, kind, t), it_row in self.it_rows.items():
            self._it_of_site[site, t][hall, kind] = it_row.it_mw
        self.used = {(r.site_id, r.hardware, r.workload, at[r.period]): r.it_mw for r in plan.use}
        self.served = {
            (r.site_id, r.workload, r.place_id, at[r.period]): r.ref_mw for r in plan.serve
        }
        self.short = {(r.workload, r.place_id, at[r.period]): r.ref_mw for r in plan.turned_away}
        self.taken = {row.offer_id: row.grid_mw for row in plan.offers}
        self.nonfirm = {
            (r.site_id, r.poi_id, r.source, at[r.period]): r.grid_mw for r in plan.nonfirm
        }
        self.shed = {
            (r.site_id, r.hardware, r.workload, r.source, at[r.period]): r.grid_mw
            for r in plan.shed
        }
        self.backed = {(r.site_id, r.source, at[r.period]): r.grid_mw for r in plan.backed}
        self.mean_changes: dict[tuple[str, int], float] | None = None  # by checks.flexible
        self.nonfirm_of_poi: dict[tuple[str, int], float] = defaultdict(float)
        for (_, poi, _, t), mw in self.nonfirm.items():
            self.nonfirm_of_poi[poi, t] += mw
        self.batteries = {(r.site_id, at[r.period]): r.bought_mw for r in plan.batteries}
        self.steps = {(row.poi_id, at[row.period]): row.steps for row in plan.upgrades}
        self.line_upgrades = {row.branch_id: at[row.period] for row in plan.line_upgrades}
        self.entered = {(row.level, row.region_id): start(row.entered) for row in plan.entered}
        named = set(self.opened) | {s for s in self.sites if self.stands(s)}
        named |= sites_named(plan)
        self.active_sites = sorted(named)  # those that stand or that any row speaks of

    @property
    def times(self) -> range:
        """Indices of the periods."""
        return range(self.calendar.count)

    def is_open(self, site: str, t: int) -> bool:
        """Return whether the plan has the site open in period ``t``."""
        return site in self.opened and self.opened[site] <= t

    def tie_key(self, site: str, poi: str, kv: float | None) -> TieKey | None:
        """Return the tie that a row of a plan means, None if there is no such tie.

        A row without kV means the only tie between the two, or the one whose kV is unknown.
        """
        near = [key_of(row) for row in self.ties_of.get(site, []) if row["poi_id"] == poi]
        same = [key for key in near if key[2] == kv]
        if same:
            return same[0]
        return near[0] if kv is None and len(near) == 1 else None

    def is_tied(self, tie: TieKey, t: int) -> bool:
        """Return whether the tie stands in period ``t``."""
        return tie in self.tied and self.tied[tie] <= t

    def own_tie(self, site: str) -> TieKey | None:
        """Return the tie that an existing site owns: its nearest, at the highest kV."""
        near = self.ties_of.get(site)
        return key_of(near[0]) if near and self.stands(site) else None

    def site_grid_mw(self, site: str, t: int) -> float:
        """Return contracted grid MW of a site, existing ones included."""
        return self._grid_of_site.get((site, t), 0.0) + self.existing_grid_mw(site)

    def poi_mw(self, poi: str, t: int) -> float:
        """Return grid MW contracted by the plan at a POI."""
        return self._grid_of_poi.get((poi, t), 0.0)

    def it_at(self, site: str, t: int) -> dict[tuple[str, str], float]:
        """Return IT MW alive at a site by (hall class, hardware)."""
        return self._it_of_site.get((site, t), {})

    def it_mw(self, sites: Iterable[str], t: int) -> float:
        """Return IT MW alive at some sites."""
        return sum(sum(self.it_at(site, t).values()) for site in sites)

    def facility_peak_mw(self, site: str, t: int) -> float:
        """Return design-day facility MW of a site."""
        return sum(mw * self.pue(site, k, "peak") for (k, _), mw in self.it_at(site, t).items())

    def facility_mean_mw(self, site: str, t: int) -> float:
        """Return mean facility MW of a site over the year."""
        it = self.it_at(site, t).items()
        return self.load_factor * sum(mw * self.pue(site, k, "avg") for (k, _), mw in it)

    def halls_at(self, site: str, hall: str, t: int) -> int:
        """Return halls of a class standing at a site; before the first period the existing ones."""
        if t < 0:
            return self.existing[site].halls.get(hall, 0) if site in self.existing else 0
        row = self.hall_rows.get((site, hall, t))
        return row.halls if row else 0

    def when(self, t: int) -> str:
        """Return the period's name."""
        return self.calendar.periods[t]


def is_number(value: Any) -> bool:
    """Return whether a value is a finite number."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and isfinite(value)
