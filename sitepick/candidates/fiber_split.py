"""Entries of a fiber network: fixed places along its links at which laterals may come in."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from sitepick.candidates.fiber_lines import along_all, cut
from sitepick.candidates.geo import Bools, Floats, Ints
from sitepick.network.fiber import FiberNetwork

_COPIED = (
    *("owner", "pairs", "lit", "lit_tbps", "lease_usd_per_km_year", "in_service", "new", "link_id"),
)


@dataclass(frozen=True)
class Entries:
    """V entries: the N nodes first, then equal steps along the E edges, edge by edge."""

    edge: Ints  # (V - N,) edge of those that are no nodes
    step: Ints  # (V - N,) how many steps from the edge's first node
    steps: Ints  # (E,) into how many steps an edge is divided
    offset: Ints  # (E,) the entry after the first step of an edge; more follow in order
    lonlat: Floats  # (V, 2) degrees
    open: Bools  # (V,) whether a usable edge is there

    @classmethod
    def of(cls, network: FiberNetwork, usable: Bools, entry_km: float) -> Entries:
        """Return the entries of a network, at most ``entry_km`` route km apart on usable edges."""
        n = network.n_node
        steps = np.where(usable, np.ceil(network.km / entry_km - 1e-9), 1).astype(np.int64)
        steps = np.maximum(steps, 1)
        inner = steps - 1
        edge = np.repeat(np.arange(network.n_edge), inner)
        offset = n + np.cumsum(inner) - inner
        step = np.arange(len(edge)) - (offset[edge] - n) + 1
        places = [np.column_stack([network.lon, network.lat])]
        divided = np.flatnonzero(inner)
        for e, along in zip(divided, along_all([network.line[e] for e in divided]), strict=True):
            at = along[-1] * np.arange(1, steps[e]) / steps[e]
            line = network.line[e]
            places.append(np.column_stack([np.interp(at, along, line[:, c]) for c in (0, 1)]))
        met = np.zeros(n, dtype=bool)
        met[network.from_node[usable]] = met[network.to_node[usable]] = True
        return cls(
            edge, step, steps, offset, np.concatenate(places),
            np.concatenate([met, usable[edge]]),
        )  # fmt: skip


def split(network: FiberNetwork, entries: Entries, asked: Ints) -> tuple[FiberNetwork, Ints]:
    """Cut edges at the entries ``asked`` (P,), and return the network and the node of each.

    -1 stays -1. Pieces are called E/1, E/2 ..., in the direction of the edge, and nodes at cuts
    E@km.
    """
    n = network.n_node
    out = asked.copy()
    inner = asked >= n
    if not inner.any():
        return network, out
    cuts, which = np.unique(asked[inner] - n, return_inverse=True)
    out[inner] = n + which.reshape(-1)
    by_edge: dict[int, list[int]] = {}
    for k, e in enumerate(entries.edge[cuts].tolist()):
        by_edge.setdefault(e, []).append(k)
    share = entries.step[cuts] / entries.steps[entries.edge[cuts]]
    along = dict(zip(by_edge, along_all([network.line[e] for e in by_edge]), strict=True))
    row: list[int] = []
    ends: list[tuple[int, int]] = []
    km: list[float] = []
    line: list[Floats] = []
    ids: list[str] = []
    node_ids = np.empty(len(cuts), dtype=object)
    for e in range(network.n_edge):
        at = by_edge.get(e, [])
        name, length = network.edge_id[e], float(network.km[e])
        stops = [int(network.from_node[e]), *(n + k for k in at), int(network.to_node[e])]
        parts = [0.0, *share[at].tolist(), 1.0]
        pieces = [network.line[e]]
        if at:
            pieces = cut(network.line[e], along[e], [float(share[k] * along[e][-1]) for k in at])
        for j, piece in enumerate(pieces):
            row.append(e)
            ends.append((stops[j], stops[j + 1]))
            km.append((parts[j + 1] - parts[j]) * length)
            line.append(piece)
            ids.append(name if len(pieces) == 1 else f"{name}/{j + 1}")
        for k in at:
            node_ids[k] = f"{name}@{share[k] * length:.0f}"
    pair = np.array(ends, dtype=np.int64)
    places = entries.lonlat[n + cuts]
    return replace(
        network,
        node_id=np.concatenate([network.node_id, node_ids]),
        name=np.concatenate([network.name, node_ids]),
        lon=np.concatenate([network.lon, places[:, 0]]),
        lat=np.concatenate([network.lat, places[:, 1]]),
        edge_id=np.array(ids, dtype=object),
        from_node=pair[:, 0],
        to_node=pair[:, 1],
        km=np.array(km),
        line=tuple(line),
        **{name: getattr(network, name)[row] for name in _COPIED},
    ), out
