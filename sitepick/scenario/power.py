"""Scenario sections on candidates and on where grid MW come from."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from sitepick.scenario.fields import (
    NonNegative,
    Number,
    OneOrMany,
    Percent,
    Positive,
    Section,
    Whole,
)

Stage = Literal["energised", "signed", "studied", "requested", "published", "assumed"]
"""How firm a megawatt is, firmest first."""
STAGES: tuple[Stage, ...] = (
    "energised", "signed", "studied", "requested", "published", "assumed",
)  # fmt: skip


class CandidateRules(Section):
    """Which places become candidates, and what they must pass."""

    source: Literal["auto", "at_pois", "parcels", "table"] = Field(
        "auto", description="auto: parcels if given, else table, else at_pois."
    )
    area_ha: NonNegative = Field(
        100, description="Buildable area assumed at each POI, ha (at_pois only)."
    )
    land_musd_per_ha: NonNegative = Field(
        0.15, description="Land price where the parcel states none, MUSD/ha."
    )
    min_ha: NonNegative = Field(0, description="Smallest usable area, ha.")
    min_kv: NonNegative = Field(0, description="Lowest POI voltage considered, kV.")
    min_headroom_mw: NonNegative = Field(
        0, description="Smallest dated grid MW at the POI within the horizon."
    )
    fiber_km_max: Positive | None = Field(
        None, description="Largest route distance to fiber, km; unknown passes and is counted."
    )
    max_it_mw_per_site: Positive | None = Field(None, description="Largest campus, IT MW.")
    min_it_mw_per_site: NonNegative = Field(
        0, description="Smallest campus once opened, IT MW from the first period after opening."
    )
    climate: Literal["cold", "mild", "hot_dry", "hot_humid"] | None = Field(
        None, description="Climate where neither the candidate nor its region states one."
    )
    site_fixed_musd: NonNegative = Field(0, description="Fixed cost of opening a site, MUSD.")
    site_life_years: Positive = Field(30, description="Life of fixed works, land excluded, years.")
    site_om_musd_per_year: NonNegative = Field(
        0, description="Fixed yearly cost of an open site, MUSD."
    )


class UpgradeStep(Section):
    """Headroom that can be bought at any POI, in steps."""

    mw: Positive = Field(description="Grid MW per step.")
    musd: NonNegative = Field(description="Cost per step, MUSD.")
    lead_months: NonNegative = Field(36, description="Months from order to energised.")
    max_steps: Whole = Field(1, ge=1, le=20, description="Most steps per POI.")


class QueueRule(Section):
    """How long MW without a letter or a date of their own wait, by region and size."""

    level: str | None = Field(
        None,
        min_length=1,
        description="Level of the region; with `region_id`, or none: everywhere.",
    )
    region_id: str | None = Field(None, min_length=1, description="Region of that level.")
    over_mw: NonNegative = Field(
        0,
        description="The wait of the MW of a POI above this many; those below follow the rule for smaller sizes.",
    )
    years: NonNegative = Field(description="Years from as_of until these MW are energised.")

    @model_validator(mode="after")
    def _whole_region(self) -> QueueRule:
        if (self.level is None) != (self.region_id is None):
            raise ValueError("level and region_id go together; without both the rule is everywhere")
        return self


class Power(Section):
    """Where grid MW come from, from when, and what they cost."""

    model: Literal["grid", "none"] = Field(
        "grid", description="none: power is no limit (plain facility location)."
    )
    unknown_headroom: Literal["exclude", "zero"] = Field(
        "exclude",
        description="exclude: a POI without a stated MW is no candidate and is counted; zero: it is one, with 0 MW until an upgrade step.",
    )
    headroom_pct: Percent = Field(
        100, description="Share of a layer's headroom that may be used, %."
    )
    headroom_stage: Stage = Field(
        "published", description="Stage of MW that come from a layer, not from a letter."
    )
    wait_years: NonNegative = Field(
        0, description="Years from as_of until a layer's headroom without a date is energised."
    )
    queue: list[QueueRule] = Field(
        [],
        description="The same by region and size, in place of wait_years: for each MW the rule of the smallest region that states one for its size. Beside layers.queue, whose rows it replaces.",
    )
    queue_percentile: Literal["p10", "p50", "p90"] = Field(
        "p50", description="Which years are taken from a queue table that states three."
    )
    count_stages: OneOrMany[Stage] = Field(
        ["energised", "signed", "studied", "published"], description="Stages whose MW count."
    )
    ramp_years: NonNegative = Field(
        0,
        description="Years over which a layer's headroom grows to all of its MW, in equal steps of whole periods from its date on; a letter states its own.",
    )
    max_ramp_mw_per_year: Positive | None = Field(
        None, description="Most grid MW by which the contracted MW of one POI may grow per year."
    )
    slip_years: dict[Stage, NonNegative] = Field(
        {}, description="Years by which a stage's dates slip."
    )
    nonfirm: Literal["exclude", "count", "flexible"] = Field(
        "exclude",
        description="Whether non-firm (curtailable) MW count. count: as if they were firm. flexible: as far as the site can shed work or batteries stand in, at the price of what is lost.",
    )
    tie_km_max: Positive = Field(30, description="Longest tie from a parcel to a POI, route km.")
    max_ties: Whole = Field(
        1, ge=1, le=4, description="Most ties of one site: POIs, or voltages of a POI."
    )
    candidate_pois: Whole = Field(
        4, ge=1, le=50, description="Nearest POIs considered per parcel without `poi_ids`."
    )
    route_factor: Annotated[Number, Field(ge=1, le=3)] = Field(
        1.3, description="Tie route km per straight km."
    )
    tie_musd_per_km: dict[Positive, NonNegative] = Field(
        {69: 0.9, 115: 1.2, 138: 1.4, 230: 1.7, 345: 2.2, 500: 2.8, 765: 3.8},
        description="Tie cost by kV, MUSD/km; the nearest class is used.",
    )
    tie_fixed_musd: NonNegative = Field(8, description="Switching station per tie, MUSD.")
    tie_mw_by_kv: dict[Positive, Positive] = Field(
        {34.5: 20, 69: 60, 115: 120, 138: 200, 230: 400, 345: 1000, 500: 2000, 765: 3500},
        description="Largest single-customer connection by kV, grid MW; the class at or below is used.",
    )
    tie_loadability: bool = Field(
        True,
        description="Whether a tie carries no more than one standard line of its kV and length can (`sitepick catalog line_types`, St Clair curve).",
    )
    tie_life_years: Positive = Field(30, description="Life of ties and substations, years.")
    tie_months: NonNegative = Field(24, description="Months to build a tie.")
    substation_musd_per_mw: NonNegative = Field(
        0.30, description="Customer substation per design-day grid MW, MUSD."
    )
    max_mw_per_poi: Positive | None = Field(
        None, description="Most grid MW at one POI (loss-of-load limit)."
    )
    upgrade_step: UpgradeStep | None = Field(
        None, description="Headroom that can be bought at POIs without a letter."
    )
    energy_usd_per_mwh: NonNegative = Field(
        55, description="Delivered energy price without a tariff row, USD/MWh."
    )
    demand_usd_per_kw_month: NonNegative = Field(
        6, description="Demand charge without a tariff row, USD per kW-month of contracted grid MW."
    )
    co2_kg_per_mwh: NonNegative = Field(
        370, description="Average grid CO2 without a tariff or region value, kg/MWh."
    )
    load_factor_pct: Percent = Field(75, description="Mean over nameplate IT power, %.")
