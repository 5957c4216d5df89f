"""Lower bounds that hold for any duals, computed without a solver.

For every y, with z = c - A'y,

    y.b + sum_j min(z_j lower_j, z_j upper_j) + offset  <=  optimum,

where b_i is the row's lower bound when y_i > 0 and its upper bound when y_i < 0 (weak duality, with
the column bounds dualised in closed form). A wrong or imprecise y costs tightness, never validity.
Rounding is accounted for: the a priori error of each sum is subtracted (Higham, *Accuracy and
Stability of Numerical Algorithms*, section 3.1), so the float that is returned is a bound too.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import scipy.sparse as sp

from sitepick.matrix import FloatArray, Matrix
from sitepick.solve.outcome import Certificate, Cut, Leaf

_UNIT = float(np.finfo(float).eps)  # twice the unit roundoff: a safe stand-in for it
_TINY = 1e-290  # larger than any underflow lost in a product or a sum of products


def clip_duals(matrix: Matrix, y: FloatArray) -> FloatArray:
    """Return ``y`` (m,) with zero where it is not finite or leans on an infinite row bound."""
    y = np.where(np.isfinite(y), y, 0.0)
    y = np.where((y > 0) & ~np.isfinite(matrix.row_lower), 0.0, y)
    return np.where((y < 0) & ~np.isfinite(matrix.row_upper), 0.0, y)


def safe_bound(matrix: Matrix, y: FloatArray) -> float:
    """Return a lower bound on the minimum of ``matrix``, valid for any ``y`` (m,).

    Raises ValueError when ``y`` has the wrong length or a column bound is infinite.
    """
    terms, slack = _terms(matrix, y)
    # one more rounding each for the two sums and their difference
    return _below(math.fsum(terms), math.fsum(slack))


def tree_bound(matrix: Matrix, leaves: Sequence[Leaf]) -> float:
    """Return the bound of a covering set of leaves: the least of their safe bounds."""
    return min(safe_bound(with_cuts(matrix, leaf.cuts), leaf.duals) for leaf in leaves)


def certified_bound(matrix: Matrix, certificate: Certificate | None) -> float:
    """Re-derive a bound from a stored certificate; -inf without one.

    Duals shorter than the rows of ``matrix`` are padded with zeros: rows may have been added.
    """
    if certificate is None:
        return -math.inf
    return tree_bound(matrix, padded_leaves(matrix, certificate))


def padded_leaves(matrix: Matrix, certificate: Certificate) -> tuple[Leaf, ...]:
    """Return ``certificate`` as leaves (one without cuts for plain duals), with a dual for every
    row of ``matrix``: zero for rows that were added since."""
    m = matrix.A.shape[0]
    leaves = certificate if isinstance(certificate, tuple) else (Leaf((), certificate),)
    return tuple(replace(leaf, duals=_padded(leaf.duals, m, len(leaf.cuts))) for leaf in leaves)


def with_cuts(matrix: Matrix, cuts: Sequence[Cut]) -> Matrix:
    """Return ``matrix`` with the rows of ``cuts`` appended."""
    if not cuts:
        return matrix
    n = matrix.A.shape[1]
    rows = np.repeat(np.arange(len(cuts)), [len(cut.columns) for cut in cuts])
    columns = np.concatenate([cut.columns for cut in cuts])
    values = np.concatenate([cut.coefficients for cut in cuts])
    extra = sp.csr_array(sp.coo_array((values, (rows, columns)), shape=(len(cuts), n)))
    return replace(
        matrix,
        A=sp.csr_array(sp.vstack([matrix.A, extra], format="csr")),
        row_lower=np.concatenate([matrix.row_lower, [cut.lower for cut in cuts]]),
        row_upper=np.concatenate([matrix.row_upper, [cut.upper for cut in cuts]]),
    )


@dataclass(frozen=True)
class Parts:
    """A safe bound by owner. ``total`` is the sum of all terms, ``error`` what is taken off it for
    rounding; ``part`` (count,) are the owners' own terms, ``part_error`` (count,) theirs."""

    total: float
    error: float
    part: FloatArray
    part_error: FloatArray

    @property
    def bound(self) -> float:
        """The safe bound."""
        return _below(self.total, self.error)

    def replaced(self, other: Parts) -> FloatArray:
        """Return (count,) the safe bound with each owner's part, one at a time, from ``other``."""
        total = self.total - self.part + other.part
        # twice: once in `error` as a term of its own, once for the owner's sums
        error = self.error + 2 * self.part_error + 2 * other.part_error
        error = error + 4 * _UNIT * (abs(self.total) + np.abs(self.part) + np.abs(other.part))
        return np.array([_below(t, e) for t, e in zip(total, error, strict=True)])


def owner_parts(matrix: Matrix, y: FloatArray, count: int) -> Parts:
    """Return `safe_bound` of ``matrix`` at ``y`` (m,) as parts of the owners 0 .. ``count`` - 1.

    An owner's part are its columns and its local rows.
    """
    terms, slack = _terms(matrix, y)
    owner = np.concatenate([matrix.row_owner, matrix.owner, [-1]])
    mine = owner >= 0
    part, size, length = (
        np.bincount(owner[mine], weights=w[mine], minlength=count)
        for w in (terms, np.abs(terms), np.ones(len(terms)))
    )
    behind = np.concatenate([owner, matrix.owner])  # of `slack`: of terms, then of reduced costs
    error = np.bincount(behind[behind >= 0], weights=slack[behind >= 0], minlength=count)
    # a plain sum of n terms is off by at most n units of roundoff of the sum of their sizes
    part = np.asarray(part, dtype=float)
    part_error = (error + length * _UNIT * (size + error)) * (1 + 1e-6) + _TINY
    return Parts(
        math.fsum(terms),
        math.fsum(slack),
        np.asarray(part, dtype=float),
        np.asarray(part_error, dtype=float),
    )


def _below(total: float, error: float) -> float:
    """Return a number surely below ``total`` - ``error``, each rounded once."""
    return float(np.nextafter(total - error - 4 * _UNIT * (abs(total) + error) - _TINY, -math.inf))


def owner_bounds(matrix: Matrix, y: FloatArray, size: int) -> FloatArray:
    """Return (size,) how much the columns of each owner 0..size-1 add to `safe_bound` (<= 0).

    For ranking owners only: rounding is not accounted for.
    """
    z = matrix.cost - matrix.A.T @ clip_duals(matrix, y)
    share = np.minimum(z * matrix.lower, z * matrix.upper)
    owned = matrix.owner >= 0
    added = np.bincount(matrix.owner[owned], weights=share[owned], minlength=size)[:size]
    return np.asarray(added, dtype=float)


def _terms(matrix: Matrix, y: FloatArray) -> tuple[FloatArray, FloatArray]:
    m, n = matrix.A.shape
    if y.shape != (m,):
        raise ValueError(f"duals have shape {y.shape}, the matrix has {m} rows")
    if not (np.isfinite(matrix.lower).all() and np.isfinite(matrix.upper).all()):
        raise ValueError("a safe bound needs finite column bounds")
    y = clip_duals(matrix, y)
    side = np.where(y > 0, matrix.row_lower, matrix.row_upper)
    rows = np.where(y == 0, 0.0, y * np.where(y == 0, 0.0, side))
    z = matrix.cost - matrix.A.T @ y
    length = np.bincount(matrix.A.indices, minlength=n) + 2
    sizes = sp.csr_array((np.abs(matrix.A.data), matrix.A.indices, matrix.A.indptr), matrix.A.shape)
    size = np.abs(matrix.cost) + sizes.T @ np.abs(y)
    z_error = length * _UNIT * size * (1 + 1e-6)
    columns = np.minimum(z * matrix.lower, z * matrix.upper)
    reach = np.maximum(np.abs(matrix.lower), np.abs(matrix.upper))
    terms = np.concatenate([rows, columns, [matrix.offset]])
    slack = np.concatenate([_UNIT * np.abs(terms), z_error * reach * (1 + 1e-6)])
    return terms, slack + _TINY


def _padded(y: FloatArray, rows: int, cuts: int) -> FloatArray:
    split = len(y) - cuts
    return np.concatenate([y[:split], np.zeros(rows - split), y[split:]])
