"""Prefill and decode: a served request has both, near to one another, and hands over its KV cache.

At every place the same share of both is served: each is what is handed over, in its own measure.
"""

from __future__ import annotations

import numpy as np

from sitepick.blocks.ledger import Ledger
from sitepick.blocks.traffic import Traffic, over_ways
from sitepick.instance.fiber_types import Splits
from sitepick.instance.types import Instance
from sitepick.matrix import SHARED, IntArray
from sitepick.program import Program

NAME = "split"


def applies(inst: Instance) -> bool:
    """Where requests need two pools."""
    return inst.splits is not None


def _of(inst: Instance) -> Splits:
    assert inst.splits is not None
    return inst.splits


def columns(program: Program, inst: Instance, ledger: Ledger) -> None:
    """Add `split.handed`: ref_mw of decode whose prefill comes from some point."""
    splits = _of(inst)
    handover, period = np.nonzero(splits.ratio[splits.split, splits.place] > 0)
    place = splits.place[handover]
    program.add_columns(
        "split.handed",
        keys={"handover": handover, "place": place, "period": period},
        owner=SHARED,
        upper=inst.demand.mw[splits.decode[splits.split[handover]], place, period],
        unit="ref_mw",
    )


def rows(program: Program, inst: Instance, ledger: Ledger) -> None:
    """Add `split.prefill` and `split.decode`: what each point serves is what it hands over."""
    splits = _of(inst)
    handed = program.column_families["split.handed"]
    at, period = handed.keys["handover"], handed.keys["period"]
    ratio = splits.ratio[splits.split[at], splits.place[at], period]
    _pool(program, inst, "split.prefill", splits.prefill, splits.from_point, -ratio)
    _pool(program, inst, "split.decode", splits.decode, splits.to_point, -np.ones(len(at)))


def _pool(
    program: Program,
    inst: Instance,
    name: str,
    workload: IntArray,
    point: IntArray,
    per_handed: np.ndarray,
) -> None:
    """Add one row per split, place, point and period in which the pool may serve."""
    splits, n = _of(inst), inst.time.n
    serve = program.column_families["demand.serve"]
    split_of = np.full(len(inst.demand.workloads), -1)
    split_of[workload] = np.arange(len(workload))
    split = split_of[serve.keys["workload"]]
    mine = split >= 0
    shape = (len(splits.names), len(inst.demand.places), len(splits.points), n)
    served = np.ravel_multi_index(
        (split[mine], serve.keys["place"][mine], splits.point[serve.keys["site"][mine]],
         serve.keys["period"][mine]), shape,
    )  # fmt: skip
    handed = program.column_families["split.handed"]
    at = handed.keys["handover"]
    wanted = np.ravel_multi_index(
        (splits.split[at], splits.place[at], point[at], handed.keys["period"]), shape
    )
    # a point that cannot serve the place yet hands nothing over
    code = np.union1d(served, wanted)
    s, d, p, t = np.unravel_index(code, shape)
    keys = {"split": s, "place": d, "point": p, "period": t}
    row = program.add_rows(name, keys=keys, lower=0, upper=0, unit="ref_mw")
    program.add_entries(row[np.searchsorted(code, served)], serve.indices[mine], 1)
    program.add_entries(row[np.searchsorted(code, wanted)], handed.indices, per_handed)


def traffic(program: Program, inst: Instance) -> Traffic:
    """Return the traffic of `split.handed` by edge."""
    splits = _of(inst)
    handed = program.column_families["split.handed"]
    far = splits.way[handed.keys["handover"]] >= 0
    at = handed.keys["handover"][far]
    split = splits.split[at]
    return over_ways(
        splits.ways, handed.indices[far], splits.way[at], handed.keys["period"][far],
        splits.tbps[split], splits.peak_tbps[split], splits.peak_hours[split],
    )  # fmt: skip
