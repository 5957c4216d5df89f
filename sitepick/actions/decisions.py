"""The decisions of a plan, and which of them are due within some months."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date

from sitepick.actions.groups import stretches
from sitepick.actions.types import Action, Decision
from sitepick.instance.timeline import add_months
from sitepick.solution import Solution

UNITS = {
    "site": "sites", "tie": "ties", "halls": "halls", "retrofit": "halls", "hardware": "IT MW",
    "onsite": "blocks", "battery": "battery MW", "lease": "IT MW", "offer": "grid MW",
    "step": "steps", "line": "upgrades", "region": "regions", "pairs": "pairs", "route": "routes",
    "light": "Tb/s", "member": "members", "link": "links",
}  # fmt: skip
"""Unit of the amount of a decision, by what it is."""


def decisions_of(solution: Solution) -> dict[Decision, float]:
    """Return every decision of a plan with its amount, in the units of `UNITS`.

    What stands already is no decision.
    """
    out: dict[Decision, float] = defaultdict(float)
    for site in solution.sites:
        if site.opened is not None:
            out[Decision("site", (site.site_id,))] = 1.0
    for tie in solution.ties:
        if tie.since is not None:
            kv = "" if tie.kv is None else f"{tie.kv:g}"
            out[Decision("tie", (tie.site_id, tie.poi_id, kv))] = 1.0
    for row in solution.halls:
        for what, count in (("halls", row.built), ("retrofit", row.converted_in)):
            if count:
                out[Decision(what, (row.site_id, row.hall, row.period))] = float(count)
    for item in solution.it:
        if item.bought_mw > 0:
            out[Decision("hardware", (item.site_id, item.hardware, item.period))] += item.bought_mw
    for stay in solution.stays:
        out[Decision("onsite", (stay.site_id, stay.option, stay.since))] += stay.blocks
    for charge in solution.batteries:
        out[Decision("battery", (charge.site_id, charge.period))] += charge.bought_mw
    for lease in solution.leases:
        out[Decision("lease", (lease.site_id,))] = lease.it_mw
    for take in solution.offers:
        out[Decision("offer", (take.offer_id,))] = take.grid_mw
    for step in solution.upgrades:
        out[Decision("step", (step.poi_id, step.period))] += step.steps
    for line in solution.line_upgrades:
        out[Decision("line", (line.branch_id,))] = 1.0
    for entry in solution.entered:
        if entry.entered is not None:
            out[Decision("region", (entry.level, entry.region_id))] = 1.0
    for row_of in solution.pairs:
        out[Decision("pairs", (row_of.edge, row_of.period))] += row_of.pairs
    for built in solution.builds:
        out[Decision("route", (built.edge,))] = 1.0
    for light in solution.light:
        out[Decision("light", (light.edge, light.period))] += light.tbps
    for part in stretches(solution):
        for member in part.members:
            out[Decision("member", (part.group, member, part.since))] = 1.0
        for pair in part.links:
            out[Decision("link", (part.group, *pair, part.since))] = 1.0
    return dict(out)


def decisions_due(
    solution: Solution, actions: Iterable[Action], as_of: date, within_months: int | None
) -> tuple[Decision, ...]:
    """Return the decisions of a plan that are due within so many months of ``as_of``, sorted.

    A decision is due as soon as one of its ``actions`` is; one that asks for no action (a letter
    that is signed) is made already. ``within_months`` None: all of them.
    """
    every = decisions_of(solution)
    if within_months is None:
        return tuple(sorted(every))
    until = add_months(as_of, within_months)
    first: dict[Decision, date] = {}
    for action in actions:
        for decision in action.decisions:
            first[decision] = min(action.do_by, first.get(decision, action.do_by))
    return tuple(sorted(d for d in every if first.get(d, as_of) <= until))
