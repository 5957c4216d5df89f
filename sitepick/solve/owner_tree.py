"""Branch and bound on which owners open, where owners are knapsacks: bounds by prices alone.

Each node holds some owners open and some closed, and climbs the dual function of the linking rows
(`sitepick.solve.lagrangian`) from the prices of its parent. What an owner's opening is worth at
these prices says which ones can be settled: where the bound less its worth passes the goal it stays
as it is, and one leaf with the row "at least one of these is otherwise" proves that for all of them
at once. After the first node few owners are left and a look at them is quick. Plans are the best
completions of the owners that the average answer opens. Every leaf has prices of its own, so that
the bound is certified like any other.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from sitepick.matrix import BoolArray, FloatArray, IntArray, Matrix
from sitepick.solve.highs import solve_matrix
from sitepick.solve.knapsack import Knapsacks
from sitepick.solve.lagrangian import Climb, Dual
from sitepick.solve.outcome import Certificate, Cut, Leaf, Limits
from sitepick.solve.owner_lp import FEW, OwnerLp

_FIRST_CHUNKS = 30
_CHUNK = 40  # steps between two looks at how a climb goes
_CHUNKS = 4
_MOST_NODES = 4000
_MOST_NUMBERS = 20_000_000  # of all leaves of a certificate together
_RESTART = 0.1  # length of a node's first steps
_FINE, _ROUGH = 1e-4, 1e-3  # lengths below which the first node and later ones have climbed enough
_CLIMBED = 3  # chunks after which a large first node is solved as a linear program
_SAME = 1e-9  # of the bound: less is rounding
_WHOLE = 1e-6  # how near to a whole number an opening of a linear program has to be
_SLOW = 0.005  # of the bound, gained in a chunk of steps: the average is worth a look


@dataclass(frozen=True)
class _Held:
    """A row of a leaf: ``kind`` 0 all of ``owners`` closed, 1 all open, 2 some open, 3 some
    closed."""

    kind: int
    owners: IntArray

    def cut(self, yes: IntArray) -> Cut:
        columns, n = yes[self.owners], len(self.owners)
        low = (-math.inf, float(n), 1.0, -math.inf)[self.kind]
        high = (0.0, math.inf, math.inf, n - 1.0)[self.kind]
        return Cut(columns, np.ones(n), low, high)

    def dual(self, worth: FloatArray) -> float:
        """Return the best dual of the row, where owners are ``worth`` (k,) opening."""
        mine = worth[self.owners]
        if self.kind == 0:
            return min(0.0, float(mine.min()))
        if self.kind == 1:
            return max(0.0, float(mine.max()))
        return max(0.0, float(mine.min())) if self.kind == 2 else min(0.0, float(mine.max()))


@dataclass(order=True)
class _Node:
    bound: float
    number: int
    state: Climb = field(compare=False)
    held: tuple[_Held, ...] = field(compare=False)


@dataclass
class Proof:
    """``bound`` over all plans, and what certifies it: leaves, or the first node's duals where the
    leaves are too many to keep, which certify less."""

    bound: float
    certificate: Certificate
    note: str


class OwnerTree:
    """Search for the best plan of ``matrix``, whose owners are ``blocks``.

    ``offer`` takes plans (n,) or None and returns the objective of the best one so far;
    ``missing`` is the relative gap that is good enough, ``over`` says when to stop.
    """

    def __init__(
        self,
        matrix: Matrix,
        blocks: Knapsacks,
        limits: Limits,
        offer: Callable[[FloatArray | None], float],
        missing: Callable[[], float],
        over: Callable[[], bool],
        tell: Callable[[float], None],
    ) -> None:
        self.matrix, self.whole, self.limits = matrix, blocks, limits
        self._offer, self._missing, self._over, self._tell = offer, missing, over, tell
        self._best = offer(None)
        self._kept = np.arange(len(blocks.yes))
        self._dual = Dual(blocks)
        self._done: list[tuple[float, tuple[_Held, ...], FloatArray]] = []
        self._open: list[_Node] = []
        self._tried: set[bytes] = set()
        self._nodes = 0
        self._lp: OwnerLp | None = None  # of the kept owners
        self._rise, self._splits = np.zeros((2, 2, len(blocks.yes)))  # by closing, by opening

    # --- the search -------------------------------------------------------------------------

    def search(self) -> Proof:
        """Branch until the gap is met, and return what is proven."""
        low = self.matrix.lower[self.whole.yes] > 0
        high = self.matrix.upper[self.whole.yes] > 0
        facts = tuple(
            _Held(kind, np.flatnonzero(mine)) for kind, mine in ((1, low), (0, ~high)) if mine.any()
        )
        state = self._dual.begin(self._dual.start(), low, ~high)
        root = _Node(state.bound, 0, state, facts)
        first = self._climbed(root, _FIRST_CHUNKS)
        self._first = self.whole.duals(first.state.prices, first.state.answer)
        self._forget_closed(first)
        while self._open and not self._over() and self._nodes < _MOST_NODES:
            if self._open[0].bound >= self._goal() or not math.isfinite(self._best):
                break  # met; or no plan after the first node: not what this is good at
            node = heapq.heappop(self._open)
            self._split(node)
        return self._proof()

    def _goal(self) -> float:
        if not math.isfinite(self._best):
            return math.inf
        return self._best - 0.9 * self._missing() * abs(self._best)

    def _masks(self, held: tuple[_Held, ...]) -> tuple[BoolArray, BoolArray]:
        """Return which of the kept owners are held open, and which closed."""
        out = np.zeros((2, len(self.whole.yes)), dtype=bool)
        for one in held:
            if one.kind < 2:
                out[one.kind, one.owners] = True
        return out[1, self._kept], out[0, self._kept]

    def _climbed(self, node: _Node, chunks: int) -> _Node:
        """Climb at ``node``, try plans, settle owners; keep it as a leaf or as an open node."""
        self._nodes += 1
        state, held = node.state, node.held
        opened, closed = self._masks(held)
        at_once = chunks == _CHUNKS or len(self._dual.blocks.flow) <= FEW
        for number in range(chunks):
            if number == (0 if at_once else _CLIMBED):
                summit = self._summit(state, opened, closed)
                if summit is not None:
                    state = summit
                    break
            before, goal = state.bound, self._goal()
            state = self._dual.climb(state, opened, closed, _CHUNK, goal)
            if state.bound >= self._goal() or self._over():
                break
            flat = state.bound - before < _SLOW * abs(state.bound) and state.step < _RESTART
            if flat or not math.isfinite(self._best):
                self._try(state, opened, closed)
            if state.step < (_FINE if chunks == _FIRST_CHUNKS else _ROUGH):
                break
        self._tell(min([state.bound, *(n.bound for n in self._open[:1])]))
        goal = self._goal()
        if state.bound >= goal:
            self._done.append((state.bound, held, state.prices))
            return replace(node, state=state, bound=state.bound)
        state, held = self._settled(state, held, goal)
        out = _Node(max(state.bound, node.bound), self._nodes, state, held)
        opened, closed = self._masks(held)
        if (opened | closed).all():
            self._close(out, opened)
        else:
            heapq.heappush(self._open, out)
        return out

    def _summit(self, state: Climb, opened: BoolArray, closed: BoolArray) -> Climb | None:
        """Return the summit by a linear program, and try the plans it tells.

        None where that takes too long or is no better.
        """
        if self._lp is None:
            whole = self.whole
            mine = np.isin(whole.owner, self._kept)
            self._lp = OwnerLp(
                self.matrix, self._dual, self._kept, whole.linking, whole.flow[mine], whole.yes,
                self.limits.threads,
            )  # fmt: skip
        found = self._lp.solve(state, opened, closed, self._goal())
        if found is None or found.bound < state.bound - _SAME * abs(state.bound):
            return None
        out = replace(
            state, prices=found.prices, bound=found.bound, answer=found.answer, step=_RESTART,
            basis=found.basis,
        )  # fmt: skip
        if found.values is None or found.opened is None:
            return out
        out = replace(out, opened=found.opened, activity=self.whole.rows @ found.values)
        if (np.abs(found.opened - found.opened.round()) < _WHOLE).all():
            values = found.values.copy()
            values[self.whole.yes] = values[self.whole.yes].round()
            self._best = self._offer(values)
        if out.bound < self._goal():
            self._try(out, opened, closed)
        return out

    def _settled(
        self, state: Climb, held: tuple[_Held, ...], goal: float
    ) -> tuple[Climb, tuple[_Held, ...]]:
        """Hold the owners whose other choice takes the bound beyond ``goal``."""
        opened, closed = self._masks(held)
        worth, free = state.answer.worth, ~(opened | closed)
        for kind, way in ((0, worth), (1, -worth)):
            sure = np.flatnonzero(free & (way > 0) & (state.bound + way >= goal))
            if len(sure):
                owners = self._kept[sure]
                other = _Held(kind + 2, owners)
                value = state.bound + float(way[sure].min())
                self._done.append((value, (*held, other), state.prices))
                held = (*held, _Held(kind, owners))
        return state, held

    def _split(self, node: _Node) -> None:
        opened, closed = self._masks(node.held)
        free = np.flatnonzero(~(opened | closed))
        share = node.state.opened[free]
        at = free[self._pick(self._kept[free], share, node.state.answer.worth[free])]
        one, part = self._kept[[at]], float(node.state.opened[at])
        for kind in (1, 0):
            held = (*node.held, _Held(kind, one))
            opened, closed = self._masks(held)
            state = self._dual.begin(node.state.prices, opened, closed)
            state = replace(
                state,
                opened=np.where(opened, 1.0, np.where(closed, 0.0, node.state.opened)),
                activity=node.state.activity,
                step=_RESTART,
                weight=node.state.weight,
                basis=node.state.basis,
            )
            child = self._climbed(_Node(max(state.bound, node.bound), 0, state, held), _CHUNKS)
            moved = 1 - part if kind else part
            if moved > _WHOLE:
                rise = min(child.bound, self._goal()) - node.bound
                self._rise[kind, one[0]] += max(rise, 0.0) / moved
                self._splits[kind, one[0]] += 1

    def _pick(self, owners: IntArray, share: FloatArray, worth: FloatArray) -> int:
        """Return which of ``owners``, open at ``share``, to split on: both sides should rise.

        What they rose by before tells (Benichou and others 1971), with the mean of all owners where
        none was split; at first undecided ones, among like ones those whose opening matters most.
        """
        done, rise = self._splits[:, owners], self._rise[:, owners]
        if not self._splits.any():
            return int(np.lexsort((-np.abs(worth), np.abs(share - 0.5).round(2)))[0])
        usual = self._rise.sum(axis=1) / np.maximum(self._splits.sum(axis=1), 1)
        each = np.where(done > 0, rise / np.maximum(done, 1), usual[:, None])
        least = 1e-6 * max(float(usual.max()), 1e-12)
        down, up = np.maximum(each[0] * share, least), np.maximum(each[1] * (1 - share), least)
        return int(np.argmax(down * up))

    def _forget_closed(self, root: _Node) -> None:
        """Go on with the owners that the first node did not close."""
        _, closed = self._masks(root.held)
        if not closed.any() or not self._open:
            return
        left = np.flatnonzero(~closed)
        self._kept, self._lp = self._kept[left], None
        self._dual = Dual(self.whole.only(self._kept))
        answer = self._dual.blocks.answer(root.state.prices)
        root.state = replace(root.state, answer=answer, opened=root.state.opened[left])

    # --- plans ------------------------------------------------------------------------------

    def _try(self, state: Climb, opened: BoolArray, closed: BoolArray) -> None:
        """Complete the owners that the average opens, one more or less."""
        rank = np.where(closed, -1.0, np.where(opened, 2.0, state.opened))
        order = np.argsort(-rank, kind="stable")
        total = float(np.maximum(rank, 0.0)[~opened].sum()) + int(opened.sum())
        most = int((~closed).sum())
        for count in sorted({math.floor(total + 0.1), math.ceil(total - 0.1)}):
            self._complete(self._kept[np.sort(order[: min(max(count, 1), most)])])

    def _complete(self, owners: IntArray) -> None:
        key = owners.tobytes()
        if key in self._tried or self._over():
            return
        self._tried.add(key)
        found, _ = self._best_with(owners)
        if found is not None:
            self._best = self._offer(found)

    def _best_with(self, owners: IntArray) -> tuple[FloatArray | None, FloatArray | None]:
        """Return the best plan (n,) that opens just ``owners``, and prices (r,) that prove it."""
        if self._lp is not None and len(np.setdiff1d(owners, self._kept)) == 0:
            opened = np.isin(self._kept, owners)
            found = self._lp.solve(None, opened, ~opened, self._goal())
            if found is not None:
                return found.values, found.prices
        part = self.matrix.take(owners)
        whole = part.matrix.integer
        held = np.isin(part.matrix.owner, owners) & whole
        fixed = np.where(held, 1.0, 0.0)
        if (fixed[whole] < part.matrix.lower[whole]).any():
            return None, None
        narrow = replace(
            part.matrix,
            lower=np.where(whole, fixed, part.matrix.lower),
            upper=np.where(whole, fixed, part.matrix.upper),
        )
        out = solve_matrix(narrow, replace(self.limits, work=None), relax=True, method="simplex")
        prices = None
        if isinstance(out.certificate, np.ndarray):
            y = np.zeros(self.matrix.A.shape[0])
            y[part.rows] = out.certificate
            prices = y[self.whole.linking]
        if out.values is None:
            return None, prices
        values = np.clip(out.values, part.matrix.lower, part.matrix.upper)
        values[whole] = fixed[whole]
        return part.lift(values, len(self.matrix.cost)), prices

    def _close(self, node: _Node, opened: BoolArray) -> None:
        """All owners are held: the plan, and prices that prove that it is the best of them."""
        plan, prices = self._best_with(self._kept[opened])
        if plan is not None:
            self._best = self._offer(plan)
        best = (node.state.bound, node.state.prices)
        if prices is not None:
            prices = self._dual.usable(prices)
            bound, _, _ = self._dual.at(prices, opened, ~opened)
            best = max(best, (bound, prices), key=lambda pair: pair[0])
        self._done.append((best[0], node.held, best[1]))

    # --- the proof --------------------------------------------------------------------------

    def _proof(self) -> Proof:
        every = self._done + [(n.state.bound, n.held, n.state.prices) for n in self._open]
        bound = min(value for value, _, _ in every)
        note = f"owners: {self._nodes:,} nodes, {len(every):,} leaves, bound {bound:.9g}"
        if len(every) * self.whole.height > _MOST_NUMBERS:
            return Proof(bound, self._first, note)
        leaves = []
        for _, held, prices in every:
            answer = self.whole.answer(prices)
            duals = [one.dual(answer.worth) for one in held]
            y = np.concatenate([self.whole.duals(prices, answer), duals])
            leaves.append(Leaf(tuple(one.cut(self.whole.yes) for one in held), y))
        return Proof(bound, tuple(leaves), note)
