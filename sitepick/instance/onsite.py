"""On-site power as arrays: options in blocks, where each may stand, from when, at what price."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from itertools import pairwise

import numpy as np
import pandas as pd

from sitepick.candidates.types import Candidates
from sitepick.instance.equipment import price_factor
from sitepick.instance.power import HOURS
from sitepick.instance.tables import records
from sitepick.instance.timeline import Timeline
from sitepick.instance.types import Onsite, Permit
from sitepick.matrix import BoolArray, FloatArray, IntArray
from sitepick.scenario.power_options import PowerOption, power_options
from sitepick.scenario.schema import Scenario

LEAST_CREDIT = 0.05
"""MW of an option are bounded by what a site needs over its firm credit, or over this."""


def sites_with_options(candidates: Candidates, site_at: Mapping[str, int]) -> BoolArray:
    """Return (S,) which sites may have on-site power."""
    out = np.zeros(len(site_at), dtype=bool)
    out[[site_at[s] for s in candidates.onsite["site_id"] if s in site_at]] = True
    return out


def onsite_of(
    scenario: Scenario,
    candidates: Candidates,
    time: Timeline,
    site_at: Mapping[str, int],
    most_facility_mw: FloatArray,
) -> Onsite:
    """Return the options and the pairs of site and option.

    ``most_facility_mw`` (S,) bounds what a site can ever need on its design day; more firm blocks
    than that, and the spare ones, are of no use.
    """
    rows = power_options(scenario)
    sized = {str(r["option_id"]): r for r in records(candidates.onsite_sized)}
    at = {row.id: p for p, row in enumerate(rows)}
    money = np.array([price_factor(scenario, row) for row in rows])
    block = np.array([row.block_mw for row in rows], dtype=float)
    credit = np.array([_credit(row, sized) for row in rows], dtype=float)
    spare = np.array([row.spare_blocks or 0 for row in rows], dtype=np.int64)
    pairs = sorted(
        (site_at[str(r["site_id"])], at[str(r["option_id"])], k)
        for k, r in enumerate(records(candidates.onsite))
        if str(r["site_id"]) in site_at
    )
    access = records(candidates.onsite)
    site = np.array([s for s, _, _ in pairs], dtype=np.int64)
    option = np.array([p for _, p, _ in pairs], dtype=np.int64)
    days = [access[k]["from_date"] for *_, k in pairs]
    build_from = [
        max(time.after(rows[p].lead_months), 0 if pd.isna(day) else time.first_from(day))
        for (_, p, _), day in zip(pairs, days, strict=True)
    ]
    fuel = np.array(
        [_fuel_usd_per_mwh(rows[p], access[k]["gas_usd_per_mmbtu"]) for _, p, k in pairs],
        dtype=float,
    )
    other = np.array([r.energy_usd_per_mwh + r.variable_om_usd_per_mwh for r in rows], dtype=float)
    rent = np.array([row.rent_usd_per_kw_month * 12 for row in rows], dtype=float)
    fixed = np.array([row.fixed_om_usd_per_kw_year for row in rows], dtype=float)
    capex = np.array([_capex(row, sized) for row in rows], dtype=float)
    counted = np.maximum(credit, LEAST_CREDIT)
    enough = np.ceil(most_facility_mw[site] / (block * counted)[option] - 1e-9)
    return Onsite(
        ids=tuple(row.id for row in rows),
        whole=np.array([row.whole for row in rows], dtype=bool),
        bridge=np.array([row.role == "bridge" for row in rows], dtype=bool),
        islanded=np.array([row.islanded for row in rows], dtype=bool),
        leaves=np.array([row.leaves for row in rows], dtype=bool),
        block_mw=block,
        spare=spare,
        credit=credit,
        energy_share=np.array([_energy_share(row, sized) for row in rows], dtype=float),
        solar=tuple(_chords(rows, sized)),
        life_years=np.array([row.life_years for row in rows], dtype=float),
        lead_months=np.array([row.lead_months for row in rows], dtype=float),
        serve_periods=np.array(
            [time.n if r.bridge_years_max is None else time.life_periods(r.bridge_years_max)
             for r in rows], dtype=np.int64,
        ),
        capex_musd=capex * money * block / 1000,
        salvage=np.array([row.salvage_pct / 100 for row in rows], dtype=float),
        fixed_musd=(rent + fixed) * money * block / 1000,
        ha=np.array([_ha(row, sized) for row in rows], dtype=float) * block,
        co2_kt=np.array([row.direct_co2_kg_per_mwh for row in rows], dtype=float) * HOURS / 1e6,
        site=site,
        option=option,
        build_from=np.array(build_from, dtype=np.int64),
        most=(enough + spare[option]).astype(np.int64),
        energy_musd=(fuel + (other * money)[option]) * HOURS / 1e6,
        permits=_permits(scenario, candidates, site_at, site, option, at),
    )  # fmt: skip


def opening_from(onsite: Onsite, sites: int, last: int) -> IntArray:
    """Return (S,) the first period in which on-site power can serve without a tie; ``last``: never.

    Bridges and islanded power do; other prime power counts beside a tie only.
    """
    out = np.full(sites, last, dtype=np.int64)
    alone = (onsite.bridge | onsite.islanded)[onsite.option]
    np.minimum.at(out, onsite.site[alone], onsite.build_from[alone])
    return out


def _credit(row: PowerOption, sized: Mapping[str, dict]) -> float:
    """Return firm MW per MW: 1 beside spare blocks, which are the whole allowance for outages."""
    if row.id in sized:
        return float(sized[row.id]["firm_credit"])
    if row.spare_blocks is not None:
        return 1.0
    return row.availability if row.firm_credit is None else row.firm_credit


def _energy_share(row: PowerOption, sized: Mapping[str, dict]) -> float:
    if row.id not in sized:
        return row.availability
    (_, first), (size, share) = sized[row.id]["curve"][:2]
    return float((share - first) / size)


def _chords(
    rows: tuple[PowerOption, ...], sized: Mapping[str, dict]
) -> Iterator[tuple[int, float, float]]:
    """Yield (option, a, b) of the chords of the curves but the first, and of their flat end."""
    for p, row in enumerate(rows):
        if row.id in sized:
            points = sized[row.id]["curve"]
            for (x0, y0), (x1, y1) in pairwise(points[1:]):
                slope = (y1 - y0) / (x1 - x0)
                yield p, float(y0 - slope * x0), float(slope)
            yield p, float(points[-1][1]), 0.0


def _capex(row: PowerOption, sized: Mapping[str, dict]) -> float:
    if row.id in sized:
        return float(sized[row.id]["capex_usd_per_kw"])
    return row.capex_usd_per_kw or 0.0


def _ha(row: PowerOption, sized: Mapping[str, dict]) -> float:
    return float(sized[row.id]["ha_per_mw"]) if row.id in sized else row.ha_per_mw


def _fuel_usd_per_mwh(row: PowerOption, gas_usd_per_mmbtu: float) -> float:
    return (row.heat_rate_mmbtu_per_mwh or 0.0) * gas_usd_per_mmbtu if row.burns else 0.0


def _permits(
    scenario: Scenario,
    candidates: Candidates,
    site_at: Mapping[str, int],
    site: IntArray,
    option: IntArray,
    at: Mapping[str, int],
) -> tuple[Permit, ...]:
    inside: dict[tuple[str, str], list[int]] = defaultdict(list)
    names = {i: s for s, i in site_at.items()}
    for r in records(candidates.site_regions):
        if str(r["site_id"]) in site_at:
            inside[str(r["level"]), str(r["region_id"])].append(site_at[str(r["site_id"])])
    out = []
    for permit in scenario.onsite.permits:
        if permit.max_mw is None:
            continue
        named = [at[o] for o in permit.options] if permit.options is not None else list(at.values())
        for (level, region), sites in sorted(inside.items()):
            if level != permit.level or (permit.ids is not None and region not in permit.ids):
                continue
            groups = [sites] if permit.per == "region" else [[s] for s in sorted(sites)]
            for group in groups:
                mine = np.flatnonzero(np.isin(site, group) & np.isin(option, named))
                if len(mine):
                    label = f"{level} {region}"
                    label += f" {names[group[0]]}" if permit.per == "site" else ""
                    out.append(Permit(label, mine, permit.max_mw))
    return tuple(out)
