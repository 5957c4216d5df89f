"""What is measured: each function is one way to do one task, run in a process of its own.

``python tests/bench/tasks.py NAME '{"n": 100}'`` prints a line of JSON: CPU seconds of the process
and its children after imports, MB at most, and what the function returns.
"""

from __future__ import annotations

import json
import math
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from bench.location import LOCATION, pulp_location
from bench.measure import Answer, cpu_s, ended_after, imported

# --- one matrix, from arrays to a loaded HiGHS -------------------------------------------------


def _costs(n: int, d: int) -> np.ndarray:
    return np.random.default_rng(0).uniform(1, 9, (n, d))


def matrix_floor(n: int, d: int) -> Answer:
    import highspy

    cost = _costs(n, d)
    began = cpu_s()
    i = np.arange(n * d, dtype=np.int32) // d
    x = np.arange(n * d, dtype=np.int32)
    # demand rows, capacity rows with the opening, and x <= open, all in row order
    indices = np.concatenate([
        x.reshape(n, d).T.ravel(),
        np.hstack([x.reshape(n, d), (n * d + np.arange(n, dtype=np.int32))[:, None]]).ravel(),
        np.column_stack([x, n * d + i]).ravel(),
    ])  # fmt: skip
    data = np.concatenate([
        np.ones(n * d),
        np.hstack([np.ones((n, d)), np.full((n, 1), -d / 4)]).ravel(),
        np.tile([1.0, -1.0], n * d),
    ])  # fmt: skip
    counts = np.concatenate([np.full(d, n), np.full(n, d + 1), np.full(n * d, 2)])
    indptr = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
    columns, rows = n * d + n, d + n + n * d
    low = np.concatenate([np.ones(d), np.full(n + n * d, -np.inf)])
    high = np.concatenate([np.ones(d), np.zeros(n + n * d)])
    whole = np.concatenate([np.zeros(n * d), np.ones(n)]).astype(np.int32)
    h = highspy.Highs()
    h.setOptionValue("output_flag", False)
    h.passModel(
        columns, rows, len(data), 2, 1, 0.0, np.concatenate([cost.ravel(), np.full(n, 20.0)]),
        np.zeros(columns), np.ones(columns), low, high, indptr, indices.astype(np.int32), data,
        whole,
    )  # fmt: skip
    return {"began": began, "nnz": h.getNumNz(), "value": float(rows)}


def matrix_sitepick(n: int, d: int) -> Answer:
    from sitepick.program import Program
    from sitepick.solve.highs import load

    cost = _costs(n, d)
    began = cpu_s()
    i, p = np.divmod(np.arange(n * d), d)
    program = Program()
    x = program.add_columns(
        "serve", keys={"site": i, "place": p}, owner=i, upper=1, cost=cost.ravel()
    )
    sites = np.arange(n)
    opened = program.add_columns(
        "open", keys={"site": sites}, owner=sites, upper=1, cost=20.0, integer=True
    )
    met = program.add_rows("met", keys={"place": np.arange(d)}, lower=1, upper=1)
    program.add_entries(np.repeat(met, n), x.reshape(n, d).T.ravel(), 1.0)
    room = program.add_rows("room", keys={"site": sites}, upper=0)
    program.add_entries(np.repeat(room, d), x, 1.0)
    program.add_entries(room, opened, -d / 4)
    linked = program.add_rows("linked", keys={"site": i, "place": p}, upper=0)
    program.add_entries(linked, x, 1.0)
    program.add_entries(linked, opened[i], -1.0)
    h = load(program.matrix, relax=False, threads=None)
    return {"began": began, "nnz": h.getNumNz(), "value": float(h.getNumRow())}


def matrix_linopy(n: int, d: int) -> Answer:
    import linopy
    import xarray as xr

    cost = _costs(n, d)
    began = cpu_s()
    model = linopy.Model()
    at = {"site": np.arange(n), "place": np.arange(d)}
    x = model.add_variables(0, 1, coords=at, name="x")
    opened = model.add_variables(binary=True, coords={"site": at["site"]}, name="open")
    model.add_constraints(x.sum("site") == 1)
    model.add_constraints(x.sum("place") - d / 4 * opened <= 0)
    model.add_constraints(x - opened <= 0)
    model.add_objective((x * xr.DataArray(cost, coords=at)).sum() + (20.0 * opened).sum())
    h = linopy.io.to_highspy(model)
    return {"began": began, "nnz": h.getNumNz(), "value": float(h.getNumRow())}


def matrix_pulp(n: int, d: int) -> Answer:
    import pulp

    cost = _costs(n, d)
    began = cpu_s()
    model, x, opened = pulp_location(
        cost, np.full(n, 20.0), np.full(n, d / 4), np.ones(d), per_unit=False
    )
    del x, opened
    solver = pulp.HiGHS(msg=False)
    solver.createAndConfigureSolver(model)
    solver.buildSolverModel(model)
    h = model.solverModel
    return {"began": began, "nnz": h.getNumNz(), "value": float(h.getNumRow())}


# --- a national scenario -----------------------------------------------------------------------


def plan_sitepick(path: str) -> Answer:
    """Everything that `sitepick solve` does, by stage."""
    import tempfile

    from sitepick import pipeline
    from sitepick.exports.folder import write_run

    imported()
    began = cpu_s()
    prepared = pipeline.prepare(pipeline.load(Path(path)))
    prepare_s = cpu_s() - began
    run = pipeline.solve(prepared)
    solve_s = cpu_s() - began - prepare_s
    assert run.solution is not None
    assert not run.findings
    with tempfile.TemporaryDirectory() as folder:
        write_run(run, Path(folder) / "run")
    greedy = run.greedy
    return {
        "began": began, "value": run.outcome.objective, "gap": run.outcome.gap,
        "candidates": int((prepared.candidates.sites["status"] == "candidate").sum()),
        "prepare_s": prepare_s, "solve_s": solve_s,
        "write_s": cpu_s() - began - prepare_s - solve_s,
        "greedy": None if greedy is None else greedy.net_present_cost_musd + greedy.penalty_musd,
    }  # fmt: skip


def plan_whole(path: str, solver: str, seconds: float) -> Answer:
    """The same program handed whole to another solver."""
    from sitepick import pipeline
    from sitepick.errors import SitepickError
    from sitepick.planner import Planner
    from sitepick.solve.outcome import Limits

    imported()
    began = cpu_s()
    prepared = pipeline.prepare(pipeline.load(Path(path)))
    limits = Limits(gap=prepared.scenario.solver.gap_pct / 100, time_s=seconds)
    with ended_after(seconds) as up:
        try:
            outcome, _ = Planner(prepared, limits, solver, exact=True).solve(None)
        except SitepickError:
            if not up.is_set():
                raise
            return {"began": began, "value": math.inf, "gap": math.inf}
    return {"began": began, "value": outcome.objective, "gap": outcome.gap}


# --- layers and commands -----------------------------------------------------------------------


def lines_pyogrio(path: str) -> Answer:
    import pyogrio

    pyogrio.read_dataframe(path, max_features=1)  # what the first call loads
    began = cpu_s()
    return {"began": began, "value": float(len(pyogrio.read_dataframe(path)))}


def lines_sitepick(path: str) -> Answer:
    import pyogrio

    from sitepick.layers.load import load_one
    from sitepick.scenario.inputs import LayerFile

    pyogrio.read_dataframe(path, max_features=1)
    load_one("lines", LayerFile(file=path, where="ID = 'L0'"), Path())  # imports
    began = cpu_s()
    frame, problems, _ = load_one("lines", LayerFile(file=path), Path())
    assert not problems
    return {"began": began, "value": float(len(frame))}


def command(arguments: list[str]) -> Answer:
    import subprocess

    began = cpu_s()
    words = [
        sys.executable,
        "-c",
        "import sys; from sitepick.cli.app import main; sys.exit(main())",
    ]
    done = subprocess.run([*words, *arguments], capture_output=True, check=False)
    return {"began": began, "value": float(done.returncode)}


TASKS: dict[str, Callable[..., Answer]] = {
    f.__name__: f
    for f in (
        matrix_floor, matrix_sitepick, matrix_linopy, matrix_pulp, plan_sitepick, plan_whole,
        lines_pyogrio, lines_sitepick, command, *LOCATION,
    )
}  # fmt: skip

if __name__ == "__main__":
    wall = time.perf_counter()
    answer = TASKS[sys.argv[1]](**json.loads(sys.argv[2]))
    answer["cpu_s"] = cpu_s() - answer.pop("began")
    used = [
        resource.getrusage(w).ru_maxrss for w in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    ]
    answer["mb"] = max(used) / 1024
    answer["wall_s"] = time.perf_counter() - wall
    print("\n" + json.dumps(answer))
