"""Power: design-day MW within the contract, and mean MW drawn through the ties."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sitepick.checks import flexible, onsite
from sitepick.checks.case import Case, key_of
from sitepick.checks.swing import uncovered_mw
from sitepick.checks.tolerance import more
from sitepick.finding import Finding


@dataclass(frozen=True)
class Draw:
    """Mean MW drawn through one tie in a period."""

    poi: str
    mean_mw: float


def check(case: Case) -> Iterator[Finding]:
    """Yield the breaches of `power.balance` and `power.draw`."""
    if not case.has_grid:
        return
    for site in case.active_sites:
        for t in case.times if site not in case.leases else ():
            swing = uncovered_mw(case, site, t)
            needed = case.facility_peak_mw(site, t) + swing
            contracted = case.site_grid_mw(site, t)
            firm = sum(row.firm_mw for row in onsite.of_site(case, site, t))
            where = f"site {site}, {case.when(t)}"
            over = more(needed, contracted + firm)
            if over:
                message = (
                    f"the design day needs {needed:,.6g} facility MW"
                    + (f" with swings of {swing:,.6g} MW, " if swing else ", ")
                    + f"{contracted:,.6g} grid MW are contracted"
                    + (f" and {firm:,.6g} MW are firm on site" if firm else "")
                )
                yield Finding("power.balance", where, over, "facility MW", message)
            mean, made = mean_draw_mw(case, site, t), onsite.mean_mw(case, site, t)
            unused = more(made, mean)
            if unused:
                message = f"{made:,.6g} mean MW are served on site, only {mean:,.6g} are needed"
                yield Finding("power.energy", where, unused, "mean MW", message)
            mean -= made
            undrawn = more(mean, sum(d.mean_mw for d in draws(case, site, t)))
            if undrawn:
                message = f"the ties cannot carry the mean draw of {mean:,.6g} MW"
                yield Finding("power.draw", where, undrawn, "mean MW", message)


def mean_draw_mw(case: Case, site: str, t: int) -> float:
    """Return mean MW that a site needs: its facility's, less curtailed, plus batteries' losses."""
    return case.facility_mean_mw(site, t) + flexible.mean_changes_mw(case).get((site, t), 0.0)


def draws(case: Case, site: str, t: int, by: str = "energy_usd_per_mwh") -> list[Draw]:
    """Return how the mean MW of a site go through its ties, least ``by`` first.

    What on-site power serves is not drawn. A site with one possible tie and no on-site option
    draws all of it there. With several, each tie carries at most the
    load factor times its contracted MW (and the existing MW at the first tie), and the cheapest
    energy is drawn first; ``by`` may name another column of the POIs, such as co2_kg_per_mwh.
    """
    mean = max(0.0, mean_draw_mw(case, site, t) - onsite.mean_mw(case, site, t))
    possible = [key_of(row) for row in case.ties_of.get(site, [])]
    if not case.has_grid or mean == 0 or not possible:
        return []
    if len(possible) == 1 and not onsite.has_options(case, site):
        return [Draw(possible[0][1], mean)]
    found = []
    left = mean
    for tie in sorted(possible, key=lambda tie: (float(case.pois[tie[1]][by]), str(tie))):
        poi, contracted = tie[1], case.grid.get((tie, t), 0.0)
        if tie == possible[0]:
            contracted += case.existing_grid_mw(site)
        drawn = min(left, case.load_factor * contracted)
        if drawn > 0:
            found.append(Draw(poi, drawn))
            left -= drawn
    return found


def energy_mwh(draw: Draw) -> float:
    """Return the energy of a draw in a year, MWh."""
    return draw.mean_mw * 8760
