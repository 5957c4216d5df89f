"""Parts of `Case`: which sites a plan speaks of, on-site blocks by stay, PUE of leased halls."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sitepick.scenario.catalog import HallClass
from sitepick.solution import Solution

Stays = dict[tuple[str, str, int, int | None], float]


def sites_named(plan: Solution) -> set[str]:
    """Return the sites that any row of the plan speaks of, but for those that it merely opens."""
    found: set[str] = set()
    for rows in (
        plan.ties, plan.grid, plan.onsite, plan.halls, plan.leases, plan.it, plan.use, plan.serve,
        plan.nonfirm, plan.shed, plan.backed, plan.batteries,
    ):  # fmt: skip
        found |= {row.site_id for row in rows}
    return found


def stays_of(plan: Solution, at: Mapping[str, int]) -> Stays:
    """Return blocks by site, option, first period and the period they leave (None: at the end)."""
    return {
        (r.site_id, r.option, at[r.since], None if r.until is None else at[r.until]): r.blocks
        for r in plan.stays
    }


def pue_of(lease: Mapping[str, Any] | None, row: HallClass, climate: str) -> tuple[float, float]:
    """Return annual and design-day PUE of a class in a climate: an offer's own where it has them.

    A design-day figure that an offer does not state is never below the annual one.
    """
    figures = [{str(c): pue for c, pue in of.items()} for of in (row.pue_avg, row.pue_peak)]
    avg, peak = (of.get(climate, max(of.values())) for of in figures)
    if lease is None or lease["hall"] != row.id:
        return avg, peak
    told = [None if x is None or x != x else x for x in (lease["pue_avg"], lease["pue_peak"])]
    avg = avg if told[0] is None else float(told[0])
    return avg, max(peak, avg) if told[1] is None else float(told[1])
