"""Scenario section on another future: what the inputs are assumed to be in place of what they say.

`sitepick stress` writes it into the scenario of each future, so that a plan made for one is read,
solved and checked like any other. What stands in the scenario itself changes here (`applied`); what
stands in tables changes in `candidates.assume`.
"""

from __future__ import annotations

import calendar
import math
from datetime import date
from typing import TYPE_CHECKING, Any

from pydantic import Field

from sitepick.scenario.catalog import hall_classes, hardware
from sitepick.scenario.fiber_capacity import Capacity, optics_of
from sitepick.scenario.fields import NonNegative, OneOrMany, Positive, Section
from sitepick.scenario.power import Stage
from sitepick.scenario.power_options import power_options

if TYPE_CHECKING:
    from sitepick.scenario.schema import Scenario


class Assume(Section):
    """Another future (`sitepick stress`): inputs moved all at once, files left as they are."""

    stage_late_months: dict[Stage, NonNegative] = Field(
        {}, description="Months by which the dates of a stage slip, beside power.slip_years."
    )
    lost_pois: OneOrMany[str] = Field(
        [], description="POIs at which nothing new is energised, whatever letters say."
    )
    mw_pct: Positive = Field(
        100,
        description="MW of letters that are not energised yet, of substations and of shared limits, % of what is stated.",
    )
    demand_pct: Positive = Field(100, description="Demand, % of what is stated.")
    hardware_late_months: NonNegative = Field(
        0, description="Months by which hardware is released, and delivered after its order, later."
    )
    capex_pct: Positive = Field(
        100,
        description="Price of all that is built or bought but land, % of what is stated.",
    )
    upgrades_late_months: dict[str, NonNegative] = Field(
        {},
        description="Months added to the lead time of a line upgrade, by branch; `steps`: of power.upgrade_step.",
    )

    @property
    def capex_factor(self) -> float:
        """What prices of purchases are multiplied by."""
        return self.capex_pct / 100


STEPS = "steps"
"""Key of `Assume.upgrades_late_months` for upgrade steps at POIs."""


def applied(scenario: Scenario) -> Scenario:
    """Return the scenario with its assumptions made true where it states the inputs itself.

    The section is then empty: nothing is assumed twice.
    """
    assume = scenario.assume
    if assume == Assume():
        return scenario
    update: dict[str, Any] = {"assume": Assume(), "power": _power(scenario)}
    if assume.demand_pct != 100:
        update["demand"] = _demand(scenario)
    if assume.hardware_late_months or assume.capex_pct != 100:
        update |= _equipment(scenario)
    if scenario.grid is not None:
        update["grid"] = _grid(scenario)
    return scenario.model_copy(update=update)


def _power(scenario: Scenario) -> Any:
    assume, power = scenario.assume, scenario.power
    slips = dict(power.slip_years)
    for stage, months in assume.stage_late_months.items():
        slips[stage] = slips.get(stage, 0.0) + months / 12
    factor, step = assume.capex_factor, power.upgrade_step
    if step is not None:
        late = assume.upgrades_late_months.get(STEPS, 0.0)
        step = step.model_copy(
            update={"musd": factor * step.musd, "lead_months": step.lead_months + late}
        )
    return power.model_copy(
        update={
            "slip_years": slips,
            "tie_musd_per_km": {kv: factor * x for kv, x in power.tie_musd_per_km.items()},
            "tie_fixed_musd": factor * power.tie_fixed_musd,
            "substation_musd_per_mw": factor * power.substation_musd_per_mw,
            "upgrade_step": step,
        }
    )


def _demand(scenario: Scenario) -> Any:
    demand, factor = scenario.demand, scenario.assume.demand_pct / 100

    def scaled(series: Any) -> Any:
        return None if series is None else {day: factor * mw for day, mw in series.items()}

    works = {
        name: work.model_copy(update={"ref_mw": scaled(work.ref_mw)})
        for name, work in demand.workloads.items()
    }
    return demand.model_copy(update={"it_mw": scaled(demand.it_mw), "workloads": works})


def _equipment(scenario: Scenario) -> dict[str, Any]:
    """Return sections of what is built or bought, with their prices and dates."""
    assume, factor = scenario.assume, scenario.assume.capex_factor
    out: dict[str, Any] = {}
    if scenario.halls != "none":
        out["halls"] = [
            row.model_copy(update={"capex_musd_per_mw": factor * row.capex_musd_per_mw})
            for row in hall_classes(scenario)
        ]
    if scenario.hardware != "none":
        late = assume.hardware_late_months
        out["hardware"] = [
            row.model_copy(
                update={
                    "capex_musd_per_mw": factor * row.capex_musd_per_mw,
                    "lead_months": row.lead_months + late,
                    "available_from": _later(row.available_from, scenario, late),
                }
            )
            for row in hardware(scenario)
        ]
    if scenario.onsite.options:
        prices = ("capex_usd_per_kw", "solar_usd_per_kw", "storage_usd_per_kwh")
        options = [
            row.model_copy(
                update={
                    key: factor * price
                    for key in prices
                    if (price := getattr(row, key)) is not None
                }
            )
            for row in power_options(scenario)
        ]
        out["onsite"] = scenario.onsite.model_copy(update={"options": options})
    battery = scenario.flexible.battery
    if battery is not None:
        costs = ("usd_per_kwh", "usd_per_kw")
        battery = battery.model_copy(update={k: factor * getattr(battery, k) for k in costs})
        out["flexible"] = scenario.flexible.model_copy(update={"battery": battery})
    rules, fiber = scenario.candidates, scenario.fiber
    works = factor * rules.site_fixed_musd
    out["candidates"] = rules.model_copy(update={"site_fixed_musd": works})
    laterals = {"musd_per_km": factor * fiber.musd_per_km}
    out["fiber"] = fiber.model_copy(update={**laterals, "capacity": _fiber(scenario, factor)})
    return out


def _fiber(scenario: Scenario, factor: float) -> Capacity:
    """Return what fiber can be had, with what is paid once dearer by ``factor``."""
    rules = scenario.fiber.capacity
    found: dict[str, Any] = {}
    for name, key in (("pair", "iru_usd_per_km"), ("build", "usd_per_km")):
        part = getattr(rules, name)
        if part is not None:
            found[name] = part.model_copy(update={key: factor * getattr(part, key)})
    prices = ("usd_per_gbps_end", "ila_musd")
    found["optics"] = [
        row.model_copy(update={key: factor * getattr(row, key) for key in prices})
        for row in optics_of(scenario)
    ]
    return rules.model_copy(update=found)


def _later(day: date | None, scenario: Scenario, months: float) -> date | None:
    """Return a release date so much later, if it has not passed yet."""
    if day is None or day <= scenario.as_of:
        return day
    year, month = divmod(day.year * 12 + day.month - 1 + math.ceil(months - 1e-9), 12)
    last = calendar.monthrange(year, month + 1)[1]
    return date(year, month + 1, min(day.day, last))


def _grid(scenario: Scenario) -> Any:
    assume, grid = scenario.assume, scenario.grid
    assert grid is not None
    upgrades = [
        row.model_copy(
            update={
                "musd": assume.capex_factor * row.musd,
                "lead_months": row.lead_months + assume.upgrades_late_months.get(row.branch_id, 0),
            }
        )
        for row in grid.upgrades
    ]
    return grid.model_copy(update={"upgrades": upgrades})
