"""A scenario with its tables and grid as one value that can be changed, and asked for a plan."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from sitepick.blocks import build
from sitepick.candidates.types import Candidates
from sitepick.diagnose.aim import REFUTED, Proof, Wanted, columns_at, guide_of, want
from sitepick.dispatch.joint import JointLimits
from sitepick.dispatch.study import Study, study_of
from sitepick.errors import SitepickError
from sitepick.instance import assemble
from sitepick.instance.types import Instance
from sitepick.matrix import FloatArray
from sitepick.network.types import Grid
from sitepick.planner import hold_it_mw
from sitepick.program import Program
from sitepick.scenario.schema import Scenario
from sitepick.serving import ReachLimits
from sitepick.solve import solve_with
from sitepick.solve.outcome import Limits, Outcome, Separator
from sitepick.solve.reach import Reached, completed, reach

Held = tuple[tuple[str, str, float], ...]
LARGE_COLUMNS = 12_000
"""Programs of more columns are asked by phase one; smaller ones are solved at once."""
LARGE_GAP = 0.005
"""Width to which the least change of a large program is found."""
LARGE_SECONDS = 25.0
"""Most time for one question about a large program."""
MOST_PLANS = 2
KNOWN_SECONDS = 5.0
"""Latest plans that are tried on the next question first, and time for each."""
MOST_PROOFS = 12
"""Proofs of the latest questions are tried on the next."""
ENOUGH_GAP = 0.9
"""Any plan answers whether there is one."""


@dataclass(frozen=True)
class World:
    """What a plan is made from. ``carried``: the grid is taken to carry everything."""

    scenario: Scenario
    candidates: Candidates
    grid: Grid | None = None
    carried: bool = False
    held: Held = ()
    held_only: bool = False

    def put(self, path: Sequence[Any], value: Any) -> World:
        """Return the world with one value of the scenario set."""
        return replace(self, scenario=put(self.scenario, path, value))

    def cell(self, table: str, row: int, column: str, value: Any) -> World:
        """Return the world with one cell of a table of the candidates set, by position of row."""
        frame = getattr(self.candidates, table)
        values = list(frame[column])
        values[row] = value
        return self.column(table, column, values)

    def column(self, table: str, column: str, values: Sequence[Any]) -> World:
        """Return the world with a column of a table of the candidates set."""
        changed = getattr(self.candidates, table).assign(**{column: list(values)})
        return replace(self, candidates=replace(self.candidates, **{table: changed}))


def put(section: Any, path: Sequence[Any], value: Any) -> Any:
    """Return ``section`` (nested models, dicts and lists) with the value at ``path`` set."""
    if not path:
        return value
    head, rest = path[0], path[1:]
    if isinstance(section, Mapping):
        return {**section, head: put(section.get(head), rest, value)}
    if isinstance(section, (list, tuple)):
        return [put(x, rest, value) if i == head else x for i, x in enumerate(section)]
    return section.model_copy(update={head: put(getattr(section, head), rest, value)})


@dataclass
class Oracle:
    """Asks a solver whether a world has a plan; ``unsure``: time ended before some answer."""

    solver: str
    threads: int | None
    study: Study | None
    deadline: float
    stop: threading.Event | None = None
    solves: int = 0
    unsure: bool = False
    proofs: list[Proof] = field(default_factory=list)
    plans: list[tuple[Program, FloatArray]] = field(default_factory=list)
    _studies: dict[int, tuple[Grid, Study | None]] = field(default_factory=dict)

    @property
    def over(self) -> bool:
        """Whether the time is up, or someone asked to stop."""
        return time.perf_counter() > self.deadline or (self.stop is not None and self.stop.is_set())

    def has_plan(self, world: World) -> bool:
        """Return whether a plan exists; False (and ``unsure``) where time ended before."""
        if self.over:
            self.unsure = True
            return False
        made = self.build(world)
        if made is None:
            return False
        program, separators = made  # with its costs: they guide large programs to a plan
        if self.is_large(program):
            return self._reaches(program, separators)
        return self.run(program, separators, ENOUGH_GAP).values is not None

    def is_large(self, program: Program) -> bool:
        """Return whether a program is asked by phase one, with what it proves kept."""
        return self.solver == "highs" and program.n_columns > LARGE_COLUMNS

    def refuted(self, program: Program) -> bool:
        """Return whether a proof of another program holds for one that `want` made."""
        return self.proven(program) > REFUTED

    def proven(self, program: Program) -> float:
        """Return the most that proofs of other programs prove of one that `want` made."""
        values = [proof.holds_for(program) for proof in self.proofs[-MOST_PROOFS:]]
        return max(values, default=0.0)

    def _reaches(self, program: Program, separators: tuple[Separator, ...]) -> bool:
        guide = guide_of(program)
        wanted = want(program)
        if self.refuted(program):
            return False
        if self._known(program, wanted, separators):
            return True
        found = self.reach(program, wanted, guide, separators, REFUTED, 1e-6)
        if found.values is not None:
            self.plans.append((program, found.values))
        if found.bound > REFUTED:
            self.proofs.append(Proof(program, found.duals))
        elif found.values is None:
            self.unsure = True
        return found.values is not None

    def _known(self, program: Program, wanted: Wanted, separators: tuple[Separator, ...]) -> bool:
        """Return whether the whole decisions of an earlier plan make one here."""
        for of, values in self.plans[: -MOST_PLANS - 1 : -1]:
            at, here = columns_at(of, program), np.zeros(program.n_columns)
            known = np.flatnonzero(at >= 0)
            here[at[known]] = values[known]
            plan = completed(
                program, wanted.slack, here, Limits(time_s=KNOWN_SECONDS, threads=self.threads),
                separators,
            )  # fmt: skip
            if plan is not None:
                self.plans.append((program, plan))
                return True
        return False

    def reach(
        self, program: Program, wanted: Wanted, guide: FloatArray,
        separators: tuple[Separator, ...], cutoff: float, tolerance: float,
    ) -> Reached:  # fmt: skip
        """Return how far a program that `want` made is from a plan."""
        left = max(0.2, self.deadline - time.perf_counter())
        self.solves += 1
        return reach(
            program, wanted.slack, np.append(guide, np.zeros(program.n_columns - len(guide))),
            Limits(gap=LARGE_GAP, time_s=min(left, LARGE_SECONDS), threads=self.threads),
            cutoff=cutoff, tolerance=tolerance, separators=separators, stop=self.stop,
        )  # fmt: skip

    def build(self, world: World) -> tuple[Program, tuple[Separator, ...]] | None:
        """Return a world's program and what adds rows to it; None where its grid cannot serve."""
        study = self._study(world)
        if study is None and world.grid is not None:
            return None
        inst = assemble(world.scenario, world.candidates, world.grid)
        return self.program(world, inst)

    def program(self, world: World, inst: Instance) -> tuple[Program, tuple[Separator, ...]]:
        """Return the program of an instance of ``world``."""
        # worlds differ in what there is: their programs must have the same rows
        program, _ = build(replace(inst, trimmed=False))
        if world.held or world.held_only:
            hold_it_mw(program, inst, list(world.held), only=world.held_only)
        study = None if world.carried else self._study(world)
        joint = () if study is None else (JointLimits(study, inst, program),)
        return program, (*ReachLimits.of(inst, program), *joint)

    def run(
        self, program: Program, separators: tuple[Separator, ...], gap: float, share: float = 1.0
    ) -> Outcome:
        """Minimise a program within a share of what is left of the time."""
        left = max(0.2, share * (self.deadline - time.perf_counter()))
        self.solves += 1
        out = solve_with(
            self.solver,
            program,
            Limits(gap=gap, time_s=left, threads=self.threads),
            stop=self.stop,
            separators=separators,
        )
        if out.values is None and out.status != "infeasible" and share == 1:
            self.unsure = True
        return out

    def _study(self, world: World) -> Study | None:
        grid = world.grid
        if grid is None or self.study is None or grid is self.study.grid:
            return self.study
        if id(grid) not in self._studies:
            try:
                self._studies[id(grid)] = grid, study_of(world.scenario, grid)
            except SitepickError:
                self._studies[id(grid)] = grid, None
        return self._studies[id(grid)][1]
