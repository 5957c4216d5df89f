"""The search where one question takes seconds: what a proof leaves open is asked, and little else.

The duals that prove that there is no plan say which families of inputs could matter: one that
leaves the proof standing is no remedy. The least amounts come from one program for a family, in
which the changes are columns; what it says is rounded up, applied and solved again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from sitepick.diagnose.aim import REFUTED, Proof, guide_of, want
from sitepick.diagnose.lever import FAMILIES
from sitepick.diagnose.moving import (
    bounds_at,
    moves_owners,
    moving,
    same_coefficients,
    short_of,
    wanting_less,
)
from sitepick.diagnose.search import (
    ALONE,
    SHORT,
    WISHES,
    Search,
    Setting,
    burden,
    moved,
    smallest,
)  # fmt: skip
from sitepick.matrix import FloatArray
from sitepick.run import Change

_EXACT = 2e-3
_TRIES = (1.0, 1.004, 1.015, 1.05, 1.15)
"""Shares of an estimate that are tried: whole numbers may need more than fractions."""
_NEAR = 20.0
"""An input is moved by this many times its size at most: far ends make weak programs."""
_STUCK = 1.002
"""Less than this much further is no step."""
_PAST = 1.0005
"""How far past the end of a proof the next question is asked."""
_LINES = 8
"""Times that the end of the proofs is sought before it is asked again."""
_WEIGHT = 1e3
"""Price of going short of all that one row asks, where a change by an input's own size costs 1."""
_SET = 6
"""Most inputs of a family that are named one by one."""
_SINGLE = 4
_STEPS = 8
"""Most inputs of a family that are tried alone, numbers of tables and steps."""


@dataclass
class WideSearch(Search):
    """A search of a large scenario; ``overall`` counts the last levers, which move many inputs."""

    overall: int = 0
    _surely_least: set[tuple] = field(default_factory=set)
    _sizes: dict[tuple, FloatArray | None] = field(default_factory=dict)

    def remedies(self) -> list[tuple[Change, ...]]:
        """Return sets of changes that are enough, of those families first that the proof names."""
        if self.works([]):
            return []
        self.oracle.unsure = False  # that there is no plan is known
        families = self._families(self.oracle.proofs[0] if self.oracle.proofs else None)
        limits = [m for m in families if self.levers[m[0]].family not in WISHES]
        wishes = [m for m in families if self.levers[m[0]].family in WISHES]
        found: list[tuple[Change, ...]] = []
        alone = False
        for group in (limits, wishes):
            for members in group:
                if self.works(members):
                    alone = alone or group is limits
                    found += self._within(members)
            if group is limits and not alone:
                found += self._several(limits)
        if not found:
            found += self._several(families)
        if self.oracle.over:
            self.oracle.unsure = True
        return sorted(found, key=burden)

    def _families(self, proof: Proof | None) -> list[list[int]]:
        """Return the families, those first whose limits a proof rests on most."""
        named, first = _named(proof), len(self.levers) - self.overall
        by_family: dict[str, list[int]] = {name: [] for name in FAMILIES}
        for i, lever in enumerate(self.levers):
            by_family[lever.family].append(i)
        ranked: list[tuple[float, int, list[int]]] = []
        for members in by_family.values():
            for wanted in (named, set[str]()):
                if sum(i < first for i in members) > ALONE:  # else what moves all is the answer
                    members[:] = [
                        i for i in members
                        if i >= first or not self.levers[i].about
                        or wanted.intersection(self.levers[i].about)
                    ]  # fmt: skip
            if members:
                score = 0.0 if proof is None else self._share_of(proof, members)
                ranked.append((-score, len(ranked), members))
        return [members for _, _, members in sorted(ranked)]

    def _share_of(self, proof: Proof, members: Sequence[int]) -> float:
        """Return what the limits that levers move contribute to a proof."""
        made = self.oracle.build(self.applied({i: self.levers[i].far for i in members}))
        if made is None:
            return 0.0
        of = proof.program
        matrix, then = of.matrix, bounds_at(made[0], of)
        share = 0.0
        for now, lifted in (
            (matrix.row_lower, then.row_lower), (matrix.row_upper, then.row_upper)
        ):  # fmt: skip
            rows = np.flatnonzero(np.isfinite(now) & (now != lifted))
            share += float(np.abs(proof.duals[rows] * now[rows]).sum())
        return share

    def _within(self, members: list[int]) -> list[tuple[Change, ...]]:
        """Return remedies of one family that is enough: a least set, all together, single ones."""
        first = len(self.levers) - self.overall
        single = [i for i in members if i < first and not self.levers[i].steps]
        found: list[tuple[Change, ...]] = []
        if len(single) > 1:
            found += self._least_set(single)
        tried = {c.key for remedy in found if len(remedy) == 1 for c in remedy}
        rules = [i for i in single if not self.levers[i].about]
        named = [i for i in single if self.levers[i].about]
        steps = [i for i in members if i < first and self.levers[i].steps]
        whole = [i for i in members if i >= first] if not tried else []
        few = named if len(named) <= _SINGLE else []
        for i in [*rules, *whole, *few, *steps[:_STEPS]]:
            if self.levers[i].key in tried:
                continue
            if self.oracle.over:
                break
            if self.works([i]):
                change = self._change(i, {}, [])
                found += [] if change is None else [(change,)]
        return found

    def _least_set(self, members: list[int]) -> list[tuple[Change, ...]]:
        """Return the set of changes of several inputs that is least together, if it is short."""
        size = self._least(members, {})
        if size is None:
            return []
        enough = [(i, x) for i, x in zip(members, size, strict=True)
                  if x > 1e-4 * self.levers[i].scale]  # fmt: skip
        if not 1 <= len(enough) <= _SET:
            return []
        if len(enough) == 1:
            change = self._change(enough[0][0], {}, [])
            return [] if change is None else [(change,)]
        for share in _TRIES:
            setting = {i: moved(self.levers[i], x * share) for i, x in enough}
            if self.oracle.over:
                break
            if self.works([], setting):
                less = {i: self._part(i, x * share * SHORT) for i, x in enough}
                proven = self._is_least(members, {}, share) or self._without_plan(less)
                return [tuple(self._made(i, setting[i], proven) for i in setting)]
        return []

    def _several(self, families: list[list[int]]) -> list[tuple[Change, ...]]:
        """Return remedies of several families, which are not enough alone."""
        every = [i for members in families for i in members]
        if len(families) < 2 or self.oracle.over or not self.works(every):
            return []
        first = len(self.levers) - self.overall
        found: list[tuple[Change, ...]] = []
        seen: set[frozenset[int]] = set()
        for order in (families, families[::-1]):
            parts = smallest(order, lambda some: self.works([i for part in some for i in part]))
            inside = frozenset(i for part in parts for i in part)
            if inside in seen or self.oracle.over:
                continue
            seen.add(inside)
            single = sorted(i for i in inside if i < first and not self.levers[i].steps)
            made = self._least_set(single) if len(single) > 1 else []
            if not made:  # what moves many first: it takes fewest questions
                ordered = [i for part in parts for i in sorted(part, key=lambda i: (i < first, i))]
                made = self._amounts(smallest(ordered, self.works))
            found += [remedy for remedy in made if remedy not in found]
        return found

    def _least(self, members: Sequence[int], others: Setting) -> FloatArray | None:
        """Return how far levers must move, least together relative to their sizes."""
        key = (tuple(members), tuple(sorted(others.items())))
        if key not in self._sizes:
            self._sizes[key] = None
            wishes = any(self.levers[i].family in WISHES for i in members)
            if len(members) == 1 or not wishes:
                self._sizes[key] = self._asked(members, others)
        return self._sizes[key]

    def _asked(self, members: Sequence[int], others: Setting) -> FloatArray | None:
        levers = [self.levers[i] for i in members]
        width = [min(abs(lever.far - lever.now), _NEAR * lever.scale) for lever in levers]
        far = {i: self._part(i, w) for i, w in zip(members, width, strict=True)}
        made = self.oracle.build(self.applied({**others, **far}))
        stated = self.oracle.build(self.applied(others))
        if made is None or stated is None:
            return None
        if len(members) == 1 and levers[0].family in WISHES:
            program, separators = stated
            guide = guide_of(program)
            columns, wanted = wanting_less(program, bounds_at(made[0], program), width[0], _WEIGHT)
        else:
            program, separators = made
            guide = guide_of(program)
            now, each = bounds_at(stated[0], program), [bounds_at(program, program)]
            if moves_owners(program, now):
                return None  # a row for each place would leave nothing to be priced by place
            if len(members) > 1:
                alone = [self.oracle.build(self.applied({**others, i: far[i]})) for i in members]
                each = [bounds_at(one[0], program) for one in alone if one is not None]
            if len(each) < len(members):
                return None
            price = [w / lever.scale for w, lever in zip(width, levers, strict=True)]
            columns, wanted = moving(program, now, each, width, price, _WEIGHT)
        found = self.oracle.reach(program, wanted, guide, separators, np.inf, _EXACT)
        if found.values is not None:
            self.oracle.plans.append((program, found.values))
            exact = same_coefficients(stated[0], program)
            if exact and found.bound >= 0.985 * found.value:
                self._surely_least.add((tuple(members), tuple(sorted(others.items()))))
        point = found.values if found.values is not None else found.point
        if point is None or short_of(program, wanted, point) > 1e-3:
            return None
        return np.maximum(point[columns], 0.0)

    def _part(self, i: int, size: float) -> float:
        """Return a lever's value after a change of ``size``, as it is."""
        lever = self.levers[i]
        if size >= abs(lever.far - lever.now):
            return lever.far
        return float(lever.now + np.sign(lever.far - lever.now) * size)

    def _amount(self, i: int, others: Setting) -> tuple[float, bool]:
        """Return the least change that is enough: where no proof reaches any more, or a bit more.

        What is missing at least is a convex function of bounds that move in proportion, and a
        proof is its tangent: where the tangents end is never too far, and soon far enough.
        """
        lever = self.levers[i]
        width, size, tries = abs(lever.far - lever.now), 0.0, iter(_TRIES)
        found = self._least([i], others)
        while not self.oracle.over:
            root = self._end_of_proofs(i, others, size)
            if size == 0 and found is not None:
                root = max(root, float(found[0]))
            more = root if root > size * _STUCK else size * next(tries, 2.0)
            if more >= width:
                break
            size = more
            if self._tried({**others, i: moved(lever, size)}):
                less = {**others, i: self._part(i, size * SHORT)}
                share = np.inf if found is None else size / max(float(found[0]), 1e-12)
                proven = self._is_least([i], others, share) or self._without_plan(less)
                return moved(lever, size), proven
        return lever.far, False

    def _end_of_proofs(self, i: int, others: Setting, low: float) -> float:
        """Return the least change above ``low`` at which no proof says that there is no plan."""
        lever = self.levers[i]
        width = abs(lever.far - lever.now)

        def left(size: float) -> float:
            made = self.oracle.build(self.applied({**others, i: self._part(i, size)}))
            if made is None or not self.oracle.proofs:
                return 0.0
            want(made[0])
            return self.oracle.proven(made[0]) - REFUTED

        at, value, step = low, left(low), max(0.25 * lever.scale, 0.5 * low)
        for _ in range(_LINES):
            if value <= 0 or at >= width or self.oracle.over:
                break
            ahead = min(at + step, width)
            then = left(ahead)
            if then >= value:
                at, value, step = ahead, then, 4 * step
                continue
            root = at + value * (ahead - at) / (value - then)
            if root <= ahead:
                at = min(root * _PAST, width)
                value = left(at) if root < ahead * 0.999 else then
                step = max(0.02 * at, 1e-9)
            else:
                at, value, step = ahead, then, min(root * _PAST - ahead, 8 * step)
        return at

    def _tried(self, setting: Setting) -> bool:
        """Return whether a setting has a plan; one that is not found leaves nothing unsure."""
        unsure, self.oracle.unsure = self.oracle.unsure, False
        answer = self.works([], setting)
        self.oracle.unsure = unsure
        return answer

    def _is_least(self, members: Sequence[int], others: Setting, share: float) -> bool:
        """Return whether a program's bound shows that 98 % of its changes are not enough."""
        key = (tuple(members), tuple(sorted(others.items())))
        return key in self._surely_least and share <= _TRIES[1]

    def _without_plan(self, setting: Setting) -> bool:
        """Return whether it is proven that a setting has no plan."""
        unsure, self.oracle.unsure = self.oracle.unsure, False
        answer = self.works([], setting)
        proven = not answer and not self.oracle.unsure and not self.oracle.over
        self.oracle.unsure = unsure
        return proven


def _named(proof: Proof | None) -> set[str]:
    """Return the names of what the rows of a proof are about."""
    if proof is None:
        return set()
    program, duals = proof.program, proof.duals
    found: set[str] = set()
    for family in program.row_families.values():
        here = np.flatnonzero(np.abs(duals[family.indices]) > 1e-9)
        for dim, key in family.keys.items():
            if dim in program.dims and dim != "period":
                found.update(str(program.dims[dim][k]) for k in np.unique(key[here]))
    return found
