"""Faults in planner's words: where each stands in the tree, and what to write instead."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from typing import Any, get_args

from pydantic import BaseModel

from sitepick.scenario.yaml_tree import Node, clean, problem
from sitepick.units import shown_unit

Loc = Sequence[str | int]
MAX_SHOWN = 100


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return ``; did you mean 'x'?`` for the closest of ``known``, or an empty text."""
    choices = {k.lower(): k for k in known}
    close = difflib.get_close_matches(word.lower(), list(choices), n=1, cutoff=0.6)
    return f"; did you mean '{choices[close[0]]}'?" if close else ""


def find(root: Node, loc: Loc) -> tuple[Node, list[str]]:
    """Return the deepest node that ``loc`` names, and its path.

    Parts of ``loc`` that are no key or index there (names of union members, the index of a single
    thing given without brackets) are passed over.
    """
    node, path = root, []
    for part in loc:
        if isinstance(node.value, dict) and str(part) in node.value:
            node = node.value[str(part)]
            path.append(str(part))
        elif isinstance(node.value, list) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            path.append(str(part))
    return node, path


def numbers_meant_as_text(root: Node, errors: list[Any]) -> bool:
    """Turn plain words such as 48 or 1e3 back into text where text is needed; say whether any."""
    found = False
    for error in errors:
        if error["type"] != "string_type":
            continue
        node, _ = find(root, error["loc"])
        if isinstance(node.value, (bool, int, float)) and node.text is not None:
            node.value = node.text
            found = True
    return found


def describe(root: Node, errors: list[Any], model: type[BaseModel]) -> list[str]:
    """Return one problem per pydantic error, in order of place; at most MAX_SHOWN."""
    out: dict[tuple[int, int, int], dict[str, None]] = {}
    order: dict[str, int] = {}
    for error in errors[:MAX_SHOWN]:
        node, path = find(root, error["loc"])
        message, path, of_key = _message(node, path, error, model)
        place = node.place(of_key)
        rank = order.setdefault(place[0].name, len(order))
        text = problem(place, message, ".".join(path))
        out.setdefault((rank, place[1], place[2]), {})[text] = None
    more = len(errors) - MAX_SHOWN
    return [text for key in sorted(out) for text in out[key]] + (
        [f"... and {more} more"] if more > 0 else []
    )


def _message(
    node: Node, path: list[str], error: Any, model: type[BaseModel]
) -> tuple[str, list[str], bool]:
    kind, loc, ctx = error["type"], error["loc"], error.get("ctx", {})
    last = str(loc[-1]) if loc else ""
    if kind == "extra_forbidden":
        return _unknown_key(last, path, model), path, True
    if kind == "missing":
        whole = [*path, last]
        return f"missing required key '{last}'{_hint_missing(last)}", whole, True
    if last == "[key]":
        return _bad_key(str(loc[-2]), error), path, True
    if path == ["version"]:
        return _version(node), path, False
    if node.value is None and kind not in {"value_error"}:
        return "is empty; give a value or remove the key", path, True
    text = _words(kind, ctx, error["msg"], path)
    text += _got(node, kind)
    if kind == "literal_error":
        text += did_you_mean(str(node.value), _choices(ctx["expected"]))
    return text, path, False


def _version(node: Node) -> str:
    if isinstance(node.value, int) and node.value > 1:
        return f"version {node.value} is made for a newer sitepick; this one reads 1"
    return "this sitepick reads version 1; write 'version: 1'"


def _hint_missing(key: str) -> str:
    example = {
        "version": "version: 1",
        "as_of": "as_of: 2026-11-23",
        "periods": "periods: {from: 2027, to: 2030, step: year}",
        "demand": "demand: {it_mw: {2027: 100, 2030: 400}}",
        "file": "file: PATH",
    }.get(key)
    return f"; for example '{example}'" if example else ""


def _bad_key(key: str, error: Any) -> str:
    if error["type"] == "literal_error":
        expected = error["ctx"]["expected"]
        return f"unknown key '{key}'; one of {expected}{did_you_mean(key, _choices(expected))}"
    if error["type"] == "value_error":
        return f"key '{key}': {_bare(error['msg'])}"
    return f"key '{key}': {_words(error['type'], error.get('ctx', {}), error['msg'], [])}"


def _bare(message: str) -> str:
    return re.sub(r"^Value error, ", "", message)


def _choices(expected: str) -> list[str]:
    return re.findall(r"'([^']*)'", expected)


def _words(kind: str, ctx: Any, message: str, path: list[str]) -> str:
    unit = next((u for u in (shown_unit(p) for p in reversed(path)) if u), "")
    after = f" {unit}" if unit else ""
    simple = {
        "string_type": "must be text",
        "string_unicode": "has characters that are no text",
        "bool_type": "must be true or false",
        "bool_parsing": "must be true or false",
        "float_type": f"must be a number{f' ({unit})' if unit else ''}",
        "float_parsing": f"must be a number{f' ({unit})' if unit else ''}",
        "int_type": "must be a whole number",
        "int_parsing": "must be a whole number",
        "int_from_float": "must be a whole number",
        "int_parsing_size": "is too large",
        "finite_number": "must be a finite number",
        "list_type": "must be a list, such as [a, b]",
        "dict_type": "must be a map of keys, such as {2027: 100}",
        "model_type": "must be a map of keys, such as {key: value}",
        "model_attributes_type": "must be a map of keys, such as {key: value}",
    }
    if kind.startswith("model_") and path[:1] == ["layers"] and len(path) > 1:
        return "must be a map of keys, such as {file: PATH}"
    if kind in simple:
        return simple[kind]
    if kind == "literal_error":
        return f"must be {ctx['expected']}"
    if kind in {"greater_than", "greater_than_equal", "less_than", "less_than_equal"}:
        bound = {
            "greater_than": ("gt", "more than"),
            "greater_than_equal": ("ge", "at least"),
            "less_than": ("lt", "less than"),
            "less_than_equal": ("le", "at most"),
        }[kind]
        return f"must be {bound[1]} {ctx[bound[0]]:g}{after}"
    if kind == "string_too_short":
        return "must not be empty"
    if kind == "string_too_long":
        return f"must have at most {ctx['max_length']} characters"
    text = _bare(message)
    return text.replace("Input should be", "must be")


def _got(node: Node, kind: str) -> str:
    """Say what was written where the message alone would leave the user searching."""
    if kind == "value_error" or isinstance(node.value, (dict, list)) or node.text is None:
        return ""
    shown = clean(node.text)
    shown = shown if len(shown) <= 40 else shown[:37] + "..."
    return f", not {shown!r}" if isinstance(node.value, str) else f", not {shown}"


def _unknown_key(key: str, path: list[str], model: type[BaseModel]) -> str:
    here = keys_at(model, path)
    hint = did_you_mean(key, here)
    if not hint:
        elsewhere = [p for p in all_paths(model) if p.rpartition(".")[2] == key]
        if elsewhere:
            hint = f"; it belongs in '{elsewhere[0].rpartition('.')[0] or 'the top level'}'"
        elif here:
            hint = f"; known here: {', '.join(here[:8])}{', ...' if len(here) > 8 else ''}"
    return f"unknown key '{key[:60]}'{hint}"


def models_in(annotation: Any) -> list[type[BaseModel]]:
    """Return the sections that an annotation allows, in its order."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [m for arg in get_args(annotation) for m in models_in(arg)]


def yaml_keys(model: type[BaseModel]) -> dict[str, Any]:
    """Return the fields of a section by the key that a user writes."""
    return {f.alias or name: f for name, f in model.model_fields.items()}


def keys_at(model: type[BaseModel], path: Sequence[str]) -> list[str]:
    """Return the keys that may stand at ``path``."""
    here = [model]
    for part in path:
        below = [
            m
            for c in here
            if part in yaml_keys(c)
            for m in models_in(yaml_keys(c)[part].annotation)
        ]
        here = below or here  # an index or a free name (of a workload, say) stays in its section
    return list(dict.fromkeys(k for c in here for k in yaml_keys(c)))


def all_paths(model: type[BaseModel], above: str = "") -> list[str]:
    """Return every dotted key of the model, shallow ones first; lists and free names left out."""
    fields = yaml_keys(model)
    out = [above + k for k in fields]
    for key, info in fields.items():
        for below in models_in(info.annotation):
            out += all_paths(below, f"{above}{key}.")
    return sorted(dict.fromkeys(out), key=lambda p: p.count("."))
