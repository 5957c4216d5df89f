"""The futures that a plan is held against: named ones, derived from it, and the user's own."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sitepick.errors import ScenarioError
from sitepick.run import Prepared
from sitepick.scenario.assume import STEPS, Assume
from sitepick.scenario.messages import did_you_mean
from sitepick.scenario.schema import Scenario
from sitepick.solution import Solution

LATE_MONTHS = 12.0
ENERGISED = "energised"
_SHARES = {
    "mw_less": ("mw_pct", 80), "demand_more": ("demand_pct", 130), "demand_less": ("demand_pct", 70)
}  # fmt: skip


@dataclass(frozen=True)
class Future:
    """A future by name. ``own``: one of the scenario's `futures`; else ``overrides`` make it."""

    name: str
    about: str
    overrides: tuple[str, ...] = ()
    own: bool = False


@dataclass(frozen=True)
class Futures:
    """The futures to solve, and why others of the usual ones make no sense here."""

    solved: tuple[Future, ...]
    left_out: tuple[tuple[str, str], ...]


def futures_of(
    stated: Scenario, prepared: Prepared, plan: Solution, only: Sequence[str] = ()
) -> Futures:
    """Return the futures of a plan: the named ones that apply, then the scenario's own.

    ``stated`` is the scenario as written, nothing assumed (its own `assume` counts on top).
    ``only`` names those wanted. Raises ScenarioError for unknown names, and for a future of the
    scenario that takes the name of another.
    """
    named, left_out = _named(stated, prepared, plan)
    own = [Future(name, _told(over), (), True) for name, over in stated.futures.items()]
    taken = {f.name for f in named} | {name for name, _ in left_out}
    if twice := sorted(taken & set(stated.futures)):
        raise ScenarioError([f"futures: '{name}' is the name of a usual future" for name in twice])
    every = {f.name: f for f in (*named, *own)}
    if unknown := [n for n in only if n not in every]:
        why = dict(left_out)
        raise ScenarioError(
            [f"--futures: '{n}' does not apply here: {why[n]}" if n in why
             else f"--futures: there is no '{n}'{did_you_mean(n, every)}; there are"
             f" {', '.join(every)}" for n in unknown]
        )  # fmt: skip
    if not only:
        return Futures(tuple(every.values()), tuple(left_out))
    return Futures(tuple(f for name, f in every.items() if name in only), ())


def _told(over: dict[str, Any]) -> str:
    text = ", ".join(f"{key}: {json.dumps(value)}" for key, value in over.items())
    return text if len(text) <= 120 else text[:117] + "..."


def _named(
    stated: Scenario, prepared: Prepared, plan: Solution
) -> tuple[list[Future], list[tuple[str, str]]]:
    base, made, missing = stated.assume, [], []
    made += _late_letters(stated, prepared, base)
    poi, mw = _largest_poi(plan)
    if poi:
        lost = json.dumps([*base.lost_pois, poi])
        about = f"nothing is energised at POI {poi}, the plan's largest ({mw:,.0f} grid MW)"
        made.append(Future("poi_lost", about, (f"assume.lost_pois={lost}",)))
    else:
        missing.append(("poi_lost", "the plan draws no new grid MW"))
    words = {"mw_pct": "MW of letters, substations and shared limits", "demand_pct": "demand"}
    for name, (key, pct) in _SHARES.items():
        if name == "mw_less" and not poi:
            missing.append((name, "the plan draws no new grid MW"))
            continue
        value = getattr(base, key) * pct / 100
        made.append(Future(name, f"{words[key]} {pct - 100:+d} %", (f"assume.{key}={value:.12g}",)))
    if stated.hardware == "none":
        missing.append(("chips_late", "hardware is outside this plan"))
    else:
        late = base.hardware_late_months + LATE_MONTHS
        about = "hardware is released, and delivered after its order, a year later"
        made.append(Future("chips_late", about, (f"assume.hardware_late_months={late:g}",)))
    capex = f"assume.capex_pct={1.2 * base.capex_pct:.12g}"
    made.append(Future("capex_more", "all that is built or bought but land +20 %", (capex,)))
    bought, word = _upgrade(prepared, plan)
    if bought:
        late = base.upgrades_late_months.get(bought, 0.0) + LATE_MONTHS
        key = f"assume.upgrades_late_months.{json.dumps(bought)}={late:g}"
        made.append(Future("upgrade_late", f"{word} a year late", (key,)))
    else:
        missing.append(("upgrade_late", "the plan buys no upgrade of a line or POI"))
    return made, missing


def _late_letters(stated: Scenario, prepared: Prepared, base: Assume) -> list[Future]:
    """Return a future for each stage that counts and has MW, energised MW left out."""
    cand, power = prepared.candidates, stated.power
    if power.model != "grid":
        return []
    stages = set(cand.offers["stage"].astype(str))
    without_letter = set(cand.pois["poi_id"]) - set(cand.offers["poi_id"])
    if without_letter and not stated.connection_only:
        stages.add(power.headroom_stage)
    out = []
    for stage in power.count_stages:
        if stage in stages and stage != ENERGISED:
            late = base.stage_late_months.get(stage, 0.0) + LATE_MONTHS
            about = f"MW of stage {stage} come a year later"
            key = f"assume.stage_late_months.{stage}={late:g}"
            out.append(Future(f"late_{stage}", about, (key,)))
    return out


def _largest_poi(plan: Solution) -> tuple[str, float]:
    """Return the POI with most new grid MW at the end ("" without any), and these."""
    mw: dict[str, float] = defaultdict(float)
    for row in plan.grid:
        if row.period == plan.periods[-1]:
            mw[row.poi_id] += row.grid_mw
    best = max(sorted(mw), key=lambda b: mw[b], default="")
    return (best, mw[best]) if best and mw[best] > 1e-3 else ("", 0.0)


def _upgrade(prepared: Prepared, plan: Solution) -> tuple[str, str]:
    """Return what `Assume.upgrades_late_months` calls the plan's dearest upgrade, and words."""
    grid = prepared.scenario.grid
    musd = {} if grid is None else {row.branch_id: row.musd for row in grid.upgrades}
    if plan.line_upgrades:
        line = max(plan.line_upgrades, key=lambda row: (musd.get(row.branch_id, 0), row.branch_id))
        return line.branch_id, f"the upgrade of line {line.branch_id}, the plan's dearest,"
    return (STEPS, "upgrade steps at POIs") if plan.upgrades else ("", "")
