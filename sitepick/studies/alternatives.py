"""Plans at nearly the cost of the best that differ as much as possible.

Modelling to generate alternatives (Brill 1979): a model leaves things out, so a planner should see
how different a plan may be at nearly the same cost. One plan after another is found, each with the
most differences from all plans before it, within a cap on cost; docs/alternatives.md defines it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from sitepick.errors import ScenarioError
from sitepick.planner import Planner
from sitepick.run import Prepared
from sitepick.solution import Solution
from sitepick.solve.outcome import Limits, Progress
from sitepick.studies.differences import Alternative, Search, judged

INTERRUPTED = "interrupted"


@dataclass(frozen=True)
class Alternatives:
    """What was found. ``stopped``: why there are fewer than asked, empty if there are not."""

    best: Solution
    best_sites: frozenset[str]
    best_cost_musd: float
    cap_musd: float
    within: float
    least_it_mw: float
    facts: tuple[str, ...]  # sites that every plan has, never counted
    found: tuple[Alternative, ...]
    stopped: str


def alternatives(
    prepared: Prepared,
    best: Solution,
    *,
    within: float,
    count: int,
    limits: Limits,
    least_it_mw: float | None = None,
    solver: str = "highs",
    exact: bool = False,
    on_progress: Progress | None = None,
    on_plan: Callable[[int], None] | None = None,
    stop: threading.Event | None = None,
) -> Alternatives:
    """Return up to ``count`` plans that cost at most ``1 + within`` times ``best``.

    ``limits.time_s`` is for each plan. A site counts as opened only with ``least_it_mw`` IT MW at
    the horizon's end (None: the smallest site that ``best`` opens). ``on_plan`` is told the number
    of each plan that is begun. Raises ScenarioError where ``within`` is below the gap of ``best``,
    or ``best`` is no plan of this scenario.
    """
    if prepared.scenario.objective == "min_cost" and within < best.gap:
        raise ScenarioError(
            f"--within {100 * within:.3g}% is below the gap of the plan, {100 * best.gap:.3g} %: a"
            " plan so near to it may be no alternative but the better plan; solve again with a"
            " smaller --gap, or allow more"
        )
    if wrong := judged(prepared, best):
        raise ScenarioError(
            ["the plan of the run breaks its scenario and layers as they are now", *map(str, wrong)]
        )
    planner = Planner(prepared, limits, solver, exact, on_progress, stop)
    search = Search(planner, best, within, least_it_mw)
    found: list[Alternative] = []
    stopped = ""
    while len(found) < count and not stopped:
        if stop is not None and stop.is_set():
            stopped = INTERRUPTED
            break
        if on_plan is not None:
            on_plan(len(found) + 1)
        made, stopped = search.next()
        found += [made] if made is not None else []
    return Alternatives(
        best=best,
        best_sites=search.named(search.sets[0]),
        best_cost_musd=search.cost,
        cap_musd=search.cap,
        within=within,
        least_it_mw=search.least,
        facts=tuple(planner.instance.sites.ids[i] for i in np.flatnonzero(search.facts)),
        found=tuple(found),
        stopped=stopped,
    )
