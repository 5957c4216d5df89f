"""Preventive secure dispatch: one dispatch whose flows keep every rating, also after an outage.

    minimise   cost(g), or MW over the limits
    balance    sum of g = load                                  per island
    normal     |f_l| <= rating_l + excuse                       with everything in service
    outage     |f_l + LODF[l,c] f_c| <= emergency rating_l + excuse

Rows enter only when violated, a flow is a column only when its branch is in some row.
"""

from __future__ import annotations

import numpy as np

from sitepick.dispatch.types import BASE, TOLERANCE_MW, Case, Cut, Dispatch, Pair
from sitepick.errors import LayerError
from sitepick.network.contingency import Contingencies
from sitepick.network.grid import FloatArray, IntArray
from sitepick.solve.growing import INFINITY, GrowingLp, compressed

_WORST_PER_BRANCH = 3  # rows a branch gets in the first round; twice as many in each later one
_ROUNDS = 60
_CUT_ROUNDS = 3
_CHUNK = 64  # branches whose factors over all buses are held at a time
GRACE_MW = 5e-4
"""What a priced dispatch may be over a limit: plans keep their rows to a solver's tolerance."""
_UNSERVED = 100.0
"""MW over a limit that one MW of load without generation counts as."""
_TANGENTS = 60
_COST_TOLERANCE = 1e-7


class SecureDispatch:
    """The dispatch problem of one case; rows once found are kept for the next loads.

    What is over counts once for each pair with ``by_pair``, else once for each branch: its worst.
    """

    def __init__(self, contingencies: Contingencies, case: Case, *, by_pair: bool = False) -> None:
        self.contingencies = contingencies
        self.by_pair = by_pair
        self._excess_of: dict[int, int] = {}  # branch -> column, where branches count
        self.case = case
        self.dc = contingencies.dc
        grid, groups = self.dc.grid, case.groups
        self._lp = GrowingLp()
        self._group = self._lp.add_columns(case.low_mw, case.high_mw, 0.0)
        islands = np.arange(self.dc.n_islands)
        most = np.full(len(islands), 1e7)
        self._unserved = self._lp.add_columns(np.zeros(len(islands)), most, _UNSERVED)
        self._balance = self._balance_rows(islands)
        self._flow = np.full(grid.n_branch, -1, dtype=np.int64)  # column of a branch's flow
        self._definition = np.full(grid.n_branch, -1, dtype=np.int64)  # and its row
        self._shift_flow = self.dc.flows(np.zeros(grid.n_bus))
        self._rows: dict[tuple[int, int, int], int] = {}  # (branch, outage, sign) -> place
        self._row_branch: list[int] = []
        self._row_outage: list[int] = []
        self._row_lodf: list[float] = []
        self._row_sign: list[int] = []
        self._row: list[int] = []  # row of the LP
        self._excess: list[int] = []  # column of the LP, of each row
        self._cost: IntArray | None = None  # columns of the groups' costs
        self._priced = False
        self._grace_mw = 0.0
        self._outside = groups.other_bus < 0

    # --- the two questions -------------------------------------------------------------------

    def least_over(
        self,
        new_load_mw: FloatArray | None = None,
        added_mw: FloatArray | None = None,
        *,
        cut_only: bool = False,
    ) -> Dispatch:
        """Return the dispatch with the least MW over all limits, and a cut if there are any.

        ``new_load_mw`` (N,) is added to the case's load, ``added_mw`` (M,) to the normal ratings.
        ``cut_only`` ends as soon as loads that cannot be carried have given a cut: what is over is
        then a lower bound.
        """
        if self._priced:
            excess, islands = self._excess_columns(), len(self._unserved)
            assert self._cost is not None
            self._lp.set_cost(excess, 1.0)
            self._lp.set_columns(excess, np.zeros(len(excess)), np.full(len(excess), 1e7))
            self._lp.set_columns(self._unserved, np.zeros(islands), np.full(islands, 1e7))
            self._lp.set_cost(self._cost, 0.0)
            self._priced = False
        load, added = self._asked(new_load_mw, added_mw)
        self._settle(load, added, _CUT_ROUNDS if cut_only else _ROUNDS)
        values = self._lp.values
        over = self._over(values) if self._lp.objective > TOLERANCE_MW else {}
        unserved = float(values[self._unserved].sum())
        bad = bool(over) or unserved > TOLERANCE_MW
        return self._dispatch(load, over, unserved, self._cut(added) if bad else None)

    def cheapest(
        self, new_load_mw: FloatArray | None = None, added_mw: FloatArray | None = None
    ) -> Dispatch | None:
        """Return the secure dispatch of least cost (quadratic costs by tangents), None without one.

        The published cost curves are taken as they are; no-load cost and commitment are left out.
        """
        if self._cost is None:
            n = len(self._group)
            self._cost = self._lp.add_columns(np.full(n, -1e9), np.full(n, 1e9), 0.0)
            self._tangents(np.zeros(n), np.arange(n))
        load, added = self._asked(new_load_mw, added_mw)
        for grace_mw in (0.0, GRACE_MW):
            self._price(grace_mw)
            for _ in range(_TANGENTS):
                if not self._settle(load, added):
                    break
                mw = self._lp.values[self._group]
                true, told = self.cost_of(mw), self._lp.values[self._cost]
                worse = np.flatnonzero(true - told > _COST_TOLERANCE * (1 + np.abs(true)))
                near = true.sum() - told.sum() <= _COST_TOLERANCE * abs(true.sum())
                if not len(worse) or near:
                    return self._dispatch(load, {}, 0.0, None)
                self._tangents(mw, worse)
        return None

    def _price(self, grace_mw: float) -> None:
        """Let cost count, and nothing be over its limit by more than ``grace_mw``."""
        nothing = np.zeros(len(self._unserved))
        excess = self._excess_columns()
        assert self._cost is not None
        self._priced, self._grace_mw = True, grace_mw
        self._lp.set_columns(excess, np.zeros(len(excess)), np.full(len(excess), grace_mw))
        self._lp.set_columns(self._unserved, nothing, nothing)
        self._lp.set_cost(excess, 0.0)
        self._lp.set_cost(self._cost, 1.0)

    def cost_of(self, mw: FloatArray) -> FloatArray:
        """Return (K,) USD/h of a dispatch, its MW spread evenly over a group's units."""
        groups = self.case.groups
        return groups.cost_usd_mwh * mw + groups.cost_usd_mw2h * mw**2 / np.maximum(
            self.case.units, 1
        )

    # --- solving -----------------------------------------------------------------------------

    def _asked(
        self, new_load_mw: FloatArray | None, added_mw: FloatArray | None
    ) -> tuple[FloatArray, FloatArray]:
        grid = self.dc.grid
        load = self.case.load_mw + (0.0 if new_load_mw is None else new_load_mw)
        return load, np.zeros(grid.n_branch) if added_mw is None else added_mw

    def _settle(self, load: FloatArray, added: FloatArray, enough: int = _ROUNDS) -> bool:
        """Solve for these loads, adding violated rows until there are none.

        After ``enough`` rounds it ends as soon as something is over its limit for certain.
        """
        total = np.bincount(self.dc.island, weights=load, minlength=self.dc.n_islands).astype(float)
        self._lp.set_rows(self._balance, total, total)
        used = np.flatnonzero(self._flow >= 0)
        self._move_definitions(used, load)
        self._move_limits(added)
        for number in range(_ROUNDS):
            if not self._lp.minimise():
                if self._priced:
                    return False
                raise LayerError("grid: the dispatch has no solution; are all ratings numbers?")
            if number >= enough and self._lp.objective > TOLERANCE_MW:
                return True
            most = _WORST_PER_BRANCH * 2**number
            if not self._add_violated(self._flows(load), load, added, most):
                return True
        raise LayerError(f"grid: secure dispatch did not settle within {_ROUNDS} rounds")

    def _flows(self, load: FloatArray) -> FloatArray:
        return self._shift_flow + self.dc.transfer_flows(self._injection(load))

    def _injection(self, load: FloatArray) -> FloatArray:
        groups, mw = self.case.groups, self._lp.values[self._group]
        out = -load
        np.add.at(out, groups.bus, mw)
        np.add.at(out, groups.other_bus[~self._outside], -mw[~self._outside])
        return out

    def _limit(self, place: IntArray, added: FloatArray) -> FloatArray:
        branch = np.array(self._row_branch, dtype=np.int64)[place]
        outage = np.array(self._row_outage, dtype=np.int64)[place]
        factor = np.where(outage == BASE, 1.0, self.case.emergency_factor)
        excuse = [
            self.case.excuses.get(pair, 0.0)
            for pair in zip(branch.tolist(), outage.tolist(), strict=True)
        ]
        return factor * (self.case.rating_mw[branch] + added[branch]) + np.array(excuse)

    def _move_limits(self, added: FloatArray) -> None:
        if not self._row:
            return
        limit = self._limit(np.arange(len(self._row)), added)
        self._lp.set_rows(np.array(self._row), np.full(len(limit), -INFINITY), limit)

    def _move_definitions(self, branches: IntArray, load: FloatArray) -> None:
        if not len(branches):
            return
        fixed = (self._shift_flow + self.dc.transfer_flows(-load))[branches]
        self._lp.set_rows(self._definition[branches], fixed, fixed)

    def _add_violated(
        self, flow: FloatArray, load: FloatArray, added: FloatArray, most: int
    ) -> bool:
        case, pairs = self.case, self.contingencies
        rating = case.rating_mw + added
        seen = pairs.monitored
        over = np.abs(flow[seen]) - rating[seen]
        hot = seen[over > TOLERANCE_MW]
        pairs.overloaded(hot)
        new: list[tuple[int, int, float, int]] = []
        for branch in hot:
            excuse = case.excuses.get((int(branch), BASE), 0.0)
            if abs(flow[branch]) - rating[branch] - excuse > TOLERANCE_MW:
                new.append((int(branch), BASE, 0.0, int(np.sign(flow[branch]))))
        after = flow[pairs.branch] + pairs.lodf * flow[pairs.outage]
        over = np.abs(after) - case.emergency_factor * rating[pairs.branch]
        found = np.flatnonzero(over > TOLERANCE_MW)
        order = found[np.lexsort((pairs.outage[found], pairs.branch[found], -over[found]))]
        taken: dict[int, int] = {}
        for q in order:
            pair = int(pairs.branch[q]), int(pairs.outage[q])
            if taken.get(pair[0], 0) >= most:
                continue
            sign = int(np.sign(after[q]))
            if over[q] - case.excuses.get(pair, 0.0) <= TOLERANCE_MW or (*pair, sign) in self._rows:
                continue
            taken[pair[0]] = taken.get(pair[0], 0) + 1
            new.append((*pair, float(pairs.lodf[q]), sign))
        new = [row for row in new if (row[0], row[1], row[3]) not in self._rows]
        if new:
            self._add_rows(new, load, added)
        return bool(new)

    # --- rows --------------------------------------------------------------------------------

    def _balance_rows(self, islands: IntArray) -> IntArray:
        groups, island = self.case.groups, self.dc.island
        inside = np.flatnonzero(groups.other_bus >= 0)
        at = np.concatenate([island[groups.bus], island[groups.other_bus[inside]], islands])
        column = np.concatenate([self._group, self._group[inside], self._unserved])
        value = np.concatenate(
            [np.ones(len(groups.bus)), -np.ones(len(inside)), np.ones(len(islands))]
        )
        nothing = np.zeros(len(islands))
        return self._lp.add_rows(nothing, nothing, *compressed(at, column, value, len(islands)))

    def _group_factors(self, branches: IntArray) -> FloatArray:
        """Return (L, K) MW on each branch per MW of each group."""
        groups, factor = self.case.groups, self.dc.ptdf_rows(branches)
        back = np.where(self._outside, 0.0, factor[:, np.maximum(groups.other_bus, 0)])
        return factor[:, groups.bus] - back

    def _define_flows(self, branches: IntArray, load: FloatArray) -> None:
        """Add columns ``f_l`` and rows ``f_l - sum PTDF g = flow of the loads alone``."""
        branches = branches[self._flow[branches] < 0]
        if not len(branches):
            return
        by_group = np.concatenate(
            [self._group_factors(branches[k : k + _CHUNK]) for k in range(0, len(branches), _CHUNK)]
        )
        wide = np.full(len(branches), 1e7)
        flow = self._lp.add_columns(-wide, wide, 0.0)
        row, group = np.nonzero(np.abs(by_group) > 1e-9)
        at = np.concatenate([row, np.arange(len(branches))])
        column = np.concatenate([self._group[group], flow])
        value = np.concatenate([-by_group[row, group], np.ones(len(branches))])
        fixed = (self._shift_flow + self.dc.transfer_flows(-load))[branches]
        rows = self._lp.add_rows(fixed, fixed, *compressed(at, column, value, len(branches)))
        self._flow[branches] = flow
        self._definition[branches] = rows

    def _add_rows(
        self, new: list[tuple[int, int, float, int]], load: FloatArray, added: FloatArray
    ) -> None:
        branch = np.array([r[0] for r in new], dtype=np.int64)
        outage = np.array([r[1] for r in new], dtype=np.int64)
        lodf = np.array([r[2] for r in new])
        sign = np.array([r[3] for r in new], dtype=np.int64)
        lost = outage >= 0
        self._define_flows(np.unique(np.concatenate([branch, outage[lost]])), load)
        excess = self._excess_for(branch)
        first = len(self._row)
        for k, (b, c, factor, s) in enumerate(new):
            self._rows[b, c, s] = first + k
            self._row_branch.append(b)
            self._row_outage.append(c)
            self._row_lodf.append(factor)
            self._row_sign.append(s)
        number = np.arange(len(new))
        at = np.concatenate([number, number[lost], number])
        column = np.concatenate([self._flow[branch], self._flow[outage[lost]], excess])
        value = np.concatenate([sign, (sign * lodf)[lost], -np.ones(len(new))])
        limit = self._limit(first + number, added)
        rows = self._lp.add_rows(
            np.full(len(new), -INFINITY), limit, *compressed(at, column, value, len(new))
        )
        self._row += rows.tolist()
        self._excess += excess.tolist()

    def _excess_for(self, branch: IntArray) -> IntArray:
        """Return the column of what is over, for each of new rows on these branches."""
        if self.by_pair:
            return self._new_excess(len(branch))
        fresh = [b for b in np.unique(branch).tolist() if b not in self._excess_of]
        self._excess_of.update(zip(fresh, self._new_excess(len(fresh)).tolist(), strict=True))
        return np.array([self._excess_of[b] for b in branch.tolist()], dtype=np.int64)

    def _new_excess(self, count: int) -> IntArray:
        nothing = np.zeros(count)
        most, cost = (nothing + self._grace_mw, 0.0) if self._priced else (nothing + 1e7, 1.0)
        return self._lp.add_columns(nothing, most, cost)

    def _over(self, values: FloatArray) -> dict[Pair, float]:
        """Return MW over the limit of each pair, or of the worst pair of each branch."""
        row = np.array(self._row, dtype=np.int64)
        mw = values[np.array(self._excess, dtype=np.int64)]
        room = self._lp.slack(row)
        over: dict[Pair, float] = {}
        for place in np.flatnonzero((mw > TOLERANCE_MW) & (room <= TOLERANCE_MW)):
            pair = self._row_branch[place], self._row_outage[place]
            worse = not self.by_pair and any(b == pair[0] for b, _ in over)
            if not worse:
                over[pair] = float(mw[place])
        return over

    def _tangents(self, mw: FloatArray, which: IntArray) -> None:
        """Add ``cost_k >= tangent at mw_k`` for some groups."""
        groups, case = self.case.groups, self.case
        curve = groups.cost_usd_mw2h[which] / np.maximum(case.units[which], 1)
        slope = groups.cost_usd_mwh[which] + 2 * curve * mw[which]
        assert self._cost is not None
        number = np.arange(len(which))
        at = np.concatenate([number, number])
        column = np.concatenate([self._cost[which], self._group[which]])
        value = np.concatenate([np.ones(len(which)), -slope])
        self._lp.add_rows(
            -curve * mw[which] ** 2, np.full(len(which), INFINITY),
            *compressed(at, column, value, len(which)),
        )  # fmt: skip

    def _excess_columns(self) -> IntArray:
        return np.unique(np.array(self._excess, dtype=np.int64))

    # --- answers -----------------------------------------------------------------------------

    def _dispatch(
        self, load: FloatArray, over: dict[Pair, float], unserved: float, cut: Cut | None
    ) -> Dispatch:
        mw = self._lp.values[self._group].copy()
        return Dispatch(mw, self._flows(load), over, unserved, float(self.cost_of(mw).sum()), cut)

    def _cut(self, added: FloatArray) -> Cut:
        """Return the cut of the last solution's prices; it holds for any prices (weak duality).

        For weights w >= 0 of rows and prices p of balance, every secure dispatch g of new loads d
        has ``sum w (s flow(g, d) - limit) + sum p (load + d - g) <= 0``; the least of the left
        side over the range of g leaves a row in d alone.
        """
        case, groups, grid = self.case, self.case.groups, self.dc.grid
        duals = self._lp.duals
        row = np.array(self._row, dtype=np.int64)
        weight = np.maximum(-duals[row], 0.0) if len(row) else np.zeros(0)
        price = duals[self._balance]
        branch = np.array(self._row_branch, dtype=np.int64)
        outage = np.array(self._row_outage, dtype=np.int64)
        signed = weight * np.array(self._row_sign, dtype=float)
        by_flow = np.zeros(grid.n_branch)
        np.add.at(by_flow, branch, signed)
        lost = outage >= 0
        np.add.at(by_flow, outage[lost], (signed * np.array(self._row_lodf))[lost])
        used = np.flatnonzero(by_flow)
        push = self.dc.push(by_flow)  # (N,) weighted flow per MW injected
        island_price = price[self.dc.island]
        by_group = push[groups.bus] - island_price[groups.bus]
        inside = ~self._outside
        other = groups.other_bus[inside]
        by_group[inside] -= push[other] - island_price[other]
        least = np.minimum(by_group * case.low_mw, by_group * case.high_mw).sum()
        bare = self._limit(np.arange(len(row)), np.zeros(grid.n_branch))
        factor = np.where(lost, case.emergency_factor, 1.0)
        by_branch = np.zeros(grid.n_branch)
        np.add.at(by_branch, branch, weight * factor)
        by_bus = island_price - push
        limit = float(
            weight @ bare - by_bus @ case.load_mw - by_flow[used] @ self._shift_flow[used] - least
        )
        pairs = tuple(
            ((self._row_branch[k], self._row_outage[k]), float(weight[k]))
            for k in np.flatnonzero(weight > 1e-9)
        )
        return Cut(by_bus, limit, by_branch, pairs)
