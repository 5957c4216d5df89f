"""What must be in a list of actions for fiber edges and campus groups. Beside `due`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from sitepick.checks import fiber_prices
from sitepick.checks.case import STANDING, Case
from sitepick.checks.due_row import Due
from sitepick.checks.tolerance import MW

Linked = dict[tuple[str, str], set[tuple[str, ...]]]
"""Routes by the nodes that they link."""


def expected(case: Case) -> Iterator[Due]:
    """Yield the actions of pairs, light and new routes, of members of groups and of their links."""
    yield from _edges(case)
    for group in case.scenario.campus_groups:
        yield from _group(case, group.name)


def _edges(case: Case) -> Iterator[Due]:
    edges, rules = fiber_prices.edges_of(case), case.scenario.fiber.capacity
    for row in case.solution.pairs:
        edge, when = edges[row.edge], date.fromisoformat(row.period)
        months = 0.0 if edge.new or rules.pair is None else rules.pair.lead_months
        musd = row.pairs * fiber_prices.pair_musd(case, edge)
        yield Due("lease_pairs", "", "", row.edge, when, months, None, musd)
    for light in case.solution.light:
        kind, _ = fiber_prices.optics(case, edges[light.edge])
        musd = light.tbps * fiber_prices.light_musd(case, edges[light.edge])
        when = date.fromisoformat(light.period)
        yield Due("order_optics", "", "", light.edge, when, kind.lead_months, None, musd)
    for build in case.solution.builds:
        musd = fiber_prices.build_musd(case, edges[build.edge])
        months, when = (
            rules.build.lead_months if rules.build else 0,
            date.fromisoformat(build.period),
        )
        yield Due("build_route", "", "", build.edge, when, months, None, musd)


def _group(case: Case, group: str) -> Iterator[Due]:
    """Yield who joins and what is linked each time that members or routes change.

    Who stays a member, and a link that keeps its routes, takes no time.
    """
    states = [_state(case, group, t) for t in case.times]
    begins: list[int] = []  # first period of each state that lasts
    linked: Linked = {}
    for t, (sites, links) in enumerate(states):
        fresh = not t or set(sites) != set(states[t - 1][0])
        if fresh or (links and linked and links != linked):
            begins, linked = [*begins, t], {}
        linked = linked or links
    old_sites: set[str] = set()
    old_links: Linked = {}
    for begin, end in zip(begins, [*begins[1:], len(states)], strict=True):
        during = range(begin, end)
        for site in states[begin][0]:
            mw = [states[t][0][site] for t in during]
            first = next((t for t in during if states[t][0][site] > MW), begin)
            begun = case.opened.get(site, STANDING) != STANDING and site not in case.leases
            months = case.tie_months if begun and site not in old_sites else 0.0
            pois = "+".join(sorted({poi for (s, poi, _) in case.tied if s == site}))
            when = case.calendar.starts[first]
            yield Due("join_group", site, pois, group, when, months, max(mw))
        now: Linked = {}
        for t in during:
            for pair, routes in states[t][1].items():
                if pair not in now:
                    now[pair] = routes
                    months = 0.0 if old_links.get(pair) == routes else _months(case, routes, t)
                    item = f"{group}: {pair[0]} - {pair[1]}"
                    yield Due("link_nodes", "", "", item, case.calendar.starts[t], months)
        if states[begin][0]:
            old_sites, old_links = set(states[begin][0]), now


def _state(case: Case, group: str, t: int) -> tuple[dict[str, float], Linked]:
    """Return IT MW of each member in a period, and the routes of each link that carries traffic."""
    now = case.when(t)
    sites = {
        r.site_id: r.it_mw for r in case.solution.members if r.group == group and r.period == now
    }
    links: Linked = {}
    for row in case.solution.links:
        if row.service == group and row.period == now:
            links.setdefault((row.from_node, row.to_node), set()).add(row.edges)
    return sites, links


def _months(case: Case, routes: set[tuple[str, ...]], t: int) -> float:
    """Return the longest lead time of pairs, new routes and light that a link has by a period."""
    edges, rules, out = fiber_prices.edges_of(case), case.scenario.fiber.capacity, [0.0]
    for name in {edge for route in routes for edge in route}:
        if any(r.edge == name and r.period <= case.when(t) for r in case.solution.pairs):
            how = rules.build if edges[name].new else rules.pair
            out.append(0.0 if how is None else how.lead_months)
        if any(r.edge == name and r.period <= case.when(t) for r in case.solution.light):
            out.append(fiber_prices.optics(case, edges[name])[0].lead_months)
    return max(out)
