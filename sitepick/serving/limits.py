"""Rows on work within reach, which enter when violated."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import scipy.sparse as sp

from sitepick.blocks.demand import REACH, ReachColumns, add_reach, reach_rows
from sitepick.instance.types import Instance
from sitepick.matrix import BoolArray, FloatArray, IntArray, Part
from sitepick.program import Program
from sitepick.serving.flow_columns import FlowColumns
from sitepick.serving.sets import ACCEPTED_MW, failing_sets, in_common, like_sets
from sitepick.serving.work import of_groups, reach_of, work_and_need
from sitepick.solve.lazy import Trial


@dataclass(frozen=True)
class Failing:
    """A set of places that lacks work within reach: of ``sites``, in ``periods``."""

    workload: int
    places: IntArray
    sites: IntArray
    periods: IntArray


@dataclass
class ReachLimits:
    """Separates plans whose work cannot be handed out within reach. Adds `demand.reach` rows."""

    inst: Instance
    program: Program
    _met: dict[tuple[int, int], bytes] = field(default_factory=dict)

    @classmethod
    def of(cls, inst: Instance, program: Program) -> tuple[ReachLimits, ...]:
        """Return what separates the plans of ``program``: none where it holds the flows."""
        return (cls(inst, program),) if inst.demand.pooled else ()

    @cached_property
    def reach(self) -> dict[int, sp.csr_array]:
        """(S, D) who reaches which place, by workload."""
        return {w: reach_of(self.inst.demand, w, len(self.inst.sites.ids)) for w in self._works}

    @cached_property
    def _by_place(self) -> dict[int, sp.csc_array]:
        return {w: sp.csc_array(near) for w, near in self.reach.items()}

    @cached_property
    def _columns(self) -> ReachColumns:
        return ReachColumns.of(self.program, self.inst)

    @cached_property
    def _common(self) -> dict[int, FloatArray]:
        return {w: in_common(near) for w, near in self.reach.items()}

    @cached_property
    def _works(self) -> IntArray:
        return np.setdiff1d(self.inst.demand.serve_workload, of_groups(self.inst))

    def __call__(self, values: FloatArray) -> int:
        """Add rows that ``values`` (n,) violate; return how many."""
        return sum(self._add(s) for s in self._failing(values))

    def begin(self) -> None:
        """Add rows of large sets of places that are reached by much the same sites.

        They bring what a part of the country lacks into the first prices.
        """
        for w in self._works:
            need = self.inst.demand.mw[w]
            for places in like_sets(self.reach[w], need.sum(axis=1), self._common[w]):
                sites = self._sites(w, places)
                periods = np.flatnonzero(need[places].sum(axis=0) > 0)
                self._add(Failing(int(w), places, sites, periods))

    def tried(self, values: FloatArray) -> Trial | None:
        """Return the rows that ``values`` (n,) violate, without adding them to the program."""
        failing = self._failing(values)
        if not failing:
            return None
        parts = [
            reach_rows(self._columns, self.inst, s.workload, s.places, s.sites, s.periods)
            for s in failing
        ]
        A = sp.vstack([part[0] for part in parts], format="csr")
        lower, upper = (np.concatenate([part[k] for part in parts]) for k in (1, 2))
        return Trial(A, lower, upper, failing)

    def keep(self, trial: Trial, rows: BoolArray) -> None:
        """Add some ``rows`` (k,) of a trial to the program, in their order."""
        first = 0
        for s in trial.of:
            mine = rows[first : first + len(s.periods)]
            first += len(s.periods)
            if mine.any():
                self._add(replace(s, periods=s.periods[mine]))

    def _add(self, s: Failing) -> int:
        program = self.program
        rows = reach_rows(self._columns, self.inst, s.workload, s.places, s.sites, s.periods)
        return len(add_reach(program, rows, s.workload, s.periods))

    def _failing(self, values: FloatArray) -> list[Failing]:
        work, need = work_and_need(self.program, self.inst, values)
        asked, out = self.inst.demand.mw, []
        for w in self._works:
            known: list[IntArray] = []
            for t in reversed(range(self.inst.time.n)):
                state = work[:, w, t].tobytes() + need[w, :, t].tobytes()
                if not asked[w, :, t].any() or self._met.get((w, t)) == state:
                    continue
                sets = failing_sets(self.reach[w], work[:, w, t], need[w, :, t], self._common[w])
                if not sets:
                    self._met[w, t] = state
                known += [s for s in sets if not any(np.array_equal(s, k) for k in known)]
            for places in known:
                sites = self._sites(w, places)
                failing = need[w][places].sum(axis=0) - work[sites, w].sum(axis=0)
                periods = np.flatnonzero(failing > ACCEPTED_MW)
                if len(periods):
                    out.append(Failing(int(w), places, sites, periods))
        return out

    def _sites(self, workload: int, places: IntArray) -> IntArray:
        """Return the sites that reach one of ``places``."""
        return np.flatnonzero(self._by_place[workload][:, places].sum(axis=1) > 0)

    def extended(self, part: Part) -> Part:
        """Return ``part`` with columns for who serves whom.

        Places that the same sites reach are one. The rows `demand.reach` then say no more, and are
        left out.
        """
        n = len(part.columns)
        place = np.full(self.program.n_columns, -1, dtype=np.int64)
        place[part.columns] = np.arange(n)
        periods, works = self.inst.time.n, len(self.inst.demand.workloads)
        serve = self.program.index("demand.serve", (len(self.inst.sites.ids), works, periods))
        short = self.program.index("demand.turned_away", self.inst.demand.mw.shape)
        build = FlowColumns(n, place, part.matrix.upper)
        for w in self._works:
            for t in range(periods):
                here = np.flatnonzero(serve[:, w, t] >= 0)
                here = here[place[serve[here, w, t]] >= 0]
                asked = np.flatnonzero(self.inst.demand.mw[w, :, t] > 0)
                if len(asked):
                    near = self.reach[w][here][:, asked].toarray() > 0
                    mw = self.inst.demand.mw[w, asked, t]
                    build.add(near, serve[here, w, t], short[w, asked, t], mw)
        ours = np.concatenate(
            [f.indices for name, f in self.program.row_families.items() if name.startswith(REACH)]
            or [np.zeros(0, dtype=np.int64)]
        )
        return build.onto(part, ~np.isin(part.rows, ours))
