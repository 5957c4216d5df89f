"""A small plan with a bit of all: letters, non-firm MW, upgrades, engines, leases, hardware.

Parcels that are required, existing and too small; work that is turned away; and the month after it,
with a letter a year later and the first plan as its baseline.
"""

from __future__ import annotations

from pathlib import Path

FILES = {
    "parcels.csv": """\
parcel_id,name,lon,lat,usable_ha,ask_musd,option_expires,poi_ids,gas,Broker,Rank,decision
P-1,Alder Field,-97.60,31.42,60,6.1,2027-09-30,Alder,no,Ann,1,consider
P-2,Birch Mill,-97.10,31.60,60,4.4,,Birch,yes,=Bob(),2,require
P-3,Cedar Yard,-96.90,31.20,60,3.3,,Cedar,no,"Cid, Dee",3,consider
P-4,Too small,-96.80,31.20,2,9.9,,Cedar,no,,,consider
P-5,Standing,-97.55,31.50,4,0,,Alder,no,Eve,7,existing
""",
    "substations.csv": """\
poi_id,name,lon,lat,kv,headroom_mw
Alder,Alder,-97.52,31.45,138,0
Birch,Birch,-97.15,31.62,138,10
Cedar,Cedar,-96.86,31.22,138,0
""",
    "letters.csv": """\
offer_id,poi_id,mw_total,from_date,stage,firm,curtail_hours_per_year,security_kusd_per_mw,upgrade_musd,reply_by
A-1,Alder,40,2028-06-01,signed,yes,0,50,0,
A-2,Alder,75,2029-06-01,studied,yes,0,80,3.7,2027-03-31
C-1,Cedar,30,2028-06-01,signed,yes,0,0,0,
C-2,Cedar,60,2028-06-01,signed,no,120,20,1.3,2027-02-28
""",
    "leases.csv": """\
offer_id,name,kind,lon,lat,it_mw_min,it_mw_max,ready_date,usd_per_kw_month,escalation_pct,term_years,power_included,hall,reply_by
COLO,Eastgate,colocation,-97.10,31.55,5,20,2028-06-01,150,3,2,yes,hall,2027-12-31
SHELL,Westfield,powered_shell,-97.20,31.40,5,20,2029-01-01,22,,15,no,hall,2028-06-30
""",
    "counties.geojson": """\
{"type": "FeatureCollection", "features": [
{"type": "Feature", "properties": {"region_id": "west"}, "geometry": {"type": "Polygon",
 "coordinates": [[[-98,31],[-97,31],[-97,32],[-98,32],[-98,31]]]}},
{"type": "Feature", "properties": {"region_id": "east"}, "geometry": {"type": "Polygon",
 "coordinates": [[[-97,31],[-96,31],[-96,32],[-97,32],[-97,31]]]}}]}
""",
    "sitepick.yaml": """\
version: 1
name: everything
as_of: 2026-11-23
periods: {from: 2029, to: 2032}
money: {price_year: 2026, discount_rate_pct: 9}
layers:
  parcels: {file: parcels.csv, keep: [Broker, Rank]}
  substations: {file: substations.csv, kind: load}
  power_offers: {file: letters.csv}
  leases: {file: leases.csv}
  regions: {file: counties.geojson, level: county}
candidates:
  {min_ha: 3, min_it_mw_per_site: 20, site_fixed_musd: 7, climate: mild, site_om_musd_per_year: 0.4}
fiber: {musd_per_km: 0.1}
power:
  wait_years: 2
  nonfirm: flexible
  upgrade_step: {mw: 8, musd: 5, lead_months: 36}
  load_factor_pct: 80
flexible: {battery: {}}
onsite:
  options: [{base: recip, id: engines, lead_months: 12, spare_blocks: 1, block_mw: 10}]
  permits: [{level: county, max_mw: 30}]
demand:
  workloads:
    training: {uses: training, ref_mw: {2029: 60, 2031: 150}, shortfall_musd_per_mw_year: 9}
    answers: {uses: decode, ref_mw: {2029: 30, 2031: 160}, shortfall_musd_per_mw_year: 11}
halls:
  - {id: hall, kw_per_rack: 150, hall_it_mw: 10, capex_musd_per_mw: 12, build_months: 18,
     pue_avg: 1.2, pue_peak: 1.3, liquid_share: 0.8, wue_l_per_kwh: 0.3}
hardware:
  - {id: gpu, kw_per_rack: 130, training: 1, prefill: 1, decode: 1, capex_musd_per_mw: 20}
  - {id: next, kw_per_rack: 140, training: 2, prefill: 1, decode: 1.5, capex_musd_per_mw: 30,
     available_from: 2030-06-01}
reference_hardware: gpu
regions: {rules: [{level: county, ids: [east], entry_musd: 2.5}]}
procurement:
  transformers: {per: grid_mw, amount: 0.02, lead_months: 24, cap: {2027: 3}}
existing:
  - site_id: P-5
    halls: {hall: 1}
    grid_mw: 14
    hardware: [{hall: hall, hardware: gpu, it_mw: 8, since: 2025-06-01}]
budget_musd: {2027: 1000, 2028: 2400, 2029: 900, 2030: 900, 2031: 900, 2032: 900}
solver: {gap_pct: 3}
""",
    "next.yaml": """\
extends: sitepick.yaml
name: everything, a month later
as_of: 2026-12-23
baseline: first
layers: {power_offers: {file: letters_next.csv}}
""",
}


def write(folder: Path) -> Path:
    """Write all files to ``folder`` and return it. The baseline is the run folder ``first``."""
    folder.mkdir(parents=True, exist_ok=True)
    letters = FILES["letters.csv"].replace("A-1,Alder,40,2028", "A-1,Alder,40,2029")
    for name, text in {**FILES, "letters_next.csv": letters}.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder
