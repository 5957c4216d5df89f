"""Actions of fiber edges: pairs to lease, new routes to build, optics to order."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING

from sitepick.actions.entry import Draft
from sitepick.actions.facts import Facts, Lead
from sitepick.actions.types import Decision
from sitepick.instance.fiber import edges_of

if TYPE_CHECKING:
    from sitepick.candidates.types import FiberAccess


def drafts(facts: Facts, access: FiberAccess | None) -> Iterator[Draft]:
    """Yield what the plan's edges ask for; waves are leased within months and not listed."""
    plan = facts.plan
    if access is None or not (plan.pairs or plan.builds or plan.light):
        return
    edges = edges_of(facts.scenario, access.network, facts.time)
    at = {name: e for e, name in enumerate(edges.ids)}
    for row in plan.pairs:
        e = at[row.edge]
        lead = Lead(edges.pair_lead_months, "fiber.capacity.pair.lead_months")
        if edges.new[e]:
            lead = Lead(0, "fiber.capacity.build.lead_months")
        many = "pairs" if row.pairs > 1 else "pair"
        yield Draft(
            "lease_pairs", date.fromisoformat(row.period), lead, item=row.edge,
            musd=row.pairs * float(edges.pair_musd[e]),
            why=f"{row.pairs} {many} over {edges.km[e]:,.4g} km in service {row.period}",
            decisions=(Decision("pairs", (row.edge, row.period)),),
        )  # fmt: skip
    for build in plan.builds:
        e = at[build.edge]
        yield Draft(
            "build_route", date.fromisoformat(build.period),
            Lead(edges.build_lead_months, "fiber.capacity.build.lead_months"), item=build.edge,
            musd=float(edges.build_musd[e]),
            why=f"new route of {edges.km[e]:,.4g} km in service {build.period}",
            decisions=(Decision("route", (build.edge,)),),
        )  # fmt: skip
    for light in plan.light:
        e = at[light.edge]
        yield Draft(
            "order_optics", date.fromisoformat(light.period),
            Lead(float(edges.light_lead_months[e]), "fiber.capacity.optics.lead_months"),
            item=light.edge, musd=light.tbps * float(edges.light_musd[e]),
            why=f"{light.tbps:,.4g} Tb/s in service {light.period}",
            decisions=(Decision("light", (light.edge, light.period)),),
        )  # fmt: skip
