"""Scenario sections on what fiber carries and costs: pairs, optics, waves, new routes, services."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Discriminator, Field, Tag, model_validator

from sitepick.scenario.catalog import Row, resolved, table
from sitepick.scenario.fields import (
    NonNegative,
    Number,
    OneOrMany,
    Positive,
    Section,
    Whole,
)

if TYPE_CHECKING:
    from sitepick.scenario.schema import Scenario

TABLE = "optics"
GBPS = 1000.0
"""Gb/s in a Tb/s."""
_PriceYear = Annotated[
    Whole | None,
    Field(description="Price year of the money (default: the scenario's)."),
]
_Hours = Annotated[Number, Field(ge=0, le=8784)]


class Optics(Row):
    """A class of optics: how far light goes before it is made anew, and what a pair carries."""

    name: str = Field("", description="What it is, in words.")
    reach_km: Positive = Field(description="Longest section, route km.")
    tbps_per_pair: Positive = Field(description="What a lit pair carries each way, Tb/s.")
    usd_per_gbps_end: NonNegative = Field(
        description="Transponders or pluggables at one end, USD per Gb/s lit."
    )
    ila_km: Positive | None = Field(
        None, description="Spacing of in-line amplifiers, km (default: none are needed)."
    )
    ila_musd: NonNegative = Field(0, description="Lit in-line amplifier site, MUSD per pair.")
    life_years: Positive = Field(7, description="Life of transponders, years.")
    lead_months: NonNegative = Field(6, description="Months from order to light.")


class Pair(Section):
    """Dark pairs leased on fiber that is there. Defaults: catalog row pair_iru."""

    iru_usd_per_km: NonNegative = Field(
        2000, description="Paid once for the term (IRU), USD per pair and route km."
    )
    lease_usd_per_km_year: NonNegative = Field(
        0,
        description="Rent, USD per pair, route km and year. The rent that an edge of the network states stands in place of this and of the IRU.",
    )
    term_years: Whole = Field(20, ge=1, le=100, description="Leased pairs stay so long, years.")
    maintenance_usd_per_km_year: NonNegative = Field(
        150, description="Maintenance, USD per route km and year, however many pairs."
    )
    lead_months: NonNegative = Field(6, description="Months from order to delivery.")
    per_edge: Whole = Field(
        4, ge=0, description="Pairs to be had on an edge whose network does not say it."
    )
    price_year: _PriceYear = None


class Build(Section):
    """New fiber along rights of way (edges that are new). Defaults: catalog row build_long_haul."""

    usd_per_km: NonNegative = Field(80_000, description="New route, USD per route km.")
    pairs: Whole = Field(24, ge=1, description="Pairs that a new route has.")
    life_years: Positive = Field(25, description="Life of a new route, years.")
    lead_months: NonNegative = Field(30, description="Months of permits and works.")
    price_year: _PriceYear = None


class Wave(Section):
    """Waves leased on somebody else's lit fiber. Defaults: catalog row wave_400g."""

    tbps: Positive = Field(0.4, description="What a wave carries each way, Tb/s.")
    usd_per_km_month: NonNegative = Field(
        14, description="Price, USD per wave, route km and month."
    )
    usd_per_month: NonNegative = Field(0, description="Price whatever the length, USD per month.")
    lead_months: NonNegative = Field(3, description="Months from order to delivery.")
    per_edge: Whole = Field(
        20, ge=0, description="Waves to be had on an edge whose network does not say it."
    )
    burst_factor: Number = Field(
        3,
        ge=1,
        description="An hour of a wave that is leased for peaks only costs so many hours of one that is leased by the month.",
    )
    price_year: _PriceYear = None


def _form(value: object) -> str | None:
    if isinstance(value, (dict, Section)):
        return "<row>"
    return None if value is None or isinstance(value, (list, tuple)) else "<id>"


# the tags in angle brackets are no YAML keys: where an error lies is read off the tree without them
_OpticsRow = Annotated[
    Annotated[str, Tag("<id>")] | Annotated[Optics, Tag("<row>")],
    Discriminator(
        _form,
        custom_error_type="row_form",
        custom_error_message="must be an id of `sitepick catalog optics`, or a row of your own",
    ),
]


class Capacity(Section):
    """What carries the traffic on the edges of the fiber network."""

    optics: list[_OpticsRow] = Field(
        ["zr", "zr_plus", "long_haul"],
        description="Classes of optics: catalog ids, or own rows (same id replaces). An edge takes the shortest reach that spans it; above the longest, light is made anew on the way.",
    )
    pair: Pair | None = Field(
        default_factory=Pair, description="Leased dark pairs; null: none are to be had."
    )
    build: Build | None = Field(
        default_factory=Build, description="New routes; null: none are built."
    )
    wave: Wave | None = Field(
        default_factory=Wave, description="Leased waves; null: none are to be had."
    )
    routes: Whole = Field(
        2, ge=1, le=8, description="Shortest routes between two nodes that traffic may share."
    )


class Traffic(Section):
    """Traffic per MW of work: ordinary, and at peaks."""

    gbps_per_ref_mw: Positive = Field(description="Traffic of 1 ref_mw each way, Gb/s.")
    peak_gbps_per_ref_mw: Positive | None = Field(
        None, description="The same in peak hours (default: there are no peaks)."
    )
    peak_hours_per_year: _Hours = Field(
        0, description="Hours a year of peaks. Peaks of all traffic fall together."
    )

    @model_validator(mode="after")
    def _peak_above(self) -> Traffic:
        peak = self.peak_gbps_per_ref_mw
        if (peak is None) != (self.peak_hours_per_year == 0):
            raise ValueError("'peak_gbps_per_ref_mw' and 'peak_hours_per_year' go together")
        if peak is not None and peak < self.gbps_per_ref_mw:
            raise ValueError(f"the peak, {peak:g} Gb/s, is below the {self.gbps_per_ref_mw:g} Gb/s")
        return self

    @property
    def tbps(self) -> float:
        """Tb/s of 1 ref_mw in ordinary hours."""
        return self.gbps_per_ref_mw / GBPS

    @property
    def peak_tbps(self) -> float:
        """Tb/s of 1 ref_mw in peak hours."""
        return (self.peak_gbps_per_ref_mw or self.gbps_per_ref_mw) / GBPS


class Service(Traffic):
    """Traffic of a workload between the sites that serve it and its places, or nodes."""

    name: str = Field(min_length=1, max_length=80, description="Name used in every output.")
    workload: str = Field(description="Workload whose served work makes the traffic.")
    to_nodes: OneOrMany[str] | None = Field(
        None,
        description="Fiber nodes, of which the nearest takes the traffic (default: the demand places that are served).",
    )


class Split(Traffic):
    """Requests that need two pools, prefill and decode, near to one another.

    The traffic is the KV cache handed over, per ref_mw of decode.
    """

    name: str = Field(min_length=1, max_length=80, description="Name used in every output.")
    prefill: str = Field(description="Workload of the prefill pool.")
    decode: str = Field(description="Workload of the decode pool.")
    rtt_ms_max: Positive = Field(
        1, description="Largest round-trip time from a prefill site to a decode site, ms."
    )


def optics_of(scenario: Scenario) -> tuple[Optics, ...]:
    """Return the scenario's classes of optics, shortest reach first; own rows replace.

    Raises KeyError for an unknown id; `read_scenario` has refused those already.
    """
    rows = resolved(scenario.fiber.capacity.optics, Optics, TABLE, _plain)
    return tuple(sorted(rows, key=lambda row: (row.reach_km, row.id)))


def _plain(row: dict[str, object]) -> dict[str, object]:
    """Return a row of the catalog without what is only shown: its kind, ranges and notes."""
    shown = ("kind", "note")
    return {k: v for k, v in row.items() if not k.endswith(("_low", "_high")) and k not in shown}


def peak_hours(scenario: Scenario) -> list[float]:
    """Return the distinct hours a year of peaks of all traffic, ascending."""
    named: list[Traffic] = [*scenario.fiber.services, *scenario.demand.splits]
    return sorted({s.peak_hours_per_year for s in named if s.peak_tbps > s.tbps})


def optics_ids() -> list[str]:
    """Return the ids of the catalog's classes of optics."""
    return [str(row["id"]) for row in table(TABLE) if row["kind"] == "reach"]
