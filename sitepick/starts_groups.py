"""A plan to begin from where many sites could join campus groups, made from a relaxation.

A search over all groups at once finds none at all for long. Here they are decided in turn: one
keeps to sites that are all within reach (`starts_reach`), chosen by the relaxation with the groups
before it held; its members are decided while all that comes later is relaxed. Where the first round
is not good enough each is decided again with all others held.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from sitepick.blocks.group_units import Unit, units
from sitepick.instance.types import Instance
from sitepick.matrix import BoolArray, FloatArray, IntArray, Matrix
from sitepick.program import Program
from sitepick.solve.highs import target_for
from sitepick.solve.narrowed import follow, held, lead
from sitepick.solve.outcome import Limits, gap_between
from sitepick.solve.owners import Owners, movers
from sitepick.solve.sifting import (
    Relaxation,
    Rounder,
    best_owners,
    relax_by_pricing,
    tolerance_for,
)
from sitepick.starts_reach import around, keep, link_km

LEADING = ("member", "at", "anchor", "count", "nodes", "hub")
LINKS = ("way", "hub", "tour", "source", "carried", "tbps", "runs")
MANY = 100
"""Sites from which on a group is sought this way; among fewer a plain search finds one sooner."""
_MORE = 80  # owners beyond those of the relaxation that take part in a decision
_PLACES = 8  # nodes about which a group may be sought
_PRICING = 8  # rounds that look for the owners of a restricted relaxation
_SLIGHT = 0.05  # of the asked gap: what one restriction may lose without another being tried
_SHARE = 0.5  # of the asked gap, for the decisions of all groups together
_TURNS = 4
_TIME = 0.6  # of the time left, at most


def group_rounders(
    program: Program,
    inst: Instance,
    complete: Callable[[FloatArray], FloatArray | None],
    stop: threading.Event | None,
) -> tuple[Rounder, ...]:
    """Return what makes a first plan of the groups, once; nothing among few sites.

    ``complete`` returns the best plan with the integers of the one it is given.
    """
    if not inst.groups.rows or len(inst.sites.ids) < MANY:
        return ()
    asked: list[bool] = []

    def rounder(matrix: Matrix, relaxed: Relaxation, limits: Limits) -> FloatArray | None:
        if asked or relaxed.values is None:
            return None
        asked.append(True)
        plan = _InTurn(program, inst, matrix, relaxed, limits, stop).plan()
        return None if plan is None else complete(plan)

    return (rounder,)


def in_turn(program: Program, matrix: Matrix, inst: Instance) -> list[list[int]]:
    """Return all groups in the order of decision, the largest first; groups that are alike, whose
    anchors have an order, are decided together."""
    set_of = np.arange(len(inst.groups.rows))
    family = program.row_families["groups.ordered"]
    anchor = program.column_families["groups.anchor"]
    group_of = np.full(len(matrix.cost), -1)
    group_of[anchor.indices] = anchor.keys["group"]
    for row in family.indices.tolist():
        at, end = matrix.A.indptr[row], matrix.A.indptr[row + 1]
        both = np.unique(group_of[matrix.A.indices[at:end]])
        set_of[np.isin(set_of, set_of[both])] = set_of[both].min()
    sets = [np.flatnonzero(set_of == s).tolist() for s in np.unique(set_of)]
    return sorted(sets, key=lambda groups: -inst.groups.rows[groups[0]].most)


def link_rows(program: Program, matrix: Matrix, groups: int) -> list[BoolArray]:
    """Return for each of ``groups`` (m,) its rows on links and their traffic."""
    of_groups = np.zeros(matrix.A.shape[0], dtype=bool)
    for name, rows in program.row_families.items():
        if name.startswith("groups."):
            of_groups[rows.indices] = True
    families = [f for name in LINKS if (f := program.columns_of(f"groups.{name}")) is not None]
    by_column = matrix.A.tocsc()
    out = []
    for group in range(groups):
        mine = [f.indices[f.keys["group"] == group] for f in families]
        touched = np.zeros(len(of_groups), dtype=bool)
        if mine:
            touched[by_column[:, np.concatenate(mine)].indices] = True
        out.append(touched & of_groups)
    return out


@dataclass
class _InTurn:
    """Groups decided in turn; `now` holds those decided so far, with all others relaxed."""

    program: Program
    inst: Instance
    matrix: Matrix
    first: Relaxation  # with nothing decided
    limits: Limits
    stop: threading.Event | None
    best: FloatArray | None = None

    def __post_init__(self) -> None:
        began, left = time.perf_counter(), self.limits.time_s
        self.end = math.inf if left is None else began + left
        self.deadline = math.inf if left is None else began + _TIME * left
        self.units = units(self.inst)
        self.links = link_rows(self.program, self.matrix, len(self.inst.groups.rows))
        self.now = self.first
        self.turns = in_turn(self.program, self.matrix, self.inst)
        self.share = _SHARE * self.limits.gap / len(self.turns)

    def plan(self) -> FloatArray | None:
        """Return the best plan (n,) found, None without one.

        Groups that found no place begin another try; those that time was too short for stay out.
        """
        for _ in self.turns:
            decided, refused = self._each_once()
            if refused is None or self._over():
                break
            self.turns = [refused] + [groups for groups in self.turns if groups != refused]
        self.best = self._completed(self.now, decided)
        for _ in range(_TURNS):
            before = self._value()
            for groups in self.turns:
                if self._over() or gap_between(self._value(), self.first.bound) <= self.limits.gap:
                    return self.best
                self._again(groups, [g for g in decided if g not in groups])
            if not self._value() < before:
                break
        return self.best

    def _each_once(self) -> tuple[list[int], list[int] | None]:
        """Decide all groups in turn; return those decided, and those that found no place."""
        self.now, decided = self.first, list[int]()
        for groups in self.turns:
            if self._over():
                break
            found = self._decided(groups, decided, self.now, self.now)
            if found is None:
                return decided, groups
            self.now, decided = found, decided + groups
        return decided, None

    def _again(self, groups: list[int], others: list[int]) -> None:
        """Decide ``groups`` again, with the ``others`` held, where that can be worth it."""
        free = self._relaxed(self._held(groups, others), self.first)
        if free.values is None or free.objective > self._value() * (1 - self.share):
            return
        found = self._decided(groups, others, free, self.first)
        plan = None if found is None else self._completed(found, others + groups)
        if found is not None and plan is not None and self.matrix.objective(plan) < self._value():
            self.now, self.best = found, plan

    def _decided(
        self, groups: list[int], others: list[int], seen: Relaxation, warm: Relaxation
    ) -> Relaxation | None:
        """Return ``seen``, the relaxation with the ``others`` held, with ``groups`` decided."""
        matrix = self._held(groups, others)
        for unit in self.units:
            if unit.index in groups:
                placed = self._placed(unit, matrix, seen, warm)
                if placed is None:
                    return None
                matrix, seen = placed
        chosen = movers(matrix, seen.values)
        owners = best_owners(seen, chosen, len(chosen) + _MORE)
        room = replace(self._room(), gap=self.share, work=self.limits.work)
        aim = target_for(seen.objective, self.share)
        values = lead(matrix, owners, self._leading(groups), room, target=aim, stop=self.stop)
        if values is None:
            return None
        return replace(seen, objective=matrix.objective(values), values=values)

    def _placed(
        self, unit: Unit, matrix: Matrix, seen: Relaxation, warm: Relaxation
    ) -> tuple[Matrix, Relaxation] | None:
        """Return ``matrix`` with a unit kept to sites within reach that lose little, relaxed.

        Places are tried in order of how many of the members in ``seen`` are there.
        """
        assert seen.values is not None
        weight = seen.values[unit.columns(self.program, "groups.member")]
        km = link_km(unit)
        sites = [around(unit, km, node, weight) for node in range(len(unit.group.node_at))]
        sites = list({kept.tobytes(): kept for kept in sites}.values())
        sites.sort(key=lambda kept: -float(weight[kept].sum()))
        slight = seen.objective + _SLIGHT * self.limits.gap * abs(seen.objective)
        best: tuple[Matrix, Relaxation] | None = None
        for kept in sites[:_PLACES]:
            least = math.inf if best is None else best[1].objective
            if least <= slight or (best is not None and self._over()):
                break
            upper = matrix.upper.copy()
            keep(self.program, unit, kept, upper)
            trial = replace(matrix, upper=upper)
            found = self._relaxed(trial, warm, least)
            if found.values is not None and found.objective < least:
                best = trial, found
        return best

    def _relaxed(self, matrix: Matrix, warm: Relaxation, cutoff: float = math.inf) -> Relaxation:
        """Return the relaxation of ``matrix``, roughly, begun from another."""
        return relax_by_pricing(
            Owners(matrix), self._room(), present=warm.present, duals=warm.duals,
            tolerance=tolerance_for(self.limits.gap, len(self.inst.sites.ids)), cutoff=cutoff,
            rounds=_PRICING, stop=self.stop, deadline=self.deadline,
        )  # fmt: skip

    def _held(self, groups: list[int], others: list[int]) -> Matrix:
        """Return the program with the ``others`` as they are now, without links but of ``groups``.

        Links of those that come later, or that are known, would only make it slow.
        """
        assert self.now.values is not None
        matrix = held(self.matrix, self._leading(others), self.now.values)
        lower, upper = matrix.row_lower.copy(), matrix.row_upper.copy()
        for group, rows in enumerate(self.links):
            if group not in groups:
                lower[rows], upper[rows] = -np.inf, np.inf
        return replace(matrix, row_lower=lower, row_upper=upper)

    def _completed(self, found: Relaxation, decided: list[int]) -> FloatArray | None:
        """Return a plan (n,) with the groups ``decided`` as found, and no others."""
        assert found.values is not None
        matrix = held(self.matrix, self._leading(decided), found.values)
        member = self.program.column_families["groups.member"]
        matrix.upper[member.indices[~np.isin(member.keys["group"], decided)]] = 0
        chosen = movers(matrix, found.values)
        owners = best_owners(found, chosen, len(chosen) + _MORE)
        left = None if self.end == math.inf else max(0.05, self.end - time.perf_counter())
        return follow(matrix, owners, replace(self.limits, time_s=left), self.stop)

    def _leading(self, groups: list[int]) -> IntArray:
        """Return the columns that say who is in ``groups``, and where."""
        named = [self.program.columns_of(f"groups.{name}") for name in LEADING]
        mine = [f.indices[np.isin(f.keys["group"], groups)] for f in named if f is not None]
        return np.concatenate(mine)

    def _value(self) -> float:
        return math.inf if self.best is None else self.matrix.objective(self.best)

    def _room(self) -> Limits:
        left = self.deadline - time.perf_counter()
        seconds = None if self.deadline == math.inf else max(0.05, left)
        return replace(self.limits, work=None, time_s=seconds)

    def _over(self) -> bool:
        asked = self.stop is not None and self.stop.is_set()
        return asked or time.perf_counter() >= self.deadline
