"""Values of a program's columns as a `Solution` in planner's terms, and back again for a start."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from sitepick.blocks.columns import grid_at, halls_at, it_at, open_at, tie_at
from sitepick.blocks.ledger import NPC_TERMS, PENALTY, Ledger
from sitepick.blocks.onsite import firm_at, standing, stays
from sitepick.instance.leases import periods_of_term
from sitepick.instance.types import Instance
from sitepick.matrix import FloatArray
from sitepick.program import Program
from sitepick.readout_edges import edge_rows
from sitepick.readout_groups import delivered_share, group_rows, with_traffic
from sitepick.serving import flows
from sitepick.solution import (
    BackedRow,
    BatteryRow,
    CashRow,
    EnterRow,
    GridRow,
    HallRow,
    ItRow,
    LeaseRow,
    NonfirmRow,
    OfferRow,
    OnsiteRow,
    ServeRow,
    ShedRow,
    ShortRow,
    SiteRow,
    Solution,
    StayRow,
    TieRow,
    UpgradeRow,
    UseRow,
)
from sitepick.solution_fiber import SmoothedRow

TINY = 1e-6
"""Smaller values (MW, MUSD) are zero: the solver's own tolerance."""
DECIMALS = 9


def read_out(
    program: Program,
    ledger: Ledger,
    inst: Instance,
    values: FloatArray,
    *,
    name: str,
    status: str,
    objective_name: str,
    objective: float,
    bound: float,
    gap: float,
    gap_without_penalty: float,
    bound_certified: bool,
) -> Solution:
    """Return the plan that ``values`` (n,) describes."""
    x = np.where(np.abs(values) < TINY, 0.0, np.round(values, DECIMALS))
    whole = program.matrix.integer
    x[whole] = np.round(x[whole])
    x = with_traffic(program, inst, x)
    npc = {term: float(program.term_cost(term) @ x) for term in NPC_TERMS}
    sites = tuple(_sites(program, inst, x))
    return Solution(
        scenario=name,
        periods=inst.time.names,
        status=status,
        objective_name=objective_name,
        objective=objective,
        bound=bound,
        gap=gap,
        gap_without_penalty=gap_without_penalty,
        bound_certified=bound_certified,
        npc_musd={k: v for k, v in npc.items() if v or k == PENALTY},
        sites=sites,
        ties=tuple(_ties(program, inst, x)),
        grid=tuple(_grid(program, inst, x)),
        onsite=tuple(_onsite(program, inst, x)),
        stays=tuple(_stays(program, inst, x)),
        halls=tuple(_halls(program, inst, x)),
        leases=tuple(_leases(program, inst, x)),
        it=tuple(_it(program, inst, x)),
        use=tuple(_use(program, inst, x)),
        serve=tuple(_serve(program, inst, x)),
        turned_away=tuple(_short(program, inst, x)),
        offers=tuple(_offers(program, inst, x)),
        **_flexible(program, inst, x),
        upgrades=tuple(_upgrades(program, inst, x)),
        entered=tuple(_entered(program, inst, x)),
        cash=tuple(_cash(ledger, inst, x)),
        **_fiber(program, inst, x),
    )


def _fiber(program: Program, inst: Instance, x: FloatArray) -> dict[str, Any]:
    """Return the rows on fiber and on campus groups; links are of both."""
    edges, groups = edge_rows(program, inst, x), group_rows(program, inst, x)
    links = (*groups.get("links", ()), *edges.get("links", ()))
    return edges | groups | {"links": links}


def _levels(columns: np.ndarray, x: FloatArray) -> FloatArray:
    """Return the values of an index array, 0 where there is no column."""
    return np.where(columns >= 0, x[np.maximum(columns, 0)], 0.0)


def _first(level: FloatArray, names: tuple[str, ...]) -> str | None:
    on = np.flatnonzero(level > 0.5)
    return names[on[0]] if len(on) else None


def _sites(program: Program, inst: Instance, x: FloatArray) -> Iterator[SiteRow]:
    level = _levels(open_at(program, inst), x)
    for i in np.flatnonzero(level[:, -1] > 0.5):
        opened = None if inst.sites.existing[i] else _first(level[i], inst.time.names)
        yield SiteRow(inst.sites.ids[i], opened)


def _ties(program: Program, inst: Instance, x: FloatArray) -> Iterator[TieRow]:
    if not inst.grid:
        return
    level = _levels(tie_at(program, inst), x)
    for e in np.flatnonzero(level[:, -1] > 0.5):
        since = None if inst.ties.owned[e] else _first(level[e], inst.time.names)
        poi = inst.headroom.poi_ids[inst.ties.poi[e]]
        yield TieRow(inst.sites.ids[inst.ties.site[e]], poi, since, tie_kv(inst, int(e)))


def _grid(program: Program, inst: Instance, x: FloatArray) -> Iterator[GridRow]:
    if not inst.grid:
        return
    mw = _levels(grid_at(program, inst), x)
    for e, t in zip(*np.nonzero(mw > TINY), strict=True):
        yield GridRow(
            inst.sites.ids[inst.ties.site[e]],
            inst.headroom.poi_ids[inst.ties.poi[e]],
            inst.time.names[t],
            float(mw[e, t]),
            tie_kv(inst, int(e)),
        )


def tie_kv(inst: Instance, tie: int) -> float | None:
    kv = float(inst.ties.kv[tie])
    return None if np.isnan(kv) else kv


def _onsite(program: Program, inst: Instance, x: FloatArray) -> Iterator[OnsiteRow]:
    on, shape = inst.onsite, (len(inst.onsite.site), inst.time.n)
    blocks, built, gone = np.zeros(shape), np.zeros(shape), np.zeros((shape[0], shape[1] + 1))
    column, pair, period = standing(program, inst)
    np.add.at(blocks, (pair, period), x[column])
    stay = stays(program, inst)
    np.add.at(built, (stay.pair, stay.start), x[stay.column])
    np.add.at(gone, (stay.pair, stay.end), x[stay.column])
    firm, mean = (_levels(firm_at(program, inst, f), x) for f in ("onsite.firm", "onsite.mean"))
    some = (blocks > TINY) | (gone[:, :-1] > TINY)
    for q, t in zip(*np.nonzero(some), strict=True):
        option = on.option[q]
        yield OnsiteRow(
            inst.sites.ids[on.site[q]],
            on.ids[option],
            inst.time.names[t],
            blocks=float(blocks[q, t]),
            mw=float(blocks[q, t] * on.block_mw[option]),
            firm_mw=float(firm[q, t]),
            mean_mw=float(mean[q, t]),
            built=float(built[q, t]),
            retired=float(gone[q, t]),
        )


def _stays(program: Program, inst: Instance, x: FloatArray) -> Iterator[StayRow]:
    on, stay = inst.onsite, stays(program, inst)
    for j in np.flatnonzero(x[stay.column] > TINY):
        option, start, end = on.option[stay.pair[j]], stay.start[j], int(stay.end[j])
        natural = start + inst.time.life_periods(float(on.life_years[option]))
        yield StayRow(
            inst.sites.ids[on.site[stay.pair[j]]],
            on.ids[option],
            inst.time.names[start],
            None if end >= min(natural, inst.time.n) else inst.time.names[end],
            float(x[stay.column[j]]),
        )


def _halls(program: Program, inst: Instance, x: FloatArray) -> Iterator[HallRow]:
    if not inst.halls.whole:
        return
    standing = _levels(halls_at(program, inst), x)
    built = _levels(halls_at(program, inst, "halls.build"), x)
    into = _levels(halls_at(program, inst, "halls.convert"), x)
    out = np.zeros_like(into)
    for k, base in enumerate(inst.halls.base):
        if base >= 0:
            out[:, base] += into[:, k]
    some = (standing + built + into + out) > 0.5
    for i, k, t in zip(*np.nonzero(some), strict=True):
        yield HallRow(
            inst.sites.ids[i],
            inst.halls.ids[k],
            inst.time.names[t],
            *(round(float(v[i, k, t])) for v in (standing, built, into, out)),
        )


def _leases(program: Program, inst: Instance, x: FloatArray) -> Iterator[LeaseRow]:
    leases = inst.leases
    for (j, start), mw in _family_rows(program, "leases.mw", x):
        end = start + periods_of_term(inst.time, float(leases.term_years[j]))
        yield LeaseRow(
            inst.sites.ids[leases.site[j]],
            inst.halls.ids[leases.hall[j]],
            inst.time.names[start],
            inst.time.names[end] if end < inst.time.n else None,
            mw,
        )


def _it(program: Program, inst: Instance, x: FloatArray) -> Iterator[ItRow]:
    alive = _levels(it_at(program, inst), x)
    bought = _levels(it_at(program, inst, "hardware.buy"), x)
    for i, k, h, t in zip(*np.nonzero((alive > TINY) | (bought > TINY)), strict=True):
        yield ItRow(
            inst.sites.ids[i],
            inst.halls.ids[k],
            inst.hardware.ids[h],
            inst.time.names[t],
            float(alive[i, k, h, t]),
            float(bought[i, k, h, t]),
        )


def _family_rows(
    program: Program, name: str, x: FloatArray
) -> Iterable[tuple[tuple[int, ...], float]]:
    family = program.columns_of(name)
    if family is None:
        return
    here = x[family.indices]
    keys = list(family.keys.values())
    for j in np.flatnonzero(here > TINY):
        yield tuple(int(k[j]) for k in keys), float(here[j])


def _use(program: Program, inst: Instance, x: FloatArray) -> Iterator[UseRow]:
    for (i, h, w, t), mw in _family_rows(program, "hardware.use", x):
        yield UseRow(
            inst.sites.ids[i],
            inst.hardware.ids[h],
            inst.demand.workloads[w],
            inst.time.names[t],
            mw,
        )


def _serve(program: Program, inst: Instance, x: FloatArray) -> Iterator[ServeRow]:
    rows = _family_rows(program, "demand.serve", x)
    if inst.demand.pooled:
        found = flows(program, inst, x)
        keys = np.stack([found.site, found.workload, found.place, found.period], axis=1)
        rows = zip(map(tuple, keys.tolist()), found.mw.tolist(), strict=True)
    share = delivered_share(program, inst, x)
    for (i, w, d, t), mw in rows:
        yield ServeRow(
            inst.sites.ids[i],
            inst.demand.workloads[w],
            inst.demand.places[d],
            inst.time.names[t],
            mw * float(share[w, t]),
        )


def _short(program: Program, inst: Instance, x: FloatArray) -> Iterator[ShortRow]:
    for (w, d, t), mw in _family_rows(program, "demand.turned_away", x):
        yield ShortRow(inst.demand.workloads[w], inst.demand.places[d], inst.time.names[t], mw)


def _offers(program: Program, inst: Instance, x: FloatArray) -> Iterator[OfferRow]:
    room = inst.headroom
    for (o,), mw in _family_rows(program, "headroom.take", x):
        yield OfferRow(room.offer_ids[o], room.poi_ids[room.offer_poi[o]], mw)


def _flexible(program: Program, inst: Instance, x: FloatArray) -> dict[str, Any]:
    """Return the rows on non-firm MW, by table."""
    site, poi, period = inst.sites.ids, inst.headroom.poi_ids, inst.time.names
    work, item, source = inst.demand.workloads, inst.hardware.ids, inst.flexible.sources
    soft: dict[tuple[int, int, int, int], float] = {}
    for (e, f, t), mw in _family_rows(program, "flexible.nonfirm", x):
        key = int(inst.ties.site[e]), int(inst.ties.poi[e]), f, t  # whatever the voltage
        soft[key] = soft.get(key, 0.0) + mw
    return {
        "nonfirm": tuple(
            NonfirmRow(site[i], poi[b], source[f], period[t], mw)
            for (i, b, f, t), mw in soft.items()
        ),
        "shed": tuple(
            ShedRow(site[i], item[h], work[w], source[f], period[t], mw)
            for (i, h, w, f, t), mw in _family_rows(program, "flexible.shed", x)
        ),
        "backed": tuple(
            BackedRow(site[i], source[f], period[t], mw)
            for (i, f, t), mw in _family_rows(program, "flexible.backed", x)
        ),
        "batteries": tuple(_batteries(program, inst, x)),
        "smoothed": tuple(
            SmoothedRow(site[i], period[t], mw)
            for (i, t), mw in _family_rows(program, "swing.smoothed", x)
        ),
    }


def _batteries(program: Program, inst: Instance, x: FloatArray) -> Iterator[BatteryRow]:
    """Yield batteries bought, for whatever they are."""
    bought = np.zeros((len(inst.sites.ids), inst.time.n))
    for name in ("flexible.battery", "swing.battery"):
        for at, mw in _family_rows(program, name, x):
            bought[at] += mw
    for i, t in zip(*np.nonzero(bought), strict=True):
        yield BatteryRow(inst.sites.ids[i], inst.time.names[t], float(bought[i, t]))


def _upgrades(program: Program, inst: Instance, x: FloatArray) -> Iterator[UpgradeRow]:
    level = _levels(program.index("headroom.steps", (len(inst.headroom.poi_ids), inst.time.n)), x)
    bought = np.diff(level, axis=1, prepend=0.0)
    for b, t in zip(*np.nonzero(bought > 0.5), strict=True):
        yield UpgradeRow(inst.headroom.poi_ids[b], inst.time.names[t], round(float(bought[b, t])))


def _entered(program: Program, inst: Instance, x: FloatArray) -> Iterator[EnterRow]:
    level = _levels(program.index("regions.enter", (len(inst.entries), inst.time.n)), x)
    for e in np.flatnonzero(level[:, -1] > 0.5):
        entry = inst.entries[e]
        stands = bool(inst.sites.existing[entry.sites].any())
        since = None if stands else _first(level[e], inst.time.names)
        yield EnterRow(entry.level, entry.region_id, since)


def _cash(ledger: Ledger, inst: Instance, x: FloatArray) -> Iterator[CashRow]:
    categories = {cash.category: None for cash in ledger.cash}
    for category in categories:
        total = np.zeros(len(inst.time.years))
        for cash in ledger.cash:
            if cash.category == category:
                np.add.at(total, cash.years, cash.musd * x[cash.columns])
        for year, musd in zip(inst.time.years, total, strict=True):
            if abs(musd) > TINY:
                yield CashRow(year, category, float(musd))
