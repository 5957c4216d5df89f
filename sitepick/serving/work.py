"""Who reaches whom, and what a plan does and asks, as arrays."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from sitepick.instance.types import DemandData, Instance
from sitepick.matrix import FloatArray, IntArray
from sitepick.program import Program


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


def of_groups(inst: Instance) -> IntArray:
    """Return the workloads of campus groups: theirs is anywhere, so reach limits nobody."""
    return np.array([g.workload for g in inst.groups.rows], dtype=np.int64)
