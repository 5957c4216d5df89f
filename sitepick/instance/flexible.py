"""Non-firm MW: offers that may be curtailed, margins of areas, and what can stand in for them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from sitepick.candidates.types import Candidates
from sitepick.instance.tables import records
from sitepick.instance.timeline import Timeline
from sitepick.instance.types import Flexible, Halls, Headroom, Ties
from sitepick.matrix import BoolArray, FloatArray
from sitepick.scenario.flexible import curtailable_share
from sitepick.scenario.schema import Scenario

HOURS = 8760.0


def area_mw(
    scenario: Scenario, candidates: Candidates, time: Timeline, poi_at: Mapping[str, int]
) -> FloatArray:
    """Return (B, T) the non-firm MW of areas that each POI could have if it were alone in them."""
    out = np.zeros((len(poi_at), time.n))
    standing = _standing(scenario, time)
    for a, row in enumerate(records(candidates.margins)):
        here = [poi_at[b] for b in row["poi_ids"] if b in poi_at]
        out[here] += float(row["mw"]) * standing[a]
    return out


def _standing(scenario: Scenario, time: Timeline) -> BoolArray:
    """Return (A, T) whether an area's connections stand during the whole of a period."""
    out = np.zeros((len(scenario.flexible.areas), time.n), dtype=bool)
    for a, area in enumerate(scenario.flexible.areas):
        end = area.to_date
        last = time.n if end is None else sum((p - end).days <= 1 for p in time.starts[1:])
        out[a, time.first_from(area.from_date) : last] = True
    return out


def flexible_of(
    scenario: Scenario,
    candidates: Candidates,
    time: Timeline,
    headroom: Headroom,
    ties: Ties,
    halls: Halls,
) -> Flexible:
    """Return the sources of non-firm MW; none but with `power.nonfirm: flexible`."""
    soft = np.flatnonzero(~headroom.offer_firm)
    stated = candidates.offers.set_index("offer_id")["curtail_hours_per_year"]
    ids = [headroom.offer_ids[o] for o in soft]
    areas = list(records(candidates.margins)) if scenario.power.nonfirm == "flexible" else []
    hours = [float(stated[i]) for i in ids] + [float(a["hours"]) for a in areas]
    depth = [1.0] * len(soft) + [float(a["mean_depth"]) for a in areas]
    deepest = [1.0] * len(soft) + [float(a["deepest"]) for a in areas]
    usual = scenario.flexible.event_hours
    hardest = [usual] * len(soft) + [
        usual if np.isnan(a["hardest_event_hours"]) else float(a["hardest_event_hours"])
        for a in areas
    ]
    where = [{headroom.poi_ids[headroom.offer_poi[o]]} for o in soft]
    where += [set(a["poi_ids"]) for a in areas]
    pois = np.array(headroom.poi_ids, dtype=object)[ties.poi]
    pairs = [np.flatnonzero(np.isin(pois, list(named))) for named in where]
    battery = scenario.flexible.battery
    price_year, money = None if battery is None else battery.price_year, scenario.money
    years = 0 if price_year is None else money.price_year - price_year
    works = scenario.demand.named().values()
    energy = np.array(hardest) / (1.0 if battery is None else battery.hours)
    return Flexible(
        sources=(*(f"offer:{i}" for i in ids), *(f"area:{a['area']}" for a in areas)),
        offer=np.concatenate([soft, np.full(len(areas), -1)]).astype(np.int64),
        mw=np.array([*headroom.offer_mw[soft], *(float(a["mw"]) for a in areas)]),
        share=np.concatenate(
            [headroom.offer_share[soft], _standing(scenario, time)[: len(areas)] * 1.0]
        ),
        deepest=np.array(deepest),
        off=np.array(hours) * np.array(depth) / HOURS,
        battery_mw=np.maximum(np.array(deepest), energy),
        pair_tie=np.concatenate([*pairs, np.zeros(0)]).astype(np.int64),
        pair_source=np.repeat(np.arange(len(pairs)), [len(p) for p in pairs]).astype(np.int64),
        tolerance=np.array([curtailable_share(w) for w in works]),
        moved=np.array([w.moved_pct / 100 for w in works]),
        pue_peak=halls.pue_peak.min(axis=1),
        pue_avg=halls.pue_avg.min(axis=1),
        batteries=battery is not None,
        battery_musd=0.0
        if battery is None
        else battery.musd_per_mw * (1 + money.inflation_pct / 100) ** years,
        battery_life_years=1.0 if battery is None else battery.life_years,
        battery_lead_months=0.0 if battery is None else battery.lead_months,
        battery_loss=0.0 if battery is None else 100 / battery.efficiency_pct - 1,
    )
