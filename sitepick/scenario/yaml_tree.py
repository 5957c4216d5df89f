"""YAML text to a tree of nodes that know where they stand.

Built from parser events, so that what we refuse (anchors, aliases, tags, duplicate keys, a second
document, deep nesting) is refused before anything is expanded. Plain words follow the core schema
of YAML 1.2 except that numbers with a leading zero, hexadecimal and octal ones stay text: region
codes such as NO, ON and 010 mean themselves.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sitepick.errors import ScenarioError

MAX_BYTES = 1_000_000
MAX_DEPTH = 50

_NULL = {"", "~", "null", "Null", "NULL"}
_BOOL = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INT = re.compile(r"[-+]?(?:0|[1-9]\d{0,17})\Z")
_FLOAT = re.compile(r"[-+]?(?:\.\d+|(?:0|[1-9]\d*)(?:\.\d*)?)(?:[eE][-+]?\d+)?\Z")
_NOT_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)\Z|\.(?:nan|NaN|NAN)\Z")
_LINE_ENDS = re.compile("\r\n|[\r\n\x85\u2028\u2029]")


@dataclass(frozen=True)
class Source:
    """A text that nodes come from: a file, or one ``--set``."""

    name: str
    lines: tuple[str, ...] = ()
    positioned: bool = True

    def at(self, line: int, col: int) -> str:
        """Return ``file:line:col`` (counted from 1)."""
        return f"{self.name}:{line + 1}:{col + 1}" if self.positioned else self.name


@dataclass(eq=False)
class Node:
    """A value: a dict of nodes, a list of nodes, or a scalar with its text. Counted from 0."""

    value: Any
    source: Source
    line: int = 0
    col: int = 0
    text: str | None = None
    key_at: tuple[Source, int, int] | None = None

    def plain(self) -> Any:
        """Return the value without positions."""
        if isinstance(self.value, dict):
            return {k: n.plain() for k, n in self.value.items()}
        if isinstance(self.value, list):
            return [n.plain() for n in self.value]
        return self.value

    def place(self, of_key: bool = False) -> tuple[Source, int, int]:
        """Return source, line and column of the value; of its key if a collection or asked."""
        if self.key_at is not None and (of_key or isinstance(self.value, (dict, list))):
            return self.key_at
        return self.source, self.line, self.col

    def leaves(self, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Node]]:
        """Yield every scalar (and empty collection) with its path."""
        if isinstance(self.value, dict) and self.value:
            for key, node in self.value.items():
                yield from node.leaves((*path, key))
        elif isinstance(self.value, list) and self.value:
            for i, node in enumerate(self.value):
                yield from node.leaves((*path, str(i)))
        else:
            yield path, self


def clean(text: str) -> str:
    """Return ``text`` with everything that a terminal could obey replaced by ``?``."""
    return "".join(c if c.isprintable() else "?" for c in text)


def problem(place: tuple[Source, int, int], message: str, path: str = "") -> str:
    """Return ``file:line:col: error: path: message`` with the source line and a caret."""
    source, line, col = place
    head = clean(f"{source.at(line, col)}: error: {path + ': ' if path else ''}{message}")
    if line >= len(source.lines) or not source.lines[line].strip():
        return head
    text, start = source.lines[line], max(0, col - 60)
    shown = "".join(c if c.isprintable() else " " for c in text[start : start + 100])
    number = f"{line + 1:5d}" if source.positioned else " " * 5
    return f"{head}\n{number} | {shown}\n{' ' * 5} | {' ' * (col - start)}^"


def read_text(path: Path) -> str:
    """Return the text of a scenario file; refuse what is no small UTF-8 text file."""
    name = clean(str(path))
    if path.is_dir():
        raise ScenarioError(f"{name}: error: is a directory; expected a YAML scenario")
    if not path.exists():
        raise ScenarioError(f"{name}: error: no such file.{_nearby(path)}")
    if not path.is_file():
        raise ScenarioError(f"{name}: error: is no regular file; expected a YAML scenario")
    try:
        with path.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except OSError as why:
        raise ScenarioError(f"{name}: error: cannot be read: {why.strerror}") from None
    if len(data) > MAX_BYTES:
        raise ScenarioError(f"{name}: error: is larger than 1 MB; expected a YAML scenario")
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise ScenarioError(f"{name}: error: is UTF-16; save it as UTF-8")
    if b"\0" in data:
        raise ScenarioError(f"{name}: error: is not text; expected a YAML scenario")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as why:
        line = data.count(b"\n", 0, why.start) + 1
        raise ScenarioError(
            f"{name}:{line}:1: error: is not UTF-8 at byte {why.start}; "
            "convert it, for example with iconv"
        ) from None


def parse(text: str, name: str, positioned: bool = True, shown: str | None = None) -> Node:
    """Return the tree of ``text``. Raises ScenarioError with file, line and column.

    ``shown`` is what messages print as the source, where that is not ``text`` itself.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    source = Source(name, tuple(_LINE_ENDS.split(shown or text)), positioned)
    try:
        root = _Builder(source).build(YAML(typ="safe", pure=True).parse(text))
    except MarkedYAMLError as why:
        mark = why.problem_mark or why.context_mark
        place = (source, mark.line, mark.column) if mark else (source, 0, 0)
        raise ScenarioError(problem(place, _reason(source, place[1], why.problem))) from None
    except (YAMLError, ValueError) as why:
        reason = "; ".join(str(why).splitlines()[:1])
        raise ScenarioError(problem((source, 0, 0), f"is not valid YAML: {reason}")) from None
    return root


def _reason(source: Source, line: int, reason: str | None) -> str:
    for at in (line, line - 1):
        if 0 <= at < len(source.lines) and re.match(r" *\t", source.lines[at]):
            return "a tab cannot be used to indent; use spaces"
    return f"is not valid YAML: {reason or 'cannot be read'}"


def _nearby(path: Path) -> str:
    import difflib

    if not path.parent.is_dir():
        return f" There is no folder {path.parent} either."
    names = sorted(p.name for p in path.parent.iterdir() if p.suffix in {".yaml", ".yml"})[:500]
    close = difflib.get_close_matches(path.name, names, n=3, cutoff=0.5) or names[:3]
    return f" Nearby: {', '.join(close)}" if close else ""


def scalar(text: str) -> Any:
    """Return what a plain (unquoted) word means: null, true, false, a number or itself."""
    if text in _NULL:
        return None
    if text in _BOOL:
        return _BOOL[text]
    if _INT.match(text):
        return int(text)
    return float(text) if _FLOAT.match(text) else text


@dataclass
class _Open:
    """A collection whose end has not been seen."""

    node: Node
    key: Any = None
    keys: dict[str, int] = field(default_factory=dict)


class _Builder:
    def __init__(self, source: Source) -> None:
        self.source = source
        self.stack: list[_Open] = []
        self.root: Node | None = None
        self.documents = 0

    def fail(self, event: Any, message: str) -> ScenarioError:
        mark = event.start_mark
        return ScenarioError(problem((self.source, mark.line, mark.column), message))

    def build(self, events: Any) -> Node:
        for event in events:
            self._take(type(event).__name__, event)
        if self.root is None:
            return Node(None, self.source)
        return self.root

    def _take(self, kind: str, event: Any) -> None:
        if kind == "DocumentStartEvent":
            self.documents += 1
            if self.documents > 1:
                raise self.fail(event, "a second document starts here; a scenario is one document")
        elif kind == "AliasEvent" or getattr(event, "anchor", None):
            raise self.fail(event, "YAML anchors and aliases are not allowed; repeat the value")
        elif kind in {"MappingStartEvent", "SequenceStartEvent"}:
            self._check_tag(event)
            if len(self.stack) >= MAX_DEPTH:
                raise self.fail(event, f"is nested deeper than {MAX_DEPTH}")
            node = self._node(event, {} if kind.startswith("M") else [])
            self._add(event, node)
            self.stack.append(_Open(node))
        elif kind in {"MappingEndEvent", "SequenceEndEvent"}:
            self.stack.pop()
        elif kind == "ScalarEvent":
            self._check_tag(event)
            self._scalar(event)

    def _check_tag(self, event: Any) -> None:
        if event.tag is not None:
            raise self.fail(event, "YAML tags are not allowed; write the plain value")

    def _node(self, event: Any, value: Any, text: str | None = None) -> Node:
        mark = event.start_mark
        return Node(value, self.source, mark.line, mark.column, text)

    def _scalar(self, event: Any) -> None:
        top = self.stack[-1] if self.stack else None
        if top is not None and isinstance(top.node.value, dict) and top.key is None:
            if event.value in top.keys:
                first = self.source.at(top.keys[event.value], 0).rsplit(":", 1)[0]
                raise self.fail(event, f"'{event.value}' is set twice (first at {first})")
            top.keys[event.value] = event.start_mark.line
            top.key = (event.value, event.start_mark)
            return
        is_plain = not event.style
        if is_plain and _NOT_FINITE.match(event.value):
            raise self.fail(event, f"{event.value} is not allowed; write a finite number")
        value = scalar(event.value) if is_plain else event.value
        self._add(event, self._node(event, value, event.value))

    def _add(self, event: Any, node: Node) -> None:
        if not self.stack:
            self.root = node
            return
        top = self.stack[-1]
        if isinstance(top.node.value, list):
            top.node.value.append(node)
            return
        if top.key is None:
            raise self.fail(event, "a key must be plain text")
        key, mark = top.key
        node.key_at = (self.source, mark.line, mark.column)
        top.node.value[key] = node
        top.key = None
