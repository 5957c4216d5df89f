"""A small plan with all that fiber carries: two groups, a service with peaks, a split of pools.

Four towns on a ring of fiber with a chord, and one where the traffic of answers goes; one group
survives any cut; work is turned away.
"""

from __future__ import annotations

import json
from pathlib import Path

TOWNS = {"A": (-98.0, 31.0), "B": (-97.0, 31.0), "C": (-97.0, 32.0), "D": (-98.0, 32.0),
         "E": (-97.2, 32.5)}  # fmt: skip
LINKS = {
    "ab": ("A", "B", [(-97.5, 30.9)]), "bc": ("B", "C", []), "cd": ("C", "D", [(-97.4, 32.1)]),
    "da": ("D", "A", []), "ac": ("A", "C", [(-97.6, 31.3)]), "ec": ("E", "C", []),
    "ed": ("E", "D", []),
}  # fmt: skip
SITES = """\
site_id,name,lon,lat,capacity_mw,fixed_musd
a1,"Alder, =1+1",-98.01,31.01,90,4
b1,Birch <b>,-97.01,31.02,90,5
c1,Cedar,-97.02,31.98,90,6
d1,Dogwood,-97.99,31.98,90,7
"""
PLACES = "place_id,name,lon,lat,weight\nA,Atown,-98.0,31.0,1\nC,Ctown,-97.0,32.0,1\n"
SCENARIO = """\
version: 1
name: campus
as_of: 2026-01-01
periods: {from: 2028, to: 2030}
money: {price_year: 2026, discount_rate_pct: 8}
layers:
  sites: {file: sites.csv}
  substations: {file: substations.csv, kind: load}
  fiber_nodes: {file: nodes.csv}
  fiber_links: {file: links.geojson}
  demand: {file: places.csv}
candidates: {source: table}
power: {tie_months: 12}
fiber:
  enter_at: nodes
  straight_factor: 1
  musd_per_km: 0.1
  services:
    - {name: answers, workload: web, to_nodes: [E], gbps_per_ref_mw: 20, peak_gbps_per_ref_mw: 120,
       peak_hours_per_year: 300}
demand:
  workloads:
    big: {uses: training, ref_mw: {2028: 60, 2029: 90, 2030: 300}, shortfall_musd_per_mw_year: 9}
    small: {uses: training, ref_mw: 40, shortfall_musd_per_mw_year: 9}
    web: {uses: decode, ref_mw: {2028: 20, 2030: 10}, shortfall_musd_per_mw_year: 20}
    ask: {uses: prefill, ref_mw: 8, shortfall_musd_per_mw_year: 20}
    tell: {uses: decode, ref_mw: 12, shortfall_musd_per_mw_year: 20}
  splits:
    - {name: pools, prefill: ask, decode: tell, rtt_ms_max: 5, gbps_per_ref_mw: 10}
campus_groups:
  - {name: north, workload: big, sites_min: 2, sites_max: 3, min_site_it_mw: 20, rtt_ms_max: 8,
     shape: ring, sync: {params_billion: {2028: 400, 2030: 900}}, loss_pct_per_extra_site: 2}
  - {name: south, workload: small, sites_min: 2, sites_max: 2, min_site_it_mw: 15,
     route_km_max: 700, shape: hub, survive_cut: true, sync: {params_billion: 500, every_steps: 2}}
halls:
  - {id: hall, kw_per_rack: 150, hall_it_mw: 10, capex_musd_per_mw: 12, build_months: 12,
     pue_avg: 1.2, pue_peak: 1.3}
hardware:
  - {id: gpu, kw_per_rack: 130, training: 1, prefill: 1, decode: 1, capex_musd_per_mw: 20}
reference_hardware: gpu
solver: {gap_pct: 2}
"""


def write(folder: Path) -> Path:
    """Write all files to ``folder`` and return it; the scenario is ``sitepick.yaml``."""
    folder.mkdir(parents=True, exist_ok=True)
    nodes = ["node_id,name,lon,lat", *(f"{n},{n}town,{x},{y}" for n, (x, y) in TOWNS.items())]
    features = [
        {
            "type": "Feature",
            "properties": {"link_id": name, "from_node": a, "to_node": b},
            "geometry": {"type": "LineString", "coordinates": [TOWNS[a], *via, TOWNS[b]]},
        }
        for name, (a, b, via) in LINKS.items()
    ]
    files = {
        "sites.csv": SITES,
        "places.csv": PLACES,
        "substations.csv": "poi_id,name,lon,lat,kv,headroom_mw\n"
        + "".join(f"{n},{n} bus,{x},{y},138,200\n" for n, (x, y) in TOWNS.items()),
        "nodes.csv": "\n".join(nodes) + "\n",
        "links.geojson": json.dumps({"type": "FeatureCollection", "features": features}),
        "sitepick.yaml": SCENARIO,
    }
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder
