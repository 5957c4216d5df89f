"""From the tables of a reader to a `Grid`: every fault at once, what is odd as notes."""

from __future__ import annotations

import numpy as np
import pandas as pd

from sitepick.errors import LayerError
from sitepick.network.estimate import Estimate, estimate
from sitepick.network.quirks import notes_of
from sitepick.network.raw import RawGrid
from sitepick.network.sheet import report
from sitepick.network.types import (
    MAX_KV,
    MIN_KV,
    BoolArray,
    DcTies,
    FloatArray,
    Grid,
    IntArray,
    Plants,
)

MAX_TAP = 100.0
MIN_MVA = 1e-3
MOST_LOAD, MOST_CAPACITY = 300.0, 700.0
"""Load over capacity, and capacity over load, from which the two are not both in MW: kW for MW
makes it a thousand times the usual 0.3 to 1."""


def assemble(raw: RawGrid) -> Grid:
    """Check the tables of ``raw`` and make the grid.

    Left out, and counted in the notes: what is out of service, and buses out of service with all
    that is at them. Raises `LayerError` with every fault: ids given twice, ends that are no bus,
    branches from a bus to itself, negative ratings and taps, plants whose minimum is above their
    maximum, load in another unit than capacity, and branches of which nothing can be estimated.
    """
    if raw.problems:
        raise LayerError(raw.problems)
    _unique(raw)
    _inverted(raw)
    ends = _ends(raw)
    if raw.problems:
        raise LayerError(raw.problems)
    start, end = _leave_out(raw, *ends)
    guess = estimate(raw, start, end)
    _units(raw)
    if raw.problems:
        raise LayerError(raw.problems)
    grid = _grid(raw, start, end, guess)
    return notes_of(grid, raw)


def _faults(
    raw: RawGrid, frame: pd.DataFrame, key: str, rows: BoolArray, what: str, cure: str
) -> None:
    bad = frame[rows]
    lines = [
        f"{place}: {key} {name!r} {what}; {cure}"
        for place, name in zip(bad["place"], bad[key], strict=True)
    ]
    report(raw.problems, lines)


def _unique(raw: RawGrid) -> None:
    keyed = (
        (raw.buses, "bus_id"),
        (raw.branches, "branch_id"),
        (raw.plants, "plant_id"),
        (raw.dclines, "dcline_id"),
    )
    for frame, key in keyed:
        ids = frame[key]
        twice = ids.duplicated().to_numpy()
        _faults(raw, frame, key, twice, "appears more than once", "make the ids unique")
        blank = (ids == "").to_numpy(dtype=bool)
        _faults(raw, frame, key, blank & ~twice, "is empty", "give each row an id")
    if not len(raw.buses):
        raw.problems.append(f"{raw.source}: no bus at all; the tables are empty")


def _inverted(raw: RawGrid) -> None:
    branches, plants, dclines = raw.branches, raw.plants, raw.dclines
    short = [
        start is not None and end is not None and start >= end
        for start, end in zip(plants["from_date"], plants["to_date"], strict=True)
    ]
    bad = np.array(short, dtype=bool)
    _faults(raw, plants, "plant_id", bad, "ends before it begins", "swap from_date and to_date")
    bad = (branches["rating_mva"] < 0).to_numpy()
    _faults(raw, branches, "branch_id", bad, "has a negative rating", "0 means unlimited")
    bad = (branches["tap"] < 0).to_numpy()
    _faults(raw, branches, "branch_id", bad, "has a negative tap ratio", "1 is nominal")
    bad = ((branches["rating_mva"] > 0) & (branches["rating_mva"] < MIN_MVA)).to_numpy()
    _faults(raw, branches, "branch_id", bad, "has a rating near 0", "0 means unlimited")
    tap = branches["tap"].to_numpy()
    odd = (tap > 0) & ~((tap >= 1 / MAX_TAP) & (tap <= MAX_TAP))
    _faults(raw, branches, "branch_id", odd, "has a tap ratio of no transformer", "1 is nominal")
    odd = np.isinf(branches["x_pu"].to_numpy()) | ~np.isfinite(branches["shift_deg"].to_numpy())
    _faults(raw, branches, "branch_id", odd, "has an infinite x or shift", "leave the branch out")
    bad = (branches["km"] < 0).to_numpy()
    _faults(raw, branches, "branch_id", bad, "has a negative length", "write km, or leave it empty")
    bad = (branches["from_bus"] == branches["to_bus"]).to_numpy(dtype=bool)
    _faults(raw, branches, "branch_id", bad, "joins a bus to itself", "remove it")
    kv = raw.buses["base_kv"].to_numpy()
    _faults(raw, raw.buses, "bus_id", kv < 0, "has a negative voltage", "0 means unknown")
    odd = (kv > 0) & ((kv < MIN_KV) | (kv > MAX_KV)) | np.isnan(kv)
    _faults(raw, raw.buses, "bus_id", odd, "has a voltage of no grid", "write it in kV, not V")
    bad = ~np.isfinite(raw.buses["load_mw"].to_numpy())
    _faults(raw, raw.buses, "bus_id", bad, "has no finite load", "state its MW")
    costs = plants[["cost_usd_h", "cost_usd_mwh", "cost_usd_mw2h"]].to_numpy()
    bad = ~np.isfinite(costs).all(axis=1)
    _faults(raw, plants, "plant_id", bad, "has no finite cost", "correct it")
    both = ((plants, "plant_id"), (dclines, "dcline_id"))
    for frame, key in both:
        bad = (frame["pmin_mw"] > frame["pmax_mw"] + 1e-9).to_numpy()
        _faults(raw, frame, key, bad, "has a minimum above its maximum", "correct the MW")
        bad = ~np.isfinite(frame[["pmin_mw", "pmax_mw"]].to_numpy()).all(axis=1)
        _faults(raw, frame, key, bad, "has no finite MW", "state its capacity")


def _positions(ids: pd.Series, known: dict[str, int]) -> IntArray:
    return np.array([known.get(item, -1) for item in ids], dtype=np.int64)


def _ends(raw: RawGrid) -> tuple[IntArray, IntArray]:
    """(M,) index of both ends of each branch; whatever is at no bus becomes a fault."""
    known = {bus: k for k, bus in enumerate(raw.buses["bus_id"])}
    ends = []
    for column in ("from_bus", "to_bus"):
        ends.append(_positions(raw.branches[column], known))
        _strangers(raw, raw.branches, "branch_id", column, ends[-1] < 0)
    at = _positions(raw.plants["bus_id"], known)
    _strangers(raw, raw.plants, "plant_id", "bus_id", at < 0)
    first, last = (_positions(raw.dclines[c], known) for c in ("from_bus", "to_bus"))
    for column, here, there in (("from_bus", first, last), ("to_bus", last, first)):
        away = raw.dclines[column].isin(raw.outside).to_numpy()
        lost = (here < 0) & (there < 0) & ~away
        _strangers(raw, raw.dclines, "dcline_id", column, lost)
    return ends[0], ends[1]


def _strangers(raw: RawGrid, frame: pd.DataFrame, key: str, column: str, rows: BoolArray) -> None:
    bad = frame[rows]
    lines = [
        f"{place}: {column} {bus!r} of {name} is no bus_id of buses; correct it or add the bus"
        for place, bus, name in zip(bad["place"], bad[column], bad[key], strict=True)
    ]
    report(raw.problems, lines)


def _leave_out(raw: RawGrid, start: IntArray, end: IntArray) -> tuple[IntArray, IntArray]:
    """Drop what is out of service from ``raw``; return the ends (M,) of the branches that stay."""
    alive = raw.buses["in_service"].to_numpy(dtype=bool)
    dead = set(raw.buses["bus_id"][~alive])
    stays = raw.branches["in_service"].to_numpy(dtype=bool) & alive[start] & alive[end]
    if (gone := int((~stays).sum())) > 0:
        text = f"{gone} branches out of service were left out"
        raw.remarks.append(("grid_out_of_service", text, gone))
    if dead:
        lost_mw = float(raw.buses["load_mw"][~alive].sum())
        text = f"{len(dead)} isolated buses were left out, with {lost_mw:g} MW of load"
        raw.remarks.append(("grid_isolated_buses", text, len(dead)))
    running = raw.dclines["in_service"].to_numpy(dtype=bool)
    off = raw.dclines[["from_bus", "to_bus"]].isin(dead).any(axis=1).to_numpy()
    here = raw.dclines[["from_bus", "to_bus"]].isin(set(raw.buses["bus_id"])).any(axis=1)
    raw.dclines = raw.dclines[running & ~off & here.to_numpy()].reset_index(drop=True)
    raw.plants = raw.plants[~raw.plants["bus_id"].isin(dead).to_numpy()].reset_index(drop=True)
    raw.branches = raw.branches[stays].reset_index(drop=True)
    raw.buses = raw.buses[alive].reset_index(drop=True)
    new = np.cumsum(alive) - 1
    return new[start[stays]], new[end[stays]]


def _units(raw: RawGrid) -> None:
    load = float(raw.buses["load_mw"].clip(lower=0).sum())
    capacity = float(raw.plants["pmax_mw"].clip(lower=0).sum())
    at_most = ((load, MOST_LOAD, capacity, "load"), (capacity, MOST_CAPACITY, load, "capacity"))
    for much, factor, little, name in at_most:
        if little > 0 and much > factor * little:
            frame, key, mw = (
                (raw.buses, "bus_id", "load_mw")
                if name == "load"
                else (raw.plants, "plant_id", "pmax_mw")
            )
            top = frame.iloc[int(frame[mw].to_numpy().argmax())]
            raw.problems.append(
                f"{top['place']}: the {name} is {much:,.0f} MW in all, {much / little:,.0f} times "
                f"{'the capacity' if name == 'load' else 'the load'}, the most at {top[key]}: it "
                f"looks like kW; convert {mw} to MW"
            )


def _dispatch(raw: RawGrid) -> FloatArray:
    """(G,) MW stored dispatch; in proportion to capacity where no plant has one."""
    pg = raw.plants["pg_mw"].to_numpy(copy=True)
    running = raw.plants["in_service"].to_numpy(dtype=bool)
    if np.nansum(np.abs(pg[running])) > 0 or not running.any():
        return np.nan_to_num(pg, nan=0.0)
    load = float(raw.buses["load_mw"].sum())
    pmax = np.maximum(raw.plants["pmax_mw"].to_numpy(), 0.0)
    total = float(pmax[running].sum())
    text = "no dispatch is stated: all plants run in proportion to their capacity"
    raw.remarks.append(("grid_no_dispatch", text, int(running.sum())))
    return np.where(running, pmax * (load / total if total > 0 else 0.0), 0.0)


def _grid(raw: RawGrid, start: IntArray, end: IntArray, guess: Estimate) -> Grid:
    buses, branches = raw.buses, raw.branches
    known = {bus: k for k, bus in enumerate(buses["bus_id"])}
    plants = _plants(raw, known)
    running = plants.in_service

    def at_buses(mw: FloatArray) -> FloatArray:
        weights, n = mw[running], len(buses)
        return np.bincount(plants.bus[running], weights=weights, minlength=n).astype(float)

    tap = branches["tap"].to_numpy()
    poi_ids, poi_bus = _poi_buses(buses)
    return Grid(
        bus_ids=tuple(buses["bus_id"]),
        bus_kv=buses["base_kv"].to_numpy(copy=True),
        load_mw=buses["load_mw"].to_numpy(copy=True),
        gen_mw=at_buses(plants.pg_mw),
        pmax_mw=at_buses(plants.pmax_mw),
        branch_ids=tuple(branches["branch_id"]),
        from_bus=start,
        to_bus=end,
        x_pu=guess.x_pu,
        tap=np.where(tap == 0, 1.0, tap),
        shift_rad=np.deg2rad(branches["shift_deg"].to_numpy()),
        rating_mw=guess.rating_mw,
        is_line=branches["is_line"].to_numpy(dtype=bool, copy=True),
        stored_mw=branches["pf_mw"].to_numpy(copy=True),
        poi_ids=poi_ids,
        poi_bus=poi_bus,
        plants=plants,
        dc_ties=_ties(raw.dclines, known),
        zone=tuple(buses["zone"]),
        poi_of_bus=_positions(buses["poi_id"], {poi: k for k, poi in enumerate(poi_ids)}),
        bus_lon=buses["lon"].to_numpy(dtype=float, copy=True),
        bus_lat=buses["lat"].to_numpy(dtype=float, copy=True),
        x_estimated=guess.x_estimated,
        rating_estimated=guess.rating_estimated,
        synthetic=raw.synthetic,
    )


def _plants(raw: RawGrid, known: dict[str, int]) -> Plants:
    plants = raw.plants
    return Plants(
        ids=tuple(plants["plant_id"]),
        bus=_positions(plants["bus_id"], known),
        fuel=tuple(fuel.lower() for fuel in plants["fuel"]),
        pmax_mw=plants["pmax_mw"].to_numpy(copy=True),
        pmin_mw=plants["pmin_mw"].to_numpy(copy=True),
        pg_mw=_dispatch(raw),
        cost_usd_h=plants["cost_usd_h"].to_numpy(copy=True),
        cost_usd_mwh=plants["cost_usd_mwh"].to_numpy(copy=True),
        cost_usd_mw2h=plants["cost_usd_mw2h"].to_numpy(copy=True),
        in_service=plants["in_service"].to_numpy(dtype=bool, copy=True),
        from_date=tuple(plants["from_date"]),
        to_date=tuple(plants["to_date"]),
    )


def _ties(dclines: pd.DataFrame, known: dict[str, int]) -> DcTies:
    """The lines seen from the end that is in the grid.

    A table counts MW from its from_bus to its to_bus, which is an import at the latter.
    """
    start, end = (_positions(dclines[name], known) for name in ("from_bus", "to_bus"))
    pmin, pmax, scheduled = (
        dclines[name].to_numpy() for name in ("pmin_mw", "pmax_mw", "scheduled_mw")
    )
    arrives = end >= 0
    return DcTies(
        ids=tuple(dclines["dcline_id"]),
        bus=np.where(arrives, end, start),
        other_bus=np.where(arrives, start, end),
        pmin_mw=np.where(arrives, pmin, -pmax),
        pmax_mw=np.where(arrives, pmax, -pmin),
        scheduled_mw=np.where(arrives, scheduled, -scheduled),
    )


def _poi_buses(buses: pd.DataFrame) -> tuple[tuple[str, ...], IntArray]:
    """The bus that stands for each substation: highest kV, then first in the table."""
    at_poi = buses[buses["poi_id"] != ""]
    best = at_poi.sort_values(["poi_id", "base_kv"], ascending=[True, False], kind="stable")
    first = best.drop_duplicates("poi_id")
    return tuple(first["poi_id"]), first.index.to_numpy(dtype=np.int64)
