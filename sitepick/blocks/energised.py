"""From when on a site can hold IT MW: what a large program leaves out.

Without a MW nothing runs. Where a program is large (`Instance.trimmed`), columns of hardware and of
the work it does exist only from the first period in which some source of power may be there. No
plan is lost: what is left out could only be zero.
"""

from __future__ import annotations

import numpy as np

from sitepick.blocks.headroom import possible_mw
from sitepick.instance.types import Instance
from sitepick.matrix import BoolArray


def holds_it(inst: Instance) -> BoolArray:
    """Return (S, T) whether a site may hold IT MW then, or did so before: never too few."""
    out = np.ones((len(inst.sites.ids), inst.time.n), dtype=bool)
    if not (inst.trimmed and inst.grid):
        return out
    out[:] = False
    by_tie = (possible_mw(inst) > 0)[inst.ties.poi]  # (E, T)
    np.logical_or.at(out, inst.ties.site, by_tie)
    out |= (inst.hardware.existing_mw > 0).any(axis=(1, 2))
    out |= (inst.headroom.existing_mw > 0)[:, None]
    # sources that bring MW of their own, whenever
    out[inst.onsite.site] = True
    out[inst.leases.site] = True
    out[inst.ties.site[inst.flexible.pair_tie]] = True
    return np.logical_or.accumulate(out, axis=1)


def serves(inst: Instance) -> BoolArray:
    """Return (S, W, T) whether a site may do work of a workload then."""
    out = np.zeros((len(inst.sites.ids), len(inst.demand.workloads), inst.time.n), dtype=bool)
    works = np.unique(np.stack([inst.demand.serve_site, inst.demand.serve_workload]), axis=1)
    out[works[0], works[1]] = True
    if inst.trimmed:
        out &= (inst.demand.mw > 0).any(axis=1)
        out &= holds_it(inst)[:, None, :]
    return out
