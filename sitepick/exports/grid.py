"""What the grid says of a plan, as sheets: states, POIs, limits, upgrades, excuses, dispatch."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from sitepick.exports.branches import DRAWN, BranchShapes
from sitepick.exports.rows import SYNTHETIC, SiteRows
from sitepick.exports.sheet import Field, Row, Sheet, plain, point
from sitepick.network.conditions import DC_TIE

if TYPE_CHECKING:
    from sitepick.dispatch.result import GridResult, PoiMw, State
    from sitepick.dispatch.study import Study
    from sitepick.network.types import Grid
    from sitepick.run import Run

TINY_MW = 1e-6
_LISTED = 20  # limiting lines in JSON; all are in grid_limits.csv
_CONDITION = Field("condition", "", "text", "study condition")
_PERIOD = Field("period", "date", "date", "first day of the period")
_BRANCH = Field("branch_id", "", "text", "line or transformer of the grid")
_KV = Field("kv", "kV", "number", "lower voltage of its ends; empty: unknown")
_OUTAGE = Field("outage_id", "", "text", "branch that is lost; base: everything in service")
_ESTIMATED = Field("estimated", "", "boolean", "true: its rating is an estimate")


def grid_sheets(run: Run, made: SiteRows) -> list[Sheet]:
    """Return the sheets of a run whose scenario has a grid; none without one."""
    told, study = run.grid, run.prepared.study
    if told is None or study is None:
        return []
    asked = made.scenario.grid
    assert asked is not None
    return [
        _states(told),
        _pois(told, made),
        _limits(run, told, study),
        *([_upgrades(made, study)] if asked.upgrades else []),
        _excused(told, study, made),
        _dispatch(told, study, made),
    ]


def redispatch_usd_per_mwh(state: State) -> float | None:
    """Return what the network adds to the cost of serving the new load, per MWh of it."""
    more = state.redispatch_usd_h - state.redispatch_before_usd_h
    return more / state.new_load_mw if state.new_load_mw > TINY_MW else None


def single_mw(made: SiteRows) -> dict[str, float]:
    """Return the usable headroom that the layer states for each POI alone, where it is known."""
    share = made.scenario.power.headroom_pct / 100
    stated = {poi: info.get("single_mw") for poi, info in made.look.pois.items()}
    return {poi: float(mw) * share for poi, mw in stated.items() if mw is not None}


def connects_mw(made: SiteRows) -> dict[str, float]:
    """Return what each POI without a letter can connect, where the grid is what else limits it."""
    if not made.scenario.connection_only:
        return {}
    lettered = {offer["poi_id"] for offer in made.look.offers.values()}
    known = {p: i["headroom_mw"] for p, i in made.look.pois.items() if p not in lettered}
    return {poi: float(mw) for poi, mw in known.items() if mw is not None}


def sums(told: GridResult, made: SiteRows) -> dict[str, Any]:
    """Return, of the plan's POIs at the horizon's end: count, MW singly, alone and jointly.

    ``single_known`` counts the POIs of which the layer states a headroom, ``single_mw`` sums it as
    stated, ``usable_mw`` up to what each of them can connect.
    """
    single, connects = single_mw(made), connects_mw(made)
    known = [p.poi_id for p in told.pois if p.poi_id in single]
    return {
        "pois": len(told.pois),
        "single_known": len(known),
        "single_mw": sum(single[p] for p in known),
        "usable_mw": sum(min(single[p], connects.get(p, single[p])) for p in known),
        "alone_mw": sum(p.alone_mw for p in told.pois),
        "joint_mw": sum(p.joint_mw for p in told.pois),
    }


def excused_by_state(told: GridResult) -> dict[tuple[str, str], tuple[int, float]]:
    """Return (condition, period) -> how many overloads are excused, and their MW."""
    out: dict[tuple[str, str], tuple[int, float]] = {}
    for row in told.excused:
        count, mw = out.get((row.condition, row.period), (0, 0.0))
        out[row.condition, row.period] = count + 1, mw + row.mw
    return out


def summary_of(told: GridResult, made: SiteRows) -> dict[str, Any]:
    """Return what `solve --json` tells of the grid."""
    over = excused_by_state(told)
    count, mw = max(over.values(), key=lambda found: found[1], default=(0, 0.0))
    last = [s for s in told.states if s.period == made.solution.periods[-1]]
    return {
        "conditions": list(dict.fromkeys(plain(s.condition) for s in told.states)),
        "outages": told.outages,
        "radial": len(told.radial),
        "excused": count,
        "excused_mw": plain(mw),
        "synthetic": told.synthetic,
        "estimated": told.estimated,
        **plain(sums(told, made)),
        "limiting": [
            {
                "condition": plain(r.condition), "period": r.period,
                "branch_id": plain(r.branch_id), "outage_id": plain(r.outage_id),
                "limit_mw": plain(r.limit_mw), "price_musd_per_mw": plain(r.price_musd_per_mw),
            }
            for r in told.limiting[:_LISTED]
        ],
        "upgrades": [
            {"branch_id": plain(r.branch_id), "period": r.period}
            for r in made.solution.line_upgrades
        ],
        "redispatch_usd_per_h": {
            plain(s.condition): _money(s.redispatch_usd_h) for s in last
        },
        "redispatch_before_usd_per_h": {
            plain(s.condition): _money(s.redispatch_before_usd_h) for s in last
        },
    }  # fmt: skip


def by_size(pois: tuple[PoiMw, ...]) -> list[PoiMw]:
    """Return the POIs of a plan, those with most MW first."""
    return sorted(pois, key=lambda p: (-round(p.joint_mw, 3), p.poi_id))


def _states(told: GridResult) -> Sheet:
    usd = "USD per hour"
    fields = (
        _CONDITION, _PERIOD,
        Field("load_mw", "MW", "number", "all other load"),
        Field("new_load_mw", "MW", "number", "firm grid MW of the plan that are drawn"),
        Field("capacity_mw", "MW", "number", "of plants and ties that can be counted on"),
        Field("cost_usd_per_h", usd, "number",
              "least cost of a secure dispatch, by the plants' cost curves; empty: none was found"),
        Field("redispatch_usd_per_h", usd, "number", "what the network's limits add to that cost"),
        Field("redispatch_before_usd_per_h", usd, "number", "the same without the plan"),
        Field("redispatch_usd_per_mwh", "USD per MWh", "number",
              "what they add with the plan, per MWh of it; empty without new load"),
        Field("excused", "overloads", "integer", "overloads excused: there before any new load"),
        Field("excused_mw", "MW", "number", "by which these are over their limits"),
        SYNTHETIC,
    )  # fmt: skip
    over = excused_by_state(told)
    rows: list[Row] = []
    for s in told.states:
        count, mw = over.get((s.condition, s.period), (0, 0.0))
        new = s.new_load_mw if s.new_load_mw > TINY_MW else 0.0
        rows.append(
            {
                "condition": plain(s.condition), "period": s.period, "load_mw": plain(s.load_mw),
                "new_load_mw": plain(new), "capacity_mw": plain(s.capacity_mw),
                "cost_usd_per_h": _money(s.cost_usd_h),
                "redispatch_usd_per_h": _money(s.redispatch_usd_h),
                "redispatch_before_usd_per_h": _money(s.redispatch_before_usd_h),
                "redispatch_usd_per_mwh": _money(redispatch_usd_per_mwh(s)),
                "excused": count, "excused_mw": plain(mw), "synthetic": told.synthetic,
            }
        )  # fmt: skip
    return Sheet("grid_states", "the grid in each condition and period", fields, rows)


def _pois(told: GridResult, made: SiteRows) -> Sheet:
    share = made.scenario.power.headroom_pct
    fields = (
        Field("poi_id", "", "text", "POI (substation) of the plan"),
        Field("name", "", "text", "name of the POI"),
        _PERIOD,
        Field("single_mw", "grid MW", "number",
              f"headroom that the layer states for it alone x {share:g} %; empty: unknown"),
        Field("connects_mw", "grid MW", "number",
              "what its kV, and power.max_mw_per_poi, let it connect; empty: unknown, or a letter"),
        Field("alone_mw", "grid MW", "number",
              "firm MW it could carry alone, plants dispatched anew; at most what it connects"),
        Field("joint_mw", "grid MW", "number", "firm MW it carries jointly with all others"),
        Field("limit_id", "", "text",
              "branch that limits it alone; connection: what its kV, letters or dates allow"),
        _OUTAGE, SYNTHETIC,
    )  # fmt: skip
    single, connects = single_mw(made), connects_mw(made)
    rows: list[Row] = []
    places = []
    for poi in sorted(told.pois, key=lambda p: p.poi_id):
        info = made.look.pois[poi.poi_id]
        rows.append(
            {
                "poi_id": plain(poi.poi_id), "name": plain(info["name"]), "period": poi.period,
                "single_mw": plain(single.get(poi.poi_id)),
                "connects_mw": plain(connects.get(poi.poi_id)), "alone_mw": plain(poi.alone_mw),
                "joint_mw": plain(poi.joint_mw), "limit_id": plain(poi.limit_id),
                "outage_id": plain(poi.outage_id), "synthetic": told.synthetic,
            }
        )  # fmt: skip
        places.append(point(info))
    meaning = "POIs of the plan: MW singly, alone and jointly"
    return Sheet("grid_pois", meaning, fields, rows, places, "Point")


def _limits(run: Run, told: GridResult, study: Study) -> Sheet:
    money = f"MUSD (real, {run.prepared.scenario.money.price_year}) per MW"
    fields = (
        _BRANCH, _KV, _OUTAGE, _CONDITION, _PERIOD,
        Field("limit_mw", "MW", "number",
              "normal rating, after an outage the emergency rating; excuse and upgrades included"),
        Field("price_musd_per_mw", money, "number",
              "net present cost saved by one more MW of this limit, whole decisions held"),
        _ESTIMATED, DRAWN, SYNTHETIC,
    )  # fmt: skip
    lines = BranchShapes(run, study.grid)
    drawn = [lines.of(r.branch_id) for r in told.limiting]
    rows: list[Row] = [
        {
            "condition": plain(r.condition), "period": r.period, "branch_id": plain(r.branch_id),
            "kv": _kv(r.kv), "outage_id": plain(r.outage_id), "limit_mw": plain(r.limit_mw),
            "price_musd_per_mw": plain(r.price_musd_per_mw), "estimated": r.estimated,
            "drawn": how, "synthetic": told.synthetic,
        }
        for r, (_, how) in zip(told.limiting, drawn, strict=True)
    ]  # fmt: skip
    shapes = [shape for shape, _ in drawn]
    meaning = "branches that limit the plan, dearest first"
    return Sheet("grid_limits", meaning, fields, rows, shapes, "MultiLineString")


def _upgrades(made: SiteRows, study: Study) -> Sheet:
    fields = (
        _BRANCH, _KV,
        Field("period", "date", "date", "first day of the period from which it stands"),
        Field("added_mw", "MW", "number", "added to its normal rating"),
        Field("cost_musd", f"MUSD (real, {made.scenario.money.price_year})", "number", "its price"),
    )  # fmt: skip
    asked, grid = made.scenario.grid, study.grid
    assert asked is not None
    offered = {u.branch_id: u for u in asked.upgrades}
    at = {name: k for k, name in enumerate(grid.branch_ids)}
    rows: list[Row] = [
        {
            "branch_id": plain(row.branch_id),
            "kv": _kv(float(grid.bus_kv_of_branch[at[row.branch_id]])),
            "period": row.period,
            "added_mw": plain(float(offered[row.branch_id].mw)),
            "cost_musd": plain(float(offered[row.branch_id].musd)),
        }
        for row in sorted(made.solution.line_upgrades, key=lambda r: (r.period, r.branch_id))
    ]
    return Sheet("grid_upgrades", "line upgrades that the plan buys", fields, rows)


def _excused(told: GridResult, study: Study, made: SiteRows) -> Sheet:
    fields = (
        _BRANCH, _KV, _OUTAGE, _CONDITION, _PERIOD,
        Field("limit_mw", "MW", "number",
              "its rating, after an outage the emergency rating; without upgrades"),
        Field("excused_mw", "MW", "number", "that may flow beyond it"),
        _ESTIMATED, SYNTHETIC,
    )  # fmt: skip
    grid = study.grid
    at = {name: k for k, name in enumerate(grid.branch_ids)}
    condition = {c.id: k for k, c in enumerate(study.conditions)}
    period = {name: t for t, name in enumerate(made.solution.periods)}
    rows: list[Row] = []
    for r in told.excused:
        b, state = at[r.branch_id], (condition[r.condition], period[r.period])
        case = study.cases[study.case_at[state]]
        factor = 1.0 if r.outage_id == "base" else case.emergency_factor
        rows.append(
            {
                "condition": plain(r.condition), "period": r.period,
                "branch_id": plain(r.branch_id), "kv": _kv(float(grid.bus_kv_of_branch[b])),
                "outage_id": plain(r.outage_id),
                "limit_mw": plain(factor * float(case.rating_mw[b])), "excused_mw": plain(r.mw),
                "estimated": bool(grid.rating_estimated[b]), "synthetic": told.synthetic,
            }
        )  # fmt: skip
    meaning = "overloads that no dispatch avoids before any new load; the least there are"
    return Sheet("grid_excused", meaning, fields, rows)


def _dispatch(told: GridResult, study: Study, made: SiteRows) -> Sheet:
    fields = (
        _CONDITION, _PERIOD,
        Field("unit_id", "", "text", "generating unit, or DC tie"),
        Field("fuel", "", "text", f"its fuel; {DC_TIE}: a tie, importing where MW are positive"),
        Field("bus_id", "", "text", "bus of the grid"),
        Field("poi_id", "", "text", "substation of that bus; empty: none"),
        Field("mw", "MW", "number", "in the secure dispatch of least cost that carries the plan"),
        SYNTHETIC,
    )  # fmt: skip
    where = {unit: (fuel, bus) for unit, fuel, bus in _units(study.grid)}
    grid = study.grid
    rows: list[Row] = []
    for r in made.solution.dispatch:
        fuel, bus = where[r.unit_id]
        poi = int(grid.poi_of_bus[bus])
        rows.append(
            {
                "condition": plain(r.condition), "period": r.period, "unit_id": plain(r.unit_id),
                "fuel": plain(fuel), "bus_id": plain(grid.bus_ids[bus]),
                "poi_id": plain(grid.poi_ids[poi]) if poi >= 0 else None, "mw": plain(r.mw),
                "synthetic": told.synthetic,
            }
        )  # fmt: skip
    return Sheet("grid_dispatch", "what each unit gives so that the plan is served", fields, rows)


def _units(grid: Grid) -> Iterator[tuple[str, str, int]]:
    plants, ties = grid.plants, grid.dc_ties
    for unit, fuel, bus in zip(plants.ids, plants.fuel, plants.bus, strict=True):
        yield unit, fuel, int(bus)
    for unit, bus in zip(ties.ids, ties.bus, strict=True):
        yield unit, DC_TIE, int(bus)


def _kv(kv: float) -> float | None:
    return plain(kv) if math.isfinite(kv) and kv > 0 else None


def _money(usd: float | None) -> float | None:
    """Return USD to the cent: a solver's last digits are none of the grid's."""
    return None if usd is None or not math.isfinite(usd) else round(usd, 2) + 0.0
