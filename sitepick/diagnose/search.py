"""Which levers give a scenario a plan, alone or together, and by how much at least."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np

from sitepick.diagnose.lever import FAMILIES, Lever
from sitepick.diagnose.world import Oracle, World
from sitepick.matrix import SHARED
from sitepick.run import Change

ALONE = 24
"""Levers of one family that are tried one by one; of more, a smallest set is searched."""
WISHES = frozenset({"demand", "commitments", "required", "presence", "fix"})
"""Families that ask for something; the others stand in its way."""
BEST = 6
"""Remedies of one family whose amounts are found."""
SHORT = 0.98
"""Share of a change that must not be enough, for it to be the least."""
FINE = 0.005
"""Relative width to which an amount is narrowed down."""
_LEAST = "least"
_ESTIMATE_SHARE = 0.15
"""Share of the time left that the estimate of one amount may take."""

Item = TypeVar("Item")
Setting = Mapping[int, float]
"""Index of a lever -> its value."""


def smallest(items: Sequence[Item], enough: Callable[[list[Item]], bool]) -> list[Item]:
    """Return a smallest part of ``items`` that is ``enough``: without any one of it, it is not.

    ``enough`` holds for all of them, not for none, and for more where it holds for less. Earlier
    items are kept before later ones. Divide and conquer (QuickXplain, Junker 2004): for k of n
    about 2k log2(n/k) questions.
    """

    def search(base: list[Item], fresh: bool, rest: list[Item]) -> list[Item]:
        if fresh and enough(base):
            return []
        if len(rest) == 1:
            return rest
        half = len(rest) // 2
        first, second = rest[:half], rest[half:]
        late = search([*base, *first], True, second)
        early = search([*base, *late], bool(late), first)
        return [*early, *late]

    return search([], False, list(items))


@dataclass
class Search:
    """Tries levers of one scenario. ``hints``: ids that the relaxed rows name, tried first."""

    world: World
    levers: list[Lever]
    oracle: Oracle
    hints: frozenset[str] = frozenset()
    _known: dict[tuple[tuple[int, float], ...], bool] = field(default_factory=dict)

    def remedies(self) -> list[tuple[Change, ...]]:
        """Return sets of changes that are enough, each without a part to spare."""
        by_family: dict[str, list[int]] = {name: [] for name in FAMILIES}
        for i, lever in enumerate(self.levers):
            by_family[lever.family].append(i)
        families = [members for members in by_family.values() if members]
        every = [i for members in families for i in members]
        if not every or not self.works(every):
            return []
        alone = [members for members in families if self.works(members)]
        limits = [m for m in families if self.levers[m[0]].family not in WISHES]
        found: list[tuple[Change, ...]] = []
        if not any(members in limits for members in alone):
            # to want less is one answer; which limits stand in the way together is another
            if alone and self.works([i for members in limits for i in members]):
                found += self._together(limits)
            elif not alone:
                found += self._together(families)
        for members in alone:
            found += self._within(members)
        return sorted(found, key=burden)

    def works(self, lifted: Sequence[int], setting: Setting | None = None) -> bool:
        """Return whether there is a plan with levers at their far end, others as set."""
        values = {**(setting or {}), **{i: self.levers[i].far for i in lifted}}
        key = tuple(sorted(values.items()))
        if key not in self._known:
            if self.oracle.over:  # to apply thousands of levers takes time as well
                self.oracle.unsure = True
                return False
            answer = self.oracle.has_plan(self.applied(values))
            if self.oracle.over and not answer:
                return False  # no answer: not to be remembered
            self._known[key] = answer
        return self._known[key]

    def applied(self, setting: Setting) -> World:
        """Return the world with levers set."""
        world = self.world
        for i in sorted(setting):
            world = self.levers[i].lift(world, setting[i])
        return world

    def _ranked(self, members: Sequence[int]) -> list[int]:
        """Return levers whose ids the relaxed rows name first."""
        return sorted(members, key=lambda i: not self.hints.intersection(self.levers[i].about))

    def _within(self, members: list[int]) -> list[tuple[Change, ...]]:
        """Return remedies made of levers of one family, which together are enough."""
        ranked = self._ranked(members)
        if len(ranked) <= ALONE:
            alone = [i for i in ranked if self.works([i])]
            if alone:
                made = [(self._change(i, {}, []),) for i in alone[:BEST] if not self.oracle.over]
                return [m for m in made if m[0] is not None]  # type: ignore[misc]
        return self._amounts(smallest(ranked, self.works))

    def _together(self, families: list[list[int]]) -> list[tuple[Change, ...]]:
        """Return remedies of several families: with preferred ones first, and with them last."""
        found: list[tuple[Change, ...]] = []
        seen: set[frozenset[int]] = set()
        for order in (families, families[::-1]):
            parts = smallest(order, lambda some: self.works([i for part in some for i in part]))
            least = smallest([i for part in parts for i in self._ranked(part)], self.works)
            if frozenset(least) not in seen and not self.oracle.over:
                seen.add(frozenset(least))
                found += self._amounts(least)
        return found

    def _amounts(self, members: Sequence[int]) -> list[tuple[Change, ...]]:
        """Return one remedy: each lever in turn as little as possible, those after it lifted."""
        setting: dict[int, float] = {}
        changes = []
        if self.oracle.over:  # what was found last may be no smallest set
            return []
        for n, i in enumerate(members):
            change = self._change(i, setting, members[n + 1 :])
            if change is None:
                return []
            setting[i] = change.value
            changes.append(change)
        return [tuple(changes)]

    def _change(self, i: int, setting: Setting, lifted: Sequence[int]) -> Change | None:
        lever = self.levers[i]
        values = {**setting, **{j: self.levers[j].far for j in lifted}}
        least = self._step if lever.steps else self._amount
        value, proven = least(i, values)
        return self._made(i, value, proven)

    def _made(self, i: int, value: float, proven: bool) -> Change:
        lever = self.levers[i]
        return Change(
            family=lever.family,
            key=lever.key,
            unit=lever.unit,
            now=lever.text(lever.now),
            needed=lever.text(value),
            value=value,
            change=0.0 if lever.steps == (1.0,) and not lever.unit else value - lever.now,
            relative=abs(value - lever.now) / lever.scale,
            proven=proven,
        )

    def _step(self, i: int, others: Setting) -> tuple[float, bool]:
        """Return the nearest step that is enough; the last one is."""
        steps = self.levers[i].steps
        low, high = -1, len(steps) - 1
        while high - low > 1:
            middle = (low + high) // 2
            if self.works([], {**others, i: steps[middle]}):
                high = middle
            else:
                low = middle
        before = self.levers[i].now if high == 0 else steps[high - 1]
        return steps[high], self._proven(i, others, steps[high], before)

    def _proven(self, i: int, others: Setting, value: float, before: float) -> bool:
        enough = self.works([], {**others, i: value})
        less = self.works([], {**others, i: before})
        return enough and not less and not self.oracle.over

    def _amount(self, i: int, others: Setting) -> tuple[float, bool]:
        """Return the least change that is enough: as a program says, else narrowed down."""
        lever = self.levers[i]

        def enough(size: float) -> bool:
            return self.works([], {**others, i: moved(lever, size)})

        low, high = self._estimate(i, others) or 0.0, abs(lever.far - lever.now)
        if low > 0 and enough(low) and not enough(low * SHORT):
            return moved(lever, low), not self.oracle.over
        if low > 0 and enough(low):  # an estimate above the least (a cost of the solver's gap)
            low, high = 0.0, low
        return self._narrowed(i, others, low, high)

    def _narrowed(self, i: int, others: Setting, low: float, high: float) -> tuple[float, bool]:
        """Return the least change between one that is not enough and one that is."""
        lever = self.levers[i]
        width = abs(lever.far - lever.now)

        def enough(size: float) -> bool:
            return self.works([], {**others, i: moved(lever, size)})

        while high - low > FINE * high and high > 1e-9 * width and not self.oracle.over:
            middle = min((low + high) / 2, low * 4) if low > 0 else high / 8
            low, high = (low, middle) if enough(middle) else (middle, high)
        proven = enough(high) and not enough(high * SHORT) and not self.oracle.over
        return moved(lever, high), proven

    def _estimate(self, i: int, others: Setting) -> float | None:
        """Return the least change by one program in which the change itself is a column.

        Rows and column bounds that the lever moves are moved in proportion; where it changes more
        than that (coefficients, columns), the answer may be too small, or there is none.
        """
        lever = self.levers[i]
        width = abs(lever.far - lever.now)
        stated = self.oracle.build(self.applied({**others, i: lever.now}))
        lifted = self.oracle.build(self.applied({**others, i: lever.far}))
        if stated is None or lifted is None or self.oracle.over:
            return None
        a, (program, separators) = stated[0].matrix, lifted
        b = program.matrix
        if a.A.shape != b.A.shape:
            return None
        moved = program.add_columns(
            "diagnose.change", keys={"one": [0]}, owner=SHARED, upper=width, cost=0.0
        )
        program.add_cost(moved, 1.0, _LEAST)
        for sign, before, after in (
            (1.0, a.row_upper, b.row_upper),
            (-1.0, a.row_lower, b.row_lower),
        ):
            with np.errstate(invalid="ignore"):
                rows = np.flatnonzero(np.isfinite(before) & np.isfinite(after) & (before != after))
            if not len(rows):
                continue
            part = b.A[rows].tocoo()
            made = program.add_rows(
                f"diagnose.row{sign:+.0f}", keys={"number": rows}, upper=sign * before[rows]
            )
            program.add_entries(made[part.row], part.col, sign * part.data)
            program.add_entries(made, moved[0], -sign * (after[rows] - before[rows]) / width)
        for sign, before, after in ((1.0, a.upper, b.upper), (-1.0, a.lower, b.lower)):
            columns = np.flatnonzero(before != after)
            if not len(columns):
                continue
            made = program.add_rows(
                f"diagnose.bound{sign:+.0f}", keys={"number": columns}, upper=sign * before[columns]
            )
            program.add_entries(made, columns, sign)
            program.add_entries(made, moved[0], -sign * (after[columns] - before[columns]) / width)
        program.minimise((_LEAST,))
        out = self.oracle.run(program, separators, 1e-4, share=_ESTIMATE_SHARE)
        return None if out.values is None else float(out.values[moved[0]])


def moved(lever: Lever, size: float) -> float:
    """Return a lever's value after a change of ``size``, rounded up."""
    width = abs(lever.far - lever.now)
    if size >= width:
        return lever.far
    sign = np.sign(lever.far - lever.now)
    return float(f"{lever.now + sign * min(_rounded(size), width):.10g}")


def burden(remedy: tuple[Change, ...]) -> tuple[int, bool, float, str]:
    """Return what remedies are sorted by: few changes, none that drops a wish, small ones first."""
    gives_up = any(c.family == "demand" and not c.unit for c in remedy)
    return len(remedy), gives_up, max(c.relative for c in remedy), remedy[0].key


def _rounded(size: float) -> float:
    """Return ``size`` rounded up to four significant digits."""
    if size <= 0:
        return 0.0
    unit = 10.0 ** (np.floor(np.log10(size)) - 3)
    return float(np.ceil(size / unit - 1e-4) * unit)
