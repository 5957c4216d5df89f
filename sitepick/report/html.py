"""`report.html`: one file that asks no server for anything, and shows names as they are.

Every text from the outside is escaped here or goes into JSON without ``<``. A content security
policy allows the page's own scripts by their hash and nothing else: no request, no other script.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import json
from collections.abc import Mapping
from html import escape
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from sitepick import __version__
from sitepick.report.legend import legend_items

if TYPE_CHECKING:
    from sitepick.report.page import Page
    from sitepick.report.places import PlanMap
    from sitepick.report.tables import Table

_ASSETS = Path(__file__).parent / "assets"
_NEAR_M = 400_000  # a place that is searched for is shown with as much around it
_PLACE_COLUMN = "SHA-256"


def html_of(page: Page) -> str:
    """Return the whole page. The same page gives the same text."""
    from sitepick.report.bokeh_json import document_json, scripts
    from sitepick.report.draw_charts import draw_chart
    from sitepick.report.draw_map import draw_map

    figures = [draw_chart(c) for c in page.charts]
    places = ["chart-" + str(i) for i in range(len(figures))]
    if page.plan_map is not None:
        figures.append(draw_map(page.plan_map))
        places.append("map")
    document, ids = document_json(figures)
    record = {
        "document": document,
        "roots": dict(zip(ids, places, strict=True)),
        "plan": None if page.plan_map is None else _plan(page.plan_map),
    }
    code = [*scripts(), asset("page.js")]
    code = [text.replace("</script", "<\\/script") for text in code]
    title = escape(f"{page.name}: sitepick report")
    parts = [
        "<!DOCTYPE html>", '<html lang="en">', "<head>", '<meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{_policy(code)}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{title}</title>", f"<style>\n{asset('page.css')}</style>", "</head>", "<body>",
        *_top(page), *_map(page), *_charts(page), *_tables(page), *_inputs(page), *_glossary(),
        f'<script type="application/json" id="page-data">{_json(record)}</script>',
        *(f"<script>{text}</script>" for text in code),
        "</body>", "</html>",
    ]  # fmt: skip
    return "\n".join(parts) + "\n"


def asset(name: str) -> str:
    """Return the text of a file that ships for pages: style or script."""
    return (_ASSETS / name).read_text(encoding="utf-8")


def _policy(code: list[str]) -> str:
    """Return the policy. Bokeh compiles its WebGL programs at run time: that is ``unsafe-eval``."""
    hashes = (base64.b64encode(hashlib.sha256(t.encode()).digest()).decode() for t in code)
    allowed = " ".join(f"'sha256-{h}'" for h in hashes)
    return (
        f"default-src 'none'; script-src 'unsafe-eval' {allowed}; style-src 'unsafe-inline'; "
        "img-src data:; font-src data:; base-uri 'none'; form-action 'none'"
    )


def _json(record: Any) -> str:
    """Return JSON that is safe within a script element, whatever its texts are."""
    text = json.dumps(record, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _plan(found: PlanMap) -> dict[str, Any]:
    """Return what the page's script needs to move the dates: sites that have a place only."""
    from sitepick.report.colours import INK, LAYERS, MARKERS, TEXT
    from sitepick.report.draw_map import IDLE_LINK, LARGEST, POINT, SMALLEST, point_scale

    sites = found.sites
    keep = [i for i, lon in enumerate(sites["lon"]) if lon is not None]
    return {
        "ticks": found.ticks,
        "halls": found.halls,
        "it_mw": [sites["it_mw"][i] for i in keep],
        "grid_mw": [sites["grid_mw"][i] for i in keep],
        "hall": [sites["hall"][i] for i in keep],
        "colors": LAYERS,
        "texts": (INK, *TEXT),
        "markers": MARKERS[:7],
        "scale": point_scale(found),
        "point": POINT,
        "largest": LARGEST,
        "smallest": SMALLEST,
        "near_m": _NEAR_M,
        "idle_link": IDLE_LINK,
        "words": {"sites": "in the plan", "not_chosen": "not chosen", "blocked": "blocked",
                  "rejected": "rejected",
                  "substations": "substation"},
    }  # fmt: skip


def _top(page: Page) -> list[str]:
    figures = "".join(
        f"<div><dt>{escape(what)}</dt><dd>{escape(value)}</dd></div>"
        for value, what in page.figures
    )
    failed = " failed" if any(line.startswith("CHECK FAILED") for line in page.headline) else ""
    links = [("Map", "map-section"), ("Charts", "charts"), ("Tables", "tables"),
             ("Inputs", "inputs"), ("Glossary", "glossary")]  # fmt: skip
    lines = [line for line in page.headline if line not in page.warnings]
    return [
        "<header>", f"<h1>{escape(page.name)}</h1>",
        "<nav>", *(f'<a href="#{to}">{name}</a>' for name, to in links), "</nav>",
        f'<div class="headline"><p class="quiet">{escape("; ".join(lines[:2]))}</p>',
        f"<p>{escape('. '.join(lines[2:-1]))}</p>", f"<p>{escape(lines[-1])}</p>", "</div>",
        f'<div class="warnings{failed}" role="note">',
        f"<p>{escape(' '.join(page.warnings))}</p>", "</div>",
        f'<dl class="figures">{figures}</dl>', "</header>",
    ]  # fmt: skip


def _map(page: Page) -> list[str]:
    found = page.plan_map
    head = '<section id="map-section"><h2>Map</h2>'
    if found is None:
        return [head, "<p>The places of this scenario have no coordinates.</p></section>"]
    last = len(found.periods) - 1
    left_out = f'<p class="note">Not drawn: {escape(", ".join(found.said))}.</p>'
    return [
        head, '<div class="map">', '<div class="frame" id="map"></div>', '<div class="side">',
        '<div class="slider"><label for="period">Date</label>'
        f'<input type="range" id="period" min="0" max="{last}" step="1" value="{last}">'
        f'<output id="period-name" for="period">{escape(found.ticks[last])}</output></div>',
        '<p class="standing" id="standing"></p>',
        f'<ul class="legend">{"".join(legend_items(found))}</ul>',
        '<div class="search"><label for="wanted">Find a place or substation by id or name</label>'
        '<input id="wanted" type="search" autocomplete="off"><ul class="found" id="found"></ul>'
        '</div><p class="chosen" id="chosen" aria-live="polite"></p>',
        '<p class="quiet hint">Wheel: zoom. Click a row of a table of sites to see it here.</p>',
        left_out if found.said else "", "</div>", "</div>", "</section>",
    ]  # fmt: skip


def _charts(page: Page) -> list[str]:
    out = ['<section id="charts"><h2>Charts</h2><div class="charts">']
    for i, chart in enumerate(page.charts):
        note = f'<p class="note">{escape(chart.note)}</p>' if chart.note else ""
        out.append(
            f"<figure><h3>{escape(chart.title)}</h3>{note}"
            f'<div class="plot" id="chart-{i}"></div></figure>'
        )
    return [*out, "</div></section>"]


def _tables(page: Page) -> list[str]:
    named = ([p for p in t.places if p.startswith("site:")] for t in page.tables)
    first = next((places for places in named if places), [])  # the table of sites, as on the map
    numbers = {place: i for i, place in enumerate(first, start=1)}
    tables = (table_of(t, numbers) for t in page.tables)
    return ['<section id="tables"><h2>Tables</h2>', *tables, "</section>"]


def table_of(table: Table, numbers: Mapping[str, int] = MappingProxyType({})) -> str:
    """Return a table; a row about a place of the map can be clicked.

    ``numbers``: of the sites on the map, by place; they stand before their rows.
    """
    numbered = any(p in numbers for p in table.places)
    head = ['<th class="left" scope="col">No.</th>'] if numbered else []
    for column in table.columns:
        title = f' title="{escape(column.unit)}"' if column.unit else ""
        side = ' class="left"' if column.align == "left" else ""
        head.append(f'<th{side} scope="col"{title}>{escape(column.name)}</th>')
    body = []
    for i, row in enumerate(table.shown()):
        place = table.places[i] if table.places else ""
        about = f' data-place="{escape(place)}" tabindex="0"' if place else ""
        cells = [f'<td class="left">{numbers.get(place, "")}</td>'] if numbered else []
        for column, cell in zip(table.columns, row, strict=True):
            side = "left" if column.align == "left" else ""
            side = "left hash" if column.name == _PLACE_COLUMN else side
            cells.append(f'<td class="{side}">{escape(cell)}</td>' if side
                         else f"<td>{escape(cell)}</td>")  # fmt: skip
        body.append(f"<tr{about}>{''.join(cells)}</tr>")
    told = "<br>".join(map(escape, table.note.splitlines()))
    note = f'<p class="note">{told}</p>' if told else ""
    return (
        f'<div class="scroll"><table><caption>{escape(table.title)}</caption>'
        f"<thead><tr>{''.join(head)}</tr></thead><tbody>\n{chr(10).join(body)}\n</tbody></table>"
        f"{note}</div>"
    )


def _inputs(page: Page) -> list[str]:
    notes = [table_of(page.notes)] if page.notes.rows else []
    said = f'<p class="quiet">Made by sitepick {escape(__version__)} from these files.</p>'
    return [
        '<section id="inputs"><h2>Inputs</h2>',
        said,
        table_of(page.inputs),
        *notes,
        "</section>",
    ]


def _glossary() -> list[str]:
    with (_ASSETS / "glossary.csv").open(encoding="utf-8", newline="") as file:
        terms = [(row["term"], row["meaning"]) for row in csv.DictReader(file)]
    items = (f"<div><dt>{escape(t)}</dt><dd>{escape(m)}</dd></div>" for t, m in terms)
    return ['<section id="glossary"><h2>Glossary</h2><dl class="terms">', *items, "</dl></section>"]
