"""Where places enter a fiber network: by a lateral to the nearest link or node, or by two."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
from scipy.spatial import cKDTree

from sitepick.candidates.fiber_lines import Lines
from sitepick.candidates.fiber_split import Entries, split
from sitepick.candidates.geo import Bools, Floats, Ints, earth_centred_km, straight_km
from sitepick.network.fiber import Attachment, FiberNetwork
from sitepick.network.fiber_routes import bridges, components
from sitepick.scenario.schema import Scenario

_NEAREST = 16  # entries looked at first for a second lateral


def attached(
    scenario: Scenario,
    network: FiberNetwork,
    lon: Floats,
    lat: Floats,
    diverse: Bools,
    day: date | None = None,
) -> tuple[FiberNetwork, Attachment]:
    """Return the network with the entries of P points as nodes, and where the points enter.

    A lateral goes to the nearest point of a link that is in service on ``day`` and enters there;
    the traffic then runs along the link to the next of its entries, which lie at most
    ``fiber.entry_km`` apart. They are fixed by the link alone, so that no place changes what
    another one has. With ``fiber.enter_at: nodes`` a lateral goes to the nearest node that has a
    link. Lateral km are geodesic km x ``fiber.route_factor``.

    Points with ``diverse`` (P,) get a second lateral, to the nearest entry from which another way
    leads on: no single cut of the network parts both from its core, the largest part of it that no
    single cut takes apart.
    """
    rules = scenario.fiber
    usable = network.there(day)
    on_links = rules.enter_at == "links"
    entries = Entries.of(network, usable, rules.entry_km if on_links else np.inf)
    entry, km, along = (
        _on_links(network, usable, entries, lon, lat)
        if on_links
        else _at_nodes(network, entries, lon, lat)
    )
    second = np.full(len(lon), -1, dtype=np.int64)
    second_km = np.full(len(lon), np.nan)
    asked = np.flatnonzero(diverse & (entry >= 0))
    if len(asked):
        sides = _sides(network, usable, entries)
        second[asked] = _second(entries, sides, entry[asked], lon[asked], lat[asked])
        found = asked[second[asked] >= 0]
        to = entries.lonlat[second[found]]
        second_km[found] = straight_km(lon[found], lat[found], to[:, 0], to[:, 1])
    whole, node = split(network, entries, np.concatenate([entry, second]))
    return whole, Attachment(
        node=node[: len(lon)],
        lateral_km=km * rules.route_factor,
        along_km=along,
        second_node=node[len(lon) :],
        second_km=second_km * rules.route_factor,
    )


def _on_links(
    network: FiberNetwork, usable: Bools, entries: Entries, lon: Floats, lat: Floats
) -> tuple[Ints, Floats, Floats]:
    """Return entry, geodesic km to the link, and route km along it to the entry, by point."""
    entry = np.full(len(lon), -1, dtype=np.int64)
    km, along = np.full(len(lon), np.nan), np.full(len(lon), np.nan)
    index = np.flatnonzero(usable)
    lines = Lines([network.line[e] for e in index])
    feet = lines.nearest(lon, lat)
    e, p = index[feet.line], feet.point
    share = feet.along_km / lines.km[feet.line]
    steps = entries.steps[e]
    nearest = np.rint(share * steps).astype(np.int64)
    inner = entries.offset[e] + nearest - 1
    entry[p] = np.where(
        nearest == 0,
        network.from_node[e],
        np.where(nearest == steps, network.to_node[e], inner),
    )
    km[p] = feet.km
    along[p] = np.abs(share - nearest / steps) * network.km[e]
    return entry, km, along


def _at_nodes(
    network: FiberNetwork, entries: Entries, lon: Floats, lat: Floats
) -> tuple[Ints, Floats, Floats]:
    entry = np.full(len(lon), -1, dtype=np.int64)
    km, along = np.full(len(lon), np.nan), np.full(len(lon), np.nan)
    used = np.flatnonzero(entries.open)
    known = np.flatnonzero(np.isfinite(lon) & np.isfinite(lat))
    if len(used) and len(known):
        tree = cKDTree(earth_centred_km(network.lon[used], network.lat[used]))
        found = used[tree.query(earth_centred_km(lon[known], lat[known]))[1]]
        entry[known], along[known] = found, 0.0
        km[known] = straight_km(lon[known], lat[known], network.lon[found], network.lat[found])
    return entry, km, along


@dataclass(frozen=True)
class _Sides:
    """By entry: its part of the network, and the bridge between it and the core (-1: none)."""

    part: Ints
    gate: Ints


def _sides(network: FiberNetwork, usable: Bools, entries: Entries) -> _Sides:
    cuts = bridges(network, usable)
    part = components(network, usable)
    solid = usable.copy()
    solid[cuts] = False
    block = components(network, solid)
    # of each part, the block with most nodes; `components` puts larger ones first
    order = np.lexsort((block, part))
    core = np.full(part.max(initial=-1) + 1, -1, dtype=np.int64)
    core[part[order][::-1]] = block[order][::-1]
    in_core = block == core[part]
    a, b = network.from_node, network.to_node
    doors = cuts[in_core[a[cuts]] != in_core[b[cuts]]]
    shut = usable.copy()
    shut[doors] = False
    behind = components(network, shut)
    gate_of = np.full(behind.max(initial=-1) + 1, -1, dtype=np.int64)
    outer = np.where(in_core[a[doors]], b[doors], a[doors])
    gate_of[behind[outer]] = doors
    gate = gate_of[behind]
    e = entries.edge
    return _Sides(
        part=np.concatenate([part, part[a[e]]]),
        # on a bridge, a cut of it may be on the near side: it counts as beyond
        gate=np.concatenate([gate, np.where(gate[a[e]] >= 0, gate[a[e]], gate[b[e]])]),
    )


def _second(entries: Entries, sides: _Sides, first: Ints, lon: Floats, lat: Floats) -> Ints:
    """Return the nearest entry to each point that is diverse to its first, -1 without one."""
    out = np.full(len(first), -1, dtype=np.int64)
    choice = np.flatnonzero(entries.open)
    tree = cKDTree(earth_centred_km(entries.lonlat[choice, 0], entries.lonlat[choice, 1]))
    at = earth_centred_km(lon, lat)
    left, k = np.arange(len(first)), _NEAREST
    while len(left):
        k = min(k, len(choice))
        near = choice[np.asarray(tree.query(at[left], k=k)[1]).reshape(len(left), k)]
        own = first[left][:, None]
        gate = sides.gate[near]
        fits = (near != own) & (sides.part[near] == sides.part[own])
        fits &= (gate != sides.gate[own]) | (gate < 0)
        done = fits.any(axis=1)
        out[left[done]] = near[done, fits[done].argmax(axis=1)]
        if k == len(choice):
            break
        left, k = left[~done], k * 8
    return out
