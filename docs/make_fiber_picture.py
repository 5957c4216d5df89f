"""Draw the groups of a run: `python docs/make_fiber_picture.py RUN docs/fiber-texas.svg`.

State outline, fiber routes of the layer, links along their routes (dashed: the second route of a
link that survives a cut), members with their IT MW at the horizon's end.
"""

from __future__ import annotations

import json
import math
import sys
from collections import defaultdict
from html import escape
from itertools import pairwise
from pathlib import Path

from make_picture import rings

from sitepick.bundled import data_dir
from sitepick.exports.formats import folder_sheets
from sitepick.exports.sheet import Row, Sheet

WIDTH, HEIGHT, MARGIN = 900, 800, 30
COLOURS = ("#cc79a7", "#0072b2", "#e69f00", "#009e73")
FAINT, INK = "#b9c9bf", "#1b1f24"


class Frame:
    """Where a place of Texas is on the picture."""

    def __init__(self, outline: list[list[list[float]]]) -> None:
        lons = [p[0] for ring in outline for p in ring]
        lats = [p[1] for ring in outline for p in ring]
        self.west, self.south = min(lons), min(lats)
        self.squeeze = math.cos(math.radians((min(lats) + max(lats)) / 2))
        self.scale = min(
            (WIDTH - 2 * MARGIN) / ((max(lons) - min(lons)) * self.squeeze),
            (HEIGHT - 2 * MARGIN) / (max(lats) - min(lats)),
        )

    def at(self, lon: float, lat: float) -> tuple[float, float]:
        """Return x and y of a place."""
        x = MARGIN + (lon - self.west) * self.squeeze * self.scale
        return x, HEIGHT - MARGIN - (lat - self.south) * self.scale

    def path(self, line: list[list[float]]) -> str:
        """Return a line as the points of a polyline, those beyond a margin left out."""
        points = [self.at(*p[:2]) for p in line]
        kept = [
            p for k, p in enumerate(points)
            if any(-WIDTH < x < 2 * WIDTH and -HEIGHT < y < 2 * HEIGHT
                   for x, y in points[max(0, k - 1) : k + 2])
        ]  # fmt: skip
        return " ".join(f"{x:.1f},{y:.1f}" for x, y in kept)


def draw(run: Path) -> str:
    """Return the SVG text of the groups of a run."""
    sheets = {sheet.name: sheet for sheet in folder_sheets(run)}
    states = json.loads((data_dir() / "us_states.geojson").read_text(encoding="utf-8"))
    texas = next(f for f in states["features"] if f["properties"]["postal"] == "TX")
    outline = rings(texas["geometry"])
    frame = Frame(outline)
    groups = sorted({row["group"] for row in sheets["campus_groups"].rows})
    colour = dict(zip(groups, COLOURS, strict=False))
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        'font-family="sans-serif" font-size="14">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
    ]
    for ring in outline:
        out.append(f'<polygon points="{frame.path(ring)}" fill="#f4f1ea" stroke="#999"/>')
    for line in _lines(sheets["fiber"]):
        path = frame.path(line)
        if path.count(",") > 1:
            out.append(f'<polyline points="{path}" fill="none" stroke="{FAINT}"/>')
    out += _links(sheets["fiber_links"], frame, colour)
    out += _members(sheets, frame, colour)
    out += _legend(sheets["campus_groups"], colour)
    return "\n".join([*out, "</svg>"]) + "\n"


def _lines(sheet: Sheet) -> list[list[list[float]]]:
    return [line for shape in sheet.geometry or () if shape for line in shape["coordinates"]]


def _links(sheet: Sheet, frame: Frame, colour: dict[str, str]) -> list[str]:
    out, labels = [], []
    for row, shape in zip(sheet.rows, sheet.geometry or (), strict=True):
        if shape is None or row["service"] not in colour:
            continue
        second = row["disjoint_link_id"] and row["route"] > 1
        dash = ' stroke-dasharray="12 7"' if second else ""
        points = [p for line in shape["coordinates"] for p in line]
        out.append(
            f'<polyline points="{frame.path(points)}" fill="none" '
            f'stroke="{colour[row["service"]]}" stroke-width="4.5"{dash}/>'
        )
        x, y = _middle([frame.at(*p[:2]) for p in points])
        text = f"{row['route_km']:,.0f} km, {row['rtt_ms']:.1f} ms, {row['tbps']:.2f} Tb/s"
        labels.append(_label(x, y - 10, text, colour[row["service"]], "middle"))
    return [*out, *labels]


def _middle(points: list[tuple[float, float]]) -> tuple[float, float]:
    """Return the point half the way along a line."""
    steps = [math.dist(a, b) for a, b in pairwise(points)]
    left = sum(steps) / 2
    for (a, b), step in zip(pairwise(points), steps, strict=True):
        if left <= step:
            share = left / step if step else 0.0
            return a[0] + share * (b[0] - a[0]), a[1] + share * (b[1] - a[1])
        left -= step
    return points[-1]


def _label(x: float, y: float, text: str, colour: str, anchor: str = "start") -> str:
    halo = 'stroke="white" stroke-width="4" paint-order="stroke" stroke-linejoin="round"'
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}" '
        f'font-weight="bold" {halo}>{escape(text)}</text>'
    )


def _members(sheets: dict[str, Sheet], frame: Frame, colour: dict[str, str]) -> list[str]:
    """Draw the members as circles by IT MW, and their names in a list beside their node."""
    places = {row["site_id"]: row for row in sheets["sites"].rows}
    rows = sheets["campus_members"].rows
    last = max(row["period"] for row in rows)
    at_node: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        if row["period"] == last:
            at_node[row["node"]].append(row)
    circles, labels = [], []
    for node in sorted(at_node):
        spots = []
        for row in sorted(at_node[node], key=lambda r: (-r["it_mw"], r["site_id"])):
            place = places[row["site_id"]]
            x, y = frame.at(place["lon"], place["lat"])
            spots.append((x, y))
            circles.append(
                f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{0.9 * math.sqrt(row["it_mw"]):.1f}" '
                f'fill="{colour[row["group"]]}" fill-opacity="0.55" stroke="{INK}"/>'
            )
        west = spots[0][0] < WIDTH / 2
        x = min(p[0] for p in spots) - 22 if west else max(p[0] for p in spots) + 22
        y = min(p[1] for p in spots) - 16 * len(spots) / 2
        for k, row in enumerate(sorted(at_node[node], key=lambda r: (r["group"], -r["it_mw"]))):
            text = f"{row['name']}, {row['it_mw']:,.0f} IT MW"
            anchor = "end" if west else "start"
            labels.append(_label(x, y + 16 * k, text, colour[row["group"]], anchor))
    return [*circles, *labels]


def _legend(sheet: Sheet, colour: dict[str, str]) -> list[str]:
    last = max(row["period"] for row in sheet.rows)
    x, y, out = MARGIN, 40, []
    for row in (r for r in sheet.rows if r["period"] == last):
        text = (
            f"{row['group']} ({row['shape']}): {row['sites']} sites deliver "
            f"{row['delivered_ref_mw']:,.0f} of {row['demand_ref_mw']:,.0f} ref MW"
        )
        out.append(_label(x, y, text, colour[row["group"]]))
        y += 20
    for text, of in (
        ("Dashed: second route without a common edge. Green: fiber routes of the layer.", INK),
        ("Synthetic grid; public backbone maps of 1995 to 2012, straight: no quote.", "#7a3600"),
    ):  # fmt: skip
        out.append(f'<text x="{x}" y="{y}" fill="{of}">{text}</text>')
        y += 20
    return out


if __name__ == "__main__":
    Path(sys.argv[2]).write_text(draw(Path(sys.argv[1])), encoding="utf-8")
