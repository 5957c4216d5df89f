"""The levers of the input tables and of the grid: letters, substations, parcels, ratings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from sitepick.diagnose.lever import (
    Lever,
    amount,
    at,
    cell,
    chosen_cell,
    dated,
    day_cell,
    months,
    switch,
    whole,
)  # fmt: skip
from sitepick.diagnose.world import World
from sitepick.instance.tables import records
from sitepick.instance.timeline import Timeline

MOST_BRANCHES = 400
"""A grid with more rated branches than this is lifted as a whole: each trial is a study."""


def table_levers(world: World, time: Timeline, much: float) -> list[Lever]:
    """Return the levers of the candidates' tables and of the grid."""
    found = [
        *_offers(world, time, much), *_pois(world, time, much), *_shared(world, much),
        *_ties(world, much), *_sites(world, much), *_commitments(world, time),
        *_demand_rows(world), *_grid(world, much), *_fixed(world),
    ]  # fmt: skip
    return [lever for lever in found if lever is not None]


def _day(value: Any) -> date | None:
    return None if pd.isna(value) else value


def _earlier(time: Timeline, day: date) -> list[date]:
    """Return the period starts before ``day``, latest first."""
    return [p for p in reversed(time.starts[:-1]) if p < day]


def _offers(world: World, time: Timeline, much: float) -> Iterator[Lever | None]:
    if world.scenario.power.model != "grid":
        return
    for i, row in enumerate(records(world.candidates.offers)):
        name, about = f"letter {row['offer_id']}", (str(row["offer_id"]), str(row["poi_id"]))
        mw = float(row["mw_total"])
        yield amount(
            "headroom", f"{name} (POI {row['poi_id']}): mw_total", "grid MW", mw, mw + much,
            cell("offers", i, "mw_total"), *about,
        )  # fmt: skip
        begins, ends = _day(row["from_date"]), _day(row["to_date"])
        if begins is not None:
            yield dated(
                "dates", f"{name}: from_date", begins, _earlier(time, begins),
                day_cell("offers", i, "from_date"), time.as_of, *about,
            )  # fmt: skip
        if ends is not None:
            yield switch(
                "dates", f"{name}: to_date", str(ends), "none",
                chosen_cell("offers", i, "to_date", None), *about,
            )  # fmt: skip
        if float(row["ramp_years"]) > 0:
            yield months(
                "dates", f"{name}: ramp_years", float(row["ramp_years"]),
                cell("offers", i, "ramp_years"), *about, unit="years",
            )  # fmt: skip


def _pois(world: World, time: Timeline, much: float) -> Iterator[Lever | None]:
    if world.scenario.power.model != "grid":
        return
    lettered = set(world.candidates.offers["poi_id"].astype(str))
    word = "connection" if world.scenario.connection_only else "headroom_mw"
    for i, row in enumerate(records(world.candidates.pois)):
        poi = str(row["poi_id"])
        if poi in lettered:
            continue
        mw = row["headroom_mw"]
        yield amount(
            "headroom", f"substation {poi}: {word}", "grid MW", 0.0 if pd.isna(mw) else float(mw),
            much, cell("pois", i, "headroom_mw"), poi,
        )  # fmt: skip
        begins = _day(row["from_date"])
        if begins is not None:
            yield dated(
                "dates", f"substation {poi}: from_date", begins, _earlier(time, begins),
                day_cell("pois", i, "from_date"), time.as_of, poi,
            )  # fmt: skip
    for i, row in enumerate(records(world.candidates.queue)):
        yield months(
            "dates", f"queue of POI {row['poi_id']}: years", float(row["years"]),
            cell("queue", i, "years"), str(row["poi_id"]), unit="years",
        )  # fmt: skip


def _shared(world: World, much: float) -> Iterator[Lever]:
    if world.scenario.power.model != "grid":
        return
    table = world.candidates.shared_limits
    groups: dict[tuple[str, str], list[int]] = {}
    for i, row in enumerate(records(table)):
        since = _day(row["from_date"])
        groups.setdefault((str(row["limit_id"]), "" if since is None else str(since)), []).append(i)
    for (limit, day), members in groups.items():
        now = float(table["mw"].iloc[members].min())

        def lift(world: World, x: float, members: list[int] = members) -> World:
            for i in members:
                mw = max(x, float(world.candidates.shared_limits["mw"].iloc[i]))
                world = world.cell("shared_limits", i, "mw", mw)
            return world

        begins = f" from {day}" if day else ""
        yield amount(
            "shared", f"shared limit {limit}{begins}: mw", "grid MW", now, now + 10 * much, lift,
            limit,
        )  # fmt: skip


def _ties(world: World, much: float) -> Iterator[Lever | None]:
    if world.scenario.power.model != "grid":
        return
    power = world.scenario.power
    if power.max_ties < 4:
        yield Lever(
            "ties", "power.max_ties", "ties", power.max_ties, 4.0,
            whole(("power", "max_ties")), power.max_ties,
            tuple(float(n) for n in range(power.max_ties + 1, 5)),
        )  # fmt: skip
    for i, row in enumerate(records(world.candidates.ties)):
        if pd.isna(row["cap_mw"]):
            continue
        kv = "" if pd.isna(row["kv"]) else f" at {row['kv']:g} kV"
        yield amount(
            "ties", f"tie of {row['site_id']} to {row['poi_id']}{kv} (power.tie_mw_by_kv)",
            "grid MW", float(row["cap_mw"]), much,
            cell("ties", i, "cap_mw"),
            str(row["site_id"]), str(row["poi_id"]),
        ) if row["cap_mw"] < much else None  # fmt: skip


def _sites(world: World, much: float) -> Iterator[Lever | None]:
    rule = world.scenario.candidates.max_it_mw_per_site
    for i, row in enumerate(records(world.candidates.sites)):
        if row["status"] != "candidate":
            continue
        site = str(row["site_id"])
        most = row["max_it_mw"]
        if not pd.isna(most) and (rule is None or most < rule - 1e-9):
            yield amount(
                "campus", f"site {site}: max_it_mw", "IT MW", float(most),
                much if rule is None else rule,
                cell("sites", i, "max_it_mw"), site,
            )  # fmt: skip
        if not pd.isna(row["usable_ha"]):
            yield amount(
                "land", f"site {site}: usable area", "ha", float(row["usable_ha"]), 10 * much,
                cell("sites", i, "usable_ha"), site,
            )  # fmt: skip
        if row["decision"] == "require":
            yield switch(
                "required", f"site {site}: decision", "require", "consider",
                chosen_cell("sites", i, "decision", "consider"), site,
            )  # fmt: skip


def _commitments(world: World, time: Timeline) -> Iterator[Lever | None]:
    for i, row in enumerate(records(world.candidates.commitments)):
        name, site = f"commitment of {row['site_id']} ({row['what']})", str(row["site_id"])
        begins = _day(row["date"])
        later = [p for p in time.starts[1:] if begins is None or p > begins]
        if later:
            yield dated(
                "commitments", f"{name}: date", begins or time.starts[0], later,
                day_cell("commitments", i, "date"), time.as_of, site,
                never="dropped",
            )  # fmt: skip
        if not pd.isna(row["mw"]) and float(row["mw"]) > 0:
            unit = "grid MW" if row["what"] == "grid_mw" else "IT MW"
            yield amount(
                "commitments", f"{name}: mw", unit, float(row["mw"]), 0.0,
                cell("commitments", i, "mw"), site,
            )  # fmt: skip


def _demand_rows(world: World) -> Iterator[Lever]:
    """Yield a lever for each must-serve workload that a table or the places' column asks for."""
    named = world.scenario.demand.named()
    table = world.candidates.demand_mw
    for name, workload in named.items():
        mine = np.flatnonzero(table["workload"].astype(str) == name)
        if not workload.must_serve or not (len(mine) or workload.ref_mw is None):
            continue
        of, rows = ("demand_mw", mine) if len(mine) else (
            "places", np.arange(len(world.candidates.places))
        )  # fmt: skip
        stated = list(getattr(world.candidates, of)["mw"])

        def lift(
            world: World, x: float, of: str = of, rows: Any = rows, stated: list = stated
        ) -> World:
            for i in rows:
                world = world.cell(of, int(i), "mw", stated[i] * x / 100)
            return world

        yield amount("demand", f"{of}: mw of {name}, all rows", "%", 100.0, 0.0, lift, name)


def _grid(world: World, much: float) -> Iterator[Lever]:
    grid = world.grid
    if grid is None:
        return
    rules = [] if world.scenario.grid is None else world.scenario.grid.adequacy
    for i, rule in enumerate(rules):
        key = f"grid.adequacy[{i}] (zone {rule.zone})"
        if rule.reserve_margin_pct:
            yield amount(
                "adequacy", f"{key}: reserve_margin_pct", "%", rule.reserve_margin_pct, 0.0,
                at(("grid", "adequacy", i, "reserve_margin_pct")), rule.zone,
            )  # fmt: skip
        far = rule.import_mw + 10 * much + float(grid.load_mw.sum())
        yield amount(
            "adequacy", f"{key}: import_mw", "MW", rule.import_mw, far,
            at(("grid", "adequacy", i, "import_mw")), rule.zone,
        )  # fmt: skip
    rated = np.flatnonzero(np.isfinite(grid.rating_mw))
    if len(rated) > MOST_BRANCHES:
        yield switch(
            "grid", "grid: ratings of all lines", "as they are", "as much as it takes",
            lambda w, x: replace(w, carried=True) if x else w,
        )  # fmt: skip
        return
    for b in rated.tolist():
        now = float(grid.rating_mw[b])

        def rate(world: World, x: float, b: int = b) -> World:
            assert world.grid is not None
            rating = world.grid.rating_mw.copy()
            rating[b] = x
            return replace(world, grid=replace(world.grid, rating_mw=rating))

        name = grid.branch_ids[b]
        yield amount(
            "grid", f"rating of {name} (grid.upgrades)", "MW", now, now + 10 * much, rate, name
        )


def _fixed(world: World) -> Iterator[Lever]:
    if world.held or world.held_only:
        yield switch(
            "fix", "--fix", "held", "free",
            lambda w, x: replace(w, held=(), held_only=False) if x else w,
        )  # fmt: skip
