"""Fiber nodes (points of presence) and links (routes)."""

from __future__ import annotations

import numpy as np
import pandas as pd

from sitepick.layers import common
from sitepick.layers.columns import Columns
from sitepick.layers.reading import count_of, some


def clean_nodes(columns: Columns) -> pd.DataFrame:
    """Return `Layers.fiber_nodes` of one file."""
    ids = common.ids_by_place(columns, "node_id")
    common.refuse_repeats(columns, ids, "node_id")
    common.note_same_place(columns)
    names = common.names(columns, ids)
    return common.geo_frame({"node_id": ids, "name": names}, columns.table.geometry)


def clean_links(columns: Columns) -> pd.DataFrame:
    """Return `Layers.fiber_links` of one file."""
    ids = common.ids_by_number(columns, "link_id", "link-")
    common.refuse_repeats(columns, ids, "link_id")
    return common.geo_frame(
        {
            "link_id": ids,
            "from_node": columns.ids("from_node", required=False),
            "to_node": columns.ids("to_node", required=False),
        },
        columns.table.geometry,
    )


def drop_loops(columns: Columns) -> Columns:
    """Return the columns without links from a node to itself, which are noted."""
    start, end = columns.ids("from_node", required=False), columns.ids("to_node", required=False)
    loop = np.array([a is not None and a == b for a, b in zip(start, end, strict=True)], dtype=bool)
    if not loop.any():
        return columns
    rows = columns.ats(np.flatnonzero(loop))
    text = f"{count_of(len(rows), 'link')} from a node to itself left out"
    columns.reading.note("fiber_loop", f"{text} ({some(rows)})", len(rows))
    return columns.on(columns.table.take(~loop))
