"""Programs made to be asked how far they are from a plan, and proofs tried on other programs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sitepick.blocks.ledger import NPC_TERMS
from sitepick.matrix import SHARED, FloatArray, IntArray
from sitepick.program import Family, Program
from sitepick.solve.certificate import safe_bound

TERM = "missing"
OFFSET = 1.0
"""Added to the aim: a relative tolerance needs something to be relative to."""
REFUTED = OFFSET + 3e-6
"""An aim whose bound is above this has no point without slack."""
_TINY = 1e-9


@dataclass(frozen=True)
class Wanted:
    """(n,) slack columns and their rows: what asks for something, as demand does."""

    slack: IntArray
    row: IntArray


def want(program: Program, weight: float = 1.0) -> Wanted:
    """Let every relaxable row that asks for something go short, at ``weight`` for all of it.

    The aim becomes what is missing alone, plus `OFFSET`.
    """
    matrix = program.matrix
    asked = [
        family.indices[matrix.row_lower[family.indices] > _TINY]
        for family in program.row_families.values()
        if family.relaxable
    ]
    row = np.concatenate([np.zeros(0, dtype=np.int64), *asked])
    most = matrix.row_lower[row]
    # what is asked of a yes-or-no column or of a balance is never more than the row says
    below = abs(matrix.A[row]) @ np.maximum(np.maximum(-matrix.lower, matrix.upper), 0.0)
    slack = program.add_columns(
        "diagnose.slack", keys={"number": np.arange(len(row))}, owner=SHARED, upper=most + below
    )
    program.add_entries(row, slack, 1.0)
    program.add_cost(slack, weight / most, TERM)
    program.offset = OFFSET
    program.minimise((TERM,))
    return Wanted(slack, row)


def guide_of(program: Program) -> FloatArray:
    """Return (n,) what a plan costs: it picks among plans."""
    out = np.zeros(program.n_columns)
    for term in NPC_TERMS:
        out += program.term_cost(term)
    return out


@dataclass(frozen=True)
class Proof:
    """Duals (m,) of a program that `want` made, which show that it has no point without slack."""

    program: Program
    duals: FloatArray

    def holds_for(self, program: Program) -> float:
        """Return what the duals prove of another such program: above `REFUTED`, it has no plan."""
        return safe_bound(program.matrix, carried(self.duals, self.program, program))


def carried(duals: FloatArray, of: Program, to: Program) -> FloatArray:
    """Return (m,) duals of ``of`` at the rows of ``to`` with the same family and keys."""
    out = np.zeros(to.n_rows)
    at = rows_at(of, to)
    known = at[: len(duals)] >= 0
    out[at[: len(duals)][known]] = duals[known]
    return out


def rows_at(of: Program, to: Program) -> IntArray:
    """Return (m of ``of``,) where its rows are in ``to``; -1 where there is none."""
    return _places(of.row_families, to.row_families, of.n_rows)


def columns_at(of: Program, to: Program) -> IntArray:
    """Return (n of ``of``,) where its columns are in ``to``; -1 where there is none."""
    return _places(of.column_families, to.column_families, of.n_columns)


def _places(of: dict[str, Family], to: dict[str, Family], size: int) -> IntArray:
    out = np.full(size, -1, dtype=np.int64)
    for name, family in of.items():
        other = to.get(name)
        if other is None or list(other.keys) != list(family.keys):
            continue
        pairs = [(family.keys[k], other.keys[k]) for k in family.keys]
        if all(np.array_equal(a, b) for a, b in pairs):
            out[family.indices] = other.indices
            continue
        span = [int(max(a.max(initial=0), b.max(initial=0))) + 1 for a, b in pairs]
        mine = np.ravel_multi_index([a for a, _ in pairs], span)
        theirs = np.ravel_multi_index([b for _, b in pairs], span)
        order = np.argsort(theirs, kind="stable")
        at = np.minimum(np.searchsorted(theirs[order], mine), max(len(theirs) - 1, 0))
        if len(theirs):
            found = theirs[order][at] == mine
            out[family.indices[found]] = other.indices[order[at[found]]]
    return out
