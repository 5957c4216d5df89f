"""`sitepick catalog`: the rows that ship, with where each figure comes from."""

from __future__ import annotations

import difflib
from typing import Annotated, Any

import typer

from sitepick.cli import talk
from sitepick.cli.options import Json, Quiet, Verbose
from sitepick.errors import ScenarioError

EVIDENCE = ("source", "as_of", "price_year", "name")
"""Columns that only ``-v`` and ``--json`` show: they are long."""


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
    if verbose:
        speaker.answer("\n\n".join(_in_full(key, row) for key in chosen for row in chosen[key]))
        return
    console = speaker.console()
    from rich.table import Table
    from rich.text import Text

    for key, rows in chosen.items():
        columns = [c for c in _columns(rows) if c not in EVIDENCE and _flat(rows, c)]
        table = Table(title=key, title_justify="left", box=None, pad_edge=False)
        for column in columns:
            right = all(isinstance(r.get(column), (int, float)) for r in rows)
            table.add_column(Text(column), justify="right" if right else "left", overflow="fold")
        for row in rows:
            table.add_row(*(Text(talk.clean(_cell(row.get(c)))) for c in columns))
        console.print(table)
    speaker.say("-v shows every column and where its figures come from")


def _in_full(key: str, row: dict[str, Any]) -> str:
    lines = [f"{key}: {_cell(row.get('id', ''))}"]
    return "\n".join([*lines, *(f"  {name}: {_cell(value)}" for name, value in row.items())])


def _columns(rows: list[dict[str, Any]]) -> list[str]:
    return list(dict.fromkeys(key for row in rows for key in row))


def _flat(rows: list[dict[str, Any]], column: str) -> bool:
    return not any(isinstance(row.get(column), (dict, list)) for row in rows)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, dict):
        return ", ".join(f"{k} {v}" for k, v in value.items())
    return str(value)
