"""Route km between candidates and demand places over the fiber network."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd

from sitepick.candidates.geo import Bools, Floats
from sitepick.candidates.text import some
from sitepick.candidates.types import FiberAccess
from sitepick.layers.types import Note
from sitepick.network.fiber_routes import distances


def route_km(access: FiberAccess, kept: Bools, day: date) -> Floats:
    """Return route km (n, m) of the candidates ``kept`` to the m places, nan where unknown.

    A route is the candidate's lateral, its way along the link to the network's node, the shortest
    way over links in service on ``day``, and the same at the place.
    """
    sites, places = access.sites, access.places
    node, own = sites.node[kept], (sites.lateral_km + sites.along_km)[kept]
    out = np.full((len(node), len(places.node)), np.nan)
    met = np.flatnonzero(places.known)
    if not len(met) or not (node >= 0).any():
        return out
    at, which = np.unique(places.node[met], return_inverse=True)
    km, _ = distances(access.network, at, access.network.there(day))
    km[np.isinf(km)] = np.nan
    last = (places.lateral_km + places.along_km)[met]
    there = np.flatnonzero(node >= 0)
    for place, k, extra in zip(met, which.reshape(-1), last, strict=True):
        out[there, place] = own[there] + km[k, node[there]] + extra
    return out


def fallen_back(
    access: FiberAccess, kept: Bools, places: pd.DataFrame, straight: Bools, factor: float
) -> list[Note]:
    """Note the pairs (n, m) whose route is unknown and whose straight line was taken."""
    count = int(straight.sum())
    if not count:
        return []
    ids = places["place_id"].to_numpy(object)
    lost = [str(i) for i in ids[~access.places.known]]
    why = f"; not connected: {some(lost)}" if lost else ""
    nowhere = int((~access.sites.known[kept]).sum())
    why += f"; {nowhere} candidates are not connected" if nowhere else ""
    text = (
        f"{count} of {straight.size} pairs of candidate and demand place have no known fiber "
        f"route: their straight line times {factor:g} (demand.route_factor) was taken{why}"
    )
    return [Note("demand", "fiber_route_unknown", text, count)]
