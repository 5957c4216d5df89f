"""Tables of the Breakthrough / TAMU grid: voltages and places come from the files beside."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import shapely

from sitepick.layers.read import read
from sitepick.layers.table import Refused, Table


def complete(table: Table, path: Path, role: str) -> None:
    """Add `baseKV` to substations, or place and `baseKV` to lines, in place.

    Transformers and branches within one substation are left out of the lines.

    Raises:
        Refused: branch.csv without the files that say where its buses are.
    """
    if role == "substations":
        _voltages(table, path)
    elif "from_bus_id" in table.frame.columns:
        _routes(table, path)


def _beside(path: Path, name: str) -> pd.DataFrame | None:
    for end in (".csv", ".csv.gz"):
        other = path.parent / f"{name}{end}"
        if other.is_file():
            return read(other).frame
    return None


def _voltages(table: Table, path: Path) -> None:
    bus, link = _beside(path, "bus"), _beside(path, "bus2sub")
    if bus is None or link is None or "sub_id" not in table.frame.columns:
        text = "no bus.csv and bus2sub.csv beside it, so no voltages are known"
        table.remarks.append(("no_voltages", text, len(table)))
        return
    kv = pd.to_numeric(bus.set_index("bus_id")["baseKV"])
    highest = kv.reindex(link["bus_id"]).groupby(link["sub_id"].to_numpy()).max()
    table.frame["baseKV"] = highest.reindex(table.frame["sub_id"]).to_numpy()
    table.remarks.append(("joined", "voltages are the highest of bus.csv by bus2sub.csv", 0))


def _routes(table: Table, path: Path) -> None:
    bus, link, sub = (_beside(path, name) for name in ("bus", "bus2sub", "sub"))
    if bus is None or link is None or sub is None:
        raise Refused(
            "has bus numbers but no places; put bus.csv, bus2sub.csv and sub.csv beside it"
        )
    at = link.set_index("bus_id")["sub_id"]
    frame = table.frame
    ends = [at.reindex(frame[c]).to_numpy(object) for c in ("from_bus_id", "to_bus_id")]
    kind = frame.get("branch_device_type", pd.Series("Line", index=frame.index)).to_numpy(object)
    used = (kind == "Line") & (ends[0] != ends[1])
    used &= ~(pd.isna(ends[0]) | pd.isna(ends[1]))
    kept = table.take(used)
    place = sub.set_index("sub_id")[["lon", "lat"]].apply(pd.to_numeric)
    xy = np.stack([place.reindex(e[used]).to_numpy() for e in ends], axis=1)
    kept.frame["baseKV"] = (
        pd.to_numeric(bus.set_index("bus_id")["baseKV"])
        .reindex(kept.frame["from_bus_id"])
        .to_numpy()
    )
    table.frame, table.number = kept.frame, kept.number
    table.geometry = np.asarray(shapely.linestrings(xy), dtype=object)
    left = len(used) - int(used.sum())
    text = f"{left:,} transformers and branches within one substation left out; lines are straight"
    table.remarks.append(("joined", text, left))
