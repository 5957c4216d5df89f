"""A scenario with its tables and grid as one value that can be changed, and asked for a plan."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sitepick.blocks import build
from sitepick.candidates.types import Candidates
from sitepick.dispatch.joint import JointLimits
from sitepick.dispatch.study import Study, study_of
from sitepick.errors import SitepickError
from sitepick.instance import assemble
from sitepick.instance.types import Instance
from sitepick.network.types import Grid
from sitepick.planner import hold_it_mw
from sitepick.program import Program
from sitepick.scenario.schema import Scenario
from sitepick.solve import solve_with
from sitepick.solve.outcome import Limits, Outcome, Separator

Held = tuple[tuple[str, str, float], ...]
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
        changed = frame.assign(**{column: values})
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
        return self.run(program, separators, ENOUGH_GAP).values is not None

    def build(self, world: World) -> tuple[Program, tuple[Separator, ...]] | None:
        """Return a world's program and what adds rows to it; None where its grid cannot serve."""
        study = self._study(world)
        if study is None and world.grid is not None:
            return None
        inst = assemble(world.scenario, world.candidates, world.grid)
        return self.program(world, inst)

    def program(self, world: World, inst: Instance) -> tuple[Program, tuple[Separator, ...]]:
        """Return the program of an instance of ``world``."""
        program, _ = build(inst)
        if world.held or world.held_only:
            hold_it_mw(program, inst, list(world.held), only=world.held_only)
        study = None if world.carried else self._study(world)
        joint = () if study is None else (JointLimits(study, inst, program),)
        return program, joint

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
