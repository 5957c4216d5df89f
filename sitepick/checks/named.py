"""Which sites a plan speaks of, and its on-site blocks by their stay: parts of `Case`."""

from __future__ import annotations

from collections.abc import Mapping

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
