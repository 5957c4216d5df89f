"""Facility location and p-median by sitepick and as others would write them.

Each task solves one or more scenario folders of `helpers.orlib` to a relative gap of 1e-6. With
``files`` the clock covers reading the tables; sitepick then also judges the plan, gives verdicts
of all sites and compares with the greedy, which no peer does. Without, it starts when the tables
are in memory and ends at the proven optimum, the same work for all.
"""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from bench.measure import Answer, cpu_s, ended_after, imported

GAP = 1e-6
Tables = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def tables(folder: str) -> Tables:
    """Return cost per unit (n, d), fixed cost (n,), capacity (n,), demand (d,)."""

    def read(name: str) -> list[dict[str, str]]:
        with (Path(folder) / name).open() as stream:
            return list(csv.DictReader(stream))

    sites, places = read("sites.csv"), read("customers.csv")
    row = {r["site_id"]: k for k, r in enumerate(sites)}
    column = {r["place_id"]: k for k, r in enumerate(places)}
    cost = np.zeros((len(sites), len(places)))
    for r in read("costs.csv"):
        cost[row[r["site_id"]], column[r["place_id"]]] = float(r["value"])
    fixed = np.array([float(r["fixed_musd"]) for r in sites])
    return (
        cost, fixed, np.array([float(r["capacity_mw"]) for r in sites]),
        np.array([float(r["weight"]) for r in places]),
    )  # fmt: skip


def pulp_location(
    cost: np.ndarray, fixed: np.ndarray, capacity: np.ndarray, demand: np.ndarray,
    *, per_unit: bool = True, most: int | None = None,
) -> tuple[Any, Any, Any]:  # fmt: skip
    """Return the textbook model as it is written with PuLP; x are shares of demand."""
    import pulp

    n, d = cost.shape
    scale = demand if per_unit else np.ones(d)
    model = pulp.LpProblem("location", pulp.LpMinimize)
    x = pulp.LpVariable.dicts("x", (range(n), range(d)), 0, 1)
    opened = pulp.LpVariable.dicts("open", range(n), cat="Binary")
    model += pulp.lpSum(
        float(cost[i, p] * scale[p]) * x[i][p] for i in range(n) for p in range(d)
    ) + pulp.lpSum(float(fixed[i]) * opened[i] for i in range(n))
    for p in range(d):
        model += pulp.lpSum(x[i][p] for i in range(n)) == 1
    for i in range(n):
        model += (
            pulp.lpSum(float(scale[p]) * x[i][p] for p in range(d))
            <= float(capacity[i]) * opened[i]
        )
        for p in range(d):
            model += x[i][p] <= opened[i]
    if most is not None:
        model += pulp.lpSum(opened[i] for i in range(n)) <= most
    return model, x, opened


def _solved(
    folders: list[str], files: bool, solve: Callable[[Any], float], read: Callable[[str], Any]
) -> Answer:
    """Solve all folders and return the values, inf without a plan; ``read`` is timed with files."""
    values, spent = [], 0.0
    for folder in folders:
        began = cpu_s()
        held = read(folder)
        if not files:
            began = cpu_s()
        values.append(solve(held))
        spent += cpu_s() - began
    return {"began": cpu_s() - spent, "values": values, "value": values[0]}


def location_sitepick(folders: list[str], files: bool = True) -> Answer:
    from sitepick import pipeline
    from sitepick.planner import Planner
    from sitepick.run import Prepared
    from sitepick.solve.outcome import Limits

    imported()

    def solve(prepared: Prepared) -> float:
        if not files:
            outcome, plan = Planner(prepared, Limits(gap=GAP)).solve(None)
            assert plan is not None
            assert outcome.status == "optimal"
            return outcome.objective
        run = pipeline.solve(prepared)
        assert run.solution is not None
        assert not run.findings
        return run.outcome.objective

    return _solved(
        folders, files, solve,
        lambda folder: pipeline.prepare(pipeline.load(Path(folder) / "sitepick.yaml")),
    )  # fmt: skip


def location_pulp(
    folders: list[str], files: bool = True, most: int | None = None, seconds: float = 600
) -> Answer:
    import pulp

    def solve(held: Tables) -> float:
        model, _, _ = pulp_location(*held, most=most)
        with ended_after(seconds) as up:
            try:
                model.solve(pulp.PULP_CBC_CMD(msg=False, timeLimit=seconds, gapRel=GAP))
            except pulp.PulpSolverError:
                if not up.is_set():
                    raise
                return float("inf")
        found = model.sol_status in (pulp.LpSolutionOptimal, pulp.LpSolutionIntegerFeasible)
        return float(pulp.value(model.objective)) if found else float("inf")

    return _solved(folders, files, solve, tables)


def location_linopy(
    folders: list[str], files: bool = True, most: int | None = None, seconds: float = 600
) -> Answer:
    import linopy
    import xarray as xr

    def solve(held: Tables) -> float:
        cost, fixed, capacity, demand = held
        n, d = cost.shape
        at = {"site": np.arange(n), "place": np.arange(d)}
        one = {"site": at["site"]}
        model = linopy.Model()
        x = model.add_variables(0, 1, coords=at, name="x")
        opened = model.add_variables(binary=True, coords=one, name="open")
        share = xr.DataArray(demand, coords={"place": at["place"]})
        model.add_constraints(x.sum("site") == 1)
        model.add_constraints(
            (x * share).sum("place") - xr.DataArray(capacity, coords=one) * opened <= 0
        )
        model.add_constraints(x - opened <= 0)
        if most is not None:
            model.add_constraints(opened.sum() <= most)
        whole = xr.DataArray(cost * demand, coords=at)
        model.add_objective((x * whole).sum() + (xr.DataArray(fixed, coords=one) * opened).sum())
        model.solve("highs", output_flag=False, mip_rel_gap=GAP, time_limit=seconds)
        return float(model.objective.value)

    return _solved(folders, files, solve, tables)


def location_spopt(folders: list[str], most: int, files: bool = True) -> Answer:
    import pulp
    from spopt.locate import PMedian

    def solve(held: Tables) -> float:
        cost, _, _, demand = held
        model = PMedian.from_cost_matrix(cost.T, demand, p_facilities=most)
        model = model.solve(pulp.PULP_CBC_CMD(msg=False, gapRel=GAP))
        return float(model.problem.objective.value())

    return _solved(folders, files, solve, tables)


LOCATION = (location_sitepick, location_pulp, location_linopy, location_spopt)
