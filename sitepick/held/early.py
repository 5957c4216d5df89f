"""Columns of decisions that would have to be made by some day, whichever plan makes them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import date

import numpy as np

from sitepick.blocks.columns import halls_at, it_at, open_at
from sitepick.blocks.deliverability import upgrades_at
from sitepick.blocks.group_units import units
from sitepick.blocks.onsite import stays
from sitepick.instance.timeline import add_months, whole_months
from sitepick.instance.types import Instance
from sitepick.matrix import IntArray
from sitepick.program import Program


def early_columns(
    program: Program,
    inst: Instance,
    until: date,
    letters: Collection[str],
    replied: Collection[str],
    fit_out: Mapping[str, float],
) -> IntArray:
    """Return the columns of what must be decided by ``until`` by the model's own lead times.

    Openings, ties, regions, halls, hardware, plants, batteries, upgrades; the ``letters`` and
    offers of leased halls (``replied``) whose answer is due by then, and leases that begin so
    early: ``fit_out`` has the months of work on each before. Licensing delays of hardware are
    left out.
    """
    time, n_sites = inst.time, len(inst.sites.ids)

    def due(months: float) -> int:
        """Return how many periods are so early that what they bring is decided by then."""
        lead = whole_months(months)
        return sum(add_months(start, -lead) <= until for start in time.starts[:-1])

    first = due(inst.sites.lead_months)
    level, leases = open_at(program, inst), inst.leases
    parts = [level[~inst.leased, :first]]
    leased = program.index("leases.mw", (len(leases.site), time.n))
    for row, i in enumerate(leases.site):
        name = inst.sites.ids[i]
        last = time.n if name in replied else due(fit_out[name])
        parts += [level[i, :last], leased[row, :last]]
    parts.append(program.index("ties.tie", (len(inst.ties.site), time.n))[:, :first])
    parts.append(program.index("regions.enter", (len(inst.entries), time.n))[:, :first])
    for family in ("halls.build", "halls.convert"):
        at = halls_at(program, inst, family)
        parts += [at[:, k, : due(float(m))] for k, m in enumerate(inst.halls.lead_months)]
    bought = it_at(program, inst, "hardware.buy")
    parts += [bought[:, :, h, : due(float(m))] for h, m in enumerate(inst.hardware.lead_months)]
    stay, on = stays(program, inst), inst.onsite
    begun = np.array([due(float(m)) for m in on.lead_months], dtype=np.int64)
    parts.append(stay.column[stay.start < begun[on.option[stay.pair]]])
    for family in ("flexible.battery", "swing.battery"):
        battery = program.index(family, (n_sites, time.n))
        parts.append(battery[:, : due(inst.flexible.battery_lead_months)])
    steps = program.index("headroom.steps", (len(inst.headroom.poi_ids), time.n))
    parts.append(steps[:, : due(inst.headroom.step_lead_months)])
    if inst.joint is not None:
        rating = upgrades_at(program, inst)
        parts += [rating[u, : due(float(m))] for u, m in enumerate(inst.joint.upgrade_lead_months)]
    parts += _of_fiber(program, inst, due)
    if until >= time.starts[-1]:  # what has no date is decided too: who is a member
        parts += [unit.columns(program, "groups.member") for unit in units(inst)]
    take = program.index("headroom.take", (len(inst.headroom.offer_ids),))
    parts.append(take[[o for o, name in enumerate(inst.headroom.offer_ids) if name in letters]])
    found = np.concatenate([part.ravel() for part in parts])
    return np.unique(found[found >= 0])


def _of_fiber(program: Program, inst: Instance, due: Callable[[float], int]) -> list[IntArray]:
    """Return the columns of pairs, new routes and optics that would have to be ordered by then."""
    if inst.fiber is None:
        return []
    edges, out = inst.fiber.edges, []
    own = np.where(edges.new, edges.build_lead_months, edges.pair_lead_months)
    for family, lead in (("fiber.pairs", own), ("fiber.light", edges.light_lead_months)):
        at = program.index(family, (len(edges.ids), inst.time.n))
        out += [at[e, : due(float(m))] for e, m in enumerate(lead)]
    # keeping up a route that is there is no decision of its own
    route = program.index("fiber.route", (len(edges.ids), inst.time.n))
    out += [route[e, : due(edges.build_lead_months)] for e in np.flatnonzero(edges.new)]
    return out
