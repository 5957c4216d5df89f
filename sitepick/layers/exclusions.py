"""Areas where nothing may be built, or where building is allowed in spite of others."""

from __future__ import annotations

import pandas as pd
import shapely

from sitepick.layers import common
from sitepick.layers.columns import Columns
from sitepick.layers.reading import count_of
from sitepick.scenario.inputs import Exclusion


def clean_exclusions(columns: Columns) -> pd.DataFrame:
    """Return `Layers.exclusions` of one file: its features under one name."""
    spec = columns.reading.spec
    assert isinstance(spec, Exclusion)
    flat = shapely.get_dimensions(columns.table.geometry) < 2
    if flat.any() and not spec.buffer_km:
        n = int(flat.sum())
        text = f"{count_of(n, 'feature')} without area and `buffer_km` 0 cover nothing"
        columns.reading.note("covers_nothing", text, n)
    return common.geo_frame(
        {
            "name": [spec.name or columns.reading.stem] * len(columns),
            "buffer_km": [float(spec.buffer_km)] * len(columns),
            "include": [bool(spec.include)] * len(columns),
        },
        columns.table.geometry,
    )
