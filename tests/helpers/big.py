"""A run of the size of the US: the small plan by hand among many thousands of other places."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from plan_by_hand import run

from sitepick.run import Verdict

if TYPE_CHECKING:
    from sitepick.run import Run


def us_run(places: int, lines: int) -> Run:
    """Return a run with so many substations, a candidate at each (60 % rejected), and lines."""
    rng = np.random.default_rng(1)
    base = run()
    of = base.prepared.candidates
    lon, lat = rng.uniform(-124, -68, places).round(6), rng.uniform(26, 48, places).round(6)
    ids = [f"US{i:06d}" for i in range(places)]
    rejected = rng.random(places) < 0.6
    sites = of.sites.iloc[[0] * places].assign(
        site_id=ids, name=[f"Substation of town {i}" for i in range(places)], lon=lon, lat=lat,
        status=np.where(rejected, "rejected", "candidate"),
    )  # fmt: skip
    fallen = np.array(ids)[rejected]
    failed = pd.DataFrame(
        {
            "site_id": fallen, "test": "min_headroom_mw", "value": rng.uniform(0, 60, len(fallen)),
            "threshold": 60.0, "unit": "MW", "message": "",
        }
    )  # fmt: skip
    pois = of.pois.iloc[[1] * places].assign(
        poi_id=[f"P{i}" for i in ids], name=[f"Substation {i}" for i in range(places)],
        lon=lon, lat=lat, headroom_mw=rng.uniform(0, 800, places),
        kv=rng.choice([115.0, 138.0, 230.0, 345.0], places),
    )  # fmt: skip
    start = rng.integers(0, places, lines)
    walk = rng.normal(0, 0.05, (lines, 12, 2)).cumsum(1)
    kilovolts = [69.0, 115.0, 230.0, 345.0, 500.0]
    layer = gpd.GeoDataFrame(
        {
            "line_id": [f"L{i}" for i in range(lines)],
            "kv": rng.choice(kilovolts, lines, p=[0.3, 0.4, 0.2, 0.07, 0.03]),
        },
        geometry=shapely.linestrings(np.stack([lon[start], lat[start]], 1)[:, None, :] + walk),
        crs="EPSG:4326",
    )  # fmt: skip
    candidates = replace(
        of, sites=pd.concat([of.sites, sites], ignore_index=True),
        failed=pd.concat([of.failed, failed], ignore_index=True),
        pois=pd.concat([of.pois, pois], ignore_index=True),
    )  # fmt: skip
    prepared = replace(
        base.prepared, candidates=candidates, layers=replace(base.prepared.layers, lines=layer)
    )
    return replace(base, prepared=prepared, verdicts=(*base.verdicts, *_verdicts(ids, rejected)))


def _verdicts(ids: list[str], rejected: np.ndarray) -> list[Verdict]:
    """Return verdicts as a solve words them, each with figures of its own."""
    cost = np.random.default_rng(2).uniform(0, 40, len(ids))
    return [
        Verdict(site, "rejected", f"screened out: min_headroom_mw: {musd:.4g} against 60 MW")
        if out
        else Verdict(
            site, "not_chosen", "not chosen: at the plan's prices (LP) other sites serve the work "
            f"for less; N{k % 40} has the work; forced in it would cost {musd:,.2f} MUSD more (LP "
            "estimate); not proven dearer", estimate_musd=float(musd), proven_musd=0.0,
        )
        for k, (site, out, musd) in enumerate(zip(ids, rejected, cost, strict=True))
    ]  # fmt: skip
