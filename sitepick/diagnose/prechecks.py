"""Limits that contradict each other by arithmetic alone, said before anything is solved."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from sitepick.blocks.headroom import possible_mw
from sitepick.instance.types import Instance
from sitepick.matrix import BoolArray, FloatArray, IntArray
from sitepick.scenario.schema import Scenario

_SLIGHT = 1e-6
_SHOWN = 8


def contradictions(scenario: Scenario, inst: Instance) -> tuple[str, ...]:
    """Return sentences on limits that cannot all hold, in MW, MUSD and dates; each is a proof."""
    said: list[str] = []
    for check in (_demand, _required, _commitments, _minimum, _presence, _budget):
        said += list(check(scenario, inst))[:_SHOWN]
    return tuple(said)


def site_grid_mw(inst: Instance) -> FloatArray:
    """Return (S, T) the most grid MW that each site's ties can bring, existing MW included.

    A tie stands from its site's first period on; on-site power is not counted.
    """
    room = possible_mw(inst)[inst.ties.poi]
    cap = np.minimum(room, inst.ties.cap_mw[:, None])
    begins = inst.sites.open_from[inst.ties.site]
    cap = np.where(np.arange(inst.time.n) >= begins[:, None], cap, 0.0)
    out = np.zeros((len(inst.sites.ids), inst.time.n))
    (np.maximum if inst.ties.most == 1 else np.add).at(out, inst.ties.site, cap)
    return out + inst.headroom.existing_mw[:, None]


def site_it_mw(inst: Instance) -> FloatArray:
    """Return (S, T) the most IT MW that each site can hold, by power, campus size and land."""
    n, t = len(inst.sites.ids), inst.time.n
    out = np.tile(inst.sites.max_it_mw[:, None], (1, t))
    if inst.grid:
        by_grid = site_grid_mw(inst) / inst.halls.pue_peak.min(axis=1, initial=np.inf)[:, None]
        powered = np.isin(np.arange(n), inst.onsite.sites) | inst.leased
        out = np.where(powered[:, None], out, np.minimum(out, by_grid))
    if inst.halls.whole:
        out = np.where(inst.leased[:, None], out, np.minimum(out, _hall_mw(inst)[:, None]))
    closed = np.arange(t)[None, :] < inst.sites.open_from[:, None]
    return np.where(closed, 0.0, out)


def _hall_mw(inst: Instance) -> FloatArray:
    """Return (S,) IT MW of the most halls of the densest use of a site's land."""
    mw, ha = inst.halls.mw, inst.halls.ha
    most = (inst.halls.most * mw).sum(axis=1).astype(float)
    if (ha > 0).all():
        land = inst.sites.usable_ha * float((mw / ha).max())
        most = np.minimum(most, np.maximum(land, (inst.halls.existing * mw).sum(axis=1)))
    return most


def _demand(scenario: Scenario, inst: Instance) -> Iterator[str]:
    """Compare must-serve work with what the places within reach can hold, POIs counted once."""
    d = inst.demand
    unit = "IT MW" if scenario.hardware == "none" else "ref MW"
    room = possible_mw(inst) if inst.grid else None
    it = site_it_mw(inst)
    for w, name in enumerate(d.workloads):
        if not d.must[w]:
            continue
        gain = float(inst.hardware.gain[:, w].max(initial=0.0))
        limit = scenario.demand.named()[name].rtt_ms_max
        found: list[tuple[float, str]] = []
        for place in np.flatnonzero(d.mw[w].max(axis=1, initial=0.0) > 0):
            mine = (d.serve_workload == w) & (d.serve_place == place)
            sites = np.unique(d.serve_site[mine])
            able = it[sites].sum(axis=0)
            grid = _grid_mw(inst, sites, room)
            if grid is not None:
                pue = float(inst.halls.pue_peak[sites].min(initial=np.inf))
                able = np.minimum(able, grid / pue)
            lacking = np.flatnonzero(d.mw[w, place] > able * gain + _SLIGHT)
            if not len(lacking):
                continue
            t = int(lacking[np.argmax((d.mw[w, place] - able * gain)[lacking])])
            who = "demand" if name == "it" else f"{name} demand"
            where = "" if d.places[place] == "anywhere" else f" at {d.places[place]}"
            near = "all places" if limit is None or not where else f"the places within {limit:g} ms"
            have = f"{able[t]:,.1f} IT MW"
            if unit != "IT MW":
                have += f" = {able[t] * gain:,.1f} {unit}"
            if grid is not None:
                have = f"at most {grid[t]:,.1f} grid MW; they hold {have}"
            text = (
                f"must-serve {who}{where} is {d.mw[w, place, t]:,.1f} {unit} from "
                f"{inst.time.names[t]}, {near} ({len(sites)}) have {have}"
            )
            found.append((float(d.mw[w, place, t] - able[t] * gain), text))
        if found:
            more = f"; so at {len(found) - 1} other places" if len(found) > 1 else ""
            yield max(found)[1] + more


def _grid_mw(inst: Instance, sites: IntArray, room: FloatArray | None) -> FloatArray | None:
    """Return (T,) grid MW of all POIs of some sites, each once; None where they do not bound."""
    if room is None or np.isin(sites, inst.onsite.sites).any() or inst.leased[sites].any():
        return None
    pois = np.unique(inst.ties.poi[np.isin(inst.ties.site, sites)])
    own = inst.headroom.existing_mw[sites].sum()
    return np.asarray(
        np.minimum(room[pois].sum(axis=0) + own, site_grid_mw(inst)[sites].sum(axis=0))
    )


def _required(scenario: Scenario, inst: Instance) -> Iterator[str]:
    last = inst.time.n - 1
    for i in np.flatnonzero(inst.sites.required):
        name = inst.sites.ids[i]
        if inst.sites.open_from[i] > last:
            yield (
                f"required site {name} cannot open before {inst.time.starts[-1]}: ties take "
                f"{inst.sites.lead_months:g} months from {inst.time.as_of}"
            )
        elif _closed(inst)[i]:
            yield f"required site {name} is closed by a moratorium whenever it could open"
    most = inst.sites.count_max
    must = inst.sites.required | inst.sites.existing
    must[[c.site for c in inst.commitments if c.what == "site"]] = True
    if most is not None and must.sum() > most:
        n = int(must.sum())
        yield f"{n} sites stand, are required or committed; limits.sites_max is {most}"


def _closed(inst: Instance) -> BoolArray:
    """Return (S,) sites that are closed in every period in which they could open."""
    can = np.arange(inst.time.n)[None, :] >= inst.sites.open_from[:, None]
    return np.asarray(((inst.sites.closed | ~can).all(axis=1)) & ~inst.sites.existing)


def _commitments(scenario: Scenario, inst: Instance) -> Iterator[str]:
    it = site_it_mw(inst)
    grid = site_grid_mw(inst) if inst.grid else None
    for c in inst.commitments:
        if c.start >= inst.time.n or c.what in ("site", "member"):
            continue
        if c.what == "it_mw":
            able, unit = it[c.site], "IT MW"
        elif grid is not None:
            able, unit = grid[c.site], "grid MW"
        else:
            continue
        t = c.start + int(np.argmin(able[c.start :]))
        if c.mw > able[t] + _SLIGHT:
            yield (
                f"{inst.sites.ids[c.site]} is committed to {c.mw:,.1f} {unit} from "
                f"{inst.time.names[c.start]}; in {inst.time.names[t]} its "
                f"{'lease allows' if inst.leased[c.site] else 'POIs, size and land allow'} "
                f"{able[t]:,.1f} {unit}"
            )


def _minimum(scenario: Scenario, inst: Instance) -> Iterator[str]:
    able = site_it_mw(inst)[:, -1]
    least = inst.sites.min_it_mw
    small = np.flatnonzero(inst.sites.required & ~inst.sites.existing & (least > able + _SLIGHT))
    for i in small:
        yield (
            f"required site {inst.sites.ids[i]} must have {least[i]:,.1f} IT MW at the end "
            f"(candidates.min_it_mw_per_site); its POIs, size and land allow {able[i]:,.1f} IT MW"
        )


def _presence(scenario: Scenario, inst: Instance) -> Iterator[str]:
    able = site_it_mw(inst)
    caps = [r for r in inst.regions if r.max_it_mw is not None]
    for row in inst.regions:
        if row.min_it_mw is None:
            continue
        held = able[row.sites].sum(axis=0)
        lacking = np.flatnonzero(row.min_it_mw > held + _SLIGHT)
        if len(lacking):
            t = int(lacking[0])
            yield (
                f"{row.label} must have {row.min_it_mw[t]:,.1f} IT MW from {inst.time.names[t]}; "
                f"its {len(row.sites)} sites can hold {held[t]:,.1f} IT MW"
            )
        for cap in caps:
            assert cap.max_it_mw is not None
            same = set(row.sites.tolist()) <= set(cap.sites.tolist())
            over = np.flatnonzero(row.min_it_mw > cap.max_it_mw + _SLIGHT)
            if same and len(over):
                t = int(over[0])
                yield (
                    f"{row.label} must have {row.min_it_mw[t]:,.1f} IT MW from "
                    f"{inst.time.names[t]}, but {cap.label} may have {cap.max_it_mw[t]:,.1f} IT MW"
                )


def _budget(scenario: Scenario, inst: Instance) -> Iterator[str]:
    """Compare all capital with what committed IT MW cost at least, at sites without halls."""
    if inst.budget_musd is None:
        return
    halls = inst.halls
    per_hall = np.where(halls.base < 0, halls.capex_musd / halls.mw, np.inf) if halls.whole else [0]
    cheapest = float(np.min(per_hall, initial=np.inf)) if halls.whole else 0.0
    machines = float(inst.hardware.capex_musd.min()) if inst.hardware.bought else 0.0
    has = inst.hardware.existing_mw.sum(axis=(1, 2)).max(axis=1, initial=0.0)
    asked: dict[int, float] = {}
    for c in inst.commitments:
        if c.what == "it_mw" and c.start < inst.time.n and not halls.existing[c.site].any():
            asked[c.site] = max(asked.get(c.site, 0.0), c.mw)
    rented = dict(zip(inst.leases.site.tolist(), inst.leases.fit_out_musd.tolist(), strict=True))
    need = 0.0
    for i, mw in asked.items():
        need += mw * rented.get(i, cheapest) * inst.sites.capex_factor[i]
        need += max(0.0, mw - has[i]) * machines
    have = float(inst.budget_musd.sum())
    if need > have + _SLIGHT:
        yield (
            f"what is committed costs at least {need:,.0f} MUSD in halls and hardware; "
            f"budget_musd comes to {have:,.0f} MUSD in all years"
        )
