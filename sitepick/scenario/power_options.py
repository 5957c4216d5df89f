"""On-site power options: the row type of the catalog `power_options`, and what a row implies.

A row is one technology as it would stand on a site: blocks of equal size, what they cost, burn and
emit, and how many MW of them a planner may count on. MW are power delivered at the site.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag, model_validator

from sitepick.scenario.catalog import Row, catalog_ids, resolved, table
from sitepick.scenario.fields import NonNegative, Number, Percent, Positive, Whole
from sitepick.scenario.messages import did_you_mean

if TYPE_CHECKING:
    from sitepick.scenario.schema import Scenario

TABLE = "power_options"
GAS_CO2_KG_PER_MMBTU = 53.06
"""Carbon of natural gas burnt, kg per MMBtu (US EPA emission factor)."""
CONTINUOUS_BELOW_MW = 1.0
"""Blocks of at most this size are not counted whole: MW of them are continuous."""
LEAST_OVERBUILD = 1.3
"""Off-grid plants have two spare blocks, or 30-50 % more MW than they count as firm."""
_Share = Annotated[Number, Field(gt=0, le=1)]


_INSTEAD = {
    "rent_usd_per_kw_month": ("capex_usd_per_kw",),
    "profile": ("capex_usd_per_kw",),
    "capex_usd_per_kw": ("profile",),
    "firm_credit": ("spare_blocks", "islanded"),
    "spare_blocks": ("firm_credit", "islanded"),
    "role": ("islanded",),
}
"""Key of a changed row -> keys of its base that it takes the place of."""


def plain(row: dict[str, Any]) -> dict[str, Any]:
    """Return a catalog row without the ranges that are only shown."""
    return {k: v for k, v in row.items() if not k.endswith(("_low", "_high"))}


class PowerOption(Row):
    """An on-site power option. `base: ID` lays the row over a catalog row; `id` renames it."""

    id: str = Field("", description="Name used in every output (default: that of the base).")
    base: str | None = Field(None, description="Catalog row that this one changes.")
    name: str = Field("", description="What it is, in words.")
    note: str = Field("", description="Remark.")
    planned: bool = Field(
        True, description="false: shown in the catalog only, no source of power for a plan."
    )
    role: Literal["prime", "bridge"] = Field(
        "prime",
        description="prime: may serve for good. bridge: stands in for grid MW that the plan gets later, MW for MW, and never after them.",
    )
    after: Literal["backup", "salvage"] = Field(
        "backup",
        description="What becomes of a bridge: backup stays and serves no energy; salvage may leave at any period's start and returns salvage_pct.",
    )
    capex_usd_per_kw: NonNegative | None = Field(
        None,
        description="Overnight cost, USD per kW of blocks (none: rented, or sized from solar).",
    )
    rent_usd_per_kw_month: NonNegative = Field(
        0, description="Rent, USD per kW of blocks and month; may leave at any period's start."
    )
    salvage_pct: Percent = Field(
        50, description="Share of the remaining annuities returned when it leaves, %."
    )
    bridge_years_max: Positive | None = Field(
        None, description="Longest service of a bridge's block, years (temporary permits)."
    )
    heat_rate_mmbtu_per_mwh: NonNegative | None = Field(
        None, description="Fuel burnt, MMBtu (higher heating value) per MWh."
    )
    energy_usd_per_mwh: NonNegative = Field(
        0, description="Cost of energy that is not gas (other fuel, contract), USD per MWh."
    )
    variable_om_usd_per_mwh: NonNegative = Field(0, description="Variable O&M, USD per MWh.")
    fixed_om_usd_per_kw_year: NonNegative = Field(
        0, description="Fixed O&M, USD per kW of blocks and year."
    )
    lead_months: NonNegative = Field(12, description="Months from order to first power.")
    block_mw: Positive = Field(
        1, description="MW of one block; at most 1 MW: MW are continuous, else blocks are whole."
    )
    availability: _Share = Field(
        1, description="Share of the year that a block can run, 0 to 1: bounds its energy."
    )
    spare_blocks: Annotated[Whole, Field(ge=0, le=10)] | None = Field(
        None, description="N+1: 1, N+2: 2; firm MW = (blocks - spare_blocks) x block_mw."
    )
    firm_credit: Annotated[Number, Field(ge=0, le=1)] | None = Field(
        None,
        description="Firm MW per MW of blocks, in place of spare_blocks (default: availability; with a profile 0).",
    )
    worst_day_firm: bool = Field(
        False,
        description="true, with a profile: firm is the constant load that solar and storage carry on the worst of its days. Count on it only if the days hold the worst that comes.",
    )
    islanded: bool = Field(
        False, description="true: may serve where no tie stands; needs N+2 or 30 % overbuild."
    )
    life_years: Positive = Field(20, description="Life, years.")
    co2_kg_per_mwh: NonNegative | None = Field(
        None, description="Direct CO2, kg/MWh (default: heat rate x 53.06 for gas, else 0)."
    )
    ha_per_mw: NonNegative = Field(0.1, description="Land, ha per MW of blocks.")
    needs_gas: bool | None = Field(
        None, description="Whether it burns pipeline gas (default: it has a heat rate)."
    )
    profile: str | None = Field(
        None,
        description="Solar with storage: name of the representative days (`default`, or a profile_id of layers.solar_days). MW are then MW of constant load that the plant is made for.",
    )
    energy_share_pct: Percent = Field(
        60, description="Share of that load's energy that solar and storage give, % (with profile)."
    )
    solar_usd_per_kw: NonNegative = Field(
        1150, description="Solar, USD per kW (alternating current), with profile."
    )
    storage_usd_per_kwh: NonNegative = Field(275, description="Storage, USD per kWh, with profile.")
    round_trip_pct: Percent = Field(86, description="Round-trip efficiency of storage, %.")
    ha_per_solar_mw: NonNegative = Field(
        2.43, description="Land of solar, ha per MW: 6 acres (with profile)."
    )

    @model_validator(mode="before")
    @classmethod
    def _over_base(cls, value: Any) -> Any:
        """Lay a row that names a `base` over that row of the catalog."""
        if not isinstance(value, dict) or value.get("base") is None:
            return value
        base = str(value["base"])
        for row in table(TABLE):
            if row["id"] == base:
                replaced = {gone for key in value for gone in _INSTEAD.get(key, ())}
                kept = {k: v for k, v in plain(row).items() if k not in replaced}
                return {**kept, **value}
        raise ValueError(f"unknown base '{base}'{did_you_mean(base, catalog_ids(TABLE))}")

    @model_validator(mode="after")
    def _named(self) -> PowerOption:
        if not self.id:
            raise ValueError("needs an id of its own, or a base")
        return self

    @model_validator(mode="after")
    def _one_credit(self) -> PowerOption:
        if self.spare_blocks is not None and self.firm_credit is not None:
            raise ValueError(
                "'spare_blocks' and 'firm_credit' both count outages: give one of the two"
            )
        if self.spare_blocks and self.block_mw <= CONTINUOUS_BELOW_MW:
            raise ValueError(
                f"'spare_blocks' needs whole blocks, larger than {CONTINUOUS_BELOW_MW:g} MW; "
                "give firm_credit instead"
            )
        return self

    @model_validator(mode="after")
    def _paid_once(self) -> PowerOption:
        if not self.planned:
            return self
        ways = [
            self.capex_usd_per_kw is not None,
            self.rent_usd_per_kw_month > 0,
            bool(self.profile),
        ]
        if sum(ways) != 1:
            raise ValueError(
                "needs exactly one of capex_usd_per_kw, rent_usd_per_kw_month and profile"
            )
        if self.worst_day_firm and (not self.profile or self.firm_credit is not None):
            raise ValueError("'worst_day_firm' goes with a profile, and without firm_credit")
        if self.profile and (self.spare_blocks is not None or self.burns):
            raise ValueError("a profile has neither spare_blocks nor a heat rate")
        if self.profile and not (self.energy_share_pct > 0 and self.round_trip_pct > 0):
            raise ValueError("a profile needs energy_share_pct and round_trip_pct above 0")
        return self

    @model_validator(mode="after")
    def _roles(self) -> PowerOption:
        if self.role == "prime" and (self.after == "salvage" or self.bridge_years_max):
            raise ValueError("'after: salvage' and 'bridge_years_max' go with 'role: bridge'")
        if not self.islanded:
            return self
        if self.role == "bridge" or self.profile:
            raise ValueError(
                "'islanded' is for prime power that can follow load, not a bridge or solar"
            )
        credit = self.firm_credit if self.firm_credit is not None else self.availability
        if (self.spare_blocks or 0) < 2 and (
            self.spare_blocks is not None or credit > 1 / LEAST_OVERBUILD + 1e-9
        ):
            raise ValueError(
                "'islanded' needs spare_blocks: 2 (N+2), or firm_credit of at most "
                f"{1 / LEAST_OVERBUILD:.2f} (30 % overbuild)"
            )
        return self

    @property
    def burns(self) -> bool:
        """Whether it burns pipeline gas."""
        return bool(self.heat_rate_mmbtu_per_mwh) if self.needs_gas is None else self.needs_gas

    @property
    def whole(self) -> bool:
        """Whether its blocks are counted whole."""
        return self.block_mw > CONTINUOUS_BELOW_MW

    @property
    def leaves(self) -> bool:
        """Whether it may leave before its end: salvaged, or rented."""
        return self.after == "salvage" or self.rent_usd_per_kw_month > 0

    @property
    def direct_co2_kg_per_mwh(self) -> float:
        """Direct CO2, kg/MWh: stated, else heat rate x 53.06 kg/MMBtu for gas."""
        if self.co2_kg_per_mwh is not None:
            return self.co2_kg_per_mwh
        return (self.heat_rate_mmbtu_per_mwh or 0.0) * GAS_CO2_KG_PER_MMBTU if self.burns else 0.0


def _form(value: Any) -> str | None:
    return "<id>" if isinstance(value, str) else "<row>"


OptionRow = Annotated[
    Annotated[str, Tag("<id>")] | Annotated[PowerOption, Tag("<row>")],
    Discriminator(
        _form,
        custom_error_type="row_form",
        custom_error_message="must be a power option id, or a row of your own",
    ),
]


def power_options(scenario: Scenario) -> tuple[PowerOption, ...]:
    """Return the scenario's on-site options in its order; own rows replace. () without any.

    Raises KeyError for an unknown id; `read_scenario` has refused those already.
    """
    return resolved(scenario.onsite.options, PowerOption, TABLE, plain)
