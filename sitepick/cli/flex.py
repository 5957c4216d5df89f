"""`sitepick flex`: what flat load an area could take if it were curtailed a few hours a year."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sitepick.cli import talk
from sitepick.cli.find import nearby
from sitepick.cli.options import Json, Quiet, Verbose
from sitepick.errors import LayerError, ScenarioError

if TYPE_CHECKING:
    from sitepick.layers.types import LoadCurve
    from sitepick.network.margin import Margin

SHARES_PCT = (0.25, 0.5, 1.0, 5.0)
HOURS = (0, 10, 50, 100, 200, 500, 1000)
WHAT_IT_IS = (
    "Adequacy of an area's generation at its peak, from its own load: not headroom of the wires "
    "at any substation."
)


def flex(
    curve: Annotated[
        Path,
        typer.Argument(
            metavar="CURVE", help="Hourly load of a year, or MW and hours (load-duration)."
        ),
    ],
    peak_mw: Annotated[
        float | None,
        typer.Option(
            "--peak-mw", metavar="MW", help="Threshold peak (default: the curve's maximum)."
        ),
    ] = None,
    pct: Annotated[
        list[float] | None,
        typer.Option(
            "--pct", metavar="PCT", help="Another curtailed share of energy, %; repeatable."
        ),
    ] = None,
    hours: Annotated[
        list[float] | None,
        typer.Option(
            "--hours", metavar="H", help="Another number of curtailed hours a year; repeatable."
        ),
    ] = None,
    mw_column: Annotated[
        list[str] | None,
        typer.Option("--mw-column", metavar="NAME", help="Column of MW; repeatable (areas)."),
    ] = None,
    area_column: Annotated[
        str | None, typer.Option("--area-column", metavar="NAME", help="Column of area names.")
    ] = None,
    hours_column: Annotated[
        str | None,
        typer.Option("--hours-column", metavar="NAME", help="Column of hours (load-duration)."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FILE.csv", help="Also write a CSV file.")
    ] = None,
    json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = 0,
) -> None:
    """Show the flat load that an area's peak could take if it were curtailed a little."""
    speaker = talk.begin(json, quiet, verbose)
    if not curve.exists():
        raise LayerError(f"{curve}: no such file.{nearby(curve, ())}")
    shares = sorted({*SHARES_PCT, *(pct or [])})
    limits = sorted({*map(float, HOURS), *(hours or [])})
    _refuse(peak_mw, shares, limits)
    from sitepick.layers.curves import read_curves
    from sitepick.layers.table import Refused
    from sitepick.network.margin import firm_mw, margin

    try:
        curves, _ = read_curves(curve, mw=mw_column or (), area=area_column, hours=hours_column)
    except Refused as refused:
        raise LayerError(f"{curve}: {refused}") from None
    found = [(one, [margin(one, share, peak_mw) for share in shares]) for one in curves]
    firm = [[(n, firm_mw(one, n, peak_mw)) for n in limits] for one in curves]
    if out is not None:
        _write(out, found)
        speaker.say(f"{out} written")
    if json:
        speaker.answer_json(
            {
                "status": "ok",
                "what": WHAT_IT_IS,
                "areas": [
                    _record(one, rows, by, peak_mw)
                    for (one, rows), by in zip(found, firm, strict=True)
                ],
            }
        )
        return
    _print(found, firm, peak_mw)


def _refuse(peak_mw: float | None, shares: list[float], limits: list[float]) -> None:
    """Raise ScenarioError for options out of range, all of them."""
    problems = [
        f"--pct {s:g}: a share is at least 0 and below 100 %" for s in shares if not 0 <= s < 100
    ]
    problems += [f"--hours {n:g}: a year has 8,760 hours" for n in limits if not 0 <= n < 8760]
    if peak_mw is not None and not 0 < peak_mw < float("inf"):
        problems.append(f"--peak-mw {peak_mw:g}: a peak is above 0 MW")
    if problems:
        raise ScenarioError(problems)


def _peak(one: LoadCurve, peak_mw: float | None) -> float:
    return one.peak_mw if peak_mw is None else peak_mw


def _record(
    one: LoadCurve, rows: list[Margin], firm: list[tuple[float, float]], peak_mw: float | None
) -> dict[str, Any]:
    return {
        "area": one.name,
        "hours": float(one.hours.sum()),
        "hourly": one.hourly,
        "curve_peak_mw": one.peak_mw,
        "threshold_mw": _peak(one, peak_mw),
        "load_factor": one.load_factor,
        "margins": [dataclasses.asdict(row) for row in rows],
        "mw_by_hours": [{"hours": n, "mw": mw} for n, mw in firm],
    }


def _write(out: Path, found: list[tuple[LoadCurve, list[Margin]]]) -> None:
    """Write one row per area and share."""
    from sitepick.exports.csv_out import write_csv
    from sitepick.exports.sheet import Field, Sheet, plain

    meanings = (
        ("curtail_pct", "%", "energy of the new load that is not served"),
        ("mw", "MW", "the new flat load"),
        ("curtailed_mwh", "MWh/a", "energy not served"),
        ("hours", "h/a", "hours with any curtailment"),
        ("mean_depth", "share", "mean cut over those hours"),
        ("deepest", "share", "largest cut"),
        ("events", "1/a", "runs of curtailed hours"),
        ("mean_event_hours", "h", "mean length of an event"),
        ("longest_event_hours", "h", "length of the longest event"),
        ("hardest_event_hours", "h", "MWh cut in the worst event per MW"),
    )
    fields = [
        Field(name, unit, "integer" if name == "events" else "number", meaning)
        for name, unit, meaning in meanings
    ]
    first = Field("area", "", "text", "area of the curve")
    rows = [
        {"area": one.name, **{f.name: plain(getattr(row, f.name)) for f in fields}}
        for one, rows in found
        for row in rows
    ]
    write_csv(Sheet("flex", WHAT_IT_IS, (first, *fields), rows), out)


def _print(
    found: list[tuple[LoadCurve, list[Margin]]],
    firm: list[list[tuple[float, float]]],
    peak_mw: float | None,
) -> None:
    from sitepick.report.tables import Cell, Column, Report, Table
    from sitepick.report.terminal import print_tables

    columns = (
        Column("area", align="left"), Column("curtailed %", decimals=2),
        Column("flat load MW", decimals=0), Column("% of peak", decimals=1),
        Column("hours/a", decimals=0), Column("mean cut %", decimals=0),
        Column("deepest %", decimals=0), Column("events", decimals=0),
        Column("mean h", decimals=1), Column("longest h", decimals=0),
    )  # fmt: skip
    cells = tuple(
        (one.name, m.curtail_pct, m.mw, 100 * m.mw / _peak(one, peak_mw), m.hours,
         100 * m.mean_depth, 100 * m.deepest, m.events, m.mean_event_hours, m.longest_event_hours)
        for one, rows in found
        for m in rows
    )  # fmt: skip
    limits = [n for n, _ in firm[0]]
    head = (
        Column("area", align="left"),
        Column("peak MW", decimals=0),
        Column("load factor %", decimals=0),
        *(Column(f"{n:g} h", decimals=0) for n in limits),
    )
    by_hours: tuple[tuple[Cell, ...], ...] = tuple(
        (one.name, _peak(one, peak_mw), 100 * one.load_factor, *(mw for _, mw in by))
        for (one, _), by in zip(found, firm, strict=True)
    )
    note = "MW that are cut in at most so many hours a year (0 h: firm)."
    tables = (
        Table("Flat load by curtailed share of its energy", columns, cells),
        Table("Flat load by hours", head, by_hours, note=note),
    )
    print_tables(Report((WHAT_IT_IS,), tables, {}), talk.current.console())
