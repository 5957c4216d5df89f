"""The report on one screen. Names come from the outside: no markup, no control characters."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.table import Table as RichTable
from rich.text import Text

from sitepick.exports.manifest import all_seconds
from sitepick.report.build import report_of
from sitepick.report.tables import Report, Table
from sitepick.run import Run

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

    from sitepick.exports.folder import RunFolder

_UNSEEN = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
)
_NAME_WIDTH = 30
_AROUND = ("layers", "candidates", "model", "greedy", "check")
"""Stages before and after solving."""


def visible(text: str) -> str:
    """Return ``text`` with what moves a cursor, turns text around or hides itself spelt out."""
    return _UNSEEN.sub(lambda found: f"\\x{ord(found[0]):02x}", text)


def print_report(source: Run | RunFolder, console: Console, written: Path | None = None) -> None:
    """Print the report of a run, or of a run folder, to ``console`` (stdout).

    ``written``: the folder that holds the run, whose report need not be made again.
    """
    if not isinstance(source, Run):
        report = stored_report(source)
    elif written is None:
        report = report_of(source)
    else:
        report = report_at(written, all_seconds(source))
    print_tables(report, console)


def stored_report(folder: RunFolder) -> Report:
    """Return the report of a run folder, its times from the manifest.

    Raises ScenarioError if the folder's report is missing or of another version.
    """
    return report_at(folder.path, folder.manifest["seconds"])


def report_at(path: Path, seconds: dict[str, float]) -> Report:
    """Return the report in the run folder ``path``, with ``seconds`` by stage.

    Raises ScenarioError if it is missing or of another version.
    """
    from sitepick.errors import ScenarioError
    from sitepick.exports.folder import REPORT

    try:
        return Report.from_json((path / REPORT).read_text(encoding="utf-8"), seconds)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ScenarioError(f"{path}: its report cannot be read: {error}") from error


def print_tables(report: Report, console: Console) -> None:
    """Print a report: headline, then each table."""
    spent = solving_seconds(report.seconds)
    for i, line in enumerate(report.headline):
        text = Text(visible(line), style="bold" if i in (0, len(report.headline) - 1) else "")
        if line.startswith("CHECK FAILED"):
            text.stylize("bold red")
        if line.startswith("Plan checked") and spent:
            text.append(f"; solved in {spent:,.1f} s")
        console.print(text)
    for whole in report.tables:
        table = whole.brief()
        if table.inline:
            pairs = [f"{count} {name}" for name, count, *_ in table.shown()]
            console.print(Text(f"{table.title}: {', '.join(map(visible, pairs))}"))
        else:
            console.print(_rich(table, console.width))
        for line in table.note.splitlines():
            console.print(Text(visible(line), style="dim"))


def solving_seconds(seconds: dict[str, float]) -> float:
    """Return the seconds of solving: the solver's total, else the sum of its stages."""
    return seconds.get("total", sum(s for stage, s in seconds.items() if stage not in _AROUND))


def _rich(table: Table, width: int) -> RichTable:
    """Return a table without frame or title: one screen is short, and headers say what it is.

    Headers of a table wider than ``width`` take several lines: a number whose unit is cut off
    means nothing.
    """
    rows = [[visible(cell) for cell in row] for row in table.shown()]
    heads = [visible(column.name) for column in table.columns]
    whole = [max((cell_len(row[i]) for row in rows), default=0) for i in range(len(heads))]
    needs = [
        need if column.align == "right" else min(need, _NAME_WIDTH)
        for need, column in zip(whole, table.columns, strict=True)
    ]
    tall = max((len(head.split(" ")) for head in heads), default=1)
    for lines in range(1, tall + 1):
        broken = [_broken(head, need, lines) for head, need in zip(heads, needs, strict=True)]
        wide = [max(need, _cells(head)) for need, head in zip(needs, broken, strict=True)]
        if sum(wide) + 2 * (len(wide) - 1) <= width:
            break
    spare = max(0, width - sum(wide) - 2 * (len(wide) - 1))
    out = RichTable(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for column, head, need, has in zip(table.columns, broken, whole, wide, strict=True):
        right = column.align == "right"
        more = 0 if right else min(spare, max(0, need - has))
        spare -= more
        out.add_column(
            Text(head),
            justify="right" if right else "left",
            overflow="ellipsis" if not right else "fold",
            no_wrap=True,
            max_width=None if right else max(_NAME_WIDTH, has + more),
            header_style="bold",
            vertical="bottom",
        )
    for cells in rows:
        out.add_row(*(Text(cell) for cell in cells))
    return out


def _broken(head: str, width: int, lines: int) -> str:
    """Return a header on at most ``lines`` lines, narrow but no narrower than ``width``."""
    words = head.split(" ")
    for narrow in range(max(width, *map(cell_len, words)), cell_len(head) + 1):
        wrapped = words[0]
        for word in words[1:]:
            last = wrapped.rpartition("\n")[2]
            wrapped += (" " if cell_len(last) + 1 + cell_len(word) <= narrow else "\n") + word
        if wrapped.count("\n") < lines:
            return wrapped
    return head


def _cells(text: str) -> int:
    return max(map(cell_len, text.split("\n")))
