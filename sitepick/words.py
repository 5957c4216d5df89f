"""Planner's words for the limits of the model."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sitepick.scenario.schema import Scenario

LINES = "deliverability.lines"
"""The limits of `GridResult.limiting`, among those of `Run.binding`."""
LETTER = "headroom.letter"
"""The most that can be contracted from one letter: a bound of `headroom.take`, not a row."""
REACH = "demand.reach"
"""Work that no candidate is near enough to serve."""
LIMIT_WORDS = {
    "headroom.limit": "dated grid MW at POIs", "headroom.shared": "limits that POIs share",
    "onsite.permit": "permits of on-site power",
    "headroom.ramp": "growth of MW at POIs",
    "budget.year": "money", "procurement.cap": "supply", "siting.land": "land",
    "siting.max": "largest campus size", "siting.min": "smallest campus size",
    "siting.count": "number of sites", "siting.closed": "moratoria", "ties.cap": "tie size",
    "regions.count": "number of regions",
    "regions.max_grid": "grid MW caps of regions", "regions.max_it": "IT MW caps of regions",
    "regions.min_it": "least IT MW of regions", "regions.share": "largest share of a region",
    "regions.co2": "carbon caps of regions", "regions.water": "water caps of regions",
    "limits.co2": "carbon cap", "limits.water": "water cap", "limits.cost": "cost limit",
    "limits.it": "least IT MW", "limits.served": "least work served",
    "fiber.there": "fiber pairs on edges", "fiber.waves": "waves on fiber edges",
    "flexible.area": "non-firm MW of areas", "deliverability.adequacy": "reserve margins",
    "regions.entered": "regions that are not entered",
    "regions.min_once": "least MW of an entered region",
    "commitments.it_mw": "committed IT MW", "commitments.grid_mw": "committed grid MW",
    "commitments.site": "committed sites", "commitments.member": "committed members of groups",
    "siting.required": "required sites",
    "siting.no_growth": "growth in a moratorium", "demand.balance": "must-serve demand",
    "deliverability.joint": "lines of the grid", "fix.it_mw": "what --fix holds",
    LETTER: "MW of letters", REACH: "places out of reach",
    LINES: "lines of the grid",
}  # fmt: skip


FLOORS = frozenset({
    "siting.min", "siting.required", "regions.min_it", "regions.min_once", "limits.it",
    "limits.served", "commitments.it_mw", "commitments.grid_mw", "commitments.site",
    "commitments.member",
})  # fmt: skip
"""Limits from below: they cost money, and none of them turns work away."""


OBJECTIVE_WORDS = {
    "net_present_cost_musd": "net present cost with shortfall penalty",
    "served_ref_mw_years": "served ref MW-years",
    "installed_it_mw_years": "installed IT MW-years",
}  # fmt: skip


def objective_words(name: str) -> str:
    """Return a planner's words for what a plan's objective counts."""
    return OBJECTIVE_WORDS.get(name, name.replace("_", " "))


def plain_words(limit: str) -> str:
    """Return a planner's words for a row family, whatever the scenario."""
    known = limit.partition("#")[0]  # rows of the grid are numbered
    if known.startswith("regions.count"):
        known = "regions.count"  # by level
    return LIMIT_WORDS.get(known, known.replace(".", " ").replace("_", " "))


def limit_words(limit: str, scenario: Scenario) -> str:
    """Return a planner's words for a row family."""
    if limit == "headroom.limit" and scenario.connection_only:
        return "dated connection MW at POIs"
    return plain_words(limit)
