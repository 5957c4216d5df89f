"""Hall classes and hardware as arrays."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from sitepick.candidates.types import Candidates
from sitepick.instance.regions import RegionSets
from sitepick.instance.timeline import FOREVER, Timeline, add_months, whole_months
from sitepick.instance.types import Halls, HardwareData
from sitepick.matrix import FloatArray, IntArray
from sitepick.scenario.catalog import Evidence, HallClass, Hardware, hall_classes, reference
from sitepick.scenario.catalog import hardware as hardware_rows
from sitepick.scenario.schema import Scenario


def price_factor(scenario: Scenario, row: Evidence) -> float:
    """Return what converts a catalog row's money to the scenario's price year."""
    year = row.price_year or scenario.money.price_year
    return (1 + scenario.money.inflation_pct / 100) ** (scenario.money.price_year - year)


def halls_of(
    scenario: Scenario,
    candidates: Candidates,
    time: Timeline,
    site_at: Mapping[str, int],
    max_it_mw: FloatArray,
) -> Halls:
    """Return the hall classes; ``max_it_mw`` (S,) bounds how many fit a site."""
    n = len(site_at)
    rows = hall_classes(scenario)
    if not rows:
        return _no_halls(n)
    climates = _climates(candidates, site_at)
    at = {row.id: k for k, row in enumerate(rows)}
    existing = np.zeros((n, len(rows)), dtype=np.int64)
    for site in scenario.existing:
        for hall, count in site.halls.items():
            existing[site_at[site.site_id], at[hall]] += count
    mw = np.array([row.hall_it_mw for row in rows])
    ha = np.array([row.ha_per_mw * row.hall_it_mw for row in rows])
    base = np.array([at[r.retrofit_of] if r.retrofit_of else -1 for r in rows], dtype=np.int64)
    factor = np.array([price_factor(scenario, row) for row in rows])
    return Halls(
        ids=tuple(row.id for row in rows),
        whole=True,
        mw=mw,
        pue_peak=_by_climate(rows, climates, "pue_peak"),
        pue_avg=_by_climate(rows, climates, "pue_avg"),
        capex_musd=np.array([row.capex_musd_per_mw for row in rows]) * mw * factor,
        life_years=np.array([row.life_years for row in rows]),
        lead_months=np.array([row.build_months for row in rows]),
        om_musd=np.array([row.om_musd_per_mw_year for row in rows]) * mw * factor,
        ha=ha,
        liquid=np.array([row.liquid_share for row in rows]),
        wue=np.array([row.wue_l_per_kwh for row in rows]),
        base=base,
        existing=existing,
        most=_most(candidates, base, existing, mw, ha, max_it_mw),
        build_from=np.tile([time.after(row.build_months) for row in rows], (n, 1)),
        substation_musd_per_mw=(
            scenario.power.substation_musd_per_mw if scenario.power.model == "grid" else 0.0
        ),
    )


def _no_halls(n: int) -> Halls:
    one, zero = np.ones(1), np.zeros(1)
    return Halls(
        ids=("none",), whole=False, mw=one, pue_peak=np.ones((n, 1)), pue_avg=np.ones((n, 1)),
        capex_musd=zero, life_years=one, lead_months=zero, om_musd=zero, ha=zero, liquid=zero,
        wue=zero, base=np.array([-1]), existing=np.zeros((n, 1), dtype=np.int64),
        most=np.zeros((n, 1), dtype=np.int64), build_from=np.zeros((n, 1), dtype=np.int64),
        substation_musd_per_mw=0.0,
    )  # fmt: skip


def _climates(candidates: Candidates, site_at: Mapping[str, int]) -> list[str]:
    known = candidates.sites.set_index("site_id")["climate"]
    return [str(known[site]) for site in site_at]


def _by_climate(rows: Sequence[HallClass], climates: list[str], name: str) -> FloatArray:
    told = [[getattr(row, name)[climate] for row in rows] for climate in climates]
    return np.array(told, dtype=float).reshape(len(climates), len(rows))  # also without a site


def _most(
    candidates: Candidates,
    base: IntArray,
    existing: IntArray,
    mw: FloatArray,
    ha: FloatArray,
    max_it_mw: FloatArray,
) -> IntArray:
    sites = candidates.sites
    usable = sites.loc[sites["status"] == "candidate", "usable_ha"].to_numpy(dtype=float)
    usable = np.where(np.isnan(usable), np.inf, usable)
    with np.errstate(divide="ignore", invalid="ignore"):
        by_land = np.where(ha[None, :] > 0, usable[:, None] / ha[None, :], np.inf)
    # IT MW is continuous inside whole halls: the last hall may stand partly empty
    by_power = np.ceil(max_it_mw[:, None] / mw[None, :] - 1e-9)
    most = np.minimum(np.floor(by_land + 1e-9), by_power).astype(np.int64)
    for k, of in enumerate(base):
        if of >= 0:  # a retrofit class is never built on green field
            most[:, k] = existing[:, of]
    return np.maximum(most, existing)


def hardware_of(
    scenario: Scenario,
    time: Timeline,
    site_at: Mapping[str, int],
    halls: Halls,
    regions: RegionSets,
) -> HardwareData:
    """Return the hardware; existing vintages by period alive."""
    rows = hardware_rows(scenario)
    workloads = scenario.demand.named()
    n = len(site_at)
    if not rows:
        return _no_hardware(n, halls, time, len(workloads))
    classes = hall_classes(scenario)
    fits = np.ones((max(1, len(classes)), len(rows)), dtype=bool)
    for k, hall in enumerate(classes):
        for h, row in enumerate(rows):
            fits[k, h] = row.kw_per_rack <= hall.kw_per_rack and (
                not row.liquid_required or hall.liquid_share > 0
            )
    factor = np.array([price_factor(scenario, row) for row in rows])
    capex = np.array([row.capex_musd_per_mw for row in rows]) * factor
    return HardwareData(
        ids=tuple(row.id for row in rows),
        bought=True,
        fits=fits,
        buy_from=_buy_from(time, rows, n, regions),
        capex_musd=capex,
        life_years=np.array([row.life_years for row in rows]),
        lead_months=np.array([row.lead_months for row in rows]),
        maintenance_musd=capex * np.array([row.maintenance_pct for row in rows]) / 100,
        gain=_gain(scenario, rows),
        existing_mw=_existing(scenario, time, site_at, halls, rows),
    )


def _no_hardware(n: int, halls: Halls, time: Timeline, n_workloads: int) -> HardwareData:
    k, one, zero = len(halls.ids), np.ones(1), np.zeros(1)
    return HardwareData(
        ids=("it",), bought=False, fits=np.ones((k, 1), dtype=bool),
        buy_from=np.zeros((n, 1), dtype=np.int64), capex_musd=zero, life_years=one * FOREVER,
        lead_months=zero, maintenance_musd=zero, gain=np.ones((1, n_workloads)),
        existing_mw=np.zeros((n, k, 1, time.n)),
    )  # fmt: skip


def _gain(scenario: Scenario, rows: Sequence[Hardware]) -> FloatArray:
    base = reference(scenario)
    share = 1 - scenario.network_share_pct / 100
    out = np.zeros((len(rows), len(scenario.demand.named())))
    for w, workload in enumerate(scenario.demand.named().values()):
        for h, row in enumerate(rows):
            if workload.uses == "it":
                out[h, w] = share
            else:
                out[h, w] = share * getattr(row, workload.uses) / getattr(base, workload.uses)
    return out


def _buy_from(time: Timeline, rows: Sequence[Hardware], n: int, regions: RegionSets) -> IntArray:
    out = np.zeros((n, len(rows)), dtype=np.int64)
    delay = regions.hardware_delay_months
    for h, row in enumerate(rows):
        released = time.first_from(row.available_from)
        for months in np.unique(delay):
            ordered = time.after(row.lead_months + months)
            out[delay == months, h] = max(released, ordered)
        out[~regions.allowed(row.id), h] = time.n
    return out


def _existing(
    scenario: Scenario,
    time: Timeline,
    site_at: Mapping[str, int],
    halls: Halls,
    rows: Sequence[Hardware],
) -> FloatArray:
    out = np.zeros((len(site_at), len(halls.ids), len(rows), time.n))
    hall_at = {name: k for k, name in enumerate(halls.ids)}
    row_at = {row.id: h for h, row in enumerate(rows)}
    for site in scenario.existing:
        for item in site.hardware:
            h = row_at[item.hardware]
            life = whole_months(rows[h].life_years * 12)
            end = add_months(item.since, life) if not math.isinf(life) else None
            starts = time.starts[:-1]
            alive = [item.since <= p and (end is None or p < end) for p in starts]
            here = out[site_at[site.site_id], hall_at[item.hall], h]
            here += item.it_mw * np.array(alive, dtype=float)
    return out
