"""Campus groups of a scenario: possible members, distances, ways between nodes, traffic, losses."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np

from sitepick.candidates.types import Candidates
from sitepick.errors import ScenarioError
from sitepick.instance.group_types import Group, Groups, Ways
from sitepick.instance.timeline import Timeline
from sitepick.instance.types import DemandData
from sitepick.matrix import BoolArray, FloatArray, IntArray
from sitepick.network import sync as exchange
from sitepick.network.fiber import Attachment, FiberNetwork, Route
from sitepick.scenario.fields import value_at
from sitepick.scenario.groups import MS_PER_KM, CampusGroup, Synchronisation
from sitepick.scenario.schema import Scenario

MOST_NODES = 300
"""Nodes that a group may choose from. Ways are sought between all pairs of them."""
_SLACK = 1 + 1e-12


def groups_of(
    scenario: Scenario, candidates: Candidates, time: Timeline, demand: DemandData
) -> Groups:
    """Return the campus groups, over `Candidates.fiber`.

    Without a fiber network routes are straight lines times `demand.route_factor`, every site is a
    node, and nothing is known of edges.

    Raises ScenarioError where work of a group is asked at a place.
    """
    if not scenario.campus_groups:
        return Groups()
    _anywhere_only(scenario, demand)
    made = [_Maker(scenario, time, demand, g) for g in scenario.campus_groups]
    mine = (candidates.sites["status"] == "candidate").to_numpy(dtype=bool)
    frame, fiber = candidates.sites[mine], candidates.fiber
    if fiber is None:
        lonlat = frame[["lon", "lat"]].to_numpy(dtype=float)
        return Groups(
            rows=tuple(m.straight(lonlat) for m in made),
            nodes=tuple(str(s) for s in frame["site_id"]),
            hop_ms=scenario.demand.hop_ms,
        )
    network, at = fiber.network, fiber.sites
    near = Attachment(*(getattr(at, f.name)[mine] for f in fields(at)))
    found: dict[tuple[int, int, float, int], list[tuple[Route, ...]]] = {}
    return Groups(
        rows=tuple(m.routed(network, near, found) for m in made),
        nodes=tuple(str(n) for n in network.node_id),
        edges=tuple(str(e) for e in network.edge_id),
        routed=True,
        hop_ms=scenario.demand.hop_ms,
    )


def _anywhere_only(scenario: Scenario, demand: DemandData) -> None:
    problems = []
    for group in scenario.campus_groups:
        w = demand.workloads.index(group.workload)
        at = [demand.places[d] for d in np.flatnonzero(demand.mw[w, :-1].any(axis=1))]
        if at:
            problems.append(
                f"campus_groups: work of group '{group.name}' is asked at places in layers."
                f"demand_mw ({', '.join(at[:3])}); a group serves work that is placed anywhere"
            )
    if problems:
        raise ScenarioError(problems)


class _Maker:
    """Makes one group."""

    def __init__(
        self, scenario: Scenario, time: Timeline, demand: DemandData, group: CampusGroup
    ) -> None:
        self.group, self.sync = group, group.sync
        self.hop_ms = scenario.demand.hop_ms
        self.builds = scenario.fiber.capacity.build is not None
        self.factor = scenario.demand.route_factor
        self.time = time
        self.workload = demand.workloads.index(group.workload)
        self.asked = demand.mw[self.workload].sum(axis=0)
        self.limit_km = group.limit_km(self.hop_ms)

    def straight(self, lonlat: FloatArray) -> Group:
        """Return the group over straight lines."""
        from sitepick.candidates.geo import straight_km

        n = len(lonlat)
        centre, of = _centres(lonlat, MOST_NODES)
        lon, lat = lonlat[:, 0], lonlat[:, 1]
        a, b = (x.ravel() for x in np.meshgrid(centre, centre, indexing="ij"))
        km = self.factor * straight_km(lon[a], lat[a], lon[b], lat[b])
        home = centre[of]
        lateral = self.factor * straight_km(lon, lat, lon[home], lat[home])
        lateral = np.where(home == np.arange(n), 0.0, lateral)
        known = np.flatnonzero(~np.isnan(lateral))
        km = np.where(np.isnan(km), np.inf, km).reshape(len(centre), -1)
        return self._made(known, of[known], lateral[known], centre, km, None)

    def routed(
        self,
        network: FiberNetwork,
        at: Attachment,
        found: dict[tuple[int, int, float, int], list[tuple[Route, ...]]],
    ) -> Group:
        """Return the group over a fiber network; sites without attachment cannot be members."""
        from sitepick.network.fiber_routes import distances

        first = self.time.starts[int(np.flatnonzero(self.asked)[0])] if self.asked.any() else None
        edges = network.there(first)
        lateral_km = at.lateral_km + np.nan_to_num(at.along_km)
        site = np.flatnonzero(at.known & ~np.isnan(lateral_km))
        nodes, node = np.unique(at.node[site], return_inverse=True)
        km = distances(network, nodes, edges)[0][:, nodes]
        km = np.minimum(km, km.T)  # both directions to the last digit
        lateral_km = lateral_km[site]
        if len(nodes) > MOST_NODES:
            kept = _spread(km, MOST_NODES)
            home = kept[np.argmin(km[:, kept], axis=1)]
            lateral_km = lateral_km + km[node, home[node]]
            near = np.isfinite(lateral_km)
            site, lateral_km = site[near], lateral_km[near]
            node = np.searchsorted(kept, home[node[near]])
            nodes, km = nodes[kept], km[np.ix_(kept, kept)]
        group = self._made(site, node, lateral_km, nodes, km, None)
        last = self.time.starts[-2]
        usable = network.there(last) | (network.new & self.builds)
        return replace(group, ways=self._ways(network, usable, group, found))

    def _ways(
        self,
        network: FiberNetwork,
        edges: BoolArray,
        group: Group,
        found: dict[tuple[int, int, float, int], list[tuple[Route, ...]]],
    ) -> Ways:
        from sitepick.network.fiber_routes import disjoint_pair, k_shortest

        near, cut, k = group.near_km, self.group.survive_cut, self.group.routes
        a, b = np.nonzero(np.triu(~group.apart, 1))
        pairs, routes = [], []
        for i, j in zip(a.tolist(), b.tolist(), strict=True):
            most = (self.limit_km - near[i] - near[j]) * _SLACK
            ends = int(group.node_at[i]), int(group.node_at[j])
            key = (*ends, most, 0 if cut else k)
            if key not in found:
                if cut:
                    two = disjoint_pair(network, *ends, km_max=most, edges=edges)
                    found[key] = [] if two is None else [two]
                else:
                    some = k_shortest(network, *ends, k, km_max=most, edges=edges)
                    found[key] = [(route,) for route in some]
            for way in found[key]:
                pairs.append((i, j))
                routes.append(way)
        joined = np.array(pairs, dtype=np.int64).reshape(-1, 2)
        used = [[e for route in way for e in route.edges] for way in routes]
        return Ways(
            a=joined[:, 0],
            b=joined[:, 1],
            km=np.array([max(route.km for route in way) for way in routes], dtype=float),
            routes=tuple(tuple(tuple(route.edges) for route in way) for way in routes),
            route_km=tuple(tuple(route.km for route in way) for way in routes),
            use_way=np.repeat(np.arange(len(used)), [len(u) for u in used]).astype(np.int64),
            use_edge=np.array([e for u in used for e in u], dtype=np.int64),
        )

    def _made(
        self,
        site: IntArray,
        node: IntArray,
        lateral_km: FloatArray,
        node_at: IntArray,
        km: FloatArray,
        ways: Ways | None,
    ) -> Group:
        group, most = self.group, self.group.sites_max
        wanted = np.flatnonzero(self.asked > 0)
        by_nodes = group.loss_pct_per_extra_site is None
        eras = tuple(wanted[:, None]) if group.migrate else (wanted,) if len(wanted) else ()
        return Group(
            name=group.name,
            workload=self.workload,
            shape=group.shape,
            site=site,
            node=node,
            lateral_km=lateral_km,
            node_at=node_at,
            km=km,
            limit_km=self.limit_km,
            least=group.sites_min,
            most=most,
            min_it_mw=group.min_site_it_mw,
            eras=eras,
            peaks=tuple(int(era[np.argmax(self.asked[era])]) for era in eras),
            by_nodes=by_nodes,
            efficiency=self._efficiency(),
            share=np.array([exchange.link_share(group.shape, u) for u in range(most + 1)]),
            tbps=self._tbps(),
            ways=ways,
        )

    def _efficiency(self) -> FloatArray:
        count = np.arange(self.group.sites_max + 1)
        loss = self.group.loss_pct_per_extra_site
        if loss is not None:
            return np.asarray(1 - loss / 100 * np.maximum(count - 1, 0))
        rtt_ms = self.hop_ms + MS_PER_KM * self.limit_km
        plain = _sync(self.sync, 1.0)  # links fit the update, whatever its size
        return np.array(
            [exchange.efficiency(plain, self.group.shape, int(u), rtt_ms) for u in count]
        )

    def _tbps(self) -> FloatArray:
        out = np.zeros(self.time.n)
        for t, start in enumerate(self.time.starts[:-1]):
            billion = value_at(self.sync.params_billion, start) or 0.0
            made = _sync(self.sync, billion / 1000)
            out[t] = made.terabits / made.transfer_s
        return out


def _sync(of: Synchronisation, params_t: float) -> exchange.Sync:
    return exchange.Sync(
        params_t=params_t,
        bytes_per_param=of.bytes_per_param,
        step_s=of.step_s,
        every_steps=of.every_steps,
        compression=of.compression,
        window_s=of.window_s,
        overlap_s=of.overlap_s,
    )


def _centres(lonlat: FloatArray, most: int) -> tuple[IntArray, IntArray]:
    """Return (K,) sites that are centres, at most ``most``, and (S,) the centre of each site."""
    n = len(lonlat)
    if n <= most:
        return np.arange(n), np.arange(n)
    lon, lat = np.radians(lonlat[:, 0]), np.radians(lonlat[:, 1])
    at = np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=1)
    chosen, left, of = [0], np.full(n, np.inf), np.zeros(n, dtype=np.int64)
    for k in range(most):
        apart = ((at - at[chosen[k]]) ** 2).sum(axis=1)
        of[apart < left] = k
        left = np.minimum(left, apart)
        chosen.append(int(np.argmax(left)))
    order = np.argsort(chosen[:most])  # in the order of sites
    rank = np.empty(most, dtype=np.int64)
    rank[order] = np.arange(most)
    return np.asarray(chosen[:most], dtype=np.int64)[order], rank[of]


def _spread(km: FloatArray, most: int) -> IntArray:
    """Return ``most`` nodes, rising, each next the farthest from those chosen before."""
    chosen, left = [0], km[0].copy()
    while len(chosen) < most:
        chosen.append(int(np.argmax(left)))
        left = np.minimum(left, km[chosen[-1]])
    return np.sort(np.array(chosen))
