"""What fiber edges cost: no site's own, so that it stays with what no site carries."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sitepick.instance.fiber import edges_of
from sitepick.instance.timeline import Timeline
from sitepick.scenario.fiber_capacity import peak_hours

if TYPE_CHECKING:
    from sitepick.candidates.types import Candidates
    from sitepick.scenario.schema import Scenario
    from sitepick.solution import Solution

NOBODY = ""
"""As a site: what no site carries."""


@dataclass(frozen=True)
class EdgeCost:
    """What an edge costs from a period's start on: once, or in each year of the period.

    ``life_years`` 0: yearly. Money is MUSD, real.
    """

    edge: str
    t: int
    category: str
    musd: float
    life_years: float = 0.0
    lead_months: float = 0.0


def edge_costs(scenario: Scenario, candidates: Candidates, plan: Solution) -> Iterator[EdgeCost]:
    """Yield what pairs, routes, optics and waves of a plan cost, by edge."""
    if candidates.fiber is None or not plan.edges:
        return
    time = Timeline.of(scenario)
    edges = edges_of(scenario, candidates.fiber.network, time)
    at = {name: e for e, name in enumerate(edges.ids)}
    when = {name: t for t, name in enumerate(plan.periods)}
    pairs = np.zeros((len(at), time.n))
    route = np.zeros((len(at), time.n), dtype=bool)
    for row in plan.pairs:
        e, t = at[row.edge], when[row.period]
        lead = 0.0 if edges.new[e] else edges.pair_lead_months
        musd = row.pairs * float(edges.pair_musd[e])
        yield EdgeCost(row.edge, t, "fiber", musd, edges.term_years, lead)
        pairs[e, t : t + edges.term_periods] += row.pairs
    for build in plan.builds:
        e, t = at[build.edge], when[build.period]
        life, lead = edges.build_life_years, edges.build_lead_months
        yield EdgeCost(build.edge, t, "fiber", float(edges.build_musd[e]), life, lead)
        route[e, t:] = True
    for light in plan.light:
        e, t = at[light.edge], when[light.period]
        life, lead = float(edges.light_life_years[e]), float(edges.light_lead_months[e])
        musd = light.tbps * float(edges.light_musd[e])
        yield EdgeCost(light.edge, t, "fiber", musd, life, lead)
    for e, t in zip(*np.nonzero((pairs > 0) | route), strict=True):
        rent = float(pairs[e, t] * edges.pair_yearly_musd[e])
        yield EdgeCost(edges.ids[e], int(t), "transport", rent)
        yield EdgeCost(edges.ids[e], int(t), "om", float(edges.route_yearly_musd[e]))
    hours = peak_hours(scenario)
    for wave in plan.waves:
        e, musd = at[wave.edge], float(edges.wave_musd[at[wave.edge]])
        if wave.peak_hours:
            before = max((h for h in hours if h < wave.peak_hours), default=0.0)
            musd = (wave.peak_hours - before) * float(edges.burst_musd_per_hour[e])
        yield EdgeCost(wave.edge, when[wave.period], "transport", wave.waves * musd)


def charge(
    scenario: Scenario,
    candidates: Candidates,
    plan: Solution,
    spend: Callable[[str, int, str, float, float, float], None],
    pay: Callable[[str, int, str, float], None],
) -> None:
    """Charge pairs, routes, optics and waves of a plan."""
    for cost in edge_costs(scenario, candidates, plan):
        if cost.life_years:
            spend(NOBODY, cost.t, cost.category, cost.musd, cost.life_years, cost.lead_months)
        else:
            pay(NOBODY, cost.t, cost.category, cost.musd)
