"""Who serves whom, where a program holds no flows: rows that enter when violated, and the flows.

With many sites and places the flows site x workload x place x period are most of a program. Where
carrying work costs nothing they need not be there: by the theorem of Gale and Hoffman a supply can
be handed out within reach if and only if, for every set D of places,

    work of the sites that reach D  +  work turned away in D  >=  work asked in D.

A maximum flow finds the sets that a plan fails; the flows themselves are found once, for the plan.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import scipy.sparse as sp

from sitepick.blocks.demand import REACH, add_reach
from sitepick.instance.types import DemandData, Instance
from sitepick.matrix import SHARED, BoolArray, FloatArray, IntArray, Matrix, Part
from sitepick.program import Program
from sitepick.solve.block_lp import BlockLp

ACCEPTED_MW = 2e-4
"""Work out of reach that counts as none, ref_mw: plans keep their rows only to a tolerance."""
_MOST_SETS = 6  # around single places, of one workload and period and round
_LEAST_MW = 1e-9
_SERVES_MW = 1e-6
_CAPACITY = 1e9  # whole units that all work of a workload is counted in


@dataclass
class ReachLimits:
    """Separates plans whose work cannot be handed out within reach. Adds `demand.reach` rows."""

    inst: Instance
    program: Program
    _met: dict[tuple[int, int], bytes] = field(default_factory=dict)

    @classmethod
    def of(cls, inst: Instance, program: Program) -> tuple[ReachLimits, ...]:
        """Return what separates the plans of ``program``: none where it holds the flows."""
        return (cls(inst, program),) if inst.demand.pooled else ()

    @cached_property
    def reach(self) -> dict[int, sp.csr_array]:
        """(S, D) who reaches which place, by workload."""
        return {w: reach_of(self.inst.demand, w, len(self.inst.sites.ids)) for w in self._works}

    @property
    def _works(self) -> IntArray:
        return np.setdiff1d(self.inst.demand.serve_workload, _of_groups(self.inst))

    def __call__(self, values: FloatArray) -> int:
        """Add rows that ``values`` (n,) violate; return how many."""
        work, need = work_and_need(self.program, self.inst, values)
        asked, added = self.inst.demand.mw, 0
        for w in self._works:
            known: list[IntArray] = []
            for t in reversed(range(self.inst.time.n)):
                state = work[:, w, t].tobytes() + need[w, :, t].tobytes()
                if not asked[w, :, t].any() or self._met.get((w, t)) == state:
                    continue
                sets = failing_sets(self.reach[w], work[:, w, t], need[w, :, t])
                if not sets:
                    self._met[w, t] = state
                known += [s for s in sets if not any(np.array_equal(s, k) for k in known)]
            for places in known:
                sites = np.flatnonzero(self.reach[w][:, places].sum(axis=1) > 0)
                failing = need[w][places].sum(axis=0) - work[sites, w].sum(axis=0)
                periods = np.flatnonzero(failing > ACCEPTED_MW)
                added += len(add_reach(self.program, self.inst, w, places, sites, periods))
        return added

    def extended(self, part: Part) -> Part:
        """Return ``part`` with columns for who serves whom.

        Places that the same sites reach are one. The rows `demand.reach` then say no more, and are
        left out.
        """
        n = len(part.columns)
        place = np.full(self.program.n_columns, -1, dtype=np.int64)
        place[part.columns] = np.arange(n)
        periods, works = self.inst.time.n, len(self.inst.demand.workloads)
        serve = self.program.index("demand.serve", (len(self.inst.sites.ids), works, periods))
        short = self.program.index("demand.turned_away", self.inst.demand.mw.shape)
        build = _Flows(n, place, part.matrix.upper)
        for w in self._works:
            for t in range(periods):
                here = np.flatnonzero(serve[:, w, t] >= 0)
                here = here[place[serve[here, w, t]] >= 0]
                asked = np.flatnonzero(self.inst.demand.mw[w, :, t] > 0)
                if len(asked):
                    near = self.reach[w][here][:, asked].toarray() > 0
                    mw = self.inst.demand.mw[w, asked, t]
                    build.add(near, serve[here, w, t], short[w, asked, t], mw)
        ours = np.concatenate(
            [f.indices for name, f in self.program.row_families.items() if name.startswith(REACH)]
            or [np.zeros(0, dtype=np.int64)]
        )
        return build.onto(part, ~np.isin(part.rows, ours))


@dataclass
class _Flows:
    """Columns and rows for work handed out, made one workload and period after another."""

    n: int  # columns of the part before
    place: IntArray  # where columns of the program stand in the part, -1: nowhere
    most: FloatArray  # (n,) upper bounds of the part
    rows: list[IntArray] = field(default_factory=list)
    columns: list[IntArray] = field(default_factory=list)
    values: list[FloatArray] = field(default_factory=list)
    sides: list[FloatArray] = field(default_factory=list)
    upper: list[FloatArray] = field(default_factory=list)
    height: int = 0
    width: int = 0

    def add(self, near: BoolArray, serve: IntArray, short: IntArray, asked: FloatArray) -> None:
        """Add flows from sites (columns ``serve``) to places (``short``, ``asked`` ref_mw)."""
        kinds, kind = np.unique(near, axis=1, return_inverse=True)
        kind = kind.ravel()
        total = np.bincount(kind, weights=asked, minlength=kinds.shape[1]).astype(float)
        i, c = np.nonzero(kinds)
        own, flow = self.place[serve], self.n + self.width + np.arange(len(i))
        at, below = self.height + np.arange(len(serve)), self.height + len(serve)
        # what a site does goes somewhere; what a kind of places asks comes from somewhere
        for rows, columns, value in (
            (at, own, -1.0), (at[i], flow, 1.0), (below + c, flow, 1.0),
            (below + kind, self.place[short], 1.0),
        ):  # fmt: skip
            self.rows.append(rows)
            self.columns.append(columns)
            self.values.append(np.full(len(rows), value))
        self.sides += [np.zeros(len(serve)), total]
        self.upper.append(np.minimum(self.most[own[i]], total[c]))
        self.height += len(serve) + len(total)
        self.width += len(i)

    def onto(self, part: Part, kept: BoolArray) -> Part:
        """Return ``part`` with these; of its own rows only the ``kept`` (m,)."""
        old, k = part.matrix, self.width
        none = np.zeros(0)
        side = np.concatenate([none, *self.sides])
        shape = (self.height, self.n + k)
        ends = np.concatenate([none, *self.rows]), np.concatenate([none, *self.columns])
        flows = sp.csr_array(
            (np.concatenate([none, *self.values]), (ends[0].astype(int), ends[1].astype(int))),
            shape=shape,
        )
        before = sp.csr_array(old.A[kept])
        wide = sp.hstack([before, sp.csr_array((before.shape[0], k))], format="csr")
        matrix = Matrix(
            cost=np.concatenate([old.cost, np.zeros(k)]),
            offset=old.offset,
            lower=np.concatenate([old.lower, np.zeros(k)]),
            upper=np.concatenate([old.upper, *self.upper]),
            integer=np.concatenate([old.integer, np.zeros(k, dtype=bool)]),
            owner=np.concatenate([old.owner, np.full(k, SHARED)]),
            A=sp.csr_array(sp.vstack([wide, flows], format="csr")),
            row_lower=np.concatenate([old.row_lower[kept], side]),
            row_upper=np.concatenate([old.row_upper[kept], side]),
        )
        return Part(matrix, part.columns, part.rows[kept])


def reach_of(demand: DemandData, workload: int, sites: int) -> sp.csr_array:
    """Return (S, D) 1 where a site can serve ``workload`` at a place."""
    mine = demand.serve_workload == workload
    at = (demand.serve_site[mine], demand.serve_place[mine])
    return sp.csr_array((np.ones(mine.sum()), at), shape=(sites, len(demand.places)))


def work_and_need(
    program: Program, inst: Instance, values: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return (S, W, T) work done by sites, and (W, D, T) work asked and not turned away, ref_mw."""
    serve, short = (program.column_families[f"demand.{name}"] for name in ("serve", "turned_away"))
    work = np.zeros((len(inst.sites.ids), len(inst.demand.workloads), inst.time.n))
    work[tuple(serve.keys.values())] = np.maximum(values[serve.indices], 0.0)
    need = inst.demand.mw.copy()
    need[tuple(short.keys.values())] -= values[short.indices]
    return work, np.maximum(need, 0.0)


def serve_alike(
    program: Program, inst: Instance, values: FloatArray, others: IntArray, serving: IntArray
) -> sp.csr_array:
    """Return (others, serving), above 0 where one of ``serving`` serves in the plan ``values`` (n,)
    what one of ``others`` could serve; both are sites."""
    d, family = inst.demand, program.column_families["demand.serve"]
    some = values[family.indices] > _SERVES_MW
    site, workload = family.keys["site"][some], family.keys["workload"][some]
    could = _by_work(inst, d.serve_site, d.serve_workload, d.serve_place)
    if d.pooled:  # a site's work is for all places in its reach
        busy = np.zeros((len(inst.sites.ids), len(d.workloads)), dtype=bool)
        busy[site, workload] = True
        mine = busy[d.serve_site, d.serve_workload]
        serves = _by_work(inst, d.serve_site[mine], d.serve_workload[mine], d.serve_place[mine])
    else:
        serves = _by_work(inst, site, workload, family.keys["place"][some])
    return sp.csr_array(could[others] @ serves[serving].T)


def _by_work(inst: Instance, site: IntArray, workload: IntArray, place: IntArray) -> sp.csr_array:
    """Return (sites, workloads x places), above 0 where a site has the work."""
    places = len(inst.demand.places)
    size = (len(inst.sites.ids), len(inst.demand.workloads) * places)
    return sp.csr_array((np.ones(len(site)), (site, workload * places + place)), size)


def failing_sets(reach: sp.csr_array, work: FloatArray, need: FloatArray) -> list[IntArray]:
    """Return sets of places whose ``need`` (D,) exceeds the ``work`` (S,) within their ``reach``.

    The first fails by most. The others are smaller, one around each of the places that lack most:
    a small set says more about where work must be, and its row is shorter.
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
    columns = sp.csc_array(reach)[:, places]
    found: list[BoolArray] = []
    for d in seeds:
        closed = _closed(reached, flow, int(d))
        whole |= closed
        overlap = np.asarray((columns.T @ columns[:, [int(d)]]).toarray()).ravel()
        found.append(_around(reached, supply, asked, closed, overlap, 0.5 * float(unmet[d])))
    return [places[whole], *(places[s] for s in found)]


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


def _of_groups(inst: Instance) -> IntArray:
    """Return the workloads of campus groups: theirs is anywhere, so reach limits nobody."""
    return np.array([g.workload for g in inst.groups.rows], dtype=np.int64)


@dataclass(frozen=True)
class Flows:
    """Work served, ref_mw: (N,) each."""

    site: IntArray
    workload: IntArray
    place: IntArray
    period: IntArray
    mw: FloatArray


def flows(program: Program, inst: Instance, values: FloatArray) -> Flows:
    """Return who serves whom in the plan ``values`` (n,) of a program without flows."""
    work, need = work_and_need(program, inst, values)
    parts: list[tuple[IntArray, ...]] = []
    amounts = [np.zeros(0)]
    for w in np.unique(inst.demand.serve_workload):
        reach = reach_of(inst.demand, int(w), len(inst.sites.ids))
        for t in range(inst.time.n):
            if w in _of_groups(inst):  # all of it is for one place, before what the group loses
                i = np.flatnonzero(work[:, w, t] > _SERVES_MW)
                d, mw = np.full_like(i, len(inst.demand.places) - 1), work[i, w, t]
            else:
                i, d, mw = _handed_out(reach, work[:, w, t], need[w, :, t])
            parts.append((i, np.full_like(i, w), d, np.full_like(i, t)))
            amounts.append(mw)
    keys = [np.concatenate([p[k] for p in parts] or [np.zeros(0, int)]) for k in range(4)]
    return Flows(keys[0], keys[1], keys[2], keys[3], np.concatenate(amounts))


def _handed_out(
    reach: sp.csr_array, work: FloatArray, need: FloatArray
) -> tuple[IntArray, IntArray, FloatArray]:
    """Return site, place and ref_mw of the largest flow, exact to the rounding of an LP."""
    sites, places = np.flatnonzero(work > 0), np.flatnonzero(need > 0)
    i, d = sp.csr_array(reach[sites][:, places]).nonzero()
    count, one = np.arange(len(i)), np.ones(len(i))
    ends = (np.concatenate([i, len(sites) + d]), np.concatenate([count, count]))
    A = sp.csr_array((np.concatenate([one, one]), ends), shape=(len(sites) + len(places), len(i)))
    lp = Matrix(
        cost=-one,
        offset=0.0,
        lower=0 * one,
        upper=np.minimum(work[sites[i]], need[places[d]]),
        integer=np.zeros(len(i), dtype=bool),
        owner=np.full(len(i), SHARED),
        A=A,
        row_lower=np.full(A.shape[0], -np.inf),
        row_upper=np.concatenate([work[sites], need[places]]),
    )
    solver = BlockLp(lp) if len(i) else None
    found = solver.values() if solver is not None and solver.solve() else None
    mw = np.zeros(len(i)) if found is None else found
    some = mw > _LEAST_MW
    return sites[i[some]], places[d[some]], mw[some]
