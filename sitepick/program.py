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

from sitepick.matrix import FloatArray, IntArray, Matrix

IndexArray = npt.NDArray[np.int32]

_SIDES = ("lower", "upper")


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


@dataclass
class Program:
    """Append-only builder, but for bounds.

    ``dims`` gives names to the integer keys (for LP files and messages).
    """

    dims: Mapping[str, Sequence[str]] = field(default_factory=dict)
    offset: float = 0.0
    column_families: dict[str, Family] = field(default_factory=dict)
    row_families: dict[str, Family] = field(default_factory=dict)
    _column_parts: dict[str, list[npt.NDArray]] = field(default_factory=dict)
    _row_parts: dict[str, list[npt.NDArray]] = field(default_factory=dict)
    _fresh: tuple[list[IndexArray], list[IndexArray], list[FloatArray]] = field(
        default_factory=lambda: ([], [], [])
    )  # entries that are not in `_stood` yet
    _stood: sp.csr_array | None = None
    _terms: dict[str, list[tuple[IntArray, FloatArray]]] = field(default_factory=dict)
    _goal: tuple[str, ...] | None = None
    _built: Matrix | None = None  # the last matrix, but for rows since
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
        self._forget()
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
        self._forget()

    def set_column_bounds(
        self, columns: npt.ArrayLike, *, lower: npt.ArrayLike, upper: npt.ArrayLike
    ) -> None:
        """Give ``columns`` (n,), of any families, other finite bounds (scalars or (n,))."""
        at = np.asarray(columns, dtype=np.int64)
        for key, value in (("lower", lower), ("upper", upper)):
            if not np.isfinite(value).all():
                raise ValueError("bounds of columns must be finite")
            parts = self._column_parts[key]
            whole = np.concatenate(parts)
            whole[at] = value
            self._column_parts[key] = np.split(whole, np.cumsum([len(p) for p in parts])[:-1])
        self._forget()

    def add_entries(
        self, rows: npt.ArrayLike, columns: npt.ArrayLike, values: npt.ArrayLike
    ) -> None:
        """Add ``values`` at (rows, columns); the three broadcast together, repeats are summed."""
        r, c, v = np.broadcast_arrays(
            _whole32(rows), _whole32(columns), np.asarray(values, dtype=float)
        )
        self._fresh[0].append(r.ravel())
        self._fresh[1].append(c.ravel())
        self._fresh[2].append(v.ravel())
        self.__dict__.pop("matrix", None)

    def add_cost(self, columns: npt.ArrayLike, cost: npt.ArrayLike, term: str = "") -> None:
        """Add ``cost`` per unit of ``columns`` to the objective term ``term`` (repeats are summed).

        Terms keep apart what adds up to the objective; `minimise` picks those that count.
        """
        c, v = np.broadcast_arrays(np.asarray(columns, dtype=np.int64), np.asarray(cost, float))
        kept = v.ravel() != 0
        self._terms.setdefault(term, []).append((c.ravel()[kept], v.ravel()[kept]))
        self._forget()

    def minimise(self, terms: Sequence[str] | None) -> None:
        """Make the sum of ``terms`` the objective; None: all of them."""
        self._goal = None if terms is None else tuple(terms)
        self._forget()

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
        """The whole program as arrays; made anew after anything was appended.

        Rows that enter while solving are appended to what was there: a large matrix is put
        together once.
        """
        n, m, old = self.n_columns, self.n_rows, self._built
        before = 0 if self._stood is None else self._stood.shape[0]
        apart = all((rows >= before).all() for rows in self._fresh[0])
        more = _csr(self._fresh, (m - before, n), before) if apart else _csr(self._fresh, (m, n))
        for part in self._fresh:
            part.clear()
        if self._stood is None:
            A = more
        elif apart and old is not None:
            self._built = made = old.with_rows(more, *(self._sides(k, before) for k in _SIDES))
            self._stood = made.A
            return made
        else:
            known = _widened(self._stood, before if apart else m, n)
            if not apart:
                A = sp.csr_array(known + more)
            else:
                A = sp.vstack([known, more], format="csr") if more.shape[0] else known
        self._stood = A
        self._built = self._assembled(A)
        return self._built

    def _forget(self) -> None:
        self._built = None
        self.__dict__.pop("matrix", None)

    def _sides(self, key: str, first: int = 0) -> FloatArray:
        return _joined(self._row_parts, key, self.n_rows)[first:]

    def _assembled(self, A: sp.csr_array) -> Matrix:
        n = self.n_columns
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
            row_lower=self._sides("lower"),
            row_upper=self._sides("upper"),
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


def _whole32(numbers: npt.ArrayLike) -> IndexArray:
    # 32 bits, as solvers take them: half the memory where there are ten million entries
    return np.asarray(numbers, dtype=np.int64).astype(np.int32)


def _csr(
    entries: tuple[list[IndexArray], list[IndexArray], list[FloatArray]],
    shape: tuple[int, int],
    first_row: int = 0,
) -> sp.csr_array:
    if not entries[0]:
        return sp.csr_array(shape)
    r, c = np.concatenate(entries[0]) - np.int32(first_row), np.concatenate(entries[1])
    A = sp.csr_array(sp.coo_array((np.concatenate(entries[2]), (r, c)), shape=shape))
    A.sum_duplicates()
    A.eliminate_zeros()
    return A


def _widened(A: sp.csr_array, rows: int, columns: int) -> sp.csr_array:
    """Return ``A`` with empty rows and columns appended, up to this shape."""
    end = np.full(rows - A.shape[0], A.indptr[-1], dtype=A.indptr.dtype)
    return sp.csr_array((A.data, A.indices, np.append(A.indptr, end)), shape=(rows, columns))


def _joined(parts: Mapping[str, list[npt.NDArray]], key: str, size: int) -> npt.NDArray:
    return np.concatenate(parts[key]) if parts.get(key) else np.zeros(size)
