"""Headroom: dated MW of layers and letters, upgrade steps, limits shared by several POIs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import date

from sitepick.checks.calendar import MONTHS, move, whole_months
from sitepick.checks.case import Case, Row, day, number, rows_of, standing
from sitepick.checks.tolerance import more
from sitepick.finding import Finding
from sitepick.scenario.power import STAGES


def check(case: Case) -> Iterator[Finding]:
    """Yield the breaches of the `headroom.*` rows. Without a grid there is nothing to judge."""
    if not case.has_grid:
        return
    yield from _offers(case)
    yield from _steps(case)
    yield from _limits(case)
    yield from _shared(case)


def counts(case: Case, offer: Row) -> bool:
    """Return whether an offer's MW count: its stage does, and it is firm or non-firm ones do."""
    power = case.scenario.power
    return offer["stage"] in power.count_stages and (
        bool(offer["firm"]) or power.nonfirm != "exclude"
    )


def is_soft(case: Case, offer: Row) -> bool:
    """Return whether an offer's MW are used as non-firm ones."""
    return not offer["firm"] and case.scenario.power.nonfirm == "flexible"


def is_active(case: Case, offer: Row, t: int) -> bool:
    """Return whether an offer's MW are there during the whole of period ``t``."""
    slip = case.scenario.power.slip_years.get(offer["stage"], 0.0)
    begins = move(day(offer["from_date"]) or date.min, whole_months(12 * slip))
    ends = day(offer["to_date"])
    start, following = case.calendar.starts[t], case.calendar.starts[t + 1]
    return start >= begins and (ends is None or (following - ends).days <= 1)


def grown(case: Case, dated: date, ramp_years: float, t: int) -> float:
    """Return the share of MW that a ramp from ``dated`` on has reached in period ``t``."""
    each = MONTHS[case.scenario.periods.step]
    steps = 0
    while steps * each < 12 * ramp_years - 1e-6:  # whole periods that cover the ramp
        steps += 1
    reached, start = 0, case.calendar.starts[t]
    while reached < steps and move(dated, reached * each) <= start:
        reached += 1
    return reached / steps if steps else float(dated <= start)


def offer_share(case: Case, offer: Row, t: int) -> float:
    """Return the share of an offer's MW that is there during period ``t``: none, ramping or all."""
    if not is_active(case, offer, t):
        return 0.0
    dated = day(offer["from_date"])
    if dated is None:
        return 1.0
    slip = case.scenario.power.slip_years.get(offer["stage"], 0.0)
    return grown(case, move(dated, whole_months(12 * slip)), offer["ramp_years"], t)


def first_active(case: Case, offer: Row) -> int | None:
    """Return the first period in which an offer is active."""
    return next((t for t in case.times if is_active(case, offer, t)), None)


def increments(case: Case) -> dict[str, float]:
    """Return what each offer adds to the smaller ones at its POI, grid MW."""
    by_poi: dict[str, list[Row]] = defaultdict(list)
    for offer in case.offers.values():
        by_poi[offer["poi_id"]].append(offer)
    added: dict[str, float] = {}
    for rows in by_poi.values():
        rows.sort(key=lambda r: (r["mw_total"], STAGES.index(r["stage"]), r["offer_id"]))
        reached = 0.0
        for row in rows:
            added[row["offer_id"]] = max(0.0, row["mw_total"] - reached)
            reached = max(reached, row["mw_total"])
    return added


def layer_mw(case: Case, poi: str, t: int) -> float:
    """Return the dated headroom of a POI without letters, grid MW; unknown is none."""
    power = case.scenario.power
    row = case.pois[poi]
    stated = number(row["headroom_mw"])
    if stated is None or power.headroom_stage not in power.count_stages:
        return 0.0
    slip = whole_months(12 * power.slip_years.get(power.headroom_stage, 0.0))
    usable = stated * (1 if case.scenario.connection_only else power.headroom_pct / 100)
    dated = day(row["from_date"])
    if dated is not None:
        return usable * grown(case, move(dated, slip), power.ramp_years, t)
    reached, total = usable, 0.0
    for tier in reversed(case.queue.get(poi, [{"over_mw": 0.0, "years": power.wait_years}])):
        begins = move(case.scenario.as_of, whole_months(12 * tier["years"]) + slip)
        if reached > tier["over_mw"]:
            total += (reached - tier["over_mw"]) * grown(case, begins, power.ramp_years, t)
            reached = tier["over_mw"]
    return total


def possible_mw(case: Case, poi: str, t: int) -> float:
    """Return the most grid MW that a POI can carry in a period: letters, layer, areas, steps."""
    power, total = case.scenario.power, 0.0
    if poi in _lettered(case):
        added = increments(case)
        for offer_id, offer in case.offers.items():
            if offer["poi_id"] == poi and counts(case, offer):
                total += added[offer_id] * offer_share(case, offer, t)
    else:
        total = layer_mw(case, poi, t)
        step = power.upgrade_step
        if step and case.calendar.starts[t] >= case.calendar.earliest(step.lead_months):
            total += step.mw * step.max_steps
    start, following = case.calendar.starts[t], case.calendar.starts[t + 1]
    areas = {area.name: area for area in case.scenario.flexible.areas}
    for row in rows_of(case.candidates.margins):
        area = areas[row["area"]]
        begun = area.from_date is None or start >= area.from_date
        if poi in row["poi_ids"] and begun:
            lasts = area.to_date is None or (following - area.to_date).days <= 1
            total += float(row["mw"]) if lasts else 0.0
    if power.max_mw_per_poi is not None:
        total = min(total, power.max_mw_per_poi)
    if power.max_ramp_mw_per_year is not None:
        before = possible_mw(case, poi, t - 1) if t else 0.0
        total = min(total, before + power.max_ramp_mw_per_year * case.calendar.years_each)
    return total


def _lettered(case: Case) -> set[str]:
    return {row["poi_id"] for row in case.offers.values()}


def _offers(case: Case) -> Iterator[Finding]:
    added = increments(case)
    for offer_id, mw in sorted(case.taken.items()):
        offer = case.offers[offer_id]
        usable = counts(case, offer) and first_active(case, offer) is not None
        over = more(mw, added[offer_id] if usable else 0.0)
        if over:
            said = (
                f"it adds {added[offer_id]:,.6g} MW to the smaller ones"
                if usable
                else "its stage, firmness or dates do not count"
            )
            message = f"{mw:,.6g} grid MW are taken from the offer, but {said}"
            where = f"offer {offer_id} at POI {offer['poi_id']}"
            yield Finding("headroom.accepted", where, over, "grid MW", message)


def _steps(case: Case) -> Iterator[Finding]:
    step = case.scenario.power.upgrade_step
    if step is None:
        return
    earliest = case.calendar.earliest(step.lead_months)
    bought: dict[str, int] = defaultdict(int)
    for (poi, t), steps in sorted(case.steps.items()):
        where = f"POI {poi}, {case.when(t)}"
        bought[poi] += steps
        apart = abs(steps - round(steps))
        if apart:
            yield Finding("headroom.steps", where, apart, "steps", "upgrade steps must be whole")
        if poi in _lettered(case):
            message = "upgrade steps are bought at a POI that has letters"
            yield Finding("headroom.steps", where, steps, "steps", message)
        start = case.calendar.starts[t]
        if start < earliest:
            message = f"upgrade steps stand before {earliest}, their lead time from the start"
            yield Finding("headroom.early", where, (earliest - start).days, "days", message)
    for poi, steps in sorted(bought.items()):
        if steps > step.max_steps:
            message = f"{steps} upgrade steps are bought, at most {step.max_steps} can be"
            extra = steps - step.max_steps
            yield Finding("headroom.steps", f"POI {poi}", extra, "steps", message)


def _limits(case: Case) -> Iterator[Finding]:
    most = case.scenario.power.max_mw_per_poi
    step = case.scenario.power.upgrade_step
    lettered = _lettered(case)
    taken_at: dict[str, list[Row]] = defaultdict(list)
    for offer_id in case.taken:
        taken_at[case.offers[offer_id]["poi_id"]].append(case.offers[offer_id])
    for poi in sorted({poi for (_, poi, _), _ in case.grid}):
        for t in case.times:
            used = case.poi_mw(poi, t)
            limit = 0.0 if poi in lettered else layer_mw(case, poi, t)
            for offer in taken_at[poi]:
                if not is_soft(case, offer):
                    limit += case.taken[offer["offer_id"]] * offer_share(case, offer, t)
            limit += case.nonfirm_of_poi.get((poi, t), 0.0)
            if step is not None:
                bought = sum(n for (p, at), n in case.steps.items() if p == poi and at <= t)
                limit += step.mw * bought
            where = f"POI {poi}, {case.when(t)}"
            over = more(used, limit)
            if over:
                message = f"{used:,.6g} grid MW are contracted, {limit:,.6g} are there by then"
                yield Finding("headroom.limit", where, over, "grid MW", message)
            over = 0.0 if most is None else more(used, most)
            if over:
                message = f"{used:,.6g} grid MW are contracted, one POI may carry {most:,.6g}"
                yield Finding("headroom.most", where, over, "grid MW", message)
        yield from _growth(case, poi)


def _growth(case: Case, poi: str) -> Iterator[Finding]:
    per_year = case.scenario.power.max_ramp_mw_per_year
    if per_year is None:
        return
    before = 0.0
    for t in case.times:
        used = case.poi_mw(poi, t)
        most = per_year * case.calendar.years_each
        over = more(used - before, most)
        if over:
            message = (
                f"contracted grid MW grow by {used - before:,.6g}, a period allows {most:,.6g}"
            )
            yield Finding("headroom.ramp", f"POI {poi}, {case.when(t)}", over, "grid MW", message)
        before = used


def _shared(case: Case) -> Iterator[Finding]:
    by_limit: dict[str, dict[date, list[Row]]] = defaultdict(lambda: defaultdict(list))
    for row in rows_of(case.candidates.shared_limits):
        by_limit[row["limit_id"]][day(row["from_date"]) or date.min].append(row)
    for limit_id, dated in sorted(by_limit.items()):
        for t in case.times:
            rows = standing_rows(dated, case.calendar.starts[t])
            if not rows:
                continue
            used = sum(row["factor"] * case.poi_mw(row["poi_id"], t) for row in rows)
            limit = rows[0]["mw"]
            over = more(used, limit)
            if over:
                message = f"the POIs load the shared limit with {used:,.6g} of {limit:,.6g} MW"
                where = f"shared limit {limit_id}, {case.when(t)}"
                yield Finding("headroom.shared", where, over, "grid MW", message)


def standing_rows(dated: dict[date, list[Row]], when: date) -> list[Row]:
    """Return the rows with the latest date that has come; none before the first."""
    index = {start: float(n) for n, start in enumerate(dated)}
    at = standing(index, when)
    return [] if at is None else list(dated.values())[int(at)]
