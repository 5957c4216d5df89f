"""How firm are a site's megawatts: contracted grid MW of each POI by the stage of its letters.

The rule, so that sums are exact and the same everywhere:

* MW that stand already (``existing`` of the scenario) are ``energised``;
* at a POI with letters, the MW contracted from its offers active in the period count firmest stage
  first; at a POI without, the layer's dated headroom counts as ``power.headroom_stage`` and what
  is beyond it comes from upgrade steps and counts as ``assumed``; where the grid itself limits such
  POIs nobody has published their MW, and they count as `DC_STUDY`;
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
from sitepick.scenario.power import STAGES

if TYPE_CHECKING:
    from sitepick.candidates.types import Candidates
    from sitepick.scenario.schema import Scenario
    from sitepick.solution import Solution

DC_STUDY = "dc_study"
"""MW without a letter, within what the kV connects and the scenario's own study of the grid."""
Split = dict[str, float]
"""Stage -> grid MW."""
_ORDER = (*STAGES[:-1], DC_STUDY, STAGES[-1])


@dataclass(frozen=True)
class StagedGrid:
    """Contracted grid MW by stage, and what the letters are used for."""

    stages: tuple[str, ...]  # the columns, firmest first
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


def offer_share(offer: dict[str, Any], scenario: Scenario, time: Timeline, t: int) -> float:
    """Return the share of an offer's MW that is there in period ``t``: none, ramping or all."""
    if not offer_active(offer, scenario, time, t):
        return 0.0
    start = offer_from(offer, scenario)
    return 1.0 if start is None else float(time.ramp(start, offer["ramp_years"])[t])


@dataclass(frozen=True)
class Tier:
    """Grid MW of a layer at one POI that are there from one date on; ``rule`` says why then."""

    mw: float
    begins: date
    rule: str


def layer_tiers(
    poi: dict[str, Any], waits: list[dict[str, Any]], scenario: Scenario
) -> tuple[Tier, ...]:
    """Return the layer's dated MW of a POI without letters, earliest first (ramps left out).

    ``waits`` are the rows of `Candidates.queue` of the POI.
    """
    power = scenario.power
    mw = float(poi["headroom_mw"] or 0.0) * scenario.layer_share
    if mw <= 0 or power.headroom_stage not in power.count_stages:
        return ()
    slip = whole_months(12 * power.slip_years.get(power.headroom_stage, 0.0))
    if poi["from_date"]:
        day = date.fromisoformat(poi["from_date"])
        return (Tier(mw, add_months(day, slip), "its own date"),)
    usual = {"over_mw": 0.0, "years": power.wait_years, "rule": "power.wait_years"}
    rows = sorted(waits or [usual], key=lambda row: float(row["over_mw"]))
    ends = [*(float(row["over_mw"]) for row in rows[1:]), math.inf]
    tiers = []
    for row, end in zip(rows, ends, strict=True):
        part = min(mw, end) - float(row["over_mw"])
        months = whole_months(12 * row["years"]) + slip
        if part > 0:
            tiers.append(Tier(part, add_months(scenario.as_of, months), row["rule"]))
    return tuple(tiers)


def layer_mw(tiers: tuple[Tier, ...], scenario: Scenario, time: Timeline, t: int) -> float:
    """Return the grid MW of ``tiers`` that are there in period ``t``, ramps counted."""
    ramp = scenario.power.ramp_years
    return sum(tier.mw * float(time.ramp(tier.begins, ramp)[t]) for tier in tiers)


def waits_of(candidates: Candidates) -> dict[str, list[dict[str, Any]]]:
    """Return the rows of `Candidates.queue` by POI."""
    out: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in records(candidates.queue):
        out[row["poi_id"]].append(row)
    return out


def layer_stage(scenario: Scenario) -> str:
    """Return the stage of MW at POIs without a letter."""
    return DC_STUDY if scenario.connection_only else str(scenario.power.headroom_stage)


def used_stages(scenario: Scenario) -> tuple[str, ...]:
    """Return the stages that MW of this scenario can have, firmest first."""
    can: set[str] = set(scenario.power.count_stages)
    if scenario.connection_only and scenario.power.headroom_stage in can:
        can.add(DC_STUDY)
    if any(e.grid_mw > 0 for e in scenario.existing):
        can.add("energised")
    if scenario.power.upgrade_step is not None or scenario.flexible.areas:
        can.add("assumed")
    return tuple(s for s in _ORDER if s in can)


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
    waits = waits_of(candidates)

    wanted: dict[tuple[str, int], list[tuple[str, float]]] = defaultdict(list)
    for row in sorted(solution.grid, key=lambda r: r.site_id):
        wanted[row.poi_id, at[row.period]].append((row.site_id, row.grid_mw))

    by_site: defaultdict[tuple[str, int], Split] = defaultdict(lambda: defaultdict(float))
    for site in scenario.existing:
        for t in range(time.n if site.grid_mw > 0 else 0):
            by_site[site.site_id, t]["energised"] += site.grid_mw
    for (poi, t), asked in wanted.items():
        if poi in lettered:
            supply = _in_order(
                (o["stage"], mw * share)
                for o, mw in taken[poi]
                if (share := offer_share(o, scenario, time, t))
            )
            # no letter states the MW of an area's margin
            supply += [("assumed", math.inf)] if scenario.flexible.areas else []
        else:
            tiers = layer_tiers(pois[poi], waits.get(poi, []), scenario) if poi in pois else ()
            there = layer_mw(tiers, scenario, time, t)
            supply = [(layer_stage(scenario), there), ("assumed", math.inf)]
        _hand_out(asked, supply, stages, by_site, t)
    totals = {key: sum(mw for _, mw in asked) for key, asked in wanted.items()}
    return StagedGrid(stages, {k: dict(v) for k, v in by_site.items()}, totals)


def _in_order(supply: Iterable[tuple[str, float]]) -> list[tuple[str, float]]:
    return sorted(supply, key=lambda s: [str(x) for x in STAGES].index(s[0]))


def _hand_out(
    asked: list[tuple[str, float]],
    supply: list[tuple[str, float]],
    stages: tuple[str, ...],
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
