"""Scenario section on on-site power: which options, gas, permits."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator

from sitepick.scenario.fields import (
    FirstDay,
    NonNegative,
    OneOrMany,
    Section,
    as_list,
)
from sitepick.scenario.power_options import OptionRow

OptionList = Annotated[list[OptionRow], BeforeValidator(as_list)]


class Permit(Section):
    """What the authorities of some regions allow on site. Options not named are not concerned."""

    level: str = Field("region", description="Region level the permit speaks of.")
    ids: OneOrMany[str] | None = Field(
        None, description="Region ids (default: every region of the level)."
    )
    options: OneOrMany[str] | None = Field(None, description="Option ids (default: all).")
    forbidden: bool = Field(False, description="true: none of these options at all.")
    from_date: FirstDay | None = Field(None, description="Nothing is energised before.")
    max_mw: NonNegative | None = Field(
        None, description="Most MW of blocks of these options standing at one time."
    )
    per: Literal["region", "site"] = Field(
        "region", description="Whether max_mw is for each region as a whole, or for each site."
    )

    @model_validator(mode="after")
    def _says_something(self) -> Permit:
        if not self.forbidden and self.from_date is None and self.max_mw is None:
            raise ValueError("says nothing: give forbidden, from_date or max_mw")
        return self


class Onsite(Section):
    """On-site power: off unless options are named."""

    options: OptionList = Field(
        [], description="Catalog ids, or own rows (see `sitepick catalog power_options`)."
    )
    gas_usd_per_mmbtu: NonNegative = Field(
        4, description="Delivered gas price where no region states one, USD per MMBtu."
    )
    gas_unknown: Literal["exclude", "allow"] = Field(
        "exclude",
        description="exclude: a site whose gas access is not known has no gas, and is counted; allow: it has.",
    )
    permits: list[Permit] = Field([], description="Permits by region; all that concern hold.")
