"""Deliverability: the plan's own dispatch, carried by the grid with and without any listed branch.

Flows are rebuilt from the grid's tables and every outage is solved on the grid that it leaves. What
the plan excuses must be the least that any dispatch leaves over the limits before any new load.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from sitepick.checks.case import Case, day, number, rows_of
from sitepick.checks.flows import Flows
from sitepick.checks.least import BASE, LeastOver, Pair, Side
from sitepick.checks.states import (
    State,
    Supply,
    added_mw,
    conditions_of,
    credited_mw,
    dispatched,
    excused,
    new_load,
    outages_of,
    state_of,
    study,
    upgrades_on_offer,
)
from sitepick.checks.swing import swing_mw
from sitepick.checks.tolerance import EXCUSED_MW, EXCUSED_SHARE, MW, more
from sitepick.finding import Finding
from sitepick.network.types import FloatArray, Grid, IntArray
from sitepick.scenario.grid import GridStudy

MISSING = "deliverability.dispatch"
"""A plan draws MW and gives no dispatch."""
SHOWN = 20
"""Branches that are named for each check, condition and period; the rest is summed."""
Near = dict[Side, float]
"""MW over the limit (negative: below) of pairs close to it, where they are closest."""
_NEAR = 0.98  # share of a limit from which on a pair may matter to what is excused
_STARTS_PER_BRANCH = 6  # pairs of a branch whose rows the least overload starts from


@dataclass(frozen=True)
class _Judged:
    """A state, and the plan's dispatch in it."""

    state: State
    where: str
    mw: FloatArray  # (G + D,)
    new_mw: FloatArray  # (N,) load of the plan
    excuses: dict[Pair, float]


def check(case: Case) -> Iterator[Finding]:
    """Yield the breaches of the `deliverability.*` rows; without a grid there are none."""
    asked = study(case)
    if asked is None:
        return
    if case.network is None:
        message = "the scenario has a grid, but the check was given none to judge by"
        yield Finding("deliverability.grid", "the plan", 1, "grid", message)
        return
    grid = case.network
    yield from _upgrades(case)
    yield from _drawn(case)
    yield from _adequacy(case, asked, grid)
    yield from _at_buses(case, grid)
    supply = Supply.of(grid)
    given, allowed = dispatched(case), excused(case)
    judged = []
    for condition in conditions_of(case).values():
        for t in case.times:
            state = state_of(case, grid, condition, t)
            at = condition.id, t
            found = _read(case, grid, supply, state, given.get(at, {}), allowed.get(at, {}))
            drawn = float(found.new_mw.sum())
            if at in given:
                judged.append(found)
            elif drawn > MW:
                message = f"no dispatch is given with which the grid carries {drawn:,.6g} MW"
                yield Finding(MISSING, found.where, drawn, "MW", message)
    if not judged and not allowed:
        return
    try:
        flows = Flows(grid)
        outages = outages_of(asked, grid, flows.bridges)
        for one in judged:
            yield from _units(supply, one)
            yield from _balance(flows, supply, one)
        near: Near = {}
        yield from _limits(case, asked, flows, supply, outages, judged, near)
        least = LeastOver(flows, supply, outages, asked.emergency_pct / 100)
        yield from _excused(case, asked, grid, allowed, least, near)
    except RuntimeError as fault:
        yield Finding("deliverability.grid", "the plan", 1, "grid", f"not solved: {fault}")


def _read(
    case: Case,
    grid: Grid,
    supply: Supply,
    state: State,
    given: dict[str, float],
    allowed: dict[tuple[str, str], float],
) -> _Judged:
    mw = np.zeros(len(supply.ids))
    for unit, amount in given.items():
        mw[supply.at[unit]] = amount
    new = new_load(case, grid, state.condition, state.t)
    where = f"condition {state.condition.id}, {case.when(state.t)}"
    return _Judged(state, where, mw, new, _pairs(grid, allowed))


def _pairs(grid: Grid, listed: dict[tuple[str, str], float]) -> dict[Pair, float]:
    at = {b: k for k, b in enumerate(grid.branch_ids)}
    return {(at[b], BASE if o == "base" else at[o]): mw for (b, o), mw in listed.items()}


def _named(grid: Grid, pair: Pair) -> str:
    branch, lost = pair
    after = "" if lost == BASE else f" after losing {grid.branch_ids[lost]}"
    return f"branch {grid.branch_ids[branch]}{after}"


# --- one state ----------------------------------------------------------------------------------


def _at_buses(case: Case, grid: Grid) -> Iterator[Finding]:
    for poi in sorted({poi for (_, poi, _), _ in case.grid} - set(grid.poi_index)):
        drawn = max(case.poi_mw(poi, t) for t in case.times)
        message = f"{drawn:,.6g} grid MW are contracted at a POI that is at no bus of the grid"
        yield Finding("deliverability.poi", f"POI {poi}", drawn, "grid MW", message)


def _units(supply: Supply, one: _Judged) -> Iterator[Finding]:
    state = one.state
    for k in np.flatnonzero((one.mw > state.high_mw + MW) | (one.mw < state.low_mw - MW)).tolist():
        low, high = float(state.low_mw[k]), float(state.high_mw[k])
        given = float(one.mw[k])
        message = f"{given:,.6g} MW are dispatched, {low:,.6g} to {high:,.6g} can be counted on"
        where = f"unit {supply.ids[k]}, {one.where}"
        off = max(given - high, low - given)
        yield Finding("deliverability.unit", where, off, "MW", message)


def _balanced(flows: Flows, supply: Supply, one: _Judged) -> FloatArray:
    """Return (N,) MW injected; what an island lacks is made up by its dispatch in proportion."""
    fed = supply.injected(one.mw, flows.grid.n_bus)
    injected = np.asarray(fed - one.state.load_mw - one.new_mw)
    given = np.maximum(fed, 0.0)
    total = np.bincount(flows.island, weights=given)[flows.island]
    share = np.divide(given, total, out=np.zeros_like(given), where=total > 0)
    return injected - share * np.bincount(flows.island, weights=injected)[flows.island]


def _balance(flows: Flows, supply: Supply, one: _Judged) -> Iterator[Finding]:
    fed = supply.injected(one.mw, flows.grid.n_bus)
    left = np.bincount(flows.island, weights=fed - one.state.load_mw - one.new_mw)
    for island in np.flatnonzero(np.abs(left) > MW).tolist():
        where = one.where
        if flows.n_islands > 1:
            first = flows.grid.bus_ids[int(np.flatnonzero(flows.island == island)[0])]
            where = f"island of bus {first}, {where}"
        amount = float(left[island])
        said = "more than is drawn" if amount > 0 else "less than is drawn"
        message = f"{abs(amount):,.6g} MW {said} are dispatched"
        yield Finding("deliverability.balance", where, abs(amount), "MW", message)


# --- limits -------------------------------------------------------------------------------------


@dataclass
class _Worst:
    """The worst pair of a branch in a state, and how many outages overload it."""

    over_mw: float
    pair: Pair
    flow_mw: float
    limit_mw: float
    count: int = 1


def _limits(
    case: Case,
    asked: GridStudy,
    flows: Flows,
    supply: Supply,
    outages: IntArray,
    judged: list[_Judged],
    near: Near,
) -> Iterator[Finding]:
    """Yield what is over its limit in every state; put pairs that are close to it into ``near``."""
    if not judged:
        return
    grid = flows.grid
    injected = np.column_stack([_balanced(flows, supply, one) for one in judged])
    rating = np.column_stack(
        [grid.rating_mw + added_mw(case, grid, one.state.t) for one in judged]
    )  # (M, S)
    excuses = [one.excuses for one in judged]
    margin = asked.excuse_margin_mw
    worst = _worst(flows.intact(injected), rating, BASE, excuses, margin, near)
    yield from _told("deliverability.normal", grid, judged, worst)
    limit = rating * (asked.emergency_pct / 100)
    worst = {}
    for lost, flow in flows.outages(outages, injected):
        after = _worst(flow, limit, lost, excuses, margin, near)
        for key, found in after.items():
            known = worst.get(key)
            if known is not None:
                found.count += known.count
            if known is None or known.over_mw < found.over_mw:
                worst[key] = found
            else:
                known.count = found.count
    yield from _told("deliverability.emergency", grid, judged, worst)


def _worst(
    flow: FloatArray,
    limit: FloatArray,
    lost: int,
    excuses: list[dict[Pair, float]],
    margin_mw: float,
    near: Near,
) -> dict[tuple[int, int], _Worst]:
    """Return by (state, branch) what is over ``limit`` (M, S) and not excused after an outage.

    ``margin_mw``: by how much the plan may worsen what is excused.
    """
    found: dict[tuple[int, int], _Worst] = {}
    branches, states = np.nonzero(np.abs(flow) > _NEAR * limit)
    for branch, s in zip(branches.tolist(), states.tolist(), strict=True):
        pair = branch, lost
        bare, carried = float(limit[branch, s]), float(flow[branch, s])
        side = pair, 1 if carried > 0 else -1
        near[side] = max(near.get(side, 0.0), abs(carried) - bare)
        allowed = bare + (excuses[s][pair] + margin_mw if pair in excuses[s] else 0.0)
        over = more(abs(carried), allowed)
        if over:
            found[s, branch] = _Worst(over, pair, carried, allowed)
    return found


def _told(
    name: str, grid: Grid, judged: list[_Judged], worst: dict[tuple[int, int], _Worst]
) -> Iterator[Finding]:
    by_state: dict[int, list[_Worst]] = defaultdict(list)
    for (s, _), found in worst.items():
        by_state[s].append(found)
    for s, rows in sorted(by_state.items()):
        rows.sort(key=lambda row: (-row.over_mw, row.pair))
        for row in rows[:SHOWN]:
            others = f"; {row.count:,} outages overload it" if row.count > 1 else ""
            message = f"it carries {abs(row.flow_mw):,.6g} MW of {row.limit_mw:,.6g}{others}"
            where = f"{_named(grid, row.pair)}, {judged[s].where}"
            yield Finding(name, where, row.over_mw, "MW", message)
        rest = rows[SHOWN:]
        if rest:
            message = f"{len(rest):,} more branches are over their limits, all at their worst"
            total = sum(row.over_mw for row in rest)
            yield Finding(name, judged[s].where, total, "MW", message)


# --- what is excused ----------------------------------------------------------------------------


def _excused(
    case: Case,
    asked: GridStudy,
    grid: Grid,
    allowed: dict[tuple[str, int], dict[tuple[str, str], float]],
    least: LeastOver,
    near: Near,
) -> Iterator[Finding]:
    if asked.excuse == "none":
        for (name, t), listed in sorted(allowed.items()):
            for (branch, lost), mw in sorted(listed.items()):
                message = f"{mw:,.6g} MW over the limit are excused, the scenario excuses none"
                where = f"branch {branch}, outage {lost}, condition {name}, {case.when(t)}"
                yield Finding("deliverability.excused", where, mw, "MW", message)
        return
    states: dict[tuple[bytes, ...], tuple[State, dict[Pair, float], list[str]]] = {}
    for (name, t), listed in allowed.items():
        state = state_of(case, grid, conditions_of(case)[name], t)
        excuses = _pairs(grid, listed)
        same = (
            state.load_mw.tobytes(), state.low_mw.tobytes(), state.high_mw.tobytes(),
            repr(sorted(excuses.items())).encode(),
        )  # fmt: skip
        states.setdefault(same, (state, excuses, []))[2].append(f"condition {name}, {case.when(t)}")
    least.start_from(_starts(near, [excuses for _, excuses, _ in states.values()]))
    for state, excuses, places in states.values():
        where = "; ".join(places[:3]) + (f" and {len(places) - 3} more" if places[3:] else "")
        listed_mw = sum(excuses.values())
        slack = max(EXCUSED_MW, EXCUSED_SHARE * listed_mw)
        given = (state.load_mw, state.low_mw, state.high_mw, grid.rating_mw)
        still = least.solve(*given, excuses, by_pair=True)
        if still.total_mw > slack:
            message = (
                f"with the {listed_mw:,.6g} MW that are excused, {still.total_mw:,.6g} MW remain "
                "over limits before any new load, whatever the dispatch"
            )
            yield Finding("deliverability.excused", where, still.total_mw, "MW", message)
        found = least.solve(*given, {}, by_pair=True, enough=listed_mw - slack)
        extra = listed_mw - found.total_mw
        if found.settled and extra > slack:
            message = (
                f"{listed_mw:,.6g} MW over limits are excused, a dispatch before any new load "
                f"leaves {found.total_mw:,.6g}"
            )
            yield Finding("deliverability.excused", where, extra, "MW", message)


def _starts(near: Near, excuses: list[dict[Pair, float]]) -> set[Side]:
    """Return the rows to start from: what is excused, and each branch's closest pairs."""
    starts = {(pair, side) for some in excuses for pair in some for side in (1, -1)}
    taken: dict[int, int] = defaultdict(int)
    for pair, side in sorted(near, key=lambda row: (-near[row], row)):
        taken[pair[0]] += 1
        if taken[pair[0]] <= _STARTS_PER_BRANCH:
            starts.add((pair, side))
    return starts


def _drawn(case: Case) -> Iterator[Finding]:
    """Yield MW contracted that no IT draws: the relief of such load is none."""
    contracted: dict[tuple[str, int], float] = defaultdict(float)
    for ((site, _, _), t), mw in case.grid.items():
        contracted[site, t] += mw
    for (site, t), mw in sorted(contracted.items()):
        drawn = case.facility_peak_mw(site, t) + swing_mw(case, site, t)
        committed = 0.0
        for row in rows_of(case.candidates.commitments):
            begins = day(row["date"])
            first = 0 if begins is None else case.calendar.first_from(begins)
            if (row["site_id"], row["what"]) == (site, "grid_mw") and first <= t:
                committed = max(committed, number(row["mw"]) or 0.0)
        over = more(mw, drawn + committed)
        if over:
            message = f"{mw:,.6g} grid MW are contracted, the IT there draws {drawn:,.6g}"
            where = f"site {site}, {case.when(t)}"
            yield Finding("deliverability.drawn", where, over, "grid MW", message)


# --- upgrades and reserve -----------------------------------------------------------------------


def _upgrades(case: Case) -> Iterator[Finding]:
    for branch, t in sorted(case.line_upgrades.items()):
        where = f"branch {branch}, {case.when(t)}"
        offered = upgrades_on_offer(case).get(branch)
        if offered is None:
            message = "a rating is bought that the scenario does not offer"
            yield Finding("deliverability.upgrade", where, 1, "upgrades", message)
            continue
        earliest, start = case.calendar.earliest(offered.lead_months), case.calendar.starts[t]
        if start < earliest:
            message = f"the upgrade stands before {earliest}, its lead time from the start"
            yield Finding("deliverability.early", where, (earliest - start).days, "days", message)


def _adequacy(case: Case, asked: GridStudy, grid: Grid) -> Iterator[Finding]:
    known = conditions_of(case)
    for rule in asked.adequacy:
        condition = known.get(rule.condition or "", next(iter(known.values())))
        buses = [k for k, zone in enumerate(grid.zone) if rule.zone in ("all", zone)]
        inside = set(buses)
        for t in case.times:
            start = case.calendar.starts[t]
            there = rule.import_mw + sum(
                credited_mw(grid, condition, g, start)
                for g, bus in enumerate(grid.plants.bus.tolist())
                if bus in inside
            )
            reserve = 1 + rule.reserve_margin_pct / 100
            other = reserve * float(state_of(case, grid, condition, t).load_mw[buses].sum())
            new = reserve * float(new_load(case, grid, condition, t)[buses].sum())
            # a zone that lacks its margin before any new load: no fault of the plan, but no room
            over = more(new, max(0.0, there - other))
            if over:
                message = (
                    f"other load and its reserve need {other:,.6g} MW, the plan's {new:,.6g}; "
                    f"{there:,.6g} can be counted on"
                )
                where = f"zone {rule.zone}, condition {condition.id}, {case.when(t)}"
                yield Finding("deliverability.adequacy", where, over, "MW", message)
