"""Fiber nodes (points of presence), links (routes), and rights of way along which more may go."""

from __future__ import annotations

import numpy as np
import pandas as pd
import shapely

from sitepick.layers import common
from sitepick.layers.columns import Columns
from sitepick.layers.reading import count_of, some


def clean_nodes(columns: Columns) -> pd.DataFrame:
    """Return `Layers.fiber_nodes` of one file."""
    ids = common.ids_by_place(columns, "node_id")
    columns, ids = _once(columns, ids, [])
    common.note_same_place(columns)
    names = common.names(columns, ids)
    return common.geo_frame({"node_id": ids, "name": names}, columns.table.geometry)


def clean_links(columns: Columns) -> pd.DataFrame:
    """Return `Layers.fiber_links` of one file."""
    ids = common.ids_by_number(columns, "link_id", "link-")
    columns, ids = _once(columns, ids, ["from_node", "to_node"])
    fibers = columns.number("fibers", low=1)
    pairs = columns.number("pairs", low=0)
    return common.geo_frame(
        {
            "link_id": ids,
            "from_node": columns.ids("from_node", required=False),
            "to_node": columns.ids("to_node", required=False),
            "km": columns.number("km"),
            "owner": columns.text("owner"),
            "pairs": np.where(np.isnan(pairs), np.floor(fibers / 2), pairs),
            "lit": _yes_no_or_none(columns, "lit"),
            "lit_tbps": columns.number("lit_tbps"),
            "lease_usd_per_km_year": columns.number("lease_usd_per_km_year"),
            "in_service": columns.dates("in_service"),
        },
        columns.table.geometry,
    )


def clean_rights_of_way(columns: Columns) -> pd.DataFrame:
    """Return `Layers.rights_of_way` of one file."""
    ids = common.ids_by_number(columns, "row_id", "row-")
    columns, ids = _once(columns, ids, [])
    return common.geo_frame({"row_id": ids, "kind": columns.text("kind")}, columns.table.geometry)


def _once(columns: Columns, ids: np.ndarray, also: list[str]) -> tuple[Columns, np.ndarray]:
    """Return the rows and ids without repeats, which are noted.

    A row that repeats another in id, place and the columns ``also`` is left out; one that shares
    only the id gets one of its own: ``id~2``.
    """
    twice = set(common.repeated(ids))
    if not twice:
        return columns, ids
    geometry = columns.table.geometry
    assert geometry is not None
    wkb = shapely.to_wkb(shapely.normalize(geometry))
    ends = [columns.ids(name, required=False) for name in also]
    kept, out, seen = np.ones(len(ids), dtype=bool), ids.copy(), set(ids)
    first: set[tuple[object, ...]] = set()
    once: set[str] = set()
    for i, ident in enumerate(ids):
        if ident not in twice:
            continue
        row = (ident, wkb[i], *(e[i] for e in ends))
        if row in first:
            kept[i] = False
        elif ident in once:
            number = 2
            while f"{ident}~{number}" in seen:
                number += 1
            out[i] = f"{ident}~{number}"
            seen.add(out[i])
        first.add(row)
        once.add(ident)
    same, other = int((~kept).sum()), int((out != ids).sum())
    text = (
        f"{count_of(len(twice), 'id')} given more than once ({some(sorted(twice))}): {same} rows "
        f"that are the same were left out, {other} that differ are called id~2, id~3 ..."
    )
    columns.reading.note("fiber_repeat", text, same + other)
    return columns.on(columns.table.take(kept)), out[kept]


def _yes_no_or_none(columns: Columns, name: str) -> np.ndarray:
    yes, known = columns.flags(name, default=False), columns.raw(name)
    cells = [None if c is None else bool(y) for c, y in zip(known, yes, strict=True)]
    return np.array(cells, dtype=object)


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
