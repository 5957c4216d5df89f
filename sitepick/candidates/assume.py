"""Another future (`scenario.assume`) in the tables that planning reads: MW, demand, prices."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from sitepick.candidates.types import Candidates
from sitepick.errors import LayerError
from sitepick.scenario.messages import did_you_mean
from sitepick.scenario.schema import Scenario

ENERGISED = "energised"
"""Stage of letters whose MW flow already: they are not cut."""


def assumed(scenario: Scenario, candidates: Candidates) -> Candidates:
    """Return the candidates with what ``scenario.assume`` says of their tables made true.

    Places stay as they were proposed: what a future takes away is missed by the plan, not by the
    screening. Raises LayerError for POIs that are not there.
    """
    assume, cand = scenario.assume, candidates
    offers, pois, shared = cand.offers, cand.pois, cand.shared_limits
    if assume.mw_pct != 100:
        share = assume.mw_pct / 100
        cut = np.where(offers["stage"].astype(str) == ENERGISED, 1.0, share)
        offers = _scaled(offers, "mw_total", cut)
        pois = _scaled(pois, "headroom_mw", share)
        shared = _scaled(shared, "mw", share)
    if assume.capex_pct != 100:
        factor = assume.capex_factor
        offers = _scaled(offers, "upgrade_musd", factor)
        cand = replace(
            cand,
            sites=_scaled(cand.sites, "fixed_musd", factor),
            onsite_sized=_scaled(cand.onsite_sized, "capex_usd_per_kw", factor),
        )
    if assume.demand_pct != 100:
        share = assume.demand_pct / 100
        cand = replace(
            cand,
            demand_mw=_scaled(cand.demand_mw, "mw", share),
            places=_scaled(cand.places, "mw", share),
        )
    if assume.lost_pois:
        shared = _without(scenario.assume.lost_pois, cand, shared)
    return replace(cand, offers=offers, pois=pois, shared_limits=shared)


def _scaled(table: pd.DataFrame, column: str, factor: float | np.ndarray) -> pd.DataFrame:
    if column not in table or not len(table):
        return table
    return table.assign(**{column: table[column].astype(float) * factor})


def _without(pois: list[str], cand: Candidates, shared: pd.DataFrame) -> pd.DataFrame:
    """Return the shared limits with one per lost POI: what stands there stays, nothing is added."""
    known = [str(b) for b in cand.pois["poi_id"]]
    lost = list(dict.fromkeys(pois))
    unknown = [b for b in lost if b not in known]
    if unknown:
        raise LayerError(
            [f"assume.lost_pois: no candidate may tie to a POI '{b}'{did_you_mean(b, known)}"
             for b in unknown]
        )  # fmt: skip
    rows = [(f"lost {poi}", poi, 1.0, 0.0, None, "assume.lost_pois") for poi in lost]
    columns = ["limit_id", "poi_id", "factor", "mw", "from_date", "source"]
    made = pd.DataFrame(rows, columns=columns)
    both = [part.astype(object) for part in (shared, made) if len(part)]
    joined = pd.concat(both, ignore_index=True)
    return joined.astype({"factor": float, "mw": float})
