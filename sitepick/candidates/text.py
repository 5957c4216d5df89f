"""Small helpers for messages and empty tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from sitepick.layers.types import Layers


def some(ids: Iterable[object], most: int = 5) -> str:
    """Return the first few of sorted ``ids`` and how many more there are."""
    listed = sorted({str(i) for i in ids})
    more = len(listed) - most
    return ", ".join(listed[:most]) + (f" and {more} more" if more > 0 else "")


def did_you_mean(wrong: str, known: Sequence[str]) -> str:
    """Return ``"; did you mean X?"`` or nothing."""
    # difflib is slow on long lists: a shared first letter is enough of a filter then
    if len(known) > 5_000:
        known = [k for k in known if k[:1].lower() == wrong[:1].lower()][:5_000]
    same = [k for k in known if _bare(k) == _bare(wrong)]  # other case or spacing
    close = same or get_close_matches(wrong, known, n=1, cutoff=0.6)
    return f"; did you mean '{close[0]}'?" if close else ""


def _bare(text: str) -> str:
    return "".join(text.casefold().split())


def where(layers: Layers, role: str) -> str:
    """Return ``role (file, file)`` for messages; the role alone if no source is known."""
    paths = sorted({s.path for s in layers.sources if s.role == role})
    return f"{role} ({', '.join(paths)})" if paths else role


def empty(columns: Iterable[str]) -> pd.DataFrame:
    """Return a table without rows."""
    import pandas as pd

    return pd.DataFrame({c: pd.Series(dtype=object) for c in columns})


def keep_columns(frame: pd.DataFrame) -> list[str]:
    """Return the user's own columns of a layer, sorted."""
    return sorted(str(c) for c in frame.columns if str(c).startswith("keep:"))


def objects(column: pd.Series) -> pd.Series:
    """Return a column of objects in which missing is None, never nan."""
    import pandas as pd

    plain = column.astype(object)
    return plain.where(
        ~plain.map(lambda v: v is None or (not isinstance(v, tuple) and pd.isna(v))), None
    )
