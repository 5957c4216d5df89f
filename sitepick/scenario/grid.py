"""Scenario section `grid`: the network that must carry the plan, and under which conditions."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from sitepick.scenario.catalog import Evidence, catalog_ids, table
from sitepick.scenario.fields import (
    NonNegative,
    Number,
    OneOrMany,
    Percent,
    Positive,
    Section,
)
from sitepick.scenario.messages import did_you_mean

WHOLE = "all"
"""Zone of a reserve margin that counts every bus."""


class StudyCondition(Evidence):
    """A moment for which the grid is studied: how much load, and which plants can be counted on."""

    id: str = Field(min_length=1, description="Name used in every output.")
    name: str = Field("", description="What it is, in words.")
    load_pct: NonNegative = Field(100, description="Load of the tables that is drawn, %.")
    new_load_pct: Percent = Field(
        100, description="Contracted grid MW of the plan that are drawn, %."
    )
    credit_pct: dict[str, Percent] = Field(
        {}, description="Capacity credit by fuel: share of a unit's MW that can be dispatched, %."
    )
    other_credit_pct: Percent = Field(100, description="Capacity credit of all other fuels, %.")
    dc_tie_pct: Percent = Field(
        0, description="Share of the DC ties' capacity that may be imported or exported, %."
    )


class Outages(Section):
    """Which branches may be lost, one at a time, without anything else being overloaded."""

    min_kv: NonNegative | None = Field(
        100, description="Lines of at least this kV at both ends; null: none by voltage."
    )
    transformers: bool = Field(False, description="Transformers of that voltage as well.")
    ids: OneOrMany[str] = Field([], description="Further branches, by branch_id.")
    exclude_ids: OneOrMany[str] = Field([], description="Branches never taken out.")


class LineUpgrade(Section):
    """A rating that can be bought once. Reactance stays: flows are not redirected."""

    branch_id: str = Field(min_length=1, description="The line or transformer.")
    mw: Positive = Field(description="Normal rating added, MW; the emergency rating in proportion.")
    musd: NonNegative = Field(description="Cost, MUSD.")
    lead_months: NonNegative = Field(36, description="Months from order to energised.")


class Adequacy(Section):
    """A zone's generation must cover its load with a reserve margin, every year."""

    zone: str = Field("all", min_length=1, description="Zone of the buses; all: the whole grid.")
    reserve_margin_pct: NonNegative = Field(description="Capacity above peak load, %.")
    import_mw: NonNegative = Field(0, description="Firm import capability into the zone, MW.")
    condition: str | None = Field(
        None, description="Condition whose load and credits count (default: the first)."
    )


def _form(value: Any) -> str | None:
    if isinstance(value, (dict, Section)):
        return "<row>"
    return None if value is None or isinstance(value, (list, tuple)) else "<id>"


ConditionRow = Annotated[
    Annotated[str, Tag("<id>")] | Annotated[StudyCondition, Tag("<row>")],
    Discriminator(
        _form,
        custom_error_type="row_form",
        custom_error_message="must be the id of a condition, or a row of your own",
    ),
]


class UnitsFile(Section):
    """Planned units and retirements."""

    file: str = Field(
        min_length=1,
        description="CSV: plant_id, from_date, to_date; new units also bus_id or poi_id, fuel, pmax_mw.",
    )


class GridStudy(Section):
    """The plan must be deliverable: one dispatch per period and condition keeps every rating."""

    file: str = Field(
        min_length=1,
        description="Folder of grid tables (ours, Breakthrough/TAMU, PyPSA) or MATPOWER case; `bundled:texas_grid` ships.",
    )
    part: str | None = Field(
        None, description="Part of a file with several grids, such as an interconnection."
    )
    units: UnitsFile | None = Field(None, description="Planned units and retirements.")
    conditions: OneOrMany[ConditionRow] = Field(
        ["summer_peak"], description="Study conditions: catalog ids, or own rows."
    )
    load_growth_pct_per_year: Annotated[Number, Field(ge=-20, le=50)] = Field(
        0, description="Growth of all other load from as_of on, % per year."
    )
    emergency_pct: Annotated[Number, Field(ge=100, le=300)] = Field(
        115, description="Rating that holds after an outage, % of the normal rating."
    )
    outages: Outages = Field(default_factory=Outages, description="N-1: what may be lost.")
    excuse: Literal["least", "none"] = Field(
        "least",
        description="least: overloads that no dispatch avoids before any new load are excused, least total MW; none: they are an error.",
    )
    excuse_margin_mw: NonNegative = Field(
        0,
        description="MW by which the plan may worsen each excused overload before that counts.",
    )
    poi_limit: Literal["connection", "headroom"] = Field(
        "connection",
        description="What a POI without a letter can carry besides: what its kV connects, or the layer's single headroom too.",
    )
    upgrades: list[LineUpgrade] = Field([], description="Ratings that can be bought.")
    adequacy: OneOrMany[Adequacy] = Field([], description="Reserve margins by zone.")


@cache
def _catalog_condition(row_id: str) -> StudyCondition:
    for row in table("conditions"):
        if row["id"] == row_id:
            return StudyCondition.model_validate(row)
    raise KeyError(row_id)


def study_conditions(grid: GridStudy) -> tuple[StudyCondition, ...]:
    """Return the conditions in the scenario's order; an own row is taken as it is written.

    Raises KeyError for an unknown id; `read_scenario` has refused those already.
    """
    return tuple(
        _catalog_condition(item) if isinstance(item, str) else item for item in grid.conditions
    )


def contradictions(grid: GridStudy) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Yield (path below `grid`, message) of ids unknown or listed twice, keys without effect."""
    known = condition_ids()
    own = [item.id for item in grid.conditions if not isinstance(item, str)]
    seen: set[str] = set()
    for i, item in enumerate(grid.conditions):
        name = item if isinstance(item, str) else item.id
        if isinstance(item, str) and name not in [*known, *own]:
            hint = did_you_mean(name, [*known, *own]) or f"; known: {', '.join(known)}"
            yield ("conditions", i), f"unknown condition '{name}'{hint}"
        if name in seen:
            yield ("conditions", i), f"condition '{name}' is listed twice"
        seen.add(name)
    if not grid.conditions:
        yield ("conditions",), "is empty; name at least one condition"
    for i, rule in enumerate(grid.adequacy):
        if rule.condition is not None and rule.condition not in seen:
            hint = did_you_mean(rule.condition, sorted(seen))
            message = f"condition '{rule.condition}' is not among grid.conditions{hint}"
            yield ("adequacy", i, "condition"), message
    bought: set[str] = set()
    for i, upgrade in enumerate(grid.upgrades):
        if upgrade.branch_id in bought:
            yield ("upgrades", i, "branch_id"), f"branch '{upgrade.branch_id}' is listed twice"
        bought.add(upgrade.branch_id)
    both = [b for b in grid.outages.exclude_ids if b in grid.outages.ids]
    for branch in both:
        yield ("outages", "exclude_ids"), f"branch '{branch}' is also in ids: in one of them only"
    if grid.outages.transformers and grid.outages.min_kv is None:
        yield ("outages", "transformers"), "counts only with min_kv; name single ones in ids"
    if grid.excuse == "none" and grid.excuse_margin_mw:
        yield ("excuse_margin_mw",), "counts only with 'excuse: least'; nothing is excused here"


def condition_ids() -> list[str]:
    """Return the ids of the catalog's conditions."""
    return catalog_ids("conditions")
