"""One file being read: where its faults and notes are collected."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any

from sitepick.layers import limits
from sitepick.layers.types import Note
from sitepick.scenario.inputs import LayerFile


def some(items: Iterable[Any], most: int = limits.EXAMPLES) -> str:
    """Return the first few items as text: ``a, b, c, ...``."""
    listed = list(items)
    shown = ", ".join(str(i) for i in listed[:most])
    return f"{shown}, ..." if len(listed) > most else shown


def count_of(n: int, what: str) -> str:
    """Return ``1 row`` or ``1,200 rows``."""
    return f"{n:,} {what}" if n == 1 else f"{n:,} {what}s"


_WORD_READ = re.compile(r"(?P<column>\S.*: column '[^']*': )(?P<read>'.*' read as \w+ \(.*\))")


def in_few_lines(notes: Iterable[str]) -> list[str]:
    """Return the notes, each once, all words of one column that were understood on one line."""
    lines: dict[str, list[str]] = {}
    for note in dict.fromkeys(notes):
        found = _WORD_READ.fullmatch(note)
        column, read = (found["column"], found["read"]) if found else (note, "")
        lines.setdefault(column, []).append(read)
    return [column + ", ".join(read) for column, read in lines.items()]


def label_of(spec: LayerFile) -> str:
    """Return a file as the scenario names it; with `layer` or `sheet` where several are inside."""
    inner = spec.layer or spec.sheet
    return f"{spec.file}[{inner}]" if inner else spec.file


@dataclass
class Reading:
    """Collects what is wrong (``problems``) and what to know (``notes``) about one input file."""

    role: str
    spec: LayerFile
    on_note: Callable[[Note], None] | None = None
    problems: list[str] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)

    @property
    def label(self) -> str:
        """The file as the scenario names it; with `layer` or `sheet` where several are inside."""
        return label_of(self.spec)

    @property
    def stem(self) -> str:
        """The file's name without folder and endings."""
        return PurePath(self.spec.file.removeprefix("bundled:")).name.split(".")[0]

    def fault(self, text: str, at: str = "") -> None:
        """Record a fault; ``at`` is ``#17 (id)`` or ``:5 (id)``, empty for the whole file."""
        line = f"{self.label}{at}: {text}"
        if line not in self.problems:
            self.problems.append(line)

    def note(self, code: str, text: str, count: int = 0) -> None:
        """Record a note about this file; the same note is not made twice."""
        note = Note(self.role, code, f"{self.label}: {text}", count)
        if note in self.notes:
            return
        self.notes.append(note)
        if self.on_note is not None:
            self.on_note(note)

    def soft(self, code: str, text: str, ats: Sequence[str]) -> None:
        """Record rows that are left out: a note, or a fault with `strict: true`."""
        line = f"{text} ({some(ats)})" if ats else text
        if self.spec.strict:
            self.fault(f"{line}; refused because of `strict: true`")
        else:
            self.note(code, line, len(ats))
