"""Candidate sites as a table: plain facility location."""

from __future__ import annotations

import numpy as np
import pandas as pd

from sitepick.layers import common
from sitepick.layers.columns import Columns


def clean_sites(columns: Columns) -> pd.DataFrame:
    """Return `Layers.sites` of one file; geometry may be None."""
    ids = columns.ids("site_id")
    common.refuse_repeats(columns, ids, "site_id")
    geometry = columns.table.geometry
    if geometry is None:
        geometry = np.full(len(columns), None, dtype=object)
    return common.geo_frame(
        {
            "site_id": ids,
            "name": common.names(columns, ids),
            "fixed_musd": columns.number("fixed_musd", default=0.0),
            "capacity_mw": columns.number("capacity_mw"),
            "usable_ha": columns.number("usable_ha"),
            "poi_ids": columns.id_tuples("poi_ids"),
            "climate": columns.text("climate"),
            "gas": columns.choices("gas", default="unknown"),
        },
        geometry,
    )
