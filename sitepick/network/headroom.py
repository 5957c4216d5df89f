"""Withdrawal headroom: how much load one point of interconnection could add, taken alone.

Screening method of the heat maps that grid operators publish: DC power flow on one dispatch, a
fixed sink, normal ratings with everything in service and emergency ratings after each single line
outage. Headroom of POI b is the smallest of ``(limit_l - flow_l|c) / dfax_l|c,b`` over monitored
branches l and outages c, where ``dfax_l|c,b = dfax_l,b + lodf_l,c * dfax_c,b`` is the MW that one
MW of load at b adds to l while c is out; pairs below a shift-factor cutoff are not monitored.
Headrooms of several POIs do not add up. Voltage, short circuit and stability are not modelled.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from sitepick.errors import LayerError
from sitepick.network.grid import DcFlow, FloatArray, Grid, IntArray
from sitepick.network.processes import spread
from sitepick.network.screening import OVER_MW, Case, Found, Lost, Movement, Pairs, Screening

BASE_CASE = "base"
NO_LIMIT = "none"
NO_GENERATION = "no generation"
_PART = 128  # points or outages handed to a process at a time
_MOST_PAIRS = 60_000_000  # of 24 bytes; more would not fit beside the rest

Progress = Callable[[str, int, int], None]
"""Hears the name of the stage, parts done and parts in all."""


@dataclass(frozen=True)
class Headroom:
    """Withdrawal headroom of K points, each alone."""

    ids: tuple[str, ...]  # (K,) POI or bus
    headroom_mw: FloatArray  # (K,) grid MW, >= 0, at most ``cap_mw``
    limit_id: tuple[str, ...]  # (K,) branch that binds; NO_LIMIT if only the cap does
    outage_id: tuple[str, ...]  # (K,) lost branch, or BASE_CASE
    radial_ids: tuple[str, ...]  # branches not taken out because that would cut the grid in two
    # (branch, outage) above its limit before any new load. A branch above its emergency limit with
    # everything in service is listed with BASE_CASE alone.
    overloaded: tuple[tuple[str, str], ...]


def withdrawal_headroom(
    grid: Grid,
    pois: Sequence[str] | None = None,
    *,
    emergency_factor: float = 1.15,
    cutoff: float = 0.05,
    outage_min_kv: float = 100.0,
    outages: IntArray | None = None,
    cap_mw: float = np.inf,
    load_mw: FloatArray | None = None,
    gen_mw: FloatArray | None = None,
    sink: FloatArray | None = None,
    processes: int = 1,
    progress: Progress = lambda stage, done, total: None,
) -> Headroom:
    """Headroom of each POI (all if ``pois`` is None) at its bus of highest kV.

    ``emergency_factor`` times the normal rating holds after an outage; a pair counts where one MW
    of load puts at least ``cutoff`` MW on the branch; lines of ``outage_min_kv`` and more are taken
    out one at a time unless ``outages`` (branch indices, empty for none) names others. ``cap_mw``
    is returned where nothing binds below it. A pair over its limit before any new load leaves 0.

    The base is ``load_mw`` and ``gen_mw`` (N,) MW, those of the grid by default; what is missing or
    too much in an island is made up by its generation, pro rata, so that a balanced dispatch stays
    as it is. ``sink`` (N,) says which buses serve new load in each island, in any unit (default:
    ``gen_mw`` where positive).

    With ``processes`` above 1 the blocks are shared among fresh interpreters; call it from a main
    guarded module then. Raises `LayerError` for an unknown POI, and for a base that is no number.
    """
    wanted = grid.poi_ids if pois is None else tuple(pois)
    unknown = [poi for poi in wanted if poi not in grid.poi_index]
    if unknown:
        raise LayerError(
            [f"grid: POI {poi!r} has no bus; use a poi_id of buses" for poi in unknown]
        )
    dc = DcFlow(grid)
    load = _of_buses(grid, "load_mw", grid.load_mw if load_mw is None else load_mw)
    gen = _of_buses(grid, "gen_mw", grid.gen_mw if gen_mw is None else gen_mw)
    serving = _shares(dc, _of_buses(grid, "sink", gen if sink is None else sink))
    buses = grid.poi_bus[np.array([grid.poi_index[poi] for poi in wanted], dtype=np.int64)]
    case = Case(
        grid=grid,
        flow_mw=dc.flows(_balanced(dc, load, gen)),
        sink=serving,
        buses=buses,
        dead=np.flatnonzero(_per_island(dc, serving)[dc.island[buses]] == 0),
        emergency_factor=emergency_factor,
        cutoff=cutoff,
        cap_mw=cap_mw,
    )
    lost = default_outages(grid, outage_min_kv) if outages is None else outages
    return _screened(case, wanted, lost, processes, progress)


def default_outages(grid: Grid, min_kv: float) -> IntArray:
    """Indices of the lines (not transformers) whose two ends are at ``min_kv`` or more."""
    return np.flatnonzero(grid.is_line & (grid.bus_kv_of_branch >= min_kv))


def _of_buses(grid: Grid, name: str, values: FloatArray) -> FloatArray:
    array = np.asarray(values, dtype=float)
    if array.shape != (grid.n_bus,) or not np.isfinite(array).all():
        raise LayerError(f"grid: {name} must be one finite number for each of {grid.n_bus} buses")
    return array


def _per_island(dc: DcFlow, values: FloatArray) -> FloatArray:
    return np.bincount(dc.island, weights=values, minlength=dc.n_islands).astype(float)


def _shares(dc: DcFlow, weights: FloatArray) -> FloatArray:
    """(N,) shares that sum to 1 in each island, to 0 where no weight is positive."""
    weights = np.maximum(weights, 0.0)
    total = _per_island(dc, weights)[dc.island]
    return np.divide(weights, total, out=np.zeros_like(weights), where=total > 0)


def _balanced(dc: DcFlow, load: FloatArray, gen: FloatArray) -> FloatArray:
    """(N,) MW injected; all generation of an island makes up what it lacks or has too much.

    Load in an island without generation cannot be served and is left out.
    """
    share = _shares(dc, gen)
    missing = _per_island(dc, load - gen)[dc.island]
    alive = (_per_island(dc, share) > 0)[dc.island]
    return np.where(alive, gen - load + share * missing, 0.0)


def _screened(
    case: Case, ids: Sequence[str], lost: IntArray, processes: int, progress: Progress
) -> Headroom:
    grid = case.grid
    points = _parts(np.arange(case.buses.size))
    prepare = partial(Screening, case)
    found: list[Found] = []
    movement = Movement.none(grid.n_branch)
    work = partial(_base_case, outages_follow=bool(lost.size))
    told = partial(_told, progress, "base case", len(points))
    for part, moved in spread(prepare, work, points, processes=processes, told=told):
        found.append(part)
        if moved is not None:
            movement.join(moved)
    over = _over_in_base(case)
    radial = np.zeros(0, dtype=np.int64)
    if lost.size and points:
        results: list[Lost] = []
        parts = _parts(lost)
        told = partial(_told, progress, "outages", len(parts))
        work_outages = partial(_outages, movement=movement)
        count = 0
        for result in spread(prepare, work_outages, parts, processes=processes, told=told):
            results.append(result)
            count += result.pairs.branch.size
            if count > _MOST_PAIRS:
                raise LayerError(
                    f"grid: more than {_MOST_PAIRS:,} pairs of branch and outage may bind; screen "
                    "fewer outages or points, or set a lower cap or a higher emergency rating"
                )
        radial = np.concatenate([result.radial for result in results])
        over += [
            (branch, outage)
            for result in results
            for branch, outage in zip(
                result.over_branch.tolist(), result.over_outage.tolist(), strict=True
            )
        ]
        pairs = Pairs.joined([result.pairs for result in results])
        told = partial(_told, progress, "after outages", len(found))
        prepare = partial(Screening, case, pairs=pairs)
        found = list(spread(prepare, _after_outages, found, processes=processes, told=told))
    return _named(case, ids, found, radial, over)


def _parts(items: IntArray) -> list[IntArray]:
    return [items[start : start + _PART] for start in range(0, items.size, _PART)]


def _told(progress: Progress, stage: str, total: int, done: int) -> None:
    progress(stage, done, total)


def _base_case(
    screening: Screening, points: IntArray, *, outages_follow: bool
) -> tuple[Found, Movement | None]:
    return screening.base_case(points, outages_follow)


def _outages(screening: Screening, lost: IntArray, *, movement: Movement) -> Lost:
    return screening.outages(lost, movement)


def _after_outages(screening: Screening, known: Found) -> Found:
    return screening.after_outages(known)


def _over_in_base(case: Case) -> list[tuple[int, int]]:
    """(branch, -1) of branches above their normal rating with everything in service."""
    over = np.flatnonzero(np.abs(case.flow_mw) > case.grid.rating_mw + OVER_MW)
    return [(int(branch), -1) for branch in over]


def _named(
    case: Case,
    ids: Sequence[str],
    found: list[Found],
    radial: IntArray,
    over: list[tuple[int, int]],
) -> Headroom:
    names = case.grid.branch_ids
    dead = set(case.dead.tolist())
    branch = [k for part in found for k in part.branch.tolist()]
    outage = [k for part in found for k in part.outage.tolist()]
    return Headroom(
        ids=tuple(ids),
        headroom_mw=np.concatenate([np.zeros(0), *(part.mw for part in found)]),
        limit_id=tuple(
            NO_GENERATION if k in dead else NO_LIMIT if line < 0 else names[line]
            for k, line in enumerate(branch)
        ),
        outage_id=tuple(BASE_CASE if line < 0 else names[line] for line in outage),
        radial_ids=tuple(names[line] for line in radial.tolist()),
        overloaded=tuple(
            (names[line], BASE_CASE if lost < 0 else names[lost]) for line, lost in over
        ),
    )
