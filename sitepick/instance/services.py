"""Traffic of work between nodes of the fiber network: which flows there are, and their routes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from sitepick.errors import ScenarioError
from sitepick.instance.fiber_types import Services, Ways
from sitepick.instance.types import DemandData
from sitepick.matrix import FloatArray, IntArray
from sitepick.network.fiber import ONE_WAY_MS_PER_KM, Attachment, FiberNetwork
from sitepick.network.fiber_routes import distances, k_shortest
from sitepick.scenario.fiber_capacity import Service
from sitepick.scenario.schema import Scenario

if TYPE_CHECKING:
    from sitepick.candidates.types import FiberAccess

MOST_FLOWS = 50_000
"""Pairs of nodes between which routes are looked for: some minutes of work."""


def ways_of(
    network: FiberNetwork, ends: Iterable[tuple[int, int]], km_max: Sequence[float], routes: int
) -> Ways:
    """Return the ways of each flow between two different nodes, at least one where there is any.

    Up to ``routes`` shortest ones of at most ``km_max``; where all of these need fiber that is yet
    to be built, the shortest over what is there is added.
    """
    flow: list[int] = []
    km: list[float] = []
    at: list[int] = []
    edge: list[int] = []
    there = ~network.new
    for f, (a, b) in enumerate(ends):
        found = k_shortest(network, a, b, routes, km_max[f]) or k_shortest(network, a, b, 1)
        if found and not any(there[list(route.edges)].all() for route in found):
            found += k_shortest(network, a, b, 1, km_max[f], edges=there)
        for route in found:
            at += [len(flow)] * len(route.edges)
            edge += route.edges
            flow.append(f)
            km.append(route.km)
    whole = [np.array(x, dtype=np.int64) for x in (flow, at, edge)]
    return Ways(flow=whole[0], km=np.array(km, dtype=float), at=whole[1], edge=whole[2])


def km_within(scenario: Scenario, rtt_ms: float) -> float:
    """Return the route km that a round-trip time leaves after the equipment."""
    return (rtt_ms - scenario.demand.hop_ms) / (2 * ONE_WAY_MS_PER_KM)


def services_of(
    scenario: Scenario, access: FiberAccess, site_rows: Attachment, demand: DemandData
) -> Services:
    """Return the flows of services; ``site_rows`` are where the instance's sites attach.

    Work of a site or for a place that is not on the network makes no traffic on it. Raises
    ScenarioError for nodes that the network has not.
    """
    network, services = access.network, scenario.fiber.services
    work_at = {name: w for w, name in enumerate(demand.workloads)}
    n = network.n_node
    lateral = np.nan_to_num(site_rows.lateral_km + site_rows.along_km)
    code, room, serve = [np.zeros(0, dtype=np.int64)], [np.zeros(0)], [np.zeros(0, dtype=np.int64)]
    for v, service in enumerate(services):
        limit = scenario.demand.named()[service.workload].rtt_ms_max
        mine = np.flatnonzero(demand.serve_workload == work_at[service.workload])
        site = demand.serve_site[mine]
        from_node = site_rows.node[site]
        to_node, last_km = _ends(access, demand.serve_place[mine], service, from_node)
        km = np.full(len(mine), np.inf)
        if limit is not None and service.to_nodes is None:
            km = km_within(scenario, limit) - lateral[site] - last_km
        goes = (from_node >= 0) & (to_node >= 0) & (from_node != to_node)
        code.append(((v * n + from_node) * n + to_node)[goes])
        room.append(km[goes])
        serve.append(mine[goes])
    flows, flow = np.unique(np.concatenate(code), return_inverse=True)
    km_max = np.full(len(flows), np.inf)
    np.minimum.at(km_max, flow, np.concatenate(room))
    refuse_many(len(flows), "fiber.services", "name to_nodes, or limit rtt_ms_max")
    from_node, to_node = flows // n % n, flows % n
    ends = zip(from_node.tolist(), to_node.tolist(), strict=True)
    return Services(
        names=tuple(s.name for s in services),
        workload=np.array([work_at[s.workload] for s in services], dtype=np.int64),
        tbps=np.array([s.tbps for s in services]),
        peak_tbps=np.array([s.peak_tbps for s in services]),
        peak_hours=np.array([s.peak_hours_per_year for s in services], dtype=float),
        service=flows // n // n,
        from_node=from_node,
        to_node=to_node,
        ways=ways_of(network, ends, km_max.tolist(), scenario.fiber.capacity.routes),
        serve=np.concatenate(serve),
        flow=flow,
    )


def refuse_many(flows: int, where: str, instead: str) -> None:
    """Raise ScenarioError for more pairs of nodes than routes can be found for."""
    if flows > MOST_FLOWS:
        asked = f"traffic between {flows:,} pairs of nodes, {MOST_FLOWS:,} at most"
        raise ScenarioError([f"{where}: {asked}: {instead}"])


def _ends(
    access: FiberAccess, place: IntArray, service: Service, from_node: IntArray
) -> tuple[IntArray, FloatArray]:
    """Return the node where each flow ends, -1 unknown, and the lateral from there, km."""
    if service.to_nodes is None:
        node = np.append(access.places.node, -1)  # `anywhere` is no place on the network
        km = np.append(access.places.lateral_km + access.places.along_km, 0.0)
        return node[place], np.nan_to_num(km[place])
    nodes = [access.network.node_of.get(name, -1) for name in service.to_nodes]
    lost = [name for name, n in zip(service.to_nodes, nodes, strict=True) if n < 0]
    if lost:
        raise ScenarioError(
            [f"fiber.services: '{service.name}': no fiber node {name!r}" for name in lost]
        )
    far, _ = distances(access.network, np.array(nodes, dtype=np.int64))
    nearest = np.array(nodes, dtype=np.int64)[far.argmin(axis=0)]
    return np.where(from_node >= 0, nearest[from_node], -1), np.zeros(len(from_node))
