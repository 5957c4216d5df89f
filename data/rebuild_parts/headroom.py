"""National withdrawal headroom, one substation at a time, of the synthetic US grid."""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path

import numpy as np
import pandas as pd

from rebuild_parts.power import HEADROOM_CAP_MW
from rebuild_parts.write import DATA, write_csv
from sitepick.network.grid import Grid
from sitepick.network.headroom import withdrawal_headroom

MIN_KV = 100.0


def build(_: Path) -> None:
    """Write `us_headroom.csv.gz`: stored dispatch, everything in service (about ten minutes)."""
    grid = Grid.read(DATA / "us_grid")
    pois = [
        poi
        for poi, bus in zip(grid.poi_ids, grid.poi_bus, strict=True)
        if grid.bus_kv[bus] >= MIN_KV
    ]
    found = withdrawal_headroom(
        grid,
        pois,
        outages=np.zeros(0, dtype=np.int64),
        cap_mw=HEADROOM_CAP_MW,
        processes=os.cpu_count() or 1,
    )
    write(dict(zip(found.ids, found.headroom_mw.tolist(), strict=True)), found.limit_id)


def write(headroom_mw: dict[str, float], limit_id: tuple[str, ...]) -> None:
    """Write the layer: places and voltages as in the substations layer."""
    text = gzip.decompress((DATA / "us_substations.geojson.gz").read_bytes())
    features = {f["properties"]["poi_id"]: f for f in json.loads(text)["features"]}
    rows = []
    for (poi, mw), limit in zip(headroom_mw.items(), limit_id, strict=True):
        facts, (lon, lat) = features[poi]["properties"], features[poi]["geometry"]["coordinates"]
        kv = facts["kv_levels"] or facts["kv_max"]
        rows.append((poi, facts["name"], lon, lat, kv, round(mw, 1), limit, True, True))
    columns = ["poi_id", "name", "lon", "lat", "kv_levels", "headroom_mw", "headroom_limit",
               "headroom_estimated", "synthetic"]  # fmt: skip
    write_csv("us_headroom.csv.gz", pd.DataFrame(rows, columns=columns), {"headroom_mw": 1})
