"""An earlier plan as values to begin from: its whole decisions, by the names they have today."""

from __future__ import annotations

import numpy as np

from sitepick.blocks.columns import halls_at, open_at, tie_at
from sitepick.blocks.deliverability import upgrades_at
from sitepick.blocks.group_units import Unit, units
from sitepick.blocks.onsite import firm_at, standing, stays
from sitepick.instance.types import Instance
from sitepick.matrix import FloatArray
from sitepick.program import Program
from sitepick.readout import tie_kv
from sitepick.solution import Solution


def start_values(program: Program, inst: Instance, plan: Solution) -> FloatArray:
    """Return (n,) the integer decisions of ``plan`` as values; continuous columns are left at zero.

    What the program has no column for (a site that is gone, a class that is no longer offered) is
    left out: the result is a start to be polished, not a plan.
    """
    x = np.zeros(program.n_columns)
    site = {s: i for i, s in enumerate(inst.sites.ids)}
    period = {p: t for t, p in enumerate(inst.time.names)}
    hall = {k: i for i, k in enumerate(inst.halls.ids)}
    poi = {b: i for i, b in enumerate(inst.headroom.poi_ids)}

    def since(columns: np.ndarray, name: str | None) -> None:
        """Set a level to 1 from the period called ``name`` (None: always) on."""
        first = 0 if name is None else period.get(name, inst.time.n)
        here = columns[first:]
        x[here[here >= 0]] = 1

    opens, ties = open_at(program, inst), tie_at(program, inst) if inst.grid else None
    for row in plan.sites:
        if row.site_id in site:
            since(opens[site[row.site_id]], row.opened)
    tie_of: dict[tuple[int, int], list[int]] = {}
    for e, (i, b) in enumerate(zip(inst.ties.site, inst.ties.poi, strict=True)):
        tie_of.setdefault((int(i), int(b)), []).append(e)
    for tie in plan.ties:
        near = tie_of.get((site.get(tie.site_id, -1), poi.get(tie.poi_id, -1)), [])
        # a plan that does not say its voltage, or one that is no longer offered, gets the highest
        at = next((e for e in near if tie_kv(inst, e) == tie.kv), near[0] if near else None)
        if at is not None and ties is not None:
            since(ties[at], tie.since)
    standing, built, converted = (
        halls_at(program, inst, f) for f in ("halls.halls", "halls.build", "halls.convert")
    )
    for hr in plan.halls:
        if hr.site_id in site and hr.hall in hall and hr.period in period:
            key = site[hr.site_id], hall[hr.hall], period[hr.period]
            for columns, count in (
                (standing, hr.halls),
                (built, hr.built),
                (converted, hr.converted_in),
            ):
                if columns[key] >= 0:
                    x[columns[key]] = count
    _start_onsite(program, inst, plan, x)
    steps = program.index("headroom.steps", (len(inst.headroom.poi_ids), inst.time.n))
    for up in plan.upgrades:
        if up.poi_id in poi and up.period in period:
            here = steps[poi[up.poi_id], period[up.period] :]
            x[here[here >= 0]] += up.steps
    lines = {} if inst.joint is None else {b: u for u, b in enumerate(inst.joint.upgrade_ids)}
    rating = upgrades_at(program, inst)
    for bought in plan.line_upgrades:
        if bought.branch_id in lines:
            since(rating[lines[bought.branch_id]], bought.period)
    accept = program.index("headroom.accept", (len(inst.headroom.offer_ids),))
    taken = {row.offer_id for row in plan.offers}
    for o, offer in enumerate(inst.headroom.offer_ids):
        if offer in taken and accept[o] >= 0:
            x[accept[o]] = 1
    enter = program.index("regions.enter", (len(inst.entries), inst.time.n))
    entered = {(row.level, row.region_id): row.entered for row in plan.entered}
    for e, entry in enumerate(inst.entries):
        if (entry.level, entry.region_id) in entered:
            since(enter[e], entered[entry.level, entry.region_id])
    _start_fiber(program, inst, plan, x)
    _start_groups(program, inst, plan, x)
    return np.clip(x, program.matrix.lower, program.matrix.upper)


def _start_fiber(program: Program, inst: Instance, plan: Solution, x: FloatArray) -> None:
    """Set the pairs, routes and waves of ``plan`` in ``x``."""
    if inst.fiber is None or program.columns_of("fiber.pairs") is None:
        return
    edge = {name: e for e, name in enumerate(inst.fiber.edges.ids)}
    period = {p: t for t, p in enumerate(inst.time.names)}
    shape = len(edge), inst.time.n
    pairs, route = (program.index(f, shape) for f in ("fiber.pairs", "fiber.route"))
    always = program.index("fiber.waves", shape)
    term = inst.fiber.edges.term_periods
    for row in plan.pairs:
        if row.edge in edge and row.period in period:
            e, t = edge[row.edge], period[row.period]
            if pairs[e, t] >= 0:
                x[pairs[e, t]] = row.pairs
            there = route[e, t : t + term]
            x[there[there >= 0]] = 1
    for build in plan.builds:
        if build.edge in edge and build.period in period:
            there = route[edge[build.edge], period[build.period] :]
            x[there[there >= 0]] = 1
    hours = inst.fiber.peak_hours.tolist()
    bursts = program.index("fiber.bursts", (*shape, len(hours)))
    for wave in plan.waves:
        if wave.edge not in edge or wave.period not in period:
            continue
        at = edge[wave.edge], period[wave.period]
        if not wave.peak_hours:
            column = always[at]
        elif wave.peak_hours in hours:
            column = bursts[(*at, hours.index(wave.peak_hours))]
        else:
            continue
        if column >= 0:
            x[column] = wave.waves


def _start_groups(program: Program, inst: Instance, plan: Solution, x: FloatArray) -> None:
    """Set the members and links of ``plan`` in ``x``; a group that it does not have stays empty."""
    site = {s: i for i, s in enumerate(inst.sites.ids)}
    for unit in units(inst):
        group, names = unit.group, [inst.time.names[t] for t in unit.periods]
        rows = [r for r in plan.members if r.group == group.name and r.period in names]
        first = min((r.period for r in rows), default="")
        wanted = [site[r.site_id] for r in rows if r.period == first and r.site_id in site]
        chosen = np.flatnonzero(np.isin(group.site, wanted))
        nodes = np.unique(group.node[chosen])
        for name, at in (("member", chosen), ("at", nodes), ("anchor", nodes[:1])):
            x[unit.columns(program, f"groups.{name}")[at]] = 1
        x[unit.columns(program, "groups.count")[min(len(chosen), group.most)]] = 1
        if len(nodes) and unit.counts_nodes(inst):
            x[unit.columns(program, "groups.nodes")[min(len(nodes), group.most) - 1]] = 1
        if inst.groups.routed and len(nodes):
            _start_links(program, inst, unit, plan, x)


def _start_links(
    program: Program, inst: Instance, unit: Unit, plan: Solution, x: FloatArray
) -> None:
    """Take the ways of the plan's links, with the busiest node as a hub, and let the group run."""
    group, names = unit.group, {t: inst.time.names[t] for t in unit.periods.tolist()}
    runs = program.index("groups.runs", (len(inst.groups.rows), inst.time.n))
    working = {r.period for r in plan.groups if r.group == group.name and r.worked_ref_mw > 0}
    for t, name in names.items():
        x[runs[unit.index, t]] = name in working
    links = [r for r in plan.links if r.service == group.name and r.period in names.values()]
    taken = {frozenset(r.edges) for r in links}
    ways = [
        [frozenset(inst.groups.edges[e] for e in edges) for edges in way]
        for way in unit.ways.routes
    ]
    here = np.array([all(edges in taken for edges in way) for way in ways], dtype=bool)
    x[unit.columns(program, "groups.way")[here]] = 1
    if group.shape == "hub":
        at = x[unit.columns(program, "groups.at")] > 0.5
        ends = np.concatenate([unit.ways.a[here], unit.ways.b[here]])
        busy = np.where(at, np.bincount(ends, minlength=len(at)) + 1, 0)
        x[unit.columns(program, "groups.hub")[int(np.argmax(busy))]] = 1


def _start_onsite(program: Program, inst: Instance, plan: Solution, x: FloatArray) -> None:
    """Set the whole blocks of ``plan`` in ``x``, and the plants and bridges that they make."""
    on, stay, names = inst.onsite, stays(program, inst), (*inst.time.names, None)
    wanted = {(r.site_id, r.option, r.since, r.until): r.blocks for r in plan.stays}
    life = [inst.time.life_periods(float(years)) for years in on.life_years]
    for j, column in enumerate(stay.column):
        option, start, end = on.option[stay.pair[j]], stay.start[j], stay.end[j]
        until = None if end >= min(start + life[option], inst.time.n) else names[end]
        key = inst.sites.ids[on.site[stay.pair[j]]], on.ids[option], names[start], until
        x[column] = wanted.get(key, 0.0) if on.whole[option] else 0.0
    column, pair, period = standing(program, inst)
    plant = firm_at(program, inst, "onsite.plant")
    used = (x[column] > 0.5) & (plant[pair, period] >= 0)
    x[plant[pair[used], period[used]]] = 1
    bridge = program.index("onsite.bridge", (len(inst.sites.ids),))
    site = {s: i for i, s in enumerate(inst.sites.ids)}
    kind = {name: p for p, name in enumerate(on.ids)}
    for row in plan.onsite:
        known = row.site_id in site and row.option in kind
        if known and row.firm_mw > 0 and on.bridge[kind[row.option]]:
            column = bridge[[site[row.site_id]]]
            x[column[column >= 0]] = 1
