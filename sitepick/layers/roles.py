"""What each role's columns are: kind, unit, whether a layer is useless without them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["id", "text", "number", "kv", "date", "flag", "choice", "ids"]
STAGES = ("energised", "signed", "studied", "requested", "published", "assumed")
DECISIONS = ("consider", "require", "forbid", "existing")
GAS = ("yes", "no", "unknown")
LEASES = ("powered_shell", "colocation")
COMMITTED = ("site", "it_mw", "grid_mw", "member")


@dataclass(frozen=True)
class Column:
    """One of our columns. ``unit`` is the canonical one, which the column's name also tells."""

    kind: Kind
    unit: str | None = None
    required: bool = False
    choices: tuple[str, ...] = ()


def _mw(required: bool = False) -> Column:
    return Column("number", "mw", required)


ID = Column("id", required=True)
FREE_ID = Column("id")  # made up when the file has none
TEXT = Column("text")
DATE = Column("date")

ROLES: dict[str, dict[str, Column]] = {
    "substations": {
        "poi_id": FREE_ID,
        "name": TEXT,
        "kv": Column("kv", "kv"),
        "kv_levels": Column("kv", "kv"),
        "kv_min": Column("kv", "kv"),
        "headroom_mw": _mw(),
        "from_date": DATE,
        "estimated": Column("flag"),
        "synthetic": Column("flag"),
        "gas": Column("choice", choices=GAS),
    },
    "lines": {"line_id": FREE_ID, "kv": Column("kv", "kv"), "rating_mva": Column("number", "mva")},
    "fiber_nodes": {"node_id": FREE_ID, "name": TEXT},
    "fiber_links": {
        "link_id": FREE_ID,
        "from_node": Column("id"),
        "to_node": Column("id"),
        "km": Column("number", "km"),
        "owner": TEXT,
        "pairs": Column("number"),
        "fibers": Column("number"),
        "lit": Column("flag"),
        "lit_tbps": Column("number", "tbps"),
        "lease_usd_per_km_year": Column("number", "usd_per_km_year"),
        "in_service": DATE,
    },
    "rights_of_way": {"row_id": FREE_ID, "kind": TEXT},
    "regions": {
        "region_id": ID,
        "name": TEXT,
        "climate": TEXT,
        "co2_kg_per_mwh": Column("number", "kg_per_mwh"),
        "energy_usd_per_mwh": Column("number", "usd_per_mwh"),
        "capex_factor": Column("number"),
        "gas_usd_per_mmbtu": Column("number"),
    },
    "exclusions": {},
    "parcels": {
        "parcel_id": ID,
        "name": TEXT,
        "decision": Column("choice", choices=DECISIONS),
        "usable_ha": Column("number", "ha"),
        "ask_musd": Column("number", "musd"),
        "option_expires": DATE,
        "poi_ids": Column("ids"),
        "climate": TEXT,
        "max_it_mw": _mw(),
        "gas": Column("choice", choices=GAS),
    },
    "sites": {
        "site_id": ID,
        "name": TEXT,
        "fixed_musd": Column("number", "musd"),
        "capacity_mw": _mw(),
        "usable_ha": Column("number", "ha"),
        "poi_ids": Column("ids"),
        "climate": TEXT,
        "gas": Column("choice", choices=GAS),
    },
    "demand": {"place_id": FREE_ID, "name": TEXT, "weight": Column("number"), "mw": _mw()},
    "demand_mw": {
        "place_id": ID,
        "workload": TEXT,
        "from_date": Column("date", required=True),
        "mw": _mw(required=True),
    },
    "power_offers": {
        "offer_id": FREE_ID,
        "poi_id": ID,
        "mw_total": _mw(required=True),
        "from_date": Column("date", required=True),
        "to_date": DATE,
        "stage": Column("choice", required=True, choices=STAGES),
        "firm": Column("flag"),
        "curtail_hours_per_year": Column("number", "h"),
        "min_take_pct": Column("number", "pct"),
        "security_kusd_per_mw": Column("number", "kusd_per_mw"),
        "upgrade_musd": Column("number", "musd"),
        "ramp_years": Column("number", "years"),
        "reply_by": DATE,
        "letter_date": DATE,
        "source": TEXT,
    },
    "leases": {
        "offer_id": ID,
        "name": TEXT,
        "operator": TEXT,
        "kind": Column("choice", choices=LEASES),
        "it_mw_min": _mw(),
        "it_mw_max": _mw(required=True),
        "ready_date": Column("date", required=True),
        "usd_per_kw_month": Column("number", "usd_per_kw_month", required=True),
        "price_year": Column("number"),
        "escalation_pct": Column("number", "pct"),
        "term_years": Column("number", "years", required=True),
        "renews": Column("flag"),
        "power_included": Column("flag"),
        "energy_usd_per_mwh": Column("number", "usd_per_mwh"),
        "hall": TEXT,
        "kw_per_rack": Column("number"),
        "liquid": Column("flag"),
        "pue_avg": Column("number"),
        "pue_peak": Column("number"),
        "climate": TEXT,
        "reply_by": DATE,
    },
    "shared_limits": {
        "limit_id": ID,
        "poi_id": ID,
        "factor": Column("number"),
        "mw": _mw(required=True),
        "from_date": DATE,
        "source": TEXT,
    },
    "tariffs": {
        "poi_id": Column("id"),
        "level": TEXT,
        "region_id": Column("id"),
        "energy_usd_per_mwh": Column("number", "usd_per_mwh"),
        "demand_usd_per_kw_month": Column("number", "usd_per_kw_month"),
        "co2_kg_per_mwh": Column("number", "kg_per_mwh"),
    },
    "queue": {
        "level": TEXT,
        "region_id": Column("id"),
        "over_mw": _mw(),
        "years": Column("number", "years"),
        "p10_years": Column("number", "years"),
        "p50_years": Column("number", "years"),
        "p90_years": Column("number", "years"),
        "source": TEXT,
    },
    "commitments": {
        "site_id": ID,
        "what": Column("choice", required=True, choices=COMMITTED),
        "group": TEXT,
        "mw": _mw(),
        "date": Column("date", required=True),
        "musd": Column("number", "musd"),
    },
    "solar_days": {
        "profile_id": Column("id"),
        "day_id": ID,
        "hour": Column("number", required=True),
        "mw_per_mw": Column("number", required=True),
        "days_per_year": Column("number"),
    },
    "matrix": {"site_id": ID, "place_id": ID, "value": Column("number", required=True)},
}
ID_OF = {
    "substations": "poi_id",
    "lines": "line_id",
    "fiber_nodes": "node_id",
    "fiber_links": "link_id",
    "rights_of_way": "row_id",
    "regions": "region_id",
    "parcels": "parcel_id",
    "sites": "site_id",
    "demand": "place_id",
    "power_offers": "offer_id",
    "leases": "offer_id",
    "shared_limits": "limit_id",
    "tariffs": "poi_id",
    "queue": "region_id",
    "commitments": "site_id",
    "demand_mw": "place_id",
    "matrix": "site_id",
    "solar_days": "day_id",
}
NO_OWN_ID = (
    "exclusions", "demand_mw", "tariffs", "queue", "commitments", "matrix", "solar_days",
)  # fmt: skip
"""Roles whose rows are not named by an id of their own, so a column `id` is not theirs."""
PLACE = ("lon", "lat", "wkt")
"""Columns that place a table's rows on the map; `fields:` may name them for every role."""
GEOMETRY: dict[str, str] = {
    "substations": "point",
    "lines": "line",
    "fiber_nodes": "point",
    "fiber_links": "line",
    "rights_of_way": "line",
    "regions": "polygon",
    "exclusions": "any",
    "parcels": "point_or_polygon",
    "sites": "point",
    "demand": "point",
    "leases": "point",
}
"""What the geometry of a role is turned into; roles not named are plain tables."""
MAY_BE_NOWHERE = ("sites", "demand", "leases")
"""Roles whose rows are of use without a location (plain facility location)."""
