"""Owners that are one yes-or-no and what it carries: their best answer to prices in closed form.

Such an owner has a whole column ``open`` in [0, 1], columns ``x_j`` with ``0 <= x_j <= u_j open``
and at most one capacity, ``sum_j a_j x_j <= G open``, perhaps by way of a column in between
(``sum_j a_j x_j <= g``, ``g <= G open``). At fixed prices of the linking rows its best answer is a
continuous knapsack: columns in the order of their price per unit of capacity, until that is full.
The price of the last one that fits gives the duals of all its local rows, so `safe_bound` certifies
what was found (Martello and Toth, *Knapsack Problems*, section 2.2.1, on the continuous knapsack).
Nothing is solved, and all owners are answered at once: this is how plain facility location falls
apart, at a thousandth of the time of its linear program.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import scipy.sparse as sp

from sitepick.matrix import SHARED, BoolArray, FloatArray, IntArray, Matrix

_SAME = 1e-9  # relative: bounds of a column that differ by less are one


@dataclass(frozen=True)
class Answer:
    """What all owners do at given prices.

    ``worth`` (k,) is what opening each adds to the objective at its best (negative: it should);
    ``flow`` are positions in `Knapsacks.flow` of the columns used when open, with ``amount`` each;
    ``full`` (k,) is the price of capacity (>= 0), ``reduced`` (n,) the prices of all columns.
    """

    worth: FloatArray
    flow: IntArray
    amount: FloatArray
    full: FloatArray
    reduced: FloatArray


@dataclass(frozen=True)
class Knapsacks:
    """All owners of a matrix, numbered 0 .. k - 1, as knapsacks with f columns in all."""

    cost: FloatArray  # (n,)
    offset: float
    lower: FloatArray  # (n,)
    upper: FloatArray  # (n,)
    shared: IntArray  # columns without an owner
    height: int  # m, rows of the matrix
    linking: IntArray  # (r,) rows that belong to no single owner
    row_lower: FloatArray  # (r,)
    row_upper: FloatArray  # (r,)
    rows: sp.csr_array  # (r, n) those rows
    columns: sp.csr_array  # (n, r) their transpose
    yes: IntArray  # (k,) column of the yes-or-no
    between: IntArray  # (k,) column between capacity and yes-or-no, -1: none
    capacity: FloatArray  # (k,) G, inf: none
    capacity_row: IntArray  # (k,) -1: none
    capacity_unit: FloatArray  # (k,) entry of `between`, or of `yes`, in the capacity row is -it
    between_row: IntArray  # (k,) link of `between`, -1: none
    between_entry: FloatArray  # (k,) entry of `between` in that row
    flow: IntArray  # (f,) columns x_j
    owner: IntArray  # (f,) their owners
    size: FloatArray  # (f,) a_j per unit of G; 1 where there is no capacity
    most: FloatArray  # (f,) u_j
    link: IntArray  # (f,) their links
    link_entry: FloatArray  # (f,) entry of x_j in its link

    def answer(self, prices: FloatArray) -> Answer:
        """Return what all owners do best at ``prices`` (r,) of the linking rows."""
        z = np.asarray(self.cost - self.columns @ prices)
        k = len(self.yes)
        charge, gift = self._between_prices(z)
        every = z[self.flow] / self.size + charge[self.owner]
        flow = np.flatnonzero(every < 0)
        rate = every[flow]
        owner = self.owner[flow]
        order = np.lexsort((rate, owner))
        rate, flow, owner = rate[order], flow[order], owner[order]
        load = self.size[flow] * self.most[flow]
        before = np.cumsum(load) - load
        first = np.searchsorted(owner, np.arange(k + 1))
        here = np.concatenate([before, [load.sum()]])[first[:-1]]
        room = np.clip(self.capacity[owner] - (before - here[owner]), 0.0, load)
        full = np.zeros(k)
        cut = np.flatnonzero(room < load)
        # the first column of an owner that does not fit sets the price
        late, at = np.unique(owner[cut], return_index=True)
        full[late] = -rate[cut[at]]
        worth = z[self.yes] + np.bincount(owner, weights=rate * room, minlength=k) + gift
        used = room > 0
        return Answer(worth, flow[used], (room / self.size[flow])[used], full, z)

    def _between_prices(self, z: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return (k,) what a unit of capacity costs, and what having all of it brings (<= 0)."""
        there = self.between >= 0
        price = np.where(there, z[self.between], 0.0)
        scale = np.where(np.isfinite(self.capacity), self.capacity, 0.0)
        return np.maximum(price, 0.0), np.minimum(price, 0.0) * scale

    def spare(self, answer: Answer) -> FloatArray:
        """Return (f,) what a unit of each flow costs beyond the prices of ``answer``, capacity
        included: what is below 0 is worth its link."""
        charge, _ = self._between_prices(answer.reduced)
        return np.asarray(
            answer.reduced[self.flow] + self.size * (charge + answer.full)[self.owner]
        )

    def duals(self, prices: FloatArray, answer: Answer) -> FloatArray:
        """Return (m,) the duals of all rows: ``prices`` (r,) and the best local ones."""
        y = np.zeros(self.height)
        y[self.linking] = prices
        z = answer.reduced
        there = self.between >= 0
        price = np.where(there, z[self.between], 0.0)
        charge = answer.full + np.maximum(price, 0.0)
        limited = self.capacity_row >= 0
        y[self.capacity_row[limited]] = -(charge / self.capacity_unit)[limited]
        held = np.minimum(price, 0.0) - answer.full
        y[self.between_row[there]] = (held / self.between_entry)[there]
        y[self.link] = np.minimum(self.spare(answer), 0.0) / self.link_entry
        return y

    def point(self, answer: Answer, opened: FloatArray) -> FloatArray:
        """Return (n,) values: owners at ``opened`` (k,) times their answer, shared columns at
        their better bound."""
        x = np.zeros(len(self.cost))
        x[self.yes] = opened
        there = np.flatnonzero(self.between >= 0)
        used = np.bincount(
            self.owner[answer.flow],
            weights=(self.size[answer.flow] * answer.amount),
            minlength=len(self.yes),
        )
        fill = np.where(answer.reduced[self.between[there]] < 0, self.capacity[there], used[there])
        x[self.between[there]] = opened[there] * fill
        x[self.flow[answer.flow]] = answer.amount * opened[self.owner[answer.flow]]
        shared = self.shared
        x[shared] = np.where(answer.reduced[shared] > 0, self.lower[shared], self.upper[shared])
        return x

    def only(self, owners: IntArray) -> Knapsacks:
        """Return the same with ``owners`` (sorted) alone, numbered anew; linking rows stay.

        Its rows keep their numbers in the whole, but `duals` is for the whole.
        """
        number = np.full(len(self.yes), -1)
        number[owners] = np.arange(len(owners))
        mine = number[self.owner] >= 0
        there = self.between[owners]
        kept = np.concatenate([self.yes[owners], there[there >= 0], self.flow[mine], self.shared])
        place = np.full(len(self.cost) + 1, -1)  # the last is for "none"
        place[kept] = np.arange(len(kept))
        rows = sp.csr_array(self.rows[:, kept])
        return replace(
            self,
            cost=self.cost[kept],
            lower=self.lower[kept],
            upper=self.upper[kept],
            shared=place[self.shared],
            rows=rows,
            columns=sp.csr_array(rows.T),
            yes=place[self.yes[owners]],
            between=place[there],
            capacity=self.capacity[owners],
            capacity_row=self.capacity_row[owners],
            capacity_unit=self.capacity_unit[owners],
            between_row=self.between_row[owners],
            between_entry=self.between_entry[owners],
            flow=place[self.flow[mine]],
            owner=number[self.owner[mine]],
            size=self.size[mine],
            most=self.most[mine],
            link=self.link[mine],
            link_entry=self.link_entry[mine],
        )


def knapsacks(matrix: Matrix) -> Knapsacks | None:
    """Return the owners of ``matrix`` as knapsacks; None where one of them is anything else.

    Owners are numbered 0, 1, ...
    """
    k = int(matrix.owner.max(initial=-1)) + 1
    n = len(matrix.cost)
    yes = np.flatnonzero(matrix.integer)
    yes = yes[np.argsort(matrix.owner[yes], kind="stable")]
    if not k or not np.array_equal(matrix.owner[yes], np.arange(k)):
        return None
    rest = np.flatnonzero((matrix.owner >= 0) & ~matrix.integer)
    local = np.flatnonzero(matrix.row_owner >= 0)
    bounds = (
        ((matrix.lower[yes] == 0) | (matrix.lower[yes] == 1)).all()
        and ((matrix.upper[yes] == 0) | (matrix.upper[yes] == 1)).all()
        and (matrix.lower[rest] == 0).all()
        and (matrix.row_upper[local] == 0).all()
        and np.isneginf(matrix.row_lower[local]).all()
    )
    if not bounds:
        return None
    A = sp.csr_array(matrix.A[local])
    entry_row = np.repeat(np.arange(len(local)), np.diff(A.indptr))
    positive = np.bincount(entry_row, weights=A.data > 0, minlength=len(local))
    length = np.diff(A.indptr)
    # each row: entries of one sign but for one, which makes room for them
    room = np.flatnonzero(A.data < 0)
    if len(room) != len(local) or not np.array_equal(entry_row[room], np.arange(len(local))):
        return None
    roomy, amount = A.indices[room].astype(np.int64), -A.data[room]
    is_link = (length == 2) & matrix.integer[roomy]
    taken = np.flatnonzero(A.data > 0)
    if matrix.integer[A.indices[taken]].any() or (positive < 1).any():
        return None
    return _assembled(matrix, yes, rest, local, A, entry_row, taken, roomy, amount, is_link, n)


def _assembled(
    matrix: Matrix,
    yes: IntArray,
    rest: IntArray,
    local: IntArray,
    A: sp.csr_array,
    entry_row: IntArray,
    taken: IntArray,
    roomy: IntArray,
    amount: FloatArray,
    is_link: BoolArray,
    n: int,
) -> Knapsacks | None:
    k = len(yes)
    of_link = taken[is_link[entry_row[taken]]]
    linked = A.indices[of_link].astype(np.int64)
    link_of, entry_of, most_of = np.full(n, -1), np.ones(n), np.zeros(n)
    link_of[linked] = entry_row[of_link]
    entry_of[linked] = A.data[of_link]
    most_of[linked] = amount[entry_row[of_link]] / A.data[of_link]
    if len(np.unique(linked)) != len(linked) or len(linked) != len(rest):
        return None
    # a link must say all that the bound of its column says
    if (most_of[rest] > matrix.upper[rest] + _SAME * np.maximum(1.0, matrix.upper[rest])).any():
        return None
    most_of = np.minimum(most_of, matrix.upper)
    caps = np.flatnonzero(~is_link)
    cap_owner = matrix.row_owner[local[caps]]
    if len(np.unique(cap_owner)) != len(caps):
        return None
    between = np.full(k, -1)
    direct = matrix.integer[roomy[caps]]
    between[cap_owner[~direct]] = roomy[caps[~direct]]
    capacity, cap_row, cap_unit = np.full(k, np.inf), np.full(k, -1), np.ones(k)
    cap_row[cap_owner] = local[caps]
    cap_unit[cap_owner] = np.where(direct, 1.0, amount[caps])
    capacity[cap_owner] = np.where(direct, amount[caps], most_of[roomy[caps]])
    there = between >= 0
    between_row, between_entry = np.full(k, -1), np.ones(k)
    between_row[there] = local[link_of[between[there]]]
    between_entry[there] = entry_of[between[there]]
    flow = np.setdiff1d(rest, between[there])
    owner = matrix.owner[flow]
    size = np.zeros(n)
    of_cap = taken[~is_link[entry_row[taken]]]
    size[A.indices[of_cap]] = A.data[of_cap]
    size = size[flow] / cap_unit[owner]
    limited = np.isfinite(capacity[owner])
    if (size[limited] <= 0).any() or (most_of[between[there]] <= 0).any():
        return None
    linking = np.flatnonzero(matrix.row_owner < 0)
    rows = sp.csr_array(matrix.A[linking])
    return Knapsacks(
        cost=matrix.cost,
        offset=matrix.offset,
        lower=matrix.lower,
        upper=matrix.upper,
        shared=np.flatnonzero(matrix.owner == SHARED),
        height=matrix.A.shape[0],
        linking=linking,
        row_lower=matrix.row_lower[linking],
        row_upper=matrix.row_upper[linking],
        rows=rows,
        columns=sp.csr_array(rows.T),
        yes=yes,
        between=between,
        capacity=capacity,
        capacity_row=cap_row,
        capacity_unit=cap_unit,
        between_row=between_row,
        between_entry=between_entry,
        flow=flow,
        owner=owner,
        size=np.where(limited, size, 1.0),
        most=most_of[flow],
        link=local[link_of[flow]],
        link_entry=entry_of[flow],
    )
