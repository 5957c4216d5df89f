"""Procurement: what each calendar year can supply of transformers, chips, cooling, labor."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from sitepick.checks.calendar import move, whole_months
from sitepick.checks.case import Case
from sitepick.checks.tolerance import MW, more, share_of
from sitepick.finding import Finding
from sitepick.scenario.rules import SupplyItem


def check(case: Case) -> Iterator[Finding]:
    """Yield the breaches of `procurement.cap`, and of the items' lead times."""
    for name, item in sorted(case.scenario.procurement.items()):
        used: dict[int, float] = defaultdict(float)
        earliest = case.calendar.earliest(item.lead_months)
        for site, t, mw in _uses(case, item):
            if not _concerns(case, item, site) or mw == 0:
                continue
            start = case.calendar.starts[t]
            if item.per == "construction_it_mw":
                for year, part in _construction(case, site, t).items():
                    used[year] += part * item.amount
                continue
            used[move(start, -whole_months(item.lead_months)).year] += mw * item.amount
            if start < earliest and mw > MW:
                message = f"energised before {earliest}, the item's lead time from the start"
                where = f"{name}, site {site}, {case.when(t)}"
                yield Finding("procurement.early", where, (earliest - start).days, "days", message)
        for year, amount in sorted(used.items()):
            if year not in item.cap:
                continue
            over = more(amount, item.cap[year], max(share_of(item.cap[year]), item.amount * MW))
            if over:
                message = f"{amount:,.6g} {item.unit} are used, {item.cap[year]:,.6g} can be had"
                yield Finding("procurement.cap", f"{name}, {year}", over, item.unit, message)


def _concerns(case: Case, item: SupplyItem, site: str) -> bool:
    """Return whether a site draws on this supply."""
    if item.level is None or item.ids is None:
        return True
    return case.regions_of[site].get(item.level) in item.ids


def _uses(case: Case, item: SupplyItem) -> Iterator[tuple[str, int, float]]:
    """Yield (site, period, MW that use the item); construction is spread over time elsewhere."""
    if item.per == "hardware_it_mw":
        for (site, _, kind, t), it_row in case.it_rows.items():
            if kind == item.hardware:
                yield site, t, it_row.bought_mw
        return
    if item.per == "construction_it_mw":
        for site, t in sorted({(site, t) for site, _, t in case.hall_rows}):
            yield site, t, 1.0
        return
    for (site, hall, t), row in case.hall_rows.items():
        room = case.halls[hall]
        new_mw = (row.built + row.converted_in) * room.hall_it_mw
        if item.per == "grid_mw":
            yield site, t, row.built * room.hall_it_mw * case.pue(site, hall, "peak")
        elif item.per == "liquid_it_mw":
            yield site, t, new_mw * room.liquid_share
        else:
            yield site, t, new_mw


def _construction(case: Case, site: str, t: int) -> dict[int, float]:
    """Return IT MW-years under construction by calendar year for halls energised at ``t``."""
    by_year: dict[int, float] = defaultdict(float)
    for hall, kind in case.halls.items():
        row = case.hall_rows.get((site, hall, t))
        if row is None:
            continue
        new_mw = (row.built + row.converted_in) * kind.hall_it_mw
        for before in range(1, whole_months(kind.build_months) + 1):
            by_year[move(case.calendar.starts[t], -before).year] += new_mw / 12
    return by_year
