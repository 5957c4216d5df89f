"""Which random worlds run always, and which few that take seconds only with `SITEPICK_BENCH=1`."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable
from typing import Any

import pytest

BENCH = "SITEPICK_BENCH" in os.environ


def seeds(every: Iterable[int], long: Collection[int]) -> list[Any]:
    """Return parameters of a test; the seeds in ``long`` are skipped, and say so, in a usual run.

    ``long``: worlds that take much longer than others and show nothing that others do not.
    """
    skip = pytest.mark.skipif(not BENCH, reason="takes seconds; set SITEPICK_BENCH=1 to run it")
    return [pytest.param(seed, marks=skip) if seed in long else seed for seed in every]
