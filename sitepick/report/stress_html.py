"""`report.html` of a stress study: what each future costs and strands, without any script.

Every text from the outside is escaped.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING

from sitepick import __version__
from sitepick.exports.sheet import plain
from sitepick.report import colours
from sitepick.report.html import asset, table_of
from sitepick.report.tables import Cell, Column, Report, Table

if TYPE_CHECKING:
    from sitepick.exports.sheet import Row, Sheet

KINDS = {"power": "letters' MW", "halls": "halls", "hardware": "chips", "fiber": "fiber"}
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
_MOST = 60
_WIDE, _HIGH, _LEFT, _RIGHT = 900, 26, 190, 110  # of the picture and its margins, pixels
_HOLDS = {"due": "due decisions held", "all": "all decisions held", "none": "nothing held"}


def stress_html(name: str, report: Report, sheets: Sequence[Sheet], warnings: Sequence[str]) -> str:
    """Return the page: the terminal's tables whole, what strands by future and place, what is lost.

    ``sheets`` are those of `sitepick.exports.stress`. The same study gives the same text.
    """
    by_name = {sheet.name: sheet for sheet in sheets}
    idle = by_name["stress_stranded"].rows
    end = max((r["period"] for r in idle), default="")
    failed = any(line.startswith("CHECK FAILED") for line in report.headline)
    title = escape(plain(f"{name}: sitepick stress"))
    tables = [table_of(table) for table in report.tables]
    lost = _lost(by_name["stress_lost"].rows)
    strands = [
        *(_picture(hold, _sums(idle, hold, end)) for hold in _HOLDS),
        table_of(_places(idle, end)),
    ]
    return "\n".join([
        "<!DOCTYPE html>", '<html lang="en">', "<head>", '<meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{escape(_POLICY)}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{title}</title>", f"<style>\n{asset('page.css')}</style>", "</head>", "<body>",
        "<header>", f"<h1>{title}</h1>", '<div class="headline">',
        *(f"<p>{escape(plain(line))}</p>" for line in report.headline), "</div>",
        f'<div class="warnings{" failed" if failed else ""}" role="note">',
        f"<p>{escape(' '.join(warnings))}</p>", "</div>", "</header>",
        '<section id="futures"><h2>Futures</h2>', *tables, "</section>",
        '<section id="stranded"><h2>What strands</h2>',
        *(strands if idle else ["<p>Nothing is idle at the end of any future.</p>"]), "</section>",
        *(['<section id="lost"><h2>Decisions not held</h2>', table_of(lost), "</section>"]
          if lost.rows else []),
        f'<p class="quiet">Made by sitepick {escape(__version__)}; all figures are in the files '
        "beside this page.</p>", "</body>", "</html>",
    ]) + "\n"  # fmt: skip


def _sums(rows: Sequence[Row], hold: str, end: str) -> dict[str, dict[str, float]]:
    """Return MUSD idle at the end, by future and kind, dearest future first."""
    out: dict[str, dict[str, float]] = defaultdict(lambda: dict.fromkeys(KINDS, 0.0))
    for r in rows:
        if r["hold"] == hold and r["period"] == end:
            out[r["future"]][r["kind"]] += r["musd"]
    return dict(sorted(out.items(), key=lambda item: (-sum(item[1].values()), item[0])))


def _picture(hold: str, sums: Mapping[str, Mapping[str, float]]) -> str:
    """Return bars of the capital that is idle at the end, by future and kind, as SVG."""
    if not sums:
        return ""
    most = max(sum(of.values()) for of in sums.values()) or 1.0
    scale = (_WIDE - _LEFT - _RIGHT) / most
    parts = []
    for i, (future, of) in enumerate(sums.items()):
        x, y = float(_LEFT), _HIGH * (i + 1)
        name = escape(future)
        parts.append(f'<text x="{_LEFT - 8}" y="{y + 15}" text-anchor="end">{name}</text>')
        for k, kind in enumerate(KINDS):
            if of[kind] > 0:
                wide = of[kind] * scale
                parts.append(
                    f'<rect x="{x:.1f}" y="{y}" width="{wide:.1f}" height="{_HIGH - 6}" '
                    f'fill="{colours.LAYERS[k]}"><title>{name}, {KINDS[kind]}: '
                    f"{of[kind]:,.1f} MUSD</title></rect>"
                )
                x += wide
        parts.append(f'<text x="{x + 6:.1f}" y="{y + 15}">{sum(of.values()):,.0f} MUSD</text>')
    at = float(_LEFT)
    for k, words in enumerate(KINDS.values()):
        parts.append(f'<rect x="{at}" y="4" width="12" height="12" fill="{colours.LAYERS[k]}"/>')
        parts.append(f'<text x="{at + 18}" y="15">{escape(words)}</text>')
        at += 40 + 8 * len(words)
    high = _HIGH * (len(sums) + 1) + 4
    return (
        f"<figure><h3>Capital idle at the end, {_HOLDS[hold]}</h3>"
        f'<svg width="{_WIDE}" height="{high}" viewBox="0 0 {_WIDE} {high}" role="img" '
        f'font-size="13" fill="{colours.INK}">{"".join(parts)}</svg></figure>'
    )


def _places(rows: Sequence[Row], end: str) -> Table:
    """Return what is idle at the end by future and place, dearest first."""
    order = sorted(
        (r for r in rows if r["period"] == end),
        key=lambda r: (-r["musd"], r["future"], r["hold"], r["kind"], r["where"]),
    )
    cells: list[tuple[Cell, ...]] = [
        (
            r["future"], r["hold"], KINDS[r["kind"]], r["where"],
            None if r["kind"] == "fiber" else r["mw"], r["tbps"] or None, r["musd"],
        )
        for r in order
    ]  # fmt: skip
    columns = (
        Column("Future", align="left"), Column("held", align="left"), Column("what", align="left"),
        Column("where", "POI, site or fiber edge", align="left"),
        Column("MW", "grid MW of letters, else IT MW", decimals=1),
        Column("Tb/s", "lit and not used even at peaks", decimals=2),
        Column("MUSD", "overnight capital of the idle part", decimals=1),
    )  # fmt: skip
    table = Table(
        "Idle at the end, by place", columns, tuple(cells), most=_MOST,
        rest="{} more, and those of other periods, in stress_stranded.csv",
    )  # fmt: skip
    return table.brief()


def _lost(rows: Sequence[Row]) -> Table:
    cells: list[tuple[Cell, ...]] = [
        (r["future"], r["hold"], r["decision"], r["asked"], r["held"], r["unit"], r["why"])
        for r in rows
    ]
    columns = (
        Column("Future", align="left"), Column("held", align="left"),
        Column("decision", align="left"), Column("asked", decimals=1),
        Column("kept", decimals=1), Column("unit", align="left"), Column("why", align="left"),
    )  # fmt: skip
    table = Table(
        "Decisions of the plan that a future does not allow", columns, tuple(cells), most=_MOST,
        rest="{} more in stress_lost.csv",
    )  # fmt: skip
    return table.brief()
