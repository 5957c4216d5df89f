"""Scenarios made infeasible on purpose, each with the input that is to blame.

`CASES` are one cause each: ``made(x)`` builds the world with that input at x, ``now`` is where it
has no plan, ``key`` and ``family`` how the diagnosis must call it, ``before(x)`` the value just
short of x (98 % of the change for amounts). `PAIRS` have two causes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from helpers import tiny
from helpers.grids import tiny_grid

from sitepick.candidates.types import Candidates
from sitepick.network.types import Grid
from sitepick.scenario.schema import Scenario

Made = tuple[Scenario, Candidates, Grid | None]
GRID = {"file": "tiny", "conditions": [{"id": "peak"}], "outages": {"min_kv": None}}


@dataclass(frozen=True)
class Case:
    """One cause."""

    name: str
    family: str
    key: str
    now: float
    made: Callable[[Any], Made]
    before: Callable[[float], float] | None = None

    def short_of(self, value: float) -> float:
        """Return a value of the input that must not be enough."""
        if self.before is not None:
            return self.before(value)
        return self.now + 0.98 * (value - self.now)


def committed(site: str, what: str, mw: float, day: date | None = date(2028, 1, 1)) -> dict:
    """Return tables with one commitment."""
    return {"commitments": tiny.rows((site, what, mw, day, 0.0), of="commitments")}


def sites(**cells: Any) -> dict:
    """Return the sites with some cells of A set."""
    asked = {"usable_ha": 40.0, "land_musd": 6.0, "fiber_km": 10.0, **cells}
    rest = [tiny.site("B", fixed_musd=2.0), tiny.site("C", decision="existing", usable_ha=20.0)]
    return {"sites": [tiny.site("A", **asked), *rest]}


def pois(**cells: Any) -> dict:
    """Return the POIs with some cells of P set."""
    p = {"headroom_mw": 60.0, "from_date": date(2028, 1, 1), **cells}
    q = tiny.poi("Q", kv=230.0, energy_usd_per_mwh=40.0, co2_kg_per_mwh=500.0)
    r = tiny.poi("R", headroom_mw=20.0, from_date=date(2027, 1, 1))
    return {"pois": [tiny.poi("P", **p), q, r]}


def both(*rows: tuple[str, str, float]) -> dict:
    """Return tables with commitments from the first period on."""
    return {"commitments": tiny.rows(*[(*r, None, 0.0) for r in rows], of="commitments")}


def ties(cap_mw: float, b: float = 400.0) -> dict:
    """Return the ties with what those of A and of B carry; B has one."""
    cap = {"A": cap_mw, "B": b, "C": 200.0}
    rows = [r for r in tiny.TABLES["ties"] if (r["site_id"], r["poi_id"]) != ("B", "P")]
    return {"ties": [{**row, "cap_mw": cap[row["site_id"]]} for row in rows]}


def world(
    tables: dict | None = None, grid: Grid | None = None, study: Any = (), **parts: Any
) -> Made:
    """Return the tiny world with parts of the scenario and tables replaced."""
    asked = {"grid": {**GRID, **dict(study)}, **parts} if grid is not None else parts
    return tiny.scenario(**asked), tiny.candidates(**(tables or {})), grid


def must(mw: Any) -> dict:
    """Return demand for training that must be served."""
    return {"workloads": {"train": {"uses": "training", "ref_mw": mw, "must_serve": True}}}


def day(value: float) -> date:
    """Return the date of a change's value."""
    return date.fromordinal(int(value))


def number(year: int, month: int = 1, of: int = 1) -> float:
    """Return a date as a number."""
    return float(date(year, month, of).toordinal())


def next_period(value: float) -> float:
    """Return the start of the year after a date: one step less early."""
    return float(date(day(value).year + 1, 1, 1).toordinal())


def upgraded(x: float) -> Grid:
    """Return the tiny grid with another rating of G-P, by which three quarters reach P."""
    grid = tiny_grid()
    rating = grid.rating_mw.copy()
    rating[grid.branch_ids.index("G-P")] = x
    return replace(grid, rating_mw=rating)


def _supply(item: dict[str, Any]) -> dict:
    return {"procurement": {"item": {"unit": "pieces", **item}}}


def _rule(**rule: Any) -> dict:
    return {"regions": {"rules": [{"level": "state", "ids": "S1", **rule}]}}


A20, A15, A30 = (committed("A", "it_mw", mw) for mw in (20.0, 15.0, 30.0))
SHARED = [("L", "P", 1.0, 40.0, None, "utility"), ("L", "Q", 1.0, 40.0, None, "utility")]
CASES = [
    Case("layer headroom", "headroom", "substation P: headroom_mw", 60,
         lambda x: world(pois(headroom_mw=x), demand=must({"2028": 20, "2029": 900}))),
    Case("a letter", "headroom", "letter O1 (POI Q): mw_total", 50,
         lambda x: world({"offers": [{**tiny.OFFERS[0], "mw_total": x}, tiny.OFFERS[1]]},
                         demand=must({"2028": 20, "2029": 900}))),
    Case("share of the headroom", "headroom", "power.headroom_pct", 40,
         lambda x: world(A30, power={"headroom_pct": x})),
    Case("most at a POI", "headroom", "power.max_mw_per_poi", 20,
         lambda x: world(A30, power={"max_mw_per_poi": x})),
    Case("growth at a POI", "headroom", "power.max_ramp_mw_per_year", 10,
         lambda x: world(A30, power={"max_ramp_mw_per_year": x})),
    Case("date of a letter", "dates", "letter O1: from_date", number(2030, 6),
         lambda x: world({"offers": [{**tiny.OFFERS[0], "from_date": day(x)}],
                          **committed("B", "it_mw", 70.0, date(2029, 1, 1))}), next_period),
    Case("date of a substation", "dates", "substation P: from_date", number(2029, 6),
         lambda x: world({**pois(from_date=day(x)), **A20}), next_period),
    Case("wait in the queue", "dates", "power.wait_years", 4,
         lambda x: world({**pois(from_date=None), **A20}, power={"wait_years": x}),
         lambda x: x + 1),
    Case("months of a tie", "lead", "power.tie_months", 40,
         lambda x: world(A20, power={"tie_months": x}), lambda x: x + 1),
    Case("months of halls", "lead", "halls.std.build_months", 30,
         lambda x: world(A20, halls=[{**tiny.HALLS[0], "build_months": x}]), lambda x: x + 1),
    Case("limit that POIs share", "shared", "shared limit L: mw", 40,
         lambda x: world({
             "shared_limits": tiny.rows(*[(*r[:3], x, *r[4:]) for r in SHARED], of="shared_limits"),
             **both(("A", "it_mw", 20.0), ("B", "it_mw", 30.0))})),
    Case("size of a tie", "ties", "tie of A to P at 138 kV", 20,
         lambda x: world({**ties(x), **A20})),
    Case("budget", "budget", "budget_musd.2027", 100,
         lambda x: world(A20, budget_musd={2027: x})),
    Case("budget beside another year", "budget", "budget_musd.2028", 10,
         lambda x: world(committed("A", "it_mw", 20.0, date(2029, 1, 1)),
                         budget_musd={2027: 30, 2028: x})),
    Case("chips", "supply", "procurement.item.cap.2027", 5,
         lambda x: world(A20, **_supply({"per": "hardware_it_mw", "hardware": "old",
                                         "cap": {2027: x}, "lead_months": 6}))),
    Case("labor", "supply", "procurement.item.cap.2027", 5,
         lambda x: world(A20, **_supply({"per": "construction_it_mw", "cap": {2027: x}}))),
    Case("transformers", "supply", "procurement.item.cap.2026", 5,
         lambda x: world(A20, **_supply({"per": "grid_mw", "cap": {2026: x}, "lead_months": 24}))),
    Case("months of transformers", "lead", "procurement.item.lead_months", 36,
         lambda x: world(A20, **_supply({"per": "grid_mw", "cap": {2026: 500}, "lead_months": x})),
         lambda x: x + 1),
    Case("cap on a region's IT", "caps", "regions.rules[0].max_it_mw", 10,
         lambda x: world(A15, **_rule(max_it_mw=x))),
    Case("cap on a region's grid MW", "caps", "regions.rules[0].max_grid_mw.2028-01-01", 10,
         lambda x: world(A15, **_rule(max_grid_mw={"2028": x}))),
    Case("moratorium", "moratoria", "regions.rules[0].closed_to", number(2029, 12, 31),
         lambda x: world(committed("A", "it_mw", 10.0, date(2029, 1, 1)),
                         **_rule(closed_from="2027", closed_to=day(x).isoformat())),
         lambda x: number(day(x).year + 1, 12, 31)),
    Case("minimum presence", "presence", "regions.rules[0].min_it_mw", 60,
         lambda x: world(regions={"rules": [{"level": "state", "ids": "S2", "min_it_mw": x}]})),
    Case("minimum once entered", "presence", "regions.rules[0].min_it_mw_once_entered", 60,
         lambda x: world(regions={"rules": [
             {"level": "state", "ids": "S2", "min_it_mw_once_entered": x}]})),
    Case("regions entered", "entered", "regions.max_entered.state", 1,
         lambda x: world(A20, regions={"max_entered": {"state": int(x)}}), lambda x: x - 1),
    Case("share of a region", "share", "regions.rules[0].max_share_pct", 10,
         lambda x: world(committed("A", "it_mw", 40.0), **_rule(max_share_pct=x))),
    Case("latency", "latency", "demand.workloads.serve.rtt_ms_max", 6,
         lambda x: world(demand={"workloads": {"serve": {
             "uses": "decode", "ref_mw": 8, "spread": "by_weight", "rtt_ms_max": x,
             "must_serve": True}}}), lambda x: {10.0: 8.0, 12.0: 10.0}.get(x, 6.0)),
    Case("land", "land", "site A: usable area", 1.2,
         lambda x: world({**sites(usable_ha=x), **A30})),
    Case("land, by whole halls alone", "land", "site A: usable area", 1.6,
         lambda x: world({**sites(usable_ha=x), **A15})),
    Case("smallest campus", "campus", "candidates.min_it_mw_per_site", 60,
         lambda x: world(sites(decision="require"), candidates={"min_it_mw_per_site": x})),
    Case("largest campus", "campus", "site A: max_it_mw", 10,
         lambda x: world({**sites(max_it_mw=x), **A15})),
    Case("commitment", "commitments", "commitment of A (it_mw): mw", 70,
         lambda x: world(committed("A", "it_mw", x))),
    Case("commitment of grid MW", "commitments", "commitment of A (grid_mw): mw", 80,
         lambda x: world(committed("A", "grid_mw", x))),
    Case("carbon", "co2", "limits.co2_kt_per_year_max", 30,
         lambda x: world(A30, limits={"co2_kt_per_year_max": x})),
    Case("carbon of a region", "co2", "regions.rules[0].max_co2_kt_per_year", 20,
         lambda x: world(A30, **_rule(max_co2_kt_per_year=x))),
    Case("water", "water", "limits.water_ml_per_year_max", 5,
         lambda x: world(A20, halls=[tiny.HALLS[0]], hardware=[tiny.HARDWARE[0]],
                         limits={"water_ml_per_year_max": x})),
    Case("cost", "cost", "limits.net_present_cost_musd_max", 100,
         lambda x: world(A20, limits={"net_present_cost_musd_max": x})),
    Case("number of sites", "sites", "limits.sites_max", 1,
         lambda x: world(A20, limits={"sites_max": int(x)}), lambda x: x - 1),
    Case("required site", "required", "site A: decision", 0,
         lambda x: world(sites(decision="consider" if x else "require"), limits={"sites_max": 1}),
         lambda x: 0.0),
    Case("a line", "grid", "rating of G-P", 50,
         lambda x: world({**pois(headroom_mw=300.0), **committed("A", "grid_mw", 70.0)},
                         grid=upgraded(x))),
    Case("a reserve margin", "adequacy", "grid.adequacy[0] (zone all): import_mw", 0,
         lambda x: world(committed("A", "grid_mw", 50.0), grid=tiny_grid(), study={
             "adequacy": [{"reserve_margin_pct": 110, "import_mw": x}]})),
    Case("must-serve demand", "demand", "demand.workloads.train.ref_mw", 900,
         lambda x: world(demand=must({"2028": min(20, x), "2029": x}))),
]  # fmt: skip


@dataclass(frozen=True)
class Pair:
    """Two causes: a remedy must change just these families, and none can change one alone."""

    name: str
    families: frozenset[str]
    made: Callable[[], Made]


def _two(name: str, *families: str, **parts: Any) -> Pair:
    tables = parts.pop("tables", {})
    return Pair(name, frozenset(families), lambda: world(tables, **parts))


_C_WATER = {"halls": [tiny.HALLS[0]], "hardware": [tiny.HARDWARE[0]]}
_PRESENT = {"level": "state", "ids": "S2", "min_it_mw": 8}
PAIRS = [
    _two("sites and money", "sites", "cost",
         limits={"sites_max": 0, "net_present_cost_musd_max": 1}),
    _two("carbon and regions", "co2", "entered",
         regions={"rules": [{**_PRESENT, "max_co2_kt_per_year": 1}], "max_entered": {"state": 0}}),
    _two("water and sites", "water", "sites", **_C_WATER,
         limits={"sites_max": 0, "water_ml_per_year_max": 0.5}, regions={"rules": [_PRESENT]}),
    _two("a tie and land, for two commitments", "ties", "land",
         tables={**sites(usable_ha=1.2), **ties(300.0, b=40.0),
                 **both(("A", "it_mw", 30.0), ("B", "grid_mw", 48.0))}),
    _two("a cap and chips, for two commitments", "caps", "supply",
         tables=both(("A", "it_mw", 20.0), ("C", "it_mw", 10.0)),
         regions={"rules": [{"level": "state", "ids": "S1", "max_it_mw": 12}]},
         procurement={"item": {"unit": "pieces", "per": "hardware_it_mw", "hardware": "old",
                               "cap": {2027: 15}, "lead_months": 6}}),
]  # fmt: skip
