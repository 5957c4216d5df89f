"""A fiber network as arrays: nodes, edges with their route, and where places attach to it."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from scipy.sparse import csr_array

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
ObjectArray = npt.NDArray[np.object_]

ONE_WAY_MS_PER_KM = 4.9e-3
"""Delay of light in fiber, ms per route km (index of refraction about 1.467)."""
_PER_NODE = ("lon", "lat", "name")
_PER_EDGE = (
    *("from_node", "to_node", "km", "line", "owner", "pairs", "lit_tbps"),
    *("lease_usd_per_km_year", "in_service", "new", "lit", "link_id"),
)


@dataclass(frozen=True)
class FiberNetwork:
    """N nodes and E edges, which work in both directions. Parallel edges are different cables.

    Ids are unique text. What a file does not say is ``nan`` (or None): it is unknown, and whoever
    needs a figure takes a default by `filled`, which says where it did.
    """

    node_id: ObjectArray  # (N,) text
    lon: FloatArray  # (N,) degrees
    lat: FloatArray  # (N,) degrees
    edge_id: ObjectArray  # (E,) text
    from_node: IntArray  # (E,) index of a node
    to_node: IntArray  # (E,) index of a node, never the same as from_node
    km: FloatArray  # (E,) route km along the geometry, above 0
    line: tuple[FloatArray, ...]  # (E,) each (k, 2) lon/lat from from_node to to_node, k >= 2
    name: ObjectArray = field(default_factory=lambda: np.zeros(0, dtype=object))  # (N,) or the id
    owner: ObjectArray = field(default_factory=lambda: np.zeros(0, dtype=object))  # (E,) or None
    pairs: FloatArray = field(default_factory=lambda: np.zeros(0))  # (E,) fiber pairs, nan unknown
    lit: ObjectArray = field(default_factory=lambda: np.zeros(0, dtype=object))  # (E,) bool or None
    lit_tbps: FloatArray = field(default_factory=lambda: np.zeros(0))  # (E,) Tb/s each way
    lease_usd_per_km_year: FloatArray = field(default_factory=lambda: np.zeros(0))  # (E,) per pair
    in_service: ObjectArray = field(default_factory=lambda: np.zeros(0, dtype=object))  # (E,) date
    new: BoolArray = field(default_factory=lambda: np.zeros(0, dtype=bool))  # (E,) not yet there:
    # may be built along a right of way
    link_id: ObjectArray = field(default_factory=lambda: np.zeros(0, dtype=object))  # (E,) of the
    # layer: several edges are pieces of one link

    def __post_init__(self) -> None:
        n, e = self.n_node, self.n_edge
        if not len(self.name):
            object.__setattr__(self, "name", self.node_id)
        if not len(self.link_id):
            object.__setattr__(self, "link_id", self.edge_id)
        for item in fields(self):
            if item.name in _PER_EDGE and not len(getattr(self, item.name)) and e:
                object.__setattr__(self, item.name, _unknown(item.name, e))
        sizes = dict.fromkeys(_PER_NODE, n) | dict.fromkeys(_PER_EDGE, e)
        for name, size in sizes.items():
            if len(getattr(self, name)) != size:
                raise ValueError(f"{name} has {len(getattr(self, name))} entries, not {size}")
        ends = np.concatenate([self.from_node, self.to_node])
        if len(ends) and not (ends.min() >= 0 and ends.max() < n):
            raise ValueError("an edge names a node that is not there")
        if (self.from_node == self.to_node).any() or not (self.km > 0).all():
            raise ValueError("an edge has no length, or ends where it begins")

    @property
    def n_node(self) -> int:
        return len(self.node_id)

    @property
    def n_edge(self) -> int:
        return len(self.edge_id)

    @cached_property
    def node_of(self) -> dict[str, int]:
        """Index of a node by its id."""
        return {str(ident): k for k, ident in enumerate(self.node_id)}

    @cached_property
    def edge_of(self) -> dict[str, int]:
        """Index of an edge by its id."""
        return {str(ident): k for k, ident in enumerate(self.edge_id)}

    def there(self, day: date | None = None) -> BoolArray:
        """Return which edges (E,) exist on ``day``: not new, in service by then where known."""
        late = [d is not None and day is not None and d > day for d in self.in_service]
        return ~self.new & ~np.array(late, dtype=bool)

    def filled(self, name: str, default: float) -> tuple[FloatArray, BoolArray]:
        """Return an attribute (E,) with ``default`` where unknown, and where that was done."""
        given: FloatArray = getattr(self, name)
        assumed = np.isnan(given)
        return np.where(assumed, default, given), assumed

    @cached_property
    def steps(self) -> list[list[tuple[int, int, float]]]:
        """What leaves each of the N nodes: (other node, edge, km), in the order of edges."""
        out: list[list[tuple[int, int, float]]] = [[] for _ in range(self.n_node)]
        ends = zip(self.from_node.tolist(), self.to_node.tolist(), self.km.tolist(), strict=True)
        for edge, (a, b, km) in enumerate(ends):
            out[a].append((b, edge, km))
            out[b].append((a, edge, km))
        return out

    @cached_property
    def adjacency(self) -> csr_array:
        """Return the km of the shortest edge between nodes, N x N, both directions stored."""
        return self.adjacency_of(np.ones(self.n_edge, dtype=bool))

    def adjacency_of(self, edges: BoolArray) -> csr_array:
        """Return `adjacency` of some edges (E,): a matrix would add parallel ones up."""
        from scipy.sparse import csr_array

        chosen = self.shortest_between(edges)
        a, b, km = self.from_node[chosen], self.to_node[chosen], self.km[chosen]
        shape = (self.n_node, self.n_node)
        return csr_array(
            (np.tile(km, 2), (np.concatenate([a, b]), np.concatenate([b, a]))), shape=shape
        )

    def shortest_between(self, edges: BoolArray) -> IntArray:
        """Return the indices of ``edges`` (E,) without those that have a shorter parallel one."""
        index = np.flatnonzero(edges)
        low = np.minimum(self.from_node[index], self.to_node[index])
        high = np.maximum(self.from_node[index], self.to_node[index])
        order = np.lexsort((index, self.km[index], high, low))
        low, high = low[order], high[order]
        first = np.ones(len(order), dtype=bool)
        first[1:] = (low[1:] != low[:-1]) | (high[1:] != high[:-1])
        return np.sort(index[order[first]])


@dataclass(frozen=True)
class Attachment:
    """Where each of S places enters a network, by a lateral or two."""

    node: IntArray  # (S,) index of a node, -1 = unknown
    lateral_km: FloatArray  # (S,) route km of the lateral, nan = unknown
    along_km: FloatArray  # (S,) route km along the link from the lateral to the node, nan = unknown
    second_node: IntArray  # (S,) where a second, diverse lateral enters, -1 = none
    second_km: FloatArray  # (S,) its route km, nan = none

    @property
    def known(self) -> BoolArray:
        """Which places (S,) have a node."""
        return self.node >= 0


@dataclass(frozen=True)
class Route:
    """A way through a network, without going over a node twice."""

    nodes: tuple[int, ...]  # from the first to the last
    edges: tuple[int, ...]  # one fewer than nodes
    km: float  # route km
    rtt_ms: float  # round trip with equipment


def _unknown(name: str, n: int) -> npt.NDArray[np.generic]:
    if name in ("owner", "in_service", "lit"):
        return np.full(n, None, dtype=object)
    return np.zeros(n, dtype=bool) if name == "new" else np.full(n, np.nan)
