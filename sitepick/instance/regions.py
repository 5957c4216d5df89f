"""Region rules resolved to sets of sites."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from sitepick.candidates.types import Candidates
from sitepick.instance.tables import positions, records
from sitepick.instance.timeline import Timeline
from sitepick.instance.types import Entry, RegionRow
from sitepick.matrix import BoolArray, FloatArray, IntArray
from sitepick.scenario.fields import value_at
from sitepick.scenario.rules import RegionRule
from sitepick.scenario.schema import Scenario


@dataclass(frozen=True)
class RegionSets:
    """Per site, what region rules say of it; and the rows that bind sets of sites."""

    capex_factor: FloatArray  # (S,)
    hardware_delay_months: FloatArray  # (S,)
    closed: BoolArray  # (S, T)
    allowed_hardware: tuple[tuple[IntArray, frozenset[str]], ...]
    rows: tuple[RegionRow, ...]
    entries: tuple[Entry, ...]

    def allowed(self, hardware: str) -> BoolArray:
        """Return (S,) where the hardware may be installed."""
        out = np.ones(len(self.capex_factor), dtype=bool)
        for sites, ids in self.allowed_hardware:
            if hardware not in ids:
                out[sites] = False
        return out


def regions_of(
    scenario: Scenario, candidates: Candidates, time: Timeline, site_at: Mapping[str, int]
) -> RegionSets:
    """Resolve `scenario.regions` against the candidates' regions."""
    n = len(site_at)
    members = _members(candidates, site_at)
    factor, delay = np.ones(n), np.zeros(n)
    closed = np.zeros((n, time.n), dtype=bool)
    allowed: list[tuple[IntArray, frozenset[str]]] = []
    rows: list[RegionRow] = []
    for region in records(candidates.regions):
        value = region.get("capex_factor", np.nan)
        if not np.isnan(value):
            key = str(region["level"]), str(region["region_id"])
            factor[members.get(key, np.zeros(0, dtype=np.int64))] *= value
    entries: dict[tuple[str, str], Entry] = {}
    for rule in scenario.regions.rules:
        for label, sites in _regions_of_rule(rule, candidates, members):
            factor[sites] *= rule.capex_factor
            delay[sites] = np.maximum(delay[sites], rule.hardware_delay_months)
            closed[np.ix_(sites, _closed_periods(rule, time))] = True
            if rule.allowed_hardware is not None:
                allowed.append((sites, frozenset(rule.allowed_hardware)))
            rows.append(_row(rule, label, sites, time))
            if rule.entry_musd > 0 or rule.min_it_mw_once_entered > 0:
                _enter(entries, rule.level, label, sites, rule)
    for level in scenario.regions.max_entered:
        for (of, region_id), sites in members.items():
            if of == level:
                _enter(entries, level, region_id, sites, None)
    limited = tuple(r for r in rows if _limits_something(r))
    return RegionSets(factor, delay, closed, tuple(allowed), limited, tuple(entries.values()))


def _members(candidates: Candidates, site_at: Mapping[str, int]) -> dict[tuple[str, str], IntArray]:
    table = candidates.site_regions
    table = table[table["site_id"].isin(list(site_at))]
    return {
        (str(level), str(region)): np.sort(positions(group["site_id"], site_at))
        for (level, region), group in table.groupby(["level", "region_id"], sort=True)
    }


def _regions_of_rule(
    rule: RegionRule, candidates: Candidates, members: Mapping[tuple[str, str], IntArray]
) -> Iterator[tuple[str, IntArray]]:
    none = np.zeros(0, dtype=np.int64)
    ids = rule.ids
    if ids is None:
        known = candidates.regions
        ids = sorted(known.loc[known["level"] == rule.level, "region_id"].astype(str))
    if rule.together:
        sets = [members.get((rule.level, region), none) for region in ids]
        yield "+".join(ids), np.unique(np.concatenate([none, *sets]))
    else:
        for region in ids:
            yield region, members.get((rule.level, region), none)


def _closed_periods(rule: RegionRule, time: Timeline) -> BoolArray:
    if rule.closed_from is None and rule.closed_to is None:
        return np.zeros(time.n, dtype=bool)
    starts = time.starts[:-1]
    return np.array(
        [
            (rule.closed_from is None or rule.closed_from <= p)
            and (rule.closed_to is None or p <= rule.closed_to)
            for p in starts
        ]
    )


def _row(rule: RegionRule, label: str, sites: IntArray, time: Timeline) -> RegionRow:
    def dated(series: dict | None, before: float) -> FloatArray | None:
        if series is None:
            return None
        values = [value_at(series, p) for p in time.starts[:-1]]
        return np.array([before if v is None else v for v in values], dtype=float)

    return RegionRow(
        label=f"{rule.level} {label}",
        sites=sites,
        max_grid_mw=dated(rule.max_grid_mw, np.inf),
        max_it_mw=dated(rule.max_it_mw, np.inf),
        min_it_mw=dated(rule.min_it_mw, 0.0),
        max_share=None if rule.max_share_pct is None else rule.max_share_pct / 100,
        max_co2_kt=rule.max_co2_kt_per_year,
        max_water_ml=rule.max_water_ml_per_year,
    )


def _limits_something(row: RegionRow) -> bool:
    return any(
        limit is not None
        for limit in (
            row.max_grid_mw, row.max_it_mw, row.min_it_mw, row.max_share, row.max_co2_kt,
            row.max_water_ml,
        )
    )  # fmt: skip


def _enter(
    entries: dict[tuple[str, str], Entry],
    level: str,
    region_id: str,
    sites: IntArray,
    rule: RegionRule | None,
) -> None:
    """Add what a rule asks for entering; several rules for one region add up."""
    old = entries.get((level, region_id))
    cost = (old.entry_musd if old else 0.0) + (rule.entry_musd if rule else 0.0)
    least = max(old.min_it_mw if old else 0.0, rule.min_it_mw_once_entered if rule else 0.0)
    single = rule is None or not rule.together
    entries[level, region_id] = Entry(level, region_id, sites, cost, least, single)
