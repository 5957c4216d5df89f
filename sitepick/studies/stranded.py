"""What a plan pays for and cannot use: power without load, halls without IT, idle chips.

docs/stress.md defines each figure.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from math import ceil

import numpy as np

from sitepick.actions import Action, Decision, actions_of
from sitepick.held import HeldRow
from sitepick.instance.types import Instance
from sitepick.run import Prepared
from sitepick.scenario.catalog import hall_classes
from sitepick.solution import Solution

LEAST_MW = 1e-3
LEAST_TBPS = 1e-6
Place = tuple[str, ...]


@dataclass(frozen=True)
class Idle:
    """Something idle in one period. ``kind``: power (grid MW), halls or hardware (IT MW), or fiber
    (Tb/s lit that no peak uses; pairs that are not needed for them count in ``musd``).

    ``musd``: overnight capital of the idle part, real, of the scenario's price year.
    """

    kind: str
    period: str
    where: str
    mw: float
    musd: float
    tbps: float = 0.0


def stranded(
    prepared: Prepared,
    inst: Instance,
    plan: Solution,
    lost: Iterable[HeldRow],
    money: Callable[[Decision], float],
) -> tuple[Idle, ...]:
    """Return what is idle in each period of a plan made in some future.

    ``lost`` are decisions held from an earlier plan that this one does not carry out, ``money``
    what each of them would have cost.
    """
    paid = paid_by(actions_of(prepared.scenario, prepared.candidates, plan))
    power = _power(inst, plan, paid)
    halls = _halls(prepared, plan, paid)
    fiber = _fiber(inst, plan, paid)
    return (*power, *halls, *_unpowered(prepared, inst, plan, lost, money), *fiber)


def paid_by(actions: Iterable[Action]) -> dict[Decision, float]:
    """Return the MUSD that the actions of each decision pay."""
    out: dict[Decision, float] = defaultdict(float)
    for action in actions:
        for decision in action.decisions:
            out[decision] += (action.musd or 0.0) / len(action.decisions)
    return out


def _drawn(plan: Solution) -> dict[tuple[str, str], float]:
    """Return new grid MW by POI and period; what stands already is outside all letters."""
    out: dict[tuple[str, str], float] = defaultdict(float)
    for row in plan.grid:
        out[row.poi_id, row.period] += row.grid_mw
    return out


def _power(inst: Instance, plan: Solution, paid: dict[Decision, float]) -> list[Idle]:
    """Return letters' MW that have come and are not drawn, by POI."""
    room, taken = inst.headroom, {row.offer_id: row.grid_mw for row in plan.offers}
    by_poi: dict[int, list[int]] = defaultdict(list)
    for o, offer in enumerate(room.offer_ids):
        if taken.get(offer, 0.0) > LEAST_MW:
            by_poi[int(room.offer_poi[o])].append(o)
    drawn = _drawn(plan)
    out = []
    for b, offers in sorted(by_poi.items()):
        poi = room.poi_ids[b]
        musd = sum(paid.get(Decision("offer", (room.offer_ids[o],)), 0.0) for o in offers)
        whole = sum(taken[room.offer_ids[o]] for o in offers)
        for t, period in enumerate(plan.periods):
            come = sum(taken[room.offer_ids[o]] * float(room.offer_share[o, t]) for o in offers)
            idle = come - drawn.get((poi, period), 0.0)
            if idle > LEAST_MW:
                out.append(_idle("power", period, poi, idle, musd * idle / whole))
    return out


def _halls(prepared: Prepared, plan: Solution, paid: dict[Decision, float]) -> list[Idle]:
    """Return MW of halls without IT by site; its other works too where a site has no IT at all."""
    if prepared.scenario.halls == "none":
        return []
    size = {row.id: row.hall_it_mw for row in hall_classes(prepared.scenario)}
    mw: dict[tuple[str, str], float] = defaultdict(float)
    for row in plan.halls:
        mw[row.site_id, row.period] += row.halls * size[row.hall]
    it: dict[tuple[str, str], float] = defaultdict(float)
    for item in plan.it:
        it[item.site_id, item.period] += item.it_mw
    out = []
    for (site, period), standing in sorted(mw.items()):
        idle = standing - it[site, period]
        if idle <= LEAST_MW:
            continue
        built = sum(
            x for d, x in paid.items()
            if d.what in ("halls", "retrofit") and d.ids[0] == site and d.ids[2] <= period
        )  # fmt: skip
        works = 0.0
        if it[site, period] <= LEAST_MW:
            works = sum(
                x for d, x in paid.items() if d.what in ("site", "tie") and d.ids[0] == site
            )
        out.append(_idle("halls", period, site, idle, built * min(1.0, idle / standing) + works))
    return out


def _fiber(inst: Instance, plan: Solution, paid: dict[Decision, float]) -> list[Idle]:
    """Return light and pairs that no peak of an edge needs, with the route where none is needed."""
    if inst.fiber is None:
        return []
    edges, time = inst.fiber.edges, inst.time
    at = {name: e for e, name in enumerate(edges.ids)}
    out = []
    for row in plan.edges:
        e, t = at[row.edge], time.names.index(row.period)
        pairs = row.pairs_leased + row.pairs_built
        needed = ceil((row.lit_tbps - row.stranded_tbps) / float(edges.tbps_per_pair[e]) - 1e-6)
        life = time.life_periods(float(edges.light_life_years[e]))
        capital = dict.fromkeys(("pairs", "light"), 0.0)
        for what, lasts in (("pairs", edges.term_periods), ("light", life)):
            for begun in range(max(0, t - lasts + 1), t + 1):
                capital[what] += paid.get(Decision(what, (row.edge, time.names[begun])), 0.0)
        musd = capital["pairs"] * (pairs - needed) / pairs if pairs else 0.0
        musd += capital["light"] * row.stranded_tbps / row.lit_tbps if row.lit_tbps else 0.0
        if not needed:
            musd += paid.get(Decision("route", (row.edge,)), 0.0)
        if row.stranded_tbps > LEAST_TBPS or pairs > needed:
            tbps = round(row.stranded_tbps, 6)
            out.append(Idle("fiber", row.period, row.edge, 0.0, round(musd, 3), tbps))
    return out


def _unpowered(
    prepared: Prepared,
    inst: Instance,
    plan: Solution,
    lost: Iterable[HeldRow],
    money: Callable[[Decision], float],
) -> list[Idle]:
    """Return held halls and hardware that are not there as their site has no MW left for them."""
    if not inst.grid:
        return []
    size = {row.id: row.hall_it_mw for row in hall_classes(prepared.scenario)}
    site_at = {s: i for i, s in enumerate(inst.sites.ids)}
    drawn = _drawn(plan)
    out = []
    for row in lost:
        what = row.decision.what
        if what not in ("hardware", "halls", "retrofit") or row.lost <= LEAST_MW:
            continue
        site, item, since = row.decision.ids
        i = site_at.get(site)
        if i is None or since not in plan.periods:
            continue
        first, end = plan.periods.index(since), inst.time.n
        peak, mw = inst.halls.pue_peak[i], row.lost
        if what == "hardware":
            h = inst.hardware.ids.index(item)
            end = min(end, first + inst.time.life_periods(float(inst.hardware.life_years[h])))
            pue = float(peak.min(initial=np.inf, where=inst.hardware.fits[:, h]))
        else:
            pue, mw = float(peak[inst.halls.ids.index(item)]), row.lost * size[item]
        pois = np.unique(inst.ties.poi[inst.ties.site == i])
        for t in range(first, end):
            period = plan.periods[t]
            free = sum(
                max(0.0, limit_mw(inst, plan, int(b), t)
                    - drawn.get((inst.headroom.poi_ids[b], period), 0.0))
                for b in pois
            )  # fmt: skip
            short = mw - free / pue
            if short > LEAST_MW:
                kind = "hardware" if what == "hardware" else "halls"
                musd = money(row.decision) * row.lost / row.asked * short / mw
                out.append(_idle(kind, period, site, short, musd))
    return out


def _idle(kind: str, period: str, where: str, mw: float, musd: float) -> Idle:
    return Idle(kind, period, where, round(mw, 3), round(musd, 3))


def limit_mw(inst: Instance, plan: Solution, b: int, t: int) -> float:
    """Return the grid MW that a POI can carry in a period with the letters that the plan took."""
    room = inst.headroom
    taken = {row.offer_id: row.grid_mw for row in plan.offers}
    here = np.flatnonzero(room.offer_poi == b)
    mw = float(room.dated_mw[b, t]) + sum(
        taken.get(room.offer_ids[o], 0.0) * float(room.offer_share[o, t]) for o in here
    )
    bought = sum(
        row.steps for row in plan.upgrades
        if row.poi_id == room.poi_ids[b] and plan.periods.index(row.period) <= t
    )  # fmt: skip
    mw += bought * room.step_mw
    for _, pois, factor, limit in room.shared:
        at = np.flatnonzero(pois == b)
        if len(at) and factor[at[0], t] > 0:
            mw = min(mw, float(limit[t]) / float(factor[at[0], t]))
    return mw
