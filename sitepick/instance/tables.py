"""Small helpers between tables and arrays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from sitepick.matrix import IntArray


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of a table as dicts by column name."""
    if table.empty:
        return []
    return [{str(k): v for k, v in row.items()} for row in table.to_dict("records")]


def positions(names: pd.Series, at: Mapping[str, int]) -> IntArray:
    """Return (n,) the position of each name; every name must be known."""
    codes, distinct = pd.factorize(names)
    return np.array([at[str(name)] for name in distinct], dtype=np.int64)[codes]
