"""The map's legend as HTML: a box to hide each group, and its symbols as small drawings."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from sitepick.report import colours

if TYPE_CHECKING:
    from sitepick.report.places import PlanMap

_DASHED = f'stroke="{colours.INK}" stroke-width="2.5" stroke-dasharray="5 3"'
_SHAPES = {
    "circle": '<circle cx="8" cy="8" r="6" {}/>',
    "square": '<rect x="2" y="2" width="12" height="12" {}/>',
    "diamond": '<path d="M8 1L14 8L8 15L2 8Z" {}/>',
    "triangle": '<path d="M8 2L15 14H1Z" {}/>',
    "inverted_triangle": '<path d="M8 14L15 2H1Z" {}/>',
    "hex": '<path d="M4 1H12L16 8L12 15H4L0 8Z" {}/>',
    "star": '<path d="M8 1L10 6H15L11 9.5L12.5 15L8 11.5L3.5 15L5 9.5L1 6H6Z" {}/>',
    "x": '<path d="M3 3L13 13M13 3L3 13" {}/>',
    "line": '<path d="M0 8H16" {}/>',
}


def legend_items(found: PlanMap) -> list[str]:
    """Return the items of the legend, for the groups that the map has."""
    out: list[str] = []
    if found.sites["id"]:
        out.append(_group("sites", "sites, area by IT MW, numbered as below", ""))
        used = sorted({h for of in found.hall_indices() for h in of if h >= 0})
        for h in used:
            fill = f'fill="{colours.LAYERS[h % 8]}" stroke="{colours.INK}"'
            out.append(_sub(_symbol(colours.MARKERS[h % 7], fill), f"mostly {found.halls[h]}"))
    if found.ties:
        out.append(_group("ties", "ties to their POIs", _line(colours.TIE, 2)))
    looks = colours.link_looks(found.links.get("service", ()))
    if looks:
        out.append(_group("links", "links over fiber", ""))
        out += [_sub(_line(c, width), service) for service, (c, width) in looks.items()]
        if any(found.links["partner"]):
            out.append(_sub(_symbol("line", _DASHED), "second route, no edge in common"))
    if found.limiting:
        out.append(_group("limiting", "branches that limit", _line(colours.LIMITING, 4)))
    verdicts = set(found.candidates["verdict"])
    for name, (words, marker, fill, line) in reversed(colours.VERDICTS.items()):
        if name in verdicts:
            style = f'fill="{fill}" stroke="{line}" stroke-width="1.5"'
            out.append(_group(name, words, _symbol(marker, style)))
    if found.substations["id"]:
        out.append(_group("substations", "substations, by load headroom", ""))
        classes = {colours.headroom_class(mw) for mw in found.substations["headroom_mw"]}
        for c in sorted(classes):
            _, words, colour = colours.HEADROOM[c]
            fill = f'fill="{colour}" stroke="#5a2a77"'
            out.append(_sub(_symbol("square", fill), words))
    if found.lines:
        out.append(_group("lines", "lines", ""))
        for i, (label, _) in enumerate(found.lines):
            width = (3, 2.4, 1.8, 1.2, 1, 1)[min(i, 5)]
            out.append(_sub(_line(colours.LINES[min(i, 5)], width), label))
    if found.fiber:
        dots = f'stroke="{colours.FIBER}" stroke-width="2.5" stroke-dasharray="2 2"'
        out.append(_group("fiber", "fiber", _symbol("line", dots)))
    if found.cities["name"]:
        dot = f'fill="#ffffff" stroke="{colours.INK}"'
        out.append(_group("cities", "cities", _symbol("circle", dot)))
    if found.exclusions:
        fill = f'fill="{colours.EXCLUDED}" fill-opacity="0.4" stroke="{colours.EXCLUDED}"'
        out.append(_group("exclusions", "excluded areas", _symbol("square", fill)))
    return out


def _group(name: str, words: str, symbol: str) -> str:
    box = f'<input type="checkbox" data-group="{name}" checked>'
    return f"<li><label>{box}{symbol}{escape(words)}</label></li>"


def _sub(symbol: str, words: str) -> str:
    return f'<li class="sub">{symbol}{escape(words)}</li>'


def _symbol(shape: str, style: str) -> str:
    return f'<svg width="16" height="16" aria-hidden="true">{_SHAPES[shape].format(style)}</svg>'


def _line(colour: str, width: float) -> str:
    return _symbol("line", f'stroke="{colour}" stroke-width="{width}"')
