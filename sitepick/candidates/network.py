"""POIs where the grid itself is in the plan: what they can connect, and whether they have a bus."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import pandas as pd

from sitepick.candidates.ties import cap_mw
from sitepick.errors import LayerError
from sitepick.scenario.schema import Scenario

_SHOWN = 5


def stated(scenario: Scenario, pois: pd.DataFrame) -> pd.DataFrame:
    """Return ``pois`` with ``single_mw``, the layer's headroom of each POI alone (nan unknown).

    Where the grid limits, ``headroom_mw`` becomes what the POI's kV can connect, or
    ``power.max_mw_per_poi`` where the kV is unknown; nan without either.
    """
    pois = pois.assign(single_mw=pois["headroom_mw"].astype(float))
    if not scenario.connection_only or not len(pois):
        return pois
    most = scenario.power.max_mw_per_poi
    connects = cap_mw(pois["kv"].to_numpy(dtype=float), scenario.power)
    return pois.assign(headroom_mw=connects if most is None else np.fmin(connects, most))


def judged(scenario: Scenario, pois: pd.DataFrame, on_grid: Collection[str] | None) -> pd.DataFrame:
    """Return ``pois`` with the verdicts of `power.dated_mw` and two of the grid: no_bus, single MW.

    ``on_grid`` are the POIs of the grid's buses; None: there is no grid. Raises LayerError where no
    POI at all has a bus: ids of two different schemes.
    """
    test, why = (
        pois["test"].to_numpy(dtype=object).copy(),
        pois["why"].to_numpy(dtype=object).copy(),
    )
    if on_grid is not None:
        known = pois["poi_id"].isin(list(on_grid)).to_numpy()
        if len(pois) and not known.any():
            raise LayerError(
                f"grid: none of the {len(pois):,} POIs has a bus of that poi_id: POIs are "
                f"{_some(pois['poi_id'])}; the grid has {_some(on_grid)}"
            )
        absent = ~known & (test == "")
        test[absent], why[absent] = "no_bus", "the grid has no bus of this poi_id"
    if scenario.connection_only:
        single = pois["single_mw"].to_numpy(dtype=float) * scenario.power.headroom_pct / 100
        small = (test == "") & ~pois["has_letter"].to_numpy(dtype=bool)
        small &= single < scenario.candidates.min_headroom_mw
        test[small] = "min_headroom_mw"
        why[small] = [f"{mw:,.0f} MW of single headroom" for mw in single[small]]
    return pois.assign(test=test, why=why)


def _some(ids: Collection[str]) -> str:
    return ", ".join(sorted(str(i) for i in ids)[:_SHOWN]) + (", ..." if len(ids) > _SHOWN else "")
