"""Demand places, and their demand by workload and date."""

from __future__ import annotations

import numpy as np
import pandas as pd

from sitepick.layers import common
from sitepick.layers.columns import Columns
from sitepick.layers.power import MW_STEPS


def clean_demand(columns: Columns) -> pd.DataFrame:
    """Return `Layers.demand` of one file; geometry may be None (plain facility location)."""
    if columns.has("place_id"):
        ids = columns.ids("place_id")
    elif columns.has("name") and not common.repeated(columns.text("name")):
        ids = columns.ids("name")
        text = "no column for place_id: the names serve as ids; `id: COLUMN` names one"
        columns.reading.note("ids_made", text, len(ids))
    elif columns.table.geometry is not None:
        ids = common.ids_by_place(columns, "place_id")
    else:
        columns.reading.fault("no column for place_id; name one by `id: COLUMN`")
        ids = np.array([str(n) for n in columns.table.number], dtype=object)
    common.refuse_repeats(columns, ids, "place_id")
    weight = columns.number("weight", default=np.nan if columns.has("weight") else 1.0)
    common.need_filled(columns, "weight", np.isnan(weight))
    mw = columns.number("mw")
    common.check_scale(columns, "mw", mw, "MW", MW_STEPS)
    geometry = columns.table.geometry
    if geometry is None:
        geometry = np.full(len(columns), None, dtype=object)
    return common.geo_frame(
        {
            "place_id": ids,
            "name": common.names(columns, ids),
            "weight": weight,
            "mw": mw,
        },
        geometry,
    )


def clean_demand_mw(columns: Columns) -> pd.DataFrame:
    """Return `Layers.demand_mw` of one file."""
    mw = columns.number("mw")
    common.need_filled(columns, "mw", np.isnan(mw))
    when = columns.dates("from_date")
    common.need_filled(columns, "from_date", common.missing(when))
    workload = columns.text("workload")
    frame = common.plain_frame(
        {
            "place_id": columns.ids("place_id"),
            "workload": np.where(common.missing(workload), "it", workload),
            "from_date": when,
            "mw": mw,
        }
    )
    parts = zip(frame["place_id"], frame["workload"], frame["from_date"], strict=True)
    key = np.array([f"{a} / {b} / {c}" for a, b, c in parts], dtype=object)
    common.refuse_repeats(columns, key, "place, workload and date")
    return frame
