"""Hall classes and hardware: the row types of the catalogs and how they are found.

The rows live in ``catalogs/*.yaml`` beside this file, each with ``source``,
``confidence`` (A primary, B secondary, C general knowledge), ``as_of`` and ``price_year``.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from sitepick.scenario.fields import FirstDay, NonNegative, Percent, Positive, Section

Climate = Literal["cold", "mild", "hot_dry", "hot_humid"]


class Evidence(Section):
    """Where a catalog row comes from."""

    source: str = Field("user", description="Source of the figures.")
    confidence: Literal["A", "B", "C"] = Field(
        "B", description="A primary, B secondary, C general knowledge."
    )
    as_of: FirstDay | None = Field(None, description="Date of the figures.")
    price_year: int | None = Field(
        None, description="Price year of the money (default: the scenario's)."
    )


class HallClass(Evidence):
    """A class of data hall: density, cooling, cost. Halls are whole."""

    id: str
    name: str = ""
    kw_per_rack: Positive = Field(description="Largest rack power, kW.")
    hall_it_mw: Positive = Field(description="IT MW of one hall.")
    capex_musd_per_mw: NonNegative = Field(
        description="Facility capex (shell, mechanical, electrical), MUSD per IT MW."
    )
    life_years: Positive = Field(20, description="Life of the facility, years.")
    build_months: NonNegative = Field(
        21, description="Months from start of construction to energised."
    )
    om_musd_per_mw_year: NonNegative = Field(
        0.25, description="Operation and maintenance, MUSD per IT MW of hall and year."
    )
    pue_avg: dict[Climate, Positive] = Field(description="Annual mean PUE by climate, for MWh.")
    pue_peak: dict[Climate, Positive] = Field(description="Design-day PUE by climate, for MW.")
    wue_l_per_kwh: NonNegative = Field(0, description="On-site water, litres per IT kWh.")
    liquid_share: float = Field(0, ge=0, le=1, description="Share of heat taken by liquid.")
    ha_per_mw: NonNegative = Field(0.2, description="Campus land, ha per IT MW.")
    retrofit_of: str | None = Field(
        None, description="This row is a retrofit of one hall of that class."
    )

    # a retrofitted hall is a class row of its own: hall_it_mw, capex and build_months are the
    # retrofit's; such a class is never built on green field


class Hardware(Evidence):
    """An accelerator or server class. Yield is per workload: never one figure."""

    id: str
    name: str = ""
    kw_per_rack: Positive = Field(
        description="Rack power, kW: it fits hall classes of at least that."
    )
    training: NonNegative = Field(
        description="Training work per IT MW relative to h100 (dense FLOPs)."
    )
    prefill: NonNegative = Field(
        description="Prefill work per IT MW relative to h100 (dense FLOPs)."
    )
    decode: NonNegative = Field(
        description="Decode work per IT MW relative to h100 (memory bandwidth)."
    )
    capex_musd_per_mw: NonNegative = Field(
        description="IT capex with network and storage, MUSD per IT MW."
    )
    life_years: Positive = Field(5, description="Economic life, years.")
    maintenance_pct: Percent = Field(3, description="Maintenance and spares, % of capex per year.")
    available_from: FirstDay | None = Field(None, description="Not delivered before.")
    lead_months: NonNegative = Field(9, description="Months from order to delivery.")
    liquid_required: bool = Field(False, description="Needs a hall class with liquid cooling.")
