"""Scenario sections on demand, existing sites, fiber, regions, supply and limits."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from sitepick.scenario.fiber_capacity import Capacity, Service, Split
from sitepick.scenario.fields import (
    FirstDay,
    LastDay,
    NonNegative,
    Number,
    OneOrMany,
    Percent,
    Positive,
    Section,
    Series,
    Whole,
    YearSeries,
)


class Workload(Section):
    """Work to be served, in ref_mw: the work of 1 IT MW of the reference hardware."""

    uses: Literal["training", "prefill", "decode", "it"] = Field(
        "it", description="Which yield of the hardware serves it."
    )
    ref_mw: Series | None = Field(
        None, description="Demand by date, ref_mw (IT MW with `hardware: none`)."
    )
    spread: Literal["anywhere", "by_weight"] = Field(
        "anywhere", description="by_weight: split over the demand places by their weight."
    )
    rtt_ms_max: Positive | None = Field(
        None, description="Largest round-trip time to the place, ms."
    )
    must_serve: bool = Field(
        False, description="true: no turned-away work; infeasible if it cannot be placed."
    )
    shortfall_musd_per_mw_year: NonNegative = Field(
        10, description="Price of turned-away work, MUSD per ref_mw and year."
    )
    weight: Positive = Field(1, description="Weight in `objective: max_compute`.")
    curtailable_pct: Percent | None = Field(
        None,
        description="Part of its IT MW that can be shed while the grid curtails, % (default: training 25, others 0).",
    )
    moved_pct: Percent = Field(
        0, description="Part of the shed work that other places do meanwhile, %: it is not lost."
    )
    power_swing_pct: Percent = Field(
        0,
        description="Swing of its power above nameplate, %: contracted MW, or batteries, must cover it.",
    )


class Demand(Section):
    """What is asked: either `it_mw`, or workloads."""

    it_mw: Series | None = Field(
        None, description="IT MW by date, placed anywhere (short for one workload)."
    )
    spread: Literal["anywhere", "by_weight"] = Field(
        "anywhere", description="For `it_mw`: see workloads."
    )
    rtt_ms_max: Positive | None = Field(
        None, description="For `it_mw`: largest round-trip time, ms."
    )
    must_serve: bool = Field(False, description="For `it_mw`: true makes it hard.")
    shortfall_musd_per_mw_year: NonNegative = Field(
        4, description="For `it_mw`: price of turned-away IT MW per year, MUSD."
    )
    curtailable_pct: Percent | None = Field(
        None, description="For `it_mw`: part that can be shed, % (default 0)."
    )
    moved_pct: Percent = Field(0, description="For `it_mw`: part of it that is not lost, %.")
    workloads: dict[str, Workload] = Field({}, description="Workloads by name.")
    splits: list[Split] = Field(
        [], description="Requests that need a prefill and a decode pool near to one another."
    )
    route_factor: Annotated[Number, Field(ge=1, le=4)] = Field(
        1.4,
        description="Fiber route km per straight km, where no route over the fiber layers is known.",
    )
    hop_ms: NonNegative = Field(0.5, description="Equipment delay added to each round trip, ms.")
    transport_usd_per_mw_km_year: NonNegative = Field(
        0, description="Cost of carrying the traffic of 1 ref_mw over 1 route km for a year, USD."
    )

    @model_validator(mode="after")
    def _one_form(self) -> Demand:
        if self.it_mw is not None and self.workloads:
            raise ValueError("give either 'it_mw' or 'workloads', not both")
        return self

    def named(self) -> dict[str, Workload]:
        """Return the workloads by name; `it_mw` is the single workload `it`."""
        if self.workloads:
            return dict(self.workloads)
        return {
            "it": Workload(
                uses="it", ref_mw=self.it_mw, spread=self.spread, rtt_ms_max=self.rtt_ms_max,
                must_serve=self.must_serve,
                shortfall_musd_per_mw_year=self.shortfall_musd_per_mw_year,
                curtailable_pct=self.curtailable_pct, moved_pct=self.moved_pct,
            )
        }  # fmt: skip


class ExistingHardware(Section):
    """Accelerators already installed."""

    hall: str = Field(description="Hall class they stand in.")
    hardware: str = Field(description="Hardware id.")
    it_mw: Positive = Field(description="IT MW.")
    since: FirstDay = Field(description="Start of their life.")


class ExistingSite(Section):
    """What stands at a parcel or site with decision `existing`."""

    site_id: str = Field(min_length=1, description="Id of the parcel or site.")
    halls: dict[str, Annotated[Whole, Field(ge=0)]] = Field(
        {}, description="Hall class -> whole halls."
    )
    hardware: list[ExistingHardware] = Field([], description="Installed hardware by vintage.")
    grid_mw: NonNegative = Field(
        0, description="Contracted grid MW at the site's POI, outside any letter."
    )


class Fiber(Section):
    """The fiber network and access to it."""

    musd_per_km: NonNegative = Field(0.06, description="Lateral cost, MUSD per route km.")
    route_factor: Annotated[Number, Field(ge=1, le=3)] = Field(
        1.3, description="Lateral route km per straight km."
    )
    diverse: bool = Field(
        False,
        description="Two laterals, to entries of the network that no single cut parts from its core (double the first where no second is known).",
    )
    life_years: Positive = Field(20, description="Life of laterals, years.")
    snap_km: Positive = Field(
        0.1,
        description="Ends of links this close to a node, to each other or to a link are joined, km.",
    )
    straight_factor: Annotated[Number, Field(ge=1, le=4)] = Field(
        1.3,
        description="Route km per km of a link drawn as one straight line of more than 10 km, where the layer states no km.",
    )
    enter_at: Literal["links", "nodes"] = Field(
        "links", description="Where a lateral may enter: anywhere on a link, or at nodes only."
    )
    entry_km: Positive = Field(
        25,
        description="Largest distance between the entries on a link, km; traffic runs along the link to the nearest.",
    )
    right_of_way_km: Positive = Field(
        5,
        description="Fiber nodes at most this far from a right of way are joined to it by new fiber, km.",
    )
    place_km_max: Positive = Field(
        50,
        description="Demand places further than this from the network are not connected to it, km.",
    )
    capacity: Capacity = Field(
        default_factory=Capacity, description="What carries traffic on the fiber network."
    )
    services: list[Service] = Field(
        [], description="Traffic between sites and places that the fiber network carries."
    )


class RegionRule(Section):
    """A rule for one or more regions of a level."""

    level: str = Field("region", description="Region level the rule speaks of.")
    ids: OneOrMany[str] | None = Field(
        None, description="Region ids (default: every region of the level)."
    )
    together: bool = Field(False, description="true: the ids count as one region for this rule.")
    forbid: bool = Field(False, description="No site at all.")
    entry_musd: NonNegative = Field(0, description="Cost of entering, MUSD.")
    min_it_mw_once_entered: NonNegative = Field(
        0, description="IT MW at the horizon's end if entered."
    )
    max_grid_mw: Series | None = Field(None, description="Most grid MW by date.")
    max_it_mw: Series | None = Field(None, description="Most IT MW by date.")
    min_it_mw: Series | None = Field(None, description="Least IT MW by date (sovereignty).")
    max_share_pct: Percent | None = Field(
        None, description="Largest share of all IT MW in any period, %."
    )
    closed_from: FirstDay | None = Field(
        None, description="Moratorium: nothing new is energised from here..."
    )
    closed_to: LastDay | None = Field(None, description="...to here (default: for ever).")
    allowed_hardware: OneOrMany[str] | None = Field(
        None, description="Only these hardware ids (export rules)."
    )
    hardware_delay_months: NonNegative = Field(
        0, description="Licensing time added to hardware lead time."
    )
    capex_factor: Positive = Field(1, description="Facility capex multiplier.")
    max_co2_kt_per_year: NonNegative | None = Field(
        None, description="Most CO2 of the region's sites, kt per year."
    )
    max_water_ml_per_year: NonNegative | None = Field(
        None, description="Most on-site water, million litres per year."
    )


class Regions(Section):
    """Which regions are entered, and their rules."""

    rules: list[RegionRule] = Field([], description="Rules; several may name the same region.")
    max_entered: dict[str, Annotated[Whole, Field(ge=0)]] = Field(
        {}, description="Level -> most regions entered."
    )


class SupplyItem(Section):
    """Something bought or hired whose supply is limited by calendar year."""

    per: Literal["grid_mw", "it_mw", "liquid_it_mw", "construction_it_mw", "hardware_it_mw"] = (
        Field(
            description="What uses it: newly energised design-day grid MW, newly built hall IT MW, the liquid-cooled part of it, IT MW-years under construction, IT MW bought of `hardware`."
        )
    )
    amount: Positive = Field(1, description="Units of the item per MW.")
    hardware: str | None = Field(None, description="Hardware id (per: hardware_it_mw).")
    cap: YearSeries = Field(
        description="Units available by calendar year; years not named are unlimited."
    )
    lead_months: NonNegative = Field(
        0,
        description="Months from order (not before as_of) to energised; the order's year is charged.",
    )
    level: str | None = Field(None, description="Region level of `ids`.")
    ids: OneOrMany[str] | None = Field(
        None, description="Regions that share the cap (default: all sites)."
    )
    unit: str = Field("units", description="Name of the unit, for reports.")

    @model_validator(mode="after")
    def _complete(self) -> SupplyItem:
        if (self.per == "hardware_it_mw") != (self.hardware is not None):
            raise ValueError("'hardware' goes with 'per: hardware_it_mw', and only with it")
        if (self.level is None) != (self.ids is None):
            raise ValueError("'level' and 'ids' go together")
        return self


class Limits(Section):
    """Bounds on what is not the objective, for the whole plan."""

    net_present_cost_musd_max: NonNegative | None = Field(
        None, description="Net present cost without the shortfall penalty, MUSD."
    )
    sites_max: Whole | None = Field(
        None, ge=0, description="Most sites open, existing ones included."
    )
    co2_kt_per_year_max: NonNegative | None = Field(
        None, description="CO2 of grid and on-site energy in any period, kt per year."
    )
    water_ml_per_year_max: NonNegative | None = Field(
        None, description="On-site water in any period, million litres per year."
    )
    it_mw_min: Series | None = Field(
        None, description="Least IT MW of the whole plan by date, existing sites included."
    )
    served_ref_mw_min: Series | None = Field(
        None, description="Least work served by date, all workloads together, ref_mw."
    )


class Solver(Section):
    """How long to search and when to stop."""

    gap_pct: Percent = Field(
        0.25, description="Asked gap of the objective, %; also of the cost without penalty."
    )
    time_limit_s: Positive = Field(600, description="Seconds of solving.")
    work_limit: Positive | None = Field(
        None, description="Deterministic work limit (same bytes on any machine)."
    )
    threads: Whole = Field(2, ge=1, le=256, description="Threads.")
    seed: Whole = Field(0, ge=0, description="Random seed.")
    name: str = Field(
        "highs", description="highs, cbc, scip, cp-sat, or any solver that PuLP finds."
    )
