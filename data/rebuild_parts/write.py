"""Writes tables and GeoJSON with the same bytes on every run."""

from __future__ import annotations

import gzip
import io
import json
import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

DATA = Path(__file__).resolve().parent.parent


def write_bytes(name: str, content: bytes) -> None:
    """Write ``data/name``; gzip without a time or a name inside where it ends in ``.gz``."""
    path = DATA / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if name.endswith(".gz"):
        packed = io.BytesIO()
        with gzip.GzipFile(filename="", mode="wb", compresslevel=9, fileobj=packed, mtime=0) as out:
            out.write(content)
        content = packed.getvalue()
    path.write_bytes(content)


def write_csv(name: str, frame: pd.DataFrame, decimals: Mapping[str, int] | None = None) -> None:
    """Write a table; ``decimals`` rounds number columns, trailing zeros are dropped."""
    text = frame.copy()
    for column, digits in (decimals or {}).items():
        text[column] = [number_text(value, digits) for value in frame[column]]
    write_bytes(name, text.to_csv(index=False, lineterminator="\n").encode())


def number_text(value: float, digits: int) -> str:
    """Shortest text of a number rounded to ``digits`` decimals; empty for NaN."""
    if math.isnan(value):
        return ""
    text = f"{value:.{digits}f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def rounded(value: float, digits: int) -> float | int | None:
    """A number for JSON: rounded, whole numbers without a point, null for NaN."""
    if math.isnan(value):
        return None
    result = round(float(value), digits)
    return int(result) if result == int(result) else result


def text_or_null(value: Any) -> str | None:
    """Text for JSON, null for a missing value."""
    return None if pd.isna(value) else str(value)


def point(lon: float, lat: float, digits: int = 4) -> dict[str, Any]:
    """GeoJSON point in lon/lat degrees."""
    return {"type": "Point", "coordinates": [round(lon, digits), round(lat, digits)]}


def feature(properties: Mapping[str, Any], geometry: Mapping[str, Any]) -> dict[str, Any]:
    """GeoJSON feature."""
    return {"type": "Feature", "properties": dict(properties), "geometry": dict(geometry)}


def write_geojson(name: str, features: Iterable[Mapping[str, Any]], **about: str) -> int:
    """Write an RFC 7946 collection, one feature per line; returns the number of features.

    ``about`` (attribution, notice) becomes foreign members beside the features.
    """
    layer = Path(name).name.split(".")[0]
    head = {"type": "FeatureCollection", "name": layer, **about}
    start = json.dumps(head, ensure_ascii=False)[:-1] + ', "features": [\n'
    lines = [
        json.dumps(item, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        for item in features
    ]
    write_bytes(name, (start + ",\n".join(lines) + "\n]}\n").encode())
    return len(lines)
