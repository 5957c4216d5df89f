"""JSON files, read strictly by ourselves: GeoJSON, and a look at which other dialect it is.

GDAL is not used for JSON: it picks a driver by content, and some of them open other files or
URLs; it reads NaN, text coordinates and broken rings silently.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from sitepick.layers import limits
from sitepick.layers.ofds import is_ofds, ofds_table
from sitepick.layers.shapes import Shapes
from sitepick.layers.table import Refused, Table, no_collecting, object_array


def decode(data: bytes, name: str) -> str:
    """Return ``data`` as text, a UTF-8 byte order mark removed.

    Raises:
        Refused: it is not UTF-8; the message gives the byte and the command that converts.
    """
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Refused(
            f"not UTF-8 at byte {error.start}; convert it: "
            f"`iconv -f WINDOWS-1252 -t UTF-8 {name} > utf8_{name}`"
        ) from None


def parse(data: bytes, name: str) -> Any:
    """Return the JSON value in ``data``; NaN, Infinity and deep nesting are refused."""
    text = decode(data, name)
    try:
        return json.loads(text, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        if error.msg == "Extra data":
            return _sequence(text, error)
        raise Refused(_where(text, error)) from None
    except RecursionError:
        raise Refused("is nested too deep to be map data; it is not read") from None


def _no_constant(word: str) -> Any:
    raise Refused(f"holds {word}, which JSON does not allow; write null for an unknown value")


def _where(text: str, error: json.JSONDecodeError) -> str:
    offset = len(text[: error.pos].encode())
    total = len(text.encode())
    at = f"at byte {offset:,} of {total:,} (line {error.lineno})"
    if error.pos >= len(text.rstrip()) - 1 or error.msg.startswith("Unterminated"):
        whole = text.count('"Feature"')
        return (
            f"the JSON ends in the middle {at}, after about {max(whole - 1, 0):,} whole features; "
            "download incomplete? Download it again"
        )
    return f"is not valid JSON {at}: {error.msg}"


def _sequence(text: str, error: json.JSONDecodeError) -> Any:
    """Read newline-delimited GeoJSON (one feature a line); anything else is not JSON."""
    features = []
    for line in text.replace("\x1e", "").splitlines():
        if not line.strip():
            continue
        try:
            item = json.loads(line, parse_constant=_no_constant)
        except json.JSONDecodeError:
            raise Refused(_where(text, error)) from None
        if not isinstance(item, dict) or item.get("type") != "Feature":
            raise Refused(_where(text, error))
        features.append(item)
    return {"type": "FeatureCollection", "features": features}


def dialect(value: Any) -> str:
    """Return geojson, ofds, overpass, nodelink, topojson or records.

    Raises:
        Refused: the JSON is of another kind, which the message names.
    """
    if isinstance(value, list):
        if value and all(isinstance(item, dict) for item in value):
            return "records"
        raise Refused("is a JSON list without rows; GeoJSON or a list of objects is read")
    if not isinstance(value, dict):
        raise Refused("is JSON, but neither an object nor a list; GeoJSON is read")
    if is_ofds(value):
        return "ofds"
    kind = value.get("type")
    if kind == "Topology":
        return "topojson"
    if kind in ("FeatureCollection", "Feature", "GeometryCollection") or "coordinates" in value:
        return "geojson"
    if isinstance(value.get("elements"), list):
        return "overpass"
    if isinstance(value.get("nodes"), list) and ("edges" in value or "links" in value):
        return "nodelink"
    rows = value.get("features")
    first = rows[0] if isinstance(rows, list) and rows else None
    if "geometryType" in value or (isinstance(first, dict) and "attributes" in first):
        raise Refused(
            "is Esri JSON (ArcGIS `f=json`); ask the service for `f=geojson`, or convert it: "
            "`ogr2ogr -f GeoJSON out.geojson ESRIJSON:FILE`"
        )
    if isinstance(value.get("error"), dict):
        raise Refused("is an error message of a web service, not data; download it again")
    keys = ", ".join(repr(k) for k in list(value)[:6])
    raise Refused(f"is JSON but not GeoJSON: its top-level keys are {keys}")


def geojson_table(value: dict[str, Any]) -> Table:
    """Return the features of a GeoJSON object as a `Table`."""
    if value.get("type") == "Feature":
        features: Any = [value]
    elif value.get("type") == "FeatureCollection":
        features = value.get("features")
    else:
        features = [{"type": "Feature", "properties": {}, "geometry": value}]
    if not isinstance(features, list):
        raise Refused("is a FeatureCollection without a list 'features'")
    if (problem := limits.too_many(len(features))) is not None:
        raise Refused(problem)
    bad = [
        i
        for i, f in enumerate(features)
        if not isinstance(f, dict)
        or (f.get("properties") is not None and not isinstance(f["properties"], dict))
    ]
    if bad:
        raise Refused(f"feature {bad[0]} (of {len(features):,}, from 0) is not a GeoJSON feature")
    shapes = Shapes(len(features))
    shapes.add_all([f.get("geometry") for f in features])
    frame = pd.DataFrame([f.get("properties") or {} for f in features])
    frame.columns = frame.columns.map(str)
    ids = [f.get("id") for f in features]
    if any(i is not None for i in ids):
        frame["@id" if "id" in frame.columns else "id"] = object_array(ids)
    table = Table(
        frame=frame,
        geometry=shapes.geometry,
        number=np.arange(len(features)),
        crs=_legacy_crs(value.get("crs")),
        degrees=value.get("crs") is None,
        licence=str(value.get("licence") or value.get("license") or value.get("attribution") or ""),
        synthetic=value.get("synthetic") is True,
        faults=shapes.faults,
        has_z=shapes.has_z,
        unclosed=shapes.unclosed,
    )
    cut = value.get("exceededTransferLimit") or (
        isinstance(value.get("properties"), dict)
        and value["properties"].get("exceededTransferLimit")
    )
    if cut:
        text = "the map server cut its answer (exceededTransferLimit): fetch the further pages"
        table.remarks.append(("transfer_limit", text, len(features)))
    return table


def _legacy_crs(member: Any) -> str | None:
    """Return the name in a GeoJSON-2008 `crs` member; RFC 7946 dropped it, files still have it."""
    if member is None:
        return None
    name = member.get("properties", {}).get("name") if isinstance(member, dict) else None
    if not isinstance(name, str):
        raise Refused(
            "has a 'crs' member that gives no name; convert it: "
            "`ogr2ogr -t_srs EPSG:4326 -lco RFC7946=YES out.geojson FILE`"
        )
    return name


def records_table(value: list[dict[str, Any]]) -> Table:
    """Return a JSON list of flat objects as a `Table`."""
    if (problem := limits.too_many(len(value))) is not None:
        raise Refused(problem)
    frame = pd.DataFrame(value)
    frame.columns = frame.columns.map(str)
    return Table(frame=frame, geometry=None, number=np.arange(len(value)))


def read_json(data: bytes, path: Path, layer: str | None, role: str) -> Table:
    """Return the table in the JSON ``data``, whichever of the known dialects it is."""
    with no_collecting():
        return _read(parse(data, path.name), layer, role)


def _read(value: Any, layer: str | None, role: str) -> Table:
    kind = dialect(value)
    if kind == "geojson":
        return geojson_table(value)
    if kind == "records":
        return records_table(value)
    if kind == "topojson":
        from sitepick.layers.topojson import topojson_table

        return topojson_table(value, layer)
    if kind == "ofds":
        return ofds_table(value, role)
    from sitepick.layers import dialects

    if kind == "overpass":
        return dialects.overpass_table(value)
    return dialects.nodelink_table(value, links=role == "fiber_links")
