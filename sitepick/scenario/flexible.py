"""Scenario section on flexible (non-firm) connections: margins of areas, and batteries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field, model_validator

from sitepick.scenario.fields import (
    FirstDay,
    LastDay,
    NonNegative,
    Number,
    OneOrMany,
    Positive,
    Section,
    Whole,
)

if TYPE_CHECKING:
    from sitepick.scenario.rules import Workload

CURTAILABLE_PCT = {"training": 25.0, "prefill": 0.0, "decode": 0.0, "it": 0.0}
"""Share of a workload that can be shed within minutes, % of its IT MW, by its `uses`: training
pauses at a checkpoint, and this is the low end of what is quoted; answers to users do not wait."""


class Area(Section):
    """Non-firm MW of an area, beside the firm MW of its POIs: from its load curve, or as stated."""

    name: str = Field(min_length=1, max_length=80, description="Name used in every output.")
    level: str | None = Field(None, description="Region level of `region_id`.")
    region_id: str | None = Field(
        None, min_length=1, description="The area is the POIs inside this region."
    )
    poi_ids: OneOrMany[str] | None = Field(None, description="The area is these POIs.")
    curve: str | None = Field(
        None,
        min_length=1,
        description="File of hourly load of a year, or of mw and hours, as for `sitepick flex`.",
    )
    curve_area: str | None = Field(
        None, description="Which area of the file, where it holds several (a column or a name)."
    )
    peak_mw: Positive | None = Field(
        None, description="Threshold peak, MW (default: the curve's maximum)."
    )
    curtail_pct: Annotated[Number, Field(gt=0, lt=100)] = Field(
        0.5, description="Energy of the new load that may be curtailed, % of its year."
    )
    mw_max: Positive | None = Field(
        None, description="Most non-firm MW, where less than the margin is granted."
    )
    curtail_hours_per_year: Annotated[Number, Field(ge=0, le=8784)] | None = Field(
        None,
        description="Without a curve: hours a year in which all of `mw_max` may be off.",
    )
    from_date: FirstDay | None = Field(
        None, description="When such connections start (default: at once)."
    )
    to_date: LastDay | None = Field(
        None,
        description="Their last day (default: for good), such as the day before MW become firm.",
    )

    @model_validator(mode="after")
    def _somewhere(self) -> Area:
        if (self.level is None) != (self.region_id is None):
            raise ValueError("'level' and 'region_id' go together")
        if (self.level is None) == (self.poi_ids is None):
            raise ValueError("give either 'level' and 'region_id', or 'poi_ids'")
        stated = (self.curtail_hours_per_year is not None, self.curve is None)
        if stated[0] != stated[1] or (stated[0] and self.mw_max is None):
            raise ValueError("give either 'curve', or 'mw_max' and 'curtail_hours_per_year'")
        if self.from_date and self.to_date and self.to_date < self.from_date:
            raise ValueError(f"'to_date' ({self.to_date}) is before 'from_date' ({self.from_date})")
        return self


class Battery(Section):
    """Batteries that stand in for the grid while it curtails. Defaults: catalog row bess_4h."""

    usd_per_kwh: NonNegative = Field(275, description="Cost of storage, USD per kWh.")
    usd_per_kw: NonNegative = Field(0, description="Cost of power beside storage, USD per kW.")
    hours: Positive = Field(4, description="Hours at full power.")
    life_years: Positive = Field(15, description="Life, years.")
    efficiency_pct: Annotated[Number, Field(gt=0, le=100)] = Field(
        85, description="Energy out per energy in, %."
    )
    lead_months: NonNegative = Field(14, description="Months from order to energised.")
    price_year: Whole | None = Field(
        None, description="Price year of the money (default: the scenario's)."
    )

    @property
    def musd_per_mw(self) -> float:
        """Overnight cost of a MW with its hours, MUSD of ``price_year``."""
        return (self.usd_per_kwh * self.hours + self.usd_per_kw) / 1000


class Flexible(Section):
    """Non-firm MW (`power.nonfirm: flexible`): where they are, and what stands in for them."""

    areas: list[Area] = Field([], description="Margins by area, shared by all POIs of the area.")
    event_hours: Positive = Field(
        4,
        description="Hours off in the worst event, if no hourly curve says it: sizes batteries.",
    )
    battery: Battery | None = Field(
        None, description="What batteries cost; `{}` takes the defaults. Without it there are none."
    )


def curtailable_share(work: Workload) -> float:
    """Return the share of a workload's IT MW that may be shed, 0..1."""
    stated = work.curtailable_pct
    return (CURTAILABLE_PCT[work.uses] if stated is None else stated) / 100
