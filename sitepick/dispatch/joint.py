"""Joint deliverability as lazy rows: what the plan adds must be carried in every condition.

For each period and condition the grid's own dispatch is solved with the plan's MW. Where none is
secure, its prices give a row on the MW at the POIs (and on line upgrades) that every plan must
keep: a feasibility cut of Benders (1962). The program holds no generator and no flow.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from sitepick.blocks.deliverability import add_joint, firm_mw, upgrades_at
from sitepick.dispatch.secure import SecureDispatch
from sitepick.dispatch.study import Study, spread, worsened
from sitepick.dispatch.types import Cut, Dispatch
from sitepick.instance.types import Instance
from sitepick.matrix import FloatArray, IntArray
from sitepick.program import Program

ACCEPTED_MW = 2e-4
"""What may be over its limit because a plan keeps its rows only to the solver's tolerance."""
MATERIAL_MW = 1.0
"""Less than this on an excused overload is no reason, in prices and for POIs alone."""
_CHAIN = 12


@dataclass(frozen=True)
class Made:
    """A cut that is a row of the program, its case, and by what the row was divided."""

    cut: Cut
    case: int
    scale: float


@dataclass
class JointLimits:
    """Separates the plans of one program. ``made`` are the cuts so far, by row of the program."""

    study: Study
    inst: Instance
    program: Program
    made: dict[int, Made] = field(default_factory=dict)
    _secure: dict[int, SecureDispatch] = field(default_factory=dict)
    _checked: dict[tuple[int, int], bytes] = field(default_factory=dict)

    def __call__(self, values: FloatArray) -> int:
        """Add rows that ``values`` (n,) violate; return how many."""
        assert self.inst.joint is not None
        fresh: dict[int, list[Cut]] = {}  # by case
        added = 0
        for c, t in self._states():
            case = int(self.study.case_at[c, t])
            load, upgraded = self.asked(values, c, t)
            state = load.tobytes() + upgraded.tobytes()
            if not load.any() or self._checked.get((c, t)) == state:
                continue
            known = fresh.setdefault(case, [])
            if any(_breach(cut, load, upgraded) > ACCEPTED_MW for cut in known):
                continue
            found = self._chain(case, load, upgraded)
            if not found:
                self._checked[c, t] = state
            for cut in found:
                added += len(self._everywhere(c, case, cut))
            known += found
        return added

    def _chain(self, case: int, load: FloatArray, upgraded: FloatArray) -> list[Cut]:
        """Return cuts of ``load`` (N,) and of what remains when it is cut back to each of them.

        A solver would find the later ones too, one costly round after another.
        """
        cuts: list[Cut] = []
        while len(cuts) < _CHAIN:
            found = self.dispatcher(case).least_over(load, upgraded, cut_only=True)
            if found.cut is None or _over(found) <= ACCEPTED_MW:
                break
            # without new load every case is secure (its excuses see to that): rounding aside
            cut = replace(found.cut, limit=max(found.cut.limit, 0.0))
            breach = _breach(cut, load, upgraded)
            heavy = np.where(load > 0, np.maximum(cut.by_bus, 0.0), 0.0)
            cuts.append(cut)
            if breach <= ACCEPTED_MW or not heavy.any():
                break
            load = np.maximum(load - breach * heavy / float(heavy @ heavy), 0.0)
        return cuts

    def dispatcher(self, case: int) -> SecureDispatch:
        """Return the dispatch problem of a case, the same each time."""
        if case not in self._secure:
            state = worsened(self.study.cases[case], self.study.margin_mw)
            self._secure[case] = SecureDispatch(self.study.contingencies, state)
        return self._secure[case]

    def eased(self, row_upper: FloatArray) -> FloatArray:
        """Return (m,) ``row_upper`` with each excused overload allowed to be `MATERIAL_MW` worse.

        An excused branch is at its limit to the last watt: any load anywhere would seem to be
        limited by it, at a price without meaning. Prices are taken with what is immaterial allowed.
        """
        out = row_upper.copy()
        for row, made in self.made.items():
            excuses = self.study.cases[made.case].excuses
            weight = sum(w for pair, w in made.cut.pairs if pair in excuses)
            out[row] += MATERIAL_MW * weight / made.scale
        return out

    def dispatch(self, values: FloatArray, condition: int, period: int) -> Dispatch | None:
        """Return the cheapest secure dispatch of a plan, None when the solver finds none."""
        new_load, upgraded = self.asked(values, condition, period)
        case = int(self.study.case_at[condition, period])
        return self.dispatcher(case).cheapest(new_load, upgraded)

    def _states(self) -> list[tuple[int, int]]:
        """Return condition and period of every state, the last (most loaded) period first."""
        n_conditions, n = self.study.case_at.shape
        return [(c, t) for t in reversed(range(n)) for c in range(n_conditions)]

    def asked(
        self, values: FloatArray, condition: int, period: int
    ) -> tuple[FloatArray, FloatArray]:
        """Return (N,) new load and (M,) added normal rating of a plan."""
        joint = self.inst.joint
        assert joint is not None
        grid = self.study.grid
        mw = self.poi_mw(values)[:, period]
        load = spread(mw * joint.new_load[condition], joint.bus, grid.n_bus)
        added = np.zeros(grid.n_branch)
        bought = self.upgrades(values)[:, period]
        np.add.at(added, self.study.upgrade_branch, bought * joint.upgrade_mw)
        return load, added

    def poi_mw(self, values: FloatArray) -> FloatArray:
        """Return (B, T) firm grid MW at each POI."""
        return firm_mw(self.program, self.inst, values)

    def upgrades(self, values: FloatArray) -> FloatArray:
        """Return (U, T) whether each line upgrade stands, 0..1."""
        level = upgrades_at(self.program, self.inst)
        return np.where(level >= 0, values[np.maximum(level, 0)], 0.0)

    def _everywhere(self, condition: int, case: int, cut: Cut) -> IntArray:
        """Add a cut for every period of its case."""
        periods = np.flatnonzero(self.study.case_at[condition] == case)
        rows, scale = add_joint(
            self.program, self.inst, self.study.upgrade_branch, condition, periods, cut
        )
        self.made.update(dict.fromkeys(rows.tolist(), Made(cut, case, scale)))
        return rows


def _breach(cut: Cut, load: FloatArray, upgraded: FloatArray) -> float:
    """Return MW by which loads (N,) with added ratings (M,) break a cut."""
    return float(cut.by_bus @ load - cut.limit - cut.by_branch @ upgraded)


def _over(found: Dispatch) -> float:
    return sum(found.over_mw.values()) + found.unserved_mw
