"""Tables on campus groups, on the links between their sites, and on fiber edges."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import TYPE_CHECKING

from sitepick.exports.fiber import fiber_sheets
from sitepick.exports.handovers import NAME as HANDOVERS
from sitepick.report.leases import name_of
from sitepick.report.tables import Cell, Column, Table
from sitepick.report.years import year_ends

if TYPE_CHECKING:
    from sitepick.exports.rows import SiteRows
    from sitepick.exports.sheet import Row, Sheet
    from sitepick.run import Run

_MOST_MEMBERS = 16
_MOST_LINKS = 10
_MOST_EDGES = 8


def fiber_tables(run: Run, made: SiteRows) -> tuple[Table, ...]:
    """Return the tables of groups, links and fiber edges; none where the plan has none."""
    sheets = {sheet.name: sheet for sheet in fiber_sheets(run, made)}
    out = [_groups(run, made)] if made.solution.groups else []
    out += [_handovers(run, sheets[HANDOVERS])] if made.solution.handovers else []
    if "fiber_links" in sheets:
        out += [_links(sheets["fiber_links"]), _edges(run, made, sheets)]
    return tuple(out)


def _groups(run: Run, made: SiteRows) -> Table:
    """Return, by group at year ends: asked, delivered, efficiency, and IT MW of each member."""
    ends, plan = year_ends(run), made.solution
    routed = made.candidates.fiber is not None
    second = {m.site_id for m in plan.members if m.second_node is not None}
    rows: list[tuple[Cell, ...]] = []
    places: list[str] = []

    def add(name: str, unit: str, values: list[Cell], place: str = "") -> None:
        rows.append((name, unit, *values))
        places.append(place)

    for group in run.prepared.scenario.campus_groups:
        of = {r.period: r for r in plan.groups if r.group == group.name}
        here = [of.get(e.period) for e in ends]
        if not any(here):
            continue
        add(f"{group.name}, asked", "ref MW", [r.demand_ref_mw if r else 0.0 for r in here])
        add("  delivered", "ref MW", [r.delivered_ref_mw if r else 0.0 for r in here])
        if any(r is not None and r.turned_away_ref_mw > 1e-6 for r in here):
            add("  turned away", "ref MW", [r.turned_away_ref_mw if r else 0.0 for r in here])
        works = [r if r and r.worked_ref_mw > 1e-6 else None for r in here]
        add("  efficiency", "%", [100 * r.efficiency if r else None for r in works])
        it: dict[str, dict[str, float]] = defaultdict(dict)
        for m in plan.members:
            if m.group == group.name:
                it[m.site_id][m.period] = m.it_mw
        last = ends[-1].period
        for site in sorted(it, key=lambda s: (-it[s].get(last, 0.0), s)):
            values: list[Cell] = [it[site].get(e.period, 0.0) for e in ends]
            single = group.survive_cut and routed and site not in second
            name = f"  {name_of(made, site)}{' (one lateral)' if single else ''}"
            add(name, "IT MW", values, f"site:{site}")
    columns = (
        Column("Campus groups", align="left"),
        Column("", align="left"),
        *(Column(e.label, decimals=1) for e in ends),
    )
    note = "Delivered: work of the members x efficiency. IT MW: those at work for the group."
    if any(str(row[0]).endswith(" (one lateral)") for row in rows):
        note += " One lateral: a cut of it parts the site from a group that survives other cuts."
    if not routed:
        note += " Without fiber links their routes and traffic are unknown."
    return Table(
        "Campus groups, at 31 December", columns, tuple(rows), note,
        most=_MOST_MEMBERS, rest="... {} more rows in campus_members.csv", places=tuple(places),
    )  # fmt: skip


def _handovers(run: Run, sheet: Sheet) -> Table:
    """Return what is handed over at year's end of the last period, by nodes, largest first."""
    last = year_ends(run)[-1].period
    total: dict[tuple[str, str, str], list[float]] = defaultdict(lambda: [0.0] * 4)
    for r in sheet.rows:
        if r["period"] == last:
            mine = total[r["split"], _called(r, "from"), _called(r, "to")]
            mine[0] += r["prefill_ref_mw"]
            mine[1] += r["decode_ref_mw"]
            mine[2] += r["kv_tbps"]
            mine[3] = max(mine[3], r["rtt_ms"] or 0.0)
    rows: list[tuple[Cell, ...]] = [
        (split, start, "" if start == end else end, first, second, tbps, rtt_ms or None)
        for (split, start, end), (first, second, tbps, rtt_ms) in sorted(
            total.items(), key=lambda item: (item[0][0], -item[1][1], item[0])
        )
    ]
    columns = (
        Column("Handovers", align="left"),
        Column("prefill at", align="left"),
        Column("decode at", "empty: at the same node", align="left"),
        Column("prefill ref MW", decimals=1),
        Column("decode ref MW", decimals=1),
        Column("Tb/s", "KV cache over fiber, each way, in ordinary hours", decimals=2),
        Column("RTT ms", "longest route in use, with equipment, without laterals", decimals=2),
    )  # fmt: skip
    return Table(
        "Handovers of prefill to decode, at the end", columns, tuple(rows), "",
        most=_MOST_LINKS, rest="... {} more in handovers.csv",
    )  # fmt: skip


def _called(row: Row, end: str) -> str:
    """Return the name of a node that a row ends at; without one its members, or its id."""
    name, node = row[f"{end}_name"], row[f"{end}_node"]
    sites = row.get(f"{end}_sites") if name == node else None
    return f"at {sites}" if sites else str(name)


def _links(sheet: Sheet) -> Table:
    """Return the links by service and ends, a second route below the first."""
    order = sorted(
        sheet.rows, key=lambda r: (r["service"], r["from_name"], r["to_name"], r["route"])
    )
    rows: list[tuple[Cell, ...]] = [
        (
            r["service"], f"{_called(r, 'from')} - {_called(r, 'to')}", r["route"],
            "yes" if r["disjoint_link_id"] else "", r["route_km"], r["rtt_ms"], r["tbps"],
        )
        for r in order
    ]  # fmt: skip
    columns = (
        Column("Links", align="left"),
        Column("from - to", align="left"),
        Column("route", decimals=0),
        Column("survives a cut", "another route without any of its edges carries the same",
               align="left"),
        Column("route km", "along the network, without laterals", decimals=0),
        Column("RTT ms", "round trip with equipment; of groups with laterals", decimals=2),
        Column("Tb/s", "each way, most of all periods, in ordinary hours", decimals=2),
    )  # fmt: skip
    shapes = sorted({f"{r['service']} {r['shape']}" for r in sheet.rows if r["shape"]})
    note = f"Shapes: {', '.join(shapes)}." if shapes else ""
    return Table(
        "Links over fiber", columns, tuple(rows), note,
        most=_MOST_LINKS, rest="... {} more in fiber_links.csv",
    )  # fmt: skip


def _edges(run: Run, made: SiteRows, sheets: Mapping[str, Sheet]) -> Table:
    """Return the fiber edges at the horizon's end, dearest idle first, and their sums."""
    edges = sheets["fiber_edges"].rows
    order = sorted(edges, key=lambda r: (-r["idle_musd_per_year"], -r["route_km"], r["edge_id"]))
    rows: list[tuple[Cell, ...]] = [
        (
            f"{_called(r, 'from')} - {_called(r, 'to')}{', new' if r['new'] else ''}",
            r["route_km"], r["pairs_leased"] + r["pairs_built"], r["waves"] + r["burst_waves"],
            r["capacity_tbps"], r["used_tbps"], r["peak_tbps"], r["use_pct"],
            r["idle_musd_per_year"], r["stranded_tbps"], r["stranded_musd_per_year"],
        )
        for r in order
    ]  # fmt: skip
    sums = {
        p: sum(
            r["idle_musd_per_year"]
            for r in sheets["fiber_edges_by_period"].rows
            if r["period"] == p
        )
        for p in made.solution.periods
    }
    lost = sum(r["stranded_musd_per_year"] for r in edges)
    by_year = ", ".join(f"{e.label} {sums[e.period]:,.2f}" for e in year_ends(run))
    price_year = run.prepared.scenario.money.price_year
    note = (
        f"{len(edges)} edges, at the horizon's end. Idle: yearly cost of what carries nothing, "
        f"MUSD (real, {price_year}): {by_year}. Stranded at the end: {lost:,.2f} MUSD a year."
    )
    if any("@" in str(row[0]) for row in rows):
        note += " LINK@KM is the place so many km along a link of the layer."
    columns = (
        Column("Fiber edges", align="left"),
        Column("route km", decimals=0),
        Column("pairs", "leased, or lit on a new route", decimals=0),
        Column("waves", "leased, those for peaks alone included", decimals=0),
        Column("Tb/s there", "each way, of pairs and waves leased all year", decimals=1),
        Column("used", "Tb/s each way, in ordinary hours", decimals=2),
        Column("peak", "Tb/s each way, at the highest peak", decimals=2),
        Column("use %", "Tb/s used of Tb/s there", decimals=1),
        Column("idle MUSD/a", "yearly cost of what carries nothing", decimals=2),
        Column("stranded Tb/s", "lit and not used even at peaks", decimals=2),
        Column("stranded MUSD/a", "yearly cost of what is stranded", decimals=2),
    )  # fmt: skip
    return Table(
        "Fiber edges, at the horizon's end", columns, tuple(rows), note,
        most=_MOST_EDGES, rest="... {} more in fiber_edges.csv",
    )  # fmt: skip
