"""Bokeh documents as JSON with ids of our own: the same figures give the same bytes."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import bokeh
from bokeh.document import Document

_ID = re.compile(r"p\d+")
_LONG = 1000  # items; shorter lists stay as they are
_SCRIPTS = ("bokeh.min.js", "bokeh-gl.min.js")


def scripts() -> list[str]:
    """Return the JavaScript of Bokeh that the page needs, as it ships with the package."""
    folder = Path(bokeh.__file__).parent / "server" / "static" / "js"
    return [(folder / name).read_text(encoding="utf-8") for name in _SCRIPTS]


def document_json(figures: Sequence[Any]) -> tuple[dict[str, Any], list[str]]:
    """Return a document with ``figures`` as its roots, and the ids of those."""
    document = Document()
    with document.models.freeze():  # else it counts all models again after each
        for figure in figures:
            document.add_root(figure)
    text = json.dumps(document.to_json(deferred=False))
    names: dict[str, str] = {}

    def renamed(value: Any) -> Any:
        if isinstance(value, dict):
            out = {}
            for key, item in value.items():
                of_model = key == "id" and isinstance(item, str) and _ID.fullmatch(item)
                out[key] = names.setdefault(item, f"m{len(names)}") if of_model else renamed(item)
            return out
        return [renamed(v) for v in value] if isinstance(value, list) else value

    record = packed(renamed(json.loads(text)))
    return record, [names[figure.id] for figure in figures]


def packed(value: Any) -> Any:
    """Return plain JSON with each long list that repeats itself as its different items and numbers.

    ``{"packed": [items], "at": [which]}``: of 41,000 places most say "unknown" more than once. The
    page's script puts the lists back before Bokeh sees them.
    """
    if isinstance(value, dict):
        return {key: packed(item) for key, item in value.items()}
    if not isinstance(value, list):
        return value
    if len(value) < _LONG or not all(x is None or isinstance(x, (str, float)) for x in value):
        return [packed(item) for item in value]
    number: dict[Any, int] = {}
    at = [number.setdefault(item, len(number)) for item in value]
    return {"packed": list(number), "at": at} if 3 * len(number) < len(value) else value
