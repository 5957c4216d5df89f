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
    km_max: dict[tuple[int, int, int], float] = {}
    serve, flow = [], []
    for v, service in enumerate(services):
        limit = scenario.demand.named()[service.workload].rtt_ms_max
        mine = np.flatnonzero(demand.serve_workload == work_at[service.workload])
        from_node = site_rows.node[demand.serve_site[mine]]
        to_node, last_km = _ends(access, demand.serve_place[mine], service, from_node)
        room = np.full(len(mine), np.inf)
        if limit is not None and service.to_nodes is None:
            first_km = site_rows.lateral_km + site_rows.along_km
            laterals = np.nan_to_num(first_km[demand.serve_site[mine]]) + last_km
            room = km_within(scenario, limit) - laterals
        for j in np.flatnonzero((from_node >= 0) & (to_node >= 0) & (from_node != to_node)):
            key = v, int(from_node[j]), int(to_node[j])
            km_max[key] = min(km_max.get(key, np.inf), float(room[j]))
            serve.append(int(mine[j]))
            flow.append(key)
    flow_at = {key: f for f, key in enumerate(km_max)}
    keys = np.array(list(km_max), dtype=np.int64).reshape(-1, 3)
    routes = scenario.fiber.capacity.routes
    return Services(
        names=tuple(s.name for s in services),
        workload=np.array([work_at[s.workload] for s in services], dtype=np.int64),
        tbps=np.array([s.tbps for s in services]),
        peak_tbps=np.array([s.peak_tbps for s in services]),
        peak_hours=np.array([s.peak_hours_per_year for s in services], dtype=float),
        service=keys[:, 0],
        from_node=keys[:, 1],
        to_node=keys[:, 2],
        ways=ways_of(network, keys[:, 1:].tolist(), list(km_max.values()), routes),
        serve=np.array(serve, dtype=np.int64),
        flow=np.array([flow_at[key] for key in flow], dtype=np.int64),
    )


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
