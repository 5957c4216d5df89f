"""Parcels: what the user owns, wants or must not use."""

from __future__ import annotations

import numpy as np
import pandas as pd

from sitepick.layers import common
from sitepick.layers.columns import Columns
from sitepick.layers.reading import count_of, some
from sitepick.layers.table import object_array

HA_ODD = 20_000.0  # a parcel of 200 km2 is more likely square metres or a slip
MUSD_ODD = 5_000.0


def clean_parcels(columns: Columns) -> pd.DataFrame:
    """Return `Layers.parcels` of one file. Every parcel keeps its row: it is owed a reason."""
    reading = columns.reading
    geometry = columns.table.geometry
    if geometry is None:
        reading.fault(
            "parcels need a place: columns lon and lat (or wkt), or polygons in a layer; "
            "name them by `fields: {lon: ..., lat: ...}`"
        )
        geometry = np.full(len(columns), None, dtype=object)
    nowhere = np.flatnonzero(common.missing(geometry))
    if columns.table.geometry is not None and len(nowhere):
        reading.fault(
            f"{count_of(len(nowhere), 'parcel')} without location ({some(columns.ats(nowhere))}); "
            "give them lon and lat, or drop them with `where:`"
        )
    ids = columns.ids("parcel_id")
    common.refuse_repeats(columns, ids, "parcel_id")
    usable = columns.number("usable_ha")
    ask = columns.number("ask_musd")
    _odd(columns, "usable_ha", usable, HA_ODD, "ha", "m2")
    _odd(columns, "ask_musd", ask, MUSD_ODD, "MUSD", "usd")
    common.note_same_place(columns.on(columns.table.take(~common.missing(geometry))))
    return common.geo_frame(
        {
            "parcel_id": ids,
            "name": common.names(columns, ids),
            "decision": columns.choices("decision", default="consider"),
            "usable_ha": usable,
            "ask_musd": ask,
            "option_expires": columns.dates("option_expires", end=True),
            "poi_ids": columns.id_tuples("poi_ids"),
            "climate": object_array(list(columns.text("climate"))),
            "max_it_mw": columns.number("max_it_mw"),
            "gas": columns.choices("gas", default="unknown"),
        },
        geometry,
    )


def _odd(
    columns: Columns, ours: str, found: np.ndarray, most: float, unit: str, other: str
) -> None:
    common.check_scale(columns, ours, found, unit, ((most, other),))
