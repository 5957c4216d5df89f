"""Queue waits: years until MW without letter or date are energised, by region and size."""

from __future__ import annotations

import numpy as np
import pandas as pd

from sitepick.layers import common
from sitepick.layers.columns import Columns
from sitepick.layers.reading import count_of, some
from sitepick.scenario.inputs import QueueFile

YEARS = ("years", "p10_years", "p50_years", "p90_years")
YEARS_MAX = 100.0


def clean_queue(columns: Columns) -> pd.DataFrame:
    """Return `Layers.queue` of one file; rows that state no level take the file's ``level:``."""
    spec = columns.reading.spec
    default = spec.level if isinstance(spec, QueueFile) else None
    region = columns.ids("region_id", required=False)
    level = np.array([default if v is None else v for v in columns.text("level")], dtype=object)
    alone = common.missing(region) & ~common.missing(columns.text("level"))
    lone = np.flatnonzero((~common.missing(region) & common.missing(level)) | alone)
    if len(lone):
        columns.reading.fault(
            f"{count_of(len(lone), 'row')} with only one of level and region_id "
            f"({some(columns.ats(lone))}); add a column level, or `level: state` beside `file:`"
        )
    level[common.missing(region)] = None
    years = {name: columns.number(name, high=YEARS_MAX) for name in YEARS}
    if not any(columns.has(name) for name in YEARS):
        columns.reading.fault("a queue needs a column years, or p10_years, p50_years or p90_years")
    else:
        none = np.flatnonzero(np.all([np.isnan(v) for v in years.values()], axis=0))
        refused = set().union(*columns.unread.values()) if columns.unread else set()
        none = np.array([i for i in none if int(i) not in refused], dtype=int)
        if len(none):
            columns.reading.fault(
                f"{count_of(len(none), 'row')} without any years ({some(columns.ats(none))})"
            )
    over = columns.number("over_mw", default=0.0)
    key = [f"{a} / {b} / {c:g} MW" for a, b, c in zip(level, region, over, strict=True)]
    common.refuse_repeats(columns, np.array(key, dtype=object), "region and size")
    return common.plain_frame(
        {
            "level": level, "region_id": region, "over_mw": over, **years,
            "source": columns.text("source"),
        }
    )  # fmt: skip
