"""A file as it was read, before any meaning is given to its columns."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd


class Refused(Exception):
    """A file cannot be read at all. The message continues "FILE: " and says what to do."""


@dataclass
class Table:
    """Columns as the file names them, and geometry.

    ``frame`` has n rows and a plain 0..n-1 index. ``geometry`` is an object array [n] of shapely
    geometries or None; it is None as a whole for a table without any. ``number`` is an integer
    array [n]: the feature's position in the file counted from 0, or the line or sheet row of a
    table. ``faults`` are (row, message) found while reading geometry; they count only for rows
    that are used. ``remarks`` are (code, message, count).
    """

    frame: pd.DataFrame
    geometry: np.ndarray | None
    number: np.ndarray
    tabular: bool = False
    crs: str | None = None
    degrees: bool = False  # the format itself promises lon/lat WGS84
    comma_decimal: bool = False
    dialect: str = ""  # overpass, nodelink, graph, ofds: where the file itself tells
    licence: str = ""
    synthetic: bool = False
    faults: list[tuple[int, str]] = field(default_factory=list)
    remarks: list[tuple[str, str, int]] = field(default_factory=list)
    has_z: bool = False
    unclosed: list[int] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.frame)

    def take(self, rows: np.ndarray) -> Table:
        """Return the rows where the boolean array ``rows`` [n] is true."""
        place = np.cumsum(rows) - 1
        return replace(
            self,
            frame=self.frame[rows].reset_index(drop=True),
            geometry=None if self.geometry is None else self.geometry[rows],
            number=self.number[rows],
            faults=[(int(place[i]), text) for i, text in self.faults if rows[i]],
            unclosed=[int(place[i]) for i in self.unclosed if rows[i]],
        )


def object_array(items: Sequence[Any]) -> np.ndarray:
    """Return ``items`` as a one-dimensional object array, whatever they are."""
    out = np.empty(len(items), dtype=object)
    out[:] = items
    return out


def unique_names(names: list[str]) -> tuple[list[str], list[str]]:
    """Return column names made unique by a suffix ``.2``, and those that were repeated."""
    seen: dict[str, int] = {}
    out, repeated = [], []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        if seen[name] > 1:
            repeated.append(name)
        out.append(name if seen[name] == 1 else f"{name}.{seen[name]}")
    return out, repeated


@contextmanager
def no_collecting() -> Iterator[None]:
    """Pause garbage collection: with millions of small lists it takes most of the time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
