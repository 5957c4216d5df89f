"""POIs: where they are, which MW they have on which date, and what a MWh costs there."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import lru_cache
from itertools import pairwise
from math import ceil
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from sitepick.candidates import regions as region_room
from sitepick.candidates.text import keep_columns, objects, some
from sitepick.layers.types import Layers, Note
from sitepick.scenario.power import STAGES
from sitepick.scenario.schema import Scenario, period_starts

if TYPE_CHECKING:
    from sitepick.scenario.power import Power

PRICES = ("energy_usd_per_mwh", "demand_usd_per_kw_month", "co2_kg_per_mwh")


@lru_cache(maxsize=4096)  # the POIs of a layer share a few dates and waits
def later(day: date, years: float) -> date:
    """Return ``day`` moved by ``years``, rounded up to whole months."""
    index = day.year * 12 + day.month - 1 + ceil(round(years * 12, 6))
    year, month = divmod(index, 12)
    ends = (date(year + (month == 11), (month + 1) % 12 + 1, 1) - date(year, month + 1, 1)).days
    return date(year, month + 1, min(day.day, ends))


def months_between(first: date, second: date) -> int:
    """Return the months from one first of a month to another."""
    return (second.year - first.year) * 12 + second.month - first.month


def all_pois(layers: Layers) -> pd.DataFrame:
    """Return every POI of the substations layer and of the letters, sorted by id.

    Without a substations layer, the POIs that places name (``poi_ids``) count as well: a parcel
    at a substation without a letter is a fact about the parcel, and its MW are unknown.
    Columns: poi_id, name, lon, lat (nan: only known by name), kv, kv_levels, headroom_mw,
    from_date, estimated, synthetic, keep:*.
    """
    parts = []
    if layers.pois is not None and len(layers.pois):
        layer = layers.pois
        part = pd.DataFrame(layer.drop(columns=layer.geometry.name))
        part["lon"] = layer.geometry.x.to_numpy()
        part["lat"] = layer.geometry.y.to_numpy()
        part["from_date"] = objects(part["from_date"])
        part["name"] = objects(part["name"])
        part["kv_levels"] = objects(part["kv_levels"])
        parts.append(part)
    known = set(parts[0]["poi_id"]) if parts else set()
    extra = set() if layers.power_offers is None else set(layers.power_offers["poi_id"]) - known
    if layers.pois is None:
        extra |= named_pois(layers) - known
    if extra:
        ids = sorted(extra)
        parts.append(
            pd.DataFrame(
                {
                    "poi_id": ids, "name": ids, "lon": np.nan, "lat": np.nan, "kv": np.nan,
                    "kv_levels": None, "headroom_mw": np.nan, "from_date": None, "estimated": False,
                    "synthetic": False,
                }
            )
        )  # fmt: skip
    columns = [
        "poi_id",
        "name",
        "lon",
        "lat",
        "kv",
        "kv_levels",
        "headroom_mw",
        "from_date",
        "estimated",
        "synthetic",
    ]
    if not parts:
        return pd.DataFrame({c: pd.Series(dtype=object) for c in columns})
    pois = pd.concat([p.astype({"from_date": object}) for p in parts], ignore_index=True)
    pois["name"] = pois["name"].where(pois["name"].notna(), pois["poi_id"])
    pois["from_date"] = objects(pois["from_date"])
    for flag in ("estimated", "synthetic"):
        pois[flag] = pois[flag].fillna(False).astype(bool)
    return pois[[*columns, *keep_columns(pois)]].sort_values("poi_id", ignore_index=True)


def named_pois(layers: Layers) -> set[str]:
    """Return the POIs that parcels and sites name."""
    tables = [t for t in (layers.parcels, layers.sites) if t is not None]
    return {poi for table in tables for named in table["poi_ids"] for poi in named or ()}


def ramped(day: date, ramp_years: float, start: date, months_each: int) -> float:
    """Return the share of MW dated ``day`` that are there in the period from ``start`` on.

    They grow in equal steps, one per period, and are whole after ``ramp_years`` (rounded up to
    whole periods of ``months_each`` months); without a ramp at once.
    """
    gone = (start.year - day.year) * 12 + start.month - day.month - (start.day < day.day)
    steps = ceil(round(ramp_years * 12 / months_each, 6))
    return 0.0 if gone < 0 else 1.0 if not steps else min(1.0, (gone // months_each + 1) / steps)


def in_queue(layers: Layers, pois: pd.DataFrame) -> np.ndarray:
    """Return (B,) the POIs whose MW have neither a letter nor a date: they wait in the queue."""
    lettered = set() if layers.power_offers is None else set(layers.power_offers["poi_id"])
    undated = np.array([day is None for day in pois["from_date"]], dtype=bool)
    return (
        undated & (pois["headroom_mw"] > 0).to_numpy() & ~pois["poi_id"].isin(lettered).to_numpy()
    )


def dated_mw(
    scenario: Scenario,
    layers: Layers,
    pois: pd.DataFrame,
    queue: pd.DataFrame,
    of_areas: np.ndarray | float = 0.0,
) -> pd.DataFrame:
    """Return, beside each POI, the most grid MW that count within the horizon, and its verdict.

    ``queue`` is `sitepick.candidates.queue.tiers` of the POIs that are `in_queue`.
    ``of_areas`` (n,), or 0, are non-firm MW that a POI may have beside its own: it is then usable.

    Columns: mw (nan unknown), has_letter (bool), test ('' usable, else the name of the failed
    test), why (a planner's words). A letter replaces the layer's headroom at its POI. A date
    counts from the first period that starts on or after it.
    """
    power = scenario.power
    starts = period_starts(scenario.periods)
    best, why_letter = _letters(power, layers.power_offers, starts)
    last = starts[-2]
    each = months_between(starts[0], starts[1])
    ids = pois["poi_id"].to_numpy(dtype=object)
    lettered = set() if layers.power_offers is None else set(layers.power_offers["poi_id"])
    has_letter = np.array([i in lettered for i in ids], dtype=bool)
    stated = pois["headroom_mw"].to_numpy(dtype=float) * scenario.layer_share
    mw = np.where(has_letter, [best.get(i, 0.0) for i in ids], stated)
    test = np.full(len(ids), "", dtype=object)
    why = np.full(len(ids), "", dtype=object)

    unknown = ~has_letter & np.isnan(stated)
    if power.unknown_headroom == "exclude":
        test[unknown], why[unknown] = "no_mw", "headroom unknown and no letter"
    else:
        mw[unknown] = 0.0

    slip = power.slip_years.get(power.headroom_stage, 0.0)
    waits: dict[str, list[tuple[float, float]]] = {}
    for poi, over, years in zip(queue["poi_id"], queue["over_mw"], queue["years"], strict=True):
        waits.setdefault(poi, []).append((float(over), float(years)))
    usual = [(0.0, power.wait_years)]
    dates = list(pois["from_date"])
    for k in np.flatnonzero(~has_letter & (stated > 0)):
        given = dates[k]
        if given is None:
            tiers = [(over, later(later(scenario.as_of, wait), slip))
                     for over, wait in waits.get(ids[k], usual)]  # fmt: skip
        else:
            tiers = [(0.0, later(given, slip))]
        if power.headroom_stage not in power.count_stages:
            reason = (
                f"its {stated[k]:,.0f} MW are of stage {power.headroom_stage}, which is not counted"
            )
        elif tiers[0][1] > last:
            reason = (
                f"its {stated[k]:,.0f} MW are dated {tiers[0][1]}, after the last period starts"
            )
        else:
            ends = [over for over, _ in tiers[1:]] + [np.inf]
            mw[k] = sum(
                max(0.0, min(stated[k], end) - over) * ramped(day, power.ramp_years, last, each)
                for (over, day), end in zip(tiers, ends, strict=True)
            )
            continue
        mw[k], test[k], why[k] = 0.0, "no_dated_mw", reason
    for k in np.flatnonzero(has_letter & (mw <= 0)):
        test[k], why[k] = "no_dated_mw", why_letter[ids[k]]

    step = power.upgrade_step
    buys = step is not None and later(scenario.as_of, step.lead_months / 12) <= last
    can_buy = ~has_letter & ~unknown & buys
    dry = ~has_letter & (stated <= 0) & ~can_buy
    test[dry], why[dry] = "no_mw", "headroom is 0 MW and no letter"
    test[can_buy & (test == "no_dated_mw")] = ""
    mw = mw + of_areas
    shared = (np.asarray(of_areas) > 0) & ~np.isnan(mw)
    test[shared], why[shared] = "", ""
    small = (test == "") & (mw < scenario.candidates.min_headroom_mw)
    test[small] = "min_headroom_mw"
    why[small] = [f"{m:,.0f} MW within the horizon" for m in mw[small]]
    return pd.DataFrame({"mw": mw, "has_letter": has_letter, "test": test, "why": why})


def _letters(
    power: Power, offers: pd.DataFrame | None, starts: list[date]
) -> tuple[dict[str, float], dict[str, str]]:
    """Return the most MW of letters that count at one time by POI, and why the others do not.

    Cumulative MW are split into what each letter adds over the smaller ones of its POI; only the
    added MW of letters that count, and stand for a whole period, are summed. ``starts`` are the
    periods' first days and the day after the last.
    """
    by_period: dict[str, np.ndarray] = {}
    why: dict[str, list[str]] = {}
    if offers is None:
        return {}, {}
    firmness = {stage: rank for rank, stage in enumerate(STAGES)}
    ranked = offers.assign(_rank=offers["stage"].map(firmness)).sort_values(
        ["poi_id", "mw_total", "_rank", "offer_id"]
    )
    below: dict[str, float] = {}
    for row in ranked.to_dict("records"):
        poi, total = row["poi_id"], float(row["mw_total"])
        added = total - below.get(poi, 0.0)
        below[poi] = max(below.get(poi, 0.0), total)
        day = None if pd.isna(row["from_date"]) else row["from_date"]
        day = day and later(day, power.slip_years.get(row["stage"], 0.0))
        until = None if pd.isna(row["to_date"]) else row["to_date"]
        each = months_between(starts[0], starts[1])
        standing = np.array(
            [
                (1.0 if day is None else ramped(day, float(row["ramp_years"]), start, each))
                * (until is None or (end - until).days <= 1)
                for start, end in pairwise(starts)
            ]
        )
        faults = []
        if row["stage"] not in power.count_stages:
            faults.append(f"stage {row['stage']} is not counted")
        if not row["firm"] and power.nonfirm == "exclude":
            faults.append("non-firm MW are excluded")
        if not standing.any():
            dated = f"dated {day}" + (f" to {until}" if until else "")
            faults.append(f"{dated}, which covers no period from its first day on")
        if faults:
            told = f"letter {row['offer_id']} ({total:,.0f} MW): {', '.join(faults)}"
            why.setdefault(poi, []).append(told)
        else:
            by_period[poi] = by_period.get(poi, 0.0) + added * standing
    best = {poi: float(mw.max()) for poi, mw in by_period.items()}
    return best, {p: "; ".join(why.get(p, ["its letters state 0 MW"])) for p in {*best, *why}}


def resolve_prices(
    pois: pd.DataFrame,
    scenario: Scenario,
    layers: Layers,
    site_regions: pd.DataFrame,
    ties: pd.DataFrame,
) -> tuple[pd.DataFrame, list[Note]]:
    """Return ``pois`` with energy, demand charge and CO2, and notes.

    Each figure on its own: the POI's tariff row, else the tariff row of the smallest region around
    it that states it, else that region's own column, else ``scenario.power``. A POI without
    coordinates is taken to be in the regions of the first site that may tie to it.
    """
    pois = pois.copy()
    inside, _ = region_room.locate(
        pois["poi_id"], pois["lon"].to_numpy(float), pois["lat"].to_numpy(float),
        layers.regions, "poi_id",
    )  # fmt: skip
    notes = []
    nowhere = set(pois["poi_id"][pois["lon"].isna()])
    if nowhere and len(site_regions):
        first = ties[ties["poi_id"].isin(nowhere)].sort_values(["poi_id", "site_id"])
        first = first.drop_duplicates("poi_id")[["poi_id", "site_id"]]
        borrowed = first.merge(site_regions, on="site_id").drop(columns="site_id")
        inside = pd.concat([inside, borrowed], ignore_index=True)
    tariffs, ids = layers.tariffs, pois["poi_id"]
    around = of_regions(ids, inside, layers, PRICES, "poi_id")
    for column in PRICES:
        value = pd.Series(np.nan, index=pois.index)
        if tariffs is not None and "poi_id" in tariffs:
            own = tariffs.dropna(subset=["poi_id", column]).sort_values("poi_id")
            value = value.fillna(ids.map(dict(zip(own["poi_id"], own[column], strict=True))))
        value = value.fillna(around[column])
        pois[column] = value.fillna(getattr(scenario.power, column)).astype(float)
    if tariffs is not None and "poi_id" in tariffs:
        known = set(all_pois(layers)["poi_id"])
        unmatched = [i for i in objects(tariffs["poi_id"]) if i is not None and i not in known]
        if unmatched:
            notes.append(
                Note(
                    "tariffs",
                    "tariff_unmatched",
                    f"{len(unmatched)} tariff rows name a POI that no layer or letter has: "
                    f"{some(unmatched)}",
                    len(unmatched),
                )
            )
    return pois, notes


def of_regions(
    ids: pd.Series, inside: pd.DataFrame, layers: Layers, columns: Sequence[str], id_name: str
) -> pd.DataFrame:
    """Return prices by the tariff row of the smallest region that states one, else by the smallest
    region's own column; nan where neither does. ``inside`` has ``id_name``, level, region_id."""
    out = pd.DataFrame(np.nan, index=ids.index, columns=list(columns))
    if layers.regions is None or not len(layers.regions):
        return out
    areas = region_room.region_areas(layers.regions)
    tables: list[pd.DataFrame] = [layers.regions]
    if layers.tariffs is not None and "level" in layers.tariffs:
        tables.insert(0, layers.tariffs.dropna(subset=["level", "region_id"]))
    for column in columns:
        for table in tables:
            if column in table:
                found = region_room.most_specific(inside, id_name, table, column, areas)
                out[column] = out[column].fillna(ids.map(found).astype(float))
    return out
