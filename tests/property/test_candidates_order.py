"""The order of rows changes nothing; what is rejected has a reason; tighter rules take away."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import make_layers as make
import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from sitepick.candidates import Candidates, propose
from sitepick.layers.types import Layers

FRAMES = (
    "pois", "fiber_links", "regions", "exclusions", "parcels", "demand", "demand_mw",
    "power_offers", "shared_limits", "tariffs", "commitments", "matrix",
)  # fmt: skip
TABLES = (
    "sites", "failed", "overridden", "pois", "ties", "site_regions", "regions", "places", "reach",
    "offers", "demand_mw", "shared_limits", "commitments",
)  # fmt: skip


def rich_layers(seed: int, with_parcels: bool) -> Layers:
    rng = np.random.default_rng(seed)

    def spot() -> tuple[float, float]:
        return float(rng.uniform(-98.3, -96.2)), float(rng.uniform(30.2, 31.8))

    pois = [
        {
            "poi_id": f"S{k}", "at": spot(), "kv": float(rng.choice([69, 138, 345, np.nan])),
            "headroom_mw": float(rng.choice([np.nan, 0, 40, 300])), "keep:owner": f"o{k % 3}",
            "from_date": [None, date(2028, 1, 1), date(2035, 1, 1)][int(rng.integers(3))],
        }
        for k in range(25)
    ]  # fmt: skip
    pois[0]["headroom_mw"] = 55.0
    parcels: list[dict[str, Any]] = []
    for k in range(20):
        lon, lat = spot()
        shape = {"at": (lon, lat)} if k % 2 else {"geometry": make.square(lon, lat, 0.02)}
        named = tuple(f"S{n}" for n in rng.choice(25, 2, replace=False)) if k % 5 == 0 else None
        parcels.append(
            {
                "parcel_id": f"P{k}", "poi_ids": named, **shape,
                "decision": "forbid" if k == 3 else "consider",
                "usable_ha": float(rng.choice([np.nan, 20, 200])),
            }
        )  # fmt: skip
    return Layers(
        pois=make.pois(*pois),
        parcels=make.parcels(*parcels) if with_parcels else None,
        fiber_links=make.fiber_links(*([spot(), spot()] for _ in range(4))),
        regions=make.regions(
            *(
                {"level": level, "region_id": f"{level}{k}", "geometry": make.square(*spot(), size),
                 "energy_usd_per_mwh": float(rng.uniform(30, 70))}
                for level, size in (("state", 0.8), ("county", 0.4))
                for k in range(3)
            )
        ),
        exclusions=make.exclusions(
            *(
                {"name": f"x{k % 2}", "geometry": make.square(*spot(), 0.1),
                 "buffer_km": 3.0 * (k % 3), "include": k == 5}
                for k in range(6)
            )
        ),
        demand=make.demand(*({"place_id": f"d{k}", "at": spot()} for k in range(4))),
        demand_mw=make.table(
            *(
                {"place_id": f"d{k % 4}", "workload": "it", "from_date": date(2027 + k // 4, 1, 1),
                 "mw": 1.0 + k}
                for k in range(8)
            )
        ),
        power_offers=make.offers(
            *(
                {"offer_id": f"L{k}", "poi_id": f"S{k // 2}", "mw_total": float(50 * (k % 4 + 1)),
                 "stage": str(rng.choice(["signed", "requested"]))}
                for k in range(10)
            )
        ),
        shared_limits=make.table(
            *(
                {"limit_id": f"B{k % 2}", "poi_id": f"S{k}", "factor": 1.0, "mw": 90.0,
                 "from_date": None, "source": ""}
                for k in range(6)
            )
        ),
        tariffs=make.table(
            *(
                {"poi_id": f"S{k}" if k < 5 else None, "level": None if k < 5 else "state",
                 "region_id": None if k < 5 else "state1", "energy_usd_per_mwh": 20.0 + k,
                 "demand_usd_per_kw_month": float("nan"), "co2_kg_per_mwh": 300.0}
                for k in range(6)
            )
        ),
        matrix=make.table(
            *(
                {"site_id": f"{'P' if with_parcels else 'S'}{k}", "place_id": "d1",
                 "meaning": "rtt_ms", "value": float(k)}
                for k in range(5)
            )
        ),
    )  # fmt: skip


def scenario(**candidates: Any):
    return make.scenario(
        candidates={"fiber_km_max": 60, **candidates},
        power={"tie_km_max": 40, "candidate_pois": 3},
        regions={"rules": [{"level": "county", "ids": "county0", "forbid": True}]},
    )


def shuffled(layers: Layers, seed: int) -> Layers:
    rng = np.random.default_rng(seed)
    mixed = {}
    for name in FRAMES:
        frame = getattr(layers, name)
        if frame is not None:
            mixed[name] = frame.iloc[rng.permutation(len(frame))].reset_index(drop=True)
    return replace(layers, **mixed)


def assert_same(left: Candidates, right: Candidates) -> None:
    for name in TABLES:
        pd.testing.assert_frame_equal(
            getattr(left, name), getattr(right, name), check_exact=True, obj=name
        )
    assert [n.message for n in left.notes] == [n.message for n in right.notes]


@settings(max_examples=12, deadline=None, derandomize=True)
@given(st.integers(0, 10_000), st.booleans())
def test_row_order_changes_nothing(seed: int, with_parcels: bool) -> None:
    layers = rich_layers(seed, with_parcels)
    assert_same(propose(scenario(), layers), propose(scenario(), shuffled(layers, seed + 1)))


@settings(max_examples=8, deadline=None, derandomize=True)
@given(st.integers(0, 10_000), st.booleans())
def test_every_place_is_a_candidate_or_has_a_reason(seed: int, with_parcels: bool) -> None:
    found = propose(scenario(), rich_layers(seed, with_parcels))
    rejected = set(found.sites["site_id"][found.sites["status"] == "rejected"])
    assert rejected == set(found.failed["site_id"])
    looked, *falls, remain = (n for _, n in found.waterfall)
    assert looked == sum(falls) + remain
    candidates = set(found.sites["site_id"]) - rejected
    assert set(found.ties["site_id"]) == candidates
    assert set(found.ties["poi_id"]) == set(found.pois["poi_id"])
    assert set(found.reach["site_id"]) == candidates
    assert not found.failed["message"].isin(["", None]).any()
    assert found.sites["site_id"].is_monotonic_increasing


@settings(max_examples=8, deadline=None, derandomize=True)
@given(st.integers(0, 10_000), st.booleans())
def test_a_tighter_rule_only_takes_candidates_away(seed: int, with_parcels: bool) -> None:
    layers = rich_layers(seed, with_parcels)

    def kept(**rules: Any) -> set[str]:
        sites = propose(scenario(**rules), layers).sites
        return set(sites["site_id"][sites["status"] == "candidate"])

    free = kept()
    assert kept(min_ha=50) <= free
    assert kept(min_kv=100) <= free
    assert kept(min_headroom_mw=100) <= free
    assert kept(fiber_km_max=20) <= free
