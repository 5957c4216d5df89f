"""Regions: entered or not, caps, minimum presence, shares, carbon and water."""

from __future__ import annotations

import numpy as np

from sitepick.blocks import leases
from sitepick.blocks.columns import grid_at, it_at, open_at, periods
from sitepick.blocks.ledger import Ledger
from sitepick.blocks.onsite import firm_at
from sitepick.blocks.power import mean_mw_terms
from sitepick.instance.power import HOURS
from sitepick.instance.types import Instance, RegionRow
from sitepick.matrix import SHARED, FloatArray, IntArray
from sitepick.program import Program

NAME = "regions"


def applies(inst: Instance) -> bool:
    """Where a rule limits regions or entering one costs something."""
    return bool(inst.regions or inst.entries)


def columns(program: Program, inst: Instance, ledger: Ledger) -> None:
    """Add `regions.enter` and its cost."""
    n, e = inst.time.n, len(inst.entries)
    entry, period = np.repeat(np.arange(e), n), periods(inst, e)
    stands = np.array([inst.sites.existing[x.sites].any() for x in inst.entries], dtype=bool)
    program.add_columns(
        "regions.enter",
        keys={"entry": entry, "period": period},
        owner=SHARED,
        lower=stands[entry].astype(float),
        upper=1,
        integer=True,
    )
    ledger.level_purchase(
        "entry",
        _enter_at(program, inst),
        np.where(stands, 0.0, np.array([x.entry_musd for x in inst.entries])),
        life_years=inst.sites.site_life_years,
    )


def _enter_at(program: Program, inst: Instance) -> IntArray:
    return program.index("regions.enter", (len(inst.entries), inst.time.n))


def rows(program: Program, inst: Instance, ledger: Ledger) -> None:
    """Add the rows `regions.*`."""
    if inst.entries:
        _entered(program, inst)
    for family, unit, pick in _DATED:
        _dated(program, inst, family, unit, [getattr(r, pick) for r in inst.regions])
    _shares(program, inst)
    _yearly(program, inst, "regions.co2", "kt/a", [r.max_co2_kt for r in inst.regions])
    _yearly(program, inst, "regions.water", "ML/a", [r.max_water_ml for r in inst.regions])


_DATED = (
    ("regions.max_grid", "grid MW", "max_grid_mw"),
    ("regions.max_it", "IT MW", "max_it_mw"),
    ("regions.min_it", "IT MW", "min_it_mw"),
)


def _entered(program: Program, inst: Instance) -> None:
    n, level = inst.time.n, open_at(program, inst)
    enter, it = _enter_at(program, inst), it_at(program, inst)
    pairs = [(e, s) for e, x in enumerate(inst.entries) for s in x.sites]
    entry = np.repeat(np.array([e for e, _ in pairs], dtype=np.int64), n)
    site = np.repeat(np.array([s for _, s in pairs], dtype=np.int64), n)
    period = periods(inst, len(pairs))
    keys = {"entry": entry, "site": site, "period": period}
    row = program.add_rows("regions.entered", keys=keys, upper=0)
    program.add_entries(row, level[site, period], 1)
    program.add_entries(row, enter[entry, period], -1)
    if n > 1:
        e = np.repeat(np.arange(len(inst.entries)), n - 1)
        later = np.tile(np.arange(1, n), len(inst.entries))
        stay = program.add_rows("regions.stay", keys={"entry": e, "period": later}, lower=0)
        program.add_entries(stay, enter[e, later], 1)
        program.add_entries(stay, enter[e, later - 1], -1)
    for number, (of, most) in enumerate(inst.max_entered):
        mine = [e for e, x in enumerate(inst.entries) if x.level == of and x.counted]
        count = program.add_rows(
            f"regions.count.{of}", keys={"one": [number]}, upper=most, unit="regions",
            relaxable=True,
        )  # fmt: skip
        program.add_entries(count[0], enter[mine, n - 1], 1)
    least = [e for e, x in enumerate(inst.entries) if x.min_it_mw > 0]
    once = program.add_rows(
        "regions.min_once", keys={"entry": least}, lower=0, unit="IT MW", relaxable=True
    )
    for r, number in zip(once, least, strict=True):
        here = it[inst.entries[number].sites, :, :, n - 1]
        program.add_entries(r, here[here >= 0], 1)
        program.add_entries(r, enter[number, n - 1], -inst.entries[number].min_it_mw)


def _dated(
    program: Program, inst: Instance, family: str, unit: str, limits: list[FloatArray | None]
) -> None:
    index = [
        (r, t)
        for r, limit in enumerate(limits)
        if limit is not None
        for t in range(inst.time.n)
        if np.isfinite(limit[t]) and not (family == "regions.min_it" and limit[t] == 0)
    ]
    if not index:
        return
    value = np.array([limits[r][t] for r, t in index])  # type: ignore[index]
    if family == "regions.max_grid":
        for j, (r, _) in enumerate(index):
            value[j] -= inst.headroom.existing_mw[inst.regions[r].sites].sum()
    least = family == "regions.min_it"
    row = program.add_rows(
        family,
        keys={"rule": [r for r, _ in index], "period": [t for _, t in index]},
        lower=value if least else -np.inf,
        upper=np.inf if least else value,
        unit=unit,
        relaxable=True,
    )
    it = it_at(program, inst)
    for j, (r, t) in zip(row, index, strict=True):
        sites = inst.regions[r].sites
        if family == "regions.max_grid":
            here = grid_at(program, inst)[np.isin(inst.ties.site, sites), t]
        else:
            here = it[sites, :, :, t]
        program.add_entries(j, here[here >= 0], 1)


def _shares(program: Program, inst: Instance) -> None:
    mine = [(r, x) for r, x in enumerate(inst.regions) if x.max_share is not None]
    if not mine:
        return
    n, it = inst.time.n, it_at(program, inst)
    index = [(r, t) for r, _ in mine for t in range(n)]
    row = program.add_rows(
        "regions.share",
        keys={"rule": [r for r, _ in index], "period": [t for _, t in index]},
        upper=0,
        unit="IT MW",
        relaxable=True,
    )
    for j, (r, t) in zip(row, index, strict=True):
        every = it[..., t]
        here = it[inst.regions[r].sites, :, :, t]
        program.add_entries(j, every[every >= 0], -float(inst.regions[r].max_share or 0.0))
        program.add_entries(j, here[here >= 0], 1)


def _yearly(
    program: Program, inst: Instance, family: str, unit: str, limits: list[float | None]
) -> None:
    mine: list[tuple[RegionRow, int]] = [
        (x, r) for r, x in enumerate(inst.regions) if limits[r] is not None
    ]
    if not mine:
        return
    index = [(r, t) for _, r in mine for t in range(inst.time.n)]
    row = program.add_rows(
        family,
        keys={"rule": [r for r, _ in index], "period": [t for _, t in index]},
        upper=np.array([limits[r] for r, _ in index], dtype=float),
        unit=unit,
        relaxable=True,
    )
    rate = co2_rate if family.endswith("co2") else water_rate
    for j, (r, t) in zip(row, index, strict=True):
        program.add_entries(j, *rate(program, inst, inst.regions[r].sites, t))


def co2_rate(
    program: Program, inst: Instance, sites: IntArray, period: int
) -> tuple[IntArray, FloatArray]:
    """Return columns and coefficients of kt CO2 a year, of grid and on-site energy of ``sites``."""
    if not inst.grid:
        return np.zeros(0, dtype=np.int64), np.zeros(0)
    leased, of_leased = leases.mean_mw_terms(program, inst, sites, period)
    per_mw = inst.ties.co2_kg_per_mwh * HOURS / 1e6
    column, kt = mean_mw_terms(program, inst, sites, period, per_mw)
    on = inst.onsite
    mean = firm_at(program, inst, "onsite.mean")[:, period]
    mine = (mean >= 0) & np.isin(on.site, sites)
    made = on.co2_kt[on.option[mine]]
    return np.concatenate([column, mean[mine], leased]), np.concatenate([kt, made, of_leased])


def water_rate(
    program: Program, inst: Instance, sites: IntArray, period: int
) -> tuple[IntArray, FloatArray]:
    """Return columns and coefficients of million litres a year used at ``sites``."""
    it = it_at(program, inst)[sites, :, :, period]
    _, k, _ = np.nonzero(it >= 0)
    litres = inst.load_factor * HOURS * 1000 * inst.halls.wue[k] / 1e6
    return it[it >= 0], litres
