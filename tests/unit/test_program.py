"""The program as named families over one matrix: building, restricting, labels, refusals."""

from __future__ import annotations

import numpy as np
import pytest

from sitepick.matrix import LINKING, SHARED
from sitepick.program import Program
from sitepick.solve.outcome import breach, is_plan


def small() -> Program:
    """Two sites with 2 columns each, one shared column, local, linking and shared rows."""
    program = Program(dims={"site": ["P07", "P08"], "t": ["2028"]}, offset=1.5)
    x = program.add_columns("siting.open", keys={"site": [0, 1], "t": [0, 0]}, owner=[5, 9],
                            upper=1, cost=[3, 4], integer=True)  # fmt: skip
    y = program.add_columns("siting.mw", keys={"site": [0, 1]}, owner=[5, 9], upper=20, unit="MW")
    s = program.add_columns("away", keys={"n": [0]}, owner=SHARED, upper=50, cost=10)
    local = program.add_rows("cap", keys={"site": [0, 1]}, upper=0)
    program.add_entries(local, y, 1.0)
    program.add_entries(local, x, [-10, -20])
    met = program.add_rows("met", keys={"n": [0]}, lower=25, upper=25, relaxable=True)
    program.add_entries(met[0], np.concatenate([y, s]), 1.0)
    roof = program.add_rows("roof", keys={"n": [0]}, upper=40)
    program.add_entries(roof[0], s, 1.0)
    return program


def test_matrix_holds_what_was_added() -> None:
    matrix = small().matrix
    assert matrix.A.toarray().tolist() == [
        [-10, 0, 1, 0, 0],
        [0, -20, 0, 1, 0],
        [0, 0, 1, 1, 1],
        [0, 0, 0, 0, 1],
    ]
    assert matrix.cost.tolist() == [3, 4, 0, 0, 10]
    assert matrix.integer.tolist() == [True, True, False, False, False]
    assert matrix.row_owner.tolist() == [5, 9, LINKING, SHARED]
    assert matrix.always.tolist() == []
    x = np.array([1, 0, 10, 0, 15.0])
    assert matrix.objective(x) == 154.5
    assert matrix.violation(x) == 0
    assert matrix.violation(x + np.eye(5)[2]) == 1.0
    assert is_plan(matrix, x)
    assert not is_plan(matrix, x * [0.99, 1, 0.99, 1, 1])


def test_repeats_are_summed_and_zeros_dropped() -> None:
    program = Program()
    x = program.add_columns("x", keys={"n": [0, 1]}, owner=0, upper=1, cost=1)
    row = program.add_rows("r", keys={"n": [0]}, upper=1)
    program.add_entries(row[0], x[[0, 0, 1, 1]], [1, 2, 5, -5])
    assert program.matrix.A.toarray().tolist() == [[3, 0]]
    assert program.matrix.A.nnz == 1
    program.add_cost(x[[0, 0]], [2, 3], "more")
    assert program.matrix.cost.tolist() == [6, 1]
    program.add_rows("later", keys={"n": [0]}, lower=0)
    assert program.matrix.A.shape == (2, 2)


def test_objective_terms_are_picked() -> None:
    program = Program()
    x = program.add_columns("x", keys={"n": [0, 1]}, owner=0, upper=1)
    program.add_cost(x, [1, 2], "capex")
    program.add_cost(x[1], 5, "penalty")
    assert program.terms == ("capex", "penalty")
    assert program.term_cost("penalty").tolist() == [0, 5]
    assert program.matrix.cost.tolist() == [1, 7]
    program.minimise(("capex",))
    assert program.matrix.cost.tolist() == [1, 2]
    program.minimise(None)
    assert program.matrix.cost.tolist() == [1, 7]


def test_take_is_the_exact_restriction() -> None:
    matrix = small().matrix
    part = matrix.take([9])
    assert part.columns.tolist() == [1, 3, 4]
    # the local row of the absent site is gone, the linking one is kept
    assert part.rows.tolist() == [1, 2, 3]
    x = np.array([1, 20, 5.0])
    whole = part.lift(x, 5)
    assert whole.tolist() == [0, 1, 0, 20, 5]
    assert part.matrix.objective(x) == matrix.objective(whole)
    assert breach(part.matrix, x) == breach(matrix, whole) == 0


def test_take_keeps_what_zero_refuses() -> None:
    program = small()
    row = program.add_rows("must", keys={"n": [0]}, lower=5)
    program.add_entries(row[0], program.column_families["siting.mw"].indices[0], 1.0)
    assert program.matrix.always.tolist() == [5]
    assert program.matrix.take([9]).columns.tolist() == [0, 1, 2, 3, 4]
    empty = program.add_rows("impossible", keys={"n": [0]}, lower=1)
    part = program.matrix.take([])
    assert int(empty[0]) in part.rows.tolist()
    assert breach(part.matrix, np.zeros(len(part.columns))) > 0


def test_labels_and_dense_index() -> None:
    program = small()
    assert program.column_label(1) == "siting.open[P08,2028]"
    assert program.column_label(4) == "away[0]"
    assert program.row_label(2) == "met[0]"
    assert program.index("siting.open", (2, 1)).tolist() == [[0], [1]]
    assert program.index("nothing", (2,)).tolist() == [-1, -1]
    assert program.columns_of("nothing") is None
    with pytest.raises(IndexError):
        program.column_label(5)


def test_refusals_name_the_family() -> None:
    program = small()
    with pytest.raises(ValueError, match=r"siting\.open exists already"):
        program.add_columns("siting.open", keys={"n": [0]}, owner=0, upper=1)
    with pytest.raises(ValueError, match="columns wide: bounds must be finite"):
        program.add_columns("wide", keys={"n": [0]}, owner=0, upper=np.inf)
    with pytest.raises(ValueError, match="family odd: keys must have one common length"):
        program.add_columns("odd", keys={"a": [0], "b": [0, 1]}, owner=0, upper=1)
