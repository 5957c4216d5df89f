"""Random small worlds over every block of the model, built as tables and not from files.

`world` makes a scenario and its candidates, `prepared` what the verbs take. The same seed makes the
same world on every machine. Not every world has a plan: must-serve demand, minima and moratoria
may contradict one another, as in life.
"""

from __future__ import annotations

import dataclasses
import itertools
from datetime import date
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pandas as pd
from helpers import fibers, tiny
from helpers.grids import random_grid

from sitepick.candidates.types import EARLIER, Candidates, FiberAccess
from sitepick.dispatch.study import study_of
from sitepick.layers.types import Layers
from sitepick.network.fiber import Attachment
from sitepick.network.types import Grid
from sitepick.run import Prepared
from sitepick.scenario.power_options import power_options
from sitepick.scenario.read import Loaded
from sitepick.scenario.schema import Scenario

NAN = float("nan")
CLIMATES = ("cold", "mild", "hot_dry", "hot_humid")
STAGES = ("energised", "signed", "studied", "requested", "published")
FIRST = 2028
_WHERE = (("state", ["S0"]), ("state", None), ("land", ["L0"]), ("state", ["S0", "S1"]))


class Dice:
    """A seeded source of choices in planner's terms."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)

    def yes(self, share: float) -> bool:
        return bool(self.rng.random() < share)

    def number(self, low: float, high: float, digits: int = 1) -> float:
        return round(float(self.rng.uniform(low, high)), digits)

    def whole(self, low: int, high: int) -> int:
        return int(self.rng.integers(low, high + 1))

    def one(self, items: Any) -> Any:
        return items[int(self.rng.integers(len(items)))]

    def some(self, items: Any, count: int) -> list[Any]:
        chosen = self.rng.permutation(len(items))[: min(count, len(items))]
        return [items[i] for i in sorted(chosen)]

    def day(self, first: int, last: int) -> date:
        return date(self.whole(first, last), self.one((1, 4, 7, 10)), self.one((1, 15)))


def world(seed: int, n_sites: int) -> tuple[Scenario, Candidates]:
    """Return a random scenario with ``n_sites`` candidates, and the candidates."""
    dice = Dice(seed)
    periods = dice.whole(2, 4)
    step = dice.one(("year", "year", "half_year"))
    last = FIRST + (periods - 1 if step == "year" else (periods + 1) // 2 - 1)
    places = dice.whole(1, 3) if dice.yes(0.6) else 0
    grid = dice.yes(0.9)
    tables = _tables(dice, n_sites, places, last, grid=grid)
    record: dict[str, Any] = {
        "version": 1,
        "name": f"world {seed}",
        "as_of": dice.one(("2026-01-01", "2026-07-01")),
        "periods": {"from": str(FIRST), "to": str(last), "step": step},
        "money": {
            "price_year": 2026,
            "discount_rate_pct": dice.one((0, 6, 9)),
            "inflation_pct": 3,
        },
        "objective": dice.one(("min_cost", "min_cost", "min_cost", "max_compute", "earliest_mw")),
        "candidates": _candidate_rules(dice),
        "power": _power(dice) if grid else {"model": "none"},
        "network_share_pct": dice.one((0, 0, 5)),
        "fiber": {"musd_per_km": 0.1, "diverse": dice.yes(0.5)},
        "limits": _limits(dice, n_sites) | _floors(Dice(seed + 4_000_037), n_sites),
        "solver": {"gap_pct": 0.01, "threads": 1},
    }
    halls, hardware = _equipment(dice, record)
    record["demand"] = _demand(dice, n_sites, places, last, hardware)
    record["regions"] = _regions(dice, n_sites, last, hardware)
    record["procurement"] = _procurement(dice, last, halls, hardware)
    record["existing"] = _existing(dice, tables, halls, hardware, grid=grid)
    if dice.yes(0.4):
        years = range(2026, last + 1)
        record["budget_musd"] = {y: dice.number(0, 60 * n_sites) for y in years if dice.yes(0.8)}
        record["budget_carry_over"] = dice.yes(0.5)
    if grid:  # dice of its own: the rest of a world does not change with what is added here
        _time_to_power(Dice(seed + 1_000_003), tables, record["power"])
    if places and dice.yes(0.3):
        name = dice.one(list(record["demand"].get("workloads", {"it": 0})))
        tables["demand_mw"] = tiny.rows(
            ("D0", name, date(FIRST, 1, 1), dice.number(1, 8)),
            ("D0", name, date(FIRST + 1, 1, 1), dice.number(1, 12)),
            of="demand_mw",
        )
    _dates(Dice(seed + 3_000_007), record, tables)
    if grid:
        _flexible(Dice(seed + 10_000), record, tables)
    # a second set of dice: the world is otherwise the same with and without on-site power
    extra = Dice(seed + 1_000_000)
    if grid and extra.yes(0.5):
        record["onsite"] = _onsite(extra, last)
        tables |= _access(extra, record, tables)
    leased = Dice(seed + 4_000_007)  # dice of its own, as above
    if leased.yes(0.4):
        _leases(leased, record, tables, places, last)
    fiber = _fiber(Dice(seed + 6_000_011), record, tables, last)
    if grid:
        _swings(Dice(seed + 7_000_009), record)
    _groups(Dice(seed + 8_000_009), record, tables)
    _joined(Dice(seed + 9_000_011), record, tables, fiber)
    return Scenario.model_validate(record), dataclasses.replace(
        tiny.candidates(**tables), earlier=_earlier(Dice(seed + 5_000_011), tables, last),
        fiber=fiber,
    )  # fmt: skip


def _fiber(
    dice: Dice, record: dict[str, Any], tables: dict[str, Any], last: int
) -> FiberAccess | None:
    """Add a fiber network with services to some worlds; not everything is known, or on it."""
    if not dice.yes(0.8):
        return None
    nodes = [f"F{k}" for k in range(dice.whole(2, 5))]
    ends = list(itertools.pairwise(nodes))
    ends += [tuple(dice.some(nodes, 2)) for _ in range(dice.whole(0, 3))]
    edges = [(f"E{k}", a, b, dice.one((80.0, 120.0, dice.number(5, 900), 4500.0)))
             for k, (a, b) in enumerate(ends)]  # fmt: skip
    ids = [name for name, *_ in edges]
    net = fibers.network(
        *edges,
        new={e: True for e in ids if dice.yes(0.2)},
        pairs={e: dice.one((0.0, 1.0, 2.0)) for e in ids if dice.yes(0.4)},
        lit_tbps={e: dice.one((0.0, 0.9, 4.0)) for e in ids if dice.yes(0.4)},
        lease_usd_per_km_year={e: dice.number(100, 900) for e in ids if dice.yes(0.3)},
        in_service={e: dice.day(2026, last) for e in ids if dice.yes(0.2)},
        link_id=dict.fromkeys(dice.some(ids, dice.whole(0, 2)), "L"),
    )
    record["fiber"]["capacity"] = {
        "optics": dice.one((["zr", "zr_plus", "long_haul"], ["zr"])),
        "pair": dice.one((None, {}, {"term_years": dice.whole(1, 2), "price_year": 2024,
                                         "lease_usd_per_km_year": dice.number(0, 500)})),
        "build": dice.one((None, {"lead_months": 18, "usd_per_km": dice.number(0, 9000)})),
        "wave": dice.one((None, {}, {}, {},
                          {"tbps": 0.1, "usd_per_month": 900, "lead_months": 30})),
        "routes": dice.whole(1, 3),
    }  # fmt: skip
    works = list(record["demand"].get("workloads", {"it": 0}))
    record["fiber"]["services"] = []
    for k, work in enumerate(works):
        low, high = dice.one((1.0, 20.0, 90.0, 400.0)), dice.one((None, 2.5, 2.5))
        record["fiber"]["services"].append({
            "name": f"v{k}", "workload": work, "gbps_per_ref_mw": low,
            "peak_gbps_per_ref_mw": high and high * low,
            "peak_hours_per_year": dice.one((9, 50, 900)) if high else 0,
            "to_nodes": dice.one((None, dice.some(nodes, 1), dice.some(nodes, 2))),
        })  # fmt: skip

    if len(works) > 1 and dice.yes(0.5):
        first, last = dice.some(works, 2)
        parts = record["demand"]["workloads"]
        parts[last]["spread"] = parts[first].get("spread", "anywhere")
        record["demand"]["splits"] = [{
            "name": "kv", "prefill": first, "decode": last, "gbps_per_ref_mw": dice.number(1, 90),
            "rtt_ms_max": dice.one((0.6, 3.0, 9.0)),
        }]  # fmt: skip

    def met(rows: list[dict[str, Any]]) -> Attachment:
        names = [dice.one(nodes) if dice.yes(0.9) else None for _ in rows]
        return fibers.attached(net, names, dice.number(0, 9))

    access = FiberAccess(net, met(tables["sites"]), met(tables["places"]))
    if dice.yes(0.5):
        _by_route(access, record, tables)
    for site in tables["sites"]:
        site["fiber_second_km"] = dice.one((NAN, 0.0, dice.number(1, 60)))
    return access


def _groups(dice: Dice, record: dict[str, Any], tables: dict[str, Any]) -> None:
    """Let a campus group do the work of one workload in some worlds, with or without fiber."""
    works = record["demand"].get("workloads", {"it": record["demand"]})
    able = [name for name, work in works.items() if work.get("uses", "it") in ("training", "it")]
    if not able or not dice.yes(0.4):
        return
    name = dice.one(able)
    works[name] |= {"spread": "anywhere", "rtt_ms_max": None}
    served = record["fiber"].get("services", [])
    record["fiber"]["services"] = [s for s in served if s["workload"] != name]
    splits = record["demand"].pop("splits", [])
    kept = [s for s in splits if name not in (s["prefill"], s["decode"])]
    record["demand"] |= {"splits": kept} if kept else {}
    if "demand_mw" in tables:
        rows = tables["demand_mw"]
        tables["demand_mw"] = [row for row in rows if row["workload"] != name]
    most, by_rtt = dice.whole(2, 4), dice.yes(0.5)
    record["campus_groups"] = [{
        "name": "campus",
        "workload": name,
        "sites_max": most,
        "sites_min": dice.whole(1, 2),
        "min_site_it_mw": dice.number(0.1, 2),
        "rtt_ms_max": dice.number(1, 12) if by_rtt else None,
        "route_km_max": None if by_rtt else dice.number(30, 1500),
        "shape": dice.one(("ring", "hub", "mesh")),
        "survive_cut": "capacity" in record["fiber"] and dice.yes(0.3),
        "routes": dice.whole(1, 3),
        "nodes_max": dice.one((2, 3, 150)),
        "migrate": dice.yes(0.3),
        "loss_pct_per_extra_site": dice.one((None, 0, 3)),
        "sync": {
            "params_billion": dice.one((100, {str(FIRST): 100, str(FIRST + 1): 2000})),
            "step_s": dice.one((0.5, 30)),
            "every_steps": dice.one((1, 20)),
        },
    }]  # fmt: skip


def _joined(
    dice: Dice, record: dict[str, Any], tables: dict[str, Any], fiber: FiberAccess | None
) -> None:
    """Commit a site to the group in some worlds."""
    few = record.get("campus_groups", [{"nodes_max": 2}])[0]["nodes_max"] < 100
    if few or not dice.yes(0.6):  # of few nodes some may reach no site
        return
    able = [
        row["site_id"]
        for k, row in enumerate(tables["sites"])
        if row["status"] == "candidate" and row["decision"] != "forbid"
        and (fiber is None or (fiber.sites.node[k] >= 0 and np.isfinite(fiber.sites.lateral_km[k])))
    ]  # fmt: skip
    if able:
        day = date(FIRST + dice.whole(0, 1), 1, 1)
        tables["commitments"] = [
            *tables.get("commitments", []),
            *tiny.rows((dice.one(able), "member", NAN, day, NAN, "campus"), of="commitments"),
        ]


def _by_route(access: FiberAccess, record: dict[str, Any], tables: dict[str, Any]) -> None:
    """Let km and times of pairs be those of the shortest routes, where there is one."""
    net, graph = access.network, nx.Graph()
    for e in np.flatnonzero(net.there(date(FIRST, 1, 1))):
        ends = int(net.from_node[e]), int(net.to_node[e])
        km = min(net.km[e], graph.get_edge_data(*ends, {"km": np.inf})["km"])
        graph.add_edge(*ends, km=km)
    at = {
        kind: {row[f"{kind}_id"]: k for k, row in enumerate(tables[f"{kind}s"])}
        for kind in ("site", "place")
    }
    hop_ms = record["demand"].get("hop_ms", 0.5)
    for row in tables["reach"]:
        i, d = at["site"][row["site_id"]], at["place"][row["place_id"]]
        a, b = int(access.sites.node[i]), int(access.places.node[d])
        row["source"] = "straight"
        if a in graph and b in graph and nx.has_path(graph, a, b):
            km = nx.shortest_path_length(graph, a, b, "km")
            km += access.sites.lateral_km[i] + access.places.lateral_km[d]
            row |= {"km": km, "rtt_ms": km * 0.0098 + hop_ms, "source": "route"}
        elif a >= 0 and a == b:
            km = access.sites.lateral_km[i] + access.places.lateral_km[d]
            row |= {"km": km, "rtt_ms": km * 0.0098 + hop_ms, "source": "route"}


def _earlier(dice: Dice, tables: dict[str, Any], last: int) -> pd.DataFrame:
    """Return what an earlier plan had, yearly, in some worlds; with a site that is gone today."""
    rows: list[tuple[Any, ...]] = []
    if dice.yes(0.3):
        pois = [p["poi_id"] for p in tables["pois"]]
        names = dice.some([s["site_id"] for s in tables["sites"]] + ["gone"], dice.whole(1, 4))
        until = dice.whole(FIRST, last + 1)
        for site in names:
            opened = dice.whole(FIRST - 1, until)
            tied = tuple(dice.some(pois, dice.whole(0, 2)))
            for year in range(FIRST - 1, until + 1):
                it = dice.number(0, 40) if year >= opened else 0.0
                rows.append((site, date(year, 1, 1), date(year, 12, 31), year >= opened, it, tied))
    return pd.DataFrame(rows, columns=list(EARLIER)).astype({"it_mw": float})


def _dates(dice: Dice, record: dict[str, Any], tables: dict[str, Any]) -> None:
    """Make options on land end, letters ask for an answer, and equipment take its time."""
    for site in tables["sites"]:
        if dice.yes(0.3):
            site["option_expires"] = dice.day(2025, FIRST)
    for offer in tables["offers"]:
        if dice.yes(0.4):
            offer["reply_by"] = dice.day(2025, 2027)
    if dice.yes(0.5):
        months = {"power_transformer": dice.one((None, 12, 40)), "busway": dice.one((6, 7.5))}
        record["actions"] = {"equipment_months": dict(dice.some(list(months.items()), 2))}


def _flexible(dice: Dice, record: dict[str, Any], tables: dict[str, Any]) -> None:
    """Make some worlds have non-firm offers, areas, batteries and work that can be shed."""
    if not dice.yes(0.45):
        return
    record["power"]["nonfirm"] = "flexible"
    for offer in tables["offers"]:
        offer["firm"] = offer["firm"] and dice.yes(0.5)
        offer["curtail_hours_per_year"] = dice.number(0, 900) if not offer["firm"] else 0.0
    pois = [p["poi_id"] for p in tables["pois"]]
    areas, margins = [], []
    for number in range(dice.whole(0, 2)):
        named = tuple(dice.some(pois, dice.whole(1, 3)))
        begins = dice.one((None, None, f"{FIRST + 1}-01-01"))
        areas.append({"name": f"a{number}", "poi_ids": list(named), "curve": "none.csv",
                      "from_date": begins,
                      "to_date": dice.one((None, None, f"{FIRST + 1}-12-31"))})  # fmt: skip
        margins.append((f"a{number}", dice.number(5, 60), dice.number(50, 2000, 0),
                        dice.number(0.1, 0.9, 2), dice.one((1.0, 0.9)),
                        dice.one((NAN, dice.number(0.5, 6))), named))  # fmt: skip
    tables["margins"] = tiny.rows(*margins, of="margins")
    battery = {"usd_per_kwh": dice.number(20, 300), "hours": dice.one((2, 4)),
               "life_years": dice.one((15, 2, 1)), "efficiency_pct": dice.one((100, 85)),
               "lead_months": dice.one((0, 14, 30)),
               "price_year": dice.one((None, 2024))}  # fmt: skip
    record["flexible"] = {
        "areas": areas,
        "event_hours": dice.number(1, 6),
        "battery": battery if dice.yes(0.6) else None,
    }
    asked = record["demand"]
    for part in asked.get("workloads", {"it": asked}).values():
        part["curtailable_pct"] = dice.one((None, 0, 30, 80))
        part["moved_pct"] = dice.one((0, 0, 50))


def _swings(dice: Dice, record: dict[str, Any]) -> None:
    """Make the power of some work swing; batteries may flatten it."""
    works = list(record["demand"].get("workloads", {}).values())
    if works and dice.yes(0.5):
        dice.one(works)["power_swing_pct"] = dice.number(2, 30)
        if dice.yes(0.6):
            soft = record.setdefault("flexible", {})
            soft["battery"] = {"usd_per_kwh": dice.number(1, 40), "lead_months": dice.one((0, 30)),
                               "life_years": dice.one((1, 15))}  # fmt: skip


def _leases(
    dice: Dice, record: dict[str, Any], tables: dict[str, Any], places: int, last: int
) -> None:
    """Add offers of leased halls: sites of their own, in regions and within reach."""
    record["leases"] = {"fit_out_pct": dice.one((0, 60)), "fit_out_months": dice.one((0, 9))}
    classes = ["none"] if record["halls"] == "none" else [
        h["id"] for h in record["halls"] if "retrofit_of" not in h
    ]  # fmt: skip
    for number in range(dice.whole(1, 3)):
        name, most = f"V{number}", dice.number(3, 30)
        tables["sites"].append(tiny.site(name, max_it_mw=most, land_musd=0.0))
        tables["leases"] = [
            *tables.get("leases", []),
            tiny.lease(
                name, most,
                kind=dice.one(("colocation", "powered_shell")),
                it_mw_min=dice.one((0.0, round(most / 2, 1), most)),
                ready_date=dice.one((date(2026, 1, 1), dice.day(2027, last))),
                usd_per_kw_month=dice.number(20, 300),
                price_year=dice.one((2024, 2026)),
                escalation_pct=dice.one((NAN, 0.0, 4.0)),
                term_years=dice.one((1.0, 1.0, 1.25, 2.0, 10.0)),
                renews=dice.yes(0.2),
                power_included=dice.yes(0.4),
                energy_usd_per_mwh=dice.number(20, 90),
                hall=dice.one(classes),
                kw_per_rack=NAN if classes == ["none"] else dice.one((1000.0, 45.0)),
                liquid=dice.yes(0.8),
                pue_avg=dice.one((NAN, 1.15)),
                pue_peak=dice.one((NAN, 1.3)),
            ),
        ]  # fmt: skip
        tables["site_regions"] += tiny.rows(
            (name, "state", f"S{number % 3}"), (name, "land", f"L{number % 2}"), of="site_regions"
        )
        tables["reach"] += tiny.rows(
            *((name, f"D{d}", km := dice.number(50, 2500), km / 80, NAN) for d in range(places)),
            of="reach",
        )
    if dice.yes(0.2):
        what = dice.one(("site", "it_mw"))
        tables["commitments"] += tiny.rows(
            ("V0", what, 2.0, date(last, 1, 1), NAN), of="commitments"
        )


def on_grid(seed: int, scenario: Scenario, candidates: Candidates) -> tuple[Scenario, Grid]:
    """Return ``scenario`` with a random grid of its POIs, conditions, outages and upgrades."""
    dice = Dice(seed + 2_000_003)
    grid = random_grid(seed, [str(b) for b in candidates.pois["poi_id"]])
    conditions = [
        {"id": name, "load_pct": dice.one((60, 80, 100)), "new_load_pct": dice.one((70, 100)),
         "credit_pct": {"wind": dice.whole(0, 60), "solar": dice.whole(0, 60)}}
        for name in ("peak", "night")[: dice.whole(1, 2)]
    ]  # fmt: skip
    section: dict[str, Any] = {
        "file": "random",
        "conditions": conditions,
        "load_growth_pct_per_year": dice.one((0, 0, 2)),
        "emergency_pct": dice.one((105, 120, 150)),
        "excuse_margin_mw": dice.one((0, 0.5, 3)),
        "outages": {"min_kv": 100, "exclude_ids": dice.some(grid.branch_ids, dice.whole(0, 3))},
        "upgrades": [
            {"branch_id": name, "mw": dice.number(5, 40), "musd": dice.number(0, 9),
             "lead_months": dice.one((12, 24))}
            for name in dice.some(grid.branch_ids, dice.whole(0, 3))
        ],
    }  # fmt: skip
    if dice.yes(0.5):
        section["adequacy"] = [{"zone": "all", "reserve_margin_pct": dice.whole(0, 15)}]
    return Scenario.model_validate({**scenario.model_dump(by_alias=True), "grid": section}), grid


def prepared(scenario: Scenario, candidates: Candidates, grid: Grid | None = None) -> Prepared:
    """Return what `Planner` takes, without files."""
    study = None if grid is None else study_of(scenario, grid)
    loaded = Loaded(scenario, None, Path(), "", "", {})
    return Prepared(loaded, Layers(), candidates, study=study)


def _tables(dice: Dice, n: int, places: int, last: int, *, grid: bool) -> dict[str, Any]:
    names = [f"S{i:02d}" for i in range(n)]
    pois = [f"P{b:02d}" for b in range(max(1, round(n * dice.number(0.5, 1.2))))]
    decisions = ["consider"] * n
    for decision, share in (("existing", 0.4), ("require", 0.15), ("forbid", 0.15)):
        if dice.yes(share):
            decisions[dice.whole(0, n - 1)] = decision
    sites = [
        tiny.site(
            name,
            decision=decision,
            status="rejected" if decision == "forbid" else "candidate",
            usable_ha=dice.one((NAN, dice.number(2, 20))),
            land_musd=dice.one((NAN, dice.number(1, 9))),
            fixed_musd=dice.one((0.0, dice.number(0, 5))),
            max_it_mw=dice.one((NAN, NAN, dice.number(5, 60))),
            climate=dice.one(CLIMATES),
            fiber_km=dice.one((NAN, 0.0, dice.number(1, 60))),
        )
        for name, decision in zip(names, decisions, strict=True)
    ]
    alive = [s["site_id"] for s in sites if s["status"] == "candidate"]
    return {
        "sites": sites,
        "pois": [_poi(dice, b, last) for b in pois] if grid else [],
        "ties": _ties(dice, alive, pois) if grid else [],
        "offers": _offers(dice, pois, last) if grid else [],
        "shared_limits": _shared(dice, pois, last) if grid else [],
        "site_regions": tiny.rows(
            *((s, "state", f"S{i % 3}") for i, s in enumerate(names)),
            *((s, "land", f"L{i % 2}") for i, s in enumerate(names)),
            of="site_regions",
        ),
        "regions": tiny.rows(
            *(("state", f"S{r}", "", dice.one((NAN, 1.1))) for r in range(3)),
            *(("land", f"L{r}", "", NAN) for r in range(2)),
            of="regions",
        ),
        "places": tiny.rows(
            *((f"D{d}", "", NAN, NAN, dice.number(1, 3), NAN) for d in range(places)), of="places"
        ),
        "reach": tiny.rows(
            *((s, f"D{d}", km := dice.number(50, 2500), km / 80, dice.one((NAN, 0.1)))
              for s in alive for d in range(places) if dice.yes(0.95)),
            of="reach",
        ),
        "demand_mw": [],
        "commitments": _commitments(dice, sites, grid=grid),
    }  # fmt: skip


def _poi(dice: Dice, poi_id: str, last: int) -> dict[str, Any]:
    return tiny.poi(
        poi_id,
        kv=dice.one((69.0, 138.0, 345.0)),
        headroom_mw=dice.one((dice.number(5, 80), dice.number(5, 80), 0.0)),
        from_date=dice.one((None, date(2027, 1, 1), dice.day(FIRST, last))),
        energy_usd_per_mwh=dice.number(25, 80),
        demand_usd_per_kw_month=dice.number(2, 9),
        co2_kg_per_mwh=dice.number(100, 700),
    )


def _ties(dice: Dice, sites: list[str], pois: list[str]) -> list[dict[str, Any]]:
    found = []
    for s in sites:
        for number, b in enumerate(dice.some(pois, dice.one((1, 1, 2, 3)))):
            cap = dice.one((NAN, 60.0, 120.0, 200.0))
            km = 0.0 if number == 0 and dice.yes(0.3) else dice.number(1, 25)
            found.append((s, b, dice.one((NAN, 69.0, 138.0)), km, cap))
    return tiny.rows(*sorted(found, key=lambda r: (r[0], r[3], r[1])), of="ties")


def _offers(dice: Dice, pois: list[str], last: int) -> list[dict[str, Any]]:
    found = []
    for b in dice.some(pois, len(pois) // 2) if dice.yes(0.7) else []:
        total = 0.0
        for number in range(dice.whole(1, 3)):
            total = max(1.0, total + dice.number(-5, 40))
            found.append(
                tiny.offer(
                    f"O{b}{number}",
                    b,
                    total,
                    from_date=dice.one((None, date(2028, 1, 1), dice.day(2026, last))),
                    to_date=dice.one((None, None, None, date(last, 6, 30), date(last, 12, 31))),
                    stage=dice.one(STAGES),
                    firm=dice.yes(0.85),
                    min_take_pct=dice.one((0.0, 0.0, 60.0)),
                    security_kusd_per_mw=dice.one((0.0, 150.0)),
                    upgrade_musd=dice.one((0.0, 0.0, 9.0)),
                    reply_by=dice.one((None, date(2027, 3, 1))),
                )
            )
    return found


def _time_to_power(dice: Dice, tables: dict[str, Any], power: dict[str, Any]) -> None:
    """Add waits by size, ramps and a largest growth; other worlds stay as they were drawn."""
    for offer in tables["offers"]:
        offer["ramp_years"] = dice.one((0.0, 0.0, 0.7, 2.0))
    power["ramp_years"] = dice.one((0, 0, 0, 1, 1.5))
    power["max_ramp_mw_per_year"] = dice.one((None, None, None, 25.0))
    tables["ties"] += [
        {**tie, "kv": tie["kv"] * dice.one((0.5, 2.5)), "cap_mw": dice.one((40.0, 90.0, 300.0))}
        for tie in list(tables["ties"])
        if tie["kv"] == tie["kv"] and dice.yes(0.25)  # a second voltage of the same POI
    ]
    found = []
    pois = [p["poi_id"] for p in tables["pois"]]
    for b in dice.some(pois, len(pois) // 2) if dice.yes(0.5) else []:
        over, years = 0.0, dice.one((0.0, 1.0))
        for _ in range(dice.whole(1, 3)):
            found.append((b, over, years, "state S0"))
            over, years = over + dice.number(5, 30), years + dice.one((0.5, 1.0))
    tables["queue"] = tiny.rows(*found, of="queue")


def _shared(dice: Dice, pois: list[str], last: int) -> list[dict[str, Any]]:
    if not dice.yes(0.4):
        return []
    found = []
    for number in range(dice.whole(1, 2)):
        dates = dice.one(((None,), (date(FIRST, 1, 1), date(last, 1, 1)), (date(last, 1, 1),)))
        for begins in dates:
            mw, named = dice.number(20, 120), dice.some(pois, dice.whole(1, 3))
            found += [(f"L{number}", b, dice.one((1.0, 0.5)), mw, begins, "") for b in named]
    return tiny.rows(*found, of="shared_limits")


def _commitments(dice: Dice, sites: list[Any], *, grid: bool) -> list[dict[str, Any]]:
    free = [s["site_id"] for s in sites if s["decision"] == "consider"]
    if not free or not dice.yes(0.25):
        return []
    what = dice.one(("site", "it_mw", "grid_mw") if grid else ("site", "it_mw"))
    mw = NAN if what == "site" else dice.number(1, 6)
    return tiny.rows((dice.one(free), what, mw, date(FIRST + 1, 1, 1), NAN), of="commitments")


def _candidate_rules(dice: Dice) -> dict[str, Any]:
    return {
        "site_fixed_musd": dice.one((0, 6)),
        "site_om_musd_per_year": dice.one((0, 0.5)),
        "land_musd_per_ha": dice.one((0, 0.4)),
        "min_it_mw_per_site": dice.one((0, 0, 0, 6)),
        "max_it_mw_per_site": dice.one((None, None, 40)),
    }


def _power(dice: Dice) -> dict[str, Any]:
    step = {"mw": dice.number(5, 30), "musd": dice.number(2, 15), "max_steps": dice.whole(1, 3)}
    return {
        "max_ties": dice.whole(1, 2),
        "tie_months": dice.one((0, 18, 24, 30)),
        "load_factor_pct": dice.one((60, 85, 100)),
        "wait_years": dice.one((0, 3)),
        "headroom_pct": dice.one((100, 70)),
        "headroom_stage": dice.one(("published", "published", "signed", "assumed")),
        "slip_years": dice.one(({}, {"studied": 0.5, "published": 1})),
        "nonfirm": dice.one(("exclude", "count")),
        "count_stages": dice.one((["energised", "signed", "studied", "published"], list(STAGES))),
        "max_mw_per_poi": dice.one((None, None, 60)),
        "upgrade_step": dice.one((None, {**step, "lead_months": dice.one((12, 36))})),
        "tie_life_years": dice.one((30, 2)),
        "unknown_headroom": "zero",
    }


def _limits(dice: Dice, n: int) -> dict[str, Any]:
    return {
        "sites_max": dice.one((None, None, max(1, n - 1))),
        "co2_kt_per_year_max": dice.one((None, None, None, 60.0 * n)),
        "water_ml_per_year_max": dice.one((None, None, None, 40.0 * n)),
        "net_present_cost_musd_max": dice.one((None, None, None, None, 250.0 * n)),
    }


def _floors(dice: Dice, n: int) -> dict[str, Any]:
    return {
        "it_mw_min": dice.one((None, None, None, {str(FIRST + 1): dice.number(0, 4.0 * n)})),
        "served_ref_mw_min": dice.one(
            (None, None, None, {str(FIRST + 1): dice.number(0, 2.0 * n)})
        ),
    }


def _equipment(dice: Dice, record: dict[str, Any]) -> tuple[list[str], list[str]]:
    """Add halls and hardware to ``record``; return their ids, none where they are not modelled."""
    if dice.yes(0.2):
        record["halls"] = "none"
    else:
        halls = [
            {**h, "build_months": dice.one((0, 12, 22, 30)), "price_year": dice.one((None, 2024)),
             "life_years": dice.one((20, 2, 1.5))} for h in tiny.HALLS
        ]  # fmt: skip
        halls[0]["pue_peak"] = {"cold": 1.25, "mild": 1.3, "hot_dry": 1.45, "hot_humid": 1.5}
        halls[0]["hall_it_mw"] = dice.one((4, 10))
        record["halls"] = halls[: dice.whole(1, 3)]
    if dice.yes(0.35):
        record["hardware"] = "none"
    else:
        items = [
            {**tiny.HARDWARE[0], "life_years": dice.one((2, 5)),
             "price_year": dice.one((None, 2025))},
            {**tiny.HARDWARE[1], "life_years": dice.one((2, 1.5, 3)), "liquid_required": False,
             "available_from": dice.one((None, "2028-04-01", "2029-01-01"))},
            {**tiny.HARDWARE[0], "id": "mid", "training": 2, "prefill": 2, "decode": 0,
             "capex_musd_per_mw": 28, "life_years": 1, "lead_months": dice.one((0, 27))},
        ]  # fmt: skip
        record["hardware"] = items[: dice.whole(1, 3)]
        record["reference_hardware"] = "old"
    halls_ids = [] if record["halls"] == "none" else [h["id"] for h in record["halls"]]
    items_ids = [] if record["hardware"] == "none" else [h["id"] for h in record["hardware"]]
    return halls_ids, items_ids


def _demand(dice: Dice, n: int, places: int, last: int, hardware: list[str]) -> dict[str, Any]:
    def series() -> dict[str, float]:
        start = dice.one((FIRST, FIRST, min(FIRST + 1, last)))
        return {str(y): dice.number(1, 6 * n) for y in range(start, last + 1)}

    def one() -> dict[str, Any]:
        spread = "by_weight" if places and dice.yes(0.6) else "anywhere"
        return {
            "spread": spread,
            "rtt_ms_max": dice.number(8, 30) if places and dice.yes(0.6) else None,
            "must_serve": dice.yes(0.12),
            "shortfall_musd_per_mw_year": dice.number(2, 40),
        }

    asked: dict[str, Any] = {"transport_usd_per_mw_km_year": dice.one((0, 40))}
    if not hardware and dice.yes(0.5):
        return {**asked, "it_mw": series(), **one()}
    uses = ("training", "prefill", "decode", "it") if hardware else ("it",)
    asked["workloads"] = {
        f"w{k}": {"uses": dice.one(uses), "ref_mw": series(), "weight": dice.number(1, 3), **one()}
        for k in range(dice.whole(1, 3))
    }
    return asked


def _regions(dice: Dice, n: int, last: int, hardware: list[str]) -> dict[str, Any]:
    def dated(low: float, high: float) -> dict[str, float]:
        return {str(FIRST): dice.number(low, high), str(last): dice.number(low, high)}

    kinds: list[dict[str, Any]] = [
        {"entry_musd": dice.number(1, 8)},
        {"entry_musd": 2, "min_it_mw_once_entered": dice.number(2, 9)},
        {"max_grid_mw": dated(20, 30 * n)},
        {"max_it_mw": {str(last): dice.number(5, 20 * n)}},
        {"min_it_mw": {str(last): dice.number(0.5, 3)}},
        {"max_share_pct": dice.number(40, 100)},
        {"closed_from": str(FIRST), "closed_to": dice.one((str(FIRST), None))},
        {"closed_from": str(last)},
        {"capex_factor": 1.2, "hardware_delay_months": dice.one((3, 12))},
        {"hardware_delay_months": 6},
        {"max_co2_kt_per_year": dice.number(20, 100)},
        {"max_water_ml_per_year": dice.number(10, 60)},
    ]  # fmt: skip
    if hardware:
        kinds.append({"allowed_hardware": [hardware[0]]})
    rules = []
    for kind in dice.some(kinds, dice.whole(0, 4)):
        level, ids = dice.one(
            (("state", ["S0"]), ("state", None), ("land", ["L0"]), ("state", ["S0", "S1"]))
        )
        if "min_it_mw" in kind or "max_share_pct" in kind:
            ids = ids or ["S0"]
        together = ids is not None and len(ids) > 1 and dice.yes(0.5)
        rules.append({"level": level, "ids": ids, "together": together, **kind})
    most = dice.one(({}, {}, {}, {"state": 2}, {"land": 1}))
    return {"rules": rules, "max_entered": most}


def _procurement(dice: Dice, last: int, halls: list[str], hardware: list[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    kinds = ["grid_mw", "it_mw", "liquid_it_mw", "construction_it_mw"] if halls else []
    kinds += ["hardware_it_mw"] if hardware else []
    for per in dice.some(kinds, dice.whole(0, 2)):
        found[per] = {
            "per": per,
            "amount": dice.one((1, 1.3)),
            "cap": {y: dice.number(4, 40) for y in range(2026, last + 1) if dice.yes(0.7)},
            "lead_months": dice.one((0, 14, 26)),
            "hardware": dice.one(hardware) if per == "hardware_it_mw" else None,
        }
        if dice.yes(0.3):
            found[per] |= {"level": "state", "ids": dice.one((["S0"], ["S0", "S1"]))}
    return found


def _onsite(dice: Dice, last: int) -> dict[str, Any]:
    money = {"price_year": dice.one((None, 2024)), "life_years": dice.one((20, 2, 1.5))}
    kinds: list[dict[str, Any]] = [
        {"base": "recip", "block_mw": dice.one((2, 5)), "spare_blocks": dice.whole(2, 3),
         "lead_months": dice.one((12, 30)), **money},
        {"id": "set", "base": "gt_aero", "role": "bridge", "block_mw": 4, "lead_months": 18,
         "after": dice.one(("backup", "salvage")), "salvage_pct": dice.one((0, 60, 100)),
         "spare_blocks": dice.one((0, 1)), "bridge_years_max": dice.one((None, 1, 2)), **money},
        {"id": "hired", "rent_usd_per_kw_month": dice.number(5, 60), "block_mw": 2,
         "heat_rate_mmbtu_per_mwh": 10, "role": dice.one(("bridge", "prime")),
         "firm_credit": dice.one((0.8, 1)), "lead_months": 6, "ha_per_mw": 0.5},
        {"base": "sofc", "lead_months": dice.one((0, 12)), "role": dice.one(("prime", "bridge"))},
        {"base": "solar_bess", "block_mw": dice.one((1, 3)), "lead_months": 20},
        {"id": "well", "capex_usd_per_kw": 3000, "block_mw": 3, "energy_usd_per_mwh": 20,
         "availability": 0.7, "islanded": True, "lead_months": 20},
    ]  # fmt: skip
    options = dice.some(kinds, dice.whole(1, 3))
    names = [o.get("id", o.get("base")) for o in options]
    permits = [
        {"level": "state", "max_mw": dice.number(2, 40), "per": dice.one(("region", "site"))},
        {"level": "land", "ids": ["L0"], "options": [names[0]], "max_mw": dice.number(0, 20)},
    ]
    return {
        "options": options,
        "gas_usd_per_mmbtu": dice.number(2, 8),
        "permits": dice.some(permits, dice.whole(0, 2)),
    }


def _access(dice: Dice, record: dict[str, Any], tables: dict[str, Any]) -> dict[str, Any]:
    """Return the tables of on-site access; solar is made to round figures."""
    found, island = [], []
    asked = Scenario.model_validate({**SKELETON, "onsite": record["onsite"]})
    for site in tables["sites"]:
        for option in power_options(asked):
            if site["status"] == "candidate" and dice.yes(0.7):
                gas = dice.number(2, 8) if option.burns else NAN
                day = dice.one((None, None, date(FIRST, 7, 1)))
                found.append((site["site_id"], option.id, day, gas))
                island += [site["site_id"]] * option.islanded
    curve = ((0.0, 0.0), (0.5, 0.4), (1.0, 0.6), (2.0, 0.8))
    sized = [("solar_bess", 4.0, 8.0, dice.number(900, 6000), 9.7, 0.6, 0.3, curve)]
    named = {o.id for o in power_options(asked)}
    ties = tables["ties"]
    if island and dice.yes(0.3):  # a site without any tie
        ties = [t for t in ties if t["site_id"] != island[0]]
    return {
        "ties": ties,
        "onsite": tiny.rows(*found, of="onsite"),
        "onsite_sized": tiny.rows(*(r for r in sized if r[0] in named), of="onsite_sized"),
    }


SKELETON: dict[str, Any] = {
    "version": 1, "as_of": "2026-01-01", "periods": {"from": "2028", "to": "2029"},
    "demand": {"it_mw": 1},
}  # fmt: skip


def _existing(
    dice: Dice, tables: dict[str, Any], halls: list[str], hardware: list[str], *, grid: bool
) -> list[dict[str, Any]]:
    found = []
    for s in tables["sites"]:
        if s["decision"] != "existing":
            continue
        s["usable_ha"] = NAN if dice.yes(0.5) else 20.0
        s["max_it_mw"] = NAN
        entry: dict[str, Any] = {"site_id": s["site_id"]}
        entry["grid_mw"] = 12.0 if grid else 0.0
        if halls:
            entry["halls"] = {halls[0]: 2}
        if halls and hardware:
            entry["hardware"] = [
                {"hall": halls[0], "hardware": hardware[0], "it_mw": mw, "since": since}
                for mw, since in ((3.0, "2025-01-01"), (2.5, "2023-07-01"))
            ]
        found.append(entry)
    return found
