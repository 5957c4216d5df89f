"""TopoJSON decoded to plain geometries."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from sitepick.layers.shapes import Shapes
from sitepick.layers.table import Refused, Table, object_array


def topojson_table(value: dict[str, Any], layer: str | None) -> Table:
    """Return one object of a topology as a `Table`.

    Raises:
        Refused: the file holds several objects and ``layer`` names none of them, or it is broken.
    """
    objects = value.get("objects")
    if not isinstance(objects, dict) or not objects:
        raise Refused("is TopoJSON without any object")
    if layer is None and len(objects) > 1:
        raise Refused(f"is TopoJSON with several objects; add `layer:`, one of {list(objects)}")
    name = layer or next(iter(objects))
    if name not in objects:
        raise Refused(f"is TopoJSON without an object {name!r}; it has {list(objects)}")
    try:
        arcs = _arcs(value)
        top = objects[name]
        items = top["geometries"] if top.get("type") == "GeometryCollection" else [top]
        geometries = [_geometry(item, arcs, value.get("transform")) for item in items]
    except (KeyError, TypeError, ValueError, IndexError):
        raise Refused(
            "is TopoJSON that does not decode; convert it: "
            f"`ogr2ogr -f GeoJSON out.geojson FILE {name}`"
        ) from None
    shapes = Shapes(len(items))
    shapes.add_all(geometries)
    frame = pd.DataFrame([item.get("properties") or {} for item in items])
    ids = [item.get("id") for item in items]
    if any(i is not None for i in ids):
        frame["@id" if "id" in frame.columns else "id"] = object_array(ids)
    table = Table(
        frame=frame,
        geometry=shapes.geometry,
        number=np.arange(len(items)),
        faults=shapes.faults,
        unclosed=shapes.unclosed,
    )
    table.remarks.append(
        ("topojson", f"decoded object '{name}' of a TopoJSON file, {len(items):,} features", 0)
    )
    return table


def _arcs(value: dict[str, Any]) -> list[list[list[float]]]:
    transform = value.get("transform")
    out = []
    for arc in value["arcs"]:
        xy = np.asarray(arc, dtype=float)[:, :2]
        if transform:  # quantised arcs are deltas
            xy = np.cumsum(xy, axis=0) * transform["scale"] + transform["translate"]
        out.append(xy.tolist())
    return out


def _geometry(item: dict[str, Any], arcs: list[Any], transform: Any) -> dict[str, Any] | None:
    kind = item.get("type")
    if kind is None:
        return None

    def line(indices: list[int]) -> list[list[float]]:
        joined: list[list[float]] = []
        for index in indices:
            part = arcs[index] if index >= 0 else arcs[~index][::-1]
            joined.extend(part[1:] if joined else part)
        return joined

    def position(at: list[float]) -> list[float]:
        if not transform:
            return list(at)
        scale, shift = transform["scale"], transform["translate"]
        return [at[0] * scale[0] + shift[0], at[1] * scale[1] + shift[1]]

    if kind == "Point":
        coords: Any = position(item["coordinates"])
    elif kind == "MultiPoint":
        coords = [position(at) for at in item["coordinates"]]
    elif kind == "LineString":
        coords = line(item["arcs"])
    elif kind == "MultiLineString":
        coords = [line(part) for part in item["arcs"]]
    elif kind == "Polygon":
        coords = _with_area([line(ring) for ring in item["arcs"]])
    elif kind == "MultiPolygon":
        parts = [_with_area([line(ring) for ring in polygon]) for polygon in item["arcs"]]
        coords = [p for p in parts if p]
    else:
        raise ValueError(kind)
    return {"type": kind, "coordinates": coords}


def _with_area(rings: list[list[list[float]]]) -> list[list[list[float]]]:
    """Leave out rings that quantising made into less than a triangle."""
    kept = [ring for ring in rings if len(ring) >= 4]
    return kept if len(rings[0]) >= 4 else []
