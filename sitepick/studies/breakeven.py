"""What a plan costs by unit, and at which prices it would be another: docs/breakeven.md.

Unit costs are worked out from the plan. Break-evens solve again, from the plan, and are intervals:
two plans within a gap of their optima say no more.
"""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import pandas as pd

from sitepick.blocks.power import mean_mw_terms
from sitepick.errors import ScenarioError
from sitepick.instance.timeline import Timeline, add_months
from sitepick.planner import Planner
from sitepick.run import Prepared
from sitepick.scenario.schema import Scenario
from sitepick.solution import Solution
from sitepick.solve.outcome import Limits, Progress

HOURS = 8760.0
MONTHS = 12
"""How much earlier power comes."""
HIGHEST = 8.0
"""Prices of work are raised up to this many times theirs."""


@dataclass(frozen=True)
class Figure:
    """A figure with its unit and what it means. ``low`` and ``high``: the truth lies between.

    None as ``value``: there is none, ``meaning`` says why.
    """

    name: str
    value: float | None
    low: float | None
    high: float | None
    unit: str
    meaning: str


def unit_costs(scenario: Scenario, plan: Solution) -> tuple[Figure, ...]:
    """Return what the plan costs by discounted unit of IT and of work."""
    yearly = dict(zip(plan.periods, Timeline.of(scenario).yearly, strict=True))
    paid = plan.net_present_cost_musd
    it = float(sum(r.it_mw * yearly[r.period] for r in plan.it))
    work = float(sum(r.ref_mw * yearly[r.period] for r in plan.serve))
    year = scenario.money.price_year
    what = "net present cost without the price of turned-away work over the discounted"
    return (
        _plain("npc_per_it_mw_year", paid, it, f"MUSD (real, {year}) per IT MW-year",
               f"{what} IT MW-years installed"),
        _plain("npc_per_it_kw_month", paid * 1e6, it * 1000 * 12,
               f"USD (real, {year}) per IT kW and month", f"{what} IT kW-months installed"),
        _plain("npc_per_ref_mw_year", paid, work, f"MUSD (real, {year}) per ref_mw-year",
               f"{what} ref_mw-years of work served"),
        _plain("npc_per_ref_kw_hour", paid * 1e6, work * 1000 * HOURS,
               f"USD (real, {year}) per reference-hour",
               f"{what} reference-hours served: an hour of the work of 1 IT kW of the reference"
               " hardware, at 8,760 hours a year"),
    )  # fmt: skip


def _plain(name: str, musd: float, units: float, unit: str, meaning: str) -> Figure:
    value = musd / units if units > 0 else None
    return Figure(name, value, value, value, unit, meaning if units > 0 else "the plan has none")


@dataclass
class BreakEvens:
    """Solves the scenario of a plan again, changed, from that plan."""

    prepared: Prepared
    plan: Solution
    limits: Limits
    on_progress: Progress | None = None
    stop: threading.Event | None = None

    def __post_init__(self) -> None:
        if self.prepared.scenario.objective != "min_cost":
            raise ScenarioError(
                f"break-evens are of cost; the objective of this run is"
                f" {self.prepared.scenario.objective}"
            )

    @property
    def _money(self) -> str:
        return f"(real, {self.prepared.scenario.money.price_year})"

    # --- price of turned-away work ----------------------------------------------------------

    def prices(self, steps: int) -> tuple[Figure, ...]:
        """Return below and above which factor on the prices of turned-away work the plan changes.

        It changes where a plan is found that is cheaper by more than the gap.
        """
        named = self.prepared.scenario.demand.named()
        if all(w.must_serve or w.shortfall_musd_per_mw_year == 0 for w in named.values()):
            why = "all work must be served, or turning it away has no price"
            return (Figure("price_below", None, None, None, "times the price", why),)
        below = self._bisected(0.0, 1.0, steps)
        return (
            _interval(
                "price_below", below, "times the price",
                "turned-away work priced below this, a plan that serves less is better by more than"
                f" the gap; at {self._price_text(0.5 * sum(below))} (the scenario:"
                f" {self._price_text(1.0)})",
            ),
            self._above(steps),
        )  # fmt: skip

    def _above(self, steps: int) -> Figure:
        unit = "times the price"
        if self.plan.penalty_musd <= 0:
            why = "none: no work is turned away, and no higher price changes that"
            return Figure("price_above", None, None, None, unit, why)
        stands, factor = 1.0, 2.0
        while factor <= HIGHEST and not self._stopped():
            if self._changes(factor):
                found = self._bisected(factor, stands, steps)
                return _interval(
                    "price_above", found, unit,
                    "turned-away work priced above this, a plan that serves more is better by more"
                    f" than the gap; at {self._price_text(0.5 * sum(found))}",
                )  # fmt: skip
            stands, factor = factor, 2 * factor
        why = f"none found up to {stands:g} times the price: other limits turn work away"
        return Figure("price_above", None, stands, None, unit, why)

    def _bisected(self, changed: float, stands: float, steps: int) -> tuple[float, float]:
        """Return the interval from a factor with a better plan to one without, low end first."""
        for _ in range(steps):
            if self._stopped():
                break
            middle = 0.5 * (changed + stands)
            if self._changes(middle):
                changed = middle
            else:
                stands = middle
        return min(changed, stands), max(changed, stands)

    def _changes(self, factor: float) -> bool:
        planner = self._planner(priced(self.prepared, factor))
        start = planner.started_from(self.plan)
        out, _ = planner.solve(start)
        kept = self.plan.net_present_cost_musd + factor * self.plan.penalty_musd
        gap = max(self.limits.gap, self.plan.gap)
        return out.values is not None and kept - out.objective > gap * abs(kept)

    def _price_text(self, factor: float) -> str:
        named = self.prepared.scenario.demand.named()
        price = {
            name: f"{factor * w.shortfall_musd_per_mw_year:,.3g}"
            for name, w in named.items()
            if not w.must_serve
        }
        alone = len(named) == 1  # without a workload of its own its name says nothing
        parts = [musd if alone else f"{name} {musd}" for name, musd in price.items()]
        unit = "IT MW" if self.prepared.scenario.hardware == "none" else "ref_mw"
        return f"{', '.join(parts)} MUSD {self._money} per {unit} and year"

    # --- one year earlier -------------------------------------------------------------------

    def earlier(self) -> tuple[Figure, ...]:
        """Return what grid MW that come `MONTHS` earlier save, and what that is per MWh."""
        planner = self._planner(earlier(self.prepared, MONTHS))
        out, plan = planner.solve(planner.started_from(self.plan))
        if plan is None or out.values is None:
            return (Figure("year_earlier_saves", None, None, None, "MUSD", "no plan was found"),)
        saved = max(0.0, self.plan.objective - plan.objective)
        low = max(0.0, self.plan.bound - plan.objective)
        high = max(saved, self.plan.objective - plan.bound)
        mwh = _discounted_mwh(planner, out.values)
        meaning = (
            "net present cost, price of turned-away work included, less that with every queue wait,"
            " letter and dated MW 12 months earlier (not before as_of), demand and all else as is"
        )
        per = "that, over the discounted MWh that the earlier plan draws from the grid within the"
        figures = [Figure("year_earlier_saves", saved, low, high, f"MUSD {self._money}", meaning)]
        figures.append(
            Figure("year_earlier_per_mwh", saved * 1e6 / mwh, low * 1e6 / mwh, high * 1e6 / mwh,
                   f"USD {self._money} per MWh",
                   f"{per} horizon: as much more per MWh could be paid for it")
            if mwh > 0
            else Figure("year_earlier_per_mwh", None, None, None, "USD per MWh",
                        "the plan draws nothing from a grid")
        )  # fmt: skip
        return tuple(figures)

    def _planner(self, prepared: Prepared) -> Planner:
        name = prepared.scenario.solver.name
        return Planner(prepared, self.limits, name, False, self.on_progress, self.stop)

    def _stopped(self) -> bool:
        return self.stop is not None and self.stop.is_set()


def _interval(name: str, found: tuple[float, float], unit: str, meaning: str) -> Figure:
    return Figure(name, 0.5 * sum(found), *found, unit, meaning)


def priced(prepared: Prepared, factor: float) -> Prepared:
    """Return the scenario with every price of turned-away work times ``factor``."""
    demand = prepared.scenario.demand
    key = "shortfall_musd_per_mw_year"
    changed = demand.model_copy(
        update={
            key: factor * demand.shortfall_musd_per_mw_year,
            "workloads": {
                name: work.model_copy(update={key: factor * work.shortfall_musd_per_mw_year})
                for name, work in demand.workloads.items()
            },
        }
    )
    return _with(prepared, prepared.scenario.model_copy(update={"demand": changed}))


def earlier(prepared: Prepared, months: int) -> Prepared:
    """Return the scenario with waits, letters and dated MW ``months`` earlier, not before as_of."""
    scenario, cand = prepared.scenario, prepared.candidates
    years = months / 12
    power = scenario.power.model_copy(
        update={"wait_years": max(0.0, scenario.power.wait_years - years)}
    )
    pois = cand.pois.assign(from_date=_before(cand.pois["from_date"], scenario.as_of, months))
    offers = cand.offers.assign(from_date=_before(cand.offers["from_date"], scenario.as_of, months))
    waits = [max(0.0, float(y) - years) for y in cand.queue["years"]]
    changed = replace(cand, pois=pois, offers=offers, queue=cand.queue.assign(years=waits))
    made = _with(prepared, scenario.model_copy(update={"power": power}))
    return replace(made, candidates=changed)


def _before(days: pd.Series, first: date, months: int) -> pd.Series:
    """Return dates so many months earlier, but not before ``first`` unless they were already."""
    moved = [
        None if pd.isna(day) else min(day, max(first, add_months(day, -months))) for day in days
    ]
    return pd.Series(moved, index=days.index, dtype=object)


def _with(prepared: Prepared, scenario: Scenario) -> Prepared:
    return replace(prepared, loaded=replace(prepared.loaded, scenario=scenario))


def _discounted_mwh(planner: Planner, values: np.ndarray) -> float:
    inst = planner.instance
    if not inst.grid:
        return 0.0
    every, total = np.arange(len(inst.sites.ids)), 0.0
    ones = np.ones(len(inst.ties.site))
    for t in range(inst.time.n):
        column, mw = mean_mw_terms(planner.program, inst, every, t, ones)
        total += float(values[column] @ mw) * float(inst.time.yearly[t]) * HOURS
    return total if math.isfinite(total) else 0.0
