"""Draw a run folder as the README's picture: `python docs/make_picture.py RUN docs/texas-plan.svg`.

State outline, substations, every candidate, and the chosen sites by IT MW at the horizon's end.
"""

from __future__ import annotations

import csv
import json
import math
import sys
from html import escape
from pathlib import Path

from sitepick.bundled import data_dir

WIDTH, HEIGHT, MARGIN = 900, 800, 30


def rings(geometry: dict) -> list[list[list[float]]]:
    """Return the outer rings of a polygon or multipolygon."""
    parts = geometry["coordinates"]
    return [parts[0]] if geometry["type"] == "Polygon" else [part[0] for part in parts]


def draw(run: Path) -> str:
    """Return the SVG text of a run."""
    states = json.loads((data_dir() / "us_states.geojson").read_text(encoding="utf-8"))
    texas = next(f for f in states["features"] if f["properties"]["postal"] == "TX")
    outline = rings(texas["geometry"])
    lons = [p[0] for ring in outline for p in ring]
    lats = [p[1] for ring in outline for p in ring]
    squeeze = math.cos(math.radians((min(lats) + max(lats)) / 2))
    scale = min(
        (WIDTH - 2 * MARGIN) / ((max(lons) - min(lons)) * squeeze),
        (HEIGHT - 2 * MARGIN) / (max(lats) - min(lats)),
    )

    def at(lon: float, lat: float) -> tuple[float, float]:
        return (
            MARGIN + (lon - min(lons)) * squeeze * scale,
            HEIGHT - MARGIN - (lat - min(lats)) * scale,
        )

    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        'font-family="sans-serif">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
    ]
    for ring in outline:
        points = " ".join(f"{x:.1f},{y:.1f}" for x, y in (at(*p[:2]) for p in ring))
        out.append(f'<polygon points="{points}" fill="#f4f1ea" stroke="#999"/>')
    candidates = json.loads((run / "candidates.geojson").read_text(encoding="utf-8"))
    for feature in candidates["features"]:
        x, y = at(*feature["geometry"]["coordinates"][:2])
        passed = feature["properties"]["status"] != "rejected"
        fill = "#56b4e9" if passed else "#cccccc"
        out.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2" fill="{fill}"/>')
    with (run / "sites.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    last = max(row["period"] for row in rows)
    for row in rows:
        if row["period"] != last:
            continue
        x, y = at(float(row["lon"]), float(row["lat"]))
        mw = float(row["it_mw"])
        out.append(
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{math.sqrt(mw):.1f}" fill="#d55e00" '
            'fill-opacity="0.75" stroke="#7a3600"/>'
        )
        out.append(
            f'<text x="{x + math.sqrt(mw) + 4:.1f}" y="{y + 4:.1f}" font-size="15">'
            f"{escape(row['name'])}, {mw:,.0f} MW</text>"
        )
    out.append(
        f'<text x="{MARGIN}" y="40" font-size="16">IT MW at the end of the horizon. Blue: passed '
        "every test; grey: rejected.</text>"
        f'<text x="{MARGIN}" y="62" font-size="16" fill="#7a3600">Synthetic grid, fictional '
        "letters: not real headroom.</text></svg>"
    )
    return "\n".join(out) + "\n"


if __name__ == "__main__":
    Path(sys.argv[2]).write_text(draw(Path(sys.argv[1])), encoding="utf-8")
