"""The merged scenario as canonical YAML: same scenario, same bytes; read back, same scenario."""

from __future__ import annotations

import re

from sitepick.scenario.yaml_tree import Node, scalar

# plain only where YAML 1.1 and 1.2 readers agree that it is text
_SAFE = re.compile(r"[A-Za-z0-9_./][A-Za-z0-9_./()+%-]*(?: [A-Za-z0-9_./()+%-]+)*\Z")
_WORDS = {"y", "n", "yes", "no", "on", "off", "true", "false", "null"}
_NUMBERLIKE = re.compile(r"[-+.]?[0-9][0-9_.:eExXoO+-]*\Z")
_DATE = re.compile(r"\d{4}-\d{2}(-\d{2})?\Z")


def dump(root: Node) -> str:
    """Return ``root`` as block YAML, keys in order of appearance, two spaces per level."""
    return "\n".join(_lines(root, "")) + "\n"


def _lines(node: Node, pad: str) -> list[str]:
    out: list[str] = []
    if isinstance(node.value, dict):
        for key, child in node.value.items():
            out += _entry(f"{pad}{_key(key)}:", child, pad)
    else:
        for child in node.value:
            if isinstance(child.value, (dict, list)) and child.value:
                below = _lines(child, pad + "  ")
                out += [f"{pad}- {below[0].lstrip(' ')}", *below[1:]]
            else:
                out.append(f"{pad}- {_scalar(child)}")
    return out


def _entry(head: str, child: Node, pad: str) -> list[str]:
    if isinstance(child.value, (dict, list)) and child.value:
        return [head, *_lines(child, pad + "  ")]
    return [f"{head} {_scalar(child)}"]


def _key(key: str) -> str:
    # keys are always text to our reader: 2027 needs no quotes
    return key if re.fullmatch(r"\d+(\.\d+)?", key) else _text(key)


def _scalar(node: Node) -> str:
    value = node.value
    if isinstance(value, (dict, list)):
        return "{}" if isinstance(value, dict) else "[]"
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return node.text if node.text is not None else repr(value)
    return _text(value)


def _text(value: str) -> str:
    if _DATE.match(value):
        return value
    plain = (
        _SAFE.match(value)
        and value.lower() not in _WORDS
        and not _NUMBERLIKE.match(value)
        and scalar(value) == value
    )
    return value if plain else f'"{"".join(_escaped(c) for c in value)}"'


def _escaped(char: str) -> str:
    if char in '"\\':
        return "\\" + char
    if char.isprintable():
        return char
    code = ord(char)
    return (
        f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}" if code < 65536 else f"\\U{code:08x}"
    )
