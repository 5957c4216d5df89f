"""Campus groups as arrays: which sites, at which nodes, joined by which ways."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from sitepick.matrix import BoolArray, FloatArray, IntArray
from sitepick.network.sync import Shape


@dataclass(frozen=True)
class Ways:
    """R ways to join two nodes of a group: a route, or two routes that share no edge.

    ``use_way`` and ``use_edge`` (K,) list the fiber edges of every way, of both its routes.
    """

    a: IntArray  # (R,) node of the group, a < b
    b: IntArray  # (R,)
    km: FloatArray  # (R,) route km, of the longer route where there are two
    routes: tuple[tuple[tuple[int, ...], ...], ...]  # (R,) edges of each route, from a to b
    route_km: tuple[tuple[float, ...], ...]  # (R,) of each route
    use_way: IntArray
    use_edge: IntArray


@dataclass(frozen=True)
class Group:
    """One campus group. M sites that could be members, at N nodes; C the most members."""

    name: str
    workload: int
    shape: Shape
    site: IntArray  # (M,) rising
    node: IntArray  # (M,) node of the group where the site's lateral ends
    lateral_km: FloatArray  # (M,)
    node_at: IntArray  # (N,) its place in Groups.nodes
    km: FloatArray  # (N, N) shortest route, inf without one
    limit_km: float  # between two members, laterals included
    least: int  # sites
    most: int  # C, sites
    min_it_mw: float  # of a member in the era's peak
    eras: tuple[IntArray, ...]  # periods with the same members, each rising
    peaks: tuple[int, ...]  # period of the largest demand of each era
    by_nodes: bool  # efficiency goes by the number of nodes, not of sites
    efficiency: FloatArray  # (C + 1,) by that number, 0..1; 1 for 0
    share: FloatArray  # (C + 1,) what a link carries by number of nodes, in full updates
    tbps: FloatArray  # (T,) Tb/s of a full update within the window
    ways: Ways | None  # None: no fiber layer, links are not routed

    @property
    def gross(self) -> float:
        """Most work at sites per ref_mw that is delivered."""
        return float(1 / self.efficiency[1:].min(initial=1.0))

    @property
    def near_km(self) -> FloatArray:
        """Return (N,) the shortest lateral to each node."""
        return self._lateral("min")

    @property
    def far_km(self) -> FloatArray:
        """Return (N,) the longest lateral to each node."""
        return self._lateral("max")

    def _lateral(self, which: str) -> FloatArray:
        out = np.full(len(self.node_at), np.inf if which == "min" else 0.0)
        (np.minimum if which == "min" else np.maximum).at(out, self.node, self.lateral_km)
        return out

    @property
    def apart(self) -> BoolArray:
        """Return (N, N) which nodes cannot both hold a member, whatever their laterals."""
        near = self.near_km
        out: BoolArray = near[:, None] + self.km + near[None, :] > self.limit_km * (1 + 1e-12)
        np.fill_diagonal(out, False)
        return out


@dataclass(frozen=True)
class Groups:
    """All campus groups, and the names of fiber nodes and edges that their keys point to."""

    rows: tuple[Group, ...] = ()
    nodes: tuple[str, ...] = ()
    edges: tuple[str, ...] = ()
    routed: bool = False  # a fiber network carries the links
    hop_ms: float = 0.0  # equipment on a round trip
    second: Mapping[int, tuple[str, float]] = field(default_factory=dict)
    """Sites with a second, diverse lateral: name of its node, route km (`fiber.diverse`)."""

    @property
    def dims(self) -> dict[str, tuple[str, ...]]:
        """Names of the integer keys; none without groups."""
        if not self.rows:
            return {}
        named = {"group": tuple(g.name for g in self.rows), "edge": self.edges}
        return named | dict.fromkeys(("node", "from", "to"), self.nodes)

    def gross(self, works: int) -> FloatArray:
        """Return (works,) most work at sites per ref_mw delivered, by workload."""
        out = np.ones(works)
        for group in self.rows:
            out[group.workload] = group.gross
        return out


NO_GROUPS = Groups()
