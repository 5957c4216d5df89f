"""The scenario: one class per YAML section. Field descriptions are the reference documentation.

Names end in their unit: ``_mw``, ``_km``, ``_ms``, ``_musd`` (million dollars, real, of
`Money.price_year`), ``_pct``, ``_ha``, ``_kv``. IT MW is power at the racks, facility MW is
IT MW x PUE, grid MW is what the point of interconnection (POI) carries.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag, model_validator

from sitepick.scenario.actions import Actions
from sitepick.scenario.assume import Assume
from sitepick.scenario.catalog import HallClass, Hardware
from sitepick.scenario.fields import (
    FirstDay,
    LastDay,
    Number,
    Percent,
    Section,
    Whole,
    YearSeries,
    whole,
)
from sitepick.scenario.flexible import Flexible
from sitepick.scenario.grid import GridStudy
from sitepick.scenario.groups import CampusGroup
from sitepick.scenario.inputs import LayerList
from sitepick.scenario.leases import Leases
from sitepick.scenario.onsite import Onsite
from sitepick.scenario.power import CandidateRules, Power
from sitepick.scenario.rules import Demand, ExistingSite, Fiber, Limits, Regions, Solver, SupplyItem


def _form(value: Any) -> str | None:
    if isinstance(value, (list, tuple)):
        return "<list>"
    return "<word>" if value == "none" else None


def _row_form(value: Any) -> str | None:
    if isinstance(value, (dict, Section)):
        return "<row>"
    return None if value is None or isinstance(value, (list, tuple)) else "<id>"


def _listed(value: Any) -> Any:
    return [value] if value != "none" and isinstance(value, (str, dict, Section)) else value


# the tags in angle brackets are no YAML keys: where an error lies is read off the tree without them
_HallRow = Annotated[
    Annotated[str, Tag("<id>")] | Annotated[HallClass, Tag("<row>")],
    Discriminator(
        _row_form,
        custom_error_type="row_form",
        custom_error_message="must be a hall class id, or a row of your own",
    ),
]
_HardwareRow = Annotated[
    Annotated[str, Tag("<id>")] | Annotated[Hardware, Tag("<row>")],
    Discriminator(
        _row_form,
        custom_error_type="row_form",
        custom_error_message="must be a hardware id, or a row of your own",
    ),
]
Version = Annotated[Literal[1], BeforeValidator(whole)]
HallList = Annotated[
    Annotated[Literal["none"], Tag("<word>")] | Annotated[list[_HallRow], Tag("<list>")],
    Discriminator(
        _form,
        custom_error_type="list_form",
        custom_error_message="must be 'none' or a list of hall class ids and rows",
    ),
    BeforeValidator(_listed),
]
HardwareList = Annotated[
    Annotated[Literal["none"], Tag("<word>")] | Annotated[list[_HardwareRow], Tag("<list>")],
    Discriminator(
        _form,
        custom_error_type="list_form",
        custom_error_message="must be 'none' or a list of hardware ids and rows",
    ),
    BeforeValidator(_listed),
]


FutureName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,39}$")]
Futures = Annotated[dict[FutureName, dict[str, Any]], Field(max_length=50)]


class Periods(Section):
    """The planning periods. A period is named by its first day and stands until the next."""

    from_: FirstDay = Field(alias="from", description="First day of the first period.")
    to: LastDay = Field(description="Last day of the last period (a year means 31 December).")
    step: Literal["year", "half_year", "quarter"] = Field("year", description="Period length.")

    @model_validator(mode="after")
    def _ordered(self) -> Periods:
        months = {"year": 12, "half_year": 6, "quarter": 3}[self.step]
        if self.to <= self.from_:
            raise ValueError(f"'to' ({self.to}) must be after 'from' ({self.from_})")
        if self.from_.day != 1:
            raise ValueError(f"'from' ({self.from_}) must be the first day of a month")
        span = (self.to.year - self.from_.year) * 12 + self.to.month - self.from_.month + 1
        if span % months:
            raise ValueError(f"{span} months from 'from' to 'to' are not whole periods of {months}")
        if span // months > 80:
            raise ValueError(f"{span // months} periods; at most 80 are allowed")
        return self


class Money(Section):
    """How money is counted: real, of one price year."""

    price_year: Whole = Field(2026, ge=1990, le=2100, description="All MUSD are of this year.")
    discount_rate_pct: Percent = Field(9, description="Real discount rate, % per year.")
    inflation_pct: Annotated[Number, Field(ge=-10, le=50)] = Field(
        2.5, description="Converts catalog prices of other price years, % per year."
    )


class Scenario(Section):
    """A whole scenario, `version: 1`."""

    version: Version = Field(description="Version of this format.")
    name: str = Field("plan", min_length=1, max_length=120, description="Name of the plan.")
    as_of: FirstDay = Field(description="Today, for the plan: nothing starts before it.")
    periods: Periods = Field(description="The planning periods.")
    money: Money = Field(default_factory=Money, description="Price year and rates.")
    objective: Literal["min_cost", "max_compute", "earliest_mw"] = Field(
        "min_cost", description="What is optimised; cost breaks ties."
    )
    layers: LayerList = Field(
        default_factory=LayerList,
        description="Input files: substations, parcels, letters, regions, ...",
    )
    candidates: CandidateRules = Field(
        default_factory=CandidateRules, description="Which places are considered."
    )
    power: Power = Field(
        default_factory=Power, description="Where grid MW come from, and what they cost."
    )
    grid: GridStudy | None = Field(
        None, description="The network that must carry the plan (DC power flow, N-1)."
    )
    flexible: Flexible = Field(
        default_factory=Flexible, description="Non-firm MW of areas, and batteries."
    )
    onsite: Onsite = Field(
        default_factory=Onsite, description="Power made on site, until the grid comes or for good."
    )
    leases: Leases = Field(
        default_factory=Leases, description="How offers of leased halls count (`layers.leases`)."
    )
    demand: Demand = Field(description="What is asked.")
    campus_groups: list[CampusGroup] = Field(
        [], description="Sites that act as one machine on a workload (scale-across)."
    )
    halls: HallList = Field(
        ["dlc"],
        description="Hall classes: catalog ids, or own rows (same id replaces). none: capacity is continuous.",
    )
    hardware: HardwareList = Field(
        "none",
        description="Hardware: catalog ids, or own rows. none: IT is outside the plan and demand is plain IT MW.",
    )
    reference_hardware: str = Field(
        "h100", description="Hardware whose work per IT MW is 1 ref_mw."
    )
    network_share_pct: Percent = Field(
        0,
        description="Share of IT MW that feeds campus network and storage, % (yield applies to the rest).",
    )
    existing: list[ExistingSite] = Field([], description="What stands already.")
    fiber: Fiber = Field(default_factory=Fiber, description="Access to the fiber network.")
    regions: Regions = Field(default_factory=Regions, description="Rules by region.")
    procurement: dict[str, SupplyItem] = Field({}, description="Limited supplies by name.")
    budget_musd: YearSeries | None = Field(
        None,
        description="Capital by calendar year, MUSD; years not named have none, before the first counts with it.",
    )
    budget_carry_over: bool = Field(
        False, description="true: what is not spent may be spent later."
    )
    baseline: str | None = Field(
        None,
        min_length=1,
        description="Run folder of an earlier plan: among plans within the gap the one that changes least of it. Path relative to the scenario.",
    )
    limits: Limits = Field(
        default_factory=Limits, description="Bounds on what is not the objective."
    )
    actions: Actions = Field(
        default_factory=Actions, description="The list of what must be done by when."
    )
    assume: Assume = Field(
        default_factory=Assume,
        description="Another future: inputs moved all at once (written by `sitepick stress`).",
    )
    futures: Futures = Field(
        {},
        description="Futures of your own for `sitepick stress`: name -> what is laid over this scenario, as a file that extends it would; keys may be dotted, as in `--set`.",
    )
    solver: Solver = Field(default_factory=Solver, description="How long to search.")

    @property
    def connection_only(self) -> bool:
        """Whether the grid itself limits POIs: a layer's single headroom is a filter, no limit."""
        grid = self.grid
        return grid is not None and grid.poi_limit == "connection" and self.power.model == "grid"

    @property
    def layer_share(self) -> float:
        """Share of a POI's stated MW that may be used, 0..1."""
        return 1.0 if self.connection_only else self.power.headroom_pct / 100


def period_starts(periods: Periods) -> list[date]:
    """Return the first day of each period and, last, the day after the horizon's end."""
    months = {"year": 12, "half_year": 6, "quarter": 3}[periods.step]
    at, out = periods.from_, []
    while at <= periods.to:
        out.append(at)
        index = at.year * 12 + at.month - 1 + months
        at = date(index // 12, index % 12 + 1, 1)
    return [*out, at]
