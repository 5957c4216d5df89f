"""Small worlds of campus groups: a table of sites, a fiber network by hand, one period or two."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from sitepick import pipeline
from sitepick.candidates.types import FiberAccess
from sitepick.network.fiber import Attachment, FiberNetwork
from sitepick.run import Prepared

Edge = tuple[str, str, str, float]
"""Edge id, its nodes, km."""
SYNC = {"params_billion": 1000}


def network(edges: Sequence[Edge]) -> FiberNetwork:
    """Return a network with the nodes that the edges name, in order of id."""
    names = sorted({n for _, a, b, _ in edges for n in (a, b)})
    at = {n: k for k, n in enumerate(names)}
    lon = np.array([-100.0 + k for k in range(len(names))])
    lat = np.full(len(names), 31.0)
    ends = [(at[a], at[b]) for _, a, b, _ in edges]
    return FiberNetwork(
        node_id=np.array(names, dtype=object),
        lon=lon,
        lat=lat,
        edge_id=np.array([e for e, *_ in edges], dtype=object),
        from_node=np.array([a for a, _ in ends], dtype=np.int64),
        to_node=np.array([b for _, b in ends], dtype=np.int64),
        km=np.array([km for *_, km in edges], dtype=float),
        line=tuple(np.array([[lon[a], 31.0], [lon[b], 31.0]]) for a, b in ends),
    )


def attached(net: FiberNetwork, where: Sequence[tuple[str | None, float]]) -> Attachment:
    """Return where sites meet ``net``: node and lateral km of each."""
    n = len(where)
    values: dict[str, Any] = {
        "node": np.array([-1 if a is None else net.node_of[a] for a, _ in where], dtype=np.int64),
        "lateral_km": np.array([np.nan if a is None else km for a, km in where], dtype=float),
        "along_km": np.array([np.nan if a is None else 0.0 for a, _ in where], dtype=float),
        "second_node": np.full(n, -1, dtype=np.int64),
        "second_km": np.full(n, np.nan),
    }
    return Attachment(**{f.name: values[f.name] for f in dataclasses.fields(Attachment)})


def world(
    folder: Path,
    sites: Sequence[tuple[str, float, float]],
    groups: Sequence[dict[str, Any]],
    workloads: dict[str, dict[str, Any]],
    edges: Sequence[Edge] = (),
    where: Sequence[tuple[str | None, float]] = (),
    places: Sequence[tuple[float, float]] = (),
    **scenario: Any,
) -> Prepared:
    """Return a prepared scenario: sites as (id, capacity in IT MW, cost of opening in MUSD).

    ``where`` says at which node of ``edges`` each site is, and its lateral; without edges there is
    no fiber layer and ``places`` (lon, lat) count.
    """
    folder.mkdir(parents=True, exist_ok=True)
    at = places or [(-100.0 + 0.1 * k, 31.0) for k in range(len(sites))]
    lines = ["site_id,lon,lat,capacity_mw,fixed_musd"]
    lines += [
        f"{name},{lon},{lat},{mw},{musd}"
        for (name, mw, musd), (lon, lat) in zip(sites, at, strict=True)
    ]
    (folder / "sites.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    text: dict[str, Any] = {
        "version": 1,
        "as_of": "2026-01-01",
        "periods": {"from": "2028", "to": "2029"},
        "layers": {"sites": {"file": "sites.csv"}},
        "power": {"model": "none"},
        "halls": "none",
        "hardware": "none",
        "demand": {"workloads": workloads},
        "campus_groups": list(groups),
        "solver": {"gap_pct": 0},
        **scenario,
    }
    if edges:  # drawn, so that the scenario has a fiber layer; the network below stands instead
        drawn = network(edges)
        features = [
            {
                "type": "Feature",
                "properties": {"link_id": str(name)},
                "geometry": {"type": "LineString", "coordinates": line.tolist()},
            }
            for name, line in zip(drawn.edge_id, drawn.line, strict=True)
        ]
        collection = {"type": "FeatureCollection", "features": features}
        (folder / "links.geojson").write_text(json.dumps(collection), encoding="utf-8")
        text["layers"] = {**text["layers"], "fiber_links": {"file": "links.geojson"}}
    path = folder / "sitepick.yaml"
    path.write_text(json.dumps(text), encoding="utf-8")
    prepared = pipeline.prepare(pipeline.load(path))
    if not edges:
        return prepared
    net = network(edges)
    ids = [str(s) for s in prepared.candidates.sites["site_id"]]
    order = [[name for name, *_ in sites].index(s) for s in ids]
    access = FiberAccess(net, attached(net, [where[k] for k in order]), attached(net, []))
    candidates = dataclasses.replace(prepared.candidates, fiber=access)
    return dataclasses.replace(prepared, candidates=candidates)
