"""Scenario section on leased halls: what a tenant of a powered shell pays beside the rent."""

from __future__ import annotations

from pydantic import Field

from sitepick.scenario.fields import NonNegative, Percent, Section


class Leases(Section):
    """How offers of `layers.leases` count (powered shells and colocation)."""

    fit_out_pct: Percent = Field(
        70,
        description="Powered shell: share of the hall class's facility capex that the tenant pays, "
        "%. Electrical works alone are 45 to 70 % of a build (market reports of 2026); the upper "
        "end leaves room for cooling.",
    )
    fit_out_months: NonNegative = Field(
        9, description="Powered shell: months from its ready_date (or as_of) to its first IT MW."
    )
