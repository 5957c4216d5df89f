"""Other solvers by name, their clear refusals, and programs as LP and MPS files and as text."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sitepick.errors import ScenarioError, SitepickError
from sitepick.matrix import SHARED
from sitepick.program import Program
from sitepick.solve import solve_with
from sitepick.solve.certificate import safe_bound
from sitepick.solve.highs import solve_matrix
from sitepick.solve.lp_text import lp_text
from sitepick.solve.ortools_bridge import relax_ortools
from sitepick.solve.outcome import Limits
from sitepick.solve.write import write_model


def tiny(*, whole: bool = False, need: float = 4.5) -> Program:
    program = Program(dims={"site": ["P 7", "P/8"]}, offset=1.0)
    x = program.add_columns(
        "siting.mw", keys={"site": [0, 1]}, owner=[0, 1], upper=10, cost=[2, 5], integer=whole
    )
    z = program.add_columns(
        "halls.build", keys={"n": [0]}, owner=SHARED, upper=10, cost=3, integer=True
    )
    row = program.add_rows("demand.met", keys={"t": [2028]}, lower=need, unit="MW")
    program.add_entries(row, np.concatenate([x, z]), 1.0)
    band = program.add_rows("siting.band", keys={"t": [2028]}, lower=-1, upper=3)
    program.add_entries(band, x, [1.0, -0.5])
    return program


@pytest.mark.parametrize("name", ["highs", "cbc", "scip", "CBC", "HiGHS"])
def test_every_name_finds_the_optimum(name: str) -> None:
    # 3 MW at 2, then a whole hall at 3 for each further MW
    out = solve_with(name, tiny(), Limits(gap=1e-6))
    assert out.status == "optimal"
    assert out.objective == pytest.approx(1 + 2 * 2.5 + 3 * 2)
    assert out.bound <= out.objective
    assert out.certified_bound <= out.objective


def test_cp_sat_takes_whole_numbers_only() -> None:
    out = solve_with("cp-sat", tiny(whole=True), Limits(gap=1e-6))
    assert out.objective == pytest.approx(1 + 2 * 3 + 3 * 2)
    with pytest.raises(ScenarioError, match="cp-sat"):
        solve_with("cp-sat", tiny(), Limits())


@pytest.mark.parametrize("name", ["highs", "cbc", "scip"])
def test_infeasible_is_said(name: str) -> None:
    out = solve_with(name, tiny(need=50), Limits())
    assert (out.status, out.values) == ("infeasible", None)


@pytest.mark.parametrize("name", ["cbc", "scip"])
def test_a_start_is_kept_where_nothing_better_comes(name: str) -> None:
    program = tiny()
    start = np.array([0.0, 0.0, 5.0])
    out = solve_with(name, program, Limits(gap=0.9), start=start)
    assert out.values is not None
    assert out.objective <= program.matrix.objective(start)


@pytest.mark.parametrize("name", ["gurobi_cmd", "fast"])
def test_a_missing_solver_is_named_with_those_that_are_there(name: str) -> None:
    with pytest.raises(ScenarioError, match=name) as caught:
        solve_with(name, tiny(), Limits())
    said = str(caught.value)
    assert all(solver in said for solver in ("available", "highs", "scip", "cp-sat", "cbc"))


@pytest.mark.parametrize("suffix", [".lp", ".mps"])
def test_a_written_model_solves_the_same(tmp_path: Path, suffix: str) -> None:
    import highspy

    path = tmp_path / f"model{suffix}"
    write_model(tiny(), path)
    h = highspy.Highs()
    h.setOptionValue("output_flag", False)
    h.readModel(str(path))
    h.run()
    assert h.getInfo().objective_function_value == pytest.approx(12.0)
    assert "siting.mw_P_7" in path.read_text()


def test_text_is_read_by_highs_and_reads_well(tmp_path: Path) -> None:
    import highspy

    text = lp_text(tiny())
    assert text.splitlines() == [
        "\\ minimise; units are those of each family",
        "minimize",
        "  cost: +2 siting.mw(P_7) +5 siting.mw(P_8) +3 halls.build(0) +1",
        "subject to",
        "\\ demand.met (MW)",
        "  demand.met(2028): +1 siting.mw(P_7) +1 siting.mw(P_8) +1 halls.build(0) >= 4.5",
        "\\ siting.band (1)",
        "  siting.band(2028).low: +1 siting.mw(P_7) -0.5 siting.mw(P_8) >= -1",
        "  siting.band(2028).high: +1 siting.mw(P_7) -0.5 siting.mw(P_8) <= 3",
        "bounds",
        "\\ siting.mw (1)",
        "  0 <= siting.mw(P_7) <= 10",
        "  0 <= siting.mw(P_8) <= 10",
        "\\ halls.build (1)",
        "  0 <= halls.build(0) <= 10",
        "general",
        "  halls.build(0)",
        "end",
    ]
    assert "siting.band" not in lp_text(tiny(), rows=["demand.met"])
    path = tmp_path / "text.lp"
    path.write_text(text)
    h = highspy.Highs()
    h.setOptionValue("output_flag", False)
    h.readModel(str(path))
    h.run()
    assert h.getInfo().objective_function_value == pytest.approx(12.0)


def test_cp_sat_scales_to_whole_coefficients_or_says_what_is_not() -> None:
    program = Program(offset=0.5)
    x = program.add_columns(
        "x", keys={"n": [0, 1]}, owner=0, upper=[9, 9.5], cost=[1.25, 2.5], integer=True
    )
    row = program.add_rows("r", keys={"n": [0]}, lower=3.31)
    program.add_entries(row[0], x, [0.3, 0.7])
    out = solve_with("cp-sat", program, Limits(gap=0.0))
    exact = solve_with("highs", program, Limits(gap=0.0))
    assert out.status == "optimal"
    assert out.objective == pytest.approx(exact.objective)
    program.add_entries(row[0], x[0], 1 / 3)
    with pytest.raises(ScenarioError, match="1 rows have coefficients with more than six decimals"):
        solve_with("cp-sat", program, Limits())


@pytest.mark.parametrize(("method", "within"), [("glop", 1e-9), ("pdlp", 1e-3)])
def test_duals_of_relaxations_bound_the_optimum(method: str, within: float) -> None:
    matrix = tiny().matrix
    relaxed = solve_matrix(matrix, Limits(), relax=True)
    objective, duals = relax_ortools(matrix, method)
    assert objective == pytest.approx(relaxed.objective, abs=within)
    assert safe_bound(matrix, duals) == pytest.approx(relaxed.objective, abs=within)
    assert safe_bound(matrix, duals) <= relaxed.objective + 1e-9
    with pytest.raises(SitepickError, match=method):
        relax_ortools(tiny(need=50).matrix, method, 10.0)


@pytest.mark.parametrize("name", ["cbc", "scip", "cp-sat"])
def test_infeasible_through_whole_numbers_alone_is_said(name: str) -> None:
    program = Program()
    x = program.add_columns("x", keys={"n": [0, 1]}, owner=0, upper=9, cost=1, integer=True)
    row = program.add_rows("odd", keys={"n": [0]}, lower=7, upper=7)
    program.add_entries(row[0], x, 2.0)
    out = solve_with(name, program, Limits())
    assert (out.status, out.values, out.gap) == ("infeasible", None, np.inf)


@pytest.mark.parametrize("name", ["cbc", "scip", "cp-sat"])
def test_a_work_limit_is_refused_not_ignored(name: str) -> None:
    with pytest.raises(ScenarioError, match="work limit"):
        solve_with(name, tiny(whole=True), Limits(work=5))


@pytest.mark.parametrize(
    ("status", "sol_status", "expected"),
    [
        ("LpStatusOptimal", "LpSolutionOptimal", "optimal"),
        # PuLP's way to say that a limit ended the run
        ("LpStatusOptimal", "LpSolutionIntegerFeasible", "feasible"),
        ("LpStatusOptimal", "LpSolutionNoSolutionFound", "no_plan"),
        ("LpStatusInfeasible", "LpSolutionInfeasible", "infeasible"),
        ("LpStatusInfeasible", "LpSolutionNoSolutionFound", "infeasible"),
        # PuLP's default for a run that never happened
        ("LpStatusNotSolved", "LpSolutionInfeasible", "no_plan"),
    ],
)
def test_what_pulp_says_is_read_with_care(
    monkeypatch: pytest.MonkeyPatch, status: str, sol_status: str, expected: str
) -> None:
    import pulp

    def answer(problem: pulp.LpProblem, solver: object) -> None:
        for variable, value in zip(problem.variables(), sorted_values, strict=True):
            variable.varValue = value
        problem.status = getattr(pulp, status)
        problem.sol_status = getattr(pulp, sol_status)

    # in PuLP's order, by name: halls.build, siting.mw_P_7, siting.mw_P_8
    sorted_values = [2.0, 2.5, 0.0]
    monkeypatch.setattr(pulp.LpProblem, "solve", answer)
    out = solve_with("cbc", tiny(), Limits(gap=1e-6))
    assert out.status == expected
    assert (out.values is None) == (expected in ("no_plan", "infeasible"))
    if out.values is not None:
        assert out.objective == pytest.approx(12.0)


def test_a_point_that_is_no_plan_is_put_aside(monkeypatch: pytest.MonkeyPatch) -> None:
    import pulp

    def answer(problem: pulp.LpProblem, solver: object) -> None:
        for variable in problem.variables():
            variable.varValue = 0.0
        problem.status, problem.sol_status = pulp.LpStatusOptimal, pulp.LpSolutionOptimal

    monkeypatch.setattr(pulp.LpProblem, "solve", answer)
    program = tiny()
    program.add_entries(0, program.column_families["siting.mw"].indices, -1.0)
    out = solve_with("cbc", program, Limits())
    assert out.status == "no_plan"
    assert any("put aside" in line for line in out.log)
