"""Flexible connections: non-firm MW by source, what stands in for them, and what that loses."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil

from sitepick.checks import demand, groups, headroom
from sitepick.checks.case import Case, Row, number, rows_of
from sitepick.checks.tolerance import more, off, share_of
from sitepick.finding import Finding
from sitepick.layers.types import LoadCurve
from sitepick.scenario.flexible import Area, curtailable_share


@dataclass(frozen=True)
class Source:
    """Where non-firm MW come from: an offer, or the margin of an area."""

    offer_id: str | None
    mw: float
    pois: frozenset[str]
    hours: float  # curtailed, a year
    depth: float  # mean share cut in those hours
    deepest: float  # largest share cut
    event_hours: float  # full-load hours of the worst event
    area: Area | None = None

    @property
    def off_share(self) -> float:
        """The part of a year for which a MW of it is as good as off."""
        return self.hours * self.depth / 8760


def sources(case: Case) -> dict[str, Source]:
    """Return every source of non-firm MW by its name in the plan."""
    scenario, found = case.scenario, {}
    if scenario.power.nonfirm != "flexible" or not case.has_grid:
        return {}
    usual, added = scenario.flexible.event_hours, headroom.increments(case)
    for offer_id, offer in case.offers.items():
        if not offer["firm"]:
            hours = number(offer["curtail_hours_per_year"]) or 0.0
            pois = frozenset([offer["poi_id"]])
            found[f"offer:{offer_id}"] = Source(
                offer_id, added[offer_id], pois, hours, 1.0, 1.0, usual
            )
    areas = {area.name: area for area in scenario.flexible.areas}
    for row in rows_of(case.candidates.margins):
        worst = number(row["hardest_event_hours"])
        found[f"area:{row['area']}"] = Source(
            None, float(row["mw"]), frozenset(row["poi_ids"]), float(row["hours"]),
            float(row["mean_depth"]), float(row["deepest"]), usual if worst is None else worst,
            areas[row["area"]],
        )  # fmt: skip
    return found


def check(case: Case) -> Iterator[Finding]:
    """Yield the breaches of the `flexible.*` rows."""
    if not case.has_grid:
        return
    known = sources(case)
    yield from _margins(case)
    yield from _within(case, known)
    yield from _contracts(case)
    yield from _covers(case, known)
    yield from _tolerances(case, known)
    yield from _batteries(case)


def lost_musd(case: Case, t: int) -> float:
    """Return the price of the work that curtailment loses in a period, MUSD a year.

    MW covered by shedding are off for the source's part of the year; the IT MW behind them, times
    yield, is work in ref_mw; what is not moved elsewhere is charged like work turned away.
    """
    known, total = sources(case), 0.0
    free = 1 - case.scenario.network_share_pct / 100
    for (site, kind, name, source, at), mw in case.shed.items():
        if at != t:
            continue
        work = case.workloads[name]
        it_mw = mw * known[source].off_share / _least_pue(case, site, "peak")
        per_it = 1.0 if case.scenario.hardware == "none" else free * demand.gain(case, kind, name)
        lost = it_mw * per_it * (1 - work.moved_pct / 100)
        total += lost * work.shortfall_musd_per_mw_year
    return total


def mean_changes_mw(case: Case) -> dict[tuple[str, int], float]:
    """Return by how much curtailment changes the mean MW drawn, by site and period: shed work draws
    nothing (moved work draws elsewhere), batteries draw their losses. Worked out once per plan."""
    if case.mean_changes is None:
        case.mean_changes = _mean_changes(case)
    return case.mean_changes


def _mean_changes(case: Case) -> dict[tuple[str, int], float]:
    known, change = sources(case), defaultdict[tuple[str, int], float](float)

    def drawn(site: str) -> float:
        return case.load_factor * _least_pue(case, site, "avg") / _least_pue(case, site, "peak")

    for (site, _, name, source, t), mw in case.shed.items():
        kept = 1 - case.workloads[name].moved_pct / 100
        change[site, t] -= mw * known[source].off_share * drawn(site) * kept
    battery = case.scenario.flexible.battery
    for (site, source, t), mw in case.backed.items():
        if battery is not None:
            loss = 100 / battery.efficiency_pct - 1
            change[site, t] += mw * known[source].off_share * drawn(site) * loss
    return dict(change)


def _least_pue(case: Case, site: str, kind: str) -> float:
    return min(case.pue(site, hall, kind) for hall in case.halls)


def _margins(case: Case) -> Iterator[Finding]:
    """Yield areas whose MW, hours or depth the curve does not give."""
    rows = rows_of(case.candidates.margins)
    areas = case.scenario.flexible.areas
    for area, curve, row in zip(areas, case.curves, rows, strict=False):
        if curve is None:
            yield from _stated(area, row)
            continue
        mw = _largest(curve, area)
        hours = energy = worst = event = 0.0
        peak = max(curve.mw) if area.peak_mw is None else area.peak_mw
        for load, lasts in zip(curve.mw.tolist(), curve.hours.tolist(), strict=True):
            cut = min(mw, max(0.0, load + mw - peak))
            if cut > 1e-6 * mw:
                hours += lasts
                energy += cut * lasts
                event += cut * lasts
                worst = max(worst, event)
            else:
                event = 0.0
        depth = energy / (hours * mw) if hours else 0.0
        where = f"area {area.name}"
        for name, stated, wanted, unit in (
            ("MW", row["mw"], mw, "grid MW"),
            ("curtailed hours", row["hours"], hours, "hours"),
            ("mean depth", row["mean_depth"], depth, "share"),
            *_event(row, worst / mw if curve.hourly and mw else None),
        ):
            apart = off(stated, wanted, max(share_of(wanted), 1e-4 if unit == "grid MW" else 0.0))
            if apart:
                message = f"{stated:,.6g} {name} are taken, the load curve gives {wanted:,.6g}"
                yield Finding("flexible.margin", where, apart, unit, message)


def _event(row: Row, worst: float | None) -> list[tuple[str, float, float, str]]:
    """Return the full-load hours of the worst event as stated and as found, where hours follow."""
    stated = number(row["hardest_event_hours"])
    if worst is None:
        return []
    return [("full-load hours of the worst event", stated or 0.0, worst, "hours")]


def _stated(area: Area, row: Row) -> Iterator[Finding]:
    """Yield what an area without a curve takes beyond what the scenario states."""
    for name, stated, wanted, unit in (
        ("MW", row["mw"], area.mw_max or 0.0, "grid MW"),
        ("curtailed hours", row["hours"], area.curtail_hours_per_year or 0.0, "hours"),
    ):
        apart = off(stated, wanted, share_of(wanted))
        if apart:
            message = f"{stated:,.6g} {name} are taken, the scenario states {wanted:,.6g}"
            yield Finding("flexible.margin", f"area {area.name}", apart, unit, message)


def _largest(curve: LoadCurve, area: Area) -> float:
    """Return the largest load with at most the allowed energy cut, by halving an interval."""
    loads, lasts = curve.mw.tolist(), curve.hours.tolist()
    peak = max(loads) if area.peak_mw is None else area.peak_mw
    allowed = area.curtail_pct / 100 * sum(lasts)
    low, high = 0.0, 10 * max(peak, *loads) / (1 - area.curtail_pct / 100)
    for _ in range(60):
        middle = (low + high) / 2
        cut = 0.0
        for load, hours in zip(loads, lasts, strict=True):
            if load + middle > peak:
                cut += hours * min(middle, load + middle - peak)
        low, high = (middle, high) if cut <= allowed * middle else (low, middle)
    return low if area.mw_max is None else min(low, area.mw_max)


def _within(case: Case, known: dict[str, Source]) -> Iterator[Finding]:
    used: dict[tuple[str, int], float] = defaultdict(float)
    for (site, poi, name, t), mw in sorted(case.nonfirm.items()):
        used[name, t] += mw
        if poi not in known[name].pois:
            message = f"{mw:,.6g} non-firm MW are used at a POI that has no part in {name}"
            where = f"site {site}, POI {poi}, {case.when(t)}"
            yield Finding("flexible.reach", where, mw, "grid MW", message)
    for (name, t), mw in sorted(used.items()):
        source = known[name]
        if source.offer_id is not None:
            offer = case.offers[source.offer_id]
            there = headroom.offer_share(case, offer, t) * headroom.counts(case, offer)
            limit, row = case.taken.get(source.offer_id, 0.0), "flexible.offer"
        else:
            assert source.area is not None
            begins, ends = source.area.from_date, source.area.to_date
            first, following = case.calendar.starts[t], case.calendar.starts[t + 1]
            begun = begins is None or first >= begins
            there = float(begun and (ends is None or (following - ends).days <= 1))
            limit, row = source.mw, "flexible.area"
        limit *= there
        over = more(mw, limit)
        if over:
            message = f"{mw:,.6g} non-firm MW of {name} are used, {limit:,.6g} are there by then"
            yield Finding(row, f"{name}, {case.when(t)}", over, "grid MW", message)


def _contracts(case: Case) -> Iterator[Finding]:
    soft: dict[tuple[str, str, int], float] = defaultdict(float)
    for (site, poi, _, t), mw in case.nonfirm.items():
        soft[site, poi, t] += mw
    for (site, poi, t), mw in sorted(soft.items()):
        whole = sum(
            mine for (tie, at), mine in case.grid.items() if (*tie[:2], at) == (site, poi, t)
        )
        over = more(mw, whole)
        if over:
            message = f"{mw:,.6g} non-firm MW are more than the {whole:,.6g} grid MW contracted"
            where = f"site {site}, POI {poi}, {case.when(t)}"
            yield Finding("flexible.contract", where, over, "grid MW", message)


def _covers(case: Case, known: dict[str, Source]) -> Iterator[Finding]:
    needed: dict[tuple[str, str, int], float] = defaultdict(float)
    there: dict[tuple[str, str, int], float] = defaultdict(float)
    for (site, _, name, t), mw in case.nonfirm.items():
        needed[site, name, t] += mw
    for (site, _, _, name, t), mw in case.shed.items():
        there[site, name, t] += mw
    for (site, name, t), mw in case.backed.items():
        there[site, name, t] += mw
    for site, name, t in sorted({*needed, *there}):
        wants, has = needed.get((site, name, t), 0.0), there.get((site, name, t), 0.0)
        apart = off(has, wants)
        if apart:
            message = f"{wants:,.6g} non-firm MW are used, work and batteries cover {has:,.6g}"
            where = f"site {site}, {name}, {case.when(t)}"
            yield Finding("flexible.cover", where, apart, "grid MW", message)


def _tolerances(case: Case, known: dict[str, Source]) -> Iterator[Finding]:
    shed: dict[tuple[str, str, str, int], float] = defaultdict(float)
    for (site, kind, name, source, t), mw in case.shed.items():
        shed[site, kind, name, t] += mw * known[source].deepest
    for (site, kind, name, t), mw in sorted(shed.items()):
        if case.scenario.hardware == "none":
            at_work = sum(
                ref_mw
                for (s, w, _, at), ref_mw in case.served.items()
                if (s, w, at) == (site, name, t)
            )
            at_work /= groups.delivered_share(case, name, t)  # a group loses some of its work
        else:
            at_work = case.used.get((site, kind, name, t), 0.0)
        share = curtailable_share(case.workloads[name])
        most = share * at_work * _least_pue(case, site, "peak")
        over = more(mw, most)
        if over:
            message = (
                f"{mw:,.6g} MW of {name} are shed at the deepest, {100 * share:g} % of what works "
                f"there are {most:,.6g}"
            )
            where = f"{name} on {kind} at site {site}, {case.when(t)}"
            yield Finding("flexible.tolerance", where, over, "grid MW", message)


def battery_mw_needed(case: Case) -> dict[tuple[str, int], float]:
    """Return the battery MW that non-firm MW call for, by site and period."""
    battery, known = case.scenario.flexible.battery, sources(case)
    needed: dict[tuple[str, int], float] = defaultdict(float)
    for (site, name, t), mw in case.backed.items() if battery is not None else ():
        source = known[name]
        assert battery is not None
        needed[site, t] += mw * max(source.deepest, source.event_hours / battery.hours)
    return needed


def _batteries(case: Case) -> Iterator[Finding]:
    battery = case.scenario.flexible.battery
    if battery is None:
        return
    earliest = case.calendar.earliest(battery.lead_months)
    for (site, t), mw in sorted(case.batteries.items()):
        start = case.calendar.starts[t]
        if start < earliest:
            message = (
                f"{mw:,.6g} battery MW stand before {earliest}, their lead time from the start"
            )
            where = f"site {site}, {case.when(t)}"
            yield Finding("flexible.early", where, (earliest - start).days, "days", message)
    needed = battery_mw_needed(case)
    life = ceil(battery.life_years / case.calendar.years_each - 1e-9)
    for (site, t), mw in sorted(needed.items()):
        alive = sum(
            bought
            for (where, at), bought in case.batteries.items()
            if where == site and at <= t < at + life
        )
        over = more(mw, alive)
        if over:
            message = f"{mw:,.6g} battery MW are needed, {alive:,.6g} are alive"
            where = f"site {site}, {case.when(t)}"
            yield Finding("flexible.battery", where, over, "battery MW", message)
