"""The order of rows in input files changes nothing: not the candidates, not a number of the model.

So a run whose files were sorted anew has the same plan, whatever the solver does.
"""

from __future__ import annotations

import csv
import random
import tempfile
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from helpers import month
from hypothesis import given, settings
from hypothesis import strategies as st

from sitepick import pipeline
from sitepick.blocks import build
from sitepick.candidates.types import Candidates
from sitepick.instance import assemble
from sitepick.matrix import Matrix

TABLES = ("sites", "failed", "pois", "ties", "site_regions", "places", "reach", "offers",
          "demand_mw", "shared_limits", "commitments")  # fmt: skip


def read(shuffle: int | None, *, ids: bool) -> tuple[Candidates, Matrix]:
    """Return candidates and program of the valley; without ``ids`` letters have none, and tie."""
    with tempfile.TemporaryDirectory() as root:
        folder = month.write(Path(root), shuffle=shuffle)
        if not ids:
            _without_ids(folder / "letters.csv", shuffle)
        fields = "{poi_id: POI, mw_total: grid_mw, from_date: In service, firm: Firm}"
        extra = () if ids else (f"layers.power_offers.fields={fields}",)
        prepared = pipeline.prepare(pipeline.load(folder / "valley.yaml", extra))
    program, _ = build(assemble(prepared.scenario, prepared.candidates))
    return prepared.candidates, program.matrix


def _without_ids(path: Path, shuffle: int | None) -> None:
    """Drop the letters' ids, and give one POI two tranches of the same day."""
    with path.open(encoding="utf-8", newline="") as stream:
        header, *rows = csv.reader(stream)
    more = [[*row[:2], "90", *row[3:]] for row in rows if row[1] == "Birch"]
    rows = [row[1:] for row in (*rows, *more)]
    random.Random(shuffle or 0).shuffle(rows)
    with path.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([header[1:], *rows])


@cache
def as_typed(ids: bool) -> tuple[Candidates, Matrix]:
    return read(None, ids=ids)


@pytest.mark.parametrize("ids", [True, False])
@settings(max_examples=6, deadline=None, derandomize=True)
@given(st.integers(1, 10_000))
def test_shuffled_files_give_the_same_model(ids: bool, shuffle: int) -> None:
    (left, a), (right, b) = as_typed(ids), read(shuffle, ids=ids)
    for name in TABLES:
        pd.testing.assert_frame_equal(
            getattr(left, name), getattr(right, name), check_exact=True, obj=name
        )
    assert (a.A != b.A).nnz == 0
    assert (a.A.indices == b.A.indices).all()
    for part in ("cost", "lower", "upper", "row_lower", "row_upper", "owner", "integer"):
        assert np.array_equal(getattr(a, part), getattr(b, part)), part
