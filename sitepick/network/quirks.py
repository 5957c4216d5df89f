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


class _Teller:
    """Adds a remark where something is so, with how many and which."""

    def __init__(self, raw: RawGrid) -> None:
        self.remarks = raw.remarks

    def note(
        self, code: str, what: str, ids: Sequence[str], rows: BoolArray, then: str = ""
    ) -> None:
        if rows.any():
            count = int(rows.sum())
            self.remarks.append((code, f"{what}: {count:,} ({some(ids, rows)}){then}", count))


def notes_of(grid: Grid, raw: RawGrid) -> Grid:
    """The grid with its notes: those of its reader, then what its figures show."""
    teller = _Teller(raw)
    _branches(grid, teller)
    _buses(grid, teller)
    _plants(grid, teller)
    _islands(grid, raw)
    notes = tuple(Note(ROLE, code, text, count) for code, text, count in raw.remarks)
    return replace(grid, notes=notes)


def _branches(grid: Grid, tell: _Teller) -> None:
    ids, guessed = grid.branch_ids, grid.rating_estimated
    tell.note(
        "grid_x_estimated", "branches whose x is a standard line's or bank's", ids, grid.x_estimated
    )
    tell.note(
        "grid_rating_estimated",
        "lines whose rating is a standard line's (St Clair)",
        ids,
        guessed & grid.is_line,
    )
    tell.note(
        "grid_transformer_unlimited",
        "transformers without a rating, taken as unlimited",
        ids,
        guessed & ~grid.is_line,
    )
    unlimited = np.isinf(grid.rating_mw) & ~guessed
    tell.note("grid_unlimited", "branches of rating 0, which means unlimited", ids, unlimited)
    zero = np.abs(grid.x_pu) < ZERO_X_PU
    tell.note("grid_zero_x", f"branches without impedance, x is {ZERO_X_PU:g}", ids, zero)
    negative = grid.x_pu <= -ZERO_X_PU
    what = "branches of negative x, as legs of three-winding transformers have"
    tell.note("grid_negative_x", what, ids, negative)


def _buses(grid: Grid, tell: _Teller) -> None:
    ids = grid.bus_ids
    then = "; no kV limit, such as that of outages, can take their branches in"
    tell.note("grid_kv_unknown", "buses without a voltage", ids, grid.bus_kv == 0, then)
    low = (grid.bus_kv > 0) & (grid.bus_kv <= 1.0)
    tell.note("grid_star_points", "buses of 1 kV and less, as star points are", ids, low)
    negative = grid.load_mw < 0
    tell.note("grid_negative_load", "buses of negative load, which feeds in", ids, negative)
    large = f"above {LARGE_MW:,.0f} MW at one bus"
    tell.note("grid_mw_large", f"loads {large}", ids, grid.load_mw > LARGE_MW, "; is it MW?")


def _plants(grid: Grid, tell: _Teller) -> None:
    plants, ties = grid.plants, grid.dc_ties
    large = plants.pmax_mw > LARGE_MW
    what = f"plants above {LARGE_MW:,.0f} MW"
    tell.note("grid_mw_large", what, plants.ids, large, "; is it MW?")
    what = "units that can draw power, as pumps or loads that may be shed"
    draws = plants.in_service & (plants.pmin_mw < 0)
    tell.note("grid_draws_power", what, plants.ids, draws)
    what = "direct-current lines that end in another grid"
    tell.note("grid_tie_outside", what, ties.ids, ties.other_bus < 0)


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
    inner = (ties.other_bus >= 0) & (island[ties.bus] == island[ties.other_bus])
    imports = np.where(inner, 0.0, np.maximum(ties.pmax_mw, 0.0))
    fed = np.bincount(island[ties.bus], weights=imports, minlength=count)
    names = [f"{size[k]} buses with {grid.bus_ids[first[k]]}" for k in range(count)]
    if count > 1:
        text = (
            f"{count} islands that no line joins, the largest of {size.max():,} buses, "
            f"{int((size == 1).sum())} of a single bus; each is balanced by itself"
        )
        raw.remarks.append(("grid_islands", text, count))
    dead = (running <= 0) & (load > 0) & (fed <= 0)
    if dead.any():
        text = (
            f"islands with load and no running plant or tie: {dead.sum()} ({some(names, dead)}); "
            f"{load[dead].sum():,.0f} MW cannot be served: add plants, or the missing branches"
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
