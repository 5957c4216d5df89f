"""Sheets of campus groups, of the links between their sites, and of the fiber edges in use."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from sitepick.exports.costs import period_label
from sitepick.exports.fiber_costs import edge_costs
from sitepick.exports.fiber_lines import line_along, line_of_edge
from sitepick.exports.handovers import NAME as HANDOVERS
from sitepick.exports.handovers import handovers_sheet
from sitepick.exports.rows import SYNTHETIC, SiteRows
from sitepick.exports.sheet import Field, Row, Sheet, plain, unused

if TYPE_CHECKING:
    from sitepick.network.fiber import FiberNetwork
    from sitepick.run import Run
    from sitepick.scenario.schema import Scenario
    from sitepick.solution_fiber import EdgeRow, LinkRow

NAMES = (
    "campus_groups", "campus_members", HANDOVERS, "fiber_links", "fiber_edges",
    "fiber_edges_by_period",
)  # fmt: skip
"""All sheets that `fiber_sheets` may return."""
_GROUP = Field("group", "", "text", "campus group: sites that act as one machine")
_PERIOD = Field("period", "date", "date", "first day of the period")
_EDGE = Field("edge_id", "", "text", "edge of the fiber network")
_TBPS = "Tb/s each way"
_EACH_PERIOD = ("used_tbps", "peak_tbps", "use_pct")
"""Figures of an edge that stand beside it for every period."""


def fiber_sheets(run: Run, made: SiteRows) -> list[Sheet]:
    """Return the sheets of a run whose scenario has groups, or traffic on a fiber network."""
    scenario, plan = made.scenario, made.solution
    groups = [groups_sheet(made), members_sheet(made)] if scenario.campus_groups else []
    groups += [handovers_sheet(made)] if scenario.demand.splits else []
    access = made.candidates.fiber
    asked = scenario.campus_groups or scenario.fiber.services or scenario.demand.splits
    if access is None or not asked or not (plan.links or plan.edges):
        return groups
    network = access.network
    synthetic = any(
        s.synthetic for s in run.prepared.layers.sources if s.role in ("fiber_links", "fiber_nodes")
    )
    return [*groups, links_sheet(made, network, synthetic), *_edges(made, network, synthetic)]


def groups_sheet(made: SiteRows) -> Sheet:
    """Return the sheet ``campus_groups``: one row per group and period."""
    fields = (
        _GROUP, _PERIOD,
        Field("workload", "", "text", "workload that the group, and nobody else, serves"),
        Field("shape", "", "text", "which links carry the exchange: ring, hub or mesh"),
        Field("sites", "sites", "integer", "members"),
        Field("nodes", "nodes", "integer", "fiber nodes at which they are"),
        Field("it_mw", "IT MW", "number", "of the members, at work for the group"),
        Field("demand_ref_mw", "ref MW", "number", "asked (IT MW where the workload uses it)"),
        Field("worked_ref_mw", "ref MW", "number", "work of the members, losses included"),
        Field("efficiency_pct", "%", "number", "of the work that is delivered"),
        Field("delivered_ref_mw", "ref MW", "number", "worked_ref_mw x efficiency_pct"),
        Field("turned_away_ref_mw", "ref MW", "number", "asked and not delivered"),
    )  # fmt: skip
    asked = {g.name: g for g in made.scenario.campus_groups}
    rows: list[Row] = [
        {
            "group": plain(r.group), "period": r.period, "workload": plain(asked[r.group].workload),
            "shape": asked[r.group].shape, "sites": r.sites, "nodes": r.nodes,
            "it_mw": plain(r.it_mw), "demand_ref_mw": plain(r.demand_ref_mw),
            "worked_ref_mw": plain(r.worked_ref_mw), "efficiency_pct": plain(100 * r.efficiency),
            "delivered_ref_mw": plain(r.delivered_ref_mw),
            "turned_away_ref_mw": plain(r.turned_away_ref_mw),
        }
        for r in sorted(made.solution.groups, key=lambda r: (r.group, r.period))
    ]  # fmt: skip
    return Sheet("campus_groups", "campus groups by period: asked and delivered", fields, rows)


def members_sheet(made: SiteRows) -> Sheet:
    """Return the sheet ``campus_members``: one row per group, site and period."""
    fields = (
        _GROUP,
        Field("site_id", "", "text", "id of the member"),
        Field("name", "", "text", "name of the member"),
        _PERIOD,
        Field("node", "", "text", "fiber node of its lateral; without a fiber layer the site"),
        Field("lateral_km", "route km", "number", "from the site to that node"),
        Field(
            "laterals",
            "laterals",
            "integer",
            "2: no single cut shares both; 1: a cut of it parts the site from its group; "
            "empty: no fiber layer",
        ),
        Field("second_node", "", "text", "fiber node of the second lateral (`fiber.diverse`)"),
        Field("second_km", "route km", "number", "from the site to that one"),
        Field("it_mw", "IT MW", "number", "at work for the group"),
        Field("worked_ref_mw", "ref MW", "number", "work that it does, losses included"),
    )
    rows: list[Row] = [
        {
            "group": plain(r.group), "site_id": plain(r.site_id),
            "name": made.look.sites[r.site_id]["name"], "period": r.period, "node": plain(r.node),
            "lateral_km": plain(r.lateral_km),
            "laterals": None if made.candidates.fiber is None else 2 if r.second_node else 1,
            "second_node": plain(r.second_node) if r.second_node else None,
            "second_km": None if r.second_km is None else plain(r.second_km),
            "it_mw": plain(r.it_mw),
            "worked_ref_mw": plain(r.worked_ref_mw),
        }
        for r in sorted(made.solution.members, key=lambda r: (r.group, r.site_id, r.period))
    ]  # fmt: skip
    return Sheet("campus_members", "sites of campus groups by period", fields, rows)


def links_sheet(made: SiteRows, network: FiberNetwork, synthetic: bool) -> Sheet:
    """Return the sheet ``fiber_links``: one row per route between two nodes, Tb/s by period."""
    labels = _labels(made)
    fields = (
        Field("link_id", "", "text", "service, ends and number of the route"),
        Field("service", "", "text", "campus group, service or split whose traffic it carries"),
        Field("kind", "", "text", "group, service or split"),
        Field("shape", "", "text", "of a group: ring, hub or mesh"),
        Field("from_node", "", "text", "fiber node where it begins"),
        Field("from_name", "", "text", "name of that node"),
        Field("to_node", "", "text", "fiber node where it ends"),
        Field("to_name", "", "text", "name of that node"),
        Field("from_sites", "", "text", "of a group: members at its beginning, joined by +"),
        Field("to_sites", "", "text", "of a group: members at its end, joined by +"),
        Field("route", "", "integer", "number of the route between its ends"),
        Field("disjoint_link_id", "", "text",
              "link that shares no edge with it and carries the same when one is cut"),
        Field("route_km", "route km", "number", "along the network, without laterals"),
        Field("rtt_ms", "ms", "number",
              "round trip with equipment; of a group also with the longest laterals"),
        Field("tbps", _TBPS, "number", "most of all periods, in ordinary hours"),
        *(Field(f"tbps_{name}", _TBPS, "number", f"in the period from {p}")
          for p, name in labels.items()),
        Field("edges", "", "json", "ids of its fiber edges, in order"),
        SYNTHETIC,
    )  # fmt: skip
    shapes = {g.name: g.shape for g in made.scenario.campus_groups}
    at = _sites_at(made)
    found: dict[tuple[str, str, str, int, tuple[str, ...]], list[LinkRow]] = defaultdict(list)
    for link in made.solution.links:
        ends = link.service, link.from_node, link.to_node
        found[*ends, link.route, link.edges].append(link)
    ids: dict[tuple[str, str, str, int, tuple[str, ...]], str] = {}
    for key in sorted(found):
        service, start, end, route, _ = key
        ids[key] = unused(plain(f"{service}: {start} - {end} #{route}"), ids.values())
    rows: list[Row] = []
    for key, name in ids.items():
        service, start, end, route, edges = key
        of, kind = found[key], _kind(made.scenario, service)
        by_period = {link.period: link.tbps for link in of}
        partner = next(
            (ids[k] for k in ids if k[:3] == key[:3] and k[3] != route
             and not set(k[4]) & set(edges)), None,
        ) if kind == "group" else None  # fmt: skip
        rows.append(
            {
                "link_id": name, "service": plain(service), "kind": kind,
                "shape": shapes.get(service) if kind == "group" else None,
                "from_node": plain(start), "from_name": _name(network, start),
                "to_node": plain(end), "to_name": _name(network, end),
                "from_sites": at.get((service, start)) if kind == "group" else None,
                "to_sites": at.get((service, end)) if kind == "group" else None,
                "route": route, "disjoint_link_id": partner, "route_km": plain(of[0].km),
                "rtt_ms": plain(max(link.rtt_ms for link in of)),
                "tbps": plain(max(by_period.values())),
                **{f"tbps_{n}": plain(by_period.get(p, 0.0)) for p, n in labels.items()},
                "edges": [plain(e) for e in edges], "synthetic": synthetic,
            }
        )  # fmt: skip
    shapes_of = [line_along(network, key[1], key[4]) for key in ids]
    meaning = "links of campus groups, services and splits, along their routes"
    return Sheet("fiber_links", meaning, fields, rows, shapes_of, "MultiLineString")


def _kind(scenario: Scenario, service: str) -> str:
    if any(g.name == service for g in scenario.campus_groups):
        return "group"
    return "split" if any(s.name == service for s in scenario.demand.splits) else "service"


def _sites_at(made: SiteRows) -> dict[tuple[str, str], str]:
    """Return the members at each node of a group, joined by +."""
    found: dict[tuple[str, str], set[str]] = defaultdict(set)
    for row in made.solution.members:
        found[row.group, row.node].add(plain(row.site_id))
    return {key: "+".join(sorted(sites)) for key, sites in found.items()}


def _name(network: FiberNetwork, node: str) -> str:
    return str(plain(str(network.name[network.node_of[node]])))


def _labels(made: SiteRows) -> dict[str, str]:
    periods = made.solution.periods
    january = all(p[5:] == "01-01" for p in periods)
    return {p: period_label(p, january) for p in periods}


def period_names(made: SiteRows) -> list[str]:
    """Return what columns call the periods, in order: ``tbps_NAME`` of links."""
    return list(_labels(made).values())


def _money(made: SiteRows) -> tuple[Field, ...]:
    money = f"MUSD (real, {made.scenario.money.price_year})"
    return (
        Field("capex_musd", money, "number",
              "cash, in all its years, of pairs, routes and optics in service from the period on"),
        Field("om_musd_per_year", f"{money} per year", "number", "maintenance of routes"),
        Field("transport_musd_per_year", f"{money} per year", "number", "rent of pairs and waves"),
    )  # fmt: skip


def _costs(made: SiteRows) -> dict[tuple[str, str], Row]:
    """Return what each edge costs in each period, by the columns of `_money`."""
    nothing = {f.name: 0.0 for f in _money(made)}
    out: dict[tuple[str, str], Row] = defaultdict(lambda: dict(nothing))
    for cost in edge_costs(made.scenario, made.candidates, made.solution):
        name = "capex_musd" if cost.life_years else f"{cost.category}_musd_per_year"
        out[cost.edge, made.solution.periods[cost.t]][name] += cost.musd
    return out


def _figures(made: SiteRows) -> tuple[Field, ...]:
    money = f"MUSD (real, {made.scenario.money.price_year}) per year"
    return (
        Field("pairs_leased", "fiber pairs", "integer", "leased, whole"),
        Field("pairs_built", "fiber pairs", "integer", "lit on a new route, whole"),
        Field("waves", "waves", "integer", "leased all year"),
        Field("burst_waves", "waves", "integer", "most that are leased for peaks alone"),
        Field("capacity_tbps", _TBPS, "number", "of its pairs, and of waves leased all year"),
        Field("lit_tbps", _TBPS, "number", "for which its pairs are lit"),
        Field("used_tbps", _TBPS, "number", "carried in ordinary hours"),
        Field("peak_tbps", _TBPS, "number", "carried at the highest peak"),
        Field("use_pct", "%", "number", "used_tbps of capacity_tbps; empty without capacity"),
        Field("peak_use_pct", "%", "number", "peak_tbps of capacity_tbps and burst waves"),
        Field("idle_musd_per_year", money, "number",
              "yearly cost of what carries nothing in the mean of the year"),
        Field("stranded_tbps", _TBPS, "number", "lit and not used even at peaks"),
        Field("stranded_musd_per_year", money, "number",
              "yearly cost of such optics, and of pairs not needed any more"),
        *_money(made),
    )  # fmt: skip


def _edges(made: SiteRows, network: FiberNetwork, synthetic: bool) -> list[Sheet]:
    """Return ``fiber_edges`` (as it is at the horizon's end) and ``fiber_edges_by_period``."""
    labels, figures = _labels(made), _figures(made)
    wave = made.scenario.fiber.capacity.wave
    wave_tbps = wave.tbps if wave else 0.0
    costs = _costs(made)
    found: dict[str, dict[str, Row]] = defaultdict(dict)
    for row in sorted(made.solution.edges, key=lambda r: (r.edge, r.period)):
        paid = plain(costs[row.edge, row.period])
        found[row.edge][row.period] = _figures_of(row, wave_tbps) | paid
    nothing = {f.name: None if f.unit == "%" else 0 if f.kind == "integer" else 0.0
               for f in figures}  # fmt: skip
    by_period: list[Row] = [
        {"edge_id": plain(e), "period": p, **of.get(p, nothing), "synthetic": synthetic}
        for e, of in found.items()
        for p in labels
    ]
    fields = (
        _EDGE,
        Field("link_id", "", "text", "id of the fiber route of the layer that it is a part of"),
        Field("owner", "", "text", "owner, as the layer states it; empty: unknown"),
        Field("from_node", "", "text", "fiber node where it begins"),
        Field("from_name", "", "text", "name of that node"),
        Field("to_node", "", "text", "fiber node where it ends"),
        Field("to_name", "", "text", "name of that node"),
        Field("route_km", "route km", "number", "its length"),
        Field("new", "", "boolean", "true: not there yet, built along a right of way"),
        Field("services", "", "text", "whose links run over it, joined by +"),
        *(Field(f.name, f.unit, f.kind, f"{f.meaning}; at the horizon's end") for f in figures
          if f.name != "capex_musd"),
        Field("capex_musd", _money(made)[0].unit, "number",
              "cash of all pairs, routes and optics of the horizon"),
        *(Field(_dated(f.name, n), f.unit, f.kind, f"{f.meaning}; in the period from {p}")
          for f in figures if f.name in _EACH_PERIOD for p, n in labels.items()),
        SYNTHETIC,
    )  # fmt: skip
    over: dict[str, set[str]] = defaultdict(set)
    for link in made.solution.links:
        for e in link.edges:
            over[e].add(plain(link.service))
    rows: list[Row] = []
    for e, of in found.items():
        k = network.edge_of[e]
        a, b = (str(network.node_id[at[k]]) for at in (network.from_node, network.to_node))
        last = of.get(made.solution.periods[-1], nothing)
        rows.append(
            {
                "edge_id": plain(e), "link_id": plain(str(network.link_id[k])),
                "owner": plain(network.owner[k]), "from_node": plain(a),
                "from_name": _name(network, a), "to_node": plain(b),
                "to_name": _name(network, b), "route_km": plain(float(network.km[k])),
                "new": bool(network.new[k]), "services": "+".join(sorted(over[e])) or None,
                **last, "capex_musd": plain(sum(r["capex_musd"] for r in of.values())),
                **{_dated(name, n): of.get(p, nothing)[name]
                   for name in _EACH_PERIOD for p, n in labels.items()},
                "synthetic": synthetic,
            }
        )  # fmt: skip
    rows = [{f.name: row[f.name] for f in fields} for row in rows]
    lines = [line_of_edge(network, e) for e in found]
    return [
        Sheet("fiber_edges", "fiber edges in use, as they are at the horizon's end", fields, rows,
              lines, "MultiLineString"),
        Sheet("fiber_edges_by_period", "capacity, use and idle cost of fiber edges by period",
              (_EDGE, _PERIOD, *figures, SYNTHETIC), by_period),
    ]  # fmt: skip


def _dated(name: str, label: str) -> str:
    return f"{name}_{label}"


def _figures_of(row: EdgeRow, wave_tbps: float) -> Row:
    with_bursts = row.capacity_tbps + row.bursts * wave_tbps
    return {
        "pairs_leased": row.pairs_leased, "pairs_built": row.pairs_built, "waves": row.waves,
        "burst_waves": row.bursts, "capacity_tbps": plain(row.capacity_tbps),
        "lit_tbps": plain(row.lit_tbps), "used_tbps": plain(row.used_tbps),
        "peak_tbps": plain(row.peak_tbps), "use_pct": _pct(row.used_tbps, row.capacity_tbps),
        "peak_use_pct": _pct(row.peak_tbps, with_bursts),
        "idle_musd_per_year": plain(row.idle_musd_per_year),
        "stranded_tbps": plain(row.stranded_tbps),
        "stranded_musd_per_year": plain(row.stranded_musd_per_year),
    }  # fmt: skip


def _pct(used: float, of: float) -> float | None:
    return plain(100 * used / of) if of > 0 else None
