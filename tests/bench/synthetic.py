"""Made-up national scenarios of any size: POIs on a map of the US, metros, states, all limits.

Nothing in them is real. Work grows with the number of POIs, so that sizes compare.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

METROS = 60
VARIANTS = {
    "peak": {"demand_charge": 24, "ask": (0.05, 0.1, 0.2, 0.5)},
    "procurement": {"labor": 0.5},
}
"""What differs from the plain scenario: ``peak`` has four times the demand charge and most of its
work in the last years, ``procurement`` half the labour, which then is what limits most."""
CELL_DEG = 4.0
FIRST, LAST = 2027, 2032
SCENARIO = """\
version: 1
name: synthetic
as_of: 2026-11-23
periods: {{from: 2027, to: 2032, step: year}}
money: {{price_year: 2026, discount_rate_pct: 9}}
objective: min_cost
layers:
  substations: {{file: pois.csv, kind: load}}
  regions: {{file: regions.geojson, level: state}}
  demand: {{file: metros.csv}}
  shared_limits: {{file: shared.csv}}
candidates: {{min_kv: 100, min_headroom_mw: 40, area_ha: 80, site_fixed_musd: 40}}
power:
  wait_years: 2
  max_mw_per_poi: 400
  energy_usd_per_mwh: 55
  demand_usd_per_kw_month: {demand_charge}
demand:
  workloads:
    training: {{uses: training, ref_mw: {training}, shortfall_musd_per_mw_year: 9}}
    decode:
      uses: decode
      ref_mw: {decode}
      spread: by_weight
      rtt_ms_max: 12
      shortfall_musd_per_mw_year: 9
halls: [air_std, dlc, dlc_full]
hardware: [gb200_nvl72, gb300_nvl72, vr200_nvl72]
regions: {{rules: [{{level: state, max_it_mw: {region_mw}}}]}}
procurement:
  labor: {{per: construction_it_mw, amount: 5, unit: workers, cap: {labor}}}
solver: {{gap_pct: {gap_pct}, time_limit_s: {seconds}}}
"""


def write(
    folder: Path,
    pois: int,
    seed: int,
    gap_pct: float = 1.0,
    seconds: float = 300,
    variant: str = "",
) -> Path:
    """Write a scenario of ``pois`` substations to ``folder`` and return its path.

    ``variant``: one of `VARIANTS`.
    """
    other: dict[str, Any] = VARIANTS[variant] if variant else {}
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    at = rng.uniform([-120, 28], [-72, 47], (METROS, 2))
    weight = rng.pareto(1.2, METROS) + 0.2
    near = rng.choice(METROS, pois, p=weight / weight.sum())
    lonlat = np.clip(at[near] + rng.normal(0, 2.5, (pois, 2)), [-124, 25], [-67, 49]).round(5)
    headroom = np.minimum(rng.lognormal(np.log(120.0), 0.8, pois), 900).round(1)
    kv = rng.choice([115, 138, 230, 345], pois)
    ids = [f"P{k:06d}" for k in range(pois)]
    _table(
        folder / "pois.csv", ["poi_id", "lon", "lat", "kv", "headroom_mw"],
        zip(ids, *lonlat.T, kv, headroom, strict=True),
    )  # fmt: skip
    _table(
        folder / "metros.csv", ["place_id", "lon", "lat", "weight"],
        ((f"M{k:03d}", *at[k].round(5), round(weight[k], 4)) for k in range(METROS)),
    )  # fmt: skip
    pairs = rng.permutation(pois)[: pois // 10 * 2].reshape(-1, 2)
    _table(
        folder / "shared.csv", ["limit_id", "poi_id", "factor", "mw"],
        (
            (f"L{k:05d}", ids[i], 1, round(0.7 * headroom[pair].sum(), 1))
            for k, pair in enumerate(pairs)
            for i in pair
        ),
    )  # fmt: skip
    features = [_cell(lon, lat) for lon in np.arange(-124, -66, CELL_DEG)
                for lat in np.arange(24, 50, CELL_DEG)]  # fmt: skip
    (folder / "regions.geojson").write_text(
        json.dumps({"type": "FeatureCollection", "features": features})
    )
    asked = {
        FIRST + 2 + k: round(pois * s, 1)
        for k, s in enumerate(other.get("ask", (0.1, 0.2, 0.3, 0.35)))
    }
    path = folder / "sitepick.yaml"
    path.write_text(
        SCENARIO.format(
            training=json.dumps(asked).replace('"', ""),
            decode=json.dumps({y: round(0.8 * mw, 1) for y, mw in asked.items()}).replace('"', ""),
            region_mw=round(max(400.0, 0.12 * pois), 1),
            demand_charge=other.get("demand_charge", 6),
            labor=json.dumps({FIRST + k: round(pois * s * other.get("labor", 1.0), 1)
                              for k, s in enumerate((0.7, 1.4, 1.8, 2.2))}).replace('"', ""),
            gap_pct=gap_pct,
            seconds=seconds,
        )
    )  # fmt: skip
    return path


def _cell(lon: float, lat: float) -> dict[str, Any]:
    e, n = lon + CELL_DEG, lat + CELL_DEG
    ring = [[lon, lat], [e, lat], [e, n], [lon, n], [lon, lat]]
    return {
        "type": "Feature",
        "properties": {"region_id": f"R{lon:.0f}{lat:+.0f}", "climate": "mild"},
        "geometry": {"type": "Polygon", "coordinates": [ring]},
    }


def _table(path: Path, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    with path.open("w", newline="") as stream:
        out = csv.writer(stream)
        out.writerow(header)
        out.writerows(rows)
