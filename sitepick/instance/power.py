"""Ties and POI headroom by date: letters, tranches, layer headroom, upgrade steps."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from sitepick.candidates.ties import tie_musd
from sitepick.candidates.types import Candidates
from sitepick.instance.flexible import area_mw
from sitepick.instance.tables import positions, records
from sitepick.instance.timeline import Timeline, add_months, whole_months
from sitepick.instance.types import Headroom, Ties
from sitepick.matrix import BoolArray, FloatArray, IntArray
from sitepick.scenario.power import STAGES, Power
from sitepick.scenario.schema import Scenario

HOURS = 8760.0


def ties_of(
    scenario: Scenario,
    candidates: Candidates,
    site_at: Mapping[str, int],
    poi_at: Mapping[str, int],
    existing: BoolArray,
    most_mw: FloatArray,
    powered: BoolArray,
) -> Ties:
    """Return the possible ties. ``existing`` (S,), ``most_mw`` (B,) finite grid MW by POI.

    Sites that may have on-site power (``powered``, (S,)) may open before or without their tie.
    """
    table = candidates.ties[candidates.ties["site_id"].isin(list(site_at))]
    site = positions(table["site_id"], site_at)
    highest = -table["kv"].fillna(0.0).to_numpy(dtype=float)
    order = np.lexsort((highest, table["poi_id"].astype(str), table["km"].to_numpy(float), site))
    table, site = table.iloc[order], site[order]
    poi = positions(table["poi_id"], poi_at)
    power = scenario.power
    km = np.nan_to_num(table["km"].to_numpy(dtype=float))
    cap = table["cap_mw"].to_numpy(dtype=float)
    first = np.full(len(site_at), -1, dtype=np.int64)
    first[site[::-1]] = np.arange(len(site))[::-1]
    owned = existing[site] & (first[site] == np.arange(len(site)))
    kv = table["kv"].to_numpy(dtype=float)
    pois = candidates.pois.set_index("poi_id").loc[table["poi_id"]]
    count = np.bincount(site, minlength=len(site_at))
    return Ties(
        site=site,
        poi=poi,
        cap_mw=np.where(np.isnan(cap), most_mw[poi], cap),
        tight_mw=np.fmin(cap, most_mw[poi]),
        kv=kv,
        musd=np.where(owned, 0.0, tie_musd(kv, km, power)),
        owned=owned,
        only=(count[site] == 1) & ~powered[site],
        energy_usd_per_mwh=pois["energy_usd_per_mwh"].to_numpy(dtype=float),
        co2_kg_per_mwh=pois["co2_kg_per_mwh"].to_numpy(dtype=float),
        life_years=power.tie_life_years,
        most=power.max_ties,
        first=first,
    )


def headroom_of(
    scenario: Scenario, candidates: Candidates, time: Timeline, site_at: Mapping[str, int]
) -> Headroom:
    """Return what each POI can carry by date."""
    power, pois = scenario.power, candidates.pois
    ids = tuple(str(b) for b in pois["poi_id"])
    poi_at = {b: i for i, b in enumerate(ids)}
    offers = increments(candidates.offers)
    lettered = np.isin(np.array(ids, dtype=object), offers["poi_id"].to_numpy(dtype=object))
    counted = offers[
        offers["stage"].isin(power.count_stages)
        & (offers["firm"].astype(bool) | (power.nonfirm != "exclude"))
    ]
    share = np.zeros((len(counted), time.n))
    for o, row in enumerate(records(counted)):
        share[o] = _share(power, time, row)
    useful = share.any(axis=1) & (counted["increment"].to_numpy(dtype=float) > 0)
    counted, share = counted[useful], share[useful]
    dated = np.where(
        lettered[:, None], 0.0, _layer_headroom(power, candidates, time, scenario.layer_share)
    )
    offer_poi = positions(counted["poi_id"], poi_at)
    offer_mw = counted["increment"].to_numpy(dtype=float)
    step = power.upgrade_step
    stepped = np.flatnonzero(~lettered) if step is not None else np.zeros(0, dtype=np.int64)
    most = dated.max(axis=1, initial=0.0)
    np.add.at(most, offer_poi, offer_mw)
    of_areas = area_mw(scenario, candidates, time, poi_at)
    most += of_areas.max(axis=1, initial=0.0)
    if step is not None:
        most[stepped] += step.mw * step.max_steps
    if power.max_mw_per_poi is not None:
        most = np.minimum(most, power.max_mw_per_poi)
    if power.max_ramp_mw_per_year is not None:
        most = np.minimum(most, power.max_ramp_mw_per_year * time.dt.sum())
    existing_mw = np.zeros(len(site_at))
    for site in scenario.existing:
        existing_mw[site_at[site.site_id]] += site.grid_mw
    return Headroom(
        poi_ids=ids,
        dated_mw=dated,
        demand_charge_musd=pois["demand_usd_per_kw_month"].to_numpy(dtype=float) * 12 / 1000,
        most_mw=most,
        existing_mw=existing_mw,
        offer_ids=tuple(str(o) for o in counted["offer_id"]),
        offer_poi=offer_poi,
        offer_mw=offer_mw,
        offer_share=share,
        offer_firm=counted["firm"].to_numpy(dtype=bool) | (power.nonfirm == "count"),
        area_mw=of_areas,
        offer_min_take=counted["min_take_pct"].to_numpy(dtype=float) / 100,
        offer_security_musd=counted["security_kusd_per_mw"].to_numpy(dtype=float) / 1000,
        offer_security_year=_security_year(counted, time),
        offer_upgrade_musd=counted["upgrade_musd"].to_numpy(dtype=float),
        ramp_mw_per_year=power.max_ramp_mw_per_year,
        step_pois=stepped.astype(np.int64),
        step_mw=step.mw if step else 0.0,
        step_musd=step.musd if step else 0.0,
        step_lead_months=step.lead_months if step else 0.0,
        step_most=step.max_steps if step else 0,
        **_shared(candidates, time, poi_at),
    )


def increments(offers: pd.DataFrame) -> pd.DataFrame:
    """Return the offers with ``increment``: MW each adds over the tranches below it at its POI."""
    firmness = {stage: rank for rank, stage in enumerate(STAGES)}
    table = offers.assign(
        _rank=offers["stage"].map(firmness), _mw=offers["mw_total"].astype(float)
    ).sort_values(["poi_id", "_mw", "_rank", "offer_id"], kind="stable")
    below = table.groupby("poi_id")["_mw"].shift(1).fillna(0.0)
    added = (table["_mw"] - below).clip(lower=0.0)
    return table.assign(increment=added).drop(columns=["_rank", "_mw"]).reset_index(drop=True)


def _share(power: Power, time: Timeline, offer: Mapping[str, Any]) -> FloatArray:
    """Return (T,) the share of an offer's MW that is there during the whole of each period."""
    start, end = offer["from_date"], offer["to_date"]
    if pd.isna(start):
        share = np.ones(time.n)
    else:
        begins = add_months(start, _slip_months(power, offer["stage"]))
        share = time.ramp(begins, float(offer["ramp_years"]))
    lasts = [pd.isna(end) or (time.starts[t + 1] - end).days <= 1 for t in range(time.n)]
    return np.where(lasts, share, 0.0)


def _slip_months(power: Power, stage: str) -> int:
    return whole_months(dict(power.slip_years).get(stage, 0.0) * 12)  # type: ignore[call-overload]


def _layer_headroom(
    power: Power, candidates: Candidates, time: Timeline, usable: float
) -> FloatArray:
    """Return (B, T) the layer's MW by date: in tiers where the POI waits in a queue."""
    pois, queue = candidates.pois, candidates.queue
    mw = np.nan_to_num(pois["headroom_mw"].to_numpy(dtype=float)) * usable
    if power.headroom_stage not in power.count_stages:
        mw = np.zeros_like(mw)
    slip = _slip_months(power, power.headroom_stage)
    shares: dict[date, FloatArray] = {}

    def share(day: date, months: int) -> FloatArray:
        begins = add_months(day, months + slip)
        if begins not in shares:
            shares[begins] = time.ramp(begins, power.ramp_years)
        return shares[begins]

    tiers: dict[str, list[tuple[float, float]]] = {}
    for row in records(queue):
        tiers.setdefault(str(row["poi_id"]), []).append((float(row["over_mw"]), row["years"]))
    out = np.zeros((len(pois), time.n))
    usual = [(0.0, power.wait_years)]
    for b, (poi, day) in enumerate(zip(pois["poi_id"], pois["from_date"], strict=True)):
        if not pd.isna(day):
            out[b] = mw[b] * share(day, 0)
            continue
        waits = sorted(tiers.get(str(poi), usual))
        for (over, years), end in zip(waits, [*(w for w, _ in waits[1:]), np.inf], strict=True):
            part = max(0.0, min(mw[b], end) - over)
            out[b] += part * share(time.as_of, whole_months(years * 12))
    return out


def _security_year(offers: pd.DataFrame, time: Timeline) -> IntArray:
    years = [time.as_of.year if pd.isna(d) else d.year for d in offers["reply_by"]]
    index = np.array(years, dtype=np.int64) - time.years[0]
    return np.clip(index, 0, len(time.years) - 1)


def _shared(candidates: Candidates, time: Timeline, poi_at: Mapping[str, int]) -> dict:
    table = candidates.shared_limits
    rows: dict[str, list[tuple[date, str, float, float]]] = defaultdict(list)
    columns = (table[name] for name in ("limit_id", "from_date", "poi_id", "factor", "mw"))
    for limit, day, poi, factor, mw in zip(*columns, strict=True):
        begins = date.min if pd.isna(day) else day
        rows[str(limit)].append((begins, str(poi), float(factor), float(mw)))
    ids = tuple(sorted(rows))
    limits = []
    for index, limit in enumerate(ids):
        dates = sorted({day for day, *_ in rows[limit]})
        named = sorted({poi for _, poi, *_ in rows[limit]} & set(poi_at))
        place = {poi: k for k, poi in enumerate(named)}
        factors, most = np.zeros((len(named), time.n)), np.full(time.n, np.inf)
        for t in range(time.n):
            past = [d for d in dates if d <= time.starts[t]]
            if not past:
                continue
            begun = [row for row in rows[limit] if row[0] == past[-1]]
            most[t] = np.fmin.reduce([mw for *_, mw in begun])  # a row without MW says nothing
            for _, poi, factor, _ in begun:
                if poi in place:
                    factors[place[poi], t] += factor
        pois = np.array([poi_at[b] for b in named], dtype=np.int64)
        limits.append((index, pois, factors, most))
    return {"shared_ids": ids, "shared": tuple(limits)}
