"""Prefill and decode: what is served of one is handed over to the other, near, by a route."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from sitepick.checks.case import Case, number
from sitepick.checks.demand import asked
from sitepick.checks.fiber_prices import Edge, edges_of
from sitepick.checks.services import MS_PER_KM, TBPS, kms_from, nodes_of_sites, wrong_route
from sitepick.checks.tolerance import more, off
from sitepick.finding import Finding
from sitepick.scenario.fiber_capacity import Split

Served = dict[tuple[str, str, int], float]
"""By place, node (or site) and period: ref_mw."""


def check(case: Case) -> Iterator[Finding]:
    """Yield the breaches of the `split.*` rows."""
    edges = edges_of(case)
    for split in case.scenario.demand.splits:
        rows = [row for row in case.solution.handovers if row.split == split.name]
        given: dict[str, Served] = {
            split.prefill: defaultdict(float),
            split.decode: defaultdict(float),
        }
        for row in rows:
            t = case.calendar.periods.index(row.period)
            given[split.prefill][row.place_id, row.from_node, t] += row.prefill_ref_mw
            given[split.decode][row.place_id, row.to_node, t] += row.ref_mw
        for pool in (split.prefill, split.decode):
            yield from _handed_over(case, split.name, pool, given[pool])
        yield from _shares(case, split)
        yield from _near(case, split, edges)
        yield from _links(case, split)
        for link in case.solution.links:
            if link.service == split.name:
                yield from wrong_route(case, link, edges)


def _where(case: Case, name: str, place: str, node: str, t: int) -> str:
    return f"{name} for {place} at {node}, {case.when(t)}"


def _handed_over(case: Case, name: str, pool: str, given: Served) -> Iterator[Finding]:
    """What a node serves of a pool is what it hands over, or takes over."""
    at = nodes_of_sites(case)
    served: Served = defaultdict(float)
    for (site, workload, place, t), mw in case.served.items():
        if workload == pool:
            served[place, at.get(site, site), t] += mw
    for key in sorted({*served, *given}):
        apart = off(given.get(key, 0.0), served.get(key, 0.0))
        if apart:
            message = (
                f"{served.get(key, 0.0):,.6g} ref_mw of {pool} are served, "
                f"{given.get(key, 0.0):,.6g} have the other pool"
            )
            yield Finding("split.pools", _where(case, name, *key), apart, "ref_mw", message)


def _shares(case: Case, split: Split) -> Iterator[Finding]:
    """Each handover holds prefill and decode in the ratio in which its place asks for them."""
    wanted_of = asked(case)
    for row in case.solution.handovers:
        if row.split != split.name:
            continue
        t = case.calendar.periods.index(row.period)
        first, last = (
            wanted_of.get((pool, row.place_id, t), 0.0) for pool in (split.prefill, split.decode)
        )
        wanted = row.ref_mw * first / last if last else 0.0
        apart = off(row.prefill_ref_mw, wanted)
        if apart:
            where = (
                f"{row.split} for {row.place_id}, {row.from_node} to {row.to_node}, {row.period}"
            )
            message = f"{row.prefill_ref_mw:,.6g} ref_mw of prefill, the ratio asks {wanted:,.6g}"
            yield Finding("split.share", where, apart, "ref_mw", message)


def _near(case: Case, split: Split, edges: dict[str, Edge]) -> Iterator[Finding]:
    """From a node to another, the longest laterals of those that serve keep the round trip."""
    lateral = _laterals(case, split)
    km_of: dict[str, dict[str, float]] = {}
    for row in case.solution.handovers:
        if row.split != split.name or row.from_node == row.to_node or not row.ref_mw:
            continue
        if row.from_node not in km_of:
            km_of[row.from_node] = kms_from(edges, row.from_node)
        where = f"{row.split}, {row.from_node} to {row.to_node}, {row.period}"
        km = km_of[row.from_node].get(row.to_node)
        if km is None:
            message = "no route joins the two pools"
            yield Finding("split.near", where, row.ref_mw, "ref_mw", message)
            continue
        km += lateral[row.from_node] + lateral[row.to_node]
        rtt_ms = km * MS_PER_KM + case.scenario.demand.hop_ms
        over = more(rtt_ms, split.rtt_ms_max)
        if over:
            message = f"the round trip takes {rtt_ms:,.6g} ms, {split.rtt_ms_max:g} ms is the limit"
            yield Finding("split.near", where, over, "ms", message)


def _laterals(case: Case, split: Split) -> dict[str, float]:
    """Return the longest lateral of the sites of a node that serve either pool, km."""
    out: dict[str, float] = defaultdict(float)
    fiber, at = case.candidates.fiber, nodes_of_sites(case)
    if fiber is None:
        return out
    km = fiber.sites.lateral_km + fiber.sites.along_km
    of_site = dict(zip(case.candidates.sites["site_id"], km, strict=True))
    for site, workload, _, _ in case.served:
        if workload in (split.prefill, split.decode) and site in at:
            out[at[site]] = max(out[at[site]], number(of_site[site]) or 0.0)
    return out


def _links(case: Case, split: Split) -> Iterator[Finding]:
    """The KV cache of what is handed over to another node has a route, within the limit."""
    wanted: dict[tuple[str, str, int], float] = defaultdict(float)
    given: dict[tuple[str, str, int], float] = defaultdict(float)
    for row in case.solution.handovers:
        if row.split == split.name and row.from_node != row.to_node:
            t = case.calendar.periods.index(row.period)
            wanted[row.from_node, row.to_node, t] += row.ref_mw * split.gbps_per_ref_mw / 1000
    lateral = _laterals(case, split)
    for link in case.solution.links:
        if link.service != split.name:
            continue
        given[link.from_node, link.to_node, case.calendar.periods.index(link.period)] += link.tbps
        km = link.km + lateral[link.from_node] + lateral[link.to_node]
        over = more(km * MS_PER_KM + case.scenario.demand.hop_ms, split.rtt_ms_max)
        if over and link.tbps:
            where = (
                f"{link.service} {link.from_node} to {link.to_node} #{link.route}, {link.period}"
            )
            message = f"the route is {over:,.6g} ms longer than {split.rtt_ms_max:g} ms"
            yield Finding("split.near", where, over, "ms", message)
    for key in sorted({*wanted, *given}):
        apart = off(given.get(key, 0.0), wanted.get(key, 0.0), TBPS)
        if apart:
            where = f"{split.name} {key[0]} to {key[1]}, {case.when(key[2])}"
            message = (
                f"{given.get(key, 0.0):,.6g} Tb/s have a route, "
                f"{wanted.get(key, 0.0):,.6g} are handed over"
            )
            yield Finding("split.traffic", where, apart, "Tb/s", message)
