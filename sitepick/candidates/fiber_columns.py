"""What links state beside their course, by edge, and what they do not."""

from __future__ import annotations

from typing import Any

import numpy as np

from sitepick.layers.types import Layers, Note

ATTRIBUTES = ("owner", "pairs", "lit", "lit_tbps", "lease_usd_per_km_year", "in_service")
_UNSTATED = {
    "owner": "owner", "pairs": "fiber pairs", "lit": "lit or dark", "lit_tbps": "capacity",
    "lease_usd_per_km_year": "lease price", "in_service": "in-service date",
}  # fmt: skip


def attribute(layers: Layers, name: str, of: list[int]) -> Any:
    """Return a column of the links by edge, None where the layer has none."""
    frame = layers.fiber_links
    assert frame is not None
    if name not in frame:
        return None
    as_number = name in ("pairs", "lit_tbps", "lease_usd_per_km_year")
    return frame[name].to_numpy(float if as_number else object)[of]


def links(layers: Layers, of: list[int]) -> Any:
    assert layers.fiber_links is not None
    return np.array([str(i) for i in layers.fiber_links["link_id"].to_numpy(object)[of]], object)


def unstated(own: dict[str, Any], n: int, notes: list[Note]) -> None:
    """Note how many edges do not say what.

    An unknown is nothing good and nothing bad: whoever needs a figure takes the scenario's.
    """
    said = []
    for name, words in _UNSTATED.items():
        cells = own.get(name)
        unknown = n if cells is None else sum(c is None or c != c for c in cells)
        if unknown:
            said.append(f"{words} of {unknown}")
    if said:
        text = f"unknown of {n} links: {', '.join(said)}; what is needed is taken from the scenario"
        notes.append(Note("fiber_links", "fiber_unstated", text, n))
