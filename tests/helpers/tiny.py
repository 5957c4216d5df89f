"""A world small enough to check by hand: 3 sites, 3 POIs, 3 yearly periods, and a right plan.

`scenario`, `candidates` and `plan` build it; keywords replace parts of it. `changed`, `added` and
`dropped` make a plan wrong by hand; `settled` then restates its costs, cash and totals, so that
only the change itself can be found wrong.

- A opens in 2028 at POI P (138 kV, 5 km): 2 halls `std`, 20 IT MW `old` on training.
- B opens in 2029 at POI Q (at the site, letters O1 and O2; P is 10 km away): 2 halls `liq`,
  15 IT MW `new` on both workloads.
- C stands already at POI R with 15 grid MW: 1 hall `std`, 8 IT MW `old` of 2025, bought again in
  2030 when they die.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import pandas as pd

from sitepick.candidates.types import LEASES, Candidates
from sitepick.checks import cash, costs, judge
from sitepick.checks.case import Case
from sitepick.checks.claims import objective
from sitepick.finding import Finding
from sitepick.layers.types import Layers
from sitepick.scenario.schema import Scenario
from sitepick.solution import (
    CashRow,
    GridRow,
    HallRow,
    ItRow,
    OfferRow,
    ServeRow,
    ShortRow,
    SiteRow,
    Solution,
    TieRow,
    UseRow,
)

NAN = float("nan")
P0, P1, P2 = PERIODS = ("2028-01-01", "2029-01-01", "2030-01-01")

HALLS: list[dict[str, Any]] = [
    {
        "id": "std", "kw_per_rack": 50, "hall_it_mw": 10, "capex_musd_per_mw": 10, "life_years": 20,
        "build_months": 12, "om_musd_per_mw_year": 0.2, "pue_avg": 1.2, "pue_peak": 1.4,
        "wue_l_per_kwh": 0.5, "ha_per_mw": 0.2,
    },
    {
        "id": "liq", "kw_per_rack": 150, "hall_it_mw": 10, "capex_musd_per_mw": 12,
        "life_years": 20, "build_months": 12, "om_musd_per_mw_year": 0.3, "pue_avg": 1.1,
        "pue_peak": 1.2, "liquid_share": 0.8, "ha_per_mw": 0.1,
    },
    {
        "id": "retro", "kw_per_rack": 150, "hall_it_mw": 12, "capex_musd_per_mw": 4,
        "life_years": 20, "build_months": 6, "om_musd_per_mw_year": 0.25, "pue_avg": 1.15,
        "pue_peak": 1.25, "liquid_share": 0.8, "ha_per_mw": 0.15, "retrofit_of": "std",
    },
]  # fmt: skip
HARDWARE: list[dict[str, Any]] = [
    {
        "id": "old", "kw_per_rack": 40, "training": 1, "prefill": 1, "decode": 1,
        "capex_musd_per_mw": 20, "life_years": 5, "maintenance_pct": 2, "lead_months": 6,
    },
    {
        "id": "new", "kw_per_rack": 120, "training": 4, "prefill": 4, "decode": 2,
        "capex_musd_per_mw": 40, "life_years": 3, "maintenance_pct": 3, "lead_months": 9,
        "available_from": "2029-01-01", "liquid_required": True,
    },
]  # fmt: skip
SCENARIO: dict[str, Any] = {
    "version": 1,
    "as_of": "2026-01-01",
    "periods": {"from": "2028", "to": "2030"},
    "money": {"price_year": 2026, "discount_rate_pct": 8},
    "candidates": {"site_fixed_musd": 3, "site_om_musd_per_year": 1, "land_musd_per_ha": 0.5},
    "power": {"max_ties": 2, "load_factor_pct": 80, "tie_fixed_musd": 8},
    "demand": {
        "workloads": {
            "train": {"uses": "training", "ref_mw": {"2028": 20, "2029": 40}},
            "serve": {"uses": "decode", "ref_mw": 8, "spread": "by_weight", "rtt_ms_max": 20},
        }
    },
    "halls": HALLS,
    "hardware": HARDWARE,
    "reference_hardware": "old",
    "network_share_pct": 5,
    "existing": [
        {
            "site_id": "C",
            "halls": {"std": 1},
            "hardware": [{"hall": "std", "hardware": "old", "it_mw": 8, "since": "2025-01-01"}],
            "grid_mw": 15,
        }
    ],
}

COLUMNS: dict[str, Sequence[str]] = {
    "failed": ("site_id", "test", "value", "threshold", "unit", "message"),
    "offers": (
        "offer_id", "poi_id", "mw_total", "from_date", "to_date", "stage", "firm",
        "curtail_hours_per_year", "min_take_pct", "security_kusd_per_mw", "upgrade_musd",
        "reply_by", "letter_date", "source", "ramp_years",
    ),
    "demand_mw": ("place_id", "workload", "from_date", "mw"),
    "shared_limits": ("limit_id", "poi_id", "factor", "mw", "from_date", "source"),
    "commitments": ("site_id", "what", "mw", "date", "musd", "group"),
    "places": ("place_id", "name", "lon", "lat", "weight", "mw"),
    "reach": ("site_id", "place_id", "km", "rtt_ms", "musd_per_mw_year"),
    "ties": ("site_id", "poi_id", "kv", "km", "cap_mw"),
    "queue": ("poi_id", "over_mw", "years", "rule"),
    "pois": (
        "poi_id", "name", "lon", "lat", "kv", "headroom_mw", "from_date", "estimated",
        "energy_usd_per_mwh", "demand_usd_per_kw_month", "co2_kg_per_mwh",
    ),
    "margins": (
        "area", "mw", "hours", "mean_depth", "deepest", "hardest_event_hours", "poi_ids",
    ),
    "leases": LEASES,
    "onsite": ("site_id", "option_id", "from_date", "gas_usd_per_mmbtu"),
    "onsite_sized": (
        "option_id", "solar_mw_per_mw", "storage_mwh_per_mw", "capex_usd_per_kw", "ha_per_mw",
        "energy_share", "firm_credit", "curve",
    ),
    "site_regions": ("site_id", "level", "region_id"),
    "regions": ("level", "region_id", "name", "capex_factor"),
    "sites": (
        "site_id", "name", "lon", "lat", "decision", "status", "usable_ha", "land_musd",
        "fixed_musd", "max_it_mw", "climate", "fiber_km", "option_expires", "synthetic",
    ),
}  # fmt: skip


def scenario(**parts: Any) -> Scenario:
    """Return the scenario; a dict updates the section of that name, anything else replaces it."""
    record = dict(SCENARIO)
    for name, part in parts.items():
        below = record.get(name)
        merge = isinstance(part, Mapping) and isinstance(below, Mapping)
        record[name] = {**below, **part} if merge else part  # type: ignore[dict-item]
    return Scenario.model_validate(record)


def site(site_id: str, **cells: Any) -> dict[str, Any]:
    """Return a row of `Candidates.sites`: no limits, nothing to pay."""
    return {
        "site_id": site_id, "name": site_id, "lon": NAN, "lat": NAN, "decision": "consider",
        "status": "candidate", "usable_ha": NAN, "land_musd": NAN, "fixed_musd": 0.0,
        "max_it_mw": NAN, "climate": "mild", "fiber_km": NAN, "option_expires": None,
        "synthetic": False, **cells,
    }  # fmt: skip


def poi(poi_id: str, **cells: Any) -> dict[str, Any]:
    """Return a row of `Candidates.pois`: 138 kV, no known headroom."""
    return {
        "poi_id": poi_id, "name": poi_id, "lon": NAN, "lat": NAN, "kv": 138.0,
        "kv_levels": None, "headroom_mw": NAN,
        "from_date": None, "estimated": False, "energy_usd_per_mwh": 50.0,
        "demand_usd_per_kw_month": 5.0, "co2_kg_per_mwh": 400.0, **cells,
    }  # fmt: skip


def offer(offer_id: str, poi_id: str, mw_total: float, **cells: Any) -> dict[str, Any]:
    """Return a row of `Candidates.offers`: signed, firm, from 2028, free of charge."""
    return {
        "offer_id": offer_id, "poi_id": poi_id, "mw_total": mw_total,
        "from_date": date(2028, 1, 1), "to_date": None, "stage": "signed", "firm": True,
        "curtail_hours_per_year": 0.0, "min_take_pct": 0.0, "security_kusd_per_mw": 0.0,
        "upgrade_musd": 0.0, "ramp_years": 0.0, "reply_by": None, "letter_date": None,
        "source": "letter", **cells,
    }  # fmt: skip


def lease(site_id: str, it_mw: float, **cells: Any) -> dict[str, Any]:
    """Return a row of `Candidates.leases`: colocation of class `std` from 2028 for two years."""
    return {
        "site_id": site_id, "operator": None, "kind": "colocation", "it_mw_min": 0.0,
        "it_mw_max": it_mw, "ready_date": date(2028, 1, 1), "usd_per_kw_month": 150.0,
        "price_year": 2026, "escalation_pct": NAN, "term_years": 2.0, "renews": False,
        "power_included": False, "energy_usd_per_mwh": 60.0, "co2_kg_per_mwh": 300.0,
        "hall": "std", "kw_per_rack": 50.0, "liquid": False, "pue_avg": NAN, "pue_peak": NAN,
        "reply_by": None, **cells,
    }  # fmt: skip


def rows(*cells: Sequence[Any], of: str) -> list[dict[str, Any]]:
    """Return short tuples as rows of the named table."""
    return [dict(zip(COLUMNS[of], row, strict=False)) for row in cells]


OFFERS = [
    offer(
        "O1", "Q", 50.0, security_kusd_per_mw=100.0, reply_by=date(2027, 3, 1), min_take_pct=60.0
    ),
    offer("O2", "Q", 80.0, from_date=date(2029, 6, 1), stage="studied", upgrade_musd=5.0),
]
TABLES: dict[str, list[dict[str, Any]]] = {
    "sites": [
        site("A", usable_ha=40.0, land_musd=6.0, fiber_km=10.0),
        site("B", fixed_musd=2.0),
        site("C", decision="existing", usable_ha=20.0),
    ],
    "pois": [
        poi("P", headroom_mw=60.0, from_date=date(2028, 1, 1)),
        poi("Q", kv=230.0, energy_usd_per_mwh=40.0, co2_kg_per_mwh=500.0),
        poi("R", headroom_mw=20.0, from_date=date(2027, 1, 1)),
    ],
    "ties": rows(
        ("A", "P", 138.0, 5.0, 200.0),
        ("B", "Q", 230.0, 0.0, 400.0),
        ("B", "P", 138.0, 10.0, 200.0),
        ("C", "R", 138.0, 1.0, 200.0),
        of="ties",
    ),
    "site_regions": rows(
        ("A", "state", "S1"), ("B", "state", "S1"), ("C", "state", "S2"), of="site_regions"
    ),
    "regions": rows(("state", "S1", "One", NAN), ("state", "S2", "Two", 1.1), of="regions"),
    "places": rows(("X", "X", NAN, NAN, 1.0, NAN), ("Y", "Y", NAN, NAN, 3.0, NAN), of="places"),
    "reach": rows(
        ("A", "X", 300.0, 5.0, NAN), ("A", "Y", 2000.0, 30.0, NAN),
        ("B", "X", 500.0, 10.0, NAN), ("B", "Y", 500.0, 10.0, 0.2),
        ("C", "X", 400.0, 8.0, NAN), ("C", "Y", 600.0, 12.0, NAN),
        of="reach",
    ),
    "offers": OFFERS,
}  # fmt: skip


def candidates(**tables: list[dict[str, Any]]) -> Candidates:
    """Return the candidates; a keyword replaces the table of that name."""
    filled = {name: {**TABLES, **tables}.get(name, []) for name in COLUMNS}
    frames = {
        name: pd.DataFrame(list_of_rows, columns=None if list_of_rows else list(COLUMNS[name]))
        for name, list_of_rows in filled.items()
    }
    return Candidates(**frames)


def plan() -> Solution:
    """Return the right plan of the world above, without costs; `settled` states them."""
    b_train, b_serve = 21 / 3.8, 0.4 / 1.9  # IT MW of `new`: yield 4 and 2, 5 % network
    late = (P1, P2)
    return Solution(
        scenario="tiny",
        periods=PERIODS,
        status="optimal",
        objective_name="net_present_cost",
        objective=0.0,
        bound=0.0,
        gap=0.0,
        gap_without_penalty=0.0,
        bound_certified=True,
        sites=(SiteRow("A", P0), SiteRow("B", P1), SiteRow("C", None)),
        ties=(TieRow("A", "P", P0), TieRow("B", "Q", P1), TieRow("C", "R", None)),
        grid=(
            *(GridRow("A", "P", p, 28.0) for p in PERIODS),
            *(GridRow("B", "Q", p, 18.0) for p in late),
        ),
        halls=(
            *(HallRow("A", "std", p, 2, 2 if p == P0 else 0, 0, 0) for p in PERIODS),
            *(HallRow("B", "liq", p, 2, 2 if p == P1 else 0, 0, 0) for p in late),
            *(HallRow("C", "std", p, 1, 0, 0, 0) for p in PERIODS),
        ),
        it=(
            *(ItRow("A", "std", "old", p, 20.0, 20.0 if p == P0 else 0.0) for p in PERIODS),
            *(ItRow("B", "liq", "new", p, 15.0, 15.0 if p == P1 else 0.0) for p in late),
            *(ItRow("C", "std", "old", p, 8.0, 8.0 if p == P2 else 0.0) for p in PERIODS),
        ),
        use=(
            *(UseRow("A", "old", "train", p, 20.0) for p in PERIODS),
            *(UseRow("B", "new", "train", p, b_train) for p in late),
            *(UseRow("B", "new", "serve", p, b_serve) for p in late),
            *(UseRow("C", "old", "serve", p, 8.0) for p in PERIODS),
        ),
        serve=(
            *(ServeRow("A", "train", "anywhere", p, 19.0) for p in PERIODS),
            *(ServeRow("B", "train", "anywhere", p, 21.0) for p in late),
            *(ServeRow("B", "serve", "Y", p, 0.4) for p in late),
            *(ServeRow("C", "serve", "X", p, 2.0) for p in PERIODS),
            *(ServeRow("C", "serve", "Y", p, 5.6) for p in PERIODS),
        ),
        turned_away=(
            ShortRow("train", "anywhere", P0, 1.0),
            ShortRow("serve", "Y", P0, 0.4),
        ),
        offers=(OfferRow("O1", "Q", 30.0),),
    )


def settled(asked: Scenario, places: Candidates, made: Solution) -> Solution:
    """Return the plan with its costs, cash, objective, bound and gaps stated as they follow."""
    case = Case(asked, places, made)
    made = dataclasses.replace(
        made,
        npc_musd={name: musd for name, musd in costs.terms(case).items() if musd},
        cash=tuple(CashRow(y, c, v) for (y, c), v in sorted(cash.payments(case).items()) if v),
    )
    value = objective(Case(asked, places, made))
    cheap = asked.objective == "min_cost"
    bound = value * (0.999 if cheap else 1.001)
    without = value - made.penalty_musd if cheap else value
    return dataclasses.replace(
        made,
        objective=value,
        bound=bound,
        gap=abs(value - bound) / value if value else 0.0,
        gap_without_penalty=abs(value - bound) / without if without else 0.0,
    )


def judged(
    made: Solution, asked: Scenario | None = None, places: Candidates | None = None
) -> list[Finding]:
    """Return the findings on a plan whose costs and totals are restated first."""
    asked, places = asked or scenario(), places or candidates()
    return judge(asked, Layers(), places, settled(asked, places, made))


def _matches(row: Any, match: Mapping[str, Any]) -> bool:
    return all(getattr(row, name) == value for name, value in match.items())


def changed(made: Solution, table: str, match: Mapping[str, Any], **cells: Any) -> Solution:
    """Return the plan with ``cells`` set in the rows of ``table`` that match; some must."""
    old = getattr(made, table)
    assert any(_matches(row, match) for row in old), f"no row of {table} matches {match}"
    new = tuple(dataclasses.replace(r, **cells) if _matches(r, match) else r for r in old)
    return dataclasses.replace(made, **{table: new})


def added(made: Solution, table: str, *new: Any) -> Solution:
    """Return the plan with rows added to ``table``."""
    return dataclasses.replace(made, **{table: (*getattr(made, table), *new)})


def dropped(made: Solution, table: str, **match: Any) -> Solution:
    """Return the plan without the rows of ``table`` that match; some must."""
    old = getattr(made, table)
    kept = tuple(row for row in old if not _matches(row, match))
    assert len(kept) < len(old), f"no row of {table} matches {match}"
    return dataclasses.replace(made, **{table: kept})
