"""The instance: a scenario and its candidates as arrays, nothing else.

S sites, E ties, B POIs, O offers, T periods, K hall classes, H hardware, W workloads, D places,
Y years. Sites are in order of id. Money is MUSD of the scenario's price year.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

from sitepick.instance.fiber_types import Fiber, Splits
from sitepick.instance.group_types import NO_GROUPS, Groups
from sitepick.instance.lease_terms import Leases
from sitepick.instance.timeline import Timeline
from sitepick.matrix import BoolArray, FloatArray, IntArray


@dataclass(frozen=True)
class Sites:
    """The candidates."""

    ids: tuple[str, ...]
    existing: BoolArray  # (S,) stands already
    required: BoolArray  # (S,) must be open at the end
    open_from: IntArray  # (S,) first period it can open
    closed: BoolArray  # (S, T) moratorium: nothing new is energised
    max_it_mw: FloatArray  # (S,) finite: what the site can ever hold, IT MW
    limited: BoolArray  # (S,) max_it_mw is a limit of its own, not only what its POIs carry
    min_it_mw: FloatArray  # (S,) at the horizon's end if opened, IT MW
    usable_ha: FloatArray  # (S,) inf: no land limit
    land_musd: FloatArray  # (S,) asked price of the whole; 0 where priced per ha
    land_musd_per_ha: FloatArray  # (S,) 0 where the whole is asked
    fixed_musd: FloatArray  # (S,) fixed works at opening
    fiber_musd: FloatArray  # (S,) laterals at opening
    capex_factor: FloatArray  # (S,) facility capex multiplier
    om_musd_per_year: FloatArray  # (S,) while open
    site_life_years: float
    fiber_life_years: float
    lead_months: float  # of land, works, fiber and ties
    count_max: int | None  # most sites open


@dataclass(frozen=True)
class Ties:
    """Possible ties, grouped by site; the first of a site is its nearest, at its highest kV."""

    site: IntArray  # (E,)
    poi: IntArray  # (E,)
    kv: FloatArray  # (E,) nan unknown
    cap_mw: FloatArray  # (E,) largest connection at its kV, grid MW; finite
    tight_mw: FloatArray  # (E,) the same, or less where the POI can never carry as much
    musd: FloatArray  # (E,) overnight cost; 0 where it stands already
    owned: BoolArray  # (E,) stands already (first tie of an existing site)
    only: BoolArray  # (E,) the site has no other: the tie is the opening itself
    energy_usd_per_mwh: FloatArray  # (E,)
    co2_kg_per_mwh: FloatArray  # (E,)
    life_years: float
    most: int  # ties per site
    first: IntArray  # (S,) index of a site's first tie, -1 without


@dataclass(frozen=True)
class Headroom:
    """What POIs can carry, by date."""

    poi_ids: tuple[str, ...]
    dated_mw: FloatArray  # (B, T) layer headroom, grid MW; 0 where offers rule
    demand_charge_musd: FloatArray  # (B,) MUSD per grid MW and year
    most_mw: FloatArray  # (B,) finite: most that the POI can ever carry, grid MW
    existing_mw: FloatArray  # (S,) contracted at the site outside offers, grid MW
    offer_ids: tuple[str, ...]
    offer_poi: IntArray  # (O,)
    offer_mw: FloatArray  # (O,) increment over lower tranches, grid MW
    offer_share: (
        FloatArray  # (O, T) share of its MW that is there: 0 outside its dates, then ramping
    )
    offer_firm: BoolArray  # (O,) counts as firm; False: a source of `Flexible`
    area_mw: FloatArray  # (B, T) non-firm MW of areas that the POI could have alone
    offer_min_take: FloatArray  # (O,) share, 0..1
    offer_security_musd: FloatArray  # (O,) per grid MW
    offer_security_year: IntArray  # (O,) index in Timeline.years
    offer_upgrade_musd: FloatArray  # (O,) once, if accepted
    ramp_mw_per_year: float | None  # most growth of a POI's contracted grid MW
    step_pois: IntArray  # (N,) POIs where upgrade steps can be bought
    step_mw: float
    step_musd: float
    step_lead_months: float
    step_most: int
    shared_ids: tuple[str, ...]
    shared: tuple[tuple[int, IntArray, FloatArray, FloatArray], ...]
    """Per limit: (index, POIs (n,), factors (n, T) nan where not standing, mw (T,) inf: none)."""


@dataclass(frozen=True)
class Halls:
    """Hall classes. Without classes there is one, `none`, and ``whole`` is False."""

    ids: tuple[str, ...]
    whole: bool
    mw: FloatArray  # (K,) IT MW of one hall
    pue_peak: FloatArray  # (S, K)
    pue_avg: FloatArray  # (S, K)
    capex_musd: FloatArray  # (K,) per hall, before the site's factor
    life_years: FloatArray  # (K,)
    lead_months: FloatArray  # (K,)
    om_musd: FloatArray  # (K,) per hall and year
    ha: FloatArray  # (K,) land per hall
    liquid: FloatArray  # (K,) share of heat
    wue: FloatArray  # (K,) litres per IT kWh
    base: IntArray  # (K,) class it retrofits, -1: new build
    existing: IntArray  # (S, K) halls that stand
    most: IntArray  # (S, K) most halls; 0: the class is not possible there
    build_from: IntArray  # (S, K) first period a new or converted hall can stand; T: never
    substation_musd_per_mw: float  # per design-day grid MW of new halls


@dataclass(frozen=True)
class HardwareData:
    """Hardware. Without it there is one, `it`, and ``bought`` is False."""

    ids: tuple[str, ...]
    bought: bool
    fits: BoolArray  # (K, H)
    buy_from: IntArray  # (S, H) first period it can be bought; T: never
    capex_musd: FloatArray  # (H,) per IT MW
    life_years: FloatArray  # (H,)
    lead_months: FloatArray  # (H,)
    maintenance_musd: FloatArray  # (H,) per IT MW and year
    gain: FloatArray  # (H, W) ref_mw per IT MW, network share taken off
    existing_mw: FloatArray  # (S, K, H, T) alive IT MW of existing vintages


@dataclass(frozen=True)
class DemandData:
    """Work asked and who can serve it."""

    workloads: tuple[str, ...]
    places: tuple[str, ...]
    mw: FloatArray  # (W, D, T) ref_mw
    must: BoolArray  # (W,)
    penalty_musd: FloatArray  # (W,) per ref_mw and year
    weight: FloatArray  # (W,)
    serve_site: IntArray  # (N,) who can serve ...
    serve_workload: IntArray  # (N,) ... which workload ...
    serve_place: IntArray  # (N,) ... at which place
    transport_musd: FloatArray  # (N,) per ref_mw and year
    pooled: bool = False  # work of a site is one column for all places: see `sitepick.serving`


@dataclass(frozen=True)
class Flexible:
    """Non-firm MW by source: offers that are not firm, then areas. F sources, Q pairs.

    A MW of a source is cut in ``hours`` of the year, by ``depth`` in the mean, by ``deepest`` at
    most; ``off`` is the part of the year that makes, hours * depth / 8760.
    """

    sources: tuple[str, ...]  # offer:ID or area:NAME
    offer: IntArray  # (F,) index in Headroom.offer_ids; -1: an area
    mw: FloatArray  # (F,) most, grid MW
    share: FloatArray  # (F, T) part of its MW that is there, 0..1
    deepest: FloatArray  # (F,) share, 0..1
    off: FloatArray  # (F,) share of the year, 0..1
    battery_mw: FloatArray  # (F,) battery MW that make a MW of it firm
    pair_tie: IntArray  # (Q,) ties that may use a source ...
    pair_source: IntArray  # (Q,) ... and which
    tolerance: FloatArray  # (W,) share of IT MW that can be shed, 0..1
    moved: FloatArray  # (W,) share of that work which is not lost, 0..1
    pue_peak: FloatArray  # (S,) least of the site's classes
    pue_avg: FloatArray  # (S,) least of the site's classes
    batteries: bool  # can be bought
    battery_musd: float  # per MW
    battery_life_years: float
    battery_lead_months: float
    battery_loss: float  # MWh lost per MWh delivered


@dataclass(frozen=True)
class RegionRow:
    """One rule for one region. ``sites`` are those inside; None: no such limit."""

    label: str  # "state TX"
    sites: IntArray
    max_grid_mw: FloatArray | None  # (T,) inf before its first date
    max_it_mw: FloatArray | None  # (T,)
    min_it_mw: FloatArray | None  # (T,)
    max_share: float | None
    max_co2_kt: float | None
    max_water_ml: float | None


@dataclass(frozen=True)
class Entry:
    """A region that costs something to enter, or is counted."""

    level: str
    region_id: str
    sites: IntArray
    entry_musd: float
    min_it_mw: float  # at the horizon's end once entered
    counted: bool  # a single region, which `max_entered` counts


@dataclass(frozen=True)
class Supply:
    """A limited supply. ``sites`` None: all."""

    name: str
    per: str
    amount: float
    hardware: int  # -1: not hardware
    cap: FloatArray  # (Y,) inf: unlimited
    lead_months: float
    sites: IntArray | None
    unit: str


@dataclass(frozen=True)
class Permit:
    """Most MW of blocks of some (site, option) pairs standing at one time."""

    label: str  # "state TX"
    pairs: IntArray  # indices into Onsite.site
    max_mw: float


@dataclass(frozen=True)
class Onsite:
    """On-site power: P options, Q possible pairs of site and option, in order of site."""

    ids: tuple[str, ...]
    whole: BoolArray  # (P,) blocks are whole; else MW are continuous
    bridge: BoolArray  # (P,) stands in for grid MW to come
    islanded: BoolArray  # (P,) may serve where no tie stands
    leaves: BoolArray  # (P,) may leave before the end of its life
    block_mw: FloatArray  # (P,)
    spare: IntArray  # (P,) blocks that do not count as firm
    credit: FloatArray  # (P,) firm MW per MW of the other blocks
    energy_share: FloatArray  # (P,) most mean MW per MW of blocks
    solar: tuple[tuple[int, float, float], ...]
    """(option, a, b): mean MW <= a x mean facility MW of the site + b x MW of blocks."""
    life_years: FloatArray  # (P,)
    lead_months: FloatArray  # (P,)
    serve_periods: IntArray  # (P,) periods that a block may serve; T: all
    capex_musd: FloatArray  # (P,) per block
    salvage: FloatArray  # (P,) share of the remaining annuities returned
    fixed_musd: FloatArray  # (P,) rent and fixed O&M per block and year
    ha: FloatArray  # (P,) per block
    co2_kt: FloatArray  # (P,) per mean MW and year
    site: IntArray  # (Q,)
    option: IntArray  # (Q,)
    build_from: IntArray  # (Q,) first period of blocks; T: never
    most: IntArray  # (Q,) most blocks
    energy_musd: FloatArray  # (Q,) fuel and variable O&M per mean MW and year
    permits: tuple[Permit, ...]

    @property
    def sites(self) -> IntArray:
        """Return the sites that have some option, sorted."""
        return np.unique(self.site)


@dataclass(frozen=True)
class Commitment:
    """Something decided from period ``start``: a site open, least MW, a member of a ``group``."""

    site: int
    what: str
    mw: float
    start: int
    group: int = -1


@dataclass(frozen=True)
class Adequacy:
    """Reserve margin of a zone: ``factor`` x grid MW at its POIs <= ``room_mw``."""

    label: str  # "all" or the zone
    pois: IntArray
    factor: float  # share drawn in the condition x (1 + reserve margin)
    room_mw: FloatArray  # (T,) capacity and imports less other load with its reserve, MW


@dataclass(frozen=True)
class Joint:
    """The grid that must carry what all POIs draw together. C conditions, U line upgrades."""

    conditions: tuple[str, ...]
    new_load: FloatArray  # (C,) share of contracted grid MW that is drawn
    bus: IntArray  # (B,) bus of each POI
    upgrade_ids: tuple[str, ...]  # (U,) branch_id
    upgrade_mw: FloatArray  # (U,) normal rating added
    upgrade_musd: FloatArray  # (U,)
    upgrade_lead_months: FloatArray  # (U,)
    adequacy: tuple[Adequacy, ...]


@dataclass(frozen=True)
class Earlier:
    """The earlier plan that should change least, by the sites, ties and periods of today."""

    it_mw: FloatArray  # (S, T) 0 where it is not compared
    stands: BoolArray  # (S, T) its sites that are open; False where it is not compared
    compared: BoolArray  # (T,) the earlier plan says what stands on the period's first day
    planned: BoolArray  # (S,) its sites, whenever they open
    tied: BoolArray  # (E,) ties to POIs that its site had


@dataclass(frozen=True)
class Instance:
    """Everything a block may read."""

    time: Timeline
    sites: Sites
    ties: Ties
    headroom: Headroom
    onsite: Onsite
    halls: Halls
    hardware: HardwareData
    demand: DemandData
    flexible: Flexible
    leases: Leases
    regions: tuple[RegionRow, ...]
    entries: tuple[Entry, ...]
    max_entered: tuple[tuple[str, int], ...]
    supplies: tuple[Supply, ...]
    commitments: tuple[Commitment, ...]
    budget_musd: FloatArray | None  # (Y,)
    budget_from: int  # first calendar year (index) with a budget; earlier cash counts with it
    carry_over: bool
    load_factor: float  # mean over nameplate
    grid: bool  # power is modelled
    max_cost_musd: float | None
    max_co2_kt: float | None
    max_water_ml: float | None
    min_it_mw: FloatArray  # (T,) of the whole plan
    min_served: FloatArray  # (T,) ref_mw of all workloads
    objective: str
    joint: Joint | None = None  # None: headroom by POI is all that limits
    earlier: Earlier | None = None  # None: no plan to keep
    fiber: Fiber | None = None  # None: no fiber network is given
    splits: Splits | None = None  # None: no request needs two pools
    swing: FloatArray | None = None  # (W,) power above nameplate, share
    groups: Groups = NO_GROUPS
    trimmed: bool = False  # without what no plan can use: `sitepick.blocks.energised`

    @property
    def leased(self) -> BoolArray:
        """Return (S,) which sites are offers of leased halls."""
        return np.isin(np.arange(len(self.sites.ids)), self.leases.site)

    def _tie_names(self) -> tuple[str, ...]:
        """Return (E,) site>POI, with the kV where there are ties of several."""
        pairs = list(zip(self.ties.site.tolist(), self.ties.poi.tolist(), strict=True))
        count = Counter(pairs)
        return tuple(
            f"{self.sites.ids[i]}>{self.headroom.poi_ids[b]}"
            + (f"@{kv:g}kV" if count[i, b] > 1 else "")
            for (i, b), kv in zip(pairs, self.ties.kv, strict=True)
        )

    @property
    def dims(self) -> dict[str, tuple[str, ...]]:
        """Names of the integer keys, for LP files and messages."""
        return {
            "site": self.sites.ids,
            "poi": self.headroom.poi_ids,
            "tie": self._tie_names(),
            "offer": self.headroom.offer_ids,
            "hall": self.halls.ids,
            "hardware": self.hardware.ids,
            "workload": self.demand.workloads,
            "place": self.demand.places,
            "period": self.time.names,
            "year": tuple(str(y) for y in self.time.years),
            "entry": tuple(f"{e.level} {e.region_id}" for e in self.entries),
            "rule": tuple(r.label for r in self.regions),
            "supply": tuple(s.name for s in self.supplies),
            "limit": self.headroom.shared_ids,
            "source": self.flexible.sources,
            "option": self.onsite.ids,
            "end": (*self.time.names, "end"),
            "lease": tuple(self.sites.ids[i] for i in self.leases.site),
            "permit": tuple(p.label for p in self.onsite.permits),
            **({} if self.fiber is None else self.fiber.dims),
            **({} if self.splits is None else self.splits.dims),
            **self.groups.dims,
            **(
                {}
                if self.joint is None
                else {
                    "condition": self.joint.conditions,
                    "upgrade": self.joint.upgrade_ids,
                    "zone": tuple(z.label for z in self.joint.adequacy),
                }
            ),
        }
