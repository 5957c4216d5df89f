"""How firm are a site's megawatts: contracted grid MW of each POI by the stage of its letters.

The rule, so that sums are exact and the same everywhere:

* MW that stand already (``existing`` of the scenario) are ``energised``;
* at a POI with letters, the MW contracted from its offers active in the period count firmest stage
  first; at a POI without, the layer's dated headroom counts as ``power.headroom_stage`` and what
  is beyond it comes from upgrade steps and counts as ``assumed``;
* sites at the POI take these MW in order of id.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from sitepick.exports.sheet import records
from sitepick.instance.timeline import Timeline, add_months, whole_months
from sitepick.scenario.power import STAGES, Stage

if TYPE_CHECKING:
    from sitepick.candidates.types import Candidates
    from sitepick.scenario.schema import Scenario
    from sitepick.solution import Solution

Split = dict[str, float]
"""Stage -> grid MW."""


@dataclass(frozen=True)
class StagedGrid:
    """Contracted grid MW by stage, and what the letters are used for."""

    stages: tuple[Stage, ...]  # the columns, firmest first
    by_site: dict[tuple[str, int], Split]  # (site_id, period index), existing MW included
    by_poi: dict[tuple[str, int], float]  # (poi_id, period index), without existing MW


def offer_from(offer: dict[str, Any], scenario: Scenario) -> date | None:
    """Return the date an offer (a record) counts from, its stage's slip added; None without one."""
    if offer["from_date"] is None:
        return None
    slip = scenario.power.slip_years.get(offer["stage"], 0.0)
    return add_months(date.fromisoformat(offer["from_date"]), whole_months(12 * slip))


def offer_active(offer: dict[str, Any], scenario: Scenario, time: Timeline, t: int) -> bool:
    """Return whether an offer stands during the whole of period ``t``."""
    start = offer_from(offer, scenario)
    if start is not None and time.starts[t] < start:
        return False
    end = offer["to_date"]
    return end is None or (time.starts[t + 1] - date.fromisoformat(end)).days <= 1


def used_stages(scenario: Scenario) -> tuple[Stage, ...]:
    """Return the stages that MW of this scenario can have, firmest first."""
    can: set[Stage] = set(scenario.power.count_stages)
    if any(e.grid_mw > 0 for e in scenario.existing):
        can.add("energised")
    if scenario.power.upgrade_step is not None:
        can.add("assumed")
    return tuple(s for s in STAGES if s in can)


def staged_grid(scenario: Scenario, candidates: Candidates, solution: Solution) -> StagedGrid:
    """Split the contracted grid MW of all sites by stage, as the module says."""
    time = Timeline.of(scenario)
    at = {name: t for t, name in enumerate(solution.periods)}
    stages = used_stages(scenario)
    offers = {o["offer_id"]: o for o in records(candidates.offers)}
    taken: dict[str, list[tuple[dict[str, Any], float]]] = defaultdict(list)
    for take in solution.offers:
        taken[take.poi_id].append((offers[take.offer_id], take.grid_mw))
    lettered = {o["poi_id"] for o in offers.values()}
    pois = {p["poi_id"]: p for p in records(candidates.pois)}

    wanted: dict[tuple[str, int], list[tuple[str, float]]] = defaultdict(list)
    for row in sorted(solution.grid, key=lambda r: r.site_id):
        wanted[row.poi_id, at[row.period]].append((row.site_id, row.grid_mw))

    by_site: defaultdict[tuple[str, int], Split] = defaultdict(lambda: defaultdict(float))
    for site in scenario.existing:
        for t in range(time.n if site.grid_mw > 0 else 0):
            by_site[site.site_id, t]["energised"] += site.grid_mw
    for (poi, t), asked in wanted.items():
        if poi in lettered:
            active = [(o, mw) for o, mw in taken[poi] if offer_active(o, scenario, time, t)]
            supply = _in_order((o["stage"], mw) for o, mw in active)
        else:
            layer_mw = _layer_mw(pois.get(poi), scenario, time, t)
            supply = [(str(scenario.power.headroom_stage), layer_mw), ("assumed", math.inf)]
        _hand_out(asked, supply, stages, by_site, t)
    totals = {key: sum(mw for _, mw in asked) for key, asked in wanted.items()}
    return StagedGrid(stages, {k: dict(v) for k, v in by_site.items()}, totals)


def _in_order(supply: Iterable[tuple[str, float]]) -> list[tuple[str, float]]:
    return sorted(supply, key=lambda s: [str(x) for x in STAGES].index(s[0]))


def _layer_mw(poi: dict[str, Any] | None, scenario: Scenario, time: Timeline, t: int) -> float:
    """Return the layer's dated headroom of a POI without letters, grid MW."""
    power = scenario.power
    if poi is None or poi["headroom_mw"] is None:
        return 0.0
    wait = add_months(scenario.as_of, whole_months(12 * power.wait_years))
    stated = date.fromisoformat(poi["from_date"]) if poi["from_date"] else wait
    slip = power.slip_years.get(power.headroom_stage, 0.0)
    start = add_months(stated, whole_months(12 * slip))
    if time.starts[t] < start:
        return 0.0
    return float(poi["headroom_mw"]) * power.headroom_pct / 100


def _hand_out(
    asked: list[tuple[str, float]],
    supply: list[tuple[str, float]],
    stages: tuple[Stage, ...],
    by_site: dict[tuple[str, int], Split],
    t: int,
) -> None:
    """Give ``supply`` to the sites in order; whatever exceeds it counts as the least firm stage."""
    names = [stage for stage, _ in supply if stage in stages]
    left = [mw for stage, mw in supply if stage in stages]
    last = names[-1] if names else stages[-1]
    for site, mw in asked:
        for i, stage in enumerate(names):
            part = min(mw, left[i])
            if part > 0:
                by_site[site, t][stage] += part
                left[i] -= part
                mw -= part
        if mw > 0:  # rounding, or a plan that the check refuses
            by_site[site, t][last] += mw
