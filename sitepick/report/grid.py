"""Tables on the grid: its states, the plan's POIs singly and jointly, the lines that limit."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from sitepick.exports.grid import (
    by_size,
    excused_by_state,
    redispatch_usd_per_mwh,
    single_mw,
    sums,
)
from sitepick.report.tables import Cell, Column, Table
from sitepick.report.years import year_ends

if TYPE_CHECKING:
    from sitepick.dispatch.result import GridResult, Limiting, PoiMw, State
    from sitepick.exports.rows import SiteRows
    from sitepick.run import Run

_MOST_POIS = 6
_MOST_LINES = 5
_MOST_CONDITIONS = 2
_MOST_BOUGHT = 4


def grid_tables(run: Run, made: SiteRows) -> tuple[Table, ...]:
    """Return the tables of a run whose scenario has a grid; none without one."""
    if run.grid is None:
        return ()
    return (
        _states(run, run.grid),
        _pois(run.grid, made),
        _limits(run.grid),
        _upgrades(run, made),
    )


def _states(run: Run, told: GridResult) -> Table:
    """Return load, capacity and redispatch by condition at year ends."""
    ends = year_ends(run)
    at = {(s.condition, s.period): s for s in told.states}
    conditions = list(dict.fromkeys(s.condition for s in told.states))
    rows: list[tuple[Cell, ...]] = []

    for condition in conditions[:_MOST_CONDITIONS]:
        here: list[State] = [at[condition, e.period] for e in ends]
        mark = "" if len(conditions) == 1 else f", {condition}"
        rows += [
            (f"Other load{mark}", "MW", *(s.load_mw for s in here)),
            ("  new load", "grid MW", *(s.new_load_mw for s in here)),
            ("  capacity counted on", "MW", *(s.capacity_mw for s in here)),
            ("  redispatch before", "USD/h", *(_known(s.redispatch_before_usd_h) for s in here)),
            ("  redispatch with it", "USD/h", *(_known(s.redispatch_usd_h) for s in here)),
            ("  more, per new MWh", "USD/MWh", *(_each(s) for s in here)),
        ]
    first = Column(f"Grid, {conditions[0]}" if len(conditions) == 1 else "Grid", align="left")
    columns = (first, Column("", align="left"), *(Column(e.label) for e in ends))
    return Table("The grid at 31 December", columns, tuple(rows), _told(run, told, conditions))


def _told(run: Run, told: GridResult, conditions: list[str]) -> str:
    """Say what was studied, what is excused, and how far the grid is to be believed."""
    asked = run.prepared.scenario.grid
    assert asked is not None
    parts = []
    if told.synthetic:
        parts.append("SYNTHETIC grid.")
    if told.estimated:
        parts.append("Some reactances or ratings are ESTIMATED.")
    radial = f", {len(told.radial):,} radial ones not" if told.radial else ""
    parts.append(f"{told.outages:,} outages taken one at a time{radial}.")
    over = excused_by_state(told)
    said: list[str] = []
    for condition in conditions:
        found = [v for k, v in over.items() if k[0] == condition]
        if found:
            count, mw = max(found, key=lambda v: v[1])
            what = "" if said else f" overload{'s' if count > 1 else ''}"
            mark = "" if len(conditions) == 1 else f" ({condition})"
            said.append(f"{count:,}{what} of {mw:,.1f} MW{mark}")
    if said:
        parts.append(f"Excused before any new load: {', '.join(said)}.")
    if over:
        parts.append(
            "The plan may not worsen them by anything; grid.excuse_margin_mw: 1 may free much."
            if asked.excuse_margin_mw == 0
            else f"The plan may worsen each by {asked.excuse_margin_mw:,.6g} MW."
        )
    if len(conditions) > _MOST_CONDITIONS:
        parts.append(f"{len(conditions) - _MOST_CONDITIONS} more conditions in grid_states.csv.")
    return " ".join(parts)


def _pois(told: GridResult, made: SiteRows) -> Table:
    """Return the plan's POIs with most MW: singly, alone with redispatch, jointly; and the sums."""
    single, whole = single_mw(made), sums(told, made)
    rows: list[tuple[Cell, ...]] = [
        (
            f"all {whole['pois']}",
            whole["single_mw"] if whole["single_known"] else None,
            whole["alone_mw"],
            whole["joint_mw"],
            "",
        )
    ]
    places = [""]
    for poi in by_size(told.pois):
        name = made.look.pois[poi.poi_id]["name"]
        label = f"{poi.poi_id} {name}" if name and name != poi.poi_id else poi.poi_id
        rows.append((label, single.get(poi.poi_id), poi.alone_mw, poi.joint_mw, _why(poi)))
        places.append(f"poi:{poi.poi_id}")
    if not told.pois:
        rows, places = [], []
    share = made.scenario.power.headroom_pct
    columns = (
        Column("POIs of the plan, grid MW", align="left"),
        Column(f"single x {share:g} %", "grid MW", decimals=0),
        Column("alone", "grid MW", decimals=0),
        Column("jointly", "grid MW", decimals=0),
        Column("limited alone by", align="left"),
    )
    known = "" if whole["single_known"] == whole["pois"] else f" ({whole['single_known']} known)"
    note = (
        f"Single headrooms, as far as their POIs connect, sum to {whole['usable_mw']:,.0f} "
        f"MW{known}, alone with redispatch to {whole['alone_mw']:,.0f}; planned jointly: "
        f"{whole['joint_mw']:,.0f}. All: grid_pois.csv."
    )
    return Table(
        "Headroom singly and jointly, last period", columns, tuple(rows), note,
        most=1 + _MOST_POIS, rest="... {} more POIs", places=tuple(places),
    )  # fmt: skip


def _why(poi: PoiMw) -> str:
    if poi.limit_id == "connection":
        return "connection"
    return poi.limit_id if poi.outage_id == "base" else f"{poi.limit_id} after {poi.outage_id}"


def _limits(told: GridResult) -> Table:
    """Return the lines that limit the plan, each at its dearest."""
    kinds: dict[tuple[str, str, str], list[Limiting]] = defaultdict(list)
    for limit in told.limiting:  # dearest first
        kinds[limit.branch_id, limit.outage_id, limit.condition].append(limit)
    rows: list[tuple[Cell, ...]] = []
    for found in kinds.values():
        dear = found[0]
        rows.append(
            (
                dear.branch_id + (" (estimated)" if dear.estimated else ""),
                dear.kv,
                "" if dear.outage_id == "base" else dear.outage_id,
                dear.condition,
                len(found),
                dear.period,
                dear.limit_mw,
                dear.price_musd_per_mw,
            )
        )
    columns = (
        Column("Limiting line", align="left"),
        Column("kV", "kV", decimals=0),
        Column("after loss of", align="left"),
        Column("condition", align="left"),
        Column("periods", decimals=0),
        Column("dearest in", align="left"),
        Column("limit MW", "MW", decimals=1),
        Column("MUSD per MW", "MUSD, net present, saved by one more MW", decimals=3),
    )
    return Table(
        "Lines that limit the plan", columns, tuple(rows),
        most=_MOST_LINES, rest="... {} more in grid_limits.csv",
    )  # fmt: skip


def _upgrades(run: Run, made: SiteRows) -> Table:
    """Return the line upgrades that the plan buys."""
    asked = run.prepared.scenario.grid
    offered = {} if asked is None else {u.branch_id: u for u in asked.upgrades}
    bought = sorted(made.solution.line_upgrades, key=lambda r: (r.period, r.branch_id))
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (r.branch_id, r.period, float(offered[r.branch_id].mw), float(offered[r.branch_id].musd))
        for r in bought
    )
    columns = (
        Column("Line upgrade bought", align="left"),
        Column("from", align="left"),
        Column("MW more", "MW", decimals=0),
        Column("MUSD", "MUSD", decimals=1),
    )
    return Table(
        "Line upgrades", columns, rows,
        most=_MOST_BOUGHT, rest="... {} more in grid_upgrades.csv",
    )  # fmt: skip


def _known(usd: float) -> Cell:
    return usd if usd == usd else None


def _each(state: State) -> Cell:
    """Return USD per MWh as text: its decimals are not those of the table."""
    usd = redispatch_usd_per_mwh(state)
    return "" if usd is None or usd != usd else f"{usd:,.2f}"
