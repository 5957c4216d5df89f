"""Requests that need a prefill and a decode pool: where both may stand, and what joins them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from sitepick.candidates.types import Candidates
from sitepick.instance.fiber_types import Fiber, Splits, Ways
from sitepick.instance.services import km_within, refuse_many, ways_of
from sitepick.instance.types import DemandData
from sitepick.matrix import FloatArray, IntArray
from sitepick.network.fiber_routes import distances
from sitepick.scenario.schema import Scenario


def splits_of(
    scenario: Scenario,
    candidates: Candidates,
    site_at: Mapping[str, int],
    demand: DemandData,
    fiber: Fiber | None,
) -> Splits | None:
    """Return the pools of requests and the ways between them, None without any.

    Sites at one node of the fiber network are one point, a site that meets it nowhere known is a
    point of its own: its requests stay there.
    """
    asked = scenario.demand.splits
    if not asked:
        return None
    n = len(site_at)
    node = np.full(n, -1) if fiber is None else fiber.site_node
    label = np.where(node >= 0, node, -1 - np.arange(n))
    of_point, point = np.unique(label, return_inverse=True)
    lateral = np.zeros(len(of_point))
    if fiber is not None:
        np.maximum.at(lateral, point, np.nan_to_num(fiber.lateral_km))
    ids = list(site_at)
    names = tuple(
        ids[-1 - k] if k < 0 or fiber is None else fiber.node_ids[k] for k in of_point.tolist()
    )
    work_at = {name: w for w, name in enumerate(demand.workloads)}
    parts = [np.zeros((0, 4), dtype=np.int64)]  # split, place, both points
    room = np.array([km_within(scenario, split.rtt_ms_max) for split in asked])
    far = _apart_km(candidates, of_point) + lateral[:, None] + lateral[None, :]
    np.fill_diagonal(far, -np.inf)
    for s, split in enumerate(asked):
        for place in range(len(demand.places)):
            first, last = (
                np.unique(point[_able(demand, work_at[pool], place)])
                for pool in (split.prefill, split.decode)
            )
            a, b = np.nonzero(far[np.ix_(first, last)] <= room[s])
            both = np.full(len(a), s), np.full(len(a), place)
            parts.append(np.stack([*both, first[a], last[b]], axis=1))
    table = np.concatenate(parts)
    joins = table[:, 2] != table[:, 3]
    flows, flow = np.unique(table[joins][:, [0, 2, 3]], axis=0, return_inverse=True)
    table = np.column_stack([table, np.full(len(table), -1)])
    table[joins, 4] = flow.reshape(-1)
    flow_from, flow_to = of_point[flows[:, 1]], of_point[flows[:, 2]]
    km_max = room[flows[:, 0]] - lateral[flows[:, 1]] - lateral[flows[:, 2]]
    refuse_many(len(flows), "demand.splits", "lower rtt_ms_max")
    ways = _no_ways()
    if len(flows) and candidates.fiber is not None:
        ends = zip(flow_from.tolist(), flow_to.tolist(), strict=True)
        routes = scenario.fiber.capacity.routes
        ways = ways_of(candidates.fiber.network, ends, km_max.tolist(), routes)
    table, way = _by_way(table, ways)
    mw = demand.mw
    return Splits(
        names=tuple(s.name for s in asked),
        prefill=np.array([work_at[s.prefill] for s in asked], dtype=np.int64),
        decode=np.array([work_at[s.decode] for s in asked], dtype=np.int64),
        tbps=np.array([s.tbps for s in asked]),
        peak_tbps=np.array([s.peak_tbps for s in asked]),
        peak_hours=np.array([s.peak_hours_per_year for s in asked], dtype=float),
        ratio=_ratios(mw, [(work_at[s.prefill], work_at[s.decode]) for s in asked]),
        points=names,
        point=point,
        split=table[:, 0],
        place=table[:, 1],
        from_point=table[:, 2],
        to_point=table[:, 3],
        way=way,
        ways=ways,
        flow_from=flow_from,
        flow_to=flow_to,
    )


def _able(demand: DemandData, workload: int, place: int) -> IntArray:
    """Return the sites that can serve a workload at a place."""
    mine = (demand.serve_workload == workload) & (demand.serve_place == place)
    return demand.serve_site[mine]


def _apart_km(candidates: Candidates, of_point: IntArray) -> FloatArray:
    """Return the route km between points, inf where they are not joined."""
    out = np.full((len(of_point), len(of_point)), np.inf)
    if candidates.fiber is not None:
        on = np.flatnonzero(of_point >= 0)
        km, _ = distances(candidates.fiber.network, of_point[on])
        out[np.ix_(on, on)] = km[:, of_point[on]]
    return out


def _by_way(table: IntArray, ways: Ways) -> tuple[IntArray, IntArray]:
    """Return the rows of ``table`` once for each way of their flow, and the way, -1 where local."""
    flow = table[:, 4]
    first = np.searchsorted(ways.flow, flow)
    count = np.where(flow < 0, 1, np.searchsorted(ways.flow, flow, side="right") - first)
    row = np.repeat(np.arange(len(table)), count)
    within = np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count)
    return table[row], np.where(flow[row] < 0, -1, first[row] + within)


def _no_ways() -> Ways:
    none = np.zeros(0, dtype=np.int64)
    return Ways(flow=none, km=np.zeros(0), at=none, edge=none)


def _ratios(mw: FloatArray, pools: list[tuple[int, int]]) -> FloatArray:
    """Return (P, D, T) ref_mw of prefill per ref_mw of decode; 0 where one of them is not asked."""
    out = np.zeros((len(pools), *mw.shape[1:]))
    for s, (prefill, decode) in enumerate(pools):
        np.divide(mw[prefill], mw[decode], out=out[s], where=mw[decode] > 0)
    return out
