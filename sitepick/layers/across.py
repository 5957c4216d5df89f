"""What shows only when layers are seen together: names used as ids, layers on another continent."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from sitepick.layers.reading import count_of, some
from sitepick.layers.types import Note

MAPS = (
    "lines", "fiber_nodes", "fiber_links", "rights_of_way", "parcels", "sites", "demand", "leases",
)  # fmt: skip


def check(tables: dict[str, pd.DataFrame]) -> tuple[list[str], list[Note]]:
    """Compare the layers; replace POI names by POI ids in place. Return problems and notes."""
    notes: list[Note] = []
    pois = tables.get("substations")
    if pois is not None:
        by_name = _ids_by_name(pois)
        known = set(pois["poi_id"])
        for role in ("power_offers", "shared_limits", "tariffs", "parcels", "sites"):
            if role in tables:
                notes += _name_to_id(role, tables[role], known, by_name)
    return _swapped(tables), notes


def _ids_by_name(pois: pd.DataFrame) -> dict[str, str | None]:
    """Return POI id by name in lower case; None where several POIs have the name."""
    out: dict[str, str | None] = {}
    for ident, name in zip(pois["poi_id"], pois["name"], strict=True):
        key = str(name).casefold()
        out[key] = None if key in out else ident
    return out


def _name_to_id(
    role: str, table: pd.DataFrame, known: set[str], by_name: dict[str, str | None]
) -> list[Note]:
    named: dict[str, str] = {}
    unknown: set[str] = set()

    def one(ident: Any) -> Any:
        if ident is None or ident in known:
            return ident
        found = by_name.get(str(ident).casefold())
        if found is None:
            unknown.add(ident)
            return ident
        named[ident] = found
        return found

    if "poi_ids" in table.columns:
        cells = [None if c is None else tuple(one(i) for i in c) for c in table["poi_ids"]]
        table["poi_ids"] = pd.Series(cells, index=table.index, dtype=object)
    else:
        table["poi_id"] = [one(i) for i in table["poi_id"]]
    notes = []
    if named:
        said = some(f"'{name}' is {ident}" for name, ident in sorted(named.items()))
        text = f"{count_of(len(named), 'POI')} given by name, not id ({said})"
        notes.append(Note(role, "poi_by_name", text, len(named)))
    if unknown:
        several = sorted(i for i in unknown if str(i).casefold() in by_name)
        text = (
            f"{count_of(len(unknown), 'POI')} not among the substations ({some(sorted(unknown))})"
        )
        if several:
            text += f"; several substations are called {some(several)}: use ids"
        notes.append(Note(role, "poi_unknown", text, len(unknown)))
    return notes


def _box(table: pd.DataFrame) -> np.ndarray | None:
    bounds = table.geometry.total_bounds
    return bounds if np.isfinite(bounds).all() else None


def _meet(a: np.ndarray, b: np.ndarray) -> bool:
    return bool(a[0] <= b[2] and b[0] <= a[2] and a[1] <= b[3] and b[1] <= a[3])


def _swapped(tables: dict[str, pd.DataFrame]) -> list[str]:
    """Find layers that meet the substations only with lon and lat exchanged."""
    anchor = next((r for r in ("substations", "regions", "parcels") if r in tables), None)
    if anchor is None or (home := _box(tables[anchor])) is None:
        return []
    home = home + np.array([-5.0, -5.0, 5.0, 5.0])  # neighbours may lie beside
    problems = []
    for role in MAPS:
        if role not in tables or role == anchor or (here := _box(tables[role])) is None:
            continue
        if not _meet(here, home) and _meet(here[[1, 0, 3, 2]], home):
            problems.append(
                f"layers.{role}: lies nowhere near layers.{anchor}, but would with lon and lat "
                "exchanged; are they swapped? GeoJSON and WKT want lon first"
            )
    return problems
