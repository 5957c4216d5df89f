"""What a fiber network is made of: parts, single points of failure by name, what is unknown."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

import numpy as np

from sitepick.network.fiber import FiberNetwork
from sitepick.network.fiber_routes import components, single_points

_UNKNOWN = ("owner", "pairs", "lit", "lit_tbps", "lease_usd_per_km_year", "in_service")


@dataclass(frozen=True)
class Bridge:
    """A link without which the network comes apart."""

    link_id: str
    from_node: str  # name
    to_node: str  # name
    km: float
    nodes_behind: int  # of the smaller side


@dataclass(frozen=True)
class SinglePoint:
    """A node without which others come apart."""

    node_id: str
    name: str
    parts: int  # that are left of its part


@dataclass(frozen=True)
class Summary:
    """A network on one day; ``new`` is what may be built."""

    nodes: int
    links: int
    km: float
    new: int
    new_km: float
    later: int  # links in service after the day
    parts: tuple[tuple[int, str], ...]  # nodes, name of the first; the largest part first
    bridges: tuple[Bridge, ...]  # most nodes behind first
    points: tuple[SinglePoint, ...]  # most parts first
    unknown: dict[str, int]  # links that do not state it, by attribute

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        out = asdict(self)
        out["parts"] = [{"nodes": n, "with": name} for n, name in self.parts]
        return out


def summary_of(network: FiberNetwork, day: date | None = None) -> Summary:
    """Return what a network is on ``day``."""
    there = network.there(day)
    part = components(network, there)
    own = _own(network)
    met, first, size = np.unique(part[own], return_index=True, return_counts=True)
    names = network.name[own][first]
    bridges, points = single_points(network, there)
    return Summary(
        nodes=int(own.sum()),
        links=int(there.sum()),
        km=float(network.km[there].sum()),
        new=int(network.new.sum()),
        new_km=float(network.km[network.new].sum()),
        later=int((~there & ~network.new).sum()),
        parts=tuple((int(size[p]), str(names[p])) for p in range(len(met))),
        bridges=_bridges(network, there, bridges),
        points=_points(network, there, points),
        unknown=_unknown(network, there),
    )


def _own(network: FiberNetwork) -> Any:
    """Return which nodes (N,) are not mere junctions of what may be built."""
    only = np.zeros((2, network.n_node), dtype=bool)
    for ends in (network.from_node, network.to_node):
        only[0, ends[network.new]] = True
        only[1, ends[~network.new]] = True
    return only[1] | ~only[0]


def _bridges(network: FiberNetwork, there: Any, bridges: Any) -> tuple[Bridge, ...]:
    out = []
    for e in bridges.tolist():
        without = there.copy()
        without[e] = False
        part = components(network, without)
        a, b = int(network.from_node[e]), int(network.to_node[e])
        behind = min(int((part == part[n]).sum()) for n in (a, b))
        ends = str(network.name[a]), str(network.name[b])
        out.append(Bridge(str(network.edge_id[e]), *ends, float(network.km[e]), behind))
    return tuple(sorted(out, key=lambda b: (-b.nodes_behind, b.link_id)))


def _points(network: FiberNetwork, there: Any, points: Any) -> tuple[SinglePoint, ...]:
    out = []
    for n in points.tolist():
        touches = (network.from_node == n) | (network.to_node == n)
        part = components(network, there & ~touches)
        met = touches & there
        others = np.concatenate([network.from_node[met], network.to_node[met]])
        left = len(np.unique(part[others[others != n]]))
        out.append(SinglePoint(str(network.node_id[n]), str(network.name[n]), left))
    return tuple(sorted(out, key=lambda p: (-p.parts, p.node_id)))


def _unknown(network: FiberNetwork, there: Any) -> dict[str, int]:
    out = {}
    for name in _UNKNOWN:
        cells = getattr(network, name)[there]
        out[name] = sum(c is None or c != c for c in cells)
    return out
