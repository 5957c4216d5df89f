"""`sitepick catalog`: the rows that ship, with where each figure comes from."""

from __future__ import annotations

import difflib
from typing import Annotated, Any

import typer

from sitepick.cli import talk
from sitepick.cli.options import Json, Quiet, Verbose
from sitepick.errors import ScenarioError


def catalog(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="NAME", help="halls, hardware, ... (default: all).", show_default=False
        ),
    ] = None,
    json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = 0,
) -> None:
    """Show the catalogs of halls, hardware and more, with sources; -v shows every column."""
    speaker = talk.begin(json, quiet, verbose)
    from sitepick.scenario.catalog import catalog_tables

    tables = catalog_tables()
    if name is not None and name not in tables:
        close = difflib.get_close_matches(name, tables, n=1)
        hint = f"; did you mean {close[0]!r}?" if close else f"; there are {', '.join(tables)}"
        raise ScenarioError(f"no catalog {name!r}{hint}")
    chosen = {key: rows for key, rows in tables.items() if name in (None, key)}
    if json:
        speaker.answer_json(chosen)
        return
    console = speaker.console()
    from rich.table import Table
    from rich.text import Text

    for key, rows in chosen.items():
        columns = [c for c in _columns(rows) if verbose or not any(_nested(r.get(c)) for r in rows)]
        table = Table(title=key, title_justify="left", box=None, pad_edge=False)
        for column in columns:
            right = all(isinstance(r.get(column), (int, float)) for r in rows)
            table.add_column(Text(column), justify="right" if right else "left", overflow="fold")
        for row in rows:
            table.add_row(*(Text(talk.clean(_cell(row.get(c)))) for c in columns))
        console.print(table)


def _columns(rows: list[dict[str, Any]]) -> list[str]:
    return list(dict.fromkeys(key for row in rows for key in row))


def _nested(value: Any) -> bool:
    return isinstance(value, (dict, list))


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, dict):
        return ", ".join(f"{k} {v}" for k, v in value.items())
    return str(value)
