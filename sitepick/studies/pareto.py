"""What more work, an earlier date, less carbon or less water costs: plans along a frontier.

Epsilon constraints: each point is the cheapest plan of the scenario with one limit added to it, so
it is solved, checked and written like any plan; docs/pareto.md says which. From the strictest level
to the loosest, each point starts from the plan before, which keeps its limit too.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from sitepick.blocks.regions import co2_rate, water_rate
from sitepick.checks import judge
from sitepick.errors import ScenarioError
from sitepick.matrix import FloatArray
from sitepick.planner import Planner
from sitepick.run import Prepared, Run
from sitepick.scenario.assume import applied
from sitepick.scenario.read import Loaded
from sitepick.solution import Solution
from sitepick.solve.outcome import Limits, Progress

Against = Literal["mw", "date", "carbon", "water"]
UNITS: dict[str, str] = {
    "mw": "ref_mw-years", "date": "date", "carbon": "kt CO2 a year",
    "water": "million litres a year",
}  # fmt: skip
_RATES = {"carbon": co2_rate, "water": water_rate}
_KEYS = {"carbon": "co2_kt_per_year_max", "water": "water_ml_per_year_max"}
_NEAR = 1e-6
"""Relative slack of a level that a known plan keeps exactly."""
_SAME = 1e-5
"""Figures that differ by less, relatively, are the same."""
_TERM = "pareto.rate"

Reload = Callable[[Sequence[str]], Loaded]
"""Reads the scenario again with overrides."""


@dataclass(frozen=True)
class Point:
    """A plan and the level it was asked to keep.

    ``value``: what it comes to, in the unit of `UNITS`. So are levels; but those of dates, and
    their values, are period numbers, and those of work are shares of the most in every period.
    ``cost_musd`` is the net present cost, with the price of turned-away work unless work is what
    cost is held against; no plan that keeps the level costs less than ``bound_musd``.
    ``dominated``: why it is not on the frontier, empty if it is.
    """

    level: float
    value: float
    cost_musd: float
    bound_musd: float
    penalty_musd: float
    run: Run
    dominated: str = ""


@dataclass(frozen=True)
class Frontier:
    """Points from the loosest level to the strictest. ``impossible``: levels proven to have no
    plan; ``missing``: levels without one in the time. ``it_mw``: of the dates, IT MW asked."""

    against: Against
    points: tuple[Point, ...]
    impossible: tuple[float, ...]
    missing: tuple[float, ...]
    it_mw: float | None = None


def pareto(
    prepared: Prepared,
    reload: Reload,
    against: Against,
    *,
    points: int,
    limits: Limits,
    best: Solution | None = None,
    it_mw: float | None = None,
    on_progress: Progress | None = None,
    stop: threading.Event | None = None,
) -> Frontier:
    """Return plans of least cost at ``points`` levels of what cost is held against.

    ``best`` is a plan of least cost, solved here where it is needed and not given; ``it_mw`` is
    what must stand at each date (None: half of what ``best`` has at the end). ``limits`` are for
    each point. Raises ScenarioError where there is nothing to trade.
    """
    if prepared.scenario.objective != "min_cost":
        raise ScenarioError(
            f"pareto holds cost against something; the objective of this scenario is"
            f" {prepared.scenario.objective}: add --set objective=min_cost, or solve that first"
        )
    study = _Study(prepared, reload, against, limits, on_progress, stop)
    return study.run(points, best, it_mw)


@dataclass
class _Study:
    prepared: Prepared
    reload: Reload
    against: Against
    limits: Limits
    on_progress: Progress | None
    stop: threading.Event | None

    def run(self, count: int, best: Solution | None, it_mw: float | None) -> Frontier:
        """Return ``count`` plans between the ends of the trade-off; ``it_mw``: of ``best``."""
        begin: FloatArray | None = None
        fixed: list[str] = []
        most: dict[str, float] = {}
        if self.against == "mw":
            fixed = self._without_prices()
            most, begin = self._most_work(fixed)
            levels = [k / count for k in range(count, 0, -1)]
        elif self.against == "date":
            if it_mw is None:
                plan = best or self._cheapest()
                it_mw = 0.5 * sum(r.it_mw for r in plan.it if r.period == plan.periods[-1])
            if it_mw <= 0:
                raise ScenarioError("--against date: no IT MW to date; name them with --mw")
            n = len(Planner(self.prepared, self.limits).instance.time.names)
            levels = [float(t) for t in _spread(n, count)]
        else:
            plan = best or self._cheapest()
            fixed, levels, begin = self._rates(plan, count)
        made: list[Point] = []
        impossible: list[float] = []
        missing: list[float] = []
        for level in levels:
            asked = self._asked(level, it_mw, most)
            if self.stop is not None and self.stop.is_set():
                missing.append(level)
                continue
            point, values, none = self._point([*fixed, asked], level, begin, it_mw)
            begin = begin if values is None else values
            if point is not None:
                made.append(point)
            else:
                (impossible if none else missing).append(level)
        kept = _judged(made, sense=1.0 if self.against == "mw" else -1.0)
        return Frontier(
            self.against, tuple(reversed(kept)), tuple(impossible), tuple(missing), it_mw
        )

    # --- levels -----------------------------------------------------------------------------

    def _without_prices(self) -> list[str]:
        """Return overrides: work has no price, it is asked for by its level."""
        demand = self.prepared.scenario.demand
        if all(w.must_serve for w in demand.named().values()):
            raise ScenarioError("--against mw: all work must be served, so there is no less of it")
        keys = [f'demand.workloads."{name}"' for name in demand.workloads] or ["demand"]
        return [f"{key}.shortfall_musd_per_mw_year=0" for key in keys]

    def _most_work(self, fixed: list[str]) -> tuple[dict[str, float], FloatArray | None]:
        """Return the ref_mw by period of the plan with the most work found, and its values."""
        demand = self.prepared.scenario.demand
        even = [f'demand.workloads."{name}".weight=1' for name in demand.workloads]
        planner = self._planner([*fixed, *even, "objective=max_compute"])
        out, plan = planner.solve(planner.greedy()[0])
        if plan is None or plan.objective <= 0:
            raise ScenarioError("--against mw: no plan that serves any work was found")
        return _served(plan), out.values

    def _cheapest(self) -> Solution:
        planner = self._planner([])
        _, plan = planner.solve(planner.greedy()[0])
        if plan is None:
            raise ScenarioError("no plan of least cost was found: `sitepick solve` says why")
        return plan

    def _rates(
        self, best: Solution, count: int
    ) -> tuple[list[str], list[float], FloatArray | None]:
        """Return what holds the work, levels of a rate from the least, and values at that one.

        The least is that of a plan which pays for the rate as much as the best plan costs.
        """
        fixed = [_floor("served_ref_mw_min", _served(best), 1 - _NEAR)]
        planner = self._planner(fixed)
        values = planner.started_from(best)
        if values is None:
            raise ScenarioError(
                "the plan of the run is none of its scenario and layers as they are"
            )
        high = self._rate(planner, values)
        if high <= 0:
            raise ScenarioError(
                f"--against {self.against}: this plan has none of it; give co2_kg_per_mwh of POIs"
                " or regions, or wue_l_per_kwh of halls"
            )
        inst, program = planner.instance, planner.program
        every = np.arange(len(inst.sites.ids))
        total = 0.0
        terms = []
        for t in range(inst.time.n):
            column, rate = _RATES[self.against](program, inst, every, t)
            terms.append((column, rate * float(inst.time.yearly[t])))
            total += float(values[column] @ terms[-1][1])
        price = sum(best.npc_musd.values()) / total
        for column, rate in terms:
            program.add_cost(column, price * rate, _TERM)
        found = planner.cheapest(values, _TERM)
        least = values if found.values is None else found.values
        low = min(high, self._rate(planner, least))
        levels = np.linspace(low * (1 + _NEAR), high * (1 + _NEAR), count)
        return fixed, [float(x) for x in levels], least

    def _asked(self, level: float, it_mw: float | None, most: dict[str, float]) -> str:
        """Return the limit of a level as an override."""
        if self.against == "mw":
            return _floor("served_ref_mw_min", most, level * (1 - _NEAR))
        if self.against == "date":
            assert it_mw is not None
            day = Planner(self.prepared, self.limits).instance.time.names[int(level)]
            return _floor("it_mw_min", {day: it_mw}, 1.0)
        return f"limits.{_KEYS[self.against]}={level:.12g}"

    # --- points -----------------------------------------------------------------------------

    def _planner(self, overrides: Sequence[str]) -> Planner:
        loaded = self.reload(overrides)
        base = self.prepared.loaded.base
        loaded = replace(loaded, base=base, scenario=applied(loaded.scenario))
        prepared = replace(self.prepared, loaded=loaded)
        asked = prepared.scenario.solver
        return Planner(prepared, self.limits, asked.name, False, self.on_progress, self.stop)

    def _point(
        self, overrides: list[str], level: float, begin: FloatArray | None, it_mw: float | None
    ) -> tuple[Point | None, FloatArray | None, bool]:
        planner = self._planner(overrides)
        start = None if begin is None else planner.complete(begin)
        out, plan = planner.solve(start)
        if plan is None or out.values is None:
            return None, None, out.status == "infeasible"
        prepared = planner.prepared
        grid = None if prepared.study is None else prepared.study.grid
        found = judge(prepared.scenario, prepared.layers, prepared.candidates, plan, grid)
        point = Point(
            level=level,
            value=self._value(planner, plan, out.values, it_mw),
            cost_musd=sum(plan.npc_musd.values()),
            bound_musd=plan.bound,
            penalty_musd=plan.penalty_musd,
            run=Run(prepared, out, plan, tuple(found)),
        )
        return point, out.values, False

    def _value(
        self, planner: Planner, plan: Solution, values: FloatArray, it_mw: float | None
    ) -> float:
        time = planner.instance.time
        if self.against == "mw":
            dt = dict(zip(time.names, time.dt, strict=True))
            return float(sum(r.ref_mw * dt[r.period] for r in plan.serve))
        if self.against == "date":
            standing: dict[str, float] = defaultdict(float)
            for row in plan.it:
                standing[row.period] += row.it_mw
            assert it_mw is not None
            enough = [t for t, p in enumerate(time.names) if standing[p] >= it_mw * (1 - _SAME)]
            return float(min(enough, default=time.n))
        return self._rate(planner, values)

    def _rate(self, planner: Planner, values: FloatArray) -> float:
        """Return the largest yearly rate of any period."""
        inst = planner.instance
        every = np.arange(len(inst.sites.ids))
        rates = []
        for t in range(inst.time.n):
            column, rate = _RATES[self.against](planner.program, inst, every, t)
            rates.append(float(values[column] @ rate))
        return max(rates)


def _served(plan: Solution) -> dict[str, float]:
    """Return ref_mw served by period, all workloads."""
    out = dict.fromkeys(plan.periods, 0.0)
    for row in plan.serve:
        out[row.period] += row.ref_mw
    return out


def _floor(key: str, by_day: dict[str, float], share: float) -> str:
    """Return the override that asks for a share of so much by day."""
    parts = ", ".join(f'"{day}": {share * mw:.12g}' for day, mw in by_day.items())
    return f"limits.{key}={{{parts}}}"


def _spread(n: int, count: int) -> list[int]:
    """Return at most ``count`` of 0..n-1, evenly, the last among them."""
    if n <= count:
        return list(range(n))
    return sorted({round(x) for x in np.linspace(0, n - 1, count)})


def _judged(points: Sequence[Point], sense: float) -> list[Point]:
    """Return the points, those that another one beats marked; ``sense`` 1 where more is better."""
    out = []
    for i, one in enumerate(points):
        beaten = ""
        for j, other in enumerate(points):
            cost, value = one.cost_musd - other.cost_musd, sense * (other.value - one.value)
            close = _SAME * max(1.0, abs(one.cost_musd)), _SAME * max(1e-3, abs(one.value))
            no_worse = cost >= -close[0] and value >= -close[1]
            better = cost > close[0] or value > close[1]
            if j != i and no_worse and (better or j < i):
                beaten = "the same as another point" if not better else "another point is better"
                break
        out.append(replace(one, dominated=beaten))
    return out
