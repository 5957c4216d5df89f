"""Charts drawn with Bokeh. Names are data: they go into columns and values, never into markup."""

from __future__ import annotations

from typing import Any

from bokeh.core.properties import value
from bokeh.models import (
    ColumnDataSource,
    FixedTicker,
    HoverTool,
    NumeralTickFormatter,
    Range1d,
)
from bokeh.models.annotations import Legend, LegendItem
from bokeh.plotting import figure

from sitepick.report.charts import Chart
from sitepick.report.colours import FAINT, HATCHES, INK, LAYERS, MARKERS, QUIET

WIDTH, HEIGHT = 610, 330
_BAR = 0.72
_MOST_TICKS = 12
_LONGEST = 64  # characters of a label
_FONT = "system-ui, sans-serif"


def draw_chart(chart: Chart) -> Any:
    """Return the Bokeh figure of a chart; the page writes its title and note."""
    return _rank(chart) if chart.kind == "rank" else _stack(chart)


def _stack(chart: Chart) -> Any:
    count = len(chart.ticks)
    bars = [s for s in chart.series if not s.line]
    lines = [s for s in chart.series if s.line]
    tops = [sum(s.values[t] for s in bars) for t in range(count)]
    highest = max([*tops, *(v for s in lines for v in s.values)], default=1.0) or 1.0
    plot = _figure(chart, _range(-0.6, count - 0.4), _range(0, 1.08 * highest))
    items = []
    base = [0.0] * count
    for i, series in enumerate(bars):
        top = [b + v for b, v in zip(base, series.values, strict=True)]
        source = ColumnDataSource(
            {
                "x": list(range(count)), "tick": list(chart.ticks), "bottom": base, "top": top,
                "value": [_short(v) for v in series.values], "name": [series.name] * count,
            }
        )  # fmt: skip
        drawn = plot.vbar(
            "x", top="top", bottom="bottom", width=_BAR, source=source, fill_color=LAYERS[i],
            line_color="#ffffff", line_width=0.6, hatch_pattern=HATCHES[i], hatch_color=INK,
            hatch_alpha=0.35, hatch_scale=7, hatch_weight=0.8,
        )  # fmt: skip
        items.append(LegendItem(label=value(series.name), renderers=[drawn]))
        base = top
    for i, series in enumerate(lines):
        colour = INK if bars else LAYERS[i]
        source = ColumnDataSource(
            {
                "x": list(range(count)), "tick": list(chart.ticks), "top": list(series.values),
                "value": [_short(v) for v in series.values], "name": [series.name] * count,
            }
        )  # fmt: skip
        dash = ("solid", "dashed", "dotdash")[i % 3]
        style = {"source": source, "color": colour, "line_width": 2.2, "line_dash": dash}
        # levels stand during a period; a budget is a line over its years
        line = (
            plot.line("x", "top", **style)
            if bars
            else plot.step("x", "top", mode="center", **style)
        )
        dots = plot.scatter("x", "top", source=source, marker=MARKERS[i], size=8, color=colour)
        items.append(LegendItem(label=value(series.name), renderers=[line, dots]))
    _hover(plot, chart.unit, "@tick")
    _ticks(plot, chart.ticks)
    names = [s.name for s in chart.series]
    short = len(items) > 4 and max(map(len, names)) < 20
    legend = Legend(
        items=items, location="left", orientation="horizontal", ncols=4 if short else 2,
        label_text_font_size="11px", label_text_font=_FONT, border_line_color=None,
        spacing=10, glyph_width=16, glyph_height=14, margin=2, background_fill_alpha=0.0,
    )  # fmt: skip
    plot.add_layout(legend, "above")
    return plot


def _rank(chart: Chart) -> Any:
    count = len(chart.ticks)
    values = list(chart.series[0].values)
    rows = [count - 1 - i for i in range(count)]
    plot = _figure(chart, _range(0, 1.14 * max([*values, 1e-9])), _range(-0.5, count - 0.2))
    source = ColumnDataSource(
        {
            "y": rows, "top": values, "value": [_short(v) for v in values],
            "name": list(chart.ticks),
            "label": [t if len(t) <= _LONGEST else t[: _LONGEST - 3] + "..." for t in chart.ticks],
        }
    )  # fmt: skip
    plot.hbar("y", right="top", height=0.34, source=source, fill_color=LAYERS[0], line_color=None)
    style = {"text_font": value(_FONT), "text_font_size": "11px", "text_color": INK}
    plot.text(
        0,
        "y",
        text="label",
        y_offset=-8,
        x_offset=2,
        text_baseline="bottom",
        source=source,
        **style,
    )
    plot.text("top", "y", text="value", x_offset=4, text_baseline="middle", source=source, **style)
    _hover(plot, chart.unit, "")
    plot.yaxis.visible = False
    plot.ygrid.visible = False
    plot.xaxis.axis_label = chart.unit
    plot.xaxis.formatter = NumeralTickFormatter(format="0,0.[000]")
    plot.yaxis.axis_label = None
    return plot


def _figure(chart: Chart, x_range: Range1d, y_range: Range1d) -> Any:
    plot = figure(
        width=WIDTH, height=HEIGHT, x_range=x_range, y_range=y_range, tools="",
        toolbar_location=None, sizing_mode="fixed", outline_line_color=None,
        min_border_left=56, background_fill_color=None, border_fill_color=None,
    )  # fmt: skip
    plot.xgrid.visible = chart.kind == "rank"
    plot.grid.grid_line_color = FAINT
    plot.grid.grid_line_alpha = 0.6
    for axis in plot.axis:
        axis.axis_line_color = FAINT
        axis.major_tick_line_color = FAINT
        axis.minor_tick_line_color = None
        axis.major_label_text_color = INK
        axis.major_label_text_font = _FONT
        axis.major_label_text_font_size = "11px"
        axis.axis_label_text_font = _FONT
        axis.axis_label_text_font_size = "11px"
        axis.axis_label_text_font_style = "normal"
        axis.axis_label_text_color = QUIET
    plot.yaxis.axis_label = chart.unit
    plot.yaxis.formatter = NumeralTickFormatter(format="0,0.[0]")
    return plot


def _range(start: float, end: float) -> Range1d:
    return Range1d(start=start, end=end)


def _ticks(plot: Any, ticks: tuple[str, ...]) -> None:
    step = -(-len(ticks) // _MOST_TICKS)
    shown = list(range(0, len(ticks), step))
    plot.xaxis.ticker = FixedTicker(ticks=shown)
    plot.xaxis.major_label_overrides = {i: ticks[i] for i in shown}


def _hover(plot: Any, unit: str, when: str) -> None:
    """Add a tooltip. A unit holds a currency's year only, no name from the outside."""
    rows = [("", "@name"), ("", f"@value {unit}")]
    plot.add_tools(HoverTool(tooltips=[rows[0], ("", when), rows[1]] if when else rows))


def _short(number: float) -> str:
    return f"{number:,.0f}" if abs(number) >= 100 else f"{number:,.3g}"
