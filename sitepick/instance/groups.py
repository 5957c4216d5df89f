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

_SLACK = 1 + 1e-12
Found = dict[tuple[int, int, float, int], list[tuple[Route, ...]]]
"""Ways by ends, largest km, and how many routes were sought (0: two that share no edge)."""


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
    found: Found = {}
    return Groups(
        rows=tuple(m.routed(network, near, found) for m in made),
        nodes=tuple(str(n) for n in network.node_id),
        edges=tuple(str(e) for e in network.edge_id),
        routed=True,
        hop_ms=scenario.demand.hop_ms,
        second={
            int(i): (str(network.node_id[near.second_node[i]]), float(near.second_km[i]))
            for i in np.flatnonzero((near.second_node >= 0) & scenario.fiber.diverse)
        },
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
        self.searched: tuple[int, FloatArray, IntArray] = (
            -1,
            np.zeros(0),
            np.zeros(0, dtype=np.int64),
        )
        self.time = time
        self.workload = demand.workloads.index(group.workload)
        self.asked = demand.mw[self.workload].sum(axis=0)
        self.limit_km = group.limit_km(self.hop_ms)

    def straight(self, lonlat: FloatArray) -> Group:
        """Return the group over straight lines."""
        from sitepick.candidates.geo import straight_km

        n = len(lonlat)
        centre, of = _centres(lonlat, self.group.nodes_max)
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
        found: Found,
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
        if len(nodes) > self.group.nodes_max:
            here = np.bincount(node, minlength=len(nodes))
            kept = _chosen(km, here, self.limit_km, self.group.nodes_max)
            home = kept[np.argmin(km[:, kept], axis=1)]
            lateral_km = lateral_km + km[node, home[node]]
            near = np.isfinite(lateral_km)
            site, lateral_km = site[near], lateral_km[near]
            node = np.searchsorted(kept, home[node[near]])
            nodes, km = nodes[kept], km[np.ix_(kept, kept)]
        group = self._made(site, node, lateral_km, nodes, km, None)
        last = self.time.starts[-2]
        usable = network.there(last) | (network.new & self.builds)
        every = None if usable.all() else usable  # searches of all edges share what they prepare
        return replace(group, ways=self._ways(network, every, group, found))

    def _ways(
        self,
        network: FiberNetwork,
        edges: BoolArray | None,
        group: Group,
        found: Found,
    ) -> Ways:
        near = group.near_km
        a, b = np.nonzero(np.triu(~group.apart, 1))
        pairs, routes = [], []
        for i, j in zip(a.tolist(), b.tolist(), strict=True):
            most = (self.limit_km - near[i] - near[j]) * _SLACK
            for way in self._between(
                network, edges, int(group.node_at[i]), int(group.node_at[j]), most, found
            ):
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

    def _between(
        self,
        network: FiberNetwork,
        edges: BoolArray | None,
        a: int,
        b: int,
        km_max: float,
        found: Found,
    ) -> list[tuple[Route, ...]]:
        """Return the ways between two nodes; groups with the same rules share them."""
        from sitepick.network.fiber_routes import along, disjoint_pair, distances, k_shortest

        cut, k = self.group.survive_cut, self.group.routes
        key = a, b, km_max, 0 if cut else k
        if key in found:
            return found[key]
        if cut:
            two = disjoint_pair(network, a, b, km_max=km_max, edges=edges)
            found[key] = [] if two is None else [two]
        elif k > 1:
            found[key] = [(r,) for r in k_shortest(network, a, b, k, km_max=km_max, edges=edges)]
        else:  # one search serves all routes from a node
            if self.searched is None or self.searched[0] != a:
                self.searched = a, *(x[0] for x in distances(network, np.array([a]), edges))
            _, km, before = self.searched
            near = bool(km[b] <= km_max)
            found[key] = [(along(network, before, b, edges),)] if near else []
        return found[key]

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


def _chosen(km: FloatArray, sites: IntArray, far_km: float, most: int) -> IntArray:
    """Return ``most`` nodes, rising, each next the one that shortens the way of most sites.

    ``sites`` (N,) are at each node; ways longer than ``far_km`` count as that.
    """
    ways, left = np.minimum(km, far_km), np.full(len(km), far_km)
    kept: list[int] = []
    for _ in range(most):
        saved = np.maximum(left[:, None] - ways, 0).T @ sites
        saved[kept] = -1
        kept.append(int(np.argmax(saved)))
        left = np.minimum(left, ways[kept[-1]])
    return np.sort(np.array(kept))
