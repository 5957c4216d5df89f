"""Fiber, read from the scenario and the network by edge: what can be had, from when, at what price.

Written from docs/model.md ("Fiber") a second time, on purpose.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from math import ceil

from sitepick.checks.case import Case, number
from sitepick.scenario.fiber_capacity import Optics, Service, Split, optics_of

HOURS = 8760.0
MONTHLY_HOURS = 730.0
HAIR = 1e-6
Use = dict[tuple[str, int], dict[float, float]]
"""By edge and period: hours of peaks (0: ordinary hours) -> Tb/s."""


@dataclass(frozen=True)
class Edge:
    """An edge of the network. None: the network does not say."""

    id: str
    ends: tuple[str, str]
    km: float
    link_km: float  # of the link that it is a piece of
    new: bool
    in_service: date | None
    pairs: float | None
    lit_tbps: float | None
    rent_usd_per_km_year: float | None


def edges_of(case: Case) -> dict[str, Edge]:
    """Return the edges of the network by id; none without one."""
    fiber = case.candidates.fiber
    if fiber is None:
        return {}
    net, found = fiber.network, {}
    km_of: dict[str, float] = defaultdict(float)
    for link, km in zip(net.link_id, net.km, strict=True):
        km_of[str(link)] += float(km)
    for e, name in enumerate(net.edge_id):
        whole = float(net.km[e]) if net.link_id[e] is None else km_of[str(net.link_id[e])]
        ends = str(net.node_id[net.from_node[e]]), str(net.node_id[net.to_node[e]])
        found[str(name)] = Edge(
            str(name), ends, float(net.km[e]), whole, bool(net.new[e]), net.in_service[e],
            number(net.pairs[e]), number(net.lit_tbps[e]), number(net.lease_usd_per_km_year[e]),
        )  # fmt: skip
    return found


def optics(case: Case, edge: Edge) -> tuple[Optics, int]:
    """Return the class that lights the link of an edge, and in how many sections."""
    rows = optics_of(case.scenario)
    for row in rows:
        if edge.link_km <= row.reach_km + HAIR:
            return row, 1
    return rows[-1], ceil(edge.link_km / rows[-1].reach_km - HAIR)


def amplifiers(case: Case, edge: Edge) -> float:
    """Return the edge's share, by km, of the in-line amplifier sites of its link."""
    row, sections = optics(case, edge)
    if row.ila_km is None:
        return 0.0
    sites = sections * (max(1, ceil(edge.link_km / sections / row.ila_km - HAIR)) - 1)
    return sites * edge.km / edge.link_km


def tbps_per_pair(case: Case, edge: Edge) -> float:
    """Return what a lit pair carries each way."""
    return optics(case, edge)[0].tbps_per_pair


def most_pairs(case: Case, edge: Edge) -> int:
    """Return how many pairs can be had on an edge."""
    rules = case.scenario.fiber.capacity
    if edge.new:
        return rules.build.pairs if rules.build else 0
    if rules.pair is None:
        return 0
    return int(rules.pair.per_edge if edge.pairs is None else edge.pairs)


def most_waves(case: Case, edge: Edge) -> int:
    """Return how many waves can be had on an edge."""
    wave = case.scenario.fiber.capacity.wave
    if edge.new or wave is None:
        return 0
    return wave.per_edge if edge.lit_tbps is None else int(edge.lit_tbps / wave.tbps + HAIR)


def pairs_from(case: Case, edge: Edge) -> date:
    """Return the day from which pairs of an edge can stand."""
    rules = case.scenario.fiber.capacity
    if edge.new:
        return case.calendar.earliest(rules.build.lead_months if rules.build else 0)
    first = case.calendar.earliest(rules.pair.lead_months if rules.pair else 0)
    return max(first, edge.in_service or first)


def waves_from(case: Case, edge: Edge) -> date:
    """Return the day from which waves of an edge can stand."""
    wave = case.scenario.fiber.capacity.wave
    first = case.calendar.earliest(wave.lead_months if wave else 0)
    return max(first, edge.in_service or first)


def pair_musd(case: Case, edge: Edge) -> float:
    """Return what a pair costs once: IRU and amplifiers."""
    pair, (row, _) = case.scenario.fiber.capacity.pair, optics(case, edge)
    musd = amplifiers(case, edge) * row.ila_musd * case.price(row.price_year)
    if pair is not None and not edge.new and edge.rent_usd_per_km_year is None:
        musd += pair.iru_usd_per_km * edge.km / 1e6 * case.price(pair.price_year)
    return musd


def pair_rent_musd(case: Case, edge: Edge) -> float:
    """Return what a pair costs a year."""
    pair = case.scenario.fiber.capacity.pair
    if edge.new or pair is None:
        return 0.0
    if edge.rent_usd_per_km_year is not None:
        return edge.rent_usd_per_km_year * edge.km / 1e6
    return pair.lease_usd_per_km_year * edge.km / 1e6 * case.price(pair.price_year)


def route_musd_per_year(case: Case, edge: Edge) -> float:
    """Return the maintenance of a route, MUSD a year."""
    pair = case.scenario.fiber.capacity.pair or type(case.scenario.fiber.capacity)().pair
    assert pair is not None
    return pair.maintenance_usd_per_km_year * edge.km / 1e6 * case.price(pair.price_year)


def build_musd(case: Case, edge: Edge) -> float:
    """Return what a new route costs once."""
    build = case.scenario.fiber.capacity.build
    if build is None or not edge.new:
        return 0.0
    return build.usd_per_km * edge.km / 1e6 * case.price(build.price_year)


def light_musd(case: Case, edge: Edge) -> float:
    """Return the edge's share, by km, of what optics at all ends of its link cost, per Tb/s."""
    row, sections = optics(case, edge)
    ends = 2 * sections * edge.km / edge.link_km
    return ends * row.usd_per_gbps_end * 1000 / 1e6 * case.price(row.price_year)


def wave_musd_per_year(case: Case, edge: Edge) -> float:
    """Return what a wave that is leased all year costs, MUSD a year."""
    wave = case.scenario.fiber.capacity.wave
    if wave is None:
        return 0.0
    monthly = wave.usd_per_km_month * edge.km + wave.usd_per_month
    return 12 * monthly / 1e6 * case.price(wave.price_year)


def burst_musd_per_hour(case: Case, edge: Edge) -> float:
    """Return what a wave that is leased for peaks alone costs an hour."""
    wave = case.scenario.fiber.capacity.wave
    if wave is None:
        return 0.0
    return wave.burst_factor * wave_musd_per_year(case, edge) / 12 / MONTHLY_HOURS


def term_years(case: Case) -> int:
    """Return for how long pairs are leased."""
    pair = case.scenario.fiber.capacity.pair
    return 20 if pair is None else pair.term_years


def peaks(case: Case) -> dict[str, tuple[float, float]]:
    """Return the peak over ordinary traffic and the hours a year of it, by name of the service."""
    named: list[Service | Split] = [*case.scenario.fiber.services, *case.scenario.demand.splits]
    return {
        s.name: ((s.peak_gbps_per_ref_mw or 0.0) / s.gbps_per_ref_mw, s.peak_hours_per_year)
        for s in named
        if s.peak_gbps_per_ref_mw and s.peak_gbps_per_ref_mw > s.gbps_per_ref_mw
    }


def hours_of_peaks(case: Case) -> list[float]:
    """Return the distinct hours a year of peaks of all services, ascending."""
    return sorted({hours for _, hours in peaks(case).values()})


def traffic(case: Case) -> Use:
    """Return what edges carry by hours of peaks: those with at least so many are at their peak."""
    out: Use = defaultdict(lambda: defaultdict(float))
    high, at = peaks(case), {p: t for t, p in enumerate(case.calendar.periods)}
    for row in case.solution.links:
        ratio, hours = high.get(row.service, (1.0, 0.0))
        for edge in row.edges:
            here = out[edge, at[row.period]]
            for band in (0.0, *hours_of_peaks(case)):
                here[band] += row.tbps * (ratio if band and hours >= band else 1.0)
    return out


def standing_pairs(case: Case) -> dict[tuple[str, int], int]:
    """Return the pairs standing by edge and period."""
    out: dict[tuple[str, int], int] = defaultdict(int)
    periods = round(term_years(case) / case.calendar.years_each)
    at = {p: t for t, p in enumerate(case.calendar.periods)}
    for row in case.solution.pairs:
        begun = at[row.period]
        for t in range(begun, min(begun + periods, case.calendar.count)):
            out[row.edge, t] += row.pairs
    return out


def lit(case: Case) -> dict[tuple[str, int], float]:
    """Return the Tb/s lit by edge and period."""
    out: dict[tuple[str, int], float] = defaultdict(float)
    edges = edges_of(case)
    at = {p: t for t, p in enumerate(case.calendar.periods)}
    for row in case.solution.light:
        begun = at[row.period]
        life = case.calendar.periods_of(optics(case, edges[row.edge])[0].life_years)
        for t in range(begun, min(begun + life, case.calendar.count)):
            out[row.edge, t] += row.tbps
    return out


def waves(case: Case, peak_hours: float) -> dict[tuple[str, int], int]:
    """Return leased waves by edge and period; ``peak_hours`` 0: those of all year."""
    at = {p: t for t, p in enumerate(case.calendar.periods)}
    return {
        (row.edge, at[row.period]): row.waves
        for row in case.solution.waves
        if row.peak_hours == peak_hours
    }


def needed_routes(case: Case) -> Iterator[tuple[str, int]]:
    """Yield edge and period of every route whose maintenance is paid: in use, or built."""
    edges = edges_of(case)
    at = {p: t for t, p in enumerate(case.calendar.periods)}
    for key, pairs in standing_pairs(case).items():
        if pairs and not edges[key[0]].new:
            yield key
    for row in case.solution.builds:
        for t in range(at[row.period], case.calendar.count):
            yield row.edge, t


def rents(case: Case, t: int) -> float:
    """Return rents of pairs and waves in a period, MUSD a year."""
    edges, total = edges_of(case), 0.0
    for (edge, at), pairs in standing_pairs(case).items():
        if at == t:
            total += pairs * pair_rent_musd(case, edges[edge])
    bands = hours_of_peaks(case)
    for row in case.solution.waves:
        if row.period != case.when(t):
            continue
        if not row.peak_hours:
            total += row.waves * wave_musd_per_year(case, edges[row.edge])
            continue
        lower = max((h for h in bands if h < row.peak_hours), default=0.0)
        per_hour = burst_musd_per_hour(case, edges[row.edge])
        total += row.waves * (row.peak_hours - lower) * per_hour
    return total


def maintenance(case: Case, t: int) -> float:
    """Return the maintenance of routes in a period, MUSD a year."""
    edges = edges_of(case)
    return sum(route_musd_per_year(case, edges[e]) for e, at in needed_routes(case) if at == t)
