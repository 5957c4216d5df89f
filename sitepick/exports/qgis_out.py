"""A QGIS project beside a GeoPackage: opens styled, finds its data wherever the folder goes.

Written as XML for QGIS 3.18 and later; no path but ``./plan.gpkg``, no clock and no chance in it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from sitepick.exports.geometry import bounds
from sitepick.exports.qml import VERSION, labeling, renderer
from sitepick.exports.sheet import Sheet
from sitepick.exports.styles import LAYERS, TABLES, style_of, title_of

PROJECT, DATA = "plan.qgs", "plan.gpkg"
_FRAMED = ("sites", "candidates", "links")
"""Layers that the map opens on; lines and fiber may reach far beyond."""
_MARGIN = 0.05
_WORLD = (-180.0, -90.0, 180.0, 90.0)
_GEOMETRY = {"Point": "Point", "MultiLineString": "Line", "MultiPolygon": "Polygon"}


def project_text(sheets: Sequence[Sheet]) -> str:
    """Return a QGIS project of the sheets, which are tables of the GeoPackage beside it."""
    order = {name: i for i, name in enumerate((*LAYERS, *TABLES))}
    ordered = sorted(sheets, key=lambda s: (order.get(s.name, len(order)), s.name))
    maps = [s for s in ordered if s.shape is not None]
    tables = [s for s in ordered if s.shape is None]
    name = _name(sheets)
    root = Element("qgis", projectname=name, version=VERSION)
    SubElement(root, "homePath", path="")
    SubElement(root, "title").text = name
    SubElement(root, "projectCrs").append(_wgs84())
    _tree(root, name, maps, tables)
    _canvas(SubElement(root, "mapcanvas", name="theMapCanvas", annotationsVisible="1"), maps)
    layers = SubElement(root, "projectlayers")
    for sheet in ordered:
        layers.append(_layer(sheet))
    drawn = SubElement(root, "layerorder")
    for sheet in maps:
        SubElement(drawn, "layer", id=_id(sheet))
    _properties(SubElement(root, "properties"))
    indent(root, " ")
    return (
        "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n"
        + tostring(root, encoding="unicode")
        + "\n"
    )


def write_project(sheets: Sequence[Sheet], path: Path) -> None:
    """Write the project of the sheets."""
    path.write_text(project_text(sheets), encoding="utf-8", newline="")


def _name(sheets: Sequence[Sheet]) -> str:
    """Return the name of the scenario, with the warning on synthetic input."""
    info = {r["item"]: r["value"] for s in sheets if s.name == "run_info" for r in s.rows}
    name = " ".join(str(info.get("scenario") or "plan").split())
    synthetic = info.get("synthetic", "no") != "no"
    return f"{name} (SYNTHETIC input: MW are not real headroom)" if synthetic else name


def _id(sheet: Sheet) -> str:
    return f"{sheet.name}_{hashlib.sha256(sheet.name.encode()).hexdigest()[:16]}"


def _source(sheet: Sheet) -> str:
    return f"./{DATA}|layername={sheet.name}"


def _tree(root: Element, name: str, maps: list[Sheet], tables: list[Sheet]) -> None:
    top = SubElement(root, "layer-tree-group")
    SubElement(top, "customproperties")
    for group, sheets in ((f"Plan: {name}", maps), ("Tables", tables)):
        here = SubElement(
            top, "layer-tree-group", name=group, checked="Qt::Checked",
            expanded=str(int(sheets is maps)),
        )  # fmt: skip
        for sheet in sheets:
            style = style_of(sheet)
            SubElement(
                here, "layer-tree-layer", id=_id(sheet), name=title_of(sheet.name),
                source=_source(sheet), providerKey="ogr", legend_exp="",
                checked="Qt::Checked" if style is None or style.shown else "Qt::Unchecked",
                expanded=str(int(style is not None and style.how != "single" and style.shown)),
            )  # fmt: skip


def _canvas(canvas: Element, maps: list[Sheet]) -> None:
    SubElement(canvas, "units").text = "degrees"
    _extent(canvas, _framed(maps))
    SubElement(canvas, "rotation").text = "0"
    SubElement(canvas, "destinationsrs").append(_wgs84())


def _framed(maps: list[Sheet]) -> tuple[float, float, float, float]:
    """Return what the map opens on: sites, candidates and ties; else all there is; a margin."""
    shapes = [g for s in maps if s.name in _FRAMED for g in s.geometry or ()]
    box = bounds(shapes) or bounds(g for s in maps for g in s.geometry or ())
    if box is None:
        return _WORLD
    west, south, east, north = box
    x, y = ((b - a) * _MARGIN or _MARGIN for a, b in ((west, east), (south, north)))
    return west - x, max(south - y, -90.0), east + x, min(north + y, 90.0)


def _extent(parent: Element, box: tuple[float, float, float, float]) -> None:
    extent = SubElement(parent, "extent")
    for name, value in zip(("xmin", "ymin", "xmax", "ymax"), box, strict=True):
        SubElement(extent, name).text = f"{value:.6f}"


def _layer(sheet: Sheet) -> Element:
    style = style_of(sheet)
    layer = Element("maplayer", type="vector")
    if style is None or sheet.shape is None:
        layer.set("geometry", "No geometry")
    else:
        layer.set("geometry", _GEOMETRY[sheet.shape])
        layer.set("labelsEnabled", str(int(bool(style.label))))
    SubElement(layer, "id").text = _id(sheet)
    SubElement(layer, "datasource").text = _source(sheet)
    SubElement(layer, "layername").text = title_of(sheet.name)
    SubElement(layer, "abstract").text = sheet.meaning
    srs = SubElement(layer, "srs")
    if sheet.shape is not None:
        srs.append(_wgs84())
    SubElement(layer, "provider", encoding="UTF-8").text = "ogr"
    if style is not None and sheet.shape is not None:
        layer.append(renderer(style, sheet.shape))
        if style.label:
            layer.append(labeling(style))
    aliases = SubElement(layer, "aliases")
    for i, field in enumerate(sheet.fields, start=1):  # 0 is fid
        named = f"{field.name} ({field.unit})" if field.unit else ""
        SubElement(aliases, "alias", field=field.name, index=str(i), name=named)
    columns = {f.name for f in sheet.fields}
    shown = next((c for c in ("name", "site_id", "poi_id") if c in columns), None)
    if shown:
        SubElement(layer, "previewExpression").text = f'"{shown}"'
    return layer


def _wgs84() -> Element:
    srs = Element("spatialrefsys")
    for name, text in (
        ("proj4", "+proj=longlat +datum=WGS84 +no_defs"),
        ("srsid", "3452"), ("srid", "4326"), ("authid", "EPSG:4326"),
        ("description", "WGS 84"), ("projectionacronym", "longlat"),
        ("ellipsoidacronym", "EPSG:7030"), ("geographicflag", "true"),
    ):  # fmt: skip
        SubElement(srs, name).text = text
    return srs


def _properties(root: Element) -> None:
    paths = SubElement(root, "Paths")
    SubElement(paths, "Absolute", type="bool").text = "false"
    projections = SubElement(root, "SpatialRefSys")
    SubElement(projections, "ProjectionsEnabled", type="int").text = "1"  # else the CRS is not read
    measure = SubElement(root, "Measure")
    SubElement(measure, "Ellipsoid", type="QString").text = "EPSG:7030"
