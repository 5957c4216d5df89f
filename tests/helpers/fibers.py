"""Small fiber networks by hand, and where candidates and places meet them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from sitepick.candidates.types import Candidates, FiberAccess
from sitepick.network.fiber import Attachment, FiberNetwork

NAN = float("nan")
Edge = tuple[str, str, str, float]
"""Id, both nodes, km."""


def network(*edges: Edge, **columns: Mapping[str, Any]) -> FiberNetwork:
    """Return a network of the nodes that ``edges`` name; ``columns``: edge id -> value."""
    nodes = sorted({node for _, a, b, _ in edges for node in (a, b)})
    at = {name: k for k, name in enumerate(nodes)}
    ids = [name for name, *_ in edges]
    blank: dict[str, Any] = {"new": False, "in_service": None, "owner": None, "link_id": None}
    filled = {
        name: np.array(
            [of.get(e, blank.get(name, NAN)) for e in ids],
            dtype=object
            if name in ("in_service", "owner", "link_id")
            else bool
            if name == "new"
            else float,
        )
        for name, of in columns.items()
    }
    place = np.arange(len(nodes), dtype=float)
    from_node, to_node = (np.array([at[e[k]] for e in edges], dtype=np.int64) for k in (1, 2))
    ends = np.stack([from_node, to_node], axis=1)
    return FiberNetwork(
        node_id=np.array(nodes, dtype=object),
        lon=-100 + place / 10,
        lat=30 + place / 20,
        edge_id=np.array(ids, dtype=object),
        from_node=from_node,
        to_node=to_node,
        km=np.array([km for *_, km in edges]),
        line=tuple(np.stack([-100 + pair / 10, 30 + pair / 20], axis=1) for pair in ends),
        **filled,
    )


def attached(net: FiberNetwork, nodes: Sequence[str | None], km: float = 0.0) -> Attachment:
    """Return places at ``nodes``, None where it is not known."""
    at = np.array([net.node_of.get(str(n), -1) for n in nodes], dtype=np.int64)
    none, blank = np.full(len(at), -1), np.full(len(at), NAN)
    return Attachment(at, np.where(at >= 0, km, NAN), np.where(at >= 0, 0.0, NAN), none, blank)


def on_fiber(
    tables: Candidates,
    net: FiberNetwork,
    sites: Mapping[str, str],
    places: Mapping[str, str] | None = None,
    km: float = 0.0,
) -> Candidates:
    """Return candidates that meet ``net``; ``sites`` and ``places``: id -> node."""
    found = (
        attached(net, [(of or {}).get(str(i)) for i in frame[key]], km)
        for frame, key, of in (
            (tables.sites, "site_id", sites),
            (tables.places, "place_id", places),
        )
    )
    return dataclasses.replace(tables, fiber=FiberAccess(net, *found))
