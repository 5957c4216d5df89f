"""Non-firm MW of areas: what the load curve of each leaves, and which POIs share it."""

from __future__ import annotations

import numpy as np
import pandas as pd

from sitepick.candidates import regions
from sitepick.candidates.text import some
from sitepick.candidates.types import MARGINS
from sitepick.errors import ScenarioError
from sitepick.layers.types import Layers, LoadCurve, Note
from sitepick.network.margin import Margin, margin, margin_at
from sitepick.scenario.flexible import Area
from sitepick.scenario.schema import Scenario

YEAR_HOURS = 8760.0


def margins(
    scenario: Scenario, layers: Layers, pois: pd.DataFrame
) -> tuple[pd.DataFrame, list[Note]]:
    """Return `Candidates.margins` over all POIs (poi_id, lon, lat), and notes.

    Raises ScenarioError for areas that name POIs or regions which no layer has, all of them.
    """
    areas = scenario.flexible.areas
    inside, _ = regions.locate(
        pois["poi_id"], pois["lon"].to_numpy(float), pois["lat"].to_numpy(float),
        layers.regions, "poi_id",
    )  # fmt: skip
    rows, notes, problems = [], [], []
    known = set(pois["poi_id"])
    for i, (area, curve) in enumerate(zip(areas, layers.curves, strict=True)):
        if area.poi_ids is not None:
            named = sorted(set(area.poi_ids))
            strange = [b for b in named if b not in known]
            if strange:
                problems.append(
                    f"flexible.areas.{i}.poi_ids: no layer or letter has the POI {some(strange)}"
                )
        else:
            here = (inside["level"] == area.level) & (inside["region_id"] == area.region_id)
            named = sorted(inside["poi_id"][here])
            ids = _region_ids(layers, area.level)
            if area.region_id not in ids:
                problems.append(
                    f"flexible.areas.{i}.region_id: no {area.level} '{area.region_id}' in "
                    f"layers.regions; it has {some(ids)}"
                )
        found = _granted(area, curve)
        hardest = found.hardest_event_hours
        rows.append(
            (area.name, found.mw, found.hours, found.mean_depth, found.deepest,
             np.nan if hardest is None else hardest, tuple(named))
        )  # fmt: skip
        empty = "" if named else "; no POI lies in it"
        whence = "as stated" if curve is None else "adequacy of generation, not of wires"
        message = (
            f"area '{area.name}': {found.mw:,.0f} non-firm MW, {found.curtail_pct:.3g} % of their "
            f"energy cut, in {found.hours:,.0f} hours a year by {100 * found.mean_depth:.0f} % in "
            f"the mean; {whence}{empty}"
        )
        notes.append(Note("curve", "area_margin", message, len(named)))
    if problems:
        raise ScenarioError(problems)
    return pd.DataFrame(rows, columns=list(MARGINS)), notes


def _granted(area: Area, curve: LoadCurve | None) -> Margin:
    """Return what the curve leaves, or what is granted of it; without a curve what is stated."""
    if curve is None:
        mw, hours = area.mw_max or 0.0, area.curtail_hours_per_year or 0.0
        share, cut = 100 * hours / YEAR_HOURS, float(hours > 0)
        return Margin(share, mw, mw * hours, hours, cut, cut, None, None, None, None)
    found = margin(curve, area.curtail_pct, area.peak_mw)
    if area.mw_max is not None and area.mw_max < found.mw:
        return margin_at(curve, area.mw_max, area.peak_mw)
    return found


def _region_ids(layers: Layers, level: str | None) -> list[str]:
    if layers.regions is None:
        return []
    return sorted(layers.regions["region_id"][layers.regions["level"] == level])


def at_pois(found: pd.DataFrame, ids: np.ndarray) -> np.ndarray:
    """Return (n,) the non-firm MW that each POI could have if it were alone in its areas."""
    out = np.zeros(len(ids))
    for mw, named in zip(found["mw"], found["poi_ids"], strict=True):
        out[np.isin(ids, np.array(named, dtype=object))] += float(mw)
    return out


def of_pois(found: pd.DataFrame, used: set[str]) -> pd.DataFrame:
    """Return the margins with only the POIs that some candidate can tie to."""
    kept = [tuple(b for b in named if b in used) for named in found["poi_ids"]]
    return found.assign(poi_ids=pd.Series(kept, dtype=object, index=found.index))
