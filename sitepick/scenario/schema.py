"""The scenario: one class per YAML section. Field descriptions are the reference documentation.

Names end in their unit: ``_mw``, ``_km``, ``_ms``, ``_musd`` (million dollars, real, of
`Money.price_year`), ``_pct``, ``_ha``, ``_kv``. IT MW is power at the racks, facility MW is
IT MW x PUE, grid MW is what the point of interconnection (POI) carries.
"""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import Field, model_validator

from sitepick.scenario.catalog import HallClass, Hardware
from sitepick.scenario.fields import FirstDay, LastDay, Percent, Section, YearSeries
from sitepick.scenario.inputs import LayerList
from sitepick.scenario.power import CandidateRules, Power
from sitepick.scenario.rules import Demand, ExistingSite, Fiber, Limits, Regions, Solver, SupplyItem


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

    price_year: int = Field(2026, ge=1990, le=2100, description="All MUSD are of this year.")
    discount_rate_pct: Percent = Field(9, description="Real discount rate, % per year.")
    inflation_pct: Percent = Field(
        2.5, description="Converts catalog prices of other price years, % per year."
    )


class Scenario(Section):
    """A whole scenario, `version: 1`."""

    version: Literal[1] = Field(description="Version of this format.")
    name: str = Field("plan", min_length=1, max_length=120, description="Name of the plan.")
    as_of: FirstDay = Field(description="Today, for the plan: nothing starts before it.")
    periods: Periods
    money: Money = Field(default_factory=Money)
    objective: Literal["min_cost", "max_compute", "earliest_mw"] = Field(
        "min_cost", description="What is optimised; cost breaks ties."
    )
    layers: LayerList = Field(default_factory=LayerList)
    candidates: CandidateRules = Field(default_factory=CandidateRules)
    power: Power = Field(default_factory=Power)
    demand: Demand
    halls: Literal["none"] | list[str | HallClass] = Field(
        ["dlc"],
        description="Hall classes: catalog ids, or own rows (same id replaces). none: capacity is continuous.",
    )
    hardware: Literal["none"] | list[str | Hardware] = Field(
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
    fiber: Fiber = Field(default_factory=Fiber)
    regions: Regions = Field(default_factory=Regions)
    procurement: dict[str, SupplyItem] = Field({}, description="Limited supplies by name.")
    budget_musd: YearSeries | None = Field(
        None,
        description="Capital by calendar year, MUSD; years not named have none, before the first counts with it.",
    )
    budget_carry_over: bool = Field(
        False, description="true: what is not spent may be spent later."
    )
    limits: Limits = Field(default_factory=Limits)
    solver: Solver = Field(default_factory=Solver)

    @model_validator(mode="after")
    def _consistent(self) -> Scenario:
        if self.periods.from_ < self.as_of.replace(day=1) and self.existing == []:
            raise ValueError(
                f"periods start {self.periods.from_}, before as_of {self.as_of}: "
                "nothing can start before as_of"
            )
        if self.hardware == "none":
            wrong = [n for n, w in self.demand.named().items() if w.uses != "it"]
            if wrong:
                raise ValueError(f"with 'hardware: none' workloads use 'it', not so: {wrong}")
        return self


def period_starts(periods: Periods) -> list[date]:
    """Return the first day of each period and, last, the day after the horizon's end."""
    months = {"year": 12, "half_year": 6, "quarter": 3}[periods.step]
    at, out = periods.from_, []
    while at <= periods.to:
        out.append(at)
        index = at.year * 12 + at.month - 1 + months
        at = date(index // 12, index % 12 + 1, 1)
    return [*out, at]
