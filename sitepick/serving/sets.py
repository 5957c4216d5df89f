"""Sets of places whose work cannot be done within their reach."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from sitepick.matrix import BoolArray, FloatArray, IntArray

ACCEPTED_MW = 2e-4
"""Work out of reach that counts as none, ref_mw: plans keep their rows only to a tolerance."""
_MOST_SETS = 6  # around single places, of one workload and period and round
_LIKE_SETS = 12  # of one workload, to begin with
_EVERYWHERE = 0.98  # of all sites: a set that so many reach says no more than the total
_CAPACITY = 1e9  # whole units that all work of a workload is counted in


def in_common(reach: sp.csr_array) -> FloatArray:
    """Return (D, D) how many sites reach both of two places."""
    near = sp.csc_array(reach)
    return np.asarray((near.T @ near).toarray(), dtype=float)


def failing_sets(
    reach: sp.csr_array, work: FloatArray, need: FloatArray, common: FloatArray
) -> list[IntArray]:
    """Return sets of places whose ``need`` (D,) exceeds the ``work`` (S,) within their ``reach``.

    The first fails by most. The others are smaller, one around each of the places that lack most:
    a small set says more about where work must be, and its row is shorter.
    ``common`` (D, D) is `in_common`.
    """
    sites, places = np.flatnonzero(work > 0), np.flatnonzero(need > 0)
    near = sp.csr_array(reach[sites][:, places])
    supply, asked = work[sites], need[places]
    flow, scale = _largest_flow(near, supply, asked)
    unmet = asked - np.asarray(flow.sum(axis=0)).ravel() / scale
    if unmet.sum() <= max(ACCEPTED_MW, 2 * sum(near.shape) / scale):
        return []
    seeds = np.argsort(-unmet, kind="stable")[:_MOST_SETS]
    seeds = seeds[unmet[seeds] > ACCEPTED_MW]
    whole = np.zeros(len(places), dtype=bool)
    reached = near.toarray() > 0
    found: list[BoolArray] = []
    for d in seeds:
        closed = _closed(reached, flow, int(d))
        whole |= closed
        overlap = common[places[d], places]
        found.append(_around(reached, supply, asked, closed, overlap, 0.5 * float(unmet[d])))
    return [places[whole], *(places[s] for s in found)]


def like_sets(reach: sp.csr_array, need: FloatArray, common: FloatArray) -> list[IntArray]:
    """Return sets of places with much ``need`` (D,) that are reached by much the same sites.

    They are the upper branches of a tree by the share of sites that places have in ``common``
    (D, D).
    """
    from scipy.cluster.hierarchy import linkage, to_tree
    from scipy.spatial.distance import squareform

    places = np.flatnonzero(need > 0)
    if len(places) < 2:
        return []
    near = sp.csc_array(reach)[:, places]
    both = common[np.ix_(places, places)]
    either = np.diag(both)[:, None] + np.diag(both)[None, :] - both
    apart = 1 - both / np.maximum(either, 1)
    np.fill_diagonal(apart, 0.0)
    _, nodes = to_tree(linkage(squareform(apart, checks=False), "average"), rd=True)
    branches = [np.array(node.pre_order()) for node in nodes if not node.is_leaf()]
    branches.sort(key=lambda b: -float(need[places[b]].sum()))
    few = _EVERYWHERE * reach.shape[0]
    useful = [b for b in branches if np.count_nonzero(near[:, b].sum(axis=1)) < few]
    return [np.sort(places[b]) for b in useful[:_LIKE_SETS]]


def _closed(reached: BoolArray, flow: sp.csr_array, place: int) -> BoolArray:
    """Return (D,) the places that compete with ``place``: nobody who reaches them serves others."""
    serves = flow.toarray() > 0
    mine = np.zeros(reached.shape[1], dtype=bool)
    mine[place] = True
    while True:
        sites = reached[:, mine].any(axis=1)
        more = mine | serves[sites].any(axis=0)
        if (more == mine).all():
            return mine
        mine = more


def _around(
    reached: BoolArray,
    supply: FloatArray,
    asked: FloatArray,
    closed: BoolArray,
    overlap: FloatArray,
    least: float,
) -> BoolArray:
    """Return (D,) a part of the set ``closed`` that still fails by ``least``, ref_mw.

    Places are left out while that lasts, those with the least ``overlap`` (D,) of reach first.
    """
    mine = closed.copy()
    count = reached[:, mine].sum(axis=1)
    failing = float(asked[mine].sum() - supply[count > 0].sum())
    order = np.flatnonzero(closed)
    for e in order[np.argsort(overlap[order], kind="stable")]:
        freed = float(supply[(count == 1) & reached[:, e]].sum())
        if failing - asked[e] + freed >= least:
            failing += freed - float(asked[e])
            count = count - reached[:, e]
            mine[e] = False
    return mine


def _largest_flow(
    near: sp.csr_array, work: FloatArray, need: FloatArray
) -> tuple[sp.csr_array, float]:
    """Return (n, m) the largest flow in whole units, and how many units are one ref_mw."""
    from scipy.sparse.csgraph import maximum_flow

    n, m = near.shape
    scale = _CAPACITY / max(float(work.sum()), float(need.sum()), 1e-9)
    out, into = np.floor(work * scale), np.ceil(need * scale)
    # source 0, sites 1 .. n, places n + 1 .. n + m, sink n + m + 1
    i, d = near.nonzero()
    ends = (
        np.concatenate([np.zeros(n, int), 1 + i, 1 + n + np.arange(m)]),
        np.concatenate([1 + np.arange(n), 1 + n + d, np.full(m, n + m + 1)]),
    )
    most = np.concatenate([out, np.minimum(out[i], into[d]), into]).astype(np.int32)
    graph = sp.csr_array((most, ends), shape=(n + m + 2, n + m + 2))
    flow = sp.csr_array(maximum_flow(graph, 0, n + m + 1).flow)
    part = sp.csr_array(flow[1 : n + 1, n + 1 : n + 1 + m].astype(float))
    part.data = np.maximum(part.data, 0.0)
    part.eliminate_zeros()
    return part, scale
