"""Styles as Styled Layer Descriptors 1.1 (SLD), for GeoServer, GeoTools and others."""

from __future__ import annotations

from xml.etree.ElementTree import Element, SubElement, indent, register_namespace, tostring

from sitepick.exports.sheet import Shape
from sitepick.exports.styles import Class, Style, Symbol

_SLD = "http://www.opengis.net/sld"
_SE = "http://www.opengis.net/se"
_OGC = "http://www.opengis.net/ogc"
_PIXEL_PER_MM = 96 / 25.4
"""SLD counts in pixels of 0.26 mm."""


def sld_text(name: str, style: Style, shape: Shape) -> str:
    """Return the style of the layer ``name`` as the text of an SLD file."""
    register_namespace("sld", _SLD)
    register_namespace("se", _SE)
    register_namespace("ogc", _OGC)
    root = Element(f"{{{_SLD}}}StyledLayerDescriptor", version="1.1.0")
    layer = SubElement(root, f"{{{_SLD}}}NamedLayer")
    _text(layer, "Name", name)
    user = SubElement(layer, f"{{{_SLD}}}UserStyle")
    _text(user, "Name", name)
    rules = SubElement(user, f"{{{_SE}}}FeatureTypeStyle")
    for one in style.classes:
        rule = SubElement(rules, f"{{{_SE}}}Rule")
        _text(rule, "Name", one.label)
        _text(SubElement(rule, f"{{{_SE}}}Description"), "Title", one.label)
        if style.how != "single":
            _filter(SubElement(rule, f"{{{_OGC}}}Filter"), style, one)
        _DRAW[shape](rule, one.symbol)
    indent(root, " ")
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(root, encoding="unicode") + "\n"


def _filter(parent: Element, style: Style, one: Class) -> None:
    if style.how == "category":
        _compare(parent, "PropertyIsEqualTo", style.column, str(one.value))
    elif one.low is None or one.high is None:
        null = SubElement(parent, f"{{{_OGC}}}PropertyIsNull")
        SubElement(null, f"{{{_OGC}}}PropertyName").text = style.column
    else:
        both = SubElement(parent, f"{{{_OGC}}}And")
        _compare(both, "PropertyIsGreaterThanOrEqualTo", style.column, f"{one.low:.12g}")
        _compare(both, "PropertyIsLessThan", style.column, f"{one.high:.12g}")


def _compare(parent: Element, how: str, column: str, value: str) -> None:
    test = SubElement(parent, f"{{{_OGC}}}{how}")
    SubElement(test, f"{{{_OGC}}}PropertyName").text = column
    SubElement(test, f"{{{_OGC}}}Literal").text = value


def _mark(rule: Element, symbol: Symbol) -> None:
    graphic = SubElement(
        SubElement(rule, f"{{{_SE}}}PointSymbolizer"), f"{{{_SE}}}Graphic"
    )  # fmt: skip
    mark = SubElement(graphic, f"{{{_SE}}}Mark")
    # SLD knows no diamond
    shape = {"diamond": "square"}.get(symbol.mark, symbol.mark)
    _text(mark, "WellKnownName", shape)
    _fill(mark, symbol)
    _stroke(mark, symbol.colour if symbol.mark == "cross" else symbol.outline, 0.2)
    _text(graphic, "Size", f"{symbol.size_mm * _PIXEL_PER_MM:.1f}")
    if symbol.mark == "diamond":
        _text(graphic, "Rotation", "45")


def _line(rule: Element, symbol: Symbol) -> None:
    line = SubElement(rule, f"{{{_SE}}}LineSymbolizer")
    _stroke(line, symbol.colour, symbol.size_mm, dashed=symbol.dashed)


def _area(rule: Element, symbol: Symbol) -> None:
    area = SubElement(rule, f"{{{_SE}}}PolygonSymbolizer")
    if symbol.opacity > 0:
        _fill(area, symbol)
    _stroke(area, symbol.outline, symbol.size_mm)


_DRAW = {"Point": _mark, "MultiLineString": _line, "MultiPolygon": _area}


def _fill(parent: Element, symbol: Symbol) -> None:
    fill = SubElement(parent, f"{{{_SE}}}Fill")
    _parameter(fill, "fill", symbol.colour)
    _parameter(fill, "fill-opacity", f"{symbol.opacity:g}")


def _stroke(parent: Element, colour: str, width_mm: float, *, dashed: bool = False) -> None:
    stroke = SubElement(parent, f"{{{_SE}}}Stroke")
    _parameter(stroke, "stroke", colour)
    _parameter(stroke, "stroke-width", f"{width_mm * _PIXEL_PER_MM:.2f}")
    if dashed:
        _parameter(stroke, "stroke-dasharray", "4 3")


def _parameter(parent: Element, name: str, value: str) -> None:
    SubElement(parent, f"{{{_SE}}}SvgParameter", name=name).text = value


def _text(parent: Element, name: str, text: str) -> None:
    SubElement(parent, f"{{{_SE}}}{name}").text = text
