"""What is odd about a grid, told and never silent: islands, missing generation, zero impedance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from sitepick.layers.types import Note
from sitepick.network.raw import RawGrid
from sitepick.network.types import BoolArray, Grid

ROLE = "grid"
ZERO_X_PU = 1e-7
"""A branch without impedance (a closed bus coupler) gets this reactance: two orders of magnitude
below the smallest one in the bundled grids, large enough not to spoil the factorisation."""
LARGE_MW = 10_000.0
"""A single plant or load above this is rare enough to look at its unit."""
_SHOWN = 3


def some(ids: Sequence[str], rows: BoolArray) -> str:
    """The first few ids where ``rows`` is True."""
    at = np.flatnonzero(rows)
    shown = ", ".join(ids[k] for k in at[:_SHOWN])
    return shown + (", ..." if at.size > _SHOWN else "")


def notes_of(grid: Grid, raw: RawGrid) -> Grid:
    """The grid with its notes: those of its reader, then what its figures show."""
    _branches(grid, raw)
    _buses(grid, raw)
    _islands(grid, raw)
    notes = tuple(Note(ROLE, code, text, count) for code, text, count in raw.remarks)
    return replace(grid, notes=notes)


def _branches(grid: Grid, raw: RawGrid) -> None:
    ids = grid.branch_ids
    if (rows := grid.x_estimated).any():
        text = f"x of {rows.sum()} branches is estimated from standard types: {some(ids, rows)}"
        raw.remarks.append(("grid_x_estimated", text, int(rows.sum())))
    if (rows := grid.rating_estimated & grid.is_line).any():
        text = f"the rating of {rows.sum()} lines is estimated (St Clair): {some(ids, rows)}"
        raw.remarks.append(("grid_rating_estimated", text, int(rows.sum())))
    if (rows := grid.rating_estimated & ~grid.is_line).any():
        text = f"{rows.sum()} transformers state no rating: unlimited ({some(ids, rows)})"
        raw.remarks.append(("grid_transformer_unlimited", text, int(rows.sum())))
    if (rows := np.isinf(grid.rating_mw) & ~grid.rating_estimated).any():
        text = f"{rows.sum()} branches have rating 0, which means unlimited: {some(ids, rows)}"
        raw.remarks.append(("grid_unlimited", text, int(rows.sum())))
    if (rows := np.abs(grid.x_pu) < ZERO_X_PU).any():
        text = f"{rows.sum()} branches have no impedance; x is {ZERO_X_PU:g}: {some(ids, rows)}"
        raw.remarks.append(("grid_zero_x", text, int(rows.sum())))
    if (rows := grid.x_pu <= -ZERO_X_PU).any():
        text = (
            f"{rows.sum()} branches have a negative x, as a leg of a three-winding transformer "
            f"may: {some(ids, rows)}"
        )
        raw.remarks.append(("grid_negative_x", text, int(rows.sum())))


def _buses(grid: Grid, raw: RawGrid) -> None:
    if (rows := grid.bus_kv == 0).any():
        text = (
            f"{rows.sum()} buses state no voltage: {some(grid.bus_ids, rows)}; "
            "no kV limit, such as that of outages, can take their branches in"
        )
        raw.remarks.append(("grid_kv_unknown", text, int(rows.sum())))
    if (rows := (grid.bus_kv > 0) & (grid.bus_kv <= 1.0)).any():
        text = (
            f"{rows.sum()} buses of 1 kV and less, as star points are: {some(grid.bus_ids, rows)}"
        )
        raw.remarks.append(("grid_star_points", text, int(rows.sum())))
    if (rows := grid.load_mw < 0).any():
        text = f"{rows.sum()} buses have a negative load, so feed in: {some(grid.bus_ids, rows)}"
        raw.remarks.append(("grid_negative_load", text, int(rows.sum())))
    for ids, mw, what in (
        (grid.bus_ids, grid.load_mw, "buses carry a load"),
        (grid.plants.ids, grid.plants.pmax_mw, "plants have a capacity"),
    ):
        if (rows := mw > LARGE_MW).any():
            text = f"{rows.sum()} {what} above {LARGE_MW:,.0f} MW: {some(ids, rows)}; is it MW?"
            raw.remarks.append(("grid_mw_large", text, int(rows.sum())))


def _islands(grid: Grid, raw: RawGrid) -> None:
    n = grid.n_bus
    links = sparse.coo_matrix((np.ones(grid.n_branch), (grid.from_bus, grid.to_bus)), shape=(n, n))
    count, island = connected_components(links, directed=False)
    count = int(count)
    _, first = np.unique(island, return_index=True)
    size = np.bincount(island, minlength=count)
    load = np.bincount(island, weights=grid.load_mw, minlength=count)
    capacity = np.bincount(island, weights=grid.pmax_mw, minlength=count)
    running = np.bincount(island, weights=np.maximum(grid.gen_mw, 0.0), minlength=count)
    ties = grid.dc_ties
    fed = np.bincount(island[ties.bus], weights=np.maximum(ties.pmax_mw, 0.0), minlength=count)
    names = [f"{size[k]} buses with {grid.bus_ids[first[k]]}" for k in range(count)]
    if count > 1:
        text = (
            f"{count} islands that no line joins, the largest of {size.max():,} buses, "
            f"{int((size == 1).sum())} of a single bus; each is balanced by itself"
        )
        raw.remarks.append(("grid_islands", text, count))
    dead = (running <= 0) & (load > 0)
    if dead.any():
        text = (
            f"{dead.sum()} islands have load and no running generation, so {load[dead].sum():,.0f} "
            f"MW cannot be served: {some(names, dead)}; add plants, or the branches that are "
            "missing"
        )
        raw.remarks.append(("grid_no_generation", text, int(dead.sum())))
    short = (load > capacity + fed) & (running > 0)
    if short.any():
        worst = int(np.argmax(np.where(short, load - capacity - fed, -np.inf)))
        text = (
            f"load is above capacity in {short.sum()} islands: {load[worst]:,.0f} MW against "
            f"{capacity[worst] + fed[worst]:,.0f} MW of running plants and ties ({names[worst]})"
        )
        raw.remarks.append(("grid_load_above_capacity", text, int(short.sum())))
