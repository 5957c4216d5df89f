"""Reads the text of a MATPOWER case file: numbers and words in matrices, never a program.

Only assignments of a number, a text, a matrix of numbers or a cell array of texts are understood.
Anything else, such as a formula that changes a matrix, is refused with its line: such a file has
to be run and saved by MATPOWER (``savecase``) first.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import numpy as np

from sitepick.network.types import FloatArray

_ASSIGN = re.compile(r"\s*(?:mpc\.)?([A-Za-z][\w.]*)\s*=\s*(.*)", re.S)
_HEADER = re.compile(r"\s*function\s+(\[?)[^=]*=\s*(\w+)")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*([eE][+-]?\d+)?|\.\d+([eE][+-]?\d+)?|[Ii]nf|NaN|nan)")
_TEXT = re.compile(r"'((?:[^']|'')*)'|\"([^\"]*)\"")
READ = ("version", "baseMVA", "bus", "gen", "branch", "gencost", "dcline", "genfuel")
"""What is read of a case. Other names may hold anything: they cannot change these."""
_HARMLESS = re.compile(r"\s*(end|return|function\b.*)?\s*;?\s*", re.S)


@dataclass
class Matrix:
    """Rows of a matrix and the line that each stands in."""

    rows: list[list[float]] = field(default_factory=list)
    line: list[int] = field(default_factory=list)

    def column(self, k: int, default: float | None = None) -> FloatArray:
        """(rows,) column ``k`` counted from 0; ``default`` where a row is shorter."""
        return np.array([row[k] if k < len(row) else default for row in self.rows], dtype=float)


@dataclass
class CaseText:
    """What a case file assigns, by name."""

    name: str = ""
    numbers: dict[str, float] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    matrices: dict[str, Matrix] = field(default_factory=dict)
    words: dict[str, list[str]] = field(default_factory=dict)  # cell arrays, row by row
    problems: list[tuple[int, str]] = field(default_factory=list)  # (line, what)

    def refuse(self, name: str, line: int, what: str) -> None:
        """Add a fault of one of the names that are read."""
        if name in READ:
            self.problems.append((line, f"{name} {what}"))


def parse_case(text: str) -> CaseText:
    """Read every assignment of a case file."""
    case = CaseText()
    lines = text.splitlines()
    at = 0
    while at < len(lines):
        if lines[at].strip() == "%{":
            at = _after_block(lines, at)
            continue
        code = _code(lines[at])
        while code.rstrip().endswith("...") and at + 1 < len(lines):
            at += 1
            code = code.rstrip()[:-3] + " " + _code(lines[at])
        at += 1
        if (header := _HEADER.match(code)) is not None:
            case.name = header[2]
            if header[1]:
                case.problems.append(
                    (at, "is case format version 1; load it in MATPOWER and save it by savecase")
                )
                return case
            continue
        if _HARMLESS.fullmatch(code):
            continue
        found = _ASSIGN.fullmatch(code)
        if found is None:
            case.problems.append((at, f"holds code that is not run: {_short(code)}"))
            continue
        name, value = found[1], found[2].strip()
        if value[:1] == "[":
            at = _matrix(case, name, value[1:], lines, at)
        elif value[:1] == "{":
            at = _cells(case, name, value[1:], lines, at)
        else:
            _scalar(case, name, value.rstrip("; \t"), at)
    return case


def _after_block(lines: list[str], at: int) -> int:
    """Index of the line behind a block comment."""
    while at < len(lines) and lines[at].strip() != "%}":
        at += 1
    return at + 1


def _code(line: str) -> str:
    """A line without its comment; a percent sign within quotes is none."""
    if "%" not in line:
        return line
    quoted = ""
    for k, sign in enumerate(line):
        if sign in "'\"" and quoted in ("", sign):
            quoted = "" if quoted else sign
        elif sign == "%" and not quoted:
            return line[:k]
    # An apostrophe that no other closes is part of a comment, or of code that is refused anyhow.
    return line[: line.index("%")] if quoted else line


def _short(code: str) -> str:
    words = " ".join(code.split())
    return repr(words if len(words) <= 60 else words[:57] + "...")


def _scalar(case: CaseText, name: str, value: str, line: int) -> None:
    if (words := _TEXT.fullmatch(value)) is not None:
        case.texts[name] = words[1] if words[1] is not None else words[2]
    elif _NUMBER.fullmatch(value):
        case.numbers[name] = float(value)
    else:
        case.refuse(name, line, f"is a formula, which is not run: {_short(value)}")


def _matrix(case: CaseText, name: str, first: str, lines: list[str], at: int) -> int:
    """Read a matrix from behind its bracket; return the index of the line after it."""
    matrix = Matrix()
    row: list[float] = []
    part, number = first, at
    while True:
        inside, closing, rest = part.partition("]")
        continued = inside.rstrip().endswith("...")
        if continued:
            inside = inside.rstrip()[:-3]
        pieces = inside.split(";")
        for k, piece in enumerate(pieces):
            for word in piece.replace(",", " ").split():
                if _NUMBER.fullmatch(word) is None:
                    case.refuse(name, number, f"holds {word!r}, which is no number; save values")
                    row.append(np.nan)
                else:
                    row.append(float(word))
            ends = k < len(pieces) - 1 or (not continued) or closing
            if ends and row:
                matrix.rows.append(row)
                matrix.line.append(number)
                row = []
        if closing:
            if rest.strip(" \t;,"):
                case.refuse(name, number, f"is changed by code: {_short(rest)}")
            break
        if at >= len(lines):
            case.problems.append((number, f"{name} has no closing bracket; the file is cut off"))
            break
        part, number = _code(lines[at]), at + 1
        at += 1
    case.matrices[name] = matrix
    return at


def _cells(case: CaseText, name: str, first: str, lines: list[str], at: int) -> int:
    """Read the texts of a cell array from behind its brace; return the index of the next line."""
    words: list[str] = []
    part = first
    while True:
        bare = _TEXT.sub(lambda found: " " * len(found[0]), part)
        end = bare.find("}")
        inside = part if end < 0 else part[:end]
        words += [a if a else b for a, b in _TEXT.findall(inside)]
        if end >= 0:
            break
        if at >= len(lines):
            case.problems.append((at, f"{name} has no closing brace; the file is cut off"))
            break
        part = _code(lines[at])
        at += 1
    case.words[name] = words
    return at
