"""Cost rows of MATPOWER cases: polynomials as they are, piecewise linear ones by splitting units.

A convex piecewise linear cost of one unit is, to any least-cost dispatch, the same as several units
of linear cost, one per segment: they fill up in order of price. That is exact; a cost whose slope
falls is refused, for no linear program can hold it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from sitepick.network.raw import RawGrid
from sitepick.network.sheet import report

_PIECEWISE, _POLYNOMIAL = 1, 2
_MAX_TERMS = 3
_SLOPE_TOLERANCE = 1e-4  # of the steepest; published points are rounded


def unit_costs(
    raw: RawGrid, plants: pd.DataFrame, rows: Sequence[Sequence[float]], places: Sequence[str]
) -> pd.DataFrame:
    """The plants (n rows) with the costs of n ``gencost`` rows; more plants where one is split.

    What cannot be a quadratic or a convex piecewise linear cost is added to the faults.
    """
    faults: list[str] = []
    terms = np.zeros((len(rows), _MAX_TERMS))  # USD/MW^2h, USD/MWh, USD/h
    pieces: dict[int, pd.DataFrame] = {}
    for k, (row, place) in enumerate(zip(rows, places, strict=True)):
        try:
            if len(row) < 4:
                raise ValueError(
                    "has fewer than 4 columns: model, startup, shutdown, n, then costs"
                )
            model, count = int(row[0]), int(row[3])
            if model == _POLYNOMIAL:
                terms[k] = _polynomial(row[4 : 4 + count], count)
            elif model == _PIECEWISE:
                pieces[k] = _piecewise(plants.iloc[k : k + 1], row[4 : 4 + 2 * count], count)
            else:
                raise ValueError(f"has model {row[0]:g}; 1 (piecewise) or 2 (polynomial) is read")
        except (ValueError, OverflowError) as fault:
            faults.append(f"{place}: gencost of {plants['plant_id'].iloc[k]} {fault}")
    report(raw.problems, faults)
    split = sum(len(parts) > 1 for parts in pieces.values())
    if split:
        text = f"{split} units with a piecewise linear cost were split, one part per segment"
        raw.remarks.append(("grid_units_split", text, split))
    plants = plants.assign(
        cost_usd_mw2h=terms[:, 0], cost_usd_mwh=terms[:, 1], cost_usd_h=terms[:, 2]
    )
    whole = plants[~plants.index.isin(pieces)]
    parts = [part.set_axis([k] * len(part)) for k, part in pieces.items()]
    joined: pd.DataFrame = pd.concat([whole, *parts])
    return joined.sort_index(kind="stable").reset_index(drop=True)


def _polynomial(terms: Sequence[float], count: int) -> list[float]:
    """c2, c1 and c0 of a polynomial of ``count`` terms, the highest degree first."""
    if len(terms) < count:
        raise ValueError(f"states {count} coefficients and has {len(terms)}; correct n")
    high, low = terms[: max(count - _MAX_TERMS, 0)], list(terms[max(count - _MAX_TERMS, 0) :])
    if any(high):
        raise ValueError(f"is of degree {count - 1}; at most quadratic costs are read")
    found = [0.0] * (_MAX_TERMS - len(low)) + low
    if found[0] < 0:
        raise ValueError(f"has a falling marginal cost (c2 = {found[0]:g}); give a convex one")
    return found


def _piecewise(unit: pd.DataFrame, points: Sequence[float], count: int) -> pd.DataFrame:
    """One unit per segment of rising slope; the outer segments go on to the limits of the unit."""
    if count < 2 or len(points) < 2 * count:
        raise ValueError(f"states {count} points and has {len(points) // 2}; give two or more")
    x, y = np.array(points[0::2]), np.array(points[1::2])
    if (np.diff(x) <= 0).any():
        raise ValueError("has MW that do not rise from point to point; sort the points")
    slope = np.diff(y) / np.diff(x)
    tolerance = _SLOPE_TOLERANCE * max(1.0, float(np.abs(slope).max()))
    if (np.diff(slope) < -tolerance).any():
        raise ValueError("has a falling marginal cost; give a convex one")
    starts = np.concatenate([[True], np.diff(slope) > tolerance])
    slope, left = slope[starts], x[:-1][starts]
    pmin, pmax = float(unit["pmin_mw"].iloc[0]), float(unit["pmax_mw"].iloc[0])
    edges = np.clip(np.concatenate([[pmin], left[1:], [pmax]]), pmin, pmax)
    kept = np.flatnonzero(np.diff(edges) > 0)
    if not kept.size:
        kept = np.array([int(np.searchsorted(left[1:], pmin, side="right"))])
    first = int(kept[0])
    # The first part runs from pmin and carries the fixed cost, so that the sum is the given curve.
    fixed = float(np.interp(pmin, x, y)) if x[0] <= pmin <= x[-1] else _beyond(pmin, x, y)
    pg = float(unit["pg_mw"].iloc[0])
    parts: list[pd.DataFrame] = []
    for k in kept.tolist():
        base = k == first
        low, high = float(edges[k]), float(edges[k + 1])
        name = unit["plant_id"].iloc[0]
        parts.append(
            unit.assign(
                plant_id=name if base else f"{name}/{len(parts) + 1}",
                pmin_mw=low if base else 0.0,
                pmax_mw=high if base else high - low,
                pg_mw=min(pg, high) if base else min(max(pg - low, 0.0), high - low),
                cost_usd_mwh=float(slope[k]),
                cost_usd_h=fixed - float(slope[k]) * pmin if base else 0.0,
            )
        )
    return pd.concat(parts, ignore_index=True)


def _beyond(mw: float, x: np.ndarray, y: np.ndarray) -> float:
    """The curve beyond its points: its outer segment goes on."""
    k = 0 if mw < x[0] else len(x) - 2
    return float(y[k] + (y[k + 1] - y[k]) / (x[k + 1] - x[k]) * (mw - x[k]))
