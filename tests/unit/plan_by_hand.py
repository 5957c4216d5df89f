"""A small run made by hand, without layers on disk and without a solver.

Sites: N1 (new, 2 POIs: letters at B1, layer headroom and an upgrade step at B2), N2 (new, at B1),
X1 (existing, at B3); C1 is not chosen, R1 is rejected. Two periods of a year, money at 0 %.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
from shapely.geometry import box

from sitepick.candidates.types import Candidates
from sitepick.finding import Finding
from sitepick.layers.types import Layers, Note, Source
from sitepick.run import Binding, GreedyRow, Prepared, Run
from sitepick.scenario.read import Loaded
from sitepick.scenario.schema import Scenario
from sitepick.solution import (
    CashRow,
    EnterRow,
    GridRow,
    HallRow,
    ItRow,
    OfferRow,
    ServeRow,
    ShortRow,
    SiteRow,
    Solution,
    TieRow,
    UpgradeRow,
    UseRow,
)
from sitepick.solve.outcome import Outcome

P = ("2027-01-01", "2028-01-01")
NAN = float("nan")
NASTY = ("=1+1", "<script>alert(1)</script>", "[red]x[/]", "a\x1b[31mb", "nul\x00l", "bi\u202edi")

HALL = {
    "id": "h", "kw_per_rack": 100, "hall_it_mw": 10, "capex_musd_per_mw": 10, "life_years": 20,
    "build_months": 12, "om_musd_per_mw_year": 0.25, "pue_avg": 1.1, "pue_peak": 1.2,
    "ha_per_mw": 0.5, "wue_l_per_kwh": 0.5,
}  # fmt: skip
CHIP = {
    "id": "c", "kw_per_rack": 50, "training": 1, "prefill": 1, "decode": 1, "capex_musd_per_mw": 30,
    "life_years": 5, "maintenance_pct": 10, "lead_months": 0,
}  # fmt: skip


def scenario(**changes: Any) -> Scenario:
    base: dict[str, Any] = {
        "version": 1,
        "name": "by hand",
        "as_of": "2026-01-01",
        "periods": {"from": 2027, "to": 2028},
        "money": {"price_year": 2026, "discount_rate_pct": 0},
        "halls": [HALL],
        "hardware": [CHIP],
        "reference_hardware": "c",
        "power": {
            "count_stages": ["energised", "signed", "studied", "published"],
            "tie_musd_per_km": {138: 1.0},
            "tie_fixed_musd": 5,
            "tie_months": 12,
            "substation_musd_per_mw": 0.5,
            "max_ties": 2,
            "upgrade_step": {"mw": 20, "musd": 7, "lead_months": 12},
            "load_factor_pct": 50,
        },
        "candidates": {"land_musd_per_ha": 0.1, "site_fixed_musd": 2, "site_om_musd_per_year": 1},
        "fiber": {"musd_per_km": 0.5, "diverse": True},
        "regions": {"rules": [{"level": "state", "ids": ["TX"], "entry_musd": 4}]},
        "existing": [{"site_id": "X1", "halls": {"h": 1}, "grid_mw": 15,
                      "hardware": [{"hall": "h", "hardware": "c", "it_mw": 10,
                                    "since": "2026-01-01"}]}],
        "demand": {"workloads": {"train": {"uses": "training", "ref_mw": 60,
                                           "shortfall_musd_per_mw_year": 3}}},
        "budget_musd": {2026: 500, 2027: 900, 2028: 500},
    }  # fmt: skip
    return Scenario.model_validate({**base, **changes})


def candidates(names: dict[str, str] | None = None, synthetic: bool = True) -> Candidates:
    ids = ["C1", "N1", "N2", "R1", "X1"]
    sites = pd.DataFrame(
        {
            "site_id": ids,
            "name": [(names or {}).get(i, f"place {i}") for i in ids],
            "lon": [-97.0, -97.1, -97.2, -97.3, -97.4],
            "lat": [31.0, 31.1, 31.2, 31.3, 31.4],
            "decision": ["consider", "consider", "require", "consider", "existing"],
            "status": ["candidate", "candidate", "candidate", "rejected", "candidate"],
            "usable_ha": [50.0, 50.0, NAN, 1.0, NAN],
            "land_musd": [3.0, 6.0, NAN, NAN, NAN],
            "fixed_musd": [0.0, 0.0, 1.0, 0.0, 0.0],
            "max_it_mw": [NAN] * 5,
            "climate": ["mild"] * 5,
            "fiber_km": [1.0, 4.0, NAN, NAN, 2.0],
            "option_expires": [None, date(2026, 12, 15), None, None, None],
            "synthetic": [synthetic] * 5,
            "keep:broker": ["Ann", "=Bob()", None, "-5", "+1-555"],
            "keep:Rank": [1, 2, 3, 4, 5],
            "keep:status": ["a", "b", "c", "d", "e"],
        }
    )
    failed = pd.DataFrame(
        {
            "site_id": ["R1", "R1"],
            "test": ["flood", "min_ha"],
            "value": [0.4, 1.0],
            "threshold": [NAN, 10.0],
            "unit": ["share", "ha"],
            "message": ["40 % lies in flood zone AE", ""],
        }
    )
    pois = pd.DataFrame(
        {
            "poi_id": ["B1", "B2", "B3"],
            "name": ["Bus 1", "Bus 2", "Bus 3"],
            "lon": [-97.15, -97.1, -97.4],
            "lat": [31.1, 31.1, 31.4],
            "kv": [138.0, 138.0, 69.0],
            "headroom_mw": [NAN, 12.0, 0.0],
            "from_date": [None, None, None],
            "estimated": [False, True, False],
            "energy_usd_per_mwh": [40.0, 50.0, 60.0],
            "demand_usd_per_kw_month": [5.0, 6.0, 7.0],
            "co2_kg_per_mwh": [400.0, 400.0, 300.0],
        }
    )
    ties = pd.DataFrame(
        {
            "site_id": ["C1", "N1", "N1", "N2", "X1"],
            "poi_id": ["B1", "B2", "B1", "B1", "B3"],
            "kv": [138.0] * 4 + [69.0],
            "km": [9.0, 0.0, 10.0, 3.0, 0.0],
            "cap_mw": [200.0] * 4 + [60.0],
        }
    )
    offers = pd.DataFrame(
        {
            "offer_id": ["O1", "O2", "O3"],
            "poi_id": ["B1", "B1", "B1"],
            "mw_total": [20.0, 50.0, 90.0],
            "from_date": [date(2026, 6, 1), date(2028, 1, 1), date(2028, 1, 1)],
            "to_date": [None, None, None],
            "stage": ["signed", "studied", "requested"],
            "firm": [True, True, True],
            "curtail_hours_per_year": [0.0, 0.0, 0.0],
            "min_take_pct": [50.0, 100.0, 0.0],
            "security_kusd_per_mw": [100.0, 0.0, 0.0],
            "upgrade_musd": [0.0, 8.0, 0.0],
            "ramp_years": [0.0, 0.0, 0.0],
            "reply_by": [date(2026, 5, 1), None, None],
            "letter_date": [None, None, None],
            "source": ["letter 1", "letter 2", "letter 3"],
            "keep:contact": ["x", "y", "z"],
        }
    )
    return Candidates(
        sites=sites,
        failed=failed,
        pois=pois,
        ties=ties,
        site_regions=pd.DataFrame(
            {"site_id": ids, "level": "state", "region_id": ["TX", "TX", "TX", "TX", "OK"]}
        ),
        regions=pd.DataFrame(
            {"level": "state", "region_id": ["OK", "TX"], "name": ["Oklahoma", "Texas"],
             "capex_factor": [NAN, 1.1]}
        ),
        places=pd.DataFrame(columns=["place_id", "name", "lon", "lat", "weight", "mw"]),
        reach=pd.DataFrame(columns=["site_id", "place_id", "km", "rtt_ms", "musd_per_mw_year"]),
        offers=offers,
        demand_mw=pd.DataFrame(columns=["place_id", "workload", "from_date", "mw"]),
        shared_limits=pd.DataFrame(
            {"limit_id": ["L", "L"], "poi_id": ["B1", "B2"], "factor": [1.0, 1.0],
             "mw": [60.0, 60.0], "from_date": [None, None], "source": ["s", "s"]}
        ),
        commitments=pd.DataFrame(columns=["site_id", "what", "mw", "date", "musd"]),
        sources=(Source("substations", "subs.geojson", "ab" * 32, 1234, 3, 3, "CC BY 4.0",
                        synthetic),),
        notes=(Note("substations", "no_mw", "2 substations have no MW and are not used", 2),),
    )  # fmt: skip


def solution() -> Solution:
    """The plan: N1 opens 2027 with a hall, N2 in 2028 with two, X1 stands with one."""
    halls = (
        HallRow("N1", "h", P[0], 1, 1, 0, 0), HallRow("N1", "h", P[1], 2, 1, 0, 0),
        HallRow("N2", "h", P[1], 2, 2, 0, 0),
        HallRow("X1", "h", P[0], 1, 0, 0, 0), HallRow("X1", "h", P[1], 1, 0, 0, 0),
    )  # fmt: skip
    it = (
        ItRow("N1", "h", "c", P[0], 10.0, 10.0), ItRow("N1", "h", "c", P[1], 20.0, 10.0),
        ItRow("N2", "h", "c", P[1], 20.0, 20.0),
        ItRow("X1", "h", "c", P[0], 10.0, 0.0), ItRow("X1", "h", "c", P[1], 10.0, 0.0),
    )  # fmt: skip
    serve = tuple(ServeRow(r.site_id, "train", "anywhere", r.period, r.it_mw) for r in it)
    return Solution(
        scenario="by hand",
        periods=P,
        status="optimal",
        objective_name="min_cost",
        objective=1000.0,
        bound=998.0,
        gap=0.002,
        gap_without_penalty=0.0023,
        bound_certified=True,
        npc_musd={"facility": 800.0, "energy": 50.0, "penalty": 150.0},
        sites=(SiteRow("N1", P[0]), SiteRow("N2", P[1]), SiteRow("X1", None)),
        ties=(TieRow("N1", "B1", P[1]), TieRow("N1", "B2", P[0]), TieRow("N2", "B1", P[1]),
              TieRow("X1", "B3", None)),
        grid=(GridRow("N1", "B2", P[0], 12.0), GridRow("N1", "B1", P[1], 8.0),
              GridRow("N1", "B2", P[1], 16.0), GridRow("N2", "B1", P[1], 24.0)),
        halls=halls,
        it=it,
        use=tuple(UseRow(r.site_id, "c", "train", r.period, r.it_mw) for r in it),
        serve=serve,
        turned_away=(ShortRow("train", "anywhere", P[0], 40.0),
                     ShortRow("train", "anywhere", P[1], 10.0)),
        offers=(OfferRow("O1", "B1", 20.0), OfferRow("O2", "B1", 12.0)),
        upgrades=(UpgradeRow("B2", P[1], 1),),
        entered=(EnterRow("state", "TX", P[0]),),
        cash=CASH,
    )  # fmt: skip


# By hand: facility 4 halls x 10 MW x 10 MUSD x 1.1; IT 40 MW x 30; ties 5 (N1-B2), 15 (N1-B1),
# 8 (N2-B1) and 4 halls x 12 grid MW x 0.5; land 6 (N1, asked) and 2 halls x 5 ha x 0.1 (N2);
# site 2 (N1) and 2 + 1 (N2); fiber 2 x 4 km x 0.5; security 20 MW x 0.1; upgrades 8 + 7; entry 4.
CAPEX = {
    "facility": 440.0, "it": 1200.0, "ties": 52.0, "land": 7.0, "site": 5.0, "fiber": 4.0,
    "security": 2.0, "upgrades": 15.0, "entry": 4.0,
}  # fmt: skip
CASH = (
    CashRow(2026, "facility", 110.0), CashRow(2027, "facility", 330.0),
    CashRow(2027, "it", 300.0), CashRow(2028, "it", 900.0),
    CashRow(2026, "ties", 11.0), CashRow(2027, "ties", 41.0),
    CashRow(2026, "land", 6.0), CashRow(2027, "land", 1.0),
    CashRow(2026, "site", 2.0), CashRow(2027, "site", 3.0), CashRow(2026, "fiber", 4.0),
    CashRow(2026, "security", 2.0), CashRow(2027, "upgrades", 7.0), CashRow(2028, "upgrades", 8.0),
    CashRow(2027, "entry", 4.0),
)  # fmt: skip


def run(
    *,
    names: dict[str, str] | None = None,
    synthetic: bool = True,
    findings: tuple[Finding, ...] = (),
    plan: Solution | None = None,
    **changes: Any,
) -> Run:
    made = scenario(**changes)
    loaded = Loaded(made, None, Path("/nowhere"), "version: 1\nname: by hand\n", "cd" * 32, {})
    regions = gpd.GeoDataFrame(
        {"level": ["state", "state"], "region_id": ["OK", "TX"], "name": ["Oklahoma", "Texas"]},
        geometry=[box(-103, 34, -94, 37), box(-106, 26, -93.5, 34)],
        crs="EPSG:4326",
    )
    cand = candidates(names, synthetic)
    layers = Layers(regions=regions, sources=cand.sources)
    found = solution() if plan is None else plan
    return Run(
        prepared=Prepared(loaded, layers, cand, {"layers": 0.5, "candidates": 0.25}),
        outcome=Outcome(
            found.status, np.zeros(1), found.objective, found.bound, found.gap,
            seconds={"solve": 2.0}, log=("Solving", "Optimal"), solver="highs", version="1.13.1",
        ),
        solution=found,
        findings=findings,
        binding=(Binding("headroom.limit", "B1", P[1], 32.0, "grid MW", 1.5),
                 Binding("budget.year", "", "2027", 900.0, "MUSD", 0.2)),
        greedy=GreedyRow(2, 30.0, 50.0, 950.0, 200.0),
        seconds={"check": 0.1},
    )  # fmt: skip
