"""A stress study on one screen: the futures by what is held, what strands, the sites that stay."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sitepick.report.tables import Cell, Column, Report, Table

if TYPE_CHECKING:
    from sitepick.exports.sheet import Row, Sheet

_MOST = 15
_DATES = 4
_TITLES = {
    "due": "Decisions due within {months} months held, the rest decided anew",
    "all": "All decisions held",
    "none": "Nothing held",
}


def stress_report(
    sheets: Sequence[Sheet], months: int | None, left_out: Sequence[tuple[str, str]],
    lacking: dict[str, list[dict[str, Any]]],
) -> Report:  # fmt: skip
    """Return headline and tables of the sheets of `sitepick.exports.stress`.

    ``lacking``: of futures without a plan, rows of what must be served and is not.
    """
    futures, sites = sheets[0], sheets[1]
    plan, rest = futures.rows[0], futures.rows[1:]
    it = [f.name for f in futures.fields if f.name.startswith("it_mw_")]
    it = it[::-1][:: -(-len(it) // _DATES)][::-1]
    holds = [hold for hold in _TITLES if any(r["hold"] == hold for r in rest)]
    head = [_worst(rest, hold) for hold in holds if hold != "none"]
    wrong = [f"{r['future']} ({r['hold']})" for r in rest if r["verified"] is False]
    head.append(
        f"CHECK FAILED: {', '.join(wrong)}" if wrong
        else "Every plan checked for these inputs (arithmetic, not utility approval)"
    )  # fmt: skip
    head += [_lacks(name, rows) for name, rows in lacking.items()]
    head += [f"Left out: {name} ({why})" for name, why in left_out]
    tables = [_futures(plan, rest, hold, it, months) for hold in holds]
    groups = [_groups(s) for s in sheets if s.name == "stress_groups"]
    return Report(tuple(head), (*tables, *groups, _sites(sites)), {})


def _worst(rows: Sequence[Row], hold: str) -> str:
    row = next(r for r in rows if r["hold"] == hold and r["worst"])
    name = "due decisions held" if hold == "due" else "all held"
    if row["cost_musd"] is None:
        return f"Worst, {name}: {row['future']} has no plan"
    return (
        f"Worst, {name}: {row['future']}, {row['cost_musd']:,.0f} MUSD"
        f" ({row['over_plan_musd']:+,.0f})"
    )


def _lacks(name: str, rows: list[dict[str, Any]]) -> str:
    if not rows:
        return f"No plan in {name}: what is held, or other limits, leave none"
    most = max(rows, key=lambda r: r["missing_ref_mw"])
    by = f"; limited by {', '.join(most['limited_by'][:3])}" if most["limited_by"] else ""
    return (
        f"No plan in {name}: {most['workload']} from {most['period']} lacks"
        f" {most['missing_ref_mw']:,.1f} of {most['asked_ref_mw']:,.1f} ref MW{by}"
    )


def _futures(
    plan: Row, rows: Sequence[Row], hold: str, it: Sequence[str], months: int | None
) -> Table:
    regret = any(r["regret"] is not None for r in rows if r["hold"] == hold)
    columns = (
        Column("Future", align="left"), Column("MUSD"), Column("without penalty"),
        *(Column(f"IT MW {name.removeprefix('it_mw_')}") for name in it),
        Column("turned away, end"), Column("stranded MW"), Column("MUSD idle"),
        *((Column("regret"),) if regret else ()), Column("lost"), Column("gap, %", decimals=2),
    )  # fmt: skip
    out = []
    for row in (plan, *(r for r in rows if r["hold"] == hold)):
        mark = " (worst)" if row["worst"] else ""
        cells: list[Cell] = [f"{row['future']}{mark}"]
        if row["cost_musd"] is None:
            out.append((*cells, row["status"], *([""] * (len(columns) - 2))))
            continue
        strands = [row[f"stranded_{kind}_mw"] for kind in ("power", "halls", "hardware")]
        cells += [_whole(row["cost_musd"]), _whole(row["npc_musd"]), *(_whole(row[n]) for n in it)]
        cells += [_whole(row["turned_away_ref_mw"]), "/".join(_whole(mw) for mw in strands)]
        cells += [_whole(row["stranded_musd"])]
        cells += [_whole(row["regret"])] if regret else []
        cells += [str(row["lost"]), row["gap_pct"]]
        out.append(tuple(cells))
    note = "Stranded at the end: letters' grid MW / halls' IT MW / chips' IT MW, and their capital"
    if "stranded_fiber_tbps" in plan:
        note += " with that of fiber"
    return Table(_TITLES[hold].format(months=months), columns, tuple(out), note)


def _groups(sheet: Sheet) -> Table:
    """Return campus groups in the last period, the plan's own first."""
    columns = (
        Column("Future", align="left"), Column("held", align="left"), Column("group", align="left"),
        Column("asked", "ref MW"), Column("delivered", "ref MW"), Column("%"),
        Column("members kept", "of those of the plan, in this future", align="left"),
        Column("joined"), Column("links lost", "of the plan, that carry nothing here"),
        Column("their Tb/s", "what these carry in the plan, each way", decimals=2),
    )  # fmt: skip
    last = max(r["period"] for r in sheet.rows)
    end = [r for r in sheet.rows if r["period"] == last]
    own = {r["group"]: r["members"] for r in end if not r["hold"]}
    rows: list[tuple[Cell, ...]] = [
        (
            r["future"], r["hold"], r["group"], _whole(r["demand_ref_mw"]),
            _whole(r["delivered_ref_mw"]), _whole(r["delivered_pct"]),
            f"{r['members_kept']} of {own.get(r['group'], 0)}", str(len(r["members_joined"])),
            str(len(r["links_lost"])), r["links_lost_tbps"],
        )
        for r in end
    ]  # fmt: skip
    return Table(
        "Campus groups at the end", columns, tuple(rows), "Members and links: stress_groups.csv",
        most=2 * _MOST, rest="{} more in stress_groups.csv",
    )  # fmt: skip


def _sites(sites: Sheet) -> Table:
    free = any(r["free_futures"] is not None for r in sites.rows)
    columns = (
        Column("Site", align="left"), Column("in the plan"), Column("futures"),
        *((Column("nothing held"),) if free else ()), Column("IT MW, least"),
        Column("IT MW, most"),
    )  # fmt: skip
    rows: list[tuple[Cell, ...]] = []
    for r in sites.rows:
        name = r["site_id"] if r["name"] in (None, r["site_id"]) else f"{r['site_id']} {r['name']}"
        often = f"{r['futures']}{' (every)' if r['every'] else ''}"
        more = (f"{r['free_futures']}{' (no regret)' if r['no_regret'] else ''}",) if free else ()
        rows.append(
            (name, "yes" if r["in_plan"] else "", often, *more, _whole(r["it_mw_least"]),
             _whole(r["it_mw_most"]))
        )  # fmt: skip
    return Table(
        "Sites with IT at the end", columns, tuple(rows), most=_MOST,
        rest="{} more in stress_sites.csv",
    )  # fmt: skip


def _whole(value: float | None) -> str:
    return "" if value is None else f"{value:,.0f}"
