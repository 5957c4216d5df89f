"""KML 2.2 for Google Earth and web maps: one folder a layer, columns as typed extended data."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from sitepick.exports.csv_out import cell_text
from sitepick.exports.geometry import rounded
from sitepick.exports.sheet import Kind, Row, Sheet
from sitepick.exports.styles import LAYERS, Class, Style, style_of

_TYPE: dict[Kind, str] = {
    "text": "string", "json": "string", "date": "string", "number": "double", "integer": "int",
    "boolean": "bool",
}  # fmt: skip
_PIXEL_PER_MM = 96 / 25.4
_ICON = "http://maps.google.com/mapfiles/kml/shapes/placemark_circle.png"


def kml_text(sheets: Sequence[Sheet]) -> str:
    """Return all sheets with geometry as one KML document; what the run is, as its own data."""
    root = Element("kml", xmlns="http://www.opengis.net/kml/2.2")
    document = SubElement(root, "Document")
    info = [r for s in sheets if s.name == "run_info" for r in s.rows]
    told = {r["item"]: r["value"] for r in info}
    SubElement(document, "name").text = str(told.get("scenario") or "plan")
    SubElement(document, "open").text = "1"
    SubElement(document, "description").text = "\n".join(f"{r['item']}: {r['value']}" for r in info)
    order = {name: i for i, name in enumerate(LAYERS)}
    maps = sorted(
        (s for s in sheets if s.shape is not None), key=lambda s: order.get(s.name, len(order))
    )
    for sheet in maps:
        _styles(document, sheet)
    for sheet in maps:
        _schema(document, sheet)
    for sheet in maps:
        _folder(document, sheet)
    indent(root, " ")
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(root, encoding="unicode") + "\n"


def write_kml(sheets: Sequence[Sheet], path: Path) -> None:
    """Write all sheets with geometry as one KML file."""
    path.write_text(kml_text(sheets), encoding="utf-8", newline="")


def _styles(document: Element, sheet: Sheet) -> None:
    style = style_of(sheet)
    assert style is not None
    for i, one in enumerate(style.classes):
        symbol = one.symbol
        root = SubElement(document, "Style", id=f"{sheet.name}_{i}")
        if sheet.shape == "Point":
            icon = SubElement(root, "IconStyle")
            SubElement(icon, "color").text = _colour(symbol.colour, 1.0)
            SubElement(icon, "scale").text = f"{0.2 + symbol.size_mm / 6:.2f}"
            SubElement(SubElement(icon, "Icon"), "href").text = _ICON
            SubElement(SubElement(root, "LabelStyle"), "scale").text = "0.7" if style.label else "0"
            continue
        line = SubElement(root, "LineStyle")
        lined = symbol.colour if sheet.shape == "MultiLineString" else symbol.outline
        SubElement(line, "color").text = _colour(lined, 1.0)
        SubElement(line, "width").text = f"{symbol.size_mm * _PIXEL_PER_MM:.2f}"
        if sheet.shape == "MultiPolygon":
            area = SubElement(root, "PolyStyle")
            SubElement(area, "color").text = _colour(symbol.colour, symbol.opacity)


def _schema(document: Element, sheet: Sheet) -> None:
    schema = SubElement(document, "Schema", name=sheet.name, id=f"schema_{sheet.name}")
    for field in sheet.fields:
        one = SubElement(schema, "SimpleField", name=field.name, type=_TYPE[field.kind])
        if field.unit:
            SubElement(one, "displayName").text = f"{field.name} ({field.unit})"


def _folder(document: Element, sheet: Sheet) -> None:
    folder = SubElement(document, "Folder", id=sheet.name)
    SubElement(folder, "name").text = sheet.name
    SubElement(folder, "description").text = sheet.meaning
    style = style_of(sheet)
    assert style is not None
    if not style.shown:
        SubElement(folder, "visibility").text = "0"
    first = sheet.fields[0].name
    for row, shape in zip(sheet.rows, sheet.geometry or (), strict=True):
        place = SubElement(folder, "Placemark")
        SubElement(place, "name").text = str(row.get("name") or row[first] or "")
        if not style.shown:
            SubElement(place, "visibility").text = "0"
        at = _class_of(style, row)
        if at is not None:
            SubElement(place, "styleUrl").text = f"#{sheet.name}_{at}"
        data = SubElement(place, "ExtendedData")
        data = SubElement(data, "SchemaData", schemaUrl=f"#schema_{sheet.name}")
        for field in sheet.fields:
            value = row[field.name]
            if value is not None:
                value = int(value) if field.kind == "boolean" else value  # readers expect 1 and 0
                SubElement(data, "SimpleData", name=field.name).text = cell_text(value)
        if shape is not None:
            _geometry(place, shape["type"], rounded(shape["coordinates"]))


def _class_of(style: Style, row: Row) -> int | None:
    """Return the index of the class that a row is drawn as; None: of no class."""
    value = row.get(style.column)
    return next((i for i, one in enumerate(style.classes) if _is_of(style, one, value)), None)


def _is_of(style: Style, one: Class, value: Any) -> bool:
    if style.how == "single":
        return True
    if style.how == "category":
        return bool(value == one.value)
    if one.low is None or one.high is None:
        return value is None
    return value is not None and one.low <= value < one.high


def _geometry(parent: Element, kind: str, coordinates: Any) -> None:
    if kind.startswith("Multi"):
        many = SubElement(parent, "MultiGeometry")
        for part in coordinates:
            _geometry(many, kind.removeprefix("Multi"), part)
        return
    shape = SubElement(parent, kind)
    if kind == "Polygon":
        for i, ring in enumerate(coordinates):
            edge = SubElement(shape, "innerBoundaryIs" if i else "outerBoundaryIs")
            _coordinates(SubElement(edge, "LinearRing"), ring)
    else:
        _coordinates(shape, [coordinates] if kind == "Point" else coordinates)


def _coordinates(parent: Element, points: Iterable[list[float]]) -> None:
    SubElement(parent, "coordinates").text = " ".join(f"{p[0]!r},{p[1]!r}" for p in points)


def _colour(colour: str, opacity: float) -> str:
    """Return aabbggrr, as KML writes colours."""
    return f"{round(255 * opacity):02x}{colour[5:7]}{colour[3:5]}{colour[1:3]}"
