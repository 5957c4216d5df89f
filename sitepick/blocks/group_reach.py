"""How far apart the members of a campus group may be.

That is asked of the fiber nodes where sites attach, not of pairs of sites, so that many candidates
stay possible: the first node in use is the group's anchor, every other is within reach of it, and
nodes out of reach of one another are kept apart by cliques. Laterals count through the longest one
in use at each node, so that the limit is exact for every two members.
"""

from __future__ import annotations

import numpy as np

from sitepick.blocks.group_units import Unit, add_rows, flag, joined_floats, one_each, parted
from sitepick.matrix import SHARED, BoolArray, IntArray
from sitepick.program import Program


def columns(program: Program, some: list[Unit]) -> None:
    """Add `groups.far`, the longest lateral in use, and `groups.long`, where they matter."""
    group, period, node = flag(some, [_named(u, u.lateral_nodes) for u in some])
    program.add_columns(
        "groups.far",
        keys={"group": group, "period": period, "node": node},
        owner=SHARED,
        upper=joined_floats([u.group.far_km[u.lateral_nodes] for u in some]),
        unit="km",
    )
    group, period, node = flag(some, [_named(u, u.long_nodes) for u in some])
    limits = [np.full(len(u.long_nodes), u.group.limit_km) for u in some]
    program.add_columns(
        "groups.long",
        keys={"group": group, "period": period, "node": node},
        owner=SHARED,
        upper=joined_floats(limits),
        unit="km",
    )


def rows(program: Program, some: list[Unit]) -> None:
    """Add the rows on reach."""
    _anchors(program, some)
    _apart(program, some)
    long = [u for u in some if len(u.lateral_nodes)]
    _laterals(program, long)
    _pairs(program, long)
    _same_node(program, some)


def _anchors(program: Program, some: list[Unit]) -> None:
    """A node in use is within reach of the anchor, which is in use and comes first."""
    nodes = [u.group.node_at for u in some]
    near = add_rows(program, some, "groups.anchored", "node", nodes, upper=0)
    own = add_rows(program, some, "groups.anchor", "node", nodes, upper=0)
    one = add_rows(program, some, "groups.one_anchor", "one", one_each(some), lower=0, upper=0)
    for u, reached, mine, single in zip(some, near, own, one, strict=True):
        at, anchor = u.columns(program, "groups.at"), u.columns(program, "groups.anchor")
        node, before = np.nonzero(np.tril(~u.apart))
        program.add_entries(reached, at, 1)
        program.add_entries(reached[node], anchor[before], -1)
        program.add_entries(mine, anchor, 1)
        program.add_entries(mine, at, -1)
        program.add_entries(single, anchor, 1)
        program.add_entries(single, u.columns(program, "groups.count")[1:], -1)


def _apart(program: Program, some: list[Unit]) -> None:
    """Of nodes out of reach of one another at most one is in use."""
    covers = [cliques(u.apart) for u in some]
    numbers = [np.arange(len(cover)) for cover in covers]
    made = add_rows(program, some, "groups.apart", "clique", numbers, upper=0, relaxable=True)
    for u, row, cover in zip(some, made, covers, strict=True):
        if not cover:
            continue
        at, built = u.columns(program, "groups.at"), u.columns(program, "groups.count")[1:]
        program.add_entries(np.repeat(row, [len(c) for c in cover]), at[np.concatenate(cover)], 1)
        program.add_entries(np.repeat(row, len(built)), np.tile(built, len(row)), -1)


def _laterals(program: Program, some: list[Unit]) -> None:
    """The longest lateral at a node is that of no member less."""
    mine = [np.flatnonzero(np.isin(u.group.node, u.lateral_nodes)) for u in some]
    sites = [u.group.site[m] for u, m in zip(some, mine, strict=True)]
    made = add_rows(program, some, "groups.far", "site", sites, upper=0, unit="km")
    for u, row, m in zip(some, made, mine, strict=True):
        far = u.columns(program, "groups.far")[np.searchsorted(u.lateral_nodes, u.group.node[m])]
        member = u.columns(program, "groups.member")[m]
        program.add_entries(row, member, u.group.lateral_km[m])
        program.add_entries(row, far, -1)


def _pairs(program: Program, some: list[Unit]) -> None:
    """Two nodes in use are near enough with the longest laterals in use at both."""
    ends = [u.tight_pairs for u in some]
    first = [u.group.node_at[a] for u, (a, _) in zip(some, ends, strict=True)]
    second = [u.group.node_at[b] for u, (_, b) in zip(some, ends, strict=True)]
    room = [u.group.limit_km - u.group.km[e] for u, e in zip(some, ends, strict=True)]
    over = [
        u.group.far_km[a] + u.group.far_km[b] - left
        for u, (a, b), left in zip(some, ends, room, strict=True)
    ]
    group, period, a = flag(some, first)
    made = program.add_rows(
        "groups.pair_km",
        keys={"group": group, "period": period, "from": a, "to": flag(some, second)[2]},
        upper=joined_floats([left + 2 * most for left, most in zip(room, over, strict=True)]),
        unit="km",
        relaxable=True,
    )
    by_unit = parted(made, [len(e[0]) for e in ends])
    for u, row, pair, most in zip(some, by_unit, ends, over, strict=True):
        far, at = u.columns(program, "groups.far"), u.columns(program, "groups.at")
        for end in pair:
            program.add_entries(row, far[np.searchsorted(u.lateral_nodes, end)], 1)
            program.add_entries(row, at[end], most)


def _same_node(program: Program, some: list[Unit]) -> None:
    """Two members at one node are near enough with both laterals.

    One of two that are not has a lateral above half the limit. `groups.long` is that lateral, and
    its bound, the limit, keeps there from being two of them.
    """
    made = add_rows(
        program, some, "groups.long", "node", [_named(u, u.long_nodes) for u in some], lower=0,
        upper=0, unit="km",
    )  # fmt: skip
    beside = [_beside_long(u) for u in some]
    limits = [np.full(len(b), u.group.limit_km) for u, b in zip(some, beside, strict=True)]
    sites = [u.group.site[b] for u, b in zip(some, beside, strict=True)]
    near = add_rows(
        program, some, "groups.beside", "site", sites, upper=joined_floats(limits), unit="km",
        relaxable=True,
    )  # fmt: skip
    for u, row, of_site, b in zip(some, made, near, beside, strict=True):
        if not len(row):
            continue
        member, long = u.columns(program, "groups.member"), u.columns(program, "groups.long")
        mine = np.flatnonzero(u.long_laterals)
        at = np.searchsorted(u.long_nodes, u.group.node[mine])
        program.add_entries(row[at], member[mine], u.group.lateral_km[mine])
        program.add_entries(row, long, -1)
        program.add_entries(of_site, member[b], u.group.lateral_km[b])
        program.add_entries(of_site, long[np.searchsorted(u.long_nodes, u.group.node[b])], 1)


def _named(unit: Unit, nodes: IntArray) -> IntArray:
    return unit.group.node_at[nodes]


def _beside_long(unit: Unit) -> IntArray:
    """Return members of shorter laterals that some longer one at their node is too long for."""
    lateral, node = unit.group.lateral_km, unit.group.node
    longest = np.zeros(len(unit.group.node_at))
    long = unit.long_laterals
    np.maximum.at(longest, node[long], lateral[long])
    return np.flatnonzero(~long & (lateral + longest[node] > unit.group.limit_km))


def cliques(apart: BoolArray) -> list[IntArray]:
    """Return sets of nodes, each pairwise apart, that cover every pair of ``apart`` (N, N)."""
    left = np.triu(apart)
    out: list[IntArray] = []
    for i in range(len(apart)):
        while left[i].any():
            chosen = [i, int(np.argmax(left[i]))]
            others = apart[i] & apart[chosen[1]]
            while others.any():
                # the one with most pairs still open, the first of equals
                open_pairs = (left[chosen] | left[:, chosen].T).sum(axis=0)
                best = int(np.argmax(np.where(others, open_pairs, -1)))
                chosen.append(best)
                others &= apart[best]
            here = np.sort(np.array(chosen, dtype=np.int64))
            left[np.ix_(here, here)] = False
            out.append(here)
    return out
