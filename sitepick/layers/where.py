"""`where:` filters: a small, safe part of SQL over a file's own columns, or ours.

Grammar: OR, AND, NOT, parentheses; = != <> < <= > >=, IN (...), LIKE (with % and _),
BETWEEN a AND b, IS NULL; literals 1.5, 'text', TRUE, FALSE. Names are plain words or in double
quotes. As in SQL, a comparison with an empty cell is neither true nor false.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from sitepick.layers import values
from sitepick.layers.table import object_array

_TOKEN = re.compile(
    r"\s*(?:(?P<number>[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|'(?P<text>(?:[^']|'')*)'"
    r'|"(?P<quoted>(?:[^"]|"")+)"|(?P<op><=|>=|<>|!=|==|=|<|>)|(?P<mark>[(),])'
    r"|(?P<word>[^\W\d][\w.:@-]*))"
)
_KEYWORDS = ("AND", "OR", "NOT", "IN", "LIKE", "ILIKE", "BETWEEN", "IS", "NULL", "TRUE", "FALSE")
MAX_LENGTH = 5000
MAX_DEPTH = 50


@dataclass(frozen=True)
class Truth:
    """Three-valued answer for each row: boolean arrays [n], never both true."""

    yes: np.ndarray
    no: np.ndarray

    def __invert__(self) -> Truth:
        return Truth(self.no, self.yes)

    def __and__(self, other: Truth) -> Truth:
        return Truth(self.yes & other.yes, self.no | other.no)

    def __or__(self, other: Truth) -> Truth:
        return Truth(self.yes | other.yes, self.no & other.no)


def rows_where(
    condition: str, frame: pd.DataFrame, ours: Callable[[str], np.ndarray | None]
) -> np.ndarray:
    """Return which rows [n] fulfil ``condition``.

    ``ours`` gives the cells of one of our own columns, or None; the file's columns come first.

    Raises:
        ValueError: the condition cannot be understood; the message says where and what to write.
    """
    if len(condition) > MAX_LENGTH:
        raise ValueError(f"is longer than {MAX_LENGTH} characters")
    return _Parser(condition, frame, ours).all().yes


class _Parser:
    def __init__(
        self, text: str, frame: pd.DataFrame, ours: Callable[[str], np.ndarray | None]
    ) -> None:
        self.text, self.frame, self.ours = text, frame, ours
        self.tokens = self._split(text)
        self.at = 0
        self.depth = 0

    def _split(self, text: str) -> list[tuple[str, str]]:
        out, position = [], 0
        while text[position:].strip():
            found = _TOKEN.match(text, position)
            if found is None:
                raise ValueError(f"cannot be read from {text[position:].strip()[:20]!r} on")
            kind = str(found.lastgroup)
            value = str(found[kind])
            if kind == "text":
                value = value.replace("''", "'")
            elif kind == "quoted":
                value = value.replace('""', '"')
            elif kind == "word" and value.upper() in _KEYWORDS:
                kind, value = "key", value.upper()
            out.append((kind, value))
            position = found.end()
        return out

    def _peek(self) -> tuple[str, str]:
        if self.at < len(self.tokens):
            return self.tokens[self.at]
        return ("end", "the end")

    def _next(self) -> tuple[str, str]:
        token = self._peek()
        self.at += 1
        return token

    def _take(self, *wanted: str) -> bool:
        kind, value = self._peek()
        if kind in ("key", "mark") and value in wanted:
            self.at += 1
            return True
        return False

    def _expect(self, wanted: str) -> None:
        if not self._take(wanted):
            raise ValueError(f"expected {wanted} but found {self._peek()[1]!r}")

    def all(self) -> Truth:
        if not self.tokens:
            raise ValueError("is empty; leave `where:` out instead")
        result = self._or()
        if self._peek()[0] != "end":
            raise ValueError(f"expected AND or OR but found {self._peek()[1]!r}")
        return result

    def _or(self) -> Truth:
        left = self._and()
        while self._take("OR"):
            left = left | self._and()
        return left

    def _and(self) -> Truth:
        left = self._not()
        while self._take("AND"):
            left = left & self._not()
        return left

    def _not(self) -> Truth:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise ValueError(f"is nested deeper than {MAX_DEPTH}")
        try:
            if self._take("NOT"):
                return ~self._not()
            if self._take("("):
                inside = self._or()
                self._expect(")")
                return inside
            return self._comparison()
        finally:
            self.depth -= 1

    def _comparison(self) -> Truth:
        kind, name = self._next()
        if kind not in ("word", "quoted"):
            raise ValueError(f"expected a column name but found {name!r}")
        cells = self._column(name)
        empty = np.array([values.is_null(c) for c in cells], dtype=bool)
        if self._take("IS"):
            negated = self._take("NOT")
            self._expect("NULL")
            return Truth(~empty if negated else empty, empty if negated else ~empty)
        negated = self._take("NOT")
        if self._take("IN"):
            self._expect("(")
            hit = self._compare(cells, "=", self._literal())
            while self._take(","):
                hit |= self._compare(cells, "=", self._literal())
            self._expect(")")
        elif self._take("LIKE", "ILIKE"):
            hit = self._like(cells, self.tokens[self.at - 1][1] == "ILIKE")
        elif self._take("BETWEEN"):
            hit = self._compare(cells, ">=", self._literal())
            self._expect("AND")
            hit &= self._compare(cells, "<=", self._literal())
        elif negated:
            raise ValueError(f"expected IN, LIKE or BETWEEN after NOT, found {self._peek()[1]!r}")
        else:
            kind, op = self._next()
            if kind != "op":
                raise ValueError(
                    f"expected = < > IN LIKE BETWEEN or IS after {name!r}, found {op!r}"
                )
            hit = self._compare(cells, op, self._literal())
        truth = Truth(hit & ~empty, ~hit & ~empty)
        return ~truth if negated else truth

    def _column(self, name: str) -> np.ndarray:
        if name in self.frame.columns:
            return self.frame[name].to_numpy(object)
        same = [c for c in self.frame.columns if str(c).casefold() == name.casefold()]
        if len(same) == 1:
            return self.frame[same[0]].to_numpy(object)
        cells = self.ours(name)
        if cells is not None:
            return cells
        known = [str(c) for c in self.frame.columns]
        close = difflib.get_close_matches(name.lower(), [k.lower() for k in known], 1, 0.5)
        near = next((k for k in known if close and k.lower() == close[0]), None)
        hint = f"; did you mean '{near}'?" if near else ""
        listed = ", ".join(known[:20]) + (", ..." if len(known) > 20 else "")
        raise ValueError(f"no column '{name}'{hint} (columns are {listed}; text goes in '...')")

    def _literal(self) -> float | str | bool:
        kind, value = self._next()
        if kind == "number":
            return float(value)
        if kind == "text":
            return value
        if kind == "key" and value in ("TRUE", "FALSE"):
            return value == "TRUE"
        if kind == "key" and value == "NULL":
            raise ValueError("compare with IS NULL or IS NOT NULL, not with = NULL")
        raise ValueError(f"expected a number or 'text' but found {value!r}; quote text as 'text'")

    def _compare(self, cells: np.ndarray, op: str, literal: float | str | bool) -> np.ndarray:
        if isinstance(literal, bool):
            left: Any = object_array([_truth(c) for c in cells])
            equal = np.array([c is literal for c in left], dtype=bool)
            if op in ("=", "=="):
                return equal
            if op in ("!=", "<>"):
                return np.array([c is not None for c in left], dtype=bool) & ~equal
            raise ValueError(f"TRUE and FALSE are compared with = or !=, not {op}")
        if isinstance(literal, float):
            left = np.array([_float(c) for c in cells], dtype=float)
        else:
            left = np.array(["" if values.is_null(c) else values.clean_text(c) for c in cells])
            literal = literal.strip()
        with np.errstate(invalid="ignore"):
            tests: dict[str, Callable[[], Any]] = {
                "=": lambda: left == literal,
                "==": lambda: left == literal,
                "!=": lambda: left != literal,
                "<>": lambda: left != literal,
                "<": lambda: left < literal,
                "<=": lambda: left <= literal,
                ">": lambda: left > literal,
                ">=": lambda: left >= literal,
            }
            return np.asarray(tests[op](), dtype=bool)

    def _like(self, cells: np.ndarray, ignore_case: bool) -> np.ndarray:
        pattern = self._literal()
        if not isinstance(pattern, str):
            raise ValueError("LIKE needs a text such as 'ERCOT%'")
        parts = [{"%": ".*", "_": "."}.get(c, re.escape(c)) for c in re.sub("%+", "%", pattern)]
        wanted = re.compile("".join(parts), re.S | (re.I if ignore_case else 0))
        return np.array(
            [not values.is_null(c) and bool(wanted.fullmatch(values.clean_text(c))) for c in cells],
            dtype=bool,
        )


def _float(cell: Any) -> float:
    if values.is_null(cell):
        return float("nan")
    try:
        return values.number(cell)[0]
    except ValueError:
        return float("nan")


def _truth(cell: Any) -> bool | None:
    try:
        return None if values.is_null(cell) else values.yes_no(cell)
    except ValueError:
        return None
