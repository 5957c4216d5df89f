"""Areas where nothing may be built, or where building is allowed in spite of others."""

from __future__ import annotations

import pandas as pd

from sitepick.layers import common
from sitepick.layers.columns import Columns
from sitepick.scenario.inputs import Exclusion


def clean_exclusions(columns: Columns) -> pd.DataFrame:
    """Return `Layers.exclusions` of one file: its features under one name."""
    spec = columns.reading.spec
    assert isinstance(spec, Exclusion)
    return common.geo_frame(
        {
            "name": [spec.name or columns.reading.stem] * len(columns),
            "buffer_km": [float(spec.buffer_km)] * len(columns),
            "include": [bool(spec.include)] * len(columns),
        },
        columns.table.geometry,
    )
