"""What must-serve demand lacks when no plan serves it all, and which limits keep it away."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from dataclasses import replace

import numpy as np

from sitepick.blocks import build
from sitepick.blocks.columns import it_at
from sitepick.blocks.ledger import NPC_TERMS
from sitepick.dispatch.joint import JointLimits
from sitepick.dispatch.result import limiting
from sitepick.instance.types import Instance
from sitepick.matrix import FloatArray
from sitepick.planner import Planner
from sitepick.prices import binding, row_prices
from sitepick.program import Program
from sitepick.run import Shortfall
from sitepick.serving import ReachLimits
from sitepick.solve import solve_with
from sitepick.words import plain_words

SECONDS = 20.0
"""Most time to find the least that is missing; what is found by then is told."""
_START_SECONDS = 5.0
_START_GAP = 0.05
_MOST = 10


def shortfall_of(
    planner: Planner, held: Callable[[Planner], FloatArray | None] | None = None
) -> tuple[Shortfall, ...]:
    """Return what must-serve demand lacks at least, by period, when no plan serves it all.

    The same program with must-serve work allowed to be turned away, minimising ref_mw-years turned
    away: the least that is missing, or the least that was found within `SECONDS`. Empty when
    something else makes the scenario infeasible.
    """
    inst = planner.instance
    if not inst.demand.must.any():
        return ()
    free = replace(inst, demand=replace(inst.demand, must=np.zeros_like(inst.demand.must)))
    program, ledger = build(free)
    short = program.column_families["demand.turned_away"]
    must = inst.demand.must[short.keys["workload"]]
    dt = inst.time.dt[short.keys["period"]]
    program.add_cost(short.indices[must], dt[must], "missing")
    study = planner.prepared.study
    joint = None if study is None else JointLimits(study, free, program)
    relaxed = copy(planner)
    relaxed.instance, relaxed.program, relaxed.ledger, relaxed.joint = free, program, ledger, joint
    relaxed.reach = ReachLimits.of(free, program)
    relaxed.__dict__.pop("penalty", None)  # that of the other program
    most = SECONDS if planner.limits.time_s is None else min(SECONDS, planner.limits.time_s)
    limits = replace(planner.limits, time_s=most)
    # turning everything away is a plan here, and a search without a start may stay near it
    program.minimise(NPC_TERMS)
    rough = replace(limits, gap=max(limits.gap, _START_GAP), time_s=min(most, _START_SECONDS))
    start = relaxed.greedy()[0] if held is None else held(relaxed)
    first = solve_with(
        planner.solver, program, rough, start=start, stop=planner.stop,
        separators=relaxed.separators, branch_families=("siting.open",),
    )  # fmt: skip
    program.minimise(("missing",))
    out = solve_with(
        planner.solver, program, limits, start=first.values, stop=planner.stop,
        separators=relaxed.separators,
    )  # fmt: skip
    if out.values is None:
        return ()
    causes = _causes(program, joint, out.values)
    pue = _design_pue(program, free, out.values)
    gain = float(inst.hardware.gain.max(initial=1.0))
    rows = []
    for j in np.flatnonzero(must):
        missing = float(out.values[short.indices[j]])
        if missing > 1e-3:
            w, d, t = (int(short.keys[n][j]) for n in ("workload", "place", "period"))
            rows.append(
                Shortfall(
                    period=inst.time.names[t],
                    workload=inst.demand.workloads[w],
                    place_id=inst.demand.places[d],
                    asked_ref_mw=float(inst.demand.mw[w, d, t]),
                    missing_ref_mw=missing,
                    missing_grid_mw=missing / gain * pue,
                    limited_by=_until(inst.time.names[t], causes),
                )
            )
    return tuple(sorted(rows, key=lambda r: (r.period, r.workload, r.place_id)))


def _causes(
    program: Program, joint: JointLimits | None, values: FloatArray
) -> list[tuple[float, str, str]]:
    """Return (price, period or year, words) of what binds where the least is missing."""
    price = row_prices(program, values, held=False)
    if price is None:
        return []
    found = [
        (b.price_musd, b.when, f"{plain_words(b.limit)} {b.where}".strip())
        for b in binding(program, values, price)
    ]
    for row in () if joint is None else limiting(joint, program, values, price):
        after = "" if row.outage_id == "base" else f" after losing {row.outage_id}"
        text = f"grid: {row.branch_id}{after} ({row.condition})"
        found.append((row.price_musd_per_mw, row.period, text))
    return sorted(found, key=lambda cause: (-cause[0], cause[1:]))


def _until(period: str, causes: list[tuple[float, str, str]]) -> tuple[str, ...]:
    """Return the words of what binds in a period or before it, what counts most first."""
    return tuple(dict.fromkeys(text for _, when, text in causes if when <= period))[:_MOST]


def _design_pue(program: Program, inst: Instance, values: FloatArray) -> float:
    """Return design-day facility MW per IT MW of the plan's sites, else of the cheapest class."""
    it = it_at(program, inst)
    i, k, h, t = np.nonzero(it >= 0)
    mw = values[it[i, k, h, t]]
    if mw.sum() > 1e-3:
        return float((mw * inst.halls.pue_peak[i, k]).sum() / mw.sum())
    return float(inst.halls.pue_peak.min(initial=1.0)) if inst.halls.pue_peak.size else 1.0
