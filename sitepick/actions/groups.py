"""Campus groups of a plan by when their members change, and what is done for members and links."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from sitepick.actions.entry import Draft
from sitepick.actions.facts import Facts, Lead
from sitepick.actions.types import Decision
from sitepick.instance.fiber import edges_of
from sitepick.instance.fiber_types import Edges

if TYPE_CHECKING:
    from sitepick.candidates.types import FiberAccess
    from sitepick.solution import Solution

Pair = tuple[str, str]
Routes = tuple[tuple[str, ...], ...]
"""Edges of each route of a link, sorted: one route, or two that share no edge."""
_TINY = 1e-6


@dataclass(frozen=True)
class Stretch:
    """Periods in a row in which a group has the same members and its links the same routes.

    ``members``: the period from which each works for the group (``since``, where it never does) and
    the most IT MW that it gives. ``links``: routes of each pair of nodes, and the period from which
    it carries traffic with the most Tb/s. A group that works nowhere has no stretch.
    """

    group: str
    since: str
    periods: tuple[str, ...]
    members: Mapping[str, tuple[str, float]]
    links: Mapping[Pair, tuple[Routes, str, float]]


def stretches(plan: Solution) -> list[Stretch]:
    """Return the stretches of all groups of a plan, each group's in order of time."""
    sites: dict[tuple[str, str], dict[str, float]] = defaultdict(dict)
    for row in plan.members:
        sites[row.group, row.period][row.site_id] = row.it_mw
    routes: dict[tuple[str, str], dict[Pair, list[tuple[str, ...]]]] = defaultdict(dict)
    tbps: dict[tuple[str, str], dict[Pair, float]] = defaultdict(dict)
    named = dict.fromkeys(row.group for row in plan.groups)
    for link in plan.links:
        if link.service in named:
            key, pair = (link.service, link.period), (link.from_node, link.to_node)
            routes[key].setdefault(pair, []).append(link.edges)
            tbps[key][pair] = link.tbps
    out: list[Stretch] = []
    for group in named:
        for periods in _parts(plan, group, sites, routes):
            keys = [(group, p) for p in periods]
            members = {}
            for site in sorted(sites[keys[0]]):
                works = [p for p in periods if sites[group, p][site] > _TINY]
                most = max(sites[key][site] for key in keys)
                members[site] = ((works or periods)[0], most)
            links = {}
            for pair in sorted({pair for key in keys for pair in routes[key]}):
                used = [p for p in periods if pair in routes[group, p]]
                ways = tuple(sorted(routes[group, used[0]][pair]))
                links[pair] = (ways, used[0], max(tbps[group, p][pair] for p in used))
            out.append(Stretch(group, periods[0], periods, members, links))
    return out


def _parts(
    plan: Solution,
    group: str,
    sites: Mapping[tuple[str, str], dict[str, float]],
    routes: Mapping[tuple[str, str], dict[Pair, list[tuple[str, ...]]]],
) -> Iterator[tuple[str, ...]]:
    """Yield the periods of each stretch; those in which the group has no link tell of none."""
    part: list[str] = []
    known: dict[Pair, list[tuple[str, ...]]] = {}
    for period in plan.periods:
        here = sites.get((group, period), {})
        links = {pair: sorted(ways) for pair, ways in routes.get((group, period), {}).items()}
        same = part and set(here) == set(sites[group, part[0]])
        if part and not (same and (not known or not links or links == known)):
            yield tuple(part)
            part, known = [], {}
        if here:
            part.append(period)
            known = known or links
    if part:
        yield tuple(part)


def drafts(facts: Facts, access: FiberAccess | None) -> Iterator[Draft]:
    """Yield who joins a group, and which of its nodes are linked over which edges.

    A member is settled when its site is begun, a link when the first of what its edges carry it
    with is ordered; who was a member before, and a link that was there, stay without lead time.
    """
    edges = None if access is None else edges_of(facts.scenario, access.network, facts.time)
    opened = {row.site_id for row in facts.plan.sites if row.opened is not None}
    earlier: dict[str, Stretch] = {}
    for part in stretches(facts.plan):
        before = earlier.get(part.group)
        earlier[part.group] = part
        for site, (works, mw) in part.members.items():
            stays = before is not None and site in before.members
            begun = site in opened and site not in facts.leases and not stays
            lead = facts.tie if begun else Lead(0, "campus_groups")
            others = len(part.members) - 1
            yield Draft(
                "join_group", date.fromisoformat(works), lead, site=site,
                poi=facts.pois_of.get(site, ""), item=part.group, mw=mw, mw_kind="IT MW",
                why=f"{'stays' if stays else 'becomes'} a member with {others} other"
                f"{'' if others == 1 else 's'}, works for the group from {works}",
                decisions=(Decision("member", (part.group, site, part.since)),),
            )  # fmt: skip
        for (a, b), (routes, works, tbps) in part.links.items():
            assert edges is not None  # links are those of a network
            stays = before is not None and before.links.get((a, b), ((),))[0] == routes
            lead = Lead(0, "campus_groups") if stays else _lead(facts, edges, routes, works)
            several = f"{len(routes)} routes without a common edge" if len(routes) > 1 else "route"
            at = {name: e for e, name in enumerate(edges.ids)}
            km = " and ".join(f"{sum(edges.km[at[e]] for e in way):,.4g}" for way in routes)
            yield Draft(
                "link_nodes", date.fromisoformat(works), lead, item=f"{part.group}: {a} - {b}",
                why=f"{several} of {km} km, up to {tbps:,.4g} Tb/s from {works}",
                decisions=(Decision("link", (part.group, a, b, part.since)),),
            )  # fmt: skip


def _lead(facts: Facts, edges: Edges, routes: Routes, works: str) -> Lead:
    """Return the longest lead time of what the edges of a link have by the day it works.

    Leased waves take none.
    """
    at = {name: e for e, name in enumerate(edges.ids)}
    used = {edge for way in routes for edge in way}
    key = "fiber.capacity"
    found = [Lead(0, f"{key}.wave")]
    for row in facts.plan.pairs:
        if row.edge in used and row.period <= works:
            new = bool(edges.new[at[row.edge]])
            months = edges.build_lead_months if new else edges.pair_lead_months
            found.append(Lead(months, f"{key}.{'build' if new else 'pair'}.lead_months"))
    for light in facts.plan.light:
        if light.edge in used and light.period <= works:
            months = float(edges.light_lead_months[at[light.edge]])
            found.append(Lead(months, f"{key}.optics.lead_months"))
    return max(found, key=lambda lead: lead.months)
