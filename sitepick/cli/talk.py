"""Where words go: answers to stdout, everything else to stderr.

Names and messages may come from untrusted files, so control characters (terminal escapes, bidi
overrides) are made visible and Rich markup is never interpreted.
"""

from __future__ import annotations

import json
import os
import re
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def clean(text: str) -> str:
    """Return ``text`` with control characters spelt out, so that no name can drive a terminal."""
    return _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", text)


@dataclass
class Talk:
    """How one command speaks. ``verbose`` 1 adds detail and tracebacks."""

    json: bool = False
    quiet: bool = False
    verbose: int = 0

    def answer(self, text: str) -> None:
        """Write ``text`` to stdout. A reader that has closed the pipe is no error."""
        _write(sys.stdout, text)

    def answer_json(self, record: dict[str, Any]) -> None:
        """Write one JSON object to stdout: finite numbers only, dates as ISO text."""
        self.answer(json.dumps(plain(record), indent=1, allow_nan=False, ensure_ascii=False))

    def say(self, text: str) -> None:
        """Tell the user something on stderr, unless they asked for quiet."""
        if not self.quiet:
            _write(sys.stderr, text)

    def detail(self, text: str) -> None:
        """Tell the user something on stderr when they asked for more (``-v``)."""
        if self.verbose:
            self.say(text)

    def complain(self, problems: Sequence[str]) -> None:
        """Write errors to stderr, one a line, whatever was asked."""
        for problem in problems:
            _write(sys.stderr, problem)

    def console(self, stderr: bool = False) -> Console:
        """Return a Rich console; NO_COLOR, FORCE_COLOR and TERM=dumb are honoured by Rich."""
        from rich.console import Console

        class Pipe(Console):
            """A console for which a reader that has gone is no error."""

            def on_broken_pipe(self) -> None:
                self.quiet = True
                quiet_pipe(stream)

        stream = sys.stderr if stderr else sys.stdout
        # a pipe has no width: 80 columns would cut tables that a file or a pager can hold
        width = None if stream.isatty() or "COLUMNS" in os.environ else 110
        return Pipe(file=stream, highlight=False, markup=False, emoji=False, width=width)


current = Talk()
"""How the running command speaks; `begin` replaces it, `sitepick.cli.app.main` reads it."""


def begin(json: bool = False, quiet: bool = False, verbose: int = 0) -> Talk:
    """Return the `Talk` of a command that starts now."""
    global current
    current = Talk(json, quiet, verbose)
    return current


def plain(value: Any) -> Any:
    """Return ``value`` as JSON can hold it: nan and infinities become null, dates ISO text."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, bool) or value is None or isinstance(value, (int, str)):
        return value
    if isinstance(value, float):
        return float(value) if value - value == 0 else None
    if hasattr(value, "item"):  # a numpy scalar
        return plain(value.item())
    return str(value)


def quiet_pipe(stream: TextIO) -> None:
    """Point a stream whose reader has gone at nothing, so that the flush at exit is silent."""
    with open(os.devnull, "w") as nothing:  # noqa: PTH123 (a device, not a path of ours)
        os.dup2(nothing.fileno(), stream.fileno())


def _write(stream: TextIO, text: str) -> None:
    text = clean(text) + "\n"
    try:
        try:
            stream.write(text)
        except UnicodeEncodeError:  # a terminal that knows no UTF-8
            stream.write(text.encode("ascii", "replace").decode("ascii"))
        stream.flush()
    except BrokenPipeError:
        quiet_pipe(stream)
