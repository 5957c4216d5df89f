"""Text that came from the outside, made safe for the file it goes to. Data stays data.

Names and ids are untrusted: a spreadsheet must not run them, XML and SQLite must not choke on
them, and the same id must read the same in every file of a run.
"""

from __future__ import annotations

import re

_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffe\uffff]")
_SURROGATES = re.compile(r"[\ud800-\udfff]")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_STARTS_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
# spaces of all kinds, and what is not seen: marks of direction, of joining, of byte order
_UNSEEN = re.compile(r"^[\s\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]*")


def clean(text: str) -> str:
    """Return ``text`` without control characters (tab and line ends stay) and lone surrogates.

    XML 1.0, and so XLSX, has no way to write them; SQLite and CSV readers stop at NUL.
    """
    return _SURROGATES.sub("\ufffd", _CONTROLS.sub("", text))


def inert(text: str) -> str:
    """Return ``text`` so that a spreadsheet shows it and never computes it.

    A leading apostrophe is put before what a spreadsheet would take for a formula, also after
    leading spaces and marks that are not seen, and before a leading tab or line end. Plain numbers
    such as ``-97.5`` are left as they are.
    """
    bare = _UNSEEN.sub("", text)
    risky = bare.startswith(_STARTS_FORMULA) or text.lstrip(" ").startswith(_STARTS_FORMULA)
    return "'" + text if risky and not _NUMBER.fullmatch(text.strip(" ")) else text


def as_written(text: str) -> str:
    """Undo `inert`: what keeps a spreadsheet from running a text was not part of it."""
    return text[1:] if text.startswith("'") and inert(text[1:]) == text else text
