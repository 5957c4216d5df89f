"""Measured cost, distance or round-trip time from site to place, and decisions already made."""

from __future__ import annotations

import numpy as np
import pandas as pd

from sitepick.layers import common
from sitepick.layers.columns import Columns
from sitepick.scenario.inputs import MatrixFile


def clean_matrix(columns: Columns) -> pd.DataFrame:
    """Return `Layers.matrix` of one file: one value per site and place."""
    spec = columns.reading.spec
    assert isinstance(spec, MatrixFile)
    value = columns.number("value")
    common.need_filled(columns, "value", np.isnan(value))
    frame = common.plain_frame(
        {
            "site_id": columns.ids("site_id"),
            "place_id": columns.ids("place_id"),
            "meaning": [spec.meaning] * len(columns),
            "value": value,
        }
    )
    pair = np.array([f"{a} / {b}" for a, b in zip(frame.site_id, frame.place_id, strict=True)])
    common.refuse_repeats(columns, pair.astype(object), "pair of site and place")
    return frame


OF_MW = ("it_mw", "grid_mw")
"""What is committed in MW."""


def clean_commitments(columns: Columns) -> pd.DataFrame:
    """Return `Layers.commitments` of one file."""
    what = columns.choices("what")
    common.need_filled(columns, "what", common.missing(what))
    mw = columns.number("mw")
    common.need_filled(columns, "mw", np.isnan(mw) & np.isin(what.astype(str), OF_MW))
    group = columns.text("group")
    common.need_filled(columns, "group", common.missing(group) & (what == "member"))
    of_members = [g if w == "member" else None for g, w in zip(group, what, strict=True)]
    when = columns.dates("date")
    common.need_filled(columns, "date", common.missing(when))
    return common.plain_frame(
        {
            "site_id": columns.ids("site_id"),
            "what": what,
            "group": np.array(of_members, dtype=object),
            "mw": mw,
            "date": when,
            "musd": columns.number("musd", default=0.0),
        }
    )
