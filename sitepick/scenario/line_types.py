"""Standard lines by voltage, and how many MW a line of some length can carry.

The rows are ``catalogs/line_types.yaml`` (`sitepick catalog line_types`). They stand in where a
branch of the grid or a tie states no rating or impedance of its own; what rests on them is an
estimate and is to be shown as one.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sitepick.scenario.catalog import table

THERMAL_SHARE = 0.95
"""MW per MVA of thermal rating: power factor and unbalance."""
ST_CLAIR = ((40.0, 5.0), (80.0, 3.1), (160.0, 2.0), (320.0, 1.3), (480.0, 1.0), (640.0, 0.8),
            (965.0, 0.6))  # fmt: skip
"""Length, km, and loadability in multiples of SIL: the St Clair curve as Dunlop, Gutman and
Marchenko derived it (IEEE PAS-98, 1979): 5 % voltage drop to about 300 km, then 30-35 % margin."""


@dataclass(frozen=True)
class LineTypes:
    """Electrical figures of lines, one value per line, arrays of one shape (...)."""

    thermal_mw: NDArray[np.float64]
    sil_mw: NDArray[np.float64]
    x_ohm_per_km: NDArray[np.float64]
    r_ohm_per_km: NDArray[np.float64]


@cache
def _catalog() -> dict[str, NDArray[np.float64]]:
    rows = sorted(table("line_types"), key=lambda row: row["kv"])
    keys = ("kv", "thermal_mw", "sil_mw", "x_ohm_per_km", "r_ohm_per_km")
    return {key: np.array([row[key] for row in rows], dtype=float) for key in keys}


def line_types(kv: ArrayLike) -> LineTypes:
    """Return the standard line of each voltage ``kv`` (...), nan where the voltage is.

    The catalog row whose voltage is nearest in ratio stands, carried over to ``kv``: the same
    current (thermal MW in proportion to kV), the same surge impedance (SIL in proportion to its
    square), the same ohms per km.
    """
    rows, asked = _catalog(), np.asarray(kv, dtype=float)
    known = np.where(asked > 0, asked, rows["kv"][0])
    apart = np.abs(np.log(known)[..., None] - np.log(rows["kv"]))
    at = apart.argmin(axis=-1)
    ratio = np.where(asked > 0, asked, np.nan) / rows["kv"][at]
    return LineTypes(
        thermal_mw=rows["thermal_mw"][at] * ratio,
        sil_mw=rows["sil_mw"][at] * ratio**2,
        x_ohm_per_km=rows["x_ohm_per_km"][at] * np.where(np.isnan(ratio), np.nan, 1.0),
        r_ohm_per_km=rows["r_ohm_per_km"][at] * np.where(np.isnan(ratio), np.nan, 1.0),
    )


def st_clair(km: ArrayLike) -> NDArray[np.float64]:
    """Return k(L), the loadability of a line of ``km`` (...) in multiples of its SIL.

    Straight between the points of `ST_CLAIR` in logarithms of both, and on from its ends.
    Infinite at 0 km: such a line is limited by heat alone.
    """
    x, y = np.log(np.array(ST_CLAIR)).T
    slopes = np.diff(y) / np.diff(x)
    with np.errstate(divide="ignore"):
        at = np.log(np.asarray(km, dtype=float))
    part = np.clip(np.searchsorted(x, at, side="right") - 1, 0, len(slopes) - 1)
    return np.exp(y[part] + slopes[part] * (at - x[part]))


def loadability_mw(kv: ArrayLike, km: ArrayLike) -> NDArray[np.float64]:
    """Return what one circuit of ``kv`` over ``km`` can carry, MW (shapes broadcast).

    ``min(0.95 x thermal, k(km) x SIL)``: heat limits short lines, voltage drop and stability long
    ones. nan where the voltage is unknown or zero; an unknown length (nan) counts as 0 km.
    """
    types = line_types(kv)
    length = np.nan_to_num(np.asarray(km, dtype=float), nan=0.0)
    return np.minimum(THERMAL_SHARE * types.thermal_mw, st_clair(length) * types.sil_mw)
