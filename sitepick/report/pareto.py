"""A frontier on one screen, and as an SVG that any browser, document or slide shows."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from sitepick.exports.pareto import VALUE, frontier_points, level_text
from sitepick.report.colours import INK, LAYERS, QUIET
from sitepick.report.tables import Cell, Column, Report, Table

if TYPE_CHECKING:
    from sitepick.exports.sheet import Sheet
    from sitepick.studies.pareto import Frontier

_TITLE = {
    "mw": "work served", "date": "date", "carbon": "carbon", "water": "water",
}  # fmt: skip
_WIDTH, _HEIGHT = 720, 420
_LEFT, _RIGHT, _TOP, _BOTTOM = 90, 30, 50, 60
_TICKS = 5


def pareto_report(found: Frontier, sheet: Sheet) -> Report:
    """Return headline and table of a frontier."""
    column, unit, _ = VALUE[found.against]
    title = "Date" if found.against == "date" else unit
    it = [f.name for f in sheet.fields if f.name.startswith("it_mw_")][-1:]
    columns = (
        Column("Point", align="left"),
        Column(title, align="left" if found.against == "date" else "right"),
        Column("MUSD"), Column("at least, MUSD"), Column("gap, %", decimals=2),
        Column("MUSD per step of one"), Column("sites"), Column("IT MW, end"),
    )  # fmt: skip
    rows: list[tuple[Cell, ...]] = [
        (r["point"], r[column] if found.against == "date" else f"{r[column]:,.1f}",
         f"{r['cost_musd']:,.1f}", f"{r['cost_least_musd']:,.1f}", r["gap_pct"],
         "" if r["step_musd"] is None else f"{r['step_musd']:,.3f}", r["sites"],
         *(f"{r[n]:,.0f}" for n in it))
        for r in sheet.rows
    ]  # fmt: skip
    head = [f"Net present cost against {_TITLE[found.against]}: {len(rows)} points"]
    if found.it_mw is not None:
        head.append(f"IT MW that stand at the date: {found.it_mw:,.1f}")
    removed = [p for p in found.points if p.dominated]
    head += [f"removed at {level_text(found, p.level)}: {p.dominated}" for p in removed]
    head += [f"no plan at {level_text(found, x)} (proven)" for x in found.impossible]
    head += [f"no plan found in the time at {level_text(found, x)}" for x in found.missing]
    wrong = [r["point"] for r in sheet.rows if not r["verified"]]
    head.append(
        f"CHECK FAILED: {', '.join(wrong)}"
        if wrong
        else "Every point checked for these inputs (arithmetic, not utility approval)"
    )
    note = "at least: proven, no plan that keeps the point's level costs less"
    return Report(tuple(head), (Table("Points", columns, tuple(rows), note),), {})


def pareto_svg(found: Frontier, sheet: Sheet, name: str) -> str:
    """Return the frontier as an SVG: cost upwards, bars from what is proven to what was found."""
    points = frontier_points(found)
    column, unit, _ = VALUE[found.against]
    x0, x1 = _span([p.value for p in points])
    y0, y1 = _span([min(p.bound_musd, p.cost_musd) for p in points] + [p.cost_musd for p in points])

    def at(x: float, y: float) -> tuple[float, float]:
        across = _LEFT + (x - x0) / (x1 - x0) * (_WIDTH - _LEFT - _RIGHT)
        up = _HEIGHT - _BOTTOM - (y - y0) / (y1 - y0) * (_HEIGHT - _TOP - _BOTTOM)
        return round(across, 1), round(up, 1)

    title = f"{name}: net present cost against {_TITLE[found.against]}"
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img"'
        f' font-family="system-ui, sans-serif" font-size="12" fill="{INK}">',
        f"<title>{escape(title)}</title>",
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#ffffff"/>',
        _text(_LEFT, 26, title, "start", size=15),
    ]
    foot = _HEIGHT - _BOTTOM
    for i in range(_TICKS):
        y = y0 + (y1 - y0) * i / (_TICKS - 1)
        _, up = at(x0, y)
        out.append(f'<path d="M{_LEFT} {up}H{_WIDTH - _RIGHT}" stroke="#e4e7eb"/>')
        out.append(_text(_LEFT - 8, up + 4, f"{y:,.4g}" if y1 < 100 else f"{y:,.0f}", "end"))
    if found.against == "date":
        marks = [(p.value, str(r[column])) for p, r in zip(points, sheet.rows, strict=True)]
    else:
        steps = (x0 + (x1 - x0) * i / (_TICKS - 1) for i in range(_TICKS))
        marks = [(x, f"{x:,.4g}" if x1 < 100 else f"{x:,.0f}") for x in steps]
    out += [_text(at(x, y0)[0], foot + 18, label, "middle") for x, label in marks]
    out.append(_text((_LEFT + _WIDTH - _RIGHT) / 2, foot + 42, unit, "middle", colour=QUIET))
    out.append(_text(12, _TOP - 8, "MUSD", "start", colour=QUIET))
    line = " ".join(f"{x},{y}" for x, y in (at(p.value, p.cost_musd) for p in points))
    out.append(f'<polyline points="{line}" fill="none" stroke="{LAYERS[0]}" stroke-width="2"/>')
    for point, row in zip(points, sheet.rows, strict=True):
        x, y = at(point.value, point.cost_musd)
        _, low = at(point.value, min(point.bound_musd, point.cost_musd))
        told = f"{row['point']}: {row['cost_musd']:,.1f} MUSD, gap {row['gap_pct']:.2f} %"
        out.append(f'<path d="M{x} {y}V{low}" stroke="{INK}" stroke-width="3" opacity="0.4"/>')
        out.append(
            f'<circle cx="{x}" cy="{y}" r="5" fill="{LAYERS[0]}"><title>{escape(told)}</title>'
            "</circle>"
        )
        out.append(_text(x, y - 10, str(row["point"]), "middle"))
    return "\n".join([*out, "</svg>"]) + "\n"


def _span(values: list[float]) -> tuple[float, float]:
    """Return ends of an axis with some room around the values."""
    low, high = min(values), max(values)
    room = 0.08 * (high - low) or max(1.0, 0.05 * abs(high))
    return low - room, high + room


def _text(x: float, y: float, text: str, anchor: str, *, size: int = 12, colour: str = INK) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}"'
        f' fill="{colour}">{escape(text)}</text>'
    )
