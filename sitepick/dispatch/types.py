"""A grid state to be dispatched, the dispatch found, and the cut that says what it cannot carry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sitepick.network.conditions import Groups
from sitepick.network.types import FloatArray, IntArray

BASE = -1
"""Outage of a row with everything in service."""
TOLERANCE_MW = 1e-5
"""What may be over a limit and still count as kept."""
Pair = tuple[int, int]
"""A branch and a lost branch (or BASE)."""


@dataclass(frozen=True)
class Case:
    """A grid in one condition at one time: N buses, K groups, M branches."""

    groups: Groups
    low_mw: FloatArray  # (K,)
    high_mw: FloatArray  # (K,)
    units: IntArray  # (K,) units in service
    load_mw: FloatArray  # (N,)
    rating_mw: FloatArray  # (M,) normal; inf: not monitored
    emergency_factor: float
    excuses: Mapping[Pair, float] = field(default_factory=dict)  # MW added to the limit


@dataclass(frozen=True)
class Cut:
    """What new loads must keep: ``by_bus @ new_load <= limit + by_branch @ added rating``.

    It holds for every set of loads that some secure dispatch carries. ``pairs`` are the rows that
    it is made of, with their weights: what limits.
    """

    by_bus: FloatArray  # (N,) per MW of new load
    limit: float  # MW
    by_branch: FloatArray  # (M,) per MW of normal rating added
    pairs: tuple[tuple[Pair, float], ...]


@dataclass(frozen=True)
class Dispatch:
    """A dispatch: MW of each group, branch flows with everything in service, what is over."""

    mw: FloatArray  # (K,)
    flow_mw: FloatArray  # (M,) positive from the branch's first bus to its second
    over_mw: dict[Pair, float]  # MW over the limit; empty when secure
    unserved_mw: float  # load that no generation serves
    cost_usd_h: float
    cut: Cut | None  # None when secure

    @property
    def secure(self) -> bool:
        """Whether every limit is kept and all load is served."""
        return not self.over_mw and self.unserved_mw <= TOLERANCE_MW
