"""Sites of which any two are near enough for one campus group.

A relaxation spreads each group over sites that are out of reach of one another. Who keeps to the
sites within half the limit of one fiber node, laterals included, needs no further look at pairs:
any two of them meet there.
"""

from __future__ import annotations

import numpy as np

from sitepick.blocks.group_units import Unit
from sitepick.matrix import BoolArray, FloatArray
from sitepick.program import Program


def link_km(unit: Unit) -> FloatArray:
    """Return (N, N) the shortest km of a link between two nodes, inf where they cannot have one."""
    group = unit.group
    if group.ways is None:
        return group.km
    km = np.full(group.km.shape, np.inf)
    np.minimum.at(km, (group.ways.a, group.ways.b), group.ways.km)
    km = np.minimum(km, km.T)
    np.fill_diagonal(km, 0.0)
    return np.maximum(km, group.km)


def around(unit: Unit, km: FloatArray, node: int, weight: FloatArray) -> BoolArray:
    """Return (M,) sites, any two within reach: those about ``node``, then what still fits.

    ``km`` is `link_km`; all sites about ``node`` can have a link with it. Nodes where sites of most
    ``weight`` (M,) are left out grow first.
    """
    group = unit.group
    half = group.limit_km / 2
    kept: BoolArray = group.lateral_km <= half - km[node, group.node]
    n = len(group.node_at)
    longest = np.full(n, -np.inf)
    np.maximum.at(longest, group.node[kept], group.lateral_km[kept])
    out = np.bincount(group.node, weights=np.where(kept, 0.0, weight), minlength=n)
    for other in np.argsort(-out, kind="stable").tolist():
        used = np.isfinite(longest)
        used[other] = False
        room = min(half, np.min(group.limit_km - km[other, used] - longest[used], initial=half))
        more = (group.node == other) & (group.lateral_km <= room)
        if more.any():
            kept = kept | more
            longest[other] = max(longest[other], group.lateral_km[more].max())
    return kept


def keep(program: Program, unit: Unit, kept: BoolArray, upper: FloatArray) -> None:
    """Lower the bounds ``upper`` (n,) so that only sites ``kept`` (M,) may be in the group."""
    group = unit.group
    upper[unit.columns(program, "groups.member")[~kept]] = 0
    used = np.zeros(len(group.node_at), dtype=bool)
    used[group.node[kept]] = True
    upper[unit.columns(program, "groups.at")[~used]] = 0
    longest = np.zeros(len(group.node_at))
    np.maximum.at(longest, group.node[kept], group.lateral_km[kept])
    far = unit.columns(program, "groups.far")
    upper[far] = np.minimum(upper[far], longest[unit.lateral_nodes])
