"""From files to one tree: ``extends`` chains and ``--set`` overrides, positions kept."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path, PurePosixPath, PureWindowsPath

from sitepick.errors import ScenarioError
from sitepick.scenario.yaml_tree import MAX_DEPTH, Node, Source, parse, problem, read_text

MAX_CHAIN = 10


def load_chain(path: Path) -> Node:
    """Return the scenario of ``path`` merged over all it extends.

    Maps merge key by key, everything else is replaced. Layer paths of a parent are rewritten to
    be relative to the folder of ``path``. Raises ScenarioError.
    """
    return _load(path, [])


def _load(path: Path, below: list[Path]) -> Node:
    root = parse(read_text(path), str(path))
    if root.value is None:
        raise ScenarioError(f'{path}: error: is empty; run "sitepick init" for a template')
    if not isinstance(root.value, dict):
        raise ScenarioError(problem(root.place(), "a scenario is a map of keys such as 'demand:'"))
    parent = root.value.pop("extends", None)
    if parent is None:
        return root
    if not isinstance(parent.value, str) or not parent.value:
        many = isinstance(parent.value, list)
        hint = "; one parent only" if many else ""
        raise ScenarioError(
            problem(parent.place(), f"must be the path of one scenario file{hint}", "extends")
        )
    chain = [*below, path]
    target = path.parent / parent.value
    shown = " -> ".join(str(p) for p in [*chain, target])
    if not _exists(target):
        raise ScenarioError(
            problem(parent.place(), f"no such file {target} (chain: {shown})", "extends")
        )
    if target.resolve() in {p.resolve() for p in chain}:
        raise ScenarioError(problem(parent.place(), f"goes round in a circle: {shown}", "extends"))
    if len(chain) >= MAX_CHAIN:
        raise ScenarioError(
            problem(parent.place(), f"more than {MAX_CHAIN} files deep: {shown}", "extends")
        )
    base = _load(target, chain)
    _rebase(base, target.parent, path.parent)
    return merged(base, root)


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # a name that is too long, or that no file system can hold
        return False


def merged(base: Node, over: Node) -> Node:
    """Return ``over`` laid on ``base``: maps key by key, anything else replaced."""
    if not isinstance(base.value, dict) or not isinstance(over.value, dict):
        return over
    value = dict(base.value)
    for key, node in over.value.items():
        value[key] = merged(value[key], node) if key in value else node
    return Node(value, over.source, over.line, over.col, over.text, over.key_at)


def _rebase(root: Node, old: Path, new: Path) -> None:
    prefix = os.path.relpath(old.resolve(), new.resolve())
    if prefix == ".":
        return
    futures = root.value.get("futures")
    own = futures.value.values() if futures and isinstance(futures.value, dict) else ()
    for tree in (root, *own):
        _rebase_files(tree, prefix)
    if "baseline" in root.value:
        _move(root.value["baseline"], prefix)


def _rebase_files(root: Node, prefix: str) -> None:
    """Rewrite the paths of a scenario, or of a future, whose keys may be dotted."""
    for section, key in (("layers", "file"), ("flexible", "curve"), ("grid", "file")):
        for at, node in root.leaves():
            dotted = [name for part in at for name in part.split(".")]
            if len(dotted) > 1 and dotted[0] == section and dotted[-1] == key:
                _move(node, prefix)


def _move(node: Node, prefix: str) -> None:
    """Rewrite a relative path in place."""
    if isinstance(node.value, str) and _is_relative(node.value):
        node.value = node.text = os.path.normpath(str(PurePosixPath(prefix) / node.value))


def _is_relative(name: str) -> bool:
    return not (
        Path(name).is_absolute()
        or PureWindowsPath(name).is_absolute()
        or re.match(r"[A-Za-z][A-Za-z0-9+.-]+:", name)  # bundled:NAME, or some scheme
    )


def apply_overrides(root: Node, overrides: Sequence[str]) -> Node:
    """Return ``root`` with each ``a.b.c=value`` set, in order. All faults are collected."""
    problems = []
    for number, text in enumerate(overrides, start=1):
        source = Source(f"--set #{number}", (text,), positioned=False)
        try:
            keys, value = _split(text, source)
            root = set_at(root, keys, value, source)
        except ScenarioError as why:
            problems += why.problems
    if problems:
        raise ScenarioError(problems)
    return root


def _split(text: str, source: Source) -> tuple[list[str], Node]:
    if len(text) > 100_000:
        raise ScenarioError(f"{source.name}: error: is longer than 100,000 characters")
    found = re.match(r"""\s*((?:"[^"]*"|'[^']*'|[^=."'])(?:"[^"]*"|'[^']*'|[^="'])*)=""", text)
    if found is None:
        raise ScenarioError(problem((source, 0, 0), "write key.key=value"))
    try:
        keys = split_keys(found[1])
    except ValueError:
        raise ScenarioError(problem((source, 0, 0), "an empty key; write key.key=value")) from None
    if len(keys) > MAX_DEPTH:
        raise ScenarioError(problem((source, 0, 0), f"is nested deeper than {MAX_DEPTH}"))
    if keys[0] == "extends":
        raise ScenarioError(problem((source, 0, 0), "'extends' can be set in a file only"))
    # blanks in place of the keys, so that columns are those of the whole argument
    value = parse(" " * found.end() + text[found.end() :], source.name, False, shown=text)
    return keys, value


def split_keys(path: str) -> list[str]:
    """Return the keys of ``a.b."c.d"`` or ``rules[0].x``. Raises ValueError for an empty one."""
    keys = [
        key
        for part in re.findall(r"""(?:"[^"]*"|'[^']*'|[^."'])+""", path)
        for key in _indexed(part.strip())
    ]
    if not keys or not all(keys) or path.count("..") or path.rstrip().endswith("."):
        raise ValueError(path)
    return keys


def _indexed(part: str) -> list[str]:
    """Return the keys of one part of a path: ``rules[0]``, as messages write it, is rules and 0."""
    found = re.fullmatch(r"""([^"'\[\]]+)((?:\[\d+\])+)""", part)
    if found is None:
        return [part.strip("\"'")]
    return [found[1], *re.findall(r"\d+", found[2])]


def set_at(root: Node, keys: list[str], value: Node, source: Source) -> Node:
    """Set in place; every node on the way belongs to this tree alone."""
    at, done = root, ""
    for i, key in enumerate(keys):
        last = i == len(keys) - 1
        done = f"{done}.{key}" if done else key
        if isinstance(at.value, list):
            if not key.isdigit() or int(key) > len(at.value):
                raise ScenarioError(
                    problem(
                        (source, 0, 0),
                        f"is a list of {len(at.value)}; write an index from 0 to {len(at.value)}",
                        done.rpartition(".")[0],
                    )
                )
            if int(key) == len(at.value):
                at.value.append(Node({}, source))
            if last:
                at.value[int(key)] = value
            at = at.value[int(key)]
            continue
        if not isinstance(at.value, dict):
            at.value, at.text = {}, None
            at.source, at.line, at.col = source, 0, 0
        if last:
            value.key_at = (source, 0, 0)
            at.value[key] = value
        elif key not in at.value:
            at.value[key] = Node({}, source, key_at=(source, 0, 0))
        at = at.value[key]
    return root
