"""Which limits a report calls binding, and by which of the two kinds of price."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sitepick.run import Binding
from sitepick.words import LETTER, LINES

if TYPE_CHECKING:
    from sitepick.run import Run

HELD, FREE = "whole decisions held", "all decisions free and in fractions"
"""Which decisions a price keeps."""
LEAST_MUSD = 1e-3
"""Prices below 1,000 USD per unit are noise of the solver."""


def priced(run: Run) -> tuple[tuple[Binding, ...], bool]:
    """Return the limits with a price, dearest first, and whether whole decisions are held.

    Whole halls leave a little of every limit, so that with all whole decisions held none may have a
    price. Then the prices are those of the whole problem, where all may be decided anew. Letters
    are part of the MW of their POI. Lines of the grid are told with held prices only, elsewhere.
    """
    if run.binding or (run.grid is not None and run.grid.limiting):
        return run.binding, True
    found = [
        Binding(use.limit, use.where, use.when, use.amount, use.unit, use.lp_price_musd)
        for use in run.limits
        if use.lp_price_musd is not None
        and use.lp_price_musd > LEAST_MUSD
        and use.limit not in (LETTER, LINES)
    ]
    return tuple(sorted(found, key=lambda b: (-b.price_musd, b.limit, b.where, b.when))), not found
