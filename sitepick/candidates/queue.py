"""Queue waits of POIs: which rule of which region stands for which of their MW."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from sitepick.candidates import regions as region_room
from sitepick.candidates.text import empty
from sitepick.layers.types import Layers, Note
from sitepick.scenario.schema import Scenario

if TYPE_CHECKING:
    from collections.abc import Sequence

COLUMNS = ["poi_id", "over_mw", "years", "rule"]
EVERYWHERE = ("", "")
"""Level and region_id of a rule without region."""

Region = tuple[str, str]
Rules = dict[Region, dict[float, float]]
"""Region -> over_mw -> years."""


def tiers(
    scenario: Scenario, layers: Layers, pois: pd.DataFrame
) -> tuple[pd.DataFrame, list[Note]]:
    """Return the waits of the POIs that some rule covers, and notes.

    Columns: poi_id, over_mw (grid MW, 0 first), years (rising with over_mw), rule (the region that
    states it, in words). ``pois`` has poi_id, lon, lat of the POIs that wait in a queue at all. For
    each MW the smallest region that states a rule for its size stands, else the rules that stand
    everywhere, else ``power.wait_years``; MW of larger sizes never come before those of smaller.
    """
    rules, notes = _rules(scenario, layers)
    if not rules or not len(pois):
        return empty(COLUMNS), notes
    chains = _chains(layers, pois, rules)
    known: dict[tuple[Region, ...], list[tuple[float, float, str]]] = {}
    rows = []
    for poi, chain in zip(pois["poi_id"], chains, strict=True):
        if not chain:
            continue
        if chain not in known:
            known[chain] = _stack(chain, rules, scenario.power.wait_years)
        rows += [(poi, *tier) for tier in known[chain]]
    return pd.DataFrame(rows, columns=COLUMNS) if rows else empty(COLUMNS), notes


def _rules(scenario: Scenario, layers: Layers) -> tuple[Rules, list[Note]]:
    out: Rules = {}
    notes: list[Note] = []
    if layers.queue is not None:
        name = f"{scenario.power.queue_percentile}_years"
        table = layers.queue
        years = table["years"].fillna(table[name]).to_numpy(dtype=float)
        blank = int(np.isnan(years).sum())
        if blank:
            text = f"{blank} rows of the queue table state neither years nor {name}: not used"
            notes.append(Note("queue", "queue_blank", text, blank))
        for level, region, over, wait in zip(
            table["level"], table["region_id"], table["over_mw"], years, strict=True
        ):
            if not np.isnan(wait):
                at = EVERYWHERE if pd.isna(region) else (str(level), str(region))
                out.setdefault(at, {})[float(over)] = float(wait)
        notes += _unmatched(layers, set(out) - {EVERYWHERE})
    for rule in scenario.power.queue:
        region = (rule.level or "", rule.region_id or "")
        out.setdefault(region, {})[rule.over_mw] = rule.years
    return out, notes


def _unmatched(layers: Layers, named: set[Region]) -> list[Note]:
    known: set[Region] = set()
    if layers.regions is not None:
        pairs = zip(layers.regions["level"], layers.regions["region_id"], strict=True)
        known = {(str(level), str(region)) for level, region in pairs}
    if not named or named & known:
        return []
    first = " ".join(min(named))
    text = (
        f"none of the {len(named)} regions of the queue table (such as {first}) is in "
        "layers.regions: power.wait_years stands there"
    )
    return [Note("queue", "queue_unmatched", text, len(named))]


def _chains(layers: Layers, pois: pd.DataFrame, rules: Rules) -> Sequence[tuple[Region, ...]]:
    """Return the regions around each POI that state a rule, smallest first."""
    everywhere = (EVERYWHERE,) if EVERYWHERE in rules else ()
    named = pd.DataFrame(sorted(set(rules) - {EVERYWHERE}), columns=region_room.COLUMNS)
    around: dict[str, tuple[Region, ...]] = {}
    if layers.regions is not None and len(named):
        inside, _ = region_room.locate(
            pois["poi_id"], pois["lon"].to_numpy(float), pois["lat"].to_numpy(float),
            layers.regions, "poi_id",
        )  # fmt: skip
        areas = region_room.region_areas(layers.regions)
        found = inside.merge(named, on=region_room.COLUMNS).merge(areas, on=region_room.COLUMNS)
        found = found.sort_values(["poi_id", "area", *region_room.COLUMNS])
        for poi, level, region in zip(
            found["poi_id"], found["level"], found["region_id"], strict=True
        ):
            around[poi] = (*around.get(poi, ()), (level, region))
    return [(*around.get(poi, ()), *everywhere) for poi in pois["poi_id"]]


def _stack(
    chain: tuple[Region, ...], rules: Rules, default_years: float
) -> list[tuple[float, float, str]]:
    """Return (over_mw, years, rule) of the MW of a POI within the regions of ``chain``."""
    sizes = sorted({0.0, *(over for region in chain for over in rules[region])})
    out: list[tuple[float, float, str]] = []
    for size in sizes:
        years, told = default_years, "power.wait_years"
        for region in chain:
            stated = [over for over in rules[region] if over <= size]
            if stated:
                years, told = rules[region][max(stated)], " ".join(region).strip() or "everywhere"
                break
        if not out or years > out[-1][1]:
            out.append((size, years, told))
    return out
