"""The `where:` filter: SQL's meaning, nothing executed, faults that say what to write."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from sitepick.layers.where import rows_where

FRAME = pd.DataFrame(
    {
        "kv": ["345", "138", "", "69.5"],
        "ST": ["TX", "OK", "tx", None],
        "Asking price": [10, 20, 30, np.nan],
        "dc": ["t", "f", "", "f"],
        "or": [1, 2, 3, 4],
    },
    dtype=object,
)


def kept(condition: str) -> list[int]:
    return np.flatnonzero(rows_where(condition, FRAME, lambda _: None)).tolist()


@pytest.mark.parametrize(
    ("condition", "rows"),
    [
        ("kv >= 100", [0, 1]),
        ("kv < 100", [3]),
        ("NOT kv < 100", [0, 1]),  # an empty cell is neither
        ("kv IS NULL", [2]),
        ("kv is not null and st = 'TX'", [0]),
        ("ST IN ('TX', 'OK')", [0, 1]),
        ("ST NOT IN ('TX')", [1, 2]),
        ("ST LIKE 'T%'", [0]),
        ("ST ILIKE 't_'", [0, 2]),
        ("ST NOT LIKE 'T%'", [1, 2]),
        ("kv BETWEEN 69.5 AND 138", [1, 3]),
        ("kv NOT BETWEEN 69.5 AND 138", [0]),
        ('"Asking price" > 10', [1, 2]),
        ('"Asking price" != 10', [1, 2]),
        ('"or" = 2 OR "or" = 4', [1, 3]),
        ("ST = 'TX' OR kv = 138 AND \"or\" = 3", [0]),
        ("(ST = 'TX' OR kv = 138) AND \"or\" = 2", [1]),
        ("dc = TRUE", [0]),
        ("dc = false", [1, 3]),
        ("dc <> TRUE", [1, 3]),
        ("kv = -1e3", []),
        ("ST = 'it''s'", []),
    ],
)
def test_rows(condition: str, rows: list[int]) -> None:
    assert kept(condition) == rows


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ("", "is empty"),
        ("kv", "expected = < >"),
        ("kv = ", "expected a number or 'text' but found 'the end'"),
        ("kv = TX", "quote text as 'text'"),
        ("kv = NULL", "IS NULL"),
        ("kvv = 3", "did you mean 'kv'"),
        ("kv = 3 kv = 4", "expected AND or OR"),
        ("(kv = 3", "expected \\)"),
        ("kv ; drop", "cannot be read from ';"),
        ("__import__('os')", "no column '__import__'"),
        ("kv > TRUE", "compared with = or !="),
        ("kv LIKE 3", "LIKE needs a text"),
        ("(" * 60 + "kv = 1" + ")" * 60, "nested deeper than 50"),
        ("NOT " * 60 + "kv = 1", "nested deeper than 50"),
        ("kv = 1 OR " * 1000 + "kv = 1", "longer than"),
    ],
)
def test_faults(condition: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        kept(condition)


def test_our_names_serve_where_the_file_has_none() -> None:
    ours = {"headroom_mw": np.array([1.0, 5.0, None, 9.0], dtype=object)}
    assert np.flatnonzero(rows_where("headroom_mw > 2", FRAME, ours.get)).tolist() == [1, 3]


def test_like_with_many_wildcards_is_quick() -> None:
    frame = pd.DataFrame({"a": ["a" * 2000] * 3}, dtype=object)
    assert not rows_where("a LIKE '%%%%%%%%%%b'", frame, lambda _: None).any()
