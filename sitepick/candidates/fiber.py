"""The fiber network of a scenario, and where its candidates and demand places meet it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from sitepick.candidates.fiber_access import attached
from sitepick.candidates.fiber_noding import network_of
from sitepick.candidates.fiber_rows import with_rights_of_way
from sitepick.candidates.text import some
from sitepick.candidates.types import FiberAccess
from sitepick.layers.types import Layers, Note
from sitepick.network.fiber import Attachment, FiberNetwork
from sitepick.network.fiber_routes import components
from sitepick.scenario.schema import Scenario


def access(
    scenario: Scenario, layers: Layers, sites: pd.DataFrame, places: pd.DataFrame
) -> tuple[FiberAccess | None, list[Note]]:
    """Return the network with the entries of candidates and places, None without links, and notes.

    Rejected places enter nowhere; neither does a demand place further than ``fiber.place_km_max``
    from the network: what serves it is unknown.
    """
    network, notes = network_of_layers(scenario, layers)
    day = scenario.periods.from_
    if network is None or not network.there(day).any():
        return None, notes
    kept = (sites["status"] == "candidate").to_numpy(dtype=bool)
    n = len(sites)
    lon, lat = (
        np.concatenate([np.where(kept, sites[c], np.nan), places[c].to_numpy(float)]).astype(float)
        for c in ("lon", "lat")
    )
    diverse = np.concatenate([kept & scenario.fiber.diverse, np.zeros(len(places), dtype=bool)])
    whole, found = attached(scenario, network, lon, lat, diverse, day)
    of_sites, of_places = _rows(found, slice(0, n)), _rows(found, slice(n, None))
    far = of_places.lateral_km > scenario.fiber.place_km_max * scenario.fiber.route_factor
    if far.any():
        ids = places["place_id"].to_numpy(object)[far]
        text = (
            f"{len(ids)} demand places lie more than {scenario.fiber.place_km_max:g} km from the "
            f"fiber network (fiber.place_km_max) and are not connected to it: {some(ids)}"
        )
        notes.append(Note("demand", "fiber_place_far", text, len(ids)))
    of_places = replace(
        of_places,
        node=np.where(far, -1, of_places.node),
        lateral_km=np.where(far, np.nan, of_places.lateral_km),
        along_km=np.where(far, np.nan, of_places.along_km),
    )
    alone = diverse[:n] & of_sites.known & (of_sites.second_node < 0)
    if alone.any():
        ids = sites["site_id"].to_numpy(object)[alone]
        text = (
            f"{len(ids)} candidates have no second way into the fiber network that no single cut "
            f"shares with the first: {some(ids)}"
        )
        notes.append(Note("candidates", "fiber_not_diverse", text, len(ids)))
    cuts = [group.name for group in scenario.campus_groups if group.survive_cut]
    if cuts and not scenario.fiber.diverse:
        text = (
            f"groups survive the cut of any fiber edge, but not of a member's own lateral: "
            f"{some(cuts)}; fiber.diverse gives sites two"
        )
        notes.append(Note("campus_groups", "group_one_lateral", text, len(cuts)))
    off = kept & ~of_sites.known
    if off.any() and (scenario.fiber.services or scenario.demand.splits):
        ids = sites["site_id"].to_numpy(object)[off]
        text = (
            f"{len(ids)} candidates meet the fiber network nowhere known: services make no traffic "
            f"there, and pools of a split stay at one site: {some(ids)}"
        )
        notes.append(Note("candidates", "fiber_off_network", text, len(ids)))
    return FiberAccess(whole, of_sites, of_places), notes


def network_of_layers(scenario: Scenario, layers: Layers) -> tuple[FiberNetwork | None, list[Note]]:
    """Return the network with what may be built along rights of way, None without links."""
    network, notes = network_of(scenario, layers)
    if network is None:
        return None, notes
    notes += _apart(network)
    network, more = with_rights_of_way(scenario, layers, network)
    return network, notes + more


def _apart(network: FiberNetwork) -> list[Note]:
    """Note parts of the network that no link joins; nodes without any link are counted apart."""
    part = components(network)
    size = np.bincount(part)
    names = network.name
    notes = []
    bare = [str(names[k]) for k in np.flatnonzero(size[part] == 1)]
    if bare:
        text = f"{len(bare)} fiber nodes have no link: {some(bare)}"
        notes.append(Note("fiber_nodes", "fiber_node_alone", text, len(bare)))
    several = np.flatnonzero(size > 1)
    if len(several) > 1:
        first = [str(names[np.flatnonzero(part == p)[0]]) for p in several]
        said = "; ".join(
            f"{size[p]} nodes with {name}" for p, name in zip(several[:6], first[:6], strict=True)
        )
        more = f" and {len(several) - 6} more" if len(several) > 6 else ""
        text = f"the network is in {len(several)} parts that no link joins: {said}{more}"
        notes.append(Note("fiber_links", "fiber_apart", text, len(several)))
    return notes


def _rows(found: Attachment, rows: slice) -> Attachment:
    return Attachment(
        node=found.node[rows],
        lateral_km=found.lateral_km[rows],
        along_km=found.along_km[rows],
        second_node=found.second_node[rows],
        second_km=found.second_km[rows],
    )
