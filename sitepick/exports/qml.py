"""Styles as QGIS writes them (QML): renderers of QGIS 3.18 and later, and labels."""

from __future__ import annotations

import uuid
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from sitepick.exports.sheet import Shape
from sitepick.exports.styles import Class, Style, Symbol

VERSION = "3.22.0"
_RENDERER = {
    "single": "singleSymbol", "category": "categorizedSymbol", "range": "graduatedSymbol",
    "rule": "RuleRenderer",
}  # fmt: skip
_DRAWN: dict[Shape, tuple[str, str, int]] = {
    "Point": ("marker", "SimpleMarker", 0),
    "MultiLineString": ("line", "SimpleLine", 1),
    "MultiPolygon": ("fill", "SimpleFill", 2),
}
_UNITS = {"size_unit": "MM", "line_width_unit": "MM", "outline_width_unit": "MM"}


def qml_text(style: Style, shape: Shape) -> str:
    """Return a style as the text of a QML file."""
    root = Element(
        "qgis",
        version=VERSION,
        styleCategories="Symbology|Labeling",
        labelsEnabled=str(int(bool(style.label))),
    )
    root.append(renderer(style, shape))
    if style.label:
        root.append(labeling(style))
    SubElement(root, "layerGeometryType").text = str(_DRAWN[shape][2])
    indent(root, " ")
    return (
        "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n"
        + tostring(root, encoding="unicode")
        + "\n"
    )


def renderer(style: Style, shape: Shape) -> Element:
    """Return the element ``renderer-v2`` of a style."""
    root = Element(
        "renderer-v2",
        type=_RENDERER[style.how],
        symbollevels="0",
        enableorderby="0",
        forceraster="0",
    )
    if style.how == "category":
        root.set("attr", style.column)
        _categories(SubElement(root, "categories"), style.classes)
    elif style.how == "range":
        root.set("attr", style.column)
        root.set("graduatedMethod", "GraduatedSize")
        _ranges(SubElement(root, "ranges"), style.classes)
    elif style.how == "rule":
        _rules(SubElement(root, "rules", key=_key(style, "")), style)
    symbols = SubElement(root, "symbols")
    for i, one in enumerate(style.classes):
        symbols.append(_symbol(one.symbol, shape, str(i)))
    return root


def _categories(parent: Element, classes: tuple[Class, ...]) -> None:
    for i, one in enumerate(classes):
        SubElement(
            parent, "category", symbol=str(i), value=str(one.value), label=one.label,
            render="true", type="string",
        )  # fmt: skip


def _ranges(parent: Element, classes: tuple[Class, ...]) -> None:
    for i, one in enumerate(classes):
        SubElement(
            parent, "range", symbol=str(i), lower=f"{one.low:.6f}", upper=f"{one.high:.6f}",
            label=one.label, render="true",
        )  # fmt: skip


def _rules(parent: Element, style: Style) -> None:
    for i, one in enumerate(style.classes):
        SubElement(
            parent, "rule", key=_key(style, one.label), symbol=str(i), label=one.label,
            filter=expression(style, one),
        )  # fmt: skip


def expression(style: Style, one: Class) -> str:
    """Return which features are of a class by rule, in the language of QGIS."""
    column = '"' + style.column.replace('"', '""') + '"'
    if one.low is None or one.high is None:
        return f"{column} IS NULL"
    return f"{column} >= {one.low:.12g} AND {column} < {one.high:.12g}"


def _key(style: Style, label: str) -> str:
    """Return the id of a rule: the same in every export."""
    return "{" + str(uuid.uuid5(uuid.NAMESPACE_OID, f"{style.title}/{label}")) + "}"


def _symbol(symbol: Symbol, shape: Shape, name: str) -> Element:
    kind, drawn, _ = _DRAWN[shape]
    root = Element(
        "symbol", type=kind, name=name, alpha="1", clip_to_extent="1", force_rhr="0"
    )  # fmt: skip
    layer = SubElement(root, "layer", {"class": drawn, "enabled": "1", "pass": "0", "locked": "0"})
    options = SubElement(layer, "Option", type="Map")
    for key, value in {**_look(symbol, shape), **_UNITS}.items():
        SubElement(options, "Option", name=key, value=value, type="QString")
    return root


def _look(symbol: Symbol, shape: Shape) -> dict[str, str]:
    if shape == "Point":
        return {
            "name": symbol.mark,
            "color": _rgba(symbol.colour, symbol.opacity),
            # a cross is all outline
            "outline_color": _rgba(symbol.colour if symbol.mark == "cross" else symbol.outline),
            "outline_style": "solid",
            "outline_width": "0.4" if symbol.mark == "cross" else "0.2",
            "size": f"{symbol.size_mm:g}",
        }
    if shape == "MultiLineString":
        return {
            "line_color": _rgba(symbol.colour),
            "line_width": f"{symbol.size_mm:g}",
            "line_style": "dash" if symbol.dashed else "solid",
            "capstyle": "round",
            "joinstyle": "round",
        }
    return {
        "color": _rgba(symbol.colour, symbol.opacity),
        "style": "solid" if symbol.opacity > 0 else "no",
        "outline_color": _rgba(symbol.outline),
        "outline_style": "solid",
        "outline_width": f"{symbol.size_mm:g}",
        "joinstyle": "round",
    }


def _rgba(colour: str, opacity: float = 1.0) -> str:
    parts = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
    return ",".join(map(str, [*parts, round(255 * opacity)]))


def labeling(style: Style) -> Element:
    """Return the element ``labeling``: a column beside each feature, with a white rim."""
    root = Element("labeling", type="simple")
    settings = SubElement(root, "settings", calloutType="simple")
    text = SubElement(
        settings, "text-style", fieldName=style.label, isExpression="0", fontSize="8",
        fontSizeUnit="Point", textColor="27,31,36,255", textOpacity="1",
    )  # fmt: skip
    SubElement(
        text, "text-buffer", bufferDraw="1", bufferSize="0.8", bufferSizeUnits="MM",
        bufferColor="255,255,255,255", bufferOpacity="1",
    )  # fmt: skip
    SubElement(
        settings, "placement", placement="6", dist="1", distUnits="MM", layerType="PointGeometry"
    )
    SubElement(settings, "rendering", obstacle="1", displayAll="0", drawLabels="1")
    return root
