"""Scenario section on the list of actions: lead times of what the model itself does not order."""

from __future__ import annotations

from pydantic import Field

from sitepick.scenario.fields import NonNegative, Section, Whole


class Actions(Section):
    """What must be done by when, beside what the plan's own lead times say (docs/actions.md)."""

    equipment_months: dict[str, NonNegative | None] = Field(
        {},
        description="Equipment ordered for new substations, by name: months from order to delivery. Replaces or adds to power_transformer and hv_switchgear, whose months are otherwise those of `sitepick catalog lead_times`; null: not ordered.",
    )
    report_months: Whole = Field(
        12, ge=1, le=120, description="The report lists what is due within so many months of as_of."
    )
