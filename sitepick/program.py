"""A mixed-integer program as named column and row families over one sparse matrix.

A `Program` knows nothing of sites, power or money. Blocks append families of columns and rows;
`Program.matrix` is the whole as arrays. Two facts let large problems be solved in parts:

* every column has an ``owner`` (an integer >= 0, or `SHARED`), and finite bounds;
* a row whose columns all have one owner is *local* to it, any other row is *linking*.

`Matrix.take` is then the exact restriction to some owners, the others being held at zero.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

SHARED = -1
"""Owner of a column that belongs to no single owner."""
LINKING = -2
"""`Matrix.row_owner` of a row whose columns have more than one owner."""


@dataclass(frozen=True)
class Family:
    """A named run of columns or rows.

    ``keys`` names what each entry stands for: dimension name -> (n,) integer index.
    ``relaxable`` (rows only): True for a limit of the world (MW, money, dates), False for logic.
    ``redundant`` (rows only): implied by other rows, there to make the relaxation stronger.
    """

    name: str
    start: int
    size: int
    unit: str
    keys: Mapping[str, IntArray]
    relaxable: bool = False
    redundant: bool = False

    @property
    def indices(self) -> IntArray:
        """(size,) positions of the family in the program."""
        return np.arange(self.start, self.start + self.size, dtype=np.int64)


@dataclass(frozen=True)
class Matrix:
    """Minimise ``cost @ x + offset``, ``row_lower <= A x <= row_upper``, ``lower <= x <= upper``.

    Shapes: n columns, m rows. Infinite row bounds are allowed, infinite column bounds are not.
    """

    cost: FloatArray  # (n,)
    offset: float
    lower: FloatArray  # (n,) finite
    upper: FloatArray  # (n,) finite
    integer: BoolArray  # (n,)
    owner: IntArray  # (n,) >= 0 or SHARED
    A: sp.csr_array  # (m, n)
    row_lower: FloatArray  # (m,)
    row_upper: FloatArray  # (m,)

    @cached_property
    def row_owner(self) -> IntArray:
        """(m,) the owner of a local row, SHARED where all columns are shared, LINKING otherwise."""
        m = self.A.shape[0]
        out = np.full(m, SHARED, dtype=np.int64)
        filled = np.diff(self.A.indptr) > 0
        starts = self.A.indptr[:-1][filled]
        if len(starts):
            owners = self.owner[self.A.indices]
            low = np.minimum.reduceat(owners, starts)
            high = np.maximum.reduceat(owners, starts)
            out[filled] = np.where(low == high, low, LINKING)
        return out

    @cached_property
    def always(self) -> IntArray:
        """Owners that cannot be held at zero: a bound or a local row of theirs excludes it."""
        bad_column = ((self.lower > 0) | (self.upper < 0)) & (self.owner != SHARED)
        bad_row = ((self.row_lower > 0) | (self.row_upper < 0)) & (self.row_owner >= 0)
        return np.unique(np.concatenate([self.owner[bad_column], self.row_owner[bad_row]]))

    def take(self, owners: npt.ArrayLike) -> Part:
        """Return the restriction to ``owners`` (and the `always` and shared ones), others at zero.

        Rows without a taken column are dropped when zero satisfies them, kept (empty) when not,
        so that infeasibility is never hidden.
        """
        wanted = np.union1d(np.asarray(owners, dtype=np.int64), self.always)
        columns = np.flatnonzero((self.owner == SHARED) | np.isin(self.owner, wanted))
        sub = self.A[:, columns]
        filled = np.diff(sub.indptr) > 0
        refused = (self.row_lower > 0) | (self.row_upper < 0)
        rows = np.flatnonzero(filled | refused)
        matrix = Matrix(
            cost=self.cost[columns],
            offset=self.offset,
            lower=self.lower[columns],
            upper=self.upper[columns],
            integer=self.integer[columns],
            owner=self.owner[columns],
            A=sp.csr_array(sub[rows]),
            row_lower=self.row_lower[rows],
            row_upper=self.row_upper[rows],
        )
        return Part(matrix=matrix, columns=columns, rows=rows)

    def objective(self, x: FloatArray) -> float:
        """Return the objective value of ``x`` (n,)."""
        return float(self.cost @ x + self.offset)

    def violation(self, x: FloatArray) -> float:
        """Return the largest breach of a row or column bound by ``x``, in the row's own unit."""
        activity = self.A @ x
        worst = [
            self.row_lower - activity,
            activity - self.row_upper,
            self.lower - x,
            x - self.upper,
        ]
        return float(max((w.max(initial=0.0) for w in worst), default=0.0))


@dataclass(frozen=True)
class Part:
    """A restriction of a `Matrix`: ``matrix.cost[j]`` is column ``columns[j]`` of the whole."""

    matrix: Matrix
    columns: IntArray
    rows: IntArray

    def lift(self, x: FloatArray, n: int) -> FloatArray:
        """Return the (n,) vector of the whole problem: ``x`` on the part, zero elsewhere."""
        whole = np.zeros(n)
        whole[self.columns] = x
        return whole


@dataclass
class Program:
    """Append-only builder, but for bounds of rows.

    ``dims`` gives names to the integer keys (for LP files and messages).
    """

    dims: Mapping[str, Sequence[str]] = field(default_factory=dict)
    offset: float = 0.0
    column_families: dict[str, Family] = field(default_factory=dict)
    row_families: dict[str, Family] = field(default_factory=dict)
    _column_parts: dict[str, list[npt.NDArray]] = field(default_factory=dict)
    _row_parts: dict[str, list[npt.NDArray]] = field(default_factory=dict)
    _entries: tuple[list[IntArray], list[IntArray], list[FloatArray]] = field(
        default_factory=lambda: ([], [], [])
    )
    _terms: dict[str, list[tuple[IntArray, FloatArray]]] = field(default_factory=dict)
    _goal: tuple[str, ...] | None = None
    n_columns: int = 0
    n_rows: int = 0

    def add_columns(
        self,
        name: str,
        *,
        keys: Mapping[str, npt.ArrayLike],
        owner: npt.ArrayLike,
        upper: npt.ArrayLike,
        lower: npt.ArrayLike = 0.0,
        cost: npt.ArrayLike = 0.0,
        integer: bool = False,
        unit: str = "1",
    ) -> IntArray:
        """Append a column family and return its (n,) indices.

        ``keys`` fixes n; every other argument is a scalar or (n,). ``cost`` is per unit of the
        column. Raises ValueError for an infinite bound or a repeated name.
        """
        family = self._family(name, keys, unit, self.column_families, self.n_columns)
        n = family.size
        parts = {
            "owner": np.broadcast_to(np.asarray(owner, dtype=np.int64), n),
            "lower": np.broadcast_to(np.asarray(lower, dtype=float), n),
            "upper": np.broadcast_to(np.asarray(upper, dtype=float), n),
            "cost": np.broadcast_to(np.asarray(cost, dtype=float), n),
            "integer": np.full(n, integer),
        }
        if not (np.isfinite(parts["lower"]).all() and np.isfinite(parts["upper"]).all()):
            raise ValueError(f"columns {name}: bounds must be finite")
        for key, value in parts.items():
            self._column_parts.setdefault(key, []).append(value)
        self.n_columns += n
        self.__dict__.pop("matrix", None)
        return family.indices

    def add_rows(
        self,
        name: str,
        *,
        keys: Mapping[str, npt.ArrayLike],
        lower: npt.ArrayLike = -np.inf,
        upper: npt.ArrayLike = np.inf,
        unit: str = "1",
        relaxable: bool = False,
        redundant: bool = False,
    ) -> IntArray:
        """Append a row family without entries and return its (m,) indices; see `add_entries`."""
        family = self._family(
            name, keys, unit, self.row_families, self.n_rows, relaxable, redundant
        )
        m = family.size
        for key, value in (("lower", lower), ("upper", upper)):
            part = np.broadcast_to(np.asarray(value, dtype=float), m)
            self._row_parts.setdefault(key, []).append(part)
        self.n_rows += m
        self.__dict__.pop("matrix", None)
        return family.indices

    def set_row_bounds(
        self, name: str, *, lower: npt.ArrayLike = -np.inf, upper: npt.ArrayLike = np.inf
    ) -> None:
        """Give the row family ``name`` other bounds (scalars or (m,)); without any it is lifted."""
        place, size = list(self.row_families).index(name), self.row_families[name].size
        for key, value in (("lower", lower), ("upper", upper)):
            self._row_parts[key][place] = np.broadcast_to(np.asarray(value, dtype=float), size)
        self.__dict__.pop("matrix", None)

    def add_entries(
        self, rows: npt.ArrayLike, columns: npt.ArrayLike, values: npt.ArrayLike
    ) -> None:
        """Add ``values`` at (rows, columns); the three broadcast together, repeats are summed."""
        r, c, v = np.broadcast_arrays(
            np.asarray(rows, dtype=np.int64),
            np.asarray(columns, dtype=np.int64),
            np.asarray(values, dtype=float),
        )
        rows_so_far, columns_so_far, values_so_far = self._entries
        rows_so_far.append(r.ravel())
        columns_so_far.append(c.ravel())
        values_so_far.append(v.ravel())
        self.__dict__.pop("matrix", None)

    def add_cost(self, columns: npt.ArrayLike, cost: npt.ArrayLike, term: str = "") -> None:
        """Add ``cost`` per unit of ``columns`` to the objective term ``term`` (repeats are summed).

        Terms keep apart what adds up to the objective; `minimise` picks those that count.
        """
        c, v = np.broadcast_arrays(np.asarray(columns, dtype=np.int64), np.asarray(cost, float))
        kept = v.ravel() != 0
        self._terms.setdefault(term, []).append((c.ravel()[kept], v.ravel()[kept]))
        self.__dict__.pop("matrix", None)

    def minimise(self, terms: Sequence[str] | None) -> None:
        """Make the sum of ``terms`` the objective; None: all of them."""
        self._goal = None if terms is None else tuple(terms)
        self.__dict__.pop("matrix", None)

    @property
    def terms(self) -> tuple[str, ...]:
        """Names of the objective terms so far."""
        return tuple(self._terms)

    def term_cost(self, term: str) -> FloatArray:
        """Return (n_columns,) the coefficients of one objective term."""
        out = np.zeros(self.n_columns)
        for columns, values in self._terms.get(term, []):
            np.add.at(out, columns, values)
        return out

    def columns_of(self, name: str) -> Family | None:
        """Return the column family called ``name``, or None when the scenario has none."""
        return self.column_families.get(name)

    def index(self, name: str, shape: Sequence[int]) -> IntArray:
        """Return the columns of a family as a dense array by its keys; -1 where there is none."""
        out = np.full(tuple(shape), -1, dtype=np.int64)
        family = self.column_families.get(name)
        if family is not None:
            out[tuple(family.keys.values())] = family.indices
        return out

    @cached_property
    def matrix(self) -> Matrix:
        """The whole program as arrays; rebuilt after anything was appended."""
        n, m = self.n_columns, self.n_rows
        r, c, v = (np.concatenate(part) if part else np.zeros(0) for part in self._entries)
        coo = sp.coo_array((v, (r.astype(np.int64), c.astype(np.int64))), shape=(m, n))
        A = sp.csr_array(coo)
        A.sum_duplicates()
        A.eliminate_zeros()
        cost = _joined(self._column_parts, "cost", n).copy()
        for term in self._terms if self._goal is None else self._goal:
            for columns, values in self._terms.get(term, []):
                np.add.at(cost, columns, values)
        return Matrix(
            cost=cost,
            offset=self.offset,
            lower=_joined(self._column_parts, "lower", n),
            upper=_joined(self._column_parts, "upper", n),
            integer=_joined(self._column_parts, "integer", n).astype(bool),
            owner=_joined(self._column_parts, "owner", n).astype(np.int64),
            A=A,
            row_lower=_joined(self._row_parts, "lower", m),
            row_upper=_joined(self._row_parts, "upper", m),
        )

    def column_label(self, index: int) -> str:
        """Return e.g. ``siting.open[P07,2028]`` for column ``index``."""
        return self._label(index, self.column_families)

    def row_label(self, index: int) -> str:
        """Return e.g. ``headroom.poi[4411,2028]`` for row ``index``."""
        return self._label(index, self.row_families)

    def _label(self, index: int, families: Mapping[str, Family]) -> str:
        for family in families.values():
            if family.start <= index < family.start + family.size:
                at = index - family.start
                parts = [self._dim_name(dim, int(k[at])) for dim, k in family.keys.items()]
                return f"{family.name}[{','.join(parts)}]"
        raise IndexError(index)

    def _dim_name(self, dim: str, index: int) -> str:
        names = self.dims.get(dim)
        return str(index) if names is None else str(names[index])

    def _family(
        self,
        name: str,
        keys: Mapping[str, npt.ArrayLike],
        unit: str,
        families: dict[str, Family],
        start: int,
        relaxable: bool = False,
        redundant: bool = False,
    ) -> Family:
        if name in families:
            raise ValueError(f"family {name} exists already")
        arrays = {dim: np.atleast_1d(np.asarray(k, dtype=np.int64)) for dim, k in keys.items()}
        sizes = {len(k) for k in arrays.values()}
        if len(sizes) != 1:
            raise ValueError(f"family {name}: keys must have one common length, got {sizes}")
        family = Family(name, start, sizes.pop(), unit, arrays, relaxable, redundant)
        families[name] = family
        return family


def _joined(parts: Mapping[str, list[npt.NDArray]], key: str, size: int) -> npt.NDArray:
    return np.concatenate(parts[key]) if parts.get(key) else np.zeros(size)
