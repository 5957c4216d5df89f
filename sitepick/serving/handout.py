"""The flows of a plan, found once; and who serves what another could."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from sitepick.instance.types import Instance
from sitepick.matrix import SHARED, FloatArray, IntArray, Matrix
from sitepick.program import Program
from sitepick.serving.work import of_groups, reach_of, work_and_need
from sitepick.solve.block_lp import BlockLp

_LEAST_MW = 1e-9
_SERVES_MW = 1e-6


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
            if w in of_groups(inst):  # all of it is for one place, before what the group loses
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
