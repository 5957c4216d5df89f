"""Other solvers by name, their clear refusals, and programs as LP and MPS files and as text."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sitepick.errors import ScenarioError
from sitepick.program import SHARED, Program
from sitepick.solve import solve_with
from sitepick.solve.lp_text import lp_text
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
