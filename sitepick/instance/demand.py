"""Demand by workload, place and period; and which site can serve it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from sitepick.candidates.types import Candidates
from sitepick.instance.tables import positions
from sitepick.instance.timeline import Timeline
from sitepick.instance.types import DemandData
from sitepick.matrix import FloatArray, IntArray
from sitepick.scenario.fields import value_at
from sitepick.scenario.rules import Workload
from sitepick.scenario.schema import Scenario

ANYWHERE = "anywhere"
POOLED_ABOVE = 400_000
"""Flows (site, workload, place, period) above which the program holds none of them, where carrying
work costs nothing."""


def demand_of(
    scenario: Scenario, candidates: Candidates, time: Timeline, site_at: Mapping[str, int]
) -> DemandData:
    """Return demand and the (site, workload, place) triples within reach."""
    workloads = scenario.demand.named()
    place_ids = [str(p) for p in candidates.places["place_id"]]
    places = (*place_ids, ANYWHERE)
    place_at = {name: d for d, name in enumerate(places)}
    mw = np.zeros((len(workloads), len(places), time.n))
    for w, (name, workload) in enumerate(workloads.items()):
        mw[w] = _asked(name, workload, candidates, time, place_at, only=len(workloads) == 1)
    site, work, place, cost = [], [], [], []
    reach = _reach(scenario, candidates, site_at, place_at)
    n = len(site_at)
    for w, workload in enumerate(workloads.values()):
        asked = np.flatnonzero(mw[w].max(axis=1, initial=0.0) > 0)
        near = np.isin(reach["place"], asked)
        if workload.rtt_ms_max is not None:
            near &= reach["rtt_ms"] <= workload.rtt_ms_max + 1e-9
        site.append(reach["site"][near])
        place.append(reach["place"][near])
        cost.append(reach["musd"][near])
        work.append(np.full(int(near.sum()), w))
        if place_at[ANYWHERE] in asked:
            site.append(np.arange(n))
            place.append(np.full(n, place_at[ANYWHERE]))
            cost.append(np.zeros(n))
            work.append(np.full(n, w))
    transport = np.concatenate(cost).astype(float)
    by_place = bool(scenario.fiber.services or scenario.demand.splits)
    return DemandData(
        workloads=tuple(workloads),
        places=places,
        mw=mw,
        must=np.array([w.must_serve for w in workloads.values()]),
        penalty_musd=np.array([w.shortfall_musd_per_mw_year for w in workloads.values()]),
        weight=np.array([w.weight for w in workloads.values()]),
        serve_site=np.concatenate(site).astype(np.int64),
        serve_workload=np.concatenate(work).astype(np.int64),
        serve_place=np.concatenate(place).astype(np.int64),
        transport_musd=transport,
        pooled=len(transport) * time.n > POOLED_ABOVE and not (transport.any() or by_place),
    )


def _asked(
    name: str,
    workload: Workload,
    candidates: Candidates,
    time: Timeline,
    place_at: Mapping[str, int],
    *,
    only: bool,
) -> FloatArray:
    """Return (D, T) ref_mw asked of one workload."""
    out = np.zeros((len(place_at), time.n))
    starts = time.starts[:-1]
    table = candidates.demand_mw
    table = table[table["workload"].astype(str) == name]
    for place, rows in table.groupby("place_id", sort=True):
        series = dict(zip(rows["from_date"], rows["mw"].astype(float), strict=True))
        out[place_at[str(place)]] += [value_at(series, p) or 0.0 for p in starts]
    if workload.ref_mw is not None:
        total = np.array([value_at(workload.ref_mw, p) or 0.0 for p in starts])
        if workload.spread == "anywhere":
            out[place_at[ANYWHERE]] += total
        else:
            weight = candidates.places["weight"].to_numpy(dtype=float)
            out[: len(weight)] += weight[:, None] / weight.sum() * total[None, :]
    elif table.empty and only:
        stated = candidates.places["mw"].to_numpy(dtype=float)
        out[: len(stated)] += np.nan_to_num(stated)[:, None]
    return out


def _reach(
    scenario: Scenario,
    candidates: Candidates,
    site_at: Mapping[str, int],
    place_at: Mapping[str, int],
) -> dict[str, IntArray | FloatArray]:
    reach = candidates.reach
    known = reach["site_id"].isin(list(site_at))
    reach = reach if known.all() else reach[known]
    km = reach["km"].to_numpy(dtype=float)
    measured = reach["musd_per_mw_year"].to_numpy(dtype=float)
    by_km = np.nan_to_num(km) * scenario.demand.transport_usd_per_mw_km_year / 1e6
    return {
        "site": positions(reach["site_id"], site_at),
        "place": positions(reach["place_id"], place_at),
        "rtt_ms": reach["rtt_ms"].to_numpy(dtype=float),
        "musd": np.where(np.isnan(measured), by_km, measured),
    }
