"""The map drawn with Bokeh on the web Mercator plane; the page's script moves its dates.

Names are data: they go into columns, never into markup.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from bokeh.core.properties import value
from bokeh.models import (
    BoxZoomTool,
    ColumnDataSource,
    HoverTool,
    PanTool,
    Range1d,
    ResetTool,
    TapTool,
    WheelZoomTool,
)
from bokeh.plotting import figure

from sitepick.report import colours

if TYPE_CHECKING:
    from sitepick.exports.simplify import Part
    from sitepick.report.places import Columns, PlanMap

WIDTH, HEIGHT = 900, 590
_BESIDE = (70, 42)  # pixels beside the frame, both ways: axes and tools
_RADIUS_M = 6378137.0  # of the sphere of EPSG:3857
LARGEST, SMALLEST = 40.0, 9.0  # diameters of sites, pixels
IDLE_LINK = 0.12  # opacity of a link in a period in which it carries nothing
POINT = 5.0  # diameter of a candidate, pixels, where there are few
_FEW = 1500


def mercator(lon: Any, lat: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return x and y in metres of EPSG:3857, as single precision: a metre at these sizes."""
    x = _RADIUS_M * np.radians(np.asarray(lon, dtype=float))
    y = _RADIUS_M * np.log(np.tan(np.pi / 4 + np.radians(np.asarray(lat, dtype=float)) / 2))
    return x.astype(np.float32), y.astype(np.float32)


def draw_map(found: PlanMap) -> Any:
    """Return the Bokeh figure of a map, its renderers named by the groups they belong to."""
    plot = _figure(found)
    _lines(plot, "outlines", found.outlines, colours.QUIET, 1.0)
    if found.exclusions:
        x, y = _joined(found.exclusions)
        plot.patch(
            x, y, name="exclusions", fill_color=colours.EXCLUDED, fill_alpha=0.18,
            hatch_pattern="/", hatch_color=colours.EXCLUDED, hatch_alpha=0.6, hatch_scale=8,
            line_color=colours.EXCLUDED, line_alpha=0.7,
        )  # fmt: skip
    for i in reversed(range(len(found.lines))):
        width = (2.4, 1.8, 1.3, 0.9, 0.7, 0.7)[min(i, 5)]
        _lines(plot, "lines", found.lines[i][1], colours.LINES[min(i, 5)], width)
    _lines(plot, "fiber", found.fiber, colours.FIBER, 1.2, dash="dotted")
    scale = point_scale(found)
    tips = [
        _substations(plot, found.substations, scale), *_candidates(plot, found.candidates, scale)
    ]  # fmt: skip
    _lines(plot, "limiting", found.limiting, colours.LIMITING, 4.0)
    over = _links(plot, found.links)
    _lines(plot, "ties", found.ties, colours.TIE, 1.8)
    _cities(plot, found.cities)
    tips.append(_sites(plot, found))
    for renderer, rows in [*over, *tips]:
        if renderer is not None:
            tip = HoverTool(renderers=[renderer], tooltips=rows, name=renderer.name, visible=False)
            plot.add_tools(tip)
    plot.add_tools(TapTool(renderers=[r for r, _ in tips if r is not None], visible=False))
    return plot


def point_scale(found: PlanMap) -> float:
    """Return by how much candidates and substations are drawn smaller, the more there are."""
    count = max(len(found.candidates["id"]), len(found.substations["id"]), 1)
    return min(1.0, max(0.3, math.sqrt(_FEW / count)))


def _figure(found: PlanMap) -> Any:
    west, south, east, north = found.extent
    x, y = mercator([west, east], [south, north])
    middle = float(x[0] + x[1]) / 2, float(y[0] + y[1]) / 2
    # one scale both ways: the frame is a little smaller than the figure
    wide, high = WIDTH - _BESIDE[0], HEIGHT - _BESIDE[1]
    scale = max(float(x[1] - x[0]) / wide, float(y[1] - y[0]) / high)
    half = scale * wide / 2, scale * high / 2
    zoom = WheelZoomTool(zoom_on_axis=False)
    plot = figure(
        width=WIDTH, height=HEIGHT, sizing_mode="fixed", match_aspect=True, name="map",
        x_range=Range1d(start=middle[0] - half[0], end=middle[0] + half[0]),
        y_range=Range1d(start=middle[1] - half[1], end=middle[1] + half[1]),
        x_axis_type="mercator", y_axis_type="mercator", output_backend="webgl",
        tools=[PanTool(), zoom, BoxZoomTool(match_aspect=True), ResetTool()],
        active_scroll=None, toolbar_location="right", background_fill_color="#fbfbf9",
        outline_line_color=colours.FAINT,
    )  # fmt: skip
    plot.toolbar.logo = None
    plot.grid.visible = False
    for axis, way in zip(plot.axis, ("longitude", "latitude"), strict=True):
        axis.axis_label = f"{way}, degrees"
        axis.axis_label_text_color = colours.QUIET
        axis.axis_label_text_font_size = "10px"
        axis.axis_label_text_font_style = "normal"
        axis.axis_label_standoff = 1
        axis.axis_line_color = None
        axis.major_tick_line_color = colours.FAINT
        axis.minor_tick_line_color = None
        axis.major_label_text_color = colours.QUIET
        axis.major_label_text_font_size = "10px"
    return plot


def _joined(parts: list[Part]) -> tuple[np.ndarray, np.ndarray]:
    """Return all parts as one line, with a gap (nan) after each."""
    pieces = []
    for part in parts:
        pieces += [np.asarray(part, dtype=float).reshape(-1, 2), np.full((1, 2), np.nan)]
    whole = np.vstack(pieces)
    with np.errstate(invalid="ignore"):
        return mercator(whole[:, 0], np.clip(whole[:, 1], -85, 85))


def _lines(
    plot: Any, name: str, parts: list[Part], colour: str, width: float, dash: str = "solid"
) -> None:
    if parts:
        x, y = _joined(parts)
        plot.line(x, y, name=name, line_color=colour, line_width=width, line_dash=dash)


def _located(columns: Columns) -> tuple[dict[str, Any], list[int]]:
    """Return the columns of the rows that have a place, with x and y, and which rows they are."""
    keep = [
        i for i, (lon, lat) in enumerate(zip(columns["lon"], columns["lat"], strict=True))
        if lon is not None and lat is not None
    ]  # fmt: skip
    out = {name: [values[i] for i in keep] for name, values in columns.items()}
    x, y = mercator(out["lon"], np.clip(out["lat"], -85, 85))
    return {**out, "x": x, "y": y}, keep


def _substations(plot: Any, columns: Columns, scale: float) -> tuple[Any, list[tuple[str, str]]]:
    data, keep = _located(columns)
    if not keep:
        return None, []
    classes = [colours.headroom_class(mw) for mw in data["headroom_mw"]]
    data["color"] = [colours.HEADROOM[c][2] for c in classes]
    data["size"] = [(6, 6, 7, 8.5, 10)[c] * scale for c in classes]
    for name, unit in (
        ("headroom_mw", "MW"),
        ("letters_mw", "MW"),
        ("grid_mw", "MW"),
        ("kv", "kV"),
    ):
        data[name] = [_text(v, unit) for v in data[name]]
    data["rests"] = ["estimate" if e else "as published" for e in data.pop("estimated")]
    _drop(data, "lon", "lat")
    drawn = plot.scatter(
        "x", "y", source=ColumnDataSource(data, name="substations"), name="substations",
        marker="square", size="size", fill_color="color", line_color="#5a2a77", line_width=0.6,
        line_alpha=0.7, nonselection_alpha=0.9, nonselection_line_alpha=0.7,
    )  # fmt: skip
    return drawn, [
        ("substation", "@id @name"), ("voltage", "@kv"), ("load headroom", "@headroom_mw (@rests)"),
        ("letters", "@letters_mw"), ("in the plan, at the end", "@grid_mw"),
    ]  # fmt: skip


def _candidates(
    plot: Any, columns: Columns, scale: float
) -> list[tuple[Any, list[tuple[str, str]]]]:
    out = []
    for name, (_, marker, fill, line) in colours.VERDICTS.items():
        keep = [i for i, verdict in enumerate(columns["verdict"]) if verdict == name]
        data, found = _located({k: [v[i] for i in keep] for k, v in columns.items()})
        if not found:
            continue
        for column, unit in (("tie_km", "km"), ("usable_ha", "ha"), ("estimate_musd", "MUSD"),
                             ("proven_musd", "MUSD")):  # fmt: skip
            data[column] = [_text(v, unit) for v in data[column]]
        _drop(data, "lon", "lat", "status", "test", "verdict")
        rejected = name == "rejected"
        drawn = plot.scatter(
            "x", "y", source=ColumnDataSource(data, name=name), name=name, marker=marker,
            size=POINT * scale, line_color=line, line_width=1.0 if rejected else 0.6,
            line_alpha=0.55 if rejected else 0.9, fill_color=fill, fill_alpha=0.8,
            nonselection_fill_alpha=0.35, nonselection_line_alpha=0.5,
        )  # fmt: skip
        rows = [("place", "@id @name"), ("verdict", "@why"), ("POI", "@poi, @tie_km")]
        if not rejected:
            rows.append(
                ("forcing it in costs", "@estimate_musd (LP estimate), at least @proven_musd")
            )
        out.append((drawn, [*rows, ("buildable", "@usable_ha")]))
    return out


def _links(plot: Any, columns: Columns) -> list[tuple[Any, list[tuple[str, str]]]]:
    """Draw links over fiber, widest first; a second route without a common edge is dashed.

    As they are in the last period; the page's script shows those of others.
    """
    out = []
    looks = colours.link_looks(columns.get("service", ()))
    for service, (colour, width) in looks.items():
        for partner in (False, True):
            rows = [
                i for i, name in enumerate(columns["service"])
                if name == service and columns["partner"][i] == partner
            ]  # fmt: skip
            if not rows:
                continue
            data: dict[str, Any] = {
                k: [columns[k][i] for i in rows] for k in ("service", "ends", "route")
            }
            for column, unit in (("km", "route km"), ("rtt_ms", "ms")):
                data[column] = [_text(columns[column][i], unit) for i in rows]
            tbps = [columns["by_period"][i] for i in rows]
            data["by_period"] = tbps
            data["tbps"] = [_text(of[-1], "Tb/s") for of in tbps]
            data["alpha"] = [1.0 if of[-1] else IDLE_LINK for of in tbps]
            parts = [np.array(columns["part"][i], dtype=float).reshape(-1, 2) for i in rows]
            places = [mercator(p[:, 0], np.clip(p[:, 1], -85, 85)) for p in parts]
            data["xs"] = [x.tolist() for x, _ in places]
            data["ys"] = [y.tolist() for _, y in places]
            drawn = plot.multi_line(
                "xs", "ys", source=ColumnDataSource(data), name="links", line_color=colour,
                line_width=width, line_alpha="alpha", line_dash="12 7" if partner else "solid",
                line_join="round", nonselection_line_alpha="alpha",
            )  # fmt: skip
            out.append((drawn, [
                ("link", "@service: @ends, route @route"), ("length", "@km"),
                ("round trip", "@rtt_ms"), ("carries", "@tbps each way"),
            ]))  # fmt: skip
    return out


def _cities(plot: Any, columns: Columns) -> None:
    data, keep = _located(columns)
    if not keep:
        return
    source = ColumnDataSource(data)
    plot.scatter(
        "x", "y", source=source, name="cities", size=4, fill_color="#ffffff",
        line_color=colours.INK, line_width=1.2,
    )  # fmt: skip
    plot.text(
        "x", "y", text="name", source=source, name="cities", x_offset=5, text_baseline="middle",
        text_font=value("system-ui, sans-serif"), text_font_size="11px", text_color=colours.INK,
        text_font_style="italic", background_fill_color="#ffffff", background_fill_alpha=0.75,
        padding=1,
    )  # fmt: skip


def _sites(plot: Any, found: PlanMap) -> tuple[Any, list[tuple[str, str]]]:
    data, keep = _located(found.sites)
    if not keep:
        return None, []
    last = len(found.periods) - 1
    most = max((max(mw, default=0.0) for mw in data["it_mw"]), default=0.0) or 1.0
    halls = [of[last] for of in data["hall"]]
    now, grid = [of[last] for of in data["it_mw"]], [of[last] for of in data["grid_mw"]]
    data["number"] = [str(i + 1) for i in keep]  # as in the table of sites
    data["size"] = [site_size(mw, most) for mw in now]
    data["color"] = [colours.LAYERS[h % 8] if h >= 0 else "#ffffff" for h in halls]
    data["ink"] = [colours.TEXT[h % 8] if h >= 0 else colours.INK for h in halls]
    data["marker"] = [colours.MARKERS[h % 7] if h >= 0 else "circle" for h in halls]
    data["class"] = [found.halls[h] if h >= 0 else "nothing yet" for h in halls]
    data["it_now"] = [f"{mw:,.1f}" for mw in now]
    data["grid_now"] = [f"{mw:,.1f}" for mw in grid]
    data["opened"] = [day or "stands already" for day in data["opened"]]
    data["cost"] = [_text(usd, "USD per IT kW and month") for usd in data["cost"]]
    _drop(data, "lon", "lat", "it_mw", "grid_mw", "hall", "status")
    source = ColumnDataSource(data, name="sites")
    drawn = plot.scatter(
        "x", "y", source=source, name="sites", marker="marker", size="size", fill_color="color",
        fill_alpha=0.85, line_color=colours.INK, line_width=1.4, nonselection_fill_alpha=0.3,
        nonselection_line_alpha=0.5,
    )  # fmt: skip
    plot.text(
        "x", "y", text="number", source=source, name="sites", text_align="center",
        text_baseline="middle", text_font_size="12px", text_font_style="bold",
        text_font=value("system-ui, sans-serif"), text_color="ink", nonselection_text_alpha=1.0,
    )  # fmt: skip
    return drawn, [
        ("site @number", "@id @name"), ("IT", "@it_now MW"), ("grid", "@grid_now MW"),
        ("halls, mostly", "@class"), ("POI", "@poi"), ("open from", "@opened"), ("cost", "@cost"),
    ]  # fmt: skip


def site_size(mw: float, most: float) -> float:
    """Return the diameter of a site's symbol, pixels: area by MW. The page's script does alike."""
    return max(SMALLEST, LARGEST * math.sqrt(max(0.0, mw) / most)) if mw > 0 else 5.0


def _text(number: float | None, unit: str) -> str:
    return "unknown" if number is None else f"{number:,.6g} {unit}"


def _drop(data: dict[str, Any], *names: str) -> None:
    for name in names:
        data.pop(name, None)
