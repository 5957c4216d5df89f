"""Where links and edges of the fiber network run, as lines along their routes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from sitepick.exports.antimeridian import cut_line
from sitepick.exports.geometry import rounded

if TYPE_CHECKING:
    from sitepick.exports.geometry import Geometry, Position
    from sitepick.network.fiber import FiberNetwork


def line_along(network: FiberNetwork, first: str, edges: Sequence[str]) -> Geometry | None:
    """Return the way over ``edges`` (ids, in order) from the node ``first`` as MultiLineString.

    Cut at 180 degrees; None where the network does not know a place on the way.
    """
    here = network.node_of[first]
    points: list[Position] = []
    for name in edges:
        e = network.edge_of[name]
        forth = int(network.from_node[e]) == here
        line = network.line[e] if forth else network.line[e][::-1]
        if not np.isfinite(line).all():
            return None
        here = int((network.to_node if forth else network.from_node)[e])
        points += rounded(line.tolist())
    points = [p for k, p in enumerate(points) if not k or p != points[k - 1]]
    if len(points) < 2:
        return None
    return {"type": "MultiLineString", "coordinates": rounded(cut_line(points))}


def line_of_edge(network: FiberNetwork, edge: str) -> Geometry | None:
    """Return an edge as MultiLineString, from its first to its second node."""
    start = str(network.node_id[network.from_node[network.edge_of[edge]]])
    return line_along(network, start, (edge,))
