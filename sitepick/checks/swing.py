"""Power swings: what work draws above nameplate is contracted, or flattened by batteries."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil

from sitepick.checks import flexible
from sitepick.checks.case import Case
from sitepick.checks.tolerance import more
from sitepick.finding import Finding


def check(case: Case) -> Iterator[Finding]:
    """Yield the breaches of the `swing.*` rows; `power` judges what is contracted."""
    battery = case.scenario.flexible.battery
    periods = {name: t for t, name in enumerate(case.calendar.periods)}
    backed = flexible.battery_mw_needed(case)
    for row in case.solution.smoothed:
        t = periods[row.period]
        where = f"site {row.site_id}, {row.period}"
        over = more(row.mw, swing_mw(case, row.site_id, t))
        if over:
            message = f"{row.mw:,.6g} MW are flattened, work swings by less"
            yield Finding("swing.most", where, over, "facility MW", message)
        alive = 0.0
        if battery is not None:
            life = ceil(battery.life_years / case.calendar.years_each - 1e-9)
            for (site, at), bought in case.batteries.items():
                if site == row.site_id and at <= t < at + life:
                    alive += bought
        needed = row.mw + backed.get((row.site_id, t), 0.0)
        over = more(needed, alive)
        if over:
            message = f"{needed:,.6g} battery MW are needed, {alive:,.6g} are alive"
            yield Finding("swing.battery", where, over, "battery MW", message)


def swing_mw(case: Case, site: str, t: int) -> float:
    """Return by how much the work of a site may draw more than nameplate, facility MW."""
    pue = max(case.pue(site, hall, "peak") for hall in case.halls)
    total = 0.0
    if case.scenario.hardware == "none":
        for (where, name, _, at), mw in case.served.items():
            if (where, at) == (site, t):
                total += mw * case.workloads[name].power_swing_pct / 100
    else:
        for (where, _, name, at), mw in case.used.items():
            if (where, at) == (site, t):
                total += mw * case.workloads[name].power_swing_pct / 100
    return total * pue


def uncovered_mw(case: Case, site: str, t: int) -> float:
    """Return the swing that no battery flattens: it must be contracted, facility MW."""
    if not any(work.power_swing_pct for work in case.workloads.values()):
        return 0.0
    flat = sum(
        row.mw
        for row in case.solution.smoothed
        if (row.site_id, row.period) == (site, case.when(t))
    )
    return max(0.0, swing_mw(case, site, t) - flat)
