"""Prices of the linking rows by steps along what these lack, where owners are knapsacks.

The dual function ``L(p)`` of the linking rows is concave; its value and a subgradient cost one look
at all owners (`sitepick.solve.knapsack`). The volume algorithm (Barahona and Anbil 2000) climbs it:
a step from the best prices so far along what an average of past answers still lacks. The average
itself tends to a solution of the relaxation, and tells which owners are worth trying.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from sitepick.matrix import BoolArray, FloatArray
from sitepick.solve.knapsack import Answer, Knapsacks

_PATIENCE = 12  # steps without a better bound after which they become shorter
_SHORTER = 0.66
_LONGER = 1.1
_LEAST_STEP = 1e-5
_LEAST_WEIGHT = 0.002
_LONGEST = 1.5
_NOTHING = 1e-24
_BEYOND = 0.1
_FINE = 1e-3


@dataclass
class Climb:
    """The best ``prices`` (r,) so far, their ``bound``, and how far the search has come.

    ``opened`` (k,) is the average opening of each owner, ``activity`` (r,) that of the linking
    rows; ``step`` is the length of the next one, ``weight`` that of the last answer in averages.
    """

    prices: FloatArray
    bound: float
    answer: Answer
    opened: FloatArray
    activity: FloatArray
    step: float = 1.0
    weight: float = 0.1
    basis: Any = None


@dataclass(frozen=True)
class Dual:
    """The dual function of the linking rows of knapsacks, some owners held open or closed."""

    blocks: Knapsacks

    @cached_property
    def _full_cost(self) -> FloatArray:
        """(n,) what a unit of a column costs, with its share of the opening of a full owner."""
        blocks = self.blocks
        load = np.bincount(
            blocks.owner, weights=blocks.size * blocks.most, minlength=len(blocks.yes)
        )
        full = np.maximum(np.minimum(blocks.capacity, load), 1e-12)
        share = np.maximum(blocks.cost[blocks.yes], 0.0) / full
        each = blocks.cost.copy()
        each[blocks.flow] += blocks.size * share[blocks.owner]
        return each

    @cached_property
    def _size_and_money(self) -> tuple[FloatArray, FloatArray]:
        """(r,) the bound of each linking row, and about what goes through it in money."""
        blocks, rows = self.blocks, abs(self.blocks.rows)
        low, high = blocks.row_lower, blocks.row_upper
        size = np.maximum(
            np.where(np.isfinite(low), np.abs(low), 0.0),
            np.where(np.isfinite(high), np.abs(high), 0.0),
        )
        reach = rows @ np.maximum(np.abs(blocks.lower), np.abs(blocks.upper))
        size = np.where(size > 0, size, np.maximum(reach, 1e-12))
        unit = (rows @ np.abs(self._full_cost)) / np.maximum(
            rows @ np.ones(len(blocks.cost)), 1e-12
        )
        return size, size * unit

    @property
    def size(self) -> FloatArray:
        """(r,) about the amount that each linking row is about."""
        return self._size_and_money[0]

    @cached_property
    def money(self) -> float:
        """About what the work that must be done comes to, of the size of the objective."""
        _, money = self._size_and_money
        whole = float(money[self.blocks.row_lower > 0].sum())
        return whole if whole > 0 else 1.0

    @cached_property
    def scale(self) -> FloatArray:
        """(r,) what a lack of each linking row is measured by.

        That is its bound over the root of the money that goes through it, so that MW of a place
        and a number of sites compare: prices then move in proportion to what they come to.
        """
        size, money = self._size_and_money
        return np.asarray(size / np.sqrt(np.where(money > 0, money, self.money)))

    def usable(self, prices: FloatArray) -> FloatArray:
        """Return ``prices`` (r,) with none that leans on an infinite bound."""
        low, high = self.blocks.row_lower, self.blocks.row_upper
        prices = np.where(np.isneginf(low), np.minimum(prices, 0.0), prices)
        return np.where(np.isposinf(high), np.maximum(prices, 0.0), prices)

    def at(
        self, prices: FloatArray, held_open: BoolArray, held_closed: BoolArray
    ) -> tuple[float, Answer, BoolArray]:
        """Return the bound at ``prices`` (r,), the owners' answer, and which of them open."""
        blocks, shared = self.blocks, self.blocks.shared
        low, high = blocks.row_lower, blocks.row_upper
        answer = blocks.answer(prices)
        opened = ((answer.worth < 0) | held_open) & ~held_closed
        side = np.where(prices > 0, low, np.where(prices < 0, high, 0.0))
        z = answer.reduced[shared]
        bound = (
            float(prices @ side)
            + float(answer.worth[opened].sum())
            + float(np.minimum(z * blocks.lower[shared], z * blocks.upper[shared]).sum())
            + blocks.offset
        )
        return bound, answer, opened

    def lack(self, activity: FloatArray, prices: FloatArray) -> FloatArray:
        """Return (r,) what linking rows of ``activity`` (r,) lack, where ``prices`` can act."""
        low, high = self.blocks.row_lower, self.blocks.row_upper
        under, over = low - activity, high - activity
        free = np.where(under > 0, under, np.where(over < 0, over, 0.0))
        return np.where(prices > 0, under, np.where(prices < 0, over, free))

    def start(self) -> FloatArray:
        """Return prices (r,) to begin with: the least that a unit costs in full sites."""
        blocks, each = self.blocks, np.full(len(self.blocks.cost), np.inf)
        each[blocks.flow] = self._full_cost[blocks.flow]
        entries = blocks.rows.data
        useful = np.where(entries > 0, entries, 1.0)
        unit = np.where(entries > 0, each[blocks.rows.indices] / useful, np.inf)
        prices = np.zeros(len(blocks.linking))
        filled = np.flatnonzero(np.diff(blocks.rows.indptr) > 0)
        if len(filled):
            prices[filled] = np.minimum.reduceat(unit, blocks.rows.indptr[:-1][filled])
        return np.where(np.isfinite(prices) & (blocks.row_lower > 0), prices, 0.0)

    def begin(self, prices: FloatArray, held_open: BoolArray, held_closed: BoolArray) -> Climb:
        """Return the climb at ``prices`` (r,), nothing averaged yet."""
        prices = self.usable(prices)
        bound, answer, opened = self.at(prices, held_open, held_closed)
        x = self.blocks.point(answer, opened.astype(float))
        return Climb(prices, bound, answer, opened.astype(float), self.blocks.rows @ x)

    def climb(
        self,
        state: Climb,
        held_open: BoolArray,
        held_closed: BoolArray,
        rounds: int,
        goal: float,
    ) -> Climb:
        """Climb for at most ``rounds`` steps, or to ``goal`` (inf where it is not known)."""
        scale, rows = self.scale, self.blocks.rows
        prices, bound, answer = state.prices, state.bound, state.answer
        opened, activity, step, weight = state.opened, state.activity, state.step, state.weight
        slow = 0
        for number in range(rounds):
            if bound >= goal or step < _LEAST_STEP:
                break
            lack = self.lack(activity, prices) / scale
            norm = float(lack @ lack)
            if norm <= _NOTHING:
                break
            # towards somewhat more than the goal: steps must not die out on the way to it
            rise = (1 + _BEYOND) * (goal - bound) + _BEYOND * _FINE * abs(bound)
            if not np.isfinite(goal):
                rise = _BEYOND * max(abs(bound), self.money)
            trial = self.usable(prices + step * rise / norm * lack / scale)
            value, found, now = self.at(trial, held_open, held_closed)
            fresh = rows @ self.blocks.point(found, now.astype(float))
            # the weight with which least is lacking, within bounds
            new = self.lack(fresh, trial) / scale
            apart = new - lack
            size = float(apart @ apart)
            share = weight if size <= 0 else -float(lack @ apart) / size
            share = min(max(share, weight / 10), weight)
            activity = share * fresh + (1 - share) * activity
            opened = share * now + (1 - share) * opened
            if value > bound:
                if float(lack @ new) > 0:
                    step = min(step * _LONGER, _LONGEST)
                prices, bound, answer, slow = trial, value, found, 0
            else:
                slow += 1
                if slow >= _PATIENCE:
                    step, slow = step * _SHORTER, 0
            if number % 100 == 99:
                weight = max(_LEAST_WEIGHT, 0.7 * weight)
        return Climb(prices, bound, answer, opened, activity, step, weight)
