"""Columns for who serves whom, in a restriction to few sites."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import scipy.sparse as sp

from sitepick.matrix import SHARED, BoolArray, FloatArray, IntArray, Matrix, Part


@dataclass
class FlowColumns:
    """Columns and rows for work handed out, made one workload and period after another."""

    n: int  # columns of the part before
    place: IntArray  # where columns of the program stand in the part, -1: nowhere
    most: FloatArray  # (n,) upper bounds of the part
    rows: list[IntArray] = field(default_factory=list)
    columns: list[IntArray] = field(default_factory=list)
    values: list[FloatArray] = field(default_factory=list)
    sides: list[FloatArray] = field(default_factory=list)
    upper: list[FloatArray] = field(default_factory=list)
    height: int = 0
    width: int = 0

    def add(self, near: BoolArray, serve: IntArray, short: IntArray, asked: FloatArray) -> None:
        """Add flows from sites (columns ``serve``) to places (``short``, ``asked`` ref_mw)."""
        kinds, kind = np.unique(near, axis=1, return_inverse=True)
        kind = kind.ravel()
        total = np.bincount(kind, weights=asked, minlength=kinds.shape[1]).astype(float)
        i, c = np.nonzero(kinds)
        own, flow = self.place[serve], self.n + self.width + np.arange(len(i))
        at, below = self.height + np.arange(len(serve)), self.height + len(serve)
        # what a site does goes somewhere; what a kind of places asks comes from somewhere
        for rows, columns, value in (
            (at, own, -1.0), (at[i], flow, 1.0), (below + c, flow, 1.0),
            (below + kind, self.place[short], 1.0),
        ):  # fmt: skip
            self.rows.append(rows)
            self.columns.append(columns)
            self.values.append(np.full(len(rows), value))
        self.sides += [np.zeros(len(serve)), total]
        self.upper.append(np.minimum(self.most[own[i]], total[c]))
        self.height += len(serve) + len(total)
        self.width += len(i)

    def onto(self, part: Part, kept: BoolArray) -> Part:
        """Return ``part`` with these; of its own rows only the ``kept`` (m,)."""
        old, k = part.matrix, self.width
        none = np.zeros(0)
        side = np.concatenate([none, *self.sides])
        shape = (self.height, self.n + k)
        ends = np.concatenate([none, *self.rows]), np.concatenate([none, *self.columns])
        flows = sp.csr_array(
            (np.concatenate([none, *self.values]), (ends[0].astype(int), ends[1].astype(int))),
            shape=shape,
        )
        before = sp.csr_array(old.A[kept])
        wide = sp.hstack([before, sp.csr_array((before.shape[0], k))], format="csr")
        matrix = Matrix(
            cost=np.concatenate([old.cost, np.zeros(k)]),
            offset=old.offset,
            lower=np.concatenate([old.lower, np.zeros(k)]),
            upper=np.concatenate([old.upper, *self.upper]),
            integer=np.concatenate([old.integer, np.zeros(k, dtype=bool)]),
            owner=np.concatenate([old.owner, np.full(k, SHARED)]),
            A=sp.csr_array(sp.vstack([wide, flows], format="csr")),
            row_lower=np.concatenate([old.row_lower[kept], side]),
            row_upper=np.concatenate([old.row_upper[kept], side]),
        )
        return Part(matrix, part.columns, part.rows[kept])
