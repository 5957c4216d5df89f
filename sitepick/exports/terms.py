"""Terms of cost by kind: capital paid once, and yearly costs."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sitepick.scenario.schema import Scenario

CAPITAL = ("facility", "it", "ties", "land", "site", "fiber", "upgrades", "security", "entry")
YEARLY = ("energy", "demand_charge", "om", "transport")


def capital_terms(scenario: Scenario) -> tuple[str, ...]:
    """Return the categories of capital that a plan of this scenario can have."""
    onsite = ("onsite",) if scenario.onsite.options else ()
    return (*CAPITAL, *onsite, *(("battery",) if scenario.flexible.battery is not None else ()))


def yearly_terms(scenario: Scenario, *, leased: bool) -> tuple[str, ...]:
    """Return the yearly costs that a plan of this scenario can have; ``leased``: with offers."""
    rent = ("rent",) if leased else ()
    onsite = ("onsite_running",) if scenario.onsite.options else ()
    return (
        *YEARLY,
        *rent,
        *onsite,
        *(("curtailed",) if scenario.power.nonfirm == "flexible" else ()),
    )
