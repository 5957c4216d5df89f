"""The least MW over the limits that any dispatch leaves: a linear program of the check's own.

    minimise   MW over limits + 100 x load without generation
    balance    dispatch = load                                in each island
    limits     |flow with everything in service| <= rating + excuse + over
               |flow after an outage| <= emergency rating + excuse + over

Only pairs of a branch and an outage that some dispatch overloaded have a row; fewer rows can only
give less, so that the result is a lower bound at every stage, and the least once none is missing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy import sparse
from scipy.optimize import linprog

from sitepick.checks.flows import Flows
from sitepick.checks.states import Supply
from sitepick.network.types import FloatArray, IntArray

BASE = -1
"""Outage of a pair with everything in service."""
Pair = tuple[int, int]
"""A branch and a lost branch (or BASE)."""
Side = tuple[Pair, int]
"""A pair, and 1 or -1 for the direction of the flow."""
UNSERVED = 100.0
"""MW over a limit that one MW of load without generation counts as."""
_FOUND = 1e-4  # MW over a limit from which on a pair gets its row
_MINIMISE: Any = linprog  # its stubs know no sparse matrices
_ROUNDS = 60
_PER_BRANCH = 3  # rows that a branch gets in the first round; twice as many in each later one
_KEPT_BYTES = 4e8
_TINY = 1e-10  # MW per MW that count as none


@dataclass(frozen=True)
class Least:
    """``over_mw`` by pair, or by the branch's worst pair; ``settled`` unless stopped early."""

    over_mw: dict[Pair, float]
    unserved_mw: float
    settled: bool

    @property
    def total_mw(self) -> float:
        """MW over all limits."""
        return sum(self.over_mw.values())


@dataclass
class LeastOver:
    """The program of one grid. Pairs once found keep their rows for the next question."""

    flows: Flows
    supply: Supply
    outages: IntArray
    emergency: float  # factor on normal ratings
    _share: dict[Pair, float] = field(default_factory=dict)  # MW per MW lost, of pairs with rows
    _sides: dict[Side, None] = field(default_factory=dict)  # rows, in order
    _rows: dict[int, FloatArray] = field(default_factory=dict)  # MW of a branch per MW of a supply
    _blocks: list[tuple[IntArray, FloatArray]] | None = None

    def start_from(self, sides: Collection[Side]) -> None:
        """Give these rows before anything is solved; pairs that are no outage's are left out."""
        wanted: dict[int, set[int]] = defaultdict(set)
        for (branch, lost), _ in sides:
            wanted[lost].add(branch)
        self._share.update({(branch, BASE): 0.0 for branch in wanted[BASE]})
        for some, moved in self._moved():
            for k, lost in enumerate(some.tolist()):
                for branch in wanted[lost] - {lost}:
                    self._share[branch, lost] = float(moved[branch, k])
        self._sides.update({side: None for side in sorted(sides) if side[0] in self._share})

    def solve(
        self,
        load_mw: FloatArray,
        low_mw: FloatArray,
        high_mw: FloatArray,
        rating_mw: FloatArray,
        excuses: Mapping[Pair, float],
        *,
        by_pair: bool,
        enough: float | None = None,
    ) -> Least:
        """Return the least MW over limits for (N,) loads; with ``enough``, stop once it is reached.

        What is over counts once for each pair with ``by_pair``, else once for each branch: its
        worst. Raises RuntimeError if the program cannot be solved.
        """
        alone = self.flows.intact(-load_mw[:, None])[:, 0]
        for number in range(_ROUNDS):
            sides = [s for s in self._sides if np.isfinite(rating_mw[s[0][0]])]
            limit = np.array([self._limit(p, rating_mw, excuses) for p, _ in sides])
            mw, over, unserved = self._minimum(
                load_mw, low_mw, high_mw, alone, sides, limit, by_pair
            )
            if enough is not None and sum(over.values()) + UNSERVED * unserved >= enough:
                return Least(over, unserved, settled=False)
            most = _PER_BRANCH * 2**number
            allowed = over if by_pair else dict.fromkeys(over, 0.0)
            free = {} if by_pair else {b: v for (b, _), v in over.items()}
            if not self._more_rows(mw, load_mw, rating_mw, excuses, allowed, free, most):
                return Least({p: v for p, v in over.items() if v > _FOUND}, unserved, settled=True)
        raise RuntimeError(f"least overload did not settle within {_ROUNDS} rounds")

    def _limit(self, pair: Pair, rating: FloatArray, excuses: Mapping[Pair, float]) -> float:
        factor = 1.0 if pair[1] == BASE else self.emergency
        return factor * float(rating[pair[0]]) + excuses.get(pair, 0.0)

    def _moved(self) -> Iterator[tuple[IntArray, FloatArray]]:
        """Yield outages and what they move, kept from the first time on where there is room."""
        if self._blocks is not None:
            yield from self._blocks
            return
        small = self.flows.grid.n_branch * len(self.outages) * 8.0 <= _KEPT_BYTES
        blocks = []
        for block in self.flows.moved(self.outages):
            if small:
                blocks.append(block)
            yield block
        if small:
            self._blocks = blocks

    def _by_supply(self, branches: list[int]) -> FloatArray:
        """Return (L, G + D) MW on branches per MW of each unit or tie."""
        fresh = np.array([b for b in branches if b not in self._rows], dtype=np.int64)
        if len(fresh):
            supply = self.supply
            inside = supply.other >= 0
            factor = self.flows.by_bus(fresh, supply.bus)
            factor[:, inside] -= self.flows.by_bus(fresh, supply.other[inside])
            self._rows.update(zip(fresh.tolist(), factor, strict=True))
        if not branches:
            return np.zeros((0, len(self.supply.ids)))
        return np.stack([self._rows[b] for b in branches])

    def _minimum(
        self,
        load: FloatArray,
        low: FloatArray,
        high: FloatArray,
        alone: FloatArray,
        sides: list[Side],
        limit: FloatArray,
        by_pair: bool,
    ) -> tuple[FloatArray, dict[Pair, float], float]:
        """Solve with the rows there are: dispatch (G + D,), MW over by pair or branch, unserved."""
        n_supply, n_islands = len(self.supply.ids), self.flows.n_islands
        used = sorted({b for pair, _ in sides for b in pair if b != BASE})
        at = {b: n_supply + n_islands + k for k, b in enumerate(used)}  # columns of flows
        first = n_supply + n_islands + len(used)
        whose: dict[Pair | int, int] = {}  # columns of what is over
        for pair, _ in sides:
            whose.setdefault(pair if by_pair else pair[0], first + len(whose))
        total = first + len(whose)
        entries: list[tuple[int, int, float]] = []
        for row, (pair, side) in enumerate(sides):
            branch, lost = pair
            entries.append((row, at[branch], side))
            if lost != BASE:
                entries.append((row, at[lost], side * self._share[pair]))
            entries.append((row, whose[pair if by_pair else branch], -1.0))
        cost = np.zeros(total)
        cost[n_supply : n_supply + n_islands] = UNSERVED
        cost[first:] = 1.0
        lower, upper = np.zeros(total), np.full(total, np.inf)
        lower[:n_supply], upper[:n_supply] = low, high
        lower[n_supply + n_islands : first] = -np.inf
        drawn = np.bincount(self.flows.island, weights=load, minlength=n_islands)
        found = _MINIMISE(
            cost,
            A_ub=_matrix(entries, len(sides), total) if sides else None,
            b_ub=limit if sides else None,
            A_eq=self._equalities(used, total),
            b_eq=np.concatenate([drawn, alone[used]]),
            bounds=np.column_stack([lower, upper]),
            method="highs",
        )
        if found.x is None:
            raise RuntimeError(f"least overload: {found.message}")
        named = {pair if by_pair else pair[0]: pair for pair, _ in reversed(sides)}
        over = {named[key]: float(found.x[k]) for key, k in whose.items() if found.x[k] > 0}
        unserved = float(found.x[n_supply : n_supply + n_islands].sum())
        return found.x[:n_supply], over, unserved

    def _equalities(self, used: list[int], total: int) -> Any:
        """Return the rows of balance by island, then flows by their definition."""
        supply, island, n_islands = self.supply, self.flows.island, self.flows.n_islands
        each = np.arange(len(supply.ids))
        inside = np.flatnonzero(supply.other >= 0)
        factor = self._by_supply(used)
        row, column = np.nonzero(np.abs(factor) > _TINY)
        flows, islands = np.arange(len(used)), np.arange(n_islands)
        parts = (
            (island[supply.bus], each, np.ones(len(each))),
            (island[supply.other[inside]], inside, -np.ones(len(inside))),
            (islands, len(each) + islands, np.ones(n_islands)),
            (n_islands + row, column, -factor[row, column]),
            (n_islands + flows, len(each) + n_islands + flows, np.ones(len(used))),
        )
        rows, columns, values = (np.concatenate(some) for some in zip(*parts, strict=True))
        shape = n_islands + len(used), total
        return sparse.csr_array((values, (rows, columns)), shape=shape)

    def _more_rows(
        self,
        mw: FloatArray,
        load: FloatArray,
        rating: FloatArray,
        excuses: Mapping[Pair, float],
        by_pair: Mapping[Pair, float],
        by_branch: Mapping[int, float],
        most: int,
    ) -> bool:
        """Give rows to the worst pairs that a dispatch overloads; return if there were any."""
        injected = self.supply.injected(mw, self.flows.grid.n_bus) - load
        flow = self.flows.intact(injected[:, None])[:, 0]
        spare = np.zeros(len(flow))
        spare[list(by_branch)] = list(by_branch.values())
        lent: dict[int, list[tuple[int, float]]] = defaultdict(list)
        for given in (excuses, by_pair):
            for (branch, lost), amount in given.items():
                lent[lost].append((branch, amount))
        worst: dict[int, list[tuple[float, int, int, float]]] = defaultdict(list)

        def take(after: FloatArray, factor: float, lost: int, share: FloatArray | None) -> None:
            excess = np.abs(after) - factor * rating - spare
            for branch, amount in lent[lost]:
                excess[branch] -= amount
            for branch in np.flatnonzero(excess > _FOUND).tolist():
                pair, side = (branch, lost), 1 if after[branch] > 0 else -1
                if (pair, side) not in self._sides:
                    moved = 0.0 if share is None else float(share[branch])
                    worst[branch].append((float(excess[branch]), lost, side, moved))

        take(flow, 1.0, BASE, None)
        for some, moved in self._moved():
            for k, lost in enumerate(some.tolist()):
                take(flow + moved[:, k] * flow[lost], self.emergency, lost, moved[:, k])
        for branch, rows in worst.items():
            for _, lost, side, part in sorted(rows, reverse=True)[:most]:
                self._share[branch, lost] = part
                self._sides[(branch, lost), side] = None
        return bool(worst)


def _matrix(entries: list[tuple[int, int, float]], n_rows: int, n_columns: int) -> Any:
    rows, columns, values = (np.array(part) for part in zip(*entries, strict=True))
    return sparse.csr_array((values, (rows, columns)), shape=(n_rows, n_columns))
