"""One table of a grid, column by column: texts, numbers, dates, and where each row stands."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from sitepick.network.types import BoolArray, FloatArray

ENDINGS = (".csv", ".csv.gz")
MAX_SHOWN = 5
_TRUE, _FALSE = {"true", "t", "1", "yes"}, {"false", "f", "0", "no"}

TextArray = npt.NDArray[np.object_]
Cells = Sequence[Any] | TextArray


def find(folder: Path, name: str) -> Path | None:
    """The table ``name`` of a folder, plain or packed."""
    return next((p for end in ENDINGS if (p := folder / f"{name}{end}").is_file()), None)


def report(problems: list[str], lines: Sequence[str]) -> None:
    """Add the first few of many faults of one kind, and how many there are."""
    problems += lines[:MAX_SHOWN]
    if len(lines) > MAX_SHOWN:
        problems.append(f"{lines[0].split(':')[0]}: {len(lines) - MAX_SHOWN} more rows like these")


class Sheet:
    """A CSV file as text. Every reading of a column adds what is wrong to ``problems``.

    A column is asked for by its name and further names that other tools give it; the first that
    is there counts. A column that is not there is its ``default``, repeated; without a default it
    is a fault.
    """

    def __init__(self, path: Path, problems: list[str]) -> None:
        from sitepick.layers.read import read
        from sitepick.layers.table import Refused

        self.path = path
        self.problems = problems
        self.frame = pd.DataFrame()
        self.line = np.zeros(0, dtype=np.int64)
        self.readable = True
        self._comma = False
        try:
            table = read(path)
        except Refused as fault:
            problems.append(f"{path}: {fault}")
            self.readable = False
        else:
            self.frame, self.line, self._comma = table.frame, table.number, table.comma_decimal

    def __len__(self) -> int:
        return len(self.frame)

    def where(self, row: int) -> str:
        return f"{self.path}:{self.line[row]}"

    @property
    def places(self) -> list[str]:
        """``file:line`` of every row."""
        start = f"{self.path}:"
        return [f"{start}{number}" for number in self.line.tolist()]

    def has(self, *names: str) -> bool:
        return any(name in self.frame.columns for name in names)

    def text(self, *names: str, default: str | None = None) -> TextArray:
        """(rows,) cells without blanks around them."""
        column = self._column(names, default is None)
        if column is None:
            return np.full(len(self), default or "", dtype=object)
        return np.array([cell.strip() for cell in column], dtype=object)

    def number(
        self,
        *names: str,
        default: float | None = None,
        empty: float | None = None,
        infinite: bool = False,
    ) -> FloatArray:
        """(rows,) numbers; an ``empty`` cell is a fault unless it is told what it stands for.

        Infinity is a fault unless it may be ``infinite``.
        """
        column = self._column(names, default is None)
        if column is None:
            return np.full(len(self), 0.0 if default is None else default)
        cells = [cell.strip() for cell in column]
        if self._comma:
            cells = [cell.replace(",", ".") for cell in cells]
        values = _numbers(cells)
        blank = np.array([not cell for cell in cells], dtype=bool)
        bad = np.isnan(values) if infinite else ~np.isfinite(values)
        if empty is not None:
            values[blank] = empty
            bad &= ~blank
        values[bad] = np.nan
        self._fault(names[0], "give a number", column, bad)
        return values

    def flag(self, *names: str, default: bool) -> BoolArray:
        """(rows,) of true and false, t and f, 1 and 0; an empty cell is the default."""
        column = self._column(names, False)
        if column is None:
            return np.full(len(self), default)
        words = [cell.strip().lower() for cell in column]
        known = _TRUE | _FALSE | {""}
        bad = np.array([word not in known for word in words], dtype=bool)
        self._fault(names[0], "write true or false", column, bad)
        return np.array([word in _TRUE if word else default for word in words], dtype=bool)

    def dates(self, name: str) -> TextArray:
        """(rows,) dates, None where the cell is empty or the column not there."""
        found: list[date | None] = []
        bad: list[bool] = []
        column = self.text(name, default="")
        for cell in column:
            try:
                found.append(date.fromisoformat(cell) if cell else None)
                bad.append(False)
            except ValueError:
                found.append(None)
                bad.append(True)
        self._fault(name, "write a date as 2028-06-01", column, np.array(bad, dtype=bool))
        days = np.empty(len(found), dtype=object)
        days[:] = found
        return days

    def refuse(self, rows: Iterable[int], say: Callable[[int], str]) -> None:
        """Add a fault for each row."""
        report(self.problems, [f"{self.where(row)}: {say(row)}" for row in rows])

    def _column(self, names: tuple[str, ...], needed: bool) -> list[Any] | None:
        for name in names:
            if name in self.frame.columns:
                return self.frame[name].tolist()
        if needed and self.readable:
            self.problems.append(f"{self.path}:1: missing column {names[0]}; add it")
        return None

    def _fault(
        self, name: str, cure: str, column: Sequence[Any] | TextArray, bad: BoolArray
    ) -> None:
        self.refuse(np.flatnonzero(bad).tolist(), lambda row: f"{name} is {column[row]!r}; {cure}")


def _numbers(cells: list[str]) -> FloatArray:
    """Numbers, NaN where a cell is none. Infinity may be written inf."""
    try:
        return np.array(cells, dtype=float)
    except ValueError:
        return pd.to_numeric(pd.Series(cells, dtype=object), errors="coerce").to_numpy(
            dtype=float, copy=True
        )
