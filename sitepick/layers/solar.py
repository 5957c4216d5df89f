"""Representative solar days: 24 hours each, and how many days of a year each stands for."""

from __future__ import annotations

import numpy as np
import pandas as pd

from sitepick.layers import common
from sitepick.layers.columns import Columns
from sitepick.layers.reading import some

HOURS = 24
PROFILE = "user"
"""Profile of a file without a column profile_id."""


def clean_solar_days(columns: Columns) -> pd.DataFrame:
    """Return `Layers.solar_days` of one file: one row per profile and day, its hours as a tuple.

    Hours are local solar hours 0 to 23, each once; ``mw_per_mw`` is output over alternating-current
    rating, 0 to 1. ``days_per_year`` is given on one row of the day at least, alike on all of them;
    without the column the days count alike.
    """
    hour = columns.number("hour", high=HOURS - 1)
    value = columns.number("mw_per_mw", high=1.0)
    weight = columns.number("days_per_year")
    for name, found in (("hour", hour), ("mw_per_mw", value)):
        common.need_filled(columns, name, np.isnan(found))
    profile = columns.ids("profile_id", required=False)
    table = pd.DataFrame(
        {
            "profile_id": [PROFILE if p is None else p for p in profile],
            "day_id": columns.ids("day_id"),
            "hour": hour,
            "value": value,
            "weight": weight,
        }
    )
    rows: list[tuple[str, str, float, tuple[float, ...]]] = []
    pairs = sorted(set(zip(table["profile_id"], table["day_id"], strict=True)), key=str)
    for name, day in pairs:
        group = table[(table["profile_id"] == name) & (table["day_id"] == day)]
        label = f"day '{day}' of profile '{name}'"
        hours = sorted(group["hour"].dropna())
        if hours != list(range(HOURS)):
            missing = [h for h in range(HOURS) if h not in hours]
            twice = sorted({f"{h:g}" for h in hours if hours.count(h) > 1})
            said = f"missing: {some(map(str, missing))}" if missing else f"twice: {some(twice)}"
            columns.reading.fault(f"{label} needs the hours 0 to 23 once each; {said}")
            continue
        stated = sorted(set(group["weight"].dropna()))
        if columns.has("days_per_year") and (len(stated) != 1 or stated[0] <= 0):
            columns.reading.fault(
                f"{label} needs one days_per_year above 0, the same on each of its rows"
            )
            continue
        ordered = group.sort_values("hour")["value"]
        rows.append((name, day, stated[0] if stated else 1.0, tuple(map(float, ordered))))
    frame = pd.DataFrame(
        {c: pd.Series([row[k] for row in rows], dtype=object) for k, c in enumerate(_COLUMNS)}
    )
    return frame.astype({"days_per_year": float})


_COLUMNS = ("profile_id", "day_id", "days_per_year", "mw_per_mw")
