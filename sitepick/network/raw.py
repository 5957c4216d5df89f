"""A grid as a reader found it: four tables in our columns and units, nothing judged yet.

`BUSES` to `DCLINES` name the columns, with what stands for one that a format does not have. Every
table has ``place`` besides, the ``file:line`` of each row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

BUSES: Mapping[str, Any] = {
    "bus_id": "",
    "poi_id": "",
    "base_kv": 0.0,  # 0 = unknown
    "load_mw": 0.0,
    "zone": "",
    "lon": np.nan,  # degrees
    "lat": np.nan,
    "in_service": True,
}
BRANCHES: Mapping[str, Any] = {
    "branch_id": "",
    "from_bus": "",
    "to_bus": "",
    "is_line": True,
    "x_pu": np.nan,  # per unit on BASE_MVA; NaN = to be estimated
    "rating_mva": np.nan,  # inf = unlimited; NaN = to be estimated
    "tap": 1.0,
    "shift_deg": 0.0,
    "pf_mw": np.nan,
    "in_service": True,
    "kv": np.nan,  # of a line; NaN = that of its buses
    "assumed": False,  # not in the data at all: x and rating are estimates
    "km": np.nan,  # length; NaN = from the places of its buses
}
PLANTS: Mapping[str, Any] = {
    "plant_id": "",
    "bus_id": "",
    "fuel": "",
    "pmax_mw": 0.0,
    "pmin_mw": 0.0,
    "pg_mw": np.nan,  # NaN throughout = no dispatch is known
    "in_service": True,
    "cost_usd_h": 0.0,
    "cost_usd_mwh": 0.0,
    "cost_usd_mw2h": 0.0,
    "from_date": None,
    "to_date": None,
}
DCLINES: Mapping[str, Any] = {
    "dcline_id": "",
    "from_bus": "",
    "to_bus": "",
    "pmin_mw": 0.0,  # of the flow from from_bus to to_bus
    "pmax_mw": 0.0,
    "scheduled_mw": 0.0,
    "in_service": True,
}


def table(spec: Mapping[str, Any], place: Sequence[str] = (), **columns: Any) -> pd.DataFrame:
    """A table of ``spec``: the columns given, and the defaults of the others."""
    unknown = set(columns) - set(spec)
    if unknown:
        raise ValueError(f"no such columns: {sorted(unknown)}")
    n = len(place)
    data = {}
    for name, default in spec.items():
        kind = type(default) if isinstance(default, (bool, float)) else object
        given = columns.get(name)
        if given is None:
            cells = np.empty(n, dtype=kind)
            cells[:] = default
        else:
            cells = np.asarray(given, dtype=kind)
        data[name] = pd.Series(cells, dtype=kind)
    data["place"] = pd.Series(list(place), dtype=object)
    return pd.DataFrame(data)


@dataclass
class RawGrid:
    """The tables, the faults found so far, and what the reader has to tell (code, text, count)."""

    problems: list[str] = field(default_factory=list)
    buses: pd.DataFrame = field(default_factory=lambda: table(BUSES))
    branches: pd.DataFrame = field(default_factory=lambda: table(BRANCHES))
    plants: pd.DataFrame = field(default_factory=lambda: table(PLANTS))
    dclines: pd.DataFrame = field(default_factory=lambda: table(DCLINES))
    remarks: list[tuple[str, str, int]] = field(default_factory=list)
    outside: frozenset[str] = frozenset()
    """Ids of buses known to lie in another grid; a direct-current line may end there."""
    source: str = ""  # what was read, for messages
    synthetic: bool = False
