"""The versions that `pyproject.toml` pins, and why: other versions fail these tests."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from sitepick.matrix import SHARED
from sitepick.program import Program
from sitepick.solve.highs import solve_matrix
from sitepick.solve.outcome import Limits

MODULES = ("highspy", "ortools.linear_solver.python.model_builder_helper", "pulp")
PROBE = """
import importlib, sys
for name in sys.argv[1:]:
    importlib.import_module(name)
import highspy
h = highspy.Highs()
h.setOptionValue("output_flag", False)
h.addVar(1.0, 4.0)
h.changeColCost(0, 2.0)
h.run()
from ortools.linear_solver.python import model_builder_helper as m
assert m.ModelSolverHelper("highs").solver_is_supported()
print(h.getInfo().objective_function_value)
"""


@pytest.mark.parametrize("order", list(itertools.permutations(MODULES)), ids="-".join)
def test_solvers_share_a_process_in_any_order(order: tuple[str, ...]) -> None:
    run = subprocess.run(
        [sys.executable, "-c", PROBE, *order], capture_output=True, text=True, timeout=120
    )
    assert run.returncode == 0, run.stderr[-2000:]
    assert run.stdout.split() == ["2.0"]


def test_three_lines_that_presolve_got_wrong() -> None:
    program = Program()
    x = program.add_columns("x", keys={"n": [0]}, owner=SHARED, upper=10, cost=2)
    z = program.add_columns("z", keys={"n": [0]}, owner=SHARED, upper=10, cost=3, integer=True)
    row = program.add_rows("r", keys={"n": [0]}, lower=4.5)
    program.add_entries(row, np.concatenate([x, z]), 1.0)
    assert solve_matrix(program.matrix, Limits(gap=0.0)).objective == 9.0


def read_capacitated(path: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return capacity (S,), fixed cost (S,), demand (C,), cost of all demand (C, S)."""
    numbers = [float(word) for word in path.read_text().split()]
    sites, customers = int(numbers[0]), int(numbers[1])
    pairs = np.array(numbers[2 : 2 + 2 * sites]).reshape(sites, 2)
    rest = np.array(numbers[2 + 2 * sites :]).reshape(customers, 1 + sites)
    return pairs[:, 0], pairs[:, 1], rest[:, 0], rest[:, 1:]


@pytest.mark.realdata
def test_weak_cap71_has_its_published_optimum() -> None:
    root = os.environ.get("SITEPICK_REALDATA")
    if root is None:
        pytest.skip("SITEPICK_REALDATA names no folder with orlib/cap71.txt")
    capacity, fixed, demand, cost = read_capacitated(Path(root) / "orlib" / "cap71.txt")
    sites, customers = len(capacity), len(demand)
    program = Program()
    is_open = program.add_columns(
        "open", keys={"s": np.arange(sites)}, owner=np.arange(sites), upper=1, cost=fixed,
        integer=True,
    )  # fmt: skip
    c, s = (a.ravel() for a in np.meshgrid(np.arange(customers), np.arange(sites), indexing="ij"))
    share = program.add_columns("share", keys={"c": c, "s": s}, owner=s, upper=1, cost=cost.ravel())
    met = program.add_rows("met", keys={"c": np.arange(customers)}, lower=1, upper=1)
    program.add_entries(met[c], share, 1.0)
    # weak on purpose: one row per site over all its flows
    held = program.add_rows("held", keys={"s": np.arange(sites)}, upper=0)
    program.add_entries(held[s], share, demand[c])
    program.add_entries(held, is_open, -capacity)
    out = solve_matrix(program.matrix, Limits(gap=1e-9))
    assert out.objective == pytest.approx(932615.75, abs=0.01)
