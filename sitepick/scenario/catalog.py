"""Hall classes and hardware: the row types of the catalogs and how they are found.

The rows live in ``catalogs/*.yaml`` beside this file, each with ``source``,
``confidence`` (A primary, B secondary, C general knowledge), ``as_of`` and ``price_year``.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar, get_args

from pydantic import BeforeValidator, Field, ValidationInfo, model_validator

from sitepick.scenario.fields import (
    FirstDay,
    NonNegative,
    Number,
    Percent,
    Positive,
    Section,
    Shown,
    Whole,
)

if TYPE_CHECKING:
    from sitepick.scenario.schema import Scenario

Climate = Literal["cold", "mild", "hot_dry", "hot_humid"]
CLIMATES: tuple[Climate, ...] = get_args(Climate)
TABLES = (
    "halls", "hardware", "power_options", "solar_days", "lead_times", "line_types", "conditions",
    "optics",
)  # fmt: skip
"""Names of the catalog tables, each a file ``catalogs/NAME.yaml``."""

Plain = Callable[[dict[str, Any]], dict[str, Any]]
_Pue = Annotated[Number, Field(ge=1, le=3)]


def _every_climate(value: Any, info: ValidationInfo) -> Any:
    if isinstance(value, (int, float, str)) and not isinstance(value, bool):
        return dict.fromkeys(CLIMATES, value)
    if isinstance(value, dict):
        missing = [c for c in CLIMATES if c not in value]
        if missing and set(value) <= set(CLIMATES):
            raise ValueError(f"needs all climates or one number; {', '.join(missing)} missing")
    return value


PueByClimate = Annotated[
    dict[Climate, _Pue],
    BeforeValidator(_every_climate),
    Shown({"anyOf": [
        {"type": "number", "minimum": 1, "maximum": 3},
        {"type": "object", "properties": {c: {"type": "number"} for c in CLIMATES},
         "required": list(CLIMATES), "additionalProperties": False},
    ]}),
]  # fmt: skip
"""PUE by climate; one number stands for all climates."""


class Evidence(Section):
    """Where a catalog row comes from."""

    source: str = Field("user", description="Source of the figures.")
    confidence: Literal["A", "B", "C"] = Field(
        "B", description="A primary, B secondary, C general knowledge."
    )
    as_of: FirstDay | None = Field(None, description="Date of the figures.")
    price_year: Whole | None = Field(
        None, description="Price year of the money (default: the scenario's)."
    )


class Row(Evidence):
    """A catalog row that a scenario names."""

    id: str = Field(min_length=1, description="Name used in the scenario and in every output.")


class HallClass(Row):
    """A class of data hall: density, cooling, cost. Halls are whole."""

    name: str = Field("", description="What it is, in words.")
    kw_per_rack: Positive = Field(description="Largest rack power it can take, kW.")
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
    pue_avg: PueByClimate = Field(
        description="Annual mean PUE by climate (or one for all), for MWh."
    )
    pue_peak: PueByClimate = Field(
        description="Design-day PUE by climate (or one for all), for MW."
    )
    wue_l_per_kwh: NonNegative = Field(0, description="On-site water, litres per IT kWh.")
    liquid_share: Annotated[Number, Field(ge=0, le=1)] = Field(
        0, description="Share of heat that liquid takes at the chip, 0 to 1."
    )
    ha_per_mw: NonNegative = Field(0.2, description="Campus land, ha per IT MW.")
    retrofit_of: str | None = Field(
        None, description="This row is a retrofit of one hall of that class."
    )

    # a retrofitted hall is a class row of its own: hall_it_mw, capex and build_months are the
    # retrofit's; such a class is never built on green field

    @model_validator(mode="after")
    def _peak_above_mean(self) -> HallClass:
        low = [c for c in CLIMATES if self.pue_peak[c] < self.pue_avg[c]]
        if low:
            raise ValueError(f"pue_peak is below pue_avg for {', '.join(low)}")
        if self.retrofit_of == self.id:
            raise ValueError("retrofit_of names the class itself")
        return self


class Hardware(Row):
    """An accelerator or server class. Yield is per workload: never one figure."""

    name: str = Field("", description="What it is, in words.")
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


def fits(item: Hardware, hall: HallClass) -> bool:
    """Return whether ``item`` can stand in ``hall``: rack power, and liquid where it needs it."""
    return item.kw_per_rack <= hall.kw_per_rack and (
        not item.liquid_required or hall.liquid_share > 0
    )


@cache
def table(name: str) -> list[dict[str, Any]]:
    """Return the rows of one catalog file as plain values, in file order."""
    from sitepick.scenario.yaml_tree import parse

    path = Path(__file__).parent / "catalogs" / f"{name}.yaml"
    rows: list[dict[str, Any]] = parse(path.read_text(encoding="utf-8"), path.name).plain()
    return rows


def catalog_tables() -> dict[str, list[dict[str, Any]]]:
    """Return every catalog table by name, for display. Rows are copies."""
    return {name: deepcopy(table(name)) for name in TABLES}


def catalog_ids(name: str) -> list[str]:
    """Return the ids of one catalog table."""
    return [str(row["id"]) for row in table(name)]


R = TypeVar("R", bound=Row)


@cache
def _catalog_row(kind: type[R], name: str, row_id: str, plain: Plain | None = None) -> R:
    for row in table(name):
        if row["id"] == row_id:
            return kind.model_validate(row if plain is None else plain(row))
    raise KeyError(row_id)


def resolved(
    asked: list[str | R], kind: type[R], name: str, plain: Plain | None = None
) -> tuple[R, ...]:
    """Return the rows asked for, in that order; an own row replaces one of the same id.

    ``plain`` takes from a row of the catalog what is only shown. Raises KeyError for unknown ids.
    """
    found: dict[str, R] = {}
    for item in asked:
        row = _catalog_row(kind, name, item, plain) if isinstance(item, str) else item
        if row.id not in found or not isinstance(item, str):
            found[row.id] = row
    return tuple(found.values())


def hall_classes(scenario: Scenario) -> tuple[HallClass, ...]:
    """Return the scenario's hall classes in its order; own rows replace. ``halls: none`` is ().

    Raises KeyError for an unknown id; `read_scenario` has refused those already.
    """
    return () if scenario.halls == "none" else resolved(scenario.halls, HallClass, "halls")


def hardware(scenario: Scenario) -> tuple[Hardware, ...]:
    """Return the scenario's hardware in its order; own rows replace. ``hardware: none`` is ().

    Raises KeyError for an unknown id; `read_scenario` has refused those already.
    """
    asked = scenario.hardware
    return () if asked == "none" else resolved(asked, Hardware, "hardware")


def reference(scenario: Scenario) -> Hardware:
    """Return the hardware whose work per IT MW is 1 ref_mw: the scenario's own row, or the catalog's.

    Yields are relative to h100, so the yield of h in ref_mw is its yield over the reference's.
    """
    for row in hardware(scenario):
        if row.id == scenario.reference_hardware:
            return row
    return _catalog_row(Hardware, "hardware", scenario.reference_hardware)
