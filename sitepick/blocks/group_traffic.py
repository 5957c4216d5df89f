"""Traffic of campus groups: what links carry, and with that fiber edges, while a group works.

A link carries as many full updates per exchange as the shape and the number of nodes ask
(`network.sync`), on all edges of its way; how large an update is changes with the date alone.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from sitepick.blocks.columns import gross
from sitepick.blocks.group_units import Unit, add_rows, flag, joined_floats
from sitepick.instance.types import Instance
from sitepick.matrix import SHARED, FloatArray, IntArray
from sitepick.network.sync import links
from sitepick.program import Program


def columns(
    program: Program, inst: Instance, some: list[Unit], of_ways: Mapping[str, IntArray]
) -> None:
    """Add updates carried by way, Tb/s by edge and period, and in which periods groups work."""
    most = [np.full(len(u.ways.a), u.group.share.max()) for u in some]
    program.add_columns(
        "groups.carried", keys=of_ways, owner=SHARED, upper=joined_floats(most), unit="updates"
    )
    group, _, period = flag(some, [u.periods for u in some])
    must = inst.demand.must[np.array([g.workload for g in inst.groups.rows], dtype=np.int64)[group]]
    program.add_columns(
        "groups.runs",
        keys={"group": group, "period": period},
        owner=SHARED,
        lower=must.astype(float),
        upper=1,
        integer=True,
    )
    group, _, edge = flag(some, [np.repeat(u.edges, len(u.periods)) for u in some])
    _, _, period = flag(some, [np.tile(u.periods, len(u.edges)) for u in some])
    program.add_columns(
        "groups.tbps",
        keys={"group": group, "edge": edge, "period": period},
        owner=SHARED,
        upper=joined_floats([_most_tbps(u) for u in some]),
        unit="Tb/s",
    )


def _most_tbps(unit: Unit) -> FloatArray:
    """Return the most Tb/s on each edge in each period of the era, flat: each link uses it once."""
    ways, group = unit.ways, unit.group
    at = np.searchsorted(unit.edges, ways.use_edge)
    seen = np.unique(np.stack([at, unit.pair_of[ways.use_way]]), axis=1)[0]
    pairs = np.bincount(seen, minlength=len(unit.edges))
    in_all = [links(group.shape, n) * group.share[n] for n in range(len(group.share))]
    updates = np.minimum(pairs * group.share.max(), max(in_all))
    return (updates[:, None] * group.tbps[unit.periods][None, :]).ravel()


def rows(program: Program, inst: Instance, some: list[Unit]) -> None:
    """Add the rows on traffic."""
    _carried(program, some)
    _by_edge(program, inst, some)
    _runs(program, inst)


def _carried(program: Program, some: list[Unit]) -> None:
    """A link carries what the number of nodes asks, and the least of any number at least."""
    least = {u: float(u.group.share[2:].min(initial=u.group.share.max())) for u in some}
    numbers = [np.arange(len(u.ways.a)) for u in some]
    made = add_rows(program, some, "groups.carried", "choice", numbers, lower=0, unit="updates")
    for u, row in zip(some, made, strict=True):
        program.add_entries(row, u.columns(program, "groups.carried"), 1)
        program.add_entries(row, u.columns(program, "groups.way"), -least[u])
    varied = [u for u in some if least[u] < u.group.share.max()]
    lower = joined_floats([np.full(len(u.ways.a), -u.group.share.max()) for u in varied])
    numbers = [np.arange(len(u.ways.a)) for u in varied]
    made = add_rows(
        program, varied, "groups.carried_by_nodes", "choice", numbers, lower=lower, unit="updates"
    )
    for u, row in zip(varied, made, strict=True):
        share, nodes = u.group.share[1:], u.columns(program, "groups.nodes")
        program.add_entries(row, u.columns(program, "groups.carried"), 1)
        program.add_entries(row, u.columns(program, "groups.way"), -u.group.share.max())
        program.add_entries(
            np.repeat(row, len(nodes)), np.tile(nodes, len(row)), -np.tile(share, len(row))
        )


def _by_edge(program: Program, inst: Instance, some: list[Unit]) -> None:
    """An edge carries all links over it while the group works."""
    shape = len(inst.groups.rows), len(inst.groups.edges), inst.time.n
    runs = program.index("groups.runs", (shape[0], shape[2]))
    tbps = program.column_families["groups.tbps"]
    group, edge, period = (tbps.keys[name] for name in ("group", "edge", "period"))
    most = joined_floats([_most_tbps(u) for u in some])
    row = program.add_rows("groups.tbps", keys=dict(tbps.keys), lower=-most, unit="Tb/s")
    program.add_entries(row, tbps.indices, 1)
    program.add_entries(row, runs[group, period], -most)
    row_at = np.full(shape, -1)
    row_at[group, edge, period] = row
    for u in some:
        carried = u.columns(program, "groups.carried")[u.ways.use_way]
        for t in u.periods:
            program.add_entries(row_at[u.index, u.ways.use_edge, t], carried, -u.group.tbps[t])


def _runs(program: Program, inst: Instance) -> None:
    """A group does work only in periods in which it has its links."""
    works, runs = (program.column_families[f"groups.{name}"] for name in ("work", "runs"))
    group, period = runs.keys["group"], runs.keys["period"]
    row = program.add_rows("groups.runs", keys=dict(runs.keys), upper=0, unit="ref_mw")
    at = np.full((len(inst.groups.rows), inst.time.n), -1)
    at[group, period] = row
    program.add_entries(at[works.keys["group"], works.keys["period"]], works.indices, 1)
    workload = np.array([g.workload for g in inst.groups.rows], dtype=np.int64)[group]
    most = inst.demand.mw.sum(axis=1)[workload, period] * gross(inst)[workload]
    program.add_entries(row, runs.indices, -most)
